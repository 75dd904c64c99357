"""Options declared once: a flag is its field's name, a command gets each group as one value."""

import inspect
from typing import Any

import click
import pytest

from polydescent.cli import declare, options
from polydescent.cli.commands import NAMES, TREE, every

GROUPS = [
    value
    for value in vars(options).values()
    if isinstance(value, type) and issubclass(value, declare.Options) and value.declared
]
MOST = 9  # arguments of a command


class Shape(declare.Options):
    """The shape."""

    wide: int = declare.whole("How wide.", 3, least=1)
    name: str | None = declare.text("What it is called.")
    edge: tuple[str, ...] = declare.texts("An edge.", "X")
    is_round: bool = declare.flag("No corners.")
    color: str = declare.choice("Which.", ("red", "blue"), "red")
    at: float = declare.number("Where.", 0.5)


def made(**parts):
    """(a command of these parts, what its function was called with)."""
    received = {}

    def draw(**arguments):
        """Draw it."""
        received.update(arguments)

    return declare.command(**parts)(draw), received


def run(command, *words):
    with command.make_context("draw", list(words)) as context:
        command.invoke(context)


def test_a_command_receives_each_group_as_one_value():
    command, received = made(
        what=declare.argument("What."), title=declare.text("Of the drawing."), shape=Shape
    )
    run(command, "a", "--wide", "5", "--edge", "1", "--edge", "2", "--is-round", "--at", "2")
    shape = received.pop("shape")
    assert received == {"what": "a", "title": None}
    assert vars(shape) == {
        "wide": 5, "name": None, "edge": ("1", "2"), "is_round": True, "color": "red", "at": 2.0,
    }  # fmt: skip


def test_a_group_may_be_called_as_an_option_of_another():
    class Name(declare.Options):
        """The name."""

        first: str | None = declare.text("First.")

    command, received = made(shape=Shape, name=Name)
    run(command, "--name", "box", "--first", "a")
    assert (received["shape"].name, received["name"].first) == ("box", "a")


def test_nothing_typed_gives_the_defaults_of_the_group():
    command, received = made(shape=Shape)
    run(command)
    assert vars(received["shape"]) == vars(Shape())


def test_the_values_are_frozen_and_known():
    with pytest.raises(AttributeError, match="frozen"):
        Shape().wide = 4
    with pytest.raises(TypeError, match="Shape has no option height"):
        Shape(height=3)


@pytest.mark.parametrize("words", [["--wide", "0"], ["--wide", "1.5"], ["--color", "green"], []])
def test_what_is_refused(words):
    command, _ = made(what=declare.argument("What."), shape=Shape)
    with pytest.raises(click.UsageError):
        run(command, *words, *(["a"] if words else []))


def test_required_means_required():
    command, _ = made(must=declare.text("It must.", required=True, short="-m"))
    with pytest.raises(click.UsageError, match="must"):
        run(command)
    run(command, "-m", "x")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_a_flag_is_called_as_its_field_and_says_the_same_everywhere(group):
    carriers = 0
    command: Any  # ours has sections, click's own has none
    for command in every().values():
        flags = {flag: option for option in command.params for flag in option.opts}
        shared = {f"--{name.replace('_', '-')}": part for name, part in group.declared.items()}
        if group.heading() in command.sections:
            carriers += 1
            for flag, part in shared.items():
                assert flags[flag].help == part.says
                assert flags[flag] in command.sections[group.heading()]
    assert carriers


@pytest.mark.parametrize("name", NAMES)
def test_no_command_says_a_thing_twice_or_asks_for_too_much_at_once(name):
    command: Any = every()[name]
    flags = [flag for option in command.params for flag in option.opts]
    assert len(flags) == len(set(flags))
    groups = inspect.getclosurevars(command.callback).nonlocals["function"]
    assert len(inspect.signature(groups).parameters) <= MOST
    assert command.help


def test_every_field_has_its_type():
    for group in GROUPS:
        assert group.declared.keys() <= group.__annotations__.keys()


def test_the_help_of_the_whole_names_every_command():
    shown = TREE.get_help(TREE.make_context("polydescent", [], resilient_parsing=True))
    assert [line.split()[0] for line in shown.split("Commands:\n")[1].splitlines()] == [*NAMES]
