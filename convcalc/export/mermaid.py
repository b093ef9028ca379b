"""A drawing as a Mermaid flowchart, which GitHub and GitLab show in Markdown."""

from __future__ import annotations

from .drawing import Drawing, shape_text


def mermaid(drawing: Drawing) -> str:
    """The text of a flowchart, top down; put it between ```mermaid and ```.

    >>> from .drawing import Arrow, Box
    >>> print(mermaid(Drawing("N", [Box("a", "input", "input"), Box("b", "relu", "layer")], [Arrow(0, 1, (3,))])))
    flowchart TD
        n0(["a<br>input"])
        n1["b<br>relu"]
        n0 -->|"3"| n1
    <BLANKLINE>
    """
    lines = ["flowchart TD"]
    for number, box in enumerate(drawing.boxes):
        opening, closing = {"input": ("([", "])"), "output": ("([", "])"), "block": ("[[", "]]")}.get(
            box.role, ("[", "]")
        )
        lines.append(f'    n{number}{opening}"{_text(box.name)}<br>{_text(box.detail)}"{closing}')
    lines += [f'    n{a.source} -->|"{shape_text(a.shape)}"| n{a.target}' for a in drawing.arrows]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Text inside quotes: what Mermaid or the HTML it makes would read is written as its entity's number."""
    return "".join(f"#{ord(c)};" if c in "#&<>\"'`|\\;[](){}%*_~\n" and c != "_" else c for c in text)
