"""Least squares as if computed exactly: sums in several float64, the small system in integers.

A pilot, the float64 solution w₀, is subtracted first: r = y − V·w₀. The correction d solves

    (Vᵀ W V)·d = Vᵀ W r,      w = w₀ + d,      rss = rᵀ W r − dᵀ Vᵀ W r

and because r and its sums are good to 46 digits and d is small, squaring the condition number costs
nothing that a float64 answer can show, even of a coefficient that is what large numbers leave where
they cancel. (Björck 1967 refines the augmented system; in a Chebyshev basis, where V is well
conditioned, this corrected normal equation needs one pass and no stored rows.)

What is exact: the data, taken as the float64 they are; the small system; the change to powers of x.
What is rounded: the sums, VᵀWV in its 29th digit and VᵀWr in its 45th. What cannot be better: a
decimal such as 0.1 was rounded when it became a float64, and ill-conditioned data show that in the
last digits of the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import numpy as np

from polydescent.checks import DEGREES
from polydescent.errors import Misfit
from polydescent.least_squares import precise
from polydescent.least_squares.constraints import Equations
from polydescent.least_squares.fixed_point import (
    ONE,
    covariance_factor,
    dot,
    fixed,
    in_fixed_point,
    least_squares,
    times,
    unit,
    unit_triangle,
)
from polydescent.least_squares.precise import Frame
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import exact_powers, nearest_float
from polydescent.sealed import schema

_LARGEST = 4_000_000  # n·k up to which rows are refined unasked
_LIGHTEST = 2.0**-100  # of the largest weight: a row below it would vanish from the sums
_PASSES = 12
_SETTLED = 92  # bits: what the next correction may move, of the weights
# bits by which the rss must exceed what the correction moves it by, or else that is taken out first
_CLEAR = 44
_NEGLIGIBLE = Fraction(1, 10**40)
_NOISE = 140  # residuals are good to 2⁻¹⁴⁰ of the weights: below it they are zero


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

    def to_record(self) -> dict[str, Any]:
        """Its numbers as text: they have 320 bits and more."""
        return {
            "moments": [str(v) for v in self.moments],
            "gradient": [str(v) for v in self.gradient],
            "square": str(self.square),
            "pilot": [str(v) for v in self.pilot],
            "y_unit": str(self.y_unit),
            "weight_unit": str(self.weight_unit),
        }

    @classmethod
    def from_record(cls, found: Any, where: str, k: int) -> Self:
        """The inverse, of k weights. Raises Misfit."""
        weights = schema.series(schema.whole_text, k, k)
        forms = {
            "moments": schema.series(schema.whole_text, 2 * k - 1, 2 * k - 1),
            "gradient": weights,
            "square": schema.whole_text,
            "pilot": weights,
            "y_unit": _unit_form,
            "weight_unit": _unit_form,
        }
        values = schema.record(forms)(found, where)
        lists = {name: list(values[name]) for name in ("moments", "gradient", "pilot")}
        return cls(**values | lists)


def _unit_form(found: Any, where: str) -> Fraction:
    """A power of two."""
    value = schema.rational(found, where)
    terms = value.numerator, value.denominator
    is_power = value > 0 and all(n & (n - 1) == 0 for n in terms)
    schema.check(is_power, where, "a power of two", found)
    return value


@dataclass(frozen=True, eq=False)
class Refined:
    """The least squares answer to about 40 digits.

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
    def exact_factor(self) -> list[list[Fraction]]:
        """Columns c with Σ c·cᵀ the covariance of the weights, in units of the residual variance.

        One of shape (k,) for each coefficient that is free.
        """
        scale = Fraction(math.isqrt(self.normal.weight_unit.denominator)) / math.isqrt(
            self.normal.weight_unit.numerator
        )
        columns = covariance_factor(self.normal.gram, in_fixed_point(self.equations[0]))
        return [[Fraction(c, ONE) * scale for c in column] for column in columns]

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
        for d, line in reversed(list(zip(*unit_triangle(self.normal.gram), strict=True))[1:]):
            along = dot(line, w)
            lost += times(d, times(along, along))
            losses.append(nearest_float(Fraction(lost, ONE) * scale) if lost > floor else 0.0)
        return losses[::-1]

    def powers(self, domain: Domain, origin: int = 0) -> np.ndarray:
        """Coefficients of 1, x, x², … in units of y, each the float64 nearest to its exact value.

        x = origin + what the domain spans. A coefficient that adds less than 10⁻⁴⁰ of the largest
        anywhere on the domain, or 10⁻⁸⁰ of the largest y, is rounding: it is 0.
        """
        exact = exact_powers(CHEBYSHEV, domain, self.weights, origin)
        reach = max(abs(Fraction(domain.lo) + origin), abs(Fraction(domain.hi) + origin))
        adds = [abs(c) * reach**j for j, c in enumerate(exact)]
        least = max(max(adds) * _NEGLIGIBLE, self.normal.y_unit * _NEGLIGIBLE**2)
        return np.array(
            [nearest_float(c) if a > least else 0.0 for c, a in zip(exact, adds, strict=True)]
        )

    def to_record(self) -> dict[str, Any]:
        """Rationals as text such as "1/3". The equations follow from the constraints."""
        return {
            "weights": [str(w) for w in self.weights],
            "rss": self.rss,
            "tss": self.tss,
            "normal": self.normal.to_record(),
        }

    @classmethod
    def from_record(cls, found: Any, where: str, k: int, equations: Equations) -> Self:
        """The inverse, of k weights that obey these equations. Raises Misfit."""
        forms = {
            "weights": schema.series(schema.rational, k, k),
            "rss": schema.number(0.0),
            "tss": schema.number(0.0),
            "normal": schema.anything,
        }
        values = schema.record(forms)(found, where)
        normal = Normal.from_record(values["normal"], f"{where}.normal", k)
        made = cls(list(values["weights"]), values["rss"], values["tss"], normal, equations)
        try:
            _ = made.exact_factor  # kept for the standard errors
        except (ArithmeticError, ValueError):
            raise Misfit(where, "sums of rows that determine the curve", "other") from None
        return made


