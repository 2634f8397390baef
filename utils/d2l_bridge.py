"""The only file that imports d2l: its corpus, and its word2vec pipeline as a peer to time and to
check against.

d2l 1.0.3 imports torchvision at the top, though nothing about words needs it, and torchvision's
published wheels do not load beside a CPU build of torch. Where torchvision is missing or broken,
two empty modules stand in for it while d2l is imported, and are removed afterwards, so that nobody
else takes them for the real one.
"""

import contextlib
import hashlib
import importlib.util
import io
import sys
import time
import types
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from utils.files import cache_folder

PROBE_SECONDS = 5


def import_d2l():
    """`d2l.torch`, drawing PNG instead of SVG, or None with one printed line if the package is not
    installed.
    """
    if importlib.util.find_spec("d2l") is None:
        print(
            "d2l is not installed (pip install --no-deps d2l==1.0.3): what compares with it is left out"
        )
        return None
    with _torchvision_stand_in():
        from d2l import torch as d2l
    from matplotlib_inline import backend_inline

    d2l.use_svg_display = lambda: backend_inline.set_matplotlib_formats("png")
    return d2l


@contextlib.contextmanager
def _torchvision_stand_in():
    try:
        import torchvision  # noqa: F401

        stand_ins = {}
    except Exception:  # missing, or compiled for another torch
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        module, transforms = (
            types.ModuleType("torchvision"),
            types.ModuleType("torchvision.transforms"),
        )
        module.transforms = transforms
        stand_ins = {"torchvision": module, "torchvision.transforms": transforms}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)


def load_ptb() -> list[list[str]]:
    """The training part of the Penn Treebank as D2L serves it, sentences of words; downloaded once
    into the cache.

    Raises ConnectionError within seconds if the host does not answer, and ValueError if what came
    is not the file that D2L's hash names (it is removed then).
    """
    d2l = import_d2l()
    if d2l is None:
        raise ModuleNotFoundError(
            "load_corpus('ptb') needs d2l: pip install --no-deps d2l==1.0.3; the default corpus, "
            "load_corpus(), does not"
        )
    url, sha1 = d2l.DATA_HUB["ptb"]
    folder = cache_folder()
    path = folder / Path(urlsplit(url).path).name
    if not path.is_file() or _sha1(path) != sha1:
        _probe(url)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                d2l.download(url, str(folder), sha1)
        except OSError as error:  # requests' errors are OSErrors
            path.unlink(missing_ok=True)
            raise ConnectionError(
                f"the download of PTB broke off ({error}); try again, or use the default corpus, "
                "load_corpus()"
            ) from None
        if _sha1(path) != sha1:
            path.unlink()
            raise ValueError(
                f"what was downloaded from {url} is not PTB (its SHA-1 differs from D2L's {sha1[:8]}..) "
                "and was removed; try again, or use the default corpus, load_corpus()"
            )
    with zipfile.ZipFile(path) as archive:
        text = archive.read("ptb/ptb.train.txt").decode("utf-8")
    return [words for line in text.split("\n") if (words := line.split())]


def _probe(url: str) -> None:
    """A short first call, since d2l's own download would wait for ever."""
    import requests

    try:
        requests.head(url, timeout=PROBE_SECONDS, allow_redirects=True)
    except requests.RequestException:
        raise ConnectionError(
            f"{urlsplit(url).hostname} does not answer within {PROBE_SECONDS} s, so PTB cannot be "
            "downloaded; use the default corpus, load_corpus(), which needs no network"
        ) from None


def _sha1(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def d2l_pipeline(sentences, K: int = 5, window: int = 5) -> dict[str, float] | None:
    """Run D2L 15.3's own functions on the text.

    Seconds of each step and the pairs they made. None without d2l.
    """
    d2l = import_d2l()
    if d2l is None:
        return None
    seconds, start = {}, time.perf_counter()

    def lap(name):
        nonlocal start
        now = time.perf_counter()
        seconds[name], start = now - start, now

    vocab = d2l.Vocab(sentences, min_freq=5)
    lap("vocabulary")
    subsampled, counter = d2l.subsample(sentences, vocab)
    corpus = [vocab[line] for line in subsampled]
    lap("subsampling")
    _centres, contexts = d2l.get_centers_and_contexts(corpus, window)
    lap("windows")
    d2l.get_negatives(contexts, vocab, counter, K)
    lap("noise words")
    return seconds | {"pairs": sum(map(len, contexts))}
