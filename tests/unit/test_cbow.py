"""CBOW: ragged bags under all three objectives, against hand formulas, finite differences and
gensim.
"""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_expit, softmax
from torch.func import functional_call

from utils.example import U_NODES, WORDS
from utils.models import CBOW, SkipGram
from utils.objectives import FullSoftmax, NegativeSampling
from utils.vocabulary import Vocab
from utils.windows import cbow_batches

V = 9
d = 4
K = 3
BAGS = [
    [4],
    [0, 3, 3, 8],
    [7, 1],
    [2, 5, 6, 0, 1, 4, 4, 4, 7, 8],
]  # 1 to 10 words, 3 twice, 4 three times
CENTRES = torch.tensor([5, 6, 0, 3])
NEGATIVES = torch.tensor(
    [[1, 2, 1], [8, 0, 7], [4, 4, 4], [6, 0, 2]]
)  # noise words drawn twice and three times too
TIGHT = dict(rtol=1e-12, atol=1e-12)


def window(bags):
    """ids and offsets of the bags."""
    lengths = torch.tensor([len(bag) for bag in bags])
    return torch.tensor(sum(bags, [])), lengths.cumsum(0) - lengths


@pytest.fixture
def model(objective_name, make_objective):
    """CBOW in float64 with planted weights; its noise words are given."""
    cbow = CBOW(V, d, make_objective(objective_name, V, d, planted=True, K=K)).double()
    with torch.no_grad():
        cbow.embedding.weight.normal_(generator=torch.Generator().manual_seed(1))
    if objective_name == "negative sampling":
        cbow.objective.draw = lambda targets: NEGATIVES[: len(targets)]
    return cbow


def numbers(tensor):
    return tensor.detach().to_dense().numpy()


def questions(cbow, bag):
    """For one bag: the rows it asks, and the right answer of each, 1 or 0."""
    if isinstance(cbow.objective, NegativeSampling):
        return np.array([CENTRES[bag], *NEGATIVES[bag]]), np.array([1] + [0] * K)
    depth = int(cbow.objective.tree.depths[CENTRES[bag]])
    walk = (
        cbow.objective.tree.paths[CENTRES[bag]][:depth],
        cbow.objective.tree.signs[CENTRES[bag]][:depth],
    )
    return walk[0].numpy(), (walk[1] == 1).numpy().astype(int)


def by_hand(cbow, bags=BAGS):
    """Loss of each bag, gradient of their sum in the context vectors and in the output vectors, by
    loops.
    """
    v = numbers(cbow.embedding.weight)
    u = numbers(cbow.objective.weight)
    losses = []
    in_v = np.zeros_like(v)
    in_u = np.zeros_like(u)
    for b, bag in enumerate(bags):
        mean = sum(v[word] for word in bag) / len(bag)
        if isinstance(cbow.objective, FullSoftmax):
            rows = np.arange(V)
            p = softmax(u @ mean)
            losses.append(-np.log(p[CENTRES[b]]))
            errors = p - np.eye(V)[CENTRES[b]]
        else:
            rows, answers = questions(cbow, b)
            losses.append(-log_expit(np.where(answers, 1, -1) * (u[rows] @ mean)).sum())
            errors = expit(u[rows] @ mean) - answers
        for row, error in zip(rows, errors):
            in_u[row] += error * mean
        for word in bag:
            in_v[word] += errors @ u[rows] / len(bag)
    return np.array(losses), in_v, in_u


# Gradients ----------------------------------------------------------------------------------------


def test_ragged_bags_against_the_hand_formula(model):
    """15.1.15 and its like.

    Errors times rows over 2m for each place, errors times the mean for each row.
    """
    losses = model.loss(window(BAGS), CENTRES)
    losses.sum().backward()
    expected, in_v, in_u = by_hand(model)
    np.testing.assert_allclose(numbers(losses), expected, **TIGHT)
    np.testing.assert_allclose(numbers(model.embedding.weight.grad), in_v, **TIGHT)
    np.testing.assert_allclose(numbers(model.objective.weight.grad), in_u, **TIGHT)


