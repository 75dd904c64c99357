"""Mini-batches: what is foretold is the mean of thousands of runs, and the limit is sharp."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import warnings

import numpy as np
import pytest
from cases import BACKENDS, lesson

import polydescent as pd
from polydescent.arrays import to_host
from polydescent.descent.batches import walk_batches
from polydescent.descent.moments import Moments
from polydescent.errors import (
    BadCall,
    BadSetting,
    NoClosedForm,
    NoRowsToDraw,
    PolydescentError,
    RateTooLarge,
)
from polydescent.polynomial.basis import BASES, CHEBYSHEV, Domain, design_matrix
from polydescent.regression.matrices import moments_of
from polydescent.report.page import payload
from polydescent.report.trace import Trace
from polydescent.rows.rows import Rows

pytestmark = pytest.mark.filterwarnings("ignore::polydescent.errors.ConvergenceWarning")
RUNS = 4000


def rows(kind="plain", n=300):
    rng = np.random.default_rng(4)
    x = rng.uniform(-2, 5, n)
    y = np.sin(x) + 0.3 * rng.standard_normal(n)
    weights = rng.uniform(0.2, 2, n) if "weights" in kind else None
    counts = rng.integers(0, 4, n).astype(float) if "counts" in kind else None
    return Rows.of(x, y, weights, counts=counts)


def given(columns):
    named = {"weights": columns.weights, "counts": columns.counts}
    return (columns.x, columns.y), {k: v for k, v in named.items() if v is not None}


kinds = pytest.mark.parametrize("kind", ["plain", "weights", "counts", "weights and counts"])


# ── moments ──


def direct(columns, domain, degree, curve=None):
    """The tensors by their definition, row after row."""
    V = np.polynomial.chebyshev.chebvander(domain.to_unit(columns.x), degree)
    y = columns.y if curve is None else columns.y - V @ curve
    share = np.ones(columns.n) if columns.weights is None else columns.weights**2
    share = share if columns.counts is None else share * columns.counts
    return (
        np.einsum("n,na,nb,nc,nd->abcd", share, V, V, V, V),
        np.einsum("n,n,na,nb,nc->abc", share, y, V, V, V),
        np.einsum("n,n,n,na,nb->ab", share, y, y, V, V),
    )


@kinds
@pytest.mark.parametrize("degree", [0, 1, 3, 6])
def test_moments_hold_every_product_of_four(kind, degree):
    columns = rows(kind)
    triangle = pd.Summary.of_rows(
        columns.x, columns.y, columns.weights, degree, columns.counts
    ).triangle
    found = moments_of(columns, triangle)
    for tensor, wanted in zip(
        (found.fourth, found.third, found.second),
        direct(columns, triangle.domain, degree),
        strict=True,
    ):
        np.testing.assert_allclose(tensor, wanted, atol=1e-11 * np.abs(wanted).max())
    curve = triangle.solve()
    about = found.about(curve)
    for tensor, wanted in zip(
        (about.fourth, about.third, about.second),
        direct(columns, triangle.domain, degree, curve),
        strict=True,
    ):
        np.testing.assert_allclose(tensor, wanted, atol=1e-10 * columns.n)


@kinds
def test_moments_add_and_shrink_as_summaries_do(kind):
    columns = rows(kind)
    (x, y), beside = given(columns)
    whole = pd.summarize(x, y, 5, moments=True, **beside)
    cuts = [slice(0, 40), slice(40, 41), slice(41, None)]
    parts = [
        pd.summarize(x[c], y[c], 5, moments=True, **{k: v[c] for k, v in beside.items()})
        for c in cuts
    ]
    total = sum(parts[1:], parts[0]) + pd.Summary.empty(5)
    assert total.moments.n == whole.moments.n == whole.n
    for a, b in zip(total.moments._sums, whole.moments._sums, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-11 * np.abs(b).max())
    lower = pd.summarize(x, y, 2, moments=True, **beside)
    for a, b in zip(whole.lower(2).moments._sums, lower.moments._sums, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-11 * np.abs(b).max())
    assert (parts[0] + pd.summarize(x, y, 5, **beside)).moments is None


def test_moments_are_kept_in_files_and_follow_dates(tmp_path):
    x, y = given(rows())[0]
    held = pd.summarize(x, y, 3, moments=True)
    held.save(tmp_path / "held.json")
    again = pd.Summary.load(tmp_path / "held.json")
    for a, b in zip(again.moments._sums, held.moments._sums, strict=True):
        assert list(a) == list(b)
    days = np.datetime64("2024-01-01") + np.arange(300)
    whole = pd.summarize(days, y, 3, moments=True)
    both = pd.summarize(days[:99], y[:99], 3, moments=True) + pd.summarize(
        days[99:], y[99:], 3, moments=True
    )
    settings = {"batch": 8, "basis": "legendre"}
    assert both.forecast(**settings).noise_floor == pytest.approx(
        whole.forecast(**settings).noise_floor
    )


def test_moments_of_no_rows_change_nothing():
    x, y = given(rows())[0]
    some = Moments.fold(x, y, None, None, 2, Domain(-2.0, 5.0))
    none = Moments.fold(x[:0], y[:0], None, None, 2, Domain(np.inf, -np.inf))
    assert some + none is some
    assert none + some is some


# ── the mean of many runs ──


def many_runs(columns, degree, basis, rate, batch, steps, start):
    """The mean excess before each step over RUNS runs, and its standard error."""
    triangle = pd.Summary.of_rows(
        columns.x, columns.y, columns.weights, degree, columns.counts
    ).triangle
    R, z, _ = triangle.least_squares(basis)
    v = triangle.domain.to_unit(columns.x) if basis.on_unit else columns.x
    weights = np.ones(columns.n) if columns.weights is None else columns.weights
    A, b = design_matrix(basis, v, degree), columns.y
    seen = np.arange(columns.n)
    if columns.counts is not None:
        seen = np.repeat(seen, columns.counts.astype(int))
    rng = np.random.default_rng(11)
    w, means, errors = np.tile(start, (RUNS, 1)), [], []
    best = np.linalg.solve(R, z)
    for _ in range(steps + 1):
        excess = (((w - best) @ R.T) ** 2).sum(axis=1)
        means.append(excess.mean())
        errors.append(excess.std() / np.sqrt(RUNS))
        drawn = seen[rng.integers(0, len(seen), (RUNS, batch))]
        some = A[drawn]
        rest = (np.einsum("rbk,rk->rb", some, w) - b[drawn]) * weights[drawn]
        w = w - rate * 2 * len(seen) / batch * np.einsum("rbk,rb->rk", some, rest)
    return np.array(means), np.array(errors)


@kinds
@pytest.mark.parametrize(("basis", "degree"), [("chebyshev", 3), ("legendre", 2), ("power", 1)])
def test_the_mean_of_runs_is_foretold(kind, basis, degree):
    columns, batch, start = rows(kind), 8, np.full(degree + 1, 0.5)
    (x, y), beside = given(columns)
    summary = pd.summarize(x, y, degree, moments=True, **beside)
    forecast = summary.forecast(basis=basis, batch=batch, start=start)
    rate = 0.3 * forecast.largest_stable_rate
    forecast = summary.forecast(basis=basis, batch=batch, start=start, learning_rate=rate)
    means, errors = many_runs(columns, degree, BASES[basis], rate, batch, 60, start)
    foretold = forecast.expected_excess_at(np.arange(61))
    assert (np.abs(means - foretold) <= 5 * errors + 1e-9 * foretold[0]).all()
    late = slice(20, None)
    assert np.abs(means[late].mean() / foretold[late].mean() - 1) < 0.02
    assert foretold[0] == pytest.approx(forecast.excess_at(0) if not forecast.batch else means[0])


def test_the_forecast_of_a_run_is_that_of_its_summary():
    (x, y), beside = given(rows("weights and counts"))
    summary = pd.summarize(x, y, 3, moments=True, **beside)
    settings = {"basis": "legendre", "batch": 5, "start": "zeros", "learning_rate": 1e-5}
    run = pd.descend(x, y, 3, over="rows", steps=50, **settings, **beside)
    there = summary.forecast(**settings)
    steps = np.array([0, 1, 7, 50])
    np.testing.assert_allclose(
        run.forecast.expected_excess_at(steps), there.expected_excess_at(steps), rtol=1e-9
    )
    assert run.forecast.largest_stable_rate == pytest.approx(there.largest_stable_rate)
    again = pd.Fit.from_json(run.to_json())
    assert again.forecast.noise_floor == run.forecast.noise_floor
    assert again.forecast.batch == 5


@pytest.mark.parametrize("batch", [1, 8, 64])
@pytest.mark.parametrize("basis", ["chebyshev", "power"])
def test_the_limit_is_sharp(batch, basis):
    summary = pd.summarize(*lesson(), 3, moments=True)
    limit = summary.forecast(batch=batch, basis=basis).largest_stable_rate
    assert limit < summary.forecast(basis=basis).largest_stable_rate
    below = summary.forecast(batch=batch, basis=basis, learning_rate=0.97 * limit)
    above = summary.forecast(batch=batch, basis=basis, learning_rate=1.03 * limit)
    steps = np.array([0, 1000, 20_000])
    settled, grown = below.expected_excess_at(steps), above.expected_excess_at(steps)
    assert settled[-1] == pytest.approx(below.noise_floor, rel=0.05)
    assert grown[-1] > 1e3 * grown[0]
    assert not above.is_stable
    assert above.noise_floor == np.inf


def test_batches_of_all_rows_come_near_the_full_descent():
    summary = pd.summarize(*lesson(), 3, moments=True)
    settings = {"basis": "chebyshev", "learning_rate": 2e-4}
    full, huge = summary.forecast(**settings), summary.forecast(batch=10**9, **settings)
    steps = np.arange(40)
    np.testing.assert_allclose(huge.expected_excess_at(steps), full.excess_at(steps), atol=1e-3)
    np.testing.assert_allclose(full.expected_excess_at(steps), full.excess_at(steps))
    assert full.noise_floor == 0.0
    assert huge.largest_stable_rate == pytest.approx(full.largest_stable_rate, rel=1e-6)


def test_rates_that_fall_end_below_the_floor():
    summary = pd.summarize(*lesson(), 3, moments=True)
    settings = {"basis": "chebyshev", "batch": 16, "steps": 400}
    falling = summary.forecast(schedule=lambda t: 1 / (1 + t / 20), **settings)
    steady = summary.forecast(**settings)
    assert falling.expected_excess_at(400) < 0.3 * steady.noise_floor
    ones = summary.forecast(schedule=np.ones(400), **settings)
    np.testing.assert_allclose(
        ones.expected_excess_at(np.arange(401)), steady.expected_excess_at(np.arange(401))
    )


# ── the walk ──


@pytest.mark.parametrize("backend", BACKENDS[:4], ids=str)
@pytest.mark.parametrize("draw", ["replacement", "shuffle"])
def test_every_library_takes_the_same_steps(backend, draw):
    if backend.library == "torch":
        pytest.importorskip("torch")
    x, y = lesson()
    settings = {"batch": 30, "draw": draw, "steps": 80, "over": "rows", "basis": "legendre"}
    run = pd.descend(backend.array(x), backend.array(y), **settings)
    host = pd.descend(x, y, **settings)
    assert type(run.history.weights) is type(backend.array(x))
    np.testing.assert_allclose(to_host(run.history.loss), host.history.loss, rtol=2e-3)
    if backend.dtype == "float64":
        np.testing.assert_allclose(to_host(run.history.weights), host.history.weights, atol=1e-10)


def test_the_losses_are_those_of_all_rows():
    x, y = lesson()
    run = pd.descend(x, y, batch=7, over="rows", steps=30, basis="legendre")
    A = design_matrix(BASES["legendre"], run.summary.domain.to_unit(x), 3)
    again = ((run.history.weights @ A.T - y) ** 2).sum(axis=1)
    np.testing.assert_allclose(run.history.loss, again, rtol=1e-10)
    assert run.loss == run.history.loss[-1]


def test_a_shuffled_epoch_takes_each_row_once():
    n, w = 50, np.zeros(2)
    A, b = np.random.default_rng(1).standard_normal((n, 2)), np.arange(n, dtype=float)
    counts = np.arange(n) % 3.0
    R = np.linalg.qr(A)[1]
    gradients = []

    class Kept(pd.GradientDescent):
        def step(self, w, gradient, state):
            gradients.append(gradient)
            return w, state

    for seen, total in ((None, n), (counts, int(counts.sum()))):
        gradients.clear()
        steps = -(-total // 8)
        walk_batches(A, b, seen, (R, w, 0.0), w, Kept(1.0), steps, 8, "shuffle", 0)
        sizes = np.array([8] * (steps - 1) + [total - 8 * (steps - 1)])
        weight = np.ones(n) if seen is None else seen
        whole = -2 * A.T @ (weight * b)
        found = (np.array(gradients) * sizes[:, None]).sum(axis=0) / total
        np.testing.assert_allclose(found, whole)


def test_shuffled_rows_end_no_higher_than_drawn_ones():
    x, y = lesson()
    settings = {"over": "rows", "batch": 50, "basis": "chebyshev", "steps": 400, "start": "zeros"}

    def mean(draw):
        runs = [pd.descend(x, y, draw=draw, seed=s, **settings) for s in range(12)]
        return np.mean([run.history.loss[200:].mean() for run in runs])

    assert mean("shuffle") < mean("replacement")


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad"])
def test_every_optimizer_walks_over_batches(name):
    run = pd.descend(*lesson(), over="rows", batch=64, steps=40, optimizer=name, learning_rate=1e-7)
    assert np.isfinite(run.history.loss).all()
    with pytest.raises(NoClosedForm, match="on batches"):
        run.forecast.loss_at(3)
    with pytest.raises(NoClosedForm, match="on batches"):
        run.forecast.expected_excess_at(3)
    assert payload(run)["optimizer"]["name"] == "gd"
    with pytest.raises(BadCall, match="cannot be taken apart"):
        Trace.of(run, 2)


def test_a_seed_draws_the_same_rows():
    settings = {"over": "rows", "batch": 9, "steps": 20, "start": "zeros", "basis": "legendre"}
    one, same, other = (pd.descend(*lesson(), seed=s, **settings).loss for s in (1, 1, 2))
    assert one == same != other


def test_it_stops_at_a_tolerance_and_tells_why_it_did_not():
    settings = {"over": "rows", "batch": 256, "basis": "chebyshev", "steps": 3000}
    run = pd.descend(*lesson(), tolerance=0.1, **settings)
    assert run.history.steps < 3000
    assert run.history.loss[-1] <= 1.1 * run.lowest_loss < run.history.loss[:-1].min()
    far = pd.descend(*lesson(), batch=2, **{k: v for k, v in settings.items() if k != "batch"})
    assert "batches of 2 rows end on average" in far.advice


# ── schedules, ridge, rows put aside ──


@pytest.mark.parametrize("over", ["summary", "rows"])
@pytest.mark.parametrize("name", ["gd", "momentum", "adam", "rmsprop", "nadam"])
def test_schedules_are_those_of_torch(name, over):
    torch = pytest.importorskip("torch")
    x, y = lesson()
    kinds = {
        "gd": (pd.GradientDescent(1e-4), torch.optim.SGD, {"lr": 1e-4}),
        "momentum": (pd.Momentum(1e-4, 0.8), torch.optim.SGD, {"lr": 1e-4, "momentum": 0.8}),
        "adam": (pd.Adam(0.01), torch.optim.Adam, {"lr": 0.01}),
        "rmsprop": (pd.RMSprop(0.01), torch.optim.RMSprop, {"lr": 0.01}),
        "nadam": (pd.NAdam(0.01), torch.optim.NAdam, {"lr": 0.01}),
    }
    ours, kind, settings = kinds[name]
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        A = torch.tensor(np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, 2000), 3))
        w = torch.tensor([0.3, -1.2, 0.5, 0.8], requires_grad=True)
        optimizer = kind([w], **settings)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 - t / 100)
        for _ in range(100):
            optimizer.zero_grad()
            (A @ w - torch.tensor(y)).square().sum().backward()
            optimizer.step()
            schedule.step()
    finally:
        torch.set_default_dtype(usual)
    run = pd.descend(
        x, y, over=over, basis="chebyshev", start=[0.3, -1.2, 0.5, 0.8], optimizer=ours, steps=100,
        schedule=lambda t: 1 - t / 100,
    )  # fmt: skip
    np.testing.assert_allclose(run.history.weights[-1], w.detach().numpy(), atol=1e-12)
    assert_traced(run, 40)


def assert_traced(run, step):
    found = Trace.of(run, step)
    np.testing.assert_allclose(found.weights, run.history.weights[step], atol=1e-9)
    np.testing.assert_allclose(found.after, run.history.weights[step + 1], atol=1e-9)


def test_a_schedule_is_foretold():
    run = pd.descend(*lesson(), steps=300, schedule=[0.5] * 100 + [1.0] * 200)
    steps = np.arange(301)
    np.testing.assert_allclose(run.forecast.loss_at(steps), run.history.loss, rtol=1e-11)
    np.testing.assert_allclose(run.forecast.weights_at(steps), run.history.weights, atol=1e-10)
    first = run.forecast.steps_to(2000.0)
    assert first == np.flatnonzero(run.history.loss <= 2001.0 * run.lowest_loss)[0]
    again = pd.Fit.from_json(run.to_json())
    assert list(again.forecast.scale) == list(run.forecast.scale)
    with pytest.raises(BadSetting, match="at most 300, where the schedule ends"):
        run.forecast.loss_at(301)
    with pytest.raises(NoClosedForm, match="Momentum with a schedule"):
        pd.summarize(*lesson(), 3).forecast(
            optimizer="momentum", steps=9, schedule=[1.0] * 9
        ).loss_at(3)
    with pytest.raises(RateTooLarge):
        pd.descend(*lesson(), steps=9, schedule=[2.5] * 9)


@pytest.mark.parametrize("over", ["summary", "rows"])
@pytest.mark.parametrize("basis", ["power", "chebyshev", "legendre"])
@pytest.mark.parametrize("ridge", [1e-3, 10.0, 1e4])
def test_ridge_ends_where_the_penalized_loss_is_lowest(ridge, basis, over):
    columns = rows("weights")
    (x, y), beside = given(columns)
    run = pd.descend(
        x, y, 3, basis=basis, ridge=ridge, over=over, optimizer="momentum", steps=2000,
        start="zeros", **beside,
    )  # fmt: skip
    v = run.summary.domain.to_unit(x) if basis != "power" else x
    A = design_matrix(BASES[basis], v, 3) * np.sqrt(columns.weights)[:, None]
    b = y * np.sqrt(columns.weights)
    penalty = ridge * np.diag([0.0, 1, 1, 1])
    wanted = np.linalg.solve(A.T @ A + penalty, A.T @ b)
    assert run.outcome is pd.Outcome.CONVERGED
    np.testing.assert_allclose(run.history.weights[-1], wanted, atol=1e-4 * np.abs(wanted).max())
    w = run.history.weights[-1]
    plain = ((A @ w - b) ** 2).sum()
    assert run.loss == pytest.approx(plain)
    assert run.history.loss[-1] == pytest.approx(plain + w @ penalty @ w)
    assert run.forecast.lowest_loss <= run.history.loss.min() * (1 + 1e-12)
    assert_traced(run, 7)
    assert pd.Fit.from_json(run.to_json()).forecast.ridge == ridge


@pytest.mark.parametrize("basis", ["power", "chebyshev", "legendre"])
def test_rows_put_aside_are_met_at_every_step(basis):
    x, y = given(rows())[0]
    aside = pd.summarize(x[::3] * 1.5, y[::3], 6)
    run = pd.descend(x, y, 3, basis=basis, validation=aside, steps=60)
    v = run.summary.domain.to_unit(1.5 * x[::3]) if basis != "power" else 1.5 * x[::3]
    A = design_matrix(BASES[basis], v, 3)
    wanted = ((run.history.weights @ A.T - y[::3]) ** 2).sum(axis=1)
    np.testing.assert_allclose(run.history.validation, wanted, rtol=1e-9)
    assert run.history.best_step == int(np.argmin(wanted))
    again = pd.Fit.from_json(run.to_json()).history
    assert list(again.validation) == list(run.history.validation)
    assert pd.descend(x, y, 3, steps=5).history.best_step is None


# ── what does not go together ──


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"batch": 8}, BadCall, 'pass over="rows" too'),
        ({"batch": 0, "over": "rows"}, BadSetting, "batch must be a whole number of 1 or more"),
        ({"batch": 2.5, "over": "rows"}, BadSetting, "batch"),
        ({"draw": "shuffle"}, BadCall, "rows of a batch= are drawn"),
        ({"batch": 8, "over": "rows", "draw": "shuffled"}, PolydescentError, "shuffle"),
        ({"batch": 8, "over": "rows", "optimizer": "cg"}, BadCall, "off all rows"),
        ({"batch": 8, "over": "rows", "optimizer": "bb"}, BadCall, "off all rows"),
        ({"batch": 8, "over": "rows", "ridge": 1.0}, BadCall, "ridge= goes with all rows"),
        ({"batch": 1, "over": "rows", "learning_rate": 3e-6}, RateTooLarge, "diverges"),
        ({"ridge": -1.0}, BadSetting, "ridge must be 0 or more"),
        ({"ridge": np.nan}, BadSetting, "ridge"),
        ({"schedule": [1.0]}, BadSetting, "2,000 numbers"),
        ({"schedule": lambda t: -1.0}, BadSetting, "0 or more"),
        ({"schedule": lambda t: "x"}, BadSetting, "a function of the step"),
        ({"schedule": lambda t: 0.0}, BadSetting, "a function of the step"),
        ({"validation": lesson()}, BadSetting, "a Summary of rows put aside"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, error, says):
    with pytest.raises(error, match=says):
        pd.descend(*lesson(), **settings)


def test_a_bare_summary_is_no_rows():
    summary = pd.summarize(*lesson(), 3)
    for ask in (summary.descend, summary.forecast):
        with pytest.raises(NoRowsToDraw, match="summarize them with their moments"):
            ask(batch=4)
    with pytest.raises(NoRowsToDraw):
        pd.summarize(*lesson(), 3, moments=True).descend(batch=4, over="rows")
    with pytest.raises(BadSetting, match="moments must be True or False"):
        pd.summarize(*lesson(), 3, moments=1)


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        summary = pd.summarize(*lesson(), 3, moments=True)
        forecast = summary.forecast(batch=2, basis=CHEBYSHEV, learning_rate=1.0)
        assert forecast.expected_excess_at(10**6) == np.inf


def test_stacks_walk_by_what_serves_each_curve():
    x = np.linspace(-1, 1, 30)
    summaries = pd.summarize_many(x, np.stack([x, x**2]), 2)
    for name in ("adamw", "nadam", "rmsprop", "adagrad"):
        together = summaries.descend(optimizer=name, steps=40, start="zeros")
        for i, y in enumerate((x, x**2)):
            alone = pd.descend(x, y, 2, optimizer=name, steps=40, start="zeros")
            np.testing.assert_allclose(together.loss[i], alone.loss, rtol=1e-5)
    for name in ("bb", "cg"):
        with pytest.raises(BadSetting, match="reads its own off one curve"):
            summaries.descend(optimizer=name, steps=4)
    for settings in ({"ridge": 1.0}, {"schedule": [1.0] * 4}, {"batch": 2, "over": "rows"}):
        with pytest.raises(BadCall, match="are of one curve"):
            summaries.descend(steps=4, **settings)
