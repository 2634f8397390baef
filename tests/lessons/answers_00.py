"""Wrong and right answers to the exercise of lesson 00, written as a learner would."""

import numpy as np
import torch

WRONG = [  # (number, answer, words that the message must hold)
    ("0.1", lambda first, rank: [first / rank], "shape"),
]

RIGHT = [  # (number, answer), each in another style
    ("0.1", lambda first, rank: torch.tensor(first) / rank),
    ("0.1", lambda first, rank: np.float64(first) * rank**-1.0),
]
