"""`convcalc draw` and `draw()`: what is written where, what is refused, hostile names, large inputs."""

from __future__ import annotations

import json
import re
import struct
import sys
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import convcalc
from convcalc import draw
from convcalc.analysis.drawn import WIDEST, Given, drawn_axes, row_length, shortened, window_axes
from convcalc.analysis.drawn_matrices import drawn_matrices
from convcalc.analysis.seen import taps
from convcalc.drawings import layer_drawing
from convcalc.findings import UsageError
from convcalc.geometry import GeometryError, TransposedWindow, Window, conv_output
from convcalc.language import gallery_names
from convcalc.reference.identity import matrix, scattered
from tools.pictures import drawings

from .command import run
from .drawn_pictures import SVG, read_back
from .golden_output import COMMANDS, Golden

SVG_START = '<svg xmlns="http://www.w3.org/2000/svg"'
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\u202eb\u2066c\u200bd",
    "]]>&amp;<![CDATA[",
    "::error::x",
    "\x1b[31mred\x07",
    "x" * 10_000,
]


def refused(*arguments: str) -> str:
    """What a wrong call says."""
    done = run("draw", *arguments)
    assert done.code == 2 and done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("golden", [g for g in COMMANDS if g.arguments[0] == "draw"], ids=lambda g: g.path.name)
def test_golden(golden: Golden) -> None:
    assert golden.run().stdout == golden.expected


