"""The explorer's ways of looking: what they compute is what the library computes, and the hash
says all of it.
"""

import json

import numpy as np
import pytest
from pages import BETA, DEGREE, FAMILIES, density_of, design, payload_of, rows
from test_explorer import Core, assert_close, library_optimizer, place, settings

import polydescent
from polydescent.least_squares.degrees import degree_table
from polydescent.least_squares.folds import cross_validation
from polydescent.report.page import payload as payload_of_fit
from polydescent.rows.rows import Rows

NAMES = ("gd", "momentum", "nesterov")


@pytest.fixture(scope="module")
def summary():
    return polydescent.summarize(*rows(), degree=DEGREE)


@pytest.fixture(scope="module")
def core(summary):
    core = Core()
    core.load(payload_of(*rows(), triangle=np.asarray(summary.triangle.array)))
    return core


def loaded(fit):
    core = Core()
    place(core, payload_of_fit(fit))
    return core


# ---- what is held ----

HELD = [
    {"fix": {0: 5.0}},
    {"fix": {0: 0.0, 2: -1.5}},
    {"terms": [1, 3]},
    {"through": [(0.5, 1.0)]},
    {"fix": {1: 0.25}, "through": [(-1.0, 0.0), (1.5, 2.0)]},
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("held", HELD, ids=str)
def test_a_constrained_fit_is_the_library_s(held, weighted):
    x, y = rows()
    weights = np.random.default_rng(2).uniform(0.1, 3, len(x)) if weighted else None
    fit = polydescent.fit(x, y, 4 if "terms" not in held else 3, weights=weights, **held)
    core = loaded(fit)
    core.pose(fit.degree, "power")
    assert core("problem.floor") == pytest.approx(fit.loss, rel=1e-12)
    scale = np.max(np.abs(fit.coef))
    assert_close(core("problem.best"), fit.coef, 1e-12 * max(scale, 1))
    assert_close(core("problem.stderr"), fit.stderr, 1e-11)
    xs = np.linspace(-1, 1, 9)
    errors = [
        core(f"problems.errorAt(problem, triangle.basisAt(data, 'chebyshev', {fit.degree}, {v}))")
        for v in xs
    ]
    assert_close(errors, fit._uncertain.stderr_at(xs), 1e-11)


@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", [*NAMES, "adam"])
@pytest.mark.parametrize("held", HELD, ids=str)
def test_a_constrained_descent_keeps_what_is_held(held, name, basis):
    x, y = rows()
    fit = polydescent.fit(x, y, 4 if "terms" not in held else 3, **held)
    core = loaded(fit)
    core.pose(fit.degree, basis)
    rate = 0.01 if name == "adam" else 0.8 * core.limit(name)
    core.descend(settings(name, rate), [0.3, -0.2, 0.1], 5000)
    matrix = design(x, fit.degree, basis)
    free = np.array(core("problem.free"))
    w = np.array(core("run.start"))
    v = np.zeros_like(w)
    for _ in range(40):  # plain, heavy ball and Nesterov along what is free, on the rows themselves
        g = free.T @ (free @ (2 * matrix.T @ (matrix @ w - y)))
        if name == "gd":
            w = w - rate * g
        elif name == "momentum":
            v = BETA * v + g
            w = w - rate * v
        elif name == "nesterov":
            v = BETA * v + g
            w = w - rate * (g + BETA * v)
    if name != "adam":
        assert_close(core("core.stateAt(run, 40).w"), w, 1e-10)
        leapt = core("core.stateAt({...run, walked: -1}, 40)")
        assert_close(leapt["w"], w, 1e-10)
    curve = core("algebra.blend(triangle.inChebyshev(data, problem.basis, problem.degree),"
                 " core.stateAt(run, 5000).w, problem.k)")  # fmt: skip
    told = payload_of_fit(fit)["held"]
    equations = np.array(told["equations"])
    assert equations @ curve == pytest.approx(np.array(told["values"]), abs=1e-9)
    state = core("core.stateAt(run, 5000)")
    assert state["loss"] == pytest.approx(state["excess"] + fit.loss, rel=1e-9)
    assert state["loss"] >= fit.loss * (1 - 1e-12)


# ---- rows added and taken out ----


@pytest.mark.parametrize("known", [False, True])
def test_added_rows_are_a_new_fit(known):
    x, y = rows()
    sigma = np.full(len(x), 0.3) if known else None
    fit = polydescent.fit(x, y, 3, sigma=sigma, absolute_sigma=known)
    core = loaded(fit)
    added = [(0.3, 9.0), (-1.0, -7.0), (x[0], 0.0)]
    edits = [{"x": a, "y": b, "sign": 1} for a, b in added]
    core.engine.eval(f"data = triangle.edited(place.data, {json.dumps(edits)}); 0")
    more_x, more_y = np.append(x, [a for a, _ in added]), np.append(y, [b for _, b in added])
    weights = None if sigma is None else np.append(1 / sigma**2, [1.0] * 3)
    again = polydescent.fit(more_x, more_y, 3, weights=weights, absolute_sigma=known)
    core.pose(3, "power")
    assert core("data.n") == len(more_x)
    assert core("problem.floor") == pytest.approx(again.loss, rel=1e-12)
    assert_close(core("problem.best"), again.coef, 1e-12)
    assert_close(core("problem.stderr"), again.stderr, 1e-12)
    gone = [{"x": x[0], "y": y[0], "sign": -1}, {"x": x[7], "y": y[7], "sign": -1}]
    if not known:
        core.engine.eval(f"data = triangle.edited(place.data, {json.dumps(gone)}); 0")
        kept = np.ones(len(x), bool)
        kept[[0, 7]] = False
        fewer = polydescent.fit(x[kept], y[kept], 3)
        core.pose(3, "power")
        assert core("problem.floor") == pytest.approx(fewer.loss, rel=1e-11)
        assert_close(core("problem.best"), fewer.coef, 1e-12)


def test_a_row_is_not_taken_out_where_the_others_say_nothing():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 2.0])
    core = loaded(polydescent.fit(x, y, 2))
    assert core("triangle.edited(data, [{x: 0, y: 1, sign: -1}])") is None


