"""The tree explorer in the browser.

What the page shows is what utils computes, by mouse and by keys.
"""

import math
import random

import pytest
import torch
from driving import call, refuses_in_place
from selenium.webdriver.common.keys import Keys

from utils.compare import autograd, compare
from utils.costs import zipf_counts
from utils.objectives import yes_no_loss
from utils.tree import huffman_merges
from utils.widgets import TreeExplorer
from utils.widgets.common.base import module
from utils.widgets.tree.explorer import problem

WORDS64 = ["river", "bank", "constitutionally", *[f"w{i}" for i in range(61)]]
COUNTS64 = zipf_counts(64).tolist()


def agrees(figure, explorer):
    """The page shows the numbers of this explorer, to 1e-9."""
    expected = explorer.probabilities().tolist()
    chosen = explorer.words.index(explorer.word)
    shown = figure.values("[data-word]", "p")  # in the order of the vocabulary
    assert len(shown) == len(expected) and max(abs(p - q) for p, q in zip(shown, expected)) < 1e-9
    assert abs(figure.value(".at-product") - expected[chosen]) < 1e-9
    assert figure.value(".at-product", "steps") == explorer.walks().depths[chosen]
    assert (
        abs(figure.value(".at-expected-value") - explorer.walks().expected_depth(explorer.counts))
        < 1e-9
    )
    assert abs(figure.value(".at-sum") - 1) < 1e-9 and "sum 1.000000000000" in figure.text(
        ".at-sum"
    )


def walk(figure):
    """The table: one list of texts a step."""
    script = (
        "return [...arguments[0].querySelectorAll('tbody tr')].map((r) => "
        "[...r.cells].map((c) => c.textContent))"
    )
    return figure.browser.execute_script(script, figure.element)


def test_every_tree_agrees_with_utils(open_figure):
    figure = open_figure("tree of 64")
    for tree, word in (
        ("Huffman", "w9"),
        ("balanced", "w60"),
        ("chain", "w60"),
        ("chain", "constitutionally"),
    ):
        figure.choose("tree", tree)
        figure.type("word", word)
        agrees(figure, TreeExplorer(WORDS64, COUNTS64, tree=tree, word=word))
    assert (
        not figure.field("tree").find_element("css selector", "option").is_enabled()
    )  # D2L's has 8 leaves


def test_the_walk_of_lesson_04_step_by_step(open_figure):
    figure = open_figure("tree")
    agrees(figure, TreeExplorer())
    assert walk(figure) == [
        ["1", "n₁", "+0.250", "0.562", "+1", "0.562", "−0.438", "0.562"],
        ["2", "n₂", "−0.400", "0.401", "−1", "0.599", "+0.401", "0.337"],
        ["3", "n₅", "+0.800", "0.690", "+1", "0.690", "−0.310", "0.232"],
    ]
    assert "river: left, right, left; L(w) = 4" in figure.text(".at-walk")
    assert figure.text(".at-product") == "P(river | wc) = 0.2322, the product of 3 factors (15.2.7)"


def test_by_mouse(open_figure):
    figure = open_figure("tree")
    figure.click("[data-word=money] .at-click")
    agrees(figure, TreeExplorer(word="money"))
    assert figure.value("[data-word=water]", "count") == 20
    figure.drag("[data-word=water] .at-updown", 0, 25)
    count = int(figure.value("[data-word=water]", "count"))
    assert 1 <= count < 15 and figure.field("word").get_attribute("value") == "water"
    agrees(figure, TreeExplorer(counts=[count, 6, 10, 5, 12, 2, 8, 1], word="water"))
    figure.drag(".at-handle", -60, 40)
    hidden = figure.vector()
    assert hidden[0] < 0.6 and hidden[1] < 0.3
    agrees(figure, TreeExplorer(counts=[count, 6, 10, 5, 12, 2, 8, 1], word="water", hidden=hidden))


def test_the_sum_stands_still_while_the_vector_moves(open_figure):
    figure = open_figure("tree of 64")
    seen = []
    with figure.held(".at-handle") as move:
        for _ in range(5):
            move(-12, 9)
            seen.append((figure.value(".at-product"), figure.value(".at-sum")))
    assert len({p for p, _ in seen}) == 5 and max(abs(total - 1) for _, total in seen) < 1e-9


