"""The command and the trainer: nothing is lost, and what cannot be is refused at once."""

import bz2
import gzip
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors

from utils.corpus import load_corpus
from utils.embeddings import Embeddings
from utils.fast import checkpoints, training
from utils.fast import text as text_module
from utils.fast.command import main
from utils.fast.settings import Settings
from utils.fast.text import Text
from utils.fast.training import Run, train_fast
from utils.vocabulary import Vocab

ROOT = Path(__file__).parents[2]
SMALL = ["--min-count", "1", "--subsample", "0", "--dim", "4", "--epochs", "2", "--threads", "1"]


@pytest.fixture(autouse=True)
def interruptible():
    """Where pytest was started in the background, SIGINT would be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def corpus(tmp_path, sentences):
    path = tmp_path / "corpus.txt"
    letters = {f"w{i}": chr(97 + i) for i in range(20)}
    lines = [" ".join(letters[word] for word in sentence) for sentence in sentences]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def pieces(monkeypatch):
    """Short pieces and a look at the weights after each: a run of a moment has many rounds."""
    monkeypatch.setattr(text_module, "PIECE", 100)
    monkeypatch.setattr(training, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(training, "COPY_SHARE", 1e9)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(corpus, out, *options):
    return main([str(corpus), "--out", str(out), *SMALL, *options])


def interrupt_after(monkeypatch, rounds, kind=signal.SIGINT):
    """This process gets the signal after so many rounds; what is returned undoes it."""
    note = Run._note
    seen = []

    def noted(self, *arguments):
        note(self, *arguments)
        seen.append(None)
        if len(seen) == rounds:
            os.kill(os.getpid(), kind)

    monkeypatch.setattr(Run, "_note", noted)
    return lambda: monkeypatch.setattr(Run, "_note", note)


def one_line(capsys):
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    return error


# Resume -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_is_resumed_to_its_end_as_often_as_it_is_stopped(
    corpus, tmp_path, pieces, monkeypatch, capsys, kind, code
):
    folder = tmp_path / "out"
    folder.mkdir()
    assert run(corpus, folder / "alone") == 0
    alone = (folder / "alone").read_bytes()
    resume = []
    for _ in range(3):
        undo = interrupt_after(monkeypatch, 2, kind)
        assert run(corpus, folder / "v", *resume) == code
        undo()
        assert "the same command with --resume goes on" in capsys.readouterr().err
        assert names(folder) == ["alone", "v.checkpoint"]
        resume = ["--resume"]
    assert run(corpus, folder / "v", "--resume") == 0
    assert names(folder) == ["alone", "v"]
    assert (folder / "v").read_bytes() == alone


def test_the_history_of_a_resumed_run_says_that_it_ended(
    vocab_and_sentences, tmp_path, pieces, monkeypatch
):
    vocab, sentences = vocab_and_sentences
    undo = interrupt_after(monkeypatch, 2)
    first = Run(Text(sentences, vocab), vocab, dim=4, epochs=2)
    assert first.train(1, tmp_path / "c").interrupted
    undo()
    again = Run(Text(sentences, vocab), vocab, dim=4, epochs=2)
    assert not again.train(1, tmp_path / "c", resume=True).interrupted
    assert again.next_piece == len(again)


@pytest.fixture
def vocab_and_sentences(sentences):
    return Vocab(sentences, min_count=1), sentences


def test_a_checkpoint_is_not_overwritten_by_another_run(
    corpus, tmp_path, pieces, monkeypatch, capsys
):
    undo = interrupt_after(monkeypatch, 2)
    assert run(corpus, tmp_path / "v") == 130
    undo()
    kept = (tmp_path / "v.checkpoint").read_bytes()
    capsys.readouterr()
    assert run(corpus, tmp_path / "v") == 1
    assert "go on from it by resuming, or remove it to start anew" in one_line(capsys)
    assert run(corpus, tmp_path / "v", "--resume", "--window", "3") == 1
    assert "made with window = 5, this run has 3" in one_line(capsys)
    assert (tmp_path / "v.checkpoint").read_bytes() == kept


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_a_file_that_is_none_of_ours_is_never_touched(corpus, tmp_path, capsys, resume):
    mine = tmp_path / "v.checkpoint"
    mine.write_bytes(b"my own notes")
    assert run(corpus, tmp_path / "v", *resume) == 1
    one_line(capsys)
    assert mine.read_bytes() == b"my own notes"
    assert names(tmp_path) == ["corpus.txt", "v.checkpoint"]


def test_a_run_that_fails_leaves_no_checkpoint(tmp_path, capsys):
    corpus = tmp_path / "lonely.txt"
    corpus.write_text("one\ntwo\nthree\n")
    assert run(corpus, tmp_path / "v") == 1
    assert "no pair is left" in one_line(capsys)
    assert names(tmp_path) == ["lonely.txt"]


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_a_stop_while_reading_promises_nothing_that_is_not_there(
    corpus, tmp_path, pieces, monkeypatch, capsys, resume
):
    if resume:
        undo = interrupt_after(monkeypatch, 2)
        run(corpus, tmp_path / "v")
        undo()
    before = names(tmp_path)
    capsys.readouterr()

    def interrupted(path):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(text_module, "read_lines", interrupted)
    assert run(corpus, tmp_path / "v", *resume) == 130
    told = "--resume goes on" if resume else "nothing was trained yet"
    assert told in one_line(capsys)
    assert names(tmp_path) == before


def test_a_process_that_is_stopped_while_torch_loads_says_nothing():
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "utils.fast", "no.txt", "--out", "no"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "numpy" in line:  # in the middle of loading
            process.send_signal(signal.SIGINT)
            break
    lines += process.stderr.readlines()
    assert process.wait() == 130
    assert "Traceback" not in "".join(lines)


# What is read back ------------------------------------------------------------------------------


@pytest.fixture
def stopped(vocab_and_sentences, tmp_path, pieces, monkeypatch):
    """(the run's settings and text, its checkpoint's path and state)."""
    vocab, sentences = vocab_and_sentences
    undo = interrupt_after(monkeypatch, 2)
    options = dict(dim=4, epochs=2)
    Run(Text(sentences, vocab), vocab, **options).train(1, tmp_path / "c")
    undo()

    def resume():
        return Run(Text(sentences, vocab), vocab, **options).train(1, tmp_path / "c", resume=True)

    return resume, tmp_path / "c"


DAMAGES = {
    "another shape": lambda s: s | {"inputs": s["inputs"][:-1]},
    "fewer columns": lambda s: s | {"outputs": s["outputs"][:, :2].contiguous()},
    "another type": lambda s: s | {"inputs": s["inputs"].double()},
    "swapped": lambda s: s | {"inputs": s["outputs"], "outputs": s["inputs"]},
    "not finite": lambda s: s | {"inputs": s["inputs"] * float("nan")},
    "no table": lambda s: s | {"inputs": None},
    "one more": lambda s: s | {"input_squares": s["inputs"]},
    "no squares": lambda s: {k: v for k, v in s.items() if k != "input_squares"},
    "missing": lambda s: {k: v for k, v in s.items() if k != "outputs"},
    "negative": lambda s: s | {"next_piece": -1},
    "too far": lambda s: s | {"next_piece": 10**9},
    "a float": lambda s: s | {"next_piece": 1.0},
    "a truth": lambda s: s | {"next_piece": True},
    "no history": lambda s: s | {"history": None},
    "uneven": lambda s: s | {"history": s["history"] | {"loss": [1.0]}},
    "nan loss": lambda s: s | {"history": s["history"] | {"loss": [float("nan")] * 2}},
    "backwards": lambda s: (
        s | {"history": {"loss": [1.0, 1.0], "pairs": [9, 3], "seconds": [1.0, 2.0]}}
    ),
    "no settings": lambda s: s | {"settings": None},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("fingerprints", [True, False])
def test_a_state_that_cannot_be_is_refused_and_kept(stopped, damage, fingerprints):
    resume, path = stopped
    state = damage(checkpoints.unpack(path.read_bytes()))
    if fingerprints:  # as if the trainer itself had saved it so
        state = checkpoints.with_fingerprints(state)
    swapped = fingerprints and damage is DAMAGES["swapped"]
    content = checkpoints.pack(state)
    path.write_bytes(content)
    if swapped:  # two tables of one shape, saved so by the trainer: nothing can tell
        assert not resume().interrupted
        return
    with pytest.raises(ValueError, match="checkpoint .*c' (does not fit|cannot be used)") as caught:
        resume()
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "change", [lambda c: c[:-1], lambda c: c[:20], lambda c: b"", lambda c: c + b"x"]
)
def test_a_damaged_checkpoint_is_refused_and_kept(stopped, change):
    resume, path = stopped
    content = change(path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be used: it is"):
        resume()
    assert path.read_bytes() == content


def test_every_single_bit_counts(stopped):
    _, path = stopped
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        broken = bytearray(content)
        broken[place] ^= 1
        with pytest.raises(ValueError):
            checkpoints.unpack(bytes(broken))


def test_resuming_needs_a_checkpoint(vocab_and_sentences):
    vocab, sentences = vocab_and_sentences
    with pytest.raises(ValueError, match="resume=True needs a checkpoint"):
        train_fast(sentences, vocab, dim=4, resume=True)


# Output -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["same", "spelling", "link", "hard link"])
def test_the_corpus_is_never_the_output(corpus, tmp_path, capsys, way):
    before = corpus.read_bytes()
    (tmp_path / "link").symlink_to(corpus)
    os.link(corpus, tmp_path / "hard")
    out = {
        "same": corpus,
        "spelling": tmp_path / ".." / tmp_path.name / "corpus.txt",
        "link": tmp_path / "link",
        "hard link": tmp_path / "hard",
    }[way]
    assert run(corpus, out) == 1
    assert "is what is read" in one_line(capsys)
    assert corpus.read_bytes() == before


def test_only_files_are_written_to_and_that_is_found_before_reading(
    tmp_path, capsys, corpus, monkeypatch
):
    monkeypatch.setattr(text_module, "read_lines", lambda path: pytest.fail("the text was read"))
    os.mkfifo(tmp_path / "pipe")
    for out in ("/dev/null", tmp_path / "pipe", tmp_path, tmp_path / "no" / "v"):
        assert run(corpus, out) == 1
        one_line(capsys)


@pytest.mark.parametrize("ending, decompress", [(".gz", gzip.decompress), (".bz2", bz2.decompress)])
def test_endings_are_honoured(corpus, tmp_path, ending, decompress):
    out = tmp_path / f"v.txt{ending}"
    assert run(corpus, out) == 0
    assert decompress(out.read_bytes()).startswith(b"20 4\n")
    ours = Embeddings.load_word2vec(out)
    theirs = KeyedVectors.load_word2vec_format(str(out))
    assert ours.words == theirs.index_to_key


def test_mode_and_link_of_the_output_are_kept(corpus, tmp_path):
    target = tmp_path / "target"
    target.touch()
    target.chmod(0o600)
    (tmp_path / "link").symlink_to(target)
    assert run(corpus, tmp_path / "link") == 0
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text().startswith("20 4\n")


@pytest.mark.slow
def test_a_terminal_without_other_letters(corpus, tmp_path):
    out = tmp_path / "vecteurs_été.txt"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "utils.fast", str(corpus), "--out", str(out), *SMALL]
    done = subprocess.run(words, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert out.is_file()


# Texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pack, ending", [(bytes, ""), (gzip.compress, ".gz"), (bz2.compress, ".bz2")]
)
def test_the_command_and_load_corpus_read_the_same_words(tmp_path, pack, ending):
    text = "Cafe\u0301 CAFÉ\x0cहिन्दी\u2028में\r\nשָׁלוֹם 12\u0085ab_c\rx² İstanbul\n"
    path = tmp_path / f"text.txt{ending}"
    path.write_bytes(pack(text.encode()))
    sentences = load_corpus(path)
    assert sentences == [
        ["café", "café", "हिन्दी", "में"],
        ["שָׁלוֹם", "ab", "c"],
        ["x", "i\u0307stanbul"],
    ]
    assert run(path, tmp_path / "v") == 0
    assert set(Embeddings.load_word2vec(tmp_path / "v").words) == set(sum(sentences, []))


@pytest.mark.parametrize(
    "what", ["pipe", "folder", "-", "missing", "cut.gz", "latin.txt", "empty.txt"]
)
def test_what_cannot_be_read_says_why_in_one_line(tmp_path, capsys, what):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"river bank\n" * 99)[:-9])
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 au lait\n")
    (tmp_path / "empty.txt").write_bytes(b"")
    path = "-" if what == "-" else tmp_path / what
    assert run(path, tmp_path / "v") == 1
    one_line(capsys)
    assert not (tmp_path / "v").exists()
    assert not (tmp_path / "v.checkpoint").exists()


# Options ----------------------------------------------------------------------------------------

BAD_OPTIONS = [
    ("--dim", "0"),
    ("--dim", "-3"),
    ("--dim", "1000000000"),
    ("--window", "0"),
    ("--window", "99999999"),
    ("--negatives", "0"),
    ("--negatives", "99999999999999999999"),
    ("--power", "nan"),
    ("--power", "inf"),
    ("--subsample", "-1"),
    ("--subsample", "nan"),
    ("--epochs", "0"),
    ("--epochs", "99999999999999"),
    ("--lr", "0"),
    ("--lr", "nan"),
    ("--lr", "inf"),
    ("--seed", "-1"),
    ("--seed", "99999999999999999999"),
    ("--threads", "0"),
    ("--threads", "1000000"),
    ("--min-count", "0"),
    ("--every", "nan"),
    ("--every", "-1"),
    ("--every", "inf"),
]


@pytest.mark.parametrize("name, value", BAD_OPTIONS)
def test_numbers_outside_their_range_are_refused_before_reading(
    corpus, tmp_path, capsys, monkeypatch, name, value
):
    monkeypatch.setattr(text_module, "read_lines", lambda path: pytest.fail("the text was read"))
    assert main([str(corpus), "--out", str(tmp_path / "v"), f"{name}={value}"]) == 1
    error = one_line(capsys)
    assert error.startswith(name.removeprefix("--")), error


@pytest.mark.parametrize("name, value", [("--dim", "many"), ("--lr", "x"), ("--objective", "none")])
def test_what_is_no_option_is_one_line_too(corpus, tmp_path, capsys, name, value):
    with pytest.raises(SystemExit) as end:
        main([str(corpus), "--out", str(tmp_path / "v"), name, value])
    assert end.value.code == 2
    one_line(capsys)


def test_tables_beyond_memory_are_refused_before_they_are_made(
    corpus, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("utils.checks.psutil.virtual_memory", lambda: Memory())
    monkeypatch.setattr(training, "Table", lambda *_: pytest.fail("a table was made"))
    assert run(corpus, tmp_path / "v", "--dim", "5000") == 1
    assert "the tables of 20 words and 5,000 coordinates would take about" in one_line(capsys)


class Memory:
    available = 1_000_000


def test_wide_windows_of_blocks_are_refused_too(vocab_and_sentences):
    vocab, sentences = vocab_and_sentences
    with pytest.raises(MemoryError, match="the bands of a window of 1000 would take"):
        train_fast(sentences, vocab, objective="softmax", window=1000)


def test_the_largest_seed_and_numpys_numbers(vocab_and_sentences):
    vocab, sentences = vocab_and_sentences
    own = train_fast(sentences, vocab, dim=4, epochs=1, seed=2**62, threads=1, lr=0.025).vectors
    numpys = train_fast(
        sentences,
        vocab,
        dim=np.int64(4),
        epochs=np.int32(1),
        seed=np.int64(2**62),
        threads=np.int8(1),
        lr=np.float64(0.025),
    ).vectors
    assert torch.equal(own, numpys)


@pytest.mark.parametrize("name", ["dim", "window", "negatives", "epochs", "seed", "lr", "power"])
@pytest.mark.parametrize("value", ["5", True, None, 5j, [5], float("nan")])
def test_what_is_no_number_is_refused_by_name(name, value):
    if name == "lr" and value is None:
        return  # each row has its own
    with pytest.raises(ValueError, match=f"^{name} is "):
        Settings(**{name: value})


def test_a_float64_default_does_not_matter(vocab_and_sentences):
    vocab, sentences = vocab_and_sentences
    torch.set_default_dtype(torch.float64)
    try:
        for objective in ("ns", "hs", "softmax", "ns-blocks", "hs-blocks"):
            vectors = train_fast(sentences, vocab, objective=objective, dim=4, epochs=1).vectors
            assert vectors.dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


# Compiled code with its bounds checked ----------------------------------------------------------


@pytest.mark.slow
def test_the_compiled_loops_keep_within_their_tables(tmp_path):
    """In a process of its own, where numba checks every index."""
    code = (
        "from utils.vocabulary import Vocab\n"
        "from utils.fast import train_fast\n"
        "text = [['a', 'b', 'c', 'd'], ['e', 'a'], ['b'], ['c', 'd', 'e', 'a', 'b', 'c']] * 30\n"
        "vocab = Vocab(text, min_count=1)\n"
        "for objective in ('ns', 'hs'):\n"
        "    train_fast(text, vocab, objective=objective, dim=3, epochs=2, subsample=0)\n"
    )
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
