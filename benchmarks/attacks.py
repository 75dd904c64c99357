"""Attacks on files and processes: how many were tried, and what each of them achieved.

An attack is a function of a folder and a seeded generator that returns Counts; to add one, write it
and name it in ATTACKS. What counts: a number other than what the file says, a row lost or counted
twice, code from a file that ran, a traceback in place of a line that says what to do.
"""

from __future__ import annotations

import ast
import datetime
import gzip
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

import polydescent as pd
from polydescent.models import model as store
from polydescent.rows import function
from polydescent.rows.files import files

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import forge  # noqa: E402

SECONDS = 45.0  # the longest that one attack on documents goes on
EXPRESSIONS = 100_000
DOCUMENTS = 20_000
TABLES = 2_000
KILLS = 5
ROUNDS = 5
ROWS = 30_000
COMMAND = [sys.executable, "-m", "polydescent"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
PLANTED = "PWN"  # the file that code from a file would make
SECRET = 987654321.0  # stands in a file that nobody named


@dataclass
class Counts:
    """What one attack did: tries, and how many of them ended in each way. The last four must not
    happen.
    """

    tried: int = 0
    refused: int = 0
    right: int = 0
    wrong_number: int = 0
    lost_row: int = 0
    code_run: int = 0
    bare_traceback: int = 0

    def take(self, verdict: str, what: object = "") -> None:
        """Count one try by its verdict, in the words of `forge`; show `what` of a fault."""
        self.tried += 1
        self.refused += verdict == "refused"
        self.right += verdict == "means what it says"
        self.wrong_number += verdict == "wrong number"
        self.lost_row += verdict == "lost row"
        self.code_run += verdict == "code run"
        self.bare_traceback += verdict.startswith("bare traceback")
        if verdict not in ("refused", "means what it says"):
            print(f"{verdict}: {what!r:.300}", file=sys.stderr, flush=True)

    def take_rows(self, path: Path, rows: int, said: bytes = b"") -> None:
        """Count one try by the rows that a model must hold, and by what a command said."""
        held = store.load(path).summary.n
        fault = "lost row" if held != rows else "means what it says"
        self.take("bare traceback" if b"Traceback" in said else fault, (held, rows, said))


Attack = Callable[[Path, np.random.Generator], Counts]


def _within(seconds: float, most: int) -> Iterator[int]:
    """0, 1, 2, …, at most so many, for so many seconds."""
    end = time.monotonic() + seconds
    for i in range(most):
        if time.monotonic() > end:
            return
        yield i


def _judged(use: Callable[[], str]) -> str:
    """The verdict of a call, or what became of it."""
    try:
        verdict = use()
    except pd.PolydescentError as refusal:
        verdict = "bare traceback" if "Traceback" in str(refusal) else "refused"
    except Exception as error:
        verdict = f"bare traceback: {type(error).__name__}: {error}"
    return "code run" if forge.MODULE in sys.modules else verdict


# ── typed functions ──────────────────────────────────────────────────────────────────────────────

_SIGNS = "0123456789.xepi+-*/()^ ,_sincolgqrt'\"[]{}:=<>\\#@!~&|%;\t\nλ²٣\0"
_PIECES = """
x x x pi e 1 2 0.5 3e2 1e400 10**400 1j 0x1F 1_000 + - * / ** ** // % ^ ( ) ( ) ( ) , sin( cos( exp(
sqrt( log( abs( ln( tan( floor( .real .__class__ __import__('polydescent_forged') open('PWN','w')
lambda: [x for x in x] f'{x}' (x:=2) True None ... x if x else not ~ x. eval( exec( ().__class__
"""


def typed_functions(folder: Path, generator: np.random.Generator) -> Counts:
    """Strings of signs and of pieces of Python: refused, or what Python makes of them."""
    counts = Counts()
    pieces, signs = [*_PIECES.split(), " "], list(_SIGNS)
    x = np.array([0.25, 1.5])
    os.chdir(folder)
    for i in _within(SECONDS, EXPRESSIONS):
        of = pieces if i % 4 else signs
        length = generator.integers(1, 12)
        text = "".join(of[k] for k in generator.integers(0, len(of), length))

        def use(text: str = text) -> str:
            found = function.evaluate_text(text, x)
            same = np.array_equal(found, _as_python(text, x), equal_nan=True)
            return "means what it says" if same else "wrong number"

        verdict = _judged(use)
        counts.take("code run" if Path(PLANTED).exists() else verdict, text)
    return counts


class _Floats(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Call(ast.Name("float", ast.Load()), [node], [])


def _as_python(text: str, x: np.ndarray) -> np.ndarray:
    """What Python itself makes of a string that was accepted, with every number a float64."""
    tree = ast.fix_missing_locations(_Floats().visit(ast.parse(text.strip(), mode="eval")))
    names: dict[str, Any] = dict(vars(np)) | {"ln": np.log, "x": x, "float": np.float64}
    with np.errstate(all="ignore"):
        value = eval(compile(tree, "typed", "eval"), {"__builtins__": {}}, names)
    return np.broadcast_to(value, x.shape)


# ── documents ────────────────────────────────────────────────────────────────────────────────────


def spoiled_models(folder: Path, generator: np.random.Generator) -> Counts:
    """Bytes of models changed by chance: each must be noticed."""
    counts, path = Counts(), folder / "spoiled.json"
    whole = [model.read_bytes() for model in forge.models(folder)]
    for i in _within(SECONDS, DOCUMENTS):
        data = whole[i % len(whole)]
        path.write_bytes(changed := forge.spoiled(data, generator))
        verdict = forge.verdict_of_model(path)
        noticed = verdict != "means what it says" or changed == data
        counts.take(verdict if noticed else "wrong number", changed)
    return counts


def forged_models(folder: Path, generator: np.random.Generator) -> Counts:
    """Values of models changed on purpose, under a right checksum."""
    counts, path = Counts(), folder / "forged.json"
    bodies = [forge.body_of(model.read_bytes()) for model in forge.models(folder)]
    for i in _within(SECONDS, DOCUMENTS):
        body = forge.forged(bodies[i % len(bodies)], generator)
        path.write_bytes(forge.sealed(store.FORMAT, body))
        counts.take(forge.verdict_of_model(path, body), body)
    return counts


def forged_fits(folder: Path, generator: np.random.Generator) -> Counts:
    """The JSON of fits, changed by chance and on purpose."""
    counts, texts = Counts(), forge.records()
    for i in _within(SECONDS, DOCUMENTS):
        text = texts[i % len(texts)]
        if i % 2:
            text = json.dumps(forge.forged(json.loads(text), generator))
        else:
            text = forge.spoiled(text.encode(), generator).decode("latin-1")
        counts.take(forge.verdict_of_record(text), text)
    return counts


# ── tables ───────────────────────────────────────────────────────────────────────────────────────

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MISSING = ("NA", "", "nan", "null")
_KINDS: dict[str, Callable[[int], str]] = {
    "whole": str,
    "decimal": lambda i: f"{i}.5",
    "exponent": lambda i: f"-{i}.25e-3",
    "blank": lambda i: f"  {i}.125",
    "missing": lambda i: _MISSING[i % 4] if i % 2 else str(i),
    "word": lambda i: "n/k" if i % 5 == 0 else str(i),
    "large": lambda i: str(2**53 + 1 + 2 * i),
    "huge": lambda i: f"{2**70 + i}",
    "date": lambda i: f"{2000 + i % 100}-0{1 + i % 9}-1{i % 10}",
    "moment": lambda i: f"2024-03-0{1 + i % 9}T1{i % 10}:00:0{i % 10}.{i % 1000:03}",
    "zone": lambda i: f"2024-03-0{1 + i % 9} 1{i % 10}:00:00+0{i % 10}:30",
    "mixture": lambda i: ("2024-03-01", "7", "x")[i % 3],
}
_NAMES = ("t.csv", "t.tsv", "t.jsonl", "t.csv.gz", "t.tsv.gz", "t.jsonl.gz", "*.csv")


def late_kinds(folder: Path, generator: np.random.Generator) -> Counts:
    """Tables whose last rows are of another kind than their first: as Python reads them."""
    counts = Counts()
    for _ in _within(SECONDS, TABLES):
        name = _NAMES[generator.integers(len(_NAMES))]
        rows = int(generator.choice([12, 300, 3000, 21_000], p=[0.5, 0.3, 0.15, 0.05]))
        late = int(rows * generator.uniform(0.5, 0.99))
        early, after = ([_kind(generator, 0.3), _kind(generator, 0.0)] for _ in "ab")
        table = [[_KINDS[kind](i) for kind in (early if i < late else after)] for i in range(rows)]
        asked = _written(folder, name, table)
        verdict = _judged(lambda asked=asked, table=table: _compared(asked, table))
        counts.take(verdict, (name, rows, late, early, after))
        for path in folder.iterdir():
            path.unlink()
    return counts


def _kind(generator: np.random.Generator, dates: float) -> str:
    """A kind of number mostly, of date as often as said, of anything at times."""
    kinds, at = list(_KINDS), generator.uniform()
    ours = kinds[8:11] if at < dates else kinds if at > 0.9 else [*kinds[:5], *kinds[6:8]]
    return ours[generator.integers(len(ours))]


def _written(folder: Path, name: str, table: list[list[str]]) -> str:
    """Write rows of texts as the name says; what to ask for."""
    if name == "*.csv":
        half = len(table) // 2
        for part, rows in (("a.csv", table[:half]), ("b.csv", table[half:])):
            (folder / part).write_text(_lines(part, rows))
    else:
        data = _lines(name, table).encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(folder / name)


def _lines(name: str, table: Iterable[list[str]]) -> str:
    if ".jsonl" in name:
        return "".join(f'{{"x": {_json(x)}, "y": {_json(y)}}}\n' for x, y in table)
    mark = "\t" if ".tsv" in name else ","
    return f"x{mark}y\n" + "".join(f"{x}{mark}{y}\n" for x, y in table)


def _json(text: str) -> str:
    if text in _MISSING:
        return "null"
    return text.strip() if _as_number(text) is not None else json.dumps(text)


def _as_number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return math.nan if text.strip() in _MISSING else None


def _as_moment(text: str) -> int | None:
    """Microseconds since 1970."""
    try:
        found = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    zoned = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    return (zoned - _EPOCH) // datetime.timedelta(microseconds=1)


def _compared(asked: str, table: list[list[str]]) -> str:
    found = files(asked, "x", "y").gathered()
    if found.n != len(table):
        return "lost row"
    origin, tick = found.axis.origin, found.axis.tick
    expected = [
        (math.nan if x.strip() in _MISSING else _as_moment(x) if tick else _as_number(x))
        for x, _ in table
    ]
    # Ticks, and whole numbers of one size, are exact; of many sizes they are the nearest float64.
    # x then counts from a whole number that may be far away, and is as fine as that allows.
    known = [x for x in expected if isinstance(x, int)]
    others = any(x is None or (isinstance(x, float) and not math.isnan(x)) for x in expected)
    near = bool(known) and max(known) - min(known) <= min(map(abs, known))
    whole = not others and (bool(tick) or near)
    for place, x in enumerate(expected):
        if not _equal(found.x[place], x, origin, whole):
            return "wrong number"
        if not _equal(found.y[place], _as_number(table[place][1])):
            return "wrong number"
    return "means what it says"


def _equal(found: float, expected: float | None, origin: int = 0, whole: bool = False) -> bool:
    if expected is None:  # the text is no number, so its row must have been refused
        return False
    if math.isnan(expected) or math.isnan(found):
        return math.isnan(expected) and math.isnan(found)
    if not origin:
        return found == float(expected)
    if whole:
        return found == float(Fraction(expected) - origin)
    finest = np.spacing(float(max(abs(origin), abs(expected))))
    return abs(Fraction(found) + origin - Fraction(expected)) <= Fraction(float(finest))


def flipped_bits(folder: Path, generator: np.random.Generator) -> Counts:
    """One bit flipped in a table: its own checksum says so, or it is what Python reads in it."""
    counts = Counts()
    x = np.round(generator.uniform(-1, 1, 400), 6)
    table = [[str(v), str(round(v * v, 6))] for v in x.tolist()]
    text, lines = _lines("t.csv", table).encode(), _lines("t.jsonl", table).encode()
    columns = pyarrow.table({"x": x, "y": np.array([float(y) for _, y in table])})
    pyarrow.parquet.write_table(
        columns, folder / "whole", write_page_checksum=True, row_group_size=100
    )
    pages = (folder / "whole").read_bytes()
    packed = subprocess.run(["zstd", "--check", "-c"], input=text, capture_output=True, check=True)
    whole = {
        "t.csv.gz": gzip.compress(text),
        "t.csv.zst": packed.stdout,
        "t.jsonl.gz": gzip.compress(lines),
        "t.parquet": pages,
        "t.jsonl": lines,
    }
    footer = int.from_bytes(pages[-8:-4], "little") + 8
    (folder / "whole").unlink()
    names = list(whole)
    for i in _within(SECONDS, TABLES):
        name = names[i % len(names)]
        data = bytearray(whole[name])
        end = len(data) - (footer if name == "t.parquet" else 0)
        data[generator.integers(4 if name == "t.parquet" else 0, end)] ^= 1 << generator.integers(8)
        (folder / name).write_bytes(data)
        rows = _rows_of_json(bytes(data)) if name == "t.jsonl" else table
        verdict = _judged(lambda name=name, rows=rows: _compared_rows(str(folder / name), rows))
        counts.take(verdict, name)
    return counts


def _rows_of_json(data: bytes) -> list[list[str]] | None:
    """The rows as Python reads them, None where it cannot."""
    try:
        found = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
        return [
            [str(row.get(k, "NA") if row.get(k) is not None else "NA") for k in "xy"]
            for row in found
        ]
    except (ValueError, AttributeError):
        return None


def _compared_rows(asked: str, rows: list[list[str]] | None) -> str:
    if rows is None:
        files(asked, "x", "y").gathered()
        return "wrong number"
    return _compared(asked, rows)


_SQL = """
x y 1 0.5 'a' "x" + - * / ( ) ( ) , ; -- /* */ ' " SELECT FROM WHERE UNION JOIN WITH ORDER LIMIT AS
OR AND true * ? $1 :: [ ] { } lambda 'secret.csv' "secret.csv" read_csv('secret.csv') secret
read_text('secret.csv') glob('*') getenv('HOME') query('FROM\xa0secret.csv') COPY TO 'PWN' ATTACH
INSTALL LOAD SET PRAGMA x; max( sum( count( OVER list( ARRAY( EXISTS( IN ANY( COLUMNS( abs( CASE
WHEN THEN ELSE END CAST( DOUBLE) ) )
"""
_WHOLE = """
true; COPY (SELECT 1) TO 'PWN'
x); COPY (SELECT 1) TO 'PWN'; --
(SELECT max(x) FROM 'secret.csv')
(FROM read_csv('secret.csv') SELECT max(x))
1) FROM 'secret.csv' --
x, y) FROM 'secret.csv' /*
x IN (SELECT x FROM 'secret.csv')
x UNION ALL SELECT x FROM 'secret.csv'
x) UNION ALL (SELECT x FROM 'secret.csv'
length((FROM read_text('secret.csv') SELECT content))
x; ATTACH 'PWN'; SELECT x
x; SET lock_configuration = false; SELECT x
"""


def sql_escapes(folder: Path, generator: np.random.Generator) -> Counts:
    """SQL for x, y and where that would leave its place, typed and from a model."""
    counts = Counts()
    os.chdir(folder)
    Path("d.csv").write_text("x,y\n1,2\n2,4\n3,6.5\n4,8\n5,9\n")
    Path("secret.csv").write_text(f"x,y\n{SECRET:.0f},{SECRET:.0f}\n")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    pieces, whole = _SQL.split(), _WHOLE.strip().splitlines()
    for i in _within(SECONDS, DOCUMENTS):
        chosen = [pieces[k] for k in generator.integers(0, len(pieces), generator.integers(1, 9))]
        text = " ".join(chosen)
        if i % 3 == 0:
            text = whole[generator.integers(len(whole))]
            cut = int(generator.integers(len(text) + 1))
            text = text[:cut] + " ".join(chosen[:2]) + text[cut:] if i % 2 else text
        role = ("x", "y", "where")[generator.integers(3)]
        asked = {"x": "x", "y": "y"} | {role: text}

        def use(asked: dict[str, str] = asked, trusted: bool = bool(i % 2)) -> str:
            found = files("d.csv", **asked, trusted=trusted).gathered()
            values = [*(found.x + found.axis.origin), *found.y]
            return "code run" if found.n > 5 or SECRET in values else "means what it says"

        verdict = _judged(use)
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        counts.take(verdict if after == before else "code run", (role, text))
    return counts


# ── processes ────────────────────────────────────────────────────────────────────────────────────


def _tables(folder: Path, count: int, rows: int = ROWS) -> list[Path]:
    generator = np.random.default_rng(1)
    paths = [folder / f"{i}.csv" for i in range(count)]
    for path in paths:
        x = generator.uniform(-1, 1, rows)
        columns = np.column_stack((x, np.sin(3 * x)))
        np.savetxt(path, columns, delimiter=",", header="x,y", comments="", fmt="%.17g")
    return paths


def _fit(table: Path, model: Path) -> list[str]:
    asked = ["--x", "x", "--y", "y", "--degree", "4", "--save", str(model)]
    return [*COMMAND, "fit", str(table), *asked]


def _killed(command: list[str], after: float) -> None:
    process = subprocess.Popen(command, **QUIET)
    time.sleep(after)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def kills(folder: Path, generator: np.random.Generator) -> Counts:
    """fit, update and merge killed at a random moment, then run again until they are through."""
    counts = Counts()
    a, b = _tables(folder, 2)
    model, other = folder / "model.json", folder / "other.json"
    begun = time.monotonic()
    subprocess.run(_fit(b, other), check=True, **QUIET)
    length = time.monotonic() - begun
    merge = [*COMMAND, "merge", str(model), str(other), "-o", str(model)]
    for _ in range(KILLS):
        model.unlink(missing_ok=True)
        stages = (_fit(a, model), [*COMMAND, "update", str(model), str(b)], merge)
        for command, rows in zip(stages, (ROWS, 2 * ROWS, 2 * ROWS), strict=True):
            if command is merge:
                subprocess.run(_fit(a, model), check=True, **QUIET)
            _killed(command, generator.uniform(0, length))
            said = subprocess.run(command, capture_output=True, check=False).stderr
            counts.take_rows(model, rows, said)
    left = {path.name for path in folder.iterdir()} - {a.name, b.name, model.name, other.name}
    counts.take("lost row" if left else "means what it says", left)
    return counts


def updates_and_merges_at_once(folder: Path, generator: np.random.Generator) -> Counts:
    """Three updates of a model beside a merge onto it: whoever comes last finds all the others."""
    counts = Counts()
    first, *tables, last = _tables(folder, 5, 200)
    model, other = folder / "model.json", folder / "other.json"
    subprocess.run(_fit(last, other), check=True, **QUIET)
    for _ in range(ROUNDS):
        subprocess.run(_fit(first, model), check=True, **QUIET)
        commands = [[*COMMAND, "update", str(model), str(table)] for table in tables]
        commands.insert(
            int(generator.integers(4)),
            [*COMMAND, "merge", str(model), str(other), "-o", str(model)],
        )
        together = [subprocess.Popen(command, **QUIET) for command in commands]
        said = b"".join(process.communicate()[1] for process in together)
        counts.take_rows(model, 5 * 200, said)
    return counts


def planted_links(folder: Path, generator: np.random.Generator) -> Counts:
    """Links put under every hidden name that was seen during earlier writes: none is followed."""
    counts, model, victim = Counts(), folder / "m.json", folder / "victim"
    summary = pd.summarize([0.0, 1.0], [1.0, 2.0], 1)
    summary.save(model)
    names = {".m.new.json", ".m.json.new", f".m.{os.getpid()}.json"}
    for _ in range(200):
        victim.write_text("mine")
        names.add(f".m.{generator.bytes(8).hex()}.new.json")
        for name in names:
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(victim)
        summary.save(model)
        untouched = victim.read_text() == "mine"
        counts.take("means what it says" if untouched else "wrong number", names)
    return counts


ATTACKS: dict[str, Attack] = {
    "typed functions, random": typed_functions,
    "models spoiled by chance": spoiled_models,
    "models forged, checksum right": forged_models,
    "fits in JSON, spoiled and forged": forged_fits,
    "text files whose last rows are of another kind": late_kinds,
    "one bit flipped: gz, zst and Parquet pages with checksums, JSON lines": flipped_bits,
    "SQL that leaves its place, typed and from a model": sql_escapes,
    "fit, update, merge killed": kills,
    "updates beside a merge": updates_and_merges_at_once,
    "links planted beside a model": planted_links,
}
NEIGHBORS = """
What others promise about files from somebody else:

- SQLite documents that malicious SQL and database files should end in an error and never do harm,
  and recommends steps for untrusted files, such as trusted_schema off, cell_size_check on and
  quick_check first: <https://www.sqlite.org/security.html>.
- scikit-learn documents that a model kept with pickle, joblib or cloudpickle may run code when it
  is loaded, so that only trusted ones may be, and names skops.io and ONNX as safer ones:
  <https://scikit-learn.org/stable/model_persistence.html>.
"""


def _done(place: int) -> Counts:
    """One attack in a folder of its own, always with the same seed."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return list(ATTACKS.values())[place](Path(folder), np.random.default_rng(place))
        finally:
            os.chdir(ROOT)


def report() -> str:
    """The section of RESULTS.md."""
    names = [field.name for field in fields(Counts)]
    head = "| attack | " + " | ".join(name.replace("_", " ") for name in names) + " |"
    lines = [head.replace("lost row", "row lost or twice"), "|---" + "|---:" * len(names) + "|"]
    spawn = multiprocessing.get_context("spawn")  # a process each: what one has loaded, none sees
    with ProcessPoolExecutor(2, spawn, max_tasks_per_child=1) as pool:
        for name, counts in zip(ATTACKS, pool.map(_done, range(len(ATTACKS))), strict=True):
            found = (f"{getattr(counts, column):,}" for column in names)
            lines.append(f"| {name} | " + " | ".join(found) + " |")
    told = (
        f"Seeded; an attack on documents ends after {SECONDS:.0f} s. All counts but the first "
        "three must be 0."
    )
    table = "\n".join(lines)
    return f"## What was attacked\n\n{told}\n\n{table}\n{NEIGHBORS}".rstrip()


if __name__ == "__main__":
    print(report())
