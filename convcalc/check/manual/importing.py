"""What `convcalc import` says of ONNX files. The files are binary, so that these pages have no examples."""

from __future__ import annotations

from .page import Page

PAGES = (
    Page("CC007", "The file is no ONNX model, or it is truncated or damaged. Export it again."),
    Page(
        "CC113",
        "The graph of the ONNX file cannot be read as a network: a node, a shape or an attribute contradicts what ONNX "
        "says of its operator, or a weight's data are not there.",
    ),
    Page(
        "CC701",
        "Operators that the language does not have. They are kept with their shape and weights and count no "
        "operations, so that macs and flops are lower bounds.",
    ),
    Page(
        "CC702",
        "Operators that the language does not have under their name, read as others of the same shape and cost "
        "(subtraction as addition, a constant factor as a scale).",
    ),
    Page("CC703", "Several layers share one weight. Each layer counts its own, so that params are too high."),
    Page("CC704", "Parts of the file that lead to no output, or weights that no layer reads, are left out."),
)
