"""One step of a descent taken apart: every number that goes into it and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from polydescent.arrays import quiet
from polydescent.checks import whole
from polydescent.descent.contract import Optimizer, scaled
from polydescent.descent.loop import backward, curved, forward
from polydescent.errors import BadCall, NoDescent
from polydescent.regression.fit import Fit


@dataclass(frozen=True, eq=False)
class Trace:
    """The six steps of the lesson at one step, over the triangle, in float64.

    R, z, rss: the data, loss(w) = ‖R·w − z‖² + rss. weights, after: before and after the update,
    shape (k,). residual: R·w − z, shape (k,). gradient: 2·Rᵀ·residual, shape (k,). quotient: the
    same by central differences of the loss. state, state_after: what the optimizer remembers.
    """

    step: int
    optimizer: Optimizer
    R: np.ndarray
    z: np.ndarray
    rss: float
    weights: np.ndarray
    residual: np.ndarray
    loss: float
    gradient: np.ndarray
    quotient: np.ndarray
    state: Any
    after: np.ndarray
    state_after: Any

    @classmethod
    def of(cls, fit: Fit, step: int) -> Trace:
        """Walk again from the start of the descent to update `step`, counted from 0.

        Raises NoDescent, BadCall, BadSetting.
        """
        if fit.history is None or fit.forecast is None:
            raise NoDescent()
        step, scale = checked_step(step, fit.history.steps), fit.forecast.scale
        if fit.forecast.batch:
            raise BadCall("A step over a batch cannot be taken apart: its rows are not kept.")
        R, z, rss = fit.summary.triangle.penalized(fit.curve.basis, fit.forecast.ridge)
        optimizer, w = fit.forecast.optimizer, fit.forecast.start
        state = optimizer.start(w, partial(curved, R))
        with quiet():
            for t in range(step):
                pace = optimizer if scale is None else scaled(optimizer, float(scale[t]))
                w, state = pace.step(w, backward(R, forward(R, z, w)), state)
            if scale is not None:
                optimizer = scaled(optimizer, float(scale[step]))
            residual = forward(R, z, w)
            gradient = backward(R, residual)
            after, state_after = optimizer.step(w, gradient, state)
            loss = float(residual @ residual) + rss
            quotient = _quotient(R, z, rss, w, loss)
        return cls(
            step, optimizer, R, z, rss, w, residual, loss, gradient, quotient, state, after,
            state_after,
        )  # fmt: skip


def checked_step(step: object, steps: int, name: str = "step") -> int:
    """The step, if a descent of so many makes it. Raises BadSetting."""
    return whole(name, step, 0, steps - 1)


def _quotient(R: np.ndarray, z: np.ndarray, rss: float, w: np.ndarray, loss: float) -> np.ndarray:
    """(loss(w + h) − loss(w − h)) / 2h for each weight, exact for a quadratic but for rounding.

    So h need not be small: a step that about doubles the loss loses the fewest digits.
    """

    def at(weights: np.ndarray) -> float:
        residual = forward(R, z, weights)
        return float(residual @ residual) + rss

    curvature = (R * R).sum(axis=0)
    h = np.where((curvature > 0) & (loss > 0), np.sqrt(loss / np.where(curvature, curvature, 1)), 1)
    moves = np.diag(h)
    return np.array([(at(w + move) - at(w - move)) for move in moves]) / (2 * h)
