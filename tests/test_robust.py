"""Losses that outliers do not pull: the numbers of statsmodels, however the rows come."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import copy
import math
import pickle
from functools import partial

import numpy as np
import pytest
from cases import backends
from numpy.polynomial import chebyshev

import polydescent as pd
from polydescent import errors, fit, losses
from polydescent.arrays import to_host
from polydescent.polynomial.basis import Domain
from polydescent.regression import request
from polydescent.robust import passes, reweighted
from polydescent.robust.losses import LOSSES, Cauchy, Huber, Quantile, Tukey, described, loss_of
from polydescent.robust.passes import Question, Reader, Sample
from polydescent.robust.scale import Within, median
from polydescent.rows.axis import PLAIN
from polydescent.rows.chunks import InMemory, Selection, Stream
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import Triangle

WEIGHING = {"huber": Huber(), "tukey": Tukey(), "cauchy": Cauchy(), "huber 2": Huber(c=2.0)}
weighing = pytest.mark.parametrize("loss", WEIGHING.values(), ids=WEIGHING)


def wild(n=400, seed=1, share=0.08):
    """Rows about a wave, some of them far off on one side."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 3, n))
    y = np.cos(x) + 0.1 * rng.standard_normal(n)
    far = rng.random(n) < share
    y[far] += rng.uniform(1, 6, far.sum())
    return x, y, far


def design(fitted, x):
    return chebyshev.chebvander(fitted.summary.domain.to_unit(x), fitted.degree)


def of_statsmodels(loss, y, V, weights=None):
    sm = pytest.importorskip("statsmodels.api")
    norms = sm.robust.norms
    norm = {
        "huber": lambda c: norms.HuberT(t=c),
        "tukey": lambda c: norms.TukeyBiweight(c=c),
        "cauchy": lambda c: norms.StudentT(c=c, df=1),
    }[loss.name](loss.c)
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    model = sm.RLM(root * y, root[:, None] * V, M=norm)
    return model.fit(tol=1e-15, maxiter=500)


# ── the rules of a loss ──


@weighing
@backends
def test_weight_slope_and_cost_are_of_one_function(loss, backend):
    a = np.linspace(0, 9, 400)[1:]
    found = [to_host(rule(backend.array(a))) for rule in (loss.weight, loss.slope, loss.cost)]
    weight, slope, cost = found
    assert loss.weight(backend.array(a)).dtype == backend.array(a).dtype
    near = a[1:-1]
    h = a[1] - a[0]
    smooth = np.abs(near - loss.c) > 2 * h
    rough = 1e-2 if backend.dtype == "float64" else 0.1
    pull = a * weight
    assert np.abs((cost[2:] - cost[:-2]) / (4 * h) - pull[1:-1])[smooth].max() < rough
    assert np.abs((pull[2:] - pull[:-2]) / (2 * h) - slope[1:-1])[smooth].max() < rough
    assert np.all((weight >= 0) & (weight <= 1 + 1e-6))
    assert cost[0] == pytest.approx(a[0] ** 2, rel=1e-3)


def test_words_mean_losses_and_others_are_refused():
    assert loss_of("squares") is None
    assert loss_of(None) is None
    for word, loss in LOSSES.items():
        assert loss_of(word) == loss
        assert described(loss).startswith(word)
    assert loss_of(Huber(c=2)) == losses.Huber(2.0)
    with pytest.raises(errors.UnknownName, match="huber"):
        loss_of("hubert")
    with pytest.raises(errors.BadSetting, match=r"losses\.Huber"):
        loss_of(1.345)
    for make in (Huber, Tukey, Cauchy):
        for c in (0, -1, math.nan, math.inf, "2", True):
            with pytest.raises(errors.BadSetting, match="above 0"):
                make(c=c)
    for q in (0, 1, -0.1, math.nan, "half"):
        with pytest.raises(errors.BadSetting, match="between 0 and 1"):
            Quantile(q)


# ── the scale ──


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11, 500])
def test_the_median_within_a_bracket_is_exact_or_missed(n):
    rng = np.random.default_rng(n)
    values = np.round(np.abs(rng.standard_normal(n)), 1)
    often = rng.integers(1, 4, n).astype(float)
    assert median(values) == np.median(values)
    assert median(values, often) == np.median(np.repeat(values, often.astype(int)))
    low, high = np.quantile(values, [0.3, 0.8])
    inside = (values >= low) & (values <= high)
    found = Within((values < low).sum(), values[inside]).middle(n)
    if found is not None:
        assert np.mean(found) == np.median(values)
    assert Within(n, np.empty(0)).middle(n) is None
    assert Within(0, values[values < np.median(values)]).middle(n) is None


