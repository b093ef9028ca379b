"""Sweeps: axes on the command line, plans in files, and files of measured figures that are joined."""

from __future__ import annotations

import csv
import io
import json
from random import Random

from convcalc.cli.output import FORMATS

from ..case import Case
from . import words
from .commands import QUANTITIES
from .mutations import changed_bytes, changed_text

SPEC = (
    b"convcalc: 1\nname: Net\ninput: [3, 16, 16]\nparams: {width: 4, depths: [1, 2], act: relu, drop: 0.5}\n"
    b"variants: {wide: {width: 8}, odd: {act: gelu}}\nlayers:\n"
    b"  - {conv2d: {out: width, k: 3, s: 2}, name: conv1}\n  - {relu: {}, when: act == 'relu'}\n"
    b"  - {repeat: 'depths[1]', layers: [{conv2d: {out: 2 * width, k: 3, p: 1}}, relu]}\n"
    b"  - {dropout: {p: drop}}\n  - flatten\n  - {linear: {out: 5}, name: fc}\n"
)
AXES: dict[str, tuple[str, ...]] = {
    "width": (
        "2:8:2",
        "1,2,4",
        "2:8",
        "4",
        "2,x",
        "8:2",
        "1:9:0",
        "1,1",
        "",
        "[2]",
        "0:3",
        "-1,2",
        "2:64:1,log",
        "1/2,2",
    ),
    "depths": ("[1,2],[2,1]", "[1,1]", "[1,1],[3,1]", "[]", "[[1],2]", "1,2", "[1,2", "[1],[1,2,3]"),
    "depths[1]": ("1:3", "1,2", "2", "0:2", "x"),
    "act": ("relu,gelu", "relu", "'relu',\"gelu\"", "none,1", "relu,relu"),
    "drop": ("0.1,0.5", "0:0.9:0.3", "1/3", "1e-3", "2"),
    "variant": ("wide,odd", "wide", "wide", "wide,x"),
    "input[1]": ("16", "8,16", "1,2"),
    "depths[9]": ("1,2",),
    "batch": ("1,2",),
}
"""Name of an axis -> what it may go through, the first three of it most often; few, for each candidate is a network."""
ODD = ("input[1]", "depths[9]", "batch")
GOOD = 3
"""How many of what may be said go well together."""
LETS = (
    "_x=2*width",
    "_y=width//2+1",
    "_z=[w for w in depths]",
    "depths[0]=width//2",
    "width=9",
    "_y=1/0",
    "_x=",
    "1=2",
    "_x=_x",
)
REQUIRES = ("width<6", "act=='relu'", "len(depths)==2", "width", "_x>4", "1/0", "x", "depths[5]")
WHERES = (
    "macs<=1M",
    "params>=1",
    "1K<params<=9K",
    "conv1.macs<99K",
    "lat<2",
    "macs=5",
    "",
    "x<1",
    "lat<x",
    "peak_memory<=1MiB",
)
NEARS = ("macs=40K,50%", "params=2K,1%", "macs=9K,5%", "macs=1", "lat=1,5%", "x=1,1")
ORDERS = (*QUANTITIES, "lat", "max:lat", "-macs", "width", "x", "")
SORTS = ("macs", "params", "-params", *ORDERS)
FRONTS = ("params,macs", "macs,max:depth", "params,-macs", "lat,macs", "params,params", "x,y")
COLUMNS = ("params,macs", "receptive_field,macs", "conv1.macs,params", "params,params", "x", "lat", "width,macs", ",")
MEASURED = ("lat", "lat", "board", "macs", "measured_macs", "widht", "", "a" * 200, "\u202e", "lat ms")
NUMBERS = ("1", "2.5", "1e-3", "", "-0", "x", "nan", "inf", "1e999", "0x1", "9" * 40, "1,5", "1_0", " 3 ", "1e99", "٣")
ENDS = (b'"', b'"' + b"a" * 300_000, b'1,"2\n' * 999, b"\0", b"\xff", b'"a"b\n', b",,,,\n" * 9999)
"""What spoils the end of a file."""
PLAN_KEYS = (
    "title",
    "description",
    "source",
    "notes",
    "variant",
    "device",
    "sort",
    "minimize",
    "x",
    "join",
    "spec",
    "sweep",
)


def case(random: Random) -> Case:
    """A sweep of a small spec, of few candidates; more often than not of what goes together."""
    calm = random.random() < 0.6
    axes = drawn(random, calm)
    files = {"a.yaml": SPEC}
    given: list[str] = []
    if random.random() < 0.6:
        files["times.csv"] = table(random, axes, calm)
        given += ["--join", "times.csv"]
    given += [word for option, value in said(random, calm) for word in (f"--{option}", value)]
    given += shown(random, calm)
    if random.random() < 0.4:
        files["plan.yaml"] = plan(random, axes, calm)
        return Case(("sweep", "plan.yaml", *given), files=files, ci=random.random() < 0.5)
    ranged = not calm and random.random() < 0.3
    for name, value in axes.items():
        given = ["--range" if ranged else "--grid", f"{name}={value}", *given]
    return Case(("sweep", "a.yaml", *given), files=files, ci=random.random() < 0.5)


