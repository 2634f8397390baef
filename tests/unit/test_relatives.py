"""The relatives of section 15.2's objectives, each against something that does not come from here.

Noise contrastive estimation and sampled softmax: scipy's formulas, every draw there can be, and
TensorFlow's own two functions, run elsewhere. Adaptive softmax: torch's.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp, softmax
from torch.utils.flop_counter import FlopCounterMode

from utils.costs import zipf_counts
from utils.example import COUNTS, V_C, U
from utils.models import CBOW, SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import (
    RELATIVES,
    AdaptiveSoftmax,
    FullSoftmax,
    NegativeSampling,
    NoiseContrastive,
    SampledSoftmax,
    make_objective,
)
from utils.training import train
from utils.vocabulary import Vocab
from utils.windows import cbow_batches, skip_gram_batches

V = 8
NOISE = NoiseDistribution(COUNTS)
Q = NOISE.probs.numpy()
TENSORFLOW = Path(__file__).parent / "tensorflow_losses.json"


def planted(kind, K, **options):
    """An objective of the running example's eight words, with its vectors."""
    objective = kind(V, 2, NOISE, num_negatives=K, **options).double()
    with torch.no_grad():
        objective.weight.copy_(U)
    return objective


def every_draw(K):
    """(draws (V^K, K), the probability of each)."""
    draws = torch.tensor(list(itertools.product(range(V), repeat=K)))
    return draws, torch.from_numpy(Q)[draws].prod(dim=1)


def mean_gradient(objective, target, K):
    """In v_c, over every draw: (2,)."""
    draws, chance = every_draw(K)
    hidden = V_C.repeat(len(draws), 1).requires_grad_()
    if objective.on_hit == "skip":
        # given noise words are taken as they are, so `skip` is asked to draw these
        objective.draw = lambda targets: draws
        losses = objective.loss(hidden, torch.full((len(draws),), target))
    else:
        losses = objective.loss(hidden, torch.full((len(draws),), target), draws)
    (losses * chance).sum().backward()
    return hidden.grad.sum(dim=0).numpy()


def full_gradient(target):
    p = softmax(U.numpy() @ V_C.numpy())
    return p @ U.numpy() - U.numpy()[target]


# Formulas -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target, noise", [(2, [7, 5, 0]), (0, [0, 0, 3])])
def test_losses_are_their_formulas(target, noise):
    words = [target, *noise]
    s = U.numpy()[words] @ V_C.numpy()
    corrected = s - np.log(3 * Q[words])
    given = V_C[None], torch.tensor([target]), torch.tensor([noise])
    nce = planted(NoiseContrastive, 3).loss(*given).item()
    assert nce == pytest.approx(
        -log_expit(corrected[0]) - log_expit(-corrected[1:]).sum(), rel=1e-12
    )
    for correct, logits in ((True, corrected), (False, s)):
        loss = planted(SampledSoftmax, 3, correct=correct).loss(*given).item()
        assert loss == pytest.approx(logsumexp(logits) - logits[0], rel=1e-12)


def test_a_hit_that_is_skipped_asks_nothing():
    """As if the noise words held no hit, but for K, which stays."""
    corrected = U.numpy()[[2, 5]] @ V_C.numpy() - np.log(3 * Q[[2, 5]])
    without = {
        NoiseContrastive: -log_expit(corrected[0]) - log_expit(-corrected[1]),
        SampledSoftmax: logsumexp(corrected) - corrected[0],
    }
    for kind, expected in without.items():
        objective = planted(kind, 3, on_hit="skip")
        objective.draw = lambda targets: torch.tensor([[2, 5, 2]])
        hidden = V_C[None].clone().requires_grad_()
        loss = objective.loss(hidden, torch.tensor([2]))
        assert loss.item() == pytest.approx(expected, rel=1e-12)
        loss.sum().backward()
        assert hidden.grad.isfinite().all()
        assert objective.weight.grad.to_dense().isfinite().all()


