"""The explorer page: its arithmetic is the library's, and no payload can leave its place."""

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from decimal import Decimal
from importlib import resources
from typing import Any

import numpy as np
import pytest
from pages import (
    BETA,
    DEGREE,
    FAMILIES,
    STEPS,
    design,
    limit_of,
    payload_of,
    reference,
    rows,
)

import polydescent
from polydescent.polynomial.basis import CHEBYSHEV, Domain, basis_named, change_of_basis
from polydescent.report import explorer
from polydescent.report.density import Density
from polydescent.rows.rows import Rows

mini_racer = pytest.importorskip("py_mini_racer", reason="needs mini-racer: V8 in Python")

OPTIMIZERS = ("gd", "momentum", "nesterov", "adam")


# ---- core.js in CPython ----


WITHOUT_A_PAGE = [name for name in explorer.SCRIPTS if name != "app.js"]
ATOB = """
const atob = (text) => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let [out, held, bits] = ["", 0, 0];
  for (const letter of text.replace(/=+$/, "")) {
    held = (held << 6) | digits.indexOf(letter);
    bits += 6;
    if (bits >= 8) out += String.fromCharCode((held >> (bits -= 8)) & 255);
  }
  return out;
};
"""


class Core:
    """The scripts with one data set loaded; every answer comes back as plain Python."""

    def __init__(self):
        self.engine = mini_racer.MiniRacer()
        self.engine.eval(ATOB)  # of browsers, not of the language
        for name in WITHOUT_A_PAGE:
            self.engine.eval(resources.files(explorer).joinpath(name).read_text("utf-8"))
        self.engine.eval(
            "const plain = (v) => JSON.parse(JSON.stringify(v,"
            " (_, x) => ArrayBuffer.isView(x) ? [...x] : x));"
            "let data, problem, run;"
        )

    def load(self, payload):
        self.engine.eval(f"data = triangle.unpack({json.dumps(payload)})")

    def pose(self, degree, basis):
        self.engine.eval(f"problem = problems.pose(data, {degree}, {json.dumps(basis)})")

    def descend(self, optimizer, start, steps):
        values = ", ".join(json.dumps(value) for value in (optimizer, list(start), steps))
        self.engine.eval(f"run = core.descend(problem, {values}, 20000); 0")

    def limit(self, name):
        return self(f"forecast.stableLimit(problem, {json.dumps(settings(name, 1))})")

    def __call__(self, expression):
        return json.loads(self.engine.eval(f"JSON.stringify(plain({expression}))"))


@pytest.fixture(scope="module")
def core():
    x, y = rows()
    core = Core()
    core.load(payload_of(x, y))
    return core


def settings(name, rate):
    return {
        "name": name,
        "rate": rate,
        "beta": BETA,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
    }


def assert_close(found, wanted, tolerance):
    scale = np.max(np.abs(wanted)) or 1.0
    worst = np.max(np.abs(np.asarray(found) - wanted)) / scale
    assert worst <= tolerance, f"relative error {worst:.2g}, allowed {tolerance:.2g}"


@pytest.mark.parametrize("degree", range(DEGREE + 1))
@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_descent_equals_numpy(core, name, basis, degree):
    x, y = rows()
    matrix = design(x, degree, basis)
    limit = limit_of(2 * matrix.T @ matrix, name)
    rate = 0.01 if name == "adam" else 0.9 * limit
    start = np.random.default_rng(degree).standard_normal(degree + 1)
    losses, weights = reference(matrix, y, name, rate, start, STEPS)
    core.pose(degree, basis)
    core.descend(settings(name, rate), start, STEPS)
    assert_close(core("run.walk(run.walked).loss"), losses, 1e-12)
    assert_close(core(f"core.stateAt(run, {STEPS}).w"), weights, 1e-12)
    if name != "adam":
        assert_close(core("forecast.stableLimit(problem, run.optimizer)"), limit, 1e-12)


# ---- and to the library itself, from the library's own triangle ----


@pytest.fixture(scope="module")
def summary():
    return polydescent.summarize(*rows(), degree=DEGREE)


@pytest.fixture(scope="module")
def library_core(summary):
    core = Core()
    core.load(payload_of(*rows(), triangle=np.asarray(summary.triangle.array)))
    return core


def library_optimizer(name, rate):
    return {
        "gd": lambda: polydescent.GradientDescent(learning_rate=rate),
        "momentum": lambda: polydescent.Momentum(learning_rate=rate, momentum=BETA),
        "nesterov": lambda: polydescent.Nesterov(learning_rate=rate, momentum=BETA),
        "adam": lambda: polydescent.Adam(learning_rate=rate),
    }[name]()


