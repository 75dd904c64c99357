"""Gradient descent to the curve of a summary: its settings, what they foretell, the walk."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from polydescent.arrays import Array, quiet, sum_squares, to_host
from polydescent.checks import number, one_of, whole
from polydescent.descent.batches import DRAWS, walk_batches
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import History, walk
from polydescent.descent.moments import Moments
from polydescent.descent.noise import Noise
from polydescent.descent.optimizers import GradientDescent, Optimizer, checked_optimizer
from polydescent.descent.outcome import Outcome, cure
from polydescent.errors import (
    BadCall,
    BadSetting,
    ConvergenceWarning,
    NoRowsToDraw,
    RateTooLarge,
    amount,
)
from polydescent.least_squares.solution import solve
from polydescent.memory import check_memory
from polydescent.polynomial.basis import (
    CHEBYSHEV,
    POWER,
    Basis,
    basis_named,
    change_of_basis,
)
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.fit import Fit
from polydescent.regression.matrices import (
    counted_apart,
    counts_of,
    matrix_of,
    moments_of,
    with_penalty,
)
from polydescent.regression.progress import Stepping
from polydescent.regression.summary import Summary
from polydescent.rows.rows import Rows

OVER = ("summary", "rows")
ARRIVED = 1e-6  # relative excess loss at which a descent counts as converged
# share of Σ y² that is arrival too: noise-free data have a lowest loss of about 0
ROUNDING = 1e-20
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
    batch: int = 0
    draw: str = "replacement"
    schedule: np.ndarray | None = None
    validation: Summary | None = None
    ridge: float = 0.0

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
        batch: int | None = None,
        draw: str = "replacement",
        schedule: Callable[[int], float] | Sequence[float] | Array | None = None,
        validation: Summary | None = None,
        ridge: float = 0.0,
        **others: Any,
    ) -> Descent:
        """The settings as a user passes them. Raises UnknownName, BadSetting, SetTwice, TooLarge.

        **others: of the fields that take what is passed.
        """
        steps = checked_steps(steps)
        found = cls(
            basis=basis_named(basis),
            optimizer=checked_optimizer(optimizer, learning_rate, momentum),
            steps=steps,
            tolerance=_checked_tolerance(tolerance),
            over=one_of("over", over, OVER),
            batch=0 if batch is None else whole("batch", batch, 1),
            draw=one_of("draw", draw, DRAWS),
            schedule=None if schedule is None else _scheduled(schedule, steps),
            validation=validation,
            ridge=_checked_ridge(ridge),
            **others,
        )
        found._check_together()
        return found

    @property
    def is_plain(self) -> bool:
        """Whether each step is the optimizer's own, over all rows and without a penalty."""
        others = self.schedule is not None or self.validation is not None
        return not (others or self.ridge or self.batch)

    def _check_together(self) -> None:
        """Raise BadCall, BadSetting for settings that do not go together."""
        if self.validation is not None and not isinstance(self.validation, Summary):
            wanted = "a Summary of rows put aside: summarize(…)"
            raise BadSetting("validation", self.validation, wanted)
        if not self.batch:
            if self.draw != DRAWS[0]:
                raise BadCall("draw= says how the rows of a batch= are drawn: pass that too.")
            return
        name = type(self.optimizer).__name__
        if not self.optimizer.takes_batches:
            raise BadCall(f"{name} reads its rate off all rows: leave out batch=, or use another.")
        if self.ridge:
            raise BadCall("ridge= goes with all rows: leave out batch=.")

    def forecast(self, summary: Summary) -> Forecast:
        """What `run` will do, without doing it. Raises TooFewDistinct, BadSetting."""
        best = summary.triangle.solve()  # refuses rows that do not determine the weights
        moments = None if not self.batch else summary.moments
        if self.batch and moments is None:
            raise NoRowsToDraw()
        system = summary.triangle.penalized(self.basis, self.ridge)
        return self._foretold(summary, system, None if moments is None else moments.about(best))

    def _foretold(
        self, summary: Summary, system: tuple[np.ndarray, np.ndarray, Any], moments: Moments | None
    ) -> Forecast:
        """The forecast of a loss; moments: about the best curve, where rows are drawn."""
        w = starting_weights(self.start, summary.degree + 1, self.seed)
        R, z, rss = system
        found = Forecast.of(R, z, rss, self.optimizer, w)
        optimizer, noise = found.optimizer, None
        if moments is not None and type(optimizer) is GradientDescent:
            directions = R @ found.directions[:, found.moving]
            noise = Noise.of(moments, summary.triangle.R, directions, self.batch)
            if self.optimizer.learning_rate is None:
                optimizer = GradientDescent(noise.limit / 2)
        return found if self.is_plain else replace(
            found, optimizer=optimizer, scale=self.schedule, ridge=self.ridge, batch=self.batch,
            noise=noise,
        )  # fmt: skip

    def run(
        self, summary: Summary, rows: Rows | None = None, *, absolute_sigma: bool = False
    ) -> Fit:
        """The fit that this descent reaches, over the summary or over all of its rows.

        Raises RateTooLarge before step 1, and as `forecast`.
        """
        best = solve(summary.triangle, origin=summary.axis.power_origin)
        A, b, rest = system = summary.triangle.penalized(self.basis, self.ridge)
        moments = self._moments(summary, rows, best.weights)
        forecast = self._foretold(summary, system, moments)
        if not forecast.is_stable and not self.allow_divergence:
            raise RateTooLarge(
                forecast.optimizer.learning_rate or math.nan,
                forecast.largest_stable_rate,
                forecast.best_rate,
                cure(forecast, self.basis.name),
            )
        w = forecast.start
        if self.over == "rows" and rows is not None:
            (A, b), rest, w = matrix_of(self.basis, rows, summary), 0.0, rows.kind.put(w)
            if self.batch:
                A, b = counted_apart(A, b, rows)
            elif self.ridge:
                A, b = with_penalty(A, b, self.ridge)
        target = None if self.tolerance is None else forecast.lowest_loss * (1 + self.tolerance)
        with Stepping(self.steps, forecast.lowest_loss, quiet=not self.progress) as line:
            given = w, forecast.optimizer, self.steps
            watched = {"target": target, "watch": line.watch, "scale": self.schedule}
            if self.batch:
                assert rows is not None
                drawn = (self.batch, self.draw, whole("seed", self.seed))
                history = walk_batches(A, b, counts_of(rows), system, *given, *drawn, **watched)
            else:
                history = walk(A, b, rest, *given, **watched)
        if self.validation is not None:
            history = replace(history, validation=_aside(self.validation, summary, self, history))
        curve = Polynomial(self.basis, summary.domain, to_host(history.weights[-1, ...]))
        loss = float(history.loss[-1])
        outcome = _outcome(loss, summary, forecast)
        if self.ridge:
            loss = float(_losses(summary.triangle.least_squares(self.basis), curve.weights))
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
        if run.is_far and not self.ridge and (forecast.is_stable or not self.allow_divergence):
            highest = 1 - summary.rss / summary.tss if summary.tss else math.nan
            _warn(ConvergenceWarning(loss, run.lowest_loss, run.r2, highest, run.advice))
        return run

    def _moments(self, summary: Summary, rows: Rows | None, best: np.ndarray) -> Moments | None:
        """Those of the rows about the best curve, where batches of them are drawn.

        Raises BadCall, NoRowsToDraw.
        """
        if not self.batch:
            return None
        if rows is None or rows.counting != summary.n:
            raise NoRowsToDraw()
        if self.over != "rows":
            raise BadCall('batch= is of rows: pass over="rows" too.')
        return moments_of(rows, summary.triangle, best)


