"""The text of a spec, from a file, standard input or the gallery. Nothing unbounded, nothing that blocks."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ..files import MODELS, NotRegular, read_regular, sentence
from ..findings import Finding, SpecError, UsageError
from ..hints import file_near, nearest
from ..limits import NAMED_BYTES, SPEC_BYTES
from ..marked import Source
from .names import shown

SUFFIXES = (".yaml", ".yml")
DATABASE = b"SQLite format 3\0"
"""What files of SQLite begin with: runs of sweeps are kept in such files."""


def gallery_path() -> Path:
    """The folder of the gallery: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


@lru_cache(maxsize=1)
def gallery_names() -> tuple[str, ...]:
    """The names in the gallery, sorted."""
    folder = gallery_path()
    return tuple(sorted(path.stem for path in folder.glob("*.yaml"))) if folder.is_dir() else ()


def read(path_or_name: str) -> Source:
    """The text of a path, of `-` (standard input) or of a gallery name; an existing file beats a gallery name.

    Raises UsageError where it cannot be read, SpecError where its bytes are no text (CC003) or too many (CC004).
    """
    text = os.fspath(path_or_name)
    if not text:
        raise UsageError("no spec is named", "a path, a gallery name, or - for standard input")
    if text == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        try:
            return decode(sys.stdin.buffer.read(SPEC_BYTES + 1), "<stdin>")
        except OSError as error:
            raise UsageError(sentence(error, "read", "standard input")) from None
    name = text.removesuffix(".yaml")
    in_gallery = name in gallery_names()
    path = text
    if in_gallery and not _is_file(text):
        path = str(gallery_path() / f"{name}.yaml")
    try:
        data = read_regular(path, SPEC_BYTES)
    except NotRegular as error:
        hint = "give one of its files" if error.what == "a directory" else "pipe a spec in with '-'"
        raise UsageError(f"{shown(path)} is {error.what}, not a file", hint) from None
    except OSError as error:
        raise _unreadable(text, error) from None
    except ValueError:
        raise UsageError(f"{shown(text)} is no path") from None
    if data.startswith(DATABASE):
        raise UsageError(f"{shown(path)} is a database, not a spec", f"a row of a run is one: {path}:0")
    return decode(data, path)


def read_named(name: str, path: str, most: int) -> Source:
    """The text of a spec that the file at `path` names: one of the gallery, or a file of its own folder or below.

    A name without `.yaml` is one of the gallery; a file is named from the folder of `path`, and nothing outside that
    folder is read, neither by `..` nor through a link. Raises UsageError, and SpecError above `most` bytes (CC111).
    """
    if not name.endswith(SUFFIXES):
        if name not in gallery_names():
            close = nearest(name, gallery_names())
            raise UsageError(
                f"the gallery has no spec {shown(name)}",
                f"did you mean '{close}'?"
                if close
                else "a file is named with its .yaml; 'convcalc specs' lists the gallery",
            )
        return _bounded(str(gallery_path() / f"{name}.yaml"), most)
    return _bounded(file_beside(name, path), most, str(Path(path).parent / name))


def file_beside(name: str, path: str) -> str:
    """Where a file is that the one at `path` names: in its folder or below, neither by `..` nor through a link outside.

    Raises UsageError.
    """
    if path.startswith(("<", "git:")):
        raise UsageError(f"{shown(path)} stands in no folder: it cannot name {shown(name)}", "name one of the gallery")
    parts = PurePosixPath(name)
    folder = os.path.realpath(Path(path).parent)
    try:
        found = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118
        inside = os.path.commonpath([folder, found]) == folder
    except (OSError, ValueError):
        raise UsageError(f"{shown(name)} is no path") from None
    if parts.is_absolute() or ".." in parts.parts or "\\" in name or not inside:
        raise UsageError(f"{shown(name)} is not in the folder of the file that names it", "move it beside that file")
    return found


def _bounded(path: str, most: int, said: str = "") -> Source:
    """The text of an ordinary file that is no link, under the path that messages say."""
    said = said or path
    try:
        data = read_regular(path, most, links=False)
    except NotRegular as error:
        raise UsageError(f"{shown(said)} is {error.what}, not a file") from None
    except OSError as error:
        raise UsageError(sentence(error, "read", shown(said))) from None
    if len(data) > most:
        message = f"the specs that this file names have more than {NAMED_BYTES:,} bytes"
        raise SpecError([Finding("CC111", message, said)])
    return decode(data, said)


def _is_file(path: str) -> bool:
    """Whether there is something other than a directory at a path."""
    try:
        return not stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return Path(path).is_symlink()


def _unreadable(path: str, error: OSError) -> UsageError:
    if error.errno == errno.ENOENT:
        name = path.removesuffix(".yaml")
        if Path(path).is_symlink():
            return UsageError(f"{shown(path)} is a symbolic link to a file that does not exist")
        file, colon, part = path.rpartition(":")
        if colon and _is_file(file):
            return _no_part(file, part)
        return UsageError(f"there is no file {shown(path)}", _meant(path, name))
    return UsageError(sentence(error, "read", shown(path)))


