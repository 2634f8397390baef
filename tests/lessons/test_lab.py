"""The labs: stubs are not attempted, the solutions' proofs are accepted, and tests that prove
nothing are refused.

Defective functions come from the labs' notebooks, proofs from the solutions' notebooks.
"""

import contextlib
import io
import re
import time
from pathlib import Path

import nbformat
import pytest
import torch
from torch.nn import functional as F

from utils import fits
from utils.example import U_NODES, V_C, U
from utils.exercises.lab import ALSO_CORRECT, CORRECT, DEFECT, hint, spot
from utils.noise import NoiseDistribution
from utils.objectives import HierarchicalSoftmax, NoiseContrastive, yes_no_loss
from utils.tree import balanced_tree, huffman_tree
from utils.vocabulary import Vocab

FOLDER = Path(__file__).parents[2] / "notebooks"
LABS = {
    "lab_spot_the_defect.ipynb": range(1, 10),
    "lab_famous_defects.ipynb": range(11, 19),
}
COUNTS = torch.tensor([20, 6, 10, 5, 12, 2, 8, 1])
PIECES = [number for pieces in LABS.values() for number in pieces]

piece = pytest.fixture(params=PIECES)(lambda request: request.param)


def code(path):
    return [
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    ]


def lab_of(number):
    """The notebook of a piece; the worked example, 0, stands in the first."""
    (name,) = [name for name, pieces in LABS.items() if (number or 1) in pieces]
    return FOLDER / name


def executed(folder):
    """(names, proofs, said) of both labs, or of their solutions."""
    both = [executed_notebook(folder / name) for name in LABS]
    return tuple(first | second for first, second in zip(*both))


def executed_notebook(path):
    """(names, proofs, said).

    What the cells define, each piece's own test, and what its cell printed.
    """
    names = {}
    proofs = {}
    said = {}
    for source in code(path):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(source, names)
        for number in re.findall(r"^spot\((\d+), proves_it", source, re.M):
            proofs[int(number)] = names["proves_it"]
            said[int(number)] = out.getvalue()
    return names, proofs, said


@pytest.fixture(scope="module")
def lab():
    return executed(FOLDER)


@pytest.fixture(scope="module")
def solutions():
    return executed(FOLDER / "solutions")


def function_name(number):
    (name,) = {
        match
        for s in code(lab_of(number))
        for match in re.findall(rf"^spot\({number}, proves_it, (\w+)\)", s, re.M)
    }
    return name


@pytest.fixture
def verdict(lab, capsys):
    """verdict(number, test): what spot says of a test of a piece, without "Piece k: "."""

    def say(number, test):
        spot(number, test, lab[0][function_name(number)])
        out = capsys.readouterr().out
        assert out.startswith(f"Piece {number}: ")
        return out.removeprefix(f"Piece {number}: ").removesuffix("\n")

    return say


# The stub and the solution ------------------------------------------------------------------------


def test_stub_is_not_attempted(piece, lab):
    assert lab[2][piece] == f"Piece {piece}: not attempted yet\n"
    last = f"\n\nspot({piece}, proves_it, {function_name(piece)})"
    (stub,) = [source for source in code(lab_of(piece)) if source.endswith(last)]
    assert stub.startswith(f"def proves_it({function_name(piece)}):\n    return ...\n")


def test_solution_is_accepted_and_names_the_defect(piece, solutions):
    assert solutions[2][piece] == f"Piece {piece}: right. {DEFECT[piece]}\n"


def test_worked_example_is_accepted_and_its_misses_are_refused(lab, verdict):
    assert lab[2][0].endswith(f"right. {DEFECT[0]}\n")
    assert "passes on the defective code, so it does not show" in verdict(0, lab[0]["too_weak"])
    assert "fails on correct code too, so it is too strict" in verdict(0, lab[0]["too_strict"])


def test_defective_functions_are_the_same_in_lab_and_solutions_and_short(piece):
    name = function_name(piece)
    (cell,) = [source for source in code(lab_of(piece)) if source.startswith(f"def {name}(")]
    assert cell in code(FOLDER / "solutions" / lab_of(piece).name)
    assert 6 <= len(cell.split("\n")) <= 12 and '"""' in cell.split("\n")[1]


