"""Numbers and places on a curve that are known up to a standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polydescent.least_squares.student import quantile
from polydescent.rows.axis import PLAIN, Axis


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number known up to a standard error, both in the same unit.

    Attributes
    ----------
    value
        A number, or a date (numpy.datetime64) where x holds dates.
    stderr
        Its standard error, in the unit of the value; of a date, in `unit`.
    freedom
        Degrees of freedom of the standard error, infinite where sigma was known beforehand.
    unit
        Of the standard error where x holds dates or durations; "" elsewhere.
    axis
        How dates became numbers.

    Examples
    --------
    >>> from polydescent import fit
    >>> area = fit([0, 1, 2, 3], [1, 3, 5, 8], degree=1).integral(0, 3)
    >>> print(area)
    12.75 ± 0.58
    """

    value: Any
    stderr: float
    freedom: float
    unit: str = ""
    axis: Axis = PLAIN

    def confidence_interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high), in the unit of the value, which holds the true one in `level` of all
        samples.

        value ± t·stderr, with t of Student's distribution.

        Parameters
        ----------
        level
            Share of samples, between 0 and 1; default 0.95.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        reach = quantile(level, self.freedom) * self.stderr
        if self.axis.is_dates:
            return self.axis.shifted(self.value, -reach), self.axis.shifted(self.value, reach)
        return self.value - reach, self.value + reach

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        value = f"{self.value}" if self.axis.is_dates else f"{self.value:.6g}"
        return f"{value} ± {self.stderr:.2g}{' ' + self.unit if self.unit else ''}"


@dataclass(frozen=True, repr=False)
class Root(Estimate):
    """A place where the curve has a given value: it crosses it there, or only touches it.

    Where a curve touches a value, other samples have two such places or none: the standard error
    says how far away.

    Attributes
    ----------
    value, stderr, freedom, unit, axis
        As of `Estimate`, in units of x.
    order
        How many roots lie there, closer than rounding tells apart; 1 where it simply crosses.
    """

    order: int = 1

    @property
    def touches(self) -> bool:
        """Whether the curve stays on one side."""
        return self.order % 2 == 0

    def __str__(self) -> str:
        return f"{super().__str__()}{' (touches)' if self.touches else ''}"


@dataclass(frozen=True, repr=False)
class Extremum:
    """A place where the curve turns: x and the value there, each with its standard error.

    Attributes
    ----------
    x
        The place, in units of x.
    value
        The curve there, in units of y.
    kind
        "minimum" or "maximum".
    """

    x: Estimate
    value: Estimate
    kind: str  # "minimum" or "maximum"

    def __repr__(self) -> str:
        return f"<Extremum: {self}>"

    def __str__(self) -> str:
        return f"{self.kind} {self.value} at x = {self.x}"
