"""The six steps: equal to the lesson's own loop, over rows and summary, in every library."""

import io
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
from cases import BASES, OPTIMIZERS, WITH_FORECAST, backends, data_sets, lesson
from lesson import numpy_loop, torch_loop

import polydescent as pd
from polydescent.arrays import to_host
from polydescent.descent.loop import KEPT, backward, forward
from polydescent.errors import BadSetting, RateTooLarge, SetTwice, UnknownName
from polydescent.polynomial.basis import basis_named, design_matrix
from polydescent.regression import progress

RATE = 1e-6
START = [0.3, -1.2, 0.5, 0.8]


def assert_close(found, wanted, tolerance):
    found, wanted = to_host(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max()


@backends
@pytest.mark.parametrize("over", ["rows", "summary"])
def test_equals_the_lessons_loop(backend, over):
    x, y = lesson()
    weights, losses = numpy_loop(x, y, np.array(START), RATE, 2000)
    run = pd.descend(
        *map(backend.array, (x, y)),
        optimizer=pd.GradientDescent(RATE),
        start=START,
        over=over,
    )
    assert_close(run.coef, weights, backend.tolerance)
    relative = np.abs(to_host(run.history.loss[:-1]) / losses - 1)
    assert relative.max() <= backend.tolerance


def test_equals_the_lessons_autograd_loop():
    torch = pytest.importorskip("torch")
    x, y = map(torch.from_numpy, lesson())
    start = torch.tensor(START, dtype=torch.float64)
    weights, losses = torch_loop(x, y, start, RATE, 300)
    run = pd.descend(x, y, optimizer=pd.GradientDescent(RATE), start=start, steps=300, over="rows")
    assert_close(run.coef, weights.numpy(), 1e-11)
    assert_close(run.history.loss[:-1], losses, 1e-11)


@pytest.mark.parametrize("basis", BASES)
def test_gradient_equals_autograd_and_finite_differences(basis):
    torch = pytest.importorskip("torch")
    x, y = (column[::20] for column in lesson())
    A = design_matrix(basis_named(basis), x, 3)
    w = np.array(START)
    found = backward(A, forward(A, y, w))
    tensor = torch.tensor(w, requires_grad=True)
    (torch.tensor(A) @ tensor - torch.tensor(y)).square().sum().backward()
    assert_close(found, tensor.grad.numpy(), 1e-13)
    h = 1e-6
    for i, step in enumerate(np.eye(4) * h):
        up, down = (np.sum(forward(A, y, w + s) ** 2) for s in (step, -step))
        assert found[i] == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rows_and_summary_take_the_same_steps(name, basis):
    x, y = lesson()
    runs = [
        pd.descend(x, y, basis=basis, optimizer=OPTIMIZERS[name], steps=300, over=over)
        for over in ("rows", "summary")
    ]
    assert_close(runs[0].history.weights, runs[1].history.weights, 1e-10)
    assert_close(runs[0].history.loss, runs[1].history.loss, 1e-10)


@pytest.mark.parametrize("name", ["gd", "momentum 0.5", "nesterov 0.9", "adam"])
def test_steps_are_those_of_torch_optim(name):
    torch = pytest.importorskip("torch")
    x, y = lesson()
    run = pd.descend(x, y, optimizer=OPTIMIZERS[name], start=START, steps=100, over="rows")
    ours: Any = run.forecast.optimizer
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    theirs = {
        "gd": lambda: torch.optim.SGD([w], ours.learning_rate),
        "momentum": lambda: torch.optim.SGD([w], ours.learning_rate, ours.momentum),
        "nesterov": lambda: torch.optim.SGD([w], ours.learning_rate, ours.momentum, nesterov=True),
        "adam": lambda: torch.optim.Adam([w], ours.learning_rate),
    }[ours.name]()
    A, b = torch.tensor(np.vander(x, 4, increasing=True)), torch.tensor(y)
    for _ in range(100):
        theirs.zero_grad()
        (A @ w - b).square().sum().backward()
        theirs.step()
    assert_close(run.coef, w.detach().numpy(), 1e-10)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", WITH_FORECAST)
def test_history_has_an_entry_before_every_step_and_the_result(name, basis):
    run = pd.descend(*lesson(), basis=basis, optimizer=WITH_FORECAST[name], steps=50, start=START)
    assert run.history.loss.shape == (51,)
    assert run.history.weights.shape == (51, 4)
    assert run.history.steps == 50
    assert list(run.history.weights[0]) == START
    assert run.loss == run.history.loss[-1]
    R, z, rss = run.summary.triangle.least_squares(basis_named(basis))
    for t in (0, 17, 50):
        again = np.sum((R @ run.history.weights[t] - z) ** 2) + rss
        assert run.history.loss[t] == pytest.approx(again, rel=1e-13)


@pytest.mark.parametrize("steps", [KEPT - 1, KEPT, KEPT + 1, 3 * KEPT + 7])
def test_weights_are_thinned_and_both_ends_kept(steps):
    x, y = lesson()
    run = pd.descend(x, y, optimizer=pd.GradientDescent(RATE), start=START, steps=steps)
    kept = run.history.kept
    assert run.history.loss.shape == (steps + 1,)
    assert run.history.weights.shape == (len(kept), 4)
    assert len(kept) <= KEPT + 2
    assert kept[0] == 0
    assert kept[-1] == steps
    assert steps > KEPT or len(kept) == steps + 1
    assert list(run.history.weights[0]) == START
    assert_close(run.history.weights, run.forecast.weights_at(kept), 1e-9)


def test_starts():
    x, y = lesson()
    zeros = pd.descend(x, y, start="zeros", steps=1)
    assert not zeros.history.weights[0].any()
    seeded = [pd.descend(x, y, seed=seed, steps=1).history.weights[0] for seed in (7, 7, 8)]
    assert list(seeded[0]) == list(seeded[1]) != list(seeded[2])
    assert list(seeded[0]) == list(np.random.default_rng(7).standard_normal(4))


@pytest.mark.parametrize("start", ["ones", [1, 2], [1, 2, 3, np.nan], None, [[1, 2, 3, 4]], "1"])
def test_bad_starts_are_refused(start):
    with pytest.raises(BadSetting, match=r'start must be "random", "zeros" or 4'):
        pd.descend(*lesson(), start=start)


@pytest.mark.parametrize("steps", [0, -1, 1.5, "2", True, None])
def test_bad_steps_are_refused(steps):
    with pytest.raises(BadSetting, match="steps must be a whole number of 1 or more"):
        pd.descend(*lesson(), steps=steps)


def test_names_are_checked():
    with pytest.raises(UnknownName, match="Did you mean 'chebyshev'"):
        pd.descend(*lesson(), basis="chebychev")
    with pytest.raises(UnknownName, match="Did you mean 'momentum'"):
        pd.descend(*lesson(), optimizer="momentun")
    refused: list[Any] = [pd.Momentum, 3, ["gd"], "GD"]
    for wrong in refused:
        with pytest.raises(UnknownName, match=r"gd, momentum, nesterov, adam, .* Momentum\(\)"):
            pd.descend(*lesson(), optimizer=wrong)
    with pytest.raises(BadSetting, match='"summary" or "rows"'):
        pd.descend(*lesson(), over="row")


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ({}, pd.GradientDescent()),
        ({"learning_rate": 1e-6}, pd.GradientDescent(1e-6)),
        ({"optimizer": "gd", "learning_rate": 1e-6}, pd.GradientDescent(1e-6)),
        ({"optimizer": "momentum"}, pd.Momentum()),
        ({"optimizer": "momentum", "momentum": 0.5}, pd.Momentum(momentum=0.5)),
        ({"optimizer": "momentum", "learning_rate": 1e-6}, pd.Momentum(1e-6)),
        (
            {"optimizer": "nesterov", "learning_rate": 1e-6, "momentum": 0.9},
            pd.Nesterov(1e-6, 0.9),
        ),
        ({"optimizer": "adam"}, pd.Adam()),
        ({"optimizer": "adam", "learning_rate": 0.1}, pd.Adam(0.1)),
    ],
)
def test_an_optimizer_by_name_is_the_object(named, given):
    x, y = lesson()
    summary = pd.summarize(x, y, 3)
    wanted = summary.forecast(optimizer=given)
    assert summary.forecast(**named).optimizer == wanted.optimizer
    for run in (pd.descend(x, y, steps=5, **named), summary.descend(steps=5, **named)):
        assert run.forecast.optimizer == wanted.optimizer
        assert list(run.coef) == list(summary.descend(steps=5, optimizer=given).coef)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        (
            {"optimizer": pd.Momentum(), "learning_rate": 1e-6},
            SetTwice,
            r"Momentum\(learning_rate=1",
        ),
        (
            {"optimizer": pd.Adam(), "momentum": 0.9},
            SetTwice,
            r'or name it as text, optimizer="adam"',
        ),
        ({"optimizer": "adam", "momentum": 0.9}, BadSetting, "left out: adam has none"),
        ({"momentum": 0.9}, BadSetting, "left out: gd has none"),
        ({"learning_rate": -1.0}, BadSetting, "positive finite number"),
        ({"optimizer": "nesterov", "momentum": 1.0}, BadSetting, "below 1"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings, error, says):
    summary = pd.summarize(*lesson(), 3)
    for verb in (partial(pd.descend, *lesson()), summary.descend, summary.forecast):
        with pytest.raises(error, match=says):
            verb(**settings)


