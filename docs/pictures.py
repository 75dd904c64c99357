"""The pictures of the documentation, drawn by the library from its own runs, light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import polydescent as pd

INK = {"light": "#1f2328", "dark": "#d7dde4"}
QUIET = {"light": "#6b7480", "dark": "#8b949e"}
COLORS = {
    "light": ["#0b5fa5", "#c2410c", "#15803d", "#7c3aed"],
    "dark": ["#6cb6ff", "#ffa657", "#6fd08c", "#c4a7ff"],
}
LESSON = pd.GradientDescent(learning_rate=1e-6)


def rows() -> tuple[np.ndarray, np.ndarray]:
    """The lesson's data."""
    x = np.linspace(-math.pi, math.pi, 2000)
    return x, np.sin(x)


# ── one function a picture: axes in, nothing out ──


def lesson_curve(ax: Any, color: list[str]) -> None:
    x, y = rows()
    run = pd.descend(x, y, degree=3, optimizer=LESSON)
    ax.plot(x, y, color=color[0], lw=5, alpha=0.35, label="sin(x), 2,000 rows")
    ax.plot(x, run(x), color=color[1], label="after 2,000 steps")
    ax.plot(x, pd.fit(x, y, degree=3)(x), color=color[2], ls="--", label="the best cubic")
    ax.set(xlabel="x", ylabel="y")
    ax.legend(frameon=False)


def lesson_loss(ax: Any, color: list[str]) -> None:
    x, y = rows()
    run = pd.descend(x, y, degree=3, optimizer=LESSON, steps=5000)
    t = np.arange(run.history.steps + 1)
    ax.semilogy(t, run.history.loss - run.lowest_loss, color=color[1], label="walked")
    far = np.linspace(0, 5000, 26).astype(int)
    ax.semilogy(far, run.forecast.excess_at(far), "o", ms=4, color=color[0], label="foretold")
    ax.set(xlabel="step", ylabel="loss above the lowest")
    ax.legend(frameon=False)


def rates(ax: Any, color: list[str]) -> None:
    x, y = rows()
    summary = pd.summarize(x, y, degree=3)
    limit = summary.forecast().largest_stable_rate
    t = np.arange(0, 301)
    for share, c in zip((0.28, 0.97, 1.02), (color[0], color[2], color[1]), strict=True):
        forecast = summary.forecast(optimizer=pd.GradientDescent(share * limit))
        ax.semilogy(t, forecast.loss_at(t), color=c, label=f"{share:g} × the limit")
    ax.axhline(summary.rss, color=QUIET["light"], lw=1, ls=":", label="lowest possible")
    ax.set(xlabel="step", ylabel="loss", ylim=(3, 1e7))
    ax.legend(frameon=False)


def coordinates(ax: Any, color: list[str]) -> None:
    x, y = rows()
    summary = pd.summarize(x, y, degree=8)
    degrees = np.arange(1, 9)
    for basis, c in zip(("power", "legendre", "chebyshev"), color, strict=False):
        condition = [summary.forecast(int(d), basis=basis).condition for d in degrees]
        ax.semilogy(degrees, condition, "o-", color=c, ms=4, label=basis)
    ax.set(xlabel="degree", ylabel="condition number", xticks=degrees)
    ax.legend(frameon=False)


def wavy() -> tuple[np.ndarray, np.ndarray]:
    """Data of the how-to pages: a cubic and noise."""
    rng = np.random.default_rng(3)
    x = np.linspace(-2, 2, 80)
    return x, 1 - x + x**3 + rng.normal(0, 0.4, x.size)


def months(ax: Any, color: list[str]) -> None:
    table = Path(__file__).parent.parent / "tests" / "data" / "global-temperature-monthly.csv"
    fits = pd.fit_many(
        table,
        x="CAST(left(Year, 4) AS DOUBLE)",
        y="Mean",
        by=["Source", "CAST(right(Year, 2) AS INTEGER)"],
        where="left(Year, 4) >= '1970'",
        degree=1,
    )
    for i, source in enumerate(("GISTEMP", "gcag")):
        lines = [fits[source, month] for month in range(1, 13)]
        trend, error = (
            100 * np.array([getattr(line, name)[1] for line in lines])
            for name in ("coef", "stderr")
        )
        places = np.arange(1, 13) + (i - 0.5) / 5
        ax.errorbar(places, trend, 2 * error, fmt="o", capsize=3, color=color[i], label=source)
    ax.set(xlabel="month", ylabel="°C per century since 1970", ylim=(0, None))
    ax.set_xticks(range(1, 13))
    ax.legend(frameon=False)


PICTURES: dict[str, Callable[[Any, list[str]], None]] = {
    "lesson-curve": lesson_curve,
    "lesson-loss": lesson_loss,
    "rates": rates,
    "coordinates": coordinates,
    "months": months,
}
PLOTS: dict[str, Callable[[Any], Any]] = {  # the library's own, on white as it draws them
    "bands": lambda ax: pd.fit(*wavy(), degree=3).plot(ax=ax),
    "degrees": lambda ax: pd.fit(*wavy(), degree=8).plot("degrees", ax=ax),
    "loss": lambda ax: pd.descend(*wavy(), degree=3, steps=500).plot("loss", ax=ax),
}


def files() -> set[str]:
    """The names of all that is drawn."""
    return {f"{name}-{theme}.svg" for name in PICTURES for theme in COLORS} | {
        f"{name}.svg" for name in PLOTS
    }


def draw_all(folder: Path) -> None:
    """Every picture as SVG into `folder`: ours for light and for dark pages."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    folder.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        for theme in COLORS:
            with matplotlib.rc_context(_style(theme) | {"svg.hashsalt": name}):
                figure = Figure(figsize=(6.8, 3.6), layout="constrained")
                draw(figure.add_subplot(), COLORS[theme])
                path = folder / f"{name}-{theme}.svg"
                figure.savefig(path, transparent=True, metadata={"Date": None})
    for name, plot in PLOTS.items():
        with matplotlib.rc_context({"svg.hashsalt": name}):
            figure = Figure(figsize=(6.8, 4.2), layout="constrained")
            plot(figure.add_subplot())
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def _style(theme: str) -> dict[str, Any]:
    return {
        "text.color": INK[theme],
        "axes.labelcolor": INK[theme],
        "axes.edgecolor": QUIET[theme],
        "xtick.color": INK[theme],
        "ytick.color": INK[theme],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 11,
        "lines.linewidth": 2,
    }


if __name__ == "__main__":
    draw_all(Path(__file__).parent / "_pictures")


def write_page(folder: Path) -> None:
    """The lesson's run as a page that trains, which the tour of the documentation leads into."""
    folder.mkdir(exist_ok=True)
    x, y = rows()
    run = pd.descend(x, y, degree=3, optimizer=LESSON)
    run.explore(folder / "explorer.html", title="sin(x)")
