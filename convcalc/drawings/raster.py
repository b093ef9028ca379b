"""Drawings as PNG and GIF, by resvg and Pillow, which the extra `draw` installs."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from ..findings import UsageError
from ..hints import installing
from .motion import Motion

if TYPE_CHECKING:
    from PIL.Image import Image

ZOOM = 2
"""Pixels of a PNG for one of the drawing."""
COLOURS = 128
"""Of a GIF: those of its first step, which all others have too."""
HINT = f"{installing('draw')}; SVG needs nothing more: -o drawing.svg"


def png(svg: str) -> bytes:
    """A still drawing as a PNG of twice its size. Raises UsageError where resvg is missing."""
    return _rendered(svg, ZOOM)


def gif(frames: Iterable[str], motion: Motion) -> bytes:
    """Stills as a GIF that moves as the SVG does. Raises UsageError where resvg or Pillow is missing."""
    try:
        from PIL import Image
    except ImportError:
        raise UsageError("a GIF needs the package Pillow", HINT) from None
    images: list[Image.Image] = []
    for frame in frames:
        with Image.open(BytesIO(_rendered(frame, 1))) as opened:
            image = opened.convert("RGB")
        images.append(
            image.quantize(palette=images[0], dither=Image.Dither.NONE) if images else image.quantize(COLOURS)
        )
    milliseconds = [round(1000 * seconds) for seconds in motion.rests()]
    whole = BytesIO()
    images[0].save(whole, "GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0)
    return whole.getvalue()


def _rendered(svg: str, zoom: int) -> bytes:
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise UsageError("a PNG or a GIF needs the package resvg-py", HINT) from None
    return bytes(svg_to_bytes(svg_string=svg, zoom=zoom))
