"""Cross-validation from the triangles of its parts: every degree, and no row is read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polydescent.arrays import in_double, qr_triangle, to_host
from polydescent.errors import BadSetting, TooManyParts
from polydescent.rows.rows import Rows
from polydescent.triangle.kernels.reference import normalized, stack
from polydescent.triangle.triangle import RANK_TOLERANCE, Triangle

MOST_PARTS = 1000  # as many triangles: beyond it, leaving out each row costs less
_LARGEST = 2.0**52  # rows that float64 counts with some to spare


# ── which rows are left out together ──


@dataclass(frozen=True, eq=False)
class Splits:
    """Rows in parts that no split tells apart, and what each split does with each part.

    Attributes
    ----------
    part : of each row, 0 to P − 1, shape (n,); None of parts that were made beforehand.
    train, test : how often a split trains on a row of each part and judges by it, shape (S, P).
    """

    part: np.ndarray | None
    train: np.ndarray
    test: np.ndarray

    @classmethod
    def each_once(cls, parts: int, part: np.ndarray | None = None) -> Splits:
        """Every part left out once, with all others to train on."""
        test = np.eye(parts, dtype=np.int64)
        return cls(part, 1 - test, test)

    @classmethod
    def of(cls, pairs: Iterable[tuple[Any, Any]], n: int) -> Splits:
        """The splits of (train, test), positions among n rows or masks of them, as splitters give.

        Raises TooManyParts.
        """
        roles = [(_times(train, n), _times(test, n)) for train, test in pairs]
        code = np.zeros(n, dtype=np.int64)
        for role in (role for pair in roles for role in pair):
            _, code = np.unique(code * (int(role.max(initial=0)) + 1) + role, return_inverse=True)
            if code.max(initial=0) >= MOST_PARTS:
                raise TooManyParts(MOST_PARTS)
        first = np.unique(code, return_index=True)[1]
        train, test = (np.array([pair[i][first] for pair in roles]) for i in (0, 1))
        return cls(code, train, test)

    @property
    def parts(self) -> int:
        return self.train.shape[1]

    @property
    def leaves_each_out_once(self) -> bool:
        """Whether split i leaves part i out and no other."""
        eye = np.eye(self.parts, dtype=np.int64)
        return np.array_equal(self.test, eye) and np.array_equal(self.train, 1 - eye)


def _times(rows: Any, n: int) -> np.ndarray:
    """How often each of n rows is named, by a mask or by positions from either end."""
    rows = np.asarray(rows)
    if rows.dtype == bool:
        return rows.astype(np.int64)
    rows = rows.astype(np.int64, copy=False)
    return np.bincount(np.where(rows < 0, rows + n, rows), minlength=n)


# ── what is left ──


def held_out(
    parts: np.ndarray, splits: Splits, sizes: Sequence[int], minimum_norm: bool = False
) -> np.ndarray:
    """Σ ω·r² of the rows that each split judges by, under the curves of those it trains on.

    parts: shape (P, k + m, k + m), triangles [[R, Z], [0, S]] of m targets on one domain, of which
    ‖V·w − y‖² = ‖R·w − z‖² + ‖s‖². sizes: how many of the k terms each degree has, ascending. So a
    part's own triangle tells what any curve leaves of its rows, and the curves come from the sums
    of others. minimum_norm: of all curves where the rows do not determine one; else NaN there.

    Returns shape (S, degrees, m).
    """
    k = sizes[-1]
    left = np.empty((len(splits.test), len(sizes), parts.shape[-1] - k))
    together = _all_but_one(parts) if splits.leaves_each_out_once else None
    for i, test in enumerate(splits.test):
        trained = total(parts, splits.train[i]) if together is None else next(together)
        judged = total(parts, test)
        weights = _of_every_degree(trained, sizes, minimum_norm)
        missed = judged[:, None, k:] - np.moveaxis(judged[:, :k] @ weights, 0, 1)
        left[i] = (missed * missed).sum(axis=0)
    return left


def _of_every_degree(array: np.ndarray, sizes: Sequence[int], minimum_norm: bool) -> np.ndarray:
    """The weights of every degree, 0 for the terms it lacks, shape (degrees, k, m)."""
    k = sizes[-1]
    R, Z = array[:k, :k], array[:k, k:]
    weights = np.full((len(sizes), k, Z.shape[1]), np.nan)
    own, length = np.abs(np.diagonal(R)), np.hypot.reduce(R, axis=0)
    with np.errstate(invalid="ignore"):  # 0 of 0 adds nothing
        least = np.minimum.accumulate(own / length)
    # `determines` of each leading block
    known = [i for i, size in enumerate(sizes) if least[size - 1] > RANK_TOLERANCE * size]
    if known:
        most = sizes[known[-1]]
        used = np.arange(most)[None, :, None] < np.array(sizes)[known, None, None]
        weights[known] = 0.0  # R is triangular: a z cut at a degree gives the weights of it
        weights[known, :most] = np.linalg.solve(R[:most, :most], np.where(used, Z[:most], 0.0))
    if minimum_norm:
        for i in set(range(len(sizes))) - set(known):
            size = sizes[i]
            weights[i] = 0.0
            weights[i, :size] = shortest(R[:size, :size], Z[:size])
    return weights


def shortest(R: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """The least squares weights of the smallest norm, shape (k, m), where R has not full rank."""
    return np.linalg.lstsq(R, Z, rcond=RANK_TOLERANCE * len(R))[0]


def total(parts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The triangle of some parts, each as often as said."""
    used = np.flatnonzero(times)
    if len(used) == 1 and times[used[0]] == 1:
        return parts[used[0]]
    rows = parts[used] * np.sqrt(times[used])[:, None, None]
    return normalized(qr_triangle(rows.reshape(-1, parts.shape[-1])))