class TestWhereItGoes:
    def test_without_a_file_it_is_drawn_in_characters(self) -> None:
        done = run("draw", "-k", "3", "-s", "2", "-p", "1")
        assert done.code == 0
        assert "step 1 of 9: output (0, 0)" in done.stdout
        assert "[.][.][.] .  .  .  .    [#] .  ." in done.stdout

    @pytest.mark.parametrize("arguments", [("-o", "-"), ("--format", "svg"), ("-f", "svg", "-o", "-")])
    def test_svg_goes_to_standard_output_where_it_is_asked_for(self, arguments: tuple[str, ...]) -> None:
        done = run("draw", "-k", "3", *arguments)
        assert done.stdout == draw(kernel=3).svg

    def test_long_and_short_names_are_the_same(self) -> None:
        long = run("draw", "--k", "3", "--s", "2", "--p", "1:0", "--d", "2", "--size", "9", "-f", "svg")
        short = run("draw", "-k", "3", "-s", "2", "-p", "1:0", "-d", "2", "--size", "9", "-f", "svg")
        assert long.stdout == short.stdout == draw(kernel=3, stride=2, padding=(1, 0), dilation=2, size=9).svg

    def test_the_suffix_says_what_is_written(self, tmp_path: Path) -> None:
        for suffix in ("svg", "txt", "json", "png", "gif"):
            assert run("draw", "-k", "2", "--size", "3", "-o", str(tmp_path / f"x.{suffix}")).code == 0
        assert (tmp_path / "x.svg").read_text() == draw(kernel=2, size=3).svg
        assert "step 1 of 4" in (tmp_path / "x.txt").read_text()
        data = json.loads((tmp_path / "x.json").read_text())
        assert data["axes"][0]["windows"] == [[0, 1], [1, 2]]
        png = (tmp_path / "x.png").read_bytes()
        page = ElementTree.fromstring(draw(kernel=2, size=3).svg)
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", png[16:24]) == (2 * int(page.attrib["width"]), 2 * int(page.attrib["height"]))
        assert (tmp_path / "x.gif").read_bytes()[:6] == b"GIF89a"

    def test_a_gif_has_all_steps_and_rests_on_the_last(self) -> None:
        from PIL import Image

        with Image.open(BytesIO(draw(kernel=2, size=3).gif())) as image:
            assert image.info["loop"] == 0
            rests = []
            for frame in range(4):
                image.seek(frame)
                rests.append(image.info["duration"])
            with pytest.raises(EOFError):
                image.seek(4)
        assert rests[0] == rests[1] == rests[2] and rests[3] == 3 * rests[0]

    def test_a_file_is_not_overwritten_by_accident(self, tmp_path: Path) -> None:
        file = tmp_path / "x.svg"
        file.write_text("mine")
        assert "exists already" in refused("-k", "3", "-o", str(file))
        assert file.read_text() == "mine"
        assert run("draw", "-k", "3", "-o", str(file), "--force").code == 0
        assert file.read_text().startswith(SVG_START)

    def test_json_has_every_cell(self) -> None:
        data = json.loads(run("draw", "-k", "3", "-s", "2", "--size", "6", "--dims", "1", "-f", "json").stdout)
        assert data["format"] == 1 and data["steps"] == 2
        (axis,) = data["axes"]
        assert axis["windows"] == [[0, 1, 2], [2, 3, 4]]
        assert axis["cells"] == ["input"] * 6 and axis["read"] == [True] * 5 + [False]

    def test_a_step_stands_still(self) -> None:
        done = run("draw", "-k", "3", "--step", "2", "-f", "svg")
        assert "<animate" not in done.stdout and done.stdout == draw(kernel=3).still(2)
        assert "step 2 of 9: output (0, 1)" in run("draw", "-k", "3", "--step", "2").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "draw needs the kernel of a convolution, or a spec"),
        (("-k", "0"), "kernel_size must be at least 1"),
        (("-k", "3", "--size", "0"), "the size must be at least 1"),
        (("-k", "7", "--size", "3"), "kernel of 7 is larger than the input of 3"),
        (("-k", "3,3,3"), "values for 3 axes"),
        (("-k", "3,5", "--dims", "1"), "values for 1 and 2 axes"),
        (("-k", "3", "--op", "1"), "output_padding belongs to a transposed convolution"),
        (("-k", "3", "--op", "3", "--transposed"), "must be smaller than max(stride 1, dilation 1)"),
        (("-k", "3", "-p", "same"), "give its pads"),
        (("-k", "3", "--steps", "--matrix"), "different pictures"),
        (("-k", "3", "--step", "10"), "steps count from 1 to 9"),
        (("-k", "3", "-o", "x.bmp"), "'.bmp' is the suffix of no drawing"),
        (("-k", "3", "-o", "x"), "the name of the file says not what it is"),
        (("-k", "3", "-f", "svg", "-o", "x.png"), "--format svg does not go with -o x.png"),
        (("-k", "3", "--variant", "resnet50"), "--variant needs a SPEC"),
        (("resnet", "conv1", "-k", "3"), "--k does not go with a SPEC"),
        (("resnet",), "55 layers of the network can be drawn"),
        (("lenet5", "F6"), "'F6' has no picture: linear has no window and no map over the space of its input"),
        (("lenet5", "tanh"), "'tanh' has no picture: each output of tanh reads the number at its own place"),
        (("lenet5", "input"), "'input' has no picture: it is what the network reads"),
        (("lenet5", "C9"), "there is no layer 'C9'"),
        (("lenet5", "S2", "--matrix", "-f", "svg"), "multiplies with no kernel"),
        (("-k", "3", "--steps", "-o", "x.gif"), "a GIF moves"),
        (("-k", "1000000000000"), "a row of 1,000,000,000,002 cells, of 64 at the most"),
        (("-k", "3", "-s", "1000000000000"), "cells, of 64 at the most"),
        (("-k", "80"), "--dims 1"),
        (("-k", "700", "--dims", "1"), "a row of 702 cells, of 640 at the most"),
        (("-k", "7", "-d", "3", "-s", "4", "--transposed", "--steps", "-f", "svg"), "too many steps for stills: 729"),
        (("-k", "7", "-d", "3", "-s", "4", "--transposed", "-o", "x.gif"), "too many steps for a GIF: 729"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)


