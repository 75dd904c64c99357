"""The refined answer is the exact one, rounded once."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from exact import least_squares, random_problem, root, wide_problem

import polydescent as pd
from polydescent import double_double as dd
from polydescent.errors import OutOfRange, TooFewDistinct
from polydescent.least_squares import precise
from polydescent.least_squares.constraints import constraints_of, restrict
from polydescent.least_squares.fixed_point import eliminate, fixed, unit
from polydescent.least_squares.refine import accumulate, refinable, refine
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import exact_powers
from polydescent.triangle.triangle import Triangle

BUILT = precise._precise is not None
NIST = Path(__file__).parent / "data" / "nist"


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param("native", marks=pytest.mark.skipif(not BUILT, reason="no C here")),
        "blocks",
    ],
)
def kernel(request, monkeypatch):
    """Every law holds for the sums in C and for those in NumPy."""
    monkeypatch.setenv("POLYDESCENT_KERNELS", request.param)


def refined(x, y, degree, weights=None):
    """(float64 coefficients in powers of x, Refined)."""
    triangle = Triangle.fold(x, y, weights, degree)
    answer = refine(x, y, triangle.domain, triangle.solve(), weights)
    return answer.powers(triangle.domain).tolist(), answer


def correct_digits(found, true):
    if found == true:
        return 15.0
    return min(15.0, -math.log10(abs(found - true) / abs(true) if true else abs(found)))


@pytest.mark.parametrize(
    ("name", "digits"),
    [("norris", 14.0), ("pontius", 13.5), ("wampler1", 15), ("wampler2", 13.1), ("wampler3", 15)],
)
def test_nist_sets_come_out_as_their_float64_data_say(name, digits):
    data = json.loads((NIST / f"{name}.json").read_text())
    x, y = np.array(data["x"], dtype=float), np.array(data["y"], dtype=float)
    coef, answer = refined(x, y, data["degree"])
    certified = data["certified"]
    assert min(map(correct_digits, coef, certified["coef_ascending"])) >= digits
    sd = math.sqrt(answer.rss / (len(x) - len(coef)))
    assert correct_digits(sd, certified["residual_sd"]) >= 13
    assert correct_digits(1 - answer.rss / answer.tss, certified["r_squared"]) >= 13


def test_coefficients_are_the_exact_ones_rounded_once():
    rng = np.random.default_rng(4)
    for _ in range(25):
        x, y, weights, degree = random_problem(rng)
        exact = least_squares(x, y, degree, weights)
        coef, answer = refined(x, y, degree, weights)
        assert coef == [float(c) for c in exact.coef]
        assert answer.rss == float(exact.rss)
        assert answer.tss == float(exact.tss)


@pytest.mark.parametrize("light", [0, 12])
def test_coefficients_that_drown_in_others_are_exact_too(light):
    rng = np.random.default_rng(12)
    for _ in range(25):
        x, y, weights, degree = wide_problem(rng, 8, light)
        exact = least_squares(x, y, degree, weights)
        coef, answer = refined(x, y, degree, weights)
        assert coef == [float(c) for c in exact.coef]
        assert answer.rss == float(exact.rss)


def test_high_degrees_are_exact_too():
    rng = np.random.default_rng(13)
    x = np.round(rng.uniform(-30, 60, 25), 2).astype(np.float32).astype(float)  # short rationals
    y = np.polynomial.polynomial.polyval(x, rng.normal(size=16) * 10.0 ** rng.integers(-6, 6, 16))
    exact = least_squares(x, y, 15)
    assert refined(x, y, 15)[0] == [float(c) for c in exact.coef]


def test_a_coefficient_far_below_the_others_is_kept():
    x = np.array([0.0, 1.0, 2.0])
    assert refined(x[:2], np.array([1e-30, 1.0]), 1)[0] == [1e-30, 1.0]
    y = np.array([1e-30, 1.0, 2.0])
    exact = least_squares(x, y, 1)
    coef, answer = refined(x, y, 1)
    assert coef == [float(c) for c in exact.coef]
    assert answer.rss == pytest.approx(float(exact.rss), rel=1e-14)


def test_what_cancels_leaves_zero_whatever_the_noise():
    """Exact zeros: odd terms of even rows, and a slope that whole numbers happen not to have."""
    rng = np.random.default_rng(14)
    half = 0.3 * np.arange(1.0, 30)
    noise = rng.normal(size=29)
    x, y = np.concatenate((-half, half)), np.tile(half**2 + noise, 2)
    shuffled = rng.permutation(58)
    assert refined(x[shuffled], y[shuffled], 5)[0][1::2] == [0, 0, 0]
    assert refined(np.arange(4.0), np.array([0.0, 3.0, 0.0, 1.0]), 1)[0] == [1, 0]


def test_hopeless_powers_of_x_are_no_obstacle():
    rng = np.random.default_rng(6)
    x = -np.sort(np.round(rng.uniform(3.1, 8.8, 82), 9))  # like NIST Filip: κ of the powers is 10¹⁵
    y = np.round(0.85 + 0.04 * np.sin(1.3 * x) + 0.003 * rng.normal(size=82), 4)
    exact = least_squares(x, y, 10)
    coef, answer = refined(x, y, 10)
    assert coef == [float(c) for c in exact.coef]
    assert answer.rss == float(exact.rss)


def test_badly_spread_x_take_another_pass():
    rng = np.random.default_rng(7)
    x = np.concatenate((rng.uniform(0, 1e-3, 30), rng.uniform(0.999, 1, 30)))
    y = np.cos(3 * x) + 0.01 * rng.normal(size=60)
    degree = 6
    assert np.linalg.cond(Triangle.fold(x, y, None, degree).R) > 1e8
    exact = least_squares(x, y, degree)
    coef, _ = refined(x, y, degree)
    assert coef == [float(c) for c in exact.coef]


@pytest.mark.parametrize(("seed", "degree"), [(2, 9), (2, 10), (4, 9), (5, 11)])
def test_worse_spread_x_take_as_many_passes_as_they_need(seed, degree):
    """Condition numbers of R of 10¹⁰ to 10¹³: one pass leaves some of its error."""
    x = np.round(np.random.default_rng(seed).lognormal(0, 2.5, degree + 12), 3)
    y = np.cos(x) + 1e3
    exact = least_squares(x, y, degree)
    coef, answer = refined(x, y, degree)
    assert coef == [float(c) for c in exact.coef]
    assert answer.rss == float(exact.rss)


@pytest.mark.parametrize("degree", range(1, 9))
def test_rows_on_a_curve_leave_nothing_and_take_few_passes(degree, monkeypatch):
    """No residual is left that float64 weights made, and none is chased that rounding made."""
    passes = []

    def counted(*given):
        passes.append(given)
        return accumulate(*given)

    monkeypatch.setattr("polydescent.least_squares.refine.accumulate", counted)
    x = np.arange(40.0) / 16
    for seed in range(5):
        passes.clear()
        y = np.polyval(np.random.default_rng(seed).integers(-9, 9, degree + 1), x)
        assert refined(x, y, degree)[1].rss == 0
        assert len(passes) < 4


@pytest.mark.parametrize("bits", range(-5, 6))
def test_standard_errors_of_weights_of_any_unit(bits):
    x, y = np.arange(6.0), np.array([1.0, 2, 4, 3, 5, 9])
    root = refined(x, y, 1, np.full(6, 2.0**bits))[1].exact_factor
    assert float(sum(c[0] * c[0] for c in root)) == pytest.approx(2.0**-bits / 6, rel=1e-15)


@pytest.mark.parametrize("value", [5e-324, 1e-310, 2.0**-1000, 0.3, 1.0, 1e300, 1.7e308])
def test_a_unit_is_a_power_of_two_and_a_float64(value):
    mantissa, _ = math.frexp(unit(value))
    assert mantissa == 0.5
    assert math.isfinite(1 / unit(value))
    if 1e-300 < value < 1e300:
        assert 0.5 <= value * unit(value) < 1


def test_what_would_take_long_is_left_to_the_triangle():
    """Rows without number, or a small system without end: `refine` is asked for neither."""
    assert refinable(1_000_000, 3, None)
    assert not refinable(1_000_001, 3, None)
    assert refinable(1000, 100, None)
    assert not refinable(1000, 101, None)


@pytest.mark.parametrize("factor", [1e-300, 1e-140, 1e-136, 1.0, 1e136, 1e140])
def test_sizes_near_the_ends_of_float64(factor):
    x = np.linspace(1.0, 2.0, 20)
    y = np.exp(x)
    coef, _ = refined(x, y, 2)
    scale = 2.0 ** round(math.log2(factor))
    if factor < 1e-138:  # the squares of such y leave float64
        with pytest.raises(OutOfRange, match="Multiply y"):
            refined(x, y * scale, 2)
    else:
        assert refined(x, y * scale, 2)[0] == [c * scale for c in coef]
    if 1e-140 <= factor < 1e140:
        assert refined(x * scale, y, 2)[0] == [c / scale**j for j, c in enumerate(coef)]


def test_blocks_do_not_show():
    rng = np.random.default_rng(8)
    x = rng.uniform(-1, 3, 9000)
    y = x**2 + rng.normal(size=9000)
    triangle = Triangle.fold(x, y, None, 2)
    whole = accumulate(x, y, triangle.domain, triangle.solve())
    assert abs(Fraction(whole.moments[0], fixed(1.0)) - 9000) == 0
    assert refined(x, y, 2)[0] == refined(x[::-1].copy(), y[::-1].copy(), 2)[0]


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_constant_y_leaves_nothing(value):
    x = np.linspace(-1, 1, 11)
    coef, answer = refined(x, np.full(11, value), 3)
    assert coef == [value, 0, 0, 0]
    assert answer.rss == answer.tss == 0


def test_double_double_operations_hold_thirty_digits():
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=50) * 10.0 ** rng.integers(-9, 9, 50), rng.normal(size=50)

    def assert_close(pair, true):
        for hi, lo, exact in zip(*pair, true, strict=True):
            assert abs(Fraction(hi) + Fraction(lo) - exact) <= abs(exact) * Fraction(1, 10**30)

    A, B = [Fraction(v) for v in a], [Fraction(v) for v in b]
    assert_close(dd.two_sum(a, b), [p + q for p, q in zip(A, B, strict=True)])
    assert_close(dd.two_product(a, b), [p * q for p, q in zip(A, B, strict=True)])
    third = dd.quotient((np.ones(50), np.zeros(50)), (np.full(50, 3.0), np.zeros(50)))
    assert_close(third, [Fraction(1, 3)] * 50)
    thirds = dd.product((a, 0 * a), third)
    assert_close(thirds, [p / 3 for p in A])
    hi, lo = dd.total((a, 0 * a))
    assert abs(Fraction(float(hi)) + Fraction(float(lo)) - sum(A)) <= max(map(abs, A)) / 10**27


def test_triple_double_operations_hold_forty_six_digits():
    rng = np.random.default_rng(15)
    a, b = (rng.normal(size=50) * 10.0 ** rng.integers(-9, 9, 50) for _ in range(2))
    A, B = [Fraction(v) for v in a], [Fraction(v) for v in b]

    def value(triple, i):
        return sum(Fraction(float(part[i])) for part in triple)

    def assert_close(triple, true, size=None):
        for i, exact in enumerate(true):
            error = abs(value(triple, i) - exact)
            assert error <= (abs(exact) if size is None else size[i]) * Fraction(1, 10**45)

    third = dd.quotient3((np.ones(50), np.zeros(50)), np.full(50, 3.0))
    assert_close(third, [Fraction(1, 3)] * 50)
    thirds = dd.scaled3(third, a)
    assert_close(thirds, [p / 3 for p in A])
    ninths = dd.product3(thirds, dd.scaled3(third, b))
    assert_close(ninths, [p * q / 9 for p, q in zip(A, B, strict=True)])
    difference = dd.sum3(thirds, dd.negative3(dd.scaled3(third, b)))
    pairs = [*zip(A, B, strict=True)]
    assert_close(
        difference, [(p - q) / 3 for p, q in pairs], [max(abs(p), abs(q)) for p, q in pairs]
    )
    for n in (1, 2, 7, 50):
        summed = dd.total3(tuple(part[None, :n] for part in thirds))
        assert_close(summed, [sum(A[:n]) / 3], [sum(map(abs, A[:n]))])


@pytest.mark.parametrize("bits", [0, 60, 99, 120, 300, 500])
def test_rows_too_light_for_the_sums_are_left_to_the_triangle(bits):
    """Their y is as much larger, so they count like others; what calls itself refined is exact."""
    x, light = np.arange(10.0) - 4.5, 2.0**-bits
    y, w = np.cos(x), np.ones(10)
    y[7:], w[7:] = np.array([1.0, 0.5, 2.25]) / light, light
    fit = pd.fit(x, y, 2, weights=w)
    assert fit.is_refined == (bits < 100)
    assert 0 <= fit.digits < 16
    exact = [float(c) for c in least_squares(x, y, 2, w).coef]
    np.testing.assert_allclose(fit.coef, exact, rtol=1e-6)
    if fit.is_refined:
        assert list(fit.coef) == exact


def test_constrained_coefficients_are_exact_too():
    rng = np.random.default_rng(10)
    for _ in range(12):
        x, y, weights, degree = random_problem(rng, int(rng.integers(2, 7)))
        left_out = int(rng.integers(degree))
        terms = sorted({degree, *rng.choice(degree, 3).tolist()} - {left_out})
        constraints, _ = constraints_of(degree, terms=terms)
        triangle = Triangle.fold(x, y, weights, degree)
        equations = constraints.equations(triangle.domain, degree)
        pilot = np.array([float(w) for w in restrict(triangle, equations).weights])
        answer = refine(x, y, triangle.domain, pilot, weights, equations)
        exact = least_squares(x, y, degree, weights, terms)
        assert answer.powers(triangle.domain)[terms].tolist() == [float(c) for c in exact.coef]
        assert (answer.rss, answer.tss) == (float(exact.rss), float(exact.tss))
        assert_root(answer, triangle.domain, terms, exact)


def assert_root(answer, domain, terms, exact):
    """The standard errors from `answer.exact_factor` are the exact inverse's, to the last bits."""
    columns = [exact_powers(CHEBYSHEV, domain, column) for column in answer.exact_factor]
    for i, term in enumerate(terms):
        variance = sum((column[term] ** 2 for column in columns), Fraction(0))
        assert root(variance) == pytest.approx(root(Fraction(exact.inverse[i][i])), rel=4e-16)


