"""The tree explorer: a vocabulary, a tree, a walk, and the probabilities at the leaves."""

import math

import torch
from traitlets import Enum, Float, Int, List, Unicode, validate

from utils.example import U_NODES, V_C
from utils.objectives import HierarchicalSoftmax
from utils.tree import Tree
from utils.widgets.common import vocabulary
from utils.widgets.common.base import LiveFigure, module, refuse, source
from utils.widgets.common.trees import TREES, tree_problem, vectors_problem
from utils.widgets.tree.picture import picture

REACH = 2


def node_vectors() -> list[list[float]]:
    """A vector for each of the 63 inner nodes that a tree may have.

    The running example's, then made-up ones.
    """
    turns = [(2.4 * i, 0.4 + 0.05 * (i % 9)) for i in range(len(U_NODES), vocabulary.MOST - 1)]
    return U_NODES.tolist() + [
        [round(r * math.cos(a), 1), round(r * math.sin(a), 1)] for a, r in turns
    ]


def problem(words, counts, tree, word, hidden, merges, vectors) -> str | None:
    """What is wrong with a state, in one sentence, or None. As `problemOf` in math.js."""
    if wrong := tree_problem(words, counts, word, tree):
        return wrong
    if len(hidden) != 2 or not all(abs(x) <= REACH for x in hidden):
        return f"hidden is {hidden}: it has two coordinates from -{REACH} to {REACH}"
    if merges is not None and not 0 <= merges < len(words):
        return f"merges is {merges}: {len(words)} words take 0 to {len(words) - 1} merges"
    return vectors_problem(vectors, len(words))


class TreeExplorer(LiveFigure):
    """Words at a tree's leaves: a walk step by step (15.2.7), leaves that sum to 1 (15.2.9).

    words: 8 to 64 different ones; counts: a whole number for each; tree: "D2L" (eight words),
    "balanced", "Huffman" or "chain"; word: whose walk is lit; hidden: v_c, two coordinates from -2
    to 2; merges: how many of Huffman's merges are done, None for all. Raises TraitError for
    anything else, and keeps its last good state.
    """

    _esm = module("tree/explorer.js")
    _css = source("common/base.css") + source("tree/explorer.css")
    title = "tree explorer"

    words = List(Unicode()).tag(sync=True)
    counts = List(Int()).tag(sync=True)
    tree = Enum(list(TREES)).tag(sync=True)
    word = Unicode().tag(sync=True)
    hidden = List(Float()).tag(sync=True)
    merges = Int(None, allow_none=True).tag(sync=True)
    vectors = List(List(Float())).tag(sync=True)

    def __init__(self, words=None, counts=None, tree=None, word=None, hidden=V_C, merges=None):
        words, counts, word = vocabulary.given(words, counts, word)
        super().__init__(
            words=words,
            counts=counts,
            word=word,
            tree=tree or ("D2L" if len(words) == 8 else "balanced"),
            hidden=[float(x) for x in hidden],
            merges=merges,
            vectors=node_vectors(),
        )

    @validate("words", "counts", "tree", "word", "hidden", "merges", "vectors")
    def _check(self, proposal):
        refuse(problem(**self.state() | {proposal.trait.name: proposal.value}))
        return proposal.value

    def walks(self) -> Tree:
        """The tree as it stands."""
        return TREES[self.tree](self.counts)

    def probabilities(self) -> torch.Tensor:
        """P(w | w_c) of every word, (V,) float64 (15.2.7)."""
        objective = HierarchicalSoftmax(2, self.walks()).double()
        with torch.no_grad():
            objective.weight.copy_(
                torch.tensor(self.vectors, dtype=torch.float64)[: len(self.words) - 1]
            )
            return objective.log_prob(torch.tensor([self.hidden], dtype=torch.float64))[0].exp()

    def picture(self):
        return picture(
            self.walks(),
            self.words,
            self.counts,
            self.word,
            self.probabilities(),
            self.tree,
            self.merges,
        )
