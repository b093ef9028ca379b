"""`draw`: the arithmetic of a window as a picture, for these numbers or for a layer of a network."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from ..analysis.drawn import Drawn, drawn_axes, drawn_layer, given_axis, undrawn, window_axes
from ..findings import UsageError
from ..geometry import InvalidWindow, TransposedWindow, Window
from ..geometry.inversion import invert
from ..hints import suggest
from ..network import Network, Node, Part
from ..units import counted
from ..version import FORMAT, __version__
from .load import Spec, network_of
from .shown import Shown

if TYPE_CHECKING:
    from ..drawings.canvas import Page
    from ..render.document import Document

Picture = Literal["motion", "steps", "matrix"]
"""What is drawn: the window that moves, a strip of its steps, or the matrices beneath it."""
Scheme = Literal["auto", "light", "dark"]
"""Colours on light or dark paper; `auto` is what the reader's screen has."""
PICTURES: tuple[Picture, ...] = ("motion", "steps", "matrix")
SCHEMES: tuple[Scheme, ...] = ("auto", "light", "dark")
SUFFIXES = (".svg", ".png", ".gif", ".txt", ".json")
"""Of the files that a drawing is saved as."""
COMFORTABLE = 100
"""Positions of a window, of which all are drawn; of more, an excerpt."""
MOST_FRAMES = 200
"""Of a GIF."""
PICTURED = "convolutions, pools, and what pads, crops, resizes or shuffles space are drawn"
LISTED = 8
"""Layers that a hint names."""


class Drawing(Shown):
    """A window as a picture. Printed, it is what `convcalc draw` prints; notebooks show the SVG.

    >>> import convcalc
    >>> drawing = convcalc.draw(kernel=3, stride=2, padding=1, size=5)
    >>> drawing
    <Drawing convolution 5 × 5 → 3 × 3: 9 steps>
    >>> drawing.svg[:4]
    '<svg'
    """

    __slots__ = ("drawn", "picture", "scheme")

    drawn: Drawn
    """Its axes, and what each output reads on them."""
    picture: Picture
    """`motion`, `steps` or `matrix`."""
    scheme: Scheme
    """`auto`, `light` or `dark`."""

    def __init__(self, drawn: Drawn, picture: Picture = "motion", scheme: Scheme = "auto") -> None:
        self.drawn = drawn
        self.picture = picture
        self.scheme = scheme

    @property
    def svg(self) -> str:
        """The picture as SVG: it moves without a script, and stands still on paper. Raises UsageError where it is too
        large to be looked at.
        """
        return self._page().svg(self.scheme)

    def still(self, step: int = 1) -> str:
        """One step as SVG, counted from 1; of a strip or of matrices, which do not move, the whole.

        Raises UsageError where there is no such step.
        """
        return self._page(self._index(step)).svg(self.scheme)

    def png(self, step: int = 1) -> bytes:
        """One step as a PNG, counted from 1. Raises UsageError where the extra `draw` is missing."""
        from ..drawings.raster import png

        return png(self._page(self._index(step)).svg(self._paper))

    def gif(self) -> bytes:
        """The window that moves, as a GIF. Raises UsageError where it has too many steps, or the extra `draw` is
        missing.
        """
        from ..drawings.motion import Motion
        from ..drawings.raster import gif

        if self.picture != "motion":
            raise UsageError("a GIF moves: it is drawn without --steps and --matrix", "as a still: .png or .svg")
        steps = self.drawn.steps
        if steps > MOST_FRAMES:
            raise UsageError(
                f"too many steps for a GIF: {steps:,}, of {MOST_FRAMES} at the most",
                "a smaller --size has fewer, --dims 1 draws one axis; SVG has room for them",
            )
        frames = (self._page(step).svg(self._paper) for step in range(steps))
        return gif(frames, Motion(steps))

    def content(self, suffix: str, step: int | None = None) -> str | bytes:
        """What a file with this suffix holds: .svg, .png, .gif, .txt or .json. Raises UsageError for another."""
        if suffix == ".svg":
            return self.svg if step is None else self.still(step)
        if suffix == ".png":
            return self.png(step or 1)
        if suffix == ".gif":
            if step is not None:
                raise UsageError("a GIF has all steps", "one step as a picture: .png or .svg")
            return self.gif()
        if suffix == ".txt":
            return self._text(step or 1)
        if suffix == ".json":
            from ..render.streams import json_text

            return json_text(self.to_dict()) + "\n"
        raise UsageError(
            f"no drawing is saved as '{suffix}'" if suffix else "the file's name has no suffix that says what it is",
            f"one of {', '.join(SUFFIXES)}",
        )

    def save(self, path: str | PathLike[str], step: int | None = None) -> None:
        """Write the drawing into a file, as its suffix says: .svg, .png, .gif, .txt or .json.

        The file is whole or not there; one that exists is written over. With `step`, counted from 1, that step stands
        still. Raises UsageError for another suffix, OSError where it cannot be written.
        """
        from ..files import write

        target = Path(fspath(path))
        data = self.content(target.suffix.lower(), step)
        write(target, data.encode() if isinstance(data, str) else data, overwrite=True)

    def _document(self, width: int | None) -> Document:
        return characters(self)

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `draw`: every cell of the drawing and what each output reads."""
        data = {"format": FORMAT, "convcalc": __version__, **self.drawn.to_dict()}
        if self.picture == "matrix":
            from ..analysis.drawn_matrices import drawn_matrices

            data["matrices"] = drawn_matrices(self.drawn).to_dict()
        return data

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        before, after = self.drawn.sizes
        said = f"{self.drawn.name}: " if self.drawn.name else ""
        return f"<Drawing {said}{self.drawn.what} {before} → {after}: {counted(self.drawn.steps, 'step')}>"

    def _text(self, step: int) -> str:
        from ..render.lines import plain
        from ..render.text import document_lines

        return plain(document_lines(characters(self, step), None)) + "\n"

    @property
    def _paper(self) -> Scheme:
        """The scheme of a picture that does not know the reader's screen."""
        return "light" if self.scheme == "auto" else self.scheme

    def _index(self, step: int) -> int:
        if not 1 <= step <= self.drawn.steps:
            raise UsageError(f"there is no step {step}", f"steps count from 1 to {self.drawn.steps:,}")
        return step - 1

    def _page(self, step: int | None = None) -> Page:
        prefix = f"d{crc32(repr((self.drawn, self.picture, step)).encode()):08x}"
        if self.picture == "steps":
            from ..drawings.strip import strip_page

            return strip_page(self.drawn, prefix)
        if self.picture == "matrix":
            from ..drawings.matrices import matrix_page

            return matrix_page(self.drawn, prefix)
        from ..drawings.window import window_page

        return window_page(self.drawn, prefix, step)


