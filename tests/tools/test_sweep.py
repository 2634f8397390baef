"""tools/sweep.py: what it promises to run, that it resumes, that nothing stored is lost."""

from collections import Counter
from concurrent.futures import Future
from dataclasses import asdict, replace

import pytest

from tools import sweep
from tools.sweep import FULL, HIERARCHICAL, MAPPED, NEGATIVE, Job

CHEAP = (NEGATIVE, HIERARCHICAL)


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


@pytest.fixture(autouse=True)
def tables(own_tables, monkeypatch):
    """Tables of their own, in which every system's best rate is .1; processes are calls."""
    monkeypatch.setattr(sweep, "ProcessPoolExecutor", Pool)
    rates = []
    for run in sweep.SYSTEMS:
        for lr in sweep.RATES:
            loss = 3 + (lr - 0.1) ** 2
            rates.append(
                {"model": run.model, "objective": run.objective, "lr": lr, "held_out_loss": loss}
            )
    own_tables.append("learning_rates", rates, sweep.COMMAND)
    return own_tables


@pytest.fixture
def played(monkeypatch):
    """Jobs make rows without training; after played(fail) they raise what fail(run) returns."""

    def play(fail=lambda run: None):
        def do(job):
            error = fail(job.run)
            if error:
                raise error
            row = {**asdict(job.run), "lr": job.lr}
            return {"sweep": [{**row, "epoch": epoch + 1} for epoch in range(job.run.epochs)]}

        monkeypatch.setattr(sweep, "do", do)

    play()
    return play


def rows(tables):
    return tables.load("sweep", sweep.RUN_KEY, sweep.COMMAND)


# What there is to do ------------------------------------------------------------------------------


def seeds_of(run):
    """The seeds of all runs that are otherwise like this one."""
    return [one.seed for one in sweep.all_runs() if replace(one, seed=0) == run]


def test_seeds_count_from_0():
    for run in {replace(run, seed=0) for run in sweep.all_runs()}:
        assert sorted(seeds_of(run)) == list(range(len(seeds_of(run)))), run


@pytest.mark.parametrize("main", CHEAP, ids=lambda run: run.objective)
def test_the_promised_seeds_of_the_cheap_methods(main):
    assert len(seeds_of(replace(main, epochs=5))) == 10
    assert len(seeds_of(replace(main, epochs=5, model="CBOW"))) == 3
    assert len(seeds_of(replace(main, subsample=0.0))) == 3


@pytest.mark.parametrize("main", CHEAP, ids=lambda run: run.objective)
def test_the_promised_seeds_of_gensim(main):
    peer = replace(main, trainer="gensim")
    assert len(seeds_of(replace(peer, epochs=5))) == 10
    assert len(seeds_of(replace(peer, epochs=20))) == 3
    assert len(seeds_of(replace(peer, epochs=5, model="CBOW"))) == 3


def test_the_promised_seeds_of_the_rest():
    others = [replace(FULL, model=model, epochs=2) for model in ("skip-gram", "CBOW")]
    others += [replace(NEGATIVE, negatives=K) for K in (1, 2, 10, 20)]
    others += [replace(NEGATIVE, power=power) for power in (0.0, 0.5, 1.0)]
    assert [len(seeds_of(run)) for run in others] == len(others) * [3]


def test_keys_tell_all_runs_apart():
    keys = Counter(tuple(asdict(run)[name] for name in sweep.RUN_KEY) for run in sweep.all_runs())
    assert max(keys.values()) == 1
    assert len(keys) == len(set(sweep.all_runs()))
    assert set(sweep.RUN_KEY) == set(asdict(NEGATIVE))


def test_every_system_shows_one_run():
    shown = Counter(map(sweep.system, sweep.shown()))
    assert set(shown) == set(map(sweep.system, sweep.all_runs()))
    assert max(shown.values()) == 1


def test_the_longest_run_of_a_system_is_shown():
    epochs = {sweep.system(run): run.epochs for run in sweep.shown()}
    assert epochs["course", "skip-gram", "full softmax"] == 2
    assert epochs["course", "skip-gram", "negative sampling"] == 5
    assert epochs["gensim", "skip-gram", "negative sampling"] == 20
    assert epochs["gensim", "CBOW", "negative sampling"] == 5
    assert MAPPED in sweep.shown()


