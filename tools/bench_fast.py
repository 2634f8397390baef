"""Race the full-speed trainer against its peers; write bench.csv and fast_scaling.csv.

    python -m tools.bench_fast                      every run that is not in the tables yet
    python -m tools.bench_fast --corpus my.txt      the same for a text of your own, beside it
    python -m tools.bench_fast --list               what there is to do, without doing it

Leave the machine alone while it measures. Each run has a process of its own and the whole machine;
trainers take turns, round after round. In the runs of kind `speed` the clock runs while words are
learned: reading, vocabulary and start-up are left out for all. fastText cannot be timed inside, so
the difference of two runs of different length counts. In those of kind `command` it is the whole
command that is timed, from a file of text to a file of vectors: `python -m utils.fast` against a
script with gensim's LineSentence. All have d = 100, window 5, K = 5, power .75 (fastText has .5,
which cannot be set), t = 1e-3, minimum count 5, and their own learning rates; the plain trainer has
Adagrad with .1. gensim and fastText skip or redraw a noise word that equals the true one, the
course and `fast` keep it. `blocks` is `fast` without its compiled loops, in plain PyTorch; `fast
without copies` lets all threads write the same rows of the tree's top; and `fast first run` is the
command on a machine where nothing is compiled yet.

A text is brought into words once, and every trainer but the commands gets these words; every
twentieth sentence (of a long text, every thousandth) is held out and judges the vectors. Each row
says what else the machine did (`load`) and how fast it was just before (`reference`, the seconds of
a fixed product of matrices). The tables are in notebooks/data. What was finished is kept: the same
command goes on from there. The table of factors goes to build/bench.
"""

import random
import sys
from pathlib import Path

from tools import BUILD, measuring
from tools.bench_fast_run import (
    DEFAULT_CORPUS,
    FIRST_RUN,
    PEERS_RATE,
    SHARED_TOP,
    SOFTMAX,
    corpus_name,
    prepare,
)
from utils import tables

COMMAND = "make bench"
FOLDER = BUILD / "bench"
ENVIRONMENT = measuring.NO_PROGRESS_BAR  # trainers have as many threads as their row says
KEPT = "what was finished is kept, the same command goes on from there"

SYSTEMS = [("skip-gram", "ns"), ("skip-gram", "hs"), ("cbow", "ns"), ("cbow", "hs")]
OBJECTIVES = ("ns", "hs")  # of skip-gram
REPEATS = 5
COMMAND_REPEATS = 3
SOFTMAX_REPEATS = 3
SCALING_ROUNDS = 3
CURVE = (1, 2, 3, 5, 8, 12, 20)  # epochs
PEERS = ("gensim file", "gensim iterator", "fastText")
SLOW = ("plain", "fastText")  # their speed shows in one pass
RACE_KEY = ["kind", "corpus", "model", "objective", "trainer", "threads", "epochs", "seed"]
SCALING = {"V": 10_000, "d": 100, "K": 5, "threads": 2, "objective": "ns"}
SCALING_KEY = ["varied", *SCALING, "round"]


# What there is to do ------------------------------------------------------------------------------


def race(corpus: str = DEFAULT_CORPUS) -> list[dict]:
    """Every run on one text, in an order in which trainers alternate."""
    large = corpus != DEFAULT_CORPUS
    runs = []
    for seed in range(REPEATS):
        runs += shuffled(speed_runs(corpus, seed), seed)
    for seed in range(COMMAND_REPEATS):
        runs += command_runs(corpus, seed)
    for seed in range(3 if large else 10):
        runs += shuffled(quality_runs(corpus, seed, 3 if large else 20), seed)
    if not large:
        runs += curve_runs(corpus)
        runs += softmax_runs(corpus)
    return runs


def shuffled(runs: list[dict], seed: int) -> list[dict]:
    random.Random(seed).shuffle(runs)
    return runs


def race_run(kind, corpus, model, objective, trainer, threads, epochs, seed) -> dict:
    return dict(zip(RACE_KEY, (kind, corpus, model, objective, trainer, threads, epochs, seed)))


def speed_runs(corpus: str, seed: int) -> list[dict]:
    """One round of the race: each system with each trainer."""
    large = corpus != DEFAULT_CORPUS
    epochs = 1 if large else 5
    runs = []
    for model, objective in SYSTEMS:
        system = (corpus, model, objective)
        for trainer in ("fast", *PEERS):
            passes = 1 if trainer in SLOW else epochs
            runs.append(race_run("speed", *system, trainer, 2, passes, seed))
        if objective == "hs":
            runs.append(race_run("speed", *system, SHARED_TOP, 2, epochs, seed))
        if model == "skip-gram" and not large:
            runs.append(race_run("speed", *system, "fast", 1, epochs, seed))
            runs.append(race_run("speed", *system, "blocks", 2, epochs, seed))
            runs.append(race_run("speed", *system, "plain", 1, 1, seed))
    return runs


def command_runs(corpus: str, seed: int) -> list[dict]:
    return [
        race_run("command", corpus, "skip-gram", objective, trainer, 2, 5, seed)
        for objective in OBJECTIVES
        for trainer in ("fast", FIRST_RUN, "gensim iterator")
    ]


