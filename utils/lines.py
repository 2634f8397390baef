"""Text files as lines: UTF-8, compressed or not, of any size, with one rule for lines."""

import bz2
import gzip
import os
import stat
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

OPENERS = {".gz": gzip.open, ".bz2": bz2.open}
LONGEST_LINE = 1 << 20  # characters that are read at once
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_lines(path: str | os.PathLike) -> Iterator[str]:
    r"""The lines of a text file, without their ends, one after the other, in bounded memory.

    The file is UTF-8, with or without a byte order mark, and compressed if its name ends in .gz or
    .bz2. A line ends with \n, \r\n or \r, and nowhere else. One of more than a million characters
    comes in pieces, cut beside a space, or else beside another character that is in no word; a
    single longer word stays whole. Raises FileNotFoundError, and ValueError if the path is no
    regular file, if the file is not UTF-8 or not whole, or if it changes while it is read.
    """
    path = Path(path)
    before = _regular_file(path)
    number = 1
    try:
        with OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8-sig") as file:
            for piece, ends_line in _pieces(file):
                yield piece
                number += ends_line
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not UTF-8 from about line {number} on ({error.reason}); "
            "save the file as UTF-8, whole, and try again"
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        if path.suffix not in OPENERS or isinstance(error, PermissionError):
            raise
        raise ValueError(
            f"{str(path)!r} cannot be decompressed from about line {number} on ({error}); "
            "get the whole file and try again"
        ) from None
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ValueError(
            f"{str(path)!r} changed while it was read: {before.st_size} bytes at first, "
            f"{after.st_size} now; read it when nothing writes to it any more"
        )


def _regular_file(path: Path) -> os.stat_result:
    """What the system knows of the file; an error that says why, if it is none."""
    if not path.exists():
        hint = " (standard input cannot be read)" if str(path) == "-" else ""
        raise FileNotFoundError(
            f"there is no file {str(path)!r}{hint}; give the path of a UTF-8 text file"
        )
    found = path.stat()
    kind = KINDS.get(stat.S_IFMT(found.st_mode))
    if kind:
        raise ValueError(
            f"{str(path)!r} is {kind}; a text is read more than once, "
            "so give the path of a regular file"
        )
    return found


def _pieces(file) -> Iterator[tuple[str, bool]]:
    """(text, whether a line ends there): lines, or pieces of lines that cut no word."""
    held = []  # the beginning of a piece that has not found its end yet
    while part := file.readline(LONGEST_LINE):
        if part.endswith("\n") or len(part) < LONGEST_LINE:
            yield "".join([*held, part.removesuffix("\n")]), True
            held = []
            continue
        cut = _last_gap(part)
        if cut:
            yield "".join([*held, part[:cut]]), False
            held = []
        held.append(part[cut:])
    if held:
        yield "".join(held), True


def _last_gap(text: str) -> int:
    """The last place for a cut: behind a space, or behind another character of no word; else 0."""
    for place in range(len(text), 0, -1):
        if text[place - 1].isspace():
            return place
    for place in range(len(text), 0, -1):
        if not _may_stand_in_a_word(text[place - 1]):
            return place
    return 0


def _may_stand_in_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in "\u200c\u200d"
