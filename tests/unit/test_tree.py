"""Trees: what makes one full, what makes one Huffman's, and which input is refused."""

import heapq
from math import log2, nan
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils import checks
from utils.costs import zipf_counts
from utils.objectives import HierarchicalSoftmax
from utils.tree import balanced_tree, huffman_tree, tree_from_children

COUNTS = st.one_of(st.lists(st.integers(1, n), min_size=2, max_size=50) for n in (3, 10_000))
CHAIN = [(i, 8 + i + 1) for i in range(6)] + [(6, 7)]


@st.composite
def full_trees(draw):
    """(left, right) children of a random full tree, inner nodes in random order.

    Merge two nodes until one is left.
    """
    V = draw(st.integers(2, 25))
    ids = draw(st.permutations(range(V - 1)))
    nodes = list(range(V))
    children = [None] * (V - 1)
    for i in ids:
        pair = [nodes.pop(draw(st.integers(0, len(nodes) - 1))) for _ in range(2)]
        children[i] = tuple(pair)
        nodes.append(V + i)
    return children


def walk(tree, word):
    """From the root along the word's path and signs, by the children alone.

    Returns where it ends.
    """
    V = len(tree)
    node = (set(range(V, 2 * V - 1)) - set(tree.children.flatten().tolist())).pop()
    for step in range(int(tree.depths[word])):
        assert node == V + tree.paths[word, step]
        node = tree.children[node - V, {1: 0, -1: 1}[int(tree.signs[word, step])]].item()
    assert not tree.signs[word, int(tree.depths[word]) :].any()
    assert not tree.paths[word, int(tree.depths[word]) :].any()
    return node


@given(full_trees())
def test_paths_and_signs_lead_from_the_root_to_the_word(children):
    tree = tree_from_children(children)
    assert [walk(tree, word) for word in range(len(tree))] == list(range(len(tree)))
    assert tree.paths.shape == tree.signs.shape == (len(tree), tree.depths.max())
    assert tree.children.tolist() == [list(pair) for pair in children]


@given(full_trees())
def test_kraft_sum_is_one(children):
    assert (0.5 ** tree_from_children(children).depths.double()).sum().item() == 1


@given(full_trees(), st.integers(0, 1000))
def test_leaf_probabilities_of_any_full_tree_add_up_to_one(children, seed):
    """15.2.9 for random trees and random vectors."""
    generator = torch.Generator().manual_seed(seed)
    objective = HierarchicalSoftmax(3, tree_from_children(children)).double()
    with torch.no_grad():
        objective.weight.normal_(std=3, generator=generator)
    hidden = torch.randn(4, 3, generator=generator).double()
    torch.testing.assert_close(objective.log_prob(hidden).exp().sum(dim=1), torch.ones(4).double())


@given(COUNTS)
def test_huffman_depth_is_the_sum_of_merge_weights(counts):
    """An independent Huffman.

    With a heap of weights alone, the total of all merges is the sum of count * depth.
    """
    heap = counts.copy()
    total = 0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        heapq.heappush(heap, merged)
        total += merged
    tree = huffman_tree(counts)
    assert (tree.depths * torch.tensor(counts)).sum() == total
    assert tree.expected_depth(counts) == pytest.approx(total / sum(counts), rel=1e-12)


@given(COUNTS)
def test_huffman_depth_is_within_one_bit_of_the_entropy(counts):
    entropy = -sum(n / sum(counts) * log2(n / sum(counts)) for n in counts)
    depth = huffman_tree(counts).expected_depth(counts)
    assert entropy - 1e-9 <= depth < entropy + 1
    assert depth <= balanced_tree(len(counts)).expected_depth(counts) + 1e-9


@given(st.lists(st.integers(1, 50), min_size=2, max_size=30))
def test_huffman_depth_equals_gensims(counts):
    """The codes may differ where counts tie, the expected depth may not."""
    from gensim.models import Word2Vec

    peer = Word2Vec(vector_size=1, hs=1, negative=0, min_count=1, sorted_vocab=0)
    peer.build_vocab_from_freq({str(i): n for i, n in enumerate(counts)})
    total = sum(n * len(peer.wv.get_vecattr(str(i), "code")) for i, n in enumerate(counts))
    assert huffman_tree(counts).expected_depth(counts) == pytest.approx(
        total / sum(counts), rel=1e-12
    )


def test_huffman_of_equal_counts_is_balanced():
    assert huffman_tree([7] * 8).depths.tolist() == [3] * 8
    assert sorted(huffman_tree([1] * 6).depths.tolist()) == [2, 2, 3, 3, 3, 3]


def test_huffman_worked_by_hand():
    """1 + 1 = 2, 2 + 2 = 4, 4 + 4 = 8.

    A chain; the rarer half goes left, inner node 0 is the root.
    """
    tree = huffman_tree([8, 4, 2, 1, 1])
    assert tree.depths.tolist() == [1, 2, 3, 4, 4]
    assert tree.paths[:, 0].tolist() == [0] * 5
    assert huffman_tree([1, 2]).signs.tolist() == [[1], [-1]]
    assert tree.expected_depth([8, 4, 2, 1, 1]) == (8 + 2 * 4 + 3 * 2 + 4 + 4) / 16


