"""Errors where the noise is uneven, or goes on from row to row: those of statsmodels."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import json
import math
from functools import partial

import numpy as np
import pytest
from cases import backends

import polydescent as pd
from polydescent import HAC, errors, fit
from polydescent.arrays import to_host
from polydescent.least_squares.sandwich import Frame, meat, meat_in_order, variance_of
from polydescent.regression import request
from polydescent.rows.chunks import Selection
from polydescent.rows.rows import Rows

KINDS = ("HC0", "HC1", "HC2", "HC3")
kinds = pytest.mark.parametrize("kind", KINDS)


def uneven(n=200, seed=1):
    """Rows in the order of x whose noise grows away from 0."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, n))
    return x, np.cos(2 * x) + (0.1 + x * x) * rng.standard_normal(n)


def of_statsmodels(found, x, y, weights=None, **settings):
    sm = pytest.importorskip("statsmodels.api")
    V = np.polynomial.chebyshev.chebvander(found.summary.domain.to_unit(x), found.degree)
    weights = np.ones(len(y)) if weights is None else weights
    return sm.WLS(y, V, weights=weights).fit(**settings).cov_params()


def covariance(found):
    root = found.least_squares.factor @ found.judgment.mix
    return root @ root.T


def assert_close(found, theirs, tolerance):
    assert np.abs(found - theirs).max() <= tolerance * np.abs(theirs).max()


@kinds
@pytest.mark.parametrize("degree", range(9))
@pytest.mark.parametrize("weighted", [False, True])
def test_hc_is_that_of_statsmodels(kind, degree, weighted):
    x, y = uneven()
    weights = 10 ** np.random.default_rng(2).uniform(-2, 2, x.size) if weighted else None
    found = fit(x, y, degree, weights=weights, variance=kind)
    theirs = of_statsmodels(found, x, y, weights, cov_type=kind)
    assert_close(covariance(found), theirs, 1e-12)
    assert found.coef.tolist() == fit(x, y, degree, weights=weights).coef.tolist()


