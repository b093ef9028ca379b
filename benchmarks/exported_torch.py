"""Run what `convcalc export --to torch` writes in PyTorch, and record what it does.

python -m benchmarks.exported_torch          checks everything against convcalc, prints differences
python -m benchmarks.exported_torch --write  and writes tests/recorded_torch.json, which the tests hold on to

Needs PyTorch 2.1 or newer beside convcalc. Every spec of the gallery in all its variants runs on the meta device:
shapes, parameters, buffers, multiply-accumulates. Every single layer runs on the CPU in float64: values.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.exported import Framework, Row, main, model_of
from convcalc import analyse
from convcalc.export.torch_module import torch_module
from convcalc.network import Network


def on_meta(network: Network, text: str) -> Row:
    """What PyTorch counts."""
    with torch.device("meta"):
        model = model_of(text)().eval().requires_grad_(False)
        inputs = [torch.zeros(1, *shape) for shape in network.inputs.values()]
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            outputs = model(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return {
        "outputs": [list(y.shape[1:]) for y in outputs],
        "params": sum(p.numel() for p in model.parameters()),
        "buffers": sum(b.numel() for b in model.buffers()),
        "macs": counter.get_total_flops() // 2,
    }


def expected(network: Network) -> Row:
    """What convcalc counts."""
    totals = analyse(network).to_dict()["totals"]
    nodes = dict.fromkeys(output.node for output in network.outputs)
    counts = {name: totals[name] for name in ("params", "buffers", "macs")}
    return {"outputs": [list(network.nodes[n].shape) for n in nodes], **counts}


def values(network: Network, text: str, inputs: Row, weights: Row) -> Any:
    """The last layer's output in float64."""
    model = model_of(text)().eval().double()
    given = [array for tensors in weights.values() for array in tensors.values()]
    held = zip(model.state_dict().items(), map(torch.as_tensor, given), strict=True)
    model.load_state_dict({name: array.reshape(tensor.shape) for (name, tensor), array in held})
    with torch.no_grad():
        return model(*map(torch.as_tensor, inputs.values())).numpy()


TORCH = Framework("torch", str(torch.__version__), torch_module, on_meta, expected, values, 1e-12)

if __name__ == "__main__":
    sys.exit(main(TORCH))
