"""How layers that multiply come by their weights: learned as they are, or fixed, standardised, gained, or an input."""

from functools import lru_cache
from math import prod
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from ..geometry import AxisLink, ChannelMismatch, InvalidWindow
from .base import Flag, Layer, Operations, Saved, Shape, Shapes, Weight

FORMS = frozenset({"fixed", "standardize", "gain", "weight"})
"""Fields that say how weights come about."""


class Formed(Layer):
    """Weights that are multiplied with after a transformation, that are not learned, or that are computed.

    With W the tensor that the layer holds, mean and variance those of the weights of one output channel, and N their
    number, `standardize: true` multiplies with (W − mean) / √(variance + 1e-6) (Qiao et al. 2019, arXiv:1903.10520);
    `gain: true` multiplies each output channel's weights with a learned number, and with both there is a further factor
    1/√N (Brock et al. 2021, arXiv:2101.08692). `fixed: true` holds weights and bias as buffers that nothing learns
    (Zhang 2019, arXiv:1904.11486). `weight: input` reads the weights as the second input, each example its own, and the
    bias as the third (Yang et al. 2019, arXiv:1904.04971).
    What is made of weights alone is the same for every example and counts as no operation.
    """

    bias: Flag = True
    fixed: Flag = False
    standardize: Flag = False
    gain: Flag = False
    weight: Literal["input"] | None = None

    reads_apart: ClassVar[bool] = True

    @model_validator(mode="after")
    def _one_origin(self) -> "Formed":
        given = [name for name in ("fixed", "standardize", "gain") if getattr(self, name)]
        if self.weight == "input" and given:
            raise InvalidWindow(
                f"{self.kind} takes its weights from an input, and holds none that are {given[0]}",
                hint="drop one of the two",
            )
        return self

    def model_post_init(self, context: Any, /) -> None:
        if self.weight is not None:
            count = 2 + self.bias
            self.__dict__["arity"] = (count, count)

    @property
    def plain(self) -> Self:
        """The same layer with weights that it learns as they are."""
        given = self.fields()
        kept = {name: value for name, value in given.items() if name not in FORMS}
        return self if len(kept) == len(given) else type(self).model_validate({"kind": self.kind, **kept})

    @property
    def reshaped(self) -> bool:
        """Whether it multiplies with something else than the tensor that it holds."""
        return self.standardize or self.gain

    @property
    def outputs(self) -> int:
        """Its output channels or features."""
        assert self.width_field is not None
        width: int = getattr(self, self.width_field)
        return width

    def weight_shape(self, shape: Shape) -> Shape:
        """The shape of the weights that it multiplies an input of this shape with."""
        raise NotImplementedError

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        if self.weight is not None:
            return ()
        return _held(self.weight_shape(inputs[0]), self.outputs, self.bias, self.gain, not self.fixed)

    def check_given(self, inputs: Shapes) -> None:
        """Raise `ChannelMismatch` where weights or a bias that are inputs have another shape than it needs."""
        if len(inputs) == 1:
            return
        needed = (("weights", self.weight_shape(inputs[0])), ("a bias", (self.outputs,)))
        for which, (name, wanted) in enumerate(needed, start=1):
            if which < len(inputs) and inputs[which] != wanted:
                raise ChannelMismatch(
                    f"{self.kind} needs {name} of {list(wanted)}, and input {which} is {list(inputs[which])}",
                    hint="reshape it",
                    wanted=wanted,
                    shape=inputs[which],
                )

    def axes_of(self, inputs: Shapes, which: int) -> tuple[AxisLink | None, ...]:
        """Weights and bias are read whole by every position."""
        links = self.axes(inputs)
        return links if which == 0 else (None,) * len(links)

    def activation_macs(self, inputs: Shapes, output: Shape) -> int:
        """Those of its multiply-accumulates that are products of two activations."""
        return self.operations(inputs, output)["mac"] if self.weight is not None else 0

    def backward_macs(self, inputs: Shapes, output: Shape, learns: tuple[bool, ...]) -> int:
        """Weights that are an input take a gradient where something before them learns."""
        if self.weight is None:
            return super().backward_macs(inputs, output, learns)
        return sum(learns[:2]) * self.activation_macs(inputs, output)

    def products(self, macs: int, output: Shape) -> Operations:
        """Its operations where it takes so many multiply-accumulates."""
        return {"mac": macs, "bias": prod(output)} if self.bias else {"mac": macs}

    def also_saved(self, inputs: Shapes) -> tuple[Saved, ...]:
        """What backward keeps beside the data: the weights that are an input, or those that were made."""
        if self.weight is not None:
            return (Saved("input", 1),)
        shape, outputs = self.weight_shape(inputs[0]), self.outputs
        found: list[Saved] = []
        if self.reshaped:
            found.append(Saved("extra", elements=prod(shape), batched=False))
        if self.standardize:
            found.append(Saved("extra", elements=2 * outputs, bytes=4, batched=False))
            if self.gain:
                found.append(Saved("extra", elements=outputs, batched=False))
        return tuple(found)


@lru_cache(maxsize=256)
def _held(shape: Shape, outputs: int, bias: bool, gain: bool, learnable: bool) -> tuple[Weight, ...]:
    """What a layer holds whose weights have this shape, learnable ones first."""
    found = [Weight("weight", shape, learnable)]
    if bias:
        found.append(Weight("bias", (outputs,), learnable))
    if gain:
        found.append(Weight("gain", (outputs, *(1,) * (len(shape) - 1))))
        found.sort(key=lambda weight: not weight.learnable)
    return tuple(found)
