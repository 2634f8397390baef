"""The exercises of lesson 04: hierarchical softmax, one walk, all leaves, padded walks."""

import math
from itertools import combinations

import numpy as np
import torch
from scipy import special

from utils.exercises.engine import Exercise, as_tensor


def telling(draw, reference, mistakes):
    """A case from `draw()` on which the right answer and every known mistake differ, each from each."""
    while True:
        case = draw()
        answers = [as_tensor(f(*case)) for f in (reference, *(wrong for wrong, _ in mistakes))]
        if not any(a.shape == b.shape and torch.allclose(a, b, rtol=1e-2, atol=1e-3, equal_nan=True)
                   for a, b in combinations(answers, 2)):
            return case


def _integer(generator, low, high):
    return int(torch.randint(low, high + 1, (1,), generator=generator))


def _vectors(generator, rows, d):
    numbers = torch.round(torch.randn(rows + 1, d, dtype=torch.float64, generator=generator), decimals=2)
    return numbers[:rows], numbers[rows]


def _walk(generator, nodes, d, steps, padding=0):
    """U (nodes, d), v_c (d,), a path that starts at the root and meets `steps` nodes, its turns, and some padding."""
    U, v_c = _vectors(generator, nodes, d)
    others = 1 + torch.randperm(nodes - 1, generator=generator)[:steps - 1]
    path = torch.cat([torch.zeros(1, dtype=torch.int64), others, torch.zeros(padding, dtype=torch.int64)])
    signs = 2 * torch.randint(2, (steps,), generator=generator) - 1
    return U, v_c, path, torch.cat([signs, torch.zeros(padding, dtype=torch.int64)]).to(torch.int8)


def _walks(reference, mistakes):
    def cases(generator):
        yield telling(lambda: _walk(generator, 5, 2, 3), reference, mistakes)
        while True:
            nodes = _integer(generator, 4, 8)
            yield _walk(generator, nodes, _integer(generator, 1, 3), _integer(generator, 1, nodes))

    return cases


def _padded_walks(reference, mistakes):
    def cases(generator):
        yield telling(lambda: _walk(generator, 6, 2, 3, 1), reference, mistakes)
        yield telling(lambda: _walk(generator, 7, 3, 3, 2), reference, mistakes)
        while True:
            steps = _integer(generator, 1, 4)
            yield _walk(generator, _integer(generator, 8, 10), _integer(generator, 1, 3), steps,
                        _integer(generator, 0, 3))

    return cases


def _tree(generator, V, d):
    """children (V-1, 2) of a random full binary tree whose inner nodes, but for the root, are numbered at random."""
    roots = torch.randperm(V, generator=generator).tolist()
    ids = (1 + torch.randperm(V - 2, generator=generator)).tolist() + [0]
    children = torch.zeros(V - 1, 2, dtype=torch.int64)
    for i in ids:
        left, right = (roots.pop(_integer(generator, 0, len(roots) - 1)) for _ in range(2))
        children[i] = torch.tensor([left, right])
        roots.append(V + i)
    return children, *_vectors(generator, V - 1, d)


def _trees(reference, mistakes):
    def cases(generator):
        yield telling(lambda: _tree(generator, 5, 3), reference, mistakes)
        while True:
            yield _tree(generator, _integer(generator, 2, 9), _integer(generator, 1, 4))

    return cases


# 4.1 and 4.2: one walk -------------------------------------------------------------------------------------------


def _x(U, v_c, path):
    return np.asarray(U)[np.asarray(path)] @ np.asarray(v_c)


def _steps(U, v_c, path, signs):
    return special.expit(np.asarray(signs) * _x(U, v_c, path))


def _probability(U, v_c, path, signs):
    return math.prod(_steps(U, v_c, path, signs))


