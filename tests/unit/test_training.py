"""Training and what follows it: history, divergence, interruption; embeddings, costs, compare."""

import csv
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from utils import costs, training
from utils.compare import autograd, compare
from utils.costs import counted, timed, zipf_counts
from utils.embeddings import Embeddings
from utils.fits import fit_log2, fit_power
from utils.models import CBOW, SkipGram
from utils.training import TrainingDiverged, train
from utils.tree import huffman_tree
from utils.vocabulary import Vocab
from utils.windows import cbow_batches, skip_gram_batches

V = 20
d = 6


@pytest.fixture
def setup(sentences, make_objective):
    """setup(name, cbow=False): a model with its batches, the same each time."""
    vocab = Vocab(sentences, min_count=1)
    ids, sentence_of = vocab.encode(sentences)

    def make(name="negative sampling", cbow=False):
        torch.manual_seed(0)
        make_model, make_batches = (CBOW, cbow_batches) if cbow else (SkipGram, skip_gram_batches)
        batches = make_batches(ids, sentence_of, vocab, batch_size=512, subsample=None)
        return make_model(V, d, make_objective(name, V, d)), batches

    return make


def parameters(model):
    return [p.detach().clone() for p in model.parameters()]


# train


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("optimizer, lr", [("adagrad", 0.5), ("sgd", 3.0)])
def test_training_starts_at_the_known_loss_and_lowers_it(
    cbow, optimizer, lr, objective_name, setup
):
    model, batches = setup(objective_name, cbow)
    epoch = list(setup(objective_name, cbow)[1])  # the same first epoch
    first = model.loss(*epoch[0]).detach().double().mean().item()
    history = train(model, batches, epochs=12, lr=lr, optimizer=optimizer)
    expected = {
        "full softmax": math.log(V),
        "negative sampling": 6 * math.log(2),
        "hierarchical softmax": math.log(2) * model.objective.cost(epoch[0][1]).rows,
    }[objective_name]
    assert history.loss[0] == pytest.approx(first, rel=1e-12)
    assert history.loss[0] == pytest.approx(expected, rel=1e-6)
    steps = len(epoch)
    assert np.mean(history.loss[-steps:]) < np.mean(history.loss[:steps]) - 0.2


def test_history_counts_pairs_and_seconds(setup):
    model, batches = setup()
    sizes = [len(targets) for epoch in [setup()[1]] for _ in range(2) for _, targets in epoch]
    history = train(model, batches, epochs=2, lr=0.1)
    assert history.pairs == np.cumsum(sizes).tolist()
    assert len(history.loss) == len(history.seconds) == len(sizes)
    assert history.seconds == sorted(history.seconds) and history.seconds[0] > 0
    assert not history.interrupted


def test_the_loss_is_averaged_in_float64():
    """The float32 sum of these losses is 2^24: each 1 that is added to it is rounded away."""

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def loss(self, window, targets):
            return window.float() + self.weight

    window = torch.tensor([2.0**24, 1.0, 1.0, 1.0, 1.0])
    history = train(Model(), [(window, window)], epochs=1, lr=0.1)
    assert history.loss == [(2**24 + 4) / 5]


def test_each_epoch_is_iterated_and_zero_epochs_do_nothing(setup):
    model, batches = setup()
    before = parameters(model)
    assert train(model, batches, epochs=0, lr=0.1).loss == []
    assert all(a.equal(b) for a, b in zip(parameters(model), before, strict=True))
    batch = next(iter(batches))
    assert len(train(model, [batch, batch], epochs=3, lr=0.1).loss) == 6


