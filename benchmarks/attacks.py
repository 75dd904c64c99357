"""Attacks on files and processes: how many were tried, and what each of them achieved.

An attack is a function of a folder and a seeded generator that returns Counts; to add one, write it
and name it in ATTACKS. What counts: a number other than what the file says, a row lost or counted
twice, code from a file that ran, a traceback in place of a line that says what to do.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

import polydescent as pd
from polydescent.models import model as store

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import forge  # noqa: E402

DOCUMENTS = 3000
KILLS = 10
ROUNDS = 6
ROWS = 30_000
COMMAND = [sys.executable, "-m", "polydescent"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}


@dataclass
class Counts:
    """What one attack did: tries, and in how many of them what must not happen happened."""

    tried: int = 0
    wrong_number: int = 0
    lost_row: int = 0
    code_run: int = 0
    bare_traceback: int = 0

    def take(self, verdict: str) -> None:
        """Count one try by the verdict of `forge`."""
        self.tried += 1
        self.wrong_number += verdict == "wrong number"
        self.code_run += verdict == "code run"
        self.bare_traceback += verdict.startswith("bare traceback")

    def take_rows(self, path: Path, rows: int, said: bytes = b"") -> None:
        """Count one try by the rows that a model must hold, and by what a command said."""
        self.tried += 1
        self.bare_traceback += b"Traceback" in said
        self.lost_row += store.load(path).summary.n != rows


Attack = Callable[[Path, np.random.Generator], Counts]


# ── documents ────────────────────────────────────────────────────────────────────────────────────


def spoiled_models(folder: Path, generator: np.random.Generator) -> Counts:
    """Bytes of models changed by chance: each must be noticed."""
    counts, path = Counts(), folder / "spoiled.json"
    whole = [model.read_bytes() for model in forge.models(folder)]
    for i in range(DOCUMENTS):
        data = whole[i % len(whole)]
        path.write_bytes(changed := forge.spoiled(data, generator))
        verdict = forge.verdict_of_model(path)
        noticed = verdict != "means what it says" or changed == data
        counts.take(verdict if noticed else "wrong number")
    return counts


def forged_models(folder: Path, generator: np.random.Generator) -> Counts:
    """Values of models changed on purpose, under a right checksum."""
    counts, path = Counts(), folder / "forged.json"
    bodies = [forge.body_of(model.read_bytes()) for model in forge.models(folder)]
    for i in range(DOCUMENTS):
        body = forge.forged(bodies[i % len(bodies)], generator)
        path.write_bytes(forge.sealed(store.FORMAT, body))
        counts.take(forge.verdict_of_model(path, body))
    return counts


def forged_fits(folder: Path, generator: np.random.Generator) -> Counts:
    """The JSON of fits, changed by chance and on purpose."""
    counts, texts = Counts(), forge.records()
    for i in range(DOCUMENTS):
        text = texts[i % len(texts)]
        if i % 2:
            text = json.dumps(forge.forged(json.loads(text), generator))
        else:
            text = forge.spoiled(text.encode(), generator).decode("latin-1")
        counts.take(forge.verdict_of_record(text))
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
    left = {path.name for path in folder.iterdir()}
    counts.lost_row += len(left - {a.name, b.name, model.name, other.name})
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
        counts.take("refused" if victim.read_text() == "mine" else "wrong number")
    return counts


ATTACKS: dict[str, Attack] = {
    "models spoiled by chance": spoiled_models,
    "models forged, checksum right": forged_models,
    "fits in JSON, spoiled and forged": forged_fits,
    "fit, update, merge killed": kills,
    "updates beside a merge": updates_and_merges_at_once,
    "links planted beside a model": planted_links,
}


def report() -> str:
    """The section of RESULTS.md."""
    names = [field.name for field in fields(Counts)]
    head = "| attack | " + " | ".join(name.replace("_", " ") for name in names) + " |"
    lines = [head, "|---" + "|---:" * len(names) + "|"]
    for i, (name, attack) in enumerate(ATTACKS.items()):
        with tempfile.TemporaryDirectory() as folder:
            counts = attack(Path(folder), np.random.default_rng(i))
        found = (f"{getattr(counts, column):,}" for column in names)
        lines.append(f"| {name} | " + " | ".join(found) + " |")
    table = "\n".join(lines)
    told = "Seeded. All counts but the first must be 0."
    return f"## Attacks on files and processes\n\n{told}\n\n{table}"


if __name__ == "__main__":
    print(report())
