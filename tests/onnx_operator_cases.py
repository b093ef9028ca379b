"""ONNX's own test cases of single operators, each told as a layer of the language.

A teller gives the layer, its inputs, its weights and how its output compares to the recorded one, or raises
`LeftOut` with the rule by which a case says something that the language cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np


class LeftOut(Exception):
    """The language has no such layer; the message is the rule."""


class Case(NamedTuple):
    name: str
    op: str
    attributes: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]


class Told(NamedTuple):
    kind: str
    fields: dict[str, Any]
    inputs: list[Any]
    weights: dict[str, Any]
    compared: Callable[[Any], Any] = lambda y: y
    """How the layer's output becomes the shape of the recorded one."""


def without(case: Case, **rules: bool) -> None:
    """Raise LeftOut for the first rule that holds; underscores of its name are spaces."""
    for rule, holds in rules.items():
        if holds:
            raise LeftOut(rule.replace("_", " "))


def one_more_axis(arrays: list[Any]) -> list[Any]:
    """A batch of one before arrays that have no batch, so that all their axes are the language's."""
    return [array[None] for array in arrays]


def alone(case: Case, kind: str, fields: dict[str, Any], inputs: list[Any] | None = None) -> Told:
    return Told(kind, fields, one_more_axis(case.inputs[:1] if inputs is None else inputs), {}, lambda y: y[0])


def pairs(pads: list[int]) -> list[list[int]]:
    """ONNX lists all begins, then all ends."""
    half = len(pads) // 2
    return [[begin, end] for begin, end in zip(pads[:half], pads[half:], strict=True)]


WORDS = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def window(case: Case, kernel: Any) -> dict[str, Any]:
    a, rank = case.attributes, len(kernel)
    word = WORDS.get(a.get("auto_pad", "NOTSET"))
    return {
        "kernel_size": list(kernel),
        "stride": a.get("strides", [1] * rank),
        "padding": word or pairs(a.get("pads", [0] * 2 * rank)),
        "dilation": a.get("dilations", [1] * rank),
    }


def conv(case: Case) -> Told:
    w = case.inputs[1]
    fields = window(case, w.shape[2:]) | {"out_channels": w.shape[0], "groups": case.attributes.get("group", 1)}
    return Told(f"conv{w.ndim - 2}d", fields | {"bias": False}, case.inputs[:1], {"weight": w})


def conv_transpose(case: Case) -> Told:
    x, w = case.inputs
    a, rank, groups = case.attributes, w.ndim - 2, case.attributes.get("group", 1)
    fields = window(case, w.shape[2:]) | {"out_channels": w.shape[1] * groups, "groups": groups, "bias": False}
    fields["output_padding"] = a.get("output_padding", [0] * rank)
    if "output_shape" in a:
        fields["output_padding"] = [
            wanted - ((i - 1) * s + d * (k - 1) + 1)
            for wanted, i, s, d, k in zip(
                a["output_shape"], x.shape[2:], fields["stride"], fields["dilation"], w.shape[2:], strict=True
            )
        ]
    return Told(f"conv_transpose{rank}d", fields, [x], {"weight": w})


def pool_fields(case: Case) -> tuple[int, dict[str, Any]]:
    kernel = case.attributes["kernel_shape"]
    return len(kernel), window(case, kernel) | {"ceil_mode": bool(case.attributes.get("ceil_mode", 0))}


def max_pool(case: Case) -> Told:
    rank, fields = pool_fields(case)
    return Told(f"max_pool{rank}d", fields, case.inputs, {})


def average_pool(case: Case) -> Told:
    rank, fields = pool_fields(case)
    without(case, average_pools_have_no_dilation=set(fields.pop("dilation")) != {1})
    fields["count_include_pad"] = bool(case.attributes.get("count_include_pad", 0))
    return Told(f"avg_pool{rank}d", fields, case.inputs, {})


