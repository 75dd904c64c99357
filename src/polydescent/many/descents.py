"""Gradient descent on many curves at once: each with its own rate, forecast and outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polydescent.arrays import is_array, to_host
from polydescent.checks import one_of
from polydescent.descent.adaptive import Adam
from polydescent.descent.contract import Optimizer, change_settings
from polydescent.descent.forecast import Forecast
from polydescent.errors import BadSetting, RateTooLargeForCurves
from polydescent.many.solving import Answers, plain_answers
from polydescent.many.status import Status
from polydescent.many.summaries import Summaries
from polydescent.polynomial.basis import CHEBYSHEV, Basis, change_of_basis
from polydescent.regression.training import ARRIVED, ROUNDING, Descent, starting_weights

KEPT = 100  # steps whose losses are kept: those of all steps of a million curves would fill a disk
METHODS = ("auto", "walk", "closed form")
_CURVES = 1 << 11  # walked at once: their triangles stay in cache
_WORTH = 250  # steps from which the closed form is faster than walking


@dataclass(frozen=True, eq=False)
class Histories:
    """The losses of many descents at some of their steps.

    Attributes
    ----------
    kept
        Shape (len(kept),), step numbers, at most 100, first and last among them.
    loss
        Shape (len(kept), …), before that step, in units of y²; of a curve that has stopped, its
        last.
    steps
        Shape (…,), how many updates each curve made.
    """

    kept: np.ndarray
    loss: np.ndarray
    steps: np.ndarray

    def __repr__(self) -> str:
        return f"<Histories of {self.loss[0].size:,} curves at {len(self.kept)} steps>"

    def some(self, place: Any) -> Histories:
        """Those of some curves, by position."""
        at = place if isinstance(place, tuple) else (place,)
        return Histories(self.kept, self.loss[(slice(None), *at)], self.steps[place])


@dataclass(frozen=True, eq=False)
class Run:
    """What a descent of many curves leaves behind besides its answers: its settings, what was
    foretold, and the losses on the way; loss: (…,), where it ended.
    """

    descent: Descent
    forecast: Forecast
    history: Histories
    loss: np.ndarray

    def __getitem__(self, place: Any) -> Run:
        """Some of it, by position."""
        history = self.history.some(place)
        return Run(self.descent, self.forecast[place], history, self.loss[place])


def parsed(shape: tuple[int, ...], **settings: Any) -> tuple[Descent, str]:
    """The settings of `descend_many`, those of each curve as arrays of shape (…, 1). Raises as
    `Descent.parse`.
    """
    method = one_of("method", settings.pop("method", "auto"), METHODS)
    for name in ("learning_rate", "momentum"):
        settings[name] = _of_each(name, settings.get(name), shape)
    given = settings.get("optimizer")
    if isinstance(given, Optimizer):
        name = "learning_rate"
        settings["optimizer"] = change_settings(given, lambda v: _of_each(name, v, shape))
    start = settings.pop("start", "random")
    descent = replace(Descent.parse(**settings), start=start)
    if method == "closed form" and isinstance(descent.optimizer, Adam):
        raise BadSetting("method", method, 'another: Adam has no closed form, pass "walk"')
    if method == "closed form" and descent.tolerance is not None:
        raise BadSetting("method", method, '"walk" where tolerance= stops the descent')
    if method == "auto":
        free = descent.tolerance is None and not isinstance(descent.optimizer, Adam)
        method = "closed form" if free and descent.steps > _WORTH else "walk"
    return descent, method


def _of_each(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    if value is None or not (is_array(value) or np.ndim(value)):
        return value
    host = to_host(value) if is_array(value) else np.asarray(value, dtype=np.float64)
    if host.shape != shape:
        wanted = f"a number, or an array of the shape of the curves, {shape}"
        raise BadSetting(name, f"shape {host.shape}", wanted)
    return host[..., None]


def foretold(summaries: Summaries, descent: Descent) -> tuple[Forecast, Answers]:
    """The forecast of every curve, and what least squares gives: curves that cannot descend stand
    still in it, and their status says why. Raises BadSetting.
    """
    answers = plain_answers(summaries)
    R, z, fine = _system(summaries, descent.basis)
    status = np.where((answers.status == 0) & ~fine, Status.OUT_OF_RANGE, answers.status)
    there = status == 0
    R, z = np.where(there[..., None, None], R, 0.0), np.where(there[..., None], z, 0.0)
    start = _starts(descent, summaries)
    rss = np.where(there, summaries.triangle.rss, np.nan)
    forecast = Forecast.of(R, z, rss, descent.optimizer, start)
    weights = np.where(there[..., None], answers.weights, np.nan)
    return forecast, replace(answers, status=status.astype(np.int8), weights=weights)


def _system(summaries: Summaries, basis: Basis) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R and z in the coordinates of the basis, and of which curves they are doubles."""
    triangle = summaries.triangle
    R = triangle.R
    with np.errstate(all="ignore"):
        if basis is not CHEBYSHEV:
            scale, shift = _variable(basis, summaries)
            R = R @ change_of_basis(basis, CHEBYSHEV, triangle.degree, scale, shift)
        return R, triangle.z, np.asarray(np.isfinite(R).all(axis=(-1, -2)))


