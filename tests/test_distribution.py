"""What is published: the source distribution runs its own tests, the README reads without files."""

import re
import runpy
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ONLY_IN_THE_REPOSITORY = {".gitignore", ".pre-commit-config.yaml"}


@pytest.fixture(scope="module")
def setup_file():
    """The names in setup.py, as cffi sees them: without running the setup."""
    pytest.importorskip("cffi")
    pytest.importorskip("setuptools")
    return runpy.run_path(str(ROOT / "setup.py"), run_name="__cffi__")


def test_the_readme_of_a_package_index_needs_no_files_beside_it(setup_file):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = setup_file["page"](readme)
    targets = re.findall(r"\]\(([^)]+)\)", page)
    assert [t for t in targets if not t.startswith(("http://", "https://", "#"))] == []
    assert "`docs/index.md`" in page  # named where a link stood
    assert page.count("```") == readme.count("```")
    assert set(page.splitlines()) - set(readme.splitlines())  # something was there to mend


def test_the_source_distribution_carries_every_tracked_file(tmp_path, setup_file):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode or not (ROOT / ".git").exists():
        pytest.skip("no repository to compare with: this may be the source distribution itself")
    command = [sys.executable, "setup.py", "-q", "egg_info", f"--egg-base={tmp_path}"]
    command += ["sdist", f"--dist-dir={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        carried = {name.partition("/")[2] for name in archive.getnames()}
    tracked = {name for name in listed.stdout.splitlines() if not name.startswith(".github/")}
    tracked = {name for name in tracked if (ROOT / name).exists()}
    assert tracked - carried - ONLY_IN_THE_REPOSITORY == set()


def test_one_wheel_serves_every_python(setup_file):
    from setuptools.command.bdist_wheel import bdist_wheel
    from setuptools.dist import Distribution

    tagged = bdist_wheel(Distribution({"ext_modules": [object()]}))
    for name, value in setup_file["STABLE"].items():
        setattr(tagged, name, value)
    tagged.ensure_finalized()
    stable = "cp311" in setup_file["STABLE"].values()
    assert tagged.get_tag()[:2] == ("cp311", "abi3") if stable else not setup_file["STABLE"]
