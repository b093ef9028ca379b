"""`convcalc specs`: the gallery, listed from its shipped index, or one spec's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..findings import UsageError
from ..hints import suggest

if TYPE_CHECKING:
    from ..analysis.gallery import SpecEntry


def command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this spec of the gallery.")] = None,
    output_format: Annotated[
        Literal["rich", "markdown", "json"], typer.Option("--format", help="How to print the list.")
    ] = "rich",
) -> None:
    """List the gallery, or print one of its specs: a start for one's own.

    convcalc specs resnet > mine.yaml
    """
    from ..analysis.gallery import read_index
    from ..render import terminal

    entries = read_index()
    if name is not None:
        found = _entry(name, entries)
        if output_format != "json":
            from ..language import gallery_path

            terminal.write_text((gallery_path() / f"{found['name']}.yaml").read_text(encoding="utf-8"))
            return
        entries = [found]
    if output_format == "json":
        terminal.write_text(terminal.json_text({"format": 1, "specs": entries}))
        return
    from ..render import grid
    from ..render.gallery import gallery_grid, gallery_summary

    if output_format == "markdown":
        terminal.write_text(grid.markdown([gallery_grid(entries, full=True)], [gallery_summary(entries)]))
        return
    terminal.write_lines(
        [*grid.layout(gallery_grid(entries), terminal.line_width()), [], [(gallery_summary(entries), "bold")]]
    )


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
