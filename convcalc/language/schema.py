"""Items of a spec: marked data -> records, all keys, literals and expressions checked before anything is expanded."""

from __future__ import annotations

from ..hints import near, shortened, suggest
from ..layers.registry import KINDS
from ..marked import List, Map, Marked, Text
from .errors import Findings, Problem, Where
from .expressions import Expression
from .fields import fields_of
from .grammar import Reader
from .items import Block, Group, Item, Known, LayerTemplate, What
from .names import GROUP, WIRING, shown
from .params import Param
from .sections import Wiring
from .templates import compile_call, compile_kind
from .values import INVALID, Compiled, Names, read_value

SYNONYMS = {
    "dense": "linear",
    "fc": "linear",
    "fullyconnected": "linear",
    "bn": "batch_norm",
    "lrn": "local_response_norm",
    "deconv": "conv_transpose2d",
    "deconv2d": "conv_transpose2d",
    "upconv": "conv_transpose2d",
    "conv2dtranspose": "conv_transpose2d",
    "maxpooling2d": "max_pool2d",
    "averagepooling2d": "avg_pool2d",
    "gap": "global_avg_pool",
    "swish": "silu",
    "cat": "concat",
    "concatenate": "concat",
    "sum": "add",
    "mul": "multiply",
    "interpolate": "upsample",
}
"""What other languages call some kinds."""


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
            raise _no_single_kind(entry, kinds, self.blocks)
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
        strange = [key for key in kinds if key not in KINDS and key not in self.blocks and near(key, WIRING)]
        if len(kinds) - len(strange) != 1:
            return kinds
        for key in strange:
            message = f"an item has no {shown(key)}: beside its kind stand {', '.join(WIRING)}"
            self.findings.add("CC101", message, entry.keys[key], suggest(key, WIRING), where)
        return [key for key in kinds if key not in strange]

    def _what(self, key: str, at: Text, body: Marked | None, where: Where) -> What:
        if key in KINDS:
            return compile_kind(self, key, at, body, where)
        if key in self.blocks:
            return compile_call(self, self.blocks[key], at, body, where)
        if key == GROUP and body is not None:
            return Group(self.items(body, where))
        raise unknown_kind(key, self.blocks)

    def _wire(self, item: Item, entry: Map, inner: Scope, where: Where) -> None:
        """Read name, from, repeat and when."""
        for key, node in entry.entries.items():
            try:
                if key == "name":
                    item.name, item.name_at = Wiring.name.form.read(node, Reader(self.findings)), node
                elif key == "from":
                    item.sources = Wiring.sources.form.read(node, Reader(self.findings, where=where))
                elif key == "repeat":
                    item.repeat = (self._number(key, node, where), node)
                elif key == "when":
                    value = inner._number(key, node, where)
                    item.when = (value, node)
                    item.indexed = isinstance(value, Expression) and "index" in value.names
            except Problem as problem:
                self.findings.problem(problem, node, where)
        item.plain = item.plain and not (item.sources or item.repeat or item.when)

    def _number(self, key: str, node: Marked, where: Where) -> Compiled:
        """The value of `repeat` or `when`."""
        if isinstance(node, Text):
            value = read_value(node, self.names, self.findings, where=where)
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


def unknown_kind(key: str, blocks: dict[str, Block]) -> Problem:
    """The problem of a key that is neither a kind nor a block."""
    if key in WIRING or key == GROUP:
        return Problem("CC102", f"{shown(key)} alone is no item", "an item is a kind, a block or layers: [...]")
    synonym = SYNONYMS.get(key.lower().replace("_", ""))
    hint = (
        f"did you mean '{synonym}'?" if synonym else suggest(key, [*KINDS, *blocks], "or define a block of this name")
    )
    return Problem("CC102", f"{shown(key)} is no kind and no block", hint)


def _no_single_kind(entry: Map, kinds: list[str], blocks: dict[str, Block]) -> Problem:
    if not kinds:
        return Problem("CC102", "an item needs a kind or a block", "beside name, from, repeat and when")
    stray = next((key for key in kinds if key not in KINDS and key not in blocks and key != GROUP), kinds[1])
    owner = next((key for key in kinds if key in KINDS and (stray in fields_of(key) or stray == "branches")), None)
    if owner is not None:
        hint = f"fields stand under the kind: {{{owner}: {{{stray}: ...}}}}"
    elif stray in KINDS or stray in blocks or stray == GROUP:
        hint = "start each item with a '- ' of its own"
    else:
        hint = "what a layer is stands under its kind; only name, from, repeat and when stand beside it"
    keys = shortened([shown(key) for key in kinds], 5)
    problem = Problem("CC101", f"an item has one kind or block, here stand {keys}", hint)
    problem.at = entry.keys[stray]
    return problem
