"""Files: CSV, TSV, Parquet, JSON lines, also compressed; paths, globs and lists of them."""

from __future__ import annotations

import csv
import glob
import gzip
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from polydescent.errors import BadTable, NoFile, OnlyFiles
from polydescent.fingerprint import Known, Remembered
from polydescent.sources import Source, locked
from polydescent.sources.duck import Asked, Query, Sql

_READERS = {
    "read_csv": (".csv", ".tsv", ".txt"),
    "read_parquet": (".parquet", ".pq"),
    "read_json": (".json", ".jsonl", ".ndjson"),
}
# the default buffers of 32 MB make memory grow with the file, and are no faster
_CSV_BUFFER = "buffer_size = 1050000, max_line_size = 1000000"
_SELECT = re.compile(r"\s*(select|with|from)\s", re.IGNORECASE)


def files(
    data: str | Path | Sequence[str | Path],
    x: str,
    y: str,
    weights: str | None = None,
    where: str | None = None,
    again: bool = False,
    counts: str | None = None,
    trusted: bool = True,
) -> Source:
    """A path, a glob, SQL, or a list of them, as a source with one part each.

    x, y, weights, where, counts: a column name or an SQL expression of columns; trusted: as in
    `Asked`. again: take what holds the same rows as another of them too. Raises NoFile for what
    leads nowhere, BadTable for a file of an unknown kind, AlreadyAdded and SourceGrew for rows
    given twice; reading raises the rest.
    """
    asked = Asked(x, y, weights, where, counts, trusted)
    every = [data] if isinstance(data, str | Path) else data
    found = [part for text in every for part in _parts(text, asked)]
    if len(found) == 1:
        return found[0]
    if not again:
        Known().take(map(remembered, found))
    return Files(found)


def remembered(part: Source) -> Remembered:
    """A file as it is now, or SQL by its text. Raises OnlyFiles, NotAFile, FileRefused."""
    if isinstance(part, File):
        return Remembered.of_file(part.path)
    if isinstance(part, Sql):
        return Remembered.of_text(part.text)
    raise OnlyFiles(part.label)


class Files(Source):
    """Several files, one after the other."""

    def __init__(self, parts: list[Source]):
        self._parts = parts
        self.label = f"{len(parts)} files from {parts[0].label} on"
        self.x_name, self.y_name = parts[0].x_name, parts[0].y_name

    @property
    def parts(self) -> list[Source]:
        return self._parts


class File(Query):
    """One file."""

    repeatable = True

    def __init__(self, path: Path, asked: Asked):
        super().__init__(str(path), asked)
        self.path, self.opens = path, (path,)
        self._reader = _reader(path)

    def table(self, connection: Any) -> str:
        options = ""
        if self._reader == "read_csv":
            options = f", {_CSV_BUFFER}" + (
                ", header = false, skip = 1" if _broken_header(self.path) else ""
            )
        return f"{self._reader}({locked.file(self.path)}{options})"

    def is_empty(self, connection: Any, table: str) -> bool:
        return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None

    def explained(self, asked: str) -> str | None:
        broken = _broken_header(self.path) if self._reader == "read_csv" else None
        return _explain_header(self.path, asked, *broken) if broken else None


def _parts(text: str | Path, asked: Asked) -> list[Source]:
    path = Path(text)
    if isinstance(text, str) and _SELECT.match(text):
        return [Sql(text, asked)]
    if path.is_file():
        return [File(path, asked)]
    found = sorted(name for name in glob.glob(str(text), recursive=True) if Path(name).is_file())
    if not found:
        raise NoFile(str(text), _near(path))
    return [File(Path(name), asked) for name in found]


def _near(path: Path) -> list[str]:
    folder = path.parent if path.parent.is_dir() else Path()
    near = get_close_matches(path.name, [file.name for file in folder.iterdir()], n=3)
    return [str(folder / name) for name in near]


def _reader(path: Path) -> str:
    """The DuckDB function that reads this kind of file. Raises BadTable."""
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".zst")]
    for reader, known in _READERS.items():
        if suffixes and suffixes[-1] in known:
            return reader
    kinds = " ".join(s for known in _READERS.values() for s in known)
    raise BadTable(
        f"Cannot tell what kind of file {str(path)!r} is. Its name may end in {kinds}, "
        "and in .gz after that."
    )


def _broken_header(file: Path) -> tuple[list[str], list[str]] | None:
    """(header, first row) of a CSV whose header has another number of names than its row has
    values.
    """
    try:
        with gzip.open(file, "rt") if file.suffix == ".gz" else open(file) as lines:
            start = [line for line in (lines.readline() for _ in range(2)) if line.strip()]
    except (EOFError, OSError, UnicodeDecodeError):
        return None  # .zst, or broken in a way that DuckDB will name
    if len(start) < 2:
        return None
    delimiter = max(",;\t|", key=start[1].count)
    header, row = csv.reader(start, delimiter=delimiter)
    titled = not any(_is_number(name) for name in header)
    return (header, row) if titled and len(header) != len(row) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _explain_header(path: str | Path, asked: str, header: list[str], row: list[str]) -> str:
    there_are = ", ".join(f"column{i} (first value {value})" for i, value in enumerate(row))
    return (
        f"{path}: the header names {len(header)} columns ({', '.join(header)}) but the rows have "
        f"{len(row)} values, so it cannot be known which values {asked!r} names. Ask for columns "
        f"by position: {there_are}. Or repair the header."
    )
