"""Every row of the course's table of equations, held against something that does not come from this
code.
"""

import itertools
from math import log

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax, softmax

from utils import example
from utils.compare import autograd
from utils.costs import zipf_counts
from utils.models import CBOW, SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.tree import tree_from_children

V = 9
d = 4
B = 6
K = 3
TIGHT = dict(rtol=1e-12, atol=1e-12)
FIGURE = [
    (9, 10),
    (11, 12),
    (13, 14),
    (0, 1),
    (2, 3),
    (4, 5),
    (6, 7),
]  # D2L's figure: eight words, three levels


def plant(module, seed=0):
    """The module in float64, all its parameters normal and fixed by the seed."""
    generator = torch.Generator().manual_seed(seed)
    module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(generator=generator)
    return module


def batch(size=V):
    """hidden (B, d) in float64, targets (B,), and noise words (B, K) other than these."""
    generator = torch.Generator().manual_seed(3)
    words = torch.stack([torch.randperm(size, generator=generator)[: K + 1] for _ in range(B)])
    return torch.randn(B, d, dtype=torch.float64, generator=generator), words[:, 0], words[:, 1:]


def negative_sampling(size=V, **options):
    return plant(
        NegativeSampling(size, d, NoiseDistribution(zipf_counts(size)), num_negatives=K, **options)
    )


def numbers(tensor):
    return tensor.detach().to_dense().numpy()


def gradients(objective, hidden, *words):
    """Of the summed loss: in hidden vectors (B, d) and output vectors, as dense arrays."""
    hidden = hidden.clone().requires_grad_()
    objective.zero_grad()
    objective.loss(hidden, *words).sum().backward()
    return numbers(hidden.grad), numbers(objective.weight.grad)


# full softmax


def test_15_1_4_softmax():
    """15.1.4 against scipy.special.softmax."""
    objective = plant(FullSoftmax(V, d))
    (hidden, targets, _) = batch()
    p = softmax(hidden.numpy() @ numbers(objective.weight).T, axis=1)
    np.testing.assert_allclose(numbers(objective.log_prob(hidden).exp()), p, **TIGHT)
    np.testing.assert_allclose(
        numbers(objective.loss(hidden, targets)), -np.log(p[range(B), targets]), **TIGHT
    )


def test_15_1_7_log_probability():
    """15.1.7 against scipy.special.log_softmax, at scores where exp alone overflows."""
    objective = plant(FullSoftmax(V, d))
    (hidden, targets, _) = batch()
    expected = log_softmax(1000 * hidden.numpy() @ numbers(objective.weight).T, axis=1)
    np.testing.assert_allclose(numbers(objective.log_prob(1000 * hidden)), expected, **TIGHT)
    np.testing.assert_allclose(
        numbers(objective.loss(1000 * hidden, targets)), -expected[range(B), targets], **TIGHT
    )


def test_15_1_8_softmax_gradient_in_the_centre_vector():
    """15.1.8 by hand, u_o - sum_j P(w_j | w_c) u_j, against autograd of the log-probability."""
    objective = plant(FullSoftmax(V, d))
    (hidden, targets, _) = batch()
    u = numbers(objective.weight)
    expected = u[targets] - softmax(hidden.numpy() @ u.T, axis=1) @ u
    got = autograd(lambda h: objective.log_prob(h)[range(B), targets].sum(), hidden)
    np.testing.assert_allclose(got.numpy(), expected, **TIGHT)


def test_softmax_gradient_in_the_output_vectors():
    """Gradient of the loss in u_i, (P(w_i | w_c) - [i = o]) v_c summed over the batch, against
    autograd.
    """
    objective = plant(FullSoftmax(V, d))
    (hidden, targets, _) = batch()
    errors = softmax(hidden.numpy() @ numbers(objective.weight).T, axis=1) - np.eye(V)[targets]
    np.testing.assert_allclose(
        gradients(objective, hidden, targets)[1], errors.T @ hidden.numpy(), **TIGHT
    )


