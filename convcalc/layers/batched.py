"""A layer whose first axes count as batch: what `batch_axes` beside an item's kind makes of it."""

from math import prod
from typing import Any

from pydantic import SkipValidation

from ..geometry import IDENTITY, AxisLink, RankMismatch, Rounding, UnequalInputs
from .base import (
    Alone,
    Count,
    Layer,
    MatrixProduct,
    Operations,
    Part,
    Patch,
    Reduction,
    Saved,
    Shape,
    Shapes,
    Share,
    Slide,
    Weight,
    Windows,
)
from .kind_table import BATCHED

FACTS = frozenset(Layer.__class_vars__) - {"model_config"}
"""What the class of a layer says of it."""


class Batched(Layer):
    """The layer `inner` on inputs whose first `leading` axes count as batch: frames of a video, windows of an image.

    Its kind and its facts are those of the layer inside, on shapes without these axes, which stay as they are; what it
    costs is multiplied by their sizes, its weights are not.
    """

    inner: SkipValidation[Layer]
    leading: Count

    def model_post_init(self, context: Any, /) -> None:
        self.__dict__.update({name: getattr(self.inner, name) for name in FACTS})

    @property
    def entry_names(self) -> tuple[str, ...]:
        return (BATCHED,)

    @property
    def inside(self) -> Layer:
        return self.inner

    @property
    def batch_axes(self) -> int:
        return self.leading

    def alone(self, inputs: Shapes, output: Shape) -> Alone:
        axes = self.leading
        return Alone(self.inner, self._inside(inputs), output[axes:], prod(inputs[0][:axes]))

    def _inside(self, inputs: Shapes) -> Shapes:
        return tuple([shape[self.leading :] for shape in inputs])

    def output_shape(self, inputs: Shapes) -> Shape:
        axes = self.leading
        if not inputs:
            raise RankMismatch(f"{self.kind} reads nothing, so that it has no batch_axes", hint="leave batch_axes out")
        first = inputs[0][:axes]
        for which, shape in enumerate(inputs):
            if len(shape) < axes:
                raise RankMismatch(
                    f"{self.kind} has batch_axes {axes}, but {list(shape)} has {len(shape)} axes",
                    hint="batch_axes are those of the input that count as batch, beside the batch itself",
                    axes=len(shape),
                )
            if shape[:axes] != first:
                where = f"batch axes {list(first)} and {list(shape[:axes])}"
                raise UnequalInputs(self.kind, 0, inputs[0], which, shape, where, hint="batch axes are equal")
        return first + self.inner.output_shape(self._inside(inputs))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return self.inner.weights(self._inside(inputs))

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return self.axes_of(inputs, 0)

    def axes_of(self, inputs: Shapes, which: int) -> tuple[AxisLink | None, ...]:
        axes = self.leading
        kept = tuple(AxisLink(axis, IDENTITY) for axis in range(axes))
        links = self.inner.axes_of(self._inside(inputs), which)
        return (*kept, *(None if link is None else AxisLink(link.source + axes, link.map) for link in links))

    def slides(self, inputs: Shapes, output: Shape) -> tuple[Slide, ...]:
        found = self.inner.slides(self._inside(inputs), output[self.leading :])
        return tuple(slide._replace(axis=slide.axis + self.leading) for slide in found)

    def joined_axis(self, inputs: Shapes) -> int | None:
        axis = self.inner.joined_axis(self._inside(inputs))
        return None if axis is None else axis + self.leading

    def macs_beside_windows(self, inputs: Shapes, output: Shape) -> int:
        layer, inside, result, times = self.alone(inputs, output)
        return times * layer.macs_beside_windows(inside, result)

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        layer, inside, result, times = self.alone(inputs, output)
        products = layer.matrix_products(inside, result)
        return tuple(product._replace(outputs=times * product.outputs) for product in products)

    def activation_macs(self, inputs: Shapes, output: Shape) -> int:
        layer, inside, result, times = self.alone(inputs, output)
        return times * layer.activation_macs(inside, result)

    def backward_macs(self, inputs: Shapes, output: Shape, learns: tuple[bool, ...]) -> int:
        layer, inside, result, times = self.alone(inputs, output)
        return times * layer.backward_macs(inside, result, learns)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        layer, inside, result, times = self.alone(inputs, output)
        return {kind: times * count for kind, count in layer.operations(inside, result).items()}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        layer, inside, result, times = self.alone(inputs, output)
        return tuple(
            saved._replace(elements=times * saved.elements) if saved.batched else saved
            for saved in layer.saved(inside, result)
        )

    def passes_gradient(self, inputs: Shapes, output: Shape, which: int) -> Share | None:
        return self.inner.passes_gradient(self._inside(inputs), output[self.leading :], which)

    def windows(self, shape: Shape) -> Windows:
        """Those of the layer inside, whose space axes stand behind the batch axes and the channels."""
        return self.inner.windows(shape[self.leading :])

    @property
    def scales_channels(self) -> bool:
        return False

    @property
    def clips(self) -> bool:
        return self.inner.clips

    @property
    def patch(self) -> Patch | None:
        return self.inner.patch

    @property
    def channel_groups(self) -> int | None:
        return self.inner.channel_groups

    @property
    def norm_groups(self) -> int | None:
        return self.inner.norm_groups

    @property
    def reduction(self) -> Reduction | None:
        return self.inner.reduction

    @property
    def border_mode(self) -> str:
        return self.inner.border_mode

    @property
    def rounding(self) -> Rounding | None:
        return self.inner.rounding

    @property
    def share_axis(self) -> int | None:
        axis = self.inner.share_axis
        return axis if axis is None or axis < 0 else axis + self.leading

    @property
    def part_of(self) -> Part | None:
        return self.inner.part_of

    @property
    def data_inputs(self) -> int | None:
        return self.inner.data_inputs

    def fields(self) -> dict[str, Any]:
        return self.inner.fields()


def batched(layer: Layer, axes: int) -> Layer:
    """The layer with so many batch axes; itself without any.

    >>> from convcalc.layers.registry import build
    >>> frames = batched(build("conv2d", {"out": 8, "k": 3}), 1)
    >>> frames.output_shape(((16, 3, 32, 32),)), [weight.shape for weight in frames.weights(((16, 3, 32, 32),))]
    ((16, 8, 30, 30), [(8, 3, 3, 3), (8,)])
    """
    return Batched(kind=layer.kind, inner=layer, leading=axes) if axes else layer