def _all_but_one(parts: np.ndarray) -> Iterator[np.ndarray]:
    """For each part the sum of the others, from the left and from the right: nothing is ever
    subtracted.
    """
    after = [np.zeros_like(parts[0])]
    for part in parts[:0:-1]:
        after.append(stack(part, after[-1]))
    before = np.zeros_like(parts[0])
    for part, rest in zip(parts, reversed(after), strict=True):
        yield stack(before, rest)
        before = stack(before, part)


# ── folds of our own ──


@dataclass(frozen=True)
class Dealt:
    """Rows dealt out to K folds, one of every K rows in a row to each, in an order that looks
    random and depends on nothing but their place: in memory and chunk by chunk the same.

    folds: K. done: rows dealt before.
    """

    folds: int
    done: int = 0

    def fold_of(self, n: int) -> np.ndarray:
        """The fold of each of the next n rows, shape (n,)."""
        first, last = self.done // self.folds, -(-(self.done + n) // self.folds)
        order = np.argsort(
            _keys(np.arange(first, last), self.folds), axis=1, kind="stable"
        ).reshape(-1)
        start = self.done - first * self.folds
        return order[start : start + n]

    def shares_of(self, counts: np.ndarray) -> np.ndarray:
        """How many of the next counts[i] rows, all alike, each fold gets, shape (n, K)."""
        ends = self.done + np.cumsum(counts.astype(np.int64))
        before = np.concatenate(([self.done], ends[:-1]))
        return self._dealt_before(ends) - self._dealt_before(before)

    def _dealt_before(self, place: np.ndarray) -> np.ndarray:
        """How many of all rows before a place each fold has got."""
        block, within = np.divmod(place, self.folds)
        order = np.argsort(_keys(block, self.folds), axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")
        return block[:, None] + (rank < within[:, None])


def _keys(block: np.ndarray, folds: int) -> np.ndarray:
    """A number that looks random for each fold of a block, shape (blocks, folds): splitmix64."""
    z = block.astype(np.uint64)[:, None] * np.uint64(folds) + np.arange(folds, dtype=np.uint64)
    z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def dealt_out(rows: Rows, degree: int, dealt: Dealt) -> tuple[list[Triangle], Dealt]:
    """A triangle of the rows of each fold, and where dealing goes on. Rows of weight 0 get none.

    Raises BadSetting for more rows than can be counted.
    """
    omega = rows.omega
    if omega is not None and not bool((omega != 0).all()):
        rows = rows.chosen(omega != 0)
    x, y = to_host(in_double(rows.x)), to_host(rows.y)
    weights = None if rows.weights is None else to_host(rows.weights)
    if rows.counts is not None:
        return _counted_out(x, y, weights, to_host(rows.counts), degree, dealt)
    fold = dealt.fold_of(rows.n).astype(np.int16)
    order = np.argsort(fold, kind="stable")
    x, y, weights = x[order], y[order], None if weights is None else weights[order]
    ends = np.cumsum(np.bincount(fold, minlength=dealt.folds)).tolist()
    found = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        of = slice(start, end)
        found.append(_folded(x[of], y[of], None if weights is None else weights[of], None, degree))
    return found, Dealt(dealt.folds, dealt.done + rows.n)


def _counted_out(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    counts: np.ndarray,
    degree: int,
    dealt: Dealt,
) -> tuple[list[Triangle], Dealt]:
    """The same of rows that stand for several each."""
    done = float(counts.sum()) + dealt.done
    if not done < _LARGEST:
        raise BadSetting("folds", dealt.folds, f"left out: {done:.3g} rows are too many to deal")
    found = []
    for share in dealt.shares_of(counts).T:
        use = share > 0
        some = None if weights is None else weights[use]
        found.append(_folded(x[use], y[use], some, share[use].astype(np.float64), degree))
    return found, Dealt(dealt.folds, int(done))


def _folded(x: Any, y: Any, weights: Any, counts: Any, degree: int) -> Triangle:
    return Triangle.fold(x, y, weights, degree, counts) if len(x) else Triangle.empty(degree)


def left_by_folds(parts: Sequence[Triangle]) -> np.ndarray:
    """Root mean square of √ω·r for what each part leaves when it is not used, for each degree,
    shape (degree + 1,). NaN at a degree that the rows of the others do not determine.
    """
    whole = parts[0].domain
    for part in parts:
        whole |= part.domain
    arrays = np.stack([part.rebased(whole).array for part in parts])
    sizes = range(1, parts[0].degree + 2)
    left = held_out(arrays, Splits.each_once(len(parts)), sizes)
    return np.sqrt(left.sum(axis=(0, 2)) / sum(part.n for part in parts))


def cross_validation(degree: int, rows: Rows, folds: int = 5) -> np.ndarray:
    """The same for rows dealt out to so many folds. Raises BadSetting."""
    if folds > rows.counting:
        few = f"at most {rows.counting:,}, the number of rows"
        raise BadSetting("folds", folds, few)
    return left_by_folds(dealt_out(rows, degree, Dealt(folds))[0])
