"""How many rows fall in each cell of a grid: a picture of any number of rows that shows none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from polydescent.arrays import Array, to_host
from polydescent.polynomial.basis import Domain
from polydescent.rows.rows import Rows

_BLOCK = 1 << 18  # rows at a time: a few megabytes beside data of any size
_TAIL = 1e-3  # rows this far out in y are counted, not drawn: one outlier must not flatten the rest
_JUDGES = 100_000  # rows that say where the tail begins


@dataclass(frozen=True, eq=False)
class Density:
    """Every row that counts is in one cell or in `outside`: counts.sum() + outside = n.

    counts: shape (rows, columns), whole numbers, lowest y first. x, y: what the grid spans.
    outside: rows above or below it.
    """

    counts: np.ndarray
    x: Domain
    y: Domain
    outside: int

    @classmethod
    def of(
        cls,
        rows: Rows,
        curve: Callable[[Array], Array] | None = None,
        columns: int = 160,
        lines: int = 100,
        weighted: bool = False,
    ) -> Self:
        """The density of the rows, or of what they leave above `curve`, in lines × columns cells.

        weighted: times √weight. Two passes in blocks, each row counted; about 15 ns a row. Rows of
        weight 0 do not count.
        """
        across, up = _ranges(rows, curve, weighted)
        counts = np.zeros(lines * columns, dtype=np.int64)
        n = 0
        for x, y, times in _counted_blocks(rows, curve, weighted=weighted):
            column, line = _cell(x, across, columns), _cell(y, up, lines)
            inside = (line >= 0) & (line < lines)
            cells = line[inside] * columns + column[inside]
            weights = None if times is None else times[inside]
            counts += np.bincount(cells, weights, lines * columns).astype(np.int64)
            n += len(x) if times is None else int(times.sum())
        return cls(counts.reshape(lines, columns), across, up, n - int(counts.sum()))

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the cells begin and end in x, shape (columns + 1,), and in y, (rows + 1,)."""
        lines, columns = self.counts.shape
        return (
            np.linspace(self.x.lo, self.x.hi, columns + 1),
            np.linspace(self.y.lo, self.y.hi, lines + 1),
        )

    def means(self, slices: int, least: int) -> tuple[np.ndarray, np.ndarray]:
        """(x, y): the middle of each slice of x and the mean of its rows, from the cells they are
        in; NaN where a slice has fewer than `least`. slices: a divisor of the columns.
        """
        across, up = self.edges
        counts = self.counts.reshape(len(self.counts), slices, -1).sum(axis=2)
        n = counts.sum(axis=0)
        mean = np.where(n >= least, (up[:-1] + up[1:]) / 2 @ counts / np.maximum(n, 1), np.nan)
        ends = across[:: self.counts.shape[1] // slices]
        return (ends[:-1] + ends[1:]) / 2, mean


def blocks(
    rows: Rows,
    curve: Callable[[Array], Array] | None = None,
    stride: int = 1,
    weighted: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows that count, every stride-th of them, a block at a time, on the host as (x, y).

    With a curve, y less the curve; weighted: times √weight. Rows of weight 0 and rows that are not
    finite do not count.
    """
    for x, y, _ in _counted_blocks(rows, curve, stride, weighted):
        yield x, y


def _counted_blocks(
    rows: Rows,
    curve: Callable[[Array], Array] | None = None,
    stride: int = 1,
    weighted: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """The same with how often each row was seen, None for once."""
    for start in range(0, rows.x.shape[0], _BLOCK * stride):
        part = slice(start, start + _BLOCK * stride, stride)
        x, y = to_host(rows.x[part]), to_host(rows.y[part])
        if curve is not None:
            y = y - to_host(curve(x))
        counts = np.isfinite(x) & np.isfinite(y)
        times = None if rows.counts is None else to_host(rows.counts[part])
        omega = None if rows.weights is None else to_host(rows.weights[part])
        for column in (omega, times):
            if column is not None:
                counts &= column > 0
        if weighted and omega is not None:
            y = y * np.sqrt(omega)
        if not counts.all():
            x, y, times = x[counts], y[counts], None if times is None else times[counts]
        yield x, y, times


def _ranges(
    rows: Rows, curve: Callable[[Array], Array] | None, weighted: bool
) -> tuple[Domain, Domain]:
    """All of x; y without a tail that would stretch it more than threefold. Neither is a point."""
    across = up = Domain(np.inf, -np.inf)
    for x, y in blocks(rows, curve, weighted=weighted):
        if len(x):
            across |= Domain(float(x.min()), float(x.max()))
            up |= Domain(float(y.min()), float(y.max()))
    stride = max(1, rows.x.shape[0] // _JUDGES)
    some = np.concatenate([y for _, y in blocks(rows, curve, stride, weighted)])
    low, high = (float(q) for q in np.quantile(some, [_TAIL, 1 - _TAIL]))
    reach = high - low
    return _opened(across), _opened(Domain(max(up.lo, low - reach), min(up.hi, high + reach)))


def _opened(domain: Domain) -> Domain:
    if domain.lo < domain.hi:
        return domain
    pad = abs(domain.lo) / 2 or 1.0
    return Domain(domain.lo - pad, domain.hi + pad)


def _cell(values: np.ndarray, span: Domain, cells: int) -> np.ndarray:
    """The cell of every value; the upper end is in the last one, outside is −1 or `cells`."""
    place = np.floor((values - span.lo) * (cells / (span.hi - span.lo)))
    place = np.where(values == span.hi, cells - 1, place)
    return np.clip(place, -1, cells).astype(np.int64)
