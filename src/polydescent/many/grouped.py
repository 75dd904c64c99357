"""Rows with keys into the summaries of their groups, and those of parts into those of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from polydescent.arrays import in_double, to_host
from polydescent.errors import DegreesDiffer, NotFinite
from polydescent.many.partition import partition
from polydescent.many.status import Status
from polydescent.many.summaries import Summaries
from polydescent.polynomial.basis import Domain
from polydescent.rows import keys
from polydescent.rows.axis import Axis
from polydescent.rows.keys import Keys
from polydescent.rows.rows import Rows
from polydescent.triangle.kernels.curves import fold_runs
from polydescent.triangle.kernels.folded import Folded
from polydescent.triangle.triangle import Triangle

_WAITING = 1 << 18  # summaries that wait to be added to the others: 40 MB of them at degree 3
_AT_ONCE = 1 << 16  # pairs of triangles that are added at once


# ── one block of rows ────────────────────────────────────────────────────────────────────────────


def grouped(rows: Rows, degree: int, missing: str = "raise") -> Summaries:
    """The summaries of the groups of a block of rows, in no order, with their keys.

    missing: "raise", "omit" for rows with NaN or infinity, which are left out and counted, group by
    group, or "mark" for groups with them to have no answer. Raises NotFinite, with the key.
    """
    keyed = rows.keys
    assert keyed is not None
    columns = [
        None if c is None else to_host(c) for c in (rows.x, rows.y, rows.weights, rows.counts)
    ]
    offsets, together = partition(keyed.codes, keyed.table.num_rows, columns)
    x, y, weights, counts = together
    assert x is not None
    assert y is not None
    omega = weights if counts is None else Rows(x, y, weights, counts=counts).omega
    folded = fold_runs(x, y, omega, offsets, degree)
    if missing == "raise" and folded.omitted.any():
        _check_finite(rows, keyed)
    if missing == "mark" and folded.omitted.any():
        _mark(rows, keyed, folded)
    if counts is not None:
        folded = _counted(folded, (x, y, weights, counts, omega), offsets)
    found = Summaries.of_folded(folded, kind=rows.kind)
    return replace(found, x_name=rows.x_name, y_name=rows.y_name, axis=rows.axis, keys=keyed.table)


def _counted(folded: Any, columns: tuple[Any, ...], offsets: np.ndarray) -> Any:
    """The same curves, where each row stands for its count."""
    x, y, weights, counts, omega = columns
    finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(omega)
    lasts = in_double(counts)
    known = np.where(np.isfinite(lasts), lasts, 1.0)
    n = _sums(np.where(finite & (omega != 0), known, 0.0), offsets)
    omitted = _sums(np.where(finite, 0.0, known), offsets)
    logs = np.zeros(len(n))
    if weights is not None:
        there = finite & (omega != 0)
        logs = _sums(np.where(there, known * np.log(np.where(there, weights, 1.0)), 0.0), offsets)
    return folded._replace(n=n.astype(np.int64), omitted=omitted.astype(np.int64), log_weights=logs)


def _sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The sum of each run."""
    codes = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return np.bincount(codes, weights=values, minlength=len(offsets) - 1)


def _check_finite(rows: Rows, keyed: Keys) -> None:
    """Raise NotFinite for the first NaN or infinity in a row that counts, with its key."""
    for name, values, bad in _bad(rows):
        if bad.any():
            first = int(bad.argmax())
            (key,) = keys.texts(keyed.table, [int(keyed.codes[first])])
            raise NotFinite(name, int(bad.sum()), rows.n, first, float(values[first]), key)


def _mark(rows: Rows, keyed: Keys, folded: Folded) -> None:
    """Give the groups with NaN or infinity in a row that counts no answer."""
    some = np.logical_or.reduce([bad for _, _, bad in _bad(rows)])
    bad = np.bincount(keyed.codes[some], minlength=keyed.table.num_rows) > 0
    folded.omitted[~bad] = 0
    folded.fault[bad] = Status.NOT_FINITE
    folded.array[bad] = np.nan
    folded.sound[bad] = False


