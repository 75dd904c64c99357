"""What Python calls missing="omit" the command calls --missing omit: refusals in its own words."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

# Whole phrases that are about Python, and what the command says instead.
_PHRASES = [
    (r' Pass outside="ignore" if that is meant, or fit data that reach so far\.',
     " Fit data that reach so far."),
    (r"a mapping of powers 0 to (\d+) to numbers, such as \{0: 0\.0\}, found .*\.",
     r"powers of 0 to \1 with finite values, such as 0=0,2=1.5."),
    (r"the powers of x to use, such as \[1, 3\]", "the powers of x to use, such as 1,3"),
    (r"a point \(x, y\) of (.*), or a list of such points with different x, found .*\.",
     r"points X,Y of \1, each with another X."),
    (r"Summarize again with a larger degree=", "Make the model again with a larger --degree"),
    (r"Lower the larger one first: summary\.lower\((\d+)\)",
     r"Make the larger one again with --degree \1"),
    (r", and forecast\.loss_at\(step\) tells the loss at any step without walking there", ""),
    (r"nothing to draw for kind=\"(\w+)\"", r"no picture of the \1"),
    (r" ?Use kind=\"\w+\"[^.]*\.", ""),
    (r", or one of polydescent\.losses, as losses\.Huber\(c=2\)",
     ", or with a setting, as huber:2"),
    (r" Use descend\(…\) for them\.", " Use --optimizer for them."),
    (r" Descend instead: descend\(…\), or --optimizer gd", " Descend instead: --optimizer gd"),
    (r"\bMomentum\(\)", "--optimizer momentum"),
    (r", or None for the fastest", ", or fastest"),
    (r"FileFormat\((\w+)=…\)", r"--\1"),
    (r"\bUse float64 or\b", "Use --dtype float64 or"),
]  # fmt: skip

_PYTHON = re.compile(r"[=(\[{…]|None|float64| must be ")  # one of these is in all that is about it

# What a user typed stands in quotes and is left alone; so does what another program said.
_QUOTED = r"""(?<![\w=])'(?:[^'\\]|\\.)*'|(?<![\w=])"(?:[^"\\]|\\.)*"|\b\w+ Error: .*"""
_VALUE = r"""(?:True\b|"[^"]*"|[-+]?[\d.][\w.+-]*\b)?"""


def spoken(text: str, command: str = "fit") -> str:
    """The text of a refusal, a warning or an advice, as `command` says it."""
    if not _PYTHON.search(text):
        return text
    for pattern, instead in _PHRASES:
        text = re.sub(pattern, instead, text)
    if not re.search(r"\w=| must be ", text):
        return text  # no setting in it: the options need not be looked up
    every = {keyword for there in _keywords().values() for keyword in there}
    names = "|".join(sorted(every, key=len, reverse=True))
    here = _keywords().get(command, every)
    setting = re.match(rf"({names}) must be ", text)
    if setting and setting[1] not in ("x", "y"):
        text = _flag(setting[1], "", here) + text[setting.end(1) :]
    # x= and y= are no settings: they stand in formulas and in SQL too
    pattern = rf"{_QUOTED}|(?<![\w.-])(?!x=|y=)(?P<name>{names})=(?P<value>{_VALUE})"

    def option(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        return found[0] if name is None else _flag(name, value, here)

    return re.sub(pattern, option, text, flags=re.DOTALL)


def _flag(name: str, value: str, here: set[str]) -> str:
    """--name value; another command's own is said to be that."""
    value = "" if value == "True" else f" {value.strip(chr(34))}" if value else ""
    whose = "" if name in here else " (of polydescent fit)"
    return f"--{name.replace('_', '-')}{value}{whose}"


@cache
def _keywords() -> dict[str, set[str]]:
    """The options of each command, spelled as the keywords of Python that they are."""
    every = import_module("polydescent.cli.commands").every  # which imports whoever asks here
    return {
        name: {
            flag[2:].replace("-", "_")
            for parameter in command.params
            for flag in parameter.opts
            if flag.startswith("--")
        }
        for name, command in every().items()
    }
