"""What `check` writes for machines: it validates, and no text of a spec gets out of its place."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path, PureWindowsPath

import jsonschema
import pytest

from convcalc.findings import Finding
from convcalc.render.findings import CheckResult, check_comment, github, junit, sarif, summary, uri
from convcalc.render.markup import markdown
from convcalc.render.text import finding_text

from .command import run

HOSTILE = "a%b\r\n::error file=x::owned\x1b[31m|<b>`*@team*`]]>&\"'\u202e\x00\uffff{x}::set-output name=y::z"
SARIF = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0-subset.json").read_text("utf-8"))
WRONG = Path(__file__).parent / "golden" / "err"


def hostile(severity_code: str = "CC301") -> CheckResult:
    path = f"specs/{HOSTILE}.yaml"
    finding = Finding(severity_code, HOSTILE, path, 3, 5, HOSTILE, HOSTILE, f"key: {HOSTILE}", 4)
    return CheckResult([path, "fine.yaml"], [finding])


def test_json_is_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(WRONG)
    done = run("check", "--format", "json", "many_mistakes.yaml", "CC201.yaml")
    data = json.loads(done.stdout)
    assert done.code == 1
    assert (data["format"], data["files"], len(data["findings"])) == (1, 2, 7)
    keys = {"code", "severity", "path", "line", "column", "where", "message", "hint"}
    assert all(set(finding) == keys for finding in data["findings"])
    assert data["findings"][0]["path"] == "CC201.yaml"


def test_github_commands_stay_on_their_lines() -> None:
    text = github(hostile())
    assert text.count("\n") == 1 and "\r" not in text and "\x1b" not in text
    match = re.fullmatch(r"::error ([^\n]*?)::([^\n]*)\n", text)
    assert match is not None
    properties = dict(part.split("=", 1) for part in match[1].split(","))
    assert set(properties) == {"file", "line", "col", "endColumn", "title"}
    assert ":" not in match[1]
    assert "%0Ahint: " in match[2] and re.search(r"%(?!25|0A|0D)", match[2]) is None


@pytest.mark.parametrize(("code", "level"), [("CC001", "error"), ("CC307", "warning"), ("CC401", "notice")])
def test_github_levels(code: str, level: str) -> None:
    assert github(hostile(code)).startswith(f"::{level} ")


def test_sarif_validates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(WRONG)
    log = json.loads(run("check", "--advice", "--format", "sarif", "*.yaml").stdout)
    jsonschema.validate(log, SARIF)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    results = log["runs"][0]["results"]
    assert len(results) > 50
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)


def test_sarif_of_hostile_text_validates() -> None:
    log = json.loads(sarif(hostile()))
    jsonschema.validate(log, SARIF)
    assert "\x1b" not in log["runs"][0]["results"][0]["message"]["text"]


def test_the_sarif_schema_can_fail() -> None:
    log = json.loads(sarif(hostile()))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SARIF)


def check_junit(text: str) -> ElementTree.Element:
    """The rules of windyroad's JUnit.xsd that writers break: attributes, order, one failure a case, counts."""
    suite = ElementTree.fromstring(text)[0]
    assert set(suite.attrib) >= {
        "name",
        "timestamp",
        "hostname",
        "tests",
        "failures",
        "errors",
        "time",
        "id",
        "package",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    tags = [child.tag for child in suite]
    assert tags == ["properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"]
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == sum(len(case) for case in cases)
    for case in cases:
        assert {"name", "classname", "time"} <= set(case.attrib) and len(case) <= 1
        assert all(child.tag == "failure" and "type" in child.attrib for child in case)
    return suite


def test_junit_follows_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(WRONG.parent)
    suite = check_junit(run("check", "--advice", "--format", "junit", "err/*.yaml", "ok/*.yaml").stdout)
    passed = [case.attrib["name"] for case in suite.findall("testcase") if not len(case)]
    assert "ok/claims.yaml" in passed


def test_junit_of_hostile_text_is_well_formed() -> None:
    suite = check_junit(junit(hostile()))
    assert suite.attrib["failures"] == "1"
    assert "]]" in (suite.find("testcase/failure").text or "")  # type: ignore[union-attr]


def test_a_wrong_junit_is_found() -> None:
    with pytest.raises(AssertionError):
        check_junit(junit(hostile()).replace('failures="1"', 'failures="2"'))


def test_text_has_no_terminal_controls() -> None:
    text = finding_text(hostile().findings)
    assert "\x1b" not in text and "\u202e" not in text and "\x00" not in text
    assert len(text.splitlines()) == 4


def test_markdown_has_no_markup_of_a_spec() -> None:
    rows = [line for line in markdown(check_comment(hostile())).splitlines() if "CC301" in line]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 4
    assert "<b>" not in rows[0] and "@team" not in rows[0]


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([], "All 2 specs passed."),
        (["CC301"], "Found 1 error in 1 of 2 specs."),
        (["CC301", "CC301", "CC307"], "Found 2 errors, 1 warning in 1 of 2 specs."),
        (["CC401", "CC402"], "Found 2 pieces of advice in 1 of 2 specs."),
    ],
)
def test_summary(codes: list[str], text: str) -> None:
    findings = [Finding(code, "x", "a.yaml") for code in codes]
    assert summary(CheckResult(["a.yaml", "b.yaml"], findings)) == text


class WindowsPath(PureWindowsPath):
    """The paths of Windows, in a folder of it."""

    @classmethod
    def cwd(cls) -> WindowsPath:
        return cls("C:/work")


def test_files_are_named_as_readers_of_reports_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert uri("/my specs/a.yaml") == "file:///my%20specs/a.yaml"
    with monkeypatch.context() as windows:
        windows.setattr("pathlib.Path", WindowsPath)
        here, found = uri("specs\\a b.yaml"), [uri(f"{drive}:\\work\\specs\\a b.yaml") for drive in "CD"]
    assert (here, *found) == ("specs/a%20b.yaml", "specs/a%20b.yaml", "file:///D:/work/specs/a%20b.yaml")
