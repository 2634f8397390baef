"""train_fast: word vectors at full speed, on all cores, from sentences or a file of any size."""

import os
import signal
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from tqdm.auto import tqdm

from utils.checks import Real, Whole, check_memory, real_number, whole_number
from utils.embeddings import Embeddings
from utils.fast import checkpoints
from utils.fast.kernels import Scratch, Table
from utils.fast.learners import LEARNERS_OF, Draws, Tally, total
from utils.fast.settings import Settings
from utils.fast.stopping import StopRequest, stop_on_signal
from utils.fast.text import Text
from utils.training import ABSURD_LOSS, History, TrainingDiverged, progress_wanted
from utils.vocabulary import Vocab, keep_probability

MAX_ROW_RATE = 0.1  # no row's own learning rate is above this one,
MAX_SUMMED_RATE = 2.0  # nor its sum over all updates that reach the row in one step
ROUND_SECONDS = 1.0  # at least, between two looks at the weights
COPY_SHARE = 0.05  # at most this share of the time goes to copying them
LEAST_DECAY = 1e-4  # of the learning rate, at the end of the last piece
MOST_THREADS = 1024


def train_fast(
    sentences,
    vocab: Vocab | None = None,
    *,
    min_count: Whole = 5,
    threads: Whole | None = None,
    checkpoint: str | os.PathLike | None = None,
    resume: bool = False,
    every: Real = 60,
    **settings,
) -> Embeddings:
    """Vectors for all words of `vocab`: those of the input table, v.

    `sentences` are lists of words, or the path of a UTF-8 file with one sentence a line, which may
    be larger than memory. Without `vocab`, the vocabulary is the words that occur `min_count`
    times, and the text is read only once. `settings` are those of `utils.fast.settings.Settings`:
    model ("skip-gram" or "cbow"), objective ("ns" is 15.2.6, "hs" 15.2.7 with Huffman's tree,
    "softmax" 15.1.7), dim, window, negatives, power, subsample, epochs, lr, seed.

    `lr` is the learning rate of all rows at the start, as in word2vec.c, which takes .025. With
    lr=None each row has its own, in proportion to 1 / sqrt(updates of the row in all), which suited
    held-out text best; with "softmax" each coordinate has its own, by Adagrad. Rates are capped
    where many updates reach a row in one step, and decay linearly to almost zero. `threads=None`
    uses all cores; one thread and a seed give the same vectors again.

    With `checkpoint`, the path of a file, training saves itself there `every` so many seconds;
    `resume=True` goes on from such a file. The interrupt button ends training and returns what was
    learned so far. Raises ValueError for settings outside their range, MemoryError where the tables
    would not fit, FileExistsError where a checkpoint would overwrite a file, and TrainingDiverged,
    whose `.embeddings` are the last good ones, when a loss or a weight is not finite.
    """
    Settings(**settings)  # found before the text is read
    if vocab is None:
        text, vocab = Text.with_vocabulary(sentences, min_count)
    else:
        text = Text(sentences, vocab)
    run = Run(text, vocab, **settings)
    run.train(threads, checkpoint, resume, every)
    return run.embeddings()


