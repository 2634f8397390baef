"""Binary trees over the vocabulary: Huffman, balanced and hand-made; each word's path and signs."""

import heapq
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from utils.checks import Whole, check_counts, check_memory, whole_number


@dataclass(frozen=True, eq=False)
class Tree:
    """A full binary tree with one word at each leaf (D2L figure 15.2.1).

    children (V-1, 2): each inner node's left and right child; an id below V is a word, V + i is
    inner node i. paths (V, D): ids of the inner nodes n(w, 1), n(w, 2), .. from the root to the
    word's parent, padded with 0. signs (V, D): [[n(w, j+1) is the left child]], +1 for left, -1 for
    right, 0 for padding (15.2.7), int8. depths (V,): decisions on the way to the word, L(w) - 1.
    """

    children: Int[Tensor, "n 2"]
    paths: Int[Tensor, "V D"]
    signs: Int[Tensor, "V D"]
    depths: Int[Tensor, "V"]

    def __len__(self) -> int:
        return len(self.depths)

    def expected_depth(self, counts) -> float:
        """sum over words of p(w) (L(w) - 1).

        The mean number of decisions for a word of the text.
        """
        counts = check_counts(counts, zeros=True)
        if len(counts) != len(self):
            raise ValueError(f"{len(counts)} counts for a tree of {len(self)} words")
        if not counts.any():
            raise ValueError("all counts are 0: there is no mean depth")
        return ((counts / counts.sum()) @ self.depths.double()).item()


def tree_from_children(children) -> Tree:
    """The tree of the given (left, right) pairs, one for each inner node, in any order.

    Child w < V is word w, V + i is inner node i; for V words there are V - 1 pairs. Raises
    ValueError unless they form one full binary tree: a node with one child, a node with two
    parents, a cycle or an orphan is named. MemoryError where the padded paths would not fit.
    """
    table = _checked_children(children)
    V = len(table) + 1
    root = _root(table, V)
    depth = _depths(table, root, V)
    return Tree(table, *_paths(table, depth, V))


def _checked_children(children) -> Tensor:
    """The pairs as a (V-1, 2) tensor; ValueError unless each is two nodes that there can be."""
    if isinstance(children, Tensor):
        children = children.tolist()
    pairs = [tuple(pair) for pair in children]
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
        if any(isinstance(child, float) or not 0 <= child < 2 * V - 1 for child in pair):
            raise ValueError(
                f"inner node {i} has children {pair}; with {V - 1} inner nodes a child is a whole "
                f"number, 0 to {V - 1} for a word and {V} to {2 * V - 2} for an inner node"
            )
    return torch.tensor(pairs)


def _root(table: Tensor, V: int) -> int:
    """The one node without a parent."""
    times = torch.bincount(table.flatten(), minlength=2 * V - 1)
    if (times > 1).any():
        twice = int(times.argmax())
        raise ValueError(
            f"{_name(twice, V)} is a child {int(times.max())} times; a node has one parent"
        )
    # There are 2V - 2 places for children and 2V - 1 nodes: exactly one has no parent.
    root = int((times == 0).nonzero()[0])
    if root < V:
        raise ValueError(f"{_name(root, V)} has no parent and no children: it is an orphan")
    return root


def _depths(table: Tensor, root: int, V: int) -> Tensor:
    """The depth of each node (2V - 1,), from the root down, one level at a time."""
    depth = torch.full((2 * V - 1,), -1)
    level = torch.tensor([root])
    steps = 0
    while len(level):
        depth[level] = steps
        inner = level[level >= V] - V
        level = table[inner].flatten()
        steps += 1
    unreached = (depth < 0).nonzero().flatten()
    if len(unreached):
        lost = _name(int(unreached[0]), V)
        raise ValueError(f"{lost} cannot be reached from the root: there is a cycle")
    return depth


def _name(node: int, V: int) -> str:
    return f"word {node}" if node < V else f"inner node {node - V}"


def _paths(table: Tensor, depth: Tensor, V: int) -> tuple[Tensor, Tensor, Tensor]:
    """(paths, signs, depths) of all words: climb from all leaves at once, writing backwards."""
    depths = depth[:V].clone()
    D = int(depths.max())
    check_memory(9 * V * D, f"the padded paths of {V} words and depth {D}")
    parent = torch.zeros(2 * V - 1, dtype=torch.int64)
    side = torch.zeros(2 * V - 1, dtype=torch.int8)
    for column, sign in ((0, 1), (1, -1)):
        parent[table[:, column]] = torch.arange(V - 1)
        side[table[:, column]] = sign
    paths = torch.zeros(V, D, dtype=torch.int64)
    signs = torch.zeros(V, D, dtype=torch.int8)
    word = torch.arange(V)
    node = word
    step = depths - 1
    while len(word):
        paths[word, step] = parent[node]
        signs[word, step] = side[node]
        climbs = step > 0
        word = word[climbs]
        node = parent[node[climbs]] + V
        step = step[climbs] - 1
    return paths, signs, depths


def huffman_merges(counts) -> list[tuple[int, int]]:
    """Huffman's merges in order: each makes a new node V + i of the two rarest trees.

    The rarest becomes its left child, the next its right child. O(V log V), by a heap.
    Equal counts are taken in order of age: words first, by id, then merged nodes.
    Source: Huffman (1952).
    """
    counts = check_counts(counts, zeros=False).tolist()
    V = len(counts)
    heap = [(count, node) for node, count in enumerate(counts)]
    heapq.heapify(heap)
    merges = []
    while len(heap) > 1:
        rarest, left = heapq.heappop(heap)
        next_rarest, right = heapq.heappop(heap)
        heapq.heappush(heap, (rarest + next_rarest, V + len(merges)))
        merges.append((left, right))
    return merges


def huffman_tree(counts) -> Tree:
    """The Huffman tree of positive counts (V,): no tree has a smaller expected depth.

    Inner node 0 is the root. Raises ValueError for counts that are not positive and finite, or for
    fewer than two words.
    """
    merges = huffman_merges(counts)
    V = len(merges) + 1
    # The last merge is the root, inner node 0: the merges are numbered anew from the end.
    table = torch.tensor(merges, dtype=torch.int64).reshape(-1, 2).flip(0)
    return tree_from_children(torch.where(table < V, table, 3 * V - 2 - table))


def balanced_tree(size: Whole) -> Tree:
    """The complete binary tree of `size` words, whose depths differ by at most 1.

    Where size is no power of 2 the first words have the shorter paths.
    """
    size = whole_number("the number of words", size, least=2)
    inner = torch.arange(size - 1)
    # As in a heap, node i has the children 2i + 1 and 2i + 2; leaves are size - 1 .. 2 size - 2.
    table = torch.stack([2 * inner + 1, 2 * inner + 2], dim=1)
    return tree_from_children(torch.where(table < size - 1, table + size, table - (size - 1)))