# CBOW


def cbow():
    """A planted CBOW model with its window of two bags of 2m = 4 context words, and two centre
    words.
    """
    model = plant(CBOW(V, d, FullSoftmax(V, d)))
    context = torch.tensor([[0, 3, 3, 8], [7, 1, 2, 4]])
    return model, (context.flatten(), torch.tensor([0, 4])), context, torch.tensor([5, 6])


def test_15_1_10_and_15_1_11_cbow():
    """15.1.10, 15.1.11 against scipy's softmax of numpy's mean context vector."""
    model, window, context, centres = cbow()
    mean = numbers(model.embedding.weight)[context].mean(axis=1)
    np.testing.assert_allclose(numbers(model(window)), mean, **TIGHT)
    p = softmax(mean @ numbers(model.objective.weight).T, axis=1)
    np.testing.assert_allclose(numbers(model.objective.log_prob(model(window)).exp()), p, **TIGHT)
    np.testing.assert_allclose(
        numbers(model.loss(window, centres)), -np.log(p[[0, 1], centres]), **TIGHT
    )


def test_15_1_15_cbow_gradient_in_the_context_vectors():
    """15.1.15 worked by hand, (u_c - sum_j P(w_j | W_o) u_j) / 2m for each occurrence, against
    autograd.
    """
    model, window, context, centres = cbow()
    model.loss(window, centres).sum().backward()
    u = numbers(model.objective.weight)
    mean = numbers(model.embedding.weight)[context].mean(axis=1)
    in_log = (u[centres] - softmax(mean @ u.T, axis=1) @ u) / 4
    expected = np.zeros((V, d))
    for bag, words in enumerate(context):
        for word in words:  # word 3 stands twice in the first bag and gets it twice
            expected[word] -= in_log[bag]
    np.testing.assert_allclose(numbers(model.embedding.weight.grad), expected, **TIGHT)


# negative sampling


def positive_part(scores):
    """-log P(D = 1) of the given scores by the code.

    The noise words' vectors are 0, so each of them adds ln 2.
    """
    objective = NegativeSampling(
        len(scores) + 1, 1, NoiseDistribution(torch.ones(len(scores) + 1)), K
    ).double()
    with torch.no_grad():
        objective.weight[:-1, 0] = torch.as_tensor(scores)
    noise = torch.full((len(scores), K), len(scores))
    loss = objective.loss(torch.ones(len(scores), 1).double(), torch.arange(len(scores)), noise)
    return numbers(loss) - K * log(2)


def test_15_2_1_and_15_2_2_sigmoid():
    """15.2.1, 15.2.2: P(D = 1) = sigma(u_o.v_c) against scipy.special.expit and 1/(1 + exp(-x))."""
    scores = np.linspace(-6, 6, 25)
    np.testing.assert_allclose(np.exp(-positive_part(scores)), expit(scores), **TIGHT)
    np.testing.assert_allclose(np.exp(-positive_part(scores)), 1 / (1 + np.exp(-scores)), **TIGHT)


def test_15_2_3_the_positive_events_alone_approach_one():
    """15.2.3 against scipy.special.log_expit.

    The joint log-probability climbs to 0 with the scores, never there.
    """
    scores = np.array([0.3, 1.0, 2.0])
    joint = [-positive_part(scale * scores).sum() for scale in (1, 3, 9, 27)]
    expected = [log_expit(scale * scores).sum() for scale in (1, 3, 9, 27)]
    np.testing.assert_allclose(joint, expected, rtol=1e-9)
    assert all(a < b < 0 for a, b in itertools.pairwise(joint))
    assert joint[-1] > -1e-3


