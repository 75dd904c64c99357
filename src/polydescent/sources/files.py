"""Columns of a CSV, Parquet or JSON file, read by DuckDB: names or SQL expressions of names."""

from __future__ import annotations

import csv
import gzip
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.errors import BadTable, MissingExtra, NoFile, NoRows, UnknownName
from polydescent.sources import Rows

_READERS = {
    "read_csv": (".csv", ".tsv", ".txt"),
    "read_parquet": (".parquet", ".pq"),
    "read_json": (".json", ".jsonl", ".ndjson"),
}
_NUMERIC = re.compile(
    r"^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL|BOOLEAN)"
)


def read_columns(
    path: str | Path, x: str, y: str, weights: str | None = None, where: str | None = None
) -> Rows:
    """The rows of a file; x, y, weights: a column name or an SQL expression of columns; where: SQL.

    Raises NoFile, BadTable, UnknownName, NoRows, MissingExtra.
    """
    duckdb = _duckdb()
    with duckdb.connect() as connection:
        table = _table(connection, path)
        names = _names(connection, table)
        asked = {"x": x, "y": y} | ({} if weights is None else {"weights": weights})
        select = ", ".join(
            f"CAST({_expression(connection, table, names, path, text)} AS DOUBLE) AS {role}"
            for role, text in asked.items()
        )
        query = f"SELECT {select} FROM {table}" + (f" WHERE {where}" if where else "")
        try:
            found = connection.execute(query).fetchnumpy()
        except duckdb.Error as why:
            raise BadTable(f"{path}: {_first_line(why)}") from None
    if not len(found["x"]):
        raise NoRows(f"{path} has none" + (f" where {where}" if where else ""))
    values = [np.ma.filled(found[role], np.nan) for role in asked]
    return Rows.of(values[0], values[1], values[2] if weights else None, x, y)


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("DuckDB", "files", "Reading files") from None
    return duckdb


def _table(connection: Any, path: str | Path) -> str:
    """The SQL table function that reads the file. Raises NoFile, BadTable."""
    file = Path(path)
    if not file.exists():
        folder = file.parent if file.parent.is_dir() else Path()
        near = get_close_matches(file.name, [f.name for f in folder.iterdir()], n=3)
        raise NoFile(str(path), [str(folder / name) for name in near])
    suffixes = [s.lower() for s in file.suffixes if s.lower() not in (".gz", ".zst")]
    for reader, known in _READERS.items():
        if suffixes and suffixes[-1] in known:
            more = ", header = false, skip = 1" if _broken_header(file, reader) else ""
            return f"{reader}('{str(file).replace(chr(39), chr(39) * 2)}'{more})"
    kinds = " ".join(s for known in _READERS.values() for s in known)
    raise BadTable(f"Cannot tell what kind of file {str(path)!r} is. Its name may end in {kinds}.")


def _broken_header(file: Path, reader: str) -> tuple[list[str], list[str]] | None:
    """(header, first row) of a CSV whose header has another number of names than its row has
    values.
    """
    if reader != "read_csv":
        return None
    with gzip.open(file, "rt") if file.suffix == ".gz" else open(file) as lines:
        start = [line for line in (lines.readline() for _ in range(2)) if line.strip()]
    if len(start) < 2:
        return None
    delimiter = max(",;\t|", key=start[1].count)
    header, row = csv.reader(start, delimiter=delimiter)
    titled = not any(_is_number(name) for name in header)
    return (header, row) if titled and len(header) != len(row) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(connection: Any, table: str) -> list[str]:
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    except Exception as why:
        raise BadTable(_first_line(why)) from None
    return [row[0] for row in described]


def _expression(connection: Any, table: str, names: list[str], path: str | Path, text: str) -> str:
    """SQL for what the user typed: a column by its exact name, else an expression, checked to be a
    number.
    """
    sql = '"' + text.replace('"', '""') + '"' if text in names else f"({text})"
    try:
        kind = str(connection.execute(f"DESCRIBE SELECT {sql} AS v FROM {table}").fetchall()[0][1])
    except Exception as why:
        broken = _broken_header(Path(path), table.partition("(")[0])
        if broken:
            raise BadTable(_explain_header(path, text, *broken)) from None
        if re.fullmatch(r"[\w .-]+", text) and text not in names:
            raise UnknownName("column", text, names, where=str(path)) from None
        raise BadTable(f"{path}: cannot use {text!r}: {_first_line(why)}") from None
    if not _NUMERIC.match(kind):
        cure = {"VARCHAR": f"CAST({sql} AS DOUBLE) or epoch(strptime({sql}, '%Y-%m-%d'))"}
        advice = cure.get(kind, f"epoch({sql})")
        raise BadTable(f"{path}: {text!r} is {kind}, not a number. An expression helps: {advice}.")
    return sql


def _explain_header(path: str | Path, asked: str, header: list[str], row: list[str]) -> str:
    there_are = ", ".join(f"column{i} (first value {value})" for i, value in enumerate(row))
    return (
        f"{path}: the header names {len(header)} columns ({', '.join(header)}) but the rows have "
        f"{len(row)} values, so it cannot be known which values {asked!r} names. Ask for columns "
        f"by position: {there_are}. Or repair the header."
    )


def _first_line(why: BaseException) -> str:
    return str(why).strip().partition("\n")[0]
