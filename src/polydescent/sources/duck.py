"""The only file that knows DuckDB: columns, or SQL expressions of them, streamed from a table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydescent.dates import Axis, axis_of_halves
from polydescent.errors import BadTable, MissingExtra, NoQuery, UnknownName
from polydescent.sources import Rows, Source, arrow
from polydescent.sources.deviations import Deviations, weights_of_deviations
from polydescent.sources.format import GUESSED, FileFormat

_NUMERIC = re.compile(r"^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL)")
_WIDE = re.compile(r"^(U?(BIGINT|HUGEINT)|DECIMAL\(\d+,0\))")
_DATE = re.compile(r"^(TIMESTAMP|DATE)")


@dataclass(frozen=True)
class Asked:
    """What a user asked of a table: x, y, weights are columns or SQL expressions; where is SQL.

    format: how text files are written.
    """

    x: str
    y: str
    weights: str | Deviations | None = None
    where: str | None = None
    format: FileFormat = GUESSED

    @property
    def columns(self) -> dict[str, str]:
        """What was asked, by role, without what was not."""
        asked = {"x": self.x, "y": self.y}
        if isinstance(self.weights, Deviations):
            return asked | {"sigma": self.weights.column}
        return asked | ({} if self.weights is None else {"weights": self.weights})

    def mentions(self, name: str) -> bool:
        """Whether a column of this name may be in what was asked."""
        return any(
            name.lower() in text.lower() for text in (*self.columns.values(), self.where or "")
        )

    @property
    def remembered(self) -> dict[str, str]:
        """All of it as texts, for a model."""
        said = {"where": self.where, "format": self.format.to_json()}
        return self.columns | {key: text for key, text in said.items() if text}


class Query(Source):
    """Columns of something DuckDB can select from. What differs is `table`.

    session: where the parts of one source share a connection.
    """

    session: Session | None = None

    def __init__(self, label: str, asked: Asked):
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

    def connect(self) -> Any:
        """A connection for the queries of this source. Raises MissingExtra."""
        connection = _duckdb().connect()
        connection.execute("SET enable_progress_bar = true")  # for query_progress below …
        connection.execute("SET enable_progress_bar_print = false")  # … and not for printing
        return connection

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        """As `Source.chunks`. Raises BadTable, UnknownName, MissingExtra, NoQuery."""
        duckdb = _duckdb()
        arrow.pyarrow()
        with self.session.opened(self) if self.session else self.connect() as connection:
            try:
                yield from self.read(connection, duckdb, skip)
            except (duckdb.Error, OSError) as why:
                raise BadTable(f"{self.label}: {self.said(why)}") from None

    def said(self, why: Exception) -> str:
        """What DuckDB says is wrong, for the user."""
        return _told(why)

    def read(self, connection: Any, duckdb: Any, skip: int) -> Iterator[tuple[Rows, float]]:
        """The same on an open connection. Raises what DuckDB raises, too."""
        query, tick = self._sql(connection, duckdb)
        # a CSV's broken value comes out of the reader as OSError
        with closing(_batches(connection, query)) as batches:
            for columns in arrow.blocks(batches, skip):
                yield self._rows(columns, tick, skip), _share(connection)
                skip += len(columns[0])

    def _rows(self, columns: arrow.Columns, tick: str, before: int) -> Rows:
        halves = len(columns) > len(self.asked.columns)
        first, *others = columns
        if halves:
            axis, first = axis_of_halves(first, others.pop(0), tick)
        else:
            axis = Axis(0, tick)
        if isinstance(self.asked.weights, Deviations):
            others[1] = weights_of_deviations(others[1], before, self.label)
        rows = Rows.of(first, *others, x_name=self.x_name, y_name=self.y_name)
        return replace(rows, axis=axis)

    def _sql(self, connection: Any, duckdb: Any) -> tuple[str, str]:
        """(query, tick of the dates in x)."""
        table = self.table(connection)
        names = [row[0] for row in connection.execute(f"DESCRIBE FROM {table}").fetchall()]
        select, tick = [], ""
        for role, text in self.asked.columns.items():
            columns, its_tick = self._selected(connection, duckdb, table, names, role, text)
            select, tick = select + columns, tick or its_tick
        return self._query(select, table), tick

    def _selected(
        self, connection: Any, duckdb: Any, table: str, names: list[str], role: str, text: str
    ) -> tuple[list[str], str]:
        """(columns, tick) of what was asked for one role. Whole numbers that may be beyond float64
        come in halves: x is then two columns.
        """
        sql, tick = _named(text, names), ""
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

    def _query(self, select: list[str], table: str) -> str:
        columns = ", ".join(f"CAST({sql} AS DOUBLE) AS c{i}" for i, sql in enumerate(select))
        query = f"SELECT {columns} FROM {table}"
        return query + (f" WHERE {self.asked.where}" if self.asked.where else "")

    def _kind(
        self, connection: Any, duckdb: Any, table: str, names: list[str], text: str, sql: str
    ) -> str:
        """The SQL type of what the user typed as `text`. Raises BadTable, UnknownName."""
        try:
            described = connection.execute(f"DESCRIBE SELECT {sql} AS v FROM {table}").fetchall()
        except duckdb.Error as why:
            explained = self.explained(text)
            if explained:
                raise BadTable(explained) from None
            if re.fullmatch(r"[\w .-]+", text):
                raise UnknownName("column", text, names, self.label) from None
            raise BadTable(f"{self.label}: cannot use {text!r}: {_told(why)}") from None
        return str(described[0][1])

    def _no_number(self, text: str, sql: str, kind: str) -> str:
        cure = {
            "VARCHAR": f"CAST({sql} AS DOUBLE) or epoch(strptime({sql}, '%Y-%m-%d'))",
            "BOOLEAN": f"CAST({sql} AS INTEGER)",
        }
        advice = cure.get(kind, f"epoch({sql})")
        return f"{self.label}: {text!r} is {kind}, not a number. An expression helps: {advice}."


class Session:
    """One connection for many parts, read one after the other: opening one costs more than reading
    a small file.
    """

    def __init__(self) -> None:
        self._connection: Any = None

    def opened(self, part: Query) -> Any:
        """A context with the connection, which stays open."""
        if self._connection is None:
            self._connection = part.connect()
        return nullcontext(self._connection)


class Table(Query):
    """Anything with `__arrow_c_stream__`: pandas, Polars, PyArrow, DuckDB relations."""

    def __init__(self, table: Any, asked: Asked):
        super().__init__(f"the {type(table).__name__}", asked)
        self._table = table

    def table(self, connection: Any) -> str:
        connection.register("polydescent_table", arrow.reader(self._table))
        return "polydescent_table"


class File(Query):
    """One file.

    path: as DuckDB opens it, absolute, because it takes ~ at the start of others for a folder.
    """

    repeatable = True

    def __init__(self, path: Path, asked: Asked, label: str = ""):
        super().__init__(label or str(path), asked)
        self.path = path

    @property
    def source(self) -> str:
        """The path as an SQL string, in which [ and * stand for themselves."""
        absolute = os.path.abspath(self.path).replace("'", "''")
        return "'" + re.sub(r"([*?\[])", r"[\1]", absolute) + "'"

    @property
    def hive(self) -> str:
        """The option of DuckDB's readers that says whether folders are columns."""
        return f"hive_partitioning = {str(self.asked.format.hive).lower()}"

    def is_empty(self, connection: Any, table: str) -> bool:
        return not connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()


class Sql(Query):
    """The result of a SELECT. Its rows may come in another order next time."""

    def __init__(self, text: str, asked: Asked):
        super().__init__(f"{text!r:.60}", asked)
        self.text = text.strip().rstrip(";")

    def table(self, connection: Any) -> str:
        try:
            connection.execute(f"DESCRIBE {self.text}")
        except _duckdb().Error as why:
            raise NoQuery(self.text, _told(why)) from None
        return f"({self.text})"


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("DuckDB", "files", "Reading files and tables") from None
    return duckdb


def _named(text: str, names: list[str]) -> str:
    """SQL for what the user typed: a column by its exact name, else an expression."""
    return '"' + text.replace('"', '""') + '"' if text in names else f"({text})"


def _batches(connection: Any, query: str) -> Any:
    """An Arrow reader that runs the query as it is read."""
    relation = connection.sql(query)
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader()
    return relation.fetch_arrow_reader()  # its name before DuckDB 1.4


def _share(connection: Any) -> float:
    percent = connection.query_progress()
    return percent / 100 if percent >= 0 else float("nan")


def _told(why: BaseException) -> str:
    """What DuckDB says is wrong, without its advice about its own options."""
    lines = str(why).strip().splitlines()
    told = [line for line in lines[:3] if line.strip()] if "CSV Error" in lines[0] else lines[:1]
    return "; ".join(told)
