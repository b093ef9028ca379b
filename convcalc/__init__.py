"""convcalc: what a convolutional architecture does to shapes, parameters and cost.

The public names are imported when they are first used, so that `import convcalc` is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from . import reference
    from .analysis.report import Report, analyse
    from .findings import Finding, SpecError, UsageError
    from .geometry.errors import GeometryError
    from .geometry.inversion import invert
    from .geometry.solve import solve
    from .language import load, loads, parse_layer
    from .network import Network

_PLACES = {
    "Finding": ".findings",
    "GeometryError": ".geometry.errors",
    "Network": ".network",
    "Report": ".analysis.report",
    "SpecError": ".findings",
    "UsageError": ".findings",
    "analyse": ".analysis.report",
    "invert": ".geometry.inversion",
    "load": ".language",
    "loads": ".language",
    "parse_layer": ".language",
    "reference": ".reference",
    "solve": ".geometry.solve",
}

__all__ = [
    "Finding",
    "GeometryError",
    "Network",
    "Report",
    "SpecError",
    "UsageError",
    "__version__",
    "analyse",
    "invert",
    "load",
    "loads",
    "parse_layer",
    "reference",
    "solve",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(place, __name__)
    value = module if place == f".{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
