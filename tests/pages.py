"""Pages to test: a lopsided cloud, its payload, and textbook descent on its rows beside it."""

import numpy as np

from polydescent.report import explorer
from polydescent.report.density import Density
from polydescent.rows.rows import Rows

DEGREE = 10
STEPS = 2000
FAMILIES = {
    "power": lambda k: (1, 0),
    "chebyshev": lambda k: (1, 0) if k == 0 else (2, 1),
    "legendre": lambda k: ((2 * k + 1) / (k + 1), k / (k + 1)),
}
BETA = 0.8


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


def density_of(x, y):
    return explorer.density(Density.of(Rows.of(x, y)))


def payload_of(x, y, triangle=None, **changes):
    if triangle is None:
        triangle = triangle_of(np.column_stack([design(x, DEGREE, "chebyshev"), y]))
    lines = np.asarray(triangle).tolist()
    settings = {
        "version": 1,
        "title": "y of x",
        "x_name": "x",
        "y_name": "y",
        "n": len(x),
        "domain": domain_of(x),
        "triangle": [value for i, row in enumerate(lines) for value in row[i:]],
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
    """Losses (steps + 1) and last weights of textbook descent on the rows' own QR in this basis."""
    k = matrix.shape[1]
    triangle = np.asarray(triangle_of(np.column_stack([matrix, y])))
    R, z, rss = triangle[:k, :k], triangle[:k, k], triangle[k, k] ** 2
    w, v, m2 = np.array(start, float), np.zeros(k), np.zeros(k)
    losses = []
    for t in range(1, steps + 2):
        residual = R @ w - z
        losses.append(residual @ residual + rss)
        if t == steps + 1:
            break
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
    return np.array(losses), w
