"""What Python gets: networks read by their paths, and results with a text, a repr, a table for notebooks, a frame."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from textwrap import dedent

import pytest
from rich.console import Console

import convcalc
from convcalc import Node, Part
from convcalc.api.shown import Shown
from convcalc.geometry import KernelTooLarge
from convcalc.render.document import (
    Bar,
    Bars,
    Code,
    Column,
    Document,
    Equation,
    Equations,
    Heading,
    KeyLines,
    Listing,
    Note,
    Notes,
    Paragraph,
    References,
    Section,
    Table,
)
from convcalc.render.html import html
from tools.contract import members

from .command import run

SPEC = """
convcalc: 1
name: Small
input: [3, 32, 32]
params: {width: 16}
layers:
  - {conv2d: {out: width, k: 3, s: 2, p: 1}, name: stem}
  - {conv2d: {out: width, k: 3, p: 1}, name: body, repeat: 2}
  - flatten
  - {linear: {out: 10}, name: fc}
"""
WRONG = SPEC.replace("k: 3, p: 1}, name: body", "k: 99}, name: body")
HOSTILE = "</td><script>alert(1)</script>\x1b[31m"


@pytest.fixture(scope="module")
def small() -> convcalc.Network:
    return convcalc.loads(SPEC)


@pytest.fixture(scope="module")
def resnet() -> convcalc.Network:
    return convcalc.load("resnet", variant="resnet50")


class TestTheFace:
    def test_it_shows_the_api_alone(self) -> None:
        assert dir(convcalc) == sorted(convcalc.__all__)
        assert {"check", "diff", "explain", "export", "forensics", "invert", "sizes", "solve", "verify"} <= set(
            dir(convcalc)
        )

    def test_everything_is_imported_by_a_star(self) -> None:
        names: dict[str, object] = {}
        exec("from convcalc import *", names)
        assert set(names) - {"__builtins__"} == set(convcalc.__all__)

    def test_a_room_does_not_take_the_place_of_a_function(self) -> None:
        program = """
            import convcalc.check.run, convcalc.export.drawing, convcalc.verify.footprint, convcalc.reference
            import convcalc
            print(convcalc.check, convcalc.export, convcalc.verify, convcalc.reference)
        """
        done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
        assert re.sub(r" at 0x\w+| from '.*'", "", done.stdout) == (
            "<function check> <function export> <function verify> <module 'convcalc.reference'>\n"
        )

    def test_other_names_can_be_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(convcalc, "check", "mine")
        assert convcalc.check == "mine"  # type: ignore[comparison-overlap]

    @pytest.mark.slow
    def test_a_program_of_a_user_is_typed(self, tmp_path: Path) -> None:
        program = """
            from pathlib import Path

            import convcalc

            network: convcalc.Network = convcalc.load(Path("net.yaml"), variant="wide", input=(3, 64, 64))
            part: convcalc.Node | convcalc.Part = network["stem"]
            shape: tuple[int, ...] = part.shape
            names: list[str] = [node.name for node in network]
            report: convcalc.Report = convcalc.analyse("net.yaml", batch=8, dtype="int8", device="v100")
            macs: int = report.totals.macs
            data: dict[str, object] = convcalc.diff(network, report).to_dict()
            ok: bool = convcalc.check(["a.yaml", Path("b.yaml")], strict=True).ok
            code: str = convcalc.export(network, "torch")
            drawn: str = convcalc.export(network, "svg", by="layer")
            onnx: bytes = convcalc.export(network, "onnx", seed=1)
            kernels: list[int] = [layer.kernel_size for layer in convcalc.solve(224, 112, kernel=range(1, 8))]
            least: int | None = convcalc.sizes(network).axes[0].minimum
            counted: int | None = convcalc.verify(network, quick=True).layers[0].counted_macs
            said: str = str(convcalc.explain(report, "stem", at=(0, 0)))
            undone: convcalc.Inversion = convcalc.invert(3, 2, 1)
        """
        (tmp_path / "user.py").write_text(dedent(program))
        (tmp_path / "wrong.py").write_text('import convcalc\nconvcalc.export("net.yaml", "torch").decode()\n')
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "user.py", "wrong.py"],
            cwd=tmp_path,
            env={"MYPYPATH": str(Path(convcalc.__file__).parent.parent), "MYPY_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=300,
        )
        found = [line for line in done.stdout.splitlines() if line.startswith(("user.py", "wrong.py"))]
        assert found == ['wrong.py:2: error: "str" has no attribute "decode"; maybe "encode"?  [attr-defined]'], done


class TestANetworkIsReadByItsPaths:
    def test_a_layer(self, small: convcalc.Network) -> None:
        node = small["fc"]
        assert isinstance(node, Node)
        assert (node.kind, node.shape, repr(node)) == ("linear", (10,), "<linear fc → 10>")
        assert repr(small["flatten"]) == "<flatten → 4096>"

    def test_an_input(self, small: convcalc.Network) -> None:
        assert small["input"].shape == (3, 32, 32)
        assert "input" in small and "input" not in [node.name for node in small]

    def test_a_group(self, resnet: convcalc.Network) -> None:
        part = resnet["conv2_x.0"]
        assert isinstance(part, Part)
        assert (part.name, part.kind) == ("conv2_x.0", "residual")
        assert (part.inputs, part.shape) == (((64, 56, 56),), (256, 56, 56))
        assert part["shortcut"] == resnet["conv2_x.0.shortcut"] != resnet["conv2_x.0.body"]
        assert len({part["shortcut"], resnet["conv2_x.0.shortcut"]}) == 1
        assert [node.name for node in part] == [n.name for n in resnet if n.name.startswith("conv2_x.0.")]
        assert len(part) == len(part.nodes) == 12
        assert "shortcut" in part and part.nodes[0] in part and "body.nothing" not in part and resnet["fc"] not in part
        assert part.__eq__(3) is NotImplemented

    def test_its_layers_in_order(self, small: convcalc.Network) -> None:
        assert [node.name for node in small] == ["stem", "body.0", "body.1", "flatten", "fc"]
        assert len(small) == 5
        assert "body" in small and "body.1" in small and "body.2" not in small
        assert next(iter(small)) in small and 7 not in small

    def test_a_network_without_layers_is_a_network(self) -> None:
        assert convcalc.Network("none", (), (), {})

    def test_what_is_not_there(self, small: convcalc.Network) -> None:
        with pytest.raises(KeyError) as caught:
            small["stm"]
        assert isinstance(caught.value, convcalc.UnknownLayer)
        assert str(caught.value) == "there is no layer 'stm' in Small\n  hint: did you mean 'stem'?"
        with pytest.raises(convcalc.UnknownLayer, match=r"'body\.9'"):
            small["body"]["9"]  # type: ignore[index]


def results(network: convcalc.Network) -> dict[str, Shown]:
    wide = convcalc.loads(SPEC, params={"width": 24})
    return {
        "report": convcalc.analyse(network, batch=2, dtype="int8"),
        "explanation": convcalc.explain(network, "stem", at=(0, 0)),
        "check": convcalc.check(text=WRONG),
        "difference": convcalc.diff(network, wide),
        "sizes": convcalc.sizes(network),
        "verification": convcalc.verify(network),
        "search": convcalc.solve(32, 16),
        "inversion": convcalc.invert(3, 2, 1),
        "forensics": convcalc.forensics("resnext", table=2, every=True),
    }


def test_what_a_result_has_is_promised(small: convcalc.Network, tmp_path: Path) -> None:
    """Of the attributes that can be reached there is none without an underscore that the contract does not know."""
    swept = convcalc.sweep("lenet5", {"classes": [10, 100]})
    found: list[object] = [
        *results(small).values(),
        *(small, small["stem"], small["body"], convcalc.check(text=WRONG).findings[0]),
        *(swept, next(iter(swept)), convcalc.draw(kernel=3), convcalc.arena(small)),
        convcalc.compare_flows(small, ["activation=tanh,relu"]),
        *(convcalc.SpecError(()), convcalc.UsageError("wrong"), convcalc.GeometryError("wrong")),
    ]
    for result in found:
        own = {name for name in dir(result) if not name.startswith("_")} - set(dir(Exception)) - {"count", "index"}
        assert own == members(type(result)) - {"count"}, type(result)


REPRS = {
    "report": "<Report Small: 3×32×32 → 10, 5 layers, 46,058 params, 2,662,400 macs, batch 2, int8>",
    "explanation": "<Explanation stem (conv2d): 26 figures in 7 sections>",
    "check": "<CheckResult failed: 1 finding in 1 spec>",
    "difference": "<Difference Small → Small: 5 layers and 4 stages differ>",
    "sizes": "<Sizes Small: 3×32×32 → 10: builds every size from 1, exact 1 mod 2, from 1>",
    "verification": "<Verification Small: 3×32×32 → 10: confirmed, 5 of 5 layers>",
    "search": "<Search convolutions 32 → 16>",
    "inversion": "<Inversion of k3 s2 p1:1 d1: 5 sizes>",
    "forensics": "<Forensics ResNeXt: 3×224×224 → 1000, 2 questions: 2 of 2, 2 of 2 cells>",
}


class Elements(HTMLParser):
    """The texts and the elements of a piece of HTML; every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "input":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)


