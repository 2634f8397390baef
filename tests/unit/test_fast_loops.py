"""The compiled loops: each against autograd, and the fast ones against the readable ones."""

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from utils.fast import bounds, loops, rows
from utils.fast.blocks import reaches
from utils.tree import huffman_tree

V = 12
WINDOW = 3
WORDS = 57
M = 4  # noise words that a window of skip-gram shares
K = 3
WIDTHS = (4, 8, 16)
WALKS = [name for name in loops.NAMES if "walks" in name]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def toy_text(words=WORDS, vocabulary=V, seed=5):
    """(ids, left, right): words many of which come twice in a window, sentences of 1 to 9 words."""
    ids = torch.randint(0, vocabulary, (words,), generator=seeded(seed))
    lengths = torch.randint(1, 10, (words,), generator=seeded(seed + 1))
    sentence_ids = torch.arange(words).repeat_interleave(lengths)[:words]
    left, right = reaches(sentence_ids, WINDOW, seeded(seed + 2))
    return tuple(part.int().numpy() for part in (ids, left, right))


def tree_arrays(vocabulary=V, top=0, shift=0):
    """Huffman's tree, of which the first `top` nodes stand `shift` rows further on."""
    tree = huffman_tree(torch.arange(vocabulary, 0, -1) ** 2)
    turns_left = (tree.signs > 0).float()
    return tree.paths.int().numpy(), turns_left.numpy(), tree.depths.int().numpy(), top, shift


def own_arguments(name, words=WORDS, vocabulary=V):
    if name in WALKS:
        return tree_arrays(vocabulary)
    noise = torch.randint(0, vocabulary, (words * M,), generator=seeded(7)).int().numpy()
    if name == "skip_gram_sampling":
        return noise, M, np.float32(K / M)
    return noise, K


def tables_of(name, columns, d, vocabulary=V, scale=0.5):
    """(inputs, outputs, their rates): each row has a rate of its own, columns after d are zero."""
    output_rows = vocabulary - 1 if name in WALKS else vocabulary
    tables = []
    for size in (vocabulary, output_rows):
        table = np.zeros((size, columns), np.float32)
        table[:, :d] = scale * torch.randn(size, d, generator=seeded(size)).numpy()
        tables.append(table)
    rates = [
        np.linspace(*ends, len(t), dtype=np.float32) for t, ends in zip(tables, [(1, 2), (0.5, 1)])
    ]
    return *tables, *rates


def variant(width, d):
    """The readable loops (width 1), or those with rows in registers of so many floats."""
    return loops.plain_loops(d) if width == 1 else loops.row_loops(d, width)


def run(name, chosen, d, start, end, lr, every=1, text=None, **options):
    text = text or toy_text()
    own = own_arguments(name, len(text[0]), **options)
    tables = tables_of(name, chosen.columns, d, **options)
    before = [table.copy() for table in tables[:2]]
    seen = getattr(chosen, name)(tables, text, start, end, own, np.float32(lr), every)
    return seen, before, tables


# Against autograd ---------------------------------------------------------------------------------


def neighbours(text, place):
    ids, left, right = text
    places = range(place - left[place], place + right[place] + 1)
    return [int(ids[other]) for other in places if other != place]


def window_loss(name, text, place, v, u):
    """The loss of all pairs of the window (or of its bag), written down pair by pair; and pairs."""
    word = int(text[0][place])
    near = neighbours(text, place)
    own = own_arguments(name)
    if not near:
        return torch.zeros(()), 0
    if name == "skip_gram_sampling":
        drawn = own[0][place : place + M].tolist()
        true = -logsigmoid(u[near] @ v[word]).sum()
        noise = -logsigmoid(-u[drawn] @ v[word]).sum()
        return true + len(near) * K / M * noise, len(near)
    if name == "cbow_sampling":
        drawn = own[0][place : place + K].tolist()
        hidden = v[near].mean(dim=0)
        return -logsigmoid(u[word] @ hidden) - logsigmoid(-u[drawn] @ hidden).sum(), 1
    paths, turns, depths, *_ = own
    path = paths[word, : depths[word]].tolist()
    signs = 2 * torch.from_numpy(turns[word, : depths[word]]) - 1
    hidden = v[near].mean(dim=0, keepdim=True) if name == "cbow_walks" else v[near]
    return -logsigmoid(signs * (hidden @ u[path].T)).sum(), len(hidden)


