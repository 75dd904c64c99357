"""The folds of a pass: each chunk is dealt out as it comes by, so that no row is read again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polydescent.arrays import Kind
from polydescent.errors import BadSetting, NeedsFiles, NeedsRows, TooManyParts
from polydescent.least_squares.degrees import FILES
from polydescent.least_squares.folds import MOST_PARTS, Dealt, dealt_out, left_by_folds
from polydescent.regression.passes import State, Tally, summary_of_rows
from polydescent.regression.summary import Summary
from polydescent.rows.axis import Axis
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source


class Folding:
    """Looks at every chunk of a pass, and keeps a triangle of each fold.

    folds: how many, or "files" for one of each part of the source. Raises NeedsFiles, NeedsRows,
    TooManyParts.
    """

    def __init__(self, source: Source, degree: int, folds: int | str):
        if source.remote:
            raise NeedsRows("cv")
        if folds == FILES:
            files = len(source.parts)
            if files < 2:
                raise NeedsFiles(files)
            if files > MOST_PARTS:
                raise TooManyParts(MOST_PARTS)
            self._dealt, self._tallies = None, [Tally()] * files
        else:
            self._dealt, self._tallies = Dealt(int(folds)), [Tally()] * int(folds)
        self._degree, self._file = degree, 0

    def take(self, rows: Rows) -> None:
        """Look at the next chunk."""
        if self._dealt is None:
            self._add(self._file, summary_of_rows(rows, self._degree))
            return
        found, self._dealt = dealt_out(rows, self._degree, self._dealt)
        for fold, triangle in enumerate(found):
            if triangle.n:
                self._add(fold, Summary(triangle, Kind(), axis=rows.axis))

    def _add(self, fold: int, summary: Summary) -> None:
        self._tallies[fold] = self._tallies[fold].plus(summary)

    def watch(self, other: Callable[[State], None] | None) -> Callable[[State], None]:
        """Another watcher of the pass, which also tells when a file ends."""

        def watched(state: State) -> None:
            self._file = len(state.done)
            if other is not None:
                other(state)

        return watched

    def left(self, axis: Axis) -> np.ndarray:
        """`left_by_folds`, with x on the axis that is spoken in. Raises BadSetting."""
        summaries = [tally.total(self._degree) for tally in self._tallies]
        n = sum(summary.n for summary in summaries)
        if self._dealt is not None and n < len(summaries):
            raise BadSetting("folds", len(summaries), f"at most {n:,}, the number of rows")
        return left_by_folds([summary.on(axis).triangle for summary in summaries])
