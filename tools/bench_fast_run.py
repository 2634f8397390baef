"""Measure one run of `python -m tools.bench_fast`: of the race, or on the synthetic corpus.

    python -m tools.bench_fast_run --one ROW

A run's peak memory is that of its whole process. So nothing heavy that only some trainers need
(gensim, fastText, numba in utils.fast, scipy in utils.costs) is imported at the top.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from tools import BUILD, ROOT, measuring
from tools.memory import peak_bytes
from utils.corpus import load_corpus, read_sentences
from utils.embeddings import Embeddings
from utils.files import write_atomically
from utils.models import SkipGram
from utils.objectives import make_objective
from utils.training import train
from utils.tree import huffman_tree
from utils.vocabulary import Vocab
from utils.windows import skip_gram_batches

DIM = 100
WINDOW = 5
MIN_COUNT = 5
NEGATIVES = 5
SUBSAMPLE = 1e-3

DEFAULT_CORPUS = "wikipedia"
FOLDER = BUILD / "bench"
SOFTMAX = "softmax"
SOFTMAX_WORDS = 200_000
FIRST_RUN = "fast first run"  # on a machine: nothing is compiled yet
SHARED_TOP = "fast without copies"  # all threads write the same rows of the tree's top
PEERS_RATE = "fast at .025"  # gensim's rate for all rows, instead of a rate of its own for each row
OBJECTIVE_NAMES = {
    "softmax": "full softmax",
    "ns": "negative sampling",
    "hs": "hierarchical softmax",
}
HELD_OUT_BATCHES = 6  # of 2,048 pairs each
GENSIM_SCRIPT = """
import sys
from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence
path, out, hs = sys.argv[1], sys.argv[2], int(sys.argv[3])
model = Word2Vec(LineSentence(path), vector_size=100, window=5, min_count=5, sample=1e-3, sg=1,
                 hs=hs, negative=0 if hs else 5, workers=2, epochs=5)
model.wv.save_word2vec_format(out)
"""

MIB = 1 << 20

ZIPF_WORDS = 1_000_000
ZIPF_SENTENCE = 20
ZIPF_EPOCHS = 3
ZIPF_REPEATS = 5


class Corpus(NamedTuple):
    """A text in words, one sentence a line, as every trainer reads it; and what is held out."""

    path: Path
    held_out: Path
    words: int


class Trained(NamedTuple):
    """Seconds of training, the vectors, and what else judging them needs.

    `counts` (V,) are the words' counts and `outputs` the output table, where the trainer has one;
    `paths`, `signs` the tree of hierarchical softmax.
    """

    seconds: float
    embeddings: Embeddings
    counts: Tensor | None = None
    outputs: Tensor | None = None
    paths: Tensor | None = None
    signs: Tensor | None = None


def measure(run: dict) -> dict:
    """The run with its speed and its peak memory, in a process of its own."""
    if "varied" in run:
        return measure_scaling(run)
    state = {"load": round(os.getloadavg()[0], 2), "reference": reference_seconds()}
    return measure_race(run) | state


def reference_seconds() -> float:
    """Seconds of a fixed product of matrices on all cores: how fast the machine is just now."""
    matrix = torch.ones(1_000, 1_000)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 5)


# Texts --------------------------------------------------------------------------------------------


def corpus_name(path: str) -> str:
    return Path(path).stem


def prepare(path: str | None, folder: Path = FOLDER) -> None:
    """Bring the text into words, for all runs, unless that is done."""
    name = DEFAULT_CORPUS if path is None else corpus_name(path)
    if (folder / f"{name}.held.txt").is_file():
        return
    sentences = load_corpus() if path is None else read_sentences(path)
    every = 20 if path is None else 1_000
    learned = []
    held = []
    for number, words in enumerate(sentences):
        if words:
            (held if number % every == every - 1 else learned).append(" ".join(words))
    folder.mkdir(parents=True, exist_ok=True)
    for lines, part in ((learned, "train"), (held, "held")):
        write_atomically(folder / f"{name}.{part}.txt", "\n".join([*lines, ""]).encode("utf-8"))


def prepared(run: dict, folder: Path = FOLDER) -> Corpus:
    """The run's text; for the full softmax its first SOFTMAX_WORDS words, in another file."""
    path = folder / f"{run['corpus']}.train.txt"
    held_out = folder / f"{run['corpus']}.held.txt"
    if run["objective"] == SOFTMAX:
        lines = []
        words = 0
        for line in path.open(encoding="utf-8"):
            if words >= SOFTMAX_WORDS:
                break
            lines.append(line)
            words += line.count(" ") + 1
        path = folder / f"{run['corpus']}.softmax.txt"
        write_atomically(path, "".join(lines).encode("utf-8"))
        return Corpus(path, held_out, words)
    with path.open(encoding="utf-8") as file:
        words = sum(line.count(" ") + 1 for line in file)
    return Corpus(path, held_out, words)


