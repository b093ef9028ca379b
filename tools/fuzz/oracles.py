"""What must hold for every case, beyond that the program comes to an end."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import traceback
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import jsonschema  # type: ignore[import-untyped]

from convcalc.cli.commands import COMMANDS
from convcalc.findings import SpecError, UsageError
from convcalc.language import loads
from convcalc.onnx.messages import parse_model
from convcalc.onnx.wire import Damaged

from .case import Case
from .programs import HOST, TOKEN
from .run import Outcome

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = f"{ROOT / 'convcalc'}{os.sep}"
CODES = (0, 1, 2)
"""The exit codes that the manual has for what a user may give; any other is an error of the program."""
MEBI = 1 << 20
REFUSED = (1.0, 200 * MEBI)
"""(seconds of CPU, bytes) that refusing a file may take, whatever it holds."""
ANSWERED = (5.0, 500 * MEBI)
"""(seconds of CPU, bytes) that a generated network may take; the generators make small ones."""
A_BYTE = (2e-8, 1.5)
"""The same for each byte of the answer, which the runner holds: a file of weights is large."""
A_LAYER = (5e-5, 500)
"""The same for each layer: few of the generated networks have many."""
HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls, direction marks and characters that take no room: what a reader cannot see. The line end is none."""
_CHOICE = "\n\t"
"""Before each value in the message of a missing option."""
WORKFLOW = re.compile(r"^\s*::|##\[", re.MULTILINE)
"""What a CI that reads the output takes for a command."""
BINARY = ("onnx", "http")
"""Formats that no reader looks at."""
ANNOTATION = re.compile(r"::(?:error|warning|notice) file=[^\n:]*::")


class Failure(NamedTuple):
    """What a case showed."""

    oracle: str
    place: str
    """Where in the program, or in which output: failures of one oracle and one place count as one."""
    message: str


class Judged(NamedTuple):
    """A case's outcome as an oracle reads it."""

    case: Case
    outcome: Outcome
    stdout: str
    stderr: str
    command: str
    format: str
    """The format or the target of what stands on standard output; empty where it is help, a page or nothing."""

    def streams(self) -> list[tuple[str, str]]:
        """(which, what stands there) of the streams that people and a CI read."""
        found = [("standard error", self.stderr.replace(_CHOICE, "\n"))]
        if self.format not in BINARY:
            found.append((f"{self.command} {self.format}".strip(), self.stdout))
        return found


def judge(case: Case, outcome: Outcome) -> list[Failure]:
    """Everything that does not hold."""
    stdout, stderr = (stream.decode("utf-8", "replace") for stream in (outcome.stdout, outcome.stderr))
    command, form = output_of(case)
    judged = Judged(case, outcome, stdout, stderr, command, form if outcome.stdout else "")
    where = f"{command} {form}".strip()
    found = []
    for name, oracle in ORACLES.items():
        said = oracle(judged)
        if said is not None:
            found.append(said if isinstance(said, Failure) else Failure(name, where, said[:2000]))
    return found


def output_of(case: Case) -> tuple[str, str]:
    """(command, format or target of its output); empty where there is none, or where the output is not the answer.

    >>> output_of(Case(("table", "-", "--format", "csv"))), output_of(Case(("table", "-h")))
    (('table', 'csv'), ('table', ''))
    >>> output_of(Case(("export", "-", "--to", "onnx", "-o", "-")))
    ('export', 'onnx')
    """
    if case.program != "convcalc":
        return case.program, {"playground": "answers", "watch": "http"}[case.program]
    arguments = case.arguments
    command = arguments[0] if arguments and arguments[0] in COMMANDS else ""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if not command or {"-h", "--help", "--version", "help"} & set(options):
        return command, ""
    if command in ("schema", "report") or (command == "sweep" and _value(options, "--page", "") == "-"):
        return command, "json" if command == "schema" else "page"
    if command == "import" or (command == "invert" and case.spec is not None and "--format" not in " ".join(options)):
        return command, "spec"
    printed = _value(options, "--output", "-o") == "-"
    elsewhere = ("--explain", "--columns=help", *(() if printed else ("-o", "--output")))
    if any(o.startswith(elsewhere) for o in options):
        return command, ""
    return command, _value(options, "--to", "") if command == "export" else _value(options, "--format", "-f") or "text"


