"""One layer or more of every kind, on inputs that it takes, with the output that PyTorch gives."""

from __future__ import annotations

from typing import Any, NamedTuple

from convcalc.layers.base import Layer
from convcalc.layers.registry import KINDS, build
from convcalc.network import Network, Node, Output, output_shape

Shape = tuple[int, ...]


class Sample(NamedTuple):
    """A kind, its fields, input shapes, and the output's shape."""

    kind: str
    fields: dict[str, Any]
    inputs: tuple[Shape, ...]
    output: Shape

    def layer(self) -> Layer:
        """The layer itself."""
        return build(self.kind, self.fields)

    def network(self) -> Network:
        """The layer above inputs of its shapes."""
        layer = self.layer()
        inputs = [Node(f"in{n}", None, (), shape) for n, shape in enumerate(self.inputs)]
        node = Node("tested", layer, tuple(range(len(inputs))), output_shape(layer, self.inputs))
        return Network("one", (*inputs, node), (Output("tested", len(inputs)),), {})

    def __str__(self) -> str:
        return f"{self.kind}-{'x'.join(map(str, self.inputs[0] if self.inputs else self.output))}"


COMPUTED = tuple(kind for kind in KINDS if kind != "opaque")
"""Kinds of which it is known what they compute."""

IMAGE = ((6, 8, 9),)
SEQUENCE = ((6, 8),)
VOLUME = ((6, 8, 9, 10),)
PLAIN = (
    *("relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh", "mish", "selu", "gelu", "leaky_relu"),
    *("prelu", "elu", "softplus", "softmax", "dropout", "scale", "identity", "batch_norm", "instance_norm"),
    *(
        "softsign",
        "logsigmoid",
        "tanhshrink",
        "hardtanh",
        "celu",
        "hardshrink",
        "softshrink",
        "log_softmax",
        "rms_norm",
    ),
    *("exp", "log", "sqrt", "rsqrt", "abs", "neg", "square", "reciprocal", "sin", "cos", "erf", "sign", "floor"),
    *("ceil", "round"),
)

