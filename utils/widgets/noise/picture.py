"""The noise explorer's picture: for readers without a live figure, and for print."""

import torch

from utils import plots


def picture(explorer, q, drawn, hits, terms):
    """q(w) above, with power 1 and power 0 for reference and what is drawn now; below, the loss."""
    words = explorer.words
    K = explorer.K
    V = len(words)
    positive = words.index(explorer.word)
    q = q.tolist()
    now = drawn[-K:].tolist()
    hit = int(hits[-K:].sum())
    loss = terms.sum().item()
    hits_told = f"{hit} hit" if hit == 1 else f"{hit} hits"
    title = (
        f"Power {explorer.power:g}: q({explorer.word}) = {q[positive]:.3f}; {K} draws, {hits_told}"
    )
    width = max(7.5, min(14, 0.22 * V + 4))
    with plots.axes(title, "", "q(w)", figsize=(width, 5.4)) as (figure, above):
        _draw_words(above, explorer, q, now)
        below = above.inset_axes([0, -0.62 if V > 12 else -0.38, 1, 0.2])
        _stack(below, [explorer.word, *(words[w] for w in now)], terms.tolist(), loss)
    told = ", ".join(words[w] for w in now)
    alt = (
        f"Bars of the noise distribution of {V} words at power {explorer.power:g}, the level line "
        f"of power 0 and the marks of power 1; {explorer.word} has {q[positive]:.3f}. Drawn now: "
        f"{told}; {hit} of {K} hit {explorer.word}. Below, the loss of {loss:.3f} nats as a stack "
        f"of {K + 1} terms, {explorer.word}'s {terms[0]:.3f}."
    )
    return plots.Figure(figure, alt)


def _draw_words(ax, explorer, q, now) -> None:
    """A bar for each word, most frequent first: green the positive, hatched what is drawn now."""
    V = len(explorer.words)
    positive = explorer.words.index(explorer.word)
    counts = torch.tensor(explorer.counts).double()
    share = (counts / counts.sum()).tolist()
    order = torch.argsort(counts, descending=True, stable=True).tolist()
    heights = [q[w] for w in order]
    colors = [plots.GREEN if w == positive else plots.PURPLE for w in order]
    bars = ax.bar(range(V), heights, edgecolor="black", linewidth=0.6, color=colors)
    for bar, w in zip(bars, order):
        bar.set_hatch("//" if w in now else "")
    left = [x - 0.45 for x in range(V)]
    right = [x + 0.45 for x in range(V)]
    of_power_1 = dict(color="black", linewidth=2, label="power 1: share of the counts")
    ax.hlines([share[w] for w in order], left, right, **of_power_1)
    of_power_0 = dict(color=plots.GREY, linestyle="--", linewidth=1.3, label="power 0: 1/V")
    ax.axhline(1 / V, **of_power_0)
    names = []
    for w in order:
        times = f" ×{now.count(w)}" if now.count(w) > 1 else ""
        names.append(explorer.words[w] + times)
    ax.set_xticks(range(V), names, size=10 if V <= 32 else 8, rotation=90 if V > 12 else 0)
    ax.set_yscale(explorer.scale)
    ax.grid(axis="x", visible=False)
    ax.margins(x=0.02)
    ax.legend(title="green: the positive; hatched: drawn now", loc="upper right")


def _stack(ax, words, terms, loss):
    left = 0.0
    for k, (word, term) in enumerate(zip(words, terms)):
        ax.barh(
            0,
            term,
            left=left,
            color=plots.PURPLE if k else plots.GREEN,
            edgecolor="black",
            linewidth=0.6,
            hatch="//" if k else "",
        )
        if term > (0.0115 if len(terms) < 9 else 0.009) * len(word) * loss:
            ax.text(
                left + term / 2,
                0,
                word,
                ha="center",
                va="center",
                size=10,
                bbox=dict(boxstyle="round,pad=0.15", facecolor="white", edgecolor="none"),
            )
        left += term
    ax.set(
        xlabel=f"loss in nats: {loss:.3f}, the sum of K + 1 = {len(terms)} terms",
        xlim=(0, loss * 1.02),
    )
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
