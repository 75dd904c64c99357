"""Everything polydescent refuses: one class per reason, with a text that says what to do."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable
from reprlib import Repr
from typing import Any

from polydescent.visible import shortened, visible

_SHORT = Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 40
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 2, 3, 2


class PolydescentError(Exception):
    """Base of every refusal; catch it to catch them all. Nothing has been changed when it is
    raised.

    Parameters
    ----------
    *text
        What was asked, what was found, and what to do instead.
    """

    def __init__(self, *text: object):
        super().__init__(*(visible(t, lines=True) if isinstance(t, str) else t for t in text))

    def __reduce__(self) -> tuple[Any, ...]:
        """By its text: the classes below take facts, and pickle would call them with the text."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[Exception], args: tuple[Any, ...], facts: dict[str, Any]) -> Exception:
    error = kind.__new__(kind, *args)
    vars(error).update(facts)
    return error


def _found(value: object) -> str:
    """What was passed, on part of a line. Python refuses to write more than some 4,300 digits."""
    try:
        return shortened(repr(value), 200)
    except ValueError:
        return f"{type(value).__name__} of thousands of digits"


def amount(number: int) -> str:
    """A whole number of any size in a few characters."""
    if number < 10**18:
        return f"{number:,}"
    return f"about 10^{round(number.bit_length() * math.log10(2))}"


def _bytes(number: int) -> str:
    """A size in memory: 32 GB."""
    for power, unit in ((18, "EB"), (15, "PB"), (12, "TB"), (9, "GB"), (6, "MB")):
        if 10**power <= number < 1000 * 10**power:
            return f"{number / 10**power:.3g} {unit}"
    return f"{amount(number)} bytes"


# ── the data ─────────────────────────────────────────────────────────────────────────────────────


class NotNumbers(PolydescentError, TypeError):
    """Values that least squares has no meaning for: text, complex numbers, objects."""

    def __init__(self, name: str, found: str, advice: str = "Pass real numbers."):
        super().__init__(f"{name} must hold real numbers, found {found}. {advice}")


class WrongShape(PolydescentError, ValueError):
    """x, y and weights are each one column."""

    def __init__(self, name: str, shape: tuple[int, ...]):
        super().__init__(
            f"{name} must be one column (shape (n,)), found shape {tuple(shape)}. "
            f"Pass one column at a time, or {name}.reshape(-1) if it is one column already; "
            "fit_many fits one curve per row."
        )


class CurvesDiffer(PolydescentError, ValueError):
    """Columns of many curves whose shapes do not belong together."""

    def __init__(self, name: str, shape: tuple[int, ...], y: tuple[int, ...]):
        self.shape, self.y = shape, y
        points = y[-1] if y else 0
        super().__init__(
            f"{name} must have shape ({points},), for all curves, or that of y, {y} (points on the "
            f"last axis), found {shape}. Points along another axis: name it, 0 is the first."
        )


class LengthMismatch(PolydescentError, ValueError):
    """Columns of different lengths."""

    def __init__(self, lengths: dict[str, int]):
        found = ", ".join(f"{name} has {n:,}" for name, n in lengths.items())
        super().__init__(f"All columns need the same number of rows: {found}.")


class MixedKinds(PolydescentError, TypeError):
    """Columns that live in different libraries or on different devices."""

    def __init__(self, found: Iterable[str]):
        super().__init__(
            f"x, y and weights must live in one library on one device, "
            f"found {' and '.join(found)}. Convert them to one kind first."
        )


class NoRows(PolydescentError, ValueError):
    """There is nothing to fit."""

    def __init__(self, where: str = "x and y are empty"):
        super().__init__(f"No rows to fit: {where}.")


class NotFinite(PolydescentError, ValueError):
    """NaN or infinity among the values."""

    def __init__(
        self, name: str, count: int, n: int, first: int, value: float, key: str | None = None
    ):
        self.name, self.count, self.n, self.first, self.value = name, count, n, first, value
        self.key = key
        group = "" if key is None else f", in the group {key!r}"
        super().__init__(
            f"{name} has {count:,} NaN or infinite value{'s' if count != 1 else ''} among {n:,} "
            f"rows, the first is {value} at row {first:,} (counted from 0){group}. "
            'Remove or repair those rows, or pass missing="omit".'
        )