def sentences_of(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.split()


# The race -----------------------------------------------------------------------------------------


def measure_race(run: dict) -> dict:
    """Raw words per second, peak memory and scores of one run of the race."""
    corpus = prepared(run)
    row = {name: value for name, value in run.items() if name != "path"}
    torch.set_num_threads(run["threads"])
    if run["kind"] == "command":
        seconds = time_command(run, corpus)
        trained = None
    else:
        trained = TRAIN[run["trainer"]](run, corpus)
        seconds = trained.seconds
    peak = round(peak_bytes() / MIB, 1)  # before scoring, which takes memory too
    words = corpus.words * run["epochs"]
    row |= {
        "words": words,
        "seconds": round(seconds, 3),
        "words_per_second": round(words / seconds),
        "peak_mb": peak,
    }
    return row | (NO_SCORES if trained is None else judge(run, trained, corpus))


NO_SCORES = {"held_out": None, "wordsim353": None, "simlex999": None}


def judge(run: dict, trained: Trained, corpus: Corpus) -> dict:
    held_out = None
    if run["kind"] in ("quality", "curve", "softmax") and trained.outputs is not None:
        held_out = round(held_out_loss(run["objective"], trained, corpus), 4)
    similar = trained.embeddings.similarity
    return {
        "held_out": held_out,
        "wordsim353": round(similar("wordsim353")[0], 4),
        "simlex999": round(similar("simlex999")[0], 4),
    }


def time_command(run: dict, corpus: Corpus) -> float:
    """Seconds of a whole command, from the text to a file of vectors.

    gensim's script gets the text in words, since its LineSentence only splits at spaces. The
    machine code of `fast` is kept from one run to the next, so a short run goes before the timed
    one, but for FIRST_RUN, which finds none.
    """
    text = run.get("path") or corpus.path
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "vectors.txt")
        if run["trainer"].startswith("gensim"):
            hierarchical = str(int(run["objective"] == "hs"))
            command = [sys.executable, "-c", GENSIM_SCRIPT, str(corpus.path), out, hierarchical]
        else:
            fast = [sys.executable, "-m", "utils.fast", "--out", out]
            fast += ["--objective", run["objective"]]
            if run["trainer"] == FIRST_RUN:
                environment["NUMBA_CACHE_DIR"] = folder
            else:
                short = Path(folder) / "short.txt"
                short.write_text("river bank\n")
                options = ["--min-count", "1", "--subsample", "0"]
                timed_command([*fast, *options, str(short)], environment)
            command = [*fast, "--epochs", str(run["epochs"]), str(text)]
        return timed_command(command, environment)


def timed_command(command: list[str], environment: dict) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)
    return time.perf_counter() - start


def train_fast(run: dict, corpus: Corpus) -> Trained:
    """The course's full-speed trainer, or its version without compiled loops."""
    from utils.fast import Run
    from utils.fast.text import Text

    objective = run["objective"]
    if run["trainer"] == "blocks":
        objective += "-blocks"
    kind = {"model": run["model"], "objective": objective}
    text, vocab = Text.with_vocabulary(sentences_of(corpus.path), MIN_COUNT)
    few = Text([vocab.words[:2] * 20], vocab)
    Run(few, vocab, **kind, epochs=1, subsample=0).train(run["threads"])  # start-up: compiling

    rate = 0.025 if run["trainer"] == PEERS_RATE else None
    trainer = Run(text, vocab, **kind, epochs=run["epochs"], seed=run["seed"], lr=rate)
    if run["trainer"] == SHARED_TOP:
        trainer.learner.copied_rows = 0
    start = time.perf_counter()
    trainer.train(run["threads"])
    seconds = time.perf_counter() - start
    outputs = trainer.output_table.vectors.contiguous()
    tree = huffman_tree(vocab.counts) if run["objective"] == "hs" else None
    walks = (None, None) if tree is None else (tree.paths, tree.signs.float())
    return Trained(seconds, trainer.embeddings(), vocab.counts, outputs, *walks)


