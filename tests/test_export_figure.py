"""Figures of networks: nothing lies on anything else, pairs stand beside each other, and every renderer draws them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from convcalc import export, load, loads
from convcalc.export.figure import COLOURS, figure
from convcalc.export.figure_layout import MOST_PARTS, NAMES, PAGE, Figure, Rectangle, arranged
from convcalc.export.figure_parts import parts
from convcalc.findings import UsageError

from .command import run
from .golden_output import PICTURES, Golden

GALLERY = sorted(path.stem for path in (Path(__file__).parent.parent / "specs").glob("*.yaml"))
AS_U = ["pix2pix_generator", "segnet", "unet", "unet3d", "vnet"]
SPACE = "{http://www.w3.org/2000/svg}"


DETECTOR = """
convcalc: 1
name: Detector
input: [3, 416, 416]
blocks:
  conv: {params: {out: ~, k: 3, s: 1}, layers: [{conv2d: {out: out, k: k, s: s, p: "k // 2"}}, batch_norm, leaky_relu]}
layers:
  - {conv: {out: 32}, name: stem}
  - {conv: {out: 64, s: 2}, name: c1}
  - {conv: {out: 256, s: 2}, name: p3}
  - {conv: {out: 512, s: 2}, name: p4}
  - {conv: {out: 1024, s: 2}, name: p5}
  - {conv2d: {out: 255, k: 1}, name: head5}
  - {conv: {out: 256, k: 1}, from: p5, name: lateral5}
  - {upsample: {scale_factor: 2}, name: up5}
  - {concat: , from: [up5, p4], name: cat4}
  - {conv: {out: 256}, name: n4}
  - {conv2d: {out: 255, k: 1}, name: head4}
  - {conv: {out: 128, k: 1}, from: n4, name: lateral4}
  - {upsample: {scale_factor: 2}, name: up4}
  - {concat: , from: [up4, p3], name: cat3}
  - {conv: {out: 128}, name: n3}
  - {conv2d: {out: 255, k: 1}, name: head3}
