"""Keys, which say what group a row belongs to: encoded, joined, sorted and looked up as Arrow does.

A missing key is a key of its own, as in SQL; so is NaN, and −0.0 is 0.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from polydescent.errors import BadCall, BadKeys, LengthMismatch, UnknownKey
from polydescent.rows import arrow
from polydescent.visible import shortened

BLOCK = 1 << 20  # rows that are looked at, and then folded, at once: some 50 MB
_ENOUGH = 32  # rows of a group in a block from which folding block by block is the faster way
_NESTED = ("list", "large_list", "fixed_size_list", "struct", "map", "union", "list_view")
_SHOWN = 5  # keys that a refusal names


@dataclass(frozen=True, eq=False)
class Keys:
    """The group of each of n rows.

    codes: shape (n,), whole numbers, places in `table`. table: the keys, an Arrow table of a row
    each and a column for each part of a key: each key once or, of rows that came sorted, now and
    then more often. texts: whether they were read from text, where nothing says what is a number.
    """

    codes: np.ndarray
    table: Any
    texts: bool = False

    @classmethod
    def of(cls, columns: Any, texts: bool = False, in_runs: bool = False) -> Self:
        """The keys in an Arrow table of n rows. in_runs: most rows of a key are neighbors; then a
        key that comes back counts as another one. Raises BadKeys.
        """
        columns = _readable(columns)
        codes, firsts = _run_by_run(columns) if in_runs else encoded(columns)
        found = _plain_table(columns.take(firsts), texts)
        if not in_runs:  # the same key may have been written in several ways
            again, firsts = encoded(found)
            if len(firsts) < found.num_rows:
                codes, found = again[codes], found.take(firsts)
        return cls(codes, found, texts)

    @classmethod
    def beside(cls, by: Any, n: int) -> Self:
        """The keys of n rows in memory: an array, a Series, a list of values, or a dict or a list
        of such columns. Raises BadKeys, LengthMismatch.
        """
        columns = _columns_beside(by, n)
        for name, column in columns.items():
            if len(column) != n:
                raise LengthMismatch({"x": n, f"by {name!r}": len(column)})
        return cls.of(arrow.pyarrow().table(columns))

    def __len__(self) -> int:
        return len(self.codes)

    def chosen(self, rows: Any) -> Keys:
        """Those of the rows that a slice or a mask selects."""
        return replace(self, codes=self.codes[rows])

    @property
    def used(self) -> Keys:
        """The same without the distinct keys that no row has."""
        there = np.bincount(self.codes, minlength=self.table.num_rows) > 0
        if there.all():
            return self
        places = np.cumsum(there) - 1
        return replace(self, codes=places[self.codes], table=self.table.filter(_array(there)))


def is_scattered(keys: Keys) -> bool:
    """Whether, to go by a block of rows, each group comes only now and then."""
    return len(keys) >= BLOCK and len(keys) < _ENOUGH * keys.table.num_rows


def joined(keys: Sequence[Keys]) -> Keys:
    """The keys of rows one after the other."""
    table, codes = union([one.table for one in keys])
    every = [own[one.codes] for own, one in zip(codes, keys, strict=True)]
    return Keys(np.concatenate(every), table, all(one.texts for one in keys))


def parts_of_key(by: Any) -> tuple[str, ...]:
    """The columns that make a key, or SQL expressions of columns. Raises BadCall."""
    names = () if by is None else (by,) if isinstance(by, str) else by
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadCall(
            "by= of a file or table is the name of a column, an SQL expression of columns, or a "
            f"list of them, found {type(by).__name__} {by!r:.40}."
        )
    if by is not None and (not names or len(set(names)) < len(names)):
        raise BadCall(f"by= needs names of columns, each once, found {by!r:.60}.")
    return tuple(names)


# ── tables of distinct keys ──────────────────────────────────────────────────────────────────────


def none() -> Any:
    """The keys of no groups."""
    pyarrow = arrow.pyarrow()
    return pyarrow.table({"key": pyarrow.array([], pyarrow.string())})


def union(tables: Sequence[Any]) -> tuple[Any, list[np.ndarray]]:
    """(the distinct keys of all tables, the places of the keys of each in it). Raises BadKeys."""
    together = one_after_the_other(tables)
    codes, firsts = encoded(together)
    ends = np.cumsum([table.num_rows for table in tables])[:-1]
    return together.take(firsts), np.split(codes, ends)


def one_after_the_other(tables: Sequence[Any]) -> Any:
    """The keys of all tables, of the same names; types are brought to one that tells all keys
    apart. Raises BadKeys.
    """
    names = tables[0].column_names
    for table in tables[1:]:
        if table.column_names != names:
            raise BadKeys(
                f"there are {_listed(names)} here and {_listed(table.column_names)} there"
            )
    return arrow.pyarrow().concat_tables(_of_one_type(tables))


def encoded(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """(codes, firsts): the place of each row's key among the distinct ones, which come in no order,
    and the first row of each of them. Shapes (n,), (distinct,).
    """
    codes, distinct = _encoded(table.column(0))
    for column in table.columns[1:]:
        more, others = _encoded(column)
        codes, distinct = _compressed(codes * others + more, distinct * others)
    firsts = np.empty(distinct, dtype=np.int64)
    firsts[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return codes, firsts


def _run_by_run(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same where each run of equal keys counts as one of its own."""
    compute, n = arrow.compute(), table.num_rows
    changes = np.zeros(n, dtype=bool)
    for column in table.columns:
        before, after = column.slice(0, max(n - 1, 0)), column.slice(1)
        there = compute.is_valid(column).to_numpy()
        differs = compute.fill_null(compute.not_equal(before, after), False).to_numpy()
        changes[1:] |= differs | (there[1:] != there[:-1])
    changes[:1] = True
    return np.cumsum(changes) - 1, np.flatnonzero(changes)


