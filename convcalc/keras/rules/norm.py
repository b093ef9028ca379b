"""Normalizations, and what multiplies by learned or fixed numbers.

Source: keras/src/layers/normalization and keras/src/layers/preprocessing of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from ...models.document import Json, Malformed
from ...models.making import Fields
from ..builder import Builder, Unsupported, Use
from ..configuration import Settings
from ..tensor import Tensor, plain

Rule = Callable[[Builder, Use], Tensor]


def _at_either_end(builder: Builder, tensor: Tensor, axis: int) -> tuple[Tensor, int]:
    """The tensor with one of Keras's axes first or last, and which: 0 or −1."""
    place = builder.axis(tensor, axis)
    if place in (0, tensor.rank - 1):
        return tensor, 0 if place == 0 else -1
    keras = axis % (tensor.rank + 1) - 1
    others = [other for other in range(tensor.rank) if other != keras]
    order = [0] * tensor.rank
    for position, other in enumerate((keras, *others)):
        order[other] = position
    return builder.arranged(tensor, tuple(order)), 0


def _affine(settings: Settings) -> Fields:
    """Which of the learned factor and the learned addend it has."""
    scale, center = settings.flag("scale", True), settings.flag("center", True)
    return {} if scale and center else {"weight": scale, "bias": center}


def _batch_norm(builder: Builder, use: Use) -> Tensor:
    settings = use.settings
    axes = settings.integers("axis", default=-1)
    if len(axes) != 1:
        raise Unsupported("the language has no batch norm over several axes")
    if settings.flag("renorm", False):
        raise Unsupported("the language has no batch renormalization")
    read, dim = _at_either_end(builder, use.tensor, axes[0])
    fields: Fields = {"eps": settings.number("epsilon", 0.001)}
    fields["momentum"] = round(1 - settings.number("momentum", 0.99), 12)
    fields.update(_affine(settings))
    if dim and read.rank > 1:
        fields["dim"] = dim
    return builder.emit("batch_norm", fields, read)


def _layer_norm(builder: Builder, use: Use) -> Tensor:
    settings, tensor = use.settings, use.tensor
    axes = [builder.axis(tensor, axis) for axis in settings.integers("axis", default=-1)]
    fields: Fields = {"eps": settings.number("epsilon", 0.001), **_affine_layer(settings)}
    if settings.flag("rms_scaling", False):
        raise Unsupported("the language has no layer norm that scales by the root of the mean square")
    if axes == [0] and tensor.rank > 1:
        return builder.emit("layer_norm", {"dim": 0, **fields}, tensor)
    read = tensor
    if sorted(axes) != list(range(tensor.rank - len(axes), tensor.rank)):
        read = builder.arranged(tensor, plain(tensor.rank))
        axes = [builder.axis(read, axis) for axis in settings.integers("axis", default=-1)]
        if sorted(axes) != list(range(read.rank - len(axes), read.rank)):
            raise Unsupported("the language has no layer norm over axes that are not the last")
    if len(axes) > 1:
        fields["normalized_shape"] = read.shape[-len(axes) :]
    return builder.emit("layer_norm", fields, read)


def _rms_norm(builder: Builder, use: Use) -> Tensor:
    tensor, axes = use.tensor, use.settings.integers("axis", default=-1)
    read = builder.last(tensor) if axes in ((-1,), (tensor.rank,)) else builder.arranged(tensor, plain(tensor.rank))
    dims = sorted(builder.axis(read, axis) for axis in axes)
    if dims != list(range(read.rank - len(dims), read.rank)):
        raise Unsupported("the language has no RMS norm over axes that are not the last", sizes=[tensor.sizes])
    fields: Fields = {"eps": use.settings.number("epsilon", 1e-6)}
    if len(dims) > 1:
        fields["normalized_shape"] = read.shape[-len(dims) :]
    return builder.emit("rms_norm", fields, read)


def _affine_layer(settings: Settings) -> Fields:
    scale, center = settings.flag("scale", True), settings.flag("center", True)
    if scale:
        return {} if center else {"bias": False}
    return {"weight": False} if center else {"elementwise_affine": False}


