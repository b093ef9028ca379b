"""Run products of activations, recurrent layers and layers of layout in PyTorch, and record what they give.

python -m tools.token_layers            prints what was recorded of each
python -m tools.token_layers --write    and writes tests/oracle/token_layers.json

Needs PyTorch and torchvision. Every sample of these kinds in tests/layer_samples.py runs at batch 2 in float64 on
numbers that NumPy draws from the sample's place among them. Recorded are the output's shape, the parameters, the
multiply-accumulates by torch.utils.flop_counter where it knows the operator, and the output and the gradients of
sum(output·g), each as its products with two tensors of random numbers.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.swin_transformer import ShiftedWindowAttention

from convcalc.export.copied.torch_helpers import ConvLSTM, ResetFirstGRU
from convcalc.export.torch_layers import TORCH
from tests.layer_samples import Sample
from tests.token_numbers import BATCH, RECORDED, directions, gradient, numbers

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "token_layers.json"

Tensors = list[torch.Tensor]


def _behind(dims: int | list[int]) -> list[int]:
    """Axes with the batch, of axes without it."""
    return [dim + 1 if dim >= 0 else dim for dim in ([dims] if isinstance(dims, int) else dims)]


def _inserted(dim: int) -> int:
    return dim + 1 if dim >= 0 else dim


def _aligned(x: torch.Tensor, axes: int) -> torch.Tensor:
    return x.reshape(x.shape[0], *(1,) * (axes - x.dim()), *x.shape[1:])


def _matmul(x: Tensors, **_: Any) -> torch.Tensor:
    axes = max(t.dim() for t in x)
    return torch.matmul(_aligned(x[0], axes), _aligned(x[1], axes))


def _attention(x: Tensors, scale: float | None = None, is_causal: bool = False) -> torch.Tensor:
    mask = _aligned(x[3], x[0].dim()) if len(x) == 4 else None
    return scaled_dot_product_attention(*x[:3], attn_mask=mask, is_causal=is_causal, scale=scale)


def _expand(x: Tensors, shape: list[int]) -> torch.Tensor:
    return _aligned(x[0], len(shape) + 1).expand(-1, *shape)


def _slice(x: Tensors, dim: int = 0, start: int = 0, stop: int | None = None, step: int = 1) -> torch.Tensor:
    index = [slice(None)] * x[0].dim()
    index[_behind(dim)[0]] = slice(start, stop, step)
    return x[0][tuple(index)]


def _index(
    x: Tensors, dim: int, indices: list[int] | None = None, count: int = 0, relative: list[int] | None = None
) -> torch.Tensor:
    axis = _behind(dim)[0]
    if relative is not None:
        window = ShiftedWindowAttention(4, relative, [0, 0], 1)
        return torch.index_select(x[0], axis, window.relative_position_index)
    size = x[0].shape[axis]
    taken = [n % size for n in (range(count) if indices is None else indices)]
    return torch.index_select(x[0], axis, torch.tensor(taken))


def _tile(x: Tensors, reps: int | list[int]) -> torch.Tensor:
    times = [reps] if isinstance(reps, int) else reps
    return _aligned(x[0], len(times) + 1).tile(times)


FUNCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "matmul": _matmul,
    "scaled_dot_product_attention": _attention,
    "roll": lambda x, shifts, dims: torch.roll(x[0], shifts, tuple(_behind(dims))),
    "flip": lambda x, dims: torch.flip(x[0], _behind(dims)),
    "expand": _expand,
    "slice": _slice,
    "select": lambda x, dim, index: torch.select(x[0], _behind(dim)[0], index),
    "unbind": lambda x, parts, dim=0, part=0: torch.unbind(x[0], _behind(dim)[0])[part],
    "squeeze": lambda x, dim: torch.squeeze(x[0], tuple(_behind(dim))),
    "unsqueeze": lambda x, dim: torch.unsqueeze(x[0], _inserted(dim)),
    "stack": lambda x, dim=0: torch.stack(x, _inserted(dim)),
    "tile": _tile,
    "repeat_interleave": lambda x, repeats, dim: torch.repeat_interleave(x[0], repeats, _behind(dim)[0]),
    "index_select": _index,
    "split": lambda x, channels, dim=0, part=0: torch.split(x[0], channels, _behind(dim)[0])[part],
}
RECURRENT = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def module_of(sample: Sample) -> nn.Module | None:
    """The module of a kind that holds weights."""
    fields = {"num_heads" if name == "heads" else name: value for name, value in sample.fields.items()}
    biases = fields.pop("biases", 2)
    if sample.kind == "multihead_attention":
        return nn.MultiheadAttention(sample.inputs[0][1], batch_first=True, **fields)
    if sample.kind.startswith("conv_lstm"):
        (call,) = TORCH.of(sample.layer())(sample.layer(), sample.inputs, sample.output)
        return ConvLSTM(**{argument.name: argument.value for argument in call.arguments})
    if sample.kind in RECURRENT:
        made = RECURRENT[sample.kind] if fields.pop("reset_after", True) else ResetFirstGRU
        module = made(sample.inputs[0][1], batch_first=True, **fields)
        return module if biases == 2 else one_bias(module)
    return None


def one_bias(module: nn.RNNBase) -> nn.RNNBase:
    """The module with its second bias 0 and not learned."""
    for name, value in list(module.named_parameters()):
        if name.startswith("bias_hh"):
            delattr(module, name)
            module.register_buffer(name, torch.zeros_like(value))
    module._flat_weights = [getattr(module, name) for name in module._flat_weights_names]
    return module


def call(sample: Sample, module: nn.Module | None, inputs: Tensors) -> torch.Tensor:
    """The layer's output."""
    if module is None:
        return FUNCTIONS[sample.kind](inputs, **sample.fields)
    if sample.kind == "multihead_attention":
        query, key, value = inputs if len(inputs) == 3 else inputs * 3
        return module(query, key, value, need_weights=False)[0]
    found = module(inputs[0])
    return found if isinstance(found, torch.Tensor) else found[0]


