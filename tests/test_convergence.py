"""Forecast: what it says of every step is what the loop then does."""

import numpy as np
import pytest
from cases import BASES, WITH_FORECAST, data_sets, lesson

import polydescent as pd
from polydescent.errors import BadSetting, NoClosedForm

RATE = 1e-6


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", WITH_FORECAST)
@pytest.mark.parametrize("degree", [0, 1, 3, 6])
def test_forecast_agrees_with_the_loop(name, basis, degree):
    run = pd.descend(*lesson(), degree, basis=basis, optimizer=WITH_FORECAST[name])
    steps = np.array([0, 1, 10, 100, 2000])
    # powers to degree 6 have κ = 10⁶: there the loop's own rounding shows in the eighth digit
    tolerance = 1e-6 if (degree, basis) == (6, "power") else 1e-9
    found, wanted = run.forecast.loss_at(steps), run.history.loss[steps]
    np.testing.assert_allclose(found, wanted, rtol=tolerance)
    size = np.abs(run.history.weights).max()
    away = run.forecast.weights_at(steps) - run.history.weights[steps]
    assert np.abs(away).max() <= tolerance * size
    assert run.forecast.loss_at(10) == run.forecast.loss_at(steps)[2]
    assert run.forecast.weights_at(10).shape == (degree + 1,)


def test_the_lessons_numbers():
    forecast = pd.summarize(*lesson()).forecast(3, optimizer=pd.GradientDescent(RATE))
    assert forecast.largest_stable_rate == pytest.approx(3.558e-6, rel=1e-4)
    assert forecast.condition == pytest.approx(325.4, rel=1e-3)
    assert forecast.lowest_loss == pytest.approx(8.81716541, rel=1e-8)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", WITH_FORECAST)
def test_what_is_left_open_is_chosen_best(name, basis):
    """No rate (or momentum) nearby has a smaller spectral radius, found from `step` itself."""
    chosen = pd.summarize(*lesson()).forecast(3, basis=basis, optimizer=WITH_FORECAST[name])
    best = slowest(chosen.optimizer, chosen.curvature)
    factors = (0.97, 0.999, 1.001, 1.02)
    nearby = [{"learning_rate": chosen.optimizer.learning_rate * f} for f in factors]
    if name in ("momentum", "nesterov"):
        nearby += [{"momentum": chosen.optimizer.momentum * f} for f in factors]
    for change in nearby:
        away = type(chosen.optimizer)(**(vars(chosen.optimizer) | change))
        assert slowest(away, chosen.curvature) >= best - 1e-7


def slowest(optimizer, curvature):
    """The largest spectral radius of the map (w, v) → (w, v) that one step makes of each mode."""
    radii = []
    for lam in curvature:
        columns = []
        for w, v in np.eye(2):
            state = None if optimizer.name == "gd" else v
            w, v = optimizer.step(w, lam * w, state)
            columns.append((w, v or 0.0))
        radii.append(np.abs(np.linalg.eigvals(np.array(columns).T)).max())
    return max(radii)


@pytest.mark.parametrize("optimizer", [pd.Momentum(RATE), pd.Nesterov(RATE)])
def test_momentum_for_a_given_rate_beats_none(optimizer):
    summary = pd.summarize(*lesson())
    chosen = summary.forecast(3, optimizer=optimizer)
    plain = summary.forecast(3, optimizer=pd.GradientDescent(RATE))
    assert chosen.optimizer.learning_rate == RATE
    assert chosen.steps_to(1e-6) < plain.steps_to(1e-6) / 5


@pytest.mark.parametrize("name", WITH_FORECAST)
def test_steps_to_is_the_first_step_that_is_there(name):
    run = pd.descend(*lesson(), optimizer=WITH_FORECAST[name], steps=5000)
    for excess in (1.0, 0.01, 1e-6):
        step = run.forecast.steps_to(excess)
        reached = np.flatnonzero(run.history.loss <= run.lowest_loss * (1 + excess))
        assert step == reached[0]


def test_steps_to_far_away_and_never():
    summary = pd.summarize(*lesson(), 10)
    far = summary.forecast(7, start="zeros").steps_to(0.01)
    assert 1e6 < far < 1e9
    assert summary.forecast(7, start="zeros").excess_at(far) <= 0.01 * summary.lower(7).rss
    assert summary.forecast(7, start="zeros").excess_at(far - 1) > 0.01 * summary.lower(7).rss
    explosive = summary.forecast(3, optimizer=pd.GradientDescent(1e-4))
    assert explosive.steps_to(0.01) == np.inf
    there = summary.forecast(3, start=summary.fit(3).coef)
    assert there.steps_to(0.01) == 0


