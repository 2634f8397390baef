"""Text -> sentences: the built-in corpora, and files of the reader's own."""

import bz2
import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from utils.files import atomic_path, cache_folder, write_atomically
from utils.lines import read_lines
from utils.words import tokenize

BUILT_IN = ("wikipedia", "ptb")
WIKIPEDIA_DUMP = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
WIKIPEDIA_CACHE = "wikipedia-2.txt"  # counted up when what a word is changes

# D2L's copy of the Penn Treebank, as d2l 1.0.3 lists it in its DATA_HUB.
PTB_ADDRESS = "http://d2l-data.s3-accelerate.amazonaws.com/ptb.zip"
PTB_SHA1 = "319d85e578af0cdc590547f26231e4e31cdf1e42"
PTB_SECONDS = 5  # that the host may take to answer


def load_corpus(source: str | os.PathLike = "wikipedia") -> list[list[str]]:
    """Sentences as lists of words.

    "wikipedia" (the default) is the sample of about a hundred articles inside the gensim package,
    one "sentence" per paragraph; it needs no network, and its cleaned text is kept in the user's
    cache folder. "ptb" is D2L's Penn Treebank, downloaded once. Anything else is the path of a text
    file, one sentence a line: see `read_sentences`.

    Raises FileNotFoundError (no such file), ValueError (not UTF-8, no regular file, or no words in
    it), ConnectionError (PTB without a network).
    """
    if source == "wikipedia":
        return _wikipedia()
    if source == "ptb":
        return _ptb()
    sentences = [words for words in read_sentences(source) if words]
    if not sentences:
        raise ValueError(
            f"{str(source)!r} holds no words; it should hold text, one sentence a line"
        )
    return sentences


def read_sentences(path: str | os.PathLike) -> Iterator[list[str]]:
    """The lines of a text file as lists of words, one after the other, in bounded memory.

    Lines are those of `utils.lines.read_lines` (UTF-8, also .gz and .bz2), words those of
    `utils.words.tokenize` (runs of letters with their marks, in lower case). Raises as
    `read_lines`.
    """
    for line in read_lines(path):
        yield tokenize(line)


# The sample of Wikipedia ------------------------------------------------------------------------


def _wikipedia() -> list[list[str]]:
    cached = cache_folder() / WIKIPEDIA_CACHE
    if not cached.is_file():
        lines = "\n".join(" ".join(words) for words in _clean_wikipedia())
        try:
            write_atomically(cached, lines.encode("utf-8"))
        except OSError:  # a read-only home costs two seconds per start, no more
            return [line.split(" ") for line in lines.split("\n")]
    return [line.split(" ") for line in cached.read_text(encoding="utf-8").split("\n")]


def _clean_wikipedia() -> Iterator[list[str]]:
    """The words of each paragraph; redirects, and paragraphs of one word, are left out."""
    # gensim takes a second to load
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


# The Penn Treebank ------------------------------------------------------------------------------


def _ptb() -> list[list[str]]:
    """The training part of the Penn Treebank, sentences of words, as D2L serves it."""
    path = cache_folder() / Path(urlsplit(PTB_ADDRESS).path).name
    if not path.is_file() or _sha1(path) != PTB_SHA1:
        _download_ptb(path)
    with zipfile.ZipFile(path) as archive:
        text = archive.read("ptb/ptb.train.txt").decode("utf-8")
    return [words for line in text.split("\n") if (words := line.split())]


def _download_ptb(path: Path) -> None:
    """Put the archive at `path`, whole and with the right hash, or nothing."""
    import requests

    instead = "use the default corpus, load_corpus(), which needs no network"
    host = urlsplit(PTB_ADDRESS).hostname
    with atomic_path(path) as part:
        try:
            answer = requests.get(PTB_ADDRESS, timeout=PTB_SECONDS, stream=True)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise ConnectionError(
                f"{host} does not answer within {PTB_SECONDS} s, so PTB cannot be downloaded "
                f"({type(error).__name__}); {instead}"
            ) from None
        try:
            with part.open("wb") as file:
                for content in answer.iter_content(1 << 16):
                    file.write(content)
        except requests.RequestException as error:
            raise ConnectionError(
                f"the download of PTB broke off ({type(error).__name__}); try again, or {instead}"
            ) from None
        if _sha1(part) != PTB_SHA1:
            raise ValueError(
                f"what {host} sent is not PTB (its SHA-1 differs from D2L's {PTB_SHA1[:8]}..) and "
                f"was removed; try again, or {instead}"
            )


def _sha1(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()
