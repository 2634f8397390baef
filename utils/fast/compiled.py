"""Both ways round the softmax as loops that numba compiles: no row is fetched twice, none is written aside.

Blocks suit products of matrices; a loop may ask only what is needed, while its few rows stay in the processor's cache.
numba may be missing.
"""

import functools
import inspect
from typing import NamedTuple

import numpy as np

try:
    from numba import njit
except ImportError:  # the blocks of objectives.py do the same, more slowly
    njit = None

BUSY = 4  # nodes of a walk, from the root on, that all threads write to


class Loops(NamedTuple):
    """Two compiled loops; each compiles when it is first called, which takes a second or two, once a process."""

    windows: object
    walks: object


@functools.lru_cache
def loops(d: int) -> Loops:
    """The loops for vectors of d coordinates, which learn the words start .. end of the text `ids`.

    windows(inputs, outputs, in_rates, out_rates, ids, left, right, start, end, noise, M, share, lr, every)      15.2.6
    walks(inputs, outputs, in_rates, out_rates, ids, left, right, start, end, paths, turns, depths, lr, every)   15.2.7

    A word's window reaches `left` and `right`. Negative sampling asks for its n words, and n `share` times for each of
    M words of `noise`, from the word's own place on; all move its vector at once. Hierarchical softmax walks from each
    word of the window to the word, one walk after the other: `turns` are 1 where the path turns left; the first
    nodes move at the end of the window. float32 tables are changed in place; sigma is within 1e-4. Return the number of
    pairs, and the loss in nats, summed over some pairs (those of each `every`-th word, or each `every`-th pair), with
    the number of these.
    """
    half, one, bound, zero = np.float32(0.5), np.float32(1), np.float32(4.97), np.float32(0)
    a1, a2, a3 = (
        np.float32(135135),
        np.float32(17325),
        np.float32(378),
    )  # tanh's continued fraction, cut off
    b2, b3, b4 = np.float32(62370), np.float32(3150), np.float32(28)

    def scores(x, table, rows, R, score):
        for j in range(R):
            u, dot = table[rows[j]], zero
            for k in range(d):
                dot += x[k] * u[k]
            score[j] = dot

    def loss(score, labels, times, R):
        nats = 0.0
        for j in range(R):
            nats += times[j] * np.log1p(
                np.exp(np.float64(score[j] if labels[j] == zero else -score[j]))
            )
        return nats

    def errors(
        score, labels, times, R, lr
    ):  # in place: (sigma(score) - label), times over, times lr
        for j in range(R):
            z = max(-bound, min(bound, half * score[j]))
            z2 = z * z
            tanh = z * (a1 + z2 * (a2 + z2 * (a3 + z2))) / (a1 + z2 * (b2 + z2 * (b3 + z2 * b4)))
            score[j] = (half * (one + tanh) - labels[j]) * times[j] * lr

    def follow(
        x, step, table, rates, rows, error, first, last
    ):  # error times vector: into the step of x,
        for j in range(first, last):  # and into the rows at once
            u, e, f = table[rows[j]], error[j], error[j] * rates[rows[j]]
            for k in range(d):
                step[k] += e * u[k]
                u[k] -= f * x[k]

    def windows(
        inputs,
        outputs,
        in_rates,
        out_rates,
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
        rows, step, error = (
            np.empty(most, np.int32),
            np.empty(d, np.float32),
            np.empty(most, np.float32),
        )
        labels, times = np.empty(most, np.float32), np.empty(most, np.float32)
        pairs, nats, measured, words = 0, 0.0, 0, 0
        for centre in range(start, end):
            n = left[centre] + right[centre]
            if n == 0:
                continue
            j = 0
            for place in range(centre - left[centre], centre + right[centre] + 1):
                if place != centre:
                    rows[j], labels[j], times[j] = ids[place], one, one
                    j += 1
            for place in range(centre, centre + M):
                rows[j], labels[j], times[j] = noise[place], zero, n * share
                j += 1
            x = inputs[ids[centre]]
            scores(x, outputs, rows, n + M, error)
            if words % every == 0:
                nats += loss(error, labels, times, n + M)
                measured += n
            errors(error, labels, times, n + M, lr)
            step[:] = zero
            follow(x, step, outputs, out_rates, rows, error, 0, n + M)
            rate = in_rates[ids[centre]]
            for k in range(d):
                x[k] -= rate * step[k]
            pairs += n
            words += 1
        return pairs, nats, measured

    def walks(
        inputs,
        outputs,
        in_rates,
        out_rates,
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
        step, error = np.empty(d, np.float32), np.empty(paths.shape[1], np.float32)
        moves, times = np.empty((BUSY, d), np.float32), np.ones(paths.shape[1], np.float32)
        pairs, nats, measured = 0, 0.0, 0
        for target in range(start, end):
            word = ids[target]
            path, depth, labels = paths[word], depths[word], turns[word]
            top = min(depth, BUSY)  # written once a word, or threads would wait for each other
            moves[:top] = zero
            for place in range(target - left[target], target + right[target] + 1):
                if place == target:
                    continue
                x = inputs[ids[place]]
                scores(x, outputs, path, depth, error)
                if pairs % every == 0:
                    nats += loss(error, labels, times, depth)
                    measured += 1
                errors(error, labels, times, depth, lr)
                step[:] = zero
                for j in range(top):
                    u, move, e = outputs[path[j]], moves[j], error[j]
                    for k in range(d):
                        step[k] += e * u[k]
                        move[k] += e * x[k]
                follow(x, step, outputs, out_rates, path, error, top, depth)
                rate = in_rates[ids[place]]
                for k in range(d):
                    x[k] -= rate * step[k]
                pairs += 1
            for j in range(top):
                u, move, rate = outputs[path[j]], moves[j], out_rates[path[j]]
                for k in range(d):
                    u[k] -= rate * move[k]
        return pairs, nats, measured

    def compiled(function):  # without the type checks that tests wrap around it
        return njit(nogil=True, fastmath=True, error_model="numpy")(inspect.unwrap(function))

    scores, loss, errors, follow = map(compiled, (scores, loss, errors, follow))
    return Loops(compiled(windows), compiled(walks))