# ── the same numbers as statsmodels ──


@pytest.mark.parametrize("degree", range(1, 9))
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("loss", list(WEIGHING.values())[:3], ids=list(WEIGHING)[:3])
def test_curve_scale_and_errors_are_those_of_statsmodels(loss, degree, is_weighted):
    x, y, _ = wild(300, seed=degree)
    sigma = np.random.default_rng(9).uniform(0.5, 2, x.size)
    weights = 1 / sigma**2 if is_weighted else None
    if is_weighted:
        y = np.cos(x) + (y - np.cos(x)) * sigma
    found = fit(x, y, degree, loss=loss, weights=weights)
    theirs = of_statsmodels(loss, y, design(found, x), weights)
    curve = found.least_squares
    assert curve.weights == pytest.approx(theirs.params, abs=1e-8)
    assert found.scale == pytest.approx(theirs.scale, rel=1e-8)
    errors_ = np.linalg.norm(curve.factor @ found.judgment.mix, axis=1)
    assert errors_ == pytest.approx(theirs.bse, rel=1e-8)
    assert to_host(found.row_weights) == pytest.approx(theirs.weights, abs=1e-8)
    assert found.discounted == (theirs.weights < 0.5).sum()


@weighing
def test_the_summary_holds_the_rows_as_weighed(loss):
    x, y, _ = wild()
    found = fit(x, y, 3, loss=loss)
    again = fit(x, y, 3, weights=found.row_weights)
    assert found.coef == pytest.approx(again.coef, abs=1e-11)
    assert found.loss == pytest.approx(again.loss, rel=1e-11)
    assert found.excess == 0
    assert found.summary.n == 400
    assert found.r2 == pytest.approx(again.r2, rel=1e-11)
    walked = found.summary.descend(basis="chebyshev", steps=3000)
    assert walked.coef == pytest.approx(found.coef, abs=1e-6)


# ── laws ──

SCALES = [
    (1.0, 0.0, 1e30, 0.0),
    (1.0, 0.0, 1e-30, 0.0),
    (1e7, 1.6e9, 1.0, 0.0),
    (1.0, 0.0, 3.0, 50.0),
]


@weighing
@pytest.mark.parametrize(("a", "b", "c", "d"), SCALES)
def test_units_and_offsets_of_x_and_y_change_nothing_else(loss, a, b, c, d):
    x, y, _ = wild()
    plain, moved = fit(x, y, 3, loss=loss), fit(a * x + b, c * y + d, 3, loss=loss)
    at = np.linspace(-1, 3, 9)
    inside = partial(moved, outside="ignore")
    assert (inside(a * at + b) - d) / c == pytest.approx(plain(at, outside="ignore"), abs=1e-8)
    assert moved.scale / c == pytest.approx(plain.scale, rel=1e-8)
    assert moved.discounted == plain.discounted


@weighing
@pytest.mark.parametrize("weighted", [False, True])
def test_counts_are_rows_repeated(loss, weighted):
    x, y, _ = wild(150)
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 4, x.size)
    weights = rng.uniform(0.5, 2, x.size) if weighted else None
    once = fit(x, y, 3, loss=loss, counts=counts, weights=weights)
    repeated = None if weights is None else np.repeat(weights, counts)
    many = fit(np.repeat(x, counts), np.repeat(y, counts), 3, loss=loss, weights=repeated)
    assert once.coef == pytest.approx(many.coef, rel=1e-8)
    assert once.stderr == pytest.approx(many.stderr, rel=1e-8)
    assert once.scale == pytest.approx(many.scale, rel=1e-10)
    assert (once.n, once.discounted) == (many.n, many.discounted)


@weighing
def test_rows_of_weight_0_and_missing_ones_are_not_there(loss):
    x, y, _ = wild()
    use = np.arange(x.size) % 3 > 0
    plain = fit(x[use], y[use], 3, loss=loss)
    silent = fit(x, np.where(use, y, np.nan), 3, loss=loss, weights=use.astype(float))
    omitted = fit(x, np.where(use, y, np.nan), 3, loss=loss, missing="omit")
    for other in (silent, omitted):
        assert other.coef == pytest.approx(plain.coef, abs=1e-10)
        assert other.discounted == plain.discounted
        assert other.n == plain.n


