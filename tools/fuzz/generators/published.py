"""Printed tables and claims: cells in every form, readings that fit and that do not, on a few small networks."""

from __future__ import annotations

from random import Random
from typing import Any

from convcalc.language.published import ROUNDINGS

from ..case import Case
from . import commands, words
from .commands import QUANTITIES
from .specs import as_block, expectation

NETWORKS = (
    "input: [1, 32, 32]\nlayers:\n  - {conv2d: {out: 6, k: 5}, name: C1}\n  - {avg_pool2d: {k: 2}, name: S2}\n"
    "  - {conv2d: {out: 16, k: 5}, name: C3}\n",
    "input: [3, 16, 16]\nparams: {width: 4}\nvariants: {wide: {width: 8}}\nblocks:\n"
    "  unit: {params: [c], layers: [{conv2d: {out: c, k: 3, p: 1}}, batch_norm, relu]}\n"
    "layers:\n  - {unit: [width], name: C1, repeat: 2}\n  - {max_pool2d: {k: 2}, name: S2}\n  - flatten\n"
    "  - {linear: {out_features: 10}, name: fc}\n",
    "input: [4, 9]\nlayers:\n  - {conv1d: {out: 8, k: 3, s: 2}, name: C1}\n"
    "  - {concat: {branches: {a: [], b: [relu]}}, name: S2}\noutputs: [S2]\n",
    "input: [5]\nlayers: [{linear: {out: 3}, name: C1}]\n",
)
"""What the tables are about."""
PATHS = (
    "C1",
    "S2",
    "C3",
    "fc",
    "input",
    "total",
    "C1.*",
    "**",
    "C1..S2",
    "C1.0.conv2d",
    "*",
    "",
    "x",
    "a.b.c",
    "C1..",
    "..",
)
PARTS = (
    "macs",
    "params",
    "C1.patch",
    "C1.out_channels",
    "repeats",
    "C1.stride:h",
    "kernel_size:w",
    "output:c",
    "x",
    "",
)
SUFFIXES = ("K", "M", "%", "k", "", "·10^6", "e3", "(M)", "\u202eK")
DIVISORS = ("1000", "1024", "1000000", "total", "0", "0.5", "-1", "1e3", "9" * 19, "9" * 20, "1.000000001", "x", "")
SHAPES = ("{c}@{h}x{w}", "{h}×{w}×{c}", "{h} x {w}", "{k}/{s}", "{d}{l}", "{", "}", "{x}", "{h:w}", "{{h}}", "")
COMMANDS = (
    ("check", "-"),
    ("table", "-", "--published"),
    ("forensics", "-", "--all"),
    ("forensics", "-"),
    ("table", "-"),
    ("explain", "-", "total"),
    ("diff", "-", "lenet5"),
)


def case(random: Random) -> Case:
    """A spec with claims and printed tables, and a command that compares them."""
    command = random.choice(COMMANDS[:3] if random.random() < 0.8 else COMMANDS)
    if random.random() < 0.7:
        command = (*command, *commands.form(random, command[0]))
    if command[0] == "check" and random.random() < 0.3:
        command = (*command, random.choice(("--advice", "--strict", "--batch=2")))
    text = spec(random).encode("utf-8", "replace")
    if command[0] == "check" and random.random() < 0.05:
        return Case(("check", "--update", "a.yaml"), files={"a.yaml": text}, ci=random.random() < 0.5, spec="a.yaml")
    return Case(command, text, ci=random.random() < 0.5, spec="-")


def spec(random: Random) -> str:
    """A network with claims, printed tables or both."""
    sections = ""
    if random.random() < 0.85:
        tables = [table(random) for _ in range(random.choice((1, 1, 1, 2)))]
        sections += f"published: {as_block(random, tables, 1)}\n"
    if not sections or random.random() < 0.3:
        sections += f"expect: {as_block(random, expectation(random, (3,)), 1)}\n"
    return f"convcalc: 1\nname: {words.quoted(words.text(random))}\n{random.choice(NETWORKS)}{sections}"


def table(random: Random) -> dict[str, Any]:
    """A table whose rows have a cell for each column, most of them."""
    names = random.sample(
        ("size", "parameters", "#", "×", "a b", "x" * 50, words.text(random, 1)), random.randint(1, 4)
    )
    columns: dict[str, Any] = {name: None if random.random() < 0.1 else reading(random, "value") for name in names}
    rows = {path: row(random, len(columns)) for path in random.sample(PATHS[:5], random.randint(1, 4))}
    made: dict[str, Any] = {"title": words.text(random), "columns": columns, "rows": rows}
    if random.random() < 0.2:
        made |= reading(random)
    if random.random() < 0.2:
        made[random.choice(("source", "note"))] = words.text(random, 0.6)
    if random.random() < 0.3:
        made["differs"] = [difference(random, names, list(rows)) for _ in range(random.randint(1, 3))]
    if random.random() < 0.1:
        made["also"] = [{**reading(random), "row": random.choice([*rows, "x"])}]
    return made


