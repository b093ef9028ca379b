"""Rows of a run as a CSV or Parquet file: written whole or not at all, a piece at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import sentence, write
from ..findings import UsageError
from ..hints import installing
from ..terminal import csv_cell, printable
from .cells import Cell, distinct
from .faults import quoted
from .store import Row, Store

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import Buffer

SUFFIXES = (".csv", ".parquet")
GROUP = 50_000
"""Rows of a row group, and of what is in memory at once."""
LINES = 1000
"""Rows of CSV that are written at once."""


def export(store: Store, path: str, rows: Iterable[Row] | None = None, *, overwrite: bool = False) -> int:
    """Write rows of a run, all of them where none are given, to a file by its suffix; how many there were.

    The columns are `number` and `fits`, axes and derived values, figures, what is joined, `code` and `message`; a name
    that is there already has a number behind it. Raises UsageError.
    """
    suffix = format_of(path)
    counted = _Counted(store.rows() if rows is None else rows)
    pieces = _csv(store, counted) if suffix == ".csv" else _parquet(store, counted)
    try:
        write(Path(path), pieces, overwrite=overwrite)
    except FileExistsError:
        raise UsageError(f"{quoted(path)} exists already", "name another file") from None
    except OSError as error:
        raise UsageError(sentence(error, "write", quoted(path))) from None
    except ValueError:
        raise UsageError(f"{quoted(path)} is no path") from None
    return counted.number


def format_of(path: str) -> str:
    """The suffix of a file that is exported to. Raises UsageError for any other, and where the package for it is not
    installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"--export takes a .csv or .parquet file, not {quoted(path)}", "for example --export run.csv")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise UsageError("a .parquet file needs pyarrow, which is not installed", installing("parquet"))
    return suffix


def names(store: Store) -> list[str]:
    """The columns of an exported run, without controls.

    Two columns never have one name, whatever axes and quantities are called.
    """
    return distinct(map(printable, ("number", "fits", *store.axes, *store.figures, "code", "message")))


class _Counted:
    """Rows, counted as they are read."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self.number = 0

    def cells(self, most: int) -> list[tuple[Cell, ...]]:
        """The next rows as cells, at most so many."""
        found = [
            (row.number, row.fits, *row.values, *row.figures, row.code, row.message) for row in islice(self._rows, most)
        ]
        self.number += len(found)
        return found


def _csv(store: Store, rows: _Counted) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(csv_cell, names(store)))
    while cells := rows.cells(LINES):
        writer.writerows([_written(cell) for cell in row] for row in cells)
        yield _taken(text)
    yield _taken(text)


def _written(cell: Cell) -> Cell:
    """A cell as CSV has it: true and false in words, no controls, and no text that a spreadsheet computes."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return csv_cell(cell) if isinstance(cell, str) else cell


def _taken(text: io.StringIO) -> bytes:
    """What was written since."""
    found = text.getvalue()
    text.seek(0)
    text.truncate()
    return found.encode("utf-8", "backslashreplace")


def _parquet(store: Store, rows: _Counted) -> Iterator[bytes]:
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(list(zip(names(store), _types(store), strict=True)))
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        while cells := rows.cells(GROUP):
            columns = zip(*cells, strict=True)
            arrays = [
                pyarrow.array(column if field.type != pyarrow.string() else _texts(column), field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _types(store: Store) -> list[pyarrow.DataType]:
    """The type of each column: integers of 64 bits where there is nothing else, decimals, or text."""
    import pyarrow

    def type_of(kinds: set[str]) -> pyarrow.DataType:
        if kinds <= {"integer", "null"}:
            return pyarrow.int64()
        return pyarrow.float64() if kinds <= {"integer", "real", "null"} else pyarrow.string()

    settings, figures = store.kinds()
    # What an axis has nothing of is a text that is too long to be kept.
    typed = [type_of({"text" if kind == "null" else kind for kind in kinds}) for kinds in settings]
    typed += [type_of(kinds) for kinds in figures]
    return [pyarrow.int64(), pyarrow.bool_(), *typed, pyarrow.string(), pyarrow.string()]


def _texts(column: Iterable[Cell]) -> list[str | None]:
    return [None if cell is None else printable(str(cell)) for cell in column]


class _Sink(io.RawIOBase):
    """What pyarrow writes to; what it wrote is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Keep a piece."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How much was written."""
        return self._written

    def taken(self) -> bytes:
        """What was written since."""
        found, self._pieces = b"".join(self._pieces), []
        return found