def lp_pool(case: Case) -> Told:
    """ONNX takes absolute values first, PyTorch does not."""
    rank, fields = pool_fields(case)
    dilation, padding = fields.pop("dilation"), fields.pop("padding")
    without(
        case,
        power_pools_have_no_dilation=set(dilation) != {1},
        power_pools_have_no_padding=isinstance(padding, str) or any(map(any, padding)),
        power_pools_have_one_or_two_axes=rank > 2,
    )
    return Told(f"lp_pool{rank}d", fields | {"norm_type": case.attributes.get("p", 2)}, [np.abs(case.inputs[0])], {})


def gemm(case: Case) -> Told:
    a, (left, right, *rest) = case.attributes, case.inputs
    x = left.T if a.get("transA") else left
    w = right if a.get("transB") else right.T
    fields = {"out_features": w.shape[0], "bias": bool(rest)}
    weights = {"weight": w * np.float32(a.get("alpha", 1))}
    if rest:
        bias = rest[0] * np.float32(a.get("beta", 1))
        without(case, a_bias_is_a_vector=bias.ndim == 2 and bias.shape[0] > 1)
        weights["bias"] = np.broadcast_to(bias.reshape(-1), (w.shape[0],))
    return Told("linear", fields, [np.ascontiguousarray(x)], weights)


def mat_mul(case: Case) -> Told:
    left, right = case.inputs
    without(case, products_of_two_inputs_are_no_layer=(left.ndim, right.ndim) != (2, 2))
    return Told("linear", {"out_features": right.shape[1], "bias": False}, [left], {"weight": right.T})


def batch_norm(case: Case) -> Told:
    x, weight, bias, mean, var = case.inputs
    weights = {"weight": weight, "bias": bias}
    if not case.attributes.get("training_mode"):
        weights |= {"running_mean": mean, "running_var": var}
    return Told("batch_norm", {"eps": case.attributes.get("epsilon", 1e-5)}, [x], weights)


def instance_norm(case: Case) -> Told:
    x, weight, bias = case.inputs
    fields = {"eps": case.attributes.get("epsilon", 1e-5), "affine": True}
    return Told("instance_norm", fields, [x], {"weight": weight, "bias": bias})


def group_norm(case: Case) -> Told:
    x, weight, bias = case.inputs
    fields = {"eps": case.attributes.get("epsilon", 1e-5), "num_groups": case.attributes["num_groups"]}
    return Told("group_norm", fields, [x], {"weight": weight, "bias": bias})


def layer_norm(case: Case) -> Told:
    x, weight, bias = case.inputs
    axis = case.attributes.get("axis", -1)
    fields = {"eps": case.attributes.get("epsilon", 1e-5), "normalized_shape": list(x.shape[axis:])}
    return Told("layer_norm", fields, [x[None]], {"weight": weight, "bias": bias}, lambda y: y[0])


def lrn(case: Case) -> Told:
    a = case.attributes
    fields = {"size": a["size"], "alpha": a.get("alpha", 1e-4), "beta": a.get("beta", 0.75), "k": a.get("bias", 1.0)}
    return Told("local_response_norm", fields, case.inputs, {})


def plain(kind: str) -> Callable[[Case], Told]:
    return lambda case: alone(case, kind, {})


def global_pool(kind: str) -> Callable[[Case], Told]:
    return lambda case: Told(kind, {}, case.inputs, {})


def selu(case: Case) -> Told:
    without(case, the_constants_are_fixed=bool(case.attributes))
    return alone(case, "selu", {})


def swish(case: Case) -> Told:
    without(case, the_constants_are_fixed=case.attributes.get("alpha", 1.0) != 1)
    return alone(case, "silu", {})


def prelu(case: Case) -> Told:
    x, slope = case.inputs
    without(case, a_slope_is_one_a_channel=slope.ndim > 1)
    fields = {"num_parameters": slope.size}
    return Told("prelu", fields, [np.moveaxis(x, -1, 1)], {"weight": slope}, lambda y: np.moveaxis(y, 1, -1))


def join(kind: str) -> Callable[[Case], Told]:
    def told(case: Case) -> Told:
        without(case, a_join_has_two_inputs=len(case.inputs) < 2)
        most = max(x.ndim for x in case.inputs)
        return alone(case, kind, {}, [x.reshape((1,) * (most - x.ndim) + x.shape) for x in case.inputs])

    return told