@backends
@weighing
def test_every_library_has_the_same_curve(backend, loss):
    x, y, _ = wild()
    x, y = (to_host(backend.array(column)) for column in (x, y))  # as the dtype rounds them
    found = fit(backend.array(x), backend.array(y), 3, loss=loss)
    plain = fit(x, y, 3, loss=loss)
    assert type(found.coef).__module__.startswith(backend.library)
    assert to_host(found.coef) == pytest.approx(plain.coef, abs=backend.tolerance * 10)
    assert to_host(found.row_weights) == pytest.approx(plain.row_weights, abs=1e-4)
    assert found.scale == pytest.approx(plain.scale, rel=1e-6)


@weighing
@pytest.mark.parametrize("held", [{"fix": {0: 1.0}}, {"through": (0.5, 0.8)}, {"terms": [0, 2]}])
def test_what_is_held_stays(loss, held):
    x, y, _ = wild()
    found = fit(x, y, 3 if "terms" not in held else 2, loss=loss, **held)
    again = fit(x, y, found.degree, weights=found.row_weights, **held)
    assert found.coef == pytest.approx(again.coef, abs=1e-10)
    if "fix" in held:
        assert (found.coef[0], found.stderr[0]) == (1.0, 0.0)
    if "through" in held:
        assert found(0.5) == pytest.approx(0.8, abs=1e-12)
    assert np.all(found.stderr[1:2] >= 0)


@weighing
def test_a_known_sigma_is_the_scale(loss):
    x, y, _ = wild()
    found = fit(x, y, 3, loss=loss, sigma=0.1, absolute_sigma=True)
    assert found.scale == 1.0
    again = fit(x, y, 3, weights=loss.weight(np.abs(y - found(x)) / 0.1))
    assert found.coef == pytest.approx(again.coef, abs=1e-10)
    assert math.isnan(found.chi2)


# ── ways of reading ──


@weighing
@pytest.mark.parametrize("weighted", [False, True])
def test_every_kernel_gives_the_same_answer(loss, weighted, monkeypatch):
    x, y, _ = wild(3000)
    weights = np.random.default_rng(2).uniform(0.0, 2, x.size) if weighted else None
    rows = Rows.of(x, y, weights)
    base = Triangle.fold(rows.x, rows.y, rows.weights, 9)
    question = Question(loss, base.solve(), base.domain, 0.1, (0.05, 0.08))
    fast = passes.answer(rows, question)
    monkeypatch.setenv("POLYDESCENT_KERNELS", "blocks,reference")
    blocks = passes.answer(rows, question)
    slow = passes._folded(rows, question)
    for other in (blocks, slow):
        assert other.folded() == pytest.approx(fast.folded(), rel=1e-9, abs=1e-9)
        assert other.tallies == pytest.approx(fast.tallies, rel=1e-10)
        assert np.sort(other.inside) == pytest.approx(np.sort(fast.inside), rel=1e-12)


@weighing
@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_need_few_passes_and_give_what_memory_gives(loss, weighted):
    x, y, _ = wild(20_000)
    weights = np.random.default_rng(2).uniform(0.1, 2, x.size) if weighted else None
    rows = Rows.of(x, y, weights)
    base = Triangle.fold(rows.x, rows.y, rows.weights, 3)
    chunks = [
        tuple(c[i : i + 3000] for c in (x, y, weights) if c is not None)
        for i in range(0, x.size, 3000)
    ]
    whole = reweighted.settle(
        Reader(InMemory(rows), PLAIN), base, loss, Sample(rows, True), base.solve()
    )
    few = Sample.of(rows, 1000, base.n)
    assert not few.is_all
    found = reweighted.settle(Reader(Stream(chunks), PLAIN), base, loss, few, base.solve())
    assert found.curve == pytest.approx(whole.curve, abs=1e-12)
    assert found.scale == pytest.approx(whole.scale, rel=1e-12)
    assert found.spread == pytest.approx(whole.spread, rel=1e-11)
    assert found.discounted == whole.discounted
    assert found.passes <= 20


@pytest.fixture
def few_held(monkeypatch):
    """Streams keep few of their rows, so that they are read again."""
    monkeypatch.setattr(request, "Selection", partial(Selection, 1000))


LOSS_OF_ALL = {**WEIGHING, "median": Quantile(0.5), "quantile": Quantile(0.8)}


def assert_same(found, plain):
    assert found.coef == pytest.approx(plain.coef, abs=1e-11)
    if found.scale is not None:
        assert found.scale == pytest.approx(plain.scale, rel=1e-11)
        assert found.discounted == plain.discounted
        assert found.stderr == pytest.approx(plain.stderr, rel=1e-9)


