"""The equation in every style, read back and run; the report; JSON and NumPy bridges."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import warnings

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.cli import main
from polydescent.polynomial.text import equation, number, with_error

X = np.linspace(-2.0, 3.0, 40)
FAR = 1.6e9 + 86_400.0 * np.arange(40)  # powers of epoch seconds lose every digit
CURVES = {
    "near": pd.fit(X, np.exp(X) + 0.01 * np.sin(40 * X), 5),
    "far": pd.fit(FAR, np.cos(np.arange(40) / 9), 4),
    "constant": pd.fit(X, 0 * X + 2.5, 0),
    "zero": pd.fit(X, 0 * X, 2),
    "whole": pd.fit(np.arange(9), 3 - 2 * np.arange(9) ** 2, 2),
}


def points(fit):
    return np.linspace(fit.domain.lo, fit.domain.hi, 11)


def assert_same(found, fit):
    """Code evaluates the curve with the few digits that Horner's rule loses."""
    size = np.abs(np.asarray(fit.curve.weights)).sum()
    np.testing.assert_allclose(found, fit(points(fit)), rtol=0, atol=1e-12 * size)


@pytest.mark.parametrize("name", CURVES)
def test_python_runs(name):
    fit, space = CURVES[name], {}
    exec(fit.equation("python"), space)
    assert_same([space["f"](x) for x in points(fit).tolist()], fit)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_c_compiles_and_runs(tmp_path):
    source = "#include <stdio.h>\n"
    for i, fit in enumerate(CURVES.values()):
        source += fit.equation("c").replace("double f(", f"static double f{i}(") + "\n"
    source += "int main(void) {\n"
    for i, fit in enumerate(CURVES.values()):
        for x in points(fit).tolist():
            source += f'    printf("%.17g\\n", f{i}({x!r}));\n'
    (tmp_path / "curves.c").write_text(source + "}\n")
    compile_ = ["cc", "-std=c99", "-Wall", "-Werror", "-ffp-contract=off", "curves.c", "-o", "run"]
    subprocess.run(compile_, cwd=tmp_path, check=True)
    out = subprocess.run([tmp_path / "run"], capture_output=True, text=True, check=True).stdout
    found = np.array(out.split(), dtype=float).reshape(len(CURVES), -1)
    for values, fit in zip(found, CURVES.values(), strict=True):
        assert_same(values, fit)


@pytest.mark.skipif(shutil.which("node") is None, reason="no JavaScript here")
def test_javascript_runs():
    script = "const found = [];\n"
    for fit in CURVES.values():
        script += f"found.push((() => {{ {fit.equation('javascript')}\n"
        script += f"return {points(fit).tolist()}.map(f); }})());\n"
    script += "console.log(JSON.stringify(found));"
    out = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout
    for values, fit in zip(json.loads(out), CURVES.values(), strict=True):
        assert_same(values, fit)


@pytest.mark.parametrize("name", CURVES)
def test_sql_runs(name):
    duckdb = pytest.importorskip("duckdb")
    fit = CURVES[name]
    values = ", ".join(f"({x!r}::DOUBLE)" for x in points(fit).tolist())
    expression = fit.equation("sql", x="price")
    rows = duckdb.sql(f"SELECT {expression} FROM (VALUES {values}) t(price)").fetchall()
    assert_same([float(row[0]) for row in rows], fit)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("plain", "y = 1.5 - 2 x + 4.1e-07 x^3"),
        ("unicode", "y = 1.5 − 2 x + 4.1·10⁻⁷ x³"),
        ("latex", r"y = 1.5 - 2 x + 4.1 \times 10^{-7} x^{3}"),
    ],
)
def test_prose(style, expected):
    assert equation([1.5, -2, 0, 4.1e-7], style=style) == expected


def test_latex_has_one_token_an_exponent():
    assert equation([0] * 12 + [1.0], style="latex") == "y = 1 x^{12}"


