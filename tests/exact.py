"""Least squares in exact rational arithmetic: slow, and right by construction."""

# ruff: noqa: B905

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Exact:
    """coef: of the terms. rss, tss: weighted sums of squares. inverse: (XᵀWX)⁻¹ of the terms."""

    coef: list[Fraction]
    rss: Fraction
    tss: Fraction
    inverse: list[list[Fraction]]


def least_squares(x, y, degree, weights=None, terms=None) -> Exact:
    """The weighted least squares polynomial through float64 data, with the given terms only."""
    terms = list(range(degree + 1)) if terms is None else terms
    x, x_unit = _whole(x)
    y, y_unit = _whole(y)
    omega, unit = _whole([1] * len(x) if weights is None else weights)
    rows = [[xi**t for t in terms] for xi in x]
    k = range(len(terms))
    gram = [[sum(o * row[i] * row[j] for o, row in zip(omega, rows)) for j in k] for i in k]
    right = [sum(o * row[i] * b for o, row, b in zip(omega, rows, y)) for i in k]
    square = sum(o * b * b for o, b in zip(omega, y))
    mean = sum(o * b for o, b in zip(omega, y))
    adjugate, determinant = _adjugate(gram)
    coef = [Fraction(sum(a * b for a, b in zip(row, right)), determinant) for row in adjugate]
    rss = square - sum(a * b for a, b in zip(coef, right))
    tss = square - Fraction(mean * mean, sum(omega))
    scale = Fraction(1, unit * y_unit**2)
    return Exact(
        [c * Fraction(x_unit**t, y_unit) for c, t in zip(coef, terms)],
        rss * scale,
        tss * scale,
        [
            [
                Fraction(adjugate[i][j] * unit * x_unit ** (terms[i] + terms[j]), determinant)
                for j in k
            ]
            for i in k
        ],
    )


def _whole(values):
    """(integers, unit) with values = integers / unit."""
    exact = [v if isinstance(v, Fraction) else Fraction(float(v)) for v in values]
    unit = math.lcm(*(v.denominator for v in exact))
    return [v.numerator * (unit // v.denominator) for v in exact], unit


def _adjugate(A):
    """(adj A, det A) of a matrix of integers, by elimination without fractions (Bareiss 1968)."""
    k = len(A)
    rows = [[*row, *(int(i == j) for j in range(k))] for i, row in enumerate(A)]
    before = 1
    for j in range(k):
        for i in range(k):
            if i != j:
                p, q = rows[j][j], rows[i][j]
                rows[i] = [(p * a - q * b) // before for a, b in zip(rows[i], rows[j])]
        before = rows[j][j]
    return [row[k:] for row in rows], before


def root(value: Fraction) -> float:
    """The square root of a rational, to float64."""
    shift = 2 * max(0, 120 - (value.numerator.bit_length() - value.denominator.bit_length()))
    whole = (value.numerator << shift) // value.denominator
    return float(Fraction(math.isqrt(whole << 120), 1 << (shift // 2 + 60)))


def random_problem(rng, degree=None):
    """(x, y, weights, degree): x of scale 1e-3 … 1e3 and offset up to 100 scales."""
    degree = int(rng.integers(1, 11)) if degree is None else degree
    n = int(rng.integers(degree + 5, 60))
    scale = 10 ** rng.uniform(-3, 3)
    u = rng.uniform(-1, 1, n)
    y = np.polynomial.polynomial.polyval(u, rng.normal(size=degree + 1))
    y += 10 ** rng.uniform(-6, 0) * rng.normal(size=n)
    weights = rng.uniform(0.1, 10, n) if rng.random() < 0.5 else None
    return scale * (u + rng.uniform(-100, 100)), y, weights, degree


def wide_problem(rng, highest=10, light=0.0):
    """(x, y, weights, degree): coefficients over twelve decades in powers of an x that reaches up
    to 1,000, so that the low ones drown in the high ones; some rows exact, some interpolating.

    light: how many decades weights span; 0 for none.
    """
    degree = int(rng.integers(1, highest + 1))
    n = int(rng.integers(degree + 1, degree + 30))
    reach = 10 ** rng.uniform(-3, 3)
    shift = rng.choice([0.0, 10 ** rng.uniform(-1, 1.5)])
    x = reach * (rng.uniform(-1, 1, n) + shift)
    coef = rng.normal(size=degree + 1) * 10 ** rng.uniform(-6, 6, degree + 1)
    y = np.polynomial.polynomial.polyval(x, coef)
    y += rng.choice([0, 1]) * 10 ** rng.uniform(-12, 0) * np.abs(y).max() * rng.normal(size=n)
    return x, y, (10 ** rng.uniform(-light / 2, light / 2, n) if light else None), degree
