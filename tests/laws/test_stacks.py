"""What is done to a stack of curves is what is done to each of them, one by one."""

import numpy as np
import pytest
from cases import OPTIMIZERS, WITH_FORECAST

import polydescent as pd
from polydescent.arrays import Kind, to_host
from polydescent.descent.loop import walk
from polydescent.errors import BadSetting, OneCurveOnly, TooFewDistinct, TooFewRows
from polydescent.least_squares.constraints import Constraints
from polydescent.least_squares.solution import from_triangle, solve
from polydescent.polynomial.basis import CHEBYSHEV, LEGENDRE, POWER, Domain, change_of_basis
from polydescent.rows.rows import Rows
from polydescent.triangle.kernels import reference
from polydescent.triangle.kernels.stacked import stack as stack_many
from polydescent.triangle.triangle import Triangle

CURVES, N, DEGREE = 5, 40, 4
BASES = (POWER, CHEBYSHEV, LEGENDRE)
LIBRARIES = ("numpy", "torch")


def columns(library="numpy", weighted=False, seed=0):
    """x, y and weights of 5 curves, each with a scale, an offset and weights of its own."""
    rng = np.random.default_rng(seed)
    scale, offset = np.array([1.0, 10.0, 1e3, 1e-3, 1.0]), np.array([0.0, 5.0, 2000.0, 0.0, 3.0])
    x = rng.normal(size=(CURVES, N)) * scale[:, None] + offset[:, None]
    y = rng.normal(size=(CURVES, N))
    weights = 10.0 ** rng.uniform(-2, 2, (CURVES, N)) if weighted else None
    if library == "torch":
        torch = pytest.importorskip("torch")
        x, y = torch.asarray(x), torch.asarray(y)
        weights = weights if weights is None else torch.asarray(weights)
    return x, y, weights


def one_by_one(triangle, what):
    return np.stack([np.asarray(what(triangle[i])) for i in range(CURVES)])


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def triangle(request):
    return Triangle.fold(*columns(weighted=request.param), DEGREE)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_folding(library, weighted):
    x, y, weights = columns(library, weighted)
    stack = Triangle.fold(x, y, weights, DEGREE)
    assert stack.shape == (CURVES,)
    assert stack.degree == DEGREE
    for i in range(CURVES):
        alone = Triangle.fold(x[i], y[i], None if weights is None else weights[i], DEGREE)
        assert np.array_equal(stack[i].array, alone.array)
        assert stack.domain[i] == alone.domain
        assert stack.n[i] == alone.n


def test_a_shared_x_serves_every_curve():
    x, y, weights = columns(weighted=True)
    shared = Triangle.fold(x[0], y, weights[0], DEGREE)
    own = Triangle.fold(np.tile(x[0], (CURVES, 1)), y, np.tile(weights[0], (CURVES, 1)), DEGREE)
    assert np.array_equal(shared.array, own.array)


def test_adding(triangle):
    x, y, _ = columns(seed=1)
    other = Triangle.fold(3 * x + 1, y, None, DEGREE)
    total = triangle + other
    for i in range(CURVES):
        alone = triangle[i] + other[i]
        np.testing.assert_allclose(total[i].array, alone.array, rtol=1e-13, atol=1e-13)
        assert total[i].domain == alone.domain
        assert total[i].n == alone.n


def test_adding_stacks_in_which_some_hold_no_rows(triangle):
    nothing = Triangle.empty(DEGREE)
    gaps = Triangle.stacked([nothing, triangle[1], nothing, triangle[3], nothing])
    for total in (gaps + triangle, triangle + gaps):
        for i in (0, 2, 4):
            assert np.array_equal(total[i].array, triangle[i].array)
            assert total[i].domain == triangle[i].domain
        assert np.isfinite(total.array).all()
    none = Triangle.stacked([nothing] * CURVES)
    assert np.array_equal((none + triangle).array, triangle.array)
    assert (none + none).n.sum() == 0


