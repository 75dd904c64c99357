"""A curve: weights in some basis on some domain, to evaluate and to write out in powers of x."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from polydescent.arrays import Array, in_double, quiet
from polydescent.polynomial.basis import CHEBYSHEV, Basis, Domain, change_of_basis, evaluate


@dataclass(frozen=True, eq=False)
class Polynomial:
    """f(x) = Σ weights[k]·p[k](v(x)), with v = x or x mapped from the domain to [−1, 1].

    weights: shape (degree + 1,), float64 on the host, in units of y.
    """

    basis: Basis
    domain: Domain
    weights: np.ndarray

    def __repr__(self) -> str:
        where = f"x in [{self.domain.lo:.6g}, {self.domain.hi:.6g}]"
        return f"<Polynomial of degree {len(self.weights) - 1} in {self.basis.name}, {where}>"

    def __call__(self, x: Array) -> Array:
        """f(x), float64, same shape and library as the array x."""
        x = in_double(x)
        with quiet():  # far outside the domain a value may be infinite
            v = self.domain.to_unit(x) if self.basis.on_unit else x
            return evaluate(self.basis, self.weights, v)

    def powers(self, origin: int = 0) -> np.ndarray:
        """Coefficients of 1, x, x², … of f(x − origin), each the float64 nearest to exact."""
        if not self.basis.on_unit:
            return self.weights
        if not np.isfinite(self.weights).all():  # of a descent that diverged
            return np.full(len(self.weights), math.nan)
        exact = exact_powers(self.basis, self.domain, self.weights, origin)
        return np.array([nearest_float(c) for c in exact])

    def in_chebyshev(self) -> np.ndarray:
        """The weights of the same curve in Chebyshev polynomials on the domain."""
        if self.basis is CHEBYSHEV:
            return self.weights
        scale, shift = self.basis.variable(self.domain)
        return (
            change_of_basis(self.basis, CHEBYSHEV, len(self.weights) - 1, scale, shift)
            @ self.weights
        )


def exact_powers(
    basis: Basis,
    domain: Domain,
    weights: Sequence[float | Fraction] | np.ndarray,
    origin: int = 0,
) -> list[Fraction]:
    """Coefficients of 1, x, x², … of Σ weights[k]·p[k](u(x − origin)) as exact rationals.

    Every float64 is a rational, so nothing is rounded here: offsets of 10⁹ with steps of 1 (epoch
    seconds) would otherwise cost all sixteen digits. All denominators are taken out first, so the
    work is on integers: with mid = m/e and half = h/g, and the powers of u known,

        Σ c[j]·u^j = Σ c[j]·(g/h)^j·(x − m/e)^j = Σ c[j]·g^j·h^(d−j)·e^(d−j)·(e·x − m)^j / (h·e)^d
    """
    degree = len(weights) - 1
    if degree < 0:
        return []
    scaled, unit = _whole(weights)
    table, table_unit = power_table(basis, degree)
    in_u = [sum(scaled[k] * table[k][j] for k in range(j, degree + 1)) for j in range(degree + 1)]
    m, e = (Fraction(domain.mid) + origin).as_integer_ratio()
    h, g = domain.half_width.as_integer_ratio()
    whole = [c * g**j * (h * e) ** (degree - j) for j, c in enumerate(in_u)]
    for start in range(degree):  # synthetic division moves the origin from m to 0, in powers of e·x
        for i in range(degree - 1, start - 1, -1):
            whole[i] -= m * whole[i + 1]
    unit *= table_unit * (h * e) ** degree
    return [Fraction(c * e**j, unit) for j, c in enumerate(whole)]


def _whole(values: Sequence[float | Fraction] | np.ndarray) -> tuple[list[int], int]:
    """(integers, unit) with values[i] = integers[i] / unit."""
    ratios = [value.as_integer_ratio() for value in values]
    unit = math.lcm(*(denominator for _, denominator in ratios))
    return [numerator * (unit // denominator) for numerator, denominator in ratios], unit


@cache
def power_table(basis: Basis, degree: int) -> tuple[list[list[int]], int]:
    """(table, unit): p[k](v) = Σ table[k][j]·v^j / unit, by the recurrence in float64."""
    rows = [[Fraction(1)] + [Fraction(0)] * degree]
    for k in range(degree):
        a, c = map(Fraction, basis.recurrence(k))
        before = rows[k - 1] if k else [Fraction(0)] * (degree + 1)
        risen = [Fraction(0), *rows[k][:-1]]
        rows.append([a * up - c * down for up, down in zip(risen, before, strict=True)])
    flat, unit = _whole([value for row in rows for value in row])
    width = degree + 1
    return [flat[k * width : (k + 1) * width] for k in range(width)], unit


def nearest_float(value: Fraction) -> float:
    """The float64 nearest to `value`, ±inf beyond their range."""
    try:
        return float(value)  # correctly rounded
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
