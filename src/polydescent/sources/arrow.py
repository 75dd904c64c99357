"""The only file that knows PyArrow: streams of record batches as chunks of NumPy columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from polydescent.errors import MissingExtra
from polydescent.sources import CHUNK

Columns = tuple[np.ndarray, ...]


def pyarrow() -> Any:
    """The package. Raises MissingExtra."""
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("PyArrow", "files", "Reading files and tables") from None
    return pyarrow


def reader(table: Any) -> Any:
    """A record batch reader over anything with `__arrow_c_stream__`. Raises MissingExtra."""
    return pyarrow().RecordBatchReader.from_stream(table)


def blocks(batches: Iterable[Any], skip: int = 0, size: int = CHUNK) -> Iterator[Columns]:
    """The columns of float64 batches after the first `skip` rows, `size` rows at a time.

    Blocks end at the same rows however the batches are cut, so that a pass that goes on after an
    interruption does the same arithmetic. Nulls become NaN.
    """
    pending: list[Columns] = []
    n = 0
    for batch in batches:
        dropped = min(skip, batch.num_rows)
        skip -= dropped
        pending.append(
            tuple(column.to_numpy(zero_copy_only=False)[dropped:] for column in batch.columns)
        )
        n += batch.num_rows - dropped
        if n < size:
            continue
        together = _together(pending)
        for start in range(0, n - size + 1, size):
            yield tuple(column[start : start + size] for column in together)
        n %= size
        pending = [tuple(column[len(column) - n :] for column in together)]
    if n:
        yield _together(pending)


def _together(parts: list[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
