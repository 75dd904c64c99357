"""A step taken apart is the step that was taken, and its arithmetic can be done by hand."""

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import polydescent as pd
from polydescent.errors import BadSetting, NoDescent
from polydescent.report.steps import traced
from polydescent.report.trace import Trace
from polydescent.report.writing import columns

OPTIMIZERS = {
    "gd": pd.GradientDescent(),
    "momentum": pd.Momentum(),
    "nesterov": pd.Nesterov(),
    "adam": pd.Adam(0.01),
}
BASES = ("power", "chebyshev", "legendre")
NUMBER = r"\(?(-?[\d.]+(?:e[+-]?\d+)?)\)?"


def run(optimizer="gd", basis="power", degree=3, **settings):
    x = np.linspace(-2, 3, 200)
    y = np.sin(x) + 0.1 * np.random.default_rng(2).standard_normal(200)
    return pd.descend(
        x, y, degree, optimizer=OPTIMIZERS[optimizer], basis=basis, steps=60, **settings
    )


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("step", [0, 1, 7, 59])
def test_it_is_the_step_that_was_taken(optimizer, basis, step):
    fit = run(optimizer, basis)
    trace = Trace.of(fit, step)
    np.testing.assert_allclose(trace.weights, fit.history.weights[step], rtol=1e-12)
    np.testing.assert_allclose(trace.after, fit.history.weights[step + 1], rtol=1e-12)
    assert trace.loss == pytest.approx(fit.history.loss[step], rel=1e-13)
    assert trace.residual @ trace.residual + trace.rss == pytest.approx(trace.loss)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("degree", [0, 1, 3, 6])
def test_the_gradient_is_the_difference_quotient(basis, degree):
    trace = Trace.of(run(basis=basis, degree=degree), 2)
    scale = np.abs(trace.gradient).max()
    np.testing.assert_allclose(trace.quotient, trace.gradient, atol=1e-11 * scale)


def test_noise_free_data_at_the_lowest_loss():
    fit = pd.descend([0.0, 1, 2], [1.0, 3, 5], 1, start=[1.0, 2.0], steps=2)
    trace = Trace.of(fit, 1)
    np.testing.assert_allclose(trace.quotient, trace.gradient, atol=1e-12)


@pytest.mark.parametrize("step", [-1, 60, 1.5, True, "3"])
def test_steps_that_were_not_taken(step):
    with pytest.raises(BadSetting, match="whole number from 0 to 59"):
        Trace.of(run(), step)


def test_least_squares_takes_no_steps():
    with pytest.raises(NoDescent, match="--optimizer gd"):
        Trace.of(pd.fit([0, 1, 2], [1, 2, 4], 1), 0)


# ── as it is printed ──


def printed(optimizer="gd", basis="power", step=5, **settings):
    fit = run(optimizer, basis, **settings)
    trace = Trace.of(fit, step)
    return trace, re.sub(r"\n {12}  (?! )", " ", "\n".join(traced(fit, step)))


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("degree", [0, 3, 7])
def test_lines_fit_eighty_columns(optimizer, basis, degree):
    fit = run(optimizer, basis, degree=degree)
    lines = traced(fit, 3)
    assert max(map(len, lines)) <= 79
    steps = [line[:10].strip() for line in lines if line[:1].isdigit()]
    assert steps == ["1 data", "2 weights", "3 forward", "4 loss", "5 backward", "6 update"]


def test_the_update_adds_up_by_hand():
    trace, text = printed()
    found = re.findall(rf"(\w): w ← {NUMBER} − {NUMBER}·{NUMBER} = {NUMBER}", text)
    assert [name for name, *_ in found] == list("abcd")
    for (_, *numbers), g, after in zip(found, trace.gradient, trace.after, strict=True):
        before, rate, gradient, result = map(float, numbers)
        assert before - rate * gradient == pytest.approx(result, rel=1e-6)
        assert gradient == pytest.approx(g, rel=1e-7)
        assert result == pytest.approx(after, rel=1e-7)


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_the_velocity_adds_up_by_hand(optimizer):
    trace, text = printed(optimizer)
    found = re.findall(rf": v ← {NUMBER}·{NUMBER} \+ {NUMBER} = {NUMBER}", text)
    assert len(found) == 4
    for numbers in found:
        beta, v, g, result = map(float, numbers)
        assert beta * v + g == pytest.approx(result, rel=1e-5)
    moves = re.findall(rf": w ← {NUMBER} − {NUMBER}·{NUMBER} = {NUMBER}", text)
    for numbers, after in zip(moves, trace.after, strict=True):
        before, rate, along, result = map(float, numbers)
        assert before - rate * along == pytest.approx(result, rel=1e-5)
        assert result == pytest.approx(after, rel=1e-7)


