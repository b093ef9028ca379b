"""Candidates of every spec of the gallery: its variants, with params and inputs changed at random."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from convcalc.language.document import Document
from convcalc.language.expressions import Value
from convcalc.language.params import Param
from convcalc.language.sources import read
from convcalc.sweep.candidates import Candidate

SIZES = (8, 16, 32, 40, 64, 95, 128, 224)


def document(name: str) -> Document:
    """A spec of the gallery, read anew."""
    return Document(read(name))


def candidates(spec: Document, count: int, seed: str) -> list[Candidate]:
    """Every variant, and so many with what they change at random: most of them build, some do not."""
    random = Random(seed)
    variants = [None, *spec.variants]
    found = [Candidate(number, {}, variant, None, ()) for number, variant in enumerate(variants)]
    for number in range(len(found), len(found) + count):
        variant = random.choice(variants)
        params = {
            name: changed(param, random)
            for name, param in spec.params.items()
            if random.random() < 0.4 and not isinstance(param.default, type(None))
        }
        shapes = {
            name: resized(len(entries), [size for size, _ in entries], random)
            for name, (entries, _) in spec.inputs.items()
        }
        resize = random.random() < 0.4 and all(shapes.values())
        found.append(
            Candidate(
                number, {k: v for k, v in params.items() if v is not None}, variant, shapes if resize else None, ()
            )
        )
    return found


def changed(param: Param, random: Random) -> Value | None:
    """Another value of a parameter, near the one that it has; None for one that follows from others."""
    default = param.default
    if param.takes == "words":
        return random.choice(sorted(param.words))
    if isinstance(default, bool):
        return random.random() < 0.5
    if isinstance(default, (int, Fraction)):
        return number(default, random)
    if isinstance(default, tuple):
        return tuple([number(item, random) if isinstance(item, (int, Fraction)) else item for item in default])
    return None


def number(value: int | Fraction, random: Random) -> Value:
    """Another number near one."""
    if isinstance(value, Fraction):
        return random.choice((value, value / 2, Fraction(3, 4)))
    return max(0, random.choice((value, value, value + 1, value - 1, 2 * value, value // 2, value + 8)))


def resized(axes: int, written: list[object], random: Random) -> tuple[int, ...]:
    """A shape of other sizes with the channels that are written; empty where these are not known."""
    channels = written[0]
    if not isinstance(channels, int):
        return ()
    return (channels, *[random.choice(SIZES)] * (axes - 1))
