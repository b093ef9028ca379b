"""ONNX's activations, joins, rearrangements and resizing as layers of the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.onnx_telling import Case, Told, alone, pairs, without


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
