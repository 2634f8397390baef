"""Each thread's own copy of the topmost rows: what is learned there reaches all."""

import numpy as np
import pytest
import torch

from utils.fast import Run, checkpoints, drawing, training
from utils.fast.copies import OwnRows
from utils.fast.kernels import Scratch, Table
from utils.fast.learners import Draws
from utils.fast.loops import choose_loops
from utils.fast.text import Text
from utils.training import TrainingDiverged
from utils.vocabulary import Vocab

V = 7
d = 5
TOP = 3


def table_with_copies(copies=2, columns=8):
    vectors = torch.arange(V * d).view(V, d).float()
    table = Table(vectors, torch.arange(1.0, V + 1), columns)
    table.make_copies(TOP, copies)
    return table


def test_copies_stand_behind_the_table_with_its_rates():
    table = table_with_copies()
    assert table.vectors.shape == (V, d) and table.rows.shape == (V + 2 * TOP, 8)
    assert table.vectors.data_ptr() == table.rows.data_ptr()
    assert table.rates.tolist() == [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 1, 2, 3]
    assert [table.first_copy(k) for k in (0, 1)] == [V, V + TOP]
    for wrong in (-1, 2):
        with pytest.raises(IndexError, match=f"no copy {wrong} of the 3"):
            table.first_copy(wrong)


def test_copies_are_made_anew_and_taken_away():
    table = table_with_copies(copies=4)
    before = table.vectors.clone()
    table.make_copies(TOP, 2)
    assert len(table.rows) == len(table.rates) == V + 2 * TOP
    table.make_copies(TOP, 0)
    assert len(table.rows) == len(table.rates) == V
    assert table.copied == 0
    assert torch.equal(table.vectors, before)


def test_what_two_threads_gain_is_added_up():
    table = table_with_copies()
    start = table.rows[:TOP].clone()
    one, other = (OwnRows(table, Scratch(thread)) for thread in (0, 1))
    one.fetch()
    other.fetch()
    assert (one.top, one.shift, other.shift) == (TOP, V, V + TOP)
    table.rows[V : V + TOP] += 1.0
    table.rows[V + TOP :] += 10.0
    assert torch.equal(table.rows[:TOP], start)

    one.exchange()
    assert torch.equal(table.rows[:TOP], start + 1)
    other.exchange()
    assert torch.equal(table.rows[:TOP], start + 11)
    assert torch.equal(table.rows[V + TOP :], start + 11)
    assert torch.equal(table.rows[V : V + TOP], start + 1)  # until the next exchange
    one.exchange()
    assert torch.equal(table.rows[V : V + TOP], start + 11)
    assert torch.equal(table.rows[:TOP], start + 11)  # nothing is added twice


def test_fetching_forgets_what_a_copy_held():
    table = table_with_copies()
    table.rows[V:] = 99.0
    own = OwnRows(table, Scratch(1))
    own.fetch()
    own.exchange()
    assert torch.equal(table.rows[V + TOP :], table.rows[:TOP])
    assert not (table.rows[:TOP] == 99).any()


def test_without_copies_nothing_is_done():
    table = Table(torch.ones(V, d), torch.ones(V))
    own = OwnRows(table, Scratch())
    own.fetch()
    own.exchange()
    assert (own.top, own.shift) == (0, 0)
    assert torch.equal(table.rows, torch.ones(V, d))


@pytest.mark.parametrize("objective, copied", [("ns", 0), ("hs", 11), ("hs-exact", 11)])
def test_only_several_threads_have_copies(objective, copied, sentences):
    vocab = Vocab(sentences, min_count=1, max_size=12)
    text = Text(sentences, vocab)
    run = Run(text, vocab, objective=objective, dim=d, epochs=2, subsample=0)
    nodes = len(run.output_table.vectors)
    run.train(3)
    assert len(run.output_table.rows) == nodes + 3 * copied
    assert run.output_table.vectors[0].any()  # what copies of the root have learned is there
    run.train(1)
    assert len(run.output_table.rows) == nodes
    again = Run(text, vocab, objective=objective, dim=d, epochs=2, subsample=0)
    again.train(1)
    assert len(again.output_table.rows) == nodes


@pytest.mark.parametrize("model, name", [("skip-gram", "hs"), ("cbow", "hs")])
def test_many_threads_that_exchange_late_learn_as_one_does(model, name, sentences):
    """Sixteen copies, all learned before any is exchanged: the top moves by sixteen gains at once.

    The loss over the whole text, at the end.
    """
    vocab = Vocab(sentences, min_count=1)
    text = Text(sentences, vocab)
    losses = []
    for threads in (1, 16):
        run = Run(text, vocab, model=model, objective=name, dim=16, epochs=20, subsample=0)
        table = run.output_table
        table.make_copies(run.learner.copied_rows, threads if threads > 1 else 0)
        own = [OwnRows(table, Scratch(thread)) for thread in range(threads)]
        for epoch in range(20):
            learn_side_by_side(run, own, epoch)
        losses.append(loss_of(run, text[0]))
    first = loss_of(Run(text, vocab, model=model, objective=name, dim=16, epochs=20), text[0])
    assert losses[0] < first - 0.3
    assert losses[1] < losses[0] + 0.1