def test_all_cells_are_under_twenty_lines():
    for path in [folder / name for folder in (FOLDER, FOLDER / "solutions") for name in LABS]:
        assert max(len(source.split("\n")) for source in code(path)) < 20


# Tests that prove nothing -------------------------------------------------------------------------


def shape_of_noise(f):
    drawn = f(torch.tensor([100, 1]), 50)
    assert drawn.shape == (50,) and drawn.dtype == torch.int64


def shape_of_draws(f):
    text = [["bank", "river", "bank"]] * 5
    assert f(text, Vocab(text), 50).shape == (50,)


def positive_number(f):
    assert float(f(lambda: sum(range(1000)), 10, 2)) > 0


def shape_of_losses(f):
    assert f(torch.tensor([[200.0, 1.0]]), torch.tensor([[-1, 0]])).shape == (1,)


def shape_of_walks(f):
    tree = huffman_tree(COUNTS)
    assert f(V_C, U_NODES, tree.paths, tree.signs).shape == (8,)


def shape_of_table(f):
    weight = torch.zeros(100, 4)
    assert f(
        weight, torch.tensor([3, 4]), torch.tensor([1, -1]), torch.ones(4)
    ) > 0 and weight.shape == (100, 4)


def shape_of_rows(f):
    v = torch.ones(3, 2)
    f(v, torch.ones(3, 2), 0, 1, 1)
    assert v.shape == (3, 2)


def shape_of_means(f):
    assert f(torch.ones(3, 2), torch.zeros(4, 5).long(), torch.ones(4).long()).shape == (4, 2)


def shape_of_gradient(f):
    assert f(torch.ones(2), torch.ones(3, 2), 5, 3).shape == (2,)


def shape_of_corrected(f):
    assert f(torch.zeros(2, 2), torch.tensor([0.5, 0.1])).shape == (2, 2)


def shape_without_hits(f):
    assert f(torch.zeros(2, 2), torch.tensor([4, 4])).shape == (2, 2)


def range_of_draws(f):
    drawn = f(torch.tensor([1, 5, 200]), 50)
    assert drawn.shape == (50,) and 0 <= drawn.min() <= drawn.max() < 3


def positive_loss(f):
    q = torch.full((8,), 1 / 8).double()
    assert f(U, V_C, 2, torch.tensor([2, 5]), q) > 0


def a_share(f):
    assert 0 < f(torch.zeros(3), torch.full((3,), 1 / 3), 0, torch.tensor([0, 1, 2])) < 1


def sum_of_weights(f):
    assert torch.isclose(f(torch.tensor([8, 1, 1]), "popularity").sum(), torch.tensor(1.0).double())


def loss_at_zero(f):
    assert torch.allclose(f(torch.zeros(2), torch.zeros(2)), torch.tensor(0.6931), atol=1e-3)


def shape_of_ids(f):
    assert f(torch.tensor([[10, 11], [20, 21]]), torch.eye(2).long()).shape == (2,)


SHAPES = dict(
    zip(
        PIECES,
        (
            shape_of_noise,
            shape_of_draws,
            positive_number,
            shape_of_losses,
            shape_of_walks,
            shape_of_table,
            shape_of_rows,
            shape_of_means,
            shape_of_gradient,
            shape_of_corrected,
            shape_without_hits,
            range_of_draws,
            positive_loss,
            a_share,
            sum_of_weights,
            loss_at_zero,
            shape_of_ids,
        ),
    )
)


def agree_at_ordinary_scores(f):
    assert torch.allclose(
        f(torch.tensor([[0.5, 2.0]]), torch.tensor([[1, -1]])), torch.tensor([2.601]), atol=1e-3
    )


def balanced_only(f):
    tree = balanced_tree(8)
    assert torch.isclose(
        torch.exp(-f(V_C, U_NODES, tree.paths, tree.signs)).sum(), torch.tensor(1.0).double()
    )


def right_values(f):
    weight = torch.zeros(10, 4)
    f(weight, torch.tensor([2, 7]), torch.tensor([1, -1]), torch.ones(4))
    assert (
        torch.allclose(weight[:, 0].nonzero().flatten(), torch.tensor([2, 7]))
        and weight[7, 0] < 0 < weight[2, 0]
    )


