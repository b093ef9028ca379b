"""The report in a browser: it asks for nothing, says nothing, and every part answers to mouse and keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc import load, loads
from convcalc.analysis.gallery import read_index
from convcalc.analysis.report import analyse
from convcalc.units import scaled, scaled_bytes
from tests.command import run

from .conftest import Open, Opened, find_hindrances

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
TABS = ("summary", "diagram", "memory", "field", "roofline", "published", "diff", "layer")
READY_SECONDS, CLICK_SECONDS = 2.0, 0.3
"""Of the machine's processor, until a page is ready; until a click is answered."""
HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u202e" + "x" * 10_000

Report = Callable[..., Opened]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the report of a spec, once for all tests."""
    folder = tmp_path_factory.mktemp("reports")
    known: dict[object, Path] = {}

    def page(spec: str, variant: str | None = None, against: str | None = None) -> Path:
        key = (spec, variant, against)
        if key not in known:
            known[key] = folder / f"{len(known)}.html"
            text = convcalc.report(load(spec, variant=variant), against=None if against is None else load(against))
            known[key].write_text(text, "utf-8")
        return known[key]

    return page


@pytest.fixture
def report(open_file: Open, made: Callable[..., Path]) -> Report:
    """Opens the report of a spec; keywords that begin with `context_` are the browser's."""

    def opened(spec: str, variant: str | None = None, against: str | None = None, **options: Any) -> Opened:
        context = {"viewport": {"width": 1280, "height": 900}}
        context |= {name.removeprefix("context_"): value for name, value in options.items()}
        return open_file(made(spec, variant, against), **context)

    return opened


def tabs(opened: Opened) -> list[str]:
    return [name for name in TABS if opened.page.locator(f"#{name}").count()]


def go(opened: Opened, place: str) -> None:
    opened.page.evaluate("(hash) => { location.hash = hash; }", place)
    opened.page.locator(f"#{place.partition('/')[0]}:not([hidden])").wait_for()
    if place == "diagram":
        opened.page.locator(".diagram:not([aria-busy])").wait_for()


def quiet(opened: Opened) -> bool:
    """Whether the page asked for nothing but itself and what stands in it, and nothing was said."""
    asked = [url for url in opened.requests if not url.startswith(("blob:", "data:"))]
    return len(asked) == 1 and asked[0].startswith("file:") and opened.messages == []


