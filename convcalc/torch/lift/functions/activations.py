"""Activations, and what passes its input on outside training."""

from __future__ import annotations

from ....models.making import Fields, Unsupported, spelled
from ..builder import Builder
from ..values import Activation, Parameter, Value
from .axes import axis_of, spatial
from .record import Function, Rule

PLAIN = "relu relu6 silu hardswish hardsigmoid sigmoid tanh mish selu softsign logsigmoid tanhshrink"
NUMBERS: dict[str, dict[str, float | None]] = {
    "leaky_relu": {"negative_slope": 0.01},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "softplus": {"beta": 1.0, "threshold": 20.0},
    "hardtanh": {"min_val": -1.0, "max_val": 1.0},
    "threshold": {"threshold": None, "value": None},
    "hardshrink": {"lambd": 0.5},
    "softshrink": {"lambd": 0.5},
}
"""Activations with fields that are numbers, and what PyTorch takes where these are not given."""


def alone(kind: str, fields: Fields | None = None) -> Rule:
    """The rule of a layer that works on every element on its own."""

    def rule(b: Builder) -> Activation:
        value = b.activation("input")
        return b.made(b.layer(kind, fields or {}, b.settled(value)), value.place)

    return rule


def _with_numbers(kind: str) -> Rule:
    def rule(b: Builder) -> Activation:
        value = b.activation("input")
        given = {name: b.number(name) for name in NUMBERS[kind]}
        if kind == "hardtanh" and given == {"min_val": 0, "max_val": 6}:
            return b.made(b.layer("relu6", {}, b.settled(value)), value.place)
        return b.made(b.layer(kind, spelled(kind, given), b.settled(value)), value.place)

    return rule


def _gelu(b: Builder) -> Activation:
    value = b.activation("input")
    fields: Fields = {"approximate": b.word("approximate", "none")}
    return b.made(b.layer("gelu", spelled("gelu", fields), b.settled(value)), value.place)


def _prelu(b: Builder) -> Activation:
    value, weight = b.activation("input"), b.given("weight")
    count = weight.sizes.first[0]
    source = spatial(b, value, max(value.sizes.rank - 2, 0))
    if not isinstance(weight, Parameter):
        raise Unsupported("its slope is computed")
    fields: Fields = {"num_parameters": count} if count > 1 else {}
    made = b.layer("prelu", fields, source.step, weights={"weight": weight.source}, leading=source.leading)
    return b.made(made, source.place)


def _rrelu(b: Builder) -> Activation:
    """The mean of the slopes that training draws from."""
    if b.flag("training"):
        raise Unsupported("its slope is drawn")
    value = b.activation("input")
    slope = (b.number("lower") + b.number("upper")) / 2
    return b.made(b.layer("leaky_relu", {"negative_slope": slope}, b.settled(value)), value.place)


def _softmin(b: Builder) -> Activation:
    """The softmax of the negative numbers."""
    value = b.activation("input")
    negative = value._replace(step=b.layer("neg", {}, b.settled(value)))
    return _over(b, "softmax", negative, -1)


def _along(kind: str, default: int | None) -> Rule:
    """The rule of a layer along an axis."""

    return lambda b: _over(b, kind, b.activation("input"), default)


def _over(b: Builder, kind: str, value: Activation, default: int | None) -> Activation:
    """The layer over the axis that is named, else over the default."""
    axis = axis_of(value, int(b.number("dim", default)))
    last = len(value.shape) - 1
    fields: Fields = {"dim": -1 if axis == last else axis} if axis else {}
    if kind == "glu":
        fields = {} if axis == last else {"dim": axis}
    return b.made(b.layer(kind, fields, b.settled(value)), value.place)


def _dropout(b: Builder) -> Value:
    """One that drops nothing is not said."""
    value = b.given("input")
    p = b.number("p", 0.5)
    if p == 0 or not isinstance(value, Activation):
        return value
    return b.made(b.layer("dropout", spelled("dropout", {"p": p}), b.settled(value)), value.place)


FUNCTIONS = (
    *(Function(kind, "input", alone(kind)) for kind in PLAIN.split()),
    Function("swish", "input", alone("silu")),
    Function("log_sigmoid", "input", alone("logsigmoid")),
    Function("hard_sigmoid", "input", alone("hardsigmoid")),
    *(
        Function(
            kind, "input " + " ".join(n if v is None else f"{n}={v}" for n, v in names.items()), _with_numbers(kind)
        )
        for kind, names in NUMBERS.items()
    ),
    Function("gelu", "input approximate=None", _gelu),
    Function("prelu _prelu_kernel", "input weight", _prelu),
    Function("softmax _softmax", "input dim=None _stacklevel=3 dtype=None", _along("softmax", -1)),
    Function("log_softmax _log_softmax", "input dim=None _stacklevel=3 dtype=None", _along("log_softmax", -1)),
    Function("glu", "input dim=-1", _along("glu", -1)),
    Function("softmin", "input dim=None _stacklevel=3 dtype=None", _softmin),
    Function("rrelu", "input lower=0.125 upper=0.3333333333333333 training=False", _rrelu),
    Function(
        "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout native_dropout feature_alpha_dropout",
        "input p=0.5 training=None",
        _dropout,
        views=True,
    ),
)
