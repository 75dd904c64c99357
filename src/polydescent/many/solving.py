"""Weights and a status for every curve of a stack of triangles; none stops another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polydescent.errors import (
    NoRows,
    NotFinite,
    OutOfRange,
    PolydescentError,
    TooFewDistinct,
    TooFewRows,
)
from polydescent.least_squares.constraints import Constraints
from polydescent.least_squares.degrees import EXACT
from polydescent.least_squares.stacks import back_substituted, inverse
from polydescent.many.held import KnownOfEach, restrict_each
from polydescent.many.status import Status
from polydescent.rows.axis import Axis
from polydescent.triangle.triangle import SMALLEST, Triangle, determines


def solve_each(
    triangle: Triangle, fault: np.ndarray, known: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The Chebyshev weights of least squares, shape (…, k), NaN where there are none, and the
    status of each curve, shape (…,) int8.

    fault: (…,), the status of curves that went wrong while they were folded, 0 elsewhere. known:
    weights (…, k) and where they are known to be good (…,), from the kernel that folded them.
    """
    shape, k = triangle.shape, triangle.degree + 1
    status = np.zeros(shape, dtype=np.int8)
    weights = np.empty((*shape, k)) if known is None else known[0]
    open_ = np.ones(shape, dtype=bool) if known is None else ~known[1]
    status[triangle.n < k] = Status.TOO_FEW_ROWS
    status[triangle.n == 0] = Status.NO_ROWS
    status[fault != 0] = fault[fault != 0]
    open_ &= status == 0
    if open_.any():
        some = triangle.array[open_]
        largest = np.abs(some[..., -1]).max(axis=-1, initial=0.0)
        full = determines(some[:, :-1, :-1])
        with np.errstate(all="ignore"):  # of those that do not determine their weights
            found = back_substituted(some[:, :-1, :-1], some[:, :-1, -1])
        fine = np.isfinite(found).all(axis=-1) & ((largest >= SMALLEST) | (largest == 0))
        of_these = np.where(fine, Status.OK, Status.OUT_OF_RANGE)
        status[open_] = np.where(full, of_these, Status.TOO_FEW_DISTINCT)
        weights[open_] = found
    if status.any():
        weights[status != 0] = np.nan
    return weights, status


@dataclass(frozen=True, eq=False)
class Answers:
    """The least squares answer of every curve of a stack.

    weights: Chebyshev, (…, k), NaN without an answer. status: (…,) int8. rss: (…,). free: how many
    coefficients were fitted, one number or (…,). degrees: (…,), where each has its own; its weights
    above are 0. factor: (…, k, f), factor·factorᵀ the covariance of the weights in units of the
    residual variance; None where it is R⁻¹.
    """

    weights: np.ndarray
    status: np.ndarray
    rss: np.ndarray
    free: Any
    degrees: np.ndarray | None = None
    factor: np.ndarray | None = None

    def __getitem__(self, place: Any) -> Answers:
        """Some of them, by position."""

        def some(values: Any) -> Any:
            return values[place] if isinstance(values, np.ndarray) else values

        return Answers(**{name: some(value) for name, value in vars(self).items()})


def plain_answers(summaries: Any) -> Answers:
    """At the degree of the summaries."""
    weights, status = summaries.solved
    return Answers(weights, status, summaries.triangle.rss, summaries.degree + 1)


def held_answers(
    triangle: Triangle, fault: np.ndarray, known: KnownOfEach, held: Constraints, axis: Axis
) -> Answers:
    """Among the curves that obey what is known of them."""
    shape, k = triangle.shape, triangle.degree + 1
    free = k - len(held)
    status = np.zeros(shape, dtype=np.int8)
    status[triangle.n < free] = Status.TOO_FEW_ROWS
    status[triangle.n == 0] = Status.NO_ROWS
    status[fault != 0] = fault[fault != 0]
    weights = np.full((*shape, k), np.nan)
    factor, rss = np.full((*shape, k, free), np.nan), np.full(shape, np.nan)
    there = status == 0
    if there.any():
        places, values = known.places(held, shape, axis), known.values(held, shape)
        origin = axis.power_origin
        found = restrict_each(triangle[there], held, places[there], values[there], origin)
        finite = np.isfinite(found.weights).all(axis=-1)
        of_these = np.where(finite, Status.OK, Status.OUT_OF_RANGE)
        status[there] = np.where(found.full, of_these, Status.TOO_FEW_DISTINCT)
        weights[there], factor[there], rss[there] = found.weights, found.factor, found.rss
    bad = status != 0
    weights[bad], factor[bad], rss[bad] = np.nan, np.nan, np.nan
    return Answers(weights, status, rss, free, factor=factor)


