"""Rows of several features and targets as one triangle: products of Chebyshev polynomials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from polydescent.arrays import qr_triangle
from polydescent.errors import OutOfRange
from polydescent.least_squares.folds import shortest
from polydescent.memory import check_memory
from polydescent.polynomial.basis import CHEBYSHEV, Domain, change_of_basis, design_matrix
from polydescent.triangle.kernels.reference import normalized, stack
from polydescent.triangle.triangle import Triangle, checked_degree, determines

_BLOCK = 1 << 14  # rows whose terms are in memory at once, more where there are many terms
_LARGEST = 1e150  # its square, and sums of such squares, fit a double


# ── the terms ──


def terms(features: int, degree: int) -> np.ndarray:
    """The exponents of the products of total degree ≤ `degree`, by total degree, shape (k, p).

    Lower degrees are leading blocks, in the order of scikit-learn's PolynomialFeatures. Raises
    BadDegree, TooLarge.
    """
    degree = checked_degree(degree)
    k = comb(features + degree, degree)
    check_memory(
        f"A triangle of the {k:,} products of {features} features up to degree {degree}",
        24 * k * k,
        "Use a lower degree or fewer features.",
    )
    return _terms(features, degree)


@lru_cache(8)
def _terms(features: int, degree: int) -> np.ndarray:
    rows = [
        np.bincount(np.array(chosen, dtype=np.intp), minlength=features)
        for total in range(degree + 1)
        for chosen in combinations_with_replacement(range(features), total)
    ]
    found = np.array(rows).reshape(-1, features)
    found.flags.writeable = False
    return found


def sizes(features: int, degree: int) -> list[int]:
    """How many terms each degree from 0 has."""
    return [comb(features + d, d) for d in range(degree + 1)]


def features_of(U: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """The terms at places U of the box mapped to [−1, 1], shape (n, p), as columns: shape (n, k).

    A term with exponents e is ∏ T[e[j]](u[j]): an earlier one times one more polynomial.
    """
    degree = int(exponents.max(initial=0))
    single = [design_matrix(CHEBYSHEV, u, degree).T for u in U.T]
    out = np.empty((len(exponents), len(U)))
    out[0] = 1.0
    for i, (earlier, feature, power) in enumerate(_recipe(U.shape[1], degree), 1):
        np.multiply(out[earlier], single[feature][power], out=out[i])
    return out.T


@lru_cache(8)
def _recipe(features: int, degree: int) -> list[tuple[int, int, int]]:
    """For each term but the first: the earlier one, and the feature and power that make it this."""
    exponents = _terms(features, degree).tolist()
    place = {tuple(e): i for i, e in enumerate(exponents)}
    found = []
    for e in exponents[1:]:
        last = max(j for j, power in enumerate(e) if power)
        rest = tuple(0 if j == last else power for j, power in enumerate(e))
        found.append((place[rest], last, e[last]))
    return found


# ── where the features lie ──


@dataclass(frozen=True, eq=False)
class Box:
    """The smallest box that holds the rows: lo and hi of shape (p,), in units of each feature."""

    lo: np.ndarray
    hi: np.ndarray

    @classmethod
    def around(cls, X: np.ndarray) -> Box:
        """Of rows X, shape (n, p); without any, the empty one, which is the identity of `|`."""
        p = X.shape[1]
        if not len(X):
            return cls(np.full(p, np.inf), np.full(p, -np.inf))
        return cls(X.min(axis=0), X.max(axis=0))

    def __or__(self, other: Box) -> Box:
        return Box(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))

    @property
    def domain(self) -> Domain:
        """The intervals of all features as a stack."""
        return Domain(self.lo, self.hi)  # type: ignore[arg-type]

    def is_as(self, other: Box) -> bool:
        """Whether both are the same."""
        return np.array_equal(self.lo, other.lo) and np.array_equal(self.hi, other.hi)

    def to_unit(self, X: np.ndarray) -> np.ndarray:
        """U in [−1, 1] for rows in the box, shape (n, p); far outside it, whatever it is there."""
        return self.domain.to_unit(X)

    def widening(self, wider: Box, exponents: np.ndarray) -> np.ndarray:
        """The terms on this box written in those on a wider one, shape (…, k, k), upper triangular:
        the entrywise product of the changes of basis of each feature alone. lo and hi may be of
        shape (…, p), a stack of boxes.
        """
        degree = int(exponents.max(initial=0))
        with np.errstate(invalid="ignore"):  # of an empty box among others
            C = change_of_basis(CHEBYSHEV, CHEBYSHEV, degree, *self.domain.widening(wider.domain))
        whole = np.ones((*C.shape[:-3], len(exponents), len(exponents)))
        for j, e in enumerate(exponents.T):
            whole *= C[..., j, e[:, None], e]
        return whole


# ── the rows ──


@dataclass(frozen=True, eq=False)
class Table:
    """[[R, Z], [0, S]] with ‖V·w − y‖² = ‖R·w − z‖² + ‖s‖² for every w and each target y with its
    columns z of Z and s of S; V holds the terms of the rows on their box.

    Laws, all up to rounding: those of `Triangle`, which it is for one feature and one target.

    Attributes
    ----------
    array : shape (k + m, k + m), upper triangular, of k terms and m targets.
    box : where the p features lie.
    exponents : of the terms, shape (k, p).
    n : how many rows count.
    log_weights : Σ ln ω over those rows, 0 of rows without weights.
    """

    array: np.ndarray
    box: Box
    exponents: np.ndarray
    n: int
    log_weights: float = 0.0

    @classmethod
    def fold(
        cls, X: np.ndarray, Y: np.ndarray, weights: np.ndarray | None = None, degree: int = 3
    ) -> Table:
        """The table of rows X, shape (n, p), and targets Y, shape (n, m), in float64 and finite;
        weights ≥ 0 of shape (n,). Raises BadDegree, TooLarge, OutOfRange.
        """
        exponents = terms(X.shape[1], degree)
        if X.shape[1] == Y.shape[1] == 1 and len(X):
            return cls.of_triangle(Triangle.fold(X[:, 0], Y[:, 0], weights, degree))
        if weights is not None:
            use = weights > 0
            X, Y, weights = X[use], Y[use], weights[use]
        logs = 0.0 if weights is None else float(np.log(weights).sum())
        box = Box.around(X)
        side = len(exponents) + Y.shape[1]
        array = np.zeros((side, side))
        for rows in _blocks(len(X), side):
            A = np.hstack((features_of(box.to_unit(X[rows]), exponents), Y[rows]))
            if weights is not None:
                A *= np.sqrt(weights[rows])[:, None]
            part = np.vstack((array, A)) if rows.start else A
            with np.errstate(over="ignore", invalid="ignore"):
                array = normalized(qr_triangle(part))
        if not np.abs(array).max(initial=0.0) <= _LARGEST:
            raise OutOfRange("The sum of squares of y", "Divide y by a constant first.")
        return cls(array, box, exponents, len(X), logs)

    @classmethod
    def of_triangle(cls, triangle: Triangle) -> Table:
        """That of one feature and one target."""
        box = Box(np.array([triangle.domain.lo]), np.array([triangle.domain.hi]))
        exponents = _terms(1, triangle.degree)
        return cls(triangle.array, box, exponents, int(triangle.n), float(triangle.log_weights))

    @property
    def triangle(self) -> Triangle:
        """The same as a triangle, of one feature and one target."""
        domain = Domain(float(self.box.lo[0]), float(self.box.hi[0]))
        return Triangle(self.array, domain, self.n, self.log_weights)

    def __add__(self, other: Table) -> Table:
        """The table of the rows of both, of the same features, targets and degree."""
        n, logs = self.n + other.n, self.log_weights + other.log_weights
        if not self.n or not other.n:
            return replace(self if self.n else other, n=n, log_weights=logs)
        box = self.box | other.box
        array = stack(self.rebased(box).array, other.rebased(box).array)
        return replace(self, array=array, box=box, n=n, log_weights=logs)

    def rebased(self, box: Box) -> Table:
        """The same rows on a wider box."""
        if not self.n or self.box.is_as(box):
            return replace(self, box=box)
        return replace(self, array=on_one_box([self], box)[0], box=box)

    @property
    def k(self) -> int:
        """How many terms there are."""
        return len(self.exponents)

    @property
    def targets(self) -> int:
        """How many y there are."""
        return len(self.array) - self.k

    @property
    def total_weight(self) -> float:
        """Σ ω, the square of the length of the constant."""
        return float(self.array[0, 0] ** 2)

    @property
    def degree(self) -> int:
        """The highest total degree."""
        return int(self.exponents.sum(axis=1).max(initial=0))

    def lower(self, degree: int) -> Table:
        """The table at a lower degree: the leading block, and in S what the others explained."""
        exponents = _terms(self.exponents.shape[1], degree)
        k, m = len(exponents), self.targets
        array = np.zeros((k + m, k + m))
        array[:k] = np.hstack((self.array[:k, :k], self.array[:k, self.k :]))
        array[k:, k:] = normalized(qr_triangle(self.array[k:, self.k :]))
        return replace(self, array=array, exponents=exponents)

    def solve(self) -> np.ndarray:
        """The weights of least squares, shape (k, m): those of the smallest norm where the rows do
        not determine them.
        """
        R, Z = self.array[: self.k, : self.k], self.array[: self.k, self.k :]
        return np.linalg.solve(R, Z) if determines(R) else shortest(R, Z)


def on_one_box(tables: Sequence[Table], box: Box) -> np.ndarray:
    """The arrays of tables of one degree as a stack on a box that holds theirs, shape
    (P, k + m, k + m).
    """
    k, arrays = tables[0].k, np.stack([table.array for table in tables])
    boxes = Box(np.stack([t.box.lo for t in tables]), np.stack([t.box.hi for t in tables]))
    C = boxes.widening(box, tables[0].exponents)
    moved = np.array([table.n > 0 and not table.box.is_as(box) for table in tables])
    arrays[moved, :k, :k] = arrays[moved, :k, :k] @ C[moved]
    return arrays


def predicted(X: np.ndarray, box: Box, exponents: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The targets at rows X, shape (n, m), for weights of shape (k, m)."""
    out = np.empty((len(X), weights.shape[1]))
    for rows in _blocks(len(X), len(exponents)):
        out[rows] = features_of(box.to_unit(X[rows]), exponents) @ weights
    return out


def _blocks(n: int, columns: int) -> Iterator[slice]:
    """Slices of rows whose terms stay in the cache, and outnumber the columns."""
    step = max((1 << 20) // columns, 4 * columns)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))
