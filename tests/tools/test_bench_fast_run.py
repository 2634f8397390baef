"""tools/bench_fast_run.py: every trainer on a text of 240 short sentences, and its row."""

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from tools import ROOT, bench_fast, bench_fast_run
from tools.bench_fast_run import (
    FIRST_RUN,
    PEERS_RATE,
    SHARED_TOP,
    SOFTMAX,
    Trained,
    prepare,
    prepared,
    sentences_of,
)
from utils import tables
from utils.embeddings import Embeddings
from utils.fast import training
from utils.fast.kernels import Table
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.tree import huffman_tree
from utils.vocabulary import Vocab


@pytest.fixture(autouse=True)
def small(sentences, monkeypatch, tmp_path):
    """The small text instead of the corpus; none of its words is in a similarity set."""
    monkeypatch.setattr(bench_fast_run, "load_corpus", lambda: sentences)
    monkeypatch.setattr(Embeddings, "similarity", lambda self, name: (len(name) / 100, 2))
    monkeypatch.setattr(bench_fast_run, "FOLDER", tmp_path)
    monkeypatch.setattr(prepared, "__defaults__", (tmp_path,))
    prepare(None, tmp_path)
    yield
    torch.set_num_threads(1)


def race_run(trainer, objective="ns", **changed):
    kind = "softmax" if objective == SOFTMAX else "quality"
    run = bench_fast.race_run(kind, "wikipedia", "skip-gram", objective, trainer, 1, 2, 0)
    return run | changed


# A whole run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model, objective", bench_fast.SYSTEMS)
@pytest.mark.parametrize("trainer", ["fast", PEERS_RATE, "gensim file", "gensim iterator"])
def test_every_trainer_can_be_measured(trainer, model, objective, sentences):
    run = race_run(trainer, objective, model=model)
    row = bench_fast_run.measure(run)
    words = 2 * sum(map(len, sentences[:19] + sentences[20:39]))  # and so on: 228 of 240 sentences
    assert row.items() >= run.items()
    assert row["words"] > words
    assert row["words_per_second"] == pytest.approx(row["words"] / row["seconds"], rel=0.2, abs=1e6)
    assert (row["wordsim353"], row["simlex999"]) == (0.1, 0.09)
    assert 0 < row["held_out"] < 10
    assert 100 < row["peak_mb"] < 100_000
    assert row["load"] >= 0 and row["reference"] > 0
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize("trainer", ["plain", "blocks"])
@pytest.mark.parametrize("objective", ["ns", "hs"])
def test_the_courses_other_trainers_can_be_measured(trainer, objective):
    row = bench_fast_run.measure(race_run(trainer, objective, kind="speed"))
    assert row["words"] > 0 and row["held_out"] is None


def test_without_copies_all_threads_write_the_same_rows(monkeypatch):
    copies = []
    monkeypatch.setattr(Table, "make_copies", lambda self, *given: copies.append(given))
    for trainer in ("fast", SHARED_TOP):
        bench_fast_run.measure(race_run(trainer, "hs", kind="speed", threads=2))
    start_up = (19, 2)  # 20 words have 19 nodes
    assert copies == [start_up, (19, 2), start_up]


def test_the_softmax_is_judged_on_held_out_sentences():
    row = bench_fast_run.measure(race_run("fast", SOFTMAX))
    assert 1 < row["held_out"] < math.log(20) + 0.1


def test_columns_are_those_of_the_stored_tables(monkeypatch):
    monkeypatch.setattr(bench_fast_run, "ZIPF_WORDS", 2_000)
    rows = {
        "bench": bench_fast_run.measure(race_run("fast")),
        "fast_scaling": bench_fast_run.measure(bench_fast.scaling()[0]),
    }
    for name, row in rows.items():
        stored = tables.load(name, [], bench_fast.COMMAND)
        assert set(row) == set(stored) - set(tables.ORIGIN)


