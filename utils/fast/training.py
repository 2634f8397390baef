"""train_fast: word vectors at full speed, on all cores, from sentences or a file of any size."""

import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from tqdm.auto import tqdm

from utils.embeddings import Embeddings
from utils.fast import checkpoints
from utils.fast.blocks import thin
from utils.fast.kernels import Scratch, Table
from utils.fast.objectives import OBJECTIVES, Tally, total
from utils.fast.text import Text
from utils.training import ABSURD_LOSS, History, TrainingDiverged, progress_wanted
from utils.vocabulary import keep_probability

MOST = 0.1  # no row's own rate is above this one
PILE = 2.0  # nor the sum of its rate over all its questions in one step
ROUND = 1.0  # seconds between two looks at the weights, at least, and
COPIES = 0.05  # at most this share of the time goes to copying them


def train_fast(
    sentences,
    vocab,
    *,
    objective: str = "ns",
    dim: int = 100,
    window: int = 5,
    negatives: int = 5,
    power: float = 0.75,
    subsample: float | int = 1e-3,
    epochs: int = 5,
    lr: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    checkpoint: str | os.PathLike | None = None,
    resume: bool = False,
    every: float | int = 60,
) -> Embeddings:
    """Skip-gram vectors for all words of `vocab`, the centre words' own, v_c.

    `sentences` are lists of words, or the path of a UTF-8 file with one sentence a line, which may be larger than
    memory: ids beyond 64 MB wait in a temporary file. `objective` is "ns" (15.2.6), "hs" (15.2.7, Huffman tree) or
    "softmax" (15.1.7); "ns-blocks" and "hs-blocks" do without the compiled loops of numba, as the others do where it is
    missing. `negatives` (K) and `power` are for "ns". `subsample` is the threshold t of word2vec.c's rule, 0 is off. A
    row moves by its rate times its gradient, less where many pile up in one step, and the rates fall linearly to
    nothing. `lr` is the rate of all rows at the start, as in word2vec.c, which takes .025; with lr=None a row that
    answers n questions in all has a rate of its own, in proportion to 1 / sqrt(n), as suited held-out text best. With
    "softmax" each coordinate has its own, by Adagrad. `threads=None` uses all cores; one thread and a seed give the
    same vectors again.

    With `checkpoint`, the path of a file, training saves itself there `every` so many seconds; `resume=True` goes on
    from such a file. The interrupt button (KeyboardInterrupt) ends training and returns what was learned so far.
    Raises TrainingDiverged, whose `.embeddings` are the last good ones, when a loss or weight is not finite.
    """
    settings = dict(
        objective=objective,
        dim=dim,
        window=window,
        negatives=negatives,
        power=power,
        subsample=subsample,
        epochs=epochs,
        lr=lr,
        seed=seed,
    )
    run = Run(Text(sentences, vocab), vocab, **settings)
    run.train(threads, checkpoint, resume, every)
    return run.embeddings()


