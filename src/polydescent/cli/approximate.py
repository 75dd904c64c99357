"""polydescent approximate: sample a function, descend to its polynomial, and say how far it got."""

from __future__ import annotations

from typing import Annotated

import typer

from polydescent.arrays import Array
from polydescent.cli import options as o
from polydescent.descent.optimizers import GradientDescent

_LESSONS_RATE = 1e-6


def approximate(
    function: Annotated[str, typer.Argument(help='A function of x, such as "sin(x)".')],
    interval: Annotated[str, typer.Option(metavar="LO,HI", help="Where to sample it.")] = "-pi,pi",
    points: Annotated[int, typer.Option(help="How many equally spaced x.")] = 2000,
    noise: Annotated[float, typer.Option(help="Standard deviation of noise added to y.")] = 0.0,
    degree: Annotated[int, typer.Option(help="Of the polynomial.")] = 3,
    basis: o.BasisOption = None,
    optimizer: o.OptimizerOption = None,
    learning_rate: o.RateOption = None,
    momentum: o.MomentumOption = None,
    start: o.StartOption = "random",
    seed: o.SeedOption = 0,
    steps: o.StepsOption = 2000,
    log_every: o.LogOption = 100,
    over: o.OverOption = o.Over.summary,
    allow_divergence: o.DivergeOption = False,
    backend: o.BackendOption = "numpy",
    device: o.DeviceOption = None,
    dtype: o.DtypeOption = None,
    plot: o.PlotOption = None,
    explore: o.ExploreOption = None,
    trace: o.TraceOption = None,
    json: o.JsonOption = False,
    quiet: o.QuietOption = False,
) -> None:
    """Fit a polynomial to a function, the way the lesson does.

    The defaults are the lesson's: 2,000 points of the function on [-pi, pi], a cubic, a random
    start, learning rate 1e-6 (or the fastest stable one where that would diverge), 2,000 steps.
    """
    from polydescent.arrays import Kind
    from polydescent.cli.show import Wanted, show
    from polydescent.regression.verbs import descend
    from polydescent.regression.verbs import fit as solve
    from polydescent.rows.function import interval_of, sample

    wanted = Wanted(log_every, json, trace, plot, explore)
    wanted.check(None if optimizer == "exact" else steps)
    kind = Kind.choose(backend, device, dtype)
    lo, hi = interval_of(interval)
    x, y = (kind.put(column) for column in sample(function, (lo, hi), points, noise, seed))
    if optimizer == "exact":
        fitted = solve(x, y, degree)
    else:
        settings = {
            "basis": basis or "power",
            "start": o.start_of(start),
            "seed": seed,
            "steps": steps,
            "over": over,
            "allow_divergence": allow_divergence,
            "progress": not quiet,
        }
        chosen = o.optimizer_of(optimizer or "gd", learning_rate, momentum)
        if chosen == GradientDescent() and learning_rate is None and settings["basis"] == "power":
            chosen = _lessons_rate(x, y, degree)
        fitted = descend(x, y, degree, optimizer=chosen, **settings)
    extra = {"function": function, "interval": f"[{lo:.6g}, {hi:.6g}]", "seed": seed}
    show(fitted, wanted, extra, title=function)


def _lessons_rate(x: Array, y: Array, degree: int) -> GradientDescent:
    """The lesson's rate where it is stable, else the fastest: nobody asked for an explosion."""
    from polydescent.regression.verbs import summarize

    limit = summarize(x, y, degree).forecast().largest_stable_rate
    return GradientDescent(_LESSONS_RATE if limit >= _LESSONS_RATE else None)