def test_adam_adds_up_by_hand():
    trace, text = printed("adam")
    moves = re.findall(rf": w ← {NUMBER} − {NUMBER}·{NUMBER}/{NUMBER} = {NUMBER}", text)
    for numbers, after in zip(moves, trace.after, strict=True):
        before, rate, mean, size, result = map(float, numbers)
        assert before - rate * mean / size == pytest.approx(result, rel=1e-6)
        assert result == pytest.approx(after, rel=1e-7)


@pytest.mark.parametrize("basis", BASES)
def test_forward_at_the_first_row_adds_up_by_hand(basis):
    fit = run(basis=basis)
    trace = Trace.of(fit, 5)
    text = printed(basis=basis)[1]
    (terms, total) = re.search(rf"first row, x = -2: ŷ = (.*?) = {NUMBER}\n", text).groups()
    assert sum(float(t.strip("()")) for t in terms.split(" + ")) == pytest.approx(float(total))
    at = replace(fit, curve=replace(fit.curve, weights=trace.weights))
    assert float(total) == pytest.approx(at(-2.0), rel=1e-6)


def test_rows_are_not_needed():
    fit = pd.summarize([0, 1, 2, 3], [1, 3, 4, 8], 1).descend(steps=5)
    text = "\n".join(traced(fit, 2))
    assert "first row" not in text
    assert "4 rows folded into 2" in text


# ── from the command ──


def test_the_command_prints_it_below_the_result(polydescent):
    code, out, _ = polydescent("approximate", "sin(x)", "--steps", 20, "--trace", 19)
    assert code == 0
    assert out.index("So far: ") < out.index("Step 19 of 20, by hand")
    code, out, _ = polydescent("approximate", "sin(x)", "--steps", 20, "--trace", 19, "--json")
    found = json.loads(out)
    assert found["trace"]["weights_after"] == pytest.approx(found["coef"], rel=1e-12)
    assert found["trace"]["gradient"] == pytest.approx(
        found["trace"]["gradient_by_differences"], rel=1e-9
    )


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--trace", 2000], "whole number from 0 to 1999"),
        (["--trace", -1], "--trace must be"),
        (["--trace", 0, "--optimizer", "exact"], "takes no steps"),
    ],
)
def test_a_trace_that_cannot_be_is_refused_before_the_run(polydescent, more, says):
    code, out, err = polydescent("approximate", "sin(x)", "--plot", "a.png", *more)
    assert (code, out) == (2, "")
    assert says in err


EVERY = [*OPTIMIZERS, "adamw", "nadam", "rmsprop", "adagrad", "bb", "cg"]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("basis", BASES)
def test_in_another_language_the_numbers_are_the_same_and_no_english_is_left(name, basis):
    x = np.linspace(-2, 3, 200)
    rate: dict[str, Any] = {} if name in ("bb", "cg") else {"learning_rate": 1e-5}
    fit = pd.descend(x, np.sin(x), 3, optimizer=name, basis=basis, steps=9, **rate)
    english, chinese = traced(fit, 2), traced(fit, 2, "zh-CN")
    assert sorted(re.findall(r"[\d.]+", "".join(chinese))) == sorted(
        re.findall(r"[\d.]+", "".join(english))
    )
    assert max(columns(line) for line in chinese) <= 79
    settings = "_".join(["weight_decay_lr_eps", *vars(fit.forecast.optimizer)])
    symbols = {"loss", "rss", *settings.split("_")}
    assert set(re.findall(r"[a-z]{3,}", " ".join(chinese))) <= symbols


def test_the_command_traces_in_chinese_and_a_language_of_nothing_is_refused(polydescent):
    words = ("approximate", "x", "--steps", 9)
    code, out, _ = polydescent(*words, "--trace", 3, "--language", "zh-CN")
    assert (code, "第 3 步（共 9 步），手算" in out) == (0, True)
    code, out, err = polydescent(*words, "--language", "zh-CN")
    assert (code, out) == (2, "")
    assert "--language is that of --trace" in err