def _bad(rows: Rows) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, values, where they are NaN or infinite and count) of each column."""
    omega = rows.omega
    there = True if omega is None else to_host(omega) != 0
    named = {"counts": rows.counts, "weights": rows.weights, "x": rows.x, "y": rows.y}
    for name, column in named.items():
        if column is not None:
            values = to_host(column)
            counts = True if name in ("counts", "weights") else there
            yield name, values, ~np.isfinite(values) & counts


# ── by key ───────────────────────────────────────────────────────────────────────────────────────


def added(ours: Summaries, theirs: Summaries) -> Summaries:
    """The summaries of the rows of both, sorted by key. Raises as `merged`."""
    return in_order(merged([ours, theirs]))


def nothing(degree: int) -> Summaries:
    """The summaries of no groups."""
    return replace(Summaries.of_folded(Folded.blank(0, degree)), keys=keys.none())


def merged(parts: Sequence[Summaries]) -> Summaries:
    """The summaries of the rows of all parts, by key; keys of any part stay.

    A key may come twice in a part, too. Raises BadKeys, DegreesDiffer, BadCall for dates and
    numbers.
    """
    for part in parts[1:]:
        if part.degree != parts[0].degree:
            raise DegreesDiffer(parts[0].degree, part.degree)
    whole = one_after_the_other(parts)
    codes, firsts = keys.encoded(whole.keys)
    if len(firsts) == len(codes):  # no key comes twice
        return whole
    table = whole.keys.take(firsts)
    order = np.argsort(codes, kind="stable")
    codes, whole = codes[order], _taken(whole, order)
    while (same := codes[1:] == codes[:-1]).any():
        starts = np.flatnonzero(np.concatenate(([True], ~same)))
        rank = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))
        first = rank % 2 == 0
        left = np.flatnonzero(first & np.append(same, False))
        whole = _paired(whole, left)
        whole, codes = _taken(whole, np.flatnonzero(first)), codes[first]
    return replace(whole, keys=table)


def one_after_the_other(parts: Sequence[Summaries]) -> Summaries:
    """The curves of all parts on one axis; a key may come in several. Raises as `merged`."""
    full = [part for part in parts if len(part.n)] or list(parts[:1])
    if len(full) == 1:
        return full[0]
    axis = reduce(Axis.joint, (part.axis for part in full))
    parts = [part.on(axis) for part in full]
    table = keys.one_after_the_other([part.keys for part in parts])
    triangles = [part.triangle for part in parts]
    lo, hi, array, n, logs, omitted, fault = (
        np.concatenate(columns)
        for columns in zip(
            *(
                (t.domain.lo, t.domain.hi, t.array, t.n, t.log_weights, p.omitted, p.fault)
                for t, p in zip(triangles, parts, strict=True)
            ),
            strict=True,
        )
    )
    kind = reduce(lambda a, b: a.joint(b), (part.kind for part in parts))
    known = [part.known for part in parts]
    together = None
    if all(one is not None for one in known):
        together = tuple(np.concatenate([one[i] for one in known if one]) for i in (0, 1))
    triangle = Triangle(array, Domain(lo, hi), n, logs)
    return replace(
        parts[0],
        triangle=triangle,
        omitted=omitted,
        fault=fault,
        kind=kind,
        keys=table,
        known=together,
    )


def split(summaries: Summaries, lengths: Sequence[int]) -> tuple[Summaries, ...]:
    """Parts of so many curves each: the inverse."""
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - np.asarray(lengths, dtype=np.int64)
    return tuple(summaries[start:end] for start, end in zip(starts, ends, strict=True))  # type: ignore[misc]


def in_order(summaries: Summaries) -> Summaries:
    """The same, sorted by key, missing ones last."""
    order = keys.order(summaries.keys)
    return replace(_taken(summaries, order), keys=summaries.keys.take(order))


def _taken(summaries: Summaries, places: np.ndarray) -> Summaries:
    """Some of the curves, in this order; the keys are as they were."""
    if len(places) == len(summaries.n) and bool((places == np.arange(len(places))).all()):
        return summaries
    return replace(replace(summaries, keys=None)[places], keys=summaries.keys)  # type: ignore[arg-type]


def _paired(whole: Summaries, left: np.ndarray) -> Summaries:
    """The curves, those at `left` with the ones after them added."""
    triangle, right = whole.triangle, left + 1
    array, n = triangle.array.copy(), triangle.n.copy()
    lo, hi = np.array(triangle.domain.lo), np.array(triangle.domain.hi)
    logs = np.array(triangle.log_weights)
    for start in range(0, len(left), _AT_ONCE):
        ours, theirs = left[start : start + _AT_ONCE], right[start : start + _AT_ONCE]
        both = triangle[ours] + triangle[theirs]
        array[ours], n[ours], logs[ours] = both.array, both.n, both.log_weights
        lo[ours], hi[ours] = both.domain.lo, both.domain.hi
    omitted, fault = whole.omitted.copy(), whole.fault.copy()
    omitted[left] += omitted[right]
    fault[left] = np.maximum(fault[left], fault[right])
    known = whole.known
    if known is not None:  # where both have rows, what the kernel knew of one is of no use
        alone = (triangle.n[left] == 0) | (triangle.n[right] == 0)
        weights, sound = known[0].copy(), known[1].copy()
        from_right = left[triangle.n[left] == 0]
        weights[from_right], sound[from_right] = weights[from_right + 1], sound[from_right + 1]
        sound[left[~alone]] = False
        known = weights, sound
    return replace(
        whole,
        triangle=Triangle(array, Domain(lo, hi), n, logs),
        omitted=omitted,
        fault=fault,
        known=known,
    )


@dataclass(frozen=True, eq=False)
class GroupTally:
    """A running sum of summaries by key. They wait until there are many, and are then added at
    once, those of one key in pairs: each row has been through few merges, and a part costs what is
    new in it. The sum depends on nothing but the order of the parts.

    parts: the sum so far, and what waits. texts: whether all keys that are text were read from text
    files, where nothing says what is a number.
    """

    parts: tuple[Summaries, ...] = ()
    texts: bool = True

    def plus(self, summaries: Summaries, texts: bool = False) -> GroupTally:
        """The tally with the summaries of one more block."""
        texts = self.texts and (texts or not keys.holds_text(summaries.keys))
        parts = (*self.parts, summaries)
        waiting = sum(len(part.n) for part in parts[1:])
        if waiting > max(_WAITING, len(parts[0].n)):
            return GroupTally((merged(parts),), texts)
        return GroupTally(parts, texts)

    def total(self) -> Summaries | None:
        """The sum of all, sorted by key; None of nothing."""
        if not self.parts:
            return None
        found = merged(self.parts)
        if self.texts:
            found = replace(found, keys=keys.typed(found.keys))
        return in_order(found)
