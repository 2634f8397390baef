"""The lab "spot the defect": a reader's test must fail on the defective code and pass on correct
code.

The defective functions stand in the notebook; here are correct ones, each written in another way
than its twin, so that a test which asks for more than the code promises (an order, the very same
draws) is found out as too strict. Where chance is involved there are two, which draw differently.
"""

import contextlib
import io
import time
from collections import Counter

import torch

from utils.exercises.running import LEAST_SECONDS, Failure, run

RUNS = 3  # with other random numbers each: no verdict by luck
SECONDS = 10.0  # for all runs on one function; then the test is cut off


def _pairs_of(sentence, m):
    n = len(sentence)
    rightward = [(sentence[t], sentence[t + k]) for k in range(1, m + 1) for t in range(n - k)]
    return rightward + [(context, centre) for centre, context in rightward]


def _noise_words(counts, n, power=0.75):
    return torch.multinomial(torch.as_tensor(counts).double().pow(power), n, replacement=True)


def _noise_words_by_search(counts, n, power=0.75):
    ends = torch.as_tensor(counts).double().pow(power).cumsum(0)
    uniform = 1 - torch.rand(n, dtype=torch.float64)  # above 0, at most 1
    return torch.searchsorted(ends / ends[-1], uniform)


def _draw_from_text(sentences, vocab, n):
    occurrences = Counter(word for sentence in sentences for word in sentence)
    return torch.multinomial(
        torch.tensor([float(occurrences[word]) for word in vocab.words]), n, replacement=True
    )


def _draw_from_text_by_search(sentences, vocab, n):
    occurrences = Counter(word for sentence in sentences for word in sentence)
    return _noise_words_by_search([occurrences[word] for word in vocab.words], n, power=1)


def _tokens_per_second(step, tokens, epochs):
    seconds = 0.0
    for _ in range(epochs):
        start = time.perf_counter()
        step()
        seconds += time.perf_counter() - start
    return tokens * epochs / max(seconds, 1e-9)


def _answers_loss(scores, signs):
    wrong_by = -signs * scores
    return torch.logaddexp(wrong_by, torch.zeros_like(wrong_by)).masked_fill(signs == 0, 0).sum(1)


def _walk_loss(v_c, U, nodes, signs):
    losses = []
    for walk, turns in zip(nodes, signs):
        taken = turns.nonzero().flatten()
        losses.append(torch.nn.functional.softplus(-turns[taken] * (U[walk[taken]] @ v_c)).sum())
    return torch.stack(losses)


def _training_step(weight, ids, signs, v_c, lr=0.1):
    with torch.no_grad():
        answers = signs * (weight[ids] @ v_c)
        error = -signs * torch.sigmoid(-answers)
        weight.index_add_(0, ids, torch.outer(error, v_c), alpha=-lr)
        return torch.nn.functional.softplus(-answers).sum().item()


CORRECT = {
    0: _pairs_of,
    1: _noise_words,
    2: _draw_from_text,
    3: _tokens_per_second,
    4: _answers_loss,
    5: _walk_loss,
    6: _training_step,
}
ALSO_CORRECT = {1: _noise_words_by_search, 2: _draw_from_text_by_search}
DEFECT = {
    0: "The window stops one word early on the right: `range` leaves its end out.",
    1: (
        "The power is applied twice, by the function and by the sampler: words are drawn at power "
        "0.75 * 0.75 = 0.5625."
    ),
    2: (
        "Id 0 is false in a condition, so it is taken for a word outside the vocabulary: the most "
        "frequent word is never drawn."
    ),
    3: (
        "The clock counts the time of the processor, not the time that passes: waiting is free, "
        "and threads add up."
    ),
    4: (
        "The sigmoid underflows to 0 before the logarithm is taken, so a sure and wrong answer has "
        "an infinite loss."
    ),
    5: (
        "Padding is counted as a step to the right at node 0, so words with a short walk are too "
        "unlikely."
    ),
    6: (
        "The gradient is dense: each step fills and subtracts a whole table, V rows, to move a "
        "handful."
    ),
}


