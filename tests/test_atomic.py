"""A file is there whole or not at all."""

import os

import pytest

from polydescent.atomic import check_folder, replacing
from polydescent.errors import NoFolder


def test_what_was_written_takes_the_place(tmp_path):
    path = tmp_path / "model.json"
    for text in ("first", "second"):
        with replacing(path) as beside:
            assert beside.suffix == ".json"
            beside.write_text(text)
        assert path.read_text() == text
        assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "model.json"
    path.write_text("old")

    def fail(beside):
        beside.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="full"), replacing(path) as beside:
        fail(beside)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_can_be_written(tmp_path):
    check_folder(tmp_path / "new.png")
    check_folder("new.png")


@pytest.mark.parametrize(
    ("name", "why"), [("gone/a.png", "does not exist"), ("here", "has that name already")]
)
def test_a_path_that_cannot(tmp_path, name, why):
    (tmp_path / "here").mkdir()
    with pytest.raises(NoFolder, match=why):
        check_folder(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_is_not_ours(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(NoFolder, match="not writable"):
        check_folder(tmp_path / "a.png")
