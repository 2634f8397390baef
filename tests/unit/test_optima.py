"""What the three losses lead to where scores are free: found by minimising on small languages, in
float64.

The minimiser knows no closed form: it is given the package's own losses, or sums over all draws
written out here.
"""

import itertools
import math
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_expit, rel_entr, softmax

from utils.compare import compare
from utils.exercises.engine import registry
from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.tree import balanced_tree, huffman_tree, tree_from_children

K = 2
LANGUAGES = {
    "lesson 08": [[4, 1, 8, 2, 8, 5, 2, 2], [8, 2, 3, 3, 1, 1, 1, 1], [2, 1, 1, 1, 3, 1, 1, 2]],
    "four words": [[9, 1, 2, 4], [1, 1, 6, 2]],
}
POLICIES = ["keep", "skip", "redraw"]


@pytest.fixture(params=LANGUAGES)
def counts(request):
    return torch.tensor(LANGUAGES[request.param]).double()


def p_of(counts):
    return counts / counts.sum(dim=1, keepdim=True)


def q_of(counts, power=0.75):
    return NoiseDistribution(counts.sum(dim=0), power).probs


def trained(objective, counts, loss):
    """Minimise `loss(hidden, targets)` (B,), weighted by the counts, in the objective's rows.

    Hidden is one-hot.
    """
    C, V = counts.shape
    centres, targets = (
        i.flatten() for i in torch.meshgrid(torch.arange(C), torch.arange(V), indexing="ij")
    )
    hidden = torch.eye(C, dtype=torch.float64)[centres]
    weights = counts.flatten() / counts.sum()
    objective.double()

    def value_and_gradient(x):
        with torch.no_grad():
            objective.weight.copy_(torch.from_numpy(x).reshape(objective.weight.shape))
        value = weights @ loss(hidden, targets)
        (gradient,) = torch.autograd.grad(value, objective.weight)
        return value.item(), gradient.to_dense().flatten().numpy()

    best = minimize(
        value_and_gradient,
        np.zeros(objective.weight.numel()),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-10, "maxiter": 5000},
    )
    value_and_gradient(best.x)
    return objective.weight.detach()


# The softmax and the tree -------------------------------------------------------------------------


def test_the_full_softmax_reaches_the_truth(counts):
    C, V = counts.shape
    objective = FullSoftmax(V, C)
    trained(objective, counts, objective.loss)
    compare("softmax", objective.log_prob(torch.eye(C).double()).exp(), p_of(counts), tol=1e-6)


def chain(V):
    """Word i is the left child of node i, the next node its right child."""
    return tree_from_children([(i, V + 1 + i) for i in range(V - 2)] + [(V - 2, V - 1)])


@pytest.mark.parametrize(
    "make",
    [balanced_tree, chain, lambda V: huffman_tree(torch.arange(1, V + 1))],
    ids=["balanced", "chain", "Huffman"],
)
def test_hierarchical_softmax_reaches_the_truth_on_any_tree(counts, make):
    C, V = counts.shape
    objective = HierarchicalSoftmax(C, make(V))
    trained(objective, counts, objective.loss)
    compare("tree", objective.log_prob(torch.eye(C).double()).exp(), p_of(counts), tol=1e-6)


# Negative sampling, by the policy for hits --------------------------------------------------------


def all_draws(V):
    return torch.tensor(list(itertools.product(range(V), repeat=K)))


def mean_over_draws(objective, q):
    """The package's loss of each pair, hits kept, averaged over all V^K draws."""
    draws = all_draws(len(q))
    chance = q[draws].prod(dim=1)  # (V^K,)

    def loss(hidden, targets):
        B = len(hidden)
        D = len(draws)
        losses = objective.loss(
            hidden.repeat_interleave(D, 0), targets.repeat_interleave(D), draws.repeat(B, 1)
        )
        return losses.reshape(B, D) @ chance

    return loss


def brute_force(p, q, on_hit):
    """Best scores of one centre word: its loss over all context words and all draws, minimised
    score by score.

    Every draw is a tuple of K words. "skip" leaves a hit's question out; "redraw" gives no chance
    to a tuple with a hit, and divides the others' by their sum.
    """
    V = len(q)
    # how often each row is asked, over everything that can happen
    yes = np.zeros(V)
    no = np.zeros(V)
    for target in range(V):
        tuples = list(itertools.product(range(V), repeat=K))
        chances = np.array([math.prod(q[h] for h in draw) for draw in tuples])
        if on_hit == "redraw":
            chances *= [target not in draw for draw in tuples]
            chances /= chances.sum()
        yes[target] += p[target]
        for draw, chance in zip(tuples, chances):
            for h in draw:
                if not (on_hit == "skip" and h == target):
                    no[h] += p[target] * chance

    def best(w):  # the sum has one term for each score
        return minimize_scalar(
            lambda s: -(yes[w] * log_expit(s) + no[w] * log_expit(-s)), bracket=(-2, 2)
        ).x

    return [best(w) for w in range(V)]


