"""Anything that holds rows, as a Source of chunks: arrays, files, SQL, tables, iterables, Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

from polydescent.arrays import (
    Array,
    Kind,
    columns,
    in_double,
    is_array,
    is_iterator,
    namespace,
    weights_of_counted,
)
from polydescent.dates import PLAIN, Axis, read_axis
from polydescent.errors import BadCall, BadSetting, NoRows, NotNumbers, OutOfRange
from polydescent.sources.deviations import Deviations
from polydescent.triangle.triangle import counted

CHUNK = 1 << 18  # rows that a stream hands over at once: 4 MB, and merging them costs little
MOST = 2**52  # that a row may count for: such a number and half a weight have an exact product
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of one kind and one length, checked. x_name and y_name are for human eyes.

    axis: how dates and large whole numbers became x. counts: how many rows each one stands for,
    whole numbers as floats, None for 1.
    """

    x: Array
    y: Array
    weights: Array | None = None
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = PLAIN
    counts: Array | None = None

    @classmethod
    def of(
        cls,
        x: Any,
        y: Any,
        weights: Any = None,
        x_name: str = "x",
        y_name: str = "y",
        counts: Any = None,
    ) -> Rows:
        """Rows from arrays, tensors, lists, Series: see `arrays.columns` for what is refused."""
        named = {"x": x, "y": y, "weights": weights, "counts": counts}
        given = [role for role, values in named.items() if values is not None or role in "xy"]
        found = dict(zip(given, columns(**{role: named[role] for role in given}), strict=True))
        _check_weights(found.get("weights"))
        _check_counts(found.get("counts"))
        return cls(**found, x_name=x_name, y_name=y_name)

    @classmethod
    def read(
        cls,
        x: Any,
        y: Any,
        weights: Any = None,
        x_name: str = "x",
        y_name: str = "y",
        counts: Any = None,
    ) -> Rows:
        """The same, where x may also hold dates, durations, and whole numbers of any size."""
        if is_iterator(x):
            x = list(x)
        axis = read_axis(x)
        try:
            numbers = x if axis.is_plain else axis.numbers(x)
            float(axis.origin)
        except OverflowError:
            raise OutOfRange("Some x", "Divide x by a constant first.") from None
        return replace(cls.of(numbers, y, weights, x_name, y_name, counts), axis=axis)

    def moved(self, axis: Axis) -> Rows:
        """The same rows on another axis."""
        return (
            self if axis == self.axis else replace(self, x=self.axis.moved(self.x, axis), axis=axis)
        )

    @property
    def n(self) -> int:
        return self.x.shape[0]

    @property
    def omega(self) -> Array | None:
        """Weight times count of each row, None for 1."""
        return weights_of_counted(self.weights, self.counts)

    @property
    def total(self) -> int:
        """The number of rows, each as often as its count says."""
        return self.n if self.counts is None else counted(None, self.counts, self.counts)

    @property
    def counting(self) -> int:
        """The number of rows whose weight is not 0, each as often as its count says."""
        omega = self.omega
        return self.n if omega is None else counted(self.weights, self.counts, omega)

    @property
    def kind(self) -> Kind:
        return Kind.of(self.x, self.y)

    def chosen(self, rows: Any) -> Rows:
        """Those of the rows that a slice or a mask of shape (n,) selects."""
        return self._each(lambda column: column[rows])

    def copy(self) -> Rows:
        """The same rows in memory of their own."""
        xp = namespace(self.x, self.y)
        return self._each(lambda column: xp.asarray(column, copy=True))

    def _each(self, change: Callable[[Array], Array]) -> Rows:
        """The rows with every column that there is changed."""
        named = {"x": self.x, "y": self.y, "weights": self.weights, "counts": self.counts}
        return replace(self, **{role: change(c) for role, c in named.items() if c is not None})


def omit_missing(rows: Rows) -> tuple[Rows, int]:
    """The rows in which nothing is NaN or infinite, and how many others there were; a row whose
    count is missing was one.
    """
    xp = namespace(rows.x, rows.y)
    whole = xp.isfinite(rows.x) & xp.isfinite(rows.y)
    for column in (rows.weights, rows.counts):
        if column is not None:
            whole = whole & xp.isfinite(column)
    kept = int(xp.count_nonzero(whole))
    if kept == rows.n:
        return rows, 0
    if rows.counts is None:
        return rows.chosen(whole), rows.n - kept
    counts = in_double(rows.counts)
    counts = xp.where(xp.isfinite(counts), counts, xp.ones_like(counts))[~whole]
    return rows.chosen(whole), int(xp.sum(counts))


def _check_counts(counts: Array | None) -> None:
    if counts is None:
        return
    xp = namespace(counts)
    bad = (counts < 0) | (counts > MOST) | (counts != xp.floor(counts))
    bad = bad & xp.isfinite(counts)  # the others are refused or omitted with those of x and y
    if bool(xp.any(bad)):
        found = float(counts[bad][0])
        raise BadSetting("counts", found, "whole numbers from 0 to 2⁵², how often a row was seen")


