"""Sources that are here already: rows in memory, an iterable of chunks; and rows kept to draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from polydescent.errors import BadCall
from polydescent.sources import Rows, Source, joined


@dataclass(frozen=True, eq=False)
class Held(Source):
    """Rows that are in memory already."""

    rows: Rows

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        yield (self.rows.chosen(slice(skip, None)) if skip else self.rows), 1.0

    def gathered(self) -> Rows:
        return self.rows


class Stream(Source):
    """An iterable of chunks (x, y) or (x, y, weights), read once. Empty chunks are passed over."""

    label = "the iterable"

    def __init__(self, chunks: Iterable[Any]):
        self._chunks = chunks

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        for found in self._chunks:
            if not isinstance(found, tuple | list) or len(found) not in (2, 3):
                raise BadCall(
                    "An iterable must give chunks (x, y) or (x, y, weights), "
                    f"found {type(found).__name__} {found!r:.60}."
                )
            if any(len(column) for column in found if hasattr(column, "__len__")):
                yield Rows.read(*found), float("nan")


class Kept:
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
