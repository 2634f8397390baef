"""The labs: a reader's test must fail on the defective code and pass on correct code.

The defective functions stand in the notebook; here are correct ones, each written in another way
than its twin, so that a test which asks for more than the code promises (an order, the very same
draws) is found out as too strict. Where chance is involved there are two, which draw differently.
"""

import contextlib
import io
import time
from collections import Counter

import torch

from utils.exercises import famous
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


def _pair_step(v, u, c, o, label, lr=0.1):
    v_c = v[c].clone()
    error = 1 / (1 + torch.exp(-torch.dot(v_c, u[o]))) - label
    v.index_add_(0, torch.tensor([c]), -lr * error * u[o][None])
    u.index_add_(0, torch.tensor([o]), -lr * error * v_c[None])


def _bag_means(v, ids, lengths):
    bags = [v[bag[:n]] for bag, n in zip(ids, lengths.tolist())]
    return torch.stack([bag.sum(dim=0) / len(bag) for bag in bags])


def _noise_gradient(x, U_noise, pairs, K):
    scores = (U_noise * x).sum(dim=1)
    each = torch.sigmoid(scores)[:, None] * U_noise
    return pairs * K * each.mean(dim=0)


CORRECT = {
    0: _pairs_of,
    1: _noise_words,
    2: _draw_from_text,
    3: _tokens_per_second,
    4: _answers_loss,
    5: _walk_loss,
    6: _training_step,
    7: _pair_step,
    8: _bag_means,
    9: _noise_gradient,
    **famous.CORRECT,
}
ALSO_CORRECT = {1: _noise_words_by_search, 2: _draw_from_text_by_search, **famous.ALSO_CORRECT}
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
    7: (
        "The output row moves along the centre vector after its move, not before: the right error, "
        "times the wrong vector."
    ),
    8: (
        "The sum of a bag is divided by the width of the padded table, not by the bag's own size: "
        "short bags get short vectors."
    ),
    9: (
        "The weight K / M forgets that each of the word's pairs would have had K noise words: it "
        "is pairs K / M."
    ),
    **famous.DEFECT,
}
HINTS = {
    1: (
        "One word is 100 times as frequent as another. How many times as often should it be drawn "
        "at power 0.75? How many times as often is it?",
        "100 ** 0.75 is 31.6. Draw many words and compare the two counts; which power do they fit?",
    ),
    2: (
        "For `sentences` and `vocab`, print each word's share of the text beside its share of many "
        "draws. The two should agree, up to luck.",
        "One word of the vocabulary is special to Python's `if`. Look at the most frequent one.",
    ),
    3: (
        "Build steps whose duration you know beforehand.",
        "How fast should a step be that does nothing but wait for a tenth of a second?",
    ),
    4: (
        "A model can be sure of itself and wrong. What should the loss be where the answer is no "
        "and the score is 10, 50, 200, in single precision?",
        "Far from 0 the loss of a wrong answer is nearly the score itself. Compare.",
    ),
    5: (
        "Which equation of lesson 04 must hold on every tree, whatever the vectors are?",
        "The probabilities of all words sum to 1 (15.2.9). Try a tree whose paths differ in depth.",
    ),
    6: (
        "Check the moved rows against error times vector. Then make the vocabulary a hundred times "
        "as large, and change nothing else.",
        "Count the rows that a step reaches: at lr=torch.inf each row that it reaches shows.",
    ),
    7: (
        "Both moves are minus the rate times a gradient of one loss. Ask autograd for the two "
        "gradients, and use a large rate.",
        "Follow `v[c]` through the three lines. Which value has it in the last one?",
    ),
    8: (
        "Make two bags of which you know the means: one as long as the table is wide, one of a "
        "single word.",
        "The mean of a bag of one word is that word's vector.",
    ),
    9: (
        "Two words meet the same noise words, one has a single pair, the other has ten. What "
        "should the ratio of their gradients be?",
        "With M = K every pair is handed the same K words: write the sum pair by pair.",
    ),
    **famous.HINTS,
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


_given = Counter()  # hints of each piece, in this kernel


def hint(number: int) -> None:
    """Print the next hint for a piece; after the last one they begin anew.

    Raises KeyError for a piece without hints.
    """
    if number not in HINTS:
        raise KeyError(f"there is no hint for piece {number!r}, only for {_listed(HINTS)}")
    place = _given[number] % len(HINTS[number])
    _given[number] += 1
    print(f"Piece {number}, hint {place + 1} of {len(HINTS[number])}: {HINTS[number][place]}")


def _listed(numbers) -> str:
    return ", ".join(map(str, numbers))


def spot(number: int, proves_it, defective) -> None:
    """Run the reader's test on the defective function and on correct ones; print what it proves.

    The test takes the function as its only argument, and fails by `assert` or by returning False.
    Each is run three times, with other random numbers each time, within ten seconds. Raises
    KeyError for an unknown piece.
    """
    if number not in CORRECT:
        raise KeyError(f"there is no piece {number!r}; there are {_listed(CORRECT)}")
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
