"""`explain`: every figure of a layer as its formula with the numbers in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..analysis import explain as explaining
from ..analysis import explanation as explanations
from ..analysis import report as reports
from ..findings import Finding, SpecError, UsageError
from ..geometry import GeometryError
from ..network import Network, Node, Output, Part, output_shape
from ..version import FORMAT, __version__
from .load import Inputs, Spec
from .report import Report, analyses_of, subject_of
from .shown import Shown, made

if TYPE_CHECKING:
    from ..analysis.figures import Subject
    from ..layers.base import Layer
    from ..render.document import Document
    from ..verify.on_numbers import Question


class NoPosition(UsageError, IndexError):
    """A position that the output does not have."""


class Explanation(Shown, explanations.Explanation):
    """Why a layer, a group or a network has its figures, step by step. Printed, it is `convcalc explain`.

    >>> import convcalc
    >>> convcalc.explain("lenet5", "C1")
    <Explanation C1 (conv2d): 21 figures in 6 sections>
    """

    __slots__ = ()

    def _document(self, width: int | None) -> Document:
        from ..render.explain import explain_document

        return explain_document(self)

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `explain`."""
        return {"format": FORMAT, "convcalc": __version__, **super().to_dict()}

    def __repr__(self) -> str:
        steps = sum(len(section.steps) for section in self.sections)
        return f"<Explanation {self.name} ({self.kind}): {steps} figures in {len(self.sections)} sections>"


def explain(
    spec: Spec | Report,
    layer: str | Node | Part = "total",
    *,
    at: Sequence[int] | None = None,
    on_numbers: Sequence[Question] = (),
) -> Explanation:
    """Why a layer, a group or the whole network (`total`) has its figures; with `at`, what one output position sees.

    With `on_numbers`, what a convolution does with small ones: `matrix` (im2col, one product, C and its transpose),
    `backward` (its gradients as convolutions), `flip` (against cross-correlation), `shift` (equivariance). The
    reference confirms them: `confirmed`.

    `layer` is a path (`conv2_x.0`, with `*` for one name and `a..b` from one to the other), or what `network[path]`
    gives. `at` has one position a space axis of its output, from 0. Give a report for another batch, dtype or device.
    Raises UnknownLayer, a KeyError, with a suggestion; NoPosition, an IndexError, where there is no such position;
    UsageError where numbers are asked of what is no convolution, or of a kernel too large to be written out.

    >>> explanation = explain("lenet5", "C1")
    >>> explanation
    <Explanation C1 (conv2d): 21 figures in 6 sections>
    >>> [str(step.value) for section in explanation.sections for step in section.steps if step.result == "params"]
    ['156']
    >>> explain(single("conv2d: {out: 1, k: 2}", (1, 3, 3)), on_numbers=["matrix"]).confirmed
    True
    """
    report = analyses_of(spec)
    subject = subject_of(report, layer)
    if on_numbers:
        return _on_numbers(report, subject, tuple(on_numbers), at is not None)
    position = None if at is None else tuple(at)
    try:
        return made(Explanation, explaining.explain(report, subject, position))
    except ValueError as error:
        if position is None:
            raise
        shape = report.shape(subject)
        space = "no space axes" if shape is None or len(shape) < 2 else f"the space {list(shape[1:])}"
        raise NoPosition(str(error), f"'{subject.name}' has {space}; positions count from 0") from error


def _on_numbers(report: reports.Report, subject: Subject, asked: tuple[str, ...], positioned: bool) -> Explanation:
    """A convolution on numbers: the one layer, or the only one of a group."""
    from ..verify.on_numbers import convolution, on_numbers

    if positioned:
        raise UsageError("a position does not go with numbers", "leave it out: they show every position")
    index, layer = convolution(report.network, subject.nodes, subject.name)
    node = report.node(index)
    inputs = report.network.input_shapes(node)
    found = on_numbers(asked, layer, inputs[0], node.shape, report.batch)
    rule = " ".join((type(layer).__doc__ or "").split("\n\n")[0].split())
    return Explanation(node.name, node.kind, inputs, node.shape, rule, found.sections, confirmed=found.confirmed)


def single(item: str | Layer, input: Inputs) -> Network:
    """A network of one layer, or of its kind and fields as text, and the shape or shapes that it reads.

    >>> single("conv2d: {out: 8, k: 3}", (3, 32, 32))
    <Network conv2d: 3×32×32 → 8×30×30, 1 layer>
    """
    from ..language import parse_layer

    shapes = {"input": tuple(input)} if isinstance(input, Sequence) else {n: tuple(s) for n, s in input.items()}
    layer = parse_layer(item) if isinstance(item, str) else item
    inputs = tuple(Node(name, None, (), shape) for name, shape in shapes.items())
    if not all(size for shape in shapes.values() for size in shape):
        raise UsageError("--input takes sizes of at least 1")
    try:
        shape = output_shape(layer, tuple(shapes.values()))
    except GeometryError as error:
        raise SpecError([Finding(error.code, error.message, "<layer>", where=layer.kind, hint=error.hint)]) from error
    node = Node(layer.kind, layer, tuple(range(len(inputs))), shape)
    return Network(layer.kind, (*inputs, node), (Output(layer.kind, len(inputs)),), {})
