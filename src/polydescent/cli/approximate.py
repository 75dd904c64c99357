"""polydescent approximate: sample a function, descend to its polynomial, and say how far it got."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from polydescent.cli.declare import Options, argument, command, number, text, whole
from polydescent.cli.options import Descent, Output, Place

if TYPE_CHECKING:
    from polydescent.descent.optimizers import GradientDescent
    from polydescent.regression.request import Request

_LESSONS_RATE = 1e-6


class Sample(Options):
    """The function."""

    interval: str = text("Where to sample it.", "LO,HI", "-pi,pi")
    points: int = whole("How many equally spaced x.", 2000)
    noise: float = number("Standard deviation of noise added to y.", 0.0)
    degree: int = whole("Of the polynomial.", 3)


@command(
    function=argument('A function of x, such as "sin(x)".'),
    sample=Sample,
    descent=Descent,
    place=Place,
    output=Output,
)
def approximate(
    function: str, sample: Sample, descent: Descent, place: Place, output: Output
) -> None:
    """Fit a polynomial to a function, the way the lesson does.

    The defaults are the lesson's: 2,000 points of the function on [-pi, pi], a cubic, a random
    start, learning rate 1e-6 (or the fastest stable one where that would diverge), 2,000 steps.
    """
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
    if descent.is_exact:
        fitted = request.fit()
    else:
        walk = descent.asked("power", output.quiet)
        if descent.leaves_rate_to("gd", "power"):
            walk = replace(walk, optimizer=_lessons_rate(request))
        fitted = request.descend(walk)
    extra = {"function": function, "interval": f"[{lo:.6g}, {hi:.6g}]", "seed": descent.seed}
    show(fitted, output, extra, title=function, log_every=descent.log_every)


def _lessons_rate(request: Request) -> GradientDescent:
    """The lesson's rate where it is stable, else the fastest: nobody asked for an explosion."""
    from polydescent.descent.optimizers import GradientDescent

    limit = request.summarize().forecast().largest_stable_rate
    return GradientDescent(_LESSONS_RATE if limit >= _LESSONS_RATE else None)