# ---- the curve kept ----


@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("other", FAMILIES)
@pytest.mark.parametrize("degree", [3, 6])
def test_the_curve_stays_when_the_coordinates_change(core, basis, other, degree):
    w = np.random.default_rng(degree).standard_normal(4)
    found = core(
        f"triangle.rewritten(data, {w.tolist()}, {{basis: '{basis}', degree: 3}},"
        f" {{basis: '{other}', degree: {degree}}})"
    )
    x = np.linspace(rows()[0].min(), rows()[0].max(), 50)
    assert_close(design(x, degree, other) @ found, design(x, 3, basis) @ w, 1e-12)
    back = core(
        f"triangle.rewritten(data, {found}, {{basis: '{other}', degree: {degree}}},"
        f" {{basis: '{basis}', degree: 3}})"
    )
    assert_close(back, w, 1e-12)


def test_a_lower_degree_cuts_the_chebyshev_series(core):
    w = [0.5, -1.0, 2.0, 0.25]
    found = core(
        f"triangle.rewritten(data, {w}, {{basis: 'chebyshev', degree: 3}},"
        " {basis: 'chebyshev', degree: 1})"
    )
    assert found == w[:2]


@pytest.mark.parametrize("degree", [1, 3, 7, 10])
@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", NAMES)
def test_a_safe_rate_for_the_new_problem(summary, name, basis, degree):
    core = Core()
    place(core, payload_of(*rows(), triangle=np.asarray(summary.triangle.array)))
    core.engine.eval("var modelOf = models.maker(payload, place, null); 0")
    for share in (0.1, 0.99, 1.5):
        core.pose(3, "power")
        rate = share * core.limit(name)
        core.engine.eval(
            f"state = states.change(initial, {{optimizer: '{name}', beta: {BETA}, rate: {rate}}},"
            f" place); patch = actions.pose(modelOf(state), {{basis: '{basis}',"
            f" degree: {degree}}}); state = states.change(state, patch, place); 0"
        )
        limit = (
            summary.lower(degree)
            .forecast(basis=basis, optimizer=library_optimizer(name, None), start="zeros")
            .largest_stable_rate
        )
        assert core("state.rate") == pytest.approx(
            min(share, 0.9 if share > 1 else 1) * limit, rel=1e-5
        )
        assert core("state.rate") < limit
        assert core("modelOf(state).diverges") is False


