"""Configuration: convcalc.toml and pyproject.toml beside and above specs."""

from __future__ import annotations

import json
from random import Random

from convcalc.analysis.quantities import QUANTITY_NAMES
from convcalc.check.config import KEYS

from ..case import Case
from . import commands, words
from .mutations import changed_bytes, changed_text

SPEC = b"convcalc: 1\nname: Net\ninput: [3, 8, 8]\nlayers: [{conv2d: {out: 4, k: 3}}, batch_norm, relu]\n"
NUMBERS = ("0", "-1", "5_000", "0x" + "f" * 5000, "9" * 5000, "1e400", "-0.0", "nan", "inf", "0b1", "1979-05-27", "2.5")
TREES = (
    "[" * 300 + "]" * 300,
    "[" * 5000,
    "{a = " * 200,
    "[[1], 2]",
    "{}",
    "{a = {b = 1}}",
    "[]",
    "true",
    "''",
    '"""\n"""',
)
LIMITS = ("5M", "20 MiB", "1K", "0", "-1", "<= 3", "1e3", "7M ± 1%", "10^18", "9" * 300, "MiB", "", "1 PiB", "0.1")
CODES = ("CC3", "CC201", "CC4", "CC", "cc301", "", "CC999", "C", "CC3,CC4", "*")
GLOBS = ("specs", "specs/*", "*", "**", "a.yaml", "../x", "/", "[", "[!a", "**/**/**", "a/" * 200, "\\", "")
TARGETS = ("a.yaml", ".", "specs", "a.yaml specs/b.yaml", "*.yaml", "**/*.yaml", "./a.yaml")


def case(random: Random) -> Case:
    """A folder with configuration, and a check in it."""
    place = random.choice(("", "", "specs/"))
    name = random.choice(("convcalc.toml", "convcalc.toml", "pyproject.toml"))
    files = {"a.yaml": SPEC, "specs/b.yaml": SPEC, place + name: content(random, name)}
    if random.random() < 0.2:
        other = random.choice(("convcalc.toml", "pyproject.toml"))
        files[other] = content(random, other)
    options = [*commands.form(random, "check")] if random.random() < 0.5 else []
    if random.random() < 0.3:
        options += random.choice(
            (["--advice"], ["--strict"], ["--select", "CC3"], ["--ignore", "CC4"], ["--batch", "2"])
        )
    command = ("check", *random.choice(TARGETS).split(), *options)
    return Case(command, files=files, ci=random.random() < 0.5)


def content(random: Random, name: str) -> bytes:
    """A configuration, damaged by chance."""
    text = configuration(random)
    if name == "pyproject.toml":
        heads = ("[tool.convcalc]\n", "[tool.convcalc]\n", "[tool]\nconvcalc = 1\n", "tool = 1\n# tool.convcalc\n", "")
        text = random.choice(heads) + text.replace("[budgets", "[tool.convcalc.budgets")
    chance = random.random()
    if chance < 0.1:
        return changed_bytes(random, text.encode("utf-8", "replace"))
    if chance < 0.25:
        return changed_text(random, text, (*words.TEXTS, *TREES, *NUMBERS)).encode("utf-8", "surrogatepass")
    return text.encode("utf-8", "replace")


def configuration(random: Random) -> str:
    """Keys with values, of the right type more often than not, and budgets of folders."""
    lines = [line(random) for _ in range(random.choice((0, 1, 1, 2, 3, 4)))]
    if random.random() < 0.3:
        lines.append(f"[budgets.{json.dumps(random.choice(GLOBS))}]")
        lines += [budget(random) for _ in range(random.randint(1, 3))]
    return "\n".join([*lines, ""])


def line(random: Random) -> str:
    """A key and its value."""
    chance = random.random()
    if chance < 0.35:
        return budget(random)
    key = random.choice((*KEYS, *KEYS, words.text(random)))
    if key not in KEYS:
        return f"{json.dumps(key)} = 1"
    if chance < 0.5:
        return f"{key} = {random.choice((*NUMBERS, *TREES, quoted(random)))}"
    choices = {
        "select": CODES, "ignore": CODES, "exclude": GLOBS,
        "advice": ("true", "false"), "strict": ("true", "false"),
        "dtype": ('"int8"', '"float64"', '"x"'), "batch": ("1", "32", "0", str(2**63)),
        "budgets": ("{}", '{"*" = {max_params = 1}}', '{specs = {batch = 2, max_macs = "1K"}}'),
    }  # fmt: skip
    said = random.choice(choices[key])
    return f"{key} = [{json.dumps(said)}]" if key in ("select", "ignore", "exclude") else f"{key} = {said}"


def budget(random: Random) -> str:
    """A limit of a quantity."""
    name = random.choice((*QUANTITY_NAMES, "x"))
    said = random.choice((*(json.dumps(limit) for limit in LIMITS), "5", "5", "10000000", *NUMBERS))
    return f"max_{name} = {said}"


def quoted(random: Random) -> str:
    """A text."""
    return json.dumps(words.text(random, 0.8))
