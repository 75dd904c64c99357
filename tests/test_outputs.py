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
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors, memory
from polydescent.cli import door
from polydescent.cli.commands import every
from polydescent.cli.wording import spoken
from polydescent.report.static import write_picture
from polydescent.visible import shortened, visible

COMMAND = [sys.executable, "-m", "polydescent"]
EVIL = "a\x1b[31m\r\x07\x08b\u202ec\x9b2Jd\u2028e$\\frac{1}$<x>&\"']]>"
QUOTED = '"' + EVIL.replace("\r", "").replace('"', '""') + '"'  # a header is one line
LONG = "z" * 100_000
DIGITS = "9" * 5000
TYPED = re.compile(r"\b(?!x=|y=)[a-z][a-z_]*=(?=[\"'\dTN.,; )]|$)")  # a keyword of Python

FILES = {
    "t.csv": "x,y\n" + "".join(f"{i},{i * i}\n" for i in range(20)),
    "dates.csv": "t,y\n" + "".join(f"2024-01-{i + 1:02d},{i}\n" for i in range(20)),
    "nan.csv": "x,y\n" + "".join(f"{i},{'nan' if i == 7 else i}\n" for i in range(20)),
    "=1+1.csv": '"=cmd()","a,b"\n' + "".join(f"{i},{i}\n" for i in range(9)),
    "evil.csv": f"{QUOTED},y\n" + "".join(f"{i},{i}\n" for i in range(9)),
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
    ("approximate", "x", "--interval", "0,1e-130"), ("approximate", "1e200*x"),
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


def no_constant(name):
    raise AssertionError(f"{name} is not JSON")


IN_JSON = [
    ("approximate", "x", "--start", "1e308,1e308,1e308,1e308", "--trace", "1"),
    ("approximate", "x", "--start", "1e200,0,0,0", "--learning-rate", "1e-9", "--log-every", "1"),
    ("approximate", "x", "--learning-rate", "1e300", "--allow-divergence", "--trace", "3"),
    ("approximate", "x", "--optimizer", "adam", "--learning-rate", "1e300"),
    ("approximate", "x", "--optimizer", "exact", "--points", "2", "--degree", "1"),
    ("approximate", "0*x"), ("approximate", "0*x", "--start", "zeros"),
    ("approximate", "x", "--interval", "0,1e-130"), T, (*T, "--degree", "auto"),
    (*T, "--degree", "19"), (*T, "--through", "1e50,1e50"), (*T, "--style", "unicode"),
    ("fit", "zero.csv", "--x", "x", "--y", "y"), ("fit", "dates.csv", "--x", "t", "--y", "y"),
    ("fit", "zero.csv", "--x", "x", "--y", "y", *GD, "--start", "zeros"),
    ("fit", "evil.csv", "--x", "y", "--y", QUOTED),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("words", IN_JSON, ids=lambda words: ascii(named(words)))
def test_json_is_json(folder, words):
    with contextlib.chdir(folder):
        code, out, err = ran([*words, "--json"])
    assert code == 0, err
    assert isinstance(json.loads(out, parse_constant=no_constant), dict)
    assert out.isascii()
    assert_harmless(out)


# ── one function at the door of every output ──


def test_nothing_that_steers_is_left():
    for point in (*range(0x20000), *range(0xE0000, 0xE0200)):
        sign = chr(point)
        shown = visible(sign)
        hidden = unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
        turns = unicodedata.bidirectional(sign) in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        )  # fmt: skip
        assert (shown != sign) or not (hidden or turns), hex(point)
        assert shown == sign or shown.isascii()
        assert shown.encode("ascii").decode("unicode_escape") == sign if shown != sign else True
    assert visible("a\nb", lines=True) == "a\nb"
    assert visible("naïve σ², 中文 👩‍👩‍👧 עברית") == "naïve σ², 中文 👩‍👩‍👧 עברית"
    for most in (10, 11, 100):
        assert len(shortened(LONG, most)) == most
    assert shortened("short", 10) == "short"


def test_a_refusal_in_python_is_harmless_too():
    with pytest.raises(errors.NoFile) as found:
        pd.fit(EVIL + ".csv", x="a", y="b")
    assert_harmless(str(found.value))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [EVIL, LONG, "$\\frac{", "a-->b", "\ud800"], ids=range(5))
