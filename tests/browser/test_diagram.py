"""The diagram in a browser: blocks open and close, keys follow lines, shares are said and coloured, and it is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convcalc import load, loads
from convcalc.analysis.diff import diff
from convcalc.analysis.report import analyse
from convcalc.page.diagram import graph

from .conftest import Open, Opened
from .diagram_page import diagram_page

pytestmark = pytest.mark.browser
HOSTILE = '</script><img src=x onerror="alert(1)">\u202e'


@pytest.fixture
def shown(open_file: Open, tmp_path: Path) -> Any:
    """Opens the diagram of a graph; keywords of `mount`, and those that begin with `context_` of the browser's."""

    def opened(found: object, *, workers: bool = True, **options: Any) -> Opened:
        context = {name[8:]: options.pop(name) for name in list(options) if name.startswith("context_")}
        path = tmp_path / "diagram.html"
        path.write_text(diagram_page(found, workers=workers, **options), "utf-8")
        page = open_file(path, viewport={"width": 1280, "height": 900}, **context)
        page.page.evaluate("diagram.ready")
        return page

    return opened


@pytest.fixture(scope="module")
def resnet() -> dict[str, object]:
    return graph(analyse(load("resnet", variant="resnet50")))


def settled(opened: Opened) -> None:
    opened.page.locator(".diagram:not([aria-busy])").wait_for()


def quiet(opened: Opened) -> bool:
    """Whether the page asked for nothing but itself and its worker, and nothing was said."""
    asked = [url for url in opened.requests if not url.startswith(("file:", "blob:"))]
    return not asked and not opened.messages


def label(opened: Opened) -> str:
    """What the focused box says first."""
    return opened.page.evaluate("document.activeElement.getAttribute('aria-label')").split(",")[0]


