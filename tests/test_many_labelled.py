"""Curves with labels: xarray in and out, Dask chunks along and across, nothing cut anew."""

import warnings

import numpy as np
import pytest

import polydescent as pd
from polydescent.errors import BadCall, CurvesDiffer, NotFiniteInCurves, UnknownName

xr = pytest.importorskip("xarray")


def stack(seed=0, dates=False):
    rng = np.random.default_rng(seed)
    t = np.datetime64("2000-01-01") + np.arange(40) * 30 if dates else np.arange(40.0)
    coords = {"time": t, "lat": np.arange(4) * 10.0, "name": ("lon", list("abc"))}
    values = rng.normal(size=(4, 40, 3))
    return xr.DataArray(values, dims=("lat", "time", "lon"), coords=coords, name="warmth")


def test_labels_in_and_out():
    data = stack()
    fits = pd.fit_many(data, x="time", degree=2)
    assert fits.shape == (4, 3)
    one = pd.fit(data.time.values, data.values[1, :, 2], 2)
    np.testing.assert_allclose(fits.coef[1, 2], one.coef, rtol=1e-11)
    found = fits.to_dataset()
    wanted = data.polyfit("time", 2, cov=False)
    np.testing.assert_allclose(
        found.polyfit_coefficients.transpose(*wanted.polyfit_coefficients.dims),
        wanted.polyfit_coefficients,
        rtol=1e-9,
    )
    assert list(found.degree.values) == [2, 1, 0]
    assert list(found.name.values) == list("abc")
    assert found.r2.dims == ("lat", "lon")
    np.testing.assert_allclose(
        found.polyfit_covariance.values[1, 2][::-1, ::-1], one.covariance, rtol=1e-9
    )
    curve = xr.polyval(data.time, found.polyfit_coefficients).transpose("lat", "lon", "time")
    np.testing.assert_allclose(curve, fits(data.time.values), rtol=1e-9)
    assert fits.summaries.x_name == "time"
    assert fits.summaries.y_name == "warmth"
    assert pd.fit_many(y=data.values, x=data.time.values, axis=1).to_dataset().r2.dims == (
        "dim_0",
        "dim_1",
    )


def test_dates_a_dataset_and_weights():
    data = stack(dates=True)
    fits = pd.fit_many(xr.Dataset({"warmth": data}), "warmth", x="time", degree=1, per="year")
    one = pd.fit(data.time.values, data.values[0, :, 0], 1, per="year")
    np.testing.assert_allclose(fits.coef[0, 0], one.coef, rtol=1e-9)
    weights = xr.DataArray(np.random.default_rng(1).uniform(1, 2, (3, 40)), dims=("lon", "time"))
    fits = pd.fit_many(data, x="time", degree=1, weights=weights)
    one = pd.fit(data.time.values, data.values[2, :, 1], 1, weights=weights.values[1])
    np.testing.assert_allclose(fits.coef[2, 1], one.coef, rtol=1e-9)
    runs = pd.descend_many(data, x="time", degree=1, basis="chebyshev", sigma=2.0)
    assert runs.to_dataset().status.dims == ("lat", "lon")


@pytest.mark.parametrize("chunks", [{"time": -1, "lat": 2}, {"time": 7, "lon": 2}, {"time": 11}])
@pytest.mark.parametrize("missing", ["raise", "omit", "mark"])
def test_chunks(chunks, missing):
    pytest.importorskip("dask")
    data = stack()
    if missing != "raise":
        data[1, 3:5, 1] = np.nan
        data[2, :, 0] = np.nan
    weights = xr.DataArray(np.random.default_rng(1).uniform(1, 2, (3, 40)), dims=("lon", "time"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"x": "time", "degree": 3, "missing": missing, "weights": weights}
        whole = pd.fit_many(data, **options)
        cut = pd.fit_many(data.chunk(chunks), **options)
    for name in ("coef", "stderr", "loss", "r2", "n", "omitted", "status"):
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), rtol=1e-9, atol=1e-12)
    assert cut.to_dataset().lat.values.tolist() == [0, 10, 20, 30]
    assert cut.curves is None


def test_chunks_of_a_bare_array_and_what_is_missing_in_them():
    da = pytest.importorskip("dask.array")
    data = stack()
    array = da.from_array(data.values, chunks=(2, 9, 3))
    fits = pd.fit_many(data.time.values, array, 1, axis=1, sigma=0.5)
    wanted = pd.fit_many(data.time.values, data.values, 1, axis=1, sigma=0.5)
    np.testing.assert_allclose(fits.stderr, wanted.stderr, rtol=1e-9)
    values = data.values.copy()
    values[3, 12, 1] = np.inf
    with pytest.raises(NotFiniteInCurves, match=r"curve \(3, 1\) at point 12"):
        pd.fit_many(data.time.values, da.from_array(values, chunks=(2, 9, 3)), 1, axis=1)
    with pytest.raises(CurvesDiffer):
        pd.fit_many(data.time.values[1:], array, 1, axis=1)
    with pytest.raises(BadCall, match="counts"):
        pd.fit_many(data.time.values, array, 1, axis=1, counts=np.ones(40))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda d: pd.fit_many(d, x="tme"), UnknownName),
        (lambda d: pd.fit_many(d), UnknownName),
        (lambda d: pd.fit_many(d, d, x="time"), BadCall),
        (lambda d: pd.fit_many(xr.Dataset({"a": d}), "b", x="time"), UnknownName),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call(stack())
