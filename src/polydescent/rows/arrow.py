"""The only file that knows PyArrow: streams of record batches as chunks of NumPy columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.errors import BadTable, MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 1 << 18  # rows that a stream hands over at once: 4 MB, and merging them costs little
Columns = tuple[np.ndarray, ...]
_NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float double"
_WIDE = ("int64", "uint64", "timestamp")  # they hold whole numbers that float64 does not


def pyarrow() -> Any:
    """The package. Raises MissingExtra."""
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("PyArrow", "files", "Reading files and tables") from None
    return pyarrow


def compute() -> Any:
    """The functions of the package on whole columns. Raises MissingExtra."""
    pyarrow()
    import pyarrow.compute as functions

    return functions


def parquet() -> Any:
    """The part of the package that reads and writes Parquet. Raises MissingExtra."""
    pyarrow()
    import pyarrow.parquet as files

    return files


def write_table(table: Any, path: Path) -> None:
    """Write a table, as CSV or Parquet by the ending of the path."""
    if path.suffix.lower() == ".csv":
        pyarrow()
        import pyarrow.csv as csv

        csv.write_csv(table, str(path))
        return
    parquet().write_table(table, str(path))


def flat(column: Any) -> Any:
    """The numbers in a column of lists of one length, one after the other."""
    parts = [chunk.flatten() for chunk in column.chunks]
    return pyarrow().concat_arrays(parts) if parts else pyarrow().array([], "float64")


def reader(table: Any, label: str) -> Any:
    """A record batch reader over anything with `__arrow_c_stream__`. Raises MissingExtra, BadTable.

    label: what to call the table where it cannot be read.
    """
    arrow = pyarrow()
    try:
        return arrow.RecordBatchReader.from_stream(table)
    except (arrow.ArrowException, TypeError, ValueError) as why:
        raise BadTable(f"{label} does not hand over its columns: {why}") from None


def table(columns: dict[str, np.ndarray], label: str) -> Any:
    """A table of these columns. Raises MissingExtra, BadTable."""
    arrow = pyarrow()
    try:
        return arrow.table(columns)
    except (arrow.ArrowException, TypeError, ValueError) as why:
        raise BadTable(f"{label} is no table: {why}") from None


def numbers(
    stream: Any, columns: Mapping[str, str], by: Sequence[str] = ()
) -> tuple[Iterator[Any], str] | None:
    """(float64 batches of the columns by role, tick of the dates in x) of a record batch reader,
    with the columns `by` after them as they are.

    None where it takes a database to say what the columns are; nothing has been read then. As
    there, whole numbers that may be beyond float64 come in halves: x is then two columns.
    """
    steps, tick = [], ""
    for role, name in columns.items():
        places = stream.schema.get_all_field_indices(name)
        kind = str(stream.schema.field(places[0]).type) if len(places) == 1 else ""
        if role == "x" and (kind == "timestamp[ns]" or kind.startswith("timestamp[us")):
            tick = kind[10:12]
        elif kind not in _NUMBERS.split():
            return None
        steps.append((places[0], role == "x" and kind.startswith(_WIDE)))
    keys = [stream.schema.get_all_field_indices(name) for name in by]
    if any(len(places) != 1 for places in keys):
        return None
    read = partial(_doubles, steps=steps, keys=[place for (place,) in keys])
    return map(read, stream), tick


def _doubles(batch: Any, steps: list[tuple[int, bool]], keys: list[int]) -> Any:
    """The columns at these places as float64, those that are wide in halves, and the keys."""
    from pyarrow import compute

    arrow, found = pyarrow(), []
    for place, wide in steps:
        column = batch.column(place)
        if arrow.types.is_timestamp(column.type):
            column = column.cast(arrow.int64())
        if wide:
            shift, low = (arrow.scalar(value, column.type) for value in (32, 2**32 - 1))
            found.append(compute.call_function("shift_right", [column, shift]))
            found.append(compute.call_function("bit_wise_and", [column, low]))
        else:
            found.append(column)
    doubles = [column.cast(arrow.float64(), safe=False) for column in found]
    columns = [*doubles, *(batch.column(place) for place in keys)]
    return arrow.RecordBatch.from_arrays(columns, [f"c{i}" for i in range(len(columns))])


def keyed_blocks(
    batches: Iterable[Any], by: Sequence[str], skip: int, size: int
) -> Iterator[tuple[Columns, Any]]:
    """(float64 columns, table of keys) as `blocks`, where the last columns of a batch are keys, to
    be named as in `by`.
    """
    arrow, pending, n = pyarrow(), [], 0
    for batch in batches:
        dropped = min(skip, batch.num_rows)
        skip -= dropped
        if dropped < batch.num_rows:
            pending.append(arrow.Table.from_batches([batch.slice(dropped)]))
        n += batch.num_rows - dropped
        if n < size:
            continue
        together = arrow.concat_tables(pending)
        for start in range(0, n - size + 1, size):
            yield _parted(together.slice(start, size), by)
        n %= size
        pending = [together.slice(together.num_rows - n)] if n else []
    if n:
        yield _parted(arrow.concat_tables(pending), by)


def _parted(block: Any, by: Sequence[str]) -> tuple[Columns, Any]:
    """The numbers of a block of rows, and its keys."""
    numbers = block.num_columns - len(by)
    columns = tuple(column.to_numpy() for column in block.columns[:numbers])
    return columns, pyarrow().table(block.columns[numbers:], names=list(by))


def blocks(batches: Iterable[Any], skip: int = 0, size: int = CHUNK) -> Iterator[Columns]:
    """The columns of float64 batches after the first `skip` rows, `size` rows at a time.

    Blocks end at the same rows however the batches are cut, so that a pass that goes on after an
    interruption does the same arithmetic. Nulls become NaN.
    """
    pending: list[Columns] = []
    n = 0
    for batch in batches:
        dropped = min(skip, batch.num_rows)
        skip -= dropped
        pending.append(
            tuple(column.to_numpy(zero_copy_only=False)[dropped:] for column in batch.columns)
        )
        n += batch.num_rows - dropped
        if n < size:
            continue
        together = _together(pending)
        for start in range(0, n - size + 1, size):
            yield tuple(column[start : start + size] for column in together)
        n %= size
        pending = [tuple(column[len(column) - n :] for column in together)]
    if n:
        yield _together(pending)


def _together(parts: list[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def decompressed(path: Path, kind: str) -> Any:
    """The bytes of a compressed file, as a file. Raises OSError where they are damaged."""
    return pyarrow().input_stream(str(path), compression=kind)


def stored(path: Path) -> Any:
    """A record batch reader over a file of Arrow's own format, or of a stream. Raises OSError."""
    arrow = pyarrow()
    with open(path, "rb") as file:
        is_file = file.read(6) == b"ARROW1"
    try:
        if not is_file:
            return arrow.ipc.open_stream(arrow.OSFile(str(path)))
        reader = arrow.ipc.open_file(arrow.OSFile(str(path)))
        batches = map(reader.get_batch, range(reader.num_record_batches))
        return arrow.RecordBatchReader.from_batches(reader.schema, _valid(batches))
    except arrow.ArrowInvalid as why:
        raise OSError(str(why)) from None


