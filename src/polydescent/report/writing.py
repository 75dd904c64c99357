"""Prose and formulas as plain text, Markdown or LaTeX."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_WIDTH = 79
_WIDE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uff60]")
_ENDS = "，。：；、）！？"
# a sign of Chinese or a word, with the marks that end it and the space after it
_PIECES = re.compile(
    rf"(?:（?[\u4e00-\u9fff]|[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uff60]+|.)[{_ENDS}]*\s*"
)


@dataclass(frozen=True)
class Math:
    """One formula, as Unicode text (of several lines where it needs them) and as LaTeX."""

    text: str
    latex: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it: formulas, and prose in which {name} is a symbol."""

    title: str
    parts: tuple[str | Math, ...]


Symbols = Mapping[str, Math]


def translated(section: Section, say: Callable[[str], str]) -> Section:
    """The section with its heading and prose in another language, formulas as they are."""
    parts = (part if isinstance(part, Math) else say(part) for part in section.parts)
    return Section(say(section.title), tuple(parts))


def write(sections: list[Section], symbols: Symbols, style: str) -> str:
    """The sections in one of STYLES; prose is wrapped in text only, LaTeX is a whole document."""
    return STYLES[style](sections, symbols)


def _text(sections: list[Section], symbols: Symbols) -> str:
    blocks = []
    for number, section in enumerate(sections, 1):
        blocks.append(f"{number}. {section.title}")
        for part in section.parts:
            if isinstance(part, Math):
                blocks.append("\n".join(_wrapped(line, " " * 4) for line in part.text.split("\n")))
            else:
                blocks.append(_wrapped(_prose(part, symbols, lambda symbol: symbol.text)))
    return "\n\n".join(blocks)


def _wrapped(line: str, indent: str = "") -> str:
    return "\n".join(wrapped(line, _WIDTH, indent, 2 * indent))


def wrapped(line: str, width: int, first: str = "", then: str = "") -> list[str]:
    """Lines of at most so many columns. Chinese, two columns a sign, breaks between any two signs
    but before a mark that ends something.
    """
    if line.isascii() or not _WIDE.search(line):
        return textwrap.wrap(line, width, initial_indent=first, subsequent_indent=then)
    lines = [first]
    for piece in _PIECES.findall(line):
        if columns(lines[-1] + piece.rstrip()) > width and lines[-1].strip():
            lines[-1] = lines[-1].rstrip()
            lines.append(then)
            piece = piece.lstrip()
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def columns(text: str) -> int:
    """How many columns of a terminal it takes."""
    return len(text) + len(_WIDE.findall(text))


def _markdown(sections: list[Section], symbols: Symbols) -> str:
    blocks = []
    for section in sections:
        blocks.append(f"## {section.title}")
        blocks += [_with_dollars(part, symbols, "$$", "$$") for part in section.parts]
    return "\n\n".join(blocks)


def _latex(sections: list[Section], symbols: Symbols) -> str:
    wide = any(_WIDE.search(section.title) for section in sections)
    kind = "ctexart" if wide else "article"
    blocks = [rf"\documentclass{{{kind}}}", r"\usepackage{amsmath}", r"\begin{document}"]
    for section in sections:
        blocks.append(rf"\section{{{section.title}}}")
        blocks += [_with_dollars(part, symbols, r"\[", r"\]") for part in section.parts]
    return "\n\n".join([*blocks, r"\end{document}"])


def _with_dollars(part: str | Math, symbols: Symbols, before: str, after: str) -> str:
    """A formula between `before` and `after` on lines of their own, or prose with $…$ in it."""
    if isinstance(part, Math):
        return f"{before}\n{part.latex}\n{after}"
    return _prose(part, symbols, lambda symbol: f"${symbol.latex}$")


def _prose(text: str, symbols: Symbols, say: Callable[[Math], str]) -> str:
    return text.format_map({name: say(symbol) for name, symbol in symbols.items()})


STYLES = {"text": _text, "markdown": _markdown, "latex": _latex}
