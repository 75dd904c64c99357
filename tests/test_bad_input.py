"""150 bad inputs: each a clear error or a right answer. docs/bad-inputs.md is this table.

Run this file to write the page anew.
"""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import polydescent as pd
from polydescent import errors
from polydescent.polynomial.curve import Polynomial

PAGE = Path(__file__).parent.parent / "docs" / "bad-inputs.md"
CSV = Path(__file__).parent / "data" / "co2-mauna-loa-monthly.csv"

X = np.linspace(-1.0, 2.0, 10)
Y = X**2 + np.tile([0.5, -0.5], 5)


def put(column, i, value):
    """A copy of the column with one value replaced."""
    column = column.copy()
    column[i] = value
    return column


SPACE = {
    "fit": pd.fit,
    "descend": pd.descend,
    "summarize": pd.summarize,
    "Fit": pd.Fit,
    "np": np,
    "torch": torch,
    "pandas": pandas,
    "nan": math.nan,
    "inf": math.inf,
    "x": X,
    "y": Y,
    "put": put,
    "file": str(CSV),
    "f": pd.fit(X, Y, 2),
    "dates": np.datetime64("2024-01-01") + np.arange(10),
    "on_dates": pd.fit(np.datetime64("2024-01-01") + np.arange(10), Y, 2),
    "GradientDescent": pd.GradientDescent,
    "Adam": pd.Adam,
    "Momentum": pd.Momentum,
}

