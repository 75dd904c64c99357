"""Which degree? Every degree from one pass: loss, residual sd, criteria, rows left out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

from polydescent.arrays import in_double, to_host
from polydescent.checks import one_of, whole
from polydescent.errors import NeedsFiles, NeedsRows, TooManyParts
from polydescent.frames import frame
from polydescent.least_squares.folds import MOST_PARTS, cross_validation
from polydescent.least_squares.refine import Refined
from polydescent.least_squares.solution import solve
from polydescent.polynomial.basis import CHEBYSHEV, design_matrix
from polydescent.rows.rows import Rows
from polydescent.sealed import schema
from polydescent.sealed.document import reported
from polydescent.triangle.triangle import Triangle, determines
from polydescent.visible import html_table

CRITERIA = {"aicc": "AICc", "aic": "AIC", "bic": "BIC", "loo": "loo", "cv": "cv"}
_OF_ROWS = ("loo", "cv")
FILES = "files"  # folds that are there already
_FOLDS = 'a whole number of 2 or more, or "files"'
_BLOCK = 1 << 16
EXACT = 1e-28  # share of Σ y² below which a loss is rounding: such degrees fit equally well


@dataclass(frozen=True)
class Choice:
    """By what a degree is chosen: "aicc", "aic", "bic", "loo" or "cv". folds: of "cv", how many
    parts the rows are dealt into, or "files", of which each is one.
    """

    criterion: str = "aicc"
    folds: int | str = 5

    @classmethod
    def of(cls, criterion: Any = None, folds: Any = None) -> Choice:
        """A choice as a user typed it: folds alone mean "cv". Raises BadSetting, TooManyParts."""
        if criterion is None:
            criterion = "aicc" if folds is None else "cv"
        criterion = one_of("criterion", criterion, CRITERIA)
        if folds is None or (isinstance(folds, str) and folds == FILES):
            folds = 5 if folds is None else FILES
        elif (folds := whole("folds", folds, 2, wanted=_FOLDS)) > MOST_PARTS:
            raise TooManyParts(MOST_PARTS)
        return cls(criterion, folds)

    @property
    def needs_rows(self) -> bool:
        """Whether a summary alone cannot tell."""
        return self.criterion in _OF_ROWS

    def to_record(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse. Raises Misfit."""
        return cls(**_RECORD(found, where))


BY_AICC = Choice()


def _folds_form(found: Any, where: str) -> int | str:
    return found if found == FILES else schema.whole(2)(found, where)