def _value(options: tuple[str, ...], name: str, letter: str) -> str:
    """The value that an option has where it stands last; empty where it stands nowhere."""
    found = ""
    for option, behind in zip(options, (*options[1:], ""), strict=True):
        if option in (name, letter):
            found = behind
        elif option.startswith(f"{name}="):
            found = option.partition("=")[2]
        elif letter and option.startswith(letter):
            found = option.removeprefix(letter)
    return found


Said = Failure | str | None
Oracle = Callable[[Judged], Said]


def no_exception(judged: Judged) -> Said:
    """Nothing unforeseen is raised."""
    error = judged.outcome.raised
    if error is not None:
        return Failure("exception", place_of(error), "".join(traceback.format_exception(error, limit=-12))[-4000:])
    if judged.format == "answers" and "internal error" in judged.stdout:
        return judged.stdout[max(0, judged.stdout.find("internal error") - 200) :][:500]
    return "a traceback is printed" if "Traceback (most recent call" in judged.stderr + judged.stdout else None


def place_of(error: BaseException) -> str:
    """The exception's type, and the last place in the program that it went through."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    mine = [code for code in codes if code.co_filename.startswith(PACKAGE)]
    if not mine:
        return type(error).__name__
    return f"{type(error).__name__} in {mine[-1].co_filename.removeprefix(PACKAGE)} {mine[-1].co_name}"


def documented_code(judged: Judged) -> Said:
    """The exit code is one of those that the manual has; an error says what is wrong."""
    code = judged.outcome.code
    if code is not None and code not in CODES:
        return f"exit code {code}: {judged.stderr[:500]}"
    silent = not judged.stdout and not judged.stderr
    if code and silent and judged.case.program != "watch":  # a connection may be closed
        return f"exit code {code} without a word"
    return None


def no_other_file(judged: Judged) -> Said:
    """No file is made, changed or removed but those that the command line names, and their journals."""
    for name in judged.outcome.touched:
        if not any(name.removesuffix("-journal") in argument for argument in judged.case.arguments):
            return f"{name} is not as it was"
    return None


def no_warning(judged: Judged) -> Said:
    """Python warns of nothing."""
    return judged.outcome.warned[0] if judged.outcome.warned else None


def bounded(judged: Judged) -> Said:
    """Time and memory are bounded; for what is refused the bounds are those of the manual."""
    outcome = judged.outcome
    seconds, memory = map(float, ANSWERED if outcome.built else REFUSED)
    if judged.format == "answers":  # each of them is one
        seconds *= judged.stdout.count("\n")
    for number, (more_seconds, more_memory) in ((len(outcome.stdout), A_BYTE), (outcome.layers, A_LAYER)):
        seconds += number * more_seconds
        memory += number * more_memory
    if outcome.seconds <= seconds and outcome.memory <= memory:
        return None
    return f"{outcome.seconds:.2f} s of CPU, {outcome.memory / MEBI:.0f} MiB"


def encoded(judged: Judged) -> Said:
    """Text is UTF-8."""
    if judged.format not in BINARY and "\ufffd" in judged.stdout + judged.stderr:
        for stream in (judged.outcome.stdout, judged.outcome.stderr):
            try:
                stream.decode("utf-8")
            except UnicodeDecodeError as error:
                return str(error)
    return None


def visible(judged: Judged) -> Said:
    """Nothing is printed that a reader cannot see."""
    for where, text in judged.streams():
        if not text.replace("\n", "").isprintable():
            text = text.replace("\r\n", "\n") if judged.format == "csv" else text
            found = HIDDEN.search(text)
            if found is not None:
                said = f"U+{ord(found[0]):04X} in {text[max(0, found.start() - 40) : found.end() + 20]!r}"
                return Failure("invisible", where, said)
    return None


def no_command_of_a_ci(judged: Judged) -> Said:
    """Where a CI reads it, no line is a command of the CI other than the annotations that were asked for."""
    if not judged.case.ci:
        return None
    for where, text in judged.streams():
        for found in WORKFLOW.finditer(text):
            if judged.format != "github" or ANNOTATION.match(text, found.start()) is None:
                said = repr(text[max(0, found.start() - 40) : found.end() + 60])
                return Failure("workflow command", where, said)
    return None


def compiles(judged: Judged) -> Said:
    """An exported program is Python, without a warning."""
    if judged.command != "export" or judged.format not in ("torch", "keras"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(ast.parse(judged.stdout), "exported", "exec")
    except (SyntaxError, ValueError, SyntaxWarning, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _finite(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def parses(judged: Judged) -> Said:
    """What a program is to read has the form that it claims."""
    reader = READERS.get(judged.format)
    if reader is None or not judged.stdout:
        return None
    try:
        return reader(judged)
    except SpecError as error:
        return Failure("form", f"{judged.command} {judged.format} {error.findings[0].code}", str(error))
    except (ValueError, RecursionError, ElementTree.ParseError, Damaged, UsageError) as error:
        return f"{type(error).__name__}: {error}"


def _json(judged: Judged) -> Said:
    found = json.loads(judged.stdout, parse_constant=_finite)
    if judged.command != "check":
        return None
    return _agrees(judged, [finding["severity"] for finding in found["findings"]])


def _sarif(judged: Judged) -> Said:
    log = json.loads(judged.stdout, parse_constant=_finite)
    error = next(_sarif_validator().iter_errors(log), None)
    return f"the SARIF schema: {error.message}"[:500] if error is not None else None


def _agrees(judged: Judged, severities: list[str]) -> Said:
    """A check's exit code says what its findings say."""
    code = judged.outcome.code
    failing = {"error", "warning"} if "warning" in severities and code == 1 else {"error"}
    if code in (0, 1) and (code == 1) != bool(failing & set(severities)):
        return f"exit code {code} with findings {sorted(set(severities))}"
    return None


