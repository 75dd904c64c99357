"""Fits: the curves of many, the same words as a Fit, each with leading dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polydescent.arrays import Array, Kind
from polydescent.least_squares.stacks import inverse
from polydescent.many.status import FINE, Status, in_words
from polydescent.many.summaries import Summaries
from polydescent.polynomial.basis import Domain
from polydescent.regression.fit import Fit


@dataclass(frozen=True, eq=False)
class Fits:
    """Many fitted polynomials: call them on x; read how good each is.

    What a `Fit` says of one curve, of each: leading dimensions, written …, are the curves. Arrays
    come back in the library and on the device of the data, in float64; those of a curve without an
    answer hold NaN, and its `status` says why.

    Attributes
    ----------
    summaries
        The rows of each curve as a triangle.
    weights
        In Chebyshev polynomials on the domain of each curve, shape (…, degree + 1), on the host.
    status
        How each curve came out, shape (…,): see `Status`.
    absolute_sigma
        Whether the weights of the rows are 1/σ² with σ known in units of y.
    """

    summaries: Summaries
    weights: np.ndarray
    status: np.ndarray
    absolute_sigma: bool = False

    # ── what they are ──

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions."""
        return self.weights.shape[:-1]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def degree(self) -> int:
        """The highest power of x."""
        return self.weights.shape[-1] - 1

    @property
    def kind(self) -> Kind:
        """Where the arrays they give back live: of y, in float64."""
        kind = self.summaries.kind
        return Kind(kind.library, "float64", kind.device)

    @property
    def keys(self) -> Any:
        """A table with a row for each curve, None where curves go by position."""
        return self.summaries.keys

    @property
    def domain(self) -> Domain:
        """Where x lies, lo and hi of shape (…,)."""
        return self.summaries.triangle.domain

    @property
    def n(self) -> np.ndarray:
        """The number of rows used, shape (…,)."""
        return self.summaries.n

    @property
    def ok(self) -> np.ndarray:
        """Whether each curve has an answer that has arrived, shape (…,)."""
        return np.isin(self.status, FINE)

    def explain(self, place: Any) -> str:
        """How a curve came out, in words.

        Parameters
        ----------
        place
            Its position.
        """
        return self.summaries.explain(place) or Status(int(self.status[place])).words

    def __getitem__(self, place: Any) -> Fit | Fits:
        """One curve, as a whole `Fit`, or some of them, as Fits; by position."""
        some = self.weights[place]
        if some.ndim == 1:
            return self.summaries.at(place).fit(absolute_sigma=self.absolute_sigma)
        return Fits(self.summaries[place], some, self.status[place], self.absolute_sigma)  # type: ignore[arg-type]

    # ── how good they are ──

    @property
    def loss(self) -> Array:
        """Σ ω·(y − f(x))² of each curve, shape (…,), in units of y² (times weight)."""
        return self.kind.put(self._rss)

    @property
    def degrees_of_freedom(self) -> np.ndarray:
        """Rows used minus coefficients fitted, shape (…,)."""
        return self.n - self.degree - 1

    @cached_property
    def _rss(self) -> np.ndarray:
        return np.where(np.isnan(self.weights[..., 0]), np.nan, self.summaries.triangle.rss)

    @cached_property
    def _residual_sd(self) -> np.ndarray:
        freedom = self.degrees_of_freedom
        return np.sqrt(self._rss / np.where(freedom > 0, freedom, np.nan))

    @property
    def residual_sd(self) -> Array:
        """√(loss / degrees of freedom), shape (…,), in units of y (of one row of weight 1)."""
        return self.kind.put(self._residual_sd)

    @cached_property
    def _factor(self) -> np.ndarray:
        """Shape (…, k, k): factor·factorᵀ is the covariance of the weights in units of s²."""
        with np.errstate(all="ignore"):
            return inverse(self.summaries.triangle.R)

    def __repr__(self) -> str:
        count = int(np.prod(self.shape))
        return f"<Fits of {count:,} curves, degree {self.degree}: {in_words(self.status)}>"


def fits_of(summaries: Summaries, absolute_sigma: bool = False) -> Fits:
    """Exact least squares of every curve at the degree of its summary."""
    weights, status = summaries.solved
    return Fits(summaries, weights, status, absolute_sigma)
