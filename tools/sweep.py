"""Train every system of lesson 08; write its scores into notebooks/data. Resumes where it stopped.

    python -m tools.sweep          every run that is not in the tables yet, two at a time
    python -m tools.sweep --list   what there is to do, without doing it

First each system's learning rate is chosen on held-out text, then all runs are trained. Each run
has one thread and a seed, so it gives the same numbers again.
"""

import multiprocessing
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from typing import NamedTuple

import torch

from tools import measuring
from tools.sweep_run import (
    Run,
    curve_rows,
    held_out,
    map_rows,
    neighbor_rows,
    train_course,
    train_gensim,
)
from utils import tables
from utils.corpus import load_corpus

COMMAND = "make sweep"
ENVIRONMENT = measuring.ONE_THREAD | measuring.NO_PROGRESS_BAR | measuring.KEEP_MEMORY
KEPT = "what was finished is kept, the same command goes on from there"
PROCESSES = 2

RATES = (0.03, 0.1, 0.3)  # Adagrad's learning rates to choose from
NEGATIVE = Run(objective="negative sampling")
HIERARCHICAL = Run(objective="hierarchical softmax")
FULL = Run(objective="full softmax")
SYSTEMS = [
    replace(run, model=model)
    for model in ("skip-gram", "CBOW")
    for run in (FULL, NEGATIVE, HIERARCHICAL)
]
MAPPED = replace(NEGATIVE, epochs=5)  # the run whose vectors are drawn as a map

RATE_KEY = ["model", "objective", "lr"]
RUN_KEY = ["trainer", "model", "objective", "negatives", "power", "subsample", "epochs", "seed"]
# Tables into which a job writes all its rows at once, and what tells them from another job's.
WRITTEN_ONCE = {
    "neighbors": ["trainer", "model", "objective"],
    "curves": ["trainer", "model", "objective"],
    "map": ["word"],
}


class Job(NamedTuple):
    """What one process does: "rate" judges a learning rate, "run" trains with it."""

    kind: str
    run: Run
    lr: float


# What there is to do ------------------------------------------------------------------------------


def all_runs() -> list[Run]:
    """Every run, the longest first, so that no core is left alone with one at the end."""
    runs = seeded(3, replace(FULL, epochs=2))
    for run in (HIERARCHICAL, NEGATIVE):
        runs += seeded(10, replace(run, epochs=5))
    for run, epochs in ((FULL, 2), (HIERARCHICAL, 5), (NEGATIVE, 5)):
        runs += seeded(3, replace(run, model="CBOW", epochs=epochs))
    for seed in range(3):
        runs += varied_runs(seed)
    for run in (HIERARCHICAL, NEGATIVE):
        runs += gensim_runs(run)
    return runs


def seeded(seeds: int, run: Run) -> list[Run]:
    return [replace(run, seed=seed) for seed in range(seeds)]


def varied_runs(seed: int) -> list[Run]:
    """Other numbers of noise words, other powers of their counts, and no subsampling."""
    runs = [replace(NEGATIVE, seed=seed, negatives=K) for K in (20, 10, 2, 1)]
    runs += [replace(NEGATIVE, seed=seed, power=power) for power in (0.0, 0.5, 1.0)]
    runs += [replace(run, seed=seed, subsample=0.0) for run in (HIERARCHICAL, NEGATIVE)]
    return runs


def gensim_runs(run: Run) -> list[Run]:
    """The same system trained by gensim."""
    peer = replace(run, trainer="gensim")
    runs = seeded(3, replace(peer, epochs=20))
    runs += seeded(10, replace(peer, epochs=5))
    runs += seeded(3, replace(peer, epochs=5, model="CBOW"))
    return runs


def system(run: Run) -> tuple[str, str, str]:
    return run.trainer, run.model, run.objective


def shown() -> set[Run]:
    """The runs whose neighbours and curves are kept: each system's longest main one, seed 0."""
    longest = {}
    for run in all_runs():
        trainer, model, objective = system(run)
        main = Run(trainer=trainer, model=model, objective=objective, epochs=run.epochs)
        best = longest.get(system(run))
        if run == main and (best is None or run.epochs > best.epochs):
            longest[system(run)] = run
    return set(longest.values())


