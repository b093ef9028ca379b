"""Drawings in a browser: the window is where it should be at each step, light and dark, without motion, on paper."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from convcalc import draw
from convcalc.api.draw import Drawing
from convcalc.drawings.motion import Motion
from tools.pictures import drawings

from ..drawn_pictures import read_back
from .conftest import Open

pytestmark = pytest.mark.browser

AT = """
(seconds) => {
    const root = document.documentElement;
    root.pauseAnimations();
    root.setCurrentTime(seconds);
    const place = (element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    };
    const inside = (kind) => {
        const [x, y, width, height] = place(kind.split(" ").reduce((e, k) => e.querySelector(k), root));
        return [x + width / 2, y + height / 2];
    };
    const clip = [...root.querySelectorAll(".done")].map((one) => [one.height.animVal.value, one.width.animVal.value]);
    return { window: inside(".moving .frame"), marker: inside(".moving .marker"), clip };
}
"""
PLACE_OF_SECOND = """
() => {
    const { x, y, width, height } = document.querySelectorAll("use")[1].getBoundingClientRect();
    return [x, y, width, height].map(Math.floor);
}
"""
SEEN = """
(kind) => {
    const element = document.querySelector(kind);
    return element.getClientRects().length > 0 && getComputedStyle(element).display !== "none";
}
"""


def written(drawing: Drawing, folder: Path) -> Path:
    path = folder / "drawing.svg"
    drawing.save(path)
    return path


@pytest.mark.parametrize(
    "drawing",
    [draw(kernel=3, stride=2, padding=1, size=5), draw(kernel=3, stride=2, padding=1, transposed=True)],
    ids=["convolution", "transposed"],
)
def test_the_window_rests_at_each_step_where_its_output_reads(
    drawing: Drawing, open_file: Open, tmp_path: Path
) -> None:
    opened = open_file(written(drawing, tmp_path))
    motion, steps = Motion(drawing.drawn.steps), drawing.drawn.steps
    found = [opened.page.evaluate(AT, motion.step_seconds * (step + 0.3)) for step in range(steps)]
    down, across = drawing.drawn.axes
    side = found[1]["marker"][0] - found[0]["marker"][0]
    for step, one in enumerate(found):
        row, column = divmod(step, across.output)
        right, below = (one["window"][n] - found[0]["window"][n] for n in (0, 1))
        assert right == (across.windows[column][0] - across.windows[0][0]) * side
        assert below == (down.windows[row][0] - down.windows[0][0]) * side
        assert [one["marker"][n] - found[0]["marker"][n] for n in (0, 1)] == [column * side, row * side]
        (whole, _), (_, width) = one["clip"]
        assert whole // side * across.output + width // side == read_back(drawing.svg).filled[step] == step + 1
    assert opened.messages == []


@pytest.mark.parametrize("name", list(drawings()))
def test_a_picture_asks_for_nothing_and_says_nothing(name: str, open_file: Open, tmp_path: Path) -> None:
    opened = open_file(written(drawings()[name], tmp_path))
    assert len(opened.requests) == 1 and opened.messages == []
    assert opened.page.evaluate("document.querySelectorAll('script, image, foreignObject').length") == 0


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")])
def test_it_follows_the_screen(scheme: str, paper: str, open_file: Open, tmp_path: Path) -> None:
    opened = open_file(written(draw(kernel=3), tmp_path), color_scheme=scheme)
    fill = opened.page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")
    assert fill == paper


def test_it_stands_still_where_motion_is_not_wanted_and_on_paper(open_file: Open, tmp_path: Path) -> None:
    path = written(draw(kernel=3), tmp_path)
    moves = open_file(path)
    assert moves.page.evaluate(SEEN, ".moving .frame") and not moves.page.evaluate(SEEN, ".still .marker")
    rests = open_file(path, reduced_motion="reduce")
    assert rests.page.evaluate(SEEN, ".still .marker") and not rests.page.evaluate(SEEN, ".moving .marker")
    dark = open_file(path, color_scheme="dark")
    dark.page.emulate_media(media="print")
    assert dark.page.evaluate(SEEN, ".still .marker") and not dark.page.evaluate(SEEN, ".moving .marker")
    fill = dark.page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")
    assert fill == "rgb(255, 255, 255)"


def test_what_is_drawn_twice_has_its_colours_both_times(open_file: Open, tmp_path: Path) -> None:
    opened = open_file(written(draw(kernel=3, picture="steps"), tmp_path))
    x, y, width, height = opened.page.evaluate(PLACE_OF_SECOND)
    with Image.open(BytesIO(opened.page.screenshot())) as image:
        cells = image.convert("RGB").crop((x, y, x + width, y + height))
    colours = cells.getcolors(1 << 24)
    assert colours is not None and (0, 0, 0) not in {colour for _, colour in colours}
