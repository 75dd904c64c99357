"""One pass over all rows: each weighed by its residual from the last curve, and folded at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from polydescent.arrays import Array, Kind, in_double, namespace, on_rows, to_host
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.robust.losses import Loss
from polydescent.robust.scale import Within
from polydescent.rows.axis import Axis
from polydescent.rows.rows import Rows, joined, omit_missing
from polydescent.rows.source import Source
from polydescent.triangle import kernels
from polydescent.triangle.kernels import sums
from polydescent.triangle.kernels.blocks import DEVICE_BLOCK, fill
from polydescent.triangle.kernels.reference import stack
from polydescent.triangle.kernels.threads import one_core
from polydescent.triangle.triangle import Triangle

_LEAST = 1e-140  # a length below this has a square that is no longer a double
_BLOCK = 1 << 14  # rows at once on the host: a column is 128 kB
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

    def sample(self, limit: int, n: int) -> Sample:
        """At most `limit` rows, where none are at hand: of a cluster."""
        few = self.each(partial(_few, limit=limit))
        return Sample.of(few.rows, limit, n)

    def in_order(self) -> Iterator[Rows]:
        """The chunks one after the other, on the axis; of a source that is here."""
        for rows in self._chunks():
            yield _prepared(rows, self.axis, self.missing)

    def _chunks(self) -> Iterator[Rows]:
        for part in self.source.parts:
            for rows, _ in part.chunks():
                yield rows


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
    if not question.is_fast:
        return _folded(rows, question)
    found = None
    if rows.counts is None:
        frame = question.domain, question.curve, (loss.code, loss.c), question.scale
        found = kernels.discounted(rows.x, rows.y, rows.weights, *frame, question.bracket)
    if found is None:
        return _summed(rows, question)
    return Answer(found[0], np.zeros((k + 1, k + 1)), *found[1:])


def _summed(rows: Rows, question: Question) -> Answer:
    """The sums that the C pass takes, in the array standard: block by block, on any device."""
    k, domain, loss = len(question.curve), question.domain, question.loss
    one = in_double(on_rows(rows.x[:1]))
    xp, kind = namespace(one), {"dtype": one.dtype, "device": one.device}
    on_host = str(getattr(rows.x, "device", "cpu")).startswith(("cpu", "mps"))
    size = min(_BLOCK if on_host else DEVICE_BLOCK, rows.n)
    curve, columns = xp.asarray(question.curve, **kind), xp.ones((k, size), **kind)
    parts, inside = [], _Inside(question.bracket)
    for start in range(0, rows.n, size):
        some = rows.chosen(slice(start, min(start + size, rows.n)))
        x, rest, root, often = _columns(some, domain.mid)
        T = columns[:, : some.n]
        fill(T, x, domain)
        rest = rest - curve @ T
        if root is not None:
            rest = rest * root
        away = xp.abs(rest)
        weight, tallies = _judged(away, loss, question, often)
        inside.take(away, often)
        own = weight if often is None else weight * often
        if root is not None:
            own, rest = own * root * root, rest * _inverse(root)
        last, pull = own * T[-1, :], own * rest
        sums_here = [T @ own, T @ last, T @ pull, (rest @ pull)[None], xp.stack(tallies)]
        parts.append(xp.concat(sums_here))
    total = sums.pairwise(to_host(xp.stack(parts)))
    return Answer(total[:-6], np.zeros((k + 1, k + 1)), total[-6:], *inside.all(rows))


def _columns(rows: Rows, mid: float) -> tuple[Array, Array, Array | None, Array | None]:
    """x, y, √ω and how often a row counts, in float64, None for 1; values that do not count are
    replaced, for a weight of 0 silences NaN.
    """
    x, y = in_double(on_rows(rows.x)), in_double(on_rows(rows.y))
    if rows.weights is None and rows.counts is None:
        return x, y, None, None
    xp = namespace(x)
    omega = in_double(on_rows(rows.omega))
    live = omega != 0
    x, y = xp.where(live, x, mid + 0 * omega), xp.where(live, y, 0 * omega)
    often = xp.astype(live, x.dtype)
    if rows.counts is not None:
        often = often * in_double(on_rows(rows.counts))
    if rows.weights is None:
        return x, y, None, often
    return x, y, xp.where(live, xp.sqrt(in_double(on_rows(rows.weights))), 0 * omega), often


def _judged(
    away: Array, loss: Loss, question: Question, often: Array | None
) -> tuple[Array, list[Array]]:
    """The weight that the loss gives to each row, and the tallies of `Answer`, six numbers."""
    xp = namespace(away)
    a = away * (1 / question.scale)
    weight, slope = loss.weight(a), loss.slope(a)
    pull = a * weight
    doubtful, below = weight < 0.5, away < question.bracket[0]
    if often is not None:
        number, pull = xp.sum(often), pull * often**0.5
        slope_sum, slope_square = slope @ often, (slope * slope) @ often
        flags = [xp.astype(flag, away.dtype) @ often for flag in (doubtful, below)]
    else:
        number = xp.asarray(float(away.shape[0]), dtype=away.dtype, device=away.device)
        slope_sum, slope_square = xp.sum(slope), slope @ slope
        flags = [xp.astype(xp.count_nonzero(f), away.dtype) for f in (doubtful, below)]
    return weight, [number, flags[0], pull @ pull, slope_sum, slope_square, flags[1]]


def _inverse(root: Array) -> Array:
    """1/√ω, 0 where that is."""
    xp = namespace(root)
    return xp.where(root == 0, 0 * root, 1 / xp.where(root == 0, 1 + 0 * root, root))


class _Inside:
    """The |residuals| within a bracket, gathered block by block."""

    def __init__(self, bracket: tuple[float, float]):
        self._low, self._high = bracket
        self._found: list[tuple[np.ndarray, np.ndarray | None]] = []

    def take(self, away: Array, often: Array | None) -> None:
        """Look at the next block."""
        if self._high < self._low:
            return
        inside = (away >= self._low) & (away <= self._high)
        if often is not None:
            inside = inside & (often != 0)
        self._found.append(
            (to_host(away[inside]), often if often is None else to_host(often[inside]))
        )

    def all(self, rows: Rows) -> tuple[np.ndarray, np.ndarray | None]:
        """Those of all blocks, and how often each counts where the rows have counts."""
        values = [value for value, _ in self._found] or [np.empty(0)]
        if rows.counts is None:
            return np.concatenate(values), None
        often = [each for _, each in self._found if each is not None] or [np.empty(0)]
        return np.concatenate(values), np.concatenate(often)


def _folded(rows: Rows, question: Question) -> Answer:
    """The same from the rows themselves, weighed: for those whose sums of squares lose digits."""
    k, domain = len(question.curve), question.domain
    curve = Polynomial(CHEBYSHEV, domain, question.curve)
    _, _, root, often = _columns(rows, domain.mid)
    left, _ = weighed_residuals(rows, curve)
    xp = namespace(left)
    away = xp.abs(left)
    weight, tallies = _judged(away, question.loss, question, often)
    inside = _Inside(question.bracket)
    inside.take(away, often)
    if often is not None:
        weight = weight * often
    if root is not None:
        weight, left = weight * root * root, left * _inverse(root)
    array, own = kernels.compress(in_double(on_rows(rows.x)), left, weight, k - 1)
    triangle = Triangle(array, own, 1).rebased(domain).array if array.any() else array
    return Answer(0.0, triangle, to_host(xp.stack(tallies)), *inside.all(rows))


def weighed_residuals(rows: Rows, curve: Polynomial) -> tuple[Array, Array | None]:
    """√ω·(y − f(x)) and √ω of each row, None for 1, float64 where the rows live; 0 where a row does
    not count.
    """
    x, y, root, often = _columns(rows, curve.domain.mid)
    left = y - curve(x)
    if often is not None:
        left = namespace(left).where(often == 0, 0 * left, left)
    return (left if root is None else left * root), root


def columns_that_count(rows: Rows) -> tuple[Array, Array, Array, Array]:
    """x, y, √ω times count, and count, of the rows that count; float64 where they live."""
    x, y, root, often = _columns(rows, 0.0)
    if often is None:
        one = namespace(x).ones_like(x)
        return x, y, one, one
    cost = often if root is None else root * often
    live = often != 0
    return x[live], y[live], cost[live], often[live]


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
            taken = np.zeros(rows.n, dtype=bool)
            taken[(np.arange(limit) * sums.GOLDEN % 1.0 * rows.n).astype(np.int64)] = True
            places = np.flatnonzero(taken)
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


@dataclass(frozen=True, eq=False)
class _Few:
    """Rows on the host, each with a number drawn for it; of the rows of both, those with the
    lowest.
    """

    rows: Rows
    drawn: np.ndarray
    limit: int

    def __add__(self, other: _Few) -> _Few:
        rows = joined([self.rows, other.rows], "")
        drawn = np.concatenate([self.drawn, other.drawn])
        return _lowest(rows, drawn, self.limit)


def _few(rows: Rows, limit: int) -> _Few:
    seed = np.frombuffer(to_host(rows.x[:4]).tobytes(), dtype=np.uint32)
    return _lowest(rows.put(Kind()), np.random.default_rng(seed).random(rows.n), limit)


def _lowest(rows: Rows, drawn: np.ndarray, limit: int) -> _Few:
    if len(drawn) > limit:
        kept = np.sort(np.argpartition(drawn, limit)[:limit])
        rows, drawn = rows.chosen(kept), drawn[kept]
    return _Few(rows, drawn, limit)