@pytest.mark.parametrize("loss", LOSS_OF_ALL.values(), ids=LOSS_OF_ALL)
def test_a_list_of_chunks_gives_what_arrays_give(loss, few_held):
    x, y, _ = wild(6000)
    found = fit([(x[i : i + 700], y[i : i + 700]) for i in range(0, 6000, 700)], loss=loss)
    assert_same(found, fit(x, y, loss=loss))
    with pytest.raises(errors.RowsNotHeld):
        _ = found.row_weights


@pytest.mark.parametrize("loss", [Tukey(), Quantile(0.8)], ids=["tukey", "quantile"])
def test_files_tables_and_clusters_give_what_arrays_give(loss, few_held, tmp_path):
    pandas, da = pytest.importorskip("pandas"), pytest.importorskip("dask.array")
    pytest.importorskip("duckdb")
    x, y, _ = wild(6000)
    plain = fit(x, y, loss=loss)
    frame = pandas.DataFrame({"x": x, "y": y})
    if loss == Tukey():  # every pass opens the files again, and takes its time
        assert_same(fit(da.from_array(x, 1500), da.from_array(y, 1500), loss=loss), plain)
        assert_same(fit(frame, x="x", y="y", loss=Huber(), where="x > -2"), fit(x, y, loss=Huber()))
        return
    frame[:2500].to_csv(tmp_path / "part-1.csv", index=False, float_format="%.17g")
    frame[2500:].to_csv(tmp_path / "part-2.csv", index=False, float_format="%.17g")
    assert_same(fit(str(tmp_path / "part-*.csv"), x="x", y="y", loss=loss), plain)


def test_what_comes_but_once_is_refused_before_it_is_read():
    read = []

    def chunks():
        read.append(True)
        yield [1.0, 2.0], [1.0, 2.0]

    for settings in ({"loss": "huber"}, {"variance": "HC3"}):
        with pytest.raises(errors.BadCall, match="more than once"):
            fit(chunks(), degree=1, **settings)
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 3.0]})
    with pytest.raises(errors.BadCall, match="more than once"):
        fit(table.to_reader(), x="x", y="y", degree=1, loss="huber")
    assert not read


def test_rows_that_change_meanwhile_are_noticed(few_held):
    class Growing:
        n = 5000

        def __iter__(self):
            self.n += 1
            x = np.linspace(-1, 1, self.n)
            yield x, np.cos(9 * x)

    for loss in (Huber(), Quantile(0.5)):
        with pytest.raises(errors.RowsChanged, match="changed while") as caught:
            fit(Growing(), loss=loss)
        assert (caught.value.before, caught.value.now) == (5001, 5002)


# ── how much it takes ──


def test_tukey_withstands_40_percent_on_one_side():
    rng = np.random.default_rng(7)
    x = np.linspace(-1, 1, 200)
    truth = 1 + x - 2 * x**2
    for _ in range(40):
        y = truth + 0.5 * rng.standard_normal(x.size)
        y[rng.permutation(x.size)[:80]] += 10 + 0.5 * rng.standard_normal(80)
        found = fit(x, y, 2, loss="tukey")
        assert np.abs(found(x) - truth).max() < 0.75
        assert found.discounted >= 80


@pytest.mark.parametrize("loss", LOSS_OF_ALL.values(), ids=LOSS_OF_ALL)
@pytest.mark.parametrize("far", [1e6, 1e30, -1e100])
def test_how_far_a_wild_row_is_does_not_matter(loss, far):
    x, y, _ = wild()
    held = {"through": (0.0, 1.0)}
    for known in ({}, held):
        near = fit(x, np.r_[y[:-1], np.sign(far) * 1e3], 3, loss=loss, **known)
        beyond = fit(x, np.r_[y[:-1], far], 3, loss=loss, **known)
        slack = 2e-3 if loss == Cauchy() else 1e-9  # Cauchy's pull never ends
        assert beyond.coef == pytest.approx(near.coef, abs=slack)


def test_rows_on_one_line_are_met_and_a_scale_of_0_is_refused():
    x = np.linspace(0, 1, 50)
    for loss in WEIGHING.values():
        line = fit(x, 1 + 2 * x, 1, loss=loss)
        assert line.coef == pytest.approx([1, 2], abs=1e-12)
        assert line.scale < 1e-14
        assert line.discounted == 0
        assert np.all(line.stderr < 1e-14)
        assert fit(x, 0 * x, 2, loss=loss).coef.tolist() == [0, 0, 0]
        with pytest.raises(errors.ScaleVanishes, match="48 of 50 rows") as caught:
            fit(x, np.r_[1 + 2 * x[:-2], 9, -9], 1, loss=loss)
        assert (caught.value.on, caught.value.n) == (48, 50)
    most = fit(x, np.r_[1 + 2 * x[:-2], 9, -9], 1, loss="median")  # as the refusal advises
    assert most.coef == pytest.approx([1, 2], abs=1e-12)


