"""Normalizations: batch_norm, group_norm, layer_norm, rms_norm, instance_norm, local_response_norm; and scale, a
learned factor.

Receptive fields follow values, not statistics: an output element is taken to depend on its own input
element alone, as published receptive fields count. Only the window of local_response_norm is a window.
"""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.functional_validators import BeforeValidator

from ..geometry import (
    IDENTITY,
    AxisLink,
    ChannelMismatch,
    GeometryError,
    InvalidWindow,
    Window,
)
from .base import (
    Count,
    Flag,
    Layer,
    Number,
    Operations,
    Saved,
    Shape,
    Shapes,
    Weight,
    channels_of,
    check_groups,
    check_space,
    resolve_axis,
)

ChannelAxis = Literal[0, -1]
"""The axis of the channels: the first, or the last of [height, width, channels] and of sequences."""


def _channels(layer: Layer, dim: ChannelAxis, shape: Shape) -> int:
    """The size of the axis of the channels."""
    return shape[resolve_axis(layer, "dim", dim, shape)]


class Scale(Layer):
    """Multiplies each channel by a learned number and, with `bias: true`, adds another (ConvNeXt's layer scale
    without a bias, Caffe's Scale with or without).

    `dim: -1` takes the last axis for the channels; with `size: 1` one number serves all (ReZero, a temperature).
    Weight and bias [channels], or [1]. Source: Touvron et al. 2021, arXiv:2103.17239; Liu et al. 2022,
    arXiv:2201.03545; Caffe scale_layer.cpp; Bachlechner et al. 2020, arXiv:2003.04887.
    """

    bias: Flag = False
    dim: ChannelAxis = 0
    size: Literal[1] | None = None

    in_place: ClassVar[bool] = True

    @property
    def scales_channels(self) -> bool:
        return self.dim == 0

    def output_shape(self, inputs: Shapes) -> Shape:
        if self.size is None:
            _channels(self, self.dim, inputs[0])
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        factors = (self.size or _channels(self, self.dim, inputs[0]),)
        weight = Weight("weight", factors)
        return (weight, Weight("bias", factors)) if self.bias else (weight,)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"elementwise": prod(output), "bias": prod(output)} if self.bias else {"elementwise": prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)


Epsilon = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _affine(shape: Shape, bias: bool = True, weight: bool = True) -> tuple[Weight, ...]:
    return tuple(Weight(name, shape) for name, learned in (("weight", weight), ("bias", bias)) if learned)


def _running(channels: int) -> tuple[Weight, ...]:
    """The buffers of running statistics; the counter is a 0-dimensional integer."""
    return (
        Weight("running_mean", (channels,), learnable=False),
        Weight("running_var", (channels,), learnable=False),
        Weight("num_batches_tracked", (), learnable=False),
    )


def _saved_statistics(groups: int, batched: bool = True) -> tuple[Saved, ...]:
    """The input, and mean and inverse deviation of each group in float32."""
    return (Saved("input"), Saved("extra", elements=2 * groups, bytes=4, batched=batched))