# ---- which degree ----


def test_degrees_are_the_library_s():
    x, y = rows()
    fit = polydescent.fit(x, y, 3)
    core = loaded(fit)
    found = core("degrees.table(data)")
    table = degree_table(polydescent.summarize(x, y, degree=DEGREE).triangle)
    assert_close(found["floor"], table.loss, 1e-12)
    assert_close(found["aicc"], table.aicc, 1e-12)
    assert found["pick"] == table.pick
    assert_close(found["cv"], cross_validation(DEGREE, Rows.of(x, y)), 1e-12)


@pytest.mark.parametrize("known", [False, True])
def test_degrees_of_weighted_rows(known):
    x, y = rows()
    sigma = np.random.default_rng(4).uniform(0.1, 0.4, len(x))
    fit = polydescent.fit(x, y, 3, sigma=sigma, absolute_sigma=known)
    found = loaded(fit)("degrees.table(data)")
    table = fit.degrees(DEGREE)
    assert_close(found["floor"], table.loss, 1e-12)
    assert_close(found["aicc"], table.aicc, 1e-12)
    assert found["pick"] == table.pick


def test_few_rows_are_not_dealt_out_but_left_out_one_by_one():
    x, y = (column[:40] for column in rows())
    fit = polydescent.fit(x, y, 3)
    told = payload_of_fit(fit)
    assert told["folds"] is None
    found = loaded(fit)("degrees.table(data)")
    assert_close(found["cv"], fit.degrees(DEGREE).loo[: len(found["cv"])], 1e-12)


def test_few_distinct_x_have_few_degrees():
    x = np.repeat([0.0, 1.0, 2.0], 20)
    y = x + np.random.default_rng(3).standard_normal(60)
    core = loaded(polydescent.fit(x, y, 2))
    assert len(core("degrees.table(data).floor")) == 3


# ---- the map of η and β ----


@pytest.mark.parametrize("degree", [1, 4, 8])
@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", NAMES)
def test_the_map_is_the_pace_of_the_slowest_mode(core, summary, name, basis, degree):
    core.pose(degree, basis)
    top = core.limit("momentum")
    rates, betas = list(top * np.geomspace(1e-3, 1.2, 9)), [0.0, 0.3, 0.9, 0.99]
    found = core(
        f"forecast.map(problem, '{name}', {json.dumps(rates)}, {json.dumps(betas)})"
        ".steps.map((s) => Number.isFinite(s) ? s : -1)"
    )
    slowest = [
        core(
            f"(s => Number.isFinite(s) ? s : -1)(forecast.slowest(problem,"
            f" {json.dumps(settings(name, rate) | {'beta': beta})}))"
        )
        for beta in betas
        for rate in rates
    ]
    assert_close(found, slowest, 1e-12)
    lower = summary.lower(degree)
    kinds = {
        "gd": lambda r, b: polydescent.GradientDescent(learning_rate=r),
        "momentum": lambda r, b: polydescent.Momentum(learning_rate=r, momentum=b),
        "nesterov": lambda r, b: polydescent.Nesterov(learning_rate=r, momentum=b),
    }
    stable = [
        bool(lower.forecast(basis=basis, optimizer=kinds[name](r, b), start="zeros").is_stable)
        for b in betas
        for r in rates
    ]
    assert [steps > 0 for steps in found] == stable


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_steps_to_1_percent_are_where_the_library_s_decay_says(core, summary, share):
    core.pose(3, "power")
    rate = share * core.limit("gd")
    steps = core(f"forecast.slowest(problem, {json.dumps(settings('gd', rate))})")
    curvature = summary.lower(3).forecast(basis="power", start="zeros").curvature
    slow = polydescent.GradientDescent(learning_rate=rate).decay(curvature, np.array([1]))[0]
    assert np.max(np.abs(slow)) ** (2 * steps) == pytest.approx(0.01, rel=1e-11)


