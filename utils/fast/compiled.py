"""Both ways around the softmax as loops that numba compiles.

A loop computes only the scores that are needed, and updates rows in place, while its few rows stay
in the processor's cache. Both loops do the same to a word: scores, then errors, then each error
times a vector, added to two rows.
"""

import functools
import inspect
from typing import NamedTuple

import numpy as np
from numba import njit

TOP_NODES = 4  # nodes of a path, from the root on, that all threads write to


class Loops(NamedTuple):
    """Two compiled loops; each compiles at its first call, a second or two once per process."""

    windows: object
    walks: object


def compile_loop(function):
    """The function compiled to run beside other threads, without the type checks of the tests."""
    return njit(nogil=True, fastmath=True, error_model="numpy")(inspect.unwrap(function))


ZERO = np.float32(0)
ONE = np.float32(1)
HALF = np.float32(0.5)

# tanh(z) = z (135135 + 17325 z^2 + 378 z^4 + z^6) / (135135 + 62370 z^2 + 3150 z^4 + 28 z^6), its
# continued fraction cut off after seven steps: within 1e-4 where |z| is at most 4.97.
BOUND = np.float32(4.97)
A1 = np.float32(135135)
A2 = np.float32(17325)
A3 = np.float32(378)
B2 = np.float32(62370)
B3 = np.float32(3150)
B4 = np.float32(28)


@compile_loop
def sigmoid(score):
    """sigma(score) = (1 + tanh(score / 2)) / 2, within 1e-4, without a call of exp."""
    z = max(-BOUND, min(BOUND, HALF * score))
    z2 = z * z
    tanh = z * (A1 + z2 * (A2 + z2 * (A3 + z2))) / (A1 + z2 * (B2 + z2 * (B3 + z2 * B4)))
    return HALF * (ONE + tanh)


@compile_loop
def loss(score, labels, weights, R):
    """The loss of R scores in nats; labels are 1 or 0."""
    nats = 0.0
    for j in range(R):
        against = score[j] if labels[j] == ZERO else -score[j]
        nats += weights[j] * np.log1p(np.exp(np.float64(against)))
    return nats


@compile_loop
def errors(score, labels, weights, R, lr):
    """Scores become errors, in place: (sigma(score) - label), times weight, times learning rate."""
    for j in range(R):
        score[j] = (sigmoid(score[j]) - labels[j]) * weights[j] * lr


@functools.lru_cache
def row_operations(d: int):
    """scores and follow, the two passes over rows of d coordinates that both loops make."""

    @compile_loop
    def scores(x, table, rows, R, score):
        for j in range(R):
            u = table[rows[j]]
            dot = ZERO
            for k in range(d):
                dot += x[k] * u[k]
            score[j] = dot

    @compile_loop
    def follow(x, step, table, rates, rows, error, first, last):
        """Error times vector: added up in the step of x, and taken by the rows at once."""
        for j in range(first, last):
            u = table[rows[j]]
            e = error[j]
            f = e * rates[rows[j]]
            for k in range(d):
                step[k] += e * u[k]
                u[k] -= f * x[k]

    return scores, follow


@functools.lru_cache
def top_operations(d: int):
    """collect and move: what the top nodes of a path need, which move once per window."""

    @compile_loop
    def collect(x, step, moves, table, rows, error, top):
        """Error times vector: added up in the step of x, and in the moves of the top rows."""
        for j in range(top):
            u = table[rows[j]]
            move = moves[j]
            e = error[j]
            for k in range(d):
                step[k] += e * u[k]
                move[k] += e * x[k]

    @compile_loop
    def move(table, rates, rows, moves, top):
        for j in range(top):
            u = table[rows[j]]
            rate = rates[rows[j]]
            for k in range(d):
                u[k] -= rate * moves[j, k]

    return collect, move


