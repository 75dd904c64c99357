"""The laws of Summary: merge, identity, parts = whole, lower degree, the same loss for all w."""

import operator
import pickle
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from cases import BACKENDS, BASES, backends, data_sets

import polydescent as pd
from polydescent.arrays import Kind, to_host
from polydescent.errors import BadDegree, BadSetting, DegreesDiffer, OutOfRange, TooFewDistinct
from polydescent.polynomial.basis import CHEBYSHEV, basis_named, design_matrix
from polydescent.regression.evidence import is_weighted

DEGREES = (0, 1, 3, 8)
UNDETERMINED = [("far cluster", 8)]  # one x a thousand times farther out than all others
cases = pytest.mark.parametrize("case", data_sets())
degrees = pytest.mark.parametrize("degree", DEGREES)


def assert_same(found, wanted, tolerance=1e-11):
    """Two summaries describe the same rows: n, domain, RᵀR in scale, and the curve they lead to."""
    assert found.n == wanted.n
    assert found.domain == wanted.domain
    whole = wanted.triangle.array.T @ wanted.triangle.array
    scale = np.sqrt(np.outer(np.diag(whole), np.diag(whole)))
    away = np.abs(found.triangle.array.T @ found.triangle.array - whole)
    assert (away <= tolerance * np.maximum(scale, np.finfo(float).tiny)).all()
    if wanted.n > wanted.degree and wanted.triangle.has_full_rank:
        x = np.linspace(wanted.domain.lo, wanted.domain.hi, 50)
        curves = found.fit()(x), wanted.fit()(x)
        size = np.abs(curves[1]).max()
        # what the data determine badly, rounding moves: by as much as the rank is weak
        weak = np.diag(wanted.R).max() / np.diag(wanted.R).min()
        np.testing.assert_allclose(*curves, atol=tolerance * size * max(1.0, weak / 1e3))


def parts(case, backend=None, pieces=7):
    x, y = data_sets()[case]
    cut = np.array_split(np.arange(len(x)), pieces)
    make = backend.array if backend else np.asarray
    return [(make(x[i]), make(y[i])) for i in cut]


@backends
@cases
@degrees
def test_parts_make_the_whole(case, degree, backend):
    x, y = (backend.array(column) for column in data_sets()[case])
    whole = pd.summarize(x, y, degree)
    total = pd.Summary.empty(degree)
    for part in parts(case, backend):
        total = total + pd.summarize(*part, degree)
    assert_same(total, whole)
    assert str(whole.kind).startswith(backend.library)


@cases
def test_merge_commutes_and_associates(case):
    a, b, c = (pd.summarize(*part, 5) for part in parts(case, pieces=3))
    assert_same(a + b, b + a)
    assert_same((a + b) + c, a + (b + c))


@cases
def test_empty_is_the_identity(case):
    a = pd.summarize(*data_sets()[case], 5)
    for same in (a + pd.Summary.empty(5), pd.Summary.empty(5) + a, sum([a], pd.Summary.empty(5))):
        assert np.array_equal(same.triangle.array, a.triangle.array)
        assert same.domain == a.domain
        assert same.n == a.n
    nothing = pd.Summary.empty(3) + pd.Summary.empty(3)
    assert nothing.n == 0
    assert not nothing.triangle.array.any()


@cases
@pytest.mark.parametrize("low", [0, 1, 3, 7])
def test_lower_degree_is_the_summary_at_that_degree(case, low):
    x, y = data_sets()[case]
    assert_same(pd.summarize(x, y, 8).lower(low), pd.summarize(x, y, low))


@cases
@degrees
def test_wider_domains_change_nothing(case, degree):
    summary = pd.summarize(*data_sets()[case], degree)
    lo, hi = summary.domain.lo, summary.domain.hi
    if (case, degree) in UNDETERMINED:
        with pytest.raises(TooFewDistinct, match="do not tell so many terms apart"):
            summary.fit()
        return
    wider = type(summary.domain)(lo - (hi - lo), hi + 0.5 * (hi - lo))
    wide = replace(summary, triangle=summary.triangle.rebased(wider))
    x = np.linspace(lo, hi, 50)
    np.testing.assert_allclose(wide.fit()(x), summary.fit()(x), rtol=1e-8, atol=1e-8)
    assert wide.rss == summary.rss


@cases
@pytest.mark.parametrize("basis", BASES)
def test_same_loss_for_every_weight(case, basis):
    """‖V w − y‖² = ‖R w − z‖² + rss, in the coordinates of every basis, for weights of any size."""
    x, y = data_sets()[case]
    family = basis_named(basis)
    summary = pd.summarize(x, y, 3)
    R, z, rss = summary.triangle.least_squares(family)
    V = design_matrix(family, summary.domain.to_unit(x) if family.on_unit else x, 3)
    rng = np.random.default_rng(3)
    for size in (1e-3, 1.0, 1e3):
        w = size * rng.standard_normal(4) / np.abs(V).max(axis=0)
        assert np.sum((R @ w - z) ** 2) + rss == pytest.approx(np.sum((V @ w - y) ** 2), rel=1e-11)


