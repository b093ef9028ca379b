"""convcalc: what a convolutional architecture does to shapes, parameters and cost.

`load` reads a network, `analyse` gives its report, `arena`, `check`, `diff`, `draw`, `explain`, `export`,
`forensics`, `invert`, `report`, `sizes`, `solve`, `sweep` and `verify` answer as the commands of their names do.
Results have attributes, `to_dict()` and a text that can be printed. The public names are imported when they are first
used, so that `import convcalc` is cheap.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from . import reference
    from .api.arena import Plan, arena
    from .api.check import CheckResult, check
    from .api.diff import Difference, diff
    from .api.draw import Drawing, draw
    from .api.explain import Explanation, explain
    from .api.export import export
    from .api.flows import Flows, compare_flows
    from .api.forensics import Forensics, forensics
    from .api.from_keras import from_keras
    from .api.growth import Growth
    from .api.invert import Inversion, invert
    from .api.load import load
    from .api.page import report
    from .api.report import Report, analyse
    from .api.sizes import Sizes, sizes
    from .api.solve import Search, solve
    from .api.summary import summary
    from .api.sweep import Sweep, SweptRow, sweep
    from .api.verify import Verification, verify
    from .findings import Finding, SpecError, UsageError
    from .geometry.errors import GeometryError
    from .language import loads, parse_layer
    from .network import Network, Node, Part, UnknownLayer
    from .torch.load import from_torch

_PLACES = {
    "CheckResult": ".api.check",
    "Difference": ".api.diff",
    "Drawing": ".api.draw",
    "Explanation": ".api.explain",
    "Finding": ".findings",
    "Flows": ".api.flows",
    "Forensics": ".api.forensics",
    "GeometryError": ".geometry.errors",
    "Growth": ".api.growth",
    "Inversion": ".api.invert",
    "Network": ".network",
    "Node": ".network",
    "Part": ".network",
    "Plan": ".api.arena",
    "Report": ".api.report",
    "Search": ".api.solve",
    "Sizes": ".api.sizes",
    "SpecError": ".findings",
    "Sweep": ".api.sweep",
    "SweptRow": ".api.sweep",
    "UnknownLayer": ".network",
    "UsageError": ".findings",
    "Verification": ".api.verify",
    "analyse": ".api.report",
    "arena": ".api.arena",
    "check": ".api.check",
    "compare_flows": ".api.flows",
    "diff": ".api.diff",
    "draw": ".api.draw",
    "explain": ".api.explain",
    "export": ".api.export",
    "forensics": ".api.forensics",
    "from_keras": ".api.from_keras",
    "from_torch": ".torch.load",
    "invert": ".api.invert",
    "load": ".api.load",
    "loads": ".language",
    "parse_layer": ".language",
    "reference": ".reference",
    "report": ".api.page",
    "sizes": ".api.sizes",
    "solve": ".api.solve",
    "summary": ".api.summary",
    "sweep": ".api.sweep",
    "verify": ".api.verify",
}

__all__ = [
    "CheckResult",
    "Difference",
    "Drawing",
    "Explanation",
    "Finding",
    "Flows",
    "Forensics",
    "GeometryError",
    "Growth",
    "Inversion",
    "Network",
    "Node",
    "Part",
    "Plan",
    "Report",
    "Search",
    "Sizes",
    "SpecError",
    "Sweep",
    "SweptRow",
    "UnknownLayer",
    "UsageError",
    "Verification",
    "__version__",
    "analyse",
    "arena",
    "check",
    "compare_flows",
    "diff",
    "draw",
    "explain",
    "export",
    "forensics",
    "from_keras",
    "from_torch",
    "invert",
    "load",
    "loads",
    "parse_layer",
    "reference",
    "report",
    "sizes",
    "solve",
    "summary",
    "sweep",
    "verify",
]


class _Face(ModuleType):
    """This package as a module in which a room does not take the place of the function of its name.

    Importing `convcalc.check.run` would set `convcalc.check` to the package `check/`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and _PLACES.get(name, f".{name}") != f".{name}"):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return __all__


sys.modules[__name__].__class__ = _Face


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(place, __name__)
    value = module if place == f".{name}" else getattr(module, name)
    globals()[name] = value
    return value