def learn_side_by_side(run, own, epoch):
    """An epoch in parts, one for each copy; only then all copies are exchanged."""
    learner = run.learner
    tables = (run.input_table, run.output_table)
    tables = (*(table.rows for table in tables), *(table.rates for table in tables))
    arrays = tuple(table.numpy() for table in tables)
    draws = Draws(0, epoch)
    ids, left, right = drawing.subsample(
        run.text[0].numpy(), learner.keep, learner.window, draws.stream(drawing.SUBSAMPLING)
    )
    loop = getattr(choose_loops(16), learner.loop)
    bounds = np.linspace(0, len(ids), len(own) + 1).astype(int)
    for copy in own:
        copy.fetch()
    for copy, start, end in zip(own, bounds, bounds[1:]):
        tree = learner.own(len(ids), draws, copy)
        loop(arrays, (ids, left, right), start, end, tree, np.float32(1 - epoch / 20), 128)
    for copy in own:
        copy.exchange()


def loss_of(run, piece):
    """Nats per pair of a piece, with a rate of 0, so that nothing is learned."""
    run.output_table.make_copies(0, 0)
    tables = (run.input_table, run.output_table)
    tally = run.learner.learn_piece(piece, Draws(9, 9), *tables, lambda share: 0.0, Scratch())
    return tally.nats / tally.measured


def test_a_copy_that_leaves_the_table_is_refused(sentences):
    vocab = Vocab(sentences, min_count=1)
    run = Run(Text(sentences, vocab), vocab, objective="hs", dim=d)
    nodes = len(run.output_table.rows)
    words = tuple(np.array(part, np.int32) for part in ([0, 1], [0, 1], [1, 0]))
    tables = (run.input_table, run.output_table)
    own = (*run.learner.tree, 3, nodes - 2)
    with pytest.raises(IndexError, match=f"a copy ends at row {nodes + 1}; the output table has"):
        run.learner.learn(words, own, *tables, lambda share: 1.0)


def test_copies_too_large_for_memory_are_refused_and_leave_no_checkpoint(
    sentences, tmp_path, monkeypatch
):
    vocab = Vocab(sentences, min_count=1, max_size=12)
    run = Run(Text(sentences, vocab), vocab, objective="hs", dim=d)
    asked = []

    def refuse(size, what):
        asked.append(size)
        raise MemoryError(f"{what} would take too much")

    monkeypatch.setattr(training, "check_memory", refuse)
    with pytest.raises(MemoryError, match="7 threads' copies of 11 rows and 5 coordinates would"):
        run.train(7, tmp_path / "run.checkpoint")
    assert asked == [2 * 4 * 7 * 11 * d]  # each with what it was at the last exchange, in bytes
    assert list(tmp_path.iterdir()) == []
    assert run.output_table.copied == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_a_run_with_copies_goes_on_with_any_number_of_threads(threads, sentences, tmp_path):
    """The checkpoint holds the table alone, whatever stands behind it."""
    vocab = Vocab(sentences, min_count=1)
    text = Text(sentences, vocab)
    path = tmp_path / "run.checkpoint"
    settings = dict(objective="hs", dim=8, epochs=4, subsample=0)  # 8 columns: no padding
    run = Run(text, vocab, **settings)
    run.train(2, path)
    assert len(run.output_table.rows) > len(vocab) - 1
    saved = checkpoints.read(path)["outputs"]
    assert saved.shape == (len(vocab) - 1, 8)
    assert saved.untyped_storage().nbytes() == saved.nbytes
    again = Run(text, vocab, **settings)
    again.train(threads, path, resume=True)
    assert again.next_piece == len(again) == len(run)
    assert torch.equal(again.output_table.vectors, run.output_table.vectors)


def test_a_run_with_copies_that_diverges_gives_back_good_vectors(sentences):
    vocab = Vocab(sentences, min_count=1)
    text = Text(sentences, vocab)
    run = Run(text, vocab, objective="hs", dim=d, epochs=3, subsample=0)
    before = run.output_table.vectors.clone()
    run.output_table.rates.fill_(float("inf"))
    with pytest.raises(TrainingDiverged) as caught:
        run.train(2)
    assert caught.value.embeddings.vectors.isfinite().all()
    assert torch.equal(run.output_table.vectors, before)
