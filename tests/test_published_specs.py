"""Printed tables over several networks: what other specs are named, and what of a folder may be read for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcalc import load, loads
from convcalc.analysis.published import compare
from convcalc.check.run import Task, check_file
from convcalc.findings import Finding, SpecError
from convcalc.language import document
from convcalc.language.published import Reading

SPEC = """
convcalc: 1
name: paper
params: {{width: 8}}
variants: {{wide: {{width: 16}}}}
input: [3, 32, 32]
layers: [{{conv2d: {{out: width, k: 3}}, name: c}}]
published:
  - title: Table 6
    {table}
    columns: {{params: {{at: total, value: params}}}}
    rows:
      ours: ["224"]
      theirs: {row}
    {differs}
"""


def text(row: str, table: str = "", differs: str = "") -> str:
    return SPEC.format(row=row, table=table, differs=differs)


def computed(source: str, path: Path | None = None) -> list[str]:
    if path is not None:
        path.write_text(source, "utf-8")
    (table,) = compare(loads(source) if path is None else load(str(path)))
    return [cell.computed for row in table.rows for cell in row]


def found(source: str, path: Path) -> Finding:
    path.write_text(source, "utf-8")
    (finding,) = check_file(Task(str(path))).findings
    return finding


def test_a_row_of_another_spec_of_the_gallery() -> None:
    """ResNet-18 and LeNet-5 have 11,689,512 and 61,706 params, as torchvision and the lecture say."""
    assert computed(text("{spec: lenet5, cells: ['61,706']}")) == ["224", "61,706"]
    assert computed(text("{spec: resnet, variant: resnet18, cells: ['1']}")) == ["224", "11689512"]
    assert computed(text("{spec: resnet, variant: resnet18, with: {classes: 10}, cells: ['1']}")) == ["224", "11181642"]


def test_readings_merge_as_all_of_them_do(tmp_path: Path) -> None:
    """The later wins, and `~` says: this spec, no variant."""
    (tmp_path / "other.yaml").write_text(text("['1']").replace("out: width", "out: 2 * width"), "utf-8")
    path = tmp_path / "net.yaml"
    of_other = "spec: other.yaml"
    assert computed(text("{spec: ~, cells: ['1']}", of_other), path) == ["448", "224"]
    assert computed(text("{variant: wide, cells: ['1']}", of_other), path) == ["448", "896"]
    assert computed(text("{variant: ~, cells: ['1']}", "variant: wide"), path) == ["448", "224"]


def test_a_file_below_the_folder_is_named_from_there(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.yaml").write_text(text("['1']").replace("[3, 32, 32]", "[4, 32, 32]"), "utf-8")
    path = tmp_path / "net.yaml"
    assert computed(text("{spec: sub/other.yaml, cells: ['296']}"), path) == ["224", "296"]
    assert check_file(Task(str(path))).findings == ()


def test_a_difference_is_explained_by_another_spec(tmp_path: Path) -> None:
    listed = "differs: [{row: theirs, column: params, spec: lenet5, reason: that of LeNet-5}]"
    assert check_file(Task(str(tmp_path / "x"))).unreadable is not None
    path = tmp_path / "net.yaml"
    path.write_text(text("['61,706']", differs=listed), "utf-8")
    assert check_file(Task(str(path))).findings == ()
    assert found(text("['61,707']", differs=listed), path).code == "CC304"
    (table,) = compare(loads(text("['61,706']", differs=listed)))
    assert table.table.specs == ["lenet5"] and table.explanations() == {"spec lenet5": {"params": 1}}


def test_a_reading_says_which_spec() -> None:
    assert str(Reading({"spec": "resnet", "variant": "resnet18"})) == "spec resnet, variant resnet18"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("resnt", "the gallery has no spec 'resnt'", "did you mean 'resnet'?"),
        ("zzzzzzzz", "the gallery has no spec 'zzzzzzzz'", "a file is named with its .yaml"),
        ("../net.yaml", "'../net.yaml' is not in the folder of the file that names it", "move it beside that file"),
        ("sub/../../a.yaml", "'sub/../../a.yaml' is not in the folder", "move it beside"),
        ("/etc/passwd.yaml", "'/etc/passwd.yaml' is not in the folder", "move it beside"),
        ("link.yaml", "'link.yaml' is not in the folder", "move it beside"),
        ("links/a.yaml", "'links/a.yaml' is not in the folder", "move it beside"),
        ("none.yaml", "there is no file '", None),
        ("folder.yaml", "is a directory, not a file", None),
        ("wrong.yaml", "wrong.yaml does not build: ", None),
        ("big.yaml", "have more than 1,048,576 bytes", None),
    ],
)
def test_what_may_not_be_read_is_refused_at_its_cell(name: str, message: str, hint: str | None, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("['1']"), "utf-8")
    home = tmp_path / "home"
    (home / "folder.yaml").mkdir(parents=True)
    (home / "link.yaml").symlink_to(tmp_path / "a.yaml")
    (home / "links").symlink_to(tmp_path)
    (home / "wrong.yaml").write_text("convcalc: 1\ninput: [3]\nlayers: [nothing]\n", "utf-8")
    (home / "big.yaml").write_text("#" * (2**20 + 1), "utf-8")
    finding = found(text(f"{{spec: {name}, cells: ['1']}}"), home / "net.yaml")
    assert message in finding.message and finding.line == 14
    assert finding.code == ("CC111" if name == "big.yaml" else "CC306")
    assert hint is None or hint in (finding.hint or "")


def test_text_without_a_folder_names_the_gallery_alone() -> None:
    with pytest.raises(SpecError) as error:
        compare(loads(text("{spec: other.yaml, cells: ['1']}")))
    assert "'<text>' stands in no folder" in error.value.findings[0].message
    with pytest.raises(SpecError):
        compare(loads(text("{spec: other.yaml, cells: ['1']}"), path="git:HEAD:net.yaml"))


def test_other_specs_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many, and their steps with those of the file."""
    path = tmp_path / "net.yaml"
    path.write_text(text("{spec: lenet5, cells: ['61,706']}"), "utf-8")
    network = load(str(path))
    assert network.origin is not None
    before = network.origin.steps
    compare(network)
    lenet = load("lenet5").origin
    assert lenet is not None and network.origin.steps == before + lenet.steps
    monkeypatch.setattr(document, "NAMED_SPECS", 0)
    assert [finding.code for finding in check_file(Task(str(path))).findings] == ["CC111"]


def test_a_spec_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    finding = found(text("{spec: [resnet], cells: ['1']}"), path)
    assert (finding.code, finding.message) == ("CC103", "'spec' is the name of a spec")


def test_the_schema_knows_it() -> None:
    from convcalc.analysis.quantities import QUANTITY_NAMES
    from convcalc.language.json_schema import language_schema

    schema = json.dumps(language_schema(QUANTITY_NAMES)["definitions"]["printed_table"])
    assert '"spec": {"anyOf": [{"type": "null"}, {"type": "string"}]' in schema