class TestResultsCanBeLookedAt:
    def test_each_has_a_repr_of_one_line(self, small: convcalc.Network) -> None:
        assert {name: repr(result) for name, result in results(small).items()} == REPRS
        assert repr(convcalc.diff(small, small)) == "<Difference Small → Small: nothing differs>"
        finding = convcalc.check(text=WRONG).findings[0]
        assert repr(finding).startswith("<Finding <text>:8:6: error CC201 body.0: kernel of 99")
        assert "\n" not in repr(finding)

    def test_each_is_a_table_in_a_notebook_and_a_text(self, small: convcalc.Network) -> None:
        for result in results(small).values():
            found = Elements(result._repr_html_())
            assert found.tags[0] == ("div", {"class": "convcalc"})
            shown = "".join(found.texts)
            for word in re.findall(r"\w{4,}", str(result)):
                assert word in shown, (word, repr(result))

    def test_each_is_plain_data(self, small: convcalc.Network) -> None:
        for result in results(small).values():
            if isinstance(result, convcalc.Search):
                data: object = result.to_dict(result.best(2))
            else:
                data = result.to_dict()  # type: ignore[attr-defined]
            assert json.loads(json.dumps(data)) == data

    def test_the_text_is_what_the_command_prints(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "80")
        Path("a.yaml").write_text(SPEC)
        Path("b.yaml").write_text(SPEC.replace("out: 10", "out: 5"))
        Path("wrong.yaml").write_text(WRONG)
        same: list[tuple[str, object]] = [
            ("table a.yaml", convcalc.analyse("a.yaml")),
            ("explain a.yaml fc", convcalc.explain("a.yaml", "fc")),
            ("sizes a.yaml", convcalc.sizes(Path("a.yaml"))),
            ("diff a.yaml b.yaml", convcalc.diff("a.yaml", "b.yaml")),
            ("solve --in 32 --out 16", convcalc.solve(32, 16)),
            ("invert --k 3 --s 2 --p 1", convcalc.invert(3, 2, 1)),
            ("check wrong.yaml", convcalc.check("wrong.yaml")),
            ("forensics resnext --table 3", convcalc.forensics("resnext", table=3)),
        ]
        for command, result in same:
            assert str(result).strip() == run(*command.split()).stdout.strip(), command

    @pytest.mark.parametrize(
        ("command", "call"),
        [
            ("table", lambda: convcalc.analyse("a.yaml")),
            ("explain", lambda: convcalc.explain("a.yaml")),
            ("check", lambda: convcalc.check("a.yaml")),
            ("diff a.yaml", lambda: convcalc.diff("a.yaml", "a.yaml")),
            ("sizes", lambda: convcalc.sizes("a.yaml")),
            ("verify", lambda: convcalc.verify("a.yaml")),
        ],
    )
    def test_its_data_is_the_json_of_the_command(
        self, command: str, call: Callable[[], convcalc.Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("a.yaml").write_text(SPEC)
        printed = json.loads(run(*command.split(), "a.yaml", "--format", "json").stdout)
        data = call().to_dict()
        assert printed | {"seconds": 0} == data | {"seconds": 0}

    def test_rich_shows_the_tree_in_its_width(self, resnet: convcalc.Network) -> None:
        console = Console(file=StringIO(), width=70, force_terminal=True, color_system="standard")
        console.print(convcalc.analyse(resnet))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert "\x1b[1m" in text
        lines = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
        assert "conv2_x  3 × residual" in "\n".join(lines)
        assert max(map(len, lines)) <= 72


class TestHtml:
    def test_every_text_is_escaped(self) -> None:
        spec = SPEC.replace("name: Small", f"name: {json.dumps(HOSTILE)}\nsource: {json.dumps(HOSTILE)}")
        network = convcalc.loads(spec)
        for result in results(network).values():
            page = result._repr_html_()
            assert "<script" not in page and "\x1b" not in page
        table = Table(
            (Column(HOSTILE, "right"),), [[HOSTILE]], HOSTILE, (Note(HOSTILE),), {(0, 0): "bold red"}, frozenset({1})
        )
        blocks = (
            Heading(HOSTILE, rest=HOSTILE, note=HOSTILE, source=HOSTILE),
            Section(HOSTILE, (table,)),
            KeyLines(HOSTILE, ((HOSTILE, HOSTILE),), (HOSTILE, HOSTILE)),
            Bars(HOSTILE, (Bar(HOSTILE, 3, HOSTILE), Bar(HOSTILE, None, HOSTILE))),
            Bars(HOSTILE, ()),
            Notes((Note(HOSTILE, "bold"), Note(""))),
            Paragraph(f"{HOSTILE}`{HOSTILE}`"),
            Code((HOSTILE,)),
            Equations((Equation(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1),)),
            References((HOSTILE,)),
            Listing(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),), ("",), HOSTILE),
        )
        page = html(Document(blocks))
        found = Elements(page)
        assert not {tag for tag, _ in found.tags} & {"script", "img", "a", "iframe"}
        assert "\x1b" not in page
        assert page.count("&lt;script&gt;") == 34

    def test_rows_fold_by_a_rule_each(self, resnet: convcalc.Network) -> None:
        page = convcalc.analyse(resnet)._repr_html_()
        found = Elements(page)
        boxes = [attrs["class"] for tag, attrs in found.tags if tag == "input"]
        assert boxes == [f"i{number}" for number in range(len(boxes))]
        for number in range(len(boxes)):
            assert f".convcalc:has(.i{number}:not(:checked)) .b{number}{{display:none}}" in page
            assert re.search(rf'<tr class="[^"]*\bb{number}\b', page), number
        rows = [attrs.get("class") for tag, attrs in found.tags if tag == "tr"]
        assert rows.count("b0") == 2 and any(row and row.startswith("b0 b1") for row in rows)
        assert not any("checked" in attrs for tag, attrs in found.tags if tag == "input")

    def test_a_small_tree_is_open(self) -> None:
        body = "{add: {branches: {a: [{conv2d: {out: 16, k: 3, p: 1}}, {conv2d: {out: 16, k: 1}}], b: []}}, name: body}"
        spec = SPEC.replace("{conv2d: {out: width, k: 3, p: 1}, name: body, repeat: 2}", body)
        page = convcalc.analyse(convcalc.loads(spec))._repr_html_()
        boxes = [attrs for tag, attrs in Elements(page).tags if tag == "input"]
        assert boxes and all("checked" in attrs for attrs in boxes)


