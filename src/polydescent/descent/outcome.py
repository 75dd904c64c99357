"""How a descent ended, and in words what that means and what to do about it."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np

from polydescent.arrays import to_host
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import History


class Outcome(Enum):
    """How a descent ended. `fit.advice` says what to do about it, with numbers.

    Attributes
    ----------
    EXACT
        Least squares, without a descent.
    GIVEN
        Coefficients from elsewhere: `Fit.from_polyfit`.
    CONVERGED
        The loss is within 1e-6 of the lowest, relative to it.
    STEPS_EXHAUSTED
        It is not, after all steps.
    DIVERGED
        The learning rate is above the largest stable one, or the loss overflowed.
    """

    EXACT = "exact least squares"
    GIVEN = "coefficients given"
    CONVERGED = "converged"
    STEPS_EXHAUSTED = "steps exhausted"
    DIVERGED = "diverged"

    @property
    def is_unfinished(self) -> bool:
        """Whether the weights are those of a descent that has not arrived."""
        return self in (Outcome.STEPS_EXHAUSTED, Outcome.DIVERGED)


_MANY = 1e5  # steps that hardly anybody wants to take
_NEAR = 1e-6  # relative: within it of the lowest loss nothing is left to wait for


def advice(outcome: Outcome, history: History | None, forecast: Forecast | None, basis: str) -> str:
    """One or two sentences for the user who just saw this outcome."""
    if outcome is Outcome.GIVEN:
        return "Coefficients from elsewhere: fit.excess says how far they are from exact."
    if history is None or forecast is None:
        return "Exact least squares: no weights reach a lower loss."
    if outcome is Outcome.CONVERGED:
        return f"Converged: after {history.steps:,} steps no weights reach a noticeably lower loss."
    if outcome is Outcome.DIVERGED:
        return _diverged(history, forecast)
    return _exhausted(history, forecast, basis) + cure(forecast, basis)


def cure(forecast: Forecast, basis: str) -> str:
    """What to do where the coordinates are so badly scaled that no learning rate helps; else
    nothing.
    """
    if not forecast.is_hopeless or basis != "power":
        return ""
    found = f"{forecast.condition:.2g}" if math.isfinite(forecast.condition) else "above 1e30"
    return (
        f" In powers of x the condition number of this loss is {found}, too large for any number "
        'of steps: use basis="chebyshev", which maps x to [−1, 1].'
    )


def _diverged(history: History, forecast: Forecast) -> str:
    rate, limit = forecast.optimizer.learning_rate, forecast.largest_stable_rate
    over = np.flatnonzero(~np.isfinite(to_host(history.loss)))
    when = f", the loss overflowed at step {over[0]:,}" if over.size else ""
    if forecast.is_stable:
        return (
            f"The loss overflowed at step {over[0]:,}: the numbers left the range of this dtype. "
            "Use float64 or scale x and y."
        )
    return (
        f"Diverged: learning rate {rate:.6g} is above the largest stable one, {limit:.6g}{when}. "
        f"The fastest stable one is {forecast.best_rate:.6g}."
    )


def _exhausted(history: History, forecast: Forecast, basis: str) -> str:
    taken = "1 step was" if history.steps == 1 else f"{history.steps:,} steps were"
    if forecast.batch and forecast.noise is not None:
        floor = forecast.noise_floor / forecast.lowest_loss if forecast.lowest_loss else math.inf
        return (
            f"{taken} not enough: at this rate, batches of {forecast.batch:,} rows end on average "
            f"{100 * floor:.3g} % above the lowest loss. A schedule that falls, a lower rate or "
            "larger batches come closer."
        )
    if not forecast.has_closed_form:
        return (
            f"{taken} not enough for {type(forecast.optimizer).__name__}: "
            f"{forecast.optimizer.hint}."
        )
    if forecast.held > _NEAR * forecast.lowest_loss:
        return (
            f"{taken} not enough, and no number is: directions in which this "
            f"loss has no curvature above rounding hold {forecast.held:.4g} above the lowest loss, "
            f"{forecast.lowest_loss:.4g}."
        )
    needed = forecast.steps_to(_NEAR)
    more = (
        f"{needed - history.steps:,} more come within 1e-6 of the lowest loss"
        if math.isfinite(needed) and needed > history.steps
        else "more come closer to the lowest loss"
    )
    found = f"{taken} not enough: {more}."
    if basis != "power" or forecast.is_hopeless or not _MANY < needed < math.inf:
        return found
    return (
        f"{found} They are so many because powers of x are nearly parallel here (condition number "
        f'{forecast.condition:.2g}): basis="chebyshev", which maps x to [−1, 1], needs far fewer.'
    )