def quality_runs(corpus: str, seed: int, epochs: int) -> list[dict]:
    return [
        race_run("quality", corpus, "skip-gram", objective, trainer, 2, epochs, seed)
        for objective in OBJECTIVES
        for trainer in ("gensim file", "fast", PEERS_RATE)
    ]


def curve_runs(corpus: str) -> list[dict]:
    """Time to score: runs of different length, each with its own falling rate."""
    return [
        race_run("curve", corpus, "skip-gram", objective, trainer, 2, epochs, 0)
        for objective in OBJECTIVES
        for epochs in CURVE
        for trainer in ("gensim file", "fast")
    ]


def softmax_runs(corpus: str) -> list[dict]:
    """fastText's takes seven minutes a run."""
    return [
        race_run("softmax", corpus, "skip-gram", SOFTMAX, trainer, 2, 1, seed)
        for seed in range(SOFTMAX_REPEATS)
        for trainer in ("fast", "fastText")
    ]


def scaling() -> list[dict]:
    """Every setting of the synthetic Zipf corpus, in each round in another order.

    `varied` names what a group of rows varies.
    """
    rows = for_both_objectives("V", (1_000, 10_000, 100_000, 1_000_000))
    rows += for_both_objectives("d", (50, 100, 200, 300))
    rows += [{"varied": "K", "K": K} for K in (1, 2, 5, 10, 20)]
    rows += for_both_objectives("threads", (1, 2))
    runs = []
    for number in range(SCALING_ROUNDS):
        runs += shuffled([SCALING | row | {"round": number} for row in rows], number)
    return runs


def for_both_objectives(varied: str, values) -> list[dict]:
    return [
        {"varied": varied, varied: value, "objective": objective}
        for value in values
        for objective in OBJECTIVES
    ]


def missing(name: str, key: list[str], runs: list[dict]) -> list[dict]:
    """The runs that the table does not hold yet."""
    done = measuring.stored_keys(name, key, COMMAND)
    return [run for run in runs if measuring.key_of(run, key) not in done]


# Doing it -----------------------------------------------------------------------------------------


def measure_and_append(name: str, key: list[str], runs: list[dict], path: str | None) -> None:
    """Measure the runs one after the other; each is in the table before the next one starts."""
    for number, run in enumerate(runs, start=1):
        asked = run if path is None else run | {"path": path}
        row = measuring.measure_apart("bench_fast_run", asked, ENVIRONMENT)
        tables.append(name, [row], COMMAND)
        what = " ".join(str(run[column]) for column in key)
        speed = f"{row['words_per_second']:,} words/s"
        print(f"{number:3d} of {len(runs)}: {what}: {speed}", flush=True)


def factors(bench):
    """How many times faster than its fastest peer of the same round `fast` is, for each system.

    Median, least and greatest over the rounds that have both; the peer is the one that was fastest
    in most rounds.
    """
    import pandas as pd

    rows = []
    timed = bench[bench.kind.isin(["speed", "command", "softmax"]) & (bench.threads == 2)]
    group = ["kind", "corpus", "model", "objective"]
    for names, runs in timed.groupby(group, sort=False):
        speed = runs.pivot_table("words_per_second", "seed", "trainer")
        if "fast" not in speed:
            continue
        peers = speed[[name for name in PEERS if name in speed]]
        ratio = (speed["fast"] / peers.max(axis=1)).dropna()
        if ratio.empty:
            continue
        row = dict(zip(group, names)) | {
            "words_per_second": speed["fast"].median(),
            "times": ratio.median(),
            "least": ratio.min(),
            "most": ratio.max(),
            "rounds": len(ratio),
            "fastest_peer": peers.loc[ratio.index].idxmax(axis=1).mode()[0],
        }
        rows.append(row)
    return pd.DataFrame(rows).round(2)


def scores(bench):
    """Mean and standard deviation over seeds of what the vectors are worth."""
    runs = bench[bench.kind == "quality"]
    group = runs.groupby(["corpus", "objective", "epochs", "trainer"])
    return group[["held_out", "wordsim353", "simlex999"]].agg(["mean", "std", "count"]).round(3)


def report() -> None:
    """Print the factors and the scores, and write them into build/bench."""
    bench = tables.load("bench", RACE_KEY, COMMAND)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, table in (("factors", factors(bench)), ("scores", scores(bench).reset_index())):
        print(table.to_string(index=False))
        table.to_csv(FOLDER / f"{name}.csv", index=False)


def main() -> None:
    given = measuring.parse_arguments(__doc__, "list", "corpus")
    path = given.corpus
    runs = race(DEFAULT_CORPUS if path is None else corpus_name(path))
    groups = [("bench", RACE_KEY, runs)]
    if path is None:
        groups.append(("fast_scaling", SCALING_KEY, scaling()))
    if not given.list:
        try:
            prepare(path, FOLDER)
        except (OSError, ValueError) as error:
            sys.exit(str(error))
        path = None if path is None else str(Path(path).resolve())
    for name, key, runs in groups:
        runs = missing(name, key, runs)
        print(f"{name}: {len(runs)} runs to do", flush=True)
        if given.list:
            continue
        with measuring.stopping_cleanly(KEPT):
            try:
                measure_and_append(name, key, runs, path)
            except measuring.MeasurementFailed as error:
                sys.exit(f"failed: {error}\n{KEPT}")
    if not given.list:
        report()


if __name__ == "__main__":
    main()
