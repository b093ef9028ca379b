"""Run modules that are called several times in PyTorch, and record what they compute and what a training step takes.

python -m tools.shared_weights            prints what is recorded beside what PyTorch gives
python -m tools.shared_weights --write    and writes tests/oracle/shared_weights.json

Needs PyTorch, nothing of convcalc but the specs that say the same, which stand in the record. Numbers of tensors follow
from their order (`pattern`), so that the tests make the same ones. Peaks are those of `tools.training_memory`.
"""

from __future__ import annotations

import argparse
import json
import sys
from math import cos
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.functional import cross_entropy

from tools.training_memory import OPTIMIZERS, LivePeak, standing

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "shared_weights.json"
BATCH = 4


class Heads(nn.Module):
    """One head over two levels of a pyramid."""

    spec = """
convcalc: 1
name: heads
input: {p3: [C, 24, 24], p4: [C, 12, 12]}
blocks:
  head:
    layers:
      - {conv2d: {out: C, k: 3, p: 1}, name: tower}
      - {batch_norm: {}, name: norm}
      - {relu: {}, name: act}
      - {conv2d: {out: C, k: 3, p: 1}, name: last}
      - global_avg_pool
      - flatten
      - {linear: {out: 10}, name: fc}
layers:
  - {head: , name: a, from: p3}
  - {head: , name: b, from: p4, share: a}
"""
    names = ("a.tower", "a.norm", "a.last", "a.fc")
    sizes = (24, 12)

    def __init__(self, c: int) -> None:
        super().__init__()
        self.tower, self.norm = nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c)
        self.last, self.fc = nn.Conv2d(c, c, 3, padding=1), nn.Linear(c, 10)

    def one(self, x: torch.Tensor) -> torch.Tensor:
        x = self.last(F.relu(self.norm(self.tower(x))))
        return self.fc(x.mean((2, 3)))

    def forward(self, p3: torch.Tensor, p4: torch.Tensor) -> list[torch.Tensor]:
        return [self.one(p3), self.one(p4)]


class Recurrent(nn.Module):
    """One unit run six times, then with twice its dilation."""

    spec = """
convcalc: 1
name: recurrent
input: [C, 16, 16]
layers:
  - {layers: [{conv2d: {out: C, k: 3, p: 1}, name: conv}, {tanh: {}, name: act}], name: unit, repeat: 6, share: true}
  - {conv2d: {out: C, k: 3, p: 2, d: 2}, name: wide, share: unit.0.conv}
  - global_avg_pool
  - flatten
  - {linear: {out: 10}, name: fc}
"""
    names = ("unit.0.conv", "fc")
    sizes = (16,)

    def __init__(self, c: int) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(c, c, 3, padding=1), nn.Linear(c, 10)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        for _ in range(6):
            x = torch.tanh(self.conv(x))
        x = F.conv2d(x, self.conv.weight, self.conv.bias, padding=2, dilation=2)
        return [self.fc(x.mean((2, 3)))]


class Siamese(nn.Module):
    """One encoder of two images."""

    spec = """
convcalc: 1
name: siamese
input: {left: [C, 20, 20], right: [C, 20, 20]}
blocks:
  encoder:
    layers:
      - {conv2d: {out: C, k: 3, s: 2}, name: first}
      - {prelu: {}, name: act}
      - {conv2d: {out: C, k: 3}, name: second}
      - global_avg_pool
      - flatten
layers:
  - {encoder: , name: a, from: left}
  - {encoder: , name: b, from: right, share: a}
  - {concat: {}, from: [a, b]}
  - {linear: {out: 10}, name: fc}
"""
    names = ("a.first", "a.act", "a.second", "fc")
    sizes = (20, 20)

    def __init__(self, c: int) -> None:
        super().__init__()
        self.first, self.act = nn.Conv2d(c, c, 3, stride=2), nn.PReLU()
        self.second, self.fc = nn.Conv2d(c, c, 3), nn.Linear(2 * c, 10)

    def encoder(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.act(self.first(x))).mean((2, 3))

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> list[torch.Tensor]:
        return [self.fc(torch.cat([self.encoder(left), self.encoder(right)], 1))]


class Autoencoder(nn.Module):
    """A transposed convolution with the weight of a convolution, and a bias of its own."""

    spec = """
convcalc: 1
name: autoencoder
input: [C, 20, 20]
layers:
  - {conv2d: {out: C, k: 3, s: 2, p: 1}, name: encoder}
  - tanh
  - {conv_transpose2d: {out: C, k: 3, s: 2, p: 1}, name: decoder, share: {weight: encoder}}
  - global_avg_pool
  - flatten
  - {linear: {out: 10}, name: fc}
"""
    names = ("encoder", "decoder", "fc")
    sizes = (20,)

    def __init__(self, c: int) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Conv2d(c, c, 3, 2, 1), nn.ConvTranspose2d(c, c, 3, 2, 1)
        self.decoder.weight = self.encoder.weight
        self.fc = nn.Linear(c, 10)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [self.fc(self.decoder(torch.tanh(self.encoder(x))).mean((2, 3)))]


