"""What is known of an operator of ONNX, as one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

from ...layers.base import Shape
from ...layers.opaque import broadcast
from ..builder import Builder
from ..messages import Malformed
from ..values import Activation, Call, Constant

Made = Activation | Sequence[Activation | Constant]
Rule = Callable[[Builder], Made]
Dims = Callable[[Call], Shape]
Fold = Callable[[Call, Shape], Constant | None]
Restate = Callable[[Builder, Activation, Shape], Activation | None]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. What is None it does not have here: without `layers` its nodes stay opaque, with their reason."""

    name: str
    layers: Rule | None = None
    """Makes layers of a node that reads activations. Raises `Unsupported` for what the language cannot say."""
    _: KW_ONLY
    inputs: tuple[int, int | None] = (1, 1)
    """The fewest and the most inputs that its nodes have, in all versions; None for no bound."""
    left_out: tuple[int, ...] = ()
    """Those among the fewest inputs in whose place nothing may stand."""
    dims: Dims | None = None
    """ONNX's dims of the first output. Raises `Malformed`, or `Unknown` where they depend on what flows."""
    parts: Callable[[Call], Sequence[Shape]] | None = None
    """The dims of all outputs, of an operator that has several."""
    fold: Fold | None = None
    """Computes the output, whose dims are given, of constants; None where that is not known."""
    fold_parts: Callable[[Call], Sequence[Constant]] | None = None
    """Computes all outputs of an operator that has several."""
    reads_dims: bool = False
    """Whether it folds activations too, for it reads nothing of them but their dims."""
    restate: Restate | None = None
    """The output again under other dims that the file states for it; None where nothing gives these."""
    macs: Callable[[Call, Shape], int] | None = None
    """The multiply-accumulates of a node, from its definition, with the dims of its output."""
    open_ended: bool = False
    """Whether the shape of its output depends on the numbers that flow."""
    weights: tuple[int, ...] = ()
    """Inputs that hold weights: what the graph leaves open there and nowhere else is one."""
    domains: tuple[str, ...] = ("",)
    since: int = 1
    """The version of the operators from which the record holds, up to that of the next record of this name."""

    def check(self, call: Call) -> None:
        """Raise `Malformed` for a node with an input too few or too many."""
        fewest, most = self.inputs
        count = len(call.inputs)
        for position in range(fewest):
            if call.value(position) is None and (position not in self.left_out or position >= count):
                raise Malformed(f"input {position} is missing")
        if most is not None and count > most:
            raise Malformed(f"it takes {most} input{'s' * (most != 1)}, not {count}")

    def folded(self, call: Call) -> Sequence[Constant] | None:
        """What the node gives on constants; None where that is not known."""
        if not self.reads_dims and any(isinstance(value, Activation) for value in call.inputs):
            return None
        if self.fold_parts is not None:
            return self.fold_parts(call)
        found = self.fold(call, self.dims(call)) if self.fold is not None and self.dims is not None else None
        return None if found is None else [found]

    def cost(self, call: Call, dims: Shape) -> int:
        """The multiply-accumulates of a node that stays opaque; 0 where they are not known."""
        try:
            return self.macs(call, dims) if self.macs is not None else 0
        except (ValueError, IndexError, ZeroDivisionError):
            return 0

    def output_dims(self, call: Call, position: int) -> Shape | None:
        """The dims of output number `position`; None where they cannot be said from the inputs."""
        try:
            if self.parts is not None:
                return self.parts(call)[position]
            return self.dims(call) if self.dims is not None and position == 0 else None
        except (ValueError, IndexError):
            return None


def kept(call: Call) -> Shape:
    """Dims of what keeps those of its first input."""
    return call.dims(0)


def broadcasted(call: Call) -> Shape:
    """Dims of what works element by element on inputs that broadcast."""
    return broadcast(*(value.dims for value in call.inputs if value is not None))


def same(call: Call, shape: Shape) -> Constant:
    """The first input as it is."""
    return call.constant()


def viewed(call: Call, shape: Shape) -> Constant:
    """The first input's numbers under another shape."""
    return call.constant().reshaped(shape)
