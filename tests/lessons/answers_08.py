"""Wrong and right answers to the exercises of lesson 08, written as a learner would."""

import math

import numpy as np
import torch
from torch.nn import functional as F


def rows(counts):
    return counts / counts.sum(dim=1, keepdim=True)


def kept(counts, q, K):
    return rows(counts).log() - (K * q).log()


def loop_kept(counts, q, K):
    scores = torch.zeros(counts.shape)
    for c, row in enumerate(counts.tolist()):
        for w, n in enumerate(row):
            scores[c, w] = math.log(n / (K * sum(row) * q[w].item()))
    return scores


def without_keepdim(counts, q, K):
    return (counts / counts.sum(dim=1)).log() - (K * q).log()


def normalised_in_place(counts, q, K):
    q *= K
    return (rows(counts) / q).log()


def pmi(counts):
    p = counts / counts.sum()
    return (p / (p.sum(1, keepdim=True) * p.sum(0))).log()


def loop_pmi(counts):
    n = counts.tolist()
    total = sum(map(sum, n))
    column = [sum(row[w] for row in n) for w in range(len(n[0]))]
    return [[math.log(x * total / (sum(row) * column[w])) for w, x in enumerate(row)] for row in n]


def uniform_words(counts):
    return rows(counts).log() - math.log(1 / counts.shape[1])


def divergence(p, scores):
    seen = p > 0
    return (p[seen] * (p[seen].log() - torch.log_softmax(scores, 0)[seen])).sum()


def both(p, scores, q, K):
    return divergence(p, scores), divergence(p, scores + (K * q).log())


def loop_divergences(p, scores, q, K):
    result = []
    for weights in (
        scores.exp(),
        scores.exp() * q,
    ):  # K is a constant, which a softmax does not feel
        total = 0.0
        for truth, P in zip(p.tolist(), (weights / weights.sum()).tolist()):
            total += truth * math.log(truth / P) if truth > 0 else 0.0
        result.append(total)
    return result


def listed_variance(x, q, K):
    """All K draws at once would be V ** K; two moments do."""
    mean = sum(a * b for a, b in zip(x.tolist(), q.tolist()))
    square = sum(a * a * b for a, b in zip(x.tolist(), q.tolist()))
    return (square - mean * mean) / K


def sampled_variance(x, q, K):
    draws = torch.multinomial(q, 20_000 * K, replacement=True).reshape(-1, K)
    return x[draws].mean(dim=1).var()


def redrawn(counts, q, K):
    p = rows(counts)
    again = p / (1 - q)
    return p.log() - (K * q * (again.sum(1, keepdim=True) - again)).log()


def table_redrawn(counts, q, K):
    draw = q.repeat(len(q), 1).fill_diagonal_(0)
    draw = draw / draw.sum(1, keepdim=True)
    p = rows(counts)
    return (p / (K * p @ draw)).log()


def loop_redrawn(counts, q, K):
    scores = []
    for row in counts.tolist():
        scores.append([])
        for w in range(len(row)):
            no = sum(
                n / sum(row) * q[w].item() / (1 - q[o].item()) for o, n in enumerate(row) if o != w
            )
            scores[-1].append(math.log(row[w] / sum(row) / no / K))
    return np.array(scores)


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("8.1", lambda counts, q, K: kept(counts, q, K)[0], "shape"),
    ("8.1", without_keepdim, "RuntimeError"),
    ("8.1", normalised_in_place, "changed its input"),
    ("8.2", uniform_words, "Revisit PMI"),
    ("8.3", lambda p, s, q, K: divergence(p, s), "shape"),
    ("8.3", lambda p, s, q, K: (0.0, 0.0), "Revisit"),
    ("8.4", sampled_variance, "Nearly|it gave"),
    ("8.4", lambda x, q, K: q * (x - q @ x) ** 2 / K, "shape"),
    ("8.5", kept, "kept"),
]

RIGHT = [  # (number, answer), each in another style
    ("8.1", kept),
    ("8.1", loop_kept),
    (
        "8.1",
        lambda counts, q, K: np.log(
            counts.numpy() / counts.numpy().sum(1)[:, None] / q.numpy() / K
        ),
    ),
    ("8.2", pmi),
    ("8.2", loop_pmi),
    ("8.2", lambda counts: rows(counts).log() - (counts.sum(0) / counts.sum()).log()),
    ("8.3", both),
    ("8.3", loop_divergences),
    (
        "8.3",
        lambda p, s, q, K: [
            F.kl_div(torch.log_softmax(x, 0), p, reduction="sum") for x in (s, s + (K * q).log())
        ],
    ),
    ("8.4", listed_variance),
    ("8.4", lambda x, q, K: np.cov(x.numpy(), aweights=q.numpy(), ddof=0) / K),
    ("8.4", lambda x, q, K: (q * (x - (q * x).sum()).square()).sum().item() / K),
    ("8.5", redrawn),
    ("8.5", table_redrawn),
    ("8.5", loop_redrawn),
]
