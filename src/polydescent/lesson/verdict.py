"""What no lesson says of its programs: how far they are from the best curve, and what is left."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polydescent.descent.forecast import Forecast
from polydescent.descent.optimizers import GradientDescent
from polydescent.lesson.program import Program
from polydescent.polynomial.basis import POWER
from polydescent.polynomial.text import equation
from polydescent.regression.verbs import summarize

_CUBIC = np.eye(4)
# The dynamic program draws one of three curves at each step; e is the weight of x⁴, and of x⁵.
_DRAWN = [np.diag([1.0, 1, 1, 1, terms > 4, terms > 5])[:, [0, 1, 2, 3, 4]] for terms in (4, 5, 6)]
_DRAWN[2][5, 4] = 1
_ROUNDING = 1e-12  # of the largest weight
_BY_THE_GRADIENT = ("numpy", "tensor", "autograd", "nn", "module")
_OPTIMIZERS = dict.fromkeys(_BY_THE_GRADIENT, "GradientDescent") | {"optim": "RMSprop"}


@dataclass(frozen=True, eq=False)
class Verdict:
    """A run of a program, judged on the rows it was run on.

    Attributes
    ----------
    program : what was run.
    loss : Σ (y − f(x))² at its last weights, in units of y²; the mean of its curves where the
        program draws one at random; NaN where it diverged.
    lowest_loss : what no weights are below.
    best : the weights that reach it, of 1, x, x², …, shape (k,).
    forecast : of more steps from its last weights, where it descends by the gradient alone.
    """

    program: Program
    loss: float
    lowest_loss: float
    best: np.ndarray
    forecast: Forecast | None

    @classmethod
    def of(cls, program: Program, variables: Mapping[str, Any]) -> Verdict:
        """Of a program that was run, with its variables."""
        x, y, w = variables["x"], variables["y"], weights_of(program.name, variables)
        curves = _DRAWN if program.name == "dynamic" else [_CUBIC]
        R, z, rss = summarize(x, y, len(curves[0]) - 1).triangle.least_squares(POWER)
        A = np.concatenate([R @ S for S in curves]) / math.sqrt(len(curves))
        b = np.concatenate([z] * len(curves)) / math.sqrt(len(curves))
        best = np.linalg.lstsq(A, b)[0]

        def loss(w: np.ndarray) -> float:
            with np.errstate(over="ignore", invalid="ignore"):
                return float(np.square(A @ w - b).sum() + rss)

        forecast = None
        if program.name in _BY_THE_GRADIENT:
            start = w if np.isfinite(w).all() else np.zeros(4)
            forecast = Forecast.of(A, b, rss, GradientDescent(program.learning_rate), start)
        return cls(program, loss(w), loss(best), best, forecast)

    @property
    def excess(self) -> float:
        """How far the loss is above the lowest, relative to it."""
        return self.loss / self.lowest_loss - 1 if self.lowest_loss else math.nan

    @property
    def one_line(self) -> str:
        """The same walk with this library; the best curve where its steps are of another kind."""
        if self.program.name not in _OPTIMIZERS:
            return f"fit(x, y, degree={5 if self.program.name == 'dynamic' else 3})"
        optimizer = f"{_OPTIMIZERS[self.program.name]}({self.program.learning_rate:g})"
        return f"descend(x, y, degree=3, optimizer={optimizer}, steps={self.program.steps})"

    @property
    def best_equation(self) -> str:
        """The curve that is not to be beaten, as the program prints its own."""
        weights = np.where(np.abs(self.best) < _ROUNDING * np.abs(self.best).max(), 0, self.best)
        if self.program.name != "dynamic":
            return equation(weights)
        return f"{equation(weights[:4])} + {weights[4]:.6g} (x^4 ? + x^5 ?)"

    def facts(self) -> dict[str, Any]:
        """What it says, by name, as plain numbers."""
        found: dict[str, Any] = {
            "loss": self.loss,
            "lowest_loss": self.lowest_loss,
            "excess": self.excess,
            "best": self.best_equation,
            "learning_rate": self.program.learning_rate,
        }
        if self.forecast is not None:
            found["largest_stable_rate"] = self.forecast.largest_stable_rate
            if math.isfinite(self.loss):
                found["steps_to_1_percent"] = self.forecast.steps_to(0.01)
        return found | {"polydescent": self.one_line}

    def lines(self) -> list[tuple[str, str]]:
        """The same for people: name and value."""
        arrived = math.isfinite(self.loss)
        found = [
            ("loss after the last step", f"{self.loss:.6g}" if arrived else "none: it diverged"),
            ("lowest loss possible", f"{self.lowest_loss:.6g}, of {self.best_equation}"),
        ]
        if math.isfinite(self.excess):
            found.append(("excess", f"{100 * self.excess:.3g} %"))
        if self.forecast is not None:
            limit, rate = self.forecast.largest_stable_rate, self.program.learning_rate
            found.append(
                ("largest stable rate", f"{limit:.4g}; this one is {rate / limit:.2g} of it")
            )
            if arrived and rate < limit:
                more = self.forecast.steps_to(0.01)
                fast = replace(self.forecast, optimizer=self.forecast.best).steps_to(0.01)
                left = f"{more:,} more; {fast:,} at the fastest rate, {self.forecast.best_rate:.3g}"
                found.append(("steps to 1 % excess", left if more else "none left"))
        walk = (
            "the same walk here" if self.one_line.startswith("descend") else "the best curve here"
        )
        return [*found, (walk, self.one_line)]


def weights_of(name: str, variables: Mapping[str, Any]) -> np.ndarray:
    """The weights that a program ended with: of 1, x, x², … and, of the dynamic one, of e."""
    a, b, c, d, e = (_number(variables.get(weight, 0.0)) for weight in "abcde")
    if name == "function":  # b·(5v³ − 3v)/2 at v = c + d·x
        v = np.polynomial.Polynomial([c, d])
        return (a + b * (5 * v**3 - 3 * v) / 2).coef
    return np.array([a, b, c, d, e] if name == "dynamic" else [a, b, c, d])


def _number(weight: Any) -> float:
    """A weight that may be a tensor, recorded or not."""
    return float(weight.detach() if hasattr(weight, "detach") else weight)
