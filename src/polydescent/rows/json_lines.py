"""JSON as columns of texts: lines, or one array of objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polydescent.rows import locked
from polydescent.rows.duck import Columns
from polydescent.rows.intact import (
    damage_of_array,
    damage_of_stream,
    verified,
)
from polydescent.rows.rows import Rows
from polydescent.rows.text import TextFile


class Json(TextFile):
    """JSON lines, or one array of objects."""

    def __init__(self, path: Path, asked: Columns, label: str = ""):
        super().__init__(path, asked, label)
        self._found: dict[str, str] | None = None

    def read(self, connection: Any, duckdb: Any, skip: int) -> Iterator[tuple[Rows, float]]:
        def damage() -> str:
            found = damage_of_stream(self.path) if self.is_compressed else ""
            return found or damage_of_array(self.path)

        with verified(self.path, damage):
            yield from super().read(connection, duckdb, skip)

    def columns(self, connection: Any) -> tuple[str, ...]:
        if self._found is None:
            self._found = self._described(connection, "")
            if any(_is_nested(k) and self.asked.mentions(name) for name, k in self._found.items()):
                self._found = self._described(connection, ", sample_size = -1")
        return tuple(self._found)

    def raw(self, wanted: list[int], numbers: set[int]) -> str:
        found = list((self._found or {}).items())
        kinds = {name: kind if _is_nested(kind) else "JSON" for name, kind in found}
        names = [found[i][0] for i in wanted]
        typed = ", ".join(f"{locked.quoted(name)}: {locked.quoted(kinds[name])}" for name in names)
        # the text itself: a conversion of the reader's own would take true for 1
        text = {name: f"({locked.identifier(name)} ->> '$')" for name in names}
        text |= {name: locked.identifier(name) for name in names if kinds[name] != "JSON"}
        select = [f"{text[name]} AS c{i}" for i, name in zip(wanted, names, strict=True)]
        options = f"columns = {{{typed}}}, {self.hive}, hive_types_autocast = false"
        return f"(SELECT {', '.join(select)} FROM read_json({self.source}, {options}))"

    def _described(self, connection: Any, options: str) -> dict[str, str]:
        table = f"read_json({self.source}, {self.hive}{options})"
        return {
            row[0]: str(row[1]) for row in connection.execute(f"DESCRIBE FROM {table}").fetchall()
        }

    def _types(self, connection: Any, used: list[int]) -> dict[int, str]:
        kinds = list((self._found or {}).values())
        texts = [i for i in used if not _is_nested(kinds[i])]
        found = super()._types(connection, texts) if texts else {}
        return {i: found.get(i, kinds[i]) for i in used}

    def typed(self, text: str, kind: str) -> str:
        return text if _is_nested(kind) else super().typed(text, kind)


def _is_nested(kind: str) -> bool:
    return re.search(r"STRUCT|MAP|\[", kind) is not None
