"""`convcalc specs`: the gallery, listed from its shipped index, or one spec's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..findings import UsageError
from ..hints import suggest
from .output import format_option, write, write_file

if TYPE_CHECKING:
    from ..analysis.gallery import SpecEntry


def command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this spec of the gallery.")] = None,
    format: Annotated[str, format_option("specs", "How to print the list.")] = "text",
) -> None:
    """List the gallery, or print one of its specs: a start for one's own.

    convcalc specs resnet > mine.yaml
    """
    from ..analysis.gallery import read_index
    from ..render.gallery import gallery_document

    entries = read_index()
    if name is not None:
        found = _entry(name, entries)
        if format != "json":
            from ..language import gallery_path

            write_file((gallery_path() / f"{found['name']}.yaml").read_text(encoding="utf-8"), None)
            return
        entries = [found]
    write(format, lambda: gallery_document(entries, full=format != "text"), lambda: {"specs": entries})


def _entry(name: str, entries: list[SpecEntry]) -> SpecEntry:
    """The entry of a name, with or without the suffix. Raises UsageError with the spec that has such a variant."""
    wanted = name.removesuffix(".yaml")
    for entry in entries:
        if entry["name"] == wanted:
            return entry
    for entry in entries:
        if wanted in entry["variants"]:
            raise UsageError(f"there is no spec '{name}' in the gallery", f"it is a variant of {entry['name']}")
    hint = suggest(wanted, [entry["name"] for entry in entries], "'convcalc specs' lists them all")
    raise UsageError(f"there is no spec '{name}' in the gallery", hint)
