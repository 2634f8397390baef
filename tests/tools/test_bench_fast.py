"""tools/bench_fast.py: what it promises to run, that it resumes, and what the summary says."""

import json
from collections import Counter
from types import SimpleNamespace

import pandas as pd
import pytest

from tools import bench_fast
from tools.bench_fast import RACE_KEY, SCALING_KEY
from tools.measuring import key_of

LARGE = "my text"
RUNS = bench_fast.race() + bench_fast.race(LARGE)


def runs_of(kind, corpus="wikipedia"):
    return [run for run in RUNS if run["kind"] == kind and run["corpus"] == corpus]


# What there is to do ------------------------------------------------------------------------------


@pytest.mark.parametrize("runs, key", [(RUNS, RACE_KEY), (bench_fast.scaling(), SCALING_KEY)])
def test_keys_tell_all_runs_apart(runs, key):
    keys = Counter(key_of(run, key) for run in runs)
    assert max(keys.values()) == 1
    assert all(set(run) == set(key) for run in runs)


@pytest.mark.parametrize("corpus", ["wikipedia", LARGE])
def test_every_system_races_in_every_round_against_every_peer(corpus):
    rounds = {}
    for run in runs_of("speed", corpus):
        if run["threads"] == 2:
            system = (run["model"], run["objective"], run["trainer"])
            rounds.setdefault(system, []).append(run["seed"])
    for model, objective in bench_fast.SYSTEMS:
        for trainer in ("fast", *bench_fast.PEERS):
            assert rounds[model, objective, trainer] == list(range(bench_fast.REPEATS))
    shared = {system[:2] for system in rounds if system[2] == bench_fast.SHARED_TOP}
    assert shared == {("skip-gram", "hs"), ("cbow", "hs")}


def test_trainers_take_turns():
    """In a round every trainer has its turn before any has another one of the next round."""
    speed = runs_of("speed")
    assert [run["seed"] for run in speed] == sorted(run["seed"] for run in speed)
    first = [run for run in speed if run["seed"] == 0]
    assert first != bench_fast.speed_runs("wikipedia", 0)
    assert bench_fast.race() == bench_fast.race()


def test_the_promised_seeds_and_epochs_of_the_quality():
    for corpus, epochs, seeds in (("wikipedia", 20, 10), (LARGE, 3, 3)):
        key = ["trainer", "objective", "epochs"]
        found = Counter(key_of(run, key) for run in runs_of("quality", corpus))
        for objective in ("ns", "hs"):
            for trainer in ("gensim file", "fast", bench_fast.PEERS_RATE):
                assert found[trainer, objective, epochs] == seeds


def test_whole_commands_and_the_softmax_have_three_rounds():
    for corpus in ("wikipedia", LARGE):
        assert {run["seed"] for run in runs_of("command", corpus)} == {0, 1, 2}
        assert {run["epochs"] for run in runs_of("command", corpus)} == {5}
    assert Counter(run["trainer"] for run in runs_of("softmax")) == {"fast": 3, "fastText": 3}
    assert runs_of("softmax", LARGE) == []


@pytest.mark.parametrize("what", ["V", "d", "K", "threads"])
def test_each_group_of_the_scaling_varies_what_it_says(what):
    group = [run for run in bench_fast.scaling() if run["varied"] == what]
    assert len({run[what] for run in group}) > 1
    assert {run["round"] for run in group} == {0, 1, 2}
    for run in group:
        for name, value in bench_fast.SCALING.items():
            assert name in (what, "objective") or run[name] == value


# Stored, resumed, interrupted ---------------------------------------------------------------------


def measured(command):
    """A process that measures at once; a run of the race also has scores."""
    run = json.loads(command[-1])
    row = {**run, "words_per_second": 1000 + run.get("seed", 0), "peak_mb": 300.0}
    if "varied" not in run:
        row |= {"wordsim353": 0.5, "simlex999": 0.25, "held_out": 2.5, "seconds": 1.0}
    text = json.dumps(row)
    return SimpleNamespace(returncode=0, stdout=text, stderr="")


@pytest.fixture
def script(own_tables, processes, arguments, monkeypatch, tmp_path):
    """script("--list"): main() with three runs of the race and two of the scaling."""
    race = bench_fast.race()[:3]
    prepared = []
    scaling = bench_fast.scaling()[:2]
    monkeypatch.setattr(bench_fast, "race", lambda corpus: race)
    monkeypatch.setattr(bench_fast, "prepare", lambda path, folder: prepared.append(path))
    monkeypatch.setattr(bench_fast, "scaling", lambda: scaling)
    monkeypatch.setattr(bench_fast, "FOLDER", tmp_path / "build")

    def run(*words):
        arguments(*words)
        bench_fast.main()

    run.race = race
    run.prepared = prepared
    run.scaling = scaling
    return run


def asked(processes):
    return [json.loads(command[-1]) for command in processes.commands]


