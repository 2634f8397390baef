"""Write a real text of six million words that anyone can install: dictionaries of Debian's.

    apt-get install dict-gcide dict-foldoc
    python -m tools.dictionaries build/dictionaries.txt
    make bench CORPUS=build/dictionaries.txt

The packages hold Webster's dictionary of 1913 with additions, and FOLDOC, in the format of dictd:
text, compressed by gzip, in which the lines of an entry are indented. Each entry becomes a line.
Every dictionary in the folder is taken: other packages (dict-wn, dict-jargon) make a longer text.
"""

import argparse
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

from utils.files import check_output, write_atomically

FOLDER = Path("/usr/share/dictd")


def entries(lines: Iterator[str]) -> Iterator[str]:
    """Lines that are indented, or empty, go on with the entry before."""
    entry = []
    for line in lines:
        if entry and line.strip() and not line[0].isspace():
            yield " ".join(entry)
            entry = []
        if line.strip():
            entry.append(line.strip())
    if entry:
        yield " ".join(entry)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="the text to write")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the dictionaries are")
    given = parser.parse_args(arguments)
    files = sorted(given.folder.glob("*.dict.dz"))
    if not files:
        sys.exit(f"there are no dictionaries (*.dict.dz) in {given.folder}: install them, as above")
    check_output(given.out)
    texts = []
    for path in files:
        content = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
        texts += entries(iter(content.splitlines()))
    write_atomically(given.out, "\n".join([*texts, ""]).encode("utf-8"))
    print(f"{len(texts):,} entries of {len(files)} dictionaries: {given.out}")


if __name__ == "__main__":
    main()