def draws_more_of_the_frequent(f):
    drawn = f(torch.tensor([100, 1]), 2000)
    assert (drawn == 0).sum() > (drawn == 1).sum()


def only_the_second_word(f):
    text = [["bank", "river", "bank"]] * 5
    assert 1 in f(text, Vocab(text), 200)


def busy_step(f):
    assert f(lambda: sum(range(100_000)), 10, 2) < 1e7


def small_rate(f):
    v = torch.ones(1, 2)
    u = torch.ones(1, 2)
    f(v, u, 0, 0, 1, 1e-3)
    assert torch.allclose(u[0], 1 + 1e-3 * 0.1192 * torch.ones(2), atol=1e-5)


def full_bags(f):
    v = torch.randn(5, 3)
    ids = torch.tensor([[2, 1, 3, 0]])
    assert torch.allclose(f(v, ids, torch.tensor([4])), v[:4].mean(dim=0), atol=1e-5)


def one_pair(f):
    assert torch.allclose(f(torch.zeros(2), torch.ones(3, 2), 1, 3), torch.full((2,), 1.5))


def equal_frequencies(f):
    corrected = f(torch.eye(2), torch.tensor([0.5, 0.5]))
    assert corrected.argmax(dim=1).tolist() == [0, 1]


def no_copies(f):
    scores = torch.randn(3, 3)
    assert torch.allclose(f(scores, torch.tensor([4, 5, 6])), scores)


def sorted_counts(f):
    drawn = torch.bincount(f(torch.tensor([200, 5, 1]), 5_000), minlength=3)
    assert drawn[0] > drawn[1] > drawn[2]


def no_hit(f):
    q = torch.full((8,), 1 / 8).double()
    s = U @ V_C - torch.log(2 * q)
    by_hand = F.softplus(-s[2]) + F.softplus(s[5]) + F.softplus(s[0])
    assert torch.isclose(f(U, V_C, 2, torch.tensor([5, 0]), q), by_hand)


def between_zero_and_one(f):
    q = torch.tensor([0.5, 0.3, 0.2])
    drawn = torch.multinomial(q, 10_000, replacement=True)
    assert 0 < f(torch.tensor([1.0, 0.0, -1.0]), q, 0, drawn) < 1


def only_uniform(f):
    for kind in ("uniform", "even"):
        assert torch.allclose(f(torch.tensor([8, 1]), kind), torch.tensor([0.5, 0.5]).double())


def ordinary_differences(f):
    x = torch.tensor([2.0, -3.0])
    assert torch.allclose(f(x, torch.zeros(2)), F.softplus(-x), atol=1e-4)


def one_row_only(f):
    assert f(torch.tensor([[10, 11, 12]]), torch.tensor([[0, 0, 1]])).tolist() == [12]


WEAK = [
    (1, draws_more_of_the_frequent),
    (2, only_the_second_word),
    (3, busy_step),
    (4, agree_at_ordinary_scores),
    (5, balanced_only),
    (6, right_values),
    (7, small_rate),
    (8, full_bags),
    (9, one_pair),
    (11, equal_frequencies),
    (12, no_copies),
    (13, sorted_counts),
    (14, no_hit),
    (15, between_zero_and_one),
    (16, only_uniform),
    (17, ordinary_differences),
    (18, one_row_only),
]


@pytest.mark.parametrize(
    "number, test", [*SHAPES.items(), *WEAK], ids=lambda x: getattr(x, "__name__", x)
)
def test_a_test_that_cannot_see_the_defect_is_refused(number, test, verdict):
    assert (
        verdict(number, test)
        == "your test passes on the defective code, so it does not show the defect"
    )


@pytest.mark.parametrize("result", [None, True, torch.tensor(True)], ids=str)
def test_always_passes(piece, result, verdict):
    assert "passes on the defective code, so it does not show the defect" in verdict(
        piece, lambda f: result
    )


def test_always_fails(piece, verdict):
    def fails(f):
        raise AssertionError

    for test in (fails, lambda f: False, lambda f: torch.tensor(False)):
        assert verdict(piece, test) == "your test fails on correct code too, so it is too strict"


