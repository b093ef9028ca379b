"""Recurrent layers on [L, F]: rnn, gru, lstm."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ..geometry import AxisLink, InvalidWindow, RankMismatch
from .base import Count, Flag, Layer, MatrixProduct, Operations, Product, Saved, Shape, Shapes, Size, Weight


class _Recurrent(Layer):
    """h(t) = f(W_ih x(t) + b_ih + W_hh h(t−1) + b_hh) from h(0) = 0, `num_layers` such layers on top of each other.

    [L, F] gives [L, D·H]: one state a position, of both directions with `bidirectional` (D = 2). `rnn` has one product
    a state (f is `nonlinearity`), `gru` three, `lstm` four and a cell besides; an lstm with `proj_size` P puts out P
    numbers, W_hr times its state. Weights have PyTorch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, …,
    `_reverse` those of the other direction; with `biases: 1`, as Keras has it, there is no b_hh.
    Source: torch.nn.RNN, GRU, LSTM; Hochreiter & Schmidhuber 1997, 10.1162/neco.1997.9.8.1735; Cho et al. 2014,
    arXiv:1406.1078.
    """

    hidden_size: Count
    num_layers: Annotated[Count, Field(le=1000)] = 1
    bias: Flag = True
    biases: Literal[1, 2] = 2
    bidirectional: Flag = False

    width_field: ClassVar[str | None] = "hidden_size"
    multiplies: ClassVar[Product | None] = "recurrent"
    gates: ClassVar[int] = 1
    """Products of the input with a matrix that a state takes."""
    activated: ClassVar[int] = 1
    """Nonlinearities a state."""
    combined: ClassVar[int] = 1
    """Sums and products of numbers a state: of its products, and of gates with what they let pass."""

    @property
    def directions(self) -> int:
        """In how many directions the positions are read."""
        return 2 if self.bidirectional else 1

    @property
    def state_size(self) -> int:
        """Numbers that one direction puts out a position."""
        return self.hidden_size

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        if len(shape) != 2:
            raise RankMismatch(
                f"{self.kind} takes [positions, features], not {list(shape)} with {len(shape)} axes",
                hint="flatten the space and permute the features to the end",
                axes=len(shape),
            )
        return (shape[0], self.directions * self.state_size)

    def _cells(self, features: int) -> list[tuple[str, int]]:
        """(what its weights' names end with, features that it reads) of each layer and direction."""
        ends = ("", "_reverse")[: self.directions]
        return [
            (f"_l{layer}{end}", self.directions * self.state_size if layer else features)
            for layer in range(self.num_layers)
            for end in ends
        ]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        rows = self.gates * self.hidden_size
        found: list[Weight] = []
        for end, features in self._cells(inputs[0][1]):
            found += [
                Weight(f"weight_ih{end}", (rows, features)),
                Weight(f"weight_hh{end}", (rows, self.state_size)),
            ]
            if self.bias:
                found += [Weight(f"bias_{name}{end}", (rows,)) for name in ("ih", "hh")[: self.biases]]
            if self.state_size != self.hidden_size:
                found.append(Weight(f"weight_hr{end}", (self.state_size, self.hidden_size)))
        return tuple(found)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        """A state follows from all positions before it; which those are is not followed."""
        return (AxisLink(0, None), AxisLink(1, None))

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        length, features = inputs[0]
        gates, state = length * self.gates * self.hidden_size, self.state_size
        found: list[MatrixProduct] = []
        for end, read in self._cells(features):
            found += [MatrixProduct(f"ih{end}", gates, read), MatrixProduct(f"hh{end}", gates, state)]
            if state != self.hidden_size:
                found.append(MatrixProduct(f"hr{end}", length * state, self.hidden_size))
        return tuple(found)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        length, features = inputs[0]
        cells = self._cells(features)
        states = length * len(cells) * self.hidden_size
        found = {
            "mac": sum(product.macs for product in self.matrix_products(inputs, output)),
            "activation": self.activated * states,
            "elementwise": self.combined * states,
        }
        return {**found, "bias": self.biases * self.gates * states} if self.bias else found

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """The input, the output, and of every state its gates and what they make; kernels keep more or less of it."""
        length, features = inputs[0]
        cells = self._cells(features)
        between = length * self.directions * self.state_size * (self.num_layers - 1)
        gates = (self.gates + (self.gates > 1)) * length * len(cells) * self.hidden_size
        return (Saved("input"), Saved("output"), Saved("extra", elements=between + gates))


class RNN(_Recurrent):
    """A recurrent layer of Elman's: h(t) = tanh(W_ih x(t) + b_ih + W_hh h(t−1) + b_hh).

    [L, F] gives [L, D·hidden_size]. Source: torch.nn.RNN; Elman 1990, 10.1207/s15516709cog1402_1.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"


class GRU(_Recurrent):
    """Gated recurrent units: r, z = σ(…), n = tanh(W_in x + b_in + r·(W_hn h + b_hn)), h(t) = (1 − z)·n + z·h(t−1).

    With `reset_after: false`, as the paper has it, the state is reset before its product: W_hn (r·h) + b_hn.
    [L, F] gives [L, D·hidden_size]. Source: torch.nn.GRU; Cho et al. 2014, arXiv:1406.1078.
    """

    reset_after: Flag = True

    gates: ClassVar[int] = 3
    activated: ClassVar[int] = 3
    combined: ClassVar[int] = 7


class LSTM(_Recurrent):
    """Long short-term memory: i, f, o = σ(…), g = tanh(…), c(t) = f·c(t−1) + i·g, h(t) = o·tanh(c(t)).

    [L, F] gives [L, D·hidden_size]; with `proj_size` P a state is W_hr h, and the output [L, D·P].
    Source: torch.nn.LSTM; Hochreiter & Schmidhuber 1997, 10.1162/neco.1997.9.8.1735; Sak et al. 2014, arXiv:1402.1128.
    """

    proj_size: Size = 0

    gates: ClassVar[int] = 4
    activated: ClassVar[int] = 5
    combined: ClassVar[int] = 8

    @model_validator(mode="after")
    def _projects_to_less(self) -> "LSTM":
        if self.proj_size >= self.hidden_size:
            raise InvalidWindow(
                f"proj_size {self.proj_size} must be below hidden_size {self.hidden_size}",
                hint="0 leaves the projection out",
                proj_size=self.proj_size,
                hidden_size=self.hidden_size,
            )
        return self

    @property
    def state_size(self) -> int:
        return self.proj_size or self.hidden_size
