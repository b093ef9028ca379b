"""The kinds of the language: a static table, so that a command imports only the models that its spec uses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Layer

_FAMILIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("conv", "Conv"): ("conv1d", "conv2d", "conv3d"),
    ("conv", "ConvTranspose"): ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    ("conv", "SeparableConv"): ("separable_conv1d", "separable_conv2d"),
    ("pool", "MaxPool"): ("max_pool1d", "max_pool2d", "max_pool3d"),
    ("pool", "AvgPool"): ("avg_pool1d", "avg_pool2d", "avg_pool3d"),
    ("pool", "LpPool"): ("lp_pool1d", "lp_pool2d"),
    ("pool", "AdaptivePool"): (
        "adaptive_avg_pool1d",
        "adaptive_avg_pool2d",
        "adaptive_avg_pool3d",
        "adaptive_max_pool1d",
        "adaptive_max_pool2d",
        "adaptive_max_pool3d",
    ),
    ("pool", "GlobalPool"): ("global_avg_pool", "global_max_pool"),
    ("linear", "Linear"): ("linear",),
    ("shape", "Flatten"): ("flatten",),
    ("shape", "Reshape"): ("reshape",),
    ("shape", "Permute"): ("permute",),
    ("shape", "Identity"): ("identity",),
    ("norm", "BatchNorm"): ("batch_norm",),
    ("norm", "GroupNorm"): ("group_norm",),
    ("norm", "LayerNorm"): ("layer_norm",),
    ("norm", "InstanceNorm"): ("instance_norm",),
    ("norm", "LocalResponseNorm"): ("local_response_norm",),
    ("norm", "Scale"): ("scale",),
    ("activation", "Activation"): (
        "relu",
        "relu6",
        "silu",
        "hardswish",
        "hardsigmoid",
        "sigmoid",
        "tanh",
        "mish",
        "selu",
    ),
    ("activation", "Gelu"): ("gelu",),
    ("activation", "LeakyReLU"): ("leaky_relu",),
    ("activation", "PReLU"): ("prelu",),
    ("activation", "ELU"): ("elu",),
    ("activation", "Softplus"): ("softplus",),
    ("activation", "Softmax"): ("softmax",),
    ("shape", "Dropout"): ("dropout",),
    ("shape", "StochasticDepth"): ("stochastic_depth",),
    ("join", "Concat"): ("concat",),
    ("join", "Add"): ("add",),
    ("join", "Multiply"): ("multiply",),
    ("join", "Gate"): ("gate",),
    ("join", "Split"): ("split",),
    ("shuffle", "ChannelShuffle"): ("channel_shuffle",),
    ("shuffle", "PixelShuffle"): ("pixel_shuffle",),
    ("shuffle", "PixelUnshuffle"): ("pixel_unshuffle",),
    ("shuffle", "Unfold"): ("unfold",),
    ("shuffle", "Fold"): ("fold",),
    ("resize", "Upsample"): ("upsample",),
    ("border", "Pad"): ("pad",),
    ("border", "Crop"): ("crop",),
    ("opaque", "Opaque"): ("opaque",),
}

_YIELDING: dict[tuple[str, str], tuple[str, ...]] = {
    ("constant", "Parameter"): ("parameter",),
    ("arithmetic", "Unary"): (
        *("exp", "log", "sqrt", "rsqrt", "abs", "neg", "square", "reciprocal"),
        *("sin", "cos", "erf", "sign", "floor", "ceil", "round"),
    ),
    ("arithmetic", "Pow"): ("pow",),
    ("arithmetic", "Clamp"): ("clamp",),
    ("arithmetic", "Rescale"): ("rescale",),
    ("activation", "Activation"): ("softsign", "logsigmoid", "tanhshrink"),
    ("activation", "Hardtanh"): ("hardtanh",),
    ("activation", "CELU"): ("celu",),
    ("activation", "Threshold"): ("threshold",),
    ("activation", "Shrink"): ("hardshrink", "softshrink"),
    ("activation", "Softmax"): ("log_softmax",),
    ("activation", "GLU"): ("glu",),
    ("norm", "RMSNorm"): ("rms_norm",),
    ("join", "Sub"): ("sub",),
    ("join", "Div"): ("div",),
    ("join", "Extreme"): ("maximum", "minimum"),
    ("reduce", "Reduce"): ("mean", "sum", "amax", "amin", "prod", "logsumexp"),
    ("reduce", "Deviation"): ("var", "std"),
    ("reduce", "Norm"): ("norm",),
    ("reduce", "Argmax"): ("argmax",),
    ("product", "MatMul"): ("matmul",),
    ("product", "ScaledDotProductAttention"): ("scaled_dot_product_attention",),
    ("product", "MultiheadAttention"): ("multihead_attention",),
    ("embedding", "Embedding"): ("embedding",),
    ("recurrent", "RNN"): ("rnn",),
    ("recurrent", "GRU"): ("gru",),
    ("recurrent", "LSTM"): ("lstm",),
    ("conv_lstm", "ConvLSTM"): ("conv_lstm1d", "conv_lstm2d", "conv_lstm3d"),
    ("layout", "Roll"): ("roll",),
    ("layout", "Flip"): ("flip",),
    ("layout", "Expand"): ("expand",),
    ("layout", "Slice"): ("slice",),
    ("layout", "Select"): ("select",),
    ("layout", "Unbind"): ("unbind",),
    ("layout", "Squeeze"): ("squeeze",),
    ("layout", "Unsqueeze"): ("unsqueeze",),
    ("layout", "Stack"): ("stack",),
    ("layout", "Tile"): ("tile",),
    ("layout", "RepeatInterleave"): ("repeat_interleave",),
    ("layout", "IndexSelect"): ("index_select",),
}
"""Kinds that came after specs were written: a block of such a name wins over the kind, so that no spec breaks."""

YIELDING = frozenset(kind for kinds in _YIELDING.values() for kind in kinds)
"""Their names."""

TAKEN = tuple(kind for kinds in _FAMILIES.values() for kind in kinds)
"""Kinds whose names no block has."""

KINDS: dict[str, tuple[str, str]] = {
    kind: place for table in (_FAMILIES, _YIELDING) for place, kinds in table.items() for kind in kinds
}
"""Kind -> (module, class)."""

_classes: dict[str, type[Layer]] = {}


def layer_class(kind: str) -> type[Layer]:
    """The model class of a kind, imported when first asked for; KeyError for an unknown kind."""
    found = _classes.get(kind)
    if found is None:
        module, name = KINDS[kind]
        found = _classes[kind] = getattr(import_module(f".{module}", __package__), name)
    return found


def build(kind: str, fields: dict[str, Any]) -> Layer:
    """A layer from its kind and its fields (field names or their short forms).

    Raises KeyError for an unknown kind and pydantic's ValidationError for wrong fields.

    >>> build("conv2d", {"out": 64, "k": 7, "s": 2, "p": 3}).output_shape(((3, 224, 224),))
    (64, 112, 112)
    """
    cls = layer_class(kind)
    return cls(kind=kind, **{cls.short_forms.get(name, name): value for name, value in fields.items()})
