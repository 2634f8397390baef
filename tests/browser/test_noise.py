"""The noise explorer in the browser.

What the page shows is what utils computes, by mouse and by keys.
"""

import math
import random

import pytest
import torch
from driving import call, in_kernel, refuses_in_place, theme, wait
from scipy.stats import chisquare
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from utils.compare import compare
from utils.costs import zipf_counts
from utils.example import COUNTS, WORDS
from utils.noise import NoiseDistribution
from utils.objectives import NegativeSampling
from utils.widgets import NoiseExplorer
from utils.widgets.common.base import module
from utils.widgets.noise.explorer import problem, uniform

WORDS64 = ["the", "river", "constitutionally", *[f"w{i}" for i in range(61)]]
OF_64 = dict(words=WORDS64, counts=zipf_counts(64), K=20, before=20_000)
ANOTHER = "start again with other random numbers"


def objective(explorer):
    """Negative sampling with this explorer's vectors, which draws the explorer's words.

    (objective, v_c, w_o).
    """
    V = len(explorer.words)
    made = NegativeSampling(V, 2, explorer.noise(), explorer.K, explorer.on_hit).double()
    with torch.no_grad():
        made.weight.copy_(torch.tensor(explorer.vectors, dtype=torch.float64)[:V])
    made.noise.sample = lambda shape: explorer.negatives().view(shape)
    target = torch.tensor([explorer.words.index(explorer.word)])
    return made, torch.tensor([explorer.hidden], dtype=torch.float64), target


def loss_of(explorer):
    """What NegativeSampling.loss gives for the words in sight, with its own rule for hits."""
    made, hidden, target = objective(explorer)
    return made.loss(hidden, target).item()


