"""polydescent approximate: sample a function, descend to its polynomial, and say how far it got."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from polydescent.cli.declare import (
    Options,
    argument,
    choice,
    command,
    flag,
    number,
    text,
    typed,
    whole,
)
from polydescent.cli.options import Descent, Output, Place
from polydescent.cli.terminal import fact, say, write
from polydescent.cli.typed import numbers
from polydescent.errors import BadCall

if TYPE_CHECKING:
    from polydescent.descent.optimizers import GradientDescent
    from polydescent.regression.summary import Summary

_LESSONS_RATE = 1e-6
# the names of lesson.program.PROGRAMS, which would load what --help does not need
PROGRAMS = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic")
_OF_PROGRAMS = {
    *("--interval", "--points", "--program", "--show"),
    *("--learning-rate", "--steps", "--log-every", "--seed", "--json", "--quiet"),
}


class Sample(Options):
    """The function."""

    interval: str = text("Where to sample it.", "LO,HI", "-pi,pi")
    points: int = whole("How many equally spaced x.", 2000)
    noise: float = number("Standard deviation of noise added to y.", 0.0)
    degree: int = whole("Of the polynomial.", 3)


class Lesson(Options):
    """A program of the lesson."""

    program: str | None = choice("Run it as people know it, then say what it does not.", PROGRAMS)
    show: bool = flag("Print the program instead, to run alone.")


@command(
    function=argument('A function of x, such as "sin(x)".', required=False),
    sample=Sample,
    lesson=Lesson,
    descent=Descent,
    place=Place,
    output=Output,
)
def approximate(
    function: str | None,
    sample: Sample,
    lesson: Lesson,
    descent: Descent,
    place: Place,
    output: Output,
) -> None:
    """Fit a polynomial to a function, the way the lesson does.

    The defaults are the lesson's: 2,000 points of the function on [-pi, pi], a cubic, a random
    start, learning rate 1e-6 (or the fastest stable one where that would diverge), 2,000 steps.
    With --program it is the lesson's own program that runs, of sin(x) unless another is given.
    """
    if lesson.program is not None:
        _run(lesson.program, function or "sin(x)", sample, lesson.show, descent, output.json)
        return
    if lesson.show:
        raise BadCall("--show prints a program of the lesson: say which with --program.")
    if function is None:
        raise BadCall('A function of x is missing, such as "sin(x)" (or --program for the lesson).')
    from polydescent.cli.show import check, show
    from polydescent.regression.request import Request
    from polydescent.rows.function import interval_of
    from polydescent.rows.function import sample as sampled
    from polydescent.triangle.triangle import checked_degree

    check(output, None if descent.is_exact else descent.steps)
    kind = place.kind()
    lo, hi = interval_of(sample.interval)
    columns = sampled(function, (lo, hi), sample.points, sample.noise, descent.seed)
    x, y = map(kind.put, columns)
    request = Request.parse(x, y, checked_degree(sample.degree))
    walk = None if descent.is_exact else descent.asked("power", output.quiet)
    summary, rows = request.read()
    if walk is not None and descent.leaves_rate_to("gd", "power"):
        walk = replace(walk, optimizer=_lessons_rate(summary))
    fitted = request.answer(summary, rows, walk)
    extra = {"function": function, "interval": f"[{lo:.6g}, {hi:.6g}]", "seed": descent.seed}
    show(fitted, output, extra, title=function, log_every=descent.log_every)


def _run(
    name: str, function: str, sample: Sample, show: bool, descent: Descent, as_json: bool
) -> None:
    """Print a program of the lesson, or run it and say what it does not say."""
    from polydescent.cli.show import in_json
    from polydescent.lesson.program import Program
    from polydescent.lesson.verdict import Verdict

    said = typed()
    if idle := [flag for flag in said if flag not in _OF_PROGRAMS]:
        raise BadCall(
            f"A program of the lesson has no {', '.join(idle)}: leave that out, or --program."
        )
    rate = descent.learning_rate
    program = Program.written(
        name,
        function,
        tuple(sample.interval.split(",")),
        sample.points,
        descent.steps if "--steps" in said else None,
        None if rate is None else numbers("learning-rate", rate)[0],
        descent.log_every if "--log-every" in said else None,
        descent.seed,
    )
    if show:
        write(program.text.rstrip("\n"))
        return
    if as_json:
        variables, logged = program.logged()
        facts = {"program": name, "function": function, "log": logged}
        write(in_json(facts | Verdict.of(program, variables).facts()))
        return
    verdict = Verdict.of(program, program.run())
    say()
    say("What the program does not say", "bold")
    for fact_name, value in verdict.lines():
        fact(fact_name, value, 28)


def _lessons_rate(summary: Summary) -> GradientDescent:
    """The lesson's rate where it is stable, else the fastest: nobody asked for an explosion."""
    from polydescent.descent.optimizers import GradientDescent

    limit = summary.forecast().largest_stable_rate
    return GradientDescent(_LESSONS_RATE if limit >= _LESSONS_RATE else None)
