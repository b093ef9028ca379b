"""Several networks as a document: a row each, one column as bars, two as a scatter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..analysis.comparison import Compared
from ..analysis.quantity import Quantity
from .document import Block, Column, Document, Heading, Note, Notes, Table, Tree, TreeRow
from .table import SCALES, at_text, bars, cell_text, legend, scatter, shapes_text, source_text, value_text

FIRST = "network"
LEFT_OUT = "flops"
"""The column that gives way where a terminal is too narrow for those that nobody asked for."""


def comparison_document(
    networks: Sequence[Compared],
    quantities: Sequence[Quantity],
    *,
    exact: bool = False,
    asked: bool = True,
    set_in: bool = True,
    notes: Iterable[str] = (),
    remarks: Iterable[str] = (),
) -> Document:
    """A row a network.

    Unless its columns were `asked` for, what all networks read stands in the heading alone. Variants are `set_in`
    below their network where they follow it. `notes` stand right below the rows, `remarks` after them.
    """
    common = _common_input(networks)
    if common and not asked:
        quantities = [quantity for quantity in quantities if quantity.name != "input"]
    below = tuple(Note(text, "dim") for text in notes)
    tree = _tree(networks, quantities, exact, set_in, asked)._replace(notes=below)
    if not asked:
        fewer = [quantity for quantity in quantities if quantity.name != LEFT_OUT]
        tree = tree._replace(narrow=_tree(networks, fewer, exact, set_in, asked)._replace(notes=below))
    return _about(networks, common, tree, remarks)


def comparison_rows(networks: Sequence[Compared], quantities: Sequence[Quantity]) -> Document:
    """The rows alone with raw numbers, for programs: the variant is a column of its own where there is one."""
    varied = any(network.variant for network in networks)
    columns: list[Column] = []
    for quantity in quantities:
        columns += [Column(FIRST), *[Column("variant")] * varied] if quantity.words else [Column(quantity.heading)]
    rows = []
    for network in networks:
        row: list[str] = []
        for quantity in quantities:
            if quantity.words:
                row += [network.name, *[network.variant] * varied]
            else:
                row.append(value_text(network.value(quantity), raw=True))
        rows.append(row)
    return Document((Table(columns, rows),))


def comparison_bars(
    networks: Sequence[Compared], drawn: Quantity, notes: Sequence[str], remarks: Iterable[str]
) -> Document:
    """One quantity of every network as bars."""
    block = bars(drawn, [(network.label, network.value(drawn)) for network in networks])
    return _about(networks, _common_input(networks), block, remarks, notes)


def comparison_scatter(
    networks: Sequence[Compared],
    x: Quantity,
    y: Quantity,
    exact: bool,
    notes: Sequence[str],
    remarks: Iterable[str],
) -> Document:
    """A quantity of every network over another."""
    values = [(network.label, network.value(x), network.value(y)) for network in networks]
    block, others = scatter(x, y, values, FIRST, exact)
    return _about(networks, _common_input(networks), block, remarks, [*others, *notes])


def comparison_legend(quantities: Iterable[Quantity]) -> list[str]:
    """What the figures of these quantities mean."""
    return legend(quantities, (SCALES,))


def _about(
    networks: Sequence[Compared], common: str, block: Block, remarks: Iterable[str], notes: Sequence[str] = ()
) -> Document:
    """A block between the heading of its networks and what is said of it."""
    first = networks[0].report
    specs = {network.spec for network in networks}
    alone = len(specs) == 1
    title = first.network.name if alone else f"{len(networks)} networks"
    count = [f"{len(networks)} networks"] if alone and len(networks) > 1 else []
    rest = ", ".join([*count, *([common] if common else [])]) + at_text(first)
    heading = Heading(
        title, rest=f"   {rest.removeprefix(', ')}" if rest else "", source=source_text(first) if alone else ""
    )
    said = [Notes(tuple(Note(text, "dim") for text in texts)) for texts in (notes, tuple(remarks)) if texts]
    return Document((heading, block, *said))


def _common_input(networks: Sequence[Compared]) -> str:
    """What all of the networks read; empty where they read different things."""
    inputs = [network.report.network.inputs for network in networks]
    return shapes_text(inputs[0], "input", "inputs") if all(shapes == inputs[0] for shapes in inputs) else ""


def _tree(networks: Sequence[Compared], quantities: Sequence[Quantity], exact: bool, set_in: bool, asked: bool) -> Tree:
    """The rows; of several inputs only how many there are, unless they were asked for."""
    shown = [quantity for quantity in quantities if not quantity.words]
    columns = tuple(Column(quantity.heading, "left" if quantity.name == "patch" else "right") for quantity in shown)
    rows, above = [], ""
    for network in networks:
        inputs = len(network.report.network.inputs)
        cells = tuple(
            f"{inputs} inputs"
            if quantity.name == "input" and inputs > 1 and not asked
            else cell_text(network.value(quantity), quantity, exact)
            for quantity in shown
        )
        below = set_in and bool(network.variant) and network.spec == above
        label = network.variant if below else network.label
        above = network.spec if below or not network.variant else ""
        rows.append(TreeRow(int(below), label, network.label, "", cells))
    return Tree(FIRST, columns, tuple(rows), stacked=True)
