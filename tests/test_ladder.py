"""Imports go down one ladder, each optional dependency is spelled in its own files, none loads
unasked.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import polydescent

ROOT = Path(polydescent.__file__).parent
DOC = re.sub(r"\n {8}", " ", polydescent.__doc__ or "")  # long lines go on further in
ROOMS = {
    room: (files or "").split()
    for room, files in re.findall(r"^    (\w+)(?:: (.*))?$", DOC, re.MULTILINE)
}
LADDER = list(ROOMS)
FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem[0] != "_")


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# Inside these methods, as the docstring says, an import goes down the list instead.
REACH_DOWN = {
    "regression.summary.Summary": {"fit", "descend", "forecast", "save", "load"},
    "regression.fit.Fit": {"plot", "explore", "__str__", "_repr_html_"},
    "many.summaries.Summaries": {"fit", "descend", "forecast", "__add__", "save", "load"},
    "many.fits.Fits": {"plot", "explore", "__repr__", "__str__", "_repr_html_", "save", "load"},
    "cli": {"main"},  # the entry point, which loads nothing until it has Ctrl-C in hand
    "cli.wording": {"_keywords"},  # what the options are called
}
LESSON = {module_of(path) for path in FILES if path.parent.name == "programs"}
SPELLED_IN = {
    "torch": {"arrays", "triangle.kernels.gpu", "estimators.torch", "estimators.recurrence"}
    | LESSON,
    "duckdb": {"rows.locked"},
    "matplotlib": {"report.static", "report.panels", "report.many_panels"},
    "pyarrow": {"rows.arrow"},
    "dask": {"rows.cluster", "xarray"},
    "xarray": {"rows.labelled", "xarray"},
    "triton": {"triangle.kernels.gpu"},
    "sklearn": {"estimators.scikit"},
    "pandas": {"frames"},
    "polars": set(),
}


def rung_of(module):
    """(room, file within it) by their places in the list; a room alone stands before its files."""
    room, _, file = module.partition(".")
    file = file.partition(".")[0]
    return LADDER.index(room), ROOMS[room].index(file) + 1 if file in ROOMS[room] else 0


def imports_of(path):
    """(module imported, class and function it is in) of every import but those for types alone."""
    found = []

    def visit(node, within):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, within) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            found.extend((name, within) for name in full)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found.extend((a.value, within) for a in node.args if isinstance(a, ast.Constant))
        name = getattr(node, "name", None) if hasattr(node, "body") else None
        for child in ast.iter_child_nodes(node):
            visit(child, (*within, name) if name else within)

    visit(ast.parse(path.read_text(encoding="utf-8")), ())
    return found


def own(name):
    """The module of ours that an import names, None for anybody else's."""
    head, _, rest = name.partition(".")
    if head != "polydescent":
        return None
    return rest if rest.partition(".")[0] in LADDER else None


def test_the_list_names_every_room_and_every_file():
    modules = {module_of(path) for path in FILES} - {""}
    assert {module.partition(".")[0] for module in modules} == set(LADDER)
    for room, files in ROOMS.items():
        there = {m.split(".")[1] for m in modules if m.startswith(f"{room}.")}
        assert sorted(files) == sorted(there), room


def test_a_room_begins_with_one_sentence_and_nothing_else():
    for room, files in ROOMS.items():
        if files and room not in ("cli", "estimators"):  # the command; names with a tool each
            tree = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))
            assert len(tree.body) == 1, room
            assert (ast.get_docstring(tree) or "").count(".") == 1, room


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_only_up_the_list(path):
    module = module_of(path)
    for name, within in imports_of(path):
        imported = own(name)
        if imported is None:
            continue
        places = [module, *(f"{module}.{part}" for part in within)]
        if any(part in REACH_DOWN.get(at, ()) for at, part in zip(places, within, strict=False)):
            continue
        where = f"{module}: {'.'.join(within) or 'at the top'} imports polydescent.{imported}"
        assert rung_of(imported) <= rung_of(module), f"{where}, which is further down the ladder"


@pytest.mark.parametrize("library", SPELLED_IN)
def test_an_optional_dependency_is_spelled_in_its_own_files(library):
    spelled = {
        module_of(path)
        for path in FILES
        if any(name.partition(".")[0] == library for name, _ in imports_of(path))
    }
    assert spelled <= SPELLED_IN[library]


def loaded_by(statement):
    """The names of the modules that a new process has after `statement`."""
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import polydescent",
        "import polydescent; polydescent.fit([0, 1, 2, 3], [1, 3, 5, 8], 2)",
        "import sys; sys.argv = ['polydescent', 'approximate', 'sin(x)']; "
        "from polydescent.cli import main; main()",
    ],
    ids=["import", "fit", "command"],
)
def test_nothing_optional_is_loaded_unasked(statement):
    unasked = {*SPELLED_IN, "scipy", "array_api_compat", "array_api_strict"}
    assert not loaded_by(statement) & unasked


def test_rich_is_for_terminals():
    run = "sys.argv = ['polydescent', 'approximate', 'x']; from polydescent.cli import main; main()"
    assert "rich" not in loaded_by(run)


def test_what_few_runs_need_loads_when_they_do():
    script = """
import sys
{0}
names = {{"numpy.ma", "numpy.polynomial", "pathlib", "difflib", "html", "traceback", "tempfile",
    "polydescent.least_squares.uncertain", "polydescent.rows.files", "polydescent.models.model"}}
print(*names & {{*sys.modules}})
"""
    command = "sys.argv = ['polydescent', 'approximate', 'sin(x)']\n"
    command += "from polydescent.cli import main\ntry: main()\nexcept SystemExit: pass"
    bare, ours = (
        subprocess.run(
            [sys.executable, "-c", script.format(run)], capture_output=True, text=True, check=True
        ).stdout.splitlines()[-1]
        for run in ("import numpy.random, click", command)
    )
    assert not {*ours.split()} - {*bare.split()}


@pytest.mark.parametrize("words", [["--help"], ["fit", "--help"], ["approximate", "--help"]])
def test_help_loads_no_numbers(words):
    script = f"""
import sys, contextlib, io
sys.argv = ["polydescent", *{words}]
from polydescent.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
assert "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