YEARS = np.arange(1990, 2021.0)
NOISE = np.random.default_rng(3).standard_normal(31)
WARNS = {  # (x, y, settings of the descent): whether it warns
    "the lesson, 3 % above": (*lesson(), {"learning_rate": RATE}, False),
    "the lesson, early": (*lesson(), {"learning_rate": RATE, "steps": 200}, True),
    "converged": (*lesson(), {"basis": "legendre"}, False),
    "years": (YEARS, 0.02 * YEARS + NOISE, {"degree": 1}, True),
    "years, tiny": (YEARS, 1e-30 * (0.02 * YEARS + NOISE), {"degree": 1}, True),
    "years, huge": (YEARS, 1e30 * (0.02 * YEARS + NOISE), {"degree": 1}, True),
    "years, mapped": (YEARS, 0.02 * YEARS + NOISE, {"degree": 1, "basis": "chebyshev"}, False),
    "a slope in much noise": (
        YEARS - 2005, 0.01 * (YEARS - 2005) + NOISE,
        {"degree": 1, "start": "zeros", "learning_rate": 1e-9}, True,
    ),
    "without noise, nearly there": (
        lesson()[0], 2 * lesson()[0], {"degree": 1, "steps": 12}, False,
    ),
    "a level, nearly": (
        YEARS, 7 + NOISE, {"degree": 0, "learning_rate": 0.005, "steps": 25}, False,
    ),
    "a level, not yet": (YEARS, 7 + NOISE, {"degree": 0, "learning_rate": 0.005, "steps": 3}, True),
    "constant y, nearly": (YEARS, 0 * YEARS + 5, {"basis": "legendre", "steps": 15}, False),
    "constant y, not yet": (YEARS, 0 * YEARS + 5, {"basis": "legendre", "steps": 1}, True),
    "an explosion to watch": (
        *lesson(), {"learning_rate": 1e-4, "allow_divergence": True}, False,
    ),
    "allowed, but stable": (
        *lesson(), {"learning_rate": RATE, "steps": 9, "allow_divergence": True}, True,
    ),
    "adam on its way": (*lesson(), {"optimizer": "adam", "steps": 9}, True),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNS)
