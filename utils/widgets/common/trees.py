"""The trees that figures offer, and the rules for them."""

import math

from utils.tree import Tree, balanced_tree, huffman_tree, tree_from_children
from utils.widgets.common import vocabulary


def chain_tree(size: int) -> Tree:
    """Word i to the left of inner node i, all further words to the right: the deepest tree."""
    pairs = [(i, size + i + 1) for i in range(size - 2)]
    return tree_from_children([*pairs, (size - 2, size - 1)])


TREES = {
    "D2L": lambda counts: balanced_tree(8),
    "balanced": lambda counts: balanced_tree(len(counts)),
    "Huffman": huffman_tree,
    "chain": lambda counts: chain_tree(len(counts)),
}


def tree_problem(words, counts, word, tree) -> str | None:
    """What is wrong with a vocabulary and its tree, in one sentence, or None.

    The same rules as `treeProblem` in trees.js.
    """
    if wrong := vocabulary.problem(words, counts, word):
        return wrong
    if tree == "D2L" and len(words) != 8:
        return (
            f"D2L's tree has 8 leaves, this vocabulary {len(words)} words: "
            "'balanced' is that shape for any number"
        )
    return None


def vectors_problem(vectors, size: int) -> str | None:
    """What is wrong with the vectors of a tree's inner nodes, in one sentence, or None."""
    right = all(len(u) == 2 and all(map(math.isfinite, u)) for u in vectors)
    if len(vectors) < size - 1 or not right:
        return f"each of {size - 1} inner nodes needs a vector of two coordinates"
    return None
