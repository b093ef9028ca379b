"""Single layers to export: the samples of every kind, and the windows that frameworks say in other words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from convcalc.inference import output_shape
from convcalc.layers.batched import batched
from convcalc.layers.registry import build
from convcalc.network import Network, Node, Output
from tests.layer_samples import IMAGE, SAMPLES, SEQUENCE, VOLUME

Shape = tuple[int, ...]

MORE: list[tuple[str, dict[str, Any], tuple[Shape, ...]]] = [
    ("conv1d", {"out": 4, "k": 3, "p": "same_lower", "s": 2}, SEQUENCE),
    ("conv2d", {"out": 6, "k": 3, "g": 6, "s": 2, "p": "same"}, IMAGE),
    ("conv2d", {"out": 12, "k": 3, "g": 6, "p": 1}, IMAGE),
    ("conv2d", {"out": 4, "k": 4, "p": "same", "d": 2}, IMAGE),
    ("conv2d", {"out": 4, "k": 3, "p": "valid", "s": [2, 1]}, IMAGE),
    ("conv2d", {"out": 4, "k": 3, "p": [[2, 1], [0, 3]], "padding_mode": "replicate"}, IMAGE),
    ("conv2d", {"out": 4, "k": 3, "p": [[2, -1], [-2, 3]], "padding_mode": "reflect"}, IMAGE),
    ("conv2d", {"out": 4, "k": 3, "p": [[2, -1], [1, 3]], "padding_mode": "circular"}, IMAGE),
    ("conv3d", {"out": 4, "k": 3, "p": [[1, 0], [2, 2], [0, 1]], "g": 2}, VOLUME),
    ("conv_transpose1d", {"out": 4, "k": 2, "s": 3, "p": "valid"}, SEQUENCE),
    ("conv_transpose1d", {"out": 4, "k": 3, "s": 2, "p": "same_lower"}, SEQUENCE),
    ("conv_transpose1d", {"out": 4, "k": 5, "s": 2, "p": [[0, 3]]}, SEQUENCE),
    ("conv_transpose1d", {"out": 4, "k": 5, "s": 2, "p": [[4, 0]]}, SEQUENCE),
    ("conv_transpose1d", {"out": 4, "k": 5, "s": 3, "p": [[3, 0]], "output_padding": 2}, SEQUENCE),
    ("conv_transpose2d", {"out": 4, "k": 4, "s": 2, "p": 1, "g": 2}, IMAGE),
    ("conv_transpose2d", {"out": 4, "k": 3, "d": 2, "p": [[0, 1], [2, 0]], "output_padding": 1}, IMAGE),
    ("separable_conv2d", {"out": 4, "k": 3, "p": "same", "s": 2, "depth_multiplier": 2}, IMAGE),
    ("max_pool1d", {"k": 3, "s": 2, "p": "same"}, SEQUENCE),
    ("max_pool2d", {"k": 3, "s": 2, "ceil_mode": True}, IMAGE),
    ("max_pool2d", {"k": 2, "s": 2, "p": 1, "ceil_mode": True}, IMAGE),
    ("max_pool2d", {"k": 3, "s": 2, "p": 1, "ceil_mode": "caffe"}, IMAGE),
    ("max_pool2d", {"k": 3, "s": 2, "p": [[0, 1], [2, 0]], "ceil_mode": True}, IMAGE),
    ("max_pool2d", {"k": 3, "s": 2, "p": [[2, 2], [2, 2]]}, IMAGE),
    ("avg_pool1d", {"k": 3, "s": 2, "p": [[1, 0]], "count_include_pad": False}, SEQUENCE),
    ("avg_pool2d", {"k": 3, "s": 2, "ceil_mode": True}, IMAGE),
    ("avg_pool2d", {"k": 3, "s": 2, "p": 1, "ceil_mode": True}, IMAGE),
    ("avg_pool2d", {"k": 3, "s": 2, "p": 1, "ceil_mode": True, "count_include_pad": False}, IMAGE),
    ("avg_pool2d", {"k": 4, "s": 3, "p": [[1, 0], [0, 2]], "ceil_mode": True}, IMAGE),
    ("avg_pool2d", {"k": 3, "s": 2, "p": "same", "count_include_pad": False}, IMAGE),
    ("avg_pool2d", {"k": 3, "s": 2, "p": "same"}, IMAGE),
    ("avg_pool2d", {"k": 3, "s": 2, "p": [[1, 0], [1, 1]], "divisor_override": 5}, IMAGE),
    ("avg_pool2d", {"k": 3, "s": 2, "p": 1, "ceil_mode": "caffe"}, IMAGE),
    ("lp_pool2d", {"norm_type": 2, "k": 3, "s": 2, "ceil_mode": True}, IMAGE),
    ("adaptive_avg_pool2d", {"output_size": [4, 3]}, IMAGE),
    ("adaptive_max_pool2d", {"output_size": [2, 9]}, IMAGE),
    ("global_avg_pool", {}, VOLUME),
    ("linear", {"out": 5, "dim": "last"}, ((4, 3, 6),)),
    ("flatten", {"start_dim": 0, "end_dim": 1}, IMAGE),
    ("flatten", {"start_dim": -2}, VOLUME),
    ("batch_norm", {"affine": False}, ((7,),)),
    ("batch_norm", {"eps": 0.001, "momentum": 0.01}, SEQUENCE),
    ("batch_norm", {"weight": False}, IMAGE),
    ("batch_norm", {"bias": False}, IMAGE),
    ("group_norm", {"num_groups": 2, "weight": False}, IMAGE),
    ("layer_norm", {"weight": False}, IMAGE),
    ("group_norm", {"num_groups": 2, "affine": False}, SEQUENCE),
    ("layer_norm", {}, ((7,),)),
    ("layer_norm", {"bias": False, "eps": 1e-6}, IMAGE),
    ("layer_norm", {"dim": 0, "elementwise_affine": False}, SEQUENCE),
    ("instance_norm", {"affine": True}, SEQUENCE),
    ("local_response_norm", {"size": 3, "alpha": 0.1, "beta": 0.5, "k": 2}, SEQUENCE),
    ("local_response_norm", {"size": 4}, IMAGE),
    ("prelu", {"num_parameters": 6}, IMAGE),
    ("prelu", {"num_parameters": 6}, ((6,),)),
    ("gelu", {"approximate": "tanh"}, SEQUENCE),
    ("leaky_relu", {"negative_slope": 0.2}, SEQUENCE),
    ("elu", {"alpha": 0.5}, SEQUENCE),
    ("softplus", {"beta": 3.0}, SEQUENCE),
    ("softmax", {"dim": -1}, IMAGE),
    ("softmax", {}, ((7,),)),
    ("dropout", {"p": 0.1}, ((7,),)),
    ("stochastic_depth", {"p": 0.2, "mode": "batch"}, SEQUENCE),
    ("concat", {}, ((3, 5),)),
    ("concat", {"dim": 1}, ((3, 5), (3, 2))),
    ("add", {}, ((3, 1, 5), (3, 4, 1))),
    ("split", {"channels": [2, 4], "part": 0}, SEQUENCE),
    ("channel_shuffle", {"groups": 2}, SEQUENCE),
    ("pixel_shuffle", {"upscale_factor": 3}, ((6, 5),)),
    ("pixel_unshuffle", {"downscale_factor": 2}, ((2, 4, 6, 8),)),
    ("upsample", {"scale_factor": 2, "mode": "bilinear"}, IMAGE),
    ("upsample", {"scale_factor": 1.3}, IMAGE),
    ("upsample", {"scale_factor": 1.3, "mode": "bilinear"}, IMAGE),
    ("upsample", {"size": [5, 5], "mode": "nearest-exact"}, IMAGE),
    ("upsample", {"size": 1, "mode": "bilinear"}, IMAGE),
    ("upsample", {"size": [16, 27], "mode": "bicubic", "align_corners": True}, IMAGE),
    ("upsample", {"mode": "bilinear"}, ((6, 8, 9), (2, 16, 17))),
    ("upsample", {"size": 3, "mode": "area"}, SEQUENCE),
    ("pad", {"padding": [[1, 2], -1], "value": 2.5}, IMAGE),
    ("pad", {"padding": [[1, 2], 0], "mode": "replicate"}, IMAGE),
    ("pad", {"padding": [[3, -2], 1], "mode": "circular"}, IMAGE),
    ("pad", {"padding": 2, "mode": "reflect"}, SEQUENCE),
    ("crop", {"cropping": 1}, VOLUME),
    ("crop", {}, ((6, 8), (2, 3))),
    ("channel_shuffle", {"groups": 2}, ((6,),)),
    ("conv_transpose1d", {"out": 4, "k": 5, "s": 3, "p": [[4, 1]], "output_padding": 1}, SEQUENCE),
    ("conv_transpose1d", {"out": 4, "k": 1, "s": 3, "p": [[1, 0]]}, SEQUENCE),
    ("conv_transpose2d", {"out": 4, "k": [2, 3], "s": [3, 2], "p": [[0, 0], [3, 1]], "output_padding": [1, 0]}, IMAGE),
    ("conv_transpose2d", {"out": 4, "k": 3, "d": 3, "p": [[4, 2], [1, 2]], "output_padding": [2, 0]}, IMAGE),
    ("conv1d", {"out": 4, "k": 3, "p": [[2, 0]], "weight": "input", "bias": False}, ((6, 8), (4, 6, 3))),
    ("conv1d", {"out": 4, "k": 3, "p": 1, "standardize": True}, SEQUENCE),
    ("conv2d", {"out": 4, "k": 3, "p": "same", "s": 2, "g": 2, "gain": True}, IMAGE),
    ("conv2d", {"out": 4, "k": 3, "p": 1, "s": 2, "g": 2, "weight": "input"}, (*IMAGE, (4, 3, 3, 3), (4,))),
    ("conv2d", {"out": 4, "k": 3, "p": 1, "padding_mode": "reflect", "fixed": True}, IMAGE),
    ("conv3d", {"out": 4, "k": 2, "standardize": True, "fixed": True}, VOLUME),
    ("conv_transpose1d", {"out": 4, "k": 3, "s": 2, "g": 2, "standardize": True, "gain": True}, SEQUENCE),
    ("conv_transpose2d", {"out": 4, "k": 3, "s": 2, "p": 1, "weight": "input"}, (*IMAGE, (6, 4, 3, 3), (4,))),
    ("conv_transpose3d", {"out": 4, "k": 2, "s": 2, "gain": True}, VOLUME),
    ("linear", {"out": 5, "dim": "last", "standardize": True}, SEQUENCE),
    ("linear", {"out": 5, "dim": "last", "weight": "input"}, (*SEQUENCE, (5, 8), (5,))),
    ("batch_norm", {"dim": -1, "affine": False}, SEQUENCE),
    ("rms_norm", {"normalized_shape": [8, 9], "eps": 0.1}, IMAGE),
    ("rms_norm", {"elementwise_affine": False}, ((7,),)),
    ("scale", {"dim": -1}, VOLUME),
    ("scale", {"size": 1, "bias": True}, ((7,),)),
    ("scale", {"size": 1}, ((),)),
    ("clamp", {"max": 0.2}, SEQUENCE),
    ("pow", {"exponent": 2}, ((7,),)),
    ("rescale", {"scale": 0.125}, SEQUENCE),
    ("rescale", {"offset": -3}, SEQUENCE),
    ("rescale", {"scale": [1, 2, 3, 4, 5, 6], "offset": 1}, IMAGE),
    ("hardtanh", {"min_val": 0, "max_val": 6}, SEQUENCE),
    ("celu", {"alpha": 2}, SEQUENCE),
    ("glu", {}, ((6, 8),)),
    ("glu", {"dim": 1}, IMAGE),
    ("log_softmax", {"dim": -1}, IMAGE),
    ("mean", {}, ((),)),
    ("mean", {"keepdim": True}, ((7,),)),
    ("mean", {"dim": [0, 2]}, IMAGE),
    ("prod", {"dim": [0, -1], "keepdim": True}, IMAGE),
    ("sum", {"dim": [1, 2], "keepdim": True}, IMAGE),
    ("std", {}, SEQUENCE),
    ("var", {"correction": 0, "dim": -1, "keepdim": True}, IMAGE),
    ("norm", {"p": 1, "dim": 0}, IMAGE),
    ("norm", {"p": 3}, SEQUENCE),
    ("norm", {}, ((),)),
    ("argmax", {}, IMAGE),
    ("argmax", {"dim": 1, "keepdim": True}, IMAGE),
    ("sub", {}, ((3, 1, 5), (3, 4, 1))),
    ("conv2d", {"out": 4, "k": 3, "p": 1, "batch_axes": 1}, ((2, 6, 8, 9),)),
    ("conv2d", {"out": 4, "k": 3, "p": "same", "s": 2, "batch_axes": 2}, ((2, 3, 6, 8, 9),)),
    ("flatten", {"batch_axes": 1}, ((2, 6, 8, 9),)),
    ("batch_norm", {"batch_axes": 1}, ((2, 6, 8, 9),)),
    ("matmul", {"batch_axes": 1}, ((2, 5, 4), (2, 4, 3))),
    ("concat", {"batch_axes": 1}, ((2, 5, 4), (2, 3, 4))),
    ("multihead_attention", {"num_heads": 2, "batch_axes": 1}, ((3, 5, 8),)),
    ("multihead_attention", {"num_heads": 2, "batch_axes": 1}, ((3, 5, 8), (3, 7, 8), (3, 7, 8))),
    ("lstm", {"hidden_size": 4, "bidirectional": True, "batch_axes": 1}, ((3, 6, 5),)),
    ("rnn", {"hidden_size": 4, "biases": 1}, ((6, 5),)),
    ("rnn", {"hidden_size": 4, "bias": False, "nonlinearity": "relu"}, ((6, 5),)),
    ("gru", {"hidden_size": 4}, ((6, 5),)),
    ("gru", {"hidden_size": 4, "bidirectional": True}, ((6, 5),)),
    ("gru", {"hidden_size": 4, "reset_after": False, "biases": 1, "bidirectional": True}, ((6, 5),)),
    ("gru", {"hidden_size": 4, "reset_after": False, "bias": False}, ((6, 5),)),
    ("lstm", {"hidden_size": 4, "biases": 1}, ((6, 5),)),
]


def single(kind: str, fields: dict[str, Any], inputs: tuple[Shape, ...]) -> Network:
    """A network of one layer."""
    inside = {name: value for name, value in fields.items() if name != "batch_axes"}
    layer = batched(build(kind, inside), fields.get("batch_axes", 0))
    names = ["input"] if len(inputs) < 2 else [f"input_{n}" for n in range(len(inputs))]
    nodes = [Node(name, None, (), shape) for name, shape in zip(names, inputs or ((3,),), strict=True)]
    last = Node(kind, layer, tuple(range(len(inputs))), output_shape(layer, inputs))
    return Network(kind, (*nodes, last), (Output(kind, len(nodes)),), {})


def layer_cases() -> Iterator[tuple[str, Network]]:
    """(label, network) of every single layer; what the label says is what the layer is."""
    for kind, fields, inputs in [(s.kind, s.fields, s.inputs) for s in SAMPLES] + MORE:
        values = [f"{name}={value}" for name, value in fields.items()]
        shapes = ["x".join(map(str, shape)) for shape in inputs]
        yield " ".join([kind, *values, "on", *shapes]), single(kind, fields, inputs)


def drawn_weights(network: Network, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Weights that tell every tensor apart, by node and PyTorch's names."""
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, Any]] = {}
    for node in network.nodes:
        if node.layer is None:
            continue
        tensors: dict[str, Any] = {}
        for weight in node.layer.weights(network.input_shapes(node)):
            if weight.name == "num_batches_tracked":
                tensors[weight.name] = np.zeros((), np.int64)
                continue
            fan = max(int(np.prod(weight.shape[1:])), 1)
            values = rng.standard_normal(weight.shape, np.float32).astype(np.float64)
            positive = weight.name == "running_var" or (len(weight.shape) < 2 and weight.name == "weight")
            tensors[weight.name] = 1 + 0.3 * np.tanh(values) if positive else values * (2 / fan) ** 0.5
        found[node.name] = tensors
    return found
