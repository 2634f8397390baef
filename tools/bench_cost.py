"""Measure what one gradient costs on this machine; write notebooks/data/costs.csv and huffman.csv.

    python -m tools.bench_cost          every row, about half an hour
    python -m tools.bench_cost --list   which rows, without measuring them

Leave the machine alone while it measures. Each row is measured in five processes of its own, with
one thread; all rows take their turn before any is measured again, so that a slow minute of the
machine spreads over the table. Rows that do not fit into memory are left out. The tables are
written at the end: a run that fails or is interrupted leaves them as they were.
"""

import sys

import torch

from tools import measuring
from utils import costs, tables
from utils.objectives import OBJECTIVES, make_objective
from utils.tree import huffman_tree
from utils.vocabulary import keep_probability

COMMAND = "make bench-cost"
SIZES = [30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
OPTIMIZERS = ("SGD", "Adagrad", "SparseAdam", "Adam")
DEFAULTS = {
    "objective": "negative sampling",
    "V": 10_000,
    "d": 100,
    "K": 5,
    "batch": 256,
    "optimizer": "SGD",
}
ENVIRONMENT = measuring.ONE_THREAD | measuring.NO_PROGRESS_BAR | measuring.KEEP_MEMORY
PROCESSES = 5
SECONDS_PER_RUN = 0.4  # the steps of a timed run take about as long, within these bounds
FEWEST_STEPS = 5
MOST_STEPS = 401


def settings() -> list[dict]:
    """Every row to measure: what its group varies is named `varied`, the rest is as in DEFAULTS."""
    rows = for_each_objective("V", SIZES)
    rows += [{"varied": "K", "K": K} for K in (1, 2, 4, 8, 16, 32, 64)]
    rows += for_each_objective("d", (50, 100, 200, 300))
    rows += for_each_objective("batch", (1, 4, 16, 64, 256, 1024, 4096))
    rows += [
        {"varied": "optimizer", "optimizer": name, "V": V}
        for V in SIZES[3::2]
        for name in OPTIMIZERS
    ]
    return [DEFAULTS | row for row in rows]


def for_each_objective(varied: str, values) -> list[dict]:
    return [
        {"varied": varied, "objective": name, varied: value}
        for value in values
        for name in OBJECTIVES
    ]


def measure(row: dict) -> dict:
    """The row with what was counted, and with the seconds per pair of whole training steps.

    `dot_products` and `rows` are means over words drawn by their counts; `padded` is what the
    padded batches really computed. `bytes` are those that operators read and write, per pair;
    `calls` is operators per step. `peak_mb` is the most that tensors held at one time: it is
    counted, since the size of a process also depends on what it held before. `seconds` is the
    median step's of this process, divided by the batch.
    """
    torch.set_num_threads(1)
    counts = costs.zipf_counts(row["V"])
    sparse = row["optimizer"] != "Adam"  # torch's Adam takes no sparse gradient
    options = {} if sparse else {"sparse": False}
    objective = make_objective(
        row["objective"], counts, row["d"], num_negatives=row["K"], **options
    )
    step = {
        "batch": row["batch"],
        "optimizer": getattr(torch.optim, row["optimizer"]),
        "sparse": sparse,
    }
    cost = costs.counted(objective, counts)
    seen = costs.traffic(objective, counts, **step)
    return {
        **row,
        "dot_products": round(cost.dot_products, 3),
        "rows": round(cost.rows, 3),
        "padded": round(seen.dot_products, 3),
        "bytes": round(seen.bytes),
        "calls": round(seen.calls),
        "seconds": time_steps(objective, counts, step),
        "peak_mb": round(seen.peak / 1e6, 3),
    }


def time_steps(objective, counts, step: dict) -> float:
    """Seconds per pair; a first step tells how many steps the timed run should take."""
    reset(objective)
    first = costs.timed(objective, counts, warmup=0, repeats=1, **step)
    steps = SECONDS_PER_RUN / (first * step["batch"])
    steps = int(min(MOST_STEPS, max(FEWEST_STEPS, steps)))
    reset(objective)
    return costs.timed(objective, counts, repeats=steps, **step)


def reset(objective) -> None:
    """Back to a new objective's weights; building Huffman's tree anew would take long."""
    with torch.no_grad():
        objective.weight.zero_()
    objective.weight.grad = None


def huffman_row(V: int) -> dict:
    """Expected depths of Huffman's tree before and after subsampling, for Zipf counts of V words.

    `depth_thinned` is the depth of the old tree for the counts that word2vec's rule (t = 1e-3)
    leaves, `depth_rebuilt` the depth of a tree built from these. `entropy` is in bits, `kept` the
    share of words that is left.
    """
    counts = costs.zipf_counts(V)
    kept = counts * keep_probability(counts, rule="word2vec")
    share = counts.double() / counts.sum()
    tree = huffman_tree(counts)
    depths = {
        "entropy": -(share * share.log2()).sum().item(),
        "depth": tree.expected_depth(counts),
        "depth_thinned": tree.expected_depth(kept),
        "depth_rebuilt": huffman_tree(kept).expected_depth(kept),
        "kept": (kept.sum() / counts.sum()).item(),
    }
    rounded = {name: round(value, 4) for name, value in depths.items()}
    return {"V": V, **rounded}


def measure_all(wanted: list[dict]) -> list[dict]:
    """The rows, each measured in PROCESSES processes, without those that do not fit into memory."""
    rows = []
    too_large = []
    for process in range(PROCESSES):
        for number, row in enumerate(wanted, start=1):
            if row in too_large:
                continue
            try:
                measured = measuring.measure_apart("bench_cost", row, ENVIRONMENT)
            except measuring.OutOfMemory as error:
                print(f"left out: {error}", flush=True)
                too_large.append(row)
                continue
            rows.append((row, {"process": process, **measured}))
            microseconds = 1e6 * measured["seconds"]
            place = f"round {process + 1} of {PROCESSES}, {number:2d} of {len(wanted)}"
            print(f"{place}: {describe(row)}: {microseconds:.3g} microseconds per pair", flush=True)
    # A row that did not fit in a later round is left out of the earlier ones, too.
    return [measured for row, measured in rows if row not in too_large]


def describe(row: dict) -> str:
    return (
        f"{row['varied']:9s} {row['objective']:20s} V={row['V']:<7d} d={row['d']} K={row['K']} "
        f"batch={row['batch']} {row['optimizer']}"
    )


def main() -> None:
    given = measuring.parse_arguments(__doc__, "list", "one")
    if given.one:
        measuring.print_measured(measure, given.one)
        return
    wanted = settings()
    if given.list:
        print(*map(describe, wanted), f"{len(wanted)} rows", sep="\n")
        return
    with measuring.stopping_cleanly("the tables are as they were"):
        try:
            rows = measure_all(wanted)
        except measuring.MeasurementFailed as error:
            sys.exit(f"failed: {error}\nThe tables are as they were.")
        depths = [huffman_row(V) for V in SIZES[3:]]
    # Only now, so that an interrupted run leaves the old tables.
    tables.save("costs", rows, COMMAND)
    tables.save("huffman", depths, COMMAND)
    print("lesson 07 plots these tables: `python -m tools.execute 07` runs it afresh")


if __name__ == "__main__":
    main()