def chosen_answers(
    triangle: Triangle, fault: np.ndarray, criterion: str, known_variance: bool
) -> Answers:
    """Of each curve at the degree, up to that of the triangle, that the criterion chooses: see
    `degree_table`.
    """
    k, n, shape = triangle.degree + 1, triangle.n, triangle.shape
    dropped = np.concatenate([triangle.z[..., 1:] ** 2, triangle.rss[..., None]], axis=-1)
    loss = np.cumsum(dropped[..., ::-1], axis=-1)[..., ::-1]
    degrees = np.arange(k)
    logs = triangle.log_weights
    values = criteria(criterion, loss, n, degrees + 1, logs, known_variance)
    possible = np.stack(
        [(n > d) & determines(triangle.R[..., : d + 1, : d + 1]) for d in degrees], axis=-1
    )
    possible[..., 0] = True
    highest = k - 1 - possible[..., ::-1].argmax(axis=-1)
    exact = (loss <= EXACT * triangle.square[..., None]) & (n[..., None] > degrees + 1)
    exact &= degrees <= highest[..., None]
    values = np.where((degrees <= highest[..., None]) & ~np.isnan(values), values, np.inf)
    chosen = np.where(exact.any(axis=-1), exact.argmax(axis=-1), values.argmin(axis=-1))
    weights, factor = np.full((*shape, k), np.nan), np.full((*shape, k, k), np.nan)
    status = np.zeros(shape, dtype=np.int8)
    for d in degrees.tolist():
        some = chosen == d
        if not some.any():
            continue
        found, came_out = solve_each(triangle[some].lower(d), fault[some])
        with np.errstate(all="ignore"):
            own = inverse(triangle.R[some][:, : d + 1, : d + 1])
        weights[some] = np.pad(found, [(0, 0), (0, k - d - 1)])
        factor[some] = np.pad(own, [(0, 0), (0, k - d - 1), (0, k - d - 1)])
        status[some] = came_out
    bad = status != 0
    weights[bad], factor[bad] = np.nan, np.nan
    rss = np.take_along_axis(loss, chosen[..., None], axis=-1)[..., 0]
    return Answers(weights, status, np.where(bad, np.nan, rss), chosen + 1, chosen, factor)


def criteria(
    name: str, loss: np.ndarray, n: Any, parameters: Any, logs: Any, known_variance: bool
) -> np.ndarray:
    """`Criteria` of many: loss (…, degrees), n and Σ ln ω (…,), parameters (degrees,)."""
    n, logs = np.asarray(n, dtype=float)[..., None], np.asarray(logs)[..., None]
    p = parameters + (not known_variance)
    with np.errstate(all="ignore"):
        if known_variance:
            deviance = loss + n * np.log(2 * np.pi) - logs
        else:
            variance = np.log(loss) - np.log(n)
            deviance = n * (np.log(2 * np.pi) + variance + 1) - logs
        if name == "bic":
            return deviance + p * np.log(n)
        if name == "aic":
            return deviance + 2 * p
        left = n - p - 1
        return np.where(left > 0, deviance + 2 * p + 2 * p * (p + 1) / left, np.inf)


def refusal(triangle: Triangle, status: int, omitted: int = 0) -> PolydescentError | None:
    """What `fit` would have raised for this one curve; None where it has an answer."""
    if status == Status.NO_ROWS:
        some = f" ({omitted:,} were omitted)" if omitted else ""
        return NoRows(f"none is left without missing values and with a weight above 0{some}")
    if status == Status.TOO_FEW_ROWS:
        return TooFewRows(int(triangle.n), triangle.degree)
    if status == Status.TOO_FEW_DISTINCT:
        return TooFewDistinct(int(triangle.n), triangle.degree, idle=triangle.lowest_idle)
    if status == Status.NOT_FINITE:
        return NotFinite("This curve", max(omitted, 1), int(triangle.n) + omitted, 0, float("nan"))
    if status == Status.OUT_OF_RANGE:
        small = np.isfinite(triangle.array).all() and np.abs(triangle.array[:, -1]).max() < 1
        change = "Multiply y" if small else "Divide x or y"
        advice = f"{change} by a constant first."
        return OutOfRange("The sum of squares of y, or the width of x,", advice)
    return None
