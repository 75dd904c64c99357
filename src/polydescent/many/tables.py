"""Fits and tables: a row for each curve, and the value of its own curve for each row."""

from __future__ import annotations

from typing import Any

import numpy as np

from polydescent.arrays import to_host
from polydescent.checks import one_of
from polydescent.errors import BadCall, LengthMismatch, OutsideDomain, RowsWithoutCurve
from polydescent.frames import labeled_like
from polydescent.many.status import Status
from polydescent.polynomial.stack import evaluate_each
from polydescent.rows import arrow, keys
from polydescent.rows.axis import Axis
from polydescent.rows.keys import Keys
from polydescent.rows.source_of import source_of
from polydescent.rows.tables import column_of

_BLOCK = 1 << 18  # rows whose weights are in memory at once


def to_table(fits: Any, basis: str = "power") -> Any:
    """An Arrow table with a row for each curve of Fits: see `Fits.to_table`."""
    one_of("basis", basis, ("power", "chebyshev"))
    pyarrow = arrow.pyarrow()
    shape, k = fits.shape, fits.degree + 1
    if basis == "power":
        names, values, errors = "c", to_host(fits.coef), to_host(fits.stderr)
    else:
        names, values, errors = "w", fits.weights, _errors_of_weights(fits)
    values, errors = values.reshape(-1, k), errors.reshape(-1, k)
    flat = {
        "n": fits.summaries.n,
        "omitted": fits.summaries.omitted,
        "degree": fits.degrees,
        **{f"{names}{power}": values[:, power] for power in range(k)},
        **{f"se{power}": errors[:, power] for power in range(k)},
        "r2": to_host(fits.r2),
        "residual_sd": to_host(fits.residual_sd),
        "loss": to_host(fits.loss),
        "x_min": fits.domain.lo,
        "x_max": fits.domain.hi,
    }
    found = {name: pyarrow.array(_plain(column).reshape(-1)) for name, column in flat.items()}
    words = pyarrow.array([status.name for status in Status])
    place = pyarrow.array(np.asarray(fits.status).reshape(-1).astype(np.int8))
    found["status"] = pyarrow.DictionaryArray.from_arrays(place, words).cast(pyarrow.string())
    of_keys = fits.keys if fits.keys is not None else _positions(shape)
    columns = keys.beside_others(of_keys.column_names, found)
    return pyarrow.table([*of_keys.columns, *found.values()], names=[*columns, *found])


def _errors_of_weights(fits: Any) -> np.ndarray:
    """Standard errors of the Chebyshev weights, shape (…, k), on the host."""
    sd = 1.0 if fits.absolute_sigma else to_host(fits.residual_sd)[..., None]
    return sd * np.sqrt((fits._factor * fits._factor).sum(axis=-1))


def _plain(column: Any) -> np.ndarray:
    """Numbers or dates on the host, in a type that Arrow has."""
    column = to_host(column) if not isinstance(column, np.ndarray) else column
    return np.asarray(column)


def _positions(shape: tuple[int, ...]) -> Any:
    """Where curves stand that go by position, a column for each dimension."""
    places = np.indices(shape).reshape(len(shape), -1)
    names = ["curve"] if len(shape) == 1 else [f"curve_{i}" for i in range(len(shape))]
    return arrow.pyarrow().table(dict(zip(names, places, strict=True)))


# ── by key, row by row ───────────────────────────────────────────────────────────────────────────


