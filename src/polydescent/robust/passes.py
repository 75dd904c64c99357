"""One pass over all rows: each weighed by its residual from the last curve, and folded at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from polydescent.arrays import Array, in_double, namespace, to_host
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.robust.losses import Loss
from polydescent.robust.scale import Within
from polydescent.rows.axis import Axis
from polydescent.rows.chunks import InMemory
from polydescent.rows.rows import Rows, omit_missing
from polydescent.rows.source import Source
from polydescent.triangle import kernels
from polydescent.triangle.kernels import sums
from polydescent.triangle.kernels.reference import stack
from polydescent.triangle.kernels.threads import one_core
from polydescent.triangle.triangle import Triangle

_BLOCK = 1 << 16  # rows weighed at once: a few columns of half a megabyte
_LEAST = 1e-140  # a length below this has a square that is no longer a double
NO_BRACKET = (0.0, -1.0)


class Addable(Protocol):
    """What parts of the rows give, to be added up."""

    def __add__(self, other: Self) -> Self: ...


Part = TypeVar("Part", bound=Addable)


# ── rows that can be read again ──


@dataclass(frozen=True, eq=False)
class Reader:
    """Rows to read again and again, on one axis and, where that was asked, without missing values.

    Attributes
    ----------
    source
        Where they come from; whether it can be read again, the verbs have seen to.
    axis
        The one of the fit.
    missing
        "raise" or "omit".
    """

    source: Source
    axis: Axis
    missing: str = "raise"

    def each(self, of_rows: Callable[[Rows], Part]) -> Part:
        """The sum of what a function makes of every chunk; it travels to workers."""
        of_chunk = partial(_of_chunk, of_rows, self.axis, self.missing)
        if self.source.remote:
            found = self.source.fold(partial(_alone, of_chunk), _added)
        else:
            found = _added(of_chunk(rows) for rows in self._chunks())
        assert found is not None  # the summary has seen some rows
        return found

    def in_order(self) -> Iterator[Rows]:
        """The chunks one after the other, on the axis; of a source that is here."""
        for rows in self._chunks():
            yield _prepared(rows, self.axis, self.missing)

    def _chunks(self) -> Iterator[Rows]:
        for part in self.source.parts:
            for rows, _ in part.chunks():
                yield rows

    @property
    def held(self) -> Rows | None:
        """All rows, where they are in memory already."""
        return self.source.rows if isinstance(self.source, InMemory) else None


def _of_chunk(of_rows: Callable[[Rows], Any], axis: Axis, missing: str, rows: Rows) -> Any:
    there = _prepared(rows, axis, missing) if rows.n else rows
    return of_rows(there) if there.n else None


def _prepared(rows: Rows, axis: Axis, missing: str) -> Rows:
    return (omit_missing(rows)[0] if missing == "omit" else rows).on(axis)


def _alone(of_chunk: Callable[[Rows], Any], rows: Rows) -> Any:
    with one_core():  # a worker has as many tasks as cores
        return of_chunk(rows)


def _added(parts: Iterable[Any]) -> Any:
    """The sum in pairs of like size, so that rounding grows with the logarithm; None of none."""
    waiting: list[tuple[int, Any]] = []
    for part in parts:
        if part is None:
            continue
        count = 1
        while waiting and waiting[-1][0] == count:
            part = waiting.pop()[1] + part
            count *= 2
        waiting.append((count, part))
    return reduce(add, (part for _, part in waiting)) if waiting else None


# ── the question and its answer ──


@dataclass(frozen=True, eq=False)
class Question:
    """What a pass is asked.

    Attributes
    ----------
    loss
        Of the residuals.
    curve
        Chebyshev weights of the last curve on `domain`, shape (k,), in units of y.
    domain
        Holds all x.
    scale
        In units of y (of one row of weight 1), > 0.
    bracket
        The least and largest |residual| to hand over; NO_BRACKET for none.
    is_fast
        Whether the fused C pass may be used: sums, where the triangle is well conditioned.
    """

    loss: Loss
    curve: np.ndarray
    domain: Domain
    scale: float
    bracket: tuple[float, float] = NO_BRACKET
    is_fast: bool = True


@dataclass(frozen=True, eq=False)
class Answer:
    """What a pass found; the sum of the answers of parts is the answer of the whole.

    Attributes
    ----------
    sums
        Of the C pass, shape (3k + 1,), 0 where there was none.
    triangle
        Of the other rows, shape (k + 1, k + 1): √weight·[T₀ … T_degree | y − curve].
    tallies
        Rows that count, those of them that the loss weighs less than 1/2, Σψ², Σψ′, Σψ′², and those
        below the bracket.
    inside, often
        The |residuals| within the bracket, and how often each counts; None for once.
    """

    sums: Any
    triangle: np.ndarray
    tallies: np.ndarray
    inside: np.ndarray
    often: np.ndarray | None = None

    def __add__(self, other: Answer) -> Answer:
        often = None
        if self.often is not None or other.often is not None:
            often = np.concatenate([_times(self), _times(other)])
        triangle = self.triangle
        if other.triangle.any():
            triangle = stack(triangle, other.triangle) if triangle.any() else other.triangle
        return Answer(
            self.sums + other.sums,
            triangle,
            self.tallies + other.tallies,
            np.concatenate([self.inside, other.inside]),
            often,
        )

    @property
    def n(self) -> int:
        """Rows that count, each as often as its count says."""
        return int(self.tallies[0])

    @property
    def within(self) -> Within:
        """What is known about the median of |residual|."""
        return Within(float(self.tallies[5]), self.inside, self.often)

    def folded(self) -> np.ndarray | None:
        """The triangle of all rows about the curve, shape (k + 1, k + 1); None where sums of
        squares lose digits, and only rows themselves would do.
        """
        if not np.ndim(self.sums):
            return self.triangle
        if not np.isfinite(self.sums).all():
            return None
        found = sums.cholesky(sums.gram(self.sums))
        if found is None or found[0, 0] < _LEAST:
            return None
        return stack(found, self.triangle) if self.triangle.any() else found


def _times(answer: Answer) -> np.ndarray:
    return np.ones(len(answer.inside)) if answer.often is None else answer.often


def answer(rows: Rows, question: Question) -> Answer:
    """What one chunk of rows says."""
    loss, k = question.loss, len(question.curve)
    nothing = np.zeros((k + 1, k + 1))
    if question.is_fast and rows.counts is None:
        frame = question.domain, question.curve, (loss.code, loss.c), question.scale
        found = kernels.discounted(rows.x, rows.y, rows.weights, *frame, question.bracket)
        if found is not None:
            return Answer(found[0], nothing, *found[1:])
    return _by_blocks(rows, question)


def _by_blocks(rows: Rows, question: Question) -> Answer:
    """The same in the array standard: residuals and weights in blocks, then the present kernels."""
    loss, curve = question.loss, Polynomial(CHEBYSHEV, question.domain, question.curve)
    k = len(question.curve)
    xp = namespace(in_double(rows.y[:1]))
    low, high = question.bracket
    residuals, weights, parts = [], [], []
    tallies = np.zeros(6)
    for start in range(0, rows.n, _BLOCK):
        some = rows.chosen(slice(start, min(start + _BLOCK, rows.n)))
        left, root = weighed_residuals(some, curve)
        away = abs(left)
        live = xp.astype(root != 0, left.dtype)
        often = live if some.counts is None else live * in_double(some.counts)
        a = away / question.scale
        weight = loss.weight(a)
        slope, pull = loss.slope(a), a * weight
        doubtful = xp.where(weight < 0.5, often, 0 * often)
        sums_here = [often, doubtful, often * pull * pull, often * slope, often * slope * slope]
        sums_here.append(xp.where(away < low, often, 0 * often))
        tallies += to_host(xp.stack([xp.sum(each) for each in sums_here]))
        if high >= low:
            inside = (away >= low) & (away <= high) & (often != 0)
            parts.append((to_host(away[inside]), to_host(often[inside])))
        total = some.omega
        weights.append(weight * often if total is None else weight * in_double(total))
        residuals.append(xp.where(root != 0, _unweighed(left, root), 0 * left))
    x, left, omega = in_double(rows.x), xp.concat(residuals), xp.concat(weights)
    folded, domain = kernels.compress(x, left, omega, k - 1)
    triangle = Triangle(folded, domain, 1 if folded.any() else 0).rebased(question.domain).array
    inside, often = (np.concatenate(c) for c in zip(*parts, strict=True)) if parts else (
        np.empty(0),
        np.empty(0),
    )
    return Answer(0.0, triangle, tallies, inside, None if rows.counts is None else often)


def weighed_residuals(rows: Rows, curve: Polynomial) -> tuple[Array, Array]:
    """√ω·(y − f(x)) and √ω of each row, float64 where the rows live; 0 where the row, its weight
    or its count, does not count.
    """
    left = in_double(rows.y) - curve(in_double(rows.x))
    xp = namespace(left)
    root = xp.ones_like(left)
    if rows.weights is not None:
        root = xp.sqrt(in_double(rows.weights))
    if rows.counts is not None:
        root = xp.where(in_double(rows.counts) == 0, 0 * root, root)
    # chosen, not multiplied: a weight of 0 silences NaN
    return xp.where(root == 0, 0 * root, left * root), root


def _unweighed(left: Array, root: Array) -> Array:
    xp = namespace(left)
    return left / xp.where(root == 0, xp.ones_like(root), root)


# ── a few rows, to guess from ──


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows on the host, NumPy, float64, to look at between passes.

    Attributes
    ----------
    rows
        All on the axis of the fit, none of weight 0.
    is_all
        Whether they are all rows there are.
    """

    rows: Rows
    is_all: bool

    @classmethod
    def of(cls, rows: Rows, limit: int, n: int) -> Sample:
        """At most `limit` of the rows, evenly but following no period; n: how many count in all."""
        if rows.n > limit:
            places = np.unique((np.arange(limit) * sums.GOLDEN % 1.0 * rows.n).astype(np.int64))
            xp = namespace(rows.x, rows.y)
            rows = rows.chosen(xp.asarray(places, device=rows.x.device))
        columns = {
            role: None if column is None else to_host(column)
            for role, column in vars(rows).items()
            if role in ("x", "y", "weights", "counts")
        }
        rows = replace(rows, **columns)
        omega = rows.omega
        if omega is not None and not omega.all():
            rows = rows.chosen(omega > 0)
        return cls(rows, rows.counting == n)

    def distances(self, curve: np.ndarray, domain: Domain) -> np.ndarray:
        """√ω·|y − f(x)|, shape (rows,)."""
        left, _ = weighed_residuals(self.rows, Polynomial(CHEBYSHEV, domain, curve))
        return np.abs(left)
