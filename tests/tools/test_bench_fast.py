"""tools/bench_fast.py: what it promises to run, that it resumes, and what the summary says."""

import json
from collections import Counter
from types import SimpleNamespace

import pandas as pd
import pytest

from tools import bench_fast
from tools.bench_fast import RACE_KEY, SCALING_KEY
from tools.measuring import key_of

TRAINER = ["trainer", "threads", "objective", "times"]
SPEED = [run for run in bench_fast.race() if run["kind"] == "speed"]
QUALITY = [run for run in bench_fast.race() if run["kind"] == "quality"]


# What there is to do ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "runs, key", [(bench_fast.race(), RACE_KEY), (bench_fast.scaling(), SCALING_KEY)]
)
def test_keys_tell_all_runs_apart(runs, key):
    keys = Counter(key_of(run, key) for run in runs)
    assert max(keys.values()) == 1
    assert all(set(run) == set(key) for run in runs)


def test_every_trainer_races_three_times_but_fasttext_once_with_the_softmax():
    seeds = {}
    for run in SPEED:
        seeds.setdefault(key_of(run, TRAINER), []).append(run["seed"])
    slow = seeds.pop(("fastText", 2, "softmax", 1))
    assert slow == [0]
    assert set(map(tuple, seeds.values())) == {(0, 1, 2)}
    for objective in ("ns", "hs"):
        for trainer, threads in bench_fast.TRAINERS:
            assert (trainer, threads, objective, 1) in seeds


def test_trainers_take_turns():
    """In a round every trainer has its turn before any has another one of the next round."""
    assert [run["seed"] for run in SPEED] == sorted(run["seed"] for run in SPEED)
    order = [key_of(run, TRAINER) for run in SPEED if run["seed"] == 0]
    assert order != sorted(order)
    assert order != [key_of(run, TRAINER) for run in bench_fast.speed_runs(0)]
    assert bench_fast.race() == bench_fast.race()


def test_the_promised_seeds_of_the_quality():
    key = ["trainer", "objective", "epochs"]
    seeds = Counter(key_of(run, key) for run in QUALITY)
    for objective in ("ns", "hs"):
        for trainer in ("gensim file", "fast", bench_fast.PEERS_RATE):
            assert seeds[trainer, objective, 20] == 10
        for trainer in ("gensim file", "fast", "fastText"):
            assert seeds[trainer, objective, 5] == 1


@pytest.mark.parametrize("what", ["V", "d", "K", "threads"])
def test_each_group_of_the_scaling_varies_what_it_says(what):
    group = [run for run in bench_fast.scaling() if run["varied"] == what]
    assert len({run[what] for run in group}) > 1
    for run in group:
        for name, value in bench_fast.SCALING.items():
            assert name in (what, "objective") or run[name] == value


# Stored, resumed, interrupted ---------------------------------------------------------------------


def measured(command):
    """A process that measures at once; a run of the race also has scores."""
    run = json.loads(command[-1])
    row = {**run, "words_per_second": 1000 + run.get("seed", 0), "peak_mb": 300.0}
    if "varied" not in run:
        row |= {"wordsim353": 0.5, "simlex999": 0.25, "held_out": None}
    text = json.dumps(row)
    return SimpleNamespace(returncode=0, stdout=text, stderr="")


@pytest.fixture
def script(own_tables, processes, arguments, monkeypatch, tmp_path):
    """script("--list"): main() with three runs of the race and two of the scaling."""
    race = bench_fast.race()[:3]
    scaling = bench_fast.scaling()[:2]
    monkeypatch.setattr(bench_fast, "race", lambda: race)
    monkeypatch.setattr(bench_fast, "scaling", lambda: scaling)
    monkeypatch.setattr(bench_fast, "FOLDER", tmp_path / "build")

    def run(*words):
        arguments(*words)
        bench_fast.main()

    run.race = race
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


# The summary --------------------------------------------------------------------------------------


def test_the_summary_has_median_range_and_means():
    bench = pd.DataFrame([bench_fast.race_run("speed", "fast", 2, "ns", 1, 5, i) for i in range(3)])
    bench["words_per_second"] = [100, 400, 200]
    bench["wordsim353"] = [0.1, 0.2, 0.6]
    bench["simlex999"] = 0.5
    bench["peak_mb"] = 300.0
    bench["held_out"] = float("nan")
    (row,) = bench_fast.summarise(bench).to_dict("records")
    assert (row["median"], row["min"], row["max"], row["count"]) == (200, 100, 400, 3)
    assert row["wordsim353"] == 0.3
    assert row["simlex999"] == 0.5
    assert row["peak_mb"] == 300


def test_the_report_of_the_stored_table_has_a_figure(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench_fast, "FOLDER", tmp_path / "bench")
    bench_fast.report()
    assert (tmp_path / "bench" / "bench.png").stat().st_size > 10_000
    table = pd.read_csv(tmp_path / "bench" / "bench.csv")
    assert {"median", "min", "max", "count", "held_out"} <= set(table)
    speed = table[(table.kind == "speed") & (table.objective == "softmax")]
    assert set(speed.trainer) == {"fastText", "plain", "fast"}
