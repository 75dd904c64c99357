"""The only file that knows Dask: one small summary per block, merged in a tree on the workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polydescent.errors import BadCall, ChunksDiffer, UnknownName, WrongShape
from polydescent.sources import Rows, Source, Value
from polydescent.sources.deviations import Deviations, weights_of_deviations

_ARITY = 8  # summaries merged by one task: a graph of 10⁵ blocks is six levels deep
_NO_ROWS = Rows(np.empty(0), np.empty(0))


class Blocks(Source):
    """Dask arrays x, y and weights, cut at the same rows. Block sizes may be unknown."""

    label = "the Dask array"
    remote = True

    def __init__(self, x: Any, y: Any, weights: Any = None):
        self._columns = [_column("x", x), _column("y", y)]
        if weights is not None:
            self._columns.append(_column("weights", weights))
        for name, column in zip(("y", "weights"), self._columns[1:], strict=False):
            _check_cut(name, column, self._columns[0])

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        import dask.array as da

        # one graph for all columns: a block that both x and y come from is computed once
        indexed = [part for column in self._columns for part in (column, "i")]
        blocks = da.blockwise(
            _of_arrays,
            "i",
            *indexed,
            of_rows=of_rows,
            dtype=object,
            align_arrays=False,
            meta=np.empty(0, dtype=object),
        )
        return _tree(list(blocks.to_delayed().ravel()), total)

    def gathered(self) -> Rows:
        from dask.base import compute

        return Rows.read(*compute(*self._columns))


class Partitions(Source):
    """Columns of a Dask dataframe, by name."""

    label = "the Dask dataframe"
    remote = True

    def __init__(self, frame: Any, names: list[str], sigma: bool = False):
        for name in names:
            if name not in frame.columns:
                raise UnknownName("column", name, map(str, frame.columns), self.label)
        self._frame, self._names = frame[list(dict.fromkeys(names))], names
        self._sigma = sigma  # whether the third column holds standard deviations
        self.x_name, self.y_name = names[:2]

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        from dask.delayed import delayed

        fold = delayed(_of_frame)
        parts = self._frame.to_delayed()
        return _tree([fold(part, self._names, self._sigma, of_rows) for part in parts], total)

    def gathered(self) -> Rows:
        return _rows_of_frame(self._frame.compute(), self._names, self._sigma)


def collection(data: Any, x: Any, y: Any, weights: Any, where: str | None) -> Source:
    """A source from the arguments of `fit` where the first is a Dask collection.

    Raises BadCall, WrongShape, ChunksDiffer, UnknownName.
    """
    if where is not None:
        raise BadCall("where= selects rows of a file; select rows of a Dask collection itself.")
    if hasattr(data, "columns") and data.ndim == 2:  # a Dask series has columns, too
        sigma = isinstance(weights, Deviations)
        column = weights.column if isinstance(weights, Deviations) else weights
        names = [x, y] if weights is None else [x, y, column]
        if not all(isinstance(name, str) for name in names):
            raise BadCall(
                'A Dask dataframe needs the names of its columns: fit(frame, x="…", y="…"). '
                f"Found x={x!r:.40}, y={y!r:.40}, weights={column!r:.40}."
            )
        return Partitions(data, names, sigma)
    if x is not None or y is None:
        raise BadCall("A Dask array is x: pass y beside it, as in fit(x, y, degree=3).")
    return Blocks(data, y, weights)


def _column(name: str, values: Any) -> Any:
    """A Dask array of one dimension from an array or a series."""
    if not hasattr(values, "__dask_graph__"):
        raise BadCall(
            f"x is a Dask collection and {name} is {type(values).__name__}: "
            "make both Dask arrays with the same chunks."
        )
    array = values.to_dask_array() if hasattr(values, "to_dask_array") else values
    if array.ndim != 1:
        raise WrongShape(name, array.shape)
    return array


def _check_cut(name: str, column: Any, x: Any) -> None:
    """Blocks of known sizes must have the same; unknown ones are compared when they are there."""
    ours, theirs = column.chunks[0], x.chunks[0]
    known = not np.isnan([*ours, *theirs]).any()
    if len(ours) != len(theirs) or (known and ours != theirs):
        raise ChunksDiffer(name, _cut(ours), _cut(theirs))


def _cut(chunks: tuple[float, ...]) -> str:
    sizes = ", ".join(f"{size:,}" for size in chunks[:3])
    return f"{len(chunks):,} blocks ({sizes}{', …' if len(chunks) > 3 else ''} rows)"


def _of_arrays(*columns: Any, of_rows: Callable[[Rows], Value]) -> Value:
    """The summary of one block; an empty block has one too."""
    if not any(len(column) for column in columns):
        return of_rows(_NO_ROWS)
    return of_rows(Rows.read(*columns))


def _of_frame(frame: Any, names: list[str], sigma: bool, of_rows: Callable[[Rows], Value]) -> Value:
    return of_rows(_rows_of_frame(frame, names, sigma))


def _rows_of_frame(frame: Any, names: list[str], sigma: bool) -> Rows:
    if not len(frame):
        return _NO_ROWS
    x, y, *weights = (frame[name].to_numpy() for name in names)
    if sigma:
        weights = [weights_of_deviations(weights[0].astype(np.float64))]
    return Rows.read(x, y, *weights, x_name=names[0], y_name=names[1])


def _tree(parts: list[Any], total: Callable[[list[Value]], Value]) -> Value:
    """total of all parts, a few at a time, so that no task and no worker holds many."""
    from dask.delayed import delayed

    merge = delayed(total)
    while True:
        parts = [merge(parts[i : i + _ARITY]) for i in range(0, len(parts), _ARITY)]
        if len(parts) == 1:
            return parts[0].compute()
