"""The programs of the lesson run as they are printed, and what is said of them is so."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from polydescent import GradientDescent, descend, errors, fit
from polydescent.lesson.program import PROGRAMS, Program
from polydescent.lesson.verdict import Verdict, weights_of
from polydescent.rows.function import source_text

X = np.linspace(-math.pi, math.pi, 2000)


def run(name, **settings):
    several: dict[str, Any] = {"steps": 200} | settings
    program = Program.written(name, **several)
    variables, log = program.logged()
    return program, variables, log


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_runs_with_its_settings_and_is_judged(name):
    settings = {"function": "exp(-x**2)", "interval": ("-2", "1.5"), "points": 300}
    program, variables, log = run(name, **settings, log_every=50, seed=3)
    x, y = np.asarray(variables["x"], dtype=float), np.asarray(variables["y"], dtype=float)
    np.testing.assert_allclose(x, np.linspace(-2, 1.5, 300), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(y, np.exp(-(x**2)), rtol=1e-5)
    assert [t for t, _ in log] == [49, 99, 149, 199]
    verdict = Verdict.of(program, variables)
    w = weights_of(name, variables)
    if name == "dynamic":
        a, b, c, d, e = w
        curves = [[a, b, c, d], [a, b, c, d, e], [a, b, c, d, e, e]]
    else:
        curves = [w]
    losses = [float(np.square(np.polynomial.Polynomial(curve)(x) - y).sum()) for curve in curves]
    assert verdict.loss == pytest.approx(np.mean(losses), rel=1e-6)
    if name == "dynamic":
        assert verdict.lowest_loss < np.mean(losses)
    else:
        assert verdict.lowest_loss == pytest.approx(fit(x, y, 3).loss, rel=1e-9)
        np.testing.assert_allclose(verdict.best, fit(x, y, 3).coef, rtol=1e-6, atol=1e-9)
    names = [fact for fact, _ in verdict.lines()]
    assert names[:3] == ["loss after the last step", "lowest loss possible", "excess"]
    assert verdict.facts()["excess"] == verdict.excess >= 0


def test_no_weights_beat_the_lowest_loss_of_the_drawn_curves():
    program, variables, _ = run("dynamic", points=200)
    verdict = Verdict.of(program, variables)
    x, y = (np.asarray(variables[name], dtype=float) for name in "xy")
    rng = np.random.default_rng(0)

    def loss(w):
        a, b, c, d, e = w
        curves = [a, b, c, d], [a, b, c, d, e], [a, b, c, d, e, e]
        return np.mean([np.square(np.polynomial.Polynomial(v)(x) - y).sum() for v in curves])

    assert loss(verdict.best) == pytest.approx(verdict.lowest_loss, rel=1e-6)
    for size in (1e-4, 1e-2, 1.0):
        assert loss(verdict.best + size * rng.standard_normal(5)) > verdict.lowest_loss


def test_the_first_program_is_the_walk_of_this_library():
    program, variables, log = run("numpy", steps=2000, log_every=400)
    ours = descend(X, np.sin(X), 3, optimizer=GradientDescent(1e-6))
    np.testing.assert_allclose(weights_of("numpy", variables), ours.coef, rtol=1e-9, atol=1e-12)
    for t, loss in log:
        assert loss == pytest.approx(ours.history.loss[t], rel=1e-9)
    verdict = Verdict.of(program, variables)
    assert verdict.loss == pytest.approx(ours.loss, rel=1e-9)
    assert verdict.facts()["largest_stable_rate"] == ours.forecast.largest_stable_rate
    assert verdict.facts()["steps_to_1_percent"] == ours.forecast.steps_to(0.01) - 2000


def test_a_rate_too_large_is_said_to_be_that():
    program, variables, _ = run("module", learning_rate=1e-5, steps=400)
    verdict = Verdict.of(program, variables)
    lines = dict(verdict.lines())
    assert lines["loss after the last step"] == "none: it diverged"
    assert "excess" not in lines
    assert verdict.facts()["largest_stable_rate"] < 1e-5


@pytest.mark.parametrize("name", ["numpy", "function"])
def test_the_text_runs_alone(name, tmp_path):
    program = Program.written(name, "cos(x)", steps=30, log_every=10)
    path = tmp_path / "lesson.py"
    path.write_text(program.text, encoding="utf-8")
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    *log, result = done.stdout.splitlines()
    assert [line.split()[0] for line in log] == ["9", "19", "29"]
    assert result.startswith("Result: y = ")


@pytest.mark.parametrize(
    ("name", "settings", "refusal"),
    [
        ("numpi", {}, errors.BadSetting),
        ("numpy", {"steps": 0}, errors.BadSetting),
        ("numpy", {"learning_rate": math.nan}, errors.BadSetting),
        ("numpy", {"points": 1}, errors.BadSetting),
        ("numpy", {"function": "__import__('os')"}, errors.BadExpression),
        ("tensor", {"function": "cbrt(x)"}, errors.BadExpression),
        ("numpy", {"interval": ("x", "1")}, errors.BadExpression),
        ("numpy", {"interval": ("2", "1")}, errors.BadSetting),
    ],
)
def test_what_is_refused(name, settings, refusal):
    with pytest.raises(refusal):
        Program.written(name, **settings)


@pytest.mark.parametrize(
    "text", ["sin(x)", "exp(-x**2)/2", "3", "ln(x + 5)*pi", "sin(2)*x", "-e**x", "abs(x) - sign(x)"]
)
def test_code_of_an_expression_is_its_value(text):
    from polydescent.rows.function import evaluate_text

    x = np.linspace(-2, 2, 7)
    found = eval(source_text(text, "np"), {"np": np, "math": math, "x": x})
    np.testing.assert_allclose(found, evaluate_text(text, x), rtol=1e-15)


# ── from the command ──


def test_the_command_runs_a_program_and_says_more(polydescent):
    code, out, _ = polydescent("approximate", "--program", "numpy", "--steps", 200)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split()[0] == "99"
    assert lines[2].startswith("Result: y = ")
    assert "What the program does not say" in lines
    assert lines[-1].endswith(
        "descend(x, y, degree=3, optimizer=GradientDescent(1e-06), steps=200)"
    )
    assert eval(lines[-1].split("here", 1)[1], {"x": X, "y": np.sin(X), **NAMES}).loss == (
        pytest.approx(float(lines[4 + 1].split()[-1]), rel=1e-4)
    )


NAMES = {"descend": descend, "GradientDescent": GradientDescent}


def test_the_command_shows_a_program_or_tells_in_json(polydescent):
    command = ("approximate", "cos(x)", "--program", "module", "--steps", 20, "--log-every", 5)
    _, text, _ = polydescent(*command, "--show")
    assert (
        text.rstrip("\n")
        == Program.written("module", "cos(x)", steps=20, log_every=5).text.rstrip()
    )
    _, out, _ = polydescent(*command, "--json")
    facts = json.loads(out)
    assert [t for t, _ in facts["log"]] == [4, 9, 14, 19]
    assert facts["lowest_loss"] == pytest.approx(fit(X, np.cos(X), 3).loss, rel=1e-4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--program", "numpy", "--degree", 4), "no --degree"),
        (("--program", "numpy", "--optimizer", "adam", "--plot", "a.png"), "--optimizer, --plot"),
        (("--program", "numpy", "--learning-rate", "fastest"), "--learning-rate must be"),
        (("--program", "numpy", "--interval", "1"), "--interval must be"),
        (("--show",), "--program"),
        ((), "A function of x is missing"),
    ],
)
def test_what_the_command_refuses(polydescent, words, said):
    code, out, err = polydescent("approximate", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_the_command_has_all_programs():
    from polydescent.cli import approximate

    assert tuple(PROGRAMS) == approximate.PROGRAMS
