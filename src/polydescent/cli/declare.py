"""Options as fields of frozen values, arguments, and commands that are functions of these values.

class Descent(Options):
    "Descent."                                   # the heading above its options in --help
    steps: int = whole("Updates to make.", 2000)     # --steps

@command(function=argument("A function of x."), descent=Descent)
def approximate(function: str, descent: Descent) -> None: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import click
from click.core import ParameterSource

from polydescent.cli.terminal import write

# ── one option, to be the value of a field: the field's name is its flag ──


class Declared:
    """An option or an argument without its name. Its value where nothing is typed: default."""

    def __init__(self, kind: type[click.Parameter], says: str, *flags: str, **settings: Any):
        self.kind, self.says, self.flags = kind, says, flags
        # a default of None would make what is required optional
        self.settings = {name: value for name, value in settings.items() if value is not None}
        many = settings.get("multiple") or settings.get("nargs") == -1
        self.default = () if many else settings.get("default")

    def named(self, name: str) -> click.Parameter:
        """The parameter as click has it: absolute_sigma is --absolute-sigma."""
        if self.kind is _Argument:
            return _Argument(name, self.says, **self.settings)
        flags = [*self.flags, f"--{name.replace('_', '-')}", name]
        return click.Option(flags, help=self.says, show_default=True, **self.settings)


def text(
    says: str,
    shape: str | None = None,
    default: str | None = None,
    required: bool = False,
    short: str = "",
) -> Any:
    """Text as it was typed; shape: what --help shows in its place. short: one letter, as -o."""
    flags = [short] if short else []
    return Declared(click.Option, says, *flags, metavar=shape, default=default, required=required)


def texts(says: str, shape: str) -> Any:
    """A tuple of texts: the option may come several times."""
    return Declared(click.Option, says, metavar=shape, multiple=True)


def choice(
    says: str, of: Sequence[str], default: str | None = None, shape: str | None = None
) -> Any:
    """One of these words; shape: what --help shows in their place where they are many, which then
    stand behind what it says.
    """
    says = says if shape is None else f"{says}  [{', '.join(of)}]"
    return Declared(click.Option, says, type=click.Choice(of), default=default, metavar=shape)


def whole(
    says: str, default: int | None = None, least: int | None = None, shape: str | None = None
) -> Any:
    """A whole number, at least `least`."""
    kind = click.INT if least is None else _AtLeast(min=least)
    return Declared(click.Option, says, type=kind, default=default, metavar=shape)


def number(says: str, default: float | None = None) -> Any:
    """A number."""
    return Declared(click.Option, says, type=click.FLOAT, default=default)


def flag(says: str) -> Any:
    """True where it was typed."""
    return Declared(click.Option, says, is_flag=True, default=False)


def argument(says: str, many: bool = False, required: bool = True) -> Any:
    """A word that is no option; many: a tuple of all that are left."""
    return Declared(_Argument, says, nargs=-1 if many else 1, required=required)


class _AtLeast(click.IntRange):
    """A whole number that --help calls an integer, not an integer range."""

    name = "integer"


class _Argument(click.Argument):
    """An argument that says what it is."""

    def __init__(self, name: str, says: str, nargs: int, required: bool):
        shown = name.upper() if required else f"[{name.upper()}]"
        shown += "..." if nargs == -1 else ""
        super().__init__([name], nargs=nargs, required=required, metavar=shown)
        self._record = shown, f"{says}  [required]" if required else says

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        return self._record


# ── options that go together ──


class Options:
    """The values typed for options that go together, frozen. A subclass has a line for each, and a
    docstring of one sentence, which is the heading in --help.
    """

    declared: ClassVar[dict[str, Declared]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Declared)}
        cls.declared = cls.declared | own

    def __init__(self, **typed: Any):
        if unknown := typed.keys() - self.declared.keys():
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}")
        defaults = {name: part.default for name, part in self.declared.items()}
        vars(self).update(defaults | typed)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    @classmethod
    def heading(cls) -> str:
        return inspect.cleandoc(cls.__doc__ or "").partition(".")[0]


# ── commands ──


def command(**parts: Any) -> Callable[[Callable[..., None]], click.Command]:
    """Makes the command of a function, of its name and with its docstring for --help. Each keyword
    is one of the function's arguments: one option or argument, or a class of `Options`.
    """

    def of(function: Callable[..., None]) -> click.Command:
        groups = {name: part for name, part in parts.items() if not isinstance(part, Declared)}
        sections: dict[str, list[click.Parameter]] = {}
        own: list[click.Parameter] = []
        for name, part in parts.items():
            if name in groups:
                sections[part.heading()] = [one.named(n) for n, one in part.declared.items()]
            elif part.kind is _Argument:
                sections.setdefault("Arguments", []).append(part.named(name))
            else:
                own.append(part.named(name))

        def run(**typed: Any) -> None:
            values = {
                name: group(**{option: typed.pop(option) for option in group.declared})
                for name, group in groups.items()
            }
            function(**typed, **values)

        says = inspect.getdoc(function)
        return _Command(function.__name__, run, says, sections | {"Options": [*own, HELP]})

    return of


def typed() -> list[str]:
    """The flags that were typed after the command that runs, in its order."""
    context = click.get_current_context()
    return [
        parameter.opts[-1]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.name is not None
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]


class _Command(click.Command):
    """A command whose --help shows its options under headings."""

    def __init__(
        self, name: str, run: Callable[..., None], says: str | None, sections: dict[str, list]
    ):
        params = [parameter for there in sections.values() for parameter in there]
        super().__init__(name, callback=run, help=says, params=params, add_help_option=False)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, there in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([parameter.get_help_record(ctx) for parameter in there])


def _show_help(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        write(ctx.get_help())  # not click's own echo, which writes UTF-8 to a terminal of ASCII
        ctx.exit()


HELP = click.Option(
    ["--help"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_help,
    help="Show this message and exit.",
)
