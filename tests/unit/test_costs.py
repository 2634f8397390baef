"""The instrument of lesson 07: counts against hand counts, FlopCounterMode and gradients; fits."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from utils import checks
from utils.costs import Step, Traffic, traffic, zipf_counts
from utils.fits import crossing, slope_error
from utils.objectives import FullSoftmax

V = 30
d = 6
B = 8
# bytes of a float32 and of an int64
NUMBER = 4
ID = 8


def counted_on(work) -> Traffic:
    with Traffic() as counter:
        work()
    return counter


# What Traffic counts: operators worked by hand ----------------------------------------------------


def test_bytes_of_a_product_a_copy_and_an_update_in_place():
    a = torch.rand(2, 3)
    b = torch.rand(3, 5)
    product = counted_on(lambda: a @ b)
    assert (product.bytes, product.dot_products, product.calls) == (NUMBER * (6 + 15 + 10), 10, 1)
    assert counted_on(lambda: a.double()).bytes == 6 * NUMBER + 6 * 8
    assert counted_on(lambda: a.add_(a)).bytes == 3 * 6 * NUMBER  # two read, one written


def test_rows_that_meet_their_hidden_vector_are_dot_products():
    rows = torch.rand(B, 5, d)
    hidden = torch.rand(B, 1, d)
    assert counted_on(lambda: (rows * hidden).sum(dim=2)).dot_products == B * 5
    assert (
        counted_on(
            lambda: ((rows * hidden).sum(dim=1), rows[0].sum(dim=1), rows.sum())
        ).dot_products
        == 0
    )
    with torch.no_grad():  # as in the backward pass
        assert counted_on(lambda: (rows * hidden).sum(dim=2)).dot_products == 0


def test_a_view_and_a_question_cost_nothing():
    a = torch.rand(4, 6)
    sparse = torch.sparse_coo_tensor(
        torch.tensor([[1, 1]]), torch.rand(2, 6), (4, 6), check_invariants=False
    )
    work = counted_on(
        lambda: (a.T, a.view(24), a[1:], a.expand(9, 4, 6), a.unsqueeze(0), sparse.is_coalesced())
    )
    assert (work.calls, work.bytes, work.dot_products) == (0, 0, 0)


def test_a_number_that_stands_for_many_is_read_once():
    column = torch.rand(4, 1)
    assert counted_on(lambda: column.expand(4, 100) + 1).bytes == (4 + 400) * NUMBER


def test_a_lookup_counts_the_rows_that_it_takes():
    table = torch.rand(1000, d)
    ids = torch.tensor([[3, 3], [999, 0]])
    for lookup in (lambda: F.embedding(ids, table), lambda: table[ids]):
        assert counted_on(lookup).bytes == 4 * ID + 2 * 4 * d * NUMBER
    ends = torch.arange(1000.0)
    draws = torch.tensor([1.5, 2.5])
    assert counted_on(lambda: torch.searchsorted(ends, draws)).bytes == 2 * NUMBER + 2 * 2 * ID


def test_a_sparse_update_counts_the_rows_that_the_gradient_stores():
    """Twice row 1: stored twice, so moved twice.

    Ids and values are read, the table's rows read and written.
    """
    table = torch.zeros(1000, d)
    gradient = torch.sparse_coo_tensor(
        torch.tensor([[1, 1, 7]]), torch.ones(3, d), table.shape, check_invariants=False
    )
    assert counted_on(lambda: table.add_(gradient, alpha=-1)).bytes == 3 * ID + 3 * 3 * d * NUMBER
    assert table[1, 0] == -2


def test_an_update_in_place_counts_the_rows_that_it_adds():
    table = torch.zeros(1000, d)
    ids = torch.tensor([1, 1, 7])
    rows = torch.ones(3, d)
    assert (
        counted_on(lambda: table.index_add_(0, ids, rows, alpha=-1)).bytes
        == 3 * ID + 3 * 3 * d * NUMBER
    )
    everywhere = ids[:, None].expand(3, d)
    assert (
        counted_on(lambda: table.scatter_add_(0, everywhere, rows)).bytes
        == 3 * ID + 3 * 3 * d * NUMBER
    )
    assert (
        counted_on(lambda: table.index_add(0, ids, rows)).bytes
        == 3 * ID + (3 * d + 2 * 1000 * d) * NUMBER
    )


def test_peak_is_the_most_bytes_held_at_one_time():
    x = torch.ones(100)

    def work():
        y = x + 1  # x, y
        z = y[:50] * 2  # x, y, z: a view holds no memory of its own
        del y
        return z + 1, z + 2, x.view(50, 2)  # x, z and two more as large as z

    with Traffic() as counter:
        kept = work()
    assert counter.peak == NUMBER * (100 + 100 + 50) and len(kept) == 3
    assert counted_on(lambda: torch.ones(7).view(7) + torch.ones(7)).peak == 3 * 7 * NUMBER
    sparse = torch.sparse_coo_tensor(
        torch.tensor([[1, 2]]), torch.ones(2, d), (1000, d), check_invariants=False
    )
    assert counted_on(lambda: sparse.clone()).peak == 2 * 2 * (d * NUMBER + ID)


# The objectives' own counts against what operators do ---------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_cost_is_what_the_operators_compute(objective_name, make_objective, seed):
    """A whole step: the backward pass multiplies too, but its products are not dot products of rows
    and hidden.
    """
    objective = make_objective(objective_name, V, d)
    step = Step(objective, zipf_counts(V), batch=B, seed=seed)
    centres, contexts = step.draw()
    with Traffic() as counter:
        step(centres, contexts)
    assert counter.dot_products == B * objective.cost(contexts).padded


def test_the_full_softmaxs_products_as_pytorchs_own_counter_sees_them():
    """FlopCounterMode counts 2 operations a multiply-add.

    B V d forward, as many for each of the two gradients.
    """
    step = Step(FullSoftmax(V, d), zipf_counts(V), batch=B)
    pairs = step.draw()
    with FlopCounterMode(display=False) as flops, Traffic() as counter:
        loss = step.model.loss(*pairs).mean()
    forward = flops.get_total_flops()
    with flops:
        loss.backward()
    assert forward == 2 * d * counter.dot_products == 2 * d * B * V
    assert flops.get_total_flops() == 2 * forward  # the second `with` starts afresh


def test_rows_are_those_that_the_gradient_stores(objective_name, make_objective):
    """One pair at a time, every word.

    Stored rows of a sparse gradient, rows that are not zero of a dense one.
    """
    for word in range(V):
        objective = make_objective(objective_name, V, d, planted=True)
        objective.loss(torch.ones(1, d).double(), torch.tensor([word])).sum().backward()
        gradient = objective.weight.grad
        rows = (
            gradient._indices().shape[1] if gradient.is_sparse else int(gradient.any(dim=1).sum())
        )
        assert rows == objective.cost(torch.tensor([word])).rows


def test_bytes_of_a_full_softmax_step_by_hand():
    """B pairs, V words: what each operator of the step reads and writes, summed by hand."""
    seen = traffic(FullSoftmax(V, d), zipf_counts(V), batch=B, pairs=1)
    scores = B * V
    U = V * d
    hidden = B * d
    row = B * (d * NUMBER + ID)
    numbers = (
        2 * hidden  # v_c: rows read and written
        + hidden
        + U
        + scores  # scores = hidden @ U.T
        + scores
        + scores  # log softmax
        + B
        + B
        + 1  # the targets' own entries: read, losses written
        + B
        + 1  # their mean
        + 1
        + 1  # the gradient 1 of the loss, made like the loss
        + 1
        + B  # divided by B
        + B
        + 1
        + scores  # back to the scores: made
        + 3 * scores  # back through the log softmax
        + scores
        + hidden
        + U
        + scores
        + U
        + hidden  # two products: gradients of U and of hidden
        + 3 * U
    )  # the update of U
    checks = 2 * (B * ID + ID) + 2 * 0  # the smallest and largest target id
    sparse = 2 * row + (2 * hidden * NUMBER + row)  # v_c's gradient is copied; its table is updated
    assert seen.bytes * B == pytest.approx(NUMBER * numbers + 3 * B * ID + checks + sparse, abs=40)


def test_traffic_counts_steps_after_the_first(make_objective, monkeypatch):
    counts = zipf_counts(V)
    step = Step.__call__
    batches = []
    monkeypatch.setattr(
        Step, "__call__", lambda self, *pair: batches.append(pair) or step(self, *pair)
    )
    four = traffic(make_objective("negative sampling", V, d), counts, batch=B, pairs=4 * B)
    assert len(batches) == 5 and all(len(contexts) == B for _, contexts in batches)
    assert (
        traffic(make_objective("negative sampling", V, d), counts, batch=B, pairs=1)[:3] == four[:3]
    )
    assert len(batches) == 5 + 2 and four.dot_products == 6


def test_bytes_and_memory_of_adam_by_hand(make_objective):
    """A table's gradient is made (1), and Adam's lerp_, mul_, addcmul_, sqrt, div, add_ and
    addcdiv_ move 3, 2, 4, 2, 2, 2 and 4 times the table; its states are made in the first step,
    which is not counted."""
    seen = [
        traffic(
            make_objective("negative sampling", size, d, sparse=False),
            zipf_counts(size),
            batch=B,
            pairs=1,
            optimizer=torch.optim.Adam,
            sparse=False,
        )
        for size in (100, 1_100)
    ]
    assert (seen[1].bytes - seen[0].bytes) * B == 2 * 20 * 1_000 * d * NUMBER
    held = 8 + 3  # tables, gradients, states; sqrt, div, the other table's div
    assert seen[1].peak - seen[0].peak == (held * d * NUMBER + 8) * 1_000  # 8: the running sum of q


@pytest.mark.slow
def test_bytes_of_the_cheap_methods_do_not_depend_on_V(make_objective):
    small, large = (
        traffic(make_objective("negative sampling", size, d), zipf_counts(size), batch=B)
        for size in (20, 5_000)
    )
    assert small.bytes == large.bytes and small.calls == large.calls and small.peak < large.peak
    dense = [
        traffic(make_objective("full softmax", size, d), zipf_counts(size), batch=B).bytes
        for size in (500, 5_000)
    ]
    assert dense[1] == pytest.approx(10 * dense[0], rel=0.05)


@pytest.mark.slow
def test_random_state_is_left_alone(make_objective):
    state = torch.get_rng_state()
    first, second = (
        traffic(make_objective("hierarchical softmax", V, d), zipf_counts(V), batch=B)
        for _ in range(2)
    )
    assert first == second and torch.get_rng_state().equal(state)


# Step ---------------------------------------------------------------------------------------------


def test_a_step_beyond_memory_is_refused_with_its_gigabytes(monkeypatch, make_objective):
    monkeypatch.setattr(checks.psutil, "virtual_memory", lambda: SimpleNamespace(available=2e9))
    objective = FullSoftmax(10**6, d)
    counts = zipf_counts(10**6)
    with pytest.raises(
        MemoryError,
        match=r"V = 1,000,000, d = 6 and batches of 256 would take about 4\.2 GB, more than "
        r"half of the 2\.0 GB that are free; make it smaller",
    ):
        Step(objective, counts, batch=256)
    Step(objective, counts, batch=2)  # the scores of a batch were what does not fit
    monkeypatch.setattr(checks.psutil, "virtual_memory", lambda: SimpleNamespace(available=1.5e8))
    Step(make_objective("negative sampling", 1_000, d), zipf_counts(1_000), batch=10**6)
    with pytest.raises(MemoryError, match=r"about 0\.1 GB"):
        Step(objective, counts, batch=1)  # here the tables are


def test_a_step_needs_a_pair(make_objective):
    with pytest.raises(ValueError, match="batch is 0; give a whole number, at least 1"):
        Step(make_objective("full softmax", V, d), zipf_counts(V), batch=0)


@pytest.mark.parametrize(
    "optimizer, sparse",
    [
        (torch.optim.SGD, True),
        (torch.optim.Adagrad, True),
        (torch.optim.SparseAdam, True),
        (torch.optim.Adam, False),
    ],
)
def test_which_rows_an_optimiser_moves_without_a_gradient(make_objective, optimizer, sparse):
    """After a batch with centre word 0 comes one with centre word 1.

    Only Adam still moves the row of word 0.
    """
    objective = make_objective(
        "full softmax", 4, d
    )  # its own gradient is dense: look at the centre words' table
    step = Step(objective, zipf_counts(4), batch=2, optimizer=optimizer, sparse=sparse, lr=0.1)
    with torch.no_grad():
        objective.weight.normal_(generator=torch.Generator().manual_seed(0))
    table = step.model.embedding.weight
    if (
        optimizer is torch.optim.SparseAdam
    ):  # it takes no dense gradient, and the full softmax has one
        step.update = optimizer([table], lr=0.1)
    step(torch.tensor([0, 0]), torch.tensor([1, 2]))
    before = table.detach().clone()
    step(torch.tensor([1, 1]), torch.tensor([1, 2]))
    assert (table != before).any(dim=1).tolist() == [not sparse, True, False, False]


# Fits and crossings -------------------------------------------------------------------------------


def test_slope_error_in_closed_form_and_as_scipy_gives_it():
    """s^2 = sum of squared residuals / (n - 2).

    The error of the slope is s / sqrt(sum of (x - mean)^2).
    """
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 10, 12))
    y = 1 + 0.7 * x + rng.normal(0, 0.3, 12)
    b, a = np.polyfit(x, y, 1)
    by_hand = math.sqrt(((y - a - b * x) ** 2).sum() / 10 / ((x - x.mean()) ** 2).sum())
    assert (
        slope_error(x, y) == pytest.approx(by_hand) == pytest.approx(stats.linregress(x, y).stderr)
    )
    assert slope_error([1, 2, 3], [2, 4, 6]) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="2 points; a line needs at least 3"):
        slope_error([1, 2], [1, 2])


def test_slope_error_is_the_spread_of_slopes():
    """Measured again and again with the same scatter, the slopes spread as the errors say."""
    rng = np.random.default_rng(1)
    x = np.arange(10.0)
    ys = [x + rng.normal(0, 1, 10) for _ in range(2000)]
    errors = [slope_error(x, y) for y in ys]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(
        np.std([np.polyfit(x, y, 1)[0] for y in ys]), rel=0.05
    )


def test_crossing_of_power_laws_is_exact():
    """y = 2 x and 50 x^0.25 meet at (50 / 2)^(1 / 0.75), wherever they were measured.

    Straight in logarithms.
    """
    x = np.array([10, 30, 100, 1000])
    at = 25 ** (4 / 3)
    assert crossing(x, 2 * x, 50 * x**0.25) == pytest.approx(at)
    assert crossing(x, 50 * x**0.25, 2 * x) == pytest.approx(at)


@pytest.mark.parametrize(
    "y, other, at",
    [
        ([1, 2, 4], [4, 4, 4], 100),
        ([4, 5, 6], [4, 4, 4], 1),
        ([1, 4, 8], [4, 4, 4], 10),
        ([5, 6, 7], [4, 4, 4], math.nan),
        ([4, 4, 4], [4, 4, 4], 1),
        ([1, 8, 1], [4, 4, 4], 10 ** (2 / 3)),
    ],
    ids=["at the end", "at the start", "at a point", "never", "everywhere", "the first of two"],
)
def test_crossing_at_the_edges(y, other, at):
    assert crossing(np.array([1, 10, 100]), np.array(y), np.array(other)) == pytest.approx(
        at, nan_ok=True
    )
