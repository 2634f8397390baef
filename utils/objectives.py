"""Three objectives, each (hidden, targets) -> loss: the full softmax, negative sampling, hierarchical softmax.

Each keeps one table of output vectors, `.weight`, which starts at zero, so the first loss is known beforehand:
ln V, (K + 1) ln 2, and depth times ln 2. Losses are per pair, in nats.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from utils.checks import check_ids
from utils.noise import NoiseDistribution
from utils.tree import Tree, huffman_tree


def softmax_loss(
    hidden: Float[Tensor, "B d"], weight: Float[Tensor, "V d"], targets: Int[Tensor, "B"]
) -> Float[Tensor, "B"]:
    """-log P(w_o | w_c) = log sum over V of exp(u_i.v_c) - u_o.v_c, in nats per pair (15.1.7)."""
    scores = hidden @ weight.T  # (B, d) @ (d, V) -> (B, V)
    return F.cross_entropy(scores, targets, reduction="none")  # (B, V) -> (B,)


def yes_no_loss(
    hidden: Float[Tensor, "B d"],
    weight: Float[Tensor, "R d"],
    ids: Int[Tensor, "B Q"],
    signs: Int[Tensor, "B Q"],
    sparse: bool = True,
) -> Float[Tensor, "B"]:
    """-sum over Q of log sigma(sign u.v), in nats per pair: 15.2.6, and the negative logarithm of 15.2.7.

    Each of a pair's Q questions has one row u of `weight` and one answer: sign +1 is yes, -1 is no, 0 is no question.
    """
    rows = F.embedding(ids, weight, sparse=sparse)  # (B, Q, d)
    scores = (rows * hidden[:, None]).sum(dim=2)  # (B, Q, d) * (B, 1, d) -> (B, Q)
    return -(F.logsigmoid(signs * scores) * (signs != 0)).sum(dim=1)  # (B, Q) -> (B,)


class Cost(NamedTuple):
    """What one pair's gradient costs, as means over the given targets; `padded` is what a padded batch computes."""

    dot_products: float
    rows: float
    padded: float


class _Objective(nn.Module):
    def __init__(self, rows: int, d: int, size: int):
        super().__init__()
        if d < 1:
            raise ValueError(f"the dimension d is {d}; a vector has at least 1 coordinate")
        if rows < 1 or size < 2:
            raise ValueError(f"the vocabulary has {size} words; predicting one needs at least 2")
        self.size = size
        self.weight = nn.Parameter(torch.zeros(rows, d))

    def _check(self, hidden, targets):
        if hidden.shape[-1] != self.weight.shape[1]:
            raise ValueError(
                f"hidden vectors have {hidden.shape[-1]} coordinates, the output vectors "
                f"{self.weight.shape[1]}; build both with the same d"
            )
        if targets is not None:
            check_ids(targets, self.size)


