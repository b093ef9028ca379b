"""Records of networks that PyTorch really ran, translated into steps by rule, never by name.

`tests/oracle/networks.json.gz` holds a list of records: every call of a leaf module and every function between
them in the order of execution, `from` naming producers by number (-1: the input, "7:1": output 1 of number 7,
"param:NAME": a parameter of a module that is no leaf). Run `python -m tests.recorded_torch_networks TO.json.gz FROM...`
to make it from full records.
"""

from __future__ import annotations

import gzip
import json
import sys
from math import prod
from pathlib import Path
from typing import Any

from tests.network_steps import Step, Steps, averages_all

RECORDS = Path(__file__).parent / "oracle" / "networks.json.gz"
UNUSED = frozenset({"inplace", "in_channels", "in_features", "num_features"})
ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Hardswish": "hardswish",
    "Hardsigmoid": "hardsigmoid",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}

Call = dict[str, Any]


def records(path: Path = RECORDS) -> list[dict[str, Any]]:
    """All records of a stored file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)
    return found


def compact(full: dict[str, Any]) -> dict[str, Any]:
    """A record of the stored file from a full one."""
    calls = []
    for call in sorted(full["layers"] + full["ops"], key=lambda call: call["i"]):
        kept = {"what": call.get("class") or call["op"], **{key: call[key] for key in ("i", "in", "out", "from")}}
        if "class" in call:
            kept["hp"] = {key: value for key, value in (call.get("hp") or {}).items() if key not in UNUSED}
            kept["params"] = call["params"]
        kept |= {key: call[key] for key in ("call", "macs", "args", "kw") if call.get(key)}
        calls.append(kept)
    totals = {key: full["totals"][key] for key in ("params", "buffers", "macs")}
    outputs = [output["from"] for output in full["outputs"]]
    return {"name": full["name"], "inputs": full["inputs"], "outputs": outputs, "totals": totals, "steps": calls}


class Translation:
    """The state of one translation."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.steps: list[Step] = []
        self.place: dict[Any, int] = {-1: -1}
        """Producer -> the step that holds its value."""
        self.dealt: dict[Any, tuple[int, int, tuple[int, ...]]] = {}
        """Producer of a value that `view` gave an axis of groups -> (the step before, groups, its shape)."""
        for call in record["steps"]:
            self._call(call)
        self.result = Steps(self.steps, [self.place[output] for output in record["outputs"]])

    def _call(self, call: Call) -> None:
        what, index = call["what"], call["i"]
        sources = [source for source in call["from"] if not str(source).startswith("param:")]
        if self._passed_on(call, sources):
            return
        inputs = [self.place[source] for source in sources]
        if what == "chunk":
            channels = tuple(shape[1] for shape in call["out"])
            for part, shape in enumerate(call["out"]):
                fields = {"channels": channels, "part": part}
                self._add(f"{index}:{part}", what, "split", fields, inputs, shape)
            return
        if what == "mean":
            assert call["args"] == [[2, 3]], "a mean over all space"
            inputs = [self._add(None, what, "global_avg_pool", {}, inputs, [*call["out"], 1, 1])]
            self._add(index, what, "flatten", {}, inputs, call["out"])
            return
        kind, fields = translated(call)
        if averages_all(kind, fields, call["in"][0][1:], call["out"][1:]):
            kind, fields = "global_avg_pool", {}
        params = call.get("params", 0) if call.get("call", 1) == 1 else 0
        if kind == "scale":
            params = prod(call["in"][0])
        self._add(index, what, kind, fields, inputs, call["out"], params, call.get("macs", 0))

    def _add(
        self,
        producer: Any,
        name: str,
        kind: str,
        fields: dict[str, Any],
        inputs: list[int],
        shape: list[int],
        params: int = 0,
        macs: int = 0,
    ) -> int:
        self.steps.append(Step(f"#{producer} {name}", kind, fields, tuple(inputs), tuple(shape[1:]), params, macs))
        self.place[producer] = len(self.steps) - 1
        return len(self.steps) - 1

    def _passed_on(self, call: Call, sources: list[Any]) -> bool:
        """Whether a call changes no number: a concat or sum of one, or a part of a channel shuffle."""
        what, index = call["what"], call["i"]
        if what in ("cat", "contiguous", "add") and len(sources) == 1 and call["in"][0] == call["out"]:
            if sources[0] in self.dealt:
                self.dealt[index] = self.dealt[sources[0]]
            else:
                self.place[index] = self.place[sources[0]]
            return True
        if what == "view" and len(call["out"]) == len(call["in"][0]) + 1:
            self.dealt[index] = (self.place[sources[0]], call["out"][1], tuple(call["in"][0]))
            return True
        if what == "transpose" and sources[0] in self.dealt:
            assert call["args"] == [1, 2], "groups and channels change places"
            self.dealt[index] = self.dealt[sources[0]]
            return True
        if what == "view" and sources[0] in self.dealt:
            before, groups, shape = self.dealt[sources[0]]
            assert tuple(call["out"]) == shape
            self._add(index, what, "channel_shuffle", {"groups": groups}, [before], call["out"])
            return True
        return False


