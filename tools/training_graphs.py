"""Run small random networks in PyTorch, and record the most bytes that a training step of each holds.

python -m tools.training_graphs            prints each peak, and whether it is as recorded
python -m tools.training_graphs --write    and writes tests/oracle/training_graphs.json

Needs PyTorch, nothing of convcalc. What large networks hide behind their largest layer is all there is in a small one:
branches that meet again, parts of tensors, outputs that are read on, parts that nothing reads. Peaks are those of
`tools.training_memory`, beside which nothing stands: the loss and its gradient have no elements here.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from torch import nn

from tools.training_memory import OPTIMIZERS, LivePeak, standing

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "training_graphs.json"
COUNT, BATCH, INPUT = 100, 2, (2, 4, 4)


class Item(NamedTuple):
    """One layer: its channels out (of a split: of each part), and the tensors that it reads."""

    name: str
    kind: str
    channels: tuple[int, ...]
    reads: tuple[str, ...]

    @property
    def tensors(self) -> dict[str, int]:
        """What it gives: the channels of each tensor."""
        names = [self.name] if len(self.channels) == 1 else [f"{self.name}.{n}" for n in range(len(self.channels))]
        return dict(zip(names, self.channels, strict=True))


FIELDS = {
    "conv2d": "{{out: {0}, k: 1, bias: false}}",
    "group_norm": "{{num_groups: 1}}",
    "split": "{{channels: {1}}}",
}


class Graph(NamedTuple):
    """Layers in the order in which they run, and the tensors that are put out."""

    items: list[Item]
    outputs: list[str]
    learns: bool = True
    """Whether one of its layers has weights."""

    def spec(self) -> str:
        """What convcalc reads."""
        layers = []
        for name, kind, channels, reads in self.items:
            fields = FIELDS.get(kind, "").format(channels[0], list(channels))
            layers.append(f"{{{kind}: {fields}, name: {name}, from: [{', '.join(reads)}]}}")
        head = f"{{convcalc: 1, input: {list(INPUT)}, layers: [\n "
        return head + ",\n ".join(layers) + f"],\n outputs: [{', '.join(self.outputs)}]}}"


def drawn(random: Random) -> Graph:
    """A network of a few layers, each of which reads tensors that stand not far behind.

    What nothing reads is put out, but for parts of a split beside one that is read: a branch that leads nowhere lives
    as long as Python holds on to its end. Factors of a product have all learned something, since PyTorch keeps a factor
    for the gradient of the other alone.
    """
    channels = {"input": INPUT[0]}
    learned: set[str] = set()
    read: set[str] = set()
    items: list[Item] = []
    for number in range(random.randint(2, 9)):
        near = list(channels)[-5:]
        kind = random.choice(("conv2d", "conv2d", "tanh", "relu", "group_norm", "add", "multiply", "concat", "split"))
        first = random.choice(near)
        others = [name for name in near if name != first]
        if kind in ("add", "multiply"):
            others = [name for name in others if channels[name] == channels[first]]
        if kind == "multiply":
            others = [name for name in others if {name, first} <= learned]
        if kind in ("add", "multiply", "concat"):
            most = 1 if kind == "multiply" else 2
            reads = [first, *random.sample(others, min(random.randint(1, most), len(others)))]
            if len(reads) == 1:
                kind = "conv2d"
        else:
            reads = [first]
            kind = "tanh" if kind == "split" and channels[first] == 1 else kind
        one = random.randint(1, channels[first] - 1) if kind == "split" else 0
        made = {
            "conv2d": (random.randint(1, 5),),
            "concat": (sum(channels[name] for name in reads),),
            "split": (one, channels[first] - one),
        }.get(kind, (channels[first],))
        item = Item(f"n{number}", kind, made, tuple(reads))
        items.append(item)
        channels |= item.tensors
        read |= {*reads}
        if kind in ("conv2d", "group_norm") or learned.intersection(reads):
            learned |= item.tensors.keys()
    outputs = []
    for item in items:
        unread = [name for name in item.tensors if name not in read]
        needless = item.kind == "split" and len(unread) == 1 and random.random() < 0.6
        outputs += [name for name in item.tensors if (name in unread and not needless) or random.random() < 0.1]
    return Graph(items, outputs, bool(learned))


UNREAD = Graph(
    [Item("a", "conv2d", (4,), ("input",)), Item("cut", "split", (1, 3), ("a",))],
    ["cut.0"],
)
"""Its peak is where zeros stand for the part that nothing reads, which among the others is nowhere so."""


class Loss(torch.autograd.Function):
    """Asks each tensor for a gradient, and is of no elements itself."""

    @staticmethod
    def forward(ctx: Any, *tensors: torch.Tensor) -> torch.Tensor:
        ctx.shapes = [tensor.shape for tensor in tensors]
        return torch.empty(0)

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> Any:
        asked = zip(ctx.shapes, ctx.needs_input_grad, strict=True)
        return tuple(torch.zeros(shape) if needed else None for shape, needed in asked)


class Net(nn.Module):
    """A graph that runs; a tensor is let go behind its last reader."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.layers = nn.ModuleDict()
        channels = {"input": INPUT[0]}
        for item in graph.items:
            if item.kind == "conv2d":
                self.layers[item.name] = nn.Conv2d(channels[item.reads[0]], item.channels[0], 1, bias=False)
            elif item.kind == "group_norm":
                self.layers[item.name] = nn.GroupNorm(1, item.channels[0])
            channels |= item.tensors

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        tensors = {"input": x}
        del x
        last = {read: item.name for item in self.graph.items for read in item.reads}
        for item in self.graph.items:
            arrived = [tensors[read] for read in item.reads]
            if item.kind == "split":
                tensors |= zip(item.tensors, torch.split(arrived[0], list(item.channels), dim=1), strict=True)
            else:
                tensors[item.name] = self.one(item, arrived)
            del arrived
            for tensor in list(tensors):
                if last.get(tensor, item.name) == item.name and tensor not in self.graph.outputs:
                    del tensors[tensor]
        return [tensors[name] for name in self.graph.outputs]

    def one(self, item: Item, arrived: list[torch.Tensor]) -> torch.Tensor:
        """What one layer gives."""
        if item.name in self.layers:
            return self.layers[item.name](arrived[0])
        if item.kind == "concat":
            return torch.cat(arrived, dim=1)
        if item.kind == "multiply":
            return arrived[0] * arrived[1]
        if item.kind == "add":
            total = arrived[0] + arrived[1]
            return total + arrived[2] if len(arrived) > 2 else total
        return {"tanh": torch.tanh, "relu": torch.relu}[item.kind](arrived[0])


