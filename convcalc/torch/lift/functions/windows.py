"""Functions with a window: convolutions, transposed convolutions, pools, columns."""

from __future__ import annotations

from typing import Any, TypeVar

from ....geometry import resolve_padding
from ....layers.base import Shape
from ....models.making import Fields, Unsupported, spelled
from ..arguments import listed
from ..builder import Builder
from ..values import Activation, Padded, Pairs, Value
from .axes import space_of, spatial
from .record import Function, Rule
from .weights import formed

Size = TypeVar("Size", bound=float | None)


def short(values: tuple[Size, ...]) -> Size | tuple[Size, ...]:
    """One number where all axes have it.

    >>> short((3, 3)), short((3, 1))
    (3, (3, 1))
    """
    return values[0] if len(set(values)) == 1 else values


def _axes(b: Builder, name: str, rank: int, default: int | tuple[int, ...] = 1) -> tuple[int, ...]:
    """An argument with one value an axis, or one for all."""
    found = b.integers(name)
    if not found:
        return default if isinstance(default, tuple) else (default,) * rank
    return found * rank if len(found) == 1 else found


def _padding(b: Builder, rank: int) -> str | int | tuple[int, ...]:
    """The padding of a convolution: numbers, or a word."""
    given = b.arguments.get("padding")
    if given == "valid":
        return 0
    return given if isinstance(given, str) else short(_axes(b, "padding", rank, 0))


Padding = str | int | tuple[int, ...] | Pairs


def bordered(
    b: Builder, value: Value, own: Padding, kernel: Shape, stride: Shape, dilation: Shape
) -> tuple[Activation, Padding]:
    """What a window reads, and its padding with the border that a padded input has: `same` where it is that."""
    if not isinstance(value, Padded):
        return b.active(value), own
    rank = len(kernel)
    if isinstance(own, str) or value.sizes.rank != rank + 2:
        return b.active(value), own
    numbers = own if isinstance(own, tuple) else (own,) * rank
    first, second = (
        tuple((before + n, after + n) for (before, after), n in zip(pairs[2:], numbers, strict=True))  # type: ignore[operator]
        for pairs in (value.first, value.second)
    )
    if first == second and all(before == after for before, after in first):
        return value.inner, short(tuple(before for before, _ in first))
    spaces = ((value.inner.sizes.first[2:], first), (value.inner.sizes.second[2:], second))
    same = all(
        resolve_padding("same", i, k, s, d) == pair
        for space, pairs in spaces
        for i, k, s, d, pair in zip(space, kernel, stride, dilation, pairs, strict=True)
    )
    return value.inner, "same" if same else first


def _conv(b: Builder) -> Activation:
    if b.flag("transposed"):
        return _conv_transpose(b)
    weight = b.given("weight")
    rank = weight.sizes.rank - 2
    if not 1 <= rank <= 3:
        raise Unsupported(f"it has {rank} space axes")
    merged = _per_example(b, rank)
    if merged is not None:
        return merged
    kernel, stride, dilation = weight.sizes.first[2:], _axes(b, "stride", rank), _axes(b, "dilation", rank)
    value, padding = bordered(b, b.given("input"), _padding(b, rank), kernel, stride, dilation)
    source = spatial(b, value, rank)
    form = formed(b, weight, b.value("bias"))
    fields = {
        "out_channels": weight.sizes.first[0],
        "kernel_size": short(kernel),
        "stride": short(stride),
        "padding": padding,
        "dilation": short(dilation),
        "groups": b.integer("groups"),
        **form.fields,
    }
    if form.inputs and source.leading:
        raise Unsupported("its weights are computed, and it works on frames or windows")
    kind = f"conv{rank}d"
    made = b.layer(kind, spelled(kind, fields), source.step, *form.inputs, weights=form.weights, leading=source.leading)
    return b.made(form.biased(b, made, 1 if source.leading else 0, rank), source.place)


