"""A Fit as JSON and back, every number exact: what it takes to build it again, without its rows."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from polydescent.arrays import KINDS, Kind, to_host
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import KEPT, History
from polydescent.descent.optimizers import OPTIMIZERS, Optimizer
from polydescent.descent.outcome import Outcome
from polydescent.errors import (
    BadSetting,
    Misfit,
    PolydescentError,
)
from polydescent.least_squares.constraints import Constraints, restrict
from polydescent.least_squares.degrees import CRITERIA, FILES, Choice
from polydescent.least_squares.refine import Normal, Refined
from polydescent.least_squares.solution import Solution
from polydescent.polynomial.basis import BASES, Domain
from polydescent.polynomial.curve import Polynomial, nearest_float
from polydescent.regression.summary import Summary
from polydescent.rows.axis import UNITS, Axis
from polydescent.sealed.document import exactly
from polydescent.sealed.schema import (
    Maybe,
    array,
    check,
    choice,
    extended,
    flag,
    matching,
    nullable,
    number,
    pair,
    record,
    series,
    text,
    whole,
)
from polydescent.triangle.triangle import HIGHEST, Triangle

_REACH = 1.3e154  # its square is a float64
_FURTHEST = 2**63  # ticks since 1970 of a date


# ── to and from plain values ─────────────────────────────────────────────────────────────────────


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Plain lists and numbers; Python writes a float with the digits that give it back exactly."""
    domain = None if summary.domain.is_empty else [summary.domain.lo, summary.domain.hi]
    return {
        "triangle": summary.triangle.array.tolist(),
        "domain": domain,
        "n": summary.n,
        "omitted": summary.omitted,
        "kind": asdict(summary.kind),
        "x": summary.x_name,
        "y": summary.y_name,
        "axis": asdict(summary.axis),
        "log_weights": summary.triangle.log_weights,
    }


def summary_form(found: Any, where: str) -> Summary:
    """The inverse of `summary_to_json`. Raises Misfit."""
    values = _SUMMARY(found, where)
    triangle, n, axis = values["triangle"], values["n"], values["axis"]
    empty = values["domain"] is None
    domain = Domain(math.inf, -math.inf) if empty else Domain(*values["domain"])
    check(n > 0 or not triangle.any(), f"{where}.triangle", "0 everywhere, for n is 0", "more")
    check(n == 0 or not empty, f"{where}.domain", "[lo, hi], for n is not 0", None)
    if axis.is_dates and not empty:
        ends = [axis.place(x) for x in values["domain"]]
        check(not np.isnat(ends).any(), f"{where}.domain", "dates", list(values["domain"]))
    kind, omitted = values["kind"], values["omitted"]
    folded = Triangle(triangle, domain, n, values["log_weights"])
    return Summary(folded, kind, omitted, values["x"], values["y"], axis)


def kind_form(found: Any, where: str) -> Kind:
    """Names of a library, a dtype and a device, from closed sets: they decide what is imported."""
    kind = Kind(**_KIND(found, where))
    choice(KINDS[kind.library])(kind.dtype, f"{where}.dtype")
    if kind.library == "numpy":
        choice(("cpu",))(kind.device, f"{where}.device")
        check(hasattr(np, kind.dtype), f"{where}.dtype", "one of this machine", kind.dtype)
    elif kind.library == "torch":  # of the others it is not used
        _DEVICE(kind.device, f"{where}.device")
    return kind


def _triangle(found: Any, where: str) -> np.ndarray:
    """Upper triangular, with a diagonal that is not negative, all squares finite."""
    size = len(found) if type(found) is list else 0
    check(2 <= size <= HIGHEST + 2, where, f"a list of 2 to {HIGHEST + 2} rows", found)
    triangle = array((size, size), number(-_REACH, _REACH))(found, where)
    check(not np.tril(triangle, -1).any(), where, "0 below the diagonal", found)
    check(not (triangle.diagonal() < 0).any(), where, "0 or more on the diagonal", found)
    return triangle


def _domain(found: Any, where: str) -> tuple[float, float]:
    lo, hi = pair(number(), number())(found, where)
    check(lo <= hi, where, "[lo, hi] with lo at most hi", found)
    return lo, hi