class TestFrames:
    def test_a_row_a_layer_and_a_row_a_stage(self, small: convcalc.Network) -> None:
        pandas = pytest.importorskip("pandas")
        report = convcalc.analyse(small)
        frame = report.to_frame()
        assert isinstance(frame, pandas.DataFrame)
        assert (frame.index.name, list(frame.index)) == ("layer", [node.name for node in small])
        assert frame["params"].dtype == frame["macs"].dtype == frame["live"].dtype == "int64"
        assert frame["params"].sum() == report.totals.params and frame["macs"].sum() == report.totals.macs
        assert frame.loc["stem", "output"] == (16, 16, 16) and frame.loc["stem", "kind"] == "conv2d"
        stages = report.to_frame(by="stage")
        assert list(stages.index) == ["stem", "body", "flatten", "fc"] and "kind" not in stages

    def test_columns_of_ones_choice(self, small: convcalc.Network) -> None:
        pytest.importorskip("pandas")
        report = convcalc.analyse(small)
        frame = report.to_frame(columns=["groups", "intensity", "kernel_size", "bytes_moved"])
        assert list(map(str, frame.dtypes)) == ["Int64", "float64", "object", "int64"]
        assert frame["groups"].isna().sum() == 2 and frame.loc["stem", "kernel_size"] == (3, 3)
        with pytest.raises(convcalc.UsageError, match="there is no column 'parms'\n  hint: did you mean 'params'"):
            report.to_frame(columns=["parms"])
        with pytest.raises(convcalc.UsageError, match="needs a device"):
            report.to_frame(columns=["time"])
        with pytest.raises(convcalc.UsageError, match="by is 'layer' or 'stage'"):
            report.to_frame(by="row")  # type: ignore[arg-type]
        assert "time" in convcalc.analyse(small, device="v100").to_frame(columns=["time"])

    def test_without_pandas_a_sentence_says_what_to_install(
        self, small: convcalc.Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ImportError, match=r'to_frame needs pandas: pip install "convcalc\[pandas\]"'):
            convcalc.analyse(small).to_frame()


