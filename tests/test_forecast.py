"""Forecast: what it says of every step is what the loop then does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cases import BASES, WITH_FORECAST, data_sets, lesson

import polydescent as pd
from polydescent.descent import forecast as convergence
from polydescent.descent.motion import Motion
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
    optimizer: Any = chosen.optimizer
    best = slowest(optimizer, chosen.curvature)
    factors = (0.97, 0.999, 1.001, 1.02)
    nearby = [{"learning_rate": optimizer.learning_rate * f} for f in factors]
    if name in ("momentum", "nesterov"):
        nearby += [{"momentum": optimizer.momentum * f} for f in factors]
    for change in nearby:
        away = replace(optimizer, **change)
        assert slowest(away, chosen.curvature) >= best - 1e-7


OPEN = {
    "momentum, rate": lambda q, _: pd.Momentum(learning_rate=q),
    "momentum, β": lambda _, beta: pd.Momentum(momentum=beta),
    "momentum, neither": lambda _, __: pd.Momentum(),
    "nesterov, rate": lambda q, _: pd.Nesterov(learning_rate=q),
    "nesterov, β": lambda _, beta: pd.Nesterov(momentum=beta),
    "nesterov, neither": lambda _, __: pd.Nesterov(),
}
ROUGH = 1e-7  # eigenvalues of a critically damped mode are known to half the digits only


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize("kappa", [1.0, 1.2, 10.0, 325.0, 1e5, 1e9])
@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e25])
def test_what_is_left_open_is_stable_or_refused(name, kappa, unit):
    """Over rates up to and beyond what any momentum bears, by the radius of `step` itself."""
    curvature = unit * np.geomspace(1, 1 / kappa, 3)
    bearable = 4.0 if name.startswith("momentum") else 2.0
    for q, beta in [
        (1e-6, 0.0), (0.3, 0.1), (0.999, 0.5), (1.0, 0.9), (1.2, 0.99), (4 / 3, 0.999),
        (1.3334, 1 - 1e-6), (1.5, 0.3), (1.9, 0.7), (1.99, 0.8), (2.01, 0.2), (3.9, 0.6),
        (4.1, 0.95), (50.0, 0.4),
    ]:  # fmt: skip
        open_ = OPEN[name](q / unit, beta)
        chosen = open_.fastest(curvature[-1], curvature[0])
        radius = slowest(chosen, curvature)
        stable = chosen.learning_rate <= chosen.limit(curvature[0])
        assert stable == (open_.learning_rate is None or q < bearable)
        if not stable:
            assert radius > 1
            continue
        assert radius <= 1 + ROUGH
        grid = np.r_[np.linspace(0, 1, 40, endpoint=False), 1 - np.geomspace(0.02, 1e-9, 20)]
        if open_.momentum is None:
            rate = chosen.learning_rate
            others = [type(chosen)(rate, other) for other in grid]
        else:
            rates = np.linspace(0, 1, 50)[1:] * chosen.limit(curvature[0])
            others = [type(chosen)(rate, beta) for rate in rates]
        assert radius <= min(slowest(other, curvature) for other in others) + ROUGH


@pytest.mark.parametrize("kind", [pd.Momentum, pd.Nesterov])
@pytest.mark.parametrize("q", [1e-20, 1e-34, 1e-300])
def test_momentum_stays_below_1_at_any_small_rate(kind, q):
    """The momentum that damps so slow a mode critically is rounded to 1, which is none."""
    chosen = kind(q).fastest(0.5, 1.0)
    assert 1 - 1e-9 < chosen.momentum < 1
    assert np.isfinite(chosen.decay(np.array([0.5, 1.0]), np.array([10**9]))).all()


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


def brute(forecast, excess, steps):
    """The first of so many steps at which the closed form is within the excess."""
    reached = forecast.excess_at(np.arange(steps + 1)) <= excess * forecast.lowest_loss
    return int(np.flatnonzero(reached)[0]) if reached.any() else None


def random_optimizer(rng, smallest, largest):
    """Near critical damping, heavily and hardly damped, with and without settings left open."""
    kind = [pd.GradientDescent, pd.Momentum, pd.Nesterov][rng.integers(3)]
    if kind is pd.GradientDescent:
        return kind(rng.uniform(0, 2) / largest)
    chosen = kind().fastest(smallest, largest)
    choice = rng.integers(4)
    if choice == 0:
        return chosen
    if choice == 1:
        return kind(chosen.learning_rate * (1 + rng.integers(-4, 5) * 2**-52), chosen.momentum)
    if choice == 2:
        return kind(rng.uniform(0, 2) / largest).fastest(smallest, largest)
    beta = 1 - 10 ** rng.uniform(-4, 0)
    return kind(rng.uniform(0, 1) * kind(1.0, beta).limit(largest), beta)


def test_steps_to_is_the_first_step_whatever_ripples():
    rng = np.random.default_rng(11)
    found = []
    for _ in range(250):
        k = int(rng.integers(1, 6))
        curvature = np.sort(10 ** rng.uniform(-rng.uniform(0, 6), 0, k))[::-1]
        curvature *= 10 ** rng.uniform(-20, 20)
        optimizer = random_optimizer(rng, curvature[-1], curvature[0])
        amplitude = rng.standard_normal(k) * 10 ** rng.uniform(-6, 1, k)
        forecast = pd.Forecast(optimizer, curvature, np.eye(k), amplitude, np.zeros(k), 1.0)
        excess = 10 ** rng.uniform(-25, 1)
        step, first = forecast.steps_to(excess), brute(forecast, excess, 10_000)
        assert step == first or (first is None and step > 10_000)
        found.append(step)
    assert sum(1000 < step < 10_000 for step in found) > 10


@pytest.mark.parametrize("kind", [pd.GradientDescent, pd.Momentum, pd.Nesterov])
def test_steps_to_takes_a_step_that_just_reaches(kind):
    """Its excess is the target to the last digit; bounds and recurrences are not as sharp."""
    rng = np.random.default_rng(12)
    for _ in range(40):
        step, k = int(10 ** rng.uniform(3, 9)), int(rng.integers(1, 4))
        curvature = np.sort(rng.uniform(0.3, 3, k))[::-1] / step
        optimizer = kind(*((0.05,) if kind is pd.GradientDescent else (0.05, 0.3)))
        amplitude = rng.uniform(0.5, 2, k)
        forecast = pd.Forecast(optimizer, curvature, np.eye(k), amplitude, np.zeros(k), 1.0)
        excess = forecast.excess_at(step)
        found = forecast.steps_to(excess)
        assert found <= step
        assert forecast.excess_at(found) <= excess < forecast.excess_at(found - 1)


@pytest.mark.parametrize("kind", [pd.Momentum, pd.Nesterov])
def test_steps_to_takes_a_swing_through_0_however_brief(kind):
    """There a mode is below what is left of it by as many digits as its rounding eats."""
    tried = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        optimizer = kind(rng.uniform(0.1, 1), 1 - 10 ** rng.uniform(-6, -4))
        curvature = 10 ** rng.uniform(-3, -1, 1)
        forecast = pd.Forecast(optimizer, curvature, np.eye(1), np.ones(1), np.zeros(1), 1.0)
        excess = forecast.excess_at(np.arange(8000))
        lowest = np.minimum.accumulate(excess)
        for step in np.flatnonzero(excess[1:] < lowest[:-1])[-2:] + 1:
            tried += step > 600
            assert forecast.steps_to(excess[step]) == step
    assert tried > 20


def test_steps_to_is_exact_far_out_at_the_fastest_rate(monkeypatch):
    """The steepest mode then shrinks as slowly as the flattest, by its last digits."""
    monkeypatch.setattr(convergence, "_PATIENCE", 10_000)  # a bound that is sharp needs no more
    curvature = np.array([1.6e10, 0.07])
    optimizer = pd.GradientDescent().fastest(*curvature[::-1])
    forecast = pd.Forecast(optimizer, curvature, np.eye(2), np.array([1e5, 0.02]), np.zeros(2), 1.0)
    for excess in (1e-3, 1e-6, 1e-20):
        step = forecast.steps_to(excess)
        assert step > 1e11
        assert forecast.excess_at(step) <= excess < forecast.excess_at(step - 1000)


def test_steps_to_does_not_wait_for_ripples_that_hardly_fade(monkeypatch):
    """Beyond what is looked at step by step the rest is sampled: reached it is, first or not."""
    monkeypatch.setattr(convergence, "_PATIENCE", 10_000)
    curvature = np.array([1.0, 0.5, 0.1])
    optimizer = pd.Momentum(1.0, 1 - 1e-8)
    forecast = pd.Forecast(optimizer, curvature, np.eye(3), np.ones(3), np.zeros(3), 1.0)
    step = forecast.steps_to(1e-12)
    assert 1e7 < step < 1e10
    assert forecast.excess_at(step) <= 1e-12 < forecast.excess_at(step - 1)


@pytest.mark.parametrize("shift", [0, 1, 5])
def test_a_mode_keeps_at_least_its_bound(shift):
    """Motion.least against every step of intervals, for real, double and complex roots."""
    rng = np.random.default_rng(shift)
    beta = 1 - 10 ** rng.uniform(-4, 0)
    q = np.r_[rng.uniform(0, 2 * (1 + beta), 30), 10 ** rng.uniform(-8, 0, 30)]
    q = np.r_[q, (1 - np.sqrt(beta)) ** 2 * (1 + np.arange(-3, 4) * 2**-50), 1.0, 2.0]
    heavy_ball = q[q <= 2 * (1 + beta)]
    nesterov = q[q <= (2 + 2 * beta) / (1 + 2 * beta)]
    for q, pull in ((heavy_ball, heavy_ball), (nesterov, nesterov * (1 + beta))):
        motion = Motion(q, pull, beta)
        first = rng.integers(1, 3000, 50)
        last = first + rng.integers(0, [1, 10, 400][shift % 3] + 1, 50)
        least = motion.least(first, last)
        for i, (a, b) in enumerate(zip(first, last, strict=True)):
            kept = np.abs(motion.left(np.arange(a, b + 1)))
            assert (least[i] <= kept.min(axis=0) * (1 + 1e-7) + 1e-300).all()


def timestamps(case):
    x = 1.7e9 + np.arange(100.0)
    return {
        "a line": (x, x - 1.7e9 + np.sin(x), 1),
        "a cubic": (x, np.sin((x - 1.7e9) / 20) + 0.1 * np.cos(x), 3),
        "tiny y": (x, 1e-30 * (x - 1.7e9 + np.sin(x)), 1),
        "far from 0": (1e15 + np.arange(100.0), np.arange(100.0) + np.sin(x), 1),
    }[case]


@pytest.mark.parametrize("case", ["a line", "a cubic", "tiny y", "far from 0"])
@pytest.mark.parametrize("optimizer", [pd.GradientDescent(), pd.Momentum()])
def test_what_never_moves_is_excess_not_floor(case, optimizer):
    x, y, degree = timestamps(case)
    run = pd.descend(x, y, degree, start="zeros", tolerance=0.01, steps=30, optimizer=optimizer)
    forecast = run.forecast
    assert not forecast.moving.all()
    assert forecast.lowest_loss == run.summary.rss == pytest.approx(run.lowest_loss, rel=1e-6)
    assert run.history.steps == 30  # it has not arrived
    assert run.excess > 1
    np.testing.assert_allclose(forecast.loss_at(np.arange(31)), run.history.loss, rtol=1e-6)
    assert forecast.steps_to(0.01) == np.inf
    assert forecast.steps_to(1.01 * forecast.held / forecast.lowest_loss) < np.inf
    assert "no number is" in run.advice
    assert 'use basis="chebyshev"' in run.advice


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
    best: Any = summary.forecast(3, optimizer=WITH_FORECAST[name]).optimizer
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
