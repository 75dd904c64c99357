"""The only file that knows xarray: labelled arrays as curves, and results with their labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polydescent.errors import BadCall, MissingExtra, UnknownName


@dataclass(frozen=True, eq=False)
class Labels:
    """What a labelled array calls its curves.

    dims: the dimensions of the curves. coords: the coordinates that lie along them. along: the
    dimension of the points. x_name, y_name: of the columns.
    """

    dims: tuple[Hashable, ...]
    coords: Mapping[Hashable, Any] = field(default_factory=dict)
    along: Hashable = "x"
    x_name: str = "x"
    y_name: str = "y"


def is_labelled(data: Any) -> bool:
    """Told by its class, so that xarray is not imported to find that it was not used."""
    return type(data).__module__.partition(".")[0] == "xarray"


def curves_of(data: Any, y: Any, x: Any) -> tuple[Any, Any, int, Labels]:
    """(x, y, the axis of the points, labels) of a DataArray, or of a variable of a Dataset; x: a
    dimension, or a coordinate along one. Raises BadCall, UnknownName.
    """
    if hasattr(data, "data_vars"):
        if y not in data.data_vars:
            raise UnknownName("variable", y, map(str, data.data_vars), "this Dataset")
        data = data[y]
    elif y is not None:
        raise BadCall(
            "A DataArray holds the y itself: pass it alone, with x= naming the dimension along "
            'which the points lie, as in fit_many(stack, x="time").'
        )
    if x in data.coords and len(data.coords[x].dims) == 1:
        (along,) = data.coords[x].dims
        values = data.coords[x].values
    elif x in data.dims:
        along, values = x, np.arange(data.sizes[x], dtype=np.float64)
    else:
        there_are = [str(name) for name in (*data.dims, *data.coords)]
        raise UnknownName("dimension or coordinate along one", x, dict.fromkeys(there_are))
    coords = {name: c for name, c in data.coords.items() if along not in c.dims}
    dims = tuple(dim for dim in data.dims if dim != along)
    labels = Labels(dims, coords, along, str(x), str(data.name or "y"))
    return values, data.data, data.get_axis_num(along), labels


def beside(values: Any, data: Any, y: Any) -> Any:
    """Weights, or the like, with the dimensions of the data, where they have labels themselves."""
    if not is_labelled(values):
        return values
    data = data[y] if hasattr(data, "data_vars") else data
    return values.broadcast_like(data).transpose(*data.dims).data


def dataset(
    columns: Mapping[str, tuple[tuple[str, ...], Any]], labels: Labels | None, shape: Any
) -> Any:
    """An xarray.Dataset of results: each with the dimensions of the curves, then those named.

    Raises MissingExtra.
    """
    try:
        import xarray
    except ImportError:
        raise MissingExtra("xarray", "xarray", "A Dataset") from None
    dims = tuple(f"dim_{i}" for i in range(len(shape))) if labels is None else labels.dims
    coords: dict[Any, Any] = {} if labels is None else dict(labels.coords)
    of_all = {name: v for name, v in columns.items() if name == "degree"}
    coords |= {name: (name, values) for name, (_, values) in of_all.items()}
    found = {
        name: ((*dims, *own), values)
        for name, (own, values) in columns.items()
        if name not in of_all
    }
    return xarray.Dataset(found, coords=coords)
