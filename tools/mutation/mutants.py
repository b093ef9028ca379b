"""The mutants of a module: its text with one small fault each.

A mutant is an edit of characters, found on the syntax tree. Not made are those that no test is to see: docstrings and
the wording of messages (every string), annotations, decorators, assertions, `strict=`, `copy=`, `__repr__`, what
compiles to the same bytecode, and what NumPy takes for the same: the size that `reshape` finds out, numbers of which
`result_type` asks the type. The first element becomes the second, not the last, which is the same where there is one.
Libraries were looked at: mutmut passes over decorated functions, which here are most properties; the operators of
cosmic-ray know no slices, no arguments and no bounds.
"""

from __future__ import annotations
import __future__

import ast
import marshal
import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import NamedTuple

ANNOTATIONS = __future__.annotations.compiler_flag
"""The flag of modules whose annotations are texts, as all are here."""

BINARY = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "/")}
BINARY |= {ast.Div: ("/", "//"), ast.Mod: ("%", "//"), ast.Pow: ("**", "*")}
BINARY |= {ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"), ast.BitAnd: ("&", "|")}
COMPARED: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
EXCHANGED = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}
TAKES_ANY_ORDER = frozenset({"min", "max", "gcd", "lcm", "isinstance", "maximum", "minimum", "result_type"})
UNREAD_KEYWORDS = frozenset({"strict", "copy"})
UNTOUCHED = frozenset({"__repr__"})


Key = tuple[str, str, str, str, int]
"""(module, scope, before, after, which): what names a mutant from one run to the next."""


class Mutant(NamedTuple):
    """One fault in one module, known by what it says rather than by where it stands."""

    module: str
    """The file, relative to the root."""
    scope: str
    """The function or class that holds it, by its dotted name; empty for the module itself."""
    before: str
    """The line as it is, its white space made one blank."""
    after: str
    """The line as it becomes."""
    which: int
    """Its number among those of which all of this is the same."""
    lines: tuple[int, ...]
    """The lines of the smallest statement that holds it."""
    at_import: bool
    """Whether it runs when the module is imported."""
    text: str
    """The whole module with the fault in it."""

    @property
    def key(self) -> Key:
        """What names it from one run to the next."""
        return self.module, self.scope, self.before, self.after, self.which


class Edit(NamedTuple):
    """Characters of the text that become others."""

    start: int
    stop: int
    new: str
    node: ast.AST


class Place(NamedTuple):
    """Where a node stands."""

    scope: str
    statement: ast.stmt
    at_import: bool


def mutants(root: Path, module: str) -> list[Mutant]:
    """All mutants of a module, in the order of their places."""
    text = (root / module).read_text("utf-8")
    return mutants_of(text, module)


def mutants_of(text: str, module: str = "module.py") -> list[Mutant]:
    """All mutants of a text.

    >>> [mutant.after for mutant in mutants_of("def double(x):\\n    return 2 * x\\n")]
    ['return 3 * x', 'return 1 * x', 'return 2 + x', 'return None']
    """
    tree = ast.parse(text)
    parts = _Parts(text, tree)
    found: list[Mutant] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for place, edit in sorted(_edits(text, tree), key=lambda pair: (pair[1].start, pair[1].stop)):
        if not parts.differ(edit):
            continue
        changed = text[: edit.start] + edit.new + text[edit.stop :]
        first = text.rfind("\n", 0, edit.start) + 1
        last = text.find("\n", edit.stop) % (len(text) + 1)
        before = " ".join(text[first:last].split())
        after = " ".join((text[first : edit.start] + edit.new + text[edit.stop : last]).split())
        which = seen[place.scope, before, after]
        seen[place.scope, before, after] += 1
        lines = _own_lines(place.statement)
        found.append(Mutant(module, place.scope, before, after, which, lines, place.at_import, changed))
    return found


def sample(found: list[Mutant], count: int | None, seed: int) -> list[Mutant]:
    """So many of them by chance, in the order of their places; a larger sample of a seed holds the smaller one."""
    order = list(range(len(found)))
    random.Random(seed).shuffle(order)
    return [found[number] for number in sorted(order[:count])]


