"""tools/sweep.py: what it promises to run, that it resumes, and that nothing stored is lost.

No real training.
"""

import importlib
from collections import Counter
from concurrent.futures import Future
from dataclasses import asdict, replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from utils import tables
from utils.training import train


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """The script as a module; its tables are in tmp_path, its processes are calls."""
    module = importlib.import_module("tools.sweep")
    monkeypatch.setattr(
        module,
        "tables",
        SimpleNamespace(
            load=partial(tables.load, folder=tmp_path),
            append=partial(tables.append, folder=tmp_path),
        ),
    )
    monkeypatch.setattr(module, "ProcessPoolExecutor", Pool)
    rates = [
        {
            "model": run.model,
            "objective": run.objective,
            "lr": lr,
            "held_out_loss": 3 + (lr - 0.1) ** 2,
        }
        for run in module.SYSTEMS
        for lr in module.RATES
    ]
    module.tables.append("learning_rates", rates, module.COMMAND)
    return module


class Pool:
    """Does each job when it is handed in, in this process."""

    def __init__(self, *args, **kwargs):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, function, *args):
        future = Future()
        try:
            future.set_result(function(*args))
        except BaseException as error:
            future.set_exception(error)
        return future

    def shutdown(self, **options):
        pass


def fake_job(sweep, fail=lambda run: None):
    def job(kind, run, lr):
        if error := fail(run):
            raise error
        return {
            "sweep": [{**asdict(run), "lr": lr, "epoch": epoch + 1} for epoch in range(run.epochs)]
        }

    return job


def rows(sweep, name="sweep"):
    return sweep.tables.load(name, sweep.KEY if name == "sweep" else [], sweep.COMMAND)


# What there is to do ------------------------------------------------------------------------------


def test_the_promised_seeds(sweep):
    runs = Counter(replace(run, seed=0) for run in sweep.all_runs())
    seeds = {run: {r.seed for r in sweep.all_runs() if replace(r, seed=0) == run} for run in runs}
    assert all(seeds[run] == set(range(n)) for run, n in runs.items())
    default = sweep.Run()
    for objective in ("negative sampling", "hierarchical softmax"):
        main = replace(default, objective=objective)
        assert runs[replace(main, epochs=5)] == 10
        assert runs[replace(main, epochs=5, model="CBOW")] == 3
        assert runs[replace(main, subsample=0.0)] == 3
        outside = replace(main, trainer="gensim")
        assert [runs[replace(outside, epochs=epochs)] for epochs in (5, 20)] == [10, 3]
        assert runs[replace(outside, epochs=5, model="CBOW")] == 3
    for model in ("skip-gram", "CBOW"):
        assert runs[replace(default, model=model, objective="full softmax", epochs=2)] == 3
    assert all(runs[replace(default, negatives=K)] == 3 for K in (1, 2, 10, 20))
    assert all(runs[replace(default, power=power)] == 3 for power in (0.0, 0.5, 1.0))


def test_keys_are_unique_and_tell_all_runs_apart(sweep):
    keys = [tuple(asdict(run)[name] for name in sweep.KEY) for run in sweep.all_runs()]
    assert len(set(keys)) == len(keys) == len(set(sweep.all_runs()))
    assert set(sweep.KEY) == set(asdict(sweep.Run()))


def test_every_system_shows_one_run(sweep):
    shown = [(run.trainer, run.model, run.objective) for run in sweep.shown()]
    systems = {(run.trainer, run.model, run.objective) for run in sweep.all_runs()}
    assert len(shown) == len(set(shown)) and set(shown) == systems
    assert replace(sweep.Run(), epochs=5) in sweep.shown()  # whose vectors are the map


def test_each_system_takes_the_rate_of_its_lowest_held_out_loss(sweep):
    better = {"model": "CBOW", "objective": "full softmax", "lr": 0.01, "held_out_loss": 2.9}
    sweep.tables.append("learning_rates", [better], sweep.COMMAND)
    for _, run, lr in sweep.run_jobs():
        assert lr == (0.01 if (run.model, run.objective) == ("CBOW", "full softmax") else 0.1)


# Stored, resumed, interrupted ---------------------------------------------------------------------


def test_what_is_stored_is_not_run_again(sweep, monkeypatch):
    monkeypatch.setattr(sweep, "job", fake_job(sweep))
    jobs = sweep.run_jobs()
    assert [run for _, run, _ in jobs] == sweep.all_runs()
    sweep.work(jobs[:40])
    assert len(rows(sweep)) == sum(run.epochs for _, run, _ in jobs[:40])
    assert sweep.run_jobs() == jobs[40:]
    sweep.work(jobs[40:])
    assert sweep.run_jobs() == []


def test_stored_rates_are_not_tried_again(sweep):
    assert sweep.rate_jobs() == []
    tried = (sweep.SYSTEMS[0].model, sweep.SYSTEMS[0].objective, 0.3)
    full = sweep.stored
    sweep.stored = lambda name, columns: [row for row in full(name, columns) if row != tried]
    try:
        assert sweep.rate_jobs() == [("rate", sweep.SYSTEMS[0], 0.3)]
    finally:
        sweep.stored = full


def test_a_failed_job_does_not_stop_the_others(sweep, monkeypatch, capsys):
    def fail(run):
        return FloatingPointError("it diverged") if run.seed == 1 else None

    monkeypatch.setattr(sweep, "job", fake_job(sweep, fail))
    jobs = sweep.run_jobs()
    failing = [one for one in jobs if one[1].seed == 1]
    with pytest.raises(SystemExit, match=f"{len(failing)} of {len(jobs)} failed"):
        sweep.work(jobs)
    assert capsys.readouterr().out.count("it diverged") == len(failing)
    assert sweep.run_jobs() == failing  # and only these are tried again


