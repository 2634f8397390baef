"""The readable loops: one pair, one row, one coordinate after the other.

They say what `utils.fast.loops` computes with rows in registers, stand in for it where that does
not work, and are what its results are tested against. numba compiles them; `loop.py_func` is the
same function in plain Python.

All loops learn the words start .. end - 1 of a text, change the tables in place, and take

    tables                  (inputs, outputs, in_rates, out_rates): float32 (V, d) and (V, d), or
                            (V - 1, d) for inner nodes, and a learning rate for each of their rows
    text                    (ids, left, right): the words, int32 (n,), and how many words each
                            word's window reaches to either side
    start, end              the part of the text to learn
    noise                   (drawn, num_noise, share): noise words, int32, how many of them a window
                            meets, and the weight of each; CBOW has no share
    or tree                 (paths, turns, depths, top, shift): paths[w, :depths[w]] are the inner
                            nodes on the way to word w, int32; turns, float32, is 1 where it turns
                            left. The first `top` nodes are learned in the rows `shift` further on,
                            this thread's own copy of them (`utils.fast.copies`)
    lr                      float32, a factor of all rates
    every                   the loss is computed for each `every`-th window

and return (pairs, nats, measured): the number of pairs that were learned, or of windows for CBOW,
the summed loss in nats of those measured, and how many these were. sigma is computed to 1e-4.

Ids are not checked here, see `utils.fast.bounds`.
"""

import numpy as np

from utils.fast.compiling import compiled

ZERO = np.float32(0)
HALF = np.float32(0.5)
ONE = np.float32(1)
SATURATED = np.float32(4.97)  # half of the score beyond which sigma is 0 or 1, to 5e-5


@compiled
def sigma(score):
    """1 / (1 + exp(-score)) = (1 + tanh(score / 2)) / 2, with tanh's continued fraction, cut off.

    tanh z = z / (1 + z^2 / (3 + z^2 / (5 + ...))), Lambert (1761); ended at 13 and multiplied out.
    """
    z = max(-SATURATED, min(SATURATED, HALF * score))
    square = z * z
    above = np.float32(378) + square
    above = np.float32(17325) + square * above
    above = np.float32(135135) + square * above
    below = np.float32(3150) + square * np.float32(28)
    below = np.float32(62370) + square * below
    below = np.float32(135135) + square * below
    return HALF + HALF * z * above / below


@compiled
def question_loss(score, label):
    """-log sigma(score) where the answer is yes (label 1), -log sigma(-score) where it is no."""
    signed = -score if label == ONE else score
    return np.log1p(np.exp(np.float64(signed)))


@compiled
def dot(x, u):
    total = ZERO
    for k in range(len(x)):
        total += x[k] * u[k]
    return total


@compiled
def add_multiple(a, x, y):
    """y += a x."""
    for k in range(len(x)):
        y[k] += a * x[k]


@compiled
def answer(x, outputs, rows, labels, times, questions, lr, errors, with_loss):
    """Answer the questions about x, row after row: error = (sigma(score) - label) times lr.

    `times` says how often each question counts. Returns the loss in nats, or 0 without `with_loss`.
    """
    nats = 0.0
    for j in range(questions):
        score = dot(x, outputs[rows[j]])
        if with_loss:
            nats += times[j] * question_loss(score, labels[j])
        errors[j] = (sigma(score) - labels[j]) * times[j] * lr
    return nats


@compiled
def learn_rows(x, step, outputs, out_rates, rows, errors, questions):
    """Error times vector, both ways: into the step of x, and into each output row at once."""
    for j in range(questions):
        u = outputs[rows[j]]
        add_multiple(errors[j], u, step)
        add_multiple(-out_rates[rows[j]] * errors[j], x, u)


@compiled
def context_words(ids, left, right, place, words):
    """Write the words of the window around `place` into `words`; returns how many they are."""
    n = 0
    for other in range(place - left[place], place + right[place] + 1):
        if other != place:
            words[n] = ids[other]
            n += 1
    return n


@compiled
def longest_window(left, right, start, end):
    longest = 0
    for place in range(start, end):
        longest = max(longest, left[place] + right[place])
    return longest


