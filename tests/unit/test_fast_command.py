"""python -m utils.fast: one command from a text to vectors that gensim reads."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from gensim.models import KeyedVectors

from utils.fast import training
from utils.fast.command import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def corpus(tmp_path, sentences):
    """The small text as a file, its words in letters, with empty lines between."""
    lines = [" ".join(chr(97 + int(word[1:])) for word in s) for s in sentences]
    path = tmp_path / "corpus.txt"
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("binary", [False, True])
def test_vectors_are_written_as_gensim_reads_them(corpus, tmp_path, capsys, binary):
    out = tmp_path / "vectors"
    options = ["--dim", "6", "--min-count", "1", "--subsample", "0", "--threads", "1"]
    assert main([str(corpus), "--out", str(out), *options, *["--binary"] * binary]) == 0
    vectors = KeyedVectors.load_word2vec_format(str(out), binary=binary)
    assert vectors.vectors.shape == (20, 6) and set(vectors.index_to_key) == set(
        "abcdefghijklmnopqrst"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "vectors"]
    printed = capsys.readouterr().out
    assert (
        "20 in the vocabulary" in printed
        and "words a second" in printed
        and "nats per pair" in printed
    )


@pytest.mark.parametrize(
    "out, message",
    [
        ("missing/vectors.txt", "there is no folder"),
        ("folder", "is a folder"),
        ("corpus.txt/vectors.txt", "there is no folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_found_before_training(
    corpus, tmp_path, capsys, monkeypatch, out, message
):
    monkeypatch.setattr(training.Run, "train", lambda *_: pytest.fail("training has begun"))
    (tmp_path / "folder").mkdir()
    assert main([str(corpus), "--out", str(tmp_path / out), "--min-count", "1"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "content, options, message",
    [
        (b"", [], "the corpus is empty"),
        (b"a b\n" * 3, [], "no word occurs 5 times"),
        (b"\xff\n", [], "not UTF-8"),
        (b"a a a b b b b b b\n", ["--min-count", "1", "--dim", "0"], "dim is 0"),
        (None, [], "there is no file"),
    ],
)
def test_bad_input_ends_in_one_clear_line(corpus, tmp_path, capsys, content, options, message):
    corpus.unlink() if content is None else corpus.write_bytes(content)
    assert main([str(corpus), "--out", str(tmp_path / "vectors"), *options]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "vectors").exists()


def test_a_rate_that_diverges_leaves_the_last_good_vectors(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        training.Run,
        "_rates",
        lambda self, visits, *_: torch.full((len(visits.per_epoch),), float("inf")),
    )
    assert (
        main(
            [
                str(corpus),
                "--out",
                str(tmp_path / "v"),
                "--min-count",
                "1",
                "--subsample",
                "0",
                "--dim",
                "4",
            ]
        )
        == 1
    )
    assert "choose a smaller lr" in capsys.readouterr().err
    assert abs(KeyedVectors.load_word2vec_format(str(tmp_path / "v")).vectors).max() <= 0.5 / 4


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(corpus, tmp_path):
    """Killed without warning after a checkpoint.

    --resume ends with the vectors of a run that was left alone.
    """

    def command(out, *more):
        return [
            sys.executable,
            "-m",
            "utils.fast",
            str(corpus),
            "--out",
            str(tmp_path / out),
            "--min-count",
            "1",
            "--epochs",
            "150",
            "--threads",
            "1",
            "--every",
            "0",
            "--dim",
            "8",
            "--subsample",
            "0",
            *more,
        ]

    env = os.environ | {"PYTHONPATH": str(ROOT)}
    checkpoint = tmp_path / "killed.checkpoint"
    subprocess.run(command("alone"), env=env, check=True, capture_output=True)
    running = subprocess.Popen(
        command("killed"), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    first = None
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        if checkpoint.exists():
            first = first or checkpoint.stat().st_mtime_ns
            if checkpoint.stat().st_mtime_ns != first:  # one more than that of the start
                running.send_signal(signal.SIGKILL)
                running.wait()
    assert running.returncode == -signal.SIGKILL and not (tmp_path / "killed").exists()
    done = subprocess.run(command("killed", "--resume"), env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "alone").read_bytes()


def test_resuming_with_other_settings_names_the_difference(corpus, tmp_path, capsys, monkeypatch):
    note = training.Run._note

    def interrupt(self, *arguments):
        note(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Run, "_note", interrupt)
    options = [
        str(corpus),
        "--out",
        str(tmp_path / "v"),
        "--min-count",
        "1",
        "--subsample",
        "0",
        "--dim",
        "4",
    ]
    assert main(options) == 130 and "--resume goes on" in capsys.readouterr().err
    assert main([*options, "--resume", "--window", "3"]) == 1
    assert "made with window = 5, this run has 3" in capsys.readouterr().err
