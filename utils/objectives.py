"""Three objectives, each (hidden, targets) -> loss: full softmax, negative sampling, hierarchical.

Each keeps one table of output vectors, `.weight`, which starts at zero, so the first loss is known
beforehand: ln V, (K + 1) ln 2, and depth times ln 2. Losses are per pair, in nats.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from utils.checks import Real, Whole, check_ids, check_memory, one_of, whole_number
from utils.noise import NoiseDistribution
from utils.tree import Tree, huffman_tree


def softmax_loss(
    hidden: Float[Tensor, "B d"],
    weight: Float[Tensor, "V d"],
    targets: Int[Tensor, "B"],
) -> Float[Tensor, "B"]:
    """-log P(w_o | w_c) in nats per pair (15.1.7).

    That is log sum over V of exp(u_i.v_c) - u_o.v_c.
    """
    scores = hidden @ weight.T  # (B, d) @ (d, V) -> (B, V)
    return F.cross_entropy(scores, targets, reduction="none")  # (B, V) -> (B,)


def yes_no_loss(
    hidden: Float[Tensor, "B d"],
    weight: Float[Tensor, "R d"],
    ids: Int[Tensor, "B Q"],
    signs: Int[Tensor, "B Q"],
    sparse: bool = True,
) -> Float[Tensor, "B"]:
    """-sum over Q of log sigma(sign u.v), in nats per pair (15.2.6, -log of 15.2.7).

    Each of a pair's Q questions has one row u of `weight` and one answer:
    sign +1 is yes, -1 is no, 0 is no question.
    """
    rows = F.embedding(ids, weight, sparse=sparse)  # (B, Q, d)
    scores = (rows * hidden[:, None]).sum(dim=2)  # (B, Q, d) * (B, 1, d) -> (B, Q)
    asked = signs != 0
    return -(F.logsigmoid(signs * scores) * asked).sum(dim=1)  # (B, Q) -> (B,)


class Cost(NamedTuple):
    """What one pair's gradient costs, as means over the given targets.

    `padded` is the number of dot products that a padded batch computes.
    """

    dot_products: float
    rows: float
    padded: float


class Objective(nn.Module):
    """What all objectives share: the table of output vectors, `.weight` (rows, d), and checks.

    `.size` is V. Raises ValueError for d below 1 or fewer than 2 words, MemoryError where the table
    would not fit.
    """

    def __init__(self, rows: int, d: Whole, size: int):
        super().__init__()
        d = whole_number("the dimension d", d)
        if rows < 1 or size < 2:
            raise ValueError(f"the vocabulary has {size} words; predicting one needs at least 2")
        check_memory(4 * rows * d, f"a table of {rows:,} output vectors of {d:,} coordinates")
        self.size = size
        self.weight = nn.Parameter(torch.zeros(rows, d))

    def check(self, hidden: Tensor, targets: Tensor | None = None) -> None:
        """ValueError or IndexError unless hidden vectors and targets fit this objective."""
        d = self.weight.shape[1]
        if hidden.shape[-1] != d:
            raise ValueError(
                f"hidden vectors have {hidden.shape[-1]} coordinates, the output vectors {d}; "
                "build both with the same d"
            )
        if targets is not None:
            check_ids(targets, self.size)


class FullSoftmax(Objective):
    """-log P(w_o | w_c) (15.1.4, 15.1.7): every word is scored for every pair.

    `.weight` (V, d), with a dense gradient.
    """

    def __init__(self, V: Whole, d: Whole):
        V = whole_number("V", V)
        super().__init__(V, d, V)

    def loss(self, hidden: Float[Tensor, "B d"], targets: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Nats per pair."""
        self.check(hidden, targets)
        return softmax_loss(hidden, self.weight, targets)

    def log_prob(self, hidden: Float[Tensor, "B d"]) -> Float[Tensor, "B V"]:
        """The logarithm of each word's probability."""
        self.check(hidden)
        return torch.log_softmax(hidden @ self.weight.T, dim=1)

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        """V dot products and V rows, whatever the target."""
        check_ids(targets, self.size)
        return Cost(self.size, self.size, self.size)