def test_15_2_4_and_15_2_5_joint_probability():
    """15.2.4, 15.2.5: exp(-loss) against the product of scipy's expit over the independent events
    S, N_1..N_K.
    """
    objective = negative_sampling()
    (hidden, targets, noise) = batch()
    scores = hidden.numpy() @ numbers(objective.weight).T
    for b in range(B):
        joint = expit(scores[b, targets[b]])
        for h in noise[b]:
            joint *= 1 - expit(scores[b, h])
        assert objective.loss(
            hidden[b : b + 1], targets[b : b + 1], noise[b : b + 1]
        ).neg().exp().item() == pytest.approx(joint, rel=1e-12)


def test_15_2_5_is_no_distribution_over_words():
    """15.2.5 by brute force over all words.

    With these noise words its left sides add up to 3/2, not to 1.
    """
    objective = NegativeSampling(
        6, d, NoiseDistribution(torch.ones(6)), num_negatives=1
    )  # all scores 0
    joint = (
        objective.loss(torch.ones(6, d), torch.arange(6), torch.zeros(6, 1, dtype=torch.int64))
        .neg()
        .exp()
    )
    assert joint.sum().item() == pytest.approx(6 / 4)


def test_15_2_6_loss():
    """15.2.6 against scipy.special.log_expit."""
    objective = negative_sampling()
    (hidden, targets, noise) = batch()
    scores = hidden.numpy() @ numbers(objective.weight).T
    expected = -log_expit(scores[range(B), targets]) - log_expit(
        -np.take_along_axis(scores, noise.numpy(), 1)
    ).sum(1)
    np.testing.assert_allclose(numbers(objective.loss(hidden, targets, noise)), expected, **TIGHT)


def test_15_2_6_mean_over_draws_is_the_expectation():
    """15.2.6: the mean of many drawn losses against the expectation by brute force over all noise
    words.
    """
    objective = negative_sampling()
    (hidden, targets, _) = batch()
    scores = hidden[0].numpy() @ numbers(objective.weight).T
    q = zipf_counts(V).numpy() ** 0.75
    expected = -log_expit(scores[targets[0]]) - K * (q / q.sum()) @ log_expit(-scores)
    torch.manual_seed(0)
    drawn = objective.loss(hidden[:1].expand(40_000, d), targets[:1].expand(40_000)).detach()
    assert abs(drawn.mean().item() - expected) < 5 * drawn.std().item() / 200


def test_negative_sampling_gradients_repeated_draws_add():
    """NS gradients worked by hand, errors (sigma - label) times vectors, against autograd; a word
    drawn twice counts twice, and a noise word that equals the target gets both errors."""
    objective = negative_sampling()
    (hidden, targets, _) = batch()
    noise = torch.tensor([[0, 0, 1], [2, 3, 2], [4, 4, 4], [5, 6, 7], [8, 1, 8], [0, 1, 2]])
    noise[5, 0] = targets[5]
    u = numbers(objective.weight)
    v = hidden.numpy()
    in_hidden = np.zeros((B, d))
    in_rows = np.zeros((V, d))
    for b in range(B):
        for word, label in [(targets[b], 1), *((h, 0) for h in noise[b])]:
            error = expit(u[word] @ v[b]) - label
            in_hidden[b] += error * u[word]
            in_rows[word] += error * v[b]
    got = gradients(objective, hidden, targets, noise)
    np.testing.assert_allclose(got[0], in_hidden, **TIGHT)
    np.testing.assert_allclose(got[1], in_rows, **TIGHT)


