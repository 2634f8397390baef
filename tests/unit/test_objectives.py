"""Objectives and models.

Any of the two models with any of the three objectives, at any score, and what is refused.
"""

import math

import pytest
import torch
from scipy.special import log_expit, log_softmax

from utils.costs import zipf_counts
from utils.models import CBOW, SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import (
    OBJECTIVES,
    RELATIVES,
    FullSoftmax,
    HierarchicalSoftmax,
    NegativeSampling,
)
from utils.tree import huffman_tree, tree_from_children
from utils.vocabulary import Vocab
from utils.windows import cbow_batches, skip_gram_batches

V = 20
d = 6
ROOT_IS_2 = [(0, 1), (4, 2), (3, 5)]  # of four words; paths are padded with node 0


# in what follows, all objectives, and those that draw noise words
DRAW = ("negative sampling", "noise contrastive estimation", "sampled softmax")
DENSE = ("full softmax", "adaptive softmax")


@pytest.fixture(params=OBJECTIVES + RELATIVES)
def objective_name(request):
    return request.param


def hidden_and_targets(B=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(B, d, generator=generator), torch.randint(0, V, (B,), generator=generator)


@pytest.mark.parametrize(
    "make_model, make_batches", [(SkipGram, skip_gram_batches), (CBOW, cbow_batches)]
)
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adagrad])
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_all_systems_learn(
    make_model, make_batches, optimizer, objective_name, make_objective, sentences
):
    """Steps on one batch: the gradients are finite, the loss falls each time, and every parameter
    moves.
    """
    torch.manual_seed(0)
    vocab = Vocab(sentences, min_count=1)
    model = make_model(V, d, make_objective(objective_name, V, d))
    window, targets = next(
        iter(make_batches(*vocab.encode(sentences), vocab, batch_size=256, subsample=None))
    )
    update = optimizer(model.parameters(), lr=0.3)
    before = [p.detach().clone() for p in model.parameters()]
    losses = []
    for _ in range(4):
        torch.manual_seed(1)  # the same noise words each time
        loss = model.loss(window, targets)
        assert loss.shape == (256,)
        update.zero_grad()
        loss.mean().backward()
        assert all(p.grad.to_dense().isfinite().all() for p in model.parameters())
        update.step()
        losses.append(loss.mean().item())
    assert losses == sorted(losses, reverse=True) and len(set(losses)) == 4
    assert all(not p.equal(old) for p, old in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("score", [500.0, -500.0])
def test_extreme_scores_give_finite_losses_and_gradients(score, objective_name, make_objective):
    """A score of +-500 costs about 0 or 500 nats, never inf or NaN."""
    objective = make_objective(objective_name, V, 1)
    with torch.no_grad():
        objective.weight[:, 0] = torch.where(
            torch.arange(len(objective.weight)) % 2 == 0, score, -score
        )
    hidden = torch.ones(V, 1).requires_grad_()
    targets = torch.arange(V)
    loss = objective.loss(hidden, targets)
    loss.sum().backward()
    assert loss.isfinite().all() and loss.max() >= 500
    assert hidden.grad.isfinite().all() and objective.weight.grad.to_dense().isfinite().all()
    assert hidden.grad.any()


@pytest.mark.parametrize("name", ["full softmax", "hierarchical softmax", "adaptive softmax"])
def test_log_probabilities_are_normalised_and_agree_with_the_loss(name, make_objective):
    objective = make_objective(name, V, d, planted=True)
    (hidden, targets) = hidden_and_targets()
    log_prob = objective.log_prob(hidden.double())
    assert log_prob.shape == (32, V)
    torch.testing.assert_close(log_prob.exp().sum(dim=1), torch.ones(32).double())
    torch.testing.assert_close(
        -log_prob[range(32), targets], objective.loss(hidden.double(), targets)
    )


def test_double_reaches_every_part(objective_name, make_objective):
    model = SkipGram(V, d, make_objective(objective_name, V, d)).double()
    loss = model.loss(torch.arange(V), torch.arange(V))
    loss.sum().backward()
    assert loss.dtype == model.objective.weight.grad.dtype == torch.float64


def test_an_empty_batch_has_no_loss(objective_name, make_objective):
    objective = make_objective(objective_name, V, d)
    assert objective.loss(torch.zeros(0, d), torch.zeros(0, dtype=torch.int64)).shape == (0,)


def test_loss_of_a_batch_is_that_of_its_pairs(objective_name, make_objective):
    """Nothing leaks from one pair of a batch into another, whatever the depth of its paths."""
    objective = make_objective(objective_name, V, d, planted=True)
    (hidden, targets) = hidden_and_targets(8)
    given = [torch.randint(0, V, (8, 5))] if objective_name in DRAW else []
    alone = [
        objective.loss(
            hidden[b : b + 1].double(), targets[b : b + 1], *(g[b : b + 1] for g in given)
        )
        for b in range(8)
    ]
    torch.testing.assert_close(objective.loss(hidden.double(), targets, *given), torch.cat(alone))


# costs


def test_gradients_touch_the_rows_that_the_cost_says(objective_name, make_objective):
    """For each word: as many rows with a gradient as `cost` counts.

    Only the full softmax makes a dense one.
    """
    if objective_name == "adaptive softmax":
        pytest.skip("it has several tables: see test_relatives.py")
    objective = make_objective(objective_name, V, d, planted=True)
    generator = torch.Generator().manual_seed(0)
    for word in range(V):
        others = torch.randperm(V, generator=generator)
        given = [others[others != word][None, :5]] if objective_name in DRAW else []
        objective.zero_grad()
        objective.loss(torch.ones(1, d).double(), torch.tensor([word]), *given).sum().backward()
        grad = objective.weight.grad
        cost = objective.cost(torch.tensor([word]))
        assert grad.is_sparse == (objective_name not in DENSE)
        assert grad.to_dense().any(dim=1).sum() == cost.rows == cost.dot_products == cost.padded
        if grad.is_sparse:
            assert len(grad.coalesce().indices()[0]) == cost.rows


def test_cost_is_a_mean_over_the_targets_and_padding_costs_the_deepest():
    hierarchical = HierarchicalSoftmax(d, huffman_tree([8, 4, 2, 1, 1]))
    assert hierarchical.cost(torch.tensor([0, 0, 1, 3])) == (2, 2, 4)
    assert FullSoftmax(V, d).cost(torch.tensor([0, 1])) == (V, V, V)
    assert NegativeSampling(V, d, NoiseDistribution(zipf_counts(V)), 7).cost(torch.tensor([0])) == (
        8,
        8,
        8,
    )


def test_a_dense_gradient_can_be_asked_for(make_objective):
    grads = []
    for sparse in (True, False):
        objective = make_objective("negative sampling", V, d, planted=True, sparse=sparse)
        torch.manual_seed(0)
        objective.loss(hidden_and_targets()[0].double(), hidden_and_targets()[1]).sum().backward()
        assert objective.weight.grad.is_sparse == sparse
        grads.append(objective.weight.grad.to_dense())
    torch.testing.assert_close(*grads)


def test_padding_gives_the_first_inner_node_no_gradient():
    """Paths are padded with node 0, here not the root: words that do not pass it leave it alone."""
    objective = HierarchicalSoftmax(1, tree_from_children(ROOT_IS_2)).double()
    with torch.no_grad():
        objective.weight[:, 0] = torch.tensor([10.0, 2.0, 3.0])
    loss = objective.loss(torch.ones(2, 1).double(), torch.tensor([2, 3]))  # right, right; left
    loss.sum().backward()
    assert loss.tolist() == pytest.approx(
        [-log_expit(-3) - log_expit(-2), -log_expit(3)], rel=1e-12
    )
    assert objective.weight.grad.to_dense()[0] == 0


# what is refused


@pytest.mark.parametrize("target", [-1, -100, V, V + 7])
def test_targets_outside_the_vocabulary_are_refused(target, objective_name, make_objective):
    """-100 too, which PyTorch's cross entropy would leave out without a word."""
    objective = make_objective(objective_name, V, d)
    for refuse in (
        lambda: objective.loss(torch.zeros(2, d), torch.tensor([3, target])),
        lambda: objective.cost(torch.tensor([3, target])),
    ):
        with pytest.raises(
            IndexError, match=f"target id {target} is outside .* {V} words .*0 to {V - 1}"
        ):
            refuse()


@pytest.mark.parametrize("word", [-1, V])
def test_noise_words_outside_the_vocabulary_are_refused(word, make_objective):
    with pytest.raises(IndexError, match=f"noise word id {word} is outside"):
        make_objective("negative sampling", V, d).loss(
            torch.zeros(1, d), torch.tensor([0]), torch.tensor([[3, word]])
        )


def test_hidden_vectors_of_another_size_are_refused(objective_name, make_objective):
    objective = make_objective(objective_name, V, d)
    with pytest.raises(
        ValueError, match=f"hidden vectors have 9 coordinates, the output vectors {d}"
    ):
        objective.loss(torch.zeros(2, 9), torch.tensor([0, 1]))
    if objective_name not in DRAW:
        with pytest.raises(ValueError, match="hidden vectors have 9"):
            objective.log_prob(torch.zeros(2, 9))


@pytest.mark.parametrize("d, match", [(0, "dimension d is 0"), (-2, "dimension d is -2")])
def test_a_dimension_below_one_is_refused(d, match, objective_name, make_objective):
    with pytest.raises(ValueError, match=match):
        make_objective(objective_name, V, d)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_negatives": 0}, r"num_negatives \(K\) is 0"),
        ({"num_negatives": -5}, r"num_negatives \(K\) is -5"),
        ({"on_hit": "drop"}, "on_hit is 'drop'; choose one of 'keep', 'skip', 'redraw'"),
        (
            {"noise": NoiseDistribution([1, 2, 3])},
            f"noise distribution has 3 words, the vocabulary {V}",
        ),
    ],
)
def test_bad_options_of_negative_sampling_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NegativeSampling(**{"V": V, "d": d, "noise": NoiseDistribution(zipf_counts(V))} | options)


