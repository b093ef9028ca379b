"""Reductions of axes to one number each."""

from __future__ import annotations

from ....models.making import Fields, Unsupported
from ..builder import Builder
from ..values import Activation, Place, Value
from .arithmetic import joined
from .axes import axis_of, reduced
from .record import Function, Rule


def _fields(value: Activation, axes: tuple[int, ...] | None, keep: bool) -> Fields:
    """The fields of a reduction: last axes are counted from the end, as people write them."""
    fields: Fields = {}
    if axes is not None and sorted(axes) != list(range(len(value.shape))):
        last = len(value.shape) - 1
        fields["dim"] = (-1,) if axes == (last,) else axes
    return {**fields, "keepdim": True} if keep else fields


def reduction(b: Builder, kind: str, value: Activation, more: Fields | None = None, name: str = "dim") -> Activation:
    """The reduction of the axes that an argument names."""
    axes, keep = reduced(b, value, name), b.flag("keepdim")
    if not value.shape:
        raise Unsupported("its input has no axes")
    fields = {**_fields(value, axes, keep), **(more or {})}
    step = b.layer(kind, fields, b.settled(value))
    return b.made(step, placed(b, value, name))


def placed(b: Builder, value: Activation, name: str = "dim") -> Place | None:
    """Where the batch is once the axes that an argument names are reduced."""
    if value.place is None or b.flag("keepdim"):
        return value.place
    gone = {value.sizes.axis(dim) for dim in b.integers(name) or ()}
    return value.place._replace(axis=value.place.axis - sum(axis < value.place.axis for axis in gone))


def _over_space(b: Builder, value: Activation) -> bool:
    """Whether all space axes of [batch, channels, *space] are reduced, and kept as ones."""
    axes = reduced(b, value)
    rank = len(value.shape)
    first = value.place is not None and value.place.axis == 0 and not value.place.folded
    return b.flag("keepdim") and first and rank > 1 and axes is not None and sorted(axes) == list(range(1, rank))


def _reduce(kind: str, pooled: str = "") -> Rule:
    def rule(b: Builder) -> Activation:
        value = b.activation("input")
        if pooled and _over_space(b, value):
            return b.made(b.layer(pooled, {}, b.settled(value)), value.place)
        return reduction(b, kind, value)

    return rule


def _extreme(kind: str) -> Rule:
    """torch.max and torch.min: of all, along an axis with positions, or of two tensors."""

    def rule(b: Builder) -> list[Value | None]:
        value = b.activation("input")
        if b.value("dim") is not None:
            return [joined(b, "maximum" if kind == "amax" else "minimum", value, b.given("dim"))]
        made: list[Value | None] = [reduction(b, kind, value)]
        if len(b.call.outputs) > 1 and b.is_read(b.call.outputs[1]):
            made.append(_positions(b, kind, position=1))
        return made

    return rule


def _positions(b: Builder, kind: str, position: int = 0) -> Activation:
    """The positions of the largest numbers, or of the smallest ones, whose negatives are the largest."""
    value = b.activation("input")
    fields: Fields = {"keepdim": True} if b.flag("keepdim") else {}
    if b.integers("dim"):
        fields["dim"] = axis_of(value, b.integer("dim"))
    elif value.place is not None:
        raise Unsupported("it works over the batch")
    source = b.settled(value)
    source = source if kind == "amax" else b.layer("neg", {}, source)
    return b.made(b.layer("argmax", fields, source), placed(b, value), position)


def _deviation(kind: str) -> Rule:
    def rule(b: Builder) -> Activation:
        dim = b.arguments.get("dim")
        if isinstance(dim, bool):
            b.arguments.update(unbiased=dim, dim=None)
        correction = b.arguments.get("correction")
        if correction is None:
            correction = int(b.flag("unbiased", True))
        return reduction(b, kind, b.activation("input"), {} if correction == 1 else {"correction": int(correction)})

    return rule


def _var_mean(kind: str) -> Rule:
    def rule(b: Builder) -> list[Value | None]:
        value = b.activation("input")
        correction = b.arguments.get("correction")
        if correction is None:
            correction = int(b.flag("unbiased", True))
        more: Fields = {} if correction == 1 else {"correction": int(correction)}
        return [reduction(b, kind, value, more), reduction(b, "mean", value)]

    return rule


def _norm(b: Builder) -> Activation:
    p = b.arguments.get("p", 2)
    if p == "fro" or p is None:
        p = 2
    if not isinstance(p, (int, float)) or p <= 0 or p == float("inf"):
        raise Unsupported(f"its p is {p}")
    return reduction(b, "norm", b.activation("input"), {} if p == 2 else {"p": p})


REDUCE = "input dim=None keepdim=False dtype=None"
FUNCTIONS = (
    Function("mean", REDUCE, _reduce("mean", "global_avg_pool")),
    Function("sum", REDUCE, _reduce("sum")),
    Function("prod", REDUCE, _reduce("prod")),
    Function("amax", REDUCE, _reduce("amax", "global_max_pool")),
    Function("amin", REDUCE, _reduce("amin")),
    Function("logsumexp", "input dim keepdim=False", _reduce("logsumexp")),
    Function("max", "input dim=None keepdim=False", _extreme("amax")),
    Function("min", "input dim=None keepdim=False", _extreme("amin")),
    Function("argmax", "input dim=None keepdim=False", lambda b: _positions(b, "amax")),
    Function("argmin", "input dim=None keepdim=False", lambda b: _positions(b, "amin")),
    Function("var", "input dim=None unbiased=None keepdim=False correction=None", _deviation("var")),
    Function("std", "input dim=None unbiased=None keepdim=False correction=None", _deviation("std")),
    Function("var_mean", "input dim=None unbiased=None keepdim=False correction=None", _var_mean("var")),
    Function("std_mean", "input dim=None unbiased=None keepdim=False correction=None", _var_mean("std")),
    Function("norm", "input p=2 dim=None keepdim=False dtype=None", _norm),
    Function("linalg_norm linalg_vector_norm", "input p=2 dim=None keepdim=False dtype=None", _norm),
)