_RECORD = schema.record({"criterion": schema.choice(CRITERIA), "folds": _folds_form})


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

    Attributes
    ----------
    degree
        0 to D.
    loss
        Σ ω·(y − f(x))², in units of y².
    residual_sd
        √(loss / degrees of freedom), in units of y (of one row of weight 1); NaN without degrees of
        freedom.
    adjusted_r2
        1 − residual_sd² over the variance of y; NaN where y is constant.
    aic, aicc, bic
        −2 ln L + 2p, that corrected for few rows, and −2 ln L + p ln n; see `Fit.aic`.
    loo
        Root mean square of the residuals, times √weight, that each row leaves when it is not used
        itself, in units of y; NaN without rows.
    cv
        The same for rows left out a fold at a time; NaN unless asked for.
    pick
        The degree with the lowest value of the criterion; among degrees that fit to rounding, the
        lowest.
    runner_up
        The next; None where there is none.
    criterion
        "aicc", "aic", "bic", "loo" or "cv".
    """

    degree: np.ndarray
    loss: np.ndarray
    residual_sd: np.ndarray
    adjusted_r2: np.ndarray
    aic: np.ndarray
    aicc: np.ndarray
    bic: np.ndarray
    loo: np.ndarray
    cv: np.ndarray
    pick: int
    runner_up: int | None
    criterion: str = "aicc"

    @property
    def name(self) -> str:
        """The criterion as a heading."""
        return CRITERIA[self.criterion]

    def to_dict(self) -> dict[str, object]:
        """Plain lists and numbers, by name; None for what is not finite."""
        return {f.name: reported(getattr(self, f.name)) for f in fields(self)}

    def to_frame(self) -> Any:
        """The table as a pandas.DataFrame, one row for each degree. Raises MissingExtra."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        columns = {name: v for name, v in found.items() if isinstance(v, np.ndarray)}
        return frame(columns).set_index("degree")

    def __repr__(self) -> str:
        following = "" if self.runner_up is None else f", next {self.runner_up}"
        return f"<Degrees 0 to {len(self.degree) - 1}: pick {self.pick} by {self.name}{following}>"

    def _repr_html_(self) -> str:
        """The table, for a notebook."""
        criteria = {"AICc": self.aicc, "BIC": self.bic, self.name: getattr(self, self.criterion)}
        head = ["degree", "loss", "residual sd", "adj. R²", *criteria, ""]
        marks = {self.pick: "← pick", self.runner_up: "← next"}
        lines = [
            [
                degree,
                *(f"{column[i]:.6g}" for column in (self.loss, self.residual_sd, self.adjusted_r2)),
                *(f"{column[i]:.6g}" for column in criteria.values()),
                marks.get(i, ""),
            ]
            for i, degree in enumerate(self.degree.tolist())
        ]
        return html_table(f"Degrees, pick and next by {self.name}", lines, head)

    def __str__(self) -> str:
        """A table of 80 columns; differences of criteria matter, so these show no exponents."""
        first = "aic" if self.criterion == "aic" else "aicc"
        last = "cv" if self.criterion == "cv" else "loo"
        names = ("degree", "loss", "residual sd", "adj. R²", CRITERIA[first], "BIC", last)
        lines = ["{:>6}{:>11}{:>12}{:>10}{:>12}{:>12}{:>10}".format(*names)]
        for i, degree in enumerate(self.degree):
            fits = f"{degree:>6}{self.loss[i]:>11.5g}{self.residual_sd[i]:>12.5g}"
            adjusted = round(float(self.adjusted_r2[i]), 6) + 0.0  # no −0
            criteria = f"{adjusted:>10.6f}{getattr(self, first)[i]:>12.1f}{self.bic[i]:>12.1f}"
            mark = {self.pick: " ← pick", self.runner_up: " ← next"}.get(i, "")
            lines.append(f"{fits}{criteria}{getattr(self, last)[i]:>10.4g}{mark}")
        if self.criterion != "aicc":
            lines.append(f"pick and next by {self.name}")
        return "\n".join(lines)


def degree_table(
    triangle: Triangle,
    rows: Rows | None = None,
    known_variance: bool = False,
    choice: Choice = BY_AICC,
    refined: Refined | None = None,
    leave_out: bool = True,
    held_out: np.ndarray | None = None,
) -> Degrees:
    """All degrees from 0 to the summary's, or to the highest that its rows determine.

    rows: all that the summary holds, for leave-one-out, folds and refinement; None where they are
    not at hand. known_variance: as in `Criteria`. refined: of the same rows at this degree or a
    higher one, without constraints, where it is known already. leave_out: False leaves `loo` NaN
    where the choice needs none. held_out: what the folds of the choice leave at each degree, where
    a pass has found it already. Raises NeedsRows where the choice needs rows and there are none.
    """
    if choice.needs_rows and rows is None and held_out is None:
        raise NeedsRows(choice.criterion)
    highest = _highest(triangle)
    triangle = triangle.lower(highest)
    loss, tss = _losses(triangle, rows, refined)
    degrees = np.arange(highest + 1)
    freedom = (triangle.n - degrees - 1).astype(float)
    freedom[freedom <= 0] = math.nan
    n, logs = triangle.n, triangle.log_weights
    found = [Criteria(float(v), n, d + 1, logs, known_variance) for d, v in enumerate(loss)]
    of = {name: np.array([getattr(c, name) for c in found]) for name in ("aic", "aicc", "bic")}
    of["loo"] = of["cv"] = np.full(len(loss), math.nan)
    if rows is not None and (leave_out or choice.criterion == "loo"):
        of["loo"] = leave_one_out(triangle, rows)
    if choice.criterion == "cv":
        if held_out is None:
            held_out = _by_folds(highest, rows, choice.folds)
        of["cv"] = held_out[: highest + 1]
    exact = (loss <= EXACT * triangle.square) & (freedom > 0)
    pick, runner_up = _best(of[choice.criterion], exact)
    spread = tss / (triangle.n - 1) if triangle.n > 1 else math.nan
    return Degrees(
        degrees,
        loss,
        np.sqrt(loss / freedom),
        1 - loss / freedom / spread if spread else np.full(len(loss), math.nan),
        **of,
        pick=pick,
        runner_up=runner_up,
        criterion=choice.criterion,
    )


