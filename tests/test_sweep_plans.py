"""Plans in files: the words of the command, with places; their schema; what a call says beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from convcalc.analysis.quantities import QUANTITY_NAMES
from convcalc.findings import SpecError, UsageError
from convcalc.language import gallery_names
from convcalc.language.sources import read
from convcalc.marked import Source
from convcalc.sweep.asked import Options
from convcalc.sweep.plan import Plan
from convcalc.sweep.plan_file import PlanFile, declares_plan, plan_names, plan_path, plan_schema
from convcalc.sweep.planning import planned

from .command import run
from .sweep_plans import small_plan
from .test_sweep_axes import SPEC

VALIDATOR = jsonschema.Draft7Validator(plan_schema(QUANTITY_NAMES))
FULL = """sweep: 1
title: Widths
description: What it is for.
source: A paper.
notes: {by: me}
spec: nets/net.yaml
grid:
  width: 4:8:2
  depths: [[1, 2, 3], [2, 2, "1 + 1"]]
  act: [relu, silu]
  depths[1]: 5
range:
  phi: 1:3
let:
  size: "8 * phi"
  _copy: [size, size]
require: [width < size, "phi != 2"]
set: {wide: true}
input: [[3, 8, 8], [3, 16, 16]]
random: 50
seed: 3
where: [macs<=1M, 1<params]
near: macs=1M,100%
pareto: params,macs
minimize: macs
maximize: [depth]
columns: [params, macs]
sort: -macs
top: 7
batch: 2
dtype: float16
optimizer: adam
device: v100
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> str:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def plan_of(folder: Path, text: str, **given: Any) -> Plan:
    return planned(read(write(folder, text)), given)[0]


def test_every_word_says_what_its_option_says(folder: Path) -> None:
    found = plan_of(folder, FULL)
    assert found == Plan(
        spec=str(folder / "nets" / "net.yaml"),
        text=SPEC,
        grid=("width=4:8:2", "depths=[1,2,3],[2,2,1 + 1]", "act=relu,silu", "depths[1]=5"),
        range=("phi=1:3",),
        let=("size=8 * phi", "_copy=[size,size]"),
        require=("width < size", "phi != 2"),
        set=("wide=true",),
        input=("3,8,8;3,16,16",),
        random=50,
        seed=3,
        where=("macs<=1M", "1<params"),
        near=("macs=1M,100%",),
        pareto=("params,macs",),
        minimize=("macs",),
        maximize=("depth",),
        columns=("params", "macs"),
        sort=("-macs",),
        top=7,
        options=Options(2, "float16", "adam", "v100"),
    )
    assert Plan.from_dict(found.to_dict()) == found
    assert list(VALIDATOR.iter_errors(yaml.safe_load(FULL))) == []


def test_the_schema_and_the_reader_know_the_same_words() -> None:
    schema = plan_schema(QUANTITY_NAMES)
    jsonschema.Draft7Validator.check_schema(schema)
    assert set(schema["properties"]) == {*yaml.safe_load(FULL), "variant", "join"}
    assert schema["required"] == ["sweep", "spec"]
    assert {key for key, said in schema["properties"].items() if "description" not in said} == set()


@pytest.mark.parametrize("name", plan_names())
def test_the_plans_of_the_gallery_are_whole(name: str) -> None:
    """They name specs of the gallery, are taken by the schema, and their first candidates build."""
    source = read(plan_path(name))
    found, join = planned(source, {"random": 1} if "random:" in source.text else {})
    assert name not in gallery_names() and found.spec in gallery_names() and join is None
    assert list(VALIDATOR.iter_errors(yaml.safe_load(source.text))) == []
    assert PlanFile(source).said.title