def test_unrelated_error_is_shown_with_its_line_and_is_no_proof(piece, verdict):
    def broken(f):
        return misspelt  # noqa: F821

    out = verdict(piece, broken)
    assert out.startswith("your test comes to no verdict on correct code, so it proves nothing.\n")
    assert "return misspelt" in out and "NameError" in out and "right." not in out


def test_error_on_the_defective_code_alone_asks_for_an_assert(lab, verdict):
    def raises(f):
        if f is lab[0]["noise_words"]:
            raise ValueError("odd")

    out = verdict(1, raises)
    assert "no verdict on the defective code, so it proves nothing.\n" in out
    assert "ValueError: odd" in out and "`assert`" in out


def test_the_wrong_way_round(lab, verdict):
    assert "wrong way round" in verdict(1, lambda f: f is lab[0]["noise_words"])


def test_a_test_that_never_ends_is_cut_off(verdict, monkeypatch):
    monkeypatch.setattr("utils.exercises.lab.SECONDS", 0.3)
    monkeypatch.setattr("utils.exercises.running.SECONDS", 0.3)

    def endless(f):
        while True:
            pass

    out = verdict(4, endless)
    assert "proves nothing" in out and "cut off after 0.3 seconds" in out


def test_only_the_defective_code_is_cut_off(lab, verdict, monkeypatch):
    monkeypatch.setattr("utils.exercises.lab.SECONDS", 1.0)

    def slow_on_defective(f):
        while f is lab[0]["training_step"]:
            pass

    out = verdict(6, slow_on_defective)
    assert "no verdict on the defective code" in out and "cut off after 1 seconds" in out
    assert "Count what there is too much of" in out


def test_only_the_defective_code_crashes(verdict):
    def one_word(f):
        assert len(f([["a"]], Vocab([["a"]], min_count=1), 10)) == 10

    out = verdict(2, one_word)
    assert "no verdict on the defective code" in out and out.endswith("catch the error and assert.")
    for misuse in (lambda f: f(3), lambda f: f.nothing):
        assert "no verdict on correct code" in verdict(
            2, misuse
        ) and "catch the error" not in verdict(2, misuse)


@pytest.mark.parametrize(
    "number, drawn",
    [
        (1, lambda f: f(torch.tensor([100, 7, 30]), 50)),
        (
            2,
            lambda f: f(
                [["bank", "river", "bank", "lake"]],
                Vocab([["bank", "river", "bank", "lake"]], min_count=1),
                50,
            ),
        ),
        (13, lambda f: f(torch.tensor([100, 7, 30]), 50)),
    ],
)
def test_to_ask_for_the_very_same_draws_is_too_strict(number, drawn, verdict):
    def as_one_correct_twin_draws(f):
        torch.manual_seed(7)
        expected = drawn(CORRECT[number])
        torch.manual_seed(7)
        return torch.equal(drawn(f), expected)

    assert verdict(number, as_one_correct_twin_draws).startswith(
        "your test fails on correct code too"
    )


def by_run(defective, on_defective, on_correct):
    """A test with these results in its three runs on either function."""
    results = {True: iter(on_defective), False: iter(on_correct)}
    return lambda f: next(results[f is defective])


def test_luck_is_no_proof(lab, verdict):
    bad = lab[0]["answers_loss"]
    assert verdict(4, by_run(bad, [False, True, False], [True, True, True])) == (
        "your test passes on the defective code in 1 of 3 runs, so it does not show the defect"
    )
    assert verdict(4, by_run(bad, [False, False, False], [True, False, True])) == (
        "your test fails on correct code too in 1 of 3 runs, so it is too strict"
    )


def test_other_things_than_functions_and_pieces(capsys):
    spot(1, None, print)
    spot(1, print, 3)
    assert capsys.readouterr().out == (
        "Piece 1: pass the function itself, without calling it; got NoneType\n"
        "Piece 1: pass the function itself, without calling it; got int\n"
    )
    with pytest.raises(KeyError, match="no piece 10; there are 0, 1, 2"):
        spot(10, print, print)


