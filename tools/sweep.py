"""Train every system of lesson 08 and write what it scored into notebooks/data; resumes where it stopped.

    python -m tools.sweep             all runs that are not in the tables yet, two at a time
    python -m tools.sweep --list      what there is to do, without doing it

Each run has one thread and a seed, so it gives the same numbers again. Seconds are those of its processor, without
vocabulary building and scoring: they count work, not waiting, and another program disturbs them little.
"""

import argparse
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from utils import tables
from utils.corpus import load_corpus
from utils.embeddings import Embeddings
from utils.models import CBOW, SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.training import History, TrainingDiverged, train
from utils.tree import huffman_tree
from utils.vocabulary import Vocab
from utils.windows import cbow_batches, skip_gram_batches

COMMAND = "make sweep"
DIM, WINDOW, BATCH = 100, 5, 4096
RATES = (0.03, 0.1, 0.3)  # Adagrad's learning rates to choose from
RATE_BATCHES = 150
PROBES = ("river", "france", "science", "water")
QUIET = {
    "OMP_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",  # one thread a run, and big blocks of memory are kept for reuse:
    "MALLOC_MMAP_THRESHOLD_": str(2**33),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}  # glibc only; others ignore it


@dataclass(frozen=True)
class Run:
    """One training run; `trainer` is "course" or "gensim", `subsample` the threshold t of word2vec's rule, 0 is off."""

    model: str = "skip-gram"
    objective: str = "negative sampling"
    epochs: int = 3
    seed: int = 0
    trainer: str = "course"
    negatives: int = 5
    power: float = 0.75
    subsample: float = 1e-3


def all_runs() -> list[Run]:
    """Every run, the longest first, so that no core is left alone with one at the end."""
    ns, hs, full = (
        Run(objective=name)
        for name in ("negative sampling", "hierarchical softmax", "full softmax")
    )
    runs = [replace(full, seed=seed, epochs=2) for seed in range(3)]
    runs += [replace(run, seed=seed, epochs=5) for run in (hs, ns) for seed in range(10)]
    runs += [
        replace(run, seed=seed, model="CBOW", epochs=epochs)
        for run, epochs in ((full, 2), (hs, 5), (ns, 5))
        for seed in range(3)
    ]
    for seed in range(3):
        runs += [replace(ns, seed=seed, negatives=K) for K in (20, 10, 2, 1)]
        runs += [replace(ns, seed=seed, power=power) for power in (0.0, 0.5, 1.0)]
        runs += [replace(run, seed=seed, subsample=0.0) for run in (hs, ns)]
    for run in (hs, ns):
        runs += [replace(run, seed=seed, trainer="gensim", epochs=20) for seed in range(3)]
        runs += [replace(run, seed=seed, trainer="gensim", epochs=5) for seed in range(10)]
        runs += [
            replace(run, seed=seed, trainer="gensim", epochs=5, model="CBOW") for seed in range(3)
        ]
    return runs


def build(run: Run, vocab: Vocab):
    """The untrained model of a run, its weights drawn from its seed."""
    V = len(vocab)
    make = {
        "full softmax": lambda: FullSoftmax(V, DIM),
        "negative sampling": lambda: NegativeSampling(
            V, DIM, NoiseDistribution(vocab.counts, run.power), num_negatives=run.negatives
        ),
        "hierarchical softmax": lambda: HierarchicalSoftmax(DIM, huffman_tree(vocab.counts)),
    }
    torch.manual_seed(run.seed)
    return {"skip-gram": SkipGram, "CBOW": CBOW}[run.model](V, DIM, make[run.objective]())


def batches_of(run: Run, vocab: Vocab, ids, sentence_ids):
    """The run's batches, windows and thinning drawn from its seed."""
    make = {"skip-gram": skip_gram_batches, "CBOW": cbow_batches}[run.model]
    return make(
        ids, sentence_ids, vocab, WINDOW, BATCH, run.subsample or None, run.seed, rule="word2vec"
    )


def scores(embeddings: Embeddings) -> dict:
    """Both similarity scores, each with the number of word pairs that it rests on."""
    found = {}
    for name in ("wordsim353", "simlex999"):
        found[name], found[f"{name}_pairs"] = embeddings.similarity(name)
    return found


