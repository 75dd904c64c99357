"""A Fit in words: the equation with its errors in the last digits, and the table below it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from polydescent.arrays import to_host
from polydescent.descent.outcome import Outcome
from polydescent.regression.evidence import is_weighted
from polydescent.sealed.document import reported

if TYPE_CHECKING:
    from polydescent.least_squares.estimate import Estimate
    from polydescent.regression.fit import Fit


def describe(fit: Fit) -> str:
    """Several lines for `print(fit)`: equation, what was used, quality, coefficients.

    A descent that has not arrived says so first, and shows no errors: they are those of least
    squares.
    """
    lines = [headline(fit), *(f"{name}: {text}" for name, text in notes(fit))]
    if fit.outcome.is_unfinished:
        return "\n".join([*unfinished(fit), *lines, comparison(fit)])
    return "\n".join([*lines, table(fit)])


def unfinished(fit: Fit) -> list[str]:
    """Where a descent stands that has not arrived: outcome and excess, and what to do about it."""
    far = ", far from least squares" if fit.is_far else ""
    return [f"{fit.outcome.value}: {excess(fit)}{far}", fit.advice]


def excess(fit: Fit) -> str:
    """How far the loss is above the lowest, in words."""
    if not math.isfinite(fit.loss):
        return "the loss overflowed"
    if not fit.lowest_loss:
        return f"loss {fit.loss:.4g} where 0 is possible"
    if fit.excess > 10:
        return f"loss {1 + fit.excess:.4g} times the lowest"
    return f"loss {100 * fit.excess:.4g} % above the lowest"


def headline(fit: Fit, style: str = "plain") -> str:
    """The equation with standard errors in the last digits: 1.2346(12) is 1.2346 ± 0.0012; without
    those of a descent that has not arrived.
    """
    return fit.equation(style, errors=True)


def notes(fit: Fit) -> list[tuple[str, str]]:
    """(name, text) of what was used, how well it fits, and by which formulas."""
    found = [("rows", _rows(fit)), ("x", _x(fit))]
    if held := str(fit.least_squares.constraints):
        found.append(("held", held))
    if fit.least_squares.constraints.shape:
        found.append(("shape", shape(fit)))
    found.append(("loss", f"{fit.loss:.9g}, {_how(fit)}"))
    if fit.scale is not None:
        found.append(("scale", f"{fit.scale:.6g}, {fit.discounted:,} rows count less than half"))
    found.extend(("caution", text) for text in fit.cautions)
    if fit.outcome.is_unfinished:
        found.append(("lowest loss", f"{fit.lowest_loss:.9g}"))
        found.append(("R²", f"{fit.r2:.9g}, of least squares {_best_r2(fit):.9g}"))
        return found
    found.append(("standard errors", formula(fit)))
    if fit.judgment is not None and fit.judgment.loss is not None:
        found.append(("degrees of freedom", f"{fit.degrees_of_freedom:,}"))
        if fit.judgment.weighs is not None:
            found.append(("R²", f"{fit.r2:.9g}, of the rows as weighed"))
        return found
    found.append(
        ("residual sd", f"{fit.residual_sd:.6g}, degrees of freedom {fit.degrees_of_freedom:,}")
    )
    if fit.absolute_sigma:
        freedom = f"{fit.degrees_of_freedom:,} degrees of freedom"
        found.append(("χ²", f"{fit.chi2:.6g} on {freedom}, p = {fit.chi2_p:.4g}"))
    found.append(("R²", f"{fit.r2:.9g}, adjusted {fit.adjusted_r2:.9g}"))
    found.append(("AIC, AICc, BIC", f"{fit.aic:.6g}, {fit.aicc:.6g}, {fit.bic:.6g}"))
    return found


def shape(fit: Fit) -> str:
    """What was asked of the curve all over its domain, and where that holds it."""
    held, domain = fit.least_squares.constraints, fit.summary.domain
    places = [fit.axis.label(domain.mid + domain.half_width * u) for _, u in held.touched]
    at = [f"at x = {', '.join(places)}"] if places else []
    at += [f"x^{power} at its bound {value:.6g}" for power, value in held.bound]
    found = f"touched {'; '.join(at)}" if at else "the free curve obeys"
    return f"{held.shape}, on this domain: {found}"


def formula(fit: Fit) -> str:
    """How the standard errors were computed, with how the weights enter."""
    touched = fit.least_squares.constraints.touched or fit.least_squares.constraints.bound
    return _formula(fit) + (", given what is touched" if touched else "")


def _formula(fit: Fit) -> str:
    weighted = is_weighted(fit)
    W = "W" if weighted else ""
    if fit.judgment is not None and fit.degrees_of_freedom > 0:
        weights = ", V and r weighed by √W, W = the weights of the squares" if weighted else ""
        return f"{fit.judgment.formula}{weights}"
    if fit.absolute_sigma:
        return f"(Vᵀ{W}V)⁻¹ with W = 1/σ², σ known: normal quantiles"
    if fit.degrees_of_freedom < 1:
        return "unknown: as many coefficients as rows"
    how = f"s²·(Vᵀ{W}V)⁻¹, s² = loss/(n − k) = {fit.residual_sd**2:.6g}"
    return how + (", W = the weights of the squares" if weighted else "")


def table(fit: Fit, level: float = 0.95) -> str:
    """One line for each coefficient: term, value, standard error, confidence interval."""
    interval = to_host(fit.confidence_interval(level))
    lines = [f"{'term':<6}{'coefficient':>17}{'std. error':>14}   {100 * level:g} % interval"]
    for power, value in enumerate(to_host(fit.coef)):
        low, high = interval[power]
        error = to_host(fit.stderr)[power]
        held = any(power == fixed for fixed, _ in fit.least_squares.constraints.coefficients)
        spread = f"{error:>14.6g}   [{low:.6g}, {high:.6g}]" if not held else f"{'held':>14}"
        lines.append(f"{_term(fit, power):<6}{value:>17.10g}{spread}")
    return "\n".join(lines)


def comparison(fit: Fit) -> str:
    """One line for each coefficient of a descent that has not arrived: reached and best."""
    lines = [f"{'term':<6}{'coefficient':>17}{'least squares':>17}"]
    best = fit.least_squares.powers
    for power, value in enumerate(to_host(fit.coef)):
        lines.append(f"{_term(fit, power):<6}{value:>17.10g}{best[power]:>17.10g}")
    return "\n".join(lines)


def statistics(fit: Fit, level: float = 0.95) -> dict[str, Any]:
    """The same as numbers, for JSON; None for what is not finite."""
    numbers = {
        "stderr": to_host(fit.stderr).tolist(),
        "confidence_level": level,
        "confidence_interval": to_host(fit.confidence_interval(level)).tolist(),
        "covariance": to_host(fit.covariance).tolist(),
        "degrees_of_freedom": fit.degrees_of_freedom,
        "residual_sd": fit.residual_sd,
        "chi2": fit.chi2,
        "chi2_p": fit.chi2_p,
        "adjusted_r2": fit.adjusted_r2,
        "aic": fit.aic,
        "aicc": fit.aicc,
        "bic": fit.bic,
        "refined": fit.is_refined,
        "digits": fit.digits,
        "standard_errors": formula(fit),
        "loss_function": "squares" if fit.judgment is None else fit.judgment.word,
        "scale": fit.scale,
        "discounted": fit.discounted,
        "rows_omitted": fit.summary.omitted,
        "held": str(fit.least_squares.constraints) or None,
        "shape": shape(fit) if fit.least_squares.constraints.shape else None,
        "roots": [_estimate(root) for root in fit.roots()],
        "extrema": [
            {"kind": e.kind, "x": _estimate(e.x), "value": _estimate(e.value)}
            for e in fit.extrema()
        ],
    }
    return reported(numbers)


def _estimate(found: Estimate) -> dict[str, Any]:
    value = str(found.value) if found.axis.is_dates else found.value
    touches = {"touches": True} if getattr(found, "touches", False) else {}  # of a Root
    return {"value": value, "stderr": found.stderr} | touches


def _term(fit: Fit, power: int) -> str:
    x = "t" if fit.axis.is_dates else "x"
    return ("1", x)[power] if power < 2 else f"{x}^{power}"


def _rows(fit: Fit) -> str:
    parts = [f"{fit.n:,} used"]
    if fit.summary.omitted:
        parts.append(f"{fit.summary.omitted:,} omitted for missing values")
    if fit.rows is not None and fit.rows.total > fit.rows.counting == fit.n:
        parts.append(f"{fit.rows.total - fit.n:,} of weight 0")
    return ", ".join(parts)


def _x(fit: Fit) -> str:
    lo, hi = map(fit.axis.label, (fit.summary.domain.lo, fit.summary.domain.hi))
    ends = f"from {lo} to {hi}"
    if fit.axis.is_durations:
        return f"{ends} {fit.axis.unit}s, coefficients are per {fit.axis.unit}"
    if not fit.axis.is_dates:
        return ends
    return f"{ends}; t = {fit.axis.unit}s since {fit.axis}, coefficients are per {fit.axis.unit}"


def _how(fit: Fit) -> str:
    """How the loss came to be."""
    loss = None if fit.judgment is None else fit.judgment.loss
    if fit.judgment is None or loss is None:
        return f"{fit.outcome.value}{_refined(fit)}"
    passes = "one pass" if fit.judgment.passes == 1 else f"{fit.judgment.passes:,} passes"
    if fit.judgment.weighs is None:
        return f"Σ of tilted |residuals|, {fit.judgment.word}, exact in {passes}"
    return f"squares of the rows as weighed by {fit.judgment.word}, settled in {passes}"


def _refined(fit: Fit) -> str:
    if fit.outcome is not Outcome.EXACT:
        return ""
    return ", refined: coefficients are exact, rounded once" if fit.is_refined else ", not refined"


def _best_r2(fit: Fit) -> float:
    return 1 - fit.lowest_loss / fit.least_squares.tss if fit.least_squares.tss else math.nan
