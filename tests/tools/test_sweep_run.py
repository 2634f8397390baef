"""tools/sweep_run.py: real runs on a text of 240 short sentences, and the rows that they leave."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tools import sweep, sweep_run
from tools.sweep import Job
from tools.sweep_run import Run, ScoredBatches
from utils import tables
from utils.models import SkipGram
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.training import History, train
from utils.vocabulary import Vocab


@pytest.fixture
def tiny(sentences, monkeypatch):
    """Runs learn the small text, in small batches; none of its words is in a similarity set."""

    def scores(embeddings):
        assert embeddings.vectors.isfinite().all()
        return {"wordsim353": 0.5, "wordsim353_pairs": 2, "simlex999": 0.5, "simlex999_pairs": 2}

    monkeypatch.setattr(sweep, "load_corpus", lambda: sentences)
    monkeypatch.setattr(sweep_run, "BATCH", 64)
    monkeypatch.setattr(sweep_run, "PROBES", ("w0", "w7"))
    monkeypatch.setattr(sweep_run, "scores", scores)


def shown_run(trainer, model):
    (run,) = [
        one for one in sweep.shown() if sweep.system(one) == (trainer, model, "negative sampling")
    ]
    return run


# Whole runs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["skip-gram", "CBOW"])
def test_a_run_of_the_course_leaves_a_row_for_each_epoch(tiny, model):
    written = sweep.do(Job("run", shown_run("course", model), 0.1))
    rows = written["sweep"]
    assert list(written)[-1] == "sweep"  # it marks the run as done
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0]["seconds"] <= rows[1]["seconds"] <= rows[-1]["seconds"]
    assert rows[0]["pairs"] < rows[1]["pairs"] < rows[-1]["pairs"]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert written["curves"][-1]["pairs"] == rows[-1]["pairs"]
    assert len(written["neighbors"]) == 2 * sweep_run.NEIGHBORS


@pytest.mark.parametrize("model", ["skip-gram", "CBOW"])
def test_a_run_of_gensim_leaves_one_row(tiny, model):
    run = shown_run("gensim", model)
    written = sweep.do(Job("run", run, 0.1))
    assert list(written) == ["neighbors", "sweep"]
    (row,) = written["sweep"]
    assert row["epoch"] == run.epochs
    assert row["lr"] == 0.025
    assert np.isnan(row["loss"])


def test_only_one_run_leaves_the_map(tiny):
    words = [row["word"] for row in sweep.do(Job("run", sweep.MAPPED, 0.1))["map"]]
    assert {"w0", "w7"} <= set(words)
    assert len(words) == len(set(words))
    assert "map" not in sweep.do(Job("run", shown_run("course", "CBOW"), 0.1))


def test_a_run_that_is_not_shown_leaves_its_scores_alone(tiny):
    assert list(sweep.do(Job("run", Run(seed=1), 0.1))) == ["sweep"]


def test_columns_are_those_of_the_stored_tables(tiny):
    written = sweep.do(Job("run", sweep.MAPPED, 0.1))
    for name, rows in written.items():
        stored = tables.load(name, [], sweep.COMMAND)
        assert list(rows[0]) == [column for column in stored if column not in tables.ORIGIN]


def test_a_rate_is_judged_by_held_out_loss(tiny):
    losses = {}
    for lr in (0.1, 1e12):
        ((row,),) = sweep.do(Job("rate", sweep.FULL, lr)).values()
        losses[lr] = row["held_out_loss"]
    assert losses[0.1] < 3  # ln 20 is 3.0
    assert losses[1e12] > 100


def test_every_tenth_sentence_is_held_out(tiny, sentences, monkeypatch):
    seen = []

    def batches_of(run, vocab, ids, sentence_ids):
        seen.append(set(sentence_ids.tolist()))
        return real(run, vocab, ids, sentence_ids)

    real = sweep_run.batches_of
    monkeypatch.setattr(sweep_run, "batches_of", batches_of)
    sweep_run.held_out(sweep.FULL, 0.1, sentences)
    learned, judged = seen
    assert judged == set(range(0, 240, 10))
    assert learned == set(range(240)) - judged


def test_an_interrupted_run_is_no_row(tiny, monkeypatch):
    def interrupted(model, batches, **options):
        history = train(model, batches, **options)
        history.interrupted = True
        return history

    monkeypatch.setattr(sweep_run, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep.do(Job("run", Run(), 0.1))


def test_the_same_run_again_gives_the_same_rows(tiny):
    def made(run):
        rows = sweep.do(Job("run", run, 0.1))["sweep"]
        return [{name: row[name] for name in ("epoch", "pairs", "loss")} for row in rows]

    assert made(Run()) == made(Run())
    assert made(Run()) != made(Run(seed=1))


# Parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "objective, kind",
    [
        ("full softmax", FullSoftmax),
        ("negative sampling", NegativeSampling),
        ("hierarchical softmax", HierarchicalSoftmax),
    ],
)
def test_a_model_has_the_runs_objective_and_seed(sentences, objective, kind):
    vocab = Vocab(sentences)
    run = Run(objective=objective, negatives=7, power=0.5)
    model = sweep_run.build(run, vocab)
    assert isinstance(model.objective, kind)
    again = sweep_run.build(run, vocab)
    other = sweep_run.build(replace(run, seed=1), vocab)
    assert model.embedding.weight.equal(again.embedding.weight)
    assert not model.embedding.weight.equal(other.embedding.weight)
    if kind is NegativeSampling:
        assert model.objective.num_negatives == 7
        shares = vocab.counts.double().sqrt()
        torch.testing.assert_close(
            model.objective.noise.probs.double(), shares / shares.sum(), rtol=1e-5, atol=0
        )


def test_no_subsampling_makes_more_batches(tiny, sentences):
    vocab = Vocab(sentences)
    ids, sentence_ids = vocab.encode(sentences)
    some = sweep_run.batches_of(Run(), vocab, ids, sentence_ids)
    more = sweep_run.batches_of(Run(subsample=0.0), vocab, ids, sentence_ids)
    assert len(some) < len(more)


def test_first_batches_come_out_of_as_many_epochs_as_they_take():
    assert sweep_run.first_batches([1, 2, 3], 7) == [1, 2, 3, 1, 2, 3, 1]
    assert sweep_run.first_batches([1, 2, 3], 2) == [1, 2]


def test_a_curve_has_the_mean_loss_of_equal_parts():
    steps = 2 * sweep_run.CURVE_POINTS
    history = History(
        loss=[float(i) for i in range(steps)], pairs=list(range(10, 10 * steps + 1, 10))
    )
    curve = sweep_run.curve_rows(Run(), history)
    assert [row["loss"] for row in curve[:2]] == [0.5, 2.5]
    assert [row["pairs"] for row in curve[:2]] == [20, 40]
    assert len(curve) == sweep_run.CURVE_POINTS


def test_epochs_are_counted_where_they_end():
    class Batches:
        sizes = iter((3, 5, 2))  # batches of each epoch

        def __len__(self):
            return 3

        def __iter__(self):
            for _ in range(next(self.sizes)):
                yield torch.tensor([0, 1]), torch.tensor([1, 0])

    notes = []
    batches = ScoredBatches(Batches(), lambda seconds, count: notes.append((seconds, count)))
    model = SkipGram(2, 2, FullSoftmax(2, 2))
    history = train(model, batches, epochs=3, lr=0.1)
    seconds, counts = zip(*notes)
    assert counts == (3, 8, 10)
    assert len(history.loss) == 10
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_a_note_is_given_before_the_next_epoch_begins():
    seen = []
    batches = ScoredBatches([1, 2], lambda seconds, count: seen.append(("note", count)))
    for _ in range(2):
        for batch in batches:
            seen.append(batch)
    assert seen == [1, 2, ("note", 2), 1, 2, ("note", 4)]