def test_a_vocabulary_of_one_word_is_refused():
    for refuse in (
        lambda: FullSoftmax(1, d),
        lambda: NegativeSampling(1, d, NoiseDistribution([3])),
    ):
        with pytest.raises(ValueError, match="vocabulary has 1 words"):
            refuse()


@pytest.mark.parametrize("model", [SkipGram, CBOW])
def test_a_model_unlike_its_objective_is_refused(model, objective_name, make_objective):
    with pytest.raises(
        ValueError, match=f"the model has V = {V}, d = {d}, its objective V = 7, d = {d}"
    ):
        model(V, d, make_objective(objective_name, 7, d))
    with pytest.raises(
        ValueError, match=f"the model has V = {V}, d = {d}, its objective V = {V}, d = 3"
    ):
        model(V, d, make_objective(objective_name, V, 3))
    with pytest.raises(ValueError, match="V is 1; give a whole number, at least 2"):
        model(1, d, make_objective(objective_name, V, d))


# models


@pytest.mark.parametrize("make_model", [SkipGram, CBOW])
def test_vectors_start_as_word2vecs_do(make_model):
    """Input vectors uniform within 0.5/d of zero, output vectors zero."""
    torch.manual_seed(0)
    model = make_model(2000, 10, FullSoftmax(2000, 10))
    weight = model.embedding.weight.detach()
    assert weight.shape == (2000, 10) and not model.objective.weight.any()
    assert 0.0499 < weight.abs().max() <= 0.05
    assert weight.std().item() == pytest.approx(0.1 / math.sqrt(12), rel=0.02)


