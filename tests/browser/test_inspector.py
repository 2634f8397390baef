"""The gradient inspector in the browser.

What the page shows is what utils and autograd compute, by mouse and keys.
"""

import random

import pytest
import torch
from driving import call
from selenium.webdriver.common.keys import Keys

from utils.compare import compare
from utils.costs import zipf_counts
from utils.models import SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.tree import balanced_tree, huffman_tree
from utils.widgets import GradientInspector
from utils.widgets.common.base import module
from utils.widgets.common.trees import chain_tree
from utils.widgets.inspector.steps import PAIR, problem

MATH = module("inspector/math.js")
TREES = {
    "balanced": lambda counts: balanced_tree(len(counts)),
    "D2L": lambda counts: balanced_tree(8),
    "Huffman": huffman_tree,
    "chain": lambda counts: chain_tree(len(counts)),
}


def f64(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def step(state):
    return {name: state[name] for name in PAIR}


def drawn(seed, steps=0):
    """A random state of the figure; rates and steps small enough that no rounding grows."""
    rng = random.Random(seed)
    V = rng.choice([8, rng.randint(9, 63), 64])
    words = [f"w{i}" for i in range(V)]

    def vectors(n):
        return [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(n)]

    def pair():
        centre, context = rng.sample(words, 2)
        return dict(
            centre=centre,
            context=context,
            rate=rng.uniform(0.01, 0.5),
            negatives=[rng.choice([*words, context]) for _ in range(rng.randint(1, 10))],
        )

    return dict(
        words=words,
        counts=[rng.randint(1, rng.choice([3, 10**6])) for _ in range(V)],
        tree=rng.choice(["balanced", "Huffman", "chain"]),
        methods=["full", "ns", "hs"],
        centre_rows=vectors(V),
        output_rows=vectors(V),
        node_rows=vectors(V - 1),
        taken=[pair() for _ in range(steps)],
        **pair(),
    )


def model_of(state, method):
    """The course's own model with the state's vectors; nothing here comes from the figure."""
    counts = state["counts"]
    V = len(state["words"])
    objective = {
        "full": lambda: FullSoftmax(V, 2),
        "hs": lambda: HierarchicalSoftmax(2, TREES[state["tree"]](counts)),
        "ns": lambda: NegativeSampling(V, 2, NoiseDistribution(counts), len(state["negatives"])),
    }[method]()
    model = SkipGram(V, 2, objective).double()
    with torch.no_grad():
        model.embedding.weight.copy_(f64(state["centre_rows"]))
        rows = state["node_rows" if method == "hs" else "output_rows"]
        objective.weight.copy_(f64(rows)[: len(objective.weight)])
    return model


def loss_of(model, words, pair):
    centre, context = (torch.tensor([words.index(pair[name])]) for name in ("centre", "context"))
    noise = [torch.tensor([[words.index(name) for name in pair["negatives"]]])]
    return model.objective.loss(
        model(centre), context, *(noise if hasattr(model.objective, "noise") else [])
    )[0]


def descend(model, words, pair):
    """One step of PyTorch's plain SGD."""
    optimizer = torch.optim.SGD(model.parameters(), lr=pair["rate"])
    optimizer.zero_grad()
    loss_of(model, words, pair).backward()
    optimizer.step()


def tables_of(model):
    return model.embedding.weight.detach().clone(), model.objective.weight.detach().clone()


def test_javascript_computes_what_autograd_computes(browser):
    states = [drawn(seed) for seed in range(40)] + [GradientInspector().state()]
    for state, view in zip(states, call(browser, MATH, "inspect", [[state] for state in states])):
        for method in state["methods"]:
            holds(state, view["methods"][method], method)


def holds(state, shown, method):
    """Every number of one objective is that of utils."""
    words = state["words"]
    model = model_of(state, method)
    weights = list(model.parameters())
    loss = loss_of(model, words, state)
    in_v, in_rows = (gradient.to_dense() for gradient in torch.autograd.grad(loss, weights))
    c = words.index(state["centre"])
    o = words.index(state["context"])
    v = model.embedding.weight[c].detach()
    rows = model.objective.weight.detach()
    compare("loss", shown["loss"], loss)
    compare("gradient in v_c", shown["inV"], in_v[c])
    mine = torch.zeros_like(rows)
    for pull in shown["inRows"]:
        mine[pull["row"]] = f64(pull["gradient"])
        compare("error times vector", pull["gradient"], pull["error"] * v)
    compare("gradient in the rows", mine, in_rows)
    assert {pull["row"] for pull in shown["inRows"]} == set(
        in_rows.abs().sum(1).nonzero().flatten().tolist()
    )
    asked = {
        key: f64([q[key] for q in shown["asked"]]) for key in ("score", "said", "label", "error")
    }
    ids = torch.tensor([q["row"] for q in shown["asked"]])
    compare("scores", asked["score"], rows[ids] @ v)
    compare(
        "said",
        asked["said"],
        torch.softmax(rows @ v, 0) if method == "full" else asked["score"].sigmoid(),
    )
    compare("what was said minus what was right", asked["error"], asked["said"] - asked["label"])
    compare(
        "errors, repeated draws added",
        torch.zeros(len(rows)).double().index_add(0, ids, asked["error"]),
        in_rows @ v / (v @ v),
    )
    cost = model.objective.cost(torch.tensor([o]))
    assert (shown["cost"]["dotProducts"], shown["cost"]["rows"]) == (cost.dot_products, cost.rows)
    descend(model, words, state)
    for name, table in zip(("centres", "rows"), tables_of(model)):
        compare(f"{name} after a step", shown["next"][name], table)
    compare("loss after a step", shown["nextLoss"], loss_of(model, words, state))


@pytest.mark.parametrize("steps", [1, 7, 30, 100])
def test_steps_replayed_are_steps_of_sgd(browser, steps):
    states = [drawn(seed, steps) for seed in range(100, 100 + max(1, 60 // steps))]
    assert call(browser, MATH, "inspectorProblem", [[state] for state in states]) == [None] * len(
        states
    )
    for state, view in zip(states, call(browser, MATH, "inspect", [[state] for state in states])):
        inspector = GradientInspector(**state)
        for method in state["methods"]:
            shown = view["methods"][method]
            model = model_of(state, method)
            spent = 0
            for pair, loss in zip(state["taken"], shown["losses"]):
                compare("the curve", loss, loss_of(model, state["words"], state))
                descend(model, state["words"], pair)
                spent += (
                    len(pair["negatives"]) + 1
                    if method == "ns"
                    else model.objective.cost(
                        torch.tensor([state["words"].index(pair["context"])])
                    ).dot_products
                )
            assert len(shown["losses"]) == steps + 1 and shown["losses"][-1] == shown["loss"]
            assert shown["spent"] == spent
            for name, table, own in zip(
                ("centres", "rows"), tables_of(model), inspector.tables(method)
            ):
                compare(f"{name} in the browser", shown["now"][name], table)
                compare(f"{name} in Python", own, table)
            holds(
                state
                | dict(
                    centre_rows=shown["now"]["centres"],
                    **{"node_rows" if method == "hs" else "output_rows": shown["now"]["rows"]},
                ),
                shown,
                method,
            )


def test_noise_words_are_drawn_as_in_utils(browser):
    counts = [drawn(seed)["counts"] for seed in range(20)]
    for given, q in zip(counts, call(browser, MATH, "noiseOf", [[given] for given in counts])):
        noise = NoiseDistribution(given)
        compare("q", q, noise.probs)
        uniform = torch.rand(
            200, generator=torch.Generator().manual_seed(len(given)), dtype=torch.float64
        )
        expected = torch.searchsorted(noise.probs.cumsum(0), uniform, right=True)
        assert call(browser, MATH, "drawn", [[q, u] for u in uniform.tolist()]) == expected.tolist()
        assert call(browser, MATH, "drawn", [[q, 0.0], [q, 1 - 2**-53]]) == [0, len(given) - 1]


def test_javascript_refuses_what_python_refuses(browser):
    good = GradientInspector().state()
    far = step(good) | {"rate": 100}
    nine = [f"w{i}" for i in range(9)]
    changes = [
        dict([change])
        for change in (
            ("centre", "ocean"),
            ("context", "ocean"),
            ("context", "bank"),
            ("centre", "river"),
            ("negatives", []),
            ("negatives", ["king"] * 10),
            ("negatives", ["king"] * 11),
            ("negatives", ["king", "ocean"]),
            ("rate", 0),
            ("negatives", ["river", "bank"]),
            ("rate", 0.01),
            ("rate", 0.0099),
            ("rate", 100),
            ("rate", 100.1),
            ("rate", -1),
            ("methods", []),
            ("methods", ["hs"]),
            ("methods", ["full", "full"]),
            ("methods", ["cbow"]),
            ("tree", "Huffman"),
            ("counts", [0, *good["counts"][1:]]),
            ("words", nine),
            ("words", ["boat", *good["words"][1:]]),
            ("centre_rows", good["centre_rows"][:7]),
            ("output_rows", [[1.0]] * 8),
            ("output_rows", [[0.0, 20.5]] * 8),
            ("output_rows", [[0.0, -20.0]] * 8),
            ("node_rows", good["node_rows"][:6]),
            ("node_rows", [[21.0, 0.0]] * 7),
            ("taken", [step(good)] * 100),
            ("taken", [step(good)] * 101),
            ("taken", [far]),
            ("taken", [{"rate": 1.0}]),
            ("taken", [step(good) | {"context": "bank"}]),
            ("taken", [step(good) | {"negatives": []}]),
            ("taken", [step(good) | {"more": 1}]),
            ("taken", [step(good) | {"rate": 101}]),
        )
    ]
    changes += [
        {},
        {"taken": [far], "methods": ["ns"]},
        {"taken": [step(good), far], "methods": ["hs"]},
    ]
    states = [good | change for change in changes]
    answers = call(browser, MATH, "inspectorProblem", [[state] for state in states])
    for change, state, answer in zip(changes, states, answers):
        assert (answer is None) == (problem(**state) is None), (change, answer, problem(**state))
    assert sum(answer is None for answer in answers) == 9


SHOWN = """
const [figure] = arguments, number = (card, css) => Number(card.querySelector(css).dataset.value);
const cards = [...figure.querySelectorAll(".at-card")].filter((card) => card.offsetParent);
return [Number(figure.querySelector(".at-taken").dataset.value),
        Object.fromEntries(cards.map((card) => [
  card.dataset.method, {
    loss: number(card, ".at-now"), dots: number(card, ".at-dots"), rows: number(card, ".at-rows"),
    longest: number(card, ".at-note"), cells: [...card.querySelectorAll("tbody tr")].map((row) => [
      Number(row.dataset.row), Number(row.dataset.error)]) }]))];
"""


def test_a_number_on_the_border_draws_the_next_word(browser):
    q = [0.25, 0.25, 0.5]
    uniform = [0.0, 0.25, 0.5, 0.75]
    expected = torch.searchsorted(f64(q).cumsum(0), f64(uniform), right=True).tolist()
    assert call(browser, MATH, "drawn", [[q, u] for u in uniform]) == expected == [0, 1, 2, 2]


def agrees(figure, inspector):
    """The page shows the numbers of this inspector, to 1e-9."""
    figure.settle()
    taken, cards = figure.browser.execute_script(SHOWN, figure.element)
    assert taken == len(inspector.taken) and set(cards) == set(inspector.methods)
    for method, shown in cards.items():
        answer = inspector.answer(method)
        cost = inspector.cost(method)
        v = inspector.tables(method)[0][inspector.words.index(inspector.centre)]
        ids, errors = zip(*shown["cells"])
        added = torch.zeros(len(answer.in_rows), dtype=torch.float64).index_add(
            0, torch.tensor(ids), f64(errors)
        )
        assert torch.allclose(added[:, None] * v, answer.in_rows, atol=1e-9, rtol=0)
        assert abs(shown["loss"] - answer.loss) < 1e-9
        assert abs(shown["longest"] - inspector.rate * answer.in_rows.norm(dim=1).max()) < 1e-9
        assert (shown["dots"], shown["rows"]) == (cost.dot_products, cost.rows)


def table(figure, method):
    script = (
        "return [...arguments[0].querySelectorAll('.at-card.at-' + arguments[1] + ' tbody tr')]"
        ".map((r) => [...r.cells].slice(0, 5).map((c) => c.textContent))"
    )
    return figure.browser.execute_script(script, figure.element, method)


def test_the_pair_of_the_lessons(open_figure):
    figure = open_figure("inspector")
    agrees(figure, GradientInspector())
    assert table(figure, "ns") == [
        ["river", "1.05", "0.741", "1", "−0.259"],
        ["king", "−0.55", "0.366", "0", "+0.366"],
        ["loan", "0.45", "0.611", "0", "+0.611"],
    ]
    assert [row[0] for row in table(figure, "hs")] == ["n₁, left", "n₂, right", "n₅, left"]
    assert (
        len(table(figure, "full")) == 8
        and figure.text(".at-full .at-counters") == "8 dot products, 8 rows"
    )
    assert "(0.90, 0.30) − 1 × (−0.770) × (1.00, 0.50) = (1.67, 0.68)" in figure.text(
        ".at-full .at-sums"
    )


def test_steps_forward_and_back_by_mouse(open_figure):
    figure = open_figure("inspector")
    inspector = GradientInspector()
    one = step(inspector.state())
    first = [figure.values(f".at-{m} tbody tr", "error") for m in inspector.methods]
    for done in (1, 2, 3):
        figure.button("one step ▶").click()
        agrees(figure, GradientInspector(taken=[one] * done))
    figure.type("or an exact rate", "0.3")
    figure.type("centre word", "money")
    other = one | {"centre": "money", "rate": 0.3}
    figure.button("one step ▶").click()
    agrees(figure, GradientInspector(centre="money", rate=0.3, taken=[one] * 3 + [other]))
    figure.type("context word", "boat")
    figure.button("◀ one step back").click()
    agrees(
        figure, GradientInspector(centre="money", rate=0.3, taken=[one] * 3)
    )  # as it was before the step
    for done in (2, 1, 0):
        figure.button("◀ one step back").click()
        agrees(figure, GradientInspector(taken=[one] * done))
    assert first == [
        figure.values(f".at-{m} tbody tr", "error") for m in inspector.methods
    ]  # to the last bit
    assert not figure.button("◀ one step back").is_enabled()
    figure.button("one step ▶").click()
    figure.button("start again").click()
    agrees(figure, inspector)


def test_by_keys(open_figure):
    figure = open_figure("inspector")
    figure.focus_field("learning rate")
    figure.press(*[Keys.ARROW_LEFT] * 20)
    assert figure.field("or an exact rate").get_attribute("value") == "0.1"
    agrees(figure, GradientInspector(rate=0.1))
    figure.focus_field("K")
    figure.press(Keys.ARROW_LEFT)
    agrees(figure, GradientInspector(rate=0.1, negatives=["king"]))
    figure.focus(".at-full table")
    assert figure.has_visible_focus() and "up and down choose a row" in figure.stop()
    figure.press(Keys.ARROW_DOWN)
    assert "ulake = (0.10, 0.70)" in figure.text(".at-full .at-sums")
    figure.press(Keys.ARROW_UP, Keys.ARROW_UP)
    assert "uboat = (−0.20, 0.40)" in figure.text(".at-full .at-sums")
    picked = figure.find(f"[id='{figure.focused('aria-activedescendant')}']")
    assert picked.get_attribute("aria-selected") == "true" and picked.text.startswith("boat")
    figure.element.find_element("xpath", ".//button[normalize-space()='one step ▶']").send_keys(
        Keys.SPACE
    )
    one = dict(centre="bank", context="river", negatives=["king"], rate=0.1)
    agrees(figure, GradientInspector(rate=0.1, negatives=["king"], taken=[one]))
    figure.says("bank and river, 1 step taken. full softmax: 8 dot products")


def test_tab_reaches_everything_in_order(open_figure):
    figure = open_figure("inspector")
    stops = []
    figure.button("one step ▶").click()
    figure.focus_field("centre word")
    for _ in range(15):
        stops.append(figure.stop())
        assert figure.has_visible_focus(), stops
        figure.press(Keys.TAB)
    assert stops == [
        "centre word",
        "context word",
        "swap them",
        "tree",
        "K",
        "noise words, K of them",
        "draw other noise words",
        "learning rate",
        "or an exact rate",
        "one step ▶",
        "◀ one step back",
        "start again",
        *(
            f"errors of {m}, up and down choose a row"
            for m in ("full softmax", "negative sampling", "hierarchical softmax")
        ),
    ]


def test_noise_words_drawn_typed_hit_and_repeated(open_figure):
    figure = open_figure("inspector")
    figure.type("noise words, K of them", "king, king, river")
    agrees(figure, GradientInspector(negatives=["king", "king", "river"]))
    assert [row[0] for row in table(figure, "ns")] == [
        "river",
        "king",
        "king, again",
        "river, a hit",
    ]
    assert figure.value(".at-ns .at-rows") == 4 and figure.value(".at-ns .at-rows", "moved") == 2
    assert "only 2 different rows, errors of one row add up" in figure.text(".at-card.at-ns")
    assert "× (−0.259 +0.741) ×" in figure.text(".at-ns .at-sums")
    figure.click(".at-ns tbody tr:nth-child(2)")
    assert "uking" in figure.text(".at-ns .at-sums") and "(+0.366 +0.366)" in figure.text(
        ".at-ns .at-sums"
    )
    seen = set()
    for _ in range(6):
        figure.button("draw other noise words").click()
        words = figure.field("noise words, K of them").get_attribute("value").split(", ")
        agrees(figure, GradientInspector(negatives=words))
        seen.add(tuple(words))
    assert len(seen) > 1 and all(len(words) == 3 for words in seen)
    figure.focus_field("K")
    figure.press(Keys.END)
    assert figure.value(".at-ns .at-dots") == 11


def test_another_pair_and_another_tree(open_figure):
    figure = open_figure("inspector")
    figure.button("swap them").click()
    agrees(figure, GradientInspector(centre="river", context="bank"))
    figure.type("context word", "king")
    for tree in ("Huffman", "chain", "D2L"):
        figure.choose("tree", tree)
        agrees(figure, GradientInspector(centre="river", context="king", tree=tree))


def test_64_words_and_one_objective_alone(open_figure):
    words = ["river", "bank", "constitutionally", *[f"w{i}" for i in range(61)]]
    figure = open_figure("inspector of 64")
    agrees(figure, GradientInspector(words, zipf_counts(64), context="w40"))
    assert figure.find(".at-full .at-picked").is_displayed() and figure.text(
        ".at-full .at-picked"
    ).startswith("w40")
    figure.type("context word", "constitutionally")
    agrees(figure, GradientInspector(words, zipf_counts(64), context="constitutionally"))
    figure = open_figure("inspector of lesson 01")
    agrees(figure, GradientInspector(methods=["full"]))
    assert not figure.field("K").is_displayed() and not figure.field("tree").is_displayed()


def test_a_click_in_the_plane_works_that_row_out(open_figure):
    figure = open_figure("inspector")
    figure.click(".at-hs .at-mark.at-moves:nth-of-type(2)")
    assert "un₂" in figure.text(".at-hs .at-sums")


def test_bad_input_is_refused_in_place_and_the_last_state_stays(open_figure):
    figure = open_figure("inspector")
    for label, text, message, value in (
        ("centre word", "ocean", "“ocean” is not among the 8 words: water, boat", "bank"),
        ("centre word", "river", "both “river”: a word is not its own context here", "bank"),
        ("context word", "bank", "both “bank”: a word is not its own context here", "river"),
        ("noise words, K of them", "king, sea", "“sea” is not among the 8 words", "king, loan"),
        (
            "noise words, K of them",
            "king " * 11,
            "11 noise words: this figure takes 1 to 10",
            "king, loan",
        ),
        ("noise words, K of them", " ", "0 noise words", "king, loan"),
        ("or an exact rate", "0", "The learning rate is 0: this figure takes 0.01 to 100", "1"),
        ("or an exact rate", "-3", "The learning rate is −3", "1"),
        ("or an exact rate", "1e9", "The learning rate is 1000000000", "1"),
        ("or an exact rate", "fast", "The learning rate is missing or no number", "1"),
    ):
        figure.type(label, text)
        assert message in figure.alarm(), figure.alarm()
        assert figure.field(label).get_attribute("value") == value
    agrees(figure, GradientInspector())
    figure.type("or an exact rate", "100")
    assert figure.alarm() == "" and "too far: refused" in figure.text(".at-full .at-next")
    figure.button("one step ▶").click()
    figure.settle()
    assert figure.alarm() == (
        "Step 1 at the rate 100 would move v_c of full softmax to (45.56, 15.03), beyond ±20: "
        "choose a smaller rate."
    )
    agrees(figure, GradientInspector(rate=100))
    figure.type("or an exact rate", "2")
    figure.button("one step ▶").click()
    assert figure.alarm() == ""
    one = step(GradientInspector(rate=2).state())
    agrees(figure, GradientInspector(rate=2, taken=[one]))


def test_no_more_than_100_steps(open_figure):
    figure = open_figure("inspector of lesson 01")
    press = "for (let i = 0; i < 101; i++) arguments[0].click()"
    figure.browser.execute_script(press, figure.button("one step ▶"))
    figure.settle()
    assert "100 steps are taken" in figure.alarm() and figure.value(".at-taken") == 100
    figure.button("start again").click()
    assert figure.alarm() == "" and figure.value(".at-taken") == 0


AWAY = """
const [figure, done] = arguments, home = figure.parentNode;
const slider = figure.querySelector("input[type=range]");
requestAnimationFrame(() => figure.remove());
slider.value = Number(slider.value) + 1;
slider.dispatchEvent(new Event("input", { bubbles: true }));  // a drawing in the same frame
requestAnimationFrame(() => home.append(figure));
setTimeout(done, 200);
"""


def test_drawn_while_away_it_has_its_size_when_it_is_back(on_page, browser):
    """JupyterLab takes cells out of the page while it scrolls, and may put them back within the
    same frame.
    """
    figure = on_page("inspector")
    wide = (
        "return [...arguments[0].querySelectorAll('.at-card > .at-part > div > svg')].map((e) => "
        "e.clientWidth)"
    )
    before = browser.execute_script(wide, figure.element)
    browser.execute_async_script(AWAY, figure.element)
    assert browser.execute_script(wide, figure.element) == before
    assert figure.value(".at-ns .at-dots") == 4


def test_two_copies_do_not_interfere(open_figure):
    first = open_figure("two inspectors")
    second = first.neighbour()
    first.type("centre word", "boat")
    first.button("one step ▶").click()
    second.type("context word", "ocean")
    agrees(
        first,
        GradientInspector(centre="boat", taken=[step(GradientInspector(centre="boat").state())]),
    )
    agrees(
        second,
        GradientInspector(methods=["full", "ns"], rate=0.5, negatives=["king", "king", "river"]),
    )
    assert first.alarm() == "" and "ocean" in second.alarm()


def test_python_hears_the_steps(in_lab, browser):
    from driving import in_kernel, wait

    figure = in_lab("inspector")
    figure.button("one step ▶").click()
    heard = "print(len(inspector.taken), f'{inspector.answer(\"hs\").loss:.9f}')"
    said = wait(
        lambda: (text := in_kernel(browser, heard)).startswith("1 ") and text, 20, "Python to hear"
    )
    assert said == f"1 {figure.value('.at-hs .at-now'):.9f}"
    in_kernel(browser, "inspector.taken = []")
    wait(lambda: figure.value(".at-taken") == 0, 20, "the page to hear")
    assert "both 'bank'" in in_kernel(browser, "inspector.context = 'bank'")
