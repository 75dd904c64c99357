"""On a terminal, in a pipe, without color: the same words, and never wider than asked."""

import os
import re
import subprocess
import sys

import pytest

STYLED = re.compile(r"\x1b\[[0-9;]*m")
COMMANDS = {
    "approximate": ["approximate", "sin(x)"],
    "long equation": ["approximate", "sin(x)", "--degree", "11", "--log-every", "0"],
    "exact": ["approximate", "sin(x)", "--optimizer", "exact"],
    "adam": ["approximate", "sin(x)", "--optimizer", "adam"],
    "trace": ["approximate", "sin(x)", "--log-every", "0", "--trace", "3"],
    "explain": ["explain"],
    "help": ["--help"],
    "help of a command": ["approximate", "--help"],
}


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    return kept | {"TERM": "xterm-256color"} | more


def in_a_pipe(*arguments, **more):
    command = [sys.executable, "-m", "polydescent", *arguments]
    done = subprocess.run(command, capture_output=True, env=environment(**more), timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(more.get("PYTHONIOENCODING", "utf-8"))


def on_a_terminal(*arguments, columns=80, **more):
    """What the command writes to a terminal so wide."""
    fcntl, pty, struct, termios = map(pytest.importorskip, ("fcntl", "pty", "struct", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "polydescent", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**more), close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # Linux: the other end was closed
            break
        if not block:
            break
        written += block
    os.close(ours)
    assert process.wait(60) == 0
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("case", COMMANDS)
def test_in_a_pipe_there_are_plain_lines(case):
    out = in_a_pipe(*COMMANDS[case])
    assert "\x1b" not in out
    assert not re.search("[╭╮╰╯│─]", out)
    whole = ("long equation", "exact", "adam")  # one fact is one line, for grep, however long
    assert max(map(len, out.splitlines())) <= 80 or case in whole


@pytest.mark.parametrize(
    ("case", "columns"), [*((case, 80) for case in COMMANDS), ("approximate", 60), ("adam", 50)]
)
def test_a_terminal_is_not_overflowed(case, columns):
    out = on_a_terminal(*COMMANDS[case], columns=columns)
    assert max(len(STYLED.sub("", line)) for line in out.splitlines()) <= columns


@pytest.mark.parametrize("case", ["approximate", "long equation", "exact", "trace", "explain"])
def test_a_terminal_says_the_same_as_a_pipe(case):
    told = STYLED.sub("", on_a_terminal(*COMMANDS[case]))
    assert told.split() == in_a_pipe(*COMMANDS[case]).split()


def test_tables_keep_their_lines_at_eighty_columns():
    told = STYLED.sub("", on_a_terminal(*COMMANDS["exact"]))
    plain = in_a_pipe(*COMMANDS["exact"]).splitlines()
    start = next(i for i, line in enumerate(plain) if line.startswith("term "))
    assert "\n".join(line.rstrip() for line in told.splitlines()).endswith("\n".join(plain[start:]))


def test_color_is_for_terminals_that_want_it():
    def colors(**more):
        out = on_a_terminal("approximate", "sin(x)", "--log-every", "0", **more)
        return set(re.findall(r"\x1b\[([0-9;]*)m", out)) - {"0", "1", "2", ""}

    assert colors() == {"33"}  # yellow: steps exhausted
    assert not colors(NO_COLOR="1")
    assert not colors(TERM="dumb")


def test_words_come_out_whatever_the_encoding():
    out = in_a_pipe("approximate", "sin(x)", "--log-every", "0", PYTHONIOENCODING="cp1252")
    assert "Result: y = " in out


def test_the_reader_may_go_away():
    command = f"{sys.executable} -m polydescent explain | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "1. The model\n"
    assert not done.stderr