@pytest.mark.parametrize(
    ("text", "place", "said", "hint"),
    [
        ("sweep: 2\nspec: resnet", (1, 8), "the version '2' of plans is not known", "sweep: 1"),
        ("sweep: 1", (1, 1), "a plan needs 'spec'", "spec: net.yaml"),
        ("sweep: 1\nspec: resnt", (2, 7), "the gallery has no spec 'resnt'", "did you mean 'resnet'?"),
        ("sweep: 1\nspec: ../net.yaml", (2, 7), "is not in the folder of the file that names it", None),
        ("sweep: 1\nspec: /etc/passwd.yaml", (2, 7), "is not in the folder of the file that names it", None),
        ("sweep: 1\nspec: no.yaml", (2, 7), "there is no file", None),
        ("sweep: 1\nspec: [a]", (2, 7), "a spec is named", None),
        ("sweep: 1\nspec: nets/net.yaml\ngird: {width: 1}", (3, 1), "'gird' is no word of a plan", "'grid'"),
        ("sweep: 1\nspec: nets/net.yaml\ngrid: [width]", (3, 7), "axes are a mapping", "32:256:8"),
        ("sweep: 1\nspec: nets/net.yaml\ngrid: {width: {a: 1}}", (3, 15), "not a mapping", None),
        ("sweep: 1\nspec: nets/net.yaml\ngrid: {width: ~}", (3, 15), "a value is expected", None),
        ("sweep: 1\nspec: nets/net.yaml\ngrid: {widht: 1}", (3, 8), "there is no parameter 'widht'", "'width'"),
        ("sweep: 1\nspec: nets/net.yaml\ngrid:\n  width: 8:x:8", (4, 12), "expected a number", None),
        ("sweep: 1\nspec: nets/net.yaml\ngrid: {act: [relu, selu]}", (3, 13), "does not take the word 'selu'", "silu"),
        ("sweep: 1\nspec: nets/net.yaml\nlet: {width: 2 * sze}", (3, 18), "'sze' names nothing here", "'size'"),
        ("sweep: 1\nspec: nets/net.yaml\nrequire: wdth < 3", (3, 10), "'wdth' names nothing here", "'width'"),
        ("sweep: 1\nspec: nets/net.yaml\nwhere:\n  - macs<=1M\n  - mac<=1M", (5, 5), "no quantity 'mac'", "'macs'"),
        ("sweep: 1\nspec: nets/net.yaml\nwhere: macs<=fast", (3, 14), "an amount is expected", None),
        ("sweep: 1\nspec: nets/net.yaml\npareto: [params, mcs]", (3, 18), "no quantity 'mcs'", "'macs'"),
        ("sweep: 1\nspec: nets/net.yaml\nrandom: 1e3", (3, 9), "a whole number of at least 1", None),
        ("sweep: 1\nspec: nets/net.yaml\nrandom: 0", (3, 9), "a whole number of at least 1", None),
        ("sweep: 1\nspec: nets/net.yaml\nseed: -1", (3, 7), "a whole number of at least 0", None),
        ("sweep: 1\nspec: nets/net.yaml\ndtype: float8", (3, 8), "expected one of float64", None),
        ("sweep: 1\nspec: nets/net.yaml\ninput: [3, x]", (3, 8), "expected channels and sizes", None),
        ("sweep: 1\nspec: nets/net.yaml\nset: {wdth: 3}", (3, 7), "there is no parameter 'wdth'", "'width'"),
        ("sweep: 1\nspec: nets/net.yaml\nset: {width: relu}", (3, 14), "takes numbers", None),
        ("sweep: 1\nspec: nets/net.yaml\njoin: ../times.csv", (3, 7), "is not in the folder", None),
    ],
)
def test_what_is_wrong_in_a_plan_is_told_at_its_place(
    folder: Path, text: str, place: tuple[int, int], said: str, hint: str | None
) -> None:
    source = Source(text, write(folder, text))
    with pytest.raises(SpecError) as caught:
        planned(source, {})
    finding = caught.value.findings[0]
    assert (finding.line, finding.column) == place and said in finding.message
    assert hint is None or hint in (finding.hint or "")


def test_what_a_call_says_beside_a_plan(folder: Path) -> None:
    text = """sweep: 1
spec: nets/net.yaml
grid: {width: "4:8:2", size: [8, 16]}
range: {phi: "1:3"}
let: {last: phi, _other: 2}
where: macs<=1M
pareto: params,macs
columns: macs
seed: 4
batch: 2
dtype: float16
"""
    found = plan_of(
        folder,
        text,
        grid=("width=5", "phi=2"),
        let=("last=3*phi",),
        where=("params<=1M",),
        pareto=("params,depth",),
        batch=3,
        seed=0,
        random=None,
        columns=(),
    )
    assert found.grid == ("width=5", "size=8,16", "phi=2") and found.range == ()
    assert found.let == ("last=3*phi", "_other=2")
    assert found.where == ("macs<=1M", "params<=1M")
    assert (found.pareto, found.columns, found.seed) == (("params,depth",), ("macs",), 0)
    assert found.options == Options(3, "float16")
    with pytest.raises(UsageError, match="--grid: there is no parameter 'widht'"):
        plan_of(folder, text, grid=("widht=5",))
    with pytest.raises(SpecError):
        plan_of(folder, text.replace("macs<=1M", "mac<=1M"), where=("params<=1M",))


def test_paths_that_no_network_has() -> None:
    """A stage that some networks have is asked for; one that none has is a slip."""
    source = read("resnet")
    for words, said, hint in (
        ({"where": ("macs<=1G", "conv2x.macs<=1M")}, "--where: no network has 'conv2x'", "did you mean 'conv2_x'?"),
        ({"columns": ("params,conv9.macs",)}, "--columns: no network has 'conv9'", None),
        ({"pareto": ("macs", "-**.nothing.macs")}, "--pareto: no network has '**.nothing'", None),
    ):
        with pytest.raises(UsageError) as caught:
            planned(source, words)
        assert caught.value.message == said and (hint is None or caught.value.hint == hint)
    planned(source, {"where": ("conv2_x.macs<=1M", "**.conv1.macs>1", "conv1..conv2_x.macs>1")})
    planned(Source(SPEC, "net.yaml"), {"grid": ("act=relu,silu",), "columns": ("silu.macs",)})
    planned(Source(SPEC, "net.yaml"), {"grid": ("width=0",), "columns": ("silu.macs",)})


