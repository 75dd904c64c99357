"""What the first lines of a text file tell: encoding, delimiter, decimal mark, comments, names."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from polydescent.errors import BadTable
from polydescent.rows import arrow
from polydescent.rows.format import BLANKS, FileFormat

LONGEST = 1 << 17  # bytes of a line; readers in parallel lose much longer ones without a word
_HEAD = 1 << 16  # bytes that are looked at; more only where they hold no whole line
_ROWS = 200  # rows that are looked at
_DELIMITERS = (",", "\t", ";", "|", BLANKS)
_COMMENTS = ("#", "%")
_NAMES = {"\t": "tabs", BLANKS: "blanks"}
DATE = r"\d{4}-(?:0\d|1[0-2])-\d\d"
TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?"
_DATE = re.compile(f"{DATE}({TIME})?")
_POINT, _COMMA = (re.compile(rf"[+-]?\d*{mark}\d+([eE][+-]?\d+)?") for mark in (r"\.", ","))


@dataclass(frozen=True)
class Layout:
    """How the rows of one text file are written.

    names: of its columns; none where the file is empty. skip: lines before the first row. by_lines:
    rows are split here, not by the CSV reader. rows: the first of them, as texts. header: what the
    file says, where that does not fit its rows. goes_on: whether there is more than was looked at.
    told: what was guessed and is not ordinary.
    """

    names: tuple[str, ...] = ()
    delimiter: str = ","
    decimal: str = "."
    comment: str = ""
    skip: int = 0
    encoding: str = "utf-8"
    by_lines: bool = False
    rows: tuple[tuple[str, ...], ...] = ()
    header: tuple[str, ...] = ()
    goes_on: bool = False
    told: tuple[str, ...] = ()


def layout_of(path: Path, format: FileFormat, label: str) -> Layout:
    """The layout of a file, from what the user said of it and from its first lines.

    Reads a bounded number of bytes, also of a compressed file. Raises BadTable.
    """
    head, whole = _head(path, label)
    text, encoding = _decoded(head, label)
    if text.count("\n") + text.count("\r") == 0 and not whole:
        raise BadTable(
            f"{label}: its first line is longer than {LONGEST:,} bytes, so it is no text file with "
            "one row a line. Put each row on a line of its own."
        )
    lines = re.split("\r\n|\n|\r", text)
    if not whole:
        lines.pop()  # it may go on
    comment = _comment(lines, format)
    content = [
        (number, uncommented(line, comment, format))
        for number, line in enumerate(lines)
        if line.strip() and not (comment and is_comment(line, comment, format))
    ][: _ROWS + 1]
    told = [f"comments after {comment}"] if comment and format.comment is None else []
    told += [encoding] if encoding == "latin-1" else []
    if not content:
        names = format.columns or ()
        return Layout(names, comment=comment, encoding=encoding, goes_on=not whole)
    delimiter = format.delimiter or _delimiter([line for _, line in content], format)
    by_lines = bool(comment) or delimiter == BLANKS or _mixed(text)
    table = [tuple(split(line, delimiter)) for _, line in content]
    body = table[1:] or table
    width = Counter(map(len, body)).most_common(1)[0][0]
    first = 0
    while first + 1 < len(table) and width > 1 and len(table[first]) == 1:
        first += 1  # titles above the table
    told += [f"{first} line{'s' * (first > 1)} above the table left out"] if first else []
    content, table = content[first:], table[first:]
    decimal = format.decimal or _decimal(table, delimiter)
    names, header, is_row = _names(table, lines[: content[0][0]], comment, decimal, format)
    if not is_row:
        table = table[1:]
    skip = content[0][0] + (0 if is_row else 1)
    if delimiter not in (",", "\t") and format.delimiter is None and width > 1:
        told.append(f"{_NAMES.get(delimiter, delimiter)} between values")
    if decimal == "," and format.decimal is None:
        told.append("decimal comma")
    if is_row and not format.columns and not set(names) - {f"column{i}" for i in range(len(names))}:
        told.append(f"no header, columns {names[0]} to {names[-1]}")
    elif is_row and not format.columns:
        told.append(f"columns {', '.join(names)}, named in a comment")
    found = Layout(names, delimiter, decimal, comment, skip, encoding, by_lines)
    rows = tuple(table)
    return replace(found, rows=rows, header=header, goes_on=not whole, told=tuple(told))


def is_comment(line: str, comment: str, format: FileFormat) -> bool:
    """Whether nothing but a comment is on the line: #N/A is a missing value."""
    start = line.lstrip()
    return start.startswith(comment) and not start.startswith(shielded(comment, format))


def uncommented(line: str, comment: str, format: FileFormat) -> str:
    """What counts of a line."""
    whole = not comment or any(text in line for text in shielded(comment, format))
    return line if whole else line.split(comment)[0]


def shielded(comment: str, format: FileFormat) -> tuple[str, ...]:
    """The texts for a missing value that begin like a comment."""
    return tuple(text for text in format.nulls if comment and text.startswith(comment))


