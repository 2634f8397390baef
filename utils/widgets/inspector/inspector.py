"""The gradient inspector.

Which rows one pair moves, how far and which way, under each of the three objectives.
"""

import math
import random

import torch
from torch import Tensor
from traitlets import Dict, Enum, Float, Int, List, Unicode, validate

from utils.example import CENTRE, CONTEXT, NOISE, U_NODES, V_C, WORDS, U
from utils.noise import NoiseDistribution
from utils.objectives import Cost
from utils.widgets.common import vocabulary
from utils.widgets.common.base import LiveFigure, module, refuse, source
from utils.widgets.common.trees import TREES
from utils.widgets.inspector.picture import picture
from utils.widgets.inspector.steps import METHODS, Answer, ask, objective_of, problem, replay

# the running example has one centre vector, bank's; those of its other words are made up here
V_ROWS = [
    [0.2, 0.9],
    [-0.4, 0.6],
    [0.5, 0.8],
    [-0.1, 1.0],
    [0.9, -0.3],
    [0.6, -0.7],
    V_C.tolist(),
    [-0.8, 0.3],
]


def made_up(size: int, seed: int) -> list[list[float]]:
    """So many vectors of two coordinates, 0.3 to 1.1 long, the same ones for the same seed."""
    rng = random.Random(seed)
    turns = [(rng.uniform(0.3, 1.1), rng.uniform(0, 2 * math.pi)) for _ in range(size)]
    return [[round(r * math.cos(angle), 2), round(r * math.sin(angle), 2)] for r, angle in turns]


class GradientInspector(LiveFigure):
    """One pair's gradients side by side: error times vector, drawn, listed and counted.

    words: 8 to 64 different ones; counts: a whole number for each, from which come the noise
    distribution (to the power 0.75) and Huffman's tree; centre, context: two of the words;
    negatives: 1 to 10 noise words, as words or ids, hits and repeats as given; rate: 0.01 to 100;
    methods: some of "full", "ns", "hs"; tree: "D2L" (eight words), "balanced", "Huffman" or
    "chain"; taken: the steps done so far, at most 100, each a dict of centre, context, negatives
    and rate; centre_rows (V, 2), output_rows (V, 2), node_rows (V - 1, 2): the vectors to start
    from. Vectors that are not given are made up, for the running example its own. Raises TraitError
    for anything else, also for steps that leave -20 to 20, and keeps its last good state.
    """

    _esm = module("inspector/inspector.js")
    _css = source("common/base.css") + source("inspector/inspector.css")
    title = "gradient inspector"

    words = List(Unicode()).tag(sync=True)
    counts = List(Int()).tag(sync=True)
    tree = Enum(list(TREES)).tag(sync=True)
    centre = Unicode().tag(sync=True)
    context = Unicode().tag(sync=True)
    negatives = List(Unicode()).tag(sync=True)
    rate = Float().tag(sync=True)
    methods = List(Unicode()).tag(sync=True)
    centre_rows = List(List(Float())).tag(sync=True)
    output_rows = List(List(Float())).tag(sync=True)
    node_rows = List(List(Float())).tag(sync=True)
    taken = List(Dict()).tag(sync=True)

    def __init__(
        self,
        words=None,
        counts=None,
        centre=None,
        context=None,
        negatives=None,
        rate=1.0,
        methods=tuple(METHODS),
        tree=None,
        taken=(),
        centre_rows=None,
        output_rows=None,
        node_rows=None,
    ):
        words, counts, _ = vocabulary.given(words, counts, context)
        example = words == WORDS
        V = len(words)
        if negatives is None:
            negatives = NOISE if example else self._first_draw(counts)
        centre = centre or (WORDS[CENTRE] if WORDS[CENTRE] in words else next(iter(words), ""))
        context = context or next(
            (w for w in (WORDS[CONTEXT], *words) if w in words and w != centre), ""
        )
        start = (
            dict(centre_rows=V_ROWS, output_rows=U, node_rows=U_NODES)
            if example
            else dict(
                centre_rows=made_up(V, 1), output_rows=made_up(V, 2), node_rows=made_up(V - 1, 3)
            )
        )
        start |= {
            name: rows
            for name, rows in (
                ("centre_rows", centre_rows),
                ("output_rows", output_rows),
                ("node_rows", node_rows),
            )
            if rows is not None
        }
        super().__init__(
            words=words,
            counts=counts,
            centre=centre,
            context=context,
            methods=list(methods),
            rate=float(rate),
            negatives=[_name(words, word) for word in negatives],
            taken=list(taken),
            tree=tree or ("D2L" if example else "Huffman"),
            **{name: [[float(x) for x in row] for row in rows] for name, rows in start.items()},
        )

    @staticmethod
    def _first_draw(counts, K=5):
        """K noise words drawn from q, the same each time.

        None where q cannot be made (the check says why).
        """
        if not counts or min(counts) < 1:
            return []
        return NoiseDistribution(counts).sample((K,), torch.Generator().manual_seed(0)).tolist()

    @validate(
        "words",
        "counts",
        "tree",
        "centre",
        "context",
        "negatives",
        "rate",
        "methods",
        "centre_rows",
        "output_rows",
        "node_rows",
        "taken",
    )
    def _check(self, proposal):
        refuse(problem(**self.state() | {proposal.trait.name: proposal.value}))
        return proposal.value

    def tables(self, method: str) -> tuple[Tensor, Tensor]:
        """Centre rows (V, 2) and output rows of "full", "ns" or "hs" after the steps taken,
        float64.
        """
        return replay(self.state(), method)[0][-1]

    def answer(self, method: str) -> Answer:
        """The pair's loss and gradients as things stand, by automatic differentiation."""
        return ask(self._objective(method), *self.tables(method), self.words, self.state())

    def cost(self, method: str) -> Cost:
        """What this pair's gradient costs: `objective.cost`."""
        return self._objective(method).cost(torch.tensor([self.words.index(self.context)]))

    def _objective(self, method):
        return objective_of(method, self.counts, self.tree, len(self.negatives))

    def picture(self):
        return picture(self)


def _name(words, word) -> str:
    """A word, or the word of an id."""
    if isinstance(word, str):
        return word
    refuse(
        None
        if 0 <= int(word) < len(words)
        else f"noise word {word}: ids run from 0 to {len(words) - 1}"
    )
    return words[int(word)]
