"""Pools: max_pool1d|2d|3d, avg_pool1d|2d|3d, lp_pool1d|2d, whose window slides; adaptive_avg_pool1d|2d|3d,
adaptive_max_pool1d|2d|3d, global_avg_pool, global_max_pool, whose windows fit the output.

Source of the size rules: `convcalc.geometry.pooling`.
"""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, ValidatorFunctionWrapHandler, model_validator
from pydantic.functional_validators import BeforeValidator, WrapValidator

from ..geometry import (
    AdaptiveWindow,
    AxisLink,
    InvalidWindow,
    KernelTooLarge,
    PoolPaddingTooLarge,
    Rounding,
    Window,
    adaptive_taps,
    effective_kernel,
    pool_output,
    resolve_padding,
)
from .base import Count, Flag, Layer, Operations, Patch, Reduction, Saved, Shape, Shapes, check_space
from .spatial import Padding, Pairs, PerAxis, Sliding, axis_paddings, channelwise_links, check_rank, per_axis, rank_of


class AdaptivePool(Sliding):
    """A mean or maximum over windows that spread the input over `output_size` positions:
    `adaptive_avg_pool1d|2d|3d`, `adaptive_max_pool1d|2d|3d`.

    Window j reads the inputs j·i // o … ceil((j + 1)·i / o) − 1; they overlap where o does not divide i.
    `null` for an axis keeps its size.
    Source: torch.nn.AdaptiveAvgPool2d; PyTorch aten/src/ATen/native/AdaptivePooling.h.
    """

    output_size: Annotated[tuple[Count | None, ...], BeforeValidator(per_axis)]

    ends_features: ClassVar[bool] = True

    @property
    def reduction(self) -> Reduction:
        return "max" if "max" in self.kind else "avg"

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_rank(self, shape)
        space = (i if o is None else o for i, o in zip(shape[1:], self.output_size, strict=True))
        return (shape[0], *space)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        sizes = zip(inputs[0][1:], self.output_shape(inputs)[1:], strict=True)
        return channelwise_links(tuple(AdaptiveWindow(i, o) for i, o in sizes))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        taps = prod(adaptive_taps(i, o) for i, o in zip(inputs[0][1:], output[1:], strict=True))
        return {"pooling": output[0] * taps}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return saved_by_adaptive_pool(self.reduction, output)


class GlobalPool(Layer):
    """A mean or maximum over all space, which keeps the axes: `global_avg_pool`, `global_max_pool`.

    Output [channels, 1, ...], for every rank from 1.
    Source: ONNX GlobalAveragePool; keras.layers.GlobalAveragePooling2D with keepdims; torch.nn.AdaptiveAvgPool2d(1).
    """

    ends_features: ClassVar[bool] = True

    @property
    def reduction(self) -> Reduction:
        return "max" if "max" in self.kind else "avg"

    def output_shape(self, inputs: Shapes) -> Shape:
        check_space(self, inputs[0])
        return (inputs[0][0], *(1,) * (len(inputs[0]) - 1))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return channelwise_links((None,) * (len(inputs[0]) - 1))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"pooling": prod(inputs[0])}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return saved_by_adaptive_pool(self.reduction, output)


def saved_by_adaptive_pool(reduction: Reduction, output: Shape) -> tuple[Saved, ...]:
    """What backward keeps: a mean over everything nothing, other means the input, a maximum its indices too."""
    if reduction == "max":
        return (Saved("input"), Saved("extra", elements=prod(output), bytes=8))
    return (Saved("input"),) if prod(output[1:]) > 1 else ()


ROUNDINGS: dict[bool | str, Rounding] = {False: "floor", True: "ceil", "caffe": "ceil_caffe", "onnx": "ceil_keep"}
"""What `ceil_mode` says -> how sizes are rounded."""


def _stride_or_kernel(value: object, info: ValidationInfo) -> object:
    """A pool's stride: as given, else its kernel."""
    if value is not None:
        return per_axis(value, info)
    return info.data.get("kernel_size", (1,) * rank_of(info.data["kind"]))


def _within_kernel(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    """Padding of a pool: at most half the kernel as numbers (PyTorch), below its extent as pairs (ONNX)."""
    padding = handler(value)
    kernel = info.data.get("kernel_size")
    if isinstance(padding, str) or kernel is None:
        return padding
    nested = isinstance(value, (list, tuple)) and any(isinstance(item, (list, tuple)) for item in value)
    dilation = info.data.get("dilation", (1,) * len(kernel))
    for pair, k, d in zip(padding, kernel, dilation, strict=True):
        bound = effective_kernel(k, d) - 1 if nested else k // 2
        if max(pair) > bound:
            raise PoolPaddingTooLarge(
                f"padding {max(pair)} of a pool with kernel {k} may be at most {bound}",
                hint="numbers may be half the kernel, as in PyTorch; nested pairs ([[1, 2], [1, 2]]) anything below "
                "the kernel, as in ONNX",
                padding=max(pair),
                kernel_size=k,
                bound=bound,
            )
    return padding


PoolStride = Annotated[tuple[Count, ...], BeforeValidator(_stride_or_kernel)]
PoolPadding = Annotated[Padding, WrapValidator(_within_kernel)]
CeilMode = Annotated[
    Annotated[Flag, Tag("flag")] | Annotated[Literal["caffe", "onnx"], Tag("word")],
    Discriminator(lambda value: "word" if isinstance(value, str) else "flag"),
]


class _Pool(Sliding):
    """Fields and facts that pools of all kinds share."""

    kernel_size: PerAxis
    stride: PoolStride = Field(default=None, validate_default=True)
    ceil_mode: CeilMode = False

    short_forms: ClassVar[dict[str, str]] = {"k": "kernel_size", "s": "stride"}

    @property
    def patch(self) -> Patch:
        return Patch(self.kernel_size, self.stride, self._padding(), self._dilations())

    @property
    def rounding(self) -> Rounding:
        """How the size is rounded: PyTorch's floor or ceil, Caffe's ceil, or ONNX's before opset 22."""
        return ROUNDINGS[self.ceil_mode]

    def _pads(self, shape: Shape) -> Pairs:
        """(before, after) of each space axis."""
        return ((0, 0),) * self.rank

    def _padding(self) -> Pairs | str:
        """The padding as its field says it."""
        return ((0, 0),) * self.rank

    def _dilations(self) -> tuple[int, ...]:
        return (1,) * self.rank

    def windows(self, shape: Shape) -> tuple[Window, ...]:
        """The window of each space axis for an input of this shape."""
        fields = zip(self.kernel_size, self.stride, self._pads(shape), self._dilations(), strict=True)
        return tuple(Window(k, s, *pads, d) for k, s, pads, d in fields)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_rank(self, shape)
        windows = self.windows(shape)
        padded = any(w.before or w.after for w in windows)
        rounding = self.rounding
        space = (pool_output(i, *w, rounding, padded) for i, w in zip(shape[1:], windows, strict=True))
        return (shape[0], *space)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return channelwise_links(self.windows(inputs[0]))

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"pooling": prod(self.kernel_size) * prod(output)}


