"""Race the full-speed trainer against its peers; write bench.csv and fast_scaling.csv.

    python -m tools.bench_fast          every run that is not in the tables yet
    python -m tools.bench_fast --list   what there is to do, without doing it

Leave the machine alone while it measures. Each run has a process of its own and the whole
machine; trainers take turns. The clock runs while words are learned: reading, vocabulary and
start-up are left out for all. fastText cannot be timed inside, so the difference of two runs of
different length counts. All have d = 100, window 5, K = 5, power .75 (fastText has .5, which
cannot be set), t = 1e-3, minimum count 5, and their own learning rates; the plain trainer has
Adagrad with .1. gensim and fastText skip or redraw a noise word that equals the true one, the
course and `fast` keep it. `blocks` is `fast` without its compiled loops, in plain PyTorch. The
full softmax has the first sentences only.

The tables are in notebooks/data. What was finished is kept: the same command goes on from there. A
summary of the race goes to build/bench.
"""

import random
import sys

from matplotlib import pyplot as plt

from tools import BUILD, measuring
from tools.bench_fast_run import PEERS_RATE, SOFTMAX
from utils import tables

COMMAND = "make bench"
FOLDER = BUILD / "bench"
ENVIRONMENT = measuring.NO_PROGRESS_BAR  # trainers have as many threads as their row says
KEPT = "what was finished is kept, the same command goes on from there"

CHEAP = ("ns", "hs")  # negative sampling, hierarchical softmax
REPEATS = 3
EPOCHS = 5
LONG_EPOCHS = 20
QUALITY_SEEDS = 10
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
SLOW = ("plain", "fastText")  # their speed shows in one pass
RACE_KEY = ["kind", "trainer", "threads", "objective", "times", "epochs", "seed"]
SCALING = {"V": 10_000, "d": 100, "K": 5, "threads": 2, "objective": "ns"}
SCALING_KEY = ["varied", *SCALING]


# What there is to do ------------------------------------------------------------------------------


def race() -> list[dict]:
    """Every run of the race, in an order in which trainers alternate."""
    runs = []
    for seed in range(REPEATS):
        one_round = speed_runs(seed)
        random.Random(seed).shuffle(one_round)
        runs += one_round
    return runs + quality_runs()


def race_run(kind, trainer, threads, objective, times, epochs, seed) -> dict:
    """One run; `times` is how often the corpus is repeated."""
    return dict(zip(RACE_KEY, (kind, trainer, threads, objective, times, epochs, seed)))


def speed_runs(seed: int) -> list[dict]:
    """One round of the race: all trainers, two on ten times the text, and the full softmax."""
    runs = []
    for objective in CHEAP:
        for trainer, threads in TRAINERS:
            epochs = 1 if trainer in SLOW else EPOCHS
            runs.append(race_run("speed", trainer, threads, objective, 1, epochs, seed))
    for objective in CHEAP:
        for trainer in ("gensim file", "fast"):
            runs.append(race_run("speed", trainer, 2, objective, 10, 1, seed))
    if seed == 0:  # once, since it takes minutes
        runs.append(race_run("speed", "fastText", 2, SOFTMAX, 1, 1, seed))
    runs.append(race_run("speed", "plain", 1, SOFTMAX, 1, 1, seed))
    runs.append(race_run("speed", "fast", 2, SOFTMAX, 1, 1, seed))
    return runs


def quality_runs() -> list[dict]:
    """Runs whose scores are compared: long ones with ten seeds, and short ones with fastText."""
    runs = []
    for seed in range(QUALITY_SEEDS):
        for objective in CHEAP:
            for trainer in ("gensim file", "fast"):
                runs.append(race_run("quality", trainer, 2, objective, 1, LONG_EPOCHS, seed))
    for seed in range(QUALITY_SEEDS):
        for objective in CHEAP:
            runs.append(race_run("quality", PEERS_RATE, 2, objective, 1, LONG_EPOCHS, seed))
    for objective in CHEAP:
        for trainer in ("fastText", "gensim file", "fast"):
            runs.append(race_run("quality", trainer, 2, objective, 1, EPOCHS, 0))
    return runs