class Scored:
    """The batches of a run; after each epoch `note(seconds, batches)` is called with the totals so far."""

    def __init__(self, batches, note):
        self.batches, self.note, self.seconds, self.count = batches, note, 0.0, 0

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


def train_course(run: Run, lr: float, sentences) -> tuple[list[dict], History, Embeddings]:
    """(a row for each epoch, the history, the vectors) of one of the course's own systems."""
    vocab, rows, counts = Vocab(sentences), [], [0]
    model = build(run, vocab)

    def note(seconds, count):
        counts.append(count)
        rows.append(
            {
                **asdict(run),
                "lr": lr,
                "epoch": len(rows) + 1,
                "seconds": round(seconds, 2),
                **scores(Embeddings(vocab.words, model.embedding.weight)),
            }
        )

    batches = Scored(batches_of(run, vocab, *vocab.encode(sentences)), note)
    history = train(model, batches, epochs=run.epochs, lr=lr, seed=run.seed)
    if history.interrupted:  # train keeps what was learned; half a run is no row
        raise KeyboardInterrupt
    for row, begin, end in zip(rows, counts, counts[1:]):
        row |= {
            "pairs": history.pairs[end - 1],
            "loss": round(float(np.mean(history.loss[begin:end])), 4),
        }
    return rows, history, Embeddings(vocab.words, model.embedding.weight)


def train_gensim(run: Run, sentences) -> tuple[list[dict], None, Embeddings]:
    """(one row, no history, the vectors) of gensim's Word2Vec: its own rate, falling over all epochs, one worker."""
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
        "loss": math.nan,
    }  # gensim's own loss is not per pair
    return [row], None, embeddings


def held_out(run: Run, lr: float, sentences) -> dict:
    """Loss on every tenth sentence, held out, after RATE_BATCHES batches of the others; infinite if it diverged."""
    vocab = Vocab(sentences)
    ids, sentence_ids = vocab.encode(sentences)
    out, model = sentence_ids % 10 == 0, build(run, vocab)
    batches = batches_of(run, vocab, ids[~out], sentence_ids[~out])
    epochs = math.ceil(RATE_BATCHES / len(batches))
    some = [batch for _ in range(epochs) for batch in batches][:RATE_BATCHES]
    loss = math.inf
    try:
        train(model, some, epochs=1, lr=lr, seed=run.seed)
        torch.manual_seed(0)  # the same noise words for every rate
        with torch.no_grad():
            test = batches_of(run, vocab, ids[out], sentence_ids[out])
            losses = [model.loss(*batch) for _, batch in zip(range(5), test)]
        loss = round(torch.cat(losses).double().mean().item(), 4)
    except TrainingDiverged:
        pass
    return {
        "model": run.model,
        "objective": run.objective,
        "lr": lr,
        "batches": RATE_BATCHES,
        "held_out_loss": loss,
    }


def job(kind: str, run: Run, lr: float) -> dict[str, list[dict]]:
    """What one process does: the rows of each table."""
    torch.set_num_threads(1)
    sentences = load_corpus()
    if kind == "rate":
        return {"learning_rates": [held_out(run, lr, sentences)]}
    trained = (
        train_gensim(run, sentences)
        if run.trainer == "gensim"
        else train_course(run, lr, sentences)
    )
    rows, history, embeddings = trained
    written = {}
    if run in shown():
        system = {
            "trainer": run.trainer,
            "model": run.model,
            "objective": run.objective,
            "epochs": run.epochs,
        }
        written["neighbors"] = [
            {**system, "word": word, "rank": rank, "neighbor": neighbor, "cosine": round(cosine, 3)}
            for word in PROBES
            for rank, (neighbor, cosine) in enumerate(embeddings.neighbors(word, 8), start=1)
        ]
        if history:
            parts = np.array_split(np.arange(len(history.loss)), min(60, len(history.loss)))
            written["curves"] = [
                {
                    **system,
                    "pairs": history.pairs[part[-1]],
                    "loss": round(float(np.mean([history.loss[i] for i in part])), 4),
                }
                for part in parts
            ]
    if run == replace(Run(), epochs=5):
        words = dict.fromkeys(
            word
            for probe in PROBES
            for word in [probe, *(w for w, _ in embeddings.neighbors(probe, 9))]
        )
        written["map"] = [
            {"word": word, **{f"v{i}": round(value, 3) for i, value in enumerate(vector)}}
            for word in words
            for vector in [embeddings.vectors[embeddings.words.index(word)].tolist()]
        ]
    return written | {"sweep": rows}  # last: a run counts as done once its rows stand there


