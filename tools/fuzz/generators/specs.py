"""Specs: networks that build, with blocks, branches, repetitions, expressions and texts; and fewer damaged ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from convcalc.language import gallery_path
from convcalc.language.items import fields_of
from convcalc.language.sections import Sections
from convcalc.layers.registry import KINDS

from ..case import Case
from . import commands, heavy, words
from .commands import QUANTITIES
from .layers import Fields, Shape, divisor, fitted, layer
from .mutations import changed_text

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"
HEAVY = 0.005
"""The share of specs that ask for much; each takes as long as hundreds of others."""
Item = Any
"""An item of `layers`: the name of a kind, or a mapping."""


def case(random: Random) -> Case:
    """A spec on standard input, and a command that reads it."""
    return of_text(random, spec(random))


def of_text(random: Random, text: bytes) -> Case:
    """A command that reads this text."""
    return Case(commands.on_spec(random), text, ci=random.random() < 0.5, spec="-")


def spec(random: Random) -> bytes:
    """Most often a network that fits together, else one that was damaged, asks for much, or only looks like one."""
    chance = random.random()
    if chance < HEAVY:
        return heavy.spec(random)
    if chance < 0.74:
        return network(random)
    if chance < 0.82:
        return changed_text(random, network(random).decode("utf-8", "replace")).encode("utf-8", "surrogatepass")
    if chance < 0.92:
        return changed_text(random, random.choice(_seeds())).encode("utf-8", "surrogatepass")
    return anything(random)


@cache
def _seeds() -> tuple[str, ...]:
    paths = [*sorted(gallery_path().glob("*.yaml")), *sorted(GOLDEN.rglob("*.yaml"))]
    return tuple(path.read_bytes().decode("utf-8", "replace") for path in paths if path.stat().st_size < 8_000)


def anything(random: Random) -> bytes:
    """Keys of the language with anything under them; words; bytes."""
    match random.randrange(4):
        case 0:
            tree = {random.choice(KEYS): anything_below(random, 3) for _ in range(random.randint(0, 5))}
            tree.setdefault("input", [3, 8, 8])
            tree.setdefault("layers", [anything_below(random, 3) for _ in range(random.randint(0, 4))])
            return json.dumps({"convcalc": 1, **tree}, ensure_ascii=False).encode("utf-8", "replace")
        case 1:
            said = " ".join([random.choice(words.TEXTS) for _ in range(random.randint(0, 20))])
            return f"convcalc: 1\ninput: [3, 8, 8]\nlayers:\n{said}".encode("utf-8", "replace")
        case 2:
            return "".join([random.choice(words.TEXTS) for _ in range(random.randint(0, 20))]).encode(
                "utf-8", "replace"
            )
        case _:
            return random.randbytes(random.randint(0, 100))


KEYS = tuple(Sections.keys)
FIELDS = tuple(sorted({name for kind in KINDS for name in fields_of(kind)}))
NAMES = (*KEYS, *KINDS, *FIELDS, "name", "from", "repeat", "when", "share", "branches", "a", "b", "1x1", "0", "input")
SCALARS = (None, True, False, -2, -1, 0, 1, 2, 3, 7, 2**63, 10**30, 0.5, -0.0, "", *words.TEXTS, *KINDS, *KEYS)


def anything_below(random: Random, depth: int) -> Any:
    """A tree of the language's words."""
    chance = random.random() if depth else 0.0
    if chance < 0.4:
        return random.choice(SCALARS)
    inner = [anything_below(random, depth - 1) for _ in range(random.randint(0, 3))]
    return inner if chance < 0.6 else {random.choice(NAMES): value for value in inner}


def input_shape(random: Random) -> Shape:
    """Channels and space, most often of an image."""
    rank = random.choice((0, 1, 2, 2, 2, 2, 2, 3))
    sizes = (1, 2, 3, 4, 5, 6, 8, 8, 9, 12) if rank == 3 else (1, 2, 3, 5, 7, 8, 8, 9, 12, 15, 16, 16, 32, 33)
    return (random.choice((1, 2, 3, 3, 3, 4, 6, 8, 16)), *(random.choice(sizes) for _ in range(rank)))