def test_a_plan_is_a_mapping() -> None:
    with pytest.raises(SpecError, match="a plan is a mapping"):
        PlanFile(Source("- sweep: 1"))


def test_inputs_of_plans(folder: Path) -> None:
    for said, texts in (
        ("[3, 8, 8]", ("3,8,8",)),
        ("[[3, 8, 8], [3, 9, 9]]", ("3,8,8;3,9,9",)),
        ("3,8,8;3x9x9", ("3,8,8;3x9x9",)),
        ("{input: [3, 8, 8]}", ("input=3,8,8",)),
    ):
        assert plan_of(folder, f"sweep: 1\nspec: nets/net.yaml\ninput: {said}").input == texts
    plan = plan_of(folder, "sweep: 1\nspec: nets/net.yaml\ninput: [3, 8, 8]", input=("3,9,9",))
    assert plan.input == ("3,9,9",)


def test_what_is_a_plan() -> None:
    assert declares_plan(Source("{sweep: 1, spec: [}")) is False, "a mapping in braces that is not closed is anything"
    assert declares_plan(Source("sweep: 1\nspec: [")), "it says so before the mistake"
    assert not declares_plan(Source("convcalc: 1\nsweep: ["))
    assert not declares_plan(Source("[sweep]")) and not declares_plan(Source("a: {sweep: 1}"))


def test_a_plan_is_no_spec(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """check leaves it out of a folder, and whoever names it is told what it is."""
    monkeypatch.chdir(folder)
    write(folder, FULL)
    done = run("check", ".")
    assert done.code == 0 and "plan.yaml" not in done.stdout
    done = run("check", "plan.yaml")
    assert done.code == 1 and "this is the plan of a sweep, not a spec" in done.stdout
    done = run("table", "plan.yaml")
    assert done.code == 1 and "convcalc sweep reads it" in done.stderr


def test_the_command_reads_plans(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    write(folder, "sweep: 1\nspec: nets/net.yaml\ngrid: {width: '4:8:2', size: [8, 16]}\nminimize: macs\n")
    done = run("sweep", "plan.yaml", "--format", "csv")
    assert done.code == 0 and len(done.stdout.splitlines()) == 7
    done = run("sweep", "plan.yaml", "--grid", "size=8", "--where", "macs<=9K", "--format", "csv")
    assert (done.code, done.stdout) == (0, "row,width,size,params,macs\n0,4,8,152,8960\n")
    done = run("sweep", "plan.yaml", "--where", "mac<=20K")
    assert done.code == 2 and "--where: there is no quantity 'mac'\n  mac<=20K\n  ^^^\n" in done.stderr
    write(folder, "sweep: 1\nspec: nets/net.yaml\ngrid: {widht: 1}\n")
    done = run("sweep", "plan.yaml")
    assert done.code == 1 and "plan.yaml:3:8: error CC106 there is no parameter 'widht'" in done.stderr


def test_plans_of_the_gallery_are_named_as_specs_are() -> None:
    done = run("sweep", "mobilenet_v1_space", "--grid", "size=96", "--grid", "width=0.25", "--format", "csv")
    assert (done.code, done.stdout.splitlines()[1]) == (0, "0,0.25,96,470072,7745152")
    done = run("sweep", "mobilenet_v1_spac")
    assert done.code == 2 and "did you mean 'mobilenet_v1_space'?" in done.stderr
    done = run("sweep", "mobilenet_v11")
    assert done.code == 2 and "did you mean 'mobilenet_v1'?" in done.stderr


def test_the_schema_of_plans_is_printed() -> None:
    import json

    assert json.loads(run("schema", "sweep").stdout)["title"] == "convcalc sweep"
    assert json.loads(run("schema").stdout)["title"] == "convcalc spec"
    assert run("schema", "plans").code == 2


def test_a_device_that_is_none_is_said_before_the_work() -> None:
    with pytest.raises(UsageError, match="--device: 'nonsense' is no device") as caught:
        small_plan(options=Options(device="nonsense"))
    assert "v100" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"let": ("_x=width",) * 1001}, "a plan of 1,002 words; the limit is 1,000"),
        ({"where": ("macs<=1M",) * 999 + ("params<1K",)}, "a plan of 1,001 words"),
        ({"columns": (",".join(["params"] * 20_000),)}, "a plan of 139,999 characters beside its axes"),
    ],
)
def test_a_plan_has_as_many_words_as_are_read_in_a_moment(words: dict[str, tuple[str, ...]], message: str) -> None:
    """Each let was held against all others: a file of four megabytes took an hour."""
    with pytest.raises(UsageError, match=message):
        Plan("a.yaml", SPEC, grid=("width=1:3",), **words)  # type: ignore[arg-type]
    found = Plan("a.yaml", SPEC, grid=("width=1:3",)).to_dict() | {name: list(texts) for name, texts in words.items()}
    with pytest.raises(UsageError, match=message):
        Plan.from_dict(found)
