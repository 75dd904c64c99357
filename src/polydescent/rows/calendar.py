"""Dates and durations, however they are held, as NumPy's, as ticks and as text."""

from __future__ import annotations

import datetime
import math
import re
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent.arrays import is_missing
from polydescent.errors import BadSetting, BeyondCalendar, NotNumbers

UNITS = {  # seconds in each; a year is the Julian year of 365.25 days
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "year": 31_557_600,
}
TICKS = {
    name: 1000**power for power, name in enumerate(("s", "ms", "us", "ns", "ps", "fs", "as"))
}  # in a second
_LONGER = {"W": 604_800, "D": 86_400, "h": 3600, "m": 60}  # NumPy's other units, in seconds
_DIGITS_OF_YEAR = 11  # of seconds since 1970 in int64


def check_unit(per: object) -> None:
    """Raise BadSetting for what is no unit of dates, and not None either."""
    if per is not None and (not isinstance(per, str) or per not in UNITS):
        raise BadSetting("per", per, f"one of {', '.join(UNITS)}")


def round_origin(least: int, greatest: int, second: int) -> int:
    """The least of some ticks, rounded down to the day, hour, minute or second that is shorter than
    their span: further down, digits would be lost.
    """
    span = greatest - least
    steps = [seconds * second for seconds in (86_400, 3600, 60, 1) if seconds * second <= span]
    step = steps[0] if steps else 1 if span else 86_400 * second
    return least // step * step


def as_durations(t: Any) -> np.ndarray | None:
    """t as timedelta64 where it holds durations, else None. Raises NotNumbers for calendar units,
    which have no length.
    """
    if isinstance(t, datetime.timedelta):
        array = np.asarray(_plain_duration(t))
    elif isinstance(t, np.timedelta64 | np.ndarray) or _says(t, "timedelta", "duration", "object"):
        array = np.asarray(t)
    elif isinstance(t, list | tuple) and isinstance(
        _first_known(t), datetime.timedelta | np.timedelta64
    ):
        array = np.array(t, dtype=object)
    else:
        return None
    if array.dtype == object:
        array = _durations_of_objects(array)
    if array is None or array.dtype.kind != "m":
        return None
    step = np.datetime_data(array.dtype)[0]
    if step not in TICKS and step not in _LONGER:
        raise NotNumbers(
            "x", f"durations in units of {step!r}", "Give them in days or a shorter unit."
        )
    return array


def _durations_of_objects(array: np.ndarray) -> np.ndarray | None:
    first = _first_known(array.ravel())
    if not isinstance(first, datetime.timedelta | np.timedelta64):
        return None
    flat = [np.timedelta64("NaT") if _is_gap(v) else v for v in array.ravel()]
    others = [v for v in flat if not isinstance(v, datetime.timedelta | np.timedelta64)]
    if others:
        raise NotNumbers("x", f"durations and {others[0]!r:.40}", "Pass durations only.")
    return np.array([_plain_duration(v) for v in flat]).reshape(array.shape)


def _plain_duration(value: Any) -> np.timedelta64:
    """NumPy's, exact: pandas' own keeps nanoseconds."""
    if isinstance(value, np.timedelta64):
        return value
    exact = hasattr(value, "to_timedelta64")
    return value.to_timedelta64() if exact else np.timedelta64(value, "us")


def in_units(durations: np.ndarray, unit: str) -> np.ndarray:
    """How many of the unit each duration is; NaT becomes NaN."""
    step, count = np.datetime_data(durations.dtype)
    length = Fraction(_LONGER[step]) if step in _LONGER else Fraction(1, TICKS[step])
    ratio = count * length / seconds_in(unit)
    whole, rest = np.divmod(durations.astype(np.int64), ratio.denominator)  # no digit lost
    numbers = whole * float(ratio.numerator) + rest * float(ratio.numerator) / ratio.denominator
    return np.where(np.isnat(durations), np.nan, numbers)


def seconds_in(unit: str) -> Fraction:
    """How long a unit of people or of ticks is."""
    return Fraction(UNITS[unit]) if unit in UNITS else Fraction(1, TICKS[unit])


def _says(t: Any, *kinds: str) -> bool:
    """Whether a container names its type, which begins with one of these words."""
    kind = str(getattr(t, "dtype", getattr(t, "type", ""))).lower()
    return kind.startswith(kinds)


def _is_gap(value: Any) -> bool:
    """Whether an object among dates or durations is a missing one."""
    return is_missing(value) or (isinstance(value, float) and math.isnan(value))


def _first_known(values: Any) -> Any:
    return next((v for v in values if not _is_gap(v)), None)


