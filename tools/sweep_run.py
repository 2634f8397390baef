"""One run of the sweep: a system trained and scored, and the rows that it adds to each table.

Everything here is drawn from the run's seed, so the same run gives the same numbers again.
Seconds are those of the processor, without building the vocabulary and without scoring: they
count work, not waiting, and another program disturbs them little.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch

from utils.embeddings import Embeddings
from utils.models import CBOW, SkipGram
from utils.objectives import make_objective
from utils.training import History, TrainingDiverged, train
from utils.vocabulary import Vocab
from utils.windows import cbow_batches, skip_gram_batches

DIM = 100
WINDOW = 5
BATCH = 4096
RATE_BATCHES = 150  # batches of training before a learning rate is judged
HELD_OUT_BATCHES = 5  # batches of held-out pairs that it is judged on
CURVE_POINTS = 60
NEIGHBORS = 8  # shown of each probe
MAP_NEIGHBORS = 9  # of each probe on the map of words
PROBES = ("river", "france", "science", "water")
MODELS = {"skip-gram": (SkipGram, skip_gram_batches), "CBOW": (CBOW, cbow_batches)}


@dataclass(frozen=True)
class Run:
    """One training run.

    `trainer` is "course" or "gensim"; `negatives` (K) and `power` are for negative sampling;
    `subsample` is the threshold t of word2vec's rule, 0 is off.
    """

    model: str = "skip-gram"
    objective: str = "negative sampling"
    epochs: int = 3
    seed: int = 0
    trainer: str = "course"
    negatives: int = 5
    power: float = 0.75
    subsample: float = 1e-3


class Trained(NamedTuple):
    """A row for each scored epoch, the vectors, and the history of the course's trainer."""

    rows: list[dict]
    embeddings: Embeddings
    history: History | None = None


def build(run: Run, vocab: Vocab):
    """The untrained model of a run."""
    torch.manual_seed(run.seed)
    objective = make_objective(
        run.objective, vocab.counts, DIM, num_negatives=run.negatives, power=run.power
    )
    model_class, _ = MODELS[run.model]
    return model_class(len(vocab), DIM, objective)


def batches_of(run: Run, vocab: Vocab, ids, sentence_ids):
    """The batches of a run, with windows and subsampling drawn from its seed."""
    _, make_batches = MODELS[run.model]
    return make_batches(
        ids,
        sentence_ids,
        vocab,
        window=WINDOW,
        batch_size=BATCH,
        subsample=run.subsample or None,
        seed=run.seed,
        rule="word2vec",
    )


def scores(embeddings: Embeddings) -> dict:
    """Both similarity scores, each with the number of word pairs that it rests on."""
    found = {}
    for name in ("wordsim353", "simlex999"):
        score, pairs = embeddings.similarity(name)
        found[name] = score
        found[f"{name}_pairs"] = pairs
    return found


class ScoredBatches:
    """A run's batches; after each epoch `note(seconds, batches)` gets the totals so far."""

    def __init__(self, batches, note: Callable[[float, int], None]):
        self.batches = batches
        self.note = note
        self.seconds = 0.0
        self.count = 0

    def __len__(self):
        start = time.process_time()
        length = len(self.batches)  # draws the coming epoch, which is work too
        self.seconds += time.process_time() - start
        return length

    def __iter__(self) -> Iterator:
        start = time.process_time()
        for batch in self.batches:
            yield batch
            self.count += 1  # the batch has been learned by now
        self.seconds += time.process_time() - start
        self.note(self.seconds, self.count)


def train_course(run: Run, lr: float, sentences) -> Trained:
    """One of the course's own systems, scored after each epoch.

    Raises KeyboardInterrupt if training was interrupted: `train` keeps what was learned, but half a
    run is no row.
    """
    vocab = Vocab(sentences)
    model = build(run, vocab)
    rows = []
    ends = []  # batches learned by the end of each epoch

    def note(seconds, count):
        similarity = scores(Embeddings(vocab.words, model.embedding.weight))
        epoch = len(rows) + 1
        row = {**asdict(run), "lr": lr, "epoch": epoch, "seconds": round(seconds, 2), **similarity}
        rows.append(row)
        ends.append(count)

    batches = ScoredBatches(batches_of(run, vocab, *vocab.encode(sentences)), note)
    history = train(model, batches, epochs=run.epochs, lr=lr, seed=run.seed)
    if history.interrupted:
        raise KeyboardInterrupt
    for row, begin, end in zip(rows, [0, *ends], ends):
        row["pairs"] = history.pairs[end - 1]
        row["loss"] = mean_loss(history.loss[begin:end])
    return Trained(rows, Embeddings(vocab.words, model.embedding.weight), history)