def test_all_that_is_missing_is_measured_once(script, processes, own_tables, capsys):
    processes.answers = 5 * [measured]
    script()
    assert asked(processes) == script.race + script.scaling
    assert {command[2] for command in processes.commands} == {"tools.bench_fast_run"}
    assert len(own_tables.load("bench", RACE_KEY, bench_fast.COMMAND)) == 3
    assert len(own_tables.load("fast_scaling", SCALING_KEY, bench_fast.COMMAND)) == 2
    script()
    assert len(processes.commands) == 5


def test_what_was_finished_before_a_failure_is_kept(script, processes, own_tables):
    processes.answers = [measured]
    processes.ends(1, err="Traceback\nImportError: no fasttext")
    with pytest.raises(SystemExit, match="(?s)no fasttext.*what was finished is kept"):
        script()
    assert len(own_tables.load("bench", RACE_KEY, bench_fast.COMMAND)) == 1
    processes.commands.clear()
    processes.answers = 4 * [measured]
    script()
    assert asked(processes) == script.race[1:] + script.scaling


def test_what_was_finished_before_an_interruption_is_kept(script, processes, own_tables, capsys):
    processes.answers = [measured, measured, KeyboardInterrupt()]
    with pytest.raises(SystemExit) as end:
        script()
    assert end.value.code == 130
    assert "interrupted; what was finished is kept" in capsys.readouterr().out
    assert len(own_tables.load("bench", RACE_KEY, bench_fast.COMMAND)) == 2
    assert bench_fast.missing("bench", RACE_KEY, script.race) == script.race[2:]


def test_trainers_have_the_threads_of_their_row(script, processes, monkeypatch):
    """The variable that makes other scripts' processes use one thread is not set for these."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    processes.answers = 5 * [measured]
    script()
    for options in processes.options:
        assert "OMP_NUM_THREADS" not in options["env"]
        assert options["env"]["TQDM_DISABLE"] == "1"


def test_list_measures_nothing(script, processes, capsys, tmp_path):
    script("--list")
    assert capsys.readouterr().out == "bench: 3 runs to do\nfast_scaling: 2 runs to do\n"
    assert processes.commands == []
    assert list(tmp_path.iterdir()) == []


def test_a_text_of_ones_own_is_named_in_every_run(script, processes, tmp_path):
    text = tmp_path / "my.txt"
    text.write_text("a b")
    processes.answers = 3 * [measured]
    script("--corpus", str(text))
    assert script.prepared == [str(text)]
    assert [run["path"] for run in asked(processes)] == 3 * [str(text)]


def test_a_text_that_is_not_there_is_named(own_tables, processes, arguments, monkeypatch, tmp_path):
    monkeypatch.setattr(bench_fast, "FOLDER", tmp_path)
    arguments("--corpus", str(tmp_path / "none.txt"))
    with pytest.raises(SystemExit, match="there is no file.*none.txt"):
        bench_fast.main()
    assert processes.commands == []


# The tables of factors and of scores --------------------------------------------------------------


def timed(trainer, seed, speed, **changed):
    run = bench_fast.race_run("speed", "wikipedia", "skip-gram", "ns", trainer, 2, 5, seed)
    return run | {"words_per_second": speed} | changed


def test_a_factor_is_taken_within_a_round_against_the_fastest_peer():
    rows = [
        timed("fast", 0, 1000),
        timed("gensim file", 0, 100),
        timed("fastText", 0, 200, epochs=1),
        timed("fast", 1, 800),
        timed("gensim file", 1, 100),
        timed("fastText", 1, 50, epochs=1),
        timed("fast", 2, 900),
        timed("gensim file", 2, 100),
        timed("blocks", 2, 9000),
        timed("fast", 3, 9000),  # a round without a peer
        timed("fast", 0, 1, threads=1),
    ]
    (row,) = bench_fast.factors(pd.DataFrame(rows)).to_dict("records")
    assert (row["times"], row["least"], row["most"], row["rounds"]) == (8.0, 5.0, 9.0, 3)
    assert row["fastest_peer"] == "gensim file"
    assert row["words_per_second"] == 950


def test_scores_have_their_mean_and_spread():
    runs = [
        bench_fast.race_run("quality", "wikipedia", "skip-gram", "ns", "fast", 2, 20, i)
        | {"held_out": 2.0, "wordsim353": score, "simlex999": 0.5}
        for i, score in enumerate((0.1, 0.2, 0.6))
    ]
    (row,) = bench_fast.scores(pd.DataFrame(runs)).to_dict("records")
    assert row["wordsim353", "mean"] == 0.3
    assert row["wordsim353", "std"] == 0.265
    assert row["held_out", "count"] == 3


def test_the_report_of_the_stored_table(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench_fast, "FOLDER", tmp_path / "bench")
    bench_fast.report()
    table = pd.read_csv(tmp_path / "bench" / "factors.csv")
    assert (table.least <= table.times).all() and (table.times <= table.most).all()
    default = table[(table.corpus == "wikipedia") & (table.kind == "speed")]
    assert set(zip(default.model, default.objective)) == set(bench_fast.SYSTEMS)