@pytest.mark.parametrize(
    "what",
    [
        lambda t: t.solve(),
        lambda t: t.rss,
        lambda t: t.tss,
        lambda t: t.square,
        lambda t: t.has_full_rank,
        lambda t: t.lower(2).array,
        lambda t: t.lower(0).solve(),
        *(lambda t, b=basis: t.least_squares(b)[0] for basis in BASES),
    ],
    ids=["solve", "rss", "tss", "square", "rank", "lower", "lowest", *(b.name for b in BASES)],
)
def test_what_a_triangle_says(triangle, what):
    scale = np.abs(one_by_one(triangle, what)).max() or 1.0
    np.testing.assert_allclose(
        what(triangle), one_by_one(triangle, what), rtol=1e-12, atol=1e-15 * scale
    )


def test_rebasing(triangle):
    wider = Domain(triangle.domain.lo - 1.0, triangle.domain.hi * 2 + 1)
    for i in range(CURVES):
        alone = triangle[i].rebased(wider[i])
        np.testing.assert_allclose(triangle.rebased(wider)[i].array, alone.array, rtol=1e-12)


@pytest.mark.parametrize("source", BASES, ids=lambda basis: basis.name)
@pytest.mark.parametrize("target", BASES, ids=lambda basis: basis.name)
def test_changing_the_basis(target, source):
    scale, shift = np.linspace(0.5, 1, 6).reshape(2, 3), np.linspace(-1, 1, 6).reshape(2, 3)
    C = change_of_basis(target, source, 6, scale, shift)
    assert C.shape == (2, 3, 7, 7)
    for i in np.ndindex(2, 3):
        alone = change_of_basis(target, source, 6, scale[i], shift[i])
        np.testing.assert_allclose(C[i], alone, rtol=1e-15, atol=1e-15)


def test_one_curve_without_an_answer_is_named():
    x, y, _ = columns()
    x[2] = x[2] > 2000  # two values
    with pytest.raises(TooFewDistinct):
        Triangle.fold(x, y, None, DEGREE).solve()
    with pytest.raises(TooFewRows):
        Triangle.fold(x[:, :3], y[:, :3], None, DEGREE).solve()


# ── descent ──


def systems(basis):
    """(R, z, rss, start) of five curves in a basis: one of them has two values of x."""
    x, y, _ = columns()
    x[3] = x[3] > 0
    alone = [Triangle.fold(x[i], y[i], None, DEGREE).least_squares(basis) for i in range(CURVES)]
    R, z, rss = (np.stack(parts) for parts in zip(*alone, strict=True))
    return R, z, rss, np.random.default_rng(1).standard_normal(z.shape)


def forecasts(basis, optimizer):
    """That of the stack, and those of its curves."""
    R, z, rss, start = systems(basis)
    alone = [pd.Forecast.of(R[i], z[i], rss[i], optimizer, start[i]) for i in range(CURVES)]
    return pd.Forecast.of(R, z, rss, optimizer, start), alone


def assert_same(found, wanted, tolerance=1e-12):
    """The stack against its curves one by one, each by its own size."""
    wanted = np.stack([np.asarray(w, dtype=float) for w in wanted])
    assert found.shape == wanted.shape
    for one, other in zip(to_host(found), wanted, strict=True):
        finite = np.isfinite(other)
        size = np.abs(other[finite]).max(initial=0.0)
        assert np.array_equal(one[~finite], other[~finite], equal_nan=True)
        np.testing.assert_allclose(one[finite], other[finite], rtol=tolerance, atol=1e-12 * size)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("basis", BASES, ids=lambda basis: basis.name)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_walking(name, basis, library):
    pytest.importorskip(library)
    put = Kind(library).put
    R, z, rss, start = (put(v) for v in systems(basis))
    together, alone = forecasts(basis, OPTIMIZERS[name])
    steps = 2 if name in ("bb", "cg") else 60  # their rates carry rounding from step to step
    run = walk(R, z, rss, start, together.optimizer, steps)
    assert run.loss.shape == (steps + 1, CURVES)
    assert run.weights.shape == (steps + 1, CURVES, DEGREE + 1)
    assert type(run.loss) is type(run.weights) is type(R)
    assert run.steps == steps
    runs = [walk(R[i], z[i], rss[i], start[i], f.optimizer, steps) for i, f in enumerate(alone)]
    assert_same(run.loss.T, [to_host(one.loss) for one in runs], 1e-9)
    assert_same(run.weights[-1], [to_host(one.weights[-1]) for one in runs], 1e-9)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_walking_stays_in_its_dtype(library, dtype):
    pytest.importorskip(library)
    put = Kind(library, dtype).put
    R, z, _, start = (put(v) for v in systems(CHEBYSHEV))
    run = walk(R, z, 0.0, start, forecasts(CHEBYSHEV, pd.Momentum())[0].optimizer, 3)
    assert run.loss.dtype == run.weights.dtype == R.dtype


