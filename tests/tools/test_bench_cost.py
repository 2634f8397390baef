"""tools/bench_cost.py: which rows it measures, what stands in one; no run spoils the tables."""

import json

import numpy as np
import pytest
import torch

from tools import bench_cost
from utils import costs
from utils.costs import zipf_counts
from utils.objectives import make_objective
from utils.tree import huffman_tree

VARIED = ("V", "K", "d", "batch", "optimizer")
FLOAT = 4  # bytes
V = 40
d = 6


def rows_that_vary(what):
    return [row for row in bench_cost.settings() if row["varied"] == what]


def row_of(objective="negative sampling", optimizer="SGD"):
    given = {"varied": "V", "objective": objective, "optimizer": optimizer, "V": V, "d": d}
    return bench_cost.DEFAULTS | given | {"batch": 16}


# Which rows ---------------------------------------------------------------------------------------


def test_every_row_belongs_to_a_group_and_none_comes_twice():
    rows = bench_cost.settings()
    assert {row["varied"] for row in rows} == set(VARIED)
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == len(rows)


@pytest.mark.parametrize("what", VARIED)
def test_each_group_varies_what_it_says_and_nothing_else(what):
    free = {"varied", what, "objective"}
    if what == "optimizer":
        free.add("V")
    for row in rows_that_vary(what):
        assert set(row) == {"varied", *bench_cost.DEFAULTS}
        for name, value in bench_cost.DEFAULTS.items():
            assert name in free or row[name] == value, name


@pytest.mark.parametrize("what", ["V", "d", "batch"])
def test_every_objective_is_measured_at_the_same_points(what):
    points = {name: [] for name in bench_cost.OBJECTIVES}
    for row in rows_that_vary(what):
        points[row["objective"]].append(row[what])
    full, negative, hierarchical = points.values()
    assert full == negative == hierarchical
    assert len(full) == len(set(full))


@pytest.mark.parametrize("what", ["K", "optimizer"])
def test_only_negative_sampling_has_noise_words_and_other_optimisers(what):
    assert {row["objective"] for row in rows_that_vary(what)} == {"negative sampling"}


def test_the_ranges_are_wide():
    assert bench_cost.SIZES[0] == 30
    assert bench_cost.SIZES[-1] == 10**6
    assert sorted(bench_cost.SIZES) == bench_cost.SIZES
    for what, ends in (("K", {1, 64}), ("batch", {1, 4096}), ("d", {50, 300})):
        assert {row[what] for row in rows_that_vary(what)} >= ends


# One row ------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Every step takes 3 seconds per pair; the calls are noted."""
    calls = []

    def timed(objective, counts, *, repeats, seed=0, warmup=2, **step):
        assert not objective.weight.any()
        assert objective.weight.grad is None
        with torch.no_grad():
            objective.weight.fill_(1)  # as training leaves them: no zeros
        calls.append((repeats, seed, warmup, step["batch"]))
        return 3

    monkeypatch.setattr(costs, "timed", timed)
    return calls


def test_a_measured_row_has_its_settings_and_its_time(clock):
    row = row_of("hierarchical softmax")
    measured = bench_cost.measure(row)
    assert measured.items() >= row.items()
    assert measured["seconds"] == 3
    # A first step of 3 seconds per pair, so the fewest steps will do.
    assert clock == [(1, 0, 0, 16), (5, 0, 2, 16)]


def test_a_run_of_short_steps_has_many_of_them(monkeypatch):
    steps = []

    def timed(objective, counts, *, repeats, **options):
        steps.append(repeats)
        return 1e-4  # seconds per pair, so 1.6e-3 a step of 16 pairs

    monkeypatch.setattr(costs, "timed", timed)
    bench_cost.measure(row_of())
    assert steps == [1, 250]  # 0.4 seconds


def test_a_measured_row_has_its_counts(clock):
    measured = bench_cost.measure(row_of("hierarchical softmax"))
    tree = huffman_tree(zipf_counts(V))
    depth = tree.expected_depth(zipf_counts(V))
    assert measured["dot_products"] == pytest.approx(depth, abs=0.05)
    assert measured["rows"] == measured["dot_products"]
    assert measured["dot_products"] < measured["padded"] <= tree.depths.max()
    assert measured["bytes"] > 6 * d * FLOAT
    assert measured["calls"] > 20
    assert measured["peak_mb"] > 2 * V * d * FLOAT / 1e6


@pytest.mark.parametrize("K", [1, 7])
def test_the_number_of_noise_words_counts(clock, K):
    assert bench_cost.measure(row_of() | {"K": K})["dot_products"] == K + 1


@pytest.mark.parametrize(
    "objective, optimizer",
    [
        *[(name, "SGD") for name in bench_cost.OBJECTIVES],
        *[("negative sampling", name) for name in ("Adagrad", "SparseAdam", "Adam")],
    ],
)
def test_every_kind_of_row_can_be_measured(clock, objective, optimizer):
    measured = bench_cost.measure(row_of(objective, optimizer))
    assert json.loads(json.dumps(measured))["bytes"] > 0


def test_an_objective_that_is_reset_is_like_new():
    objective = make_objective("hierarchical softmax", zipf_counts(V), d)
    costs.timed(objective, zipf_counts(V), repeats=1)
    assert objective.weight.any()
    bench_cost.reset(objective)
    assert not objective.weight.any()
    assert objective.weight.grad is None


