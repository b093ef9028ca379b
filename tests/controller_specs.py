"""Small networks whose arena TensorFlow Lite Micro has planned, and where its plans are recorded."""

from __future__ import annotations

from pathlib import Path

RECORD = Path(__file__).parent / "oracle" / "tflite_micro.json"
GALLERY = Path(__file__).parent.parent / "specs"


def _same(name: str, unit: str = "") -> str:
    """A spec of the gallery whose windows are padded as TensorFlow pads them, so that no PAD stands before them."""
    text = (GALLERY / f"{name}.yaml").read_text("utf-8")
    for own, same in (("padding: k // 2", "padding: same"), ("s: 2, p: 1}", "s: 2, p: same}")):
        text = text.replace(own, same)
    return text.replace("unit: bottleneck, depths: [3, 4, 6, 3]", unit) if unit else text


SPECS = {
    "mobile": """\
convcalc: 1
name: mobile
input: [3, 96, 96]
blocks:
  conv:
    params: {out: ~, k: 3, s: 1, g: 1}
    layers: [{conv2d: {out: out, k: k, s: s, p: same, g: g, bias: false}}, batch_norm, relu6]
  bottleneck:
    params: {c: ~, s: ~, t: ~}
    layers:
      - {conv: {out: in_channels * t, k: 1}}
      - {conv: {out: in_channels, s: s, g: in_channels}}
      - {conv2d: {out: c, k: 1, bias: false}}
      - batch_norm
  inverted:
    params: {c: ~, s: 1, t: 6}
    layers:
      - add:
          branches: {body: [{bottleneck: {c: c, s: s, t: t}}], skip: []}
        when: s == 1 and in_channels == c
      - bottleneck: {c: c, s: s, t: t}
        when: s != 1 or in_channels != c
layers:
  - {conv: {out: 16, s: 2}, name: stem}
  - {inverted: {c: 24, s: 2}, name: b1}
  - {inverted: {c: 24}, name: b2}
  - {inverted: {c: 32, s: 2}, name: b3}
  - {inverted: {c: 32}, name: b4}
  - {conv: {out: 64, k: 1}, name: head}
  - {global_avg_pool: {}, name: pool}
  - flatten
  - {linear: {out: 10}, name: fc}
""",
    "residual": """\
convcalc: 1
name: residual
input: [3, 64, 64]
blocks:
  conv: {params: {out: ~, k: 3, s: 1}, layers: [{conv2d: {out: out, k: k, s: s, p: same, bias: false}}, batch_norm]}
  basic:
    params: {c: ~, s: 1}
    layers:
      - add:
          branches:
            body: [{conv: {out: c, s: s}}, relu, {conv: {out: c}}]
            skip: [{conv: {out: c, k: 1, s: s}, when: s != 1 or in_channels != c}]
      - relu
layers:
  - {conv: {out: 16, k: 7, s: 2}, name: conv1}
  - {relu: {}, name: relu1}
  - {max_pool2d: {k: 2}, name: pool1}
  - {basic: {c: 16}, name: r1}
  - {basic: {c: 32, s: 2}, name: r2}
  - {basic: {c: 32}, name: r3}
  - {global_avg_pool: {}, name: pool}
  - flatten
  - {linear: {out: 10}, name: fc}
  - softmax
""",
    "inception": """\
convcalc: 1
name: inception
input: [3, 48, 48]
layers:
  - {layers: [{conv2d: {out: 24, k: 3, p: same}}, relu], name: stem}
  - {max_pool2d: {k: 2}, name: pool}
  - concat:
      branches:
        a: [{conv2d: {out: 16, k: 1}}, relu]
        b: [{conv2d: {out: 24, k: 1}}, relu, {conv2d: {out: 32, k: 3, p: same}}, relu]
        c: [{conv2d: {out: 8, k: 1}}, relu, {conv2d: {out: 16, k: 5, p: same}}, relu]
    name: mixed
  - {conv2d: {out: 40, k: 3, s: 2, p: same}, name: down}
  - relu
  - {global_avg_pool: {}, name: gap}
  - flatten
  - {linear: {out: 7}, name: fc}
""",
    "dense": """\
convcalc: 1
name: dense
input: [3, 32, 32]
blocks:
  dense:
    params: {k: 12}
    layers:
      - concat:
          branches:
            skip: []
            new: [batch_norm, relu, {conv2d: {out: k, k: 3, p: same, bias: false}}]
layers:
  - {conv2d: {out: 24, k: 3, p: same, bias: false}, name: stem}
  - {dense: {}, repeat: 4, name: block}
  - {layers: [batch_norm, relu, {conv2d: {out: 36, k: 1, bias: false}}], name: trans}
  - {avg_pool2d: {k: 2}, name: pool}
  - {global_avg_pool: {}, name: gap}
  - flatten
  - {linear: {out: 10}, name: fc}
""",
    "excite": """\
convcalc: 1
name: excite
input: [3, 40, 40]
layers:
  - {layers: [{conv2d: {out: 16, k: 3, s: 2, p: same, bias: false}}, batch_norm, silu], name: stem}
  - multiply:
      branches:
        body: []
        gate: [global_avg_pool, {conv2d: {out: 4, k: 1}}, silu, {conv2d: {out: 16, k: 1}}, sigmoid]
    name: se
  - {layers: [{conv2d: {out: 32, k: 1, bias: false}}, batch_norm, hardswish], name: wide}
  - {global_avg_pool: {}, name: gap}
  - flatten
  - {linear: {out: 10}, name: fc}
""",
    "gated": """\
convcalc: 1
name: gated
input: [3, 40, 40]
layers:
  - {layers: [{conv2d: {out: 16, k: 3, s: 2, p: same}}, relu], name: stem}
  - multiply:
      branches:
        body: []
        gate: [global_avg_pool, {conv2d: {out: 16, k: 1}}, hardsigmoid]
    name: se
  - {conv2d: {out: 8, k: 1}, name: last}
""",
    "padded": """\
convcalc: 1
name: padded
input: [3, 64, 64]
layers:
  - {pad: {p: 3}, name: border}
  - {conv2d: {out: 16, k: 7, s: 2}, name: conv1}
  - {batch_norm: {}, name: norm}
  - {relu: {}, name: relu}
  - {avg_pool2d: {k: 2}, name: pool}
  - {conv2d: {out: 4, k: 1}, name: last}
""",
    "fusing": """\
convcalc: 1
name: fusing
input: [3, 24, 24]
layers:
  - {conv2d: {out: 8, k: 3, p: same}, name: a}
  - {max_pool2d: {k: 2}, name: p}
  - {relu: {}, name: r1}
  - {conv2d: {out: 8, k: 1}, name: b}
  - {leaky_relu: {negative_slope: 0.1}, name: r2}
  - {conv2d: {out: 8, k: 1}, name: c}
  - {relu: {}, name: r3, from: c}
  - {add: {}, from: [c, r3], name: s}
  - {conv2d: {out: 8, k: 1, bias: false}, name: d}
  - {batch_norm: {}, name: n, from: d}
  - {add: {}, from: [d, n], name: s2}
  - {concat: {}, from: [s2, s], name: cc}
  - {relu: {}, name: r4}
  - {separable_conv2d: {out: 24, k: 3, p: same}, name: sep}
  - {relu: {}, name: r5}
  - {avg_pool2d: {k: 3, s: 1}, name: ap}
  - {relu6: {}, name: r7}
  - {conv2d: {out: 8, k: 1, bias: false}, name: e}
  - {scale: {}, name: sc}
  - {tanh: {}, name: th}
  - {conv2d: {out: 2, k: 1}, name: f}
""",
    "torch_padding": """\
convcalc: 1
name: torch_padding
input: [3, 64, 64]
layers:
  - {conv2d: {out: 16, k: 7, s: 2, p: 3}, name: conv1}
  - {max_pool2d: {k: 3, s: 2}, name: pool}
  - {conv2d: {out: 24, k: 3, s: 2, p: 1, bias: false}, name: conv2}
  - {batch_norm: {}, name: norm}
  - {relu6: {}, name: clip}
  - {conv2d: {out: 24, k: 3, p: 1, g: 24}, name: depthwise}
  - {conv2d: {out: 4, k: 1}, name: last}
""",
    "mobilenet_v2": _same("mobilenet_v2"),
    "mobilenet_v2_torch": (GALLERY / "mobilenet_v2.yaml").read_text("utf-8"),
    "resnet18": _same("resnet", "unit: basic, depths: [2, 2, 2, 2]"),
}
"""Name -> the text of its spec."""
