"""The full-speed trainer.

Blocks against single pairs, expectations by enumeration, text of any size, runs that end.
"""

import itertools
import threading

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from utils.corpus import read_sentences
from utils.fast import learners
from utils.fast import text as text_module
from utils.fast import training as training_module
from utils.fast.blocks import Windows, bands, reaches, subsample_piece
from utils.fast.kernels import Scratch, Table, add_rows, block_step, softmax_step
from utils.fast.learners import (
    LEARNERS_OF,
    FullSoftmaxLearner,
    HierarchicalSoftmaxBlocks,
    NegativeSamplingBlocks,
    Tally,
)
from utils.fast.text import Text
from utils.fast.training import Run, train_fast
from utils.models import SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.training import TrainingDiverged, train
from utils.tree import huffman_tree
from utils.vocabulary import Vocab, keep_probability
from utils.windows import skip_gram_batches

V = 12
d = 5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def planted(rows=V, seed=1):
    """A table in float64 whose rows move by the gradient itself."""
    return Table(torch.randn(rows, d, generator=seeded(seed)).double(), torch.ones(rows).double())


def toy_text(n=57, seed=0):
    """n words out of V, many of them twice in a block, in sentences of 1 to 9 words."""
    ids = torch.randint(0, V, (n,), generator=seeded(seed))
    lengths = torch.randint(1, 10, (n,), generator=seeded(seed + 1))
    return ids, torch.arange(n).repeat_interleave(lengths)[:n]


def pairs_of(sentence, window, seed):
    """(centre, context) positions of all pairs, one by one, from this seed's windows."""
    left, right = reaches(sentence, window, seeded(seed))
    return [
        (i, j) for i in range(len(sentence)) for j in range(i - left[i], i + right[i] + 1) if j != i
    ]


@pytest.fixture
def vocab(sentences):
    return Vocab(sentences, min_count=1)


# blocks


@pytest.mark.parametrize("window", [1, 2, 5])
def test_windows_stay_within_their_sentence_and_their_reach(window):
    _, sentence = toy_text(400)
    left, right = reaches(sentence, window, seeded())
    seen = set()
    for i, (a, b) in enumerate(zip(left.tolist(), right.tolist())):
        same = (sentence == sentence[i]).nonzero().flatten()
        before = i - int(same[0])
        after = int(same[-1]) - i
        drawn = {
            reach
            for reach in range(1, window + 1)
            if (min(reach, before), min(reach, after)) == (a, b)
        }
        assert drawn, (a, b, before, after)  # some reach explains both sides
        seen |= drawn if len(drawn) == 1 else set()
    assert window == 1 or len(seen) > 1


@pytest.mark.parametrize("T, window", [(1, 1), (4, 2), (16, 5), (16, 9)])
def test_blocks_hold_every_pair_once(T, window):
    ids, sentence = toy_text()
    text = Windows(ids, sentence, T, window, seeded(3))
    band = bands(T, window).flatten(0, 2)[text.band]  # (n, T, T + 2w)
    found = [(int(text.ids[b, i]), int(text.context[b, j])) for b, i, j in band.nonzero().tolist()]
    assert sorted(found) == sorted(
        (int(ids[i]), int(ids[j])) for i, j in pairs_of(sentence, window, 3)
    )
    assert torch.equal(band.sum(dim=2).long(), text.pairs)


def test_blocks_come_in_random_order_that_the_seed_fixes():
    ids = torch.arange(320)
    sentence = torch.zeros(320).long()
    first, again = (Windows(ids, sentence, 16, 5, seeded(4)).ids for _ in range(2))
    assert torch.equal(first, again)
    assert first[:, 0].tolist() != sorted(first[:, 0].tolist()) == list(range(0, 320, 16))


def test_thinning_keeps_words_by_their_chance_and_no_end_of_sentence():
    piece = torch.tensor(([0] * 50 + [1] * 50 + [2]) * 200, dtype=torch.int32)
    ids, sentence = subsample_piece(piece, torch.tensor([1.0, 0.25]), seeded())
    assert (
        (ids == 0).sum() == 10_000
        and abs(int((ids == 1).sum()) - 2500) < 200
        and not (ids == 2).any()
    )
    assert sentence.unique().tolist() == list(range(200))
    assert all((ids[sentence == s] == 0).sum() == 50 for s in (0, 99, 199))


# kernels


