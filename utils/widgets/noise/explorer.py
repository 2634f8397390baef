"""The noise explorer: which words say "no", how often a draw hits the true word, and what the draws
cost (15.2.6).
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from traitlets import Enum, List, Unicode, validate
from traitlets import Float as Number
from traitlets import Int as Whole

from utils.example import V_C, U
from utils.noise import NoiseDistribution
from utils.objectives import yes_no_loss
from utils.widgets.common import vocabulary
from utils.widgets.common.base import LiveFigure, module, refuse, source
from utils.widgets.noise.picture import picture

# of v_c's coordinates, of K, of draws before those in sight
REACH = 2
MOST_WORDS = 20
MOST_DRAWS = 100_000
ON_HIT = ("keep", "skip", "redraw")
SCALES = ("linear", "log")
M = 2**32 - 1


def word_vectors() -> list[list[float]]:
    """u of each of the 64 words that a vocabulary may have.

    The running example's, then made-up ones.
    """
    turns = [(2.4 * i, 0.4 + 0.05 * (i % 9)) for i in range(len(U), vocabulary.MOST)]
    return U.tolist() + [[round(r * math.cos(a), 1), round(r * math.sin(a), 1)] for a, r in turns]


def _stir(x: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    x = (x ^ (x >> 16)) * 0x7FEB352D & M
    x = (x ^ (x >> 15)) * 0x846CA68B & M
    return x ^ (x >> 16)


def uniform(seed: int, n: Int[Tensor, "N"]) -> Float[Tensor, "N"]:
    """The n-th random numbers of a seed, at least 0 and below 1, the same as in math.js."""
    key = _stir(torch.tensor(seed + 0x9E3779B9 & M))
    high, low = (_stir((_stir(2 * n + i) + key) & M) for i in (0, 1))
    return ((high >> 5) * 2**26 + (low >> 6)).double() / 2**53


def problem(
    words, counts, word, power, K, on_hit, before, seed, hidden, vectors, scale
) -> str | None:
    """What is wrong with a state, in one sentence, or None.

    The same rules as `problemOf` in math.js.
    """
    if wrong := vocabulary.problem(words, counts, word):
        return wrong
    if not 0 <= power <= 1:
        return f"the power is {power}: it lies between 0 and 1"
    if not 1 <= K <= MOST_WORDS:
        return f"K is {K}: 1 to {MOST_WORDS} noise words"
    if on_hit not in ON_HIT:
        return f"on_hit is {on_hit!r}; choose 'keep', 'skip' or 'redraw'"
    if not 0 <= before <= MOST_DRAWS:
        return f"before is {before}: 0 to {MOST_DRAWS:,} draws before those in sight"
    if not 0 <= seed < 2**31:
        return f"the seed is {seed}: a whole number from 0 to {2**31 - 1}"
    if len(hidden) != 2 or not all(abs(x) <= REACH for x in hidden):
        return f"hidden is {hidden}: it has two coordinates from -{REACH} to {REACH}"
    if len(vectors) < len(words) or not all(
        len(u) == 2 and all(map(math.isfinite, u)) for u in vectors
    ):
        return f"each of {len(words)} words needs a vector of two coordinates"
    return None if scale in SCALES else f"scale is {scale!r}; choose 'linear' or 'log'"


class NoiseExplorer(LiveFigure):
    """Noise words for one positive word: q(w), K draws and their hits, the loss term by term.

    words: 8 to 64 different ones; counts: a whole number for each; word: the positive, w_o; power:
    0 to 1; K: 1 to 20 noise words; on_hit: "keep", "skip" or "redraw" a draw that equals the
    positive; before: how many draws came before the K in sight; seed: of the random numbers;
    hidden: v_c, two coordinates from -2 to 2; scale: "linear" or "log". Raises TraitError for
    anything else, and keeps its last good state.

    The draws follow from this state alone: draw i takes the i-th random numbers of the seed.
    """

    _esm = module("noise/explorer.js")
    _css = source("common/base.css") + source("noise/explorer.css")
    title = "noise explorer"

    words = List(Unicode()).tag(sync=True)
    counts = List(Whole()).tag(sync=True)
    word = Unicode().tag(sync=True)
    power = Number().tag(sync=True)
    K = Whole(1).tag(sync=True)
    on_hit = Enum(ON_HIT).tag(sync=True)
    before = Whole().tag(sync=True)
    seed = Whole().tag(sync=True)
    hidden = List(Number()).tag(sync=True)
    vectors = List(List(Number())).tag(sync=True)
    scale = Enum(SCALES).tag(sync=True)

    def __init__(
        self,
        words=None,
        counts=None,
        power=0.75,
        word=None,
        K=5,
        on_hit="keep",
        hidden=V_C,
        before=0,
        seed=1,
        scale=None,
    ):
        words, counts, word = vocabulary.given(words, counts, word)
        wide = scale is None and counts and min(counts) > 0 and max(counts) / min(counts) > 50
        super().__init__(
            words=words,
            counts=counts,
            word=word,
            power=float(power),
            K=K,
            on_hit=on_hit,
            before=before,
            seed=seed,
            hidden=[float(x) for x in hidden],
            vectors=word_vectors(),
            scale=scale or ("log" if wide else "linear"),
        )

    @validate(
        "words",
        "counts",
        "word",
        "power",
        "K",
        "on_hit",
        "before",
        "seed",
        "hidden",
        "vectors",
        "scale",
    )
    def _check(self, proposal):
        refuse(problem(**self.state() | {proposal.trait.name: proposal.value}))
        return proposal.value

    def noise(self) -> NoiseDistribution:
        """q(w) as it stands."""
        return NoiseDistribution(self.counts, power=self.power)

    def draws(self) -> tuple[Int[Tensor, "N"], Bool[Tensor, "N"]]:
        """All words drawn so far, the K in sight last, and which draws hit before any redraw."""
        o = self.words.index(self.word)
        q = self.noise().probs
        i = torch.arange(self.before + self.K)
        drawn = _search(q, uniform(self.seed, 2 * i))
        hits = drawn == o
        if self.on_hit == "redraw":
            others = q.clone()
            others[o] = 0
            drawn = torch.where(hits, _search(others, uniform(self.seed, 2 * i + 1)), drawn)
        return drawn, hits

    def negatives(self) -> Int[Tensor, "K"]:
        """The noise words in sight."""
        return self.draws()[0][-self.K :]

    def terms(self) -> Float[Tensor, "Q"]:
        """The terms of 15.2.6 in nats.

        The positive's, then the noise words'; a skipped hit has 0.
        """
        o = self.words.index(self.word)
        rows = torch.tensor(self.vectors, dtype=torch.float64)
        ids = torch.cat([torch.tensor([o]), self.negatives()])
        signs = torch.tensor([1] + [-1] * self.K)
        if self.on_hit == "skip":
            signs[1:][ids[1:] == o] = 0
        hidden = torch.tensor([self.hidden] * len(ids), dtype=torch.float64)
        return yes_no_loss(hidden, rows, ids[:, None], signs[:, None], sparse=False)

    def picture(self):
        drawn, hits = self.draws()
        return picture(self, self.noise().probs, drawn, hits, self.terms())


def _search(probs, u):
    ends = probs.cumsum(0)
    return torch.searchsorted(ends / ends[-1], u, right=True)
