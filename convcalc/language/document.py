"""The document: a spec's sections, compiled and checked before anything is expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..hints import suggest
from ..layers.registry import TAKEN
from ..limits import NAMED_BYTES, NAMED_SPECS
from ..marked import Map, Marked, Source, Text
from ..network import Loss
from .declaration import KEY
from .events import parse
from .grammar import Pending, Reader
from .item_compiler import Scope
from .items import Block, Call, Group, Item, Known, LayerTemplate, below
from .names import shown
from .params import Compiled, Names, Param, Params, read_params, read_value, weight
from .problems import Findings, Problem
from .sections import SPEC, BlockSection, OutputSection, Reference, Shape
from .sources import read_named

if TYPE_CHECKING:
    from ..layers.base import Layer

Inputs = dict[str, tuple[list[tuple[Compiled, Marked]], Marked]]
"""Name -> its sizes with their places, and its place."""
Outputs = dict[str, tuple[tuple[str, ...], Compiled, Loss | None, Marked]]
"""Name -> its path, the weight of its loss, its place."""
Variant = dict[str, tuple[Compiled, Marked]]


PLAN = "sweep"
"""The key of what is no spec, but the plan of a sweep over one."""
NODE_STEPS = 2
"""Steps that a node of the text counts as."""
LAYER_STEPS = 16
"""Steps that making the model of a layer counts as."""
CHARACTER_STEPS = 4
"""Steps that a character of an expression counts as, once."""


class Document:
    """A spec, compiled. Raises a SpecError with everything that is wrong with its text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.steps = 0
        """Of all expansions so far, those that failed included, and of the reading."""
        self.named: dict[str, Document] = {}
        """The other specs that its tables name, by these names."""
        root = parse(source)
        if isinstance(root, Text) and root.empty:
            source.fail("CC006", "the file is empty", root, hint="start with 'convcalc: 1'")
        if not isinstance(root, Map):
            source.fail("CC006", "a spec is a mapping", root, hint="start with 'convcalc: 1'")
        if PLAN in root.entries and KEY not in root.entries:
            source.fail(
                "CC006", "this is the plan of a sweep, not a spec", root.keys[PLAN], hint="convcalc sweep reads it"
            )
        self.root: Map = root
        self.findings = Findings(source)
        self.known: Known = {}
        """The models of the layers; equal layers share one."""
        self.parts: dict[int, tuple[Layer, ...]] = {}
        """The parts of a split, by the id of the first, which is known."""
        self.batched: dict[tuple[int, int], Layer] = {}
        """The models under batch axes, by the id of the one inside, which is known, and by their number."""
        sections = SPEC.read(root, Reader(self.findings))
        self.params: Params = {}
        self.names = Names(self.params)
        """What expressions outside of layers see."""
        read_params(sections.params, self.params, self.names, self.findings, "params")
        for param in self.params.values():
            param.open = False
        self.variants: dict[str, Variant] = self._variants(sections.variants or {})
        self.inputs = self._inputs(sections.input)
        self.blocks: dict[str, Block] = {}
        self._word_arguments: list[tuple[Param, str, Marked, str]] = []
        self._compile_blocks(sections.blocks or {})
        scope = self._scope(self.names.plus("in_channels"))
        self.items: list[Item] = scope.items(sections.layers.value, "") if sections.layers else []
        self._judge_words()
        check_recursion(self.blocks, self.items, self.findings)
        self.outputs = None if sections.outputs is None else self._outputs(sections.outputs)
        """None where the spec does not name them."""
        self.findings.raise_any()
        self.binding = sum(weight(param.default) for param in self.params.values())
        """Steps that working out the parameters of one network counts as."""
        self.steps = self.reading = (
            NODE_STEPS * root.size + LAYER_STEPS * len(self.known) + CHARACTER_STEPS * self.names.expressions.characters
        )
        """The steps that reading the text took."""

    def section(self, key: str) -> Marked | None:
        """A top-level section, or None."""
        return self.root.entries.get(key)

    def text(self, key: str) -> str | None:
        """The text of a top-level scalar, or None."""
        node = self.section(key)
        return node.text if isinstance(node, Text) and not node.empty else None

    def other(self, name: str) -> Document:
        """Another spec that this one names, compiled once. Raises UsageError, SpecError; see `sources.read_named`."""
        found = self.named.get(name)
        if found is None:
            if len(self.named) >= NAMED_SPECS:
                self.source.fail("CC111", f"its tables name more than {NAMED_SPECS} other specs", None)
            left = NAMED_BYTES - sum(len(other.source.text.encode()) for other in self.named.values())
            found = self.named[name] = Document(read_named(name, self.source.path, max(left, 0)))
        return found

    def unused_params(self) -> list[tuple[str, Marked]]:
        """Parameters of the spec and of its blocks that nothing reads."""
        used = self.names.used.union(*(block.reads for block in self.blocks.values()))
        unused: list[tuple[str, Marked]] = [(name, param.at) for name, param in self.params.items() if name not in used]
        for block in self.blocks.values():
            params = block.params.items()
            unused += [(f"{block.name}.{name}", param.at) for name, param in params if name not in block.used]
        return unused

    def _scope(self, names: Names) -> Scope:
        scope = Scope(names, self.blocks, self.findings, self.known)
        scope.word_arguments = self._word_arguments
        return scope

    def _inputs(self, written: Shape | dict[str, Shape] | None) -> Inputs:
        shapes = written if isinstance(written, dict) else {"input": written} if written else {}
        return {
            name: (
                [(read_value(size, self.names, self.findings, truth=False, where=name), size) for _, size in sizes],
                at,
            )
            for name, (sizes, at) in shapes.items()
        }

    def _outputs(self, written: list[Reference] | dict[str, OutputSection]) -> Outputs:
        found: Outputs = {}
        if isinstance(written, list):
            return {".".join(path): (path, 1, None, at) for path, at in written}
        for name, output in written.items():
            weight = output.loss_weight
            value = (
                1
                if weight is None
                else read_value(weight.value, self.names, self.findings, truth=False, where="outputs")
            )
            found[name] = (tuple(name.split(".")), value, output.loss, self._key("outputs", name))
        return found

    def _key(self, section: str, name: str) -> Text:
        """Where a name stands in a section that is a mapping."""
        node = self.section(section)
        assert isinstance(node, Map)
        return node.keys[name]

    def _variants(self, written: dict[str, dict[str, Pending]]) -> dict[str, Variant]:
        found: dict[str, Variant] = {}
        for name, body in written.items():
            where = f"variants.{name}"
            found[name] = {key: (self._override(key, pending, where), pending.value) for key, pending in body.items()}
        for name, variant in found.items():
            for key, (value, at) in variant.items():
                self._judge(self.params.get(key), value, at, f"variants.{name}")
        return found

    def _override(self, name: str, given: Pending, where: str) -> Compiled:
        """The value that a variant gives a parameter; its words become words that the parameter takes."""
        param = self.params.get(name)
        if param is None:
            hint = suggest(name, self.params, "declare it under params")
            self.findings.add("CC109", f"there is no parameter {shown(name)}", given.key, hint, where)
            return None
        compiled = read_value(
            given.value, self.names.before(param.position), self.findings, free_words=True, where=where
        )
        if isinstance(compiled, str) and param.takes == "words":
            param.words.add(compiled)
        return compiled

    def _judge(self, param: Param | None, value: Compiled, at: Marked, where: str) -> None:
        if param is not None and (isinstance(value, (int, str, tuple)) or value is None):
            try:
                param.check(value)
            except Problem as problem:
                self.findings.problem(problem, at, where)

    def _compile_blocks(self, written: dict[str, BlockSection]) -> None:
        node = self.section("blocks")
        if not isinstance(node, Map):
            return
        self.blocks.update({name: Block(name, at) for name, at in node.keys.items() if name not in TAKEN})
        scopes = {name: self._read_block(block, written.get(name)) for name, block in self.blocks.items()}
        for name, block in self.blocks.items():
            body, scope = written.get(name), scopes[name]
            if body is not None and "layers" in body.said:
                block.items = scope.items(body.layers.value, name)
            for param in block.params.values():
                param.words |= scope.names.words if param.takes == "words" else set()

    def _read_block(self, block: Block, body: BlockSection | None) -> Scope:
        outer = Names(self.params, used=block.reads)
        names = Names(block.params, extra=frozenset({"in_channels"}), outer=outer, used=block.used)
        if body is not None:
            read_params(body.params, block.params, names, self.findings, block.name)
        return self._scope(names)

    def _judge_words(self) -> None:
        for param, word, at, where in self._word_arguments:
            self._judge(param, word, at, where)


