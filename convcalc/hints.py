"""Did you mean …: the nearest of the names that are known; how what is missing is installed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

MAX_CANDIDATES = 300
MAX_LENGTH = 300
MAX_FILES = 10_000
ALIKE = 0.6
"""How much of two names is the same where one may be the other misspelt."""


def suggest(
    word: str,
    candidates: Iterable[str],
    otherwise: str | None = None,
    *,
    prefix: str = "",
    most: int = MAX_CANDIDATES,
    alike: float = ALIKE,
) -> str | None:
    """A hint that names the candidate nearest to a misspelt word, behind `prefix`.

    Without one that is so much alike (1 is the same) it is `otherwise`, or the names that are known. Of the candidates,
    the first `most` are looked at.

    >>> suggest("kernel", ["kernel_size", "stride"])
    "did you mean 'kernel_size'?"
    >>> suggest("x", ["kernel_size", "stride"])
    'known here: kernel_size, stride'
    """
    known = tuple(dict.fromkeys(islice(candidates, most)))
    near = _nearest(word[:MAX_LENGTH], known, alike)
    if near is not None:
        return f"did you mean '{prefix}{near}'?"
    if otherwise is not None:
        return otherwise
    return f"known here: {shortened(sorted(known))}" if known else None


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate of which a word is a misspelling, or None.

    >>> nearest("kernel", ["kernel_size", "stride"])
    'kernel_size'
    """
    return _nearest(word[:MAX_LENGTH], tuple(candidates))


def file_near(path: str, suffixes: tuple[str, ...]) -> tuple[str | None, bool]:
    """(the file that a path without one meant, whether only its suffix or case differ); its suffix is one of these.

    It stands in the folder that the path names. Hidden files are no one's meaning; a large folder is looked at in part.
    """
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0] if name.lower().endswith(suffixes) else name  # noqa: PTH122
    try:
        with os.scandir(folder or ".") as entries:
            names = sorted(entry.name for entry in islice(entries, MAX_FILES))
    except (OSError, ValueError):
        return None, False
    stems: dict[str, str] = {}
    for file in names:
        if file.lower().endswith(suffixes) and not file.startswith("."):
            stems.setdefault(os.path.splitext(file)[0], file)  # noqa: PTH122
    same = next((file for known, file in stems.items() if known.lower() == stem.lower()), None)
    close = same is None and nearest(stem, stems)
    found = same or (stems[close] if close else None)
    return (None if found is None else os.path.join(folder, found)), same is not None  # noqa: PTH118


def near(word: str, candidates: Iterable[str]) -> bool:
    """Whether a word is one of the candidates misspelt.

    >>> near("nam", ["name", "from"]), near("size", ["name", "from"])
    (True, False)
    """
    return _nearest(word[:MAX_LENGTH], tuple(candidates)) is not None


@lru_cache(maxsize=1024)
def _nearest(word: str, candidates: tuple[str, ...], alike: float = ALIKE) -> str | None:
    from difflib import get_close_matches

    small = word.lower()
    lower = {name.lower(): name for name in reversed(candidates)}
    close = get_close_matches(small, lower, n=3, cutoff=alike)
    if not close:
        close = [name for name in lower if len(small) > 1 and (name.startswith(small) or small.startswith(name))]
    if not close:
        return None
    flat = close[0][:-2] + "2d"
    if close[0].endswith(("1d", "3d")) and close[0][-2:] not in small and flat in lower:
        return lower[flat]
    return lower[close[0]]


def installing(extra: str, version: str | None = None) -> str:
    """The command that installs an extra, as sh, PowerShell and the cmd of Windows read it.

    >>> installing("torch"), installing("cluster", "1.0.0")
    ('pip install "convcalc[torch]"', 'pip install "convcalc[cluster]==1.0.0"')
    """
    return f'pip install "convcalc[{extra}]{f"=={version}" if version else ""}"'


def shortened(names: Iterable[str], limit: int = 20) -> str:
    """Names joined by commas, the rest counted.

    >>> shortened(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    every = list(names)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
