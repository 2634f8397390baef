"""Wrong and right answers to the exercises of lesson 08, written as a learner would."""

import math

import numpy as np
import torch
from scipy import stats
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


def with_nan(p, scores, q, K):
    P = torch.softmax(scores, 0)
    corrected = torch.softmax(scores + (K * q).log(), 0)
    return (p * (p / P).log()).sum(), (p * (p / corrected).log()).sum()


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


def own_share_taken_out(counts, q, K):
    """Leaves w out of the sum but forgets that the rest is divided by 1 - q(o)."""
    p = rows(counts)
    return p.log() - (K * q * (1 - p)).log()


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("8.1", lambda counts, q, K: rows(counts).log() - q.log(), "K is missing"),
    ("8.1", lambda counts, q, K: (counts / counts.sum()).log() - (K * q).log(), "own row"),
    ("8.1", lambda counts, q, K: (K * q).log() - rows(counts).log(), "sign"),
    ("8.1", lambda counts, q, K: rows(counts) / (K * q), "logarithm"),
    ("8.1", lambda counts, q, K: rows(counts).log() - K * q.log(), "inside the logarithm"),
    ("8.1", lambda counts, q, K: rows(counts).log(), "Noise is missing"),
    ("8.1", lambda counts, q, K: kept(counts, q, K).sigmoid(), "sigma"),
    ("8.1", lambda counts, q, K: kept(counts, q, K)[0], "shape"),
    ("8.1", without_keepdim, "RuntimeError"),
    ("8.1", normalised_in_place, "changed its input"),
    ("8.2", lambda counts: pmi(counts) / math.log(2), "bits"),
    ("8.2", lambda counts: rows(counts).log(), "p(w | c)"),
    (
        "8.2",
        lambda counts: torch.log(counts / (counts.sum(1, keepdim=True) * counts.sum(0))),
        "sum of all",
    ),
    ("8.2", lambda counts: pmi(counts).clamp(min=0), "positive PMI"),
    ("8.2", lambda counts: pmi(counts).exp(), "logarithm"),
    ("8.2", lambda counts: (counts / counts.sum() * pmi(counts)).sum(), "mutual information"),
    ("8.2", lambda counts: pmi(counts).T, "turned|shape"),
    ("8.2", uniform_words, "Revisit PMI"),
    ("8.3", with_nan, "nan"),
    ("8.3", lambda *case: both(*case)[::-1], "order"),
    ("8.3", lambda p, s, q, K: (divergence(p, s), divergence(p, s - (K * q).log())), "wrong way"),
    ("8.3", lambda p, s, q, K: (divergence(p, s), divergence(p, s + K * q)), "logarithm"),
    ("8.3", lambda p, s, q, K: (divergence(p, s), divergence(p, s + math.log(K))), "constant"),
    (
        "8.3",
        lambda p, s, q, K: [
            stats.entropy(p, torch.softmax(x, 0), base=2) for x in (s, s + (K * q).log())
        ],
        "bits",
    ),
    (
        "8.3",
        lambda p, s, q, K: (F.cross_entropy(s, p), F.cross_entropy(s + (K * q).log(), p)),
        "cross-entropy",
    ),
    ("8.3", lambda p, s, q, K: divergence(p, s), "shape"),
    ("8.3", lambda p, s, q, K: (0.0, 0.0), "Revisit"),
    ("8.4", lambda x, q, K: q @ x**2 - (q @ x) ** 2, "one draw"),
    ("8.4", lambda x, q, K: K * (q @ x**2 - (q @ x) ** 2), "sum of K draws"),
    ("8.4", lambda x, q, K: x.var() / K, "V - 1"),
    ("8.4", lambda x, q, K: (q @ x**2) / K, "square of the mean"),
    ("8.4", lambda x, q, K: ((q @ x**2 - (q @ x) ** 2) / K).sqrt(), "standard deviation"),
    ("8.4", lambda x, q, K: (q @ x**2 - q @ x) / K, "not the mean"),
    ("8.4", sampled_variance, "Nearly|it gave"),
    ("8.4", lambda x, q, K: q * (x - q @ x) ** 2 / K, "shape"),
    ("8.5", kept, "kept"),
    ("8.5", own_share_taken_out, "skipped"),
    (
        "8.5",
        lambda counts, q, K: (
            rows(counts).log() - (K * q * (rows(counts) / (1 - q)).sum(1, keepdim=True)).log()
        ),
        "one term too many",
    ),
    (
        "8.5",
        lambda counts, q, K: rows(counts).log() - (K * q * (1 - rows(counts)) / (1 - q)).log(),
        "drawn word",
    ),
    ("8.5", lambda counts, q, K: redrawn(counts, q, 1), "K is missing"),
    ("8.5", lambda counts, q, K: redrawn(counts, q, K) + q.log(), "in front of the sum"),
    ("8.5", lambda counts, q, K: -redrawn(counts, q, K), "sign"),
    (
        "8.5",
        lambda counts, q, K: torch.log(counts) - rows(counts).log() + redrawn(counts, q, K),
        "shares in both",
    ),
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
