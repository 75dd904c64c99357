"""Rows judged by their residuals: the curve of another loss, or errors where noise is uneven."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from polydescent.errors import BadCall
from polydescent.least_squares import sandwich
from polydescent.least_squares.sandwich import EQUAL, HAC, Variance
from polydescent.least_squares.solution import Solution, from_triangle
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.fit import Fit
from polydescent.robust import quantiles, reweighted
from polydescent.robust.judgment import Judgment
from polydescent.robust.losses import AnyLoss, Quantile
from polydescent.robust.passes import Reader, Sample


def judged(fit: Fit, reader: Reader, loss: AnyLoss | None, variance: Variance) -> Fit:
    """The fit again, of plain least squares, with another loss or other errors.

    Raises ScaleVanishes, TooFewTrusted, RowsChanged, LeverageOne, OutOfOrder, BadSetting, BadCall.
    """
    if loss is not None:
        return _with_loss(fit, reader, loss)
    if variance != EQUAL:
        return replace(fit, judgment=_uneven(fit, reader, variance))
    return fit


# ── another loss ──


def _with_loss(fit: Fit, reader: Reader, loss: AnyLoss) -> Fit:
    base, plain = fit.summary.triangle, fit.least_squares
    held, origin, degree = plain.constraints, plain.origin, fit.summary.degree
    limit = reweighted.SAMPLE
    if isinstance(loss, Quantile):
        limit = quantiles.sample_size(base.n, degree)
    sample = Sample.of(fit.rows, limit, base.n) if fit.rows else reader.sample(limit, base.n)
    if isinstance(loss, Quantile):
        tilted = quantiles.settle(reader, base, loss, sample, held, origin)
        solution = from_triangle(tilted.triangle, held, origin)
        judgment = Judgment(_mix(solution, tilted.root), loss, passes=tilted.passes)
        return _fit_of(fit, solution, judgment, tilted.triangle)
    start, known = plain.weights, 1.0 if fit.absolute_sigma else None
    if not loss.is_convex:
        few = Sample.of(sample.rows, reweighted.TRIAL, base.n)
        starts = quantiles.starts(few, base, held, origin)
        start = reweighted.best_start(few, base, loss, starts, held, origin, known)
    settled = reweighted.settle(reader, base, loss, sample, start, held, origin, known)
    solution = from_triangle(settled.triangle, held, origin)
    mix = _mix(solution, settled.spread * plain.factor)
    judgment = Judgment(mix, loss, EQUAL, settled.scale, settled.discounted, settled.passes)
    return _fit_of(fit, solution, judgment, settled.triangle)


def _mix(solution: Solution, root: np.ndarray) -> np.ndarray:
    """What the factor is multiplied by to give a root of the covariance in the same directions."""
    if not np.isfinite(root).all():
        return np.full((solution.factor.shape[1], 1), math.nan)
    return np.linalg.lstsq(solution.factor, root, rcond=None)[0]


def _fit_of(fit: Fit, solution: Solution, judgment: Judgment, triangle: object) -> Fit:
    return replace(
        fit,
        curve=Polynomial(CHEBYSHEV, fit.summary.domain, solution.weights),
        summary=replace(fit.summary, triangle=triangle, moments=None),
        loss=solution.rss,
        least_squares=solution,
        judgment=judgment,
    )


# ── other errors ──


def _uneven(fit: Fit, reader: Reader, variance: Variance) -> Judgment:
    solution, n = fit.least_squares, fit.n
    if fit.degrees_of_freedom < 1:
        nothing = np.full((solution.factor.shape[1], 1), math.nan)
        return Judgment(nothing, variance=variance)
    if isinstance(variance, HAC):
        if reader.source.remote:
            raise BadCall(
                'variance="HAC" takes rows in order, one after the other, and those of a cluster '
                'come in blocks: gather them, x.compute() and y.compute(), or use "HC3".'
            )
        variance = variance.at(n)
        frame = sandwich.Frame.of(solution)
        meat = sandwich.meat_in_order(reader.in_order(), frame, variance.lags or 0)
    else:
        frame = sandwich.Frame.of(solution, sandwich.POWERS[variance])
        meat = reader.each(partial(sandwich.meat, frame=frame))
    mix = frame.unit * (solution.factor.T @ meat.root.T)
    if variance == "HC1":
        mix *= math.sqrt(n / fit.degrees_of_freedom)
    return Judgment(mix, variance=variance)
