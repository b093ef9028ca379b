"""Parameters of the spec and of its blocks: declared, checked, bound."""

from __future__ import annotations

from typing import Literal

from ..hints import suggest
from ..marked import Marked
from .arithmetic import Value, say
from .expressions import Expression
from .problems import Findings, Problem
from .sections import Declarations
from .written_values import INVALID, Compiled, Names, evaluate, read_value

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