def test_by_keys(open_figure):
    figure = open_figure("tree")
    figure.focus("[data-word=river]")
    figure.press(Keys.ARROW_RIGHT)
    assert figure.focused("data-word") == "lake" and figure.has_visible_focus()
    figure.press(Keys.ARROW_UP, Keys.ARROW_UP, Keys.PAGE_UP, Keys.ARROW_DOWN)
    agrees(figure, TreeExplorer(counts=[20, 6, 10, 16, 12, 2, 8, 1], word="lake"))
    figure.press(*[Keys.PAGE_DOWN] * 3)
    assert figure.value("[data-word=lake]", "count") == 1
    assert figure.focused("aria-valuetext") == "count 1, probability 0.104"
    figure.focus(".at-handle")
    figure.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_UP)
    assert figure.vector() == [0.8, 0.6] and figure.has_visible_focus()
    before = figure.value(".at-product")
    figure.focus_field("turn it")
    figure.press(Keys.ARROW_RIGHT)
    assert (
        figure.value(".at-product") != before
        and abs(sum(x * x for x in figure.vector()) - 1) < 0.02
    )
    figure.says("lake: 3 decisions", "sum to 1.000000")


def test_tab_reaches_everything_in_order(open_figure):
    figure = open_figure("tree")
    stops = []
    figure.choose("tree", "Huffman")
    figure.focus_field("word")
    for _ in range(12):
        stops.append(figure.stop())
        assert figure.has_visible_focus(), stops
        figure.press(Keys.TAB)
    assert stops == [
        "word",
        "its count",
        "tree",
        "Huffman’s merges done",
        "◀ back",
        "count of river",
        "the path, decision by decision",
        "hidden vector v c, moved by the arrow keys",
        "turn it",
        "as in the lessons",
        "zero",
        "A vocabulary of your own",
    ]


@pytest.mark.parametrize("case", ["tree", "tree of 64"])
def test_huffman_merge_by_merge_forward_and_back(open_figure, case):
    figure = open_figure(case)
    words, counts = (
        (WORDS64, COUNTS64)
        if case == "tree of 64"
        else (TreeExplorer().words, TreeExplorer().counts)
    )
    merges = huffman_merges(counts)
    V = len(words)
    figure.choose("tree", "Huffman")
    figure.focus_field("Huffman’s merges done")
    figure.press(Keys.HOME)
    assert "No merge yet" in figure.text(".at-merge") and not figure.all("[data-node]")
    shown = []
    for done in range(1, 6):
        figure.button("merge ▶").click()
        figure.settle()
        shown.append(
            tuple(int(n) for n in figure.find(".at-merge").get_attribute("data-pair").split())
        )
        assert len(figure.all("[data-node]")) == done
    assert [tuple(n if n < V else 3 * V - 2 - n for n in pair) for pair in shown] == merges[:5]
    figure.button("◀ back").click()
    figure.settle()
    assert f"Merge 4 of {V - 1}" in figure.text(".at-merge")
    figure.focus_field("Huffman’s merges done")
    figure.press(Keys.END)
    assert (
        "One tree is left" in figure.text(".at-queue") and not figure.button("merge ▶").is_enabled()
    )


def drawn(seed):
    """A random vocabulary: counts with many ties, vectors, a hidden vector."""
    rng = random.Random(seed)
    V = rng.randint(8, 64)
    most = rng.choice([3, 50, 10**9])
    return dict(
        words=[f"w{i}" for i in range(V)],
        counts=[rng.randint(1, most) for _ in range(V)],
        tree=rng.choice(["balanced", "Huffman", "chain"]),
        word=f"w{rng.randrange(V)}",
        merges=None,
        hidden=[rng.uniform(-2, 2), rng.uniform(-2, 2)],
        vectors=[[rng.gauss(0, 3), rng.gauss(0, 3)] for _ in range(V - 1)],
    )


def test_javascript_computes_what_utils_computes(browser):
    states = [drawn(seed) for seed in range(60)]
    views = call(browser, module("tree/math.js"), "compute", [[state] for state in states])
    merges = call(
        browser, module("common/trees.js"), "huffmanMerges", [[state["counts"]] for state in states]
    )
    for state, view, pairs in zip(states, views, merges):
        assert [tuple(pair) for pair in pairs] == huffman_merges(state["counts"])
        holds(state, view)


