"""What several test files share: a small text, and one of each objective."""

import pytest
import torch
from hypothesis import settings

from utils import objectives
from utils.costs import zipf_counts

settings.register_profile(
    "course", deadline=None, derandomize=True, print_blob=False, max_examples=50, database=None
)
settings.load_profile("course")


collect_ignore = ["browser"]  # make test-browser
torch.set_num_threads(1)  # models this small are faster on one thread


@pytest.fixture
def sentences():
    """240 sentences of 3 to 9 words out of w0 (frequent) to w19 (rare), even ones or odd ones.

    Always the same.
    """
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(3, 10, (240,), generator=generator).tolist()
    draws = [
        torch.multinomial(1 / torch.arange(1.0, 11.0), n, True, generator=generator).tolist()
        for n in lengths
    ]
    return [[f"w{2 * i + s % 2}" for i in words] for s, words in enumerate(draws)]


@pytest.fixture
def make_objective():
    """make_objective(name, V, d): a fresh objective for Zipf counts.

    With `planted=True` it has random weights in float64.
    """

    def make(name, V, d, planted=False, K=5, **options):
        counts = zipf_counts(V)
        objective = objectives.make_objective(name, counts, d, num_negatives=K, **options)
        if planted:
            objective.double()
            with torch.no_grad():
                objective.weight.normal_(generator=torch.Generator().manual_seed(7))
        return objective

    return make


@pytest.fixture(params=objectives.OBJECTIVES)
def objective_name(request):
    return request.param