def test_the_update_is_the_optimizer_s_on_the_mean_loss(make_objective):
    """One step of SGD by hand: weight - lr * gradient of the mean loss."""
    torch.manual_seed(0)
    model = SkipGram(V, d, make_objective("full softmax", V, d, planted=True)).double()
    centres = torch.tensor([0, 1, 1])
    targets = torch.tensor([4, 5, 6])
    before = parameters(model)
    gradients = torch.autograd.grad(model.loss(centres, targets).mean(), model.parameters())
    train(model, [(centres, targets)], epochs=1, lr=0.2, optimizer="sgd")
    for now, old, gradient in zip(model.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(now.detach(), old - 0.2 * gradient.to_dense())


def test_the_same_seed_gives_the_same_bits(setup):
    runs = []
    for seed in (3, 3, 4):
        model, batches = setup()
        torch.manual_seed(len(runs))  # what went before does not matter
        runs.append((train(model, batches, epochs=2, lr=0.3, seed=seed).loss, parameters(model)))
    assert runs[0][0] == runs[1][0] != runs[2][0]
    assert all(a.equal(b) for a, b in zip(runs[0][1], runs[1][1], strict=True))
    assert not runs[0][1][0].equal(runs[2][1][0])


def test_the_seed_fixes_the_noise_words_alone(setup):
    """The full softmax draws none: any seed gives the same run."""
    losses = [train(*setup("full softmax"), epochs=1, lr=0.3, seed=seed).loss for seed in (0, 1)]
    assert losses[0] == losses[1]


def test_training_leaves_the_random_state_alone(setup):
    model, batches = setup()
    state = torch.get_rng_state()
    train(model, batches, epochs=1, lr=0.3)
    assert torch.get_rng_state().equal(state)


@pytest.mark.parametrize("optimizer, lr", [("adagrad", 3e38), ("sgd", 1e30)])
def test_divergence_is_an_error_that_leaves_finite_weights(optimizer, lr, objective_name, setup):
    model, batches = setup(objective_name)
    with pytest.raises(
        TrainingDiverged, match=rf"at step \d+ with lr={re.escape(f'{lr:g}')}: "
    ) as caught:
        train(model, batches, epochs=3, lr=lr, optimizer=optimizer)
    assert all(p.isfinite().all() for p in model.parameters())
    assert caught.value.history.loss and np.isfinite(caught.value.history.loss).all()
    assert f"the {len(caught.value.history.loss)} finite losses" in str(caught.value)


class Bomb:
    """Batches that set one weight to NaN before the last of `steps` batches."""

    def __init__(self, model, batch, steps):
        self.model = model
        self.batch = batch
        self.steps = steps

    def __len__(self):
        return self.steps

    def __iter__(self):
        for step in range(1, self.steps + 1):
            if step == self.steps:
                with torch.no_grad():
                    self.model.embedding.weight[V - 1, 0] = math.nan
            yield self.batch


@pytest.mark.parametrize("steps, safe", [(5, 4), (4, 2), (3, 2)])
def test_a_weight_that_is_not_finite_is_noticed_at_the_next_snapshot_or_the_end(
    steps, safe, setup, monkeypatch
):
    """No batch touches the word with the NaN, so no loss shows it."""
    monkeypatch.setattr(training, "SNAPSHOT_EVERY", 2)
    model, _ = setup()
    with pytest.raises(
        TrainingDiverged,
        match=rf"a weight is not finite at step {steps} .* weights of step {safe},",
    ):
        train(model, Bomb(model, (torch.tensor([0]), torch.tensor([1])), steps), epochs=1, lr=0.1)
    reference, _ = setup()
    train(reference, [(torch.tensor([0]), torch.tensor([1]))] * safe, epochs=1, lr=0.1)
    assert all(a.equal(b) for a, b in zip(parameters(model), parameters(reference), strict=True))


def test_weights_that_are_not_finite_from_the_start_are_refused(setup):
    model, batches = setup()
    with torch.no_grad():
        model.embedding.weight[3, 0] = math.nan
    with pytest.raises((ValueError, TrainingDiverged), match="not finite"):
        train(model, batches, epochs=1, lr=0.1)


def test_an_interrupt_returns_what_was_learned(setup, capsys):
    model, batches = setup()
    list_of = list(batches)

    class Stopped(list):
        def __iter__(self):
            yield from list_of[:3]
            raise KeyboardInterrupt

    before = parameters(model)
    history = train(model, Stopped(list_of), epochs=5, lr=0.3)
    assert history.interrupted
    assert len(history.loss) == len(history.pairs) == len(history.seconds) == 3
    assert "interrupted after 3 steps" in capsys.readouterr().out
    assert not parameters(model)[0].equal(before[0])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"lr": 0.0}, "lr is 0"),
        ({"lr": -0.1}, "lr is -0.1"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": math.inf}, "lr is inf"),
        ({"optimizer": "adam"}, "optimizer is 'adam'; choose one of 'adagrad', 'sgd'"),
    ],
)
def test_bad_options_of_training_are_refused(options, message, setup):
    with pytest.raises(ValueError, match=message):
        train(*setup(), **{"epochs": 1, "lr": 0.1} | options)


# embeddings

WORDS = ["river", "bank", "rivers", "money", "loan", "stream"]


@pytest.fixture
def embeddings():
    return Embeddings(WORDS, torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))


