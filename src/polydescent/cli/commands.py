"""The table of subcommands, one file each, and what they have in common."""

from __future__ import annotations

from importlib import import_module

import click

from polydescent.cli.declare import HELP
from polydescent.cli.terminal import say
from polydescent.errors import UnknownName

NAMES = ("approximate", "fit", "update", "merge", "predict", "explain")


class _Tree(click.Group):
    """The subcommands by name, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in NAMES:
            raise UnknownName("command", cmd_name, NAMES)
        return loaded(cmd_name)


def loaded(name: str) -> click.Command:
    """The subcommand of this name."""
    return getattr(import_module(f"polydescent.cli.{name}"), name)


def every() -> dict[str, click.Command]:
    """All subcommands by name."""
    return {name: loaded(name) for name in NAMES}


def _say_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from polydescent import __version__
        from polydescent.triangle import kernels

        say(f"polydescent {__version__}")
        for line in kernels.described().splitlines():
            say(line)
        ctx.exit()


VERSION = click.Option(
    ["--version"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Say which, and which kernels it has.",
)
TREE = _Tree(
    "polydescent",
    help="Polynomial regression by gradient descent: exact, explained, of any size.",
    params=[VERSION, HELP],
    add_help_option=False,
)
