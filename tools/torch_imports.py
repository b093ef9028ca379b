"""Hold the imports of torchvision's and timm's models against PyTorch: read each, write it as a spec, load that again.

python -m tools.torch_imports FILE.jsonl                     a line a model; goes on where the file ends
python -m tools.torch_imports FILE.jsonl --only 'timm/swin*'
python -m tools.torch_imports FILE.jsonl --specs FOLDER      puts the specs there
python -m tools.torch_imports FILE.jsonl --table             says what stands in the file; needs no PyTorch
python -m tools.torch_imports FILE.jsonl --record            puts answers that tests/oracle lacks there

Needs PyTorch, torchvision and timm. What PyTorch says is that of `tools.torch_models`: parameters, and the
multiply-accumulates of ATen's operators. Models come in an order that mixes families, always the same, so that a part
of them says something of all.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from statistics import median
from typing import Any

from convcalc.analysis.report import analyse
from convcalc.language import loads
from convcalc.language.write_blocks import equal, write_blocks
from convcalc.layers.opaque import Opaque
from convcalc.network import Network

SECONDS = 40
"""CPU time that a model may take."""
SHOWN = 12
"""Models and reasons that the table names."""
Row = dict[str, Any]


class Late(BaseException):
    """A model took too long; no code of a model catches it."""


def compared(network: Network, answer: Row) -> tuple[Row, str]:
    """How a network compares with PyTorch's answer, and the spec that is written of it.

    Parameters that lead to no output, and multiply-accumulates that are the same for every input, are counted with
    those of the layers, since a finding says them.
    """
    unused, constant = (_said(network, code) for code in ("CC724", "CC726"))
    text = write_blocks(network)
    other = loads(text)
    own, again = (analyse(each).totals for each in (network, other))
    row = {
        "params": own.params + unused == answer["params"],
        "macs": own.macs + constant == answer["macs"],
        "opaque": [[n.layer.operator, n.layer.reason] for n in network if isinstance(n.layer, Opaque)],
        "reload": equal(network, other) and (again.params, again.macs) == (own.params, own.macs),
        "lines": text.count("\n"),
    }
    return row, text


def _said(network: Network, code: str) -> int:
    """The number with which a finding begins; 0 where there is none."""
    found = [note.message for note in network.notes if note.code == code]
    return int(found[0].split()[0].replace(",", "")) if found else 0


def table(rows: Iterable[Row]) -> str:
    """What the models of each library come to, and which of them differ.

    >>> row = {"name": "timm/a", "params": True, "macs": True, "opaque": [], "reload": True, "lines": 40}
    >>> print(table([row, {**row, "name": "timm/b", "macs": False, "lines": 61}, {"name": "timm/c", "error": "late"}]))
    library  models  read  params  macs  without opaque  loaded again equal  lines: median  at most 60
    timm          3     2       2     1               2                   2           50.5           1
    macs differ: timm/b
    timm/c: late
    """
    found = sorted(rows, key=lambda row: row["name"])
    cells = [["library", "models", "read", "params", "macs", "without opaque", "loaded again equal", "lines: median"]]
    cells[0].append("at most 60")
    for library in dict.fromkeys(row["name"].partition("/")[0] for row in found):
        own = [row for row in found if row["name"].startswith(f"{library}/")]
        read = [row for row in own if "error" not in row]
        counts = [sum(bool(row[key]) for row in read) for key in ("params", "macs")]
        counts += [sum(not row["opaque"] for row in read), sum(row["reload"] for row in read)]
        lines = [row["lines"] for row in read]
        middle = f"{median(lines):g}" if lines else "-"
        cells.append([library, *map(str, (len(own), len(read), *counts)), middle, str(sum(n <= 60 for n in lines))])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    said = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in cells]
    for key in ("params", "macs", "reload"):
        wrong = [row["name"] for row in found if row.get(key) is False]
        said += [f"{key} differ: {', '.join(wrong[:SHOWN])}" + (" …" if len(wrong) > SHOWN else "")] if wrong else []
    reasons = Counter(f"opaque: {o}: {why}" for row in found for o, why in {tuple(x) for x in row.get("opaque", [])})
    said += [f"{text} ({count})" for text, count in reasons.most_common(SHOWN)]
    said += [f"{row['name']}: {row['error']}" for row in found if "error" in row]
    return "\n".join(said)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise Late once so much CPU time is used."""

    def late(*_: object) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="*", metavar="PATTERN")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="CPU time that a model may take")
    parser.add_argument("--specs", type=Path, metavar="FOLDER")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    rows = _rows(options.file)
    if not options.table:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _run(options, {row["name"] for row in rows}, rows.append)
    print(table(row for row in rows if fnmatch(row["name"], options.only)))


def _rows(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _run(options: argparse.Namespace, done: set[str], found: Callable[[Row], None]) -> None:
    """One more line for each model that the file lacks."""
    from convcalc.torch.live.build import build
    from convcalc.torch.load import from_torch
    from convcalc.torch.spec import ModelSpec

    from . import torch_models

    sys.setrecursionlimit(5000)
    record = json.loads(gzip.decompress(torch_models.RECORD.read_bytes()))
    known = record["models"] if record["versions"] == torch_models.versions() else {}
    models = list(torch_models.models())
    random.Random(7).shuffle(models)
    for model in models:
        if model.name in done or not fnmatch(model.name, options.only):
            continue
        row: Row = {"name": model.name}
        started = time.process_time()
        try:
            with _within(options.seconds):
                module = build(ModelSpec(*model.spec.split(":")), model.arguments, "meta")
                answer = known.get(model.name) or torch_models.answers(module, model.input)
                network = from_torch(module, model.input, name=model.name.rpartition("/")[2])
                compared_row, text = compared(network, answer)
            row |= {**compared_row, "answer": answer}
            if options.specs is not None:
                (options.specs / f"{model.name.replace('/', '-')}.yaml").write_text(text)
        except Late:
            row["error"] = f"more than {options.seconds:g} seconds"
        except Exception as error:  # what models raise is theirs
            row["error"] = f"{type(error).__name__}: {str(error)[:200]}"
        row["seconds"] = round(time.process_time() - started, 2)
        found(row)
        with options.file.open("a") as file:
            file.write(json.dumps(row) + "\n")
    if options.record:
        more = {row["name"]: row["answer"] for row in _rows(options.file) if "answer" in row}
        torch_models.write_record({**known, **more})


if __name__ == "__main__":
    main()
