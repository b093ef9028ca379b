"""How a sweep's end looks: its words, its table at every width, its cloud, its page, its data."""

from __future__ import annotations

import csv
import io

import pytest

from convcalc.page.sweep import sweep_page
from convcalc.render.lines import plain
from convcalc.render.markup import csv as as_csv
from convcalc.render.markup import markdown
from convcalc.render.sweep import cloud_scatter, progress_texts, sweep_data, sweep_document, sweep_rows
from convcalc.render.text import document_lines
from convcalc.sweep.found import Cloud, Found
from convcalc.sweep.running import Progress

from .sweep_found import COLUMNS, front_found


def text(found: Found, width: int | None = 80, plot: bool = False) -> str:
    return plain(document_lines(sweep_document(found, plot=plot), width))


def test_the_summary_says_what_was_swept_and_what_came_of_it() -> None:
    lines = text(front_found()).splitlines()
    assert lines[0] == "ours swept  (nets/ours.yaml)"
    assert lines[1:12] == [
        "width       32:256:8",
        "depths      [2,3],[3,4]",
        "where       macs<=600e6",
        "            peak_memory<=256KiB",
        "candidates  1,000 in 0.42 s, 2,400 a second",
        "built       900 (90.0%)",
        "refused     80 with CC201, as row 12: kernel of 7 is larger than the input of 5",
        "            20 with CC203, as row 3: [2, 3]",
        "fit         200 (20.0%)",
        "left out    600 by peak_memory<=256KiB",
        "            500 by macs<=600e6",
    ]
    assert lines[-1].startswith("convcalc sweep run.sqlite --row ") and lines[-1].endswith("writes a row as a spec")


@pytest.mark.parametrize("width", [40, 80, 160, None])
@pytest.mark.parametrize("plot", [False, True])
def test_it_fits_every_terminal(width: int | None, plot: bool) -> None:
    shown = text(front_found(), width, plot)
    rows = front_found().rows
    assert all(str(row.number) in shown for row in rows)
    if width is not None and width >= 80:
        assert max(map(len, shown.splitlines())) <= width


def test_the_cloud_marks_the_front_and_dots_the_rest() -> None:
    found = front_found()
    assert found.cloud is not None
    drawn = cloud_scatter(found.cloud, [row.number for row in found.rows])
    assert len(drawn.points) == len(found.rows) and len(drawn.rest) == 200 - len(found.rows)
    shown = text(found, 100, plot=True)
    assert "macs over params" in shown and shown.count("·") > 100
    alone = text(found._replace(cloud=Cloud(COLUMNS[2], COLUMNS[3], [(1, 5, 7)], frozenset())), 100, plot=True)
    assert "·" in alone


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fit": 0, "rows": [], "of": 0}, "no candidate fits: peak_memory<=256KiB leaves out 600 of 900"),
        ({"fit": 0, "built": 0, "rows": [], "of": 0}, "no candidate builds: the messages above say why"),
        ({"finished": False, "done": 400}, "the run is not finished: --resume goes on where it stopped"),
    ],
)
def test_what_is_missing_is_said(changes: dict[str, object], said: str) -> None:
    assert said in text(front_found()._replace(**changes))  # type: ignore[arg-type]


def test_programs_get_raw_numbers() -> None:
    found = front_found(word="a,b")
    rows = list(csv.reader(io.StringIO(as_csv(sweep_rows(found)))))
    assert rows[0] == ["row", "width", "depths", "params", "macs", "peak_memory"]
    assert rows[1] == [str(found.rows[0].number), *map(str, found.rows[0].cells)]
    data = sweep_data(found)
    assert (data["spec"], data["run"], data["count"]) == ("ours", "run.sqlite", len(found.rows))
    first = data["rows"][0]  # type: ignore[index]
    assert first["figures"]["params"] == found.rows[0].cells[2] and first["values"]["depths"] == "a,b"


def test_an_axis_and_a_figure_of_one_name_are_told_apart() -> None:
    found = front_found()
    columns = (COLUMNS[0]._replace(name="macs"), *COLUMNS[1:])
    first = sweep_data(found._replace(columns=columns))["rows"][0]  # type: ignore[index]
    assert first["values"]["macs"] == found.rows[0].cells[0] and first["figures"]["macs"] == found.rows[0].cells[3]


def test_hostile_names_are_escaped() -> None:
    hostile = "\x1b[31m|<b>\n::error::"
    found = front_found(name=hostile, word=hostile)
    assert "\x1b" not in text(found)
    assert "<b>" not in markdown(sweep_document(found)) and "\x1b" not in markdown(sweep_document(found))
    page = sweep_page(found)
    assert "<b>" not in page and "\x1b" not in page
    assert "script-src &#39;sha256-" in page and page.count("<script>") == 1


def test_progress_says_less_where_there_is_less_room() -> None:
    texts = progress_texts("ours", Progress(12_000, 100_000, 2_544, None, 12_000, 4.0))
    assert texts[0] == "sweep of ours: 12,000 of 100,000, 3,000 a second, 21.2% fit, about 30 s left"
    assert texts[-1] == "12,000 of 100,000"
    near = progress_texts("ours", Progress(5_000, 10**9, 50, 500, 5_000, 10.0))
    assert near[0] == "sweep of ours: 50 of 500 found, 5,000 tried, 500 a second, 1.0% fit, about 2 min left"
