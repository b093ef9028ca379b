"""Groups that the names of layers tell: `conv2_block1_1_conv` stands in `block1` of `conv2`.

Keras's models are flat lists of layers, whose names say what their builders had in mind: a word with a number, or a
number behind a word, is a part of which there are several. What Keras named itself (`add_3`) belongs to the part that
it stands inside of, or ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

NUMBERED = re.compile(r"[A-Za-z]+\d+[A-Za-z]?")
"""A word with a number: `block1`, `block1a`."""
DIGITS = re.compile(r"\d+")

Tokens = tuple[str, ...]


class Called(NamedTuple):
    """A layer in the order of execution."""

    name: str
    automatic: bool
    """Whether Keras named it by its class."""
    reads: Collection[int]
    """The places of those that it reads, as far as they are in the same list."""
    weighted: bool


class Span(NamedTuple):
    """A part: the layers start … stop − 1."""

    tokens: Tokens
    """What their names begin with."""
    start: int
    stop: int

    def within(self, other: Span) -> bool:
        """Whether it is a part of another part."""
        return self.tokens[: len(other.tokens)] == other.tokens


def automatic(name: str, class_name: str) -> bool:
    """Whether Keras gave a layer its name: that of its class, and a number.

    >>> automatic("re_lu_3", "ReLU"), automatic("conv2d", "Conv2D"), automatic("conv1", "Conv2D")
    (True, True, False)
    """
    word = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)).lower()
    return re.fullmatch(rf"{re.escape(word)}(?:_\d+)?", name) is not None


def spans(layers: Sequence[Called]) -> list[Span]:
    """The parts that names tell, outer ones first; of each kind there are several, and each has several layers."""
    members: dict[Tokens, list[int]] = {}
    for index, layer in enumerate(layers):
        if not layer.automatic:
            for tokens in _prefixes(layer.name):
                members.setdefault(tokens, []).append(index)
    found = [
        Span(tokens, indices[0], indices[-1] + 1)
        for tokens, indices in members.items()
        if len(indices) > 1 and _whole(layers, indices)
    ]
    kinds = Counter(kind_of(span.tokens) for span in found)
    kept = [span for span in found if kinds[kind_of(span.tokens)] > 1]
    return [_ended(layers, span) for span in sorted(kept, key=lambda span: len(span.tokens))]


def kind_of(tokens: Tokens) -> Tokens:
    """A part without its numbers.

    >>> kind_of(("conv2", "block1")), kind_of(("stage", "0"))
    (('conv', 'block'), ('stage',))
    """
    words = (re.sub(r"\d+[A-Za-z]?$", "", token) for token in tokens)
    return tuple(word for word in words if word)


def _prefixes(name: str) -> list[Tokens]:
    """What a name may begin with as that of a part: up to a word with a number, or a number behind a word."""
    tokens = tuple(name.split("_"))
    found = []
    for count in range(1, len(tokens)):
        last = tokens[count - 1]
        before = tokens[count - 2] if count > 1 else ""
        if NUMBERED.fullmatch(last) or (DIGITS.fullmatch(last) and before.isalpha()):
            found.append(tokens[:count])
    return found


def _whole(layers: Sequence[Called], indices: Sequence[int]) -> bool:
    """Whether nothing stands between them but what Keras named."""
    own = set(indices)
    return all(index in own or layers[index].automatic for index in range(indices[0], indices[-1] + 1))


def _ended(layers: Sequence[Called], span: Span) -> Span:
    """The part with what Keras named behind it, holds no weights and reads it: the sum after a block."""
    stop = span.stop
    while stop < len(layers):
        layer = layers[stop]
        if not layer.automatic or layer.weighted or not any(span.start <= read < stop for read in layer.reads):
            break
        stop += 1
    return span._replace(stop=stop)