class _Dense(torch.autograd.Function):
    """The identity, whose gradient is dense: gradcheck takes no sparse ones."""

    @staticmethod
    def forward(context, x):
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        return gradient.to_dense()


def test_ragged_bags_against_finite_differences(model):
    def losses(context, output):
        weights = {
            "embedding.weight": _Dense.apply(context),
            "objective.weight": _Dense.apply(output),
        }
        return functional_call(
            _Loss(model),
            {f"cbow.{name}": weight for name, weight in weights.items()},
            (window(BAGS), CENTRES),
        )

    weights = [
        weight.detach().clone().requires_grad_()
        for weight in (model.embedding.weight, model.objective.weight)
    ]
    torch.autograd.gradcheck(losses, weights, eps=1e-6, atol=1e-7, rtol=1e-6)


class _Loss(torch.nn.Module):
    def __init__(self, cbow):
        super().__init__()
        self.cbow = cbow

    def forward(self, *pair):
        return self.cbow.loss(*pair)


def test_a_word_twice_in_a_bag_gets_twice_the_share(model):
    """In [a, a, b] the word a gets two thirds of the gradient in the mean, b one third."""
    model.loss(window([[3, 3, 8]]), CENTRES[:1]).sum().backward()
    grad = numbers(model.embedding.weight.grad)
    np.testing.assert_allclose(grad[3], 2 * grad[8], **TIGHT)
    assert not grad[[w for w in range(V) if w not in (3, 8)]].any() and grad[8].all()


def test_bags_of_one_word_are_skip_gram(model):
    """The same losses and gradients, to the last bit."""
    skip_gram = SkipGram(V, d, model.objective).double()
    skip_gram.embedding.weight.data = model.embedding.weight.detach().clone()
    words = torch.tensor([4, 0, 4, 7])
    one = model.loss((words, torch.arange(4)), CENTRES)
    other = skip_gram.loss(words, CENTRES)
    assert one.equal(other)
    one.sum().backward()
    in_u = numbers(model.objective.weight.grad)
    model.objective.zero_grad()
    other.sum().backward()
    assert model.embedding.weight.grad.to_dense().equal(skip_gram.embedding.weight.grad.to_dense())
    assert np.array_equal(in_u, numbers(model.objective.weight.grad))


def test_the_company_a_bag_keeps_does_not_matter(model):
    """Alone, or beside longer and shorter bags, a bag has the same loss: nothing is padded."""
    together = model.loss(window(BAGS), CENTRES)
    for b, bag in enumerate(BAGS):
        if hasattr(model.objective, "draw"):
            model.objective.draw = lambda targets, b=b: NEGATIVES[[b]]
        torch.testing.assert_close(model.loss(window([bag]), CENTRES[[b]])[0], together[b], **TIGHT)


# Empty bags ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bags, first", [([[], [1]], 0), ([[1, 2], [], [3], []], 1), ([[1], [2, 3], []], 2)]
)
def test_an_empty_bag_is_refused_by_its_number(bags, first, model):
    ids, offsets = window(bags)
    with pytest.raises(
        ValueError, match=rf"bag {first} \(counted from 0\) has no words.*leave out .* cbow_batches"
    ):
        model((ids.long(), offsets))


def test_no_bags_at_all_are_no_error(model):
    assert model((torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))).shape == (
        0,
        d,
    )


@pytest.mark.parametrize("subsample", [None, 0.1])
def test_cbow_batches_yield_no_empty_bag(subsample):
    """Sentences of one word, before or after thinning, have no bag."""
    sentences = [["a", "b"], ["a"], ["b", "c", "a"], ["c"], ["a", "a"]] * 20
    vocab = Vocab(sentences, min_count=1)
    for (ids, offsets), centres in cbow_batches(
        *vocab.encode(sentences), vocab, batch_size=7, subsample=subsample
    ):
        assert (offsets.diff(append=torch.tensor([len(ids)])) > 0).all() and len(offsets) == len(
            centres
        )


# gensim -------------------------------------------------------------------------------------------

SENTENCE = ["bank", "water", "river", "boat", "lake"]
RATE = 0.1
SIGMA = expit(np.linspace(-6, 6, 1001)[:-1])  # gensim's table of a thousand entries


