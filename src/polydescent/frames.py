"""Tables of other libraries: columns as a DataFrame, values with the labels of what was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polydescent.errors import MissingExtra


def frame(columns: Mapping[str, Any], index: Any = None) -> Any:
    """A pandas.DataFrame of columns of one length. Raises MissingExtra."""
    try:
        import pandas
    except ImportError:
        raise MissingExtra("pandas", "pandas", "A DataFrame") from None
    return pandas.DataFrame(dict(columns), index=index)


def index_of(x: Any) -> Any:
    """The index of a pandas Series, None of anything else."""
    return x.index if _kind(x) == ("pandas", "Series") else None


def labeled_like(x: Any, values: np.ndarray) -> Any:
    """The values with the labels of x, where it is a Series or DataFrame of pandas, a Series of
    Polars or a DataArray of xarray: its index, columns or coordinates. Else as they are.
    """
    kind = _kind(x)
    if kind == ("pandas", "Series"):
        return type(x)(values, index=x.index)
    if kind == ("pandas", "DataFrame"):
        return type(x)(values, index=x.index, columns=x.columns)
    if kind == ("polars", "Series"):
        return type(x)(values=values)
    if kind == ("xarray", "DataArray"):
        return type(x)(values, coords=x.coords, dims=x.dims)
    return values


_LABELED = {
    ("pandas", "Series"),
    ("pandas", "DataFrame"),
    ("polars", "Series"),
    ("xarray", "DataArray"),
}


def _kind(x: Any) -> tuple[str, str]:
    """(library, class), told by their names: nothing is imported to find that it was not used."""
    for kind in type(x).__mro__:
        found = kind.__module__.partition(".")[0], kind.__name__
        if found in _LABELED:
            return found
    return "", ""
