"""How text files are written, where a reader is told instead of left to guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from polydescent.errors import BadSetting

BLANKS = "blanks"  # the delimiter of aligned columns: one blank or tab, or many
# texts that stand for a missing number; nan, in any case, is one by itself
NULLS = (
    *("", "-", "--", "?", "NA", "N/A", "n/a", "na", "<NA>", "#N/A", "#NA", "#N/A N/A", "null"),
    *("NULL", "Null", "None", "none", "NONE", "NaT", "nil", "1.#QNAN", "-1.#IND", "1.#IND"),
)
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", " ": BLANKS}


@dataclass(frozen=True)
class FileFormat:
    r"""How files are written; what is left out is guessed from their first lines.

    Parameters
    ----------
    null
        Texts that stand for a missing number, such as "-9999", besides NA, n/a, null, None, -, #N/A
        and an empty field, which always do. None more unless given.
    delimiter
        What separates the values of a row: one character ("tab" and "\t" mean the same), or
        "blanks" for columns aligned with blanks or tabs.
    decimal
        "." or ",".
    comment
        The character after which the rest of a line says nothing; "" for none.
    columns
        The names of the columns, of files without a header or instead of their own.
    hive
        Whether folders named key=value are columns of the files in them; default False.

    Raises
    ------
    BadSetting
        For a field that cannot be meant.

    Examples
    --------
    >>> FileFormat(delimiter=";", decimal=",").to_json()
    '{"decimal": ",", "delimiter": ";"}'
    """

    null: tuple[str, ...] = ()
    delimiter: str | None = None
    decimal: str | None = None
    comment: str | None = None
    columns: tuple[str, ...] | None = None
    hive: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "null", _texts("null", self.null))
        if self.columns is not None:
            object.__setattr__(self, "columns", _names(self.columns))
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", _delimiter(self.delimiter))
        if self.decimal not in (None, ".", ","):
            raise BadSetting("decimal", self.decimal, '"." or ","')
        if self.decimal == "," and self.delimiter == ",":
            raise BadSetting("delimiter", ",", "another character than the decimal comma")
        comment = self.comment
        if comment is not None and (not isinstance(comment, str) or len(comment) > 1):
            raise BadSetting("comment", comment, 'one character such as "#", or "" for none')
        if comment and (comment in "\"'\r\n.,+- \t" or comment.isalnum()):
            raise BadSetting("comment", comment, "a character that is in no number")
        if not isinstance(self.hive, bool):
            raise BadSetting("hive", self.hive, "True or False")

    @classmethod
    def of(cls, value: Any) -> FileFormat:
        """What a user passed, as a FileFormat.

        Parameters
        ----------
        value
            A FileFormat, a dict of its fields, or None where all is guessed.

        Raises
        ------
        BadSetting
            For anything else.
        """
        if value is None:
            return cls()
        if isinstance(value, Mapping):
            known = {field.name for field in fields(cls)}
            strange = [str(key) for key in value if key not in known]
            if strange:
                raise BadSetting("file_format", strange[0], f"of {', '.join(sorted(known))}")
            return cls(**value)
        if not isinstance(value, cls):
            raise BadSetting("file_format", value, "a FileFormat or a dict of its fields")
        return value

    @property
    def nulls(self) -> tuple[str, ...]:
        """All texts that stand for a missing number."""
        return (*NULLS, *(text.strip() for text in self.null))

    def to_json(self) -> str:
        """What was said, as text; "" where nothing was."""
        said = {key: v for key, v in asdict(self).items() if v != getattr(GUESSED, key)}
        return json.dumps(said, sort_keys=True, ensure_ascii=False) if said else ""

    @classmethod
    def from_json(cls, text: str) -> FileFormat:
        """The inverse of `to_json`.

        Parameters
        ----------
        text
            What `to_json` returned; "" where all is guessed.

        Raises
        ------
        BadSetting
            For other text.
        """
        try:
            said = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            raise BadSetting("format", text, "what FileFormat.to_json() wrote") from None
        return cls.of(said)


def _texts(name: str, values: Any) -> tuple[str, ...]:
    values = (values,) if isinstance(values, str) else values
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise BadSetting(name, values, "texts")
    return tuple(values)


def _names(values: Any) -> tuple[str, ...]:
    names = _texts("columns", values.split(",") if isinstance(values, str) else values)
    names = tuple(name.strip() for name in names)
    if not all(names) or len(set(names)) < len(names):
        raise BadSetting("columns", ",".join(names), "different names, one for each column")
    return names


def _delimiter(text: Any) -> str:
    found = _NAMED.get(text, text) if isinstance(text, str) else ""
    if found != BLANKS and (len(found) != 1 or found in "\"'\r\n\0" or found.isalnum()):
        raise BadSetting("delimiter", text, f'one character, "tab" or "{BLANKS}"')
    return found


GUESSED = FileFormat()  # nothing is said