def _no_part(file: str, part: str) -> UsageError:
    """What is wrong with a name behind a file: of a run it would be a row, of any other file it is nothing."""
    try:
        run = read_regular(file, len(DATABASE) - 1) == DATABASE
    except OSError:
        run = False
    if run:
        return UsageError(f"{shown(part)} is no row of {shown(file)}", f"a row is named by its number: {file}:17")
    return UsageError(f"there is no {shown(part)} in {shown(file)}", f"the file alone: {file}")


def _meant(path: str, name: str) -> str | None:
    """What a path without a file, and without `.yaml` the name, may stand for: files beside it, then the gallery."""
    here, same = file_near(path, (*SUFFIXES, *MODELS))
    if here is not None and same:
        return f"did you mean '{here}'?"
    if (other := _other_than_a_file(path)) is not None:
        return other
    if Path(path).name != path:
        return None if here is None else f"did you mean '{here}'?"
    variant = variant_named(name)
    close = nearest(name, gallery_names())
    if here is not None:
        return f"did you mean '{here}'" + (f", or '{close}' of the gallery?" if close else "?")
    if variant is not None:
        return f"it is a variant: {' --variant '.join(variant)}"
    return f"did you mean '{close}'?" if close else "'convcalc specs' lists the gallery"


def _other_than_a_file(path: str) -> str | None:
    """How to ask for what a text names that is neither a file nor one of the gallery; None where it names nothing.

    >>> _other_than_a_file("cc302"), _other_than_a_file("main:specs/net.yaml")
    ('convcalc check --explain CC302 prints the page of a code', 'of a revision: git:main:specs/net.yaml')
    """
    if re.fullmatch(r"[Cc]{2}\d{3}", path):
        return f"convcalc check --explain {path.upper()} prints the page of a code"
    if path.isdigit():
        return "the sizes of an input stand together: --input 3,224,224"
    if re.fullmatch(r"[\w./-]{2,}:[\w./-]+\.ya?ml", path):
        return f"of a revision: git:{path}"
    if assigned := re.fullmatch(r"[^\W\d]\w*=.+", path):
        return f"a param of a spec is given by --set {assigned[0]}"
    if "::" in path and ".py" in path:
        return f"a model stands behind one colon: {path.replace('::', ':')}"
    module, _, name = path.rpartition(".")
    if module and all(part.isidentifier() for part in path.split(".")) and _is_code(module.partition(".")[0]):
        code = f"{module}.py" if _is_file(f"{module}.py") else module
        return f"a model in code stands behind a colon: {code}:{name}"
    return None


def _is_code(module: str) -> bool:
    """Whether Python finds a module of this name, here or among its own; nothing of it runs."""
    if _is_file(f"{module}.py"):
        return True
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def variant_named(name: str) -> tuple[str, str] | None:
    """A spec of the gallery and its variant that is called so, with whatever signs and cases; None where none is.

    >>> variant_named("resnet50"), variant_named("VGG-16"), variant_named("resnet")
    (('resnet', 'resnet50'), ('vgg', 'vgg16'), None)
    """
    import json

    try:
        specs = json.loads((gallery_path() / "index.json").read_text(encoding="utf-8"))["specs"]
    except (OSError, ValueError, KeyError):
        return None
    named = [(spec["name"], variant) for spec in specs for variant in spec["variants"]]
    same = [found for found in named if re.sub(r"[\W_]", "", found[1]).lower() == re.sub(r"[\W_]", "", name).lower()]
    return min(same, key=lambda found: found[1] != name, default=None)


def decode(data: bytes, path: str) -> Source:
    """Bytes as a source: UTF-8, with or without a byte order mark, with any line ends."""
    if len(data) > SPEC_BYTES:
        raise SpecError([Finding("CC004", f"larger than {SPEC_BYTES // 2**20} MiB", path, hint="split the spec")])
    hint = "save the file as UTF-8"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] == b"\0\0\xfe\xff":
        raise SpecError([Finding("CC003", "the text is encoded as UTF-16 or UTF-32, not UTF-8", path, hint=hint)])
    null = data.find(b"\0")
    if null >= 0:
        message = "the text holds NUL bytes: it is binary, or encoded as UTF-16"
        raise _encoding_error(data, null, message, path, hint)
    try:
        return Source(data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        message = f"the byte 0x{data[start]:02x} is not UTF-8"
        raise _encoding_error(data, start, message, path, f"{hint}; it may be Latin-1") from None


def _encoding_error(data: bytes, position: int, message: str, path: str, hint: str) -> SpecError:
    start = data.rfind(b"\n", 0, position) + 1
    line = data.count(b"\n", 0, position) + 1
    end = data.find(b"\n", position)
    excerpt = data[start : end if end >= 0 else len(data)].decode("utf-8", "replace").rstrip("\r")
    column = len(data[start:position].decode("utf-8", "replace")) + 1
    return SpecError([Finding("CC003", message, path, line, column, hint=hint, excerpt=excerpt)])
