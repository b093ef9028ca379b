"""`convcalc specs`: the gallery, listed from its shipped index, whole or by a word, or one spec's text."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ..hints import suggest
from .output import format_option, write

if TYPE_CHECKING:
    from ..analysis.gallery import SpecEntry


def command(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="[WORD]",
            help="A name prints that spec; any other word lists those whose name, source or variants have it.",
        ),
    ] = None,
    variants: Annotated[bool, typer.Option("--variants", help="List the variants too.")] = False,
    format: Annotated[str, format_option("specs", "How to print the list.")] = "text",
) -> None:
    """List the gallery, or what a word finds in it, or print one of its specs: a start for one's own.

    convcalc specs resnet > mine.yaml
    """
    from ..analysis.gallery import read_index
    from ..render.gallery import gallery_document
    from ..render.streams import line_width, write_error, write_page

    everything = read_index()
    entries, shown = everything, {entry["name"]: entry["variants"] for entry in everything if variants}
    if word is not None:
        named = word.removesuffix(".yaml").lower()
        exact = [entry for entry in everything if entry["name"] == named]
        if exact and format == "text" and not variants:
            from ..language import gallery_path

            write_page((gallery_path() / f"{named}.yaml").read_text(encoding="utf-8"))
            return
        begun = [entry for entry in everything if _begins(entry, word.lower())]
        entries = exact or begun or [entry for entry in everything if _has(entry, word.lower())]
        shown = {entry["name"]: _shown(entry, word.lower(), variants) for entry in entries}
    limit = line_width() if format == "text" else None
    if entries or format == "json":
        write(format, lambda: gallery_document(entries, shown, format != "text", limit), lambda: {"specs": entries})
    if not entries:
        hint = suggest(word or "", [entry["name"] for entry in everything], "'convcalc specs' lists them all")
        write_error(f"no spec of the gallery has '{word}' in its name, its title, its source or its variants", hint)
        raise typer.Exit(1)


def _texts(entry: "SpecEntry") -> list[str]:
    return [text.lower() for text in (entry["name"], entry["title"], entry["source"] or "", *entry["variants"])]


def _begins(entry: "SpecEntry", word: str) -> bool:
    """Whether a word of the entry begins so: `he` is He et al., and `lenet` is no MobileNet."""
    return any(re.search(rf"(?<![^\W_]){re.escape(word)}", text) for text in _texts(entry))


def _has(entry: "SpecEntry", word: str) -> bool:
    return any(word in text for text in _texts(entry))


def _shown(entry: "SpecEntry", word: str, every: bool) -> list[str]:
    """The variants that are listed: every one, or those that have the word."""
    return [variant for variant in entry["variants"] if every or word in variant.lower()]
