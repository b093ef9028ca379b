"""One input of a program: its arguments, the files in its folder, its standard input, whether CI runs it."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Program = Literal["convcalc", "playground", "watch"]


@dataclass(frozen=True, slots=True)
class Case:
    """What the program is given; it is run in a folder of its own."""

    arguments: tuple[str, ...]
    data: bytes = b""
    """Standard input."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Path relative to the folder -> content."""
    ci: bool = False
    """Whether the environment is that of a CI."""
    spec: str | None = None
    """The file, or `-`, whose text is the spec that the case is about; None where it is about none."""
    program: Program = "convcalc"
    """What is given it: the command line, or what else takes input."""

    @property
    def text(self) -> bytes | None:
        """The text of its spec."""
        return None if self.spec is None else self.data if self.spec == "-" else self.files.get(self.spec)

    @property
    def size(self) -> int:
        """Bytes and characters that it has, which shrinking makes fewer."""
        parts = [self.data, *self.files.values(), *(argument.encode("utf-8", "replace") for argument in self.arguments)]
        return sum(map(len, parts)) + len(self.arguments) + len(self.files)

    def command(self) -> str:
        """The command line, as a shell takes it; of another program what it is."""
        return shlex.join(["convcalc", *self.arguments]) if self.program == "convcalc" else f"({self.program})"

    def to_json(self) -> str:
        """The case as a file keeps it."""
        data: dict[str, Any] = {"arguments": list(self.arguments)}
        if self.data:
            data["data"] = _kept(self.data)
        if self.files:
            data["files"] = {name: _kept(content) for name, content in self.files.items()}
        if self.ci:
            data["ci"] = True
        if self.spec is not None:
            data["spec"] = self.spec
        if self.program != "convcalc":
            data["program"] = self.program
        return json.dumps(data, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Case:
        """The case that a file keeps.

        >>> case = Case(("check", "-"), b"\\xff", {"a.toml": b"x = 1"}, ci=True, spec="-")
        >>> Case.from_json(case.to_json()) == case
        True
        """
        data = json.loads(text)
        return cls(
            tuple(data["arguments"]),
            _bytes(data.get("data", "")),
            {name: _bytes(content) for name, content in data.get("files", {}).items()},
            data.get("ci", False),
            data.get("spec"),
            data.get("program", "convcalc"),
        )


def read_case(path: Path) -> Case:
    """The case in a file."""
    return Case.from_json(path.read_text("utf-8"))


def _kept(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _bytes(kept: str | dict[str, str]) -> bytes:
    return kept.encode("utf-8") if isinstance(kept, str) else base64.b64decode(kept["base64"])
