"""The exercises of lesson 04: hierarchical softmax, one walk, all leaves, padded walks."""

import math
from functools import partial

import numpy as np
from scipy import special

from utils.exercises.cases import integer, tree, vectors, walk
from utils.exercises.values import array


def _walks(generator):
    yield lambda: walk(generator, 5, 2, 3)
    while True:
        nodes = integer(generator, 4, 8)
        yield walk(generator, nodes, integer(generator, 1, 3), integer(generator, 1, nodes))


def _padded_walks(generator):
    yield lambda: walk(generator, 6, 2, 3, padding=1)
    yield lambda: walk(generator, 7, 3, 3, padding=2)
    while True:
        steps = integer(generator, 1, 4)
        yield walk(
            generator,
            integer(generator, 8, 10),
            integer(generator, 1, 3),
            steps,
            integer(generator, 0, 3),
        )


def _trees(generator):
    def draw(V, d):
        return tree(generator, V), *vectors(generator, V - 1, d)

    yield lambda: draw(5, 3)
    while True:
        yield draw(integer(generator, 2, 9), integer(generator, 1, 4))


# 4.1 and 4.2: one walk ----------------------------------------------------------------------------


def _x(U, v_c, path):
    return array(U)[array(path)] @ array(v_c)


def _go_left(U, v_c, path):
    return special.expit(_x(U, v_c, path))


def _steps(U, v_c, path, signs):
    return special.expit(array(signs) * _x(U, v_c, path))


def _probability(U, v_c, path, signs):
    return math.prod(_steps(U, v_c, path, signs))


PROBABILITY = (
    (
        lambda U, v_c, path, signs: _probability(U, v_c, path, -signs),
        (
            "The sign is turned: a left turn, +1, has probability sigma(score), a right turn, -1, "
            "sigma(-score)."
        ),
    ),
    (
        lambda U, v_c, path, signs: _probability(U, v_c, path, abs(signs)),
        "Every step is taken for a left turn: the signs are not used.",
    ),
    (
        lambda U, v_c, path, signs: math.prod(array(signs) * _go_left(U, v_c, path)),
        (
            "The sign belongs inside sigma: going right has probability sigma(-x), which is 1 - "
            "sigma(x), not -sigma(x)."
        ),
    ),
    (
        lambda U, v_c, path, signs: _probability(U, v_c, path[:-1], signs[:-1]),
        "The last step is missing. L(w) counts the leaf too, so L(w) - 1 is already the number of "
        "steps: use all of "
        "path.",
    ),
    (
        lambda U, v_c, path, signs: _probability(U, v_c, path[1:], signs[1:]),
        "The first step is missing: the root asks a question as well.",
    ),
    (
        _steps,
        "Those are the probabilities of the single steps. The walk needs all of them: multiply.",
    ),
    (
        lambda *case: _steps(*case).sum(),
        "The steps are added. All of them must happen, so their probabilities are multiplied.",
    ),
    (
        lambda *case: _steps(*case).mean(),
        (
            "That is the mean of the steps. All of them must happen, so their probabilities are "
            "multiplied."
        ),
    ),
    (
        lambda U, v_c, path, signs: special.expit((array(signs) * _x(U, v_c, path)).sum()),
        "Sigma of a sum is not the product of sigmas: apply sigma at each step, then multiply.",
    ),
    (
        lambda *case: -math.log(_probability(*case)),
        "That is the loss, minus the logarithm. Here the probability itself is asked for.",
    ),
    (lambda *case: math.log(_probability(*case)), "That is the logarithm of the probability."),
    (
        lambda U, v_c, path, signs: _probability(U, v_c, range(len(path)), signs),
        (
            "The rows are taken in order, 0, 1, 2. Step j asks the node path[j], so it needs row "
            "path[j] of U."
        ),
    ),
    (
        lambda U, v_c, path, signs: 0.5 ** len(path),
        "That is one half a step: right only while all scores are zero. Use the scores.",
    ),
)


def _left(signs):
    return array(signs) == 1


def _errors(U, v_c, path, signs):
    return _go_left(U, v_c, path) - _left(signs)


