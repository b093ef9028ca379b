"""`diff`: what changed between two networks, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis import diff as differences
from ..analysis.report import Report
from ..units import counted
from ..version import FORMAT
from .load import Spec
from .report import analyse
from .shown import Shown

if TYPE_CHECKING:
    from ..render.document import Document


class Difference(Shown, differences.Difference):
    """What changed between two reports: layers, stages, and the compared totals. Printed, it is `convcalc diff`.

    >>> import convcalc
    >>> change = convcalc.diff("resnet", "se_resnet")
    >>> {total.what: total.after - total.before for total in change.totals if total.what == "params"}
    {'params': 2530992}
    """

    __slots__ = ()

    def document(self, width: int | None) -> Document:
        """What changed, as text."""
        from ..render.diff import diff_document

        return diff_document(self)

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `diff`."""
        from ..render.diff import diff_data

        return {"format": FORMAT, **diff_data(self)}

    def __repr__(self) -> str:
        said = f"{counted(len(self.layers), 'layer')} and {counted(len(self.stages), 'stage')} differ"
        names = [f"{n.name} · {n.variant}" if n.variant else n.name for n in (self.before.network, self.after.network)]
        nothing = "nothing differs" if self.empty else "only names differ" if self.only_names else ""
        return f"<Difference {' → '.join(names)}: {nothing or said}>"


def diff(before: Spec | Report, after: Spec | Report) -> Difference:
    """What changed from one network to the other: layers added, removed, renamed and changed; stages; totals.

    Paths, gallery names, ONNX files, `git:REV:path`, networks, or reports with a batch or a dtype of their own.
    Raises SpecError and UsageError as `load` does.

    >>> from convcalc import load
    >>> change = diff(load("resnet", variant="resnet18"), load("resnet", variant="resnet34"))
    >>> change
    <Difference ResNet · resnet18 → ResNet · resnet34: 56 layers and 4 stages differ>
    >>> {total.what: total.after - total.before for total in change.totals if total.what == "params"}
    {'params': 10108160}
    """
    return Difference(*differences.diff(_report(before), _report(after)))


def _report(given: Spec | Report) -> Report:
    return given if isinstance(given, Report) else analyse(given)