outputs: [head5, head4, head3]
"""
"""A backbone with three heads, of which two read what an upsampling and the backbone join."""


def segments(made: Figure) -> list[Rectangle]:
    """The straight pieces of all arrows."""
    return [
        Rectangle(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
        for line in made.lines
        for (ax, ay), (bx, by) in pairwise(line.corners)
    ]


def crosses(segment: Rectangle, place: Rectangle) -> bool:
    """Whether a level or upright line leads through a place."""
    return (
        segment.left < place.right
        and place.left < segment.right + 0.01
        and segment.top < place.bottom
        and place.top < segment.bottom + 0.01
    )


@pytest.mark.parametrize("name", [*GALLERY, "detector"])
@pytest.mark.slow
def test_nothing_lies_on_anything_else(name: str) -> None:
    made = arranged(loads(DETECTOR) if name == "detector" else load(name))
    solids = [each.place for each in made.parts]
    texts = [text.place for text in made.texts]
    assert not [pair for pair in combinations(solids, 2) if pair[0].meets(pair[1])]
    assert not [(a.content, b.content) for a, b in combinations(made.texts, 2) if a.place.meets(b.place)]
    assert not [(text, solid) for text in texts for solid in solids if text.meets(solid)]
    assert not [(text.content, line) for text in made.texts for line in segments(made) if crosses(line, text.place)]
    assert not [(solid, line) for solid in solids for line in segments(made) if crosses(line, solid)]
    for place in (*solids, *texts, *segments(made)):
        assert place.left >= 0 and place.top >= 0 and place.right <= made.width and place.bottom <= made.height


@pytest.mark.parametrize("name", GALLERY)
def test_a_figure_is_attributes_alone(name: str) -> None:
    picture = figure(load(name))
    root = ElementTree.fromstring(picture)
    tags = {element.tag.removeprefix(SPACE) for element in root.iter()}
    assert tags <= {"svg", "title", "rect", "polygon", "polyline", "text"}
    names = {name for element in root.iter() for name in element.keys()}  # noqa: SIM118
    assert not names & {"style", "class", "id", "marker-end", "paint-order", "href"}
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


@pytest.mark.parametrize("name", AS_U)
def test_pairs_stand_beside_each_other(name: str) -> None:
    made = arranged(load(name))
    assert len(made.pairs) > 1
    for one, other in made.pairs:
        left, right = made.parts[one], made.parts[other]
        assert left.y == right.y and left.place.right < right.place.left
    first, second = made.parts[0], made.parts[1]
    assert first.x == second.x and first.y < second.y, "the encoder leads down"
    assert made.parts[-1].x > first.x and made.parts[-1].y < made.parts[-2].y, "the decoder leads up"


def test_only_networks_with_nested_skips_are_us() -> None:
    assert [name for name in GALLERY if arranged(load(name)).pairs] == AS_U


@pytest.mark.parametrize("name", ["vgg", "resnet", "unet", "googlenet", "dcgan_generator"])
def test_more_resolution_is_higher_and_more_channels_are_wider(name: str) -> None:
    made = arranged(load(name))
    maps = [(each.part.extent, each.solids[0]) for each in made.parts if each.part.extent.space]
    for (one, solid), (other, another) in combinations(maps, 2):
        assert (one.height > other.height) == (solid.height > another.height)
        assert (one.channels > other.channels) == (solid.width > another.width)


@pytest.mark.parametrize("name", GALLERY)
def test_every_stage_with_weights_is_drawn_once(name: str) -> None:
    network = load(name)
    weighted = [
        stage
        for stage, members, _ in network.stages()
        if any((layer := network.nodes[i].layer) is not None and layer.weighted for i in members)
    ]
    found, leads = parts(network)
    drawn = [part.name for part in found]
    assert [stage for stage in drawn if stage in weighted] == weighted
    assert all(lead.source < lead.target for lead in leads)
    reached = {lead.target for lead in leads}
    assert all(part.role == "input" or number in reached for number, part in enumerate(found))


def test_repetitions_are_slices_and_pooling_is_a_slab() -> None:
    found, _ = parts(load("resnet", variant="resnet50"))
    said = {part.name: (part.detail, part.repeats, [slab.role for slab in part.slabs]) for part in found}
    assert said["conv1"] == ("7×7 conv, /2", 1, ["pooling"])
    assert said["conv4_x"] == ("6 × residual", 6, [])
    assert "pool1" not in said and "flatten" not in said
    assert ">6 × residual</text>" in figure(load("resnet", variant="resnet50"))


def test_heads_stand_in_the_row_and_arrows_lead_over_them() -> None:
    found, leads = parts(loads(DETECTOR))
    names = [part.name for part in found]
    ends = {(names[lead.source], names[lead.target]) for lead in leads}
    assert ("head5", "lateral5") not in ends
    assert {("p5", "lateral5"), ("p4", "up5"), ("n4", "lateral4"), ("p3", "up4")} <= ends
    assert [part.name for part in found if part.detail.endswith(", output")] == ["head5", "head4", "head3"]
    assert [slab.role for slab in found[names.index("up5")].slabs] == ["join"]


def test_what_only_lends_its_size_is_dashed() -> None:
    assert "stroke-dasharray" in figure(load("segnet")) and ">lends its size<" in figure(load("segnet"))
    assert "stroke-dasharray" not in figure(load("unet"))


def test_rows_fit_the_page_where_they_can_be_parted() -> None:
    made = arranged(load("googlenet"))
    assert made.width <= PAGE and {each.row for each in made.parts} == {0, 1}
    skipped = arranged(load("nasnet"))
    assert {each.row for each in skipped.parts} == {0}, "an arrow leads over every place but those beside the ends"


def test_the_legend_has_what_is_drawn() -> None:
    made = arranged(load("unet"))
    assert [role for role, _, _ in made.legend] == ["convolution", "upsampling", "pooling"]
    assert set(NAMES) == set(COLOURS) - {"input"}


def test_several_outputs_are_said() -> None:
    layers = "[{conv2d: {out: 4, k: 1}, name: a}, {conv2d: {out: 5, k: 1}, name: b}]"
    found, _ = parts(loads(f"{{convcalc: 1, input: [3, 8, 8], outputs: [a, b], layers: {layers}}}"))
    assert [part.detail for part in found] == ["", "1×1 conv, output", "1×1 conv, output"]


def test_long_names_are_cut_and_whole_in_their_titles() -> None:
    name = "a_very_long_name_of_a_stage_that_nobody_can_read"
    picture = figure(loads(f"{{convcalc: 1, input: [3, 8, 8], layers: [{{conv2d: {{out: 4, k: 1}}, name: {name}}}]}}"))
    text = next(
        text for text in ElementTree.fromstring(picture).iter(f"{SPACE}text") if text.find(f"{SPACE}title") is not None
    )
    assert text.findtext(f"{SPACE}title") == name
    assert "".join(text.itertext()).removeprefix(name) == "a_very_long_name_of_a…"


def test_names_are_escaped() -> None:
    network = loads(
        "{convcalc: 1, name: '</svg><script>x</script>', input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 1}}]}"
    )
    assert ElementTree.fromstring(figure(network)).findtext(f"{SPACE}title") == "</svg><script>x</script>"


def test_too_many_stages_are_refused() -> None:
    layers = ", ".join(["{conv2d: {out: 4, k: 1}}"] * (MOST_PARTS + 1))
    with pytest.raises(UsageError, match="too many for a figure"):
        figure(loads(f"{{convcalc: 1, input: [3, 8, 8], layers: [{layers}]}}"))


def test_the_command_and_the_function_draw_the_same() -> None:
    done = run("export", "unet", "--to", "svg", "--style", "figure")
    assert done.code == 0 and done.stdout == export("unet", "svg", style="figure") == figure(load("unet"))
    assert run("export", "unet", "--to", "svg", "--style", "graph").stdout == export("unet", "svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "dot", "--style", "figure"), "--style goes with svg, not with dot"),
        (("--to", "svg", "--style", "figure", "--by", "layer"), "a figure shows stages"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: tuple[str, ...], said: str) -> None:
    done = run("export", "lenet5", *arguments)
    assert done.code == 2 and said in done.stderr and not done.stdout


@pytest.mark.parametrize("golden", PICTURES, ids=lambda golden: golden.path.name)
def test_the_pictures_of_the_documentation_are_what_is_drawn(golden: Golden) -> None:
    done = golden.run()
    assert (done.code, done.stderr, done.stdout) == (0, "", golden.expected)


def blank(png: bytes, margin: int = 6) -> tuple[bool, bool]:
    """(whether the border of a picture is white, whether all of it is)."""
    from PIL import Image

    picture = Image.open(BytesIO(png)).convert("L")
    inner = (margin, margin, picture.width - margin, picture.height - margin)
    outside = picture.copy()
    outside.paste(255, inner)
    return outside.getextrema() == (255, 255), picture.crop(inner).getextrema() == (255, 255)


@pytest.mark.parametrize("name", ["unet", "resnet", "googlenet", "hrnet", "segnet"])
def test_resvg_draws_it_within_its_margins(name: str) -> None:
    resvg = pytest.importorskip("resvg_py")
    pytest.importorskip("PIL")
    assert blank(bytes(resvg.svg_to_bytes(svg_string=figure(load(name))))) == (True, False)


def by_cairo(picture: str) -> bytes:
    try:
        import cairosvg
    except OSError:
        pytest.skip("needs the library libcairo")
    png: bytes = cairosvg.svg2png(bytestring=picture.encode())
    assert cairosvg.svg2pdf(bytestring=picture.encode()).startswith(b"%PDF")
    return png


def by_inkscape(picture: str) -> bytes:
    path = shutil.which("inkscape")
    if path is None:
        pytest.skip("needs Inkscape")
    command = [path, "--pipe", "--export-type=png", "--export-filename=-"]
    return subprocess.run(command, input=picture.encode(), capture_output=True, check=True, timeout=120).stdout


@pytest.mark.parametrize("name", ["unet", "resnet", "googlenet", "hrnet", "segnet"])
def test_cairo_draws_it_within_its_margins(name: str) -> None:
    pytest.importorskip("PIL")
    assert blank(by_cairo(figure(load(name)))) == (True, False)


@pytest.mark.parametrize("drawn", [by_cairo, pytest.param(by_inkscape, marks=pytest.mark.slow)])
def test_labels_of_arrows_are_drawn(drawn: Callable[[str], bytes]) -> None:
    """Where a label stands there is ink, which is not there without it."""
    pytest.importorskip("PIL")
    from PIL import Image, ImageChops

    picture = figure(load("unet"))
    without = picture.replace(">64×568×568</text>", "></text>")
    assert picture.count(">64×568×568</text>") == 2, "of the stage, and of the arrow that leaves it"
    one, other = (Image.open(BytesIO(drawn(svg))).convert("RGB") for svg in (picture, without))
    left, _, right, _ = ImageChops.difference(one, other).getbbox() or (0, 0, 0, 0)
    assert left < one.width / 3 and right > one.width / 2, "the stage at the left, the arrow in the middle"
