"""Normalizations, and what they hold."""

from __future__ import annotations

from ....models.making import Fields, Unsupported
from ..builder import Builder
from ..values import Activation, Parameter, Sizes, Value
from .axes import Source, axis_of, spatial
from .record import Function

PRECISE = 1e-5
"""The eps that the language takes for granted."""


def _eps(b: Builder, default: float = PRECISE) -> Fields:
    eps = b.number("eps", default)
    return {} if eps == default == PRECISE else {"eps": eps}


def _stored(weight: Value | None, bias: Value | None) -> dict[str, int] | None:
    """The tensors of an affine norm; None where they are not both parameters as they are stored."""
    if isinstance(weight, Parameter) and isinstance(bias, Parameter):
        return {"weight": weight.source, "bias": bias.source}
    return None


def _affine(b: Builder, step: int, axis: int, count: int, weight: Value | None, bias: Value | None) -> int:
    """A norm's factor and addend as layers of their own, along the axes from this one on."""
    shape = b.steps[step].shape
    wanted = tuple([size if axis <= n < axis + count else 1 for n, size in enumerate(shape)])
    for kind, value in (("multiply", weight), ("add", bias)):
        if value is not None:
            step = b.layer(kind, {}, step, b.settled(b.active(value), wanted))
    return step


def _of_channels(b: Builder, kind: str, fields: Fields, source: Source, plain: Fields) -> Activation:
    """A norm of channels, with the weight and bias that the call names, or without."""
    weight, bias = b.value("weight"), b.value("bias")
    weights = _stored(weight, bias)
    if weights is None:
        fields = {**fields, **plain}
    step = b.layer(kind, fields, source.step, weights=weights, leading=source.leading)
    if weights is None:
        step = _affine(b, step, source.leading, 1, weight, bias)
    return b.made(step, source.place)


def _batch_norm(b: Builder) -> list[Value | None]:
    value = b.activation("input")
    source = spatial(b, value, None if value.sizes.rank > 2 else 0)
    fields: Fields = _eps(b)
    momentum = b.arguments.get("momentum")
    if momentum is None or momentum != 0.1:
        fields["momentum"] = momentum
    if b.value("running_mean") is None:
        fields["track_running_stats"] = False
    elif b.flag("training"):
        raise Unsupported("it is in training")
    return [_of_channels(b, "batch_norm", fields, source, {"affine": False})]


def _group_norm(b: Builder) -> Activation:
    source = spatial(b, b.activation("input"), None)
    fields: Fields = {"num_groups": b.integer("num_groups"), **_eps(b)}
    return _of_channels(b, "group_norm", fields, source, {"affine": False})


def _instance_norm(b: Builder) -> Activation:
    source = spatial(b, b.activation("input"), None)
    fields: Fields = dict(_eps(b))
    if b.value("running_mean") is not None:
        fields["track_running_stats"] = True
    if _stored(b.value("weight"), b.value("bias")) is not None:
        fields["affine"] = True
    return _of_channels(b, "instance_norm", fields, source, {})


def _layer_norm(b: Builder) -> list[Value | None]:
    value = b.activation("input")
    normalized = b.integers("normalized_shape") or ()
    weight, bias = b.value("weight"), b.value("bias")
    first = value.sizes.rank - len(normalized)
    if value.place is not None and value.place.axis >= first:
        raise Unsupported("it normalizes over the batch")
    fields: Fields = _eps(b)
    if len(normalized) > 1:
        fields["normalized_shape"] = normalized
    weights = _stored(weight, bias)
    if weights is None and isinstance(weight, Parameter) and bias is None:
        weights = {"weight": weight.source}
        fields["bias"] = False
    if weights is None:
        fields["elementwise_affine"] = False
    step = b.layer("layer_norm", fields, b.settled(value), weights=weights)
    if weights is None:
        step = _affine(b, step, len(b.steps[step].shape) - len(normalized), len(normalized), weight, bias)
    return [b.made(step, value.place)]


def _rms_norm(b: Builder) -> Activation:
    value = b.activation("input")
    normalized = b.integers("normalized_shape") or ()
    weight = b.value("weight")
    if value.place is not None and value.place.axis >= value.sizes.rank - len(normalized):
        raise Unsupported("it normalizes over the batch")
    fields: Fields = {"normalized_shape": normalized} if len(normalized) > 1 else {}
    if b.arguments.get("eps") is not None:
        fields["eps"] = b.number("eps")
    weights = {"weight": weight.source} if isinstance(weight, Parameter) else None
    if weights is None:
        fields["elementwise_affine"] = False
    step = b.layer("rms_norm", fields, b.settled(value), weights=weights)
    if weights is None:
        step = _affine(b, step, len(b.steps[step].shape) - len(normalized), len(normalized), weight, None)
    return b.made(step, value.place)