def test_a_billion_steps():
    forecast = pd.summarize(*lesson()).forecast(3, optimizer=pd.GradientDescent(RATE))
    best = pd.fit(*lesson()).coef
    np.testing.assert_allclose(forecast.weights_at(10**9), best, atol=1e-14)
    slow = pd.summarize(*lesson()).forecast(3, optimizer=pd.GradientDescent(1e-15))
    after = slow.excess_at(10**9)
    # q = ηλ ≈ 1e-10 … 1e-7 a step: compare with exp(−2ηλt), true to q²t
    held = slow.amplitude**2 * np.exp(2e9 * np.log1p(-1e-15 * slow.curvature))
    assert after == pytest.approx(held.sum(), rel=1e-12)


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_near_critical_damping_is_smooth(name):
    """A rate some roundings off the critical one moves the forecast by roundings only."""
    summary = pd.summarize(*lesson())
    best = summary.forecast(3, optimizer=WITH_FORECAST[name]).optimizer
    steps = np.arange(200)
    for off in range(-6, 7):
        rate = best.learning_rate * (1 + off * 2**-52)
        run = summary.descend(3, optimizer=type(best)(rate, best.momentum), steps=199, seed=1)
        np.testing.assert_allclose(run.forecast.loss_at(steps), run.history.loss, rtol=1e-10)


@pytest.mark.parametrize("name", list(WITH_FORECAST))
def test_slow_modes_keep_their_digits(name):
    """(1 − 10⁻¹²)^(10⁹) and the like against exact rationals: 13 digits at any number of steps."""
    from mpmath import matrix, mp, mpf

    mp.dps = 60
    optimizer = WITH_FORECAST[name]
    momentum = optimizer.momentum or 0.5 if name != "gd" else 0.0
    concrete = type(optimizer)(1.0) if name == "gd" else type(optimizer)(1.0, momentum)
    curvature, steps = 1e-12, 10**9
    eta, beta, lam = mpf(1), mpf(momentum), mpf(curvature)
    if name.startswith("nesterov"):
        step = matrix([[1 - eta * lam * (1 + beta), -eta * beta**2], [lam, beta]])
    else:
        step = matrix([[1 - eta * lam, -eta * beta], [lam, beta]])
    exact = (step**steps)[0, 0]
    found = concrete.decay(np.array([curvature]), np.array([steps]))[0, 0]
    assert float(abs(found / exact - 1)) < 1e-12


@pytest.mark.parametrize("case", data_sets())
@pytest.mark.parametrize("basis", ["chebyshev", "legendre"])
def test_the_limit_is_sharp_on_all_data(case, basis):
    x, y = data_sets()[case]
    summary = pd.summarize(x, y, 4)
    limit = summary.forecast(basis=basis).largest_stable_rate
    steps = 4000
    below = summary.forecast(basis=basis, optimizer=pd.GradientDescent(0.999 * limit))
    above = summary.forecast(basis=basis, optimizer=pd.GradientDescent(1.001 * limit))
    assert below.is_stable
    assert not above.is_stable
    assert below.excess_at(steps) < below.excess_at(0)
    modes = above.optimizer.decay(above.curvature, np.array(steps))
    assert abs(modes[0]) > 1e3


def test_rank_deficient_coordinates_move_only_where_there_is_curvature():
    R = np.array([[2.0, 1.0], [0.0, 0.0]])
    forecast = pd.Forecast.of(R, np.array([1.0, 3.0]), 0.5, pd.GradientDescent(), np.zeros(2))
    assert list(forecast.moving) == [True, False]
    assert forecast.lowest_loss == 0.5
    assert forecast.held == pytest.approx(9.0)
    assert forecast.excess_at(10**6) == pytest.approx(9.0)
    assert forecast.loss_at(10**6) == pytest.approx(9.5)
    assert forecast.steps_to(17.9) == np.inf
    assert 0 < forecast.steps_to(18.1) < 10
    settled = forecast.weights_at(10**6)
    np.testing.assert_allclose(settled, np.linalg.lstsq(R, np.array([1.0, 3.0]))[0], atol=1e-14)
    assert forecast.condition == np.inf


def test_adam_says_what_it_cannot():
    forecast = pd.summarize(*lesson()).forecast(3, optimizer=pd.Adam())
    assert forecast.largest_stable_rate == np.inf
    assert forecast.lowest_loss == pytest.approx(8.81716541, rel=1e-8)
    with pytest.raises(NoClosedForm, match="depend on the path walked"):
        forecast.loss_at(10)
    with pytest.raises(NoClosedForm):
        forecast.steps_to(0.01)


@pytest.mark.parametrize("step", [-1, 1.5, "3", [1, -2]])
def test_bad_steps_are_refused(step):
    forecast = pd.summarize(*lesson()).forecast(3)
    with pytest.raises(BadSetting, match="whole number from 0"):
        forecast.loss_at(step)
    with pytest.raises(BadSetting, match="above 0"):
        forecast.steps_to(0)


@pytest.mark.parametrize("kind", [pd.GradientDescent, pd.Momentum, pd.Nesterov, pd.Adam])
@pytest.mark.parametrize("rate", [0, -1e-6, np.inf, np.nan])
def test_bad_rates_are_refused(kind, rate):
    with pytest.raises(BadSetting, match="learning_rate must be"):
        kind(learning_rate=rate)


@pytest.mark.parametrize("kind", [pd.Momentum, pd.Nesterov])
@pytest.mark.parametrize("momentum", [1.0, -0.1, np.nan])
def test_bad_momentum_is_refused(kind, momentum):
    with pytest.raises(BadSetting, match="at least 0 and below 1"):
        kind(momentum=momentum)