def one(random: Random, choices: tuple[str, ...], calm: bool) -> str:
    """One of the choices; where all is to go together, one of the first."""
    return random.choice(choices[:GOOD] if calm else choices)


def drawn(random: Random, calm: bool) -> dict[str, str]:
    """Some axes, each with one of the things that it may go through."""
    names = [name for name in AXES if not (calm and name in ODD)]
    chosen = [random.choice((*["width"] * 6, *names)) for _ in range(random.choice((1, 1, 2)))]
    if {"depths", "depths[1]"} <= {*chosen}:
        chosen.remove("depths[1]")
    return {name: one(random, AXES[name], calm) for name in chosen}


def said(random: Random, calm: bool) -> list[tuple[str, str]]:
    """Words beside the axes, by the names of their options."""
    options = {
        "let": LETS,
        "require": REQUIRES,
        "where": WHERES,
        "near": NEARS,
        "pareto": FRONTS,
        "minimize": SORTS,
        "sort": SORTS,
        "columns": COLUMNS,
    }
    return [(name, one(random, choices, calm)) for name, choices in options.items() if random.random() < 0.12]


def shown(random: Random, calm: bool) -> list[str]:
    """How much of what was found is shown, and in which format."""
    found = ["--exact"] if random.random() < 0.1 else []
    if random.random() < 0.15:
        found += ["--random", random.choice(("1", "3", "5"))]
    if random.random() < 0.12:
        found += ["--plot", random.choice(("params,macs", "macs,lat", "width,macs", "params", "x,y"))]
    if random.random() < 0.6 and not (calm and "--plot" in found):
        found += ["--format", random.choice(FORMATS["sweep"])]
    return found


def table(random: Random, axes: dict[str, str], calm: bool) -> bytes:
    """A file of measured figures: its key, what was measured, rows; damaged by chance."""
    keys = [*axes] if calm or random.random() < 0.9 else ["height", *axes]
    measured = MEASURED if calm is False and random.random() < 0.3 else MEASURED[:GOOD]
    names = list(dict.fromkeys((*keys, *[random.choice(measured) for _ in range(random.choice((1, 1, 2)))])))
    if not calm and random.random() < 0.1:
        names += random.choice((names[:1], [f"c{number}" for number in range(random.choice((150, 300, 20_000)))]))
    lines = [names]
    for number in range(random.choice((0, 1, 3, 4, 8, 40))):
        key = [str(number + 1), *[axes.get(name, "1").rpartition(",")[2] for name in keys[1:]]]
        row = [*key, *[figure(random, calm) for _ in names[len(key) :]]]
        lines.append(row if calm or random.random() < 0.97 else row[:-1] + row[:1] * random.choice((0, 2)))
    text = io.StringIO()
    csv.writer(text, lineterminator=random.choice(("\n", "\n", "\r\n", "\r"))).writerows(lines)
    data = random.choice(("", "", "\ufeff")).encode() + text.getvalue().encode("utf-8", "replace")
    chance = 1.0 if calm else random.random()
    if chance < 0.3:
        return changed_bytes(random, data)
    return data + random.choice(ENDS) if chance < 0.45 else data


def figure(random: Random, calm: bool) -> str:
    """What was measured, or what else stands there."""
    return random.choice(NUMBERS[:4] if calm or random.random() < 0.9 else (*NUMBERS, *words.TEXTS))


def plan(random: Random, axes: dict[str, str], calm: bool) -> bytes:
    """A plan in a file: words of the language of plans, with texts and trees behind them."""
    spec = one(random, ("a.yaml", "a.yaml", "./a.yaml", "lenet5", "../a.yaml", "plan.yaml", "x"), calm)
    lines = ["sweep: 1", f"spec: {spec}", "grid:" if calm else random.choice(("grid:", "grid:", "range:"))]
    lines += [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in axes.items()]
    for name, value in said(random, calm):
        lines.append(f"{name}: {{{value.replace('=', ': ', 1)}}}" if name == "let" else f"{name}: {json.dumps(value)}")
    keys = random.sample(PLAN_KEYS[:4] if calm else PLAN_KEYS, random.choice((0, 0, 1, 2)))
    lines += [f"{key}: {words.quoted(words.text(random, 0.6))}" for key in keys]
    text = "\n".join(lines) + "\n"
    if not calm and random.random() < 0.4:
        text = changed_text(random, text, (*words.SYNTAX, *words.INVISIBLE, *words.COMMANDS, *words.MARKUP))
    return text.encode("utf-8", "surrogatepass")
