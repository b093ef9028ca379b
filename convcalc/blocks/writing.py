"""The rows of a block as it is written: its params with their names, and its items."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from ..layers.registry import layer_class
from .fields import QUANTITIES
from .merging import Family, Row
from .pieces import same
from .relations import NONE, Column, Expression, Param, Relations, Unrelated
from .sheet import Item

GROUP = "layers"
PLAIN = {
    "stride": "s",
    "kernel": "k",
    "padding": "p",
    "dilation": "d",
    "groups": "g",
    "count": "depth",
    "p": "drop",
}
"""Quantity -> what its param is called."""


class Definition:
    """A block, once it is found: its params and how its items are written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.params: list[Param] = []
        self.items: list[Item] = []

    def differs(self, name: str, scope: int) -> bool:
        """Whether what a scope gives for a param is something else than its default."""
        param = next(param for param in self.params if param.name == name)
        return scope not in param.usual or not same(param.values[scope], param.usual[scope])

    def __repr__(self) -> str:
        return f"<block {self.name}>"


def write(
    definition: Definition,
    family: Family,
    reserved: Collection[str],
    inputs: list[str],
    arriving: Column | None = None,
) -> None:
    """Give a block its params and items: those of a family, whose scopes have these inputs.

    `arriving` are the channels of the first input of each scope. Raises Unrelated where the language cannot say it.
    """
    scopes = tuple(family.scopes)
    writer = _Writer(scopes, arriving or dict.fromkeys(scopes, 0), inputs)
    writer.fields(family.rows, ())
    writer.flags(family.rows, set(scopes))
    _name_params(writer.relations.params, reserved, writer.last_width)
    definition.params = sorted(writer.relations.params, key=lambda param: param.default is not None)
    definition.items = writer.items(family.rows, scopes)


def _label(row: Row) -> str:
    """What an unnamed item of a row is called by."""
    head = row.piece.head
    if head[0] in ("layer", "join"):
        return str(head[1])
    if head[0] == "call":
        assert isinstance(head[1], Definition)
        return head[1].name
    return _label(row.rows[0]) if head[0] == "repeat" else GROUP