@compiled
def skip_gram_sampling(tables, text, start, end, noise, lr, every):
    """Skip-gram with negative sampling (15.2.6): a centre word and its n context words.

    All pairs of the window share the `num_noise` words of `drawn` from the centre's own place on,
    each of which counts n `share` times. A `share` of K / num_noise makes that as many as K noise
    words for each pair. The centre word moves once, by the sum over its window.
    """
    inputs, outputs, in_rates, out_rates = tables
    ids, left, right = text
    drawn, num_noise, share = noise
    most = longest_window(left, right, start, end) + num_noise
    rows = np.empty(most, np.int32)
    labels = np.empty(most, np.float32)
    times = np.empty(most, np.float32)
    errors = np.empty(most, np.float32)
    step = np.empty(inputs.shape[1], np.float32)
    pairs = 0
    windows = 0
    nats = 0.0
    measured = 0
    for centre in range(start, end):
        n = context_words(ids, left, right, centre, rows)
        if n == 0:
            continue
        questions = n + num_noise
        rows[n:questions] = drawn[centre : centre + num_noise]
        labels[:n] = ONE
        labels[n:questions] = ZERO
        times[:n] = ONE
        times[n:questions] = n * share

        with_loss = windows % every == 0
        x = inputs[ids[centre]]
        nats += answer(x, outputs, rows, labels, times, questions, lr, errors, with_loss)
        step[:] = ZERO
        learn_rows(x, step, outputs, out_rates, rows, errors, questions)
        add_multiple(-in_rates[ids[centre]], step, x)

        measured += n * with_loss
        windows += 1
        pairs += n
    return pairs, nats, measured


@compiled
def node_rows(path, depth, top, shift, rows):
    """Write the rows of the output table that stand for the nodes of a path into `rows`."""
    for j in range(depth):
        rows[j] = path[j] + shift if path[j] < top else path[j]


@compiled
def skip_gram_walks(tables, text, start, end, tree, lr, every):
    """Skip-gram with hierarchical softmax (15.2.7): from each context word to the word at `place`.

    The words of a window walk one after the other, and each node moves at once.
    """
    inputs, outputs, in_rates, out_rates = tables
    ids, left, right = text
    paths, turns, depths, top, shift = tree
    rows = np.empty(paths.shape[1], np.int32)
    words = np.empty(longest_window(left, right, start, end), np.int32)
    errors = np.empty(paths.shape[1], np.float32)
    times = np.ones(paths.shape[1], np.float32)
    step = np.empty(inputs.shape[1], np.float32)
    pairs = 0
    windows = 0
    nats = 0.0
    measured = 0
    for place in range(start, end):
        n = context_words(ids, left, right, place, words)
        if n == 0:
            continue
        target = ids[place]
        depth = depths[target]
        node_rows(paths[target], depth, top, shift, rows)
        with_loss = windows % every == 0
        for word in words[:n]:
            x = inputs[word]
            nats += answer(x, outputs, rows, turns[target], times, depth, lr, errors, with_loss)
            step[:] = ZERO
            learn_rows(x, step, outputs, out_rates, rows, errors, depth)
            add_multiple(-in_rates[word], step, x)

        measured += n * with_loss
        windows += 1
        pairs += n
    return pairs, nats, measured


@compiled
def skip_gram_walks_together(tables, text, start, end, tree, lr, every):
    """As `skip_gram_walks`, but all rows move once, at the end of the window.

    All walks of a window see the same nodes, so they are products of two small matrices: another
    order of updates, not another gradient.
    """
    inputs, outputs, in_rates, out_rates = tables
    ids, left, right = text
    paths, turns, depths, top, shift = tree
    rows = np.empty(paths.shape[1], np.int32)
    most = longest_window(left, right, start, end)
    d = inputs.shape[1]
    words = np.empty(most, np.int32)
    errors = np.empty(paths.shape[1], np.float32)
    times = np.ones(paths.shape[1], np.float32)
    steps = np.empty((most, d), np.float32)
    node_steps = np.empty((paths.shape[1], d), np.float32)
    pairs = 0
    windows = 0
    nats = 0.0
    measured = 0
    for place in range(start, end):
        n = context_words(ids, left, right, place, words)
        if n == 0:
            continue
        target = ids[place]
        depth = depths[target]
        node_rows(paths[target], depth, top, shift, rows)
        steps[:n] = ZERO
        node_steps[:depth] = ZERO
        with_loss = windows % every == 0
        for i in range(n):
            x = inputs[words[i]]
            nats += answer(x, outputs, rows, turns[target], times, depth, lr, errors, with_loss)
            for j in range(depth):
                add_multiple(errors[j], outputs[rows[j]], steps[i])
                add_multiple(errors[j], x, node_steps[j])
        for i in range(n):
            add_multiple(-in_rates[words[i]], steps[i], inputs[words[i]])
        for j in range(depth):
            add_multiple(-out_rates[rows[j]], node_steps[j], outputs[rows[j]])

        measured += n * with_loss
        windows += 1
        pairs += n
    return pairs, nats, measured