@cache
def _sarif_validator() -> jsonschema.Draft7Validator:
    schema = json.loads((ROOT / "tests" / "data" / "sarif-2.1.0-subset.json").read_text("utf-8"))
    return jsonschema.Draft7Validator(schema)


def _xml(judged: Judged) -> Said:
    ElementTree.fromstring(judged.outcome.stdout)
    return None


def _csv(judged: Judged) -> Said:
    width = 0
    for row in csv.reader(io.StringIO(judged.stdout, newline=""), strict=True):
        if row and width and len(row) != width:
            return f"a row of {len(row)} cells below one of {width}"
        width = len(row)  # an empty row stands between two tables
    return None


def _onnx(judged: Judged) -> Said:
    parse_model(judged.outcome.stdout)
    return None


def _spec(judged: Judged) -> Said:
    loads(judged.stdout)
    return None


def _answers(judged: Judged) -> Said:
    """A message has one answer, whose drawings are SVG, and whose findings have places."""
    lines = judged.stdout.removesuffix("\n").split("\n")
    if len(lines) != judged.case.data.count(b"\n") + 1:
        return f"{len(lines)} answers"
    for line in lines:
        answer = json.loads(line, parse_constant=_finite)
        drawings = [drawing["svg"] for drawing in answer.get("drawings", ())]
        for svg in (*drawings, answer.get("svg")):
            if svg is not None:
                ElementTree.fromstring(svg)
        for finding in answer.get("findings", ()):
            if min(finding["line"], finding["column"], finding["width"]) < 1 or not finding["lines"]:
                return f"a finding without a place: {finding}"
    return None