def test_names_break_no_picture_and_no_page(tmp_path, monkeypatch, name):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    x = np.linspace(0, 1, 30)
    fitted = pd.fit(x, x**2, 2)
    assert fitted.rows is not None
    fitted = replace(fitted, rows=replace(fitted.rows, x_name=name, y_name=name))
    write_picture(fitted, "a.svg", name)
    ElementTree.parse("a.svg")
    assert Path("a.svg").stat().st_size < 2_000_000
    fitted.explore("a.html", title=name)
    page = Path("a.html").read_text(encoding="utf-8")
    payload = json.loads(re.search(r"<script[^>]*json[^>]*>(.*?)</script>", page, re.S)[1])
    for what in ("title", "x_name", "y_name"):
        assert_harmless(payload[what])


def test_a_header_of_predictions_is_one_line_and_no_formula(folder):
    import csv

    with contextlib.chdir(folder):
        code, out, _ = ran(["predict", "f.json", "=1+1.csv"])
    assert code == 0
    header, *rows = csv.reader(io.StringIO(out))
    assert header == ["'=cmd()", "a,b"]
    assert [len(row) for row in rows] == [2] * 9


# ── the command's own words ──


def said_in(path):
    """Every text that a refusal in a module may consist of, with … for what it fills in."""
    tree_of = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree_of):
        raises = isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        of_class = isinstance(node, ast.ClassDef) and path.name == "errors.py"
        if not (raises or of_class):
            continue
        named = isinstance(node, ast.ClassDef)
        docstring = ast.get_docstring(node, clean=False) if named else None
        within = {id(p) for j in ast.walk(node) if isinstance(j, ast.JoinedStr) for p in j.values}
        for part in ast.walk(node):
            if isinstance(part, ast.JoinedStr):
                values = (str(v.value) if isinstance(v, ast.Constant) else "3" for v in part.values)
                found.append("".join(values))
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                found += [part.value] * (id(part) not in within and part.value != docstring)
    return found


ROOT = Path(pd.__file__).parent
PYTHON_ONLY = {  # the command has no way to call these
    "rows/source_of.py", "rows/cluster.py", "rows/chunks.py",
    "regression/evidence.py", "regression/fit.py", "regression/forms.py", "xarray.py",
    "rows/tables.py", "many/verbs.py", "many/descents.py",
}  # fmt: skip


def test_no_refusal_speaks_python_to_the_command():
    seen = 0
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).as_posix() in PYTHON_ONLY:
            continue
        for text in said_in(path):
            seen += bool(TYPED.search(text))
            assert not TYPED.search(spoken(text)), f"{path.name}: {spoken(text)!r}"
    assert seen > 10


@pytest.mark.parametrize(
    ("python", "command"),
    [
        ('or pass missing="omit".', "or pass --missing omit."),
        ("or pass allow_divergence=True to watch", "or pass --allow-divergence to watch"),
        ("learning_rate=1e-05 diverges", "--learning-rate 1e-05 diverges"),
        ("fix=, terms= and through=, or", "--fix, --terms and --through, or"),
        ("steps must be 1 or more, found 0.", "--steps must be 1 or more, found 0."),
        ('use basis="chebyshev", which', "use --basis chebyshev, which"),
        ("There is no file 'degree=3'.", "There is no file 'degree=3'."),
        ("t.csv: Binder Error: at degree=3", "t.csv: Binder Error: at degree=3"),
        ("y = 3 x at x=2", "y = 3 x at x=2"),
    ],
)  # fmt: skip
def test_the_command_says_it_with_its_flags(python, command):
    assert spoken(python) == command


def test_every_flag_that_is_named_exists():
    flags = {flag for command in every().values() for p in command.params for flag in p.opts}
    for path in sorted(ROOT.rglob("*.py")):
        for text in said_in(path):
            assert {*re.findall(r"--[a-z][a-z-]*", spoken(text))} <= flags | {"--upgrade"}, text


def test_an_option_of_another_command_says_whose_it_is():
    assert "--missing omit (of polydescent fit)" in spoken('pass missing="omit"', "update")