def step_of_negative_sampling(window, M, seed=5, K=3):
    """(tables before, after, text, noise rows (n, M)) of one step over the whole toy text, and its
    loss.
    """
    ids, sentence = toy_text(seed=seed)
    T = 8
    text = Windows(ids, sentence, 8, window, seeded(seed))
    noise = torch.randint(0, V, (len(text.ids), M), generator=seeded(seed))
    band = bands(T, window).flatten(0, 2)[text.band].double()
    times = torch.cat([band, (text.pairs * K / M)[:, :, None].expand(-1, -1, M)], dim=2)
    labels = torch.tensor([1.0] * (T + 2 * window) + [0.0] * M).double()
    tables = planted(seed=1), planted(seed=2)
    before = [table.vectors.clone() for table in tables]
    loss = block_step(
        *tables,
        text.ids,
        torch.cat([text.context, noise], dim=1),
        labels,
        times,
        1.0,
        Scratch(),
        True,
    )
    pairs = [(int(ids[i]), int(ids[j])) for i, j in pairs_of(sentence, window, seed)]
    return before, [table.vectors for table in tables], loss, pairs, text, noise, K / M


@pytest.mark.parametrize("window, M, seed", [(1, 1, 5), (2, 3, 6), (5, 8, 7), (7, 2, 8)])
def test_a_banded_step_is_the_sum_of_its_pairs_gradients(window, M, seed):
    before, after, loss, pairs, text, noise, share = step_of_negative_sampling(window, M, seed)
    v, u = (table.clone().requires_grad_() for table in before)
    nats = -sum(logsigmoid(u[o] @ v[c]) for c, o in pairs)
    for block, drawn in enumerate(noise):
        for word, n in zip(text.ids[block], text.pairs[block]):
            nats = nats - n * share * logsigmoid(-u[drawn] @ v[word]).sum()
    nats.backward()
    assert loss == pytest.approx(nats.item(), rel=1e-12)
    for old, new, gradient in zip(before, after, (v.grad, u.grad)):
        torch.testing.assert_close(new, old - gradient, rtol=0, atol=1e-12)


def test_shared_noise_is_unbiased():
    """Mean over all V^M draws, by their chance: the K expected noise words of each pair, 15.2.6."""
    few = 4
    M = 2
    K = 5
    q = NoiseDistribution(torch.tensor([8, 4, 2, 1])).probs
    ids = torch.tensor([[0, 1, 1]])
    context = torch.tensor([[2, 0, 1, 1, 3]])
    band = bands(3, 1)[torch.arange(3), 1, 1].double()[None]  # each word with both neighbours
    n = band.sum(dim=2)
    labels = torch.tensor([1.0] * 5 + [0.0] * M).double()

    def moved(drawn, count):
        tables = planted(few, 1), planted(few, 2)
        before = [table.vectors.clone() for table in tables]
        times = torch.cat([band, (n * count)[:, :, None].expand(-1, -1, len(drawn))], dim=2)
        block_step(
            *tables,
            ids,
            torch.cat([context, torch.tensor([drawn])], dim=1),
            labels[: 5 + len(drawn)],
            times,
            1.0,
            Scratch(),
        )
        return torch.stack([table.vectors - old for table, old in zip(tables, before)])

    mean = sum(
        q[list(drawn)].prod() * moved(drawn, K / M)
        for drawn in itertools.product(range(few), repeat=M)
    )
    v = planted(few, 1).vectors.requires_grad_()
    u = planted(few, 2).vectors.requires_grad_()
    for i, j in band[0].nonzero().tolist():
        c = ids[0, i]
        (-logsigmoid(u[context[0, j]] @ v[c]) - K * (q * logsigmoid(-u @ v[c])).sum()).backward()
    torch.testing.assert_close(mean, -torch.stack([v.grad, u.grad]), rtol=0, atol=1e-12)


def test_rows_move_by_their_own_rate():
    ids = torch.tensor([[0, 1]])
    rows = torch.tensor([[2, 3]])
    times = torch.ones(1, 2, 2).double()
    moved = []
    for rates in (torch.ones(V).double(), torch.arange(V).double()):
        tables = Table(planted(seed=1).vectors, rates), Table(planted(seed=2).vectors, rates)
        before = [table.vectors.clone() for table in tables]
        block_step(*tables, ids, rows, torch.ones(2).double(), times.clone(), 0.5, Scratch())
        moved.append([table.vectors - old for table, old in zip(tables, before)])
    for one, other in zip(*moved):
        assert one.any()
        torch.testing.assert_close(one * torch.arange(V)[:, None], other, rtol=0, atol=1e-12)


def test_add_rows_adds_up_what_comes_twice():
    table = torch.zeros(3, 2)
    add_rows(table, torch.tensor([[1, 1], [2, 1]]), torch.arange(8.0).view(2, 2, 2))
    assert table.tolist() == [[0, 0], [0 + 2 + 6, 1 + 3 + 7], [4, 5]]


