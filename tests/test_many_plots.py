"""Pictures of many fits."""

import warnings

import numpy as np
import pytest

import polydescent as pd
from polydescent.errors import BadSetting, NothingToDraw, UnknownName

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def fits():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 30)
    y = rng.normal(size=(3, 5, 30)) * np.geomspace(0.01, 3, 5)[None, :, None] + x
    y[1, 2] = np.nan
    return pd.fit_many(x, y, 1, missing="omit")


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def drawn(figure):
    figure.canvas.draw()
    return titles(figure)


def test_worst_and_best(fits):
    r2 = np.sort(fits.r2[np.isfinite(fits.r2)])
    worst, best = drawn(fits.plot("worst", 5)), drawn(fits.plot("best", 5))
    assert len(worst) == len(best) == 5
    assert worst[0].endswith(f"R² {r2[0]:.3g}")
    assert best[0].endswith(f"R² {r2[-1]:.3g}")
    assert len(drawn(fits.plot())) == 12


def test_chosen_ones(fits):
    found = drawn(fits.plot([(0, 1), (1, 2), (2, 4)]))
    assert found[0].startswith("0, 1: R²")
    assert found[1] == "1, 2"
    with pytest.raises(BadSetting):
        fits.plot([(0, 9)])
    with pytest.raises(BadSetting):
        fits.plot([])
    with pytest.raises(BadSetting):
        fits.plot(3)
    with pytest.raises(BadSetting):
        fits.plot(count=0)
    with pytest.raises(UnknownName):
        fits.plot("wrost")


def test_histograms(fits):
    assert drawn(fits.plot("r2")) == ["R² of 14 curves, 1 without one"]
    figure = matplotlib.figure.Figure()
    assert fits.plot("status", figure=figure) is figure
    assert titles(figure) == ["How 15 curves came out"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["no rows", "ok"]


def test_of_summaries_and_descents(fits):
    assert len(drawn(fits.summaries.fit().plot("best", 2))) == 2
    runs = pd.descend_many(np.linspace(0, 1, 30), np.ones((2, 30)) * np.arange(30), 1, steps=3)
    assert "steps exhausted" in drawn(runs.plot())[0]


def test_nothing_to_draw():
    none = pd.fit_many(np.arange(3.0), np.full((2, 3), np.nan), 1, missing="omit")
    with pytest.raises(NothingToDraw):
        none.plot()
    drawn(none.plot("r2"))
    drawn(none.plot("status"))


def test_one_curve_explored(fits, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.explore((0, 1), tmp_path / "one.html")
    assert (tmp_path / "one.html").stat().st_size > 10_000
