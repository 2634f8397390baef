"""The loops of `utils.fast.plain` with rows in vector registers, about twice as fast.

Each function here computes what the function of the same name in `plain` does, in the same order;
sums within a dot product come in another order, so results differ by rounding. What makes the
difference: four dot products at once, sigma for a whole window in a few instructions, and updates
piece by piece of a row (`utils.fast.rows`), so that the word's own vector and its step stay in
registers while all its output rows pass by, each fetched and written once.
"""

import functools
from typing import NamedTuple

import numpy as np
from numba.core.errors import NumbaError

from utils.fast import plain
from utils.fast.compiling import compiled, inlined
from utils.fast.plain import (
    ONE,
    ZERO,
    longest_window,
    question_loss,
    sigma,
)

try:
    from utils.fast.rows import (
        padded_width,
        piece_operations,
        piece_sizes,
        row_dots,
        row_prefetch,
        vector_width,
    )
except ImportError:  # a numba or llvmlite whose insides are arranged in another way
    row_dots = None

GROUP = 8  # questions are filled up to a multiple of this, so that no odd ones are left over


class Loops(NamedTuple):
    """The compiled loops for tables of `columns` columns, d of them used and the others zero.

    Their arguments are those of the functions in `utils.fast.plain`. `width` is the number of
    floats in a vector, or 1 if these are the plain loops. A loop compiles when it is first called,
    which takes seconds, and is kept for the next process (`utils.fast.compiling`).
    """

    columns: int
    width: int
    skip_gram_sampling: object
    skip_gram_walks: object
    skip_gram_walks_together: object
    cbow_sampling: object
    cbow_walks: object


NAMES = Loops._fields[2:]


def choose_loops(d: int) -> Loops:
    """The fastest loops for vectors of d coordinates that work here."""
    if row_dots is None:
        return plain_loops(d)
    return row_loops(d) if _rows_work() else plain_loops(d)


def plain_loops(d: int) -> Loops:
    return Loops(d, 1, *(getattr(plain, name) for name in NAMES))


@functools.lru_cache
def _rows_work() -> bool:
    """Whether code with rows in registers compiles here, and computes a dot product rightly."""
    table = np.ones((4, 2 * vector_width()), np.float32)
    rows = np.arange(4, dtype=np.int32)
    scores = np.zeros(4, np.float32)
    columns = table.shape[1]
    four_dots = row_dots(columns, vector_width())

    @compiled(variant=(columns, vector_width()))
    def probe(table, rows, scores):
        four_dots(table, 0, table, rows, 0, scores)

    try:
        probe(table, rows, scores)
    except (NumbaError, NotImplementedError, RuntimeError):
        return False
    return bool((scores == columns).all())


@functools.lru_cache
def row_loops(d: int, width: int | None = None) -> Loops:
    """The loops with rows in registers, for tables from `kernels.padded(vectors, columns)`.

    `width` is 4, 8 or 16 floats; by default what this processor's registers hold. Any width gives
    right results on any processor.
    """
    width = width or vector_width()
    columns = padded_width(d, width)
    kernels = _kernels(columns, width)
    return Loops(
        columns,
        width,
        *(make(kernels, columns, width) for make in LOOPS),
    )


# What the loops are made of. Each function below makes a compiled one for rows of one length.


class Kernels(NamedTuple):
    """Compiled functions that all loops share; `xs` and i name a row, of the inputs or of scratch.

    answer(xs, i, outputs, rows, labels, times, questions, lr, scores, errors, with_loss) -> nats
    learn(xs, i, rate, outputs, rows, errors, factors, questions)
    """

    answer: object
    learn: object
    learn_bag: object
    learn_window: object
    mean: object
    prefetch: object


def _kernels(columns: int, width: int) -> Kernels:
    cut = piece_sizes(columns, width)
    large = piece_operations(cut.large, columns, width)
    small = piece_operations(cut.small, columns, width)
    border = cut.large * cut.large_count * width

    def for_all_pieces(make):
        """The function that `make` makes of a piece's operations, for all pieces of a row."""
        of_large = make(large)
        of_small = make(small)
        large_step = cut.large * width
        small_step = cut.small * width

        @inlined
        def for_each(*arguments):
            for column in range(0, border, large_step):
                of_large(column, *arguments)
            for column in range(border, columns, small_step):
                of_small(column, *arguments)

        return for_each

    return Kernels(
        _answer(row_dots(columns, width)),
        for_all_pieces(_learn),
        for_all_pieces(_learn_bag),
        for_all_pieces(_learn_window),
        for_all_pieces(_mean),
        row_prefetch(columns),
    )


def room_for(questions: int) -> int:
    """Elements of an array that holds so many questions, filled up to whole groups."""
    return questions + GROUP


room = compiled(room_for)


