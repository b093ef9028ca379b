"""`analyse`: the report of a network, which shows itself as the tree of `convcalc table`, and as a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from ..analysis import report as reports
from ..analysis.figures import find
from ..analysis.quantity import Quantity, Shaped, Value
from ..findings import UsageError
from ..hints import suggest
from ..network import described, unknown_layer
from ..units import counted
from .load import Spec, network_of
from .shown import Shown, frames

if TYPE_CHECKING:
    import pandas

    from ..analysis.cost import Cost
    from ..analysis.device import Device
    from ..analysis.figures import Subject
    from ..network import Network, Node, Part
    from ..render.document import Document

Dtype = Literal["float32", "float16", "bfloat16", "float64", "int8"]
Optimizer = Literal["sgd", "momentum", "adam"]
FRAME = ("kind", "output", "params", "macs", "flops", "activations", "live")
"""Columns of a data frame unless others are asked for; stages have no kind."""
HTML_ROWS = 400
"""Rows of a tree in a notebook, where those below the stages are folded."""


class Report(Shown):
    """The figures of one network at one batch size, and the printed tables of its spec beside them.

    `analyse` gives it. Printed, by rich or in a notebook it is the tree of `convcalc table`.

    >>> import convcalc
    >>> report = convcalc.analyse("lenet5", batch=8)
    >>> report
    <Report LeNet-5: 1×32×32 → 10, 12 layers, 61,706 params, 3,332,160 macs, batch 8>
    >>> report.totals.params, report.totals.macs
    (61706, 3332160)
    """

    def __init__(self, analyses: reports.Report) -> None:
        self._analyses = analyses

    @property
    def network(self) -> Network:
        """The network that it is about."""
        return self._analyses.network

    @property
    def batch(self) -> int:
        """The examples at once, by which macs, flops and activations are multiplied."""
        return self._analyses.batch

    @property
    def dtype(self) -> str:
        """The type of activations and params in memory."""
        return self._analyses.dtype

    @property
    def optimizer(self) -> str:
        """Whose state the memory of training has."""
        return self._analyses.optimizer

    @property
    def device(self) -> Device | None:
        """What the roofline is drawn for; None where no device was given."""
        return self._analyses.device

    @property
    def item(self) -> int:
        """Bytes of one number of the dtype."""
        return self._analyses.item

    @property
    def totals(self) -> Cost:
        """What the whole network costs: params, buffers, macs, flops and their kinds."""
        return self._analyses.totals

    def cost(self, layer: str | Node | Part = "total") -> Cost:
        """What a layer, a block or the whole network (`total`) costs, at the report's batch.

        `layer` is a path (`conv2_x.0`, with `*` for one name and `a..b` from one to the other), or what
        `network[path]` gives. Raises UnknownLayer, a KeyError, with a suggestion.

        >>> report = analyse("lenet5")
        >>> report.cost("C1").macs, sum(report.cost(node).macs for node in report.network) == report.totals.macs
        (117600, True)
        """
        return self._analyses.cost(subject_of(self._analyses, layer))

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `convcalc table`: every layer and stage, the totals, the printed tables.

        Raises SpecError where a printed table cannot be compared.
        """
        return self._analyses.to_dict()

    def _document(self, width: int | None) -> Document:
        from ..render.first_screen import first_screen
        from ..render.streams import screen_lines

        return first_screen(self._analyses, width, screen_lines())

    def _repr_html_(self) -> str:
        from ..render.first_screen import AROUND, first_screen
        from ..render.html import html

        return html(first_screen(self._analyses, None, HTML_ROWS + AROUND))

    def __repr__(self) -> str:
        batch = f", batch {self.batch}" if self.batch != 1 else ""
        dtype = f", {self.dtype}" if self.dtype != "float32" else ""
        figures = f"{self.totals.params:,} params, {self.totals.macs:,} macs"
        return f"<Report {described(self.network)}, {counted(len(self.network), 'layer')}, {figures}{batch}{dtype}>"

    def to_frame(
        self, by: Literal["layer", "stage"] = "layer", columns: Sequence[str] | None = None
    ) -> pandas.DataFrame:
        """A pandas data frame: one row a layer, or one a stage (`by="stage"`), under its name.

        `columns` are quantities of `convcalc table --columns help`, in their units: counts, and bytes for memory.
        Counts are int64, or Int64 where some are missing; shapes are tuples [channels, *space]; exact fractions become
        floats. Raises ImportError without pandas, UsageError for a quantity that does not exist.

        >>> from convcalc import analyse
        >>> frame = analyse("lenet5").to_frame()  # doctest: +SKIP
        >>> int(frame["params"].sum())  # doctest: +SKIP
        61706
        """
        pandas = frames()
        if by not in ("layer", "stage"):
            raise UsageError(f"by is 'layer' or 'stage', not {by!r}")
        subjects = self._analyses.layers if by == "layer" else self._analyses.stages
        names = FRAME[by == "stage" :] if columns is None else columns
        index = pandas.Index([subject.name for subject in subjects], name=by)
        data = {}
        for name in names:
            values, dtype = self._column(name, subjects)
            data[name] = pandas.Series(values, index, dtype)
        return pandas.DataFrame(data, index)

    def _column(self, name: str, subjects: Sequence[Subject]) -> tuple[list[object], str]:
        """The values of a quantity and their type: counts that may be missing, shapes and words as they are, floats."""
        found = _quantity(name)
        if found.needs is not None and self.device is None:
            raise UsageError(f"the column {name} needs a device", 'for example analyse(…, device="v100")')
        values = [_plain(found.get(self._analyses, subject)) for subject in subjects]
        known = [value for value in values if value is not None]
        if known and all(isinstance(value, int) for value in known):
            return values, "int64" if len(known) == len(values) else "Int64"
        return values, "float64" if known and all(isinstance(value, int | float) for value in known) else "object"


