"""What a command prints about a fit: lines for people, or one JSON object with the same facts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from polydescent.arrays import to_host
from polydescent.checks import level as checked_level
from polydescent.cli.terminal import fact, say, write, written_to
from polydescent.cli.wording import spoken
from polydescent.descent.optimizers import Adam
from polydescent.descent.outcome import Outcome
from polydescent.errors import NoDescent
from polydescent.least_squares.degrees import Degrees
from polydescent.polynomial.text import CODE, check_style
from polydescent.regression.evidence import all_rows
from polydescent.regression.fit import Fit
from polydescent.regression.training import check_steps
from polydescent.report.text import notes, statistics, table, unfinished
from polydescent.sealed.document import reported

_LABEL = 28  # columns for the names of the facts
_STYLE = {  # of the advice, on a terminal; its words say the same
    Outcome.EXACT: "green",
    Outcome.CONVERGED: "green",
    Outcome.STEPS_EXHAUSTED: "yellow",
    Outcome.DIVERGED: "bold red",
}


@dataclass(frozen=True)
class Wanted:
    """What the user asked to see of a fit.

    log_every: print the loss every so many steps, 0 for never. trace: the step to take apart. plot,
    explore: the picture and the page to write. level: of confidence intervals. style: of one more
    equation. degrees: show the table of degrees up to this one, 0 for none.
    """

    log_every: int = 100
    as_json: bool = False
    trace: int | None = None
    plot: str | None = None
    explore: str | None = None
    level: float = 0.95
    style: str | None = None
    degrees: int = 0

    def check(self, steps: int | None) -> None:
        """Refuse what could not be shown, before any work is done. steps: None for a fit without.

        Raises NoDescent, BadSetting, NoFolder, MissingExtra.
        """
        check_style(self.style or "plain")
        checked_level(self.level)
        if steps is not None:
            check_steps(steps)
        if self.trace is not None:
            from polydescent.report.trace import check_step

            if steps is None:
                raise NoDescent()
            check_step(self.trace, steps, "--trace")
        if self.plot is not None:
            from polydescent.report.static import check_picture

            check_picture(self.plot)
        if self.explore is not None:
            from polydescent.report.page import check_page

            check_page(self.explore, "--explore")


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
        if not isinstance(forecast.optimizer, Adam):
            found["steps_to_1_percent"] = forecast.steps_to(0.01)
            found["steps_to_1e-6"] = forecast.steps_to(1e-6)
    return reported(found)


def show(fit: Fit, wanted: Wanted, extra: dict[str, Any], title: str) -> None:
    """Write the files that were asked for, then print the log, the result and what no lesson says.

    extra: facts of the command, named first. A failure before the first line leaves nothing behind.
    """
    if wanted.plot is not None:
        from polydescent.report.static import write_picture

        with written_to(wanted.plot):
            write_picture(fit, wanted.plot, title)
    if wanted.explore is not None:
        with written_to(wanted.explore):
            fit.explore(wanted.explore, title=title)
    if wanted.as_json:
        write(in_json(extra | _all_facts(fit, wanted)))
        return
    _print(fit, wanted, extra)
    if wanted.trace is not None:
        from polydescent.report.steps import traced

        for line in ["", *traced(fit, wanted.trace)]:
            say(line)
    for what, path in (("Picture", wanted.plot), ("Page", wanted.explore)):
        if path is not None:
            say(f"{what}: {path}")


def _all_facts(fit: Fit, wanted: Wanted) -> dict[str, Any]:
    """What was asked for as well, as plain numbers."""
    found = facts(fit) | {"log": log(fit, wanted.log_every)}
    if fit.history is None:
        found |= statistics(fit, wanted.level)
    if wanted.degrees:
        found["degrees"] = _degrees(fit, wanted.degrees).to_dict()
    if wanted.style is not None:
        found["code" if wanted.style in CODE else wanted.style] = _styled(fit, wanted.style)
    if wanted.trace is not None:
        from polydescent.report.steps import trace_facts

        found["trace"] = trace_facts(fit, wanted.trace)
    return found


def _print(fit: Fit, wanted: Wanted, extra: dict[str, Any]) -> None:
    for step, loss in log(fit, wanted.log_every):
        say(f"{step} {loss:.9g}")
    if fit.is_far:
        for line in unfinished(fit):
            say(spoken(line), _STYLE[fit.outcome])
    say(f"{'So far' if fit.is_far else 'Result'}: {fit.equation()}", "bold")
    if wanted.style is not None:
        say(_styled(fit, wanted.style))
    say()
    given = [(name, str(value)) for name, value in extra.items()]
    for name, value in given + (_lines(fit) if fit.history is not None else notes(fit)):
        fact(name, value, _LABEL)
    if fit.history is None:
        for line in ["", *table(fit, wanted.level).splitlines(), ""]:
            say(line)
        if wanted.degrees:
            for line in [*str(_degrees(fit, wanted.degrees)).splitlines(), ""]:
                say(line)
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


def _ends(fit: Fit) -> list[Any]:
    """The domain as the user calls its ends, dates as text."""
    if not fit.axis.is_dates:
        return [fit.domain.lo, fit.domain.hi]
    return [fit.axis.label(x) for x in (fit.summary.domain.lo, fit.summary.domain.hi)]


def in_json(facts: dict[str, Any]) -> str:
    """The facts as JSON in ASCII, None for what is not finite."""
    text = json.dumps(reported(facts), indent=2, allow_nan=False)
    return text.replace("\x7f", "\\u007f")  # the one control character that json lets through
