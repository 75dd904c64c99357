"""What the data leave uncertain about a curve: standard errors, intervals, bands, roots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from polydescent.arrays import Array, Kind, quiet, to_host
from polydescent.basis import CHEBYSHEV, Domain, evaluate
from polydescent.dates import PLAIN, Axis
from polydescent.errors import BadSetting
from polydescent.polynomial import Polynomial

_ROUNDING = 1e-12  # of the size of the weights: what a root may leave
_TOUCHING = 1e-6  # imaginary part, in u, up to which two roots count as one that touches


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number known up to a standard error, both in the same unit.

    value: a date (numpy.datetime64) where x holds dates. freedom: degrees of freedom of the
    standard error, infinite where sigma was known beforehand. unit: of the standard error, if any.
    """

    value: Any
    stderr: float
    freedom: float
    unit: str = ""
    axis: Axis = PLAIN

    def confidence_interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high), which holds the true value in `level` of all samples, by Student's t."""
        reach = quantile(level, self.freedom) * self.stderr
        if self.axis.is_dates:
            return self.axis.shifted(self.value, -reach), self.axis.shifted(self.value, reach)
        return self.value - reach, self.value + reach

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"<Estimate {self}>"

    def __str__(self) -> str:
        value = f"{self.value}" if self.axis.is_dates else f"{self.value:.6g}"
        return f"{value} ± {self.stderr:.2g}{' ' + self.unit if self.unit else ''}"


@dataclass(frozen=True, repr=False)
class Extremum:
    """A place where the curve turns: x and the value there, each with its standard error."""

    x: Estimate
    value: Estimate
    kind: str  # "minimum" or "maximum"

    def __repr__(self) -> str:
        return f"<Extremum: {self}>"

    def __str__(self) -> str:
        return f"{self.kind} {self.value} at x = {self.x}"


@dataclass(frozen=True, eq=False)
class UncertainCurve:
    """A polynomial whose weights are known up to a covariance: f itself, or a derivative of it.

    weights: Chebyshev weights on `domain`, shape (k,). root: shape (k, m), root·rootᵀ is their
    covariance. freedom: degrees of freedom of the residual variance in it, infinite where sigma was
    known beforehand. kind: of the arrays it gives back. axis: how the user's x becomes that of the
    domain. powers, root_in_powers: the same for the coefficients of 1, x, x², …, where they are
    known better than by converting. Standard errors of nonlinear results (roots, extrema) are to
    first order (delta method).
    """

    weights: np.ndarray
    root: np.ndarray
    domain: Domain
    freedom: float
    kind: Kind = field(default=Kind())
    axis: Axis = PLAIN
    powers: np.ndarray | None = None
    root_in_powers: np.ndarray | None = None

    def __call__(self, x: Any) -> Any:
        """The curve at x, same shape and kind as x."""
        return self.axis.answer(x, Polynomial(CHEBYSHEV, self.domain, self.weights))

    # ── at given x ──

    def stderr_at(self, x: Any) -> Any:
        """The standard error of the curve at x, same shape and kind as x."""
        return self.axis.answer(x, self._stderr_inside)

    def _stderr_inside(self, x: Array) -> Array:
        u = self.domain.to_unit(x)
        columns = (evaluate(CHEBYSHEV, column, u) for column in self.root.T)
        total = 0.0 * u
        for column in columns:
            total = total + column * column
        return total**0.5

    def band(self, x: Any, level: float, extra_variance: float = 0.0) -> tuple[Any, Any]:
        """(low, high) around the curve at x, each of the shape and kind of x."""
        reach = quantile(level, self.freedom)
        curve = Polynomial(CHEBYSHEV, self.domain, self.weights)

        def edge(sign: float) -> Callable[[Array], Array]:
            def at(x: Array) -> Array:
                spread = (self._stderr_inside(x) ** 2 + extra_variance) ** 0.5
                return curve(x) + sign * reach * spread

            return at

        return self.axis.answer(x, edge(-1.0)), self.axis.answer(x, edge(1.0))

    def confidence_band(self, x: Any, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high) which holds the true curve at each x in `level` of all samples."""
        return self.band(x, level)

    # ── in powers of x ──

    @cached_property
    def _powers(self) -> np.ndarray:
        if self.powers is not None:
            return self.powers
        return _in_powers(self.weights, self.domain, self.axis.power_origin)

    @cached_property
    def _root(self) -> np.ndarray:
        if self.root_in_powers is not None:
            return self.root_in_powers
        columns = [_in_powers(c, self.domain, self.axis.power_origin) for c in self.root.T]
        return np.array(columns).reshape(-1, len(self.weights)).T

    @property
    def coef(self) -> Array:
        """Coefficients of 1, x, x², …, shape (k,)."""
        return self.kind.put(self._powers)

    @property
    def covariance(self) -> Array:
        """Of the coefficients, shape (k, k)."""
        return self.kind.put(self._root @ self._root.T)

    @property
    def stderr(self) -> Array:
        """Standard errors of the coefficients, shape (k,)."""
        return self.kind.put(np.sqrt((self._root**2).sum(axis=1)))

    def confidence_interval(self, level: float = 0.95) -> Array:
        """(low, high) of each coefficient, shape (k, 2)."""
        reach = quantile(level, self.freedom) * np.sqrt((self._root**2).sum(axis=1))
        return self.kind.put(np.stack((self._powers - reach, self._powers + reach), axis=1))

    # ── what follows from it ──

    def derivative(self, order: int = 1) -> UncertainCurve:
        """The derivative per unit of x, of the given order, with its covariance."""
        whole = isinstance(order, int | np.integer) and not isinstance(order, bool)
        if not whole or not 1 <= order < 100:
            raise BadSetting("order", order, "a whole number from 1 to 99")
        with quiet():  # a slope beyond float64 is infinite
            weights = self._slope_of(self.weights, int(order))
            root = np.array([self._slope_of(column, int(order)) for column in self.root.T])
        root = root.reshape(-1, len(weights)).T
        return replace(self, weights=weights, root=root, powers=None, root_in_powers=None)

    def _slope_of(self, weights: np.ndarray, order: int) -> np.ndarray:
        """Weights of the derivative; one order at a time, or half^−order would leave float64."""
        for _ in range(min(order, len(weights))):
            weights = chebyshev.chebder(weights) / self.domain.half
        return weights

    def integral(self, a: Any, b: Any) -> Estimate:
        """∫ of the curve from a to b, in units of y times x. Raises BadSetting."""
        ends = self.domain.to_unit(np.array([self.axis.number(a), self.axis.number(b)]))
        k = len(self.weights)
        with quiet():
            from_mid = np.array([chebyshev.chebval(ends, chebyshev.chebint(e)) for e in np.eye(k)])
            weight = self.domain.half * (from_mid[:, 1] - from_mid[:, 0])
        if not np.isfinite(weight).all():
            raise BadSetting("a and b", (a, b), "finite, and such that the integral is")
        return Estimate(float(weight @ self.weights), _norm(weight @ self.root), self.freedom)

    def roots(self, everywhere: bool = False) -> list[Estimate]:
        """Where the curve is 0, ascending: within the domain, or everywhere on the real line.

        A root where the curve only touches 0 has an infinite standard error. None for f = 0.
        """
        slope = self.derivative()
        return [
            self._place(x, _ratio(self._stderr(x), slope._value(x)))
            for x in _real_roots(self.weights, self.domain, everywhere)
        ]

    def extrema(self, everywhere: bool = False) -> list[Extremum]:
        """Where the curve turns, ascending: within the domain, or everywhere on the real line."""
        slope, bend = self.derivative(), self.derivative(2)
        found = []
        for x in _real_roots(slope.weights, self.domain, everywhere):
            if not bend._value(x):
                continue
            place = self._place(x, _ratio(slope._stderr(x), bend._value(x)))
            value = Estimate(self._value(x), self._stderr(x), self.freedom)
            found.append(Extremum(place, value, "minimum" if bend._value(x) > 0 else "maximum"))
        return found

    def _value(self, x: float) -> float:
        return float(Polynomial(CHEBYSHEV, self.domain, self.weights)(np.float64(x)))

    def _stderr(self, x: float) -> float:
        return float(self._stderr_inside(np.float64(x)))

    def _place(self, x: float, stderr: float) -> Estimate:
        return Estimate(self.axis.place(x), stderr, self.freedom, self.axis.unit, self.axis)


def quantile(level: float, freedom: float) -> float:
    """t with P(|T| ≤ t) = level for Student's t, the normal distribution at infinite freedom."""
    check_level(level)
    if not freedom >= 1:
        return math.nan
    from scipy import special  # a tenth of a second: only where a quantile is asked for

    if math.isinf(freedom):
        return float(special.ndtri((1 + level) / 2))
    return float(special.stdtrit(freedom, (1 + level) / 2))


