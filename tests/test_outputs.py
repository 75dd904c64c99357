"""Whatever is typed, and whatever stands in a file: one clear line or a right answer, nothing that
steers a terminal, valid JSON, and an exit code that says which.
"""

import ast
import contextlib
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors, memory
from polydescent.cli import door
from polydescent.cli.commands import tree
from polydescent.cli.wording import spoken
from polydescent.visible import shortened, visible

COMMAND = [sys.executable, "-m", "polydescent"]
EVIL = "a\x1b[31m\r\x07\x08b\u202ec\x9b2Jd\u2028e$\\frac{1}$<x>&\"']]>"
LONG = "z" * 100_000
DIGITS = "9" * 5000
TYPED = re.compile(r"\b(?!x=|y=)[a-z][a-z_]*=(?=[\"'\dTN.,; )]|$)")  # a keyword of Python

FILES = {
    "t.csv": "x,y\n" + "".join(f"{i},{i * i}\n" for i in range(20)),
    "dates.csv": "t,y\n" + "".join(f"2024-01-{i + 1:02d},{i}\n" for i in range(20)),
    "nan.csv": "x,y\n" + "".join(f"{i},{'nan' if i == 7 else i}\n" for i in range(20)),
    "=1+1.csv": '"=cmd()","a,b"\n' + "".join(f"{i},{i}\n" for i in range(9)),
    "evil.csv": '"' + EVIL.replace('"', '""') + '",y\n' + "".join(f"{i},{i}\n" for i in range(9)),
    "zero.csv": "x,y\n" + "".join(f"{i},0\n" for i in range(9)),
    "empty.csv": "",
    "binary.csv": "\x00\x01\x02\x1b]0;title\x07,\x1b[2J\n\x1b,1\n",
    "m.txt": "no model",
}
T = ("fit", "t.csv", "--x", "x", "--y", "y")
GD = ("--optimizer", "gd")