@pytest.mark.filterwarnings("error::polydescent.errors.ConvergenceWarning")
def test_a_descent_that_ends_far_off_warns(case):
    x, y, settings, warns = WARNS[case]
    if not warns:
        run = pd.descend(x, y, **settings)
        assert not run.is_far or settings.get("allow_divergence")
        return
    with pytest.warns(pd.ConvergenceWarning, match="ended far from least squares") as caught:
        run = pd.descend(x, y, **settings)
    assert run.is_far
    assert caught[0].filename == __file__  # the line that called, not one of the library
    found = caught[0].message
    assert isinstance(found, pd.ConvergenceWarning)
    assert (found.loss, found.lowest) == (run.loss, run.lowest_loss)
    assert run.advice in str(found)
    again = pickle.loads(pickle.dumps(found))
    assert (str(again), again.loss) == (str(found), found.loss)


def test_what_arrives_is_never_far():
    for make in (pd.fit, partial(pd.descend, basis="chebyshev")):
        assert not make(*lesson()).is_far
    assert not pd.Fit.from_polyfit([1.0, 2.0], *lesson()).is_far


def test_summary_descend_warns_at_the_caller_too():
    with pytest.warns(pd.ConvergenceWarning) as caught:
        pd.summarize(YEARS, NOISE, 1).descend()
    assert caught[0].filename == __file__


def test_advice_names_the_cure_where_steps_are_too_many():
    run = pd.descend(YEARS, 0.02 * YEARS + NOISE, degree=1)
    assert not run.forecast.is_hopeless
    assert "They are so many" in run.advice
    assert 'basis="chebyshev"' in run.advice
    assert "chebyshev" not in pd.descend(*lesson(), learning_rate=RATE).advice
    flat = pd.descend([-1, 0, 1], [0, 0, 0], degree=1, steps=1, learning_rate=0.01)
    assert flat.advice == "1 step was not enough: more come closer to the lowest loss."