def test_seventeen_digits_read_back():
    rng = np.random.default_rng(1)
    values = rng.normal(size=200) * 10.0 ** rng.integers(-300, 300, 200)
    assert [float(number(v)) for v in values] == values.tolist()
    assert number(0.1) == "0.1"
    fit = CURVES["near"]
    terms = fit.equation(digits=17).removeprefix("y = ").replace("- ", "-").replace("+ ", "")
    assert [float(t) for t in terms.split()[:1] + terms.split()[1::2]] == fit.coef.tolist()


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (1.23456, 0.0012, "1.2346(12)"),
        (1.23456, 0.0996, "1.235(100)"),
        (-0.26232, 0.23281, "-0.26(23)"),
        (1234.5, 67.0, "1234(67)"),
        (1234567.0, 12345.0, "1234567(12345)"),
        (7.32059160401e-7, 1.57817e-10, "7.3206(16)e-07"),
        (0.0, 0.5, "0.00(50)"),
        (5.0, 0.0, ""),
        (5.0, math.nan, ""),
        (5.0, math.inf, ""),
        (1.0, 1e-30, ""),
    ],
)
def test_errors_in_the_last_digits(value, stderr, text):
    assert with_error(value, stderr) == text


def test_print_says_what_was_done():
    rng = np.random.default_rng(2)
    fit = pd.fit(X, 1 + 2 * X + 0.1 * rng.normal(size=40), 1, weights=np.full(40, 2.0))
    text = str(fit)
    assert text.startswith("y = 1.0")
    for said in (
        "rows: 40 used",
        "x: from -2 to 3",
        "refined: coefficients are exact, rounded once",
        "s²·(VᵀWV)⁻¹",
        "W = the weights of the squares",
        "degrees of freedom 38",
        "adjusted",
        "AIC, AICc, BIC",
        "95 % interval",
    ):
        assert said in text
    assert "\n" not in repr(fit)
    assert "held: x^0 = 0, x^2 = 0" in str(pd.fit(X, X, terms=[1, 3]))


@pytest.mark.parametrize(
    ("settings", "begins", "far"),
    [
        ({"degree": 1}, "steps exhausted: loss ", True),
        ({"degree": 1, "basis": "chebyshev", "steps": 4}, "steps exhausted: loss ", False),
        (
            {"degree": 1, "learning_rate": 1.0, "allow_divergence": True, "steps": 9},
            "diverged: loss ",
            True,
        ),
        (
            {"degree": 1, "learning_rate": 1.0, "allow_divergence": True},
            "diverged: the loss overflowed",
            True,
        ),
    ],
)
def test_a_descent_that_has_not_arrived_prints_so_first(settings, begins, far):
    t = np.arange(1990, 2021.0)
    rng = np.random.default_rng(7)
    run = pd.descend(t, 10 * (t - 2005) + rng.standard_normal(31), start=[1.0, 0.0], **settings)
    first, advice, equation_, *rest = str(run).splitlines()
    assert first.startswith(begins)
    assert first.endswith("far from least squares") == far
    assert advice == run.advice
    assert equation_ == run.equation()
    assert not re.search(r"\d\(\d+\)", equation_)  # no standard errors
    for not_said in ("interval", "std. error", "standard errors", "AIC"):
        assert not_said not in str(run)
    best = pd.fit(t, 10 * (t - 2005) + np.random.default_rng(7).standard_normal(31), 1).coef
    assert [float(line.split()[-1]) for line in rest[-2:]] == pytest.approx(list(best), rel=1e-8)


def test_a_descent_that_has_arrived_prints_as_a_fit_does():
    rng = np.random.default_rng(7)
    run = pd.descend(X, 1 + X + 0.1 * rng.standard_normal(40), 1, basis="chebyshev")
    assert run.outcome is pd.Outcome.CONVERGED
    assert re.match(r"y = \d\.\d+\(\d+\) \+", str(run))
    assert "95 % interval" in str(run)


@pytest.mark.parametrize("style", ["plain", "unicode", "latex", "python", "c", "sql", "javascript"])
def test_every_style_is_there_and_refuses_what_is_not(style):
    assert CURVES["near"].equation(style, digits=3)
    with pytest.raises(errors.BadSetting, match="1 to 17"):
        CURVES["near"].equation(style, digits=18)


