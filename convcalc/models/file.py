"""The file of a model, as every reader meets it: what no reader takes, and what is wrong with it as a whole."""

from __future__ import annotations

import os
import stat

from ..files import sentence
from ..findings import Finding, SpecError, UsageError
from ..hints import file_near

_IN_CODE = "name the model in its code, ./net.py:Net"
OTHER_FORMATS = {
    (".pt", ".pth", ".ckpt", ".pkl", ".pickle"): (
        "would be a pickle, which runs what is in it: it is never loaded",
        f"{_IN_CODE}, or save it by torch.export as .pt2",
    ),
    (".safetensors", ".npz", ".npy"): ("has weights alone, which say nothing of the layers", _IN_CODE),
    (".tflite", ".pb", ".mlmodel", ".caffemodel"): ("is in a format that is not read", "export the model as .onnx"),
}
"""Suffixes of files that people have of their models and that no reader takes: why, and what they may give instead."""


def refuse_other_formats(name: str) -> None:
    """Raise UsageError for what its name says is in a format that is not read.

    >>> refuse_other_formats("resnet.yaml")
    """
    for suffixes, (why, hint) in OTHER_FORMATS.items():
        if name.lower().endswith(suffixes):
            raise UsageError(f"{name} {why}", hint)


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


def wrong(path: str, code: str, message: str, hint: str | None = None) -> SpecError:
    """The error of a file in which something is wrong as a whole."""
    return SpecError([Finding(code, message, path, hint=hint)])
