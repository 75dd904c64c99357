"""Files of twenty million rows: a whole summary beside DuckDB merely handing the columns over."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
from timing import best

import polydescent as pd

FEW, MANY = 2_000_000, 20_000_000
GOALS = {"parquet": 2.0, "csv": 1.3}  # times what DuckDB alone takes
MEMORY_GOAL = 50  # MB between the peaks of few rows and of many
_ROUNDS = 3


def write(folder: Path, n: int, kind: str) -> Path:
    """A file of n rows: x in no order, y a sine with noise, and a column nobody asks for."""
    path = folder / f"{n}.{kind}"
    duckdb.execute(
        "COPY (SELECT (i * 0.6180339887498949) % 1 * 10 - 5 AS x, sin(x) + 0.1 * random() AS y, "
        f"i AS id FROM range({n}) t(i)) TO '{path}'"
    )
    return path


def hand_over(path: Path) -> int:
    """The number of rows DuckDB gives as Arrow batches of x and y."""
    with duckdb.connect() as connection:
        select = f"SELECT CAST(x AS DOUBLE) AS x, CAST(y AS DOUBLE) AS y FROM '{path}'"
        return sum(batch.num_rows for batch in connection.sql(select).to_arrow_reader())


def in_turn(*calls: Callable[[], object]) -> list[float]:
    """Seconds of each call, the best of rounds in which they take turns: machines are shared."""
    for call in calls:
        call()
    rounds = [[best(call, repeat=1) for call in calls] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def speed(folder: Path) -> str:
    """A row for each kind of file and degree."""
    lines = ["| times DuckDB alone | goal | | degree | seconds | DuckDB |"]
    lines.append("|---:|---:|---|---:|---:|---:|")
    for kind, goal in GOALS.items():
        path = write(folder, MANY, kind)
        alone, three, eight = in_turn(
            lambda path=path: hand_over(path),
            lambda path=path: pd.summarize(path, x="x", y="y", degree=3),
            lambda path=path: pd.summarize(path, x="x", y="y", degree=8),
        )
        for degree, seconds in ((3, three), (8, eight)):
            lines.append(
                f"| {seconds / alone:.2f} | ≤ {goal} | {kind} | {degree} | {seconds:.2f} "
                f"| {alone:.2f} |"
            )
    return "\n".join(lines)


def memory(folder: Path) -> str:
    """The peak of a whole process that fits few and many rows."""
    lines = ["| MB more | goal | | MB at 2·10⁶ rows | at 2·10⁷ |", "|---:|---:|---|---:|---:|"]
    for kind in GOALS:
        few, many = (peak(write(folder, n, kind)) for n in (FEW, MANY))
        lines.append(f"| {many - few:+.0f} | ± {MEMORY_GOAL} | {kind} | {few:.0f} | {many:.0f} |")
    return "\n".join(lines)


_PROGRAM = """
import re, sys
import polydescent as pd
pd.fit(sys.argv[1], x="x", y="y")
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def peak(path: Path) -> float:
    """MB at the peak of a process that fits the columns x and y of the file."""
    command = [sys.executable, "-c", _PROGRAM, str(path)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(shown.stdout) / (1 << 10)


def report() -> str:
    """The section of RESULTS.md."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [f"## Files of {MANY:,} rows, `summarize(path, …)`", speed(folder)]
        if sys.platform == "linux":
            parts += ["Peak memory of the whole process, `fit(path, …)`:", memory(folder)]
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(report())
