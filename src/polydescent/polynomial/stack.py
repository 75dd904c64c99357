"""A stack of curves at once: evaluated, and written in powers of x to the last digit."""

from __future__ import annotations

import numpy as np

from polydescent.arrays import Array, namespace, quiet
from polydescent.double_double import Pair, product, quotient, sum_of, two_product, two_sum
from polydescent.polynomial.basis import CHEBYSHEV, POWER, Domain, change_of_basis
from polydescent.polynomial.curve import exact_powers, nearest_float, power_table

_CURVES = 1 << 12  # at once: some twenty temporaries of 32 kB stay in the cache
_DEGREE = 20  # up to which the integers of the Chebyshev polynomials are far from 2⁵³
_REACH = 80.0  # decades: numbers within 10^±80 have products whose errors are no denormals


def evaluate_each(weights: Array, mid: Array, half: Array, x: Array) -> Array:
    """f(x) of each curve, float64: weights (…, k), mid and half (…,) of its domain, x (m,) for all
    curves or (…, m), all of one library. Shape (…, m).
    """
    xp = namespace(weights, x)
    with quiet():
        u = (x - mid[..., None]) / half[..., None]
        above = above_that = xp.zeros_like(u)
        for k in range(weights.shape[-1] - 1, 0, -1):
            above, above_that = 2 * u * above - above_that + weights[..., k, None], above
        return u * above - above_that + weights[..., 0, None]


def powers_of_each(weights: np.ndarray, domain: Domain, origin: int = 0) -> np.ndarray:
    """The coefficients of 1, x, x², … of each curve, shape (…, k), for Chebyshev weights (…, k) on
    its domain, as `Polynomial.powers` has those of one; NaN where the weights are.

    With 31 digits between, so that one rounding is left where powers of x do not cancel; exact
    rationals where the numbers leave the range in which errors of products are known.
    """
    k = weights.shape[-1]
    flat = weights.reshape(-1, k)
    lo, hi = (np.broadcast_to(end, weights.shape[:-1]).ravel() for end in (domain.lo, domain.hi))
    powers = np.full_like(flat, np.nan)
    there = np.isfinite(flat).all(axis=-1)
    fast = there & _is_tame(flat, Domain(lo, hi), origin) if k <= _DEGREE + 1 else ~there & there
    places = np.flatnonzero(fast)
    for start in range(0, len(places), _CURVES):
        some = places[start : start + _CURVES]
        with np.errstate(all="ignore"):
            powers[some] = _in_double_double(flat[some], Domain(lo[some], hi[some]), origin)
    for i in np.flatnonzero(there & ~(fast & np.isfinite(powers).all(axis=-1))):
        one = Domain(float(lo[i]), float(hi[i]))
        powers[i] = [nearest_float(c) for c in exact_powers(CHEBYSHEV, one, flat[i], origin)]
    return powers.reshape(weights.shape)


def powers_matrix(domain: Domain, degree: int, origin: int = 0) -> np.ndarray:
    """C, shape (…, k, k), with the coefficients in powers of x = C·w for Chebyshev weights w."""
    half = domain.half_width
    with np.errstate(all="ignore"):
        shift = -(domain.mid + float(origin)) / half
        return change_of_basis(CHEBYSHEV, POWER, degree, 1 / half, shift)


def _is_tame(weights: np.ndarray, domain: Domain, origin: int) -> np.ndarray:
    """Of which curves all products stay within the range of double-double arithmetic."""
    degree = max(weights.shape[-1] - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.maximum(
            abs(np.log10(domain.half_width)), np.log10(1 + abs(domain.mid) + abs(float(origin)))
        )
        sizes = np.log10(abs(weights))
        sizes = np.where(weights == 0, 0.0, abs(sizes)).max(axis=-1)
    return degree * reach + sizes < _REACH


def _in_double_double(weights: np.ndarray, domain: Domain, origin: int) -> np.ndarray:
    """Σ w·T(u) in powers of u, those in powers of x − mid, those in powers of x."""
    k = weights.shape[-1]
    table, unit = power_table(CHEBYSHEV, k - 1)
    zero = np.zeros(len(weights))
    inverse: Pair = quotient((zero + 1, zero), (domain.half_width, zero))
    scale: Pair = (zero + 1, zero)
    found: list[Pair] = []
    for j in range(k):
        total: Pair = (zero, zero)
        for i in range(j, k):
            if table[i][j]:
                total = sum_of(total, two_product(weights[:, i], float(table[i][j] // unit)))
        found.append(product(total, scale))
        scale = product(scale, inverse)
    high = float(origin)
    place = sum_of(two_sum(domain.mid, zero + high), (zero + float(origin - int(high)), zero))
    minus = (-place[0], -place[1])
    for start in range(k - 1):
        for i in range(k - 2, start - 1, -1):
            found[i] = sum_of(found[i], product(minus, found[i + 1]))
    return np.stack([hi for hi, _ in found], axis=-1)
