"""tools/bench_fast_run.py: every trainer on a text of 240 short sentences, and its row."""

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from tools import ROOT, bench_fast, bench_fast_run
from tools.bench_fast_run import PEERS_RATE, SOFTMAX, Corpus, Trained
from utils import tables
from utils.embeddings import Embeddings
from utils.fast import training
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.vocabulary import Vocab
from utils.windows import skip_gram_batches


@pytest.fixture(autouse=True)
def small(sentences, monkeypatch):
    """The small text instead of the corpus; none of its words is in a similarity set."""
    monkeypatch.setattr(bench_fast_run, "load_corpus", lambda: sentences)
    monkeypatch.setattr(Embeddings, "similarity", lambda self, name: (len(name) / 100, 2))
    yield
    torch.set_num_threads(1)


def race_run(trainer, objective="ns", **changed):
    run = bench_fast.race_run("speed", trainer, 1, objective, 1, 2, 0)
    return run | changed


# A whole run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["ns", "hs"])
@pytest.mark.parametrize(
    "trainer", ["plain", "fast", "blocks", PEERS_RATE, "gensim file", "gensim iterator"]
)
def test_every_trainer_can_be_measured(trainer, objective, sentences):
    run = race_run(trainer, objective)
    row = bench_fast_run.measure(run)
    words = 2 * sum(map(len, sentences))
    assert row.items() >= run.items()
    assert row["words"] == words
    assert row["words_per_second"] == pytest.approx(words / row["seconds"], rel=0.2, abs=1e6)
    assert row["held_out"] is None
    assert (row["wordsim353"], row["simlex999"]) == (0.1, 0.09)
    assert 100 < row["peak_mb"] < 100_000
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize("trainer", ["plain", "fast"])
def test_the_softmax_is_judged_on_held_out_sentences(trainer):
    row = bench_fast_run.measure(race_run(trainer, SOFTMAX))
    assert 1 < row["held_out"] < math.log(20) + 0.1
    assert row["words"] < 2 * sum(map(len, bench_fast_run.load_corpus()))


def test_columns_are_those_of_the_stored_tables(monkeypatch):
    monkeypatch.setattr(bench_fast_run, "ZIPF_WORDS", 2_000)
    rows = {
        "bench": bench_fast_run.measure(race_run("plain")),
        "fast_scaling": bench_fast_run.measure(bench_fast.scaling()[0]),
    }
    for name, row in rows.items():
        stored = tables.load(name, [], bench_fast.COMMAND)
        assert set(row) == set(stored) - set(tables.ORIGIN)


def test_pairs_and_words_are_those_of_all_epochs():
    rows = [bench_fast_run.measure(race_run("plain", epochs=epochs)) for epochs in (1, 3)]
    pairs = [row["pairs_per_second"] * row["seconds"] for row in rows]
    assert rows[1]["words"] == 3 * rows[0]["words"]
    assert pairs[1] == pytest.approx(3 * pairs[0], rel=0.1)


# Parts --------------------------------------------------------------------------------------------


def test_every_twentieth_sentence_is_held_out_of_the_softmax(sentences, tmp_path):
    corpus = bench_fast_run.read_corpus(race_run("plain", SOFTMAX), tmp_path / "text.txt")
    assert corpus.held_out == sentences[19::20]
    assert len(corpus.sentences) == 240 - 12
    assert all(sentence in sentences for sentence in corpus.sentences)
    assert set(corpus.vocab.words) == {word for sentence in sentences for word in sentence}
    assert not corpus.path.exists()


@pytest.mark.parametrize("trainer", ["gensim file", "fastText"])
def test_trainers_that_read_a_file_find_the_repeated_text_there(trainer, sentences, tmp_path):
    run = race_run(trainer, times=3)
    corpus = bench_fast_run.read_corpus(run, tmp_path / "text.txt")
    lines = corpus.path.read_text(encoding="utf-8").splitlines()
    assert [line.split() for line in lines] == 3 * sentences
    assert corpus.held_out == []


