"""Numbers of any size and type without rounding, and how far they are from an origin."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent.arrays import columns, held_exactly, is_array, is_missing, namespace
from polydescent.errors import NotNumbers, OutOfRange

_LARGEST = float(np.finfo(np.float64).max)
_TOO_LARGE = ("Some x", "Divide x by a constant first.")
EXACT = 2**53  # whole numbers beyond it are not all float64


def checked_numbers(t: Any) -> Any:
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
        return checked_numbers(array)
    if isinstance(t, np.ndarray) and t.dtype == object:  # Decimal, Fraction, whole numbers
        if all(is_missing(v) or isinstance(v, _NUMBERS) for v in t.ravel()):
            return t
        raise NotNumbers("x", f"{type(t).__name__} {t!r:.40}")
    xp = namespace(t)
    if not xp.isdtype(t.dtype, ("real floating", "integral", "bool")):
        raise NotNumbers("x", f"{t.dtype}", "This fit is over numbers: pass real numbers.")
    return t


def rounded(t: Any) -> Any:
    """Numbers of any size, each as the float64 nearest to it; others as they are."""
    if not isinstance(t, np.ndarray) or t.dtype != object:
        return t
    return columns(x=t.ravel())[0].reshape(t.shape) if t.size else t.astype(np.float64)


def origin_of(t: Any) -> int:
    """An origin for whole numbers too large for float64, the least of them; 0 of other numbers."""
    ends = _whole_ends(t)
    return ends[0] if ends and max(map(abs, ends)) > EXACT else 0


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
    if not any(abs(v) > EXACT for v in known if v != _as_float(v)):
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


def differences(t: Any, origin: int) -> Any:
    """t − origin as float64, subtracted as whole numbers where t are whole."""
    if not is_array(t):
        return _difference(t, origin)
    if isinstance(t, np.ma.MaskedArray):
        known = t.compressed()
        filled = np.ma.filled(t, known[0] if known.size else 0)
        return np.where(np.ma.getmaskarray(t), np.nan, differences(filled, origin))
    if t.dtype == object:
        each = [_difference(v, origin) for v in t.ravel()]
        return np.array(each, dtype=np.float64).reshape(t.shape)
    xp = namespace(t)
    if not xp.isdtype(t.dtype, "integral"):
        return t - float(origin)
    least, greatest = (int(t.min()), int(t.max())) if math.prod(t.shape) else (0, 0)
    if greatest - least >= 2**63 and isinstance(t, np.ndarray):  # would wrap around
        return differences(t.astype(object), origin)
    from_least = xp.astype(t - (np.array(least, t.dtype) if xp is np else least), xp.float64)
    return from_least + float(least - origin)


def _difference(t: Any, origin: int) -> float:
    """t − origin of one number, NaN of a missing one, rounded once."""
    if is_missing(t):
        return math.nan
    exact = _exactly(t)
    return float(t) if exact is None else float(exact - origin)


def number_in(text: str) -> int | float:
    """A finite number, whole ones exactly however many digits they have. Raises ValueError."""
    try:
        number: int | float = int(text)
    except ValueError:
        number = float(text)
    if not abs(number) <= _LARGEST:
        raise ValueError(text)
    return number
