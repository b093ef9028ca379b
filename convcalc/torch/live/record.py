"""One run of a model in which all that it calls is recorded.

The run has no numbers: parameters, buffers and inputs are stand-ins on the meta device, and the model itself is left as
it was.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib.metadata import PackageNotFoundError, version
from inspect import Parameter, signature
from io import StringIO
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..tape import Kind, Scope, Shape, Tape
from ..tape import Tensor as Value
from .recorder import Macs, Recorder, dtype_name, hooked, named_tensors, numbers_of


class Input(NamedTuple):
    """What a model reads: sizes without the batch, and the type."""

    sizes: Shape
    dtype: torch.dtype = torch.float32


class Refused(Exception):
    """A model that cannot be recorded; the message says why, `hint` what helps."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Failed(Exception):
    """The model's own code raised an exception; where stands in `scope` and in the traceback of the cause."""

    def __init__(self, cause: BaseException, scope: str, cls: str, shapes: Sequence[Shape]) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.scope = scope
        """The path of the module whose call it was."""
        self.cls = cls
        self.shapes = shapes
        """Of the tensors that this module had been given."""


@contextmanager
def _untouched(module: nn.Module, training: bool) -> Iterator[None]:
    """The model's modules in the mode of the run; afterwards all their attributes are what they were."""
    states = [
        (part, dict(part.__dict__), [(held, dict(held)) for held in (part._parameters, part._buffers, part._modules)])
        for part in module.modules()
    ]
    try:
        module.train(training)
        yield
    finally:
        for part, attributes, held in states:
            part.__dict__.clear()
            part.__dict__.update(attributes)
            for mapping, before in held:
                mapping.clear()
                mapping.update(before)


def checked(module: nn.Module) -> nn.Module:
    """The module that is run: that under `torch.compile`, or that which is copied to several devices.

    Raises Refused where there is none that Python runs.
    """
    original = getattr(module, "_orig_mod", None)
    if isinstance(original, nn.Module):
        return checked(original)
    if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return checked(module.module)
    for name, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            which = f"its module '{name}'" if name else "it"
            raise Refused(
                f"{which} is a ScriptModule: TorchScript has left Python, so that no call of it can be recorded",
                "give the nn.Module that it was made of",
            )
    for name, tensor in module.named_parameters():
        if _is_lazy(tensor):
            raise Refused(
                f"the parameter '{name}' has no shape yet: its layer is lazy",
                "call the model on an example once, so that its lazy layers have their shapes",
            )
    return module


def _is_lazy(tensor: Tensor) -> bool:
    return isinstance(tensor, nn.parameter.UninitializedTensorMixin)


def _settle(module: nn.Module, inputs: Sequence[Input], named: Mapping[str, Input], device: str) -> None:
    """Run a model whose lazy layers have no shapes yet. Raises Failed."""
    args = [example(input, 1, device) for input in inputs]
    kwargs = {name: example(input, 1, device) for name, input in named.items()}
    try:
        with torch.no_grad(), torch.device(device):
            module.eval()(*args, **kwargs)
    except (Exception, SystemExit) as error:
        raise Failed(error, "", type(module).__name__, [tuple(tensor.shape) for tensor in args]) from error