def order(table: Any) -> np.ndarray:
    """The places of the keys as they are sorted, missing ones last. Shape (distinct,)."""
    compute = arrow.compute()
    names = [(f"{i}", "ascending") for i in range(table.num_columns)]
    renamed = table.rename_columns([name for name, _ in names])
    return compute.sort_indices(renamed, sort_keys=names).to_numpy()


def typed(table: Any) -> Any:
    """The keys that were read from text, with whole numbers as such where all of a column are."""
    pyarrow, compute = arrow.pyarrow(), arrow.compute()
    found = []
    for column in table.columns:
        whole = pyarrow.types.is_string(column.type) and bool(
            compute.all(
                compute.match_substring_regex(column.drop_null(), r"^(0|-?[1-9][0-9]{0,17})$")
            ).as_py()
        )
        some = column.null_count < len(column)
        found.append(column.cast(pyarrow.int64()) if whole and some else column)
    return pyarrow.table(found, names=table.column_names)


def beside_others(names: Sequence[str], others: Iterable[str]) -> list[str]:
    """What columns of keys are called in a table with other columns: by their own names, "key_n"
    where one of those is called n.
    """
    taken, found = set(others), []
    for name in names:
        column = name
        while column in taken or (column != name and column in names):
            column = f"key_{column}"
        taken.add(column)
        found.append(column)
    return found


def places(table: Any, keys: Keys) -> np.ndarray:
    """The place in a table of distinct keys of the key of each row, −1 where it is not there.

    The columns are those of the table, under any names. Raises BadKeys.
    """
    _, (ours, theirs) = union([table, keys.table.rename_columns(table.column_names)])
    most = max(int(codes.max(initial=-1)) for codes in (ours, theirs))
    found = np.full(most + 1, -1)
    found[ours] = np.arange(len(ours))
    return found[theirs][keys.codes]


def holds_text(table: Any) -> bool:
    """Whether some column of keys is text."""
    types = arrow.pyarrow().types
    return any(types.is_string(field.type) for field in table.schema)


