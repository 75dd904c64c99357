"""What a Fit says about its uncertainty, in the user's words: each is the word of its curve."""

from __future__ import annotations

from typing import Any

from polydescent.arrays import Array
from polydescent.least_squares.uncertain import Estimate, Extremum, Root, UncertainCurve


class Inference:
    """Standard errors and what follows, for whatever has an `uncertain` curve."""

    @property
    def uncertain(self) -> UncertainCurve:
        """The curve with the covariance of its weights."""
        raise NotImplementedError

    @property
    def covariance(self) -> Array:
        """Of the coefficients, shape (k, k), in units of `coef`²."""
        return self.uncertain.covariance

    @property
    def stderr(self) -> Array:
        """Standard errors of the coefficients, shape (k,), in units of `coef`; 0 for those held."""
        return self.uncertain.stderr

    def confidence_interval(self, level: float = 0.95) -> Array:
        """(low, high) of each coefficient, shape (k, 2), which holds the true one in `level` of all
        samples, by Student's t.
        """
        return self.uncertain.confidence_interval(level)

    def confidence_band(self, x: Any, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high), of the kind of x, which holds the true curve at each x in `level` of all
        samples.
        """
        return self.uncertain.band(x, level)

    def derivative(self, order: int = 1) -> UncertainCurve:
        """The derivative, with standard errors: per unit of x, of dates per `axis.unit`."""
        return self.uncertain.derivative(order)

    def integral(self, a: Any, b: Any) -> Estimate:
        """∫ of the curve from a to b, with its standard error."""
        return self.uncertain.integral(a, b)

    def roots(self, everywhere: bool = False) -> list[Root]:
        """Where the curve is 0, with standard errors: in the domain, or on all of the real line."""
        return self.uncertain.roots(everywhere)

    def inverse(self, y: float, everywhere: bool = False, *, sigma: float = 0.0) -> list[Root]:
        """The x at which the curve is y, with standard errors: in the domain, or everywhere.

        y: a number, in units of y. sigma: the standard deviation of that y, in units of y, 0 where
        it is given rather than measured. Raises BadSetting.
        """
        return self.uncertain.inverse(y, everywhere, sigma=sigma)

    def extrema(self, everywhere: bool = False) -> list[Extremum]:
        """Where the curve turns, with standard errors of place and value."""
        return self.uncertain.extrema(everywhere)