PROBABILITY = (
    (lambda U, v_c, path, signs: _probability(U, v_c, path, -signs),
     "The sign is turned: a left turn, +1, has probability sigma(score), a right turn, -1, sigma(-score)."),
    (lambda U, v_c, path, signs: _probability(U, v_c, path, abs(signs)),
     "Every step is taken for a left turn: the signs are not used."),
    (lambda U, v_c, path, signs: math.prod(np.asarray(signs) * special.expit(_x(U, v_c, path))),
     "The sign belongs inside sigma: going right has probability sigma(-x), which is 1 - sigma(x), not -sigma(x)."),
    (lambda U, v_c, path, signs: _probability(U, v_c, path[:-1], signs[:-1]),
     "The last step is missing. L(w) counts the leaf too, so L(w) - 1 is already the number of steps: use all of path."),
    (lambda U, v_c, path, signs: _probability(U, v_c, path[1:], signs[1:]),
     "The first step is missing: the root asks a question as well."),
    (lambda U, v_c, path, signs: _steps(U, v_c, path, signs),
     "Those are the probabilities of the single steps. The walk needs all of them: multiply."),
    (lambda U, v_c, path, signs: _steps(U, v_c, path, signs).sum(),
     "The steps are added. All of them must happen, so their probabilities are multiplied."),
    (lambda U, v_c, path, signs: _steps(U, v_c, path, signs).mean(),
     "That is the mean of the steps. All of them must happen, so their probabilities are multiplied."),
    (lambda U, v_c, path, signs: special.expit((np.asarray(signs) * _x(U, v_c, path)).sum()),
     "Sigma of a sum is not the product of sigmas: apply sigma at each step, then multiply."),
    (lambda U, v_c, path, signs: -math.log(_probability(U, v_c, path, signs)),
     "That is the loss, minus the logarithm. Here the probability itself is asked for."),
    (lambda U, v_c, path, signs: math.log(_probability(U, v_c, path, signs)), "That is the logarithm of the probability."),
    (lambda U, v_c, path, signs: _probability(U, v_c, range(len(path)), signs),
     "The rows are taken in order, 0, 1, 2. Step j asks the node path[j], so it needs row path[j] of U."),
    (lambda U, v_c, path, signs: 0.5 ** len(path),
     "That is one half a step: right only while all scores are zero. Use the scores."),
)


def _left(signs):
    return np.asarray(signs) == 1


def _errors(U, v_c, path, signs):
    return special.expit(_x(U, v_c, path)) - _left(signs)


ERRORS = (
    (lambda U, v_c, path, signs: -_errors(U, v_c, path, signs),
     "The sign is turned: that is the error of log P. The loss has sigma(x) first, and then the label is subtracted."),
    (lambda U, v_c, path, signs: special.expit(_x(U, v_c, path)),
     "Those are the probabilities to go left. The label, 1 for a left turn, is still to be subtracted."),
    (lambda U, v_c, path, signs: special.expit(_x(U, v_c, path)) - np.asarray(signs),
     "The sign was subtracted. The label is 1 or 0, the sign +1 or -1: for a right turn subtract 0."),
    (lambda U, v_c, path, signs: special.expit(_x(U, v_c, path)) - (np.asarray(signs) == -1),
     "The label is that of a right turn: [left] is 1 where the sign is +1."),
    (lambda U, v_c, path, signs: special.expit(_x(U, v_c, path)) - 1,
     "The label is 1 at every step. A right turn has label 0."),
    (lambda U, v_c, path, signs: _steps(U, v_c, path, signs) - 1,
     "That is the derivative in sign times score. In the score itself a factor is missing: the sign, once more."),
    (lambda U, v_c, path, signs: _steps(U, v_c, path, signs) - _left(signs),
     "The turn is counted twice, as sign and as label. With the label, sigma takes the plain score."),
    (lambda U, v_c, path, signs: -np.log(_steps(U, v_c, path, signs)),
     "Those are the losses of the steps; the error is the derivative of such a loss in its score."),
    (lambda U, v_c, path, signs: _x(U, v_c, path) - _left(signs), "The sigma is missing: error = sigma(score) - label."),
    (lambda U, v_c, path, signs: _errors(U, v_c, path, signs)[:-1],
     "The last step is missing. L(w) counts the leaf too, so L(w) - 1 is already the number of steps."),
    (lambda U, v_c, path, signs: _errors(U, v_c, path, signs).sum(),
     "That is their sum. Each step keeps its own error, since each goes with its own row."),
    (lambda U, v_c, path, signs: np.outer(_errors(U, v_c, path, signs), v_c),
     "Those are the gradients of the rows, error times vector. Only the errors are asked for here."),
    (lambda U, v_c, path, signs: _errors(U, v_c, range(len(path)), signs),
     "The rows are taken in order, 0, 1, 2. Step j asks the node path[j], so it needs row path[j] of U."),
)


# 4.3: all leaves -------------------------------------------------------------------------------------------------


def _flow(children, U, v_c, left=special.expit, right=lambda x: special.expit(-x)):
    """The probabilities of all 2V - 1 nodes and their depths, from the root down."""
    children, V = children.tolist(), len(children) + 1
    x = np.asarray(U) @ np.asarray(v_c)
    mass, depth, waiting, leaves = np.zeros(2 * V - 1), np.zeros(2 * V - 1), [V], []
    mass[V] = 1
    while waiting:
        node = waiting.pop()
        if node < V:
            leaves.append(node)
            continue
        for child, share in zip(children[node - V], (left(x[node - V]), right(x[node - V]))):
            mass[child], depth[child] = mass[node] * share, depth[node] + 1
        waiting += reversed(children[node - V])        # left first
    return mass, depth, leaves