# ── what cannot be held ──


@pytest.mark.parametrize("steps", [10**14, 10**400, 10**5000], ids=["14", "400", "5000"])
def test_steps_beyond_memory_are_refused_before_any(steps):
    with pytest.raises(errors.TooLarge, match="of memory") as found:
        pd.descend([0, 1, 2, 3], [1, 3, 5, 8], 1, steps=steps)
    assert found.value.needed == 16 * (steps + 1)
    assert isinstance(found.value, MemoryError)
    assert len(str(found.value)) < 400


def test_the_limit_is_what_there_is(monkeypatch):
    pd.descend([0, 1, 2, 3], [1, 3, 5, 8], 1, steps=10)
    monkeypatch.setattr(memory, "there_is", lambda: 175)
    with pytest.raises(errors.TooLarge, match="176 bytes of memory, more than the 175 bytes"):
        pd.descend([0, 1, 2, 3], [1, 3, 5, 8], 1, steps=10)


def test_thousands_of_digits_are_refused_in_a_line():
    for degree in (10**400, 10**5000):
        with pytest.raises(errors.PolydescentError) as found:
            pd.fit([0, 1], [1, 2], degree)
        assert len(str(found.value)) < 400


# ── dates at the end of the calendar ──


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_far_dates_do_not_wrap_around(unit):
    dates = (np.datetime64("2024-01-01") + np.arange(10)).astype(f"M8[{unit}]")
    line = pd.fit(dates, np.arange(10.0), 1)
    for year in ("0001", "1600", "2300", "3000", "9999", "300000"):
        far = np.datetime64(f"{year}-01-01", "D")
        days = int((far - np.datetime64("2024-01-01", "D")).astype(int))
        assert line(far) == pytest.approx(days, rel=1e-9)
        assert line(line.axis.parsed(f"{year}-01-01")) == line(far)
    with pytest.raises(errors.BeyondCalendar):
        line(np.datetime64(2**62, "D"))
    assert np.isnat(line.axis.places(np.array([0.0, 1e300]))[1])


def test_dates_that_span_all_of_int64_are_right():
    ends = np.array([2**62, -(2**62), 5])
    dated, whole = pd.fit(ends.astype("M8[ns]"), [1, 2, 3], 1), pd.fit(ends.tolist(), [1, 2, 3], 1)
    assert dated.coef[1] == pytest.approx(whole.coef[1] * 86_400e9, rel=1e-12)
    with pytest.raises(errors.BeyondCalendar):
        pd.fit(np.array([2**62, 2**61, 5], "M8[D]"), [1, 2, 3], 1)


# ── as a process ──


def process(words, shell="", **more):
    """(exit code, stdout, stderr) of a process; shell: redirections."""
    script = f'exec "$@" {shell}'
    command = ["sh", "-c", script, "sh", *COMMAND, *words]
    done = subprocess.run(command, capture_output=True, env=os.environ | more, timeout=120)
    encoding = more.get("PYTHONIOENCODING", "utf-8")
    return done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
@pytest.mark.parametrize("words", [["explain"], ["approximate", "x", "--steps", "9", "--json"]])
def test_a_full_disk_behind_standard_output(words):
    code, _, err = process(words, ">/dev/full")
    assert (code, err.count("\n")) == (2, 1), err
    assert err.startswith("polydescent: Cannot use standard output: No space left on device.")


