"""Householder QR of the design matrix, block by block: the definition every other kernel is held against."""

from __future__ import annotations

import numpy as np

from polydescent.arrays import Array, first_bad, in_double, namespace, qr_triangle, to_host
from polydescent.basis import CHEBYSHEV, Domain, design_matrix
from polydescent.errors import NotFinite, OutOfRange

BLOCK = 1 << 16  # rows whose design matrix is held at once: 4 MB at degree 6


def compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    """As `kernels.compress`, by the book: build the rows, reduce them by QR, stack, reduce again."""
    xp = namespace(x)
    domain = Domain(float(xp.min(x)), float(xp.max(x)))
    if not np.isfinite(domain.half):
        raise_not_finite(x=x)
    triangle = None
    for start in range(0, x.shape[0], BLOCK):
        rows = slice(start, min(start + BLOCK, x.shape[0]))
        u = domain.to_unit(in_double(x[rows]))
        block = xp.concat(
            (design_matrix(CHEBYSHEV, u, degree), in_double(y[rows])[:, None]), axis=1
        )
        if weights is not None:
            block = block * xp.sqrt(in_double(weights[rows]))[:, None]
        part = normalized(to_host(qr_triangle(block)))
        triangle = part if triangle is None else stack(triangle, part)
    assert triangle is not None  # n ≥ 1
    if not np.isfinite(triangle).all():
        raise_not_finite(y=y, weights=weights)
        raise OutOfRange("The sum of squares of y", "Divide y by a constant first.")
    return triangle, domain


def normalized(R: np.ndarray) -> np.ndarray:
    """R as a square triangle with a non-negative diagonal, padded with zero rows if it has fewer.

    QR is unique only up to the signs of its rows; equal data must give equal triangles.
    """
    k = R.shape[1]
    if R.shape[0] < k:
        R = np.concatenate((R, np.zeros((k - R.shape[0], k))))
    signs = np.where(np.diagonal(R) < 0, -1.0, 1.0)
    return np.triu(R) * signs[:, None]


def stack(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The triangle of the rows of both triangles (same basis, same domain)."""
    return normalized(np.linalg.qr(np.concatenate((upper, lower)), mode="r"))


def raise_not_finite(**columns: Array | None) -> None:
    """Raise NotFinite for the first of the columns that holds a NaN or an infinity; else return."""
    for name, values in columns.items():
        bad = None if values is None else first_bad(values)
        if bad is not None:
            raise NotFinite(name, *bad)
