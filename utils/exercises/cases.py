"""What the lessons' cases are drawn from, and how a case is found on which no two answers agree."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import torch

from utils.exercises.values import agree, as_tensor

DRAWS = 1000


def telling(draw: Callable[[], tuple], reference: Callable, mistakes: tuple) -> tuple:
    """A case from `draw()` on which the right answer and all known mistakes differ.

    ValueError if there is none among the first thousand: it names the two answers that agreed most
    often.
    """
    answers = [(reference, "the right answer"), *mistakes]
    agreed = Counter()
    for _ in range(DRAWS):
        case = draw()
        results = enumerate([as_tensor(answer(*case)) for answer, _ in answers])
        alike = [
            (a, b)
            for (a, x), (b, y) in combinations(results, 2)
            if agree(x, y, rtol=1e-2, atol=1e-3)
        ]
        if not alike:
            return case
        agreed.update(alike)
    (a, b), times = agreed.most_common(1)[0]
    raise ValueError(
        f"none of {DRAWS} cases tells all answers apart: in {times} of them "
        f"{answers[a][1]!r} agrees with "
        f"{answers[b][1]!r}"
    )


# Numbers ------------------------------------------------------------------------------------------


def integer(generator: torch.Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (1,), generator=generator))


def number(generator: torch.Generator, low: float | int, high: float | int) -> float:
    """A number between low and high, any as likely as any other."""
    return low + (high - low) * torch.rand(1, dtype=torch.float64, generator=generator).item()


def different(generator: torch.Generator, n: int, most: int) -> torch.Tensor:
    """n different whole numbers from 1 to `most`, in no order."""
    return 1 + torch.randperm(most, generator=generator)[:n]


def shares(generator: torch.Generator, n: int, most: int) -> torch.Tensor:
    """n probabilities, no two alike: different whole numbers up to `most`, divided by their sum."""
    weights = different(generator, n, most).double()
    return weights / weights.sum()


def counts(generator: torch.Generator, V: int) -> torch.Tensor:
    """V different counts, a few large and many small, in no order."""
    while True:
        drawn = torch.exp(4.5 * torch.rand(V, dtype=torch.float64, generator=generator)).long() + 1
        if len(drawn.unique()) == V:
            return drawn


def vectors(
    generator: torch.Generator, rows: int, d: int, scale: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """U (rows, d) and v_c (d,), normal numbers with two decimals."""
    numbers = torch.round(
        scale * torch.randn(rows + 1, d, dtype=torch.float64, generator=generator), decimals=2
    )
    return numbers[:rows], numbers[rows]


def clear_vectors(generator: torch.Generator, V: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """U (V, d) and v_c (d,); no score is large, near zero or near another."""
    while True:
        U, v_c = vectors(generator, V, d)
        scores = (U @ v_c).sort().values
        if (
            v_c.abs().min() > 0.2
            and scores.abs().min() > 0.1
            and scores.abs().max() < 3
            and scores.diff().min() > 0.01
        ):
            return U, v_c


# Trees and walks, in the course's layout: words are 0 to V - 1, inner node i is V + i, the root is
# inner node 0 ------


def walk(generator: torch.Generator, nodes: int, d: int, steps: int, padding: int = 0) -> tuple:
    """U (nodes, d), v_c (d,), a path of `steps` nodes from the root, its turns, and padding."""
    U, v_c = vectors(generator, nodes, d)
    others = 1 + torch.randperm(nodes - 1, generator=generator)[: steps - 1]
    path = torch.cat(
        [torch.zeros(1, dtype=torch.int64), others, torch.zeros(padding, dtype=torch.int64)]
    )
    signs = 2 * torch.randint(2, (steps,), generator=generator) - 1
    return U, v_c, path, torch.cat([signs, torch.zeros(padding, dtype=torch.int64)]).to(torch.int8)


def tree(generator: torch.Generator, V: int) -> torch.Tensor:
    """children (V-1, 2) of a random full binary tree, its inner nodes in random order."""
    roots = torch.randperm(V, generator=generator).tolist()
    ids = (1 + torch.randperm(V - 2, generator=generator)).tolist() + [0]
    children = torch.zeros(V - 1, 2, dtype=torch.int64)
    for i in ids:
        left, right = (roots.pop(integer(generator, 0, len(roots) - 1)) for _ in range(2))
        children[i] = torch.tensor([left, right])
        roots.append(V + i)
    return children


def depths(generator: torch.Generator, V: int) -> torch.Tensor:
    """The words' depths (V,) in a random full binary tree."""
    roots = [[w] for w in torch.randperm(V, generator=generator).tolist()]
    steps = torch.zeros(V, dtype=torch.int64)
    while len(roots) > 1:
        left, right = (roots.pop(integer(generator, 0, len(roots) - 1)) for _ in range(2))
        steps[left + right] += 1
        roots.append(left + right)
    return steps
