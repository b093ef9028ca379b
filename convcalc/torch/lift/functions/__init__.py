"""The functions of PyTorch that become layers: one record each, a file for each family."""

from __future__ import annotations

from . import activations, arithmetic, layout, norms, parts, products, recurrent, reductions, resizing, windows
from .record import Function

_FAMILIES = (activations, arithmetic, layout, norms, parts, products, recurrent, reductions, resizing, windows)
FUNCTIONS: dict[str, Function] = {
    name: function for family in _FAMILIES for function in family.FUNCTIONS for name in function.names.split()
}
"""Name -> record."""
