"""Items of a spec: marked data -> records, all keys, literals and expressions checked before anything is expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hints import near, suggest
from ..layers.registry import KINDS, layer_class
from ..marked import List, Map, Marked, Source, Text
from .events import parse
from .expressions import Expression
from .grammar import Reader
from .items import (
    Block,
    Branch,
    Call,
    FieldType,
    Group,
    Item,
    Join,
    Known,
    LayerProblems,
    LayerTemplate,
    Split,
    What,
    fields_of,
)
from .names import GROUP, check_name, shown, without_space
from .params import INVALID, Compiled, Names, Param, read_value
from .problems import Findings, Problem, Where
from .remedies import BRANCHES, no_single_kind, spelling, takes, unknown_field, unknown_kind, written
from .sections import WIRING, Wiring

if TYPE_CHECKING:
    from ..layers.base import Layer


class Scope:
    """Where items are compiled: the blocks and names that they see, and what has been compiled already."""

    def __init__(self, names: Names, blocks: dict[str, Block], findings: Findings, known: Known) -> None:
        self.names = names
        self.blocks = blocks
        self.findings = findings
        self.known = known
        self.constants: dict[tuple[object, ...], LayerTemplate] = {}
        """Layers without expressions, by their text: most layers of a large spec are alike."""
        self.word_arguments: list[tuple[Param, str, Marked, str]] = []
        """Words given to blocks, judged when all blocks are known."""
        self._paths: dict[int, list[str]] = {}
        self._lists: dict[int, list[Item]] = {}
        self._repeated: Scope | None = None

    def repeated(self) -> Scope:
        """The same with `index`."""
        if "index" in self.names.extra:
            return self
        if self._repeated is None:
            scope = Scope(self.names.plus("index"), self.blocks, self.findings, self.known)
            scope.constants, scope.word_arguments = self.constants, self.word_arguments
            self._repeated = scope
        return self._repeated

    def items(self, node: Marked, inside: Where) -> list[Item]:
        """The items of a list; what is wrong with them is added to the findings. Aliased lists are compiled once."""
        if not isinstance(node, List):
            hint = "write [] for none, [relu] for one"
            if isinstance(node, Map):
                hint = "start each item with '- '"
            self.findings.add("CC103", "a list of items is expected", node, hint, inside or GROUP)
            return []
        done = self._lists.get(id(node))
        if done is None:
            done = self._lists[id(node)] = []
            for position, entry in enumerate(node.items):
                where = _Path(node, position, inside, self._paths)
                try:
                    done.append(self._item(entry, where))
                except Problem as problem:
                    self.findings.problem(problem, entry, where)
        return done

    def _item(self, entry: Marked, where: Where) -> Item:
        if isinstance(entry, Text):
            what = self._what(entry.text, entry, None, where)
            return Item(entry.text, what, entry)
        if not isinstance(entry, Map):
            raise Problem("CC103", "an item is a kind's name or a mapping, not a list", "a group is {layers: [...]}")
        entries = entry.entries
        kinds = [key for key in entries if key not in WIRING]
        if len(kinds) > 1:
            kinds = self._without_misspelt_wiring(entry, kinds, where)
        if len(kinds) != 1:
            raise no_single_kind(entry, kinds, self.blocks)
        kind = kinds[0]
        scope = self.repeated() if "repeat" in entries else self
        try:
            what = scope._what(kind, entry.keys[kind], entries[kind], where)
        except Problem as problem:
            self.findings.problem(problem, entry.keys[kind], where)
            what = Group([])
        item = Item(kind, what, entry.keys[kind])
        if len(entries) > 1:
            self._wire(item, entry, scope, where)
        return item

    def _without_misspelt_wiring(self, entry: Map, kinds: list[str], where: Where) -> list[str]:
        """The keys that may be the kind, once those that are `name`, `from`, … misspelt are reported."""
        items = [key for key in kinds if key in KINDS or key in self.blocks]
        fields = {key for key in kinds if any(takes(kind, key) for kind in items if kind in KINDS)} | {BRANCHES}
        strange = [key for key in kinds if key not in items and key not in fields and near(key, WIRING)]
        if len(kinds) - len(strange) != 1:
            return kinds
        for key in strange:
            message = f"an item has no {shown(key)}: beside its kind stand {', '.join(WIRING)}"
            self.findings.add("CC101", message, entry.keys[key], suggest(key, WIRING), where)
        return [key for key in kinds if key not in strange]

    def _what(self, key: str, at: Text, body: Marked | None, where: Where) -> What:
        if key in self.blocks:
            return compile_call(self, self.blocks[key], at, body, where)
        if key in KINDS:
            return compile_kind(self, key, at, body, where)
        if key == GROUP and body is not None:
            return Group(self.items(body, where))
        raise unknown_kind(key, self.blocks, body)

    def _wire(self, item: Item, entry: Map, inner: Scope, where: Where) -> None:
        """Read what stands beside the kind."""
        for key, node in entry.entries.items():
            try:
                if key == "name":
                    item.name, item.name_at = Wiring.name.form.read(node, Reader(self.findings)), node
                    item.number = int(item.name) if item.name.isdigit() else None
                elif key == "from":
                    item.sources = Wiring.sources.form.read(node, Reader(self.findings, where=where))
                    if not item.reads:
                        message = f"{item.kind} reads nothing, so that it has no 'from'"
                        raise Problem("CC213", message, "the item behind it reads it, or names it in its 'from'")
                elif key == "batch_axes":
                    item.batch_axes = Wiring.batch_axes.form.read(node, Reader(self.findings))
                elif key == "repeat":
                    item.repeat = (self._number(key, node, where), node)
                elif key == "share":
                    item.share = Wiring.share.form.read(node, Reader(self.findings, where=where))
                    if item.share[0] is None and "repeat" not in entry.entries:
                        hint = "name the item whose weights it has: share: head"
                        raise Problem("CC103", "share: true is of repetitions, and this item has no repeat", hint)
                elif key == "when":
                    value = inner._number(key, node, where)
                    item.when = (value, node)
                    item.indexed = isinstance(value, Expression) and "index" in value.names
            except Problem as problem:
                self.findings.problem(problem, node, where)
        item.plain = item.plain and not (item.sources or item.repeat or item.when or item.batch_axes or item.share)
        if not item.plain:
            item.layer = None

    def _number(self, key: str, node: Marked, where: Where) -> Compiled:
        """The value of `repeat` or `when`."""
        if isinstance(node, Text):
            value = read_value(node, self.names, self.findings, truth=key == "when", where=where)
            wanted = isinstance(value, bool) if key == "when" else type(value) is int
            if wanted or isinstance(value, Expression) or value is INVALID:
                return value
        expected = "true, false or a condition" if key == "when" else "an integer or an expression"
        raise Problem("CC103", f"{key} takes {expected}")


class _Path:
    """The path of an item as far as it is known before expansion, worked out when it is asked for."""

    __slots__ = ("inside", "items", "paths", "position")

    def __init__(self, items: List, position: int, inside: Where, paths: dict[int, list[str]]) -> None:
        self.items = items
        self.position = position
        self.inside = inside
        self.paths = paths
        """The names of the items of each list for which they were asked."""

    def __call__(self) -> str:
        inside = self.inside if isinstance(self.inside, str) else self.inside()
        head = f"{inside}." if inside else ""
        names = self.paths.get(id(self.items))
        if names is None:
            names = self.paths[id(self.items)] = _local_names(self.items)
        return head + names[self.position]


def _local_names(items: List) -> list[str]:
    names: list[str] = []
    counts: dict[str, int] = {}
    for entry in items.items:
        key, name = _key_of(entry)
        if name is None:
            count = counts[key] = counts.get(key, 0) + 1
            name = key if count == 1 else f"{key}_{count}"
        names.append(name)
    return names


def _key_of(entry: Marked) -> tuple[str, str | None]:
    if isinstance(entry, Text):
        return entry.text, None
    if not isinstance(entry, Map):
        return "item", None
    name = entry.entries.get("name")
    key = next((key for key in entry.entries if key not in WIRING), "item")
    return key, name.text if isinstance(name, Text) else None


def compile_kind(scope: Scope, kind: str, at: Text, body: Marked | None, where: Where) -> What:
    """A layer, a split or a join of what stands under its kind. Errors are added to the scope's findings."""
    key = _text_key(kind, body)
    if key is not None:
        template = scope.constants.get(key)
        if template is not None:
            return Split(template) if layer_class(kind).splits else template
    branches: list[Branch] | None = None
    errors = len(scope.findings.all)
    fields: list[tuple[FieldType, Compiled, Marked]] = []
    if isinstance(body, Map):
        fields = _fields(scope, kind, at, body, where)
        if "branches" in body.entries and layer_class(kind).joins:
            branches = _branches(scope, kind, body.entries["branches"], where)
    elif body is not None and not (isinstance(body, Text) and body.empty):
        scope.findings.add("CC103", f"{kind} takes named fields", body, written(kind, body), where)
        return LayerTemplate(kind, layer_class(kind), [])
    types = fields_of(kind)
    keys = [key.partition(":")[0] for key in body.entries] if isinstance(body, Map) else []
    given = {types[key].name for key in keys if key in types}
    missing = list(dict.fromkeys([f.name for f in types.values() if f.required and f.name not in given]))
    if missing:
        scope.findings.add("CC104", f"{kind} needs {' and '.join(missing)}", at, spelling(kind, missing), where)
    template = LayerTemplate(kind, layer_class(kind), fields)
    if template.constant and len(scope.findings.all) == errors:
        try:
            template.layer = template.build({}, scope.known, 0 if layer_class(kind).splits else None)
        except LayerProblems as wrong:
            for problem in wrong.problems:
                scope.findings.problem(problem, at, where)
        if key is not None and len(scope.findings.all) == errors:
            scope.constants[key] = template
    if branches is not None:
        return Join(template, branches)
    return Split(template) if layer_class(kind).splits else template


