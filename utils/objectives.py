"""Objectives, each (hidden, targets) -> loss in nats per pair.

The three of section 15.2, full softmax, negative sampling and hierarchical softmax, keep one table
of output vectors, `.weight`, which starts at zero, so the first loss is known beforehand: ln V,
(K + 1) ln 2, and depth times ln 2. Their relatives follow: noise contrastive estimation and sampled
softmax (lesson 10), adaptive softmax (lesson 11).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from utils.checks import (
    Real,
    Whole,
    check_counts,
    check_ids,
    check_memory,
    one_of,
    whole_number,
)
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


def row_scores(
    hidden: Float[Tensor, "B d"],
    weight: Float[Tensor, "R d"],
    ids: Int[Tensor, "B Q"],
    sparse: bool = True,
) -> Float[Tensor, "B Q"]:
    """The scores u.v of each pair's own Q rows of `weight`: the first half of yes_no_loss."""
    rows = F.embedding(ids, weight, sparse=sparse)  # (B, Q, d)
    return (rows * hidden[:, None]).sum(dim=2)  # (B, Q, d) * (B, 1, d) -> (B, Q)


def noise_contrastive_loss(scores: Float[Tensor, "B Q"]) -> Float[Tensor, "B"]:
    """-log sigma(first) - sum of log sigma(-others), in nats per pair (15.2.6).

    The true word's score comes first. Scores s - log(K q) make it the loss of noise
    contrastive estimation, s itself that of negative sampling; -inf asks nothing.
    Source: Gutmann and Hyvarinen (2010), Mnih and Teh (2012).
    """
    yes = F.logsigmoid(scores[:, 0])
    no = F.logsigmoid(-scores[:, 1:]).sum(dim=1)  # (B, K) -> (B,)
    return -yes - no


def sampled_softmax_loss(scores: Float[Tensor, "B Q"]) -> Float[Tensor, "B"]:
    """-log of the first word's share in a softmax over all Q words, in nats per pair.

    The true word's score comes first. With s - log(K q) for scores its gradient
    estimates the full softmax's (Bengio and Senecal, 2008). A score of -inf takes a
    word out.
    """
    return scores.logsumexp(dim=1) - scores[:, 0]


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
        ids, hits = self.questions(hidden, targets, negatives)
        signs = -torch.ones_like(ids[:, 1:])  # the noise words' answer is no,
        if hits is not None:
            signs[hits] = 0
        signs = F.pad(signs, (1, 0), value=1)  # the true pair's is yes
        return yes_no_loss(hidden, self.weight, ids, signs, self.sparse)

    def questions(
        self,
        hidden: Float[Tensor, "B d"],
        targets: Int[Tensor, "B"],
        negatives: Int[Tensor, "B K"] | None = None,
    ) -> tuple[Int[Tensor, "B Q"], Bool[Tensor, "B K"] | None]:
        """The words that are asked about, the true one first, and which draws are to be skipped."""
        self.check(hidden, targets)
        skips = negatives is None and self.on_hit == "skip"
        if negatives is None:
            negatives = self.draw(targets)
        else:
            check_ids(negatives, self.size, "noise word")
        ids = torch.cat([targets[:, None], negatives], dim=1)  # (B, K + 1)
        return ids, (negatives == targets[:, None]) if skips else None

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        """K + 1 dot products and rows, whatever the target."""
        check_ids(targets, self.size)
        asked = self.num_negatives + 1
        return Cost(asked, asked, asked)