class Tokens(nn.Module):
    """The table of an embedding, with which two heads multiply: one with a bias, called twice, and one without."""

    spec = """
convcalc: 1
name: tokens
input: [96]
layers:
  - {embedding: {embedding_dim: C, num_embeddings: 40}, name: tokens}
  - {linear: {out: C, dim: last}, name: mix}
  - {mean: {dim: 0}, name: pooled}
  - {linear: {out: 40}, name: head, share: {weight: tokens}}
  - {tanh: {}, name: act, from: pooled}
  - {linear: {out: 40}, name: again, share: head}
  - {linear: {out: 40, bias: false}, name: plain, from: pooled, share: tokens}
outputs: [head, again, plain]
"""
    names = ("tokens", "mix", "head")
    sizes = (96,)
    rows = 40

    def __init__(self, c: int) -> None:
        super().__init__()
        self.tokens, self.mix, self.head = nn.Embedding(40, c), nn.Linear(c, c), nn.Linear(c, 40)
        self.head.weight = self.tokens.weight

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.mix(self.tokens(x.long())).mean(1)
        return [self.head(x), self.head(torch.tanh(x)), F.linear(x, self.tokens.weight)]


CASES = (Heads, Recurrent, Siamese, Autoencoder, Tokens)
SMALL, LARGE = 3, 64
"""Channels of the runs whose numbers are recorded, and of those whose peaks are."""


def pattern(shape: tuple[int, ...], number: int) -> torch.Tensor:
    """The numbers of tensor `number`: 0.3 cos(0.37 i + number) at the i-th place."""
    count = torch.Size(shape).numel()
    return torch.tensor([0.3 * cos(0.37 * i + number) for i in range(count)], dtype=torch.float64).reshape(shape)


def example(case: Any, number: int, batch: int, channels: int) -> torch.Tensor:
    """Input `number` of a case: numbers, or the rows of a table."""
    size = case.sizes[number]
    if not hasattr(case, "rows"):
        return pattern((batch, channels, size, size), 100 + number)
    return (torch.arange(batch * size, dtype=torch.float64) * 7 % case.rows).reshape(batch, size)


def values(case: Any) -> dict[str, Any]:
    """What a module gives in training mode, and the gradients of the sum of its outputs times a pattern."""
    module = case(SMALL).double().train()
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            parameter.copy_(pattern(tuple(parameter.shape), number))
    inputs = [example(case, number, 2, SMALL) for number in range(len(case.sizes))]
    outputs = module(*inputs)
    sum((output * pattern(tuple(output.shape), 200 + n)).sum() for n, output in enumerate(outputs)).backward()
    return {
        "outputs": [output.flatten().tolist() for output in outputs],
        "gradients": {name: p.grad.flatten().tolist() for name, p in module.named_parameters()},
    }


def peaks(case: Any, optimizer_name: str) -> dict[str, Any]:
    """The peaks of a training step after zero_grad() and beside the gradients of the step before."""
    module = case(LARGE).train()
    optimizer = OPTIMIZERS[optimizer_name](module.parameters())
    inputs = [example(case, number, BATCH, LARGE).float() for number in range(len(case.sizes))]
    targets = torch.zeros(BATCH, dtype=torch.long)
    found = {}
    for name, releases in (("first", True), ("second", True), ("released", True), ("kept", False)):
        optimizer.zero_grad(set_to_none=releases)
        live = LivePeak(iter([*inputs, targets, *standing(module, optimizer)]))
        with live:
            outputs = module(*inputs)
            loss = sum(cross_entropy(output, targets) for output in outputs)
            live.backward = True
            loss.backward()
            live.backward = False
            optimizer.step()
        del outputs, loss
        found[name] = live.peak
    return {"optimizer": optimizer_name, "released": found["released"], "kept": found["kept"]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Record what modules compute that are called several times.")
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for case in CASES:
        row = {
            "spec": case.spec,
            "layers": case.names,
            "params": sum(p.numel() for p in case(LARGE).parameters()),
            "peaks": [peaks(case, optimizer) for optimizer in OPTIMIZERS],
            **values(case),
        }
        rows.append(row)
        print(case.__name__, row["params"], row["peaks"])
    if arguments.write:
        doc = (
            f"Recorded from PyTorch {torch.__version__} on a CPU by tools/shared_weights.py: outputs and gradients in "
            f"float64 with {SMALL} channels and a batch of 2, peaks of a training step at float32 with {LARGE} "
            f"channels and a batch of {BATCH}."
        )
        cases = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        RECORD.write_text(f'{{\n "doc": {json.dumps(doc)},\n "cases": [\n{cases}\n ]\n}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
