"""Optimizers: the steps of torch.optim to the last digits, and theory where there is one."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import copy
import dataclasses
import json
import warnings

import numpy as np
import pytest
from cases import OPTIMIZERS, lesson

import polydescent as pd
from polydescent.descent import optimizers
from polydescent.descent.loop import walk
from polydescent.errors import BadCall, BadSetting, NoClosedForm, SetTwice
from polydescent.polynomial.basis import BASES
from polydescent.report.page import payload
from polydescent.report.steps import trace_facts, traced

START = [0.3, -1.2, 0.5, 0.8]
LIKE_TORCH = {  # ours: (the class of torch.optim, its settings)
    "gd": (pd.GradientDescent(1e-4), "SGD", {"lr": 1e-4}),
    "momentum": (pd.Momentum(1e-4, 0.7), "SGD", {"lr": 1e-4, "momentum": 0.7}),
    "nesterov": (
        pd.Nesterov(1e-4, 0.7), "SGD", {"lr": 1e-4, "momentum": 0.7, "nesterov": True},
    ),
    "adam": (pd.Adam(), "Adam", {}),
    "adam, other betas": (
        pd.Adam(0.02, (0.7, 0.95), 1e-3), "Adam", {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-3},
    ),
    "adamw": (pd.AdamW(), "AdamW", {}),
    "adamw, other settings": (
        pd.AdamW(0.02, (0.7, 0.95), 1e-3, 0.3), "AdamW",
        {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.3},
    ),
    "nadam": (pd.NAdam(), "NAdam", {}),
    "nadam, other settings": (
        pd.NAdam(0.02, (0.7, 0.95), 1e-3, 30.0, 0.1), "NAdam",
        {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 30, "momentum_decay": 0.1},
    ),
    "rmsprop": (pd.RMSprop(), "RMSprop", {}),
    "rmsprop, other settings": (
        pd.RMSprop(1e-3, 0.9, 1e-3, 30.0, 0.5), "RMSprop",
        {"lr": 1e-3, "alpha": 0.9, "eps": 1e-3, "weight_decay": 30, "momentum": 0.5},
    ),
    "adagrad": (pd.Adagrad(), "Adagrad", {}),
    "adagrad, other settings": (
        pd.Adagrad(0.3, 0.01, 30.0, 5.0, 1e-3), "Adagrad",
        {"lr": 0.3, "lr_decay": 0.01, "weight_decay": 30, "initial_accumulator_value": 5,
         "eps": 1e-3},
    ),
}  # fmt: skip


def system(basis="chebyshev", degree=3):
    return pd.summarize(*lesson(), degree).triangle.least_squares(BASES[basis])


def assert_near(found, wanted, tolerance):
    assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max()


@pytest.mark.parametrize("basis", ["power", "chebyshev"])
@pytest.mark.parametrize("case", LIKE_TORCH)
def test_a_hundred_steps_are_those_of_torch(case, basis):
    torch = pytest.importorskip("torch")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps a product in it
    try:
        wanted, ours = torch_path(torch, case, basis)
    finally:
        torch.set_default_dtype(usual)
    run = walk(*system(basis), np.array(START), ours, 100)
    assert_near(run.weights, wanted, 1e-12)


def torch_path(torch, case, basis):
    """The weights of 100 steps, shape (101, 4), and the same optimizer of ours."""
    ours, name, settings = LIKE_TORCH[case]
    if name == "SGD" and basis == "power":
        ours = dataclasses.replace(ours, learning_rate=1e-6)
        settings = settings | {"lr": 1e-6}
    R, z, _ = system(basis)
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    theirs, A, b = getattr(torch.optim, name)([w], **settings), torch.tensor(R), torch.tensor(z)
    path = [w.detach().numpy().copy()]
    for _ in range(100):
        theirs.zero_grad()
        (A @ w - b).square().sum().backward()
        theirs.step()
        path.append(w.detach().numpy().copy())
    return np.array(path), ours


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_a_setting_has_the_default_of_torch(name):
    torch = pytest.importorskip("torch")
    kind = optimizers.OPTIMIZERS[name]
    theirs = getattr(torch.optim, kind.__name__, None)
    if theirs is None:
        return
    defaults = theirs([torch.zeros(1)]).defaults
    for setting in dataclasses.fields(kind):
        called = {"learning_rate": "lr"}.get(setting.name, setting.name)
        assert setting.default == pytest.approx(defaults[called]), setting.name


@pytest.mark.parametrize(
    ("basis", "degree"),
    [(b, d) for b in BASES for d in (0, 1, 3)] + [("chebyshev", 6), ("legendre", 6)],
)
def test_conjugate_gradients_arrive_in_as_many_steps_as_weights(basis, degree):
    R, z, rss = system(basis, degree)
    run = walk(R, z, rss, np.ones(degree + 1), pd.ConjugateGradient(), degree + 1)
    assert run.loss[-1] - rss <= 1e-8 * rss
    gradients = [2 * R.T @ (R @ w - z) for w in run.weights[:-1]]
    moves = np.diff(run.weights, axis=0)
    for i, move in enumerate(moves):  # each ends where the loss is lowest along it
        after = 2 * R.T @ (R @ run.weights[i + 1] - z)
        scale = np.linalg.norm(gradients[0]) * np.linalg.norm(move)
        assert abs(after @ move) <= 1e-9 * scale


def test_barzilai_borwein_takes_the_rate_of_the_step_before():
    R, z, rss = system()
    first = pd.Forecast.of(R, z, rss, pd.BarzilaiBorwein(), np.array(START)).optimizer
    plain = pd.Forecast.of(R, z, rss, pd.GradientDescent(), np.array(START))
    assert first.learning_rate == plain.best_rate
    run = walk(R, z, rss, np.array(START), first, 8)
    H = 2 * R.T @ R
    gradients = [H @ w - 2 * R.T @ z for w in run.weights]
    for t in range(1, 8):
        g = gradients[t - 1]  # the step before was along it
        rate = (g @ g) / (g @ H @ g)
        moved = run.weights[t + 1] - run.weights[t]
        assert_near(moved, -rate * gradients[t], 1e-6)


@pytest.mark.parametrize(("name", "most"), [("bb", 60), ("cg", 10)])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("basis", ["power", "chebyshev"])
def test_those_that_find_their_rate_arrive_and_stay(name, most, basis, scale):
    x, y = lesson()
    run = pd.descend(x, scale * y, basis=basis, optimizer=name, steps=500, start="zeros")
    assert run.outcome is pd.Outcome.CONVERGED
    arrived = run.history.loss <= run.lowest_loss * (1 + 1e-8)
    assert arrived[most:].all()


@pytest.mark.parametrize("name", ["bb", "cg"])
def test_those_that_find_their_rate_rest_where_nothing_is_left(name):
    run = pd.descend([0.0, 1, 2], [0.0, 0, 0], 1, optimizer=name, start="zeros", steps=9)
    assert run.loss == 0
    assert not run.history.weights.any()


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_named_kept_traced_drawn_and_shown(name, tmp_path):
    x, y = lesson()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.ConvergenceWarning)
        run = pd.descend(x, y, optimizer=name, steps=30, start="zeros")
    kind = optimizers.OPTIMIZERS[name]
    assert type(run.forecast.optimizer) is kind
    assert kind.name == name
    assert kind.__name__ in run.advice or run.outcome is pd.Outcome.CONVERGED or kind.left_open
    again = pd.Fit.from_json(run.to_json())
    assert again.forecast.optimizer == run.forecast.optimizer
    assert list(again.history.loss) == list(run.history.loss)
    facts = trace_facts(run, 7)
    json.dumps(facts)
    assert_near(np.array(facts["weights_after"]), run.history.weights[8], 1e-9)
    lines = traced(run, 7)
    assert all(len(line) <= 79 for line in lines)
    settings = " ".join(lines).split()
    assert all(setting in settings or setting in run_letters() for setting in vars(kind()))
    told = payload(run)
    assert told["optimizer"]["name"] in ("gd", "momentum", "nesterov", "adam")
    assert told["start"] == [0.0] * 4
    run.explore(tmp_path / "run.html")
    assert copy.deepcopy(run.forecast).optimizer == run.forecast.optimizer
    repr(run.forecast)


def run_letters():
    return ("learning_rate", "momentum", "betas", "alpha")


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_what_has_no_closed_form_says_so(name):
    kind = optimizers.OPTIMIZERS[name]
    forecast = pd.summarize(*lesson(), 3).forecast(optimizer=name)
    assert forecast.is_stable
    if kind.has_closed_form:
        assert forecast.loss_at(0) > forecast.loss_at(500)
        return
    assert forecast.largest_stable_rate == np.inf
    for ask in (forecast.loss_at, forecast.steps_to, forecast.weights_at, forecast.excess_at):
        with pytest.raises(NoClosedForm, match=kind.__name__):
            ask(3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pd.RMSprop(alpha=1.0), "alpha must be at least 0 and below 1"),
        (lambda: pd.RMSprop(momentum=None), "momentum must be at least 0 and below 1, found None"),
        (lambda: pd.RMSprop(weight_decay=-1), "weight_decay must be 0 or more"),
        (lambda: pd.NAdam(betas=(0.9,)), "betas must be two numbers"),
        (lambda: pd.NAdam(momentum_decay=np.nan), "momentum_decay"),
        (lambda: pd.Adagrad(lr_decay=np.inf), "lr_decay must be 0 or more"),
        (lambda: pd.Adagrad(None), "no rate is the fastest of Adagrad"),
        (lambda: pd.AdamW(eps=0), "eps must be above 0"),
        (lambda: pd.BarzilaiBorwein(0), "positive finite number, or None for the fastest"),
        (lambda: pd.descend(*lesson(), optimizer="cg", learning_rate=1.0), "left out: cg has none"),
        (lambda: pd.descend(*lesson(), optimizer="adamw", momentum=0.5), "left out: adamw has"),
    ],
)
def test_settings_out_of_range_are_refused(make, says):
    with pytest.raises(BadSetting, match=says):
        make()


def test_a_rate_beside_an_object_names_the_optimizer_as_it_is_called():
    with pytest.raises(SetTwice, match='optimizer="bb"'):
        pd.descend(*lesson(), optimizer=pd.BarzilaiBorwein(), learning_rate=1.0)


def test_conjugate_gradients_need_the_hessian():
    with pytest.raises(BadCall, match="Hessian"):
        pd.ConjugateGradient().start(np.zeros(2))


def test_every_optimizer_is_in_the_table_of_cases():
    assert {type(o) for o in OPTIMIZERS.values()} == set(optimizers.OPTIMIZERS.values())