def _text_key(kind: str, body: Marked | None) -> tuple[object, ...] | None:
    """What tells constant layers apart by their text; None where a field is no scalar."""
    if body is None:
        return (kind,)
    if not isinstance(body, Map):
        return None
    key: list[object] = [kind]
    for name, value in body.entries.items():
        if type(value) is not Text:
            return None
        key += (name, value.text, value.plain)
    return tuple(key)


def _fields(scope: Scope, kind: str, at: Text, body: Map, where: Where) -> list[tuple[FieldType, Compiled, Marked]]:
    types = fields_of(kind)
    found: dict[str, tuple[FieldType, Compiled, Marked]] = {}
    seen: dict[str, str] = {}
    torn = False  # Whether YAML ended the value before at a comma in its round brackets, `k: (3, 3)`: told there.
    for key, node in body.entries.items():
        field = types.get(key)
        if field is None:
            rest = torn and key.endswith(")")
            if not rest and (key != "branches" or not layer_class(kind).joins):
                scope.findings.add("CC101", *unknown_field(kind, key, body.keys[key], types), where)
            continue
        if field.name in seen:
            message = f"{seen[field.name]} and {key} are the same field"
            scope.findings.add("CC002", message, body.keys[key], "write it once", where)
            continue
        seen[field.name] = key
        torn = isinstance(node, Text) and node.text.count("(") > node.text.count(")")
        value: Compiled
        if not field.verbatim:
            value = read_value(node, scope.names, scope.findings, words=field.words, truth=field.boolean, where=where)
        elif isinstance(node, Text):
            value = node.text
        else:
            scope.findings.add("CC103", f"{field.name} takes {field.expected}", node, "quote it", where)
            continue
        if value is not INVALID:
            _note_words(scope, value, field)
            found[field.name] = (field, value, node)
    return list(found.values())