@pytest.mark.parametrize("degree", range(DEGREE + 1))
@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_descent_equals_the_library(library_core, summary, name, basis, degree):
    core = library_core
    core.pose(degree, basis)
    rate = 0.01 if name == "adam" else 0.9 * core.limit(name)
    start = np.random.default_rng(degree).standard_normal(degree + 1)
    fit = summary.descend(
        degree=degree,
        basis=basis,
        optimizer=library_optimizer(name, rate),
        start=list(start),
        steps=STEPS,
    )
    core.descend(settings(name, rate), start, STEPS)
    assert_close(core("run.walk(run.walked).loss"), fit.history.loss, 1e-12)
    assert_close(core("run.walk(run.walked).w"), fit.history.weights.ravel(), 1e-12)
    if name != "adam":
        limit = core("forecast.stableLimit(problem, run.optimizer)")
        assert limit == pytest.approx(fit.forecast.largest_stable_rate, rel=1e-12)
        assert core("problem.floor") == pytest.approx(fit.forecast.lowest_loss, rel=1e-12)


@pytest.mark.parametrize("degree", range(DEGREE + 1))
@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("known", [False, True])
def test_estimates_are_the_library_s(summary, known, basis, degree):
    core = Core()
    told = payload_of(*rows(), triangle=np.asarray(summary.triangle.array), absolute_sigma=known)
    core.load(told)
    core.pose(degree, basis)
    fit = replace(summary.fit(degree), absolute_sigma=known)
    into = np.linalg.inv(
        change_of_basis(basis_named(basis), CHEBYSHEV, degree, *variable(basis, summary.domain))
    )
    root = into @ fit._uncertain.factor
    assert_close(core("problem.best"), into @ fit._uncertain.weights, 1e-10)
    assert_close(core("problem.stderr"), np.sqrt((root**2).sum(axis=1)), 1e-10)


def variable(basis, domain):
    return basis_named(basis).variable(domain)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.02946, 0.10577, "1.03 ± 0.11"),
        (-0.0029789, 0.0000449, "−0.002979 ± 4.5e−5"),
        (0.01, 0.5, "0.01 ± 0.5"),
        (2, 0, "2"),
        (2, float("nan"), "2"),
    ],
)
def test_estimates_are_read_to_their_errors(core, value, error, text):
    error = "NaN" if error != error else error
    assert core(f"numerals.uncertain({value}, {error})") == text


@pytest.mark.parametrize("steps", [30, 30_000])
@pytest.mark.parametrize("degree", [1, 2])
def test_what_never_moves_is_excess_as_in_the_library(steps, degree):
    x = 1.7e9 + np.arange(100.0)
    found = polydescent.summarize(x, x - 1.7e9 + np.sin(x), degree)
    core = Core()
    core.load(
        {
            "domain": [found.domain.lo, found.domain.hi],
            "triangle": [v for i, row in enumerate(found.triangle.array.tolist()) for v in row[i:]],
            "n": 100,
        }
    )
    core.pose(degree, "power")
    rate = 0.5 * core.limit("gd")
    core.descend(settings("gd", rate), [0.0] * (degree + 1), steps)
    forecast = found.forecast(basis="power", start="zeros", learning_rate=rate)
    assert core("problem.floor") == pytest.approx(forecast.lowest_loss, rel=1e-9)
    assert forecast.held > 1000 * forecast.lowest_loss
    excess = core(f"core.stateAt(run, {steps}).excess")
    assert excess == pytest.approx(forecast.excess_at(steps), rel=1e-6)


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_fastest_pairs_are_the_library_s(library_core, summary, name):
    core = library_core
    core.pose(3, "power")
    best = summary.forecast(degree=3, basis="power", optimizer=library_optimizer(name, None)).best
    found = core(f"forecast.fastest(problem, {json.dumps(settings(name, 1))}, true)")
    assert found["rate"] == pytest.approx(best.learning_rate, rel=1e-10)
    assert found["beta"] == pytest.approx(best.momentum, rel=1e-10)


# ---- beyond the steps that are walked ----


@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov"])
@pytest.mark.parametrize("step", [1, 2, 100, 10_000, 20_000])
def test_the_leap_lands_where_the_walk_does(core, name, basis, step):
    core.pose(5, basis)
    limit = core.limit(name)
    core.descend(settings(name, 0.3 * limit), [1.0] * 6, 20_000)
    walked = core(f"core.stateAt(run, {step})")
    leapt = core(f"core.stateAt({{...run, walked: -1}}, {step})")
    assert_close(leapt["w"], np.array(walked["w"]), 1e-11)
    assert leapt["loss"] == pytest.approx(walked["loss"], rel=1e-12)
    speed = np.max(np.abs(walked["v"]))
    if name != "gd" and speed > 1e-6:
        assert_close(leapt["v"], np.array(walked["v"]), 1e-8)


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov"])
def test_a_billion_steps_arrive(core, name):
    core.pose(4, "legendre")
    limit = core.limit(name)
    core.descend(settings(name, 0.5 * limit), [0.0], 10**9)
    end = core(f"core.stateAt(run, {10**9})")
    assert end["loss"] == pytest.approx(core("problem.floor"), rel=1e-13)
    assert end["excess"] <= 1e-24 * end["loss"]


