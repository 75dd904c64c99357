"""What a command prints about a fit: lines for people, or one JSON object with the same facts."""

from __future__ import annotations

import json
import math
from typing import Any

from polydescent.arrays import to_host
from polydescent.checks import level as checked_level
from polydescent.cli.options import Output
from polydescent.cli.terminal import fact, say, write, written_to
from polydescent.cli.wording import spoken
from polydescent.descent.outcome import Outcome
from polydescent.errors import BadCall, NoDescent
from polydescent.least_squares.degrees import Degrees
from polydescent.polynomial.text import CODE, check_style
from polydescent.regression.evidence import all_rows
from polydescent.regression.fit import Fit
from polydescent.regression.training import checked_steps
from polydescent.report.text import notes, statistics, table, unfinished
from polydescent.sealed.document import reported

_LABEL = 28  # columns for the names of the facts
_STYLE = {  # of the advice, on a terminal; its words say the same
    Outcome.EXACT: "green",
    Outcome.CONVERGED: "green",
    Outcome.STEPS_EXHAUSTED: "yellow",
    Outcome.DIVERGED: "bold red",
}


def check(output: Output, steps: int | None) -> None:
    """Refuse what could not be shown, before any work is done. steps: None for a fit without.

    Raises NoDescent, BadCall, BadSetting, NoFolder, MissingExtra.
    """
    check_style(output.style or "plain")
    checked_level(output.level)
    if steps is not None:
        checked_steps(steps)
    if output.diagnose and steps is not None:
        raise BadCall("--diagnose is for exact least squares: leave out --optimizer.")
    if output.language != "en" and output.trace is None:
        raise BadCall("--language is that of --trace STEP: give it, or leave --language out.")
    if output.trace is not None:
        from polydescent.report.trace import checked_step

        if steps is None:
            raise NoDescent()
        checked_step(output.trace, steps, "--trace")
    if output.plot is not None:
        from polydescent.report.static import check_picture

        check_picture(output.plot)
    if output.explore is not None:
        from polydescent.report.page import check_page

        check_page(output.explore, "--explore")


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
        "domain": _ends(fit),
        "kind": str(fit.summary.kind),
        "loss": fit.loss,
        "lowest_loss": fit.lowest_loss,
        "excess": fit.excess,
        "r2": fit.r2,
        "outcome": fit.outcome.value,
        "advice": spoken(fit.advice),
    }
    if fit.forecast is not None and fit.history is not None:
        forecast = fit.forecast
        settings = {"name": forecast.optimizer.name} | vars(forecast.optimizer)
        found |= {
            "basis": fit.curve.basis.name,
            "optimizer": settings,
            "steps": fit.history.steps,
            "condition": forecast.condition,
            "largest_stable_rate": forecast.largest_stable_rate,
            "fastest": {"name": forecast.optimizer.name} | vars(forecast.best),
        }
        if forecast.has_closed_form:
            found["steps_to_1_percent"] = forecast.steps_to(0.01)
            found["steps_to_1e-6"] = forecast.steps_to(1e-6)
    return reported(found)


def show(
    fit: Fit,
    output: Output,
    extra: dict[str, Any],
    title: str,
    log_every: int = 0,
    degrees: int = 0,
) -> None:
    """Write the files that were asked for, then print the log, the result and what no lesson says.

    extra: facts of the command, named first. log_every: print the loss every so many steps, 0 for
    never. degrees: show the table of degrees up to this one, 0 for none. A failure before the first
    line leaves nothing behind.
    """
    if output.plot is not None:
        from polydescent.report.static import write_picture

        with written_to(output.plot):
            write_picture(fit, output.plot, title)
    if output.explore is not None:
        with written_to(output.explore):
            fit.explore(output.explore, title=title)
    logged = log(fit, log_every)
    table_of = _degrees(fit, degrees) if degrees else None
    if output.json:
        write(in_json(extra | _all_facts(fit, output, logged, table_of)))
        return
    _print(fit, output, extra, logged, table_of)
    if output.trace is not None:
        from polydescent.report.steps import traced

        for line in ["", *traced(fit, output.trace, output.language)]:
            say(line)
    for what, path in (("Picture", output.plot), ("Page", output.explore)):
        if path is not None:
            say(f"{what}: {path}")


def _all_facts(
    fit: Fit, output: Output, logged: list[tuple[int, float]], degrees: Degrees | None
) -> dict[str, Any]:
    """What was asked for as well, as plain numbers."""
    found = facts(fit) | {"log": logged}
    if fit.history is None:
        found |= statistics(fit, output.level)
    if output.diagnose:
        found["diagnostics"] = fit.diagnostics().to_dict()
    if degrees is not None:
        found["degrees"] = degrees.to_dict()
    if output.style is not None:
        found["code" if output.style in CODE else output.style] = _styled(fit, output.style)
    if output.trace is not None:
        from polydescent.report.steps import trace_facts

        found["trace"] = trace_facts(fit, output.trace)
    return found


def _print(
    fit: Fit,
    output: Output,
    extra: dict[str, Any],
    logged: list[tuple[int, float]],
    degrees: Degrees | None,
) -> None:
    for step, loss in logged:
        say(f"{step} {loss:.9g}")
    if fit.is_far:
        for line in unfinished(fit):
            say(spoken(line), _STYLE[fit.outcome])
    say(f"{'So far' if fit.is_far else 'Result'}: {fit.equation()}", "bold")
    if output.style is not None:
        for line in _styled(fit, output.style).splitlines():
            say(line)
    say()
    given = [(name, str(value)) for name, value in extra.items()]
    for name, value in given + (_lines(fit) if fit.history is not None else notes(fit)):
        fact(name, value, _LABEL)
    if fit.history is None:
        for line in ["", *table(fit, output.level).splitlines(), ""]:
            say(line)
        if degrees is not None:
            for line in [*str(degrees).splitlines(), ""]:
                say(line)
    if output.diagnose:
        for line in [*str(fit.diagnostics()).splitlines(), ""]:
            say(spoken(line))
    if not fit.is_far:
        say(spoken(fit.advice), _STYLE[fit.outcome])


def _styled(fit: Fit, style: str) -> str:
    """The equation to run, or to read: after exact least squares with its standard errors."""
    return fit.equation(style, errors=style not in CODE and fit.history is None)


def _degrees(fit: Fit, highest: int) -> Degrees:
    """All degrees that were looked at, as far as the rows are still here."""
    return fit.degrees(highest if all_rows(fit) is not None else None)


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
    if forecast.batch and forecast.noise is not None:
        floor = forecast.noise_floor / forecast.lowest_loss if forecast.lowest_loss else math.inf
        lines.append(("largest stable rate", f"{forecast.largest_stable_rate:.6g} of such batches"))
        lines.append(("floor of the draw", f"on average {100 * floor:.3g} % above the lowest loss"))
        return lines
    if not forecast.has_closed_form:
        lines.append(("largest stable rate", "none: it does not explode for good"))
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


def _ends(fit: Fit) -> list[Any]:
    """The domain as the user calls its ends, dates as text."""
    if not fit.axis.is_dates:
        return [fit.domain.lo, fit.domain.hi]
    return [fit.axis.label(x) for x in (fit.summary.domain.lo, fit.summary.domain.hi)]


def in_json(facts: dict[str, Any]) -> str:
    """The facts as JSON in ASCII, None for what is not finite."""
    text = json.dumps(reported(facts), indent=2, allow_nan=False)
    return text.replace("\x7f", "\\u007f")  # the one control character that json lets through
