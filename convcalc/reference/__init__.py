"""Floor 4: the NumPy forward and backward of every layer kind.

It confirms what the layer models predict, so it shares nothing with them but their fields: no size rule, no
count. Windows are enumerated, shapes emerge from the arrays, multiplications are counted where they are executed.
The twin of `layers/<module>.py` is the module of the same name here. NumPy is loaded when a name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import Counter, DoesNotFit, NoTwin
    from .dispatch import backward, forward
    from .initial import init, learned
    from .norm import updated_statistics
    from .running import BackStep, Step, backpropagate, run

_HOME = {
    "BackStep": "running",
    "Counter": "context",
    "DoesNotFit": "context",
    "NoTwin": "context",
    "Step": "running",
    "backpropagate": "running",
    "backward": "dispatch",
    "forward": "dispatch",
    "init": "initial",
    "learned": "initial",
    "run": "running",
    "updated_statistics": "norm",
}

__all__ = [
    "BackStep",
    "Counter",
    "DoesNotFit",
    "NoTwin",
    "Step",
    "backpropagate",
    "backward",
    "forward",
    "init",
    "learned",
    "run",
    "updated_statistics",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
