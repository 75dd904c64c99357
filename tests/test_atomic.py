"""A file is there whole or not at all, whatever others have put in the way."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys

import pytest

from polydescent.errors import FileRefused, NoFile, NoFolder, NotAFile
from polydescent.sealed.atomic import check_folder, contents, discard, locked, replacing


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


# ── what others put there ────────────────────────────────────────────────────────────────────────


def replace_with(path, text):
    with locked(path), replacing(path) as beside:
        beside.write_text(text)
        return beside


def test_the_name_beside_cannot_be_foreseen(tmp_path):
    names = {replace_with(tmp_path / "m.json", "new").name for _ in range(50)}
    assert len(names) == 50
    assert all(re.fullmatch(r"\.m\.[0-9a-f]{16}\.new\.json", name) for name in names)


@pytest.mark.parametrize("tag", ["new", str(os.getpid())], ids=["new", "process"])
def test_a_planted_link_is_not_followed(tmp_path, tag):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".m.{tag}.json").symlink_to(victim)
    (tmp_path / ".m.0123456789abcdef.new.json").symlink_to(victim)
    replace_with(tmp_path / "m.json", "new")
    assert victim.read_text() == "mine"
    assert not (tmp_path / "m.json").is_symlink()


def test_a_planted_lock_is_neither_followed_nor_emptied(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".m.json.lock").symlink_to(victim)
    with pytest.raises(FileRefused, match="symbolic link") as refusal, locked(tmp_path / "m.json"):
        pass
    assert refusal.value.code == errno.ELOOP
    (tmp_path / ".m.json.lock").unlink()
    os.link(victim, tmp_path / ".m.json.lock")
    with locked(tmp_path / "m.json"):
        pass
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666])
def test_mode_and_owner_are_kept(tmp_path, mode):
    path = tmp_path / "m.json"
    path.write_text("old")
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    before = path.stat()
    seen = []
    with locked(path), replacing(path) as beside:
        seen.append(stat.S_IMODE(beside.stat().st_mode))
        beside.write_text("new")
    after = path.stat()
    assert seen == [0o600]  # nobody reads what is half written
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_a_new_file_has_the_mode_that_others_get(tmp_path):
    replace_with(tmp_path / "m.json", "new")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "m.json").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write")
def test_a_file_that_must_not_be_written_is_not_replaced(tmp_path):
    path = tmp_path / "m.json"
    path.write_text("old")
    path.chmod(0o400)
    with pytest.raises(FileRefused, match="permission"):
        replace_with(path, "new")
    assert path.read_text() == "old"


def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    real, link = tmp_path / "far" / "m.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to("far/m.json")
    replace_with(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert os.listdir(tmp_path / "far") == ["m.json"]
    assert sorted(os.listdir(tmp_path)) == ["far", "link.json"]


def test_one_lock_for_a_file_and_its_link(tmp_path):
    (tmp_path / "m.json").write_text("old")
    (tmp_path / "link.json").symlink_to("m.json")
    with locked(tmp_path / "m.json", tmp_path / "link.json"):
        assert sorted(os.listdir(tmp_path)) == [".m.json.lock", "link.json", "m.json"]


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a.json").symlink_to("b.json")
    (tmp_path / "b.json").symlink_to("a.json")
    for act in (check_folder, lambda path: replace_with(path, "new"), lambda p: contents(p, 9)):
        with pytest.raises(FileRefused, match="symbolic link"):
            act(tmp_path / "a.json")


def test_another_name_of_the_file_keeps_what_was_there(tmp_path):
    (tmp_path / "m.json").write_text("old")
    os.link(tmp_path / "m.json", tmp_path / "backup.json")
    replace_with(tmp_path / "m.json", "new")
    assert (tmp_path / "backup.json").read_text() == "old"
    assert (tmp_path / "m.json").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_only_files_are_replaced_and_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for act in (lambda path: replace_with(path, "new"), lambda path: contents(path, 9)):
        with pytest.raises(NotAFile, match="a named pipe") as refusal:
            act(tmp_path / "pipe")
        assert refusal.value.found == "a named pipe"
    with pytest.raises(NotAFile, match="a folder"):
        contents(tmp_path, 9)
    with pytest.raises(NoFile):
        contents(tmp_path / "none", 9)


@pytest.mark.parametrize("name", ["n" * 300 + ".json", "n" * 252])
def test_a_name_too_long_is_one_line(tmp_path, name):
    with pytest.raises(FileRefused, match="shorter name"):
        replace_with(tmp_path / name, "new")
    assert os.listdir(tmp_path) == []


# ── writers that are killed ──────────────────────────────────────────────────────────────────────

KILLED = """
import os, signal, sys
from polydescent.sealed.atomic import locked, replacing
with locked(sys.argv[1]), replacing(sys.argv[1]) as beside:
    beside.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_writers_leave_does_not_grow(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    (tmp_path / ".page.notours.html").write_text("another's")
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
        assert done.returncode == -signal.SIGKILL
        assert len(os.listdir(tmp_path)) == 4  # the file, another's, what is half written, its lock
        assert path.read_text() == "old"
    replace_with(path, "new")
    assert sorted(os.listdir(tmp_path)) == [".page.notours.html", "page.html"]


def test_discarding_takes_what_was_half_written_too(tmp_path):
    path = tmp_path / "m.json.part"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    with locked(path):
        discard(path)
    assert os.listdir(tmp_path) == []
