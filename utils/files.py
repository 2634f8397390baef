"""Files: where the course keeps its own, and writing that never leaves half a file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The user's own cache folder for this course: cleaned text and downloads, never the repository."""
    return user_cache_path("approximate-training")


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A new path beside `path` to write to; it takes the place of `path` when the block ends.

    If the block raises, what was written is removed and `path` stays as it was. Folders are made
    where they are missing. Raises OSError where nothing can be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Write the whole file or nothing: an interrupted run leaves the old file as it was."""
    with atomic_path(path) as part:
        part.write_bytes(content)
