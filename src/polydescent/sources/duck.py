"""Columns of a table, or SQL expressions of them, streamed out of DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydescent.dates import Axis, axis_of_halves
from polydescent.errors import (
    BadCall,
    BadTable,
    NoExpression,
    NoQuery,
    PolydescentError,
    UnknownName,
)
from polydescent.sources import Rows, Source, arrow, locked
from polydescent.sources.expressions import expression

_NUMERIC = re.compile(
    r"^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL|BOOLEAN)"
)
_WIDE = re.compile(r"^U?(BIGINT|HUGEINT)")
_DATE = re.compile(r"^(TIMESTAMP|DATE)")


@dataclass(frozen=True)
class Asked:
    """What a user asked of a table: columns or SQL expressions of them.

    trusted: the user typed them, or answers for the model they come from.
    """

    x: str
    y: str
    weights: str | None = None
    where: str | None = None
    counts: str | None = None
    trusted: bool = True

    def __post_init__(self) -> None:
        for role in ("x", "y", "weights", "where", "counts"):
            asked = getattr(self, role)
            if asked is not None and not isinstance(asked, str):
                what = "weights or sigma" if role == "weights" else role
                raise BadCall(
                    f"{what} of a file or table is the name of a column or an SQL expression, "
                    f"found {type(asked).__name__} {asked!r:.40}."
                )

    @property
    def columns(self) -> dict[str, str]:
        """What was asked, by role, without what was not."""
        asked = {"x": self.x, "y": self.y, "weights": self.weights, "counts": self.counts}
        return {role: text for role, text in asked.items() if text is not None}


class Query(Source):
    """Columns of something DuckDB can select from. What differs is `table`.

    opens: the files that a query may open; None: those that SQL typed by the user names.
    """

    opens: tuple[Path, ...] | None = ()

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

    def chunks(self, skip: int = 0) -> Iterator[tuple[Rows, float]]:
        """As `Source.chunks`. Raises BadTable, UnknownName, MissingExtra, NoQuery."""
        duckdb = locked.duckdb()
        arrow.pyarrow()
        with locked.connect(self.opens) as connection:
            try:
                query, tick = self._sql(connection, duckdb)
                # a CSV's broken value comes out of the reader as OSError
                for columns in arrow.blocks(_batches(connection, query), skip):
                    yield self.rows(columns, tick), _share(connection)
            except (duckdb.Error, OSError) as why:
                raise BadTable(f"{self.label}: {locked.told(why)}") from None

    def rows(self, columns: arrow.Columns, tick: str) -> Rows:
        """Rows of columns as `arrow.blocks` gives them, with the tick of dates in x."""
        halves = len(columns) > len(self.asked.columns)
        first, *others = columns
        if halves:
            axis, first = axis_of_halves(first, others.pop(0), tick)
        else:
            axis = Axis(0, tick)
        named = dict(zip(self.asked.columns, (first, *others), strict=True))
        rows = Rows.of(**named, x_name=self.x_name, y_name=self.y_name)
        return replace(rows, axis=axis)

    def _sql(self, connection: Any, duckdb: Any) -> tuple[str, str]:
        """(query, tick of the dates in x). Whole numbers that may be beyond float64 come in halves:
        x is then two columns.
        """
        table, asked = self.table(connection), self.asked
        names = [row[0] for row in connection.execute(f"DESCRIBE FROM {table}").fetchall()]
        select, tick = [], ""
        for role, text in asked.columns.items():
            sql = self._expression(connection, role, text, names)
            kind = self._kind(connection, duckdb, table, names, text, sql)
            if role == "x" and _DATE.match(kind):
                tick = "ns" if kind == "TIMESTAMP_NS" else "us"
                sql, kind = f"epoch_{tick}({sql})", "BIGINT" if tick == "ns" else "DOUBLE"
            elif not (_NUMERIC.match(kind) or self.is_empty(connection, table)):
                raise BadTable(self._no_number(text, sql, kind))
            wide = role == "x" and _WIDE.match(kind)
            select += [f"{sql} >> 32", f"{sql} & 4294967295"] if wide else [sql]
        columns = ", ".join(f"CAST({sql} AS DOUBLE) AS c{i}" for i, sql in enumerate(select))
        query = f"SELECT {columns} FROM {table}"
        if asked.where:
            query += f" WHERE {self._expression(connection, 'where', asked.where, names)}"
        return query, tick

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
        cure = {"VARCHAR": f"CAST({sql} AS DOUBLE) or epoch(strptime({sql}, '%Y-%m-%d'))"}
        advice = cure.get(kind, f"epoch({sql})")
        return f"{self.label}: {text!r} is {kind}, not a number. An expression helps: {advice}."


class Streamed(Query):
    """A stream of Arrow batches, read once."""

    def __init__(self, label: str, asked: Asked, stream: Any):
        super().__init__(label, asked)
        self._stream = stream

    def table(self, connection: Any) -> str:
        connection.register("polydescent_table", self._stream)
        return "polydescent_table"


class Sql(Query):
    """The result of a SELECT. Its rows may come in another order next time."""

    opens = None

    def __init__(self, text: str, asked: Asked):
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


def _batches(connection: Any, query: str) -> Any:
    """An Arrow reader that runs the query as it is read."""
    relation = connection.sql(query)
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader()
    return relation.fetch_arrow_reader()  # its name before DuckDB 1.4


def _share(connection: Any) -> float:
    percent = connection.query_progress()
    return percent / 100 if percent >= 0 else float("nan")
