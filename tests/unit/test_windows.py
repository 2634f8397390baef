"""Windows: pairs, bags and batches against naive double loops."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from utils import windows
from utils.vocabulary import Vocab
from utils.windows import cbow_batches, skip_gram_batches, window_pairs

BATCHES = [skip_gram_batches, cbow_batches]
LENGTHS = st.lists(st.integers(0, 8), max_size=6)  # of sentences


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def sentence_ids(lengths):
    return torch.repeat_interleave(
        torch.arange(len(lengths)), torch.tensor(lengths, dtype=torch.int64)
    )


def naive_pairs(sentence_of, reach):
    n = len(sentence_of)
    return sorted(
        (i, j)
        for i in range(n)
        for j in range(n)
        if i != j and abs(i - j) <= reach[i] and sentence_of[i] == sentence_of[j]
    )


def corpus(sentences):
    """ids, sentence ids and the vocabulary, as the batches want them."""
    vocab = Vocab(sentences, min_count=1)
    return *vocab.encode(sentences), vocab


def flat(batches):
    """All tensors of one epoch, one after the other, as lists."""
    parts = []
    for window, targets in batches:
        parts += (
            [part.tolist() for part in (*window, targets)]
            if isinstance(window, tuple)
            else [window.tolist(), targets.tolist()]
        )
    return parts


def bags(batches):
    """(sorted context words, centre) of each CBOW example of one epoch."""
    found = []
    for (context, offsets), centres in batches:
        ends = [*offsets.tolist()[1:], len(context)]
        assert offsets[0] == 0
        found += [
            (tuple(sorted(context[a:b].tolist())), centre)
            for a, b, centre in zip(offsets.tolist(), ends, centres.tolist(), strict=True)
        ]
    return found


@given(LENGTHS, st.integers(1, 7))
def test_pairs_of_full_windows_equal_a_double_loop(lengths, window):
    sentence_of = sentence_ids(lengths)
    centres, contexts = window_pairs(sentence_of, window, shrink=False)
    assert centres.dtype == contexts.dtype == torch.int64
    got = sorted(zip(centres.tolist(), contexts.tolist(), strict=True))
    assert got == naive_pairs(sentence_of.tolist(), [window] * len(sentence_of))


@given(LENGTHS, st.integers(1, 7), st.integers(0, 99))
def test_pairs_of_shrunk_windows_equal_a_double_loop(lengths, window, seed):
    """Each centre's reach is the largest distance among its pairs.

    With that reach it has all the pairs it should.
    """
    sentence_of = sentence_ids(lengths)
    centres, contexts = window_pairs(sentence_of, window, generator(seed))
    got = sorted(zip(centres.tolist(), contexts.tolist(), strict=True))
    reach = [
        max((abs(i - j) for i, j in got if i == centre), default=0)
        for centre in range(len(sentence_of))
    ]
    assert max(reach, default=0) <= window
    assert got == naive_pairs(sentence_of.tolist(), reach)
    counted = Counter(sentence_of.tolist())
    assert all(
        (r > 0) == (counted[s] > 1) for r, s in zip(reach, sentence_of.tolist(), strict=True)
    )


def test_reach_is_uniform_from_one_to_the_window():
    n = 20_000
    window = 4
    centres, _ = window_pairs(torch.zeros(n, dtype=torch.int64), window, generator())
    pairs = torch.bincount(centres, minlength=n)[window:-window]  # 2 * reach away from both ends
    counted = torch.bincount(pairs, minlength=2 * window + 1)
    assert counted[1::2].sum() == counted[0] == 0
    assert chisquare(counted[2::2].numpy()).pvalue > 1e-3


def test_a_window_reaches_at_least_one_word():
    with pytest.raises(ValueError, match="window is 0"):
        window_pairs(torch.zeros(4, dtype=torch.int64), 0)


@pytest.mark.parametrize("make", BATCHES)
def test_batches_are_drawn_anew_and_fixed_by_the_seed(make, sentences):
    words = corpus(sentences)
    one, same, other = (
        make(*words, batch_size=64, subsample=1e-2, seed=seed) for seed in (1, 1, 2)
    )
    first = flat(one)
    second = flat(one)
    assert first != second
    assert len(same) > 1  # asking for the length changes no draw
    assert [flat(same), flat(same)] == [first, second]
    assert flat(other) != first


@pytest.mark.parametrize("make", BATCHES)
@pytest.mark.parametrize("batch_size", [1, 7, 64, 10**6])
def test_length_is_the_number_of_batches(make, batch_size, sentences):
    batches = make(*corpus(sentences[:30]), window=2, batch_size=batch_size, subsample=1e-2)
    for _ in range(3):
        iterator = iter(batches)
        epoch = [next(iterator)]
        assert len(batches) == len(epoch + list(iterator))
    fresh = make(*corpus(sentences[:30]), window=2, batch_size=batch_size, subsample=1e-2)
    assert len(fresh) == sum(1 for _ in fresh)


@pytest.mark.parametrize("make", BATCHES)
def test_all_batches_but_the_last_are_full(make, sentences):
    sizes = [len(targets) for _, targets in make(*corpus(sentences), batch_size=50, subsample=None)]
    assert set(sizes[:-1]) == {50} and 0 < sizes[-1] <= 50


def test_an_epoch_has_every_pair_once(sentences):
    """With window 1 nothing is drawn but the order.

    (centre, context) of all neighbours, both ways.
    """
    ids, sentence_of, vocab = corpus(sentences)
    epoch = list(
        skip_gram_batches(ids, sentence_of, vocab, window=1, batch_size=100, subsample=None)
    )
    got = [
        pair
        for window, targets in epoch
        for pair in zip(window.tolist(), targets.tolist(), strict=True)
    ]
    coded = [[vocab[word] for word in sentence] for sentence in sentences]
    expected = [
        pair for s in coded for a, b in zip(s, s[1:], strict=False) for pair in ((a, b), (b, a))
    ]
    assert Counter(got) == Counter(expected)


@pytest.mark.parametrize("make", BATCHES)
def test_the_order_is_shuffled(make):
    """Of 500 words, each there once, the centres of the first and the second hundred come from all
    over the text.
    """
    ids, sentence_of, vocab = corpus([[f"{i:03}" for i in range(500)]])
    batches = make(ids, sentence_of, vocab, window=1, batch_size=100, subsample=None)
    for window, targets in list(batches)[:2]:
        centres = window if make is skip_gram_batches else targets
        assert centres.min() < 50 and centres.max() >= 450
        assert not centres.equal(centres.sort().values)


def test_the_centre_is_the_window_and_the_context_the_target(sentences):
    """The same draw of reaches.

    A far word may be a centre's context without having that centre as its own.
    """
    ids, sentence_of, vocab = corpus(sentences)
    centres, contexts = window_pairs(sentence_of, 5, generator(3))
    expected = Counter(zip(ids[centres].tolist(), ids[contexts].tolist(), strict=True))
    got = Counter()
    for window, targets in skip_gram_batches(
        ids, sentence_of, vocab, batch_size=33, subsample=None, seed=3
    ):
        got.update(zip(window.tolist(), targets.tolist(), strict=True))
    assert got == expected != Counter({(b, a): n for (a, b), n in expected.items()})


@given(LENGTHS.filter(lambda lengths: max(lengths, default=0) > 1), st.integers(1, 30))
def test_bags_equal_the_naive_bags(lengths, batch_size):
    """With window 1 each word's bag is its neighbours.

    A sentence of one word has none, and no bag is empty.
    """
    sentences = [[f"{s}-{i % 3}" for i in range(n)] for s, n in enumerate(lengths)]
    ids, sentence_of, vocab = corpus(sentences)
    got = bags(
        cbow_batches(ids, sentence_of, vocab, window=1, batch_size=batch_size, subsample=None)
    )
    coded = [[vocab[word] for word in sentence] for sentence in sentences]
    expected = [
        (tuple(sorted(s[max(i - 1, 0) : i] + s[i + 1 : i + 2])), s[i])
        for s in coded
        if len(s) > 1
        for i in range(len(s))
    ]
    assert Counter(got) == Counter(expected)
    assert all(context for context, _ in got)


def test_bags_group_the_skip_gram_pairs_by_centre(sentences):
    """The same draw of windows, seen from both models.

    A bag holds exactly the contexts of its centre.
    """
    ids, sentence_of, vocab = corpus(sentences)
    centres, contexts = window_pairs(sentence_of, 5, generator(3))
    naive = {}
    for centre, context in zip(centres.tolist(), contexts.tolist(), strict=True):
        naive.setdefault(centre, []).append(int(ids[context]))
    expected = Counter(
        (tuple(sorted(context)), int(ids[centre])) for centre, context in naive.items()
    )
    assert (
        Counter(bags(cbow_batches(ids, sentence_of, vocab, batch_size=33, subsample=None, seed=3)))
        == expected
    )


def test_subsampling_closes_the_gaps(monkeypatch):
    """Where "the" is dropped, its neighbours become neighbours, as in word2vec.c.

    Sentences stay apart.
    """
    ids, sentence_of, vocab = corpus([["the", "a", "the", "b", "the"]] * 3 + [["c", "the"]])
    monkeypatch.setattr(windows, "keep_mask", lambda ids, *_: ids != vocab["the"])
    got = bags(cbow_batches(ids, sentence_of, vocab, window=1))
    assert Counter(got) == {((vocab["a"],), vocab["b"]): 3, ((vocab["b"],), vocab["a"]): 3}


@pytest.mark.parametrize("off", [None, 0.0])
def test_subsampling_can_be_off(off, sentences):
    words = corpus(sentences)
    assert sum(
        len(targets) for _, targets in skip_gram_batches(*words, window=1, subsample=off)
    ) == 2 * sum(len(sentence) - 1 for sentence in sentences)


def test_subsampling_drops_pairs_by_its_threshold_and_rule(sentences):
    words = corpus(sentences)
    pairs = [
        sum(len(targets) for _, targets in skip_gram_batches(*words, window=1, **options))
        for options in (
            {"subsample": None},
            {"subsample": 0.01, "rule": "word2vec"},
            {"subsample": 0.01},
            {"subsample": 0.001},
        )
    ]
    assert pairs == sorted(pairs, reverse=True) and len(set(pairs)) == 4


@pytest.mark.parametrize("make", BATCHES)
def test_what_cannot_be_batched_is_refused(make):
    words = corpus([["a", "b"], ["c"]])
    with pytest.raises(ValueError, match="batch_size is 0"):
        make(*words, batch_size=0)
    with pytest.raises(ValueError, match="window is 0"):
        list(make(*words, window=0, subsample=None))
    with pytest.raises(ValueError, match="no pair is left: 3 words after subsampling"):
        list(make(*corpus([["a"], ["b"], ["c"]]), subsample=None))
    with pytest.raises(ValueError, match="rule is 'fasttext'"):
        list(make(*words, rule="fasttext"))
