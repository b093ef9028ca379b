"""The commands: what each does, which of them belong together, and two calls of each."""

from typing import NamedTuple


class Command(NamedTuple):
    """What help says of a command; the function stands in the module of its name."""

    group: str
    summary: str
    examples: tuple[str, str]
    more: str = ""
    """Said below the summary on its own page."""
    file: str = ""
    """Its module, where Python keeps the name for itself."""


GROUPS = {
    "look": "Look at a network",
    "ask": "Ask about sizes",
    "check": "Check and compare",
    "convert": "Convert",
    "help": "Help",
}
"""Groups of commands in the order of help, and their headings."""

COMMANDS = {
    "table": Command(
        "look",
        "Shapes, params and MACs of a spec; published tables beside the computed ones.",
        ("convcalc table resnet", "convcalc table my.yaml --sort macs --top 5"),
    ),
    "explain": Command(
        "look",
        "Why a layer has its figures: formulas with the numbers in them.",
        ("convcalc explain resnet conv1", "convcalc explain 'conv2d: {out: 64, k: 3}' --input 3,32,32"),
        "A convolution on small numbers, of a spec or of a kernel alone: convcalc explain -k 2 --size 3 --matrix.",
    ),
    "draw": Command(
        "look",
        "A window that moves over its input, and the output that it fills: as SVG, GIF, PNG or in characters.",
        ("convcalc draw -k 3 -s 2 -p 1 --transposed -o t.svg", "convcalc draw resnet conv1 -o conv1.svg"),
        "--steps draws a strip of stills, --matrix the matrices. The suffix of -o says what is written.",
    ),
    "arena": Command(
        "look",
        "Where each tensor lies in a microcontroller's memory, and what the params take of its flash.",
        ("convcalc arena mobilenet_v2", "convcalc arena my.yaml --format json"),
        "Batch norms are folded, ReLU is fused as converters to TensorFlow Lite do. As a picture: export --to arena",
    ),
    "report": Command(
        "look",
        "One page to look at and to send: tree, diagram, memory, receptive fields, every layer explained.",
        ("convcalc report resnet -o resnet.html", "convcalc report my.yaml --against git:HEAD:my.yaml -o change.html"),
        "The page is one HTML file that asks for nothing and opens in any browser; it needs convcalc[report].",
    ),
    "watch": Command(
        "look",
        "The report in a browser while you write: it follows the file, and shows what is wrong where.",
        ("convcalc watch my.yaml", "convcalc watch ./net.py:Net --input 3,224,224"),
        "A server of this machine alone, whose address has a secret in it. Ctrl-C ends it.",
    ),
    "specs": Command(
        "look",
        "The gallery: list its specs, find some by a word, or print one.",
        ("convcalc specs mobile", "convcalc specs vgg"),
    ),
    "sizes": Command(
        "ask",
        "Which input sizes build, leave nothing over and keep ratios; the output as a function of the input.",
        ("convcalc sizes unet", "convcalc sizes my.yaml --from 32 --to 64 --all"),
    ),
    "sweep": Command(
        "ask",
        "The best of many networks: a spec's params, variants and inputs searched under conditions.",
        (
            "convcalc sweep my.yaml --grid width=32:256:8 --where 'macs<=600M' --minimize params",
            "convcalc sweep run.sqlite --row 17 > net.yaml",
        ),
        "A run that -o keeps is read again: convcalc sweep run.sqlite. Its rows are specs: run.sqlite:17.",
    ),
    "invert": Command(
        "ask",
        "The transposed convolution that undoes a convolution's size; a spec's mirrored decoder.",
        ("convcalc invert --k 3 --s 2 --p 1 --size 224", "convcalc invert vgg --skips"),
        "Commas separate axes, a colon before and after: --k 3,5 --s 2 --p 1:2,2 --size 224,320",
    ),
    "solve": Command(
        "ask",
        "Every kernel, stride, padding and dilation that maps one size to another.",
        ("convcalc solve --in 224 --out 112", "convcalc solve --in 28 --out 56 --transposed --k 2..4"),
        "Commas separate axes, which one layer must serve at once; dots make a range: --k 3..7",
    ),
    "check": Command(
        "check",
        "Findings in specs with place, code and remedy; the exit code is for CI.",
        ("convcalc check my.yaml --advice", "convcalc check --base HEAD --fail-over params=1%"),
        "--explain CC203 prints the page of a code; --report sarif=check.sarif writes a file beside what is printed.",
    ),
    "diff": Command(
        "check",
        "What changed between two specs, and what it costs.",
        ("convcalc diff vgg resnet", "convcalc diff git:HEAD:my.yaml my.yaml --fail-over params=1%"),
    ),
    "verify": Command(
        "check",
        "A NumPy run that confirms shapes, params and MACs layer by layer; the flow of gradients.",
        ("convcalc verify my.yaml", "convcalc verify resnet --quick --backward"),
    ),
    "forensics": Command(
        "check",
        "Which reading gives most cells of a printed table: every convention, variant and width is tried.",
        ("convcalc forensics googlenet --columns params", "convcalc forensics resnet --table 2 --all"),
        "--width conv1=16:64:8 tries widths of a layer. A permuted table says what chance gives.",
    ),
    "export": Command(
        "convert",
        "A spec for PyTorch, Keras or ONNX, or drawn as Mermaid, DOT or SVG.",
        ("convcalc export my.yaml --to torch", "convcalc export unet --to svg -o unet.svg"),
    ),
    "import": Command(
        "convert",
        "A model as a spec: an ONNX or Keras file, or PyTorch code.",
        ("convcalc import model.onnx", "convcalc import model.onnx -o model.yaml"),
        "A model in code runs: convcalc import ./net.py:Net --input 3,224,224",
        file="import_",
    ),
    "schema": Command(
        "convert",
        "The JSON Schema of the language, or of plans of sweeps, for editors.",
        ("convcalc schema > convcalc.schema.json", "convcalc schema sweep"),
    ),
    "help": Command(
        "help",
        "This page, or that of a command.",
        ("convcalc help", "convcalc help table"),
        file="help_",
    ),
    "completion": Command(
        "help",
        "The script that completes commands, options, specs and layers in bash, zsh or fish.",
        ("convcalc completion bash", "convcalc completion fish > convcalc.fish"),
        "The first lines of the script say where it goes.",
    ),
}
"""Command -> what is said of it, in the order of help."""
