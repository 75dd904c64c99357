"""A polynomial as text, lowest power first."""

from __future__ import annotations

from collections.abc import Iterable


def equation(coefficients: Iterable[float], x: str = "x", y: str = "y", digits: int = 6) -> str:
    """`y = a + b x + c x^2 + …` with the numbers, lowest power first, in `digits` significant
    digits.
    """
    terms = []
    for power, value in enumerate(coefficients):
        size = f"{abs(value):.{digits}g}"
        name = "" if power == 0 else f" {x}" if power == 1 else f" {x}^{power}"
        sign = ("- " if value < 0 else "+ ") if terms else ("-" if value < 0 else "")
        terms.append(sign + size + name)
    return f"{y} = " + " ".join(terms)