def test_huffman_row_has_the_depths_that_were_published_for_zipfs_law():
    """V = 1,000: 7.51, after subsampling 9.39, rebuilt 9.06; the entropy is .02 to .03 less."""
    row = bench_cost.huffman_row(1_000)
    depths = [row["depth"], row["depth_thinned"], row["depth_rebuilt"]]
    assert depths == pytest.approx([7.51, 9.39, 9.06], abs=0.01)
    assert 0.01 < row["depth"] - row["entropy"] < 0.04


def test_huffman_row_keeps_the_share_that_the_rule_keeps():
    ranks = np.arange(1, 1001)
    frequencies = (1 / ranks) / (1 / ranks).sum()
    kept = np.minimum(1, np.sqrt(1e-3 / frequencies) + 1e-3 / frequencies)
    expected = (frequencies * kept).sum()
    assert bench_cost.huffman_row(1_000)["kept"] == pytest.approx(expected, abs=0.002)


# The whole script ---------------------------------------------------------------------------------

RESULT = json.dumps({"V": 1, "seconds": 1e-6})
OLD = [{"V": 99, "seconds": 9.0}]


@pytest.fixture
def script(own_tables, processes, arguments, monkeypatch):
    """script(): main() with a row for each prepared answer, over tables that are there already."""
    own_tables.save("costs", OLD, bench_cost.COMMAND)
    own_tables.save("huffman", OLD, bench_cost.COMMAND)
    monkeypatch.setattr(bench_cost, "huffman_row", lambda V: {"V": V, "seconds": 0.0})
    arguments()

    def run(rows=None):
        sizes = range(1, (rows or len(processes.answers)) + 1)
        rows = [bench_cost.DEFAULTS | {"varied": "V", "V": size} for size in sizes]
        monkeypatch.setattr(bench_cost, "settings", lambda: rows)
        bench_cost.main()

    return run


def sizes_in(tables, name):
    return list(tables.load(name, ["V"], bench_cost.COMMAND).V)


def test_rows_that_do_not_fit_into_memory_are_left_out(
    script, processes, own_tables, capsys, monkeypatch
):
    """V = 2 and 3 never fit, and are not tried again; V = 4 fails in the second round only."""
    monkeypatch.setattr(bench_cost, "PROCESSES", 2)
    sizes = [json.dumps({"V": V, "seconds": 1e-6}) for V in range(5)]
    processes.ends(out=f"a warning\n{sizes[1]}\n")
    processes.ends(1, err="Traceback\nMemoryError: takes about 9.9 GB")
    processes.ends(-9)
    processes.ends(out=sizes[4])
    processes.ends(out=sizes[1])
    processes.ends(1, err="MemoryError")
    script(4)
    assert len(processes.commands) == 6
    assert sizes_in(own_tables, "costs") == [1, 1]
    out = capsys.readouterr().out
    assert out.count("left out:") == 3
    assert "'V': 2" in out
    assert "takes about 9.9 GB" in out


def test_each_row_has_its_processes_in_turn_with_one_thread(script, processes, own_tables):
    for _ in range(2 * bench_cost.PROCESSES):
        processes.ends(out=RESULT)
    script(2)
    measured = [json.loads(command[-1])["V"] for command in processes.commands]
    assert measured == 5 * [1, 2]
    for command, options in zip(processes.commands, processes.options):
        assert command[2] == "tools.bench_cost"
        assert options["env"]["OMP_NUM_THREADS"] == "1"
        assert int(options["env"]["MALLOC_MMAP_THRESHOLD_"]) > 10**9
    table = own_tables.load("costs", ["process"], bench_cost.COMMAND)
    assert sorted(table.process) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize("err", ["Traceback\nImportError: no torch", ""])
def test_a_run_that_fails_leaves_the_tables(script, processes, own_tables, err):
    processes.ends(out=RESULT)
    processes.ends(1, err=err)
    processes.ends(out=RESULT)
    with pytest.raises(SystemExit, match="'V': 2.*\nThe tables are as they were"):
        script()
    assert sizes_in(own_tables, "costs") == sizes_in(own_tables, "huffman") == [99]


def test_a_run_that_is_interrupted_leaves_the_tables(script, processes, own_tables, capsys):
    processes.ends(out=RESULT)
    processes.answers.append(KeyboardInterrupt())
    with pytest.raises(SystemExit) as end:
        script()
    assert end.value.code == 130
    assert "the tables are as they were" in capsys.readouterr().out
    assert sizes_in(own_tables, "costs") == sizes_in(own_tables, "huffman") == [99]


def test_list_names_every_row_and_measures_none(processes, own_tables, arguments, capsys):
    arguments("--list")
    bench_cost.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(bench_cost.settings()) + 1
    assert lines[-1] == f"{len(bench_cost.settings())} rows"
    assert processes.commands == []


def test_one_row_is_printed_and_no_table_changed(own_tables, arguments, clock, capsys, tmp_path):
    arguments("--one", json.dumps(row_of()))
    bench_cost.main()
    assert json.loads(capsys.readouterr().out)["seconds"] == 3
    assert list(tmp_path.iterdir()) == []
