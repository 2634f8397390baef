"""Race the full-speed trainer against its peers, and write bench.csv and fast_scaling.csv into notebooks/data.

    python -m tools.bench_fast          every run that is not in the tables yet; leave the machine alone meanwhile
    python -m tools.bench_fast --list   what there is to do, without doing it

Each run has a process of its own and the whole machine; trainers take turns. The clock runs while words are learned:
reading, vocabulary and start-up are left out for all. fastText cannot be timed inside, so the difference of two runs
of different length counts. All have d = 100, window 5, K = 5, power .75 (fastText .5, it cannot be set), t = 1e-3,
minimum count 5, and their own learning rates; the plain trainer has Adagrad .1. gensim and fastText skip or redraw a
noise word that equals the true one, the course and `fast` keep it. `blocks` is `fast` without its compiled loops, in
plain PyTorch. Softmax: the first sentences only, see SOFTMAX.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = "make bench"
ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
REPEATS, EPOCHS, LONG, SEEDS, FULL = 3, 5, 20, 10, "softmax"
SOFTMAX = dict(sentences=400, min_count=1)  # of the default corpus: about 3,000 words
TRAINERS = [
    ("gensim iterator", 1),
    ("gensim iterator", 2),
    ("gensim file", 1),
    ("gensim file", 2),
    ("fastText", 2),
    ("plain", 1),
    ("blocks", 1),
    ("blocks", 2),
    ("fast", 1),
    ("fast", 2),
]
PEERS_RATE = "fast at .025"  # gensim's rate for all rows, instead of its own rates by row
SLOW = ("plain", "fastText")  # their speed shows in one pass
KEY = ["kind", "trainer", "threads", "objective", "times", "epochs", "seed"]
SCALING = dict(V=10_000, d=100, K=5, threads=2, objective="ns")
PASSES = 3  # over the synthetic corpus, the fastest of REPEATS runs


def race() -> list[dict]:
    """Every run of the race in an order in which trainers alternate; `times` is how often the corpus is repeated."""

    def run(kind, trainer, threads, objective, times, epochs, seed):
        return dict(zip(KEY, (kind, trainer, threads, objective, times, epochs, seed)))

    runs = []
    for seed in range(REPEATS):
        some = [
            run("speed", *one, objective, 1, 1 if one[0] in SLOW else EPOCHS, seed)
            for objective in ("ns", "hs")
            for one in TRAINERS
        ]
        some += [
            run("speed", trainer, 2, objective, 10, 1, seed)
            for objective in ("ns", "hs")
            for trainer in ("gensim file", "fast")
        ]
        some += [
            run("speed", trainer, threads, FULL, 1, 1, seed)
            for trainer, threads in (("fastText", 2), ("plain", 1), ("fast", 2))
            if not seed or trainer != "fastText"
        ]  # it takes minutes
        random.Random(seed).shuffle(some)
        runs += some
    runs += [
        run("quality", trainer, 2, objective, 1, LONG, seed)
        for seed in range(SEEDS)
        for objective in ("ns", "hs")
        for trainer in ("gensim file", "fast")
    ]
    runs += [
        run("quality", PEERS_RATE, 2, objective, 1, LONG, seed)
        for seed in range(SEEDS)
        for objective in ("ns", "hs")
    ]
    return runs + [
        run("quality", trainer, 2, objective, 1, EPOCHS, 0)
        for objective in ("ns", "hs")
        for trainer in ("fastText", "gensim file", "fast")
    ]


def scaling() -> list[dict]:
    """Every setting of the synthetic Zipf corpus; `varied` names what a group varies."""
    rows = [
        dict(varied="V", V=V, objective=name)
        for V in (1_000, 10_000, 100_000, 1_000_000)
        for name in ("ns", "hs")
    ]
    rows += [
        dict(varied="d", d=d, objective=name) for d in (50, 100, 200, 300) for name in ("ns", "hs")
    ]
    rows += [dict(varied="K", K=K) for K in (1, 2, 5, 10, 20)]
    rows += [
        dict(varied="threads", threads=n, objective=name) for n in (1, 2) for name in ("ns", "hs")
    ]
    return [SCALING | row for row in rows]


def measure(run: dict) -> dict:
    """Raw words and pairs a second, peak memory and scores of one run, in a process of its own."""
    import torch

    from utils.corpus import load_corpus
    from utils.vocabulary import Vocab

    if "varied" in run:
        return measure_scaling(run)
    softmax = run["objective"] == FULL
    sentences = load_corpus()[: SOFTMAX["sentences"] if softmax else None] * run["times"]
    vocab = Vocab(sentences, SOFTMAX["min_count"] if softmax else 5)
    held_out = sentences[19::20] if softmax else []
    if softmax:
        sentences = [sentence for i, sentence in enumerate(sentences) if i % 20 != 19]
    words = sum(map(len, sentences)) * run["epochs"]
    torch.set_num_threads(run["threads"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        if run["trainer"] in ("gensim file", "fastText"):
            path.write_text("\n".join(map(" ".join, sentences)) + "\n", encoding="utf-8")
        train = {
            "plain": train_plain,
            "blocks": train_fast,
            "fast": train_fast,
            PEERS_RATE: train_fast,
            "fastText": train_fasttext,
        }.get(run["trainer"], train_gensim)
        seconds, embeddings, outputs = train(run, sentences, vocab, path)
    row = {
        **run,
        "words": words,
        "seconds": round(seconds, 3),
        "words_per_second": round(words / seconds),
        "peak_mb": peak_mb(),
        "pairs_per_second": None,
        "held_out": None,
    }
    row["pairs_per_second"] = round(pairs_a_pass(sentences, vocab) * run["epochs"] / seconds)
    if outputs is not None and softmax:
        row["held_out"] = round(held_out_loss(embeddings.vectors, outputs, vocab, held_out), 4)
    for name in ("wordsim353", "simlex999"):
        row[name] = round(embeddings.similarity(name)[0], 4)
    return row


def held_out_loss(inputs, outputs, vocab, sentences) -> float:
    """Nats per pair of the full softmax on sentences that were left out, all words kept, windows drawn once."""
    import torch

    from utils.windows import skip_gram_batches

    batches = skip_gram_batches(*vocab.encode(sentences), vocab, subsample=None, batch_size=1024)
    losses = [
        torch.nn.functional.cross_entropy(inputs[centres] @ outputs.T, contexts, reduction="none")
        for centres, contexts in batches
    ]
    return torch.cat(losses).double().mean().item()


def train_fast(run, sentences, vocab, path):
    from utils.fast.training import Run
    from utils.fast.text import Text

    objective = run["objective"] + ("-blocks" if run["trainer"] == "blocks" else "")
    lr = 0.025 if run["trainer"] == PEERS_RATE else None
    Run(Text(sentences[:9], vocab), vocab, objective=objective, epochs=1).train(
        1
    )  # start-up: compiling
    trainer = Run(
        Text(sentences, vocab),
        vocab,
        objective=objective,
        epochs=run["epochs"],
        seed=run["seed"],
        lr=lr,
    )
    start = time.perf_counter()
    trainer.train(run["threads"])
    return time.perf_counter() - start, trainer.embeddings(), trainer.output_table.vectors


def train_plain(run, sentences, vocab, path):
    import torch

    from utils.embeddings import Embeddings
    from utils.models import SkipGram
    from utils.noise import NoiseDistribution
    from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
    from utils.training import train
    from utils.tree import huffman_tree
    from utils.windows import skip_gram_batches

    torch.manual_seed(run["seed"])
    V, d = len(vocab), 100
    objective = (
        FullSoftmax(V, d)
        if run["objective"] == FULL
        else HierarchicalSoftmax(d, huffman_tree(vocab.counts))
        if run["objective"] == "hs"
        else NegativeSampling(V, d, NoiseDistribution(vocab.counts))
    )
    model = SkipGram(V, d, objective)
    batches = skip_gram_batches(*vocab.encode(sentences), vocab, seed=run["seed"], rule="word2vec")
    start = time.perf_counter()
    train(model, batches, epochs=run["epochs"], lr=0.1, seed=run["seed"])
    seconds = time.perf_counter() - start
    return seconds, Embeddings(vocab.words, model.embedding.weight), model.objective.weight.detach()


def train_gensim(run, sentences, vocab, path):
    import torch
    from gensim.models import Word2Vec

    from utils.embeddings import Embeddings

    hs = run["objective"] == "hs"
    model = Word2Vec(
        vector_size=100,
        window=5,
        min_count=5,
        sample=1e-3,
        sg=1,
        hs=int(hs),
        negative=0 if hs else 5,
        workers=run["threads"],
        seed=run["seed"] + 1,
    )
    text = (
        dict(corpus_iterable=sentences)
        if run["trainer"] == "gensim iterator"
        else dict(corpus_file=str(path))
    )
    model.build_vocab(**text)
    start = time.perf_counter()
    model.train(
        **text,
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=run["epochs"],
    )
    seconds = time.perf_counter() - start
    return seconds, Embeddings(model.wv.index_to_key, torch.from_numpy(model.wv.vectors)), None


def train_fasttext(run, sentences, vocab, path):
    import fasttext
    import torch

    from utils.embeddings import Embeddings

    def learn(epochs):
        start = time.perf_counter()
        model = fasttext.train_unsupervised(
            str(path),
            model="skipgram",
            dim=100,
            ws=5,
            neg=5,
            t=1e-3,
            minn=0,
            maxn=0,
            bucket=0,
            verbose=0,
            minCount=SOFTMAX["min_count"] if run["objective"] == FULL else 5,
            loss=run["objective"],
            epoch=epochs,
            thread=run["threads"],
        )
        return time.perf_counter() - start, model

    if run["kind"] == "quality":
        short, (long, model) = 0.0, learn(run["epochs"])
    else:
        short, _ = learn(run["epochs"])
        long, model = learn(2 * run["epochs"])
    words = [word for word in model.words if word != "</s>"]
    return (
        long - short,
        Embeddings(words, torch.tensor([model[word].tolist() for word in words])),
        None,
    )


def measure_scaling(run: dict) -> dict:
    """The full-speed trainer on a million words drawn by Zipf's law, in sentences of 20."""
    import torch

    from utils.costs import zipf_counts
    from utils.fast.training import Run
    from utils.fast.text import Text
    from utils.vocabulary import Vocab

    size, generator = 1_000_000, torch.Generator().manual_seed(0)
    counts = zipf_counts(run["V"])
    draws = torch.randint(int(counts.sum()), (size,), generator=generator)
    ids = torch.searchsorted(counts.cumsum(0), draws, right=True)
    vocab = Vocab([["0"]], min_count=1)
    vocab.words, vocab.counts = [str(i) for i in range(run["V"])], counts
    text = Text(([str(i) for i in part] for part in ids.view(-1, 20).tolist()), vocab)
    few = Text([[vocab.words[0], vocab.words[1]]], vocab)
    Run(few, vocab, objective=run["objective"], dim=run["d"], epochs=1, subsample=0).train(
        1
    )  # start-up: compiling
    seconds = []
    for _ in range(REPEATS):  # the fastest: what else the machine does only adds
        trainer = Run(
            text, vocab, objective=run["objective"], dim=run["d"], negatives=run["K"], epochs=PASSES
        )
        start = time.perf_counter()
        trainer.train(run["threads"])
        seconds.append(time.perf_counter() - start)
    return {
        **run,
        "words_per_second": round(PASSES * size / min(seconds)),
        "peak_mb": peak_mb(),
        "pairs_per_second": round(trainer.history.pairs[-1] / min(seconds)),
    }


