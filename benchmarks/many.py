"""Many curves at once against loops, batched libraries and xarray; how many digits are right."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import polydescent as pd
from polydescent.polynomial.basis import Domain
from polydescent.triangle import kernels
from polydescent.triangle.kernels.curves import fold_rows

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
DEGREE = 3
SIZES = ((100_000, 50), (20_000, 500))


def processor(run: Callable[[], Any], repeat: int = 5) -> float:
    """The least processor time of `repeat` runs, in seconds, of all threads."""
    least = float("inf")
    for _ in range(repeat):
        begun = time.process_time()
        run()
        least = min(least, time.process_time() - begun)
    return least


def report() -> str:
    """The section of RESULTS.md."""
    warnings.simplefilter("ignore")
    parts = [
        "## Many curves",
        "Nanoseconds of processor time a fit, degree 3; reads: in times a "
        "bare sum of the columns in one run; ×: how many times less than a loop of np.polyfit.",
    ]
    parts += [_speed(curves, points) for curves, points in SIZES]
    return "\n\n".join([*parts, _merging(), _chunks(), _digits(), _descents()])


def _speed(curves: int, points: int) -> str:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2, curves, points))
    weights, gaps = rng.uniform(1, 2, (curves, points)), y.copy()
    gaps[::20, points // 2] = np.nan
    line = np.sort(x[0])
    some = slice(curves // 10)

    def without_c(run: Callable[[], Any]) -> Callable[[], Any]:
        def inner() -> None:
            os.environ[kernels.ALLOWED] = "blocks,reference"
            try:
                run()
            finally:
                del os.environ[kernels.ALLOWED]

        return inner

    def loop() -> None:
        for i in range(300):
            np.polyfit(x[i], y[i], DEGREE)

    read = processor(lambda: (x.sum(), y.sum())) / curves
    heavy = processor(lambda: (x.sum(), y.sum(), weights.sum())) / curves
    found = [
        ("**polydescent, own x**", processor(lambda: pd.fit_many(x, y)) / curves, read),
        ("… the fold alone", processor(lambda: fold_rows(x, y, None, DEGREE)) / curves, read),
        ("… with weights", processor(lambda: pd.fit_many(x, y, weights=weights)) / curves, heavy),
        (
            "… a gap in every 20th",
            processor(lambda: pd.fit_many(x, gaps, missing="omit")) / curves,
            read,
        ),
        ("… shared x", processor(lambda: pd.fit_many(line, y)) / curves, read),
        (
            "… without a compiler",
            processor(without_c(lambda: pd.fit_many(x[some], y[some])), 3) / (curves // 10),
            read,
        ),
        ("loop of np.polyfit", processor(loop, 3) / 300, read),
        (
            "np.polyfit(x, y.T), shared x",
            processor(lambda: np.polyfit(line, y.T, DEGREE), 3) / curves,
            read,
        ),
    ]
    found += _torch(x[some], y[some], read)
    found += _xarray(line, y[some], gaps[some], read)
    base = next(seconds for name, seconds, _ in found if name == "loop of np.polyfit")
    lines = [
        f"**{curves:,} curves of {points} points**",
        "",
        "| × | ns a fit | reads | |",
        "|---:|---:|---:|---|",
    ]
    lines += [
        f"| {base / seconds:,.3g} | {1e9 * seconds:,.0f} | {seconds / reads:,.3g} | {name} |"
        for name, seconds, reads in found
    ]
    return "\n".join(lines)


def _torch(x: np.ndarray, y: np.ndarray, read: float) -> list[tuple[str, float, float]]:
    try:
        import torch
    except ImportError:
        return []
    torch.set_num_threads(1)
    X, Y, m = torch.asarray(x), torch.asarray(y)[..., None], len(x)

    def lstsq() -> None:
        torch.linalg.lstsq(torch.stack([X**j for j in range(DEGREE + 1)], -1), Y)

    def normal() -> None:
        A = torch.stack([X**j for j in range(DEGREE + 1)], -1)
        torch.linalg.solve(A.mT @ A, A.mT @ Y)

    return [
        ("torch.linalg.lstsq", processor(lstsq, 3) / m, read),
        ("torch normal equations", processor(normal, 3) / m, read),
    ]


def _xarray(line: np.ndarray, y: np.ndarray, gaps: np.ndarray, read: float) -> list[Any]:
    try:
        import xarray
    except ImportError:
        return []
    coords = {"x": line}
    whole, holes = (xarray.DataArray(a, dims=("curve", "x"), coords=coords) for a in (y, gaps))
    return [
        (
            "xarray.polyfit, shared x",
            processor(lambda: whole.polyfit("x", DEGREE), 3) / len(y),
            read,
        ),
        (
            "xarray.polyfit, some NaN",
            processor(lambda: holes.polyfit("x", DEGREE), 3) / len(y),
            read,
        ),
    ]


def _merging() -> str:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 100_000, 10))
    a, b = pd.summarize_many(x, y, DEGREE), pd.summarize_many(x + 1, y, DEGREE)
    seconds = processor(lambda: a + b) / 100_000
    return f"Two summaries of 100,000 curves added: {1e9 * seconds:,.0f} ns a curve."


def _chunks() -> str:
    try:
        import xarray
        from dask.config import set as configured
    except ImportError:
        return "Chunks: no xarray or Dask here."
    values = np.random.default_rng(2).normal(size=(1200, 60, 80)).astype(np.float32)
    data = xarray.DataArray(values, dims=("t", "a", "b"), coords={"t": np.arange(1200.0)})
    cut = data.chunk({"t": 200, "a": 30, "b": 40})
    with configured(scheduler="threads"):
        ours = processor(lambda: pd.fit_many(cut, x="t", degree=DEGREE), 3)
        theirs = processor(lambda: cut.polyfit("t", DEGREE).compute(), 3)
    return (
        f"Chunks along and across the dimension, 1200 × 60 × 80 in (200, 30, 40): xarray.polyfit "
        f"takes {theirs / ours:.3g} times the processor time."
    )


def _digits(curves: int = 300) -> str:
    """The fewest digits over random curves of degree 0 to 8: of the curve, se and loss."""
    from exact import least_squares, root
    from numpy.polynomial.chebyshev import chebval, poly2cheb

    rng = np.random.default_rng(3)
    places = {
        "[0, 1]": (0, 1),
        "years": (1950, 70),
        "1e9 + [0, 1e3]": (1e9, 1e3),
        "epoch seconds, a day": (1.7e9, 86_400),
    }
    lines = [
        "Digits of random curves, degree 0 to 8, weights over 4 decades, 40 points, against "
        "exact arithmetic: the fewest.",
        "",
        "| x | curve | standard error | loss | exact weights, rounded to float64 |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (lo, width) in places.items():
        x = lo + width * rng.uniform(0, 1, (curves, 40))
        y = rng.normal(size=x.shape) * 10.0 ** rng.uniform(-3, 3, (curves, 1))
        weights = 10.0 ** rng.uniform(-2, 2, x.shape)
        worst, floor = np.full(3, 16.0), 16.0
        for degree in range(9):
            fits = pd.fit_many(x, y, degree, weights=weights)
            for i in range(degree, curves, 9):
                domain = Domain(float(x[i].min()), float(x[i].max()))
                mid, half = Fraction(domain.mid), Fraction(domain.half_width)
                u = [(Fraction(v) - mid) / half for v in x[i]]
                exact = least_squares(u, y[i], degree, weights[i])
                curve = [float(sum(c * v**j for j, c in enumerate(exact.coef))) for v in u]
                found = fits[i : i + 1](x[i])[0]
                error = np.abs(found - curve).max() / np.abs(y[i]).max()
                variance = exact.inverse[degree][degree] * exact.rss / (40 - degree - 1)
                se = fits.stderr[i, degree] * domain.half_width**degree / root(variance)
                loss = fits.loss[i] / float(exact.rss)
                errors = np.maximum([error, abs(se - 1), abs(loss - 1)], 1e-17)
                worst = np.minimum(worst, -np.log10(errors))
                rounded = poly2cheb([float(c) for c in exact.coef])
                left = np.abs(chebval((x[i] - domain.mid) / domain.half_width, rounded) - curve)
                floor = min(floor, -np.log10(max(left.max() / np.abs(y[i]).max(), 1e-17)))
        lines.append(f"| {name} | " + " | ".join(f"{d:.1f}" for d in (*worst, floor)) + " |")
    return "\n".join(lines)


def _descents() -> str:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-1, 1, (2, 10_000, 50))
    summaries = pd.summarize_many(x, y, DEGREE)
    walk = processor(lambda: summaries.descend(steps=200, method="walk"), 3) / 10_000
    closed = processor(lambda: summaries.descend(steps=2000, method="closed form"), 3) / 10_000
    seen = processor(lambda: summaries.forecast(), 3) / 10_000
    return (
        f"Descents, processor time a curve: {1e9 * walk / 200:,.0f} ns a step walked, "
        f"{1e6 * closed:,.1f} µs in closed form for any number of steps, {1e6 * seen:,.1f} µs "
        "for the forecast alone."
    )


if __name__ == "__main__":
    print(report())