def test_blocks_open_and_close_where_they_stand(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    boxes = opened.page.locator("[data-key]")
    assert boxes.count() == 11
    block = opened.page.get_by_role("button", name="conv4_x, 6 × residual")
    assert block.get_attribute("aria-expanded") == "false"
    before = block.bounding_box()
    block.click()
    settled(opened)
    opened.page.get_by_role("button", name="conv4_x.1–5 ×5, bottleneck").wait_for()
    assert block.get_attribute("aria-expanded") == "true"
    assert boxes.count() == 13
    after = opened.page.locator(".frame").bounding_box()
    assert abs(after["x"] + after["width"] / 2 - before["x"] - before["width"] / 2) < 2
    block.click()
    settled(opened)
    opened.page.locator(".frame").first.wait_for(state="detached")
    assert boxes.count() == 11
    assert quiet(opened)


def test_the_layout_runs_in_a_worker_and_without_one(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    assert opened.page.evaluate("diagram.place()") == "worker"
    places = "[...document.querySelectorAll('[data-key]')].map((each) => each.getAttribute('transform'))"
    inside = opened.page.evaluate(places)
    blocked = shown(resnet, workers=False)
    assert blocked.page.evaluate("diagram.place()") == "page"
    assert blocked.page.evaluate(places) == inside


def test_keys_follow_lines_and_open_blocks(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    keyboard = opened.page.keyboard
    opened.page.get_by_label("See all of it").focus()
    keyboard.press("Tab")
    assert label(opened) == "input"
    seen = []
    for _ in range(3):
        keyboard.press("ArrowDown")
        seen.append(label(opened))
    assert seen == ["conv1", "pool1", "conv2_x"]
    keyboard.press("Enter")
    opened.page.locator(".frame").wait_for()
    assert label(opened) == "conv2_x"
    keyboard.press("ArrowDown")
    assert label(opened) == "conv2_x.0"
    keyboard.press("Space")
    opened.page.locator(".frame >> nth=1").wait_for()
    keyboard.press("ArrowDown")
    body = label(opened)
    keyboard.press("ArrowRight")
    assert {body, label(opened)} == {"conv2_x.0.body.bottleneck", "conv2_x.0.shortcut.conv_bn"}
    keyboard.press("Escape")
    assert label(opened) == "conv2_x.0"
    keyboard.press("Escape")
    keyboard.press("Enter")
    opened.page.locator(".frame").first.wait_for(state="detached")
    assert label(opened) == "conv2_x"
    keyboard.press("ArrowUp")
    assert label(opened) == "pool1"
    keyboard.press("Enter")
    assert opened.page.evaluate("chosen") == ["pool1"]
    keyboard.press("End")
    assert opened.page.evaluate("document.activeElement.getAttribute('role')") == "img"
    assert quiet(opened)


def test_a_click_on_a_layer_chooses_it(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    opened.page.get_by_role("button", name="pool1").click()
    assert opened.page.evaluate("chosen") == ["pool1"]
    assert opened.page.locator(".selected").count() == 1
    box = opened.page.locator(".diagram-stage").bounding_box()
    mouse = opened.page.mouse
    target = opened.page.get_by_role("button", name="pool5").bounding_box()
    mouse.move(target["x"] + 5, target["y"] + 5)
    mouse.down()
    mouse.move(box["x"] + 60, box["y"] + 300, steps=4)
    mouse.up()
    moved = opened.page.get_by_role("button", name="pool5").bounding_box()
    assert abs(moved["x"] - box["x"] - 55) < 6
    assert opened.page.evaluate("chosen") == ["pool1"], "the end of a drag is no click"


def test_a_layer_is_shown_by_its_path(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    assert opened.page.evaluate("diagram.select('conv4_x.3.body.bottleneck.conv2.conv2d')")
    selected = opened.page.locator(".selected")
    said = selected.get_attribute("aria-label")
    assert said.startswith("conv4_x.1.body.bottleneck.conv2.conv2d, 3×3, ") and ", 256×14×14, " in said
    stage, box = opened.page.locator(".diagram-stage").bounding_box(), selected.bounding_box()
    assert stage["y"] < box["y"] < stage["y"] + stage["height"] - box["height"]
    assert not opened.page.evaluate("diagram.select('nothing')")


def test_boxes_are_coloured_by_their_share_and_say_it(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    page = opened.page
    block = page.get_by_role("button", name="conv4_x, 6 × residual")
    assert "35.8 %" in block.text_content() and "share-6" in block.get_attribute("class")
    assert "macs 1,464,336,384" in block.get_attribute("aria-label")
    page.get_by_label("Colour: share of").select_option("params")
    assert "27.8 %" in block.text_content()
    fully = page.get_by_role("button", name="fc, linear")
    assert "8.0 %" in fully.text_content() and "share-4" in fully.get_attribute("class")
    page.evaluate("diagram.setCost('macs')")
    assert page.get_by_label("Colour: share of").input_value() == "macs"


def test_repetitions_count_in_shares(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    opened.page.get_by_role("button", name="conv4_x, 6 × residual").click()
    inner = opened.page.get_by_role("button", name="conv4_x.1–5 ×5, bottleneck")
    assert "1–5 ×5" in inner.text_content() and "26.7 %" in inner.text_content()
    assert "each" in inner.get_attribute("aria-label")


def test_shapes_stand_beside_the_lines(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    assert opened.page.locator("text.shape").all_text_contents()[:3] == ["3×224×224", "64×112×112", "64×56×56"]


def test_everything_opens_and_fits(shown: Any, resnet: Any) -> None:
    opened = shown(resnet)
    page = opened.page
    page.get_by_label("Open all blocks").click()
    settled(opened)
    page.locator("[data-key] >> nth=100").wait_for()
    assert page.locator("[data-key]").count() == len(resnet["nodes"]) + len(resnet["groups"])
    page.get_by_label("See all of it").click()
    view, stage = page.locator(".view").bounding_box(), page.locator(".diagram-stage").bounding_box()
    assert view["height"] <= stage["height"] and view["width"] <= stage["width"]
    page.get_by_label("Close all blocks").click()
    page.locator(".frame >> nth=0").wait_for(state="detached")
    assert page.locator("[data-key]").count() == 11


OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll("[data-key].box > .body")].map((each) => each.getBoundingClientRect());
  const inside = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => inside(a, b))).length;
}"""


@pytest.mark.parametrize("name", ["googlenet", "unet", "nasnet", "swin", "hrnet", "densenet"])
@pytest.mark.parametrize("direction", ["down", "right"])
def test_no_boxes_overlap(shown: Any, name: str, direction: str) -> None:
    opened = shown(graph(analyse(load(name))))
    turn = opened.page.get_by_label("Turn the direction of the flow")
    if (turn.text_content() == "↓") != (direction == "down"):
        turn.click()
        settled(opened)
    assert opened.page.evaluate(OVERLAPS) == 0
    opened.page.get_by_label("Open all blocks").click()
    settled(opened)
    opened.page.locator(".frame >> nth=0").wait_for()
    assert opened.page.evaluate(OVERLAPS) == 0
    texts = "[...document.querySelectorAll('.box')].filter((each) => each.getBBox().width > 240 + 6).length"
    assert opened.page.evaluate(texts) == 0


def test_a_thousand_boxes_take_less_than_three_seconds(shown: Any) -> None:
    found: Any = graph(analyse(load("nasnet", variant="nasnet_large")))
    for node in found["nodes"]:
        node["group"] = None
    found = {**found, "groups": []}
    assert len(found["nodes"]) > 1000
    opened = shown(found)
    assert opened.page.locator("[data-key]").count() == len(found["nodes"])
    assert opened.page.evaluate("diagram.place()") == "worker"
    assert opened.page.evaluate("milliseconds") < 3000
    assert opened.page.evaluate(OVERLAPS) == 0


CLICK = """async () => {
  const started = performance.now();
  document.querySelector(".box.group").dispatchEvent(new MouseEvent("click", { bubbles: true }));
  while (document.querySelector(".frame") === null) await new Promise((resolve) => setTimeout(resolve, 4));
  return performance.now() - started;
}"""


@pytest.mark.parametrize("name", ["resnet", "googlenet", "nasnet"])
def test_a_click_takes_less_than_three_hundred_milliseconds(shown: Any, name: str) -> None:
    opened = shown(graph(analyse(load(name))))
    assert opened.page.evaluate(CLICK) < 300


def test_names_are_text_whatever_stands_in_them(shown: Any, resnet: Any) -> None:
    found = {**resnet, "nodes": [dict(node) for node in resnet["nodes"]], "groups": [dict(g) for g in resnet["groups"]]}
    found["nodes"][0]["label"] = found["nodes"][0]["path"] = HOSTILE
    found["groups"][0]["label"] = found["groups"][0]["what"] = "x" * 10_000
    opened = shown(found)
    page = opened.page
    assert page.locator("img").count() == 0 and quiet(opened)
    first = page.locator("[data-key] >> nth=0")
    assert first.get_attribute("aria-label").startswith("</script><img src=x")
    long = page.locator("[data-key] >> nth=1")
    assert long.locator("text.name").text_content().endswith("…")
    long.hover()
    assert "x" * 10_000 in long.locator("title").text_content()
    assert long.locator(".body").bounding_box()["width"] < 300


def test_a_comparison_has_signs_and_a_legend(shown: Any) -> None:
    before, after = (analyse(load("vgg", variant=name)) for name in ("vgg16", "vgg11_bn"))
    opened = shown(graph(after, diff(before, after)))
    page = opened.page
    legend = page.get_by_label("Colours").locator("li").all_text_contents()
    assert legend[-3:] == ["+ added", "− removed", "~ changed"]
    changed = page.locator(".box.changed >> nth=0")
    assert changed.locator("text.name").text_content().startswith("~ ")
    changed.click()
    page.locator(".box.removed >> nth=0").wait_for()
    assert page.locator(".box.removed text.name >> nth=0").text_content().startswith("− ")
    assert page.locator(".box.added text.name >> nth=0").text_content().startswith("+ ")
    assert page.locator(".line.removed").count() == 3
    assert quiet(opened)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_read_on_every_colour(shown: Any, resnet: Any, scheme: str) -> None:
    opened = shown(resnet, context_color_scheme=scheme)
    contrasts = opened.page.evaluate(
        """() => {
          const luminance = (text) => {
            const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((n) => n / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          return [...document.querySelectorAll("[data-key].box")].flatMap((box) => {
            const ground = luminance(getComputedStyle(box.querySelector(".body")).fill);
            return [...box.querySelectorAll("text")].map((text) => {
              const ink = luminance(getComputedStyle(text).fill);
              return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
            });
          });
        }"""
    )
    assert len(contrasts) > 20 and min(contrasts) >= 4.5


def test_a_theme_can_be_chosen(shown: Any, resnet: Any) -> None:
    def paper(opened: Opened) -> str:
        return opened.page.evaluate("getComputedStyle(document.querySelector('.diagram-stage')).backgroundColor")

    dark = paper(shown(resnet, context_color_scheme="dark"))
    assert paper(shown(resnet, theme="dark", context_color_scheme="light")) == dark
    assert paper(shown(resnet, theme="light", context_color_scheme="dark")) != dark


def test_a_network_without_a_diagram_says_so(shown: Any) -> None:
    opened = shown({"nodes": [], "groups": [], "costs": ["macs"], "left_out": 100_000})
    assert opened.page.get_by_role("status").text_content() == "100000 layers are more than a diagram shows."
    assert quiet(opened)


def test_it_goes_away(shown: Any) -> None:
    opened = shown(graph(analyse(loads("{convcalc: 1, input: [3, 8, 8], layers: [relu]}"))))
    opened.page.evaluate("diagram.destroy()")
    assert opened.page.locator(".diagram").count() == 0
    assert quiet(opened)
