"""The map of words: a label goes where nothing is covered, and every word is drawn."""

import pytest
import torch

from utils import plots


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are shown, before they become pictures."""
    figures = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: figures.append(figure))
    yield figures
    for figure in figures:
        plots.plt.close(figure)


def draw(drawn, words, positions, bold=()):
    plots.word_map(words, positions, range(len(words)), bold, "title", "alt", ylabel="second")
    (ax,) = drawn[-1].axes
    return ax, {text.get_text(): text for text in ax.texts}


def test_every_word_has_a_label_to_the_right_of_its_point_where_it_is_free(drawn):
    positions = torch.tensor([[0.0, 0.0], [0.5, 0.5]])
    ax, labels = draw(drawn, ["river", "lake"], positions)
    assert list(labels) == ["river", "lake"]
    for label, (x, y) in zip(labels.values(), positions.tolist()):
        assert label.get_position() == pytest.approx((x + 0.012, y - 0.01))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first component", "second")


def test_a_label_steps_aside_where_a_neighbours_point_is(drawn):
    _, labels = draw(drawn, ["river", "lake"], [[0.0, 0.0], [0.03, 0.0]])
    assert labels["river"].get_position()[0] < -0.012  # to the left, by the width of its letters
    assert labels["lake"].get_position()[0] > 0.03


def test_words_in_one_place_get_lines_of_their_own(drawn):
    words = ["river", "lake", "water", "sea"]
    _, labels = draw(drawn, words, [[0.0, 0.0]] * 4)
    places = {label.get_position() for label in labels.values()}
    assert len(places) == 4


def test_a_label_without_a_free_place_stands_to_the_right(drawn):
    words = [f"word{i}" for i in range(12)]
    plots.word_map(words, [[0.0, 0.0]] * 12, [0] * 12, (), "title", "alt")
    places = [text.get_position() for text in drawn[-1].axes[0].texts]
    assert places[-1] == places[0] == pytest.approx((0.012, -0.01))


def test_groups_have_their_own_looks_and_bold_words_stand_out(drawn):
    ax, labels = draw(drawn, ["river", "lake"], [[0.0, 0.0], [0.5, 0.5]], bold=["lake"])
    assert labels["lake"].get_weight() == "bold" and labels["river"].get_weight() == "normal"
    assert labels["lake"].get_size() > labels["river"].get_size()
    looks = [(line.get_color(), line.get_marker()) for line in ax.lines]
    assert len(set(looks)) == 2
