"""Columns of a table, or SQL expressions of them, streamed out of DuckDB."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydescent.errors import (
    BadCall,
    BadKeys,
    BadTable,
    NoExpression,
    NoQuery,
    PolydescentError,
    UnknownName,
)
from polydescent.rows import arrow, locked
from polydescent.rows.axis import Axis, axis_of_halves
from polydescent.rows.deviations import Deviations, by_role, weighed
from polydescent.rows.expressions import expression
from polydescent.rows.format import GUESSED, FileFormat
from polydescent.rows.keys import BLOCK, Keys, is_scattered
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source

_NUMERIC = re.compile(r"^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL)")
_WIDE = re.compile(r"^(U?(BIGINT|HUGEINT)|DECIMAL\(\d+,0\))")
_DATE = re.compile(r"^(TIMESTAMP|DATE)")
ORDER = "hash({keys})"  # faster than the keys themselves, where these are texts
_NESTED = re.compile(r"^(STRUCT|MAP|UNION|VARIANT)|\[")
# keys that Arrow has a type for; others are told apart by their text
_KEY = re.compile(
    r"^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL|VARCHAR|BOOLEAN|DATE|TIME|BLOB|"
    r"TIMESTAMP)"
)


@dataclass(frozen=True)
class Columns:
    """What a user asked of a table: columns or SQL expressions of them.

    trusted: the user typed them, or answers for the model they come from. format: how text files
    are written. by: what makes the key of a row's group; nothing where all are of one curve.
    """

    x: str
    y: str
    weights: str | Deviations | None = None
    where: str | None = None
    counts: str | None = None
    trusted: bool = True
    format: FileFormat = GUESSED
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for role, asked in (self.columns | {"where": self.where}).items():
            if asked is not None and not isinstance(asked, str):
                what = "weights or sigma" if role == "weights" else role
                raise BadCall(
                    f"{what} of a file or table is the name of a column or an SQL expression, "
                    f"found {type(asked).__name__} {asked!r:.40}."
                )

    @property
    def columns(self) -> dict[str, str]:
        """What was asked, by role, without what was not."""
        return by_role(self.x, self.y, self.weights, self.counts)

    def mentions(self, name: str) -> bool:
        """Whether a column of this name may be in what was asked."""
        return mentions([*self.columns.values(), *self.by, self.where or ""], name)

    @property
    def remembered(self) -> dict[str, str]:
        """All of it as texts, for a model."""
        said = {"where": self.where, "format": self.format.to_json()}
        return self.columns | {key: text for key, text in said.items() if text}


def mentions(texts: Iterable[str], name: str) -> bool:
    """Whether some of the SQL may name a column so, bare or in quotes."""
    said = " ".join(texts).lower()
    return name.lower() in said or locked.identifier(name).lower() in said


class Query(Source):
    """Columns of something DuckDB can select from. What differs is `table`.

    opens: the files that a query may open; None: those that SQL typed by the user names. session:
    where the parts of one source share a connection. rereadable: whether the table may be selected
    from twice. has_texts: whether its columns are texts, and keys too.
    """

    opens: tuple[Path, ...] | None = ()
    session: Session | None = None
    rereadable = True
    has_texts = False

    def __init__(self, label: str, asked: Columns):
        self.label, self.asked = label, asked
        self.x_name, self.y_name = asked.x, asked.y

    def table(self, connection: Any) -> str:
        """SQL that can stand after FROM."""
        raise NotImplementedError

    def explained(self, asked: str) -> str | None:
        """Why `asked` cannot be a column here, where this kind of table knows better than SQL."""
        return None

    def is_empty(self, connection: Any, table: str) -> bool:
        """Whether the table is known to have no rows."""
        return False

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        """As `Source.chunks`. Raises BadTable, UnknownName, MissingExtra, NoQuery."""
        duckdb = locked.duckdb()
        arrow.pyarrow()
        with self.session.opened() if self.session else locked.connect(self.opens) as connection:
            try:
                yield from self.read(connection, duckdb, skip)
            except (duckdb.Error, OSError) as why:
                raise BadTable(f"{self.label}: {self.said(why)}") from None

    def said(self, why: Exception) -> str:
        """What DuckDB says is wrong, for the user."""
        return locked.told(why)

    def read(self, connection: Any, duckdb: Any, skip: int) -> Iterator[tuple[Rows, float]]:
        """The same on an open connection. Raises what DuckDB raises, too."""
        query, tick = self._sql(connection, duckdb)
        for columns, keys in self.blocks(connection, query, skip):
            yield self.rows(columns, tick, skip, keys), _share(connection)
            skip += len(columns[0])

    def blocks(
        self,
        connection: Any,
        query: str,
        skip: int,
        before_sorting: Callable[[], object] | None = None,
    ) -> Generator[tuple[arrow.Columns, Keys | None], None, None]:
        """The columns and keys of a query, block by block after the first `skip` rows.

        Rows of so many groups that each comes now and then are sorted by the data base first, which
        keeps on disk what memory does not hold: then each group arrives at once. before_sorting:
        called then, before the first row; it may raise.
        """
        # a CSV's broken value comes out of the reader as OSError
        if not self.asked.by:
            with closing(_batches(connection, query)) as batches:
                for columns in arrow.blocks(batches, skip):
                    yield columns, None
            return
        with closing(_batches(connection, query, BLOCK)) as batches:
            found = self._keyed(batches, skip)
            first = next(found, None)
            if first is None:
                return
            self.sorts = self.rereadable and not skip and is_scattered(first[1])
            self.repeatable = type(self).repeatable and not self.sorts
            if not self.sorts:
                yield first
                yield from found
                return
        if before_sorting is not None:
            before_sorting()
        keys = ", ".join(f"k{i}" for i in range(len(self.asked.by)))
        query = f"FROM ({query}) ORDER BY {ORDER.format(keys=keys)}"
        with closing(_batches(connection, query, BLOCK)) as batches:
            yield from self._keyed(batches, 0, in_runs=True)

    def _keyed(
        self, batches: Any, skip: int, in_runs: bool = False
    ) -> Iterator[tuple[arrow.Columns, Keys]]:
        for columns, keys in arrow.keyed_blocks(batches, self.asked.by, skip, BLOCK):
            yield columns, Keys.of(keys, self.has_texts, in_runs)

    def rows(
        self, columns: arrow.Columns, tick: str, before: int, keys: Keys | None = None
    ) -> Rows:
        """Rows of columns as `arrow.blocks` gives them, with the tick of dates in x, and so many
        rows before them.
        """
        halves = len(columns) > len(self.asked.columns)
        first, *others = columns
        if halves:
            axis, first = axis_of_halves(first, others.pop(0), tick)
        else:
            axis = Axis(0, tick)
        found = dict(zip(self.asked.columns, (first, *others), strict=True))
        named = weighed(found, before, self.label)
        rows = Rows.of(**named, x_name=self.x_name, y_name=self.y_name)
        return replace(rows, axis=axis, keys=keys)

    def _sql(self, connection: Any, duckdb: Any) -> tuple[str, str]:
        """(query, tick of the dates in x)."""
        table = self.table(connection)
        names = [row[0] for row in connection.execute(f"DESCRIBE FROM {table}").fetchall()]
        select, tick = [], ""
        for role, text in self.asked.columns.items():
            columns, its_tick = self._selected(connection, duckdb, table, names, role, text)
            select, tick = select + columns, tick or its_tick
        return self._query(connection, select, table, names), tick

    def _selected(
        self, connection: Any, duckdb: Any, table: str, names: list[str], role: str, text: str
    ) -> tuple[list[str], str]:
        """(columns, tick) of what was asked for one role. Whole numbers that may be beyond float64
        come in halves: x is then two columns.
        """
        sql, tick = self._expression(connection, role, text, names), ""
        kind = self._kind(connection, duckdb, table, names, text, sql)
        if role == "x" and _DATE.match(kind):
            tick = "ns" if kind == "TIMESTAMP_NS" else "us"
            sql, kind = f"epoch_{tick}({sql})", "BIGINT"
        elif not (_NUMERIC.match(kind) or self.is_empty(connection, table)):
            raise BadTable(self._no_number(text, sql, kind))
        if role != "x" or not _WIDE.match(kind):
            return [sql], tick
        whole = f"CAST({sql} AS HUGEINT)" if kind.startswith("DECIMAL") else sql
        return [f"{whole} >> 32", f"{whole} & 4294967295"], tick

    def _query(self, connection: Any, select: list[str], table: str, names: list[str]) -> str:
        found = [f"CAST({sql} AS DOUBLE) AS c{i}" for i, sql in enumerate(select)]
        keys = [self.key(connection, table, names, text) for text in self.asked.by]
        found += [f"{sql} AS k{i}" for i, sql in enumerate(keys)]
        query = f"SELECT {', '.join(found)} FROM {table}"
        if self.asked.where:
            query += f" WHERE {self._expression(connection, 'where', self.asked.where, names)}"
        return query

    def key(self, connection: Any, table: str, names: list[str], text: str) -> str:
        """SQL for a part of the key. Raises BadKeys, BadTable, UnknownName."""
        sql = self._expression(connection, "by", text, names)
        kind = self._kind(connection, locked.duckdb(), table, names, text, sql)
        if _NESTED.search(kind):
            raise BadKeys(f"{text!r} of {self.label} is {kind}, and a key is one value")
        return sql if _KEY.match(kind) else f"CAST({sql} AS VARCHAR)"

    def _expression(self, connection: Any, role: str, text: str, names: list[str]) -> str:
        """SQL for what was asked: a column by its exact name, else an expression of columns.

        Raises BadTable, UnknownName, UntrustedSql.
        """
        if text in names:
            return locked.identifier(text)
        try:
            return expression(connection, text, names, role, self.asked.trusted)
        except NoExpression as why:
            if role == "where":  # no name of a column, so nothing that a broken header explains
                raise NoExpression(text, why.reason, self.label) from None
            raise self._refusal(text, names, why.reason) from None

    def _kind(
        self, connection: Any, duckdb: Any, table: str, names: list[str], text: str, sql: str
    ) -> str:
        """The SQL type of what the user typed as `text`. Raises BadTable, UnknownName."""
        try:
            described = connection.execute(f"DESCRIBE SELECT {sql} AS v FROM {table}").fetchall()
        except duckdb.Error as why:
            raise self._refusal(text, names, locked.told(why)) from None
        return str(described[0][1])

    def _refusal(self, text: str, names: list[str], why: str) -> PolydescentError:
        explained = self.explained(text)
        if explained:
            return BadTable(explained)
        if re.fullmatch(r"[\w .-]+", text):
            return UnknownName("column", text, names, self.label)
        return NoExpression(text, why, self.label)

    def _no_number(self, text: str, sql: str, kind: str) -> str:
        cure = {
            "VARCHAR": f"CAST({sql} AS DOUBLE) or epoch(strptime({sql}, '%Y-%m-%d'))",
            "BOOLEAN": f"CAST({sql} AS INTEGER)",
        }
        advice = cure.get(kind, f"epoch({sql})")
        return f"{self.label}: {text!r} is {kind}, not a number. An expression helps: {advice}."


class Session:
    """One connection for many parts, read one after the other: opening one costs more than reading
    a small file. It opens the files of all of them.
    """

    def __init__(self, opens: tuple[Path, ...]) -> None:
        self._opens = opens
        self._connection: Any = None

    def opened(self) -> Any:
        """A context with the connection, which stays open. Raises MissingExtra."""
        if self._connection is None:
            self._connection = locked.connect(self._opens)
        return nullcontext(self._connection)


class Streamed(Query):
    """A stream of Arrow batches, read once."""

    rereadable = False

    def __init__(self, label: str, asked: Columns, stream: Any):
        super().__init__(label, asked)
        self._stream = stream

    def table(self, connection: Any) -> str:
        connection.register("polydescent_table", self._stream)
        return "polydescent_table"


class File(Query):
    """One file."""

    repeatable = True
    opens: tuple[Path, ...] = ()

    def __init__(self, path: Path, asked: Columns, label: str = ""):
        super().__init__(label or str(path), asked)
        self.path, self.opens = path, (path,)

    @property
    def size(self) -> float:
        return float(self.path.stat().st_size)

    @property
    def source(self) -> str:
        """The path as an SQL string, in which [ and * stand for themselves."""
        return locked.file(self.path)

    @property
    def hive(self) -> str:
        """The option of DuckDB's readers that says whether folders are columns."""
        return f"hive_partitioning = {str(self.asked.format.hive).lower()}"

    def is_empty(self, connection: Any, table: str) -> bool:
        return not connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()


class Sql(Query):
    """The result of a SELECT. Its rows may come in another order next time."""

    opens = None

    def __init__(self, text: str, asked: Columns):
        super().__init__(f"{text!r:.60}", asked)
        self.text = text.strip().rstrip(";")

    def table(self, connection: Any) -> str:
        try:
            if not locked.is_select(connection, self.text):
                raise NoQuery(self.text, "a source is one SELECT and nothing else")
            connection.execute(f"DESCRIBE {self.text}")
        except locked.duckdb().Error as why:
            raise NoQuery(self.text, locked.told(why)) from None
        return f"(\n{self.text}\n)"  # a comment at its end ends with the line


def _batches(connection: Any, query: str, size: int = 1_000_000) -> Any:
    """An Arrow reader that runs the query as it is read, so many rows at a time."""
    relation = connection.sql(query)
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader(size)
    return relation.fetch_arrow_reader(size)  # its name before DuckDB 1.4


def _share(connection: Any) -> float:
    percent = connection.query_progress()
    return percent / 100 if percent >= 0 else float("nan")
