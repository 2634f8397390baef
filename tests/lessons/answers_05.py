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


def plain_entropy(counts):
    p = counts / counts.sum()
    return -(p * torch.log2(p)).sum()


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


def sorted_once(counts):
    weights = sorted(counts.tolist())
    total = 0
    while len(weights) > 1:
        merged = weights.pop(0) + weights.pop(0)
        weights.insert(0, merged)
        total += merged
    return total


def to_the_end(counts):
    weights = sorted(counts.tolist())
    total = 0
    while len(weights) > 1:
        weights.append(weights.pop(0) + weights.pop(0))
        total += weights[-1]
    return total


def stops_early(counts):
    weights = counts.tolist()
    total = 0
    while len(weights) > 2:
        weights.sort()
        weights.append(weights.pop(0) + weights.pop(0))
        total += weights[-1]
    return total


def the_largest(counts):
    weights = counts.tolist()
    total = 0
    while len(weights) > 1:
        weights.sort()
        weights.append(weights.pop() + weights.pop())
        total += weights[-1]
    return total


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


def chain_of_ranks(counts):
    V = len(counts)
    depths = torch.zeros(V)
    for rank, w in enumerate(counts.argsort(descending=True)):
        depths[w] = min(rank + 1, V - 1)
    return depths


def shannon_fano(counts):
    """(the sum of all weights, the depths) of the tree that is split from the top."""
    depths = torch.zeros(len(counts))

    def split(words):
        if len(words) == 1:
            return 0
        weights = [int(counts[w]) for w in words]
        cut = min(range(1, len(words)), key=lambda i: abs(sum(weights[:i]) - sum(weights[i:])))
        depths[words] += 1
        return sum(weights) + split(words[:cut]) + split(words[cut:])

    return split(sorted(range(len(counts)), key=lambda w: -counts[w])), depths


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("5.1", lambda counts, depths: depths.double().mean(), "plain mean"),
    ("5.3", lambda counts: shannon_fano(counts)[0], "splits from the top"),
    ("5.3", lambda counts: 10**400, "too large for a float"),
    ("5.4", lambda counts: shannon_fano(counts)[1], "splits from the top"),
    ("5.4", lambda counts: [None] * len(counts), "not all numbers"),
    ("5.1", lambda counts, depths: counts @ depths, "Not normalised"),
    ("5.1", lambda counts, depths: (counts * depths).sum() // counts.sum(), "rounded down"),
    ("5.1", lambda counts, depths: (counts / counts.sum()) @ (depths + 1.0), "One too many"),
    ("5.1", lambda counts, depths: counts / counts.sum() * depths, "Add them up"),
    ("5.1", lambda counts, depths: math.log2(len(counts)), "balanced"),
    ("5.1", lambda counts, depths: (counts / counts.sum()) @ depths, "RuntimeError"),
    ("5.1", shares_in_place, "changed its input"),
    ("5.2", plain_entropy, "nan"),
    ("5.2", math_entropy, "math domain|expected a positive"),
    ("5.2", lambda counts: -loop_entropy(counts), "sign"),
    ("5.2", lambda counts: torch.special.entr(counts / counts.sum()).sum(), "nats"),
    ("5.2", lambda counts: torch.special.entr(counts.double()).sum() / math.log(2), "normalise"),
    ("5.2", lambda counts: math.log2(len(counts)), "log2 V"),
    ("5.2", lambda counts: loop_entropy(counts + 1), "1 was added"),
    ("5.3", sorted_once, "chain"),
    ("5.3", to_the_end, "end of the line"),
    ("5.3", stops_early, "last merge"),
    ("5.3", the_largest, "most frequent"),
    ("5.3", lambda counts: heap_total(counts) / counts.sum(), "expected depth"),
    ("5.3", lambda counts: counts.sum(), "last merge only"),
    ("5.3", never_ends, "IndexError"),
    ("5.3", sorts_in_place, "changed its input"),
    ("5.4", chain_of_ranks, "chain"),
    ("5.4", lambda counts: huffman_tree(counts).depths + 1, "L(w)"),
    ("5.4", lambda counts: sorted(sets_of_words(counts)), "sorted"),
    ("5.4", lambda counts: torch.ceil(-torch.log2(counts / counts.sum())), "rounded up"),
    ("5.4", lambda counts: huffman_tree(counts.sort().values).depths, "sorted"),
    ("5.4", lambda counts: heap_total(counts) / counts.sum(), "each word"),
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