def holds(state, view):
    """Every number that the page computes from this state is that of utils."""
    explorer = TreeExplorer(
        **{key: state[key] for key in ("words", "counts", "tree", "word", "hidden")}
    )
    explorer.vectors = state["vectors"]
    tree = explorer.walks()
    w = explorer.words.index(explorer.word)
    V = len(explorer.words)
    assert view["children"] == tree.children.tolist()
    for shown, path, signs, depth in zip(view["walks"], tree.paths, tree.signs, tree.depths):
        assert (shown["nodes"], shown["signs"]) == (path[:depth].tolist(), signs[:depth].tolist())
    compare("leaves", view["mass"][:V], explorer.probabilities())
    compare("15.2.9", view["sum"], 1.0)
    compare("expected depth", view["depth"], tree.expected_depth(state["counts"]))
    p = torch.tensor(state["counts"]).double() / sum(state["counts"])
    compare("entropy", view["entropy"], torch.special.entr(p).sum() / math.log(2))

    U, v = (torch.tensor(state[name], dtype=torch.float64) for name in ("vectors", "hidden"))
    walk = tree.paths[[w], : tree.depths[w]]
    turns = tree.signs[[w], : tree.depths[w]]
    gradient = autograd(lambda U: yes_no_loss(v[None], U, walk, turns, sparse=False)[0], U)
    errors, left, product = (
        [step[name] for step in view["steps"]] for name in ("error", "left", "product")
    )
    compare(
        "error times vector",
        torch.outer(torch.tensor(errors, dtype=torch.float64), v),
        gradient[walk[0]],
    )
    compare("sigma of the scores", left, torch.sigmoid(U @ v)[walk[0]])
    compare("15.2.7", product[-1], explorer.probabilities()[w])


def test_javascript_refuses_what_python_refuses(browser):
    good = TreeExplorer().state()
    bad = [
        {},
        *(
            {key: value}
            for key, value in (
                ("words", good["words"][:7]),
                ("words", ["boat"] * 8),
                ("words", [*good["words"][:7], " "]),
                ("word", "ocean"),
                ("words", [*good["words"][:7], "k" * 31]),
                ("counts", [0, *good["counts"][1:]]),
                ("counts", [1] * 9),
                ("counts", [10**9 + 1, *good["counts"][1:]]),
                ("hidden", [2.01, 0.0]),
                ("hidden", [1.0]),
                ("merges", 8),
                ("merges", -1),
                ("merges", 0),
                ("merges", 7),
                ("hidden", [-2.0, 2.0]),
                ("vectors", [[1.0, 2.0]] * 6),
                ("vectors", [[1.0]] * 7),
            )
        ),
        {"words": [f"w{i}" for i in range(9)], "counts": [1] * 9, "word": "w1"},
        {"words": [f"w{i}" for i in range(65)], "counts": [1] * 65, "word": "w1", "tree": "chain"},
    ]
    states = [good | change for change in bad]
    answers = call(browser, module("tree/math.js"), "problemOf", [[state] for state in states])
    for change, state, answer in zip(bad, states, answers):
        assert (answer is None) == (problem(**state) is None), (change, answer, problem(**state))
    assert sum(answer is None for answer in answers) == 4


def test_bad_input_is_refused_in_place_and_the_last_state_stays(open_figure):
    figure = open_figure("tree")
    refuses_in_place(figure, "word")
    agrees(figure, TreeExplorer())
    figure.type("word", "bank")
    assert figure.alarm() == ""
    agrees(figure, TreeExplorer(word="bank"))


def test_a_vocabulary_of_your_own(open_figure):
    figure = open_figure("tree")
    words = [f"x{i}" for i in range(12)]
    figure.open("A vocabulary of your own")
    figure.fill("textarea", "\n".join(f"{word} {i + 1}" for i, word in enumerate(words)))
    figure.button("Use these words").click()
    agrees(figure, TreeExplorer(words, range(1, 13), tree="balanced", word="x0"))
    figure.choose("tree", "Huffman")
    agrees(figure, TreeExplorer(words, range(1, 13), tree="Huffman", word="x0"))


def test_two_copies_do_not_interfere(open_figure):
    first = open_figure("two trees")
    second = first.neighbour()
    first.type("word", "boat")
    first.choose("tree", "Huffman")
    second.focus(".at-handle")
    second.press(Keys.ARROW_UP)
    second.type("word", "ocean")
    agrees(first, TreeExplorer(tree="Huffman", word="boat"))
    agrees(second, TreeExplorer(tree="chain", word="king", hidden=[1.0, 0.6]))
    assert first.alarm() == "" and "ocean" in second.alarm()
