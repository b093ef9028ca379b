"""Published architectures as specs, for tests that hold figures against other frameworks' and papers'."""

from __future__ import annotations

from convcalc import loads
from convcalc.network import Network


def _classifier(features: int) -> str:
    return (
        f"  - flatten\n  - {{linear: {{out_features: {features}}}}}\n  - relu\n  - dropout\n"
        f"  - {{linear: {{out_features: {features}}}}}\n  - relu\n  - dropout\n  - {{linear: {{out_features: 1000}}}}\n"
    )


VGG16 = (
    "convcalc: 1\ninput: [3, 224, 224]\nlayers:\n"
    + "".join(
        f"  - layers: [{{conv2d: {{out: {width}, k: 3, p: 1}}}}, relu]\n    repeat: {repeat}\n    name: conv{n}\n"
        f"  - {{max_pool2d: {{k: 2, s: 2}}, name: pool{n}}}\n"
        for n, (width, repeat) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1)
    )
    + "  - {adaptive_avg_pool2d: {output_size: 7}}\n"
    + _classifier(4096)
)

ALEXNET = """\
convcalc: 1
input: [3, 224, 224]
layers:
  - {conv2d: {out: 64, k: 11, s: 4, p: 2}}
  - relu
  - {max_pool2d: {k: 3, s: 2}}
  - {conv2d: {out: 192, k: 5, p: 2}}
  - relu
  - {max_pool2d: {k: 3, s: 2}}
  - {conv2d: {out: 384, k: 3, p: 1}}
  - relu
  - {conv2d: {out: 256, k: 3, p: 1}}
  - relu
  - {conv2d: {out: 256, k: 3, p: 1}}
  - relu
  - {max_pool2d: {k: 3, s: 2}}
  - {adaptive_avg_pool2d: {output_size: 6}}
  - dropout
""" + _classifier(4096).replace("  - dropout\n  - {linear: {out_features: 1000}}", "  - {linear: {out_features: 1000}}")

RESNET18 = """\
convcalc: 1
input: [3, 224, 224]
blocks:
  basic:
    params: {out: ~, s: 1}
    layers:
      - add:
          branches:
            main:
              - {conv2d: {out: out, k: 3, s: s, p: 1, bias: false}}
              - batch_norm
              - relu
              - {conv2d: {out: out, k: 3, p: 1, bias: false}}
              - batch_norm
            shortcut:
              - layers: [{conv2d: {out: out, k: 1, s: s, bias: false}}, batch_norm]
                when: in_channels != out or s != 1
      - relu
layers:
  - {conv2d: {out: 64, k: 7, s: 2, p: 3, bias: false}}
  - batch_norm
  - relu
  - {max_pool2d: {k: 3, s: 2, p: 1}}
  - {basic: {out: 64}, repeat: 2, name: layer1}
  - {basic: {out: 128, s: 2 if index == 0 else 1}, repeat: 2, name: layer2}
  - {basic: {out: 256, s: 2 if index == 0 else 1}, repeat: 2, name: layer3}
  - {basic: {out: 512, s: 2 if index == 0 else 1}, repeat: 2, name: layer4}
  - {adaptive_avg_pool2d: {output_size: 1}}
  - flatten
  - {linear: {out_features: 1000}}
"""


def bottleneck_resnet(repeats: tuple[int, int, int, int] = (3, 4, 6, 3), first_strides: bool = False) -> str:
    """ResNet-50 and deeper; the stride stands on the 3×3 (torchvision, v1.5), or on the first 1×1 (He et al., v1)."""
    one, three = ("s", "1") if first_strides else ("1", "s")
    stages = "".join(
        f"  - {{bottleneck: {{c: {64 << n}, s: {'2 if index == 0 else 1' if n else 1}}}, repeat: {count}, "
        f"name: layer{n + 1}}}\n"
        for n, count in enumerate(repeats)
    )
    return f"""\
convcalc: 1
input: [3, 224, 224]
blocks:
  bottleneck:
    params: {{c: ~, s: 1}}
    layers:
      - add:
          branches:
            main:
              - {{conv2d: {{out: c, k: 1, s: {one}, bias: false}}}}
              - batch_norm
              - relu
              - {{conv2d: {{out: c, k: 3, s: {three}, p: 1, bias: false}}}}
              - batch_norm
              - relu
              - {{conv2d: {{out: 4 * c, k: 1, bias: false}}}}
              - batch_norm
            shortcut:
              - layers: [{{conv2d: {{out: 4 * c, k: 1, s: s, bias: false}}}}, batch_norm]
                when: in_channels != 4 * c or s != 1
      - relu
layers:
  - {{conv2d: {{out: 64, k: 7, s: 2, p: 3, bias: false}}}}
  - batch_norm
  - relu
  - {{max_pool2d: {{k: 3, s: 2, p: 1}}}}
{stages}  - {{global_avg_pool: {{}}}}
  - flatten
  - {{linear: {{out_features: 1000}}}}
"""