def _axis(found: Any, where: str) -> Axis:
    axis = Axis(**_AXIS(found, where))
    here = not (axis.is_durations and axis.origin)
    check(here, f"{where}.origin", "0 where x is a duration", axis.origin)
    reach = _FURTHEST if axis.is_dates else 2**1023
    check(abs(axis.origin) < reach, f"{where}.origin", "in reach", axis.origin)
    return axis


_AXIS = record(
    {
        "origin": whole(-(2**1023), 2**1023),
        "tick": choice(("", "s", "ms", "us", "ns")),
        "unit": choice(("", *UNITS)),
    }
)
_KIND = record({"library": choice(KINDS), "dtype": text, "device": text})
_SUMMARY = record(
    {
        "triangle": _triangle,
        "domain": nullable(_domain),
        "n": whole(),
        "omitted": whole(),
        "kind": kind_form,
        "x": text,
        "y": text,
        "axis": _axis,
        "log_weights": Maybe(number(), 0.0),
    }
)
_DEVICE = matching(r"(cpu|cuda|mps|xpu)(:\d{1,3})?", "a device, such as cpu or cuda:0")


def to_record(
    curve: Polynomial,
    summary: Any,
    solution: Solution,
    outcome: Outcome,
    history: History | None,
    forecast: Forecast | None,
    **plain: Any,
) -> dict[str, Any]:
    """Plain dicts, lists, text and finite numbers; `plain` is kept as it is."""
    return {
        "basis": curve.basis.name,
        "weights": exactly(curve.weights),
        "summary": summary_to_json(summary),
        "solution": _solution_to_record(solution),
        "outcome": outcome.name,
        "history": None if history is None else _history_to_record(history),
        "forecast": None if forecast is None else _forecast_to_record(forecast),
    } | {name: exactly(value) for name, value in plain.items()}


def from_record(found: Any) -> dict[str, Any]:
    """The fields of the Fit that `to_record` was given. Raises Misfit."""
    values = _RECORD(found, "")
    summary, outcome = values["summary"], Outcome[values["outcome"]]
    k = summary.degree + 1
    walked = values["history"] is not None
    check(walked == (outcome not in _WITHOUT_STEPS), "history", f"that of {outcome.name}", walked)
    check(walked == (values["forecast"] is not None), "forecast", "there as history is", walked)
    weights = array((k,), extended)(values["weights"], "weights")
    solution = _solution_form(values["solution"], summary)
    if outcome is Outcome.EXACT:
        same = np.array_equal(weights, solution.weights) and values["loss"] == solution.rss
        check(same, "weights and loss", "those of the solution", weights.tolist())
    history = _history_form(values["history"], k) if walked else None
    forecast = _forecast_form(values["forecast"], k) if walked else None
    if history is not None and forecast is not None:
        last = float(to_host(history.loss)[-1])
        same = values["loss"] == last or (math.isnan(values["loss"]) and math.isnan(last))
        check(same, "loss", "that after the last step", values["loss"])
        diverged = not (math.isfinite(last) and forecast.is_stable)
        check(diverged == (outcome is Outcome.DIVERGED), "outcome", "that of history", outcome.name)
    return {
        "curve": Polynomial(BASES[values["basis"]], summary.domain, weights),
        "summary": summary,
        "loss": values["loss"],
        "solution": solution,
        "outcome": outcome,
        "history": history,
        "forecast": forecast,
        "absolute_sigma": values["absolute_sigma"],
        "choice": values["choice"],
    }


def _any(found: Any, where: str) -> Any:
    """Left for later: its shape depends on another part."""
    return found


_WITHOUT_STEPS = (Outcome.EXACT, Outcome.GIVEN)


def _choice_form(found: Any, where: str) -> Choice:
    return Choice(**_CHOICE(found, where))


def _folds(found: Any, where: str) -> int | str:
    return found if found == FILES else whole(2)(found, where)


_CHOICE = record({"criterion": choice(CRITERIA), "folds": _folds})
_RECORD = record(
    {
        "basis": choice(BASES),
        "weights": _any,
        "summary": summary_form,
        "solution": _any,
        "outcome": choice(Outcome.__members__),
        "history": _any,
        "forecast": _any,
        "loss": extended,
        "absolute_sigma": flag,
        "choice": _choice_form,
    }
)


