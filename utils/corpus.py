"""Text -> sentences: the built-in corpora and files of the reader's own."""

import bz2
import os
from pathlib import Path

from utils.d2l_bridge import load_ptb
from utils.files import cache_folder, write_atomically

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
    path = Path(source)
    if not path.is_file():
        names = " and ".join(map(repr, BUILT_IN))
        raise FileNotFoundError(
            f"there is no file {str(path)!r}; give the path of a UTF-8 text file, or one of "
            f"the built-in corpora, {names}"
        )
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not UTF-8: byte {error.start} cannot be decoded; save the file as "
            "UTF-8 and load it again"
        ) from None
    sentences = [words for line in text.splitlines() if (words := tokenize(line))]
    if not sentences:
        raise ValueError(f"{str(path)!r} holds no words; it should hold text, one sentence a line")
    return sentences


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