def _per_example(b: Builder, rank: int) -> Activation | None:
    """A convolution whose groups are the examples, each with weights of its own: Yang et al. 2019, arXiv:1904.04971."""
    value, weight = b.value("input"), b.value("weight")
    if not isinstance(value, Activation) or not isinstance(weight, Activation) or value.place is None:
        return None
    if value.place.axis != 1 or value.sizes.first[0] != 1 or weight.place is None or weight.place.axis != 0:
        return None
    groups = b.integer("groups")
    bias = b.value("bias")
    if bias is not None and not (isinstance(bias, Activation) and bias.place is not None):
        raise Unsupported("its bias is not of the examples")
    shape = value.shape[1:] if value.place.folded else (1, *value.shape[1:])
    fields = {
        "out_channels": weight.sizes.first[0],
        "kernel_size": short(weight.sizes.first[2:]),
        "stride": short(_axes(b, "stride", rank)),
        "padding": _padding(b, rank),
        "dilation": short(_axes(b, "dilation", rank)),
        "groups": groups,
        "bias": bias is not None,
        "weight": "input",
    }
    inputs = [b.settled(value, shape), b.settled(weight)]
    if isinstance(bias, Activation):
        inputs.append(b.settled(bias))
    kind = f"conv{rank}d"
    made = b.layer(kind, spelled(kind, fields), *inputs)
    place = value.place._replace(inner=weight.sizes.first[0], folded=True)
    return b.made(made, place)


def _conv_transpose(b: Builder) -> Activation:
    weight = b.given("weight")
    rank = weight.sizes.rank - 2
    if not 1 <= rank <= 3:
        raise Unsupported(f"it has {rank} space axes")
    source = spatial(b, b.activation("input"), rank)
    form = formed(b, weight, b.value("bias"))
    groups = b.integer("groups")
    fields = {
        "out_channels": weight.sizes.first[1] * groups,
        "kernel_size": short(weight.sizes.first[2:]),
        "stride": short(_axes(b, "stride", rank)),
        "padding": _padding(b, rank),
        "output_padding": short(_axes(b, "output_padding", rank, 0)),
        "dilation": short(_axes(b, "dilation", rank)),
        "groups": groups,
        **form.fields,
    }
    kind = f"conv_transpose{rank}d"
    made = b.layer(kind, spelled(kind, fields), source.step, *form.inputs, weights=form.weights, leading=source.leading)
    return b.made(form.biased(b, made, 1 if source.leading else 0, rank), source.place)


def _pool(word: str) -> Rule:
    """The rule of a pool whose window slides; one whose window is always the whole map is global."""

    def rule(b: Builder) -> list[Value | None]:
        given = b.given("input")
        rank = _rank(b, given)
        kind = f"{word}_pool{rank}d"
        kernel = _axes(b, "kernel_size", rank)
        stride, dilation = _axes(b, "stride", rank, kernel), _axes(b, "dilation", rank)
        own = short(_axes(b, "padding", rank, 0))
        counted = word == "max" or not own or b.flag("count_include_pad", True)
        if isinstance(given, Padded) and (b.flag("ceil_mode") or not counted):
            given = b.active(given)
        value, padding = bordered(b, given, own, kernel, stride, dilation)
        source = spatial(b, value, rank)
        fields: Fields = {"kernel_size": short(kernel)}
        if word == "avg" and kernel == space_of(source) and not padding and _always_whole(b, source.second[1:]):
            return [b.made(b.layer("global_avg_pool", {}, source.step, leading=source.leading), source.place)]
        more: Fields = {"padding": padding, "ceil_mode": b.flag("ceil_mode")}
        if word == "max":
            more["dilation"] = short(dilation)
        else:
            if own:
                more["count_include_pad"] = b.flag("count_include_pad", True)
            if b.arguments.get("divisor_override") is not None:
                more["divisor_override"] = b.integer("divisor_override")
        fields |= spelled(kind, more) | ({} if stride == kernel else {"stride": short(stride)})
        made = b.layer(kind, fields, source.step, leading=source.leading)
        return [b.made(made, source.place)]

    return rule


