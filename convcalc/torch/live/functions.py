"""The public names of the functions that Python calls: `torch.nn.functional.conv2d` for what is `torch.conv2d` too."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

OPERATORS = {"torchvision": "torchvision.ops"}
"""Where the functions of registered operators are known to their users."""


@cache
def _known() -> dict[Any, str]:
    """Function -> name. Names of `torch.nn.functional` come before those of `torch`, those before the others."""
    found: dict[Any, str] = {}
    places = (
        ("torch.nn.functional", torch.nn.functional),
        ("torch", torch),
        ("torch.Tensor", torch.Tensor),
        ("torch.Tensor", torch.Tensor.__base__),
        ("torch.special", torch.special),
        ("torch.linalg", torch.linalg),
        ("torch.fft", torch.fft),
        ("torch.nn.init", torch.nn.init),
    )
    for prefix, place in places:
        for name, value in vars(place).items():
            if not callable(value) or (name.startswith("_") and not name.startswith("__")):
                continue
            found.setdefault(value, f"{prefix}.{name}")
    return found


@cache
def name_of(function: Any) -> str:
    """The public name of a function, method, property or operator of torch."""
    known = _known().get(function)
    if known is not None:
        return known
    owner = getattr(function, "__self__", None)  # of the getter of a property
    if getattr(function, "__name__", "") == "__get__" and owner is not None:
        return f"torch.Tensor.{owner.__name__}"
    text = str(function)
    module = str(getattr(function, "__module__", ""))
    if module.startswith("torch._ops"):  # OpOverload, OpOverloadPacket
        package, _, rest = text.partition(".")
        return f"{OPERATORS[package]}.{rest.removesuffix('.default')}" if package in OPERATORS else text
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", text)
    return f"{module}.{name}" if module and module != "None" else str(name)
