"""Names and texts of a network as Python has them: identifiers, class names, docstrings."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

BUILTINS = frozenset({"range", "super", "print", "zip", "len", "sum", "tuple", "list", "self", "isinstance", "float"})
"""Names of Python that the exported code uses."""
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^A-Za-z0-9]+", "_", decomposed.encode("ascii", "ignore").decode("ascii"))


def identifier(text: str, prefix: str = "layer") -> str:
    """A lower-level name: letters, digits and underscores; the prefix goes before a leading digit.

    >>> identifier("inception_3a.3x3"), identifier("3x3", "branch"), identifier("lambda"), identifier("")
    ('inception_3a_3x3', 'branch_3x3', 'lambda_', 'layer')
    """
    name = _ascii(text).strip("_")
    if not name or name[0].isdigit():
        name = f"{prefix}_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) or name in BUILTINS else name


def class_name(text: str, fallback: str = "Model") -> str:
    """A class's name in camel case; capitals inside words stay.

    >>> class_name("conv_relu"), class_name("GoogLeNet"), class_name("ResNet (CIFAR-10)"), class_name("1x1")
    ('ConvRelu', 'GoogLeNet', 'ResNetCIFAR10', 'Block1x1')
    """
    words = [word for word in _ascii(text).split("_") if word]
    name = "".join(word[0].upper() + word[1:] for word in words) or fallback
    name = f"Block{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


class Names:
    """Names of one scope, each given once."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._numbers: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name, with a number after it where it is taken.

        >>> names = Names({"x"})
        >>> names.unique("x"), names.unique("y"), names.unique("y")
        ('x2', 'y', 'y2')
        """
        found, number = name, self._numbers.get(name, 1)
        while found in self._taken:
            number += 1
            found = f"{name}{'_' * name[-1].isdigit()}{number}"
        self._numbers[name] = number
        self._taken.add(found)
        return found


def plain(text: str) -> str:
    """Text without control, direction and zero-width characters: they are shown escaped; newlines stay.

    >>> plain("a\\x1bb")
    'a\\\\x1bb'
    """
    return _CONTROL.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)


def docstring(text: str, indent: str = "") -> list[str]:
    """Lines of a docstring that says `text`, whatever stands in it.

    >>> len(docstring("one line")), len(docstring("two\\nlines"))
    (1, 3)
    """
    safe = plain(text).replace("\\", "\\\\")
    if '"""' in safe or safe.endswith('"'):
        safe = safe.replace('"', '\\"')
    lines = [line.rstrip() for line in safe.split("\n")]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(f"{indent}{line}".rstrip() for line in lines[1:]), f'{indent}"""']