def peak_mb() -> float:
    """The most memory that this process has held, with all that was imported."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def pairs_a_pass(sentences, vocab) -> int:
    """Pairs of one pass over the sentences after subsampling, as all trainers draw them: counted once, for seed 0."""
    from utils.windows import skip_gram_batches

    return sum(
        len(targets)
        for _, targets in skip_gram_batches(*vocab.encode(sentences), vocab, rule="word2vec")
    )


def stored(name: str, columns: list[str]) -> set[tuple]:
    from utils import tables

    try:
        return set(tables.load(name, columns, COMMAND)[columns].itertuples(index=False, name=None))
    except FileNotFoundError:
        return set()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="only say what there is to do")
    parser.add_argument(
        "--one", help=argparse.SUPPRESS
    )  # a run's settings: what a process of its own does
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(json.loads(given.one))))
        return
    from utils import tables

    groups = [("bench", KEY, race()), ("fast_scaling", ["varied", *SCALING], scaling())]
    for name, columns, runs in groups:
        done = stored(name, columns)
        runs = [run for run in runs if tuple(run[column] for column in columns) not in done]
        print(f"{name}: {len(runs)} runs to do", flush=True)
        for number, run in enumerate(runs if not given.list else [], start=1):
            ended = subprocess.run(
                [sys.executable, "-m", "tools.bench_fast", "--one", json.dumps(run)],
                text=True,
                capture_output=True,
                cwd=ROOT,
                env=os.environ | {"TQDM_DISABLE": "1"},
            )
            if ended.returncode:
                sys.exit(
                    f"{run} failed: {(ended.stderr.strip().splitlines() or ['without a word'])[-1]}\nWhat was "
                    "finished is kept, the same command goes on from there."
                )
            row = json.loads(ended.stdout.splitlines()[-1])
            tables.append(name, [row], COMMAND)
            print(
                f"{number:3d} of {len(runs)}: {' '.join(str(run[c]) for c in columns)}: "
                f"{row['words_per_second']:,} words/s",
                flush=True,
            )
    if not given.list:
        report()


def report() -> None:
    """The table of medians and ranges, and the figure, into build/bench."""
    from matplotlib import pyplot as plt

    from utils import tables

    BUILD.mkdir(parents=True, exist_ok=True)
    bench = tables.load("bench", KEY, COMMAND)
    group = bench.groupby(["kind", "objective", "times", "epochs", "trainer", "threads"])
    table = (
        group.words_per_second.agg(["median", "min", "max", "count"])
        .join(group[["peak_mb", "wordsim353", "simlex999", "held_out"]].mean().round(3))
        .reset_index()
    )
    table.to_csv(BUILD / "bench.csv", index=False)
    print(table.to_string(index=False))
    speed = table[(table.kind == "speed") & (table.times == 1)]
    fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    for ax, (objective, rows) in zip(axes, speed.groupby("objective", sort=False)):
        names = [f"{row.trainer}, {row.threads}" for row in rows.itertuples()]
        ax.barh(
            names,
            rows["median"] / 1e3,
            xerr=[(rows["median"] - rows["min"]) / 1e3, (rows["max"] - rows["median"]) / 1e3],
            color="0.6",
        )
        ax.set(title=objective, xlabel="thousand raw words a second")
    fig.savefig(BUILD / "bench.png", dpi=120)
    print(f"{BUILD / 'bench.csv'} and bench.png are written")


if __name__ == "__main__":
    main()
