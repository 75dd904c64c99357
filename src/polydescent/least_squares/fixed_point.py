"""Small linear systems in fixed point: a number is an integer i that stands for i / 2³²⁰.

Integers of fixed length instead of rationals, which would double in length at every step of an
elimination: with entries of size 1 and a condition number of 10²⁶ some 70 digits remain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

PLACES = 320  # bits after the point
ONE = 1 << PLACES
Vector = Sequence[int]
Matrix = Sequence[Sequence[int]]


def fixed(value: float | Fraction) -> int:
    """`value` in fixed point, cut after 320 bits."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator << PLACES) // denominator


def in_fixed_point(matrix: Sequence[Sequence[float | Fraction]]) -> list[list[int]]:
    """The entries of a matrix in fixed point."""
    return [[fixed(a) for a in row] for row in matrix]


def unit(largest: Any) -> float:
    """The power of two that brings `largest` to between ½ and 1, as far as it is a float64."""
    return math.ldexp(1.0, min(max(-math.frexp(largest)[1], -1000), 1000))


def times(a: int, b: int) -> int:
    """a·b."""
    return (a * b) >> PLACES


def dot(a: Vector, b: Vector) -> int:
    """Σ a·b, cut once."""
    return sum(p * q for p, q in zip(a, b, strict=True)) >> PLACES


def eliminate(A: Matrix, B: Matrix) -> list[list[int]]:
    """The solution X of A·X = B, shapes (k, k) and (k, r), by elimination with row exchanges.

    Raises ZeroDivisionError where A is singular.
    """
    k = len(A)
    rows = [[*left, *right] for left, right in zip(A, B, strict=True)]
    for j in range(k):
        pivot = max(range(j, k), key=lambda i: abs(rows[i][j]))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(j + 1, k):
            factor = (rows[i][j] << PLACES) // rows[j][j]
            for c in range(j + 1, len(rows[i])):
                rows[i][c] -= times(factor, rows[j][c])
    solution: list[list[int]] = [[]] * k
    for i in range(k - 1, -1, -1):
        right = rows[i][k:]
        for c in range(i + 1, k):
            right = [b - times(rows[i][c], x) for b, x in zip(right, solution[c], strict=True)]
        solution[i] = [(b << PLACES) // rows[i][i] for b in right]
    return solution


# ── least squares under B·w = b, from the normal equations G·w = g ──


def least_squares(gram: Matrix, gradient: Vector, B: Matrix = (), b: Vector = ()) -> list[int]:
    """w with G·w + Bᵀ·λ = g and B·w = b, shape (k,). Raises ZeroDivisionError where none is
    determined.
    """
    right = [[value] for value in (*gradient, *b)]
    return [row[0] for row in eliminate(_bordered(gram, B), right)][: len(gradient)]


def covariance_factor(gram: Matrix, B: Matrix = ()) -> list[list[int]]:
    """Columns c with Σ c·cᵀ the covariance of w for a residual variance of 1: as many, of shape
    (k,), as w has free directions under B·w = b.
    """
    k, m = len(gram), len(B)
    identity = [[ONE if i == j else 0 for j in range(k)] for i in range(k)] + [[0] * k] * m
    return _cholesky(eliminate(_bordered(gram, B), identity)[:k], k - m)


def _bordered(gram: Matrix, B: Matrix) -> list[list[int]]:
    """[[G, Bᵀ], [B, 0]], shape (k + m, k + m)."""
    upper = [[*row, *(line[i] for line in B)] for i, row in enumerate(gram)]
    return [*upper, *([*line, *([0] * len(B))] for line in B)]


def unit_triangle(A: Matrix) -> tuple[list[int], list[list[int]]]:
    """(d, Lᵀ) with A = L·diag(d)·Lᵀ and ones on the diagonal of L, for a positive definite A."""
    k, rest = len(A), [list(row) for row in A]
    lines = []
    for j in range(k):
        line = [0] * j + [(rest[j][i] << PLACES) // rest[j][j] for i in range(j, k)]
        for i in range(j + 1, k):
            rest[i] = [a - times(line[i], b) for a, b in zip(rest[i], rest[j], strict=True)]
        lines.append(line)
    return [rest[j][j] for j in range(k)], lines


def _cholesky(A: list[list[int]], rank: int) -> list[list[int]]:
    """`rank` columns c with Σ c·cᵀ = A for a symmetric A ≥ 0, the largest diagonal entry first."""
    rest, columns = [row[:] for row in A], []
    for _ in range(rank):
        j = max(range(len(A)), key=lambda i: rest[i][i])
        length = math.isqrt(rest[j][j] << PLACES)
        column = [(row[j] << PLACES) // length for row in rest]
        rest = [
            [a - times(p, q) for a, q in zip(row, column, strict=True)]
            for row, p in zip(rest, column, strict=True)
        ]
        columns.append(column)
    return columns
