"""What a setting may be, one rule for each kind: whole numbers, numbers, levels, names, degrees."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from polydescent.errors import BadSetting

DEGREES = {  # the highest degree, and why it ends there
    "any": 300,  # standard errors of powers take seconds there, minutes at 1,000
    "exact": 100,  # k² rationals of some 2,000·k bits, k³ products of them: a gigabyte at 150
    "in C": 62,  # what the kernels hold on their stack; above it the blocks are as fast
    "explained": 12,  # beyond it the Hessian is wider than a page
    "auto": 10,  # what degree="auto" looks at unless told otherwise: more terms are rarely meant
}


def as_whole(value: Any) -> int | None:
    """`value` as an int if it is a whole number of any type, 2.0 too; None for what is none.

    True and "2" are none: neither is a number to whoever wrote it.
    """
    if isinstance(value, bool | str | bytes) or not _is_single(value):
        return None
    try:
        number = int(value)
        return number if bool(number == value) else None
    except (TypeError, ValueError, OverflowError):
        return None


def whole(name: str, value: Any, least: int = 0, most: int | None = None, wanted: str = "") -> int:
    """`value` as an int. wanted: what it must be, in words, where the bounds do not say it.

    Raises BadSetting for what is no whole number from `least` to `most`.
    """
    number = as_whole(value)
    if number is None or number < least or (most is not None and number > most):
        end = f" to {most}" if most is not None else ""
        bounds = f"of {least} or more" if least and not end else f"from {least}{end}"
        raise BadSetting(name, value, wanted or f"a whole number {bounds}")
    return number


def number(name: str, value: Any, wanted: str) -> float:
    """`value` as a float, NaN and infinities too. Raises BadSetting for what is no number."""
    if isinstance(value, bool | str | bytes) or not _is_single(value):
        raise BadSetting(name, value, wanted)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        raise BadSetting(name, value, wanted) from None


def finite(name: str, value: Any) -> float:
    """`value` as a float. Raises BadSetting for what is no finite number."""
    found = number(name, value, "a finite number")
    if not math.isfinite(found):
        raise BadSetting(name, value, "a finite number")
    return found


def level(value: Any) -> float:
    """A confidence level as a float. Raises BadSetting for what is none."""
    wanted = "between 0 and 1, such as 0.95"
    found = number("level", value, wanted)
    if not 0 < found < 1:
        raise BadSetting("level", value, wanted)
    return found


def one_of(name: str, value: Any, names: Iterable[str]) -> str:
    """`value`, if it is one of the names. Raises BadSetting."""
    names = tuple(names)
    if not isinstance(value, str) or value not in names:
        *others, last = (f'"{each}"' for each in names)
        raise BadSetting(name, value, " or ".join(filter(None, [", ".join(others), last])))
    return value


def _is_single(value: Any) -> bool:
    """Whether a value is one, not a boolean or a row of them."""
    return not getattr(value, "shape", ()) and "bool" not in str(getattr(value, "dtype", ""))