class FullSoftmax(_Objective):
    """-log P(w_o | w_c) (15.1.4, 15.1.7): every word is scored for every pair. weight (V, d), dense gradient."""

    def __init__(self, V: int, d: int):
        super().__init__(V, d, V)

    def loss(self, hidden: Float[Tensor, "B d"], targets: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        self._check(hidden, targets)
        return softmax_loss(hidden, self.weight, targets)

    def log_prob(self, hidden: Float[Tensor, "B d"]) -> Float[Tensor, "B V"]:
        self._check(hidden, None)
        return torch.log_softmax(hidden @ self.weight.T, dim=1)

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        check_ids(targets, self.size)
        return Cost(self.size, self.size, self.size)


class NegativeSampling(_Objective):
    """-log sigma(u_o.v) - sum over K noise words of log sigma(-u_h.v) (15.2.6). weight (V, d), sparse gradient.

    `on_hit` says what becomes of a draw that equals the target: "keep" it (15.2.6 as written), "skip" it
    (word2vec.c, gensim) or "redraw" it (fastText). `sparse=False` makes a dense gradient, to show what it costs.
    """

    def __init__(
        self,
        V: int,
        d: int,
        noise: NoiseDistribution,
        num_negatives: int = 5,
        on_hit: str = "keep",
        sparse: bool = True,
    ):
        super().__init__(V, d, V)
        if num_negatives < 1:
            raise ValueError(
                f"num_negatives (K) is {num_negatives}; at least 1 noise word is needed, without them the "
                "vectors collapse"
            )
        if on_hit not in ("keep", "skip", "redraw"):
            raise ValueError(f"on_hit is {on_hit!r}; choose 'keep', 'skip' or 'redraw'")
        if len(noise) != V:
            raise ValueError(f"the noise distribution has {len(noise)} words, the vocabulary {V}")
        self.noise, self.num_negatives, self.on_hit, self.sparse = (
            noise,
            num_negatives,
            on_hit,
            sparse,
        )

    def draw(self, targets: Int[Tensor, "B"]) -> Int[Tensor, "B K"]:
        """K noise words for each target; under "redraw" none of them equals it."""
        negatives = self.noise.sample((len(targets), self.num_negatives))
        if self.on_hit == "redraw":
            if (self.noise.probs[targets] > 1 - 1e-6).any():
                raise ValueError(
                    "on_hit='redraw' cannot end: the noise distribution draws nothing but the target"
                )
            while (hits := negatives == targets[:, None]).any():
                negatives[hits] = self.noise.sample(int(hits.sum()))
        return negatives

    def loss(
        self,
        hidden: Float[Tensor, "B d"],
        targets: Int[Tensor, "B"],
        negatives: Int[Tensor, "B K"] | None = None,
    ) -> Float[Tensor, "B"]:
        """`negatives`, where given, are used as they are, hits included."""
        self._check(hidden, targets)
        skip = negatives is None and self.on_hit == "skip"
        if negatives is None:
            negatives = self.draw(targets)
        else:
            check_ids(negatives, self.size, "noise word")
        signs = -torch.ones_like(negatives)
        if skip:
            signs[negatives == targets[:, None]] = 0
        signs = F.pad(signs, (1, 0), value=1)  # the true pair's yes, then the noise words' no
        ids = torch.cat([targets[:, None], negatives], dim=1)
        return yes_no_loss(hidden, self.weight, ids, signs, self.sparse)

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        check_ids(targets, self.size)
        return Cost(*[self.num_negatives + 1] * 3)


class HierarchicalSoftmax(_Objective):
    """-log P(w_o | w_c) along the word's path (15.2.7), one question a step. weight (V - 1, d), sparse gradient."""

    def __init__(self, d: int, tree: Tree):
        super().__init__(len(tree) - 1, d, len(tree))
        self.tree = tree

    def loss(self, hidden: Float[Tensor, "B d"], targets: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        self._check(hidden, targets)
        depth = (
            int(self.tree.depths[targets].max()) if len(targets) else 0
        )  # the deepest word of this batch
        nodes, signs = self.tree.paths[targets, :depth], self.tree.signs[targets, :depth]
        return yes_no_loss(hidden, self.weight, nodes, signs)

    def log_prob(self, hidden: Float[Tensor, "B d"]) -> Float[Tensor, "B V"]:
        """All leaves; they sum to 1 (15.2.9)."""
        self._check(hidden, None)
        scores = hidden @ self.weight.T  # (B, V - 1)
        total = hidden.new_zeros(len(hidden), self.size)
        for nodes, signs in zip(
            self.tree.paths.T, self.tree.signs.T
        ):  # one step of all walks at a time
            total = total + F.logsigmoid(signs * scores[:, nodes]) * (signs != 0)
        return total

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        check_ids(targets, self.size)
        depths = self.tree.depths[targets].double()
        steps = depths.mean().item()
        return Cost(steps, steps, depths.max().item())


OBJECTIVES = ("full softmax", "negative sampling", "hierarchical softmax")


def make_objective(
    name: str, counts, d: int, *, num_negatives: int = 5, power: float = 0.75, **options
):
    """The objective called `name`, one of OBJECTIVES, for words with these counts (V,).

    Negative sampling draws from counts^power and takes `options` such as on_hit="skip"; hierarchical
    softmax walks down Huffman's tree of the counts. Raises ValueError for any other name.
    """
    V = len(counts)
    if name == "full softmax":
        return FullSoftmax(V, d)
    if name == "negative sampling":
        noise = NoiseDistribution(counts, power)
        return NegativeSampling(V, d, noise, num_negatives, **options)
    if name == "hierarchical softmax":
        return HierarchicalSoftmax(d, huffman_tree(counts))
    raise ValueError(f"objective is {name!r}; choose one of {', '.join(map(repr, OBJECTIVES))}")
