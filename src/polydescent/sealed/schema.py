"""What a document from elsewhere may hold: forms that turn plain JSON into values, or say why not.

A form is a function (found, where) → value: `found` is what stands in the document, `where` its
place there, for the refusal. Nothing is converted that means something else: "3" and true are no
numbers, 2.5 is no whole one, and a key that a record does not have is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, NoReturn

import numpy as np

from polydescent.errors import Misfit

Form = Callable[[Any, str], Any]
_MOST_PARTS = 2_000_000  # lists and objects in a document: a gigabyte of them in memory
_MOST = 2**63 - 1


class Maybe(NamedTuple):
    """A key that a record may lack, and what its value is then."""

    form: Form
    missing: Any


# ── text into plain values ───────────────────────────────────────────────────────────────────────


def plain(text: str | bytes) -> Any:
    """The JSON in a text. Raises Misfit for what is cut off, no JSON, or too deep or large."""
    opening = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, opening)) > _MOST_PARTS:  # type: ignore[arg-type]
        raise Misfit("", f"at most {_MOST_PARTS:,} lists and objects", "more")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise Misfit("", "lists in lists, a few deep", "very many") from None
    except ValueError:
        raise Misfit("", "whole JSON", "text that is cut off, or no JSON") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which are not JSON


# ── forms ────────────────────────────────────────────────────────────────────────────────────────


def whole(least: int = 0, most: int = _MOST) -> Form:
    """A whole number from `least` to `most`."""

    def form(found: Any, where: str) -> int:
        if type(found) is not int or not least <= found <= most:
            raise Misfit(where, f"a whole number from {_short(least)} to {_short(most)}", found)
        return found

    return form


def number(least: float = -math.inf, most: float = math.inf) -> Form:
    """A finite number from `least` to `most`, as float; a whole one only where float64 has it."""
    limits = "" if math.isinf(least) and math.isinf(most) else f" from {least:.6g} to {most:.6g}"

    def form(found: Any, where: str) -> float:
        if type(found) in (float, int):
            try:
                value = float(found)
            except OverflowError:
                value = math.inf
            if math.isfinite(value) and value == found and least <= value <= most:
                return value
        raise Misfit(where, f"a finite number{limits}", found)

    return form


_finite = number()


def extended(found: Any, where: str) -> float:
    """A number, or one of the texts "inf", "-inf", "nan": JSON has no number for them."""
    if found in ("inf", "-inf", "nan") and type(found) is str:
        return float(found)
    return _finite(found, where)


def text(found: Any, where: str) -> str:
    """Text that can be written as UTF-8."""
    if type(found) is not str:
        raise Misfit(where, "text", found)
    try:
        found.encode()
    except UnicodeEncodeError:
        raise Misfit(where, "text without half characters", found) from None
    return found


def matching(pattern: str, meaning: str) -> Form:
    """Text that a regular expression matches as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def form(found: Any, where: str) -> str:
        if type(found) is not str or not compiled.fullmatch(found):
            raise Misfit(where, meaning, found)
        return found

    return form


def whole_text(found: Any, where: str) -> int:
    """A whole number of up to 4,000 digits, as text: JSON's own are float64 to many readers."""
    return int(_WHOLE(found, where))


def rational(found: Any, where: str) -> Fraction:
    """A rational in lowest terms, as text such as "1/3", of a size that float64 holds."""
    value = Fraction(_RATIO(found, where))
    check(abs(value) < 2**1024 and str(value) == found, where, "a rational in reach", found)
    return value


_WHOLE = matching(r"-?\d{1,4000}", "a whole number as text")
_RATIO = matching(r"-?\d{1,4000}(/[1-9]\d{0,3999})?", 'a rational as text, such as "1/3"')


def choice(names: Collection[str]) -> Form:
    """One of a closed set of names."""

    def form(found: Any, where: str) -> str:
        if type(found) is not str or found not in names:
            raise Misfit(where, f"one of {', '.join(map(repr, names))}", found)
        return found

    return form


def flag(found: Any, where: str) -> bool:
    """true or false."""
    if type(found) is not bool:
        raise Misfit(where, "true or false", found)
    return found


def anything(found: Any, where: str) -> Any:
    """Left for later: its form depends on another part."""
    return found


def nullable(inner: Form) -> Form:
    """null, as None, or what the inner form takes."""

    def form(found: Any, where: str) -> Any:
        return None if found is None else inner(found, where)

    return form


def series(inner: Form, least: int = 0, most: int = _MOST) -> Form:
    """A list of `least` to `most` things of one form, as tuple."""
    size = (
        str(least) if least == most else f"{least} or more" if most == _MOST else f"{least}–{most}"
    )

    def form(found: Any, where: str) -> tuple[Any, ...]:
        if type(found) is not list or not least <= len(found) <= most:
            raise Misfit(where, f"a list of {size}", found)
        return tuple(inner(value, f"{where}[{i}]") for i, value in enumerate(found))

    return form


def pair(first: Form, second: Form) -> Form:
    """A list of two things, as tuple."""

    def form(found: Any, where: str) -> tuple[Any, Any]:
        if type(found) is not list or len(found) != 2:
            raise Misfit(where, "a list of 2", found)
        return first(found[0], f"{where}[0]"), second(found[1], f"{where}[1]")

    return form


def array(shape: tuple[int, ...], inner: Form = _finite) -> Form:
    """Lists in lists of numbers, of this shape, as float64."""
    form = inner
    for size in reversed(shape):
        form = series(form, size, size)

    def whole_array(found: Any, where: str) -> np.ndarray:
        return np.array(form(found, where), dtype=np.float64).reshape(shape)

    return whole_array


def record(forms: Mapping[str, Form | Maybe]) -> Form:
    """An object with exactly these keys, those of a Maybe left out or not, as dict of values."""
    needed = {key for key, form in forms.items() if not isinstance(form, Maybe)}

    def form(found: Any, where: str) -> dict[str, Any]:
        if type(found) is not dict:
            raise Misfit(where, "an object", found)
        if missing := sorted(needed - found.keys()):
            raise Misfit(where, f"an object with {missing[0]!r}", f"none, but {list(found)!r:.60}")
        if unknown := [key for key in found if key not in forms]:
            raise Misfit(where, f"an object of {', '.join(forms)} alone", unknown[0])
        values = {}
        for key, inner in forms.items():
            if not isinstance(inner, Maybe):
                values[key] = inner(found[key], _within(where, key))
            elif key in found:
                values[key] = inner.form(found[key], _within(where, key))
            else:
                values[key] = inner.missing
        return values

    return form


def check(good: bool, where: str, wanted: str, found: object) -> None:
    """Raise Misfit unless `good`: for what is asked of several values together."""
    if not good:
        raise Misfit(where, wanted, found)


def _within(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _short(limit: int) -> str:
    return str(limit) if abs(limit) < 10**6 else f"{'-' * (limit < 0)}2^{abs(limit).bit_length()}"
