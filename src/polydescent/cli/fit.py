"""polydescent fit: the polynomial of two columns of a file, exactly or step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from polydescent.cli import options as o


def fit(
    file: Annotated[str, typer.Argument(help="A CSV, Parquet or JSON lines file.")],
    x: Annotated[str, typer.Option(help="Column, or SQL expression of columns.")],
    y: Annotated[str, typer.Option(help="Column, or SQL expression of columns.")],
    where: Annotated[str | None, typer.Option(help="SQL: which rows to use.")] = None,
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
    trace: o.TraceOption = None,
    json: o.JsonOption = False,
) -> None:
    """Fit a polynomial to two columns of a file.

    Exact least squares, unless --optimizer asks for a descent: then in Chebyshev coordinates and at
    the fastest stable rate, unless --basis and --learning-rate say otherwise.
    """
    from polydescent.arrays import Kind
    from polydescent.cli.show import Wanted, show
    from polydescent.fit import descend
    from polydescent.fit import fit as solve
    from polydescent.sources import rows_of

    wanted = Wanted(log_every, json, trace, plot)
    wanted.check(None if optimizer in (None, "exact") else steps)
    kind = Kind.choose(backend, device, dtype)
    rows = rows_of(file, y, x, where=where)
    columns = kind.put(rows.x), kind.put(rows.y)
    extra: dict[str, object] = {"file": file, "x": x, "y": y}
    if optimizer in (None, "exact"):
        fitted = solve(*columns, degree)
    else:
        fitted = descend(
            *columns,
            degree,
            basis=basis or "chebyshev",
            optimizer=o.optimizer_of(optimizer, learning_rate, momentum),
            start=o.start_of(start),
            seed=seed,
            steps=steps,
            over=over,
            allow_divergence=allow_divergence,
        )
        extra["seed"] = seed
    show(fitted, wanted, extra, title=file)