class _Trial:
    """A reader's test of one function: True (passed), False (failed) or `...` (not written).

    It carries the test's `__code__`, so that the engine can show the line of the reader's own that
    stopped. `crashed`: an error came out of the function under test itself.
    """

    def __init__(self, test, function):
        self.test = test
        self.function = function
        self.__code__ = getattr(test, "__code__", None)
        self.crashed = False

    def __call__(self):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                result = self.test(self.function)
            return result if result is ... else result is None or bool(result)
        except AssertionError:
            return False
        except Exception as error:
            code = getattr(self.function, "__code__", None)
            trace = error.__traceback__
            while trace and trace.tb_frame.f_code is not code:
                trace = trace.tb_next
            self.crashed = trace is not None
            raise


class _CutOff(Failure):
    """The test took too long."""

    advice = (
        "Correct code was not so slow, which is a trace. Count what there is too much of, and let "
        "the test say so."
    )


class _Crash(Failure):
    """An error came out of the function under test."""

    advice = (
        "Correct code does not stop there. If that is the defect, let the test say so: catch the "
        "error and assert."
    )


def _outcomes(test, function) -> list:
    """What the test says of the function, run by run; it ends early where there is no verdict."""
    outcomes = []
    deadline = time.monotonic() + SECONDS
    # A test that is cut off within torch.no_grad() would leave it on.
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for seed in range(RUNS):
            torch.manual_seed(seed)
            outcome = _outcome(test, function, deadline)
            outcomes.append(outcome)
            if not isinstance(outcome, bool):
                break
    return outcomes


def _outcome(test, function, deadline: float):
    """What the test says in one run: a bool, `...` or a Failure."""
    trial = _Trial(test, function)
    outcome = run(trial, (), max(deadline - time.monotonic(), LEAST_SECONDS))
    if not isinstance(outcome, Failure):
        return outcome
    if trial.crashed:
        return _Crash(outcome)
    if time.monotonic() >= deadline:
        return _CutOff(
            f"It was cut off after {SECONDS:g} seconds for its {RUNS} runs on one function: "
            "does every loop end? Use shorter waits, smaller tables or fewer repeats."
        )
    return outcome


def _how_often(outcomes, what: bool) -> str:
    times = outcomes.count(what)
    return "" if times == len(outcomes) else f" in {times} of {len(outcomes)} runs"


def spot(number: int, proves_it, defective) -> None:
    """Run the reader's test on the defective function and on correct ones; print what it proves.

    The test takes the function as its only argument, and fails by `assert` or by returning False.
    Each is run three times, with other random numbers each time, within ten seconds. Raises
    KeyError for an unknown piece.
    """
    if number not in CORRECT:
        raise KeyError(f"there is no piece {number!r}; there are {', '.join(map(str, CORRECT))}")
    for function in (proves_it, defective):
        if not callable(function):
            kind = type(function).__name__
            print(f"Piece {number}: pass the function itself, without calling it; got {kind}")
            return
    print(f"Piece {number}: {_say(number, _outcomes(proves_it, defective), proves_it)}")


def _say(number, on_defective, proves_it) -> str:
    if ... in on_defective:
        return "not attempted yet"
    on_correct = _outcomes(proves_it, CORRECT[number])
    if number in ALSO_CORRECT and isinstance(on_correct[-1], bool):
        on_correct += _outcomes(proves_it, ALSO_CORRECT[number])
    for outcomes, where in ((on_correct, "correct code"), (on_defective, "the defective code")):
        if isinstance(outcomes[-1], Failure):
            advice = "A test says by `assert`, or by returning False, what does not hold."
            if set(on_correct) == {True}:
                advice = getattr(outcomes[-1], "advice", advice)
            said = f"your test comes to no verdict on {where}, so it proves nothing."
            return f"{said}\n{outcomes[-1]}\n{advice}"
    if True in on_defective and True not in on_correct:
        return (
            "your test passes on the defective code and fails on correct code: it is the wrong way "
            "round"
        )
    if True in on_defective:
        times = _how_often(on_defective, True)
        return f"your test passes on the defective code{times}, so it does not show the defect"
    if False in on_correct:
        return (
            f"your test fails on correct code too{_how_often(on_correct, False)}, so it is too "
            f"strict"
        )
    return f"right. {DEFECT[number]}"