def find(table: Any, key: Any) -> int:
    """The place of a key: a value, or a tuple of one for each column. Raises UnknownKey."""
    parts = key if isinstance(key, tuple) else (key,)
    compute, there = arrow.compute(), None
    if len(parts) == table.num_columns:
        for column, part in zip(table.columns, parts, strict=True):
            same = _is(compute, column, part)
            there = same if there is None else compute.and_(there, same)
    place = -1 if there is None else compute.index(there, True).as_py()
    if place < 0:
        raise UnknownKey(said(key), _near(table, parts), table.num_rows, table.column_names)
    return place


def is_selection(place: Any) -> bool:
    """Whether an index means some of the groups, by position, rather than one key."""
    if isinstance(place, tuple):
        return any(map(is_selection, place))
    alike = isinstance(place, slice | list) or place is Ellipsis
    return alike or getattr(place, "ndim", 0) > 0


def selected(table: Any, place: Any) -> Any:
    """Some of the keys, by position: a slice, a mask, places."""
    return table.take(_array(np.arange(table.num_rows)[place]))


def texts(table: Any, places: Iterable[int] | None = None) -> list[str]:
    """The keys at these places, or all, as people write them: parts with a comma between."""
    some = table if places is None else table.take(_array(np.asarray(list(places), dtype=np.int64)))
    columns = [column.to_pylist() for column in some.columns]
    return [", ".join(said(part) for part in parts) for parts in zip(*columns, strict=True)]


def key_at(table: Any, place: int) -> Any:
    """The key at a place as Python's own value; a tuple of several columns."""
    parts = tuple(column[place].as_py() for column in table.columns)
    return parts[0] if len(parts) == 1 else parts


def said(part: Any) -> str:
    """A key, or a part of it, on part of a line."""
    if isinstance(part, tuple):
        return ", ".join(map(said, part))
    return "NULL" if part is None else shortened(str(part), 60)


def _is(compute: Any, column: Any, part: Any) -> Any:
    """Where a column holds a value; nowhere if it cannot."""
    pyarrow = arrow.pyarrow()
    if part is None or part is pyarrow.NA:
        return compute.is_null(column)
    if isinstance(part, float) and part != part:
        return compute.and_(compute.is_valid(column), compute.is_nan(column.cast("float64")))
    value = _scalar(part, column.type)
    if value is None:
        return pyarrow.chunked_array([np.zeros(len(column), dtype=bool)])
    return compute.fill_null(compute.equal(column, value), False)


def _scalar(part: Any, kind: Any) -> Any:
    """A value as one of a type that says the same, None where there is none."""
    pyarrow = arrow.pyarrow()
    part = part.item() if isinstance(part, np.generic) and not _is_moment(part) else part
    is_flag = isinstance(part, bool)
    if is_flag != pyarrow.types.is_boolean(kind) and not isinstance(part, str):
        return None
    if pyarrow.types.is_string(kind) and not isinstance(part, str):
        part = str(part)
    try:
        one = pyarrow.array(np.array([part]))[0] if _is_moment(part) else pyarrow.scalar(part)
        return one.cast(kind)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _is_moment(part: Any) -> bool:
    """Whether a value is a date or a duration of NumPy."""
    return isinstance(part, np.generic) and part.dtype.kind in "mM"


def _near(table: Any, parts: tuple[Any, ...]) -> list[str]:
    """Some keys that there are, those like the one asked for first."""
    from difflib import get_close_matches

    asked = ", ".join(map(said, parts))
    some = texts(table, range(min(table.num_rows, 10_000)))
    return get_close_matches(asked, some, n=3, cutoff=0.6) or some[:_SHOWN]


# ── columns of keys ──────────────────────────────────────────────────────────────────────────────


def _readable(table: Any) -> Any:
    """The columns without views of texts, which Arrow cannot choose from."""
    views = [i for i, field in enumerate(table.schema) if str(field.type) == "string_view"]
    for i in views:
        column = table.column(i).cast(arrow.pyarrow().string())
        table = table.set_column(i, table.column_names[i], column)
    return table


def _plain_table(table: Any, texts: bool) -> Any:
    """Each column in the one type of its sort; of text files, texts as they mean the same."""
    named = zip(table.columns, table.column_names, strict=True)
    found = arrow.pyarrow().table([_plain(*one) for one in named], names=table.column_names)
    return _stripped(found) if texts else found


