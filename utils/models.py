"""Two models: each turns a window into a hidden vector, for any of the objectives."""

from torch import nn

from utils.checks import Whole, check_memory, whole_number


class EmbeddingModel(nn.Module):
    """What the two models share: a table of word vectors, and an objective with its output vectors.

    A subclass makes the table and the hidden vector: `forward(inputs)` -> hidden (B, d).
    `.embedding.weight` (V, d) starts uniform within 0.5/d of zero, as in word2vec.c; `.objective`
    holds the output vectors. Raises ValueError unless V is at least 2, d at least 1, and the
    objective has the same V and d; MemoryError where the table would not fit.
    """

    def __init__(self, V: Whole, d: Whole, objective):
        super().__init__()
        V = whole_number("V", V, least=2)
        d = whole_number("d", d)
        if objective.size != V or objective.weight.shape[1] != d:
            raise ValueError(
                f"the model has V = {V}, d = {d}, its objective V = {objective.size}, "
                f"d = {objective.weight.shape[1]}; build both alike"
            )
        check_memory(4 * V * d, f"a table of {V:,} word vectors of {d:,} coordinates")
        self.embedding = self.make_table(V, d)
        nn.init.uniform_(self.embedding.weight, -0.5 / d, 0.5 / d)
        self.objective = objective

    def loss(self, inputs, targets):
        """The objective's loss for each pair: (B,) nats."""
        return self.objective.loss(self(inputs), targets)


class SkipGram(EmbeddingModel):
    """The hidden vector is the centre word's own vector, v_c. inputs: centre ids (B,)."""

    def make_table(self, V: int, d: int) -> nn.Module:
        return nn.Embedding(V, d, sparse=True)

    def forward(self, inputs):
        return self.embedding(inputs)


class CBOW(EmbeddingModel):
    """The hidden vector is the mean of the context words' vectors (15.1.10).

    inputs: (context ids, offsets (B,)), the form of `nn.EmbeddingBag`. Raises ValueError for a bag
    without words, which `nn.EmbeddingBag` would silently give the vector zero.
    """

    def make_table(self, V: int, d: int) -> nn.Module:
        return nn.EmbeddingBag(V, d, mode="mean", sparse=True)

    def forward(self, inputs):
        ids, offsets = inputs
        sizes = offsets.diff(append=offsets.new_tensor([len(ids)]))
        empty = (sizes < 1).nonzero().flatten()
        if len(empty):
            raise ValueError(
                f"bag {int(empty[0])} (counted from 0) has no words, so there is no mean: leave "
                "out a centre word that has no neighbour, as cbow_batches does"
            )
        return self.embedding(ids, offsets)
