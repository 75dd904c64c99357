"""Columns x, y, weights and counts of one kind and one length, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from polydescent.arrays import (
    Array,
    Kind,
    beside,
    columns,
    counted,
    in_double,
    is_iterator,
    namespace,
    weights_of_counted,
)
from polydescent.errors import BadSetting, NoRows, OutOfRange
from polydescent.rows.axis import PLAIN, Axis, read_axis
from polydescent.rows.keys import Keys
from polydescent.rows.keys import joined as joined_keys
from polydescent.visible import shortened, visible

MOST = 2**52  # that a row may count for: such a number and half a weight have an exact product


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of one kind and one length, checked. x_name and y_name are for human eyes.

    axis: how dates and large whole numbers became x. counts: how many rows each one stands for,
    whole numbers as floats, None for 1. keys: the group of each, None where all are of one curve.
    """

    x: Array
    y: Array
    weights: Array | None = None
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = PLAIN
    counts: Array | None = None
    keys: Keys | None = None

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
        check_weights(found.get("weights"))
        check_counts(found.get("counts"))
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

    def on(self, axis: Axis) -> Rows:
        """The same rows on another axis."""
        return self if axis == self.axis else replace(self, x=self.axis.on(self.x, axis), axis=axis)

    def put(self, kind: Kind) -> Rows:
        """The same rows in another library or dtype, or on a device. Counts stay float64 where the
        device has it: float32 would round large ones.
        """
        whole = kind if kind.device.startswith("mps") else replace(kind, dtype="float64")
        columns = {"x": kind, "y": kind, "weights": kind, "counts": whole}
        found = {
            role: to.put(getattr(self, role))
            for role, to in columns.items()
            if getattr(self, role) is not None
        }
        return replace(self, **found)

    def __repr__(self) -> str:
        beside = [role for role in ("weights", "counts") if getattr(self, role) is not None]
        names = ", ".join([visible(self.x_name), visible(self.y_name), *beside])
        return f"<Rows of {shortened(names, 200)}: {self.n:,}, {self.kind}>"

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
        keys = None if self.keys is None else self.keys.chosen(rows)
        return replace(self._each(lambda column: column[rows]), keys=keys)

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


def check_counts(counts: Array | None) -> None:
    """Raise BadSetting for what is no number of rows; NaN is refused or omitted elsewhere."""
    if counts is None:
        return
    xp = namespace(counts)
    bad = (counts < 0) | (counts > MOST) | (counts != xp.floor(counts))
    bad = bad & xp.isfinite(counts)  # the others are refused or omitted with those of x and y
    if bool(xp.any(bad)):
        found = float(counts[bad][0])
        raise BadSetting("counts", found, "whole numbers from 0 to 2⁵², how often a row was seen")


def check_weights(weights: Array | None) -> None:
    """Raise BadSetting for a weight below 0; NaN is refused or omitted elsewhere."""
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
        return replace(rows, weights=beside(rows.y, xp.full_like(y, self.weight)))


def joined(chunks: list[Rows], label: str) -> Rows:
    """The chunks one after the other. Raises NoRows."""
    chunks = [rows for rows in chunks if rows.n]
    if not chunks:
        raise NoRows(f"{label} has none")
    if len(chunks) == 1:
        return chunks[0]
    axis = reduce(Axis.joint, (rows.axis for rows in chunks))
    chunks = [rows.on(axis) for rows in chunks]
    xp = namespace(chunks[0].x, chunks[0].y)
    x, y = xp.concat([rows.x for rows in chunks]), xp.concat([rows.y for rows in chunks])
    weights = _joined_or_ones(xp, [(rows.weights, rows.x) for rows in chunks])
    counts = _joined_or_ones(xp, [(rows.counts, rows.x) for rows in chunks])
    keys = [rows.keys for rows in chunks if rows.keys is not None]
    together = joined_keys(keys) if keys else None
    return replace(chunks[0], x=x, y=y, weights=weights, counts=counts, keys=together)


def _joined_or_ones(xp: Any, columns: list[tuple[Array | None, Array]]) -> Array | None:
    """The first of each pair one after the other, ones like the second where it is None; None
    where all are.
    """
    if all(column is None for column, _ in columns):
        return None
    return xp.concat([xp.ones_like(like) if c is None else c for c, like in columns])
