"""From sums over rows to the triangle: what the kernels that read each row once have in common."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from polydescent.arrays import Array, distinct, namespace, quiet, to_host
from polydescent.polynomial.basis import CHEBYSHEV, Domain, change_of_basis
from polydescent.triangle.kernels import reference

Sums = Callable[[Domain, np.ndarray], tuple[np.ndarray, Domain]]

SAMPLE = 512  # rows that guess the domain and the curve
# multiples of it, modulo 1, fall evenly and follow no period in the data
GOLDEN = 0.6180339887498949
CONDITION = 300.0  # of R; Cholesky loses its square: curves err by 1e-14 of y here, by 1e-10 at 1e4
# mean square of a column beyond which rows outside the guessed domain drown the others
LOUDEST = 64.0
UNEXPLAINED = 0.5  # share of Σr² that must stay after the fit, or else the pilot was a poor one
ROUNDING = 1e-26  # Σr² / Σy² of noise-free rows: nothing is left to explain
TRIES = 4
TINY = 1e-140  # lengths below this have squares that are no longer doubles


def compress(
    x: Array, y: Array, weights: Array | None, degree: int, sums: Sums
) -> tuple[np.ndarray, Domain] | None:
    """As `kernels.compress`, where one read of the rows by `sums` can give it; else None.

    sums(domain, pilot) → (AᵀA, [min x, max x]), A = √weight·[T₀(u) … T_degree(u) | y − pilot(u)],
    u = x mapped from `domain`; AᵀA has shape (k + 1, k + 1), k = degree + 1, float64 on the host.

    Domain and pilot come from a sample: y enters only by its distance from a curve close to it, so
    noise-free data keep their digits, and R moves from the guessed domain to the true one at the
    end. None: no good pilot in a few tries, sums that overflow, or a Gram matrix so close to
    singular that Cholesky would lose digits.
    """
    guess = _sample(x, y, weights, degree)
    if guess is None:
        return None
    domain, pilot = guess
    for _ in range(TRIES):
        with quiet():
            gram, seen = sums(domain, pilot)
        drowned = not np.isfinite(gram).all()
        if drowned:
            reference.search(x, y, weights)
            if seen == domain:
                return None
        own = np.diagonal(gram)[:-1]
        if drowned or (own.max() > LOUDEST * own[0] and seen != domain):
            moved = _moved(pilot, domain, seen)
            if moved is None:
                return None
            pilot, domain = moved, seen
            continue
        triangle = cholesky(gram)
        if triangle is None:
            return None
        R, z = triangle[:-1, :-1], triangle[:-1, -1]
        explained = R @ pilot
        left, before = triangle[-1, -1] ** 2, gram[-1, -1]
        if left < UNEXPLAINED * before and before > ROUNDING * (explained @ explained):
            pilot = pilot + np.linalg.solve(R, z)
            continue
        triangle[:-1, -1] += explained
        triangle[:-1, :-1] = R @ _widening(domain, seen, degree)
        return None if underflows(triangle, y) else (triangle, seen)
    return None


def underflows(triangle: np.ndarray, y: Array) -> bool:
    """Whether the weights, or a y that is not zero, are so small that their squares were lost."""
    column = math.hypot(*triangle[:, -1])
    return bool(triangle[0, 0] < TINY or (column < TINY and namespace(y).any(y != 0)))


def read(parts: np.ndarray) -> tuple[np.ndarray, Domain]:
    """(AᵀA, [min x, max x]) from sums over parts of the rows, shape (parts, 3k + 3).

    A part is, with t_0 … t_d the columns of A, d = k − 1, and r the last one: Σ t_j·t_0 (k
    numbers), Σ t_j·t_d (k), Σ t_j·r (k), Σ r², min x, max x.
    """
    return gram(pairwise(parts[:, :-2])), Domain(
        float(parts[:, -2].min()), float(parts[:, -1].max())
    )


def gram(sums: np.ndarray) -> np.ndarray:
    """AᵀA, shape (k + 1, k + 1), from its sums, shape (3k + 1,): see `read`."""
    k = len(sums) // 3
    products = np.empty((k + 1, k + 1))
    products[:-1, :-1] = _products(sums[:k], sums[k : 2 * k])
    products[:-1, -1] = products[-1, :-1] = sums[2 * k : 3 * k]
    products[-1, -1] = sums[3 * k]
    return products


def _products(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Σ T_i·T_j, shape (k, k), from Σ T_j and Σ T_j·T_d, d = k − 1, each of shape (k,).

    T_i·T_j = (T_{i+j} + T_{|i−j|}) / 2, hence Σ T_{d+j} = 2·Σ T_j·T_d − Σ T_{d−j}, and the rest.
    """
    moments = np.concatenate((low, (2 * high - low[::-1])[1:]))
    i = np.arange(len(low))
    return (moments[i[:, None] + i] + moments[abs(i[:, None] - i)]) / 2


