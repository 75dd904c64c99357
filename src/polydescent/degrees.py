"""Which degree? Every degree from one triangle: loss, residual sd, criteria, leave-one-out."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from polydescent.arrays import in_double, to_host
from polydescent.basis import CHEBYSHEV, design_matrix
from polydescent.frames import frame
from polydescent.sources import Rows
from polydescent.summary import Summary, determines

_BLOCK = 1 << 16
_EXACT = 1e-28  # share of Σ y² below which a loss is rounding: such degrees fit equally well


@dataclass(frozen=True)
class Criteria:
    """What a loss says about a model with `parameters` free coefficients on n rows.

    With L the largest likelihood of normal errors, and the variance counted as one parameter more:
    aic = −2 ln L + 2p, aicc = aic + 2p(p + 1)/(n − p − 1), bic = −2 ln L + p ln n, as in R.
    log_weights: Σ ln ω. known_variance: the weights are 1/σ², only coefficients are estimated.
    """

    loss: float
    n: int
    parameters: int
    log_weights: float = 0.0
    known_variance: bool = False

    @property
    def _deviance(self) -> float:
        """−2 ln L."""
        if self.known_variance:
            return self.loss + self.n * math.log(2 * math.pi) - self.log_weights
        if not self.loss > 0:
            return -math.inf
        variance = math.log(self.loss) - math.log(self.n)  # loss / n may be below float64
        return self.n * (math.log(2 * math.pi) + variance + 1) - self.log_weights

    @property
    def _p(self) -> int:
        return self.parameters + (not self.known_variance)

    @property
    def aic(self) -> float:
        return self._deviance + 2 * self._p

    @property
    def aicc(self) -> float:
        left = self.n - self._p - 1
        return self.aic + 2 * self._p * (self._p + 1) / left if left > 0 else math.inf

    @property
    def bic(self) -> float:
        return self._deviance + self._p * math.log(self.n)


@dataclass(frozen=True, eq=False)
class Degrees:
    """One row for each degree, as arrays of shape (D + 1,), and the degree to take.

    loss: in units of y². residual_sd: in units of y (of one row of weight 1), NaN without degrees
    of freedom. loo: in the same unit, root mean square of the residuals, times √weight, that each
    row leaves when it is not used itself, NaN without rows.
    pick: the lowest AICc; among degrees that fit to rounding, the lowest degree. runner_up: next.
    """

    degree: np.ndarray
    loss: np.ndarray
    residual_sd: np.ndarray
    adjusted_r2: np.ndarray
    aicc: np.ndarray
    bic: np.ndarray
    loo: np.ndarray
    pick: int
    runner_up: int | None

    def to_dict(self) -> dict[str, object]:
        """Plain lists and numbers, by name; None for what is not finite."""

        def plain(value: object) -> object:
            if isinstance(value, np.ndarray):
                return [plain(v) for v in value.tolist()]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    def to_frame(self) -> Any:
        """The table as a pandas.DataFrame, one row for each degree. Raises MissingExtra."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        columns = {name: v for name, v in found.items() if isinstance(v, np.ndarray)}
        return frame(columns).set_index("degree")

    def __str__(self) -> str:
        """A table of 80 columns; differences of criteria matter, so these show no exponents."""
        names = ("degree", "loss", "residual sd", "adj. R²", "AICc", "BIC", "loo")
        lines = ["{:>6}{:>11}{:>12}{:>10}{:>12}{:>12}{:>10}".format(*names)]
        for i, degree in enumerate(self.degree):
            fits = f"{degree:>6}{self.loss[i]:>11.5g}{self.residual_sd[i]:>12.5g}"
            adjusted = round(float(self.adjusted_r2[i]), 6) + 0.0  # no −0
            criteria = f"{adjusted:>10.6f}{self.aicc[i]:>12.1f}{self.bic[i]:>12.1f}"
            mark = {self.pick: " ← pick", self.runner_up: " ← next"}.get(i, "")
            lines.append(f"{fits}{criteria}{self.loo[i]:>10.4g}{mark}")
        return "\n".join(lines)


def degree_table(
    summary: Summary, rows: Rows | None = None, known_variance: bool = False
) -> Degrees:
    """All degrees from 0 to the summary's, or to the highest that its rows determine.

    rows: all that the summary holds, for leave-one-out; None where they are not at hand.
    known_variance: as in `Criteria`.
    """
    highest = _highest(summary)
    summary = summary.lower(highest)
    degrees = np.arange(highest + 1)
    dropped = np.append(summary.z[1:] ** 2, summary.rss)
    loss = np.cumsum(dropped[::-1])[::-1]
    freedom = (summary.n - degrees - 1).astype(float)
    freedom[freedom <= 0] = math.nan
    logs = 0.0 if rows is None else log_weights(rows)
    found = [Criteria(float(v), summary.n, d + 1, logs, known_variance) for d, v in enumerate(loss)]
    aicc = np.array([c.aicc for c in found])
    square = float(summary.triangle[:, -1] @ summary.triangle[:, -1])
    pick, runner_up = _best(aicc, (loss <= _EXACT * square) & (freedom > 0))
    spread = summary.tss / (summary.n - 1) if summary.n > 1 else math.nan
    return Degrees(
        degrees,
        loss,
        np.sqrt(loss / freedom),
        1 - loss / freedom / spread if spread else np.full(len(loss), math.nan),
        aicc,
        np.array([c.bic for c in found]),
        np.full(len(loss), math.nan) if rows is None else leave_one_out(summary, rows),
        pick,
        runner_up,
    )


def _highest(summary: Summary) -> int:
    """The highest degree that the rows determine."""
    for degree in range(min(summary.degree, summary.n - 1), 0, -1):
        if determines(summary.R[: degree + 1, : degree + 1]):
            return degree
    return 0


def _best(aicc: np.ndarray, exact: np.ndarray) -> tuple[int, int | None]:
    """(pick, runner-up): beyond the first exact degree, more terms fit nothing but rounding."""
    last = int(np.argmax(exact)) if exact.any() else len(aicc) - 1
    order = np.argsort(aicc[: last + 1], kind="stable")
    if exact.any():
        order = np.append(last, order[order != last])
    return int(order[0]), int(order[1]) if len(order) > 1 else None


def log_weights(rows: Rows) -> float:
    """Σ ln ω over the rows that count."""
    if rows.weights is None:
        return 0.0
    weights = to_host(rows.weights)
    return float(np.log(weights[weights > 0]).sum())


def leave_one_out(summary: Summary, rows: Rows) -> np.ndarray:
    """Root mean square of √ω·r/(1 − h) for each degree, shape (degree + 1,).

    ω: weights; r: residuals; h: leverages, the squares of the row of V·R⁻¹. No row is fitted twice.
    """
    inverse = np.linalg.solve(summary.R, np.eye(summary.degree + 1))
    total = np.zeros(summary.degree + 1)
    for start in range(0, rows.n, _BLOCK):
        some = rows.chosen(slice(start, start + _BLOCK))
        omega = np.ones(some.n) if some.weights is None else to_host(some.weights)
        use = omega > 0
        x, y, omega = to_host(in_double(some.x))[use], to_host(some.y)[use], omega[use]
        Q = design_matrix(CHEBYSHEV, summary.domain.to_unit(x), summary.degree) @ inverse
        leverage = omega[:, None] * np.cumsum(Q * Q, axis=1)
        residual = y[:, None] - np.cumsum(Q * summary.z, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = residual / np.where(leverage < 1 - 1e-12, 1 - leverage, math.nan)
        total += (omega[:, None] * left * left).sum(axis=0)
    return np.sqrt(total / rows.counting)
