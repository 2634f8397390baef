"""Measure what one gradient costs on this machine, and write notebooks/data/costs.csv and huffman.csv.

    python -m tools.bench_cost        everything, about a quarter of an hour; leave the machine alone meanwhile

Each row is measured in a process of its own, with one thread, so that no row finds the memory that another one left.
That process keeps large blocks of memory for reuse (on Linux), so that the clock does not show how fast the system can
clear fresh ones.
Rows that do not fit into memory are left out. An interrupted or failed run leaves the tables as they were.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

COMMAND = "make bench-cost"
ROOT = Path(__file__).resolve().parents[1]
SIZES = [30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
OBJECTIVES = ["full softmax", "negative sampling", "hierarchical softmax"]
QUIET = {
    "OMP_NUM_THREADS": "1",  # one thread, and memory is kept: glibc only, others ignore it
    "MALLOC_MMAP_THRESHOLD_": str(2**33),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}
KILLED = (-9, 137)  # by the system, which takes back memory in this way
DEFAULTS = dict(objective="negative sampling", V=10_000, d=100, K=5, batch=256, optimizer="SGD")


def settings() -> list[dict]:
    """Every row to measure; `varied` names what a group of rows varies, the rest is as in DEFAULTS."""
    rows = [dict(varied="V", objective=name, V=V) for V in SIZES for name in OBJECTIVES]
    rows += [dict(varied="K", K=K) for K in (1, 2, 4, 8, 16, 32, 64)]
    rows += [
        dict(varied="d", objective=name, d=d) for d in (50, 100, 200, 300) for name in OBJECTIVES
    ]
    rows += [
        dict(varied="batch", objective=name, batch=B)
        for B in (1, 4, 16, 64, 256, 1024, 4096)
        for name in OBJECTIVES
    ]
    rows += [
        dict(varied="optimizer", optimizer=name, V=V)
        for V in SIZES[3::2]
        for name in ("SGD", "Adagrad", "SparseAdam", "Adam")
    ]
    return [DEFAULTS | row for row in rows]


def measure(row: dict) -> dict:
    """The row with what was counted, and with seconds a pair: the median of five runs, the fastest and the slowest.

    `dot_products` and `rows` are means over words drawn by their counts, `padded` is what the batches really computed.
    `bytes` are those that operators read and write, per pair; `calls` of operators are per step. `peak_mb` is the most
    that tensors held at one time: counted, since the size of the process also tells how large it was before.
    """
    import torch

    from utils import costs
    from utils.noise import NoiseDistribution
    from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
    from utils.tree import huffman_tree

    torch.set_num_threads(1)
    counts, dense = (
        costs.zipf_counts(row["V"]),
        row["optimizer"] == "Adam",
    )  # torch's Adam knows no sparse gradient
    noise = NoiseDistribution(counts)
    tree = huffman_tree(counts) if row["objective"] == "hierarchical softmax" else None

    def objective():
        if row["objective"] == "full softmax":
            return FullSoftmax(row["V"], row["d"])
        if tree is not None:
            return HierarchicalSoftmax(row["d"], tree)
        return NegativeSampling(row["V"], row["d"], noise, row["K"], sparse=not dense)

    options = dict(
        batch=row["batch"], optimizer=getattr(torch.optim, row["optimizer"]), sparse=not dense
    )
    cost = costs.counted(objective(), counts)
    seen = costs.traffic(objective(), counts, **options)
    first = costs.timed(objective(), counts, warmup=0, repeats=1, **options)
    repeats = int(min(401, max(5, 0.4 / (first * row["batch"]))))
    seconds = sorted(
        costs.timed(objective(), counts, repeats=repeats, seed=seed, **options) for seed in range(5)
    )
    return {
        **row,
        "dot_products": round(cost.dot_products, 3),
        "rows": round(cost.rows, 3),
        "padded": round(seen.dot_products, 3),
        "bytes": round(seen.bytes),
        "calls": round(seen.calls),
        "seconds": statistics.median(seconds),
        "fastest": seconds[0],
        "slowest": seconds[-1],
        "peak_mb": round(seen.peak / 1e6, 3),
    }


def huffman_row(V: int) -> dict:
    """Expected depths before and after thinning out frequent words (t = 1e-3, word2vec's rule), Zipf counts."""
    from utils import costs
    from utils.tree import huffman_tree
    from utils.vocabulary import keep_probability

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
    return {"V": V, **{name: round(value, 4) for name, value in depths.items()}}


def run(row: dict) -> dict | None:
    """`measure` in a process of its own; None, with a word, where memory does not suffice; other errors end all."""
    command = [sys.executable, "-m", "tools.bench_cost", "--one", json.dumps(row)]
    done = subprocess.run(command, text=True, capture_output=True, env=os.environ | QUIET, cwd=ROOT)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    said = (done.stderr.strip().splitlines() or [f"its process ended with code {done.returncode}"])[
        -1
    ]
    if done.returncode not in KILLED and not said.startswith("MemoryError"):
        sys.exit(f"{row} failed: {said}\nThe tables are as they were.")
    print(f"left out: {row}: {said}", flush=True)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--one", help=argparse.SUPPRESS
    )  # a row's settings: what a process of its own does
    given = parser.parse_args().one
    if given:
        print(json.dumps(measure(json.loads(given))))
        return
    from utils import tables

    rows, wanted = [], settings()
    for number, row in enumerate(wanted, start=1):
        if (done := run(row)) is not None:
            rows.append(done)
            what = (
                f"{row['varied']:9s} {row['objective']:20s} V={row['V']:<7d} d={row['d']} K={row['K']} "
                f"batch={row['batch']} {row['optimizer']}"
            )
            print(
                f"{number:2d} of {len(wanted)}: {what}: {1e6 * done['seconds']:.3g} microseconds a pair",
                flush=True,
            )
    thinned = [huffman_row(V) for V in SIZES[3:]]
    tables.save("costs", rows, COMMAND)  # only now, so an interrupted run leaves the old ones
    tables.save("huffman", thinned, COMMAND)
    print("lesson 07 plots these tables: `python -m tools.execute 07` runs it afresh")


if __name__ == "__main__":
    main()
