"""Measure one run of `python -m tools.bench_fast`: of the race, or on the synthetic corpus.

    python -m tools.bench_fast_run --one ROW

A run's peak memory is that of its whole process. So nothing heavy that only some trainers need
(gensim, fastText, numba in utils.fast, scipy in utils.costs) is imported at the top.
"""

import resource
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from tools import measuring
from utils.corpus import load_corpus
from utils.embeddings import Embeddings
from utils.models import SkipGram
from utils.objectives import make_objective
from utils.training import train
from utils.vocabulary import Vocab
from utils.windows import skip_gram_batches

DIM = 100
WINDOW = 5
MIN_COUNT = 5
NEGATIVES = 5
SUBSAMPLE = 1e-3

SOFTMAX = "softmax"
SOFTMAX_SENTENCES = 400  # the first of the corpus: about 3,000 words
SOFTMAX_MIN_COUNT = 1
PEERS_RATE = "fast at .025"  # gensim's rate for all rows, instead of a rate of its own for each row
OBJECTIVE_NAMES = {
    "softmax": "full softmax",
    "ns": "negative sampling",
    "hs": "hierarchical softmax",
}

ZIPF_WORDS = 1_000_000
ZIPF_SENTENCE = 20
ZIPF_EPOCHS = 3
ZIPF_REPEATS = 3


class Corpus(NamedTuple):
    """Sentences to train on, their vocabulary, a file of them where one is read, a test set."""

    sentences: list[list[str]]
    vocab: Vocab
    path: Path
    held_out: list[list[str]]


class Trained(NamedTuple):
    """Seconds of training, the vectors, and the output vectors where the trainer has a table."""

    seconds: float
    embeddings: Embeddings
    outputs: Tensor | None = None


def measure(run: dict) -> dict:
    """The run with its speed and its peak memory, in a process of its own."""
    return measure_scaling(run) if "varied" in run else measure_race(run)


# The race -----------------------------------------------------------------------------------------


def measure_race(run: dict) -> dict:
    """Raw words and pairs per second, peak memory and scores of one run of the race."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = read_corpus(run, Path(folder) / "text.txt")
        torch.set_num_threads(run["threads"])
        trained = TRAIN[run["trainer"]](run, corpus)
    peak = peak_mb()  # before scoring, which takes memory too
    words = sum(map(len, corpus.sentences)) * run["epochs"]
    pairs = pairs_per_epoch(corpus) * run["epochs"]
    held_out = None
    if trained.outputs is not None and run["objective"] == SOFTMAX:
        held_out = round(held_out_loss(trained, corpus), 4)
    return {
        **run,
        "words": words,
        "seconds": round(trained.seconds, 3),
        "words_per_second": round(words / trained.seconds),
        "peak_mb": peak,
        "pairs_per_second": round(pairs / trained.seconds),
        "held_out": held_out,
        "wordsim353": round(trained.embeddings.similarity("wordsim353")[0], 4),
        "simlex999": round(trained.embeddings.similarity("simlex999")[0], 4),
    }


def read_corpus(run: dict, path: Path) -> Corpus:
    """The run's text; for the full softmax every twentieth of the first sentences is held out."""
    sentences = load_corpus()
    held_out = []
    if run["objective"] == SOFTMAX:
        sentences = sentences[:SOFTMAX_SENTENCES] * run["times"]
        vocab = Vocab(sentences, SOFTMAX_MIN_COUNT)
        held_out = sentences[19::20]
        sentences = [sentence for i, sentence in enumerate(sentences) if i % 20 != 19]
    else:
        sentences = sentences * run["times"]
        vocab = Vocab(sentences, MIN_COUNT)
    if run["trainer"] in ("gensim file", "fastText"):
        lines = map(" ".join, sentences)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Corpus(sentences, vocab, path, held_out)


def train_fast(run: dict, corpus: Corpus) -> Trained:
    """The course's full-speed trainer, or its version without compiled loops."""
    from utils.fast import Run
    from utils.fast.text import Text

    objective = run["objective"]
    if run["trainer"] == "blocks":
        objective += "-blocks"
    vocab = corpus.vocab
    few = Text(corpus.sentences[:9], vocab)
    Run(few, vocab, objective=objective, epochs=1).train(1)  # start-up: compiling

    rate = 0.025 if run["trainer"] == PEERS_RATE else None
    text = Text(corpus.sentences, vocab)
    trainer = Run(text, vocab, objective=objective, epochs=run["epochs"], seed=run["seed"], lr=rate)
    start = time.perf_counter()
    trainer.train(run["threads"])
    seconds = time.perf_counter() - start
    return Trained(seconds, trainer.embeddings(), trainer.output_table.vectors)