class NegativeSampling(Objective):
    """-log sigma(u_o.v) - sum over K noise words of log sigma(-u_h.v) (15.2.6).

    `.weight` (V, d), with a sparse gradient; `sparse=False` makes it dense, to show what that
    costs. `on_hit` says what becomes of a draw that equals the target: "keep" it (15.2.6 as
    written), "skip" it (word2vec.c, gensim) or "redraw" it (fastText).
    """

    def __init__(
        self,
        V: Whole,
        d: Whole,
        noise: NoiseDistribution,
        num_negatives: Whole = 5,
        on_hit: str = "keep",
        sparse: bool = True,
    ):
        V = whole_number("V", V)
        num_negatives = whole_number("num_negatives (K)", num_negatives)
        one_of("on_hit", on_hit, ("keep", "skip", "redraw"))
        if len(noise) != V:
            raise ValueError(f"the noise distribution has {len(noise)} words, the vocabulary {V}")
        super().__init__(V, d, V)
        self.noise = noise
        self.num_negatives = num_negatives
        self.on_hit = on_hit
        self.sparse = sparse

    def draw(self, targets: Int[Tensor, "B"]) -> Int[Tensor, "B K"]:
        """K noise words for each target; under "redraw" none of them equals it."""
        negatives = self.noise.sample((len(targets), self.num_negatives))
        if self.on_hit != "redraw":
            return negatives
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
        """Nats per pair; `negatives`, where given, are used as they are, hits included."""
        self.check(hidden, targets)
        skips = negatives is None and self.on_hit == "skip"
        if negatives is None:
            negatives = self.draw(targets)
        else:
            check_ids(negatives, self.size, "noise word")
        signs = -torch.ones_like(negatives)  # the noise words' answer is no,
        if skips:
            signs[negatives == targets[:, None]] = 0
        signs = F.pad(signs, (1, 0), value=1)  # the true pair's is yes
        ids = torch.cat([targets[:, None], negatives], dim=1)
        return yes_no_loss(hidden, self.weight, ids, signs, self.sparse)

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        """K + 1 dot products and rows, whatever the target."""
        check_ids(targets, self.size)
        asked = self.num_negatives + 1
        return Cost(asked, asked, asked)


class HierarchicalSoftmax(Objective):
    """-log P(w_o | w_c) along the word's path (15.2.7), one yes/no question a step.

    `.weight` (V - 1, d), one row for each inner node, with a sparse gradient.
    """

    def __init__(self, d: Whole, tree: Tree):
        super().__init__(len(tree) - 1, d, len(tree))
        self.tree = tree

    def loss(self, hidden: Float[Tensor, "B d"], targets: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Nats per pair; paths are padded to the deepest word of this batch."""
        self.check(hidden, targets)
        depth = int(self.tree.depths[targets].max()) if len(targets) else 0
        nodes = self.tree.paths[targets, :depth]
        signs = self.tree.signs[targets, :depth]
        return yes_no_loss(hidden, self.weight, nodes, signs)

    def log_prob(self, hidden: Float[Tensor, "B d"]) -> Float[Tensor, "B V"]:
        """The logarithm of each leaf's probability; together they sum to 1 (15.2.9)."""
        self.check(hidden)
        scores = hidden @ self.weight.T  # (B, V - 1)
        log_prob = hidden.new_zeros(len(hidden), self.size)
        for nodes, signs in zip(self.tree.paths.T, self.tree.signs.T):  # one step of all walks
            log_prob = log_prob + F.logsigmoid(signs * scores[:, nodes]) * (signs != 0)
        return log_prob

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        """The targets' mean depth, and their largest, to which a batch is padded."""
        check_ids(targets, self.size)
        depths = self.tree.depths[targets].double()
        steps = depths.mean().item()
        return Cost(steps, steps, depths.max().item())


OBJECTIVES = ("full softmax", "negative sampling", "hierarchical softmax")


def make_objective(
    name: str, counts, d: Whole, *, num_negatives: Whole = 5, power: Real = 0.75, **options
) -> Objective:
    """The objective called `name`, one of OBJECTIVES, for words with these counts (V,).

    Negative sampling draws from counts^power and takes `options` such as on_hit="skip";
    hierarchical softmax walks down Huffman's tree of the counts. Raises ValueError for any other
    name.
    """
    one_of("objective", name, OBJECTIVES)
    V = len(counts)
    if name == "full softmax":
        return FullSoftmax(V, d)
    if name == "negative sampling":
        noise = NoiseDistribution(counts, power)
        return NegativeSampling(V, d, noise, num_negatives, **options)
    return HierarchicalSoftmax(d, huffman_tree(counts))