def _check_weights(weights: Array | None) -> None:
    if weights is None:
        return
    xp = namespace(weights)
    negative = weights < 0  # NaN is not: it is refused or omitted with the NaN of x and y
    if bool(xp.any(negative)):
        raise BadSetting("weights", float(weights[negative][0]), "0 or more")


@dataclass(frozen=True)
class Same:
    """One weight for every row, whatever holds the rows."""

    weight: float

    def on(self, rows: Rows) -> Rows:
        """The rows with this weight."""
        xp, y = namespace(rows.y), in_double(rows.y)
        return replace(rows, weights=xp.full_like(y, self.weight))


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


class Weighted(Source):
    """The rows of another source, each with the same weight."""

    def __init__(self, source: Source, same: Same):
        self._source, self._same = source, same
        self.label, self.remote, self.repeatable = source.label, source.remote, source.repeatable
        self.x_name, self.y_name = source.x_name, source.y_name

    @property
    def parts(self) -> list[Source]:
        parts = self._source.parts
        return [self] if parts == [self._source] else [Weighted(p, self._same) for p in parts]

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        for rows, share in self._source.chunks(skip):
            yield self._same.on(rows), share

    def fold(
        self, of_rows: Callable[[Rows], Value], total: Callable[[list[Value]], Value]
    ) -> Value:
        return self._source.fold(partial(_of_weighted, of_rows, self._same), total)


def _of_weighted(of_rows: Callable[[Rows], Value], same: Same, rows: Rows) -> Value:
    return of_rows(same.on(rows))


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
    x, y = xp.concat([rows.x for rows in chunks]), xp.concat([rows.y for rows in chunks])
    weights = _joined_or_ones(xp, [(rows.weights, rows.x) for rows in chunks])
    counts = _joined_or_ones(xp, [(rows.counts, rows.x) for rows in chunks])
    return replace(chunks[0], x=x, y=y, weights=weights, counts=counts)


def _joined_or_ones(xp: Any, columns: list[tuple[Array | None, Array]]) -> Array | None:
    """The first of each pair one after the other, ones like the second where it is None; None
    where all are.
    """
    if all(column is None for column, _ in columns):
        return None
    return xp.concat([xp.ones_like(like) if c is None else c for c, like in columns])


def rows_of(
    data: Any,
    y: Any,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    counts: Any = None,
) -> Rows:
    """The rows meant by the arguments of `fit`, all in memory. Raises what `source_of` raises."""
    return source_of(data, y, x, weights, where, counts).gathered()


def source_of(
    data: Any,
    y: Any,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    again: bool = False,
    counts: Any = None,
    file_format: Any = None,
) -> Source:
    """The source meant by the arguments of `fit`, `descend` and `summarize`.

    Three forms: (x, y) with values; (source, x=name, y=name) with a path, a glob, a list of them,
    SQL, a table, a dict of columns or a Dask dataframe; an iterable of chunks alone. A Source
    passes through. again: count a file that is given twice twice. Raises BadCall where the
    arguments fit none.
    """
    if isinstance(data, Source):
        return data
    if isinstance(weights, Same):
        from polydescent.sources.chunks import Held

        bare = source_of(data, y, x, None, where, again, counts, file_format)
        return Held(weights.on(bare.rows)) if isinstance(bare, Held) else Weighted(bare, weights)
    if isinstance(data, str | Path) or (_are_paths(data) and (y is None or isinstance(y, str))):
        from polydescent.sources.files import files
        from polydescent.sources.format import FileFormat

        said = FileFormat.of(file_format)
        return files(data, *_names(data, x, y), weights, where, again, counts, format=said)
    if file_format is not None:
        raise BadCall("file_format= says how text files are written: pass the path of one.")
    if type(data).__module__.startswith("dask."):
        from polydescent.sources.cluster import collection

        return collection(data, x, y, weights, where, counts)
    named = isinstance(x, str) or isinstance(y, str)
    if named or not (data is None or is_array(data) or isinstance(data, list | tuple)):
        from polydescent.sources.tables import check_rows, has_columns, table

        check_rows(data)
        if named or (x is None and y is None and has_columns(data)):
            return table(data, x, y, weights, where, counts)
    if where is not None:
        raise BadCall("where= selects rows of a file; select rows of arrays before passing them.")
    from polydescent.sources.chunks import Held, Stream

    if x is None and y is None and data is not None and _are_chunks(data):
        if weights is not None or counts is not None:
            raise BadCall(
                "An iterable brings its weights and counts itself: give chunks (x, y, weights) or "
                "(x, y, weights, counts), with weights 1 / sigma**2 for standard deviations."
            )
        return Stream(data)
    if isinstance(weights, Deviations):
        raise NotNumbers("sigma", f"str {weights.column!r:.40}")
    return Held(Rows.read(*_values(data, x, y), weights, counts=counts))


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
    return data, y
