"""polydescent update: new rows into a saved model, without reading the old ones again."""

from __future__ import annotations

from polydescent.cli import options as o
from polydescent.cli.declare import argument, command
from polydescent.cli.terminal import say

_TYPED = ("data", "again", "trusted", "format")  # what no model says of its sources


@command(
    model=argument("A model file, from fit --save."),
    files=argument("Files, globs or SQL with the new rows.", many=True),
    text_files=o.TextFiles,
    again=o.AGAIN,
    trust=o.TRUST,
    quiet=o.QUIET,
)
def update(
    model: str,
    files: tuple[str, ...],
    text_files: o.TextFiles,
    again: bool,
    trust: bool,
    quiet: bool,
) -> None:
    """Add the rows of files to a saved model: the columns and expressions are the model's own.

    Killed or stopped, the same command goes on where it was, and counts each row once.
    """
    from inspect import signature
    from pathlib import Path

    from polydescent.errors import NoColumns, UnknownName
    from polydescent.models import groups, journal
    from polydescent.models import model as store
    from polydescent.regression.progress import Progress
    from polydescent.rows.files import files as source_of

    path = Path(model)
    if groups.is_groups(path):
        from polydescent.cli.groups import update_groups

        update_groups(model, files, text_files, again, trust, quiet)
        return
    before = store.load(path)
    asked = dict(before.asked)
    if "x" not in asked or "y" not in asked:
        raise NoColumns(model)
    missing = asked.pop("missing", "raise")
    format = text_files.format(asked.pop("format", ""))
    # by name: a model must not answer for its own trustworthiness
    known = [name for name in signature(source_of).parameters if name not in _TYPED]
    for setting in asked:  # of a version that could read other files
        if setting not in known:
            raise UnknownName("setting of a source", setting, known, model)
    source = source_of(list(files), again=again, trusted=trust, format=format, **asked)
    o.say_guesses(source)
    job = journal.Job(source, path, before.summary.degree, missing, is_update=True, again=again)
    with Progress(source, quiet) as progress:
        after = journal.run(job, watch=progress)
    added = sum(s.rows or 0 for s in after.sources[len(before.sources) :])
    say(f"{added:,} rows read, {model} now holds {after.summary.n:,}")
    if after.summary.omitted:
        say(f"{after.summary.omitted:,} rows with missing values were omitted in all")