def test_standard_errors_need_no_good_condition():
    rng = np.random.default_rng(11)
    for _ in range(8):
        x, y, weights, degree = random_problem(rng)
        _, answer = refined(x, y, degree, weights)
        domain = Triangle.fold(x, y, weights, degree).domain
        assert_root(answer, domain, range(degree + 1), least_squares(x, y, degree, weights))


def test_an_even_curve_has_no_odd_terms():
    x = 0.3 * np.arange(-12, 13)
    assert refined(x, x * x, 4)[0][1::2] == [0, 0]


def test_solve_exchanges_rows():
    A = [[fixed(a) for a in row] for row in ([0.0, 2.0], [3.0, 1.0])]
    assert eliminate(A, [[fixed(4.0)], [fixed(5.0)]]) == [[fixed(1.0)], [fixed(2.0)]]


@pytest.mark.parametrize(("seed", "degree"), [(2, 12), (4, 10), (4, 11), (4, 12), (0, 9), (3, 8)])
def test_what_refinement_cannot_reach_is_not_called_refined(seed, degree):
    """Condition numbers to 3e16: products of such columns in 32 digits hardly tell them apart."""
    x = np.round(np.random.default_rng(seed).lognormal(0, 2.5, 24), 3)
    y = np.cos(x) + 1e3
    try:
        fit = pd.fit(x, y, degree)
    except TooFewDistinct:
        return
    exact = least_squares(x, y, degree)
    if fit.is_refined:
        assert fit.coef.tolist() == [float(c) for c in exact.coef]
        return
    known = np.polynomial.polynomial.polyval(x, [float(c) for c in exact.coef])
    curve = np.array(
        [float(sum(c * Fraction(v) ** j for j, c in enumerate(exact.coef))) for v in x]
    )
    assert np.isfinite(known).all()
    error = np.abs(fit(x) - curve).max() / np.abs(curve).max()
    assert fit.digits <= -math.log10(error) + 1
    assert fit.digits < 15
    assert "not refined" in str(fit)
