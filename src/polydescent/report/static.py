"""A fit as a picture: `draw` on anybody's axes, `write_picture` into a file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.checks import level as checked_level
from polydescent.errors import BadSetting, MissingExtra, NothingToDraw, UnknownName
from polydescent.regression.fit import Fit
from polydescent.report import panels
from polydescent.report.panels import shown
from polydescent.sealed.atomic import check_folder, locked, replacing

KINDS = {
    "fit": panels.curve,
    "residuals": panels.residuals,
    "loss": panels.loss,
    "modes": panels.modes,
    "degrees": panels.degrees,
}
SUFFIXES = (".png", ".svg", ".pdf")


def draw(fit: Fit, kind: str, ax: Any = None, level: float = 0.95) -> Any:
    """Draw one kind of picture on `ax`, or on a new pyplot figure, and return the axes.

    Raises UnknownName, NothingToDraw, BadSetting, MissingExtra before anything is drawn.
    """
    _check_kind(fit, kind)
    level = checked_level(level)
    _check_matplotlib()
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(layout="constrained")[1]
    KINDS[kind](fit, ax, level)
    return ax


def check_picture(path: str) -> None:
    """Refuse a picture that could not be written, before any work is done for it.

    Raises BadSetting, NoFolder, MissingExtra.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise BadSetting("--plot", path, f"a file name ending in {' or '.join(SUFFIXES)}")
    check_folder(path)
    _check_matplotlib()


def write_picture(fit: Fit, path: str, title: str) -> None:
    """The fit beside its loss, or after exact least squares beside its residuals, as a file."""
    from matplotlib.figure import Figure

    second = "residuals" if fit.history is None else "loss"
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    for ax, kind in zip(figure.subplots(1, 2), ("fit", second), strict=True):
        draw(fit, kind, ax)
    figure.suptitle(shown(title), parse_math=False)
    with locked(path), replacing(path) as beside:
        figure.savefig(beside, dpi=150)


def _check_kind(fit: Fit, kind: str) -> None:
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnknownName("kind of picture", kind, KINDS)
    if kind in ("loss", "modes") and fit.history is None:
        raise NothingToDraw(kind, "exact least squares takes no steps", "Use descend(…) for them.")
    if kind == "modes" and fit.forecast is not None and not fit.forecast.has_closed_form:
        mixes = f"{type(fit.forecast.optimizer).__name__} mixes the modes"
        raise NothingToDraw(kind, mixes, 'Use kind="loss".')
    if kind == "residuals" and not np.isfinite(fit.curve.weights).all():
        raise NothingToDraw(kind, "the weights overflowed", 'Use kind="loss" to see it happen.')
    if kind == "residuals" and fit.rows is None:
        raise NothingToDraw(
            kind, "a bare summary holds no rows", "Fit the rows themselves: fit(x, y).plot(…)."
        )


def _check_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot", "Drawing")
