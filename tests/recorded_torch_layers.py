"""Records of single PyTorch layers that really ran, translated into the language by rule.

`tests/oracle/random_layers.jsonl.gz` holds one record a line:
[operator, its arguments, input shape, arguments of the call, result], where the result is
[output shape, parameters, MACs or null], or the reason why PyTorch refused.
Run `python -m tests.recorded_torch_layers FROM.jsonl TO.jsonl.gz` to make it from full records.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

RECORDS = Path(__file__).parent / "oracle" / "random_layers.jsonl.gz"


class Record(NamedTuple):
    """One layer as PyTorch ran it; `out` is None where it refused, for `reason`."""

    operator: str
    args: dict[str, Any]
    shape: tuple[int, ...]
    call: dict[str, Any]
    out: tuple[int, ...] | None = None
    params: int = 0
    macs: int | None = None
    reason: str = ""


class Inexpressible(ValueError):
    """The language has no way to say what the record says; `rule` names why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def compact(full: dict[str, Any]) -> list[Any]:
    """A line of the stored file from a full record."""
    result = full["reason"] if "error" in full else [full["out"], full["params"], full.get("macs")]
    return [full["op"], full["args"], full["in"], full.get("call", {}), result]


def records(path: Path = RECORDS) -> Iterator[Record]:
    """All records of a stored file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            operator, args, shape, call, result = json.loads(line)
            if isinstance(result, str):
                yield Record(operator, args, tuple(shape), call, reason=result)
            else:
                yield Record(operator, args, tuple(shape), call, tuple(result[0]), result[1], result[2])


def without_batch(record: Record) -> tuple[int, tuple[int, ...]]:
    """(batch, shape without it): PyTorch takes most layers with and without a batch axis."""
    digit = re.search(r"(\d)d$", record.operator)
    rank = int(digit[1]) if digit else 2
    if record.operator == "Upsample":
        rank = len(record.shape) - 2
    leading = record.shape[: len(record.shape) - rank - 1]
    return prod(leading), record.shape[len(leading) :]


def snake(name: str) -> str:
    """The language's name of a PyTorch class: `ConvTranspose2d` -> `conv_transpose2d`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def translate(record: Record) -> tuple[str, dict[str, Any]]:
    """(kind, fields) of a record; raises `Inexpressible` where the language has no words for it."""
    operator, args = record.operator, dict(record.args)
    channels = without_batch(record)[1][0]
    if args.pop("in_channels", channels) != channels:
        raise Inexpressible("input channels follow from the input")
    if operator.startswith("ConvTranspose"):
        return snake(operator), _with_output_size(record, args)
    if re.fullmatch(r"(Constant|Zero|Reflection|Replication|Circular)Pad\dd", operator):
        return "pad", _pad(operator, args)
    return snake(operator), args


def _pad(operator: str, args: dict[str, Any]) -> dict[str, Any]:
    """PyTorch lists (before, after) flat and from the last axis; the language nests them from the first."""
    modes = {"Constant": "constant", "Zero": "zeros", "Reflection": "reflect", "Replication": "replicate"}
    padding = args["padding"]
    if isinstance(padding, list):
        padding = [padding[n : n + 2] for n in range(len(padding) - 2, -1, -2)]
    value = {"value": args["value"]} if "value" in args else {}
    return {"padding": padding, "mode": modes.get(operator[:-5], "circular"), **value}


def _with_output_size(record: Record, args: dict[str, Any]) -> dict[str, Any]:
    """`output_size` of the call as the output padding that reaches it from the smallest size."""
    wanted = record.call.get("output_size")
    if wanted is None:
        return args
    space = without_batch(record)[1][1:]

    def each(name: str) -> list[int]:
        value = args.get(name, 0 if name == "padding" else 1)
        return value if isinstance(value, list) else [value] * len(space)

    numbers = zip(space, each("kernel_size"), each("stride"), each("padding"), each("dilation"), strict=True)
    smallest = [(i - 1) * s - 2 * p + d * (k - 1) + 1 for i, k, s, p, d in numbers]
    padding = [o - least for o, least in zip(wanted[-len(space) :], smallest, strict=True)]
    if any(op >= s for op, s in zip(padding, each("stride"), strict=True)):
        raise Inexpressible("output_size is at most the smallest size and the stride minus 1")
    return {**args, "output_padding": padding}


def main(source: str, target: str) -> None:
    """Store full records compactly."""
    full = map(json.loads, Path(source).read_text(encoding="utf-8").splitlines())
    lines = [json.dumps(compact(record), separators=(",", ":")) for record in full]
    with Path(target).open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
        out.write("\n".join(lines).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
