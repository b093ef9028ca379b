"""Command lines that read one spec, drawn so that every command, format and option has its share."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from convcalc.analysis.quantities import QUANTITY_NAMES
from convcalc.cli.output import FORMATS

SPEC = "-"
QUANTITIES = tuple(QUANTITY_NAMES)
TARGETS = ("torch", "torch", "keras", "keras", "onnx", "mermaid", "dot", "svg", "svg")
DTYPES = ("float32", "float16", "bfloat16", "float64", "int8")


def form(random: Random, command: str) -> list[str]:
    """A format that the command offers."""
    return ["--format", random.choice(FORMATS[command])]


def _some(random: Random, options: dict[str, tuple[str, ...]], chance: float = 0.12) -> list[str]:
    """Each option at this chance with one of its values; an empty value stands for a flag."""
    found = []
    for option, values in options.items():
        if random.random() < chance:
            said = random.choice(values)
            found += [option, said] if said else [option]
    return found


COUNTS = {"--batch": ("1", "32", "9223372036854775807"), "--dtype": DTYPES, "--optimizer": ("sgd", "adam", "momentum")}
DEVICE = {"--device": ("k80", "a100", "10TFLOP/s,400GB/s")}
NETWORK = {"--input": ("3,8,8", "3,16,16", "1,32", "3"), "--set": ("p0=2", "word=b"), "--variant": ("same", "plain")}
"""Options that give another network."""


def _check(random: Random) -> list[str]:
    return _some(random, {"--advice": ("",), "--strict": ("",), "--dtype": DTYPES, "--batch": ("2", "64")}, 0.3)


def _table(random: Random) -> list[str]:
    options = {"--by": ("layer", "stage"), "--depth": ("1", "2", "all"), "--exact": ("",), "--legend": ("",)}
    options |= {"--top": ("1", "5"), "--sort": ("params", "macs"), "--plot": ("macs", "params", "receptive_field")}
    columns = ",".join(random.sample(QUANTITIES, random.randint(1, 6)))
    return _some(random, {**options, "--columns": (columns,), "--layers": ("",), **COUNTS, **DEVICE})


def _explain(random: Random) -> list[str]:
    layer = random.choice(([], [], ["total"], ["conv2d"], ["n0"], ["n1"], ["relu"]))
    numbers = dict.fromkeys(("--matrix", "--backward", "--flip", "--shift"), ("",))
    shown = (
        _some(random, numbers, 0.4) if random.random() < 0.5 else _some(random, {"--at": ("0", "0,0", "1,2", "99,99")})
    )
    return [*layer, *shown, *_some(random, {**COUNTS, **DEVICE})]


def _sizes(random: Random) -> list[str]:
    return _some(random, {"--from": ("1", "7", "200"), "--to": ("64", "300", "4096"), "--all": ("",)}, 0.3)


def _verify(random: Random) -> list[str]:
    options = {"--backward": ("",), "--all": ("",), "--seed": ("1",), "--dtype": ("float16", "float64")}
    quick = ["--quick"] if random.random() < 0.7 else []
    return ["--max-memory", "50M", *quick, *_some(random, {**options, "--batch": ("2",)}, 0.25)]


def _invert(random: Random) -> list[str]:
    return _some(random, {"--resize": ("",), "--skips": ("",), "--until": ("n0", "relu", "conv2d")}, 0.25)


def _export(random: Random) -> list[str]:
    target = random.choice(TARGETS)
    weights = ["--weights", "seeded"] if target == "onnx" and random.random() < 0.3 else []
    return ["--to", target, *weights, *_some(random, {"--by": ("layer", "stage")})]


def _diff(random: Random) -> list[str]:
    limits = ("params=1%", "macs=10", "flops=0%", "live=5%")
    return [
        random.choice(("lenet5", "teaching_dilated", "conv_autoencoder")),
        *_some(random, {"--fail-over": limits}, 0.3),
    ]


def _draw(random: Random) -> list[str]:
    layer = random.choice(([], ["conv2d"], ["n0"], ["n1"], ["total"]))
    options = {
        "--steps": ("",),
        "--matrix": ("",),
        "--step": ("1", "2", "999"),
        "--dims": ("1", "2"),
        "--size": ("5", "9"),
    }
    return [*layer, *_some(random, options, 0.2)]


def _report(random: Random) -> list[str]:
    return [
        "-o",
        "-",
        *_some(random, {"--against": ("lenet5", "teaching_dilated")}),
        *_some(random, {**COUNTS, **DEVICE}),
    ]


def _arena(random: Random) -> list[str]:
    return _some(random, {"--batch": ("2", "9223372036854775807"), "--dtype": DTYPES}, 0.2)


def _forensics(random: Random) -> list[str]:
    return _some(random, {"--all": ("",), "--top": ("1", "99"), "--width": ("conv2d=1..8", "n0=2..3")}, 0.3)


OPTIONS: dict[str, tuple[int, Callable[[Random], list[str]]]] = {
    "check": (5, _check),
    "table": (4, _table),
    "export": (4, _export),
    "explain": (2, _explain),
    "sizes": (1, _sizes),
    "verify": (1, _verify),
    "invert": (2, _invert),
    "diff": (1, _diff),
    "draw": (1, _draw),
    "report": (1, _report),
    "arena": (1, _arena),
    "forensics": (1, _forensics),
}
"""Command -> its share, and its options beside the spec."""
_DRAWN = tuple(command for command, (share, _) in OPTIONS.items() for _ in range(share))


def on_spec(random: Random, spec: str = SPEC) -> tuple[str, ...]:
    """A command line that reads the spec."""
    command = random.choice(_DRAWN)
    shown = form(random, command) if command in FORMATS and random.random() < 0.7 else []
    network = _some(random, NETWORK, 0.03) if command != "check" else []
    return (command, spec, *OPTIONS[command][1](random), *shown, *network)
