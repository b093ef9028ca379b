"""Wrong calls: one sentence behind `error:`, a hint that is right, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcalc.cli.commands import COMMANDS
from convcalc.cli.wrong_call import COMMANDS_ELSEWHERE
from convcalc.limits import MESSAGE_CHARACTERS
from tests.command import run

SPEC = "convcalc: 1\ninput: [3, 32, 32]\nlayers: [relu]\n"
ENDS = ".onnx, .keras, .h5, .hdf5, .pt2"
CALLS = [
    ("tabel x", "there is no command 'tabel'", "did you mean 'table'?"),
    ("resnet", "there is no command 'resnet'", "convcalc table resnet shows a spec"),
    ("net.yaml", "there is no command 'net.yaml'", "convcalc table net.yaml shows a spec"),
    ("zzz", "there is no command 'zzz'", "convcalc --help lists them"),
    ("--bogus", "convcalc has no option --bogus", "convcalc --help lists them"),
    ("table x --colums a", "table has no option --colums", "did you mean '--columns'?"),
    ("table x -x", "table has no option -x", "convcalc table --help lists them"),
    ("--color never check --zzz", "check has no option --zzz", "convcalc check --help lists them"),
    ("check --verbose", "check has no option --verbose", "convcalc check --help lists them"),
    (
        "arena x --width 3",
        "arena has no option --width",
        "convcalc arena --help lists them; a param of the spec is given by --set width=VALUE",
    ),
    *(
        (f"{command} {word} 3", f"{command.split()[0]} has no option {word}", f"it is called {here}, or {here[1:]}")
        for command in ("invert", "solve", "draw", "explain")
        for word, here in (("--kernel", "--k"), ("--stride", "--s"), ("--padding", "--p"), ("--dilation", "--d"))
    ),
    ("invert --k 3 --kernel-size 3", "invert has no option --kernel-size", "it is called --k, or -k"),
    ("draw -k 3 --output-padding 1", "draw has no option --output-padding", "it is called --op"),
    ("draw -k 3 --in 5", "draw has no option --in", "it is called --size"),
    ("solve --in 9 --out 5 --limit 0", "solve has no option --limit", "it is called --top"),
    ("solve --in 5 --out 9 --transpose", "solve has no option --transpose", "it is called --transposed"),
    ("table x --batch-size 3", "table has no option --batch-size", "it is called --batch"),
    ("table x -o y", "table has no option -o", "what is printed goes to a file by > FILE"),
    ("check x -o y", "check has no option -o", "--report FORMAT=FILE writes a file"),
    ("table x --json", "table has no option --json", "--format json"),
    ("check x --sarif", "check has no option --sarif", "--format sarif"),
    (
        "explain x --csv",
        "explain has no option --csv",
        "convcalc explain --help lists them; a param of the spec is given by --set csv=VALUE",
    ),
    ("schema --json", "schema has no option --json", "convcalc schema --help lists them"),
    ("table x.py --model Y", "table has no option --model", "a model in code is named behind its file: net.py:Net"),
    ("explain -k 3 --input 5", "--input needs a SPEC", "a kernel alone reads --size"),
    ("explain -k 3 --set a=5", "--set needs a SPEC", None),
    ("version", "there is no command 'version'", "it is called convcalc --version"),
    ("summary lenet5", "there is no command 'summary'", "it is called convcalc table"),
    ("help columns", "there is no command 'columns'", "it is called convcalc table --columns help"),
    ("CC302", "there is no command 'CC302'", "convcalc check --explain CC302 prints the page of a code"),
    ("help cc302", "there is no command 'cc302'", "convcalc check --explain CC302 prints the page of a code"),
    ("explain CC302", "there is no file 'CC302'", "convcalc check --explain CC302 prints the page of a code"),
    ("check --explain 302", "there is no code '302'", "there is CC302"),
    ("check --ignore 302", "--ignore: no code starts with '302'", "did you mean 'CC302'?"),
    ("check --ignore X", "--ignore: no code starts with 'X'", "convcalc check --explain help lists the codes"),
    ("table zz.py::Net", "there is no file 'zz.py::Net'", "a model stands behind one colon: zz.py:Net"),
    ("table numpy.Zz", "there is no file 'numpy.Zz'", "a model in code stands behind a colon: numpy:Zz"),
    ("table z.Zz", "there is no file 'z.Zz'", "'convcalc specs' lists the gallery"),
    ("table zz:a/b.yaml", "there is no file 'zz:a/b.yaml'", "of a revision: git:zz:a/b.yaml"),
    ("table 1 2 2", "2 is given twice", "the sizes of an input stand together: --input 3,224,224"),
    ("table 32", "there is no file '32'", "the sizes of an input stand together: --input 3,224,224"),
    (
        "explain Conv2d(3,64)",
        "a layer is no call: Conv2d(3,64)",
        "for example 'conv2d: {out: 64, k: 3}' --input 3,32,32",
    ),
    *(
        (f"import {file}", f"import reads the files of models, and '{file}' does not end in {ENDS}", hint)
        for file, hint in (
            ("net.yaml", "it is a spec already: convcalc table net.yaml"),
            ("resnet", "it is a spec already: convcalc specs resnet"),
            ("zzz", "a model in code is named behind its file: ./net.py:Net"),
        )
    ),
    (
        "table x --width 3",
        "table has no option --width",
        "convcalc table --help lists them; a param of the spec is given by --set width=VALUE",
    ),
    ("invert --K 3", "invert has no option --K", "did you mean '--k'?"),
    (
        "check --max-params 1M",
        "check has no option --max-params",
        'a budget stands in convcalc.toml: max_params = "…"; convcalc check holds it',
    ),
    ("invert k=3 s=2", "invert takes no further argument 's=2'", "options have dashes: --k=3 --s=2"),
    (
        "arena x --set width 0.35",
        "arena takes no further argument '0.35'",
        "name and value are one word: --set width=0.35",
    ),
    ("table vgg width=2", "there is no file 'width=2'", "a param of a spec is given by --set width=2"),
    ("table resnet-50", "there is no file 'resnet-50'", "it is a variant: resnet --variant resnet50"),
    ("VGG16", "there is no command 'VGG16'", "convcalc table vgg --variant vgg16 shows a spec"),
    *(
        (
            f"table vgg -f {suffix}",
            f"--format takes text, markdown, csv, json or latex, not '{suffix}'",
            f"did you mean '{here}'?",
        )
        for suffix, here in (("md", "markdown"), ("tex", "latex"))
    ),
    (
        "table vgg --columns params, x",
        "a comma without a column before or behind it",
        "names stand without spaces: params,macs",
    ),
    ("table vgg 7 8 --depth 1", "there is no file '7'", "the sizes of an input stand together: --input 3,224,224"),
    ("table x --top", "--top needs a value", "convcalc table --help says which"),
    ("table x --exact=3", "--exact takes no value", None),
    ("explain x y z", "explain takes no further argument 'z'", "for example convcalc explain resnet conv1"),
    ("table x --top 0", "--top is at least 1, not 0", None),
    ("table x --top 1.5", "--top takes a whole number, not '1.5'", None),
    ("check -j 500", "--jobs is at most 256, not 500", None),
    ("table x --batch a", "--batch takes a whole number, not 'a'", None),
    ("table x --optimizer adm", "--optimizer takes sgd, momentum or adam, not 'adm'", "did you mean 'adam'?"),
    ("sizes x --format zip", "--format takes text, markdown, csv or json, not 'zip'", None),
    ("export x", "export needs --to", "for example convcalc export my.yaml --to torch"),
    ("solve", "solve needs --in", "for example convcalc solve --in 224 --out 112"),
    ("diff vgg", "diff needs B", "for example convcalc diff vgg resnet"),
]


@pytest.mark.parametrize(("call", "message", "hint"), CALLS, ids=[call for call, _, _ in CALLS])
def test_a_wrong_call_is_one_sentence(call: str, message: str, hint: str | None) -> None:
    done = run(*call.split())
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == f"error: {message}\n" + (f"  hint: {hint}\n" if hint else "")


def test_a_file_that_stands_there_is_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "net"
    path.write_text(SPEC, "utf-8")
    assert run(str(path)).stderr.endswith(f"hint: convcalc table {path} shows a spec\n")


def test_controls_are_shown_not_sent() -> None:
    for call in (["\x1b[31m"], ["table", "--\x1b[31m"], ["table", "x", "--by", "\x1b[31m"], ["table", "x", "\x1b]0;"]):
        done = run(*call)
        assert (done.code, "\x1b" in done.stderr) == (2, False)


@pytest.mark.parametrize("call", [["--color"], ["--color", "--"], ["--"], [""], ["table", ""], ["-"]])
def test_odd_calls_are_wrong_ones(call: list[str]) -> None:
    done = run(*call)
    assert done.code == 2 and "Traceback" not in done.stderr


def test_a_spec_with_the_line_of_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(SPEC, "utf-8")
    assert run("check", f"{path}:3").stderr.endswith(f"hint: the spec alone, without a line: {path}\n")


def test_a_file_of_python_is_no_spec_to_check(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("class Net:\n    def forward(self, x): return x\n", "utf-8")
    assert run("check", str(path)).stderr.endswith(f"hint: a model in code is named: {path}:Net\n")


def test_all_codes_are_listed() -> None:
    done = run("check", "--explain", "help")
    assert done.code == 0 and "\nCC302  a printed cell differs and is not listed\n" in done.stdout


def test_commands_of_other_programs_lead_to_commands_of_this_one() -> None:
    for here in COMMANDS_ELSEWHERE.values():
        assert here == "--version" or here.split()[0] in COMMANDS


def test_what_is_long_is_not_said_in_full() -> None:
    done = run("table", "resnet", "--top", "1" * 100_000)
    assert done.code == 2 and len(done.stderr) == len("error: \n") + MESSAGE_CHARACTERS