class NoiseContrastive(NegativeSampling):
    """15.2.6 with s - log(K q) in place of the score s: noise contrastive estimation.

    K q(w) is how often a word comes as noise per pair, on average, so the best free score is
    log p(w | w_c) itself: the scores are logarithms of probabilities without being divided by their
    sum (Mnih and Teh, 2012). `.weight` (V, d), with a sparse gradient, starts at zero; `on_hit` is
    "keep" or "skip", and "keep" is right. Raises ValueError for a word that is never drawn, since
    log 0 is no score.
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
        one_of("on_hit", on_hit, ("keep", "skip"))
        super().__init__(V, d, noise, num_negatives, on_hit, sparse)
        self.check_noise()

    def check_noise(self) -> None:
        """ValueError where q is 0 for a word: it can be true, and log(K q) is not finite."""
        never = (self.noise.probs == 0).nonzero().flatten()
        if len(never):
            raise ValueError(
                f"the noise distribution never draws word {int(never[0])}, so log(K q) is -inf: "
                "give every word a count above 0, or take NegativeSampling"
            )

    def log_expected(self, ids: Int[Tensor, "B Q"], dtype: torch.dtype) -> Float[Tensor, "B Q"]:
        """log(K q) of words: the logarithm of how often each comes as noise per pair."""
        return (self.num_negatives * self.noise.probs[ids]).log().to(dtype)

    def scores(
        self,
        hidden: Float[Tensor, "B d"],
        targets: Int[Tensor, "B"],
        negatives: Int[Tensor, "B K"] | None = None,
    ) -> Float[Tensor, "B Q"]:
        """s - log(K q) of the true word and the noise words; -inf for a hit that is skipped.

        Raises ValueError for other than K noise words, since K is in the correction.
        """
        wanted = (len(targets), self.num_negatives)
        if negatives is not None and tuple(negatives.shape) != wanted:
            raise ValueError(
                f"negatives have shape {tuple(negatives.shape)}; give (B, K) = {wanted}, or build "
                "the objective with that num_negatives"
            )
        ids, hits = self.questions(hidden, targets, negatives)
        scores = row_scores(hidden, self.weight, ids, self.sparse)
        corrected = scores - self.log_expected(ids, scores.dtype)
        if hits is None:
            return corrected
        return corrected.masked_fill(F.pad(hits, (1, 0)), -torch.inf)

    def loss(
        self,
        hidden: Float[Tensor, "B d"],
        targets: Int[Tensor, "B"],
        negatives: Int[Tensor, "B K"] | None = None,
    ) -> Float[Tensor, "B"]:
        """Nats per pair; `negatives`, where given, are used as they are, hits included."""
        return noise_contrastive_loss(self.scores(hidden, targets, negatives))


class SampledSoftmax(NoiseContrastive):
    """The softmax over the true word and K drawn ones, of s - log(K q) (Jean et al., 2015).

    Its gradient estimates the full softmax's. With hits kept the bias vanishes as K grows. With
    "skip", TensorFlow's default, the gradient tends to the full one over 1 - P(w_o | w_c) instead.
    `correct=False` leaves log(K q) out, as one softmax over few words: its best score is then, with
    hits kept, log p - log q plus a constant. The other arguments and errors are NoiseContrastive's;
    without the correction a word may have q = 0.
    """

    def __init__(
        self,
        V: Whole,
        d: Whole,
        noise: NoiseDistribution,
        num_negatives: Whole = 5,
        on_hit: str = "keep",
        sparse: bool = True,
        *,
        correct: bool = True,
    ):
        self.correct = correct
        super().__init__(V, d, noise, num_negatives, on_hit, sparse)

    def check_noise(self) -> None:
        if self.correct:
            super().check_noise()

    def log_expected(self, ids: Int[Tensor, "B Q"], dtype: torch.dtype) -> Float[Tensor, "B Q"]:
        if not self.correct:
            return torch.zeros(ids.shape, dtype=dtype)
        return super().log_expected(ids, dtype)

    def loss(
        self,
        hidden: Float[Tensor, "B d"],
        targets: Int[Tensor, "B"],
        negatives: Int[Tensor, "B K"] | None = None,
    ) -> Float[Tensor, "B"]:
        """Nats per pair; `negatives`, where given, are used as they are, hits included."""
        return sampled_softmax_loss(self.scores(hidden, targets, negatives))


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


class AdaptiveSoftmax(Objective):
    """A tree of two storeys, built for products of matrices, exactly normalised.

    Source: Grave et al. (2017). Ids are sorted by frequency, and `cutoffs` cuts them into a head,
    0 to cutoffs[0] - 1, and clusters that follow. P(w | w_c) is P(w) in a softmax over the head's
    words and the clusters, or, for a word of cluster i, P(cluster i) times P(w) in a softmax within
    the cluster, whose vectors have only d // 4^(i+1) coordinates (at least 1).

    `.weight` (cutoffs[0] + clusters, d) is the head's table. `.narrow[i]` (d_i, d) takes a hidden
    vector to cluster i's coordinates and `.tails[i]` (words of the cluster, d_i) holds its words.
    All gradients are dense. `.weight` and the tails start at zero. Raises ValueError for cutoffs
    that do not rise, or leave no word to a cluster.
    """

    def __init__(self, V: Whole, d: Whole, cutoffs):
        V = whole_number("V", V)
        d = whole_number("the dimension d", d)
        if V < 2:
            raise ValueError(f"the vocabulary has {V} words; predicting one needs at least 2")
        if not isinstance(cutoffs, list | tuple):
            raise ValueError(f"the cutoffs are {cutoffs!r}; give a list such as [100, 500]")
        cutoffs = [whole_number("a cutoff", cutoff) for cutoff in cutoffs]
        ends = [*cutoffs, V]
        if not cutoffs or any(later <= earlier for earlier, later in zip(ends, ends[1:])):
            raise ValueError(
                f"the cutoffs are {cutoffs} for {V} words; give at least one, each larger than the "
                "one before and the last below V"
            )
        super().__init__(cutoffs[0] + len(cutoffs), d, V)
        self.ends = ends
        self.narrow = nn.ParameterList()
        self.tails = nn.ParameterList()
        for i, (start, end) in enumerate(zip(ends, ends[1:])):
            width = max(1, d // 4 ** (i + 1))
            check_memory(4 * width * (d + end - start), f"cluster {i} of {end - start:,} words")
            self.narrow.append(nn.Parameter(torch.empty(width, d)))
            nn.init.uniform_(self.narrow[-1], -(d**-0.5), d**-0.5)
            self.tails.append(nn.Parameter(torch.zeros(end - start, width)))

    def loss(self, hidden: Float[Tensor, "B d"], targets: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Nats per pair: one softmax over the head, and one in each cluster that a target hits."""
        self.check(hidden, targets)
        in_head = targets.clone()  # a word of the head, or the row of its cluster
        losses = hidden.new_zeros(len(hidden))
        for i, (start, end) in enumerate(zip(self.ends, self.ends[1:])):
            hit = ((targets >= start) & (targets < end)).nonzero().flatten()
            in_head[hit] = self.ends[0] + i
            if len(hit):
                narrowed = hidden[hit] @ self.narrow[i].T  # (b, d) @ (d, d_i) -> (b, d_i)
                within = softmax_loss(narrowed, self.tails[i], targets[hit] - start)
                losses = losses.index_add(0, hit, within)
        return losses + softmax_loss(hidden, self.weight, in_head)

    def log_prob(self, hidden: Float[Tensor, "B d"]) -> Float[Tensor, "B V"]:
        """The logarithm of each word's probability; together they sum to 1."""
        self.check(hidden)
        head = torch.log_softmax(hidden @ self.weight.T, dim=1)
        parts = [head[:, : self.ends[0]]]
        for i, (narrow, tail) in enumerate(zip(self.narrow, self.tails)):
            within = torch.log_softmax(hidden @ narrow.T @ tail.T, dim=1)
            parts.append(head[:, self.ends[0] + i, None] + within)
        return torch.cat(parts, dim=1)

    def cost(self, targets: Int[Tensor, "B"]) -> Cost:
        """Dot products of d coordinates: the head's, and each cluster's as often as it is hit.

        A product of d_i coordinates counts as d_i / d of one. `rows` counts vectors of all tables.
        Nothing is padded.
        """
        check_ids(targets, self.size)
        products = rows = float(len(self.weight))
        for start, end, narrow in zip(self.ends, self.ends[1:], self.narrow):
            share = ((targets >= start) & (targets < end)).double().mean().item()
            width, d = narrow.shape
            products += share * (width + (end - start) * width / d)
            rows += share * (width + end - start)
        return Cost(products, rows, products)