def test_an_unknown_style_names_the_known():
    with pytest.raises(errors.UnknownName, match="latex"):
        CURVES["near"].equation("latexx")


# ── bridges ──


def test_to_numpy():
    fit = CURVES["near"]
    power, chebyshev = fit.to_numpy(), fit.to_numpy("chebyshev")
    assert isinstance(power, np.polynomial.Polynomial)
    assert power.coef.tolist() == fit.coef.tolist()
    at = points(fit)
    np.testing.assert_allclose(power(at), fit(at), rtol=1e-12)
    np.testing.assert_allclose(chebyshev(at), fit(at), rtol=1e-14)
    far = CURVES["far"]
    np.testing.assert_allclose(far.to_numpy("chebyshev")(points(far)), far(points(far)), atol=1e-11)
    with pytest.raises(errors.BadSetting, match="chebyshev"):
        fit.to_numpy("legendre")


def test_from_polyfit_says_how_far_off_it_is():
    y = np.sin(X)
    fit = pd.Fit.from_polyfit(np.polyfit(X, y, 3), X, y)
    np.testing.assert_allclose(fit.coef, np.polyfit(X, y, 3)[::-1], rtol=0)
    assert 0 <= fit.excess < 1e-12
    assert fit.outcome is pd.Outcome.GIVEN
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        poor = pd.Fit.from_polyfit(np.polyfit(FAR, y, 4), FAR, y)
    assert poor.excess > 1e-9
    with pytest.raises(errors.BadSetting, match="finite"):
        pd.Fit.from_polyfit([math.nan, 1], X, y)


