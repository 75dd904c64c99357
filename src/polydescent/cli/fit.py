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
    from polydescent.cli.show import check, show
    from polydescent.errors import BadCall
    from polydescent.models.journal import kept_in
    from polydescent.regression.progress import Progress
    from polydescent.regression.request import Request

    exact = descent.is_exact or descent.optimizer is None
    walk = None if exact else descent.asked("chebyshev", output.quiet)
    kind = place.kind()
    request = Request.parse(
        list(files),
        file_format=text_files.format(),
        again=keep.again,
        **columns.asked(),
        **curve.asked(columns.absolute_sigma),
    )
    problem = request.problem
    if walk is not None:
        problem.check_plain()
    check(output, None if walk is None else walk.steps)
    if keep.save is not None and problem.auto and problem.auto.needs_rows:
        raise BadCall(
            f"--save keeps no rows, and --criterion {curve.criterion} leaves rows out: look which "
            "degree it chooses without --save, then save with that --degree."
        )
    o.say_guesses(request.source)
    streamed = kind == Kind() and descent.over == "summary" and not output.diagnose
    if not streamed:
        if keep.save is not None:
            raise BadCall(
                "--save streams the rows in float64: leave out --over rows, --diagnose, "
                "--backend, --device and --dtype."
            )
        request = request.gathered(kind)
    typed = curve.kept(columns.absolute_sigma)
    kept = None if keep.save is None else kept_in(keep.save, typed, keep.again)
    with Progress(request.source, output.quiet or not streamed) as progress:
        found = request.read(progress, kept)
    fitted = request.answer(*found, walk)
    extra: dict[str, object] = {"file": " ".join(files), "x": columns.x, "y": columns.y}
    if walk is not None:
        extra["seed"] = descent.seed
    if fitted.summary.omitted:
        extra["rows omitted"] = f"{fitted.summary.omitted:,}"
    if keep.save is not None:
        extra["saved in"] = keep.save
    degrees = problem.degree if problem.auto else 0
    show(fitted, output, extra, " ".join(files), descent.log_every, degrees)
