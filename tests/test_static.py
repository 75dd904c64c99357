"""Pictures show this fit's own numbers, on anybody's axes, and refuse before they draw."""

import sys
from typing import Any

import numpy as np
import pytest

import polydescent as pd
from polydescent.errors import BadSetting, MissingExtra, NoFolder, NothingToDraw, UnknownName
from polydescent.report.static import KINDS, check_picture, write_picture

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")
pytestmark = pytest.mark.filterwarnings("error", "ignore::polydescent.errors.ConvergenceWarning")


def data(n=300):
    x = np.random.default_rng(5).uniform(-3, 3, n)
    return x, np.sin(x) + 0.1 * np.random.default_rng(6).standard_normal(n)


@pytest.fixture
def ax():
    """Axes that pyplot does not know of."""
    figure = matplotlib.figure.Figure()
    yield figure.subplots()
    figure.savefig("/dev/null", format="png", dpi=40)  # what was drawn can be rendered
    assert not pyplot.get_fignums()


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label):
    (found,) = (drawn for drawn in ax.get_lines() if drawn.get_label() == label)
    return found.get_xdata(), found.get_ydata()


RUN = {"steps": 400, "basis": "chebyshev", "start": "zeros"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_on_the_axes_given(ax, kind):
    assert pd.descend(*data(), **RUN).plot(kind, ax=ax) is ax
    assert ax.has_data()
    assert ax.get_title()
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_without_axes_there_is_a_new_figure():
    ax = pd.fit(*data()).plot()
    assert pyplot.get_fignums() == [ax.get_figure().number]
    pyplot.close("all")


# ── what is shown is what is ──


def test_curve_and_bands_are_those_of_the_fit(ax):
    fit = pd.fit(*data(), 3)
    fit.plot(ax=ax, level=0.9)
    x, y = line(ax, "fit")
    np.testing.assert_allclose(y, fit(x))
    assert (x[0], x[-1]) == (fit.domain.lo, fit.domain.hi)
    np.testing.assert_allclose(line(ax, "90 % prediction")[1], fit.prediction_band(x, 0.9)[0])
    low, high = fit.confidence_band(x, 0.9)
    band = ax.collections[-1].get_paths()[0].get_extents()
    np.testing.assert_allclose([band.y0, band.y1], [low.min(), high.max()])
    assert labels(ax) == ["300 rows", "90 % prediction", "90 % confidence", "fit"]
    assert ax.get_title().replace("\n", " ") == fit.equation("unicode", errors=True)


def test_a_descent_that_has_not_arrived_shows_where_it_should(ax):
    x, y = data()
    run = pd.descend(x, y, 3, steps=3, start=[1.0, 0, 0, 0])
    run.plot(ax=ax)
    np.testing.assert_allclose(line(ax, "start")[1], 1)
    where, best = line(ax, "least squares")
    np.testing.assert_allclose(best, pd.fit(x, y, 3)(where))
    assert not any("%" in label for label in labels(ax))
    assert ax.get_ylim()[1] < y.max() + np.ptp(y)


@pytest.mark.parametrize("rows", [True, False])
def test_a_far_off_result_is_marked_and_leaves_the_data_in_view(ax, rows):
    t = np.arange(1990, 2021.0)
    y = 5 + np.sin(t)
    run = pd.descend(t, y, 1) if rows else pd.summarize(t, y, 1).descend()
    run.plot(ax=ax)
    low, high = ax.get_ylim()
    assert high - low < 3 * np.ptp(y)
    assert not rows or (low < y.min() and y.max() < high)
    assert "steps exhausted, loss " in ax.get_title()
    assert "times the lowest" in ax.get_title()
    assert "after 2,000 steps, out of view" in labels(ax)
    assert "fit" not in labels(ax)


def test_what_never_moves_is_drawn(ax):
    x = 1.7e9 + np.arange(100.0)
    run = pd.descend(x, x - 1.7e9 + np.sin(x), 1, start="zeros")
    run.plot("modes", ax=ax)
    np.testing.assert_allclose(line(ax, "no curvature: never moves")[1], run.forecast.held)


def test_residuals(ax):
    x, y = data()
    fit = pd.fit(x, y, 2)
    fit.plot("residuals", ax=ax)
    np.testing.assert_allclose(line(ax, "300 rows")[1], y - fit(x))
    assert f"± {fit.residual_sd:.4g}" in labels(ax)


def noisy(sigma, n=60, **settings):
    x = np.linspace(0, 4, n)
    sigma = sigma * (1 + x)
    y = 3 - x + np.random.default_rng(1).normal(0, sigma)
    return pd.fit(x, y, 1, sigma=sigma, **settings), x, y, sigma


@pytest.mark.parametrize("scale", [1e-2, 1e3])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_typical_sigma_is_in_the_band_and_in_the_legend(ax, absolute, scale):
    fit, _, _, sigma = noisy(scale, absolute_sigma=absolute)
    fit.plot(ax=ax)
    typical = np.exp(np.log(sigma).mean()) * (1 if absolute else fit.residual_sd)
    at, low = line(ax, f"95 % prediction, σ = {typical:.3g}")
    low_width, high_width = (fit(at) - low).min(), (fit(at) - low).max()
    assert 1.95 * typical < low_width < high_width < 2.3 * typical


def test_known_sigmas_are_error_bars(ax):
    fit, _, y, sigma = noisy(0.1, absolute_sigma=True)
    fit.plot(ax=ax)
    (bars,) = ax.containers
    ends = np.array([path.vertices[:, 1] for path in bars[2][0].get_paths()])
    np.testing.assert_allclose(ends, np.stack([y - sigma, y + sigma], axis=1))
    assert "± σ" in labels(ax)


def test_sigmas_known_up_to_a_factor_are_not(ax):
    noisy(0.1)[0].plot(ax=ax)
    assert not ax.containers


@pytest.mark.parametrize(
    ("absolute", "name"), [(True, "(y − fit) / σ"), (False, "(y − fit) · √weight")]
)
def test_weighted_residuals_are_of_one_unit(ax, absolute, name):
    fit, x, y, sigma = noisy(0.01, absolute_sigma=absolute)
    fit.plot("residuals", ax=ax)
    np.testing.assert_allclose(line(ax, "60 rows")[1], (y - fit(x)) / sigma, rtol=1e-9, atol=1e-12)
    assert f"± {fit.residual_sd:.4g}" in labels(ax)
    assert ax.get_ylabel() == name


@pytest.mark.parametrize(("absolute", "unit"), [(True, ", in σ"), (False, ", of weight 1")])
def test_degrees_of_weighted_rows_are_of_one_unit(ax, absolute, unit):
    fit, *_ = noisy(0.01, absolute_sigma=absolute)
    fit.plot("degrees", ax=ax)
    assert ax.get_ylabel() == f"residual standard deviation{unit}"
    _, sd = line(ax, "residual sd")
    _, left_out = line(ax, "error of rows left out")
    np.testing.assert_allclose(left_out[1:4], sd[1:4], rtol=0.2)


def test_the_loss_is_the_one_foreseen(ax):
    run = pd.descend(*data(), **RUN)
    run.plot("loss", ax=ax)
    steps, loss = line(ax, "loss")
    np.testing.assert_array_equal(loss, run.history.loss[steps])
    np.testing.assert_allclose(line(ax, "foreseen before step 1")[1], loss, rtol=1e-9)
    assert line(ax, "lowest possible")[1][0] == run.lowest_loss
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(("steps", "scale"), [(30, "linear"), (3000, "symlog")])
def test_an_early_arrival_is_not_squeezed_to_a_stroke(ax, steps, scale):
    pd.descend(*data(), **(RUN | {"steps": steps})).plot("loss", ax=ax)
    assert ax.get_xscale() == scale
    assert ax.get_xlim()[1] >= steps


def test_modes_hold_all_of_the_excess(ax):
    run = pd.descend(*data(), 3, steps=100, optimizer=pd.GradientDescent())
    run.plot("modes", ax=ax)
    modes = [drawn for drawn in ax.get_lines() if drawn.get_label().startswith("curvature")]
    steps, together = line(ax, "all together")
    assert len(modes) == 4
    held = np.nansum([mode.get_ydata() for mode in modes], axis=0)
    np.testing.assert_allclose(held, together)
    np.testing.assert_allclose(
        together[:20], run.history.loss[steps[:20]] - run.lowest_loss, rtol=1e-8
    )


def test_degrees_are_compared_beyond_the_own_one(ax):
    fit = pd.fit(*data(), 2)
    fit.plot("degrees", ax=ax)
    degree, sd = line(ax, "residual sd")
    table = fit.degrees(8)
    np.testing.assert_array_equal(degree, np.arange(9))
    np.testing.assert_allclose(sd, table.residual_sd)
    assert f"pick: degree {table.pick}" in labels(ax)


def test_degrees_of_many_rows_take_no_seconds(ax):
    pd.fit(*data(400_000), 2).plot("degrees", ax=ax)
    np.testing.assert_array_equal(line(ax, "residual sd")[0], np.arange(9))
    assert "error of rows left out" not in labels(ax)


# ── many rows, few rows, other rows ──


@pytest.mark.parametrize("kind", ["fit", "residuals"])
def test_many_rows_are_a_density_of_all_of_them(ax, kind, tmp_path):
    x, y = data(200_000)
    y[0] = 1e6
    pd.fit(x, y, 3).plot(kind, ax=ax)
    (mesh,) = (c for c in ax.collections if type(c).__name__ == "QuadMesh")
    assert mesh.get_array().sum() == 199_999
    assert "200,000 rows, 1 out of sight" in labels(ax)
    assert ax.get_ylim()[1] < 100
    ax.get_figure().savefig(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 400_000


def test_rows_that_were_streamed_say_that_they_are_a_selection(ax):
    x, y = data(3000)
    chunks = ((x, y) for _ in range(400))
    fit = pd.fit(chunks, degree=3)
    fit.plot(ax=ax)
    assert fit.n == 1_200_000
    assert labels(ax)[0].endswith(" of 1,200,000 rows")


def test_a_bare_summary_has_a_curve_and_bands_but_no_rows(ax):
    pd.summarize(*data()).fit(3).plot(ax=ax)
    assert labels(ax) == ["95 % prediction", "95 % confidence", "fit"]


@pytest.mark.parametrize("kind", ["fit", "residuals", "degrees"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_as_few_rows_as_there_can_be(ax, kind, n):
    pd.fit([1.0, 2.0, 4.0][:n], [3.0, 1.0, 2.0][:n], n - 1).plot(kind, ax=ax)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_y(ax, kind, value):
    pd.descend(np.arange(9.0), np.full(9, value), 2, steps=20, basis="legendre").plot(kind, ax=ax)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_exploded(ax, kind):
    settings = {"optimizer": pd.GradientDescent(1.0), "allow_divergence": True, "steps": 500}
    run = pd.descend(*data(), 3, **settings)
    assert not np.isfinite(run.loss)
    if kind == "residuals":
        with pytest.raises(NothingToDraw, match="overflowed"):
            run.plot(kind, ax=ax)
    else:
        run.plot(kind, ax=ax)


@pytest.mark.parametrize("kind", ["fit", "residuals"])
@pytest.mark.parametrize("n", [90, 5000])
def test_dates_are_dates_on_the_axis(ax, kind, n):
    days = np.datetime64("2024-02-01") + np.arange(n)
    pd.fit(days, np.sqrt(np.arange(n)), 2).plot(kind, ax=ax)
    low, high = matplotlib.dates.num2date(ax.get_xlim())
    assert low.year in (2023, 2024)
    assert abs((high.date() - days[-1].astype(object)).days) < 0.1 * n
    assert "days since 2024-02-01" in ax.get_xlabel()


def test_tensors(ax):
    torch = pytest.importorskip("torch")
    x, y = (torch.asarray(column, dtype=torch.float32) for column in data())
    for kind in KINDS:
        pd.descend(x, y, 3, over="rows", steps=20).plot(kind, ax=ax)


@pytest.mark.parametrize("kind", ["fit", "residuals"])
def test_names_are_text_whatever_they_hold(ax, kind):
    table = {"$\\frac{$": [1.0, 2, 3, 5], "<a> & _b^": [2.0, 1, 4, 3]}
    polars = pytest.importorskip("polars")
    names: dict[str, Any] = dict(zip("xy", (f'"{name}"' for name in table), strict=True))
    pd.fit(polars.DataFrame(table), degree=1, **names).plot(kind, ax=ax)
    assert "frac" in ax.get_xlabel()


def test_axes_of_a_subfigure():
    figure = matplotlib.figure.Figure()
    for part in figure.subfigures(1, 2):
        pd.fit(*data()).plot(ax=part.subplots())
    figure.savefig("/dev/null", format="png")


def test_a_long_equation_gives_way_to_the_degree(ax):
    pd.fit(*data(), 15).plot(ax=ax)
    assert ax.get_title() == "polynomial of degree 15"


# ── what is refused ──


@pytest.mark.parametrize(
    ("make", "kind", "error", "says"),
    [
        (pd.fit, "curve", UnknownName, "There are: fit, residuals, loss, modes, degrees"),
        (pd.fit, "loss", NothingToDraw, "takes no steps"),
        (pd.fit, "modes", NothingToDraw, "descend"),
        (lambda *a: pd.descend(*a, optimizer=pd.Adam()), "modes", NothingToDraw, 'kind="loss"'),
        (lambda *a: pd.summarize(*a).fit(2), "residuals", NothingToDraw, "holds no rows"),
    ],
)
def test_what_there_is_not_is_refused_before_drawing(make, kind, error, says):
    with pytest.raises(error, match=says):
        make(*data()).plot(kind)
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("level", [0, 1, -1, 95, float("nan")])
def test_a_level_that_is_none(level):
    with pytest.raises(BadSetting, match="between 0 and 1"):
        pd.fit(*data()).plot(level=level)
    assert not pyplot.get_fignums()


def test_without_matplotlib_the_install_line_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for ask in (pd.fit(*data()).plot, lambda: check_picture("a.png")):
        with pytest.raises(MissingExtra, match=r'pip install "polydescent\[plot\]"'):
            ask()


@pytest.mark.parametrize(
    ("name", "error"),
    [("a.gif", BadSetting), ("png", BadSetting), ("gone/a.png", NoFolder), ("here.png", NoFolder)],
)
def test_a_path_that_cannot_be_written(tmp_path, name, error):
    (tmp_path / "here.png").mkdir()
    with pytest.raises(error):
        check_picture(str(tmp_path / name))


# ── files ──


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "PNG"])
@pytest.mark.parametrize("make", [pd.fit, pd.descend])
def test_a_picture_in_a_file(tmp_path, make, suffix):
    path = tmp_path / f"a.{suffix}"
    write_picture(make(*data()), str(path), "$ of <x> & 100 %")
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix.lower()]
    assert path.read_bytes().startswith(starts)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert not pyplot.get_fignums()


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def half(self, name, **_):
        name.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", half)
    with pytest.raises(OSError, match="No space"):
        write_picture(pd.fit(*data()), str(path), "")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
