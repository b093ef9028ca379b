"""Messages of the playground's page: texts, paths of layers, numbers of a convolution; and what is no message."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from ..case import Case
from . import specs, words
from .commands import QUANTITIES
from .mutations import changed_bytes, changed_text

ASKS = ("network", "check", "graph", "layer", "layer", "invert", "invert")
NUMBERS = ("kernel", "stride", "dilation", "size", "before", "after")
VALUES: tuple[Any, ...] = (
    1,
    1,
    2,
    3,
    3,
    4,
    5,
    7,
    8,
    9,
    16,
    0,
    -1,
    40,
    41,
    1000,
    2**31,
    2**63,
    10**30,
    1.5,
    True,
    None,
    "3",
    [3],
    {},
)
PATHS = ("n0", "n1", "conv2d", "relu", "conv2d_1", "total", "input", "b0", "group", "", "n0.n0", "x" * 200, *QUANTITIES)
FIELDS = ("text", "path", "variant", "ask", *NUMBERS)


def case(random: Random) -> Case:
    """A page's messages, in their order: most often a text first, and then what is asked about it."""
    said = [spoken(random, "network")] if random.random() < 0.9 else []
    said += [spoken(random, random.choice(ASKS)) for _ in range(random.choice((1, 1, 2, 3)))]
    data = "\n".join(said).encode("utf-8", "replace")
    if random.random() < 0.05:
        data = changed_bytes(random, data)
    return Case((), data, program="playground")


def spoken(random: Random, ask: str) -> str:
    """A message as the page writes it, or nearly."""
    message = asked(random, ask)
    if random.random() < 0.1:
        field = random.choice(FIELDS)
        if random.random() < 0.4:
            message.pop(field, None)
        else:
            message[field] = random.choice((*VALUES, *words.TEXTS, "\ud800", "a" * 5000))
    text = json.dumps(message, ensure_ascii=random.random() < 0.5 or "\ud800" in repr(message))
    if random.random() < 0.03:
        text = random.choice(("", "null", "[]", "1", '"ask"', "[" * 5000, "{", "NaN", "9" * 5000, "\0"))
    elif random.random() < 0.03:
        text = changed_text(random, text)
    return " ".join(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").splitlines())


def asked(random: Random, ask: str) -> dict[str, Any]:
    """A message of this kind."""
    message: dict[str, Any] = {"ask": ask}
    match ask:
        case "network" | "check":
            message["text"] = text(random)
            if ask == "network" and random.random() < 0.1:
                message["variant"] = random.choice(("plain", "same", "", words.text(random), 3))
        case "layer":
            message["path"] = random.choice(PATHS) if random.random() < 0.85 else random.choice(words.TEXTS)
        case "invert":
            small = random.random() < 0.6
            message |= {name: random.choice(VALUES[:11] if small else VALUES) for name in NUMBERS}
    return message


def text(random: Random) -> str:
    """A spec as somebody is writing it; those that ask for much are left to the command line."""
    chance = random.random()
    if chance < 0.7:
        made = specs.network(random)
    elif chance < 0.9:
        made = changed_text(random, specs.network(random).decode("utf-8", "replace")).encode("utf-8", "surrogatepass")
    else:
        made = specs.anything(random)
    return made.decode("utf-8", "replace")