@pytest.mark.parametrize("on_hit", ["keep", "skip"])
def test_negative_sampling_optimum(on_hit, monkeypatch):
    """Optimum of the expected loss with free scores: scipy minimises the brute-force expectation
    over all targets and draws; hits kept, it is log p(w|c) - log K q(w); hits skipped, log p -
    log(K q (1 - p))."""
    p = np.array([0.5, 0.3, 0.15, 0.05])
    q = np.array([0.1, 0.2, 0.3, 0.4])
    K = 2
    objective = NegativeSampling(
        4, 1, NoiseDistribution(torch.tensor(q), power=1.0), K, on_hit=on_hit
    ).double()
    cases = torch.tensor(
        list(itertools.product(range(4), repeat=1 + K))
    )  # (target, h_1, h_2): every one there is
    chance = torch.tensor(p[cases[:, 0]] * q[cases[:, 1:]].prod(axis=1))
    monkeypatch.setattr(objective, "draw", lambda targets: cases[:, 1:])

    def expected_loss(scores):
        with torch.no_grad():
            objective.weight[:, 0] = torch.as_tensor(scores)
        objective.zero_grad()
        loss = chance @ objective.loss(torch.ones(len(cases), 1).double(), cases[:, 0])
        loss.backward()
        return loss.item(), numbers(objective.weight.grad)[:, 0]

    found = minimize(expected_loss, np.zeros(4), jac=True, options={"gtol": 1e-10}).x
    expected = np.log(p) - np.log(K * q) - (0 if on_hit == "keep" else np.log(1 - p))
    np.testing.assert_allclose(found, expected, atol=1e-6)


# hierarchical softmax


def test_15_2_7_path_probability():
    """15.2.7 against a walk along gensim's own Huffman codes, with scipy's expit at each step."""
    tree, codes, points = gensim_tree(zipf_counts(V).tolist())
    objective = plant(HierarchicalSoftmax(d, tree))
    hidden = batch()[0]
    scores = hidden.numpy() @ numbers(objective.weight).T
    for word in range(V):
        walk = zip(codes[word], points[word], strict=True)
        steps = [expit((1 - 2 * code) * scores[:, node]) for code, node in walk]
        loss = numbers(objective.loss(hidden, torch.full((B,), word)))
        np.testing.assert_allclose(np.exp(-loss), np.prod(steps, axis=0), **TIGHT)


def test_15_2_8_worked_example():
    """15.2.8, a tree worked by hand.

    W_3 is left, right, left, L(w_3) = 4, sigma(u_1.v) sigma(-u_2.v) sigma(u_3.v).
    """
    tree = tree_from_children(FIGURE)
    assert tree.signs[2].tolist() == [1, -1, 1]
    assert tree.paths[2].tolist() == [0, 1, 4]
    assert tree.depths[2] + 1 == 4
    objective = HierarchicalSoftmax(1, tree).double()
    with torch.no_grad():
        objective.weight[[0, 1, 4], 0] = torch.tensor([0.5, -2.0, 3.0]).double()
    p = objective.loss(torch.tensor([[2.0]]).double(), torch.tensor([2])).neg().exp().item()
    assert p == pytest.approx(expit(1.0) * expit(4.0) * expit(6.0), rel=1e-12)
    assert p == pytest.approx(0.7161, abs=1e-4)


def test_hierarchical_gradients():
    """HS gradients worked by hand along each path, errors sigma - (1 if left else 0), against
    autograd.
    """
    tree, codes, points = gensim_tree(zipf_counts(V).tolist())
    objective = plant(HierarchicalSoftmax(d, tree))
    (hidden, targets, _) = batch()
    u = numbers(objective.weight)
    v = hidden.numpy()
    in_hidden = np.zeros((B, d))
    in_rows = np.zeros((V - 1, d))
    for b in range(B):
        for code, node in zip(codes[targets[b]], points[targets[b]], strict=True):
            error = expit(u[node] @ v[b]) - (code == 0)
            in_hidden[b] += error * u[node]
            in_rows[node] += error * v[b]
    got = gradients(objective, hidden, targets)
    np.testing.assert_allclose(got[0], in_hidden, **TIGHT)
    np.testing.assert_allclose(got[1], in_rows, **TIGHT)


