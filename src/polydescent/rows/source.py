"""A source of rows in chunks: what files, tables, streams and clusters have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from polydescent.rows.rows import Rows, Same, joined

Value = TypeVar("Value")


class Source:
    """Rows that come in chunks; each chunk is read, folded into a summary and let go.

    label names it in errors. sorts: its rows come in another order than they have, sorted by their
    keys. remote: its rows lie on other machines, `fold` folds them there, and there are no chunks.
    repeatable: its rows come in the same order every time. is_once: they come but once. parts: the
    sources it is made of (a glob's files), itself if one.
    """

    label = ""
    sorts = False
    remote = False
    repeatable = False
    is_once = False
    x_name = "x"
    y_name = "y"

    @property
    def parts(self) -> list[Source]:
        return [self]

    @property
    def size(self) -> float:
        """How much there is to read beside other parts, in bytes of a file; NaN if unknown."""
        return math.nan

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        """The rows after the first `skip`, in chunks, each with the share of this source that has
        been read when it comes, in [0, 1], NaN where it cannot be known.
        """
        raise NotImplementedError

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        """total([of_rows(block), …]) of a remote source, computed where its blocks lie."""
        raise NotImplementedError

    def gathered(self) -> Rows:
        """All rows at once, in memory. Raises NoRows."""
        return joined([rows for part in self.parts for rows, _ in part.chunks()], self.label)


class Weighted(Source):
    """The rows of another source, each with the same weight."""

    def __init__(self, source: Source, same: Same):
        self._source, self._same = source, same
        self.label, self.remote, self.repeatable = source.label, source.remote, source.repeatable
        self.x_name, self.y_name, self.is_once = source.x_name, source.y_name, source.is_once

    @property
    def parts(self) -> list[Source]:
        parts = self._source.parts
        return [self] if parts == [self._source] else [Weighted(p, self._same) for p in parts]

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        for rows, share in self._source.chunks(skip):
            yield self._same.on(rows), share

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        return self._source.fold(partial(_of_weighted, of_rows, self._same), total)


def _of_weighted(of_rows: Callable[[Rows], Value], same: Same, rows: Rows) -> Value:
    return of_rows(same.on(rows))