def as_dates(t: Any) -> np.ndarray | None:
    """t as datetime64 in UTC where it holds dates, else None."""
    if isinstance(t, np.ndarray | np.datetime64):
        array = np.asarray(t)
        return array if array.dtype.kind == "M" else _from_objects(array)
    if isinstance(t, datetime.date):
        return _from_objects(np.array(t, dtype=object))
    kind = str(getattr(t, "dtype", getattr(t, "type", "")))
    if _says(t, "datetime", "date", "timestamp", "object"):
        if "," in kind and hasattr(t, "dt") and hasattr(t.dt, "tz_convert"):
            t = t.dt.tz_convert("UTC").dt.tz_localize(None)
        elif "," in kind and hasattr(t, "tz_convert"):
            t = t.tz_convert("UTC").tz_localize(None)
        array = np.asarray(t)
        return array if array.dtype.kind == "M" else _from_objects(array.astype(object))
    if isinstance(t, list | tuple) and isinstance(_first_known(t), datetime.date | np.datetime64):
        return _from_objects(np.array(t, dtype=object))
    return None


def _from_objects(array: np.ndarray) -> np.ndarray | None:
    """datetime64 of an object array of dates, in UTC where they have a time zone."""
    if array.dtype != object or not array.size:
        return None
    flat = array.ravel()
    if not isinstance(_first_known(flat), datetime.date | np.datetime64):
        return None
    others = [v for v in flat if not (_is_gap(v) or isinstance(v, datetime.date | np.datetime64))]
    if others:
        raise NotNumbers("x", f"dates and {others[0]!r:.40}", "Pass dates only.")
    return np.array([_naive(v) for v in flat]).reshape(array.shape)  # in the finest of their units


def _naive(value: Any) -> np.datetime64:
    """A date without time zone, in UTC if it had one."""
    if _is_gap(value):
        return np.datetime64("NaT")
    if isinstance(value, np.datetime64):
        return value
    if hasattr(value, "to_datetime64"):  # pandas: keeps nanoseconds, in UTC
        return value.to_datetime64()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        # in int64: datetime itself ends at the years 1 and 9999, which a time zone may leave
        return np.datetime64(value.replace(tzinfo=None), "us") - np.timedelta64(value.utcoffset())
    return np.datetime64(value, "us")


def date_in(text: str) -> Any:
    """The date in an ISO text. Raises ValueError."""
    year = re.match(r"\d{4}(?!\d)|\d+(?=-)", text)  # not "today", "NaT" or a bare number
    if year is None or not 4 <= len(year[0]) <= _DIGITS_OF_YEAR:
        raise ValueError(text)
    if re.search(r"(Z|[+-]\d\d(:?\d\d)?)$", text.partition("T")[2]):  # NumPy knows no time zones
        return datetime.datetime.fromisoformat(text)
    whole, _, fraction = text.partition(".")
    for digits in (9, 6):  # nanoseconds reach from 1678 to 2261, and wrap around beyond
        date = np.datetime64(f"{whole}.{fraction[:digits]}" if fraction else text)
        if str(date).startswith(year[0]):
            return date
    raise ValueError(text)


def text_of(date: np.datetime64) -> str:
    return shortest(str(date))


def shortest(text: str) -> str:
    """The text of a date as short as it can be said."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole.removesuffix("T00:00:00")


def date_at(ticks: int, tick: str) -> np.datetime64:
    known = abs(ticks) < 2**63  # further away there is no date
    return np.datetime64(ticks if known else "NaT", tick)  # type: ignore[call-overload]


def tick_of(dates: np.ndarray) -> str:
    unit = np.datetime_data(dates.dtype)[0]
    return unit if unit in TICKS else "s"


def in_ticks(dates: np.ndarray, tick: str) -> np.ndarray:
    """Ticks since 1970, whole ones; a finer unit than the tick is kept by Axis choosing it
    beforehand. Rounded where int64 does not count so far. Raises BeyondCalendar.
    """
    unit = np.datetime_data(dates.dtype)[0]
    if unit in TICKS and TICKS[unit] > TICKS[tick]:
        whole = dates.astype(np.int64)
        return whole / (TICKS[unit] // TICKS[tick])
    ticks, wrapped = _counted(dates, tick)
    if not wrapped.any():
        return ticks
    if unit not in TICKS:  # days, months, years
        unit = "s"
        ticks, wrapped = _counted(dates, unit)
        if wrapped.any():
            raise BeyondCalendar(str(np.atleast_1d(dates)[np.atleast_1d(wrapped)][0]))
    else:
        ticks = dates.astype(np.int64)
    return ticks * float(TICKS[tick] // TICKS[unit])


def _counted(dates: np.ndarray, unit: str) -> tuple[np.ndarray, np.ndarray]:
    """(units since 1970, where that is wrong, for NumPy wraps around where int64 ends)."""
    counted = dates.astype(f"M8[{unit}]")
    right = (counted.astype(dates.dtype) == dates) | np.isnat(dates)
    return counted.astype(np.int64), ~right