def train_plain(run: dict, corpus: Corpus) -> Trained:
    """The course's readable training loop."""
    sentences = list(sentences_of(corpus.path))
    vocab = Vocab(sentences, MIN_COUNT)
    torch.manual_seed(run["seed"])
    objective = make_objective(
        OBJECTIVE_NAMES[run["objective"]], vocab.counts, DIM, num_negatives=NEGATIVES
    )
    model = SkipGram(len(vocab), DIM, objective)
    ids, sentence_ids = vocab.encode(sentences)
    batches = skip_gram_batches(ids, sentence_ids, vocab, seed=run["seed"], rule="word2vec")
    start = time.perf_counter()
    train(model, batches, epochs=run["epochs"], lr=0.1, seed=run["seed"])
    seconds = time.perf_counter() - start
    return Trained(seconds, Embeddings(vocab.words, model.embedding.weight))


def train_gensim(run: dict, corpus: Corpus) -> Trained:
    """gensim's Word2Vec, on sentences in memory or on a file, which it reads faster."""
    from gensim.models import Word2Vec

    hierarchical = run["objective"] == "hs"
    model = Word2Vec(
        vector_size=DIM,
        window=WINDOW,
        min_count=MIN_COUNT,
        sample=SUBSAMPLE,
        sg=int(run["model"] == "skip-gram"),
        hs=int(hierarchical),
        negative=0 if hierarchical else NEGATIVES,
        workers=run["threads"],
        seed=run["seed"] + 1,
    )
    if run["trainer"] == "gensim iterator":
        text = {"corpus_iterable": list(sentences_of(corpus.path))}
    else:
        text = {"corpus_file": str(corpus.path)}
    model.build_vocab(**text)
    start = time.perf_counter()
    model.train(
        **text,
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=run["epochs"],
    )
    seconds = time.perf_counter() - start
    words = model.wv.index_to_key
    embeddings = Embeddings(words, torch.from_numpy(model.wv.vectors))
    counts = torch.tensor([model.wv.get_vecattr(word, "count") for word in words])
    if not hierarchical:
        return Trained(seconds, embeddings, counts, torch.from_numpy(model.syn1neg))
    outputs = torch.from_numpy(model.syn1)
    return Trained(seconds, embeddings, counts, outputs, *gensim_tree(model.wv))


def gensim_tree(vectors) -> tuple[Tensor, Tensor]:
    """gensim's own Huffman tree: (paths, signs), padded with 0; its code 0 is the label 1."""
    words = vectors.index_to_key
    points = [vectors.get_vecattr(word, "point") for word in words]
    codes = [vectors.get_vecattr(word, "code") for word in words]
    deepest = max(map(len, codes))
    paths = torch.zeros(len(words), deepest).long()
    signs = torch.zeros(len(words), deepest)
    for i, (point, code) in enumerate(zip(points, codes)):
        paths[i, : len(code)] = torch.tensor(point[: len(code)].tolist())
        signs[i, : len(code)] = 1 - 2 * torch.tensor(code.tolist()).float()
    return paths, signs


def train_fasttext(run: dict, corpus: Corpus) -> Trained:
    """fastText without subwords; what counts is the second half of a run of twice the length.

    With the full softmax, which takes minutes, one run counts, its reading of a second or less
    included.
    """
    if run["kind"] == "softmax":
        seconds, model = learn_fasttext(run, corpus, run["epochs"])
    else:
        short, _ = learn_fasttext(run, corpus, run["epochs"])
        long, model = learn_fasttext(run, corpus, 2 * run["epochs"])
        seconds = long - short
    words = [word for word in model.words if word != "</s>"]
    vectors = torch.tensor([model[word].tolist() for word in words])
    return Trained(seconds, Embeddings(words, vectors))


def learn_fasttext(run: dict, corpus: Corpus, epochs: int):
    """(seconds from reading the file to the end, the model)."""
    import fasttext

    start = time.perf_counter()
    model = fasttext.train_unsupervised(
        str(corpus.path),
        model={"skip-gram": "skipgram", "cbow": "cbow"}[run["model"]],
        dim=DIM,
        ws=WINDOW,
        neg=NEGATIVES,
        t=SUBSAMPLE,
        minn=0,
        maxn=0,
        bucket=0,
        verbose=0,
        minCount=MIN_COUNT,
        loss=run["objective"],
        epoch=epochs,
        thread=run["threads"],
    )
    return time.perf_counter() - start, model


TRAIN = {
    "fast": train_fast,
    "blocks": train_fast,
    PEERS_RATE: train_fast,
    SHARED_TOP: train_fast,
    "plain": train_plain,
    "gensim iterator": train_gensim,
    "gensim file": train_gensim,
    "fastText": train_fasttext,
}


