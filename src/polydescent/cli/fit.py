"""polydescent fit: the polynomial of two columns of a file, exactly or step by step."""

from __future__ import annotations

import os

from polydescent.cli import options as o
from polydescent.cli.declare import argument, command, text
from polydescent.cli.groups import Groups, fit_groups


class Keep(Groups):
    """A curve for each key, and the model file."""

    save: str | None = text("Keep the summary in a model file.", "MODEL")
    again: bool = o.AGAIN


@command(
    files=argument("CSV, TSV, Parquet, JSON, Arrow (.gz too), globs, SQL, or -.", many=True),
    columns=o.Columns,
    text_files=o.TextFiles,
    curve=o.Curve,
    judging=o.Judging,
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
    judging: o.Judging,
    descent: o.Descent,
    place: o.Place,
    output: o.Output,
    keep: Keep,
) -> None:
    """Fit a polynomial to two columns of files, streamed: memory does not grow with them.

    Exact least squares, unless --optimizer asks for a descent: then in Chebyshev coordinates and at
    the fastest stable rate, unless --basis and --learning-rate say otherwise. With --by, a curve
    for each key of the rows.
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
    if keep.by:
        if walk is not None or kind != Kind() or descent.over == "rows":
            raise BadCall(
                "--by solves for each key exactly, in float64: leave out --optimizer, --over rows, "
                "--backend, --device and --dtype."
            )
        if judging.is_given:
            raise BadCall(
                "--by folds each key into a summary of its own, and --loss and --variance look at "
                "the rows themselves: pick the rows of one key with --where."
            )
        fit_groups(files, columns, text_files, curve, output, keep, keep.save, keep.again)
        return
    keep.check_absent()
    request = Request.parse(
        list(files),
        file_format=text_files.format(),
        again=keep.again,
        **columns.asked(),
        **curve.asked(columns.absolute_sigma),
        **judging.asked(),
    )
    problem = request.problem
    if walk is not None:
        problem.check_plain()
    check(output, None if walk is None else walk.steps)
    if keep.save is not None and problem.reads_again:
        raise BadCall(
            "--save keeps a summary of the rows, and --loss and --variance look at the rows "
            "themselves: leave --save out."
        )
    if keep.save is not None and problem.auto and problem.auto.needs_rows:
        raise BadCall(
            f"--save keeps no rows, and --criterion {problem.auto.criterion} leaves rows out: look "
            "which degree it chooses without --save, then save with that --degree."
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
        if walk is None and kept is None:
            fitted = request.fit(progress)
        else:
            fitted = request.answer(*request.read(progress, kept), walk)
    extra: dict[str, object] = {"file": " ".join(files), "x": columns.x, "y": columns.y}
    if walk is not None:
        extra["seed"] = descent.seed
    if fitted.summary.omitted:
        extra["rows omitted"] = f"{fitted.summary.omitted:,}"
    if keep.save is not None:
        extra["saved in"] = keep.save
    degrees = problem.degree if problem.auto else 0
    title = " ".join(map(_named, files))
    show(fitted, output, extra, title, descent.log_every, degrees)


def _named(file: str) -> str:
    """A file without its folders, which are nobody's business but the writer's; SQL as it is."""
    is_path = os.path.exists(file) or not any(map(str.isspace, file))
    return os.path.basename(file) if is_path else file