def test_an_interruption_keeps_what_was_finished(sweep, monkeypatch, capsys):
    jobs = sweep.run_jobs()
    monkeypatch.setattr(sweep, "job", fake_job(sweep))
    sweep.work(jobs[:5])
    before = rows(sweep)
    monkeypatch.setattr(sweep, "job", fake_job(sweep, lambda run: KeyboardInterrupt()))
    with pytest.raises(SystemExit) as end:
        sweep.work(jobs[5:8])
    assert end.value.code == 130 and "interrupted" in capsys.readouterr().out
    assert rows(sweep).equals(before) and sweep.run_jobs() == jobs[5:]


def test_a_job_interrupted_between_two_tables_is_repeated_without_doubles(sweep):
    run = replace(sweep.Run(), epochs=5)
    system = {"trainer": run.trainer, "model": run.model, "objective": run.objective, "epochs": 5}
    written = {
        "neighbors": [{**system, "word": "river", "rank": 1, "neighbor": "lake", "cosine": 0.5}],
        "map": [{"word": "river", "v0": 0.1}],
        "sweep": [{**asdict(run), "lr": 0.1, "epoch": 1}],
    }
    sweep.store({name: part for name, part in written.items() if name != "sweep"})
    assert ("run", run, 0.1) in sweep.run_jobs()
    sweep.store(written)
    assert [len(sweep.tables.load(name, [], sweep.COMMAND)) for name in written] == [1, 1, 1]
    assert ("run", run, 0.1) not in sweep.run_jobs()


# One real run, on a text of 240 short sentences ---------------------------------------------------


@pytest.fixture
def tiny(sweep, monkeypatch, sentences):
    def scores(embeddings):
        assert embeddings.vectors.isfinite().all()
        return {"wordsim353": 0.5, "wordsim353_pairs": 2, "simlex999": 0.5, "simlex999_pairs": 2}

    monkeypatch.setattr(sweep, "load_corpus", lambda: sentences)
    monkeypatch.setattr(sweep, "BATCH", 64)
    monkeypatch.setattr(sweep, "PROBES", ("w0", "w7"))
    monkeypatch.setattr(sweep, "scores", scores)  # none of these words is in a similarity set
    return sweep


@pytest.mark.parametrize("trainer", ["course", "gensim"])
@pytest.mark.parametrize("model", ["skip-gram", "CBOW"])
def test_a_tiny_run_from_end_to_end(tiny, trainer, model):
    (run,) = [
        run
        for run in tiny.shown()
        if (run.trainer, run.model, run.objective) == (trainer, model, "negative sampling")
    ]
    assert run in {one for _, one, _ in tiny.run_jobs()}
    tiny.work([("run", run, 0.1)])
    assert run not in {one for _, one, _ in tiny.run_jobs()}
    table = rows(tiny)
    if trainer == "gensim":
        assert list(table.epoch) == [run.epochs]
    else:
        assert list(table.epoch) == [1, 2, 3, 4, 5] and table.pairs.is_monotonic_increasing
        assert table.seconds.is_monotonic_increasing and table.loss.iloc[-1] < table.loss.iloc[0]
        curve = tiny.tables.load("curves", ["pairs", "loss"], tiny.COMMAND)
        assert curve.pairs.iloc[-1] == table.pairs.iloc[-1]
    neighbors = tiny.tables.load("neighbors", ["word", "rank", "neighbor"], tiny.COMMAND)
    assert len(neighbors) == 16 and set(neighbors.word) == {"w0", "w7"}
    if (trainer, model) == ("course", "skip-gram"):
        words = list(tiny.tables.load("map", ["word"], tiny.COMMAND).word)
        assert {"w0", "w7"} <= set(words) and len(words) == len(set(words))


def test_a_tiny_rate(tiny):
    run = tiny.SYSTEMS[0]
    losses = {}
    for lr in (0.1, 1e12):
        ((row,),) = tiny.job("rate", run, lr).values()
        losses[lr] = row["held_out_loss"]
    assert losses[0.1] < 3 and losses[1e12] > 100  # ln 20 is 3.0


def test_an_interrupted_run_is_no_row(tiny, monkeypatch):
    def interrupted(model, batches, **options):
        history = train(model, batches, **options)
        history.interrupted = True
        return history

    monkeypatch.setattr(tiny, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tiny.job("run", tiny.Run(), 0.1)


def test_the_same_run_again_gives_the_same_rows(tiny):
    def made():
        return [
            {k: v for k, v in row.items() if k != "seconds"}
            for row in tiny.job("run", tiny.Run(), 0.1)["sweep"]
        ]

    assert made() == made()


def test_epochs_are_counted_where_they_end(sweep):
    class Batches:
        sizes = iter((3, 5, 2))  # batches of each epoch

        def __len__(self):
            return 3

        def __iter__(self):
            for _ in range(next(self.sizes)):
                yield torch.tensor([0, 1]), torch.tensor([1, 0])

    notes = []
    model = sweep.SkipGram(2, 2, sweep.FullSoftmax(2, 2))
    scored = sweep.Scored(Batches(), lambda seconds, count: notes.append((seconds, count)))
    history = train(model, scored, epochs=3, lr=0.1)
    assert [count for _, count in notes] == [3, 8, 10] and len(history.loss) == 10
    seconds = [seconds for seconds, _ in notes]
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_a_note_is_given_before_the_next_epoch_begins(sweep):
    seen = []
    scored = sweep.Scored([1, 2], lambda seconds, count: seen.append(("note", count)))
    for _ in range(2):
        for batch in scored:
            seen.append(batch)
    assert seen == [1, 2, ("note", 2), 1, 2, ("note", 4)]
