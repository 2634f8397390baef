"""Files: where the course keeps its own, what may be written to, writing whole or not at all."""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The user's own cache folder for this course: cleaned text and downloads."""
    return user_cache_path("approximate-training")


def check_output(path: str | os.PathLike, *inputs: str | os.PathLike) -> None:
    """Refuse, before any work begins, a path that cannot or must not be written to.

    Raises IsADirectoryError, FileNotFoundError or PermissionError where nothing can be written, and
    ValueError if the path is no regular file (a device, a pipe), or if it is one of `inputs`, by
    whatever spelling, link or hard link.
    """
    path = Path(path)
    shown = repr(str(path))
    if path.is_dir():
        raise IsADirectoryError(f"{shown} is a folder; name a file to write to")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{shown} is a device or a pipe; name a regular file, or a new one")
    for source in inputs:
        if path.exists() and Path(source).exists() and os.path.samefile(path, source):
            raise ValueError(
                f"{shown} is what is read ({str(source)!r}); it would be lost, so name another file"
            )
    target = _target(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(target.parent)!r} to write {target.name!r} into; "
            "make it first"
        )
    try:
        with atomic_path(path, replace=False):
            pass
        if path.exists():
            path.open("ab").close()
    except OSError as error:
        raise PermissionError(
            f"nothing can be written to {shown} ({error.strerror}); name another file"
        ) from None


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, replace: bool = True) -> Iterator[Path]:
    """A new path beside `path` to write to; it takes the place of `path` when the block ends.

    If the block raises, what was written is removed and `path` stays as it was. A link is followed,
    and the mode of an existing file is kept. Folders are made where they are missing. What killed
    processes have left beside `path` is removed. With `replace=False` nothing is put into place.
    Raises OSError where nothing can be written.
    """
    target = _target(Path(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_strays(target)
    part = target.with_name(f".{_short(target)}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        part.touch(exist_ok=False)
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        yield part
        if replace:
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Write the whole file or nothing: an interrupted run leaves the old file as it was."""
    with atomic_path(path) as part:
        part.write_bytes(content)


def _target(path: Path) -> Path:
    """Where a link leads; the path itself if it is none."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _remove_strays(target: Path) -> None:
    """Remove the parts of this file that processes have left which do not live any more."""
    pattern = re.compile(rf"\.{re.escape(_short(target))}\.(\d+)-[0-9a-f]{{8}}\.part")
    for beside in target.parent.glob(f".{_literal(_short(target))}.*.part"):
        match = pattern.fullmatch(beside.name)
        if match and not psutil.pid_exists(int(match[1])):
            with contextlib.suppress(OSError):
                beside.unlink()


def _short(path: Path) -> str:
    """The beginning of its name: with what is added, a name must not be too long for the system."""
    return path.name[:40]


def _literal(name: str) -> str:
    """The name as a pattern that means itself alone."""
    return re.sub(r"([*?\[])", r"[\1]", name)