class _PaddedPool(_Pool):
    """A pool that may be padded."""

    padding: PoolPadding = Field(default=0, validate_default=True)

    def _padding(self) -> Pairs | str:
        return self.padding

    def _pads(self, shape: Shape) -> Pairs:
        if not isinstance(self.padding, str):
            return self.padding
        fields = zip(
            axis_paddings(self.padding, self.rank),
            shape[1:],
            self.kernel_size,
            self.stride,
            self._dilations(),
            strict=True,
        )
        return tuple(resolve_padding(p, i, k, s, d) for p, i, k, s, d in fields)


class _DilatedPool(_Pool):
    """A pool whose window may be dilated."""

    dilation: PerAxis = Field(default=1, validate_default=True)

    def _dilations(self) -> tuple[int, ...]:
        return self.dilation


class MaxPool(_PaddedPool, _DilatedPool):
    """A maximum over each window, `max_pool1d`, `max_pool2d`, `max_pool3d`; the stride defaults to the kernel.

    Output per axis: (i + pl + pr − d(k − 1) − 1)//s + 1. `ceil_mode: true` rounds up as PyTorch does: a last
    window that would start in the padding after is dropped, and a window larger than the input by less than
    the stride gives one output. `caffe` drops it only in a padded pool, `onnx` (shape inference before
    opset 22) never. Padding given as numbers may be at most half the kernel, as nested pairs anything
    smaller than the dilated kernel.
    Source: torch.nn.MaxPool2d; PyTorch aten/src/ATen/native/Pool.h; Caffe pooling_layer.cpp; ONNX MaxPool.
    """

    short_forms: ClassVar[dict[str, str]] = {
        "k": "kernel_size",
        "s": "stride",
        "p": "padding",
        "d": "dilation",
    }

    @property
    def reduction(self) -> Reduction:
        return "max"

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"), Saved("extra", elements=prod(output), bytes=8))


class AvgPool(_PaddedPool):
    """A mean over each window, `avg_pool1d`, `avg_pool2d`, `avg_pool3d`; the stride defaults to the kernel.

    Sizes as `max_pool`. `count_include_pad` divides by the padding too (but never by what a window that
    rounds up overhangs); `divisor_override` divides by that number. As in PyTorch, `avg_pool3d` refuses an
    input smaller than its kernel even where padding or `ceil_mode: true` would make room.
    Source: torch.nn.AvgPool2d; PyTorch aten/src/ATen/native/Pool.h; Caffe pooling_layer.cpp.
    """

    count_include_pad: Flag = True
    divisor_override: Count | None = None

    short_forms: ClassVar[dict[str, str]] = {"k": "kernel_size", "s": "stride", "p": "padding"}

    @property
    def reduction(self) -> Reduction:
        return "avg"

    @model_validator(mode="after")
    def _divisor_has_space(self) -> "AvgPool":
        if self.rank == 1 and self.divisor_override is not None:
            raise InvalidWindow("avg_pool1d takes no divisor_override", hint="avg_pool2d and avg_pool3d do")
        return self

    def output_shape(self, inputs: Shapes) -> Shape:
        output = super().output_shape(inputs)
        if self.rank == 3 and isinstance(self.ceil_mode, bool) and not isinstance(self.padding, str):
            for size, k in zip(inputs[0][1:], self.kernel_size, strict=True):
                if size < k:
                    raise KernelTooLarge(size, 0, 0, k, 1)
        return output

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),)


class LpPool(_Pool):
    """A power mean over each window, `lp_pool1d`, `lp_pool2d`: (Σ x^norm_type)^(1/norm_type), without padding.

    Sizes as `max_pool`. PyTorch computes it as an average pool of the powers times the kernel's size, so a
    window that rounds up overhangs is scaled too.
    Source: torch.nn.LPPool2d; torch.nn.functional.lp_pool2d.
    """

    norm_type: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    @property
    def reduction(self) -> Reduction:
        return "power"

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        # The powers that the average pool reads; then their mean, its sign, magnitude and scaled magnitude.
        return (Saved("input"), Saved("extra", elements=prod(inputs[0])), Saved("extra", elements=4 * prod(output)))
