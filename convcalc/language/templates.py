"""What stands under a kind or a block's name, compiled: fields, branches, arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hints import near, suggest
from ..layers.registry import layer_class
from ..marked import List, Map, Marked, Text
from .expressions import Expression
from .items import BRANCH_ORDER, JOINS, Block, Branch, Call, Join, LayerProblems, LayerTemplate, Split, What
from .kind_fields import FieldType, fields_of
from .names import WIRING, check_name, shown
from .params import Param
from .problems import Problem, Where
from .syntax import QUOTE
from .written_values import INVALID, Compiled, read_value

if TYPE_CHECKING:
    from .item_compiler import Scope


def compile_kind(scope: Scope, kind: str, at: Text, body: Marked | None, where: Where) -> What:
    """A layer, a split or a join of what stands under its kind. Errors are added to the scope's findings."""
    key = _text_key(kind, body)
    if key is not None:
        template = scope.constants.get(key)
        if template is not None:
            return Split(template) if kind == "split" else template
    branches: list[Branch] | None = None
    errors = len(scope.findings.all)
    fields: list[tuple[FieldType, Compiled, Marked]] = []
    if isinstance(body, Map):
        fields = _fields(scope, kind, at, body, where)
        if "branches" in body.entries and kind in JOINS:
            branches = _branches(scope, kind, body.entries["branches"], where)
    elif body is not None and not (isinstance(body, Text) and body.empty):
        scope.findings.add("CC103", f"{kind} takes named fields", body, _example(kind, body), where)
        return LayerTemplate(kind, layer_class(kind), [])
    types = fields_of(kind)
    given = {types[key].name for key in body.entries if key in types} if isinstance(body, Map) else set()
    missing = list(dict.fromkeys([f.name for f in types.values() if f.required and f.name not in given]))
    if missing:
        scope.findings.add("CC104", f"{kind} needs {' and '.join(missing)}", at, _spelling(kind, missing), where)
    template = LayerTemplate(kind, layer_class(kind), fields)
    if template.constant and len(scope.findings.all) == errors:
        try:
            template.layer = template.build({}, scope.known, 0 if kind == "split" else None)
        except LayerProblems as wrong:
            for problem in wrong.problems:
                scope.findings.problem(problem, at, where)
        if key is not None and len(scope.findings.all) == errors:
            scope.constants[key] = template
    if branches is not None:
        return Join(template, branches)
    return Split(template) if kind == "split" else template


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


def _example(kind: str, body: Marked) -> str:
    """How to write a kind that was given something else than fields."""
    if kind in JOINS:
        return f"write {{{kind}: {{}}, from: [a, b]}} or {kind}: {{branches: {{a: [...], b: []}}}}"
    types = fields_of(kind)
    required = [name for name, field in types.items() if field.required and field.name == name]
    if required:
        return f"write {_spelling(kind, required)}"
    if len(types) == 1 and isinstance(body, Text):
        return f"write {kind}: {{{next(iter(types))}: {body.text[:40]}}}"
    names = ", ".join(dict.fromkeys(field.name for field in types.values()))
    return f"write {kind} alone" + (f", or with fields of {names}" if names else "")


def _spelling(kind: str, names: list[str]) -> str:
    letters = {name: letter for letter, name in layer_class(kind).short_forms.items()}
    return f"{kind}: {{{', '.join(f'{letters.get(name, name)}: ...' for name in names)}}}"


def _fields(scope: Scope, kind: str, at: Text, body: Map, where: Where) -> list[tuple[FieldType, Compiled, Marked]]:
    types = fields_of(kind)
    found: dict[str, tuple[FieldType, Compiled, Marked]] = {}
    seen: dict[str, str] = {}
    for key, node in body.entries.items():
        field = types.get(key)
        if field is None:
            if key != "branches" or kind not in JOINS:
                scope.findings.add("CC101", *_unknown_field(kind, key, body.keys[key], types), where)
            continue
        if field.name in seen:
            message = f"{seen[field.name]} and {key} are the same field"
            scope.findings.add("CC002", message, body.keys[key], "write it once", where)
            continue
        seen[field.name] = key
        value = read_value(node, scope.names, scope.findings, words=field.words, where=where)
        if value is not INVALID:
            _note_words(scope, value, field)
            found[field.name] = (field, value, node)
    return list(found.values())


def _unknown_field(kind: str, key: str, at: Text, types: dict[str, FieldType]) -> tuple[str, Text, str | None]:
    if key in ("in_channels", "in_features", "num_features"):
        hint: str | None = "input channels are never written: they follow from what arrives"
    elif key == "branches":
        hint = f"branches belong to {', '.join(sorted(JOINS))}"
    elif key.endswith((")", "]")):
        hint = QUOTE
    elif key in ("units", "filters"):
        hint = suggest("out", types)
    elif key in WIRING:
        hint = f"{key} stands beside the kind: {{{kind}: {{...}}, {key}: ...}}"
    elif near(key, WIRING) and not near(key, types):
        hint = f"{suggest(key, WIRING)} It stands beside the kind: {{{kind}: {{...}}, name: ...}}"
    else:
        hint = suggest(key, types, f"{kind} takes {', '.join(dict.fromkeys(t.name for t in types.values()))}")
        if not types:
            hint = f"{kind} takes no fields"
    return f"{kind} has no field {shown(key)}", at, hint


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
    order = BRANCH_ORDER.get(kind)
    if order is None:
        return list(found.values())
    if set(found) != set(order):
        message = f"the branches of {kind} are {', '.join(order)}, not {', '.join(found)}"
        scope.findings.add("CC103", message, node, f"an identity is an empty list: {order[-1]}: []", where)
        return []
    return [found[name] for name in order]


def _inside(where: Where, name: str) -> Where:
    return lambda: f"{where if isinstance(where, str) else where()}.{name}"


def compile_call(scope: Scope, block: Block, at: Text, body: Marked | None, where: Where) -> Call:
    """A call of a block, its arguments named or in order. Errors are added to the scope's findings."""
    given: list[tuple[str, Marked, Marked]] = []
    params = list(block.params)
    findings = scope.findings
    if isinstance(body, Map):
        given = [(name, body.keys[name], node) for name, node in body.entries.items()]
    elif isinstance(body, List):
        if len(body.items) > len(params):
            plural = "s" * (len(params) != 1)
            message = f"{block.name} takes {len(params)} argument{plural}, not {len(body.items)}"
            findings.add("CC109", message, body.items[len(params)], f"in order: {', '.join(params)}", where)
        given = [(name, node, node) for name, node in zip(params, body.items, strict=False)]
    elif body is not None and not (isinstance(body, Text) and body.empty):
        findings.add("CC103", f"{block.name} takes its arguments as a list or a mapping", body, "[1, 2]", where)
        return Call(block, [])
    arguments: list[tuple[Param, Compiled, Marked]] = []
    for name, key, node in given:
        param = block.params.get(name)
        if param is None:
            hint = suggest(name, params, f"{block.name} takes {', '.join(params) or 'no arguments'}")
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
