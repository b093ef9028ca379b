"""The tree of a network: what folds, what collapses, what rows say, and how it is laid out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from fractions import Fraction

import pytest

from convcalc import load, loads
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.report import Report, analyse
from convcalc.analysis.tree import Row, fitting, size, tree
from convcalc.render.document import Column, Document, Tree, TreeRow
from convcalc.render.lines import plain
from convcalc.render.text import document_lines
from convcalc.terminal import width

from .command import run

SHOWN = [QUANTITIES[name] for name in ("name", "kind", "patch", "output", "params", "macs")]
ADDED = [q for q in QUANTITIES.values() if q.total == "sum" and q.needs is None]


@pytest.fixture(scope="module")
def resnet50() -> Report:
    return analyse(load("resnet", variant="resnet50"))


def every(rows: tuple[Row, ...] | list[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        yield from every(row.rows)


def said(rows: tuple[Row, ...] | list[Row]) -> list[tuple[str, str, int]]:
    return [(row.label, row.what, row.times) for row in rows]


def inline(layers: str, blocks: str = "{}", input: str = "[8, 32, 32]") -> Report:
    return analyse(loads(f"{{convcalc: 1, name: n, input: {input}, blocks: {blocks}, layers: {layers}}}"))


class TestWhatIsOneRow:
    def test_equal_repetitions_fold_and_others_stay_apart(self, resnet50: Report) -> None:
        stage = next(row for row in tree(resnet50, SHOWN, 2) if row.label == "conv2_x")
        assert stage.what == "3 × residual"
        assert said(stage.rows) == [("0", "bottleneck + projection", 1), ("1–2", "bottleneck", 2)]
        assert stage.rows[1].path == "conv2_x.1–2"

    def test_a_block_called_branch_is_no_branch_of_the_join_beside_it(self) -> None:
        layer = "{conv2d: {out: 8, k: 3, p: 1}}"
        join = f"{{add: {{branches: {{left: [{layer}, relu, {layer}], right: []}}}}}}"
        blocks = f"{{branch: {{layers: [{layer}]}}, unit: {{layers: [{{branch: , name: before}}, {join}]}}}}"
        (row,) = tree(inline("[{unit: , name: one, repeat: 2}]", blocks, "[8, 9, 9]"), SHOWN, 2)
        assert said(row.rows) == [("0–1", "left", 2)]

    def test_one_figure_that_differs_keeps_them_apart(self, resnet50: Report) -> None:
        shown = [*SHOWN, QUANTITIES["receptive_field"]]
        stage = next(row for row in tree(resnet50, shown, 2) if row.label == "conv2_x")
        assert [row.label for row in stage.rows] == ["0", "1", "2"]

    def test_what_differs_below_a_row_keeps_them_apart_where_it_is_shown(self) -> None:
        layers = "{conv2d: {out: 8, k: p, p: p // 2}}, {conv2d: {out: 8, k: q, p: q // 2}}"
        blocks = f"{{b: {{params: {{p: ~, q: ~}}, layers: [{layers}]}}}}"
        report = inline("[{b: {p: 1 if index == 0 else 3, q: 3 if index == 0 else 1}, repeat: 2, name: r}]", blocks)
        assert [row.label for row in tree(report, SHOWN, 2)[0].rows] == ["0–1"]
        assert [row.label for row in tree(report, SHOWN, 3)[0].rows] == ["0", "1"]

    def test_neighbours_with_names_stay_apart(self) -> None:
        layer = "{conv2d: {out: 8, k: 3, p: 1}, name: %s}"
        assert [row.label for row in tree(inline(f"[{layer % 'a'}, {layer % 'b'}]"), SHOWN)] == ["a", "b"]

    def test_a_chain_collapses_and_keeps_its_path(self, resnet50: Report) -> None:
        rows = {row.path: row for row in every(tree(resnet50, SHOWN, 4))}
        assert rows["conv2_x.0.body.bottleneck"].label == "body.bottleneck"
        assert [row.label for row in rows["conv2_x.0.body.bottleneck"].rows] == [
            *("conv1", "relu", "conv2", "relu_2", "conv3"),
        ]

    def test_a_block_of_one_window_is_one_line_with_its_patch(self, resnet50: Report) -> None:
        row = tree(resnet50, SHOWN, 9)[0]
        patch = row.values[2]
        assert (row.label, row.what, row.rows) == ("conv1", "conv2d", ())
        assert patch is not None and not isinstance(patch, (int, str, Fraction)) and patch.written() == "7×7/2"

    def test_all_reaches_every_layer(self, resnet50: Report) -> None:
        rows = every(tree(resnet50, [*SHOWN, QUANTITIES["receptive_field"]], None))
        names = {row.path for row in rows if not row.rows}
        assert names == {node.name for node in resnet50.network.nodes if node.layer is not None}


class TestWhatARowSays:
    def test_joins_show_their_kind(self) -> None:
        conv = "{conv2d: {out: 8, k: 3, p: 1}}"
        branches = f"branches: {{a: [{conv}, {conv}], b: [{{max_pool2d: {{k: 3, s: 1, p: 1}}}}]}}"
        for join, what in (("add", "a + max_pool2d"), ("multiply", "a × max_pool2d"), ("concat", "concat")):
            report = inline("[{b: , repeat: 2, name: r}]", f"{{b: {{layers: [{{{join}: {{{branches}}}}}, relu]}}}}")
            first = tree(report, SHOWN, 2)[0]
            assert (first.what, first.rows[0].what) == ("2 × b", what)

    def test_what_the_name_says_is_not_said_again(self) -> None:
        assert said(tree(inline("[relu, {relu: , name: r}]"), SHOWN)) == [("relu", "", 1), ("r", "relu", 1)]


class TestWhatFits:
    @pytest.mark.parametrize("most", [1, 9, 16, 17, 30, 200])
    def test_the_stages_are_always_there_and_no_more_than_fits(self, resnet50: Report, most: int) -> None:
        rows = fitting(resnet50, SHOWN, most)
        assert [row.label for row in rows] == [stage.name for stage in resnet50.stages]
        assert size(rows) <= max(most, 9)
        assert (size(rows) > 9) == (most >= 17)

    def test_sorting_and_cutting_hold_at_every_level(self, resnet50: Report) -> None:
        macs = QUANTITIES["macs"]
        rows = tree(resnet50, SHOWN, 2, macs, 2)
        assert [row.label for row in rows] == ["conv4_x", "conv3_x"]
        assert [row.label for row in rows[0].rows] == ["0", "1–5"]


@pytest.mark.parametrize("spec", ["googlenet", "resnet", "unet", "densenet", "mobilenet_v2", "shufflenet_v2", "segnet"])
@pytest.mark.parametrize("depth", [1, 2, 3, None])
def test_rows_add_up_to_the_network(spec: str, depth: int | None) -> None:
    report = analyse(load(spec))
    shown = [QUANTITIES["params"], QUANTITIES["macs"], QUANTITIES["flops"]]

    def holds(rows: tuple[Row, ...] | list[Row], whole: tuple[object, ...]) -> None:
        sums = tuple(sum(row.values[i] * row.times for row in rows) for i in range(len(shown)))  # type: ignore[operator, misc]
        assert sums == whole
        for row in rows:
            if row.rows:
                holds(row.rows, row.values)

    holds(tree(report, shown, depth), tuple(quantity.get(report, report.whole) for quantity in shown))


def lines(limit: int | None, label: str = "conv", what: str = "kind") -> list[str]:
    columns = (Column("patch"), Column("output", "right"), Column("params", "right"), Column("macs", "right"))
    cells = ("7×7/2", "1024×112×112", "9.54 K", "1.18 G")
    rows = (TreeRow(0, label, label, what, cells, Fraction(1, 3)), TreeRow(1, "b", "b", "", ("", "1", "·", "·")))
    return plain(document_lines(Document((Tree("layer", columns, rows, "macs"),)), limit)).splitlines()


class TestLayout:
    @pytest.mark.parametrize("limit", [*range(20, 60, 5), 80, 100, 160])
    @pytest.mark.parametrize("label", ["a", "a.long.path.of.a.block.in.a.block.of.a.stage"])
    @pytest.mark.parametrize("what", ["", "bottleneck + projection"])
    def test_numbers_stay_on_the_line_and_labels_are_whole(self, limit: int, label: str, what: str) -> None:
        found = lines(limit, label, what)
        if limit >= 60:
            assert all(width(line) <= limit for line in found)
            assert any(line.split()[:1] == [label] for line in found)
        assert "1.18 G" in "".join(found) and "7×7/2" in "".join(found)

    def test_what_a_row_is_gives_way_before_the_numbers(self) -> None:
        assert "bottleneck + projection" in lines(100, what="bottleneck + projection")[1]
        assert "bottleneck + pr.." not in lines(100, what="bottleneck + projection")[1]
        assert ".." in lines(66, what="bottleneck + projection")[1]

    def test_numbers_stand_right(self) -> None:
        head, first, second, *_ = lines(100)
        assert head.index("macs") + len("macs") == first.index("1.18 G") + len("1.18 G") == second.rindex("·") + 1


class TestCommand:
    @staticmethod
    def out(*arguments: str) -> str:
        done = run("table", *arguments)
        assert (done.code, done.stderr) == (0, "")
        return done.stdout

    def test_a_table_of_the_stages_is_the_first_screen_and_the_tree_is_asked_for(self) -> None:
        assert "reproduced: 113 of 125 printed cells" in self.out("googlenet")
        assert self.out("googlenet").splitlines()[-1] == "the network itself: --layers"
        assert "inception_3a" in self.out("googlenet", "--layers") and "reproduced" not in self.out(
            "googlenet", "--layers"
        )

    def test_where_a_table_compares_networks_the_tree_comes_first(self) -> None:
        tree = self.out("resnet")
        assert "conv2_x" in tree and tree.endswith("Table 1: 34 of 34 printed cells follow (--published)\n")
        assert "reproduced: 29 of 29 printed cells" in self.out("resnet", "--published")

    @pytest.mark.parametrize(
        "change", [("--set", "aux=true"), ("--input", "3,256,256"), ("--variant", "separable_stem")]
    )
    def test_what_changes_the_network_changes_the_choice_with_a_word(self, change: tuple[str, str]) -> None:
        skipped = f"published tables skipped: they describe the spec without {change[0]} (--published)"
        assert self.out("googlenet", *change).splitlines()[-1] == skipped
        done = run("table", "googlenet", "--published", *change)
        under = f"computed under {change[0]}; the printed tables describe the spec without"
        assert (done.code, done.stdout.splitlines()[-1]) == (0, under)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--depth", "0"), "--depth is at least 1"),
            (("--depth", "two"), "a number of levels, or all"),
            (("--depth", "2", "--by", "layer"), "it goes without --by"),
            (("--depth", "2", "--format", "json"), "json has all layers"),
            (("--published", "--sort", "macs"), "it goes without --sort"),
        ],
    )
    def test_what_does_not_go_together(self, arguments: tuple[str, ...], message: str) -> None:
        done = run("table", "googlenet", *arguments)
        assert done.code == 2 and message in done.stderr
        done = run("table", "textcnn", "--published")
        assert done.code == 2 and "no printed tables" in done.stderr

    def test_the_last_lines_are_exact_and_no_more_than_three(self) -> None:
        found = self.out("resnet", "--depth", "1").splitlines()
        rows = next(n for n, line in enumerate(found) if line.startswith("fc "))
        assert found[rows + 1 :] == [
            "25,557,032 params · 4,089,184,256 macs · 8,217,632,232 flops · depth 50",
            "97.49 MiB params · 9.19 MiB peak (conv2_x.0.shortcut.conv_bn.batch_norm)",
            "Table 1: 34 of 34 printed cells follow (--published)",
        ]

    def test_exact_and_every_other_format_have_integers(self) -> None:
        assert "1,464,336,384" in self.out("resnet", "--depth", "1", "--exact")
        for name in ("markdown", "latex"):
            assert "1,464,336,384" in self.out("resnet", "--depth", "1", "--format", name)
        cells = list(csv.DictReader(io.StringIO(self.out("resnet", "--depth", "2", "--format", "csv"))))
        assert [row["macs"] for row in cells if row["layer"] == "conv4_x"] == ["1464336384"]
        assert [row["kind"] for row in cells if row["layer"] == "conv4_x.1–5"] == ["bottleneck"]

    def test_a_legend_says_what_is_shown_and_nothing_else(self) -> None:
        legend = self.out("resnet", "--columns", "name,params,live", "--legend")
        assert "params (numbers): learnable numbers" in legend and "live (bytes): alive while it runs" in legend
        assert "multiply-accumulates" not in legend
        assert "learnable" not in self.out("resnet")

    def test_json_obeys_columns_sort_and_top(self) -> None:
        data = json.loads(
            self.out("resnet", "--columns", "name,live", "--sort", "macs", "--top", "2", "--format", "json")
        )
        assert data["layers"][0] == {"name": "conv1.conv_bn.conv2d", "live": 3813376}
        assert [stage["name"] for stage in data["stages"]] == ["conv4_x", "conv3_x"]
        assert data["totals"] == {"live": 9633792}
        contract = json.loads(self.out("resnet", "--sort", "macs", "--top", "2", "--format", "json"))
        assert len(contract["layers"]) == 2 and contract["totals"]["params"] == 25557032
        assert {"from", "input_shapes", "output_shape", "params"} <= set(contract["layers"][0])

    def test_bars_follow_the_tree(self) -> None:
        drawn = self.out("resnet", "--plot", "macs", "--depth", "2", "--sort", "macs", "--top", "1").splitlines()
        assert drawn[3].startswith("conv4_x") and drawn[4].startswith("  0 ")

    def test_every_quantity_that_adds_up_can_be_sorted_by_with_its_share(self) -> None:
        report = analyse(load("lenet5"))
        for quantity in ADDED:
            text = self.out("lenet5", "--sort", quantity.name, "--columns", "name,output")
            assert (f"% {quantity.name}" in text) == bool(quantity.get(report, report.whole)), quantity.name


def test_a_wrong_column_is_named() -> None:
    done = run("table", "lenet5", "--sort", "mcas")
    assert done.code == 2 and "did you mean 'macs'" in done.stderr
