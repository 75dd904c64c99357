"""A curve: weights in some basis on some domain, to evaluate and to write out in powers of x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polydescent.arrays import Array, in_double
from polydescent.basis import CHEBYSHEV, Basis, Domain, change_of_basis, evaluate


@dataclass(frozen=True, eq=False)
class Polynomial:
    """f(x) = Σ weights[k]·p[k](v(x)), with v = x or x mapped from the domain to [−1, 1].

    weights: shape (degree + 1,), float64 on the host, in units of y.
    """

    basis: Basis
    domain: Domain
    weights: np.ndarray

    def __call__(self, x: Array) -> Array:
        """f(x), float64, same shape and library as the array x."""
        x = in_double(x)
        return evaluate(
            self.basis, self.weights, self.domain.to_unit(x) if self.basis.on_unit else x
        )

    def powers(self) -> np.ndarray:
        """Coefficients of 1, x, x², …, each the float64 nearest to its exact value."""
        if not self.basis.on_unit:
            return self.weights
        return np.array([_to_float(c) for c in exact_powers(self.basis, self.domain, self.weights)])

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
    basis: Basis, domain: Domain, weights: Sequence[float | Fraction] | np.ndarray
) -> list[Fraction]:
    """Coefficients of 1, x, x², … of Σ weights[k]·p[k](u(x)) as exact rationals.

    Every float64 is a rational, so nothing is rounded here: offsets of 10⁹ with steps of 1 (epoch
    seconds) would otherwise cost all sixteen digits. Clenshaw's recurrence on lists of
    coefficients.
    """
    mid = Fraction(domain.mid)
    half = Fraction(domain.half)
    above: list[Fraction] = []  # in powers of (x − mid), whose coefficients stay short
    above_that: list[Fraction] = []
    for k in range(len(weights) - 1, -1, -1):
        a = Fraction(basis.recurrence(k)[0]) / half if half else Fraction(0)
        c = Fraction(basis.recurrence(k + 1)[1])
        rising = [Fraction(weights[k]), *(a * coefficient for coefficient in above)]
        for i, coefficient in enumerate(above_that):
            rising[i] -= c * coefficient
        above, above_that = rising, above
    for start in range(len(above) - 1):  # synthetic division moves the origin from mid to 0
        for i in range(len(above) - 2, start - 1, -1):
            above[i] -= mid * above[i + 1]
    return above


def _to_float(value: Fraction) -> float:
    try:
        return float(value)  # correctly rounded
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