# What was tried, and the name of the refusal, or (the check it passes) for a right answer.
TRIED: dict[str, list[tuple[str, str]]] = {
    "Nothing, or too little": [
        ("fit()", "BadCall"),
        ("fit(x)", "BadCall"),
        ("fit(y=y)", "BadCall"),
        ("fit([], [])", "NoRows"),
        ("fit(np.array([]), np.array([]), 0)", "NoRows"),
        ("fit(None, y)", "BadCall"),
        ("fit(x, None)", "BadCall"),
        ("fit([1.0], [2.0], 0)", "(answer.coef.tolist() == [2])"),
        ("fit([1.0], [2.0], 1)", "TooFewRows"),
        ("fit([1, 2, 3], [1, 2, 4], 3)", "TooFewRows"),
        ("fit([1, 2, 3], [1, 2, 5], 2)", "(abs(answer(2.5) - 3.25) < 1e-12)"),
        ("fit([1, 2, 3, 4], [1, 2, 4, 8], 3).aicc", "(answer == inf)"),
        ("summarize([], [])", "NoRows"),
        ("summarize([1], [1], 4).fit()", "TooFewRows"),
        ("summarize([1, 2], [1, 2], 4).fit(1)", "(abs(answer(1.5) - 1.5) < 1e-15)"),
    ],
    "Shapes": [
        ("fit(x, y[:9])", "LengthMismatch"),
        ("fit(x, y, weights=y[:9])", "LengthMismatch"),
        ("fit(x, y, sigma=[1.0])", "LengthMismatch"),
        ("fit(x.reshape(5, 2), y)", "WrongShape"),
        ("fit(x, y.reshape(10, 1))", "WrongShape"),
        ("fit(x[:, None], y[:, None])", "WrongShape"),
        ("fit(3.0, 4.0)", "WrongShape"),
        ("fit(np.matrix([[1, 2]]), [1, 2], 1)", "WrongShape"),
        ("fit([[1], [1, 2]], [1, 2], 1)", "NotNumbers"),
        ("fit(x, y, weights=2.0)", "WrongShape"),
        ("fit(x, y, sigma=-2.0)", "BadSetting"),
        ("fit(x[::-2], y[::-2], 1)", "(answer.n == 5)"),
        ("fit(iter([1, 2, 3]), [2, 4, 6], 1)", "(abs(answer.coef[1] - 2) < 1e-14)"),
        ("fit([(0.0, 1.0), (1.0, 3.0)], degree=1)", "(answer.coef.tolist() == [1, 2])"),
        ("fit([[0, 1], [1, 3]], degree=1)", "BadCall"),
        ("fit(range(4), (1, 3, 5, 7), 1)", "(answer.coef.tolist() == [1, 2])"),
    ],
    "Things that are no numbers": [
        ("fit(['a', 'b'], [1, 2], 1)", "NotNumbers"),
        ("fit('12', '34')", "BadCall"),
        ("fit({1, 2}, [1, 2], 1)", "NotNumbers"),
        ("fit({'x': 1}, [1], 0)", "NotNumbers"),
        ("fit([object(), 1], [1, 2], 1)", "NotNumbers"),
        ("fit([1 + 2j, 3], [1, 2], 1)", "NotNumbers"),
        ("fit(x, y + 1j)", "NotNumbers"),
        ("fit(torch.tensor([1j, 2]), torch.tensor([1.0, 2.0]), 1)", "NotNumbers"),
        ("fit(x, dates)", "NotNumbers"),
        ("fit(x, y, weights=['a'] * 10)", "NotNumbers"),
        ("fit(x, y, counts=[2.5] * 10)", "BadSetting"),
        ("fit(x, y, counts=[-1] * 10)", "BadSetting"),
        ("fit(x, y, counts=[0] * 10)", "NoRows"),
        ("fit(np.array(['a', 1], dtype=object), [1, 2], 1)", "NotNumbers"),
        ("fit(x, y, sigma=['a'] * 10)", "NotNumbers"),
        ("fit([True, False, True], [1, 2, 1], 1)", "(answer.coef.tolist() == [2, -1])"),
        ("fit(x.astype('>f8'), y, 2)", "(answer.coef.tolist() == f.coef.tolist())"),
        ("fit(x.astype(np.float16), y, 1)", "(answer.n == 10)"),
        ("fit(['1', '2'], [1, 2], 1)", "NotNumbers"),
        ("fit(torch.tensor(x), y)", "MixedKinds"),
        ("fit(torch.tensor(x), torch.tensor(y), weights=x)", "MixedKinds"),
    ],
    "NaN and infinity": [
        ("fit(put(x, 3, nan), y)", "NotFinite"),
        ("fit(x, put(y, 3, nan))", "NotFinite"),
        ("fit(x, put(y, 3, inf))", "NotFinite"),
        ("fit(put(x, 0, -inf), y)", "NotFinite"),
        ("fit(x, y, weights=put(y**2, 2, nan))", "NotFinite"),
        ("fit(x, y, weights=put(y**2, 2, inf))", "NotFinite"),
        ("fit(x, y, sigma=put(x**2 + 1, 2, nan))", "NotFinite"),
        ("fit([None, 1, 2], [1, 2, 3], 1)", "NotFinite"),
        ("fit(pandas.array([1, None, 3]), [1, 2, 3], 1)", "NotFinite"),
        ("fit(np.ma.masked_less(x, 0), y, 1)", "NotFinite"),
        ("fit(x, put(y, 3, nan), 2, missing='omit')", "(answer.n == 9)"),
        ("fit(put(x, 1, inf), put(y, 3, nan), 1, missing='omit')", "(answer.n == 8)"),
        ("fit([nan], [1.0], 0, missing='omit')", "NoRows"),
        ("fit(x, y * nan, 1, missing='omit')", "NoRows"),
        ("fit(x, y, missing='drop')", "BadSetting"),
        ("fit(x, put(y, 3, nan), 1, weights=put(1 + 0 * x, 3, 0))", "(answer.n == 9)"),
        ("summarize(x, put(y, 3, nan))", "NotFinite"),
        ("descend(x, put(y, 3, nan))", "NotFinite"),
        ("f(nan)", "(answer != answer)"),
        ("Fit.from_polyfit([nan, 1], x, y)", "BadSetting"),
    ],
    "Sizes": [
        ("fit(1e200 * x, y, 2)", "(abs(answer(1e200) - f(1)) < 1e-12)"),
        ("fit(1e-200 * x, y, 1)", "(answer.n == 10)"),
        ("fit(x, 1e200 * y)", "OutOfRange"),
        ("fit(x, 1e-200 * y, 2)", "OutOfRange"),
        ("fit(x, 1e-320 * y, 1)", "OutOfRange"),
        ("fit([-1.7e308, 0, 1.7e308], [1, 2, 3], 1)", "(abs(answer(0.0) - 2) < 1e-15)"),
        ("fit(1e9 + np.arange(10.0), np.arange(10.0), 1).coef[1]", "(answer == 1)"),
        ("fit(2**63 - 1 - np.arange(10), -np.arange(10), 1).coef[1]", "(answer == 1)"),
        ("fit([10**30, 10**30 + 1], [1, 2], 1).coef[1]", "(answer == 1)"),
        ("fit([10**400, 1, 2], [1, 2, 3], 1)", "OutOfRange"),
        ("fit([1, 2, 3], [10**400, 1, 2], 1)", "OutOfRange"),
        ("fit([1e-300, 1e-299], [1e10, 1e-10], 0).derivative(9)(1)", "(answer == 0)"),
        ("fit(1e-200 * x, y, 3).derivative(2).coef.shape", "(answer == (2,))"),
        ("fit(x + 1e17, y, 2)", "TooFewDistinct"),
        ("fit(x, 0 * y, 2)", "(answer.coef.tolist() == [0, 0, 0] and answer.loss == 0)"),
        ("fit(x, 0 * y, 2).r2", "(answer != answer)"),
        ("descend(1e9 + x, y, steps=1)", "(answer.excess > 0)"),
        ("descend(1e120 * x, y)", "OutOfRange"),
    ],
    "Too few different x": [
        ("fit([1, 1, 1], [1, 2, 3], 0)", "(answer.coef.tolist() == [2])"),
        ("fit([1, 1, 1], [1, 2, 3], 1)", "TooFewDistinct"),
        ("fit([1, 1, 2, 2], [1, 2, 3, 4], 2)", "TooFewDistinct"),
        ("fit(x, y, 2, weights=[1, 1] + [0] * 8)", "TooFewRows"),
        ("fit([1, 1, 2], [1, 2, 3], 1, weights=[1, 1, 0])", "TooFewDistinct"),
        ("fit(x, y, weights=0 * x)", "NoRows"),
        ("descend([1, 1, 1], [1, 2, 3], 1)", "TooFewDistinct"),
        ("summarize([1, 1, 1], [1, 2, 3], 1).fit()", "TooFewDistinct"),
        ("fit([1, 1, 2, 2], [1, 1, 8, 8], terms=[3]).coef[3]", "(answer == 1)"),
        ("fit([0, 0, 0], [1, 2, 3], terms=[1])", "TooFewDistinct"),
        ("fit([0], [5], terms=[8])", "TooFewDistinct"),
        ("fit([3], [5], 1, fix={1: 2}).coef.tolist()", "(answer == [-1, 2])"),
        ("fit([3], [5], 1, fix={1: 2}).derivative()(3)", "(answer == 2)"),
        ("fit([3], [5], terms=[8]).coef[8]", "(answer == 5 / 3**8)"),
        ("fit([0.25] * 6, [1, 2, 3, 4, 5, 6], 2, through=(-4, -4))", "TooFewDistinct"),
    ],
    "Degrees": [
        ("fit(x, y, -1)", "BadDegree"),
        ("fit(x, y, 1.5)", "BadDegree"),
        ("fit(x, y, 2.0)", "(answer.degree == 2)"),
        ("fit(x, y, True)", "BadDegree"),
        ("fit(x, y, None)", "BadDegree"),
        ("fit(x, y, '2')", "BadDegree"),
        ("fit(x, y, 'auto:')", "BadDegree"),
        ("fit(x, y, 'auto:x')", "BadDegree"),
        ("fit(x, y, 'auto:99').degree", "(answer < 9)"),
        ("fit(x, y, 'auto:1' + '0' * 21)", "BadSetting"),
        ("fit(x, y, 'auto', weights=0 * x)", "NoRows"),
        ("fit(x, y, terms=[1, 101])", "BadSetting"),
        ("fit(x, y, 900, fix={0: 0})", "BadSetting"),
        ("fit(x, y, nan)", "BadDegree"),
        ("fit(x, y, [2])", "BadDegree"),
        ("fit(x, y, 10**6)", "BadSetting"),
        ("summarize(x, y, 3).fit(4)", "BadDegree"),
        ("summarize(x, y, 3) + summarize(x, y, 4)", "DegreesDiffer"),
        ("fit(x, y, 9).degrees_of_freedom", "(answer == 0)"),
        ("f.degrees(-1)", "BadDegree"),
        ("summarize(x, y, 2).fit().degrees(5)", "BadCall"),
    ],
    "Weights and sigma": [
        ("fit(x, y, weights=-1 + 0 * x)", "BadSetting"),
        ("fit(x, y, weights=put(y**2, 4, -1e-9))", "BadSetting"),
        ("fit(x, y, sigma=0 * x)", "BadSetting"),
        ("fit(x, y, 1, sigma=0.5).loss", "(answer == 4 * fit(x, y, 1).loss)"),
        ("fit([(x, y)], degree=1, sigma=x**2 + 1)", "BadCall"),
        ("fit(x, y, sigma=-1 - 0 * x)", "BadSetting"),
        ("fit(x, y, sigma=1e200 + 0 * x)", "OutOfRange"),
        ("fit(x, y, sigma=1e-200 + 0 * x)", "OutOfRange"),
        ("fit(x, y, sigma=1 + x**2, weights=x**2)", "BadCall"),
        ("fit(x, y, absolute_sigma=True)", "BadCall"),
        ("fit(x, y, sigma=1 + x**2, absolute_sigma='yes')", "BadSetting"),
        ("fit(x, y, 1, weights=1e300 + 0 * x)", "OutOfRange"),
        ("fit(x, y, 1, weights=2.0**-900 + 0 * x).coef[1]", "(answer == fit(x, y, 1).coef[1])"),
        ("fit(x, y, 1, weights=put(1e250 + 0 * x, 3, 1e-260)).least_squares.tss", "(answer > 0)"),
        ("fit(x, y, w=x)", "TypeError"),
    ],
    "Terms, fixed coefficients, points": [
        ("fit(x, y, terms=[])", "BadSetting"),
        ("fit(x, y, terms=3)", "BadSetting"),
        ("fit(x, y, terms='13')", "BadSetting"),
        ("fit(x, y, terms=[-1])", "BadDegree"),
        ("fit(x, y, terms=[1, 1, 3]).coef[[0, 2]].tolist()", "(answer == [0, 0])"),
        ("fit(x, y, 2, fix={3: 1})", "BadSetting"),
        ("fit(x, y, 2, fix={0: nan})", "BadSetting"),
        ("fit(x, y, 2, fix=[0])", "BadSetting"),
        ("fit(x, y, 1, fix={0: 1, 1: 1})", "TooFewFree"),
        ("fit(x, y, terms=[1], fix={0: 2})", "BadSetting"),
        ("fit(x, y, through=3)", "BadSetting"),
        ("fit(x, y, through=(1, nan))", "BadSetting"),
        ("fit(x, y, through=[(1, 2), (1, 3)])", "BadSetting"),
        ("fit(x, y, 2, fix={0: 1}, through=(0, 2))", "TooFewFree"),
        ("fit(x, y, 1, through=[(0, 1), (1, 2)])", "TooFewFree"),
        (
            "fit(x, y, 2, through=(1e6, 1e12))(1e6, outside='ignore')",
            "(abs(answer / 1e12 - 1) < 1e-9)",
        ),
        ("fit(x, y, 'auto', fix={0: 1})", "BadCall"),
        ("fit(x, y, 2, fix={0: 1e200})", "OutOfRange"),
        ("fit(x, y, 2, through=(1e300, 1))", "(abs(answer.coef[2]) < 1e-290)"),
    ],
    "Dates": [
        ("on_dates(3.0)", "NotNumbers"),
        ("f(dates)", "NotNumbers"),
        ("fit(dates, y, per='month')", "BadSetting"),
        ("fit(x, y, per='day')", "BadSetting"),
        ("fit([dates[0], 3], [1, 2], 1)", "NotNumbers"),
        ("fit(put(dates, 2, np.datetime64('NaT')), y)", "NotFinite"),
        ("fit(np.timedelta64(1, 's') * np.arange(10), y)", "(answer.n == 10)"),
        ("summarize(dates, y).axis.unit", "(answer == 'day')"),
        ("fit(dates - dates[0], y, 1).axis.unit", "(answer == 'day')"),
        ("f(dates - dates[0])", "NotNumbers"),
        ("summarize(x, y).fit('auto', criterion='loo')", "NeedsRows"),
        ("fit(x, y, criterion='bic')", "BadCall"),
        ("fit(x, y, folds=5)", "BadCall"),
        ("fit(x, y, 'auto', folds=11)", "BadSetting"),
        ("fit(x, y, 'auto', folds=5, criterion='bic')", "BadSetting"),
        ("fit(x, y, 'auto', folds=2000)", "TooManyParts"),
        ("fit(x, y, 'auto', folds='files')", "NeedsFiles"),
        ("on_dates(np.datetime64('NaT'))", "(answer != answer)"),
        ("on_dates(dates[-1] + 5, outside='raise')", "OutsideDomain"),
    ],
    "Asking a fit": [
        ("f(99, outside='raise')", "OutsideDomain"),
        ("f(1, outside='maybe')", "BadSetting"),
        ("f('a')", "NotNumbers"),
        ("f(None)", "NotNumbers"),
        ("f([])", "(answer.shape == (0,))"),
        ("f(1j)", "NotNumbers"),
        ("f.confidence_interval(95)", "BadSetting"),
        ("f.confidence_interval(0)", "BadSetting"),
        ("f.prediction_band(x, 'high')", "BadSetting"),
        ("f.derivative(0)", "BadSetting"),
        ("f.derivative(5).coef.tolist()", "(answer == [0])"),
        ("f.integral(1, 'b')", "NotNumbers"),
        ("f.integral(0, inf)", "BadSetting"),
        ("f.integral(1, 1).value", "(answer == 0)"),
        ("f.equation('fortran')", "UnknownName"),
        ("f.equation(digits=0)", "BadSetting"),
        ("f.to_numpy('hermite')", "BadSetting"),
        ("Fit.from_json('{}')", "BadRecord"),
        ("fit([0, 1, 2], [1, 3, 4], 2).stderr", "(np.isnan(answer).all())"),
    ],
    "Descents": [
        ("descend(x, y, optimizer=GradientDescent(1.0))", "RateTooLarge"),
        ("descend(x, y, optimizer=GradientDescent(-1.0))", "BadSetting"),
        ("descend(x, y, optimizer=Momentum(momentum=1.5))", "BadSetting"),
        ("descend(x, y, optimizer='sgd')", "UnknownName"),
        ("descend(x, y, optimizer=Momentum)", "UnknownName"),
        ("descend(x, y, optimizer=Momentum(), learning_rate=1e-6)", "SetTwice"),
        ("descend(x, y, optimizer='gd', momentum=0.9)", "BadSetting"),
        ("descend(x, y, learning_rate=nan)", "BadSetting"),
        ("descend(1e9 + x, y, 1, steps=5, tolerance=0.01).history.steps", "(answer == 5)"),
        ("descend(x, y, steps=0)", "BadSetting"),
        ("descend(x, y, steps=1.5)", "BadSetting"),
        ("descend(x, y, start=[1, 2])", "BadSetting"),
        ("descend(x, y, start='ones')", "BadSetting"),
        ("descend(x, y, basis='hermite')", "UnknownName"),
        ("descend(x, y, over='all')", "BadSetting"),
        ("descend(x, y, tolerance=-1)", "BadSetting"),
        ("descend(x, y, seed=-1)", "BadSetting"),
        ("descend(x, y, start=[10**400] * 4)", "BadSetting"),
        ("descend(x, y, optimizer=Adam(None))", "BadSetting"),
        (
            "descend(x, y, basis='legendre', optimizer=GradientDescent(1e300), "
            "allow_divergence=True).equation()",
            "('nan' in answer)",
        ),
    ],
    "Files": [
        ("fit('nowhere.csv', x='a', y='b')", "NoFile"),
        ("fit(file, x='Dates', y='Average')", "BadTable"),
        ("fit(file, 'Average')", "BadCall"),
        ("fit(file, x='column1', y='column0')", "BadValue"),
        ("fit(file, x='column1', y='column2', where='nonsense >')", "NoExpression"),
        ("fit(file, x='column1', y='column2', where='false')", "NoRows"),
        ("fit(x, y, where='x > 0')", "BadCall"),
        ("fit(x, 'y')", "BadCall"),
        ("fit(x, y, x=x)", "BadCall"),
    ],
}
CASES = [case for cases in TRIED.values() for case in cases]