@pytest.mark.slow
@pytest.mark.parametrize("trainer", ["fast", FIRST_RUN, "gensim iterator"])
def test_a_whole_command_is_timed(trainer, tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    text = tmp_path / "letters.txt"
    text.write_text("river bank water boat\nloan money bank\n" * 50)
    run = race_run(trainer, "hs", kind="command", epochs=5, path=str(text))
    calls = []
    timed = bench_fast_run.timed_command

    def noted(command, environment):
        calls.append("NUMBA_CACHE_DIR" in environment)
        return timed(command, environment)

    monkeypatch.setattr(bench_fast_run, "timed_command", noted)
    row = bench_fast_run.measure(run)
    assert row["seconds"] > 0.5  # Python starts, and imports torch or gensim
    assert row["held_out"] is None and row["wordsim353"] is None
    expected = {"fast": [False, False], FIRST_RUN: [True], "gensim iterator": [False]}
    assert calls == expected[trainer]


# Parts --------------------------------------------------------------------------------------------


def test_every_twentieth_sentence_is_held_out(sentences, tmp_path):
    corpus = prepared(race_run("fast"), tmp_path)
    held = [line.split() for line in corpus.held_out.read_text().splitlines()]
    learned = [line.split() for line in corpus.path.read_text().splitlines()]
    assert held == sentences[19::20]
    assert len(learned) == 240 - 12
    assert corpus.words == sum(map(len, learned))
    assert list(sentences_of(corpus.path)) == learned


def test_a_text_is_brought_into_words_once(tmp_path):
    text = tmp_path / "my.txt"
    text.write_text("One, two!\n3\n" * 1500)
    prepare(str(text), tmp_path)
    corpus = prepared(race_run("fast", corpus="my"), tmp_path)
    assert corpus.held_out.read_text() == ""  # lines without words: the thousandth, the 2,000th
    assert corpus.words == 3000
    text.unlink()
    prepare(str(text), tmp_path)


def test_the_softmax_has_the_first_words(monkeypatch, tmp_path):
    monkeypatch.setattr(bench_fast_run, "SOFTMAX_WORDS", 50)
    corpus = prepared(race_run("fast", SOFTMAX), tmp_path)
    assert 50 <= corpus.words < 70
    assert corpus.words == len(corpus.path.read_text().split())


def test_gensims_tree_gives_gensims_probabilities(sentences):
    """The losses of all words along its own tree are those of a distribution: they sum to 1."""
    from gensim.models import Word2Vec

    model = Word2Vec(sentences, vector_size=4, min_count=1, sg=1, hs=1, negative=0, seed=1)
    paths, signs = bench_fast_run.gensim_tree(model.wv)
    vectors = torch.from_numpy(model.wv.vectors)
    words = model.wv.index_to_key
    V = len(words)
    nodes = torch.from_numpy(model.syn1)
    trained = Trained(1.0, Embeddings(words, vectors), None, nodes, paths, signs)
    losses = bench_fast_run.walk_losses(trained, torch.arange(V), torch.zeros(V).long())
    assert losses.neg().exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "objective, kind",
    [("ns", NegativeSampling), ("hs", HierarchicalSoftmax), ("softmax", FullSoftmax)],
)
def test_the_plain_trainer_has_the_objective_of_its_row(objective, kind, monkeypatch, tmp_path):
    models = []
    monkeypatch.setattr(bench_fast_run, "train", lambda model, *args, **kw: models.append(model))
    run = race_run("plain", objective)
    bench_fast_run.train_plain(run, prepared(run, tmp_path))
    assert isinstance(models[0].objective, kind)


@pytest.mark.parametrize(
    "trainer, objective, lr",
    [("fast", "hs", None), ("blocks", "hs-blocks", None), (PEERS_RATE, "hs", 0.025)],
)
def test_the_fast_trainer_has_the_settings_of_its_row(
    trainer, objective, lr, monkeypatch, tmp_path
):
    runs = []

    class Run(training.Run):
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            runs.append((self, settings))

    monkeypatch.setattr(training, "Run", Run)
    run = race_run(trainer, "hs", seed=3)
    bench_fast_run.train_fast(run, prepared(run, tmp_path))
    (_, warm_up), (timed, settings) = runs
    kind = {"model": "skip-gram", "objective": objective}
    assert warm_up == kind | {"epochs": 1, "subsample": 0}
    assert settings == kind | {"epochs": 2, "seed": 3, "lr": lr}
    assert timed.settings.dim == bench_fast_run.DIM
    assert timed.settings.window == bench_fast_run.WINDOW
    assert timed.settings.negatives == bench_fast_run.NEGATIVES
    assert timed.settings.subsample == bench_fast_run.SUBSAMPLE


class FastText:
    """A model of fastText's, with its end of sentence; each training is noted with its settings."""

    words = ["</s>", "w0", "w1"]

    def __init__(self):
        self.trained = []

    def train_unsupervised(self, path, **settings):
        self.trained.append(settings)
        return self

    def __getitem__(self, word):
        return torch.full((3,), float(self.words.index(word)))


