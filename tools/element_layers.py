"""Run constants, arithmetic, activations, reductions and forms of weights in PyTorch, and record what they give.

python -m tools.element_layers            prints what was recorded of each
python -m tools.element_layers --write    and writes tests/oracle/element_layers.json

Needs PyTorch. Every sample of these kinds in tests/layer_samples.py runs at batch 2 in float64 on numbers that NumPy
draws from the sample's place among them. Recorded are the output's shape, the output and the gradients of
sum(output·g), each as its products with two tensors of random numbers, and the bytes that autograd keeps. Standardised
weights are made as timm makes them, by a batch norm over the weights of each output channel.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from tests.element_numbers import RECORDED, inputs_of, tensor_of
from tests.layer_samples import Sample
from tests.token_numbers import BATCH, gradient
from tools.token_layers import products

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "element_layers.json"

Tensors = Mapping[str, torch.Tensor]


def _behind(dim: int | list[int] | None, x: torch.Tensor) -> tuple[int, ...]:
    """Axes with the batch, of axes without it; all of an example where nothing is said."""
    if dim is None:
        return tuple(range(1, x.dim()))
    return tuple(axis + 1 if axis >= 0 else axis for axis in ([dim] if isinstance(dim, int) else dim))


def _product(x: torch.Tensor, dim: Any = None, keepdim: bool = False) -> torch.Tensor:
    """torch.prod takes one axis at a time."""
    for axis in sorted((axis % x.dim() for axis in _behind(dim, x)), reverse=True):
        x = x.prod(axis, keepdim=keepdim)
    return x


def _argmax(x: torch.Tensor, dim: int | None = None, keepdim: bool = False) -> torch.Tensor:
    flat = x.flatten(1).argmax(1) if dim is None else x.argmax(*_behind(dim, x), keepdim=keepdim)
    return flat.to(x.dtype)


def _over(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """A reduction of PyTorch whose axes count the batch."""
    return lambda x, dim=None, **fields: function(x, dim=_behind(dim, x), **fields)


def _placed(value: float | list[float], x: torch.Tensor) -> Any:
    return torch.tensor(value, dtype=x.dtype).reshape(-1, *(1,) * (x.dim() - 2)) if isinstance(value, list) else value


def _rescale(x: torch.Tensor, scale: Any = 1, offset: Any = 0) -> torch.Tensor:
    return x * _placed(scale, x) + _placed(offset, x)


REDUCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "mean": _over(torch.mean),
    "sum": _over(torch.sum),
    "amax": _over(torch.amax),
    "amin": _over(torch.amin),
    "logsumexp": _over(torch.logsumexp),
    "var": _over(torch.var),
    "std": _over(torch.std),
    "norm": lambda x, dim=None, p=2, **fields: torch.linalg.vector_norm(x, p, _behind(dim, x), **fields),
    "prod": _product,
    "argmax": _argmax,
}
ACTIVATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "log_softmax": lambda x, dim=0: functional.log_softmax(x, *_behind(dim, x)),
    "glu": lambda x, dim=-1: functional.glu(x, *_behind(dim, x)),
    "rescale": _rescale,
    "clamp": torch.clamp,
    "pow": torch.pow,
}
PAIRS = {"sub": torch.sub, "div": torch.div, "maximum": torch.maximum, "minimum": torch.minimum}
CONVOLUTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "conv1d": functional.conv1d,
    "conv2d": functional.conv2d,
    "conv_transpose1d": functional.conv_transpose1d,
    "conv_transpose2d": functional.conv_transpose2d,
}


def _made(sample: Sample, weights: Tensors) -> torch.Tensor:
    """The weights that are multiplied with."""
    w, gain = weights["weight"], weights.get("gain")
    rows = w.transpose(0, 1) if "transpose" in sample.kind else w
    if "standardize" in sample.fields:
        count = rows[0].numel()
        factor = None if gain is None else (gain * count**-0.5).view(-1)
        flat = rows.reshape(1, rows.shape[0], -1)
        rows = functional.batch_norm(flat, None, None, weight=factor, training=True, momentum=0.0, eps=1e-6).reshape(
            rows.shape
        )
        return rows.transpose(0, 1) if "transpose" in sample.kind else rows
    return w if gain is None else w * gain


def _multiplied(sample: Sample, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    if sample.kind == "linear":
        return functional.linear(x, w, bias)
    fields = {"s": "stride", "p": "padding", "d": "dilation", "g": "groups"}
    given = {fields[name]: value for name, value in sample.fields.items() if name in fields}
    return CONVOLUTIONS[sample.kind](x, w, bias, **given)


def _weighted(sample: Sample, inputs: list[torch.Tensor], weights: Tensors) -> torch.Tensor:
    if "weight" not in sample.fields:
        return _multiplied(sample, inputs[0], _made(sample, weights), weights.get("bias"))
    examples = [[x[n] for x in inputs] for n in range(BATCH)]
    return torch.cat([_multiplied(sample, x[None], w, *(bias or [None])) for x, w, *bias in examples])


def _normalized(sample: Sample, x: torch.Tensor, weights: Tensors, training: bool) -> torch.Tensor:
    if sample.kind == "rms_norm":
        return functional.rms_norm(x, x.shape[-1:], weights["weight"])
    last = sample.fields.get("dim") == -1
    moved = x.movedim(-1, 1) if last else x
    if sample.kind == "batch_norm":
        mean, var = weights["running_mean"], weights["running_var"]
        found = functional.batch_norm(moved, mean, var, weights.get("weight"), weights.get("bias"), training)
    else:
        placed = {name: w.reshape(-1, *(1,) * (x.dim() - 2)) for name, w in weights.items()}
        found = moved * placed["weight"] + placed.get("bias", 0)
    return found.movedim(1, -1) if last else found


def call(sample: Sample, inputs: list[torch.Tensor], weights: Tensors, training: bool = False) -> torch.Tensor:
    """The layer's output."""
    kind, fields = sample.kind, sample.fields
    if kind == "parameter":
        return weights["value"].expand(BATCH, *fields.get("repeats", ()), *fields["shape"])
    if kind == "linear" or kind.startswith("conv"):
        return _weighted(sample, inputs, weights)
    if kind in ("rms_norm", "batch_norm", "scale"):
        return _normalized(sample, inputs[0], weights, training)
    if kind in PAIRS:
        return PAIRS[kind](*inputs)
    function = REDUCTIONS.get(kind) or ACTIVATIONS.get(kind) or getattr(torch, kind, None) or getattr(functional, kind)
    return function(inputs[0], **fields)


