"""The pieces of the lab of famous defects: correct code, what is wrong, and hints.

As in `lab`: the defective functions stand in the notebook, and correct ones here, each written in
another way than its twin.
"""

import torch
from torch.nn import functional as F


def _corrected_scores(scores, q):
    return scores - q.log()[None]


def _without_hits(scores, ids):
    rows, columns = (ids[:, None] == ids).nonzero(as_tuple=True)
    copies = rows != columns
    kept = scores.clone()
    kept[rows[copies], columns[copies]] = -torch.inf
    return kept


def _with_hits_pushed_down(scores, ids):
    same = (ids[:, None] == ids).double().fill_diagonal_(0)
    return scores - 1e9 * same.to(scores.dtype)


def _log_uniform_draws(counts, n):
    V = len(counts)
    ranks = torch.arange(V, dtype=torch.float64)
    by_rank = torch.multinomial(((ranks + 2) / (ranks + 1)).log(), n, replacement=True)
    return torch.as_tensor(counts).argsort(descending=True)[by_rank]


def _log_uniform_draws_by_search(counts, n):
    V = len(counts)
    ends = (torch.arange(V, dtype=torch.float64) + 2).log() / torch.tensor(V + 1.0).log()
    uniform = 1 - torch.rand(n, dtype=torch.float64)
    by_rank = torch.searchsorted(ends, uniform)
    return torch.as_tensor(counts).argsort(descending=True)[by_rank.clamp(max=V - 1)]


def _nce_loss(U, v_c, o, negatives, q):
    words = [o, *negatives.tolist()]
    corrected = torch.stack([U[w] @ v_c - torch.log(len(negatives) * q[w]) for w in words])
    wrong_by = torch.cat([-corrected[:1], corrected[1:]])
    return F.softplus(wrong_by).sum()


def _estimated_share(scores, q, o, drawn):
    weights = scores[drawn].exp() / (len(drawn) * q[drawn])
    rest = weights[drawn != o].sum()
    return scores[o].exp() / (scores[o].exp() + rest)


def _share_with_hits(scores, q, o, drawn):
    words = torch.cat([torch.tensor([o]), drawn])
    share = torch.softmax(scores[words] - q[words].log(), dim=0)
    return share[words == o].sum()


def _noise_weights(counts, kind):
    weights = {
        "uniform": torch.ones(len(counts), dtype=torch.float64),
        "even": torch.ones(len(counts), dtype=torch.float64),
        "popularity": torch.as_tensor(counts).double(),
    }
    if kind not in weights:
        raise ValueError(f"kind is {kind!r}")
    return weights[kind] / weights[kind].sum()


def _bpr_loss(true_scores, noise_scores):
    return F.softplus(noise_scores - true_scores)


def _own_ids(ids, labels):
    return torch.stack([row[label.argmax()] for row, label in zip(ids, labels)])


CORRECT = {
    11: _corrected_scores,
    12: _without_hits,
    13: _log_uniform_draws,
    14: _nce_loss,
    15: _estimated_share,
    16: _noise_weights,
    17: _bpr_loss,
    18: _own_ids,
}
ALSO_CORRECT = {
    12: _with_hits_pushed_down,
    13: _log_uniform_draws_by_search,
    15: _share_with_hits,
}
DEFECT = {
    11: (
        "log q is added, not subtracted: an item that comes often as a wrong answer is punished "
        "for it twice."
    ),
    12: (
        "The number that is added to a copy's score is tiny: it changes no score, and the "
        "copies compete as before."
    ),
    13: (
        "The rank is returned as if it were the id. Ids here are in no order, so words are drawn "
        "often or seldom by chance."
    ),
    14: (
        "Draws that equal the true word are left out. In NCE they belong to the noise, and without "
        "them the best score is no longer log p."
    ),
    15: (
        "Hits are removed, and yet the true word is divided by K q as if it had been drawn: with "
        "many draws its share tends to 0."
    ),
    16: (
        "`kind == 'uniform' or 'even'` is true for every kind, since 'even' is not empty: all "
        "noise is uniform."
    ),
    17: (
        "With 1e-10 added to the probability, the loss stops rising where a pair is badly wrong, "
        "and its gradient is 0."
    ),
    18: (
        "`torch.take` reads the table as one long row: every row's answer comes from the first row."
    ),
}
HINTS = {
    11: (
        "Two items have the same scores everywhere; one is a hundred times as frequent. Which of "
        "them should have the higher corrected scores?",
        "The one that is offered as a wrong answer more often must not be punished for it.",
    ),
    12: (
        "What should the softmax of a row be for a copy of its own item?",
        "Print the scores before and after, with all their digits.",
    ),
    13: (
        "Draw many ids for counts that are not sorted. Which word should come most often?",
        "Try counts in rising order: the last word is the most frequent.",
    ),
    14: (
        "Add up the loss by hand for noise words among which the true word stands once.",
        "Its row is asked twice, with yes and with no. How large is the loss where K q = 1?",
    ),
    15: (
        "With more and more draws the estimate should come near one number that you can compute.",
        "That number is the softmax over all V words. Draw a hundred thousand words from q.",
    ),
    16: (
        "Ask for every kind that the docstring names, with counts that differ.",
        "What does Python make of `'x' == 'uniform' or 'even'`?",
    ),
    17: (
        "How large should the loss be where the noise word's score is 50 higher? And its slope?",
        "Where a pair is badly wrong, the loss is nearly the difference itself, and its slope is "
        "-1 with respect to the true score.",
    ),
    18: (
        "Use rows that have different candidates.",
        "One row never shows it. Two do, if their candidates have nothing in common.",
    ),
}
