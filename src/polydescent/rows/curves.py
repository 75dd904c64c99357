"""x, y, weights and counts of many curves, of one kind, points on the last axis, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polydescent.arrays import (
    Array,
    Kind,
    is_array,
    is_iterator,
    namespace,
    real_array,
    to_host,
    weights_of_counted,
)
from polydescent.checks import whole
from polydescent.errors import CurvesDiffer, NotFiniteInCurves, OutOfRange
from polydescent.rows.axis import PLAIN, Axis, read_axis
from polydescent.rows.rows import Rows, check_counts, check_weights, omit_missing

_ROWS = 1 << 22  # values looked at at once in a search


@dataclass(frozen=True, eq=False)
class Curves:
    """Many curves of n points each. y: shape (…, n); x, weights and counts: that shape, or (n,) for
    all curves; weights and counts may be None for 1.

    axis: how dates and large whole numbers became x, one for all.
    """

    x: Array
    y: Array
    weights: Array | None = None
    counts: Array | None = None
    axis: Axis = PLAIN

    @classmethod
    def read(
        cls,
        x: Any,
        y: Any,
        weights: Any = None,
        counts: Any = None,
        axis: int = -1,
        sigma: Any = None,
    ) -> Curves:
        """Curves from arrays, tensors or nested lists; the points of a curve lie along `axis`.

        Raises NotNumbers, MixedKinds, CurvesDiffer, BadSetting.
        """
        y = real_array("y", y)
        if not y.shape:
            raise CurvesDiffer("y", (), ())
        axis = whole("axis", axis, -len(y.shape), len(y.shape) - 1)
        y = _turned(y, axis)
        x_axis, x = numbers_of(x)
        found = {"x": x, "weights": weights, "counts": counts}
        arrays = {
            name: _beside(name, values, y, axis)
            for name, values in found.items()
            if values is not None
        }
        namespace(y, *arrays.values())
        check_weights(arrays.get("weights"))
        check_counts(arrays.get("counts"))
        return cls(y=y, axis=x_axis, **arrays)

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions: the curves."""
        return tuple(self.y.shape[:-1])

    @property
    def points(self) -> int:
        """How many points each curve has."""
        return self.y.shape[-1]

    @property
    def kind(self) -> Kind:
        return Kind.of(self.x, self.y)

    @property
    def omega(self) -> Array | None:
        """Weight times count of each point, None for 1."""
        return weights_of_counted(self.weights, self.counts)

    def flat(self, column: Array | None) -> Array | None:
        """A column as (m, n), or (n,) where all curves share it."""
        if column is None or len(column.shape) == 1 < len(self.y.shape):
            return column
        return namespace(column).reshape(column, (math.prod(self.shape), self.points))

    def on(self, axis: Axis) -> Curves:
        """The same curves on another axis."""
        return self if axis == self.axis else replace(self, x=self.axis.on(self.x, axis), axis=axis)

    def __getitem__(self, place: Any) -> Curves:
        """Some of the curves: an index, a slice or a mask over the leading dimensions."""

        def some(column: Array | None) -> Array | None:
            return column if column is None or len(column.shape) == 1 else column[place]

        return replace(
            self,
            x=some(self.x),
            y=self.y[place],
            weights=some(self.weights),
            counts=some(self.counts),
        )

    def rows(self, x_name: str = "x", y_name: str = "y") -> Rows:
        """The rows of one curve that are not missing."""
        rows = Rows(self.x, self.y, self.weights, x_name, y_name, self.axis, self.counts)
        return omit_missing(rows)[0]

    def missing(self) -> np.ndarray:
        """Which curves hold NaN or infinity at a point whose weight is not 0, shape (m,)."""
        xp = namespace(self.x, self.y)
        size, m = max(_ROWS // max(self.points, 1), 1), math.prod(self.shape)
        bad = np.zeros(m, dtype=bool)
        for start in range(0, m, size):
            some = slice(start, min(start + size, m))
            bad[some] = to_host(xp.any(_bad(xp, self._block(some)), axis=-1)) > 0
        return bad

    def raise_missing(self, bad: np.ndarray) -> None:
        """Raise NotFiniteInCurves for the first of these curves, shape (m,)."""
        first = int(bad.argmax())
        block = self._block(slice(first, first + 1))
        points = to_host(_bad(namespace(self.x, self.y), block))[0] > 0
        point = int(points.argmax())
        values = {name: to_host(c)[0, point] for name, c in block.items()}
        name = next(name for name in values if not math.isfinite(values[name]))
        place = tuple(int(i) for i in np.unravel_index(first, self.shape)) if self.shape else ()
        raise NotFiniteInCurves(
            name,
            int(bad.sum()),
            len(bad),
            place,
            point,
            values[name],
            int(points.sum()),
            len(points),
        )

    def _block(self, some: slice) -> dict[str, Array]:
        named = {"x": self.x, "y": self.y, "weights": self.weights, "counts": self.counts}
        found: dict[str, Any] = {n: self.flat(c) for n, c in named.items() if c is not None}
        return {
            name: c[None, :] if len(c.shape) == 1 else c[some, ...] for name, c in found.items()
        }


def _bad(xp: Any, block: dict[str, Array]) -> Array:
    """Where a value is NaN or infinite that counts."""
    bad = ~(xp.isfinite(block["x"]) & xp.isfinite(block["y"]))
    for name in ("weights", "counts"):
        if name in block:
            bad = (bad & (block[name] != 0)) | ~xp.isfinite(block[name])
    return bad


def _turned(array: Array, axis: int) -> Array:
    """The points along the last axis."""
    return (
        array if axis in (-1, len(array.shape) - 1) else namespace(array).moveaxis(array, axis, -1)
    )


def numbers_of(x: Any) -> tuple[Axis, Any]:
    """x as numbers of its shape: it may hold dates, durations or whole numbers of any size."""
    if is_iterator(x):
        x = list(x)
    if not is_array(x):
        x = np.asarray(x)
    if not isinstance(x, np.ndarray) or x.dtype.kind == "f":
        return PLAIN, x
    flat = x.reshape(-1)
    axis = read_axis(flat)
    if axis.is_plain:
        return axis, x
    try:
        float(axis.origin)
    except OverflowError:
        raise OutOfRange("Some x", "Divide x by a constant first.") from None
    return axis, np.asarray(axis.numbers(flat), dtype=np.float64).reshape(x.shape)


def _beside(name: str, values: Any, y: Array, axis: int) -> Array:
    """A column of all curves, shape (n,), or of each, of the shape of y."""
    array = real_array(name, values)
    shape, wanted = tuple(array.shape), tuple(y.shape)
    if shape == wanted[-1:] and (len(shape) == 1):
        return array
    if len(shape) != len(wanted):
        raise CurvesDiffer(name, shape, wanted)
    array = _turned(array, axis)
    if any(mine not in (1, theirs) for mine, theirs in zip(array.shape, wanted, strict=True)):
        raise CurvesDiffer(name, tuple(array.shape), wanted)
    if tuple(array.shape) == wanted:
        return array
    return namespace(array).broadcast_to(array, wanted)
