"""The samples of constants, arithmetic, activations, reductions and forms of weights that ran in PyTorch."""

from __future__ import annotations

import numpy as np

from convcalc.layers.registry import KINDS
from tests.layer_samples import SAMPLES, Sample
from tests.token_numbers import Array, numbers

MODULES = ("constant", "arithmetic", "reduce")
OTHERS = (
    *("softsign", "logsigmoid", "tanhshrink", "hardtanh", "celu", "threshold", "hardshrink", "softshrink", "glu"),
    *("log_softmax", "rms_norm", "sub", "div", "maximum", "minimum", "scale", "batch_norm"),
)
FORMS = ("fixed", "standardize", "gain", "weight")
"""Fields of convolutions and linear layers that say how they come by their weights."""


def _recorded(sample: Sample) -> bool:
    by_form = any(form in sample.fields for form in FORMS)
    return KINDS[sample.kind][0] in MODULES or sample.kind in OTHERS or by_form


RECORDED = [sample for sample in SAMPLES if _recorded(sample)]
POSITIVE = ("log", "sqrt", "rsqrt")
"""Kinds that are defined on positive numbers."""


def inputs_of(sample: Sample, number: int) -> list[Array]:
    """Standard normal numbers; of kinds that are defined on positive ones their magnitudes."""
    drawn = numbers(sample.inputs, number)
    return [np.abs(x) + 0.5 for x in drawn] if sample.kind in POSITIVE else drawn


def tensor_of(shape: tuple[int, ...], number: int, name: str) -> Array:
    """The tensor of a layer under this name; variances are positive."""
    drawn = numbers((shape,), number, name)[0][0]
    return np.abs(drawn) + 0.5 if name == "running_var" else drawn
