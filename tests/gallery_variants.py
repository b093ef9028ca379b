"""Which spec and variant of the gallery a name means."""

from __future__ import annotations

from functools import cache

from convcalc import load
from convcalc.language import gallery_names
from convcalc.marked import Map

TORCHVISION = frozenset({"alexnet", "googlenet"})
"""Names under which the paper and torchvision have different networks: torchvision's is the variant `torchvision`."""


@cache
def variants() -> dict[str, dict[str, None]]:
    """Spec -> its variants."""
    found: dict[str, dict[str, None]] = {}
    for name in gallery_names():
        origin = load(name).origin
        assert origin is not None
        section = origin.section("variants")
        found[name] = dict.fromkeys(section.entries) if isinstance(section, Map) else {}
    return found


def spec_of(name: str) -> tuple[str, str | None]:
    """The spec and the variant of a model's name: a variant of that name, else the spec of that name."""
    if name in TORCHVISION:
        return name, "torchvision"
    for spec, names in variants().items():
        if name in names:
            return spec, name
    return name, None
