"""A fit as a picture: the data with its curves, the loss by step with its floor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from polydescent.arrays import to_host
from polydescent.errors import BadSetting, MissingExtra
from polydescent.fit import Fit
from polydescent.polynomial import Polynomial

# Okabe and Ito's colors, told apart by every kind of color vision; dashes tell them apart in gray.
_DATA, _START, _RESULT, _BEST, _FLOOR = "0.6", "#CC79A7", "#D55E00", "#0072B2", "#009E73"
_SUFFIXES = (".png", ".svg", ".pdf")
_MOST_POINTS = 4000


def draw_run(fit: Fit, x: np.ndarray, y: np.ndarray, path: str, title: str) -> None:
    """Write the picture of a fit to a .png, .svg or .pdf file.

    x, y: the rows, shape (n,), of which at most 4,000 are drawn. Raises BadSetting, MissingExtra.
    """
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise BadSetting("--plot", path, f"a file name ending in {' or '.join(_SUFFIXES)}")
    figure = _figure(2 if fit.history else 1)
    axes = figure.axes
    _draw_curves(axes[0], fit, x, y, title)
    if fit.history:
        _draw_loss(axes[1], fit)
    figure.savefig(path, dpi=150)


def _figure(panels: int) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("matplotlib", "plot", "Drawing") from None
    figure = Figure(figsize=(5.5 * panels, 4), layout="constrained")
    figure.subplots(1, panels)
    return figure


def _draw_curves(axes: Any, fit: Fit, x: np.ndarray, y: np.ndarray, title: str) -> None:
    every = slice(None, None, -(-len(x) // _MOST_POINTS))
    axes.plot(x[every], y[every], ".", color=_DATA, markersize=3, label="data")
    grid = np.linspace(fit.domain.lo, fit.domain.hi, 500)
    if fit.history:
        start = Polynomial(fit.curve.basis, fit.domain, to_host(fit.history.weights[0, ...]))
        axes.plot(grid, start(grid), ":", color=_START, label="start")
        axes.plot(grid, fit(grid), "-", color=_RESULT, label="result")
    best = fit.summary.fit()
    axes.plot(grid, best(grid), "--", color=_BEST, label="best")
    low, high = float(y.min()), float(y.max())
    margin = 0.35 * (high - low or 1.0)
    axes.set_ylim(low - margin, high + margin)  # a far-off start must not flatten the data
    axes.set(xlabel="x", ylabel="y", title=title)
    axes.legend(loc="best", frameon=False)


def _draw_loss(axes: Any, fit: Fit) -> None:
    assert fit.history is not None
    loss = to_host(fit.history.loss)
    axes.plot(np.arange(len(loss)), loss, "-", color=_RESULT, label="loss")
    axes.axhline(fit.lowest_loss, linestyle="--", color=_FLOOR, label="lowest possible")
    axes.set_yscale("log")
    axes.set(xlabel="step", ylabel="sum of squared residuals", title="loss by step")
    axes.legend(loc="best", frameon=False)
