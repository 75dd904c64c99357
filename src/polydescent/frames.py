"""pandas where it is there: columns as a DataFrame, values on the index of a Series."""

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
    return x.index if _is_series(x) else None


def on_index_of(x: Any, values: np.ndarray) -> Any:
    """The values as a Series like x where x is a pandas Series, else as they are."""
    return type(x)(values, index=x.index) if _is_series(x) else values


def _is_series(x: Any) -> bool:
    """Told by its class, so that pandas is not imported to find that it was not used."""
    return any(
        c.__name__ == "Series" and c.__module__.partition(".")[0] == "pandas"
        for c in type(x).__mro__
    )
