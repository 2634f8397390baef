"""Two models: each turns a window into a hidden vector, and hands it to any of the three objectives."""

from torch import nn


class SkipGram(nn.Module):
    """The hidden vector is the centre word's own vector, v_c. window: centre ids (B,).

    `.embedding.weight` (V, d) starts uniform within 0.5/d of zero (word2vec.c); `.objective` holds the output vectors.
    """

    def __init__(self, V: int, d: int, objective):
        super().__init__()
        if V < 2 or d < 1:
            raise ValueError(
                f"V is {V} and d is {d}; a model needs at least 2 words and 1 dimension"
            )
        if objective.size != V or objective.weight.shape[1] != d:
            raise ValueError(
                f"the model has V = {V}, d = {d}, its objective V = {objective.size}, "
                f"d = {objective.weight.shape[1]}; build both alike"
            )
        self.embedding = self._table(V, d)
        nn.init.uniform_(self.embedding.weight, -0.5 / d, 0.5 / d)
        self.objective = objective

    def _table(self, V, d):
        return nn.Embedding(V, d, sparse=True)

    def forward(self, window):
        return self.embedding(window)

    def loss(self, window, targets):
        """(B,) nats per pair."""
        return self.objective.loss(self(window), targets)


class CBOW(SkipGram):
    """The hidden vector is the mean of the context words' vectors (15.1.10). window: (context ids, offsets (B,)).

    Raises ValueError for a bag without words, which `nn.EmbeddingBag` would silently give the vector zero.
    """

    def _table(self, V, d):
        return nn.EmbeddingBag(V, d, mode="mean", sparse=True)

    def forward(self, window):
        ids, offsets = window
        empty = offsets.diff(append=offsets.new_tensor([len(ids)])) < 1
        if empty.any():
            raise ValueError(
                f"bag {int(empty.nonzero()[0])} (counted from 0) has no words, so there is no mean: leave "
                "out a centre word that has no neighbour, as cbow_batches does"
            )
        return self.embedding(ids, offsets)
