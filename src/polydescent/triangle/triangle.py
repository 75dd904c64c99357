"""Rows as a triangle that least squares cannot tell apart from them: of one curve, or a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from polydescent.arrays import (
    Array,
    counted,
    in_double,
    is_all,
    is_any,
    namespace,
    sum_squares,
    weights_of_counted,
)
from polydescent.checks import DEGREES, as_whole
from polydescent.errors import BadDegree, BadSetting, OutOfRange, TooFewDistinct, TooFewRows
from polydescent.polynomial.basis import CHEBYSHEV, Basis, Domain, change_of_basis
from polydescent.sealed import schema
from polydescent.triangle import kernels
from polydescent.triangle.kernels import native_curves
from polydescent.triangle.kernels.reference import raise_not_finite
from polydescent.triangle.kernels.stacked import stack

HIGHEST = DEGREES["any"]
RANK_TOLERANCE = 64 * np.finfo(np.float64).eps
_LARGEST = 1e150  # its square, and sums of such squares, fit a double
SMALLEST = 1e-138  # so does its square, and what rounding leaves of that: 10⁻³² of it
_BLOCK = 1 << 16  # weights whose logarithms are in memory at once


@dataclass(frozen=True, eq=False)
class Triangle:
    """[[R, z], [0, √rss]] with ‖V·w − y‖² = ‖R·w − z‖² + rss for every w.

    V holds the Chebyshev polynomials T₀ … T_degree of u = x mapped from the domain to [−1, 1]. A
    stack of triangles has leading dimensions, written …, in every field and every result; one curve
    has none.

    Laws, all up to rounding: a + b = b + a; (a + b) + c = a + (b + c); a + empty = a; the sum of
    the triangles of parts is the triangle of the whole; `lower(d)` is the triangle at degree d;
    what is done to a stack is what is done to each of its triangles.

    Attributes
    ----------
    array : shape (…, k + 1, k + 1), float64, upper triangular with a non-negative diagonal, for
        k = degree + 1. Treat it as read-only.
    domain : where x lies, lo and hi of shape (…).
    n : how many rows count, shape (…).
    log_weights : Σ ln ω over those rows, shape (…), 0 of rows without weights: what the likelihood
        of weighted rows needs besides.
    """

    array: np.ndarray
    domain: Domain
    n: Any
    log_weights: Any = 0.0

    # ── making one ──

    @classmethod
    def fold(
        cls,
        x: Array,
        y: Array,
        weights: Array | None = None,
        degree: int = 8,
        counts: Array | None = None,
    ) -> Triangle:
        """The triangle of rows already checked by `arrays.columns`; each stands for its count.

        Columns of shape (n,), or y of shape (m, n) for a stack of m: an x, weights or counts of
        shape (n,) then serve every curve. Raises NotFinite, OutOfRange.
        """
        if len(y.shape) > 1:
            return cls.stacked(
                [
                    cls.fold(_one(x, i), y[i, ...], _one(weights, i), degree, _one(counts, i))
                    for i in range(y.shape[0])
                ]
            )
        raise_not_finite(counts=counts)
        omega = weights_of_counted(weights, counts)
        array, domain = kernels.compress(x, y, omega, degree)
        if np.abs(array[:, -1]).max() > _LARGEST:
            raise OutOfRange("The sum of squares of y", "Divide y by a constant first.")
        n = x.shape[0] if omega is None else counted(weights, counts, omega)
        return cls(array, domain, n, 0.0 if weights is None else _logs(weights, counts, omega))

    @classmethod
    def empty(cls, degree: int) -> Triangle:
        """The triangle of no rows: adding it changes nothing."""
        size = checked_degree(degree) + 2
        return cls(np.zeros((size, size)), Domain(np.inf, -np.inf), 0)

    @classmethod
    def stacked(cls, triangles: Sequence[Triangle]) -> Triangle:
        """Triangles of one shape and degree as one stack, along a new first dimension."""
        lo, hi, array, n, logs = (
            np.stack([np.asarray(part) for part in parts])
            for parts in zip(
                *((t.domain.lo, t.domain.hi, t.array, t.n, t.log_weights) for t in triangles),
                strict=True,
            )
        )
        return cls(array, Domain(lo, hi), n, logs)

    def __getitem__(self, place: Any) -> Triangle:
        """Some of a stack: an index, a slice or a mask over its leading dimensions."""
        n, logs = self.n[place], self.log_weights[place]
        return Triangle(self.array[place], self.domain[place], n, logs)

    def __repr__(self) -> str:
        if self.shape:
            return f"<Triangles of degree {self.degree}, a stack of {self.shape}>"
        where = f", x in [{self.domain.lo:.6g}, {self.domain.hi:.6g}]" if self.n else ""
        return f"<Triangle of {int(self.n):,} rows, degree {self.degree}{where}>"

    # ── changing it ──

    def __add__(self, other: Triangle) -> Triangle:
        """The triangle of the rows of both, on the union of their domains; of one degree."""
        ours, theirs = self.n == 0, other.n == 0
        domain = self.domain | other.domain
        if is_all(ours) or is_all(theirs):
            array = other.array if is_all(ours) else self.array
        elif self.shape and self.shape == other.shape and native_curves.serves(self.degree):
            array = self._merged(other)
        else:
            array = stack(self.rebased(domain).array, other.rebased(domain).array)
            if is_any(ours) or is_any(theirs):  # no rounding where one of them holds no rows
                array = np.where(
                    _wide(theirs), self.array, np.where(_wide(ours), other.array, array)
                )
        return Triangle(array, domain, self.n + other.n, self.log_weights + other.log_weights)

    def _merged(self, other: Triangle) -> np.ndarray:
        """The arrays of two stacks of one shape merged curve by curve, in C."""
        size = self.degree + 2
        sides = []
        for t in (self, other):
            others = (np.ravel(c) for c in (t.domain.lo, t.domain.hi, t.n))
            sides.append((t.array.reshape(-1, size, size), *others))
        array, hard = native_curves.merge(*sides)
        for i in np.flatnonzero(hard):
            place = np.unravel_index(i, self.shape)
            array[i] = (self[place] + other[place]).array
        return array.reshape(self.array.shape)

    def rebased(self, domain: Domain) -> Triangle:
        """The same rows on a wider domain."""
        if domain is self.domain or is_all(self.domain.is_empty):
            return replace(self, domain=domain)
        with np.errstate(invalid="ignore"):  # of an empty domain among others
            C = change_of_basis(CHEBYSHEV, CHEBYSHEV, self.degree, *self.domain.widening(domain))
        array = self.array.copy()
        array[..., :-1, :-1] = np.where(_wide(self.domain.is_empty), 0.0, self.R @ C)
        return replace(self, array=array, domain=domain)

    def lower(self, degree: int) -> Triangle:
        """The triangle at a lower degree: the leading block, and what the dropped terms explained
        as rss.
        """
        degree = checked_degree(degree, self.degree)
        if degree == self.degree:
            return self
        k = degree + 1
        array = np.zeros((*self.array.shape[:-2], k + 1, k + 1))
        array[..., :k, :k] = self.array[..., :k, :k]
        array[..., :k, k] = self.array[..., :k, -1]
        array[..., k, k] = np.linalg.norm(self.array[..., k:, -1], axis=-1)
        return replace(self, array=array)

    # ── what it holds ──

    @property
    def degree(self) -> int:
        return self.array.shape[-1] - 2

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions: () for one curve."""
        return self.array.shape[:-2]

    @property
    def R(self) -> np.ndarray:
        """Shape (…, degree + 1, degree + 1), upper triangular, RᵀR = VᵀV."""
        return self.array[..., :-1, :-1]

    @property
    def z(self) -> np.ndarray:
        """Shape (…, degree + 1), Qᵀy, in units of y."""
        return self.array[..., :-1, -1]

    @property
    def rss(self) -> Any:
        """Shape (…,): the lowest sum of squared residuals that any polynomial of this degree
        reaches, in units of y².
        """
        return self.array[..., -1, -1] ** 2

    @property
    def tss(self) -> Any:
        """Shape (…,): Σ (y − mean y)², in units of y²: what the constant leaves."""
        return sum_squares(self.array[..., 1:, -1])

    @property
    def square(self) -> Any:
        """Shape (…,): Σ y², in units of y²."""
        return sum_squares(self.array[..., :, -1])

    def least_squares(self, basis: Basis = CHEBYSHEV) -> tuple[np.ndarray, np.ndarray, Any]:
        """(R, z, rss) in the coordinates of another basis: the same loss, other weights.

        Raises OutOfRange where powers of x do not fit a double.
        """
        if basis is CHEBYSHEV:
            return self.R, self.z, self.rss
        scale, shift = basis.variable(self.domain)
        with np.errstate(over="ignore", invalid="ignore"):
            R = self.R @ change_of_basis(basis, CHEBYSHEV, self.degree, scale, shift)
        if not np.isfinite(R).all():
            lo, hi = np.min(self.domain.lo), np.max(self.domain.hi)
            raise OutOfRange(
                f"x to the power {self.degree} on [{lo:.6g}, {hi:.6g}]",
                'Use basis="chebyshev", which maps x to [−1, 1] first.',
            )
        return R, self.z, self.rss

    def penalized(self, basis: Basis, ridge: float) -> tuple[np.ndarray, np.ndarray, Any]:
        """(R, z, rss) of one curve with a loss that is larger by ridge·Σ w², over all weights in
        that basis but the first: as if rows √ridge·I had been met with y = 0.
        """
        R, z, rss = self.least_squares(basis)
        if not ridge:
            return R, z, rss
        k = self.degree + 1
        rows = np.zeros((k + 1, k + 1))
        rows[:k, :k], rows[:k, k], rows[k, k] = R, z, np.sqrt(rss)
        penalty = np.zeros((k, k + 1))
        penalty[:, :k] = np.sqrt(ridge) * np.eye(k)
        array = stack(rows, penalty[1:])
        return array[:k, :k], array[:k, k], float(array[k, k] ** 2)

    def solve(self) -> np.ndarray:
        """The Chebyshev weights of least squares, shape (…, degree + 1).

        Raises TooFewRows, TooFewDistinct where the rows do not determine them, OutOfRange.
        """
        self.check_size()
        if is_any(self.n < self.degree + 1):
            raise TooFewRows(int(np.min(self.n)), self.degree)
        full = self.has_full_rank
        if not is_all(full):
            first = self if not self.shape else self[np.unravel_index(np.argmin(full), self.shape)]
            raise TooFewDistinct(int(first.n), self.degree, idle=first.lowest_idle)
        weights = np.linalg.solve(self.R, self.z[..., None])[..., 0]  # plain back-substitution
        if not np.isfinite(weights).all():
            raise OutOfRange("Some weight of the curve", "Divide y by a constant first.")
        return weights

    def check_size(self) -> None:
        """Raises OutOfRange for y so small, though not all 0, that their squares lose digits."""
        largest = np.abs(self.array[..., -1]).max(axis=-1)
        if is_any((largest > 0) & (largest < SMALLEST)):
            raise OutOfRange("The sum of squares of y", "Multiply y by a constant first.")

    @cached_property
    def has_full_rank(self) -> Any:
        """Shape (…,): whether every term adds something, beyond rounding, to those below it."""
        return determines(self.R)

    @property
    def lowest_idle(self) -> int | None:
        """Of one curve: the lowest power of x that adds nothing to those below, None if all do."""
        k = self.degree + 1
        return next((j for j in range(k) if not determines(self.R[: j + 1, : j + 1])), None)

    # ── in a file ──

    def to_record(self) -> dict[str, Any]:
        """Of one curve: plain lists and numbers, every float exact."""
        return {
            "array": self.array.tolist(),
            "domain": self.domain.to_record(),
            "n": self.n,
            "log_weights": self.log_weights,
        }

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse. Raises Misfit."""
        made = cls(**_RECORD(found, where))
        schema.check(
            made.n > 0 or not made.array.any(), f"{where}.array", "0 everywhere, for n is 0", "more"
        )
        known = made.n == 0 or not made.domain.is_empty
        schema.check(known, f"{where}.domain", "[lo, hi], for n is not 0", None)
        return made


_REACH = 1.3e154  # its square is a float64


def _array_form(found: Any, where: str) -> np.ndarray:
    """Upper triangular, with a diagonal that is not negative, all squares finite."""
    size = len(found) if type(found) is list else 0
    schema.check(2 <= size <= HIGHEST + 2, where, f"a list of 2 to {HIGHEST + 2} rows", found)
    values = schema.array((size, size), schema.number(-_REACH, _REACH))(found, where)
    schema.check(not np.tril(values, -1).any(), where, "0 below the diagonal", found)
    schema.check(not (values.diagonal() < 0).any(), where, "0 or more on the diagonal", found)
    return values


_RECORD = schema.record(
    {
        "array": _array_form,
        "domain": Domain.from_record,
        "n": schema.whole(),
        "log_weights": schema.number(),
    }
)


def determines(R: np.ndarray) -> Any:
    """Whether each column of triangles (…, k, k) adds something, beyond rounding, to those before
    it: shape (…,).
    """
    own = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
    return (own > RANK_TOLERANCE * own.shape[-1] * np.hypot.reduce(R, axis=-2)).all(axis=-1)


def _logs(weights: Array, counts: Array | None, omega: Array) -> float:
    """Σ c·ln ω over the rows that count, block by block."""
    xp, total = namespace(weights), 0.0
    for start in range(0, weights.shape[0], _BLOCK):
        rows = slice(start, min(start + _BLOCK, weights.shape[0]))
        some = in_double(weights[rows])
        if counts is None:
            total += _sum_of_logs(xp, some)
            continue
        logs = xp.log(xp.where(in_double(omega[rows]) == 0, xp.ones_like(some), some))
        total += float(xp.sum(logs * in_double(counts[rows])))
    return total


def _sum_of_logs(xp: Any, weights: Array) -> float:
    """Σ ln ω over the weights that are not 0; one logarithm, which is slow, for eight of them."""
    if bool(xp.any(weights == 0)):
        weights = xp.where(weights == 0, xp.ones_like(weights), weights)
    even = weights.shape[0] // 8 * 8
    if float(xp.min(weights)) > 2.0**-125 and float(xp.max(weights)) < 2.0**125:
        product = xp.prod(xp.reshape(weights[:even], (8, -1)), axis=0)  # of eight: within 2^±1000
        return float(xp.sum(xp.log(product))) + float(xp.sum(xp.log(weights[even:])))
    return float(xp.sum(xp.log(weights)))


def checked_degree(degree: object, largest: int | None = None) -> int:
    """`degree` as an int. Raises BadDegree."""
    whole = as_whole(degree)
    if whole is None or whole < 0 or (largest is not None and whole > largest):
        raise BadDegree(degree, largest)
    if whole > HIGHEST:
        raise BadSetting("degree", degree, f"at most {HIGHEST:,}: a triangle grows with its square")
    return whole


def _one(column: Array | None, i: int) -> Array | None:
    """Of curve i: a column that all share, or its own."""
    return column if column is None or len(column.shape) == 1 else column[i, ...]


def _wide(mask: Any) -> np.ndarray:
    """A mask of curves, shape (…,), as one of their triangles."""
    return np.asarray(mask)[..., None, None]