class BatchNorm(Layer):
    """Normalizes each channel over batch and space; learns a weight and a bias a channel.

    With `weight: false` or `bias: false` it learns the other alone, as Keras's `scale` and `center` have it. `dim: -1`
    takes the last axis for the channels. Buffers: running_mean, running_var and the counter num_batches_tracked.
    Source: torch.nn.BatchNorm2d; keras.layers.BatchNormalization; Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    eps: Epsilon = 1e-5
    momentum: Number | None = 0.1
    affine: Flag = True
    weight: Flag = True
    bias: Flag = True
    track_running_stats: Flag = True
    dim: ChannelAxis = 0

    in_place: ClassVar[bool] = True
    over_batch: ClassVar[bool] = True

    @property
    def scales_channels(self) -> bool:
        return self.track_running_stats and self.dim == 0

    def output_shape(self, inputs: Shapes) -> Shape:
        _channels(self, self.dim, inputs[0])
        return inputs[0]

    def values_a_channel(self, shape: Shape) -> int:
        return prod(shape) // _channels(self, self.dim, shape)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        channels = _channels(self, self.dim, inputs[0])
        affine = _affine((channels,), self.bias, self.weight) if self.affine else ()
        return (*affine, *_running(channels)) if self.track_running_stats else affine

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"normalization": 2 * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return _saved_statistics(_channels(self, self.dim, inputs[0]), batched=False)


class GroupNorm(Layer):
    """Normalizes each example over groups of channels and space; learns a weight and a bias a channel.

    With `weight: false` or `bias: false` it learns the other alone.
    Source: torch.nn.GroupNorm; keras.layers.GroupNormalization; Wu & He 2018, arXiv:1803.08494.
    """

    num_groups: Count
    eps: Epsilon = 1e-5
    affine: Flag = True
    weight: Flag = True
    bias: Flag = True

    in_place: ClassVar[bool] = True

    @property
    def norm_groups(self) -> int:
        return self.num_groups

    def output_shape(self, inputs: Shapes) -> Shape:
        check_groups(self.num_groups, "num_groups", in_channels=channels_of(self, inputs[0]))
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return _affine(inputs[0][:1], self.bias, self.weight) if self.affine else ()

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"normalization": (7 if self.affine else 5) * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return _saved_statistics(self.num_groups)


Trailing = Annotated[
    tuple[Count, ...] | None,
    BeforeValidator(lambda v: v if v is None or isinstance(v, (list, tuple)) else (v,)),
]
"""The sizes of trailing axes; one number names the last."""


def check_trailing(wanted: Shape | None, shape: Shape, hint: str) -> None:
    """Raise `ChannelMismatch` unless `shape` has axes and ends with the wanted sizes."""
    if wanted is not None and shape[-len(wanted) :] != wanted:
        raise ChannelMismatch(
            f"normalized_shape {list(wanted)} is not how {list(shape)} ends",
            hint=hint,
            normalized_shape=wanted,
            shape=shape,
        )


class LayerNorm(Layer):
    """Normalizes over trailing axes, the last one by default; learns a weight and a bias of their shape.

    `normalized_shape` names the trailing sizes and must agree with the input; `dim: 0` normalizes over the
    channels at each position instead (ConvNeXt's LayerNorm2d). With `weight: false` or `bias: false` it learns the
    other alone.
    Source: torch.nn.LayerNorm; torchvision.models.convnext.LayerNorm2d; Ba et al. 2016, arXiv:1607.06450.
    """

    normalized_shape: Trailing = None
    dim: Literal[0] | None = None
    eps: Epsilon = 1e-5
    elementwise_affine: Flag = True
    weight: Flag = True
    bias: Flag = True

    in_place: ClassVar[bool] = True

    @model_validator(mode="after")
    def _one_way(self) -> "LayerNorm":
        if self.dim is not None and self.normalized_shape is not None:
            raise InvalidWindow("layer_norm takes normalized_shape or dim, not both")
        if self.normalized_shape == ():
            raise InvalidWindow("normalized_shape must name at least one axis")
        return self

    def _normalized(self, shape: Shape) -> Shape:
        if self.dim is not None:
            return shape[:1]
        return self.normalized_shape or shape[-1:]

    def output_shape(self, inputs: Shapes) -> Shape:
        hint = "without normalized_shape the last axis is normalized; 'dim: 0' normalizes the channels"
        check_trailing(self.normalized_shape, inputs[0], hint)
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return _affine(self._normalized(inputs[0]), self.bias, self.weight) if self.elementwise_affine else ()

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"normalization": (7 if self.elementwise_affine else 5) * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return _saved_statistics(prod(inputs[0]) // prod(self._normalized(inputs[0])))


class RMSNorm(Layer):
    """x / √(mean of x² + eps) over trailing axes, the last one by default, times a learned factor of their shape.

    `normalized_shape` names the trailing sizes and must agree with the input. Without an `eps` it is that of the
    numbers' type, as in PyTorch. Source: torch.nn.RMSNorm; Zhang & Sennrich 2019, arXiv:1910.07467.
    """

    normalized_shape: Trailing = None
    eps: Epsilon | None = None
    elementwise_affine: Flag = True

    in_place: ClassVar[bool] = True

    @model_validator(mode="after")
    def _some(self) -> "RMSNorm":
        if self.normalized_shape == ():
            raise InvalidWindow("normalized_shape must name at least one axis")
        return self

    def _normalized(self, shape: Shape) -> Shape:
        return self.normalized_shape or shape[-1:]

    def output_shape(self, inputs: Shapes) -> Shape:
        check_trailing(self.normalized_shape, inputs[0], "without normalized_shape the last axis is normalized")
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return _affine(self._normalized(inputs[0]), bias=False) if self.elementwise_affine else ()

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"normalization": (4 if self.elementwise_affine else 3) * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        rows = prod(inputs[0]) // prod(self._normalized(inputs[0]))
        return (Saved("input"), Saved("extra", elements=rows + self.elementwise_affine * prod(output)))


class InstanceNorm(Layer):
    """Normalizes each channel of each example over space; by default it learns nothing.

    Needs more than one position, as in PyTorch: the variance of one number is 0.
    Source: torch.nn.InstanceNorm2d; Ulyanov et al. 2016, arXiv:1607.08022.
    """

    eps: Epsilon = 1e-5
    momentum: Number | None = 0.1
    affine: Flag = False
    track_running_stats: Flag = False

    in_place: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_space(self, shape)
        if prod(shape[1:]) == 1:
            raise GeometryError(
                f"instance_norm needs more than one position a channel, and {list(shape)} has one",
                hint="normalize before the space is pooled away, or use layer_norm",
                shape=shape,
            )
        return shape

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        channels = inputs[0][0]
        affine = _affine((channels,)) if self.affine else ()
        return (*affine, *_running(channels)) if self.track_running_stats else affine

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"normalization": (7 if self.affine else 5) * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return _saved_statistics(inputs[0][0])


class LocalResponseNorm(Layer):
    """x / (k + alpha·mean of x² over `size` neighbouring channels)^beta, as AlexNet has it.

    Of an even size, one more of the neighbours is below. PyTorch and Caffe divide alpha by size; TensorFlow
    does not. Source: torch.nn.LocalResponseNorm; Caffe lrn_layer.cpp.
    """

    size: Count
    alpha: Number = 1e-4
    beta: Number = 0.75
    k: Number = 1.0

    in_place: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        check_space(self, inputs[0])
        return inputs[0]

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        neighbours = Window(self.size, 1, self.size // 2, (self.size - 1) // 2)
        return (AxisLink(0, neighbours), *(AxisLink(axis, IDENTITY) for axis in range(1, len(inputs[0]))))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"normalization": 5 * prod(output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        padded_squares = (inputs[0][0] + self.size - 1) * prod(inputs[0][1:])
        return (Saved("input"), Saved("extra", elements=padded_squares + 2 * prod(output)))