ROUND_TRIPS = {
    "exact": lambda: pd.fit(X, np.exp(X), 4, weights=1 + X**2),
    "constrained": lambda: pd.fit(X, np.exp(X), terms=[0, 2, 3], through=(0.5, 2.0)),
    "absolute": lambda: pd.fit(X, np.exp(X), 2, sigma=1 + X**2, absolute_sigma=True),
    "summary": lambda: pd.summarize(X, np.exp(X), 3).fit(),
    "descent": lambda: pd.descend(X, np.exp(X), 2, steps=30, optimizer=pd.Momentum()),
    "diverged": lambda: pd.descend(
        X, np.exp(X), 2, steps=900, optimizer=pd.GradientDescent(1.0), allow_divergence=True
    ),
    "dates": lambda: pd.fit(np.datetime64("2020-01-01", "s") + np.arange(40), X, 2, per="year"),
    "large": lambda: pd.fit(2**60 + np.arange(40), X, 2),
    "given": lambda: pd.Fit.from_polyfit([1.0, 2.0], X, np.exp(X)),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_json_round_trips_exactly(name):
    fit = ROUND_TRIPS[name]()
    text = fit.to_json()
    json.loads(text, parse_constant=pytest.fail)
    back = pd.Fit.from_json(text)
    assert back.to_json() == text
    for attribute in (
        "coef",
        "stderr",
        "covariance",
        "loss",
        "r2",
        "residual_sd",
        "aic",
        "bic",
        "n",
    ):
        np.testing.assert_array_equal(getattr(back, attribute), getattr(fit, attribute))
    assert back.outcome is fit.outcome
    assert back.equation(digits=17) == fit.equation(digits=17)
    assert back.advice == fit.advice
    if fit.history is not None:
        np.testing.assert_array_equal(back.history.loss, fit.history.loss)
        assert back.forecast.optimizer == fit.forecast.optimizer


@pytest.mark.parametrize("text", ["", "{}", "[1]", "null", '{"summary": 3}', "{" * 50])
def test_json_that_is_no_fit(text):
    with pytest.raises(errors.BadRecord, match="to_json"):
        pd.Fit.from_json(text)


# ── the command ──


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """Run `polydescent fit` on a file of x, y, s; returns (exit code, stdout, stderr)."""
    rng = np.random.default_rng(3)
    y = 1 + X**2 + 0.1 * rng.normal(size=40)
    s = rng.uniform(0.5, 2, 40)
    lines = [
        f"{a!r},{b!r},{c!r}" for a, b, c in zip(X.tolist(), y.tolist(), s.tolist(), strict=True)
    ]
    (tmp_path / "data.csv").write_text("\n".join(["x,y,s", *lines]))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        typed = ["polydescent", "fit", "data.csv", "--x", "x", "--y", "y", *arguments]
        monkeypatch.setattr("sys.argv", typed)
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *capsys.readouterr()

    return run, y, s


def test_the_command_prints_the_statistics(command):
    run, y, s = command
    fit = pd.fit(X, y, 2, sigma=s)
    code, out, _ = run("--degree", "2", "--sigma", "s", "--level", "0.9", "--style", "latex")
    assert code == 0
    assert fit.equation("latex", errors=True) in out
    low, high = fit.confidence_interval(0.9)[1]
    assert f"[{low:.6g}, {high:.6g}]" in out
    assert "90 % interval" in out
    assert f"residual sd                 {fit.residual_sd:.6g}" in out


def test_the_command_prints_them_as_json(command):
    run, y, s = command
    fit = pd.fit(X, y, "auto:5", weights=s)
    found = json.loads(run("--degree", "auto:5", "--weights", "s", "--json")[1])
    assert found["degree"] == fit.degree == found["degrees"]["pick"]
    assert found["coef"] == fit.coef.tolist()
    assert found["stderr"] == fit.stderr.tolist()
    assert found["confidence_interval"] == fit.confidence_interval().tolist()
    assert (found["aic"], found["bic"]) == (fit.aic, fit.bic)
    assert found["extrema"][0]["x"]["stderr"] == fit.extrema()[0].x.stderr
    assert len(found["degrees"]["loss"]) == 6
    assert found["refined"]


def test_the_command_takes_constraints(command):
    run, y, _ = command
    fit = pd.fit(X, y, 2, fix={1: 0.0}, through=[(0, 1.0)])
    found = json.loads(run("--degree", "2", "--fix", "1=0", "--through", "0,1", "--json")[1])
    assert found["coef"] == fit.coef.tolist()
    assert found["held"] == "x^1 = 0, through (0, 1)"
    terms = json.loads(run("--terms", "0,2", "--json")[1])
    assert terms["coef"] == pd.fit(X, y, terms=[0, 2]).coef.tolist()


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--degree", "three"], "degree must be a whole number"),
        (["--fix", "1:0"], "powers and values"),
        (["--terms", "a"], "the powers of x to use"),
        (["--level", "95"], "between 0 and 1"),
        (["--style", "fortran"], "There is no equation style"),
        (["--sigma", "s", "--weights", "s"], "not both"),
        (["--absolute-sigma"], "needs --sigma"),
        (["--per", "day"], "only dates"),
        (["--optimizer", "gd", "--fix", "0=0"], "leave out --fix"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_command_refuses_with_advice(command, arguments, advice):
    code, out, err = command[0](*arguments)
    assert (code, out) == (2, "")
    assert advice in err


@pytest.mark.parametrize("style", ["plain", "unicode", "latex"])
def test_equations_to_read_carry_their_errors(style):
    fit = pd.fit(X, 1e-7 * (np.cos(X) + 3), 1)
    found = fit.equation(style, errors=True)
    times = {"plain": "e-07", "unicode": "·10⁻⁷", "latex": r" \times 10^{-7}"}[style]
    assert re.search(r"y = \d\.\d+\(\d\d\)" + re.escape(times), found)
    assert "(" not in fit.equation(style)


def test_errors_that_are_not_known_or_not_wanted():
    line = pd.fit([0, 1], [1, 3], 1)
    assert line.equation(errors=True) == line.equation() == "y = 1 + 2 x"
    with pytest.raises(errors.BadCall, match="to read"):
        line.equation("c", errors=True)
