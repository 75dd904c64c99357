"""Gradient descent to the curve of a summary: its settings, what they foretell, the walk."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polydescent.arrays import Array, in_double, namespace, to_host
from polydescent.checks import number, one_of, whole
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import walk
from polydescent.descent.optimizers import GradientDescent, Optimizer, checked_optimizer
from polydescent.descent.outcome import Outcome, cure
from polydescent.errors import BadSetting, ConvergenceWarning, RateTooLarge, amount
from polydescent.least_squares.solution import solve
from polydescent.memory import check_memory
from polydescent.polynomial.basis import POWER, Basis, basis_named, design_matrix
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.fit import Fit
from polydescent.regression.progress import Stepping
from polydescent.regression.summary import Summary
from polydescent.rows.rows import Rows

OVER = ("summary", "rows")
_ARRIVED = 1e-6  # relative excess loss at which a descent counts as converged
# share of Σ y² that is arrival too: noise-free data have a lowest loss of about 0
_ROUNDING = 1e-20
_BYTES_A_STEP = 16  # its loss, above the lowest and in all


@dataclass(frozen=True)
class Descent:
    """How to descend: the settings of `polydescent.descend`, checked as far as they can be before
    the rows are read. `parse` makes one of what a user passed.
    """

    basis: Basis = POWER
    optimizer: Optimizer = field(default=GradientDescent())
    start: str | Sequence[float] | Array = "random"
    seed: int = 0
    steps: int = 2000
    tolerance: float | None = None
    allow_divergence: bool = False
    progress: bool = False
    over: str = "summary"

    @classmethod
    def parse(
        cls,
        *,
        basis: str | Basis = POWER,
        optimizer: str | Optimizer | None = None,
        learning_rate: float | None = None,
        momentum: float | None = None,
        steps: int = 2000,
        tolerance: float | None = None,
        over: str = "summary",
        **others: Any,
    ) -> Descent:
        """The settings as a user passes them. Raises UnknownName, BadSetting, SetTwice, TooLarge.

        **others: of the fields that take what is passed.
        """
        return cls(
            basis=basis_named(basis),
            optimizer=checked_optimizer(optimizer, learning_rate, momentum),
            steps=check_steps(steps),
            tolerance=_checked_tolerance(tolerance),
            over=one_of("over", over, OVER),
            **others,
        )

    def forecast(self, summary: Summary) -> Forecast:
        """What `run` will do, without doing it. Raises TooFewDistinct, BadSetting."""
        summary.triangle.solve()  # refuses rows that do not determine the weights
        w = starting_weights(self.start, summary.degree + 1, self.seed)
        return Forecast.of(*summary.triangle.least_squares(self.basis), self.optimizer, w)

    def run(
        self, summary: Summary, rows: Rows | None = None, *, absolute_sigma: bool = False
    ) -> Fit:
        """The fit that this descent reaches, over the summary or over all of its rows.

        Raises RateTooLarge before step 1, and as `forecast`.
        """
        forecast = self.forecast(summary)
        if not forecast.is_stable and not self.allow_divergence:
            raise RateTooLarge(
                forecast.optimizer.learning_rate or math.nan,
                forecast.largest_stable_rate,
                forecast.best_rate,
                cure(forecast, self.basis.name),
            )
        w = forecast.start
        if self.over == "rows" and rows is not None:
            (A, b), rest, w = _rows_in(self.basis, rows, summary), 0.0, rows.kind.put(w)
        else:
            A, b, rest = summary.triangle.least_squares(self.basis)
        target = None if self.tolerance is None else forecast.lowest_loss * (1 + self.tolerance)
        with Stepping(self.steps, summary.rss, quiet=not self.progress) as line:
            history = walk(A, b, rest, w, forecast.optimizer, self.steps, target, line.watch)
        curve = Polynomial(self.basis, summary.domain, to_host(history.weights[-1, ...]))
        loss = float(history.loss[-1])
        outcome = _outcome(loss, summary, forecast)
        best = solve(summary.triangle, origin=summary.axis.power_origin)
        run = Fit(
            curve,
            summary,
            loss,
            outcome,
            best,
            rows,
            absolute_sigma,
            history=history,
            forecast=forecast,
        )
        if run.is_far and (forecast.is_stable or not self.allow_divergence):
            highest = 1 - summary.rss / summary.tss if summary.tss else math.nan
            _warn(ConvergenceWarning(loss, run.lowest_loss, run.r2, highest, run.advice))
        return run


def _warn(warning: Warning) -> None:
    """Point at the line of the user's that called into this package."""
    frame, level = sys._getframe(1), 3
    while (frame := frame.f_back) is not None:
        if not frame.f_globals.get("__name__", "").startswith("polydescent."):
            break
        level += 1
    warnings.warn(warning, stacklevel=level)


def starting_weights(start: str | Sequence[float] | Array, k: int, seed: int) -> np.ndarray:
    """k starting weights as float64. Raises BadSetting."""
    if isinstance(start, str):
        if start == "random":
            return np.random.default_rng(whole("seed", seed)).standard_normal(k)
        if start == "zeros":
            return np.zeros(k)
        raise BadSetting("start", start, f'"random", "zeros" or {k} numbers')
    try:
        w = to_host(start)
    except (TypeError, ValueError, OverflowError):
        w = np.array([math.nan])
    if w.shape != (k,) or not np.isfinite(w).all():
        raise BadSetting("start", start, f'"random", "zeros" or {k} finite numbers')
    return w


def check_steps(steps: object) -> int:
    """The number of updates, if it is one whose history memory holds.

    Raises BadSetting, TooLarge.
    """
    steps = whole("steps", steps, 1)
    needed = _BYTES_A_STEP * (steps + 1)
    check_memory(
        f"Keeping the loss of each of {amount(steps)} steps",
        needed,
        "Take fewer: steps= of some millions show all there is to see, and forecast.loss_at(step) "
        "tells the loss at any step without walking there.",
    )
    return steps


def _checked_tolerance(tolerance: float | None) -> float | None:
    if tolerance is None:
        return None
    wanted = "above 0: the excess loss to stop at, 0.01 for 1 %"
    share = number("tolerance", tolerance, wanted)
    if not share > 0:
        raise BadSetting("tolerance", tolerance, wanted)
    return share


def _rows_in(basis: Basis, rows: Rows, summary: Summary) -> tuple[Array, Array]:
    """The design matrix and y in the rows' own dtype, scaled by √weights."""
    v = summary.domain.to_unit(in_double(rows.x)) if basis.on_unit else rows.x
    xp = namespace(rows.x)
    dtype = xp.result_type(rows.x, rows.y)
    A = design_matrix(basis, xp.astype(v, dtype, copy=False), summary.degree)
    b = xp.astype(rows.y, dtype, copy=False)
    if rows.omega is None:
        return A, b
    scale = xp.astype(xp.sqrt(rows.omega), dtype, copy=False)
    return A * scale[:, None], b * scale


def _outcome(loss: float, summary: Summary, forecast: Forecast) -> Outcome:
    """Divergence is a rate above the limit, not an overflow, which can take 10⁵ steps."""
    if not math.isfinite(loss) or not forecast.is_stable:
        return Outcome.DIVERGED
    near = loss <= summary.rss * (1 + _ARRIVED) + _ROUNDING * summary.triangle.square
    return Outcome.CONVERGED if near else Outcome.STEPS_EXHAUSTED
