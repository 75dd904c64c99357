"""What a user passes as data, recognized: the door to every source."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from polydescent.arrays import (
    is_array,
)
from polydescent.errors import BadCall, NotNumbers
from polydescent.rows.deviations import Deviations
from polydescent.rows.keys import parts_of_key
from polydescent.rows.rows import Rows, Same
from polydescent.rows.source import Source, Weighted


def source_of(
    data: Any,
    y: Any,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    again: bool = False,
    counts: Any = None,
    file_format: Any = None,
    by: Any = None,
) -> Source:
    """The source meant by the arguments of `fit`, `descend` and `summarize`.

    Three forms: (x, y) with values; (source, x=name, y=name) with a path, a glob, a list of them,
    SQL, a table, a dict of columns or a Dask dataframe; an iterable of chunks alone. A Source
    passes through. again: count a file that is given twice twice. by: what makes the key of a row's
    group: names or expressions of columns, or the keys themselves beside values. Raises BadCall
    where the arguments fit none.
    """
    if isinstance(data, Source):
        return data
    if isinstance(weights, Same):
        from polydescent.rows.chunks import InMemory

        bare = source_of(data, y, x, None, where, again, counts, file_format, by)
        return (
            InMemory(weights.on(bare.rows))
            if isinstance(bare, InMemory)
            else Weighted(bare, weights)
        )
    if isinstance(data, str | os.PathLike) or (
        _are_paths(data) and (y is None or isinstance(y, str))
    ):
        from polydescent.rows.files import files
        from polydescent.rows.format import FileFormat

        said = FileFormat.of(file_format)
        keys = parts_of_key(by)
        return files(data, *_names(data, x, y), weights, where, again, counts, format=said, by=keys)
    if file_format is not None:
        raise BadCall("file_format= says how text files are written: pass the path of one.")
    if type(data).__module__.startswith("dask."):
        from polydescent.rows.cluster import collection

        return collection(data, x, y, weights, where, counts, by)
    named = isinstance(x, str) or isinstance(y, str)
    if named or not (data is None or is_array(data) or isinstance(data, list | tuple)):
        from polydescent.rows.tables import check_rows, has_columns, table

        check_rows(data)
        if named or (x is None and y is None and has_columns(data)):
            return table(data, x, y, weights, where, counts, parts_of_key(by))
    if where is not None:
        raise BadCall("where= selects rows of a file; select rows of arrays before passing them.")
    from polydescent.rows.chunks import InMemory, Stream

    if x is None and y is None and data is not None and _are_chunks(data):
        if by is not None:
            raise BadCall(
                "An iterable of chunks has no keys: summarize tables or files with by=, and add "
                "the summaries up."
            )
        if weights is not None or counts is not None:
            raise BadCall(
                "An iterable brings its weights and counts itself: give chunks (x, y, weights) or "
                "(x, y, weights, counts), with weights 1 / sigma**2 for standard deviations."
            )
        return Stream(data)
    if isinstance(weights, Deviations):
        raise NotNumbers("sigma", f"str {weights.column!r:.40}")
    held = InMemory(Rows.read(*_values(data, x, y), weights, counts=counts))
    return held if by is None else held.keyed(by)


def _are_paths(data: Any) -> bool:
    return (
        isinstance(data, list | tuple)
        and bool(data)
        and all(isinstance(path, str | os.PathLike) for path in data)
    )


def _are_chunks(data: Any) -> bool:
    """True for a generator of anything, and for a list of pairs; a list of numbers lacks its y."""
    if isinstance(data, list | tuple):
        return bool(data) and isinstance(data[0], list | tuple)
    return isinstance(data, Iterable) and not hasattr(data, "__len__")


def _names(data: Any, x: Any, y: Any) -> tuple[str, str]:
    if not isinstance(x, str) or not isinstance(y, str):
        raise BadCall(
            f'A file needs the names of its columns: fit({str(data)!r:.60}, x="…", y="…"). '
            f"Found x={x!r:.40}, y={y!r:.40}."
        )
    return x, y


def _values(data: Any, x: Any, y: Any) -> tuple[Any, Any]:
    if data is None:
        data = x
    elif x is not None:
        raise BadCall("x was given twice: as the first argument and as x=.")
    if data is None or y is None:
        missing = "x" if data is None else "y"
        raise BadCall(f"{missing} is missing: pass both columns, as in fit(x, y, degree=3).")
    return data, y
