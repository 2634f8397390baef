"""The compiled learners: rates, how often rows are asked, and what is checked on the way."""

import numpy as np
import pytest
import torch

from utils.fast import drawing
from utils.fast.blocks import reaches
from utils.fast.kernels import Scratch, Table
from utils.fast.learners import CBOW_LEARNERS, LEARNERS, CompiledLearner, Draws
from utils.tree import huffman_tree
from utils.vocabulary import Vocab

V = 12
d = 5
WINDOW = 3
K = 5
COMPILED = {
    "ns": LEARNERS["ns"],
    "hs": LEARNERS["hs"],
    "hs-exact": LEARNERS["hs-exact"],
    "cbow ns": CBOW_LEARNERS["ns"],
    "cbow hs": CBOW_LEARNERS["hs"],
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def toy_vocab():
    return Vocab([[f"w{i}"] * (40 // (i + 1) + 1) for i in range(V)], min_count=1)


def learner_of(name, vocab=None):
    vocab = vocab or toy_vocab()
    return COMPILED[name](vocab, torch.ones(len(vocab)).double(), WINDOW, K, 0.75)


def tables_of(learner, rates=1.0):
    return [
        Table(
            torch.randn(rows, d, generator=seeded()), torch.full((rows,), rates), learner.columns(d)
        )
        for rows in (V, learner.output_rows)
    ]


@pytest.mark.parametrize("name", COMPILED)
def test_a_piece_is_learned_in_chunks_each_at_its_own_rate(name, monkeypatch):
    """A sentence of the words 0 to 5, and, when the rate is 0 already, one of the others."""
    monkeypatch.setattr(CompiledLearner, "WORDS_PER_RATE", 6)
    learner = learner_of(name)
    tables = tables_of(learner)
    before = tables[0].vectors.clone()
    ids = torch.arange(V).repeat_interleave(torch.tensor([1] * 6 + [2] * 6))
    left, right = reaches((ids > 5).long(), WINDOW, seeded())
    text = tuple(part.int().numpy() for part in (ids, left, right))
    shares = []

    def rate(share):
        shares.append(share)
        return float(share == 0)

    tally = learner.learn(text, learner.own(len(ids), Draws(0, 0)), *tables, rate)
    assert shares == [0, 6 / 18, 12 / 18]
    assert (tables[0].vectors != before).any(dim=1).tolist() == [True] * 6 + [False] * 6
    pairs = int((left + right).sum())
    assert tally.pairs == (len(ids) if name.startswith("cbow") else pairs)


@pytest.mark.parametrize("name", ["ns", "cbow ns"])
def test_noise_words_are_asked_as_often_as_the_rates_suppose(name, sentences):
    """`visits` of the output rows: the mean over many passes, by q and by the true words."""
    vocab = Vocab(sentences, min_count=1)
    learner = learner_of(name, vocab)
    ids = vocab.encode([[word for sentence in sentences for word in sentence]])[0]
    counted = torch.zeros(len(vocab))
    for number in range(20):
        left, right = reaches(torch.zeros_like(ids), WINDOW, seeded(number))
        noise, shared, *weight = learner.own(len(ids), Draws(99, number))
        words = torch.from_numpy(noise).long().unfold(0, shared, 1)  # (places, shared)
        assert len(words) == len(ids)
        if name == "ns":
            n = (left + right).float()
            assert shared * weight[0] == pytest.approx(K)
            times = n * float(weight[0])
            counted.index_add_(0, ids, n / 20)  # as often in a window as it has words in its own
        else:
            times = torch.ones(len(ids))
            counted.index_add_(0, ids, times / 20)
        counted.index_add_(0, words.flatten(), times.repeat_interleave(shared) / 20)
    said = learner.visits[1].per_epoch
    torch.testing.assert_close(counted.double(), said, rtol=0.1, atol=1.0)


@pytest.mark.parametrize("name", ["hs", "cbow hs"])
def test_nodes_are_asked_as_often_as_the_rates_suppose(name, sentences):
    vocab = Vocab(sentences, min_count=1)
    learner = learner_of(name, vocab)
    tree = huffman_tree(vocab.counts)
    targets = vocab.counts.double() * (1 if name == "cbow hs" else WINDOW + 1)
    expected = torch.zeros(len(vocab) - 1).double()
    for word in range(len(vocab)):
        for node in tree.paths[word, : tree.depths[word]].tolist():
            expected[node] += targets[word]
    torch.testing.assert_close(learner.visits[1].per_epoch, expected)


def test_the_same_draws_learn_the_same_and_others_do_not():
    learner = learner_of("ns")
    piece = torch.tensor([*range(V), V] * 20, dtype=torch.int32)

    def learned(draws):
        tables = tables_of(learner, 0.1)
        learner.learn_piece(piece, draws, *tables, lambda share: 1.0, Scratch())
        return tables[0].vectors

    assert torch.equal(learned(Draws(1, 2)), learned(Draws(1, 2)))
    assert not torch.equal(learned(Draws(1, 2)), learned(Draws(1, 3)))
    assert not torch.equal(learned(Draws(1, 2)), learned(Draws(2, 2)))


@pytest.mark.parametrize("name", COMPILED)
def test_nothing_is_learned_from_what_leaves_the_tables(name):
    learner = learner_of(name)
    tables = tables_of(learner)
    before = [table.rows.clone() for table in tables]
    text = tuple(np.array(part, np.int32) for part in ([0, V], [0, 1], [1, 0]))
    with pytest.raises(IndexError, match="a word is 12"):
        learner.learn(text, learner.own(2, Draws(0, 0)), *tables, lambda share: 1.0)
    good = tuple(np.array(part, np.int32) for part in ([0, 1], [0, 1], [1, 0]))
    narrow = [Table(table.vectors.clone(), table.rates, learner.columns(d) + 1) for table in tables]
    with pytest.raises(ValueError, match="columns, these loops want"):
        learner.learn(good, learner.own(2, Draws(0, 0)), *narrow, lambda share: 1.0)
    assert all(torch.equal(table.rows, old) for table, old in zip(tables, before))


def test_too_few_noise_words_are_refused():
    learner = learner_of("ns")
    good = tuple(np.array(part, np.int32) for part in ([0, 1], [0, 1], [1, 0]))
    noise, *rest = learner.own(2, Draws(0, 0))
    with pytest.raises(ValueError, match="noise words; this text needs 9"):
        learner.learn(good, (noise[:-1], *rest), *tables_of(learner), lambda share: 1.0)


def test_streams_of_a_learner_differ_by_purpose():
    draws = Draws(0, 0)
    assert draws.stream(drawing.SUBSAMPLING) != draws.stream(drawing.NOISE)
