"""Files: where the course keeps its own, and writing that never leaves half a file."""

import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The user's own cache folder for this course: cleaned text and downloads, never the repository."""
    return user_cache_path("approximate-training")


def write_atomically(path: Path, content: bytes) -> None:
    """Write the whole file or nothing: an interrupted run leaves the old file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
