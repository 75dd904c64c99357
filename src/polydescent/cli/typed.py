"""What the words typed for an option mean: numbers, points, powers of x."""

from __future__ import annotations

from typing import Any

from polydescent.errors import BadSetting


def numbers(option: str, text: str | None) -> list[float]:
    """The numbers between the commas of an option's value. Raises BadSetting."""
    try:
        return [float(part) for part in (text or "").split(",")]
    except ValueError:
        raise BadSetting(f"--{option}", text, "a number, or numbers between commas") from None


def whole(text: str) -> int | str:
    """A whole number as one; any other text as it is, so also one of thousands of digits."""
    try:
        return int(text) if text.isdecimal() else text
    except ValueError:
        return text


def point(text: str) -> list[Any]:
    """The parts of "X,Y": X a number or a date, Y a number. Raises BadSetting."""
    from polydescent.rows.axis import place_in

    place, *others = text.split(",")
    try:
        return [place_in(place.strip()), *map(float, others)]
    except ValueError:
        wanted = "X,Y with X a number or a date and Y a number, such as 0,1 or 2024-05-01,1"
        raise BadSetting("--through", text, wanted) from None


def loss(text: str) -> Any:
    """The loss of "huber", "huber:2" or "quantile:0.9". Raises UnknownName, BadSetting."""
    from polydescent.robust.losses import KINDS, loss_of

    name, _, setting = text.partition(":")
    if name == "quantile" and not setting:
        raise BadSetting("--loss", text, "with the share below the curve, such as quantile:0.9")
    if name not in KINDS or name == "median" or not setting:
        return loss_of(text)
    (value,) = numbers("loss", setting)[:1]
    return KINDS[name](value)


def variance(text: str) -> Any:
    """The variance of "HC3", "HAC" or "HAC:12". Raises BadSetting."""
    from polydescent.least_squares.sandwich import HAC, variance_of

    name, _, typed = text.partition(":")
    lags: Any = whole(typed)
    return HAC(lags) if name == "HAC" and typed else variance_of(text)


def powers(text: str) -> list[int]:
    """[1, 3] for "1,3". Raises BadSetting."""
    found = [whole(part.strip()) for part in text.split(",")]
    if any(isinstance(power, str) for power in found):
        raise BadSetting("--terms", text, "the powers of x to use, such as 1,3")
    return [int(power) for power in found]


def pairs(text: str) -> dict[int, float]:
    """{0: 0.0, 2: 1.5} for "0=0,2=1.5". Raises BadSetting."""
    try:
        parts = [part.split("=") for part in text.split(",")]
        return {int(power): float(value) for power, value in parts}
    except ValueError:
        raise BadSetting("--fix", text, "powers and values, such as 0=0 or 0=0,2=1.5") from None


def intervals(text: str) -> dict[int, tuple[float | None, float | None]]:
    """{1: (0.0, None), 2: (-1.0, 1.0)} for "1=0:,2=-1:1". Raises BadSetting."""
    found = {}
    try:
        for part in text.split(","):
            power, ends = part.split("=")
            low, high = (float(end) if end.strip() else None for end in ends.split(":"))
            found[int(power)] = low, high
    except ValueError:
        wanted = "powers and limits, such as 1=0: or 0=-1:1,2=:0"
        raise BadSetting("--bounds", text, wanted) from None
    return found
