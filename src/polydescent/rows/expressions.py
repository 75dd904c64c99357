"""An SQL expression as typed, taken apart by DuckDB's own parser before any of it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from polydescent.errors import NoExpression, UnknownName, UntrustedSql

# what an expression of the columns of one row is made of: neither subqueries nor windows, lambdas,
# stars or parameters
_NODES = """
BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR TYPE
"""
# what SQL from a model may call: each gives one value, always the same, of the values it is given
_PURE = """
+ - * / // % ** ^ @ & | ~ << >> ! !__postfix || ^@ ~~ !~~ ~~* !~~* ~~~

abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees
divide even exp factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor if isfinite
isinf isnan lcm least least_common_multiple lgamma ln log log10 log2 mod multiply nextafter
nullif pi pow power radians round round_even roundbankers sign signbit sin sinh sqrt subtract
tan tanh trunc xor

century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc
day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us
era hour isodow isoyear julian last_day make_date make_time make_timestamp make_timestamp_ms
make_timestamp_ns make_timestamptz microsecond millennium millisecond minute month monthname
nanosecond quarter second strftime strptime time_bucket timezone timezone_hour timezone_minute
to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes
to_months to_quarters to_seconds to_timestamp to_weeks to_years try_strptime week weekday
weekofyear year yearweek

array_extract ascii char_length character_length concat concat_ws contains ends_with
ilike_escape instr lcase left len length like_escape lower ltrim not_ilike_escape
not_like_escape ord position prefix regexp_extract regexp_full_match regexp_matches
regexp_replace replace reverse right rtrim split_part starts_with strip_accents strlen strpos
struct_extract substr substring suffix translate trim ucase unicode upper
"""
_FUNCTIONS = frozenset(_PURE.split())
_PLACES = ("query_location", "query_location_length")
_LONGEST = 20_000  # characters: the parser takes seconds for millions
_MORE = "it is more than one expression"


def expression(
    connection: Any, text: str, names: Sequence[str], role: str, trusted: bool = True
) -> str:
    """SQL for an expression of the columns `names`, to stand wherever an expression may.

    It is the one expression of the text, with its columns and functions of the row's own values.
    role: x, y, weights or where. trusted: a user typed it; else it comes from a file, and calls
    the functions of a closed list only. Raises NoExpression, UntrustedSql, UnknownName.
    """
    if len(text) > _LONGEST:
        found = f"it is {len(text):,} characters long, the most is {_LONGEST:,}"
        raise NoExpression(text, found)
    try:
        tree = _tree(connection, text)
        for node in _nodes(tree):
            _check(node, text)
            if not trusted:
                _check_untrusted(node, role, text, names)
            elif node["class"] == "FUNCTION" and _called(node) not in _FUNCTIONS:
                _check_scalar(connection, _called(node), text)
    except RecursionError:
        raise NoExpression(text, "it is nested too deeply") from None
    return f"(\n{text}\n)"  # a comment at its end ends with the line


def _tree(connection: Any, text: str) -> dict[str, Any]:
    """The expression. Raises NoExpression unless it is the same with parentheses around it, and all
    that there is: then nothing in the text reaches out of them.
    """
    asked = ["SELECT 0", f"SELECT (\n{text}\n)", f"SELECT\n{text}\n"]
    parse = ", ".join(["json_serialize_sql(?::VARCHAR)"] * len(asked))
    (found,) = connection.execute(f"SELECT {parse}", asked).fetchall()
    bare, inside, alone = (json.loads(sql, object_hook=_without_places) for sql in found)
    for parsed in (alone, inside):
        if parsed["error"]:
            several = parsed.get("error_type") == "not implemented"  # statements that are no SELECT
            said = parsed.get("error_message", "it is no SQL")
            raise NoExpression(text, _MORE if several else str(said))
    selected = _selected(alone)
    if inside != alone or len(alone["statements"]) != 1 or len(selected) != 1:
        raise NoExpression(text, _MORE)
    (tree,) = selected
    selected[:] = _selected(bare)
    if alone != bare:
        raise NoExpression(text, _MORE)
    return tree


def _selected(parsed: dict[str, Any]) -> list[Any]:
    return parsed["statements"][0]["node"].get("select_list", [])


def _without_places(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in _PLACES}


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every expression within one, itself included."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "class" in node:
                yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check(node: dict[str, Any], text: str) -> None:
    if node["class"] not in _NODES.split():
        kind = str(node["class"]).lower().replace("_", " ")
        raise NoExpression(text, f"it holds a {kind}, not only columns of a row, values, functions")


def _check_untrusted(node: dict[str, Any], role: str, text: str, names: Sequence[str]) -> None:
    if node["class"] == "COLUMN_REF":
        known = {name.casefold() for name in names}
        if not any(part.casefold() in known for part in node["column_names"]):
            raise UnknownName("column", ".".join(node["column_names"]), names, f"{role} {text!r}")
    elif node["class"] == "FUNCTION" and _called(node) not in _FUNCTIONS:
        raise UntrustedSql(role, text, _called(node))


def _check_scalar(connection: Any, called: str, text: str) -> None:
    query = "SELECT DISTINCT function_type FROM duckdb_functions() WHERE function_name = ?"
    kinds = [kind for (kind,) in connection.execute(query, [called]).fetchall()]
    if "aggregate" in kinds and "scalar" not in kinds:
        raise NoExpression(text, f"{called} makes one value of many rows")


def _called(node: dict[str, Any]) -> str:
    """The name of a function; DuckDB before 2.0 says main.trim where trim(…) was typed."""
    path = [node.get("catalog"), node.get("schema"), node["function_name"]]
    return ".".join(part for part in path if part).lower().removeprefix("main.")
