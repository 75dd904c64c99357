"""fit_many: every number of Fits is what `fit` says of that curve; troubles are statuses."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from exact import least_squares, root

import polydescent as pd
from polydescent.arrays import to_host
from polydescent.errors import (
    BadCall,
    BadSetting,
    CurvesDiffer,
    CurvesWithoutAnswer,
    DegreesDiffer,
    NeedsRows,
    NotFiniteInCurves,
    NotNumbers,
    OutsideDomain,
    OutsideDomainWarning,
    TooFewDistinct,
    TooFewRows,
    WrongShape,
)
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.polynomial.stack import powers_of_each

CURVES, POINTS = 6, 40
SCALARS = ("loss", "r2", "adjusted_r2", "residual_sd", "lowest_loss", "excess")
WHOLE = ("n", "degrees_of_freedom")


def columns(seed=0, weighted=False):
    """x, y, weights: curves of different scales, near 0 and far from it."""
    rng = np.random.default_rng(seed)
    scale = np.array([1.0, 10.0, 1e3, 1e-3, 1.0, 1e5])[:, None]
    offset = np.array([0.0, 5.0, 2000.0, 0.0, -3.0, 1.7e9])[:, None]
    x = rng.uniform(-1, 1, (CURVES, POINTS)) * scale + offset
    y = rng.normal(size=(CURVES, POINTS)) + (x - offset) / scale
    weights = 10.0 ** rng.uniform(-3, 3, (CURVES, POINTS)) if weighted else None
    return x, y, weights


def assert_same(fits, alone, tolerance=1e-12):
    """Every number of each curve, each by the scale it has."""
    for i, one in enumerate(alone):
        for name in (*SCALARS, *WHOLE):
            found, wanted = float(getattr(fits, name)[i]), float(getattr(one, name))
            assert found == pytest.approx(wanted, rel=tolerance, abs=1e-13, nan_ok=True), name
        for name in ("coef", "stderr", "covariance"):
            found, wanted = to_host(getattr(fits, name)[i]), to_host(getattr(one, name))
            k = len(wanted)
            found = found[(slice(k),) * wanted.ndim]
            size = np.sqrt(np.diagonal(to_host(one.covariance)))
            size = np.where(size, size, 1.0)
            if name == "covariance":
                np.testing.assert_allclose(
                    found / np.outer(size, size), wanted / np.outer(size, size), atol=1e-10
                )
            else:  # within its own rounding, or next to nothing of its standard error
                error = np.abs(found - wanted)
                slack = 1e-14 * np.abs(wanted).max()
                assert (error <= tolerance * (np.abs(wanted) + size) + slack).all(), name
        interval = to_host(fits.confidence_interval(0.9)[i])[: len(one.coef)]
        np.testing.assert_allclose(
            interval, to_host(one.confidence_interval(0.9)), rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("degree", [0, 1, 3, 5])
@pytest.mark.parametrize("how", ["plain", "weights", "sigma", "absolute", "counts", "both"])
def test_each_curve_is_what_fit_says(degree, how):
    x, y, weights = columns(weighted=True)
    counts = np.random.default_rng(1).integers(0, 5, x.shape)
    options: dict[str, Any] = {
        "plain": {},
        "weights": {"weights": weights},
        "sigma": {"sigma": weights**-0.5},
        "absolute": {"sigma": weights**-0.5, "absolute_sigma": True},
        "counts": {"counts": counts},
        "both": {"weights": weights, "counts": counts},
    }[how]
    fits = pd.fit_many(x, y, degree, **options)
    own: list[dict[str, Any]] = [
        {name: v if v is True else v[i] for name, v in options.items()} for i in range(CURVES)
    ]
    assert_same(fits, [pd.fit(x[i], y[i], degree, **own[i]) for i in range(CURVES)])
    assert_same(fits, [fits[i] for i in range(CURVES)])
    assert all(fits[i].is_refined for i in range(CURVES))
    assert fits.ok.all()
    assert fits.coef.shape == fits.stderr.shape == (CURVES, degree + 1)
    assert fits.covariance.shape == (CURVES, degree + 1, degree + 1)


@pytest.mark.parametrize(
    "asked",
    [
        {"fix": {0: 0.0}},
        {"fix": {0: np.arange(CURVES) / 7}},
        {"terms": [1, 3]},
        {"terms": [2]},
        {"through": (0.25, 2.0)},
        {"through": [(0.25, 2.0), (1, 3)]},
        {"fix": {2: 0.1}, "through": (0.05, 1.0)},
        {"through": (np.linspace(0.1, 1, CURVES), np.arange(CURVES)), "degree": 2},
        {"degree": "auto"},
        {"degree": "auto:4", "criterion": "bic"},
        {"degree": "auto:2", "criterion": "aic"},
    ],
    ids=str,
)
def test_what_is_known_and_what_is_chosen(asked):
    x, y, weights = columns(weighted=True)
    near = [0, 1, 3, 4]  # far from 0, what is held makes powers of x cancel: see the next test
    x[1] -= 5
    fits = pd.fit_many(x, y, weights=weights, **asked)
    fits[2].equation()
    for i in near:
        own: dict[str, Any] = {
            "fix": {p: np.ravel(v)[i % np.size(v)] for p, v in asked.get("fix", {}).items()} or None
        }
        if "through" in asked:
            pair = asked["through"]
            own["through"] = (
                tuple(v[i] for v in pair) if np.ndim(pair) == 2 and len(pair[0]) == CURVES else pair
            )
        one = pd.fit(x[i], y[i], weights=weights[i], **(asked | own))
        assert_same(fits[i : i + 1], [one], 1e-10)
        assert fits.degrees[i] == one.degree
        assert not fits.coef[i, one.degree + 1 :].any()
        assert not fits.stderr[i, one.degree + 1 :].any()


def test_what_is_held_far_from_zero_holds_all_the_same():
    x, y, _ = columns()
    fits = pd.fit_many(x, y, 3, through=(x[:, 0], y[:, 0]))
    at = fits(x[:, :1], outside="ignore")[:, 0]
    np.testing.assert_allclose(at, y[:, 0], atol=1e-9 * np.abs(y).max())
    assert (pd.fit_many(x, y, 3, fix={0: 1.5}).coef[:, 0] == 1.5).all()


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_other_libraries(library):
    xp = pytest.importorskip(library)
    x, y, weights = columns(weighted=True)
    wanted = pd.fit_many(x, y, weights=weights)
    fits = pd.fit_many(*(xp.asarray(c) for c in (x, y)), weights=xp.asarray(weights))
    for name in ("coef", "stderr", "covariance", "r2", "loss", "residual_sd", "adjusted_r2"):
        found = getattr(fits, name)
        assert type(found) is type(xp.asarray(y))
        assert found.dtype == xp.float64
        size = np.abs(getattr(wanted, name)).max()
        np.testing.assert_allclose(to_host(found), getattr(wanted, name), atol=1e-9 * size)
    assert type(fits.n) is type(xp.asarray(y))
    assert "int64" in str(fits.n.dtype)
    at = xp.asarray(x[:, :3])
    np.testing.assert_allclose(to_host(fits(at)), wanted(x[:, :3]), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float16", ">f8", "int32", "bool"])
def test_dtypes(dtype):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-3, 3, (2, CURVES, POINTS))
    x, y = x.round(2).astype("float16" if dtype == "float16" else "float32"), y.astype(dtype)
    fits = pd.fit_many(x, y, 2)
    assert fits.coef.dtype == np.float64
    wanted = pd.fit_many(x.astype(float), y.astype(float), 2)
    np.testing.assert_allclose(fits.coef, wanted.coef, rtol=1e-12)


def test_axis_shape_and_sharing():
    x, y, weights = columns(weighted=True)
    wanted = pd.fit_many(x, y, weights=weights)
    grid = [c.reshape(2, 3, POINTS) for c in (x, y, weights)]
    fits = pd.fit_many(grid[0], grid[1], weights=grid[2])
    assert fits.shape == (2, 3)
    assert np.array_equal(fits.coef.reshape(CURVES, -1), wanted.coef)
    turned = [np.moveaxis(c, -1, 0) for c in grid]
    fits = pd.fit_many(turned[0], turned[1], weights=turned[2], axis=0)
    np.testing.assert_allclose(fits.coef.reshape(CURVES, -1), wanted.coef, rtol=1e-9)
    assert fits[1, 2].equation() == wanted[5].equation()
    shared = pd.fit_many(x[0], y, sigma=2.0)
    own = pd.fit_many(np.tile(x[0], (CURVES, 1)), y, sigma=np.full(POINTS, 2.0))
    np.testing.assert_allclose(shared.coef, own.coef, rtol=1e-11)
    column = pd.fit_many(x, y, weights=np.arange(1.0, 7.0)[:, None])
    np.testing.assert_allclose(column.coef, pd.fit_many(x, y).coef, rtol=1e-9)
    square = np.random.default_rng(0).normal(size=(9, 9))
    by_row = pd.fit_many(np.arange(9), square, 1).coef
    assert np.allclose(by_row[3], pd.fit(np.arange(9), square[3], 1).coef)
    one = pd.fit_many(x[0], y[0])
    assert one.shape == ()
    np.testing.assert_allclose(one.coef, wanted_plain(x[0], y[0]), rtol=1e-12)
    falling = pd.fit_many(x[:, ::-1], y[:, ::-1], weights=weights[:, ::-1])
    np.testing.assert_allclose(falling.coef, wanted.coef, rtol=1e-6)


def wanted_plain(x, y):
    return pd.fit(x, y, 3).coef


def test_dates_durations_and_large_whole_numbers():
    dates = np.datetime64("2024-03-01") + np.arange(60)
    y = np.random.default_rng(3).normal(size=(4, 60))
    for x in (dates, np.tile(dates, (4, 1)), dates - dates[0], np.arange(60) + 10**18):
        fits = pd.fit_many(x, y, 2)
        one = pd.fit(x if x.ndim == 1 else x[0], y[1], 2)
        np.testing.assert_allclose(fits.coef[1], one.coef, rtol=1e-9)
        assert (fits.domain.lo[1], fits.domain.hi[1]) == (one.domain.lo, one.domain.hi)
        at = x[..., 3:5]
        np.testing.assert_allclose(fits(at)[1], one(at if x.ndim == 1 else at[1]), rtol=1e-9)
        assert fits[1].equation() == one.equation()
    hourly = pd.fit_many(dates, y, 1, per="hour")
    np.testing.assert_allclose(hourly.coef[:, 1] * 24, pd.fit_many(dates, y, 1).coef[:, 1])
    with pytest.raises(BadSetting, match="per"):
        pd.fit_many(np.arange(60), y, 1, per="hour")


# ── troubles ──


def troubled():
    x, y, _ = columns()
    x, y = x.copy(), y.copy()
    y[1], y[2, 2:], x[3] = np.nan, np.nan, 7.0
    y[4] *= 1e200
    y[5, 7] = np.inf
    return x, y


def test_statuses_and_one_warning():
    x, y = troubled()
    with pytest.warns(CurvesWithoutAnswer, match="4 of 6 curves have no answer") as seen:
        fits = pd.fit_many(x, y, missing="omit")
    assert len(seen) == 1
    assert seen[0].filename == __file__
    names = ["OK", "NO_ROWS", "TOO_FEW_ROWS", "TOO_FEW_DISTINCT", "OUT_OF_RANGE", "OK"]
    assert [pd.Status(s).name for s in fits.status] == names
    assert list(fits.ok) == [True, False, False, False, False, True]
    for name in (*SCALARS, "coef", "stderr", "covariance"):
        found = getattr(fits, name).reshape(CURVES, -1)
        assert np.isnan(found[1:5]).all()
        assert np.isfinite(found[[0, 5]]).all()
    assert list(fits.n) == [40, 0, 2, 40, 40, 39]
    assert list(fits.omitted) == [0, 40, 38, 0, 0, 1]
    assert np.isnan(fits.domain.lo[1])
    assert fits.explain(1).startswith("No rows to fit")
    assert "needs at least as many rows, found 2" in fits.explain(2)
    assert "hold only 1 distinct x" in fits.explain(3)
    assert "does not fit double precision" in fits.explain(4)
    assert fits.explain(0).startswith("Exact least squares")
    with pytest.raises(TooFewRows):
        fits[2]
    with pytest.raises(TooFewDistinct):
        fits[3]
    wanted = pd.fit(x[0], y[0])
    np.testing.assert_allclose(fits.coef[0], wanted.coef, rtol=1e-12)
    assert np.isnan(fits(x[0, :2], outside="ignore")[1]).all()


def test_values_that_are_missing():
    x, y = troubled()
    with pytest.raises(NotFiniteInCurves, match="in curve 1 at point 0") as refused:
        pd.fit_many(x, y)
    assert (refused.value.curves, refused.value.curve, refused.value.point) == (3, (1,), 0)
    with pytest.warns(CurvesWithoutAnswer):
        marked = pd.fit_many(x, y, missing="mark")
    assert list(np.flatnonzero(marked.status == pd.Status.NOT_FINITE)) == [1, 2, 5]
    x, y, weights = columns(weighted=True)
    weights[0, 3], y[0, 3] = 0.0, np.nan  # what does not count may be anything
    assert pd.fit_many(x, y, weights=weights).ok.all()
    masked = np.ma.masked_array(y, np.isnan(y))
    masked[2, 5] = np.ma.masked
    fits = pd.fit_many(x, masked, missing="omit")
    assert list(fits.omitted) == [1, 0, 1, 0, 0, 0]
    keep = np.arange(POINTS) != 5
    one = pd.fit(x[2][keep], y[2][keep])
    np.testing.assert_allclose(fits.coef[2], one.coef, rtol=1e-9)


def test_noise_free_and_constant():
    x = np.linspace(0, 1, 20)
    fits = pd.fit_many(x, np.stack([1 + 2 * x, 0 * x + 5, 0 * x]), 1)
    assert fits.ok.all()
    np.testing.assert_allclose(fits.coef, [[1, 2], [5, 0], [0, 0]], atol=1e-14)
    assert fits.r2[0] == 1
    assert np.isnan(fits.r2[2])
    exactly = pd.fit_many(x[:2], np.ones((3, 2)), 1)  # as many rows as coefficients
    assert np.isnan(exactly.residual_sd).all()
    assert np.isnan(exactly.stderr).all()
    assert np.isnan(exactly.adjusted_r2).all()


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 3, 4)])
def test_nothing(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = pd.fit_many(np.zeros(shape), np.zeros(shape), 1)
    assert fits.coef.shape == (*shape[:-1], 2)
    assert fits.shape == shape[:-1]
    assert str(fits)
    assert fits._repr_html_()


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12, 1e30])
def test_scales(scale):
    x, y, weights = columns(weighted=True)
    wanted = pd.fit_many(x, y, 2, weights=weights)
    for fits, power in (
        (pd.fit_many(x, y * scale, 2, weights=weights), np.zeros(3)),
        (pd.fit_many(x, y, 2, weights=weights * scale), None),
        (pd.fit_many(x * scale, y, 2, weights=weights), np.arange(3)),
    ):
        assert fits.ok.all()
        np.testing.assert_allclose(fits.r2, wanted.r2, rtol=1e-9)
        factor = 1.0 if power is None else (scale if not power.any() else scale ** (-1.0 * power))
        size = np.abs(wanted.coef) + wanted.stderr
        error = np.abs(fits.coef / factor - wanted.coef)
        assert (error <= 1e-9 * size).all()


# ── digits ──


@pytest.mark.parametrize("degree", [1, 3, 8])
@pytest.mark.parametrize("place", ["unit", "years", "1e9", "epoch"])
def test_digits(degree, place):
    """Of the curve at its points, standard errors and loss, against exact arithmetic."""
    rng = np.random.default_rng(7)
    lo, width = {"unit": (0, 1), "years": (1950, 70), "1e9": (1e9, 1e3), "epoch": (1.7e9, 86400)}[
        place
    ]
    x = lo + width * rng.uniform(0, 1, (12, 50))
    y = rng.normal(size=(12, 50)) + np.cos(3 * (x - lo) / width)
    weights = 10.0 ** rng.uniform(-2, 2, (12, 50))
    fits = pd.fit_many(x, y, degree, weights=weights)
    for i in range(0, 12, 4):
        domain = Domain(float(x[i].min()), float(x[i].max()))
        u = [_unit(v, domain) for v in x[i]]
        exact = least_squares(u, y[i], degree, weights[i])
        curve = [float(sum(c * v**j for j, c in enumerate(exact.coef))) for v in u]
        found = fits[i : i + 1](x[i])[0]
        assert np.abs(found - curve).max() <= 10**-14.5 * np.abs(y[i]).max() * (1 + degree)
        assert fits.loss[i] == pytest.approx(float(exact.rss), rel=1e-12)
        se = [root(exact.inverse[j][j] * exact.rss / (50 - degree - 1)) for j in range(degree + 1)]
        own = fits.stderr[i, degree] * domain.half_width**degree
        assert own == pytest.approx(se[degree], rel=1e-11)


def _unit(value, domain):
    from fractions import Fraction

    return (Fraction(value) - Fraction(domain.mid)) / Fraction(domain.half_width)


@pytest.mark.parametrize("k", [1, 2, 4, 9, 25])
@pytest.mark.parametrize("origin", [0, 10**18 + 7])
def test_powers_are_those_of_each_curve(k, origin):
    rng = np.random.default_rng(k)
    lo = rng.normal(size=30) * 10.0 ** rng.uniform(-40, 9, 30)
    hi = lo + 10.0 ** rng.uniform(-2, 6, 30)
    weights = rng.normal(size=(30, k)) * 10.0 ** rng.uniform(-30, 30, (30, 1))
    weights[3] = np.nan
    found = powers_of_each(weights, Domain(lo, hi), origin)
    for i in range(30):
        one = Polynomial(CHEBYSHEV, Domain(lo[i], hi[i]), weights[i])
        wanted = one.powers(origin)
        np.testing.assert_allclose(found[i], wanted, rtol=1e-15)


# ── what can be done with them ──


def test_some_of_them():
    x, y, _ = columns()
    fits = pd.fit_many(x.reshape(2, 3, POINTS), y.reshape(2, 3, POINTS))
    for place in (
        1,
        slice(1),
        np.array([[True, False, True], [False, True, False]]),
        (0, slice(2)),
    ):
        some = fits[place]
        assert isinstance(some, pd.Fits)
        assert np.array_equal(some.coef, fits.coef[place])
        assert np.array_equal(some.stderr, fits.stderr[place])
        assert np.array_equal(some.n, fits.n[place])
    one = fits[1, 1]
    assert isinstance(one, pd.Fit)
    assert len(fits) == 2
    assert fits[0][2].equation() == fits[0, 2].equation()
    assert one.confidence_band(x[4, :3])[0].shape == (3,)


def test_values():
    x, y, _ = columns()
    fits = pd.fit_many(x, y)
    each = np.stack([fits[i](x[i, :4]) for i in range(CURVES)])
    np.testing.assert_allclose(fits(x[:, :4]), each, rtol=1e-12)
    with pytest.warns(OutsideDomainWarning, match="For 4 of 6 curves"):
        values = fits(0.5)
    assert values.shape == (CURVES,)
    with pytest.raises(OutsideDomain):
        fits(x[0], outside="raise")
    with pytest.raises(BadSetting):
        fits(x[0], outside="no")
    np.testing.assert_allclose(
        fits(x[0], outside="ignore")[4], fits[4](x[0], outside="ignore"), rtol=1e-9
    )


def test_adding_and_lowering():
    x, y, weights = columns(weighted=True)
    whole = pd.summarize_many(x, y, 5, weights=weights)
    halves = [
        pd.summarize_many(x[:, s], y[:, s], 5, weights=weights[:, s])
        for s in (slice(0, 17), slice(17, None))
    ]
    total = halves[0] + halves[1]
    assert list(total.n) == list(whole.n)
    for degree in (1, 3, 5):
        wanted, found = whole.fit(degree), total.fit(degree)
        np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-11)
        at = x[:, :5]
        np.testing.assert_allclose(found(at), wanted(at), rtol=1e-9, atol=1e-10)
    assert total.lower(2).degree == 2
    assert whole[2].n == POINTS
    assert np.allclose(whole[2].fit(1).coef, whole.fit(1).coef[2])
    assert whole[1:3].triangle.shape == (2,)
    with pytest.raises(DegreesDiffer):
        whole + halves[0].lower(2)
    with pytest.raises(NeedsRows):
        whole.fit("auto", criterion="loo")
    held = whole.fit(2, fix={0: 1.0})
    assert (held.coef[:, 0] == 1).all()
    lacking = pd.summarize_many(x[:, :2], y[:, :2], 5)
    assert (lacking.status == pd.Status.TOO_FEW_ROWS).all()
    assert "found 2" in lacking.explain(0)


def test_pickles_leave_the_rows_behind():
    x, y, _ = columns()
    fits = pd.fit_many(x, y)
    again = pickle.loads(pickle.dumps(fits))
    assert again.curves is None
    assert np.array_equal(again.coef, fits.coef)
    assert not again[0].is_refined


def test_words():
    x, y = troubled()
    with pytest.warns(CurvesWithoutAnswer):
        fits = pd.fit_many(x, y, missing="omit")
    assert repr(fits).startswith("<Fits of 6 curves, degree 3: 2 ok, 1 no rows, ")
    text = str(fits)
    assert "R²" in text
    assert "too few distinct" in text
    assert "<table>" in fits._repr_html_()
    assert repr(fits.summaries).startswith("<Summaries of 6 curves")


# ── what is refused ──


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x, y: pd.fit_many(x), BadCall),
        (lambda x, y: pd.fit_many(y=y), BadCall),
        (lambda x, y: pd.fit_many(x, y, x=x), BadCall),
        (lambda x, y: pd.fit_many(x[:, :5], y), CurvesDiffer),
        (lambda x, y: pd.fit_many(x[0, :5], y), CurvesDiffer),
        (lambda x, y: pd.fit_many(x, y[:3]), CurvesDiffer),
        (lambda x, y: pd.fit_many(x, 3.0), CurvesDiffer),
        (lambda x, y: pd.fit_many(x, y, weights=-y), BadSetting),
        (lambda x, y: pd.fit_many(x, y, sigma=0 * y), BadSetting),
        (lambda x, y: pd.fit_many(x, y, sigma=1, weights=x), BadCall),
        (lambda x, y: pd.fit_many(x, y, absolute_sigma=True), BadCall),
        (lambda x, y: pd.fit_many(x, y, counts=x + 0.5), BadSetting),
        (lambda x, y: pd.fit_many(x, y, axis=2), BadSetting),
        (lambda x, y: pd.fit_many(x, y, missing="no"), BadSetting),
        (lambda x, y: pd.fit_many(x, [["a"] * POINTS] * CURVES), NotNumbers),
        (lambda x, y: pd.fit_many(x, [[1, 2], [3]]), NotNumbers),
        (lambda x, y: pd.fit_many(x, y * 1j), NotNumbers),
        (lambda x, y: pd.fit_many(x, y, fix={0: np.ones(3)}), BadSetting),
        (lambda x, y: pd.fit_many(x, y, fix={0: np.full(CURVES, np.nan)}), BadSetting),
        (lambda x, y: pd.fit_many(x, y, fix=3), BadSetting),
        (lambda x, y: pd.fit_many(x, y, through=3), BadSetting),
        (lambda x, y: pd.fit_many(x, y, terms="x"), BadSetting),
        (lambda x, y: pd.fit_many(x, y, "auto", fix={0: 0}), BadCall),
        (lambda x, y: pd.fit_many(x, y, "auto", criterion="cv"), NeedsRows),
        (lambda x, y: pd.fit(x, y), WrongShape),
    ],
)
def test_refusals(call, error):
    x, y, _ = columns()
    with pytest.raises(error):
        call(x, y)


def test_a_shape_of_one_curve_names_the_verb_for_many():
    with pytest.raises(WrongShape, match="fit_many fits one curve per row"):
        pd.fit(np.ones((3, 4)), np.ones((3, 4)))
