"""Five pictures of a fit, each on one matplotlib axes: fit, residuals, loss, modes, degrees."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np

from polydescent.arrays import quiet, to_host
from polydescent.descent.outcome import Outcome
from polydescent.least_squares.degrees import Degrees, degree_table
from polydescent.least_squares.solution import rows_that_count
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.evidence import all_rows, is_weighted
from polydescent.regression.fit import Fit
from polydescent.report.density import Density, blocks
from polydescent.report.text import excess
from polydescent.triangle.triangle import Triangle
from polydescent.visible import shortened, visible

# Okabe and Ito's colors, told apart by every kind of color vision; dashes tell them apart in gray.
_DATA, _RESULT, _BEST, _START, _FLOOR = "0.62", "#D55E00", "#0072B2", "#CC79A7", "#009E73"
_MOST_POINTS = 4000  # more rows are drawn as a density
_MOST_BARS = 500  # points whose error bars can be told apart
_DEGREES = 8  # up to which degrees are compared, where the rows are at hand
_ASKED = 100_000  # rows up to which diagnostics are asked for a picture
_NUMBERED = 10  # of the rows they name, that get their number
_LEFT_OUT = 300_000  # more rows would take seconds to leave out
_SLICES = 40  # of x, in each of which residuals are averaged
_FEW = 10  # rows that are too few for a mean
_NEAR, _EARLY = 1.001, 8  # a loss this near the lowest in this share of the steps came early
_OVERFLOW = 1e200  # beyond it the ticks of a log axis overflow
_LONGEST_NAME = 100  # characters
_TINY = 1e-8  # of the lowest loss: what a mode holds below it is no longer of interest


# ── the data with the curve ──────────────────────────────────────────────────────────────────────


def curve(fit: Fit, ax: Any, level: float) -> None:
    """The data, the curve, its bands; of a descent also where it started and where it should end.

    The bands are those of least squares, so a descent that has not arrived has none.
    """
    x = np.linspace(fit.summary.domain.lo, fit.summary.domain.hi, 500)
    places = _places(fit, x)
    seen = _draw_rows(fit, ax)
    arrived = fit.outcome in (Outcome.EXACT, Outcome.CONVERGED)
    best = Polynomial(CHEBYSHEV, fit.summary.domain, fit.least_squares.weights)
    view = None
    if seen is not None:
        view = _with_room(seen.y, 0.2)
    elif fit.outcome.is_unfinished:
        view = _with_room(Domain(float(best(x).min()), float(best(x).max())), 1.0)
    if arrived and fit.degrees_of_freedom > 0:
        _draw_bands(fit, ax, places, level)
    if fit.history is not None:
        start = Polynomial(
            fit.curve.basis, fit.summary.domain, to_host(fit.history.weights[0, ...])
        )
        _line(ax, places, start(x), ":", _START, "start")
    if np.isfinite(fit.curve.weights).all():
        hidden = view is not None and not _crosses(fit.curve(x), view)
        _line(ax, places, fit.curve(x), "-", _RESULT, _result(fit) + ", out of view" * hidden)
    if not arrived:
        _line(ax, places, best(x), "--", _BEST, "least squares")
    if view is not None:  # a far-off start or result must not flatten the data
        ax.set_ylim(view.lo, view.hi)
    _names(fit, ax)
    _title(fit, ax, _equation(fit, ax))
    _legend(ax)


def _result(fit: Fit) -> str:
    """What the legend calls the curve: a fit only where it is one."""
    if fit.outcome.is_unfinished and fit.history is not None:
        return f"after {fit.history.steps:,} steps"
    return "result" if fit.outcome is Outcome.GIVEN else "fit"


def _places(fit: Fit, x: np.ndarray) -> np.ndarray:
    """x as the user calls it: dates where the data had dates."""
    if fit.axis.is_plain or fit.axis.is_durations:
        return x
    return np.array([fit.axis.place(float(v)) for v in x])


def _draw_rows(fit: Fit, ax: Any, less: Polynomial | None = None) -> Density | None:
    """The rows, or what they leave above the curve `less` times √weight: points, or a density of
    many; of points, the standard deviations where they are known.

    Returns their density, None where there are no rows.
    """
    if fit.rows is None:
        return None
    weighted = less is not None
    density = Density.of(fit.rows, less, weighted=weighted)
    if fit.rows.x.shape[0] > _MOST_POINTS:
        _draw_density(ax, fit, density)
        return density
    for x, y in blocks(fit.rows, less, weighted=weighted):  # one block: there are few
        size = 6 if len(x) <= 50 else 4 if len(x) <= 500 else 2.5
        if less is None and fit.absolute_sigma and len(x) <= _MOST_BARS:
            _draw_bars(fit, ax, x, y)
        style = {"color": _DATA, "markersize": size, "markeredgewidth": 0}
        ax.plot(_places(fit, x), y, "o", label=_count(fit, density), **style)
    return density


def _draw_bars(fit: Fit, ax: Any, x: np.ndarray, y: np.ndarray) -> None:
    assert fit.rows is not None
    omega = rows_that_count(fit.rows)[2]
    if omega is not None and len(omega) == len(x):
        style = {"fmt": "none", "ecolor": _DATA, "elinewidth": 0.9, "label": "± σ"}
        ax.errorbar(_places(fit, x), y, 1 / np.sqrt(omega), **style)


def _count(fit: Fit, density: Density) -> str:
    """How many rows are shown, as the legend says it."""
    shown = int(density.counts.sum()) + density.outside
    rows = f"{fit.n:,} rows" if shown == fit.n else f"{shown:,} of {fit.n:,} rows"
    return rows + (f", {density.outside:,} out of sight" if density.outside else "")


def _with_room(y: Domain, room: float) -> Domain:
    """That interval and `room` times that above and below."""
    height = y.hi - y.lo or abs(y.lo) or 1.0
    return Domain(y.lo - room * height, y.hi + room * height)


def _crosses(values: np.ndarray, view: Domain) -> bool:
    return bool(values.min() <= view.hi and values.max() >= view.lo)


def _draw_density(ax: Any, fit: Fit, density: Density) -> None:
    """Gray by the logarithm of the count, faint enough for curves to stand out against it."""
    from matplotlib.colors import ListedColormap, LogNorm

    grays = ListedColormap([_gray(ax, share) for share in np.linspace(0.10, 0.55, 32)])
    counts = np.ma.masked_equal(density.counts, 0)
    norm = LogNorm(1, max(int(counts.max()), 2))
    across, up = density.edges
    ax.pcolormesh(_places(fit, across), up, counts, cmap=grays, norm=norm, rasterized=True)
    ax.plot([], [], "s", color=grays(12), markersize=8, label=_count(fit, density))


def _draw_bands(fit: Fit, ax: Any, places: np.ndarray, level: float) -> None:
    percent = f"{100 * level:g} %"
    low, high = fit.confidence_band(places, level)
    lowest, highest = fit.prediction_band(places, level)
    ax.fill_between(places, lowest, highest, color=_BEST, alpha=0.08, linewidth=0)
    for edge, label in ((lowest, f"{percent} prediction{_of_new(fit)}"), (highest, None)):
        ax.plot(places, edge, "-.", color=_BEST, linewidth=0.9, label=label)
    label = f"{percent} confidence"
    ax.fill_between(places, low, high, color=_RESULT, alpha=0.35, linewidth=0, label=label)


def _of_new(fit: Fit) -> str:
    """Whose prediction it is, where rows differ: one of the typical standard deviation."""
    if not is_weighted(fit):
        return ""
    sd = 1.0 if fit.absolute_sigma else fit.residual_sd
    return f", σ = {sd / math.sqrt(fit.typical_weight):.3g}"


def _line(ax: Any, x: np.ndarray, y: np.ndarray, dashes: str, color: str, label: str) -> None:
    """A line with a rim in the color of the paper, to be seen against any gray."""
    from matplotlib.patheffects import Normal, Stroke

    rim = [Stroke(linewidth=3.6, foreground=ax.get_facecolor(), alpha=0.8), Normal()]
    ax.plot(x, y, dashes, color=color, linewidth=1.8, path_effects=rim, label=label)


def _gray(ax: Any, share: float = 1.0) -> str:
    """The color of the axes' words, black unless a style says otherwise, mixed with the paper's."""
    from matplotlib.colors import to_hex, to_rgb

    ink, paper = to_rgb(ax.xaxis.label.get_color()), to_rgb(ax.get_facecolor())
    red, green, blue = (share * i + (1 - share) * p for i, p in zip(ink, paper, strict=True))
    return to_hex((red, green, blue))


def _names(fit: Fit, ax: Any) -> None:
    x_name, y_name = (fit.rows.x_name, fit.rows.y_name) if fit.rows else ("x", "y")
    unit = f" ({fit.axis.unit}s)" if fit.axis.is_durations else ""
    since = f" (t = {fit.axis.unit}s since {fit.axis})" if fit.axis.is_dates else unit
    ax.set_xlabel(shown(x_name) + since, parse_math=False)  # a name may hold a $
    ax.set_ylabel(shown(y_name), parse_math=False)
    if fit.axis.is_dates:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(maxticks=9)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _title(fit: Fit, ax: Any, text: str) -> None:
    """What the axes show; above it, of a descent that has not arrived, that it has not."""
    if fit.outcome.is_unfinished and np.isfinite(fit.curve.weights).all():
        text = f"{fit.outcome.value}, {excess(fit)}\n{text}"
    ax.set_title(text, fontsize="medium")


def shown(name: str) -> str:
    """A name or a title as it goes into a picture: XML has no controls, paper no room for all."""
    return shortened(visible(name), _LONGEST_NAME)


def _equation(fit: Fit, ax: Any) -> str:
    """The equation in up to three lines as wide as the axes; if longer, the degree alone."""
    if not np.isfinite(fit.curve.weights).all():
        return "diverged: the weights overflowed"
    arrived = fit.outcome in (Outcome.EXACT, Outcome.CONVERGED)
    text = fit.equation("unicode", digits=4, errors=arrived)
    for sign in "+−":
        text = text.replace(f" {sign} ", f"\n{sign}~")
    text = text.replace(" ", "~").replace("\n", " ")  # a line breaks between terms only
    inches = ax.get_window_extent().width / ax.get_figure().dpi
    lines = textwrap.wrap(text, max(30, int(15 * inches)), break_on_hyphens=False)
    text = "\n".join(lines).replace("~", " ")
    return text if len(lines) <= 3 else f"polynomial of degree {fit.degree}"


def _legend(ax: Any) -> None:
    ax.legend(loc="best", fontsize="small", framealpha=0.85, edgecolor="none")


# ── what the curve leaves ────────────────────────────────────────────────────────────────────────


def residuals(fit: Fit, ax: Any, level: float) -> None:
    """y less the curve, times √weight, which makes rows alike: its standard deviation, and its mean
    in slices, not flat where the curve misses something.
    """
    assert fit.rows is not None
    seen = _draw_rows(fit, ax, fit.curve)
    assert seen is not None
    ax.axhline(0, color=_RESULT, linewidth=1.6)
    if fit.degrees_of_freedom > 0:
        sd = math.sqrt(fit.loss / fit.degrees_of_freedom)
        ax.axhline(sd, linestyle="-.", color=_BEST, linewidth=0.9, label=f"± {sd:.4g}")
        ax.axhline(-sd, linestyle="-.", color=_BEST, linewidth=0.9)
    if seen.counts.sum() >= _SLICES * _FEW:
        middles, means = seen.means(_SLICES, _FEW)
        _line(ax, _places(fit, middles), means, "-", _gray(ax), "mean of a slice")
    _mark_named(fit, ax)
    view = _with_room(seen.y, 0.1)
    ax.set_ylim(view.lo, view.hi)
    _names(fit, ax)
    ax.set_ylabel(_left(fit), parse_math=False)
    _title(fit, ax, f"residuals, R² = {fit.r2:.6g}")
    _legend(ax)


def _mark_named(fit: Fit, ax: Any) -> None:
    """A ring about each row that the diagnostics name, with its number."""
    rows = all_rows(fit)
    if rows is None or fit.history is not None or not 2 <= fit.degrees_of_freedom <= _ASKED:
        return
    if fit.outcome is not Outcome.EXACT:
        return
    found = fit.diagnostics()
    named = np.array(sorted({*found.outliers, *found.influential}), dtype=int)
    if not named.size:
        return
    x, y = _places(fit, to_host(rows.x)[named]), found.residuals[named]
    label = "named by diagnostics()"
    ax.plot(x, y, "o", fillstyle="none", markersize=11, color=_RESULT, label=label)
    for row, at, value in zip(named[:_NUMBERED], x, y, strict=False):
        ax.annotate(f"{row:,}", (at, value), (7, 7), textcoords="offset points", fontsize="small")


def _left(fit: Fit) -> str:
    """What is drawn of the residuals, in one unit for all rows."""
    assert fit.rows is not None
    left = f"{shown(fit.rows.y_name)} − fit"
    if not is_weighted(fit):
        return left
    return f"({left}) / σ" if fit.absolute_sigma else f"({left}) · √weight"


# ── how the descent went ─────────────────────────────────────────────────────────────────────────


def loss(fit: Fit, ax: Any, level: float) -> None:
    """The loss before every update, on a log axis, with its floor and what was foreseen."""
    assert fit.history is not None
    assert fit.forecast is not None
    losses = to_host(fit.history.loss)
    even = np.linspace(0, fit.history.steps, 4001).astype(np.int64)
    steps = np.union1d(even, np.arange(min(len(losses), 1000)))
    _line(ax, steps, _drawable(losses[steps]), "-", _RESULT, "loss")
    if fit.forecast.has_closed_form:
        with quiet():
            foreseen = _drawable(np.asarray(fit.forecast.loss_at(steps)))
        ax.plot(
            steps, foreseen, ":", color=_gray(ax), linewidth=1.2, label="foreseen before step 1"
        )
    if fit.lowest_loss > 0:
        ax.axhline(fit.lowest_loss, linestyle="--", color=_FLOOR, label="lowest possible")
    ax.set_yscale("log")
    arrived = np.flatnonzero(losses <= _NEAR * fit.lowest_loss)
    if arrived.size and _EARLY * arrived[0] < fit.history.steps:
        ax.set_xscale("symlog", linthresh=1)  # on an even axis its run would be one upright stroke
        ax.set_xlim(0, fit.history.steps)
    ax.set(xlabel="step", ylabel="sum of squared residuals")
    ax.set_title(f"{_optimizer(fit)}: {fit.outcome.value}", fontsize="medium")
    _legend(ax)


def modes(fit: Fit, ax: Any, level: float) -> None:
    """What each eigenmode of the Hessian still holds of the excess loss, by step: steep ones go
    first.
    """
    assert fit.history is not None
    assert fit.forecast is not None
    forecast, moving = fit.forecast, fit.forecast.moving
    end = max(fit.history.steps, 10) if forecast.scale is None else fit.history.steps
    steps = np.unique(np.geomspace(1, end, 400).astype(np.int64))
    with quiet():
        left = forecast.left(steps)[:, moving]
        shares = _drawable((left * forecast.amplitude[moving]) ** 2)
        together = _drawable(np.asarray(forecast.excess_at(steps)))
    dashes = ("-", "--", "-.", ":")
    grays = [_gray(ax, share) for share in np.linspace(1.0, 0.3, shares.shape[1])]
    for i, curvature in enumerate(forecast.curvature[moving]):
        label = f"curvature {curvature:.3g}"
        ax.plot(steps, shares[:, i], dashes[i % 4], color=grays[i], label=label)
    if forecast.held > 0:
        ax.axhline(forecast.held, linestyle=":", color=_START, label="no curvature: never moves")
    _line(ax, steps, together, "-", _RESULT, "all together")
    floor = 0.01 * fit.lowest_loss
    if floor > 0:
        ax.axhline(floor, linestyle="--", color=_FLOOR, label="1 % above the lowest loss")
        ax.set_ylim(
            bottom=min(_TINY * fit.lowest_loss, 0.1 * float(np.nanmax([*shares.flat, floor])))
        )
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel="excess loss held by a mode")
    ax.set_title(f"{_optimizer(fit)}: {len(grays)} modes", fontsize="medium")
    _legend(ax)


def _drawable(values: np.ndarray) -> np.ndarray:
    """NaN for what a log axis cannot show: nothing left, or more than a double holds."""
    return np.where((values > 0) & (values < _OVERFLOW), values, np.nan)


def _optimizer(fit: Fit) -> str:
    assert fit.forecast is not None
    optimizer = fit.forecast.optimizer
    rate = optimizer.learning_rate
    return optimizer.name if rate is None else f"{optimizer.name}, rate {rate:.4g}"


# ── which degree ─────────────────────────────────────────────────────────────────────────────────


def degrees(fit: Fit, ax: Any, level: float) -> None:
    """The residual standard deviation of every degree, and what a row leaves that was not used."""
    table = _table(fit)
    _line(ax, table.degree, _drawable(table.residual_sd), "-", _RESULT, "residual sd")
    if np.isfinite(table.loo).any():
        left_out = _drawable(table.loo)
        ax.plot(table.degree, left_out, "--", color=_BEST, label="error of rows left out")
    for degree, marker, what in ((table.pick, "o", "pick"), (table.runner_up, "s", "runner-up")):
        if degree is not None:
            label = f"{what}: degree {degree}"
            at = _drawable(table.residual_sd[degree : degree + 1])
            ax.plot(
                [degree], at, marker, color=_gray(ax), fillstyle="none", markersize=11, label=label
            )
    sd = table.residual_sd[table.residual_sd > 0]
    if sd.size and sd.max() > 5 * sd.min():
        ax.set_yscale("log")
    ax.set_xticks(table.degree)
    unit = "" if not is_weighted(fit) else ", in σ" if fit.absolute_sigma else ", of weight 1"
    ax.set(xlabel="degree", ylabel=f"residual standard deviation{unit}")
    ax.set_title(f"the pick has the lowest {table.name}", fontsize="medium")
    _legend(ax)


def _table(fit: Fit) -> Degrees:
    """Every degree up to 8 or the fit's own; each row left out in turn where they are not many."""
    rows = all_rows(fit)
    if rows is None:
        return fit.degrees()
    highest = max(_DEGREES, fit.degree)
    if fit.n <= _LEFT_OUT:
        return fit.degrees(highest)
    return degree_table(Triangle.fold(rows.x, rows.y, rows.weights, highest, rows.counts))