@pytest.mark.parametrize(
    "objective, kind",
    [("ns", NegativeSampling), ("hs", HierarchicalSoftmax), ("softmax", FullSoftmax)],
)
def test_the_plain_trainer_has_the_objective_of_its_row(objective, kind, monkeypatch, tmp_path):
    models = []
    monkeypatch.setattr(bench_fast_run, "train", lambda model, *args, **kw: models.append(model))
    run = race_run("plain", objective)
    bench_fast_run.train_plain(run, bench_fast_run.read_corpus(run, tmp_path / "text.txt"))
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
    bench_fast_run.train_fast(run, bench_fast_run.read_corpus(run, tmp_path / "text.txt"))
    (_, warm_up), (timed, settings) = runs
    assert warm_up == {"objective": objective, "epochs": 1}
    assert settings == {"objective": objective, "epochs": 2, "seed": 3, "lr": lr}
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


@pytest.mark.parametrize("kind, epochs", [("quality", [2]), ("speed", [2, 4])])
def test_the_speed_of_fasttext_is_that_of_the_second_half(kind, epochs, monkeypatch, tmp_path):
    """The clock says 0 and 5 seconds for the short run, 5 and 17 for the long one: 12 - 5 = 7."""
    peer = FastText()
    clock = iter((0, 5, 5, 17))
    monkeypatch.setitem(sys.modules, "fasttext", peer)
    monkeypatch.setattr(bench_fast_run, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    run = race_run("fastText", "hs", kind=kind, threads=2)
    corpus = bench_fast_run.read_corpus(run, tmp_path / "text.txt")
    trained = bench_fast_run.train_fasttext(run, corpus)
    assert [settings["epoch"] for settings in peer.trained] == epochs
    assert trained.seconds == (5 if kind == "quality" else 7)
    assert trained.embeddings.words == ["w0", "w1"]
    assert trained.embeddings.vectors[:, 0].tolist() == [1, 2]
    settings = peer.trained[0]
    assert (settings["loss"], settings["thread"], settings["minCount"]) == ("hs", 2, 5)
    assert settings["maxn"] == 0  # no subwords


def test_held_out_loss_by_hand(sentences, tmp_path):
    """With vectors of zeros every word has probability 1 / V; with ones for w0 alone, not."""
    vocab = Vocab(sentences, 1)
    V = len(vocab)
    corpus = Corpus(sentences, vocab, tmp_path, sentences[:2])
    vectors = torch.zeros(V, 3)
    trained = Trained(1.0, Embeddings(vocab.words, vectors), torch.zeros(V, 3))
    assert bench_fast_run.held_out_loss(trained, corpus) == pytest.approx(math.log(V), rel=1e-5)

    outputs = torch.zeros(V, 3)
    outputs[0] = 1.0
    trained = Trained(1.0, Embeddings(vocab.words, torch.ones(V, 3)), outputs)
    batches = skip_gram_batches(*vocab.encode(sentences[:2]), vocab, subsample=None)
    contexts = torch.cat([context for _, context in batches])
    hits = (contexts == 0).double().mean().item()
    expected = math.log(math.exp(3) + V - 1) - 3 * hits
    assert bench_fast_run.held_out_loss(trained, corpus) == pytest.approx(expected, rel=1e-5)


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


def test_a_scaling_run_takes_the_fastest_of_three(monkeypatch):
    """The clock says 4, 2 and 8 seconds."""
    monkeypatch.setattr(bench_fast_run, "ZIPF_WORDS", 2_000)
    clock = iter((0, 4, 10, 12, 20, 28))
    monkeypatch.setattr(bench_fast_run, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    run = bench_fast.SCALING | {"varied": "V", "V": 50, "d": 5, "threads": 1}
    row = bench_fast_run.measure(run)
    assert row.items() >= run.items()
    assert row["words_per_second"] == 3 * 2_000 / 2
    assert 0.1 < row["pairs_per_second"] / row["words_per_second"] < 10


def test_memory_is_not_filled_by_what_other_trainers_need():
    heavy = ["pandas", "numba", "gensim", "scipy", "matplotlib"]
    code = f"import sys, tools.bench_fast_run; print([m for m in {heavy} if m in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr
