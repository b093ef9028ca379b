"""Golden output: the commands, the files that hold what they printed, and what they print now."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from tests.command import Done, run

FOLDER = Path(__file__).parent / "golden"
WRONG = sorted((FOLDER / "err").rglob("*.yaml"))
RIGHT = sorted((FOLDER / "ok").glob("*.yaml"))


class Golden(NamedTuple):
    """A command, and the file of what it prints."""

    path: Path
    arguments: tuple[str, ...]
    data: bytes = b""
    """Its standard input."""
    columns: int | None = None
    """Of the terminal; None where it is not said."""
    encoding: str = "utf-8"
    """Of its standard output."""

    @property
    def expected(self) -> str:
        """What it printed when the file was written."""
        return self.path.read_text("utf-8")

    def run(self) -> Done:
        """What it does now, in the folder of its file."""
        with chdir(self.path.parent), patch.dict(os.environ):
            os.environ.pop("COLUMNS", None)
            os.environ.pop("LINES", None)
            os.environ["NO_COLOR"] = "1"
            if self.columns is not None:
                os.environ["COLUMNS"] = str(self.columns)
            return run(*self.arguments, data=self.data, encoding=self.encoding)


def _command(name: str, line: str, data: str = "", columns: int | None = None, encoding: str = "utf-8") -> Golden:
    return Golden(FOLDER / name, tuple(line.split()), data.encode(), columns, encoding)


CONV1 = "{convcalc: 1, input: [3, 224, 224], layers: [{conv2d: {out: 64, k: 7, s: 2, p: 3}, name: conv1}]}"
FLAT = "convcalc: 1\nname: Flat\ninput: [3, 64, 64]\nlayers:\n" + "".join(
    f"  - {{conv2d: {{out: {16 + 8 * (i // 20)}, k: 3, s: {2 if i % 40 == 39 else 1}, p: 1}}, name: convolution_{i}}}\n"
    f"  - {{relu: , name: rectifier_{i}}}\n"
    for i in range(100)
)
"""200 layers, none of them in a block."""

COMMANDS = [
    _command("table_googlenet_80.txt", "table googlenet.yaml", columns=80),
    _command("table_googlenet_160.txt", "table googlenet.yaml", columns=160),
    _command("table_googlenet_stages.markdown.txt", "table googlenet --by stage --format markdown"),
    _command("table_resnet50_80.txt", "table resnet --variant resnet50", columns=80),
    _command("table_resnet50_160.txt", "table resnet --variant resnet50", columns=160),
    _command("table_resnet50.ascii.txt", "table resnet --depth 3", columns=80, encoding="ascii"),
    _command("table_unet_80.txt", "table unet --depth all --legend", columns=80),
    _command("table_resnet200_80.txt", "table resnet_v1_slim --variant resnet_v1_200", columns=80),
    _command("table_densenet201_80.txt", "table densenet --variant densenet201 --depth 2", columns=80),
    _command("table_densenet201_160.txt", "table densenet --variant densenet201 --depth 2", columns=160),
    _command("table_flat_80.txt", "table -", FLAT, columns=80),
    _command("table_flat_160.txt", "table - --sort live --top 12", FLAT, columns=160),
    _command("table_networks_80.txt", "table resnet mobilenet_v2 vgg unet lenet5", columns=80),
    _command("table_networks_160.txt", "table resnet mobilenet_v2 vgg unet lenet5 --exact --legend", columns=160),
    _command("table_variants_80.txt", "table resnet vgg --variants --sort macs --top 9", columns=80),
    _command("table_networks.markdown.txt", "table resnet unet --variants --format markdown"),
    _command("table_networks.csv.txt", "table resnet unet --variants --format csv"),
    _command("table_networks.latex.txt", "table resnet unet --format latex"),
    _command("table_networks.json.txt", "table resnet unet --columns name,params,peak_memory,output --format json"),
    _command("scatter_networks_80.txt", "table resnet mobilenet_v2 vgg googlenet --plot params,macs", columns=80),
    _command("scatter_variants_160.txt", "table resnet vgg densenet --variants --plot params,macs", columns=160),
    _command("scatter_layers.ascii.txt", "table resnet --plot params,live", columns=80, encoding="ascii"),
    _command("explain_conv1.txt", "explain - conv1 --at 0,5", CONV1, columns=80),
    _command("explain_matrix_80.txt", "explain -k 2 --size 3 --matrix", columns=80),
    _command("explain_backward.ascii.txt", "explain - conv1 --backward --batch 8", CONV1, columns=80, encoding="ascii"),
    _command("explain_flip_80.txt", "explain -k 3,2 --size 4 --flip", columns=80),
    _command("explain_shift_80.txt", "explain -k 3 -s 2 -p 1 --size 6 --shift", columns=80),
    _command("explain_matrix.latex.txt", "explain -k 2 --size 2,3 --matrix --format latex"),
    _command("invert_k3_s2_p1.txt", "invert --k 3 --s 2 --p 1"),
    _command("invert_two_axes.txt", "invert --k 3,1 --s 2,3 --p 1:2,1 --d 2,1 --size 16,10"),
    _command("invert_k4_s2_p1.markdown.txt", "invert --k 4 --s 2 --p 1 --size 32 --format markdown --verify"),
    _command("draw_transposed_80.txt", "draw -k 3 -s 2 -p 1 --transposed --op 1", columns=80),
    _command("draw_steps.ascii.txt", "draw -k 3 -s 2 --size 6,4 --steps", columns=80, encoding="ascii"),
    _command("draw_layer_80.txt", "draw resnet pool1", columns=80),
    _command("draw_matrix_80.txt", "draw -k 2 --size 2,3 --matrix", columns=80),
    _command("draw_one_axis.json.txt", "draw -k 3 -s 2 -p 1:0 --size 6 --dims 1 --format json"),
    _command("draw_one_axis.svg.txt", "draw -k 3 -s 2 -p 1:0 --size 6 --dims 1 --format svg"),
    _command("solve_224_112.txt", "solve --in 224 --out 112"),
    _command("solve_28_56.markdown.txt", "solve --in 28 --out 56 --transposed --k 1..7 --s 2 --d 1 --format markdown"),
]
PICTURES = [
    Golden(FOLDER.parent.parent / "docs" / "pictures" / f"{name}.svg", ("export", *spec.split(), "--to", "svg", *style))
    for name, spec, style in (
        ("figure_resnet50", "resnet --variant resnet50", ("--style", "figure")),
        ("figure_unet", "unet", ("--style", "figure")),
        ("graph_unet", "unet", ()),
    )
]
"""Pictures of the documentation."""
FINDINGS = [Golden(path.with_suffix(".out"), ("check", "--advice", path.name)) for path in WRONG]
"""The wrong specs, and what `check` says of them."""


def texts() -> dict[Path, str]:
    """Every golden file and what belongs into it now."""
    return {golden.path: golden.run().stdout for golden in (*COMMANDS, *PICTURES, *FINDINGS)}