class Run:
    """A training run: its text, its learner, its two tables, and how far it has come."""

    def __init__(self, text: Text, vocab, **settings):
        self.settings = Settings(**settings)
        V = len(vocab)
        if V < 2:
            raise ValueError(f"the vocabulary has {V} words; predicting one needs at least 2")
        # Two tables, a copy of each that is known to be good, their gradients and a checkpoint.
        what = f"the tables of {V:,} words and {self.settings.dim:,} coordinates"
        check_memory(8 * 4 * V * self.settings.dim, what)

        self.text = text
        self.words = vocab.words
        self.vocabulary = f"{V} words, checksum {zlib.crc32(' '.join(vocab.words).encode()):08x}"
        self.next_piece = 0  # pieces begun, in all epochs
        self.history = History()
        self._lock = threading.Lock()

        keep = torch.ones(V).double()
        if self.settings.subsample:
            keep = keep_probability(vocab.counts, self.settings.subsample, "word2vec")
        self.learner = LEARNERS_OF[self.settings.model][self.settings.objective](
            vocab, keep, self.settings.window, self.settings.negatives, self.settings.power
        )
        self.input_table, self.output_table = self._tables(vocab, keep)

    def _tables(self, vocab, keep) -> tuple[Table, Table]:
        V = len(vocab)
        d = self.settings.dim
        generator = torch.Generator().manual_seed(self.settings.seed)
        start = (
            torch.rand(V, d, generator=generator, dtype=torch.float32) - 0.5
        ) / d  # word2vec.c's
        zeros = torch.zeros(self.learner.output_rows, d, dtype=torch.float32)
        if self.learner.visits is None:
            return Table(start), Table(zeros)
        passes = self.settings.epochs * self.text.known / vocab.counts.sum().item()
        steps = (vocab.counts * keep).sum() / self.learner.words_per_step
        input_visits, output_visits = self.learner.visits
        input_rates = self._rates(input_visits, steps, passes)
        output_rates = self._rates(output_visits, steps, passes)
        columns = self.learner.columns(d)
        return Table(start, input_rates, columns), Table(zeros, output_rates, columns)

    def _rates(self, visits, steps, passes) -> torch.Tensor:
        """Each row's learning rate; a pass has `steps` steps."""
        all_updates = self.settings.epochs * visits.per_epoch * passes
        rate = (self.learner.base_rate / all_updates.clamp(min=1).sqrt()).clamp(max=MAX_ROW_RATE)
        if self.settings.lr is not None:
            rate = torch.full_like(rate, self.settings.lr)
        per_step = (visits.per_epoch / steps).clamp(min=visits.at_once)
        return torch.minimum(rate, MAX_SUMMED_RATE / per_step).float()

    def __len__(self) -> int:
        """Pieces in all epochs."""
        return self.settings.epochs * len(self.text)

    def embeddings(self) -> Embeddings:
        return Embeddings(self.words, self.input_table.vectors.contiguous())

    # Learning -----------------------------------------------------------------------------------

    def learn(self, number: int, scratch: Scratch) -> Tally:
        """Learn one piece of the text; what is drawn depends on the seed and its number alone."""
        piece = self.text[number % len(self.text)]
        first_rate = 1.0  # the rows have rates of their own
        if self.learner.visits is None:
            first_rate = self.settings.lr or self.learner.base_rate

        def rate(share: float) -> float:
            return first_rate * max(1 - (number + share) / len(self), LEAST_DECAY)

        draws = Draws(self.settings.seed, number)
        return self.learner.learn_piece(
            piece, draws, self.input_table, self.output_table, rate, scratch
        )

    def train(
        self,
        threads: Whole | None = None,
        checkpoint: str | os.PathLike | None = None,
        resume: bool = False,
        every: Real = 60,
    ) -> History:
        """Learn the pieces that are left, in rounds of a second or more; see `train_fast`."""
        if threads is None:
            threads = available_cores()
        threads = whole_number("threads", threads, most=MOST_THREADS)
        self._make_copies(threads if threads > 1 else 0)  # before anything is written
        keeper = CheckpointKeeper(self, checkpoint, resume, every)
        try:
            with stop_on_signal() as request:
                self._rounds(threads, keeper, request)
        except BaseException:
            keeper.discard()
            raise
        self.history.interrupted = bool(request)
        self.stopped_by = request.signal
        if request:
            print(
                f"interrupted after {self.next_piece} of {len(self)} pieces; "
                "the vectors keep what they have learned"
            )
        keeper.save()
        return self.history

    def _make_copies(self, copies: int) -> None:
        rows = self.learner.copied_rows
        if rows and (copies or self.output_table.copied):
            what = f"{copies} threads' copies of {rows} rows and {self.settings.dim:,} coordinates"
            check_memory(2 * 4 * copies * rows * self.settings.dim, what)
            self.output_table.make_copies(rows, copies)

    def _rounds(self, threads: int, keeper, request: StopRequest) -> None:
        scratches = [Scratch(thread) for thread in range(threads)]
        torch_threads = torch.get_num_threads()
        length = ROUND_SECONDS
        good = self._weights()
        start = time.perf_counter() - (self.history.seconds or [0.0])[-1]
        one_thread_each = dict(initializer=torch.set_num_threads, initargs=(1,))
        try:
            with self._progress() as bar, ThreadPoolExecutor(threads, **one_thread_each) as pool:
                while self.next_piece < len(self) and not request:
                    until = time.monotonic() + length
                    jobs = [pool.submit(self._round, one, until, request) for one in scratches]
                    tally = total(job.result() for job in jobs)
                    self._note(tally, time.perf_counter() - start, good)
                    copying = time.monotonic()
                    good = self._weights()
                    keeper.save_if_due()
                    length = max(ROUND_SECONDS, (time.monotonic() - copying) / COPY_SHARE)
                    self._show(bar)
        except KeyboardInterrupt:  # raised by somebody else than a signal
            request.signal = signal.SIGINT
        finally:
            torch.set_num_threads(torch_threads)

    def _round(self, scratch: Scratch, until: float, request: StopRequest) -> Tally:
        """What one thread does: learn piece after piece until the round is over."""
        tallies = []
        while not request:
            with self._lock:
                number = self.next_piece
                if number == len(self):
                    break
                self.next_piece += 1
            tallies.append(self.learn(number, scratch))
            if time.monotonic() > until:
                break
        return total(tallies)

    def _note(self, tally: Tally, seconds: float, good: tuple) -> None:
        """Write a round into the history; if it has diverged, go back to the weights before it."""
        mean = tally.nats / max(tally.measured, 1)
        if not (mean < ABSURD_LOSS and self._finite()):  # NaN is not below anything
            self._go_back(mean, good)
        if not tally.pairs and self.next_piece < len(self.text):
            return
        history = self.history
        history.loss.append(mean)
        history.pairs.append((history.pairs or [0])[-1] + tally.pairs)
        history.seconds.append(seconds)
        if self.next_piece >= len(self.text) and not history.pairs[-1]:
            raise ValueError(
                "no pair is left: after subsampling no word has a neighbour in its sentence; "
                "bring more text, lower min_count, or use subsample=0"
            )

    def _go_back(self, mean: float, good: tuple) -> None:
        inputs, outputs, done = good
        self.input_table.vectors.copy_(inputs)
        self.output_table.vectors.copy_(outputs)
        error = TrainingDiverged(
            f"the loss is {mean:g} or a weight not finite after piece {self.next_piece} of "
            f"{len(self)} with lr={self.settings.lr}: choose a smaller lr. error.embeddings are "
            f"those after piece {done}.",
            self.history,
        )
        error.embeddings = self.embeddings()
        raise error

    def _finite(self) -> bool:
        tables = (self.input_table, self.output_table)
        return all(bool(table.vectors.isfinite().all()) for table in tables)

    def _weights(self) -> tuple:
        inputs = self.input_table.vectors.clone()
        return inputs, self.output_table.vectors.clone(), self.next_piece

    # Progress -----------------------------------------------------------------------------------

    def _words_done(self) -> int:
        return self.text.words * self.next_piece // len(self.text)

    def _progress(self):
        return tqdm(
            total=self.settings.epochs * self.text.words,
            unit="word",
            unit_scale=True,
            leave=False,
            initial=self._words_done(),
            disable=not progress_wanted(),
        )

    def _show(self, bar) -> None:
        if self.history.loss:  # none as long as no word has a neighbour
            bar.set_postfix(loss=f"{self.history.loss[-1]:.3f}", refresh=False)
        bar.update(self._words_done() - bar.n)

    # Saved and restored -------------------------------------------------------------------------

    def identity(self) -> dict:
        """What a checkpoint must have in common with this run."""
        text = f"{self.text.known} words, checksum {self.text.checksum:08x}"
        return self.settings.as_dict() | {"vocabulary": self.vocabulary, "text": text}

    def tables(self) -> dict:
        """All tables that training changes, by name; None where this objective has none."""
        # A view is saved with all of its memory, so that of the output table, behind which copies
        # may stand, is cloned.
        return {
            "inputs": self.input_table.vectors.contiguous(),
            "outputs": self.output_table.vectors.clone(memory_format=torch.contiguous_format),
            "input_squares": self.input_table.squares,
            "output_squares": self.output_table.squares,
        }

    def state(self) -> dict:
        """All that a run needs to go on."""
        history = {
            "loss": self.history.loss,
            "pairs": self.history.pairs,
            "seconds": self.history.seconds,
        }
        return checkpoints.with_fingerprints(
            {
                "settings": self.identity(),
                "next_piece": self.next_piece,
                "history": history,
                **self.tables(),
            }
        )

    def restore(self, state: dict) -> None:
        """Bring the run to where the state left it.

        ValueError, and no change, if that cannot be.
        """
        checkpoints.check_settings(state, self.identity())
        for name, table in self.tables().items():
            checkpoints.check_table(state, name, table)
        checkpoints.check_counter(state, "next_piece", len(self))
        checkpoints.check_history(state)
        self.input_table.vectors.copy_(state["inputs"])
        self.output_table.vectors.copy_(state["outputs"])
        self.input_table.squares = state["input_squares"]
        self.output_table.squares = state["output_squares"]
        self.next_piece = state["next_piece"]
        self.history = History(**state["history"])


