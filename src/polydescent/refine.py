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
from functools import cached_property
from typing import Any

import numpy as np

from polydescent.basis import CHEBYSHEV, Domain
from polydescent.constraints import Equations
from polydescent.kernels import precise
from polydescent.kernels.precise import Frame
from polydescent.polynomial import exact_powers, nearest_float

_LARGEST = 4_000_000  # n·k up to which rows are refined unasked
_HIGHEST = 100  # the degree up to which they are: the small system takes k³ products of integers
_LIGHTEST = 2.0**-100  # of the largest weight: a row below it would vanish from the sums
_PLACES = 320  # bits after the point of a fixed-point number, held in a Python integer
_PASSES = 4
_SETTLED = 40  # a correction 2⁴⁰ times smaller than the weights leaves nothing to correct
_NEGLIGIBLE = Fraction(1, 10**25)
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
    Σ ω·(y − f(x))² and Σ ω·(y − ȳ)², each rounded once, in units of y². normal, equations: what
    they solve.
    """

    weights: list[Fraction]
    rss: float
    tss: float
    normal: Normal
    equations: Equations = ((), ())

    @cached_property
    def root(self) -> list[list[Fraction]]:
        """Columns c with Σ c·cᵀ the covariance of the weights, in units of the residual variance.

        One of shape (k,) for each coefficient that is free.
        """
        k, held = len(self.weights), len(self.equations[0])
        unit = [[_ONE if i == j else 0 for j in range(k)] for i in range(k)] + [[0] * k] * held
        inverse = solve(_bordered(self.normal, self.equations), unit)[:k]
        scale = Fraction(math.isqrt(self.normal.weight_unit.denominator)) / math.isqrt(
            self.normal.weight_unit.numerator
        )
        return [[Fraction(c, _ONE) * scale for c in col] for col in _cholesky(inverse, k - held)]

    @cached_property
    def losses(self) -> list[float]:
        """The lowest Σ ω·(y − f(x))² of each degree from 0 to this one, without the constraints'
        help: the least squares weights w know it, rss + Σ d_j·(Lᵀw)_j² over the terms left out,
        with VᵀWV = L·diag(d)·Lᵀ. In units of y².
        """
        assert not self.equations[0]
        w = [fixed(value / self.normal.y_unit) for value in self.weights]
        scale = self.normal.weight_unit * self.normal.y_unit**2
        floor = _noise(self.normal, max(map(abs, w)))
        away = [a - b for a, b in zip(w, self.normal.pilot, strict=True)]
        lost, losses = _unexplained(self.normal, away), [self.rss]
        for d, line in reversed(list(zip(*_unit_triangle(self.normal.gram), strict=True))[1:]):
            along = _dot(line, w)
            lost += _times(d, _times(along, along))
            losses.append(nearest_float(Fraction(lost, _ONE) * scale) if lost > floor else 0.0)
        return losses[::-1]

    def powers(self, domain: Domain, origin: int = 0) -> np.ndarray:
        """Coefficients of 1, x, x², … in units of y, each the float64 nearest to its exact value.

        x = origin + what the domain spans. A coefficient that adds less than 10⁻²⁵ of the largest
        anywhere on the domain is rounding: it is 0.
        """
        exact = exact_powers(CHEBYSHEV, domain, self.weights, origin)
        reach = max(abs(Fraction(domain.lo) + origin), abs(Fraction(domain.hi) + origin))
        adds = [abs(c) * reach**j for j, c in enumerate(exact)]
        least = max(adds) * _NEGLIGIBLE
        return np.array(
            [nearest_float(c) if a > least else 0.0 for c, a in zip(exact, adds, strict=True)]
        )


def refinable(n: int, degree: int, weights: np.ndarray | None) -> bool:
    """Whether `refine` is exact for these rows, and done in about a second. weights: above 0."""
    if n * (degree + 1) > _LARGEST or degree > _HIGHEST:
        return False
    return weights is None or bool(weights.min() >= _LIGHTEST * weights.max())


def refine(
    x: np.ndarray,
    y: np.ndarray,
    domain: Domain,
    pilot: np.ndarray,
    weights: np.ndarray | None = None,
    equations: Equations = ((), ()),
) -> Refined:
    """The least squares polynomial through rows on the host, from a float64 solution of it.

    x, y: float64, shape (n,), finite. domain: holds all x. pilot: Chebyshev weights, shape (k,).
    weights: ω, of squares, shape (n,), finite and ≥ 0. equations: (B, b) with B·w = b, obeyed
    exactly. The pilot must come from data that determine it: `Summary.solve` and
    `constraints.restrict` see to that.
    """
    for _ in range(_PASSES):
        normal = accumulate(x, y, domain, pilot, weights)
        correction = _correction(normal, equations)
        refined = [w + d for w, d in zip(normal.pilot, correction, strict=True)]
        largest = max(map(abs, refined))
        if max(map(abs, correction)) <= largest >> _SETTLED:
            break
        pilot = np.array([nearest_float(Fraction(w, _ONE) * normal.y_unit) for w in refined])
    rss = _unexplained(normal, correction)
    floor = _noise(normal, largest)
    rss, tss = (square if square > floor else 0 for square in (rss, _spread(normal)))
    scale = normal.weight_unit * normal.y_unit**2
    return Refined(
        [Fraction(w, _ONE) * normal.y_unit for w in refined],
        nearest_float(Fraction(rss, _ONE) * scale),
        nearest_float(Fraction(tss, _ONE) * scale),
        normal,
        equations,
    )


def _unexplained(normal: Normal, correction: Sequence[int]) -> int:
    """Σ ω·(r − V·d)² for weights d beside the pilot."""
    curved = [_dot(row, correction) for row in normal.gram]
    return normal.square - 2 * _dot(correction, normal.gradient) + _dot(correction, curved)


def _noise(normal: Normal, largest: int) -> int:
    """Sums of squares up to here are rounding, for weights up to `largest`."""
    return _times(normal.moments[0], _times(largest, largest)) >> 2 * _NOISE


def _correction(normal: Normal, equations: Equations) -> list[int]:
    """d of the pilot w₀ with G·d + Bᵀ·λ = Vᵀ·W·r and B·d = b − B·w₀."""
    missing = [
        fixed(value / normal.y_unit) - _dot([fixed(a) for a in row], normal.pilot)
        for row, value in zip(*equations, strict=True)
    ]
    right = [[value] for value in (*normal.gradient, *missing)]
    return [row[0] for row in solve(_bordered(normal, equations), right)][: len(normal.pilot)]


def _bordered(normal: Normal, equations: Equations) -> list[list[int]]:
    """[[G, Bᵀ], [B, 0]], shape (k + m, k + m)."""
    B = [[fixed(a) for a in row] for row in equations[0]]
    upper = [[*row, *(line[i] for line in B)] for i, row in enumerate(normal.gram)]
    return [*upper, *([*line, *([0] * len(B))] for line in B)]


def _spread(normal: Normal) -> int:
    """Σ ω·(y − ȳ)², from y = r + V·pilot with the means taken out first: no offset of y enters."""
    m, g, w, gram = normal.moments, normal.gradient, normal.pilot, normal.gram
    others = range(1, len(w))
    left = normal.square - g[0] * g[0] // m[0]
    crossed = sum(_times(w[i], g[i] - g[0] * m[i] // m[0]) for i in others)
    inner = [[gram[i][j] - m[i] * m[j] // m[0] for j in others] for i in others]
    explained = _dot(w[1:], [_dot(row, w[1:]) for row in inner])
    return left + 2 * crossed + explained


def accumulate(
    x: np.ndarray,
    y: np.ndarray,
    domain: Domain,
    pilot: np.ndarray,
    weights: np.ndarray | None = None,
) -> Normal:
    """The normal equations of the rows about `pilot`, arguments as in `refine`."""
    x_unit = _unit(max(abs(domain.lo), abs(domain.hi), domain.half))
    y_unit = _unit(max(np.abs(y).max(), np.abs(pilot).max()))
    weight_unit, omega = 1.0, None
    if weights is not None:
        weight_unit = _unit(weights.max())
        if math.frexp(weight_unit)[1] % 2 == 0:
            weight_unit /= 2  # an even power of two, so that its square root is one too
        omega = weights * weight_unit
    small_pilot = pilot * y_unit
    frame = Frame(x_unit, y_unit, domain.mid * x_unit, domain.half * x_unit, small_pilot)
    sums = [fixed(hi) + fixed(lo) for hi, lo in zip(*precise.sums(x, y, omega, frame), strict=True)]
    degree = frame.degree
    low, high = sums[: degree + 1], sums[degree + 1 : 2 * degree + 1]
    return Normal(
        moments=[*low, *(2 * s - low[degree - k] for k, s in enumerate(high, start=1))],
        gradient=sums[2 * degree + 1 : -1],
        square=sums[-1],
        pilot=[fixed(w) for w in small_pilot],
        y_unit=1 / Fraction(y_unit),
        weight_unit=1 / Fraction(weight_unit),
    )


def _unit(largest: Any) -> float:
    """The power of two that brings `largest` to between ½ and 1, as far as it is a float64."""
    return math.ldexp(1.0, min(max(-math.frexp(largest)[1], -1000), 1000))


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


def solve(A: Sequence[Sequence[int]], B: Sequence[Sequence[int]]) -> list[list[int]]:
    """The solution X of A·X = B, shapes (k, k) and (k, r), by elimination with row exchanges.

    Integers of fixed length instead of rationals, which would double in length at every step: with
    entries of size 1 and a condition number of 10²⁶ some 70 digits remain. Raises ZeroDivisionError
    where A is singular.
    """
    k = len(A)
    rows = [[*left, *right] for left, right in zip(A, B, strict=True)]
    for j in range(k):
        pivot = max(range(j, k), key=lambda i: abs(rows[i][j]))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(j + 1, k):
            factor = (rows[i][j] << _PLACES) // rows[j][j]
            for c in range(j + 1, len(rows[i])):
                rows[i][c] -= _times(factor, rows[j][c])
    solution: list[list[int]] = [[]] * k
    for i in range(k - 1, -1, -1):
        right = rows[i][k:]
        for c in range(i + 1, k):
            right = [b - _times(rows[i][c], x) for b, x in zip(right, solution[c], strict=True)]
        solution[i] = [(b << _PLACES) // rows[i][i] for b in right]
    return solution


def _unit_triangle(A: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """(d, Lᵀ) with A = L·diag(d)·Lᵀ and ones on the diagonal of L, for a positive definite A."""
    k, rest = len(A), [row[:] for row in A]
    lines = []
    for j in range(k):
        line = [0] * j + [(rest[j][i] << _PLACES) // rest[j][j] for i in range(j, k)]
        for i in range(j + 1, k):
            rest[i] = [a - _times(line[i], b) for a, b in zip(rest[i], rest[j], strict=True)]
        lines.append(line)
    return [rest[j][j] for j in range(k)], lines


def _cholesky(A: list[list[int]], rank: int) -> list[list[int]]:
    """`rank` columns c with Σ c·cᵀ = A for a symmetric A ≥ 0, the largest diagonal entry first."""
    rest, columns = [row[:] for row in A], []
    for _ in range(rank):
        j = max(range(len(A)), key=lambda i: rest[i][i])
        length = math.isqrt(rest[j][j] << _PLACES)
        column = [(row[j] << _PLACES) // length for row in rest]
        rest = [
            [a - _times(p, q) for a, q in zip(row, column, strict=True)]
            for row, p in zip(rest, column, strict=True)
        ]
        columns.append(column)
    return columns
