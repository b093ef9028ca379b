"""convcalc: what a convolutional architecture does to shapes, parameters and cost.

The public names are imported when they are first used, so that `import convcalc` is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .analysis.report import Report, analyse
    from .findings import Finding, SpecError
    from .geometry.inversion import invert
    from .geometry.solve import solve
    from .network import Network
    from .spec import load, loads, parse_layer

_PLACES = {
    "Finding": ".findings",
    "Network": ".network",
    "Report": ".analysis.report",
    "SpecError": ".findings",
    "analyse": ".analysis.report",
    "invert": ".geometry.inversion",
    "load": ".spec",
    "loads": ".spec",
    "parse_layer": ".spec",
    "solve": ".geometry.solve",
}

__all__ = [
    "Finding",
    "Network",
    "Report",
    "SpecError",
    "__version__",
    "analyse",
    "invert",
    "load",
    "loads",
    "parse_layer",
    "solve",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(place, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
