"""Two models: each turns a window into a hidden vector, for any of the objectives."""

from torch import nn


class EmbeddingModel(nn.Module):
    """What the two models share: a table of word vectors, and an objective with its output vectors.

    A subclass makes the hidden vector: `forward(inputs)` -> hidden (B, d). `.embedding.weight` (V,
    d) starts uniform within 0.5/d of zero, as in word2vec.c; `.objective` holds the output vectors.
    Raises ValueError unless V is at least 2, d at least 1, and the objective has the same V and d.
    """

    def __init__(self, V: int, d: int, objective, embedding: nn.Module):
        super().__init__()
        if objective.size != V or objective.weight.shape[1] != d:
            raise ValueError(
                f"the model has V = {V}, d = {d}, its objective V = {objective.size}, "
                f"d = {objective.weight.shape[1]}; build both alike"
            )
        self.embedding = embedding
        nn.init.uniform_(self.embedding.weight, -0.5 / d, 0.5 / d)
        self.objective = objective

    def loss(self, inputs, targets):
        """The objective's loss for each pair: (B,) nats."""
        return self.objective.loss(self(inputs), targets)


class SkipGram(EmbeddingModel):
    """The hidden vector is the centre word's own vector, v_c. inputs: centre ids (B,)."""

    def __init__(self, V: int, d: int, objective):
        _check_sizes(V, d)
        super().__init__(V, d, objective, nn.Embedding(V, d, sparse=True))

    def forward(self, inputs):
        return self.embedding(inputs)


class CBOW(EmbeddingModel):
    """The hidden vector is the mean of the context words' vectors (15.1.10).

    inputs: (context ids, offsets (B,)), the form of `nn.EmbeddingBag`. Raises ValueError for a bag
    without words, which `nn.EmbeddingBag` would silently give the vector zero.
    """

    def __init__(self, V: int, d: int, objective):
        _check_sizes(V, d)
        super().__init__(V, d, objective, nn.EmbeddingBag(V, d, mode="mean", sparse=True))

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


def _check_sizes(V: int, d: int) -> None:
    if V < 2 or d < 1:
        raise ValueError(f"V is {V} and d is {d}; a model needs at least 2 words and 1 dimension")