TYPED_WORDS = [
    (), ("--help",), ("--version",), ("nonsense",), (EVIL,), ("--" + EVIL,), ("",), (LONG,),
    ("approximate",), ("approximate", ""), ("approximate", " "), ("approximate", EVIL),
    ("approximate", LONG), ("approximate", "-x"), ("approximate", "-sin(x)"),
    ("approximate", "--", "-sin(x)"), ("approximate", "x", "y"), ("approximate", "x\x00"),
    ("approximate", "\ud800"), ("approximate", "1in x"), ("approximate", "x", "--degre", "3"),
    ("approximate", "x", "--degree", DIGITS), ("approximate", "x", "--degree", "9" * 400),
    ("approximate", "x", "--degree", "1e3"), ("approximate", "x", "--degree", "-1"),
    ("approximate", "x", "--degree", ""), ("approximate", "x", "--degree", "301"),
    ("approximate", "x", "--degree", "2", "--degree", "1"), ("approximate", "x", "--degree"),
    ("approximate", "x", "--points", str(10**12)), ("approximate", "x", "--points", "9" * 400),
    ("approximate", "x", "--points", DIGITS), ("approximate", "x", "--points", "1e6"),
    ("approximate", "x", "--points", "0"), ("approximate", "x", "--points", "-5"),
    ("approximate", "x", "--steps", "1" + "0" * 14), ("approximate", "x", "--steps", "9" * 400),
    ("approximate", "x", "--steps", "1e30"), ("approximate", "x", "--steps", "0"),
    ("approximate", "x", "--steps", DIGITS), ("approximate", "x", "--interval", ""),
    ("approximate", "x", "--interval", "-1,1"), ("approximate", "x", "--interval=-1,1"),
    ("approximate", "x", "--interval", "1e400,2"), ("approximate", "x", "--interval", "nan,1"),
    ("approximate", "x", "--interval", "-1e308,1e308"), ("approximate", "x", "--interval", EVIL),
    ("approximate", "x", "--interval", "0,1e-320"), ("approximate", "1e200*x"),
    ("approximate", "x", "--interval", f"1,{DIGITS}"), ("approximate", "1e400*x"),
    ("approximate", "x", "--start", "1e308"), ("approximate", "x", "--start", "1e308,0,0,0"),
    ("approximate", "x", "--start", "1e308,1e308,1e308,1e308", "--trace", "1"),
    ("approximate", "x", "--start", "1e200,0,0,0", "--learning-rate", "1e-9"),
    ("approximate", "x", "--start", ""), ("approximate", "x", "--start", "nan,0,0,0"),
    ("approximate", "x", "--start", EVIL), ("approximate", "x", "--start", LONG),
    ("approximate", "x", "--start", "-1,-2,-3,-4", "--steps", "5"),
    ("approximate", "x", "--noise", "nan"), ("approximate", "x", "--noise", "inf"),
    ("approximate", "x", "--noise", "1e308"), ("approximate", "x", "--seed", "9" * 400),
    ("approximate", "x", "--seed", "-1"), ("approximate", "x", "--learning-rate", "nan"),
    ("approximate", "x", "--learning-rate", "-1"), ("approximate", "x", "--learning-rate", ""),
    ("approximate", "x", "--learning-rate", "9" * 400), ("approximate", "x", "--momentum", "nan"),
    ("approximate", "x", "--learning-rate", "1e300", "--allow-divergence"),
    ("approximate", "x", "--learning-rate", "1e300", "--allow-divergence", "--trace", "3"),
    ("approximate", "x", "--optimizer", "adam", "--learning-rate", "1e300"),
    ("approximate", "x", "--optimizer", "momentum", "--momentum", "1"),
    ("approximate", "x", "--optimizer", EVIL), ("approximate", "x", "--basis", EVIL),
    ("approximate", "x", "--over", ""), ("approximate", "x", "--backend", EVIL),
    ("approximate", "x", "--device", EVIL), ("approximate", "x", "--dtype", EVIL),
    ("approximate", "x", "--log-every", "-1"), ("approximate", "x", "--trace", "9" * 400),
    ("approximate", "x", "--trace", "-1"), ("approximate", "x", "--steps", "9", "--log-every", "1"),
    ("approximate", "x", "--optimizer", "exact", "--trace", "1"),
    ("approximate", "x", "--plot", ""), ("approximate", "x", "--plot", EVIL + ".svg"),
    ("approximate", "x", "--plot", LONG + ".png"), ("approximate", "x", "--plot", "no/way.png"),
    ("approximate", "x", "--plot", "t.csv/a.png"), ("approximate", "x", "--explore", ""),
    ("approximate", "x", "--explore", LONG + ".html"), ("approximate", "x", "--explore", EVIL),
    ("explain", "--degree", "9" * 400), ("explain", "--degree", DIGITS), ("explain", "--degree=-1"),
    ("explain", "--format", EVIL), ("explain", "--degree", "0"),
    T, (*T, *GD), (*T, "--degree", DIGITS), (*T, "--degree", "9" * 400), (*T, "--degree", "auto"),
    (*T, "--degree", f"auto:{DIGITS}"), (*T, "--degree", "auto:"), (*T, "--degree", "auto:x"),
    (*T, "--degree", ""), (*T, "--degree", "19"), (*T, "--degree", "20"), (*T, "--degree", EVIL),
    (*T, "--degree", "auto", "--fix", "0=0"), (*T, "--degree", "25", "--basis", "power", *GD),
    (*T, "--through", "1e50,1e50"), (*T, "--through", "-1,2"), (*T, "--through", ""),
    (*T, "--through", "1,2", "--through", "1,3"), (*T, "--through", "1e400,0"),
    (*T, "--through", "1"), (*T, "--fix", "9=1"), (*T, "--fix", ""), (*T, "--fix", f"{DIGITS}=1"),
    (*T, "--fix", "0=1e308"), (*T, "--fix", "0=-1"), (*T, "--terms", ""), (*T, "--terms", "1.5"),
    (*T, "--terms", "-1"), (*T, "--terms", "1e400"), (*T, "--terms", "1", "--fix", "0=2"),
    (*T, "--fix", "0=1,1=1", "--degree", "1"), (*T, "--terms", "1", *GD),
    (*T, "--level", "nan"), (*T, "--level", "95"), (*T, "--level", "-0.5"), (*T, "--style", EVIL),
    (*T, "--style", "unicode"), (*T, "--per", EVIL), (*T, "--per", "day"), (*T, "--missing", EVIL),
    (*T, "--where", ""), (*T, "--where", EVIL), (*T, "--where", "x=1"), (*T, "--where", "degree=3"),
    (*T, "--absolute-sigma"), (*T, "--weights", "x-5"), (*T, "--sigma", "x", "--weights", "x"),
    (*T, *GD, "--steps", "1" + "0" * 14), (*T, *GD, "--start", "1e308,0,0,0"),
    (*T, *GD, "--learning-rate", "9"), (*T, "--save", ""), (*T, "--save", "m.txt"),
    (*T, "--save", LONG), (*T, "--save", "no/m.json"), (*T, "--save", EVIL + ".json"),
    (*T, "--over", "rows", "--save", "n.json"), (*T, "--trace", "1"),
    ("fit", "--x", "x", "--y", "y"), ("fit", "", "--x", "x", "--y", "y"),
    ("fit", EVIL, "--x", "x", "--y", "y"), ("fit", LONG, "--x", "x", "--y", "y"),
    ("fit", ".", "--x", "x", "--y", "y"), ("fit", "t.csv", "--x", "", "--y", "y"),
    ("fit", "t.csv", "--x", EVIL, "--y", "y"), ("fit", "t.csv", "--x", LONG, "--y", "y"),
    ("fit", "t.csv", "--x", "x", "--y", "y", "--x", "y"), ("fit", "t.csv", "--x", "-x", "--y", "y"),
    ("fit", "select 1/0 as x, 2 as y", "--x", "x", "--y", "y"), ("fit", "select", "--x", "x"),
    ("fit", "nan.csv", "--x", "x", "--y", "y"), ("fit", "zero.csv", "--x", "x", "--y", "y"),
    ("fit", "nan.csv", "--x", "x", "--y", "y", "--missing", "omit"),
    ("fit", "zero.csv", "--x", "x", "--y", "y", *GD, "--start", "zeros"),
    ("fit", "evil.csv", "--x", "column0", "--y", "y"), ("fit", "empty.csv", "--x", "x", "--y", "y"),
    ("fit", "binary.csv", "--x", "a", "--y", "b"), ("fit", "dates.csv", "--x", "t", "--y", "y"),
    ("fit", "dates.csv", "--x", "t", "--y", "y", "--dtype", "float32"),
    ("update",), ("update", "none.json", "t.csv"), ("update", "m.txt", "t.csv"),
    ("update", "t.json", EVIL), ("update", "t.json", "nan.csv"), ("update", "t.json", "t.csv"),
    ("update", EVIL, "t.csv"), ("update", ".", "t.csv"), ("update", "", ""),
    ("merge", "t.json", "t.json", "-o", "u.json"), ("merge", "t.json", "d.json", "-o", "u.json"),
    ("merge", "t.json", "-o", EVIL + "/u.json"), ("merge", "t.json", "deep.json", "-o", "u.json"),
    ("merge", EVIL, "-o", "u.json"), ("merge", "t.json"), ("merge", "t.json", "-o", ""),
    ("predict",), ("predict", "t.json"), ("predict", "t.json", "--at", "-1.5"),
    ("predict", "t.json", "--at", "9" * 400), ("predict", "t.json", "--at", DIGITS),
    ("predict", "t.json", "--at", "-inf"), ("predict", "t.json", "--at", "nan"),
    ("predict", "t.json", "--at", ""), ("predict", "t.json", "--at", EVIL),
    ("predict", "t.json", "--at", "1e300"), ("predict", "t.json", "--at", "1", "--degree", "9"),
    ("predict", "t.json", "--at", "1", "--degree", DIGITS), ("predict", "t.json", "t.csv"),
    ("predict", "t.json", "evil.csv"), ("predict", "d.json", "--at", "2024-01-05"),
    ("predict", "d.json", "--at", "300000-01-01"), ("predict", "d.json", "--at", "20240105"),
    ("predict", "d.json", "--at", "99999999999999999999-01-01"), ("predict", "d.json", "--at", "5"),
    ("predict", "d.json", "--at", "900000000000-01-01"), ("predict", "f.json", "=1+1.csv"),
    ("predict", "t.json", "--at", "1", "--at", "2", "--at", "x"), ("predict", "m.txt", "--at", "1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files, and models of them."""
    here = tmp_path_factory.mktemp("outputs")
    with contextlib.chdir(here):
        for name, text in FILES.items():
            Path(name).write_text(text, encoding="utf-8")
        for model, file, x, y, degree in (
            ("t", "t.csv", "x", "y", 3),
            ("deep", "t.csv", "x", "y", 5),
            ("d", "dates.csv", "t", "y", 1),
            ("f", "=1+1.csv", "=cmd()", "a,b", 1),
        ):
            words = ["fit", file, "--x", x, "--y", y, "--degree", str(degree)]
            assert ran([*words, "--save", f"{model}.json"])[0] == 0
    return here


def ran(words):
    """(exit code, stdout, stderr) of the command behind its last door."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = door.outcome(list(words))
    return code, out.getvalue(), err.getvalue()


def assert_harmless(text):
    """Nothing in it steers a terminal, and it can be encoded."""
    text.encode("utf-8")
    assert visible(text, lines=True) == text


def named(words):
    return " ".join(word if len(word) < 30 else f"{word[:20]}…" for word in words)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("words", TYPED_WORDS, ids=lambda words: ascii(named(words)))
def test_every_line_typed_ends_well(folder, words):
    with contextlib.chdir(folder):
        code, out, err = ran(words)
    assert code in (0, 2), err
    assert "Traceback" not in err
    assert "fault of ours" not in err
    assert_harmless(out)
    assert_harmless(err)
    assert all(len(line) <= 2100 for line in err.splitlines())
    if code == 2:
        assert not out
        assert err.startswith("polydescent: ")
        assert err.count("\n") == 1 + err.count("\npolydescent: "), "one line, after warnings"
        assert not TYPED.search(re.sub(r"'[^']*'", "", err)), err


REPORTS = [w for w in TYPED_WORDS if w[:1] in (("approximate",), ("fit",)) and "--save" not in w]


def no_constant(name):
    raise AssertionError(f"{name} is not JSON")


@pytest.mark.filterwarnings("ignore")
def test_json_is_json_whatever_is_typed(folder):
    seen = 0
    for words in REPORTS:
        if "--" in words:
            continue
        with contextlib.chdir(folder):
            code, out, _ = ran([*words, "--json"])
        if code == 0 and not {"--help", "--version"} & {*words}:
            json.loads(out, parse_constant=no_constant)
            assert out.isascii()
            seen += 1
        else:
            assert not out
    assert seen > 15
