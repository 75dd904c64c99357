"""Everything polydescent refuses: one class per reason, with a text that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class PolydescentError(Exception):
    """Base of every refusal; catch it to catch them all. Nothing has been changed when it is
    raised.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """By its text: the classes below take facts, and pickle would call them with the text."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(
    kind: type[PolydescentError], args: tuple[Any, ...], facts: dict[str, Any]
) -> PolydescentError:
    error = kind.__new__(kind, *args)
    vars(error).update(facts)
    return error


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
            f"Pass one column at a time, or {name}.reshape(-1) if it is one column already."
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

    def __init__(self, name: str, count: int, n: int, first: int, value: float):
        self.name, self.count, self.n, self.first, self.value = name, count, n, first, value
        super().__init__(
            f"{name} has {count:,} NaN or infinite value{'s' if count != 1 else ''} among {n:,} "
            f"rows, the first is {value} at row {first:,} (counted from 0). "
            'Remove or repair those rows, or pass missing="omit".'
        )


class OutOfRange(PolydescentError, ValueError):
    """Values whose squares or powers do not fit a double."""

    def __init__(self, what: str, advice: str):
        super().__init__(f"{what} does not fit double precision. {advice}")


# ── the polynomial ───────────────────────────────────────────────────────────────────────────────


class BadDegree(PolydescentError, ValueError):
    """A degree that is not a whole number from 0 up to what the summary holds."""

    def __init__(self, degree: object, largest: int | None = None, auto: bool = False):
        other = ', "auto" or "auto:8"' if auto else ""
        limit = "" if largest is None else f" to {largest}, the degree of this summary"
        more = "" if largest is None else " Summarize again with a larger degree= to go beyond it."
        super().__init__(
            f"degree must be a whole number from 0{limit}{other}, found {degree!r}.{more}"
        )


class TooFewRows(PolydescentError, ValueError):
    """Fewer rows than coefficients."""

    def __init__(self, n: int, degree: int):
        super().__init__(
            f"A polynomial of degree {degree} has {degree + 1} coefficients and needs at least as "
            f"many rows, found {n}. Use degree={max(n - 1, 0)} or less, or more rows."
        )


class TooFewDistinct(PolydescentError, ValueError):
    """Rows enough, but too few different x to tell the coefficients apart."""

    def __init__(self, n: int, degree: int, distinct: int | None = None, idle: int | None = None):
        found = (
            f"the {n:,} rows hold only {distinct} distinct x"
            if distinct is not None
            else f"the x of these {n:,} rows do not tell so many terms apart in double precision"
        )
        low = idle if idle is not None else distinct
        use = f"Use degree={low - 1} or less" if low else "Use a lower degree"
        terms = [f"x^{power}" for power in range(low or degree + 1, degree + 1)]
        named = f": {', '.join(terms)} add{'s' * (len(terms) == 1)} nothing to the lower terms"
        super().__init__(
            f"A polynomial of degree {degree} needs at least {degree + 1} distinct x, but {found}"
            f"{named if terms else ''}. {use}, or data at more places."
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


class UnknownName(PolydescentError, ValueError):
    """A name (basis, backend, column, …) that is not among those there are."""

    def __init__(self, what: str, name: object, there_are: Iterable[str], where: str = ""):
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


class OutsideDomain(PolydescentError, ValueError):
    """x beyond the data, where a polynomial says nothing about y."""

    def __init__(self, count: int, n: int, lo: str, hi: str, domain_lo: str, domain_hi: str):
        found = f"x = {lo}" if lo == hi else f"{count:,} of {n:,} x, from {lo} to {hi},"
        super().__init__(
            f"{found} outside [{domain_lo}, {domain_hi}], where the data are: polynomials run away "
            'there. Pass outside="ignore" if that is meant, or fit data that reach so far.'
        )


class OutsideDomainWarning(UserWarning):
    """The text of OutsideDomain, as a warning."""


# ── the descent ──────────────────────────────────────────────────────────────────────────────────


class BadSetting(PolydescentError, ValueError):
    """A setting outside its range."""

    def __init__(self, name: str, value: object, wanted: str):
        super().__init__(f"{name} must be {wanted}, found {value!r}.")


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


class NoClosedForm(PolydescentError, TypeError):
    """Adam's steps depend on the whole path, so nothing can be said before it is walked."""

    def __init__(self, optimizer: str, asked: str):
        super().__init__(
            f"{optimizer} has no {asked} in closed form: its steps depend on the path walked. Run "
            "the descent and read fit.history, or use GradientDescent, Momentum or Nesterov."
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


# ── models that last ─────────────────────────────────────────────────────────────────────────────


class DamagedModel(PolydescentError, ValueError):
    """A saved file that is not, byte for byte, what was written."""

    def __init__(self, path: object, why: str):
        super().__init__(
            f"{str(path)!r} is no whole model file: {why}. Restore it from a copy, or make it anew "
            "with `polydescent fit … --save`; nothing was changed."
        )


class UnknownSchema(PolydescentError, ValueError):
    """A model file of a later version."""

    def __init__(self, path: object, found: object, known: int):
        super().__init__(
            f"{str(path)!r} has schema {found!r}, this version reads up to {known}. "
            "Upgrade with: pip install --upgrade polydescent"
        )


class NotAModel(PolydescentError, ValueError):
    """A file that is something else, and would be overwritten."""

    def __init__(self, path: object):
        super().__init__(
            f"{str(path)!r} exists and is no model file, so it is not overwritten. "
            "Save under another name, or remove it first."
        )


class AlreadyAdded(PolydescentError, ValueError):
    """A source whose rows the model holds."""

    def __init__(self, path: str, model: object, n: int, earlier: str):
        same = "" if earlier == path else f" as {earlier!r}"
        super().__init__(
            f"{path!r} was added to {str(model)!r} before{same} ({n:,} rows). Adding it again "
            "counts its rows twice; pass --again to do that."
        )


class SourceGrew(PolydescentError, ValueError):
    """A file that holds rows the model has, and more."""

    def __init__(self, path: str, model: object, before: int, now: int):
        super().__init__(
            f"{path!r} was added to {str(model)!r} when it had {before:,} bytes; now it has "
            f"{now:,} and starts the same, so its first rows would count twice. Put new rows into "
            "a new file, or pass --again to count all of them."
        )


class SourceChanged(PolydescentError, ValueError):
    """A file that somebody wrote to while it was read."""

    def __init__(self, path: str):
        super().__init__(
            f"{path!r} changed while it was read, so no summary of it is right. Run the command "
            "again once it is complete."
        )


class AskedDiffer(PolydescentError, ValueError):
    """Models of different columns do not merge."""

    def __init__(self, what: str, left: object, right: object, model: object):
        super().__init__(
            f"{what} is {left!r} here and {right!r} in {str(model)!r}: their rows are not about "
            "the same curve, so they do not merge."
        )


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
        super().__init__(f"Cannot write {path!r}: the folder {folder!r} {why}.")


class Stopped(PolydescentError):
    """Ctrl-C during a pass whose state is kept in a file."""

    def __init__(self, rows: int, checkpoint: object):
        super().__init__(
            f"Stopped after {rows:,} rows, nothing is lost: the same command goes on from there. "
            f"To start over instead, remove {str(checkpoint)!r}."
        )


class OnlyFiles(PolydescentError, ValueError):
    """A source that cannot be remembered in a model."""

    def __init__(self, label: str):
        super().__init__(
            f"A model remembers files and SQL, {label} is neither. Use summarize(…).save(path)."
        )


class NoColumns(PolydescentError, ValueError):
    """A model that does not say which columns it was made of."""

    def __init__(self, path: object):
        super().__init__(
            f"{str(path)!r} was saved from Python and does not name its columns. Make it with "
            "`polydescent fit FILES --x … --y … --save`, or use Summary.load(path) in Python."
        )


class BadRecord(PolydescentError, ValueError):
    """JSON that is not a Fit."""

    def __init__(self, why: str):
        super().__init__(
            f"This text is not what fit.to_json() wrote ({why:.200}). Write it again, whole."
        )
