"""What names a model in code: `package.module:callable`, or `./file.py:Net`."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from ..files import NotRegular, exists, read_regular
from ..hints import shortened
from ..limits import SPEC_BYTES

_DOTTED = r"[^\W\d]\w*(?:\.\w+)*"
_DATA = (".sqlite", ".yaml", ".yml")
"""Ends of what looks like a module and is the name of a file of data."""
_WRITTEN = re.compile(rf"(.+\.py|{_DOTTED}):({_DOTTED})", re.DOTALL)


class ModelSpec(NamedTuple):
    """A model in code: where the code is, and what in it is the model."""

    module: str
    """A dotted module, or the path of a file."""
    attribute: str
    """A class, a function or an instance; dots lead to attributes, also of what was built: `resnet18.layer1`."""

    @property
    def is_file(self) -> bool:
        """Whether the code is a file rather than a module that Python finds."""
        return self.module.endswith(".py")

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.attribute.replace(".", "_")

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


def model_spec(text: str) -> ModelSpec | None:
    """What a text names where it names a model in code; a file that exists under the whole text is a file, and one of
    data that exists under what stands before the colon has no model in it.

    >>> model_spec("torchvision.models:resnet18"), model_spec("./net.py:Net").is_file
    (ModelSpec(module='torchvision.models', attribute='resnet18'), True)
    >>> model_spec("net.yaml"), model_spec("git:main:net.py:Net"), model_spec("C:/nets/net.yaml")
    (None, None, None)
    >>> model_spec("run.sqlite:best")
    """
    found = _WRITTEN.fullmatch(text) if not text.startswith("git:") else None
    if found is None or exists(text):
        return None
    spec = ModelSpec(*found.groups())
    return spec if spec.is_file or not (spec.module.endswith(_DATA) or exists(spec.module)) else None


def choice(path: str) -> str:
    """How to name a model in a file of Python, whose classes with a `forward` are listed."""
    found = _classes(path)
    listed = f"one of {shortened(found, 8)}" if len(found) > 1 else "a class, a function or a module"
    return f"{path}:{found[-1]}" if len(found) == 1 else f"{path}:NAME, with {listed}"


def _classes(path: str) -> list[str]:
    """The classes of a file of Python that say what they do with an input, in order; the file is read, not run."""
    try:
        tree = ast.parse(read_regular(path, SPEC_BYTES))
    except (OSError, NotRegular, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        part.name
        for part in tree.body
        if isinstance(part, ast.ClassDef)
        and any(isinstance(each, ast.FunctionDef) and each.name == "forward" for each in part.body)
    ]


def argument(text: str) -> object:
    """The value of `--arg NAME=VALUE`: true, false and none, a Python literal, or the text itself.

    >>> [argument(text) for text in ("true", "none", "64", "[2, 2]", "1,2", "batch_norm", "'64'")]
    [True, None, 64, [2, 2], (1, 2), 'batch_norm', '64']
    """
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text