def flatten(case: Case) -> Told:
    axis = case.attributes.get("axis", 1)
    without(case, the_batch_is_never_flattened=axis % case.inputs[0].ndim != 1)
    return Told("flatten", {}, case.inputs, {})


def reshape(case: Case) -> Told:
    x, shape = case.inputs
    without(case, a_size_is_at_least_1=bool(case.attributes.get("allowzero")))
    wanted = [x.shape[n] if size == 0 else int(size) for n, size in enumerate(shape)]
    return alone(case, "reshape", {"shape": wanted})


def transpose(case: Case) -> Told:
    axes = list(range(case.inputs[0].ndim))
    return alone(case, "permute", {"dims": case.attributes.get("perm", axes[::-1])})


def split(case: Case) -> Told:
    """The first part, cut along the channels."""
    x, axis = case.inputs[0], case.attributes.get("axis", 0)
    sizes = [part.shape[axis] for part in case.outputs]
    without(case, a_part_is_not_empty=0 in sizes)
    fields = {"channels": sizes, "part": 0}
    return Told("split", fields, [x], {}) if axis == 1 else alone(case, "split", fields)


def identity(case: Case) -> Told:
    without(case, values_are_arrays=isinstance(case.inputs[0], list))
    return alone(case, "identity", {})


def dropout(case: Case) -> Told:
    ratio = case.inputs[1] if len(case.inputs) > 1 else 0.5
    without(case, no_masks_are_drawn=len(case.inputs) == 3 and bool(case.inputs[2]) and float(ratio) > 0)
    return alone(case, "dropout", {})


def center_crop(case: Case) -> Told:
    x, y = case.inputs[0], case.outputs[0]
    without(case, a_crop_does_not_pad=any(after > before for before, after in zip(x.shape, y.shape, strict=True)))
    return Told("crop", {"size": list(y.shape)}, [x[None, None]], {}, lambda y: y[0, 0])


def pad(case: Case) -> Told:
    x, pads = case.inputs[:2]
    axes = [int(axis) % x.ndim for axis in (case.inputs[3] if len(case.inputs) > 3 else range(x.ndim))]
    every = [[0, 0] for _ in range(x.ndim)]
    for axis, pair in zip(axes, pairs([int(p) for p in pads]), strict=True):
        every[axis] = pair
    without(case, only_space_is_padded=any(map(any, every[:2])))
    mode = {"edge": "replicate", "wrap": "circular"}.get(case.attributes["mode"], case.attributes["mode"])
    value = float(case.inputs[2]) if len(case.inputs) > 2 else 0.0
    return Told("pad", {"padding": every[2:], "mode": mode, "value": value}, [x], {})


def depth_to_space(case: Case) -> Told:
    without(case, channels_are_in_PyTorchs_order=case.attributes["mode"] != "CRD")
    return Told("pixel_shuffle", {"upscale_factor": case.attributes["blocksize"]}, case.inputs, {})


def space_to_depth(case: Case) -> Told:
    ordered = case.attributes.get("mode", "DCR") == "CRD" or case.inputs[0].shape[1] == 1
    without(case, channels_are_in_PyTorchs_order=not ordered)
    return Told("pixel_unshuffle", {"downscale_factor": case.attributes["blocksize"]}, case.inputs, {})


def upsample(case: Case) -> Told:
    x, scales = case.inputs
    return Told("upsample", {"scale_factor": [float(s) for s in scales[2:]], "mode": "nearest"}, [x], {})