def mean_loss(losses) -> float:
    return round(float(np.mean(losses)), 4)


def train_gensim(run: Run, sentences) -> Trained:
    """gensim's Word2Vec with one worker: its own learning rate, which falls over all epochs."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=DIM,
        window=WINDOW,
        min_count=5,
        sample=run.subsample,
        seed=run.seed + 1,
        workers=1,
        sg=int(run.model == "skip-gram"),
        hs=int(run.objective == "hierarchical softmax"),
        negative=run.negatives if run.objective == "negative sampling" else 0,
        ns_exponent=run.power,
        epochs=run.epochs,
    )
    model.build_vocab(sentences)
    start = time.process_time()
    model.train(sentences, total_examples=model.corpus_count, epochs=run.epochs)
    seconds = time.process_time() - start
    embeddings = Embeddings(model.wv.index_to_key, torch.from_numpy(model.wv.vectors))
    row = {
        **asdict(run),
        "lr": model.alpha,
        "epoch": run.epochs,
        "seconds": round(seconds, 2),
        **scores(embeddings),
        "pairs": math.nan,
        "loss": math.nan,  # gensim's own loss is not per pair
    }
    return Trained([row], embeddings)


def held_out(run: Run, lr: float, sentences) -> dict:
    """A learning rate's row: the loss on held-out sentences after RATE_BATCHES other batches.

    Every tenth sentence is held out. The loss is infinite if training diverged.
    """
    vocab = Vocab(sentences)
    ids, sentence_ids = vocab.encode(sentences)
    out = sentence_ids % 10 == 0
    model = build(run, vocab)
    batches = first_batches(batches_of(run, vocab, ids[~out], sentence_ids[~out]), RATE_BATCHES)
    try:
        train(model, batches, epochs=1, lr=lr, seed=run.seed)
        loss = loss_on(model, batches_of(run, vocab, ids[out], sentence_ids[out]))
    except TrainingDiverged:
        loss = math.inf
    return {
        "model": run.model,
        "objective": run.objective,
        "lr": lr,
        "batches": RATE_BATCHES,
        "held_out_loss": loss,
    }


def first_batches(batches, count: int) -> list:
    """So many batches, out of as many epochs as they take."""
    epochs = math.ceil(count / len(batches))
    some = []
    for _ in range(epochs):
        some += batches
    return some[:count]


def loss_on(model, batches) -> float:
    """Mean loss of the first batches, in nats per pair; noise words are the same for all rates."""
    torch.manual_seed(0)
    losses = []
    with torch.no_grad():
        for _, batch in zip(range(HELD_OUT_BATCHES), batches):
            losses.append(model.loss(*batch))
    return round(torch.cat(losses).double().mean().item(), 4)


# Rows of the tables beside sweep.csv --------------------------------------------------------------


def system_of(run: Run) -> dict:
    return {
        "trainer": run.trainer,
        "model": run.model,
        "objective": run.objective,
        "epochs": run.epochs,
    }


def neighbor_rows(run: Run, embeddings: Embeddings) -> list[dict]:
    """The nearest neighbours of each probe."""
    rows = []
    for word in PROBES:
        for rank, (neighbor, cosine) in enumerate(embeddings.neighbors(word, NEIGHBORS), start=1):
            found = {"word": word, "rank": rank, "neighbor": neighbor, "cosine": round(cosine, 3)}
            rows.append({**system_of(run), **found})
    return rows


def curve_rows(run: Run, history: History) -> list[dict]:
    """The loss in at most CURVE_POINTS equal parts of the training."""
    steps = np.arange(len(history.loss))
    rows = []
    for part in np.array_split(steps, min(CURVE_POINTS, len(steps))):
        pairs = history.pairs[part[-1]]
        loss = mean_loss([history.loss[step] for step in part])
        rows.append({**system_of(run), "pairs": pairs, "loss": loss})
    return rows


def map_rows(embeddings: Embeddings) -> list[dict]:
    """The vectors of the probes and of their neighbours, each word once."""
    words = []
    for probe in PROBES:
        near = [word for word, _ in embeddings.neighbors(probe, MAP_NEIGHBORS)]
        words += [probe, *near]
    rows = []
    for word in dict.fromkeys(words):
        vector = embeddings.vectors[embeddings.words.index(word)].tolist()
        coordinates = {f"v{i}": round(value, 3) for i, value in enumerate(vector)}
        rows.append({"word": word, **coordinates})
    return rows