def shown() -> set[Run]:
    """The runs whose neighbours and loss curves are kept: each system's main run with seed 0."""
    return {
        run
        for run in all_runs()
        if run.seed == 0
        and run
        == Run(model=run.model, objective=run.objective, trainer=run.trainer, epochs=run.epochs)
        and run.epochs
        == max(
            r.epochs
            for r in all_runs()
            if (r.trainer, r.model, r.objective) == (run.trainer, run.model, run.objective)
        )
    }


SYSTEMS = [
    Run(model=model, objective=objective)
    for model in ("skip-gram", "CBOW")
    for objective in ("full softmax", "negative sampling", "hierarchical softmax")
]
KEY = ["trainer", "model", "objective", "negatives", "power", "subsample", "epochs", "seed"]
ONCE = {
    "neighbors": ["trainer", "model", "objective"],
    "curves": ["trainer", "model", "objective"],
    "map": ["word"],
}


def stored(name: str, columns: list[str]) -> list[tuple]:
    """The keys of the rows that a table has already."""
    try:
        return list(tables.load(name, columns, COMMAND)[columns].itertuples(index=False, name=None))
    except FileNotFoundError:
        return []


def rate_jobs() -> list[tuple]:
    done = set(stored("learning_rates", ["model", "objective", "lr"]))
    return [
        ("rate", run, lr)
        for run in SYSTEMS
        for lr in RATES
        if (run.model, run.objective, lr) not in done
    ]


def run_jobs() -> list[tuple]:
    """The runs still to do, each with the rate of its system that had the lowest held-out loss."""
    rates = tables.load("learning_rates", ["model", "objective", "lr", "held_out_loss"], COMMAND)
    best = rates.loc[rates.groupby(["model", "objective"]).held_out_loss.idxmin()]
    rate = {(row.model, row.objective): row.lr for row in best.itertuples()}
    done = set(stored("sweep", KEY))
    return [
        ("run", run, rate[run.model, run.objective])
        for run in all_runs()
        if tuple(asdict(run)[name] for name in KEY) not in done
    ]


def store(written: dict[str, list[dict]]) -> None:
    """Add a job's rows to their tables, except those that an interrupted job, which is now repeated, has left."""
    for name, rows in written.items():
        key = ONCE.get(name)
        if not key or tuple(rows[0][column] for column in key) not in stored(name, key):
            tables.append(name, rows, COMMAND)


def work(jobs: list[tuple]) -> None:
    """Two at a time; each job's rows are written as soon as it ends, and one that fails does not stop the others."""
    start, failed = time.perf_counter(), 0
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(job, *one): one for one in jobs}
        try:
            for number, future in enumerate(as_completed(waiting), start=1):
                kind, run, _ = waiting[future]
                try:
                    store(future.result())
                    ended = ""
                except Exception as error:
                    failed, ended = failed + 1, f" FAILED: {error!r}"
                minutes = (time.perf_counter() - start) / 60
                print(
                    f"{number:3d} of {len(jobs)}, {minutes:5.1f} min: {kind} {run.trainer} {run.model} "
                    f"{run.objective} K={run.negatives} power={run.power:g} t={run.subsample:g} "
                    f"epochs={run.epochs} seed={run.seed}{ended}",
                    flush=True,
                )
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            print("interrupted; what was finished is kept, the same command goes on from there")
            sys.exit(130)
    if failed:
        sys.exit(
            f"{failed} of {len(jobs)} failed; the others are kept, and the same command tries these again"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="only say what there is to do")
    listing = parser.parse_args().list
    os.environ.update(QUIET)  # for the processes that are started from here
    load_corpus()  # cleaned and cached once, before two processes want it
    if jobs := rate_jobs():
        print(f"{len(jobs)} learning rates to try")
        if listing:
            return
        work(jobs)
    jobs = run_jobs()
    print(f"{len(jobs)} of {len(all_runs())} runs to do")
    if not listing:
        work(jobs)


if __name__ == "__main__":
    main()
