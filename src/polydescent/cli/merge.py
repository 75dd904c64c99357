"""polydescent merge: the model of the rows of several models."""

from __future__ import annotations

from polydescent.cli.declare import argument, command, flag, text
from polydescent.cli.terminal import say


@command(
    models=argument("Two model files or more.", many=True),
    output=text("Where to save the result.", required=True, short="-o"),
    again=flag("Merge models that hold the same file, too."),
)
def merge(models: tuple[str, ...], output: str, again: bool) -> None:
    """Merge models of different rows, of the same columns, into one, which may be one of them."""
    from polydescent.models import groups
    from polydescent.models import model as store

    if models and groups.is_groups(models[0]):
        from polydescent.cli.groups import merge_groups

        merge_groups(models, output, again)
        return
    merged = store.merge(models, output, again)
    say(f"{output} holds {merged.summary.n:,} rows of {len(models)} models")
