"""Write what the examples of a page print into the page: `python docs/refill.py docs/howto/*.md`.

Blocks of a page run in order, in one folder that holds the tables of tests/data. An output with "…"
or "..." in it was shortened by hand and stays. Read the difference before you commit it.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(\$ (?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", re.MULTILINE)
WIDTH = 96


def refill(text: str) -> str:
    """The page with the outputs of today."""
    names: dict = {"__name__": "__main__"}

    def block(fence: re.Match) -> str:
        body = _python(fence[2], names) if fence[1] == "python" else _console(fence[2])
        return f"```{fence[1]}\n{body}```"

    return FENCE.sub(block, text)


def _python(block: str, names: dict) -> str:
    lines = []
    for example in doctest.DocTestParser().get_examples(block):
        first, *others = example.source.rstrip("\n").split("\n")
        lines += [f">>> {first}", *(f"... {line}".rstrip() for line in others)]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(example.source, "<page>", "single"), names)
            except Exception as error:
                print("Traceback (most recent call last):\n    ...")
                kind = type(error)
                place = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
                print(f"{place}{kind.__name__}: {error}")
        shortened = "..." in example.want and not example.want.startswith("Traceback")
        found = example.want if shortened else printed.getvalue()
        lines += [part for line in found.rstrip("\n").split("\n") if found for part in _wrap(line)]
    blank = "\n" if block.endswith("\n\n") else ""  # ends the last output where no fence is known
    return "\n".join(lines) + "\n" + blank


def _console(block: str) -> str:
    def run(command: re.Match) -> str:
        if not command[1].startswith("$ polydescent "):
            return command[0]
        words = [sys.executable, "-m", *shlex.split(command[1][2:].replace("\\\n", " "))]
        quiet = os.environ | {"COLUMNS": "80", "NO_COLOR": "1"}
        done = subprocess.run(words, capture_output=True, text=True, env=quiet, check=False)
        if "…" in command[2]:
            return command[0]
        found = (done.stdout + done.stderr).splitlines()
        return command[1] + "".join(f"{part}\n" for line in found for part in _wrap(line))

    return COMMAND.sub(run, block)


def _wrap(line: str) -> list[str]:
    if len(line) <= WIDTH + 20:
        return [line]
    return textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    for page in map(Path.resolve, map(Path, sys.argv[1:])):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            for table in (ROOT / "tests" / "data").glob("*.csv"):
                shutil.copy(table, folder)
            before = page.read_text(encoding="utf-8")
            after = refill(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"refilled {page.relative_to(ROOT)}")
