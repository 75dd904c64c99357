"""The tables the laws are held over: libraries, dtypes, families, optimizers, data sets."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import polydescent as pd

BASES = ("power", "chebyshev", "legendre")
OPTIMIZERS = {
    "gd": pd.GradientDescent(),
    "momentum": pd.Momentum(),
    "momentum 0.5": pd.Momentum(momentum=0.5),
    "nesterov": pd.Nesterov(),
    "nesterov 0.9": pd.Nesterov(momentum=0.9),
    "adam": pd.Adam(learning_rate=0.01),
    "adamw": pd.AdamW(learning_rate=0.01, weight_decay=0.1),
    "nadam": pd.NAdam(learning_rate=0.01),
    "rmsprop": pd.RMSprop(learning_rate=0.001),
    "adagrad": pd.Adagrad(learning_rate=0.1),
    "bb": pd.BarzilaiBorwein(),
    "cg": pd.ConjugateGradient(),
}
WITH_FORECAST = {name: o for name, o in OPTIMIZERS.items() if o.has_closed_form}


@dataclass(frozen=True)
class Backend:
    """A library and a dtype to run the same numbers in."""

    library: str
    dtype: str

    @property
    def tolerance(self) -> float:
        return 1e-11 if self.dtype == "float64" else 2e-4

    def array(self, values: Any) -> Any:
        xp = importlib.import_module(self.library)
        return xp.asarray(np.asarray(values, dtype=np.float64), dtype=getattr(xp, self.dtype))

    def __str__(self) -> str:
        return f"{self.library}-{self.dtype}"


BACKENDS = [
    Backend("numpy", "float64"),
    Backend("numpy", "float32"),
    Backend("torch", "float64"),
    Backend("torch", "float32"),
    Backend("array_api_strict", "float64"),
]
backends = pytest.mark.parametrize("backend", BACKENDS, ids=str)


def lesson() -> tuple[np.ndarray, np.ndarray]:
    """The lesson's data: 2,000 points of sin(x) on [−π, π]."""
    x = np.linspace(-np.pi, np.pi, 2000)
    return x, np.sin(x)


def _noisy(x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    u = (x - x.mean()) / (np.ptp(x) or 1)
    return x, np.cos(4 * u) + u + 0.1 * np.random.default_rng(seed).standard_normal(len(x))


def data_sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Kinds of x that have broken fits before, 400 rows each."""
    rng = np.random.default_rng(20)
    x, y = lesson()
    return {
        "lesson": (x[::5], y[::5]),
        "uniform": _noisy(rng.uniform(-1, 3, 400), 1),
        "epoch seconds": _noisy(1.6e9 + np.sort(rng.uniform(0, 1e7, 400)), 2),
        "integers": _noisy(rng.integers(0, 30, 400).astype(float), 3),
        "log-normal": _noisy(rng.lognormal(0, 1.5, 400), 4),
        "far cluster": _noisy(np.r_[rng.uniform(0, 1, 399), 1000.0], 5),
    }
