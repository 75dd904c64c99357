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
    x, y = [Fraction(float(v)) for v in x], [Fraction(float(v)) for v in y]
    ones = [1.0] * len(x) if weights is None else weights
    omega = [w if isinstance(w, Fraction) else Fraction(float(w)) for w in ones]
    rows = [[xi**t for t in terms] for xi in x]
    gram = [
        [sum(o * row[i] * row[j] for o, row in zip(omega, rows)) for j in range(len(terms))]
        for i in range(len(terms))
    ]
    right = [sum(o * row[i] * b for o, row, b in zip(omega, rows, y)) for i in range(len(terms))]
    square = sum(o * b * b for o, b in zip(omega, y))
    mean = sum(o * b for o, b in zip(omega, y))
    inverse = _inverse(gram)
    coef = [sum(a * b for a, b in zip(row, right)) for row in inverse]
    rss = square - sum(a * b for a, b in zip(coef, right))
    return Exact(coef, rss, square - mean * mean / sum(omega), inverse)


def _inverse(A):
    k = len(A)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(k))] for i, row in enumerate(A)]
    for j in range(k):
        rows[j] = [a / rows[j][j] for a in rows[j]]
        for i in range(k):
            if i != j and rows[i][j]:
                factor = rows[i][j]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j])]
    return [row[k:] for row in rows]


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
