"""A document in a file: JSON with a form, a schema and a checksum of every byte."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.errors import (
    DamagedModel,
    Misfit,
    NoFile,
    NotAFile,
    UnknownSchema,
)
from polydescent.sealed.schema import plain

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS = (1,)  # those that are read; the last one is written
LARGEST = 1 << 26  # bytes of a file: the sources of 150,000 files


# ── numbers that JSON has none for ───────────────────────────────────────────────────────────────


def exactly(value: Any) -> Any:
    """A value of a record: NaN and infinities are the texts "nan", "inf" and "-inf", to come back.

    Arrays, lists and dicts of them too; schema.extended is the way back.
    """
    return _with(str, value)


def reported(value: Any) -> Any:
    """A value of a report: NaN and infinities are null, which every reader of JSON knows.

    Arrays, lists and dicts of them too; NumPy's numbers are Python's.
    """
    return _with(lambda _: None, value)


def _with(instead: Callable[[float], Any], value: Any) -> Any:
    """Plain lists, dicts and numbers with `instead` of those that are not finite."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {name: _with(instead, v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_with(instead, v) for v in value]
    return instead(value) if isinstance(value, float) and not math.isfinite(value) else value


# ── to and from bytes ────────────────────────────────────────────────────────────────────────────


def render(form: str, content: dict[str, Any]) -> bytes:
    """JSON with the form, the schema, and a checksum of the rest.

    Raises ValueError where a number is not finite or a text cannot be written.
    """
    body = {"format": form, "schema": SCHEMAS[-1]} | content
    compact = json.dumps(body, ensure_ascii=False, allow_nan=False)
    whole_body = body | {"checksum": hashlib.sha256(compact.encode()).hexdigest()}
    return json.dumps(whole_body, ensure_ascii=False, allow_nan=False, indent=1).encode()


def parse(form: str, path: Path) -> dict[str, Any]:
    """What `render` was given. Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema.

    Rendering it again must give the same bytes: then no bit of the file is other than it was. So a
    copy whose line ends or encoding a program changed is another file, and refused.
    """
    from polydescent.sealed.atomic import contents  # here: most who know numbers write no file

    try:
        data = contents(path, LARGEST + 1)
    except NotAFile as found:
        if found.found == "a folder":
            raise NoFile(str(path)) from None
        raise
    if len(data) > LARGEST:
        raise DamagedModel(path, f"it has more than {LARGEST:,} bytes")
    try:
        content = plain(data.decode())
    except UnicodeDecodeError:
        raise DamagedModel(path, "it is no text in UTF-8") from None
    except Misfit as why:
        raise DamagedModel(path, why) from None
    if type(content) is not dict or content.pop("format", None) != form:
        raise DamagedModel(path, f"it is no {form}")
    schema = content.pop("schema", None)
    if type(schema) is int and schema > SCHEMAS[-1]:
        raise UnknownSchema(path, schema, SCHEMAS[-1])
    content.pop("checksum", None)
    if schema not in SCHEMAS or not _gives(form, content, data):
        crlf = b"\r\n" in data and _gives(form, content, data.replace(b"\r\n", b"\n"))
        why = "its line ends were changed to CRLF" if crlf else "some of it was changed"
        raise DamagedModel(path, f"its checksum does not match, {why}")
    return content


def _gives(form: str, content: dict[str, Any], data: bytes) -> bool:
    try:
        return render(form, content) == data
    except (ValueError, RecursionError):  # 1e999 is infinite; a half character is no UTF-8
        return False


def content_of(data: bytes) -> dict[str, Any]:
    """What stands between the seals of what `render` returned."""
    content = plain(data.decode())
    return {key: content[key] for key in content if key not in ("format", "schema", "checksum")}


def write(path: Path, data: bytes) -> None:
    """Replace the file at once: whoever reads it sees the old one or the new one, whole.

    Under `locked(path)`.
    """
    from polydescent.sealed.atomic import replacing

    with replacing(path) as beside:
        beside.write_bytes(data)
