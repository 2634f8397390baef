"""The interactive figures in Python: their traits, what they refuse, what a notebook stores of
them.

How they look and answer is tested in a real browser: tests/browser.
"""

import json
import re

import nbformat
import pytest
import torch
from scipy.stats import chisquare, kstest
from traitlets import TraitError

from utils import widgets
from utils.compare import compare
from utils.costs import zipf_counts
from utils.example import CENTRE, CONTEXT, COUNTS, NOISE, U_NODES, V_C, WORDS, U
from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.tree import huffman_tree
from utils.widgets import GradientInspector, NoiseExplorer, TreeExplorer
from utils.widgets.common.base import FOLDER, STATE, VIEW, LiveFigure, module, source
from utils.widgets.common.pages import forget_views, revive
from utils.widgets.noise.explorer import uniform

FIGURES = [getattr(widgets, name) for name in widgets.__all__]
figures = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)


def letters(n):
    return [f"w{i}" for i in range(n)]


@figures
def test_prints_the_same_every_time(figure):
    assert issubclass(figure, LiveFigure) and figure.title != LiveFigure.title
    assert repr(figure()) == repr(figure()) == f"[interactive figure: {figure.title}]"


@figures
def test_output_has_a_view_a_picture_with_alt_text_and_the_state(figure):
    shown = figure()
    data, metadata = shown._repr_mimebundle_()
    assert set(data) == {VIEW, STATE, "image/png", "text/plain"}
    assert data["image/png"].startswith(b"\x89PNG") and len(metadata["image/png"]["alt"]) > 60
    assert data[STATE] == {"figure": figure.__name__, "traits": shown.state()}
    assert json.loads(json.dumps(shown.state())) == shown.state() == figure().state()


@figures
def test_one_module_that_asks_no_other_host(figure):
    code = figure._esm + figure._css + source("common/static.js")
    assert re.findall(r"^export .*", figure._esm, re.M) == ["export default {"]
    assert (
        not re.search(r"^\s*import\b(?! \{)", figure._esm, re.M) and "from \"./" not in figure._esm
    )
    assert set(re.findall(r"https?://[\w./-]*", code)) <= {
        "http://www.w3.org/2000/svg"
    }  # a name, not an address
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|eval)\b|@import|url\(", code)
    assert not re.search(r"@keyframes|animation|transition", code)  # nothing flashes or slides


def test_every_file_belongs_to_a_figure():
    code = "".join(figure._esm + figure._css for figure in FIGURES) + source("common/static.js")
    for path in [*FOLDER.glob("*.js"), *FOLDER.glob("*.css")]:
        first = next(line for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        assert first in code, f"{path.name} is used nowhere"


def test_a_part_keeps_its_own_exports_only():
    code = module("tree/drawing.js")
    assert re.findall(r"^export (?:const|function) (\w+)", code, re.M) == [
        "nodeName",
        "treeDrawing",
    ]
    assert code.index("function put(") < code.index("function treeDrawing(")


# ------------------------------------------------------------------ what a notebook and a page keep


def stored(figure):
    data, metadata = figure._repr_mimebundle_()
    data["image/png"] = "UE5H\n"
    output = nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=1)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])


@figures
def test_the_notebook_forgets_the_view_and_keeps_the_rest(figure):
    notebook = stored(figure())
    forget_views(notebook)
    nbformat.validate(notebook)
    assert set(notebook.cells[0].outputs[0].data) == {STATE, "image/png", "text/plain"}


@figures
def test_the_page_gets_picture_state_and_module(figure):
    notebook = stored(figure())
    tail = revive(notebook)
    html = notebook.cells[0].outputs[0].data["text/html"]
    assert f'data-figure="{figure.__name__}"' in html and 'src="data:image/png;base64,UE5H"' in html
    assert f'data-module="{figure.__name__}"' in tail and figure._css in tail
    traits = re.search(r'<script type="application/json">(.*)</script>', html)[1]
    assert json.loads(traits) == figure().state()