@cases
@degrees
def test_the_curve_is_that_of_a_plain_orthogonal_fit(case, degree):
    x, y = data_sets()[case]
    if (case, degree) in UNDETERMINED:
        pytest.skip("the terms cannot be told apart: refused, see test_wider_domains")
    summary = pd.summarize(x, y, degree)
    V = design_matrix(CHEBYSHEV, summary.domain.to_unit(x), degree)
    weights, *_ = np.linalg.lstsq(V, y)
    size = np.abs(y).max()
    np.testing.assert_allclose(summary.fit()(x), V @ weights, atol=1e-11 * size)
    assert summary.rss == pytest.approx(np.sum((V @ weights - y) ** 2), rel=1e-11)
    assert summary.tss == pytest.approx(np.sum((y - y.mean()) ** 2), rel=1e-11)


@backends
def test_every_library_gives_the_same_triangle(backend):
    x, y = data_sets()["uniform"]
    x, y = (to_host(BACKENDS[1].array(column)) for column in (x, y))  # float32 can hold them
    wanted = pd.summarize(x, y, 6).triangle.array
    found = pd.summarize(backend.array(x), backend.array(y), 6).triangle.array
    np.testing.assert_allclose(found, wanted, atol=1e-12 * np.abs(wanted).max())


def test_few_rows_and_one_place():
    """A chunk may be smaller than the triangle, or hold one x only; together they are a fit."""
    rows = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (2.0, 5.0)]
    total = sum((pd.summarize([x], [y], 3) for x, y in rows), pd.Summary.empty(3))
    assert total.n == 4
    np.testing.assert_allclose(total.lower(1).fit().coef, [1, 2], rtol=1e-14)


def test_summaries_pickle():
    summary = pd.summarize(*data_sets()["uniform"], 3)
    again = pickle.loads(pickle.dumps(summary))
    assert np.array_equal(again.triangle.array, summary.triangle.array)
    assert (again.domain, again.n, again.kind) == (summary.domain, summary.n, summary.kind)


def test_different_degrees_do_not_merge():
    with pytest.raises(DegreesDiffer, match=r"summary\.lower\(2\)"):
        pd.Summary.empty(2) + pd.Summary.empty(3)
    with pytest.raises(TypeError):
        operator.add(pd.Summary.empty(2), cast(Any, 1))


@pytest.mark.parametrize("degree", [-1, 1.5, "3", None, True, float("nan"), 1j])
def test_bad_degrees_are_refused(degree):
    with pytest.raises(BadDegree, match="whole number from 0"):
        pd.summarize([1, 2, 3], [1, 2, 3], degree)
    if degree is not None:
        with pytest.raises(BadDegree, match="from 0 to 1, the degree of this summary"):
            pd.summarize([1, 2, 3], [1, 2, 3], 1).fit(degree)
    with pytest.raises(BadDegree, match="larger degree="):
        pd.summarize([1, 2, 3], [1, 2, 3], 1).fit(2)


def test_powers_beyond_doubles_are_refused_with_the_cure():
    x = np.linspace(1e100, 2e100, 50)
    summary = pd.summarize(x, x, 4)
    with pytest.raises(OutOfRange, match='basis="chebyshev"'):
        summary.descend()
    assert summary.descend(basis="chebyshev").outcome is pd.Outcome.CONVERGED


# ── what weighted rows say ──


def weighted(n=300):
    """x, y and weights over twelve decades, some of them 0."""
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 4, n)
    w = 10.0 ** rng.uniform(-6, 6, n)
    w[::13] = 0
    return x, 2 - x + rng.normal(0, 0.1, n), w


def by_dask(x, y, w):
    da = pytest.importorskip("dask.array")
    x, y, w = (da.from_array(column, chunks=70) for column in (x, y, w))
    return pd.summarize(x, y, 2, weights=w)


def by_file(x, y, w, folder):
    pd.summarize(x, y, 2, weights=w).save(folder / "m.json")
    return pd.Summary.load(folder / "m.json")


WAYS = {
    "rows": lambda x, y, w, _: pd.summarize(x, y, 2, weights=w),
    "lowered": lambda x, y, w, _: pd.summarize(x, y, 7, weights=w).lower(2),
    "merged": lambda x, y, w, _: sum(
        (pd.summarize(x[i::3], y[i::3], 2, weights=w[i::3]) for i in range(3)), pd.Summary.empty(2)
    ),
    "stream": lambda x, y, w, _: pd.summarize(
        ((x[i::5], y[i::5], w[i::5]) for i in range(5)), degree=2
    ),
    "torch": lambda x, y, w, _: pd.summarize(
        torch.tensor(x), torch.tensor(y), 2, weights=torch.tensor(w)
    ),
    "dask": lambda x, y, w, _: by_dask(x, y, w),
    "file": by_file,
    "pickle": lambda x, y, w, _: pickle.loads(pickle.dumps(pd.summarize(x, y, 2, weights=w))),
    "record": lambda x, y, w, _: pd.Fit.from_json(pd.fit(x, y, 2, weights=w).to_json()).summary,
}