def _aside(validation: Summary, summary: Summary, descent: Descent, history: History) -> np.ndarray:
    """The loss of rows put aside, at the steps kept."""
    there = validation.on(summary.axis).lower(summary.degree).triangle
    R, basis = there.R, descent.basis
    if basis.on_unit:
        placed = there.domain.widening(summary.domain)
        system = R @ change_of_basis(basis, CHEBYSHEV, summary.degree, *placed), there.z, there.rss
    else:
        system = there.least_squares(basis)
    with quiet():
        return _losses(system, to_host(history.weights))


def _losses(system: tuple[np.ndarray, np.ndarray, Any], weights: np.ndarray) -> np.ndarray:
    """‖R·w − z‖² + rss of weights of shape (…, k)."""
    R, z, rss = system
    return sum_squares(weights @ R.T - z) + rss


def _scheduled(schedule: Any, steps: int) -> np.ndarray:
    """What the learning rate is multiplied with at each step. Raises BadSetting."""
    wanted = f"a function of the step, or {steps:,} numbers, each finite and 0 or more"
    try:
        given = [schedule(t) for t in range(steps)] if callable(schedule) else schedule
        scale = np.array(to_host(given), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise BadSetting("schedule", schedule, wanted) from None
    if scale.shape != (steps,) or not ((scale >= 0) & np.isfinite(scale)).all() or not scale.any():
        raise BadSetting("schedule", schedule, wanted)
    return scale


def _checked_ridge(ridge: float) -> float:
    wanted = "0 or more, in units of y² per unit of weight²"
    found = number("ridge", ridge, wanted)
    if not 0 <= found < math.inf:
        raise BadSetting("ridge", ridge, wanted)
    return found


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


def checked_steps(steps: object) -> int:
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


def _outcome(loss: float, summary: Summary, forecast: Forecast) -> Outcome:
    """Divergence is a rate above the limit, not an overflow, which can take 10⁵ steps."""
    if not math.isfinite(loss) or not forecast.is_stable:
        return Outcome.DIVERGED
    near = loss <= forecast.lowest_loss * (1 + ARRIVED) + ROUNDING * summary.triangle.square
    return Outcome.CONVERGED if near else Outcome.STEPS_EXHAUSTED