def _plain(column: Any, name: str) -> Any:
    """A column in the one type of its sort: whole numbers of 64 bits, text, …"""
    pyarrow = arrow.pyarrow()
    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = _spelled_out(column)
    kind = column.type
    wanted = kind
    if types.is_signed_integer(kind) or (types.is_unsigned_integer(kind) and kind.bit_width < 64):
        wanted = pyarrow.int64()
    elif types.is_floating(kind):
        wanted = pyarrow.float64()
    elif types.is_large_string(kind) or str(kind) == "string_view":
        wanted = pyarrow.string()
    elif types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        wanted = pyarrow.binary()
    elif types.is_date(kind):
        wanted = pyarrow.date32()
    elif types.is_timestamp(kind) and kind.unit in ("s", "ms"):
        wanted = pyarrow.timestamp("us", kind.tz)
    elif types.is_null(kind):
        wanted = pyarrow.string()
    elif isinstance(kind, pyarrow.BaseExtensionType):
        column = column.cast(kind.storage_type) if hasattr(column, "cast") else column.storage
    column = column if column.type == wanted else column.cast(wanted)
    if types.is_floating(wanted):
        column = arrow.compute().add(column, 0.0)  # −0.0 becomes 0.0
    return column


def _spelled_out(column: Any) -> Any:
    """The values of a column of categories."""
    pyarrow = arrow.pyarrow()
    kind = column.type.value_type
    kind = pyarrow.string() if str(kind) == "string_view" else kind
    chunks = column.chunks if isinstance(column, pyarrow.ChunkedArray) else [column]
    parts = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in chunks]
    return pyarrow.chunked_array(parts, kind)


def _stripped(table: Any) -> Any:
    """Texts without blanks around them; whole numbers that a program wrote as 12.0 as 12."""
    compute, pyarrow = arrow.compute(), arrow.pyarrow()
    found = []
    for column in table.columns:
        if pyarrow.types.is_string(column.type):
            column = compute.utf8_trim_whitespace(column)
            column = compute.replace_substring_regex(column, r"^(-?[1-9][0-9]*|0)\.0+$", r"\1")
        found.append(column)
    return pyarrow.table(found, names=table.column_names)


def _encoded(column: Any) -> tuple[np.ndarray, int]:
    """(codes, how many distinct there are) of one column; a missing value is one of them."""
    pyarrow = arrow.pyarrow()
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
        if isinstance(column, pyarrow.ChunkedArray):
            column = pyarrow.concat_arrays(column.chunks)
    nested = str(column.type).partition("<")[0].partition("[")[0] in _NESTED
    if nested:
        raise BadKeys(f"a column is {shortened(str(column.type), 60)}, and a key is one value")
    if pyarrow.types.is_integer(column.type) and not column.null_count and len(column):
        narrow = _narrow(column.to_numpy())
        if narrow is not None:
            return narrow
    if pyarrow.types.is_dictionary(column.type):
        column = column.indices
    found = column.dictionary_encode(null_encoding="encode")
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(found.dictionary)


def _narrow(values: np.ndarray) -> tuple[np.ndarray, int] | None:
    """The same of whole numbers that lie near each other, without hashing; None of others."""
    least, greatest = int(values.min()), int(values.max())
    if greatest - least >= 4 * len(values):
        return None
    return _compressed(values.astype(np.int64) - least, greatest - least + 1)