def refinable(n: int, degree: int, weights: np.ndarray | None) -> bool:
    """Whether `refine` is exact for these rows, and done in about a second. weights: above 0."""
    if n * (degree + 1) > _LARGEST or degree > DEGREES["exact"]:
        return False
    return weights is None or bool(weights.min() >= _LIGHTEST * weights.max())


def refine(
    x: np.ndarray,
    y: np.ndarray,
    domain: Domain,
    pilot: np.ndarray,
    weights: np.ndarray | None = None,
    equations: Equations = ((), ()),
) -> Refined | None:
    """The least squares polynomial through rows on the host, from a float64 solution of it.

    x, y: float64, shape (n,), finite. domain: holds all x. pilot: Chebyshev weights, shape (k,).
    weights: ω, of squares, shape (n,), finite and ≥ 0. equations: (B, b) with B·w = b, obeyed
    exactly. The pilot must come from data that determine it: `Summary.solve` and
    `constraints.restrict` see to that. None where the corrections do not end: rows so nearly
    dependent (a condition number of 10¹⁶) that their products, in 32 digits, no longer tell.
    """
    start: Sequence[float | Fraction] = pilot.tolist()
    B, before, settled = in_fixed_point(equations[0]), 0, False
    for _ in range(_PASSES):
        normal = accumulate(x, y, domain, start, weights)
        b = [fixed(value / normal.y_unit) for value in equations[1]]
        missing = [value - dot(row, normal.pilot) for row, value in zip(B, b, strict=True)]
        correction = least_squares(normal.gram, normal.gradient, B, missing)
        refined = [w + d for w, d in zip(normal.pilot, correction, strict=True)]
        largest, moved = (max(map(abs, values)) for values in (refined, correction))
        rss, floor = _unexplained(normal, correction), _noise(normal, largest)
        clear = max(rss, floor) >= times(normal.moments[0], times(moved, moved)) >> _CLEAR
        # the next correction is as much smaller than this one as this one is than the last
        before = before or largest
        settled = moved * moved <= before * largest >> _SETTLED
        if settled and clear:
            break
        before = moved
        start = [Fraction(w, ONE) * normal.y_unit for w in refined]
    if not settled:
        return None
    rss, tss = (square if square > floor else 0 for square in (rss, _spread(normal)))
    scale = normal.weight_unit * normal.y_unit**2
    return Refined(
        [Fraction(w, ONE) * normal.y_unit for w in refined],
        nearest_float(Fraction(rss, ONE) * scale),
        nearest_float(Fraction(tss, ONE) * scale),
        normal,
        equations,
    )


