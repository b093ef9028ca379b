"""What makes cases, one file a kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from ..case import Case
from ..run import Outcome, run
from . import (
    command_lines,
    configuration,
    exported_files,
    keras_files,
    messages,
    onnx_files,
    published,
    requests,
    runs,
    specs,
    sweeps,
)


class Kind(NamedTuple):
    """A kind of cases."""

    name: str
    make: Callable[[Random], Case]
    program: Callable[[Case, Path], Outcome] = run
    """What runs a case in a folder."""

    def case(self, seed: int, number: int) -> Case:
        """The case of a number under a seed: always the same one."""
        return self.make(Random(f"{self.name}/{seed}/{number}"))


KINDS = {
    kind.name: kind
    for kind in (
        Kind("specs", specs.case),
        Kind("onnx", onnx_files.case),
        Kind("keras", keras_files.case),
        Kind("exported", exported_files.case),
        Kind("commands", command_lines.case),
        Kind("config", configuration.case),
        Kind("published", published.case),
        Kind("sweeps", sweeps.case),
        Kind("runs", runs.case),
        Kind("watch", requests.case),
        Kind("playground", messages.case),
    )
}
"""Name -> the kind."""
