"""The records that a spec's text is compiled to, once, before anything is expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..marked import Marked, Text
from .arithmetic import Value
from .kind_fields import FieldType, FieldValue, fit, model_problems
from .params import Param, Params
from .problems import Problem
from .written_values import Compiled, evaluate, is_constant

if TYPE_CHECKING:
    from ..layers.base import Layer

JOINS = frozenset({"concat", "add", "multiply", "gate"})
BRANCH_ORDER = {"gate": ("transform", "gate", "carry")}
"""Joins whose branches have roles, in the order in which the layer takes them."""

Known = dict[tuple[object, ...], "Layer"]
"""(kind, names, values) -> the one model that equal layers share."""


class LayerTemplate:
    """A layer as it is written: its kind and its fields, some of them expressions."""

    __slots__ = ("cls", "fields", "kind", "layer", "names")

    def __init__(self, kind: str, cls: type[Layer], fields: list[tuple[FieldType, Compiled, Marked]]) -> None:
        self.kind = kind
        self.cls = cls
        self.fields = sorted(fields, key=lambda entry: entry[0].name)
        self.names = tuple([entry[0].name for entry in self.fields])
        self.layer: Layer | None = None
        """The model, once it is built from constants alone."""

    @property
    def constant(self) -> bool:
        """Whether no field needs names."""
        return all(is_constant(value) for _, value, _ in self.fields)

    def build(self, env: dict[str, Value], known: Known, part: int | None = None) -> Layer:
        """The model under these names. Raises `LayerProblems`."""
        values: list[FieldValue] = []
        wrong: list[Problem] = []
        for field, compiled, at in self.fields:
            try:
                values.append(fit(field, evaluate(compiled, env)))
            except Problem as problem:
                problem.at = at
                wrong.append(problem)
            except OverflowError:
                wrong.append(Problem("CC212", f"{field.name} is too large"))
        if wrong:
            raise LayerProblems(wrong)
        key = (self.kind, part, self.names, tuple(values))
        layer = known.get(key)
        if layer is None:
            layer = known[key] = self._validated(dict(zip(self.names, values, strict=True)), part)
        return layer

    def _validated(self, fields: dict[str, FieldValue], part: int | None) -> Layer:
        from pydantic import ValidationError

        if part is not None:
            fields["part"] = part
        try:
            return self.cls.model_validate({"kind": self.kind, **fields})
        except ValidationError as error:
            places = {field.name: at for field, _, at in self.fields}
            wrong = []
            for name, problem in model_problems(error):
                problem.at = places.get(name)
                wrong.append(problem)
            raise LayerProblems(wrong) from None


class LayerProblems(Exception):
    """What is wrong with the fields of one layer."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


class Branch:
    """A named branch of a join."""

    __slots__ = ("at", "items", "name")

    def __init__(self, name: str, at: Text, items: list[Item]) -> None:
        self.name = name
        self.at = at
        self.items = items


class Join:
    """A join with branches."""

    __slots__ = ("branches", "template")

    def __init__(self, template: LayerTemplate, branches: list[Branch]) -> None:
        self.template = template
        self.branches = branches


class Split:
    """A split: one node a part."""

    __slots__ = ("template",)

    def __init__(self, template: LayerTemplate) -> None:
        self.template = template


class Group:
    """An anonymous group, `layers: [...]`."""

    __slots__ = ("items",)

    def __init__(self, items: list[Item]) -> None:
        self.items = items


class Block:
    """A block of the spec."""

    __slots__ = ("at", "called", "items", "name", "params", "reads", "size", "used")

    def __init__(self, name: str, at: Text) -> None:
        self.name = name
        self.at = at
        self.params: Params = {}
        self.items: list[Item] = []
        self.size = 0
        """Expansion steps of one call, computed repetitions counted once."""
        self.used: set[str] = set()
        """Its parameters that it uses."""
        self.reads: set[str] = set()
        """The parameters of the spec that it uses."""
        self.called = False
        """Whether the layers reach it."""


class Call:
    """A block with its arguments."""

    __slots__ = ("arguments", "block")

    def __init__(self, block: Block, arguments: list[tuple[Param, Compiled, Marked]]) -> None:
        self.block = block
        self.arguments = arguments


What = LayerTemplate | Join | Split | Group | Call


class Item:
    """One item: what it is, and where it stands."""

    __slots__ = ("at", "indexed", "kind", "name", "name_at", "plain", "repeat", "size", "sources", "what", "when")

    def __init__(self, kind: str, what: What, at: Marked) -> None:
        self.kind = kind
        self.what = what
        self.at = at
        self.name: str | None = None
        self.name_at: Marked = at
        self.sources: list[tuple[tuple[str, ...], Marked]] | None = None
        self.repeat: tuple[Compiled, Marked] | None = None
        self.when: tuple[Compiled, Marked] | None = None
        self.indexed = False
        """Whether `when` depends on the repetition."""
        self.plain = isinstance(what, LayerTemplate)
        """Whether it is a layer without `from`, `repeat` and `when`."""
        self.size = 1
