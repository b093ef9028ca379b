"""CC7: ONNX files. They are no text, so the pages have no examples; docs/onnx.md has."""

from __future__ import annotations

from .page import Page

PAGES = (
    Page(
        "CC701",
        "The file has operators that the language does not have. Each stands as a layer of its own with the shape that "
        "the file, or ONNX's shape inference, gives; its parameters count, its operations do not.",
    ),
    Page(
        "CC702",
        "An operator stands as another one of the same shape and cost: a difference as a sum, a quotient as a product. "
        "Shapes, parameters and MACs hold; a forward pass would give other values.",
    ),
    Page(
        "CC703",
        "Several layers share one weight. The language gives every layer its own, so the parameters are counted at "
        "each of them; the message says by how much the total is too high.",
    ),
    Page(
        "CC704",
        "Nodes that lead to no output, or weights that no node reads, are left out. Simplify the model, or export only "
        "the part that runs.",
    ),
    Page(
        "CC705",
        "The file is no ONNX model, or it is damaged: truncated, or with lengths that do not fit. Export it again.",
    ),
    Page(
        "CC706",
        "The graph cannot be read as a network: it has a cycle, reads a tensor that nothing gives, has an attribute of "
        "the wrong type, or passes values that are no tensors. The message names the node.",
    ),
)