def test_spot_prints_one_verdict_and_leaves_the_readers_random_numbers_alone(verdict):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    assert "does not show" in verdict(1, lambda f: print("noise", f([1, 2], 3)))
    assert torch.rand(1) == expected


# The solutions' proofs also refuse siblings of the defect -----------------------------------------


def unused_power(counts, n, power=0.75):
    return torch.multinomial(counts.double(), n, replacement=True)


def times_epochs_twice(step, tokens, epochs):
    return epochs * CORRECT[3](step, tokens, epochs)


def patched_logarithm(scores, signs):
    return -torch.log(torch.sigmoid(signs * scores) + 1e-10).sum(dim=1)


def table_by_hand(weight, ids, signs, v_c, lr=0.1):
    answers = signs * (weight[ids] @ v_c)
    update = torch.zeros_like(weight).index_add(
        0, ids, torch.outer(-signs * torch.sigmoid(-answers), v_c)
    )
    weight -= lr * update
    return F.softplus(-answers).sum().item()


def both_moved(v, u, c, o, label, lr=0.1):
    error = torch.sigmoid(v[c] @ u[o]) - label
    u[o] -= lr * error * v[c]
    v[c] -= lr * error * u[o]


def means_of_all(v, ids, lengths):
    return v[ids].mean(dim=1)


def pairs_but_no_share(x, U_noise, pairs, K):
    return pairs * torch.sigmoid(U_noise @ x) @ U_noise * K


def flipped_and_padded(v_c, U, nodes, signs):
    return -F.logsigmoid(-signs * (U[nodes] @ v_c)).sum(dim=1)


def not_corrected(scores, q):
    return scores.clone()


def pushed_up(scores, ids):
    return scores - CORRECT[12](scores, ids).clamp(min=-1e6) + scores


def least_frequent_first(counts, n):
    ranks = CORRECT[13](torch.arange(len(counts)).flip(0), n)
    return counts.argsort()[ranks]


def k_without_hits(U, v_c, o, negatives, q):
    return CORRECT[14](U, v_c, o, negatives[negatives != o], q)


def not_divided_by_k(scores, q, o, drawn):
    weights = scores[drawn].exp() / q[drawn]
    return scores[o].exp() / (scores[o].exp() + weights[drawn != o].sum())


def always_popularity(counts, kind):
    weights = counts.double() ** 0.75
    return weights / weights.sum()


def clamped(true_scores, noise_scores):
    return -torch.log(torch.sigmoid(true_scores - noise_scores).clamp(min=1e-12))


def of_the_last_row(ids, labels):
    return ids[-1][labels.argmax(dim=1)]


@pytest.mark.parametrize(
    "number, sibling",
    [
        (11, not_corrected),
        (12, pushed_up),
        (13, least_frequent_first),
        (14, k_without_hits),
        (15, not_divided_by_k),
        (16, always_popularity),
        (17, clamped),
        (18, of_the_last_row),
        (1, unused_power),
        (3, times_epochs_twice),
        (4, patched_logarithm),
        (5, flipped_and_padded),
        (6, table_by_hand),
        (7, both_moved),
        (8, means_of_all),
        (9, pairs_but_no_share),
    ],
)
def test_siblings_are_found_too(number, sibling, solutions, capsys):
    spot(number, solutions[1][number], sibling)
    assert f"Piece {number}: right." in capsys.readouterr().out


# Hints --------------------------------------------------------------------------------------------


def test_hints_come_one_after_the_other_and_do_not_name_the_defect(piece, capsys):
    for _ in range(3):
        hint(piece)
    first, second, again = capsys.readouterr().out.splitlines()
    assert first == again != second
    assert first.startswith(f"Piece {piece}, hint 1 of 2: ")
    assert second.startswith(f"Piece {piece}, hint 2 of 2: ")
    assert DEFECT[piece] not in first + second


def test_a_piece_without_hints_is_named():
    with pytest.raises(KeyError, match="no hint for piece 0, only for 1, 2"):
        hint(0)


# Correct code is correct --------------------------------------------------------------------------


