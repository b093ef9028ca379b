"""Layers that only act in training: dropout, stochastic_depth.

They pass their input on, in training too: it is what they expect to give, and the reference draws no masks.
"""

from __future__ import annotations

from .shape import PASSES_ON

OPERATIONS = {"Dropout": PASSES_ON, "StochasticDepth": PASSES_ON}
