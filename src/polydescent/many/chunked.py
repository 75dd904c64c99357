"""Curves in the chunks of a Dask array: each folded where it lies, the summaries added."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from polydescent.arrays import Kind, real_array, to_host
from polydescent.errors import BadCall, CurvesDiffer, NotFiniteInCurves
from polydescent.many.status import Status
from polydescent.many.summaries import Summaries
from polydescent.rows.axis import Axis
from polydescent.rows.cluster import fold_grid, is_chunked
from polydescent.rows.curves import Curves, numbers_of
from polydescent.triangle.kernels.curves import fold_rows
from polydescent.triangle.kernels.folded import Folded
from polydescent.triangle.kernels.threads import one_core


def summarize_chunks(
    x: Any, y: Any, weights: Any, axis: int, degree: int, missing: str
) -> Summaries:
    """The summaries of the curves of a Dask array y, whose points lie along an axis.

    x: of all curves, shape (n,). weights: None, (n,), or the shape of y, of NumPy or Dask. Raises
    CurvesDiffer, BadCall, NotFiniteInCurves.
    """
    axis = axis % y.ndim
    order = (*(i for i in range(y.ndim) if i != axis), axis)
    y = y.transpose(order)
    x_axis, x = numbers_of(x)
    x = real_array("x", x)
    if x.shape != y.shape[-1:]:
        raise CurvesDiffer("x", tuple(x.shape), tuple(y.shape))
    others: dict[str, Any] = {"x": x}
    if weights is not None:
        weights = weights if is_chunked(weights) else real_array("weights", weights)
        if weights.ndim > 1:
            weights = weights.transpose(order)
        if tuple(weights.shape) not in (y.shape, y.shape[-1:]):
            raise CurvesDiffer("weights", tuple(weights.shape), tuple(y.shape))
        others["weights"] = weights
    parts = fold_grid(y, others, _Fold(degree, missing, x_axis), _total)
    shape = tuple(int(length) for length in y.shape[:-1])
    return _assembled(parts, shape, degree, missing, x_axis, y, others)


class _Fold:
    """What is done to a block, on a worker: an object, so that it travels."""

    def __init__(self, degree: int, missing: str, axis: Axis):
        self.degree, self.missing, self.axis = degree, missing, axis

    def __call__(self, y: Any, x: Any, weights: Any = None) -> Summaries:
        curves = Curves.read(x, np.asarray(y), None if weights is None else np.asarray(weights))
        x, y, weights = (curves.flat(c) for c in (curves.x, curves.y, curves.weights))
        with one_core():  # the cluster runs as many tasks side by side as a worker has cores
            folded = fold_rows(x, y, weights, self.degree)
        if self.missing != "omit" and folded.omitted.any():
            bad = curves.missing()
            folded.omitted[~bad] = 0
            folded.fault[bad] = Status.NOT_FINITE
        found = Summaries.of_folded(folded, curves.shape, Kind.of(curves.y))
        return replace(found, axis=self.axis)


def _total(parts: list[Summaries]) -> Summaries:
    while len(parts) > 1:
        pairs = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]


def _assembled(
    parts: list[tuple[tuple[slice, ...], Summaries]],
    shape: tuple[int, ...],
    degree: int,
    missing: str,
    axis: Axis,
    y: Any,
    others: dict[str, Any],
) -> Summaries:
    """The blocks of curves put together."""
    blank = Folded.blank(math.prod(shape), degree)
    whole = Summaries.of_folded(blank, shape, parts[0][1].kind if parts else None)
    for place, part in parts:
        t, own = whole.triangle, part.triangle
        columns = [(t.array, own.array), (t.n, own.n), (t.log_weights, own.log_weights)]
        columns += [(t.domain.lo, own.domain.lo), (t.domain.hi, own.domain.hi)]
        columns += [(whole.omitted, part.omitted), (whole.fault, part.fault)]
        for into, values in columns:
            into[place] = values
    bad = whole.fault == Status.NOT_FINITE
    if missing == "raise" and bad.any():
        raise _located(bad, y, others)
    whole.triangle.array[bad] = np.nan
    return replace(whole, axis=axis, known=None)


def _located(bad: np.ndarray, y: Any, others: dict[str, Any]) -> Exception:
    """The refusal of values that are missing, with the first of them."""
    first = (
        tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape)) if bad.ndim else ()
    )
    one = Curves.read(others["x"], to_host(np.asarray(y[first])))
    weights = others.get("weights")
    if weights is not None:
        own = np.asarray(weights if weights.ndim == 1 else weights[first])
        one = replace(one, weights=own)
    try:
        one.raise_missing(np.ones(1, dtype=bool))
    except NotFiniteInCurves as found:
        return NotFiniteInCurves(
            found.name, int(bad.sum()), bad.size, first, found.point, found.value, 1, found.n
        )
    return BadCall("The data changed while they were read: run it again.")