def held_out_loss(objective: str, trained: Trained, corpus: Corpus) -> float:
    """Nats per pair of held-out text, subsampled, windows drawn once: the same pairs for all.

    Full softmax 15.1.7; hierarchical softmax 15.2.7 along the trainer's own tree, from the context
    word to the word at the centre; negative sampling the expectation of 15.2.6 over all draws.
    """
    vocab = Vocab.from_counts(dict(zip(trained.embeddings.words, trained.counts.tolist())), 1)
    ids, sentence_ids = vocab.encode(sentences_of(corpus.held_out))
    row_of = {word: i for i, word in enumerate(trained.embeddings.words)}
    rows = torch.tensor([row_of[word] for word in vocab.words])
    batches = skip_gram_batches(
        ids, sentence_ids, vocab, batch_size=2048, subsample=SUBSAMPLE, rule="word2vec"
    )
    losses = []
    for number, (centres, contexts) in enumerate(batches):
        if number == HELD_OUT_BATCHES:
            break
        losses.append(LOSSES[objective](trained, rows[centres], rows[contexts]))
    return torch.cat(losses).double().mean().item()


def softmax_losses(trained: Trained, centres: Tensor, contexts: Tensor) -> Tensor:
    scores = trained.embeddings.vectors[centres] @ trained.outputs.T  # (B, d) @ (d, V) -> (B, V)
    return torch.nn.functional.cross_entropy(scores, contexts, reduction="none")


def sampling_losses(trained: Trained, centres: Tensor, contexts: Tensor) -> Tensor:
    q = trained.counts.double() ** 0.75
    q = (q / q.sum()).float()
    scores = trained.embeddings.vectors[centres] @ trained.outputs.T  # (B, d) @ (d, V) -> (B, V)
    true = torch.nn.functional.softplus(-scores.gather(1, contexts[:, None]))[:, 0]
    return true + NEGATIVES * (torch.nn.functional.softplus(scores) @ q)


def walk_losses(trained: Trained, centres: Tensor, contexts: Tensor) -> Tensor:
    signs = trained.signs[centres]  # (B, D)
    nodes = trained.outputs[trained.paths[centres]]  # (B, D, d)
    scores = (nodes * trained.embeddings.vectors[contexts][:, None]).sum(dim=2)
    losses = torch.nn.functional.softplus(-signs * scores)
    return torch.where(signs != 0, losses, 0.0).sum(dim=1)


LOSSES = {"softmax": softmax_losses, "ns": sampling_losses, "hs": walk_losses}


# The synthetic corpus -----------------------------------------------------------------------------


def measure_scaling(run: dict) -> dict:
    """The full-speed trainer on a million words drawn by Zipf's law: the median of five runs.

    `least` and `most` are the words per second of the slowest and of the fastest run.
    """
    from utils.fast import Run
    from utils.fast.text import Text

    vocab, sentences = zipf_corpus(run["V"])
    text = Text(sentences, vocab)
    few = Text([vocab.words[:2]], vocab)
    options = {"objective": run["objective"], "dim": run["d"]}
    Run(few, vocab, **options, epochs=1, subsample=0).train(1)  # start-up: compiling
    seconds = []
    for _ in range(ZIPF_REPEATS):
        trainer = Run(text, vocab, **options, negatives=run["K"], epochs=ZIPF_EPOCHS)
        start = time.perf_counter()
        trainer.train(run["threads"])
        seconds.append(time.perf_counter() - start)
    words = ZIPF_EPOCHS * ZIPF_WORDS
    return {
        **run,
        "words_per_second": round(words / statistics.median(seconds)),
        "least": round(words / max(seconds)),
        "most": round(words / min(seconds)),
        "peak_mb": round(peak_bytes() / MIB, 1),
        "pairs_per_second": round(trainer.history.pairs[-1] / statistics.median(seconds)),
    }


def zipf_corpus(V: int):
    """(vocabulary, sentences): words "0", "1", ... drawn by Zipf's law, always the same."""
    from utils.costs import zipf_counts

    counts = zipf_counts(V)
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(int(counts.sum()), (ZIPF_WORDS,), generator=generator)
    ids = torch.searchsorted(counts.cumsum(0), draws, right=True)
    vocab = Vocab([["0"]], min_count=1)
    vocab.words = [str(i) for i in range(V)]
    vocab.counts = counts
    sentences = ([str(i) for i in part] for part in ids.view(-1, ZIPF_SENTENCE).tolist())
    return vocab, sentences


def main() -> None:
    given = measuring.parse_arguments(__doc__, "one")
    if given.one:
        measuring.print_measured(measure, given.one)
    else:
        print("give a row with --one; `python -m tools.bench_fast` measures all of them")


if __name__ == "__main__":
    main()