# ---- the loss over two directions ----


@pytest.mark.parametrize("kind", ["weights", "modes"])
@pytest.mark.parametrize(("i", "j"), [(0, 1), (3, 0), (2, 3)])
def test_contours_have_one_loss(core, summary, kind, i, j):
    core.pose(3, "power")
    core.descend(settings("momentum", 0.4 * core.limit("momentum")), [1.0, 2.0, -1.0, 0.5], 30)
    core.engine.eval(
        "var now = core.stateAt(run, 7);"
        f"var plane = surface.plane(problem, now, '{kind}', {i}, {j}); 0"
    )
    x, y = rows()
    matrix = design(x, 3, "power")
    w, floor = np.array(core("now.w")), core("problem.floor")
    directions = np.array(core("plane.directions"))
    here = np.array(core("plane.place(now.w)"))

    def excess_at(spot):
        left = matrix @ (w + (np.array(spot) - here) @ directions) - y
        return left @ left - floor

    least = core("plane.least")
    assert excess_at(core("plane.center")) == pytest.approx(least, rel=1e-8, abs=1e-9 * floor)
    for level in (0.5, 40.0, 3000.0):
        for angle in (0.0, 1.0, 2.5, 5.0):
            spot = core(f"surface.contour(plane, {level}, {angle})")
            assert excess_at(spot) == pytest.approx(least + level, rel=1e-11, abs=1e-10 * floor)
    gradient = 2 * matrix.T @ (matrix @ w - y)
    assert_close(core("plane.downhill"), -directions @ gradient, 1e-11)


# ---- bands ----


@pytest.mark.parametrize("degree", [1, 3, 8])
def test_the_band_is_the_library_s_standard_error(core, summary, degree):
    core.pose(degree, "power")
    fit = summary.fit(degree)
    xs = np.linspace(fit.domain.lo, fit.domain.hi, 11)
    found = [
        core(f"problems.errorAt(problem, triangle.basisAt(data, 'chebyshev', {degree}, {v}))")
        for v in xs
    ]
    assert_close(found, fit._uncertain.stderr_at(xs), 1e-12)


# ---- dates ----


def test_dates_are_the_library_s():
    days = np.datetime64("1880-01-01") + np.arange(0, 52_000, 13)
    fit = polydescent.fit(days, np.sqrt(np.arange(len(days))), 2)
    core = loaded(fit)
    core.engine.eval("var calendar = dates.make(payload.dates, data.lo, data.hi); 0")
    for x in (0.0, 1.0, 40_000.0, fit.summary.domain.hi):
        assert core(f"calendar.text({x})") == fit.axis.label(x)
        assert core(f"calendar.read(calendar.text({x}))") == x
    ticks = core("calendar.ticks(data.lo, data.hi, 6)")
    for place_, label in ticks:
        assert fit.axis.label(place_) == f"{label}-01-01"