class _Parts:
    """The statements of a module, of which an edit changes one."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        source = _Text(text)
        self.text = text
        self.bounds: list[tuple[int, int]] = []
        for node in tree.body:
            decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            self.bounds.append((source.at(first, 0), source.stop(node)))
        self.codes: dict[tuple[int, int], bytes] = {}

    def differ(self, edit: Edit) -> bool:
        """Whether an edit leaves a program, and another one."""
        start, stop = next(bounds for bounds in self.bounds if bounds[0] <= edit.start and edit.stop <= bounds[1])
        if (start, stop) not in self.codes:
            self.codes[start, stop] = _bytes(self.text[start:stop])
        try:
            return (
                _bytes(self.text[start : edit.start] + edit.new + self.text[edit.stop : stop])
                != self.codes[start, stop]
            )
        except (SyntaxError, ValueError):
            return False


def _bytes(text: str) -> bytes:
    """What a statement of a module compiles to, without its places."""

    def bare(part: CodeType) -> CodeType:
        constants = tuple(bare(item) if isinstance(item, CodeType) else item for item in part.co_consts)
        return part.replace(co_consts=constants, co_linetable=b"", co_firstlineno=1, co_exceptiontable=b"")

    return marshal.dumps(bare(compile(text, "", "exec", ANNOTATIONS, dont_inherit=True)))


def _own_lines(statement: ast.stmt) -> tuple[int, ...]:
    """The lines of a statement; those of its head alone where it holds others."""
    body = getattr(statement, "body", None)
    stop = body[0].lineno if isinstance(body, list) and body else (statement.end_lineno or statement.lineno) + 1
    return tuple(range(statement.lineno, max(stop, statement.lineno + 1)))


class _Text:
    """The text by characters, where the tree counts bytes of lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        characters = self.lines[line - 1].encode()[:column].decode()
        return self.starts[line - 1] + len(characters)

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.lineno, node.col_offset)

    def stop(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr | ast.stmt) -> str:
        return self.text[self.start(node) : self.stop(node)]

    def between(self, left: ast.expr, right: ast.expr, spelling: str) -> tuple[int, int]:
        """Where an operator stands between its operands, comments and brackets passed over."""
        start, stop = self.stop(left), self.start(right)
        gap = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), self.text[start:stop])
        pattern = re.escape(spelling).replace(r"\ ", r"\s+")
        match = re.search(rf"(?<![*/<>=!]){pattern}(?![*/<>=])", gap)
        assert match, (gap, spelling)
        return start + match.start(), start + match.end()


def _edits(text: str, tree: ast.Module) -> Iterator[tuple[Place, Edit]]:
    source = _Text(text)
    for node, place in _nodes(tree.body, "", True):
        for edit in _edits_of(source, node):
            yield place, edit


def _nodes(body: list[ast.stmt], scope: str, at_import: bool) -> Iterator[tuple[ast.AST, Place]]:
    """Every node that may be changed, with its place."""
    for statement in body:
        place = Place(scope, statement, at_import)
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            if statement.name in UNTOUCHED:
                continue
            inner = f"{scope}.{statement.name}".lstrip(".")
            if isinstance(statement, ast.FunctionDef):
                for default in (*statement.args.defaults, *(d for d in statement.args.kw_defaults if d)):
                    yield from ((node, place._replace(scope=inner)) for node in _expressions(default))
            yield from _nodes(statement.body, inner, at_import and isinstance(statement, ast.ClassDef))
        elif not _passed_over(statement):
            yield statement, place
            for name, value in ast.iter_fields(statement):
                if name == "annotation":
                    continue
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.stmt):
                        yield from _nodes([part], scope, at_import)
                    elif isinstance(part, (ast.ExceptHandler, ast.match_case)):
                        yield from _nodes(part.body, scope, at_import)
                    elif isinstance(part, ast.expr):
                        yield from ((node, place) for node in _expressions(part))


def _passed_over(statement: ast.stmt) -> bool:
    """Whether nothing of a statement is changed."""
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Assert, ast.Pass, ast.Global, ast.Nonlocal)):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    if isinstance(statement, ast.If) and isinstance(statement.test, ast.Name):
        return statement.test.id == "TYPE_CHECKING"
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id in ("__slots__", "__all__")
    return False


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without those of texts and of keywords that change no value."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.keyword) and node.arg in UNREAD_KEYWORDS):
        return
    yield node
    if isinstance(node, ast.Call) and _called(node) in ("reshape", "result_type"):
        alike = ast.Constant if _called(node) == "result_type" else ast.UnaryOp
        for part in ast.iter_child_nodes(node):
            if not isinstance(part, alike):
                yield from _expressions(part)
        return
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
        yield from _expressions(node.value)
        return
    for child in ast.iter_child_nodes(node):
        yield from _expressions(child)