def gensim_after_one_sentence(cbow_mean, context):
    """gensim's context vectors, node vectors and words after five steps from planted vectors.

    Nothing is random.
    """
    from gensim.models import Word2Vec

    peer = Word2Vec(
        vector_size=2,
        window=4,
        min_count=1,
        sample=0,
        shrink_windows=False,
        workers=1,
        sg=0,
        hs=1,
        negative=0,
        cbow_mean=cbow_mean,
    )
    peer.build_vocab_from_freq(dict(zip(WORDS, [20, 6, 10, 5, 12, 2, 8, 1])))
    order = [WORDS.index(word) for word in peer.wv.index_to_key]
    peer.wv.vectors[:] = context[order]
    peer.syn1[:7] = U_NODES
    peer.train([SENTENCE], total_examples=1, epochs=1, start_alpha=RATE, end_alpha=RATE)
    after = np.zeros((8, 2))
    after[order] = peer.wv.vectors
    return after, peer.syn1[:7], peer.wv


def by_steps(words, context, pool, divide, sigma):
    """The same five steps: `pool` makes the hidden vector, `divide` says whether a word gets 1/2m
    of the gradient.
    """
    v = context.copy()
    u = U_NODES.numpy().copy()
    for word in SENTENCE:
        bag = [WORDS.index(other) for other in SENTENCE if other != word]
        nodes = words.get_vecattr(word, "point")
        left = 1 - words.get_vecattr(word, "code").astype(float)
        hidden = pool(v[bag], axis=0)
        errors = sigma(u[nodes] @ hidden) - left
        share = errors @ u[nodes] / (len(bag) if divide else 1)
        u[nodes] -= RATE * np.outer(errors, hidden)
        v[bag] -= RATE * share
    return v, u


def looked_up(x):
    return SIGMA[((x + 6) * (1000 // 6 // 2)).astype(int)]


@pytest.fixture
def context():
    return np.random.default_rng(0).normal(scale=0.5, size=(8, 2)).round(2)


@pytest.mark.parametrize("cbow_mean, pool, divides", [(1, np.mean, False), (0, np.sum, True)])
def test_gensim_divides_when_it_should_not_and_the_reverse(cbow_mean, pool, divides, context):
    """Irsoy, Benton and Stratos (2021).

    With the mean it leaves out 1/2m, with the sum it puts it in.
    """
    *after, words = gensim_after_one_sentence(cbow_mean, context)
    for got, expected in zip(
        after, by_steps(words, context, pool, divides, looked_up), strict=True
    ):
        np.testing.assert_allclose(got, expected, atol=1e-6)
    coarse, _ = by_steps(words, context, pool, divides, expit)
    np.testing.assert_allclose(after[0], coarse, atol=5e-3)  # its table of sigma is that much off
    right, _ = by_steps(words, context, pool, not divides, looked_up)
    assert abs(after[0] - right).max() > 0.03


@pytest.mark.parametrize("pool, divides", [(np.mean, True), (np.sum, False)])
def test_the_right_gradient_is_that_of_autograd(pool, divides, context):
    """What gensim is held against.

    The five steps with the other choice are gradient descent on the loss.
    """
    *_, words = gensim_after_one_sentence(1, context)
    v = torch.tensor(context, requires_grad=True)
    u = U_NODES.clone().requires_grad_()
    for word in SENTENCE:
        bag = [WORDS.index(other) for other in SENTENCE if other != word]
        hidden = v[bag].mean(dim=0) if pool is np.mean else v[bag].sum(dim=0)
        signs = 1 - 2 * torch.tensor(words.get_vecattr(word, "code").astype(float))
        nodes = torch.tensor(words.get_vecattr(word, "point").astype(int))
        loss = -torch.nn.functional.logsigmoid(signs * (u[nodes] @ hidden)).sum()
        in_v, in_u = torch.autograd.grad(loss, (v, u))
        with torch.no_grad():
            v -= RATE * in_v
            u -= RATE * in_u
    by_formula = by_steps(words, context, pool, divides, expit)
    np.testing.assert_allclose(numbers(v), by_formula[0], **TIGHT)
    np.testing.assert_allclose(numbers(u), by_formula[1], **TIGHT)
