"""Binary trees over the vocabulary: Huffman, balanced and hand-made; each word's path and signs."""

import heapq
from dataclasses import dataclass

import psutil
import torch
from jaxtyping import Int
from torch import Tensor

from utils.checks import check_counts


@dataclass(frozen=True, eq=False)
class Tree:
    """A full binary tree with one word at each leaf (D2L figure 15.2.1).

    children (V-1, 2): for each inner node its left and right child; an id below V is a word, V + i is inner node i.
    paths (V, D): ids of the inner nodes n(w, 1), n(w, 2), .. from the root to the word's parent, padded with 0.
    signs (V, D): [[n(w, j+1) is the left child]], +1 for left, -1 for right, 0 for padding (15.2.7), int8.
    depths (V,): decisions on the way to the word, L(w) - 1.
    """

    children: Int[Tensor, "n 2"]
    paths: Int[Tensor, "V D"]
    signs: Int[Tensor, "V D"]
    depths: Int[Tensor, "V"]

    def __len__(self) -> int:
        return len(self.depths)

    def expected_depth(self, counts) -> float:
        """sum over words of p(w) (L(w) - 1): the mean number of decisions for a word drawn by `counts`."""
        counts = check_counts(counts, zeros=True)
        if len(counts) != len(self):
            raise ValueError(f"{len(counts)} counts for a tree of {len(self)} words")
        if not counts.any():
            raise ValueError("all counts are 0: there is no mean depth")
        return ((counts / counts.sum()) @ self.depths.double()).item()


def tree_from_children(children) -> Tree:
    """The tree of the given (left, right) pairs, one for each inner node: child w < V is word w, V + i is inner node i.

    For V words there are V - 1 pairs, in any order. Raises ValueError unless they form one full binary tree: a node
    with one child, a node with two parents, a cycle or an orphan is named. MemoryError where the padded paths would
    not fit.
    """
    pairs = [
        tuple(pair) for pair in (children.tolist() if isinstance(children, Tensor) else children)
    ]
    V = len(pairs) + 1
    if V < 2:
        raise ValueError(
            f"a tree needs at least 2 words, so at least 1 inner node; got {len(pairs)} inner nodes"
        )
    for i, pair in enumerate(pairs):
        if len(pair) != 2 or None in pair:
            raise ValueError(
                f"inner node {i} has children {pair}; in a full binary tree each inner node has two"
            )
        if any(isinstance(c, float) or not 0 <= c < 2 * V - 1 for c in pair):
            raise ValueError(
                f"inner node {i} has children {pair}; with {V - 1} inner nodes a child is a whole number, "
                f"0 to {V - 1} for a word and {V} to {2 * V - 2} for an inner node"
            )
    table = torch.tensor(pairs)
    times = torch.bincount(table.flatten(), minlength=2 * V - 1)
    if (times > 1).any():
        raise ValueError(
            f"{_name(int(times.argmax()), V)} is a child {int(times.max())} times; a node has one parent"
        )
    roots = (times == 0).nonzero().flatten()
    if (
        len(roots) != 1 or roots[0] < V
    ):  # 2V - 2 child places, 2V - 1 nodes: exactly one has no parent
        raise ValueError(
            f"{_name(int(roots[0]), V)} has no parent and no children: it is an orphan"
        )

    depth = torch.full((2 * V - 1,), -1)  # from the root down, one level at a time
    level, d = roots, 0
    while len(level):
        depth[level] = d
        level, d = table[level[level >= V] - V].flatten(), d + 1
    if (depth < 0).any():
        raise ValueError(
            f"{_name(int((depth < 0).nonzero()[0]), V)} cannot be reached from the root: there is a cycle"
        )
    return Tree(table, *_paths(table, depth, V))


def _name(node: int, V: int) -> str:
    return f"word {node}" if node < V else f"inner node {node - V}"


def _paths(children, depth, V):
    depths = depth[:V]
    D = int(depths.max())
    bytes_needed, available = V * D * 9, psutil.virtual_memory().available
    if bytes_needed > available / 2:
        raise MemoryError(
            f"padded paths of {V} words and depth {D} take {bytes_needed / 1e9:.1f} GB, more than half "
            f"of the {available / 1e9:.1f} GB that are free; use a flatter tree or a smaller vocabulary"
        )
    parent = torch.zeros(2 * V - 1, dtype=torch.int64)
    side = torch.zeros(2 * V - 1, dtype=torch.int8)
    for column, sign in ((0, 1), (1, -1)):
        parent[children[:, column]] = torch.arange(V - 1)
        side[children[:, column]] = sign
    paths = torch.zeros(V, D, dtype=torch.int64)
    signs = torch.zeros(V, D, dtype=torch.int8)
    word, node = torch.arange(V), torch.arange(V)
    step = depths - 1  # climb from all leaves at once, writing the paths backwards
    while len(word):
        paths[word, step] = parent[node]
        signs[word, step] = side[node]
        climbs = step > 0
        word, node, step = word[climbs], parent[node[climbs]] + V, step[climbs] - 1
    return paths, signs, depths.clone()


def huffman_merges(counts) -> list[tuple[int, int]]:
    """Huffman's merges in order: the two rarest trees become the left (rarest) and right child of a new node V + i.

    O(V log V), with a heap. Equal counts are taken in order of age: words first, by id, then merged nodes. Source:
    Huffman (1952).
    """
    counts = check_counts(counts, zeros=False).tolist()
    V = len(counts)
    heap = [(count, node) for node, count in enumerate(counts)]
    heapq.heapify(heap)
    merges = []
    while len(heap) > 1:
        (a, left), (b, right) = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, (a + b, V + len(merges)))
        merges.append((left, right))
    return merges


def huffman_tree(counts) -> Tree:
    """The Huffman tree of positive counts (V,): no tree has a smaller expected depth. Inner node 0 is the root."""
    merges = huffman_merges(counts)
    V = len(merges) + 1
    table = (
        torch.tensor(merges, dtype=torch.int64).reshape(-1, 2).flip(0)
    )  # the last merge is the root: inner node 0
    return tree_from_children(torch.where(table < V, table, 3 * V - 2 - table))


def balanced_tree(size: int) -> Tree:
    """The complete binary tree of `size` words: depths differ by at most 1, inner node 0 is the root.

    Where size is no power of 2 the first words have the shorter paths.
    """
    inner = torch.arange(max(size - 1, 0))
    table = torch.stack(
        [2 * inner + 1, 2 * inner + 2], dim=1
    )  # a heap: leaves are size-1 .. 2 size-2
    return tree_from_children(torch.where(table < size - 1, table + size, table - (size - 1)))
