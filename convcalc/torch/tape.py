"""The tape: what Python called in one run of a model, as plain data, without torch.

A tape is made by a run (`record`) or of a file, and is read by the lift. Shapes have their batch: in the first run the
batch of every input is 1, in the second it is 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Shape = tuple[int, ...]
Kind = Literal["input", "parameter", "buffer", "constant", "call"]


class Tensor(NamedTuple):
    """One value of a tensor; an operation in place makes a new one."""

    shape: Shape
    dtype: str
    """As torch says it, without the package: `float32`, `int64`, `bool`."""
    origin: Kind
    """`constant`: it stands in the code or on the model and is no parameter and no buffer; `call`: a call made it."""
    name: str = ""
    """Of a parameter or buffer: its path in the model; of an input: the name of the argument."""
    numbers: tuple[float, ...] | None = None
    """The values, in order, of small constants and buffers that are known."""


class Ref(NamedTuple):
    """Stands for a tensor in arguments, by its place in `Tape.tensors`."""

    tensor: int


class Call(NamedTuple):
    """One outermost call of a function of torch."""

    function: str
    """Its public name: `torch.nn.functional.conv2d`, `torch.cat`, `torch.Tensor.view`, `torch.Tensor.__getitem__`,
    `torchvision.ops.deform_conv2d`; `aten.convolution.default` where it comes of a file."""
    args: tuple[Any, ...]
    """Numbers, texts, truth values, None, slices, Ellipsis, Ref, and tuples and dicts of them; dtypes and devices are
    texts (`torch.float32`, `meta`)."""
    kwargs: Mapping[str, Any]
    outputs: tuple[int, ...]
    """The tensors that it made; one in place makes the new value of what it wrote to."""
    scope: int
    """The call of a module in which it stands, by its place in `Tape.scopes`."""
    macs: int = 0
    """Products with a sum in all ATen operators below it, for a batch of 1."""
    macs_of: tuple[tuple[str, int], ...] = ()
    """The ATen operators that made them: (`aten::convolution`, 118013952)."""


class Scope(NamedTuple):
    """One call of a module. The first is the model's own."""

    path: str
    """The module's name in the model: `layer1.0.conv1`; empty for the model."""
    cls: str
    """The name of its class: `Bottleneck`."""
    parent: int
    """The scope in which it was called; −1 for the model."""
    call: int = 0
    """How many calls of the same module came before."""
    start: int = 0
    """The first call on the tape that could be its own; a module that calls nothing has none."""
    stop: int = 0
    """The call behind the last of its own."""
    inputs: tuple[int, ...] = ()
    """The tensors among its arguments, in order."""
    outputs: tuple[int, ...] = ()
    """The tensors that it returned, in order."""


@dataclass
class Tape:
    """One run of a model."""

    tensors: list[Tensor] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    outputs: tuple[tuple[str, int], ...] = ()
    """Name and tensor; the name is empty for the only one, else its key, field or number."""
    parameters: dict[str, Shape] = field(default_factory=dict)
    """Each once, under its first name."""
    buffers: dict[str, Shape] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """Another name of a parameter or buffer -> its first name."""
    unused: tuple[str, ...] = ()
    """Parameters that no call read."""
    second: list[Shape] | None = None
    """The shapes of all tensors in a run with a batch of 2, and with inputs of other sizes where the model takes them;
    None where it took no other batch."""
    second_arguments: dict[int, tuple[tuple[Any, ...], Mapping[str, Any]]] = field(default_factory=dict)
    """Call -> its arguments in the second run, where they differ."""
    versions: dict[str, str] = field(default_factory=dict)
    """Package -> version: torch, and that of the model."""


def refs(value: object) -> list[int]:
    """The tensors that arguments name, in order, each as often as it is named.

    >>> refs((Ref(3), [Ref(1), 7], {"other": Ref(3)}))
    [3, 1, 3]
    """
    if isinstance(value, Ref):
        return [value.tensor]
    if isinstance(value, Mapping):
        return [found for part in value.values() for found in refs(part)]
    if isinstance(value, (tuple, list)):
        return [found for part in value for found in refs(part)]
    if isinstance(value, slice):
        return [found for part in (value.start, value.stop, value.step) for found in refs(part)]
    return []


def _plain(value: object) -> Any:
    """Arguments as JSON has them: what it lacks is a mapping with one key."""
    if isinstance(value, Ref):
        return {"ref": value.tensor}
    if isinstance(value, slice):
        return {"slice": [_plain(value.start), _plain(value.stop), _plain(value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, Mapping):
        return {"dict": {key: _plain(part) for key, part in value.items()}}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return value


def _meant(value: Any) -> Any:
    """Arguments from JSON."""
    if isinstance(value, list):
        return tuple(_meant(part) for part in value)
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "ref":
        return Ref(content)
    if kind == "slice":
        return slice(*_meant(content))
    if kind == "ellipsis":
        return Ellipsis
    if kind == "complex":
        return complex(*content)
    return {key: _meant(part) for key, part in content.items()}


def to_json(tape: Tape) -> dict[str, Any]:
    """The tape as JSON data.

    >>> tape = Tape([Tensor((1, 3), "float32", "input")], [Call("torch.relu", (Ref(0), slice(1, None)), {}, (1,), 0)])
    >>> from_json(to_json(tape)) == tape
    True
    """
    return {
        "tensors": [list(tensor) for tensor in tape.tensors],
        "calls": [[c.function, _plain(c.args), _plain(c.kwargs), *c[3:]] for c in tape.calls],
        "scopes": [list(scope) for scope in tape.scopes],
        "inputs": list(tape.inputs),
        "outputs": [list(output) for output in tape.outputs],
        "parameters": tape.parameters,
        "buffers": tape.buffers,
        "aliases": tape.aliases,
        "unused": list(tape.unused),
        "second": tape.second,
        "second_arguments": {str(i): [_plain(a), _plain(k)] for i, (a, k) in tape.second_arguments.items()},
        "versions": tape.versions,
    }


def from_json(data: dict[str, Any]) -> Tape:
    """The tape that `to_json` wrote, before or after JSON."""
    return Tape(
        tensors=[
            Tensor(tuple(shape), dtype, origin, name, None if numbers is None else tuple(numbers))
            for shape, dtype, origin, name, numbers in data["tensors"]
        ],
        calls=[
            Call(function, _meant(args), _meant(kwargs), tuple(outputs), scope, macs, tuple((o, n) for o, n in macs_of))
            for function, args, kwargs, outputs, scope, macs, macs_of in data["calls"]
        ],
        scopes=[
            Scope(path, cls, parent, call, start, stop, tuple(inputs), tuple(outputs))
            for path, cls, parent, call, start, stop, inputs, outputs in data["scopes"]
        ],
        inputs=tuple(data["inputs"]),
        outputs=tuple((name, tensor) for name, tensor in data["outputs"]),
        parameters={name: tuple(shape) for name, shape in data["parameters"].items()},
        buffers={name: tuple(shape) for name, shape in data["buffers"].items()},
        aliases=dict(data["aliases"]),
        unused=tuple(data["unused"]),
        second=None if data["second"] is None else [tuple(shape) for shape in data["second"]],
        second_arguments={int(i): (_meant(a), _meant(k)) for i, (a, k) in data["second_arguments"].items()},
        versions=dict(data["versions"]),
    )
