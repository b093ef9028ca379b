"""Layers that change the border of the space: pad, crop. They serve every rank; channels stay apart."""

from typing import Annotated, ClassVar, Literal

from pydantic import model_validator
from pydantic.functional_validators import BeforeValidator

from ..geometry import (
    AxisLink,
    InvalidWindow,
    PaddingOutOfRange,
    Window,
    WrongArity,
)
from .base import Layer, Number, Saved, Shape, Shapes, check_space
from .spatial import (
    Border,
    Cut,
    Extent,
    Pairs,
    border_pairs,
    channelwise_links,
    check_border,
    left_of_axis,
    one_an_axis,
    space_of_second,
)


class Pad(Layer):
    """Pads the space; negative padding crops. One number, one an axis, or nested [before, after] pairs.

    `reflect` needs padding smaller than the input, `circular` at most the input; `constant` fills with `value`.
    Source: torch.nn.functional.pad.
    """

    padding: Border
    mode: Annotated[
        Literal["constant", "reflect", "replicate", "circular"],
        BeforeValidator(lambda v: "constant" if v in ("zero", "zeros") else v),
    ] = "constant"
    value: Number = 0.0

    short_forms: ClassVar[dict[str, str]] = {"p": "padding"}
    changes_border: ClassVar[bool] = True

    @property
    def border_mode(self) -> str:
        return "zeros" if self.mode == "constant" else self.mode

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_space(self, shape)
        pairs = border_pairs(self, "padding", self.padding, shape)
        space: list[int] = []
        for axis, (size, (before, after)) in enumerate(zip(shape[1:], pairs, strict=True), start=1):
            check_border(self.mode, axis, size, before, after)
            space.append(left_of_axis(self, axis, size, before, after))
        return (shape[0], *space)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        pairs = border_pairs(self, "padding", self.padding, inputs[0])
        return channelwise_links(tuple(Window(before=before, after=after) for before, after in pairs))

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        return (Saved("input"),) if self.mode in ("reflect", "replicate") else ()


class Crop(Layer):
    """Cuts the space down: by `cropping` (a number, one an axis, or nested [before, after] pairs), or to a
    centred `size`, or with a second input, centred, to that one's space.

    Centred means that the cut starts at floor((i − size)/2). (torchvision's center_crop rounds an odd
    difference to even.) Source: keras.layers.Cropping2D; Ronneberger et al. 2015, arXiv:1505.04597.
    """

    cropping: Cut | None = None
    size: Extent | None = None

    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    is_view: ClassVar[bool] = True
    changes_border: ClassVar[bool] = True

    @property
    def data_inputs(self) -> int:
        return 1

    @model_validator(mode="after")
    def _consistent(self) -> "Crop":
        if self.cropping is not None and self.size is not None:
            raise InvalidWindow("crop takes cropping or size, not both")
        return self

    def _cuts(self, inputs: Shapes) -> Pairs:
        """(before, after) cut off each space axis."""
        shape = inputs[0]
        if len(inputs) == 2 and (self.cropping is not None or self.size is not None):
            raise WrongArity("crop takes cropping or size or a second input, one of them", count=2)
        if self.cropping is not None:
            return border_pairs(self, "cropping", self.cropping, shape)
        if len(inputs) == 2:
            wanted = space_of_second(self, inputs)
        elif self.size is not None:
            wanted = one_an_axis(self, "size", self.size, shape)
        else:
            raise WrongArity(
                "crop needs cropping, size or a second input whose space it takes",
                hint="write 'cropping: 1', or 'from: [a, b]'",
                count=1,
            )
        for axis, (size, target) in enumerate(zip(shape[1:], wanted, strict=True), start=1):
            if target > size:
                raise PaddingOutOfRange(
                    f"axis {axis} of {list(shape)} cannot be cropped to {target}: it is {size}",
                    hint="pad or upsample what must grow",
                    axis=axis,
                    size=size,
                    target=target,
                )
        differences = [size - target for size, target in zip(shape[1:], wanted, strict=True)]
        return tuple((surplus // 2, surplus - surplus // 2) for surplus in differences)

    def output_shape(self, inputs: Shapes) -> Shape:
        shape = inputs[0]
        check_space(self, shape)
        cuts = zip(shape[1:], self._cuts(inputs), strict=True)
        space = (
            left_of_axis(self, n, size, -before, -after) for n, (size, (before, after)) in enumerate(cuts, start=1)
        )
        return (shape[0], *space)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return channelwise_links(tuple(Window(before=-before, after=-after) for before, after in self._cuts(inputs)))