@pytest.mark.parametrize("name", loops.NAMES)
@pytest.mark.parametrize(
    "width, d",
    [
        (1, 5),
        (8, 5),
        *[
            pytest.param(w, d, marks=pytest.mark.slow)
            for w, d in [(4, 5), (16, 5), (8, 1), (8, 17)]
        ],
    ],
)
def test_a_window_moves_by_its_gradient(name, width, d):
    """Both tables, by their rates' share of the summed gradient.

    The step is small, as a row that comes twice moves twice.
    """
    lr = 2e-4
    text = toy_text()
    chosen = variant(width, d)
    windows = 0
    for place in range(0, WORDS, 3):
        (pairs, nats, measured), before, tables = run(name, chosen, d, place, place + 1, lr)
        v, u = (torch.from_numpy(table[:, :d]).requires_grad_() for table in before)
        loss, expected = window_loss(name, text, place, v, u)
        assert pairs == measured == expected
        assert nats == pytest.approx(loss.item(), rel=1e-3)
        if not expected:
            assert all((new == old).all() for new, old in zip(tables, before))
            continue
        loss.backward()
        for new, old, rates, gradient in zip(tables, before, tables[2:], (v.grad, u.grad)):
            moved = torch.from_numpy((old - new)[:, :d] / lr)
            scaled = torch.from_numpy(rates)[:, None] * gradient
            torch.testing.assert_close(moved, scaled, rtol=0.02, atol=0.006)
            assert not new[:, d:].any()
        windows += 1
    assert windows > 10


@pytest.mark.parametrize("name", loops.NAMES)
def test_numba_computes_what_python_reads(name):
    chosen = loops.plain_loops(5)
    compiled = run(name, chosen, 5, 3, 30, 0.1, every=2)
    read = run(
        name, chosen._replace(**{name: getattr(chosen, name).py_func}), 5, 3, 30, 0.1, every=2
    )
    assert compiled[0] == pytest.approx(read[0], rel=1e-6)
    for one, other in zip(compiled[2][:2], read[2][:2]):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def rows_come_once(name, text, place):
    """Whether no row is needed twice in this window, so that one large step is exact."""
    near = neighbours(text, place)
    own = own_arguments(name)
    if name == "skip_gram_sampling":
        rows_asked = near + own[0][place : place + M].tolist()
    elif name == "cbow_sampling":
        rows_asked = [int(text[0][place]), *own[0][place : place + K].tolist()]
    else:
        rows_asked = []
    once = len(set(rows_asked)) == len(rows_asked)
    if name.startswith("cbow"):
        return bool(near) and once and len(set(near)) == len(near)
    if name == "skip_gram_walks":
        return len(near) == 1  # the words of a window walk one after the other
    return bool(near) and once and len(set(near)) == len(near)


@pytest.mark.parametrize("name", loops.NAMES)
@pytest.mark.parametrize("width", [1, 8])
def test_a_large_step_is_exact_where_no_row_comes_twice(name, width):
    text = toy_text()
    chosen = variant(width, 5)
    tried = 0
    for place in range(WORDS):
        if not rows_come_once(name, text, place):
            continue
        _, before, tables = run(name, chosen, 5, place, place + 1, 0.5)
        v, u = (torch.from_numpy(table[:, :5]).requires_grad_() for table in before)
        window_loss(name, text, place, v, u)[0].backward()
        for new, old, rates, gradient in zip(tables, before, tables[2:], (v.grad, u.grad)):
            expected = (
                torch.from_numpy(old[:, :5]) - 0.5 * torch.from_numpy(rates)[:, None] * gradient
            )
            torch.testing.assert_close(torch.from_numpy(new[:, :5]), expected, rtol=0, atol=2e-3)
        tried += 1
    assert tried > 5


# The fast loops against the readable ones ---------------------------------------------------------


