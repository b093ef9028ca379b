"""Files of torch.export (`.pt2`): programs that are right, most of them, in the archives of new and of old versions."""

from __future__ import annotations

import io
import json
import zipfile
from copy import deepcopy
from random import Random
from typing import Any

from ..case import Case
from . import commands, words
from .exported_steps import program
from .mutations import changed_bytes

FILE = "m.pt2"
EDGES: tuple[Any, ...] = (
    *(0, 1, 2, -1, 7, 255, 2**31, 2**62, 2**63 - 1, 2**63, 2**70, -(2**63), 1.5, True, None, "", "3", [], [1], {}),
    *({"a": 1}, [[1, 2]], {"as_int": -7}, {"as_int": 2**62}, {"as_none": True}, {"as_tensor": {"name": "?"}}, [None]),
    *({"as_expr": None}, {"as_name": "?"}, {"name": 3}, {"as_sym_int": {"as_name": "?"}}, {"as_ints": [[[]]]}),
)
EXPRESSIONS = (
    *("", "s0", "-s0", "s0.real", "9**9**9", "Pow(s0, Integer(9))", "FloorDiv(s0, Integer(0))", "Symbol()", "(" * 300),
    *(
        "Symbol(3)",
        "Mul()",
        "Max()",
        "FloorDiv()",
        "1" * 900,
        "1 if 1 else 2",
        "[1]",
        "'a'",
        "1 is 1",
        "'\\d'",
        "1or 2",
    ),
    *("lambda: 1", "Rational(1, 3)", "True", "0x10", "1_0", "Integer(-1)", "Integer('a')", "1e5", "1j", "...", "\x00"),
    *("Mod(s0, 0)", "-" * 900 + "1", "1" + "+1" * 400, "s0//s0", "Pow(Integer(2), Integer(-1))", "Add(*s0)", "f()"),
)
"""Texts where the expression of an open size stands."""
IMPORTS = ((), (), ("--flat",), ("--flat",), ("--input", "3,8,8"))
"""Options of `import`."""


def case(random: Random) -> Case:
    """A command on a file of torch.export."""
    imports = ("import", FILE, *random.choice(IMPORTS))
    command = imports if random.random() < 0.2 else commands.on_spec(random, FILE)
    return Case(command, files={FILE: file(random)}, ci=random.random() < 0.5)


def file(random: Random) -> bytes:
    """Most often a program that fits together, else one that was damaged."""
    drawn = program(random)
    model, weights = drawn.model(), drawn.weights
    chance = random.random()
    if chance < 0.25:
        model, weights = deepcopy((model, weights))  # so that no part of it stands in it twice
        for _ in range(random.choice((1, 1, 2, 3))):
            damage(random, weights if random.random() < 0.03 else model)
    text = json.dumps(model)
    if 0.25 <= chance < 0.28:
        text = random.choice((text[: random.randrange(len(text))], text * 2, "", "\ufeff" + text, deep(random)))
    older = random.random() < 0.15
    data = archive(random, members(text, weights, older, random.choice(("archive", "archive", "model"))))
    return changed_bytes(random, data) if 0.28 <= chance < 0.33 else data


def deep(random: Random) -> str:
    """Brackets in brackets."""
    count = random.choice((10, 900, 100_000))
    return random.choice(("[" * count, '{"graph_module":' * count, '{"graph_module":' * count + "1" + "}" * count))


def members(text: str, weights: dict[str, Any], older: bool = False, top: str = "archive") -> dict[str, str]:
    """What an archive holds: a graph, and the weights without their numbers, which torch reads as zeros.

    Archives of PyTorch 2.7 and before hold the graph elsewhere, and their weights as pickles.
    """
    if older:
        pickles = {f"serialized_{name}.pt": "" for name in ("state_dict", "constants", "example_inputs")}
        return {"version": "8.8", "serialized_exported_program.json": text, **pickles}
    found = {"archive_format": "pt2", "archive_version": "0", ".data/version": "6\n", "byteorder": "little"}
    for mark, folder, name in (("weight", "weights", "model_weights"), ("tensor", "constants", "model_constants")):
        own = {path: said for path, said in weights.items() if stored_at(said).startswith(mark)}
        found |= {f"data/{folder}/{stored_at(said)}": "" for said in own.values()}
        found[f"data/{folder}/{name}_config.json"] = json.dumps({"config": own})
    found |= {"models/model.json": text, "data/sample_inputs/model.pt": ""}
    return {f"{top}/{name}": content for name, content in found.items()}


def archive(random: Random, held: dict[str, str]) -> bytes:
    """A zip archive with these members, seldom without one of them, or with one more graph."""
    if random.random() < 0.04:
        held.pop(random.choice(list(held)))
    if random.random() < 0.02:
        other = random.choice(("models/model.json", "../models/model.json", "a/serialized_exported_program.json"))
        held = {other: random.choice(list(held.values())), **held}
    written = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(written, "w", method) as target:
        for name, content in held.items():
            target.writestr(zipfile.ZipInfo(name), content, method)
        if random.random() < 0.02:
            target.comment = words.text(random, 1).encode()
    return written.getvalue()


def stored_at(weight: Any) -> str:
    """The member in which a weight stands."""
    path = weight.get("path_name") if isinstance(weight, dict) else None
    return path if isinstance(path, str) else "weight_0"


def damage(random: Random, root: Any) -> None:
    """One part of it is taken out, doubled, moved, or becomes another: an edge, or what stands elsewhere."""
    parent, key = place(random, root)
    if parent is None:
        return
    other, where = place(random, root)
    match random.randrange(8):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent[key:key] = [deepcopy(parent[key]) for _ in range(random.choice((1, 1, 3, 70)))]
        case 2 if isinstance(parent, list):
            parent.append(parent.pop(key))
        case 3 if other is not None:
            parent[key] = deepcopy(other[where])
        case 4 if isinstance(parent[key], str):
            parent[key] = words.text(random, 1)
        case 5 if isinstance(parent, dict) and "expr_str" in parent:
            parent["expr_str"] = random.choice(EXPRESSIONS)
        case 6:
            nest = random.choice(("as_graph", "as_expr", "as_tensor", "graph"))
            for _ in range(random.choice((1, 5, 100))):
                parent[key] = {nest: parent[key]}
        case _:
            parent[key] = deepcopy(random.choice(EDGES))


def place(random: Random, root: Any) -> tuple[Any, Any]:
    """A part somewhere, as what holds it and its key."""
    found: tuple[Any, Any] = (None, None)
    here = root
    while isinstance(here, (dict, list)) and here:
        key = random.choice(list(here) if isinstance(here, dict) else range(len(here)))
        found, here = (here, key), here[key]
        if random.random() < 0.04:
            break
    return found
