"""Wrong and right answers to the exercises of lesson 04, written as a learner would."""

import math

import numpy as np
import torch


def sigma(x):
    return 1 / (1 + math.exp(-x))


def loop_probability(U, v_c, path, signs):
    product = 1.0
    for node, sign in zip(path.tolist(), signs.tolist()):
        product *= sigma(sign * sum(a * b for a, b in zip(U[node].tolist(), v_c.tolist())))
    return product


def recursive_probability(U, v_c, path, signs):
    if len(path) == 0:
        return 1.0
    go_left = torch.sigmoid(U[path[0]] @ v_c)
    return (go_left if signs[0] > 0 else 1 - go_left) * recursive_probability(
        U, v_c, path[1:], signs[1:]
    )


def minus_in_place(U, v_c, path, signs):
    signs *= -1
    return torch.sigmoid(signs * (U[path] @ v_c)).prod()


def numpy_errors(U, v_c, path, signs):
    x = U.numpy()[path.numpy()] @ v_c.numpy()
    return 1 / (1 + np.exp(-x)) - (signs.numpy() + 1) / 2


def walks_down(children, U, v_c):
    V = len(children) + 1
    P = [0.0] * V

    def visit(node, p):
        if node < V:
            P[node] = p
        else:
            go_left = sigma(float(U[node - V] @ v_c))
            visit(int(children[node - V][0]), p * go_left)
            visit(int(children[node - V][1]), p * (1 - go_left))

    visit(V, 1.0)
    return P


def climbs_up(children, U, v_c):
    V = len(children) + 1
    table = children.numpy()
    go_left = torch.sigmoid((U @ v_c).float()).numpy()
    P = np.ones(V)
    for w in range(V):
        node = w
        while node != V:
            (i,), (side,) = np.nonzero(table == node)
            P[w] *= (1 - go_left[i]) if side else go_left[i]
            node = V + i
    return P


def one_word_less(children, U, v_c):
    V = len(children)  # one too few: there is one more word than inner nodes
    P = torch.zeros(V + 1)

    def visit(node, p):
        if node < V:
            P[node] = p
        else:
            go_left = torch.sigmoid(U[node - V] @ v_c)
            visit(children[node - V, 0], p * go_left)
            visit(children[node - V, 1], p * (1 - go_left))

    visit(V, 1.0)
    return P


def loop_padded(U, v_c, path, signs):
    total = [0.0] * len(v_c)
    for node, sign in zip(path.tolist(), signs.tolist()):
        if sign == 0:
            break
        error = sigma(float(U[node] @ v_c)) - (sign == 1)
        total = [t + error * u for t, u in zip(total, U[node].tolist())]
    return total


def autograd_padded(U, v_c, path, signs):
    v = v_c.clone().requires_grad_()
    (-torch.nn.functional.logsigmoid(signs * (U[path] @ v)) * (signs != 0)).sum().backward()
    return v.grad


WRONG = [  # (number, answer, words that the message must hold; | is or)
    (
        "4.4",
        lambda U, v_c, path, signs: (
            ((torch.sigmoid(signs * (U[path] @ v_c)) - 1) * (signs != 0)) @ U[path]
        ),
        "right turns have the wrong sign",
    ),
    ("4.1", lambda U, v_c, path, signs: torch.sigmoid(signs * (U @ v_c)).prod(), "RuntimeError"),
    ("4.1", minus_in_place, "changed its input"),
    ("4.2", lambda U, v_c, path, signs: torch.zeros(2), "shape"),
    ("4.3", one_word_less, "IndexError|RecursionError|V + i is inner node i"),
    ("4.3", lambda children, U, v_c: torch.tensor([0.1, 0.2, 0.3, 0.4]), "shape"),
]

RIGHT = [  # (number, answer), each in another style
    ("4.1", loop_probability),
    ("4.1", recursive_probability),
    ("4.1", lambda U, v_c, path, signs: torch.sigmoid(signs * (U[path] @ v_c)).float().prod()),
    ("4.2", numpy_errors),
    (
        "4.2",
        lambda U, v_c, path, signs: [sigma(U[n] @ v_c) - max(s, 0) for n, s in zip(path, signs)],
    ),
    ("4.2", lambda U, v_c, path, signs: signs * (torch.sigmoid(signs * (U[path] @ v_c)) - 1)),
    ("4.3", walks_down),
    ("4.3", climbs_up),
    ("4.4", loop_padded),
    ("4.4", autograd_padded),
    (
        "4.4",
        lambda U, v_c, path, signs: (
            -(signs * torch.sigmoid(-signs * (U[path] @ v_c))).float() @ U[path].float()
        ),
    ),
]
