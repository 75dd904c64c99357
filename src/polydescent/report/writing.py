"""Prose and formulas as plain text, Markdown or LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_WIDTH = 79


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
    return textwrap.fill(line, _WIDTH, initial_indent=indent, subsequent_indent=2 * indent)


def _markdown(sections: list[Section], symbols: Symbols) -> str:
    blocks = []
    for section in sections:
        blocks.append(f"## {section.title}")
        blocks += [_with_dollars(part, symbols, "$$", "$$") for part in section.parts]
    return "\n\n".join(blocks)


def _latex(sections: list[Section], symbols: Symbols) -> str:
    blocks = [r"\documentclass{article}", r"\usepackage{amsmath}", r"\begin{document}"]
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