def _variable(basis: Basis, summaries: Summaries) -> tuple[Any, Any]:
    with np.errstate(all="ignore"):
        scale, shift = basis.variable(summaries.triangle.domain)
    return np.broadcast_to(scale, summaries.shape), np.broadcast_to(shift, summaries.shape)


def _starts(descent: Descent, summaries: Summaries) -> np.ndarray:
    """The weights to start from, shape (…, k): the same of all curves, or of each."""
    k, start = summaries.degree + 1, descent.start
    if not isinstance(start, str) and (is_array(start) or np.ndim(start) > 1):
        host = to_host(start) if is_array(start) else np.asarray(start, dtype=np.float64)
        if host.shape == (*summaries.shape, k):
            if not np.isfinite(host).all():
                raise BadSetting("start", start, "finite numbers")
            return host
    w = starting_weights(start, k, descent.seed)
    return np.broadcast_to(w, (*summaries.shape, k))


def descended(summaries: Summaries, descent: Descent, method: str) -> tuple[Answers, Run]:
    """Where the descent of every curve ends. Raises RateTooLargeForCurves, BadSetting."""
    forecast, answers = foretold(summaries, descent)
    unstable = ~np.asarray(forecast.is_stable) & (answers.status == 0)
    if unstable.any() and not descent.allow_divergence:
        raise _too_large(forecast, unstable)
    kept = np.unique(np.linspace(0, descent.steps, KEPT).astype(np.int64))
    if method == "closed form":
        weights, loss = _foretold_ends(forecast, descent.steps, kept)
        steps = np.full(summaries.shape, descent.steps)
    else:
        weights, loss, steps = _walked(summaries, descent, forecast, kept)
    status = _outcomes(summaries, answers.status, forecast, loss[-1])
    there = np.isin(status, (Status.CONVERGED, Status.STEPS_EXHAUSTED, Status.DIVERGED))
    with np.errstate(all="ignore"):
        if descent.basis is not CHEBYSHEV:
            scale, shift = _variable(descent.basis, summaries)
            C = change_of_basis(descent.basis, CHEBYSHEV, summaries.degree, scale, shift)
            weights = (C @ weights[..., None])[..., 0]
    weights = np.where(there[..., None], weights, np.nan)
    loss = np.where(there, loss, np.nan)
    run = Run(descent, forecast, Histories(kept, loss, steps), loss[-1])
    return replace(answers, weights=weights, status=status), run