def test_scratch_lends_the_same_memory_again():
    scratch = Scratch()
    like = torch.zeros(1)
    big = scratch.take("x", like, 4, 5)
    assert (
        scratch.take("x", like, 2, 3).data_ptr()
        == big.data_ptr()
        != scratch.take("y", like, 4, 5).data_ptr()
    )
    assert scratch.take("x", like, 30, 30).shape == (30, 30)
    table = torch.randn(6, 3)
    ids = torch.tensor([[5, 0], [5, 2]])
    assert torch.equal(scratch.gather("z", table, ids), table[ids])


# objectives


def test_negative_sampling_asks_as_often_as_it_says(sentences, vocab):
    """`asked`: the mean over many passes of the times that each row's questions count."""
    long = [[word for sentence in sentences for word in sentence]]  # one sentence: no window is cut
    keep = keep_probability(vocab.counts, 0.05, "word2vec")
    objective = NegativeSamplingBlocks(vocab, keep, 3, 5, 0.75)
    text = Text(long, vocab)
    counts_in = torch.zeros(len(vocab))
    counts_out = torch.zeros(len(vocab))
    for seed in range(60):
        ids, sentence = subsample_piece(text[0], keep, seeded(seed))
        windows = Windows(ids, sentence, objective.T, 3, seeded(seed))
        noise = objective.noise.sample((len(windows.ids), objective.M), seeded(seed))
        times = objective.weights[windows.band]
        counts_in.index_add_(0, windows.ids.flatten(), times.sum(dim=2).flatten() / 60)
        counts_out.index_add_(
            0, torch.cat([windows.context, noise], dim=1).flatten(), times.sum(dim=1).flatten() / 60
        )
    for counted, (said, _) in zip((counts_in, counts_out), objective.visits):
        torch.testing.assert_close(counted.double(), said, rtol=0.15, atol=1.0)


def one_step(objective, window, seed):
    """(pairs as ids, tables, their vectors before) of a toy text for one step of the objective."""
    ids, sentence = toy_text(seed=seed)
    tables = planted(V, 1), planted(objective.output_rows, 2)
    pairs = [(int(ids[i]), int(ids[j])) for i, j in pairs_of(sentence, window, seed)]
    return pairs, tables, [table.vectors.clone() for table in tables]


def check_against_plain(plain, pairs, tables, before, loss, squares=(None, None), lr=1.0):
    """The step moved both tables by minus the summed gradient of the plain objective; pairs are
    (hidden, target).

    With `squares`, those of the gradients so far, by a step of Adagrad.
    """
    plain.double().weight.data = before[1].clone()
    v = before[0].clone().requires_grad_()
    hidden, target = map(torch.tensor, zip(*pairs))
    nats = plain.loss(v[hidden], target).sum()
    nats.backward()
    assert loss == pytest.approx(nats.item(), rel=1e-9)
    for table, old, gradient, sums in zip(
        tables, before, (v.grad, plain.weight.grad.to_dense()), squares
    ):
        step = gradient if sums is None else lr * gradient / (sums + gradient**2).sqrt()
        torch.testing.assert_close(table.vectors, old - step, rtol=0, atol=1e-9)