def check_level(level: Any) -> None:
    """Raises BadSetting for a confidence level that is none."""
    if not (isinstance(level, int | float | np.floating) and 0 < level < 1):
        raise BadSetting("level", level, "between 0 and 1, such as 0.95")


def _in_powers(weights: np.ndarray, domain: Domain, origin: int) -> np.ndarray:
    return Polynomial(CHEBYSHEV, domain, weights).powers(origin)


def _real_roots(weights: np.ndarray, domain: Domain, everywhere: bool) -> list[float]:
    """Real zeros in x of Chebyshev weights, ascending, each polished by Newton's method."""
    size = float(np.abs(weights).sum())
    significant = np.flatnonzero(np.abs(weights) > _ROUNDING * 1e-3 * size)
    if not significant.size or significant[-1] == 0 or not np.isfinite(size):
        return []
    trimmed = weights[: significant[-1] + 1]
    slope = chebyshev.chebder(trimmed)
    found: list[float] = []
    for root in np.sort_complex(chebyshev.chebroots(trimmed)):
        u = float(root.real)
        if abs(root.imag) > _TOUCHING * (1 + abs(u)):
            continue
        for _ in range(3):
            steep = chebyshev.chebval(u, slope)
            step = chebyshev.chebval(u, trimmed) / steep if steep else 0.0
            u -= float(step) if abs(step) < _TOUCHING * (1 + abs(u)) else 0.0
        if abs(chebyshev.chebval(u, trimmed)) > _ROUNDING * size * max(1.0, abs(u)) ** len(trimmed):
            continue
        inside = abs(u) <= 1 + _ROUNDING
        if (everywhere or inside) and not (found and abs(u - found[-1]) < _TOUCHING):
            found.append(u)
    return [float(np.float64(domain.mid) + domain.half * u) for u in found]


def _ratio(above: float, below: float) -> float:
    return above / abs(below) if below else math.inf


def _norm(vector: np.ndarray) -> float:
    return float(np.sqrt((np.asarray(to_host(vector)) ** 2).sum()))
