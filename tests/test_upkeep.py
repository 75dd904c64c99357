"""What keeps the papers of the package: changelog fragments, and the history of the benchmarks."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fold = loaded(ROOT / "changelog.d" / "fold.py")
history = loaded(ROOT / "benchmarks" / "history.py")
BEFORE = """# Changelog

## 0.2.0 (unreleased)

**Fits**

- One.

**Rows**

- Two.

## 0.1.0

**Fits**

- Old.
"""


def test_an_entry_goes_to_the_end_of_its_section_in_the_first_version():
    after = fold.folded(BEFORE, [("Fits", "Three."), ("Rows", "Four."), ("Models", "Five.")])
    first, second = after.split("## 0.1.0")
    assert "- One.\n- Three.\n\n**Rows**" in first
    assert "- Two.\n- Four.\n\n**Models**\n\n- Five.\n" in first
    assert second == BEFORE.split("## 0.1.0")[1]
    assert fold.folded(BEFORE, []) == BEFORE


def test_every_fragment_begins_with_its_section(tmp_path):
    assert all(section in fold.SECTIONS.values() for _, section in fold.fragments())
    (tmp_path / "misc-a.md").write_text("A change.")
    with pytest.raises(SystemExit, match="begins with none of"):
        fold.fragments(tmp_path)


def test_every_ratio_with_a_goal_is_remembered(tmp_path, monkeypatch):
    report = "## Files\n\n| times faster | goal | | degree | seconds |\n|---:|---:|---|---:|---:|\n"
    report += "| 1,065 | ≥ 2 | csv | 3 | 4 |\n| | | none | 3 | 4 |\n\n"
    report += "| seconds | rows |\n| 1 | 2 |\n"
    assert history.ratios(report) == {"Files: times faster, csv, degree 3": 1065.0}
    monkeypatch.setattr(history, "FILE", tmp_path / "history.jsonl")
    assert "No run" in history.trend()
    history.remember([report])
    history.remember([report.replace("1,065", "2,000")])
    assert history.trend().endswith("1065 → 2000")
    first = json.loads(history.FILE.read_text(encoding="utf-8").splitlines()[0])
    assert set(first) == {"date", "version", "processor", "ratios"}