class TestFunctions:
    def test_check_of_files_and_what_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "good.yaml").write_text(SPEC)
        (tmp_path / "wrong.yaml").write_text(WRONG)
        good = convcalc.check(tmp_path / "good.yaml")
        assert (good.ok, good.paths, good.findings) == (True, (str(tmp_path / "good.yaml"),), ())
        good.raise_any()
        both = convcalc.check([tmp_path / "good.yaml", str(tmp_path / "wrong.yaml")])
        assert not both.ok and [finding.code for finding in both.findings] == ["CC201"]
        with pytest.raises(convcalc.SpecError, match="CC201"):
            both.raise_any()
        missing = convcalc.check([tmp_path / "good.yaml", tmp_path / "nowhere.yaml"])
        assert not missing.ok and not missing.findings and "there is no file" in str(missing)
        assert repr(missing) == "<CheckResult failed: 0 findings in 1 spec, 1 unreadable>"
        with pytest.raises(convcalc.UsageError, match="there is no file"):
            missing.raise_any()

    def test_check_selects(self) -> None:
        assert convcalc.check(text=WRONG, ignore=["CC2"]).ok
        assert convcalc.check(text=WRONG, ignore=["CC2"]).hidden == 1
        assert convcalc.check(text=WRONG, select=["CC4"]).ok
        warned = SPEC.replace("name: fc}", "name: fc} # convcalc: ignore[CC201]")
        assert convcalc.check(text=warned).ok and not convcalc.check(text=warned, strict=True).ok
        claim = SPEC + "expect: {peak_memory: '<= 20 KiB'}\n"
        assert not convcalc.check(text=claim).ok and convcalc.check(text=claim, dtype="int8").ok
        with pytest.raises(convcalc.UsageError, match="no code starts with"):
            convcalc.check(text=SPEC, select=["XX"])
        with pytest.raises(convcalc.UsageError, match="give paths or text"):
            convcalc.check("a.yaml", text=SPEC)
        with pytest.raises(convcalc.UsageError, match="there is nothing to check"):
            convcalc.check([])

    def test_explain(self, small: convcalc.Network) -> None:
        one = convcalc.explain(small, "stem")
        assert convcalc.explain(small, small["stem"]).to_dict() == one.to_dict()
        assert convcalc.explain(convcalc.analyse(small, batch=4)).name == "Small"
        assert convcalc.explain(small, "stem", at=(0, 0)).seen[0].pixels == 4
        with pytest.raises(KeyError, match="did you mean 'stem'"):
            convcalc.explain(small, "stemm")
        with pytest.raises(IndexError, match=r"the space \[16, 16\]; positions count from 0"):
            convcalc.explain(small, "stem", at=(99, 0))
        with pytest.raises(convcalc.UsageError, match="no space axes"):
            convcalc.explain(small, "fc", at=(0,))

    def test_diff_takes_reports(self, small: convcalc.Network) -> None:
        change = convcalc.diff(small, convcalc.analyse(small, batch=2))
        macs = next(total for total in change.totals if total.what == "macs")
        assert macs.after == 2 * macs.before  # type: ignore[operator]

    def test_verify(self, small: convcalc.Network) -> None:
        outcome = convcalc.verify(small, quick=True, backward=True, activation="tanh", init="xavier", seed=3)
        assert outcome.ok and outcome.gradients is not None and (outcome.scheme, outcome.seed) == ("xavier", 3)
        told: list[tuple[str, int]] = []
        convcalc.verify(small, starts=lambda name, work: told.append((name, work)))
        assert [name for name, _ in told] == [layer.name for layer in small]
        assert sum(work for _, work in told) >= convcalc.analyse(small).totals.macs

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"init": "xavier"}, "init changes numbers, not shapes: it needs backward=True"),
            ({"activation": "relu"}, "activation changes numbers"),
            ({"backward": True, "init": "best"}, "init: "),
            ({"backward": True, "activation": "reluu"}, "there is no activation 'reluu'\n  hint: did you mean 'relu'"),
            ({"max_memory": 1000}, r"this takes up to .*, more than 1,?\d* .*\n  hint: use quick=True"),
        ],
    )
    def test_verify_refuses(self, small: convcalc.Network, given: dict[str, object], message: str) -> None:
        with pytest.raises(convcalc.UsageError, match=message):
            convcalc.verify(small, **given)  # type: ignore[arg-type]

    @pytest.mark.parametrize("to", ["torch", "keras", "mermaid", "dot", "svg"])
    def test_export_is_what_the_command_writes(self, to: str) -> None:
        assert convcalc.export("lenet5", to) == run("export", "lenet5", "--to", to).stdout

    def test_export_to_onnx_comes_back(self, small: convcalc.Network, tmp_path: Path) -> None:
        path = tmp_path / "small.onnx"
        data = convcalc.export(small, "onnx", seed=1)
        assert data != convcalc.export(small, "onnx")
        path.write_bytes(data)
        again = convcalc.load(path)
        assert convcalc.analyse(again).totals.macs == convcalc.analyse(small).totals.macs
        with pytest.raises(convcalc.UsageError, match="--variant does not go with"):
            convcalc.load(path, variant="wide")

    def test_export_refuses(self, small: convcalc.Network) -> None:
        with pytest.raises(convcalc.UsageError, match="there is no export to 'pytorch'\n  hint: did you mean 'torch'"):
            convcalc.export(small, "pytorch")

    def test_a_device_by_its_name(self, small: convcalc.Network) -> None:
        assert convcalc.analyse(small, device="v100").device is not None
        with pytest.raises(ValueError):
            convcalc.analyse(small, device="abacus")