def test_a_page_without_figures_gets_nothing():
    assert revive(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x")])) == ""


def test_words_cannot_break_out_of_the_page():
    words = ["</script><b>", "<!--", "&amp;", '"', *letters(4)]
    notebook = stored(TreeExplorer(words))
    revive(notebook)
    html = notebook.cells[0].outputs[0].data["text/html"]
    inside = re.search(r'<script type="application/json">(.*)</script></div>$', html)[1]
    assert "<" not in inside and json.loads(inside)["words"] == words


# ------------------------------------------------------------------ the tree explorer


def test_starts_with_the_running_example():
    explorer = TreeExplorer()
    assert (explorer.words, explorer.counts, explorer.tree, explorer.word) == (
        WORDS,
        COUNTS,
        "D2L",
        WORDS[CONTEXT],
    )
    assert (
        explorer.hidden == V_C.tolist()
        and explorer.vectors[:7] == U_NODES.tolist()
        and explorer.merges is None
    )


def test_walks_those_of_lesson_04():
    score = U_NODES @ V_C
    product = torch.sigmoid(score[0]) * torch.sigmoid(-score[1]) * torch.sigmoid(score[4])  # 15.2.8
    compare("15.2.8", TreeExplorer().probabilities()[CONTEXT], product)


@pytest.mark.parametrize("tree", ["balanced", "Huffman", "chain"])
@pytest.mark.parametrize("size", [8, 23, 64])
def test_leaves_sum_to_one_on_every_tree(tree, size):
    explorer = TreeExplorer(letters(size), zipf_counts(size), tree=tree, hidden=[-1.3, 0.4])
    assert len(explorer.walks()) == size
    compare("15.2.9", explorer.probabilities().sum(), 1.0)


@pytest.mark.parametrize(
    "tree, leaders",
    [("D2L", {"river", "king", "money", "lake", "water"}), ("chain", {"water", "boat"})],
)
def test_what_lesson_04_says_of_the_likeliest_words(tree, leaders):
    """Wherever v_c is dragged; and king leads on D2L's tree when it points to the left."""
    places = [[x / 10, y / 10] for x in range(-20, 21, 2) for y in range(-20, 21, 2)]
    found = {
        tuple(at): WORDS[int(TreeExplorer(tree=tree, hidden=at).probabilities().argmax())]
        for at in places
    }
    assert set(found.values()) == leaders
    assert tree == "chain" or {
        word for (x, y), word in found.items() if x < -1 and abs(y) < 0.5
    } == {"king"}


def test_trees_have_the_depths_they_should():
    counts = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    depths = {
        tree: TreeExplorer(letters(10), counts, tree=tree).walks().depths.tolist()
        for tree in ("balanced", "Huffman", "chain")
    }
    assert depths["chain"] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9] and set(depths["balanced"]) == {3, 4}
    assert depths["Huffman"] == huffman_tree(counts).depths.tolist()


def test_takes_tensors_and_any_iterable():
    explorer = TreeExplorer(iter(letters(9)), torch.arange(1, 10), hidden=torch.tensor([0.5, 0.25]))
    assert (
        explorer.counts == list(range(1, 10))
        and explorer.hidden == [0.5, 0.25]
        and explorer.tree == "balanced"
    )
    assert TreeExplorer(letters(9)).counts == [1] * 9


BAD = {
    "two words the same": (dict(words=[*letters(7), "w3"]), "'w3' stands there twice"),
    "65 words": (dict(words=letters(65)), "8 to 64 words, not 65"),
    "7 words": (dict(words=letters(7)), "8 to 64 words, not 7"),
    "an empty word": (dict(words=[*letters(7), " "]), "1 to 30 letters"),
    "a very long word": (dict(words=[*letters(7), "w" * 31]), "1 to 30 letters"),
    "a zero count": (dict(counts=[20, 6, 0, 5, 12, 2, 8, 1]), "the count of river is 0"),
    "a negative count": (dict(counts=[20, 6, -3, 5, 12, 2, 8, 1]), "the count of river is -3"),
    "half a count": (dict(counts=[20, 6, 1.5, 5, 12, 2, 8, 1]), "whole numbers, not 1.5"),
    "no number": (dict(counts=[20, 6, float("nan"), 5, 12, 2, 8, 1]), "whole numbers, not nan"),
    "too few counts": (dict(counts=[1, 2, 3]), "8 words but 3 counts"),
    "an unknown word": (dict(word="ocean"), "'ocean' is not among the 8 words: water, boat"),
    "an unknown tree": (dict(tree="oak"), "oak"),
    "D2L's tree for nine words": (
        dict(words=letters(9), tree="D2L"),
        "8 leaves, this vocabulary 9",
    ),
    "three coordinates": (dict(hidden=[1, 2, 0]), "two coordinates"),
    "a vector out of reach": (dict(hidden=[1, 2.5]), "from -2 to 2"),
    "a vector that is no number": (dict(hidden=[1, float("nan")]), "two coordinates"),
    "too many merges": (dict(tree="Huffman", merges=8), "0 to 7 merges"),
}


