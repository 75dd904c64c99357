"""Twenty million rows in 100, 10,000 and 1,000,000 groups: a cubic with errors for each of them,
beside DuckDB merely handing the columns over, and beside what others make of groups.

Processor time, of all threads, so that other work on the machine disturbs little; in one run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import polars

import polydescent as pd

ROWS = int(os.environ.get("BENCHMARK_ROWS", "20_000_000"))
GROUPS = {100: 2.5, 10_000: 4.5, 1_000_000: 10.0}  # and the goal: times what DuckDB alone takes
DEGREE = 3
_DAY = 86_400
_LOOPED = 1000  # groups of which a loop is timed
_COMPARED = 50  # groups of which all digits are looked at


def write(folder: Path, groups: int) -> Path:
    """A file: whole keys, interleaved, epoch seconds within a day of each group's own, values."""
    path = folder / f"{groups}.parquet"
    duckdb.execute(
        f"COPY (SELECT (hash(7 * i + 1) % {groups})::INTEGER AS k, "
        f"(1_500_000_000 + {_DAY} * (k % 5000) + hash(i) % {_DAY})::BIGINT AS t, "
        f"sin(i / 1000) + (hash(i + 5) % 1000) / 1000 AS v FROM range({ROWS}) r(i)) TO '{path}'"
    )
    return path


def hand_over(path: Path) -> object:
    """The rows as Arrow batches."""
    with duckdb.connect() as connection:
        return sum(b.num_rows for b in connection.sql(f"FROM '{path}'").to_arrow_reader())


def ours(path: Path) -> pd.Fits:
    """Curves with their errors."""
    fits = pd.fit_many(path, x="t", y="v", by="k", degree=DEGREE)
    _ = fits.weights
    return fits


def line_in_duckdb(path: Path) -> object:
    """Slope, intercept and R² of a line."""
    select = "regr_slope(v, t), regr_intercept(v, t), regr_r2(v, t)"
    return duckdb.sql(f"SELECT k, {select} FROM '{path}' GROUP BY k").to_arrow_table()


def slope_in_polars(path: Path) -> object:
    """The slope of a line alone."""
    t, v = polars.col("t").cast(polars.Float64), polars.col("v")
    return polars.scan_parquet(path).group_by("k").agg(polars.cov(t, v) / t.var()).collect()


def sorted_columns(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(offsets, t, v) of the rows sorted by key."""
    table = duckdb.sql(f"FROM '{path}' ORDER BY k").to_arrow_table()
    k, t, v = (column.to_numpy() for column in table.columns)
    return np.flatnonzero(np.r_[True, k[1:] != k[:-1], True]), t, v


def seconds(run: Callable[[], object]) -> float:
    """Processor time of all threads of this process."""
    before = os.times()
    run()
    after = os.times()
    return after.user + after.system - before.user - before.system


def looped(path: Path, groups: int) -> float:
    """Seconds that a loop of np.polyfit would take over all groups, from some of them."""
    ends, t, v = sorted_columns(path)
    some = min(_LOOPED, groups, len(ends) - 1)
    begun = time.process_time()
    for a, b in pairwise(ends[: some + 1]):
        if b - a > DEGREE:
            x = t[a:b] - t[a]
            np.polyfit(x, v[a:b], DEGREE)
    return (time.process_time() - begun) * groups / some


def digits(fits: pd.Fits, path: Path) -> float:
    """−log₁₀ of the largest difference from `fit`, which is exact to the last bit, on the rows of
    some groups alone, over max |y|.
    """
    ends, t, v = sorted_columns(path)
    worst = 0.0
    for i in np.linspace(0, len(ends) - 2, _COMPARED).astype(int):
        x, y = t[ends[i] : ends[i + 1]], v[ends[i] : ends[i + 1]]
        if len(x) > DEGREE + 1:
            alone, at = pd.fit(x, y, DEGREE), x[:20]
            worst = max(worst, np.abs(fits.at(i)(at) - alone(at)).max() / np.abs(y).max())
    return -float(np.log10(max(worst, 1e-17)))


def peak(path: Path) -> float:
    """Megabytes that a process has at most that does nothing else."""
    script = (
        "import resource, sys; import polydescent as pd\n"
        f"pd.fit_many(sys.argv[1], x='t', y='v', by='k', degree={DEGREE}).weights\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-c", script, str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def report() -> str:
    """The section of RESULTS.md."""
    lines = [
        f"## Groups of {ROWS:,} rows",
        "",
        "Parquet, a cubic of each group with errors; seconds of processor time over those of the "
        "hand-over alone. The goals are of 20,000,000 rows.",
        "",
        "| groups | hand-over, s | this | goal | DuckDB regr_*, degree 1 | Polars, slope alone "
        "| loop of np.polyfit | digits | peak, MB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as name:
        for groups, goal in GROUPS.items():
            path = write(Path(name), groups)
            hand_over(path)  # the file is in memory from here on
            ours(path)
            base = min(seconds(lambda p=path: hand_over(p)) for _ in range(3))
            own = min(seconds(lambda p=path: ours(p)) for _ in range(2))
            others = [
                *(
                    seconds(lambda p=path: line_in_duckdb(p)),
                    seconds(lambda p=path: slope_in_polars(p)),
                ),
                looped(path, groups),
            ]
            ratios = " | ".join(f"{other / base:.1f}" for other in others)
            lines.append(
                f"| {groups:,} | {base:.2f} | **{own / base:.1f}** | ≤ {goal} | {ratios} | "
                f"{digits(ours(path), path):.1f} | {peak(path):,.0f} |"
            )
            path.unlink()
    return "\n".join(lines)