ERRORS = (
    (
        lambda *case: -_errors(*case),
        (
            "The sign is turned: that is the error of log P. The loss has sigma(x) first, and "
            "then the label is subtracted."
        ),
    ),
    (
        lambda U, v_c, path, signs: _go_left(U, v_c, path),
        (
            "Those are the probabilities to go left. The label, 1 for a left turn, is still to be "
            "subtracted."
        ),
    ),
    (
        lambda U, v_c, path, signs: _go_left(U, v_c, path) - array(signs),
        (
            "The sign was subtracted. The label is 1 or 0, the sign +1 or -1: for a right turn "
            "subtract 0."
        ),
    ),
    (
        lambda U, v_c, path, signs: _go_left(U, v_c, path) - (array(signs) == -1),
        "The label is that of a right turn: [left] is 1 where the sign is +1.",
    ),
    (
        lambda U, v_c, path, signs: _go_left(U, v_c, path) - 1,
        "The label is 1 at every step. A right turn has label 0.",
    ),
    (
        lambda *case: _steps(*case) - 1,
        (
            "Left turns are right, right turns have the wrong sign: there the error is +sigma(x), "
            "not -sigma(x)."
        ),
    ),
    (
        lambda U, v_c, path, signs: _steps(U, v_c, path, signs) - _left(signs),
        (
            "The turn is counted twice, as sign and as label. With the label, sigma takes the "
            "plain score."
        ),
    ),
    (
        lambda *case: -np.log(_steps(*case)),
        (
            "Those are the losses of the steps; the error is the derivative of such a loss in its "
            "score."
        ),
    ),
    (
        lambda U, v_c, path, signs: _x(U, v_c, path) - _left(signs),
        "The sigma is missing: error = sigma(score) - label.",
    ),
    (
        lambda *case: _errors(*case)[:-1],
        (
            "The last step is missing. L(w) counts the leaf too, so L(w) - 1 is already the "
            "number of steps."
        ),
    ),
    (
        lambda *case: _errors(*case).sum(),
        "That is their sum. Each step keeps its own error, since each goes with its own row.",
    ),
    (
        lambda U, v_c, path, signs: np.outer(_errors(U, v_c, path, signs), array(v_c)),
        (
            "Those are the gradients of the rows, error times vector. Only the errors are asked "
            "for here."
        ),
    ),
    (
        lambda U, v_c, path, signs: _errors(U, v_c, range(len(path)), signs),
        (
            "The rows are taken in order, 0, 1, 2. Step j asks the node path[j], so it needs row "
            "path[j] of U."
        ),
    ),
)


# 4.3: all leaves ----------------------------------------------------------------------------------


def _flow(children, U, v_c, left=special.expit, right=lambda x: special.expit(-x)):
    """The probabilities of all 2V - 1 nodes and their depths, from the root down."""
    children, V = children.tolist(), len(children) + 1
    x = array(U) @ array(v_c)
    mass = np.zeros(2 * V - 1)
    depth = np.zeros(2 * V - 1)
    waiting = [V]
    leaves = []
    mass[V] = 1
    while waiting:
        node = waiting.pop()
        if node < V:
            leaves.append(node)
            continue
        for child, share in zip(children[node - V], (left(x[node - V]), right(x[node - V]))):
            mass[child] = mass[node] * share
            depth[child] = depth[node] + 1
        waiting += reversed(children[node - V])  # left first
    return mass, depth, leaves


def _leaves(children, U, v_c, **shares):
    return _flow(children, U, v_c, **shares)[0][: len(children) + 1]


def _depths(children, U, v_c):
    return _flow(children, U, v_c)[1][: len(children) + 1]


def _last_steps(children, U, v_c):
    V = len(children) + 1
    mass = _flow(children, U, v_c)[0]
    parent = {child: V + i for i, pair in enumerate(children.tolist()) for child in pair}
    return [mass[w] / mass[parent[w]] for w in range(V)]


def _in_order_of_rows(children, U, v_c):
    V = len(children) + 1
    x = array(U) @ array(v_c)
    mass = np.zeros(2 * V - 1)
    mass[V] = 1
    for i, (left, right) in enumerate(children.tolist()):
        mass[left] = mass[V + i] * special.expit(x[i])
        mass[right] = mass[V + i] * special.expit(-x[i])
    return mass[:V]


def _one_by_padding(children, U, v_c):
    depths = _depths(children, U, v_c)
    return _leaves(children, U, v_c) * 0.5 ** (depths.max() - depths)


LEAVES = (
    (
        lambda *case: _leaves(*case, left=lambda x: special.expit(-x), right=special.expit),
        (
            "Left and right are exchanged: column 0 is the left child, and the walk goes there "
            "with sigma(score)."
        ),
    ),
    (
        lambda *case: _leaves(*case, right=special.expit),
        (
            "Both children get sigma(score), so the sum is not 1. The right child gets 1 - "
            "sigma(score)."
        ),
    ),
    (
        _in_order_of_rows,
        "Some words got nothing: the rows were taken in order, but here a child may have a lower "
        "number than its parent. "
        "Go down from the root.",
    ),
    (
        _last_steps,
        "That is only the last step of each walk. A factor for every earlier step is missing.",
    ),
    (
        _one_by_padding,
        (
            "Padding is counted as a coin toss: sigma(0) is 1/2, but a step that is not there "
            "must count as 1."
        ),
    ),
    (
        lambda *case: _flow(*case)[0][_flow(*case)[2]],
        (
            "The numbers are right, the order is that of the leaves from left to right. Entry w "
            "must belong to word w."
        ),
    ),
    (
        lambda *case: _flow(*case)[0],
        (
            "Those are all nodes. Only the words, the first V, are asked for: the inner nodes are "
            "passed on the way."
        ),
    ),
    (
        lambda children, U, v_c: special.softmax(array(U) @ array(v_c)),
        "A softmax over the inner nodes. They are questions, not words: each needs a sigma, and "
        "the words are the "
        "leaves.",
    ),
    (lambda *case: np.log(_leaves(*case)), "Those are the logarithms of the probabilities."),
    (
        lambda *case: 0.5 ** _depths(*case),
        "Every step counts one half: right only while all scores are zero. Use the scores.",
    ),
    (
        lambda children, U, v_c: np.full(len(U) + 1, 1 / (len(U) + 1)),
        (
            "All words are equally likely here. It sums to 1, as it should, but the walks are not "
            "used."
        ),
    ),
    (
        lambda *case: _leaves(*case).sum(),
        (
            "That is their sum, which 15.2.9 promises to be 1. One probability for each word is "
            "asked for: shape (V,)."
        ),
    ),
)


