"""Every code block and every command of the documentation does what the page says it does.

Where an output has changed for the better, `python docs/refill.py PAGES` writes it into the pages.
"""

import doctest
import importlib
import io
import re
import shlex
import shutil
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from polydescent.cli import main

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts]
PAGES.append(ROOT / "README.zh-CN.md")  # README.md is collected as a doctest of its own
FENCE = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
NUMBER = re.compile(r"(?<![\w.])\d[\d_,]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w|…|\.\.\.)")
# shown with all its digits, because it is a float64 rounded once from exact arithmetic
EXACT = {"0.33333333333333337"}
OPTIONAL = (
    "torch", "duckdb", "dask", "matplotlib", "pandas", "polars", "pyarrow", "sklearn", "xarray",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path, monkeypatch):
    """Pages write their files here, and find the two real tables of tests/data."""
    for table in (ROOT / "tests" / "data").glob("*.csv"):
        shutil.copy(table, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_shows_what_happens(page, capsys, monkeypatch):
    text = page.read_text(encoding="utf-8")
    blocks = "".join(fence[2] for fence in FENCE.finditer(text))
    for package in OPTIONAL:
        if re.search(rf"(?:import|from) {package}\b", blocks):
            pytest.importorskip(package)
    names: dict = {"__name__": "__main__"}
    wrong = []
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start())
        if fence[1] == "python":
            wrong += run_python(fence[2], names, page, line)
            continue
        for command in COMMAND.finditer(fence[2]):
            if command[1].startswith("polydescent "):
                wrong += run_command(command[1], command[2], capsys, monkeypatch, page, line)
    assert not wrong, "\n".join(wrong)


def run_python(block, names, page, line):
    """What differs when the block is run as a doctest, in the names of the blocks before it."""
    assert ">>>" in block, f"{page}:{line}: a python block that shows no prompt is not checked"
    test = doctest.DocTestParser().get_doctest(block, {}, page.name, str(page), line)
    test.globs = names
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    said = io.StringIO()
    with redirect_stdout(io.StringIO()):
        runner.run(test, out=said.write, clear_globs=False)
    return [said.getvalue()] if runner.failures else []


def run_command(command, wanted, capsys, monkeypatch, page, line):
    """What differs when the command is run. Pages may leave out the end, and lines at a "…"."""
    monkeypatch.setattr(sys, "argv", shlex.split(command.replace("\\\n", " ")))
    capsys.readouterr()
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    found = "".join(capsys.readouterr())
    refused = wanted.startswith("polydescent: ")
    shown = [re.escape(" ".join(part.split())) for part in wanted.split("…")]
    same = re.match(r".*?".join(shown), " ".join(found.split()))
    if same and code == (2 if refused else 0):
        return []
    return [f"{page}:{line}: $ {command}\nwanted:\n{wanted}\nfound (exit {code}):\n{found}"]


def long_numbers(text):
    """Numbers of more than 12 significant digits in the outputs of a page, but for exact ones."""
    shown = [
        line
        for fence in FENCE.finditer(text)
        for line in fence[2].splitlines()
        if not line.startswith((">>> ", "... ", "$ "))
    ]
    return [
        number
        for number in NUMBER.findall("\n".join(shown))
        if number not in EXACT
        and len(re.sub(r"[eE].*|\D", "", number).strip("0")) > 12
        and "." in number
    ]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_a_page_shows_no_digit_that_rounding_can_move(page):
    assert long_numbers(page.read_text(encoding="utf-8")) == []


def test_the_search_for_long_numbers_finds_them():
    page = "```python\n>>> x\n368.20000000000437\n>>> y\n1.99168080662…\n1.5e-300\n```\n"
    assert long_numbers(page) == ["368.20000000000437"]


def test_the_chinese_readme_leads_where_the_english_one_does_and_to_all_chinese_pages():
    english, chinese = (
        set(LINK.findall((ROOT / name).read_text("utf-8")))
        for name in ("README.md", "README.zh-CN.md")
    )
    there = {page.relative_to(ROOT).as_posix() for page in TRANSLATED} - {"README.zh-CN.md"}
    assert there <= chinese
    same = {link.replace("-zh.", "-light.").replace(".zh-CN.md", ".md") for link in chinese}
    assert {link.replace(".zh-CN.md", ".md") for link in english} <= same


def test_every_picture_that_a_page_shows_is_drawn():
    sys.path.insert(0, str(DOCS))
    try:
        pictures = importlib.import_module("pictures")  # from docs/
    finally:
        sys.path.remove(str(DOCS))
    shown = {
        target
        for page in DOCS.rglob("*.md")
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "_pictures/" in target
    }
    assert {Path(target).name for target in shown} == pictures.files()


def test_both_readmes_show_the_same_code():
    """The Chinese README says the same in other words: its blocks are those of README.md."""
    english, chinese = (
        FENCE.findall((ROOT / name).read_text(encoding="utf-8"))
        for name in ("README.md", "README.zh-CN.md")
    )
    assert chinese == english


TRANSLATED = [page for page in PAGES if page.name.endswith(".zh-CN.md")]


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: page.name)
def test_a_translation_runs_the_code_of_its_page(page):
    english = page.with_name(page.name.replace(".zh-CN", ""))
    ours, theirs = (
        [re.sub(r"  # .*", "", fence[2]) for fence in FENCE.finditer(p.read_text(encoding="utf-8"))]
        for p in (page, english)
    )
    assert ours == theirs
    titles = [
        len(re.findall(r"^## ", p.read_text(encoding="utf-8"), re.MULTILINE))
        for p in (page, english)
    ]
    assert titles[0] == titles[1]
