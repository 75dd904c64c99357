"""The rows of files as a command reads them: one pass with progress, kept in a model if asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydescent.arrays import Kind
from polydescent.errors import BadCall
from polydescent.fit import Fit, descend
from polydescent.fit import fit as solve
from polydescent.journal import Job, run
from polydescent.passes import summary_of
from polydescent.progress import Progress
from polydescent.sources import Rows, Source
from polydescent.sources.chunks import Held, Kept
from polydescent.summary import Summary


@dataclass(frozen=True)
class Reading:
    """Which rows to read, to what degree, what to do where a value is missing, where to keep it."""

    source: Source
    degree: int
    missing: str = "raise"
    save: str | None = None
    quiet: bool = False

    def fit(self, settings: dict[str, Any] | None) -> Fit:
        """Exact least squares, or a descent with settings, of rows that are streamed."""
        kept = Kept()
        with Progress(self.source, self.quiet) as progress:
            summary = self._summary(kept, progress)
        rows = kept.rows
        if rows.counting == summary.n:  # all are here: their fit can be refined
            found = _fit(Held(rows), self.degree, "raise", settings)
            return replace(found, summary=replace(found.summary, omitted=summary.omitted))
        found = summary.fit() if settings is None else summary.descend(**settings)
        return replace(found, rows=rows)

    def fit_in(self, kind: Kind, over: str, settings: dict[str, Any] | None) -> Fit:
        """The same with all rows in memory, in a library, dtype and on a device; `over` as in
        `descend`. Raises BadCall where they are to be saved.
        """
        if self.save is not None:
            raise BadCall(
                "--save streams the rows in float64: leave out --over rows, --backend, --device "
                "and --dtype."
            )
        rows = self.source.gathered()
        columns = (rows.x, rows.y) if rows.weights is None else (rows.x, rows.y, rows.weights)
        there = Rows.of(*map(kind.put, columns), x_name=rows.x_name, y_name=rows.y_name)
        walked = None if settings is None else settings | {"over": over}
        return _fit(Held(there), self.degree, self.missing, walked)

    def _summary(self, kept: Kept, progress: Progress) -> Summary:
        if self.save is None:
            return summary_of(self.source, self.degree, self.missing, kept.take, progress)
        job = Job(self.source, Path(self.save), self.degree, self.missing, check=Summary.solve)
        return run(job, progress, kept.take).summary


def _fit(source: Source, degree: int, missing: str, settings: dict[str, Any] | None) -> Fit:
    if settings is None:
        return solve(source, degree=degree, missing=missing)
    return descend(source, degree=degree, missing=missing, **settings)
