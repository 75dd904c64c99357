"""A hundred million generated rows on two Dask worker processes, on one, and in one pass."""

from __future__ import annotations

from collections.abc import Iterator

import dask
import dask.array as da
import numpy as np
from timing import best

import polydescent as pd

N, BLOCK = 100_000_000, 1_000_000
GOAL = 1.6  # times faster on two processes than on one
CLOSE = 1e-12  # between the curve of the workers and that of one pass, relative


def columns() -> tuple[da.Array, da.Array]:
    """x uniform, y a sine with noise, generated where they are used."""
    generator = da.random.default_rng(0)
    x = generator.uniform(-1, 1, N, chunks=BLOCK)
    return x, da.sin(3 * x) + 0.1 * generator.standard_normal(N, chunks=BLOCK)


def on_workers(count: int, degree: int) -> tuple[float, pd.Summary]:
    """Seconds, and the summary, with so many worker processes of one thread."""
    from dask.distributed import Client, LocalCluster

    settings = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **settings) as cluster, Client(cluster):
        pd.summarize(*(column[: 4 * BLOCK] for column in columns()), degree)  # imports
        found: list[pd.Summary] = []
        seconds = best(lambda: found.append(pd.summarize(*columns(), degree)), repeat=2)
    return seconds, found[0]


def chunks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same rows one block at a time, here."""
    x, y = columns()
    with dask.config.set(scheduler="synchronous"):
        for block in range(x.numblocks[0]):
            yield dask.compute(x.blocks[block], y.blocks[block])


def difference(found: pd.Summary, expected: pd.Summary) -> float:
    """The largest between the two curves, relative to the size of the curve."""
    u = np.linspace(expected.domain.lo, expected.domain.hi, 1001)
    a, b = found.fit()(u), expected.fit()(u)
    return float(np.abs(a - b).max() / np.abs(b).max())


def report() -> str:
    """The section of RESULTS.md."""
    degree = 8
    one, _ = on_workers(1, degree)
    two, summary = on_workers(2, degree)
    apart = difference(summary, pd.summarize(chunks(), degree=degree))
    return "\n\n".join(
        [
            f"## Dask: {N:,} generated rows in blocks of {BLOCK:,}, degree {degree}",
            "| times faster | goal | worker processes | seconds |\n|---:|---:|---:|---:|\n"
            f"| 1 | | 1 | {one:.2f} |\n| {one / two:.2f} | ≥ {GOAL} | 2 | {two:.2f} |",
            f"From one pass over the same rows the curve differs by {apart:.1e} (≤ {CLOSE:.0e}).",
        ]
    )


if __name__ == "__main__":
    print(report())
