"""Hierarchical softmax pair by pair, in a loop that numba compiles: no row is fetched twice, none is written aside.

What blocks are for products of matrices, this is for short walks: few rows, all in the cache. numba may be missing.
"""

import functools
import inspect

import numpy as np

try:
    from numba import njit
except ImportError:                                    # the blocks of objectives.py do the same, more slowly
    njit = None


@functools.lru_cache
def walks(d: int):
    """The compiled loop for vectors of d coordinates; compiling takes about a second, once a process.

    walk(inputs, outputs, input_rates, output_rates, ids, left, right, start, end, paths, signs, depths, lr, every)
    learns the pairs of the words start .. end of the text `ids` (15.2.7): each word's walk, from every word of its
    window, which reaches `left` and `right`. float32 tables are changed in place; sigma is within 1e-4. Returns the
    number of pairs, and the loss in nats, summed over each `every`-th pair, with the number of these.
    """
    half, one, bound, zero = np.float32(0.5), np.float32(1), np.float32(4.97), np.float32(0)
    a1, a2, a3 = np.float32(135135), np.float32(17325), np.float32(378)      # tanh's continued fraction, cut off
    b2, b3, b4 = np.float32(62370), np.float32(3150), np.float32(28)

    def walk(inputs, outputs, input_rates, output_rates, ids, left, right, start, end, paths, signs, depths, lr, every):
        step, error = np.empty(d, np.float32), np.empty(paths.shape[1], np.float32)
        moves = np.empty((paths.shape[1], d), np.float32)
        pairs, nats, measured = 0, 0.0, 0
        for target in range(start, end):
            word = ids[target]
            moves[:depths[word]] = zero                # written once a word: threads seldom wait for each other's rows
            for place in range(target - left[target], target + right[target] + 1):
                if place == target:
                    continue
                x = inputs[ids[place]]
                step[:] = zero
                for j in range(depths[word]):
                    u, score = outputs[paths[word, j]], zero
                    for k in range(d):
                        score += x[k] * u[k]
                    error[j] = score
                if pairs % every == 0:
                    for j in range(depths[word]):
                        nats += np.log1p(np.exp(-signs[word, j] * np.float64(error[j])))
                    measured += 1
                for j in range(depths[word]):
                    z = max(-bound, min(bound, half * error[j]))
                    z2 = z * z
                    tanh = z * (a1 + z2 * (a2 + z2 * (a3 + z2))) / (a1 + z2 * (b2 + z2 * (b3 + z2 * b4)))
                    error[j] = (half * (one + tanh) - (one if signs[word, j] > 0 else zero)) * lr
                for j in range(depths[word]):
                    u, move, e = outputs[paths[word, j]], moves[j], error[j]
                    for k in range(d):
                        step[k] += e * u[k]
                        move[k] += e * x[k]
                rate = input_rates[ids[place]]
                for k in range(d):
                    x[k] -= rate * step[k]
                pairs += 1
            for j in range(depths[word]):
                u, move, rate = outputs[paths[word, j]], moves[j], output_rates[paths[word, j]]
                for k in range(d):
                    u[k] -= rate * move[k]
        return pairs, nats, measured

    bare = inspect.unwrap(walk)                        # without the type checks that tests wrap around it
    return njit(nogil=True, fastmath=True, error_model="numpy")(bare)