@pytest.mark.parametrize("lags", [0, 1, 7, 60, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_hac_is_that_of_statsmodels(lags, weighted):
    x, y = uneven(300)
    weights = np.random.default_rng(2).uniform(0.1, 2, x.size) if weighted else None
    found = fit(x, y, 3, weights=weights, variance=HAC(lags))
    used = found.judgment.variance.lags
    assert used == (5 if lags is None else lags)  # 4·3^(2/9) = 5.1
    theirs = of_statsmodels(
        found, x, y, weights, cov_type="HAC", cov_kwds={"maxlags": used, "use_correction": False}
    )
    assert_close(covariance(found), theirs, 1e-10)
    turned = slice(None, None, -1)
    back = fit(x[turned], y[turned], 3, variance=HAC(lags))
    assert_close(back.stderr, fit(x, y, 3, variance=HAC(lags)).stderr, 1e-11)


@kinds
@pytest.mark.parametrize(("a", "b", "c"), [(1.0, 0.0, 1e30), (1.0, 0.0, 1e-30), (1e7, 1.6e9, 1.0)])
def test_units_and_offsets_change_nothing_else(kind, a, b, c):
    x, y = uneven()
    plain, moved = fit(x, y, 3, variance=kind), fit(a * x + b, c * y, 3, variance=kind)
    at = np.linspace(-0.9, 0.9, 5)
    widths = (np.subtract(*f.confidence_band(p)) for f, p in ((plain, at), (moved, a * at + b)))
    wide, same = widths
    assert same / c == pytest.approx(wide, rel=1e-7)


@kinds
def test_counts_are_rows_repeated(kind):
    x, y = uneven()
    counts = np.random.default_rng(3).integers(0, 4, x.size)
    once = fit(x, y, 3, counts=counts, variance=kind)
    many = fit(np.repeat(x, counts), np.repeat(y, counts), 3, variance=kind)
    assert_close(covariance(once), covariance(many), 1e-11)


@backends
@pytest.mark.parametrize("variance", [*KINDS, HAC(4)], ids=str)
def test_every_library_has_the_same_errors(backend, variance):
    x, y = (to_host(backend.array(column)) for column in uneven())
    x = np.sort(x)
    found = fit(backend.array(x), backend.array(y), 3, variance=variance)
    plain = fit(x, y, 3, variance=variance)
    assert to_host(found.stderr) == pytest.approx(plain.stderr, rel=1e-5)


@pytest.mark.parametrize("variance", [*KINDS, HAC(4), HAC()], ids=str)
def test_chunks_give_what_memory_gives(variance, monkeypatch):
    monkeypatch.setattr(request, "Selection", partial(Selection, 500))
    x, y = uneven(3000)
    y[7] = np.nan
    plain = fit(x, y, 3, variance=variance, missing="omit")
    chunks = [(x[i : i + 7], y[i : i + 7]) for i in range(0, 700, 7)] + [(x[700:], y[700:])]
    found = fit(chunks, degree=3, variance=variance, missing="omit")
    assert not found.is_refined
    assert_close(covariance(found), covariance(plain), 1e-11)


def test_clusters_have_hc_and_no_hac():
    da = pytest.importorskip("dask.array")
    x, y = uneven()
    blocks = da.from_array(x, 60), da.from_array(y, 60)
    found = fit(*blocks, 3, variance="HC3")
    assert_close(covariance(found), covariance(fit(x, y, 3, variance="HC3")), 1e-11)
    with pytest.raises(errors.BadCall, match="come in blocks"):
        fit(*blocks, 3, variance="HAC")


@pytest.mark.parametrize("held", [{"fix": {0: 1.0}}, {"through": (0.5, 0.5)}, {"terms": [0, 2]}])
@kinds
def test_what_is_held_has_no_error(held, kind):
    x, y = uneven()
    found = fit(x, y, 3 if "terms" not in held else 2, variance=kind, **held)
    if "fix" in held:
        sm = pytest.importorskip("statsmodels.api")
        V = np.vander(x, 4, increasing=True)[:, 1:]
        theirs = sm.OLS(y - 1.0, V).fit(cov_type=kind)
        assert found.stderr[0] == 0
        assert found.stderr[1:] == pytest.approx(theirs.bse, rel=1e-9)
    if "through" in held:
        low, high = found.confidence_band(0.5)
        assert high - low < 1e-7
    if "terms" in held:
        assert found.stderr[1] == 0


def test_hc3_holds_the_truth_where_equal_variance_does_not():
    rng = np.random.default_rng(6)
    x = np.linspace(-1, 1, 200)
    places, reps = np.array([-0.9, 0.0, 0.9]), 150
    hits = {"equal": np.zeros(3), "HC3": np.zeros(3)}
    for _ in range(reps):
        y = (0.1 + x * x) * rng.standard_normal(x.size)
        for variance in hits:
            low, high = fit(x, y, 3, variance=variance).confidence_band(places)
            hits[variance] += (low <= 0) & (high >= 0)
    assert np.all(np.abs(hits["HC3"] / reps - 0.945) < 0.05)
    assert np.all(np.abs(hits["equal"] / reps - 0.945) > 0.05)


def test_hac_holds_the_slope_of_noise_that_goes_on():
    rng = np.random.default_rng(8)
    x = np.linspace(-1, 1, 300)
    hits = {"equal": 0, "HAC": 0}
    for _ in range(80):
        shocks, noise = rng.standard_normal(x.size), np.zeros(x.size)
        for i in range(1, x.size):
            noise[i] = 0.6 * noise[i - 1] + shocks[i]
        for variance in hits:
            low, high = fit(x, noise, 1, variance=variance).confidence_interval()[1]
            hits[variance] += low <= 0 <= high
    assert hits["equal"] < 0.75 * 80
    assert hits["HAC"] > 0.8 * 80


def test_bands_slopes_and_roots_follow():
    x, y = uneven()
    plain, found = fit(x, y, 3), fit(x, y, 3, variance="HC3")
    for where, ratio in ((0.0, 0.8), (0.9, 1 / 1.1)):
        wide, narrow = (np.subtract(*f.confidence_band(where)) for f in (plain, found))
        assert (narrow / wide < 1) == (ratio < 1 and where == 0.0)
    assert found.derivative().stderr_at(0.9) != plain.derivative().stderr_at(0.9)
    root, same = found.roots()[-1], plain.roots()[-1]
    assert root.value == same.value
    assert root.stderr != same.stderr


def test_words_and_what_is_refused():
    assert variance_of("equal") == "equal"
    assert variance_of("HAC") == HAC()
    assert (str(HAC()), str(HAC(3))) == ("HAC", "HAC(lags=3)")
    for wrong in ("hc3", "HC4", 3, None, True):
        with pytest.raises(errors.BadSetting, match="HC3"):
            variance_of(wrong)
    for wrong in (-1, 1.5, "12", True):
        with pytest.raises(errors.BadSetting, match="whole number"):
            HAC(wrong)
    x, y = uneven(50)
    with pytest.raises(errors.BadSetting, match="fewer than the 50 rows"):
        fit(x, y, 1, variance=HAC(50))
    with pytest.raises(errors.BadCall, match="sigma is known"):
        fit(x, y, 1, sigma=0.1, absolute_sigma=True, variance="HC3")
    with pytest.raises(errors.BadCall, match="each once"):
        fit(x, y, 1, counts=np.ones(50), variance="HAC")
    for order in (np.r_[1, 0, 2:50], np.r_[49:-1:-1][:50][np.r_[0:48, 49, 48]]):
        with pytest.raises(errors.OutOfOrder, match="Sort the rows") as caught:
            fit(x[order], y[order], 1, variance="HAC")
        assert caught.value.row > 0
    with pytest.raises(errors.LeverageOne, match="HC1") as alone:
        fit(np.r_[np.linspace(0, 1e-7, 20), 1.0], np.r_[y[:20], 2.0], 1, variance="HC2")
    assert alone.value.x == 1.0


def test_it_says_the_formula_and_comes_back_from_json():
    x, y = uneven()
    for variance in (*KINDS, HAC(4)):
        found = fit(x, y, 3, variance=variance)
        assert str(variance).partition("(")[0] in str(found)
        other = pd.Fit.from_json(found.to_json())
        assert str(other) == str(found)
        assert other.stderr.tolist() == found.stderr.tolist()
    body = json.loads(found.to_json())
    body["judgment"]["lags"] = None
    with pytest.raises(errors.BadRecord):
        pd.Fit.from_json(json.dumps(body))


def test_as_many_coefficients_as_rows_leave_nothing_to_tell():
    x, y = uneven(4)
    for variance in (*KINDS, "HAC"):
        assert np.isnan(fit(x, y, 3, variance=variance).stderr).all()


@pytest.mark.parametrize("lags", [0, 3, 2000])
def test_blocks_of_any_size_have_the_same_sums(lags, monkeypatch):
    from polydescent.least_squares import sandwich

    x, y = uneven(5000)
    rows = Rows.of(x, y)
    frame = Frame.of(fit(x, y, 3).least_squares)
    whole = meat_in_order([rows], frame, lags).root
    monkeypatch.setattr(sandwich, "_BLOCK", 100)
    pieces = meat_in_order([rows.chosen(slice(i, i + 77)) for i in range(0, 5000, 77)], frame, lags)
    assert_close(pieces.root.T @ pieces.root, whole.T @ whole, 1e-11)
    if not lags:
        plain = meat(rows, frame).root
        assert_close(plain.T @ plain, whole.T @ whole, 1e-12)
    assert math.isfinite(frame.unit)