OBJECTIVES = ("full softmax", "negative sampling", "hierarchical softmax")
RELATIVES = ("noise contrastive estimation", "sampled softmax", "adaptive softmax")
DRAWING = {
    "negative sampling": NegativeSampling,
    "noise contrastive estimation": NoiseContrastive,
    "sampled softmax": SampledSoftmax,
}


def make_objective(
    name: str, counts, d: Whole, *, num_negatives: Whole = 5, power: Real = 0.75, **options
) -> Objective:
    """The objective called `name`, of OBJECTIVES or RELATIVES, for words with these counts (V,).

    Those that draw do so from counts^power and take `options` such as on_hit="skip"; hierarchical
    softmax walks down Huffman's tree of the counts; adaptive softmax cuts the words, unless told
    other `cutoffs`, after the first fiftieth and the first fifth. Raises ValueError for any other
    name, for options that the objective does not have, and for counts as `check_counts` does.
    """
    one_of("objective", name, OBJECTIVES + RELATIVES)
    counts = check_counts(counts, zeros=True)
    allowed = {"adaptive softmax": {"cutoffs"}, "sampled softmax": {"on_hit", "sparse", "correct"}}
    usual = {"on_hit", "sparse"} if name in DRAWING else set()
    for option in options.keys() - allowed.get(name, usual):
        raise ValueError(
            f"{name} has no option {option!r}; it has "
            f"{', '.join(sorted(allowed.get(name, usual))) or 'none'}"
        )
    V = len(counts)
    if name == "full softmax":
        return FullSoftmax(V, d)
    if name == "hierarchical softmax":
        return HierarchicalSoftmax(d, huffman_tree(counts))
    if name == "adaptive softmax":
        if (counts.diff() > 0).any():
            raise ValueError("adaptive softmax needs words sorted by frequency, as Vocab has them")
        cutoffs = sorted({max(1, V // 50), max(1, V // 5)})
        return AdaptiveSoftmax(V, d, options.get("cutoffs", cutoffs))
    noise = NoiseDistribution(counts, power)
    return DRAWING[name](V, d, noise, num_negatives, **options)
