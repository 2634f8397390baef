"""Each thread's own copy of the topmost rows: what is learned there reaches all."""

import pytest
import torch

from utils.fast import Run
from utils.fast.copies import OwnRows
from utils.fast.kernels import Scratch, Table
from utils.fast.text import Text
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


def test_to_fetch_forgets_what_a_copy_held():
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
    again = Run(text, vocab, objective=objective, dim=d, epochs=2, subsample=0)
    again.train(1)
    assert len(again.output_table.rows) == nodes


@pytest.mark.parametrize("model, objective", [("skip-gram", "hs"), ("cbow", "hs")])
def test_many_threads_learn_as_much_as_one(model, objective, sentences):
    """The loss of the last round, on a text in many pieces; 16 copies, on any machine."""
    vocab = Vocab(sentences, min_count=1)
    losses = []
    for threads in (1, 16):
        text = Text(sentences, vocab)
        run = Run(text, vocab, model=model, objective=objective, dim=16, epochs=40, subsample=0)
        losses.append(run.train(threads).loss[-1])
    assert losses[1] < losses[0] + 0.3
