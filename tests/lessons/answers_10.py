"""Wrong and right answers to the exercises of lesson 10, written as a learner would."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from utils.objectives import noise_contrastive_loss, sampled_softmax_loss


def nce_by_loop(scores, q):
    K = len(scores) - 1
    loss = 0.0
    for k, (s, its_q) in enumerate(zip(scores.tolist(), q.tolist())):
        x = s - math.log(K * its_q)
        loss += math.log1p(math.exp(-x if k == 0 else x))
    return loss


def nce_by_package(scores, q):
    return noise_contrastive_loss((scores - ((len(scores) - 1) * q).log())[None])[0]


def nce_without_logarithm(scores, q):
    return noise_contrastive_loss((scores - (len(scores) - 1) * q)[None])[0]


def gradient_by_autograd(U, v_c, q):
    v = v_c.clone().requires_grad_()
    sampled_softmax_loss((U @ v - q.log())[None]).sum().backward()
    return v.grad


def gradient_by_rows(U, v_c, q):
    weights = torch.exp(U @ v_c) / q
    share = weights / weights.sum()
    return sum(s * row for s, row in zip(share, U)) - U[0]


def gradient_in_rows(U, v_c, q):
    share = torch.softmax(U @ v_c - q.log(), dim=0)
    share[0] -= 1
    return torch.outer(share, v_c)


def info_nce(X, Y, q):
    return F.cross_entropy(X @ Y.T - q.log(), torch.arange(len(X)), reduction="none")


def info_nce_by_loop(X, Y, q):
    losses = []
    for i in range(len(X)):
        weights = torch.exp(Y @ X[i]) / q
        losses.append(-torch.log(weights[i] / weights.sum()))
    return torch.stack(losses)


def q_subtracted(X, Y, q):
    return F.cross_entropy(X @ Y.T - q, torch.arange(len(X)), reduction="none")


def log_uniform_by_numpy(ranks, V):
    c = ranks.numpy()
    return (np.log(c + 2) - np.log(c + 1)) / np.log(V + 1)


def log_uniform_by_table(ranks, V):
    all_words = torch.arange(V).double()
    q = torch.log((all_words + 2) / (all_words + 1))
    return (q / q.sum())[ranks]


def falling(ranks, V):
    return (V - ranks) / (V * (V + 1) / 2)


def estimate_by_loop(scores, q, o, drawn):
    total = math.exp(scores[o])
    for w in drawn.tolist():
        if w != o:
            total += math.exp(scores[w]) / (len(drawn) * q[w].item())
    return math.exp(scores[o]) / total


def estimate_in_logarithms(scores, q, o, drawn):
    rest = drawn[drawn != o]
    logits = torch.cat([scores[o : o + 1], scores[rest] - (len(drawn) * q[rest]).log()])
    return torch.softmax(logits, dim=0)[0]


def unique_draws(scores, q, o, drawn):
    return estimate_by_loop(scores, q, o, drawn.unique())


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("10.1", nce_without_logarithm, "Revisit the lower left cell"),
    ("10.1", lambda scores, q: scores, "shape should be ()"),
    ("10.2", gradient_in_rows, "shape should be"),
    ("10.3", q_subtracted, "Revisit in-batch softmax"),
    ("10.3", lambda X, Y, q: F.cross_entropy(X @ Y.T, torch.arange(len(X))), "shape should be"),
    ("10.4", falling, "Revisit the formula"),
    ("10.5", unique_draws, "Revisit the third line"),
]

RIGHT = [  # (number, answer), each in another style
    ("10.1", nce_by_loop),
    ("10.1", nce_by_package),
    ("10.2", gradient_by_autograd),
    ("10.2", gradient_by_rows),
    ("10.3", info_nce),
    ("10.3", info_nce_by_loop),
    ("10.4", log_uniform_by_numpy),
    ("10.4", log_uniform_by_table),
    ("10.5", estimate_by_loop),
    ("10.5", estimate_in_logarithms),
]
