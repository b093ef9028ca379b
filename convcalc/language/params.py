"""What a scalar or a list of the text means (a number, a word, an expression of names), and the parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from ..geometry import LIMIT
from ..hints import shortened, suggest
from ..limits import EXPRESSIONS_CHARACTERS
from ..marked import List, Map, Marked, Text
from .expressions import CONSTANTS, Expression, compile_expression
from .functions import FUNCTIONS
from .names import shown
from .problems import Findings, Problem, TooMuch, Where
from .sections import Declarations
from .values import Value, listed, say

NOTHING: frozenset[str] = frozenset()
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
"""The spellings of a truth value that every version of YAML knows."""
_SEXAGESIMAL = re.compile(r"[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?")


class Expressions(dict[str, Expression]):
    """The expressions of one file by their texts, equal ones compiled once."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = 0
        """Of all of them together."""

    def __missing__(self, text: str) -> Expression:
        self.characters += len(text)
        if self.characters > EXPRESSIONS_CHARACTERS:
            message = f"the expressions up to here that differ have more than {EXPRESSIONS_CHARACTERS:,} characters"
            raise TooMuch("CC111", message, "a block with params says once what items have in common")
        found = self[text] = compile_expression(text)
        return found


class Names:
    """The names that an expression may use where it stands; what is used is noted with those who declare it."""

    __slots__ = ("declared", "expressions", "extra", "limit", "outer", "used", "words")

    def __init__(
        self,
        declared: Mapping[str, Param],
        *,
        extra: frozenset[str] = NOTHING,
        limit: int | None = None,
        outer: Names | None = None,
        used: set[str] | None = None,
        words: set[str] | None = None,
        expressions: Expressions | None = None,
    ) -> None:
        self.declared = declared
        """The parameters of the block, or of the spec."""
        self.limit = limit
        """Only the parameters before this position are seen; None for all."""
        self.extra = extra
        """in_channels, index."""
        self.outer = outer
        """The names of the spec, inside a block."""
        self.used = used if used is not None else set()
        """The declared names that are used."""
        self.words = words if words is not None else set()
        """Words that expressions compare with."""
        if expressions is None:
            expressions = outer.expressions if outer is not None else Expressions()
        self.expressions: Expressions = expressions
        """Those of the file."""

    def find(self, name: str) -> Param | None:
        """The parameter that a name means."""
        param = self.declared.get(name)
        if param is not None and (self.limit is None or param.position < self.limit):
            return param
        return self.outer.find(name) if self.outer is not None else None

    def knows(self, name: str) -> bool:
        """Whether a name means something."""
        return name in self.extra or self.find(name) is not None

    def below(self, name: str) -> bool:
        """Whether a name is declared, but too late to be seen."""
        return name in self.declared and not self.knows(name)

    def use(self, name: str) -> None:
        """Note that a name is used."""
        if name in self.declared and (self.limit is None or self.declared[name].position < self.limit):
            self.used.add(name)
        elif name not in self.extra and self.outer is not None:
            self.outer.use(name)

    def all(self) -> list[str]:
        """Every name that means something."""
        own = [name for name, param in self.declared.items() if self.limit is None or param.position < self.limit]
        return [*own, *self.extra, *(self.outer.all() if self.outer is not None else ())]

    def plus(self, name: str) -> Names:
        """These and one more; what is used is noted in one place."""
        return self._with(self.extra | {name}, self.limit)

    def before(self, position: int) -> Names:
        """These, of the declared ones those before a position only."""
        return self._with(self.extra, position)

    def _with(self, extra: frozenset[str], limit: int | None) -> Names:
        return Names(
            self.declared,
            extra=extra,
            limit=limit,
            outer=self.outer,
            used=self.used,
            words=self.words,
            expressions=self.expressions,
        )