def _answer(four_dots):
    @inlined
    def answer(xs, i, outputs, rows, labels, times, questions, lr, scores, errors, with_loss):
        """`plain.answer`; rows, labels, ... have `room` for questions up to a whole group."""
        for j in range(questions, questions + 3):
            rows[j] = rows[questions - 1]
        for j in range(0, questions, 4):
            four_dots(xs, i, outputs, rows, j, scores)
        # A multiple of GROUP, that the compiler may take several at once and have none left.
        filled = (questions + GROUP - 1) // GROUP * GROUP
        for j in range(filled):
            errors[j] = (sigma(scores[j]) - labels[j]) * times[j] * lr
        nats = 0.0
        if with_loss:
            for j in range(questions):
                nats += times[j] * question_loss(scores[j], labels[j])
        return nats

    return answer


def _learn(piece):
    load, store, zeros, axpy = piece

    @inlined
    def learn(column, xs, i, rate, outputs, rows, errors, factors, questions):
        """A word's row and the output rows it was asked about: error times vector, both ways.

        The output row j moves by factors[j] times x.
        """
        x = load(xs, i, column)
        step = zeros()
        for j in range(questions):
            u = load(outputs, rows[j], column)
            step = axpy(errors[j], u, step)
            store(outputs, rows[j], column, axpy(factors[j], x, u))
        store(xs, i, column, axpy(-rate, step, x))

    return learn


def _learn_bag(piece):
    load, store, zeros, axpy = piece

    @inlined
    def learn_bag(
        column, hidden, outputs, rows, errors, factors, questions, inputs, words, n, moves
    ):
        """CBOW: the step of the mean goes to each of its n words, `moves[i]` times."""
        x = load(hidden, 0, column)
        step = zeros()
        for j in range(questions):
            u = load(outputs, rows[j], column)
            step = axpy(errors[j], u, step)
            store(outputs, rows[j], column, axpy(factors[j], x, u))
        for i in range(n):
            store(inputs, words[i], column, axpy(moves[i], step, load(inputs, words[i], column)))

    return learn_bag


def _learn_window(piece):
    load, store, zeros, axpy = piece

    @inlined
    def learn_window(
        column, inputs, in_rates, words, n, outputs, out_rates, rows, depth, xs, errors
    ):
        """n walks along one path: errors (n + 1, depth + 1), whose last row and column are zero.

        Words and nodes go two by two, so that a row that was fetched serves twice. An odd number
        is made even by one that does not move, because its errors are zero. `xs` keeps the words'
        vectors of before for the nodes.
        """
        for i in range(n):
            store(xs, i, column, load(inputs, words[i], column))
        store(xs, n, column, zeros())
        for i in range(0, n, 2):
            step = zeros()
            other = zeros()
            for j in range(depth):
                u = load(outputs, rows[j], column)
                step = axpy(errors[i, j], u, step)
                other = axpy(errors[i + 1, j], u, other)
            word = words[i]
            store(inputs, word, column, axpy(-in_rates[word], step, load(inputs, word, column)))
            word = words[i + 1]
            store(inputs, word, column, axpy(-in_rates[word], other, load(inputs, word, column)))
        for j in range(0, depth, 2):
            step = zeros()
            other = zeros()
            for i in range(n):
                x = load(xs, i, column)
                step = axpy(errors[i, j], x, step)
                other = axpy(errors[i, j + 1], x, other)
            node = rows[j]
            store(outputs, node, column, axpy(-out_rates[node], step, load(outputs, node, column)))
            node = rows[j + 1]
            store(outputs, node, column, axpy(-out_rates[node], other, load(outputs, node, column)))

    return learn_window


def _mean(piece):
    load, store, zeros, axpy = piece

    @inlined
    def mean(column, inputs, words, n, hidden):
        share = np.float32(1 / n)
        total = zeros()
        for i in range(n):
            total = axpy(share, load(inputs, words[i], column), total)
        store(hidden, 0, column, total)

    return mean


# The loops


@inlined
def context_rows(ids, left, right, place, rows):
    """`plain.context_words` without a branch in the loop."""
    first = place - left[place]
    for j in range(left[place]):
        rows[j] = ids[first + j]
    for j in range(left[place], left[place] + right[place]):
        rows[j] = ids[first + j + 1]
    return left[place] + right[place]


@inlined
def output_factors(errors, out_rates, rows, questions, factors):
    """How far each output row moves along x."""
    for j in range(questions):
        factors[j] = -out_rates[rows[j]] * errors[j]


@inlined
def word_ahead(ids, place, distance):
    """The word `distance` places further on, or the last one."""
    return ids[min(place + distance, len(ids) - 1)]


@inlined
def add_noise(drawn, place, num_noise, rows, first):
    """The noise words of a place, into `rows` from `first` on."""
    for j in range(num_noise):
        rows[first + j] = drawn[place + j]


