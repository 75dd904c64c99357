"""Curves along a dimension of a DataArray: xarray's own numbers, whatever the chunks and gaps."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import xarray as xr
from dask.base import is_dask_collection

import polydescent as pd
import polydescent.xarray  # registers the accessors
from polydescent import errors

NAMES = ("coefficients", "stderr", "covariance", "residuals", "domain", "weights", "r2", "n")
NAMES += ("status",)
DAYS = np.datetime64("2000-01-01") + np.arange(40) * np.timedelta64(36, "h")
PLACES = {
    "numbers": np.arange(40.0) / 7 - 2,
    "years": 1985.0 + np.arange(40),
    "dates": DAYS,
    "durations": DAYS - DAYS[0],
    "none": None,
}


def array(x="numbers", gaps=False, dims=("site", "time", "depth"), seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(3, 40, 4)).cumsum(axis=1)
    if gaps:
        y[rng.uniform(size=y.shape) < 0.2] = np.nan
        y[0, :, 0] = np.nan
    coords = {"site": list("abc"), "height": ("site", [1.0, 2, 3])}
    if PLACES[x] is not None:
        coords["time"] = PLACES[x]
    whole = xr.DataArray(y, dims=("site", "time", "depth"), coords=coords, name="temperature")
    return whole.transpose(*dims)


def assert_alike(found, wanted, rtol=1e-9):
    assert set(found.data_vars) == set(wanted.data_vars)
    for name in wanted.data_vars:
        assert found[name].dims == wanted[name].dims
        assert found[name].dtype == wanted[name].dtype
        if wanted[name].dtype.kind == "M":
            xr.testing.assert_equal(found[name], wanted[name])
        else:
            xr.testing.assert_allclose(found[name], wanted[name], rtol=rtol, atol=1e-9)


# ── the numbers of xarray ──


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("x", ["numbers", "none"])
@pytest.mark.parametrize("dims", [("site", "time", "depth"), ("time", "depth", "site")])
def test_variables_have_the_names_and_values_of_polyfit(dims, x, gaps):
    data = array(x, gaps, dims)
    found = data.polydescent.fit("time", degree=2)
    whole = data.polyfit("time", 2, full=True)
    pairs = {"coefficients": whole, "residuals": whole}
    if not gaps:  # its covariance knows nothing of gaps
        pairs["covariance"] = data.polyfit("time", 2, cov=True)
    for part, theirs in pairs.items():
        ours = found[f"polyfit_{part}"]
        assert ours.dims == theirs[f"polyfit_{part}"].dims
        np.testing.assert_allclose(ours, theirs[f"polyfit_{part}"], rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(found.degree, whole.degree)
    np.testing.assert_array_equal(found.polyfit_n, data.notnull().sum("time"))
    assert list(found.coords) == ["site", "height", "degree", "chebyshev", "bounds"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = xr.polyval(data.time, found.polyfit_coefficients)
    ours = found.polydescent.predict(data.time)
    np.testing.assert_allclose(ours.transpose(*theirs.dims), theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("x", [name for name in PLACES if name != "none"])
def test_each_curve_is_a_fit(x):
    data = array(x, gaps=True)
    found = data.polydescent.fit("time", degree=3)
    predicted = found.polydescent.predict(data.time)
    for site, depth in ((0, 1), (2, 3)):
        y = data[site, :, depth].values
        fitted = pd.fit(data.time.values, y, 3, missing="omit")
        one = found.isel(site=site, depth=depth)
        assert one.polyfit_n == fitted.n
        assert float(one.polyfit_residuals) == pytest.approx(fitted.loss, rel=1e-9)
        at = predicted.isel(site=site, depth=depth)
        np.testing.assert_allclose(at, fitted(data.time.values, "ignore"), atol=1e-9)
        assert one.polyfit_domain.values[0] == fitted.domain.lo
        assert one.polyfit_domain.values[1] == fitted.domain.hi
        stderr = np.sqrt(np.diag(one.polyfit_covariance))[::-1]
        if x == "numbers":
            np.testing.assert_allclose(one.polyfit_coefficients[::-1], fitted.coef, rtol=1e-9)
            np.testing.assert_allclose(stderr, fitted.stderr, rtol=1e-9)
            np.testing.assert_allclose(one.polyfit_stderr[::-1], fitted.stderr, rtol=1e-9)
            assert float(one.polyfit_r2) == pytest.approx(fitted.r2, rel=1e-9)
    assert found.polyfit_status[0, 0] == pd.Status.NO_ROWS
    assert found.polyfit_status.attrs["flag_meanings"].split()[pd.Status.NO_ROWS] == "no_rows"
    assert np.isnan(predicted[0, 0]).all()


def test_dates_say_where_their_coefficients_start():
    data = array("dates")
    found = data.polydescent.fit("time", degree=1, per="hour")
    attributes = found.polyfit_coefficients.attrs
    assert attributes == {"origin": "2000-01-01", "per": "hour"}
    hours = (DAYS - np.datetime64(attributes["origin"])) / np.timedelta64(1, "h")
    line = xr.polyval(xr.DataArray(hours, dims="time"), found.polyfit_coefficients)
    ours = found.polydescent.predict(data.time).transpose(*line.dims)
    np.testing.assert_allclose(line, ours, rtol=1e-9, atol=1e-9)


# ── chunks ──


@pytest.mark.parametrize("chunks", [{"time": 7}, {"time": 1}, {"site": 2, "depth": 3, "time": 11}])
@pytest.mark.parametrize("x", PLACES)
def test_chunks_make_no_difference(x, chunks):
    data = array(x, gaps=True)
    wanted = data.polydescent.fit("time", degree=2)
    lazy = data.chunk(chunks)
    found = lazy.polydescent.fit("time", degree=2)
    assert all(is_dask_collection(found[name].data) for name in found.data_vars)
    assert found.polyfit_residuals.chunks == lazy.isel(time=0).chunks
    assert_alike(found.compute(), wanted)
    predicted = found.polydescent.predict(data.time)
    np.testing.assert_allclose(predicted, wanted.polydescent.predict(data.time), atol=1e-9)


def test_nothing_is_computed_before_it_is_asked_for():
    def fail(block):
        raise AssertionError

    data = array().chunk({"time": 10})
    never = data.copy(data=data.data.map_blocks(fail, meta=np.zeros(0)))
    found = never.polydescent.fit("time", degree=1)
    with pytest.raises(AssertionError):
        found.compute()


# ── weights ──


def of_dims(*dims):
    rng = np.random.default_rng(2)
    sizes = {"site": 3, "time": 40, "depth": 4}
    return xr.DataArray(rng.uniform(0.2, 4, [sizes[d] for d in dims]), dims=dims)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "dims", [("time",), ("site",), ("time", "site"), ("depth", "site", "time")]
)
def test_weights_are_of_each_curve(dims, chunked):
    data, given = array(gaps=True), of_dims(*dims)
    asked = data.chunk({"time": 9, "site": 2}) if chunked else data
    found = asked.polydescent.fit("time", degree=2, weights=given).compute()
    each = given.broadcast_like(data).transpose(*data.dims)
    for site, depth in ((0, 1), (2, 3)):
        y, w = data[site, :, depth].values, each[site, :, depth].values
        fitted = pd.fit(PLACES["numbers"], y, 2, weights=w, missing="omit")
        one = found.isel(site=site, depth=depth)
        np.testing.assert_allclose(one.polyfit_coefficients[::-1], fitted.coef, rtol=1e-9)
        assert float(one.polyfit_residuals) == pytest.approx(fitted.loss, rel=1e-9)
    same = asked.polydescent.fit("time", degree=2, sigma=given**-0.5).compute()
    assert_alike(same, found)


@pytest.mark.parametrize("chunked", [False, True])
def test_sigma_may_be_one_number_or_an_array(chunked):
    data = array()
    data = data.chunk({"time": 9}) if chunked else data
    plain = data.polydescent.fit("time", degree=1).compute()
    known = data.polydescent.fit("time", degree=1, sigma=2.0, absolute_sigma=True).compute()
    np.testing.assert_allclose(known.polyfit_residuals, plain.polyfit_residuals / 4)
    along = data.polydescent.fit("time", 1, sigma=np.full(40, 2.0), absolute_sigma=True).compute()
    assert_alike(along, known)


# ── the rest ──


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "asked",
    [
        {"degree": "auto:4"},
        {"degree": "auto:4", "criterion": "bic"},
        {"degree": 2, "fix": {0: 0.0}},
        {"terms": [0, 2]},
        {"degree": 2, "through": (1.0, 2.0)},
    ],
    ids=str,
)
def test_what_is_known_of_the_curves(asked, chunked):
    data = array()
    found = data.chunk({"time": 9}) if chunked else data
    found = found.polydescent.fit("time", **asked).compute()
    fitted = pd.fit(PLACES["numbers"], data[1, :, 2].values, **asked)
    one = found.polyfit_coefficients[::-1][:, 1, 2].values
    np.testing.assert_allclose(one[: fitted.degree + 1], fitted.coef, rtol=1e-8, atol=1e-12)
    assert not one[fitted.degree + 1 :].any()


def test_one_curve_and_whole_numbers():
    x = np.arange(6)
    data = xr.DataArray(x**2, dims="t", coords={"t": x, "other": ("t", x * 10)})
    found = data.polydescent.fit("t", degree=2)
    np.testing.assert_allclose(found.polyfit_coefficients, [1, 0, 0], atol=1e-12)
    assert found.polyfit_residuals.shape == ()
    assert float(found.polydescent.predict(10)) == pytest.approx(100)
    assert found.polydescent.predict([10, 20]).dims == ("x",)
    other = data.polydescent.fit("t", degree=1, use_coordinate="other")
    assert other.polyfit_domain.values.tolist() == [0, 50]
    assert data.polydescent.fit("t", 1, use_coordinate=False).polyfit_n == 6


def test_a_dataset_fits_each_of_its_variables():
    data = array("dates", gaps=True)
    bare = data.drop_vars(["height", "site"])
    both = xr.Dataset({"a": bare, "b": bare[0] * 2, "c": ("site", [1, 2, 3])})
    found = both.polydescent.fit("time", degree=1)
    assert {f"{v}_polyfit_{part}" for v in "ab" for part in NAMES} == set(found.data_vars)
    for name in "ab":
        one = both[name].polydescent.fit("time", degree=1)
        predicted = found.polydescent.predict(data.time, name)
        assert predicted.name == name
        np.testing.assert_array_equal(predicted, one.polydescent.predict(data.time))


def test_missing_points_may_be_refused_or_marked():
    data = array(gaps=True)
    with pytest.raises(errors.PolydescentError, match="NaN"):
        data.polydescent.fit("time", 1, missing="raise")
    marked = data.polydescent.fit("time", 1, missing="mark")
    gaps = data.isnull().any("time")
    np.testing.assert_array_equal(marked.polyfit_status == pd.Status.NOT_FINITE, gaps)


def test_a_fit_survives_a_file(tmp_path):
    found = array("dates").polydescent.fit("time", degree=2)
    pickled = xr.Dataset.from_dict(found.to_dict())
    np.testing.assert_allclose(
        pickled.polydescent.predict(array("dates").time),
        found.polydescent.predict(array("dates").time),
    )


@pytest.mark.parametrize(
    ("ask", "kind", "said"),
    [
        (lambda d: d.polydescent.fit("day"), ValueError, "no dimension 'day', but site, time"),
        (lambda d: d.polydescent.fit("time", use_coordinate="height"), ValueError, "no coordinate"),
        (lambda d: d.polydescent.fit("time", per="day"), errors.BadSetting, "per"),
        (lambda d: d.polydescent.fit("time", -1), errors.BadDegree, "degree"),
        (
            lambda d: d.polydescent.fit("time", weights=1.0, sigma=1.0),
            errors.BadSetting,
            "left out where weights= is given",
        ),
        (
            lambda d: d.polydescent.fit("time", weights=d.isel(time=slice(9))),
            ValueError,
            "not equal along these coordinates",
        ),
        (lambda d: d.to_dataset().polydescent.fit("day"), ValueError, "No variable has"),
        (lambda d: d.astype(str).polydescent.fit("time"), errors.NotNumbers, "real numbers"),
        (
            lambda d: d.polydescent.fit("time").polydescent.predict(DAYS),
            errors.NotNumbers,
            "found dates. These curves are over numbers",
        ),
        (
            lambda d: array("dates").polydescent.fit("time").polydescent.predict(1.0),
            errors.NotNumbers,
            "found numbers. These curves are over dates",
        ),
        (
            lambda d: d.polydescent.fit("time").polydescent.predict("a"),
            errors.NotNumbers,
            "dtype <U1",
        ),
        (lambda d: d.to_dataset().polydescent.predict(1.0), errors.BadSetting, "polydescent.fit"),
    ],
)
def test_what_is_not_there_is_refused(ask, kind, said):
    with pytest.raises(kind, match=said):
        ask(array())


def test_without_xarray_it_says_what_to_install():
    script = (
        "import sys; sys.modules['xarray'] = None\n"
        "import polydescent\n"
        "try: import polydescent.xarray\n"
        "except polydescent.errors.MissingExtra as why: print(why)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert 'pip install "polydescent[xarray]"' in done.stdout, done.stderr
