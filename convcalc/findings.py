"""Findings: what is wrong, where, and how to mend it; and the table of codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning", "advice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. Lines and columns count from 1; `where` is the path of the layer."""

    code: str
    message: str
    path: str = "<text>"
    line: int = 1
    column: int = 1
    where: str = ""
    hint: str | None = None
    excerpt: str = ""
    """The line of the source that it points at."""
    width: int = 1
    """Characters that the caret underlines."""

    @property
    def severity(self) -> Severity:
        """Errors fail, warnings fail under `--strict`, advice is shown on demand."""
        return SEVERITIES.get(self.code, "error")

    def at_path(self, path: str) -> Finding:
        """The same finding in another file."""
        return replace(self, path=path)

    def to_dict(self) -> dict[str, object]:
        """The finding in the JSON contract of `check`."""
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.path}:{self.line}:{self.column}: {self.severity} {self.code} {where}{self.message}"


class SpecError(ValueError):
    """A spec that is wrong; `findings` holds every finding, each with its place."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class UsageError(Exception):
    """The call is wrong rather than the content: a missing file, an unreadable one, a bad option. Exit code 2."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


CODES: dict[str, str] = {
    "CC001": "not YAML",
    "CC002": "a key stands twice",
    "CC003": "wrong encoding",
    "CC004": "a limit of reading is exceeded: size, nesting, nodes",
    "CC005": "YAML that means something else than it says",
    "CC006": "no spec in the file",
    "CC101": "unknown key or field",
    "CC102": "unknown kind or block",
    "CC103": "wrong type or value",
    "CC104": "a required field or argument is missing",
    "CC105": "a name that is not allowed, or stands twice",
    "CC106": "a reference to a name that does not exist",
    "CC107": "an expression that cannot be read",
    "CC108": "an expression that cannot be evaluated",
    "CC109": "a parameter or variant that does not exist, or a word it does not take",
    "CC110": "a block that contains itself",
    "CC111": "more layers or expansion steps than the limit",
    "CC112": "a version of the language that is not known",
    "CC200": "impossible geometry",
    "CC201": "kernel larger than the padded input",
    "CC202": "kernel, stride, dilation or padding out of range",
    "CC203": "channels or sizes at a join that do not agree",
    "CC204": "channels that the groups do not divide",
    "CC205": "output padding out of range",
    "CC206": "a shuffle whose factor does not divide the axis",
    "CC207": "nothing is left of the output",
    "CC208": "a layer of one rank on an input of another",
    "CC209": "a linear layer on an unflattened input",
    "CC210": "padding of a pool too large",
    "CC211": "padding or cropping that the input cannot give",
    "CC212": "a number above 2^63 - 1",
    "CC213": "too few or too many inputs",
    "CC301": "an expectation is not met",
    "CC302": "a printed cell differs and is not listed",
    "CC303": "a listed difference is none any more",
    "CC304": "an explanation does not give the printed cell",
    "CC305": "a budget is exceeded",
    "CC306": "a claim about something that does not exist",
    "CC307": "a comment that ignores a finding that is not there",
    "CC401": "inputs at the edge that a stride never reads",
    "CC402": "a transposed convolution whose overlap is uneven",
    "CC403": "a bias right before a batch norm",
    "CC404": "padding larger than useful",
    "CC405": "a pool that reads only padding",
    "CC406": "a layer that nothing uses",
    "CC407": "a parameter or a block that nothing uses",
    "CC408": "a dead branch",
    "CC409": "a kernel larger than its input without padding",
    "CC410": "output padding of at least the stride",
    "CC411": "groups that leave one channel",
    "CC501": "a layer that the NumPy reference does not confirm",
    "CC701": "operators of an ONNX file that the language does not have",
    "CC702": "operators of an ONNX file that stand as others of the same shape and cost",
    "CC703": "weights of an ONNX file that several layers share",
    "CC704": "parts of an ONNX file that lead to no output",
    "CC705": "not an ONNX file, or a damaged one",
    "CC706": "an ONNX graph that cannot be read as a network",
}
"""Every code and what it stands for."""

HINTS: dict[str, str] = {
    "CC001": "check the indentation, the brackets and the quotes here and in the line above",
    "CC002": "keep one of them",
    "CC003": "save the file as UTF-8 text",
    "CC004": "make it smaller: blocks and repeat say much in little text",
    "CC005": "write it plainly",
    "CC006": "start with 'convcalc: 1'",
    "CC101": "remove it, or correct its spelling",
    "CC102": "an item is a kind, a block or layers: [...]",
    "CC103": "write what is expected",
    "CC104": "add it",
    "CC105": "choose another name",
    "CC106": "names stand above what names them; paths descend with dots",
    "CC107": "there are + - * / // % **, comparisons, and/or/not, x if c else y, list[index] and functions",
    "CC108": "check the values that it is computed from",
    "CC109": "see the params of the spec or of the block",
    "CC110": "use repeat for a fixed number of times",
    "CC111": "the limit keeps a slip from filling the memory",
    "CC112": "write convcalc: 1",
    "CC200": "compare the shapes of the layers before it",
    "CC201": "pad the input, or use a smaller kernel or dilation",
    "CC202": "kernels, strides and dilations are at least 1, paddings at least 0",
    "CC203": "bring the inputs to one shape: crop, pad, resize or a 1x1 convolution",
    "CC204": "choose groups that divide the channels",
    "CC205": "use an output padding below the stride",
    "CC206": "choose a factor that divides the axis",
    "CC207": "pad more, crop less, or start from a larger input",
    "CC208": "use the kind for this number of space axes",
    "CC209": "put flatten before it",
    "CC210": "use less padding",
    "CC211": "use less padding, or zeros",
    "CC212": "numbers are at most 9223372036854775807",
    "CC213": "name the inputs with from, or join them first",
    "CC301": "correct the spec, or what it expects",
    "CC306": "correct the claim, or remove it",
    "CC501": "the rule of this kind or the reference is wrong: please report it with the spec",
    "CC701": "their operations are not counted",
    "CC702": "shapes and costs hold; values would differ",
    "CC703": "subtract what is counted twice",
    "CC704": "export the part of the model that runs",
    "CC705": "export the model again: it is truncated, or no ONNX file",
    "CC706": "check the model with onnx.checker, or export it again",
}
"""What to do about a finding of a code, where nothing more precise is known."""

SEVERITIES: dict[str, Severity] = {
    "CC307": "warning",
    **{code: "advice" for code in CODES if code.startswith("CC4")},
    **dict.fromkeys(("CC701", "CC702", "CC703", "CC704"), "warning"),
}
"""Severity of the codes that are not errors."""