def translated(call: Call) -> tuple[str, dict[str, Any]]:
    """The kind and the fields of a call of a module or a function. KeyError where there is no rule."""
    what, shape, hp = call["what"], call["in"][0], {**call.get("hp", {}), **call.get("kw", {})}
    rank = len(shape) - 2
    if what in ACTIVATIONS:
        return ACTIVATIONS[what], {}
    if what.startswith(("Conv1d", "Conv2d", "Conv3d", "ConvTranspose")):
        transposed = "Transpose" in what
        fields = {name: hp[name] for name in ("groups", "bias")}
        pairs = [(p, p) for p in per_axis(hp["padding"], rank)]
        windows = zip(*(per_axis(hp[name], rank) for name in ("kernel_size", "stride", "dilation")), pairs, strict=True)
        fields["windows"] = [(k, s, *p, d) for k, s, d, p in windows]
        if transposed:
            outer = per_axis(hp["output_padding"], rank)
            fields["windows"] = [(*window, op) for window, op in zip(fields["windows"], outer, strict=True)]
        else:
            fields["rounding"] = None
        return f"conv_transpose{rank}d" if transposed else f"conv{rank}d", {"rounding": None, **fields}
    if what.startswith(("MaxPool", "AvgPool", "max_pool", "avg_pool")):
        kernel = hp.get("kernel_size", (call.get("args") or [None])[0])
        return pool("max" if what[0] in "Mm" else "avg", rank, {**hp, "kernel_size": kernel})
    if what.startswith(("AdaptiveAvgPool", "adaptive_avg_pool")):
        return f"adaptive_avg_pool{rank}d", {}
    return RULES[what](call, hp)


def per_axis(value: Any, rank: int) -> list[int]:
    """One value an axis."""
    return list(value) if isinstance(value, list) else [value] * rank


def pool(reduction: str, rank: int, hp: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A pool's kind and fields."""
    axes = zip(
        *(per_axis(value, rank) for value in (hp["kernel_size"], hp["stride"], hp["padding"], hp.get("dilation", 1))),
        strict=True,
    )
    rounding = "ceil" if hp.get("ceil_mode") else "floor"
    fields: dict[str, Any] = {"windows": [(k, s, p, p, d) for k, s, p, d in axes], "rounding": rounding}
    if reduction == "avg":
        fields["count_include_pad"] = hp.get("count_include_pad", True)
    return f"{reduction}_pool{rank}d", fields


def _multiply(call: Call, hp: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return ("scale", {"bias": False}) if str(call["from"][0]).startswith("param:") else ("multiply", {})


def _crop(call: Call, hp: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    bounds = [text.removeprefix("slice(").split(", ")[0].split(",")[:2] for text in call["args"][0][2:]]
    sizes = call["in"][0][2:]
    cuts = [(int(start), size - int(stop)) for (start, stop), size in zip(bounds, sizes, strict=True)]
    return "crop", {"cropping": cuts}


def _pad(call: Call, hp: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    pairs = [tuple(hp["padding"][i : i + 2]) for i in range(0, len(hp["padding"]), 2)]
    return "pad", {"padding": pairs[::-1], "mode": "constant", "value": hp["value"]}


def _layer_norm(call: Call, hp: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    fields = {"eps": hp["eps"], "elementwise_affine": hp["elementwise_affine"], "bias": True}
    dim = 0 if call["what"] == "LayerNorm2d" else None
    return "layer_norm", {**fields, "normalized": hp["normalized_shape"], "dim": dim}


def _named(kind: str, *fields: str, **constant: Any) -> Any:
    """A rule for a call whose fields carry the same names here and there."""
    return lambda call, hp: (kind, {**{field: hp[field] for field in fields}, **constant})


RULES: dict[str, Any] = {
    "BatchNorm2d": lambda call, hp: (
        "batch_norm",
        {
            "eps": hp["eps"],
            "affine": hp.get("affine", True),
            "bias": True,
            "track_running_stats": hp.get("track_running_stats", True),
        },
    ),
    "LayerNorm": _layer_norm,
    "LayerNorm2d": _layer_norm,
    "LocalResponseNorm": _named("local_response_norm", "size", "alpha", "beta", "k"),
    "Linear": _named("linear", "out_features", "bias"),
    "GELU": _named("gelu", "approximate"),
    "LeakyReLU": _named("leaky_relu", "negative_slope"),
    "Dropout": _named("dropout", "p"),
    "StochasticDepth": _named("stochastic_depth", "p", "mode"),
    "PixelShuffle": _named("pixel_shuffle", "upscale_factor"),
    "Flatten": _named("flatten"),
    "flatten": _named("flatten"),
    "Permute": lambda call, hp: ("permute", {"dims": [dim - 1 for dim in hp["dims"][1:]]}),
    "ConstantPad1d": _pad,
    "interpolate": lambda call, hp: ("upsample", {"mode": hp["mode"], "align_corners": bool(hp["align_corners"])}),
    "__getitem__": _crop,
    "cat": _named("concat"),
    "add": _named("add"),
    "add_": _named("add"),
    "mul": _multiply,
}


def steps_of_record(record: dict[str, Any]) -> Steps:
    """The steps of a record."""
    return Translation(record).result


if __name__ == "__main__":
    kept = [compact(json.loads(Path(path).read_text(encoding="utf-8"))) for path in sys.argv[2:]]
    data = json.dumps(kept, separators=(",", ":")).encode()
    Path(sys.argv[1]).write_bytes(gzip.compress(data, mtime=0))
