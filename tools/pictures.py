"""The pictures of docs/drawings.md, as `convcalc draw` draws them."""

from __future__ import annotations

from pathlib import Path

from convcalc import draw
from convcalc.api.draw import Drawing

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"


def drawings() -> dict[str, Drawing]:
    """The name of each picture, without its suffix, and its drawing."""
    return {
        "convolution": draw(kernel=3, stride=2, padding=1, size=5),
        "dilated": draw(kernel=3, padding=1, dilation=2, size=6),
        "asymmetric": draw(kernel=3, stride=2, padding=(1, 0), size=6),
        "leftover": draw(kernel=3, stride=2, size=6),
        "transposed": draw(kernel=3, stride=2, padding=1, transposed=True),
        "output_padding": draw(kernel=3, stride=2, padding=1, transposed=True, output_padding=1),
        "one_axis": draw(kernel=4, stride=2, padding=1, size=10, dims=1),
        "layer": draw("resnet", "conv1"),
        "pool": draw("resnet", "pool1"),
        "steps": draw(kernel=3, stride=2, padding=1, size=5, picture="steps"),
        "matrices": draw(kernel=2, stride=1, size=3, picture="matrix"),
        "transposed_matrices": draw(kernel=3, stride=2, padding=1, transposed=True, picture="matrix"),
    }


def texts() -> dict[Path, str]:
    """Every picture and its text."""
    return {FOLDER / f"{name}.svg": drawing.svg for name, drawing in drawings().items()}
