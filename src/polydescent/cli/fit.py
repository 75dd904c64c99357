"""polydescent fit: the polynomial of two columns of a file, exactly or step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from polydescent.cli import options as o


def fit(
    files: Annotated[
        list[str], typer.Argument(help="CSV, TSV, Parquet, JSON lines (.gz too), globs, or SQL.")
    ],
    x: Annotated[str, typer.Option(help="Column, or SQL expression of columns.")],
    y: Annotated[str, typer.Option(help="Column, or SQL expression of columns.")],
    weights: Annotated[str | None, typer.Option(help="Column, or SQL: of the squares.")] = None,
    where: Annotated[str | None, typer.Option(help="SQL: which rows to use.")] = None,
    missing: o.MissingOption = o.Missing["raise"],
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
    save: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Keep the summary in a model file.")
    ] = None,
    quiet: o.QuietOption = False,
) -> None:
    """Fit a polynomial to two columns of files, streamed: memory does not grow with them.

    Exact least squares, unless --optimizer asks for a descent: then in Chebyshev coordinates and at
    the fastest stable rate, unless --basis and --learning-rate say otherwise.
    """
    from polydescent.arrays import Kind
    from polydescent.cli.reading import Reading
    from polydescent.cli.show import Wanted, show
    from polydescent.sources.files import files as source_of

    settings = (
        None
        if optimizer in (None, "exact")
        else {
            "basis": basis or "chebyshev",
            "optimizer": o.optimizer_of(optimizer, learning_rate, momentum),
            "start": o.start_of(start),
            "seed": seed,
            "steps": steps,
            "allow_divergence": allow_divergence,
        }
    )
    wanted = Wanted(log_every, json, trace, plot, explore)
    wanted.check(None if settings is None else steps)
    kind = Kind.choose(backend, device, dtype)
    reading = Reading(source_of(files, x, y, weights, where), degree, missing, save, quiet)
    streamed = kind == Kind() and over == o.Over.summary
    fitted = reading.fit(settings) if streamed else reading.fit_in(kind, over, settings)
    extra: dict[str, object] = {"file": " ".join(files), "x": x, "y": y}
    if settings is not None:
        extra["seed"] = seed
    if fitted.summary.omitted:
        extra["rows omitted"] = f"{fitted.summary.omitted:,}"
    if save:
        extra["saved in"] = save
    show(fitted, wanted, extra, title=" ".join(files))
