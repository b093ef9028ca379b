"""Activations: layers of their own, and those that other layers name in their settings.

Source: keras/src/activations/activations.py and keras/src/layers/activations of Keras 3; keras/src/activations.py of
Keras 2.15, whose hard_sigmoid and default slope of leaky_relu are others.
"""

from __future__ import annotations

from collections.abc import Callable

from ...models.document import Json, Malformed, shown
from ..builder import Builder, Unsupported, Use
from ..configuration import Settings
from ..tensor import Tensor

PLAIN = {
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "silu": ("silu", {}),
    "swish": ("silu", {}),
    "hard_silu": ("hardswish", {}),
    "hard_swish": ("hardswish", {}),
    "sigmoid": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "mish": ("mish", {}),
    "selu": ("selu", {}),
    "softplus": ("softplus", {}),
    "gelu": ("gelu", {}),
    "elu": ("elu", {}),
    "exponential": ("exp", {}),
    "softsign": ("softsign", {}),
    "log_sigmoid": ("logsigmoid", {}),
    "hard_tanh": ("hardtanh", {}),
    "celu": ("celu", {}),
    "tanh_shrink": ("tanhshrink", {}),
    "hard_shrink": ("hardshrink", {}),
    "soft_shrink": ("softshrink", {}),
    "threshold": ("threshold", {"threshold": 0.0, "value": 0.0}),
}
"""Name in Keras -> kind and fields, where no axis matters."""
ALONG_LAST = {"softmax": "softmax", "log_softmax": "log_softmax"}
"""Name in Keras -> kind, for those along the last axis."""


def activated(builder: Builder, tensor: Tensor, activation: Json) -> Tensor:
    """The activation that a setting names, applied; the tensor itself where it names none."""
    name, settings = named(activation)
    if name in ("", "linear"):
        return tensor
    if name == "hard_sigmoid":
        return _hard_sigmoid(builder, tensor)
    if name == "leaky_relu":
        slope = settings.number("negative_slope", 0.2 if builder.modern else settings.number("alpha", 0.2))
        return builder.emit("leaky_relu", {"negative_slope": slope}, tensor)
    if name in ALONG_LAST:
        return along(builder, ALONG_LAST[name], tensor, -1)
    if name in PLAIN:
        kind, fields = PLAIN[name]
        return builder.emit(kind, dict(fields), tensor)
    rule = LAYERS_IN_SETTINGS.get(name)
    if rule is not None:
        return rule(builder, tensor, settings)
    return builder.unknown_activation(name, tensor)


def named(activation: Json) -> tuple[str, Settings]:
    """(the name of an activation, its settings): a text, or an object that Keras wrote of a function or a layer."""
    if activation is None or isinstance(activation, str):
        return activation or "", Settings({})
    if isinstance(activation, dict):
        config = activation.get("config")
        if isinstance(config, str):
            return config, Settings({})
        name = activation.get("class_name")
        if isinstance(name, str):
            return name, Settings(config if isinstance(config, dict) else {})
    raise Malformed(f"activation must be a name, not {shown(activation)}")


def _hard_sigmoid(builder: Builder, tensor: Tensor) -> Tensor:
    """relu6(x + 3) / 6 in Keras 3; in Keras 2 it was x / 5 + 1/2, cut off at 0 and 1."""
    if builder.modern:
        return builder.emit("hardsigmoid", {}, tensor)
    line = builder.emit("rescale", {"scale": 0.2, "offset": 0.5}, tensor)
    return builder.emit("clamp", {"min": 0.0, "max": 1.0}, line)


def along(builder: Builder, kind: str, tensor: Tensor, axis: int) -> Tensor:
    """An activation along one axis, which Keras counts with the batch."""
    return builder.emit(kind, {"dim": builder.axis(tensor, axis)}, tensor)


def _relu(builder: Builder, tensor: Tensor, settings: Settings) -> Tensor:
    slope, threshold = settings.number("negative_slope", 0.0), settings.number("threshold", 0.0)
    most = settings.get("max_value")
    if threshold:
        return builder.unknown_activation("ReLU with a threshold", tensor)
    if slope:
        if most is not None:
            return builder.unknown_activation("leaky ReLU that is cut off above", tensor)
        return builder.emit("leaky_relu", {"negative_slope": slope}, tensor)
    if most is None:
        return builder.emit("relu", {}, tensor)
    most = settings.number("max_value", 0.0)
    return builder.emit("relu6", {}, tensor) if most == 6 else builder.emit("clamp", {"min": 0.0, "max": most}, tensor)


def _leaky_relu(builder: Builder, tensor: Tensor, settings: Settings) -> Tensor:
    slope = settings.number("negative_slope", settings.number("alpha", 0.3))
    return builder.emit("leaky_relu", {"negative_slope": slope}, tensor)


def _elu(builder: Builder, tensor: Tensor, settings: Settings) -> Tensor:
    return builder.emit("elu", {"alpha": settings.number("alpha", 1.0)}, tensor)


def _prelu(builder: Builder, tensor: Tensor, settings: Settings) -> Tensor:
    """One weight an element but for the shared axes: one for all, or one a channel, is what the language has."""
    shared = {
        axis % (tensor.rank + 1) for axis in (settings.integers("shared_axes") if "shared_axes" in settings else ())
    }
    free = [axis for axis in range(1, tensor.rank + 1) if axis not in shared and tensor.sizes[axis - 1] != 1]
    if not free:
        return builder.emit("prelu", {"num_parameters": 1}, tensor)
    if len(free) > 1:
        holds = tuple([1 if axis in shared else size for axis, size in enumerate(tensor.sizes, start=1)])
        raise Unsupported(
            "the language has no prelu with a weight for every position", holds=[holds], sizes=[tensor.sizes]
        )
    want = (free[0] - 1, *(axis for axis in range(tensor.rank) if axis != free[0] - 1))
    order = tuple(want.index(axis) for axis in range(tensor.rank))
    inside = tensor if tensor.order[free[0] - 1] == 0 else builder.arranged(tensor, order)
    return builder.emit("prelu", {"num_parameters": tensor.sizes[free[0] - 1]}, inside)


def _softmax(builder: Builder, tensor: Tensor, settings: Settings) -> Tensor:
    axes = settings.integers("axis", default=-1)
    if len(axes) != 1:
        raise Unsupported("the language has no softmax over several axes")
    return along(builder, "softmax", tensor, axes[0])


Inner = Callable[[Builder, Tensor, Settings], Tensor]
LAYERS_IN_SETTINGS: dict[str, Inner] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "PReLU": _prelu,
    "Softmax": _softmax,
}
"""Layers that stand as the activation of another."""


def _as_layer(inner: Inner) -> Callable[[Builder, Use], Tensor]:
    def rule(builder: Builder, use: Use) -> Tensor:
        return inner(builder, use.tensor, use.settings)

    return rule


def _activation(builder: Builder, use: Use) -> Tensor:
    name, _ = named(use.settings.get("activation"))
    if name in ("", "linear"):
        return builder.emit("identity", {}, use.tensor)
    return activated(builder, use.tensor, use.settings.get("activation"))


RULES = {"Activation": _activation, **{name: _as_layer(inner) for name, inner in LAYERS_IN_SETTINGS.items()}}
