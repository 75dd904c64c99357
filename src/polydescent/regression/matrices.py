"""Rows as what a descent walks over: design matrix and y, counts of each, moments."""

from __future__ import annotations

import math

import numpy as np

from polydescent.arrays import Array, in_double, namespace, to_host
from polydescent.descent.moments import Moments
from polydescent.polynomial.basis import CHEBYSHEV, Basis, design_matrix, evaluate
from polydescent.regression.summary import Summary
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import Triangle


def moments_of(rows: Rows, triangle: Triangle, curve: np.ndarray | None = None) -> Moments:
    """The moments of rows, with y less the curve of these Chebyshev weights."""
    x, y = to_host(rows.x), to_host(rows.y)
    if curve is not None:
        y = y - evaluate(CHEBYSHEV, curve, triangle.domain.to_unit(x))
    weights, counts = (None if c is None else to_host(c) for c in (rows.weights, rows.counts))
    return Moments.fold(x, y, weights, counts, triangle.degree, triangle.domain)


def matrix_of(basis: Basis, rows: Rows, summary: Summary) -> tuple[Array, Array]:
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


def counted_apart(A: Array, b: Array, rows: Rows) -> tuple[Array, Array]:
    """The design matrix and y of rows that count, without the counts in their weights."""
    xp, omega = namespace(A), rows.omega
    if omega is None:
        return A, b
    live = omega != 0
    if rows.counts is None:
        return A[live], b[live]
    root = xp.astype(xp.sqrt(rows.counts[live]), A.dtype, copy=False)
    return A[live] / root[:, None], b[live] / root


def counts_of(rows: Rows) -> np.ndarray | None:
    """How often each row that counts was seen."""
    if rows.counts is None:
        return None
    return to_host(rows.counts)[to_host(rows.omega) != 0]


def with_penalty(A: Array, b: Array, ridge: float) -> tuple[Array, Array]:
    """Rows √ridge·I below, but for the first weight, with y = 0."""
    xp, k = namespace(A), A.shape[1]
    like = {"dtype": A.dtype, "device": A.device}
    below = math.sqrt(ridge) * xp.eye(k, **like)[1:, :]
    return xp.concat((A, below), axis=0), xp.concat((b, xp.zeros(k - 1, **like)), axis=0)
