"""Weights and a status for every curve of a stack of triangles; none stops another."""

from __future__ import annotations

import numpy as np

from polydescent.errors import (
    NoRows,
    NotFinite,
    OutOfRange,
    PolydescentError,
    TooFewDistinct,
    TooFewRows,
)
from polydescent.least_squares.stacks import back_substituted
from polydescent.many.status import Status
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
    largest = np.abs(triangle.array[..., -1]).max(axis=-1, initial=0.0)
    status[(status == 0) & (largest < SMALLEST) & (largest > 0)] = Status.OUT_OF_RANGE
    open_ &= status == 0
    if open_.any():
        some = triangle.array[open_]
        full = determines(some[:, :-1, :-1])
        with np.errstate(all="ignore"):  # of those that do not determine their weights
            found = back_substituted(some[:, :-1, :-1], some[:, :-1, -1])
        finite = np.isfinite(found).all(axis=-1)
        of_these = np.where(finite, Status.OK, Status.OUT_OF_RANGE)
        status[open_] = np.where(full, of_these, Status.TOO_FEW_DISTINCT)
        weights[open_] = found
    weights[status != 0] = np.nan
    return weights, status


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