def scaling() -> list[dict]:
    """Every setting of the synthetic Zipf corpus; `varied` names what a group of rows varies."""
    rows = for_both_objectives("V", (1_000, 10_000, 100_000, 1_000_000))
    rows += for_both_objectives("d", (50, 100, 200, 300))
    rows += [{"varied": "K", "K": K} for K in (1, 2, 5, 10, 20)]
    rows += for_both_objectives("threads", (1, 2))
    return [SCALING | row for row in rows]


def for_both_objectives(varied: str, values) -> list[dict]:
    return [
        {"varied": varied, varied: value, "objective": objective}
        for value in values
        for objective in CHEAP
    ]


def missing(name: str, key: list[str], runs: list[dict]) -> list[dict]:
    """The runs that the table does not hold yet."""
    done = measuring.stored_keys(name, key, COMMAND)
    return [run for run in runs if measuring.key_of(run, key) not in done]


# Doing it -----------------------------------------------------------------------------------------


def measure_and_append(name: str, key: list[str], runs: list[dict]) -> None:
    """Measure the runs one after the other; each is in the table before the next one starts."""
    for number, run in enumerate(runs, start=1):
        row = measuring.measure_apart("bench_fast_run", run, ENVIRONMENT)
        tables.append(name, [row], COMMAND)
        what = " ".join(str(run[column]) for column in key)
        speed = f"{row['words_per_second']:,} words/s"
        print(f"{number:3d} of {len(runs)}: {what}: {speed}", flush=True)


def summarise(bench):
    """Median and range of the speed of repeated runs, and means of memory and scores."""
    group = bench.groupby(["kind", "objective", "times", "epochs", "trainer", "threads"])
    speed = group.words_per_second.agg(["median", "min", "max", "count"])
    means = group[["peak_mb", "wordsim353", "simlex999", "held_out"]].mean().round(3)
    return speed.join(means).reset_index()


def plot_speed(table):
    """Bars of the median speed with its range, one panel for each objective."""
    speed = table[(table.kind == "speed") & (table.times == 1)]
    fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    for ax, (objective, rows) in zip(axes, speed.groupby("objective", sort=False)):
        names = [f"{row.trainer}, {row.threads}" for row in rows.itertuples()]
        below = (rows["median"] - rows["min"]) / 1e3
        above = (rows["max"] - rows["median"]) / 1e3
        ax.barh(names, rows["median"] / 1e3, xerr=[below, above], color="0.6")
        ax.set(title=objective, xlabel="thousand raw words per second")
    return fig


def report() -> None:
    """Write the summary of the race and its figure into build/bench."""
    table = summarise(tables.load("bench", RACE_KEY, COMMAND))
    print(table.to_string(index=False))
    FOLDER.mkdir(parents=True, exist_ok=True)
    table.to_csv(FOLDER / "bench.csv", index=False)
    plot_speed(table).savefig(FOLDER / "bench.png", dpi=120)
    print(f"summary and figure: {FOLDER / 'bench.csv'}, bench.png")


def main() -> None:
    given = measuring.parse_arguments(__doc__, "list")
    groups = [("bench", RACE_KEY, race()), ("fast_scaling", SCALING_KEY, scaling())]
    for name, key, runs in groups:
        runs = missing(name, key, runs)
        print(f"{name}: {len(runs)} runs to do", flush=True)
        if given.list:
            continue
        with measuring.stopping_cleanly(KEPT):
            try:
                measure_and_append(name, key, runs)
            except measuring.MeasurementFailed as error:
                sys.exit(f"failed: {error}\n{KEPT}")
    if not given.list:
        report()


if __name__ == "__main__":
    main()
