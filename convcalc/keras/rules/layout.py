"""Layers that rearrange axes, and those that pass their input on outside training.

Source: keras/src/layers/reshaping and keras/src/layers/regularization of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ...models.document import Malformed
from ...models.making import Fields
from ..builder import Builder, Use
from ..tensor import Tensor

Rule = Callable[[Builder, Use], Tensor]


def _flatten(builder: Builder, use: Use) -> Tensor:
    tensor = use.tensor
    if use.settings.text("data_format", "channels_last") == "channels_first" and tensor.rank > 1:
        tensor = tensor._replace(order=(*tensor.order[1:], tensor.order[0]))  # Keras puts the channels last first
    read = builder.read_plain(tensor)
    return builder.emit("flatten", {}, read, order=(0,))


def _reshape(builder: Builder, use: Use) -> Tensor:
    return builder.reshaped(use.tensor, resolved(use.tensor, use.settings.integers("target_shape")))


def resolved(tensor: Tensor, target: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with its −1 worked out."""
    total, known = prod(tensor.shape), prod(size for size in target if size != -1)
    if target.count(-1) > 1 or any(size < -1 or size == 0 for size in target):
        raise Malformed(f"the shape {list(target)} has sizes that are none")
    if known < 1 or total % known or (known != total and -1 not in target):
        raise Malformed(f"the {total} numbers of {list(tensor.sizes)} do not fit the shape {list(target)}")
    return tuple([total // known if size == -1 else size for size in target])


def _permute(builder: Builder, use: Use) -> Tensor:
    dims = [axis - 1 for axis in use.settings.integers("dims")]
    return permuted(builder, use.tensor, dims)


def permuted(builder: Builder, tensor: Tensor, dims: list[int]) -> Tensor:
    """Keras's axes in another order: axis n of the output is axis dims[n] of the input; the batch is not counted."""
    if sorted(dims) != list(range(tensor.rank)):
        raise Malformed(f"the axes {dims} are not those of {list(tensor.sizes)} in another order")
    order = tensor.order
    axes = [0] * tensor.rank
    for axis, source in enumerate(dims):
        axes[order[axis]] = order[source]
    return builder.emit("permute", {"dims": tuple(axes)}, tensor)


def _identity(builder: Builder, use: Use) -> Tensor:
    return builder.emit("identity", {}, use.tensor)


def _dropout(builder: Builder, use: Use) -> Tensor:
    rate = use.settings.number("rate", 0.5)
    noise = use.settings.get("noise_shape")
    if isinstance(noise, list) and len(noise) == use.tensor.rank + 1 and all(size == 1 for size in noise[1:]):
        return builder.emit("stochastic_depth", _depth(rate, "row" if noise[0] != 1 else "batch"), use.tensor)
    return builder.emit("dropout", {"p": rate}, use.tensor)


def _depth(rate: float, mode: str) -> Fields:
    return {"p": rate} if mode == "row" else {"p": rate, "mode": mode}


def _stochastic_depth(builder: Builder, use: Use) -> Tensor:
    return builder.emit("stochastic_depth", _depth(use.settings.number("drop_path_rate", 0.0), "row"), use.tensor)


ASLEEP = (
    *("Identity", "ActivityRegularization", "Masking", "GaussianNoise", "GaussianDropout"),
    *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomBrightness", "RandomContrast"),
    *("RandomHeight", "RandomWidth", "RandomSaturation", "RandomHue", "RandomColorJitter", "RandomGrayscale"),
    *("RandomShear", "RandomPerspective", "RandomSharpness", "RandomPosterization", "RandomColorDegeneration"),
    *("RandomGaussianBlur", "RandomErasing", "RandomInvert", "RandomElasticTransform", "AutoContrast", "RandAugment"),
    *("AugMix", "CutMix", "MixUp"),
)
"""Layers that pass their input on outside training."""

RULES: dict[str, Rule] = {
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "StochasticDepth": _stochastic_depth,
    **dict.fromkeys(ASLEEP, _identity),
    **dict.fromkeys(("Dropout", "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _dropout),
}