@pytest.mark.parametrize("basis", FAMILIES)
@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov"])
def test_the_limit_is_sharp(core, name, basis):
    core.pose(3, basis)
    limit = core.limit(name)
    core.descend(settings(name, 0.999 * limit), [1.0], 10**6)
    assert core("forecast.overflowStep(run)") is None
    assert core(f"core.stateAt(run, {10**6}).loss") < core("run.walk(0).loss[0]")
    core.descend(settings(name, 1.001 * limit), [1.0], 10**6)
    over = core("forecast.overflowStep(run)")
    assert core(f"core.stateAt(run, {over - 1}).loss") > 1e280
    assert core(f"core.stateAt(run, {over}).loss") is None  # JSON has no infinity


def test_shares_add_up_and_shrink_at_their_pace(core):
    core.pose(4, "power")
    limit = core.limit("gd")
    core.descend(settings("gd", 0.7 * limit), [2.0, -1.0, 1.0], 100)
    now, later = (core(f"core.stateAt(run, {step})") for step in (3, 4))
    assert sum(now["shares"]) == pytest.approx(now["excess"], rel=1e-13)
    factors = [mode["factor"] for mode in core("forecast.pace(problem, run.optimizer)")]
    assert np.divide(later["shares"], now["shares"]) == pytest.approx(factors, rel=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999, 1.2])
@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov"])
def test_the_pace_is_the_spectral_radius(core, name, share):
    core.pose(6, "legendre")
    core.descend(settings(name, share * core.limit(name)), [0.0], 1)
    beta = 0.0 if name == "gd" else BETA
    for mode, curvature in zip(
        core("forecast.pace(problem, run.optimizer)"), core("problem.lambda"), strict=True
    ):
        h = share * core.limit(name) * curvature
        matrix = np.array([[1 - h, -beta], [h, beta]])
        if name == "nesterov":
            matrix[0] = [1 - h * (1 + beta), -beta * beta]
        radius = np.max(np.abs(np.linalg.eigvals(matrix)))
        assert mode["factor"] == pytest.approx(radius**2, rel=1e-7)
        if radius < 0.99:
            assert radius ** (2 * mode["steps"]) <= 0.01 * (1 + 1e-6)


def test_few_distinct_x_have_a_best_loss_all_the_same(core):
    x = np.repeat([0.0, 1.0, 2.0], 20)
    y = x + np.random.default_rng(3).standard_normal(60)
    other = Core()
    other.load(payload_of(x, y))
    other.pose(6, "chebyshev")
    within = sum(np.sum((y[x == value] - y[x == value].mean()) ** 2) for value in (0, 1, 2))
    assert other("problem.distinct") == 3
    assert other("problem.floor") == pytest.approx(within, rel=1e-12)
    other.descend(settings("gd", 0.5 * other.limit("gd")), [1.0], 20_000)
    assert other("core.stateAt(run, 20000).loss") == pytest.approx(within, rel=1e-12)


def test_one_point_and_epoch_seconds_break_nothing():
    x, y = rows()
    for late in (x * 1e6 + 1.7e9, x * 1e40, x * 1e200, np.full_like(x, 3.0)):
        other = Core()
        summary = polydescent.summarize(late, y, degree=DEGREE)
        other.load(payload_of(late, y, triangle=np.asarray(summary.triangle.array)))
        best = other("problems.pose(data, 10, 'chebyshev').floor")
        assert best <= y @ y
        other.pose(10, "power")
        other.descend(settings("momentum", 1e-30), [0.0], 100)
        assert other("problem.floor") == best
        assert other("forecast.pace(problem, run.optimizer).length") == 11


# ---- settings ----


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_python_that_is_copied_is_the_same_run(core, name):
    x, y = rows()
    place(core, payload_of(x, y))
    for rate, diverges in ((5e-5, "false"), (5e-3, "true")):
        patch = {"optimizer": name, "rate": rate, "beta": 0.8, "steps": 50, "start": [1, 2]}
        core.engine.eval(
            f"state = states.change(place.initial, {json.dumps(patch | {'degree': 5})}, place); 0"
        )
        names: dict[str, Any] = {"x": x, "y": y}
        exec(core(f"python.snippet(state, data, {diverges})"), names)
        core.pose(5, "power")
        core.descend(settings(name, rate), [1, 2], 50)
        assert_close(core("core.stateAt(run, 50).w"), names["fit"].history.weights[-1], 1e-12)