A_STEP = 3
"""Fields, arguments or parameters that one step is counted for."""
CEILING = 10**12
"""Sizes are counted up to here: far above every limit."""


def check_recursion(blocks: dict[str, Block], items: list[Item], findings: Findings) -> None:
    """Find blocks that contain themselves; without any, set the sizes of all items and what the layers reach."""
    calls = {name: list(_calls(block.items)) for name, block in blocks.items()}
    finished: list[str] = []
    state: dict[str, bool] = {}
    for start in blocks:
        if start in state:
            continue
        state[start] = False
        trail = [(start, iter(calls[start]))]
        while trail:
            name, rest = trail[-1]
            item = next(rest, None)
            if item is None:
                state[name] = True
                finished.append(name)
                trail.pop()
                continue
            assert isinstance(item.what, Call)
            inner = item.what.block.name
            if inner not in state:
                state[inner] = False
                trail.append((inner, iter(calls[inner])))
            elif not state[inner]:
                names = [entry for entry, _ in trail]
                circle = " > ".join([*names[names.index(inner) :], inner])
                hint = "a block cannot stand inside itself; use repeat for a fixed number of times"
                findings.add("CC110", f"the block {inner} contains itself: {circle}", item.at, hint, name)
    if findings.all:
        return
    memo: dict[int, int] = {}
    for name in finished:
        blocks[name].size = _measure(blocks[name].items, memo)
    _measure(items, memo)
    reached = list(_calls(items))
    while reached:
        call = reached.pop().what
        assert isinstance(call, Call)
        if not call.block.called:
            call.block.called = True
            reached += calls[call.block.name]