# ── the parts ──


def _solution_to_record(solution: Solution) -> dict[str, Any]:
    refined = solution.refined
    return {
        "weights": exactly(solution.weights),
        "rss": solution.rss,
        "tss": solution.tss,
        "factor": exactly(solution.factor),
        "fixed": [list(pair) for pair in solution.constraints.fixed],
        "through": [list(pair) for pair in solution.constraints.through],
        "origin": solution.origin,
        "refined": None if refined is None else _refined_to_record(refined),
    }


def _solution_form(found: Any, summary: Summary) -> Solution:
    k = summary.degree + 1
    weights = array((k,))
    forms = {
        "weights": weights,
        "rss": _SQUARES,
        "tss": _SQUARES,
        "factor": _any,
        "fixed": series(pair(whole(0, k - 1), number())),
        "through": series(pair(_place, number())),
        "origin": whole(-(2**1023), 2**1023),
        "refined": _any,
    }
    values = record(forms)(found, "solution")
    powers = [power for power, _ in values["fixed"]]
    points = [x for x, _ in values["through"]]
    check(powers == sorted(set(powers)), "solution.fixed", "rising powers", powers)
    check(len(points) == len(set(points)), "solution.through", "points of different x", points)
    held = Constraints(values["fixed"], values["through"])
    check(len(held) < k, "solution", f"of fewer than {k} constraints", len(held))
    origin = values["origin"]
    check(origin == summary.axis.power_origin, "solution.origin", "that of the axis", origin)
    refined, restricted = values["refined"], None
    try:
        equations = held.equations(summary.domain, summary.degree, origin)
        if held and refined is None:
            restricted = restrict(summary.triangle, equations)
    except PolydescentError as why:
        raise Misfit("solution", "constraints that its summary can obey", str(why)) from None
    if refined is not None:
        refined = _refined_form(refined, k, equations)
        nearest = np.array([nearest_float(w) for w in refined.weights])
        same = np.array_equal(nearest, values["weights"])
        check(same, "solution.weights", "the nearest to the refined ones", nearest.tolist())
    factor = array((k, k - len(held)))(values["factor"], "solution.factor")
    sums = values["rss"], values["tss"]
    solved = values["weights"], summary.domain, *sums, factor, held, origin, refined
    return Solution(*solved, restricted)


def _place(found: Any, where: str) -> int | float:
    """A number, whole ones exactly, however large."""
    large = type(found) is int and abs(found) > 2**53
    return whole(-(2**1023), 2**1023)(found, where) if large else number()(found, where)


def _refined_to_record(refined: Refined) -> dict[str, Any]:
    """Rationals as text such as "1/3", whole numbers of 320 bits and more as text."""
    normal = refined.normal
    return {
        "weights": [str(w) for w in refined.weights],
        "rss": refined.rss,
        "tss": refined.tss,
        "moments": [str(v) for v in normal.moments],
        "gradient": [str(v) for v in normal.gradient],
        "square": str(normal.square),
        "pilot": [str(v) for v in normal.pilot],
        "y_unit": str(normal.y_unit),
        "weight_unit": str(normal.weight_unit),
    }


def _refined_form(found: Any, k: int, equations: Any) -> Refined:
    whole_numbers = series(_whole_text, k, k)
    forms = {
        "weights": series(_rational, k, k),
        "rss": _SQUARES,
        "tss": _SQUARES,
        "moments": series(_whole_text, 2 * k - 1, 2 * k - 1),
        "gradient": whole_numbers,
        "square": _whole_text,
        "pilot": whole_numbers,
        "y_unit": _unit,
        "weight_unit": _unit,
    }
    values = record(forms)(found, "solution.refined")
    normal = Normal(
        list(values["moments"]),
        list(values["gradient"]),
        values["square"],
        list(values["pilot"]),
        values["y_unit"],
        values["weight_unit"],
    )
    found = Refined(list(values["weights"]), values["rss"], values["tss"], normal, equations)
    try:
        _ = found.exact_factor  # kept for the standard errors
    except (ArithmeticError, ValueError):
        raise Misfit("solution.refined", "sums of rows that determine the curve", "other") from None
    return found


