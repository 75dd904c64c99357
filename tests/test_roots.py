"""Roots of polynomials against 60 digits of mpmath: clustered, nearly double, of any scale."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest

import polydescent as pd
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import exact_powers
from polydescent.polynomial.roots import _Piece, _zeros, real_zeros

UNIT = Domain(-1.0, 1.0)
FINE = Fraction(1, 1 << 160)


def size(weights):
    return sum((abs(Fraction(w)) for w in weights), Fraction(0))


def chebyshev_of(roots, lead=Fraction(1)):
    """Exact Chebyshev weights of lead·Π (u − root)."""
    powers = [Fraction(lead)]
    for r in roots:
        shifted = [Fraction(0), *powers]
        powers = [a - Fraction(r) * b for a, b in zip(shifted, [*powers, 0], strict=True)]
    weights = [Fraction(0)] * len(powers)
    term = [Fraction(1)]  # u^k
    for c in powers:
        weights = [w + c * t for w, t in zip(weights, term + [0] * len(weights), strict=False)]
        risen = [Fraction(0)] * (len(term) + 1)
        for k, t in enumerate(term):
            for to in (k + 1, abs(k - 1)):
                risen[to] += t / 2
        term = risen
    return weights


def by_mpmath(weights):
    """The real roots in u, ascending, of a curve without multiple ones."""
    with mpmath.workdps(60):
        powers = exact_powers(CHEBYSHEV, UNIT, weights)
        falling = [mpmath.mpf(c.numerator) / c.denominator for c in reversed(powers)]
        roots = mpmath.polyroots(falling, maxsteps=500, extraprec=400)
        return sorted(r.real for r in roots if abs(r.imag) < mpmath.mpf(10) ** -30 * (1 + abs(r)))


@pytest.mark.parametrize("seed", range(30))
def test_random_curves_everywhere(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 13))
    weights = (rng.normal(size=k) * 10.0 ** rng.uniform(-3, 3, size=k)).tolist()
    scale = 2.0 ** int(rng.integers(-100, 101))
    weights = [scale * w for w in weights]
    found = real_zeros(weights, FINE * size(weights), everywhere=True)
    expected = by_mpmath(weights)
    assert len(found) == len(expected)
    for zero, root in zip(found, expected, strict=True):
        assert float(zero.u) == pytest.approx(float(root), rel=1e-15)
        assert zero.order == 1
    inside = real_zeros(weights, FINE * size(weights))
    assert [z.u for z in inside] == [z.u for z in found if abs(z.u) <= 1]
    signs = [z.crosses for z in found]
    assert all(a == -b for a, b in pairwise(signs))


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_orders_and_near_doubles(order, gap):
    roots = [-0.7, *[0.1] * order, 0.5, 0.5 + gap, 3.0]
    weights = chebyshev_of(roots, lead=Fraction(-7))
    found = real_zeros(weights, FINE * size(weights), everywhere=True)
    assert [(float(z.u), z.order) for z in found] == [
        (-0.7, 1),
        (0.1, order),
        (0.5, 1),
        (0.5 + gap, 1),
        (3.0, 1),
    ]
    assert (found[1].crosses == 0) == (order % 2 == 0)


@pytest.mark.parametrize("gap", [1e-8, 1e-9, 1e-12])
def test_roots_closer_than_rounding_are_one_that_touches(gap):
    weights = chebyshev_of([0.5, 0.5 + gap, -0.25])
    rounding = Fraction(1, 1 << 50) * size(weights)
    simple, double = real_zeros(weights, rounding)
    assert (simple.order, double.order, double.crosses) == (1, 2, 0)
    assert abs(double.u - (Fraction(0.5) + Fraction(0.5 + gap)) / 2) < 1e-15
    apart = real_zeros(chebyshev_of([0.5, 0.5 + 1e-6, -0.25]), rounding)
    assert [z.order for z in apart] == [1, 1, 1]


def test_curves_that_are_0_or_that_rounding_sends_to_infinity():
    assert real_zeros([0.0, 0.0], Fraction(1)) == []
    assert real_zeros([1e-20, 1e-20], Fraction(1, 1 << 50), everywhere=True) == []
    (zero,) = real_zeros([0.0, 1.0, 1e-18, -1e-19], Fraction(1, 1 << 50), everywhere=True)
    assert float(zero.u) == pytest.approx(1e-18, abs=1e-25)
    assert real_zeros([3.0], Fraction(1, 1 << 50), everywhere=True) == []


def test_ends_of_the_domain_count():
    found = real_zeros(chebyshev_of([-1, 1, 1 + 1e-6]), Fraction(1, 1 << 50))
    assert [float(z.u) for z in found] == [-1, 1]
    (zero,) = real_zeros([1 + 1e-16, 1.0], Fraction(1, 1 << 50))
    assert float(zero.u) == -1


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("bits", [20, 38, 39, 42, 45, 60])
def test_a_root_hardly_beyond_an_end_is_inside_and_found_once(side, bits):
    u = side * (1 + Fraction(1, 1 << bits))
    for everywhere in (False, True):
        found = [zero.u for zero in real_zeros([-u, 1], FINE, everywhere)]
        assert len(found) == (everywhere or bits > 40)
        assert all(abs(root - u) < Fraction(1, 1 << 80) for root in found)


def test_a_root_where_an_interval_is_halved_is_one():
    """Both halves end in it: of (v − 1/2)·((v − 1/2)² − 1/16), whose control points are whole."""
    powers = [Fraction(n, 32) for n in (-3, 22, -48, 32)]
    found = _zeros(powers, [FINE, Fraction(0), Fraction(0), Fraction(0)])
    assert [zero.order for zero in found] == [1, 1, 1]
    assert all(abs(zero.u - Fraction(n, 4)) < FINE * 2**70 for n, zero in enumerate(found, 1))


def test_halving_ends_at_the_brink_of_rounding():
    """One unit above what rounding may add, in the corner of a piece, is above it in all halves."""
    for points in ([1001, 1000, 1000], [-1001, -1000, -1000], [1000, 1000, 1001]):
        assert _Piece(Fraction(0), Fraction(1), points, [1000] * 3).is_within


# ── of a fit ──


X = np.linspace(-3, 5, 201)


@pytest.mark.parametrize("y_scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize(("origin", "x_scale"), [(0.0, 1.0), (2.0**40, 2.0**12), (0.0, 2.0**-90)])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_multiple_roots_lie_within_their_errors(order, origin, x_scale, y_scale):
    x = origin + x_scale * X
    fit = pd.fit(x, y_scale * ((x - origin) / x_scale - 1) ** order, order + 1)
    (root,) = fit.roots()
    assert root.order == order
    assert root.touches == (order % 2 == 0)
    assert math.isfinite(root.stderr)
    near = 4 * np.spacing(origin) + 1e-14 * x_scale
    assert abs(root.value - (origin + x_scale)) <= max(root.stderr, near)
    turns = fit.extrema()
    assert [t.kind for t in turns] == ["minimum"] * (order % 2 == 0)


def test_a_pair_near_each_other_is_two():
    fit = pd.fit(X, (X - 1) * (X - 1 - 1e-6), 2)
    roots = fit.roots()
    assert [r.value for r in roots] == pytest.approx([1, 1 + 1e-6], abs=1e-9)
    assert not any(r.touches for r in roots)
    assert all(r.stderr < 1e-8 for r in roots)
    (turn,) = fit.extrema()
    assert turn.x.value == pytest.approx(1 + 5e-7, abs=1e-14)


@pytest.mark.parametrize(("order", "gap"), [(2, 0.0), (3, 0.0), (2, 0.03), (2, 0.1)])
def test_intervals_of_nearly_multiple_roots_hold_them(order, gap):
    """Two standard errors hold the nearest true root in about 95 of 100 samples."""
    rng = np.random.default_rng(order)
    true = np.array([1, 1 + gap])
    held = []
    for _ in range(40):
        y = (X - 1) ** (order - 1) * (X - 1 - gap) + rng.normal(0, 1e-3, X.size)
        for root in pd.fit(X, y, order).roots():
            held.append(np.abs(root.value - true).min() <= 2 * root.stderr)
    assert np.mean(held) > 0.85


def test_a_triple_root_at_the_end_of_the_domain():
    """A curve held to x³: between 0 and what rounding adds, halving must come to an end."""
    fit = pd.fit(np.arange(5.0), np.arange(5.0) ** 3, terms=[3])
    for everywhere in (False, True):
        (root,) = fit.roots(everywhere)
        assert root.value == pytest.approx(0, abs=1e-4)
        assert root.stderr < 1e-3
    assert fit.extrema() == []


def test_a_constant_turns_nowhere():
    assert pd.fit(X, 0 * X + 1e6, 4).extrema() == []
    flat = pd.fit(X, 1e6 + 1e-3 * (X - 1) ** 2, 2)
    assert [t.kind for t in flat.extrema()] == ["minimum"]


# ── x at a given y ──


def test_inverse_is_where_the_curve_is_y():
    rng = np.random.default_rng(3)
    y = 1 + 2 * X - 0.1 * X**2 + rng.normal(0, 0.1, X.size)
    fit = pd.fit(X, y, 2)
    (found,) = fit.inverse(3.0)
    a, b, c = np.asarray(fit.coef)
    assert found.value == pytest.approx(max(np.roots([c, b, a - 3]), key=lambda r: -abs(r)))
    slope = fit.derivative()(found.value)
    spread = fit._uncertain.stderr_at(found.value)
    assert found.stderr == pytest.approx(spread / slope, rel=1e-9)
    (measured,) = fit.inverse(3.0, sigma=0.4)
    assert measured.stderr == pytest.approx(math.hypot(spread, 0.4) / slope, rel=1e-9)
    assert len(fit.inverse(3.0, everywhere=True)) == 2
    assert fit.inverse(100.0) == []
    assert [r.value for r in fit.inverse(0)] == [r.value for r in fit.roots()]


@pytest.mark.parametrize("y", ["1", None, math.nan, math.inf])
def test_inverse_of_what_is_no_number(y):
    with pytest.raises(pd.errors.BadSetting, match="y must be a finite number"):
        pd.fit(X, X, 1).inverse(y)


def test_inverse_of_dates_is_a_date():
    day = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    fit = pd.fit(day, np.arange(60.0) + 1e-3 * np.sin(np.arange(60)), 1)
    (found,) = fit.inverse(31.0)
    assert abs(found.value - np.datetime64("2020-02-01")) < np.timedelta64(1, "h")
    assert found.unit == "day"