def peaks(graph: Graph) -> dict[str, int]:
    """The peaks of a training step after zero_grad() and beside the gradients of the step before."""
    net = Net(graph).train()
    optimizer = OPTIMIZERS["sgd"](net.parameters())
    x = torch.zeros(BATCH, *INPUT)
    found = {}
    for name, releases in (("first", True), ("second", True), ("released", True), ("kept", False)):
        optimizer.zero_grad(set_to_none=releases)
        live = LivePeak(iter([x, *standing(net, optimizer)]))
        with live:
            outputs = net(x)
            loss = Loss.apply(*outputs)
            live.backward = True
            loss.backward(torch.empty(0))
            live.backward = False
            optimizer.step()
        del outputs, loss
        found[name] = live.peak
    return {"released": found["released"], "kept": found["kept"]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the peak memory of training steps of random networks.")
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    random = Random(0)
    rows = [{"spec": UNREAD.spec(), **peaks(UNREAD)}]
    while len(rows) < COUNT:
        graph = drawn(random)
        if graph.learns:
            rows.append({"spec": graph.spec(), **peaks(graph)})
    held = json.loads(RECORD.read_text("utf-8"))["cases"] if RECORD.exists() else []
    for number, row in enumerate(rows):
        print(number, row["released"], row["kept"], "as recorded" if row in held else "")
    if arguments.write:
        doc = (
            f"Recorded from PyTorch {torch.__version__} on a CPU by tools/training_graphs.py: the most bytes of live "
            f"storages in one training step at float32 with a batch of {BATCH}, by SGD, after zero_grad() (released) "
            "and beside the gradients of the step before (kept)."
        )
        cases = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        RECORD.write_text(f'{{\n "doc": {json.dumps(doc)},\n "cases": [\n{cases}\n ]\n}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
