"""The walk in C is that in NumPy: losses, weights, steps kept, where it stops, how it diverges."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import numpy as np
import pytest
from cases import lesson

import polydescent as pd
from polydescent.descent import fused
from polydescent.descent.loop import KEPT, walk
from polydescent.polynomial.basis import BASES

pytestmark = pytest.mark.skipif(bool(fused.MISSING), reason=fused.MISSING)
KINDS = {
    "gd": pd.GradientDescent(),
    "momentum": pd.Momentum(),
    "momentum 0.3": pd.Momentum(momentum=0.3),
    "nesterov": pd.Nesterov(),
    "nesterov 0.9": pd.Nesterov(momentum=0.9),
    "adam": pd.Adam(0.01),
    "adam, other betas": pd.Adam(0.01, (0.5, 0.9), 1e-3),
}
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def both(monkeypatch):
    """What `walk` returns with the kernel, and without it."""

    def ask(*given, **named):
        assert fused.serves(given[0], given[1], given[3], given[4])
        ours = walk(*given, **named)
        with monkeypatch.context() as patch:
            patch.setattr(fused, "serves", lambda *_: False)
            return ours, walk(*given, **named)

    return ask


def system(basis="chebyshev", degree=3, scale=1.0):
    x, y = lesson()
    return pd.summarize(x, scale * y, degree).triangle.least_squares(BASES[basis])


def chosen(system, optimizer, start):
    return pd.Forecast.of(*system, optimizer, start).optimizer


def most_of(kind):
    return 40 if kind.startswith("adam") else None


def assert_same(ours, wanted, tolerance=1e-11, most=None):
    """The same steps, losses and weights, each within rounding of the largest.

    most: entries compared of Adam, which circles chaotically where it has arrived.
    """
    assert list(ours.kept) == list(wanted.kept)
    for found, other in ((ours.loss, wanted.loss), (ours.weights, wanted.weights)):
        assert found.shape == other.shape
        found, other = found[:most], other[:most]
        finite = np.isfinite(other)
        assert np.array_equal(np.isfinite(found), finite)
        np.testing.assert_allclose(
            found[finite],
            other[finite],
            rtol=tolerance,
            atol=tolerance * np.abs(other[0]).max(initial=0.0),
        )


@kinds
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("degree", [0, 1, 2, 3, 8, 9, 20])
def test_the_same_walk(both, kind, basis, degree):
    if basis == "power" and degree > 9:
        degree = 10
    R, z, rss = system(basis, degree)
    start = np.random.default_rng(degree).standard_normal(degree + 1)
    optimizer = chosen((R, z, rss), KINDS[kind], start)
    # where momentum is at its fastest, rounding of early steps lives on
    assert_same(*both(R, z, rss, start, optimizer, 200), 1e-9, most_of(kind))


@kinds
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
def test_in_any_unit(both, kind, scale):
    R, z, rss = system(scale=scale)
    start = scale * np.ones(4)
    optimizer = chosen((R, z, rss), KINDS[kind], start)
    assert_same(*both(R, z, rss, start, optimizer, 100), most=most_of(kind))


@kinds
@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (0,)])
def test_stacks(both, kind, shape):
    rng = np.random.default_rng(3)
    R, z = np.triu(rng.standard_normal((*shape, 4, 4))), rng.standard_normal((*shape, 4))
    rss, start = rng.uniform(size=shape), rng.standard_normal((*shape, 4))
    settings = {"learning_rate": rng.uniform(0.01, 0.03, (*shape, 1))}
    if not kind.startswith(("gd", "adam")):
        settings["momentum"] = rng.uniform(0, 0.9, (*shape, 1))
    optimizer = type(KINDS[kind])(**settings)
    assert_same(*both(R, z, rss, start, optimizer, 50))


@pytest.mark.parametrize("shared", ["A", "b", "both"])
def test_rows_that_curves_share(both, shared):
    rng = np.random.default_rng(3)
    A, b = rng.standard_normal((6, 5, 3)), rng.standard_normal((6, 5))
    A, b = (A if shared == "b" else A[0]), (b if shared == "A" else b[0])
    start = rng.standard_normal((6, 3))
    rates = np.linspace(0.01, 0.05, 6)[:, None]
    assert_same(*both(A, b, 0.0, start, pd.GradientDescent(rates), 40))
    assert_same(*both(A[..., ::-1, :], b, 0.0, start[::-1], pd.GradientDescent(rates), 40))


@kinds
@pytest.mark.parametrize("steps", [1, 2, KEPT - 1, KEPT + 1, 2 * KEPT + 7])
def test_the_same_steps_are_kept(both, kind, steps):
    system_, start = system(), np.ones(4)
    optimizer = chosen(system_, KINDS[kind], start)
    assert_same(*both(*system_, start, optimizer, steps), most=most_of(kind))


@kinds
@pytest.mark.parametrize("share", [1.0, 1e-2, 1e-6])
def test_it_stops_where_it_has_arrived(both, kind, share):
    system_, start = system("power"), np.ones(4)
    optimizer = chosen(system_, KINDS[kind], start)
    target = system_[2] * (1 + share)
    ours, wanted = both(*system_, start, optimizer, 3000, target)
    if not kind.startswith("adam"):  # which may circle around it
        assert_same(ours, wanted, 1e-9)
    assert ours.steps == 3000 or ours.loss[-1] <= target < ours.loss[:-1].min()


def test_a_stack_stops_where_all_have_arrived(both):
    R, z, rss = (np.stack([part, part]) for part in system())
    start = np.array([[1.0, 1, 1, 1], [9.0, 9, 9, 9]])
    optimizer = pd.GradientDescent(np.array([[1e-4], [3e-4]]))
    ours, wanted = both(R, z, rss, start, optimizer, 3000, rss * (1 + 1e-6))
    assert_same(ours, wanted)
    assert 0 < ours.steps < 3000


@pytest.mark.parametrize("target", [None, 1.02])
def test_each_step_is_told_once(both, target):
    told = []
    system_, start = system("power"), np.ones(4)
    optimizer = chosen(system_, pd.Momentum(), start)
    target = None if target is None else target * system_[2]
    both(*system_, start, optimizer, 1000, target, lambda *step: told.append(step))
    half = len(told) // 2
    assert [step for step, _ in told[:half]] == list(range(half))
    np.testing.assert_allclose(told[:half], told[half:], rtol=1e-9)


@kinds
@pytest.mark.parametrize("rate", [10.0, 1e20, 1e200])
def test_what_diverges_ends_in_infinity(both, kind, rate):
    R, z, rss = system()
    optimizer = type(KINDS[kind])(learning_rate=rate)
    if hasattr(optimizer, "momentum"):
        optimizer = type(optimizer)(learning_rate=rate, momentum=0.5)
    ours, wanted = both(R, z, rss, np.ones(4), optimizer, 400)
    if kind.startswith("adam"):
        assert_same(ours, wanted, 1e-9, most_of(kind))
        return
    first = int(np.argmin(np.isfinite(wanted.loss)))
    assert int(np.argmin(np.isfinite(ours.loss))) == first > 0
    np.testing.assert_allclose(ours.loss[:first], wanted.loss[:first], rtol=1e-9)
    assert not np.isfinite(ours.loss[-1])


@kinds
def test_a_scale_of_the_rate_at_each_step(both, kind):
    system_, start = system(), np.ones(4)
    optimizer = chosen(system_, KINDS[kind], start)
    scale = np.linspace(1.0, 0.0, 300)
    assert_same(*both(*system_, start, optimizer, 300, scale=scale), most=most_of(kind))


@pytest.mark.parametrize(
    "change",
    [
        lambda A, b, w, o: (A.astype("f"), b.astype("f"), w.astype("f"), o),
        lambda A, b, w, o: (np.ones((fused.MOST + 1, 4)), np.ones(fused.MOST + 1), w, o),
        lambda A, b, w, o: (A, b, w, pd.RMSprop()),
        lambda A, b, w, o: (A, b, w, pd.AdamW()),
    ],
)
def test_what_the_kernel_does_not_take(change):
    R, z, _ = system()
    given = change(R, z, np.ones(4), pd.GradientDescent(1e-9))
    assert not fused.serves(*given)
    assert walk(*given[:2], 0.0, *given[2:], 2).steps == 2


def test_it_can_be_forbidden(monkeypatch):
    monkeypatch.setenv("POLYDESCENT_KERNELS", "blocks,reference")
    R, z, _ = system()
    assert not fused.serves(R, z, np.ones(4), pd.GradientDescent(1e-9))