def test_a_long_descent_tells_a_terminal_how_far_it_is(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    seconds = iter(np.arange(0.0, 1e6, 0.3))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    for shown, kind in [(True, Terminal), (True, io.StringIO), (False, Terminal)]:
        screen = kind()
        monkeypatch.setattr("sys.stderr", screen)
        pd.descend(*lesson(), learning_rate=RATE, steps=20, progress=shown)
        said = screen.getvalue()
        if not (shown and kind is Terminal):
            assert not said
            continue
        assert "step 4 of 20 · loss " in said
        assert " % above the lowest · " in said
        assert said.endswith(" " * 40 + "\r") or said.rstrip("\r").endswith(" " * 20)
        assert "step 1 of" not in said  # nothing in the first second


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", WITH_FORECAST)
def test_a_rate_above_the_limit_is_refused_and_may_be_watched(name, basis):
    x, y = lesson()
    optimizer = WITH_FORECAST[name]
    momentum = {} if name == "gd" else {"momentum": optimizer.momentum or 0.5}
    limit = (
        pd.summarize(x, y, 3)
        .forecast(basis=basis, optimizer=type(optimizer)(1e-9, **momentum))
        .largest_stable_rate
    )
    settings = {"basis": basis, "start": START, "steps": 20_000}
    stable = pd.descend(x, y, optimizer=type(optimizer)(0.999 * limit, **momentum), **settings)
    assert stable.outcome is pd.Outcome.CONVERGED
    above = type(optimizer)(1.001 * limit, **momentum)
    with pytest.raises(RateTooLarge, match="largest stable rate is") as refusal:
        pd.descend(x, y, optimizer=above, **settings)
    assert refusal.value.limit == pytest.approx(limit)
    watched = pd.descend(x, y, optimizer=above, allow_divergence=True, **settings)
    assert watched.outcome is pd.Outcome.DIVERGED
    assert watched.loss > 1e3 * watched.history.loss[0] or not np.isfinite(watched.loss)
    assert "above the largest stable one" in watched.advice


def test_an_overflow_is_named_by_its_step():
    run = pd.descend(
        *lesson(), optimizer=pd.GradientDescent(1e-4), allow_divergence=True, start="zeros"
    )
    first = int(np.flatnonzero(~np.isfinite(run.history.loss))[0])
    assert f"overflowed at step {first}" in run.advice


def test_the_cure_for_hopeless_coordinates_is_named():
    x, y = data_sets()["epoch seconds"]
    lost = pd.descend(x, y, steps=10)
    assert lost.outcome is pd.Outcome.STEPS_EXHAUSTED
    assert 'use basis="chebyshev"' in lost.advice
    with pytest.raises(RateTooLarge, match='use basis="chebyshev"'):
        pd.descend(x, y, optimizer=pd.GradientDescent(1e-6))
    assert pd.descend(x, y, basis="chebyshev").outcome is pd.Outcome.CONVERGED


def test_tolerance_stops_at_the_true_excess():
    run = pd.descend(*lesson(), optimizer=pd.GradientDescent(RATE), steps=9999, tolerance=0.01)
    assert run.excess <= 0.01
    assert run.history.loss[-2] > 1.01 * run.lowest_loss
    assert run.history.steps == run.forecast.steps_to(0.01)
    with pytest.raises(BadSetting, match="above 0"):
        pd.descend(*lesson(), tolerance=0)


@backends
def test_same_kind_in_same_kind_out(backend):
    x, y = map(backend.array, lesson())
    run = pd.descend(x, y, over="rows", steps=5)
    for value in (run.coef, run(x), run.history.loss, run.history.weights, run.stderr):
        assert type(value) is type(x)
        assert value.dtype == x.dtype
        assert value.device == x.device


@pytest.mark.parametrize("over", ["rows", "summary"])
def test_arrival_is_a_millionth_above_the_lowest_loss(over):
    x, y = lesson()
    asked = {"basis": "chebyshev", "optimizer": "gd", "over": over}
    forecast = pd.descend(x, y, **asked).forecast
    for excess, outcome in ((5e-6, pd.Outcome.STEPS_EXHAUSTED), (5e-7, pd.Outcome.CONVERGED)):
        assert pd.descend(x, y, **asked, steps=forecast.steps_to(excess)).outcome is outcome


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_rows_without_noise_are_arrived_at_to_rounding(scale):
    """The lowest loss is 0 or nearly: no step comes within a millionth of that."""
    x = np.arange(20.0)
    run = pd.descend(x, scale * (3 + 2 * x), 1, basis="chebyshev", optimizer="gd", steps=2000)
    assert run.outcome is pd.Outcome.CONVERGED