def toy_vocab():
    return Vocab([[f"w{i}"] * (40 // (i + 1) + 1) for i in range(V)], min_count=1)


@pytest.mark.parametrize("window, P, seed", [(1, 1, 5), (2, 3, 6), (5, 4, 7), (5, 32, 8)])
def test_a_pass_of_hierarchical_softmax_is_the_sum_of_its_pairs_gradients(
    window, P, seed, monkeypatch
):
    """Each word is predicted from the words of its own window.

    Blocks of P pairs, the last of each word filled up.
    """
    monkeypatch.setattr(HierarchicalSoftmaxBlocks, "P", P)
    vocab = toy_vocab()
    objective = HierarchicalSoftmaxBlocks(vocab, torch.ones(V), window)
    ids, sentence = toy_text(seed=seed)
    pairs, (inputs, outputs), before = one_step(objective, window, seed)
    targets, words, inside = objective.group(ids, sentence, seeded(seed))
    assert words.shape == inside.shape == (len(targets), P) and inside.any(dim=1).all()
    real = objective.real[targets].double()
    loss = block_step(
        inputs,
        outputs,
        words,
        objective.paths[targets],
        objective.left[targets, None].double(),
        inside.double()[:, :, None] * real[:, None],
        1.0,
        Scratch(),
        True,
    )
    plain = HierarchicalSoftmax(d, huffman_tree(vocab.counts))
    check_against_plain(
        plain, [(context, target) for target, context in pairs], (inputs, outputs), before, loss
    )


def test_hierarchical_softmax_learns_every_pair_in_one_pass(monkeypatch):
    steps = []
    monkeypatch.setattr(
        learners,
        "block_step",
        lambda *step: steps.append([part.clone() for part in step[2:6]]) or 0.0,
    )
    vocab = toy_vocab()
    objective = HierarchicalSoftmaxBlocks(vocab, torch.ones(V), 3)
    ids, sentence = toy_text(400)
    tally = objective.learn(
        ids, sentence, planted(), planted(), lambda share: 1.0, seeded(3), Scratch()
    )
    found = []
    tree = huffman_tree(vocab.counts)
    walks = {
        tuple(zip(tree.paths[w, :D].tolist(), (tree.signs[w, :D] > 0).tolist())): w
        for w, D in enumerate(tree.depths.tolist())
    }
    for words, nodes, labels, times in steps:
        for word, node, (label,), time in zip(words, nodes, labels, times):
            for i in time.any(dim=1).nonzero().flatten().tolist():
                assert set(time[i].tolist()) <= {0.0, 1.0}
                walk = zip(node[time[i] > 0].tolist(), (label[time[i] > 0] > 0).tolist())
                found.append((walks[tuple(walk)], int(word[i])))
    assert sorted(found) == sorted((int(ids[i]), int(ids[j])) for i, j in pairs_of(sentence, 3, 3))
    assert tally.pairs == len(found) and len(steps) > 5


def loss_of_all(plain, sentences, vocab, run):
    batches = skip_gram_batches(*vocab.encode(sentences), vocab, window=5, subsample=None, seed=1)
    plain.weight.data = run.output_table.vectors
    with torch.no_grad():
        return (
            torch.cat([plain.loss(run.input_table.vectors[c], o) for c, o in batches]).mean().item()
        )


@pytest.mark.parametrize("name, most", [("ns", 2.75), ("hs", 2.2)])
@pytest.mark.slow
def test_compiled_and_blocks_learn_alike(sentences, vocab, name, most):
    """The same loss of all pairs after as many passes, and far below that of vectors which know
    nothing.
    """
    plain = (
        NegativeSampling(len(vocab), 8, NoiseDistribution(vocab.counts))
        if name == "ns"
        else HierarchicalSoftmax(8, huffman_tree(vocab.counts))
    )
    losses = []
    for objective in (name, f"{name}-blocks"):
        run = Run(Text(sentences, vocab), vocab, objective=objective, dim=8, subsample=0, epochs=30)
        run.train(threads=1)
        losses.append(loss_of_all(plain, sentences, vocab, run))
    assert losses[0] == pytest.approx(losses[1], abs=0.1) and max(losses) < most, losses


@pytest.mark.parametrize("name, most", [("ns", 2.75), ("hs", 2.2)])
@pytest.mark.slow
def test_two_threads_learn_within_the_spread_of_seeds(sentences, vocab, name, most, short):
    plain = (
        NegativeSampling(len(vocab), 8, NoiseDistribution(vocab.counts))
        if name == "ns"
        else HierarchicalSoftmax(8, huffman_tree(vocab.counts))
    )

    def losses(threads, seeds):
        found = []
        for seed in seeds:
            options = dict(objective=name, dim=8, subsample=0, epochs=30, seed=seed)
            run = Run(Text(sentences, vocab), vocab, **options)
            run.train(threads=threads)
            found.append(loss_of_all(plain, sentences, vocab, run))
        return np.array(found)

    one = losses(1, range(5))
    two = losses(2, range(5, 8))
    assert abs(two.mean() - one.mean()) < 4 * one.std(ddof=1) + 0.02
    assert max(*one, *two) < most


@pytest.mark.parametrize("window, seed", [(1, 5), (3, 6), (5, 7)])
def test_a_step_of_the_full_softmax_is_the_sum_of_its_pairs_gradients(window, seed, monkeypatch):
    steps = []
    monkeypatch.setattr(learners, "softmax_step", lambda *step: steps.append(step) or 0.0)
    objective = FullSoftmaxLearner(toy_vocab(), torch.ones(V), window)
    objective.blocks = 99
    ids, sentence = toy_text(seed=seed)
    pairs, (inputs, outputs), before = one_step(objective, window, seed)
    tally = objective.learn(
        ids, sentence, inputs, outputs, lambda share: 1.0, seeded(seed), Scratch()
    )
    assert tally.pairs == len(pairs) and len(steps) == 1
    _, _, centres, context, inside, *_ = steps[0]
    tables = [Table(table.vectors) for table in (inputs, outputs)]
    for table in tables:
        table.squares += torch.rand(table.squares.shape, generator=seeded(seed)).double()
    squares = [table.squares.clone() for table in tables]
    loss = softmax_step(*tables, centres, context, inside.double(), 0.3, Scratch(), True)
    check_against_plain(FullSoftmax(V, d), pairs, tables, before, loss, squares, lr=0.3)


def test_a_step_of_adagrad_is_bounded_although_another_thread_puts_old_sums_back():
    """Otherwise a gradient is divided by next to nothing, and the vector is lost."""
    table = Table(torch.zeros(3, 2))
    table.squares.addcmul_ = lambda *gradients: table.squares  # as though never added
    gradient = torch.tensor([[1e-3, -2.0], [0.0, 5.0], [0.0, 0.0]])
    table.descend(gradient, 0.1)
    torch.testing.assert_close(table.vectors, -0.1 * gradient.sign())


def test_hierarchical_softmax_asks_as_often_as_it_says(sentences, vocab):
    objective = HierarchicalSoftmaxBlocks(vocab, torch.ones(len(vocab)), 3)
    ids = vocab.encode([[word for sentence in sentences for word in sentence]])[0]
    nodes = torch.zeros(len(vocab) - 1)
    for seed in range(20):
        targets, _, inside = objective.group(ids, torch.zeros_like(ids), seeded(seed))
        visits = inside.sum(dim=1)[:, None] * objective.real[targets] / 20
        nodes.index_add_(0, objective.paths[targets].flatten(), visits.flatten())
    torch.testing.assert_close(nodes.double(), objective.visits[1][0], rtol=0.05, atol=1.0)
    assert nodes.sum() == pytest.approx(objective.visits[0][0].sum().item(), rel=0.02)


def plain_loss(sentences, vocab, epochs, lr):
    torch.manual_seed(0)
    objective = NegativeSampling(len(vocab), 8, NoiseDistribution(vocab.counts))
    batches = skip_gram_batches(*vocab.encode(sentences), vocab, batch_size=64, subsample=None)
    history = train(SkipGram(len(vocab), 8, objective), batches, epochs=epochs, lr=lr)
    return sum(history.loss[-len(batches) :]) / len(batches)


@pytest.mark.slow
def test_tiny_blocks_learn_what_the_plain_trainer_learns(sentences, vocab, monkeypatch):
    """The same corpus, a step for every four words.

    The same loss within a few hundredths of a nat.
    """
    monkeypatch.setattr(NegativeSamplingBlocks, "T", 4)
    monkeypatch.setattr(training_module, "ROUND_SECONDS", 0.0)
    run = Run(Text(sentences, vocab), vocab, objective="ns-blocks", dim=8, subsample=0, epochs=20)
    losses = run.train(threads=1).loss
    assert losses[0] > losses[-1] + 0.5 and losses[-1] == pytest.approx(
        plain_loss(sentences, vocab, 20, 0.3), abs=0.08
    )


@pytest.mark.parametrize(
    "model, objective", [(model, name) for model, names in LEARNERS_OF.items() for name in names]
)
@pytest.mark.slow
def test_the_vectors_tell_the_two_kinds_of_sentences_apart(sentences, vocab, model, objective):
    """Even words occur among even words only: their vectors end up together."""
    vectors = train_fast(
        sentences,
        vocab,
        model=model,
        objective=objective,
        dim=8,
        subsample=0,
        epochs=30,
        threads=1,
    )
    unit = torch.nn.functional.normalize(vectors.vectors - vectors.vectors.mean(dim=0), dim=1)
    even = torch.tensor([int(word[1:]) % 2 == 0 for word in vectors.words])
    alike = even[:, None] == even
    assert (unit @ unit.T)[alike].mean() > (unit @ unit.T)[~alike].mean() + 0.5


# text


def whole(text):
    return torch.cat([text[i] for i in range(len(text))]).tolist()


def test_pieces_hold_the_text_with_an_end_after_each_sentence(vocab, sentences, monkeypatch):
    monkeypatch.setattr(text_module, "PIECE", 50)
    text = Text([*sentences, ["unknown"], []], vocab)
    assert whole(text) == [i for s in sentences for i in [*(vocab[word] for word in s), len(vocab)]]
    assert len(text) > 20 and all(
        len(text[i]) <= 50 and text[i][-1] == len(vocab) for i in range(len(text))
    )
    assert text.known == sum(map(len, sentences)) == text.words - 1


def test_streaming_a_file_equals_text_in_memory(vocab, sentences, tmp_path, monkeypatch):
    """From memory, from a file, and with ids that wait in a temporary file: the same vectors."""
    path = tmp_path / "text.txt"
    words = [
        ["of", *(chr(97 + int(word[1:])) for word in s)] for s in sentences
    ]  # a file's words are letters only
    path.write_text("\n\n".join(" ".join(s).title() for s in words), encoding="utf-8")
    kinds = Vocab(read_sentences(path), min_count=1)
    assert len(kinds) == 21 and [s for s in read_sentences(path) if s] == words
    options = dict(dim=4, subsample=0, epochs=2, threads=1)
    memory = train_fast(words, kinds, **options).vectors
    monkeypatch.setattr(text_module, "IN_MEMORY", 16)
    text = Text(path, kinds)
    assert text._pieces._file._rolled and len(whole(text)) == sum(len(s) + 1 for s in words)
    assert torch.equal(train_fast(str(path), kinds, **options).vectors, memory)


@pytest.mark.parametrize("options", [dict(), dict(min_count=3), dict(min_count=1, max_size=7)])
@pytest.mark.parametrize("at_once", [1, 1 << 16])
def test_one_reading_gives_what_two_give(tmp_path, monkeypatch, options, at_once):
    """Of a file in several scripts, and of the same sentences in memory."""
    generator = np.random.default_rng(0)
    letters = "ab cd\u0301e \u00e9 \u05d0\u05b0 \u0915\u093f \u0130 \u03a3 5 ' \u200d \n"
    text = "".join(generator.choice(list(letters), 20_000))
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(text_module, "AT_ONCE", at_once)
    monkeypatch.setattr(text_module, "PIECE", 64)
    monkeypatch.setattr(text_module, "IN_MEMORY", 1_000)
    vocab = Vocab(read_sentences(path), **options)
    expected = Text(list(read_sentences(path)), vocab)
    by_hand = []
    for sentence in read_sentences(path):
        known = [vocab[word] for word in sentence if word in vocab]
        by_hand += [*known, len(vocab)] if known else []
    assert whole(expected) == by_hand
    for source in (path, str(path), list(read_sentences(path)), read_sentences(path)):
        found, its_vocab = Text.with_vocabulary(source, **options)
        assert its_vocab.words == vocab.words and torch.equal(its_vocab.counts, vocab.counts)
        assert whole(found) == whole(expected) and len(found) == len(expected) > 20
        assert (found.words, found.known, found.checksum) == (
            expected.words,
            expected.known,
            expected.checksum,
        )
    again = Text(path, vocab)
    assert (again.words, again.checksum) == (expected.words, expected.checksum)


def test_one_reading_refuses_what_two_refuse(tmp_path):
    (tmp_path / "empty").write_text("1 2 3\n")
    with pytest.raises(ValueError, match="the corpus is empty"):
        Text.with_vocabulary(tmp_path / "empty")
    with pytest.raises(ValueError, match="no word occurs 5 times: the largest count is 2 .'b'"):
        Text.with_vocabulary([["a", "b", "b"]])
    with pytest.raises(ValueError, match="min_count is 0"):
        Text.with_vocabulary(iter(lambda: pytest.fail("the text was read"), None), min_count=0)
    with pytest.raises(TypeError, match="not a string such as"):
        Text.with_vocabulary(["a b"])


def test_vectors_without_a_vocabulary_are_those_with_it(sentences, vocab):
    options = dict(dim=4, epochs=1, threads=1)
    alone = train_fast(sentences, min_count=1, **options)
    assert torch.equal(alone.vectors, train_fast(sentences, vocab, **options).vectors)


def test_one_sentence_of_a_million_tokens(vocab):
    sentence = [
        vocab.words[i] for i in torch.randint(0, 20, (1_000_000,), generator=seeded()).tolist()
    ]
    text = Text([sentence], vocab)
    assert text.known == 1_000_000 and len(text) == -(-1_000_001 // text_module.PIECE)
    assert train_fast([sentence], vocab, dim=2, epochs=1).vectors.isfinite().all()


@pytest.mark.parametrize(
    "change", [lambda path: path.open("a").write("more"), lambda path: path.write_text("a")]
)
def test_a_file_that_changes_its_length_while_it_is_read(tmp_path, change):
    path = tmp_path / "text.txt"
    path.write_text("one two\n" * 100_000)
    sentences = read_sentences(path)
    next(sentences)
    change(path)
    with pytest.raises(ValueError, match="changed while it was read: 800000 bytes at first"):
        list(sentences)


def test_texts_without_words_are_refused(vocab, tmp_path):
    with pytest.raises(ValueError, match="none of the 2 words"):
        Text([["unknown", "words"]], vocab)
    with pytest.raises(TypeError, match="not a string such as 'w1 w2'"):
        Text(["w1 w2"], vocab)
    with pytest.raises(FileNotFoundError, match="no file"):
        train_fast(tmp_path / "nothing.txt", vocab)
    with pytest.raises(ValueError, match="no pair is left"):
        train_fast([["w0"], ["w1"], [], ["w2", "unknown"]], vocab, subsample=0)


# runs


@pytest.fixture
def short(monkeypatch):
    """Many short pieces, and a look at the weights after each, so that a run of a second has many
    rounds.
    """
    monkeypatch.setattr(text_module, "PIECE", 200)
    monkeypatch.setattr(training_module, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(training_module, "COPY_SHARE", float("inf"))


def test_one_thread_and_a_seed_give_the_same_vectors_again(vocab, sentences):
    def vectors(**options):
        return train_fast(sentences, vocab, dim=8, epochs=3, **options).vectors

    first = vectors(threads=1)
    assert torch.equal(vectors(threads=1), first)
    assert not torch.equal(vectors(threads=1, seed=1), first)
    state = torch.get_rng_state()
    assert vectors(threads=3).shape == first.shape and torch.equal(torch.get_rng_state(), state)


def test_each_piece_and_each_pass_draws_anew(vocab, sentences, short):
    run = Run(Text(sentences, vocab), vocab, dim=4, epochs=3, subsample=0)
    seeds = []
    run.learner.learn_piece = lambda piece, draws, *_: seeds.append(draws) or Tally(1, 1.0, 1)
    run.train(threads=1)
    assert len(set(seeds)) == len(seeds) == len(run)


def test_the_history_has_every_pair(vocab, sentences, short):
    """Without subsampling, a window of 1 gives each word its neighbours.

    2 (n - 1) pairs a sentence.
    """
    run = Run(Text(sentences, vocab), vocab, dim=4, window=1, subsample=0, epochs=3)
    history = run.train(threads=2)
    assert history.pairs[-1] == 3 * sum(2 * (len(s) - 1) for s in sentences)
    assert history.pairs == sorted(history.pairs) and history.seconds == sorted(history.seconds)
    assert len(history.loss) == len(history.pairs) == len(history.seconds) > 3
    assert run.next_piece == len(run)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(objective="nce"), "objective is 'nce'; choose"),
        (dict(dim=0), "dim is 0"),
        (dict(window=0), "window is 0"),
        (dict(negatives=0), "negatives is 0"),
        (dict(epochs=0), "epochs is 0"),
        (dict(seed=-1), "seed is -1"),
        (dict(threads=0), "threads is 0"),
        (dict(subsample=-1e-3), "subsample is -0.001"),
        (dict(subsample=float("nan")), "subsample is nan"),
        (dict(lr=0.0), "lr is 0"),
        (dict(lr=float("inf")), "lr is inf"),
        (dict(power=float("inf")), "power is inf"),
        (dict(model="glove"), "model is 'glove'; choose"),
        (dict(model="cbow", objective="softmax"), "'softmax' is for skip-gram only.*ns, hs"),
    ],
)
def test_wrong_settings_are_named(vocab, sentences, wrong, message):
    with pytest.raises(ValueError, match=message):
        train_fast(sentences, vocab, **wrong)


@pytest.mark.parametrize(
    "model, objective",
    [
        ("skip-gram", "ns"),
        ("skip-gram", "hs"),
        ("skip-gram", "ns-blocks"),
        ("skip-gram", "hs-blocks"),
        ("cbow", "ns"),
        ("cbow", "hs"),
    ],
)
def test_rates_of_rows(vocab, sentences, model, objective):
    """lr for all of them, or by 1 / sqrt(n).

    Never more than 2 / p where p questions pile up in a step.
    """

    def rates(lr, epochs):
        run = Run(
            Text(sentences, vocab),
            vocab,
            model=model,
            objective=objective,
            subsample=0,
            epochs=epochs,
            lr=lr,
        )
        steps = vocab.counts.sum() / run.learner.words_per_step
        bounds = [2 / (asked / steps).clamp(min=once) for asked, once in run.learner.visits]
        return (
            [table.rates.double() for table in (run.input_table, run.output_table)],
            bounds,
            run.learner,
        )

    given, bounds, _ = rates(0.02, 3)
    for rate, bound in zip(given, bounds):
        torch.testing.assert_close(rate, bound.clamp(max=0.02), rtol=1e-5, atol=0)
    own, bounds, kind = rates(None, 400)
    for rate, bound, (asked, _) in zip(own, bounds, kind.visits):
        n = asked * 400  # in all epochs
        torch.testing.assert_close(
            rate, torch.minimum(kind.base_rate / (400 * n).sqrt(), bound), rtol=1e-5, atol=0
        )
        assert (rate < 0.99 * bound).any() and rate.max() > rate.min()
    assert all((rate <= 0.1 * (1 + 1e-6)).all() for rate in rates(None, 1)[0])


def test_a_vocabulary_of_one_word_is_refused():
    with pytest.raises(ValueError, match="the vocabulary has 1 words"):
        train_fast([["a", "a"]], Vocab([["a", "a"]], min_count=1))


def test_a_rate_that_diverges_ends_with_the_last_good_vectors(vocab, sentences, short, monkeypatch):
    run = Run(Text(sentences, vocab), vocab, dim=8, epochs=5, subsample=0)
    learn = Run.learn
    good = []

    def derail(self, number, scratch):
        if number == 4:
            good.append(self.input_table.vectors.clone())
            self.output_table.rates.fill_(float("inf"))
        return learn(self, number, scratch)

    monkeypatch.setattr(Run, "learn", derail)
    with pytest.raises(
        TrainingDiverged, match="choose a smaller lr.*those after piece 4"
    ) as caught:
        run.train(threads=1)
    assert (
        torch.equal(caught.value.embeddings.vectors, good[0])
        and run.input_table.vectors.isfinite().all()
    )
    assert len(caught.value.history.loss) == 4


def test_a_text_may_begin_without_a_pair(vocab, sentences, short):
    """Pieces of lone words, each a round of its own.

    Nothing is learned from them, and nothing is lost.
    """
    lone = [[word] for word in vocab.words for _ in range(50)]
    run = Run(Text([*lone, *sentences], vocab), vocab, dim=4, epochs=1, subsample=0)
    assert len(Text(lone, vocab)) > 3
    history = run.train(threads=1)
    assert run.next_piece == len(run) and history.pairs[-1] > 0 and history.loss[0] > 0


def test_an_error_in_a_thread_ends_the_run(vocab, sentences, short, monkeypatch):
    def fail(self, number, scratch):
        raise RuntimeError("no memory for piece 0")

    monkeypatch.setattr(Run, "learn", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        train_fast(sentences, vocab, threads=2)


def stop_after(monkeypatch, pieces):
    """The run gets Ctrl-C (KeyboardInterrupt in the main thread) after so many pieces."""
    note = Run._note
    learn = Run.learn

    def interrupt(self, *arguments):
        note(self, *arguments)
        if self.next_piece >= pieces:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_note", interrupt)
    return lambda: (
        monkeypatch.setattr(Run, "_note", note),
        monkeypatch.setattr(Run, "learn", learn),
    )


@pytest.mark.parametrize("objective", ["ns", "softmax"])
def test_an_interrupted_run_goes_on_where_it_stopped(
    vocab, sentences, short, monkeypatch, tmp_path, capsys, objective
):
    options = dict(dim=8, epochs=4, threads=1, objective=objective)
    unbroken = train_fast(sentences, vocab, **options).vectors
    go_on = stop_after(monkeypatch, 7)
    half = train_fast(sentences, vocab, checkpoint=tmp_path / "c", **options).vectors
    assert "interrupted after" in capsys.readouterr().out and not torch.equal(half, unbroken)
    go_on()
    resumed = train_fast(
        sentences, vocab, checkpoint=tmp_path / "c", resume=True, **options
    ).vectors
    assert torch.equal(resumed, unbroken)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_checkpoints_are_written_while_it_runs(vocab, sentences, short, monkeypatch, tmp_path):
    """What stands in the file after any round resumes to the same vectors.

    Killing loses no more than an interval.
    """
    options = dict(dim=4, epochs=3, threads=1, every=0)
    note = Run._note
    kept = []

    def keep(self, *rest):
        note(self, *rest)
        kept.append((tmp_path / "c").read_bytes())

    monkeypatch.setattr(Run, "_note", keep)
    unbroken = train_fast(sentences, vocab, checkpoint=tmp_path / "c", **options).vectors
    assert len(set(kept)) == len(kept) > 6
    for content in kept[::4]:
        (tmp_path / "c").write_bytes(content)
        again = train_fast(
            sentences, vocab, checkpoint=tmp_path / "c", resume=True, **options
        ).vectors
        assert torch.equal(again, unbroken)


def test_a_checkpoint_of_another_run_is_refused(vocab, sentences, tmp_path):
    def go(text=sentences, **options):
        train_fast(
            text,
            vocab,
            **dict(dim=4, epochs=1) | options,
            checkpoint=tmp_path / "c",
            resume="dim" in options,
        )

    go()
    with pytest.raises(ValueError, match="made with dim = 4, this run has 6"):
        go(dim=6)
    with pytest.raises(
        ValueError, match="made with text = '1[0-9]+ words, checksum .*this run has"
    ):
        go(sentences[:-1], dim=4)
    (tmp_path / "c").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="it is no checkpoint of this trainer; remove it"):
        go(dim=4)
    (tmp_path / "c").unlink()
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        go(dim=4)


def test_an_unwritable_checkpoint_is_found_before_training(vocab, sentences, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "learn", lambda *_: pytest.fail("training has begun"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        train_fast(sentences, vocab, checkpoint=tmp_path / "file" / "c")


def test_threads_share_the_work(vocab, sentences, short, monkeypatch):
    seen = set()
    learn = Run.learn
    both = threading.Barrier(2, timeout=30)

    def watched(self, number, scratch):
        if number < 2:
            both.wait()  # passes only if two threads learn at the same time
        seen.add(number)
        return learn(self, number, scratch) if torch.get_num_threads() == 1 else Tally()

    monkeypatch.setattr(Run, "learn", watched)
    run = Run(Text(sentences, vocab), vocab, dim=4, epochs=2)
    assert run.train(threads=2).pairs[-1] > 0
    assert seen == set(range(len(run)))