class TestErrorsAreWhatTheCommandPrints:
    def test_a_spec_that_is_wrong(self, tmp_path: Path) -> None:
        (tmp_path / "wrong.yaml").write_text(WRONG.replace("linear", "linaer"))
        with pytest.raises(convcalc.SpecError) as caught:
            convcalc.load(tmp_path / "wrong.yaml")
        done = run("table", str(tmp_path / "wrong.yaml"))
        assert str(caught.value) == done.stderr.rstrip("\n")
        assert "^^^^^^" in str(caught.value) and "hint: did you mean 'linear'?" in str(caught.value)

    def test_controls_are_shown_not_sent(self) -> None:
        with pytest.raises(convcalc.SpecError) as caught:
            convcalc.loads('{convcalc: 1, input: [3], layers: ["\\x1b[31mred"]}')
        assert "\x1b" not in str(caught.value) and "\x1b" not in repr(caught.value.findings[0])

    @pytest.mark.parametrize(
        "make",
        [
            lambda: convcalc.SpecError([convcalc.Finding("CC101", "wrong", hint="mend it", excerpt="a: 1")]),
            lambda: convcalc.UsageError("no such file", "did you mean b?"),
            lambda: KernelTooLarge(5, 0, 0, 7, 1),
        ],
    )
    def test_they_say_the_hint(self, make: Callable[[], Exception]) -> None:
        assert str(make()).count("\n  hint: ") == 1

    def test_they_survive_another_process(self) -> None:
        error = convcalc.SpecError([convcalc.Finding("CC101", "wrong", hint="mend it")])
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.findings) == (str(error), error.findings)
        usage = pickle.loads(pickle.dumps(convcalc.UsageError("no such file", "did you mean b?")))
        assert (usage.message, usage.hint) == ("no such file", "did you mean b?")

    def test_a_finding_gets_no_hint_in_its_message(self) -> None:
        with pytest.raises(convcalc.SpecError) as caught:
            convcalc.loads("{convcalc: 1, input: [3, 9, 9], layers: [{max_pool2d: {k: 3, p: 2}}]}")
        assert "hint" not in caught.value.findings[0].message and str(caught.value).count("hint:") == 1


def test_a_layer_is_suggested_by_the_end_of_its_path() -> None:
    with pytest.raises(convcalc.UnknownLayer, match=r"did you mean 'conv2_x\.0\.body"):
        convcalc.load("resnet")["body"]


@pytest.mark.parametrize("given", ["1,32,32", (1.0, 32, 32)])
def test_an_input_that_is_no_shape_is_told_as_such(given: object) -> None:
    with pytest.raises(convcalc.UsageError, match="an input is a shape of whole numbers"):
        convcalc.load("lenet5", input=given)  # type: ignore[arg-type]
    with pytest.raises(convcalc.UsageError, match="given by name"):
        convcalc.load("lenet5", input=[(1, 32, 32), (1, 8, 8)])  # type: ignore[list-item]
