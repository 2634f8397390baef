"""Wrong and right answers to the exercises of lesson 11, written as a learner would."""

import math

import torch


def running(largest, sums):
    """As a loop over pieces keeps it: the largest so far, and the sum scaled to it."""
    m = -math.inf
    total = 0.0
    for its_m, its_sum in zip(largest.tolist(), sums.tolist()):
        new = max(m, its_m)
        total = total * math.exp(m - new) + its_sum * math.exp(its_m - new)
        m = new
    return m + math.log(total)


def by_logsumexp(largest, sums):
    return torch.logsumexp(largest + sums.log(), dim=0)


def overflows(largest, sums):
    return (sums * largest.exp()).sum().log()


def piece_by_autograd(U, v_c, log_Z, o, start):
    error = torch.exp(U @ v_c - log_Z)
    labels = torch.tensor([float(start + k == o) for k in range(len(U))], dtype=torch.float64)
    return (error - labels) @ U


def piece_by_loop(U, v_c, log_Z, o, start):
    total = torch.zeros_like(v_c)
    for k, row in enumerate(U):
        P = math.exp(float(row @ v_c) - log_Z)
        total += (P - (1 if start + k == o else 0)) * row
    return total


def never_before(U, v_c, log_Z, o, start):
    """A word that lies after the piece stops it, one before it does not."""
    error = torch.exp(U @ v_c - log_Z)
    if o >= start:
        error[o - start] -= 1
    return error @ U


def from_the_end(U, v_c, log_Z, o, start):
    """A negative index counts from the end."""
    error = torch.exp(U @ v_c - log_Z)
    if o - start < len(U):
        error[o - start] -= 1
    return error @ U


def only_the_true_word(U, v_c, log_Z, o, start):
    return torch.zeros_like(v_c)


def storeys(head, first, second):
    head = torch.log_softmax(head, dim=0)
    return torch.cat(
        [
            head[:-2],
            head[-2] + torch.log_softmax(first, dim=0),
            head[-1] + torch.log_softmax(second, dim=0),
        ]
    )


def storeys_by_products(head, first, second):
    P = head.exp() / head.exp().sum()
    within = [tail.exp() / tail.exp().sum() for tail in (first, second)]
    return torch.cat([P[:-2], P[-2] * within[0], P[-1] * within[1]]).log()


def first_cluster_only(head, first, second):
    return storeys(head, first, second)[: len(head) - 2 + len(first)]


def cuts(counts):
    total = counts.sum().item()
    V = len(counts)
    return [h + 1 + counts[h:].sum().item() / total * (V - h) for h in range(1, V)]


def cuts_at_once(counts):
    V = len(counts)
    h = torch.arange(1, V)
    outside = 1 - (counts.double() / counts.sum()).cumsum(dim=0)[:-1]
    return h + 1 + outside * (V - h)


def best_cut(counts):
    return min(cuts(counts))


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("11.1", overflows, "inf|finite|nan"),
    ("11.2", only_the_true_word, "Revisit the way back"),
    ("11.2", never_before, "IndexError"),
    ("11.2", from_the_end, "Revisit the way back"),
    ("11.3", first_cluster_only, "shape should be"),
    ("11.4", best_cut, "shape should be"),
]

RIGHT = [  # (number, answer), each in another style
    ("11.1", running),
    ("11.1", by_logsumexp),
    ("11.2", piece_by_autograd),
    ("11.2", piece_by_loop),
    ("11.3", storeys),
    ("11.3", storeys_by_products),
    ("11.4", cuts),
    ("11.4", cuts_at_once),
]
