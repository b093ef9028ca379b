"""What a file says of where a layer stands: modules that exporters leave in metadata, names of nodes and of weights.

PyTorch's exporters say which modules were called: the newer one in the metadata of nodes, with their classes, the older
one in the names of nodes. Elsewhere the parts of a name are taken for modules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .builder import Step
from .messages import OnnxNode

DEEPEST = 24
"""Modules in each other that are told apart."""
SCOPES = "pkg.torch.onnx.name_scopes"
CLASSES = "pkg.torch.onnx.class_hierarchy"
NAMESPACE = "namespace"
QUOTED = re.compile(r"'([^']*)'")
PLAIN = ("Sequential",)
"""Classes that only call their modules in order: no block has their names."""
SIMPLE = re.compile(
    r"torch\.nn\.modules\.(?:activation|batchnorm|conv|dropout|instancenorm|linear|pooling)\.(?!Multi)\w+"
)
"""Classes whose every call is one operator of PyTorch."""
MEANINGLESS = re.compile(r"(?:n|node|op|layer)?_?\d*(?:_\d+)*|node_.*|[A-Z]\w*_\d+|.*#.*", re.DOTALL)
"""Node names that say nothing but the operator and a number."""
ANONYMOUS = re.compile(r"[a-z]?\d*|val_\d+|.*(?:::|onnx).*", re.DOTALL)
"""Tensor names that say nothing."""
SUFFIX = re.compile(
    r"(?:[._/](?:weight|kernel|gamma|scale|w|s|slope)(?:_quantized)?(?:[_:/]?\d+)?|_(?:bn)?_?(?:w|s|scale)_\d+)$"
)
"""What a weight's name adds to that of its layer."""
FRACTION = re.compile(r"(\d)\.(?=0\d|\d+_)")
"""The point of a number inside a name, as in `mobilenetv2_1.00_224`."""


class Module(NamedTuple):
    """A module around a layer."""

    name: tuple[str, ...]
    """What it is called inside the module around it; the parts before the last are containers."""
    cls: str
    """Its class; empty where nothing says it, or it is a plain sequence."""
    mark: str
    """What tells it from others in the same module, also where these are the same module called again."""


class Scope(NamedTuple):
    """The modules around a layer, outer ones first."""

    modules: tuple[Module, ...]
    called: bool
    """Whether these are calls, so that a module that is entered again is called again."""
    call: tuple[str, str] = ("", "")
    """(operator, which call of it) of the innermost module, where each call of that is one operator of PyTorch."""

    @property
    def path(self) -> tuple[str, ...]:
        """All names, from the outermost."""
        return tuple([part for module in self.modules for part in module.name])


class Scopes:
    """Reads the scopes of layers."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Scope] = {}

    def of(self, step: Step) -> Scope | None:
        """The scope of a layer; None where nothing says it."""
        node = step.node
        metadata = node.metadata
        written = (metadata.get(SCOPES, ""), metadata.get(CLASSES, ""), metadata.get(NAMESPACE, ""))
        if any(written):
            found = self._known.get(written)
            if found is None:
                found = self._known[written] = _of_metadata(*written)
            if found.modules or written[0]:
                return found
        if node.name.startswith("/"):
            return _of_path(node.name)
        if node.name and not MEANINGLESS.fullmatch(node.name):
            return _of_name(node)
        weights = of_weights(step)
        if weights is not None:
            return _of_parts(weights)
        if not node.name and node.outputs and not ANONYMOUS.fullmatch(node.outputs[0]):
            return _of_parts(parts(node.outputs[0]))
        return None


def of_weights(step: Step) -> tuple[str, ...] | None:
    """The names of the modules that a layer's weights belong to; None where their names say nothing."""
    for weight in step.weights:
        stem = SUFFIX.sub("", weight)
        if stem != weight and not ANONYMOUS.fullmatch(stem):
            return parts(stem)
    return None


def parts(name: str) -> tuple[str, ...]:
    """The parts of a name: between slashes where it has some, else between dots.

    >>> parts("layer1.0.conv1"), parts("mobilenetv2_1.00_224.conv1"), parts("a/b.c")
    (('layer1', '0', 'conv1'), ('mobilenetv2_1_00_224', 'conv1'), ('a', 'b.c'))
    """
    pieces = name.split("/") if "/" in name else FRACTION.sub(r"\1_", name).split(".")
    return tuple([part for part in pieces if part][:DEEPEST])


def _of_metadata(scopes: str, classes: str, namespace: str) -> Scope:
    """What PyTorch's newer exporter writes: full names of modules, and of the operator last, with their classes."""
    if scopes:
        names, types = QUOTED.findall(scopes), QUOTED.findall(classes)
    else:
        pairs = [entry.partition(": ")[::2] for entry in namespace.split("/")]
        names, types = [name for name, _ in pairs], [cls for _, cls in pairs]
    types += [""] * (len(names) - len(types))
    found: list[Module] = []
    around = ""
    for name, cls in zip(names[:-1][: DEEPEST + 1], types, strict=False):
        below = name.removeprefix(f"{around}.") if around else name
        if below and name != around:
            last = cls.rpartition(".")[2]
            found.append(Module(tuple(below.split(".", DEEPEST)), "" if last in PLAIN else last, below))
            around = name
    simple = len(names) > 1 and SIMPLE.fullmatch(types[len(names) - 2])
    return Scope(tuple(found), True, (types[len(names) - 1], names[-1]) if simple else ("", ""))


def _of_path(name: str) -> Scope:
    """What PyTorch's older exporter writes: `/layer1/layer1.0/conv1/Conv`, in which a sequence repeats its own name."""
    found: list[Module] = []
    around = ""
    for component in name.split("/", DEEPEST + 2)[1:-1]:
        below = component.removeprefix(f"{around}.") if around else component
        if component:
            found.append(Module(tuple(below.split(".", DEEPEST)), "", component))
            around = component
    return Scope(tuple(found), True)


def _of_name(node: OnnxNode) -> Scope:
    """The parts of a node's name, without a last one that is the operator's."""
    found = parts(node.name)
    if len(found) > 1 and "/" in node.name and found[-1].rstrip("_0123456789") == node.op:
        found = found[:-1]
    return _of_parts(found)


def _of_parts(names: Sequence[str]) -> Scope:
    return Scope(tuple([Module((name,), "", name) for name in names]), False)
