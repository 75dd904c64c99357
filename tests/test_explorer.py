"""The explorer page: its arithmetic equals NumPy's, and nothing in a payload can leave its place."""

import base64
import hashlib
import itertools
import json
import re
from importlib import resources

import numpy as np
import pytest

from polydescent.report import explorer

mini_racer = pytest.importorskip("py_mini_racer")

DEGREE = 10
STEPS = 2000
FAMILIES = {
    "power": lambda k: (1, 0),
    "chebyshev": lambda k: (1, 0) if k == 0 else (2, 1),
    "legendre": lambda k: ((2 * k + 1) / (k + 1), k / (k + 1)),
}
OPTIMIZERS = ("gd", "momentum", "nesterov", "adam")
BETA = 0.8


# ---- an independent reference: rows in, every step over the rows' own QR ----


def rows():
    """A lopsided cloud with noise: no symmetry makes a gradient vanish by accident."""
    rng = np.random.default_rng(20)
    x = rng.uniform(-1.3, 1.7, 400)
    return x, np.sin(2 * x) + 0.3 * x + 0.2 * rng.standard_normal(400)


def domain_of(x):
    return float(x.min()), float(x.max())


def design(x, degree, basis):
    low, high = domain_of(x)
    v = x if basis == "power" else (x - (low / 2 + high / 2)) / (high / 2 - low / 2)
    columns = [np.ones_like(x)]
    for k in range(degree):
        a, c = FAMILIES[basis](k)
        columns.append(a * v * columns[-1] - (c * columns[-2] if k else 0))
    return np.stack(columns, axis=1)


def triangle_of(matrix):
    triangle = np.linalg.qr(matrix, mode="r")
    return triangle * np.where(np.diag(triangle) < 0, -1.0, 1.0)[:, None]


def payload_of(x, y, **changes):
    triangle = triangle_of(np.column_stack([design(x, DEGREE, "chebyshev"), y]))
    settings = {
        "version": 1,
        "title": "y of x",
        "x_name": "x",
        "y_name": "y",
        "n": len(x),
        "domain": domain_of(x),
        "triangle": [value for i, row in enumerate(triangle.tolist()) for value in row[i:]],
        "degree": 3,
        "basis": "power",
        "optimizer": {"name": "gd", "learning_rate": 1e-4, "momentum": 0.9},
        "start": [0.0] * 4,
        "steps": STEPS,
        "density": None,
        "sample": None,
        "language": "en",
    }
    return settings | changes


def limit_of(hessian, name):
    most = np.linalg.eigvalsh(hessian)[-1]
    beta = {"gd": 0.0, "adam": 0.0}.get(name, BETA)
    return (2 + 2 * beta) / ((1 + 2 * beta if name == "nesterov" else 1) * most)


def reference(matrix, y, name, rate, start, steps):
    """Losses (steps + 1) and last weights of textbook descent, on the QR of the rows in this very basis."""
    k = matrix.shape[1]
    triangle = triangle_of(np.column_stack([matrix, y]))
    R, z, rss = triangle[:k, :k], triangle[:k, k], triangle[k, k] ** 2
    w, v, m2 = np.array(start, float), np.zeros(k), np.zeros(k)
    losses = []
    for t in range(1, steps + 2):
        residual = R @ w - z
        losses.append(residual @ residual + rss)
        if t == steps + 1:
            return np.array(losses), w
        g = 2 * R.T @ residual
        if name == "gd":
            w = w - rate * g
        elif name == "momentum":
            v = BETA * v + g
            w = w - rate * v
        elif name == "nesterov":
            v = BETA * v + g
            w = w - rate * (g + BETA * v)
        else:
            v = 0.9 * v + 0.1 * g
            m2 = 0.999 * m2 + 0.001 * g * g
            w = w - rate * (v / (1 - 0.9**t)) / (np.sqrt(m2 / (1 - 0.999**t)) + 1e-8)


# ---- core.js in CPython ----


class Core:
    """core.js with one data set loaded; every answer comes back as plain Python."""

    def __init__(self):
        self.engine = mini_racer.MiniRacer()
        for name in ("core.js", "settings.js"):
            self.engine.eval(resources.files(explorer).joinpath(name).read_text("utf-8"))
        self.engine.eval(
            "const plain = (v) => JSON.parse(JSON.stringify(v,"
            " (_, x) => ArrayBuffer.isView(x) ? [...x] : x));"
            "let data, problem, run;"
        )

    def load(self, payload):
        self.engine.eval(f"data = core.unpack({json.dumps(payload)})")

    def pose(self, degree, basis):
        self.engine.eval(f"problem = core.pose(data, {degree}, {json.dumps(basis)})")

    def descend(self, optimizer, start, steps):
        values = ", ".join(json.dumps(value) for value in (optimizer, list(start), steps))
        self.engine.eval(f"run = core.descend(problem, {values}); 0")

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
    assert_close(core("run.past.loss"), losses, 1e-12)
    assert_close(core(f"core.stateAt(run, {STEPS}).w"), weights, 1e-12)
    if name != "adam":
        assert_close(core("core.stableLimit(problem, run.optimizer)"), limit, 1e-12)
