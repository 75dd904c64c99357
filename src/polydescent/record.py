"""A Fit as JSON and back, every number exact: what it takes to build it again, without its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent.arrays import Kind, to_host
from polydescent.basis import BASES, Domain
from polydescent.constraints import Constraints
from polydescent.convergence import Forecast
from polydescent.degrees import Choice
from polydescent.descent import History, Outcome
from polydescent.optimizers import OPTIMIZERS
from polydescent.polynomial import Polynomial
from polydescent.refine import Normal, Refined
from polydescent.solution import Solution
from polydescent.store import summary_from_json, summary_to_json


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
        "weights": _numbers(curve.weights),
        "summary": summary_to_json(summary),
        "solution": _solution_to_record(solution),
        "outcome": outcome.name,
        "history": None if history is None else _history_to_record(history),
        "forecast": None if forecast is None else _forecast_to_record(forecast),
    } | {name: _number(value) for name, value in plain.items()}


def from_record(found: dict[str, Any]) -> dict[str, Any]:
    """The fields of the Fit that `to_record` was given. Raises KeyError, TypeError, ValueError."""
    summary = summary_from_json(found["summary"])
    history, forecast = found["history"], found["forecast"]
    return {
        "curve": Polynomial(BASES[found["basis"]], summary.domain, _array(found["weights"])),
        "summary": summary,
        "loss": float(found["loss"]),
        "solution": _solution_from_record(found["solution"], summary.domain),
        "outcome": Outcome[found["outcome"]],
        "history": None if history is None else _history_from_record(history),
        "forecast": None if forecast is None else _forecast_from_record(forecast),
        "absolute_sigma": bool(found["absolute_sigma"]),
        "choice": Choice.of(**found["choice"]),
    }


# ── the parts ──


def _solution_to_record(solution: Solution) -> dict[str, Any]:
    refined = solution.refined
    return {
        "weights": _numbers(solution.weights),
        "rss": solution.rss,
        "tss": solution.tss,
        "half": _numbers(solution.half),
        "fixed": [list(pair) for pair in solution.constraints.fixed],
        "through": [list(pair) for pair in solution.constraints.through],
        "origin": solution.origin,
        "refined": None if refined is None else _refined_to_record(refined),
    }


def _solution_from_record(found: dict[str, Any], domain: Domain) -> Solution:
    weights, origin = _array(found["weights"]), int(found["origin"])
    held = Constraints(
        tuple((int(power), float(value)) for power, value in found["fixed"]),
        tuple((float(x), float(y)) for x, y in found["through"]),
    )
    refined = None
    if found["refined"] is not None:
        equations = held.equations(domain, len(weights) - 1, origin)
        refined = _refined_from_record(found["refined"], equations)
    half = _array(found["half"]).reshape(len(weights), -1)
    sums = float(found["rss"]), float(found["tss"])
    return Solution(weights, domain, *sums, half, held, origin, refined)


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


def _refined_from_record(found: dict[str, Any], equations: Any) -> Refined:
    normal = Normal(
        [int(v) for v in found["moments"]],
        [int(v) for v in found["gradient"]],
        int(found["square"]),
        [int(v) for v in found["pilot"]],
        Fraction(found["y_unit"]),
        Fraction(found["weight_unit"]),
    )
    weights = [Fraction(w) for w in found["weights"]]
    return Refined(weights, float(found["rss"]), float(found["tss"]), normal, equations)


def _history_to_record(history: History) -> dict[str, Any]:
    return {
        "kind": asdict(Kind.of(history.loss, history.weights)),
        "loss": _numbers(to_host(history.loss)),
        "weights": _numbers(to_host(history.weights)),
        "kept": history.kept.tolist(),
    }


def _history_from_record(found: dict[str, Any]) -> History:
    kind = Kind(**found["kind"])
    loss, weights = kind.put(_array(found["loss"])), kind.put(_array(found["weights"]))
    return History(loss, weights, np.array(found["kept"], dtype=np.int64))


def _forecast_to_record(forecast: Forecast) -> dict[str, Any]:
    settings = {name: _number(value) for name, value in vars(forecast.optimizer).items()}
    return {
        "optimizer": {"name": forecast.optimizer.name} | settings,
        "curvature": _numbers(forecast.curvature),
        "directions": _numbers(forecast.directions),
        "amplitude": _numbers(forecast.amplitude),
        "start": _numbers(forecast.start),
        "rss": forecast.rss,
    }


def _forecast_from_record(found: dict[str, Any]) -> Forecast:
    settings = dict(found["optimizer"])
    optimizer = OPTIMIZERS[settings.pop("name")](**settings)
    names = ("curvature", "directions", "amplitude", "start")
    arrays = {name: _array(found[name]) for name in names}
    return Forecast(optimizer, **arrays, rss=float(found["rss"]))


# ── numbers ──


def _numbers(values: np.ndarray) -> list[Any]:
    """Nested lists; Python writes a float with the digits that give it back exactly."""
    return _number(values.tolist())


def _number(value: Any) -> Any:
    """JSON has no infinity and no NaN: they become text."""
    if isinstance(value, list):
        return [_number(v) for v in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _array(values: Sequence[Any]) -> np.ndarray:
    return np.array(values, dtype=np.float64)
