"""What theory expects of activations and gradients on their way through one layer.

Weights are independent, of mean 0 and of the variance that the initialisation gives; what a layer reads and the
gradient that it receives are independent of them and of each other, and neighbouring numbers are independent too.
Then, per layer, with E[·²] the mean square:

    convolution, linear   E[y²] = fan_in·Var w·E[x²] (+ Var b)      E[dx²] = fan_out·Var w·E[dy²]
    activation f          E[y²] = E[f(z)²], z normal                E[dx²] = E[f'(z)²]·E[dy²]
    normalization         E[y²] = 1                                 E[dx²] = E[dy²] / Var x
    average of k          E[y²] = Var x / k + mean²                 every gradient shared by k
    add                   variances add, means add                  the gradient goes to every input

Fans are averages over positions, without products that meet padding. Gradients are given as energies (sums of
squares), which do not depend on how many positions share them. The moments of what the layer reads are measured:
each prediction is of one layer. Sources: LeCun et al. 1998, Efficient BackProp; Glorot & Bengio 2010; He et al.
2015, arXiv:1502.01852.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..analysis.multiplications import effective_macs
from ..layers.kind_table import BATCHED, KindTable
from ..reference import backward, forward
from ..reference.context import Start
from ..reference.initial import scheme_of, starts

if TYPE_CHECKING:
    from ..layers.arithmetic import Rescale
    from ..layers.base import Layer, Shape, Shapes
    from ..layers.border import Pad
    from ..layers.formed import Formed
    from ..layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RMSNorm
    from ..layers.pool import AvgPool
    from ..layers.resize import Upsample


class Moments(NamedTuple):
    """Mean and mean square of an array, and its number of elements."""

    mean: float
    square: float
    elements: int

    @property
    def variance(self) -> float:
        """The mean square about the mean."""
        return max(self.square - self.mean * self.mean, 0.0)


class Case(NamedTuple):
    """Where a layer stands."""

    inputs: Sequence[Moments]
    """Of each input that is read as data."""
    shapes: Shapes
    output: Shape
    scheme: str

    @property
    def whole(self) -> Moments:
        """The moments of all that it reads, taken together."""
        elements = sum(m.elements for m in self.inputs)
        mean = sum(m.mean * m.elements for m in self.inputs) / elements
        return Moments(mean, sum(m.square * m.elements for m in self.inputs) / elements, elements)


class Expected(NamedTuple):
    """What a rule expects; None where there is no simple rule."""

    square: float | None
    """Mean square of the output."""
    energy: float | None
    """Energy of the inputs' gradients over that of the output's."""


UNKNOWN = Expected(None, None)

Rule = Callable[[Any, Case], Expected]
"""(layer, where it stands) -> what is expected of it."""


def check_scheme(scheme: str) -> None:
    """Raise ValueError for a scheme that does not exist."""
    scheme_of(scheme)


def weight_variance(scheme: str, start: Start) -> float:
    """The variance of a weight that the scheme draws.

    >>> weight_variance("kaiming", Start((8, 4), fan_in=4, fan_out=8, torch_fan=4))
    0.5
    """
    if scheme == "kaiming":
        return 2 / start.fan_in
    if scheme == "xavier":
        return 2 / (start.fan_in + start.fan_out)
    if scheme == "torch":
        return 1 / (3 * start.torch_fan)
    return float(scheme.partition(":")[2]) ** 2


def _bias_variance(scheme: str, tensors: dict[str, Start]) -> float:
    bias = next((start for name, start in tensors.items() if name.endswith("bias")), None)
    return 1 / (3 * bias.torch_fan) if bias is not None and scheme == "torch" else 0.0


def _products(layer: Formed, case: Case) -> Expected:
    """Convolutions and linear layers; of weights that are an input there is no simple rule."""
    tensors = starts(layer, case.shapes)
    if "weight" not in tensors:
        return UNKNOWN
    macs = layer.operations(case.shapes, case.output)["mac"]
    products = macs if layer.border_mode != "zeros" else effective_macs(layer, case.shapes, case.output)
    # Products an output times outputs are products an input times inputs: the gain in energy is one and the same.
    gain = products / prod(case.output) * _variance_of_made(layer, case.scheme, tensors)
    # Weights that sum to 0 see what differs from the mean alone.
    seen = case.whole.variance if layer.standardize else case.whole.square
    return Expected(gain * seen + _bias_variance(case.scheme, tensors), gain)


def _variance_of_made(layer: Formed, scheme: str, tensors: dict[str, Start]) -> float:
    """The variance of the weights that are multiplied with."""
    gain = tensors["gain"].constant ** 2 if layer.gain else 1.0
    if layer.standardize:
        return gain / tensors["weight"].fan_in if layer.gain else 1.0
    return gain * weight_variance(scheme, tensors["weight"])


def _separable(layer: Layer, case: Case) -> Expected:
    """Depthwise, then pointwise, which alone has a bias."""
    tensors = starts(layer, case.shapes)
    depthwise, pointwise = tensors["depthwise.weight"], tensors["pointwise.weight"]
    space = prod(case.output[1:])
    middle = depthwise.shape[0]
    taps = effective_macs(layer, case.shapes, case.output) / (middle * space) - case.output[0]
    gain = taps * weight_variance(case.scheme, depthwise) * middle * weight_variance(case.scheme, pointwise)
    return Expected(gain * case.whole.square + _bias_variance(case.scheme, tensors), gain)


GRID = np.linspace(-8, 8, 2001)
DENSITY = np.exp(-0.5 * np.square(GRID)) / np.exp(-0.5 * np.square(GRID)).sum()
"""The standard normal distribution on a grid: expectations are sums over it."""


def _activation(layer: Layer, case: Case) -> Expected:
    """Of numbers that are normal with the measured mean and variance."""
    arrived = case.whole
    numbers = (arrived.mean + sqrt(arrived.variance) * GRID).reshape(1, 1, -1)
    weights = {name: np.full(1, start.constant) for name, start in starts(layer, case.shapes).items()}
    values = forward(layer, numbers, weights)
    (slopes,), _ = backward(layer, numbers, weights, np.ones_like(numbers))
    if not (np.isfinite(values).all() and np.isfinite(slopes).all()):
        return UNKNOWN
    return Expected(float(DENSITY @ np.square(values).ravel()), float(DENSITY @ np.square(slopes).ravel()))


def _normalized(layer: BatchNorm | GroupNorm | LayerNorm | InstanceNorm, case: Case) -> Expected:
    variance = case.whole.variance + layer.eps
    return Expected(case.whole.variance / variance, 1 / variance)


def _root_mean_square(layer: RMSNorm, case: Case) -> Expected:
    square = case.whole.square + (layer.eps or 0.0)
    return Expected(case.whole.square / square, 1 / square) if square else UNKNOWN


def _rescaled(layer: Rescale, case: Case) -> Expected:
    """Channels are taken to be alike, where each has numbers of its own."""
    scale, offset = np.broadcast_arrays(np.asarray(layer.scale), np.asarray(layer.offset))
    mean, variance = case.whole.mean, case.whole.variance
    squares = np.square(scale) * variance + np.square(scale * mean + offset)
    return Expected(float(squares.mean()), float(np.square(scale).mean()))


def _same_numbers(layer: Layer, case: Case) -> Expected:
    """Every number goes to one place, or some go to none."""
    return Expected(case.whole.square, 1.0)


def _pad(layer: Pad, case: Case) -> Expected:
    if layer.mode != "constant":
        return _same_numbers(layer, case)
    share = min(prod(case.shapes[0]) / prod(case.output), 1.0)
    return Expected(case.whole.square * share + layer.value**2 * (1 - share), share)


def _add(layer: Layer, case: Case) -> Expected:
    mean = sum(m.mean for m in case.inputs)
    return Expected(mean * mean + sum(m.variance for m in case.inputs), float(len(case.inputs)))


def _difference(layer: Layer, case: Case) -> Expected:
    first, second = case.inputs
    return Expected((first.mean - second.mean) ** 2 + first.variance + second.variance, 2.0)


def _multiply(layer: Layer, case: Case) -> Expected:
    squares = [m.square for m in case.inputs]
    others = [prod(squares[:i] + squares[i + 1 :]) for i in range(len(squares))]
    return Expected(prod(squares), sum(others))


def _matmul(layer: Layer, case: Case) -> Expected:
    """Of factors whose numbers are independent, neither of which is repeated along leading axes."""
    if case.shapes[0][:-2] != case.shapes[1][:-2]:
        return UNKNOWN
    (left, right), shared = case.inputs, case.shapes[0][-1]
    return Expected(shared * left.square * right.square, shared * (left.square + right.square))


def _over_examples(layer: Layer, case: Case) -> Expected:
    """What the layer inside does to each of the examples that its batch axes count."""
    inner, shapes, output, _ = layer.alone(case.shapes, case.output)
    return expected(inner, case.inputs, shapes, output, case.scheme)


def _average(case: Case, count: float) -> Expected:
    arrived = case.whole
    return Expected(arrived.variance / count + arrived.mean * arrived.mean, 1 / count)


def _average_pool(layer: AvgPool, case: Case) -> Expected:
    return _average(case, prod(layer.kernel_size))


def _mean(layer: Layer, case: Case) -> Expected:
    return _average(case, prod(case.shapes[0]) / prod(case.output))


def _sum(layer: Layer, case: Case) -> Expected:
    count, arrived = prod(case.shapes[0]) / prod(case.output), case.whole
    return Expected(arrived.variance * count + (arrived.mean * count) ** 2, count)


def _adaptive_pool(layer: Layer, case: Case) -> Expected:
    """Windows of about the input's size over the output's."""
    if layer.reduction == "max":
        return _largest(layer, case)
    return _average(case, max(prod(case.shapes[0]) / prod(case.output), 1.0))


def _largest(layer: Layer, case: Case) -> Expected:
    """The gradient goes to the one that was largest; how large that is has no simple rule."""
    return Expected(None, 1.0)


def _upsample(layer: Upsample, case: Case) -> Expected:
    return _same_numbers(layer, case) if layer.mode.startswith("nearest") else UNKNOWN


RULES: KindTable[Rule] = KindTable(
    {
        **dict.fromkeys(("Conv", "ConvTranspose", "Linear"), _products),
        "SeparableConv": _separable,
        **dict.fromkeys(("Activation", "Gelu", "LeakyReLU", "PReLU", "ELU", "CELU", "Softplus"), _activation),
        **dict.fromkeys(("Hardtanh", "Threshold", "Shrink", "Unary", "Pow", "Clamp"), _activation),
        "RMSNorm": _root_mean_square,
        "Rescale": _rescaled,
        "Sub": _difference,
        "mean": _mean,
        "sum": _sum,
        **dict.fromkeys(("amax", "amin"), _largest),
        **dict.fromkeys(("BatchNorm", "GroupNorm", "LayerNorm", "InstanceNorm"), _normalized),
        **dict.fromkeys(("Flatten", "Reshape", "Permute", "Identity", "Dropout", "StochasticDepth"), _same_numbers),
        **dict.fromkeys(("ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Unfold"), _same_numbers),
        **dict.fromkeys(("Concat", "Split", "Crop", "Scale"), _same_numbers),
        **dict.fromkeys(("Roll", "Flip", "Slice", "Select", "Unbind", "IndexSelect", "Stack"), _same_numbers),
        **dict.fromkeys(("Squeeze", "Unsqueeze", "Expand", "Tile", "RepeatInterleave"), _same_numbers),
        "MatMul": _matmul,
        BATCHED: _over_examples,
        "Pad": _pad,
        "Add": _add,
        "Multiply": _multiply,
        "AvgPool": _average_pool,
        **dict.fromkeys(("AdaptivePool", "GlobalPool"), _adaptive_pool),
        **dict.fromkeys(("MaxPool", "Extreme"), _largest),
        "Upsample": _upsample,
    },
    absent="no simple rule says what it does to means and squares",
)
"""Layer -> its rule; of layers without one nothing is expected."""


def expected(layer: Layer, inputs: Sequence[Moments], shapes: Shapes, output: Shape, scheme: str) -> Expected:
    """What theory expects of a layer in training whose weights the scheme has drawn."""
    rule = RULES.get(layer)
    return UNKNOWN if rule is None else rule(layer, Case(inputs, shapes, output, scheme))