def test_tukey_says_where_too_few_rows_are_left():
    x = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    y = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 1.0])
    trusted = fit(x, y, 1, loss="tukey")
    assert trusted.degree == 1
    rows = Rows.of(x, y)
    base = Triangle.fold(rows.x, rows.y, None, 1)
    with pytest.raises(errors.TooFewTrusted, match="lower degree"):
        reweighted.settle(
            Reader(InMemory(rows), PLAIN),
            base,
            Tukey(c=0.1),
            Sample(rows, True),
            np.array([2.0, 9e9]),
        )


# ── what goes with it, and what does not ──


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"degree": "auto"}, "no likelihood|has none"),
        ({"variance": "HC3"}, "formula of their own"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, match):
    x, y, _ = wild(50)
    with pytest.raises(errors.BadCall, match=match):
        fit(x, y, **{"degree": 3, "loss": "huber"} | settings)


def test_criteria_are_nan_and_degrees_are_refused():
    x, y, _ = wild()
    for loss in ("huber", "median"):
        found = fit(x, y, 3, loss=loss)
        assert all(math.isnan(value) for value in (found.aic, found.aicc, found.bic))
        with pytest.raises(errors.BadCall, match="compared by squares"):
            found.degrees()


@pytest.mark.parametrize("loss", LOSS_OF_ALL.values(), ids=LOSS_OF_ALL)
def test_it_says_what_it_did_and_comes_back_from_json(loss):
    x, y, _ = wild()
    found = fit(x, y, 3, loss=loss)
    said = str(found)
    assert described(loss) in said
    assert "AIC" not in said
    if found.scale is not None:
        assert f"scale: {found.scale:.6g}, {found.discounted} rows count less than half" in said
        assert "H1" in said
    else:
        assert "Hendricks" in said
    for other in (
        pd.Fit.from_json(found.to_json()),
        pickle.loads(pickle.dumps(found)),
        copy.deepcopy(found),
    ):
        assert str(other) == said
        assert other.stderr.tolist() == found.stderr.tolist()
        assert other.judgment.loss == loss
    assert "Settled by" in found.advice


def test_records_of_a_judgment_are_checked():
    import json

    x, y, _ = wild()
    body = json.loads(fit(x, y, 3, loss="huber").to_json())
    for change in (
        {"loss": {"name": "hubert", "c": 1.0}},
        {"loss": {"name": "huber", "c": -1.0}},
        {"mix": [[1.0]]},
        {"lags": 3},
        {"variance": "HC9"},
        {"discounted": -1},
    ):
        with pytest.raises(errors.BadRecord):
            pd.Fit.from_json(json.dumps(body | {"judgment": body["judgment"] | change}))


def test_bands_and_places_follow():
    x, y, _ = wild()
    plain, found = fit(x, y, 3), fit(x, y, 3, loss="tukey")
    wide, narrow = (np.subtract(*f.confidence_band(1.0)[::-1]) for f in (plain, found))
    assert narrow < wide / 2
    low, high = found.prediction_band(1.0)
    assert found.scale is not None
    assert high - low == pytest.approx(2 * 1.966 * found.scale, rel=0.02)
    assert found.roots()[0].stderr < plain.roots()[0].stderr / 2
    quantile = fit(x, y, 3, loss=Quantile(0.9))
    assert np.isnan(quantile.prediction_band(1.0)).all()
    with pytest.raises(errors.BadCall, match="weighs no rows"):
        _ = quantile.row_weights
    assert (quantile.scale, quantile.discounted) == (None, 0)
    assert plain.row_weights.tolist() == [1.0] * 400


def test_errors_of_huber_hold_what_they_promise():
    rng = np.random.default_rng(4)
    x = np.linspace(-1, 1, 150)
    hits = 0
    for _ in range(100):
        y = rng.standard_t(3, x.size)
        low, high = fit(x, y, 2, loss="huber").confidence_band(0.5)
        hits += low <= 0 <= high
    assert hits >= 88


def test_a_domain_of_one_point_has_a_scale_too():
    y = np.r_[np.random.default_rng(1).standard_normal(30), 50.0]
    found = fit(np.full(31, 7.0), y, 0, loss="tukey")
    assert abs(found.coef[0]) < 1
    assert found.summary.domain == Domain(7.0, 7.0)
