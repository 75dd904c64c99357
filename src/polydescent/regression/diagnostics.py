"""What a careful statistician asks of a fit: rows that pull it, and whether its errors can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.arrays import Array, in_double, to_host
from polydescent.descent.outcome import Outcome
from polydescent.errors import BadCall, RowsNotHeld
from polydescent.frames import frame
from polydescent.polynomial.basis import CHEBYSHEV, design_matrix
from polydescent.regression.evidence import Evidence, all_rows

if TYPE_CHECKING:
    from polydescent.rows.rows import Rows

_SHARE = 0.05  # of samples of good rows in which a question is answered with no
_PULLING = 0.5  # Cook's distance from which a row is named
_NAMED = 5


@dataclass(frozen=True, eq=False, repr=False)
class Diagnostics:
    """How much each row weighs in a fit, and what the residuals say of its assumptions.

    With r = √ω·(y − f(x)), s² = Σ r²/(n − k) and h the leverage. Arrays have one value for each
    row that was passed, shape (m,), of the kind of the data; NaN for rows of weight or count 0. A
    row that was seen c times counts as c rows, and its values are those of one of them.

    Attributes
    ----------
    leverage
        h = ω·v·(VᵀWV)⁻¹·vᵀ, from 0 to 1: the share of its own fitted value that a row sets.
    internal
        r / (s·√(1 − h)): residuals that all have one variance.
    external
        The same with s from the other rows: Student's t with n − k − 1 degrees of freedom.
    cooks_distance
        internal²·h / ((1 − h)·k): how far the curve moves without the row.
    durbin_watson
        Σ (r[i+1] − r[i])² / Σ r² in the order of the rows: 2 where neighbors know nothing of each
        other, towards 0 where they are alike.
    durbin_watson_by_x
        The same in the order of x: low too where the curve misses a bend.
    breusch_pagan, breusch_pagan_p
        n·R² of r² regressed on the powers of x (Koenker's form), and how probable a larger one is
        if the variance is the same everywhere; NaN at degree 0.
    lack_of_fit, lack_of_fit_p
        F: what the curve misses of the means at each x, over the scatter about those means, each
        per degree of freedom, and how probable a larger one is if the curve is right. NaN where no
        x repeats, or too few differ.
    outliers
        Row numbers, from 0, whose external residual is beyond what 5 % of samples of good rows have
        anywhere, the farthest first.
    influential
        Row numbers of a Cook's distance above 0.5, the largest first.
    n, k
        Rows, and coefficients fitted.
    residuals
        r of every row, shape (m,), in float64 on the host.
    x
        Of every row, shape (m,), in the units of the data's x.
    """

    leverage: Array
    internal: Array
    external: Array
    cooks_distance: Array
    durbin_watson: float
    durbin_watson_by_x: float
    breusch_pagan: float
    breusch_pagan_p: float
    lack_of_fit: float
    lack_of_fit_p: float
    outliers: tuple[int, ...]
    influential: tuple[int, ...]
    n: int
    k: int
    residuals: np.ndarray
    x: Any

    def to_frame(self) -> Any:
        """One line for each row, as a pandas.DataFrame.

        Returns
        -------
        pandas.DataFrame
            Columns x, residual (times √weight), leverage, internal, external, cooks_distance.

        Raises
        ------
        MissingExtra
            Without pandas.
        """
        names = ("leverage", "internal", "external", "cooks_distance")
        values = {name: to_host(getattr(self, name)) for name in names}
        return frame({"x": self.x, "residual": self.residuals} | values)

    def to_dict(self) -> dict[str, Any]:
        """The numbers that are not of single rows, by name, with the rows that are named."""
        names = [f.name for f in fields(self) if f.name != "x" and "rray" not in str(f.type)]
        found = {name: getattr(self, name) for name in names}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}

    def __str__(self) -> str:
        lines = [f"Diagnostics of {self.n:,} rows, {self.k} coefficients fitted"]
        for question, found, advice in self._answers():
            lines += [f"{question} {found}", *([f"    {advice}"] if advice else [])]
        return "\n".join(lines)

    def __repr__(self) -> str:
        named = len({*self.outliers, *self.influential})
        return f"<Diagnostics of {self.n:,} rows, {named} named>"

    def _answers(self) -> list[tuple[str, str, str]]:
        """(question, what was found, what to do) each."""
        top = float(np.nanmax(to_host(self.leverage), initial=0.0))
        heavy = int((to_host(self.leverage) > 3 * self.k / self.n).sum())
        found = [
            (
                "Does a row stand apart?",
                _named(self.outliers, to_host(self.external), "studentized"),
                "Look at it: repair or remove what is wrong, and fit with and without."
                if self.outliers
                else "",
            ),
            (
                "Does a row pull the curve?",
                _named(self.influential, to_host(self.cooks_distance), "Cook's distance"),
                "Fit without it, and say how far the curve moves." if self.influential else "",
            ),
            (
                "Do few rows hold an end?",
                f"{heavy or 'None'} with a leverage above 3k/n, the largest {top:.3g}.",
                "More rows there, or a lower degree." if top > _PULLING else "",
            ),
        ]
        for where, ratio in (("row order", self.durbin_watson), ("x", self.durbin_watson_by_x)):
            z = (2 - ratio) * math.sqrt(self.n) / 2
            alike = abs(z) > 2.58
            advice = "The true errors are larger than shown, or the curve misses a bend: try more "
            found.append(
                (
                    f"Are neighbors in {where} alike?",
                    f"{'Yes' if alike else 'No'}: Durbin-Watson {ratio:.4g} (2 where not).",
                    advice + "degrees." if alike else "",
                )
            )
        found.append(
            (
                "Does the scatter change with x?",
                _probable(self.breusch_pagan, self.breusch_pagan_p, "Breusch-Pagan"),
                "Pass weights= or sigma=." if self.breusch_pagan_p < _SHARE else "",
            )
        )
        found.append(
            (
                "Does the curve miss the means where x repeats?",
                _probable(self.lack_of_fit, self.lack_of_fit_p, "lack-of-fit F"),
                "Raise the degree." if self.lack_of_fit_p < _SHARE else "",
            )
        )
        return found


def _named(rows: tuple[int, ...], values: np.ndarray, what: str) -> str:
    if not rows:
        return f"No ({what})."
    told = ", ".join(f"{i:,} ({values[i]:.3g})" for i in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
    return f"Yes: row{'s' * (len(rows) > 1)} {told}{more}, {what}, counted from 0."


def _probable(value: float, p: float, what: str) -> str:
    if math.isnan(value):
        return "These rows cannot tell."
    return f"{'Yes' if p < _SHARE else 'No'}: {what} {value:.4g}, p = {p:.3g}."


def diagnose(fit: Evidence) -> Diagnostics:
    """The diagnostics of exact least squares with all rows at hand.

    Raises RowsNotHeld, and BadCall after a descent or without degrees of freedom.
    """
    rows = all_rows(fit)
    if rows is None:
        held = 0 if fit.rows is None else fit.rows.n
        raise RowsNotHeld("diagnostics", held, fit.n)
    if fit.outcome is not Outcome.EXACT:
        raise BadCall("Diagnostics are of exact least squares: use fit(…) with the same rows.")
    freedom, k = fit.degrees_of_freedom, fit.least_squares.free
    if freedom < 2:
        raise BadCall(f"Diagnostics need 2 degrees of freedom or more, found {freedom}.")
    x, y = to_host(in_double(rows.x)), to_host(in_double(rows.y))
    omega, counts = _or_ones(rows.weights, rows.n), _or_ones(rows.counts, rows.n)
    there = (omega > 0) & (counts > 0)
    x, y, omega, counts = x[there], y[there], omega[there], counts[there]
    V = design_matrix(CHEBYSHEV, fit.summary.domain.to_unit(x), fit.degree)
    leverage = omega * ((V @ fit.least_squares.factor) ** 2).sum(axis=1)
    left = y - fit.curve(x)
    r = np.sqrt(omega) * left
    variance = fit.lowest_loss / freedom
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = np.where(leverage < 1 - 1e-12, 1 - leverage, math.nan)
        internal = r / np.sqrt(variance * alone)
        others = (freedom - internal**2) / (freedom - 1)
        external = internal / np.sqrt(np.where(others > 0, others, 0.0))
        cooks = internal**2 * leverage / (alone * max(k, 1))

    def whole(values: np.ndarray) -> np.ndarray:
        full = np.full(rows.n, math.nan)
        full[there] = values
        return full

    from polydescent.least_squares.student import quantile

    limit = quantile(1 - _SHARE / fit.n, freedom - 1)
    put = fit.summary.kind.put
    full_external, full_cooks = whole(external), whole(cooks)
    pagan, pagan_p = _breusch_pagan(V, r, counts)
    lack, lack_p = _lack_of_fit(x, y, left, omega * counts, fit.n, k)
    return Diagnostics(
        put(whole(leverage)),
        put(whole(internal)),
        put(full_external),
        put(full_cooks),
        _durbin_watson(r, counts),
        _durbin_watson(r[order := np.argsort(x, kind="stable")], counts[order]),
        pagan,
        pagan_p,
        lack,
        lack_p,
        _beyond(np.abs(full_external), limit),
        _beyond(full_cooks, _PULLING),
        fit.n,
        k,
        whole(r),
        _as_passed(fit, rows),
    )


def _or_ones(column: Array | None, n: int) -> np.ndarray:
    return np.ones(n) if column is None else to_host(in_double(column))


def _as_passed(fit: Evidence, rows: Rows) -> Any:
    x = to_host(rows.x)
    return x if fit.axis.is_plain else [fit.axis.place(value) for value in x]


def _beyond(values: np.ndarray, limit: float) -> tuple[int, ...]:
    """The places above the limit, the largest first."""
    found = np.flatnonzero(values > limit)
    return tuple(found[np.argsort(-values[found], kind="stable")].tolist())


def _durbin_watson(r: np.ndarray, counts: np.ndarray) -> float:
    """Copies of a row follow each other, and do not differ."""
    square = (counts * r * r).sum()
    return float((np.diff(r) ** 2).sum() / square) if square else math.nan


def _breusch_pagan(V: np.ndarray, r: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    from polydescent.least_squares.student import chi2_tail

    size, largest = np.sqrt(counts), np.abs(r).max()
    if V.shape[1] < 2 or not largest:
        return math.nan, math.nan
    square = (r / largest) ** 2
    about = square - (counts * square).sum() / counts.sum()
    Q = np.linalg.qr(size[:, None] * V)[0]
    total = (counts * about**2).sum()
    if not total:
        return math.nan, math.nan
    value = float(counts.sum() * ((Q.T @ (size * about)) ** 2).sum() / total)
    return value, chi2_tail(value, V.shape[1] - 1)


def _lack_of_fit(
    x: np.ndarray, y: np.ndarray, left: np.ndarray, omega: np.ndarray, n: int, k: int
) -> tuple[float, float]:
    """(F, p). left: y − f(x), which differs from y by the same at equal x."""
    places, which = np.unique(x, return_inverse=True)
    m = len(places)
    if m <= k or n <= m:
        return math.nan, math.nan
    total = np.bincount(which, omega)
    means = np.bincount(which, omega * left) / total
    pure = (omega * (left - means[which]) ** 2).sum() / (n - m)
    missed = (total * means**2).sum() / (m - k)
    if not pure > 0:
        return math.nan, math.nan
    from scipy import special

    value = float(missed / pure)
    return value, float(special.fdtrc(m - k, n - m, value))
