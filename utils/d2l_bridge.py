"""The only file that imports d2l: its word2vec pipeline, as a peer to time and to check against.

d2l 1.0.3 imports torchvision at the top, though nothing about words needs it, and torchvision's
published wheels do not load beside a CPU build of torch. Where torchvision is missing or broken,
two empty modules stand in for it while d2l is imported, and are removed afterwards, so that nobody
else takes them for the real one.
"""

import contextlib
import importlib.util
import sys
import time
import types


def import_d2l():
    """`d2l.torch`, drawing PNG instead of SVG.

    None, with one printed line, if it is not installed.
    """
    if importlib.util.find_spec("d2l") is None:
        print(
            "d2l is not installed (pip install --no-deps d2l==1.0.3): "
            "what compares with it is left out"
        )
        return None
    with _torchvision_stand_in():
        from d2l import torch as d2l
    from matplotlib_inline import backend_inline

    d2l.use_svg_display = lambda: backend_inline.set_matplotlib_formats("png")
    return d2l


@contextlib.contextmanager
def _torchvision_stand_in():
    stand_ins = {}
    try:
        import torchvision  # noqa: F401
    except Exception:  # missing, or compiled for another torch
        for name in list(sys.modules):
            if name.split(".")[0] == "torchvision":
                del sys.modules[name]
        module = types.ModuleType("torchvision")
        module.transforms = types.ModuleType("torchvision.transforms")
        stand_ins = {"torchvision": module, "torchvision.transforms": module.transforms}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)


def d2l_pipeline(sentences, K: int = 5, window: int = 5) -> dict[str, float] | None:
    """Seconds of each step of D2L 15.3's own functions on the text, and the pairs they made.

    None without d2l.
    """
    d2l = import_d2l()
    if d2l is None:
        return None
    seconds = {}
    start = time.perf_counter()

    def lap(name):
        nonlocal start
        now = time.perf_counter()
        seconds[name] = now - start
        start = now

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
