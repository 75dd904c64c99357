"""A polynomial as text: to read (plain, unicode, LaTeX), to run (Python, C, SQL, JavaScript)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from polydescent.checks import whole
from polydescent.errors import BadCall, UnknownName
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.rows.axis import PLAIN, Axis
from polydescent.rows.calendar import UNITS

_EXPONENTS = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_LOST = 1e3  # terms this much larger than their sum lose three digits when code adds them up


# ── for reading ──


@dataclass(frozen=True)
class Prose:
    """How a sum of terms is written: numbers, powers of the variable, and minus."""

    number: Callable[[str], str]
    power: Callable[[str, int], str]
    minus: str = "-"


def _as_is(number: str) -> str:
    return number


def _caret(x: str, power: int) -> str:
    return f"{x}^{power}"


def _superscript(x: str, power: int) -> str:
    return x + str(power).translate(_EXPONENTS)


def _braces(x: str, power: int) -> str:
    return f"{x}^{{{power}}}"


def _unicode_number(number: str) -> str:
    return _scientific(number, lambda e: "·10" + str(e).translate(_EXPONENTS))


def _latex_number(number: str) -> str:
    return _scientific(number, lambda e: f" \\times 10^{{{e}}}")


def _scientific(number: str, exponent: Callable[[int], str]) -> str:
    mantissa, e, digits = number.partition("e")
    error = mantissa.partition("(")[1] and digits.partition("(")[2]  # 1.2(3)e-07 keeps its place
    return mantissa + exponent(int(digits)) if e and not error else number


PROSE = {
    "plain": Prose(_as_is, _caret),
    "unicode": Prose(_unicode_number, _superscript, "−"),
    "latex": Prose(_latex_number, _braces),
}


def equation(
    coefficients: Sequence[float] | np.ndarray,
    x: str = "x",
    y: str = "y",
    digits: int = 6,
    style: str = "plain",
    stderr: Sequence[float] | np.ndarray | None = None,
) -> str:
    """`y = a + b x + c x^2 + …` with the numbers, lowest power first, without terms that are 0.

    digits: significant ones, 17 for as many as tell one float64 from the next. stderr: standard
    errors, shown in the last digits: 1.2346(12) is 1.2346 ± 0.0012.

    Raises UnknownName, BadSetting.
    """
    check_style(style)
    digits = whole("digits", digits, 1, 17)
    prose = PROSE[style]
    terms: list[str] = []
    for power, value in enumerate(coefficients):
        if value == 0:
            continue
        error = math.nan if stderr is None else stderr[power]
        size = prose.number(with_error(abs(value), error) or number(abs(value), digits))
        name = "" if power == 0 else f" {x}" if power == 1 else f" {prose.power(x, power)}"
        minus = f"{prose.minus} " if terms else prose.minus
        terms.append((minus if value < 0 else "+ " if terms else "") + size + name)
    return f"{y} = " + (" ".join(terms) or "0")


def check_style(style: str) -> None:
    """Raises UnknownName for a style that there is not."""
    if not isinstance(style, str) or style not in PROSE | CODE:
        raise UnknownName("equation style", style, [*PROSE, *CODE])


def number(value: float, digits: int = 17) -> str:
    """`value` in so many significant digits; 17 means the fewest that read back as this float64."""
    if digits < 17:
        return f"{value:.{digits}g}"
    return next(text for d in (15, 16, 17) if float(text := f"{value:.{d}g}") == value or d == 17)


def with_error(value: float, stderr: float) -> str:
    """1.2346(12) for 1.2346 ± 0.0012; "" where the standard error is 0, infinite or unknown."""
    if not (0 < stderr < math.inf) or not math.isfinite(value):
        return ""
    size = math.floor(math.log10(max(abs(value), stderr)))
    plain = -5 <= size <= 15
    unit = 0 if plain else size
    places = 1 - math.floor(math.log10(stderr)) + unit  # two digits of the error stay
    if places > 17 or unit < -300:  # more digits than a float64 has, or hardly a float64 any more
        return ""
    scaled, error = value / 10.0**unit, stderr / 10.0**unit
    places = max(places, 0)
    shown = f"{error * 10**places:.0f}" if places else f"{error:.0f}"
    return f"{scaled:.{places}f}({shown})" + ("" if plain else f"e{unit:+03d}")


# ── as code ──


@dataclass(frozen=True)
class Code:
    """A function around a Horner form.

    function: {name}, {x} and {body} are filled in. comment: {text} is. elapsed: as code, the units
    ({seconds} each) that a date {x} is after {origin}. preamble: what the function imports for it.
    """

    function: str
    float_literal: Callable[[float, int], str]
    comment: str = "/* {text} */"
    elapsed: str = ""
    preamble: str = ""


def _literal(value: float, digits: int) -> str:
    text = number(value, digits)
    return text if any(c in text for c in ".en") else text + ".0"


CODE = {
    "python": Code(
        "def {name}({x}):\n    return {body}",
        _literal,
        "# {text}",
        '({x} - datetime.fromisoformat("{origin}")) / timedelta(seconds={seconds})',
        "    from datetime import datetime, timedelta\n",
    ),
    "c": Code("double {name}(double {x}) {{\n    return {body};\n}}", _literal),
    "javascript": Code("function {name}({x}) {{\n    return {body};\n}}", _literal),
    "sql": Code(
        "{body}",
        lambda value, digits: _literal(value, digits).replace("e", "E"),
        elapsed="(EXTRACT(EPOCH FROM ({x} - TIMESTAMP '{origin}')) / {seconds}.0)",
    ),
}


def code(
    curve: Polynomial,
    style: str,
    powers: np.ndarray,
    x: str = "x",
    digits: int = 17,
    axis: Axis = PLAIN,
    takes_dates: bool = False,
) -> str:
    """The curve as a function f (SQL: an expression) in Horner form.

    curve: in Chebyshev polynomials. powers: its coefficients in x. axis: how the user's x becomes
    that of the domain; of dates the code says so in a comment, or does it if `takes_dates`.

    In powers of x, or where their sum would lose digits (x far from 0), in powers of
    (x − mid) / half. Raises UnknownName, BadSetting, BadCall.
    """
    check_style(style)
    digits = whole("digits", digits, 1, 17)
    written = CODE[style]
    weights, domain, origin = curve.weights, curve.domain, axis.power_origin
    variable, start = x, ""
    if takes_dates:
        variable = _elapsed(style, x, axis)
    if axis.is_dates:
        text = "a date in UTC" if takes_dates else f"{axis.unit}s since {axis} UTC"
        start = written.comment.format(text=f"{x}: {text}") + "\n"
    in_function = takes_dates and style == "python"  # there t is computed once
    before, variable = (f"    t = {variable}\n", "t") if in_function else ("", variable)
    coefficients = powers
    if origin or not _adds_up(coefficients, weights, domain):
        coefficients = Polynomial(CHEBYSHEV, Domain(-1.0, 1.0), weights).powers()
        mid, half = (written.float_literal(v, 17) for v in (domain.mid, domain.half_width))
        from_origin = f"({variable} - {origin})" if origin else variable
        variable = f"(({from_origin} - {mid}) / {half})"
    literals = [written.float_literal(float(c), digits) for c in coefficients]
    body = literals[-1]
    for literal in literals[-2::-1]:
        body = (
            f"{literal} + {variable} * ({body})"
            if " " in body
            else f"{literal} + {variable} * {body}"
        )
    function = written.function.format(name="f", x=x, body=body)
    if in_function:
        function = function.replace("\n", f"\n{written.preamble}{before}", 1)
    return start + function


def _elapsed(style: str, x: str, axis: Axis) -> str:
    """The units from the axis' origin to a date x, as code. Raises BadCall."""
    if not axis.is_dates:
        raise BadCall("Code that takes dates needs a fit over dates: this one is over numbers.")
    if not CODE[style].elapsed:
        able = " and ".join(name for name, written in CODE.items() if written.elapsed)
        raise BadCall(
            f"Code that takes dates is written in {able}; {style} takes {axis.unit}s since {axis}."
        )
    origin = axis.start.astype("M8[us]")
    if origin != axis.start:
        raise BadCall(f"The origin {axis} is finer than the microseconds that code can say.")
    text = str(origin).replace("T", " ").removesuffix(".000000")
    return CODE[style].elapsed.format(x=x, origin=text, seconds=UNITS[axis.unit])


def _adds_up(powers: np.ndarray, weights: np.ndarray, domain: Domain) -> bool:
    """Whether the powers of x add up to the curve without losing three digits on the domain."""
    reach = max(abs(domain.lo), abs(domain.hi))
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.sum(np.abs(powers) * reach ** np.arange(len(powers))))
    return size <= _LOST * float(np.abs(weights).sum())