def closed_form(counts, q, on_hit):
    """For centre word w and context word c, in counts.

    What is known of word2vec, gensim and fastText.
    """
    counts = counts.numpy()
    q = q.numpy()

    def noise(row, c):
        if on_hit == "redraw":
            return q[c] * sum(other / (1 - q[o]) for o, other in enumerate(row) if o != c)
        return q[c] * (row.sum() - row[c] * (on_hit == "skip"))

    return np.log([[pairs / (K * noise(row, c)) for c, pairs in enumerate(row)] for row in counts])


def test_trained_with_all_draws_negative_sampling_reaches_log_p_less_log_K_q(counts):
    C, V = counts.shape
    q = q_of(counts)
    objective = NegativeSampling(V, C, NoiseDistribution(counts.sum(dim=0)), num_negatives=K)
    scores = trained(objective, counts, mean_over_draws(objective, q)).T
    compare("scores", scores, p_of(counts).log() - (K * q).log(), tol=1e-5)


@pytest.mark.parametrize("power", [0.75, 1.0])
@pytest.mark.parametrize("on_hit", POLICIES)
def test_closed_forms_are_what_brute_force_finds(counts, on_hit, power):
    q = q_of(counts, power)
    found = np.stack([brute_force(p, q.numpy(), on_hit) for p in p_of(counts).numpy()])
    compare(on_hit, closed_form(counts, q, on_hit), found, tol=1e-6)


@pytest.mark.parametrize("on_hit", POLICIES)
def test_the_lessons_function_is_the_closed_form(counts, on_hit):
    path = Path(__file__).parents[2] / "notebooks" / "08_what_is_learned.ipynb"
    (cell,) = [
        cell.source for cell in nbformat.read(path, 4).cells if "def optimal_scores(" in cell.source
    ]
    names = {}
    exec(cell, names)
    q = q_of(counts)
    compare(
        on_hit, names["optimal_scores"](p_of(counts), q, K, on_hit), closed_form(counts, q, on_hit)
    )


def test_the_exercises_references_are_the_closed_forms(counts):
    q = q_of(counts)
    for number, on_hit in (("8.1", "keep"), ("8.5", "redraw")):
        compare(number, registry()[number].reference(counts, q, K), closed_form(counts, q, on_hit))
    unigram = counts.sum(dim=0) / counts.sum()
    compare(
        "8.2",
        registry()["8.2"].reference(counts) - math.log(K),
        closed_form(counts, unigram, "keep"),
    )


def test_the_correction_brings_the_softmax_of_the_scores_to_the_truth(counts):
    p = p_of(counts)
    q = q_of(counts)
    for row, scores in zip(p, closed_form(counts, q, "keep")):
        before, after = registry()["8.3"].reference(row, torch.from_numpy(scores), q, K)
        assert abs(before - rel_entr(row.numpy(), softmax(scores)).sum()) < 1e-12
        assert before > 0.01 and abs(after) < 1e-12


# Free up to a constant ----------------------------------------------------------------------------


def gradient_at(scores, counts, q):
    """Of the mean over all draws of the package's loss, in the scores (C, V)."""
    C, V = counts.shape
    objective = NegativeSampling(V, C, NoiseDistribution(torch.ones(V)), num_negatives=K).double()
    with torch.no_grad():
        objective.weight.copy_(scores.T)
    centres, targets = (
        i.flatten() for i in torch.meshgrid(torch.arange(C), torch.arange(V), indexing="ij")
    )
    losses = mean_over_draws(objective, q)(torch.eye(C, dtype=torch.float64)[centres], targets)
    (gradient,) = torch.autograd.grad(counts.flatten() / counts.sum() @ losses, objective.weight)
    return gradient.to_dense().T


def test_uniform_noise_has_a_constant_that_leaves_no_gradient(counts):
    V = counts.shape[1]
    shifted = p_of(counts).log() + math.log(V / K)
    assert gradient_at(shifted, counts, torch.full((V,), 1 / V).double()).abs().max() < 1e-12
    assert gradient_at(shifted, counts, q_of(counts)).abs().max() > 1e-3