def processor(opened: Opened) -> Callable[[], float]:
    """Gives the seconds that the page has taken of the processor since it was asked last."""
    session = opened.page.context.new_cdp_session(opened.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    last = 0.0

    def spent() -> float:
        nonlocal last
        metrics = session.send("Performance.getMetrics")["metrics"]
        now = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
        before, last = last, now
        return float(now - before)

    return spent


def shown_rows(opened: Opened) -> list[str]:
    return opened.page.eval_on_selector_all(
        "#layers tbody tr:not([hidden]) > th a", "(all) => all.map((each) => each.textContent)"
    )


COLUMNS = "name,patch,output,receptive_field,live,activation,params,flops,macs"


def gallery(*quick: str) -> pytest.MarkDecorator:
    """All specs of the gallery; those that are not `quick` are looked at with the slow tests."""
    names = [str(entry["name"]) for entry in read_index()]
    marks: list[list[pytest.MarkDecorator]] = [[] if name in quick else [pytest.mark.slow] for name in names]
    return pytest.mark.parametrize(
        "spec", [pytest.param(name, marks=each) for name, each in zip(names, marks, strict=True)]
    )


def asked_rows(spec: str, variant: str | None = None) -> list[list[str]]:
    """The figures of `table`, row by row, as whole numbers; without windows where the network has none."""
    options = [] if variant is None else ["--variant", variant]
    asked = run("table", spec, *options, "--depth", "all", "--columns", COLUMNS, "--format", "csv").stdout
    rows = [line.split(",")[1:] for line in asked.splitlines()[1:]]
    windowed = any(row[0] for row in rows)
    return rows if windowed else [row[1:] for row in rows]


def whole_number(text: str) -> str:
    """A cell of the page as `table` writes it in CSV."""
    return text.strip().replace(",", "").removesuffix(" B")


def gone_through(opened: Opened) -> list[str]:
    """What axe-core finds wrong where all parts of a page are open at once, after each has been looked at."""
    for name in tabs(opened):
        go(opened, name)
    opened.page.evaluate("document.querySelectorAll('main > section').forEach((each) => { each.hidden = false; })")
    found = find_hindrances(opened.page)

    def cut(node: dict[str, Any]) -> bool:
        """Whether a box shows a name cut: its label has the whole of it, which is no mismatch."""
        return "…" in (opened.page.locator(node["target"][0]).text_content() or "")

    return [
        f"{wrong['id']}: {node['html'][:120]}"
        for wrong in found
        for node in wrong["nodes"]
        if wrong["id"] != "label-content-name-mismatch" or not cut(node)
    ]


@gallery("lenet5")
def test_every_report_is_read_without_scripts(report: Report, spec: str) -> None:
    opened = report(spec, context_java_script_enabled=False)
    rows = asked_rows(spec)
    cells = [whole_number(text) for text in opened.page.locator("#layers tbody td").all_inner_texts()]
    across = len(cells) // len(rows)
    assert len(rows) * across == len(cells)
    shown = [cells[at * across + 1 : at * across + 1 + len(rows[0])] for at in range(len(rows))]
    assert shown == rows
    assert opened.page.locator("main > section >> visible=true").count() == len(tabs(opened))
    assert quiet(opened)


@gallery("lenet5")
def test_no_report_hinders_anybody(report: Report, spec: str) -> None:
    dark = sum(map(ord, spec)) % 2
    assert gone_through(report(spec, context_color_scheme="dark" if dark else "light")) == []


@gallery("lenet5", "unet")
def test_every_part_asks_for_nothing_and_is_quick(report: Report, spec: str) -> None:
    opened = report(spec)
    spent = processor(opened)
    opened.page.reload()
    opened.page.locator("html.js").wait_for(state="attached")
    assert spent() < READY_SECONDS
    opened.requests[1:] = [url for url in opened.requests[1:] if url != opened.requests[0]]
    for name in tabs(opened):
        go(opened, name)
        assert opened.page.locator("main > section:not([hidden])").count() == 1
    assert quiet(opened)


def test_without_scripts_everything_stands_below_each_other(report: Report) -> None:
    opened = report("googlenet", context_java_script_enabled=False)
    page = opened.page
    for name in tabs(opened):
        assert page.locator(f"#{name} h2").is_visible()
    asked = run("table", "googlenet", "--depth", "all", "--columns", "name,params,macs", "--format", "csv").stdout
    rows = page.locator("#layers tbody tr")
    assert rows.count() == len(asked.splitlines()) - 1
    texts = page.locator("#layers").inner_text()
    for line in asked.splitlines()[1:]:
        _, params, macs = line.split(",")
        assert f"{int(params):,}" in texts and f"{int(macs):,}" in texts
    assert page.locator("#diagram img").is_visible()
    assert page.locator(".js >> visible=true").count() == 0
    assert quiet(opened)


@gallery("unet")
def test_figures_of_every_report_are_those_of_table(report: Report, spec: str) -> None:
    figures_are_those_of_table(report(spec), spec)


def test_figures_of_a_variant_are_those_of_table(report: Report) -> None:
    figures_are_those_of_table(report("resnet", "resnet50"), "resnet", "resnet50")


def figures_are_those_of_table(opened: Opened, spec: str, variant: str | None = None) -> None:
    """Each cell has its whole number, and shows it short."""
    read = """(rows) => rows.map((row) => [...row.cells].slice(2, -1).map((cell) =>
        [cell.dataset.short ?? cell.textContent, cell.textContent]))"""
    opened.page.get_by_role("button", name="Unfold all").click()
    opened.page.locator("#layers[aria-busy=false]").wait_for()
    rows = opened.page.eval_on_selector_all("#layers tbody tr", read)
    assert [[whole_number(exact) for _, exact in row] for row in rows] == asked_rows(spec, variant)
    for row in rows:
        for short, exact in row[3:]:
            number = whole_number(exact)
            if number.isdecimal():
                written = (scaled_bytes if exact.endswith(" B") else scaled)(int(number)).replace(",", "")
                assert short.replace(",", "") == ("·" if number == "0" else written), exact


def test_whole_numbers_are_shown_on_demand(report: Report) -> None:
    page = report("resnet", "resnet50").page
    cell = page.locator("#layers tfoot td").nth(6)
    shown = "(cell) => [getComputedStyle(cell).fontSize, getComputedStyle(cell, '::before').content]"
    assert cell.evaluate(shown) == ["0px", '"25.6 M"'] and cell.get_attribute("title") == "25,557,032"
    page.get_by_label("whole numbers").check()
    size, before = cell.evaluate(shown)
    assert size != "0px" and before == "none" and cell.inner_text().strip() == "25,557,032"


def test_columns_sort_the_rows_of_every_level(report: Report) -> None:
    page = report("resnet", "resnet50").page
    opened = Opened(page)
    before = shown_rows(opened)
    head = page.locator("#layers thead th", has_text="params")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    stages = "#layers tbody tr:not([class]) > th a"
    names = page.eval_on_selector_all(stages, "(all) => all.map((each) => each.textContent)")
    assert names[:4] == ["conv5_x", "conv4_x", "fc", "conv3_x"]
    rows = shown_rows(opened)
    assert rows[rows.index("conv3_x") + 1] == "0" and sorted(rows) == sorted(before)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") is None
    assert shown_rows(opened) == before


def test_a_search_shows_what_it_finds_where_it_stands(report: Report) -> None:
    opened = report("resnet", "resnet50")
    page = opened.page
    before = shown_rows(opened)
    page.get_by_label("Search").fill("conv2_x shortcut conv2d")
    assert page.locator("#found").inner_text() == "1 row"
    assert shown_rows(opened)[:2] == ["conv2_x", "0"]
    page.get_by_label("Search").fill("nothing of this")
    assert page.locator("#found").inner_text() == "0 rows" and shown_rows(opened) == []
    page.get_by_label("Search").fill("")
    assert shown_rows(opened) == before


def test_rows_fold_by_mouse_and_keys(report: Report) -> None:
    opened = report("resnet", "resnet50")
    page = opened.page
    page.get_by_role("button", name="Fold all", exact=True).click()
    folded = shown_rows(opened)
    assert folded == ["conv1", "pool1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "pool5", "flatten", "fc"]
    page.get_by_role("button", name="rows of conv2_x", exact=True).click()
    assert shown_rows(opened)[3:6] == ["0", "1", "2"]
    link = page.get_by_role("link", name="conv3_x", exact=True)
    link.focus()
    page.keyboard.press("ArrowRight")
    assert len(shown_rows(opened)) == len(folded) + 3 + 4
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.title") == "conv3_x.0"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert len(shown_rows(opened)) == len(folded) + 3
    page.get_by_role("button", name="Unfold all").click()
    page.locator("#layers[aria-busy=false]").wait_for()
    assert len(shown_rows(opened)) == page.locator("#layers tbody tr").count()


def test_a_row_opens_the_page_of_its_layer(report: Report) -> None:
    opened = report("resnet", "resnet50")
    page = opened.page
    page.locator("#layers tbody tr").filter(has_text="max_pool2d").locator("td").nth(3).click()
    assert page.evaluate("location.hash") == "#layer/pool1"
    assert page.locator("#h-layer").inner_text() == "pool1"
    for section in convcalc.explain(load("resnet", variant="resnet50"), "pool1").sections:
        assert page.get_by_role("heading", name=section.heading, exact=True).is_visible()
    picture = page.locator("#layer img.drawing")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_role("link", name="conv1.relu", exact=True).click()
    assert page.locator("#h-layer").inner_text() == "conv1.relu"
    page.get_by_role("link", name="its receptive field over the input").click()
    assert page.locator("#field-layer").input_value() == "conv1.relu"
    page.go_back()
    page.go_back()
    assert page.locator("#h-layer").inner_text() == "pool1"
    assert quiet(opened)


def test_an_address_names_tab_and_layer(report: Report) -> None:
    opened = report("resnet", "resnet50")
    go(opened, "layer/conv2_x.1–2")
    assert opened.page.locator("#h-layer").inner_text() == "conv2_x.1"
    go(opened, "layer/nowhere")
    assert "There is no page of nowhere." in opened.page.locator("#layer").inner_text()
    go(opened, "layer/%E0%A4%A")
    go(opened, "memory")
    assert opened.page.get_by_role("tab", selected=True).inner_text() == "Memory"
    assert opened.page.evaluate("scrollY") == 0 and quiet(opened)


def test_a_box_of_the_diagram_opens_its_page(report: Report) -> None:
    opened = report("resnet", "resnet50")
    go(opened, "diagram")
    opened.page.get_by_role("button", name=re.compile("^pool1")).click()
    opened.page.locator("#layer:not([hidden])").wait_for()
    assert opened.page.locator("#h-layer").inner_text() == "pool1"
    assert quiet(opened)


def test_tabs_follow_the_arrow_keys(report: Report) -> None:
    page = report("resnet", "resnet50").page
    focused = "(name) => document.activeElement.textContent === name"
    page.get_by_role("tab", name="Summary").focus()
    for name in ("Diagram", "Memory"):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(focused, arg=name)
        assert page.get_by_role("tab", name=name).get_attribute("aria-selected") == "true"
    page.keyboard.press("End")
    page.wait_for_function(focused, arg="Layer")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(focused, arg="Summary")


@pytest.mark.parametrize(
    ("spec", "layer"), [("resnet", "conv3_x.1.relu"), ("unet", "up0.conv2.relu"), ("textcnn", None)]
)
def test_fields_move_with_the_position(report: Report, spec: str, layer: str | None) -> None:
    opened = report(spec)
    page = opened.page
    go(opened, "field" if layer is None else f"field/{layer}")
    path = page.locator("#field-layer").input_value()
    network = load(spec)
    figures = analyse(network)
    fields = figures.receptive_fields.fields[figures.index[path]]
    assert fields is not None
    for place in (0, 1):
        for number in range(page.locator("#field-positions input").count()):
            page.locator("#field-positions input").nth(number).fill(str(place))
        rows = page.eval_on_selector_all(
            "#field-table tbody tr", "(all) => all.map((row) => [...row.cells].map((cell) => cell.textContent))"
        )
        for row, field in zip(rows, fields, strict=True):
            first, last = field.at(place) or (None, None)
            assert row[5] == f"{first} … {last}" and row[2] == str(field.size)
    page.locator("#field-picture").click(position={"x": 30, "y": 5})
    assert quiet(opened)


def test_a_change_is_marked_and_leads_to_its_layers(report: Report) -> None:
    opened = report("se_resnet", against="resnet")
    page = opened.page
    assert page.locator("#layers tr.added").count() > 10
    go(opened, "diff")
    link = page.locator("#diff tr.added a").first
    path = link.inner_text()
    link.click()
    assert page.locator("#h-layer").inner_text() == path
    go(opened, "diff")
    head = page.locator("#diff th", has_text="change of params").first
    head.locator("button").click()
    first = page.locator("#diff table.sorts tbody tr").first.locator("td").nth(3 + 1).inner_text()
    assert first.startswith("+") and head.get_attribute("aria-sort") == "descending"
    go(opened, "diagram")
    assert quiet(opened)


def test_hostile_texts_stay_texts(open_file: Open, tmp_path: Path) -> None:
    spec = {"convcalc": 1, "name": HOSTILE, "source": HOSTILE, "input": [3, 8, 8]}
    network = loads(json.dumps({**spec, "layers": [{"conv2d": {"out": 4, "k": 3}}]}))
    target = tmp_path / "hostile.html"
    target.write_text(convcalc.report(network, against="lenet5"), "utf-8")
    opened = open_file(target)
    for name in tabs(opened):
        go(opened, name)
    assert opened.page.locator("img[src=x]").count() == 0
    assert "\u202e" not in opened.page.content() and "\\u202e" in opened.page.locator("h1").inner_text()
    assert len(opened.page.locator("h1 span").get_attribute("title") or "") > 10_000
    assert quiet(opened)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("against", [None, "resnet"])
def test_no_part_hinders_anybody(report: Report, scheme: str, against: str | None) -> None:
    opened = report("googlenet" if against is None else "se_resnet", against=against, context_color_scheme=scheme)
    wrong = []
    for name in tabs(opened):
        go(opened, f"layer/{'conv1' if against is None else 'fc'}" if name == "layer" else name)
        for violation in find_hindrances(opened.page):
            wrong += [f"{name}: {violation['id']}: {node['html'][:120]}" for node in violation["nodes"][:3]]
    assert wrong == []


def test_clicks_are_answered_at_once(report: Report) -> None:
    opened = report("hrnet")
    page = opened.page
    spent = processor(opened)
    answered = """(selector) => new Promise((done) => {
        document.querySelector(selector).click();
        requestAnimationFrame(() => setTimeout(done));
    })"""
    sort = "#layers thead th:nth-child(8) button"
    for act in ("#unfold", sort, "#fold", "#tab-memory", "#tab-roofline", "#tab-field", "#tab-published"):
        page.locator("#layers[aria-busy=false]").wait_for(state="attached")
        spent()
        page.evaluate(answered, act)
        assert spent() < CLICK_SECONDS, act


def test_a_phone_scrolls_tables_and_not_the_page(report: Report) -> None:
    opened = report("resnet", "resnet50", context_viewport={"width": 400, "height": 800})
    for name in tabs(opened):
        go(opened, name)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400, name


PRINTED = """() => {
  // This listener comes after those of the page: what it sees is what is printed.
  addEventListener("beforeprint", () => {
    const stage = document.querySelector(".diagram-stage");
    window.printed = { boxes: stage.querySelectorAll("[data-key]").length, shown: stage.getAttribute("viewBox") };
  });
}"""
PAPER = {"width": 703, "height": 1000}
"""Pixels between the margins of a sheet of A4."""
BEYOND = """() => {
  const shown = [...document.querySelectorAll("table, svg, img, p, dl")].filter((each) => each.getClientRects().length);
  const beyond = shown.filter((each) => each.getBoundingClientRect().right > innerWidth + 1);
  return beyond.map((each) => each.outerHTML.slice(0, 80));
}"""


@pytest.mark.parametrize("place", ["", "diagram", "layer/up0.conv2.relu"])
def test_it_prints_all_parts(report: Report, place: str) -> None:
    opened = report("unet", context_color_scheme="dark")
    page = opened.page
    if place:
        go(opened, place)
    page.evaluate(PRINTED)
    printed = page.pdf()
    assert printed.startswith(b"%PDF-") and printed.count(b"/Type /Page\n") > 3
    found = page.evaluate("window.printed")
    assert found["boxes"] == 16 and found["shown"].startswith("-3 -3 ")
    assert page.locator(".diagram").count() == (1 if place == "diagram" else 0)
    assert page.locator(".diagram-stage[viewBox]").count() == 0, "on the screen it is as it was"
    go(opened, "diagram")
    assert page.locator(".diagram [data-key]").count() >= 16, "around a layer that was looked at it is open"
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible() and not page.get_by_label("Search").is_visible()
    for name in tabs(opened):
        assert page.locator(f"#{name}").is_visible() == (name != "layer" or place.startswith("layer"))
    assert page.locator("#layers tbody tr >> visible=true").count() == page.locator("#layers tbody tr").count()
    assert quiet(opened)


def test_without_scripts_it_prints_the_stages(report: Report) -> None:
    opened = report("unet", context_java_script_enabled=False)
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#diagram img").is_visible()


@pytest.mark.parametrize("spec", ["resnet", "unet3d", "i3d", "swin", "efficientnet_v2"])
def test_nothing_is_wider_than_paper(report: Report, spec: str) -> None:
    opened = report(spec, context_viewport=PAPER)
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate(BEYOND) == []
