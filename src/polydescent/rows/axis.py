"""Dates, durations and large whole numbers as x: an origin and a unit make them float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np

from polydescent.arrays import Array, held_exactly, is_array, namespace, quiet
from polydescent.errors import BadCall, BadSetting, NotNumbers
from polydescent.frames import labeled_like
from polydescent.rows.calendar import (
    TICKS,
    UNITS,
    as_dates,
    as_durations,
    date_at,
    date_in,
    in_ticks,
    in_units,
    round_origin,
    seconds_in,
    shortest,
    text_of,
    tick_of,
)
from polydescent.rows.exact import (
    EXACT,
    checked_numbers,
    differences,
    number_in,
    origin_of,
    rounded,
)
from polydescent.sealed import schema

_A_NUMBER = "a number that double precision holds"


@dataclass(frozen=True)
class Axis:
    """The map x = (t − origin) / per-unit from what the user calls x (t) to float64.

    Plain numbers: origin 0. Large whole numbers: a whole origin near them, subtracted before
    rounding, so nanoseconds since 1970 lose nothing. Dates: origin in `tick`s ("ns", "us", "ms",
    "s") since 1970-01-01 UTC, and a unit: coefficients are per `unit`; while rows are read, x are
    ticks, and the unit is "". Durations: a unit alone, x counts how many of it; while rows are
    read, that is a tick.
    """

    origin: int = 0
    tick: str = ""
    unit: str = ""

    @property
    def is_dates(self) -> bool:
        return bool(self.tick)

    @property
    def is_durations(self) -> bool:
        return bool(self.unit) and not self.tick

    @property
    def is_plain(self) -> bool:
        return not self.origin and not self.tick and not self.unit

    @property
    def holds(self) -> str:
        """What the user's x are: "dates", "durations" or "numbers"."""
        return "dates" if self.is_dates else "durations" if self.is_durations else "numbers"

    @property
    def power_origin(self) -> int:
        """Where the x of the coefficients starts: they are in t for numbers, in x for dates."""
        return 0 if self.is_dates else self.origin

    @property
    def start(self) -> np.datetime64:
        """The date at x = 0."""
        return date_at(self.origin, self.tick)

    @property
    def _ticks_per_unit(self) -> int:
        return UNITS[self.unit] * TICKS[self.tick] if self.unit else 1

    def numbers(self, t: Any) -> Any:
        """x for what the user calls x, one or an array; NaT becomes NaN. Durations may also be
        numbers of their unit. Raises NotNumbers.
        """
        t = t.as_py() if hasattr(t, "as_py") else t  # one value of an Arrow array
        if not self.is_dates:
            durations = as_durations(t)
            if durations is None:
                t = checked_numbers(t)
                return differences(t, self.origin) if self.origin else rounded(t)
            if not self.is_durations:
                raise NotNumbers("x", "durations", "This fit is over numbers: pass real numbers.")
            return in_units(durations, self.unit)
        ticks = as_dates(t)
        if ticks is None:
            raise NotNumbers(
                "x", f"{type(t).__name__}", f"This fit is over dates since {self}: pass dates."
            )
        x = self.from_ticks(in_ticks(ticks, self.tick))
        return np.where(np.isnat(ticks), np.nan, x)

    def from_ticks(self, ticks: np.ndarray) -> np.ndarray:
        """x for ticks since 1970."""
        ends = (int(ticks.min()), int(ticks.max())) if ticks.size else (0, 0)
        if max(abs(end - self.origin) for end in ends) < 2**63:
            return (ticks - self.origin) / self._ticks_per_unit
        rough = ticks.astype(np.float64) - float(self.origin)  # the others would wrap around
        inside = np.abs(rough) < 2.0**62
        exact = np.where(inside, ticks, 0) - (self.origin if inside.any() else 0)
        return np.where(inside, exact, rough) / self._ticks_per_unit

    def number(self, t: Any) -> float:
        """x for one date or number."""
        try:
            return float(np.asarray(self.numbers(np.asarray(t) if self.is_dates else t)))
        except (TypeError, ValueError):
            raise NotNumbers("x", f"{type(t).__name__} {t!r:.40}") from None

    def place(self, x: float) -> Any:
        """What the user calls x, for one x: a date to its tick, or a float."""
        if self.is_dates:
            return date_at(self.origin + self._in_ticks(x), self.tick)
        return self.origin + round(x) if self.origin and x == round(x) else x + self.origin

    def label(self, x: float) -> str:
        """What the user calls x, as text."""
        if not math.isfinite(x):
            return str(x)
        if self.is_dates:
            date = self.place(x)
            return f"{x:.6g} {self.unit}s from {self}" if np.isnat(date) else text_of(date)
        return str(self.origin + round(x)) if self.origin else f"{x:.6g}"

    def shifted(self, date: np.datetime64, by: float) -> np.datetime64:
        """The date `by` units later; NaT where that is no date."""
        if not np.isfinite(by):
            return np.datetime64("NaT")
        ticks = int(in_ticks(np.asarray(date), self.tick))
        return date_at(ticks + self._in_ticks(by), self.tick)

    def _in_ticks(self, x: float) -> int:
        return round(Fraction(x) * self._ticks_per_unit)

    def answer(self, t: Any, function: Callable[[Array], Array]) -> Any:
        """function(x) for what the user calls x: a number for a number, an array for an array, a
        Series on the same index for a pandas Series.
        """
        x = self.numbers(t)
        with quiet():  # far outside, inf is the answer
            if not is_array(t):
                values = function(np.asarray(x, dtype=np.float64))
                return float(values) if np.ndim(values) == 0 else labeled_like(t, values)
            xp, values = namespace(x), function(x)
        floating = xp.isdtype(x.dtype, "real floating")
        return xp.astype(values, x.dtype, copy=False) if floating else values

    def __str__(self) -> str:
        if not self.is_dates:
            return str(self.origin)
        return text_of(self.start)

    # ── one axis and another ──

    def in_unit(self, lo: float, hi: float, unit: str) -> Axis:
        """Dates from lo to hi on the axis that people read: in units since a round origin."""
        least, greatest = self.origin + self._in_ticks(lo), self.origin + self._in_ticks(hi)
        return Axis(round_origin(least, greatest, TICKS[self.tick]), self.tick, unit)

    def joint(self, other: Axis) -> Axis:
        """The axis for rows of both. Raises BadCall for dates and numbers."""
        if self.holds != other.holds:
            dates, rest = (other, self) if other.is_dates else (self, other)
            since = f" (since {dates})" if dates.is_dates else ""
            raise BadCall(
                f"x holds {dates.holds} in one part of the rows{since} and {rest.holds} in "
                f"another: pass {dates.holds} in both, or {rest.holds} in both."
            )
        return other if self.is_plain else self

    def on(self, x: Any, to: Axis) -> Any:
        """The x of this axis, a number or an array of them, on another that may join it."""
        if self == to:
            return x
        if self.is_durations:
            ratio = seconds_in(self.unit) / seconds_in(to.unit)
            return x * float(ratio.numerator) / float(ratio.denominator)
        ticks = Fraction(TICKS[to.tick], TICKS[self.tick]) if self.is_dates else Fraction(1)
        shift = self.origin * ticks - to.origin
        return (x * float(ticks * self._ticks_per_unit) + float(shift)) / to._ticks_per_unit

    def places(self, x: np.ndarray) -> Any:
        """What the user calls x, for an array without NaN: dates, whole numbers of any size, or x
        itself.
        """
        if self.is_plain or self.is_durations:
            return x
        if not self.is_dates:
            return [self.place(v) for v in x.tolist()]
        ticks = np.rint(x * self._ticks_per_unit)
        known = np.abs(ticks + self.origin) < 2.0**63  # further away there is no date
        dates = (np.where(known, ticks, 0).astype(np.int64) + self.origin).view(f"M8[{self.tick}]")
        return np.where(known, dates, np.datetime64("NaT"))

    def texts(self, x: np.ndarray) -> list[str]:
        """The same as text, the shortest that tells them apart."""
        places = self.places(x)
        return (
            [shortest(t) for t in places.astype(str)]
            if self.is_dates
            else [str(place) for place in places]
        )

    def parsed(self, text: str) -> Any:
        """What the user calls x, from its text. Raises BadSetting."""
        try:
            return date_in(text) if self.is_dates else number_in(text)
        except ValueError:
            asked = "a date such as 2024-05-01 or 2024-05-01T12:30" if self.is_dates else _A_NUMBER
            raise BadSetting("x", text, asked) from None

    # ── in a file ──

    def to_record(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse. Raises Misfit."""
        axis = cls(**_RECORD(found, where))
        here = not (axis.is_durations and axis.origin)
        schema.check(here, f"{where}.origin", "0 where x is a duration", axis.origin)
        reach = _FURTHEST if axis.is_dates else ORIGINS
        schema.check(abs(axis.origin) < reach, f"{where}.origin", "in reach", axis.origin)
        return axis


PLAIN = Axis()
ORIGINS = 2**1023  # what an origin is below
_FURTHEST = 2**63  # ticks since 1970 of a date
_RECORD = schema.record(
    {
        "origin": schema.whole(-ORIGINS, ORIGINS),
        "tick": schema.choice(("", "s", "ms", "us", "ns")),
        "unit": schema.choice(("", *UNITS)),
    }
)


def read_axis(t: Any) -> Axis:
    """The axis to read a column on: PLAIN for numbers that float64 holds, ticks for dates and
    durations.
    """
    durations = as_durations(t)
    if durations is not None:
        step = np.datetime_data(durations.dtype)[0]
        return Axis(unit=step if step in TICKS else "s")
    dates = as_dates(t)
    if dates is None:
        return Axis(origin_of(held_exactly(t)))
    tick = tick_of(dates)
    known = in_ticks(dates, tick)[~np.isnat(dates)]
    ends = (int(known.min()), int(known.max())) if known.size else (0, 0)
    return Axis(round_origin(*ends, TICKS[tick]), tick)


def axis_of_halves(high: np.ndarray, low: np.ndarray, tick: str = "") -> tuple[Axis, np.ndarray]:
    """(axis, x) of whole numbers high · 2³² + low of any size, 0 ≤ low < 2³², NaN where missing.

    The origin is a multiple of 2³² near the first of them: a float64 too, as far as 2⁸⁵. Numbers of
    many sizes keep the origin 0: next to a far one, the small ones would lose digits.
    """
    known = high
    ends = (high.min(), high.max()) if high.size else (np.nan, np.nan)
    if not np.isfinite(ends).all():
        known = high[np.isfinite(high)]
        ends = (known.min(), known.max()) if known.size else (0.0, 0.0)
    least, most = ends
    beyond = max(-least, most) >= EXACT >> 32
    if beyond and not tick:
        beyond = most - least <= np.abs(known).min()
    first = float(known[0]) if beyond else 0.0
    x = high - first
    x *= 2.0**32
    x += low
    return Axis(int(first) << 32, tick), x


def place_in(text: str) -> Any:
    """What a user calls x, from text whose axis is not known yet: a number, or else a date.

    Raises ValueError.
    """
    try:
        return number_in(text)
    except ValueError:
        return date_in(text)
