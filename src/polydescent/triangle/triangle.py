"""Rows as a triangle that least squares cannot tell apart from them: of one curve, or a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polydescent import kernels
from polydescent.arrays import Array, namespace, sum_squares
from polydescent.basis import CHEBYSHEV, Basis, Domain, change_of_basis
from polydescent.errors import OutOfRange, TooFewDistinct, TooFewRows
from polydescent.kernels.reference import stack

RANK_TOLERANCE = 64 * np.finfo(np.float64).eps
_LARGEST = 1e150  # its square, and sums of such squares, fit a double


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
    """

    array: np.ndarray
    domain: Domain
    n: Any

    # ── making one ──

    @classmethod
    def fold(cls, x: Array, y: Array, weights: Array | None, degree: int) -> Triangle:
        """The triangle of rows already checked: columns of shape (n,), or a stack of (…, n).

        x and weights of shape (n,) serve every curve of a stack. Raises NotFinite, OutOfRange.
        """
        if len(y.shape) > 1:
            curves = range(y.shape[0])
            return cls.stacked(
                [cls.fold(_one(x, i), y[i, ...], _one(weights, i), degree) for i in curves]
            )
        array, domain = kernels.compress(x, y, weights, degree)
        if np.abs(array[:, -1]).max() > _LARGEST:
            raise OutOfRange("The sum of squares of y", "Divide y by a constant first.")
        n = x.shape[0] if weights is None else int(namespace(weights).count_nonzero(weights))
        return cls(array, domain, n)

    @classmethod
    def empty(cls, degree: int) -> Triangle:
        """The triangle of no rows: adding it changes nothing."""
        return cls(np.zeros((degree + 2, degree + 2)), Domain(np.inf, -np.inf), 0)

    @classmethod
    def stacked(cls, triangles: Sequence[Triangle]) -> Triangle:
        """Triangles of one shape and degree as one stack, along a new first dimension."""
        ends = [np.stack([getattr(t.domain, end) for t in triangles]) for end in ("lo", "hi")]
        array, n = np.stack([t.array for t in triangles]), np.stack([t.n for t in triangles])
        return cls(array, Domain(*ends), n)  # type: ignore[arg-type]

    def __getitem__(self, place: Any) -> Triangle:
        """Some of a stack: an index, a slice or a mask over its leading dimensions."""
        lo, hi = self.domain.lo[place], self.domain.hi[place]  # type: ignore[index]
        return Triangle(self.array[place], Domain(lo, hi), self.n[place])

    # ── changing it ──

    def __add__(self, other: Triangle) -> Triangle:
        """The triangle of the rows of both, on the union of their domains; of one degree."""
        ours, theirs = self.n == 0, other.n == 0
        domain = self.domain | other.domain
        if np.all(ours) or np.all(theirs):
            array = other.array if np.all(ours) else self.array
        else:
            array = stack(self.rebased(domain).array, other.rebased(domain).array)
            if np.any(ours) or np.any(theirs):  # no rounding where one of them holds no rows
                array = np.where(
                    _wide(theirs), self.array, np.where(_wide(ours), other.array, array)
                )
        return Triangle(array, domain, self.n + other.n)

    def rebased(self, domain: Domain) -> Triangle:
        """The same rows on a wider domain."""
        if domain is self.domain or np.all(self.domain.is_empty):
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

    def solve(self) -> np.ndarray:
        """The Chebyshev weights of least squares, shape (…, degree + 1).

        Raises TooFewRows, TooFewDistinct where the rows do not determine them.
        """
        if np.any(self.n < self.degree + 1):
            raise TooFewRows(int(np.min(self.n)), self.degree)
        full = self.has_full_rank
        if not np.all(full):
            first = self if not self.shape else self[np.unravel_index(np.argmin(full), self.shape)]
            raise TooFewDistinct(int(first.n), self.degree, idle=first.lowest_idle)
        weights = np.linalg.solve(self.R, self.z[..., None])[..., 0]  # plain back-substitution
        if not np.isfinite(weights).all():
            raise OutOfRange("Some weight of the curve", "Divide y by a constant first.")
        return weights

    @property
    def has_full_rank(self) -> Any:
        """Shape (…,): whether every term adds something, beyond rounding, to those below it."""
        return determines(self.R)

    @property
    def lowest_idle(self) -> int | None:
        """Of one curve: the lowest power of x that adds nothing to those below, None if all do."""
        k = self.degree + 1
        return next((j for j in range(k) if not determines(self.R[: j + 1, : j + 1])), None)


def determines(R: np.ndarray) -> Any:
    """Whether each column of triangles (…, k, k) adds something, beyond rounding, to those before
    it: shape (…,).
    """
    own = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
    return (own > RANK_TOLERANCE * own.shape[-1] * np.hypot.reduce(R, axis=-2)).all(axis=-1)


def _one(column: Array | None, i: int) -> Array | None:
    """Of curve i: a column that all share, or its own."""
    return column if column is None or len(column.shape) == 1 else column[i, ...]


def _wide(mask: Any) -> np.ndarray:
    """A mask of curves, shape (…,), as one of their triangles."""
    return np.asarray(mask)[..., None, None]
