"""Explanations as text for a terminal, as markdown and as LaTeX."""

from __future__ import annotations

import re
from fractions import Fraction

from ..analysis.explain.explanation import Explanation, Section, Step
from ..units import amount
from .escape import latex as latex_text
from .escape import markdown as markdown_text
from .escape import printable
from .grid import Line


def value_of(step: Step) -> str:
    """The value with its unit: integers with separators, bytes with a readable size beside them.

    >>> value_of(Step("peak", 6422528, unit="bytes"))
    '6,422,528 bytes (6.13 MiB)'
    """
    if isinstance(step.value, int):
        text = f"{step.value:,}"
        readable = amount(step.value, "bytes") if step.unit == "bytes" else ""
        more = f" ({readable})" if readable and not readable.endswith(" B") else ""
        return f"{text} {step.unit}{more}".rstrip()
    text = str(step.value) if isinstance(step.value, (str, Fraction)) else ""
    return f"{text} {step.unit}".rstrip()


def _heading(explanation: Explanation) -> str:
    shapes = ", ".join("×".join(map(str, shape)) for shape in explanation.inputs)
    output = "" if explanation.output is None else " -> " + "×".join(map(str, explanation.output))
    return f"{explanation.name}: {explanation.kind}  {shapes}{output}"


def explain_lines(explanation: Explanation, width: int | None = None) -> list[Line]:
    """The explanation as lines of (text, style) pieces; numbers in brackets point at the sources below."""
    sources = explanation.sources
    lines: list[Line] = [[(printable(_heading(explanation)), "bold")]]
    wide = max(width or 100, 40)
    lines += [[(text, "dim")] for text in _wrapped("", printable(explanation.rule), wide)]
    for section in explanation.sections:
        lines += [[], [(printable(section.heading), "bold")]]
        margin = max((len(step.result) for step in section.steps), default=0)
        for step in section.steps:
            lines += _step_lines(step, margin, wide, sources)
        if section.drawing:
            lines += [[], *([(f"  {row}".rstrip(), "")] for row in section.drawing)]
    if sources:
        lines += [[], [("sources", "bold")]]
        for n, source in enumerate(sources, start=1):
            lines += [[(text, "dim")] for text in _wrapped(f"  [{n}] ", printable(linked(source)), wide)]
    return lines


def _step_lines(step: Step, margin: int, width: int, sources: list[str]) -> list[Line]:
    """One step: on one line where it fits, else an equals sign to a line."""
    parts = [part for part in (step.expression, step.substituted) if part]
    parts.append(value_of(step))
    mark = f"  [{sources.index(step.source) + 1}]" if step.source else ""
    note = f"  ({printable(step.note)})" if step.note else ""
    head = f"  {printable(step.result):<{margin}} = "
    rows = [printable(part) for part in parts]
    joined = " = ".join(rows)
    if len(head) + len(joined) + len(note) + len(mark) <= width:
        return [[(head + joined, ""), (note + mark, "dim")]]
    indent = " " * (len(head) - 2) + "= "
    lines: list[Line] = [[(f"{indent if n else head}{row}", "")] for n, row in enumerate(rows)]
    if len(indent) + len(rows[-1]) + len(note) + len(mark) <= width:
        lines[-1].append((note + mark, "dim"))
    else:
        lines[-1].append((mark, "dim"))
        lines += [[(text, "dim")] for text in _wrapped(" " * len(head), note.strip(), max(width, len(head) + 20))]
    return lines


def _wrapped(head: str, text: str, width: int) -> list[str]:
    """Text in lines of at most `width` where its words allow, after a head and below it."""
    import textwrap

    below = " " * len(head)
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    )


def linked(source: str) -> str:
    """A source with the addresses of its arXiv papers and DOIs written out.

    >>> linked("Dumoulin & Visin 2016, arXiv:1603.07285")
    'Dumoulin & Visin 2016, https://arxiv.org/abs/1603.07285'
    """
    papers = re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"https://arxiv.org/abs/\1", source)
    return re.sub(r"\b(10\.\d{4,}/[\w.]+\w)", r"https://doi.org/\1", papers)


def explain_markdown(explanation: Explanation) -> str:
    """The explanation as markdown: a heading, a list of formulas in code spans, drawings as code blocks."""
    sources = explanation.sources
    parts = [f"## {markdown_text(_heading(explanation))}"]
    if explanation.rule:
        parts.append(markdown_text(explanation.rule))
    for section in explanation.sections:
        parts.append(f"### {markdown_text(section.heading)}")
        parts.append("\n".join(_markdown_step(step, sources) for step in section.steps))
        if section.drawing:
            parts.append("```text\n" + "\n".join(section.drawing) + "\n```")
    if sources:
        parts.append("\n".join(f"{n}. {markdown_text(linked(source))}" for n, source in enumerate(sources, start=1)))
    return "\n\n".join(parts)


def _markdown_step(step: Step, sources: list[str]) -> str:
    formula = " = ".join(f"`{part}`" for part in (step.expression, step.substituted) if part)
    note = f" ({markdown_text(step.note)})" if step.note else ""
    mark = f" [{sources.index(step.source) + 1}]" if step.source else ""
    equals = f"{formula} = " if formula else ""
    return f"- {markdown_text(step.result)} = {equals}**{markdown_text(value_of(step))}**{note}{mark}"


def explain_latex(explanation: Explanation) -> str:
    """The explanation as LaTeX: a section, an itemised list of formulas in typewriter, drawings verbatim."""
    parts = [rf"\section*{{{latex_text(_heading(explanation))}}}"]
    if explanation.rule:
        parts.append(latex_text(explanation.rule))
    return "\n\n".join([*parts, *map(_latex_section, explanation.sections)])


def _latex_section(section: Section) -> str:
    lines = [rf"\subsection*{{{latex_text(section.heading)}}}", r"\begin{itemize}"]
    for step in section.steps:
        formula = "".join(rf"\texttt{{{latex_text(part)}}} = " for part in (step.expression, step.substituted) if part)
        note = f" ({latex_text(step.note)})" if step.note else ""
        source = rf" \emph{{{latex_text(linked(step.source))}}}" if step.source else ""
        lines.append(rf"\item {latex_text(step.result)} = {formula}{latex_text(value_of(step))}{note}{source}")
    lines.append(r"\end{itemize}")
    if section.drawing:
        lines += [r"\begin{verbatim}", *section.drawing, r"\end{verbatim}"]
    return "\n".join(lines)
