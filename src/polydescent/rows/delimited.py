"""CSV, TSV and the like as columns of texts: values between delimiters, or aligned with blanks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from polydescent.errors import BadTable
from polydescent.rows import locked
from polydescent.rows.duck import Columns
from polydescent.rows.format import BLANKS
from polydescent.rows.intact import (
    TOO_LONG,
    damage_of_lines,
    damage_of_stream,
    verified,
)
from polydescent.rows.layout import Layout, layout_of, shielded
from polydescent.rows.rows import Rows
from polydescent.rows.text import TextFile

_BUFFER = 1_050_000  # the default of 32 MB makes memory grow with the file, and is no faster
_MOST = 1_000_000  # bytes of a row: less than the buffer
# a delimiter that is in no text: the whole line is one value
_NOTHING = "\x01\x02\x01\x02"


class Delimited(TextFile):
    """CSV, TSV and the like: values between delimiters, or aligned with blanks."""

    def __init__(self, path: Path, asked: Columns, label: str = ""):
        super().__init__(path, asked, label)
        self._layout: Layout | None = None

    @property
    def layout(self) -> Layout:
        """What the first lines tell, read once. Raises BadTable."""
        if self._layout is None:
            self._layout = layout_of(self.path, self.asked.format, self.label)
        return self._layout

    @property
    def told(self) -> tuple[str, ...]:
        """What was guessed and is not ordinary."""
        return self.layout.told

    @property
    def decimal(self) -> str:  # type: ignore[override]
        """The decimal mark."""
        return self.layout.decimal

    @property
    def can_type(self) -> bool:
        return not (self.layout.by_lines or self.decimal == "," or self.null_numbers)

    def read(self, connection: Any, duckdb: Any, skip: int) -> Iterator[tuple[Rows, float]]:
        check = (lambda: damage_of_stream(self.path)) if self.is_compressed else None
        if check is None and (why := damage_of_lines(self.path)):
            raise BadTable(f"{self.label}: {why}.")
        with verified(self.path, check):
            yield from super().read(connection, duckdb, skip)

    def columns(self, connection: Any) -> tuple[str, ...]:
        return self.layout.names + tuple(_folders(self.path)) * self.asked.format.hive

    def known(self, index: int) -> list[str]:
        return [row[index] for row in self.layout.rows if index < len(row)]

    def explained(self, asked: str) -> str | None:
        header, rows = self.layout.header, self.layout.rows
        return _explain_header(self.label, asked, header, rows[0]) if header and rows else None

    def check_rows(self, n: int) -> None:
        if not n and not self.asked.where and (self.layout.rows or self.layout.goes_on):
            raise BadTable(f"{self.label}: {TOO_LONG}.")

    def simpler(self, why: Exception) -> bool:
        if self.layout.by_lines or "invalid state" not in str(why):
            return False
        self._layout = replace(self.layout, by_lines=True)  # lines that end in different ways
        return True

    def said(self, why: Exception) -> str:
        text = str(why)
        return TOO_LONG if "Parallel CSV" in text or "aximum line" in text else super().said(why)

    def raw(self, wanted: list[int], numbers: set[int]) -> str:
        layout, names = self.layout, self.columns(None)
        if layout.by_lines:
            return self._lines(wanted)
        width = len(layout.names)
        kinds = {f"c{i}": "DOUBLE" if i in numbers else "VARCHAR" for i in range(width)}
        options = f"delim = {locked.quoted(layout.delimiter)}, quote = '\"', escape = '\"'"
        if numbers.issuperset(wanted):  # NA may well be a text where there are texts, too
            options += f", nullstr = [{', '.join(map(locked.quoted, self.asked.format.nulls))}]"
        table = self._reader(kinds, options, layout.skip)
        select = [f"c{i}" for i in wanted if i < width]
        select += [f"{locked.identifier(names[i])} AS c{i}" for i in wanted if i >= width]
        return f"(SELECT {', '.join(select)} FROM {table})"

    def _reader(self, kinds: dict[str, str], options: str, skip: int) -> str:
        typed = ", ".join(
            f"{locked.quoted(name)}: {locked.quoted(kind)}" for name, kind in kinds.items()
        )
        return (
            f"read_csv({self.source}, auto_detect = false, columns = {{{typed}}}, header = false, "
            f"skip = {skip}, {options}, encoding = {locked.quoted(self.layout.encoding)}, "
            f"{self.hive}, hive_types_autocast = false, buffer_size = {_BUFFER}, "
            f"max_line_size = {_MOST})"
        )

    def _lines(self, wanted: list[int]) -> str:
        """The same where lines are split here: comments, columns aligned with blanks, and lines
        that end in different ways.
        """
        layout, width, names = self.layout, len(self.layout.names), self.columns(None)
        options = f"delim = {locked.quoted(_NOTHING)}, quote = '', escape = '', strict_mode = false"
        lines = self._reader({"line": "VARCHAR"}, options, layout.skip)
        line = "line"
        if layout.comment:
            shields = shielded(layout.comment, self.asked.format)
            kept = (
                " OR ".join(f"contains(line, {locked.quoted(text)})" for text in shields) or "false"
            )
            cut = f"split_part(line, {locked.quoted(layout.comment)}, 1)"
            starts = f"starts_with(ltrim(line), {locked.quoted(layout.comment)})"
            shield = " OR ".join(f"starts_with(ltrim(line), {locked.quoted(s)})" for s in shields)
            line = (
                f"CASE WHEN {starts} AND NOT ({shield or 'false'}) THEN '' "
                f"WHEN {kept} THEN line ELSE {cut} END"
            )
        fields = (
            r"string_split_regex(trim(line, e' \t\r'), '[ \t]+')"
            if layout.delimiter == BLANKS
            else f"string_split(trim(line, e'\\r'), {locked.quoted(layout.delimiter)})"
        )
        wrong = (
            f"error('a row has ' || len(f) || ' values instead of {width}: ' || left(line, 200))"
        )
        select = [
            f"CASE WHEN len(f) <> {width} THEN {wrong} "
            f"ELSE nullif(trim(trim(f[{i + 1}]), '\"'), '') END AS c{i}"
            for i in wanted
            if i < width
        ]
        hive = [locked.identifier(name) for name in names[width:]]
        select += [f"{locked.identifier(names[i])} AS c{i}" for i in wanted if i >= width]
        also = "".join(f", {name}" for name in hive)
        return (
            f"(SELECT {', '.join(select)} FROM (SELECT line, {fields} AS f{also} FROM "
            f"(SELECT {line} AS line{also} FROM {lines}) "
            "WHERE line IS NOT NULL AND trim(line, e' \\t\\r') <> ''))"
        )


def _folders(path: Path) -> list[str]:
    """The keys of the folders named key=value."""
    return [part.partition("=")[0] for part in path.absolute().parent.parts if "=" in part]


def _explain_header(path: str, asked: str, header: tuple[str, ...], row: tuple[str, ...]) -> str:
    there_are = ", ".join(f"column{i} (first value {value})" for i, value in enumerate(row))
    return (
        f"{path}: the header names {len(header)} columns ({', '.join(header)}) but the rows have "
        f"{len(row)} values, so it cannot be known which values {asked!r} names. Ask for columns "
        f"by position: {there_are}. Or repair the header."
    )
