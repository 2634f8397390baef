"""Wrong and right answers to the exercises of lesson 05, written as a learner would."""

import heapq
import math
from collections import Counter

import numpy as np
import torch

from utils.tree import huffman_tree


def loop_expected(counts, depths):
    steps = 0
    for count, depth in zip(counts.tolist(), depths.tolist()):
        steps += count * depth
    return steps / sum(counts.tolist())


def shares_in_place(counts, depths):
    counts[:] = counts / counts.sum()
    return (counts * depths).sum()


def loop_entropy(counts):
    total = sum(counts.tolist())
    return -sum(c / total * math.log2(c / total) for c in counts.tolist() if c > 0)


def math_entropy(counts):
    return -sum(
        c / sum(counts.tolist()) * math.log2(c / sum(counts.tolist())) for c in counts.tolist()
    )


def heap_total(counts):
    heap = counts.tolist()
    total = 0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return total


def recursive_total(counts):
    first, *rest = sorted(int(c) for c in counts)
    if not rest:
        return 0
    return first + rest[0] + recursive_total([first + rest[0], *rest[1:]])


def never_ends(counts):
    heap = counts.tolist()
    heapq.heapify(heap)
    return heapq.heappop(heap) + heapq.heappop(heap) + heap[len(counts)]


def sorts_in_place(counts):
    counts.copy_(counts.sort(descending=True).values - 1)
    return recursive_total(counts)


def sets_of_words(counts):
    trees = [(c, {w}) for w, c in enumerate(counts.tolist())]
    depths = Counter()
    while len(trees) > 1:
        trees.sort(key=lambda tree: -tree[0])
        (a, left) = trees.pop()
        (b, right) = trees.pop()
        depths.update(left | right)
        trees.append((a + b, left | right))
    return [depths[w] for w in range(len(counts))]


def nested_tuples(counts):
    heap = [(int(c), w, w) for w, c in enumerate(counts)]
    heapq.heapify(heap)
    while len(heap) > 1:
        a = heapq.heappop(heap)
        b = heapq.heappop(heap)
        heapq.heappush(heap, (a[0] + b[0], a[1], (a[2], b[2])))
    depths = np.zeros(len(counts), dtype=np.float32)

    def visit(node, depth):
        if isinstance(node, tuple):
            visit(node[0], depth + 1)
            visit(node[1], depth + 1)
        else:
            depths[node] = depth

    visit(heap[0][2], 0)
    return depths


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("5.3", lambda counts: 10**400, "too large for a float"),
    ("5.4", lambda counts: [None] * len(counts), "not all numbers"),
    ("5.1", lambda counts, depths: (counts / counts.sum()) @ depths, "RuntimeError"),
    ("5.1", shares_in_place, "changed its input"),
    ("5.2", math_entropy, "math domain|expected a positive"),
    ("5.3", never_ends, "IndexError"),
    ("5.3", sorts_in_place, "changed its input"),
    ("5.4", lambda counts: torch.tensor([1, 2, 3, 3]), "shape"),
]

RIGHT = [  # (number, answer), each in another style
    ("5.1", loop_expected),
    ("5.1", lambda counts, depths: np.average(depths.numpy(), weights=counts.numpy())),
    ("5.1", lambda counts, depths: (counts / counts.sum()) @ depths.float()),
    ("5.2", loop_entropy),
    ("5.2", lambda counts: torch.special.entr(counts / counts.sum()).sum() / math.log(2)),
    ("5.2", lambda counts: torch.distributions.Categorical(counts.float()).entropy() / np.log(2)),
    ("5.3", heap_total),
    ("5.3", recursive_total),
    ("5.3", lambda counts: huffman_tree(counts).expected_depth(counts) * counts.sum()),
    ("5.4", sets_of_words),
    ("5.4", nested_tuples),
    ("5.4", lambda counts: huffman_tree(counts).depths),
]