def _calls(items: list[Item]) -> Iterator[Item]:
    """The calls of blocks among items and inside their groups and branches."""
    return (item for item in below(items) if isinstance(item.what, Call))


def _shared(item: Item) -> int:
    """How many references its `share` has."""
    named = None if item.share is None else item.share[0]
    return len(named) if isinstance(named, dict) else int(item.share is not None)


def _weight(item: Item) -> int:
    """Steps that what an item says counts as: its references, and what is evaluated."""
    what = item.what
    said: list[Compiled] = [found[0] for found in (item.repeat, item.when) if found is not None]
    steps = len(item.sources or ()) + _shared(item)
    if isinstance(what, Call):
        said += [compiled for _, compiled, _ in what.arguments]
        said += [param.default for param in what.block.params.values()]
        steps += 1 + (len(what.arguments) + len(what.block.params) + len(what.block.reads)) // A_STEP
    elif not isinstance(what, Group):
        template = what if isinstance(what, LayerTemplate) else what.template
        said += [compiled for _, compiled, _ in template.fields]
        steps += len(template.fields) // A_STEP + 1 if template.layer is None else 0
    return steps + sum(map(weight, said))


def _measure(items: list[Item], memo: dict[int, int]) -> int:
    """Expansion steps of a list, computed repetitions counted once; as deep as the text is nested."""
    found = memo.get(id(items))
    if found is None:
        found = 0
        for item in items:
            item.weight = 1 + _weight(item)
            item.size = item.weight
            if isinstance(item.what, Call):
                item.size += item.what.block.size
            elif not item.plain:
                item.size += sum(_measure(inner, memo) + 1 for inner in item.lists)
            constant = item.repeat[0] if item.repeat is not None else 1
            found += item.size * constant if type(constant) is int else item.size
        found = memo[id(items)] = min(found, CEILING)
    return found