@pytest.mark.parametrize("kind, epochs", [("softmax", [2]), ("speed", [2, 4])])
def test_the_speed_of_fasttext_is_that_of_the_second_half(kind, epochs, monkeypatch, tmp_path):
    """The clock says 0 and 5 seconds for the short run, 5 and 17 for the long one: 12 - 5 = 7."""
    peer = FastText()
    clock = iter((0, 5, 5, 17))
    monkeypatch.setitem(sys.modules, "fasttext", peer)
    monkeypatch.setattr(bench_fast_run, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    run = race_run("fastText", "hs", kind=kind, threads=2)
    corpus = prepared(run, tmp_path)
    trained = bench_fast_run.train_fasttext(run, corpus)
    assert [settings["epoch"] for settings in peer.trained] == epochs
    assert trained.seconds == (5 if kind == "softmax" else 7)
    assert trained.embeddings.words == ["w0", "w1"]
    assert trained.embeddings.vectors[:, 0].tolist() == [1, 2]
    settings = peer.trained[0]
    assert (settings["loss"], settings["thread"], settings["minCount"]) == ("hs", 2, 5)
    assert settings["maxn"] == 0  # no subwords


def test_held_out_loss_by_hand(sentences, tmp_path):
    """With vectors of zeros every word has probability 1 / V; with ones for w0 alone, not."""
    vocab = Vocab(sentences, 1)
    V = len(vocab)
    corpus = prepared(race_run("fast"), tmp_path)

    def loss(objective, vectors, outputs, *tree):
        embeddings = Embeddings(vocab.words, vectors)
        trained = Trained(1.0, embeddings, vocab.counts, outputs, *tree)
        return bench_fast_run.held_out_loss(objective, trained, corpus)

    zeros = torch.zeros(V, 3)
    assert loss(SOFTMAX, zeros, zeros) == pytest.approx(math.log(V), rel=1e-5)
    assert loss("ns", zeros, zeros) == pytest.approx(6 * math.log(2), rel=1e-5)
    tree = huffman_tree(vocab.counts)
    shallow = tree.depths.min().item() * math.log(2)
    deep = tree.depths.max().item() * math.log(2)
    walks = (tree.paths, tree.signs.float())
    assert shallow < loss("hs", zeros, torch.zeros(V - 1, 3), *walks) < deep

    outputs = torch.zeros(V, 3)
    outputs[0] = 1.0
    found = loss(SOFTMAX, torch.ones(V, 3), outputs)
    hits = (math.log(math.exp(3) + V - 1) - found) / 3  # the share of w0 among the contexts
    assert 0 < hits < 0.2


def test_the_zipf_corpus_is_a_million_words_of_the_vocabulary_and_always_the_same(monkeypatch):
    monkeypatch.setattr(bench_fast_run, "ZIPF_WORDS", 20_000)
    vocab, sentences = bench_fast_run.zipf_corpus(50)
    text = list(sentences)
    assert len(text) == 1_000
    assert {len(sentence) for sentence in text} == {20}
    words = [word for sentence in text for word in sentence]
    assert set(words) <= set(vocab.words)
    share = vocab.counts[0].item() / vocab.counts.sum().item()
    assert words.count("0") / len(words) == pytest.approx(share, rel=0.05)
    assert list(bench_fast_run.zipf_corpus(50)[1]) == text


def test_a_scaling_run_tells_the_median_of_five_and_the_range(monkeypatch):
    """The clock says 4, 2, 8, 3 and 5 seconds."""
    monkeypatch.setattr(bench_fast_run, "ZIPF_WORDS", 2_000)
    clock = iter((0, 4, 10, 12, 20, 28, 30, 33, 40, 45))
    monkeypatch.setattr(bench_fast_run, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    run = bench_fast.SCALING | {"varied": "V", "V": 50, "d": 5, "threads": 1}
    row = bench_fast_run.measure(run)
    assert row.items() >= run.items()
    assert row["words_per_second"] == 3 * 2_000 / 4
    assert (row["least"], row["most"]) == (3 * 2_000 / 8, 3 * 2_000 / 2)
    assert 0.1 < row["pairs_per_second"] / row["words_per_second"] < 10


def test_memory_is_not_filled_by_what_other_trainers_need():
    heavy = ["pandas", "numba", "gensim", "scipy", "matplotlib"]
    code = f"import sys, tools.bench_fast_run; print([m for m in {heavy} if m in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr
