"""Text -> sentences: the built-in corpora and files of the reader's own."""

import bz2
import os
from collections.abc import Iterator
from pathlib import Path

from utils.d2l_bridge import load_ptb
from utils.files import cache_folder, write_atomically

LONGEST_LINE = 1 << 20  # characters that are read at once
BUILT_IN = ("wikipedia", "ptb")
WIKIPEDIA_DUMP = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"


def tokenize(line: str) -> list[str]:
    """Lower-case runs of letters: "Rivers, 1912!" -> ["rivers"] (gensim's tokenizer)."""
    from gensim.utils import tokenize as words_of

    return list(words_of(line, lowercase=True))


def load_corpus(source: str | os.PathLike = "wikipedia") -> list[list[str]]:
    """Sentences as lists of words.

    "wikipedia" (the default) is the sample of about a hundred articles inside the gensim package, one
    "sentence" a paragraph; it needs no network, and its cleaned text is kept in the user's cache folder.
    "ptb" is D2L's Penn Treebank, downloaded once. Anything else is the path of a UTF-8 text file, one
    sentence a line, from which words are taken as lower-case runs of letters.

    Raises FileNotFoundError (no such file), ValueError (not UTF-8, or no words in it), ConnectionError (PTB
    without a network).
    """
    if source == "wikipedia":
        return _wikipedia()
    if source == "ptb":
        return load_ptb()
    sentences = [words for words in read_sentences(source) if words]
    if not sentences:
        raise ValueError(
            f"{str(source)!r} holds no words; it should hold text, one sentence a line"
        )
    return sentences


def read_sentences(path: str | os.PathLike) -> Iterator[list[str]]:
    """The lines of a UTF-8 text file as lists of words, one after the other, in bounded memory.

    A line ends with \\n, \\r\\n or \\r. One of more than a million characters comes as several
    sentences, cut between two words. Raises FileNotFoundError, and ValueError if the file is not
    UTF-8, ends within a character, or changes its length while it is read.
    """
    path = Path(path)
    if not path.is_file():
        names = " and ".join(map(repr, BUILT_IN))
        raise FileNotFoundError(
            f"there is no file {str(path)!r}; give the path of a UTF-8 text file, or one of "
            f"the built-in corpora, {names}"
        )
    size = path.stat().st_size
    number = 0
    with open(path, encoding="utf-8") as file:
        rest = ""
        try:
            while part := file.readline(LONGEST_LINE):
                whole = len(part) < LONGEST_LINE or part.endswith("\n")
                part = rest + part
                rest = ""
                if whole:
                    number += 1
                elif " " in part:
                    part, _, rest = part.rpartition(" ")
                yield tokenize(part)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{str(path)!r} is not UTF-8 (somewhere after line {number}: {error.reason}); "
                "save the file as UTF-8, whole, and try again"
            ) from None
        if rest:
            yield tokenize(rest)
        end = file.buffer.tell()
    if not end == size == path.stat().st_size:
        raise ValueError(
            f"{str(path)!r} changed while it was read: {size} bytes at first, "
            f"{path.stat().st_size} now; train when nothing writes to it any more"
        )


def _wikipedia() -> list[list[str]]:
    cached = cache_folder() / "wikipedia-1.txt"
    if not cached.is_file():
        lines = "\n".join(" ".join(words) for words in _clean_wikipedia())
        try:
            write_atomically(cached, lines.encode("utf-8"))
        except OSError:  # a read-only home costs two seconds a start, no more
            return [line.split() for line in lines.split("\n")]
    return [line.split() for line in cached.read_text(encoding="utf-8").split("\n")]


def _clean_wikipedia():
    from gensim.corpora.wikicorpus import extract_pages, filter_wiki
    from gensim.test.utils import datapath

    with bz2.open(datapath(WIKIPEDIA_DUMP)) as dump:
        for _title, markup, _page in extract_pages(dump, filter_namespaces=("0",)):
            if markup.lstrip().lower().startswith("#redirect"):
                continue
            for paragraph in filter_wiki(markup).split("\n"):
                words = tokenize(paragraph)
                if len(words) > 1:  # one word alone has no context
                    yield words