def rate_jobs() -> list[Job]:
    """The learning rates still to judge."""
    done = measuring.stored_keys("learning_rates", RATE_KEY, COMMAND)
    jobs = []
    for run in SYSTEMS:
        for lr in RATES:
            if (run.model, run.objective, lr) not in done:
                jobs.append(Job("rate", run, lr))
    return jobs


def best_rates() -> dict[tuple[str, str], float]:
    """The rate of each (model, objective) that had the lowest held-out loss."""
    rates = tables.load("learning_rates", [*RATE_KEY, "held_out_loss"], COMMAND)
    best = rates.loc[rates.groupby(["model", "objective"]).held_out_loss.idxmin()]
    return {(row.model, row.objective): row.lr for row in best.itertuples()}


def run_jobs() -> list[Job]:
    """The runs still to do, each with its system's best rate."""
    rate = best_rates()
    done = measuring.stored_keys("sweep", RUN_KEY, COMMAND)
    jobs = []
    for run in all_runs():
        if measuring.key_of(asdict(run), RUN_KEY) not in done:
            jobs.append(Job("run", run, rate[run.model, run.objective]))
    return jobs


# Doing it -----------------------------------------------------------------------------------------


def do(job: Job) -> dict[str, list[dict]]:
    """The rows that a job adds to each table; this is what a process does."""
    torch.set_num_threads(1)
    sentences = load_corpus()
    run = job.run
    if job.kind == "rate":
        return {"learning_rates": [held_out(run, job.lr, sentences)]}
    if run.trainer == "gensim":
        trained = train_gensim(run, sentences)
    else:
        trained = train_course(run, job.lr, sentences)
    written = {}
    if run in shown():
        written["neighbors"] = neighbor_rows(run, trained.embeddings)
        if trained.history:
            written["curves"] = curve_rows(run, trained.history)
    if run == MAPPED:
        written["map"] = map_rows(trained.embeddings)
    written["sweep"] = trained.rows  # last: a run counts as done once its rows stand there
    return written


def store(written: dict[str, list[dict]]) -> None:
    """Add a job's rows to their tables, save what an earlier, interrupted attempt has left."""
    for name, rows in written.items():
        key = WRITTEN_ONCE.get(name)
        if key:
            stored = measuring.stored_keys(name, key, COMMAND)
            if measuring.key_of(rows[0], key) in stored:
                continue
        tables.append(name, rows, COMMAND)


def store_result(future: Future) -> Exception | None:
    """Store what a job has made; the error, if it failed."""
    try:
        store(future.result())
    except Exception as error:
        return error
    return None


def describe(job: Job) -> str:
    run = job.run
    return (
        f"{job.kind} {run.trainer} {run.model} {run.objective} K={run.negatives} "
        f"power={run.power:g} t={run.subsample:g} epochs={run.epochs} seed={run.seed}"
    )


def work(jobs: list[Job]) -> None:
    """Do the jobs, two at a time; each one's rows are written as soon as it ends.

    A job that fails does not stop the others. Exits with a message if any failed, and with code 130
    if the user interrupts.
    """
    failed = 0
    start = time.perf_counter()
    # Not `measure_apart`: jobs run side by side, and what an earlier one left in memory hardly
    # changes the seconds of a processor.
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool,
        measuring.stopping_cleanly(KEPT),  # inside, so that it speaks before the pool waits
    ):
        waiting = {pool.submit(do, job): job for job in jobs}
        try:
            for number, future in enumerate(as_completed(waiting), start=1):
                error = store_result(future)
                minutes = (time.perf_counter() - start) / 60
                ended = "" if error is None else f" FAILED: {error!r}"
                failed += error is not None
                progress = f"{number:3d} of {len(jobs)}, {minutes:5.1f} min"
                print(f"{progress}: {describe(waiting[future])}{ended}", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failed:
        sys.exit(f"{failed} of {len(jobs)} failed; the same command tries these again")


def main() -> None:
    given = measuring.parse_arguments(__doc__, "list")
    os.environ.update(ENVIRONMENT)  # for the processes that are started from here
    load_corpus()  # cleaned and cached once, before two processes want it
    rates = rate_jobs()
    if rates:
        print(f"{len(rates)} learning rates to try")
        if given.list:
            return
        work(rates)
    jobs = run_jobs()
    print(f"{len(jobs)} of {len(all_runs())} runs to do")
    if not given.list:
        work(jobs)


if __name__ == "__main__":
    main()