def _compressed(codes: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Codes below `most` as those below how many distinct ones there are, with that number."""
    if most > 4 * len(codes):
        found = arrow.pyarrow().array(codes).dictionary_encode()
        return found.indices.to_numpy().astype(np.int64), len(found.dictionary)
    there = np.zeros(most, dtype=bool)
    there[codes] = True
    distinct = int(np.count_nonzero(there))
    return (codes, most) if distinct == most else ((np.cumsum(there) - 1)[codes], distinct)


def _of_one_type(tables: Sequence[Any]) -> list[Any]:
    """The tables with columns of one type each. Raises BadKeys."""
    if all(table.schema.equals(tables[0].schema) for table in tables[1:]):
        return list(tables)
    columns = []
    for i, name in enumerate(tables[0].column_names):
        parts = [table.column(i) for table in tables]
        columns.append(_alike(name, parts))
    names, pyarrow = tables[0].column_names, arrow.pyarrow()
    return [pyarrow.table(list(one), names=names) for one in zip(*columns, strict=True)]


def _alike(name: str, parts: list[Any]) -> list[Any]:
    """Columns of one name in one type that tells their keys apart, text if there is no other."""
    pyarrow = arrow.pyarrow()
    known = [part for part in parts if part.null_count < len(part)]
    kinds = list(dict.fromkeys(part.type for part in known))
    wanted = [kinds[0]] if len(kinds) == 1 else [*kinds, pyarrow.string()]
    for kind in wanted or [parts[0].type]:
        try:
            return [_exactly(part, kind) for part in parts]
        except (pyarrow.ArrowException, ValueError):
            continue
    raise BadKeys(f"{name!r} is {' and '.join(map(str, kinds))} in different parts of the rows")


def _exactly(column: Any, kind: Any) -> Any:
    """A column in another type. Raises ValueError where that is not what it says."""
    pyarrow = arrow.pyarrow()
    if column.type == kind or column.null_count == len(column):
        return column.cast(kind) if column.type != kind else column
    flags = pyarrow.types.is_boolean(column.type) or pyarrow.types.is_boolean(kind)
    if not pyarrow.types.is_string(kind) and (flags or pyarrow.types.is_string(column.type)):
        raise ValueError(kind)  # "12" and 12 meet as text, or else 012 would be 12
    cast = column.cast(kind)  # safe: refuses what would be rounded or cut
    if not pyarrow.types.is_string(kind) and not cast.cast(column.type).equals(column):
        raise ValueError(kind)
    return cast


def _columns_beside(by: Any, n: int) -> dict[str, Any]:
    """name → Arrow column of what stands beside n rows in memory."""
    if isinstance(by, dict):
        return {str(name): _column(str(name), values) for name, values in by.items()}
    several = isinstance(by, list | tuple) and bool(by) and all(map(_is_column, by))
    if not several:
        name = str(getattr(by, "name", None) or "key")
        return {name: _column(name, by)}
    names = [str(getattr(part, "name", None) or f"key{i}") for i, part in enumerate(by)]
    if len(set(names)) < len(names):
        names = [f"key{i}" for i in range(len(by))]
    return {name: _column(name, part) for name, part in zip(names, by, strict=True)}


def _is_column(value: Any) -> bool:
    """Whether a value holds several, and is no text."""
    return not isinstance(value, str | bytes) and hasattr(value, "__len__")


def _column(name: str, values: Any) -> Any:
    """An Arrow column of one column of keys in memory. Raises BadKeys, BadCall."""
    pyarrow = arrow.pyarrow()
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise BadCall(
            f"by={values!r:.60} names a column, but x and y are arrays: pass the keys beside them, "
            "one for each row, or a table with by= naming its column."
        )
    if not hasattr(values, "__arrow_c_array__") and not hasattr(values, "__arrow_c_stream__"):
        values = values if isinstance(values, list | tuple | np.ndarray) else np.asarray(values)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise BadKeys(f"{name!r} has shape {values.shape}, and there is one key for each row")
    try:
        if isinstance(values, np.ma.MaskedArray):
            return pyarrow.array(values.data, mask=np.ma.getmaskarray(values))
        if isinstance(values, np.ndarray) and not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        if hasattr(values, "__arrow_c_stream__"):
            return pyarrow.chunked_array(values)
        return pyarrow.array(values, from_pandas=True)
    except (pyarrow.ArrowException, TypeError, ValueError) as why:
        raise BadKeys(f"{name!r} holds no keys of one type ({shortened(str(why), 120)})") from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _array(values: np.ndarray) -> Any:
    return arrow.pyarrow().array(values)
