"""Anything that holds rows, as a Source of chunks: arrays, files, SQL, tables, iterables, Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

from polydescent.arrays import Array, Kind, columns, is_array, namespace
from polydescent.dates import PLAIN, Axis, read_axis
from polydescent.errors import BadCall, BadSetting, NoRows, OutOfRange

CHUNK = 1 << 18  # rows that a stream hands over at once: 4 MB, and merging them costs little
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of one kind and one length, checked. x_name and y_name are for human eyes.

    axis: how dates and large whole numbers became x.
    """

    x: Array
    y: Array
    weights: Array | None = None
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = PLAIN

    @classmethod
    def of(cls, x: Any, y: Any, weights: Any = None, x_name: str = "x", y_name: str = "y") -> Rows:
        """Rows from arrays, tensors, lists, Series: see `arrays.columns` for what is refused."""
        if weights is None:
            x, y = columns(x=x, y=y)
        else:
            x, y, weights = columns(x=x, y=y, weights=weights)
            _check_weights(weights)
        return cls(x, y, weights, x_name, y_name)

    @classmethod
    def read(
        cls, x: Any, y: Any, weights: Any = None, x_name: str = "x", y_name: str = "y"
    ) -> Rows:
        """The same, where x may also hold dates, and whole numbers of any size."""
        axis = read_axis(x)
        try:
            numbers = x if axis.is_plain else axis.numbers(x)
            float(axis.origin)
        except OverflowError:
            raise OutOfRange("Some x", "Divide x by a constant first.") from None
        return replace(cls.of(numbers, y, weights, x_name, y_name), axis=axis)

    def moved(self, axis: Axis) -> Rows:
        """The same rows on another axis."""
        return (
            self if axis == self.axis else replace(self, x=self.axis.moved(self.x, axis), axis=axis)
        )

    @property
    def n(self) -> int:
        return self.x.shape[0]

    @property
    def counting(self) -> int:
        """The number of rows whose weight is not 0."""
        if self.weights is None:
            return self.n
        return int(namespace(self.weights).count_nonzero(self.weights))

    @property
    def kind(self) -> Kind:
        return Kind.of(self.x, self.y)

    def chosen(self, rows: Any) -> Rows:
        """Those of the rows that a slice or a mask of shape (n,) selects."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, x=self.x[rows], y=self.y[rows], weights=weights)

    def copy(self) -> Rows:
        """The same rows in memory of their own."""
        xp = namespace(self.x, self.y)
        x, y = xp.asarray(self.x, copy=True), xp.asarray(self.y, copy=True)
        weights = None if self.weights is None else xp.asarray(self.weights, copy=True)
        return replace(self, x=x, y=y, weights=weights)


def omit_missing(rows: Rows) -> tuple[Rows, int]:
    """The rows in which nothing is NaN or infinite, and how many others there were."""
    xp = namespace(rows.x, rows.y)
    whole = xp.isfinite(rows.x) & xp.isfinite(rows.y)
    if rows.weights is not None:
        whole = whole & xp.isfinite(rows.weights)
    kept = int(xp.count_nonzero(whole))
    return (rows, 0) if kept == rows.n else (rows.chosen(whole), rows.n - kept)


def _check_weights(weights: Array) -> None:
    xp = namespace(weights)
    negative = weights < 0  # NaN is not: it is refused or omitted with the NaN of x and y
    if bool(xp.any(negative)):
        raise BadSetting("weights", float(weights[negative][0]), "0 or more")


class Source:
    """Rows that come in chunks; each chunk is read, folded into a summary and let go.

    label names it in errors. remote: its rows lie on other machines, `fold` folds them there, and
    there are no chunks. repeatable: its rows come in the same order every time. parts: the sources
    it is made of (a glob's files), itself if one.
    """

    label = ""
    remote = False
    repeatable = False
    x_name = "x"
    y_name = "y"

    @property
    def parts(self) -> list[Source]:
        return [self]

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        """The rows after the first `skip`, in chunks, each with the share of this source that has
        been read when it comes, in [0, 1], NaN where it cannot be known.
        """
        raise NotImplementedError

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        """total([of_rows(block), …]) of a remote source, computed where its blocks lie."""
        raise NotImplementedError

    def gathered(self) -> Rows:
        """All rows at once, in memory. Raises NoRows."""
        return joined([rows for part in self.parts for rows, _ in part.chunks()], self.label)


def joined(chunks: list[Rows], label: str) -> Rows:
    """The chunks one after the other. Raises NoRows."""
    chunks = [rows for rows in chunks if rows.n]
    if not chunks:
        raise NoRows(f"{label} has none")
    if len(chunks) == 1:
        return chunks[0]
    axis = reduce(Axis.joint, (rows.axis for rows in chunks))
    chunks = [rows.moved(axis) for rows in chunks]
    xp = namespace(chunks[0].x, chunks[0].y)
    weights = None
    if chunks[0].weights is not None:
        weights = xp.concat([rows.weights for rows in chunks])
    x, y = xp.concat([rows.x for rows in chunks]), xp.concat([rows.y for rows in chunks])
    return replace(chunks[0], x=x, y=y, weights=weights)


def rows_of(
    data: Any, y: Any, x: Any = None, weights: Any = None, where: str | None = None
) -> Rows:
    """The rows meant by the arguments of `fit`, all in memory. Raises what `source_of` raises."""
    return source_of(data, y, x, weights, where).gathered()


def source_of(
    data: Any,
    y: Any,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    file_format: Any = None,
) -> Source:
    """The source meant by the arguments of `fit`, `descend` and `summarize`.

    Three forms: (x, y) with values; (source, x=name, y=name) with a path, a glob, a list of them,
    SQL, a table or a Dask dataframe; an iterable of chunks alone. A Source passes through. Raises
    BadCall where the arguments fit none.
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, str | Path) or (_are_paths(data) and (y is None or isinstance(y, str))):
        from polydescent.sources.files import files
        from polydescent.sources.format import FileFormat

        format = FileFormat.of(file_format)
        return files(data, *_names(data, x, y), weights, where, format=format)
    if file_format is not None:
        raise BadCall("file_format= says how text files are written: pass the path of one.")
    if type(data).__module__.startswith("dask."):
        from polydescent.sources.cluster import collection

        return collection(data, x, y, weights, where)
    if isinstance(x, str) and isinstance(y, str) and hasattr(data, "__arrow_c_stream__"):
        from polydescent.sources.duck import Asked, Table

        return Table(data, Asked(x, y, weights, where))
    if where is not None:
        raise BadCall("where= selects rows of a file; select rows of arrays before passing them.")
    from polydescent.sources.chunks import Held, Stream

    if x is None and y is None and _are_chunks(data):
        return Stream(data)
    return Held(Rows.read(*_values(data, x, y), weights))


def _are_paths(data: Any) -> bool:
    return (
        isinstance(data, list | tuple)
        and bool(data)
        and all(isinstance(path, str | Path) for path in data)
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
    if isinstance(y, str) and not is_array(data):
        raise BadCall(f"y={y!r} names a column, but {type(data).__name__} is no file with columns.")
    return data, y
