"""What every layer is: a frozen model of resolved fields that exposes facts.

Facts, all without the batch axis (shapes are [channels, *space]): the output's shape, the weights, how
each output axis reads the input, the operations by kind, and what the backward pass keeps. Parameters,
MACs, receptive field and memory are derived from these facts by the analyses, in one place each.
"""

from fractions import Fraction
from math import prod
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ..geometry import (
    IDENTITY,
    LIMIT,
    AxisLink,
    NotDivisible,
    RankMismatch,
    Rounding,
    TransposedWindow,
    Window,
    WrongArity,
    matmul_macs,
)

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]

Count = Annotated[int, Field(strict=True, ge=1, le=LIMIT)]
Size = Annotated[int, Field(strict=True, ge=0, le=LIMIT)]
Integer = Annotated[int, Field(strict=True, ge=-LIMIT, le=LIMIT)]
Flag = Annotated[bool, Field(strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Axis = Annotated[int, Field(strict=True, ge=-64, le=63)]
"""An axis without the batch: 0 is the channels, −1 the last."""


class Weight(NamedTuple):
    """One tensor that a layer holds, named as PyTorch names it; buffers are not learnable."""

    name: str
    shape: Shape
    learnable: bool = True


class Saved(NamedTuple):
    """One tensor that the backward pass needs: input number `which` or the output as it is, or an extra one.

    `elements`, `bytes` (an element's size, None for the activations' own type) and `batched` (whether there is
    one an example rather than one for the whole batch) describe extra ones.
    """

    tensor: Literal["input", "output", "extra"]
    which: int = 0
    elements: int = 0
    bytes: int | None = None
    batched: bool = True


OPERATIONS: dict[str, tuple[int, str]] = {
    "mac": (
        2,
        "multiply-accumulates: of weights (convolutions, linear, recurrent layers) and of two activations alike",
    ),
    "bias": (1, "one addition an output of a layer with a bias"),
    "activation": (1, "one an element (softmax 3: exponential, sum, division; glu 1, and 1 elementwise)"),
    "normalization": (1, "batch norm 2 an element, RMS norm 3; other norms 5, and 2 more with affine weights (RMS 1)"),
    "pooling": (1, "one an input read: kernel size x outputs; adaptive pools the sum of their windows"),
    "elementwise": (1, "one an element and operand added or multiplied, or function taken; a gate 3, a scale 1"),
    "reduction": (1, "one an element read; norm and logsumexp 2, var and std 4"),
    "interpolation": (1, "nearest 0; linear and cubic: 2 x taps - 1 an output"),
}
"""Kind of operation -> (flops each, what is counted): the documented table behind `flops`."""

Operations = dict[str, int]

Windows = tuple[Window | TransposedWindow, ...]
"""The window of each space axis, padding resolved; empty for a layer without windows."""

Product = Literal["convolution", "transposed", "separable", "linear", "attention", "recurrent"]
"""Which product a weighted layer forms of its weights and its input; attention and recurrent layers form several."""

Reduction = Literal["avg", "max", "power"]
"""What a pool makes of its windows: their mean, their maximum or their power mean."""


Share = Literal["whole", "part"]
"""How much of a gradient is passed on in the same memory."""


class Patch(NamedTuple):
    """The window that a layer slides, as its fields say it: one value for each space axis."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...] | str
    """(before, after) of each axis, or the word that waits for the input's size."""
    dilation: tuple[int, ...]


class Slide(NamedTuple):
    """A window that slides over one axis of the first input."""

    axis: int
    window: Window
    positions: int
    """How many places it takes."""


class Part(NamedTuple):
    """Which part of a split a layer is: number `which` of so many `parts`."""

    which: int
    parts: int
    sizes: tuple[int, ...] | None = None
    """How many positions of the axis each part has; None where each has one, and the axis is gone."""


class MatrixProduct(NamedTuple):
    """One product of matrices among several that a layer forms."""

    name: str
    outputs: int
    """How many numbers it gives."""
    shared: int
    """How many products each of them sums."""
    of_activations: bool = False
    """Whether both factors are activations."""

    @property
    def macs(self) -> int:
        """Its multiply-accumulates."""
        return matmul_macs(self.outputs, self.shared)


class Alone(NamedTuple):
    """A layer without its batch axes, on one of the examples that they count."""

    layer: "Layer"
    inputs: Shapes
    output: Shape
    times: int
    """How many examples there are."""


class Layer(BaseModel):
    """Base of all layers. A layer that says nothing else keeps its input's shape and costs nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str
    """The name under which the language knows it: conv2d, relu, ..."""

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs (None: any number)."""
    short_forms: ClassVar[dict[str, str]] = {}
    """The lecture's letters: short field name -> field name."""
    width_field: ClassVar[str | None] = None
    """The field that says how many channels it puts out; None for layers whose channels follow from their input."""
    multiplies: ClassVar[Product | None] = None
    """The product that it forms with its weights; None for layers that form none."""
    is_constant: ClassVar[bool] = False
    """Whether its output is a tensor that it holds, the same for every example."""
    is_view: ClassVar[bool] = False
    """Whether its output is its input's memory under another shape or name."""
    asleep: ClassVar[bool] = False
    """Whether it passes its input on at inference, and acts in training alone."""
    in_place: ClassVar[bool] = False
    """Whether it keeps positions apart and the shape, so that it may write over what it reads."""
    joins: ClassVar[bool] = False
    """Whether it joins several tensors into one, so that the language gives it branches."""
    branch_roles: ClassVar[tuple[str, ...]] = ()
    """What the branches of a join are called where each has a part of its own, in the order of its inputs."""
    splits: ClassVar[bool] = False
    """Whether it is one of the parts of a split, which the language writes as one item."""
    multiplies_inputs: ClassVar[bool] = False
    """Whether it multiplies its inputs with each other, so that some of them scale what the others carry."""
    reads_apart: ClassVar[bool] = False
    """Whether its inputs feed different axes of its output, so that `axes` holds of the first alone."""
    gate_input: ClassVar[int | None] = None
    """The input that says how much of the others passes; None where none of them always does."""
    activates: ClassVar[bool] = False
    """Whether it is an activation of every element on its own."""
    over_batch: ClassVar[bool] = False
    """Whether it normalizes over the batch, so that it takes away what is constant over a channel."""
    changes_border: ClassVar[bool] = False
    """Whether all it does is to add to the border of the space, or to cut from it."""
    ends_features: ClassVar[bool] = False
    """Whether what it puts out is no feature map of its input's space any more: where a head begins."""

    @property
    def family(self) -> str:
        """The name of its class, which kinds of one family share."""
        return type(self).__name__

    @property
    def inside(self) -> "Layer":
        """The layer without its batch axes."""
        return self

    @property
    def batch_axes(self) -> int:
        """How many of the first axes of what it reads count as batch, beside the batch itself."""
        return 0

    def repeated(self, arriving: Shape, axes: int) -> "Layer":
        """Of a layer that reads nothing, the layer inside so many batch axes of what arrives there."""
        return self

    def alone(self, inputs: Shapes, output: Shape) -> Alone:
        """The layer without its batch axes, on inputs of these shapes."""
        return Alone(self, inputs, output, 1)

    @property
    def entry_names(self) -> tuple[str, ...]:
        """Under which names the rooms' tables may have an entry for it, the first found wins."""
        return (self.kind, self.family)

    @property
    def weighted(self) -> bool:
        """Whether it counts towards the depth: convolutions and linear layers."""
        return self.multiplies is not None

    @property
    def cost_is_known(self) -> bool:
        """Whether its multiply-accumulates are known."""
        return True

    @property
    def scales_channels(self) -> bool:
        """Whether at inference it is a learned factor and addend a channel, which weights before it can take in."""
        return False

    @property
    def clips(self) -> bool:
        """Whether it is an activation that only cuts off values, which converters leave to the operator before it."""
        return False

    @property
    def patch(self) -> Patch | None:
        """The window that it slides, as its fields say it; None for layers without one."""
        return None

    @property
    def channel_groups(self) -> int | None:
        """Groups into which its window divides the channels; None where it has none."""
        return None

    @property
    def norm_groups(self) -> int | None:
        """Groups into which it divides the channels to normalize each; None where it does not."""
        return None

    @property
    def reduction(self) -> Reduction | None:
        """What it makes of each window that it pools; None for layers that pool nothing."""
        return None

    @property
    def border_mode(self) -> str:
        """What fills its padding: zeros, or the padding mode's name."""
        return "zeros"

    @property
    def rounding(self) -> Rounding | None:
        """How it rounds the number of its positions; None where it always rounds down."""
        return None

    @property
    def share_axis(self) -> int | None:
        """The axis along which its outputs are shares of 1, made of logits; None where they are not."""
        return None

    @property
    def part_of(self) -> Part | None:
        """Which part of a split it is; None for every other layer."""
        return None

    def windows(self, shape: Shape) -> Windows:
        """The window of each space axis on an input of this shape; empty for a layer without windows."""
        return ()

    def joined_axis(self, inputs: Shapes) -> int | None:
        """The axis along which its inputs stand side by side; None where they do not."""
        return None

    @property
    def rank(self) -> int | None:
        """Space axes that the kind's name fixes; None where the layer serves every rank."""
        return None

    @property
    def data_inputs(self) -> int | None:
        """How many inputs are read as data (the rest only lend their size); None for all."""
        return None

    def output_shape(self, inputs: Shapes) -> Shape:
        """The output's shape; raises a GeometryError where there is none."""
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        """Every tensor it holds for inputs of these shapes, learnable ones first."""
        return ()

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        """For each output axis, the input axis that feeds it and how (None: no single one does)."""
        return tuple(AxisLink(axis, IDENTITY) for axis in range(len(inputs[0])))

    def axes_of(self, inputs: Shapes, which: int) -> tuple[AxisLink | None, ...]:
        """`axes` of input number `which`; those of all inputs are alike unless it `reads_apart`."""
        return self.axes(inputs)

    def slides(self, inputs: Shapes, output: Shape) -> tuple[Slide, ...]:
        """Every window that slides over an axis of the first input, be its stride 1."""
        links = enumerate(self.axes(inputs))
        return tuple(
            Slide(link.source, link.map, output[axis])
            for axis, link in links
            if link is not None and isinstance(link.map, Window)
        )

    def growth_steps(self, inputs: Shapes, output: Shape) -> tuple[tuple[int | None, Fraction | int], ...]:
        """(axis of the first input, step): where an axis grows by a multiple of its step, the output grows evenly.

        None in the place of an axis stands for the product of all.
        """
        return tuple((slide.axis, slide.window.stride) for slide in self.slides(inputs, output))

    def biased(self, inputs: Shapes) -> bool:
        """Whether it adds a learned bias."""
        return any("bias" in weight.name for weight in self.weights(inputs))

    def values_a_channel(self, shape: Shape) -> int:
        """How many numbers of one example, of this shape, are of one channel."""
        return prod(shape[1:])

    def macs_beside_windows(self, inputs: Shapes, output: Shape) -> int:
        """Those of its multiply-accumulates that none of its windows takes; 0 unless it says so."""
        return 0

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        """The products whose sum its multiply-accumulates are, of layers that form several, or one of activations."""
        return ()

    def activation_macs(self, inputs: Shapes, output: Shape) -> int:
        """Those of its multiply-accumulates whose two factors are both activations."""
        return sum([product.macs for product in self.matrix_products(inputs, output) if product.of_activations])

    def backward_macs(self, inputs: Shapes, output: Shape, learns: tuple[bool, ...]) -> int:
        """Multiply-accumulates of its backward pass; `learns` says of each input whether it needs a gradient.

        The gradient of the weights costs as much as the forward pass, and so does that of the input.
        """
        macs = self.operations(inputs, output).get("mac", 0)
        return macs and macs * (any(weight.learnable for weight in self.weights(inputs)) + any(learns))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        """Operations of one forward pass at batch 1, by the kinds of `OPERATIONS`."""
        return {}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """What PyTorch's backward pass of it keeps, at batch 1."""
        return ()

    def passes_gradient(self, inputs: Shapes, output: Shape, which: int) -> Share | None:
        """How much of its output's gradient PyTorch's backward passes on to input `which` in the same memory.

        None: that input's gradient has memory of its own.
        """
        return "whole" if self.is_view and prod(output) == prod(inputs[which]) else None

    def fields(self) -> dict[str, Any]:
        """The fields that were given, resolved, without the kind."""
        given = self.model_fields_set
        return {name: getattr(self, name) for name in type(self).model_fields if name in given and name != "kind"}


for _name in Layer.__class_vars__ & Layer.__annotations__.keys():
    # For every subclass pydantic evaluates the annotations of its bases again; those of class variables are no fields.
    del Layer.__annotations__[_name]


def check_arity(layer: Layer, count: int) -> None:
    """Raise `WrongArity` unless the layer takes `count` inputs."""
    fewest, most = layer.arity
    if count < fewest or (most is not None and count > most):
        wanted = f"{fewest}" if fewest == most else f"at least {fewest}" if most is None else f"{fewest} to {most}"
        raise WrongArity(f"{layer.kind} takes {wanted} input{'s' * (wanted != '1')}, not {count}", count=count)


def check_groups(groups: int, field: str = "groups", **channels: int) -> None:
    """Raise `NotDivisible` unless the groups, given by the field of that name, divide the channels."""
    for name, count in channels.items():
        if count % groups:
            raise NotDivisible(
                f"{field} {groups} do not divide {name} {count}",
                hint=f"{name} must be a multiple of {groups}",
                groups=groups,
                **channels,
            )


def channels_of(layer: Layer, shape: Shape) -> int:
    """The channels of an input; raises `RankMismatch` where it is one number, without axes."""
    if not shape:
        raise RankMismatch(f"{layer.kind} needs channels, and [] is one number", axes=0)
    return shape[0]


def check_space(layer: Layer, shape: Shape) -> None:
    """Raise `RankMismatch` unless `shape` has space axes."""
    if len(shape) < 2:
        raise RankMismatch(f"{layer.kind} needs space axes beside the channels, not {list(shape)}", axes=0)


def resolve_axis(layer: Layer, field: str, axis: int, shape: Shape) -> int:
    """`axis` counted from the front; raises `RankMismatch` where `shape` has no such axis.

    Axes exclude the batch: 0 is the channels, −1 the last.
    """
    if not -len(shape) <= axis < len(shape):
        axes = f"the axes 0 to {len(shape) - 1}" if shape else "no axes"
        raise RankMismatch(
            f"{layer.kind} has {field} {axis}, but {list(shape)} has {axes}",
            hint="axes exclude the batch: 0 is the channels, -1 the last axis",
            axis=axis,
            axes=len(shape),
        )
    return axis % len(shape)
