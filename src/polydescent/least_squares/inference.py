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
        """Of the coefficients, shape (k, k), in units of `coef`²: s²·(VᵀWV)⁻¹, s² = rss/(n − k), or
        1 where sigma is absolute.
        """
        return self.uncertain.covariance

    @property
    def stderr(self) -> Array:
        """Standard errors of the coefficients, shape (k,), in units of `coef`; 0 for those held."""
        return self.uncertain.stderr

    def confidence_interval(self, level: float = 0.95) -> Array:
        """(low, high) of each coefficient, which holds the true one in `level` of all samples.

        coef ± t·stderr, with t of Student's distribution, normal where sigma is absolute.

        Parameters
        ----------
        level
            Share of samples, between 0 and 1; default 0.95.

        Returns
        -------
        Array
            Shape (k, 2), in units of `coef`; NaN without degrees of freedom.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        return self.uncertain.confidence_interval(level)

    def confidence_band(self, x: Any, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high), in units of y, which holds the true curve at each x in `level` of all
        samples.

        f(x) ± t·se(f(x)): at each x by itself, not for all x at once.

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        level
            Share of samples, between 0 and 1; default 0.95.

        Returns
        -------
        low, high
            Each of the shape and kind of x.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        return self.uncertain.band(x, level)

    def derivative(self, order: int = 1) -> UncertainCurve:
        """The derivative, with standard errors, in units of y per unit of x (of dates, per
        `axis.unit`) to the order.

        Parameters
        ----------
        order
            1 to 99; default 1, the slope.

        Raises
        ------
        BadSetting
            For another order.
        """
        return self.uncertain.derivative(order)

    def integral(self, a: Any, b: Any) -> Estimate:
        """∫ f(x) dx from a to b, with its standard error, in units of y times units of x (of dates,
        of `axis.unit`).

        Parameters
        ----------
        a, b
            The ends, in the units of the data's x; a > b gives the negative.

        Raises
        ------
        BadSetting
            For ends that are not finite.
        """
        return self.uncertain.integral(a, b)

    def roots(self, everywhere: bool = False) -> list[Root]:
        """Where the curve is 0, ascending, with standard errors, in units of x.

        Parameters
        ----------
        everywhere
            False (default), within the domain of the data, or True, on all of the real line.
        """
        return self.uncertain.roots(everywhere)

    def inverse(self, y: float, everywhere: bool = False, *, sigma: float = 0.0) -> list[Root]:
        """The x at which the curve is y, ascending, with standard errors, in units of x:
        calibration.

        Parameters
        ----------
        y
            A number, in units of y.
        everywhere
            False (default), within the domain of the data, or True, on all of the real line.
        sigma
            The standard deviation of that y, in units of y, ≥ 0; 0 (default) where it is given
            rather than measured.

        Raises
        ------
        BadSetting
            For a y or sigma that is none.
        """
        return self.uncertain.inverse(y, everywhere, sigma=sigma)

    def extrema(self, everywhere: bool = False) -> list[Extremum]:
        """Where the curve turns, ascending, with standard errors of place (in units of x) and value
        (of y).

        Parameters
        ----------
        everywhere
            False (default), within the domain of the data, or True, on all of the real line.
        """
        return self.uncertain.extrema(everywhere)
