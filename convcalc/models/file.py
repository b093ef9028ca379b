"""The file of a model, as every reader of models meets it."""

from __future__ import annotations

import os
import stat

from ..files import sentence
from ..findings import UsageError
from ..hints import file_near


def refuse_what_is_no_file(path: str, suffixes: tuple[str, ...], hint: str) -> None:
    """Raise UsageError for what cannot be opened, or would never end: a missing file, a folder, a FIFO, a device.

    `suffixes` are those of files that a missing one may mean.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        near, _ = file_near(path, suffixes)
        raise UsageError(f"there is no file '{path}'", near and f"did you mean '{near}'?") from None
    except OSError as error:
        raise UsageError(sentence(error, "read", f"'{path}'")) from None
    except ValueError:
        raise UsageError(f"{path!r} is no path") from None
    if not stat.S_ISREG(mode):
        raise UsageError(f"'{path}' is not a file", hint)
