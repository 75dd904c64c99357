"""What a command prints about a fit: lines for people, or one JSON object with the same facts."""

from __future__ import annotations

import json
import math
from typing import Any

import typer

from polydescent.arrays import Array, to_host
from polydescent.fit import Fit
from polydescent.optimizers import Adam

_LABEL = 28  # columns for the names of the facts


def log(fit: Fit, every: int) -> list[tuple[int, float]]:
    """(step, loss) at every so many steps, as the lesson prints them: 99, 199, …"""
    if fit.history is None or not every:
        return []
    loss = to_host(fit.history.loss)
    return [(t, float(loss[t])) for t in range(every - 1, fit.history.steps, every)]


def facts(fit: Fit) -> dict[str, Any]:
    """Everything the printed report says, by name, as plain numbers (None for what is infinite)."""
    found: dict[str, Any] = {
        "equation": fit.equation(digits=17),
        "coef": to_host(fit.coef).tolist(),
        "degree": fit.degree,
        "rows": fit.n,
        "domain": [fit.domain.lo, fit.domain.hi],
        "kind": str(fit.summary.kind),
        "loss": _number(fit.loss),
        "lowest_loss": fit.lowest_loss,
        "excess": _number(fit.excess),
        "r2": _number(fit.r2),
        "outcome": fit.outcome.value,
        "advice": fit.advice,
    }
    if fit.forecast is not None and fit.history is not None:
        forecast = fit.forecast
        settings = {"name": forecast.optimizer.name} | vars(forecast.optimizer)
        found |= {
            "basis": fit.curve.basis.name,
            "optimizer": settings,
            "steps": fit.history.steps,
            "condition": _number(forecast.condition),
            "largest_stable_rate": _number(forecast.largest_stable_rate),
            "fastest": {"name": forecast.optimizer.name} | vars(forecast.best),
        }
        if not isinstance(forecast.optimizer, Adam):
            found["steps_to_1_percent"] = _number(forecast.steps_to(0.01))
            found["steps_to_1e-6"] = _number(forecast.steps_to(1e-6))
    return found


def print_fit(fit: Fit, log_every: int, as_json: bool, extra: dict[str, Any]) -> None:
    """Print the log, the result and what no lesson says.

    extra: facts of the command, named first."""
    if as_json:
        typer.echo(json.dumps(extra | facts(fit) | {"log": log(fit, log_every)}, indent=2))
        return
    for step, loss in log(fit, log_every):
        typer.echo(f"{step} {loss:.9g}")
    typer.echo(f"Result: {fit.equation()}")
    typer.echo("")
    rows = [(name, str(value)) for name, value in extra.items()] + _lines(fit)
    for name, value in rows:
        typer.echo(f"{name:<{_LABEL}}{value}")
    typer.echo(fit.advice)


def _lines(fit: Fit) -> list[tuple[str, str]]:
    """The report below the result: name and value."""
    lines = [
        ("rows", f"{fit.n:,}"),
        ("loss reached", f"{fit.loss:.9g}"),
        ("lowest loss possible", f"{fit.lowest_loss:.9g}"),
        ("excess", "none" if not fit.excess else f"{100 * fit.excess:.4g} %"),
        ("R²", f"{fit.r2:.6f}"),
    ]
    if fit.forecast is None or fit.history is None:
        return lines
    forecast, steps = fit.forecast, fit.history.steps
    lines.append(("basis", f"{fit.curve.basis.name}, condition number {forecast.condition:.4g}"))
    lines.append(("optimizer", _settings(forecast.optimizer)))
    if isinstance(forecast.optimizer, Adam):
        lines.append(("largest stable rate", "none: Adam circles rather than explodes"))
        return lines
    return [
        *lines,
        ("largest stable rate", f"{forecast.largest_stable_rate:.6g}"),
        ("fastest", _settings(forecast.best)),
        ("steps to 1 % excess", _steps(forecast.steps_to(0.01), steps)),
        ("steps to 1e-6 excess", _steps(forecast.steps_to(1e-6), steps)),
    ]


def _settings(optimizer: Any) -> str:
    settings = ", ".join(f"{k.replace('_', ' ')} {_short(v)}" for k, v in vars(optimizer).items())
    return f"{optimizer.name}, {settings}"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _steps(needed: float, done: int) -> str:
    if math.isinf(needed):
        return "never"
    left = f"{needed - done:,} more" if needed > done else "done"
    return f"{needed:,} from the start, {left}"


def _number(value: float) -> float | None:
    """JSON has no infinity and no NaN."""
    return value if math.isfinite(value) else None


def draw(fit: Fit, x: Array, y: Array, path: str | None, title: str, quiet: bool) -> None:
    """Write the picture of the run where one was asked for, and say where it is."""
    if path is None:
        return
    from polydescent.report.static import draw_run

    draw_run(fit, to_host(x), to_host(y), path, title)
    if not quiet:
        typer.echo(f"Picture: {path}")