@pytest.mark.parametrize("way", WAYS)
def test_criteria_of_weighted_rows_travel_with_the_summary(way, tmp_path):
    x, y, w = weighted()
    summary = WAYS[way](x, y, w, tmp_path)
    k = w > 0
    for degree in range(3):
        other = sm.WLS(
            y[k], np.vander(x[k], degree + 1, increasing=True), weights=cast(Any, w[k])
        ).fit()
        fit = summary.fit(degree)
        assert float(fit.aic) - 2 == pytest.approx(other.aic, rel=1e-9)  # the variance counts
        assert float(fit.bic) - np.log(k.sum()) == pytest.approx(other.bic, rel=1e-9)
        assert summary.fit().degrees().bic[degree] == pytest.approx(fit.bic, rel=1e-12)
        assert is_weighted(fit)
    run = summary.descend(1, basis="chebyshev", steps=200)
    assert run.aicc == pytest.approx(summary.fit(1).aicc, rel=1e-6)


def test_weights_of_any_size_have_a_sum_of_logarithms():
    rng = np.random.default_rng(4)
    for reach in (1, 100, 200):
        w = 10.0 ** rng.uniform(-reach, reach, 70_001)
        wanted = np.log(w)
        summary = pd.summarize(w, w * 0, 0, weights=w)
        assert abs(summary.triangle.log_weights - wanted.sum()) < 1e-15 * np.abs(wanted).sum()
    assert pd.summarize([1, 2], [1, 2], 0).triangle.log_weights == 0


KINDS = [
    Kind(library, dtype, device)
    for library, device in (("numpy", "cpu"), ("torch", "cpu"), ("torch", "cuda:0"))
    for dtype in ("float32", "float64", "float16")
]


def test_the_kind_of_a_sum_commutes_and_associates():
    for a in KINDS:
        assert a.joint(a) == a
        for b in KINDS:
            assert a.joint(b) == b.joint(a)
            for c in KINDS:
                assert a.joint(b).joint(c).dtype == a.joint(b.joint(c)).dtype
    x = np.arange(9.0)
    parts = [pd.summarize(x.astype(t), x.astype(t), 1) for t in (np.float32, np.float64)]
    parts.append(pd.summarize(torch.tensor(x, dtype=torch.float32), torch.tensor(x), 1))
    for a in parts:
        for b in parts:
            assert (a + b).kind == (b + a).kind
            assert (a + b).fit().coef.dtype == (b + a).fit().coef.dtype
    assert str((parts[0] + parts[1]).kind) == "numpy float64 on cpu"


# ── the arguments of fit ──


def test_a_summary_fits_as_its_rows_do():
    x, y, _ = weighted()
    sigma = 0.1 + 0.05 * x
    several: list[dict[str, Any]] = [
        {"degree": 2},
        {"degree": 2, "fix": {1: -1.0}},
        {"terms": [0, 2]},
        {"degree": 3, "through": [(1.0, 1.0)]},
        {"degree": "auto:4", "criterion": "bic"},
        {"degree": 1, "absolute_sigma": True},
    ]
    for asked in several:
        found = pd.summarize(x, y, 4, sigma=sigma).fit(**asked)
        wanted = pd.fit(x, y, sigma=sigma, **asked)
        np.testing.assert_allclose(found.coef, wanted.coef, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.stderr, wanted.stderr, rtol=1e-9)
        assert found.aicc == pytest.approx(wanted.aicc, rel=1e-9)
        assert found.absolute_sigma == wanted.absolute_sigma
    run = pd.summarize(x, y, 2, sigma=sigma).descend(1, basis="chebyshev", absolute_sigma=True)
    whole = pd.descend(x, y, 1, sigma=sigma, basis="chebyshev", absolute_sigma=True)
    wanted = pd.fit(x, y, 1, sigma=sigma, absolute_sigma=True)
    np.testing.assert_allclose(run.stderr, wanted.stderr, rtol=1e-9)
    np.testing.assert_allclose(whole.stderr, wanted.stderr, rtol=1e-9)
    for verb in ("fit", "descend"):
        with pytest.raises(BadSetting, match="True or False"):
            getattr(pd.summarize(x, y, 1), verb)(absolute_sigma="yes")
    with pytest.raises(BadDegree, match="0 to 1, the degree of this summary"):
        pd.summarize(x, y, 1).fit(terms=[0, 2])
