"""Dates and large whole numbers as x: an origin and a unit that turn them into float64 and back."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent.arrays import Array, is_array, namespace
from polydescent.errors import BadSetting, NotNumbers

UNITS = {  # seconds in each; a year is the Julian year of 365.25 days
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "year": 31_557_600,
}
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second
_EXACT = 2**53  # whole numbers beyond it are not all float64
_NAT = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Axis:
    """The map x = (t − origin) / per-unit from what the user calls x (t) to float64.

    Plain numbers: origin 0. Large whole numbers: a whole origin near them, subtracted before
    rounding, so nanoseconds since 1970 lose nothing. Dates: origin in `tick`s ("ns", "us", "ms",
    "s") since 1970-01-01 UTC, and a unit: coefficients are per `unit`.
    """

    origin: int = 0
    tick: str = ""
    unit: str = ""

    @property
    def is_dates(self) -> bool:
        return bool(self.tick)

    @property
    def is_plain(self) -> bool:
        return not self.origin and not self.tick

    @property
    def power_origin(self) -> int:
        """Where the x of the coefficients starts: they are in t for numbers, in x for dates."""
        return 0 if self.is_dates else self.origin

    @property
    def start(self) -> np.datetime64:
        """The date at x = 0."""
        return _date(self.origin, self.tick)

    @property
    def _ticks_per_unit(self) -> int:
        return UNITS[self.unit] * _TICKS[self.tick] if self.is_dates else 1

    def numbers(self, t: Any) -> Any:
        """x for an array of what the user calls x; NaT becomes NaN. Raises NotNumbers."""
        if self.is_plain:
            return t
        if not self.is_dates:
            return _differences(t, self.origin)
        ticks = _as_dates(t)
        if ticks is None:
            raise NotNumbers(
                "x", f"{type(t).__name__}", f"This fit is over dates since {self}: pass dates."
            )
        whole = _in_ticks(ticks, self.tick)
        x = (whole - self.origin) / self._ticks_per_unit
        return np.where(np.isnat(ticks), np.nan, x)

    def number(self, t: Any) -> float:
        """x for one date or number."""
        try:
            return float(np.asarray(self.numbers(np.asarray(t) if self.is_dates else t)))
        except (TypeError, ValueError):
            raise NotNumbers("x", f"{type(t).__name__} {t!r:.40}") from None

    def place(self, x: float) -> Any:
        """What the user calls x, for one x: a date to its tick, or a float."""
        if self.is_dates:
            return _date(self.origin + self._in_ticks(x), self.tick)
        return x + self.origin

    def label(self, x: float) -> str:
        """What the user calls x, as text."""
        if self.is_dates:
            return str(self.place(x)).removesuffix("T00:00:00")
        return str(self.origin + round(x)) if self.origin else f"{x:.6g}"

    def shifted(self, date: np.datetime64, by: float) -> np.datetime64:
        """The date `by` units later; NaT where that is no date."""
        if not np.isfinite(by):
            return np.datetime64("NaT")
        ticks = int(_in_ticks(np.asarray(date), self.tick))
        return _date(ticks + self._in_ticks(by), self.tick)

    def _in_ticks(self, x: float) -> int:
        return round(Fraction(x) * self._ticks_per_unit)

    def answer(self, t: Any, function: Callable[[Array], Array]) -> Any:
        """function(x) for what the user calls x: a number for a number, an array for an array."""
        x = self.numbers(t)
        if not is_array(x):
            values = function(np.asarray(x, dtype=np.float64))
            return float(values) if np.ndim(values) == 0 else values
        xp, values = namespace(x), function(x)
        if isinstance(values, np.generic) or (isinstance(values, np.ndarray) and not values.ndim):
            return float(values) if not is_array(t) else values
        if xp.isdtype(x.dtype, "real floating"):
            return xp.astype(values, x.dtype, copy=False)
        return values

    def __str__(self) -> str:
        if not self.is_dates:
            return str(self.origin)
        return str(self.start.astype("M8[D]")) if self._is_midnight else str(self.start)

    @property
    def _is_midnight(self) -> bool:
        return self.origin % (86_400 * _TICKS[self.tick]) == 0


PLAIN = Axis()


def read_axis(t: Any, per: str | None = None) -> Axis:
    """The axis that suits a column: PLAIN for numbers that float64 holds.

    per: the unit of dates, one of UNITS; left out, days. Raises BadSetting.
    """
    if per is not None and per not in UNITS:
        raise BadSetting("per", per, f"one of {', '.join(UNITS)}")
    dates = _as_dates(t)
    if dates is not None:
        tick = _tick(dates)
        known = _in_ticks(dates, tick)[~np.isnat(dates)]
        midnight = 86_400 * _TICKS[tick]
        origin = int(known.min()) // midnight * midnight if known.size else 0
        return Axis(origin, tick, per or "day")
    if per is not None:
        raise BadSetting("per", per, "left out where x holds numbers: only dates have a unit")
    return _axis_of_whole(t)


def _axis_of_whole(t: Any) -> Axis:
    """An origin for whole numbers too large for float64, the least of them."""
    ends = _whole_ends(t)
    return Axis(ends[0]) if ends and max(map(abs, ends)) > _EXACT else PLAIN


def _whole_ends(t: Any) -> tuple[int, int] | None:
    """(least, greatest) of a column of whole numbers, None for any other column."""
    if is_array(t):
        whole = t.shape and t.shape[0] and namespace(t).isdtype(t.dtype, "integral")
        return (int(t.min()), int(t.max())) if whole else None
    if type(t) in (list, tuple, range):
        whole = len(t) and all(type(v) is int for v in t)
        return (min(t), max(t)) if whole else None
    if str(getattr(t, "dtype", "")).lower().startswith(("int", "uint")):  # a Series
        return _whole_ends(np.asarray(t))
    return None


def _differences(t: Any, origin: int) -> Any:
    """t − origin as float64, subtracted as whole numbers where t are whole."""
    if is_array(t):
        xp = namespace(t)
        if not xp.isdtype(t.dtype, "integral"):
            return t - float(origin)
        if isinstance(t, np.ndarray) and t.dtype.kind == "u":
            return (t - np.uint64(origin)).astype(np.float64)
        return xp.astype(t - origin, xp.float64)
    if np.ndim(t) == 0:
        return float(Fraction(t) - origin)
    return _differences(np.asarray(t), origin)


# ── dates, however they are held ──


def _as_dates(t: Any) -> np.ndarray | None:
    """t as datetime64 in UTC where it holds dates, else None."""
    if isinstance(t, np.ndarray | np.datetime64):
        array = np.asarray(t)
        return array if array.dtype.kind == "M" else _from_objects(array)
    if isinstance(t, datetime.date):
        return _from_objects(np.array(t, dtype=object))
    kind = str(getattr(t, "dtype", ""))
    if kind.lower().startswith(("datetime", "date", "timestamp")):
        if "," in kind and hasattr(t, "dt") and hasattr(t.dt, "tz_convert"):
            t = t.dt.tz_convert("UTC").dt.tz_localize(None)
        elif "," in kind and hasattr(t, "tz_convert"):
            t = t.tz_convert("UTC").tz_localize(None)
        array = np.asarray(t)
        return array if array.dtype.kind == "M" else _from_objects(array.astype(object))
    if isinstance(t, list | tuple) and t and isinstance(t[0], datetime.date | np.datetime64):
        return _from_objects(np.array(t, dtype=object))
    return None


def _from_objects(array: np.ndarray) -> np.ndarray | None:
    """datetime64 of an object array of dates, in UTC where they have a time zone."""
    if array.dtype != object or not array.size:
        return None
    flat = array.ravel()
    first = next((v for v in flat if v is not None and type(v).__name__ != "NaTType"), None)
    if not isinstance(first, datetime.date | np.datetime64):
        return None
    finest = "M8[ns]" if any(hasattr(v, "to_datetime64") for v in flat) else "M8[us]"
    try:
        return np.array([_naive(v) for v in flat], dtype=finest).reshape(array.shape)
    except (TypeError, ValueError) as why:
        raise NotNumbers("x", f"dates among other things ({why})", "Pass dates only.") from None


def _naive(value: Any) -> Any:
    """A date without time zone, in UTC if it had one."""
    if value is None or type(value).__name__ == "NaTType":
        return np.datetime64("NaT")
    if hasattr(value, "to_datetime64"):  # pandas: keeps nanoseconds, in UTC
        return value.to_datetime64()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


def _date(ticks: int, tick: str) -> np.datetime64:
    return np.datetime64(ticks, tick)  # type: ignore[call-overload]


def _tick(dates: np.ndarray) -> str:
    unit = np.datetime_data(dates.dtype)[0]
    return unit if unit in _TICKS else "s"


def _in_ticks(dates: np.ndarray, tick: str) -> np.ndarray:
    """Whole ticks since 1970; a finer unit than the tick is kept by Axis choosing it beforehand."""
    unit = np.datetime_data(dates.dtype)[0]
    if unit in _TICKS and _TICKS[unit] > _TICKS[tick]:
        whole = dates.astype(np.int64)
        return whole / (_TICKS[unit] // _TICKS[tick])
    return dates.astype(f"M8[{tick}]").astype(np.int64)