@pytest.mark.parametrize("arguments, message", BAD.values(), ids=BAD.keys())
def test_bad_values_are_refused(arguments, message):
    with pytest.raises(TraitError, match=re.escape(message)):
        TreeExplorer(**arguments)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("word", "ocean", "not among"),
        ("tree", "oak", "oak"),
        ("counts", [0] * 8, "the count of water is 0"),
        ("words", letters(7), "8 to 64"),
        ("words", [*letters(7), "w0"], "twice"),
        ("hidden", [9, 9], "from -2 to 2"),
        ("merges", -1, "0 to 7"),
        ("counts", [1] * 9, "8 words but 9 counts"),
        ("vectors", [[1.0, 2.0]], "7 inner nodes"),
    ],
)
def test_a_refused_value_leaves_the_last_good_state(name, value, message):
    explorer = TreeExplorer()
    before = explorer.state()
    with pytest.raises(TraitError, match=re.escape(message)):
        setattr(explorer, name, value)
    assert explorer.state() == before


def test_a_whole_new_vocabulary_at_once():
    explorer = TreeExplorer()
    with explorer.hold_trait_notifications():
        explorer.words = letters(12)
        explorer.counts = [2] * 12
        explorer.word = "w3"
        explorer.tree = "Huffman"
    assert len(explorer.walks()) == 12
    with pytest.raises(TraitError), explorer.hold_trait_notifications():
        explorer.words = letters(13)
        explorer.counts = [0] * 13
    assert explorer.words == letters(12) and explorer.counts == [2] * 12


@pytest.mark.parametrize(
    "options", [dict(), dict(words=letters(64), counts=zipf_counts(64), tree="chain", word="w63")]
)
def test_picture_tells_the_walk_and_the_sum(options):
    alt = TreeExplorer(**options).picture().alt
    assert f"path to {options.get('word', 'river')}" in alt and "all together 1.000" in alt


# ------------------------------------------------------------------ the noise explorer


def test_noise_starts_with_the_running_example():
    explorer = NoiseExplorer()
    assert (explorer.words, explorer.counts, explorer.word) == (WORDS, COUNTS, WORDS[CONTEXT])
    assert (explorer.power, explorer.K, explorer.on_hit, explorer.scale) == (
        0.75,
        5,
        "keep",
        "linear",
    )
    assert (
        explorer.hidden == V_C.tolist()
        and explorer.vectors[:8] == U.tolist()
        and len(explorer.vectors) == 64
    )
    weights = torch.tensor(COUNTS).double() ** 0.75  # lesson 03
    compare("q", explorer.noise().probs, weights / weights.sum())
    assert (
        NoiseExplorer(letters(64), zipf_counts(64)).scale == "log"
    )  # counts over more than one order


@pytest.mark.parametrize("on_hit", ["keep", "skip", "redraw"])
def test_the_same_state_draws_the_same_words(on_hit):
    options = dict(on_hit=on_hit, seed=11)
    drawn, hits = NoiseExplorer(before=40, K=7, **options).draws()
    for before in (0, 3, 40):
        assert (
            NoiseExplorer(before=before, K=7, **options).negatives().tolist()
            == drawn[before : before + 7].tolist()
        )
    assert (
        drawn.tolist() != NoiseExplorer(before=40, K=7, on_hit=on_hit, seed=12).draws()[0].tolist()
    )
    assert (drawn == CONTEXT).tolist() == (hits.tolist() if on_hit != "redraw" else [False] * 47)