class _Writer:
    """Rows -> items."""

    def __init__(self, scopes: tuple[int, ...], arriving: Column, inputs: list[str]) -> None:
        self.scopes = scopes
        self.relations = Relations(scopes, arriving)
        self.inputs = inputs
        self.said: dict[int, list[tuple[str, Expression]]] = {}
        """id of a row -> its fields."""
        self.when: dict[int, Expression] = {}
        self.named: set[str] = set()
        """The names that a `from` begins with: what is passed over has to have them, for it to be known."""

    def fields(self, rows: Sequence[Row], path: tuple[str, ...]) -> None:
        """Find what all values follow from."""
        for row in rows:
            name = row.piece.name
            shared = row.share.names if row.share is not None else ()
            self.named.update(ref.partition(".")[0] for ref in (*(row.refs or ()), *shared))
            if row.piece.numbered and not path:
                name = f"{_label(row)}_{name}"
            inner = (*path, name)
            self.said[id(row)] = list(self._fields(row, inner))
            self.fields(row.rows, inner)

    def _fields(self, row: Row, path: tuple[str, ...]) -> Iterator[tuple[str, Expression]]:
        head = row.piece.head
        widths = {number: piece.width for number, piece in row.members.items()}
        slots = dict.fromkeys(slot for piece in row.members.values() for slot in piece.slots)
        where = "_".join(path)
        if head[0] == "call":
            definition = head[1]
            assert isinstance(definition, Definition)
            several = sum(param.quantity == "width" for param in definition.params) > 1
            needed = {slot for piece in row.members.values() for slot in piece.needed}
            for param in definition.params:
                if param.name in needed:
                    column = {n: p.slots[param.name] for n, p in row.members.items() if param.name in p.slots}
                    hints = (param.name, f"{where}_{param.name}" if several else where)
                    yield param.name, self.relations.expression(column, param.quantity, widths, hints)
            return
        needed = {slot for piece in row.members.values() for slot in piece.needed}
        for slot in slots:
            column = {number: piece.slots[slot] for number, piece in row.members.items()}
            if head[0] == "repeat" or slot in needed:
                quantity = QUANTITIES.get(slot, slot)
                found = self.relations.expression(column, quantity, widths, (slot, where))
                yield slot, found

    def flags(self, rows: Sequence[Row], around: set[int]) -> None:
        """Find when the items stand that only some scopes have."""
        self._counted(rows, around)
        self._chosen(rows, around)
        for row in rows:
            members = set(row.members)
            if members != around and id(row) not in self.when:
                name = self._flag_name(row, row is rows[0])
                self.when[id(row)] = self.relations.flag({n: n in members for n in around}, (name, f"with_{name}"))
            self.flags(row.rows, members)

    def _flag_name(self, row: Row, first: bool) -> str:
        """What a flag of an item is called."""
        if row.activates:
            return "act"
        label = _label(row)
        if row.piece.head[0] == "layer" and layer_class(label).joins:
            return "residual" if label == "add" else label
        if row.piece.numbered:
            return "expanded" if first else label
        return row.piece.name

    def _chosen(self, rows: Sequence[Row], around: set[int]) -> None:
        """Find activations of which each scope has one, or none: a param says which."""
        run: list[Row] = []
        for row in (*rows, None):
            fits = row is not None and row.activates and set(row.members) != around and id(row) not in self.when
            if fits and row is not None and not any(row.members.keys() & other.members.keys() for other in run):
                run.append(row)
                continue
            if len(run) > 1 and len({_label(other) for other in run}) == len(run):
                chosen = dict.fromkeys(around, NONE)
                chosen.update({n: _label(other) for other in run for n in other.members})
                param = self.relations.choice(chosen, ("act", "activation"))
                for other in run:
                    self.when[id(other)] = (param, f" == '{_label(other)}'")
            run = [row] if fits and row is not None else []

    def _counted(self, rows: Sequence[Row], around: set[int]) -> None:
        """Find items of one kind of which each scope has the first few: where no flag does, a param says how many."""
        series: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            stem = row.piece.name.rstrip("0123456789")
            if stem and stem not in (row.piece.name, f"{_label(row)}_"):
                series.setdefault((stem, _label(row)), []).append(row)
        for (stem, _), alike in series.items():
            counts = {n: sum(n in row.members for row in alike) for n in around}
            first = all((n in row.members) is (k < counts[n]) for k, row in enumerate(alike) for n in around)
            if first and len(set(counts.values())) > 2:
                param = self.relations.count(counts, stem)
                for k, row in enumerate(alike[min(counts.values()) :], start=min(counts.values())):
                    self.when[id(row)] = (param, f" >= {k + 1}")

    @property
    def last_width(self) -> Expression | None:
        """The expression of the width that the block puts out."""
        return self.relations.widths[-1].expression if self.relations.widths else None

    def items(self, rows: Sequence[Row], around: Sequence[int]) -> list[Item]:
        """The items of rows of one level, named where the automatic name is another one."""
        counters = {number: _Counter() for number in around}
        found: list[Item] = []
        for row in rows:
            item = self._item(row)
            label = _label(row)
            present = [number for number in around if number in row.members]
            wanted = {row.members[number].name for number in present}
            passed = len(present) < len(around) and not wanted.isdisjoint(self.named)
            passed = passed or row.piece.is_join  # without a name, its branches stand in its place
            if passed or any(counters[number].next(label) != row.members[number].name for number in present):
                if len(wanted) > 1:
                    raise Unrelated
                (item.name,) = wanted
            for number in around:
                counters[number].take(label, item.name, number in row.members)
            found.append(item)
        return found

    def _item(self, row: Row) -> Item:
        head = row.piece.head
        said = [(slot, text_of(expression)) for slot, expression in self.said[id(row)]]
        if head[0] == "repeat":
            item = self._item(row.rows[0])
            item.repeat = dict(said)["repeat"]
        elif head[0] == "group":
            item = Item(GROUP, items=self.items(row.rows, tuple(row.members)))
        elif head[0] in ("layer", "join"):
            kind = str(head[1])
            letters = {name: letter for letter, name in layer_class(kind).short_forms.items()}
            assert isinstance(head[2], int)
            item = Item(kind, [(letters.get(slot, slot), text) for slot, text in said], batch_axes=head[2])
            if head[0] == "join":
                given = {branch.piece.name: self.items(branch.rows, tuple(branch.members)) for branch in row.rows}
                names = head[-1]
                assert isinstance(names, tuple)
                item.branches = [(name, given.get(name, [])) for name in names]
        else:
            definition = head[1]
            assert isinstance(definition, Definition)
            order = [param.name for param in definition.params[: len(said)]]
            item = Item(definition.name, said, in_order=[name for name, _ in said] == order)
        item.sources = None if row.refs is None else tuple(self._source(ref) for ref in row.refs)
        item.share = row.share
        item.when = text_of(self.when[id(row)]) if id(row) in self.when else None
        return item

    def _source(self, ref: str) -> str:
        return "in" if ref == "in.0" and self.inputs == ["in"] else ref


class _Counter:
    """The automatic names of one level in one scope, as the language gives them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.names: set[str] = set()
        self.number: int | None = None

    def next(self, kind: str) -> str:
        """What an unnamed item would be called now."""
        if self.number is not None:
            number = self.number + 1
            while str(number) in self.names:
                number += 1
            return str(number)
        number = self.counts.get(kind, 0) + 1
        while (kind if number == 1 else f"{kind}_{number}") in self.names:
            number += 1
        return kind if number == 1 else f"{kind}_{number}"

    def take(self, kind: str, name: str | None, present: bool) -> None:
        """Go past an item."""
        if not present:
            if name is not None and name.isdigit():
                self.number = int(name) - 1
            return
        if name is None:
            name = self.next(kind)
            if self.number is not None:
                self.number = int(name)
            else:
                self.counts[kind] = int(name.rpartition("_")[2]) if name != kind else 1
        elif name.isdigit():
            self.number = int(name)
        self.names.add(name)


def text_of(expression: Expression) -> str:
    """An expression as the language writes it, its params by their names."""
    return "".join(part if isinstance(part, str) else part.name for part in expression)


def _name_params(params: list[Param], reserved: Collection[str], last: Expression | None) -> None:
    taken = set(reserved)
    widths = [param for param in params if param.quantity == "width"]
    for param in params:
        base, where = param.hints
        if param.quantity == "width":
            others = len(widths) - any(last == (width,) for width in widths)
            plain = "out" if last == (param,) else "width" if others == 1 else where
        else:
            plain = PLAIN.get(param.quantity, base)
        names = [plain, where, f"{where}_{base}"]
        names += [f"{names[-1]}_{number}" for number in range(2, 2 + len(params))]
        param.name = next(name for name in map(_identifier, names) if name not in taken)
        taken.add(param.name)


def _identifier(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)[:80]
    return f"_{name}" if not name or name[0].isdigit() else name
