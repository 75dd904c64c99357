"""Sums over rows of Chebyshev polynomials up to four times the degree: what batches of rows do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

import numpy as np

from polydescent.polynomial.basis import CHEBYSHEV, Domain, change_of_basis
from polydescent.sealed import schema
from polydescent.sealed.document import exactly

_BLOCK = 1 << 13  # rows at once
_SUMS = {"plain": 4, "crossed": 3, "squared": 2}  # and how many times the degree they reach


@dataclass(frozen=True, eq=False)
class Moments:
    """Σ ω²·T_m up to m = 4d, Σ ω²·y·T_m up to 3d, Σ ω²·y²·T_m up to 2d, of n rows on a domain.

    ω is the weight of a row; one that was seen c times counts c times. They add as summaries do.

    plain, crossed, squared: shape (4d + 1,), (3d + 1,), (2d + 1,), with y in units of y.
    """

    domain: Domain
    n: int
    plain: np.ndarray
    crossed: np.ndarray
    squared: np.ndarray

    @classmethod
    def fold(
        cls,
        x: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        counts: np.ndarray | None,
        degree: int,
        domain: Domain,
    ) -> Moments:
        """Those of rows on the host, shape (n,) each, of which those of weight or count 0 do not
        count; x in the domain.
        """
        rows, sums = 0, np.zeros((3, 4 * degree + 1))
        for start in range(0, len(x), _BLOCK):
            some = slice(start, start + _BLOCK)
            share = np.ones(len(x[some])) if weights is None else weights[some] ** 2
            seen = np.ones(len(share)) if counts is None else counts[some]
            share = share * seen
            live = share != 0
            u, rest = domain.to_unit(x[some][live]), y[some][live]
            columns = share[live] * np.stack((np.ones_like(rest), rest, rest * rest))
            rows += int(seen[live].sum())
            before, here = u, np.ones_like(u)  # T₋₁ = T₁ starts the recurrence
            for m in range(4 * degree + 1):
                sums[:, m] += columns @ here
                before, here = here, 2 * u * here - before
        return cls(domain, rows, sums[0], sums[1, : 3 * degree + 1], sums[2, : 2 * degree + 1])

    def to_record(self) -> dict[str, Any]:
        """Plain lists and numbers, without the domain."""
        return {"n": self.n, **{name: exactly(getattr(self, name)) for name in _SUMS}}

    @classmethod
    def from_record(cls, found: Any, where: str, degree: int, domain: Domain) -> Self:
        """The inverse, for the degree and the domain of a triangle. Raises Misfit."""
        forms = {name: schema.array((i * degree + 1,)) for name, i in _SUMS.items()}
        values = schema.record({"n": schema.whole(0)} | forms)(found, where)
        return cls(domain, **values)

    @property
    def degree(self) -> int:
        """Of the curves whose descents they foretell."""
        return (len(self.plain) - 1) // 4

    def __add__(self, other: Moments) -> Moments:
        """Those of the rows of both, on the union of their domains; of one degree."""
        if not self.n or not other.n:
            return self if self.n else other
        domain = self.domain | other.domain
        ours, theirs = self.rebased(domain), other.rebased(domain)
        sums = (a + b for a, b in zip(ours._sums, theirs._sums, strict=True))
        return Moments(domain, self.n + other.n, *sums)

    def rebased(self, domain: Domain) -> Moments:
        """The same rows on a wider domain."""
        if domain == self.domain:
            return self
        scale, shift = self.domain.widening(domain)
        C = change_of_basis(CHEBYSHEV, CHEBYSHEV, 4 * self.degree, scale, shift)
        return Moments(domain, self.n, *(C[: len(s), : len(s)].T @ s for s in self._sums))

    def lower(self, degree: int) -> Moments:
        """Those of a lower degree."""
        ends = (4 * degree + 1, 3 * degree + 1, 2 * degree + 1)
        return Moments(
            self.domain, self.n, *(s[:end] for s, end in zip(self._sums, ends, strict=True))
        )

    def about(self, weights: np.ndarray) -> Moments:
        """The same with y less the curve of these Chebyshev weights, shape (degree + 1,)."""
        d = self.degree
        once = _times(self.plain, weights)  # Σ ω²·p·T_m up to 3d
        twice = _times(once, weights)
        crossed = _times(self.crossed, weights)
        squared = self.squared - 2 * crossed[: 2 * d + 1] + twice[: 2 * d + 1]
        return replace(self, crossed=self.crossed - once, squared=squared)

    @property
    def _sums(self) -> tuple[np.ndarray, ...]:
        return tuple(getattr(self, name) for name in _SUMS)

    # ── as sums over rows of products of v = (T₀ … T_d) ──

    @property
    def fourth(self) -> np.ndarray:
        """Σ ω²·v⊗v⊗v⊗v, shape (k, k, k, k)."""
        k = self.degree + 1
        P = _pairs(k)
        return (P @ _products(self.plain, 2 * k - 1, 2 * k - 1) @ P.T).reshape(k, k, k, k)

    @property
    def third(self) -> np.ndarray:
        """Σ ω²·y·v⊗v⊗v, shape (k, k, k)."""
        k = self.degree + 1
        return (_pairs(k) @ _products(self.crossed, 2 * k - 1, k)).reshape(k, k, k)

    @property
    def second(self) -> np.ndarray:
        """Σ ω²·y²·v⊗v, shape (k, k)."""
        k = self.degree + 1
        return (_pairs(k) @ self.squared).reshape(k, k)


def _products(sums: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Σ T_s·T_t = (Σ T_{s+t} + Σ T_{|s−t|})/2, shape (rows, columns)."""
    s, t = np.arange(rows)[:, None], np.arange(columns)
    return (sums[s + t] + sums[abs(s - t)]) / 2


def _times(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Σ p·T_m of a curve p for all m that the sums reach."""
    return _products(sums, len(sums) - len(weights) + 1, len(weights)) @ weights


@cache
def _pairs(k: int) -> np.ndarray:
    """T_a·T_b as sums of T_s: shape (k², 2k − 1)."""
    P = np.zeros((k, k, 2 * k - 1))
    a, b = np.indices((k, k))
    np.add.at(P, (a, b, a + b), 0.5)
    np.add.at(P, (a, b, abs(a - b)), 0.5)
    return P.reshape(k * k, 2 * k - 1)