def check_same(name, width, d, words, vocabulary):
    text = toy_text(words, vocabulary)
    slow = run(name, loops.plain_loops(d), d, 0, words, 0.05, 3, text, vocabulary=vocabulary)
    fast = run(name, variant(width, d), d, 0, words, 0.05, 3, text, vocabulary=vocabulary)
    assert fast[0] == pytest.approx(slow[0], rel=1e-4)
    for one, other, old in zip(fast[2][:2], slow[2][:2], slow[1]):
        np.testing.assert_allclose(one[:, :d], other, rtol=0, atol=1e-5)
        assert not one[:, d:].any()
        assert (other != old).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("name", loops.NAMES)
def test_rows_in_registers_learn_the_same(name):
    check_same(name, rows.vector_width(), 5, 300, 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", loops.NAMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("d", [1, 17, 100])
def test_every_width_learns_the_same(name, width, d):
    check_same(name, width, d, *((10_000, 2_000) if d == 100 else (500, 60)))


def test_any_processor_has_a_width():
    assert rows.vector_width({}) == 4  # NEON, SSE, or nothing at all
    assert rows.vector_width({"avx2": True}) == 8
    assert rows.vector_width({"avx2": True, "avx512f": True}) == 16
    assert rows.vector_width() in rows.WIDTHS


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("d", [1, 7, 8, 16, 50, 100, 300, 1_000])
def test_pieces_cover_a_row_and_fit_into_the_registers(width, d):
    columns = rows.padded_width(d, width)
    assert d <= columns < d + width and columns % width == 0
    cut = rows.piece_sizes(columns, width)
    assert width * (cut.large * cut.large_count + cut.small * cut.small_count) == columns
    assert 0 < cut.small <= cut.large <= cut.small + 1
    assert 2 * cut.large + rows.SPARE_REGISTERS <= rows.REGISTERS[width]


def test_the_readable_loops_stand_in_where_rows_do_not_work(monkeypatch):
    monkeypatch.setattr(loops, "_rows_work", lambda: False)
    assert loops.choose_loops(7).width == 1
    monkeypatch.setattr(loops, "_rows_work", lambda: True)
    assert loops.choose_loops(7).width == rows.vector_width()
    monkeypatch.setattr(loops, "row_dots", None)
    assert loops.choose_loops(7).columns == 7


def test_rows_work_here():
    assert loops._rows_work()


# What is counted and measured ---------------------------------------------------------------------


@pytest.mark.parametrize("name", loops.NAMES)
def test_every_pair_is_learned_once_and_each_third_window_measured(name):
    """With rate 0 nothing moves, so that all losses are those of the first vectors."""
    text = toy_text()
    for width in (1, rows.vector_width()):
        (pairs, nats, measured), before, tables = run(name, variant(width, 5), 5, 0, WORDS, 0.0, 3)
        v, u = (torch.from_numpy(table[:, :5]) for table in before)
        losses = [window_loss(name, text, place, v, u) for place in range(WORDS)]
        losses = [(loss.item(), n) for loss, n in losses if n]
        assert pairs == sum(n for _, n in losses)
        assert measured == sum(n for _, n in losses[::3])
        assert nats == pytest.approx(sum(loss for loss, _ in losses[::3]), rel=1e-5)
        assert all((new == old).all() for new, old in zip(tables, before))


@pytest.mark.parametrize("width", [1, 8])
@pytest.mark.parametrize("name", ["skip_gram_walks", "skip_gram_walks_together"])
def test_sigma_is_within_its_bound(name, width):
    """Two words and one node, u = 1: the input row's move is the error, sigma(x) - 1."""
    chosen = variant(width, 1)
    text = tuple(np.array(part, np.int32) for part in ([0, 1], [0, 1], [1, 0]))
    turns = np.array([[1], [0]], np.float32)
    tree = np.zeros((2, 1), np.int32), turns, np.ones(2, np.int32), 0, 0
    ones = np.ones(2, np.float32)
    for x in np.linspace(-15, 15, 61, dtype=np.float32):
        inputs = np.zeros((2, chosen.columns), np.float32)
        outputs = np.zeros((1, chosen.columns), np.float32)
        inputs[:, 0] = x
        outputs[:, 0] = 1
        loop = getattr(chosen, name)
        loop((inputs, outputs, ones, ones[:1]), text, 0, 1, tree, np.float32(1), 1)
        expected = x + 1 - torch.sigmoid(torch.tensor(x)).item()
        assert inputs[1, 0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("width", [1, 8])
@pytest.mark.parametrize("name", WALKS)
def test_the_topmost_nodes_are_learned_in_the_copy_alone(name, width):
    """The copy becomes what the table's own rows become without one; these stay as they were."""
    top = 3
    nodes = V - 1
    chosen = variant(width, 5)
    seen, before, expected = run(name, chosen, 5, 0, WORDS, 0.05)
    inputs, outputs, in_rates, out_rates = tables_of(name, chosen.columns, 5)
    outputs = np.concatenate([outputs, 7 + outputs[:top], outputs[:top]])  # the second copy is ours
    out_rates = np.concatenate([out_rates, 7 + out_rates[:top], out_rates[:top]])
    tables = (inputs, outputs, in_rates, out_rates)
    tree = tree_arrays(top=top, shift=nodes + top)
    assert getattr(chosen, name)(tables, toy_text(), 0, WORDS, tree, np.float32(0.05), 1) == seen
    np.testing.assert_array_equal(inputs, expected[0])
    np.testing.assert_array_equal(outputs[nodes + top :], expected[1][:top])
    np.testing.assert_array_equal(outputs[top:nodes], expected[1][top:])
    np.testing.assert_array_equal(outputs[:top], before[1][:top])
    np.testing.assert_array_equal(outputs[nodes : nodes + top], 7 + before[1][:top])


# Bounds: what a loop would not notice -------------------------------------------------------------


def good(name="skip_gram_sampling"):
    return tables_of(name, 8, 5), toy_text()


def change(arrays, which, make):
    arrays = list(arrays)
    arrays[which] = make(arrays[which])
    return arrays


@pytest.mark.parametrize(
    "which, make, message",
    [
        (0, lambda a: a.astype(np.float64), "the input table: 2 dimensions of float64"),
        (1, lambda a: a.T, "the output table.*contiguous"),
        (0, lambda a: a[:, :7].copy(), "7 columns, these loops want 8"),
        (2, lambda a: a[1:], "11 input rates for 12 rows"),
    ],
)
def test_tables_of_another_kind_are_refused(which, make, message):
    tables, _ = good()
    bounds.check_tables(*tables, 8)
    with pytest.raises(ValueError, match=message):
        bounds.check_tables(*change(tables, which, make), 8)


@pytest.mark.parametrize(
    "which, make, error, message",
    [
        (0, lambda a: np.where(a == 3, V, a).astype(np.int32), IndexError, "a word is 12, outside"),
        (0, lambda a: a - 5, IndexError, "a word is -5"),
        (0, lambda a: a.astype(np.int64), ValueError, "ids: 1 dimensions of int64"),
        (1, lambda a: a + 1, IndexError, "left end of a window is -1"),
        (2, lambda a: a + 1, IndexError, "right end of a window is 57"),
        (2, lambda a: a - 9, IndexError, "reaches a negative number"),
        (2, lambda a: a[:-1], ValueError, "57 ids have 57 and 56 reaches"),
    ],
)
def test_a_text_that_leaves_the_tables_is_refused(which, make, error, message):
    _, text = good()
    bounds.check_text(*text, V)
    with pytest.raises(error, match=message):
        bounds.check_text(*change(text, which, make), V)


def test_noise_words_and_paths_are_checked_too():
    noise = np.arange(V, dtype=np.int32)
    bounds.check_noise(noise, V, V)
    with pytest.raises(ValueError, match="12 noise words; this text needs 13"):
        bounds.check_noise(noise, 13, V)
    with pytest.raises(IndexError, match="a noise word is 11"):
        bounds.check_noise(noise, V, 11)
    tree = tree_arrays()[:3]
    bounds.check_paths(*tree, V - 1)
    with pytest.raises(IndexError, match="an inner node is 10"):
        bounds.check_paths(*tree, 10)
    with pytest.raises(IndexError, match="a depth is"):
        bounds.check_paths(*change(tree, 2, lambda a: a + 20), V - 1)
    with pytest.raises(ValueError, match="do not fit"):
        bounds.check_paths(*change(tree, 1, lambda a: a[:, 1:].copy()), V - 1)