def tensors_of(sample: Sample, number: int) -> dict[str, torch.Tensor]:
    """What the layer holds, learned or not; counters of batches left out."""
    found = {}
    for name, shape, learned in sample.layer().weights(sample.inputs):
        if name != "num_batches_tracked":
            found[name] = torch.tensor(tensor_of(shape, number, name), requires_grad=learned)
    return found


def saved(sample: Sample) -> int:
    """Bytes of the storages that autograd keeps of the layer in float32 at this batch, its tensors left out."""
    weights = {name: w.detach().float().requires_grad_(w.requires_grad) for name, w in tensors_of(sample, 0).items()}
    inputs = [torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in inputs_of(sample, 0)]
    held = {tensor.untyped_storage().data_ptr() for tensor in weights.values()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    alive = []
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        alive.append(call(sample, inputs, weights, training=True))
    return sum(kept.values())


def record(number: int, sample: Sample) -> dict[str, Any]:
    """What PyTorch makes of a sample."""
    weights = tensors_of(sample, number)
    inputs = [torch.tensor(x, requires_grad=True) for x in inputs_of(sample, number)]
    output = call(sample, inputs, weights)
    if output.requires_grad:
        (output * torch.tensor(gradient(tuple(output.shape), number))).sum().backward()
    zeros = [torch.zeros_like(x) if x.grad is None else x.grad for x in inputs]
    return {
        "sample": number,
        "kind": sample.kind,
        "shape": list(output.shape[1:]),
        "output": products(output, number),
        "grad_inputs": [products(grad, number) for grad in zeros],
        "grad_weights": {name: products(w.grad, number) for name, w in weights.items() if w.grad is not None},
        "saved": saved(sample),
    }


def main() -> None:
    """Record all samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the record")
    write = parser.parse_args().write
    cases = [record(number, sample) for number, sample in enumerate(RECORDED)]
    for case in cases:
        print(case["sample"], case["kind"], case["shape"], case["saved"])
    if write:
        versions = {"torch": torch.__version__, "python": platform.python_version()}
        lines = ",\n".join(json.dumps(case) for case in cases)
        RECORD.write_text(f'{{"versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