def train_plain(run: dict, corpus: Corpus) -> Trained:
    """The course's readable training loop."""
    vocab = corpus.vocab
    torch.manual_seed(run["seed"])
    objective = make_objective(
        OBJECTIVE_NAMES[run["objective"]], vocab.counts, DIM, num_negatives=NEGATIVES
    )
    model = SkipGram(len(vocab), DIM, objective)
    ids, sentence_ids = vocab.encode(corpus.sentences)
    batches = skip_gram_batches(ids, sentence_ids, vocab, seed=run["seed"], rule="word2vec")
    start = time.perf_counter()
    train(model, batches, epochs=run["epochs"], lr=0.1, seed=run["seed"])
    seconds = time.perf_counter() - start
    embeddings = Embeddings(vocab.words, model.embedding.weight)
    return Trained(seconds, embeddings, model.objective.weight.detach())


def train_gensim(run: dict, corpus: Corpus) -> Trained:
    """gensim's Word2Vec, on sentences in memory or on a file, which it reads faster."""
    from gensim.models import Word2Vec

    hierarchical = run["objective"] == "hs"
    model = Word2Vec(
        vector_size=DIM,
        window=WINDOW,
        min_count=MIN_COUNT,
        sample=SUBSAMPLE,
        sg=1,
        hs=int(hierarchical),
        negative=0 if hierarchical else NEGATIVES,
        workers=run["threads"],
        seed=run["seed"] + 1,
    )
    if run["trainer"] == "gensim iterator":
        text = {"corpus_iterable": corpus.sentences}
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
    vectors = torch.from_numpy(model.wv.vectors)
    return Trained(seconds, Embeddings(model.wv.index_to_key, vectors))


def train_fasttext(run: dict, corpus: Corpus) -> Trained:
    """fastText without subwords; what counts is the second half of a run of twice the length."""
    if run["kind"] == "quality":
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
        model="skipgram",
        dim=DIM,
        ws=WINDOW,
        neg=NEGATIVES,
        t=SUBSAMPLE,
        minn=0,
        maxn=0,
        bucket=0,
        verbose=0,
        minCount=SOFTMAX_MIN_COUNT if run["objective"] == SOFTMAX else MIN_COUNT,
        loss=run["objective"],
        epoch=epochs,
        thread=run["threads"],
    )
    return time.perf_counter() - start, model


TRAIN = {
    "fast": train_fast,
    "blocks": train_fast,
    PEERS_RATE: train_fast,
    "plain": train_plain,
    "gensim iterator": train_gensim,
    "gensim file": train_gensim,
    "fastText": train_fasttext,
}


def held_out_loss(trained: Trained, corpus: Corpus) -> float:
    """Nats per pair of the full softmax on the test set, all words kept, windows drawn once."""
    ids, sentence_ids = corpus.vocab.encode(corpus.held_out)
    batches = skip_gram_batches(ids, sentence_ids, corpus.vocab, subsample=None, batch_size=1024)
    losses = []
    for centres, contexts in batches:
        scores = trained.embeddings.vectors[centres] @ trained.outputs.T  # (B, d) @ (d, V)
        losses.append(torch.nn.functional.cross_entropy(scores, contexts, reduction="none"))
    return torch.cat(losses).double().mean().item()


def pairs_per_epoch(corpus: Corpus) -> int:
    """Pairs of one epoch after subsampling, as all trainers draw them: counted once, for seed 0."""
    ids, sentence_ids = corpus.vocab.encode(corpus.sentences)
    batches = skip_gram_batches(ids, sentence_ids, corpus.vocab, rule="word2vec")
    return sum(len(contexts) for _, contexts in batches)


# The synthetic corpus -----------------------------------------------------------------------------


def measure_scaling(run: dict) -> dict:
    """The full-speed trainer on a million words drawn by Zipf's law, the fastest of three runs.

    The fastest, since whatever else the machine does only adds to the time.
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
    return {
        **run,
        "words_per_second": round(ZIPF_EPOCHS * ZIPF_WORDS / min(seconds)),
        "peak_mb": peak_mb(),
        "pairs_per_second": round(trainer.history.pairs[-1] / min(seconds)),
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


def peak_mb() -> float:
    """The most memory that this process has held, in MiB, with all that was imported."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main() -> None:
    given = measuring.parse_arguments(__doc__, "one")
    if given.one:
        measuring.print_measured(measure, given.one)
    else:
        print("give a row with --one; `python -m tools.bench_fast` measures all of them")


if __name__ == "__main__":
    main()
