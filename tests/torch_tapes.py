"""Tapes of PyTorch made by hand, and the layers that they are lifted to."""

from __future__ import annotations

from typing import Any

from convcalc.language.write import write
from convcalc.network import Network
from convcalc.torch.assembly import assemble
from convcalc.torch.lift.conversion import Lifted, lift
from convcalc.torch.tape import Call, Kind, Ref, Scope, Tape, Tensor

BATCH = (1, 2)


class Recorder:
    """A tape in the making: `BATCH` stands for the batch in the shapes of activations."""

    def __init__(self) -> None:
        self.tape = Tape(scopes=[Scope("", "Net", -1)], second=[])

    def tensor(self, *dims: Any, origin: Kind = "call", name: str = "", numbers: Any = None) -> Ref:
        """A tensor; a size that is a pair is that of the first and of the second run."""
        assert self.tape.second is not None
        first, second = (tuple([d[run] if isinstance(d, tuple) else d for d in dims]) for run in (0, 1))
        self.tape.tensors.append(Tensor(first, "float32", origin, name, numbers))
        self.tape.second.append(second)
        place = len(self.tape.tensors) - 1
        if origin == "input":
            self.tape.inputs = (*self.tape.inputs, place)
        if origin == "parameter":
            self.tape.parameters[name] = first
        return Ref(place)

    def input(self, *dims: Any) -> Ref:
        return self.tensor(BATCH, *dims, origin="input", name="x")

    def parameter(self, *dims: int, name: str = "weight") -> Ref:
        return self.tensor(*dims, origin="parameter", name=name)

    def call(self, function: str, *args: Any, to: tuple[Any, ...], macs: int = 0, **kwargs: Any) -> Ref:
        made = self.tensor(*to)
        self.tape.calls.append(Call(function, args, kwargs, (made.tensor,), 0, macs))
        self.tape.outputs = (("", made.tensor),)
        return made

    def second(self, *args: Any, **kwargs: Any) -> None:
        """The arguments of the last call in the second run."""
        self.tape.second_arguments[len(self.tape.calls) - 1] = (args, kwargs)

    def lifted(self) -> Lifted:
        return lift(self.tape)

    def layers(self) -> list[str]:
        """The layers that lead to the output, as a spec has them."""
        return [line.removeprefix("  - ") for line in text(self.lifted()).splitlines() if line.startswith("  - ")]


def network(lifted: Lifted, name: str = "net") -> Network:
    return assemble(lifted, name, name, lambda calls: None)  # type: ignore[arg-type, return-value]


def text(lifted: Lifted) -> str:
    return write(network(lifted))