def windows_loop(d: int):
    """15.2.6: see `loops`."""
    scores, follow = row_operations(d)

    @compile_loop
    def windows(
        input_vectors,
        output_vectors,
        input_rates,
        output_rates,
        ids,
        left,
        right,
        start,
        end,
        noise,
        M,
        share,
        lr,
        every,
    ):
        most = left[start:end].max() + right[start:end].max() + M
        rows = np.empty(most, np.int32)
        labels = np.empty(most, np.float32)
        weights = np.empty(most, np.float32)
        error = np.empty(most, np.float32)
        step = np.empty(d, np.float32)
        pairs = 0
        nats = 0.0
        measured = 0
        words = 0
        for centre in range(start, end):
            n = left[centre] + right[centre]
            if n == 0:
                continue
            j = 0
            for place in range(centre - left[centre], centre + right[centre] + 1):
                if place != centre:
                    rows[j] = ids[place]
                    labels[j] = ONE
                    weights[j] = ONE
                    j += 1
            for place in range(centre, centre + M):
                rows[j] = noise[place]
                labels[j] = ZERO
                weights[j] = n * share
                j += 1

            x = input_vectors[ids[centre]]
            scores(x, output_vectors, rows, n + M, error)
            if words % every == 0:
                nats += loss(error, labels, weights, n + M)
                measured += n
            errors(error, labels, weights, n + M, lr)
            step[:] = ZERO
            follow(x, step, output_vectors, output_rates, rows, error, 0, n + M)
            rate = input_rates[ids[centre]]
            for k in range(d):
                x[k] -= rate * step[k]
            pairs += n
            words += 1
        return pairs, nats, measured

    return windows


def walks_loop(d: int):
    """15.2.7: see `loops`."""
    scores, follow = row_operations(d)
    collect, move = top_operations(d)

    @compile_loop
    def walks(
        input_vectors,
        output_vectors,
        input_rates,
        output_rates,
        ids,
        left,
        right,
        start,
        end,
        paths,
        turns,
        depths,
        lr,
        every,
    ):
        error = np.empty(paths.shape[1], np.float32)
        weights = np.ones(paths.shape[1], np.float32)
        step = np.empty(d, np.float32)
        moves = np.empty((TOP_NODES, d), np.float32)
        pairs = 0
        nats = 0.0
        measured = 0
        for target in range(start, end):
            word = ids[target]
            path = paths[word]
            depth = depths[word]
            labels = turns[word]
            # Every walk meets the top nodes. They are written once per window, or threads would
            # wait for each other at every pair.
            top = min(depth, TOP_NODES)
            moves[:top] = ZERO
            for place in range(target - left[target], target + right[target] + 1):
                if place == target:
                    continue
                x = input_vectors[ids[place]]
                scores(x, output_vectors, path, depth, error)
                if pairs % every == 0:
                    nats += loss(error, labels, weights, depth)
                    measured += 1
                errors(error, labels, weights, depth, lr)
                step[:] = ZERO
                collect(x, step, moves, output_vectors, path, error, top)
                follow(x, step, output_vectors, output_rates, path, error, top, depth)
                rate = input_rates[ids[place]]
                for k in range(d):
                    x[k] -= rate * step[k]
                pairs += 1
            move(output_vectors, output_rates, path, moves, top)
        return pairs, nats, measured

    return walks


@functools.lru_cache
def loops(d: int) -> Loops:
    """The loops for vectors of d coordinates, which learn the words start .. end of the text `ids`.

        windows(input_vectors, output_vectors, input_rates, output_rates, ids, left, right,
                start, end, noise, M, share, lr, every)                                  15.2.6
        walks(input_vectors, output_vectors, input_rates, output_rates, ids, left, right,
              start, end, paths, turns, depths, lr, every)                               15.2.7

    A word's window reaches `left` and `right`. Under negative sampling the word's vector meets its
    n context words, and the M words of `noise` from the word's own place on, each with weight n
    times `share`; all of them move its vector at once. Under hierarchical softmax each word of the
    window walks down the path to the target, one walk after the other; `turns` are 1 where the path
    turns left. The first nodes of the path move at the end of the window.

    Tables are float32 and changed in place; sigma is within 1e-4. Returns the number of pairs, and
    the loss in nats, summed over some pairs (those of each `every`-th word, or each `every`-th
    pair), with the number of these.
    """
    return Loops(windows_loop(d), walks_loop(d))
