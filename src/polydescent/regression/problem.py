"""Which curve of a summary is wanted, and the exact least squares answer to that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from polydescent.arrays import count_distinct
from polydescent.checks import DEGREES
from polydescent.descent.outcome import Outcome
from polydescent.errors import (
    BadCall,
    BadDegree,
    BadSetting,
    NoRows,
    TooFewDistinct,
    TooFewRows,
)
from polydescent.least_squares.accuracy import stands_alone
from polydescent.least_squares.constraints import NONE, NOTHING, Constraints, Known
from polydescent.least_squares.degrees import BY_AICC, Choice, degree_table
from polydescent.least_squares.sandwich import EQUAL, Variance, variance_of
from polydescent.least_squares.shapes import ANY, Demands, obeying
from polydescent.least_squares.solution import Solution, rows_that_count, solve
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.fit import Fit
from polydescent.regression.summary import Summary
from polydescent.robust.losses import SQUARES, AnyLoss, described, loss_of
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import checked_degree


@dataclass(frozen=True)
class Problem:
    """Which curve of a summary is wanted.

    Attributes
    ----------
    degree : that of the curve, or the highest to look at where `auto` chooses.
    auto : by what the degree is chosen; None where it is given.
    known : what is known of the curve beforehand.
    absolute_sigma : whether the weights are 1/σ² with σ known in units of y.
    loss : of the residuals; None for squares.
    variance : of the noise about the curve: "equal", a kind of HC, or HAC.
    demands : shapes and bounds that it must keep to.
    """

    degree: int
    auto: Choice | None = None
    known: Known = NOTHING
    absolute_sigma: bool = False
    loss: AnyLoss | None = None
    variance: Variance = EQUAL
    demands: Demands = ANY

    @classmethod
    def parse(
        cls,
        degree: Any,
        largest: int | None = None,
        *,
        fix: Any = None,
        terms: Any = None,
        through: Any = None,
        criterion: str | None = None,
        folds: int | str | None = None,
        absolute_sigma: bool = False,
        loss: Any = SQUARES,
        variance: Any = EQUAL,
        shape: Any = None,
        bounds: Any = None,
    ) -> Problem:
        """What the arguments of `fit` ask for, of a summary of degree `largest` at most.

        Raises BadDegree, BadSetting, BadCall, TooFewFree.
        """
        choice = Choice.of(criterion, folds)
        wanted, is_auto = _wanted_degree(degree, largest)
        if folds is not None and choice.criterion != "cv":
            raise BadSetting("folds", folds, 'left out, or with criterion="cv"')
        if choice != BY_AICC and not is_auto:
            raise BadCall(
                'criterion= and folds= say how degree="auto" chooses: pass that, or leave them out.'
            )
        known, demands = Known(fix, terms, through), Demands.parse(shape, bounds)
        if (known or demands) and is_auto:
            raise BadCall(
                'degree="auto" chooses among whole polynomials: leave out fix=, terms=, through=, '
                "shape= and bounds=, or give degree= a number."
            )
        if not isinstance(absolute_sigma, bool | np.bool_):
            raise BadSetting("absolute_sigma", absolute_sigma, "True or False")
        auto = choice if is_auto else None
        wanted, sigma_known = known.degree(wanted), bool(absolute_sigma)
        demands.check(wanted)
        judging = loss_of(loss), variance_of(variance)
        problem = cls(wanted, auto, known, sigma_known, *judging, demands)
        problem._check_judging()
        return problem

    @property
    def reads_again(self) -> bool:
        """Whether the rows are read more than once."""
        return self.loss is not None or self.variance != EQUAL

    def _check_judging(self) -> None:
        """Raise BadCall for a loss or a variance that does not go with the rest."""
        if self.demands and self.reads_again:
            raise BadCall(
                "shape= and bounds= are kept to by least squares with equal variance: leave out "
                "loss= and variance=, or them."
            )
        if self.loss is not None and self.auto is not None:
            raise BadCall(
                'degree="auto" compares likelihoods, and loss= has none: choose the degree by '
                "squares, and pass it as a number."
            )
        if self.loss is not None and self.variance != EQUAL:
            raise BadCall(
                f"variance= is for squares: the errors of {described(self.loss)} have a "
                "formula of their own, which takes the residuals as they are. Leave it out."
            )
        if self.absolute_sigma and self.variance != EQUAL:
            raise BadCall(
                f"absolute_sigma=True says that sigma is known, and variance={self.variance} that "
                "it is not: leave one of them out."
            )

    def check_plain(self) -> None:
        """Raise BadCall for what a descent cannot reach."""
        if self.reads_again:
            raise BadCall("loss= and variance= are of an exact fit: leave them out of a descent.")
        if self.auto is not None or self.known or self.demands:
            raise BadCall(
                "A descent walks with all terms of one degree: leave out fix=, terms=, through=, "
                'shape=, bounds= and degree="auto".'
            )

    def solve(
        self, summary: Summary, rows: Rows | None = None, held_out: np.ndarray | None = None
    ) -> Fit:
        """The exact least squares fit, refined if `rows` are all rows of the summary.

        held_out: as in `degree_table`. Raises NoRows, TooFewRows, TooFewDistinct, TooFewFree,
        NeedsRows, NeedsFiles, BadSetting, NoSuchCurve.
        """
        all_rows = rows if rows is not None and rows.counting == summary.n else None
        if summary.degree != self.degree:
            summary = summary.lower(self.degree)
        held = self.known.on(self.degree, summary.axis)
        _check_inhabited(summary)
        if self.auto is not None:
            known = self.absolute_sigma
            table = degree_table(
                summary.triangle,
                all_rows,
                known,
                self.auto,
                leave_out=False,
                held_out=held_out,
            )
            summary = summary.lower(table.pick)
            held_out = table.cv if self.auto.criterion == "cv" else None
        check_determined(summary, rows, held)
        if self.loss is not None:
            all_rows = None  # least squares is but where the passes start
        best = partial(solve, summary.triangle, all_rows, origin=summary.axis.power_origin)
        solution = obeying(self.demands, best, held) if self.demands else best(held)
        return replace(
            _fit_of(summary, solution),
            rows=rows,
            absolute_sigma=self.absolute_sigma,
            choice=self.auto or BY_AICC,
            held_out=held_out,
        )


def check_determined(summary: Summary, rows: Rows | None = None, held: Constraints = NONE) -> None:
    """Raise NoRows, TooFewRows or TooFewDistinct where the rows do not determine the coefficients;
    some rows help to say why not.
    """
    _check_inhabited(summary)
    free = summary.degree + 1 - len(held)
    if summary.n < free:
        raise TooFewRows(summary.n, summary.degree)
    if held or summary.triangle.has_full_rank:
        return
    distinct = free
    if rows is not None and rows.counting == summary.n:
        distinct = count_distinct(rows_that_count(rows)[0])
    known = distinct if distinct < free else None
    alone = None if rows is None else stands_alone(rows, summary.domain, summary.axis)
    raise TooFewDistinct(summary.n, summary.degree, known, summary.triangle.lowest_idle, alone)


def _check_inhabited(summary: Summary) -> None:
    if not summary.n:
        raise NoRows("none is left without missing values and with a weight above 0")


def _fit_of(summary: Summary, solution: Solution) -> Fit:
    curve = Polynomial(CHEBYSHEV, summary.domain, solution.weights)
    return Fit(curve, summary, solution.rss, Outcome.EXACT, solution)


def _wanted_degree(degree: Any, largest: int | None) -> tuple[int, bool]:
    """(degree, False), or (the highest to look at, True) for "auto" and "auto:8"."""
    if not isinstance(degree, str):
        try:
            return checked_degree(degree, largest), False
        except BadDegree:
            raise BadDegree(degree, largest, auto=True) from None
    name, _, highest = degree.partition(":")
    most = DEGREES["auto"] if degree == "auto" else _whole(highest)
    if name != "auto" or most is None:
        raise BadDegree(degree, largest, auto=True)
    most = max(checked_degree(most), 1)
    return (most if largest is None else min(most, largest)), True


def _whole(text: str) -> int | None:
    """The whole number that decimal digits write; None for other text, and for thousands of
    digits, which Python does not read.
    """
    try:
        return int(text) if text.isdecimal() else None
    except ValueError:
        return None