@pytest.mark.parametrize("power", [0.5, 0.75, 1.0])
def test_other_noise_has_no_such_constant_for_any_centre_word(counts, power):
    q = q_of(counts, power)
    least = torch.full((len(counts),), torch.inf, dtype=torch.float64)
    for a in torch.linspace(-6, 10, 161).tolist():
        left = gradient_at(p_of(counts).log() + a, counts, q).abs().sum(dim=1)
        least = torch.minimum(least, left)
    assert (least > 1e-3).all(), least
    needed = -(K * q).log()  # the constant that each word by itself would need
    assert needed.max() - needed.min() > 0.1


# The gradient over all draws ----------------------------------------------------------------------


def gradients_of_all_draws(k, weight, hidden, target, q):
    """(gradients in the hidden vector (V^k, d), chances) of one pair, for every possible draw of k
    noise words.
    """
    V, d = weight.shape
    objective = NegativeSampling(V, d, NoiseDistribution(q), num_negatives=k).double()
    with torch.no_grad():
        objective.weight.copy_(weight)
    draws = torch.tensor(list(itertools.product(range(V), repeat=k)))
    copies = hidden.repeat(len(draws), 1).requires_grad_()
    losses = objective.loss(copies, torch.full((len(draws),), target), draws)
    (gradients,) = torch.autograd.grad(losses.sum(), copies)
    return gradients, q[draws].prod(dim=1)


@pytest.fixture
def planted():
    generator = torch.Generator().manual_seed(3)
    weight, hidden = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((5, 3), (3,))
    )
    return weight, hidden, 2, NoiseDistribution([9, 1, 4, 2, 6]).probs


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_mean_over_all_draws_is_the_gradient_of_the_mean_loss(planted, k):
    weight, hidden, target, q = planted
    gradients, chance = gradients_of_all_draws(k, *planted)
    v = hidden.clone().requires_grad_()
    scores = weight @ v
    loss = (
        -torch.log(torch.sigmoid(scores[target]))
        - k * (q * torch.log(torch.sigmoid(-scores))).sum()
    )
    (expected,) = torch.autograd.grad(loss, v)
    compare("mean", chance @ gradients, expected)


def test_the_noise_parts_relative_variance_falls_as_one_over_K(planted):
    weight, hidden, target, _ = planted
    positive = (torch.sigmoid(weight[target] @ hidden) - 1) * weight[target]
    relative = {}
    lengths = {}
    for k in (1, 2, 3, 4):
        gradients, chance = gradients_of_all_draws(k, *planted)
        noise = gradients - positive
        mean = chance @ noise
        relative[k] = (chance @ ((noise - mean) ** 2).sum(dim=1) / (mean @ mean)).item()
        lengths[k] = mean.norm().item()
    for k in (2, 3, 4):
        compare(f"variance, K = {k}", relative[k], relative[1] / k)
        compare(f"the mean itself grows, K = {k}", lengths[k], k * lengths[1])


def test_the_variance_of_a_mean_of_draws():
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(4, generator=generator, dtype=torch.float64)
    q = NoiseDistribution([3, 1, 2, 5]).probs
    for k in (1, 2, 3):
        draws = torch.tensor(list(itertools.product(range(4), repeat=k)))
        means = x[draws].mean(dim=1)
        chance = q[draws].prod(dim=1)
        exact = chance @ (means - chance @ means) ** 2
        compare(f"K = {k}", registry()["8.4"].reference(x, q, k), exact)


# The relatives ------------------------------------------------------------------------------------


@pytest.mark.parametrize("corrected", [False, True], ids=["InfoNCE", "sampled softmax"])
def test_asking_which_one_reaches_log_p_less_log_q_up_to_a_constant(counts, corrected):
    p = p_of(counts)[0].numpy()
    q = q_of(counts).numpy()
    V = len(q)
    options = np.array(list(itertools.product(range(V), repeat=K + 1)))
    chance = p[options[:, 0]] * q[options[:, 1:]].prod(axis=1)

    def value_and_gradient(scores):
        x = torch.tensor(scores, requires_grad=True)
        used = x - torch.from_numpy(np.log(q)) if corrected else x
        loss = -(torch.from_numpy(chance) * torch.log_softmax(used[options], dim=1)[:, 0]).sum()
        (gradient,) = torch.autograd.grad(loss, x)
        return loss.item(), gradient.numpy()

    best = minimize(
        value_and_gradient, np.zeros(V), jac=True, method="BFGS", options={"gtol": 1e-11}
    ).x
    compare("which one", softmax(best if corrected else best + np.log(q)), p, tol=1e-6)
