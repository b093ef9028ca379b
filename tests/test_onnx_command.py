"""The program on ONNX files: `import`, and any command that takes a spec."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .onnx_models import PACKAGED, Maker, recorded


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convcalc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_the_written_spec_gives_the_table_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "googlenet.onnx").write_bytes(recorded("googlenet.onnx"))
    done = run("import", "googlenet.onnx", "-o", "googlenet.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run("import", "googlenet.onnx", "-o", "googlenet.yaml", folder=tmp_path).returncode == 2
    tables = [
        json.loads(run("table", name, "--format", "json", folder=tmp_path).stdout)
        for name in ("googlenet.onnx", "./googlenet.yaml")
    ]
    keys = ("kind", "input_shapes", "output_shape", "params", "weights", "buffers", "macs", "flops")
    rows = [[[layer[key] for key in keys] for layer in table["layers"]] for table in tables]
    assert rows[0] == rows[1] and tables[0]["totals"] == tables[1]["totals"]
    assert tables[0]["totals"]["params"] == 6_624_904


def test_the_spec_goes_to_stdout(tmp_path: Path) -> None:
    done = run("import", str(PACKAGED / "light" / "light_squeezenet.onnx"), folder=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("convcalc: 1\nname: light_squeezenet\n")


@pytest.mark.slow
def test_what_the_language_cannot_say_is_listed(tmp_path: Path) -> None:
    maker = Maker(1, 8, 5, 5)
    maker.node("Relu", maker.node("TopK", maker.node("Exp", "x"), maker.constant([3]), outputs=2, axis=1))
    maker.load(tmp_path)
    table = run("table", "model.onnx", "--format", "json", folder=tmp_path)
    assert table.returncode == 0 and "warning CC701" in table.stderr and "have TopK (1)" in table.stderr
    assert [layer["kind"] for layer in json.loads(table.stdout)["layers"]] == ["exp", "opaque", "relu"]
    done = run("import", "model.onnx", folder=tmp_path)
    assert done.returncode == 0 and "opaque: {operator: TopK, output: [3, 5, 5]" in done.stdout
    (tmp_path / "written.yaml").write_text(done.stdout)
    assert "no difference" in run("diff", "model.onnx", "written.yaml", folder=tmp_path).stdout


def test_wrong_calls(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("convcalc: 1\n")
    (tmp_path / "a.onnx").write_bytes(recorded("vgg11.onnx"))
    for arguments in (["import", "a.yaml"], ["import", "none.onnx"], ["table", "a.onnx", "--set", "a=1"]):
        done = run(*arguments, folder=tmp_path)
        assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr


def test_reading_needs_neither_onnx_nor_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from convcalc.onnx import load_onnx; "
        f"load_onnx({str(PACKAGED / 'light' / 'light_resnet50.onnx')!r}); "
        "print(sorted({'numpy', 'onnx', 'rich', 'yaml', 'google.protobuf'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_check_and_diff_take_onnx_files(tmp_path: Path) -> None:
    model = Path(__file__).parent.parent / "docs" / "files" / "resnet18.onnx"
    assert run("check", str(model), folder=tmp_path).returncode == 0
    same = run("diff", str(model), str(model), folder=tmp_path)
    assert same.returncode == 0 and "no difference" in same.stdout
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(model.read_bytes()[:500])
    found = run("check", str(damaged), folder=tmp_path)
    assert found.returncode == 1 and "CC705" in found.stdout
    os.mkfifo(tmp_path / "pipe.onnx")
    for name in ("pipe.onnx", "none.onnx", "."):
        assert run("table", str(tmp_path / name), folder=tmp_path).returncode == 2


def test_check_reads_open_sizes_as_they_are_given(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    maker = Maker(1, 3, 8, 8)
    maker.inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, "height", "width"])]
    maker.node("Conv", "x", maker.weight(4, 3, 3, 3))
    (tmp_path / "open.onnx").write_bytes(maker.model("t0").SerializeToString())
    refused = run("check", "open.onnx", folder=tmp_path)
    assert refused.returncode == 2 and "--input" in refused.stderr
    assert run("check", "open.onnx", "--input", "3,16,16", folder=tmp_path).returncode == 0
    small = run("check", "open.onnx", "--input", "3,2,2", folder=tmp_path)
    assert small.returncode == 1 and "CC201" in small.stdout
    other = run("check", "open.onnx", "--input", "3,16,16", "--arg", "a=1", folder=tmp_path)
    assert other.returncode == 2 and "--arg does not go with open.onnx" in other.stderr
