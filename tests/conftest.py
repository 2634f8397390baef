"""What several test files share: a small text, and one of each objective."""

import pytest
import torch
from hypothesis import settings

settings.register_profile(
    "course", deadline=None, derandomize=True, print_blob=False, max_examples=50, database=None
)
settings.load_profile("course")


collect_ignore = ["browser"]  # make test-browser
torch.set_num_threads(1)  # models this small are faster on one thread


@pytest.fixture
def sentences():
    """240 sentences of 3 to 9 words out of w0 (frequent) to w19 (rare), even ones or odd ones; always the same."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(3, 10, (240,), generator=generator).tolist()
    draws = [
        torch.multinomial(1 / torch.arange(1.0, 11.0), n, True, generator=generator).tolist()
        for n in lengths
    ]
    return [[f"w{2 * i + s % 2}" for i in words] for s, words in enumerate(draws)]


@pytest.fixture
def make_objective():
    """make_objective(name, V, d): a fresh objective for Zipf counts, with `planted=True` random weights in float64."""
    from utils.costs import zipf_counts
    from utils.noise import NoiseDistribution
    from utils.objectives import FullSoftmax, HierarchicalSoftmax, NegativeSampling
    from utils.tree import huffman_tree

    def make(name, V, d, planted=False, K=5, **options):
        if name == "full":
            objective = FullSoftmax(V, d)
        elif name == "negative":
            objective = NegativeSampling(
                V, d, NoiseDistribution(zipf_counts(V)), num_negatives=K, **options
            )
        else:
            objective = HierarchicalSoftmax(d, huffman_tree(zipf_counts(V)))
        if planted:
            objective.double()
            with torch.no_grad():
                objective.weight.normal_(generator=torch.Generator().manual_seed(7))
        return objective

    return make


@pytest.fixture(params=["full", "negative", "hierarchical"])
def objective_name(request):
    return request.param