def test_skip_gram_s_hidden_vector_is_the_centre_word_s(make_objective):
    model = SkipGram(V, d, make_objective("full softmax", V, d))
    assert model(torch.tensor([4, 4, 0])).equal(model.embedding.weight[[4, 4, 0]])


@pytest.mark.parametrize("size", [1, 10])
def test_cbow_means_over_bags_of_any_size(size, make_objective):
    """A bag of one word is that word's vector.

    Each occurrence of ten gets a tenth of the gradient.
    """
    model = CBOW(V, d, make_objective("full softmax", V, d, planted=True)).double()
    bag = torch.arange(3, 3 + size)
    target = torch.tensor([1])
    hidden = model((bag, torch.tensor([0])))
    torch.testing.assert_close(
        hidden, model.embedding.weight[3 : 3 + size].sum(dim=0, keepdim=True) / size
    )
    loss = model.loss((bag, torch.tensor([0])), target)
    expected = -log_softmax((hidden @ model.objective.weight.T).detach().numpy(), axis=1)[0, 1]
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    (in_hidden,) = torch.autograd.grad(model.objective.loss(hidden, target).sum(), hidden)
    loss.sum().backward()
    grad = model.embedding.weight.grad
    assert grad.is_sparse
    torch.testing.assert_close(grad.to_dense()[bag], in_hidden.expand(size, d) / size)
    assert grad.to_dense().any(dim=1).sum() == size


def test_skip_gram_s_input_gradient_is_sparse(make_objective):
    model = SkipGram(V, d, make_objective("full softmax", V, d, planted=True)).double()
    model.loss(torch.tensor([4, 4, 0]), torch.tensor([1, 2, 3])).sum().backward()
    assert sorted(model.embedding.weight.grad.coalesce().indices()[0].tolist()) == [0, 4]