def test_each_system_takes_the_rate_of_its_lowest_held_out_loss(tables):
    better = {"model": "CBOW", "objective": "full softmax", "lr": 0.01, "held_out_loss": 2.9}
    tables.append("learning_rates", [better], sweep.COMMAND)
    for job in sweep.run_jobs():
        is_better = (job.run.model, job.run.objective) == ("CBOW", "full softmax")
        assert job.lr == (0.01 if is_better else 0.1)


# Stored, resumed, interrupted ---------------------------------------------------------------------


def test_what_is_stored_is_not_run_again(tables, played):
    jobs = sweep.run_jobs()
    assert [job.run for job in jobs] == sweep.all_runs()
    sweep.work(jobs[:40])
    assert len(rows(tables)) == sum(job.run.epochs for job in jobs[:40])
    assert sweep.run_jobs() == jobs[40:]
    sweep.work(jobs[40:])
    assert sweep.run_jobs() == []


def test_stored_rates_are_not_tried_again(tables, tmp_path):
    assert sweep.rate_jobs() == []
    table = tables.load("learning_rates", sweep.RATE_KEY, sweep.COMMAND)
    first = sweep.SYSTEMS[0]
    lost = (table.model == first.model) & (table.objective == first.objective) & (table.lr == 0.3)
    assert lost.sum() == 1
    table[~lost].to_csv(tmp_path / "learning_rates.csv", index=False)
    assert sweep.rate_jobs() == [Job("rate", first, 0.3)]


def test_a_failed_job_does_not_stop_the_others(played, capsys):
    played(lambda run: FloatingPointError("it diverged") if run.seed == 1 else None)
    jobs = sweep.run_jobs()
    failing = [job for job in jobs if job.run.seed == 1]
    with pytest.raises(SystemExit, match=f"{len(failing)} of {len(jobs)} failed"):
        sweep.work(jobs)
    assert capsys.readouterr().out.count("it diverged") == len(failing)
    assert sweep.run_jobs() == failing  # and only these are tried again


def test_an_interruption_keeps_what_was_finished(tables, played, capsys):
    jobs = sweep.run_jobs()
    sweep.work(jobs[:5])
    before = rows(tables)
    played(lambda run: KeyboardInterrupt())
    with pytest.raises(SystemExit) as end:
        sweep.work(jobs[5:8])
    assert end.value.code == 130
    assert "interrupted; what was finished is kept" in capsys.readouterr().out
    assert rows(tables).equals(before)
    assert sweep.run_jobs() == jobs[5:]


def test_a_job_interrupted_between_two_tables_is_repeated_without_doubles(tables):
    trainer, model, objective = sweep.system(MAPPED)
    system = {"trainer": trainer, "model": model, "objective": objective, "epochs": 5}
    first = {
        "neighbors": [{**system, "word": "river", "rank": 1, "neighbor": "lake", "cosine": 0.5}],
        "map": [{"word": "river", "v0": 0.1}],
    }
    last = {"sweep": [{**asdict(MAPPED), "lr": 0.1, "epoch": 1}]}
    sweep.store(first)
    assert Job("run", MAPPED, 0.1) in sweep.run_jobs()
    sweep.store(first | last)
    assert Job("run", MAPPED, 0.1) not in sweep.run_jobs()
    for name in ("neighbors", "map", "sweep"):
        assert len(tables.load(name, [], sweep.COMMAND)) == 1


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def command(arguments, monkeypatch):
    """command("--list"): main(), with no corpus to load; the environment is put back afterwards."""
    monkeypatch.setattr(sweep, "load_corpus", list)
    for name in sweep.ENVIRONMENT:
        monkeypatch.setenv(name, "")

    def run(*words):
        arguments(*words)
        sweep.main()

    return run


def test_list_trains_nothing(command, played, capsys):
    played(lambda run: AssertionError("a job was done"))
    command("--list")
    assert (
        capsys.readouterr().out
        == f"{len(sweep.all_runs())} of {len(sweep.all_runs())} runs to do\n"
    )


def test_rates_come_before_runs(command, monkeypatch, capsys, tmp_path):
    (tmp_path / "learning_rates.csv").unlink()
    command("--list")
    number = len(sweep.SYSTEMS) * len(sweep.RATES)
    assert capsys.readouterr().out == f"{number} learning rates to try\n"


def test_the_command_does_all_that_is_missing(command, played, tables):
    jobs = sweep.run_jobs()
    sweep.work(jobs[3:])
    command()
    assert sweep.run_jobs() == []
    assert len(rows(tables)) == sum(run.epochs for run in sweep.all_runs())