def _local_response_norm(b: Builder) -> Activation:
    source = spatial(b, b.activation("input"), None)
    fields: Fields = {name: b.number(name) for name in ("alpha", "beta", "k")}
    fields["size"] = b.integer("size")
    return b.made(b.layer("local_response_norm", fields, source.step, leading=source.leading), source.place)


def _normalize(b: Builder) -> Activation:
    value = b.activation("input")
    return b.made(_of_length_one(b, b.settled(value), axis_of(value, b.integer("dim")), b.number("p")), value.place)


def _of_length_one(b: Builder, source: int, axis: int, p: float = 2) -> int:
    """x / max(‖x‖, eps)."""
    fields: Fields = {"dim": (axis,), "keepdim": True}
    if p != 2:
        fields["p"] = p
    length = b.layer("clamp", {"min": b.number("eps")}, b.layer("norm", fields, source))
    return b.layer("div", {}, source, length)


def _distance(b: Builder) -> Activation:
    """‖x1 − x2 + eps‖ over the last axis."""
    one, other = _pair(b)
    axis = axis_of(one, -1)
    fields: Fields = {"dim": (axis,), **({} if b.number("p") == 2 else {"p": b.number("p")})}
    fields |= {"keepdim": True} if b.flag("keepdim") else {}
    apart = b.layer("rescale", {"offset": b.number("eps")}, b.layer("sub", {}, b.settled(one), b.settled(other)))
    return b.made(b.layer("norm", fields, apart), one.place)


def _cosine(b: Builder) -> Activation:
    """The sum of the products of both once they have the length 1."""
    one, other = _pair(b)
    dim = one.sizes.axis(b.integer("dim"))
    axis = axis_of(one, dim)
    product = b.layer("multiply", {}, *(_of_length_one(b, b.settled(value), axis) for value in (one, other)))
    place = one.place and one.place._replace(axis=one.place.axis - (dim < one.place.axis))
    return b.made(b.layer("sum", {"dim": (axis,)}, product), place)


def _pair(b: Builder) -> tuple[Activation, Activation]:
    """Two inputs of the same sizes."""
    one, other = b.activation("x1"), b.activation("x2")
    if one.sizes != other.sizes or one.place != other.place:
        raise Unsupported("it compares tensors of different sizes")
    return one, other


def _weight_norm(b: Builder) -> Activation:
    """v · (g / ‖v‖), with a length for each position of an axis, or one for all."""
    direction, length, dim = b.activation("input"), b.activation("g"), b.integer("dim")
    kept = None if dim == -1 else direction.sizes.axis(dim)
    axes = tuple([axis for axis in range(direction.sizes.rank) if axis != kept])
    norm = direction._replace(step=b.layer("norm", {"dim": axes, "keepdim": True}, b.settled(direction)))
    first, second = (
        tuple([size if axis == kept else 1 for axis, size in enumerate(dims)])
        for dims in (direction.sizes.first, direction.sizes.second)
    )
    sizes = Sizes(first, second, b.batch)
    lengths, _ = b.aligned([length, norm._replace(sizes=sizes)], b.output())
    factor = b.layer("div", {}, *lengths)
    return b.made(b.layer("multiply", {}, b.settled(direction), factor), None)


AFFINE = "weight=None bias=None"
FUNCTIONS = (
    Function(
        "batch_norm",
        f"input running_mean running_var {AFFINE} training=False momentum=0.1 eps=0.00001 cudnn_enabled=None",
        _batch_norm,
    ),
    Function(
        "native_batch_norm cudnn_batch_norm",
        "input weight bias running_mean running_var training=False momentum=0.1 eps=0.00001",
        _batch_norm,
    ),
    Function(
        "_native_batch_norm_legit_no_training",
        "input weight bias running_mean running_var momentum=0.1 eps=0.00001",
        _batch_norm,
    ),
    Function("group_norm", f"input num_groups {AFFINE} eps=0.00001 cudnn_enabled=None", _group_norm),
    Function(
        "instance_norm",
        f"input running_mean=None running_var=None {AFFINE} use_input_stats=True momentum=0.1 eps=0.00001 "
        "cudnn_enabled=None",
        _instance_norm,
    ),
    Function("layer_norm", f"input normalized_shape {AFFINE} eps=0.00001 cudnn_enable=None", _layer_norm),
    Function("native_layer_norm", "input normalized_shape weight bias eps", _layer_norm),
    Function("rms_norm", "input normalized_shape weight=None eps=None", _rms_norm),
    Function("local_response_norm", "input size alpha=0.0001 beta=0.75 k=1.0", _local_response_norm),
    Function("pairwise_distance", "x1 x2 p=2.0 eps=0.000001 keepdim=False", _distance),
    Function("cosine_similarity", "x1 x2 dim=1 eps=0.00000001", _cosine),
    Function("_weight_norm _weight_norm_interface", "input g dim=0", _weight_norm),
    Function("normalize", "input p=2.0 dim=1 eps=0.000000000001", _normalize),
)
