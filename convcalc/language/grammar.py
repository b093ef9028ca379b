"""What may stand where in a spec, said once: a form reads its part of the text and describes it to editors.

A section is a form made of forms. Reading goes on behind what is wrong: every finding is collected, each at
its place. `schema` gives the same form as JSON Schema, draft 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, overload

from ..geometry import LIMIT
from ..hints import suggest
from ..marked import List, Map, Marked, Text
from .names import shown, without_space
from .problems import Findings, Problem, Where

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound="Entries")

Schema = dict[str, Any]
Vocabulary = Mapping[str, str]
"""The names of quantities that a claim or a cell may use, each with what it means."""

SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
WORD: Schema = {"type": "string"}


class Reader:
    """Where a form is read: where its findings go, and what stands around it."""

    __slots__ = ("findings", "name", "vocabulary", "where")

    def __init__(
        self, findings: Findings, vocabulary: Vocabulary | None = None, where: Where = "", name: Text | None = None
    ) -> None:
        self.findings = findings
        self.vocabulary: Vocabulary = vocabulary or {}
        self.where = where
        """The path that findings carry."""
        self.name = name
        """The key of the nearest mapping of names that this stands under."""

    def under(self, where: Where, name: Text | None) -> Reader:
        """The same under another name; under another path, unless that is empty."""
        return Reader(self.findings, self.vocabulary, where or self.where, name)

    def read(self, form: Form[T], node: Marked) -> T | None:
        """What a node says; None, and findings, where it has another form."""
        try:
            return form.read(node, self)
        except Problem as problem:
            self.findings.problem(problem, node, self.where)
            return None

    def say(self, text: str) -> str:
        """A message in which `{name}` is the name around it."""
        return text.replace("{name}", self.name.text if self.name else "")


class Form(Generic[T_co]):
    """What may stand at one place of a spec; `message` says what is expected, where something else stands."""

    node: ClassVar[type[Marked]] = Marked
    """Whether it is a scalar, a list or a mapping."""

    def __init__(self, message: str = "", hint: str | None = None) -> None:
        self.message = message
        self.hint = hint

    def accepts(self, node: Marked) -> bool:
        """Whether a node has the outer form."""
        return isinstance(node, self.node)

    def read(self, node: Marked, reader: Reader) -> T_co:
        """What a node says. What is wrong inside it becomes findings; raises a Problem where it has another form."""
        raise NotImplementedError

    def schema(self, vocabulary: Vocabulary) -> Schema:
        """The same as JSON Schema."""
        raise NotImplementedError

    def other(self, reader: Reader) -> Problem:
        """The problem of a node that has another form."""
        return Problem("CC103", reader.say(self.message), self.hint and reader.say(self.hint))


class Pending(NamedTuple):
    """A part of the text that is read by those who know its names: its key, and what stands under it."""

    key: Text | None
    value: Marked


class Later(Form[Pending]):
    """A part that is taken as it stands."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self._schema = schema

    def read(self, node: Marked, reader: Reader) -> Pending:
        return Pending(reader.name, node)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return self._schema


