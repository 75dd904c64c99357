"""The command as a user runs it: what it prints, what it refuses, what it leaves behind."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import polydescent as pd
from polydescent.cli import options
from polydescent.descent.batches import DRAWS
from polydescent.descent.optimizers import OPTIMIZERS
from polydescent.polynomial.basis import BASES
from polydescent.report.languages import LANGUAGES
from polydescent.triangle.kernels import KERNELS

DATA = Path(__file__).parent / "data"
TEMPERATURE = str(DATA / "global-temperature-monthly.csv")
CO2 = str(DATA / "co2-mauna-loa-monthly.csv")


def test_approximate_prints_the_lesson_and_what_it_does_not_say(polydescent):
    code, out, err = polydescent("approximate", "sin(x)")
    lines = out.splitlines()
    x = np.linspace(-np.pi, np.pi, 2000)
    run = pd.descend(x, np.sin(x), optimizer=pd.GradientDescent(1e-6))
    assert code == 0
    assert not err
    logged = [line.split() for line in lines[:20]]
    assert [int(step) for step, _ in logged] == list(range(99, 2000, 100))
    np.testing.assert_allclose([float(v) for _, v in logged], run.history.loss[99:2000:100], 1e-8)
    assert lines[20] == f"Result: {run.equation()}"
    assert " x + " in lines[20] or " x - " in lines[20]
    for said in (
        "seed                        0",
        "lowest loss possible        8.81716541",
        "largest stable rate         3.55795e-06",
        "excess                      3.037 %",
        "269 more",
        "2,497 more",
    ):
        assert said in out


def test_json_says_the_same_as_numbers(polydescent):
    code, out, _ = polydescent("approximate", "sin(x)", "--json", "--start", "0.1,0.2,0.3,0.4")
    found = json.loads(out)
    x = np.linspace(-np.pi, np.pi, 2000)
    run = pd.descend(x, np.sin(x), optimizer=pd.GradientDescent(1e-6), start=[0.1, 0.2, 0.3, 0.4])
    assert code == 0
    assert found["coef"] == list(run.coef)
    assert found["loss"] == run.loss
    assert found["log"][0] == [99, run.history.loss[99]]
    assert found["steps_to_1_percent"] == run.forecast.steps_to(0.01)
    assert found["largest_stable_rate"] == run.forecast.largest_stable_rate
    assert found["optimizer"] == {"name": "gd", "learning_rate": 1e-6}


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adam", "exact"])
@pytest.mark.parametrize("basis", ["power", "chebyshev", "legendre"])
@pytest.mark.parametrize("over", ["rows", "summary"])
def test_every_optimizer_in_every_basis(polydescent, optimizer, basis, over):
    code, out, _ = polydescent(
        "approximate", "exp(-x**2)", "--interval", "-1,1", "--points", 200, "--degree", 2,
        "--optimizer", optimizer, "--basis", basis, "--over", over, "--steps", 50, "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert np.isfinite(found["coef"]).all()
    assert found["loss"] >= found["lowest_loss"] * (1 - 1e-12)


def test_the_second_lesson_tensors(polydescent):
    pytest.importorskip("torch")
    tensors = ("--backend", "torch", "--dtype", "float32", "--over", "rows")
    code, out, _ = polydescent("approximate", "sin(x)", "--json", *tensors)
    plain = json.loads(polydescent("approximate", "sin(x)", "--json")[1])
    found = json.loads(out)
    assert code == 0
    assert found["kind"] == "torch float32 on cpu"
    np.testing.assert_allclose(found["coef"], plain["coef"], atol=2e-4)
    assert found["loss"] == pytest.approx(plain["loss"], rel=2e-4)


def test_a_rate_nobody_asked_for_never_explodes(polydescent):
    """At degree 5 the lesson's 1e-6 diverges: without --learning-rate the fastest serves."""
    code, out, _ = polydescent("approximate", "sin(x)", "--degree", 5, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["optimizer"]["learning_rate"] == found["fastest"]["learning_rate"] < 1e-7
    code, _, err = polydescent("approximate", "sin(x)", "--degree", 5, "--learning-rate", "1e-6")
    assert code == 2
    assert "largest stable rate is 5.75" in err
    code, out, _ = polydescent(
        "approximate", "sin(x)", "--degree", 5, "--learning-rate", "1e-6", "--allow-divergence"
    )
    assert code == 0
    assert "Diverged: learning rate 1e-06 is above the largest stable one" in out


def test_fit_a_real_file_with_an_expression_and_huge_x(polydescent):
    x = "epoch(strptime(Year, '%Y-%m'))"
    exact, descended = (
        polydescent("fit", TEMPERATURE, "--x", x, "--y", "Mean", "--json", *more)
        for more in ([], ["--optimizer", "gd", "--start", "zeros"])
    )
    assert exact[0] == descended[0] == 0
    exact, descended = json.loads(exact[1]), json.loads(descended[1])
    rows = np.loadtxt(TEMPERATURE, delimiter=",", skiprows=1, usecols=(1, 2), dtype=str)
    epoch = rows[:, 0].astype("M8[M]").astype("M8[s]").astype(float)
    mean = rows[:, 1].astype(float)
    assert exact["rows"] == len(mean) == 3823
    u = (epoch - epoch.mean()) / np.ptp(epoch)
    theirs = np.polynomial.Polynomial.fit(u, mean, 3)
    assert exact["loss"] == pytest.approx(np.sum((theirs(u) - mean) ** 2), rel=1e-12)
    curve = np.polynomial.polynomial.polyval(epoch, exact["coef"])
    np.testing.assert_allclose(curve, theirs(u), atol=1e-9)
    assert descended["basis"] == "chebyshev"
    assert descended["outcome"] == "converged"
    np.testing.assert_allclose(descended["coef"], exact["coef"], rtol=1e-6)


@pytest.mark.parametrize("word", ["auto", "fastest"])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov"])
def test_the_fastest_stable_rate_by_name(polydescent, word, optimizer):
    asked = ("approximate", "sin(x)", "--optimizer", optimizer, "--json", "--learning-rate", word)
    found = json.loads(polydescent(*asked)[1])
    x = np.linspace(-np.pi, np.pi, 2000)
    assert found["optimizer"] == found["fastest"]
    assert list(found["coef"]) == list(pd.descend(x, np.sin(x), optimizer=optimizer).coef)


def test_a_run_that_ends_far_off_says_so_first_and_once(polydescent):
    far = ("approximate", "x", "--interval", "1990,2020", "--degree", 1, "--log-every", 0)
    code, out, err = polydescent(*far)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("steps exhausted: loss ")
    assert lines[0].endswith("far from least squares")
    assert "--basis chebyshev" in lines[1]
    assert lines[2].startswith("So far: y = ")
    assert out.count("were not enough") == 1
    found = json.loads(polydescent(*far, "--json")[1])
    assert found["outcome"] == "steps exhausted"
    assert found["advice"] == lines[1]
    mapped = polydescent(*far, "--basis", "chebyshev")[1].splitlines()
    assert mapped[0].startswith("Result: y = ")


def test_a_header_that_does_not_match_is_explained(polydescent):
    code, out, err = polydescent("fit", CO2, "--x", "Decimal Date", "--y", "Average")
    assert code == 2
    assert not out
    for said in ("names 6 columns", "7 values", "Decimal Date", "column1 (first value 1958.2027)"):
        assert said in err
    code, out, _ = polydescent("fit", CO2, "--x", "column1", "--y", "column3", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["rows"] == 820
    assert found["domain"][0] == 1958.2027


REFUSALS = {
    "code": (["approximate", "__import__('os')"], "'__import__' is not a known function"),
    "attribute": (["approximate", "x.__class__"], "not allowed"),
    "lambda": (["approximate", "(lambda: 1)()"], "not allowed"),
    "power sign": (["approximate", "x^2"], r"write \*\*"),
    "unknown": (["approximate", "sin(y)"], "'y' is not a known name"),
    "syntax": (["approximate", "sin(x"], "was never closed"),
    "division": (["approximate", "sin(1/0)"], "nan at x ="),
    "pole": (["approximate", "1/x", "--interval", "-1,1", "--points", 3], "inf at x = 0"),
    "hang": (["approximate", "9**9**9**9"], "inf at x ="),
    "deep": (["approximate", "(" * 300 + "x" + ")" * 300], "Cannot use"),
    "long": (["approximate", "x+" * 2000 + "x"], "4,001 characters"),
    "zero width": (["approximate", "x", "--interval", "2,2"], "the first smaller"),
    "one end": (["approximate", "x", "--interval", "2"], "as -pi,pi"),
    "end in x": (["approximate", "x", "--interval", "x,2"], "cannot depend on x"),
    "points": (["approximate", "x", "--points", 1], "2 or more"),
    "noise": (["approximate", "x", "--noise", -1], "0 or more"),
    "steps": (["approximate", "x", "--steps", 0], "1 or more"),
    "degree": (["approximate", "x", "--degree", -1], "whole number from 0"),
    "few points": (["approximate", "x", "--points", 3], "Use --degree 2 or less"),
    "rate": (["approximate", "sin(x)", "--learning-rate", 1e-5], "largest stable rate is 3.55"),
    "rate text": (
        ["approximate", "x", "--learning-rate", "fast"],
        "--learning-rate must be auto, fastest or a number above 0, found 'fast'",
    ),
    "rates": (["approximate", "x", "--learning-rate", "1e-6,1"], "found '1e-6,1'"),
    "no rate": (["approximate", "x", "--learning-rate", ""], "found ''"),
    "rate nan": (["approximate", "x", "--learning-rate", "nan"], "a number above 0"),
    "rate below 0": (["approximate", "x", "--learning-rate", "-1"], "a number above 0"),
    "rate of adam": (
        ["approximate", "x", "--optimizer", "adam", "--learning-rate", "auto"],
        "no rate is the fastest of Adam",
    ),
    "start": (["approximate", "x", "--start", "1,2"], "4 finite numbers"),
    "start text": (["approximate", "x", "--start", "one"], "numbers between commas"),
    "momentum of gd": (["approximate", "x", "--momentum", 0.5], "gd has none"),
    "backend": (["approximate", "x", "--backend", "jax"], "There are: numpy, torch"),
    "device": (["approximate", "x", "--device", "cuda"], "There are: cpu"),
    "gpu": (["approximate", "x", "--backend", "torch", "--device", "tpu"], "There are: cpu"),
    "dtype": (["approximate", "x", "--dtype", "int8"], "There are: float32, float64"),
    "picture": (["approximate", "x", "--plot", "a.gif"], ".png"),
    "no file": (["fit", DATA / "co2-mauna.csv", "--x", "a", "--y", "b"], "There is no file"),
    "column": (["fit", TEMPERATURE, "--x", "Yeer", "--y", "Mean"], "Did you mean 'Year'"),
    "text": (
        ["fit", TEMPERATURE, "--x", "Year", "--y", "Mean"],
        "'Year' holds '1850-01' in row 0 ",
    ),
    "sql": (["fit", TEMPERATURE, "--x", "Mean +", "--y", "Mean"], "cannot use 'Mean \\+'"),
    "where": (["fit", TEMPERATURE, "--x", "Mean", "--y", "Mean", "--where", "Foo > 1"], "Foo"),
    "no rows": (["fit", TEMPERATURE, "--x", "Mean", "--y", "Mean", "--where", "1 = 2"], "No rows"),
    "suffix": (["fit", __file__, "--x", "a", "--y", "b"], "may end in .csv"),
    "nothing": (["approximate"], "A function of x is missing"),
    "option": (["approximate", "x", "--degre", 3], "No such option"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_end_with_code_2_and_write_nothing(polydescent, tmp_path, case):
    arguments, says = REFUSALS[case]
    code, out, err = polydescent(*arguments)
    assert code == 2
    assert not out
    assert __import__("re").search(says, err), err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_a_picture_is_written(polydescent, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("run.png", "run.svg", "run.pdf"):
        code, out, _ = polydescent("approximate", "sin(x)", "--steps", 20, "--plot", name)
        assert code == 0
        assert name in out
        assert (tmp_path / name).stat().st_size > 5000


def test_version(polydescent):
    code, out, _ = polydescent("--version")
    assert code == 0
    assert out.startswith(f"polydescent {pd.__version__}")
    assert [line.split()[0] for line in out.splitlines()[1:]] == [*KERNELS, "threads"]


def test_code_that_is_printed_runs(polydescent):
    exact = ("approximate", "1 + 2*x", "--optimizer", "exact", "--degree", 1, "--style", "python")
    code, out, _ = polydescent(*exact)
    printed, _, _ = out.partition("\n\n")
    names = {}
    exec(printed.partition("\n")[2], names)
    assert code == 0
    assert names["f"](3.0) == pytest.approx(7)


def test_as_a_process_in_a_pipe():
    command = f"{sys.executable} -m polydescent approximate 'sin(x)' | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "99 704.359302\n"
    assert "Traceback" not in done.stderr


def test_every_optimizer_and_basis_has_its_word():
    assert [*options.OPTIMIZERS] == [*OPTIMIZERS, "exact"]
    assert [*options.BASES] == [*BASES]
    assert [*options.DRAWS] == [*DRAWS]
    assert [*options.LANGUAGES] == [*LANGUAGES]
