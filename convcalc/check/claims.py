"""Claims and what is computed: expectations (CC301, CC306), printed tables (CC302 to CC304), budgets (CC305)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.figures import Figures, Subject, find
from ..analysis.looks import MANY_LOOKS
from ..analysis.quantities import QUANTITY_NAMES, quantity
from ..analysis.quantity import Shaped, Value, number
from ..findings import Finding, SpecError, UsageError
from ..hints import suggest
from ..language.expectations import Claim, Expectation, read_expectations
from ..language.grammar import integers
from ..marked import List, Text
from ..units import amount, counted
from .builds import DEFAULT, Builds, DoesNotBuild, Key, Setting, describe
from .claim_values import NumberClaim, parse_number_claim
from .config import Budget

if TYPE_CHECKING:
    from ..analysis.published import Cell, TableResult

COUNTS = ("", "numbers", "elements", "channels")
"""Units that a number goes without."""
UPDATE = "convcalc check --update writes the present values"


class Unmet(NamedTuple):
    """A claim that does not hold: the finding, and the value that would."""

    claim: Claim
    actual: Value
    finding: Finding


def check_expectations(builds: Builds) -> tuple[list[Unmet], list[Finding]]:
    """(claims that do not hold, findings about claims that cannot be judged)."""
    expectations, findings = read_expectations(builds.origin, QUANTITY_NAMES)
    unmet: list[Unmet] = []
    for expectation in expectations:
        for found in _judge(builds, expectation):
            if isinstance(found, Unmet):
                unmet.append(found)
            else:
                findings.append(found)
    return unmet, findings


def _judge(builds: Builds, expectation: Expectation) -> Iterator[Unmet | Finding]:
    key, setting = _key(expectation), Setting(expectation.dtype, expectation.batch)
    said = describe(key, setting.over(builds.general))
    if builds.looks.spent:
        yield builds.origin.finding_at("CC111", MANY_LOOKS, expectation.written)
        return
    try:
        report = builds.report_at(setting, key)
    except DoesNotBuild as error:
        if key in builds.reported:
            return
        message = f"this does not build{describe(key)}: {error.message}"
        yield builds.origin.finding_at("CC306", message, expectation.written, hint=error.hint)
        return
    if not builds.looks.take(report, "", report.whole):
        yield builds.origin.finding_at("CC111", MANY_LOOKS, expectation.written)
        return
    for claim in expectation.claims:
        subject = _subject(report, claim)
        if subject is None:
            what = "output" if claim.of_output else "layer, stage or input"
            message = f"no {what} is called '{claim.where}'{said}"
            yield _finding(builds, "CC306", message, claim, _nearest(report, claim))
            continue
        if not builds.looks.take(report, claim.where, subject):
            yield _finding(builds, "CC111", MANY_LOOKS, claim, None)
            return
        try:
            outcome = _compare(builds, claim, report, subject, said)
        except SpecError as error:
            first = error.findings[0]
            outcome = _finding(builds, first.code, first.message + said, claim, first.hint)
        if outcome is not None:
            yield outcome


def _key(expectation: Expectation) -> Key:
    """The network that is meant."""
    given = tuple(expectation.input.items()) if isinstance(expectation.input, dict) else expectation.input
    return expectation.variant, tuple((expectation.params or {}).items()) or None, given or None


def _subject(report: Figures, claim: Claim) -> Subject | None:
    if not claim.where:
        return report.whole
    if claim.of_output:
        for output in report.network.outputs:
            if output.name == claim.where:
                return Subject(output.name, (output.node,), output.node)
        return None
    return find(report, claim.where)


def _nearest(report: Figures, claim: Claim) -> str | None:
    network = report.network
    names = [output.name for output in network.outputs] if claim.of_output else [s.name for s in report.stages]
    if "." in claim.where:
        names += [*network.groups, *(node.name for node in network.nodes)]
    return suggest(claim.where, names, "", most=5000) or None


def _finding(builds: Builds, code: str, message: str, claim: Claim, hint: str | None) -> Finding:
    at = claim.key if isinstance(claim.value, Text) and claim.value.empty else claim.value
    return replace(builds.origin.finding_at(code, message, at, hint=hint), where=claim.where)


def _compare(builds: Builds, claim: Claim, report: Figures, subject: Subject, said: str) -> Unmet | Finding | None:
    name = claim.key.text if not claim.of_output else "output"
    asked = quantity(claim.quantity)
    assert asked is not None
    actual = asked.get(report, subject)
    if actual is None:
        message = f"{claim.where or report.network.name} has no {name}{said}"
        return _finding(builds, "CC306", message, claim, f"{name} needs {asked.needs}" if asked.needs else None)
    if isinstance(claim.value, Text) and claim.value.empty:
        finding = _finding(builds, "CC301", f"{name} is {say(actual, asked.unit)}; nothing is expected", claim, UPDATE)
        return Unmet(claim, actual, finding)
    expected = _expected(claim, actual, asked.unit)
    if expected is None:
        message = f"{name} cannot be compared with this; it is {say(actual, asked.unit)}"
        return _finding(builds, "CC103", message, claim, _form(actual))
    wanted, met, exact = expected
    if met:
        return None
    message = f"{name} is {say(actual, asked.unit)}, expected {wanted}{said}"
    return Unmet(claim, actual, _finding(builds, "CC301", message, claim, UPDATE if exact else None))


def _expected(claim: Claim, actual: Value, unit: str) -> tuple[str, bool, bool] | None:
    """(what is expected as text, whether it holds, whether it is one value); None where it cannot be compared."""
    node = claim.value
    if isinstance(node, List):
        sizes, raw = integers(node), _flat(actual)
        if isinstance(actual, int) and sizes is not None and len(sizes) > 1:
            return None
        return None if sizes is None or raw is None else (say_shape(sizes), sizes == raw, True)
    if not isinstance(node, Text):
        return None
    claimed, exact = parse_number_claim(node.text), number(actual)
    if isinstance(actual, (int, Fraction)):
        return None if claimed is None else (_wanted(claimed, unit), claimed.met(actual), claimed.exact)
    if isinstance(actual, Shaped):
        raw = _flat(actual)
        if claimed is not None and raw is not None and ("c" not in actual.parts or len(raw) == 1):
            return _wanted(claimed), all(claimed.met(size) for size in raw), claimed.exact
        if claimed is not None and exact is not None and not claimed.exact:
            return _wanted(claimed), claimed.met(exact), False
        written = actual.written()
        return node.text, node.text.replace("x", "×") == written, True
    return f"'{node.text}'", node.text == actual, True


def _flat(value: Value) -> tuple[int, ...] | None:
    """The integers of a shape or of one value an axis; None for anything else."""
    if isinstance(value, Shaped) and isinstance(value.raw, tuple) and all(isinstance(n, int) for n in value.raw):
        return tuple(value.raw)
    return (value,) if isinstance(value, int) else None


def _wanted(claimed: NumberClaim, unit: str = "") -> str:
    if claimed.exact and claimed.number.denominator == 1:
        return say(claimed.number.numerator, unit)
    return claimed.text


def _form(actual: Value) -> str:
    if isinstance(actual, (int, Fraction)):
        return "a number, a bound or a tolerance: 7000000, <= 7M, 7.0M ± 1%"
    raw = _flat(actual)
    return f"a list: {say_shape(raw)}" if raw is not None else "a text"


def say_shape(sizes: tuple[int, ...]) -> str:
    """Sizes as the language writes them."""
    return f"[{', '.join(map(str, sizes))}]"


def say(value: Value, unit: str = "") -> str:
    """A computed value in a message, with its unit where it has one; bytes are said in KiB or MiB too.

    >>> say(6998552, "numbers"), say(416520, "MACs"), say(16384, "bytes")
    ('6,998,552', '416,520 MACs', '16.00 KiB (16,384 bytes)')
    """
    if isinstance(value, int):
        exact = f"{value:,} {unit}" if unit not in COUNTS else f"{value:,}"
        return f"{amount(value, unit)} ({exact})" if unit == "bytes" and value >= 1024 else exact
    if isinstance(value, Shaped):
        raw = _flat(value)
        return say_shape(raw) if raw is not None else value.written()
    return str(value)


def check_published(builds: Builds) -> list[Finding]:
    """Findings about the printed tables of a spec."""
    if builds.origin.section("published") is None:
        return []
    from ..analysis.published import Comparison

    builds.report()
    try:
        tables = Comparison(builds.network, builds.reports, builds.looks).tables()
    except SpecError as error:
        return list(error.findings)
    except UsageError as error:
        return [builds.origin.finding_at("CC306", error.message, builds.origin.section("published"), hint=error.hint)]
    return [finding for table in tables for finding in _table(builds, table)]


def _table(builds: Builds, result: "TableResult") -> Iterator[Finding]:
    origin = builds.origin
    for row, column, cell in result.differing():
        place = f"{row}, {column}"
        computed = f"'{cell.computed}'" if cell.computed else "nothing"
        if cell.difference is None:
            message = f"{place}: printed '{cell.printed.text}', computed {computed}"
            hint = f'correct the spec, or list it: differs: [{{row: "{row}", column: "{column}", reason: "..."}}]'
            yield origin.finding_at("CC302", message, cell.printed.written, hint=hint)
        elif cell.explained is False:
            message = (
                f"{place}: {cell.difference.explanation} does not give the printed '{cell.printed.text}'; "
                f"without it {computed}"
            )
            hint = "correct the explanation, or leave the reason alone"
            yield origin.finding_at("CC304", message, cell.difference.written, hint=hint)
    for row, column, cell in _equal_but_listed(result):
        assert cell.difference is not None
        message = f"{row}, {column}: the printed '{cell.printed.text}' is computed too, and listed as different"
        yield origin.finding_at("CC303", message, cell.difference.written, hint="remove it from 'differs'")
    for other, cells, given in result.also:
        if given < cells or not cells:
            message = f"{other} gives {given} of the {counted(cells, 'printed cell')} that it is said to give"
            yield origin.finding_at(
                "CC304", message, other.written, hint="correct the reading, or remove it from 'also'"
            )
    for difference in result.stray:
        message = f"the table has no compared cell in row '{difference.row}', column '{difference.column}'"
        yield origin.finding_at(
            "CC306", message, difference.written, hint="row is the row's key or label, column a heading"
        )


def _equal_but_listed(result: "TableResult") -> "Iterator[tuple[str, str, Cell]]":
    for row, cells in zip(result.table.rows.values(), result.rows, strict=True):
        for heading, cell in zip(result.table.columns, cells, strict=True):
            if cell.status == "equal" and cell.difference is not None:
                yield row.label, heading, cell


def check_budgets(builds: Builds, budgets: Sequence[Budget]) -> Iterator[Finding]:
    """A finding for each budget that the network exceeds, at the name of the spec."""
    for budget in budgets:
        found = quantity(budget.quantity)
        assert found is not None
        try:
            report = builds.report_at(budget.setting)
            value = found.get(report, report.whole)
        except (SpecError, DoesNotBuild) as error:
            yield from error.findings
            continue
        reached = number(value)
        if reached is not None and reached > budget.limit:
            by = f" by {float(Fraction(reached - budget.limit) * 100 / budget.limit):.1f} %" if budget.limit else ""
            message = f"{budget.quantity} is {say(value, found.unit)}, over the budget of {budget.text}{by}" + describe(
                DEFAULT, budget.setting.over(builds.general)
            )
            at = builds.origin.section("name")
            yield builds.origin.finding_at("CC305", message, at, hint=f"the budget is set in {budget.place}")