def test_negative_sampling_is_noise_contrastive_estimation_without_the_correction():
    """With K q = 1 for every word log(K q) is 0: uniform noise and K = V."""
    uniform = NoiseDistribution([1] * V)
    draws = torch.arange(V)[None]
    losses = []
    for kind in (NegativeSampling, NoiseContrastive):
        objective = kind(V, 2, uniform, num_negatives=V).double()
        objective.weight.data.copy_(U)
        losses.append(objective.loss(V_C[None], torch.tensor([2]), draws).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


# Optima and gradients, over every draw ------------------------------------------------------------


def best_scores(kind, K, **options):
    """The free scores with the least mean loss over every draw, for shares p of the true word."""
    p = np.array([9, 3, 8, 3, 4, 2, 1, 2]) / 32
    draws, chance = every_draw(K)

    def mean_loss(scores):
        objective = kind(V, 1, NOISE, num_negatives=K, **options).double()
        objective.weight.data.copy_(torch.from_numpy(scores)[:, None])
        total = 0
        for target in range(V):
            hidden = torch.ones(len(draws), 1, dtype=torch.float64)
            losses = objective.loss(hidden, torch.full((len(draws),), target), draws)
            total = total + p[target] * (losses * chance).sum()
        total.backward()
        return total.item(), objective.weight.grad.to_dense()[:, 0].numpy()

    found = minimize(mean_loss, np.zeros(V), jac=True, method="L-BFGS-B", options={"gtol": 1e-10})
    return found.x, np.log(p)


def test_the_best_score_of_nce_is_log_p_itself():
    scores, log_p = best_scores(NoiseContrastive, 2)
    np.testing.assert_allclose(scores, log_p, atol=1e-4)


def test_the_best_score_of_sampled_softmax_is_log_p_plus_a_constant_or_log_p_minus_log_q():
    """Exactly, for any K: of the words in one set, each is the true one as often as it says."""
    scores, log_p = best_scores(SampledSoftmax, 2)
    np.testing.assert_allclose(scores - scores.mean(), log_p - log_p.mean(), atol=1e-4)
    scores, log_p = best_scores(SampledSoftmax, 2, correct=False)
    pmi = log_p - np.log(Q)
    np.testing.assert_allclose(scores - scores.mean(), pmi - pmi.mean(), atol=1e-4)


def test_the_bias_of_sampled_softmax_falls_with_K():
    away = [
        np.linalg.norm(mean_gradient(planted(SampledSoftmax, K), 2, K) - full_gradient(2))
        for K in (1, 2, 3, 4)
    ]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.6 * away[0]


def very_many(objective, target, n=400):
    """The gradient in v_c with each word drawn n times V q times, in place of luck."""
    times = (n * V * NOISE.probs).round().long()
    noise = torch.arange(V).repeat_interleave(times)
    if objective.on_hit == "skip":
        objective.draw = lambda targets: noise[None]
        given = []
    else:
        given = [noise[None]]
    objective.num_negatives = len(noise)
    hidden = V_C[None].clone().requires_grad_()
    objective.loss(hidden, torch.tensor([target]), *given).backward()
    return hidden.grad[0].numpy()


@pytest.mark.parametrize("target", [0, 2, 7])
def test_the_limit_for_many_draws_is_the_full_gradient_or_that_over_one_minus_p(target):
    """Hits kept: the full softmax's gradient. Hits skipped: over 1 - P(true)."""
    full = full_gradient(target)
    kept = very_many(planted(SampledSoftmax, 1), target)
    np.testing.assert_allclose(kept, full, atol=5e-3)
    p = softmax(U.numpy() @ V_C.numpy())[target]
    skipped = very_many(planted(SampledSoftmax, 1, on_hit="skip"), target)
    np.testing.assert_allclose(skipped, full / (1 - p), atol=5e-3)


# TensorFlow ---------------------------------------------------------------------------------------


def test_losses_and_gradients_are_tensorflows():
    """`tf.nn.nce_loss` and `tf.nn.sampled_softmax_loss`, given the same draws; see the file."""
    stored = json.loads(TENSORFLOW.read_text(encoding="utf-8"))
    assert len(stored["cases"]) >= 6
    for case in stored["cases"]:
        kind = {"nce": NoiseContrastive, "sampled": SampledSoftmax}[case["loss"]]
        weight = torch.tensor(case["weight"], dtype=torch.float64)
        noise = NoiseDistribution(case["counts"], power=1)
        K = len(case["drawn"])
        options = {"correct": case["subtract_log_q"]} if kind is SampledSoftmax else {}
        objective = kind(*weight.shape, noise, num_negatives=K, on_hit=case["on_hit"], **options)
        objective.double().weight.data.copy_(weight)
        hidden = torch.tensor(case["hidden"], dtype=torch.float64, requires_grad=True)
        targets = torch.tensor(case["targets"])
        draws = torch.tensor(case["drawn"]).expand(len(targets), K)
        objective.draw = lambda targets, draws=draws: draws
        losses = objective.loss(hidden, targets)
        losses.sum().backward()
        np.testing.assert_allclose(losses.detach(), case["losses"], rtol=1e-9)
        np.testing.assert_allclose(hidden.grad, case["gradient"], rtol=1e-8, atol=1e-10)


# Adaptive softmax ---------------------------------------------------------------------------------


def both_adaptive(V=60, d=16, cutoffs=(6, 20), seed=0):
    """Ours and torch's, in float64, with the same random numbers."""
    torch.manual_seed(seed)
    ours = AdaptiveSoftmax(V, d, cutoffs).double()
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(d, V, list(cutoffs), div_value=4.0).double()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_()
        theirs.head.weight.copy_(ours.weight)
        for tail, narrow, words in zip(theirs.tail, ours.narrow, ours.tails, strict=True):
            tail[0].weight.copy_(narrow)
            tail[1].weight.copy_(words)
    hidden = torch.randn(40, d, dtype=torch.float64)
    return ours, theirs, hidden, torch.randint(0, V, (40,))


@pytest.mark.parametrize("V, d, cutoffs", [(60, 16, (6, 20)), (30, 5, (1,)), (300, 64, (4, 9, 80))])
def test_adaptive_softmax_is_torchs(V, d, cutoffs):
    ours, theirs, hidden, targets = both_adaptive(V, d, cutoffs)
    loss = ours.loss(hidden, targets)
    torch.testing.assert_close(loss, -theirs(hidden, targets).output)
    torch.testing.assert_close(ours.log_prob(hidden), theirs.log_prob(hidden))
    loss.sum().backward()
    (-theirs(hidden, targets).output.sum()).backward()
    torch.testing.assert_close(ours.weight.grad, theirs.head.weight.grad)
    for tail, narrow, words in zip(theirs.tail, ours.narrow, ours.tails):
        torch.testing.assert_close(narrow.grad, tail[0].weight.grad)
        torch.testing.assert_close(words.grad, tail[1].weight.grad)


def test_adaptive_softmax_starts_even_within_each_part():
    """ln(head + clusters), and for a word of a cluster ln(words of it) more."""
    objective = AdaptiveSoftmax(60, 8, (6, 20))
    losses = objective.loss(torch.randn(3, 8), torch.tensor([0, 7, 59]))
    expected = np.log(8) + np.array([0, np.log(14), np.log(40)])
    np.testing.assert_allclose(losses.detach(), expected, rtol=1e-6)


def test_the_cost_of_adaptive_softmax_is_its_multiply_adds():
    """PyTorch's own counter: two operations for each multiply-add of the forward pass."""
    ours, _, hidden, targets = both_adaptive()
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        ours.loss(hidden, targets)
    products = ours.cost(targets).dot_products
    assert flops.get_total_flops() == pytest.approx(2 * 16 * products * len(targets))
    assert ours.cost(torch.tensor([7])).rows == 8 + 4 + 14  # head, narrowing rows, the cluster's


def test_a_cluster_that_is_not_hit_costs_nothing_and_gets_no_gradient():
    ours, _, hidden, _ = both_adaptive()
    targets = torch.full((40,), 3)
    assert ours.cost(targets) == (8, 8, 8)
    ours.loss(hidden, targets).sum().backward()
    assert ours.tails[0].grad is None and ours.tails[1].grad is None


# As for every objective ---------------------------------------------------------------------------


@pytest.mark.parametrize("make_model", [SkipGram, CBOW])
@pytest.mark.parametrize("name", RELATIVES)
def test_relatives_train_with_both_models(make_model, name, sentences):
    vocab = Vocab(sentences, min_count=1)
    make_batches = {SkipGram: skip_gram_batches, CBOW: cbow_batches}[make_model]
    batches = make_batches(*vocab.encode(sentences), vocab, batch_size=64, subsample=None)
    torch.manual_seed(0)
    model = make_model(len(vocab), 16, make_objective(name, vocab.counts, 16))
    history = train(model, batches, epochs=6, lr=0.3)
    assert np.mean(history.loss[-5:]) < np.mean(history.loss[:5]) - 0.1


@pytest.mark.slow
def test_sampled_softmax_and_nce_learn_the_distribution():
    """Free scores after training on pairs: P of the softmax near p, for NCE without dividing."""
    torch.manual_seed(0)
    p = torch.tensor([9, 3, 8, 3, 4, 2, 1, 2]).double() / 32
    targets = torch.multinomial(p, 200_000, replacement=True)
    share = torch.bincount(targets, minlength=V) / len(targets)
    for kind in (NoiseContrastive, SampledSoftmax):
        torch.manual_seed(0)
        objective = kind(V, 1, NOISE, num_negatives=4, sparse=False)
        update = torch.optim.Adagrad(objective.parameters(), lr=0.3)
        for batch in targets.split(500):
            update.zero_grad()
            objective.loss(torch.ones(len(batch), 1), batch).mean().backward()
            update.step()
        scores = objective.weight.detach()[:, 0]
        assert (scores.softmax(dim=0) - share).abs().max() < 0.02
        if kind is NoiseContrastive:
            assert abs(scores.exp().sum() - 1) < 0.1


@pytest.mark.parametrize(
    "refuse, message",
    [
        (lambda: AdaptiveSoftmax(60, 8, []), r"cutoffs are \[\] for 60 words; give at least one"),
        (lambda: AdaptiveSoftmax(60, 8, [20, 6]), "each larger than the one before"),
        (lambda: AdaptiveSoftmax(60, 8, [6, 6]), "each larger than the one before"),
        (lambda: AdaptiveSoftmax(60, 8, [6, 60]), "the last below V"),
        (lambda: AdaptiveSoftmax(60, 8, [0]), "a cutoff is 0"),
        (lambda: AdaptiveSoftmax(60, 0, [6]), "dimension d is 0"),
        (
            lambda: NoiseContrastive(3, 2, NoiseDistribution([4, 0, 1])),
            "never draws word 1, so log",
        ),
        (lambda: SampledSoftmax(3, 2, NoiseDistribution([4, 0, 1])), "never draws word 1"),
        (lambda: NoiseContrastive(V, 2, NOISE, on_hit="redraw"), "choose one of 'keep', 'skip'"),
        (lambda: SampledSoftmax(V, 2, NOISE, num_negatives=0), r"num_negatives \(K\) is 0"),
        (lambda: SampledSoftmax(9, 2, NOISE), "noise distribution has 8 words, the vocabulary 9"),
        (lambda: make_objective("nce", zipf_counts(9), 2), "choose one of 'full softmax'"),
        (lambda: AdaptiveSoftmax(60, 8, 20), "the cutoffs are 20; give a list"),
        (lambda: AdaptiveSoftmax(1, 8, [1]), "the vocabulary has 1 words"),
        (
            lambda: planted(SampledSoftmax, 3).loss(
                V_C[None], torch.tensor([2]), torch.tensor([[5]])
            ),
            r"negatives have shape \(1, 1\); give \(B, K\) = \(1, 3\)",
        ),
        (
            lambda: make_objective("full softmax", [3, 2, 1], 2, on_hit="skip"),
            "full softmax has no option 'on_hit'; it has none",
        ),
        (
            lambda: make_objective("negative sampling", [3, 2, 1], 2, correct=False),
            "negative sampling has no option 'correct'; it has on_hit, sparse",
        ),
        (lambda: make_objective("full softmax", [3, -2, 1], 2), "the count of word 1 is -2"),
        (lambda: make_objective("adaptive softmax", [1, 2, 3], 2), "sorted by frequency"),
    ],
)
def test_what_cannot_be_is_refused(refuse, message):
    with pytest.raises(ValueError, match=message):
        refuse()


def test_without_the_correction_a_word_may_never_be_drawn():
    noise = NoiseDistribution([4, 0, 1])
    objective = SampledSoftmax(3, 2, noise, correct=False)
    assert objective.loss(torch.ones(1, 2), torch.tensor([1])).isfinite().all()


def test_the_full_softmax_is_the_reference_of_them_all():
    """One gradient of the oracle above against the course's own objective."""
    objective = FullSoftmax(V, 2).double()
    objective.weight.data.copy_(U)
    hidden = V_C[None].clone().requires_grad_()
    objective.loss(hidden, torch.tensor([2])).backward()
    np.testing.assert_allclose(hidden.grad[0], full_gradient(2), rtol=1e-12)
