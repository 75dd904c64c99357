"""Dates, durations and large whole numbers as x: an origin and a unit make them float64."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

import numpy as np

from polydescent.arrays import Array, columns, held_exactly, is_array, is_missing, namespace, quiet
from polydescent.errors import BadCall, BadSetting, BeyondCalendar, NotNumbers, OutOfRange
from polydescent.frames import on_index_of
from polydescent.sealed import schema

UNITS = {  # seconds in each; a year is the Julian year of 365.25 days
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "year": 31_557_600,
}
_TICKS = {
    name: 1000**power for power, name in enumerate(("s", "ms", "us", "ns", "ps", "fs", "as"))
}  # in a second
_LONGER = {"W": 604_800, "D": 86_400, "h": 3600, "m": 60}  # NumPy's other units, in seconds
_LARGEST = float(np.finfo(np.float64).max)
_TOO_LARGE = ("Some x", "Divide x by a constant first.")
_DIGITS_OF_YEAR = 11  # of seconds since 1970 in int64
_A_NUMBER = "a number that double precision holds"
_EXACT = 2**53  # whole numbers beyond it are not all float64


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
        return _date(self.origin, self.tick)

    @property
    def _ticks_per_unit(self) -> int:
        return UNITS[self.unit] * _TICKS[self.tick] if self.unit else 1

    def numbers(self, t: Any) -> Any:
        """x for what the user calls x, one or an array; NaT becomes NaN. Durations may also be
        numbers of their unit. Raises NotNumbers.
        """
        t = t.as_py() if hasattr(t, "as_py") else t  # one value of an Arrow array
        if not self.is_dates:
            durations = _as_durations(t)
            if durations is None:
                t = _checked(t)
                return _differences(t, self.origin) if self.origin else _rounded(t)
            if not self.is_durations:
                raise NotNumbers("x", "durations", "This fit is over numbers: pass real numbers.")
            return _in_units(durations, self.unit)
        ticks = _as_dates(t)
        if ticks is None:
            raise NotNumbers(
                "x", f"{type(t).__name__}", f"This fit is over dates since {self}: pass dates."
            )
        x = self.from_ticks(_in_ticks(ticks, self.tick))
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
            return _date(self.origin + self._in_ticks(x), self.tick)
        return self.origin + round(x) if self.origin and x == round(x) else x + self.origin

    def label(self, x: float) -> str:
        """What the user calls x, as text."""
        if not math.isfinite(x):
            return str(x)
        if self.is_dates:
            date = self.place(x)
            return f"{x:.6g} {self.unit}s from {self}" if np.isnat(date) else _text(date)
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
        """function(x) for what the user calls x: a number for a number, an array for an array, a
        Series on the same index for a pandas Series.
        """
        x = self.numbers(t)
        with quiet():  # far outside, inf is the answer
            if not is_array(t):
                values = function(np.asarray(x, dtype=np.float64))
                return float(values) if np.ndim(values) == 0 else on_index_of(t, values)
            xp, values = namespace(x), function(x)
        floating = xp.isdtype(x.dtype, "real floating")
        return xp.astype(values, x.dtype, copy=False) if floating else values

    def __str__(self) -> str:
        if not self.is_dates:
            return str(self.origin)
        return _text(self.start)

    # ── one axis and another ──

    def in_unit(self, lo: float, hi: float, unit: str) -> Axis:
        """Dates from lo to hi on the axis that people read: in units since a round origin."""
        least, greatest = self.origin + self._in_ticks(lo), self.origin + self._in_ticks(hi)
        return Axis(_round_origin(least, greatest, _TICKS[self.tick]), self.tick, unit)

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
            ratio = _seconds(self.unit) / _seconds(to.unit)
            return x * float(ratio.numerator) / float(ratio.denominator)
        ticks = Fraction(_TICKS[to.tick], _TICKS[self.tick]) if self.is_dates else Fraction(1)
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
            [_short(t) for t in places.astype(str)]
            if self.is_dates
            else [str(place) for place in places]
        )

    def parsed(self, text: str) -> Any:
        """What the user calls x, from its text. Raises BadSetting."""
        try:
            return _date_in(text) if self.is_dates else _number_in(text)
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


def check_unit(per: object) -> None:
    """Raise BadSetting for what is no unit of dates, and not None either."""
    if per is not None and (not isinstance(per, str) or per not in UNITS):
        raise BadSetting("per", per, f"one of {', '.join(UNITS)}")


def read_axis(t: Any) -> Axis:
    """The axis to read a column on: PLAIN for numbers that float64 holds, ticks for dates and
    durations.
    """
    durations = _as_durations(t)
    if durations is not None:
        step = np.datetime_data(durations.dtype)[0]
        return Axis(unit=step if step in _TICKS else "s")
    dates = _as_dates(t)
    if dates is None:
        return _axis_of_whole(held_exactly(t))
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
    """Numbers as they are, in an array unless it is one number or a tensor. Raises NotNumbers."""
    if not is_array(t):
        if isinstance(t, int | float | np.integer):
            if isinstance(t, int) and abs(t) > _LARGEST:
                raise OutOfRange(*_TOO_LARGE)
            return int(t) if isinstance(t, np.integer) else t
        if t is None:
            raise NotNumbers("x", "None")
        array = held_exactly(t)
        if not isinstance(array, np.ndarray):
            try:
                array = np.asarray(t)
            except ValueError:
                raise NotNumbers("x", f"{type(t).__name__} of unequal rows") from None
        return _checked(array)
    if isinstance(t, np.ndarray) and t.dtype == object:  # Decimal, Fraction, whole numbers
        if all(is_missing(v) or isinstance(v, _NUMBERS) for v in t.ravel()):
            return t
        raise NotNumbers("x", f"{type(t).__name__} {t!r:.40}")
    xp = namespace(t)
    if not xp.isdtype(t.dtype, ("real floating", "integral", "bool")):
        raise NotNumbers("x", f"{t.dtype}", "This fit is over numbers: pass real numbers.")
    return t


def _rounded(t: Any) -> Any:
    """Numbers of any size, each as the float64 nearest to it; others as they are."""
    if not isinstance(t, np.ndarray) or t.dtype != object:
        return t
    return columns(x=t.ravel())[0].reshape(t.shape) if t.size else t.astype(np.float64)


def _axis_of_whole(t: Any) -> Axis:
    """An origin for whole numbers too large for float64, the least of them."""
    ends = _whole_ends(t)
    return Axis(ends[0]) if ends and max(map(abs, ends)) > _EXACT else PLAIN


def _whole_ends(t: Any) -> tuple[int, int] | None:
    """(least, greatest) of a column with whole numbers in it, rounded down, None of any other."""
    if not is_array(t) or not t.shape or not t.shape[0]:
        return None
    if isinstance(t, np.ndarray):
        if t.dtype == object:
            return _object_ends(t)
        if t.dtype.kind not in "iu":
            return None
        known = t.compressed() if isinstance(t, np.ma.MaskedArray) else t
        return (int(known.min()), int(known.max())) if known.size else None
    return (int(t.min()), int(t.max())) if namespace(t).isdtype(t.dtype, "integral") else None


def _object_ends(t: np.ndarray) -> tuple[int, int] | None:
    """The same of Python's own numbers, if float64 does not hold all of them."""
    values = [v for v in t.ravel() if not is_missing(v)]
    if not all(isinstance(v, _NUMBERS) for v in values):
        return None
    known = [exact for v in values if (exact := _exactly(v)) is not None]
    if not any(abs(v) > _EXACT for v in known if v != _as_float(v)):
        return None
    return math.floor(min(known)), math.floor(max(known))