def place(core, payload):
    """Sets `payload`, `data` and `place`, as the page does."""
    core.load(payload)
    core.engine.eval(
        f"var payload = {json.dumps(payload)}; var state;"
        "var initial = states.fromPayload(payload, {language: 'en', theme: 'light',"
        " grid: Boolean(payload.density)});"
        "var place = {initial, data, sample: payload.sample, grid: Boolean(payload.density),"
        " stop: tour.maker(initial, data), stops: tour.STOPS.length}; 0"
    )


# ---- numbers as they are shown ----


def in_ascii(text):
    return text.replace("−", "-").replace(",", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234.5678, "1,235"),
        (-0.03, "−0.03"),
        (1e-6, "1e−6"),
        (3.5579468e-6, "3.558e−6"),
        (999_999.9, "1,000,000"),
        (2e9, "2e9"),
    ],
)
def test_numbers_are_short(core, value, text):
    assert core(f"numerals.show({value})") == text


def test_what_is_printed_adds_up(core):
    rng = np.random.default_rng(8)
    for terms in rng.standard_normal((300, 3)) * 10.0 ** rng.integers(-12, 12, (300, 1)):
        terms[0] *= 10.0 ** rng.integers(-8, 8)
        shown = core(f"numerals.sum([{', '.join(map(repr, map(float, terms)))}])")
        printed = [Decimal(in_ascii(text)) for text in shown["terms"]]
        assert sum(printed) == Decimal(in_ascii(shown["total"]))
        assert float(sum(printed)) == pytest.approx(sum(terms), abs=2e-5 * max(abs(terms)))


# ---- the page as text ----

HOSTILE = "</script><img src=x onerror=alert(1)><!-- {{core.js}} {{payload}} \u2028"


def test_nothing_hostile_leaves_its_place():
    x, y = rows()
    html = explorer.page(payload_of(x, y, title=HOSTILE, x_name=HOSTILE, y_name=HOSTILE))
    assert "<img" not in html
    assert html.count("</script>") == html.count("<script") == 3
    carried = re.search(r'<script type="application/json".*?>(.*?)</script>', html, re.S)[1]
    assert json.loads(carried)["title"] == HOSTILE
    assert "{{" not in html.replace(carried, "")


def test_the_policy_allows_these_scripts_and_nothing_else():
    html = explorer.page(payload_of(*rows()))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    inline = [text for _, text in re.findall(r"<(script|style)>(.*?)</\1>", html, re.S)]
    packed = re.search(r'<script type="text/plain" id="script">(.*?)</script>', html)[1]
    inline.append(zlib.decompress(base64.b64decode(packed)).decode())
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    assert sorted(re.findall(r"'sha256-([^']+)'", policy)) == sorted(hashes)
    for text in inline:
        assert not re.search(r"\b(eval|fetch|XMLHttpRequest|innerHTML|insertAdjacentHTML)\b", text)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_what_json_cannot_say_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        explorer.page(payload_of(*rows(), steps=float("nan")))


def test_ten_million_rows_fit_in_160_kilobytes():
    """A wide noisy cloud, as chance draws it: 16,000 cells, hardly two alike."""
    across, up = np.meshgrid(np.linspace(-3, 3, 160), np.linspace(-3, 3, 100))
    expected = np.exp(-((up - np.sin(across)) ** 2) / 2)
    counts = np.random.default_rng(5).poisson(10**7 * expected / expected.sum())
    span = Domain(-3.0, 3.0)
    cloud = explorer.density(Density(counts, span, span, 0))
    folds = [{"n": 80, "triangle": explorer.packed(np.ones((DEGREE + 2, DEGREE + 2)))}] * 5
    html = explorer.page(payload_of(*rows(), density=cloud, folds=folds))
    assert len(html.encode()) <= 160_000


def test_density_is_every_row_top_line_first():
    x, y = np.array([0.0, 0.1, 1.0, 1.0, 1.0]), np.array([0.0, 0.1, 1.0, 1.0, 0.0])
    grid = explorer.density(Density.of(Rows.of(x, y), columns=2, lines=2))
    levels = zlib.decompress(base64.b64decode(grid["levels"]))
    assert (grid["columns"], grid["rows"], grid["outside"]) == (2, 2, 0)
    assert grid["x"] == grid["y"] == [0.0, 1.0]
    assert list(levels) == [0, 31, 31, 20]
