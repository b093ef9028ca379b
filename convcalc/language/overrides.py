"""What the call gives instead of the spec: parameters and input shapes. A wrong one is a UsageError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from operator import index

from ..findings import SpecError, UsageError
from ..geometry import LIMIT
from ..hints import suggest
from ..marked import Marked, Source
from .arithmetic import Value, checked, say
from .document import Document
from .events import parse
from .problems import Findings, Problem
from .written_values import INVALID, Names, evaluate, read_value

Shapes = dict[str, tuple[tuple[int, ...], Marked]]


def override(document: Document, name: str, given: object, env: Mapping[str, Value]) -> Value:
    """The value that the call gives a parameter: a text is read as the spec would read it.

    Raises UsageError for what the parameter does not take.
    """
    try:
        value = _from_text(document, name, given, env) if isinstance(given, str) else from_python(given)
        return document.params[name].check(value)
    except Problem as problem:
        raise UsageError(f"parameter {name}: {problem.message}", problem.hint) from None


def _from_text(document: Document, name: str, text: str, env: Mapping[str, Value]) -> Value | None:
    source = Source(text, f"--set {name}")
    findings = Findings(source)
    try:
        names = Names(document.params, limit=document.params[name].position)
        value = read_value(parse(source), names, findings, free_words=True)
        findings.raise_any()
    except SpecError as error:
        first = error.findings[0]
        raise Problem(first.code, first.message, first.hint) from None
    assert value is not INVALID
    return evaluate(value, env)


def from_python(given: object) -> Value:
    """A Python value as expressions know it; floats are taken at their shortest decimal.

    >>> from_python([64, 0.1])
    (64, Fraction(1, 10))
    """
    if isinstance(given, (bool, str)):
        return given
    if isinstance(given, (float, Decimal)):
        try:
            return checked(Fraction(repr(given) if isinstance(given, float) else given))
        except (ValueError, OverflowError):
            raise Problem("CC103", f"{given} is not finite") from None
    if isinstance(given, Fraction):
        return checked(given)
    if isinstance(given, Sequence) and not isinstance(given, (bytes, bytearray)):
        return tuple([from_python(item) for item in given])
    try:
        return checked(index(given))  # type: ignore[arg-type]
    except TypeError:
        said = "nothing" if given is None else type(given).__name__
        raise Problem("CC103", f"a number, a word or a list is expected, not {said}") from None


def input_shapes(document: Document, env: Mapping[str, Value], given: object = None) -> Shapes:
    """The shapes of the inputs: those of the spec, or those that the call gives."""
    replaced = _given_shapes(document, given) if given is not None else {}
    shapes: Shapes = {}
    for name, (entries, at) in document.inputs.items():
        if name in replaced:
            shapes[name] = (replaced[name], at)
            continue
        values = []
        for compiled, node in entries:
            try:
                value = evaluate(compiled, env)
                if type(value) is not int or value < 1:
                    said = say(value) if value is not None else "nothing"
                    raise Problem("CC103", f"a size is an integer of at least 1, not {said}")
            except Problem as problem:
                problem.at = node
                raise
            values.append(value)
        shapes[name] = (_bounded(tuple(values), at), at)
    return shapes


def _bounded(shape: tuple[int, ...], at: Marked) -> tuple[int, ...]:
    total = 1
    for size in shape:
        total *= size
    if total > LIMIT:
        problem = Problem("CC212", f"an input of {' x '.join(map(str, shape))} numbers is above 2^63 - 1")
        problem.at = at
        raise problem
    return shape


def _given_shapes(document: Document, given: object) -> dict[str, tuple[int, ...]]:
    names = list(document.inputs)
    if not isinstance(given, Mapping):
        if len(names) != 1:
            raise UsageError(f"the spec has {len(names)} inputs: {', '.join(names)}", "give a shape for each by name")
        given = {names[0]: given}
    for name in given:
        if name not in document.inputs:
            raise UsageError(f"there is no input '{name}'", suggest(str(name), names))
    return {name: _shape(name, shape) for name, shape in given.items()}


def _shape(name: str, given: object) -> tuple[int, ...]:
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or not 1 <= len(given) <= 4:
        raise UsageError(f"input {name}: a shape is channels and 0 to 3 space axes", "--input 3,224,224")
    sizes = []
    for size in given:
        try:
            sizes.append(index(size))
        except TypeError:
            raise UsageError(f"input {name}: a size is an integer, not {size!r}") from None
        if isinstance(size, bool) or not 1 <= sizes[-1] <= LIMIT:
            raise UsageError(f"input {name}: a size is an integer from 1 to 2^63 - 1, not {size}")
    try:
        return _bounded(tuple(sizes), None)  # type: ignore[arg-type]
    except Problem as problem:
        raise UsageError(f"input {name}: {problem.message}") from None