@pytest.mark.skipif(os.name == "nt", reason="ulimit")
@pytest.mark.parametrize(
    "words", [["--plot", "a.svg"], ["--explore", "a.html"]], ids=lambda w: w[0]
)
def test_a_full_disk_behind_a_file_leaves_nothing(tmp_path, monkeypatch, words):
    """A file may have no byte here: written as on a full disk."""
    monkeypatch.chdir(tmp_path)
    script = 'ulimit -f 0; exec "$@"'
    command = ["sh", "-c", script, "sh", *COMMAND, "approximate", "x", "--steps", "9", *words]
    bare = {k: v for k, v in os.environ.items() if not k.startswith("COV")}  # it would write too
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=bare)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert words[1] in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_closed_streams():
    code, _, err = process(["explain"], ">&-")
    assert (code, err.count("\n")) == (2, 1)
    assert "Standard output is closed" in err
    code, out, err = process(["approximate", "x", "--steps", "0"], "2>&-")
    assert (code, out, err) == (2, "", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_signs_that_a_terminal_lacks_are_spelled(encoding):
    table = "select x, x*x*x - x as y from (select range / 25 - 1 as x from range(50))"
    words = ["fit", table, "--x", "x", "--y", "y", "--style", "unicode", "--degree", "11"]
    code, out, err = process(words, PYTHONIOENCODING=encoding)
    assert (code, err) == (0, "")
    assert " x^4" in out
    assert "?" not in out
    assert (" x^11" if encoding == "ascii" else " x¹¹") in out


def test_a_fault_of_ours_says_so(monkeypatch):
    def broken(*_):
        raise TypeError("an \x1b accident")

    monkeypatch.setattr(door, "_run", broken)
    code, out, err = ran(["explain"])
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "A fault of ours" in err
    assert "POLYDESCENT_TRACEBACK=1" in err
    assert_harmless(err)
    monkeypatch.setenv("POLYDESCENT_TRACEBACK", "1")
    assert "Traceback" in ran(["explain"])[2]


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (OSError(errno.ENOSPC, "No space left", "a\x1bb.json"), 2, r"'a\\x1bb.json': No space"),
        (PermissionError(errno.EACCES, "Permission denied", b"x.csv"), 2, "Get the permission"),
        (OSError("strange"), 2, "strange"),
        (MemoryError(), 2, "Not enough memory"),
        (RecursionError("deep"), 1, "A fault of ours"),
        (OverflowError("big"), 1, "A fault of ours"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), 1, "A fault of ours"),
        (KeyboardInterrupt(), 130, "Stopped"),
    ],
)  # fmt: skip
def test_every_error_ends_at_the_door(monkeypatch, raised, code, says):
    def broken(*_):
        raise raised

    monkeypatch.setattr(door, "_run", broken)
    found, out, err = ran(["explain"])
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert re.search(says, err), err
    assert_harmless(err)


ENDLESS = "select random() x, random() y from range(10000000000)"
STOPPED = {
    "importing and descending": ["approximate", "sin(x)", "--steps", "30000000"],
    "reading": ["fit", ENDLESS, "--x", "x", "--y", "y"],
    "saving": [
        "fit", ENDLESS, "--x", "x", "--y", "y",
        "--save", "m.json",
    ],
    "drawing": ["approximate", "sin(x)", "--steps", "300000", "--plot", "a.png"],
}  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("case", STOPPED)
def test_ctrl_c_ends_well_at_any_moment(tmp_path, case):
    for seconds in (0.3, 1.0):
        with subprocess.Popen(
            [*COMMAND, *STOPPED[case]], cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        ) as running:  # fmt: skip
            time.sleep(seconds)
            running.send_signal(signal.SIGINT)
            _, err = running.communicate(timeout=60)
        assert running.returncode == 130, err
        assert err.count("\n") == 1
        assert err.startswith("polydescent: Stopped")
        left = {path.name for path in tmp_path.iterdir() if not path.name.endswith(".part")}
        assert not left - {"m.json.lock"}


INTERRUPTED = """
import os, signal, sys, time, types
import polydescent.cli as cli

def press():
    os.kill(os.getpid(), signal.SIGINT)

class Finalized:
    def __del__(self):
        press()
        time.sleep(0)

def outcome(words):
    if "importing" in words:
        sys.meta_path.insert(0, Finder)
        try:
            import polydescent_none
        except ImportError:
            pass
    else:
        Finalized()
    time.sleep(30)
    return 0

class Finder:
    def find_spec(name, path=None, target=None):
        try:
            press()
            time.sleep(0.1)
        except KeyboardInterrupt:
            print("raised where it may be lost")
        raise ModuleNotFoundError(name)

sys.modules["polydescent.cli.door"] = types.SimpleNamespace(outcome=outcome)
cli.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("where", ["importing", "freed"])
def test_ctrl_c_where_python_cannot_raise_is_obeyed_afterwards(where):
    command = [sys.executable, "-c", INTERRUPTED, where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=25)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "polydescent: Stopped. No file was left half written.\n"