class NotFiniteInCurves(NotFinite):
    """NaN or infinity among the values of many curves; curve and point are those of the first."""

    def __init__(
        self,
        name: str,
        curves: int,
        of: int,
        place: tuple[int, ...],
        point: int,
        value: float,
        count: int,
        n: int,
    ):
        super().__init__(name, count, n, point, value)
        self.curves, self.curve, self.point = curves, place, point
        where = place[0] if len(place) == 1 else place
        some = f"{curves:,} of {of:,} curves have" if of != 1 else "The curve has"
        self.args = (
            f"{some} NaN or infinite values, the first is {name} = {value} in curve {where} at "
            f"point {point:,} (counted from 0). Repair those points, or pass "
            'missing="omit" to leave them out, or "mark" to give such curves no answer.',
        )


class OutOfRange(PolydescentError, ValueError):
    """Values whose squares or powers do not fit a double."""

    def __init__(self, what: str, advice: str):
        super().__init__(f"{what} does not fit double precision. {advice}")


class BeyondCalendar(PolydescentError, ValueError):
    """A date so far away that no count of seconds since 1970 reaches it."""

    def __init__(self, date: str):
        super().__init__(
            f"x = {date} is beyond the calendar, which ends some 292 billion years from 1970. "
            "Check how the date was made, or leave it out."
        )


# ── the polynomial ───────────────────────────────────────────────────────────────────────────────


class BadDegree(PolydescentError, ValueError):
    """A degree that is not a whole number from 0 up to what the summary holds."""

    def __init__(self, degree: object, largest: int | None = None, auto: bool = False):
        other = ', "auto" or "auto:8"' if auto else ""
        limit = "" if largest is None else f" to {largest}, the degree of this summary"
        more = "" if largest is None else " Summarize again with a larger degree= to go beyond it."
        super().__init__(
            f"degree must be a whole number from 0{limit}{other}, found {_found(degree)}.{more}"
        )


class TooFewRows(PolydescentError, ValueError):
    """Fewer rows than coefficients."""

    def __init__(self, n: int, degree: int):
        super().__init__(
            f"A polynomial of degree {degree} has {degree + 1} coefficients and needs at least as "
            f"many rows, found {n}. Use degree={max(n - 1, 0)} or less, or more rows."
        )


class OneCurveOnly(PolydescentError, ValueError):
    """A stack of curves where one is asked for."""

    def __init__(self, what: str, shape: tuple[int, ...]):
        self.shape = shape
        super().__init__(
            f"{what} is for one curve, found a stack of shape {shape}. Take its curves one by one: "
            "triangle[i]."
        )


class TooFewDistinct(PolydescentError, ValueError):
    """Rows enough, but too few different x to tell the coefficients apart."""

    def __init__(
        self,
        n: int,
        degree: int,
        distinct: int | None = None,
        idle: int | None = None,
        alone: object = None,
    ):
        found = (
            f"the {n:,} rows hold only {distinct} distinct x"
            if distinct is not None
            else f"the x of these {n:,} rows do not tell so many terms apart in double precision"
        )
        low = idle if idle is not None else distinct
        use = f"Use degree={low - 1} or less" if low else "Use a lower degree"
        terms = [f"x^{power}" for power in range(low or degree + 1, degree + 1)]
        named = f": {', '.join(terms)} add{'s' * (len(terms) == 1)} nothing to the lower terms"
        why = f" {alone}" if alone else ""
        super().__init__(
            f"A polynomial of degree {degree} needs at least {degree + 1} distinct x, but {found}"
            f"{named if terms else ''}. {use}, or data at more places.{why}"
        )


class TooFewFree(PolydescentError, ValueError):
    """Constraints that contradict or repeat each other, or leave no coefficient to fit."""

    def __init__(self, degree: int, constraints: int, repeated: bool = False):
        why = (
            f"the {constraints} constraints contradict or repeat each other"
            if repeated
            else f"{constraints} constraints leave none of the {degree + 1} coefficients to fit"
        )
        super().__init__(
            f"At degree {degree}, {why}. Drop some of fix=, terms= and through=, or raise degree=."
        )


class NoSuchCurve(PolydescentError, ValueError):
    """A shape and bounds that no curve of the degree has, beside what else is held."""

    def __init__(self, asked: str, degree: int, held: str = "", rounds: int = 0):
        self.rounds = rounds
        beside = f" with {held}" if held else ""
        found = (
            f"No curve of degree {degree} was found that is {asked}{beside}: the search did not "
            f"end in {rounds} rounds."
            if rounds
            else f"No curve of degree {degree} is {asked}{beside}, on the domain of the rows."
        )
        super().__init__(
            f"{found} Widen bounds=, drop some of shape=, fix=, terms= and through=, or change "
            "degree=."
        )