_NUMBERS = (int, float, np.integer, np.floating, Decimal, Fraction)


def _exactly(value: Any) -> int | Fraction | None:
    """A number without rounding, None for NaN and infinity."""
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, np.floating):
        value = float(value)
    return Fraction(value) if isinstance(value, Fraction) or math.isfinite(value) else None


def _as_float(value: int | Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _differences(t: Any, origin: int) -> Any:
    """t − origin as float64, subtracted as whole numbers where t are whole."""
    if not is_array(t):
        return _difference(t, origin)
    if isinstance(t, np.ma.MaskedArray):
        known = t.compressed()
        filled = np.ma.filled(t, known[0] if known.size else 0)
        return np.where(np.ma.getmaskarray(t), np.nan, _differences(filled, origin))
    if t.dtype == object:
        differences = [_difference(v, origin) for v in t.ravel()]
        return np.array(differences, dtype=np.float64).reshape(t.shape)
    xp = namespace(t)
    if not xp.isdtype(t.dtype, "integral"):
        return t - float(origin)
    least, greatest = (int(t.min()), int(t.max())) if math.prod(t.shape) else (0, 0)
    if greatest - least >= 2**63 and isinstance(t, np.ndarray):  # would wrap around
        return _differences(t.astype(object), origin)
    from_least = xp.astype(t - (np.array(least, t.dtype) if xp is np else least), xp.float64)
    return from_least + float(least - origin)


def _difference(t: Any, origin: int) -> float:
    """t − origin of one number, NaN of a missing one, rounded once."""
    if is_missing(t):
        return math.nan
    exact = _exactly(t)
    return float(t) if exact is None else float(exact - origin)


# ── dates and durations, however they are held ──


def _as_durations(t: Any) -> np.ndarray | None:
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
    if step not in _TICKS and step not in _LONGER:
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


def _in_units(durations: np.ndarray, unit: str) -> np.ndarray:
    """How many of the unit each duration is; NaT becomes NaN."""
    step, count = np.datetime_data(durations.dtype)
    length = Fraction(_LONGER[step]) if step in _LONGER else Fraction(1, _TICKS[step])
    ratio = count * length / _seconds(unit)
    whole, rest = np.divmod(durations.astype(np.int64), ratio.denominator)  # no digit lost
    numbers = whole * float(ratio.numerator) + rest * float(ratio.numerator) / ratio.denominator
    return np.where(np.isnat(durations), np.nan, numbers)


def _seconds(unit: str) -> Fraction:
    """How long a unit of people or of ticks is."""
    return Fraction(UNITS[unit]) if unit in UNITS else Fraction(1, _TICKS[unit])


def _says(t: Any, *kinds: str) -> bool:
    """Whether a container names its type, which begins with one of these words."""
    kind = str(getattr(t, "dtype", getattr(t, "type", ""))).lower()
    return kind.startswith(kinds)


def _is_gap(value: Any) -> bool:
    """Whether an object among dates or durations is a missing one."""
    return is_missing(value) or (isinstance(value, float) and math.isnan(value))


def _first_known(values: Any) -> Any:
    return next((v for v in values if not _is_gap(v)), None)


def _as_dates(t: Any) -> np.ndarray | None:
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


def _date_in(text: str) -> Any:
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


def place_in(text: str) -> Any:
    """What a user calls x, from text whose axis is not known yet: a number, or else a date.

    Raises ValueError.
    """
    try:
        return _number_in(text)
    except ValueError:
        return _date_in(text)


def _number_in(text: str) -> int | float:
    """A finite number, whole ones exactly however many digits they have. Raises ValueError."""
    try:
        number: int | float = int(text)
    except ValueError:
        number = float(text)
    if not abs(number) <= _LARGEST:
        raise ValueError(text)
    return number


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
    """Ticks since 1970, whole ones; a finer unit than the tick is kept by Axis choosing it
    beforehand. Rounded where int64 does not count so far. Raises BeyondCalendar.
    """
    unit = np.datetime_data(dates.dtype)[0]
    if unit in _TICKS and _TICKS[unit] > _TICKS[tick]:
        whole = dates.astype(np.int64)
        return whole / (_TICKS[unit] // _TICKS[tick])
    ticks, wrapped = _counted(dates, tick)
    if not wrapped.any():
        return ticks
    if unit not in _TICKS:  # days, months, years
        unit = "s"
        ticks, wrapped = _counted(dates, unit)
        if wrapped.any():
            raise BeyondCalendar(str(np.atleast_1d(dates)[np.atleast_1d(wrapped)][0]))
    else:
        ticks = dates.astype(np.int64)
    return ticks * float(_TICKS[tick] // _TICKS[unit])


def _counted(dates: np.ndarray, unit: str) -> tuple[np.ndarray, np.ndarray]:
    """(units since 1970, where that is wrong, for NumPy wraps around where int64 ends)."""
    counted = dates.astype(f"M8[{unit}]")
    right = (counted.astype(dates.dtype) == dates) | np.isnat(dates)
    return counted.astype(np.int64), ~right