def _called(node: ast.Call) -> str:
    """The last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _edits_of(source: _Text, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp):
        if type(node.op) in BINARY and not _textual(node.left) and not _textual(node.right):
            spelling, other = BINARY[type(node.op)]
            yield Edit(*source.between(node.left, node.right, spelling), other, node)
    elif isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for operator, (left, right) in zip(node.ops, pairwise(operands), strict=True):
            spelling, others = COMPARED[type(operator)]
            for other in others:
                yield Edit(*source.between(left, right, spelling), other, node)
    elif isinstance(node, ast.BoolOp):
        spelling, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            yield Edit(*source.between(left, right, spelling), other, node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield Edit(source.start(node), source.start(node.operand), "", node)
    elif isinstance(node, ast.Constant):
        yield from _constants(source, node)
    elif isinstance(node, ast.Call):
        yield from _calls(source, node)
    elif isinstance(node, ast.Subscript):
        yield from _first_element(source, node.slice)
    elif isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield Edit(source.start(bound), source.stop(bound), "", node)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield from _negated(source, node.test)
    elif isinstance(node, ast.comprehension):
        for condition in node.ifs:
            yield from _negated(source, condition)
    elif isinstance(node, ast.stmt):
        yield from _statements(source, node)


def _textual(node: ast.expr) -> bool:
    """Whether an operand is a text, a list or a tuple, of which there is no arithmetic to get wrong."""
    return isinstance(node, (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _constants(source: _Text, node: ast.Constant) -> Iterator[Edit]:
    value = node.value
    others: tuple[object, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, (int, float)):
        others = (value + 1, value - 1)
    for other in others:
        spelled = f"({other!r})" if isinstance(other, (int, float)) and other < 0 else repr(other)
        yield Edit(source.start(node), source.stop(node), spelled, node)


def _first_element(source: _Text, index: ast.expr) -> Iterator[Edit]:
    if isinstance(index, ast.Constant) and index.value == 0 and not isinstance(index.value, bool):
        yield Edit(source.start(index), source.stop(index), "1", index)


def _calls(source: _Text, node: ast.Call) -> Iterator[Edit]:
    name = _called(node)
    if name in EXCHANGED:
        stop = source.stop(node.func)
        yield Edit(stop - len(name), stop, EXCHANGED[name], node)
    if name == "range" and not isinstance(node.args[min(len(node.args), 2) - 1], ast.Constant):
        end = node.args[min(len(node.args), 2) - 1]
        for more in (" + 1", " - 1"):
            yield Edit(source.stop(end), source.stop(end), more, node)
    if name not in TAKES_ANY_ORDER:
        for one, other in pairwise(node.args):
            if isinstance(one, (ast.Name, ast.Attribute)) and isinstance(other, (ast.Name, ast.Attribute)):
                first, second = source.of(one), source.of(other)
                yield Edit(source.start(one), source.stop(other), f"{second}, {first}", node)


def _negated(source: _Text, condition: ast.expr) -> Iterator[Edit]:
    """The condition turned round, where no other fault does that already."""
    turned = isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not)
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1:
        turned = isinstance(condition.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn))
    if not turned:
        start, stop = source.start(condition), source.stop(condition)
        yield Edit(start, stop, f"not ({source.text[start:stop]})", condition)


def _statements(source: _Text, node: ast.stmt) -> Iterator[Edit]:
    if isinstance(node, ast.Return) and node.value is not None and not _nothing(node.value):
        yield Edit(source.start(node.value), source.stop(node.value), "None", node)
    elif isinstance(node, ast.AugAssign) and type(node.op) in BINARY and not _textual(node.value):
        spelling, other = BINARY[type(node.op)]
        start, stop = source.between(node.target, node.value, f"{spelling}=")
        yield Edit(start, stop, f"{other}=", node)
    elif isinstance(node, (ast.Raise, ast.Continue, ast.Break)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield Edit(source.start(node), source.stop(node), "pass", node)


def _nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
