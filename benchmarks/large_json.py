"""`convcalc table --format json` of large networks, and specs that are refused: CPU time and peak memory.

    python -m benchmarks.large_json [--layers 250000] [--rounds 3]

Times are the least of the rounds, in user mode: others at work beside it change them least. The output is discarded.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

CONV, UP = "conv2d: {out: 8, k: 3, p: 1}", "conv_transpose2d: {out: 8, k: 3, p: 1}"
BODY = f"{{{CONV}}}, batch_norm, relu, {{{CONV}}}, batch_norm"
BRANCHES = (
    "a: [{conv2d: {out: 2, k: 1}}, relu]",
    "b: [{conv2d: {out: 4, k: 1}}, relu, {conv2d: {out: 2, k: 3, p: 1}}, relu]",
    "c: [{conv2d: {out: 2, k: 5, p: 2}}, relu]",
    "d: [{max_pool2d: {k: 3, s: 1, p: 1}}, {conv2d: {out: 2, k: 1}}]",
)
UNITS = {
    "residual blocks": (7, f"{{add: {{branches: {{a: [{BODY}], b: []}}}}}}, relu"),
    "depthwise separable convolutions": (
        6,
        "{conv2d: {out: 8, k: 3, p: 1, groups: 8}}, batch_norm, relu, {conv2d: {out: 8, k: 1}}, batch_norm, relu",
    ),
    "branches side by side": (11, f"{{concat: {{branches: {{{', '.join(BRANCHES)}}}}}}}"),
    "down and up": (4, "{conv2d: {out: 8, k: 2, s: 2}}, relu, {conv_transpose2d: {out: 8, k: 2, s: 2}}, relu"),
    "named, and read by name": (
        5,
        f"{{{CONV}, name: one}}, {{batch_norm: , name: norm}}, {{relu: , name: act}}, {{{CONV}, name: two}}, "
        "{add: , from: [two, one], name: sum}",
    ),
}
"""Title -> how many layers a unit has, and its items; it is repeated."""
SIZES = 0.24
"""The share of layers that may have a size of their own: each takes more steps than one that is like others."""
ITEMS = 0.79
"""The same of items that are written one by one, of the nodes that a file may have."""


def networks(layers: int) -> dict[str, str]:
    """Title -> a spec of so many layers."""
    sizes, written, half = int(SIZES * layers), int(ITEMS * layers), layers // 2
    chain = f"[{{conv1d: {{out: 1, k: 2}}, repeat: {sizes}, name: a}}, {{relu: , repeat: {layers - sizes}, name: b}}]"
    items = {
        "convolutions, then activations": f"[{{{CONV}, repeat: {half}, name: a}}, {{relu: , repeat: {half}, name: b}}]",
        "convolutions alone": f"[{{{CONV}, repeat: {layers}, name: a}}]",
        "transposed convolutions": f"[{{{UP}, repeat: {layers}, name: a}}]",
        **{
            title: f"[{{layers: [{unit}], repeat: {layers // count}, name: s}}]"
            for title, (count, unit) in UNITS.items()
        },
        f"{written:,} items, written one by one": f"[{', '.join(['relu'] * written)}]",
    }
    specs = {title: f"{{convcalc: 1, input: [8, 16, 16], layers: {found}}}\n" for title, found in items.items()}
    return {**specs, f"{sizes:,} of different sizes": f"{{convcalc: 1, input: [1, {layers}], layers: {chain}}}\n"}


def refused() -> dict[str, str]:
    """Title -> a spec that asks for more than it may."""
    variants = ", ".join(f"v{n}: {{n: {200_000 - n}}}" for n in range(200))
    rows = ", ".join(f"r.{n}: [{', '.join(['0'] * 100)}]" for n in range(900))
    columns = ", ".join(f"c{n}: {{value: params}}" for n in range(100))
    one, wide = "{convcalc: 1, input: [8, 8]", "{conv1d: {out: 8, k: 1}, name: r, repeat"
    deep = "{relu: , when: index < 0}"
    for _ in range(4):
        deep = f"{{layers: [{deep}], repeat: n}}"
    return {
        "200 variants of 200,000 layers": f"{one}, params: {{n: 1}}, variants: {{{variants}}}, layers: [{wide}: n}}]}}",
        "90,000 printed cells": f"{one}, layers: [{wide}: 1000}}], "
        f"published: {{title: T, columns: {{{columns}}}, rows: {{{rows}}}}}}}",
        "250,000 different shapes": "{convcalc: 1, input: [1, 300000], "
        "layers: [{conv1d: {out: 1, k: 2}, repeat: 250000}]}",
        "repetitions in repetitions": f"{one}, params: {{n: 90}}, layers: [{deep}]}}",
        "1,000 claims": f"{one}, layers: [{wide}: 200000}}], "
        f"expect: [{', '.join(f'{{params: 0, batch: {n + 1}}}' for n in range(1000))}]}}",
        "a line of 7.9 MB": f"{one}, layers: [{'x' * 7_900_000}]}}",
    }


def measured(arguments: list[str], rounds: int) -> tuple[float, int]:
    """(least user CPU seconds, peak MiB) of a call of the program."""
    seconds, peak = float("inf"), 0
    for _ in range(rounds):
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "convcalc", *arguments],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)],
        )
        _, _, usage = os.wait4(child, 0)
        seconds, peak = min(seconds, usage.ru_utime), max(peak, usage.ru_maxrss // 1024)
    return seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layers", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spec.yaml")
        for heading, specs, call in (
            (f"table --format json of {asked.layers:,} layers", networks(asked.layers), ("table", "--format", "json")),
            ("check of a spec that is refused", refused(), ("check",)),
        ):
            print(f"{heading:44} user CPU     peak")
            for title, text in specs.items():
                path.write_text(text, encoding="utf-8")
                seconds, peak = measured([call[0], str(path), *call[1:]], asked.rounds)
                print(f"  {title:42} {seconds:6.2f} s  {peak:4} MiB")


if __name__ == "__main__":
    main()
