"""Columns by name of whatever holds some: tables, lazy frames, dicts, records, labeled arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from polydescent.errors import BadCall, LengthMismatch
from polydescent.rows import arrow
from polydescent.rows.chunks import InMemory
from polydescent.rows.deviations import by_role, weighed
from polydescent.rows.duck import Columns, Streamed
from polydescent.rows.keys import BLOCK, Keys
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source

# of a pandas column that is an array already
_NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64"


class Table(Source):
    """Anything with `__arrow_c_stream__`: pandas, Polars, PyArrow, DuckDB relations.

    Columns of numbers go straight into arrays; a database evaluates the rest, with the same result.
    """

    def __init__(self, table: Any, asked: Columns, label: str = ""):
        self.label = label or f"the {type(table).__name__}"
        self.x_name, self.y_name = asked.x, asked.y
        self._table, self._asked = table, asked
        self.is_once = hasattr(table, "read_next_batch")  # a reader of Arrow batches

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        """As `Source.chunks`. Raises as `Query.chunks`."""
        asked = self._asked
        names = list(dict.fromkeys([*asked.columns.values(), *asked.by]))
        table = self._table if asked.where else _selected(self._table, names)
        stream = arrow.reader(table, self.label)
        streamed = Streamed(self.label, asked, stream)
        numbers = None if asked.where else arrow.numbers(stream, asked.columns, asked.by)
        if numbers is None:
            yield from streamed.chunks(skip)
            return
        batches, tick = numbers
        if asked.by:
            for columns, keys in arrow.keyed_blocks(batches, asked.by, skip, BLOCK):
                yield streamed.rows(columns, tick, skip, Keys.of(keys)), float("nan")
                skip += len(columns[0])
            return
        for columns in arrow.blocks(batches, skip):
            yield streamed.rows(columns, tick, skip), float("nan")
            skip += len(columns[0])


def table(
    data: Any,
    x: Any,
    y: Any,
    weights: Any = None,
    where: str | None = None,
    counts: Any = None,
    by: tuple[str, ...] = (),
) -> Source:
    """The source meant by fit(data, x=name, y=name) where data is in memory.

    Raises BadCall where data has no columns by name, and whatever arrays are refused for.
    """
    label = _name(data)
    if hasattr(data, "coords") and hasattr(data, "dims"):
        data, y = _labeled(data, x, y)
    lazy = hasattr(data, "collect") and hasattr(data, "collect_schema")
    streams = hasattr(data, "__arrow_c_stream__")
    columns = {} if lazy or streams else _columns(data)
    if columns is None:
        role, name = ("x", x) if isinstance(x, str) else ("y", y)
        raise BadCall(
            f"{role}={name!r:.40} names a column, but {label} has no columns by name: pass a "
            "table, a dict of columns, a path, or the columns themselves."
        )
    if not isinstance(x, str) or not isinstance(y, str):
        raise BadCall(
            f'Name the columns of {label}: fit(…, x="…", y="…"). Found x={x!r:.40}, y={y!r:.40}.'
        )
    given = by_role(x, y, weights, counts)
    if lazy:
        data = _collected(data, [*given.values(), *by], where)
    if lazy or streams:
        asked = Columns(x, y, weights, where, counts, by=by)
        arrays = None if where or by else _arrays(data, asked.columns)
        return Table(data, asked) if arrays is None else _held(arrays, x, y)
    plain = all(not isinstance(name, str) or name in columns for name in [*given.values(), *by])
    if where is None and plain:
        found = {role: columns[c] if isinstance(c, str) else c for role, c in given.items()}
        held = _held(found, x, y)
        return held.keyed({name: columns[name] for name in by}) if by else held
    return Table(_tabulated(columns, label), Columns(x, y, weights, where, counts, by=by), label)


def column_of(data: Any, name: str) -> Any:
    """A column by its name, None where there is none."""
    if hasattr(data, "collect") and hasattr(data, "collect_schema"):
        return data.select(name).collect()[name] if name in data.collect_schema().names() else None
    if hasattr(data, "column_names") and hasattr(data, "column"):  # PyArrow
        return data.column(name) if name in data.column_names else None
    if hasattr(data, "columns") and hasattr(data, "dtypes") and not hasattr(data, "fetchall"):
        return data[name] if name in data.columns else None
    columns = _columns(data) or {}
    return columns.get(name)


def has_columns(data: Any) -> bool:
    """Whether columns of it can only be meant by name."""
    return isinstance(data, Mapping) or hasattr(data, "columns") or hasattr(data, "data_vars")


def check_rows(data: Any) -> None:
    """Raise BadCall for what holds rows only in another sense."""
    kind = type(data).__name__
    if kind.endswith("GroupBy"):
        raise BadCall(
            f"{kind} holds many tables: fit all of them with the table itself, as in "
            'fit_many(table, x="…", y="…", by="…").'
        )
    if hasattr(data, "cursor") and hasattr(data, "execute"):
        result = 'connection.sql("SELECT …")' if hasattr(data, "sql") else "a table of one result"
        raise BadCall(
            f"{kind} is a connection to a data base, not rows of it: pass {result}, "
            'as in fit(rows, x="…", y="…").'
        )


# ── whatever holds columns ───────────────────────────────────────────────────────────────────────


def _held(columns: Mapping[str, Any], x: str, y: str) -> InMemory:
    return InMemory(Rows.read(**weighed(columns), x_name=x, y_name=y))


def _arrays(frame: Any, names: Mapping[str, str]) -> dict[str, Any] | None:
    """Role → column of a pandas frame in which they are arrays of numbers already, else None."""
    is_frame = hasattr(frame, "iloc") and hasattr(frame, "columns")
    if not is_frame or not set(names.values()) <= set(frame.columns):
        return None
    columns = {role: frame[name] for role, name in names.items()}
    if any(str(getattr(c, "dtype", "")) not in _NUMBERS.split() for c in columns.values()):
        return None  # also where there are two of a name
    arrays = {role: column.to_numpy() for role, column in columns.items()}
    # as a database has them, whole numbers apart
    return {r: a.astype(np.float64) if a.dtype == np.float32 else a for r, a in arrays.items()}


def _selected(table: Any, names: list[str]) -> Any:
    """The table with these columns only, if it has them all and is not one that streams."""
    if hasattr(table, "column_names") and hasattr(table, "select"):  # PyArrow
        return table.select(names) if set(names) <= set(table.column_names) else table
    held = hasattr(table, "columns") and hasattr(table, "dtypes") and not hasattr(table, "fetchall")
    return table[names] if held and set(names) <= set(table.columns) else table


def _collected(lazy: Any, asked: list[Any], where: str | None) -> Any:
    """A lazy frame of Polars, computed: the columns asked for, all where there are expressions."""
    names = list(dict.fromkeys(name for name in asked if name is not None))
    known = lazy.collect_schema().names()
    plain = where is None and all(name in known for name in names)
    return (lazy.select(names) if plain else lazy).collect()


def _columns(data: Any) -> Mapping[str, Any] | None:
    """name → column of a dict, of records, of a table whose columns are a dict."""
    if isinstance(data, np.ndarray) and data.dtype.names:
        return {name: data[name] for name in data.dtype.names}
    if isinstance(data, Mapping):
        return data
    columns = getattr(data, "columns", None)
    return columns if isinstance(columns, Mapping) else None


def _labeled(data: Any, x: Any, y: Any) -> tuple[dict[str, Any], Any]:
    """(columns, the name of y) of an xarray Dataset, or of a DataArray: itself over a coordinate.

    Raises BadCall where x and y do not lie along one and the same dimension.
    """
    label = _name(data)
    if hasattr(data, "data_vars"):
        there_are = {str(name): data[name] for name in data.variables}
    else:
        y = str(data.name or "values") if y is None else y
        there_are = {str(name): data.coords[name] for name in data.coords}
        there_are |= {str(data.name or "values"): data}
    dims = {name: v.dims for name, v in there_are.items() if name in (x, y)}
    if not dims:  # expressions of columns
        dims = {name: v.dims for name, v in there_are.items() if len(v.dims) == 1}
    if len(set(dims.values())) != 1 or any(len(along) != 1 for along in dims.values()):
        found = ", ".join(f"{name} along {' × '.join(map(str, v))}" for name, v in dims.items())
        raise BadCall(
            f"x and y of {label} must lie along one dimension, found {found}. Select along the "
            "others first, or pass every value as a row: data.to_dataframe().reset_index()."
        )
    (along,) = set(dims.values())
    return {name: v.values for name, v in there_are.items() if v.dims == along}, y


def _tabulated(columns: Mapping[str, Any], label: str) -> Any:
    """An Arrow table of the columns that can be in one. Raises LengthMismatch."""
    arrays = {}
    for name, column in columns.items():
        try:
            array = np.asarray(column)
        except (TypeError, ValueError):  # ragged, or on another device
            continue
        if isinstance(name, str) and array.ndim == 1:
            arrays[name] = array
    if len({len(array) for array in arrays.values()}) > 1:
        raise LengthMismatch({name: len(array) for name, array in arrays.items()})
    return arrow.table(arrays, label)


def _name(data: Any) -> str:
    return f"the {type(data).__name__}"
