"""What goes out: the version is said alike everywhere, the site has every public name and no dead link."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import convcalc
from convcalc.language import gallery_names
from tools import contract
from tools.site_reports import PICTURES, REPORTS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def newest_release() -> tuple[str, str]:
    """The version and the date of the first heading of the changelog."""
    found = re.search(r"^## (\S+)(?: - (.*))?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1], found[2]


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version, date = newest_release()
    citation = read("CITATION.cff")
    assert version == convcalc.__version__ == citation["version"] == contract.release()
    assert date == citation["date-released"]
    called = subprocess.run(
        [sys.executable, "-m", "convcalc", "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert called.stdout == f"convcalc {version}\n"
    used = re.findall(r"convcalc@v(\S+)|rev: v(\S+)", (ROOT / "docs" / "ci.md").read_text("utf-8"))
    assert used and {first or second for first, second in used} == {version}


def test_the_changelog_begins_with_what_the_version_promises() -> None:
    _, _, text = (ROOT / "CHANGELOG.md").read_text("utf-8").partition(f"## {convcalc.__version__} ")
    head = text.partition("\n### ")[0]
    for promise in contract.formats():
        assert f"`{promise}`" in head
    assert "versions.md" in head


def test_the_package_says_for_which_pythons_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    said = [f"3.{line.removeprefix(prefix)}" for line in project["classifiers"] if line.startswith(prefix)]
    assert said == read(".github/workflows/release.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]


def test_what_is_released_is_tested_on_every_system_and_python() -> None:
    jobs = read(".github/workflows/release.yml")["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["system"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"] and matrix["archive"] == ["whl", "tar.gz"]
    assert jobs["publish"]["needs"] == ["test", "site"] and jobs["publish"]["permissions"] == {"id-token": "write"}
    assert all(jobs[after]["needs"] == "publish" for after in ("release", "pages"))


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_actions_stand_by_their_hashes_and_nothing_more_is_allowed_than_is_needed(path: Path) -> None:
    text = path.read_text("utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action, _ in used)
    assert all(re.fullmatch(r"  # v\d+\.\d+\.\d+", version) for _, version in used)
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")


def test_the_first_page_leads_to_what_people_come_for() -> None:
    first = (ROOT / "docs" / "index.md").read_text("utf-8")
    links = re.findall(r"^\| \[([^]]+)\]\(([^)]+)\)", first, re.MULTILINE)
    assert links[:4] == [
        ("Your first table", "first_table.md"),
        ("Your PyTorch model", "models.md"),
        ("The lecture", "lecture.md"),
        ("Your CI", "ci.md"),
    ]
    assert {target for _, target in links} >= {"drawings.md", "playground.md"}
    assert first.index("| [Your first table]") < first.index("![") < first.index("## ")


def test_pictures_of_reports_are_there_in_light_and_dark() -> None:
    pictures = ROOT / "docs" / "pictures"
    shown = {path.stem for path in pictures.glob("report*.png")}
    assert shown == {f"{name}{end}" for name in PICTURES for end in ("", "_dark")}
    assert {page.partition(".html#")[0] for page in PICTURES.values()} == set(REPORTS)


def step(job: str, name: str) -> str:
    """The commands of a step of the release."""
    steps = read(".github/workflows/release.yml")["jobs"][job]["steps"]
    (found,) = (step["run"] for step in steps if str(step.get("name")).startswith(name))
    return str(found)


def run_in(folder: Path, commands: str) -> None:
    """Run commands of the release of a repository that is called `who/convcalc`."""
    said = {"GITHUB_SERVER_URL": "https://host", "GITHUB_REPOSITORY": "who/convcalc", "TAG": f"v{convcalc.__version__}"}
    subprocess.run(["bash", "-euc", commands], check=True, cwd=folder, env={**os.environ, **said})


@pytest.mark.skipif(sys.platform != "linux", reason="the release runs there")
def test_what_is_told_elsewhere_leads_back_to_the_repository(tmp_path: Path) -> None:
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    run_in(tmp_path, step("build", "Links of README"))
    run_in(tmp_path, step("release", "The release").partition("gh release")[0])
    readme, notes = ((tmp_path / name).read_text("utf-8") for name in ("README.md", "notes.md"))
    assert notes.strip().startswith("The first release.")
    for text in (readme, notes):
        links = re.findall(r"\]\(([^)]*)\)", text)
        assert links and all(link.startswith("https://") for link in links)
        at = f"https://host/who/convcalc/(?:blob|raw)/v{convcalc.__version__}/"
        inside = [match[1] for link in links if (match := re.fullmatch(f"{at}([^#]*).*", link))]
        assert inside and all((ROOT / path).exists() for path in inside)


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*_*.yml")), ids=lambda path: path.stem
)
def test_templates_ask_for_the_version_or_the_paper(path: Path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    asked = {part["id"] for part in form["body"]}
    assert asked & {"version", "paper"} and all(part["validations"]["required"] for part in form["body"])


def test_every_public_name_is_in_the_reference() -> None:
    text = PAGE.read_text("utf-8")
    public = [name for name in convcalc.__all__ if name not in ("reference", "__version__")]
    assert [name for name in public if f".{name}\n" not in text] == []


def test_every_function_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "python.md").read_text("utf-8")
    functions = [name for name in convcalc.__all__ if inspect.isfunction(getattr(convcalc, name))]
    assert len(functions) > 15 and [name for name in functions if f"`{name}(" not in guide] == []


def test_every_public_name_has_an_example_that_runs() -> None:
    public = {name: getattr(convcalc, name) for name in convcalc.__all__ if name not in ("reference", "__version__")}
    assert [name for name, value in public.items() if ">>>" not in (value.__doc__ or "")] == []


def site(folder: Path, config: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What MkDocs says when it builds the site."""
    call = [sys.executable, "-m", "mkdocs", "build", "--config-file", str(config), "--site-dir", str(folder)]
    return subprocess.run(
        call, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, check=False
    )


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = site(tmp_path / "site", ROOT / "mkdocs.yml")
    assert done.returncode == 0, done.stderr
    home = (tmp_path / "site" / "index.html").read_text("utf-8")
    shown = home.partition("<article")[2].partition("</article>")[0]
    for page in ("first_table", "models", "lecture", "ci", "drawings", "playground"):
        assert f'href="{page}/"' in shown, "one click from the first page"
    assert 'href="reports/resnet50.html#diagram"' in shown
    reports = (tmp_path / "site" / "report" / "index.html").read_text("utf-8")
    assert all(f'href="../reports/{picture}"' in reports for picture in PICTURES.values())
    for name in REPORTS:
        assert (tmp_path / "site" / "reports" / f"{name}.html").read_text("utf-8").startswith("<!doctype html>")
    for name in gallery_names():
        page = (tmp_path / "site" / "gallery" / name / "index.html").read_text("utf-8")
        assert f'src="../{name}.svg"' in page and (tmp_path / "site" / "gallery" / f"{name}.svg").exists()
    index = (tmp_path / "site" / "gallery" / "index.html").read_text("utf-8")
    assert all(f'href="{name}/"' in index for name in gallery_names())
    reference = (tmp_path / "site" / "api" / "index.html").read_text("utf-8")
    assert "The network of a spec" in reference and "<blockquote>" not in reference


