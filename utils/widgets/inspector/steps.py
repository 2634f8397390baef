"""The gradient inspector's steps in Python.

The three objectives, a pair's gradients, steps replayed from the start.
"""

import functools
import json
import math
from typing import NamedTuple

import torch
from torch import Tensor

from utils.noise import NoiseDistribution
from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
from utils.widgets.common.trees import TREES, tree_problem, vectors_problem

METHODS = {"full": "full softmax", "ns": "negative sampling", "hs": "hierarchical softmax"}
# of a coordinate; of the learning rate
LIMIT = 20
SLOWEST = 0.01
FASTEST = 100
MOST_STEPS = 100
MOST_NOISE = 10
PAIR = ("centre", "context", "negatives", "rate")  # what a step is made of


class Answer(NamedTuple):
    """One pair under one objective.

    Its loss in nats, the gradients in v_c (2,) and in the output rows (R, 2).
    """

    loss: float
    in_v: Tensor
    in_rows: Tensor


def objective_of(method: str, counts, tree: str, noise_words: int):
    """The objective of a method, in float64."""
    V = len(counts)
    if method == "full":
        return FullSoftmax(V, 2).double()
    if method == "ns":
        return NegativeSampling(V, 2, NoiseDistribution(counts), noise_words).double()
    return HierarchicalSoftmax(2, TREES[tree](counts)).double()


def ask(objective, centres: Tensor, rows: Tensor, words, pair) -> Answer:
    """What a pair's loss is and where it pulls, by automatic differentiation.

    Centres (V, 2), rows (R, 2).
    """
    ids = [torch.tensor([words.index(pair["context"])])]
    if isinstance(objective, NegativeSampling):
        ids.append(torch.tensor([[words.index(name) for name in pair["negatives"]]]))
    v = centres[words.index(pair["centre"])].clone().requires_grad_()
    objective.weight.data = rows
    loss = objective.loss(v[None], *ids)[0]
    in_v, in_rows = torch.autograd.grad(loss, [v, objective.weight])
    return Answer(loss.item(), in_v, in_rows.to_dense())


def replay(state: dict, method: str) -> tuple[list[tuple[Tensor, Tensor]], str | None]:
    """Centre rows (V, 2) and output rows at the start and after each of `taken`.

    And what stopped the steps, if any.
    """
    rows = "node_rows" if method == "hs" else "output_rows"
    names = ("words", "counts", "tree", "taken", "centre_rows", rows)
    return _replay(method, json.dumps([state[name] for name in names]))


@functools.lru_cache(maxsize=12)
def _replay(method, key):
    words, counts, tree, taken, centres, rows = json.loads(key)
    objective = objective_of(method, counts, tree, 1)
    centres = torch.tensor(centres, dtype=torch.float64)
    rows = torch.tensor(rows, dtype=torch.float64)[: len(objective.weight)]
    tables = [(centres, rows)]
    for number, pair in enumerate(taken, start=1):
        centres = centres.clone()
        rows = rows.clone()
        answer = ask(objective, centres, rows, words, pair)
        c = words.index(pair["centre"])
        rows -= pair["rate"] * answer.in_rows
        centres[c] -= pair["rate"] * answer.in_v
        if beyond := _beyond_limit(centres[c], rows):
            step = f"step {number} of {METHODS[method]} at rate {pair['rate']:g}"
            return tables, f"{step} would move {beyond}, beyond {LIMIT}: choose a smaller rate"
        tables.append((centres, rows))
    return tables, None


def _beyond_limit(v_c: Tensor, rows: Tensor) -> str | None:
    """The first vector that has left the plane, and where it is."""
    names = ["v_c", *(f"row {i}" for i in range(len(rows)))]
    for name, row in zip(names, [v_c, *rows]):
        if not (row.abs() <= LIMIT).all():
            place = ", ".join(f"{x:.4g}" for x in row.tolist())
            return f"{name} to ({place})"
    return None


def pair_problem(words, centre, context, negatives, rate) -> str | None:
    """What is wrong with a pair, its noise words and its rate, in one sentence, or None."""
    for name in (centre, context, *negatives):
        if name not in words:
            more = ", .." if len(words) > 12 else ""
            listed = ", ".join(words[:12])
            return f"the word {name!r} is not among the {len(words)} words: {listed}{more}"
    if centre == context:
        return (
            f"centre and context are both {centre!r}: a word is not its own context here, "
            "choose two different words"
        )
    if not 1 <= len(negatives) <= MOST_NOISE:
        return f"there are {len(negatives)} noise words: this figure takes 1 to {MOST_NOISE}"
    if not SLOWEST <= rate <= FASTEST:
        return f"the rate is {rate}: this figure takes {SLOWEST} to {FASTEST}"
    return None


def problem(
    words,
    counts,
    tree,
    centre,
    context,
    negatives,
    rate,
    methods,
    centre_rows,
    output_rows,
    node_rows,
    taken,
) -> str | None:
    """What is wrong with a state, in one sentence, or None.

    The same rules as in math.js.
    """
    said = tree_problem(words, counts, centre, tree)
    said = said or vectors_problem(node_rows, len(words))
    said = said or pair_problem(words, centre, context, negatives, rate)
    if said:
        return said
    if not methods or len(set(methods)) < len(methods) or not set(methods) <= set(METHODS):
        return f"methods is {methods}: it names one or more of {', '.join(METHODS)}, each once"
    for name, rows, size in (
        ("centre", centre_rows, len(words)),
        ("output", output_rows, len(words)),
        ("node", node_rows, len(words) - 1),
    ):
        if len(rows) < size or not all(
            len(row) == 2 and all(abs(x) <= LIMIT for x in row) for row in rows
        ):
            return (
                f"{name}_rows: {size} rows of two coordinates from -{LIMIT} to {LIMIT} are needed"
            )
    if len(taken) > MOST_STEPS:
        return f"{len(taken)} steps: this figure keeps {MOST_STEPS}; step back or start again"
    for number, pair in enumerate(taken, start=1):
        if not _is_step(pair):
            return f"step {number} is {pair}: a step has {', '.join(PAIR)}"
        if said := pair_problem(words, **pair):
            return f"step {number}: {said}"
    state = dict(
        words=words,
        counts=counts,
        tree=tree,
        taken=taken,
        centre_rows=centre_rows,
        output_rows=output_rows,
        node_rows=node_rows,
    )
    return next((said for method in methods if (said := replay(state, method)[1])), None)


def _is_step(pair) -> bool:
    return (
        set(pair) == set(PAIR)
        and isinstance(pair["negatives"], list)
        and isinstance(pair["rate"], int | float)
        and math.isfinite(pair["rate"])
    )