def _group_norm(builder: Builder, use: Use) -> Tensor:
    settings = use.settings
    read, dim = _at_either_end(builder, use.tensor, settings.integer("axis", -1))
    if dim and read.rank > 1:
        read, _ = _first(builder, read)
    groups = settings.integer("groups", 32)
    fields: Fields = {"num_groups": read.shape[0] if groups == -1 else groups}
    fields["eps"] = settings.number("epsilon", 0.001)
    fields.update(_affine(settings))
    return builder.emit("group_norm", fields, read)


def _first(builder: Builder, tensor: Tensor) -> tuple[Tensor, int]:
    """The tensor with the network's last axis first."""
    order = tuple((axis + 1) % tensor.rank for axis in tensor.order)
    return builder.arranged(tensor, order), 0


def _layer_scale(builder: Builder, use: Use) -> Tensor:
    """ConvNeXt's: a learned factor for each entry of the last axis."""
    read, dim = _at_either_end(builder, use.tensor, -1)
    return builder.emit("scale", {"dim": dim} if dim and read.rank > 1 else {}, read)


def _rescaling(builder: Builder, use: Use) -> Tensor:
    scale = _numbers(use.settings.get("scale"), "scale")
    offset = _numbers(use.settings.get("offset") or 0.0, "offset")
    return rescaled(builder, use.tensor, scale, offset)


def rescaled(builder: Builder, tensor: Tensor, scale: list[float], offset: list[float]) -> Tensor:
    """scale · x + offset, with one number for all or one for each entry of the last axis."""
    if len(scale) == len(offset) == 1:
        return builder.emit("rescale", {"scale": scale[0], "offset": offset[0]}, tensor)
    count = max(len(scale), len(offset))
    if count != tensor.sizes[-1]:
        raise Malformed(f"{count} numbers for an axis of {tensor.sizes[-1]}")
    wide = [one * (count if len(one) == 1 else 1) for one in (scale, offset)]
    read, dim = _at_either_end(builder, tensor, -1)
    if dim and read.rank > 1:
        read, _ = _first(builder, read)
    return builder.emit("rescale", {"scale": tuple(wide[0]), "offset": tuple(wide[1])}, read)


def _numbers(value: Json, what: str) -> list[float]:
    """Numbers out of a nest of lists."""
    if isinstance(value, dict):  # an array of NumPy's as Keras writes it
        config = value.get("config")
        value = config.get("value") if isinstance(config, dict) else None
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner, what)]
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Malformed(f"{what} must be numbers")
    return [float(value)]


def _normalization(builder: Builder, use: Use) -> Tensor:
    """(x − mean) / √variance: numbers that the file states, or that it learned from data and keeps as weights."""
    settings, tensor = use.settings, use.tensor
    if "mean" in settings and "variance" in settings:
        mean, variance = _numbers(settings.get("mean"), "mean"), _numbers(settings.get("variance"), "variance")
        count = max(len(mean), len(variance))
        means, variances = mean * (count // len(mean)), variance * (count // len(variance))
        deviations = [max(sqrt(max(number, 0.0)), 1e-7) for number in variances]
        if settings.flag("invert", False):
            return rescaled(builder, tensor, deviations, means)
        scale = [1 / deviation for deviation in deviations]
        offset = [-m / deviation for m, deviation in zip(means, deviations, strict=True)]
        return rescaled(builder, tensor, scale, offset)
    axes = [builder.axis(tensor, axis) for axis in settings.integers("axis", default=-1)] if "axis" in settings else []
    shape = tuple([size if axis in axes else 1 for axis, size in enumerate(tensor.shape)])
    mean_, deviation_ = (
        builder.emit("parameter", {"shape": shape, "learned": False}, order=tensor.order, label=label)
        for label in ("mean", "deviation")
    )
    if settings.flag("invert", False):
        return builder.emit("add", {}, builder.emit("multiply", {}, tensor, deviation_), mean_)
    return builder.emit("div", {}, builder.emit("sub", {}, tensor, mean_), deviation_)


RULES: dict[str, Rule] = {
    "BatchNormalization": _batch_norm,
    "SyncBatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "GroupNormalization": _group_norm,
    "LayerScale": _layer_scale,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
}
