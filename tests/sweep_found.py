"""What a sweep found, made by hand: for tests of how it looks."""

from __future__ import annotations

from random import Random

from convcalc.sweep.found import Cloud, Excluded, Found, FoundRow, Refusals, Shown

COLUMNS = (
    Shown("width", "axis"),
    Shown("depths", "axis"),
    Shown("params", "figure", "numbers", "min", adds_up=True),
    Shown("macs", "figure", "MACs", "min", adds_up=True),
    Shown("peak_memory", "figure", "bytes"),
)


def front_found(file: str | None = "run.sqlite", name: str = "ours", word: str = "[2, 3]") -> Found:
    """Two hundred candidates that fit, and their front of params and macs."""
    random = Random(1)
    points = [(number, random.randint(10**5, 3 * 10**6), random.randint(10**7, 10**9)) for number in range(200)]
    front = [
        one for one in points if not any(other[1] <= one[1] and other[2] <= one[2] and other != one for other in points)
    ]
    rows = [FoundRow(number, (32 + 8 * number, word, x, y, 2**18 - number)) for number, x, y in sorted(front)]
    return Found(
        spec=f"nets/{name}.yaml",
        name=name,
        searched={"width": ["32:256:8"], "depths": ["[2,3],[3,4]"], "where": ["macs<=600e6", "peak_memory<=256KiB"]},
        size=1000,
        done=1000,
        built=900,
        fit=200,
        refused=[
            Refusals("CC201", 80, "kernel of 7 is larger than the input of 5", 12),
            Refusals("CC203", 20, word, 3),
        ],
        excluded=[Excluded("peak_memory<=256KiB", 600), Excluded("macs<=600e6", 500)],
        seconds=0.42,
        what="front of params, macs",
        of=len(rows),
        columns=COLUMNS,
        rows=rows,
        file=file,
        cloud=Cloud(COLUMNS[2], COLUMNS[3], points, frozenset(number for number, *_ in front)),
    )
