"""How the ratios with a goal moved from run to run: a line of history.jsonl for each run."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

import polydescent as pd

FILE = Path(__file__).with_name("history.jsonl")
_LABELS = ("", "than", "degree", "worker processes")  # headers of what names a row; others measure


def ratios(report: str) -> dict[str, float]:
    """The first column of every row of a section's tables, where the second is headed "goal"; by
    the section's heading, what the column says, and the row's name.
    """
    found: dict[str, float] = {}
    heading, header = "", []
    for line in report.splitlines():
        if line.startswith("#"):
            heading = line.strip("# ").rstrip(".")
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            header = []
        elif not header:
            header = cells
        elif len(header) > 2 and header[1] == "goal" and (value := _number(cells[0])) is not None:
            named = zip(header[2:], cells[2:], strict=False)
            parts = [f"{head} {cell}".strip() for head, cell in named if head in _LABELS and cell]
            found[f"{heading}: {header[0]}, {', '.join(parts)}"] = value
    return found


def _number(text: str) -> float | None:
    plain = text.replace(",", "")
    return float(plain) if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", plain) else None


def remember(reports: list[str]) -> None:
    """Add a line for a run: the day, the version, the processor, and every ratio."""
    measured = {name: value for report in reports for name, value in ratios(report).items()}
    line = {
        "date": str(date.today()),
        "version": pd.__version__,
        "processor": _processor(),
        "ratios": measured,
    }
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _processor() -> str:
    """The model of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def trend(processor: str | None = None) -> str:
    """A line for each ratio: its values in the order of the runs, on one processor or on all."""
    values: dict[str, list[float]] = defaultdict(list)
    if FILE.exists():
        for line in FILE.read_text(encoding="utf-8").splitlines():
            run = json.loads(line)
            if processor in (None, run["processor"]):
                for name, value in run["ratios"].items():
                    values[name].append(value)
    lines = (f"{name}: {' → '.join(f'{v:.4g}' for v in vs)}" for name, vs in values.items())
    return "\n".join(lines) or "No run is remembered yet: `make bench` adds one."


if __name__ == "__main__":
    print(trend(sys.argv[1] if len(sys.argv) > 1 else None))