def test_random_numbers_are_uniform_and_independent():
    n = torch.arange(100_000)
    for seed in (0, 1, 2**31 - 1):
        u = uniform(seed, n)
        assert (
            u.min() >= 0
            and u.max() < 1
            and len(u.unique()) == len(u)
            and kstest(u, "uniform").pvalue > 1e-3
        )
        for other in (u.roll(1), uniform((seed + 1) % 2**31, n), uniform(seed, n + 10**6)):
            cells = (8 * u).long() * 8 + (8 * other).long()
            assert chisquare(torch.bincount(cells, minlength=64)).pvalue > 1e-3
        low = (u * 2**53).long()
        assert all(abs((low >> bit & 1).double().mean() - 0.5) < 0.01 for bit in range(53))


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
@pytest.mark.parametrize("on_hit", ["keep", "redraw"])
def test_draws_follow_the_noise_distribution(power, on_hit):
    drawn, hits = NoiseExplorer(power=power, on_hit=on_hit, before=99_995, seed=3).draws()
    q = NoiseDistribution(COUNTS, power=power).probs
    assert abs(hits.double().mean() - q[CONTEXT]) < 4 * (q[CONTEXT] / len(drawn)) ** 0.5
    if on_hit == "redraw":  # q given that it is another word
        drawn = drawn - (drawn > CONTEXT).long()
        q = torch.cat([q[:CONTEXT], q[CONTEXT + 1 :]])
    assert (
        chisquare(torch.bincount(drawn, minlength=len(q)), q / q.sum() * len(drawn)).pvalue > 1e-3
    )


@pytest.mark.parametrize("on_hit", ["keep", "skip", "redraw"])
def test_the_terms_are_the_loss_of_negative_sampling(on_hit):
    explorer = NoiseExplorer(on_hit=on_hit, K=20, hidden=[-1.3, 0.4])
    assert explorer.draws()[1].any()  # a hit is among them
    objective = NegativeSampling(8, 2, explorer.noise(), 20, on_hit).double()
    objective.noise.sample = lambda shape: explorer.negatives().view(shape)
    with torch.no_grad():
        objective.weight.copy_(U)
        loss = objective.loss(
            torch.tensor([explorer.hidden], dtype=torch.float64), torch.tensor([CONTEXT])
        )
    assert len(explorer.terms()) == 21
    compare("15.2.6", explorer.terms().sum(), loss[0])


BAD_NOISE = {
    name: BAD[name]
    for name in (
        "two words the same",
        "65 words",
        "7 words",
        "an empty word",
        "a very long word",
        "a zero count",
        "no number",
        "a negative count",
        "half a count",
        "too few counts",
        "an unknown word",
        "three coordinates",
        "a vector out of reach",
        "a vector that is no number",
    )
} | {
    "a power below 0": (dict(power=-0.1), "the power is -0.1"),
    "a power above 1": (dict(power=1.5), "the power is 1.5"),
    "a power that is no number": (dict(power=float("nan")), "the power is nan"),
    "no noise word": (dict(K=0), "K is 0: 1 to 20"),
    "21 noise words": (dict(K=21), "K is 21: 1 to 20"),
    "an unknown rule": (dict(on_hit="keep it"), "keep it"),
    "an unknown scale": (dict(scale="cubic"), "cubic"),
    "too many draws": (dict(before=100_001), "0 to 100,000 draws"),
    "a negative seed": (dict(seed=-1), "the seed is -1"),
}


@pytest.mark.parametrize("arguments, message", BAD_NOISE.values(), ids=BAD_NOISE.keys())
def test_noise_refuses_bad_values(arguments, message):
    with pytest.raises(TraitError, match=re.escape(message)):
        NoiseExplorer(**arguments)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("word", "ocean", "not among"),
        ("counts", [0] * 8, "the count of water is 0"),
        ("words", letters(7), "8 to 64"),
        ("words", [*letters(7), "w0"], "twice"),
        ("power", 2.0, "the power is 2.0"),
        ("K", 30, "K is 30"),
        ("on_hit", "drop", "drop"),
        ("before", -1, "before is -1"),
        ("seed", 2**31, "the seed"),
        ("hidden", [9, 9], "to 2"),
        ("vectors", [[1.0, 2.0]] * 7, "8 words needs a vector"),
        ("scale", "cubic", "cubic"),
    ],
)
def test_noise_keeps_the_last_good_state(name, value, message):
    explorer = NoiseExplorer()
    before = explorer.state()
    with pytest.raises(TraitError, match=re.escape(message)):
        setattr(explorer, name, value)
    assert explorer.state() == before


