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

CONV = "conv2d: {out: 8, k: 3, p: 1}"
BLOCK = f"{{add: {{branches: {{a: [{{{CONV}}}, batch_norm, relu, {{{CONV}}}, batch_norm], b: []}}}}}}"


def networks(layers: int) -> dict[str, str]:
    """Title -> a spec of so many layers."""
    half = f"[{{{CONV}, repeat: {layers // 2}, name: a}}, {{relu: , repeat: {layers // 2}, name: b}}]"
    items = {
        "convolutions, then activations": half,
        "convolutions alone": f"[{{{CONV}, repeat: {layers}, name: a}}]",
        "residual blocks": f"[{{layers: [{BLOCK}, relu], repeat: {layers // 7}, name: s}}]",
    }
    return {title: f"{{convcalc: 1, input: [8, 16, 16], layers: {layers}}}\n" for title, layers in items.items()}


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
