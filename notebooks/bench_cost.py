"""Measure what one gradient costs on this machine, and write notebooks/data/costs.csv and huffman.csv.

    python notebooks/bench_cost.py        everything, about a quarter of an hour; leave the machine alone meanwhile

Each row is measured in a process of its own, with one thread, so that peak memory belongs to that row alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

COMMAND = "make bench-cost"
SIZES = [30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
OBJECTIVES = ["full softmax", "negative sampling", "hierarchical softmax"]
DEFAULTS = dict(objective="negative sampling", V=10_000, d=100, K=5, batch=256, optimizer="SGD")


def settings() -> list[dict]:
    """Every row to measure; `varied` names what a group of rows varies, the rest is as in DEFAULTS."""
    rows = [dict(varied="V", objective=name, V=V) for V in SIZES for name in OBJECTIVES]
    rows += [dict(varied="K", K=K) for K in (1, 2, 4, 8, 16, 32, 64)]
    rows += [dict(varied="d", objective=name, d=d) for d in (50, 100, 200, 300) for name in OBJECTIVES]
    rows += [dict(varied="batch", objective=name, batch=B) for B in (1, 4, 16, 64, 256, 1024, 4096)
             for name in OBJECTIVES]
    rows += [dict(varied="optimizer", optimizer=name, V=V) for V in SIZES[3::2] for name in
             ("SGD", "Adagrad", "SparseAdam", "Adam")]
    return [DEFAULTS | row for row in rows]


def measure(row: dict) -> dict:
    """The row with its counts, bytes, seconds a pair (median and quartiles) and peak memory."""
    import torch

    from utils import costs
    from utils.noise import NoiseDistribution
    from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
    from utils.tree import huffman_tree

    torch.set_num_threads(1)
    counts, dense = costs.zipf_counts(row["V"]), row["optimizer"] == "Adam"      # torch's Adam knows no sparse gradient
    noise = NoiseDistribution(counts)
    tree = huffman_tree(counts) if row["objective"] == "hierarchical softmax" else None

    def objective():
        if row["objective"] == "full softmax":
            return FullSoftmax(row["V"], row["d"])
        if tree is not None:
            return HierarchicalSoftmax(row["d"], tree)
        return NegativeSampling(row["V"], row["d"], noise, row["K"], sparse=not dense)

    options = dict(batch=row["batch"], optimizer=getattr(torch.optim, row["optimizer"]), sparse=not dense)
    cost = costs.counted(objective(), counts)
    padded = costs.counted(objective(), counts, pairs=row["batch"]).padded
    costs.timed(FullSoftmax(64, 8), costs.zipf_counts(64), repeats=2)    # what torch loads at its first step
    before = peak_bytes()
    first = costs.timed(objective(), counts, warmup=0, repeats=1, **options)
    repeats = int(min(401, max(5, 0.4 / (first * row["batch"]))))
    seconds = sorted(costs.timed(objective(), counts, repeats=repeats, seed=seed, **options) for seed in range(5))
    peak = peak_bytes() - before
    return {**row, "dot_products": round(cost.dot_products, 3), "rows": round(cost.rows, 3), "padded": padded,
            "bytes": round(costs.traffic(objective(), counts, **options)), "seconds": statistics.median(seconds),
            "fastest": seconds[0], "slowest": seconds[-1], "peak_mb": round(peak / 1e6, 1)}


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def huffman_row(V: int) -> dict:
    """Expected depths before and after thinning out frequent words (t = 1e-3, word2vec's rule), Zipf counts."""
    from utils import costs
    from utils.corpus import keep_probability
    from utils.tree import huffman_tree

    counts = costs.zipf_counts(V)
    kept = counts * keep_probability(counts, rule="word2vec")
    share = counts.double() / counts.sum()
    tree = huffman_tree(counts)
    depths = {"entropy": -(share * share.log2()).sum().item(), "depth": tree.expected_depth(counts),
              "depth_thinned": tree.expected_depth(kept), "depth_rebuilt": huffman_tree(kept).expected_depth(kept),
              "kept": (kept.sum() / counts.sum()).item()}
    return {"V": V, **{name: round(value, 4) for name, value in depths.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", help=argparse.SUPPRESS)           # a row's settings: what a process of its own does
    given = parser.parse_args().one
    if given:
        print(json.dumps(measure(json.loads(given))))
        return
    from utils import tables

    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    rows = []
    for number, row in enumerate(settings(), start=1):
        done = subprocess.run([sys.executable, Path(__file__), "--one", json.dumps(row)], env=environment, text=True,
                              capture_output=True)
        if done.returncode:
            print(f"{row} was left out: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"{number:2d} of {len(settings())}: {rows[-1]['varied']:9s} {row['objective']:20s} V={row['V']:<7d} "
              f"d={row['d']} K={row['K']} batch={row['batch']} {row['optimizer']}: {1e6 * rows[-1]['seconds']:.3g} "
              f"microseconds a pair, {rows[-1]['peak_mb']:.0f} MB", flush=True)
    tables.save("costs", rows, COMMAND)
    tables.save("huffman", [huffman_row(V) for V in SIZES[3:]], COMMAND)


if __name__ == "__main__":
    main()