@inlined
def ask(labels, times, n, questions, weight):
    """The first n words came from the text and count once, the others are noise."""
    for j in range(n):
        labels[j] = ONE
        times[j] = ONE
    for j in range(n, questions):
        labels[j] = ZERO
        times[j] = weight


def _skip_gram_sampling(kernels: Kernels, columns: int, width: int):
    answer = kernels.answer
    learn = kernels.learn
    prefetch = kernels.prefetch

    @compiled(variant=(columns, width))
    def skip_gram_sampling(tables, text, start, end, noise, lr, every):
        inputs, outputs, in_rates, out_rates = tables
        ids, left, right = text
        drawn, num_noise, share = noise
        most = room(longest_window(left, right, start, end) + num_noise)
        rows = np.zeros(most, np.int32)
        labels = np.zeros(most, np.float32)
        times = np.zeros(most, np.float32)
        scores = np.zeros(most, np.float32)
        errors = np.zeros(most, np.float32)
        factors = np.zeros(most, np.float32)
        pairs = 0
        windows = 0
        nats = 0.0
        measured = 0
        for centre in range(start, end):
            # The rows that the coming windows are the first to need.
            prefetch(inputs, word_ahead(ids, centre, 2))
            prefetch(outputs, word_ahead(ids, centre, 7))
            prefetch(outputs, word_ahead(drawn, centre, num_noise + 1))
            n = context_rows(ids, left, right, centre, rows)
            if n == 0:
                continue
            word = ids[centre]
            questions = n + num_noise
            add_noise(drawn, centre, num_noise, rows, n)
            ask(labels, times, n, questions, np.float32(n * share))

            with_loss = windows % every == 0
            nats += answer(
                inputs, word, outputs, rows, labels, times, questions, lr, scores, errors, with_loss
            )
            output_factors(errors, out_rates, rows, questions, factors)
            rate = in_rates[word]
            learn(inputs, word, rate, outputs, rows, errors, factors, questions)

            measured += n * with_loss
            windows += 1
            pairs += n
        return pairs, nats, measured

    return skip_gram_sampling


@inlined
def write_path(tree, target, rows, labels):
    """The path of a word, as `plain.node_rows`, into arrays with room; returns its length."""
    paths, turns, depths, top, shift = tree
    depth = depths[target]
    for j in range(depth):
        node = paths[target, j]
        rows[j] = node + shift * (node < top)
        labels[j] = turns[target, j]
    return depth


def _skip_gram_walks(kernels: Kernels, columns: int, width: int):
    answer = kernels.answer
    learn = kernels.learn

    @compiled(variant=(columns, width))
    def skip_gram_walks(tables, text, start, end, tree, lr, every):
        inputs, outputs, in_rates, out_rates = tables
        ids, left, right = text
        paths = tree[0]
        words = np.zeros(longest_window(left, right, start, end), np.int32)
        most = room(paths.shape[1])
        rows = np.zeros(most, np.int32)
        labels = np.zeros(most, np.float32)
        times = np.ones(most, np.float32)
        scores = np.zeros(most, np.float32)
        errors = np.zeros(most, np.float32)
        factors = np.zeros(most, np.float32)
        pairs = 0
        windows = 0
        nats = 0.0
        measured = 0
        for place in range(start, end):
            n = context_rows(ids, left, right, place, words)
            if n == 0:
                continue
            depth = write_path(tree, ids[place], rows, labels)
            with_loss = windows % every == 0
            for i in range(n):
                word = words[i]
                nats += answer(
                    inputs, word, outputs, rows, labels, times, depth, lr, scores, errors, with_loss
                )
                output_factors(errors, out_rates, rows, depth, factors)
                rate = in_rates[word]
                learn(inputs, word, rate, outputs, rows, errors, factors, depth)

            measured += n * with_loss
            windows += 1
            pairs += n
        return pairs, nats, measured

    return skip_gram_walks


def _skip_gram_walks_together(kernels: Kernels, columns: int, width: int):
    answer = kernels.answer
    learn_window = kernels.learn_window

    @compiled(variant=(columns, width))
    def skip_gram_walks_together(tables, text, start, end, tree, lr, every):
        inputs, outputs, in_rates, out_rates = tables
        ids, left, right = text
        paths = tree[0]
        longest = longest_window(left, right, start, end)
        words = np.zeros(longest + 1, np.int32)
        most = room(paths.shape[1])
        rows = np.zeros(most, np.int32)
        labels = np.zeros(most, np.float32)
        times = np.ones(most, np.float32)
        scores = np.zeros(most, np.float32)
        errors = np.zeros((longest + 1, most), np.float32)
        xs = np.zeros((longest + 1, columns), np.float32)
        pairs = 0
        windows = 0
        nats = 0.0
        measured = 0
        for place in range(start, end):
            n = context_rows(ids, left, right, place, words)
            if n == 0:
                continue
            depth = write_path(tree, ids[place], rows, labels)
            with_loss = windows % every == 0
            for i in range(n):
                row_errors = errors[i]
                nats += answer(
                    inputs,
                    words[i],
                    outputs,
                    rows,
                    labels,
                    times,
                    depth,
                    lr,
                    scores,
                    row_errors,
                    with_loss,
                )
                row_errors[depth] = ZERO
            words[n] = words[n - 1]
            errors[n, : depth + 1] = ZERO
            learn_window(inputs, in_rates, words, n, outputs, out_rates, rows, depth, xs, errors)

            measured += n * with_loss
            windows += 1
            pairs += n
        return pairs, nats, measured

    return skip_gram_walks_together


