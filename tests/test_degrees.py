"""Which degree: losses as exact as a fit's, and the criterion that was asked for."""

import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from exact import least_squares

import polydescent as pd
from polydescent import errors
from polydescent.least_squares.degrees import CRITERIA
from polydescent.least_squares.folds import Dealt

NOISE = (0.0, 1e-18, 1e-16, 1e-14, 1e-10, 1e-5, 1.0)


def data(noise=0.3, n=50, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 3, n)
    return x, 1 + x - x**3 + noise * rng.normal(size=n), 10.0 ** rng.uniform(-3, 3, n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("noise", NOISE)
def test_losses_are_those_of_fits_at_every_noise(noise, weighted):
    x, y, w = data(noise)
    named: dict[str, Any] = {"weights": w} if weighted else {}
    fits = [pd.fit(x, y, degree, **named) for degree in range(7)]
    wanted = [fit.loss for fit in fits]
    for table in (
        fits[6].degrees(),
        fits[2].degrees(6),
        pd.fit(x, y, 6, fix={0: 3.0}, **named).degrees(),
    ):
        np.testing.assert_allclose(table.loss, wanted, rtol=1e-13)
        np.testing.assert_allclose(table.aic, [fit.aic for fit in fits], rtol=1e-12)
    np.testing.assert_array_equal(fits[6].degrees(3).loss, fits[6].degrees().loss[:4])
    auto = pd.fit(x, y, "auto:6", **named)
    assert auto.degree == auto.degrees(6).pick


def test_losses_against_rationals():
    x, y, w = data(1e-9, n=20)
    table = pd.fit(x, y, 5, weights=w).degrees()
    for degree in range(6):
        exact = float(least_squares(x, y, degree, w).rss)
        assert table.loss[degree] == pytest.approx(exact, rel=1e-14)


def test_losses_of_a_summary_are_those_of_its_fits():
    x, y, _ = data(1e-6)
    summary = pd.summarize(x, y, 6)
    table = summary.fit().degrees()
    wanted = [summary.fit(degree).loss for degree in range(7)]
    np.testing.assert_allclose(table.loss, wanted, rtol=1e-12)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_pick_has_the_lowest_of_what_was_asked(criterion):
    picks = set()
    for seed in range(8):
        x, y, w = data(2.0, n=24, seed=seed)
        fit = pd.fit(x, y, "auto:7", weights=w, criterion=criterion)
        table = fit.degrees(7)
        assert table.criterion == criterion
        assert fit.degree == table.pick == int(np.nanargmin(getattr(table, criterion)))
        assert table.runner_up == int(np.argsort(getattr(table, criterion), kind="stable")[1])
        assert CRITERIA[criterion] in str(table)
        assert table.to_dict()["criterion"] == criterion
        assert max(map(len, str(table).splitlines())) <= 80
        picks.add(fit.degree)
    assert len(picks) > 1


def test_criteria_pick_as_statsmodels_does():
    x, y, _ = data(2.0, n=30, seed=3)
    models = [sm.OLS(y, np.vander(x, d + 1, increasing=True)).fit() for d in range(8)]
    for criterion in ("aic", "bic"):
        lowest = int(np.argmin([getattr(model, criterion) for model in models]))
        assert pd.fit(x, y, "auto:7", criterion=criterion).degree == lowest


def test_folds_leave_every_row_out_once():
    x, y, w = data(1.0, n=23)
    w[4] = 0
    table = pd.fit(x, y, 4, weights=w).degrees(criterion="cv", folds=4)
    use = np.flatnonzero(w)
    fold = Dealt(4).fold_of(len(use))
    for degree in range(5):
        left = 0.0
        for k in range(4):
            out, rest = use[fold == k], use[fold != k]
            curve = pd.fit(x[rest], y[rest], degree, weights=w[rest])
            left += np.sum(w[out] * (y[out] - curve(x[out], outside="ignore")) ** 2)
        assert table.cv[degree] == pytest.approx(math.sqrt(left / len(use)), rel=1e-9)


def test_as_many_folds_as_rows_leave_one_out():
    x, y, w = data(1.0, n=20)
    table = pd.fit(x, y, 4, weights=w).degrees(criterion="cv", folds=20)
    np.testing.assert_allclose(table.cv, table.loo, rtol=1e-9)


@pytest.mark.parametrize("criterion", ["aicc", "aic", "bic"])
@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4])
def test_degrees_that_differ_by_rounding_are_one(degree, criterion):
    """Of a summary, whose losses are never quite 0: the lowest of them is picked."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-3, 7, 40)
        y = np.polyval(rng.normal(size=degree + 1), x)
        assert pd.summarize(x, y, degree=8).fit(8).degrees(criterion=criterion).pick == degree


def test_a_curve_through_every_row_is_no_proof_that_it_is_exact():
    x, y = np.arange(5.0), np.array([1.0, 3, 2, 5, 4])
    for fit in (pd.fit(x, y, 4), pd.summarize(x, y, degree=4).fit(4)):
        assert fit.degrees(criterion="aicc").pick == 0
    assert pd.fit(x, y, "auto:4").degree == 0


def test_a_row_that_no_other_holds_leaves_nothing_to_judge_by():
    """Without it the curve is not determined: NaN, not the quotient of two roundings."""
    rng = np.random.default_rng(4)
    for x in (np.arange(5.0), np.append(np.repeat([0.0, 1, 2, 3], 5), 7.3)):
        loo = pd.fit(x, rng.normal(size=len(x)), 4).degrees().loo
        assert np.isnan(loo[4])
        assert np.isfinite(loo[:4]).all()


@pytest.mark.parametrize("criterion", ["loo", "cv"])
def test_what_leaves_rows_out_needs_rows(criterion):
    x, y, _ = data()
    summary = pd.summarize(x, y, 4)
    with pytest.raises(errors.NeedsRows, match=r'fit\(x, y, degree="auto", criterion='):
        summary.fit("auto", criterion=criterion)
    with pytest.raises(errors.NeedsRows):
        summary.fit().degrees(criterion=criterion)
    assert summary.fit("auto", criterion="bic").degree == 3
    assert pd.fit(((x[i::2], y[i::2]) for i in range(2)), degree="auto", criterion=criterion)


def test_settings_that_choose_nothing_are_refused():
    x, y, _ = data()
    refused: list[tuple[dict[str, Any], str]] = [
        ({"criterion": "best"}, 'criterion must be "aicc", '),
        ({"folds": 1}, "folds must be a whole number of 2 or more"),
        ({"folds": "rows"}, 'folds must be a whole number of 2 or more, or "files"'),
        ({"folds": 5, "criterion": "bic"}, 'folds must be left out, or with criterion="cv"'),
        ({"folds": 51, "criterion": "cv"}, "folds must be at most 50"),
    ]
    for bad, said in refused:
        with pytest.raises(errors.BadSetting, match=said):
            pd.fit(x, y, "auto", **bad)
    with pytest.raises(errors.BadCall, match='degree="auto"'):
        pd.fit(x, y, 3, criterion="bic")
    with pytest.raises(errors.BadCall, match='degree="auto"'):
        pd.summarize(x, y, 4).fit(3, criterion="bic")


def test_a_fit_remembers_by_what_it_was_chosen():
    x, y, _ = data()
    fit = pd.fit(x, y, "auto", criterion="bic")
    back = pd.Fit.from_json(fit.to_json())
    assert back.degrees().criterion == fit.degrees().criterion == "bic"
    assert pd.fit(x, y, 3).degrees().criterion == "aicc"
    broken = fit.to_json().replace('"bic"', '"best"')
    with pytest.raises(errors.BadRecord):
        pd.Fit.from_json(broken)


def test_the_command_chooses_by_any_criterion(polydescent):
    x, y, _ = data(1.0)
    np.savetxt("t.csv", np.c_[x, y], delimiter=",", header="x,y", comments="", fmt="%.17g")
    asked = ("fit", "t.csv", "--x", "x", "--y", "y")
    for criterion in ("aic", "bic", "loo", "cv"):
        code, out, _ = polydescent(*asked, "--degree", "auto:6", "--criterion", criterion)
        assert code == 0
        assert f"pick and next by {CRITERIA[criterion]}" in out
    five, three = (
        polydescent(*asked, "--degree", "auto:6", "--criterion", "cv", "--folds", k)[1]
        for k in (5, 3)
    )
    assert five != three
    for options, said in (
        (("--degree", "auto", "--criterion", "loo", "--save", "m.json"), "--save keeps no rows"),
        (("--degree", 3, "--criterion", "bic"), "--degree auto"),
        (("--degree", "auto", "--criterion", "best"), "criterion must be"),
    ):
        code, _, err = polydescent(*asked, *options)
        assert code == 2
        assert said in err
    asked = (*asked, "--degree", "auto:8", "--criterion", "bic", "--save", "m.json")
    assert polydescent(*asked)[0] == 0
    found = float(polydescent("predict", "m.json", "--at", 1)[1])
    assert found == pytest.approx(pd.fit(x, y, "auto:8", criterion="bic")(1.0), rel=1e-9)
