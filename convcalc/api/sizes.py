"""`sizes`: which input sizes build, leave nothing over and keep the ratios, and which layer decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis import sizes as surveys
from ..network import described
from .load import Spec, network_of
from .shown import Shown, made

if TYPE_CHECKING:
    from ..render.document import Document

LISTED = range(1, 1025)
"""Sizes of which examples are printed."""


class Sizes(Shown, surveys.Sizes):
    """The answers for each space axis of the input, in `axes`. Printed, they are what `convcalc sizes` prints.

    >>> import convcalc
    >>> axis = convcalc.sizes("unet").axes[0]
    >>> axis.minimum, axis.period, 572 in axis.exact
    (188, 16, True)
    """

    def _document(self, width: int | None) -> Document:
        from ..render.sizes import sizes_document

        return sizes_document(self, LISTED, all=False)

    def __repr__(self) -> str:
        axis = self.axes[0]
        return f"<Sizes {described(self.network)}: builds {axis.builds}, exact {axis.exact}>"


def sizes(spec: Spec) -> Sizes:
    """What sizes of each space axis of the input do to a network.

    The layers stay as they are: a param of the spec that follows the input's size does not move with it.
    Raises UsageError for a network without space axes.

    >>> axis = sizes("alexnet").axes[0]
    >>> axis.minimum, 227 in axis.exact, 224 in axis.exact
    (67, True, False)
    """
    return made(Sizes, surveys.sizes(network_of(spec)))