@pytest.mark.parametrize("V, expected", [(1_000, 7.51), (10_000, 9.56)])
def test_huffman_depth_of_zipf_counts(V, expected):
    counts = zipf_counts(V)
    p = counts / counts.sum()
    depth = huffman_tree(counts).expected_depth(counts)
    assert depth == pytest.approx(expected, abs=0.005)
    assert 0.02 < depth + (p * p.log2()).sum().item() < 0.035


@pytest.mark.parametrize(
    "counts, message",
    [
        ([5, 0, 2], "count of word 1 is 0; counts must be above 0"),
        ([5, 2, -3], "count of word 2 is -3"),
        ([nan, 1], "count of word 0 is nan"),
        ([1, float("inf")], "count of word 1 is inf"),
        ([], "at least one word"),
        ([[1, 2], [3, 4]], r"shape \(2, 2\)"),
        ([3], "at least 2 words"),
    ],
)
def test_bad_counts_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        huffman_tree(counts)


@pytest.mark.parametrize(
    "children, message",
    [
        ([], "at least 2 words"),
        ([(0, 4), (1,)], r"inner node 1 has children \(1,\); .* two"),
        ([(0, 4), (1, None)], "inner node 1 .* two"),
        ([(0, 4), (1, 2, 3)], "inner node 1 .* two"),
        ([(0, 4), (1, 1)], "word 1 is a child 2 times"),
        ([(5, 6), (0, 6), (1, 2)], "inner node 2 is a child 2 times"),
        ([(0, 1), (2, 4)], "word 2 cannot be reached from the root: there is a cycle"),
        ([(0, 1), (2, 6), (3, 5)], "word 2 cannot be reached .* cycle"),
        ([(4, 3), (0, 1)], "word 2 has no parent .* orphan"),
        (
            [(0, 5), (1, 2)],
            r"inner node 0 has children \(0, 5\); .* 0 to 2 for a word and 3 to 4 for an inner",
        ),
        ([(0, 4), (-1, 2)], r"inner node 1 has children \(-1, 2\)"),
        ([(0, 4), (1, 2.0)], r"inner node 1 has children \(1, 2.0\)"),
    ],
)
def test_what_is_no_full_binary_tree_is_refused_by_name(children, message):
    with pytest.raises(ValueError, match=message):
        tree_from_children(children)


def test_a_tensor_of_children_is_as_good_as_a_list():
    assert (
        tree_from_children(torch.tensor(CHAIN)).paths.tolist()
        == tree_from_children(CHAIN).paths.tolist()
    )


@given(st.integers(2, 300))
def test_balanced_tree_has_two_neighbouring_depths(V):
    tree = balanced_tree(V)
    floor = V.bit_length() - 1
    deeper = 2 * (V - 2**floor)  # so many leaves do not fit into the last full level
    assert tree.depths.tolist() == [floor] * (V - deeper) + [floor + 1] * deeper
    assert (tree.paths[:, 0] == 0).all()
    assert [walk(tree, word) for word in range(V)] == list(range(V))


@pytest.mark.parametrize("size", [1, 0, -3])
def test_balanced_tree_needs_two_words(size):
    with pytest.raises(ValueError, match="number of words is .*whole number, at least 2"):
        balanced_tree(size)


def test_chain():
    tree = tree_from_children(CHAIN)
    assert tree.depths.tolist() == [1, 2, 3, 4, 5, 6, 7, 7]
    assert tree.paths[7].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert tree.signs[7].tolist() == [-1] * 7
    assert tree.signs[3].tolist() == [-1, -1, -1, 1, 0, 0, 0]


def test_expected_depth_takes_zero_counts_but_no_other_size():
    assert tree_from_children(CHAIN).expected_depth([0, 3, 0, 1, 0, 0, 0, 0]) == (3 * 2 + 4) / 4
    with pytest.raises(ValueError, match="3 counts for a tree of 8 words"):
        tree_from_children(CHAIN).expected_depth([1, 2, 3])
    with pytest.raises(ValueError, match="0"):
        tree_from_children(CHAIN).expected_depth([0] * 8)


def test_a_tree_too_deep_for_the_memory_is_refused(monkeypatch):
    """8 words * 7 steps * 9 bytes are 504 bytes, more than half of 1007 but not of 1008."""
    monkeypatch.setattr(checks.psutil, "virtual_memory", lambda: SimpleNamespace(available=1007))
    with pytest.raises(MemoryError, match="8 words and depth 7 would take .* GB"):
        tree_from_children(CHAIN)
    monkeypatch.setattr(checks.psutil, "virtual_memory", lambda: SimpleNamespace(available=1008))
    assert len(tree_from_children(CHAIN)) == 8