def _unexplained(normal: Normal, correction: Sequence[int]) -> int:
    """Σ ω·(r − V·d)² for weights d beside the pilot."""
    curved = dot(correction, [dot(row, correction) for row in normal.gram])
    return normal.square - 2 * dot(correction, normal.gradient) + curved


def _noise(normal: Normal, largest: int) -> int:
    """Sums of squares up to here are rounding, for weights up to `largest`."""
    return times(normal.moments[0], times(largest, largest)) >> 2 * _NOISE


def _spread(normal: Normal) -> int:
    """Σ ω·(y − ȳ)², from y = r + V·pilot with the means taken out first: no offset of y enters."""
    m, g, w, gram = normal.moments, normal.gradient, normal.pilot, normal.gram
    others = range(1, len(w))
    left = normal.square - g[0] * g[0] // m[0]
    crossed = sum(times(w[i], g[i] - g[0] * m[i] // m[0]) for i in others)
    inner = [[gram[i][j] - m[i] * m[j] // m[0] for j in others] for i in others]
    explained = dot(w[1:], [dot(row, w[1:]) for row in inner])
    return left + 2 * crossed + explained


def accumulate(
    x: np.ndarray,
    y: np.ndarray,
    domain: Domain,
    pilot: Sequence[float | Fraction] | np.ndarray,
    weights: np.ndarray | None = None,
) -> Normal:
    """The normal equations of the rows about `pilot`, itself taken to 32 digits.

    The arguments are as in `refine`.
    """
    exact = [Fraction(w) for w in pilot]
    x_unit = unit(max(abs(domain.lo), abs(domain.hi), domain.half_width))
    y_unit = unit(max(float(np.abs(y).max()), *(abs(nearest_float(w)) for w in exact)))
    weight_unit, omega = 1.0, None
    if weights is not None:
        weight_unit = unit(weights.max())
        if math.frexp(weight_unit)[1] % 2 == 0:
            weight_unit /= 2  # an even power of two, so that its square root is one too
        omega = weights * weight_unit
    small = [w * Fraction(y_unit) for w in exact]
    leading = [nearest_float(w) for w in small]
    rest = [nearest_float(w - Fraction(hi)) for w, hi in zip(small, leading, strict=True)]
    frame = Frame(
        x_unit,
        y_unit,
        domain.mid * x_unit,
        domain.half_width * x_unit,
        np.array(leading),
        np.array(rest) if any(rest) else None,
    )
    triples = zip(*(part.tolist() for part in precise.sums(x, y, omega, frame)), strict=True)
    sums = [sum(map(fixed, triple)) for triple in triples]
    degree = frame.degree
    low, high = sums[: degree + 1], sums[degree + 1 : 2 * degree + 1]
    return Normal(
        moments=[*low, *(2 * s - low[degree - k] for k, s in enumerate(high, start=1))],
        gradient=sums[2 * degree + 1 : -1],
        square=sums[-1],
        pilot=[fixed(hi) + fixed(lo) for hi, lo in zip(leading, rest, strict=True)],
        y_unit=1 / Fraction(y_unit),
        weight_unit=1 / Fraction(weight_unit),
    )