@compiled
def mean_of(inputs, words, n, hidden):
    """hidden = the mean of the rows of the first n words (15.1.10)."""
    share = np.float32(1 / n)
    hidden[:] = ZERO
    for word in words[:n]:
        add_multiple(share, inputs[word], hidden)


@compiled
def move_context(inputs, in_rates, words, n, step):
    """Each of n context words moves by 1 / n of the step of their mean: its own gradient."""
    share = np.float32(1 / n)
    for word in words[:n]:
        add_multiple(-in_rates[word] * share, step, inputs[word])


@compiled
def cbow_sampling(tables, text, start, end, noise, lr, every):
    """CBOW with negative sampling: from the mean of the window's words to the word at its centre.

    The word at place i has the noise words drawn[i : i + num_noise]: a new one for each word.
    """
    inputs, outputs, in_rates, out_rates = tables
    ids, left, right = text
    drawn, num_noise = noise
    words = np.empty(longest_window(left, right, start, end), np.int32)
    rows = np.empty(1 + num_noise, np.int32)
    labels = np.zeros(1 + num_noise, np.float32)
    labels[0] = ONE
    times = np.ones(1 + num_noise, np.float32)
    errors = np.empty(1 + num_noise, np.float32)
    hidden = np.empty(inputs.shape[1], np.float32)
    step = np.empty(inputs.shape[1], np.float32)
    windows = 0
    nats = 0.0
    measured = 0
    for place in range(start, end):
        n = context_words(ids, left, right, place, words)
        if n == 0:
            continue
        rows[0] = ids[place]
        rows[1:] = drawn[place : place + num_noise]

        mean_of(inputs, words, n, hidden)
        with_loss = windows % every == 0
        nats += answer(hidden, outputs, rows, labels, times, 1 + num_noise, lr, errors, with_loss)
        step[:] = ZERO
        learn_rows(hidden, step, outputs, out_rates, rows, errors, 1 + num_noise)
        move_context(inputs, in_rates, words, n, step)

        measured += with_loss
        windows += 1
    return windows, nats, measured


@compiled
def cbow_walks(tables, text, start, end, tree, lr, every):
    """CBOW with hierarchical softmax: the mean of the window's words walks to its centre word."""
    inputs, outputs, in_rates, out_rates = tables
    ids, left, right = text
    paths, turns, depths, top, shift = tree
    rows = np.empty(paths.shape[1], np.int32)
    words = np.empty(longest_window(left, right, start, end), np.int32)
    errors = np.empty(paths.shape[1], np.float32)
    times = np.ones(paths.shape[1], np.float32)
    hidden = np.empty(inputs.shape[1], np.float32)
    step = np.empty(inputs.shape[1], np.float32)
    windows = 0
    nats = 0.0
    measured = 0
    for place in range(start, end):
        n = context_words(ids, left, right, place, words)
        if n == 0:
            continue
        target = ids[place]
        depth = depths[target]
        node_rows(paths[target], depth, top, shift, rows)

        mean_of(inputs, words, n, hidden)
        labels = turns[target]
        with_loss = windows % every == 0
        nats += answer(hidden, outputs, rows, labels, times, depth, lr, errors, with_loss)
        step[:] = ZERO
        learn_rows(hidden, step, outputs, out_rates, rows, errors, depth)
        move_context(inputs, in_rates, words, n, step)

        measured += with_loss
        windows += 1
    return windows, nats, measured
