"""The tree explorer's picture: for readers without a live figure, and for print."""

from utils import plots


def places(tree):
    """{node: (x, y)}: leaves side by side, parents in the middle, y one down for each step; and the leaves in order."""
    V, children, at, order = len(tree), tree.children.tolist(), {}, []

    def place(node, depth):
        if node < V:
            at[node] = (len(order), -depth)
            order.append(node)
        else:
            below = [place(child, depth + 1) for child in children[node - V]]
            at[node] = (sum(below) / 2, -depth)
        return at[node][0]

    place(V + int(tree.paths[0, 0]), 0)
    return at, order


def picture(tree, words, counts, word, probabilities, kind, merges):
    """The tree above, as far as it is built, each word's probability below; the walk to `word` heavy."""
    V, chosen, p = len(tree), words.index(word), probabilities.tolist()
    depth = int(tree.depths[chosen])
    built = V - 1 if merges is None or kind != "Huffman" else merges
    at, order = places(tree)
    width = max(7.5, min(14, 0.22 * V + 4))
    title = (
        f"{word}: {depth} steps, P = {p[chosen]:.3f}; all {V} leaves sum to {sum(p):.3f}"
        if built == V - 1
        else f"Huffman's tree, {built} of {V - 1} merges done"
    )
    with plots.axes(title, figsize=(width, 5.4)) as (figure, above):
        above.set_axis_off()
        walked = {V + i for i in tree.paths[chosen, :depth].tolist()} | {chosen}
        _tree(above, tree, at, walked, range(V - 1 - built, V - 1), signs=depth <= 12)
        below = above.inset_axes([0, -0.53, 1, 0.42], sharex=above)
        drawn = below.bar(
            range(V),
            [p[w] for w in order],
            edgecolor="black",
            linewidth=0.6,
            color=[plots.ORANGE if w == chosen else "0.75" for w in order],
        )
        if V <= 16:
            below.bar_label(drawn, fmt="%.3f", size=9, padding=2)
        below.set_xticks(
            range(V),
            [f"{words[w]} {counts[w]}" for w in order],
            size=10 if V <= 32 else 8,
            rotation=90 if V > 12 else 30,
            ha="center" if V > 12 else "right",
        )
        below.set(
            ylabel="$P(w\\mid w_c)$" + ("" if built == V - 1 else "\non the\nfinished tree"),
            xlabel="word and its count, in the order of the leaves",
        )
        below.margins(x=0.02, y=0.15)
        below.spines[["top", "right"]].set_visible(False)
    turns = ["left" if s > 0 else "right" for s in tree.signs[chosen, :depth].tolist()]
    walk = f"The walk to {word} is heavy: {', '.join(turns[:8])}{' and on' if depth > 8 else ''}."
    alt = (
        f"A {kind} tree with {V} words at its leaves. "
        + (walk if built == V - 1 else f"Huffman's building has done {built} of {V - 1} merges.")
        + f" Below, a bar for each word's probability; {word} has {p[chosen]:.3f}, all together {sum(p):.3f}."
    )
    return plots.Figure(figure, alt)


def _tree(ax, tree, at, walked, shown, signs):
    V, children = len(tree), tree.children.tolist()
    for i in shown:
        for child, sign in zip(children[i], ("+1", "−1")):
            heavy = {child, V + i} <= walked
            (x0, y0), (x1, y1) = at[V + i], at[child]
            ax.plot(
                [x0, x1],
                [y0, y1],
                color=plots.ORANGE if heavy else "0.6",
                linewidth=3.5 if heavy else 1.1,
                zorder=2 if heavy else 1,
            )
            if heavy and signs:
                ax.text(
                    (x0 + x1) / 2,
                    (y0 + y1) / 2,
                    sign,
                    ha="center",
                    va="center",
                    size=10,
                    weight="bold",
                    zorder=3,
                    bbox=dict(boxstyle="round,pad=0.1", facecolor="white", edgecolor="none"),
                )
        if V <= 16:
            ax.text(
                *at[V + i],
                f"$n_{{{i + 1}}}$",
                ha="center",
                va="center",
                size=11,
                zorder=4,
                bbox=dict(
                    boxstyle="circle,pad=0.2",
                    facecolor="white",
                    edgecolor=plots.ORANGE if V + i in walked else "0.4",
                ),
            )
    lowest = -float(tree.depths.max())
    for w in range(V):
        ax.plot([at[w][0]] * 2, [at[w][1], lowest - 0.3], ":", color="0.7", linewidth=1, zorder=0)
    ax.set_ylim(lowest - 0.3, 0.4)
