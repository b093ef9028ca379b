"""The recorder: one run of a model in which everything that Python calls of torch is put on a tape.

A `TorchFunctionMode` sees the outermost calls, hooks see the modules that are called, and a `TorchDispatchMode` below
sees what ATen multiplies. The run has no numbers: parameters, buffers and inputs are stand-ins on the meta device, and
the model itself is left as it was.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .functions import name_of
from .macs import MACS
from .tape import Call, Ref, Scope, Shape, Tape
from .tape import Tensor as Value

NUMBERS = 64
"""Of a constant with so many at most the values are on the tape."""
DROPOUTS = frozenset(
    f"torch.nn.functional.{name}"
    for name in ("alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
)
"""What gives its input itself where nothing is trained, and is a layer all the same."""
WRITTEN = "convcalc.written_elsewhere"
"""The function of a call that stands for a write through another view: the old value, the view's new one."""


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


class _Open:
    """A module's call that has not ended."""

    def __init__(self, module: nn.Module, scope: int) -> None:
        self.module = module
        self.scope = scope


class _Macs(TorchDispatchMode):
    """Sums what ATen's operators multiply, and tells the recorder what no function of Python called."""

    def __init__(self, recorder: _Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = MACS.get(func._schema.name)
        if formula is not None:
            shapes = [tuple(arg.shape) if isinstance(arg, Tensor) else arg for arg in args]
            first = result[0] if isinstance(result, (tuple, list)) else result
            self.recorder.multiplied(func._schema.name, formula(shapes, tuple(first.shape)))
        return result


class _Recorder(TorchFunctionMode):
    """The tape in the making."""

    def __init__(self, names: Mapping[int, Value], device: str) -> None:
        super().__init__()
        self.tape = Tape()
        self.device = device
        self.open: list[_Open] = []
        self.paths: dict[int, str] = {}
        """Identity of a module -> its path."""
        self._called: dict[int, int] = {}
        self._named = names
        """Identity of a parameter, buffer or input -> what it is."""
        self._macs: dict[str, int] = {}
        self._kept: list[Tensor] = []
        """Tensors of other devices and their stand-ins: they live as long as their identities are used."""
        self._standins: dict[int, Tensor] = {}
        self._writes: dict[int, int] = {}
        """Identity of the base of views -> the newest value of what was written through one of them."""

    def multiplied(self, operator: str, macs: int) -> None:
        """Note what an operator below the present call multiplies."""
        if macs:
            self._macs[operator] = self._macs.get(operator, 0) + macs

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = name_of(func)
        args, kwargs = self._here(args), self._here(kwargs)
        read: list[tuple[Tensor, int]] = []
        tape_args, tape_kwargs = self._plain(args, read), self._plain(kwargs, read)
        self._macs = {}
        result = func(*args, **kwargs)
        if name == "torch.Tensor.__iter__":
            parts = tuple(result)
            self._note("torch.Tensor.unbind", tape_args, tape_kwargs, parts, read)
            return iter(parts)
        if name in DROPOUTS and any(result is tensor for tensor, _ in read):
            result = result.view_as(result)
        made = tensors(result)
        if made or any(tensor._version != version for tensor, version in read):
            self._note(name, tape_args, tape_kwargs, made, read)
        return result

    def _note(
        self, name: str, args: Any, kwargs: Any, made: Sequence[Tensor], read: Sequence[tuple[Tensor, int]]
    ) -> None:
        """One more call on the tape, unless it only gave back what it was given."""
        written = [tensor for tensor, version in read if tensor._version != version]
        inputs = {id(tensor) for tensor, _ in read}
        changed = {id(tensor) for tensor in written}
        new = [tensor for tensor in made if id(tensor) not in inputs or id(tensor) in changed]
        if not new and not written:
            return
        results = [*made, *written]
        unique = {id(tensor): tensor for tensor in results}
        places = {
            key: self._add(tensor, "call") if key not in inputs or key in changed else self._place(tensor)
            for key, tensor in unique.items()
        }
        for tensor in written:
            self._writes[id(_base(tensor))] = places[id(tensor)]
        macs = self._macs
        outputs = tuple(places[id(tensor)] for tensor in made) or tuple(places.values())
        extra = tuple(place for key, place in places.items() if place not in outputs)
        scope = self.open[-1].scope if self.open else 0
        self.tape.calls.append(
            Call(name, args, kwargs, (*outputs, *extra), scope, sum(macs.values()), tuple(macs.items()))
        )

    def _add(self, tensor: Tensor, origin: Any, name: str = "", numbers: Any = None) -> int:
        place = len(self.tape.tensors)
        self.tape.tensors.append(Value(tuple(tensor.shape), _dtype(tensor.dtype), origin, name, numbers))
        tensor._convcalc = (self, place, tensor._version)  # type: ignore[attr-defined]
        return place

    def _place(self, tensor: Tensor) -> int:
        """Where the newest value of a tensor stands on the tape."""
        recorder, place, version = getattr(tensor, "_convcalc", (None, 0, 0))
        if recorder is not self:
            return self._first(tensor)
        if version == tensor._version:
            return int(place)
        other = self._writes.get(id(_base(tensor)))
        new = self._add(tensor, "call")
        read = (Ref(place),) if other is None else (Ref(place), Ref(other))
        scope = self.open[-1].scope if self.open else 0
        self.tape.calls.append(Call(WRITTEN, read, {}, (new,), scope))
        return new

    def _first(self, tensor: Tensor) -> int:
        """A tensor that is met for the first time: a parameter, a buffer, an input, or a constant of the code."""
        known = self._named.get(id(tensor))
        if known is not None:
            return self._add(tensor, known.origin, known.name, known.numbers)
        return self._add(tensor, "constant", "", getattr(tensor, "_convcalc_numbers", None))

    def _here(self, value: Any) -> Any:
        """Arguments whose tensors are on the device of the run."""
        if isinstance(value, Tensor):
            return value if value.device.type == self.device else self._standin(value)
        if isinstance(value, tuple) and any(isinstance(part, (Tensor, tuple, list)) for part in value):
            parts = [self._here(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        if type(value) is list and any(isinstance(part, (Tensor, tuple, list)) for part in value):
            return [self._here(part) for part in value]
        if type(value) is dict:
            return {key: self._here(part) for key, part in value.items()}
        return value

    def _standin(self, tensor: Tensor) -> Tensor:
        """A tensor without numbers in place of one of another device, always the same for the same."""
        found = self._standins.get(id(tensor))
        if found is None:
            found = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=self.device)
            found._convcalc_numbers = numbers_of(tensor)  # type: ignore[attr-defined]
            self._kept += [tensor, found]
            self._standins[id(tensor)] = found
        return found

    def _plain(self, value: Any, read: list[tuple[Tensor, int]]) -> Any:
        """Arguments as the tape has them; what they read is added to `read`, with its version."""
        if isinstance(value, Tensor):
            place = self._place(value)
            read.append((value, value._version))
            return Ref(place)
        if value is None or value is Ellipsis or isinstance(value, (bool, int, float, complex, str)):
            return value
        if isinstance(value, (tuple, list)):
            return tuple([self._plain(part, read) for part in value])
        if isinstance(value, Mapping):
            return {str(key): self._plain(part, read) for key, part in value.items()}
        if isinstance(value, slice):
            return slice(*(self._plain(part, read) for part in (value.start, value.stop, value.step)))
        return str(value)

    def enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """A module is called."""
        key = id(module)
        call = self._called.get(key, 0)
        self._called[key] = call + 1
        parent = self.open[-1].scope if self.open else -1
        read = tuple([self._place(tensor) for tensor in tensors(self._here(args))])
        start = len(self.tape.calls)
        path = self.paths.get(key, "")
        self.open.append(_Open(module, len(self.tape.scopes)))
        self.tape.scopes.append(Scope(path, type(module).__name__, parent, call, start, start, read))

    def leave(self, module: nn.Module, result: Any) -> None:
        """A module's call ends, and those that an exception left open inside it."""
        while self.open:
            ended = self.open.pop()
            if ended.module is module:
                made = tuple([self._place(tensor) for tensor in tensors(self._here(result))])
                scope = self.tape.scopes[ended.scope]
                self.tape.scopes[ended.scope] = scope._replace(stop=len(self.tape.calls), outputs=made)
                return


def _base(tensor: Tensor) -> Tensor:
    base = tensor._base
    return tensor if base is None else base


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def tensors(value: Any) -> list[Tensor]:
    """The tensors in what a function returns, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for part in value for tensor in tensors(part)]
    return [tensor for _, part in _parts(value) for tensor in tensors(part)]


def _parts(value: Any) -> list[tuple[str, Any]]:
    """What a result that has parts has, under their names."""
    if isinstance(value, Mapping):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, (tuple, list)):
        names = getattr(value, "_fields", None) or [str(index) for index in range(len(value))]
        return list(zip(names, value, strict=True))
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    return []


def named_tensors(value: Any, name: str = "") -> list[tuple[str, Tensor]]:
    """The tensors in what a model returns, with their keys, fields or numbers; the only one has no name."""
    if isinstance(value, Tensor):
        return [(name, value)]
    found = []
    for key, part in _parts(value):
        found += named_tensors(part, f"{name}.{key}" if name else key)
    return found


def numbers_of(tensor: Tensor) -> tuple[float, ...] | None:
    """The values of a small tensor that has any, in order."""
    if tensor.device.type != "cpu" or tensor.numel() > NUMBERS or tensor.is_complex() or tensor.is_quantized:
        return None
    return tuple(tensor.detach().reshape(-1).tolist())


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


@contextmanager
def _hooked(recorder: _Recorder) -> Iterator[None]:
    """Every call of a module is told to the recorder."""

    def enter(module: nn.Module, args: tuple[Any, ...]) -> None:
        recorder.enter(module, args)

    def leave(module: nn.Module, args: Any, result: Any) -> None:
        recorder.leave(module, result)

    before = hooks.register_module_forward_pre_hook(enter)
    after = hooks.register_module_forward_hook(leave)
    try:
        yield
    finally:
        before.remove()
        after.remove()


def checked(module: nn.Module) -> nn.Module:
    """The module that is run: that under `torch.compile`. Raises Refused where there is none that Python runs."""
    original = getattr(module, "_orig_mod", None)
    if isinstance(original, nn.Module):
        module = original
    for name, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            which = f"its module '{name}'" if name else "it"
            raise Refused(
                f"{which} is a ScriptModule: TorchScript has left Python, so that no call of it can be recorded",
                "give the nn.Module that it was made of",
            )
    for name, tensor in module.named_parameters():
        if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
            raise Refused(
                f"the parameter '{name}' has no shape yet: its layer is lazy",
                "call the model on an example once, so that its lazy layers have their shapes",
            )
    return module


def record(
    module: nn.Module,
    inputs: Sequence[Input],
    named: Mapping[str, Input] | None = None,
    *,
    device: str = "meta",
    training: bool = False,
) -> Tape:
    """The tape of one run of a model on inputs of these sizes, by order and by name, each with a batch of 1.

    The model is left as it was. Raises Refused where it cannot be recorded and Failed where its code raises.
    """
    module = checked(module)
    named = named or {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = _run(module, inputs, named, device, training, batch=1)
        tape = first.tape
        second = _second(module, inputs, named, device, training, tape)
    if second is not None:
        tape.second = [tensor.shape for tensor in second.tensors]
        tape.second_arguments = {
            index: (other.args, other.kwargs)
            for index, (call, other) in enumerate(zip(tape.calls, second.calls, strict=True))
            if (call.args, call.kwargs) != (other.args, other.kwargs)
        }
    return tape


STEP = (64, 32)
"""By how much the last axes of an input are larger in the second run: each by another multiple of usual strides."""


def _second(
    module: nn.Module, inputs: Sequence[Input], named: Mapping[str, Input], device: str, training: bool, tape: Tape
) -> Tape | None:
    """The tape of a run with a batch of 2: on larger inputs, else on the same; None where it makes other calls."""
    for larger in (True, False):
        tried = [_larger(input) if larger else input for input in inputs]
        tried_named = {name: _larger(input) if larger else input for name, input in named.items()}
        try:
            second = _run(module, tried, tried_named, device, training, batch=2).tape
        except Exception:  # noqa: BLE001, S112: what a model raises on sizes that it is not made for says nothing
            continue
        if _same_calls(tape, second):
            return second
    return None


def _larger(input: Input) -> Input:
    space = len(input.sizes) - 1
    if space < 1 or not input.dtype.is_floating_point:
        return input
    sizes = list(input.sizes)
    for axis, step in zip(range(len(sizes) - 1, max(0, len(sizes) - 3), -1), reversed(STEP), strict=False):
        sizes[axis] += step
    return Input(tuple(sizes), input.dtype)


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


def _run(
    module: nn.Module,
    inputs: Sequence[Input],
    named: Mapping[str, Input],
    device: str,
    training: bool,
    batch: int,
) -> _Recorder:
    state, values, aliases = _state(module, device)
    args = [_input(input, batch, device) for input in inputs]
    kwargs = {name: _input(input, batch, device) for name, input in named.items()}
    names = [*_positional(module, len(args)), *kwargs]
    for name, tensor in zip(names, [*args, *kwargs.values()], strict=True):
        values[id(tensor)] = Value(tuple(tensor.shape), _dtype(tensor.dtype), "input", name)
    recorder = _Recorder(values, device)
    recorder.paths = {id(part): name for name, part in module.named_modules()}
    recorder.tape.inputs = tuple([recorder._place(tensor) for tensor in [*args, *kwargs.values()]])
    with ExitStack() as stack:
        stack.enter_context(_untouched(module, training))
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(_hooked(recorder))
        if device == "meta":
            stack.enter_context(torch.device("meta"))
        stack.enter_context(_Macs(recorder))
        stack.enter_context(recorder)
        try:
            result = torch.func.functional_call(module, state, tuple(args), kwargs)
        except Exception as error:
            scope = recorder.tape.scopes[recorder.open[-1].scope] if recorder.open else Scope("", "", -1)
            shapes = [recorder.tape.tensors[index].shape for index in scope.inputs]
            raise Failed(error, scope.path, scope.cls, shapes) from error
        outputs = named_tensors(result)
        recorder.tape.outputs = tuple([(name, recorder._place(tensor)) for name, tensor in outputs])
    tape = recorder.tape
    for tensor in values.values():
        if tensor.origin == "parameter":
            tape.parameters[tensor.name] = tensor.shape
        elif tensor.origin == "buffer":
            tape.buffers[tensor.name] = tensor.shape
    tape.aliases = aliases
    read = {tensor.name for tensor in tape.tensors if tensor.origin == "parameter"}
    tape.unused = tuple(name for name in tape.parameters if name not in read)
    tape.versions = {"torch": str(torch.__version__)}
    return recorder


def _input(input: Input, batch: int, device: str) -> Tensor:
    sizes = (batch, *input.sizes)
    if device == "meta":
        return torch.empty(sizes, dtype=input.dtype, device=device)
    if input.dtype.is_floating_point:
        return torch.rand(sizes, dtype=input.dtype, device=device, generator=torch.Generator().manual_seed(0))
    return torch.zeros(sizes, dtype=input.dtype, device=device)


def _positional(module: nn.Module, count: int) -> list[str]:
    """The names of the first so many arguments of the model's `forward`."""
    from inspect import Parameter, signature

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
    kinds = (
        ("parameter", module.named_parameters(remove_duplicate=False)),
        ("buffer", module.named_buffers(remove_duplicate=False)),
    )
    for origin, named in kinds:
        for name, tensor in named:
            if id(tensor) in first:
                aliases[name] = first[id(tensor)]
                continue
            first[id(tensor)] = name
            held: Tensor = tensor.detach()
            if device == "meta":
                held = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            if origin == "parameter" and tensor.dtype.is_floating_point:
                held = nn.Parameter(held, requires_grad=False)
            state[name] = held
            numbers = numbers_of(tensor) if origin == "buffer" else None
            values[id(held)] = Value(tuple(tensor.shape), _dtype(tensor.dtype), origin, name, numbers)  # type: ignore[arg-type]
    return state, values, aliases
