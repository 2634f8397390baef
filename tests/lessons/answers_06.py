"""Wrong and right answers to the exercises of lesson 06, written as a learner would."""

import numpy as np
import torch
from torch.nn import functional as F

from utils.objectives import softmax_loss, yes_no_loss

# 6.1


def loop(table, ids, offsets):
    ends = offsets.tolist() + [len(ids)]
    means = []
    for start, end in zip(ends, ends[1:]):
        means.append(table[ids[start:end]].mean(dim=0))
    return torch.stack(means)


def split(table, ids, offsets):
    return [table[words].mean(0) for words in torch.tensor_split(ids, offsets[1:])]


def scattered(table, ids, offsets):
    lengths = torch.diff(offsets, append=torch.tensor([len(ids)]))
    which = torch.arange(len(offsets)).repeat_interleave(lengths)
    sums = torch.zeros(len(offsets), table.shape[1], dtype=table.dtype).index_add(
        0, which, table[ids]
    )
    return sums / lengths[:, None]


def running_sums(table, ids, offsets):
    sums = np.vstack([np.zeros(table.shape[1]), np.cumsum(table.numpy()[ids.numpy()], axis=0)])
    ends = np.append(offsets.numpy(), len(ids))
    return np.diff(sums[ends], axis=0) / np.diff(ends)[:, None]


def without_the_last(table, ids, offsets):
    return torch.stack([table[ids[a:b]].mean(dim=0) for a, b in zip(offsets, offsets[1:])])


def one_short(table, ids, offsets):
    ends = offsets.tolist() + [len(ids) - 1]
    return torch.stack([table[ids[a:b]].mean(dim=0) for a, b in zip(ends, ends[1:])])


def centred_in_place(table, ids, offsets):
    table -= table.mean(dim=0)
    return loop(table, ids, offsets)


# 6.2


def loss(table, bag, U, c):
    return softmax_loss(table[bag].mean(dim=0)[None], U, torch.tensor([c]))[0]


def by_autograd(table, bag, U, c):
    vectors = table[bag].requires_grad_()
    softmax_loss(vectors.mean(dim=0)[None], U, torch.tensor([c]))[0].backward()
    return vectors.grad


def in_two_steps(table, bag, U, c):
    P = torch.softmax(U @ table[bag].mean(dim=0), dim=0)
    expected = sum(p * u for p, u in zip(P, U))
    return [(expected - U[c]) / len(bag) for _ in bag]


def own_vectors(table, bag, U, c):
    P = torch.softmax(U @ table[bag].T, dim=0).T
    return (P @ U - U[c]) / len(bag)


def all_words(table, bag, U, c):
    table = table.clone().requires_grad_()
    return torch.autograd.grad(loss(table, bag, U, c), table)[0]


# 6.3


def ns(table, bag, U, c, noise):
    v = table[bag].mean(dim=0)
    return -F.logsigmoid(U[c] @ v) - F.logsigmoid(-U[noise] @ v).sum()


def ns_loop(table, bag, U, c, noise):
    v = sum(table[i] for i in bag) / len(bag)
    total = -torch.log(1 / (1 + torch.exp(-(U[c] * v).sum())))
    for k in noise:
        total -= torch.log(1 - 1 / (1 + torch.exp(-(U[k] * v).sum())))
    return total


def ns_by_signs(table, bag, U, c, noise):
    signs = torch.tensor([[1] + [-1] * len(noise)])
    return yes_no_loss(table[bag].mean(dim=0)[None], U, torch.tensor([[c, *noise]]), signs)[0]


def ns_of_the_softmax(table, bag, U, c, noise):
    P = torch.softmax(U @ table[bag].mean(dim=0), dim=0)
    return -P[c].log() - (1 - P[noise]).log().sum()


# 6.4


def push(table, bag, nodes, path, signs):
    errors = torch.sigmoid(nodes[path] @ table[bag].mean(dim=0)) - (signs == 1).double()
    return errors @ nodes[path] / len(bag)


def added(table, bag, *walk):
    return torch.zeros_like(table).index_add(0, bag, push(table, bag, *walk).expand(len(bag), -1))


def added_one_by_one(table, bag, nodes, path, signs):
    gradient = np.zeros(table.shape)
    for word in bag.tolist():
        gradient[word] += push(table, bag, nodes, path, signs).numpy()
    return gradient


def hs_by_autograd(table, bag, nodes, path, signs):
    table = table.clone().requires_grad_()
    yes_no_loss(table[bag].mean(dim=0)[None], nodes, path[None], signs[None]).sum().backward()
    return table.grad


def by_counts(table, bag, *walk):
    return torch.outer(torch.bincount(bag, minlength=len(table)).double(), push(table, bag, *walk))


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("6.1", without_the_last, "last bag"),
    ("6.1", one_short, "where the next bag begins|nan"),
    ("6.1", centred_in_place, "changed its input"),
    ("6.2", own_vectors, "errors times rows"),
    ("6.2", all_words, "shape"),
    ("6.3", ns_of_the_softmax, "15.2.6"),
    ("6.4", lambda table, bag, *walk: push(table, bag, *walk), "shape"),
]

RIGHT = [  # (number, answer), each in another style
    ("6.1", loop),
    ("6.1", split),
    ("6.1", scattered),
    ("6.1", running_sums),
    ("6.1", lambda table, ids, offsets: F.embedding_bag(ids, table.float(), offsets, mode="mean")),
    ("6.2", by_autograd),
    ("6.2", in_two_steps),
    ("6.3", ns),
    ("6.3", ns_loop),
    ("6.3", ns_by_signs),
    ("6.3", lambda table, bag, U, c, noise: float(ns(table, bag, U, c, noise))),
    ("6.4", added),
    ("6.4", added_one_by_one),
    ("6.4", hs_by_autograd),
    ("6.4", by_counts),
]
