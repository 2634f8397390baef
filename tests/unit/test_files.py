"""Files: whole or not at all, modes and links kept; what must not be overwritten is refused."""

import os
import stat
import subprocess
import sys

import pytest

from utils.files import atomic_path, check_output, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["file"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), atomic_path(path) as part:
        part.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_mode_of_an_existing_file_is_kept(tmp_path, mode):
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_users_usual_mode(tmp_path):
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path, there):
    target = tmp_path / "folder" / "target"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("folder/target")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    stray = tmp_path / f".file.{gone.pid}-0123abcd.part"
    others = [
        tmp_path / f".file.{os.getpid()}-0123abcd.part",  # of a process that lives
        tmp_path / f".file2.{gone.pid}-0123abcd.part",  # of another file
        tmp_path / f".file.{gone.pid}-0123abcd.part.txt",
        tmp_path / ".file.mine.part",
    ]
    for path in [stray, *others]:
        path.touch()
    write_atomically(tmp_path / "file", b"new")
    assert not stray.exists()
    assert all(path.exists() for path in others)


# What may be written to -------------------------------------------------------------------------


def test_a_regular_file_or_a_new_name_may_be_written_to(tmp_path):
    (tmp_path / "there").write_bytes(b"old")
    (tmp_path / "corpus").write_bytes(b"text")
    check_output(tmp_path / "there", tmp_path / "corpus")
    check_output(tmp_path / "new", tmp_path / "corpus")
    check_output(tmp_path / "new", tmp_path / "missing")
    assert (tmp_path / "there").read_bytes() == b"old"
    assert names(tmp_path) == ["corpus", "there"]


@pytest.mark.parametrize(
    "way", ["same", "spelling", "link", "link to link", "hard link", "relative"]
)
def test_an_input_is_never_the_output(tmp_path, monkeypatch, way):
    corpus = tmp_path / "corpus"
    corpus.write_bytes(b"text")
    (tmp_path / "link").symlink_to(corpus)
    (tmp_path / "again").symlink_to("link")
    os.link(corpus, tmp_path / "hard")
    monkeypatch.chdir(tmp_path)
    output = {
        "same": corpus,
        "spelling": tmp_path / ".." / tmp_path.name / "corpus",
        "link": tmp_path / "link",
        "link to link": tmp_path / "again",
        "hard link": tmp_path / "hard",
        "relative": "corpus",
    }[way]
    with pytest.raises(ValueError, match="is what is read"):
        check_output(output, corpus)
    with pytest.raises(ValueError, match="is what is read"):
        check_output(corpus, tmp_path / "unrelated", output)
    assert corpus.read_bytes() == b"text"


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to_null").symlink_to("/dev/null")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a device or a pipe"):
        check_output(tmp_path / "pipe")
    for device in ("/dev/null", tmp_path / "to_null"):
        with pytest.raises(ValueError, match="is a device or a pipe"):
            check_output(device)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        check_output(tmp_path)
    for missing in (tmp_path / "no" / "file", tmp_path / "file" / "file"):
        with pytest.raises(FileNotFoundError, match="there is no folder"):
            check_output(missing)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    with pytest.raises(PermissionError, match=r"nothing can be written to .*file' .Permission"):
        check_output(tmp_path / "file")


def test_long_names(tmp_path):
    path = tmp_path / ("é" * 120)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
