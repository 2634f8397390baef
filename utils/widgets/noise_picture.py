"""The noise explorer's picture: for readers without a live figure, and for print."""

import torch

from utils import plots


def picture(explorer, q, drawn, hits, terms):
    """q(w) above, with power 1 and power 0 for reference and what is drawn now; the loss in its terms below."""
    words, K, V = explorer.words, explorer.K, len(explorer.words)
    o, counts = words.index(explorer.word), torch.tensor(explorer.counts).double()
    order = torch.argsort(counts, descending=True, stable=True).tolist()
    q, share = q.tolist(), (counts / counts.sum()).tolist()
    now, hit = drawn[-K:].tolist(), int(hits[-K:].sum())
    loss = terms.sum().item()
    title = f"Power {explorer.power:g}: q({explorer.word}) = {q[o]:.3f}; {K} draws, {hit} hit{'' if hit == 1 else 's'}"
    with plots.axes(title, "", "q(w)", figsize=(max(7.5, min(14, 0.22 * V + 4)), 5.4)) as (
        figure,
        above,
    ):
        bars = above.bar(
            range(V),
            [q[w] for w in order],
            edgecolor="black",
            linewidth=0.6,
            color=[plots.GREEN if w == o else plots.PURPLE for w in order],
        )
        for bar, w in zip(bars, order):
            bar.set_hatch("//" if w in now else "")
        left, right = zip(*((x - 0.45, x + 0.45) for x in range(V)))
        above.hlines(
            [share[w] for w in order],
            left,
            right,
            color="black",
            linewidth=2,
            label="power 1: share of the counts",
        )
        above.axhline(1 / V, color=plots.GREY, linestyle="--", linewidth=1.3, label="power 0: 1/V")
        names = [f"{words[w]}{f' ×{now.count(w)}' if now.count(w) > 1 else ''}" for w in order]
        above.set_xticks(range(V), names, size=10 if V <= 32 else 8, rotation=90 if V > 12 else 0)
        above.set_yscale(explorer.scale)
        above.grid(axis="x", visible=False)
        above.margins(x=0.02)
        above.legend(title="green: the positive; hatched: drawn now", loc="upper right")
        below = above.inset_axes([0, -0.62 if V > 12 else -0.38, 1, 0.2])
        _stack(below, [explorer.word, *(words[w] for w in now)], terms.tolist(), loss)
    told = ", ".join(words[w] for w in now)
    alt = (
        f"Bars of the noise distribution of {V} words at power {explorer.power:g}, the level line of power 0 "
        f"and the marks of power 1; {explorer.word} has {q[o]:.3f}. Drawn now: {told}; {hit} of {K} hit "
        f"{explorer.word}. Below, the loss of {loss:.3f} nats as a stack of {K + 1} terms, {explorer.word}'s "
        f"{terms[0]:.3f}."
    )
    return plots.Figure(figure, alt)


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
