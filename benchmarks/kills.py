"""`polydescent update` killed with SIGKILL at random moments and run again, until it is through."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

import polydescent as pd

KILLS = 20
ROWS = 4_000_000
# slow enough that most kills hit the pass itself, and that it writes several checkpoints
EXPRESSION = "y + 0 * length(repeat(md5(CAST(y AS VARCHAR)), 60))"
COMMAND = [sys.executable, "-m", "polydescent"]


def update(model: Path, source: Path) -> subprocess.Popen[bytes]:
    """The command, started."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, "update", str(model), str(source), "--trust"], **silent)


def killed_then_done(model: Path, source: Path, after: float) -> tuple[int, int]:
    """(kills, checkpoints seen): kill the update once after so many seconds, then let it end."""
    process = update(model, source)
    time.sleep(after)
    alive = process.poll() is None
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    checkpoints = len(list(model.parent.glob(f"{model.name}.*.part")))
    process = update(model, source)
    _, said = process.communicate()
    if process.returncode and b"--again" not in said:  # it had been through: nothing to do
        raise RuntimeError(said.decode())
    return int(alive), checkpoints


def report() -> str:
    """The section of RESULTS.md."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source, n in (("old", 1000), ("new", ROWS)):
            duckdb.execute(
                f"COPY (SELECT i / {n} AS x, sin(9 * x) AS y FROM range({n}) t(i)) "
                f"TO '{folder}/{source}.parquet'"
            )
        base, model = folder / "base.json", folder / "model.json"
        columns = ["--x", "x", "--y", EXPRESSION, "--degree", "5", "--save", str(base)]
        fit = [*COMMAND, "fit", str(folder / "old.parquet"), *columns]
        subprocess.run(fit, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(base, model)
        begun = time.monotonic()
        update(model, folder / "new.parquet").communicate()
        undisturbed, length = pd.Summary.load(model), time.monotonic() - begun
        moments = random.Random(0)
        same = kills = resumed = tries = 0
        while kills < KILLS:  # an update that had ended before its moment came does not count
            tries += 1
            shutil.copy(base, model)
            alive, checkpoints = killed_then_done(
                model, folder / "new.parquet", moments.uniform(0, length)
            )
            kills, resumed = kills + alive, resumed + bool(checkpoints)
            found = pd.Summary.load(model)
            same += found.n == undisturbed.n and np.array_equal(
                found.triangle.array, undisturbed.triangle.array
            )
        left = sorted(file.name for file in folder.iterdir())
    return (
        f"## {KILLS} SIGKILLs at random moments of an update of {length:.1f} s\n\n"
        f"{same} of {tries} (all) ended, run again, with the summary of an undisturbed run, bit "
        f"for bit; {kills} were alive when killed, {resumed} went on from a checkpoint. Left in "
        f"the folder: {', '.join(left)}."
    )


if __name__ == "__main__":
    print(report())
