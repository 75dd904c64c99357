"""`make bench`: every benchmark of this folder in one run; the tables are kept in RESULTS.md."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from datetime import date
from pathlib import Path

import history
import numpy as np

import polydescent as pd

HERE = Path(__file__).parent
SECTIONS = (
    "lesson_run",
    "torch_layer",
    "memory_rows",
    "files",
    "groups",
    "dask_workers",
    "scaling",
    "kills",
    "attacks",
    "many",
    "digits",
    "scikit",
    "robust",
)


def machine() -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{date.today()}, {cores} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, polydescent {pd.__version__}"
    )


def main(names: list[str]) -> None:
    """Run the sections named, all of them by default; write RESULTS.md where all were run.

    Every run adds its ratios to history.jsonl.
    """
    unknown = set(names) - set(SECTIONS)
    if unknown:
        sys.exit(f"No benchmark {', '.join(sorted(unknown))}. There are: {', '.join(SECTIONS)}.")
    parts = [f"# Results\n\nMeasured by `make bench`: {machine()}."]
    print(parts[0], flush=True)
    for name in names or SECTIONS:
        parts.append(importlib.import_module(name).report())
        print("\n" + parts[-1], flush=True)
    history.remember(parts)
    if not names:
        (HERE / "RESULTS.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