MOBILENET_V1 = (
    "convcalc: 1\ninput: [3, 224, 224]\nblocks:\n  separable:\n    params: {out: ~, s: 1}\n    layers:\n"
    "      - {conv2d: {out: in_channels, k: 3, s: s, p: 1, g: in_channels, bias: false}}\n      - batch_norm\n"
    "      - relu\n      - {conv2d: {out: out, k: 1, bias: false}}\n      - batch_norm\n      - relu\n"
    "layers:\n  - {conv2d: {out: 32, k: 3, s: 2, p: 1, bias: false}}\n  - batch_norm\n  - relu\n"
    + "".join(
        f"  - {{separable: {{out: {out}, s: {s}}}}}\n"
        for out, s in (
            (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1),
            (512, 1), (1024, 2), (1024, 1),
        )
    )
)  # fmt: skip

MOBILENET_V2 = (
    """\
convcalc: 1
input: [3, 224, 224]
blocks:
  inverted:
    params: {t: ~, c: ~, s: 1, residual: 0}
    layers:
      - layers:
          - {conv2d: {out: in_channels * t, k: 1, bias: false}, when: t != 1}
          - {batch_norm: {}, when: t != 1}
          - {relu6: {}, when: t != 1}
          - {conv2d: {out: in_channels, k: 3, s: s, p: 1, g: in_channels, bias: false}}
          - batch_norm
          - relu6
          - {conv2d: {out: c, k: 1, bias: false}}
          - batch_norm
        name: body
      - {add: {}, from: [in, body], when: s == 1 and residual == 1}
layers:
  - {conv2d: {out: 32, k: 3, s: 2, p: 1, bias: false}}
  - batch_norm
  - relu6
"""
    + "".join(
        f"  - {{inverted: {{t: {t}, c: {c}, s: {s if i == 0 else 1}, residual: {min(i, 1)}}}}}\n"
        for t, c, n, s in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        )
        for i in range(n)
    )
    + "  - {conv2d: {out: 1280, k: 1, bias: false}}\n  - batch_norm\n  - relu6\n  - global_avg_pool\n  - flatten\n"
    "  - dropout\n  - {linear: {out_features: 1000}}\n"
)  # fmt: skip

CONTEXT = (
    "convcalc: 1\ninput: [21, 64, 64]\nlayers:\n"
    + "".join(f"  - {{conv2d: {{out: 21, k: 3, p: {d}, d: {d}}}}}\n  - relu\n" for d in (1, 1, 2, 4, 8, 16, 1))
    + "  - {conv2d: {out: 21, k: 1}}\n"
)


def network(text: str, **options: object) -> Network:
    """The network of a spec."""
    return loads(text, **options)  # type: ignore[arg-type]


INCEPTION_V2 = """\
convcalc: 1
name: Inception v2 as TF-Slim has it, widths aside
input: [3, 224, 224]
blocks:
  mixed:
    layers:
      - concat:
          branches:
            one: [{conv2d: {out: 8, k: 1}}]
            three: [{conv2d: {out: 8, k: 1}}, {conv2d: {out: 8, k: 3, p: same}}]
            double: [{conv2d: {out: 8, k: 1}}, {conv2d: {out: 8, k: 3, p: same}}, {conv2d: {out: 8, k: 3, p: same}}]
            pool: [{avg_pool2d: {k: 3, s: 1, p: same}}, {conv2d: {out: 8, k: 1}}]
  reduction:
    layers:
      - concat:
          branches:
            three: [{conv2d: {out: 8, k: 1}}, {conv2d: {out: 8, k: 3, s: 2, p: same}}]
            double:
              - {conv2d: {out: 8, k: 1}}
              - {conv2d: {out: 8, k: 3, p: same}}
              - {conv2d: {out: 8, k: 3, s: 2, p: same}}
            pool: [{max_pool2d: {k: 3, s: 2, p: same}}]
layers:
  - {separable_conv2d: {out: 8, k: 7, s: 2, p: same}}
  - {max_pool2d: {k: 3, s: 2, p: same}}
  - {conv2d: {out: 8, k: 1}}
  - {conv2d: {out: 8, k: 3, p: same}}
  - {max_pool2d: {k: 3, s: 2, p: same}}
  - {mixed: {}, repeat: 2, name: mixed_3}
  - {reduction: {}, name: mixed_4a}
  - {mixed: {}, repeat: 4, name: mixed_4}
  - {reduction: {}, name: mixed_5a}
  - {mixed: {}, repeat: 2, name: mixed_5}
"""