@pytest.mark.parametrize(
    "options",
    [
        dict(),
        dict(words=letters(64), counts=zipf_counts(64), word="w3", K=20, power=1),
        dict(on_hit="skip", hidden=[0, 0], K=1),
    ],
)
def test_noise_picture_tells_the_draw_and_the_loss(options):
    explorer = NoiseExplorer(**options)
    alt = explorer.picture().alt
    drawn = [explorer.words[w] for w in explorer.negatives()]
    assert (
        f"Drawn now: {', '.join(drawn)};" in alt
        and f"the loss of {explorer.terms().sum():.3f} nats" in alt
    )
    assert f"{explorer.K + 1} terms" in alt


# ------------------------------------------------------------------ the gradient inspector

STEP = dict(centre="bank", context="river", negatives=["king", "loan"], rate=1.0)


def test_inspector_starts_with_the_pair_of_the_lessons():
    inspector = GradientInspector()
    assert (inspector.centre, inspector.context) == (WORDS[CENTRE], WORDS[CONTEXT])
    assert (
        inspector.negatives == [WORDS[i] for i in NOISE]
        and inspector.tree == "D2L"
        and inspector.taken == []
    )
    centres, rows = inspector.tables("ns")
    assert torch.equal(centres[CENTRE], V_C) and torch.equal(rows, U)
    assert torch.equal(inspector.tables("hs")[1], U_NODES)
    error = torch.softmax(U @ V_C, 0) - torch.eye(8)[CONTEXT]  # lesson 01
    compare("error times vector", inspector.answer("full").in_rows, torch.outer(error, V_C))
    assert [inspector.cost(method).dot_products for method in inspector.methods] == [8, 3, 3]


def test_inspector_takes_steps_and_gives_them_back():
    inspector = GradientInspector()
    for method, weight in (("full", U), ("ns", U), ("hs", U_NODES)):
        answer = inspector.answer(method)
        after = GradientInspector(taken=[STEP])
        centres, rows = after.tables(method)
        compare("rows", rows, weight - answer.in_rows)
        compare("v_c", centres[CENTRE], V_C - answer.in_v)
        assert after.answer(method).loss < answer.loss
    inspector.taken = [STEP] * 5
    inspector.taken = []
    assert torch.equal(inspector.tables("hs")[1], U_NODES) and torch.equal(
        inspector.tables("full")[0][CENTRE], V_C
    )


def test_inspector_knows_the_costs_of_a_vocabulary():
    counts = zipf_counts(24)
    inspector = GradientInspector(
        letters(24), counts, centre="w3", context="w20", negatives=[0, 0, 20, 5]
    )
    assert inspector.negatives == ["w0", "w0", "w20", "w5"] and inspector.tree == "Huffman"
    depth = huffman_tree(counts).depths[20].item()
    assert [inspector.cost(m).rows for m in inspector.methods] == [24, 5, depth]
    assert (
        GradientInspector(letters(24), counts).state()
        == GradientInspector(letters(24), counts).state()
    )


def test_inspector_answers_like_the_objectives_on_made_up_vectors():
    inspector = GradientInspector(letters(12), context="w7", negatives=["w1", "w1"])
    made = torch.tensor(inspector.centre_rows)
    assert made.norm(dim=1).min() > 0.25 and len(set(map(tuple, inspector.output_rows))) == 12
    for method, objective in (
        ("full", FullSoftmax(12, 2)),
        ("hs", HierarchicalSoftmax(2, huffman_tree([1] * 12))),
        ("ns", NegativeSampling(12, 2, NoiseDistribution([1] * 12), 2)),
    ):
        objective.double()
        centres, rows = inspector.tables(method)
        with torch.no_grad():
            objective.weight.copy_(rows)
        noise = [torch.tensor([[1, 1]])] if method == "ns" else []
        compare(
            method,
            inspector.answer(method).loss,
            objective.loss(centres[[0]], torch.tensor([7]), *noise)[0],
        )


