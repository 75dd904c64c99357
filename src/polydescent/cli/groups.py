"""What fit, update, merge and predict do where there is a curve for each key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydescent.cli import options as o
from polydescent.cli.declare import Options, text, texts
from polydescent.cli.terminal import csv_field, fact, say, write, written_to
from polydescent.errors import BadCall, BadSetting

if TYPE_CHECKING:
    from polydescent.many.fits import Fits

_LABEL = 28  # columns for the names of the facts
_TABLES = (".csv", ".parquet", ".pq")


class Groups(Options):
    """A curve for each key."""

    by: tuple[str, ...] = texts(
        "One curve for each key: columns, or SQL; may come again.", "COLUMN[,COLUMN]"
    )
    out: str | None = text("Write a row for each curve to a .csv or .parquet.", "FILE")
    key: str | None = text("Show the curve of this key.", "KEY[,KEY]")

    def columns(self) -> list[str]:
        """What makes a key. Raises BadSetting."""
        found = [part for typed in self.by for part in _between_commas(typed)]
        if not all(found):
            raise BadSetting("--by", ",".join(self.by), "columns, with commas between")
        return found

    def check_absent(self) -> None:
        """Raise BadCall for what needs keys, where there are none."""
        for name in ("out", "key"):
            if getattr(self, name) is not None:
                raise BadCall(f"--{name} is for a curve of each key: say which with --by COLUMN.")


def _between_commas(typed: str) -> list[str]:
    """The parts of a text between commas that stand in no parentheses and no quotes."""
    found, start, depth, quote = [], 0, 0, ""
    for place, letter in enumerate(typed):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and not depth:
            found.append(typed[start:place].strip())
            start = place + 1
    return [*found, typed[start:].strip()]


def fit_groups(
    files: Sequence[str],
    columns: o.Columns,
    text_files: o.TextFiles,
    curve: o.Curve,
    output: o.Output,
    groups: Groups,
    save: str | None,
    again: bool,
) -> None:
    """Fit a curve for each key of the rows, and print how they came out."""
    from polydescent.many.fits import fits_of
    from polydescent.many.held import KnownOfEach, problem_of
    from polydescent.many.passes import summaries_by_key
    from polydescent.regression.progress import Progress
    from polydescent.regression.request import weights_of
    from polydescent.rows.calendar import check_unit
    from polydescent.rows.source_of import source_of

    asked, by = columns.asked(), groups.columns()
    curves = curve.asked(columns.absolute_sigma)
    del curves["folds"]
    known = KnownOfEach(curves.pop("fix"), curves.pop("terms"), curves.pop("through"))
    problem = problem_of(curves.pop("degree"), known, **curves)
    check_unit(columns.per)
    _check(output, groups, save)
    source = source_of(
        list(files),
        asked["y"],
        asked["x"],
        weights_of(asked["weights"], asked["sigma"]),
        asked["where"],
        again,
        asked["counts"],
        text_files.format(),
        by,
    )
    o.say_guesses(source)
    with Progress(source, output.quiet) as progress:
        if save is None:
            found = summaries_by_key(source, problem.degree, columns.missing, progress)
            summaries = found.in_unit(columns.per)
        else:
            from polydescent.models.group_journal import GroupJob
            from polydescent.models.journal import run

            job = GroupJob(
                source,
                Path(save),
                problem.degree,
                columns.missing,
                again=again,
                curve=curve.kept(columns.absolute_sigma),
                per=columns.per,
            )
            summaries = run(job, progress).summaries
    fits = fits_of(summaries, problem, None, known)
    extra: dict[str, object] = {"file": " ".join(files), "x": columns.x, "y": columns.y}
    extra["by"] = ", ".join(by)
    if save is not None:
        extra["saved in"] = save
    show_groups(fits, output, groups, extra)


def _check(output: o.Output, groups: Groups, save: str | None) -> None:
    """Refuse what could not be shown or kept, before any work is done.

    Raises BadCall, BadSetting, NoFolder, MissingExtra.
    """
    from polydescent.cli.show import check
    from polydescent.models.groups import SUFFIXES
    from polydescent.sealed.atomic import check_folder

    if save is not None and not save.lower().endswith(SUFFIXES):
        raise BadSetting("--save", save, "a file that ends in .parquet where there is --by")
    if groups.out is not None:
        if not groups.out.lower().endswith(_TABLES):
            raise BadSetting("--out", groups.out, f"a file that ends in {', '.join(_TABLES)}")
        check_folder(groups.out)
    if groups.key is None and (output.explore is not None or output.style is not None):
        name = "--style" if output.explore is None else "--explore"
        raise BadCall(f"{name} shows one curve: say which with --key.")
    if output.trace is not None:
        raise BadCall("--trace shows a step of a descent, and --by takes none: leave it out.")
    check(output, None)


def show_groups(fits: Fits, output: o.Output, groups: Groups, extra: dict[str, Any]) -> None:
    """Write the files that were asked for, then print how many curves came out how, and the first
    of them; or the curve of one key.
    """
    if groups.out is not None:
        _write_table(fits, groups.out)
        extra["table in"] = groups.out
    if groups.key is not None:
        from polydescent.cli.show import show

        show(one_of_key(fits, groups.key), output, extra | {"key": groups.key}, groups.key)
        return
    if output.plot is not None:
        from polydescent.report.many_panels import write_panels

        with written_to(output.plot):
            write_panels(fits, output.plot, str(extra["file"]))
    if output.json:
        from polydescent.cli.show import in_json

        write(in_json(extra | facts(fits)))
        return
    from polydescent.report.many_text import first_curves, headline, notes

    say(headline(fits), "bold")
    say()
    for name, value in [(n, str(v)) for n, v in extra.items()] + notes(fits):
        fact(name, value, _LABEL)
    head, rows = first_curves(fits)
    if rows:
        say()
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        for row in [head, *rows]:
            cells = zip(row, widths, strict=True)
            say("  ".join(cell.rjust(width) for cell, width in cells))
    if len(fits) > len(rows):
        say(f"and {len(fits) - len(rows):,} more: --out FILE writes them all")
    if output.plot is not None:
        say(f"Picture: {output.plot}")


def facts(fits: Fits) -> dict[str, Any]:
    """What is printed, by name, as plain numbers: of the curves, the first ones."""
    from polydescent.many.status import counts

    first = fits[:_FIRST].to_table()
    return {
        "curves": len(fits),
        "degree": fits.degree,
        "status": {status.words: count for status, count in counts(fits.status).items()},
        "rows": int(fits.summaries.n.sum()),
        "omitted": int(fits.summaries.omitted.sum()),
        "first": [
            {name: _plain(value) for name, value in row.items()} for row in first.to_pylist()
        ],
    }


_FIRST = 6


def _plain(value: Any) -> Any:
    """A value as JSON has it; dates and other keys as text."""
    return value if isinstance(value, int | float | str | None) else str(value)


def one_of_key(fits: Fits, typed: str) -> Any:
    """The curve of a key as it was typed. Raises UnknownKey, and as a fit of its rows would."""
    return fits.at(place_of(fits, typed))


def place_of(fits: Fits, typed: str) -> int:
    """The place of a key as it was typed: parts with commas between, NULL for a missing one."""
    from polydescent.errors import UnknownKey
    from polydescent.rows.keys import find

    width = fits.keys.num_columns
    parts = tuple(_between_commas(typed)) if width > 1 else (typed,)
    try:
        return find(fits.keys, parts)
    except UnknownKey:
        if "NULL" not in parts:
            raise
        return find(fits.keys, tuple(None if part == "NULL" else part for part in parts))


def _write_table(fits: Fits, path: str) -> None:
    """A row for each curve, all of it or nothing."""
    from polydescent.rows import arrow
    from polydescent.sealed.atomic import locked, replacing

    table = fits.to_table()
    with locked(path), replacing(path) as beside:
        arrow.write_table(table, beside)


# ── files of models ──────────────────────────────────────────────────────────────────────────────


def update_groups(
    model: str,
    files: Sequence[str],
    text_files: o.TextFiles,
    again: bool,
    trust: bool,
    quiet: bool,
) -> None:
    """Add the rows of files to a model of groups, by key."""
    from polydescent.errors import NoColumns
    from polydescent.models import groups
    from polydescent.models.group_journal import GroupJob
    from polydescent.models.journal import run
    from polydescent.regression.progress import Progress
    from polydescent.rows.files import files as source_of

    path = Path(model)
    before = groups.load(path)
    asked: dict[str, Any] = dict(before.asked)
    if "x" not in asked or "y" not in asked:
        raise NoColumns(model)
    missing = asked.pop("missing", "raise")
    format = text_files.format(asked.pop("format", ""))
    source = source_of(
        list(files), again=again, trusted=trust, format=format, by=before.by, **asked
    )
    o.say_guesses(source)
    degree = before.summaries.degree
    job = GroupJob(source, path, degree, missing, is_update=True, again=again)
    with Progress(source, quiet) as progress:
        after = run(job, watch=progress)
    added = sum(s.rows or 0 for s in after.sources[len(before.sources) :])
    new = len(after.summaries.n) - len(before.summaries.n)
    say(
        f"{added:,} rows read, {model} now holds {int(after.summaries.n.sum()):,} of "
        f"{len(after.summaries.n):,} groups, {new:,} of them new"
    )
    if after.summaries.omitted.any():
        omitted = int(after.summaries.omitted.sum())
        say(f"{omitted:,} rows with missing values were omitted in all")


def merge_groups(models: Sequence[str], output: str, again: bool) -> None:
    """Merge models of groups, by key."""
    from polydescent.models import groups

    merged = groups.merge(models, output, again).summaries
    say(
        f"{output} holds {int(merged.n.sum()):,} rows of {len(merged.n):,} groups of "
        f"{len(models)} models"
    )


def predict_groups(
    fits: Fits,
    at: Sequence[Any],
    source: Any,
    x_name: str,
    y_name: str,
) -> None:
    """Print the y of all curves at each x, or that of the curve of each row: CSV lines."""
    import numpy as np

    from polydescent.many.tables import values_at
    from polydescent.rows import keys

    names = [csv_field(name) for name in [*fits.keys.column_names, x_name, y_name]]
    if at:
        write(",".join(names))
        labels = list(zip(*(column.to_pylist() for column in fits.keys.columns), strict=True))
        for place in at:
            number = fits.axis.number(place)
            text_of = str(place) if fits.axis.is_dates else repr(place)
            found = values_at(fits, np.full(len(fits), number), np.arange(len(fits)))
            for key, value in zip(labels, found.tolist(), strict=True):
                write(",".join([*map(_field, key), text_of, repr(value)]))
    if source is None:
        return
    header = [",".join(names)] if not at else []
    for part in source.parts:
        part.rereadable = False  # so that rows come in their order
        for rows, _ in part.chunks():
            known = ~np.isnan(rows.x)
            texts_of = np.full(rows.n, "nan", dtype=object)
            texts_of[known] = rows.axis.texts(rows.x[known])
            x = np.where(known, rows.axis.on(rows.x, fits.axis), np.nan)
            places = keys.places(fits.keys, rows.keys)
            found = values_at(fits, x, places)
            labels = list(
                zip(*(column.to_pylist() for column in rows.keys.table.columns), strict=True)
            )
            lines = zip(rows.keys.codes.tolist(), texts_of, found.tolist(), strict=True)
            write(
                "\n".join(
                    [
                        *header,
                        *(
                            ",".join([*map(_field, labels[code]), x_text, repr(y)])
                            for code, x_text, y in lines
                        ),
                    ]
                )
            )
            header = []
    if header:
        write(header[0])


def _field(part: Any) -> str:
    """A part of a key as a field of CSV; nothing for a missing one."""
    return "" if part is None else csv_field(str(part)) if isinstance(part, str) else str(part)
