"""What Sphinx is taught here: formulas as MathML, and this project's docstrings as sections."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

from docutils.utils.math.latex2mathml import tex2mathml

from polydescent import errors
from polydescent.descent.optimizers import OPTIMIZERS

# ── formulas, drawn by the browser itself: no script, no font, no network ──


def _visit_inline(translator: Any, node: Any) -> None:
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    _leave(node)


def _visit_block(translator: Any, node: Any) -> None:
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="formula">{formula}</div>')
    _leave(node)


def _leave(node: Any) -> None:
    from docutils.nodes import SkipNode

    raise SkipNode


# ── docstrings: sections of NumPy's form, or a line "name: what it is. other: …; Raises …" ──

_TITLE = re.compile(r"^(Parameters|Attributes|Returns|Raises|Warns|Notes|Examples)\n-+\n", re.M)


def sections(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite a docstring so that its arguments become a table and its formulas blocks."""
    known = _names(obj)
    prose_before, *written = _TITLE.split("\n".join(lines).strip("\n"))
    blocks = prose_before.strip("\n").split("\n\n")
    prose: list[str] = []
    fields: list[tuple[str, str]] = []
    raises: list[str] = []
    for block in blocks:
        if block.lstrip().startswith(">>>"):
            prose.append(block)
        elif block.startswith("    "):
            prose.append("::\n\n" + block)
        else:
            text, raised = _apart(" ".join(block.split()))
            before, found = _split(text, known)
            if before:
                prose.append(_escaped(before))
            fields += found
            raises += raised
    examples = [p for p in prose if p.lstrip().startswith(">>>")]
    parts = [p for p in prose if p not in examples]
    if fields:
        parts.append(_section("Attributes" if inspect.isclass(obj) else "Parameters"))
        parts[-1] += "\n".join(f"{names}\n    {_escaped(rest)}" for names, rest in fields)
    if raises:
        parts.append(_section("Notes") + " ".join(_linked(_escaped(text)) for text in raises))
    if examples:
        parts.append(_section("Examples") + "\n\n".join(examples))
    parts += [
        _section(title) + _readable(title, body.strip("\n"))
        for title, body in zip(written[::2], written[1::2], strict=True)
    ]
    lines[:] = [*"\n\n".join(parts).split("\n"), ""]


def _section(title: str) -> str:
    return f"{title}\n{'-' * len(title)}\n"


def _readable(title: str, body: str) -> str:
    """A section as written, but for links and signs that are no markup; examples untouched."""
    return body if title == "Examples" else _linked(_escaped(body))


def _apart(text: str) -> tuple[str, list[str]]:
    """The text without its "Raises …" sentences, and those."""
    raised = re.findall(r"(?:^|(?<=[.] ))Raises .*?\.(?= [A-Z]|$)", text)
    for sentence in raised:
        text = text.replace(sentence, "").strip()
    return " ".join(text.split()), raised


def _linked(text: str) -> str:
    """Names of errors as links to what they say."""
    names = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    pattern = rf"\b({'|'.join(names)})\b"
    return re.sub(pattern, r":py:exc:`~polydescent.errors.\1`", text)


def _names(obj: Any) -> set[str]:
    """What a docstring may describe: arguments, fields and properties."""
    found: set[str] = set()
    with contextlib.suppress(TypeError, ValueError):  # what has no signature
        found |= set(inspect.signature(obj).parameters)
    if "settings" in found:
        found |= {"basis", "optimizer", "start", "steps", "tolerance", "allow_divergence", "seed"}
    if inspect.isclass(obj):
        if dataclasses.is_dataclass(obj):
            found |= {field.name for field in dataclasses.fields(obj)}
        found |= set(vars(obj))
    return found


def _split(text: str, known: set[str]) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first "name: …", and each (names, what they are)."""
    starts = [
        match
        for match in re.finditer(r"(?:^|(?<=[.;] ))(\w+(?:, \w+)*): ", text)
        if all(part in known for part in match[1].split(", "))
    ]
    if not starts:
        return text, []
    ends = [match.start() for match in starts[1:]] + [len(text)]
    found = []
    for match, end in zip(starts, ends, strict=True):
        rest = text[match.end() : end].strip().rstrip(";").removesuffix(" Settings:")
        first = rest[:1].upper() if rest[:1].isascii() else rest[:1]  # η stays η
        found.append((match[1], first + rest[1:]))
    return text[: starts[0].start()].strip(), found


def _escaped(text: str) -> str:
    """Bars and stars of formulas as they are: ‖x‖, |u|, RᵀR* are not markup."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        p + "\\ " if p.startswith("`") else re.sub(r"([|*\\])", r"\\\1", p) for p in parts
    )


# ── what the command says about itself ──


def write_help(folder: Path) -> None:
    """The --help of the command and of each subcommand, as text files in `folder`."""
    from polydescent.cli.commands import TREE, every

    folder.mkdir(exist_ok=True)
    whole = TREE.make_context("polydescent", [], resilient_parsing=True, max_content_width=90)
    (folder / "polydescent.txt").write_text(TREE.get_help(whole), encoding="utf-8")
    for name, command in every().items():
        context = type(whole)(command, parent=whole, info_name=name, max_content_width=90)
        (folder / f"{name}.txt").write_text(command.get_help(context), encoding="utf-8")


def signature(
    app: Any, what: str, name: str, obj: Any, options: Any, arguments: str, returns: str
) -> tuple[str, str] | None:
    """Only optimizers are made by hand: how other objects are made is not the reader's business."""
    made_by_hand = name.rpartition(".")[2] in {kind.__name__ for kind in OPTIMIZERS.values()}
    hidden = what in ("class", "exception") and arguments and not made_by_hand
    return ("", "") if hidden else None


_BEFORE_NUMPYDOC = 400  # which comes at 500 and reads the sections


def setup(app: Any) -> None:
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("autodoc-process-docstring", sections, priority=_BEFORE_NUMPYDOC)
    app.connect("autodoc-process-signature", signature, priority=900)
