"""The tree explorer in the browser."""

from utils.widgets import TreeExplorer


def test_the_walk_and_the_leaves_are_those_of_utils(open_figure):
    figure, explorer = open_figure("tree"), TreeExplorer()
    expected = explorer.probabilities()
    shown = figure.values("[data-word]", "p")          # in the order of the vocabulary
    assert max(abs(p - q) for p, q in zip(shown, expected.tolist())) < 1e-9
    assert abs(figure.value(".at-product") - expected[2].item()) < 1e-9
    assert abs(figure.value(".at-sum") - 1) < 1e-9