class UnknownName(PolydescentError, ValueError):
    """A name (basis, backend, column, …) that is not among those there are."""

    def __init__(self, what: str, name: object, there_are: Iterable[str], where: str = ""):
        from difflib import get_close_matches  # here, since few runs are refused

        names = list(there_are)
        near = get_close_matches(str(name), names, n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        place = f" in {where}" if where else ""
        there = "There is" if len(names) == 1 else "There are"
        super().__init__(f"There is no {what} {name!r}{place}.{hint} {there}: {', '.join(names)}.")


class DegreesDiffer(PolydescentError, ValueError):
    """Two summaries of different degree do not merge."""

    def __init__(self, left: int, right: int):
        low = min(left, right)
        super().__init__(
            f"Summaries of degrees {left} and {right} do not merge. Lower the larger one first: "
            f"summary.lower({low})."
        )


class RowsNotHeld(PolydescentError, ValueError):
    """A question about single rows, asked of a fit that holds none or some of them."""

    def __init__(self, asked: str, held: int, n: int):
        self.held, self.n = held, n
        holds = f"{held:,} of the {n:,} rows" if held else f"none of the {n:,} rows"
        super().__init__(
            f"This fit holds {holds}, so it has no {asked}. Pass the rows as arrays, as in "
            "fit(x, y), or compute y − fit(x) chunk by chunk."
        )


class NeedsRows(PolydescentError, ValueError):
    """A criterion that leaves rows out, asked of something that holds none."""

    def __init__(self, criterion: str):
        self.criterion = criterion
        super().__init__(
            f'criterion="{criterion}" leaves rows out, and they are not here: a summary, a model '
            "and a long stream hold no rows. Fit the rows themselves, in memory: fit(x, y, "
            f'degree="auto", criterion="{criterion}"). Or choose by "aicc", "aic" or "bic".'
        )


class ScaleVanishes(PolydescentError, ValueError):
    """More than half of the rows lie on one curve exactly: no scale tells outliers from the rest.

    Parameters
    ----------
    loss
        In words.
    on, n
        Rows on the curve, to rounding, and all that count.
    """

    def __init__(self, loss: str, on: int, n: int):
        super().__init__(
            f"{on:,} of {n:,} rows lie on one curve, to rounding: the median residual, which is "
            f"the scale of {loss}, is 0 and tells no outlier from a good row. Use "
            'loss="median", which needs no scale, or sigma= with absolute_sigma=True.'
        )
        self.loss, self.on, self.n = loss, on, n


class TooFewTrusted(PolydescentError, ValueError):
    """The rows that a loss leaves do not determine the curve.

    Parameters
    ----------
    loss
        In words.
    degree, n
        Of the curve, and how many rows count before the loss weighs them.
    """

    def __init__(self, loss: str, degree: int, n: int):
        super().__init__(
            f"The loss {loss} leaves too few of the {n:,} rows to determine degree {degree}: they "
            "lie too far from the curve that the others make. Use a lower degree, or "
            'loss="huber", which leaves no row out.'
        )
        self.loss, self.degree, self.n = loss, degree, n


class LeverageOne(PolydescentError, ValueError):
    """A row that alone holds the curve where it is: nothing tells how far off it is.

    Parameters
    ----------
    x
        Of the row, as the domain has it.
    power
        Of 1 − leverage, which divides.
    """

    def __init__(self, x: float, power: int):
        super().__init__(
            f'variance="HC{power + 1}" divides by 1 − leverage, and the row at x = {x:.6g} alone '
            'holds the curve there: its leverage is 1. Use variance="HC1" or a lower degree, or '
            "leave that row out."
        )
        self.x, self.power = x, power


class OutOfOrder(PolydescentError, ValueError):
    """Rows that must come in the order of x and do not.

    Parameters
    ----------
    row
        The first that goes back, counted from 0.
    x
        Of that row, as the domain has it.
    falls
        Whether the rows before it fell.
    """

    def __init__(self, row: int, x: float, falls: bool):
        super().__init__(
            f'variance="HAC" takes rows in the order of x, and row {row:,} (counted from 0), at '
            f"x = {x:.6g}, goes back {'up' if falls else 'down'}. Sort the rows by x first; "
            "those of a file by an SQL query with ORDER BY."
        )
        self.row, self.x, self.falls = row, x, falls


class RowsChanged(PolydescentError, ValueError):
    """A source that is read several times gave other rows the second time.

    Parameters
    ----------
    before, now
        Rows that count, at the first reading and at a later one.
    """

    def __init__(self, before: int, now: int):
        super().__init__(
            f"The rows changed while they were read: {before:,} count at first, {now:,} later. "
            "Read a copy that nothing writes to."
        )
        self.before, self.now = before, now


class NoRowsToDraw(PolydescentError, ValueError):
    """Batches of rows, asked of something that holds none."""

    def __init__(self) -> None:
        super().__init__(
            "Batches are drawn from rows, and they are not here: a summary, a model and a long "
            "stream hold none. Descend over the rows themselves, in memory. To forecast it, "
            "summarize them with their moments."
        )


class NeedsFiles(PolydescentError, ValueError):
    """Files as folds, where there are no several files."""

    def __init__(self, files: int):
        self.files = files
        found = "one source of rows" if files == 1 else "rows that are not read here"
        super().__init__(
            f'folds="files" leaves one file out at a time and needs several; found {found}. Pass '
            'the files to fit(files, x=, y=, degree="auto", folds="files"), or folds= a number.'
        )


class TooManyParts(PolydescentError, ValueError):
    """Folds that tell so many groups of rows apart that each would be nearly a row."""

    def __init__(self, most: int):
        self.most = most
        super().__init__(
            f"These folds tell more than {most:,} parts of the rows apart, and each would be a "
            "triangle of its own. Leaving out each row alone costs one pass whatever their number: "
            "read fit(x, y, degree).degrees().loo, or use fewer folds."
        )


class OutsideDomain(PolydescentError, ValueError):
    """x beyond the data, where a polynomial says nothing about y."""

    def __init__(
        self,
        count: int,
        n: int,
        lo: str,
        hi: str,
        domain_lo: str,
        domain_hi: str,
        *,
        curves: tuple[int, int, tuple[int | str, ...]] | None = None,
    ):
        found = f"x = {lo}" if lo == hi else f"{count:,} of {n:,} x, from {lo} to {hi},"
        where = ""
        if curves is not None:
            found = f"For {curves[0]:,} of {curves[1]:,} curves some x, from {lo} to {hi},"
            where = f" (of curve {', '.join(map(str, curves[2]))}, the first)"
        super().__init__(
            f"{found} outside [{domain_lo}, {domain_hi}]{where}, where the data are: polynomials "
            'run away there. Pass outside="ignore" if that is meant, or fit data that reach so far.'
        )


class OutsideDomainWarning(UserWarning):
    """The text of OutsideDomain, as a warning."""


class CurvesOnTheirWay(UserWarning):
    """Descents, of many, that ended far from least squares.

    Parameters
    ----------
    count, n
        How many, of how many.
    statuses
        How all of them ended, in words.
    """

    def __init__(self, count: int, n: int, statuses: str):
        self.count, self.n = count, n
        super().__init__(
            f"{count:,} of {n:,} descents ended far from least squares ({statuses}). Take more "
            "steps: fits.forecast.steps_to(0.01) says how many, curve by curve; or descend with "
            'basis="chebyshev", which needs far fewer.'
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """As that of PolydescentError."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class CurvesWithoutAnswer(UserWarning):
    """Some of many curves that could not be fitted; the others stand.

    Parameters
    ----------
    count, n
        How many, of how many.
    reasons
        How many for each reason, in words.
    """

    def __init__(self, count: int, n: int, reasons: str):
        self.count, self.n = count, n
        super().__init__(
            f"{count:,} of {n:,} curves have no answer: {reasons}. Their numbers are NaN; "
            "fits.status says which, fits.explain(i) why."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """As that of PolydescentError."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class RowsWithoutCurve(UserWarning):
    """Rows whose key none of many curves has.

    Parameters
    ----------
    count, n
        How many rows, of how many.
    first
        The key of the first of them.
    keys
        How many different keys they have.
    """

    def __init__(self, count: int, n: int, first: str, keys: int):
        self.count, self.n, self.first, self.keys = count, n, first, keys
        super().__init__(
            f"{count:,} of {n:,} rows have a key that no curve has, {keys:,} such keys, the first "
            f"is {first!r}. Their values are NaN."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """As that of PolydescentError."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class SlowKernelsWarning(UserWarning):
    """Many rows, and an install without the C kernels: right all the same, but slower.

    Parameters
    ----------
    rows
        How many there are.
    why
        Why the kernels are absent.
    """

    def __init__(self, rows: int, why: str):
        super().__init__(
            f"{rows:,} rows without the C kernels take up to 30 times as long: they are {why}. "
            "Install a C compiler (gcc, clang or MSVC) and then polydescent again."
        )
        self.rows = rows


# ── the descent ──────────────────────────────────────────────────────────────────────────────────


class BadSetting(PolydescentError, ValueError):
    """A setting outside its range."""

    def __init__(self, name: str, value: object, wanted: str):
        self.name, self.wanted = name, wanted
        super().__init__(f"{name} must be {wanted}, found {_found(value)}.")


class SetTwice(PolydescentError, TypeError):
    """Settings beside an optimizer that has its own."""

    def __init__(self, optimizer: str, called: str, settings: dict[str, float]):
        names = " and ".join(f"{name}=" for name in settings)
        inside = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        super().__init__(
            f"{names} beside an optimizer that holds its own: write optimizer={optimizer}({inside})"
            f', or name it as text, optimizer="{called}".'
        )


class RateTooLarge(PolydescentError, ValueError):
    """A learning rate that makes the loss grow without bound."""

    def __init__(self, rate: float, limit: float, fastest: float, advice: str = ""):
        self.rate, self.limit, self.fastest = rate, limit, fastest
        super().__init__(
            f"learning_rate={rate:.6g} diverges on these data: the largest stable rate is "
            f"{limit:.6g} (set by the largest curvature of the loss). Leave it out for the fastest "
            f"stable one ({fastest:.6g}), or pass allow_divergence=True to watch it explode."
            f"{advice}"
        )


class RateTooLargeForCurves(RateTooLarge):
    """A learning rate that makes the loss of some of many curves grow without bound.

    count, n: how many of how many curves; curve: the place of the one with the smallest limit.
    """

    def __init__(
        self,
        rate: float,
        limit: float,
        fastest: float,
        count: int,
        n: int,
        curve: tuple[int, ...],
    ):
        super().__init__(rate, limit, fastest)
        self.count, self.n, self.curve = count, n, curve
        where = ", ".join(map(str, curve))
        self.args = (
            f"learning_rate={rate:.6g} diverges on {count:,} of {n:,} curves: the smallest of "
            f"their largest stable rates is {limit:.6g}, of curve {where}. Leave it out for the "
            "fastest stable one of each curve, pass an array with one for each, or "
            "allow_divergence=True to watch.",
        )


class ConvergenceWarning(UserWarning):
    """A descent that ended far from least squares: it leaves unexplained more than 1 % of what the
    best curve of its degree explains.

    Parameters
    ----------
    loss, lowest
        Reached and possible, in units of y².
    r2, best_r2
        Of the descent and of least squares; NaN where y is constant.
    advice
        What to do about it, in words.
    """

    def __init__(self, loss: float, lowest: float, r2: float, best_r2: float, advice: str):
        self.loss, self.lowest, self.r2, self.best_r2 = loss, lowest, r2, best_r2
        super().__init__(
            f"The descent ended far from least squares: loss {loss:.6g} where {lowest:.6g} is "
            f"possible, R² {r2:.4g} where {best_r2:.4g} is. {advice}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """As that of PolydescentError."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class NoClosedForm(PolydescentError, TypeError):
    """An optimizer whose steps depend on the whole path: what it does is known once walked."""

    def __init__(self, optimizer: str, asked: str):
        super().__init__(
            f"{optimizer} has no {asked} in closed form: its steps depend on the path walked. Run "
            "the descent and read fit.history, or use GradientDescent, Momentum or Nesterov."
        )


class TooLarge(PolydescentError, MemoryError):
    """A request that the memory of this machine cannot hold."""

    def __init__(self, what: str, needed: int, there_is: int, advice: str):
        self.needed, self.there_is = needed, there_is
        super().__init__(
            f"{what} needs {_bytes(needed)} of memory, more than the {_bytes(there_is)} that there "
            f"are. {advice}"
        )


# ── where data come from and what runs them ──────────────────────────────────────────────────────


class MissingExtra(PolydescentError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str):
        super().__init__(
            f"{purpose} needs {package}, which is not installed. "
            f'Install it with: pip install "polydescent[{extra}]"'
        )


class NoDevice(PolydescentError, ValueError):
    """A device that this machine or this library does not have."""

    def __init__(self, device: str, there_are: Iterable[str], library: str):
        super().__init__(
            f"There is no device {device!r} for {library} here. There are: {', '.join(there_are)}."
        )


class BadExpression(PolydescentError, ValueError):
    """A typed function with something outside the whitelist in it."""

    def __init__(self, text: str, why: str, allowed: str):
        super().__init__(f"Cannot use {text!r} as a function of x: {why}. Allowed are {allowed}.")


class NoFile(PolydescentError, FileNotFoundError):
    """A path that leads nowhere."""

    def __init__(self, path: str, near: Iterable[str] = ()):
        near = list(near)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        self.path, self.near = path, near
        super().__init__(f"There is no file {path!r}.{hint}")


class BadTable(PolydescentError, ValueError):
    """A file or table that cannot be read as the columns asked for."""


class BadValue(BadTable):
    """A text in a column of a file that is neither what its column holds nor a missing value."""

    def __init__(self, label: str, column: str, row: int, text: str, advice: str):
        self.label, self.column, self.row, self.text = label, column, row, text
        super().__init__(
            f"{label}: {column!r} holds {text!r:.80} in row {row:,} (counted from 0). {advice}"
        )


class DamagedFile(BadTable):
    """A file whose own checksum, or end, says that it is not what was written."""

    def __init__(self, path: object, why: str):
        super().__init__(f"{str(path)!r} is damaged: {why}. Get it again from where it came from.")


class BadCall(PolydescentError, TypeError):
    """Arguments that do not fit together."""


class NoExpression(BadTable):
    """SQL that is not one expression of the columns of a table."""

    def __init__(self, text: str, reason: str, label: str = ""):
        self.reason = reason
        place = f"{label}: " if label else ""
        super().__init__(
            f"{place}cannot use {text!r:.200}: {reason}. Where an expression of columns does not "
            "say it, make the columns with SQL as the source: "
            "\"SELECT … AS x, … AS y FROM 'file.csv'\"."
        )


class UntrustedSql(PolydescentError, ValueError):
    """SQL in a model that does more than arithmetic on the columns of a row."""

    def __init__(self, role: str, text: str, called: str):
        self.role, self.text, self.called = role, text, called
        super().__init__(
            f"The {role} of this model is the SQL {text!r}. It calls {called!r}, which is not "
            "among the functions that SQL from a model may call unasked. If you have read it and "
            "trust whoever made the model, pass --trust."
        )


class NoQuery(PolydescentError, ValueError):
    """SQL that the data base does not run."""

    def __init__(self, text: str, why: str):
        super().__init__(f"Cannot run {text!r:.200}: {why}")


class ChunksDiffer(PolydescentError, ValueError):
    """Dask collections cut at different rows."""

    def __init__(self, name: str, found: str, x: str):
        super().__init__(
            f"{name} has {found}, x has {x}: rows of one block must belong together. Cut both "
            f"alike first, as in {name}.rechunk(x.chunks); nothing is rechunked unasked."
        )


# ── files ────────────────────────────────────────────────────────────────────────────────────────


_ADVICE = {
    errno.ENOSPC: "Make room there, or name a place on another disk",
    errno.EDQUOT: "Make room in your quota, or name a place on another disk",
    errno.EFBIG: "Name a place that takes files of that size",
    errno.EACCES: "Get the permission, or name another place",
    errno.EPERM: "Get the permission, or name another place",
    errno.EROFS: "Name a place that can be written to",
    errno.ENAMETOOLONG: "Use a shorter name",
    errno.ELOOP: "Remove the symbolic link that stands there, or name another place",
    errno.EISDIR: "Name a file in that folder",
    errno.ENOTDIR: "Check the path: a part of it is no folder",
    errno.ENOENT: "Check the path, or make the folder first",
    errno.EMFILE: "Close other files, or raise the limit (ulimit -n)",
    errno.ENFILE: "Close other files, or raise the limit of the system",
    errno.EIO: "Check the disk or the network, then run it again",
    errno.ENOLCK: "Name a place on a disk that knows locks",
}


class FileRefused(PolydescentError, OSError):
    """What the operating system does not let us do: disk full, no permission, name too long, …

    path: of the file. doing: "read", "write", "lock" or "use". code: the system's number, as in the
    module errno, or None.
    """

    def __init__(self, path: object, doing: str, why: OSError):
        self.path, self.doing, self.code = str(path), doing, why.errno
        found = os.strerror(why.errno) if why.errno is not None else str(why) or "it failed"
        advice = _ADVICE.get(why.errno or 0, "Check the path, or name another one")
        super().__init__(
            f"Cannot {doing} {str(path)!r}: {found}. {advice}; what was there is unchanged."
        )
        self.errno = why.errno


class NotAFile(PolydescentError, OSError):
    """A folder, a pipe, a socket or a device where a file is asked for."""

    def __init__(self, path: object, found: str):
        self.path, self.found = str(path), found
        super().__init__(
            f"{str(path)!r} is {found}, not a file, so it is neither read whole nor replaced. "
            "Name a file."
        )


# ── models that last ─────────────────────────────────────────────────────────────────────────────


class Misfit(PolydescentError, ValueError):
    """A part of a document that is not what belongs there.

    where: its place, such as summary.domain[0]. wanted: what belongs there. found: what stands
    there, cut short.
    """

    def __init__(self, where: str, wanted: str, found: object):
        self.where, self.wanted, self.found = where, wanted, _SHORT.repr(found)
        shown = found if isinstance(found, str) and not where else self.found
        super().__init__(f"{where or 'it'} must be {wanted}, found {shown}")


class DamagedModel(PolydescentError, ValueError):
    """A saved file that is not, byte for byte, what was written, or holds what no model holds."""

    def __init__(self, path: object, why: object):
        self.path, self.why = str(path), str(why)
        super().__init__(
            f"{str(path)!r} is no whole model file: {why}. Restore it from a copy, or make it anew "
            "with `polydescent fit … --save`; nothing was changed."
        )


class UnknownSchema(PolydescentError, ValueError):
    """A model file of a later version."""

    def __init__(self, path: object, found: int, known: int):
        self.path, self.found, self.known = str(path), found, known
        super().__init__(
            f"{str(path)!r} has schema {_SHORT.repr(found)}, this version reads up to {known}. "
            "Upgrade with: pip install --upgrade polydescent"
        )


class NotAModel(PolydescentError, ValueError):
    """A file that is something else, and would be overwritten."""

    def __init__(self, path: object):
        self.path = str(path)
        super().__init__(
            f"{str(path)!r} exists and is no model file, so it is not overwritten. "
            "Save under another name, or remove it first."
        )


class NotKept(PolydescentError, ValueError):
    """A summary that no model file can hold, such as one with NaN in its triangle."""

    def __init__(self, path: object, why: object):
        self.path, self.why = str(path), str(why)
        super().__init__(
            f"This cannot be kept in {str(path)!r}: {why}. It would not be read again. Make the "
            "summary from finite numbers in NumPy arrays or PyTorch tensors."
        )


class AlreadyAdded(PolydescentError, ValueError):
    """A source whose rows are counted already: in a model, or by another of the sources given.

    path: of the source. earlier: under which name its rows were counted. rows: how many, None where
    they are not read yet. model: the model that holds them, None for sources given together. part:
    the earlier one holds these rows and more.
    """

    def __init__(
        self,
        path: str,
        earlier: str,
        rows: int | None = None,
        model: object = None,
        part: bool = False,
    ):
        self.path, self.earlier, self.rows, self.part = path, earlier, rows, part
        self.model = None if model is None else str(model)
        if model is None:
            same = "is given twice" if earlier == path else f"holds the same rows as {earlier!r}"
            super().__init__(
                f"{path!r} {same}: they would count twice. Leave one out, or pass "
                "again=True to count them again."
            )
            return
        same = "" if earlier == path else f" as {'part of ' * part}{earlier!r}"
        count = "" if rows is None else f" ({rows:,} rows)"
        super().__init__(
            f"{path!r} was added to {str(model)!r} before{same}{count}. Adding it again "
            "counts its rows twice; pass again=True to do that."
        )


class SourceGrew(PolydescentError, ValueError):
    """A file that holds rows which are counted already, and more.

    path: of the file. earlier: what it was called when it had `before` bytes; now it has `now`.
    model: the model that holds its first rows, None for files given together.
    """

    def __init__(self, path: str, earlier: str, before: int, now: int, model: object = None):
        self.path, self.earlier, self.before, self.now = path, earlier, before, now
        self.model = None if model is None else str(model)
        name = "" if earlier == path else f" as {earlier!r}"
        found = (
            f"{path!r} ({now:,} bytes) begins with all {before:,} bytes of {earlier!r}"
            if model is None
            else f"{path!r} was added to {str(model)!r}{name} when it had {before:,} bytes; now it "
            f"has {now:,} and starts the same"
        )
        super().__init__(
            f"{found}, so its first rows would count twice. Put new rows into a new file, or "
            "pass again=True to count all of them."
        )


class SourceChanged(PolydescentError, ValueError):
    """A file that somebody wrote to while it was read."""

    def __init__(self, path: str):
        self.path = path
        super().__init__(
            f"{path!r} changed while it was read, so no summary of it is right. Run the command "
            "again once it is complete."
        )


class ColumnsDiffer(PolydescentError, ValueError):
    """Models of different columns do not merge."""

    def __init__(self, what: str, left: object, right: object, model: object):
        self.what, self.left, self.right, self.model = what, left, right, str(model)
        super().__init__(
            f"{what} is {left!r} here and {right!r} in {str(model)!r}: their rows are not about "
            "the same curve, so they do not merge."
        )


# ── groups ───────────────────────────────────────────────────────────────────────────────────────


class BadKeys(PolydescentError, ValueError):
    """Columns that cannot say what group a row belongs to."""

    def __init__(self, why: str):
        self.why = why
        super().__init__(
            f"by= needs columns of one value a row, alike in all parts of the rows: {why}. An SQL "
            'expression of columns may make a key, as in by="year(t)" or by="CAST(v AS VARCHAR)".'
        )


class UnknownKey(PolydescentError, KeyError):
    """A key that no group has."""

    def __init__(self, key: str, near: Iterable[str], n: int, by: Iterable[str]):
        self.key, self.near, self.n, self.by = key, list(near), n, list(by)
        there = f" There are, of {n:,}: {'; '.join(self.near)}." if self.near else ""
        parts = "" if len(self.by) < 2 else f" A key is {', '.join(self.by)}, in this order."
        super().__init__(f"There is no group {key!r}.{there}{parts}")

    __str__ = Exception.__str__  # a KeyError's own would quote it


# ── pictures, pages and words ────────────────────────────────────────────────────────────────────


class NothingToDraw(PolydescentError, ValueError):
    """A picture of something that this fit does not hold."""

    def __init__(self, kind: str, why: str, instead: str):
        super().__init__(f'There is nothing to draw for kind="{kind}": {why}. {instead}')


class NoDescent(PolydescentError, ValueError):
    """A question about steps, asked of exact least squares."""

    def __init__(self) -> None:
        super().__init__(
            "Exact least squares takes no steps, so there is none to trace. Descend instead: "
            "descend(…), or --optimizer gd."
        )


class NoFolder(PolydescentError, FileNotFoundError):
    """A file to be written into a folder that is not there or cannot be written to."""

    def __init__(self, path: str, folder: str, why: str):
        self.path, self.folder, self.why = path, folder, why
        super().__init__(f"Cannot write {path!r}: the folder {folder!r} {why}.")


class Stopped(PolydescentError):
    """Ctrl-C during a pass whose state is kept in a file."""

    def __init__(self, rows: int, checkpoint: object):
        self.rows, self.checkpoint = rows, str(checkpoint)
        super().__init__(
            f"Stopped after {rows:,} rows, nothing is lost: the same command goes on from there. "
            f"To start over instead, remove {str(checkpoint)!r}."
        )


class OnlyFiles(PolydescentError, ValueError):
    """A source that cannot be remembered in a model."""

    def __init__(self, label: str):
        self.label = label
        super().__init__(
            f"A model remembers files and SQL, {label} is neither. Use summarize(…).save(path)."
        )


class NoColumns(PolydescentError, ValueError):
    """A model that does not say which columns it was made of."""

    def __init__(self, path: object):
        self.path = str(path)
        super().__init__(
            f"{str(path)!r} was saved from Python and does not name its columns. Make it with "
            "`polydescent fit FILES --x … --y … --save`, or use Summary.load(path) in Python."
        )


class BadRecord(PolydescentError, ValueError):
    """JSON that is not a Fit."""

    def __init__(self, why: object):
        self.why = str(why)
        super().__init__(
            f"This text is not what fit.to_json() wrote ({self.why:.200}). Write it again, whole."
        )