def outcome_of(code):
    """(name of the refusal or "", its text, the answer) of evaluating a case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.OutsideDomainWarning)
        warnings.simplefilter("ignore", errors.ConvergenceWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # numpy.matrix
        try:
            return "", "", eval(code, dict(SPACE))
        except (errors.PolydescentError, TypeError) as refusal:
            return type(refusal).__name__, str(refusal), None


@pytest.mark.parametrize(("code", "expected"), CASES, ids=[code for code, _ in CASES])
def test_a_clear_error_or_a_right_answer(code, expected):
    name, text, answer = outcome_of(code)
    if expected.startswith("("):
        assert not name, text
        assert eval(expected, SPACE | {"answer": answer})
    else:
        assert name == expected, text
        assert len(text) > 20
        assert text[0].isupper() or text[0].islower() or text[0] in "'\"/"


def test_there_are_150_of_them():
    assert len({code for code, _ in CASES}) == len(CASES) >= 150


def page():
    """The table as Markdown: what was tried, what came of it."""
    lines = [
        "# Bad inputs",
        "",
        f"{len(CASES)} inputs that go wrong elsewhere, each with what happens here: a clear error",
        "or a right answer, never a wrong number, a bare traceback or a hang.",
        "`tests/test_bad_input.py` tries each of them and writes this page; there `x` and `y` are",
        "columns of ten numbers, `dates` of ten days, `f` is `fit(x, y, 2)`, `on_dates` is",
        "`fit(dates, y, 2)`, `put(x, 3, v)` is x with v in row 3, and `file` has a broken header.",
    ]
    for title, cases in TRIED.items():
        lines += ["", f"## {title}", "", "| tried | what happens |", "|---|---|"]
        for code, expected in cases:
            name, text, _ = outcome_of(code)
            text = re.sub(r"/\S*/(co2-\S+\.csv)", r"\1", re.sub(r" at 0x\w+", "", text))
            said = f"`{name}`: {text}" if name else f"right: `{expected[1:-1]}`"
            lines.append(f"| `{code}` | {said.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def test_the_page_is_this_table():
    assert PAGE.read_text(encoding="utf-8") == page()


# ── and what nobody thought of ──

NUMBERS = st.floats(width=64) | st.integers() | st.none() | st.booleans() | st.text(max_size=3)
COLUMNS = st.lists(NUMBERS, max_size=8) | st.text(max_size=4) | st.none() | st.floats()
REAL = st.floats(-1e100, 1e100) | st.integers(-(2**70), 2**70)


@st.composite
def spoiled(draw, **given):
    """What is asked of a fit: sound in every second example, else with one part anything at all.

    given: of each part (what is sound, what is not).
    """
    broken = draw(st.sampled_from([None, *given])) if draw(st.booleans()) else None
    return {name: draw(parts[name == broken]) for name, parts in given.items()}


def columns_of(n):
    column = st.lists(REAL, min_size=n, max_size=n)
    degree = st.integers(-2, 12) | st.text(max_size=5) | st.none()
    return spoiled(x=(column, COLUMNS), y=(column, COLUMNS), degree=(st.integers(0, n - 1), degree))


@pytest.mark.arrivals(60)
@settings(max_examples=150, deadline=None)
@given(st.integers(1, 8).flatmap(columns_of))
def test_anything_at_all_is_refused_or_fitted(arrive, asked):
    try:
        fit = pd.fit(asked["x"], asked["y"], asked["degree"])
    except errors.PolydescentError:
        return
    arrive()
    assert np.isfinite(np.asarray(fit.curve.weights)).all()


@pytest.mark.arrivals(90)
@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(-1e6, 1e6) | st.integers(-9, 9).map(float),
            st.floats(-1e6, 1e6),
            st.sampled_from([1.0, 0.5, 3.0, 0.0]),
        ),
        min_size=6,
        max_size=12,
    ),
    degree=st.integers(0, 4),
)
def test_no_other_weights_do_better(arrive, rows, degree):
    x, y, w = (np.array(column) for column in zip(*rows, strict=True))
    try:
        fit = pd.fit(x, y, degree, weights=w)
    except (errors.NoRows, errors.TooFewRows, errors.TooFewDistinct):
        return
    arrive()
    weights = np.asarray(fit.curve.weights)
    for k in range(degree + 1):
        for step in (1e-4, -1e-4):
            moved = weights.copy()
            moved[k] += step * (1 + np.abs(weights).max())
            residual = y - Polynomial(fit.curve.basis, fit.domain, moved)(x)
            assert (w * residual * residual).sum() >= fit.loss * (1 - 1e-9)


NEAR = st.integers(-9, 9) | st.floats(-9, 9)
CONSTRAINTS = spoiled(
    fix=(
        st.dictionaries(st.integers(0, 3), NEAR, max_size=2),
        st.dictionaries(st.integers(-1, 4), st.floats() | st.none(), max_size=3),
    ),
    terms=(st.none() | st.sets(st.integers(0, 3), min_size=2).map(sorted), COLUMNS),
    through=(st.none() | st.tuples(st.integers(-3, 3).map(lambda i: i + 0.5), NEAR), COLUMNS),
)


@pytest.mark.arrivals(40)
@settings(max_examples=100, deadline=None)
@given(CONSTRAINTS)
def test_any_constraints_are_refused_or_obeyed(arrive, asked):
    try:
        fit = pd.fit(X, Y, 3, **asked)
    except errors.PolydescentError:
        return
    arrive()
    fix, terms, through = asked["fix"], asked["terms"], asked["through"]
    for power, value in enumerate(fit.coef):
        if power in fix:
            assert value == fix[power]
        elif terms is not None and power not in terms:
            assert value == 0
    if through is not None:
        x, y = through
        size = np.abs(fit.coef) @ np.abs(float(x)) ** np.arange(fit.degree + 1)
        assert abs(fit(x, outside="ignore") - y) <= 1e-12 * (size + abs(y))


EXTREMES = st.sampled_from(
    [0, 1, -1, 3, 5e-324, 1e-300, 1e-150, 0.1, 1e150, 1e308, -1e308, 2**63, -(2**64), 10**30]
)


@st.composite
def extreme_rows(draw):
    """Rows of x, y and a size, each a column in a unit of its own; in every third example one
    value is of another size.
    """
    unit = st.sampled_from([1, 1e-130, 1e-9, 1e9, 1e140, 2**63, -(10**30)])
    places = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=7, unique=True))
    table = [[draw(unit) * p for p in places]]
    for least in (-9, 1):
        scale = draw(unit)
        table.append([scale * draw(st.integers(least, 9)) for _ in places])
    if draw(st.integers(0, 2)) == 2:
        table[draw(st.integers(0, 2))][draw(st.integers(0, len(places) - 1))] = draw(EXTREMES)
    return table, draw(st.integers(0, min(5, len(places) - 1)))


@pytest.mark.arrivals(90)
@settings(max_examples=200, deadline=None)
@given(extreme_rows(), st.sampled_from(["plain", "weights", "sigma", "fix", "terms", "through"]))
def test_any_size_is_refused_or_fitted(arrive, asked, how):
    (x, y, size), degree = asked
    given = {
        "plain": {},
        "weights": {"weights": list(map(abs, size))},
        "sigma": {"sigma": list(map(abs, size))},
        "fix": {"fix": {0: size[0]}},
        "terms": {"terms": [degree + 3]},
        "through": {"through": (size[0], y[0])},
    }[how]
    try:
        fit = pd.fit(x, y, degree, **given)
    except errors.PolydescentError:
        return
    arrive()
    assert np.isfinite(fit.curve.weights).all()
    assert 0 <= fit.loss < math.inf
    assert 0 <= fit.least_squares.tss < math.inf
    again = pd.Fit.from_json(fit.to_json())
    np.testing.assert_array_equal(again.coef, fit.coef)
    np.testing.assert_array_equal(again.stderr, fit.stderr)
    assert str(again)


ANYTHING = NUMBERS | COLUMNS | st.complex_numbers() | st.datetimes() | st.fractions()
TEN = st.lists(st.integers(1, 9), min_size=10, max_size=10)
PLACES = st.dates() | st.integers(2**60, 2**60 + 9) | st.floats(-1, 2)
# what is asked, and what may sensibly be asked
ASKED = {
    "call": (lambda fit, a: fit(a), PLACES),
    "outside": (
        lambda fit, a: fit(fit.domain.lo, outside=a),
        st.sampled_from(["warn", "raise", "ignore"]),
    ),
    "band": (lambda fit, a: fit.confidence_band(a), PLACES),
    "level": (lambda fit, a: fit.confidence_interval(a), st.floats(0.01, 0.99)),
    "derivative": (lambda fit, a: fit.derivative(a), st.integers(1, 9)),
    "integral": (lambda fit, a: fit.integral(a, a), PLACES),
    "degrees": (lambda fit, a: fit.degrees(a), st.integers(0, 5)),
    "equation": (lambda fit, a: fit.equation(a), st.sampled_from(["text", "python", "latex"])),
    "digits": (lambda fit, a: fit.equation(digits=a), st.integers(1, 17)),
    "to_numpy": (lambda fit, a: fit.to_numpy(a), st.sampled_from(["power", "chebyshev"])),
    "from_polyfit": (lambda fit, a: pd.Fit.from_polyfit(a, X, Y), TEN.map(lambda ten: ten[:4])),
    "weights": (lambda fit, a: pd.fit(X, Y, 1, weights=a), TEN),
    "sigma": (lambda fit, a: pd.fit(X, Y, 1, sigma=a), TEN),
    "missing": (lambda fit, a: pd.fit(X, Y, 1, missing=a), st.sampled_from(["raise", "omit"])),
    "per": (
        lambda fit, a: pd.fit(np.datetime64("2024-01-01") + np.arange(10), Y, 1, per=a),
        st.sampled_from(["day", "year"]),
    ),
}
MODELS = [
    pd.fit(X, Y, 2),
    pd.fit(np.datetime64("2024-01-01") + np.arange(10), Y, 2),
    pd.fit(2**60 + np.arange(10), Y, 2),
]


@pytest.mark.arrivals(3)
@pytest.mark.filterwarnings("ignore::polydescent.errors.OutsideDomainWarning")
@pytest.mark.parametrize("asked", ASKED)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), model=st.sampled_from(MODELS))
def test_anything_may_be_asked(arrive, asked, data, model):
    ask, sensible = ASKED[asked]
    argument = data.draw(ANYTHING | sensible if data.draw(st.booleans()) else sensible)
    try:
        ask(model, argument)
    except errors.PolydescentError:
        return  # anything else that it raises is a failure
    arrive()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