def row(random: Random, count: int) -> Any:
    """A row, as its cells alone or with readings of its own."""
    count += random.choice((0,) * 30 + (-1, 1))
    cells: list[Any] = [cell(random) for _ in range(count)]
    if random.random() < 0.7:
        return cells
    label = {"label": words.text(random)} if random.random() < 0.5 else {}
    return {"cells": cells, **label, **reading(random)}


def cell(random: Random) -> Any:
    """A cell, as its text alone or with a reading of its own."""
    return printed(random) if random.random() < 0.85 else {"text": printed(random), **reading(random)}


def printed(random: Random) -> str:
    """A number, a shape or a window in one of the forms in which papers print them; or a text."""
    whole, part = random.choice((0, 1, 6, 28, 156, 2416, 6998552, 10**18, 10**30)), random.randrange(1000)
    chance = random.random()
    if chance < 0.35:
        number = random.choice(
            (f"{whole}", f"{whole:,}", f"{whole}.{part}", f"{whole:_}", f"{whole / 7:.3g}", f".{part}")
        )
        before = random.choice(("", "", "", "~", "<", "-", "+", "$", "("))
        after = random.choice(("", "", " ", *SUFFIXES))
        return f"{before}{number}{after}"
    if chance < 0.55:
        a, b = random.choice((5, 28, 14)), random.choice((5, 28, 14))
        return random.choice((f"6@{a}x{b}", f"{a}×{b}×6", f"{a}", f"({a}, {b})", f"{a}×{b}/2", f"[{a}×{a}, 6]×2"))
    if chance < 0.62:
        return random.choice(
            ("0." + "3" * random.choice((5, 400, 5000)), "9" * random.choice((5, 400, 5000)), "1e400", "٣")
        )
    return "" if chance < 0.75 else words.text(random, 0.8)


def reading(random: Random, *needed: str) -> dict[str, Any]:
    """How a cell is read: what is needed, and more by chance."""
    makers: dict[str, Any] = {
        "value": lambda: value(random),
        "at": lambda: random.choice(PATHS),
        "unit": lambda: {
            random.choice(SUFFIXES[:3] if random.random() < 0.8 else SUFFIXES): random.choice(
                DIVISORS[:4] if random.random() < 0.8 else DIVISORS
            )
        },
        "round": lambda: random.choice((*ROUNDINGS, *ROUNDINGS, "x")),
        "format": lambda: random.choice(SHAPES),
        "variant": lambda: random.choice(("wide", "x")),
        "with": lambda: {"width": random.choice((8, "a", "9" * 30))},
        "input": lambda: random.choice(([3, 8, 8], [1, 32, 32], [0], [2**63], [])),
        "spec": lambda: random.choice(
            (None, "lenet5", "teaching_dilated", "x", "a.yaml", "../a.yaml", "/dev/zero.yaml")
        ),
        "widths": lambda: {random.choice(PATHS): random.choice((1, 8, 0, "a", 2**62))},
    }
    chances = {"unit": 0.25, "at": 0.15, "round": 0.15, "format": 0.15}
    return {key: make() for key, make in makers.items() if key in needed or random.random() < chances.get(key, 0.04)}


def value(random: Random) -> str | None:
    """A quantity, a sum of them, or a text that holds several."""
    chance = random.random()
    name = random.choice(QUANTITIES)
    if chance < 0.6:
        return name
    if chance < 0.75:
        return f"{name} + {random.choice(QUANTITIES)}"
    if chance < 0.9:
        return "".join(
            [
                f"{{{random.choice(PARTS[:8])}}}{random.choice(('', ' ', '×', '[', '/'))}"
                for _ in range(random.randint(1, 3))
            ]
        )
    return random.choice(
        (None, f"C1.{name}", f"{name} +", f"{{{name}", f"{{{random.choice(PARTS)}}}", words.text(random, 1))
    )


def difference(random: Random, columns: list[str], rows: list[str]) -> dict[str, Any]:
    """A cell that is known to differ."""
    made: dict[str, Any] = {"row": random.choice([*rows, "x"]), "column": random.choice([*columns, "x"])}
    made["reason"] = words.text(random)
    if random.random() < 0.4:
        made |= random.choice(
            (reading(random, "variant"), {"reading": reading(random, "value")}, {"with": {"width": "9"}})
        )
    return made