@pytest.mark.slow
def test_the_playground_goes_out_with_the_site_where_one_is_built(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    playground = tmp_path / "playground"
    playground.mkdir()
    missing = site(tmp_path / "site", ROOT / "mkdocs.yml", PLAYGROUND=str(playground))
    assert missing.returncode == 1 and f"there is no playground in {playground}" in missing.stderr
    for name in ("index.html", "playground.js"):
        (playground / name).write_text("", "utf-8")
    done = site(tmp_path / "site", ROOT / "mkdocs.yml", PLAYGROUND=str(playground))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "playground" / "open" / "playground.js").exists()
    assert 'href="playground/open/"' in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert 'href="open/"' in (tmp_path / "site" / "playground" / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_a_dead_link_fails(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("# Home\n\n[gone](gone.md)\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text("site_name: x\nstrict: true\nvalidation: {links: {not_found: warn}}\n")
    assert "gone.md" in site(tmp_path / "site", config).stderr


def test_what_says_how_an_extra_is_installed_names_one_and_is_read_by_every_shell() -> None:
    """The cmd of Windows takes single quotes for a part of the name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    code = [path.read_text("utf-8") for path in (ROOT / "convcalc").rglob("*.py") if path.stem != "hints"]
    named = [name for text in code for name in re.findall(r'installing\(["\'](\w+)', text)]
    assert len(named) >= 9 and set(named) <= project["optional-dependencies"].keys()
    texts = [*code, *(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))]
    assert [text for text in texts if re.search(r"install\s+'convcalc\[", text)] == []
    assert [text for text in code if "pip install" in text and "convcalc[" in text] == []
