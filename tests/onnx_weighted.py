"""ONNX's convolutions, pools, products and normalizations as layers of the language."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.onnx_telling import Case, Told, pairs, without

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
