"""What the data leave uncertain about a curve: standard errors, intervals, bands, roots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polydescent.arrays import Array, Kind, namespace, quiet, to_host
from polydescent.checks import finite, whole
from polydescent.errors import BadSetting
from polydescent.least_squares.estimate import Estimate, Extremum, Root
from polydescent.least_squares.places import lifted, stderr_of_root
from polydescent.least_squares.student import quantile
from polydescent.polynomial.basis import CHEBYSHEV, Domain, evaluate
from polydescent.polynomial.curve import Polynomial, nearest_float
from polydescent.polynomial.roots import Zero, real_zeros
from polydescent.polynomial.text import equation
from polydescent.rows.axis import PLAIN, Axis
from polydescent.visible import shortened

_ROUNDING = Fraction(1, 1 << 50)  # of the size of a curve: what its weights may be off by


@dataclass(frozen=True, eq=False)
class UncertainCurve:
    """A polynomial whose weights are known up to a covariance: f itself, or a derivative of it.

    The standard error of a root is to first order (delta method): se(f)/|f′|. Where the curve stays
    within 2·se(f) of 0 more than twice as far as that says, which is about roots that are nearly
    one, it is half of how far it stays there; so it is for extrema, the roots of f′.

    Attributes
    ----------
    weights
        Chebyshev weights on `domain`, shape (k,), in units of the curve.
    factor
        Shape (k, m), factor·factorᵀ is their covariance.
    domain
        The interval of x in float64.
    freedom
        Degrees of freedom of the residual variance in it, infinite where sigma was known
        beforehand.
    kind
        Of the arrays it gives back.
    axis
        How the user's x becomes that of the domain.
    powers, factor_in_powers
        The same for the coefficients of 1, x, x², …, where they are known better than by
        converting.
    exact
        The weights, where they are known better than rounded.
    size
        Of what was rounded, in units of the curve; the sum of the sizes of the weights where None.
    """

    weights: np.ndarray
    factor: np.ndarray
    domain: Domain
    freedom: float
    kind: Kind = field(default=Kind())
    axis: Axis = PLAIN
    powers: np.ndarray | None = None
    factor_in_powers: np.ndarray | None = None
    exact: tuple[Fraction, ...] | None = None
    size: Fraction | None = None

    def __call__(self, x: Any) -> Any:
        """The curve at x, same shape and kind as x.

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        """
        return self.axis.answer(x, Polynomial(CHEBYSHEV, self.domain, self.weights))

    def __repr__(self) -> str:
        x = "t" if self.axis.is_dates else "x"
        text = shortened(equation(self._powers, x), 200)
        ends = f"{x} from {self.axis.label(self.domain.lo)} to {self.axis.label(self.domain.hi)}"
        return f"<UncertainCurve {text}; {ends}, {self.freedom:g} degrees of freedom>"

    # ── at given x ──

    def stderr_at(self, x: Any) -> Any:
        """The standard error of the curve at x, in its units, same shape and kind as x.

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        """
        return self.axis.answer(x, self._stderr_inside)

    def _stderr_inside(self, x: Array) -> Array:
        u = self.domain.to_unit(x)
        columns = (evaluate(CHEBYSHEV, column, u) for column in self.factor.T)
        total = 0.0 * u
        for column in columns:
            total = total + column * column
        return total**0.5

    def band(self, x: Any, level: float, extra_variance: Any = 0.0) -> tuple[Any, Any]:
        """(low, high) around the curve at x, each of the shape and kind of x, in units of the
        curve.

        f(x) ± t·√(se(f(x))² + extra_variance), with t of Student's distribution.

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        level
            Share of samples, between 0 and 1.
        extra_variance
            Added to that of the curve, in units of it squared: one, or one for each x; default 0.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        reach = quantile(level, self.freedom)
        curve = Polynomial(CHEBYSHEV, self.domain, self.weights)

        def edge(sign: float) -> Callable[[Array], Array]:
            def at(x: Array) -> Array:
                extra = extra_variance if namespace(x) is np else Kind.of(x).put(extra_variance)
                spread = (self._stderr_inside(x) ** 2 + extra) ** 0.5
                return curve(x) + sign * reach * spread

            return at

        return self.axis.answer(x, edge(-1.0)), self.axis.answer(x, edge(1.0))

    def confidence_band(self, x: Any, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high) which holds the true curve at each x in `level` of all samples, in units of
        the curve.

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        level
            Share of samples, between 0 and 1; default 0.95.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        return self.band(x, level)

    # ── in powers of x ──

    @cached_property
    def _powers(self) -> np.ndarray:
        if self.powers is not None:
            return self.powers
        return _in_powers(self.weights, self.domain, self.axis.power_origin)

    @cached_property
    def _root(self) -> np.ndarray:
        if self.factor_in_powers is not None:
            return self.factor_in_powers
        columns = [_in_powers(c, self.domain, self.axis.power_origin) for c in self.factor.T]
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
        """(low, high) of each coefficient, shape (k, 2), in units of `coef`.

        Parameters
        ----------
        level
            Share of samples, between 0 and 1; default 0.95.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        reach = quantile(level, self.freedom) * np.sqrt((self._root**2).sum(axis=1))
        return self.kind.put(np.stack((self._powers - reach, self._powers + reach), axis=1))

    # ── what follows from it ──

    def derivative(self, order: int = 1) -> UncertainCurve:
        """The derivative per unit of x, of the given order, with its covariance.

        Parameters
        ----------
        order
            1 to 99; default 1.

        Raises
        ------
        BadSetting
            For another order.
        """
        order = whole("order", order, 1, 99)
        with quiet():  # a slope beyond float64 is infinite
            weights = self._slope_of(self.weights, order)
            factor = np.array([self._slope_of(column, order) for column in self.factor.T])
        factor = factor.reshape(-1, len(weights)).T
        exact, size = self._exact, self._size
        for k in range(len(self.weights) - 1, len(self.weights) - 1 - order, -1):
            exact = _exact_slope(exact, self.domain)
            size *= max(k, 0) / Fraction(self.domain.half_width)
        return replace(
            self,
            weights=weights,
            factor=factor,
            powers=None,
            factor_in_powers=None,
            exact=exact,
            size=size,
        )

    def _slope_of(self, weights: np.ndarray, order: int) -> np.ndarray:
        """Weights of the derivative; one order at a time, or half^−order would leave float64."""
        for _ in range(min(order, len(weights))):
            weights = np.polynomial.chebyshev.chebder(weights) / self.domain.half_width
        return weights

    def integral(self, a: Any, b: Any) -> Estimate:
        """∫ of the curve from a to b, in units of the curve times x.

        Parameters
        ----------
        a, b
            The ends, in the units of the data's x; a > b gives the negative.

        Raises
        ------
        BadSetting
            For ends that are not finite.
        """
        ends = self.domain.to_unit(np.array([self.axis.number(a), self.axis.number(b)]))
        k = len(self.weights)
        with quiet():
            of = np.polynomial.chebyshev
            from_mid = np.array([of.chebval(ends, of.chebint(e)) for e in np.eye(k)])
            weight = self.domain.half_width * (from_mid[:, 1] - from_mid[:, 0])
        if not np.isfinite(weight).all():
            raise BadSetting("a and b", (a, b), "finite, and such that the integral is")
        return Estimate(float(weight @ self.weights), _norm(weight @ self.factor), self.freedom)

    def roots(self, everywhere: bool = False) -> list[Root]:
        """Where the curve is 0, ascending, in units of x; none for f = 0.

        Parameters
        ----------
        everywhere
            False (default), within the domain, or True, on all of the real line.
        """
        return self.inverse(0.0, everywhere)

    def inverse(self, y: float, everywhere: bool = False, *, sigma: float = 0.0) -> list[Root]:
        """The x at which the curve is y, ascending, in units of x.

        Parameters
        ----------
        y
            A number, in units of the curve.
        everywhere
            False (default), within the domain, or True, on all of the real line.
        sigma
            The standard deviation of that y, ≥ 0; 0 (default) where it is given rather than
            measured.

        Raises
        ------
        BadSetting
            For a y or sigma that is none.
        """
        y, sigma = finite("y", y), finite("sigma", sigma)
        if sigma < 0:
            raise BadSetting("sigma", sigma, "0 or more")
        if not self._exact:
            return []
        weights = lifted(self._exact, -Fraction(y))
        rounding = _ROUNDING * (self._size + abs(Fraction(y)))
        found = []
        for zero in real_zeros(weights, rounding, everywhere) if rounding else []:
            x = self._x(zero)
            spread = math.hypot(self._stderr(x), sigma)
            stderr = self.domain.half_width * stderr_of_root(weights, rounding, zero, spread)
            found.append(Root(**vars(self._place(x, stderr)), order=zero.order))
        return found

    def extrema(self, everywhere: bool = False) -> list[Extremum]:
        """Where the curve turns, ascending.

        Parameters
        ----------
        everywhere
            False (default), within the domain, or True, on all of the real line.
        """
        slope, found = self.derivative(), []
        weights, rounding = slope._exact, _ROUNDING * slope._size
        for zero in real_zeros(weights, rounding, everywhere) if rounding else []:
            if zero.crosses:
                x = self._x(zero)
                reach = stderr_of_root(weights, rounding, zero, slope._stderr(x))
                place = self._place(x, self.domain.half_width * reach)
                value = Estimate(self._value(x), self._stderr(x), self.freedom)
                found.append(Extremum(place, value, "minimum" if zero.crosses > 0 else "maximum"))
        return found

    @cached_property
    def _exact(self) -> tuple[Fraction, ...]:
        """The weights as rationals; none of a descent that diverged."""
        if self.exact is not None or not np.isfinite(self.weights).all():
            return self.exact or ()
        return tuple(map(Fraction, self.weights.tolist()))

    @property
    def _size(self) -> Fraction:
        return sum(map(abs, self._exact), Fraction(0)) if self.size is None else self.size

    def _x(self, zero: Zero) -> float:
        return nearest_float(Fraction(self.domain.mid) + Fraction(self.domain.half_width) * zero.u)

    def _value(self, x: float) -> float:
        return float(Polynomial(CHEBYSHEV, self.domain, self.weights)(np.float64(x)))

    def _stderr(self, x: float) -> float:
        return float(self._stderr_inside(np.float64(x)))

    def _place(self, x: float, stderr: float) -> Estimate:
        return Estimate(self.axis.place(x), stderr, self.freedom, self.axis.unit, self.axis)


def _in_powers(weights: np.ndarray, domain: Domain, origin: int) -> np.ndarray:
    return Polynomial(CHEBYSHEV, domain, weights).powers(origin)


def _exact_slope(weights: tuple[Fraction, ...], domain: Domain) -> tuple[Fraction, ...]:
    """Chebyshev weights of the derivative: w′[k−1] = w′[k+1] + 2k·w[k], the first one halved."""
    slopes = [Fraction(0)] * (len(weights) + 1)
    for k in range(len(weights) - 1, 0, -1):
        slopes[k - 1] = slopes[k + 1] + 2 * k * weights[k] / Fraction(domain.half_width)
    return (slopes[0] / 2, *slopes[1 : max(len(weights) - 1, 1)]) if weights else ()


def _norm(vector: np.ndarray) -> float:
    return float(np.sqrt((np.asarray(to_host(vector)) ** 2).sum()))
