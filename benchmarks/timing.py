"""Best-of timing and the table every benchmark prints: ratios first, to the first row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A contestant: its name, its seconds, and the ratio to the first row that is asked of it."""

    name: str
    seconds: float
    goal: str = ""


def best(run: Callable[[], Any], repeat: int = 5) -> float:
    """The shortest of `repeat` runs, in seconds: the one that other work disturbed least."""
    shortest = float("inf")
    for _ in range(repeat):
        begun = time.perf_counter()
        run()
        shortest = min(shortest, time.perf_counter() - begun)
    return shortest


def table(rows: Sequence[Row]) -> str:
    """A Markdown table; the ratio says how many times faster than the first row a row is."""
    lines = ["| times faster | goal | | milliseconds |", "|---:|---:|---|---:|"]
    for row in rows:
        ratio = rows[0].seconds / row.seconds
        lines.append(f"| {ratio:,.3g} | {row.goal} | {row.name} | {1e3 * row.seconds:,.3f} |")
    return "\n".join(lines)
