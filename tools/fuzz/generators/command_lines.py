"""Command lines: every command with its options, read from the program itself, and values of each sort."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import NamedTuple

import typer.core
from typer.core import TyperOption

from convcalc.cli.app import build_program
from convcalc.cli.commands import COMMANDS
from convcalc.cli.output import FORMATS

from ..case import Case
from . import words
from .commands import DTYPES, QUANTITIES, TARGETS
from .mutations import changed_text

SPEC = (
    b"convcalc: 1\nname: Net\ninput: [3, 16, 16]\nparams: {width: 4, act: relu}\nvariants: {wide: {width: 8}}\n"
    b"layers:\n  - {conv2d: {out: width, k: 3, s: 2}, name: conv1}\n  - {relu: {}, when: act == 'relu'}\n"
    b"  - {max_pool2d: {k: 2}, name: pool}\n  - flatten\n  - {linear: {out: 5}, name: fc}\n"
)
WRONG = SPEC.replace(b"k: 3", b"k: 33")
FILES = {
    "a.yaml": SPEC,
    "wrong.yaml": WRONG,
    "sub/b.yml": SPEC,
    "-x.yaml": SPEC,
    "::error::x.yaml": WRONG,
    "note.txt": b"x",
    "plan.yaml": b"sweep: 1\nspec: a.yaml\ngrid: {width: 2:8:2}\nlet: {_x: 2 * width}\nwhere: macs<=1M\n",
}
SPECS = (
    *("a.yaml", "a.yaml", "a.yaml", "-", "-", "lenet5", "lenet5.yaml", "plan.yaml", "wrong.yaml", "sub/b.yml"),
    *(
        "::error::x.yaml",
        "missing.yaml",
        "lenet",
        ".",
        "sub",
        "note.txt",
        "",
        "/dev/null",
        "/dev/zero",
        "/proc/self/mem",
    ),
    *("x.onnx", "a.yaml/x", "a" * 300, "git:HEAD:a.yaml", "git:::", "git:*:a.yaml", "-x.yaml", "*.yaml", "a.yaml\x00"),
)
ITEMS = (
    "conv2d: {out: 8, k: 3}",
    "relu",
    "linear: {out: 5}",
    "{conv2d: {out: 8, k: 3, s: 2}}",
    "conv2d: {out: x}",
    "add",
)
COUNTS = ("0", "1", "2", "7", "16", "-1", "1.5", "x", "1e3", "٣", "", str(2**63 - 1), str(2**63), "9" * 30, "9" * 4400)
AXES = (
    "3",
    "3x3",
    "3x",
    "3×3",
    "1,2",
    "3,3",
    "3,16,16",
    "1:2",
    "1,1:2",
    "same",
    "3..7",
    "7..3",
    "..",
    ",",
    "1,,2",
    "0",
    "3,0,3",
    "a=3,8,8",
)
SMALL = ("1", "2", "3", "4", "1..3", "2..5", "3,3", "1,2")
LAYERS = ("conv1", "pool", "fc", "total", "relu", "conv", "conv1.x", "*", "")
VALUES: dict[str, tuple[str, ...]] = {
    "--format": tuple(sorted({name for names in FORMATS.values() for name in names})),
    "--to": (*TARGETS, "64", "300"),
    "--from": ("1", "7", "300"),
    "--in": ("9", "224", "28,28", "28x28", "7"),
    "--out": ("5", "112", "14,14", "14x14", "7"),
    "--k": SMALL,
    "--s": SMALL,
    "--p": ("0", "1", "1:2", "0..2", "0,1"),
    "--d": SMALL,
    "--size": ("9", "16", "7,9"),
    "--by": ("layer", "stage"),
    "--depth": ("1", "2", "all"),
    "--columns": (*QUANTITIES, "help", "params,macs", "params,,macs", "all"),
    "--table": ("1", "2", "0", "T", ""),
    "--rows": ("C1", "C1,S2", "", '"', "x"),
    "--width": ("conv2d=4", "conv2d=1..8:3", "n0=2..3", "fc=9..1", "=", "x=1", "conv2d=1:0"),
    "--sort": QUANTITIES,
    "--plot": QUANTITIES,
    "--top": ("1", "3", "all"),
    "--dtype": DTYPES,
    "--optimizer": ("sgd", "adam", "momentum"),
    "--device": (
        "k80",
        "a100",
        "10TFLOP/s,400GB/s",
        "0FLOP/s,1B/s",
        "1FLOP/s",
        "9" * 4400 + "FLOP/s,1B/s",
        "1e9FLOP/s,1B/s",
    ),
    "--input": ("3,8,8", "3x8x8", "3,16,16", "input=3,16,16", "x=3,8,8", "1,2"),
    "--set": ("width=2", "width=a", "act=relu", "act=no", "width=2*3", "width=9**9**9", "x=1", "=", "width"),
    "--variant": ("wide", "wid"),
    "--batch": ("1", "2", "64"),
    "--seed": ("0", "1", str(2**64)),
    "--weights": ("zero", "seeded"),
    "--init": ("kaiming", "xavier", "torch", "normal:0.1", "normal:", "normal:nan", "normal:1e999"),
    "--activation": ("relu", "tanh", "gelu", "add"),
    "--max-memory": ("50M", "1", "2GiB", "1e9", "-1M", "M"),
    "--select": ("CC3", "CC201,CC3", "CC", "x"),
    "--ignore": ("CC3", "CC4", "x"),
    "--explain": ("CC201", "CC999", "x", ""),
    "--fail-over": ("params=1%", "macs=0", "params=-1%", "params", "x=1", "=%", "params=1e400%"),
    "--output": ("out.txt", "a.yaml", "missing/x", ".", "", "-", "/dev/full"),
    "--at": ("0", "0,0", "9,9", "-1", "1,2,3"),
    "--until": LAYERS,
    "--jobs": ("1",),
    "--grid": (
        "width=2:8:2",
        "width=1,2,x",
        "act=relu,no",
        "variant=wide",
        "width=",
        "width=9:1",
        "width=1:9:0",
        "=",
        "width[0]=1",
        "input[1]=8,16",
        "x=1:3",
        "width=" + "[" * 500,
        "width=0:9e15:1e-9",
        "width=1:8,1.5",
    ),
    "--range": ("width=2:8", "width=1:64:1,log", "width=0:8:1,log", "width=1:8:1,exp", "x=1:3", "width=5"),
    "--let": (
        "width=2*3",
        "width=x",
        "x=width",
        "width=[2*w for w in range(3)][1]",
        "input=[3,9,9]",
        "width=1/0",
        "width=sum([i for i in range(999)])",
        "act='relu'",
        "=",
        "width[0]=1",
        "width=round(log(9, width))",
    ),
    "--require": ("width<5", "width", "act=='relu'", "x<1", "1/0", "len(act)==4"),
    "--random": ("1", "3", "0", "-1", "x"),
    "--where": (
        "macs<=600e6",
        "peak_memory<=256KiB",
        "1K<params<=2K",
        "conv1.macs<1",
        "x.macs>1",
        "macs=1",
        "mac<1",
        "receptive_field>=3",
        "time<1",
        "macs<=" + "9" * 4400,
        "macs<=nan",
        "<",
        "",
    ),
    "--near": ("macs=4K,50%", "macs=4K", "params=1,1", "macs=1,1%%", "x=1,1"),
    "--pareto": ("params,macs", "params,-macs,max:depth", "x", "", "time"),
    "--minimize": QUANTITIES,
    "--maximize": QUANTITIES,
    "--join": ("note.txt", "missing.csv", "/dev/zero", ""),
    "--scheduler": ("", "x", "http://x", "tcp://"),
    "--row": ("0", "1", "-1", "x"),
    "--page": ("page.html", "", ".", "/dev/full"),
    "--export": ("run.csv", "run.parquet", "run.x", ""),
}
"""Option -> values that it takes, and some that it nearly takes."""
UNBOUNDED = frozenset({"--jobs", "--random", "--scheduler"})
"""Options whose value is never drawn at large: a number of processes or of candidates, an address that is called."""


ENDLESS = frozenset({"watch"})
"""Commands that go on until they are interrupted."""
_DRAWN = tuple(name for name in COMMANDS if name not in ENDLESS for _ in range(1 if name == "schema" else 8))
"""The schema takes ten times as long as the rest, and has no options."""


class Option(NamedTuple):
    """An option of a command."""

    names: tuple[str, ...]
    flag: bool


@cache
def options(command: str) -> tuple[Option, ...]:
    """The options of a command, as the program knows them."""
    (called,) = [found for name, found in _commands().items() if name == command]
    found = [Option((*p.opts, *p.secondary_opts), p.is_flag) for p in called.params if isinstance(p, TyperOption)]
    return tuple([option for option in found if "--help" not in option.names])


@cache
def _commands() -> dict[str, typer.core.TyperCommand]:
    program = build_program()
    return {name: program.command(name) for name in COMMANDS}


def case(random: Random) -> Case:
    """A command line in a folder of a few files."""
    command = random.choice(_DRAWN)
    parts = [*arguments(random, command)]
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        known = options(command)
        if known:
            parts.append(said(random, random.choice(known)))
    random.shuffle(parts)
    line = [command, *[word for part in parts for word in part]]
    if random.random() < 0.15:
        line = damaged(random, line)
    line = [word for word in line if "\0" not in word]
    data = random.choice((SPEC, SPEC, SPEC, WRONG, b"", b"\xff"))
    return Case(tuple(line), data, FILES, ci=random.random() < 0.5)


def arguments(random: Random, command: str) -> list[list[str]]:
    """What stands without an option."""
    if command == "schema":
        return []
    if command == "solve" or (command == "invert" and random.random() < 0.5):
        needed = ("--in", "--out") if command == "solve" else ("--k", "--s")
        return [[name, random.choice(VALUES[name])] for name in needed if random.random() < 0.95]
    if command == "specs":
        return [[random.choice(("lenet5", "lenet", ""))]] if random.random() < 0.4 else []
    found = [spec(random)]
    if command == "explain":
        if random.random() < 0.3:
            return [[name, random.choice(VALUES[name])] for name in ("--k", "--size") if random.random() < 0.9]
        found = [random.choice((spec(random), spec(random), random.choice(ITEMS)))]
        found += [random.choice(LAYERS)] * (random.random() < 0.5)
    elif command == "diff" or random.random() < 0.1:
        found.append(spec(random))
    extra = [["--to", random.choice(TARGETS)]] if command == "export" and random.random() < 0.95 else []
    return [found[: random.choice((1, 2, 2, 2, 2, 2, 2, 2))], *extra]


def spec(random: Random) -> str:
    """A path, a name, or what is neither."""
    return random.choice(SPECS[:10] if random.random() < 0.7 else SPECS)


def said(random: Random, option: Option) -> list[str]:
    """An option with a value, if it takes one."""
    name = random.choice(option.names)
    if option.flag:
        return [name]
    known = next((VALUES[name] for name in option.names if name in VALUES), COUNTS)
    chance = random.random()
    if chance < 0.75 or UNBOUNDED & set(option.names):
        value = random.choice(known)
    else:
        value = random.choice((*COUNTS, *AXES)) if chance < 0.9 else random.choice(words.TEXTS)
    return [f"{name}={value}"] if name.startswith("--") and random.random() < 0.2 else [name, value]


def damaged(random: Random, line: list[str]) -> list[str]:
    """A command line with a word left out, doubled, put in or misspelt."""
    at = random.randrange(len(line))
    match random.randrange(5):
        case 0:
            return line[:at] + line[at + 1 :]
        case 1:
            return line[: at + 1] + line[at:]
        case 2:
            return [
                *line[:at],
                random.choice(("--", "-", "-h", "--version", "--x", "-q", "\u202e", "::error::x")),
                *line[at:],
            ]
        case 3:
            return [*line[:at], changed_text(random, line[at]), *line[at + 1 :]]
        case _:
            return line[:at]
