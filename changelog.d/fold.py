"""`make changelog`: the fragments of this folder become lines of CHANGELOG.md, and go.

A fragment is a file SECTION-what-changed.md, with SECTION one of the words below; its text is one
entry, without the dash in front. Two changes then never touch the same line.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
CHANGELOG = HERE.parent / "CHANGELOG.md"
SECTIONS = {
    "fits": "Fits",
    "descent": "Descent",
    "rows": "Rows",
    "models": "Models",
    "safety": "Safety",
    "seeing": "Seeing it",
    "package": "The package",
}


def fragments(folder: Path = HERE) -> list[tuple[Path, str]]:
    """(file, section) of every fragment, by name. Exits where a name begins with no section."""
    found = []
    for path in sorted(folder.glob("*.md")):
        section = path.stem.partition("-")[0]
        if section not in SECTIONS:
            sys.exit(f"{path.name} begins with none of {', '.join(SECTIONS)}.")
        found.append((path, SECTIONS[section]))
    return found


def folded(changelog: str, entries: list[tuple[str, str]]) -> str:
    """The changelog with (section, text) entries at the ends of sections of its first version."""
    head, mark, rest = changelog.partition("\n## ")
    version, later, older = rest.partition("\n## ")
    for section, text in entries:
        lines = textwrap.wrap(text, 106, break_long_words=False, break_on_hyphens=False)
        entry = "- " + "\n  ".join(lines)
        title = f"**{section}**"
        if title not in version:
            version = f"{version.rstrip()}\n\n{title}\n\n{entry}\n"
            continue
        before, _, after = version.partition(title)
        own, bold, others = after.partition("\n\n**")
        version = f"{before}{title}{own.rstrip()}\n{entry}\n{bold[1:]}{others}"
    return head + mark + version + later + older


def main() -> None:
    """Fold every fragment and remove it."""
    found = fragments()
    entries = [(section, path.read_text(encoding="utf-8").strip()) for path, section in found]
    text = folded(CHANGELOG.read_text(encoding="utf-8"), entries)
    CHANGELOG.write_text(text, encoding="utf-8")
    for path, _ in found:
        path.unlink()
    print(f"{len(found)} fragments folded into {CHANGELOG.name}.")


if __name__ == "__main__":
    main()