def located(fits: Any, data: Any, x: Any, by: Any) -> tuple[np.ndarray, np.ndarray, Keys]:
    """(x, places, keys) of the rows of a table or of columns: x as float64 on the axis of the fits,
    the place of the curve of each row, −1 where no curve has its key, and their keys.

    data: a table, with x and by naming its columns, or the x of the rows, with their keys as by.
    Raises BadCall, UnknownName, LengthMismatch, BadKeys.
    """
    if fits.keys is None:
        raise BadCall("These curves go by position and have no keys: call them, as in fits(x).")
    names = tuple(fits.keys.column_names)
    name = fits.summaries.x_name if x is None else x
    if x is None and by is not None and not _are_names(by):
        numbers, found = _numbers(fits.axis, data), None
        found = Keys.beside(by, len(numbers))
    else:
        numbers = _numbers(fits.axis, _column(data, name))
        wanted = names if by is None else keys.parts_of_key(by)
        found = _keys(data, wanted, len(numbers))
    if found.table.num_columns != len(names):
        raise BadCall(
            f"The curves have keys of {len(names)} parts ({', '.join(names)}), found "
            f"{found.table.num_columns}."
        )
    if len(found) != len(numbers):
        raise LengthMismatch({"x": len(numbers), "by": len(found)})
    return numbers, keys.places(fits.keys, found), found


def values_at(fits: Any, x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The value of the curve at `places` for each x, NaN where there is none. Shape (n,)."""
    inside = fits.summaries.triangle.domain
    with np.errstate(invalid="ignore"):
        mid, half = np.asarray(inside.mid), np.asarray(inside.half_width)
    values = np.full(len(x), np.nan)
    there = np.flatnonzero(places >= 0)
    for start in range(0, len(there), _BLOCK):
        rows = there[start : start + _BLOCK]
        at = places[rows]
        found = evaluate_each(fits.weights[at], mid[at], half[at], x[rows][:, None])
        values[rows] = found[:, 0]
    return values


def without_curve(places: np.ndarray, found: Keys) -> RowsWithoutCurve:
    """What to say of rows whose key no curve has."""
    there = places < 0
    absent = np.unique(found.codes[there])
    (first,) = keys.texts(found.table, [int(found.codes[int(there.argmax())])])
    return RowsWithoutCurve(int(there.sum()), len(places), first, len(absent))


def beyond_domain(fits: Any, x: np.ndarray, places: np.ndarray) -> OutsideDomain | None:
    """The refusal of rows whose x lies outside the domain of their curve, None where there are
    none.
    """
    inside, known = fits.summaries.triangle.domain, places >= 0
    at = np.where(known, places, 0)
    with np.errstate(invalid="ignore"):
        lo, hi = (np.asarray(edge)[at] for edge in inside.edges)
        beyond = known & ~np.isnan(fits.weights[at, 0]) & ((x < lo) | (x > hi))
    if not beyond.any():
        return None
    first = at[int(beyond.argmax())]
    ends = x[beyond].min(), x[beyond].max(), inside.lo[first], inside.hi[first]
    labels = [fits.axis.label(float(end)) for end in ends]
    (key,) = keys.texts(fits.keys, [int(first)])
    curves = len(np.unique(at[beyond])), len(fits.keys), (key,)
    return OutsideDomain(int(beyond.sum()), len(x), *labels, curves=curves)


def _are_names(by: Any) -> bool:
    return isinstance(by, str) or (
        isinstance(by, list | tuple) and bool(by) and all(isinstance(name, str) for name in by)
    )


def on_index(data: Any, values: np.ndarray) -> Any:
    """The values as a Series on the index of a pandas table or Series, else as they are."""
    column = data[data.columns[0]] if hasattr(data, "iloc") and hasattr(data, "columns") else data
    return labeled_like(column, values)


def _numbers(axis: Axis, x: Any) -> np.ndarray:
    """x on an axis, float64, on the host."""
    return np.atleast_1d(np.asarray(to_host(axis.numbers(x)), dtype=np.float64))


def _column(data: Any, name: str) -> Any:
    """A column of a table by name, or an SQL expression of columns."""
    found = column_of(data, name)
    if found is not None:
        return found
    rows = source_of(data, name, name).gathered()
    return rows.x if rows.axis.is_plain else rows.axis.places(rows.x)


def _keys(data: Any, names: tuple[str, ...], n: int) -> Keys:
    columns = {name: column_of(data, name) for name in names}
    if all(column is not None for column in columns.values()):
        return Keys.beside(columns, n)
    found = source_of(data, "0", "0", by=names).gathered().keys
    assert found is not None
    return found