def pairwise(parts: np.ndarray) -> np.ndarray:
    """The sum along the first axis, neighbors first: rounding grows with the log of the length."""
    while len(parts) > 1:
        even = parts[: len(parts) & ~1]
        parts = np.concatenate((even[::2] + even[1::2], parts[len(even) :]))
    return parts[0]


def _sample(
    x: Array, y: Array, weights: Array | None, degree: int
) -> tuple[Domain, np.ndarray] | None:
    """(domain, Chebyshev weights) of a fit to a few hundred rows, first and last among them."""
    n = x.shape[0]
    rows = distinct(np.append((np.arange(SAMPLE) * GOLDEN % 1.0 * n).astype(np.int64), (0, n - 1)))
    x, y, weights = (None if a is None else _taken(a, rows) for a in (x, y, weights))
    if weights is not None:
        x, y, weights = x[weights > 0], y[weights > 0], weights[weights > 0]
    columns = (x, y) if weights is None else (x, y, weights)
    if len(x) <= 2 * degree or not all(np.isfinite(c).all() for c in columns):
        return None
    triangle, domain = reference.compress(x, y, weights, degree)
    R, z = triangle[:-1, :-1], triangle[:-1, -1]
    if not (TINY < domain.half_width < 1 / TINY and np.linalg.cond(R) < CONDITION):
        return None
    return domain, np.linalg.solve(R, z)


def _taken(values: Array, rows: np.ndarray) -> np.ndarray:
    """The rows of an array of any library, as float64 on the host."""
    if not isinstance(values, np.ndarray):
        xp = namespace(values)
        values = xp.take(values, xp.asarray(rows, device=values.device), axis=0)
        return to_host(values)
    return to_host(values[rows])


def cholesky(gram: np.ndarray) -> np.ndarray | None:
    """The triangle [[R, z], [0, √rss]] of a Gram matrix, None where it is too close to singular."""
    try:
        R = np.linalg.cholesky(gram[:-1, :-1]).T
    except np.linalg.LinAlgError:
        return None
    if np.linalg.cond(R) > CONDITION:
        return None
    triangle = np.zeros_like(gram)
    triangle[:-1, :-1] = R
    triangle[:-1, -1] = z = np.linalg.solve(R.T, gram[:-1, -1])
    triangle[-1, -1] = np.sqrt(max(gram[-1, -1] - z @ z, 0.0))
    return triangle


def _moved(pilot: np.ndarray, old: Domain, new: Domain) -> np.ndarray | None:
    """The same curve on a wider domain; None where the old one is but a speck of it."""
    widening = _widening(old, new, len(pilot) - 1)
    if not np.diagonal(widening).all():  # of a triangle: singular just where one of these is 0
        return None
    moved = np.linalg.solve(widening, pilot)
    return moved if np.isfinite(moved).all() else None


def _widening(old: Domain, new: Domain, degree: int) -> np.ndarray:
    """C with T_j(u on new) = Σ_i C[i, j]·T_i(u on old); its entries stay within [−1, 1]."""
    if old == new:
        return np.eye(degree + 1)
    return change_of_basis(CHEBYSHEV, CHEBYSHEV, degree, *old.widening(new))