@inlined
def shares(in_rates, words, n, moves):
    """How far each of n context words moves along the step of their mean: its rate over n."""
    for i in range(n):
        moves[i] = -in_rates[words[i]] / np.float32(n)


def _cbow_sampling(kernels: Kernels, columns: int, width: int):
    answer = kernels.answer
    learn_bag = kernels.learn_bag
    mean = kernels.mean
    prefetch = kernels.prefetch

    @compiled(variant=(columns, width))
    def cbow_sampling(tables, text, start, end, noise, lr, every):
        inputs, outputs, in_rates, out_rates = tables
        ids, left, right = text
        drawn, num_noise = noise
        longest = longest_window(left, right, start, end)
        words = np.zeros(longest, np.int32)
        moves = np.zeros(longest, np.float32)
        questions = 1 + num_noise
        most = room(questions)
        rows = np.zeros(most, np.int32)
        labels = np.zeros(most, np.float32)
        labels[0] = ONE
        times = np.ones(most, np.float32)
        scores = np.zeros(most, np.float32)
        errors = np.zeros(most, np.float32)
        factors = np.zeros(most, np.float32)
        hidden = np.zeros((1, columns), np.float32)
        windows = 0
        nats = 0.0
        measured = 0
        for place in range(start, end):
            # The rows that the coming windows are the first to need.
            prefetch(inputs, word_ahead(ids, place, 7))
            prefetch(outputs, word_ahead(ids, place, 2))
            prefetch(outputs, word_ahead(drawn, place, num_noise + 1))
            n = context_rows(ids, left, right, place, words)
            if n == 0:
                continue
            rows[0] = ids[place]
            add_noise(drawn, place, num_noise, rows, 1)

            mean(inputs, words, n, hidden)
            with_loss = windows % every == 0
            nats += answer(
                hidden, 0, outputs, rows, labels, times, questions, lr, scores, errors, with_loss
            )
            output_factors(errors, out_rates, rows, questions, factors)
            shares(in_rates, words, n, moves)
            learn_bag(hidden, outputs, rows, errors, factors, questions, inputs, words, n, moves)

            measured += with_loss
            windows += 1
        return windows, nats, measured

    return cbow_sampling


def _cbow_walks(kernels: Kernels, columns: int, width: int):
    answer = kernels.answer
    learn_bag = kernels.learn_bag
    mean = kernels.mean

    @compiled(variant=(columns, width))
    def cbow_walks(tables, text, start, end, tree, lr, every):
        inputs, outputs, in_rates, out_rates = tables
        ids, left, right = text
        paths = tree[0]
        longest = longest_window(left, right, start, end)
        words = np.zeros(longest, np.int32)
        moves = np.zeros(longest, np.float32)
        most = room(paths.shape[1])
        rows = np.zeros(most, np.int32)
        labels = np.zeros(most, np.float32)
        times = np.ones(most, np.float32)
        scores = np.zeros(most, np.float32)
        errors = np.zeros(most, np.float32)
        factors = np.zeros(most, np.float32)
        hidden = np.zeros((1, columns), np.float32)
        windows = 0
        nats = 0.0
        measured = 0
        for place in range(start, end):
            n = context_rows(ids, left, right, place, words)
            if n == 0:
                continue
            depth = write_path(tree, ids[place], rows, labels)

            mean(inputs, words, n, hidden)
            with_loss = windows % every == 0
            nats += answer(
                hidden, 0, outputs, rows, labels, times, depth, lr, scores, errors, with_loss
            )
            output_factors(errors, out_rates, rows, depth, factors)
            shares(in_rates, words, n, moves)
            learn_bag(hidden, outputs, rows, errors, factors, depth, inputs, words, n, moves)

            measured += with_loss
            windows += 1
        return windows, nats, measured

    return cbow_walks


# In the order of `NAMES`.
LOOPS = (
    _skip_gram_sampling,
    _skip_gram_walks,
    _skip_gram_walks_together,
    _cbow_sampling,
    _cbow_walks,
)