class Run:
    """A training run: its text, its objective, its two tables, and how far it has come."""

    def __init__(
        self,
        text: Text,
        vocab,
        *,
        objective="ns",
        dim=100,
        window=5,
        negatives=5,
        power=0.75,
        subsample=1e-3,
        epochs=5,
        lr=None,
        seed=0,
    ):
        if objective not in OBJECTIVES:
            raise ValueError(
                f"objective is {objective!r}; choose one of {', '.join(map(repr, OBJECTIVES))}"
            )
        for name, value, least in (
            ("dim", dim, 1),
            ("window", window, 1),
            ("negatives", negatives, 1),
            ("epochs", epochs, 1),
            ("seed", seed, 0),
        ):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} is {value!r}; give a whole number, at least {least}")
        if not 0 <= subsample < math.inf:
            raise ValueError(
                f"subsample is {subsample}; give a small positive threshold such as 1e-3, or 0 for off"
            )
        if lr is not None and not 0 < lr < math.inf:
            raise ValueError(f"lr is {lr}; give a positive, finite learning rate, or None")
        if len(vocab) < 2:
            raise ValueError(
                f"the vocabulary has {len(vocab)} words; predicting one needs at least 2"
            )
        keep = (
            keep_probability(vocab.counts, subsample, "word2vec")
            if subsample
            else torch.ones(len(vocab)).double()
        )
        self.text, self.words, self.epochs, self.seed = text, vocab.words, epochs, seed
        self.objective = OBJECTIVES[objective](vocab, keep, window, negatives, power)
        asked = self.objective.asked  # None where each coordinate has a rate of its own
        self.lr = lr
        self.keep = torch.cat(
            [keep, keep.new_zeros(1)]
        ).float()  # the end of a sentence is dropped, too
        generator = torch.Generator().manual_seed(seed)
        start = (torch.rand(len(vocab), dim, generator=generator) - 0.5) / dim  # word2vec.c's
        passes = (
            epochs * text.known / vocab.counts.sum().item()
        )  # of the text that the vocabulary counted
        steps = (vocab.counts * keep).sum() / self.objective.step  # in one of them
        self.inputs, self.outputs = (
            Table(vectors, self._rates(*questions, steps, passes) if questions else None)
            for vectors, questions in zip(
                (start, torch.zeros(self.objective.output_rows, dim)), asked or (None, None)
            )
        )
        self.next, self.history, self._lock = (
            0,
            History(),
            threading.Lock(),
        )  # next: pieces begun, in all epochs
        self.settings = dict(
            objective=objective,
            dim=dim,
            window=window,
            negatives=negatives,
            power=power,
            subsample=subsample,
            epochs=epochs,
            lr=self.lr,
            seed=seed,
            vocabulary=len(vocab),
            text=f"{text.known} words, checksum {text.checksum:08x}",
        )

    def _rates(self, asked, once, steps, passes):
        """Each row's rate: it answers `asked` questions a pass of so many steps, `once` if any at all in a step."""
        own = self.objective.LR / (self.epochs * asked * passes).clamp(min=1).sqrt()
        rate = own.clamp(max=MOST) if self.lr is None else torch.full_like(own, self.lr)
        return torch.minimum(rate, PILE / (asked / steps).clamp(min=once)).float()

    def __len__(self) -> int:
        return self.epochs * len(self.text)

    def embeddings(self) -> Embeddings:
        return Embeddings(self.words, self.inputs.vectors)

    def learn(self, number: int, scratch: Scratch) -> Tally:
        """Learn one piece of the text; what is drawn for it depends on the seed and its number alone."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        ids, sentence = thin(self.text[number % len(self.text)], self.keep, generator)
        if not len(ids):
            return Tally()
        first = (
            1.0 if self.objective.asked else self.lr or self.objective.LR
        )  # rows have rates already
        return self.objective.learn(
            ids,
            sentence,
            self.inputs,
            self.outputs,
            lambda share: first * max(1 - (number + share) / len(self), 1e-4),
            generator,
            scratch,
        )

    def train(
        self,
        threads: int | None = None,
        checkpoint=None,
        resume: bool = False,
        every: float | int = 60,
    ) -> History:
        """Learn the pieces that are left, in rounds of a second or more; after each the weights are looked at."""
        threads = _cores() if threads is None else threads
        if not isinstance(threads, int) or threads < 1:
            raise ValueError(
                f"threads is {threads!r}; give a whole number, at least 1, or None for all cores"
            )
        if checkpoint is not None:
            if resume:
                checkpoints.load(self, checkpoint)
            checkpoints.save(
                self, checkpoint
            )  # an unwritable path is found before training, not after
        scratch, stop, inside = (
            [Scratch() for _ in range(threads)],
            threading.Event(),
            torch.get_num_threads(),
        )
        good, length, saved = self._weights(), ROUND, time.monotonic()
        start = time.perf_counter() - (self.history.seconds or [0.0])[-1]
        with (
            tqdm(
                total=self.epochs * self.text.words,
                unit="word",
                unit_scale=True,
                leave=False,
                initial=self._read(),
                disable=not progress_wanted(),
            ) as bar,
            ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            try:
                while self.next < len(self):
                    until = time.monotonic() + length
                    rounds = [pool.submit(self._round, one, until, stop) for one in scratch]
                    self._note(
                        total(one.result() for one in rounds), time.perf_counter() - start, good
                    )
                    begin = time.monotonic()
                    good = self._weights()
                    if checkpoint is not None and begin - saved >= every:
                        checkpoints.save(self, checkpoint)
                        saved = time.monotonic()
                    length = max(ROUND, (time.monotonic() - begin) / COPIES)
                    if self.history.loss:  # none as long as no word has a neighbour
                        bar.set_postfix(loss=f"{self.history.loss[-1]:.3f}", refresh=False)
                    bar.update(self._read() - bar.n)
            except KeyboardInterrupt:
                self.history.interrupted = True
            finally:
                stop.set()  # the pool waits for the pieces that are being learned
                torch.set_num_threads(inside)
        if self.history.interrupted:
            print(
                f"interrupted after {self.next} of {len(self)} pieces; the vectors keep what they have learned"
            )
        if checkpoint is not None:
            checkpoints.save(self, checkpoint)
        return self.history

    def _round(self, scratch: Scratch, until: float, stop: threading.Event) -> Tally:
        """What one thread does: learn piece after piece until the round is over."""
        tallies = []
        while not stop.is_set():
            with self._lock:
                number = self.next
                if number == len(self):
                    break
                self.next += 1
            tallies.append(self.learn(number, scratch))
            if time.monotonic() > until:
                break
        return total(tallies)

    def _note(self, tally: Tally, seconds: float, good: tuple) -> None:
        """Write a round into the history; if it has diverged, go back to the weights before it and say so."""
        mean = tally.nats / max(tally.measured, 1)
        if not (
            mean < ABSURD_LOSS
            and self.inputs.vectors.isfinite().all()
            and self.outputs.vectors.isfinite().all()
        ):
            self.inputs.vectors, self.outputs.vectors, done = good
            error = TrainingDiverged(
                f"the loss is {mean:g} or a weight not finite after piece {self.next} of "
                f"{len(self)} with lr={self.lr}: choose a smaller lr. error.embeddings are "
                f"those after piece {done}.",
                self.history,
            )
            error.embeddings = self.embeddings()
            raise error
        history = self.history
        if not tally.pairs and self.next < len(self.text):
            return
        history.loss.append(mean)
        history.pairs.append((history.pairs or [0])[-1] + tally.pairs)
        history.seconds.append(seconds)
        if self.next >= len(self.text) and not history.pairs[-1]:
            raise ValueError(
                "no pair is left: after subsampling no word has a neighbour in its sentence; bring more "
                "text, lower min_count, or use subsample=0"
            )

    def _weights(self) -> tuple:
        return self.inputs.vectors.clone(), self.outputs.vectors.clone(), self.next

    def _read(self) -> int:
        return self.text.words * self.next // len(self.text)


def _cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