def analyses_of(given: Spec | Report) -> reports.Report:
    """The analyses of a report, or of a spec as `analyse` has them where nothing else is said."""
    return (given if isinstance(given, Report) else analyse(given))._analyses


def subject_of(analyses: reports.Report, layer: str | Node | Part) -> Subject:
    """The layer, group or layers at a path. Raises UnknownLayer."""
    path = layer if isinstance(layer, str) else layer.name
    found = find(analyses, path)
    if found is None:
        raise unknown_layer(analyses.network, path)
    return found


def _quantity(name: str) -> Quantity:
    from ..analysis.quantities import QUANTITY_NAMES, quantity

    found = quantity(name)
    if found is None:
        raise UsageError(f"there is no column '{name}'", suggest(name, QUANTITY_NAMES))
    return found


def _plain(value: Value) -> object:
    """A value as a cell of a data frame."""
    if isinstance(value, Shaped):
        raw = value.raw
        if isinstance(raw, tuple):
            return tuple([float(part) if isinstance(part, Fraction) else part for part in raw])
        return float(raw) if isinstance(raw, Fraction) else raw
    return float(value) if isinstance(value, Fraction) else value


def analyse(
    spec: Spec,
    batch: int = 1,
    *,
    dtype: Dtype = "float32",
    optimizer: Optimizer = "sgd",
    device: Device | str | None = None,
) -> Report:
    """The report of a network: costs of every layer, totals, analyses and printed tables on demand.

    `batch` (at least 1) multiplies macs, flops and activations. `dtype` is that of activations and params in
    memory, `optimizer` whose state training memory counts, `device` what the roofline is drawn for: a name ("v100")
    or two rates ("10TFLOP/s,400GB/s"). Raises SpecError where a figure is above 2^63 − 1, ValueError for a batch below
    1 or an unknown dtype, optimizer or device.

    >>> from convcalc import loads
    >>> report = analyse(loads("{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3}}]}"), batch=2)
    >>> report.totals.macs, report.to_dict()["published"]
    (388800, [])
    >>> analyse("lenet5")
    <Report LeNet-5: 1×32×32 → 10, 12 layers, 61,706 params, 416,520 macs>
    """
    if isinstance(device, str):
        from ..analysis.device import read_device

        device = read_device(device)
    return Report(reports.analyse(network_of(spec), batch, dtype=dtype, optimizer=optimizer, device=device))