def agrees(figure, explorer):
    """The page shows the numbers of this explorer, to 1e-9, and its draws exactly."""
    drawn, hits = explorer.draws()
    tally = torch.bincount(drawn, minlength=len(explorer.words))
    compare("q", figure.values("[data-word]", "q"), explorer.noise().probs)
    assert figure.values("[data-word]", "tally") == tally.tolist()
    assert figure.values("[data-id]", "id") == [
        explorer.words.index(explorer.word),
        *explorer.negatives().tolist(),
    ]
    compare(
        "the rarest",
        figure.value(".at-rare"),
        explorer.noise().probs.sort()[0][: len(tally) // 2].sum(),
    )
    compare("terms", figure.values("[data-id]", "loss"), explorer.terms())
    compare("15.2.6", figure.value(".at-loss"), loss_of(explorer))
    compare(
        "chance of a hit", figure.value(".at-chance-value"), 1 - (1 - q_of(explorer)) ** explorer.K
    )
    assert figure.value(".at-hits-told") == hits.sum()


def q_of(explorer):
    return explorer.noise().probs[explorer.words.index(explorer.word)].item()


@pytest.mark.parametrize("case, options", [("noise", {}), ("noise of 64", OF_64)])
def test_every_power_and_every_rule_agree_with_utils(open_figure, case, options):
    figure = open_figure(case)
    agrees(figure, NoiseExplorer(**options))
    assert "rarest of" in figure.text(".at-rare")
    for power in ("0", "1"):
        figure.button(power).click()
        for on_hit in ("skip", "redraw"):
            figure.choose("a draw that hits it", on_hit)
            agrees(figure, NoiseExplorer(**options, power=float(power), on_hit=on_hit))


def test_by_mouse(open_figure, browser):
    figure = open_figure("noise")
    figure.click("[data-word=water] .at-click")
    agrees(figure, NoiseExplorer(word="water"))
    figure.button("draw 5 more").click()
    figure.button("draw 1,000 more").click()
    agrees(figure, NoiseExplorer(word="water", before=1005))
    power = figure.field("power of the counts")
    ActionChains(browser).click_and_hold(power).move_by_offset(-60, 0).move_by_offset(
        -90, 0
    ).release().perform()
    assert "q(w) at power 0.00: water 0.125" in figure.text("svg[aria-label^=noise]")
    agrees(figure, NoiseExplorer(word="water", before=1005, power=0))
    figure.button(ANOTHER).click()
    agrees(figure, NoiseExplorer(word="water", power=0, seed=2))
    figure.drag(".at-handle", -60, 40)
    text = figure.text(".at-vector output").replace("\u2212", "-")
    hidden = [float(x) for x in text[text.index("(") + 1 : -1].split(",")]
    assert hidden[0] < 0.6 and hidden[1] < 0.3
    agrees(figure, NoiseExplorer(word="water", power=0, seed=2, hidden=hidden))


def test_by_keys(open_figure):
    figure = open_figure("noise")
    figure.focus("[data-word=river]")
    figure.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert figure.focused("data-word") == "water" and figure.has_visible_focus()
    assert figure.focused("aria-checked") == "true" and len(figure.all("[aria-checked=true]")) == 1
    figure.press(Keys.ARROW_LEFT, Keys.ARROW_DOWN)
    agrees(figure, NoiseExplorer(word="money"))
    figure.focus_field("power of the counts")
    figure.press(Keys.END, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    agrees(figure, NoiseExplorer(word="money", power=0.98))
    figure.focus_field("noise words K")
    figure.press(Keys.END)
    agrees(figure, NoiseExplorer(word="money", power=0.98, K=20))
    figure.press(Keys.HOME)
    figure.button("draw 1 more").send_keys(Keys.ENTER)
    agrees(figure, NoiseExplorer(word="money", power=0.98, K=1, before=1))
    figure.focus(".at-handle")
    figure.press(Keys.ARROW_LEFT, Keys.ARROW_UP)
    agrees(figure, NoiseExplorer(word="money", power=0.98, K=1, before=1, hidden=[0.9, 0.6]))
    figure.says("power 0.98, q of money 0.187; drawn river; 0 hits; loss", "2 draws so far")


def test_tab_reaches_everything_in_order(open_figure):
    figure = open_figure("noise")
    stops = []
    figure.focus_field("positive word")
    for _ in range(17):
        stops.append(figure.stop())
        figure.press(Keys.TAB)
    assert stops == [
        "positive word",
        "its count",
        "a draw that hits it",
        "scale",
        "noise words K",
        "power of the counts",
        "power 0",
        "power 0.75",
        "power 1",
        "river, count 10, q 0.156",
        "draw 5 more",
        "draw 1,000 more",
        ANOTHER,
        "the loss, term by term",
        "hidden vector v c, moved by the arrow keys",
        "as in the lessons",
        "zero",
    ]


def test_hits_are_marked_and_said(open_figure):
    figure = open_figure("noise")  # water, river, water, water, king
    assert (
        "◆ river, a hit · water" in figure.text(".at-drawn")
        and len(figure.all("[data-u].at-hits")) == 1
    )
    assert "river ◆" in figure.text(".at-terms") and len(figure.all("rect.at-hits")) == 1
    figure.choose("a draw that hits it", "skip")
    assert "◆ river, a hit, skipped" in figure.text(".at-drawn") and "skipped" in figure.text(
        ".at-terms"
    )
    assert figure.values("[data-id]", "loss")[2] == 0 and not figure.all("rect.at-hits")
    figure.choose("a draw that hits it", "redraw")
    instead = WORDS[NoiseExplorer(on_hit="redraw").negatives()[1]]
    assert instead != "river" and f"◆ river, a hit, then {instead}" in figure.text(".at-drawn")
    assert "◆" not in figure.text(".at-terms")
    figure.type("positive word", "boat")
    assert "hit" not in figure.text(".at-drawn") and not figure.all("[data-u].at-hits")


def test_a_zero_vector_makes_every_question_a_coin(open_figure):
    figure = open_figure("noise")
    figure.button("zero").click()
    assert abs(figure.value(".at-loss") - 6 * math.log(2)) < 1e-9
    assert abs(figure.value(".at-loss", "expected") - 6 * math.log(2)) < 1e-9


@pytest.mark.parametrize("on_hit", ["keep", "redraw"])
def test_the_tally_comes_near_its_expectation(on_page, on_hit):
    figure = on_page("noise")
    figure.choose("a draw that hits it", on_hit)
    for _ in range(4):
        figure.button("draw 1,000 more").click()
    tally = figure.values("[data-word]", "tally")
    expected = figure.values("[data-word]", "expected")
    assert sum(tally) == 4005 and abs(sum(expected) - 4005) < 1e-6
    some = [w for w in range(8) if expected[w]]
    assert chisquare([tally[w] for w in some], [expected[w] for w in some]).pvalue > 1e-3
    assert len(some) == (8 if on_hit == "keep" else 7)


def state_of(seed):
    """A random state: counts over many orders of magnitude, any rule, any power."""
    rng = random.Random(seed)
    V = rng.randint(8, 64)
    most = rng.choice([0.5, 3, 9])
    return dict(
        words=[f"w{i}" for i in range(V)],
        counts=[int(10 ** rng.uniform(0, most)) for _ in range(V)],
        word=f"w{rng.randrange(V)}",
        power=rng.choice([0.0, 0.75, 1.0, rng.random()]),
        K=rng.randint(1, 20),
        on_hit=rng.choice(["keep", "skip", "redraw"]),
        before=rng.choice([0, 7, 500]),
        seed=rng.choice([0, rng.randrange(2**31)]),
        hidden=[rng.uniform(-2, 2), rng.uniform(-2, 2)],
        vectors=[[rng.gauss(0, 3), rng.gauss(0, 3)] for _ in range(V)],
        scale="linear",
    )


def explorer_of(state):
    rest = {name: value for name, value in state.items() if name != "vectors"}
    explorer = NoiseExplorer(**rest)
    explorer.vectors = state["vectors"]
    return explorer


def test_javascript_computes_what_utils_computes(browser):
    states = [state_of(seed) for seed in range(60)]
    for state, view in zip(
        states, call(browser, module("noise/math.js"), "compute", [[state] for state in states])
    ):
        holds(explorer_of(state), view)


def holds(explorer, view):
    """Every number that the page computes from this state is that of utils."""
    o = explorer.words.index(explorer.word)
    V = len(explorer.words)
    K = explorer.K
    N = explorer.before + explorer.K
    noise = explorer.noise()
    (drawn, hits) = explorer.draws()
    compare("q", view["q"], noise.probs)
    compare("power 1", view["share"], NoiseDistribution(explorer.counts, power=1.0).probs)
    compare("power 0", [view["level"]] * V, NoiseDistribution(explorer.counts, power=0.0).probs)
    half = torch.argsort(torch.tensor(explorer.counts), descending=True, stable=True)[-(V // 2) :]
    power = {"now": explorer.power, "one": 1.0, "zero": 0.0}
    compare(
        "the rarest",
        [view["rare"][name] for name in power],
        [
            NoiseDistribution(explorer.counts, power=p).probs[half].sum().item()
            for p in power.values()
        ],
    )
    compare("running sum", view["ends"], noise._running_sum)
    assert [draw["word"] for draw in view["draws"]] == drawn[-K:].tolist()
    assert [draw["hit"] for draw in view["draws"]] == hits[-K:].tolist()
    numbers = torch.tensor([draw["u"] for draw in view["draws"]], dtype=torch.float64)
    first = torch.searchsorted(
        noise._running_sum, numbers, right=True
    )  # as NoiseDistribution.sample
    assert [draw["first"] for draw in view["draws"]] == first.tolist()
    assert (
        view["tally"] == torch.bincount(drawn, minlength=V).tolist() and view["hits"] == hits.sum()
    )
    rounds = hits[N % K :].view(-1, K)
    assert (view["rounds"], view["hitRounds"]) == (len(rounds), rounds.any(dim=1).sum())

    q = noise.probs.clone()
    if explorer.on_hit == "redraw":
        q[o] = 0
        q = q / q.sum()
    compare("expected tally", view["expected"], N * q)
    compare("its spread", view["spread"], (N * q * (1 - q)).sqrt())
    compare("chance of a hit", view["chance"], -math.expm1(K * math.log1p(-noise.probs[o].item())))
    compare("15.2.6", view["loss"], loss_of(explorer))
    compare("terms", [term["loss"] for term in view["terms"]], explorer.terms())
    score = torch.tensor(explorer.vectors, dtype=torch.float64) @ torch.tensor(
        explorer.hidden, dtype=torch.float64
    )
    ids, signs = ([term[name] for term in view["terms"]] for name in ("id", "sign"))
    assert ids == [o, *drawn[-K:].tolist()] and signs == [1] + [-1] * K
    compare("scores", [term["score"] for term in view["terms"]], score[ids])
    compare(
        "sigma",
        [term["right"] for term in view["terms"]],
        torch.sigmoid(torch.tensor(signs) * score[ids]),
    )

    made, hidden, target = objective(explorer)
    each = torch.stack(
        [made.loss(hidden, target, torch.tensor([[w]]))[0] for w in range(V)]
    )  # with one noise word
    positive = view["terms"][0]["loss"]
    no = each.detach() - positive
    if explorer.on_hit == "skip":
        no[o] = 0
    compare("expected loss", view["expectedLoss"], positive + K * (q * no).sum())
    compare("mean loss", view["meanLoss"], positive + K * no[drawn].mean())


def test_javascript_draws_the_same_random_numbers(browser):
    asked = [(seed, n) for seed in (0, 1, 7, 2**31 - 1) for n in (*range(200), 99_999, 240_039)]
    given = call(browser, module("noise/math.js"), "uniform", [list(pair) for pair in asked])
    assert given == [uniform(seed, torch.tensor([n])).item() for seed, n in asked]


@pytest.mark.parametrize("on_hit", ["keep", "redraw"])
@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
def test_the_law_of_the_draws(browser, on_hit, power):
    """Chi-square of 100,005 draws of one seed against NoiseDistribution.

    Against another power it must fail.
    """
    state = NoiseExplorer(power=power, before=100_000, on_hit=on_hit).state()
    (view,) = call(browser, module("noise/math.js"), "compute", [[state]])
    p = [
        p_value(view["tally"], NoiseDistribution(COUNTS, power=other).probs, state)
        for other in (power, power - 0.1)
    ]
    assert p[0] > 1e-3 > 1e-9 > p[1]


def p_value(tally, q, state):
    if state["on_hit"] == "redraw":
        o = WORDS.index(state["word"])
        assert tally[o] == 0
        tally = tally[:o] + tally[o + 1 :]
        q = torch.cat([q[:o], q[o + 1 :]])
    return chisquare(tally, q / q.sum() * sum(tally)).pvalue


def test_javascript_refuses_what_python_refuses(browser):
    good = NoiseExplorer().state()
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
                ("counts", [-2, *good["counts"][1:]]),
                ("counts", [10**9 + 1, *good["counts"][1:]]),
                ("power", -0.01),
                ("power", 1.01),
                ("power", 0.0),
                ("power", 1.0),
                ("K", 0),
                ("K", 21),
                ("K", 20),
                ("before", -1),
                ("before", 100_001),
                ("before", 100_000),
                ("seed", -1),
                ("seed", 2**31),
                ("seed", 2**31 - 1),
                ("on_hit", "keep it"),
                ("scale", "cubic"),
                ("scale", "log"),
                ("hidden", [2.01, 0.0]),
                ("hidden", [1.0]),
                ("hidden", [-2.0, 2.0]),
                ("vectors", [[1.0, 2.0]] * 7),
                ("vectors", [[1.0]] * 8),
            )
        ),
        {"words": [f"w{i}" for i in range(65)], "counts": [1] * 65, "word": "w1"},
    ]
    states = [good | change for change in bad]
    answers = call(browser, module("noise/math.js"), "problemOf", [[state] for state in states])
    for change, state, answer in zip(bad, states, answers):
        assert (answer is None) == (problem(**state) is None), (change, answer, problem(**state))
    assert sum(answer is None for answer in answers) == 8


def test_bad_input_is_refused_in_place_and_the_last_state_stays(open_figure):
    figure = open_figure("noise")
    refuses_in_place(figure, "positive word")
    agrees(figure, NoiseExplorer())
    figure.type("its count", "100")
    assert figure.alarm() == ""
    agrees(figure, NoiseExplorer(counts=[20, 6, 100, 5, 12, 2, 8, 1]))


def test_a_full_tally_says_so(on_page, browser):
    figure = on_page("noise of 64")
    for _ in range(81):
        figure.button("draw 1,000 more").click()
    assert "The tally holds 100,000 draws: start again" in figure.alarm()
    agrees(figure, NoiseExplorer(**OF_64 | dict(before=100_000)))
    figure.button(ANOTHER).click()
    agrees(figure, NoiseExplorer(**OF_64 | dict(before=0, seed=2)))
    assert figure.alarm() == ""


def test_a_vocabulary_of_your_own(open_figure):
    figure = open_figure("noise")
    words = [f"x{i}" for i in range(12)]
    figure.open("A vocabulary of your own")
    figure.fill(
        "textarea",
        "\n".join(f"{word} {10**i // 100 + 1}" for i, word in enumerate(words[:9]))
        + "\nx9 1000000000\nx10 3\nx11 7",
    )
    figure.button("Use these words").click()
    counts = [*(10**i // 100 + 1 for i in range(9)), 10**9, 3, 7]
    agrees(figure, NoiseExplorer(words, counts, word="x0"))
    heights = (
        "return [...arguments[0].querySelectorAll('.at-q')].map((bar) => "
        "bar.getBoundingClientRect().height)"
    )
    assert min(browser_heights(figure, heights)) < 1  # a rare word cannot be seen ..
    figure.choose("scale", "log")
    assert min(browser_heights(figure, heights)) > 4  # .. but on this scale


def browser_heights(figure, script):
    figure.settle()
    return figure.browser.execute_script(script, figure.element)


def test_two_copies_do_not_interfere(open_figure):
    first = open_figure("two noises")
    second = first.neighbour()
    first.type("positive word", "boat")
    first.button("draw 5 more").click()
    second.button("0.75").click()
    second.type("positive word", "ocean")
    agrees(first, NoiseExplorer(word="boat", before=5))
    agrees(second, NoiseExplorer(word="king", on_hit="redraw", seed=7))
    assert first.alarm() == "" and "ocean" in second.alarm()


def test_python_hears_and_is_heard(in_lab, browser):
    figure = in_lab("noise")
    figure.button("draw 1,000 more").click()
    figure.choose("a draw that hits it", "redraw")
    told = (
        "print(noise.before, noise.on_hit, noise.negatives().tolist(), "
        "f'{noise.terms().sum():.9f}')"
    )
    said = wait(
        lambda: (text := in_kernel(browser, told)).startswith("1000 redraw") and text,
        20,
        "Python to hear",
    )
    assert said.endswith(f"{figure.values('[data-id]', 'id')[1:]} {figure.value('.at-loss'):.9f}")
    in_kernel(browser, "noise.power, noise.K = 0, 3")
    wait(lambda: "K = 3 drawn" in figure.text(".at-drawn"), 20, "the page to hear")
    agrees(figure, NoiseExplorer(power=0, K=3, before=1000, on_hit="redraw"))
    assert "TraitError: K is 21" in in_kernel(browser, "noise.K = 21")


def test_a_change_of_theme_leaves_it_as_wide_as_its_cell(in_lab, browser):
    figure = in_lab("noise")
    for kind in ("Dark", "Light"):
        theme(browser, kind)
        drawn, room = browser.execute_script(
            "return ['svg', null].map((css) => { const box = arguments[0]"
            ".querySelector('.at-scroll'); return (css ? box.firstChild : box)"
            ".getBoundingClientRect().width; })",
            figure.element,
        )
        assert abs(drawn - room) < 2


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bars_and_marks_are_as_high_as_they_should(on_page, scale):
    """Bars of q, the marks of power 1 and the line of power 0 stand on one scale."""
    figure = on_page("noise")
    figure.choose("scale", scale)
    top, foot, one, zero = figure.browser.execute_script(
        """
        const all = (css, name) =>
          [...arguments[0].querySelectorAll(css)].map((node) => node[name].baseVal.value);
        const bars = arguments[0].querySelectorAll('.at-q');
        const bottom = ({ y, height }) => y.baseVal.value
            + height.baseVal.value;
        return [all('.at-q', 'y'), [...bars].map(bottom), all('.at-q + .at-one', 'y1'),
                all('.at-level', 'y1')];
        """,
        figure.element,
    )
    explorer = NoiseExplorer()
    share = NoiseDistribution(COUNTS, power=1.0).probs
    values = torch.cat([explorer.noise().probs, share, torch.tensor([1 / 8], dtype=torch.float64)])
    places = torch.tensor([*top, *one, *zero], dtype=torch.float64)
    values = values.log() if scale == "log" else values
    slope = (places[0] - places[7]) / (values[0] - values[7])
    compare("heights", places, places[7] + slope * (values - values[7]), tol=1e-4)
    if scale == "linear":
        compare("from 0", torch.tensor(foot), (places[7] - slope * values[7]).expand(8), tol=1e-4)