SAMPLES: list[Sample] = [
    Sample("conv1d", {"out": 4, "k": 3}, SEQUENCE, (4, 6)),
    Sample("conv1d", {"out": 4, "k": 3, "p": [[2, 0]]}, SEQUENCE, (4, 8)),
    Sample("conv2d", {"out": 4, "k": [3, 2], "s": 2, "p": "same"}, IMAGE, (4, 4, 5)),
    Sample("conv2d", {"out": 4, "k": 3, "p": 1, "g": 2, "padding_mode": "reflect"}, IMAGE, (4, 8, 9)),
    Sample("conv3d", {"out": 4, "k": 3, "d": 2, "bias": False}, VOLUME, (4, 4, 5, 6)),
    Sample("conv_transpose1d", {"out": 4, "k": 3, "s": 2}, SEQUENCE, (4, 17)),
    Sample("conv_transpose2d", {"out": 4, "k": 3, "s": 2, "p": 1, "output_padding": 1}, IMAGE, (4, 16, 18)),
    Sample("conv_transpose3d", {"out": 4, "k": 2, "s": 3, "p": "same"}, VOLUME, (4, 24, 27, 30)),
    Sample("separable_conv1d", {"out": 4, "k": 3, "depth_multiplier": 2}, SEQUENCE, (4, 6)),
    Sample("separable_conv2d", {"out": 4, "k": 3, "p": 1}, IMAGE, (4, 8, 9)),
    Sample("max_pool1d", {"k": 3}, SEQUENCE, (6, 2)),
    Sample("max_pool2d", {"k": 3, "s": 2, "p": 1, "d": 2}, IMAGE, (6, 3, 4)),
    Sample("max_pool3d", {"k": 2, "s": [1, 2, 3]}, VOLUME, (6, 7, 4, 3)),
    Sample("avg_pool1d", {"k": 2, "p": "same_lower", "s": 3}, SEQUENCE, (6, 3)),
    Sample("avg_pool2d", {"k": 3, "s": 1, "p": 1, "count_include_pad": False}, IMAGE, (6, 8, 9)),
    Sample("avg_pool3d", {"k": 2, "divisor_override": 3}, VOLUME, (6, 4, 4, 5)),
    Sample("lp_pool1d", {"norm_type": 2, "k": 2}, SEQUENCE, (6, 4)),
    Sample("lp_pool2d", {"norm_type": 1.5, "k": 3, "s": 1}, IMAGE, (6, 6, 7)),
    Sample("adaptive_avg_pool1d", {"output_size": 3}, SEQUENCE, (6, 3)),
    Sample("adaptive_avg_pool2d", {"output_size": [None, 4]}, IMAGE, (6, 8, 4)),
    Sample("adaptive_avg_pool3d", {"output_size": 1}, VOLUME, (6, 1, 1, 1)),
    Sample("adaptive_max_pool1d", {"output_size": 11}, SEQUENCE, (6, 11)),
    Sample("adaptive_max_pool2d", {"output_size": 7}, IMAGE, (6, 7, 7)),
    Sample("adaptive_max_pool3d", {"output_size": [1, 2, None]}, VOLUME, (6, 1, 2, 10)),
    Sample("global_avg_pool", {}, IMAGE, (6, 1, 1)),
    Sample("global_max_pool", {}, SEQUENCE, (6, 1)),
    Sample("linear", {"out_features": 5}, ((7,),), (5,)),
    Sample("linear", {"out": 5, "bias": False, "dim": "last"}, IMAGE, (6, 8, 5)),
    Sample("flatten", {}, IMAGE, (432,)),
    Sample("flatten", {"start_dim": 1}, IMAGE, (6, 72)),
    Sample("flatten", {"start_dim": 1, "end_dim": 1}, IMAGE, (6, 8, 9)),
    Sample("reshape", {"shape": [6, -1]}, IMAGE, (6, 72)),
    Sample("reshape", {"shape": [2, 3, 8, 9]}, IMAGE, (2, 3, 8, 9)),
    Sample("reshape", {"shape": []}, ((1,),), ()),
    Sample("permute", {"dims": [1, 2, 0]}, IMAGE, (8, 9, 6)),
    Sample("permute", {"dims": [-1, 0, 1]}, IMAGE, (9, 6, 8)),
    *(Sample(kind, {}, IMAGE, IMAGE[0]) for kind in PLAIN),
    Sample("parameter", {"shape": [1, 7]}, (), (1, 7)),
    Sample("parameter", {"shape": [4, 2, 3], "learned": False}, (), (4, 2, 3)),
    Sample("parameter", {"shape": [2, 3], "repeats": [5, 4]}, (), (5, 4, 2, 3)),
    Sample("pow", {"exponent": 3}, IMAGE, IMAGE[0]),
    Sample("clamp", {"min": -0.5, "max": 1}, IMAGE, IMAGE[0]),
    Sample("rescale", {"scale": -1, "offset": 1}, IMAGE, IMAGE[0]),
    Sample("rescale", {"scale": [1, 2, 3], "offset": [0.5, 0, -1]}, ((3, 4, 5),), (3, 4, 5)),
    Sample("threshold", {"threshold": 0.1, "value": -1}, IMAGE, IMAGE[0]),
    Sample("glu", {"dim": 0}, IMAGE, (3, 8, 9)),
    Sample("mean", {"dim": [1, 2]}, IMAGE, (6,)),
    Sample("mean", {"dim": -1, "keepdim": True}, IMAGE, (6, 8, 1)),
    Sample("sum", {}, IMAGE, ()),
    Sample("amax", {"dim": 0}, IMAGE, (8, 9)),
    Sample("amin", {"keepdim": True}, IMAGE, (1, 1, 1)),
    Sample("prod", {"dim": -1}, IMAGE, (6, 8)),
    Sample("logsumexp", {"dim": [0, 2], "keepdim": True}, IMAGE, (1, 8, 1)),
    Sample("var", {"dim": [1, 2]}, IMAGE, (6,)),
    Sample("std", {"dim": 1, "correction": 0}, IMAGE, (6, 9)),
    Sample("norm", {"dim": [1, 2], "keepdim": True}, IMAGE, (6, 1, 1)),
    Sample("argmax", {"dim": 0}, IMAGE, (8, 9)),
    Sample("scale", {"dim": -1, "bias": True}, IMAGE, IMAGE[0]),
    Sample("scale", {"size": 1}, IMAGE, IMAGE[0]),
    Sample("batch_norm", {"dim": -1}, IMAGE, IMAGE[0]),
    Sample("batch_norm", {"weight": False}, IMAGE, IMAGE[0]),
    Sample("batch_norm", {"bias": False}, IMAGE, IMAGE[0]),
    Sample("conv2d", {"out": 4, "k": 3, "standardize": True, "gain": True}, IMAGE, (4, 6, 7)),
    Sample("conv2d", {"out": 6, "k": 3, "g": 6, "s": 2, "fixed": True, "bias": False}, IMAGE, (6, 3, 4)),
    Sample("conv2d", {"out": 4, "k": 3, "weight": "input"}, (*IMAGE, (4, 6, 3, 3), (4,)), (4, 6, 7)),
    Sample("conv_transpose2d", {"out": 4, "k": 2, "s": 2, "standardize": True}, IMAGE, (4, 16, 18)),
    Sample("linear", {"out": 5, "bias": False, "weight": "input"}, ((7,), (5, 7)), (5,)),
    Sample("linear", {"out": 5, "gain": True}, ((7,),), (5,)),
    Sample("stochastic_depth", {"p": 0.2}, IMAGE, IMAGE[0]),
    Sample("group_norm", {"num_groups": 3}, IMAGE, IMAGE[0]),
    Sample("layer_norm", {"normalized_shape": [8, 9]}, IMAGE, IMAGE[0]),
    Sample("layer_norm", {"dim": 0}, IMAGE, IMAGE[0]),
    Sample("local_response_norm", {"size": 5}, IMAGE, IMAGE[0]),
    Sample("concat", {}, ((3, 5, 5), (4, 5, 5), (1, 5, 5)), (8, 5, 5)),
    Sample("concat", {"dim": -1}, ((3, 5, 2), (3, 5, 4)), (3, 5, 6)),
    Sample("add", {}, ((3, 5, 5), (3, 5, 5), (3, 5, 5)), (3, 5, 5)),
    Sample("multiply", {}, ((3, 5, 5), (3, 1, 1)), (3, 5, 5)),
    Sample("multiply", {}, ((3, 1, 5), (1, 4, 1)), (3, 4, 5)),
    Sample("gate", {}, ((3, 5), (3, 5), (3, 5)), (3, 5)),
    Sample("sub", {}, ((3, 5, 5), (3, 5, 5)), (3, 5, 5)),
    Sample("div", {}, ((3, 5, 5), (3, 1, 5)), (3, 5, 5)),
    Sample("maximum", {}, ((3, 1, 5), (1, 4, 1)), (3, 4, 5)),
    Sample("minimum", {}, ((3, 5), (3, 5)), (3, 5)),
    Sample("split", {"channels": [2, 3, 1], "part": 1}, IMAGE, (3, 8, 9)),
    Sample("channel_shuffle", {"groups": 3}, IMAGE, IMAGE[0]),
    Sample("pixel_shuffle", {"upscale_factor": 2}, ((8, 3, 4),), (2, 6, 8)),
    Sample("pixel_shuffle", {"upscale_factor": 2}, ((8, 3, 4, 5),), (1, 6, 8, 10)),
    Sample("pixel_unshuffle", {"downscale_factor": 2}, ((3, 8, 4),), (12, 4, 2)),
    Sample("pixel_unshuffle", {"downscale_factor": 2}, ((3, 8),), (6, 4)),
    Sample("unfold", {"k": 3, "s": 2, "p": 1}, IMAGE, (54, 20)),
    Sample("fold", {"output_size": [8, 9], "k": 3, "s": 2, "p": 1}, ((54, 20),), (6, 8, 9)),
    Sample("upsample", {"scale_factor": 2}, IMAGE, (6, 16, 18)),
    Sample("upsample", {"size": [4, 20], "mode": "bicubic"}, IMAGE, (6, 4, 20)),
    Sample("upsample", {"scale_factor": [1.5, 2], "mode": "bilinear", "align_corners": True}, IMAGE, (6, 12, 18)),
    Sample("upsample", {"scale_factor": 0.5, "mode": "area"}, IMAGE, (6, 4, 4)),
    Sample("upsample", {"size": 20, "mode": "trilinear"}, VOLUME, (6, 20, 20, 20)),
    Sample("upsample", {"size": 20, "mode": "linear"}, SEQUENCE, (6, 20)),
    Sample("upsample", {"mode": "nearest-exact"}, ((6, 8, 9), (2, 16, 17)), (6, 16, 17)),
    Sample("pad", {"padding": 1}, IMAGE, (6, 10, 11)),
    Sample("pad", {"padding": [[1, 2], -1], "mode": "reflect"}, IMAGE, (6, 11, 7)),
    Sample("pad", {"padding": [8, 9], "mode": "circular"}, IMAGE, (6, 24, 27)),
    Sample("pad", {"padding": 20, "mode": "replicate"}, SEQUENCE, (6, 48)),
    Sample("crop", {"cropping": [[1, 2], 3]}, IMAGE, (6, 5, 3)),
    Sample("crop", {"size": [5, 4]}, IMAGE, (6, 5, 4)),
    Sample("crop", {}, ((6, 8, 9), (2, 7, 4)), (6, 7, 4)),
    Sample("split", {"channels": [5, 4], "dim": -1}, IMAGE, (6, 8, 5)),
    Sample("matmul", {}, ((3, 5, 4), (3, 4, 6)), (3, 5, 6)),
    Sample("matmul", {}, ((2, 3, 5, 4), (4, 6)), (2, 3, 5, 6)),
    Sample("matmul", {}, ((5, 4), (3, 1, 4, 6)), (3, 1, 5, 6)),
    Sample("scaled_dot_product_attention", {}, ((3, 5, 4), (3, 7, 4), (3, 7, 6)), (3, 5, 6)),
    Sample("scaled_dot_product_attention", {"is_causal": True, "scale": 0.3}, ((5, 4),) * 3, (5, 4)),
    Sample("scaled_dot_product_attention", {}, ((2, 3, 5, 4),) * 3 + ((3, 5, 5),), (2, 3, 5, 4)),
    Sample("multihead_attention", {"num_heads": 2}, ((5, 8),), (5, 8)),
    Sample("multihead_attention", {"heads": 4, "bias": False}, ((5, 8), (7, 8), (7, 8)), (5, 8)),
    Sample(
        "multihead_attention",
        {"num_heads": 2, "kdim": 6, "vdim": 3, "add_bias_kv": True, "add_zero_attn": True},
        ((5, 8), (7, 6), (7, 3)),
        (5, 8),
    ),
    Sample("embedding", {"num_embeddings": 9, "embedding_dim": 4}, ((6,),), (6, 4)),
    Sample("embedding", {"num_embeddings": 5, "embedding_dim": 3}, ((2, 6),), (2, 6, 3)),
    Sample("rnn", {"hidden_size": 4}, ((6, 5),), (6, 4)),
    Sample("rnn", {"hidden_size": 4, "nonlinearity": "relu", "bias": False, "num_layers": 2}, ((6, 5),), (6, 4)),
    Sample("gru", {"hidden_size": 4, "bidirectional": True, "num_layers": 2}, ((6, 5),), (6, 8)),
    Sample("lstm", {"hidden_size": 4}, ((6, 5),), (6, 4)),
    Sample("gru", {"hidden_size": 4, "reset_after": False, "num_layers": 2, "bidirectional": True}, ((6, 5),), (6, 8)),
    Sample("gru", {"hidden_size": 4, "reset_after": False, "biases": 1}, ((6, 5),), (6, 4)),
    Sample("lstm", {"hidden_size": 4, "biases": 1, "bidirectional": True}, ((6, 5),), (6, 8)),
    Sample("lstm", {"hidden_size": 4, "proj_size": 3, "bidirectional": True, "num_layers": 2}, ((6, 5),), (6, 6)),
    Sample("conv_lstm1d", {"out": 3, "k": 3, "p": "same", "bias": False}, ((4, 2, 7),), (4, 3, 7)),
    Sample("conv_lstm2d", {"out": 3, "k": [3, 2], "s": 2, "p": 1}, ((3, 2, 6, 5),), (3, 3, 3, 3)),
    Sample("conv_lstm2d", {"out": 2, "k": 3, "d": 2}, ((4, 3, 9, 8),), (4, 2, 5, 4)),
    Sample("conv_lstm3d", {"out": 2, "k": 2, "s": [1, 2, 1], "p": "same"}, ((2, 3, 3, 4, 3),), (2, 2, 3, 2, 3)),
    Sample("roll", {"shifts": 2, "dims": 1}, IMAGE, IMAGE[0]),
    Sample("roll", {"shifts": [-3, 4], "dims": [1, -1]}, IMAGE, IMAGE[0]),
    Sample("flip", {"dims": [0, -1]}, IMAGE, IMAGE[0]),
    Sample("expand", {"shape": [4, -1, 3]}, ((1, 5, 3),), (4, 5, 3)),
    Sample("expand", {"shape": [2, 7, 6, 8, 9]}, IMAGE, (2, 7, 6, 8, 9)),
    Sample("slice", {"start": 1, "stop": -1}, IMAGE, (4, 8, 9)),
    Sample("slice", {"dim": -1, "start": 1, "step": 3}, IMAGE, (6, 8, 3)),
    Sample("slice", {"dim": 1, "start": -20, "stop": 20, "step": 2}, IMAGE, (6, 4, 9)),
    Sample("select", {"dim": 1, "index": -1}, IMAGE, (6, 9)),
    Sample("select", {"dim": 0, "index": 2}, ((5,),), ()),
    Sample("unbind", {"parts": 6, "part": 4}, IMAGE, (8, 9)),
    Sample("unbind", {"parts": 9, "dim": -1, "part": 8}, IMAGE, (6, 8)),
    Sample("unbind", {"parts": 5, "part": 2}, ((5,),), ()),
    Sample("squeeze", {"dim": 0}, ((1, 8, 9),), (8, 9)),
    Sample("squeeze", {"dim": [-1, 1]}, ((6, 1, 9, 1),), (6, 9)),
    Sample("unsqueeze", {"dim": -1}, IMAGE, (6, 8, 9, 1)),
    Sample("unsqueeze", {"dim": 0}, IMAGE, (1, 6, 8, 9)),
    Sample("stack", {"dim": 1}, ((3, 5), (3, 5)), (3, 2, 5)),
    Sample("stack", {"dim": -1}, ((3, 5),) * 3, (3, 5, 3)),
    Sample("tile", {"reps": [2, 1, 3]}, IMAGE, (12, 8, 27)),
    Sample("tile", {"reps": 2}, IMAGE, (6, 8, 18)),
    Sample("tile", {"reps": [2, 3, 1]}, ((5,),), (2, 3, 5)),
    Sample("repeat_interleave", {"repeats": 3, "dim": 1}, IMAGE, (6, 24, 9)),
    Sample("index_select", {"dim": -1, "indices": [3, 0, 0, -1]}, IMAGE, (6, 8, 4)),
    Sample("index_select", {"dim": 0, "count": 15}, IMAGE, (15, 8, 9)),
    Sample("index_select", {"dim": 0, "relative": [2, 3]}, ((15, 4),), (36, 4)),
]
