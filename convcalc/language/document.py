"""The document: a spec's sections, compiled and checked before anything is expanded."""

from __future__ import annotations

from ..hints import suggest
from ..layers.registry import KINDS
from ..marked import List, Map, Marked, Source, Text
from .ends import read_inputs, read_outputs
from .errors import Findings, Problem
from .events import parse
from .items import Block, Item, Known
from .names import GROUP, WIRING, check_name, shown
from .params import Param, Params, read_params
from .recursion import check_recursion
from .schema import Scope
from .values import Compiled, Names, read_value

VERSION = "1"
KEYS = (
    "convcalc", "name", "title", "description", "source", "input", "params", "variants",
    "blocks", "layers", "outputs", "expect", "published", "notes",
)  # fmt: skip

Variant = dict[str, tuple[Compiled, Marked]]


class Document:
    """A spec, compiled. Raises a SpecError with everything that is wrong with its text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        root = parse(source)
        if isinstance(root, Text) and root.empty:
            source.fail("CC006", "the file is empty", root, hint="start with 'convcalc: 1'")
        if not isinstance(root, Map):
            source.fail("CC006", "a spec is a mapping", root, hint="start with 'convcalc: 1'")
        self.root: Map = root
        self.findings = Findings(source)
        self.known: Known = {}
        """The models of the layers; equal layers share one."""
        self._check_keys()
        self.params: Params = {}
        self.names = Names(self.params)
        """What expressions outside of layers see."""
        read_params(self.section("params"), self.params, self.names, self.findings, "params")
        for param in self.params.values():
            param.open = False
        self.variants: dict[str, Variant] = self._variants()
        self.inputs = read_inputs(self.section("input"), self.names, self.findings)
        self.blocks: dict[str, Block] = {}
        self._word_arguments: list[tuple[Param, str, Marked, str]] = []
        self._compile_blocks()
        scope = self._scope(self.names.plus("in_channels"))
        self.items: list[Item] = scope.items(root.entries["layers"], "") if "layers" in root.entries else []
        self._judge_words()
        check_recursion(self.blocks, self.items, self.findings)
        self.outputs = read_outputs(self.section("outputs"), self.names, self.findings)
        self.findings.raise_any()

    def section(self, key: str) -> Marked | None:
        """A top-level section, or None."""
        return self.root.entries.get(key)

    def text(self, key: str) -> str | None:
        """The text of a top-level scalar, or None."""
        node = self.section(key)
        return node.text if isinstance(node, Text) and not node.empty else None

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

    def _check_keys(self) -> None:
        for key, at in self.root.keys.items():
            if key not in KEYS:
                hint = suggest(key, KEYS, f"top-level keys: {', '.join(KEYS)}")
                self.findings.add("CC101", f"{shown(key)} is no section of a spec", at, hint)
        version = self.section("convcalc")
        if version is not None and not (isinstance(version, Text) and version.text == VERSION):
            said = shown(version.text) if isinstance(version, Text) else "this"
            self.findings.add("CC112", f"the version {said} of the language is not known", version, "convcalc: 1")
        for key in ("name", "title", "description", "source"):
            node = self.section(key)
            if node is not None and not isinstance(node, Text):
                self.findings.add("CC103", f"{key} is a text", node, None, key)
        for key, hint in (("input", "input: [3, 224, 224]"), ("layers", "layers: [...]")):
            node = self.section(key)
            if node is None:
                self.findings.add("CC104", f"a spec needs '{key}'", self.root, hint, key)
            elif key == "input" and isinstance(node, (List, Map)) and not node.size > 1:
                self.findings.add("CC104", f"'{key}' is empty", node, hint, key)

    def _variants(self) -> dict[str, Variant]:
        node = self.section("variants")
        found: dict[str, Variant] = {}
        if node is None or (isinstance(node, Text) and node.empty):
            return found
        if not isinstance(node, Map):
            self.findings.add("CC103", "variants are a mapping", node, "variants: {wide: {width: 2}}", "variants")
            return found
        for name, body in node.entries.items():
            where = f"variants.{name}"
            try:
                check_name(name, "variant's name")
            except Problem as problem:
                self.findings.problem(problem, node.keys[name], where)
            if not isinstance(body, Map):
                if not (isinstance(body, Text) and body.empty):
                    self.findings.add("CC103", "a variant is a mapping of parameters", body, "{width: 2}", where)
                found[name] = {}
                continue
            found[name] = {key: (self._override(key, value, body.keys[key], where), value)
                           for key, value in body.entries.items()}  # fmt: skip
        for name, variant in found.items():
            for key, (value, at) in variant.items():
                self._judge(self.params.get(key), value, at, f"variants.{name}")
        return found

    def _override(self, name: str, value: Marked, at: Text, where: str) -> Compiled:
        """The value that a variant gives a parameter; its words become words that the parameter takes."""
        param = self.params.get(name)
        if param is None:
            hint = suggest(name, self.params, "declare it under params")
            self.findings.add("CC109", f"there is no parameter {shown(name)}", at, hint, where)
            return None
        compiled = read_value(value, self.names.before(param.position), self.findings, free_words=True, where=where)
        if isinstance(compiled, str) and param.takes == "words":
            param.words.add(compiled)
        return compiled

    def _judge(self, param: Param | None, value: Compiled, at: Marked, where: str) -> None:
        if param is not None and (isinstance(value, (int, str, tuple)) or value is None):
            try:
                param.check(value)
            except Problem as problem:
                self.findings.problem(problem, at, where)

    def _compile_blocks(self) -> None:
        node = self.section("blocks")
        if node is None or (isinstance(node, Text) and node.empty):
            return
        if not isinstance(node, Map):
            self.findings.add("CC103", "blocks are a mapping", node, "blocks: {name: {params: [], layers: []}}")
            return
        for name, at in node.keys.items():
            try:
                check_name(name, "block's name")
                if name in KINDS or name in WIRING or name == GROUP:
                    raise Problem("CC105", f"a block cannot be called {shown(name)}, as a kind or a key is")
            except Problem as problem:
                self.findings.problem(problem, at, f"blocks.{name}")
                if name in KINDS:
                    continue
            self.blocks[name] = Block(name, at)
        bodies = [(block, node.entries[name]) for name, block in self.blocks.items()]
        scopes = [self._read_block(block, body) for block, body in bodies]
        for (block, body), scope in zip(bodies, scopes, strict=True):
            if isinstance(body, Map) and "layers" in body.entries:
                block.items = scope.items(body.entries["layers"], block.name)
            for param in block.params.values():
                param.words |= scope.names.words if param.takes == "words" else set()

    def _read_block(self, block: Block, body: Marked) -> Scope:
        where = block.name
        outer = Names(self.params, used=block.reads)
        names = Names(block.params, extra=frozenset({"in_channels"}), outer=outer, used=block.used)
        if not isinstance(body, Map):
            self.findings.add("CC103", "a block is a mapping of params and layers", body, None, where)
        else:
            for key, at in body.keys.items():
                if key not in ("params", "layers"):
                    hint = suggest(key, ("params", "layers"), "a block has params and layers")
                    self.findings.add("CC101", f"a block has no {shown(key)}", at, hint, where)
            if "layers" not in body.entries:
                self.findings.add("CC104", f"the block {block.name} needs layers", block.at, None, where)
            read_params(body.entries.get("params"), block.params, names, self.findings, where)
        return self._scope(names)

    def _judge_words(self) -> None:
        for param, word, at, where in self._word_arguments:
            self._judge(param, word, at, where)
