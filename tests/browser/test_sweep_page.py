"""The page of a sweep in a browser: points and rows lead to each other, the table sorts, nothing is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc.page.sweep import sweep_page
from tests.sweep_found import front_found

from .conftest import Open, Opened, find_hindrances

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u202e{{ 7 * 7 }}"


@pytest.fixture
def swept(open_file: Open, tmp_path: Path) -> Opened:
    target = tmp_path / "front.html"
    target.write_text(sweep_page(front_found()), "utf-8")
    return open_file(target)


def quiet(opened: Opened) -> bool:
    return len(opened.requests) == 1 and opened.messages == []


def test_a_point_leads_to_its_row_by_mouse_and_by_keys(swept: Opened) -> None:
    page, row = swept.page, front_found().rows[0]
    point = page.locator(f'#cloud a[href="#row-{row.number}"]')
    point.hover()
    assert page.locator(f"#row-{row.number}.lit").count() == 1
    said = page.locator("#said").inner_text()
    assert said.startswith(f"row {row.number}: width ") and f"params {row.cells[2]:,}" in said
    page.mouse.move(0, 0)
    assert page.locator("tr.lit").count() == 0
    point.focus()
    assert page.locator(f"#row-{row.number}.lit").count() == 1
    page.keyboard.press("Enter")
    assert page.url.endswith(f"#row-{row.number}")
    assert quiet(swept)


def test_the_table_sorts(swept: Opened) -> None:
    page = swept.page
    column = page.locator("#rows thead th", has_text="macs")
    column.locator("button").click()
    assert column.get_attribute("aria-sort") == "descending"
    cells = page.locator("#rows tbody tr td:nth-child(5)").all_inner_texts()
    numbers = [int(cell.replace(",", "")) for cell in cells]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) > 3


def test_without_scripts_all_rows_are_there(open_file: Open, tmp_path: Path) -> None:
    target = tmp_path / "front.html"
    target.write_text(sweep_page(front_found()), "utf-8")
    opened = open_file(target, java_script_enabled=False)
    found = front_found()
    assert opened.page.locator("#rows tbody tr").count() == len(found.rows)
    assert opened.page.locator("#cloud a").count() == len(found.rows)
    assert opened.page.locator("#said").is_hidden()
    assert f"convcalc sweep run.sqlite --row {found.rows[0].number}" in opened.page.locator("#rows").inner_text()


def test_names_and_values_are_texts(open_file: Open, tmp_path: Path) -> None:
    target = tmp_path / "front.html"
    target.write_text(sweep_page(front_found(file=HOSTILE, name=HOSTILE, word=HOSTILE)), "utf-8")
    opened = open_file(target)
    assert opened.page.locator("img").count() == 0
    assert "\u202e" not in opened.page.content() and "{{ 7 * 7 }}" in opened.page.locator("h1").inner_text()
    assert quiet(opened)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_hinders_nobody(open_file: Open, tmp_path: Path, scheme: str) -> None:
    target = tmp_path / "front.html"
    target.write_text(sweep_page(front_found()), "utf-8")
    opened = open_file(target, color_scheme=scheme)
    opened.page.locator("#cloud a").first.focus()
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in find_hindrances(opened.page)] == []


def test_a_phone_scrolls_tables_and_not_the_page(open_file: Open, tmp_path: Path) -> None:
    target = tmp_path / "front.html"
    target.write_text(sweep_page(front_found()), "utf-8")
    opened = open_file(target, viewport={"width": 400, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400


def test_on_paper_all_rows_and_points_are_seen(swept: Opened) -> None:
    swept.page.emulate_media(media="print")
    box = swept.page.locator("#cloud").bounding_box()
    assert box is not None and box["width"] > 100
    assert swept.page.locator("#rows tbody tr").last.is_visible()
