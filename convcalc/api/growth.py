"""What has changed in the specs that `check` was given, since the revision that they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..check import growth
from ..units import counted
from .diff import Difference
from .shown import Shown, made

if TYPE_CHECKING:
    from ..render.document import Document


class Growth(Shown, growth.Growth):
    """Specs that are not what they were, and those that are not compared. Printed, it is that part of `check`.

    >>> import convcalc
    >>> spec = "{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}]}"
    >>> convcalc.check(text=spec).growth is None  # nothing is compared without a base
    True
    """

    __slots__ = ()

    @property
    def differences(self) -> dict[str, Difference]:
        """Path of a spec -> what has changed in it; those alone in which something has."""
        return {spec.path: Difference(spec.difference) for spec in self.compared}

    def _document(self, width: int | None) -> Document:
        from ..render.diff import growth_blocks
        from ..render.document import Document, Note, Notes

        notices = tuple(map(Note, self.notices))
        return Document((*growth_blocks(self, comment=False), *([Notes(notices)] if notices else [])))

    def to_dict(self) -> dict[str, object]:
        """What it adds to the JSON contract of `check`."""
        from ..render.diff import growth_data

        return growth_data(self)

    def __repr__(self) -> str:
        uncompared = f", {len(self.notices)} not compared" if self.notices else ""
        return f"<Growth since {self.base}: {counted(len(self.compared), 'spec')} changed{uncompared}>"


def compare(base: str, paths: Sequence[str]) -> Growth:
    """What has changed in the specs of these files since the revision `base`. Raises UsageError."""
    return made(Growth, growth.compare(base, paths))
