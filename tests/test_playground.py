"""The answers of the playground: findings, tables, graphs and drawings as the public functions give them, as JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from convcalc import analyse, loads
from convcalc.language.sources import gallery_path
from convcalc.serve.playground import Playground
from tools import playground as builder

ROOT = Path(__file__).parent.parent
SPEC = "convcalc: 1\nname: net\ninput: [3, 32, 32]\nlayers:\n  - {conv2d: {out: 8, k: 3}, name: first}\n  - relu\n"
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\"'&"


def ask(playground: Playground, name: str, **more: object) -> dict[str, Any]:
    answer = json.loads(playground.answer(json.dumps({"ask": name, **more})))
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def playground() -> Playground:
    return Playground()


def test_a_network_is_the_tree_of_table(playground: Playground) -> None:
    text = (gallery_path() / "resnet.yaml").read_text("utf-8")
    answer = ask(playground, "network", text=text, variant="resnet50")
    assert (answer["name"], answer["findings"]) == ("ResNet", [])
    assert {"resnet18", "resnet50"} <= set(answer["variants"])
    table = answer["table"]
    printed = str(analyse(loads(text, variant="resnet50")))
    (stem,) = [row for row in table["rows"] if row["path"] == "conv1"]
    assert [column["name"] for column in table["columns"]] == ["patch", "output", "params", "macs"]
    assert all(cell in printed for row in table["rows"] if row["level"] == 0 for cell in row["cells"] if cell)
    assert stem["cells"] == ["7×7/2", "64×112×112", "9.54 K", "118 M"] and stem["share"] == "2.9%"
    assert max(row["bar"] for row in table["rows"]) == 1.0
    assert any("25,557,032 params" in note for note in table["notes"])


def test_findings_have_their_places(playground: Playground) -> None:
    answer = ask(playground, "network", text=SPEC.replace("k: 3", "k: 35"))
    (finding,) = answer["findings"]
    assert (finding["code"], finding["line"], finding["column"], finding["width"]) == ("CC201", 5, 6, 6)
    assert finding["lines"][1:3] == ["  5 |   - {conv2d: {out: 8, k: 35}, name: first}", "    |      ^^^^^^"]
    assert "table" not in answer
    assert "mend" in ask(playground, "graph")["error"]["hint"], "the network before it is not asked about"


def test_check_finds_what_a_spec_claims_wrongly(playground: Playground) -> None:
    (finding,) = ask(playground, "check", text=SPEC + "expect: {params: 1}\n")["findings"]
    assert finding["code"].startswith("CC3") and finding["line"] == 7
    assert ask(playground, "check", text=SPEC)["findings"] == []


def test_the_graph_is_that_of_the_last_network(playground: Playground) -> None:
    ask(playground, "network", text=SPEC)
    graph = ask(playground, "graph")["graph"]
    assert [node["path"] for node in graph["nodes"]][1:3] == ["first", "relu"]


def test_a_layer_is_explained_and_drawn(playground: Playground) -> None:
    text = SPEC + "  - {b: {}, name: block}\nblocks: {b: {layers: [{conv2d: {out: 4, k: 1}, name: inner}, relu]}}\n"
    ask(playground, "network", text=text)
    layer = ask(playground, "layer", path="first")
    assert "224" in layer["text"] and layer["svg"].startswith("<svg") and layer["inside"] == []
    block = ask(playground, "layer", path="block")
    assert (block["window"], block["inside"]) == ("block.inner", ["block.inner", "block.relu"]) and block["svg"]
    assert ask(playground, "layer", path="relu")["svg"] is None
    assert ask(playground, "layer", path="frist")["error"]["hint"] == "did you mean 'first'?"


def test_an_inversion_has_its_drawings(playground: Playground) -> None:
    numbers = {"kernel": 3, "stride": 2, "before": 1, "after": 1, "dilation": 1, "size": 8}
    answer = ask(playground, "invert", **numbers)
    assert [each["said"] for each in answer["drawings"]] == [
        "convolution: 8 × 8 → 4 × 4",
        "transposed convolution: 4 × 4 → 8 × 8",
    ]
    assert "output_padding" in answer["text"]
    assert ask(playground, "invert", **{**numbers, "size": 10_000})["drawings"] == [], "too large to be looked at"


@pytest.mark.parametrize(
    "numbers", [{"kernel": 9, "size": 4}, {"stride": 0}, {"kernel": True}, {"size": "7"}, {"kernel": 10**30}]
)
def test_numbers_that_cannot_be(playground: Playground, numbers: dict[str, object]) -> None:
    given = {"kernel": 3, "stride": 2, "before": 0, "after": 0, "dilation": 1, "size": 8}
    error = ask(playground, "invert", **{**given, **numbers})["error"]
    assert error["message"] and "internal" not in error["message"]


@pytest.mark.parametrize(
    "message", ["", "[]", "{", "[" * 100_000, '{"ask": "nothing"}', '{"ask": "network"}', '{"ask": []}', "null"]
)
def test_a_message_that_is_none_is_answered(playground: Playground, message: str) -> None:
    said = json.loads(playground.answer(message))["error"]["message"]
    assert said.startswith("the message ")


@pytest.mark.parametrize("ask", ["network", "check"])
def test_half_a_character_is_no_text(playground: Playground, ask: str) -> None:
    answer = json.loads(playground.answer(json.dumps({"ask": ask, "text": "convcalc: 1 # \ud83d"})))
    assert answer["error"]["message"] == "the text holds half a character"


def test_an_answer_is_whole_characters(playground: Playground) -> None:
    """Half a character would be an error where the answer becomes a text of the page."""
    answer = playground.answer(json.dumps({"ask": "network", "text": SPEC, "variant": "\ud800"}))
    assert answer.isascii() and json.loads(answer)["error"]["message"] == "there is no variant '\ud800'"


def test_an_unknown_variant_is_a_wrong_call(playground: Playground) -> None:
    answer = ask(playground, "network", text=SPEC, variant="none")
    assert answer["error"]["message"] == "there is no variant 'none'"


def test_hostile_names_are_texts_of_the_answer(playground: Playground) -> None:
    answer = ask(playground, "network", text=SPEC.replace("name: net", f"name: {json.dumps(HOSTILE)}"))
    assert answer["name"] == HOSTILE


WITHOUT = """
import importlib.abc, json, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("numpy", "typer", "rich", "click", "jinja2", "torch", "onnx") or name == "yaml._yaml":
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
from convcalc.serve.playground import Playground
playground = Playground()
for message in json.loads(sys.stdin.read()):
    print(playground.answer(json.dumps(message)))
