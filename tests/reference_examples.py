"""Layers of every kind with the shapes they run on, for the tests of the reference.

Kinds that need no more than one come from the samples.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from convcalc.layers.registry import build
from convcalc.reference import init
from tests.layer_samples import SAMPLES

Shapes = tuple[tuple[int, ...], ...]


POSITIVE = ("log", "sqrt", "rsqrt")
"""Kinds that are defined on positive numbers."""


def apart(x: Any) -> Any:
    """Numbers moved away from 0."""
    return x + 0.5 * np.sign(x)


class Example(NamedTuple):
    kind: str
    fields: dict[str, Any]
    shapes: Shapes
    linear: bool
    """Whether the output is linear in the inputs."""

    @property
    def layer(self) -> Any:
        return build(self.kind, self.fields)

    def __str__(self) -> str:
        return f"{self.kind}-{'-'.join(f'{name}={value}' for name, value in self.fields.items())}"

    def inputs(self, rng: np.random.Generator, batch: int = 2) -> list[Any]:
        drawn = [rng.standard_normal((batch, *shape)) for shape in self.shapes]
        if self.kind in POSITIVE:
            return [np.abs(x) + 0.5 for x in drawn]
        return [apart(x) for x in drawn] if self.kind in ("reciprocal", "div") else drawn

    def integers(self, rng: np.random.Generator, batch: int = 2) -> list[Any]:
        """Whole numbers as float64, on which sums and products are exact; where 0 has no value, from 1 on."""
        least = 1 if self.kind in (*POSITIVE, "reciprocal", "div") else -4
        return [rng.integers(least, 5, (batch, *shape)).astype(float) for shape in self.shapes]

    def weights(self, rng: np.random.Generator) -> dict[str, Any]:
        """Random, unlike those that norms start with."""
        drawn = init(self.layer, self.shapes, rng, "normal:1", "float64")
        return {name: w if w.dtype.kind == "i" else rng.uniform(0.5, 1.5, w.shape) for name, w in drawn.items()}

    def whole_weights(self, rng: np.random.Generator) -> dict[str, Any]:
        """Whole numbers; biases are 0, so that the layer is linear."""
        drawn = init(self.layer, self.shapes, rng, "normal:1", "float64")
        return {
            name: np.zeros(w.shape) if name.endswith("bias") else rng.integers(-4, 5, w.shape).astype(float)
            for name, w in drawn.items()
        }


MAP1, MAP2, MAP3 = ((4, 9),), ((4, 7, 6),), ((2, 5, 4, 6),)
PAIR = ((4, 7, 6), (4, 7, 6))


def linear(kind: str, shapes: Shapes = MAP2, **fields: Any) -> Example:
    return Example(kind, fields, shapes, True)


def curved(kind: str, shapes: Shapes = MAP2, **fields: Any) -> Example:
    return Example(kind, fields, shapes, False)


WRITTEN = [
    linear("conv1d", MAP1, out=6, k=3, s=2, p=1, g=2),
    linear("conv2d", out=6, k=(3, 2), s=(2, 1), p=(1, 0), d=(1, 2)),
    linear("conv2d", out=4, k=3, padding="same", s=2),
    linear("conv2d", out=4, k=3, padding="same_lower", s=2, bias=False),
    linear("conv2d", out=4, k=3, padding=[[0, 2], [1, 0]]),
    linear("conv2d", out=4, k=3, p=2, padding_mode="reflect"),
    linear("conv2d", out=4, k=3, p=2, padding_mode="replicate"),
    linear("conv2d", out=4, k=3, p=2, padding_mode="circular"),
    linear("conv2d", out=8, k=3, p=1, s=2, g=4),
    linear("conv2d", out=6, k=1, s=2, g=2),
    linear("conv3d", MAP3, out=4, k=(2, 3, 1), s=2, p=1),
    linear("conv_transpose1d", MAP1, out=6, k=3, s=2, p=1, g=2, output_padding=1),
    linear("conv_transpose2d", out=6, k=(3, 2), s=(2, 3), p=(1, 0), d=(1, 2), output_padding=(1, 2)),
    linear("conv_transpose2d", out=4, k=1, s=1, d=3, padding=[[0, 2], [1, 0]], output_padding=2),
    linear("conv_transpose2d", out=4, k=3, s=2, padding="same"),
    linear("conv_transpose2d", out=4, k=4, s=1, padding="same_lower"),
    linear("conv_transpose2d", out=4, k=2, s=3, padding="valid", bias=False),
    linear("conv_transpose2d", out=8, k=3, s=2, g=4),
    linear("conv_transpose2d", ((2, 17, 16),), out=2, k=8, s=4, p=2),
    linear("conv_transpose3d", MAP3, out=4, k=(2, 3, 1), s=2),
    linear("separable_conv1d", MAP1, out=5, k=3, p=1),
    linear("separable_conv2d", out=5, k=3, s=2, padding="same", depth_multiplier=2),
    curved("max_pool1d", MAP1, k=3, s=2),
    curved("max_pool2d", k=3, s=2, p=1, ceil_mode=True),
    curved("max_pool2d", k=2, d=2, s=1),
    curved("max_pool2d", k=3, s=2, ceil_mode="caffe"),
    curved("max_pool2d", ((4, 7, 7),), k=2, s=3, ceil_mode="onnx"),
    curved("max_pool3d", MAP3, k=2),
    linear("avg_pool1d", MAP1, k=4, s=2),
    linear("avg_pool2d", k=2, s=2, p=1),
    linear("avg_pool2d", k=2, s=2, padding=[[0, 1], [1, 0]], divisor_override=8),
    linear("avg_pool3d", MAP3, k=2),
    curved("avg_pool2d", k=3, s=2, p=1, ceil_mode=True, count_include_pad=False),
    curved("lp_pool1d", MAP1, k=3, norm_type=2),
    curved("lp_pool2d", k=3, s=2, norm_type=4, ceil_mode=True),
    curved("adaptive_avg_pool1d", MAP1, output_size=4),
    curved("adaptive_avg_pool2d", output_size=(3, None)),
    curved("adaptive_avg_pool3d", MAP3, output_size=2),
    curved("adaptive_max_pool1d", MAP1, output_size=4),
    curved("adaptive_max_pool2d", output_size=(3, 4)),
    curved("adaptive_max_pool3d", MAP3, output_size=2),
    linear("global_avg_pool", ((4, 8, 4),)),
    curved("global_max_pool"),
    linear("linear", ((6,),), out=5),
    linear("linear", out=5, bias=False, dim="last"),
    linear("flatten"),
    linear("flatten", start_dim=1),
    linear("reshape", shape=(7, 2, -1)),
    linear("permute", dims=(1, -1, 0)),
    linear("identity"),
    linear("dropout"),
    linear("stochastic_depth", p=0.2),
    curved("batch_norm"),
    curved("batch_norm", ((5,),), affine=False, track_running_stats=False),
    curved("group_norm", num_groups=2),
    curved("layer_norm"),
    curved("layer_norm", normalized_shape=(7, 6), bias=False),
    curved("layer_norm", dim=0),
    curved("instance_norm"),
    curved("instance_norm", affine=True, track_running_stats=True),
    curved("local_response_norm", size=3, alpha=0.5),
    curved("local_response_norm", size=4, alpha=0.5, beta=0.6, k=2.0),
    curved("rms_norm"),
    curved("rms_norm", normalized_shape=(7, 6), eps=0.1, elementwise_affine=False),
    curved("batch_norm", dim=-1),
    linear("scale"),
    linear("scale", dim=-1),
    linear("scale", size=1),
    curved("scale", bias=True),
    curved("scale", bias=True, dim=-1),
    curved("scale", bias=True, size=1),
    curved("parameter", (), shape=(3, 2)),
    curved("parameter", (), shape=(), learned=False),
    curved("conv2d", out=6, k=3, g=2, standardize=True),
    curved("conv2d", out=6, k=3, g=2, gain=True, bias=False),
    curved("conv1d", MAP1, out=6, k=3, s=2, standardize=True, gain=True),
    linear("conv2d", out=4, k=3, g=2, fixed=True),
    curved("conv2d", out=4, k=3, fixed=True, standardize=True, gain=True),
    curved("conv2d", ((4, 7, 6), (6, 2, 3, 3), (6,)), out=6, k=3, p=1, g=2, weight="input"),
    curved("conv_transpose2d", out=6, k=3, s=2, g=2, standardize=True, gain=True),
    curved("conv_transpose1d", ((4, 9), (4, 3, 2)), out=3, k=2, s=2, bias=False, weight="input"),
    curved("linear", ((6,),), out=5, standardize=True, gain=True),
    curved("linear", ((3, 6), (5, 6), (5,)), out=5, dim="last", weight="input"),
    curved("pow", exponent=3),
    curved("pow", exponent=0),
    curved("clamp", min=-0.3),
    curved("clamp", min=-0.3, max=0.8),
    linear("rescale", scale=2),
    curved("rescale", scale=-1, offset=1),
    curved("rescale", scale=(1, 2, 3, 4), offset=(0.5, 0, -1, 2)),
    curved("hardtanh", min_val=-0.5, max_val=2),
    curved("celu", alpha=0.7),
    curved("threshold", threshold=0.2, value=-1.5),
    curved("hardshrink", lambd=0.3),
    curved("softshrink", lambd=0.3),
    curved("log_softmax", dim=1),
    curved("glu", dim=0),
    curved("glu"),
    linear("mean", ((4, 8, 4),), dim=(1, 2)),
    linear("mean", ((4, 8, 4),), dim=-1, keepdim=True),
    linear("sum"),
    linear("sum", dim=0),
    curved("amax", dim=(0, 2)),
    curved("amin", keepdim=True),
    curved("prod", dim=(0, 2)),
    curved("prod", ((3, 2),)),
    curved("logsumexp", dim=1, keepdim=True),
    curved("var", dim=(1, 2)),
    curved("var", correction=0),
    curved("std", dim=0),
    curved("norm"),
    curved("norm", p=1, dim=1),
    curved("norm", p=3, dim=(0, -1), keepdim=True),
    curved("argmax", dim=1),
    curved("argmax", keepdim=True),
    curved("relu"),
    curved("relu6"),
    curved("silu"),
    curved("hardswish"),
    curved("hardsigmoid"),
    curved("sigmoid"),
    curved("tanh"),
    curved("mish"),
    curved("selu"),
    curved("gelu"),
    curved("gelu", approximate="tanh"),
    curved("leaky_relu", negative_slope=0.2),
    curved("prelu"),
    curved("prelu", num_parameters=4),
    curved("elu", alpha=0.7),
    curved("softplus", beta=2.0, threshold=3.0),
    curved("softmax"),
    curved("softmax", dim=-1),
    linear("concat", ((4, 7, 6), (2, 7, 6))),
    linear("concat", ((4, 7, 6), (4, 7, 1)), dim=-1),
    linear("add", PAIR),
    linear("add", ((4, 7, 6), (4, 1, 1), (4, 7, 1))),
    curved("multiply", ((4, 7, 6), (4, 1, 1))),
    curved("multiply", (*PAIR, (1, 7, 6))),
    linear("sub", ((4, 7, 6), (4, 1, 6))),
    curved("div", ((4, 7, 6), (4, 7, 1))),
    curved("maximum", ((4, 7, 6), (1, 7, 6))),
    curved("minimum", PAIR),
    curved("gate", (*PAIR, (4, 7, 6))),
    linear("split", channels=(1, 3), part=1),
    linear("channel_shuffle", g=2),
    linear("pixel_shuffle", upscale_factor=2),
    linear("pixel_unshuffle", ((3, 4, 6),), downscale_factor=2),
    linear("unfold", k=(3, 2), s=2, p=1, d=(1, 2)),
    linear("fold", ((12, 12),), output_size=(7, 6), k=(3, 2), s=2, p=1, d=(1, 2)),
    linear("upsample", scale_factor=2),
    linear("upsample", size=(5, 9), mode="nearest-exact"),
    linear("upsample", MAP1, scale_factor=2, mode="linear"),
    linear("upsample", scale_factor=2, mode="bilinear"),
    linear("upsample", scale_factor=2, mode="bicubic"),
    linear("upsample", MAP3, scale_factor=2, mode="trilinear"),
    linear("upsample", ((4, 7, 6), (2, 14, 3))),
    curved("upsample", scale_factor=1.7, mode="bilinear", align_corners=True),
    curved("upsample", scale_factor=(1.7, 0.5), mode="bicubic"),
    curved("upsample", size=4, mode="area"),
    linear("pad", p=((1, 2), (0, -1))),
    linear("pad", p=(2, 1), mode="reflect"),
    linear("pad", p=3, mode="replicate"),
    linear("pad", p=((3, 1), (0, 2)), mode="circular"),
    curved("pad", p=1, value=2.5),
    linear("crop", cropping=((1, 2), 0)),
    linear("crop", size=(4, 3)),
    linear("crop", ((4, 7, 6), (2, 4, 3))),
]
"""`linear` also says that the adjoint identity holds exactly: every factor is a dyadic fraction."""

EXAMPLES = WRITTEN + [
    Example(sample.kind, sample.fields, sample.inputs, False)
    for sample in SAMPLES
    if sample.kind not in {example.kind for example in WRITTEN}
]
"""One of every kind at least."""