def _rank(b: Builder, value: Value) -> int:
    """The space axes that the function's name says."""
    name = b.call.function.replace("_with_indices", "")
    digit = next((part[-2] for part in name.split(".") if part[-1:] == "d" and part[-2:-1].isdigit()), None)
    return int(digit) if digit is not None else value.sizes.rank - 2


def _always_whole(b: Builder, space: Shape) -> bool:
    """Whether the window is the whole map in the second run too."""
    other = b.second_integers("kernel_size", len(space))
    return other is not None and other == space


def _adaptive(word: str) -> Rule:
    def rule(b: Builder) -> list[Value | None]:
        value = b.activation("input")
        rank = _rank(b, value)
        source = spatial(b, value, rank)
        given: Any = b.arguments.get("output_size")
        sizes: tuple[int | None, ...] = tuple(given) if listed(given) else (given,)
        sizes = sizes * rank if len(sizes) == 1 else sizes
        fields: Fields = {"output_size": short(sizes)}
        made = b.layer(f"adaptive_{word}_pool{rank}d", fields, source.step, leading=source.leading)
        return [b.made(made, source.place)]

    return rule


def _lp_pool(b: Builder) -> Activation:
    value = b.activation("input")
    rank = _rank(b, value)
    source = spatial(b, value, rank)
    kernel = _axes(b, "kernel_size", rank)
    fields: Fields = {"kernel_size": short(kernel), "norm_type": b.number("norm_type")}
    stride = _axes(b, "stride", rank, kernel)
    if stride != kernel:
        fields["stride"] = short(stride)
    if b.flag("ceil_mode"):
        fields["ceil_mode"] = True
    return b.made(b.layer(f"lp_pool{rank}d", fields, source.step, leading=source.leading), source.place)


def _columns(kind: str) -> Rule:
    """The rule of unfold and fold."""

    def rule(b: Builder) -> Activation:
        value = b.activation("input")
        source = spatial(b, value, 2 if kind == "unfold" else 1)
        fields: Fields = {
            "kernel_size": short(_axes(b, "kernel_size", 2)),
            "stride": short(_axes(b, "stride", 2)),
            "padding": short(_axes(b, "padding", 2, 0)),
            "dilation": short(_axes(b, "dilation", 2)),
        }
        if kind == "fold":
            fields["output_size"] = short(_axes(b, "output_size", 2))
        return b.made(b.layer(kind, spelled(kind, fields), source.step, leading=source.leading), source.place)

    return rule


CONV = "input weight bias=None stride=1 padding=0 dilation=1 groups=1"
ATEN = "input weight bias stride padding dilation transposed output_padding groups"
FLAGS = "benchmark=None deterministic=None cudnn_enabled=None allow_tf32=None"
POOL = "input kernel_size stride=None padding=0"
FUNCTIONS = (
    Function("conv1d conv2d conv3d", CONV, _conv),
    Function("convolution", ATEN, _conv),
    Function("_convolution", f"{ATEN} {FLAGS}", _conv),
    Function(
        "conv_transpose1d conv_transpose2d conv_transpose3d",
        "input weight bias=None stride=1 padding=0 output_padding=0 groups=1 dilation=1",
        _conv_transpose,
    ),
    Function(
        "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices",
        f"{POOL} dilation=1 ceil_mode=False return_indices=False",
        _pool("max"),
    ),
    Function(
        "avg_pool1d avg_pool2d avg_pool3d",
        f"{POOL} ceil_mode=False count_include_pad=True divisor_override=None",
        _pool("avg"),
    ),
    Function(
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d",
        "input output_size",
        _adaptive("avg"),
    ),
    Function(
        "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d",
        "input output_size return_indices=False",
        _adaptive("max"),
    ),
    Function("lp_pool1d lp_pool2d", "input norm_type kernel_size stride=None ceil_mode=False", _lp_pool),
    Function("unfold im2col", "input kernel_size dilation=1 padding=0 stride=1", _columns("unfold")),
    Function("fold col2im", "input output_size kernel_size dilation=1 padding=0 stride=1", _columns("fold")),
)