def record(
    module: nn.Module,
    inputs: Sequence[Input],
    named: Mapping[str, Input] | None = None,
    *,
    device: str = "meta",
    training: bool = False,
    own: bool = False,
) -> Tape:
    """The tape of one run of a model on inputs of these sizes, by order and by name, each with a batch of 1.

    The model is left as it was, unless it is ours: then its lazy layers get their shapes. Raises Refused where it
    cannot be recorded and Failed where its code raises.
    """
    named = named or {}
    if own and any(_is_lazy(tensor) for tensor in module.parameters()):
        _settle(module, inputs, named, device)
    module = checked(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tape, inputs, named = _first(module, inputs, named, device, training)
        if not tape.outputs:
            raise Refused("it gives no tensor, so that nothing is its output")
        second = _second(module, inputs, named, device, training, tape)
    if second is not None:
        tape.second = [tensor.shape for tensor in second.tensors]
        tape.second_arguments = {
            index: (other.args, other.kwargs)
            for index, (call, other) in enumerate(zip(tape.calls, second.calls, strict=True))
            if (call.args, call.kwargs) != (other.args, other.kwargs)
        }
    return tape


WHOLE = re.compile(r"\b[Ll]ong\b|LongTensor")
"""What torch says of positions that are no whole numbers."""
MOST_TOGETHER = 4
"""Inputs of which any may hold positions; of more of them one does, or all do."""


def _first(
    module: nn.Module, inputs: Sequence[Input], named: Mapping[str, Input], device: str, training: bool
) -> tuple[Tape, Sequence[Input], Mapping[str, Input]]:
    """The tape of a run with a batch of 1, and its inputs: whole numbers where they hold positions, as of words."""
    try:
        return _batched(module, inputs, named, device, training, 1), inputs, named
    except Failed as error:
        if WHOLE.search(str(error.cause)) is None:
            raise
        failed = error
    count = len(inputs) + len(named)
    sizes = range(1, count + 1) if count <= MOST_TOGETHER else (1, count)
    for chosen in (chosen for size in sizes for chosen in combinations(range(count), size)):
        given = [input._replace(dtype=torch.int64) if n in chosen else input for n, input in enumerate(inputs)]
        others = {
            name: input._replace(dtype=torch.int64) if n in chosen else input
            for n, (name, input) in enumerate(named.items(), len(inputs))
        }
        try:
            return _batched(module, given, others, device, training, 1), given, others
        except Failed:
            continue
    raise failed


STEP = (64, 32)
"""By how much the last axes of an input are larger in the second run: each by another multiple of usual strides."""
FACTORS = (3, 5)
"""By how much they are multiplied where the model takes no step, or goes another way then: windows fit as before."""


def _second(
    module: nn.Module, inputs: Sequence[Input], named: Mapping[str, Input], device: str, training: bool, tape: Tape
) -> Tape | None:
    """The tape of a run with a batch of 2: on larger inputs, else on the same ones; None where it makes other calls."""
    for change in (_larger, _multiplied, _same):
        tried = [change(input) for input in inputs]
        tried_named = {name: change(input) for name, input in named.items()}
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                second = _batched(module, tried, tried_named, device, training, 2)
        except (Exception, SystemExit):  # what a model raises on sizes that it is not made for says nothing
            continue
        if _same_calls(tape, second) and (change is _same or _one_an_example(tape, second)):
            return second
    return None


def _one_an_example(tape: Tape, other: Tape) -> bool:
    """Whether what the model gives once an example it gives so in the run on larger inputs too.

    A view of a fixed size (`view(-1, 784)`) takes pixels that are more for examples.
    """
    ends = zip(tape.outputs, other.outputs, strict=True)
    shapes = [(tape.tensors[one].shape, other.tensors[two].shape) for (_, one), (_, two) in ends]
    return all(first[:1] != (1,) or second[0] == 2 for first, second in shapes)


def _batched(
    module: nn.Module, inputs: Sequence[Input], named: Mapping[str, Input], device: str, training: bool, batch: int
) -> Tape:
    args = [example(input, batch, device) for input in inputs]
    kwargs = {name: example(input, batch, device) for name, input in named.items()}
    return run(module, args, kwargs, device=device, training=training, counted=batch == 1)


def _larger(input: Input) -> Input:
    """The last axes of space longer by the steps."""
    return _changed(input, [size + step for size, step in zip(input.sizes[1:][-2:], STEP, strict=False)])


def _multiplied(input: Input) -> Input:
    """The last axes of space longer by the factors."""
    return _changed(input, [size * factor for size, factor in zip(input.sizes[1:][-2:], FACTORS, strict=False)])


def _same(input: Input) -> Input:
    return input


def _changed(input: Input, last: Sequence[int]) -> Input:
    if not input.dtype.is_floating_point:
        return input
    return Input((*input.sizes[: len(input.sizes) - len(last)], *last), input.dtype)


def _same_calls(tape: Tape, other: Tape) -> bool:
    """Whether two runs made the same calls on the same tensors, so that only sizes differ."""
    return (
        len(tape.tensors) == len(other.tensors)
        and len(tape.calls) == len(other.calls)
        and all(
            (a.function, a.outputs, a.scope) == (b.function, b.outputs, b.scope)
            for a, b in zip(tape.calls, other.calls, strict=True)
        )
    )


def run(
    module: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    device: str = "meta",
    training: bool = False,
    counted: bool = True,
) -> Tape:
    """The tape of one run of a model on these arguments, whose tensors are on the device.

    The model is left as it was. Multiply-accumulates are counted where they are asked for. Raises Failed where its code
    raises.
    """
    state, values, aliases = _state(module, device)
    given = [*zip(_positional(module, len(args)), args, strict=True), *kwargs.items()]
    inputs = [found for name, value in given for found in named_tensors(value, name)]
    for name, tensor in inputs:
        values[id(tensor)] = Value(tuple(tensor.shape), dtype_name(tensor.dtype), "input", name)
    recorder = Recorder(values, device)
    recorder.paths = {id(part): name for name, part in module.named_modules()}
    recorder.tape.inputs = tuple([recorder.place(tensor) for _, tensor in inputs])
    with ExitStack() as stack:
        stack.enter_context(_untouched(module, training))
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(hooked(recorder))
        if counted:
            stack.enter_context(Macs(recorder))
        stack.enter_context(recorder)
        try:
            result = torch.func.functional_call(module, state, tuple(args), dict(kwargs))
        except (Exception, SystemExit) as error:
            scope = recorder.tape.scopes[recorder.open[-1].scope] if recorder.open else Scope("", "", -1)
            shapes = [recorder.tape.tensors[index].shape for index in scope.inputs]
            recorder.forget()
            raise Failed(error, scope.path, scope.cls, shapes) from error
        outputs = named_tensors(result)
        recorder.tape.outputs = tuple([(name, recorder.place(tensor)) for name, tensor in outputs])
        recorder.forget()
    tape = recorder.tape
    for value in values.values():
        if value.origin == "parameter":
            tape.parameters[value.name] = value.shape
        elif value.origin == "buffer":
            tape.buffers[value.name] = value.shape
    tape.aliases = aliases
    read = {tensor.name for tensor in tape.tensors if tensor.origin == "parameter"}
    tape.unused = tuple(name for name in tape.parameters if name not in read)
    tape.versions = _versions(module)
    return tape


def _versions(module: nn.Module) -> dict[str, str]:
    """The installed package that the model's class stands in, and torch, with their versions."""
    package = type(module).__module__.partition(".")[0]
    found = {}
    for name in dict.fromkeys((package, "torch")):
        with suppress(PackageNotFoundError):
            found[name] = version(name).partition("+")[0]
    return found


def example(input: Input, batch: int, device: str) -> Tensor:
    """A tensor of these sizes, with random numbers where it has any."""
    sizes = (batch, *input.sizes)
    if device == "meta":
        return torch.empty(sizes, dtype=input.dtype, device=device)
    if input.dtype.is_floating_point:
        numbers = torch.rand(sizes, dtype=input.dtype, generator=torch.Generator().manual_seed(0))
        return numbers.to(device)
    return torch.zeros(sizes, dtype=input.dtype, device=device)


def _positional(module: nn.Module, count: int) -> list[str]:
    """The names of the first so many arguments of the model's `forward`."""
    parameters = list(signature(module.forward).parameters.values())
    names = [p.name for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is Parameter.VAR_POSITIONAL), "input")
    return [*names[:count], *(f"{rest}_{index}" for index in range(count - len(names)))]


def _state(module: nn.Module, device: str) -> tuple[dict[str, Tensor], dict[int, Value], dict[str, str]]:
    """Stand-ins for parameters and buffers by name, what each is by identity, and other names -> the first one."""
    state: dict[str, Tensor] = {}
    values: dict[int, Value] = {}
    aliases: dict[str, str] = {}
    first: dict[int, str] = {}
    kinds: tuple[tuple[Kind, Iterable[tuple[str, Tensor]]], ...] = (
        ("parameter", module.named_parameters(remove_duplicate=False)),
        ("buffer", module.named_buffers(remove_duplicate=False)),
    )
    for origin, named in kinds:
        for name, tensor in named:
            if id(tensor) in first:
                aliases[name] = first[id(tensor)]
                continue
            first[id(tensor)] = name
            held = tensor.detach().to(device, copy=origin == "buffer")
            if device == "meta":
                held = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            if origin == "parameter" and tensor.dtype.is_floating_point:
                held = nn.Parameter(held, requires_grad=False)
            state[name] = held
            numbers = numbers_of(tensor) if origin == "buffer" else None
            values[id(held)] = Value(tuple(tensor.shape), dtype_name(tensor.dtype), origin, name, numbers)
    return state, values, aliases
