"""The NumPy identities hold exactly, and the check can fail."""

from __future__ import annotations

import random

import numpy as np
import pytest

from convcalc.geometry.inversion import AxisInversion
from convcalc.reference import identity


def test_adjoint_scatter_and_zero_insertion_agree_to_the_last_digit() -> None:
    draw = random.Random(5)
    cropping = 0
    for seed in range(1_500):
        axis = AxisInversion(
            draw.randint(1, 6), draw.randint(1, 6), draw.randint(0, 7), draw.randint(0, 7), draw.randint(1, 4)
        )
        size = draw.randint(max(1, axis.effective_kernel - axis.before - axis.after), 30)
        window = (axis.kernel_size, axis.stride, axis.before, axis.after, axis.dilation)
        found = identity.check_identity(size, *window, seed=seed)
        assert found.holds, (axis, size, found)
        assert found.output == axis.at(size).conv_output
        cropping += min(axis.transposed_padding) < 0
    assert cropping > 400


def test_the_flipped_kernel_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    true = identity.zero_inserted
    monkeypatch.setattr(identity, "zero_inserted", lambda y, w, *rest: true(y, w[::-1], *rest))
    found = identity.check_identity(9, 3, stride=2, before=1, after=1)
    assert not found.zero_insertion and found.scatter and not found.holds


def test_a_wrong_crop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    true = identity.scattered
    monkeypatch.setattr(identity, "scattered", lambda y, w, s, before, size, d: true(y, w, s, before + 1, size, d))
    assert not identity.check_identity(9, 3, stride=2, before=1, after=1).holds


def test_output_padding_moves_the_crop_and_is_not_zero_filling() -> None:
    """k3 s2 p1 with output_padding 1 on ones, weights 1, 10, 100, as PyTorch returns it."""
    y, w = np.ones(3), np.array([1.0, 10.0, 100.0])
    assert identity.scattered(y, w, 2, 1, 6, 1).tolist() == [10, 101, 10, 101, 10, 100]
    assert identity.zero_inserted(y, w, 2, 1, 6, 1).tolist() == [10, 101, 10, 101, 10, 100]