class Listed:
    """A list of values of which some are expressions."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Compiled, ...]) -> None:
        self.parts = parts


class _Invalid:
    """Stands for a value whose error has been reported."""


INVALID = _Invalid()
Compiled: TypeAlias = "Value | Expression | Listed | _Invalid | None"


def is_constant(compiled: Compiled) -> bool:
    """Whether the value needs no names."""
    return not isinstance(compiled, (Expression, Listed))


def evaluate(compiled: Compiled, env: Mapping[str, Value]) -> Value | None:
    """The value under these names; None for `~`. Raises a Problem (CC108)."""
    if isinstance(compiled, Expression):
        return compiled.evaluate(env)
    if isinstance(compiled, Listed):
        return listed([evaluate(part, env) for part in compiled.parts])  # type: ignore[misc]
    assert not isinstance(compiled, _Invalid)
    return compiled


def evaluated(compiled: Compiled, env: Mapping[str, Value], at: Marked) -> Value | None:
    """The value of what is written at a place, where its Problem is placed."""
    try:
        return evaluate(compiled, env)
    except Problem as problem:
        problem.at = at
        raise


def counted(compiled: Compiled, env: Mapping[str, Value], at: Marked, message: str, least: int) -> int:
    """The same of a whole number that is no smaller; `message` says what takes one."""
    value = evaluated(compiled, env, at)
    if type(value) is int and value >= least:
        return value
    said = say(value) if value is not None else "nothing"
    problem = Problem("CC103", f"{message} an integer of at least {least}, not {said}")
    problem.at = at
    raise problem


def weight(compiled: Compiled) -> int:
    """Steps that evaluating the value counts as."""
    if isinstance(compiled, Listed):
        return 1 + len(compiled.parts) // 10 + sum(map(weight, compiled.parts))
    return 1 + compiled.weight if isinstance(compiled, Expression) else 0


def read_value(
    node: Marked,
    names: Names,
    findings: Findings,
    *,
    words: frozenset[str] = NOTHING,
    free_words: bool = False,
    truth: bool = True,
    where: Where = "",
) -> Compiled:
    """What a node means: constants are evaluated, expressions compiled and their names checked.

    `words` are the words that stand for themselves here; with `free_words` (parameters) any identifier
    that names nothing does. `truth` says whether a truth value may stand here. Errors are added to the
    findings, and INVALID is returned.
    """
    if isinstance(node, List):
        parts = [
            read_value(item, names, findings, words=words, free_words=free_words, truth=truth, where=where)
            for item in node.items
        ]
        if any(part is INVALID for part in parts):
            return INVALID
        constant = all(is_constant(part) for part in parts)
        return tuple(parts) if constant else Listed(tuple(parts))  # type: ignore[arg-type]
    if isinstance(node, Map):
        hint = "quote an expression that holds ': ' or braces" if node.flow else None
        findings.add("CC103", "a number, a word or a list is expected, not a mapping", node, hint, where)
        return INVALID
    assert isinstance(node, Text)
    try:
        return _read_text(node, names, words, free_words, truth)
    except Problem as problem:
        findings.problem(problem, node, where)
        return INVALID


def _read_text(node: Text, names: Names, words: frozenset[str], free_words: bool, truth: bool) -> Compiled:
    text = node.text
    if text.isdigit() and text.isascii() and (text[0] != "0" or text == "0"):
        if len(text) > 19 or int(text) > LIMIT:
            raise Problem("CC212", f"{shown(text)} is above 2^63 - 1")
        return int(text)
    if text in words:
        if names.knows(text):
            raise Problem("CC105", f"'{text}' is a word here and a parameter's name", "rename the parameter")
        return text
    if node.empty:
        return None
    if not text.strip():
        raise Problem("CC103", "a number or a word is expected, not an empty text")
    if node.plain and not names.knows(text):
        if text in TRUTHS:
            return TRUTHS[text]
        refuse_surprises(text)
    if text.isidentifier() and text.isascii() and text not in CONSTANTS and not names.knows(text):
        if names.below(text):
            raise Problem("CC106", f"'{text}' stands below; only names above are seen", None, 0, len(text))
        if free_words and text not in FUNCTIONS:
            return text
    expression = names.expressions[text]
    for name, offset in expression.names.items():
        if not names.knows(name):
            raise _unknown(name, offset, names, words, truth or len(text) > len(name))
        names.use(name)
    names.words |= expression.words
    return expression if expression.names else expression.evaluate({})


def refuse_surprises(text: str) -> None:
    """Raise a Problem (CC005, CC103) for a plain scalar that YAML 1.1 reads as something else than it says."""
    lower = text.lower()
    if lower in ("yes", "on", "no", "off"):
        meant = f"write {'true' if lower in ('yes', 'on') else 'false'}; for the word, quote it: '{text}'"
        raise Problem("CC005", f"{shown(text)} is a truth value to some and a word to others", meant)
    if lower in ("null",):
        raise Problem("CC005", f"{shown(text)} is nothing to some and a word to others", "write ~")
    if lower.lstrip("+-") in (".inf", ".nan"):
        raise Problem("CC103", f"{shown(text)} is not finite", "numbers are finite here")
    if _SEXAGESIMAL.fullmatch(text):
        raise Problem("CC005", f"{shown(text)} is a number in base 60 to YAML 1.1", "write the number in base 10")


def _unknown(name: str, offset: int, names: Names, words: frozenset[str], truth: bool) -> Problem:
    if names.below(name):
        return Problem("CC106", f"'{name}' stands below; only names above are seen", None, offset, len(name))
    if name == "index":
        hint: str | None = "index counts the repetitions of an item with repeat"
    elif name == "in_channels":
        hint = "in_channels is what arrives at a layer; there is none here"
    elif name in ("inf", "nan"):
        return Problem("CC103", f"'{name}' is not finite", "numbers are finite here", offset, len(name))
    else:
        candidates = [*words, *(CONSTANTS if truth else ()), *FUNCTIONS, *names.all()]
        hint = suggest(name, candidates, _known(names, words) if words or truth else _number(names))
    what = f"is none of the words {', '.join(sorted(words))} and names nothing here" if words else "names nothing here"
    return Problem("CC106", f"'{name}' {what}", hint, offset, len(name))


def _number(names: Names) -> str:
    known = shortened(sorted(set(names.all())))
    return f"a number belongs here; names that are known: {known}" if known else "a number belongs here"


def _known(names: Names, words: frozenset[str]) -> str:
    known = shortened(sorted(set(names.all()))) or "nothing"
    return f"words: {', '.join(sorted(words))}" if words else f"known here: {known}; quote words inside expressions"


Takes = Literal["anything", "numbers", "computed", "flag", "words"]


class Param:
    """A parameter: its default (None: required) and, following from the default, what it takes."""

    __slots__ = ("at", "default", "name", "open", "position", "takes", "words")

    def __init__(self, name: str, at: Marked, position: int) -> None:
        self.name = name
        self.at = at
        self.position = position
        self.default: Compiled = None
        self.words: set[str] = set()
        """The words that it takes."""
        self.open = False
        """Whether it is handed on, so that another parameter judges its words."""
        self.takes: Takes = "anything"

    def settle(self, names: Names) -> None:
        """Derive from the default what it takes; a default that only names another takes what that takes."""
        default = self.default
        if isinstance(default, Expression):
            named = names.find(default.text.strip())
            if named is not None:
                self.takes, self.words, self.open = named.takes, set(named.words), True
            elif not default.words:
                self.takes = "computed"
        elif isinstance(default, bool):
            self.takes = "flag"
        elif isinstance(default, str):
            self.takes = "words"
            self.words.add(default)
        elif default is not None and default is not INVALID:
            self.takes = "numbers"

    def check(self, value: Value | None) -> Value:
        """The value, if the parameter takes it. Raises a Problem (CC109)."""
        if value is None:
            raise Problem("CC104", f"the parameter {self.name} needs a value")
        if isinstance(value, str):
            if self.takes in ("numbers", "computed", "flag"):
                wanted = "true or false" if self.takes == "flag" else "numbers"
                raise Problem("CC109", f"{self.name} takes {wanted}; the word '{value}' names nothing here")
            if self.takes == "words" and not self.open and value not in self.words:
                known = ", ".join(sorted(self.words))
                hint = suggest(value, self.words, f"it takes {known}")
                raise Problem("CC109", f"{self.name} does not take the word '{value}'", hint)
        elif self.takes == "words":
            raise Problem("CC109", f"{self.name} takes words, not {say(value)}", f"it takes {sorted(self.words)}")
        elif self.takes == "flag" and not isinstance(value, bool):
            raise Problem("CC109", f"{self.name} takes true or false, not {say(value)}")
        elif self.takes == "numbers" and isinstance(value, bool):
            raise Problem("CC109", f"{self.name} takes numbers, not {say(value)}")
        return value


Params = dict[str, Param]


def read_params(declared: Declarations, found: Params, names: Names, findings: Findings, where: str) -> None:
    """Fill `found`, which `names` declare, from a `params` section: name -> default, or a list of required names."""
    defaults: dict[str, Marked] = {}
    if isinstance(declared, dict):
        for name, (key, default) in declared.items():
            assert key is not None
            found[name] = Param(name, key, len(found))
            defaults[name] = default
    else:
        for name, at in declared or ():
            found.setdefault(name, Param(name, at, len(found)))
    for name, param in found.items():
        seen = names.before(param.position)
        if name in defaults:
            param.default = read_value(defaults[name], seen, findings, free_words=True, where=f"{where}.{name}")
        param.settle(seen)


def bind(params: Params, given: dict[str, tuple[Value | None, Marked | None]], env: dict[str, Value]) -> None:
    """Put every parameter's value into `env`, defaults evaluated in order. Raises a Problem placed at its node."""
    for name, param in params.items():
        value, at = given.get(name, (None, param.at))
        try:
            if name not in given:
                value = evaluate(param.default, env)
            env[name] = param.check(value)
        except Problem as problem:
            problem.at = at
            raise