@pytest.mark.parametrize(
    ("span", "labels"),  # in seconds
    [
        (80, "00:00:00 00:00:15 00:00:30 00:00:45 00:01:00 00:01:15"),
        (30 * 3600, "2024-02-28 06:00 12:00 18:00 2024-02-29 06:00"),
        (37 * 86_400, "2024-02-29 2024-03-07 2024-03-14 2024-03-21 2024-03-28 2024-04-04"),
        (3000 * 86_400, "2026 2028 2030 2032"),
    ],
)
def test_axes_name_dates(span, labels):
    moments = np.datetime64("2024-02-28T00:00:00") + np.arange(0, span + 1, span // 40)
    fit = polydescent.fit(moments, np.arange(float(len(moments))) ** 2, 2)
    core = loaded(fit)
    core.engine.eval("var calendar = dates.make(payload.dates, data.lo, data.hi); 0")
    found = core("calendar.ticks(data.lo, data.hi, 6)")
    assert " ".join(label for _, label in found) == labels


# ---- the hash ----

TOLD = [
    "",
    "degree=5&basis=legendre&optimizer=nesterov&beta=0.7&step=40",
    "tour=1",
    "tour=6&step=3&language=zh-CN",
    "tour=8&band=false&view=map",
    "edits=0.5,2,1,-0.25,-3.5,1&edit=add",
    "pin=name%3Dfirst%2520one%26rate%3D0.003&pin=basis%3Dchebyshev%26start%3D1,2",
    "opened=data,table&speed=fast&seed=77&rows=none&mode=2&probe=9&x=0.125&was=0.001",
    "view=surface&plane=modes&across=3&up=2&curve=excess&theme=dark",
]
HOSTILE = [
    "degree=50&basis=<b>&rate=-1&steps=1e99&start=1,x&step=NaN&language=xx&pin=degree%3D-3",
    "tour=9&tour=0&tour=x",
    "__proto__=1&constructor=2&toString=3&hasOwnProperty=4",
    "edits=1,2&edits=1,2,3&edits=0,0,-1&edits=1e308,1e308,1",
    "%E0%A4%A&x=%&=&&&=x&x==",
    "x=1e308&row=1e12&mode=99&across=64&up=64",
    "&".join(["pin=rate%3D1e-9"] * 40),
    "opened=alert(1),data,</script>&speed=0&seed=-1",
    "start=" + ",".join(["1"] * 5000),
    "playing=true&initial=1&step=1e9&steps=5",
    "rate=1e300&degree=10&step=2000",
]


@pytest.fixture(scope="module")
def placed():
    x, y = rows()
    core = Core()
    place(core, payload_of(x, y, density=density_of(x, y)))
    return core


@pytest.mark.parametrize("hash_", TOLD + HOSTILE, ids=lambda text: text[:30])
def test_a_hash_is_a_state_and_back(placed, hash_):
    placed.engine.eval(f"state = states.fromHash({json.dumps('#' + hash_)}, place); 0")
    assert placed("Object.keys(state)") == placed("Object.keys(initial)")
    assert placed("Object.isFrozen(state)") is True
    assert placed("state.playing") is False
    placed.engine.eval("var told = states.toHash(state, place); 0")
    assert placed("states.fromHash(told, place)") == placed("state")
    assert placed("states.toHash(states.fromHash(told, place), place)") == placed("told")
    if hash_ in TOLD:
        assert set(placed("told").split("&")) == set(hash_.split("&"))
    assert placed("state.degree") <= DEGREE
    assert placed("state.step <= state.steps") is True
    assert placed("state.race.length") <= 6


def test_any_patch_of_a_state_survives_the_hash(placed):
    rng = np.random.default_rng(7)
    choices = {
        "degree": [0, 1, 3, 10],
        "basis": list(FAMILIES),
        "optimizer": [*NAMES, "adam"],
        "rate": [1e-300, 1e-7, 0.1, 3.25],
        "beta": [0.0, 0.5, 0.9999],
        "start": [[0.0], [1.0, -2.5e-9], [1e200] * 4],
        "steps": [1, 77, 10**9],
        "step": [0, 5, 10**9],
        "x": [None, 0.1, -1e9],
        "band": [True, False],
        "mode": [None, 0, 9],
        "view": ["modes", "surface", "map", "degrees"],
        "plane": ["weights", "modes"],
        "across": [0, 3, 10],
        "up": [0, 1, 10],
        "edits": [[], [{"x": 0.1, "y": -2.0, "sign": 1}] * 3],
        "race": [[], [{"name": "&=#%1 ☃", "run": "state"}]],
        "tour": [None, 1, 5, 8],
        "was": [None, 0.5],
        "opened": [[], ["data"], ["start", "python"]],
        "rows": ["density", "none", "sample"],
        "theme": ["light", "dark"],
    }
    for _ in range(150):
        some = rng.choice(list(choices), size=rng.integers(1, 9), replace=False)
        patch = {key: choices[key][rng.integers(len(choices[key]))] for key in map(str, some)}
        text = json.dumps(patch).replace('"run": "state"', '"run": states.runOf(initial)')
        placed.engine.eval(f"state = states.change(initial, {text}, place); 0")
        assert placed("states.fromHash(states.toHash(state, place), place)") == placed("state"), (
            patch
        )


# ---- what is said of numbers ----


def test_nothing_is_said_of_what_overflowed(placed):
    placed.engine.eval(
        "state = states.fromHash('#degree=10&rate=1e300&step=2000', place);"
        "var modelOf = models.maker(payload, place, null);"
        "var model = modelOf(state); 0"
    )
    growth = placed("model.pace.map(({radius}) => radius)")
    curvature = placed("model.problem.lambda")
    assert_close(growth, 1e300 * np.array(curvature), 1e-12)
    assert placed("Number.isFinite(model.now.excess)") is False
    assert placed("plots.shareText(model.now, 0, english)") == "beyond doubles"


def test_a_rate_at_the_limit_is_not_above_it():
    x, y = rows()
    fit = polydescent.descend(x * 1e40, y, 3, start="zeros")
    assert fit.forecast.is_stable
    core = loaded(fit)
    core.engine.eval("var model = models.maker(payload, place, null)(initial); 0")
    assert core("model.diverges") is False


@pytest.mark.parametrize(
    ("excess", "text"),
    [(1e-7, "1 + 1e−7"), (-2.5e-4, "1 − 2.5e−4"), (0, "1"), (0.06, "1.06"), (1e300, "1e300")],
)
def test_factors_near_one_say_how_near(placed, excess, text):
    assert placed(f"numerals.times({excess})") == text


def test_every_stop_of_the_tour_is_in_reach(placed):
    placed.engine.eval("modelOf = models.maker(payload, place, null); 0")
    for stop in range(1, 9):
        placed.engine.eval(f"model = modelOf(states.fromHash('#tour={stop}', place)); 0")
        assert placed("model.diverges") is (stop == 4)
        assert placed("Number.isFinite(model.now.loss)") is True
        name = placed(f"tour.STOPS[{stop - 1}].name")
        for language in ("english", "chinese"):
            text = placed(f"{language}.tour.{name}.text(model)")
            assert "NaN" not in text
            assert "undefined" not in text
    assert placed("model.now.excess") < 1e-3 * placed("model.problem.floor")


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("n", [2, 30])
def test_the_tour_of_any_data(degree, scale, n):
    x = np.linspace(1.7e9, 1.7e9 + 86_400, n)
    degree = min(degree, n - 1)
    fit = polydescent.fit(x, scale * np.sin(np.arange(n)), degree)
    core = loaded(fit)
    core.engine.eval("var modelOf = models.maker(payload, place, null), model; 0")
    for stop in range(1, 9):
        core.engine.eval(f"model = modelOf(states.fromHash('#tour={stop}', place)); 0")
        assert core("model.state.tour") == stop
        name = core(f"tour.STOPS[{stop - 1}].name")
        assert "NaN" not in core(f"english.tour.{name}.text(model)")


def test_a_strip_is_the_mean_of_its_rows():
    x, y = rows()
    core = loaded(polydescent.fit(x, y, 3))
    core.engine.eval("var modelOf = models.maker(payload, place, payload.density), model; 0")
    edges = np.linspace(x.min(), x.max(), 161)
    for column in (3, 80, 159):
        within = (x >= edges[column]) & ((x < edges[column + 1]) | (column == 159))
        middle = (edges[column] + edges[column + 1]) / 2
        core.engine.eval(f"model = modelOf(states.change(initial, {{x: {middle}}}, place)); 0")
        point = core("model.point")
        assert point["n"] == within.sum()
        if within.any():
            cell = payload_of_fit(polydescent.fit(x, y, 3))["density"]["y"]
            assert point["y"] == pytest.approx(y[within].mean(), abs=(cell[1] - cell[0]) / 100)
        else:
            assert point["y"] is None
