"""The only file that opens DuckDB, and locks it: it reads the files asked for and no other."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from polydescent.errors import MissingExtra

# progress is for `query_progress`, not for printing; FROM must not find the variables of Python
_SETTINGS = """
enable_progress_bar = true
enable_progress_bar_print = false
python_enable_replacements = false
allow_community_extensions = false
autoinstall_known_extensions = false
autoload_known_extensions = false
"""


def duckdb() -> Any:
    """The package. Raises MissingExtra."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("DuckDB", "files", "Reading files and tables") from None
    return duckdb


def connect(files: Iterable[Path] | None) -> Any:
    """A connection that opens these files and nothing else, and whose settings cannot be changed.

    What memory does not hold of a sort goes into a folder of its own among the temporary files,
    which is made when it is needed and gone with the connection. None: SQL typed by the user opens
    what it names, but installs and loads nothing either. Raises MissingExtra.
    """
    connection = duckdb().connect()
    place = Path(tempfile.gettempdir(), f"polydescent-{secrets.token_hex(8)}")
    settings = [*_SETTINGS.strip().splitlines(), f"temp_directory = {quoted(str(place))}"]
    if files is not None:
        # a pattern is looked up as it is written, then the file that it finds
        allowed = [quoted(form) for path in files for form in (_absolute(path), _pattern(path))]
        settings += [f"allowed_paths = [{', '.join(allowed)}]", "enable_external_access = false"]
    for setting in (*settings, "lock_configuration = true"):
        connection.execute(f"SET {setting}")
    return connection


def file(path: Path) -> str:
    """The path as DuckDB's readers take it: absolute, [ and * in it stand for themselves."""
    return quoted(_pattern(path))


def quoted(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """An SQL name, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def is_select(connection: Any, text: str) -> bool:
    """Whether the text is one statement, and that a SELECT. Raises what the parser raises."""
    kinds = [statement.type for statement in connection.extract_statements(text)]
    return kinds == [duckdb().StatementType.SELECT]


def told(why: BaseException) -> str:
    """What DuckDB says is wrong, without its advice about its own options."""
    lines = str(why).strip().splitlines()
    told = [line for line in lines[:3] if line.strip()] if "CSV Error" in lines[0] else lines[:1]
    return "; ".join(told)


def _absolute(path: Path) -> str:
    return str(path.absolute())  # with the .. in it: behind a link it leads elsewhere


def _pattern(path: Path) -> str:
    return re.sub(r"([*?\[])", r"[\1]", _absolute(path))
