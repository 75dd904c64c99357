"""Dates and large whole numbers as x: an origin and a unit that turn them into float64 and back."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent.arrays import Array, is_array, namespace, quiet
from polydescent.errors import BadCall, BadSetting, NotNumbers

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
    "s") since 1970-01-01 UTC, and a unit: coefficients are per `unit`; while rows are read, x are
    ticks, and the unit is "".
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
        return UNITS[self.unit] * _TICKS[self.tick] if self.unit else 1

    def numbers(self, t: Any) -> Any:
        """x for what the user calls x, one or an array; NaT becomes NaN. Raises NotNumbers."""
        if not self.is_dates:
            t = _checked(t)
            return _differences(t, self.origin) if self.origin else t
        ticks = _as_dates(t)
        if ticks is None:
            raise NotNumbers(
                "x", f"{type(t).__name__}", f"This fit is over dates since {self}: pass dates."
            )
        x = self.from_ticks(_in_ticks(ticks, self.tick))
        return np.where(np.isnat(ticks), np.nan, x)

    def from_ticks(self, ticks: np.ndarray) -> np.ndarray:
        """x for ticks since 1970."""
        return (ticks - self.origin) / self._ticks_per_unit

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
        return self.origin + round(x) if self.origin and x == round(x) else x + self.origin

    def label(self, x: float) -> str:
        """What the user calls x, as text."""
        if not math.isfinite(x):
            return str(x)
        if self.is_dates:
            return _text(self.place(x))
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
        with quiet():  # far outside, inf is the answer
            if not is_array(t) or x.dtype == object:
                values = function(np.asarray(x, dtype=np.float64))
                return float(values) if np.ndim(values) == 0 else values
            xp, values = namespace(x), function(x)
        floating = xp.isdtype(x.dtype, "real floating")
        return xp.astype(values, x.dtype, copy=False) if floating else values

    def __str__(self) -> str:
        if not self.is_dates:
            return str(self.origin)
        return _text(self.start)

    # ── one axis and another ──

    def settled(self, lo: float, hi: float, unit: str) -> Axis:
        """Dates from lo to hi on the axis that people read: in units since a round origin."""
        least, greatest = self.origin + self._in_ticks(lo), self.origin + self._in_ticks(hi)
        return Axis(_round_origin(least, greatest, _TICKS[self.tick]), self.tick, unit)

    def joint(self, other: Axis) -> Axis:
        """The axis for rows of both. Raises BadCall for dates and numbers."""
        if self.is_dates != other.is_dates:
            raise BadCall(
                f"x holds dates in one part of the rows (since {self if self.is_dates else other}) "
                "and numbers in another: pass dates in both, or numbers in both."
            )
        return other if self.is_plain else self

    def moved(self, x: Any, to: Axis) -> Any:
        """The x of this axis, a number or an array of them, on another that may join it."""
        if self == to:
            return x
        ticks = Fraction(_TICKS[to.tick], _TICKS[self.tick]) if self.is_dates else Fraction(1)
        shift = self.origin * ticks - to.origin
        return (x * float(ticks * self._ticks_per_unit) + float(shift)) / to._ticks_per_unit

    def places(self, x: np.ndarray) -> Any:
        """What the user calls x, for an array without NaN: dates, whole numbers of any size, or x
        itself.
        """
        if self.is_plain:
            return x
        if not self.is_dates:
            return [self.place(v) for v in x.tolist()]
        ticks = np.rint(x * self._ticks_per_unit).astype(np.int64) + self.origin
        return ticks.view(f"M8[{self.tick}]")

    def texts(self, x: np.ndarray) -> list[str]:
        """The same as text, the shortest that tells them apart."""
        places = self.places(x)
        return (
            [_short(t) for t in places.astype(str)]
            if self.is_dates
            else [str(place) for place in places]
        )

    def parsed(self, text: str) -> Any:
        """What the user calls x, from its text. Raises BadSetting."""
        try:
            return _date_in(text) if self.is_dates else _number_in(text)
        except ValueError:
            asked = "a date such as 2024-05-01 or 2024-05-01T12:30" if self.is_dates else "a number"
            raise BadSetting("x", text, asked) from None


PLAIN = Axis()


def check_unit(per: object) -> None:
    """Raise BadSetting for what is no unit of dates, and not None either."""
    if per is not None and (not isinstance(per, str) or per not in UNITS):
        raise BadSetting("per", per, f"one of {', '.join(UNITS)}")


def read_axis(t: Any) -> Axis:
    """The axis to read a column on: PLAIN for numbers that float64 holds, ticks for dates."""
    dates = _as_dates(t)
    if dates is None:
        return _axis_of_whole(t)
    tick = _tick(dates)
    known = _in_ticks(dates, tick)[~np.isnat(dates)]
    ends = (int(known.min()), int(known.max())) if known.size else (0, 0)
    return Axis(_round_origin(*ends, _TICKS[tick]), tick)


def axis_of_halves(high: np.ndarray, low: np.ndarray, tick: str = "") -> tuple[Axis, np.ndarray]:
    """(axis, x) of whole numbers high · 2³² + low of any size, 0 ≤ low < 2³², NaN where missing.

    The origin is a multiple of 2³² near the first of them: a float64 too, as far as 2⁸⁵. Numbers of
    many sizes keep the origin 0: next to a far one, the small ones would lose digits.
    """
    known = high[np.isfinite(high)]
    beyond = known.size and max(-known.min(), known.max()) >= _EXACT >> 32
    if beyond and not tick:
        beyond = known.max() - known.min() <= np.abs(known).min()
    first = float(known[0]) if beyond else 0.0
    return Axis(int(first) << 32, tick), (high - first) * 2.0**32 + low


def _round_origin(least: int, greatest: int, second: int) -> int:
    """The least of some ticks, rounded down to the day, hour, minute or second that is shorter than
    their span: further down, digits would be lost.
    """
    span = greatest - least
    steps = [seconds * second for seconds in (86_400, 3600, 60, 1) if seconds * second <= span]
    step = steps[0] if steps else 1 if span else 86_400 * second
    return least // step * step


def _checked(t: Any) -> Any:
    """Numbers as they are, other things than arrays as float64. Raises NotNumbers."""
    if not is_array(t):
        if isinstance(t, int | float | np.integer):
            return t
        if t is None:
            raise NotNumbers("x", "None")
        try:
            array = np.asarray(t)
        except ValueError:
            raise NotNumbers("x", f"{type(t).__name__} of unequal rows") from None
        if array.dtype.kind != "O":
            return _checked(array)
        try:  # Decimal, Fraction, whole numbers of any size
            return array if array.size and _all_whole(array) else array.astype(np.float64)
        except (TypeError, ValueError):
            raise NotNumbers("x", f"{type(t).__name__} {t!r:.40}") from None
    xp = namespace(t)
    if not xp.isdtype(t.dtype, ("real floating", "integral", "bool")):
        raise NotNumbers("x", f"{t.dtype}", "This fit is over numbers: pass real numbers.")
    return t


def _all_whole(array: np.ndarray) -> bool:
    return all(isinstance(v, int) for v in array.ravel())


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
    if not is_array(t):
        return float(Fraction(t) - origin) if math.isfinite(t) else float(t)
    if t.dtype == object:
        return np.array([float(v - origin) for v in t.ravel()]).reshape(t.shape)
    xp = namespace(t)
    if not xp.isdtype(t.dtype, "integral"):
        return t - float(origin)
    least, greatest = (int(t.min()), int(t.max())) if math.prod(t.shape) else (0, 0)
    if greatest - least >= 2**63 and isinstance(t, np.ndarray):  # would wrap around
        return _differences(t.astype(object), origin)
    from_least = xp.astype(t - (np.array(least, t.dtype) if xp is np else least), xp.float64)
    return from_least + float(least - origin)


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
    others = [v for v in flat if not _is_date(v)]
    if others:
        raise NotNumbers("x", f"dates and {others[0]!r:.40}", "Pass dates only.")
    finest = "M8[ns]" if any(hasattr(v, "to_datetime64") for v in flat) else "M8[us]"
    return np.array([_naive(v) for v in flat], dtype=finest).reshape(array.shape)


def _is_date(value: Any) -> bool:
    missing = value is None or type(value).__name__ == "NaTType"
    return missing or isinstance(value, datetime.date | np.datetime64)


def _naive(value: Any) -> Any:
    """A date without time zone, in UTC if it had one."""
    if value is None or type(value).__name__ == "NaTType":
        return np.datetime64("NaT")
    if hasattr(value, "to_datetime64"):  # pandas: keeps nanoseconds, in UTC
        return value.to_datetime64()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


def _date_in(text: str) -> Any:
    """The date in an ISO text. Raises ValueError."""
    if not text[:4].isdecimal() or len(text) < 4:  # "today", "NaT", a bare number
        raise ValueError(text)
    if re.search(r"(Z|[+-]\d\d(:?\d\d)?)$", text.partition("T")[2]):  # NumPy knows no time zones
        return datetime.datetime.fromisoformat(text)
    return np.datetime64(text)


def _number_in(text: str) -> int | float:
    """A number, whole ones of any size exactly. Raises ValueError."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(date: np.datetime64) -> str:
    return _short(str(date))


def _short(text: str) -> str:
    """The text of a date as short as it can be said."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole.removesuffix("T00:00:00")


def _date(ticks: int, tick: str) -> np.datetime64:
    known = abs(ticks) < 2**63  # further away there is no date
    return np.datetime64(ticks if known else "NaT", tick)  # type: ignore[call-overload]


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
