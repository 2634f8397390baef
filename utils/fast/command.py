"""The command `python -m utils.fast`: one call from a text to a file of vectors.

Ends with code 0 when the vectors are written; 1 with one line that says what is wrong with the
text, the options or the files; 2 with one line for a command that cannot be understood; 130 or 143
when it was stopped by an interrupt (Ctrl-C) or a request to terminate.
"""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from utils.checks import real_number, whole_number
from utils.fast import checkpoints
from utils.fast.settings import MODELS, OBJECTIVES, Settings, options
from utils.fast.text import Text
from utils.fast.training import MOST_THREADS, Run
from utils.files import check_output
from utils.training import TrainingDiverged

CHOICES = {"model": MODELS, "objective": OBJECTIVES}


class Terminated(KeyboardInterrupt):
    """The process was asked to terminate (SIGTERM)."""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message}; --help lists all options\n")


def parse(arguments=None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m utils.fast",
        description="Train word vectors on a UTF-8 text, one sentence a line.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("corpus", help="the text, also .gz or .bz2; it may be larger than memory")
    parser.add_argument(
        "--out",
        required=True,
        help="the vectors, in word2vec's format; .gz and .bz2 are compressed",
    )
    parser.add_argument(
        "--binary", action="store_true", help="write the binary format, not the text"
    )
    for name, kind, default, text in options():
        choices = CHOICES.get(name)
        parser.add_argument(f"--{name}", type=kind, default=default, help=text, choices=choices)
    parser.add_argument("--threads", type=int, help="all cores by default")
    parser.add_argument("--min-count", type=int, default=5, help="occurrences that a word needs")
    parser.add_argument("--every", type=float, default=60.0, help="seconds between checkpoints")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the checkpoint beside the output, which a stopped run leaves there",
    )
    return parser.parse_args(arguments)


class Command:
    """A call of the command: everything is checked before the text is read."""

    def __init__(self, given: argparse.Namespace):
        self.given = given
        self.out = Path(given.out)
        self.checkpoint = self.out.with_name(self.out.name + ".checkpoint")
        self.training = False  # whether there is a checkpoint that this call has written
        names = [name for name, *_ in options()]
        self.settings = Settings(**{name: getattr(given, name) for name in names})
        whole_number("min-count", given.min_count)
        if given.threads is not None:
            whole_number("threads", given.threads, most=MOST_THREADS)
        real_number("every", given.every, least=0, hint=", in seconds")
        check_output(self.out, given.corpus)
        if given.resume:
            checkpoints.read(self.checkpoint)
        else:
            checkpoints.refuse_to_overwrite(self.checkpoint)

    def run(self) -> int:
        given = self.given
        text, vocab = Text.with_vocabulary(given.corpus, given.min_count)
        print(f"{text.words:,} words of text, {len(vocab):,} in the vocabulary", flush=True)
        run = Run(text, vocab, **self.settings.as_dict())
        self.training = True
        history = run.train(given.threads, self.checkpoint, given.resume, given.every)
        if history.interrupted:
            raise Terminated if run.stopped_by == signal.SIGTERM else KeyboardInterrupt
        run.embeddings().save_word2vec(self.out, binary=given.binary)
        self.checkpoint.unlink(missing_ok=True)
        seconds = history.seconds[-1]
        speed = self.settings.epochs * text.words / max(seconds, 1e-9)
        print(
            f"{seconds:.1f} s, {speed:,.0f} words a second, {history.loss[-1]:.3f} nats per pair; "
            f"{self.out} is written"
        )
        return 0

    def how_to_go_on(self) -> str:
        """What is true after a stop."""
        if self.checkpoint.is_file() and (self.training or self.given.resume):
            return "the same command with --resume goes on"
        return "nothing was trained yet, so start it again"


def main(arguments=None) -> int:
    for stream in (sys.stdout, sys.stderr):  # a name with other letters must not end the command
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")
    given = parse(arguments)
    with answering_requests_to_terminate():
        return outcome(given)


def outcome(given: argparse.Namespace) -> int:
    """The exit code; every trouble becomes one line."""
    command = None
    try:
        command = Command(given)
        return command.run()
    except KeyboardInterrupt as stop:
        told = command.how_to_go_on() if command else "nothing was done yet"
        print(f"stopped; {told}", file=sys.stderr)
        return 143 if isinstance(stop, Terminated) else 130
    except TrainingDiverged as error:
        error.embeddings.save_word2vec(given.out, binary=given.binary)
        print(f"{error} They are written to {given.out}.", file=sys.stderr)
    except (OSError, ValueError, MemoryError) as error:
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
    return 1


@contextlib.contextmanager
def answering_requests_to_terminate():
    """Meanwhile SIGTERM raises Terminated, where signals can be answered: in the main thread."""

    def terminate(number, frame):
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
