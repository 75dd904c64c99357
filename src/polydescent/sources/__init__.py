"""Anything that holds rows, as columns x, y, weights: arrays, a sampled function, a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydescent.arrays import Array, Kind, columns, first_bad, is_array, namespace
from polydescent.errors import BadCall, BadSetting, NotFinite


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of one kind and one length, checked. x_name and y_name are for human eyes."""

    x: Array
    y: Array
    weights: Array | None = None
    x_name: str = "x"
    y_name: str = "y"

    @classmethod
    def of(cls, x: Any, y: Any, weights: Any = None, x_name: str = "x", y_name: str = "y") -> Rows:
        """Rows from arrays, tensors, lists, Series: see `arrays.columns` for what is refused."""
        if weights is None:
            x, y = columns(x=x, y=y)
        else:
            x, y, weights = columns(x=x, y=y, weights=weights)
            _check_weights(weights)
        return cls(x, y, weights, x_name, y_name)

    @property
    def kind(self) -> Kind:
        return Kind.of(self.x, self.y)


def _check_weights(weights: Array) -> None:
    bad = first_bad(weights)
    if bad:
        raise NotFinite("weights", *bad)
    lowest = float(namespace(weights).min(weights))
    if lowest < 0:
        raise BadSetting("weights", lowest, "0 or more")


def rows_of(
    data: Any, y: Any, x: Any = None, weights: Any = None, where: str | None = None
) -> Rows:
    """The rows meant by the arguments of `fit`, `descend` and `summarize`.

    Two forms: (x, y) with values, or (source, x=name, y=name) with a path and column names or SQL
    expressions of columns. Raises BadCall where the arguments fit neither.
    """
    if isinstance(data, str | Path):
        if not isinstance(x, str) or not isinstance(y, str):
            raise BadCall(
                f'A file needs the names of its columns: fit({str(data)!r}, x="…", y="…"). '
                f"Found x={x!r:.40}, y={y!r:.40}."
            )
        from polydescent.sources.files import read_columns

        return read_columns(data, x, y, weights, where)
    if where is not None:
        raise BadCall("where= selects rows of a file; select rows of arrays before passing them.")
    if data is None:
        data = x
    elif x is not None:
        raise BadCall("x was given twice: as the first argument and as x=.")
    if data is None or y is None:
        missing = "x" if data is None else "y"
        raise BadCall(f"{missing} is missing: pass both columns, as in fit(x, y, degree=3).")
    if isinstance(y, str) and not is_array(data):
        raise BadCall(f"y={y!r} names a column, but {type(data).__name__} is no file with columns.")
    return Rows.of(data, y, weights)