# 4.4: padded walks --------------------------------------------------------------------------------


def _padded_errors(U, v_c, path, signs, padding=0.0):
    return np.where(array(signs) == 0, padding, _errors(U, v_c, path, signs))


def _in_v(U, v_c, path, signs, errors=_padded_errors):
    return errors(U, v_c, path, signs) @ array(U)[array(path)]


PADDED = (
    (lambda *case: -_in_v(*case), "The sign is turned: that is the gradient of log P."),
    (
        partial(_in_v, errors=_errors),
        (
            "Padding is counted as a right turn: label 0, error sigma(x). A step with sign 0 has "
            "no error at all."
        ),
    ),
    (
        partial(
            _in_v, errors=lambda U, v_c, path, signs: _go_left(U, v_c, path) - (array(signs) >= 0)
        ),
        "Padding is counted as a left turn. A step with sign 0 has no error at all.",
    ),
    (
        partial(_in_v, errors=lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs, 0.5)),
        (
            "Padding is counted as a coin toss: sigma(0) is 1/2, but a step with sign 0 has no "
            "error at all."
        ),
    ),
    (
        partial(
            _in_v,
            errors=lambda U, v_c, path, signs: (
                abs(array(signs)) * (_go_left(U, v_c, path) - array(signs))
            ),
        ),
        (
            "The padding is right, but the sign was subtracted. The label of a right turn is 0, "
            "not -1."
        ),
    ),
    (
        partial(
            _in_v, errors=lambda U, v_c, path, signs: array(signs) * _errors(U, v_c, path, signs)
        ),
        (
            "The padding is right, but right turns have the wrong sign: there the error is "
            "+sigma(x), of the plain score."
        ),
    ),
    (
        partial(
            _in_v,
            errors=lambda U, v_c, path, signs: (array(path) != 0) * _errors(U, v_c, path, signs),
        ),
        "The root is row 0 as well, and its own question is lost. Padding is where the sign is 0.",
    ),
    (
        partial(
            _in_v,
            errors=lambda U, v_c, path, signs: _go_left(U, v_c, path) - (array(signs) + 1) / 2,
        ),
        "This makes the label of padding one half. A step with sign 0 has no error at all.",
    ),
    (
        partial(
            _in_v, errors=lambda U, v_c, path, signs: abs(array(signs)) * _go_left(U, v_c, path)
        ),
        "The label is missing: the error is sigma(x) - [left].",
    ),
    (
        lambda U, v_c, path, signs: _in_v(U, v_c, path, signs) / len(path),
        (
            "Divided by the length of the path. The loss is a sum over steps, so its gradient is "
            "a sum too."
        ),
    ),
    (
        lambda U, v_c, path, signs: _in_v(U, v_c, path, signs) / int((signs != 0).sum()),
        (
            "Divided by the number of steps. The loss is a sum over steps, so its gradient is a "
            "sum too."
        ),
    ),
    (
        lambda U, v_c, path, signs: np.outer(_padded_errors(U, v_c, path, signs), array(v_c)),
        (
            "Those are the gradients of the nodes' rows. v_c meets the rows of U: each error "
            "times its row, added up."
        ),
    ),
    (
        lambda U, v_c, path, signs: (
            _padded_errors(U, v_c, path, signs)[:, None] * array(U)[array(path)]
        ),
        (
            "Error times row, one for each step. They are still to be added up, over the steps: "
            "shape (d,)."
        ),
    ),
    (
        lambda U, v_c, path, signs: (
            _padded_errors(U, v_c, path, signs) * array(U)[array(path)].sum(1)
        ),
        (
            "Summed over the wrong axis: add up over the steps, not over the coordinates. The "
            "result has d numbers."
        ),
    ),
    (_padded_errors, "Those are the errors; each is still to be multiplied with a row."),
    (
        lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs) @ array(U)[: len(path)],
        "The errors meet the rows 0, 1, 2 in order. Step j belongs to row path[j].",
    ),
)


EXERCISES = {
    "4.1": (_walks, _probability, PROBABILITY),
    "4.2": (_walks, _errors, ERRORS),
    "4.3": (_trees, _leaves, LEAVES),
    "4.4": (_padded_walks, _in_v, PADDED),
}
