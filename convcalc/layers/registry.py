"""The kinds of the language: a static table, so that a command imports only the models that its spec uses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Layer

_FAMILIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("conv", "Conv"): ("conv1d", "conv2d", "conv3d"),
    ("conv", "ConvTranspose"): ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    ("conv", "SeparableConv"): ("separable_conv1d", "separable_conv2d"),
}

KINDS: dict[str, tuple[str, str]] = {kind: place for place, kinds in _FAMILIES.items() for kind in kinds}
"""Kind -> (module, class)."""

_classes: dict[str, type[Layer]] = {}


def layer_class(kind: str) -> type[Layer]:
    """The model class of a kind, imported when first asked for; KeyError for an unknown kind."""
    found = _classes.get(kind)
    if found is None:
        module, name = KINDS[kind]
        found = _classes[kind] = getattr(import_module(f".{module}", __package__), name)
    return found


def build(kind: str, fields: dict[str, Any]) -> Layer:
    """A layer from its kind and its fields (field names or their short forms).

    Raises KeyError for an unknown kind and pydantic's ValidationError for wrong fields.

    >>> build("conv2d", {"out": 64, "k": 7, "s": 2, "p": 3}).output_shape(((3, 224, 224),))
    (64, 112, 112)
    """
    cls = layer_class(kind)
    return cls(kind=kind, **{cls.short_forms.get(name, name): value for name, value in fields.items()})
