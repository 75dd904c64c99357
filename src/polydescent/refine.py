"""Least squares as if computed exactly: sums in double-double, the small system in integers.

A pilot, the float64 solution w₀, is subtracted first: r = y − V·w₀. The correction d solves

    (Vᵀ W V)·d = Vᵀ W r,      w = w₀ + d,      rss = rᵀ W r − dᵀ Vᵀ W r

and because r and the sums are good to 30 digits and d is small, squaring the condition number costs
nothing that a float64 answer can show. (Björck 1967 refines the augmented system; in a Chebyshev
basis, where V is well conditioned, this corrected normal equation needs one pass and no stored
rows.)

What is exact: the data, taken as the float64 they are; the small system; the change to powers of x.
What is rounded: the sums, in their 29th digit or later. What cannot be better: a decimal such as
0.1 was rounded when it became a float64, and ill-conditioned data show that in the last digits of
the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent import double_double as dd
from polydescent.basis import Domain
from polydescent.polynomial import nearest_float

LARGEST = 4_000_000  # n·k up to which rows are refined unasked
BLOCK = 1 << 12  # rows in double-double at once: a few hundred kilobytes
_PLACES = 320  # bits after the point of a fixed-point number, held in a Python integer
_PASSES = 4
_SETTLED = 40  # a correction 2⁴⁰ times smaller than the weights leaves nothing to correct
_NOISE = 94  # residuals are good to 2⁻⁹⁴ of the weights: below it they are zero


@dataclass(frozen=True, eq=False)
class Normal:
    """The normal equations about a pilot, in fixed point: an integer i stands for i / 2³²⁰.

    moments: Σ ω·T_m(u) for m = 0 … 2·degree, in units of `weight_unit`. gradient: Σ ω·r·T_k(u) for
    k = 0 … degree, r = y − V·pilot, in weight_unit·y_unit. square: Σ ω·r², in weight_unit·y_unit².
    pilot: Chebyshev weights, shape (degree + 1,), in y_unit. The units are powers of two.
    """

    moments: list[int]
    gradient: list[int]
    square: int
    pilot: list[int]
    y_unit: Fraction
    weight_unit: Fraction

    @property
    def gram(self) -> list[list[int]]:
        """VᵀWV, since T_i·T_j = (T_{i+j} + T_{|i−j|}) / 2."""
        m, k = self.moments, len(self.gradient)
        return [[(m[i + j] + m[abs(i - j)]) >> 1 for j in range(k)] for i in range(k)]


@dataclass(frozen=True, eq=False)
class Refined:
    """The least squares answer to about 28 digits.

    weights: Chebyshev weights on the domain, exact rationals, in units of y. rss, tss:
    Σ ω·(y − f(x))² and Σ ω·(y − ȳ)², each rounded once, in units of y². normal: their source.
    """

    weights: list[Fraction]
    rss: float
    tss: float
    normal: Normal


def refine(
    x: np.ndarray,
    y: np.ndarray,
    domain: Domain,
    pilot: np.ndarray,
    weights: np.ndarray | None = None,
    sigma: np.ndarray | None = None,
) -> Refined:
    """The least squares polynomial through rows on the host, from a float64 solution of it.

    x, y: float64, shape (n,), finite. domain: holds all x. pilot: Chebyshev weights, shape (k,).
    weights: of squares, shape (n,), finite and ≥ 0; or sigma: standard deviations, > 0, ω = 1/σ².
    The pilot must come from data of full rank (`Summary.solve` sees to it).
    """
    for _ in range(_PASSES):
        normal = accumulate(x, y, domain, pilot, weights, sigma)
        correction = solve(normal.gram, normal.gradient)
        refined = [w + d for w, d in zip(normal.pilot, correction, strict=True)]
        largest = max(map(abs, refined))
        if max(map(abs, correction)) <= largest >> _SETTLED:
            break
        pilot = np.array([nearest_float(Fraction(w, _ONE) * normal.y_unit) for w in refined])
    rss = normal.square - _dot(correction, normal.gradient)
    floor = _times(normal.moments[0], _times(largest, largest)) >> 2 * _NOISE
    rss = rss if rss > floor else 0
    scale = normal.weight_unit * normal.y_unit**2
    return Refined(
        [Fraction(w, _ONE) * normal.y_unit for w in refined],
        nearest_float(Fraction(rss, _ONE) * scale),
        nearest_float(Fraction(rss + _spread(normal, refined), _ONE) * scale),
        normal,
    )


def _spread(normal: Normal, weights: list[int]) -> int:
    """Σ ω·(f(x) − mean f)², by the Gram matrix without its mean: no offset of y enters."""
    m, gram = normal.moments, normal.gram
    others = range(1, len(weights))
    return sum(
        _times(_times(weights[i], weights[j]), gram[i][j] - m[i] * m[j] // m[0])
        for i in others
        for j in others
    )


# ── sums over rows ──


def accumulate(
    x: np.ndarray,
    y: np.ndarray,
    domain: Domain,
    pilot: np.ndarray,
    weights: np.ndarray | None = None,
    sigma: np.ndarray | None = None,
) -> Normal:
    """The normal equations of the rows about `pilot`, arguments as in `refine`.

    All is scaled by powers of two to the size of 1 first, so nothing overflows on the way.
    """
    x_scale = _exponent(max(abs(domain.lo), abs(domain.hi)))
    y_scale = max(_exponent(np.abs(y).max()), _exponent(np.abs(pilot).max()))
    small_pilot = np.ldexp(pilot, -y_scale)
    mid, half = math.ldexp(domain.mid, -x_scale), math.ldexp(domain.half, -x_scale)
    given = weights if sigma is None else sigma
    given_scale = 0 if given is None else _exponent(given.max())
    degree = len(pilot) - 1
    sums = [0] * (3 * degree + 3)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        omega = (
            None if given is None else _omega(np.ldexp(given[rows], -given_scale), sigma is None)
        )
        block = _block_sums(
            np.ldexp(x[rows], -x_scale), np.ldexp(y[rows], -y_scale), omega, mid, half, small_pilot
        )
        for i, (hi, lo) in enumerate(zip(*block, strict=True)):
            sums[i] += fixed(hi) + fixed(lo)
    low, high = sums[: degree + 1], sums[degree + 1 : 2 * degree + 1]
    return Normal(
        moments=[*low, *(2 * s - low[degree - k] for k, s in enumerate(high, start=1))],
        gradient=sums[2 * degree + 1 : -1],
        square=sums[-1],
        pilot=[fixed(w) for w in small_pilot],
        y_unit=Fraction(2) ** y_scale,
        weight_unit=Fraction(2) ** (given_scale if sigma is None else -2 * given_scale),
    )


def _exponent(value: Any) -> int:
    """e with |value| ≤ 2ᵉ, 0 for 0."""
    return math.frexp(value)[1]


def _omega(given: np.ndarray, is_weight: bool) -> dd.Pair:
    """ω as a pair: the weights themselves, or 1/σ² (which no float64 holds exactly)."""
    if is_weight:
        return given, np.zeros_like(given)
    one = np.ones_like(given)
    return dd.quotient((one, 0.0 * one), dd.two_product(given, given))


def _block_sums(
    x: np.ndarray, y: np.ndarray, omega: dd.Pair | None, mid: float, half: float, pilot: np.ndarray
) -> dd.Pair:
    """Σ ω·T_k for k = 0 … d, Σ ω·T_d·T_k for k = 1 … d, Σ ω·r·T_k for k = 0 … d, Σ ω·r², as one
    pair.
    """
    T = _chebyshev(x, mid, half, len(pilot) - 1)
    r = _residual(y, T, pilot)
    weighted_T = T if omega is None else dd.product(T, omega)
    weighted_r = r if omega is None else dd.product(r, omega)
    last = weighted_T[0][-1], weighted_T[1][-1]
    sums = (
        dd.total(weighted_T),
        dd.total(dd.product((T[0][1:], T[1][1:]), last)),
        dd.total(dd.product(T, weighted_r)),
        dd.total(dd.product((r[0][None], r[1][None]), weighted_r)),
    )
    return np.concatenate([s[0] for s in sums]), np.concatenate([s[1] for s in sums])


def _chebyshev(x: np.ndarray, mid: float, half: float, degree: int) -> dd.Pair:
    """T₀(u) … T_degree(u), shape (degree + 1, n), with u = (x − mid) / half never rounded to
    float64.
    """
    hi, lo = np.empty((degree + 1, len(x))), np.empty((degree + 1, len(x)))
    hi[0], lo[0] = 1.0, 0.0
    if degree:
        from_mid = dd.two_sum(x, -mid)
        u = dd.quotient(from_mid, (half, 0.0)) if half else from_mid
        hi[1], lo[1] = u
        twice_u = 2.0 * u[0], 2.0 * u[1]
    for k in range(2, degree + 1):
        rising = dd.product((hi[k - 1], lo[k - 1]), twice_u)
        hi[k], lo[k] = dd.difference(rising, (hi[k - 2], lo[k - 2]))
    return hi, lo


def _residual(y: np.ndarray, T: dd.Pair, pilot: np.ndarray) -> dd.Pair:
    """y − Σ pilot[k]·T_k as a pair."""
    column = pilot[:, None]
    hi, lo = dd.two_product(T[0], column)
    lo += T[1] * column
    r = y, np.zeros_like(y)
    for k in range(len(pilot)):
        r = dd.difference(r, (hi[k], lo[k]))
    return r


# ── the small system, in fixed point ──

_ONE = 1 << _PLACES


def fixed(value: float | Fraction) -> int:
    """`value` in fixed point, cut after 320 bits."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator << _PLACES) // denominator


def _times(a: int, b: int) -> int:
    return (a * b) >> _PLACES


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(p * q for p, q in zip(a, b, strict=True)) >> _PLACES


def solve(A: Sequence[Sequence[int]], b: Sequence[int]) -> list[int]:
    """The solution of A·w = b, shapes (k, k) and (k,), by elimination with row exchanges.

    Integers of fixed length instead of rationals, which would double in length at every step: with
    entries of size 1 and a condition number of 10²⁶ some 70 digits remain. Raises ZeroDivisionError
    where A is singular.
    """
    k = len(b)
    rows = [[*row, b[i]] for i, row in enumerate(A)]
    for j in range(k):
        pivot = max(range(j, k), key=lambda i: abs(rows[i][j]))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(j + 1, k):
            factor = (rows[i][j] << _PLACES) // rows[j][j]
            for c in range(j + 1, k + 1):
                rows[i][c] -= _times(factor, rows[j][c])
    solution: list[int] = []  # from the last up
    for i in range(k - 1, -1, -1):
        known = _dot(rows[i][i + 1 : k], solution[::-1])
        solution.append(((rows[i][k] - known) << _PLACES) // rows[i][i])
    return solution[::-1]
