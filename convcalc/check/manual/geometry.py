"""CC2: shapes that cannot be."""

from __future__ import annotations

from .page import Page

PAGES = (
    Page(
        "CC200",
        "A geometry that is impossible in a way that none of the codes below names.",
        """\
convcalc: 1
input: [64, 8, 8]
layers: [{reshape: {shape: [64, 8, 4]}}]
""",
        """\
convcalc: 1
input: [64, 8, 8]
layers: [{reshape: {shape: [64, 64]}}]
""",
    ),
    Page(
        "CC201",
        "The (dilated) kernel is larger than the padded input: there is no position for it. Some frameworks clamp or "
        "return an empty tensor; here it is an error.",
        """\
convcalc: 1
input: [3, 5, 5]
layers: [{conv2d: {out: 8, k: 7}}]
""",
        """\
convcalc: 1
input: [3, 5, 5]
layers: [{conv2d: {out: 8, k: 5}}]
""",
    ),
    Page(
        "CC202",
        "A kernel, stride, dilation, padding or group count out of its range: kernels, strides and dilations are at "
        "least 1, the padding of a convolution at least 0; a list has one value an axis.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, s: 0}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, s: 1}}]
""",
    ),
    Page(
        "CC203",
        "What a join brings together does not agree: `concat` takes inputs that are equal but for the channels, `add` "
        "and `multiply` equal ones or axes of 1.",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 8, k: 3, p: 1}, name: stem}
  - {conv2d: {out: 16, k: 3, p: 1}, name: body}
  - {add: {}, from: [stem, body]}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {conv2d: {out: 16, k: 3, p: 1}, name: stem}
  - {conv2d: {out: 16, k: 3, p: 1}, name: body}
  - {add: {}, from: [stem, body]}
""",
    ),
    Page(
        "CC204",
        "The groups do not divide the channels that arrive or leave.",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv2d: {out: 8, k: 3, g: 2}}]
""",
        """\
convcalc: 1
input: [4, 32, 32]
layers: [{conv2d: {out: 8, k: 3, g: 2}}]
""",
    ),
    Page(
        "CC205",
        "The output padding of a transposed convolution must be smaller than its stride or its dilation (PyTorch).",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv_transpose2d: {out: 8, k: 4, s: 2, output_padding: 2}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers: [{conv_transpose2d: {out: 8, k: 4, s: 2, output_padding: 1}}]
""",
    ),
    Page(
        "CC206",
        "The factor of a pixel shuffle does not divide the axis that it takes from.",
        """\
convcalc: 1
input: [6, 32, 32]
layers: [{pixel_shuffle: {upscale_factor: 2}}]
""",
        """\
convcalc: 1
input: [8, 32, 32]
layers: [{pixel_shuffle: {upscale_factor: 2}}]
""",
    ),
    Page(
        "CC207",
        "Nothing is left of the output: no window of a pool fits, or the cropping takes everything.",
        """\
convcalc: 1
input: [8, 1, 1]
layers: [{max_pool2d: {k: 2}}]
""",
        """\
convcalc: 1
input: [8, 2, 2]
layers: [{max_pool2d: {k: 2}}]
""",
    ),
    Page(
        "CC208",
        "A layer of one rank on an input of another: `conv2d` takes two space axes.",
        """\
convcalc: 1
input: [3, 100]
layers: [{conv2d: {out: 8, k: 3}}]
""",
        """\
convcalc: 1
input: [3, 100]
layers: [{conv1d: {out: 8, k: 3}}]
""",
    ),
    Page(
        "CC209",
        "A linear layer acts on the last axis; on an input that still has its space it would mix columns instead of "
        "features. Flatten first.",
        """\
convcalc: 1
input: [3, 8, 8]
layers: [global_avg_pool, {linear: {out_features: 10}}]
""",
        """\
convcalc: 1
input: [3, 8, 8]
layers: [global_avg_pool, flatten, {linear: {out_features: 10}}]
""",
    ),
    Page(
        "CC210",
        "The padding of a pool is more than half its kernel (PyTorch), or as pairs a whole kernel (ONNX): windows "
        "would read padding alone.",
        """\
convcalc: 1
input: [3, 8, 8]
layers: [{max_pool2d: {k: 3, p: 2}}]
""",
        """\
convcalc: 1
input: [3, 8, 8]
layers: [{max_pool2d: {k: 3, p: 1}}]
""",
    ),
    Page(
        "CC211",
        "Padding that its mode cannot take from the input (reflection needs a larger input), or cropping of more than "
        "there is.",
        """\
convcalc: 1
input: [3, 4, 4]
layers: [{pad: {padding: 4, mode: reflect}}]
""",
        """\
convcalc: 1
input: [3, 8, 8]
layers: [{pad: {padding: 4, mode: reflect}}]
""",
    ),
    Page(
        "CC212",
        "A number, given or computed, is above 2^63 - 1: no framework holds such a size.",
        """\
convcalc: 1
input: [3, 4000000000, 4000000000]
layers: [relu]
""",
        """\
convcalc: 1
input: [3, 400, 400]
layers: [relu]
""",
    ),
    Page(
        "CC213",
        "A layer with too few or too many inputs: `add` takes at least two, `conv2d` one.",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {relu: {}, name: a}
  - {relu: {}, from: [a, input]}
""",
        """\
convcalc: 1
input: [3, 32, 32]
layers:
  - {relu: {}, name: a}
  - {add: {}, from: [a, input]}
""",
    ),
)
