"""Floor 6: the arithmetic of windows as pictures: SVG that moves without a script, stills, matrices."""

from .layer import layer_drawing
from .style import style

__all__ = ["layer_drawing", "style"]
