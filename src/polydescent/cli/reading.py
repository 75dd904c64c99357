"""The rows of files as a command reads them: one pass with progress, kept in a model if asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from polydescent.arrays import Kind
from polydescent.cli.options import on_axis
from polydescent.errors import BadCall
from polydescent.models.journal import Job, run
from polydescent.regression.passes import present, summary_of, summary_of_rows
from polydescent.regression.progress import Progress
from polydescent.regression.request import in_unit
from polydescent.regression.summary import Summary
from polydescent.regression.verbs import Fit, descend, fit_folded
from polydescent.rows.axis import check_unit
from polydescent.rows.chunks import InMemory, Selection
from polydescent.rows.source import Source


@dataclass(frozen=True)
class Reading:
    """Which rows to read, to what degree, what to do where a value is missing, where to keep it.

    asked: more of `fit_folded`, from `asked_of_fit`, and curve: as it was typed. per: the unit of
    dates.
    """

    source: Source
    degree: int
    missing: str = "raise"
    save: str | None = None
    quiet: bool = False
    asked: dict[str, Any] = field(default_factory=dict)
    per: str | None = None
    curve: dict[str, Any] = field(default_factory=dict)
    again: bool = False

    def fit(self, settings: dict[str, Any] | None) -> Fit:
        """Exact least squares, or a descent with settings, of rows that are streamed."""
        kept = Selection()
        check_unit(self.per)
        with Progress(self.source, self.quiet) as progress:
            summary = self._summary(kept, progress)
        summary, rows = in_unit(summary, kept.rows, self.per)
        if settings is None:
            return fit_folded(summary, rows, **on_axis(self.asked, summary.axis))
        return replace(summary.descend(**settings), rows=rows)

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
        if rows.axis.is_dates and kind.dtype != "float64":
            raise BadCall(f"--dtype {kind.dtype} cannot tell dates apart: leave it out.")
        put = {"x": kind.put, "y": kind.put, "weights": kind.put, "counts": _whole(kind).put}
        columns = {
            role: at(c) for role, at in put.items() if (c := getattr(rows, role)) is not None
        }
        there = replace(rows, **columns)
        if settings is None:
            there, omitted = present(there, self.missing)
            summary = summary_of_rows(there, self.degree, omitted)
            summary, all_rows = in_unit(summary, there, self.per)
            return fit_folded(summary, all_rows, **on_axis(self.asked, summary.axis))
        walked = settings | {"over": over, "per": self.per}
        return descend(InMemory(there), degree=self.degree, missing=self.missing, **walked)

    def _summary(self, kept: Selection, progress: Progress) -> Summary:
        if self.save is None:
            return summary_of(self.source, self.degree, self.missing, kept.take, progress)
        job = Job(
            self.source,
            Path(self.save),
            self.degree,
            self.missing,
            curve=self.curve,
            check=self._check,
            per=self.per,
            again=self.again,
        )
        return run(job, progress, kept.take).summary

    def _check(self, summary: Summary) -> None:
        """Refuse a summary that has no such curve, before it is kept."""
        fit_folded(summary, None, **on_axis(self.asked, summary.axis))


def _whole(kind: Kind) -> Kind:
    """The kind for whole numbers beside columns of `kind`: float32 would round large ones."""
    return kind if kind.device.startswith("mps") else replace(kind, dtype="float64")