"""


def test_the_packages_of_the_browser_suffice() -> None:
    """numpy, typer, rich and libyaml are not there, and the answers are the same."""
    text = (gallery_path() / "googlenet.yaml").read_text("utf-8")
    numbers = {"kernel": 3, "stride": 2, "before": 1, "after": 1, "dilation": 1, "size": 8}
    messages = [
        {"ask": "network", "text": text},
        {"ask": "graph"},
        {"ask": "layer", "path": "conv1"},
        {"ask": "check", "text": text},
        {"ask": "invert", **numbers},
    ]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], input=json.dumps(messages), capture_output=True, text=True, check=True
    )
    playground = Playground()
    here = [playground.answer(json.dumps(message)) for message in messages]
    assert "error" not in json.loads(here[0])
    assert done.stdout.splitlines() == here


class TestBuild:
    def test_packages_are_those_of_this_project(self) -> None:
        python, wheels = builder.wheels()
        pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
        known = {name.lower().replace("-", "_"): version for name, version in pinned.items()}
        assert python == "3.14"
        for wheel in wheels:
            assert known[wheel.name.lower()] == wheel.version
            assert re.fullmatch(r"[0-9a-f]{64}", wheel.sha256)

    def test_the_page_allows_itself_alone(self) -> None:
        text = builder.page()
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
        assert "default-src 'none'" in policy and "http" not in policy
        assert "'unsafe-inline'" not in policy and "'unsafe-eval'" not in policy
        shown = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
        assert not re.findall(r'(?:src|href)="(?!data:)[^"]*//', shown) and " style=" not in shown

    def test_other_bytes_are_refused(self, tmp_path: Path) -> None:
        wheel = builder.Wheel("pydantic", "1", "0" * 64)
        (tmp_path / wheel.sha256).mkdir()
        file = tmp_path / wheel.sha256 / "pydantic-1-py3-none-any.whl"
        file.write_bytes(b"something else")
        with pytest.raises(builder.BuildError, match="recorded is 000"):
            builder.fetched(wheel, "3.14", tmp_path)
        assert not file.exists()

    def test_a_folder_with_something_else_is_left(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(builder.BuildError, match="something else"):
            builder.build(tmp_path)
        assert (tmp_path / "thesis.tex").exists()

    def test_no_registry_stands_in_the_lock_file(self) -> None:
        lock = json.loads((ROOT / "web" / "playground" / "package-lock.json").read_text())
        assert not [name for name, package in lock["packages"].items() if "resolved" in package]
        given = lock["packages"][""]
        assert all(re.fullmatch(r"[\d.]+", v) for v in {**given["dependencies"], **given["devDependencies"]}.values())


PLACES = [
    ("", [], True, ""),
    ("convcalc: 1\nla", [], True, "la"),
    ("layers:\n  - ", ["layers", None], True, ""),
    ("layers:\n  - {conv2d: {ou", ["layers", None, "conv2d"], True, "ou"),
    ("layers:\n  - {conv2d: {out: 8, k: 3}, na", ["layers", None], True, "na"),
    ("layers:\n- conv2d:\n    k", ["layers", None, "conv2d"], True, "k"),
    ("layers: [re", ["layers", None], False, "re"),
    ("blocks:\n  b:\n    layers:\n      - conv2d: {p: sa", ["blocks", "b", "layers", None, "conv2d", "p"], False, "sa"),
    ("layers:\n  - relu\n  - {conv2d: {out: 3}}\nex", [], True, "ex"),
    ('name: "a: {b"\nin', [], True, "in"),
    ("layers: # {\n  - {linear: {", ["layers", None, "linear"], True, ""),
    ("input: [3, ", ["input", None], False, ""),
    ("layers: [{conv2d: {out: 1}}, {max_pool2d: {\n  k: 2, s", ["layers", None, "max_pool2d"], True, "s"),
]


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_where_a_place_is_in_a_spec() -> None:
    source = (ROOT / "web" / "playground" / "src" / "where.js").as_uri()
    code = f'import {{ where }} from "{source}"; for (const t of {json.dumps([p[0] for p in PLACES])}) '
    code += "console.log(JSON.stringify(where(t)));"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code], capture_output=True, text=True, check=True, timeout=60
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["path"], each["key"], each["word"]) for each in found] == [place[1:] for place in PLACES]