def _whole_text(found: Any, where: str) -> int:
    return int(_WHOLE(found, where))


def _rational(found: Any, where: str) -> Fraction:
    """A rational in lowest terms, as text such as "1/3", of a size that float64 holds."""
    value = Fraction(_RATIO(found, where))
    check(abs(value) < 2**1024 and str(value) == found, where, "a rational in reach", found)
    return value


def _unit(found: Any, where: str) -> Fraction:
    """A power of two."""
    value = _rational(found, where)
    terms = value.numerator, value.denominator
    check(value > 0 and all(n & (n - 1) == 0 for n in terms), where, "a power of two", found)
    return value


def _history_to_record(history: History) -> dict[str, Any]:
    return {
        "kind": asdict(Kind.of(history.loss, history.weights)),
        "loss": exactly(to_host(history.loss)),
        "weights": exactly(to_host(history.weights)),
        "kept": history.kept.tolist(),
    }


def _history_form(found: Any, k: int) -> History:
    kept = series(whole(), 1, KEPT + 2)
    forms = {"kind": kind_form, "loss": series(extended, 1), "weights": _any, "kept": kept}
    values = record(forms)(found, "history")
    steps, kept = len(values["loss"]) - 1, values["kept"]
    rising = kept[0] == 0 and kept[-1] == steps and all(a < b for a, b in pairwise(kept))
    check(rising, "history.kept", f"rising from 0 to {steps}", f"{kept[0]} to {kept[-1]}")
    weights = array((len(kept), k), extended)(values["weights"], "history.weights")
    kind, losses = values["kind"], np.array(values["loss"])
    loss, there = kind.put(losses), kind.put(weights)
    pairs = (losses, loss), (weights, there)
    held = all(np.array_equal(a, to_host(b), equal_nan=True) for a, b in pairs)
    check(held, "history.kind.dtype", "one that holds the numbers", kind.dtype)
    return History(loss, there, np.array(kept, dtype=np.int64))


def _forecast_to_record(forecast: Forecast) -> dict[str, Any]:
    settings = {name: exactly(value) for name, value in vars(forecast.optimizer).items()}
    return {
        "optimizer": {"name": forecast.optimizer.name} | settings,
        "curvature": exactly(forecast.curvature),
        "directions": exactly(forecast.directions),
        "amplitude": exactly(forecast.amplitude),
        "start": exactly(forecast.start),
        "rss": forecast.rss,
    }


def _forecast_form(found: Any, k: int) -> Forecast:
    forms = {
        "optimizer": _optimizer,
        "curvature": array((k,), _not_negative),
        "directions": array((k, k)),
        "amplitude": array((k,), extended),
        "start": array((k,)),
        "rss": _SQUARES,
    }
    values = record(forms)(found, "forecast")
    curvature = values["curvature"]
    falling = bool((curvature[1:] <= curvature[:-1]).all()) and curvature[0] > 0
    check(falling, "forecast.curvature", "falling from above 0", curvature.tolist())
    return Forecast(**values)


def _optimizer(found: Any, where: str) -> Optimizer:
    """One of the optimizers by name, with the settings it has."""
    check(type(found) is dict and "name" in found, where, "an object with a name", found)
    name = choice(OPTIMIZERS)(found["name"], f"{where}.name")
    kind = OPTIMIZERS[name]
    settings = record({"name": _any} | {f.name: _SETTINGS[f.name] for f in fields(kind)})
    values = {key: value for key, value in settings(found, where).items() if key != "name"}
    try:
        return kind(**values)
    except BadSetting as why:
        raise Misfit(where, f"settings of {name}", str(why)) from None


def _not_negative(found: Any, where: str) -> float:
    value = extended(found, where)
    check(value >= 0, where, "0 or more", found)
    return value


_SQUARES = number(0.0)
_SETTINGS = {
    "learning_rate": nullable(number(0.0)),
    "momentum": nullable(number(0.0, 1.0)),
    "betas": pair(number(0.0, 1.0), number(0.0, 1.0)),
    "eps": number(0.0),
}
_WHOLE = matching(r"-?\d{1,4000}", "a whole number as text")
_RATIO = matching(r"-?\d{1,4000}(/[1-9]\d{0,3999})?", 'a rational as text, such as "1/3"')