@pytest.mark.parametrize("library", LIBRARIES)
def test_rates_side_by_side_on_rows_that_all_share(library):
    pytest.importorskip(library)
    put, rates = Kind(library).put, np.geomspace(1e-3, 1e-2, CURVES)[:, None]
    R, z, _, start = systems(CHEBYSHEV)
    A, b, w = put(R[0]), put(z[0]), put(start)
    seen = []
    run = walk(A, b, 0.0, w, pd.Momentum(rates, 0.5), 30, None, lambda *at: seen.append(at))
    runs = [walk(A, b, 0.0, w[i], pd.Momentum(float(rates[i, 0]), 0.5), 30) for i in range(CURVES)]
    assert_same(run.loss.T, [to_host(one.loss) for one in runs])
    assert seen == [(t, float(loss.max())) for t, loss in enumerate(run.loss)]


@pytest.mark.parametrize("library", LIBRARIES)
def test_walking_ends_where_the_last_has_arrived(library):
    pytest.importorskip(library)
    put = Kind(library).put
    R, z, rss, start = systems(LEGENDRE)
    f = pd.Forecast.of(R, z, rss, pd.GradientDescent(), start)
    target = 1.05 * (rss + f.held) + 1e-9
    run = walk(put(R), put(z), put(rss), put(start), f.optimizer, 5000, put(target))
    steps = [
        walk(R[i], z[i], rss[i], start[i], f[i].optimizer, 5000, target[i]).steps
        for i in range(CURVES)
    ]
    assert run.steps == max(steps) < 5000
    assert len(set(steps)) > 1
    assert (to_host(run.loss[-1]) <= target).all()


# ── optimizers ──


OPEN = [
    pd.GradientDescent(),
    *(kind() for kind in (pd.Momentum, pd.Nesterov)),
    *(kind(rate) for kind in (pd.Momentum, pd.Nesterov) for rate in (1e-3, 1.5)),
    *(kind(momentum=0.7) for kind in (pd.Momentum, pd.Nesterov)),
]
BETAS = np.array([0.0, 0.3, 0.9, 0.99, 0.5])[:, None]
RATES = np.array([1e-3, 0.3, 1.4, 1.9, 50.0])[:, None]
OF_EACH = [
    pd.GradientDescent(RATES),
    *(kind(RATES) for kind in (pd.Momentum, pd.Nesterov)),
    *(kind(momentum=BETAS) for kind in (pd.Momentum, pd.Nesterov)),
    *(kind(RATES, BETAS) for kind in (pd.Momentum, pd.Nesterov)),
    *(kind(RATES, 0.5) for kind in (pd.Momentum, pd.Nesterov)),
    *(kind(1e-2, BETAS) for kind in (pd.Momentum, pd.Nesterov)),
]