@pytest.mark.parametrize(
    "children", [FIGURE, [(0, 1)], [(0, 5), (1, 6), (2, 3)], [(6, 2), (0, 1), (5, 3)]]
)
def test_15_2_9_leaves_add_up_to_one(children):
    """15.2.9 by brute force over all words: balanced, smallest, chain-like, hand-made trees."""
    objective = plant(HierarchicalSoftmax(d, tree_from_children(children)))
    hidden = 3 * batch()[0]
    words = range(len(children) + 1)
    total = sum(objective.loss(hidden, torch.full((B,), word)).neg().exp() for word in words)
    np.testing.assert_allclose(numbers(total), 1, **TIGHT)
    np.testing.assert_allclose(numbers(objective.log_prob(hidden).exp().sum(dim=1)), 1, **TIGHT)


# costs and first losses


def test_costs():
    """Costs V, K + 1, L(w) - 1 against the rows whose gradient is not zero, and against gensim's
    code lengths.
    """
    hidden, targets, noise = batch()
    tree, codes, _ = gensim_tree(zipf_counts(V).tolist())
    for objective, cost in [
        (plant(FullSoftmax(V, d)), lambda word: V),
        (negative_sampling(), lambda word: K + 1),
        (plant(HierarchicalSoftmax(d, tree)), lambda word: len(codes[word])),
    ]:
        for b in range(B):
            given = [noise[b : b + 1]] if isinstance(objective, NegativeSampling) else []
            rows = (
                gradients(objective, hidden[b : b + 1], targets[b : b + 1], *given)[1]
                .any(axis=1)
                .sum()
            )
            assert rows == cost(targets[b])
            assert objective.cost(targets[b : b + 1])[:2] == (rows, rows)


def test_first_losses(make_objective, objective_name):
    """First losses with zero output vectors: ln V, (K + 1) ln 2, expected depth * ln 2 (numpy's
    logarithms, gensim's code lengths), for skip-gram and whatever the centre vectors are."""
    counts = zipf_counts(40)
    model = SkipGram(40, d, make_objective(objective_name, 40, d)).double()
    words = torch.arange(40).repeat_interleave(counts)
    loss = model.loss(torch.zeros_like(words), words).mean().item()
    depths = np.array([len(code) for code in gensim_tree(counts.tolist())[1]])
    expected = {
        "full softmax": np.log(40),
        "negative sampling": 6 * np.log(2),
        "hierarchical softmax": counts.numpy() @ depths / counts.sum().item() * np.log(2),
    }
    assert loss == pytest.approx(expected[objective_name], rel=1e-12)


def test_the_running_example_costs_8_3_and_3():
    """The course's eight words worked by hand with numpy.

    One pair, three losses, and what each costs.
    """
    u = numbers(example.U)
    nodes = numbers(example.U_NODES)
    v = numbers(example.V_C)
    river = example.CONTEXT
    noise = example.NOISE
    expected = [
        -log_softmax(u @ v)[river],
        -log_expit(u[river] @ v) - log_expit(-u[noise] @ v).sum(),
        -log_expit(np.array([1, -1, 1]) * (nodes[[0, 1, 4]] @ v)).sum(),
    ]
    made = [
        FullSoftmax(8, 2),
        NegativeSampling(8, 2, NoiseDistribution([1] * 8), 2),
        HierarchicalSoftmax(2, tree_from_children(FIGURE)),
    ]
    for objective, weight, loss, cost in zip(made, (u, u, nodes), expected, (8, 3, 3), strict=True):
        with torch.no_grad():
            objective.double().weight[:] = torch.tensor(weight)
        pair = [example.V_C[None], torch.tensor([river])]
        given = [torch.tensor([noise])] if cost == 3 and len(weight) == 8 else []
        assert objective.loss(*pair, *given).item() == pytest.approx(loss, rel=1e-12)
        assert objective.cost(pair[1]) == (cost, cost, cost)


# gensim as a one-step oracle