def split(line: str, delimiter: str) -> list[str]:
    """The values of a line."""
    if delimiter == BLANKS:
        return line.split()
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:  # a quote that does not close on its line
        return line.split(delimiter)


def is_date(text: str) -> bool:
    """Whether a text is a date, with or without time and zone, as ISO 8601 writes it."""
    return _DATE.fullmatch(text.strip()) is not None


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a text is a number."""
    if decimal == ",":
        text = text.replace(".", "?").replace(",", ".")
    try:
        float(text)
    except ValueError:
        return False
    return True


# ── bytes and letters ──


def _head(path: Path, label: str) -> tuple[bytes, bool]:
    """(the first bytes, whether they are all): enough to hold a line, where one is that short."""
    try:
        with opened(path) as file:
            head = file.read(_HEAD)
            whole = len(head) < _HEAD
            if not whole and head.count(b"\n") + head.count(b"\r") < 3:
                more = file.read(LONGEST)
                head, whole = head + more, len(more) < LONGEST
            return head, whole
    except (EOFError, OSError, ValueError, zlib.error) as why:
        raise BadTable(f"{label}: {why}. It is damaged; get it again from its source.") from None


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, decompressed as they are read."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    if path.suffix.lower() == ".zst":
        return arrow.decompressed(path, "zstd")
    return open(path, "rb")


def _decoded(head: bytes, label: str) -> tuple[str, str]:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF16_BE)):
        raise BadTable(f"{label}: its encoding is not read. Convert it: iconv -t utf-8.")
    if head.startswith(codecs.BOM_UTF16_LE):
        return codecs.getincrementaldecoder("utf-16")("replace").decode(head), "utf-16"
    if b"\0" in head:
        raise BadTable(
            f"{label}: there are bytes of 0 in it, so it is no text, or UTF-16 without its mark. "
            "Convert it: iconv -f utf-16le -t utf-8."
        )
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head), "utf-8"
    except UnicodeDecodeError:
        return head.decode("latin-1"), "latin-1"


def _mixed(text: str) -> bool:
    """Whether lines end in different ways: some CSV readers take them for one long line."""
    windows = text.count("\r\n")
    return (
        len({"\r\n"} if windows else set())
        + (text.count("\n") > windows)
        + (text.count("\r") > windows)
        > 1
    )


# ── what is between the values ──


def _comment(lines: list[str], format: FileFormat) -> str:
    if format.comment is not None:
        return format.comment
    for comment in _COMMENTS:
        if any(is_comment(line, comment, format) for line in lines):
            return comment
    return ""


def _delimiter(lines: list[str], format: FileFormat) -> str:
    """The delimiter that makes the most of the values numbers, in rows of one length."""
    body = lines[1:] or lines

    def score(delimiter: str) -> tuple[float, float, int, int]:
        rows = [split(line, delimiter) for line in body]
        width, often = Counter(map(len, rows)).most_common(1)[0]
        values = [value for row in rows for value in row]
        known = sum(_is_value(value, delimiter, format) for value in values)
        even = often / len(rows) if width > 1 else 0.0
        order = -_DELIMITERS.index(delimiter)
        return round(known / max(len(values), 1) * even, 6), even, width, order

    if score(",")[0] == 1.0:  # nothing can be better: most files end here
        return ","
    best = max(_DELIMITERS, key=score)
    return best if score(best)[2] > 1 else ","


def _is_value(text: str, delimiter: str, format: FileFormat) -> bool:
    comma = delimiter != "," and _COMMA.fullmatch(text.strip())
    known = is_number(text) or comma or is_date(text)
    return bool(known or text.strip() in format.nulls)


def _decimal(table: list[tuple[str, ...]], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    values = [value.strip() for row in table for value in row]
    commas = any(_COMMA.fullmatch(value) for value in values)
    return "," if commas and not any(_POINT.fullmatch(value) for value in values) else "."


# ── the names of the columns ──


def _names(
    table: list[tuple[str, ...]],
    above: list[str],
    comment: str,
    decimal: str,
    format: FileFormat,
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """(names, header that does not fit, whether the first line is a row)."""
    top, width = table[0], len((table[1:] or table)[0])
    is_row = any(is_number(v, decimal) or is_date(v) for v in top) or all(
        v.strip() in format.nulls for v in top
    )
    numbered = tuple(f"column{i}" for i in range(width))
    if format.columns is not None:
        return format.columns, (), is_row
    if is_row:
        return _commented(above, comment, len(top)) or numbered, (), True
    if len(top) != width:
        return numbered, top, False
    names = tuple(name.strip() or place for name, place in zip(top, numbered, strict=True))
    return names, (), False


def _commented(above: list[str], comment: str, width: int) -> tuple[str, ...]:
    """The names in the last comment above the rows, where it has as many as there are columns."""
    for line in reversed(above if comment else []):
        text = line.strip().lstrip(comment).strip()
        for delimiter in (",", ";", "\t", "|", BLANKS):
            names = tuple(name.strip() for name in split(text, delimiter)) if text else ()
            fits = len(names) == width and all(names) and len(set(names)) == width
            if fits and not any(map(is_number, names)):
                return names
        if text:
            return ()
    return ()