def _note_words(scope: Scope, value: Compiled, field: FieldType) -> None:
    """A parameter that stands alone in a field with words takes those words."""
    if field.words and isinstance(value, Expression):
        for name in value.names:
            param = scope.names.declared.get(name)
            if param is not None and scope.names.outer is not None:
                param.words |= field.words


def _branches(scope: Scope, kind: str, node: Marked, where: Where) -> list[Branch]:
    if not isinstance(node, Map):
        scope.findings.add("CC103", "branches are a mapping: name -> items", node, "{left: [...], right: []}", where)
        return []
    found: dict[str, Branch] = {}
    for name, items in node.entries.items():
        at = node.keys[name]
        try:
            check_name(name, "branch's name")
        except Problem as problem:
            scope.findings.problem(problem, at, where)
        inside = _inside(where, name)
        found[name] = Branch(name, at, scope.items(items, inside))
    if not found:
        scope.findings.add("CC104", f"{kind} has no branches", node, "{left: [...], right: []}", where)
    order, needed = layer_class(kind).branch_roles, layer_class(kind).arity[0]
    if not order:
        return list(found.values())
    if set(found) - set(order) or set(order[:needed]) - set(found):
        optional = f" and perhaps {', '.join(order[needed:])}" if order[needed:] else ""
        message = f"the branches of {kind} are {', '.join(order[:needed])}{optional}, not {', '.join(found)}"
        scope.findings.add("CC103", message, node, f"an identity is an empty list: {order[needed - 1]}: []", where)
        return []
    return [found[name] for name in order if name in found]