def test_neighbors_equal_brute_force(embeddings):
    vectors = embeddings.vectors.double().numpy()
    for i, word in enumerate(WORDS):
        cosines = {
            other: vectors[i] @ v / np.linalg.norm(vectors[i]) / np.linalg.norm(v)
            for other, v in zip(WORDS, vectors, strict=True)
            if other != word
        }
        best = sorted(cosines, key=cosines.get, reverse=True)
        for k in (1, 3, 5, 99):
            found = embeddings.neighbors(word, k)
            assert [other for other, _ in found] == best[:k]
            assert [cosine for _, cosine in found] == pytest.approx(
                [cosines[other] for other in best[:k]], abs=1e-6
            )


def test_bad_questions_are_refused(embeddings):
    with pytest.raises(KeyError, match="'rivr' is not among the 6 words .*near spellings: river"):
        embeddings.neighbors("rivr")
    with pytest.raises(ValueError, match="k is 0"):
        embeddings.neighbors("river", 0)
    with pytest.raises(
        ValueError, match="similarity set is 'men'; choose one of .*wordsim353.*simlex999"
    ):
        embeddings.similarity("men")
    with pytest.raises(ValueError, match="wordsim353 shares 1 word pairs"):
        Embeddings(["king", "cabbage"], torch.ones(2, 3)).similarity()
    with pytest.raises(
        ValueError, match=r"2 words need as many rows of vectors, got shape \(3, 4\)"
    ):
        Embeddings(["a", "b"], torch.ones(3, 4))


def test_embeddings_are_a_copy_of_the_weights():
    weight = torch.nn.Parameter(torch.ones(2, 3))
    embeddings = Embeddings(["a", "b"], weight)
    with torch.no_grad():
        weight += 1
    assert embeddings.vectors.equal(torch.ones(2, 3)) and not embeddings.vectors.requires_grad


@pytest.mark.parametrize(
    "name, file", [("wordsim353", "wordsim353.tsv"), ("simlex999", "simlex999.txt")]
)
@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("spelling", [str.lower, str.capitalize])
def test_similarity_equals_scipys(name, file, keep, spelling):
    """Every `keep`-th word of the set has a vector.

    Rho over the pairs of which both have, and their number.
    """
    from gensim.test.utils import datapath

    with open(datapath(file), encoding="utf-8") as lines:
        rows = [
            (a.lower(), b.lower(), float(score))
            for a, b, score in csv.reader(
                (line for line in lines if not line.startswith("#")), delimiter="\t"
            )
        ]
    words = sorted({word for a, b, _ in rows for word in (a, b)})[::keep]
    vectors = torch.randn(len(words), 8, generator=torch.Generator().manual_seed(1))
    of = dict(zip(words, vectors.double(), strict=True))
    covered = [row for row in rows if row[0] in of and row[1] in of]
    cosines = [torch.cosine_similarity(of[a], of[b], dim=0).item() for a, b, _ in covered]
    rho, used = Embeddings([spelling(word) for word in words], vectors).similarity(name)
    assert used == len(covered) and (keep > 1 or used == len(rows) > 352)
    assert rho == pytest.approx(
        spearmanr(cosines, [score for *_, score in covered]).statistic, abs=1e-4
    )


@pytest.mark.parametrize("binary", [False, True])
def test_word2vec_files_go_through_gensim_and_back(binary, embeddings, tmp_path):
    from gensim.models import KeyedVectors

    path = tmp_path / "vectors"
    embeddings.save_word2vec(path, binary=binary)
    keyed = KeyedVectors.load_word2vec_format(str(path), binary=binary)
    assert keyed.index_to_key == WORDS
    np.testing.assert_array_equal(keyed.vectors, embeddings.vectors.numpy())
    again = Embeddings.load_word2vec(path, binary=binary)
    assert again.words == WORDS and again.vectors.equal(embeddings.vectors)
    assert path.read_bytes().startswith(b"6 4\n")
    assert [file.name for file in tmp_path.iterdir()] == ["vectors"]


def test_to_gensim_keeps_words_and_vectors(embeddings):
    keyed = embeddings.to_gensim()
    assert keyed.most_similar("river", topn=1)[0][0] == embeddings.neighbors("river", 1)[0][0]
    np.testing.assert_array_equal(keyed["bank"], embeddings.vectors[1].numpy())


