"""Wrong and right answers to the exercises of lesson 09, written as a learner would."""

import numpy as np
import torch
from torch.nn import functional as F


def band_of(reach, sentence):
    place = torch.arange(len(reach))
    distance = (place[:, None] - place).abs()
    return (distance > 0) & (distance <= reach[:, None]) & (sentence[:, None] == sentence)


def loop_band(reach, sentence):
    T = len(reach)
    band = [[0] * T for _ in range(T)]
    for i in range(T):
        for j in range(max(0, i - int(reach[i])), min(T, i + int(reach[i]) + 1)):
            if j != i and sentence[i] == sentence[j]:
                band[i][j] = 1
    return band


def first_sentence_only(reach, sentence):
    return band_of(reach, sentence) & (sentence == 0)


def pairs_listed(reach, sentence):
    return band_of(reach, sentence).nonzero()


def gradients(X, Y, band):
    G = band * (torch.sigmoid(X @ Y.T) - 1)
    return G @ Y, G.T @ X


def loop_gradients(X, Y, band):
    in_X = torch.zeros_like(X)
    in_Y = torch.zeros_like(Y)
    for i, j in band.nonzero().tolist():
        error = torch.sigmoid(X[i] @ Y[j]) - 1
        in_X[i] += error * Y[j]
        in_Y[j] += error * X[i]
    return in_X, in_Y


def by_autograd(X, Y, band):
    X = X.clone().requires_grad_()
    Y = Y.clone().requires_grad_()
    (-(band * F.logsigmoid(X @ Y.T)).sum()).backward()
    return X.grad, Y.grad


def in_place(X, Y, band):
    band *= torch.sigmoid(X @ Y.T) - 1
    return band @ Y, band.T @ X


def noise_part(X, U_noise, n, K):
    return (n * K / len(U_noise))[:, None] * torch.sigmoid(X @ U_noise.T) @ U_noise


def loop_noise(X, U_noise, n, K):
    result = torch.zeros_like(X)
    for i in range(len(X)):
        for u in U_noise:
            result[i] += n[i] * K / len(U_noise) * torch.sigmoid(u @ X[i]) * u
    return result


def noise_by_autograd(X, U_noise, n, K):
    X = X.clone().requires_grad_()
    (n * K / len(U_noise) * F.softplus(X @ U_noise.T).sum(1)).sum().backward()
    return X.grad


def node_gradient(X, U_nodes, band, passed, left):
    return ((band @ passed) * torch.sigmoid(X @ U_nodes.T) - band @ left).T @ X


def loop_nodes(X, U_nodes, band, passed, left):
    gradient = torch.zeros_like(U_nodes)
    for i, j in band.nonzero().tolist():
        for node in passed[j].nonzero().flatten().tolist():
            gradient[node] += (torch.sigmoid(U_nodes[node] @ X[i]) - left[j, node]) * X[i]
    return gradient


def nodes_by_autograd(X, U_nodes, band, passed, left):
    U_nodes = U_nodes.clone().requires_grad_()
    scores = X @ U_nodes.T
    ((band @ passed) * F.softplus(scores) - (band @ left) * scores).sum().backward()
    return U_nodes.grad


def with_left_as_sign(X, U_nodes, band, passed, left):
    return node_gradient(X, U_nodes, band, passed, 2 * left - passed)


WRONG = [  # (number, answer, words that the message must hold; | is or)
    (
        "9.1",
        lambda r, s: (torch.arange(len(r))[:, None] - torch.arange(len(r))).abs() <= r[:, None],
        "Revisit",
    ),
    ("9.1", first_sentence_only, "Revisit"),
    ("9.1", pairs_listed, "shape"),
    ("9.2", lambda X, Y, band: gradients(X, Y, band)[0], "shape"),
    ("9.2", in_place, "changed its input"),
    ("9.3", lambda X, U, n, K: ((n * K / len(U))[:, None] * torch.sigmoid(X @ U.T)).T @ X, "shape"),
    ("9.4", with_left_as_sign, "Revisit"),
    (
        "9.4",
        lambda X, U, band, passed, left: (band @ passed * torch.sigmoid(X @ U.T) - band @ left) @ U,
        "shape",
    ),
]

RIGHT = [  # (number, answer), each in another style
    ("9.1", band_of),
    ("9.1", loop_band),
    ("9.1", lambda r, s: np.array(loop_band(r, s))),
    ("9.2", gradients),
    ("9.2", loop_gradients),
    ("9.2", by_autograd),
    ("9.3", noise_part),
    ("9.3", loop_noise),
    ("9.3", noise_by_autograd),
    ("9.4", node_gradient),
    ("9.4", loop_nodes),
    ("9.4", nodes_by_autograd),
    (
        "9.4",
        lambda X, U, band, passed, left: torch.einsum(
            "tn,td->nd", band @ passed * torch.sigmoid(X @ U.T) - band @ left, X
        ),
    ),
]
