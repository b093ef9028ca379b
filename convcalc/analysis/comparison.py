"""Networks beside each other: what each is called, and its figures as a whole.

A figure of a network is that of its report's totals, in the records of `quantities.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..findings import SpecError
from ..network import Network
from ..version import FORMAT, __version__
from .quantities import QUANTITIES
from .quantity import Quantity, Shaped, Value, plain_figure, shaped
from .report import CONVENTIONS, Report, total_figures
from .tree import order, sort_key

COLUMNS = ("name", "input", "params", "macs", "flops", "params_memory", "peak_memory", "depth", "receptive_field")
"""What networks are compared by."""
BESIDE_TOTALS = {"params_memory": "params_memory", "peak_memory": "live", "receptive_field": "receptive_field"}
"""Key -> quantity: what JSON has of a network beside the totals of a report."""


class Compared(NamedTuple):
    """A network among others."""

    spec: str
    """What its spec was called by."""
    report: Report
    name: str
    """The network's name; where another spec has one of that name too, with its spec behind it."""

    @property
    def variant(self) -> str:
        """The variant of its spec; empty for none."""
        return self.report.network.variant or ""

    @property
    def label(self) -> str:
        """Its name and its variant."""
        return f"{self.name} · {self.variant}" if self.variant else self.name

    def value(self, quantity: Quantity) -> Value:
        """A figure of the whole network; of several inputs or outputs, all of their shapes."""
        if quantity.words:
            return self.label
        network = self.report.network
        if quantity.name == "input":
            return _shapes(network.inputs)
        if quantity.name == "output":
            return _shapes({output.name: network.nodes[output.node].shape for output in network.outputs})
        return quantity.get(self.report, self.report.whole)


def compared(found: Sequence[tuple[str, Report]]) -> list[Compared]:
    """Reports by what their specs were called, told apart where networks of several specs have one name."""
    specs: dict[str, set[str]] = defaultdict(set)
    for spec, report in found:
        specs[report.network.name].add(spec)
    return [
        Compared(spec, report, f"{name} ({spec})" if len(specs[name := report.network.name]) > 1 else name)
        for spec, report in found
    ]


class Failed(NamedTuple):
    """A spec, or one of its variants, that gives no network."""

    spec: str
    variant: str | None
    error: SpecError

    @property
    def label(self) -> str:
        """The spec and the variant."""
        return self.spec if self.variant is None else f"{self.spec}, variant {self.variant}"


def versions(spec: str, network: Network, params: dict[str, str], shapes: object = None) -> Iterator[Network | Failed]:
    """The network of a spec and those of its variants, all under these params and inputs; and what gives none.

    Raises UsageError where a variant does not take them.
    """
    yield network
    origin = network.origin
    for variant in origin.variants if origin is not None else ():
        assert origin is not None
        try:
            yield origin.reload(params=params, variant=variant, input=shapes)
        except SpecError as error:
            yield Failed(spec, variant, error)


def ordered(networks: Sequence[Compared], by: Quantity | None, top: int | None) -> list[Compared]:
    """Networks sorted by a quantity (numbers from the largest, words from a), cut to the first `top`."""
    found = list(networks)
    if by is not None:
        found = [found[i] for i in order([sort_key(network.value(by)) for network in networks])]
    return found if top is None else found[:top]


def to_dict(
    networks: Sequence[Compared], failed: Sequence[Failed], columns: Sequence[Quantity] | None = None
) -> dict[str, object]:
    """Networks as the JSON contract of `convcalc table SPEC SPEC`.

    With `columns` the totals have these alone.
    """
    return {
        "format": FORMAT,
        "convcalc": __version__,
        "conventions": dict(CONVENTIONS),
        "networks": [_entry(network, columns) for network in networks],
        "failed": [{"path": spec, "variant": variant} for spec, variant, _ in failed],
    }


def _entry(compared: Compared, columns: Sequence[Quantity] | None) -> dict[str, object]:
    report = compared.report
    network = report.network
    if columns is None:
        beside = {key: plain_figure(compared.value(QUANTITIES[name])) for key, name in BESIDE_TOTALS.items()}
        totals = {**total_figures(report), **beside}
    else:
        totals = {column.heading: plain_figure(compared.value(column)) for column in columns if not column.words}
    return {
        "spec": network.name,
        "path": compared.spec,
        "variant": network.variant,
        "batch": report.batch,
        "dtype": report.dtype,
        "input": {name: list(shape) for name, shape in network.inputs.items()},
        "outputs": [
            {"name": output.name, "shape": list(network.nodes[output.node].shape)} for output in network.outputs
        ],
        "totals": totals,
    }


def _shapes(shapes: dict[str, tuple[int, ...]]) -> Value:
    """One shape, or several with their names."""
    if len(shapes) == 1:
        return shaped(next(iter(shapes.values())))
    text = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items())
    return Shaped("{all}", {"all": text}, tuple(shapes.values()))
