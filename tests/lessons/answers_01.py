"""Wrong and right answers to the exercises of lesson 01, written as a learner would."""

import math

import numpy as np
import torch


def softmax(U, v_c):
    e = [math.exp(sum(a * b for a, b in zip(u, v_c))) for u in U.tolist()]
    return [x / sum(e) for x in e]


def subtract_in_place(U, v_c, o):
    U -= 1
    return U


def forgets_to_return(U, v_c):
    softmax(U, v_c)


def loop_gradient(U, v_c, o):
    p = softmax(U, v_c)
    return [[(p[i] - (i == o)) * x for x in v_c.tolist()] for i in range(len(U))]


def numpy_expected(U, v_c, o):
    U = U.numpy()
    v_c = v_c.numpy()
    e = np.exp(U @ v_c)
    return (e / e.sum()) @ U - U[o]


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("1.1", lambda U, v_c: torch.softmax(U, dim=1) @ v_c, "15.1.4"),
    ("1.1", lambda U, v_c: torch.tensor([0.3, 0.3, 0.4]), "15.1.4"),
    ("1.1", forgets_to_return, "return"),
    ("1.2", lambda U, v_c, o: 1 - softmax(U, v_c)[o], "15.1.7"),
    ("1.2", lambda U, v_c, o: -math.log(softmax(U, v_c)[o + 1]), "IndexError|Off by one"),
    ("1.3", subtract_in_place, "changed its input"),
    ("1.4", lambda U, v_c, o: U, "error times vector"),
    ("1.4", lambda U, v_c, o: torch.zeros(2, 2), "shape"),
    ("1.4", subtract_in_place, "changed its input"),
    ("1.5", lambda scores, o: 0.0, "constant"),
]

RIGHT = [  # (number, answer), each in another style
    ("1.1", softmax),
    ("1.1", lambda U, v_c: torch.softmax((U @ v_c).float(), dim=0)),
    ("1.1", lambda U, v_c: [torch.exp(u @ v_c) / torch.exp(U @ v_c).sum() for u in U]),
    ("1.2", lambda U, v_c, o: -math.log(softmax(U, v_c)[o])),
    (
        "1.2",
        lambda U, v_c, o: torch.nn.functional.cross_entropy(
            (U @ v_c)[None].float(), torch.tensor([o])
        ),
    ),
    ("1.3", numpy_expected),
    ("1.3", lambda U, v_c, o: sum(p * u for p, u in zip(softmax(U, v_c), U)) - U[o]),
    ("1.4", loop_gradient),
    (
        "1.4",
        lambda U, v_c, o: torch.autograd.functional.jacobian(
            lambda U: torch.logsumexp(U @ v_c, 0) - (U @ v_c)[o], U
        ),
    ),
    (
        "1.5",
        lambda scores, o: (
            math.log(sum(math.exp(s - max(scores.tolist())) for s in scores.tolist()))
            - (scores.tolist()[o] - max(scores.tolist()))
        ),
    ),
    ("1.5", lambda scores, o: torch.logsumexp(scores, 0) - scores[o]),
]
