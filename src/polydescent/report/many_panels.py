"""Pictures of many fits: some curves side by side, how good all are, what came out how often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from polydescent.checks import whole
from polydescent.errors import BadSetting, MissingExtra, NothingToDraw, UnknownName
from polydescent.many.fits import Fits
from polydescent.many.status import Status, counts
from polydescent.regression.fit import Fit
from polydescent.report import panels
from polydescent.report.many_text import label
from polydescent.report.panels import shown
from polydescent.rows.keys import find
from polydescent.sealed.atomic import locked, replacing

_COLOR, _MIDDLE, _EMPTY = "#0072B2", "#D55E00", "0.45"
_BINS = 40
_ACROSS = 4  # small pictures in a row
_SHOWN = 12
_MOST = 100  # small pictures that anybody looks at


def draw(fits: Fits, kind: Any, count: Any, figure: Any = None) -> Any:
    """Draw on a figure, a new one of pyplot's where none is given, and return it.

    kind: "worst", "best", "r2", "status", or the places of curves. Raises UnknownName,
    NothingToDraw, BadSetting, MissingExtra before anything is drawn.
    """
    if isinstance(kind, str) and kind not in KINDS:
        raise UnknownName("kind of picture", kind, KINDS)
    count = whole("count", count, 1, _MOST)
    places = (
        [] if kind in ("r2", "status") and isinstance(kind, str) else _places(fits, kind, count)
    )
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot", "Drawing")
    if figure is None:
        from matplotlib import pyplot

        size = (8, 4.5) if not places else _size(len(places))
        figure = pyplot.figure(figsize=size, layout="constrained")
    if not places:
        KINDS[kind](fits, figure.subplots())
        return figure
    across = min(_ACROSS, len(places))
    down = math.ceil(len(places) / across)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for ax, place in zip(grid, places, strict=False):
        _small(fits, place, ax)
    for ax in grid[len(places) :]:
        ax.set_axis_off()
    return figure


def write_panels(fits: Fits, path: str, title: str) -> None:
    """The curves with the lowest R² side by side, as a file; where none has one, how they came out.

    Raises MissingExtra, FileRefused.
    """
    from matplotlib.figure import Figure

    places = ranked(fits, True, _SHOWN)
    size = _size(len(places)) if places else (8, 4.5)
    figure = Figure(figsize=size, layout="constrained")
    draw(fits, "worst" if places else "status", _SHOWN, figure)
    figure.suptitle(shown(title), parse_math=False)
    with locked(path), replacing(path) as beside:
        figure.savefig(beside, dpi=150)


def _size(count: int) -> tuple[float, float]:
    across = min(_ACROSS, count)
    return 3.2 * across, 2.5 * math.ceil(count / across)


def ranked(fits: Fits, worst: bool, count: int) -> list[tuple[int, ...]]:
    """The places of the curves with the lowest, or highest, R²; those without one are left out."""
    r2 = np.asarray(fits._r2).ravel()
    known = np.flatnonzero(np.isfinite(r2))
    order = known[np.argsort(r2[known] if worst else -r2[known], kind="stable")]
    return [tuple(int(i) for i in np.unravel_index(at, fits.shape)) for at in order[:count]]


def _places(fits: Fits, kind: Any, count: int) -> list[tuple[int, ...]]:
    if isinstance(kind, str):
        found = ranked(fits, kind == "worst", count)
        if not found:
            raise NothingToDraw(kind, "no curve has an R²", 'Use kind="status" to see why.')
        return found
    wanted = "worst, best, r2, status, or a list of the places of curves"
    if not isinstance(kind, Sequence | np.ndarray) or not len(kind):
        raise BadSetting("kind", kind, wanted)
    if fits.keys is not None:
        return [(find(fits.keys, key),) for key in list(kind)[:_MOST]]
    places = [tuple(int(i) for i in np.atleast_1d(place)) for place in kind]
    for place in places:
        inside = len(place) == len(fits.shape) and all(
            -size <= i < size for i, size in zip(place, fits.shape, strict=True)
        )
        if not inside:
            raise BadSetting("kind", place, f"places within the shape {fits.shape}")
    return places[:_MOST]


def _small(fits: Fits, place: tuple[int, ...], ax: Any) -> None:
    """One curve with its rows and band, titled by what the user calls it."""
    status = Status(int(fits.status[place]))
    title = shown(label(fits, place))
    if np.isnan(fits.weights[place]).any():
        ax.text(0.5, 0.5, status.words, ha="center", va="center", color=_EMPTY, parse_math=False)
        ax.set_axis_off()
    else:
        one: Fit = fits.at(place)
        panels.curve(one, ax, 0.95)
        title += f": R² {float(fits._r2[place]):.3g}"
        if status not in (Status.OK, Status.CONVERGED):
            title += f", {status.words}"
        if ax.get_legend() is not None:
            ax.get_legend().remove()
        ax.set_xlabel("")
        ax.set_ylabel("")
        ax.tick_params(labelsize=7)
    ax.set_title(title, fontsize=8, parse_math=False)


def _quality(fits: Fits, ax: Any) -> None:
    """How often each R² occurs, with the middle one."""
    r2 = np.asarray(fits._r2).ravel()
    known = r2[np.isfinite(r2)]
    if not known.size:
        ax.text(0.5, 0.5, "no curve has an R²", ha="center", va="center", color=_EMPTY)
        return
    low = min(0.0, float(np.quantile(known, 0.001)))
    inside = np.clip(known, low, 1.0)
    ax.hist(inside, bins=np.linspace(low, 1.0, _BINS + 1), color=_COLOR)
    middle = float(np.median(known))
    ax.axvline(middle, color=_MIDDLE, linestyle="--", label=f"half are below {middle:.4g}")
    ax.set_xlabel("R²")
    ax.set_ylabel("curves")
    without = r2.size - known.size
    more = f", {without:,} without one" if without else ""
    ax.set_title(f"R² of {known.size:,} curves{more}", parse_math=False)
    ax.legend()


def _outcomes(fits: Fits, ax: Any) -> None:
    """How many curves came out how."""
    found = counts(fits.status)
    names = [status.words for status in found]
    bars = ax.barh(names[::-1], list(found.values())[::-1], color=_COLOR)
    ax.bar_label(bars, [f" {number:,}" for number in list(found.values())[::-1]])
    ax.margins(x=0.15)
    ax.set_xlabel("curves")
    ax.set_title(f"How {fits.status.size:,} curves came out", parse_math=False)


KINDS: dict[str, Any] = {"worst": None, "best": None, "r2": _quality, "status": _outcomes}
