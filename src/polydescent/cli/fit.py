"""polydescent fit: the polynomial of two columns of a file, exactly or step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from polydescent.cli import options as o


def fit(
    files: Annotated[
        list[str],
        typer.Argument(help="CSV, TSV, Parquet, JSON, Arrow (.gz too), globs, SQL, or -."),
    ],
    x: Annotated[str, typer.Option(help="Column, or SQL expression of columns.")],
    y: Annotated[str, typer.Option(help="Column, or SQL expression of columns.")],
    weights: Annotated[str | None, typer.Option(help="Column, or SQL: of the squares.")] = None,
    sigma: Annotated[str | None, typer.Option(help="Column, or SQL: standard deviation.")] = None,
    absolute_sigma: Annotated[
        bool, typer.Option("--absolute-sigma", help="Sigma is known in units of y.")
    ] = False,
    counts: Annotated[
        str | None, typer.Option(help="Column, or SQL: how often each row was seen.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="SQL expression: which rows to use.")] = None,
    missing: o.MissingOption = o.Missing["raise"],
    null: o.NullOption = None,
    delimiter: o.DelimiterOption = None,
    decimal: o.DecimalOption = None,
    comment: o.CommentOption = None,
    columns: o.ColumnsOption = None,
    hive: o.HiveOption = False,
    degree: Annotated[
        str, typer.Option(metavar="NUMBER|auto[:MAX]", help="Of the polynomial; auto: the best.")
    ] = "3",
    criterion: Annotated[
        str | None,
        typer.Option(metavar="aicc|aic|bic|loo|cv", help="Of --degree auto.  [default: aicc]"),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Of --criterion cv.  [default: 5]", show_default=False)
    ] = None,
    hold: Annotated[
        str | None, typer.Option("--fix", metavar="0=0,2=1.5", help="Coefficients to hold.")
    ] = None,
    terms: Annotated[
        str | None, typer.Option(metavar="1,3", help="The powers to use, all others are 0.")
    ] = None,
    through: Annotated[
        list[str] | None, typer.Option(metavar="X,Y", help="A point the curve must meet.")
    ] = None,
    per: Annotated[
        str | None, typer.Option(help="Unit of x where it holds dates: second, day, year, …")
    ] = None,
    level: Annotated[float, typer.Option(help="Of the confidence intervals.")] = 0.95,
    style: o.StyleOption = None,
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
    again: o.AgainOption = False,
    quiet: o.QuietOption = False,
) -> None:
    """Fit a polynomial to two columns of files, streamed: memory does not grow with them.

    Exact least squares, unless --optimizer asks for a descent: then in Chebyshev coordinates and at
    the fastest stable rate, unless --basis and --learning-rate say otherwise.
    """
    from polydescent.arrays import Kind
    from polydescent.cli.show import Wanted, show
    from polydescent.errors import BadCall
    from polydescent.models.journal import kept_in
    from polydescent.regression.progress import Progress
    from polydescent.regression.request import Request
    from polydescent.regression.training import Descent

    descent = (
        None
        if optimizer in (None, "exact")
        else Descent.parse(
            basis=basis or "chebyshev",
            optimizer=o.optimizer_of(optimizer, learning_rate, momentum),
            start=o.start_of(start),
            seed=seed,
            steps=steps,
            allow_divergence=allow_divergence,
            progress=not quiet,
            over=over,
        )
    )
    kind = Kind.choose(backend, device, dtype)
    format = o.format_of(null, delimiter, decimal, comment, columns, hive)
    request = Request.parse(
        files,
        y,
        x=x,
        weights=weights,
        sigma=sigma,
        counts=counts,
        where=where,
        file_format=format,
        missing=missing,
        per=per,
        again=again,
        **o.curve_of(degree, hold, terms, through, criterion, folds, absolute_sigma),
    )
    problem = request.problem
    if descent is not None:
        problem.check_plain()
    table = problem.degree if problem.auto else 0
    wanted = Wanted(log_every, json, trace, plot, explore, level, style, table)
    wanted.check(None if descent is None else steps)
    if save and problem.auto and problem.auto.needs_rows:
        raise BadCall(
            f"--save keeps no rows, and --criterion {criterion} leaves rows out: look which degree "
            "it chooses without --save, then save with that --degree."
        )
    o.say_guesses(request.source)
    streamed = kind == Kind() and over == o.Over.summary
    if not streamed:
        if save:
            raise BadCall(
                "--save streams the rows in float64: leave out --over rows, --backend, --device "
                "and --dtype."
            )
        request = request.gathered(kind)
    curve: dict[str, object] = {"degree": degree, "fix": hold, "terms": terms, "through": through}
    if criterion is not None:
        curve["criterion"] = criterion
    if absolute_sigma:
        curve["absolute_sigma"] = True
    kept = kept_in(save, curve, again) if save else None
    with Progress(request.source, quiet or not streamed) as progress:
        found = request.read(progress, kept)
    fitted = request.answer(*found, descent)
    extra: dict[str, object] = {"file": " ".join(files), "x": x, "y": y}
    if descent is not None:
        extra["seed"] = seed
    if fitted.summary.omitted:
        extra["rows omitted"] = f"{fitted.summary.omitted:,}"
    if save:
        extra["saved in"] = save
    show(fitted, wanted, extra, title=" ".join(files))