@pytest.mark.parametrize(("suffix", "missing"), [("png", "resvg_py"), ("gif", "PIL"), ("gif", "resvg_py")])
def test_a_missing_package_is_named_with_its_extra(
    suffix: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    said = refused("-k", "3", "-o", str(tmp_path / f"x.{suffix}"))
    assert "needs the package" in said and 'pip install "convcalc[draw]"' in said
    assert not list(tmp_path.iterdir())


class TestLargeInputs:
    @pytest.mark.parametrize("size", [10_000, 2**62])
    def test_a_large_input_is_drawn_as_an_excerpt_that_says_so(self, size: int) -> None:
        drawing = draw(kernel=3, stride=2, padding=1, size=size)
        assert drawing.drawn.excerpt and len(drawing.svg) < 20_000
        assert f"o = {size // 2:,}"[:4] in str(drawing) and "the same windows, padding and leftover" in drawing.svg

    @pytest.mark.parametrize("size", range(20, 32))
    def test_an_excerpt_has_the_leftover_of_the_whole(self, size: int) -> None:
        for k in range(1, 6):
            for s in range(1, 5):
                window = Window(k, s, 1, 0)
                small, output = shortened(window, size, conv_output(size, *window))
                assert (small - size) % s == 0 and output == conv_output(small, *window)
                whole = drawn_axes([Given(window, size, conv_output(size, *window))])[0]
                excerpt = drawn_axes([Given(window, small, output)])[0]
                unread = [len(axis.places) - 1 - max(axis.read) + axis.begin for axis in (whole, excerpt)]
                assert unread[0] == unread[1]


class TestLayers:
    def test_what_a_transposed_layer_reads_is_what_receptive_fields_are_made_of(self) -> None:
        for k in range(1, 6):
            for s in range(1, 4):
                window = TransposedWindow(k, s, (k - 1) // 2, 0)
                axis = drawn_axes([Given(window, 4, 3 * s + k - (k - 1) // 2)])[0]
                for position in range(axis.output):
                    inside = tuple(i for i in taps(window, position) if 0 <= i < 4)
                    assert axis.inputs_of(position) == inside

    @pytest.mark.slow
    def test_every_layer_of_the_gallery_is_drawn_or_has_nothing_to_draw(self) -> None:
        for name in gallery_names():
            network = convcalc.load(name)
            for index, node in enumerate(network.nodes):
                drawn = layer_drawing(network, index, f"d{index}")
                axes = window_axes(node.layer, network.input_shapes(node), node.shape)
                long = axes and row_length(axes[-1].map, shortened(*axes[-1])[0]) > WIDEST[1]
                assert (drawn is None) == (not axes or bool(long)), (name, node.name)
                if drawn is not None:
                    assert len(drawn) < 60_000, (name, node.name)
                    ElementTree.fromstring(drawn)

    def test_the_same_window_gives_the_same_text(self) -> None:
        network = convcalc.load("vgg")
        found = {layer_drawing(network, i, "d") for i, node in enumerate(network.nodes) if node.kind == "conv2d"}
        assert len(found) == 1

    def test_ids_have_the_prefix_and_the_style_may_be_left_to_the_page(self) -> None:
        network = convcalc.load("teaching_checkerboard")
        (index,) = [i for i, node in enumerate(network.nodes) if node.kind == "conv_transpose2d"]
        drawn = layer_drawing(network, index, "one", styled=False)
        assert drawn is not None and "<style" not in drawn and "style=" not in drawn
        root = ElementTree.fromstring(drawn)
        ids = {element.get("id") for element in root.iter() if element.get("id")}
        assert ids and all(name is not None and name.startswith("one-") for name in ids)
        named = re.findall(r"#([\w-]+)", drawn) + (root.get("aria-labelledby") or "").split()
        assert set(named) <= ids

    def test_pools_that_round_up_reach_beyond_their_input(self) -> None:
        spec = "{convcalc: 1, input: [3, 6, 6], layers: [{max_pool2d: {k: 3, s: 2, ceil_mode: true}}]}"
        axis = draw(convcalc.loads(spec)).drawn.axes[0]
        assert axis.cells == ("input",) * 6 + ("beyond",) and axis.output == 3

    def test_windows_of_an_adaptive_pool_change_their_size(self) -> None:
        spec = "{convcalc: 1, input: [3, 7, 10], layers: [{adaptive_avg_pool2d: {output_size: [5, 4]}}]}"
        drawing = draw(convcalc.loads(spec))
        assert [len(window) for window in drawing.drawn.axes[0].windows] == [2, 2, 3, 2, 2]
        root = ElementTree.fromstring(drawing.svg)
        moved = {one.get("attributeName") for one in root.iter(f"{SVG}animate")}
        assert {"x", "y", "height"} <= moved

    def test_axes_that_count_as_batch_are_not_drawn(self) -> None:
        spec = "{convcalc: 1, input: [8, 3, 9, 9], layers: [{conv2d: {out: 4, k: 3, s: 2}, batch_axes: 1}]}"
        drawing = draw(convcalc.loads(spec))
        assert drawing.drawn.sizes == ("9 × 9", "4 × 4") and drawing.drawn.what == "convolution"

    def test_the_last_two_of_three_axes_are_drawn(self) -> None:
        drawing = draw("c3d", "conv1a")
        assert len(drawing.drawn.axes) == 2 and drawing.drawn.beside == 1
        assert "the last two of 3 axes" in drawing.svg

    def test_padding_that_is_filled_from_the_input_is_said(self) -> None:
        spec = "{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 1, k: 3, p: 1, padding_mode: reflect}}]}"
        drawing = draw(convcalc.loads(spec))
        assert "reflect" in drawing.svg and "reflect" in str(drawing)


class TestMatrices:
    @pytest.mark.parametrize("transposed", [False, True])
    def test_they_are_those_of_the_reference(self, transposed: bool) -> None:
        for k, s, d, p in ((3, 2, 1, 1), (2, 1, 1, 0), (3, 1, 2, 1), (4, 3, 1, 2)):
            drawing = draw(kernel=k, stride=s, dilation=d, padding=p, dims=1, transposed=transposed)
            axis, weights = drawing.drawn.axes[0], np.arange(1.0, k + 1)
            if transposed:
                wanted = np.stack([scattered(unit, weights, s, p, axis.output, d) for unit in np.eye(axis.size)], 1)
            else:
                wanted = matrix(axis.size, weights, s, p, p, d)
            made = drawn_matrices(drawing.drawn)
            assert [[weight or 0 for weight in row] for row in made.weights] == wanted.tolist()
            columns = np.array([[number or 0 for number in row] for row in made.columns.inputs])
            found = np.array(made.columns.weights) @ columns
            assert found.tolist() == (wanted @ np.arange(1.0, axis.size + 1)).tolist()

    def test_a_tap_has_one_colour_in_all_of_them(self) -> None:
        root = ElementTree.fromstring(draw(kernel=2, size=3, picture="matrix").svg)
        fills = [path.get("fill") for path in root.iter(f"{SVG}path") if path.get("class") == "coloured"]
        assert len(set(fills)) == 4 and len(fills) == 4 * 4

    def test_matrices_too_large_are_refused_with_their_size(self) -> None:
        with pytest.raises(UsageError, match="a matrix of 81 × 100 cells, of 6,000 at the most"):
            _ = draw(kernel=2, size=10, picture="matrix").svg


class TestHostileNames:
    @pytest.mark.parametrize("name", HOSTILE)
    @pytest.mark.parametrize("picture", ["motion", "steps"])
    def test_they_are_text_in_svg(self, name: str, picture: str) -> None:
        drawing = draw(kernel=3)
        drawing = type(drawing)(drawing.drawn._replace(name=name), "steps" if picture == "steps" else "motion")
        svg = drawing.svg
        root = ElementTree.fromstring(svg)
        kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert not kinds & {"script", "img", "image", "foreignObject", "a"}
        assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x1b\x07]", svg)
        assert len(svg) < 30_000

    def test_they_are_text_on_the_command_line(self, tmp_path: Path) -> None:
        spec = tmp_path / "x.yaml"
        name = "</script>\\u202e" + "y" * 50
        spec.write_text(f'{{convcalc: 1, name: "{name}", input: [3, 8, 8], layers: [{{conv2d: {{out: 1, k: 3}}}}]}}')
        for form in ("svg", "text", "json"):
            done = run("draw", str(spec), "--format", form)
            assert done.code == 0 and "\u202e" not in done.stdout and "</script>" not in done.stdout

    def test_json_in_a_file_is_that_of_standard_output(self, tmp_path: Path) -> None:
        spec = tmp_path / "x.yaml"
        spec.write_text("{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 1, k: 3}, name: a}]}")
        network = convcalc.load(spec)
        drawing = draw(network)
        drawing = type(drawing)(drawing.drawn._replace(name="a\u202eb"))
        drawing.save(tmp_path / "x.json")
        assert "\u202e" not in (tmp_path / "x.json").read_text()
        assert json.loads((tmp_path / "x.json").read_text()) == json.loads(json.dumps(drawing.to_dict()))

    def test_nothing_is_loaded_from_elsewhere(self) -> None:
        for drawing in drawings().values():
            svg = drawing.svg.replace("http://www.w3.org/2000/svg", "")
            assert "http" not in svg and "@import" not in svg and "javascript" not in svg
            assert set(re.findall(r"url\((.)", svg)) <= {"#"}


class TestPictures:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", list(drawings()))
    def test_resvg_renders_them_in_light_and_dark(self, name: str) -> None:
        from PIL import Image

        drawing = drawings()[name]
        corners = []
        for scheme in ("light", "dark"):
            with Image.open(BytesIO(type(drawing)(drawing.drawn, drawing.picture, scheme).png())) as image:
                colours = image.convert("RGB").getcolors(1 << 24)
                assert colours is not None and len(colours) > 20
                corners.append(image.convert("RGB").getpixel((1, 1)))
        assert corners == [(255, 255, 255), (13, 17, 23)]

    def test_a_still_is_the_first_step_of_the_moving_one(self) -> None:
        drawing = draw(kernel=3, stride=2, padding=1)
        moving, still = ElementTree.fromstring(drawing.svg), ElementTree.fromstring(drawing.still(1))
        sizes = [(root.attrib["width"], root.attrib["height"]) for root in (moving, still)]
        assert sizes[0] == sizes[1]
        assert "prefers-reduced-motion" in drawing.svg and "@media print" in drawing.svg

    def test_it_is_described_for_those_who_do_not_see_it(self) -> None:
        root = ElementTree.fromstring(draw(kernel=3, stride=2, padding=1).svg)
        assert root.get("role") == "img"
        titles = [root.find(f"{SVG}{kind}") for kind in ("title", "desc")]
        assert [one is not None and one.get("id") for one in titles] == (root.get("aria-labelledby") or "").split()
        assert titles[1] is not None and "9 steps" in (titles[1].text or "")

    def test_contributions_are_those_of_invert(self) -> None:
        axis = draw(kernel=3, stride=2, padding=1, transposed=True, size=8, dims=1).drawn.axes[0]
        overlap = convcalc.invert(3, 2, 1).axes[0].overlap
        assert axis.counts is not None
        assert axis.counts[2:-2] == tuple(overlap[(y + 1) % 2] for y in range(2, axis.output - 2))


class TestPython:
    def test_a_drawing_is_printed_saved_and_shown(self, tmp_path: Path) -> None:
        drawing = draw(kernel=3, stride=2, padding=1, size=5)
        assert repr(drawing) == "<Drawing convolution 5 × 5 → 3 × 3: 9 steps>"
        assert drawing._repr_svg_() == drawing._repr_html_() == drawing.svg
        assert str(drawing) == run("draw", "-k", "3", "-s", "2", "-p", "1", "--size", "5").stdout.rstrip("\n")
        drawing.save(tmp_path / "x.svg")
        drawing.save(tmp_path / "x.svg", step=2)
        assert (tmp_path / "x.svg").read_text() == drawing.still(2)
        with pytest.raises(UsageError, match=r"no drawing is saved as '\.pdf'"):
            drawing.save(tmp_path / "x.pdf")

    def test_axes_may_differ(self) -> None:
        found = read_back(draw(kernel=[3, 1], stride=[1, 2], padding=[(1, 0), 0], size=[4, 5]).svg)
        assert len(found.outputs) == 3 * 3 and len(found.inputs) == 20

    def test_what_cannot_be_is_refused(self) -> None:
        with pytest.raises(GeometryError):
            draw(kernel=7, size=3)
        with pytest.raises(UsageError, match="there is no picture 'matrices'"):
            draw(kernel=3, picture="matrices")  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="one axis is drawn or two, not 3"):
            draw(kernel=3, dims=3)


class TestCharacters:
    def test_explain_draws_two_axes(self) -> None:
        printed = run("explain", "lenet5", "C1").stdout
        assert "drawn on 7x7 -> 3x3: the same windows, padding and leftover" in printed
        assert "[a][b][c][d][e] f  g    [#] .  ." in printed

    def test_explain_says_nothing_of_a_window_of_one_tap(self) -> None:
        assert "[a]" not in run("explain", "conv2d: {out: 8, k: 1}", "--input", "3,8,8").stdout

    def test_invert_draws_two_axes(self) -> None:
        printed = run("invert", "-k", "3", "-s", "2", "-p", "1").stdout
        assert "Over two axes, at the first step" in printed
        assert "[.][a][0] b  0  c  .    6 5 4" in printed and printed.isascii()

    def test_an_inversion_too_large_to_be_drawn_is_still_printed(self) -> None:
        done = run("invert", "-k", "99", "-s", "50")
        assert done.code == 0 and "Over two axes" not in done.stdout

    def test_every_step_below_the_other(self) -> None:
        printed = run("draw", "-k", "2", "--size", "3", "--steps").stdout
        assert [f"step {n} of 4" in printed for n in range(1, 6)] == [True] * 4 + [False]
        assert printed.count("[ ] window") == 1

    def test_matrices_in_characters_are_those_of_explain(self) -> None:
        drawn = run("draw", "-k", "2", "--size", "3", "--matrix").stdout
        explained = run("explain", "-k", "2", "--size", "3", "--matrix").stdout
        (row,) = {line for line in drawn.splitlines() if "[ . . . . 1 2 . 3 4 ]" in line}
        assert row in explained
