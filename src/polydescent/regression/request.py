"""What a user asks of rows, parsed once: the verbs and the command read and answer it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from polydescent.arrays import Kind
from polydescent.errors import BadCall, BadSetting
from polydescent.regression.evidence import all_rows
from polydescent.regression.fit import Fit
from polydescent.regression.folding import Folding
from polydescent.regression.passes import State, present, summary_of, summary_of_rows
from polydescent.regression.problem import Problem, check_determined
from polydescent.regression.summary import Summary
from polydescent.regression.training import Descent
from polydescent.rows.calendar import check_unit
from polydescent.rows.chunks import InMemory, Selection
from polydescent.rows.deviations import Deviations, weights_of_deviations
from polydescent.rows.rows import Rows, Same
from polydescent.rows.source import Source
from polydescent.rows.source_of import source_of

Look = Callable[[Rows], None]
Watch = Callable[[State], None]


@dataclass(frozen=True, eq=False)
class Request:
    """Rows, and the curve that is wanted of them.

    Attributes
    ----------
    source : where the rows come from.
    problem : which curve.
    missing : "raise" or "omit", for rows with NaN or infinity.
    per : the unit of x where it holds dates or durations; None for days.
    moments : whether a summary tells what batches of its rows do.
    """

    source: Source
    problem: Problem
    missing: str = "raise"
    per: str | None = None
    moments: bool = False

    @classmethod
    def parse(
        cls,
        data: Any,
        y: Any,
        degree: Any,
        *,
        x: Any = None,
        weights: Any = None,
        sigma: Any = None,
        counts: Any = None,
        where: str | None = None,
        file_format: Any = None,
        missing: str = "raise",
        per: str | None = None,
        again: bool = False,
        moments: bool = False,
        **curve: Any,
    ) -> Request:
        """The arguments of `fit`, `descend` and `summarize`; curve: as in `Problem.parse`.

        Raises what they raise before a row is read.
        """
        check_unit(per)
        problem = Problem.parse(degree, **curve)
        if problem.absolute_sigma and weights is None and sigma is None:
            raise BadCall(
                "absolute_sigma=True needs sigma=, the standard deviations that are known."
            )
        omega = weights_of(weights, sigma)
        source = source_of(data, y, x, omega, where, again, counts, file_format)
        if problem.reads_again and source.is_once:
            raise BadCall(
                f"loss= and variance= read the rows more than once, and {source.label} can be read "
                "but once: pass a list of its chunks, a file, or the columns."
            )
        if not isinstance(moments, bool):
            raise BadSetting("moments", moments, "True or False")
        return cls(source, problem, missing, per, moments)

    def gathered(self, kind: Kind | None = None) -> Request:
        """The same with all rows in memory, in another library or dtype, or on a device."""
        rows = self.source.gathered()
        if kind is not None:
            if rows.axis.is_dates and kind.dtype != "float64":
                raise BadCall(f'dtype="{kind.dtype}" cannot tell dates apart: leave it out.')
            rows = rows.put(kind)
        return replace(self, source=InMemory(rows))

    def summarize(self) -> Summary:
        """One pass over the rows. Raises NotFinite, NoRows and what the source raises."""
        moments = self.moments
        summary = summary_of(self.source, self.problem.degree, self.missing, moments=moments)
        return summary.in_unit(self.per)

    def read(
        self,
        watch: Watch | None = None,
        summarized: Callable[..., Summary] | None = None,
        look: Look | None = None,
    ) -> tuple[Summary, Rows | None]:
        """The summary, and rows to look at: all of them, a selection, or none of a cluster.

        watch: called with each state of the pass. summarized: makes the summary instead, of this
        request and what to call with each chunk and each state. look: called with each chunk too,
        where they are streamed. Raises as `summarize`.
        """
        if isinstance(self.source, InMemory) and summarized is None:
            rows, omitted = present(self.source.rows, self.missing)
            summary = summary_of_rows(rows, self.problem.degree, omitted)
        else:
            kept = Selection()
            fold = _summarized if summarized is None else summarized
            summary = fold(self, _both(kept.take, look), watch)
            rows = None if self.source.remote else kept.rows
        summary = summary.in_unit(self.per)
        return summary, rows if rows is None else rows.on(summary.axis)

    def fit(self, watch: Watch | None = None) -> Fit:
        """Exact least squares. Raises as `read` and `Problem.solve`."""
        auto = self.problem.auto
        if auto is None or auto.criterion != "cv" or isinstance(self.source, InMemory):
            return self.answer(*self.read(watch))
        folding = Folding(self.source, self.problem.degree, auto.folds)
        summary, rows = self.read(folding.watch(watch), look=folding.take)
        return self.problem.solve(summary, rows, folding.left(summary.axis))

    def descend(self, descent: Descent, watch: Watch | None = None) -> Fit:
        """The fit that a descent reaches. Raises as `read` and `Descent.run`."""
        self.problem.check_plain()
        request = self.gathered() if descent.over == "rows" else self
        return request.answer(*request.read(watch), descent)

    def answer(self, summary: Summary, rows: Rows | None, descent: Descent | None = None) -> Fit:
        """The fit of rows that have been read, exactly unless there is a descent."""
        if descent is None:
            found = self.problem.solve(summary, rows)
            if not self.problem.reads_again:
                return found
            from polydescent.regression.judged import judged
            from polydescent.robust.passes import Reader

            source, held = self.source, all_rows(found)
            if held is not None:
                source = InMemory(held)
            reader = Reader(source, found.axis, self.missing)
            return judged(found, reader, self.problem.loss, self.problem.variance)
        check_determined(summary, rows)
        return descent.run(summary, rows, absolute_sigma=self.problem.absolute_sigma)


def _summarized(request: Request, look: Look, watch: Watch | None) -> Summary:
    return summary_of(request.source, request.problem.degree, request.missing, look, watch)


def _both(first: Look, second: Look | None) -> Look:
    """Both, one after the other, as one."""
    if second is None:
        return first

    def look(rows: Rows) -> None:
        first(rows)
        second(rows)

    return look


def weights_of(weights: Any, sigma: Any) -> Any:
    """The weights themselves, or 1/σ², rounded once: an array, or `Same` of one σ for every row; of
    a column of a file, what says so.

    Whatever its dtype, σ is taken as the number it is: squared in its own, a float32 would lose
    digits. Raises BadCall for both, BadSetting where a sigma is not above 0, OutOfRange.
    """
    if sigma is None:
        return weights
    if weights is not None:
        raise BadCall("Pass weights= (of the squares) or sigma= (standard deviations), not both.")
    if isinstance(sigma, str):
        return Deviations(sigma)
    one = _one_number(sigma)
    inverse = weights_of_deviations(sigma if one is None else [one])
    if one is None:
        return inverse
    if math.isnan(one):
        raise BadSetting("sigma", one, "above 0")
    return Same(float(inverse[0]))


def _one_number(sigma: Any) -> float | None:
    """sigma as a float where it is one number for all rows, of any library; else None."""
    shape = getattr(sigma, "shape", None)
    if isinstance(sigma, bool) or shape or (shape is None and hasattr(sigma, "__len__")):
        return None
    try:
        return float(sigma)
    except (TypeError, ValueError):
        return None
