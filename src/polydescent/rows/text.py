"""Columns of text files: what is read is what stands in the file, in every row of it.

A reader that decides from the first rows what a column holds changes the later ones in silence.
Here numbers are numbers in every row or refused with their row, a column is dates or numbers by its
first value, and what SQL expressions and conditions use has the type that all its rows agree on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from polydescent.errors import BadTable, BadValue
from polydescent.rows import locked
from polydescent.rows.duck import File, _share, mentions
from polydescent.rows.layout import DATE, TIME, is_date, is_number
from polydescent.rows.rows import Rows

_EXACT = 2.0**53  # whole numbers beyond it are not all float64
MIXED = "MIXED"  # more than half of the texts are numbers
_WHOLE = r"[+-]?[0-9]+"
_HALVED = r"[+-]?[0-9]{1,25}"  # below 2⁸⁵: both halves are float64
_MICRO = TIME.replace("{1,9}", "{1,6}")


@dataclass(frozen=True)
class Step:
    """One way to read the rows; where it cannot say a value exactly, the next goes on.

    typed: the reader itself makes float64 of plain columns, the fast way. halves: whole numbers in
    x come in two parts, exactly. tick: of dates in x, "".
    """

    typed: bool = False
    halves: bool = False
    tick: str = ""


class TextFile(File):
    """A file whose columns are texts. What differs is `columns` and `raw`."""

    decimal = "."

    has_texts = True

    def key_name(self, index: int) -> str:
        """The name, as SQL, of a column of texts that are keys."""
        return f'"key {index} of polydescent"'

    def key(self, connection: Any, table: str, names: list[str], text: str) -> str:
        if text in names:
            return self.key_name(names.index(text))
        return super().key(connection, table, names, text)

    @property
    def is_compressed(self) -> bool:
        """Whether the file has checksums of its own."""
        return self.path.suffix.lower() in (".gz", ".zst")

    def columns(self, connection: Any) -> tuple[str, ...]:
        """The names of its columns."""
        raise NotImplementedError

    def raw(self, wanted: list[int], numbers: set[int]) -> str:
        """SQL that can stand after FROM, with the wanted columns as c0, c1, …: texts, or float64
        where they are among `numbers`.
        """
        raise NotImplementedError

    def check_rows(self, n: int) -> None:
        """Raise BadTable where n rows cannot be all there are."""

    def simpler(self, why: Exception) -> bool:
        """Whether there is a simpler way to read what failed so; `raw` then takes it."""
        return False

    def known(self, index: int) -> list[str]:
        """The texts of the first rows in one column, as far as they are known."""
        return []

    @property
    def can_type(self) -> bool:
        """Whether `raw` makes float64 of texts."""
        return False

    def read(self, connection: Any, duckdb: Any, skip: int) -> Iterator[tuple[Rows, float]]:
        names = self.columns(connection)
        if not names:
            return
        asked = self.asked.columns
        plain = {role: names.index(text) for role, text in asked.items() if text in names}
        by = [names.index(text) for text in self.asked.by if text in names]
        for index in (*plain.values(), *by):
            if names.count(names[index]) > 1:
                places = [str(i) for i, name in enumerate(names) if name == names[index]]
                raise BadTable(
                    f"{self.label}: {names[index]!r} is the name of columns {', '.join(places)} "
                    "(counted from 0). Name all columns with FileFormat(columns=…)."
                )
        kinds = self._kinds(connection, names, plain)
        plan = _Plan(self, names, plain, kinds)
        failed: Exception | None = None
        read = skip
        for step in plan.steps(connection):
            try:
                query, tick = plan.query(connection, duckdb, step)
                check = partial(plan.check_all, step, connection, query)
                with closing(self.blocks(connection, query, read, check)) as blocks:
                    for columns, keys in blocks:
                        if plan.rounds(step, columns[0]):
                            break
                        yield self.rows(columns, tick, read, keys), _share(connection)
                        read += len(columns[0])
                    else:
                        self.check_rows(read)
                        return
            except _Rounded:
                continue
            except (duckdb.Error, OSError) as why:
                failed = why
        assert failed is not None  # the last step rounds nothing
        if self.simpler(failed):
            yield from self.read(connection, duckdb, read)
            return
        raise plan.first_bad(connection, duckdb) or failed

    def _kinds(
        self, connection: Any, names: tuple[str, ...], plain: dict[str, int]
    ) -> dict[int, str]:
        """The SQL types of the columns that expressions use, from all their rows."""
        asked = self.asked
        texts = [text for role, text in asked.columns.items() if role not in plain]
        keys = [text for text in asked.by if text not in names]
        said = [*texts, *keys, asked.where or ""]
        used = [i for i, name in enumerate(names) if mentions(said, name)]
        return self._types(connection, used) if used else {}

    def _types(self, connection: Any, used: list[int]) -> dict[int, str]:
        numbers = self._counted(connection, used, self._of_numbers)
        kinds = {i: _type_of_numbers(*counts) for i, counts in numbers.items()}
        others = [i for i in used if not kinds[i]]
        if others:
            texts = self._counted(connection, others, self._of_texts)
            kinds |= {i: _type_of_texts(*numbers[i][:2], *counts) for i, counts in texts.items()}
        return kinds

    def _counted(
        self, connection: Any, used: list[int], of: Callable[[str], list[str]]
    ) -> dict[int, tuple[Any, ...]]:
        """The aggregates that `of` makes of the text of each column, over all rows."""
        tests = [of(f"c{i}") for i in used]
        flat = ", ".join(test for column in tests for test in column)
        query = f"SELECT {flat} FROM {self.raw(used, set())}"
        (found,) = connection.execute(query).fetchall()
        k = len(tests[0])
        return {i: found[k * place : k * (place + 1)] for place, i in enumerate(used)}

    def _of_numbers(self, text: str) -> list[str]:
        """How many texts are there, numbers, whole numbers; the largest of the numbers."""
        number, missing = self.double(text), self.missing(text)
        number = (
            f"(CASE WHEN {missing} THEN NULL ELSE {number} END)" if self.null_numbers else number
        )
        return [  # CASE: the dear tests only where they decide
            f"count(*) - count_if(CASE WHEN {number} IS NULL THEN {missing} ELSE false END)",
            f"count({number})",
            f"count_if(CASE WHEN {number} IS NULL THEN false ELSE {_matches(text, _WHOLE)} END)",
            f"max(abs({number}))",
        ]

    def _of_texts(self, text: str) -> list[str]:
        """How many texts are dates, days, true or false."""
        found = [
            f"{self.moment(text, 'us')} IS NOT NULL",
            f"{_matches(text, DATE)} AND TRY_CAST(trim({text}) AS DATE) IS NOT NULL",
            f"lower(trim({text})) IN ('true', 'false')",
        ]
        missing = self.missing(text)
        return [f"count_if(CASE WHEN {missing} THEN false ELSE {test} END)" for test in found]

    # ── SQL of one text ──

    def missing(self, text: str) -> str:
        """Whether a text is missing, as SQL."""
        nulls = ", ".join(locked.quoted(null) for null in self.asked.format.nulls)
        numbers = ", ".join(f"'{number!r}'::DOUBLE" for number in self.null_numbers)
        or_number = f" OR {self.double(text)} IN ({numbers})" if numbers else ""
        return f"({text} IS NULL OR trim({text}) IN ({nulls}){or_number})"

    @property
    def null_numbers(self) -> list[float]:
        """The numbers among the texts that stand for a missing one: -9999 is -9999.0 too."""
        return [float(text) for text in self.asked.format.null if is_number(text)]

    def double(self, text: str) -> str:
        """A text as float64, NULL where it is no number."""
        if self.decimal == ",":
            text = f"replace(replace({text}, '.', '?'), ',', '.')"
        return f"TRY_CAST({text} AS DOUBLE)"

    def moment(self, text: str, tick: str) -> str:
        """A text as ticks since 1970, NULL where it is no date or tells finer ones."""
        text = f"trim({text})"
        us = (
            f"CASE WHEN {_matches(text, '.*:.*(Z|[+-][0-9:]+)')} "
            "THEN epoch_us(TRY_CAST({t} AS TIMESTAMPTZ)) "
            "ELSE epoch_us(TRY_CAST({t} AS TIMESTAMP)) END"
        )
        if tick == "us":
            exact = f"{DATE}({_MICRO})?"
            return f"(CASE WHEN {_matches(text, exact)} THEN {us.format(t=text)} END)"
        shorter = rf"regexp_replace({text}, '(\.\d{{6}})\d+', '\1')"
        rest = rf"rpad(regexp_extract({text}, '\.\d{{6}}(\d+)', 1), 3, '0')"
        ns = f"CAST({us.format(t=shorter)} AS HUGEINT) * 1000 + CAST({rest} AS INTEGER)"
        return f"(CASE WHEN {_matches(text, f'{DATE}({TIME})?')} THEN {ns} END)"

    def checked(self, text: str, value: str, otherwise: str = "") -> str:
        """value, or `otherwise`, NULL where the text is missing, an error where it is neither."""
        missing = f"WHEN {self.missing(text)} THEN NULL"
        first, then = (missing, "") if self.null_numbers else ("", missing)
        return (
            f"CASE {first} WHEN {value} IS NOT NULL THEN {otherwise or value} {then} "
            "ELSE error('no value') END"
        )

    def typed(self, text: str, kind: str) -> str:
        """A text as a type that all texts of its column have."""
        if kind in ("VARCHAR", MIXED):
            return text
        value = {
            "KEY": text,
            "DOUBLE": self.double(text),
            "TIMESTAMP": f"make_timestamp({self.moment(text, 'us')})",
        }.get(kind, f"CAST(trim({text}) AS {kind})")
        return f"CASE WHEN {self.missing(text)} THEN NULL ELSE {value} END"


class _Rounded(Exception):
    """Rows are to be sorted, and some of them must be read in another way."""


class _Plan:
    """How the columns asked of one file are selected."""

    def __init__(
        self, file: TextFile, names: tuple[str, ...], plain: dict[str, int], kinds: dict[int, str]
    ):
        self.file, self.names, self.plain, self.kinds = file, names, plain, kinds
        self._is_dates = False
        # texts where most are numbers: the others may be why an expression does not work
        self._texts = [i for i, kind in kinds.items() if kind == MIXED]

    def steps(self, connection: Any) -> list[Step]:
        """The ways to read them, the fastest first."""
        if "x" in self.plain:
            self._is_dates = is_date(self._first_x(connection))
        if self._is_dates:
            return [Step(tick="us"), Step(tick="ns")]
        fast = [Step(typed=True)] if self.plain and self.file.can_type else []
        return [*fast, Step(), *([Step(halves=True)] if "x" in self.plain else [])]

    def rounds(self, step: Step, x: np.ndarray) -> bool:
        """Whether some of x may have been whole numbers that float64 does not hold."""
        exact = step.halves or step.tick or "x" not in self.plain
        return not exact and bool((np.abs(x) >= _EXACT).any())

    def check_all(self, step: Step, connection: Any, query: str) -> None:
        """Raise _Rounded where that may have happened in some row of a query."""
        ((most,),) = connection.execute(f"SELECT max(abs(c0)) FROM ({query})").fetchall()
        if most is not None and self.rounds(step, np.array([most])):
            raise _Rounded

    def _first_x(self, connection: Any) -> str:
        """The first x that is not missing."""
        index = self.plain["x"]
        for text in self.file.known(index):
            if text.strip() not in self.file.asked.format.nulls:
                return text
        t = f"c{index}"
        query = f"SELECT {t} FROM {self.file.raw([index], set())} WHERE NOT {self.file.missing(t)}"
        found = connection.execute(f"{query} LIMIT 1").fetchall()
        return str(found[0][0]) if found else ""

    def query(self, connection: Any, duckdb: Any, step: Step) -> tuple[str, str]:
        """(query, tick of the dates in x)."""
        by = {text: self.names.index(text) for text in self.file.asked.by if text in self.names}
        texts = {*self.kinds, *by.values()}
        numbers = set(self.plain.values()) - texts if step.typed else set()
        wanted = sorted({*self.plain.values(), *texts}) or [0]
        inner = [
            f"{self.file.typed(f'c{i}', kind)} AS {locked.identifier(self.names[i])}"
            for i, kind in self.kinds.items()
        ]
        hidden: dict[str, list[str]] = {}
        for role, i in self.plain.items():
            parts = [f"c{i}"] if i in numbers else self._parts(role, f"c{i}", step)
            hidden[role] = [f'"{role} {k} of polydescent"' for k in range(len(parts))]
            inner += [f"{sql} AS {name}" for sql, name in zip(parts, hidden[role], strict=True)]
        inner += [
            f"{self.file.typed(f'c{i}', 'KEY')} AS {self.file.key_name(i)}" for i in by.values()
        ]
        table = f"(SELECT {', '.join(inner) or '1'} FROM {self.file.raw(wanted, numbers)})"
        select, tick = [], step.tick
        for role, text in self.file.asked.columns.items():
            columns, its_tick = hidden.get(role, []), ""
            if role not in self.plain:
                there = list(self.names)
                try:
                    columns, its_tick = self.file._selected(
                        connection, duckdb, table, there, role, text
                    )
                except BadTable:
                    bad = self.first_bad(connection, duckdb)
                    if bad is None:
                        raise
                    raise bad from None
            select, tick = select + columns, tick or its_tick
        return self.file._query(connection, select, table, list(self.names)), tick

    def _parts(self, role: str, text: str, step: Step) -> list[str]:
        """A plain column as float64, x as two of them."""
        file, double = self.file, self.file.double(text)
        if role == "x" and step.tick:
            ticks = file.moment(text, step.tick)
            return [
                file.checked(text, ticks, f"{ticks} >> 32"),
                file.checked(text, ticks, f"{ticks} & 4294967295"),
            ]
        if role != "x" or not step.halves:
            return [file.checked(text, double)]
        whole, high = f"TRY_CAST(trim({text}) AS HUGEINT)", f"trunc({double} / 4294967296.0)"
        low = f"{double} - {high} * 4294967296.0"
        halves = [(f"{whole} >> 32", high), (f"{whole} & 4294967295", low)]
        is_whole = _matches(text, _HALVED)
        return [
            file.checked(
                text,
                double,
                f"CASE WHEN {is_whole} THEN CAST({of_whole} AS DOUBLE) ELSE {of_double} END",
            )
            for of_whole, of_double in halves
        ]

    def first_bad(self, connection: Any, duckdb: Any) -> BadValue | None:
        """The refusal of the first text that is not what its column holds."""
        found = []
        dated = {self.plain["x"]} if self._is_dates else set()
        for i in {*self.plain.values(), *self._texts}:
            t, dates = f"c{i}", i in dated
            value = self.file.moment(t, "ns") if dates else self.file.double(t)
            numbered = f"(SELECT row_number() OVER () - 1 AS n, * FROM {self.file.raw([i], set())})"
            bad = f"{value} IS NULL AND NOT {self.file.missing(t)}"
            try:
                query = f"SELECT n, {t} FROM {numbered} WHERE {bad} ORDER BY n LIMIT 1"
                rows = connection.execute(query).fetchall()
            except (duckdb.Error, OSError):
                return None
            found += [(*row, i, dates) for row in rows]
        if not found:
            return None
        row, text, i, dates = min(found)
        advice = _advice(self.names[i], text, dates, self.file.decimal)
        return BadValue(self.file.label, self.names[i], row, text, advice)


def _advice(name: str, text: str, dates: bool, decimal: str) -> str:
    quoted, text = locked.identifier(name), text.strip()
    if dates:
        return "Its first value is a date, this is none. Repair or remove it."
    if text.lower() in ("true", "false"):
        return f"That is no number. An expression helps: CAST({quoted} AS INTEGER)."
    if is_date(text):
        return f"A date is no number. An expression helps: epoch({quoted})."
    other = "," if decimal == "." else "."
    if is_number(text, other):
        return f"If {other!r} is the decimal mark, say so: --decimal {other} or FileFormat."
    return (
        "That is no number. Repair it; if it stands for a missing value, say so with "
        f"FileFormat(null=…); if it is a date, with strptime({quoted}, '%d.%m.%Y'); or write an "
        f"expression: CAST({quoted} AS DOUBLE)."
    )


def _type_of_numbers(n: int, numbers: int, whole: int, largest: float | None) -> str:
    """The SQL type of n texts that are all numbers, "" where they are not."""
    if numbers < n:
        return ""
    if whole < n or not n or largest is None or largest >= 2.0**127:
        return "DOUBLE"
    return "BIGINT" if largest < 2.0**63 else "HUGEINT"


def _type_of_texts(n: int, numbers: int, dates: int, days: int, logical: int) -> str:
    """The SQL type that n texts have that are not all numbers, or MIXED."""
    if dates == n:
        return "DATE" if days == n else "TIMESTAMP"
    if logical == n:
        return "BOOLEAN"
    return MIXED if 2 * numbers > n else "VARCHAR"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match(trim({text}), {locked.quoted(pattern)})"
