"""`diff`: what changed between two networks, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis import diff as differences
from ..units import counted
from ..version import FORMAT
from .load import Spec
from .report import Report, analyses_of
from .shown import Shown

if TYPE_CHECKING:
    from ..analysis.diff import Change, LayerChange, StageChange
    from ..render.document import Document


class Difference(Shown):
    """What changed between two reports: layers, stages, and the compared totals. Printed, it is `convcalc diff`.

    >>> import convcalc
    >>> change = convcalc.diff("resnet", "se_resnet")
    >>> {total.what: total.after - total.before for total in change.totals if total.what == "params"}
    {'params': 2530992}
    """

    __slots__ = ("_found",)

    def __init__(self, found: differences.Difference) -> None:
        self._found = found

    @property
    def before(self) -> Report:
        """The report of the former network."""
        return Report(self._found.before)

    @property
    def after(self) -> Report:
        """The report of the later one."""
        return Report(self._found.after)

    @property
    def layers(self) -> tuple[LayerChange, ...]:
        """Layers that were added, removed, renamed or changed: `status`, `before`, `after`, `kind`, `changes`."""
        return self._found.layers

    @property
    def stages(self) -> tuple[StageChange, ...]:
        """Top-level items that were added, removed or changed: `name`, `status`, `changes`."""
        return self._found.stages

    @property
    def totals(self) -> tuple[Change, ...]:
        """Every compared quantity of the whole network, changed or not: `what`, `before`, `after`."""
        return self._found.totals

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return self._found.empty

    @property
    def only_names(self) -> bool:
        """Whether nothing changed but names of layers."""
        return self._found.only_names

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `diff`."""
        from ..render.diff import diff_data

        return {"format": FORMAT, **diff_data(self._found)}

    def _document(self, width: int | None) -> Document:
        from ..render.diff import diff_document

        return diff_document(self._found)

    def __repr__(self) -> str:
        said = f"{counted(len(self.layers), 'layer')} and {counted(len(self.stages), 'stage')} differ"
        networks = (self._found.before.network, self._found.after.network)
        names = [f"{n.name} · {n.variant}" if n.variant else n.name for n in networks]
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
    return Difference(differences.diff(analyses_of(before), analyses_of(after)))
