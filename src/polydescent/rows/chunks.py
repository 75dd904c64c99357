"""Sources that are here already: rows in memory, an iterable of chunks; and rows kept to draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from polydescent.arrays import is_array, is_iterator
from polydescent.errors import BadCall
from polydescent.rows.arrow import CHUNK
from polydescent.rows.keys import Keys
from polydescent.rows.rows import Rows, joined
from polydescent.rows.source import Source


@dataclass(frozen=True, eq=False)
class InMemory(Source):
    """Rows that are in memory already."""

    rows: Rows

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        yield (self.rows.chosen(slice(skip, None)) if skip else self.rows), 1.0

    def gathered(self) -> Rows:
        return self.rows

    def keyed(self, by: Any) -> InMemory:
        """The same rows with their keys beside them. Raises BadKeys, LengthMismatch."""
        return replace(self, rows=replace(self.rows, keys=Keys.beside(by, self.rows.n)))


class Stream(Source):
    """An iterable, read once, of chunks (x, y), (x, y, weights) or (x, y, weights, counts), the
    weights None for 1. Numbers instead of columns are one row; rows are gathered into chunks. Empty
    chunks are passed over.
    """

    label = "the iterable"

    def __init__(self, chunks: Iterable[Any]):
        if isinstance(chunks, list | tuple):
            _check_rows(chunks)
        self._chunks, self.is_once = chunks, isinstance(chunks, Iterator)

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        waiting: list[Any] = []
        for found in self._chunks:
            if not isinstance(found, tuple | list) or len(found) not in (2, 3, 4):
                raise BadCall(
                    "An iterable must give chunks (x, y), (x, y, weights) or "
                    f"(x, y, weights, counts), found {type(found).__name__} {found!r:.60}."
                )
            is_row = all(_is_one(value) for value in found)
            alike = bool(waiting) and is_row and _shape(found) == _shape(waiting[0])
            if waiting and (not alike or len(waiting) == CHUNK):
                yield _gathered(waiting), float("nan")
                waiting = []
            if is_row:
                waiting.append(found)
                continue
            found = [list(c) if is_iterator(c) else c for c in found]
            if any(map(_length, found)):
                yield _read(*found), float("nan")
        if waiting:
            yield _gathered(waiting), float("nan")


def _check_rows(chunks: list[Any] | tuple[Any, ...]) -> None:
    """Raise BadCall where lists of numbers may be columns as well as rows."""
    first = chunks[0]
    if isinstance(chunks, list) and isinstance(first, tuple):
        return
    if all(_is_one(value) for value in first):
        raise BadCall(
            f"Columns x and y, or rows (x, y)? {chunks!r:.60} may be both: pass columns as two "
            "arguments, fit(x, y), or rows as a list of tuples, [(x, y), …]."
        )


def _is_one(value: Any) -> bool:
    """Whether a value is one number or date, or None, rather than a column."""
    sized = hasattr(value, "__len__") or hasattr(value, "__iter__")
    return getattr(value, "ndim", int(sized)) == 0


def _length(column: Any) -> int:
    """How many values there are; 0 of what is no column."""
    if _is_one(column):
        return 0
    return column.shape[0] if is_array(column) else len(column)


def _shape(row: Any) -> list[bool]:
    """Which columns beside x and y a row has; an x or y that is None is a missing value."""
    return [value is not None for value in row[2:]]


def _gathered(rows: list[Any]) -> Rows:
    """Single rows of one shape as a chunk."""
    x, y, *others = (list(column) for column in zip(*rows, strict=True))
    return _read(x, y, *(None if column[0] is None else column for column in others))


def _read(x: Any, y: Any, weights: Any = None, counts: Any = None) -> Rows:
    return Rows.read(x, y, weights, counts=counts)


class Selection:
    """Rows of a stream to look at later: all while they are few, then an even selection.

    It grows to `limit` rows, drops every other one, goes on with every other one, and so forth.
    """

    def __init__(self, limit: int = 1 << 20):
        self._limit, self._stride, self._seen, self._held = limit, 1, 0, 0
        self._chunks: list[Rows] = []

    def take(self, rows: Rows) -> None:
        """Look at the next chunk."""
        first = -self._seen % self._stride
        self._seen += rows.n
        # copied: a view would keep the whole chunk alive
        self._add(
            rows if self._stride == 1 else rows.chosen(slice(first, None, self._stride)).copy()
        )
        while self._held > self._limit:
            half = joined(self._chunks, "").chosen(slice(None, None, 2)).copy()
            self._chunks, self._held = [], 0
            self._stride *= 2
            self._add(half)

    def _add(self, rows: Rows) -> None:
        self._chunks.append(rows)
        self._held += rows.n

    @property
    def is_all(self) -> bool:
        """Whether no row was dropped."""
        return self._stride == 1

    @property
    def rows(self) -> Rows:
        """The rows kept, in their order. Raises NoRows."""
        return joined(self._chunks, "")
