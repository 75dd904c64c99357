"""Settings: one rule for whole numbers, numbers, levels and names, wherever they are passed."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

import polydescent as pd
from polydescent import errors
from polydescent.checks import DEGREES, as_whole
from polydescent.polynomial.text import equation
from polydescent.report.derivation import explain
from polydescent.report.trace import Trace
from polydescent.rows.function import sample
from polydescent.triangle.kernels import native

X = np.linspace(0, 1, 40)
Y = np.cos(5 * X)
FIT = pd.fit(X, Y, 3)
RUN = pd.descend(X, Y, 3, basis="chebyshev", steps=50)

FIVES = [5, 5.0, np.int64(5), np.uint8(5), np.float32(5), np.array(5), torch.tensor(5)]
FIVES += [Decimal(5), Fraction(5)]
NO_WHOLE = [
    True,
    np.True_,
    np.array(True),
    "5",
    b"5",
    5.5,
    np.nan,
    np.inf,
    None,
    [5],
    np.array([5]),
]
NO_WHOLE += [5 + 0j, {}, object(), np.datetime64(5, "D")]

WHOLE = {  # what is passed, and what comes out
    "degree": lambda n: pd.fit(X, Y, n).degree,
    "degree of a descent": lambda n: pd.descend(X, Y, n, basis="chebyshev", steps=9).degree,
    "degree of a summary": lambda n: pd.summarize(X, Y, n).degree,
    "up_to": lambda n: len(FIT.degrees(n).loss),
    "steps": lambda n: pd.descend(X, Y, 1, steps=n).history.steps,
    "seed": lambda n: list(pd.descend(X, Y, 1, seed=n).coef),
    "folds": lambda n: pd.fit(X, Y, "auto", criterion="cv", folds=n).choice.folds,
    "digits": lambda n: FIT.equation(digits=n),
    "digits of code": lambda n: FIT.equation("python", digits=n),
    "digits of text": lambda n: equation(FIT.coef, digits=n),
    "order": lambda n: list(FIT.derivative(n).coef),
    "step": lambda n: RUN.forecast.loss_at(n),
    "traced": lambda n: Trace.of(RUN, n).step,
    "explained": lambda n: explain(n),
    "points": lambda n: len(sample("x", (0, 1), n)[0]),
    "noise": lambda n: list(sample("x", (0, 1), 9, 0.1, n)[1]),
    "fix": lambda n: list(pd.fit(X, Y, 6, fix={n: 1.0}).coef),
    "terms": lambda n: list(pd.fit(X, Y, terms=[0, n]).coef),
}


@pytest.mark.filterwarnings("ignore::polydescent.ConvergenceWarning")
@pytest.mark.parametrize("ask", WHOLE.values(), ids=WHOLE)
def test_whole_numbers_are_one_thing_everywhere(ask):
    expected = ask(5)
    for five in FIVES:
        if _may_be_passed(ask, five):
            assert ask(five) == expected, repr(five)
    for other in NO_WHOLE:
        if _may_be_passed(ask, other):
            with pytest.raises((errors.BadSetting, errors.BadDegree)):
                ask(other)


def _may_be_passed(ask, value):
    """Whether a value can be passed there and is asked about: None leaves some settings out, steps
    may be an array, keys of a dict have a hash.
    """
    if ask is WHOLE["fix"]:
        return not isinstance(value, list | dict | np.ndarray)
    if ask is WHOLE["step"]:
        return not np.ndim(value)
    optional = ("up_to", "folds", "digits", "digits of code")
    return value is not None or ask not in [WHOLE[name] for name in optional]


def test_whole_numbers_of_any_size():
    assert as_whole(10**400) == 10**400
    assert as_whole(1e300) == int(1e300)
    with pytest.raises(errors.BadSetting):
        RUN.forecast.loss_at(10**400)
    with pytest.raises(errors.BadSetting):
        FIT.derivative(10**400)


def test_a_page_takes_any_whole_number(tmp_path):
    for five in FIVES:
        FIT.explore(tmp_path / "p.html", sample=five)
    for other in NO_WHOLE:
        with pytest.raises(errors.BadSetting, match="sample"):
            FIT.explore(tmp_path / "p.html", sample=other)


NO_NUMBER = ["a", "0.5", None, [0.5], {}, object(), True, 1j]
NUMBERS = {
    "level of a plot": lambda v: FIT.plot(level=v),
    "level of a band": lambda v: FIT.confidence_band(0.5, v),
    "level of coefficients": lambda v: FIT.confidence_interval(v),
    "level of a table": lambda v: FIT.to_frame(X, v),
    "level of a root": lambda v: FIT.roots()[0].confidence_interval(v),
    "tolerance": lambda v: pd.descend(X, Y, 1, tolerance=v),
    "rate": lambda v: pd.GradientDescent(v),
    "rate of momentum": lambda v: pd.Momentum(v),
    "momentum": lambda v: pd.Momentum(momentum=v),
    "momentum of nesterov": lambda v: pd.Nesterov(momentum=v),
    "rate of adam": lambda v: pd.Adam(v),
    "betas": lambda v: pd.Adam(betas=(v, 0.9)),
    "both betas": lambda v: pd.Adam(betas=v),
    "eps": lambda v: pd.Adam(eps=v),
    "named": lambda v: pd.descend(X, Y, 1, learning_rate=v),
    "excess": lambda v: RUN.forecast.steps_to(v),
    "y": lambda v: FIT.inverse(v),
    "sigma of y": lambda v: FIT.inverse(0.5, sigma=v),
    "noise": lambda v: sample("x", (0, 1), 9, v),
}
LEFT_OUT = {"tolerance", "rate", "rate of momentum", "momentum", "momentum of nesterov", "named"}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_refused(name):
    for value in NO_NUMBER:
        if not (value is None and name in LEFT_OUT):
            with pytest.raises(errors.BadSetting):
                NUMBERS[name](value)


NAMES = {
    "over": lambda v: pd.descend(X, Y, 1, over=v),
    "outside": lambda v: FIT(0.5, outside=v),
    "missing": lambda v: pd.fit(X, Y, 1, missing=v),
    "criterion": lambda v: pd.fit(X, Y, "auto", criterion=v),
    "basis": lambda v: pd.descend(X, Y, 1, basis=v),
    "basis of NumPy": lambda v: FIT.to_numpy(v),
    "kind": lambda v: FIT.plot(v),
    "style": lambda v: FIT.equation(v),
    "optimizer": lambda v: pd.descend(X, Y, 1, optimizer=v),
    "per": lambda v: pd.fit(X, Y, 1, per=v),
    "explained": lambda v: explain(1, v),
    "language": lambda v: FIT.explore("p.html", language=v),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_name_is_refused(name):
    for value in ["no such", 1, ["raise"], {}, np.array(["raise", "warn"])]:
        with pytest.raises((errors.BadSetting, errors.UnknownName)):
            NAMES[name](value)


def test_degrees_end_where_the_table_says():
    for most, ask in (("any", pd.summarize), ("exact", lambda *a: pd.fit(*a, fix={0: 1.0}))):
        with pytest.raises(errors.BadSetting, match=f"at most {DEGREES[most]}"):
            ask(X, Y, DEGREES[most] + 1)
    assert explain(DEGREES["explained"])
    with pytest.raises(errors.BadSetting):
        explain(DEGREES["explained"] + 1)
    x = np.linspace(0, 1, 400)
    assert pd.summarize(x, x, DEGREES["any"]).degree == DEGREES["any"]
    if not native.MISSING:
        assert DEGREES["in C"] == native.lib.MAX_DEGREE