def _leaves(children, U, v_c, **shares):
    return _flow(children, U, v_c, **shares)[0][:len(children) + 1]


def _depths(children, U, v_c):
    return _flow(children, U, v_c)[1][:len(children) + 1]


def _last_steps(children, U, v_c):
    V, mass = len(children) + 1, _flow(children, U, v_c)[0]
    parent = {child: V + i for i, pair in enumerate(children.tolist()) for child in pair}
    return [mass[w] / mass[parent[w]] for w in range(V)]


def _in_order_of_rows(children, U, v_c):
    V, x = len(children) + 1, np.asarray(U) @ np.asarray(v_c)
    mass = np.zeros(2 * V - 1)
    mass[V] = 1
    for i, (left, right) in enumerate(children.tolist()):
        mass[left], mass[right] = mass[V + i] * special.expit(x[i]), mass[V + i] * special.expit(-x[i])
    return mass[:V]


def _one_by_padding(children, U, v_c):
    depths = _depths(children, U, v_c)
    return _leaves(children, U, v_c) * 0.5 ** (depths.max() - depths)


LEAVES = (
    (lambda children, U, v_c: _leaves(children, U, v_c, left=lambda x: special.expit(-x), right=special.expit),
     "Left and right are exchanged: column 0 is the left child, and the walk goes there with sigma(score)."),
    (lambda children, U, v_c: _leaves(children, U, v_c, right=special.expit),
     "Both children get sigma(score), so the sum is not 1. The right child gets 1 - sigma(score)."),
    (_in_order_of_rows,
     "Some words got nothing: the rows were taken in order, but here a child may have a lower number than its parent. "
     "Go down from the root."),
    (_last_steps, "That is only the last step of each walk. A factor for every earlier step is missing."),
    (_one_by_padding,
     "Padding is counted as a coin toss: sigma(0) is 1/2, but a step that is not there must count as 1."),
    (lambda children, U, v_c: _flow(children, U, v_c)[0][_flow(children, U, v_c)[2]],
     "The numbers are right, the order is that of the leaves from left to right. Entry w must belong to word w."),
    (lambda children, U, v_c: _flow(children, U, v_c)[0],
     "Those are all nodes. Only the words, the first V, are asked for: the inner nodes are passed on the way."),
    (lambda children, U, v_c: special.softmax(np.asarray(U) @ np.asarray(v_c)),
     "A softmax over the inner nodes. They are questions, not words: each needs a sigma, and the words are the leaves."),
    (lambda children, U, v_c: np.log(_leaves(children, U, v_c)), "Those are the logarithms of the probabilities."),
    (lambda children, U, v_c: 0.5 ** _depths(children, U, v_c),
     "Every step counts one half: right only while all scores are zero. Use the scores."),
    (lambda children, U, v_c: np.full(len(U) + 1, 1 / (len(U) + 1)),
     "All words are equally likely here. It sums to 1, as it should, but the walks are not used."),
    (lambda children, U, v_c: _leaves(children, U, v_c).sum(),
     "That is their sum, which 15.2.9 promises to be 1. One probability for each word is asked for: shape (V,)."),
)


# 4.4: padded walks -----------------------------------------------------------------------------------------------


def _sum_of_rows(errors, U, path):
    return np.asarray(errors) @ np.asarray(U)[np.asarray(path)]


def _padded_errors(U, v_c, path, signs, padding=0.0):
    return np.where(np.asarray(signs) == 0, padding, _errors(U, v_c, path, signs))


def _in_v(U, v_c, path, signs):
    return _sum_of_rows(_padded_errors(U, v_c, path, signs), U, path)


def _with(make):
    """The gradient with other errors."""
    return lambda U, v_c, path, signs: _sum_of_rows(make(U, v_c, path, signs), U, path)


