"""CC5: what `convcalc verify` finds. No spec shows it: it would take a wrong rule in convcalc itself."""

from __future__ import annotations

from .page import Page

PAGES = (
    Page(
        "CC501",
        "The NumPy forward pass gave another shape, other weights or another number of multiplications than the "
        "arithmetic predicts. One of the two is wrong: this is a defect of convcalc, not of the spec. Please report it "
        "with the layer that the message names.",
    ),
)
