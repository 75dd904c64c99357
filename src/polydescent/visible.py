"""Text from files and arguments, fit to be shown: what steers a terminal stands as its escape."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Controls (C0, DEL, C1), line and paragraph separators, lone surrogates, marks that turn the
# direction of writing, and other characters without a shape. Joiners stay: scripts need them.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f]"
)


def visible(text: str, lines: bool = False) -> str:
    """The text with every character that is not to be seen as its escape, such as \\x1b.

    lines: keep the ends of lines.
    """
    if text.isascii() and text.isprintable():
        return text
    return _STEERING.sub(lambda found: _escape(found[0], lines), text)


def _escape(character: str, lines: bool) -> str:
    if lines and character == "\n":
        return character
    return character.encode("unicode_escape").decode("ascii")


def html_table(caption: str, lines: Iterable[Iterable[object]], head: Iterable[str] = ()) -> str:
    """A small table for a notebook: every text in it is escaped, and nothing in it runs."""

    from html import escape  # here: its table of entities is for notebooks alone

    def row(cells: Iterable[object], tag: str) -> str:
        told = (escape(visible(str(cell))) for cell in cells)
        return "<tr>" + "".join(f"<{tag}>{text}</{tag}>" for text in told) + "</tr>"

    top = row(head, "th") if head else ""
    body = "".join(row(line, "td") for line in lines)
    return f"<table><caption>{escape(visible(caption))}</caption>{top}{body}</table>"


def shortened(text: str, most: int) -> str:
    """The text, without its middle where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    left = most // 2
    return f"{text[:left]} … {text[left + 3 - most :]}"