def _valid(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches, each looked at: one that was damaged would be read beyond its end."""
    for batch in batches:
        batch.validate(full=True)
        yield batch


def verify_pages(path: Path, mentions: Callable[[str], bool]) -> None:
    """Raise OSError where a page of a Parquet file is not what was written, in the columns whose
    names pass `mentions`.

    Pages without checksums, which writers leave out unless asked, cannot be verified.
    """
    arrow = pyarrow()
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(
            path, page_checksum_verification=True, buffer_size=1 << 20
        ) as file:
            wanted = [name for name in file.schema_arrow.names if mentions(name)]
            if wanted and _has_checksums(path, file.metadata):
                for _ in file.iter_batches(1 << 16, columns=wanted):
                    pass
    except (arrow.ArrowException, OSError) as why:
        raise OSError(str(why).strip().splitlines()[0]) from None


def _has_checksums(path: Path, metadata: Any) -> bool:
    """Whether the header of some first page has a checksum."""
    with open(path, "rb") as file:
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(column)
                file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
                if _has_crc(file.read(32)):
                    return True
    return False


def _has_crc(header: bytes) -> bool:
    """Whether a page header, in Thrift's compact form, has a field after type and both sizes that
    is the checksum: 0x15 is "the next field, a whole number", and its last byte is below 128.
    """
    place = 0
    for _ in range(3):
        if header[place : place + 1] != b"\x15":
            return False
        place += 1
        while header[place : place + 1] and header[place] & 128:
            place += 1
        place += 1
    return header[place : place + 1] == b"\x15"