class _Tags(HTMLParser):
    """The tags of a page that make something run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        address = given.get("src", given.get("href", ""))
        loads = ":" in address and not (tag == "img" and address.startswith("data:image/svg+xml;base64,"))
        if loads or tag in ("iframe", "object", "base", "form") or any(name.startswith("on") for name in given):
            self.strange.append((self.get_starttag_text() or tag)[:200])


def _page(judged: Judged) -> Said:
    """Nothing of a spec is markup of the page; the page loads nothing."""
    reader = _Tags()
    reader.feed(judged.stdout)
    return f"tags: {reader.strange[:3]}" if reader.strange or not judged.stdout.startswith("<!doctype html>") else None


HEADERS = {
    b"Cache-Control: no-store",
    b"Cross-Origin-Opener-Policy: same-origin",
    b"Cross-Origin-Resource-Policy: same-origin",
    b"Referrer-Policy: no-referrer",
    b"X-Content-Type-Options: nosniff",
}
"""What every answer of `watch` has."""
_HEADER = re.compile(
    rb"(?:Server|Date|Cache-Control|Cross-Origin-(?:Opener|Resource)-Policy|Referrer-Policy|X-Content-Type-Options|"
    rb"Content-(?:Security-Policy|Type|Length)|Allow): [\x20-\x7e]*"
)
_GAP = rb"[\s\x1c-\x1f\x85\xa0]"
"""What parts the words of a first line for who reads it as Latin-1."""
_ASKED = re.compile(
    rb"%b*(?:GET|HEAD)%b+/+\{token\}(?:/(?:|shell\.css|shell\.js|page|state)(?:\?\S*)?|\?\S*)?(?:%b+HTTP/\d+\.\d+)?%b*"
    % (_GAP, _GAP, _GAP, _GAP)
)


def _http(judged: Judged) -> Said:
    """An answer has its headers and its length, and says nothing but to who knows the token and names the host."""
    head, _, body = judged.outcome.stdout.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    if not re.fullmatch(rb"HTTP/1\.0 \d{3} [A-Z][A-Za-z -]+", status) or not set(headers) >= HEADERS:
        return f"not the head of an answer: {head[:500]!r}"
    strange = [header for header in headers if not _HEADER.fullmatch(header)]
    if strange or len({header.partition(b":")[0] for header in headers}) != len(headers):
        return f"strange headers: {strange or headers}"
    first, *rest = judged.case.data.split(b"\n")
    length = int(next(h for h in headers if h.startswith(b"Content-Length: "))[16:])
    if len(body) != length and not (first.startswith(b"HEAD") and not body):
        return f"{len(body)} bytes of {length}"
    if TOKEN in judged.outcome.stdout:
        return "the token comes back"
    asked = rest[: next((at for at, line in enumerate(rest) if line in (b"", b"\r")), len(rest))]
    hosts, origins = (
        [line.partition(b":")[2].strip() for line in asked if line.lower().startswith(name)]
        for name in (b"host:", b"origin:")
    )
    known = _ASKED.fullmatch(first) and hosts == [HOST] and set(origins) <= {b"http://" + HOST}
    return f"answered to who may not ask: {status!r}" if b" 200 " in status and not known else None


READERS: dict[str, Oracle] = {
    "json": _json,
    "sarif": _sarif,
    "junit": _xml,
    "svg": _xml,
    "csv": _csv,
    "onnx": _onnx,
    "spec": _spec,
    "answers": _answers,
    "http": _http,
    "page": _page,
}
"""Format -> the reader that it is for."""

ORACLES: dict[str, Oracle] = {
    "exception": no_exception,
    "exit code": documented_code,
    "warning": no_warning,
    "files": no_other_file,
    "bounds": bounded,
    "encoding": encoded,
    "invisible": visible,
    "workflow command": no_command_of_a_ci,
    "python": compiles,
    "form": parses,
}
"""Name -> what must hold."""