def products(array: torch.Tensor, number: int) -> list[float]:
    """An array as its products with two tensors of random numbers."""
    found = array.detach().numpy()
    return [float((found * other).sum()) for other in directions(found.shape, number)]


def saved(sample: Sample) -> int:
    """Bytes of the storages that autograd keeps of the layer in float32 at this batch, parameters left out."""
    module = module_of(sample)
    inputs = [torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in numbers(sample.inputs, 0)]
    held = set() if module is None else {tensor.untyped_storage().data_ptr() for tensor in module.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = call(sample, module, inputs)
    assert output.requires_grad
    return sum(kept.values())


def record(number: int, sample: Sample) -> dict[str, Any]:
    """What PyTorch makes of a sample."""
    module = module_of(sample)
    names = [] if module is None else [name for name, _ in module.named_parameters()]
    inputs = [torch.tensor(x, requires_grad=True) for x in numbers(sample.inputs, number)]
    if module is not None:
        module.double()
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(torch.tensor(numbers((tuple(parameter.shape),), number, name)[0][0]))
    counter = FlopCounterMode(display=False)
    with counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        output = call(sample, module, inputs)
    (output * torch.tensor(gradient(tuple(output.shape), number))).sum().backward()
    held = dict(module.named_parameters()) if module is not None else {}
    gradients = {name: tensor.grad for name, tensor in held.items() if tensor.grad is not None}
    return {
        "sample": number,
        "kind": sample.kind,
        "shape": list(output.shape[1:]),
        "params": sum(prod(tensor.shape) for tensor in held.values()),
        "names": names,
        "saved": saved(sample),
        "macs": counter.get_total_flops() // 2 // BATCH,
        "output": products(output, number),
        "grad_inputs": [products(x.grad, number) for x in inputs if x.grad is not None],
        "grad_weights": {name: products(tensor, number) for name, tensor in gradients.items()},
    }


def main() -> None:
    """Run and print; write with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    torch.use_deterministic_algorithms(True)
    found = [record(number, sample) for number, sample in enumerate(RECORDED)]
    for case in found:
        print(case["kind"], case["shape"], case["params"], case["macs"], case["saved"])
    versions = f"PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    if parser.parse_args().write:
        doc = json.dumps(f"Recorded by tools/token_layers.py: {versions}, CPU, float64.")
        lines = ",\n  ".join(json.dumps(case) for case in found)
        RECORD.write_text(f'{{\n "doc": {doc},\n "cases": [\n  {lines}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
