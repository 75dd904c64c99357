"""polydescent fit: the polynomial of two columns of a file, exactly or step by step."""

from __future__ import annotations

from polydescent.cli import options as o
from polydescent.cli.declare import Options, argument, command, text


class Keep(Options):
    """The model file."""

    save: str | None = text("Keep the summary in a model file.", "MODEL")
    again: bool = o.AGAIN


@command(
    files=argument("CSV, TSV, Parquet, JSON, Arrow (.gz too), globs, SQL, or -.", many=True),
    columns=o.Columns,
    text_files=o.TextFiles,
    curve=o.Curve,
    descent=o.Descent,
    place=o.Place,
    output=o.Output,
    keep=Keep,
)
def fit(
    files: tuple[str, ...],
    columns: o.Columns,
    text_files: o.TextFiles,
    curve: o.Curve,
    descent: o.Descent,
    place: o.Place,
    output: o.Output,
    keep: Keep,
) -> None:
    """Fit a polynomial to two columns of files, streamed: memory does not grow with them.

    Exact least squares, unless --optimizer asks for a descent: then in Chebyshev coordinates and at
    the fastest stable rate, unless --basis and --learning-rate say otherwise.
    """
    from polydescent.arrays import Kind
    from polydescent.cli.reading import Reading
    from polydescent.cli.show import check, show
    from polydescent.errors import BadCall
    from polydescent.regression.request import absolute_sigma_of, weights_of
    from polydescent.rows.files import files as source_of

    exact = descent.is_exact or descent.optimizer is None
    settings = None if exact else descent.settings("chebyshev", output.quiet)
    kind = place.kind()
    highest, asked = o.asked_of_fit(**vars(curve))
    check(output, None if settings is None else descent.steps)
    if settings is not None and asked:
        raise BadCall(
            "--optimizer walks with all terms of one degree: leave out --fix, --terms, "
            "--through and --degree auto."
        )
    if keep.save and "auto" in asked and asked["auto"].needs_rows:
        raise BadCall(
            f"--save keeps no rows, and --criterion {curve.criterion} leaves rows out: look which "
            "degree it chooses without --save, then save with that --degree."
        )
    omega = weights_of(columns.weights, columns.sigma)
    source = source_of(
        list(files),
        columns.x,
        columns.y,
        omega,
        columns.where,
        keep.again,
        columns.counts,
        format=text_files.format(),
    )
    o.say_guesses(source)
    kept = curve.kept()
    if absolute_sigma_of(columns.absolute_sigma, columns.weights, columns.sigma):
        kept["absolute_sigma"] = True
        (asked if settings is None else settings)["absolute_sigma"] = True
    reading = Reading(
        source,
        highest,
        columns.missing,
        keep.save,
        output.quiet,
        asked,
        columns.per,
        kept,
        keep.again,
    )
    streamed = kind == Kind() and descent.over == "summary"
    fitted = reading.fit(settings) if streamed else reading.fit_in(kind, descent.over, settings)
    extra: dict[str, object] = {"file": " ".join(files), "x": columns.x, "y": columns.y}
    if settings is not None:
        extra["seed"] = descent.seed
    if fitted.summary.omitted:
        extra["rows omitted"] = f"{fitted.summary.omitted:,}"
    if keep.save:
        extra["saved in"] = keep.save
    degrees = highest if "auto" in asked else 0
    show(fitted, output, extra, " ".join(files), descent.log_every, degrees)