def characters(drawing: Drawing, step: int = 1) -> Document:
    """A drawing in characters at a step, counted from 1, with the size rule. Raises UsageError where there is none."""
    from ..render.draw import drawing_document

    return drawing_document(drawing.drawn, drawing.picture, drawing._index(step))


def draw(
    spec: Spec | None = None,
    layer: str | Node | Part | None = None,
    *,
    kernel: int | Sequence[int] = 3,
    stride: int | Sequence[int] = 1,
    padding: int | tuple[int, int] | Sequence[int | tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    size: int | Sequence[int] | None = None,
    transposed: bool = False,
    output_padding: int | Sequence[int] = 0,
    dims: int | None = None,
    picture: Picture = "motion",
    scheme: Scheme = "auto",
) -> Drawing:
    """A window as a picture: of these numbers, or of a layer of a network.

    One number serves every axis, a list gives one an axis; `padding` is a number, a pair (before, after), or a list of
    either. `size` is what the drawn layer reads; without it a small one is chosen. Two axes are drawn, or with `dims=1`
    one. A transposed convolution is drawn as zeros between its inputs, padding d(k − 1) − p, and a convolution at
    stride 1 with the flipped kernel.

    With a spec, `layer` is the path of a layer; it may be left out where only one layer has a window. Of a large input
    the smallest one with the same windows, padding and leftover is drawn.

    `picture` is "motion", "steps" (a strip of stills) or "matrix" (im2col, C and its transpose). Raises a GeometryError
    for windows that cannot be, UsageError for what is too large to be drawn, UnknownLayer for another path.
    Source: Dumoulin & Visin 2016, arXiv:1603.07285.

    >>> drawing = draw(kernel=3, stride=2, padding=1, size=5)
    >>> drawing
    <Drawing convolution 5 × 5 → 3 × 3: 9 steps>
    >>> drawing.svg[:4], drawing.drawn.axes[0].inputs_of(0)
    ('<svg', (0, 1))
    >>> draw("lenet5", "C1")
    <Drawing C1: convolution 32 × 32 → 28 × 28: 9 steps>
    """
    _refuse_unknown("picture", picture, PICTURES)
    _refuse_unknown("scheme", scheme, SCHEMES)
    if dims not in (None, 1, 2):
        raise UsageError(f"one axis is drawn or two, not {dims}")
    if spec is not None:
        return Drawing(_of_layer(network_of(spec), layer, dims or 2), picture, scheme)
    return Drawing(
        _of_numbers(kernel, stride, padding, dilation, size, transposed, output_padding, dims), picture, scheme
    )


def _refuse_unknown(what: str, name: str, known: Sequence[str]) -> None:
    """Raise UsageError for a name that is none of those known."""
    if name not in known:
        raise UsageError(f"there is no {what} '{name}'", suggest(name, known, f"one of {', '.join(known)}"))


def _of_numbers(
    kernel: int | Sequence[int],
    stride: int | Sequence[int],
    padding: int | tuple[int, int] | Sequence[int | tuple[int, int]],
    dilation: int | Sequence[int],
    size: int | Sequence[int] | None,
    transposed: bool,
    output_padding: int | Sequence[int],
    dims: int | None,
) -> Drawn:
    """The drawing of a window that stands in no network."""
    windows = invert(kernel, stride, padding, dilation).axes
    sizes = [] if size is None else [size] if isinstance(size, int) else list(size)
    added = [output_padding] if isinstance(output_padding, int) else list(output_padding)
    counts = {len(values) for values in (windows, sizes, added) if len(values) > 1}
    axes = max(counts, default=dims or 2)
    if len(counts) > 1 or axes > 2 or (dims is not None and axes != dims):
        raise InvalidWindow(
            f"values for {' and '.join(map(str, sorted({*counts, *([dims] if dims else [])})))} axes",
            hint="one axis is drawn or two: give one number, or one for each of two axes",
        )
    if any(added) and not transposed:
        raise UsageError("output_padding belongs to a transposed convolution", "--transposed draws one")

    def spread(values: Sequence[int]) -> list[int]:
        return list(values) * (axes // len(values))

    inputs: list[int | None] = [*spread(sizes)] if sizes else [None] * axes
    given = []
    for axis, op, wanted in zip(windows * (axes // len(windows)), spread(added), inputs, strict=True):
        fields = axis.kernel_size, axis.stride, axis.before, axis.after, axis.dilation
        given.append(given_axis(TransposedWindow(*fields, op) if transposed else Window(*fields), wanted))
    return Drawn("", "transposed convolution" if transposed else "convolution", drawn_axes(given, COMFORTABLE))


def _of_layer(network: Network, layer: str | Node | Part | None, dims: int) -> Drawn:
    """The drawing of a layer. Raises UsageError where it has no window, or where it is not said which is meant."""
    part = network if layer is None else network[layer if isinstance(layer, str) else layer.name]
    nodes = [part] if isinstance(part, Node) else _pictured(network, part)
    where = "the network" if layer is None else f"'{part.name}'"
    if len(nodes) != 1:
        names = ", ".join(node.name for node in nodes[:LISTED]) + (", ..." if len(nodes) > LISTED else "")
        if not nodes:
            raise UsageError(f"nothing in {where} has a window", PICTURED)
        raise UsageError(f"{counted(len(nodes), 'layer')} of {where} can be drawn: which is to be?", names)
    (node,) = nodes
    drawn = None
    if node.layer is not None:
        name = part.name if isinstance(part, Part) else node.name
        drawn = drawn_layer(name, node.layer, network.input_shapes(node), node.shape, dims, COMFORTABLE)
    if drawn is None:
        why = undrawn(node.layer, network.input_shapes(node), node.shape)
        raise UsageError(f"'{node.name}' has no picture: {why}", PICTURED)
    return drawn


def _pictured(network: Network, part: Network | Part) -> list[Node]:
    """The layers that can be drawn; the one with a window where one alone has it."""
    found = [node for node in part if window_axes(node.layer, network.input_shapes(node), node.shape)]
    sliding = [node for node in found if node.layer is not None and node.layer.patch is not None]
    return sliding if len(sliding) == 1 else found
