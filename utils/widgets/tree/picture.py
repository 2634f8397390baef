"""The tree explorer's picture: for readers without a live figure, and for print."""

from utils import plots


def picture(tree, words, counts, word, probabilities, kind, merges):
    """The tree above, as far as it is built, each word's probability below; the path is heavy."""
    V = len(tree)
    chosen = words.index(word)
    p = probabilities.tolist()
    built = V - 1 if merges is None or kind != "Huffman" else merges
    places, order = plots.tree_layout(tree)
    title = f"Huffman's tree, {built} of {V - 1} merges done"
    if built == V - 1:
        depth = int(tree.depths[chosen])
        title = (
            f"{word}: {depth} decisions, P = {p[chosen]:.3f}; all {V} leaves sum to {sum(p):.3f}"
        )
    width = max(7.5, min(14, 0.22 * V + 4))
    with plots.axes(title, figsize=(width, 5.4)) as (figure, above):
        above.set_axis_off()
        _draw_tree(above, tree, places, chosen, range(V - 1 - built, V - 1))
        below = above.inset_axes([0, -0.53, 1, 0.42], sharex=above)
        heights = [p[w] for w in order]
        names = [f"{words[w]} {counts[w]}" for w in order]
        _draw_bars(below, heights, names, order.index(chosen))
        below.set_ylabel("$P(w\\mid w_c)$")
        if built < V - 1:
            below.set_ylabel("$P(w\\mid w_c)$\non the\nfinished tree")
    return plots.Figure(figure, _alt(tree, words, chosen, p, kind, built))


def _draw_tree(ax, tree, places, chosen, shown) -> None:
    V = len(tree)
    walked = plots.walked_nodes(tree, chosen)
    plots.draw_edges(ax, tree, places, walked, shown, signs=bool(tree.depths[chosen] <= 12))
    if V <= 16:
        for i in shown:
            plots.draw_inner_node(ax, i, places[V + i], V + i in walked, filled=False)
    lowest = -float(tree.depths.max())
    for word in range(V):
        x, y = places[word]
        ax.plot([x, x], [y, lowest - 0.3], ":", color="0.7", linewidth=1, zorder=0)
    ax.set_ylim(lowest - 0.3, 0.4)


def _draw_bars(ax, heights, names, chosen: int) -> None:
    V = len(heights)
    colors = ["0.75"] * V
    colors[chosen] = plots.ORANGE
    drawn = ax.bar(range(V), heights, edgecolor="black", linewidth=0.6, color=colors)
    if V <= 16:
        ax.bar_label(drawn, fmt="%.3f", size=9, padding=2)
    size = 10 if V <= 32 else 8
    if V > 12:
        ax.set_xticks(range(V), names, size=size, rotation=90, ha="center")
    else:
        ax.set_xticks(range(V), names, size=size, rotation=30, ha="right")
    ax.set_xlabel("word and its count, in the order of the leaves")
    ax.margins(x=0.02, y=0.15)
    ax.spines[["top", "right"]].set_visible(False)


def _alt(tree, words, chosen, p, kind, built) -> str:
    V = len(tree)
    depth = int(tree.depths[chosen])
    turns = ["left" if sign > 0 else "right" for sign in tree.signs[chosen, :depth].tolist()]
    walk = f"The path to {words[chosen]} is heavy: {', '.join(turns[:8])}"
    told = f"{walk}{' and on' if depth > 8 else ''}."
    if built < V - 1:
        told = f"Huffman's building has done {built} of {V - 1} merges."
    return (
        f"A {kind} tree with {V} words at its leaves. {told} Below, a bar for each word's "
        f"probability; {words[chosen]} has {p[chosen]:.3f}, all together {sum(p):.3f}."
    )
