"""Householder QR of the design matrix, block by block: what every other kernel is held against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from polydescent.arrays import Array, first_bad, in_double, namespace, qr_triangle, quiet, to_host
from polydescent.errors import NotFinite, OutOfRange
from polydescent.polynomial.basis import CHEBYSHEV, Domain, design_matrix

BLOCK = 1 << 14  # rows whose design matrix is held at once: 1 MB at degree 6


def compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    """As `kernels.compress`, by the book: build the rows, reduce by QR, stack, reduce again."""
    with quiet():  # what is not finite is searched for and named
        return _compress(x, y, weights, degree)


def _compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    xp = namespace(x)
    domain = Domain(np.inf, -np.inf)
    for x_block, _, _ in _blocks(x, y, weights):
        domain |= Domain(float(xp.min(x_block)), float(xp.max(x_block)))
        if not np.isfinite(domain.half_width):
            search(x, y, weights)
    triangle = np.zeros((degree + 2, degree + 2))
    for x_block, y_block, root in _blocks(x, y, weights):
        V = design_matrix(CHEBYSHEV, domain.to_unit(x_block), degree)
        A = xp.concat((V, y_block[:, None]), axis=1)
        part = normalized(to_host(qr_triangle(A if root is None else A * root[:, None])))
        triangle = stack(triangle, part) if triangle.any() else part
    if not np.isfinite(triangle).all():
        search(x, y, weights)
        raise OutOfRange("The sum of squares of y", "Divide y by a constant first.")
    return triangle, domain


def _blocks(
    x: Array, y: Array, weights: Array | None
) -> Iterator[tuple[Array, Array, Array | None]]:
    """x, y and √weight in float64, block by block, without the rows of weight 0."""
    n = x.shape[0]
    for start in range(0, n, BLOCK):
        rows = slice(start, min(start + BLOCK, n))
        x_block, y_block = in_double(x[rows]), in_double(y[rows])
        if weights is None:
            yield x_block, y_block, None
            continue
        w = in_double(weights[rows])
        counts = w != 0
        if namespace(w).any(counts):
            yield x_block[counts], y_block[counts], w[counts] ** 0.5


def normalized(R: np.ndarray) -> np.ndarray:
    """R, shape (…, rows, k), as square triangles with a non-negative diagonal, padded with zeros
    where rows are fewer than k.

    QR is unique only up to the signs of its rows; equal data must give equal triangles.
    """
    *leading, rows, k = R.shape
    if rows < k:
        R = np.concatenate((R, np.zeros((*leading, k - rows, k))), axis=-2)
    signs = np.where(np.diagonal(R, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return np.triu(R) * signs[..., None]


def stack(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The triangles of the rows of both, shape (…, k, k): same basis, same domain."""
    return normalized(qr_triangle(np.concatenate((upper, lower), axis=-2)))


def search(x: Array, y: Array, weights: Array | None) -> None:
    """Raise NotFinite for a NaN or an infinity in a row that counts; else return."""
    if weights is not None:
        raise_not_finite(weights=weights)
        xp = namespace(x)
        x, y = (xp.where(weights != 0, a, xp.zeros_like(a)) for a in (x, y))
    raise_not_finite(x=x, y=y)


def raise_not_finite(**columns: Array | None) -> None:
    """Raise NotFinite for the first of the columns that holds a NaN or an infinity; else return."""
    for name, values in columns.items():
        bad = None if values is None else first_bad(values)
        if bad is not None:
            raise NotFinite(name, *bad)