BAD_PAIR = {
    "the same word twice": (dict(context="bank"), "centre and context are both 'bank'"),
    "an unknown centre": (dict(centre="ocean"), "'ocean' is not among the 8 words: water, boat"),
    "an unknown context": (dict(context="ocean"), "'ocean' is not among"),
    "an unknown noise word": (dict(negatives=["king", "sea"]), "'sea' is not among"),
    "a noise id too large": (dict(negatives=[8]), "noise word 8: ids run from 0 to 7"),
    "no noise words": (dict(negatives=[]), "there are 0 noise words: this figure takes 1 to 10"),
    "eleven noise words": (dict(negatives=["king"] * 11), "there are 11 noise words"),
    "rate zero": (dict(rate=0), "the rate is 0.0: this figure takes 0.01 to 100"),
    "a rate that is no number": (dict(rate=float("nan")), "the rate is nan"),
    "no objective": (dict(methods=[]), "names one or more of full, ns, hs"),
    "an unknown objective": (dict(methods=["full", "cbow"]), "names one or more of full, ns, hs"),
    "65 words": (dict(words=letters(65)), "8 to 64 words, not 65"),
    "two words the same": (dict(words=[*letters(7), "w3"]), "'w3' stands there twice"),
    "a zero count": (dict(counts=[20, 6, 0, 5, 12, 2, 8, 1]), "the count of river is 0"),
    "a zero count among others": (
        dict(words=letters(9), counts=[1] * 8 + [0]),
        "the count of w8 is 0",
    ),
    "half a count": (dict(counts=[20, 6, 1.5, 5, 12, 2, 8, 1]), "whole numbers, not 1.5"),
    "too few vectors": (dict(centre_rows=[[1, 0]] * 7), "centre_rows: 8 rows of two coordinates"),
    "three coordinates": (
        dict(output_rows=[[1, 0, 0]] * 8),
        "output_rows: 8 rows of two coordinates",
    ),
    "too few nodes": (dict(node_rows=[[1, 0]] * 6), "7 inner nodes"),
    "a step that blows up": (
        dict(taken=[STEP, STEP | {"rate": 100}]),
        "step 2 of full softmax at rate 100 would move v_c to (",
    ),
    "101 steps": (dict(taken=[STEP] * 101), "101 steps: this figure keeps 100"),
    "half a step": (
        dict(taken=[{"rate": 1.0}]),
        "step 1 is {'rate': 1.0}: a step has centre, context",
    ),
    "a step of an unknown word": (
        dict(taken=[STEP | {"centre": "ocean"}]),
        "step 1: the word 'ocean' is not among",
    ),
}


@pytest.mark.parametrize("arguments, message", BAD_PAIR.values(), ids=BAD_PAIR.keys())
def test_inspector_refuses_bad_values(arguments, message):
    with pytest.raises(TraitError, match=re.escape(message)):
        GradientInspector(**arguments)


@pytest.mark.parametrize(
    "name, value",
    [
        ("centre", "river"),
        ("rate", 1e9),
        ("taken", [STEP | {"rate": 100.0}]),
        ("negatives", []),
        ("methods", ["all"]),
        ("tree", "oak"),
        ("counts", [0] * 8),
    ],
)
def test_inspector_keeps_its_last_good_state(name, value):
    inspector = GradientInspector(taken=[STEP])
    before = inspector.state()
    with pytest.raises(TraitError):
        setattr(inspector, name, value)
    assert inspector.state() == before


def test_a_step_that_blows_up_unseen_is_no_matter():
    assert (
        len(GradientInspector(methods=["hs"], taken=[STEP, STEP, STEP | {"rate": 20}]).taken) == 3
    )
    with pytest.raises(TraitError, match="choose a smaller rate"):
        GradientInspector(methods=["ns"], taken=[STEP, STEP | {"rate": 50}])


@pytest.mark.parametrize(
    "options",
    [
        dict(),
        dict(methods=["full"], taken=[STEP] * 3, rate=20),
        dict(words=letters(64), counts=zipf_counts(64), negatives=[3, 3, 1], methods=["ns", "hs"]),
    ],
)
def test_inspectors_picture_tells_the_costs(options):
    inspector = GradientInspector(**options)
    alt = inspector.picture().alt
    for method in inspector.methods:
        assert f"{inspector.cost(method).dot_products:.0f} dot products" in alt
    assert f"The pair {inspector.centre} and {inspector.context}" in alt and "nats" in alt
