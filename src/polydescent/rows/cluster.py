"""The only file that knows Dask: one small summary per block, merged in a tree on the workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from polydescent.errors import BadCall, ChunksDiffer, UnknownName, WrongShape
from polydescent.rows.deviations import by_role, weighed
from polydescent.rows.keys import Keys, parts_of_key
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source, Value

_ARITY = 8  # summaries merged by one task: a graph of 10⁵ blocks is six levels deep
_NO_ROWS = Rows(np.empty(0), np.empty(0))
NO_KEYS: dict[str, Any] = {}


class Blocks(Source):
    """Dask arrays x, y, weights and counts, cut at the same rows; block sizes may be unknown."""

    label = "the Dask array"
    remote = True

    def __init__(
        self, x: Any, y: Any, weights: Any = None, counts: Any = None, by: dict[str, Any] = NO_KEYS
    ):
        given = by_role(x, y, weights, counts) | {f"by {name}": by[name] for name in by}
        self._columns = {role: _column(role, values) for role, values in given.items()}
        for role, column in self._columns.items():
            _check_cut(role, column, self._columns["x"])

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        import dask.array as da

        # one graph for all columns: a block that both x and y come from is computed once
        indexed = [part for column in self._columns.values() for part in (column, "i")]
        blocks = da.blockwise(
            _of_arrays,
            "i",
            *indexed,
            roles=tuple(self._columns),
            of_rows=of_rows,
            dtype=object,
            align_arrays=False,
            meta=np.empty(0, dtype=object),
        )
        return _tree(list(blocks.to_delayed().ravel()), total)

    def gathered(self) -> Rows:
        from dask.base import compute

        columns = compute(*self._columns.values())
        return _rows_of_arrays(dict(zip(self._columns, columns, strict=True)))


class Partitions(Source):
    """Columns of a Dask dataframe, by name."""

    label = "the Dask dataframe"
    remote = True

    def __init__(self, frame: Any, names: dict[str, str], by: tuple[str, ...] = ()):
        wanted = list(dict.fromkeys([*names.values(), *by]))
        for name in wanted:
            if name not in frame.columns:
                raise UnknownName("column", name, map(str, frame.columns), self.label)
        self._frame, self._names, self._by = frame[wanted], names, by
        self.x_name, self.y_name = names["x"], names["y"]

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        from dask.delayed import delayed

        fold = delayed(_of_frame)
        parts = self._frame.to_delayed()
        given = {"names": self._names, "by": self._by, "of_rows": of_rows}
        return _tree([fold(part, **given) for part in parts], total)

    def gathered(self) -> Rows:
        return _rows_of_frame(self._frame.compute(), self._names, self._by)


def collection(
    data: Any,
    x: Any,
    y: Any,
    weights: Any,
    where: str | None,
    counts: Any = None,
    by: Any = None,
) -> Source:
    """A source from the arguments of `fit` where the first is a Dask collection.

    Raises BadCall, WrongShape, ChunksDiffer, UnknownName.
    """
    if where is not None:
        raise BadCall("where= selects rows of a file; select rows of a Dask collection itself.")
    if hasattr(data, "columns") and data.ndim == 2:  # a Dask series has columns, too
        names = by_role(x, y, weights, counts)
        if not all(isinstance(name, str) for name in names.values()):
            found = ", ".join(f"{role}={name!r:.40}" for role, name in names.items())
            raise BadCall(
                'A Dask dataframe needs the names of its columns: fit(frame, x="…", y="…"). '
                f"Found {found}."
            )
        return Partitions(data, names, parts_of_key(by))
    if x is not None or y is None:
        raise BadCall("A Dask array is x: pass y beside it, as in fit(x, y, degree=3).")
    return Blocks(data, y, weights, counts, _keys_beside(by))


def _keys_beside(by: Any) -> dict[str, Any]:
    """name → Dask array of keys."""
    if by is None:
        return NO_KEYS
    if isinstance(by, dict):
        return by
    if isinstance(by, list | tuple):
        return {f"key{i}": part for i, part in enumerate(by)}
    return {str(getattr(by, "name", None) or "key") if hasattr(by, "columns") else "key": by}


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


def _of_arrays(*columns: Any, roles: tuple[str, ...], of_rows: Callable[[Rows], Value]) -> Value:
    """The summary of one block; an empty block has one too."""
    if not any(len(column) for column in columns):
        return of_rows(_NO_ROWS)
    return of_rows(_rows_of_arrays(dict(zip(roles, columns, strict=True))))


def _rows_of_arrays(columns: dict[str, Any]) -> Rows:
    """The rows of one block of each column, those named "by …" their keys."""
    by = {role[3:]: columns.pop(role) for role in list(columns) if role.startswith("by ")}
    rows = Rows.read(**columns)
    return replace(rows, keys=Keys.beside(by, rows.n)) if by else rows


def _of_frame(
    frame: Any, names: dict[str, str], by: tuple[str, ...], of_rows: Callable[[Rows], Value]
) -> Value:
    return of_rows(_rows_of_frame(frame, names, by))


def _rows_of_frame(frame: Any, names: dict[str, str], by: tuple[str, ...]) -> Rows:
    if not len(frame):
        return _NO_ROWS
    columns = weighed({role: frame[name] for role, name in names.items()})
    rows = Rows.read(**columns, x_name=names["x"], y_name=names["y"])
    return replace(rows, keys=Keys.beside({n: frame[n] for n in by}, rows.n)) if by else rows


def _tree(parts: list[Any], total: Callable[[list[Value]], Value]) -> Value:
    """total of all parts, a few at a time, so that no task and no worker holds many."""
    from dask.delayed import delayed

    merge = delayed(total)
    while True:
        parts = [merge(parts[i : i + _ARITY]) for i in range(0, len(parts), _ARITY)]
        if len(parts) == 1:
            return parts[0].compute()


def is_chunked(values: Any) -> bool:
    """Whether these are a Dask array, told by its class."""
    return type(values).__module__.startswith("dask.array")


def fold_grid(
    y: Any,
    others: dict[str, Any],
    of_block: Callable[..., Value],
    total: Callable[[list[Value]], Value],
) -> list[tuple[tuple[slice, ...], Value]]:
    """Curves in blocks, points along the last axis of the Dask array y: (places, value) for each
    block of curves, the values of its parts along the points added up. Nothing is cut anew.

    others: by name, arrays of shape (n,) or that of y, of NumPy or Dask. of_block: called with the
    block of each by name. Raises BadCall for chunks of unknown size.
    """
    from dask.base import compute
    from dask.delayed import delayed

    if any(np.isnan(size) for sizes in y.chunks for size in sizes):
        raise BadCall("The sizes of some chunks are unknown: call y.compute_chunk_sizes() first.")
    ends = [np.cumsum((0, *sizes)) for sizes in y.chunks]
    blocks, fold, add = y.to_delayed(), delayed(of_block), delayed(total)
    places, values = [], []
    for block in np.ndindex(*blocks.shape[:-1]):
        place = tuple(
            slice(int(e[i]), int(e[i + 1])) for e, i in zip(ends[:-1], block, strict=True)
        )
        parts = []
        for i in range(blocks.shape[-1]):
            points = slice(int(ends[-1][i]), int(ends[-1][i + 1]))
            beside = {
                name: c[points] if c.ndim == 1 else c[(*place, points)]
                for name, c in others.items()
            }
            parts.append(fold(y=blocks[(*block, i)], **beside))
        while len(parts) > 1:
            parts = [add(parts[at : at + _ARITY]) for at in range(0, len(parts), _ARITY)]
        places.append(place)
        values.append(parts[0])
    return list(zip(places, compute(*values), strict=True))