class Writer:
    """A spec as it comes about: the shape at the end of what stands there, blocks and params that its items call."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.blocks: dict[str, Any] = {}
        self.params: dict[str, Any] = {}
        self.shapes: dict[str, Shape] = {}
        """Of the named items at the top level."""

    def items(self, shape: Shape, count: int, depth: int) -> tuple[list[Item], Shape]:
        """So many items behind one another, and the shape behind them."""
        found = []
        for _ in range(count):
            item, shape = self.item(shape, depth)
            found.append(item)
        return found, shape

    def item(self, shape: Shape, depth: int) -> tuple[Item, Shape]:
        """An item, and the shape behind it."""
        chance = self.random.random()
        if len(shape) > 2 and chance < 0.03:
            return self.frames(shape, depth)
        if len(shape) > 1 and chance < 0.05:
            return self.product(shape)
        if depth == 0 or chance < 0.7 or not shape:
            made = layer(self.random, shape)
            return self.written(made.kind, made.fields, depth), made.shape
        if chance < 0.76:
            return self.residual(shape, depth)
        if chance < 0.83:
            return self.concat(shape, depth)
        if chance < 0.88:
            items, after = self.items(shape, self.random.randint(1, 3), depth - 1)
            return {"layers": items}, after
        if chance < 0.93:
            return self.repeated(shape, depth)
        if chance < 0.97:
            return self.block(shape)
        return self.split(shape, depth)

    def written(self, kind: str, fields: Fields, depth: int) -> Item:
        """A layer as an item: short forms, params and expressions instead of numbers, conditions."""
        random = self.random
        if not fields and random.random() < 0.6:
            return kind
        item: dict[str, Any] = {kind: {name: self.number(value, depth) for name, value in fields.items()}}
        if random.random() < 0.05:
            item["when"] = random.choice(("in_channels > 0", True, "1 < 2", "in_channels in [1, 2] or True"))
        return item

    def number(self, value: Any, depth: int) -> Any:
        """A number, or with a small chance an expression that gives it."""
        random = self.random
        if not isinstance(value, int) or isinstance(value, bool) or random.random() < 0.9:
            return value
        form = random.randrange(6)
        if form == 0 and depth == DEPTH:
            name = f"p{len(self.params)}"
            self.params[name] = value
            return name
        forms = (
            f"{value}",
            f"{2 * value} // 2",
            f"{value} * 1",
            f"max({value}, {value})",
            f"[{value}, 9][0]",
            "{} + 0",
        )
        return forms[form].format(value)

    def frames(self, shape: Shape, depth: int) -> tuple[Item, Shape]:
        """A layer on each position of the first axis."""
        made = layer(self.random, shape[1:])
        item = self.written(made.kind, made.fields, depth)
        return {**(item if isinstance(item, dict) else {item: {}}), "batch_axes": 1}, (shape[0], *made.shape)

    def product(self, shape: Shape) -> tuple[Item, Shape]:
        """A tensor times itself, or the attention of its positions to each other."""
        *leading, rows, columns = shape
        axes = list(range(len(shape)))
        turned = {"permute": {"dims": [*axes[:-2], axes[-1], axes[-2]]}}
        if len(shape) == 2 and self.random.random() < 0.5:
            return {"multihead_attention": {"num_heads": divisor(self.random, columns)}}, shape
        if self.random.random() < 0.5:
            return {"matmul": {"branches": {"left": [], "right": [turned]}}}, (*leading, rows, rows)
        branches: dict[str, Any] = {"query": [], "key": [], "value": []}
        return {"scaled_dot_product_attention": {"branches": branches}}, (*leading, rows, columns)

    def residual(self, shape: Shape, depth: int) -> tuple[Item, Shape]:
        """A sum of layers that keep the shape and the input itself."""
        body = [self.same(shape) for _ in range(self.random.randint(1, 3))]
        kind = self.random.choice(("add", "add", "multiply", "sub", "div", "maximum", "minimum"))
        return {kind: {"branches": {"body": body, "skip": []}}}, shape

    def same(self, shape: Shape) -> Item:
        """A layer that keeps the shape."""
        rank = len(shape) - 1
        if rank and self.random.random() < 0.5:
            k = self.random.choice((1, 3, 5))
            return {f"conv{rank}d": {"out": "in_channels", "k": k, "p": k // 2, "bias": self.random.random() < 0.5}}
        return self.random.choice(("relu", "batch_norm", "identity", "sigmoid", "dropout", {"prelu": {}}, {"gelu": {}}))

    def concat(self, shape: Shape, depth: int) -> tuple[Item, Shape]:
        """Branches of convolutions that keep the space, side by side."""
        random, rank = self.random, len(shape) - 1
        branches: dict[str, list[Item]] = {}
        channels = 0
        for name in random.sample(("1x1", "3x3", "pool", "a", "b-c", "_d"), random.randint(1, 4)):
            branches[name] = [self.same(shape)] if random.random() < 0.5 else []
            if rank and random.random() < 0.8:
                out, k = random.choice((1, 4, 8)), random.choice((1, 3))
                branches[name].append({f"conv{rank}d": {"out_channels": out, "kernel_size": k, "padding": k // 2}})
                channels += out
            else:
                channels += shape[0]
        return {"concat": {"branches": branches}}, (channels, *shape[1:])

    def repeated(self, shape: Shape, depth: int) -> tuple[Item, Shape]:
        """A layer or a group that keeps the shape, several times."""
        random = self.random
        times = random.choice((0, 1, 2, 2, 3, 3, 5, 20, "1 + 2"))
        what = self.same(shape) if random.random() < 0.5 else {"layers": [self.same(shape), self.same(shape)]}
        shared = {"share": True} if random.random() < 0.3 else {}
        return {**(what if isinstance(what, dict) else {what: {}}), "repeat": times, **shared}, shape

    def block(self, shape: Shape) -> tuple[Item, Shape]:
        """A block of convolution, norm and activation, called by name or by place."""
        random, rank = self.random, len(shape) - 1
        name = f"block{rank}"
        if rank == 0:
            self.blocks[name] = {"params": ["out"], "layers": [{"linear": {"out_features": "out"}}, "relu"]}
            return {name: [out := random.choice((2, 5))]}, (out,)
        self.blocks[name] = {
            "params": {"out": None, "k": 3, "p": "k // 2", "act": "relu"},
            "layers": [
                {f"conv{rank}d": {"out": "out", "k": "k", "p": "p", "bias": False}},
                "batch_norm",
                {"relu": {}, "when": "act == 'relu'"},
            ],
        }
        out = random.choice((2, 4, 8))
        call = random.choice(({"out": out}, [out], [out, 1], {"out": out, "k": 5}, {"out": out, "act": "none"}))
        return {name: call}, (out, *shape[1:])

    def split(self, shape: Shape, depth: int) -> tuple[Item, Shape]:
        """The channels in two parts, of which one goes on."""
        if shape[0] < 2:
            return "relu", shape
        first = self.random.randint(1, shape[0] - 1)
        name = f"split{len(self.shapes)}_{self.random.randrange(10**6)}"
        parts = [{"split": {"channels": [first, shape[0] - first]}, "name": name}]
        part = self.random.randrange(2)
        group = [*parts, {"relu": {}, "from": f"{name}.{part}"}]
        return {"layers": group}, ((first, shape[0] - first)[part], *shape[1:])


DEPTH = 3
"""How deep items stand in one another at most."""


def network(random: Random) -> bytes:
    """A network that fits together, with the other sections of a spec around it."""
    writer, shape = Writer(random), input_shape(random)
    start = shape
    items: list[Item] = []
    for at in range(random.choice((1, 2, 2, 3, 3, 4, 5, 6, 8))):
        before = shape
        item, shape = writer.item(shape, DEPTH)
        if random.random() < 0.3:
            name = random.choice((f"n{at}", f"stage-{at}", f"Conv_{at}", f"{at}x{at}", "x" * 90 + str(at)))
            item = {**(item if isinstance(item, dict) else {item: {}}), "name": name}
            equal = sorted(other for other, known in writer.shapes.items() if known == shape)
            writer.shapes[name] = shape
            if shape == before and random.random() < 0.3:
                items.append(item)
                shared = random.choice((name, name, {"weight": name}, {"weight": name, "bias": name}))
                item = {**item, "name": f"again{at}", "share": shared}
            if equal and random.random() < 0.4:
                items.append(item)
                item = {random.choice(("add", "multiply")): {}, "from": [random.choice(equal), name]}
        items.append(item)
    if random.random() < 0.3 and len(shape) > 1:
        head = fitted(random, "linear", (shape[0],), 0.2)
        items += ["global_avg_pool", "flatten", *([{head.kind: head.fields}] if head else [])]
        shape = head.shape if head else (shape[0],)
    return _document(random, writer, start, items, shape).encode("utf-8", "replace")


def _document(random: Random, writer: Writer, start: Shape, items: list[Item], shape: Shape) -> str:
    sections: dict[str, Any] = {"convcalc": 1}
    for key in ("name", "title", "description", "source", "notes"):
        if random.random() < (0.5 if key == "name" else 0.1):
            sections[key] = words.text(random, 0.4)
    if random.random() < 0.1:
        sections["input"] = {random.choice(("image", "x", "input")): list(start)}
    else:
        sections["input"] = list(start)
    if random.random() < 0.1:
        writer.params["word"] = random.choice(("a", "big", 3, 0.5, True, None))
    if writer.params:
        sections["params"] = writer.params
        if random.random() < 0.3:
            sections["variants"] = {"same": dict(writer.params), "plain": {}}
    if writer.blocks:
        sections["blocks"] = writer.blocks
    sections["layers"] = items
    if random.random() < 0.2:
        sections["expect"] = expectation(random, shape)
    return "".join([f"{key}: {as_block(random, value, 1)}\n" for key, value in sections.items()])


def expectation(random: Random, shape: Shape) -> Any:
    """Claims, of which some hold."""
    claims: dict[str, Any] = {}
    for _ in range(random.randint(1, 3)):
        name = random.choice(QUANTITIES)
        claims[name] = random.choice(
            (0, 10, 1.5, "<= 7M", ">= 0", "7.0M ± 1%", "1 KiB", list(shape), None, words.text(random, 0.9), "9" * 50)
        )
    if random.random() < 0.4:
        claims["output"] = list(shape)
    if random.random() < 0.2:
        claims |= {"dtype": random.choice(("int8", "float64", "x")), "batch": random.choice((1, 32, 0, 2**63))}
    return [claims, {"params": "<= 1G"}] if random.random() < 0.2 else claims


def as_block(random: Random, value: Any, depth: int) -> str:
    """A value as YAML, its outer lists and mappings as blocks or in brackets."""
    if isinstance(value, list) and value and depth <= 2 and random.random() < 0.8:
        indent = "\n" + "  " * depth
        return "".join([f"{indent}- {_flow(item)}" for item in value])
    if isinstance(value, dict) and value and depth <= 2 and random.random() < 0.5:
        indent = "\n" + "  " * depth
        return "".join([f"{indent}{_flow(key)}: {_flow(item)}" for key, item in value.items()])
    return _flow(value)


PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")


def _flow(value: Any) -> str:
    """A value in brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join([f"{_flow(key)}: {_flow(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([_flow(item) for item in value]) + "]"
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value and PLAIN.issuperset(value) else words.quoted(value)
    return str(value)