class CheckpointKeeper:
    """Saves a run at its path now and then; does nothing without a path.

    An unwritable path is found at once. A file that is there already is never overwritten, unless
    the run goes on from it.
    """

    def __init__(self, run: Run, path, resume: bool, every: Real):
        self.every = real_number("every", every, least=0, hint=", in seconds")
        self.run = run
        self.path = None if path is None else Path(path)
        self.ours = False
        self.saved = time.monotonic()
        if self.path is None:
            if resume:
                raise ValueError(
                    "resume=True needs a checkpoint, the path of the file to go on from"
                )
            return
        if resume:
            self._go_on()
        else:
            checkpoints.refuse_to_overwrite(self.path)
            self.ours = True
        self.save()

    def _go_on(self) -> None:
        state = checkpoints.read(self.path)
        try:
            self.run.restore(state)
        except ValueError as error:
            raise ValueError(
                f"the checkpoint {str(self.path)!r} does not fit: {error}, "
                "or start anew without resuming"
            ) from None

    def save(self) -> None:
        if self.path is not None:
            checkpoints.write(self.path, self.run.state())
            self.saved = time.monotonic()

    def save_if_due(self) -> None:
        if self.path is not None and time.monotonic() - self.saved >= self.every:
            self.save()

    def discard(self) -> None:
        """Remove the checkpoint of a run that failed, if the run made it."""
        if self.ours:
            self.path.unlink(missing_ok=True)


def available_cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
