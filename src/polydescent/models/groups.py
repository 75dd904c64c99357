"""Models of groups: a Parquet file with a row for each key, all of it or nothing, sealed like JSON.

A row holds the key, n, omitted, x_min, x_max and the triangle, its upper half row by row; the
metadata hold what was asked and read, and a checksum of every value.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.arrays import Kind
from polydescent.errors import (
    ColumnsDiffer,
    DamagedModel,
    Misfit,
    NoFile,
    NotAFile,
    NotAModel,
    NotKept,
    PolydescentError,
    UnknownSchema,
)
from polydescent.many.fits import Fits, fits_of
from polydescent.many.grouped import in_order, merged
from polydescent.many.held import KnownOfEach, problem_of
from polydescent.many.status import Status
from polydescent.many.summaries import Summaries
from polydescent.memory import check_memory
from polydescent.models.files import ModelFiles, Sourced
from polydescent.models.model import ASKED, CURVE, PASS, check_asked, typed
from polydescent.polynomial.basis import Domain
from polydescent.rows import arrow, keys
from polydescent.rows.axis import Axis, place_in
from polydescent.sealed.atomic import check_folder, contents, opened, replacing, told
from polydescent.sealed.fingerprint import Remembered
from polydescent.sealed.schema import Maybe, check, plain, record, series, text, whole
from polydescent.triangle.triangle import HIGHEST, Triangle

FORMAT = "polydescent groups"
SCHEMA = 1
SUFFIXES = (".parquet", ".pq")
_META = b"polydescent"
_MAGIC = b"PAR1"
_COLUMNS = ("n", "omitted", "x_min", "x_max", "log_weights", "fault", "triangle")
_LARGEST = 2.0**52  # rows of a group
_REACH = 1e150  # as a triangle's own: squares and sums of them are finite


@dataclass(frozen=True, eq=False)
class GroupModel(Sourced):
    """The summaries of groups, what was asked of their sources, and the sources.

    summaries: sorted by key. by: what makes a key, as typed. The rest as in `models.model.Model`.
    """

    summaries: Summaries
    by: tuple[str, ...] = ()
    asked: dict[str, str] = field(default_factory=dict)
    curve: dict[str, Any] = field(default_factory=dict)
    sources: tuple[Remembered, ...] = ()
    passes: tuple[str, ...] = ()

    def fits(self) -> Fits:
        """The curves that are meant. Raises BadSetting."""
        fix, terms, through = (self.curve.get(name) for name in ("fix", "terms", "through"))
        largest = self.summaries.degree
        degree = str(largest) if terms else self.curve.get("degree", str(largest))
        powers = [pair.partition("=") for pair in fix.split(",")] if fix else []
        points = [point.partition(",") for point in through or ()]
        known = KnownOfEach(
            {int(power): float(value) for power, _, value in powers} or None,
            [int(power) for power in terms.split(",")] if terms else None,
            [(place_in(x.strip()), float(y)) for x, _, y in points] or None,
        )
        problem = problem_of(
            int(degree) if degree.isdecimal() else degree,
            known,
            largest,
            criterion=self.curve.get("criterion", "aicc"),
            absolute_sigma=self.curve.get("absolute_sigma", False),
        )
        return fits_of(self.summaries, problem, None, known)

    def plus(self, summaries: Summaries) -> Summaries:
        """Its summaries with those of more rows, by key."""
        return in_order(merged([self.summaries, summaries]))


def is_groups(path: str | os.PathLike[str]) -> bool:
    """Whether there is a Parquet file, going by its first bytes."""
    try:
        return contents(path, len(_MAGIC)) == _MAGIC
    except PolydescentError:  # whoever reads it says why it cannot
        return False


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def load(path: str | os.PathLike[str]) -> GroupModel:
    """The model in a file. Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema."""
    path = Path(path)
    table, said = read(path, FORMAT)
    try:
        values = _MODEL(said, "")
        said_of = *typed(values), values["sources"], values["passes"]
        return GroupModel(summaries_of(table, values), values["by"], *said_of)
    except Misfit as why:
        raise DamagedModel(path, why) from None


def merge(paths: Sequence[str], output: str, again: bool = False) -> GroupModel:
    """Write the model of the rows of several models, by key, to `output`: as `model.merge`."""
    return FILES.merge(paths, output, _joined, None if again else _is_same)


def _joined(models: Sequence[tuple[str, GroupModel]]) -> GroupModel:
    """The model of the rows of all. Raises ColumnsDiffer, DegreesDiffer."""
    first = models[0][1]
    for path, model in models[1:]:
        if model.by != first.by:
            raise ColumnsDiffer("by", ", ".join(first.by), ", ".join(model.by), path)
        check_asked(first, model, path)
    return replace(
        first,
        summaries=in_order(merged([model.summaries for _, model in models])),
        asked=next((model.asked for _, model in models if model.asked), {}),
        sources=tuple(source for _, model in models for source in model.sources),
        passes=tuple(one for _, model in models for one in model.passes),
    )


def check_replaceable(path: Path) -> None:
    """Raise NotAModel where the path holds something that was never a model of groups, NotAFile
    where it is no file, NoFolder where nothing can be written. Reads the metadata alone.
    """
    check_folder(path)
    try:
        found = contents(path, len(_MAGIC))
    except NoFile:
        return
    if found != _MAGIC or not _has_seal(path):
        raise NotAModel(path)


def _is_same(a: GroupModel, b: GroupModel) -> int:
    """How many rows two models hold if they are the same, as far as triangles can tell, else 0."""
    ours, theirs = a.summaries, b.summaries
    alike = ours.keys.equals(theirs.keys) and np.array_equal(ours.n, theirs.n)
    same = alike and np.array_equal(ours.triangle.array, theirs.triangle.array, equal_nan=True)
    return int(ours.n.sum()) if same else 0


def _write_model(model: GroupModel, path: Path) -> None:
    """Write what `load` will read: nothing else leaves this process."""
    said = {
        "by": list(model.by),
        "asked": model.asked,
        "curve": model.curve,
        "sources": [source.to_record() for source in model.sources],
        "passes": list(model.passes),
    }
    write(path, model.summaries, said, FORMAT, _MODEL)


FILES = ModelFiles(load, _write_model, check_replaceable)
save, change = FILES.save, FILES.change


def save_summaries(
    summaries: Summaries, path: str | os.PathLike[str], curve: Mapping[str, Any] | None = None
) -> None:
    """Write summaries that come from no files. Raises as `save`, NotKept without keys."""
    if summaries.keys is None:
        raise NotKept(path, "its curves have no keys, only positions")
    by = tuple(summaries.keys.column_names)
    save(GroupModel(in_order(summaries), by, curve=dict(curve or {})), path)


def save_fits(fits: Fits, path: str | os.PathLike[str]) -> None:
    """Write the summaries of fits, and which curves of them were wanted. Raises as the last."""
    save_summaries(fits.summaries, path, _typed(fits, path))


def load_fits(path: str | os.PathLike[str]) -> Fits:
    """The fits of the model in a file. Raises as `load`, BadSetting."""
    return load(path).fits()


def _typed(fits: Fits, path: object) -> dict[str, Any]:
    """Which curves are wanted, as the command would have been told. Raises NotKept."""
    problem, known = fits.problem, fits.known
    if not known.is_shared:
        raise NotKept(path, "each of its curves holds values of its own")
    curve: dict[str, Any] = {"degree": str(problem.degree)}
    if problem.auto is not None:
        curve = {"degree": f"auto:{problem.degree}", "criterion": problem.auto.criterion}
    held = problem.known
    if held.fix is not None:
        curve["fix"] = ",".join(f"{power}={float(v)!r}" for power, v in dict(held.fix).items())
    if held.terms is not None:
        curve["terms"] = ",".join(str(int(power)) for power in held.terms)
    if held.through is not None:
        points = held.through if isinstance(held.through[0], list | tuple) else [held.through]
        curve["through"] = [f"{x},{float(y)!r}" for x, y in points]
    return curve | ({"absolute_sigma": True} if problem.absolute_sigma else {})


# ── summaries as a table ─────────────────────────────────────────────────────────────────────────


def write(
    path: Path,
    summaries: Summaries,
    said: Mapping[str, Any],
    form: str,
    check_said: Any,
    distinct: bool = True,
) -> None:
    """Write summaries and JSON beside them, under `locked(path)`; `read` and `summaries_of` are the
    way back. Raises NotKept, FileRefused.
    """
    names = keys.beside_others(summaries.keys.column_names, _COLUMNS)
    values = dict(said) | {
        "degree": summaries.degree,
        "keys": [
            [name, column] for name, column in zip(summaries.keys.column_names, names, strict=True)
        ],
        "axis": summaries.axis.to_record(),
        "kind": summaries.kind.to_record(),
        "x": summaries.x_name,
        "y": summaries.y_name,
    }
    table = table_of(summaries, names)
    pyarrow, parquet = arrow.pyarrow(), arrow.parquet()
    try:
        text_of = json.dumps(values, ensure_ascii=False, allow_nan=False)
        summaries_of(table, check_said(plain(text_of), ""), distinct)
        text_of.encode()
    except (Misfit, ValueError) as why:
        raise NotKept(path, why) from None
    seal = {"format": form, "schema": SCHEMA, "checksum": checksum(table, text_of)}
    sealed = json.dumps(seal | {"model": text_of}, ensure_ascii=False)
    table = table.replace_schema_metadata({_META: sealed.encode()})
    with replacing(path) as beside:
        try:
            parquet.write_table(table, str(beside), use_dictionary=names, write_page_checksum=True)
        except pyarrow.ArrowException as why:
            raise NotKept(path, why) from None


def read(path: Path, form: str) -> tuple[Any, Any]:
    """(table, the JSON beside it) of a file that `write` wrote.

    Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema.
    """
    pyarrow, parquet = arrow.pyarrow(), arrow.parquet()
    try:
        start = contents(path, len(_MAGIC))
    except NotAFile as found:
        if found.found == "a folder":
            raise NoFile(str(path)) from None
        raise
    if start != _MAGIC:
        raise DamagedModel(path, "it is no Parquet file")
    with told(path, "read"), opened(path) as file:
        try:
            with parquet.ParquetFile(file, page_checksum_verification=True) as stored:
                seal = _seal(path, form, stored.schema_arrow.metadata)
                width = len(stored.schema_arrow)
                rows = stored.metadata.num_rows
                size = sum(
                    stored.metadata.row_group(i).total_byte_size
                    for i in range(stored.metadata.num_row_groups)
                )
                check_memory(f"Reading {str(path)!r}", 3 * size + 8 * width * rows, "Split it.")
                table = stored.read().replace_schema_metadata(None)
        except (pyarrow.ArrowException, OSError, ValueError, KeyError) as why:
            if isinstance(why, DamagedModel | UnknownSchema):
                raise
            raise DamagedModel(path, _line(why)) from None
    try:
        if checksum(table, seal["model"]) != seal["checksum"]:
            raise DamagedModel(path, "its checksum does not match, some of it was changed")
        return table, plain(seal["model"])
    except (Misfit, pyarrow.ArrowException) as why:
        raise DamagedModel(path, _line(why)) from None


def _seal(path: Path, form: str, metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """What stands around the model. Raises DamagedModel, UnknownSchema."""
    if not metadata or _META not in metadata:
        raise DamagedModel(path, "it is no model: it has none of the metadata of one")
    try:
        seal = plain(metadata[_META].decode())
        if type(seal) is dict and seal.get("format") == form:
            schema = seal.get("schema")
            if type(schema) is int and schema > SCHEMA:
                raise UnknownSchema(path, schema, SCHEMA)
            return _SEAL(seal, "")
    except (UnicodeDecodeError, Misfit) as why:
        raise DamagedModel(path, _line(why)) from None
    raise DamagedModel(path, f"it is no {form}")


def _has_seal(path: Path) -> bool:
    """Whether a Parquet file says that it is a model of groups."""
    pyarrow, parquet = arrow.pyarrow(), arrow.parquet()
    try:
        with opened(path) as file, parquet.ParquetFile(file) as stored:
            metadata = stored.schema_arrow.metadata or {}
    except (pyarrow.ArrowException, OSError, ValueError):
        return False
    return f'"format": "{FORMAT}"'.encode() in metadata.get(_META, b"")


def _line(why: Exception) -> str:
    return str(why).strip().splitlines()[0] if str(why).strip() else type(why).__name__


def table_of(summaries: Summaries, names: Sequence[str]) -> Any:
    """An Arrow table of the summaries, their keys under these names."""
    pyarrow = arrow.pyarrow()
    triangle = summaries.triangle
    size = triangle.degree + 2
    upper = np.triu_indices(size)
    packed = np.ascontiguousarray(triangle.array[:, upper[0], upper[1]])
    there = np.asarray(summaries.n) > 0
    ends = (np.asarray(end, dtype=np.float64) for end in (triangle.domain.lo, triangle.domain.hi))
    lo, hi = (pyarrow.array(end, mask=~there) for end in ends)
    logs = np.broadcast_to(np.asarray(triangle.log_weights, dtype=np.float64), there.shape)
    columns = [
        *summaries.keys.combine_chunks().columns,
        pyarrow.array(np.asarray(summaries.n, dtype=np.int64)),
        pyarrow.array(np.asarray(summaries.omitted, dtype=np.int64)),
        lo,
        hi,
        pyarrow.array(logs),
        pyarrow.array(np.asarray(summaries.fault, dtype=np.int8)),
        pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(packed.ravel()), packed.shape[1]),
    ]
    return pyarrow.table(columns, names=[*names, *_COLUMNS])


def summaries_of(table: Any, values: Mapping[str, Any], distinct: bool = True) -> Summaries:
    """The inverse: values hold degree, keys, axis, kind, x and y; no key comes twice if they are
    distinct. Raises Misfit.
    """
    pyarrow = arrow.pyarrow()
    degree, named = values["degree"], values["keys"]
    size = degree + 2
    half = size * (size + 1) // 2
    names = [column for _, column in named]
    check(
        table.column_names == [*names, *_COLUMNS]
        and len({name for name, _ in named}) == len(named),
        "columns",
        f"{', '.join([*names, *_COLUMNS])}",
        table.column_names,
    )
    number, count, small = pyarrow.float64(), pyarrow.int64(), pyarrow.int8()
    kinds = (count, count, number, number, number, small)
    for name, kind in zip(_COLUMNS, kinds, strict=False):
        found = table.column(name).type
        check(found == kind, name, f"{kind}", str(found))
    list_type = table.column("triangle").type
    fits = pyarrow.types.is_fixed_size_list(list_type) and list_type.value_type == number
    check(fits and list_type.list_size == half, "triangle", f"{half} numbers", str(list_type))
    for name in ("n", "omitted", "log_weights", "fault", "triangle"):
        check(not table.column(name).null_count, name, "a value in every row", "null")
    flat = arrow.flat(table.column("triangle"))
    check(not flat.null_count, "triangle", "a number in every place", "null")
    m = table.num_rows
    array = np.zeros((m, size, size))
    upper = np.triu_indices(size)
    array[:, upper[0], upper[1]] = flat.to_numpy(zero_copy_only=False).reshape(m, half)
    n, omitted, fault, logs = (
        table.column(name).to_numpy() for name in ("n", "omitted", "fault", "log_weights")
    )
    lo, hi = (table.column(name).to_numpy() for name in ("x_min", "x_max"))
    _check_numbers(array, n, omitted, fault, logs, lo, hi)
    there = n > 0
    domain = Domain(np.where(there, lo, np.inf), np.where(there, hi, -np.inf))  # type: ignore[arg-type]
    key_table = table.select(names).rename_columns([name for name, _ in named])
    _check_keys(key_table, distinct)
    triangle = Triangle(array, domain, n, np.array(logs))
    axis, kind = values["axis"], values["kind"]
    return Summaries(
        triangle, kind, omitted, fault, values["x"], values["y"], axis=axis, keys=key_table
    )


def _check_numbers(
    array: np.ndarray,
    n: np.ndarray,
    omitted: np.ndarray,
    fault: np.ndarray,
    logs: np.ndarray,
    lo: np.ndarray,
    hi: np.ndarray,
) -> None:
    """Raise Misfit for numbers that no summaries hold."""
    for name, values in (("n", n), ("omitted", omitted)):
        bad = np.flatnonzero((values < 0) | (values > _LARGEST))
        check(not len(bad), f"{name}[{_first(bad)}]", "a count of rows", _at(values, bad))
    bad = np.flatnonzero(
        (fault != 0) & (fault != Status.NOT_FINITE) & (fault != Status.OUT_OF_RANGE)
    )
    check(not len(bad), f"fault[{_first(bad)}]", "0, 4 or 5", _at(fault, bad))
    sound = fault == 0
    bad = np.flatnonzero(sound & ~(np.abs(array).max(axis=(1, 2), initial=0.0) <= _REACH))
    check(not len(bad), f"triangle[{_first(bad)}]", "finite, with finite squares", "more")
    diagonal = np.diagonal(array, axis1=1, axis2=2)
    bad = np.flatnonzero(sound & (diagonal < 0).any(axis=1))
    check(not len(bad), f"triangle[{_first(bad)}]", "0 or more on the diagonal", "less")
    bad = np.flatnonzero(sound & (n == 0) & array.any(axis=(1, 2)))
    check(not len(bad), f"triangle[{_first(bad)}]", "0 everywhere, for n is 0", "more")
    bad = np.flatnonzero(sound & (n > 0) & ~(np.isfinite(lo) & np.isfinite(hi) & (lo <= hi)))
    check(not len(bad), f"x_min[{_first(bad)}]", "finite, at most x_max", _at(lo, bad))
    bad = np.flatnonzero(sound & ~np.isfinite(logs))
    check(not len(bad), f"log_weights[{_first(bad)}]", "finite", _at(logs, bad))


def _check_keys(table: Any, distinct: bool) -> None:
    """Raise Misfit where a column is no keys, or where a key comes twice and must not."""
    try:
        again = keys.Keys.of(table)
    except (ValueError, TypeError) as why:
        raise Misfit("keys", "columns of one value a row", str(why)) from None
    if distinct:
        found = again.table.num_rows
        check(found == table.num_rows, "keys", f"{table.num_rows:,} different ones", found)


def _first(bad: np.ndarray) -> int:
    return int(bad[0]) if len(bad) else 0


def _at(values: np.ndarray, bad: np.ndarray) -> object:
    return values[bad[0]].item() if len(bad) else None


# ── the checksum ─────────────────────────────────────────────────────────────────────────────────


def checksum(table: Any, said: str) -> str:
    """SHA-256 of every value, its type and its name, and of the JSON beside them."""
    digest = hashlib.sha256(said.encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = "numbers" if name == _COLUMNS[-1] else column.type  # its parts have no fixed name
        digest.update(f"\n{name}: {kind}, {len(column)}\n".encode())
        for part in _bytes_of(column):
            digest.update(part)
    return digest.hexdigest()


def _bytes_of(column: Any) -> Iterator[Any]:
    """The values of a column as bytes that depend on nothing but them."""
    pyarrow, compute = arrow.pyarrow(), arrow.compute()
    types, kind = pyarrow.types, column.type
    if types.is_fixed_size_list(kind):
        yield from _bytes_of(pyarrow.chunked_array([arrow.flat(column)]))
        return
    yield np.packbits(compute.is_valid(column).to_numpy()).tobytes()
    column = column.drop_null()
    if types.is_string(kind) or types.is_binary(kind):
        yield compute.binary_length(column).to_numpy().astype("<i8").tobytes()
        yield b"".join(column.cast(pyarrow.binary()).to_pylist())
    elif types.is_floating(kind):
        yield np.ascontiguousarray(column.to_numpy(), dtype="<f8").tobytes()
    elif types.is_integer(kind) or types.is_boolean(kind):
        yield np.ascontiguousarray(column.to_numpy()).astype("<i8").tobytes()
    elif types.is_temporal(kind):
        narrow = types.is_date32(kind) or types.is_time32(kind)
        whole_numbers = column.cast(pyarrow.int32()) if narrow else column.cast(pyarrow.int64())
        yield whole_numbers.to_numpy().astype("<i8").tobytes()
    else:  # decimals
        texts = [str(value).encode() for value in column.cast(pyarrow.string()).to_pylist()]
        yield b"\n".join(texts)


# ── forms ────────────────────────────────────────────────────────────────────────────────────────


def _key_form(found: Any, where: str) -> tuple[str, str]:
    name, column = series(text, 2, 2)(found, where)
    return name, column


SUMMARIES = {
    "degree": whole(0, HIGHEST),
    "keys": series(_key_form, 1),
    "axis": Axis.from_record,
    "kind": Kind.from_record,
    "x": text,
    "y": text,
}
_SEAL = record({"format": text, "schema": whole(1), "checksum": text, "model": text})
_MODEL = record(
    {
        **SUMMARIES,
        "by": series(text),
        "asked": record({key: Maybe(form, None) for key, form in ASKED.items()}),
        "curve": record({key: Maybe(form, ...) for key, form in CURVE.items()}),
        "sources": series(Remembered.from_record),
        "passes": series(PASS),
    }
)