def resize(case: Case) -> Told:
    a, x, target = case.attributes, case.inputs[0], case.outputs[0].shape[2:]
    given = case.inputs[-1]
    coordinates, mode = a.get("coordinate_transformation_mode", "half_pixel"), a["mode"]
    by_scale = given.dtype.kind == "f"
    axes = a.get("axes", range(x.ndim))
    scales = dict(zip(axes, map(float, given), strict=True)) if by_scale and len(given) == len(axes) else {}
    factors = [scales.get(axis, 1.0) for axis in range(2, x.ndim)]
    without(
        case,
        coordinates_are_PyTorchs=coordinates not in ("half_pixel", "align_corners", "pytorch_half_pixel", "asymmetric"),
        one_output_is_centred=coordinates == "pytorch_half_pixel" and 1 in target,
        there_is_no_antialiasing=bool(a.get("antialias")),
        the_cubic_kernel_is_PyTorchs=bool(a.get("exclude_outside")),
        the_size_is_given=a.get("keep_aspect_ratio_policy", "stretch") != "stretch",
        corners_align_on_whole_sizes=coordinates == "align_corners"
        and any(i * f != o for i, f, o in zip(x.shape[2:], factors, target, strict=True) if by_scale),
    )
    fields: dict[str, Any] = {"scale_factor": factors} if by_scale else {"size": list(target)}
    if mode == "nearest":
        rounding = a.get("nearest_mode", "round_prefer_floor")
        steps = [1 / f if by_scale else i / o for i, o, f in zip(x.shape[2:], target, factors, strict=True)]
        ties = any(((d + 0.5) * step) % 1 == 0 for step, o in zip(steps, target, strict=True) for d in range(o))
        if (coordinates, rounding) == ("asymmetric", "floor"):
            return Told("upsample", fields | {"mode": "nearest"}, [x], {})
        exact = coordinates == "half_pixel" and (rounding == "round_prefer_ceil" or (not ties and "round" in rounding))
        without(case, nearest_rounds_as_PyTorch=not exact)
        return Told("upsample", fields | {"mode": "nearest-exact"}, [x], {})
    without(case, coordinates_are_PyTorchs=coordinates == "asymmetric")
    fields["align_corners"] = coordinates == "align_corners"
    return Told("upsample", fields | {"mode": {"linear": "bilinear", "cubic": "bicubic"}[mode]}, [x], {})


def softmax(case: Case) -> Told:
    return alone(case, "softmax", {"dim": case.attributes.get("axis", -1)})


def concat(case: Case) -> Told:
    return alone(case, "concat", {"dim": case.attributes["axis"]}, case.inputs)


OPERATORS: dict[str, Callable[[Case], Told]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalAveragePool": global_pool("global_avg_pool"),
    "GlobalMaxPool": global_pool("global_max_pool"),
    "Gemm": gemm,
    "MatMul": mat_mul,
    "BatchNormalization": batch_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "LayerNormalization": layer_norm,
    "LRN": lrn,
    "Relu": plain("relu"),
    "Sigmoid": plain("sigmoid"),
    "Tanh": plain("tanh"),
    "Mish": plain("mish"),
    "HardSwish": plain("hardswish"),
    "Softplus": plain("softplus"),
    "Selu": selu,
    "Swish": swish,
    "LeakyRelu": lambda case: alone(case, "leaky_relu", {"negative_slope": case.attributes.get("alpha", 0.01)}),
    "Elu": lambda case: alone(case, "elu", {"alpha": case.attributes.get("alpha", 1.0)}),
    "Gelu": lambda case: alone(case, "gelu", {"approximate": case.attributes.get("approximate", "none")}),
    "PRelu": prelu,
    "Softmax": softmax,
    "Concat": concat,
    "Add": join("add"),
    "Sum": join("add"),
    "Mul": join("multiply"),
    "Flatten": flatten,
    "Reshape": reshape,
    "Transpose": transpose,
    "Split": split,
    "Identity": identity,
    "Dropout": dropout,
    "CenterCropPad": center_crop,
    "Pad": pad,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Upsample": upsample,
    "Resize": resize,
}
"""Operator -> how it is told. HardSigmoid is not among them: none of its cases has PyTorch's constants."""


def collect() -> dict[str, list[Case]]:
    """ONNX's cases of one node, by operator, for the operators above."""
    from onnx import helper
    from onnx.backend.test.case.node import collect_testcases

    found: dict[str, list[Case]] = {op: [] for op in OPERATORS}
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS or prod(map(len, case.data_sets[0])) == 0:
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in nodes[0].attribute}
        decoded = {name: v.decode() if isinstance(v, bytes) else v for name, v in attributes.items()}
        inputs, outputs = case.data_sets[0]
        found[nodes[0].op_type].append(Case(case.name, nodes[0].op_type, decoded, list(inputs), list(outputs)))
    return found