def _inside(where: Where, name: str) -> Where:
    return lambda: f"{where if isinstance(where, str) else where()}.{name}"


def compile_call(scope: Scope, block: Block, at: Text, body: Marked | None, where: Where) -> Call:
    """A call of a block, its arguments named or in order. Errors are added to the scope's findings."""
    findings, params = scope.findings, list(block.params)
    given = _given(block, body, findings, where)
    if given is None:
        return Call(block, [])
    arguments: list[tuple[Param, Compiled, Marked]] = []
    for name, key, node in given:
        param = block.params.get(name)
        if param is None:
            hint = without_space(name, params) or suggest(
                name, params, f"{block.name} takes {', '.join(params) or 'no arguments'}"
            )
            findings.add("CC109", f"{block.name} has no parameter {shown(name)}", key, hint, where)
            continue
        value = read_value(node, scope.names, findings, free_words=True, where=where)
        if value is None:
            hint = "leave it out for its default" if param.default is not None else None
            findings.add("CC104", f"the argument {name} of {block.name} is empty", node, hint, where)
        if isinstance(value, Expression):
            for used in value.names:
                if scope.names.outer is not None and used in scope.names.declared:
                    scope.names.declared[used].open = True
        if isinstance(value, str):
            path = where if isinstance(where, str) else where()
            scope.word_arguments.append((param, value, node, path))
        arguments.append((param, value, node))
    names = {name for name, _, _ in given}
    missing = [name for name, param in block.params.items() if param.default is None and name not in names]
    if missing:
        findings.add("CC104", f"{block.name} needs {' and '.join(missing)}", at, None, where)
    return Call(block, arguments)


def _given(
    block: Block, body: Marked | None, findings: Findings, where: Where
) -> list[tuple[str, Marked, Marked]] | None:
    """(name, where it is named, node) of each argument; None, and a finding, where something else stands."""
    params = list(block.params)
    if isinstance(body, Map):
        return [(name, body.keys[name], node) for name, node in body.entries.items()]
    if isinstance(body, List):
        if len(body.items) > len(params):
            plural = "s" * (len(params) != 1)
            message = f"{block.name} takes {len(params)} argument{plural}, not {len(body.items)}"
            findings.add("CC109", message, body.items[len(params)], f"in order: {', '.join(params)}", where)
        return [(name, node, node) for name, node in zip(params, body.items, strict=False)]
    if body is None or (isinstance(body, Text) and body.empty):
        return []
    findings.add("CC103", f"{block.name} takes its arguments as a list or a mapping", body, "[1, 2]", where)
    return None


def parse_layer(text: str) -> Layer:
    """A layer from its kind and its fields; expressions may compute but name nothing. Raises SpecError.

    >>> parse_layer("conv2d: {out_channels: 8, k: 1 + 2}").output_shape(((3, 32, 32),))
    (8, 30, 30)
    """
    source = Source(text, "<layer>")
    root = parse(source)
    findings = Findings(source)
    if isinstance(root, Map) and len(root.entries) == 1:
        ((kind, body),) = root.entries.items()
        at = root.keys[kind]
    elif isinstance(root, Text) and not root.empty:
        kind, body, at = root.text, None, root
    else:
        source.fail("CC103", "one layer is a kind and its fields", root, hint="conv2d: {out_channels: 8, k: 3}")
    if kind not in KINDS:
        findings.problem(unknown_kind(kind, {}), at)
        findings.raise_any()
    scope = Scope(Names({}), {}, findings, {})
    what = compile_kind(scope, kind, at, body, kind)
    findings.raise_any()
    template = what.template if isinstance(what, Split) else what
    if not isinstance(template, LayerTemplate):
        source.fail("CC103", "a single layer has no branches", root)
    assert template.layer is not None
    return template.layer