def test_an_interrupted_save_leaves_the_old_file(embeddings, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    path = tmp_path / "vectors"
    path.write_text("old")
    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        embeddings.save_word2vec(path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"vectors": "old"}


def test_loading_what_is_not_there_names_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file .*absent"):
        Embeddings.load_word2vec(tmp_path / "absent")


# costs


def test_zipf_counts():
    assert zipf_counts(4).tolist() == [20, 10, 7, 5]
    assert zipf_counts(1000)[[0, 999]].tolist() == [5000, 5]


def test_counted_draws_targets_by_their_counts(make_objective):
    """The mean of 65,536 drawn depths against the expected depth by brute force, the deepest among
    them exactly.
    """
    counts = zipf_counts(200)
    cost = counted(make_objective("hierarchical softmax", 200, 2), counts)
    depths = huffman_tree(counts).depths.double()
    p = counts / counts.sum()
    mean = (p * depths).sum().item()
    spread = ((p * depths**2).sum().item() - mean**2) ** 0.5
    assert abs(cost.rows - mean) < 5 * spread / 256
    assert cost.dot_products == cost.rows and cost.padded == depths.max()
    assert counted(make_objective("full softmax", 200, 2), counts, pairs=9) == (200, 200, 200)
    assert counted(make_objective("negative sampling", 200, 2, K=7), counts, pairs=9) == (8, 8, 8)


def test_timed_runs_its_steps_and_takes_the_median(make_objective, monkeypatch):
    """The clock is replaced.

    The steps take 100, 100 (warmup), 3, 1, 8 seconds, of which 3 is the median.
    """
    laps = [100, 100, 3, 1, 8]
    ticks = iter(
        tick for start, lap in enumerate(laps) for tick in (1000 * start, 1000 * start + lap)
    )
    objective = make_objective("negative sampling", V, d)
    batches = []
    true_loss = objective.loss
    monkeypatch.setattr(costs, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    monkeypatch.setattr(
        objective, "loss", lambda *pair: batches.append(len(pair[1])) or true_loss(*pair)
    )
    assert timed(objective, zipf_counts(V), batch=6, warmup=2, repeats=3) == 3 / 6
    assert batches == [6] * 5
    assert objective.weight.any()  # the update is part of the step


def test_timed_is_positive_and_leaves_the_random_state_alone(make_objective, objective_name):
    objective = make_objective(objective_name, V, d)
    state = torch.get_rng_state()
    assert timed(objective, zipf_counts(V), batch=8, warmup=0, repeats=1) > 0
    assert torch.get_rng_state().equal(state)


def test_timed_needs_a_step(make_objective):
    with pytest.raises(ValueError, match="repeats is 0"):
        timed(make_objective("full softmax", V, d), zipf_counts(V), repeats=0)


def test_fits_recover_known_constants():
    x = [10, 100, 1000, 5000]
    assert fit_power(x, [3 * n**0.5 for n in x]) == pytest.approx((0.5, 3))
    assert fit_log2(x, [2 + 0.7 * math.log2(n) for n in x]) == pytest.approx((2, 0.7))


# compare


def test_compare_prints_its_tolerance(capsys):
    compare("loss", torch.tensor([1.0, 1e6 + 0.5]), [1.0, 1e6], tol=1e-6)
    compare("one number", 0.1, torch.tensor(0.1, dtype=torch.float64))
    assert capsys.readouterr().out == "loss: agrees within 1e-06\none number: agrees within 1e-09\n"


def test_compare_takes_what_requires_a_gradient_or_is_sparse(capsys):
    compare("gradient", torch.eye(3).to_sparse(), torch.eye(3).requires_grad_())
    assert "agrees" in capsys.readouterr().out


@pytest.mark.parametrize(
    "computed, reference, error, message",
    [
        ([1.0, 2.0], [1.0, 2.1], AssertionError, "gap: differs by up to 0.0476, more than 1e-09"),
        ([0.0], [0.001], AssertionError, "gap: differs by up to 0.001"),
        ([1.0, math.nan], [1.0, math.nan], AssertionError, "gap: differs"),
        ([1.0, math.nan], [1.0, 2.0], AssertionError, "gap: differs"),
        ([1.0], [math.inf], AssertionError, "gap: differs"),
        ([1.0, 2.0], [1.0], ValueError, r"computed \(2,\), reference \(1,\)"),
        ([[1.0]], [1.0], ValueError, r"computed \(1, 1\), reference \(1,\)"),
        ([], [], ValueError, "gap: there is nothing to compare"),
    ],
)
def test_compare_refuses(computed, reference, error, message, capsys):
    with pytest.raises(error, match=message):
        compare("gap", computed, reference)
    assert capsys.readouterr().out == ""


def test_autograd():
    """The gradient of the sum of x^3 is 3x^2; x itself is left as it was."""
    x = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    assert autograd(lambda t: (t**3).sum(), x).tolist() == [3, 12, 27]
    assert not x.requires_grad and x.grad is None
