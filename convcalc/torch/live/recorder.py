"""The recorder: everything that Python calls of torch while it stands, put on a tape.

A `TorchFunctionMode` sees the outermost calls, hooks tell it which modules are called, and a `TorchDispatchMode` below
sees what ATen multiplies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ..macs import MACS
from ..tape import Call, Ref, Scope, Tape
from ..tape import Tensor as Value
from .functions import name_of

NUMBERS = 64
"""Of a constant with so many at most the values are on the tape."""
DROPOUTS = frozenset(
    f"torch.nn.functional.{name}"
    for name in ("alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
)
"""What gives its input itself where nothing is trained, and is a layer all the same."""
WRITTEN = "convcalc.written_elsewhere"
"""The function of a call that stands for a write through another view: the old value, the view's new one."""


class _Open(NamedTuple):
    """A module's call that has not ended."""

    module: nn.Module
    scope: int


class Macs(TorchDispatchMode):
    """Sums what ATen's operators multiply, and tells the recorder what no function of Python called."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        formula = MACS.get(func._schema.name)
        if formula is not None:
            shapes = [tuple(arg.shape) if isinstance(arg, Tensor) else arg for arg in args]
            first = result[0] if isinstance(result, (tuple, list)) else result
            self.recorder.multiplied(func._schema.name, formula(shapes, tuple(first.shape)))
        if not self.recorder.busy:
            self.recorder.bypassed(str(func), args, kwargs, result)
        return result


class Recorder(TorchFunctionMode):
    """The tape in the making."""

    def __init__(self, names: Mapping[int, Value], device: str) -> None:
        super().__init__()
        self.tape = Tape()
        self.device = device
        self.busy = False
        """Whether a function of Python runs that is on the tape, or the recorder itself."""
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

    def forget(self) -> None:
        """Leave no mark on the tensors of others."""
        for tensor in self._kept:
            vars(tensor).pop("_convcalc", None)

    def multiplied(self, operator: str, macs: int) -> None:
        """Note what an operator below the present call multiplies."""
        if macs:
            self._macs[operator] = self._macs.get(operator, 0) + macs

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.busy:
            return func(*args, **kwargs)
        with self._working():
            return self._called_by_python(name_of(func), func, args, kwargs)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """What is called meanwhile is none of the model's calls."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def _called_by_python(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        if self._mixed(args, kwargs):
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

    def bypassed(self, name: str, args: Any, kwargs: Any, result: Any) -> None:
        """An operator that no function of Python called: code in C++ did."""
        with self._working():
            read: list[tuple[Tensor, int]] = []
            tape_args, tape_kwargs = self._plain(args, read), self._plain(kwargs, read)
            self._note(name, tape_args, tape_kwargs, tensors(result), read)
            self._macs = {}

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
            key: self._add(tensor, "call", "", self._numbers(tensor))
            if key not in inputs or key in changed
            else self.place(tensor)
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

    def _numbers(self, tensor: Tensor) -> tuple[float, ...] | None:
        """The values of what is computed of constants alone, while the run has none."""
        return numbers_of(tensor) if self.device == "meta" and not tensor.is_meta else None

    def _add(self, tensor: Tensor, origin: Any, name: str = "", numbers: Any = None) -> int:
        place = len(self.tape.tensors)
        self.tape.tensors.append(Value(tuple(tensor.shape), dtype_name(tensor.dtype), origin, name, numbers))
        tensor._convcalc = (self, place, tensor._version)
        return place

    def place(self, tensor: Tensor) -> int:
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
        self._kept.append(tensor)
        return self._add(tensor, "constant", "", numbers_of(tensor))

    def _here(self, value: Any) -> Any:
        """Arguments whose tensors are on the device of the run."""
        if isinstance(value, Tensor):
            return value if self._is_here(value) else self._standin(value)
        if isinstance(value, tuple) and any(isinstance(part, (Tensor, tuple, list)) for part in value):
            parts = [self._here(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        if type(value) is list and any(isinstance(part, (Tensor, tuple, list)) for part in value):
            return [self._here(part) for part in value]
        if type(value) is dict:
            return {key: self._here(part) for key, part in value.items()}
        return value

    def _mixed(self, args: Any, kwargs: Any) -> bool:
        """Whether tensors of another device meet those of the run, or have stand-ins.

        What is computed of constants alone has numbers, so that the code of a model may ask for them.
        """
        read = [*tensors(args), *tensors(kwargs)]
        elsewhere = [tensor for tensor in read if not self._is_here(tensor)]
        return bool(elsewhere) and (
            len(elsewhere) < len(read) or any(id(tensor) in self._standins for tensor in elsewhere)
        )

    def _is_here(self, tensor: Tensor) -> bool:
        return tensor.is_meta if self.device == "meta" else tensor.device.type == self.device

    def _standin(self, tensor: Tensor) -> Tensor:
        """A tensor without numbers in place of one of another device, always the same for the same."""
        found = self._standins.get(id(tensor))
        if found is None:
            place = self.place(tensor)
            found = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=self.device)
            found._convcalc = (self, place, found._version)
            self._kept += [tensor, found]
            self._standins[id(tensor)] = found
        return found

    def _plain(self, value: Any, read: list[tuple[Tensor, int]]) -> Any:
        """Arguments as the tape has them; what they read is added to `read`, with its version."""
        if isinstance(value, Tensor):
            place = self.place(value)
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
        with self._working():
            read = tuple([self.place(tensor) for tensor in tensors(args)])
        start = len(self.tape.calls)
        path = self.paths.get(key, "")
        self.open.append(_Open(module, len(self.tape.scopes)))
        self.tape.scopes.append(Scope(path, type(module).__name__, parent, call, start, start, read))

    def leave(self, module: nn.Module, result: Any) -> None:
        """A module's call ends, and those that an exception left open inside it."""
        while self.open:
            ended = self.open.pop()
            if ended.module is module:
                with self._working():
                    made = tuple([self.place(tensor) for tensor in tensors(result)])
                scope = self.tape.scopes[ended.scope]
                self.tape.scopes[ended.scope] = scope._replace(stop=len(self.tape.calls), outputs=made)
                return


def _base(tensor: Tensor) -> Tensor:
    base = tensor._base
    return tensor if base is None else base


def dtype_name(dtype: torch.dtype) -> str:
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
def hooked(recorder: Recorder) -> Iterator[None]:
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
