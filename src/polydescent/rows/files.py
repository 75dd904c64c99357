"""Files: CSV, TSV, Parquet, JSON lines, Arrow, also compressed; paths, globs and lists of them."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from polydescent.errors import BadTable, NoFile, OnlyFiles
from polydescent.rows import arrow
from polydescent.rows.delimited import Delimited
from polydescent.rows.deviations import Deviations
from polydescent.rows.duck import Columns, File, Session, Sql
from polydescent.rows.format import FileFormat
from polydescent.rows.intact import verified
from polydescent.rows.json_lines import Json
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source
from polydescent.sealed.fingerprint import Known, Remembered

_STANDARD_INPUT = "standard input"
_SELECT = re.compile(r"\s*(select|with|from)\s", re.IGNORECASE)


def files(
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    x: str,
    y: str,
    weights: str | Deviations | None = None,
    where: str | None = None,
    again: bool = False,
    counts: str | None = None,
    trusted: bool = True,
    sigma: str | None = None,
    format: FileFormat | str | None = None,
    by: Sequence[str] = (),
) -> Source:
    """A path, a glob, SQL, "-" for standard input, or a list of them, as a source of parts.

    x, y, weights, sigma, where, counts: a column name or an SQL expression of columns; trusted: as
    in `Columns`; format: how text files are written, also as a model remembers it; by: what makes
    the key of a row's group. again: take what holds the same rows as another of them too. Raises
    NoFile for what leads nowhere, BadTable for a file of an unknown kind, AlreadyAdded and
    SourceGrew for rows given twice; reading raises the rest.
    """
    said = FileFormat.from_json(format) if isinstance(format, str) else format or FileFormat()
    omega = weights if sigma is None else Deviations(sigma)
    asked = Columns(x, y, omega, where, counts, trusted, said, tuple(by))
    every = [data] if isinstance(data, str | os.PathLike) else data
    found = [part for text in every for part in _parts(text, asked)]
    if len(found) == 1:
        return found[0]
    if not again:
        Known().take(map(remembered, found))
    return Files(found)


def remembered(part: Source) -> Remembered:
    """A file as it is now, or SQL by its text. Raises OnlyFiles, NotAFile, FileRefused."""
    if isinstance(part, File):
        piped = part.label == _STANDARD_INPUT  # its own file is gone with the process
        return Remembered.of_file(part.path, _STANDARD_INPUT if piped else "")
    if isinstance(part, Sql):
        return Remembered.of_text(part.text)
    raise OnlyFiles(part.label)


class Files(Source):
    """Several files, one after the other, on one connection; SQL has its own."""

    def __init__(self, parts: list[Source]):
        self._parts = parts
        self.label = f"{len(parts)} files from {parts[0].label} on"
        self.x_name, self.y_name = parts[0].x_name, parts[0].y_name
        stored = [part for part in parts if isinstance(part, File)]
        session = Session(tuple(path for part in stored for path in part.opens))
        for part in stored:
            part.session = session

    @property
    def parts(self) -> list[Source]:
        return self._parts


class Parquet(File):
    """A Parquet file."""

    def table(self, connection: Any) -> str:
        return f"read_parquet({self.source}, {self.hive})"

    def read(self, connection: Any, duckdb: Any, skip: int) -> Iterator[tuple[Rows, float]]:
        def damage() -> str:
            try:
                arrow.verify_pages(self.path, self.asked.mentions)
            except OSError as why:
                return str(why)
            return ""

        with verified(self.path, damage):
            yield from super().read(connection, duckdb, skip)


class Arrow(File):
    """A file of Arrow's own format: .arrow, .feather."""

    def table(self, connection: Any) -> str:
        connection.register("polydescent_table", arrow.stored(self.path))
        return "polydescent_table"

    def is_empty(self, connection: Any, table: str) -> bool:
        return False


_KINDS: dict[type[File], tuple[str, ...]] = {
    Delimited: (".csv", ".tsv", ".txt", ".dat", ".tab", ".asc"),
    Parquet: (".parquet", ".pq"),
    Json: (".json", ".jsonl", ".ndjson"),
    Arrow: (".arrow", ".feather", ".ipc"),
}


def told(source: Source) -> list[str]:
    """What was guessed about the text files of a source, a line for each kind of guess."""
    guesses: dict[str, list[str]] = {}
    for part in source.parts:
        if isinstance(part, Delimited):
            for guess in (", ".join(part.told),) if part.told else ():
                guesses.setdefault(guess, []).append(part.label)
    return [
        f"{labels[0]}{f' and {len(labels) - 1:,} more' if labels[1:] else ''}: read with {guess}"
        for guess, labels in guesses.items()
    ]


def _parts(text: str | os.PathLike[str], asked: Columns) -> list[Source]:
    path = Path(text)
    if text == "-":
        return [_from_stdin(asked)]
    if isinstance(text, str) and _SELECT.match(text):
        return [Sql(text, asked)]
    if path.is_file():
        return [_file(path, asked)]
    if path.is_dir():
        raise BadTable(f"{str(path)!r} is a folder. Name its files, as in '{path}/*.csv'.")
    if path.exists():
        raise BadTable(f"{str(path)!r} is a pipe or a device. Send it in: - < {str(path)!r}.")
    found = sorted(name for name in glob.glob(str(text), recursive=True) if os.path.isfile(name))
    if not found:
        raise NoFile(str(text), _near(path))
    return [_file(Path(name), asked) for name in found]


def _file(path: Path, asked: Columns) -> File:
    return _kind(path)(path, asked)


def _near(path: Path) -> list[str]:
    folder = path.parent if path.parent.is_dir() else Path()
    near = get_close_matches(path.name, [file.name for file in folder.iterdir()], n=3)
    return [str(folder / name) for name in near]


def _kind(path: Path) -> type[File]:
    """The kind of file that its name says. Raises BadTable."""
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".zst")]
    for kind, known in _KINDS.items():
        if suffixes and suffixes[-1] in known:
            return kind
    kinds = " ".join(s for known in _KINDS.values() for s in known)
    raise BadTable(
        f"Cannot tell what kind of file {str(path)!r} is. Its name may end in {kinds}, "
        "and in .gz after that."
    )


# ── standard input ───────────────────────────────────────────────────────────────────────────────


def _from_stdin(asked: Columns) -> File:
    """Standard input as a file that is gone when the source is: a pass may need it twice."""
    stream = sys.stdin.buffer
    start = stream.read(64)
    ending = _ending(start)
    with tempfile.NamedTemporaryFile(suffix=ending, delete=False) as file:
        path = Path(file.name)
        file.write(start)
        shutil.copyfileobj(stream, file, 1 << 20)
    part = _kind(path)(path, asked, _STANDARD_INPUT)
    weakref.finalize(part, _forgotten, path)
    return part


def _forgotten(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _ending(start: bytes) -> str:
    """The ending of a file's name, by its first bytes."""
    for magic, ending in ((b"PAR1", ".parquet"), (b"ARROW1", ".arrow"), (b"\x1f\x8b", ".csv.gz")):
        if start.startswith(magic):
            return ending
    return ".jsonl" if start.lstrip()[:1] in (b"{", b"[") else ".csv"
