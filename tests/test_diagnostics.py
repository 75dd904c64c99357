"""Diagnostics are those of statsmodels, with weights and counts as repeated or whitened rows."""

from __future__ import annotations

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors

ARRAYS = ("leverage", "internal", "external", "cooks_distance")


def rows(seed, n=60):
    rng = np.random.default_rng(seed)
    x = 2000 + rng.integers(0, 25, n) / 2
    y = np.sin(x / 3) + rng.normal(0, 0.2, n) * (1 + (x - 2000) / 5)
    y[7] += 4
    return x, y, rng.uniform(0.2, 5, n)


def powers(x, degree):
    u = (x - x.mean()) / x.std()
    return u[:, None] ** np.arange(degree + 1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("degree", [1, 3, 6])
def test_they_are_those_of_statsmodels(degree, weighted):
    api = pytest.importorskip("statsmodels.api")
    diagnostic = pytest.importorskip("statsmodels.stats.diagnostic")
    tools = pytest.importorskip("statsmodels.stats.stattools")
    x, y, omega = rows(degree)
    root = np.sqrt(omega) if weighted else np.ones(60)
    V = powers(x, degree)
    model = api.OLS(root * y, root[:, None] * V).fit()
    influence = model.get_influence()
    found = pd.fit(x, y, degree, weights=omega if weighted else None).diagnostics()
    expected = {
        "leverage": influence.hat_matrix_diag,
        "internal": influence.resid_studentized_internal,
        "external": influence.resid_studentized_external,
        "cooks_distance": influence.cooks_distance[0],
    }
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(found, name), expected[name], rtol=1e-10, atol=1e-12)
    assert found.durbin_watson == pytest.approx(tools.durbin_watson(model.resid), rel=1e-10)
    pagan = diagnostic.het_breuschpagan(model.resid, V)
    assert (found.breusch_pagan, found.breusch_pagan_p) == pytest.approx(pagan[:2], rel=1e-10)
    assert 7 in found.outliers


def test_lack_of_fit_is_the_comparison_with_a_mean_at_each_x():
    api = pytest.importorskip("statsmodels.api")
    x, y, omega = rows(1)
    cells = (x[:, None] == np.unique(x)).astype(float)
    full = api.WLS(y, cells, weights=omega).fit()
    small = api.WLS(y, powers(x, 2), weights=omega).fit()
    value, p, _ = full.compare_f_test(small)
    found = pd.fit(x, y, 2, weights=omega).diagnostics()
    assert (found.lack_of_fit, found.lack_of_fit_p) == pytest.approx((value, p), rel=1e-9)


def test_a_row_with_a_count_is_as_many_rows_and_one_of_weight_0_is_none():
    x, y, omega = rows(2)
    counts = np.tile([1, 3, 2, 1, 0], 12)
    found = pd.fit(x, y, 2, weights=omega, counts=counts).diagnostics()
    where = np.repeat(np.arange(60), counts)
    again = pd.fit(x[where], y[where], 2, weights=omega[where]).diagnostics()
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(found, name)[where], getattr(again, name), rtol=1e-9)
        assert np.isnan(getattr(found, name)[4::5]).all()
    for name in ("durbin_watson", "breusch_pagan", "lack_of_fit", "n", "k"):
        assert getattr(found, name) == pytest.approx(getattr(again, name), rel=1e-9)


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (1e9, 1), (0, 1e-30), (0, 1e30)])
def test_units_do_not_matter(offset, scale):
    x, y, _ = rows(3)
    plain = pd.fit(x, y, 3).diagnostics()
    other = pd.fit(offset + 2 * x, scale * y, 3).diagnostics()
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(plain, name), getattr(other, name), rtol=1e-8, atol=1e-9)
    assert plain.outliers == other.outliers


def test_arrays_are_of_the_kind_of_the_data():
    torch = pytest.importorskip("torch")
    x, y, _ = rows(4)
    found = pd.fit(torch.tensor(x - 2000), torch.tensor(y), 2).diagnostics()
    assert isinstance(found.leverage, torch.Tensor)
    assert float(found.leverage.sum()) == pytest.approx(3)


def test_printed_it_names_rows_and_says_what_to_do():
    x, y, _ = rows(5)
    text = str(pd.fit(x, y, 1).diagnostics())
    assert "row 7 (" in text or "rows 7 (" in text
    assert "Look at it" in text
    assert len(text.splitlines()) < 24
    assert max(map(len, text.splitlines())) <= 110


def test_as_a_table():
    pytest.importorskip("pandas")
    x, y, _ = rows(5)
    table = pd.fit(x, y, 1).diagnostics().to_frame()
    assert list(table) == ["x", "residual", *ARRAYS]
    assert (table["x"] == x).all()


def test_what_holds_no_rows_or_no_freedom_is_refused():
    x, y, _ = rows(6)
    with pytest.raises(errors.RowsNotHeld, match="diagnostics"):
        pd.summarize(x, y, 2).fit().diagnostics()
    with pytest.raises(errors.BadCall, match="exact least squares"):
        pd.descend(x - 2000, y, 1, tolerance=0.001, basis="chebyshev").diagnostics()
    with pytest.raises(errors.BadCall, match="degrees of freedom"):
        pd.fit([0.0, 1.0, 2.0], [1.0, 2.0, 5.0], 1).diagnostics()


def test_a_picture_of_residuals_rings_the_rows_that_are_named():
    pytest.importorskip("matplotlib").use("Agg")
    x, y, _ = rows(7)
    ax = pd.fit(x, y, 2).plot("residuals")
    assert "7" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("output", [[], ["--json"]])
def test_the_command_asks_too(polydescent, output):
    x, y, _ = rows(8)
    np.savetxt("rows.csv", np.column_stack((x, y)), delimiter=",", header="t,v", comments="")
    given = ["fit", "rows.csv", "--x", "t", "--y", "v", "--diagnose", "--quiet", *output]
    code, said, _ = polydescent(*given)
    assert code == 0
    assert "breusch_pagan" in said or "Breusch-Pagan" in said
