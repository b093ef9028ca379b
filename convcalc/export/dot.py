"""A drawing in Graphviz's DOT language."""

from __future__ import annotations

from .drawing import Drawing, shape_text

SHAPES = {"input": "ellipse", "output": "ellipse", "layer": "box", "block": "box3d"}


def dot(drawing: Drawing) -> str:
    """The text of a digraph, top down.

    >>> from .drawing import Arrow, Box
    >>> print(dot(Drawing("N", [Box("a", "input", "input"), Box("b", "relu", "layer")], [Arrow(0, 1, (3,))])))
    digraph "N" {
        node [fontname="sans-serif", shape=box]
        edge [fontname="sans-serif", fontsize=10]
        n0 [label="a\\ninput", shape=ellipse]
        n1 [label="b\\nrelu", shape=box]
        n0 -> n1 [label="3"]
    }
    <BLANKLINE>
    """
    lines = [
        f'digraph "{_text(drawing.title)}" {{',
        '    node [fontname="sans-serif", shape=box]',
        '    edge [fontname="sans-serif", fontsize=10]',
    ]
    for number, box in enumerate(drawing.boxes):
        label = f"{_text(box.name)}\\n{_text(box.detail)}"
        lines.append(f'    n{number} [label="{label}", shape={SHAPES[box.role]}]')
    lines += [f'    n{a.source} -> n{a.target} [label="{shape_text(a.shape)}"]' for a in drawing.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _text(text: str) -> str:
    """Text inside quotes: a backslash would begin one of DOT's escapes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