class Scalar(Form[T_co]):
    """A scalar; `parse` makes of its text what it says, or raises a Problem. With `filled`, `~` is none."""

    node = Text

    def __init__(
        self,
        parse: Callable[[str], T_co],
        message: str,
        hint: str | None = None,
        *,
        schema: Schema = SCALAR,
        filled: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.parse = parse
        self.filled = filled
        self._schema = schema

    def read(self, node: Marked, reader: Reader) -> T_co:
        if isinstance(node, Text) and not (self.filled and node.empty):
            return self.parse(node.text)
        raise self.other(reader)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return self._schema


MOST_DIGITS = 19
"""Digits of a whole number: those of 2^63 - 1."""


def whole(text: str) -> int | None:
    """The whole number that a text writes in decimal digits; None for any other text, and for too many digits.

    >>> whole("32"), whole("1e3"), whole("-1"), whole("9" * 5000)
    (32, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


class Whole(Form[int]):
    """A whole number within bounds; `message` says what takes one."""

    node = Text

    def __init__(self, message: str, hint: str, *, least: int = 1, most: int = LIMIT) -> None:
        within = f"of at least {least}" if most == LIMIT else f"from {least} to {most}"
        super().__init__(f"{message} a whole number {within}", hint)
        self.least = least
        self.most = most

    def read(self, node: Marked, reader: Reader) -> int:
        text = node.text if isinstance(node, Text) else ""
        number = whole(text)
        if number is not None and self.least <= number <= self.most:
            return number
        far = self.most == LIMIT and text.isdigit() and len(text) >= MOST_DIGITS
        message = reader.say(self.message) + (" and at most 2^63 - 1" if far else "")
        said = f", not {shown(text)}" if isinstance(node, Text) else ""
        raise Problem("CC103", message + said, self.hint)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        most = {} if self.most == LIMIT else {"maximum": self.most}
        return {"type": "integer", "minimum": self.least, **most}


class Version(Form[str]):
    """The version of what is written, the first key of its file."""

    def __init__(self, what: str, key: str, version: str) -> None:
        super().__init__()
        self._what = what
        self._key = key
        self._version = version

    def read(self, node: Marked, reader: Reader) -> str:
        if isinstance(node, Text) and node.text == self._version:
            return self._version
        said = shown(node.text) if isinstance(node, Text) else "this"
        raise Problem("CC112", f"the version {said} of {self._what} is not known", f"{self._key}: {self._version}")

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return {"enum": [int(self._version), self._version]}


class Nothing(Form[T_co]):
    """An empty scalar or `~`, which stands for a value."""

    def __init__(self, value: T_co) -> None:
        super().__init__()
        self.value = value

    def accepts(self, node: Marked) -> bool:
        return isinstance(node, Text) and node.empty

    def read(self, node: Marked, reader: Reader) -> T_co:
        return self.value

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return {"type": "null"}


class Placed(Form[tuple[T_co, Marked]]):
    """What a form reads, and the node that says it."""

    def __init__(self, form: Form[T_co]) -> None:
        super().__init__()
        self.form = form

    def accepts(self, node: Marked) -> bool:
        return self.form.accepts(node)

    def read(self, node: Marked, reader: Reader) -> tuple[T_co, Marked]:
        return self.form.read(node, reader), node

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return self.form.schema(vocabulary)


class Sizes(Form[tuple[int, ...]]):
    """A list of whole numbers."""

    node = List

    def read(self, node: Marked, reader: Reader) -> tuple[int, ...]:
        sizes = integers(node)
        if sizes is None:
            raise self.other(reader)
        return sizes

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 4}


def integers(node: Marked) -> tuple[int, ...] | None:
    """The numbers of a list; None where it is no list of whole numbers, or an empty one."""
    texts = [item.text if isinstance(item, Text) else "" for item in node.items] if isinstance(node, List) else []
    numbers = [number for number in map(whole, texts) if number is not None]
    return tuple(numbers) if numbers and len(numbers) == len(texts) else None


class Items(Form[list[T_co]]):
    """A list of what has one form. `twice` says what is wrong with a text that stands twice (`{key}`)."""

    node = List

    def __init__(
        self,
        form: Form[T_co],
        message: str = "",
        hint: str | None = None,
        *,
        least: int = 0,
        most: int | None = None,
        twice: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.form = form
        self.least = least
        self.most = most
        self.twice = twice

    def read(self, node: Marked, reader: Reader) -> list[T_co]:
        items = node.items if isinstance(node, List) else None
        if items is None or len(items) < self.least or (self.most is not None and len(items) > self.most):
            raise self.other(reader)
        found: list[T_co] = []
        seen: set[str] = set()
        for item in items:
            try:
                found.append(self.form.read(item, reader))
            except Problem as problem:
                reader.findings.problem(problem, item, reader.where)
            if self.twice and isinstance(item, Text):
                if item.text in seen:
                    message = self.twice.replace("{key}", shown(item.text))
                    reader.findings.add("CC105", message, item, None, reader.where)
                seen.add(item.text)
        return found

    def schema(self, vocabulary: Vocabulary) -> Schema:
        bounds = {"minItems": self.least, "maxItems": self.most, "uniqueItems": bool(self.twice)}
        said = {name: bound for name, bound in bounds.items() if bound}
        return {"type": "array", "items": self.form.schema(vocabulary), **said}


class Named(Form[dict[str, T_co]]):
    """A mapping of names to what has one form. What stands under a wrong name is read too, for whoever uses it.

    `where` is the path that findings below a name carry, `where_named` that of findings about the name itself; both
    may hold `{name}`, and are the path of the mapping where they say nothing. With `nothing`, an empty scalar is a
    mapping without names.
    """

    node = Map

    def __init__(
        self,
        form: Form[T_co],
        message: str = "",
        hint: str | None = None,
        *,
        names: Form[object] | None = None,
        where: str = "",
        where_named: str = "",
        least: int = 0,
        nothing: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.form = form
        self.names = names
        self.where = where
        self.where_named = where_named
        self.least = least
        self.nothing = nothing

    def read(self, node: Marked, reader: Reader) -> dict[str, T_co]:
        if self.nothing and isinstance(node, Text) and node.empty:
            return {}
        if not isinstance(node, Map) or len(node.entries) < self.least:
            raise self.other(reader)
        found: dict[str, T_co] = {}
        for name, value in node.entries.items():
            key = node.keys[name]
            if self.names is not None:
                reader.under(self.where_named.replace("{name}", name), None).read(self.names, key)
            inner = reader.under(self.where.replace("{name}", name), key)
            try:
                found[name] = self.form.read(value, inner)
            except Problem as problem:
                reader.findings.problem(problem, value, inner.where)
        return found

    def schema(self, vocabulary: Vocabulary) -> Schema:
        schema: Schema = {"type": ["object", "null"] if self.nothing else "object"}
        if self.names is not None:
            schema["propertyNames"] = self.names.schema(vocabulary)
        schema["additionalProperties"] = self.form.schema(vocabulary)
        return {**schema, "minProperties": self.least} if self.least else schema


class Either(Form[T_co]):
    """The first of several forms whose outer form a node has."""

    def __init__(self, *options: Form[T_co], message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.options = options

    def accepts(self, node: Marked) -> bool:
        return any(option.accepts(node) for option in self.options)

    def read(self, node: Marked, reader: Reader) -> T_co:
        for option in self.options:
            if option.accepts(node):
                return option.read(node, reader)
        raise self.other(reader)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return {"anyOf": [option.schema(vocabulary) for option in self.options]}


class OneOrMore(Form[list[T_co]]):
    """What has one form, or a list of such; with `nothing`, also an empty scalar for none."""

    def __init__(
        self, form: Form[T_co], message: str = "", hint: str | None = None, *, least: int = 0, nothing: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.form = form
        self.several = Items(form, message, hint, least=least)
        self.nothing = nothing

    def accepts(self, node: Marked) -> bool:
        return isinstance(node, List) or self.form.accepts(node)

    def read(self, node: Marked, reader: Reader) -> list[T_co]:
        if isinstance(node, List):
            return self.several.read(node, reader)
        return [] if self.nothing and isinstance(node, Text) and node.empty else [self.form.read(node, reader)]

    def schema(self, vocabulary: Vocabulary) -> Schema:
        nothing: list[Schema] = [{"type": "null"}] * self.nothing
        return {"anyOf": [self.form.schema(vocabulary), self.several.schema(vocabulary), *nothing]}


def defined(name: str) -> Schema:
    """A reference to a definition of the schema."""
    return {"$ref": f"#/definitions/{name}"}


class Key(Generic[T_co]):
    """A key that a mapping may have, and, as an attribute of its entries, what stands under it; None without it."""

    def __init__(
        self,
        form: Form[T_co],
        about: str = "",
        *,
        name: str = "",
        required: bool = False,
        hint: str | None = None,
        examples: tuple[object, ...] = (),
        where: str = "",
    ) -> None:
        self.form = form
        self.about = about
        self.name = name
        self.required = required
        self.hint = hint
        """What to write where it is required and missing."""
        self.examples = examples
        self.where = where
        """The path that findings under it carry; by default that of the mapping."""

    def __set_name__(self, owner: type[Entries], name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, entries: None, owner: type[Entries]) -> Key[T_co]: ...
    @overload
    def __get__(self, entries: Entries, owner: type[Entries]) -> T_co | None: ...
    def __get__(self, entries: Entries | None, owner: type[Entries]) -> Key[T_co] | T_co | None:
        return self if entries is None else entries.said.get(self.name)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        """The schema of what stands under it, described."""
        schema = self.form.schema(vocabulary)
        described = {"description": self.about} if self.about else {}
        return {**schema, **described, **({"examples": list(self.examples)} if self.examples else {})}


class Needed(Key[T_co]):
    """A key that a mapping must have. Its attribute is read once nothing is wrong with the text."""

    def __init__(self, form: Form[T_co], about: str = "", *, name: str = "", hint: str | None = None) -> None:
        super().__init__(form, about, name=name, required=True, hint=hint)

    @overload
    def __get__(self, entries: None, owner: type[Entries]) -> Key[T_co]: ...
    @overload
    def __get__(self, entries: Entries, owner: type[Entries]) -> T_co: ...
    def __get__(self, entries: Entries | None, owner: type[Entries]) -> Key[T_co] | T_co:
        if entries is None:
            return self
        found: T_co = entries.said[self.name]
        return found


class Entries:
    """What a mapping says, by its keys: the keys of a subclass are those it declares and those it inherits."""

    __slots__ = ("said", "under", "written")
    keys: ClassVar[dict[str, Key[Any]]] = {}

    def __init__(self, said: dict[str, Any], written: Marked | None = None, under: Text | None = None) -> None:
        self.said = said
        """Key -> what stands under it; what is wrong is missing."""
        self.written = written
        """Where it stands."""
        self.under = under
        """The name under which it stands."""

    def __init_subclass__(cls) -> None:
        own = {key.name: key for key in vars(cls).values() if isinstance(key, Key)}
        cls.keys = {**own, **cls.keys}


class Fields(Form[E]):
    """A mapping with the declared keys of its entries.

    `unknown` says what a key is that is not declared (`{key}`), `known` what there is (`{keys}`), `missing` what is
    wrong without a required one (`{key}`, and `{name}` for the name around it).
    """

    node = Map

    def __init__(
        self,
        entries: type[E],
        message: str,
        hint: str | None = None,
        *,
        unknown: str,
        known: str,
        missing: str = "",
        definition: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.entries = entries
        self.unknown = unknown
        self.known = known
        self.missing = missing
        self.definition = definition
        """The name under which the schema holds it; empty where it is written in place."""

    def read(self, node: Marked, reader: Reader) -> E:
        if not isinstance(node, Map):
            raise self.other(reader)
        said: dict[str, Any] = {}
        keys = self.entries.keys
        for name, value in node.entries.items():
            key = keys.get(name)
            if key is None:
                self.open(node.keys[name], value, said, reader)
                continue
            inner = reader.under(key.where, reader.name) if key.where else reader
            try:
                said[name] = key.form.read(value, inner)
            except Problem as problem:
                reader.findings.problem(problem, value, inner.where)
        for name, key in keys.items():
            if key.required and name not in node.entries:
                message = reader.say(self.missing.replace("{key}", name))
                reader.findings.add("CC104", message, reader.name or node, key.hint, key.where or reader.where)
        return self.entries(said, node, reader.name)

    def open(self, key: Text, value: Marked, said: dict[str, Any], reader: Reader) -> None:
        """What becomes of a key that is not declared: a finding."""
        keys = self.entries.keys
        hint = without_space(key.text, keys) or suggest(key.text, keys, self.known.replace("{keys}", ", ".join(keys)))
        reader.findings.add("CC101", self.unknown.replace("{key}", shown(key.text)), key, hint, reader.where)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return defined(self.definition) if self.definition else self.body(vocabulary)

    def body(self, vocabulary: Vocabulary) -> Schema:
        """The schema of the mapping itself."""
        keys = self.entries.keys
        required = [name for name, key in keys.items() if key.required]
        return {
            "type": "object",
            "properties": {name: key.schema(vocabulary) for name, key in keys.items()},
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }


class Short(Form[E]):
    """A mapping, or what would stand under one of its keys alone."""

    def __init__(self, fields: Fields[E], key: str) -> None:
        super().__init__(fields.message, fields.hint)
        self.fields = fields
        self.key = key
        self.alone: Form[Any] = fields.entries.keys[key].form

    def accepts(self, node: Marked) -> bool:
        return isinstance(node, Map) or self.alone.accepts(node)

    def read(self, node: Marked, reader: Reader) -> E:
        if isinstance(node, Map):
            return self.fields.read(node, reader)
        if not self.alone.accepts(node):
            raise self.other(reader)
        return self.fields.entries({self.key: self.alone.read(node, reader)}, node, reader.name)

    def schema(self, vocabulary: Vocabulary) -> Schema:
        return {"anyOf": [self.alone.schema(vocabulary), self.fields.schema(vocabulary)]}