@pytest.mark.parametrize("optimizer", [*OPEN, *OF_EACH], ids=lambda o: o.name)
def test_what_an_optimizer_says(optimizer):
    curvature = np.geomspace(1, [[1.0], [0.5], [1e-2], [1e-5], [1e-9]], 3)[..., 0].T
    assert curvature.shape == (CURVES, 3)
    chosen = optimizer.fastest(curvature[:, -1:], curvature[:, :1])
    limit, steps = chosen.limit(curvature[:, :1]), np.array([0, 1, 2, 9, 100, 10**6])
    with np.errstate(over="ignore"):
        left = chosen.decay(curvature, steps)
    assert left.shape == (6, CURVES, 3)
    for i, own in enumerate(curvature):
        settings = {
            name: value if np.ndim(value) == 0 else float(value[i, 0])
            for name, value in vars(optimizer).items()
        }
        alone = type(optimizer)(**settings).fastest(float(own[-1]), float(own[0]))
        for name, value in vars(alone).items():
            assert type(value) is float
            found = np.broadcast_to(getattr(chosen, name), (CURVES, 1))[i, 0]
            assert found == pytest.approx(value, rel=1e-13)
        own_settings = {
            name: float(np.broadcast_to(value, (CURVES, 1))[i, 0])
            for name, value in vars(chosen).items()
        }
        same = type(optimizer)(**own_settings)
        assert limit[i, 0] == pytest.approx(same.limit(float(own[0])), rel=1e-13)
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(left[:, i], same.decay(own, steps), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("kind", [pd.GradientDescent, pd.Momentum, pd.Nesterov, pd.Adam])
def test_one_bad_rate_among_many_is_refused(kind, wrong):
    with pytest.raises(BadSetting, match="learning_rate must be a positive finite number"):
        kind(np.array([[0.1], [wrong]]))


@pytest.mark.parametrize("wrong", [1.0, -0.1, np.nan])
@pytest.mark.parametrize("kind", [pd.Momentum, pd.Nesterov])
def test_one_bad_momentum_among_many_is_refused(kind, wrong):
    with pytest.raises(BadSetting, match="momentum must be at least 0 and below 1"):
        kind(0.1, np.array([[0.1], [wrong]]))


# ── forecast ──

NUMBERS = (
    "condition", "largest_stable_rate", "best_rate", "held", "lowest_loss", "is_stable",
    "is_hopeless",
)  # fmt: skip


@pytest.mark.parametrize("basis", BASES, ids=lambda basis: basis.name)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_forecasting(name, basis):
    together, alone = forecasts(basis, OPTIMIZERS[name])
    assert together.shape == (CURVES,)
    assert not together.moving[3].all()
    for what in (*NUMBERS, "curvature", "amplitude"):
        assert_same(getattr(together, what), [getattr(one, what) for one in alone])
    for i, one in enumerate(alone):
        for setting, value in vars(one.optimizer).items():
            found = getattr(together[i].optimizer, setting)
            assert type(found) is type(value)
            assert found == pytest.approx(value, rel=1e-13)
        kinds = [type(getattr(one, what)) for what in NUMBERS[:4]]
        assert kinds == [type(getattr(together[i], what)) for what in NUMBERS[:4]] == 4 * [float]


@pytest.mark.parametrize("step", [0, 7, [0, 1, 50, 10**5], [[2, 3, 4], [5, 6, 7]]])
@pytest.mark.parametrize("basis", BASES, ids=lambda basis: basis.name)
@pytest.mark.parametrize("name", WITH_FORECAST)
def test_forecasting_steps(name, basis, step):
    together, alone = forecasts(basis, WITH_FORECAST[name])
    first = np.ndim(step)
    for what in ("excess_at", "loss_at", "weights_at"):
        wanted = [np.asarray(getattr(one, what)(step)) for one in alone]
        found = getattr(together, what)(step)
        assert found.shape[: first + 1] == (*np.shape(step), CURVES)
        assert_same(np.moveaxis(found, first, 0), wanted, 1e-9)
        assert_same(np.stack([getattr(together[i], what)(step) for i in range(CURVES)]), wanted)


@pytest.mark.parametrize("name", WITH_FORECAST)
def test_forecasting_when_a_stack_arrives(name):
    together, alone = forecasts(LEGENDRE, WITH_FORECAST[name])
    for excess in (1e-6, 0.1):
        assert list(together.steps_to(excess)) == [one.steps_to(excess) for one in alone]


def test_forecasting_more_than_one_dimension():
    R, z, rss, start = (v[[0, 1, 2, 4, 0, 2]] for v in systems(CHEBYSHEV))
    flat = pd.Forecast.of(R, z, rss, pd.Momentum(), start)
    shaped = [v.reshape(2, 3, *v.shape[1:]) for v in (R, z, rss, start)]
    grid = pd.Forecast.of(shaped[0], shaped[1], shaped[2], pd.Momentum(), shaped[3])
    assert grid.shape == (2, 3)
    steps = np.arange(4)
    assert np.array_equal(grid.loss_at(steps).reshape(4, 6), flat.loss_at(steps))
    assert np.array_equal(grid.weights_at(steps).reshape(4, 6, -1), flat.weights_at(steps))
    assert np.array_equal(grid.steps_to(0.01).ravel(), flat.steps_to(0.01))
    assert grid[1, 2].optimizer == flat[5].optimizer
    assert list(grid[:, 1].held) == list(flat[[1, 4]].held)


def test_a_curve_in_which_nothing_moves_stands_still_among_others():
    R, z, rss, start = systems(CHEBYSHEV)
    R[2] = 0.0
    f = pd.Forecast.of(R, z, rss, pd.Momentum(), start)
    run = walk(R, z, rss, start, f.optimizer, 9)
    assert (run.weights[:, 2] == start[2]).all()
    np.testing.assert_allclose(f.loss_at(np.arange(10)), run.loss, rtol=1e-9)
    assert f.condition[2] == f.largest_stable_rate[2] == np.inf
    assert f.is_stable.all()


def test_each_rate_is_stable_or_not():
    R, z, rss, start = systems(CHEBYSHEV)
    limit = pd.Forecast.of(R, z, rss, pd.GradientDescent(), start).largest_stable_rate
    rates = limit * [0.5, 1.1, 0.99, 2.0, 0.1]
    f = pd.Forecast.of(R, z, rss, pd.GradientDescent(rates[:, None]), start)
    assert list(f.is_stable) == [True, False, True, False, True]
    assert not np.isfinite(f.steps_to(1e-3)[[1, 3]]).any()


# ── solution ──


def test_solving(triangle):
    together = from_triangle(triangle)
    assert together.shape == (CURVES,)
    alone = [from_triangle(triangle[i]) for i in range(CURVES)]
    for what in ("weights", "factor", "rss", "tss", "powers", "factor_in_powers"):
        assert_same(getattr(together, what), [getattr(one, what) for one in alone])
    assert together.free == alone[0].free == DEGREE + 1
    assert together.powers.shape == (CURVES, DEGREE + 1)
    assert type(alone[0].rss) is type(alone[0].tss) is float


def test_constraints_and_refinement_are_of_one_curve(triangle):
    with pytest.raises(
        OneCurveOnly, match=r"A constraint is for one curve, found a stack of shape"
    ):
        from_triangle(triangle, Constraints(fixed=((0, 1.0),)))
    x, y, _ = columns()
    with pytest.raises(OneCurveOnly, match=r"Take its curves one by one: triangle\[i\]"):
        solve(triangle, Rows(x[0], y[0], None))
    assert np.array_equal(solve(triangle).weights, from_triangle(triangle).weights)


@pytest.mark.parametrize("degree", [0, 1, 3, 8])
@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1.0, 1e30, 1e150])
def test_many_triangles_are_stacked_as_one_is(degree, scale):
    """More of them than go through one QR each, with empty ones and zero columns between."""
    rng = np.random.default_rng(degree)
    upper, lower = np.triu(rng.normal(size=(2, 100, degree + 2, degree + 2))) * scale
    for entries in (upper, lower):
        diagonal = np.arange(degree + 2)
        entries[:, diagonal, diagonal] = np.abs(entries[:, diagonal, diagonal])
    upper[::7], lower[::5] = 0, 0
    upper[3::10, :, 0], lower[3::10, :, 0] = 0, 0
    found, wanted = stack_many(upper, lower), reference.stack(upper, lower)
    units = found / scale
    assert np.all(np.diagonal(found, axis1=1, axis2=2) >= 0)
    assert np.array_equal(found, np.triu(found))
    gram, whole = (np.swapaxes(a, 1, 2) @ a for a in (units, wanted / scale))
    np.testing.assert_allclose(gram, whole, rtol=1e-13, atol=1e-12)
