"""The running example: eight words on D2L's tree, one centre vector, two coordinates.

The words stand in the order of the tree's leaves, so river is w_3: left, right, left from the root.
The numbers were made up, once, to be small enough to check by hand; they were not trained.
"""

import torch

WORDS = ["water", "boat", "river", "lake", "money", "loan", "bank", "king"]
CENTRE = WORDS.index("bank")
CONTEXT = WORDS.index("river")
COUNTS = [20, 6, 10, 5, 12, 2, 8, 1]  # made up too: of each word, in the lessons that count
NOISE = [WORDS.index("king"), WORDS.index("loan")]  # K = 2 noise words, given

V_C = torch.tensor([1.0, 0.5], dtype=torch.float64)  # the centre word, bank: (d,)
U = torch.tensor(
    [
        [0.3, 0.6],
        [-0.2, 0.4],
        [0.9, 0.3],
        [0.1, 0.7],
        [0.8, -0.2],
        [0.7, -0.5],
        [0.2, -0.4],
        [-0.6, 0.1],
    ],
    dtype=torch.float64,
)  # a row a word: (V, d)
U_NODES = torch.tensor(
    [[0.4, -0.3], [-0.5, 0.2], [0.3, 0.3], [0.1, -0.6], [0.6, 0.4], [-0.2, 0.5], [0.5, -0.1]],
    dtype=torch.float64,
)  # a row an inner node: (V - 1, d)
