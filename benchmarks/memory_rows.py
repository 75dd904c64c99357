"""Ten million rows in memory: `summarize(...).fit()`, whole, beside its peers and a bare read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import best

import polydescent as pd
from polydescent.triangle import kernels

N, FEW = 10_000_000, 1000
READS = {3: 4, 8: 6, 20: 12}  # degree: how many bare reads the whole fit may take
MEMORY_GOAL = 64  # MB beyond the data

Peer = tuple[str, Callable[[], Any], int]  # name, call, how many times faster we mean to be


def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    """x uniform on [−1, 1], y a sine with noise."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, n)
    return x, np.sin(3 * x) + 0.1 * rng.standard_normal(n)


def ours(x: np.ndarray, y: np.ndarray, degree: int, only: str | None = None) -> float:
    """Seconds for the whole fit, with the kernels named by `only`."""
    before = os.environ.pop(kernels.ALLOWED, None)
    if only:
        os.environ[kernels.ALLOWED] = only
    try:
        return best(lambda: pd.summarize(x, y, degree).fit(), repeat=3 if only else 9)
    finally:
        os.environ.pop(kernels.ALLOWED, None)
        if before is not None:
            os.environ[kernels.ALLOWED] = before


def peers(x: np.ndarray, y: np.ndarray, degree: int) -> list[Peer]:
    """What people use today, where it is installed."""
    found: list[Peer] = [("numpy.polyfit", lambda: np.polyfit(x, y, degree), 150)]
    try:
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import PolynomialFeatures
    except ImportError:
        pass
    else:
        model = make_pipeline(PolynomialFeatures(degree), LinearRegression())
        found.append(("scikit-learn", lambda: model.fit(x[:, None], y), 70))
    try:
        import torch
    except ImportError:
        pass
    else:
        tx, ty = torch.from_numpy(x), torch.from_numpy(y)

        def lstsq() -> Any:
            design = torch.stack([tx**k for k in range(degree + 1)], dim=1)
            return torch.linalg.lstsq(design, ty[:, None]).solution

        found.append(("torch.linalg.lstsq", lstsq, 40))
    return found


def reads() -> str:
    """The whole fit counted in bare reads of the same rows, `x @ y`."""
    x, y = rows(N)
    lines = ["| bare reads | goal | degree | milliseconds |", "|---:|---:|---:|---:|"]
    for degree, goal in READS.items():
        seconds = ours(x, y, degree)
        bare = best(lambda: x @ y, repeat=30)
        lines.append(f"| {seconds / bare:.1f} | ≤ {goal} | {degree} | {1e3 * seconds:.1f} |")
    return "\n".join(lines)


def contest() -> str:
    """The peers at degree 3, and how many times faster the whole fit is."""
    x, y = rows(N)
    seconds, portable = ours(x, y, 3), ours(x, y, 3, only="blocks,reference")
    lines = ["| we are faster by | goal | than | milliseconds |", "|---:|---:|---|---:|"]
    for name, call, goal in peers(x, y, 3):
        theirs = best(call, repeat=3)
        lines.append(f"| {theirs / seconds:,.0f} | ≥ {goal} | {name} | {1e3 * theirs:,.0f} |")
        if name == "numpy.polyfit":
            lines.append(f"| {theirs / portable:,.0f} | ≥ 25 | it, without native | |")
    lines.append(f"| 1 | | native | {1e3 * seconds:.1f} |")
    lines.append(f"| | | blocks, without native | {1e3 * portable:.1f} |")
    return "\n".join(lines)


def small() -> str:
    """A thousand rows, where what counts is what a call costs."""
    x, y = rows(FEW)
    theirs = best(lambda: np.polyfit(x, y, 3), repeat=300)
    seconds = best(lambda: pd.summarize(x, y, 3).fit(), repeat=300)
    return (
        f"{FEW:,} rows, degree 3: {1e6 * seconds:.0f} µs, numpy.polyfit {1e6 * theirs:.0f} µs, "
        f"{seconds / theirs:.1f} times its time (≤ 3)."
    )


def memory() -> str:
    """The peak beyond the data, each contestant in a process of its own."""
    lines = ["| MB beyond the data | goal | |", "|---:|---:|---|"]
    for name, call, only, goal in (
        ("native", "pd.summarize(x, y, 3).fit()", "native,blocks,reference", f"≤ {MEMORY_GOAL}"),
        ("blocks", "pd.summarize(x, y, 3).fit()", "blocks,reference", f"≤ {MEMORY_GOAL}"),
        ("numpy.polyfit", "np.polyfit(x, y, 3)", "", ""),
    ):
        lines.append(f"| {_peak(call, only):,.0f} | {goal} | {name} |")
    return "\n".join(lines)


_PROGRAM = """
import re
import numpy as np, polydescent as pd

def kilobytes(which):
    return int(re.search(which + r":\\s+(\\d+)", open("/proc/self/status").read())[1])

x, y = np.linspace(-1, 1, 10_000), np.linspace(0, 1, 10_000)
{call}                                     # what a first call loads is no part of the peak
x, y = np.linspace(-1, 1, {n}), np.linspace(0, 1, {n}) ** 2
open("/proc/self/clear_refs", "w").write("5")      # from here on a new high-water mark
before = kilobytes("VmRSS")
{call}
print(kilobytes("VmHWM") - before)
"""


def _peak(call: str, only: str) -> float:
    """MB (of 2²⁰ bytes) at the peak of one call beyond what the process held; Linux only."""
    shown = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(call=call, n=N)],
        env={**os.environ, kernels.ALLOWED: only},
        check=True,
        capture_output=True,
        text=True,
    )
    return int(shown.stdout) / (1 << 10)


def report() -> str:
    """The section of RESULTS.md."""
    return "\n\n".join(
        [
            f"## {N:,} rows in memory, float64: `summarize(x, y, degree).fit()`, whole",
            contest(),
            reads(),
            small(),
            *([memory()] if sys.platform == "linux" else []),
        ]
    )


if __name__ == "__main__":
    print(report())