PADDED = (
    (lambda U, v_c, path, signs: -_in_v(U, v_c, path, signs), "The sign is turned: that is the gradient of log P."),
    (_with(_errors), "Padding is counted as a right turn: label 0, error sigma(x). A step with sign 0 has no error at all."),
    (_with(lambda U, v_c, path, signs: special.expit(_x(U, v_c, path)) - (np.asarray(signs) >= 0)),
     "Padding is counted as a left turn. A step with sign 0 has no error at all."),
    (_with(lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs, 0.5)),
     "Padding is counted as a coin toss: sigma(0) is 1/2, but a step with sign 0 has no error at all."),
    (_with(lambda U, v_c, path, signs: abs(np.asarray(signs)) * (special.expit(_x(U, v_c, path)) - np.asarray(signs))),
     "The padding is right, but the sign was subtracted. The label of a right turn is 0, not -1."),
    (_with(lambda U, v_c, path, signs: np.asarray(signs) * _errors(U, v_c, path, signs)),
     "The padding is right, but sign times error turns every right step. Multiply by [sign is not 0] instead."),
    (_with(lambda U, v_c, path, signs: abs(np.asarray(signs)) * special.expit(_x(U, v_c, path))),
     "The label is missing: the error is sigma(x) - [left]."),
    (lambda U, v_c, path, signs: _in_v(U, v_c, path, signs) / len(path),
     "Divided by the length of the path. The loss is a sum over steps, so its gradient is a sum too."),
    (lambda U, v_c, path, signs: _in_v(U, v_c, path, signs) / int((signs != 0).sum()),
     "Divided by the number of steps. The loss is a sum over steps, so its gradient is a sum too."),
    (lambda U, v_c, path, signs: np.outer(_padded_errors(U, v_c, path, signs), v_c),
     "Those are the gradients of the nodes' rows. v_c meets the rows of U: each error times its row, added up."),
    (lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs)[:, None] * np.asarray(U)[np.asarray(path)],
     "Error times row, one for each step. They are still to be added up, over the steps: shape (d,)."),
    (lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs) * np.asarray(U)[np.asarray(path)].sum(1),
     "Summed over the wrong axis: add up over the steps, not over the coordinates. The result has d numbers."),
    (lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs), "Those are the errors; each is still to be multiplied with a row."),
    (lambda U, v_c, path, signs: _padded_errors(U, v_c, path, signs) @ np.asarray(U)[:len(path)],
     "The errors meet the rows 0, 1, 2 in order. Step j belongs to row path[j]."),
)


EXERCISES = [
    Exercise(
        number="4.1",
        title="The probability of a word",
        difficulty=1,
        minutes=5,
        practises="15.2.7: a product of steps",
        arguments=("U", "v_c", "path", "signs"),
        cases=_walks(_probability, PROBABILITY),
        reference=_probability,
        mistakes=PROBABILITY,
        idea="Revisit 15.2.7: the score of each node of the path, times its sign, through sigma; then the product.",
        right="It took one dot product for each step, and no sum over the vocabulary.",
        hints=(
            "Which rows of U does the walk meet, and what is the probability of one step?",
            "U[path] has one row a step. Sign times score goes through sigma, then everything is multiplied.",
            'Lesson 04, section "The probability of a word".',
        ),
    ),
    Exercise(
        number="4.2",
        title="The errors of the steps",
        difficulty=2,
        minutes=5,
        practises="error times vector: the errors of a walk",
        arguments=("U", "v_c", "path", "signs"),
        cases=_walks(_errors, ERRORS),
        reference=_errors,
        mistakes=ERRORS,
        idea="Revisit the error of a yes/no question: sigma(score) - label. The label is 1 for a left turn, 0 for a right.",
        right="At a left turn the error is negative, at a right turn positive: a step down pulls or pushes the node.",
        hints=(
            "Each step is one yes/no question. What was the error of such a question in lesson 02?",
            "sigma of the plain score, less 1 where the sign is +1 and less 0 where it is -1.",
            'Lesson 04, section "The gradients".',
        ),
    ),
    Exercise(
        number="4.3",
        title="The probabilities of all words",
        difficulty=2,
        minutes=15,
        practises="15.2.9 on any full binary tree (an exercise of D2L 15.2)",
        arguments=("children", "U", "v_c"),
        cases=_trees(_leaves, LEAVES),
        reference=_leaves,
        mistakes=LEAVES,
        idea="Revisit the proof of 15.2.9: a node hands its probability on, sigma(score) to the left child and the rest "
             "to the right. A child below V is a word, V + i is inner node i.",
        right="They sum to 1 on every tree that was drawn: you have checked 15.2.9.",
        hints=(
            "The root has probability 1. What do its two children get?",
            "Start at inner node 0 and hand the probability down, by recursion or with a list of nodes still to visit.",
            'Lesson 04, section "The probabilities of all words sum to 1".',
        ),
    ),
    Exercise(
        number="4.4",
        title="The gradient of a padded walk",
        difficulty=3,
        minutes=15,
        practises="padding that changes no result",
        arguments=("U", "v_c", "path", "signs"),
        cases=_padded_walks(_in_v, PADDED),
        reference=_in_v,
        mistakes=PADDED,
        idea="Revisit the gradient in v_c: errors times rows, added up over the steps; a step with sign 0 adds nothing.",
        right="Padding named the root, row 0, and still the root got only its own error.",
        hints=(
            "What must the error of a step be, for the step to add nothing?",
            "Errors as in 4.2, times [sign is not 0]; then errors times rows of U[path], summed over the steps.",
            'Lesson 04, section "A batch of walks: padding".',
        ),
    ),
]