def gensim_model(counts, **options):
    """A gensim model of words w0, w1, .. with these (descending) counts, untrained."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=d,
        window=1,
        sg=1,
        sample=0,
        shrink_windows=False,
        min_count=1,
        workers=1,
        sorted_vocab=0,
        **options,
    )
    model.build_vocab_from_freq({f"w{i}": n for i, n in enumerate(counts)})
    return model


def gensim_tree(counts):
    """gensim's Huffman tree in this package's form, with its codes (0 is left) and inner nodes of
    each word.
    """
    keys = gensim_model(counts, hs=1, negative=0).wv.expandos
    codes = [list(map(int, code)) for code in keys["code"]]
    points = [list(map(int, point)) for point in keys["point"]]
    size = len(codes)
    children = [[None, None] for _ in range(size - 1)]
    for word, (code, point) in enumerate(zip(codes, points, strict=True)):
        for side, node, child in zip(
            code, point, [size + p for p in point[1:]] + [word], strict=True
        ):
            children[node][side] = child
    return tree_from_children(children), codes, points


def gensim_draws(model, K):
    """The noise words that gensim is about to draw for the two steps of the test below.

    Its generator, in Python.
    """
    number = 2**24 * model.random.randint(0, 2**24) + model.random.randint(0, 2**24)
    draws = []
    for _ in range(2 * K):
        draws.append(
            int(np.searchsorted(model.cum_table, (number >> 16) % int(model.cum_table[-1])))
        )
        number = (number * 25214903917 + 11) % 2**48
    return torch.tensor(draws).reshape(2, 1, K)


@pytest.mark.parametrize("method", ["hierarchical softmax", "negative sampling"])
def test_two_sgd_steps_equal_gensims(method):
    """15.2.6 and 15.2.7 in training, against gensim's compiled train_batch_sg on the sentence "w6
    w2". It feeds the context word in and predicts the centre, once each way; the tolerance is that
    of its sigma table."""
    from gensim.models.word2vec_inner import train_batch_sg

    # (word fed in, word to predict)
    counts = zipf_counts(V).tolist()
    alpha = 0.1
    pairs = [(2, 6), (6, 2)]
    noise = [[], []]
    if method == "hierarchical softmax":
        peer = gensim_model(counts, hs=1, negative=0)
        objective = HierarchicalSoftmax(d, gensim_tree(counts)[0])
        table = peer.syn1[: V - 1]
    else:
        peer = gensim_model(counts, hs=0, negative=K)
        objective = NegativeSampling(V, d, NoiseDistribution(counts), K)
        table = peer.syn1neg
        peer.random = np.random.RandomState(0)
        noise = [[draws] for draws in gensim_draws(peer, K)]
        for (_, target), [draws] in zip(pairs, noise, strict=True):  # no hit, and no word twice
            assert len({target, *draws[0].tolist()}) == K + 1
        peer.random = np.random.RandomState(0)
    model = plant(SkipGram(V, d, objective))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 0.7
    scores = model.embedding.weight[[2, 6]] @ objective.weight.T
    assert scores.abs().max() < 5.9  # gensim skips scores beyond 6
    peer.wv.vectors[:] = numbers(model.embedding.weight)
    table[:] = numbers(objective.weight)
    before = table.copy()
    train_batch_sg(peer, [["w6", "w2"]], alpha, np.zeros(d, dtype=np.float32), False)

    update = torch.optim.SGD(model.parameters(), lr=alpha)
    for (word, target), given in zip(pairs, noise, strict=True):
        update.zero_grad()
        objective.loss(model(torch.tensor([word])), torch.tensor([target]), *given).sum().backward()
        update.step()
    assert np.abs(table - before).max() > 0.05
    np.testing.assert_allclose(numbers(model.embedding.weight), peer.wv.vectors, rtol=0, atol=3e-3)
    np.testing.assert_allclose(numbers(objective.weight), table, rtol=0, atol=3e-3)