def _by_folds(degree: int, rows: Rows | None, folds: int | str) -> np.ndarray:
    """`cross_validation`, where there is something to deal out. Raises NeedsFiles."""
    if rows is None or isinstance(folds, str):
        raise NeedsFiles(1)
    return cross_validation(degree, rows, folds)


def _losses(
    triangle: Triangle, rows: Rows | None, refined: Refined | None
) -> tuple[np.ndarray, float]:
    """(loss of each degree, Σ ω·(y − ȳ)²): as exact as a fit's, from the rows where they are here,
    else from the triangle.
    """
    if refined is None and rows is not None:
        refined = solve(triangle, rows).refined
    if refined is not None:
        return np.array(refined.losses[: triangle.degree + 1]), refined.tss
    dropped = np.append(triangle.z[1:] ** 2, triangle.rss)
    return np.cumsum(dropped[::-1])[::-1], triangle.tss


def _highest(triangle: Triangle) -> int:
    """The highest degree that the rows determine."""
    for degree in range(min(triangle.degree, triangle.n - 1), 0, -1):
        if determines(triangle.R[: degree + 1, : degree + 1]):
            return degree
    return 0


def _best(values: np.ndarray, exact: np.ndarray) -> tuple[int, int | None]:
    """(pick, runner-up): beyond the first exact degree, more terms fit nothing but rounding."""
    last = int(np.argmax(exact)) if exact.any() else len(values) - 1
    order = np.argsort(values[: last + 1], kind="stable")  # NaN comes last
    if exact.any():
        order = np.append(last, order[order != last])
    return int(order[0]), int(order[1]) if len(order) > 1 else None


def leave_one_out(triangle: Triangle, rows: Rows) -> np.ndarray:
    """Root mean square of √ω·r/(1 − h) for each degree, shape (degree + 1,).

    ω: weights; r: residuals; h: leverages, the squares of the row of V·R⁻¹. No row is fitted twice.
    Of a row that stands for several, one is left out.
    """
    inverse = np.linalg.solve(triangle.R, np.eye(triangle.degree + 1))
    total = np.zeros(triangle.degree + 1)
    for start in range(0, rows.n, _BLOCK):
        some = rows.chosen(slice(start, start + _BLOCK))
        omega = np.ones(some.n) if some.weights is None else to_host(some.weights)
        times = np.ones(some.n) if some.counts is None else to_host(some.counts)
        use = (omega > 0) & (times > 0)
        x, y = to_host(in_double(some.x))[use], to_host(some.y)[use]
        omega, times = omega[use], times[use]
        Q = design_matrix(CHEBYSHEV, triangle.domain.to_unit(x), triangle.degree) @ inverse
        leverage = omega[:, None] * np.cumsum(Q * Q, axis=1)
        residual = y[:, None] - np.cumsum(Q * triangle.z, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = residual / np.where(leverage < 1 - 1e-12, 1 - leverage, math.nan)
        total += ((omega * times)[:, None] * left * left).sum(axis=0)
    return np.sqrt(total / triangle.n)