def test_correct_noise_words_and_draws():
    torch.manual_seed(0)
    counts = torch.tensor([1, 10, 100, 1000])

    def fit(drawn):
        return fits.fit_power(counts.tolist(), torch.bincount(drawn).tolist())[0]

    for power in (0.5, 0.75, 1.0):
        for draw in (CORRECT[1], ALSO_CORRECT[1]):
            assert abs(fit(draw(counts, 200_000, power)) - power) < 0.03
    text = [["bank", "river", "bank", "rare"]] * 5 + [["bank"]]
    for draw in (CORRECT[2], ALSO_CORRECT[2]):
        drawn = torch.bincount(draw(text, Vocab(text, max_size=2), 30_000), minlength=2) / 30_000
        assert torch.allclose(drawn, torch.tensor([11 / 16, 5 / 16]), atol=0.02)


def test_correct_losses_and_walks_are_those_of_utils():
    generator = torch.Generator().manual_seed(0)
    scores = 5 * torch.randn(6, 4, generator=generator, dtype=torch.float64)
    signs = torch.randint(-1, 2, (6, 4), generator=generator)
    one = torch.ones(1, dtype=torch.float64)
    for row, sign, loss in zip(scores, signs, CORRECT[4](scores, signs)):
        assert torch.isclose(
            loss, yes_no_loss(one[None], row[:, None], torch.arange(4)[None], sign[None])[0]
        )
    for tree in (balanced_tree(8), huffman_tree(COUNTS)):
        objective = HierarchicalSoftmax(2, tree).double()
        objective.weight.data.copy_(U_NODES)
        want = objective.loss(V_C.expand(8, 2), torch.arange(8))
        assert torch.allclose(CORRECT[5](V_C, U_NODES, tree.paths, tree.signs), want)


def test_correct_step_and_defective_step_move_the_same_rows(lab):
    ids = torch.tensor([3, 0, 5, 5])
    signs = torch.tensor([1, -1, -1, 0])
    tables = [
        torch.randn(8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        for _ in range(2)
    ]
    losses = [
        step(table, ids, signs, V_C)
        for step, table in zip((CORRECT[6], lab[0]["training_step"]), tables)
    ]
    assert torch.allclose(*tables) and abs(losses[0] - losses[1]) < 1e-9


def test_correct_pairs_and_rate():
    near = [(a, b) for a in range(4) for b in range(4) if 0 < abs(a - b) < 3]
    assert sorted(CORRECT[0](range(4), 2)) == near
    rate = CORRECT[3](lambda: time.sleep(0.02), 10, 3)
    assert 1 < rate < 1.1 * 10 / 0.02


def test_correct_relatives_are_those_of_utils():
    """The famous pieces against the package's own objectives, and against plain formulas."""
    noise = NoiseDistribution(COUNTS)
    negatives = torch.tensor([2, 5, 5])
    objective = NoiseContrastive(8, 2, noise, num_negatives=3).double()
    objective.weight.data.copy_(U)
    want = objective.loss(V_C[None], torch.tensor([2]), negatives[None])[0]
    assert torch.isclose(CORRECT[14](U, V_C, 2, negatives, noise.probs), want)
    scores = U @ V_C
    exact = torch.softmax(scores, dim=0)[2]
    torch.manual_seed(0)
    drawn = noise.sample((400_000,))
    for estimate in (CORRECT[15], ALSO_CORRECT[15]):
        assert abs(estimate(scores, noise.probs, 2, drawn) - exact) < 0.01
    ids = torch.tensor([4, 5, 4])
    for without in (CORRECT[12], ALSO_CORRECT[12]):
        share = torch.softmax(without(torch.zeros(3, 3), ids), dim=1)
        want = torch.tensor([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]])
        assert torch.allclose(share, want)
    by_rank = torch.tensor([2.0, 1.5, 4 / 3]).log() / torch.tensor(4.0).log()
    for draw in (CORRECT[13], ALSO_CORRECT[13]):
        drawn = draw(torch.tensor([1, 200, 5]), 30_000)
        share = torch.bincount(drawn, minlength=3) / 30_000
        assert torch.allclose(share[[1, 2, 0]], by_rank, atol=0.02)
    with pytest.raises(ValueError, match="kind is 'odd'"):
        CORRECT[16](COUNTS, "odd")
