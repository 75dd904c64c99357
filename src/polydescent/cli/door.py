"""The last door of the command: all that goes wrong behind it becomes one line and an exit code."""

from __future__ import annotations

import codecs
import os
import sys
import warnings
from io import TextIOWrapper

import click

from polydescent.cli import GOODBYE, STOPPED, stopped
from polydescent.cli.commands import NAMES, TREE
from polydescent.cli.terminal import STANDARD_OUTPUT, written_to
from polydescent.cli.wording import spoken
from polydescent.errors import ConvergenceWarning, FileRefused, PolydescentError, Stopped
from polydescent.visible import shortened, visible

_SHOW = "POLYDESCENT_TRACEBACK"
_LONGEST = 2000  # characters of a refusal


def outcome(words: list[str]) -> int:
    """Run the command with these words; the exit code. Raises nothing but a second Ctrl-C."""
    if sys.stdout is None:  # closed by >&-; a file opened now would take its place
        _complain("Standard output is closed. To see nothing, write >/dev/null instead of >&-.")
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_SPELLED)
    warnings.formatwarning = lambda message, *_: f"{_line(str(message), _command(words))}\n"
    warnings.simplefilter("ignore", ConvergenceWarning)  # what a command prints says it
    try:
        _run(words)
        with written_to(STANDARD_OUTPUT):
            sys.stdout.flush()
    except BrokenPipeError:  # the reader went away, as `| head` does
        _abandon()
        return 1
    except click.exceptions.Exit as done:
        return done.exit_code
    except BaseException as error:
        if os.environ.get(_SHOW):
            import traceback

            _write(visible(traceback.format_exc(), lines=True))
        text, code = _said(error, words)
        _complain(text, _command(words))
        if isinstance(error, OSError):
            _abandon()
        return code
    return 0


def _run(words: list[str]) -> None:
    with TREE.make_context("polydescent", list(words) or ["--help"]) as context:
        TREE.invoke(context)


def _said(error: BaseException, words: list[str]) -> tuple[str, int]:
    """(what to say about an error, exit code)."""
    if isinstance(error, Stopped):
        return str(error), STOPPED
    if stopped() or isinstance(error, KeyboardInterrupt | click.Abort):
        return GOODBYE, STOPPED
    if isinstance(error, PolydescentError):
        return str(error), 2
    if isinstance(error, click.ClickException):
        return _usage(error, words), 2
    if isinstance(error, OSError):
        return _system(error), 2
    if isinstance(error, MemoryError):
        what = str(error) or "a request was too large"
        return f"Not enough memory: {what}. Ask for fewer points or steps, or a lower degree.", 2
    import traceback  # here, since a command that ends well needs none

    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}, line {where.lineno}"
    return (
        f"A fault of ours, please report it: {type(error).__name__} in {place}: {error}. "
        f"{_SHOW}=1 before the command shows the traceback."
    ), 1


def _usage(error: click.ClickException, words: list[str]) -> str:
    """What click says of words that are no options, in one line."""
    said = " ".join(error.format_message().split())
    said += "" if said.endswith((".", "?", "?)")) else "."
    if isinstance(error, click.NoSuchOption) and not error.option_name.startswith("--"):
        # a function such as -sin(x), read as options -s, -i, -n
        option = error.option_name
        word = next((word for word in words if word.startswith(option)), option)
        return f"{said} A function or a file that begins with - goes last, after --: -- {word!r}"
    return f"{said} Try {' '.join(filter(None, ['polydescent', _command(words), '--help']))}"


def _system(error: OSError) -> str:
    """The path, the reason and what to do, of an error of the operating system."""
    if error.filename == STANDARD_OUTPUT:
        why = os.strerror(error.errno) if error.errno else str(error)
        return f"Cannot use standard output: {why}. Make room there, or write to another place."
    paths = [os.fsdecode(p) for p in (error.filename, error.filename2) if _is_path(p)]
    return str(FileRefused(" and ".join(paths) or "a file", "use", error))


def _is_path(found: object) -> bool:
    return isinstance(found, str | bytes | os.PathLike)


def _command(words: list[str]) -> str:
    """The subcommand that was asked for, "" where there is none of that name."""
    first = next((word for word in words if not word.startswith("-")), "")
    return first if first in NAMES else ""


# ── the streams ──────────────────────────────────────────────────────────────────────────────────


def _line(text: str, command: str) -> str:
    """One line for standard error."""
    words = " ".join(spoken(text, command or "fit").split("\n"))
    return shortened(visible(f"polydescent: {words}"), _LONGEST)


def _complain(text: str, command: str = "") -> None:
    _write(_line(text, command) + "\n")


def _write(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # nobody is there to be told
        pass


def _abandon() -> None:
    """Let Python's own last flush go nowhere, if standard output takes nothing any more."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


_SIGNS = {
    "−": "-", "–": "-", "·": "*", "×": "x", "±": "+/-", "…": "...", "≤": "<=", "≥": ">=",
    "←": "<-", "→": "->", "√": "sqrt ", "Σ": "sum ", "∂": "d", "∫": "integral ", "‖": "||",
    "ŷ": "y^", "α": "alpha", "β": "beta", "γ": "gamma", "η": "eta", "κ": "kappa", "λ": "lambda",
    "μ": "mu", "σ": "sigma", "χ": "chi", "ω": "omega", "∞": "inf", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵗⁿ", "0123456789+-Ttn", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """The signs of mathematics on a terminal that has none: x² is x^2 there, not x?."""
    assert isinstance(error, UnicodeEncodeError)
    found, before = "", ""
    for sign in error.object[error.start : error.end]:
        if sign in _RAISED:
            found += ("" if before in _RAISED else "^") + _RAISED[sign]
        else:
            plain = _SIGNS.get(sign) or _LOWERED.get(sign)
            found += plain or sign.encode("ascii", "backslashreplace").decode()
        before = sign
    return found, error.end


_SPELLED = "polydescent.in_ascii"
codecs.register_error(_SPELLED, _in_ascii)
