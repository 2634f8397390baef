"""python -m utils.fast corpus.txt --objective hs --out vectors.txt: word vectors of your own text, in one command."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from utils.corpus import read_sentences
from utils.fast import Run
from utils.fast.objectives import OBJECTIVES
from utils.fast.text import Text
from utils.training import TrainingDiverged
from utils.vocabulary import Vocab


def parse(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m utils.fast",
        description="Train skip-gram word vectors on a UTF-8 text, one sentence a line.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("corpus", help="the text; it may be larger than memory")
    parser.add_argument("--out", required=True, help="the vectors, in word2vec's format")
    parser.add_argument(
        "--binary", action="store_true", help="write the binary format, not the text format"
    )
    parser.add_argument(
        "--objective",
        choices=list(OBJECTIVES),
        default="ns",
        help="negative sampling, hierarchical "
        "softmax or full softmax; -blocks: without the compiled loop",
    )
    for name, kind, value, text in (
        ("dim", int, 100, "coordinates of a vector"),
        ("window", int, 5, "words to each side, at most"),
        ("negatives", int, 5, "noise words a pair (K), for ns"),
        ("power", float, 0.75, "noise power, for ns"),
        ("subsample", float, 1e-3, "threshold for frequent words, 0 for off"),
        ("epochs", int, 5, "passes"),
        ("lr", float, None, "rate at the start, such as .025; by default each word has its own"),
        ("seed", int, 0, "of all draws"),
        ("threads", int, None, "all cores by default"),
        ("min-count", int, 5, "occurrences that a word needs"),
        ("every", float, 60.0, "seconds between two checkpoints"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=value, help=text)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the checkpoint beside the output, which a "
        "run that was stopped leaves there",
    )
    return parser.parse_args(arguments)


def check_output(path: Path) -> None:
    """OSError unless a file can be made there: found before training, not after."""
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; --out names a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(path.parent)!r} to write {path.name!r} into; make it first"
        )
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
        if path.exists():
            path.open("ab").close()
    except OSError as error:
        raise PermissionError(
            f"nothing can be written to {str(path)!r} ({error.strerror}); choose another --out"
        ) from None


def command(given: argparse.Namespace) -> None:
    out = Path(given.out)
    check_output(out)
    checkpoint = out.with_name(out.name + ".checkpoint")
    vocab = Vocab(read_sentences(given.corpus), min_count=given.min_count)
    text = Text(given.corpus, vocab)
    print(f"{text.words:,} words of text, {len(vocab):,} in the vocabulary", flush=True)
    settings = (
        "objective",
        "dim",
        "window",
        "negatives",
        "power",
        "subsample",
        "epochs",
        "lr",
        "seed",
    )
    run = Run(text, vocab, **{name: getattr(given, name) for name in settings})
    history = run.train(given.threads, checkpoint, given.resume, given.every)
    if history.interrupted:
        raise KeyboardInterrupt
    run.embeddings().save_word2vec(out, binary=given.binary)
    checkpoint.unlink()
    print(
        f"{history.seconds[-1]:.1f} s, {run.epochs * text.words / history.seconds[-1]:,.0f} words a second, "
        f"{history.loss[-1]:.3f} nats per pair; {out} is written"
    )


def main(arguments=None) -> int:
    given = parse(arguments)
    try:
        command(given)
    except KeyboardInterrupt:
        print("stopped; the same command with --resume goes on", file=sys.stderr)
        return 130
    except TrainingDiverged as error:
        error.embeddings.save_word2vec(given.out, binary=given.binary)
        print(f"{error} They are written to {given.out}.", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
