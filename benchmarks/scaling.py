"""Time and memory from 10⁵ to 10⁸ rows; the slope of time over rows is found by this library."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
from files import peak
from timing import best

import polydescent as pd

SIZES = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000]
CHUNK = 100_000  # rows; they repeat, so that the largest size fits a small disk
TOLERANCE = 0.05  # of the slope, from 1
_ROUNDS = 4
ROWS = np.linspace(-1, 1, CHUNK), np.sin(np.linspace(-9, 9, CHUNK))


def stream(n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """n rows as chunks that are there already: what is timed is the pass."""
    for _ in range(n // CHUNK):
        yield ROWS


def write(folder: Path, n: int) -> Path:
    """A Parquet file of n rows."""
    path = folder / f"{n}.parquet"
    duckdb.execute(
        f"COPY (SELECT (i % {CHUNK}) / {CHUNK} AS x, sin(9 * x) AS y FROM range({n}) t(i)) "
        f"TO '{path}' (ROW_GROUP_SIZE 100_000)"
    )
    return path


def seconds(run: Callable[[], object], n: int) -> float:
    """The best of more runs, the shorter they are."""
    return best(run, repeat=int(np.clip(100_000_000 // n, 3, 50)))


def passes() -> list[float]:
    """Seconds of a pass over each of the sizes, the best of rounds: machines are shared."""
    rounds = [
        [seconds(lambda n=n: pd.summarize(stream(n)), n) for n in SIZES] for _ in range(_ROUNDS)
    ]
    return [min(times) for times in zip(*rounds, strict=True)]


def slope(times: list[float]) -> float:
    """Of log time over log rows."""
    return float(pd.fit(np.log(SIZES), np.log(times), degree=1).coef[1])


def report() -> str:
    """The section of RESULTS.md."""
    streamed = passes()
    files, peaks = [], []
    with tempfile.TemporaryDirectory() as folder:
        for n in SIZES:
            path = write(Path(folder), n)
            files.append(seconds(lambda path=path: pd.summarize(path, x="x", y="y"), n))
            peaks.append(peak(path) if sys.platform == "linux" else np.nan)
            path.unlink()
    beyond = [t - files[0] for t in files[3:]]
    lines = [
        "| rows | pass over chunks, s | Parquet file, s | its peak memory, MB |",
        "|---:|---:|---:|---:|",
        *(
            f"| {n:,} | {a:.4f} | {b:.3f} | {c:.0f} |"
            for n, a, b, c in zip(SIZES, streamed, files, peaks, strict=True)
        ),
    ]
    return "\n\n".join(
        [
            "## Time and memory from 10⁵ to 10⁸ rows, degree 8",
            "\n".join(lines),
            f"Slope of log time over log rows: {slope(streamed):.3f} for the pass "
            f"(1 ± {TOLERANCE}), {slope(files):.3f} for the file, which costs "
            f"{1e3 * files[0]:.0f} ms to open; "
            f"{files[-1] / SIZES[-1] * 1e9:.0f} ns a row at the end, "
            f"{beyond[0] / (SIZES[3] - SIZES[0]) * 1e9:.0f} ns at {SIZES[3]:,}.",
        ]
    )


if __name__ == "__main__":
    print(report())