def _foretold_ends(
    forecast: Forecast, steps: int, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (…, k) after the last step and losses (len(kept), …), in closed form."""
    shape, k = forecast.shape, forecast.curvature.shape[-1]
    m = math.prod(shape)

    def flat(setting: Any) -> np.ndarray:
        return np.broadcast_to(setting, (*shape, 1)).reshape(m, 1)

    whole = Forecast(
        change_settings(forecast.optimizer, flat),
        forecast.curvature.reshape(m, k),
        forecast.directions.reshape(m, k, k),
        forecast.amplitude.reshape(m, k),
        np.asarray(forecast.start).reshape(m, k),
        np.asarray(forecast.rss, dtype=float).reshape(m),
    )
    weights, loss = np.empty((m, k)), np.empty((len(kept), m))
    for first in range(0, m, _CURVES):
        some = slice(first, first + _CURVES)
        weights[some] = whole[some].weights_at(steps)
        loss[:, some] = whole[some].loss_at(kept)
    return weights.reshape(*shape, k), loss.reshape(-1, *shape)


def _too_large(forecast: Forecast, unstable: np.ndarray) -> RateTooLargeForCurves:
    limit = np.where(unstable, forecast.largest_stable_rate, np.inf)
    place = np.unravel_index(int(limit.argmin()), limit.shape) if limit.ndim else ()
    rates: Any = forecast.optimizer.learning_rate
    rate = np.broadcast_to(rates, (*limit.shape, 1))[(*place, 0)]
    fastest = np.asarray(forecast.best_rate)[place]
    return RateTooLargeForCurves(
        float(rate),
        float(limit[place]),
        float(fastest),
        int(unstable.sum()),
        unstable.size,
        tuple(int(i) for i in place),
    )


def _walked(
    summaries: Summaries, descent: Descent, forecast: Forecast, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (…, k) after the last step, losses (len(kept), …), and steps made (…,)."""
    R, z, _ = _system(summaries, descent.basis)
    k, shape = z.shape[-1], summaries.shape
    still = (forecast.curvature == 0).all(axis=-1)
    R = np.where(still[..., None, None], 0.0, R).reshape(-1, k, k)
    z = np.where(still[..., None], 0.0, z).reshape(-1, k)
    rest = np.asarray(forecast.rss, dtype=float).reshape(-1)
    start = np.asarray(forecast.start).reshape(-1, k)
    weights, steps = np.empty_like(start), np.empty(len(rest), dtype=np.int64)
    loss = np.empty((len(kept), len(rest)))
    for first in range(0, len(rest), _CURVES):
        some = slice(first, first + _CURVES)

        def own(setting: Any, some: slice = some) -> Any:
            flat = np.broadcast_to(setting, (*shape, 1)).reshape(1, -1)
            return flat[:, some]

        optimizer = change_settings(forecast.optimizer, own)
        target = None if descent.tolerance is None else rest[some] * (1 + descent.tolerance)
        columns = R[some].transpose(1, 2, 0).copy(), z[some].T.copy(), start[some].T.copy()
        found = _walk_block(*columns, rest[some], optimizer, descent.steps, kept, target)
        weights[some], loss[:, some], steps[some] = found[0].T, found[1], found[2]
    return weights.reshape(*shape, k), loss.reshape(-1, *shape), steps.reshape(shape)


def _walk_block(
    R: np.ndarray,
    z: np.ndarray,
    w: np.ndarray,
    rest: np.ndarray,
    optimizer: Optimizer,
    steps: int,
    kept: np.ndarray,
    target: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `descent.loop.walk`, the curves along the last axis: R (k, k, b), z and w (k, b). A curve
    that has reached its target stays there.
    """
    k = len(z)
    state, moving = optimizer.start(w), np.ones(len(rest), dtype=bool)
    made, loss, place = np.zeros(len(rest), dtype=np.int64), np.empty((len(kept), len(rest))), 0
    with np.errstate(all="ignore"):
        for t in range(steps + 1):
            residual = [
                sum(R[i, j] * w[j] for j in range(i + 1, k)) + R[i, i] * w[i] - z[i]
                for i in range(k)
            ]
            asked = place < len(kept) and t == kept[place]
            if asked or target is not None:
                now = sum(r * r for r in residual) + rest
                if asked:
                    loss[place] = now
                    place += 1
                if target is not None:
                    moving &= ~(now <= target)
                    if not moving.any():
                        loss[place:] = now
                        break
            if t == steps:
                break
            gradient = np.stack(
                [2 * sum(R[i, j] * residual[i] for i in range(j + 1)) for j in range(k)]
            )
            after, state = optimizer.step(w, gradient, state)
            w = after if target is None else np.where(moving, after, w)
            made += moving
    return w, loss, made


def _outcomes(
    summaries: Summaries, status: np.ndarray, forecast: Forecast, loss: np.ndarray
) -> np.ndarray:
    """As `training` says of one descent."""
    triangle = summaries.triangle
    with np.errstate(invalid="ignore"):
        near = loss <= triangle.rss * (1 + ARRIVED) + ROUNDING * triangle.square
        diverged = ~np.isfinite(loss) | ~np.asarray(forecast.is_stable)
    ended = np.where(near, Status.CONVERGED, Status.STEPS_EXHAUSTED)
    ended = np.where(diverged, Status.DIVERGED, ended)
    return np.where(status == 0, ended, status).astype(np.int8)


def is_far(loss: np.ndarray, summaries: Summaries) -> np.ndarray:
    """As `Fit.is_far`, of each curve whose descent has not arrived, shape (…,)."""
    triangle = summaries.triangle
    lowest, squares = triangle.rss, triangle.square
    scale = triangle.tss - lowest if summaries.degree else lowest
    scale = np.where(scale <= 1e-20 * squares, squares, scale)
    with np.errstate(invalid="ignore"):
        return ~(loss - lowest <= 0.01 * scale) & ~np.isnan(lowest) | (loss == math.inf)
