"""Every figure of the course, in one style.

Readable in grey, by colour-blind readers, and from the back row.
"""

import io
from collections import Counter
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display

GREY = "#333333"
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"

# colour and marker of each objective, the same through the whole course
STYLES = {
    "full softmax": dict(color=GREY, marker="s"),
    "negative sampling": dict(color=BLUE, marker="o"),
    "hierarchical softmax": dict(color=ORANGE, marker="^"),
}
# for what is no method, such as variants of one: told apart in grey by dash and marker
VARIANTS = (
    dict(color="#6A51A3", linestyle="-", marker="D"),
    dict(color="#8C510A", linestyle="--", marker="X"),
    dict(color="#56B4E9", linestyle=":", marker="v"),
)
NEUTRAL = "#777777"  # for bars, points and lines that stand for none of these
DASHES = ("-", "--", ":", "-.")
LEVEL_DASHES = (":", "--", "-.", (0, (1, 3)))
CENTRED = dict(ha="center", va="center")
WALKED = "#FBE3D2"  # what fills the nodes of a walk
RC = {
    "figure.figsize": (7.5, 4.2),
    "figure.dpi": 100,
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "figure.facecolor": "white",
}


class Figure:
    """A finished picture: a PNG with its alt text, which is also what it prints as."""

    def __init__(self, figure, alt: str):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)
        self.png = buffer.getvalue()
        self.alt = alt

    def __repr__(self):
        return f"[figure: {self.alt}]"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": self.png, "text/plain": repr(self)}, {"image/png": {"alt": self.alt}}

    def save(self, path) -> None:
        """Write the PNG."""
        with open(path, "wb") as file:
            file.write(self.png)


def show(figure, alt: str) -> None:
    """Display a matplotlib figure once, as PNG with alt text, and close it."""
    display(Figure(figure, alt))


@contextmanager
def axes(
    title: str = "", xlabel: str = "", ylabel: str = "", columns: int = 1, rows: int = 1, **subplots
):
    """(figure, axes) in the course's style; title, axis labels with units."""
    with plt.rc_context(RC), plt.ioff():
        figure, ax = plt.subplots(rows, columns, layout="constrained", **subplots)
        if rows == columns == 1:
            ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        else:
            figure.suptitle(title, x=0.01, ha="left", weight="bold", size=13)
        yield figure, ax


OTHER_COLORS = (GREEN, PURPLE, GREY, ORANGE)
OTHER_MARKERS = "DvXP"


def _style(label: str, number: int = 0) -> dict:
    """The colour and marker of the objective whose name a label begins with; or others."""
    for name, style in STYLES.items():
        if label.startswith(name):
            return style
    k = number % len(OTHER_COLORS)
    return dict(color=OTHER_COLORS[k], marker=OTHER_MARKERS[k])


def smooth(values, width: int):
    """Running mean over `width` entries (the ends are shorter)."""
    total = np.cumsum(np.insert(np.asarray(values, dtype=float), 0, 0.0))
    start = np.maximum(np.arange(len(values)) - width + 1, 0)
    stop = np.arange(len(values)) + 1
    return (total[stop] - total[start]) / (stop - start)


def zipf(counts, title: str, alt: str) -> None:
    """Count against rank, both logarithmic, beside the line of slope -1 through rank 100."""
    counts = torch.as_tensor(counts).double().numpy()
    rank = np.arange(1, len(counts) + 1)
    with axes(title, "rank of the word", "occurrences") as (figure, ax):
        ax.loglog(rank, counts, ".", color=NEUTRAL, label="words of this text")
        ax.loglog(rank, counts[99] * 100 / rank, "--", color="black", label="constant / rank")
        ax.legend()
    show(figure, alt)


def loss_curves(
    histories: dict,
    title: str,
    alt: str,
    lines: dict | None = None,
    width: int = 10,
    ylabel: str = "loss (nats per pair)",
) -> None:
    """Loss against pairs seen.

    {label: History}; `lines` draws horizontal lines {label: value}, such as an entropy.
    """
    with axes(title, "pairs seen (thousands)", ylabel) as (figure, ax):
        drawn = Counter()  # curves of each colour: they are told apart by their dashes
        for label, history in histories.items():
            style = _style(label)
            k = drawn[style["color"]]
            drawn[style["color"]] += 1
            ax.plot(
                np.asarray(history.pairs) / 1e3,
                smooth(history.loss, width),
                DASHES[k % 4],
                alpha=1 - 0.18 * (k // 4),
                label=label,
                markevery=max(1, len(history.loss) // 8),  # as far apart in pairs
                markersize=6,
                **style,
            )
        for (label, value), dash in zip((lines or {}).items(), LEVEL_DASHES):
            ax.axhline(value, color="black", linestyle=dash, linewidth=1.3)
            at_the_right = dict(xycoords=("axes fraction", "data"), ha="right", va="bottom")
            ax.annotate(label, (1, value), size=10, **at_the_right)
        ax.legend()
    show(figure, alt)


def variants(
    runs: dict,
    title: str,
    alt: str,
    width: int = 10,
    xlabel: str = "pairs seen (thousands)",
    ylabel: str = "loss (nats per pair)",
) -> None:
    """Loss against pairs seen of up to three variants of one system: {label: [History, ...]}.

    The line is the mean over a variant's runs, the band reaches from its lowest to its highest run.
    """
    with axes(title, xlabel, ylabel) as (figure, ax):
        for (label, histories), style in zip(runs.items(), VARIANTS):
            x = np.asarray(histories[0].pairs) / 1e3
            losses = np.stack([smooth(history.loss, width) for history in histories])
            ax.plot(x, losses.mean(axis=0), label=label, markevery=0.12, markersize=6, **style)
            band = dict(color=style["color"], alpha=0.25, linewidth=0)
            ax.fill_between(x, losses.min(axis=0), losses.max(axis=0), **band)
        ax.legend()
    show(figure, alt)


def plane(points: dict, title: str, alt: str, heavy: str, moves: dict | None = None) -> None:
    """Vectors of two coordinates as points {label: (x, y)}, each joined to the one called `heavy`.

    `moves` {label: (x, y)} are drawn as arrows from their points.
    """
    place = {label: np.asarray(point, dtype=float) for label, point in points.items()}
    names = ("first coordinate", "second coordinate")
    with axes(title, *names, figsize=(6.4, 4.6)) as (figure, ax):
        for label, point in place.items():
            strong = label == heavy
            ax.plot(*zip(place[heavy], point), ":", color=NEUTRAL, linewidth=1.2, zorder=1)
            ax.plot(*point, "D" if strong else "o", color="black" if strong else NEUTRAL)
            text = dict(textcoords="offset points", weight="bold" if strong else "normal")
            ax.annotate(label, point, (8, -14), **text)
        for label, move in (moves or {}).items():
            start = place[label]
            arrow = dict(arrowstyle="-|>", color="black", linewidth=1.8, mutation_scale=14)
            ax.annotate("", start + np.asarray(move), start, arrowprops=arrow)
        ax.margins(0.22)
        ax.set_aspect("equal")
    show(figure, alt)


def against(
    x, curves: dict, title: str, xlabel: str, ylabel: str, alt: str, filled: bool = True
) -> None:
    """Curves {label: values} against a logarithmic x.

    Hollow markers are counts, filled ones measured seconds. Values (points, processes) are drawn as
    the median with a bar from the smallest to the largest.
    """
    with axes(title, xlabel, ylabel) as (figure, ax):
        _curves(ax, {label: (x, values) for label, values in curves.items()}, filled)
        ax.set(xscale="log", yscale="log")
        ax.legend()
    show(figure, alt)


def bars(values: dict, title: str, xlabel: str, alt: str) -> None:
    """Horizontal bars {label: value}, each with its value written beside it."""
    with axes(title, xlabel, figsize=(7.5, 0.6 * len(values) + 1.2)) as (figure, ax):
        drawn = ax.barh(list(values), list(values.values()), color=NEUTRAL)
        ax.bar_label(drawn, fmt="%.2g", padding=4)
        ax.invert_yaxis()
        ax.margins(x=0.12)
        ax.grid(axis="y", visible=False)
    show(figure, alt)


def panels(x, curves: dict, title: str, xlabel: str, alt: str, color: str = BLUE) -> None:
    """Small pictures side by side over the same x, one for each {label of the y axis: values}."""
    with axes(title, columns=len(curves), figsize=(3.7 * len(curves), 3.6)) as (figure, all_axes):
        for ax, (label, values) in zip(np.atleast_1d(all_axes), curves.items()):
            ax.plot(x, values, color=color)
            ax.set(xlabel=xlabel, ylabel=label)
    show(figure, alt)


def _curves(ax, curves, filled, looks=None):
    for number, (label, (x, values)) in enumerate(curves.items()):
        style = (looks or {}).get(label) or _style(label, number)
        values = np.asarray(values, dtype=float)
        n = len(values)
        x = np.asarray(x)[:n]
        middle = np.median(values, axis=1) if values.ndim == 2 else values
        other = any(word in label for word in ("dense", "padded", "balanced"))
        ax.plot(
            x,
            middle,
            "--" if other else "-",
            label=label,
            markersize=8,
            markeredgewidth=1.8,
            markerfacecolor=style["color"] if filled else "white",
            **style,
        )
        if values.ndim == 2:
            _range_bars(ax, x, values, style["color"])


def _range_bars(ax, x, values, color):
    """A bar from the smallest to the largest of each row of `values` (points, processes)."""
    middle = np.median(values, axis=1)
    reach = [middle - values.min(axis=1), values.max(axis=1) - middle]
    ax.errorbar(x, middle, reach, fmt="none", ecolor=color, elinewidth=1.5, capsize=4)


def multiples(
    panels: dict,
    title: str,
    alt: str,
    looks: dict | None = None,
    equal_decades: bool = False,
) -> Figure:
    """Log-log pictures side by side: {heading: (x label, y label, {curve: (x, values)}, filled)}.

    Hollow markers are counts, filled ones measured. Values (points, processes) are drawn as the
    median with a bar from the smallest to the largest. Panels with the same label of y share its
    scale; `equal_decades` gives the others scales of equal length, so that slopes compare. `looks`
    is {curve: colour and marker} for curves that are no objectives. The legend is that of the first
    panel.
    """
    same_y = len({ylabel for _, ylabel, *_ in panels.values()}) == 1
    figsize = (11 if len(panels) == 2 else 13, 4.9)
    with axes(title, columns=len(panels), figsize=figsize, sharey=same_y) as (figure, row):
        for ax, (heading, (xlabel, ylabel, curves, filled)) in zip(row, panels.items()):
            _curves(ax, curves, filled, looks)
            ax.set(xscale="log", yscale="log", xlabel=xlabel, title=heading)
            if ax is row[0] or not same_y:
                ax.set_ylabel(ylabel)
            points = sorted({int(point) for x, _ in curves.values() for point in x})
            if len(points) < 8:  # else powers of ten
                ax.set_xticks(points, [f"{point:,}" for point in points])
                ax.set_xticks([], minor=True)
        if equal_decades:
            _stretch_to_equal_decades(row)
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return Figure(figure, alt)


def _stretch_to_equal_decades(row):
    """Raise the upper ends of logarithmic y axes until all have the length of the longest."""
    limits = [ax.get_ylim() for ax in row]
    span = max(high / low for low, high in limits)
    for ax, (low, _) in zip(row, limits):
        ax.set_ylim(low, low * span)


def waterfall(panels: dict, title: str, xlabel: str, alt: str, color: str = BLUE) -> None:
    """What follows on what: {heading: {stage: length}}, a picture each, over one scale of x.

    Each bar begins where the one above it ends, so the last one ends at the total.
    """
    stages = len(next(iter(panels.values())))
    figsize = (5.5 * len(panels), 0.5 * stages + 1.6)
    shared = dict(figsize=figsize, sharex=True, sharey=True)
    with axes(title, columns=len(panels), **shared) as (figure, row):
        for ax, (heading, lengths) in zip(np.atleast_1d(row), panels.items()):
            length = np.array(list(lengths.values()))
            end = length.cumsum()
            bars = ax.barh(list(lengths), length, left=end - length, color=color)
            ax.bar_label(bars, [f"{part:.2g}" for part in length], padding=4)
            ax.set(xlabel=xlabel)
            ax.set_title(heading, loc="left")
            ax.grid(axis="y", visible=False)
        ax.invert_yaxis()
        ax.margins(x=0.15)
    show(figure, alt)


def three_costs(counted: dict, seconds: dict, title: str, alt: str) -> Figure:
    """Two panels against V: dot products per pair (hollow), seconds of a training step (filled).

    Both dicts map the name of an objective to (sizes, values); seconds of several processes are
    (sizes, processes). A factor of ten is as high in one panel as in the other.
    """
    V = "vocabulary size V"
    clock = "timed, forward + backward + update"
    return multiples(
        {
            "counted": (V, "dot products per pair", counted, False),
            clock: (V, "seconds per pair", seconds, True),
        },
        title,
        alt,
        equal_decades=True,
    )


def matrix(weights, columns: list[str], title: str, alt: str) -> None:
    """The weight of each pair of a row of X and a row of Y (T, R).

    The T places of a block are green where the weight is not 0, noise words purple.
    """
    T = len(weights)
    with axes(title, "row of Y: context or noise word", "row of X: centre word") as (figure, ax):
        kind = (weights > 0) * (1 + (torch.arange(len(columns)) >= T))
        colors = plt.matplotlib.colors.ListedColormap(["white", "#73CAB2", "#E3B5CF"])
        ax.pcolormesh(kind, cmap=colors, vmax=2)
        for i, j in weights.nonzero():
            ax.text(j + 0.5, i + 0.5, f"{weights[i, j]:.3g}", **CENTRED)
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=45, ha="right")
        ax.set(ylim=(T, 0), yticks=np.arange(T) + 0.5, yticklabels=columns[:T])
    show(figure, alt)


def tree_layout(tree) -> tuple[dict[int, tuple[float, float]], list[int]]:
    """({node: (x, y)}, the words in the order of the leaves) of a `utils.tree.Tree`.

    Leaves stand side by side, a parent in the middle above its children, one unit higher per step.
    """
    V = len(tree)
    children = tree.children.tolist()
    places = {}
    order = []

    def place(node: int, depth: int) -> float:
        if node < V:
            x = float(len(order))
            order.append(node)
        else:
            left, right = [place(child, depth + 1) for child in children[node - V]]
            x = (left + right) / 2
        places[node] = (x, -float(depth))
        return x

    root = V + int(tree.paths[0, 0])
    place(root, 0)
    return places, order


def walked_nodes(tree, word: int) -> set[int]:
    """The inner nodes on the path to a word, as V + i, and the word itself."""
    path = tree.paths[word, : tree.depths[word]].tolist()
    return {len(tree) + i for i in path} | {word}


SIGNS = ("+1", "−1")


def draw_edges(ax, tree, places, walked, shown=None, signs: bool = True, names=SIGNS) -> None:
    """The edges below the inner nodes `shown` (all), heavy and with their sign where `walked`.

    `names` are what is written on a heavy edge to the left and on one to the right.
    """
    V = len(tree)
    children = tree.children.tolist()
    for i in range(V - 1) if shown is None else shown:
        for child, sign in zip(children[i], names):
            x0, y0 = places[V + i]
            x1, y1 = places[child]
            if not {child, V + i} <= walked:
                ax.plot([x0, x1], [y0, y1], color="0.6", linewidth=1.2, zorder=1)
                continue
            ax.plot([x0, x1], [y0, y1], color=ORANGE, linewidth=3.5, zorder=2)
            if signs:
                box = dict(boxstyle="round,pad=0.1", facecolor="white", edgecolor="none")
                middle = ((x0 + x1) / 2, (y0 + y1) / 2)
                ax.text(*middle, sign, **CENTRED, size=11, weight="bold", zorder=3, bbox=box)


def draw_inner_node(ax, i: int, place, heavy: bool, filled: bool = True) -> None:
    """A circle with the name n_(i + 1); inner node 0 is D2L's n_1."""
    box = dict(
        boxstyle="circle,pad=0.25",
        facecolor=WALKED if heavy and filled else "white",
        edgecolor=ORANGE if heavy else "0.4",
        linewidth=1.5,
    )
    ax.text(*place, f"$n_{{{i + 1}}}$", **CENTRED, size=12, zorder=4, bbox=box)


def tree(
    tree,
    words: list[str],
    title: str,
    alt: str,
    path: str | None = None,
    counts=None,
    symbols: bool = False,
) -> None:
    """A tree with its words at the leaves, and under them their `counts` where given.

    The path to the word `path` is drawn heavy; left is +1 and right is -1. With `symbols` each word
    is named w_1, w_2, .. too, and each node of that path n(w, j), from the root to the leaf.
    """
    V = len(tree)
    places, _ = tree_layout(tree)
    names = ("left: +1", "right: −1") if symbols else SIGNS
    walked = walked_nodes(tree, words.index(path)) if path else set()
    deepest = -min(y for _, y in places.values())
    with axes(title, figsize=(max(7.5, V * 0.95), 1.1 * deepest + 1.2)) as (figure, ax):
        draw_edges(ax, tree, places, walked, names=names)
        for i in range(V - 1):
            draw_inner_node(ax, i, places[V + i], V + i in walked)
        for word in range(V):
            label = words[word] if counts is None else f"{words[word]}\n{int(counts[word])}"
            if symbols:
                label = f"{label}\n$w_{{{word + 1}}}$"
            _leaf(ax, label, places[word], word in walked)
        if symbols and path:
            _name_path(ax, tree, words.index(path), places)
        ax.set_axis_off()
        ax.margins(0.08, 0.12)
    show(figure, alt)


def _name_path(ax, tree, word: int, places) -> None:
    """n(w, 1), n(w, 2), .. beside the nodes from the root to a word, and under its leaf.

    A name stands on the side where no edge comes from above.
    """
    depth = int(tree.depths[word])
    signs = [-1, *tree.signs[word, :depth].tolist()]
    for j, i in enumerate(tree.paths[word, :depth].tolist(), start=1):
        x, y = places[len(tree) + i]
        side = -signs[j - 1]
        align = "left" if side > 0 else "right"
        name = f"$n(w_{{{word + 1}}},{j})$"
        ax.text(x + 0.25 * side, y + 0.08, name, ha=align, size=12, color=ORANGE)
    x, y = places[word]
    name = f"$n(w_{{{word + 1}}},{depth + 1})$"
    ax.text(x, y - 0.38, name, ha="center", va="top", size=12, color=ORANGE)


def _leaf(ax, label: str, place, heavy: bool) -> None:
    box = dict(
        boxstyle="round,pad=0.3",
        facecolor=WALKED if heavy else "white",
        edgecolor=ORANGE if heavy else "0.7",
    )
    weight = "bold" if heavy else "normal"
    ax.text(*place, label, **CENTRED, size=12, weight=weight, zorder=4, bbox=box)


def row_moves(words: list[str], moves: dict, title: str, alt: str, positive=(), noise=()) -> None:
    """How far a step moves each output row along v_c.

    {objective: moves (rows,)}; `positive` green, `noise` hatched.
    """
    figsize = (max(7.5, 4.2 * len(moves)), 4.2)
    with axes(title, columns=len(moves), figsize=figsize, sharey=True) as (figure, row):
        for ax, (label, lengths) in zip(np.atleast_1d(row), moves.items()):
            lengths = torch.as_tensor(lengths).detach().double().numpy()
            drawn = () if label == "full softmax" else noise
            _bars_of_rows(ax, words, lengths, _style(label)["color"], positive, drawn)
            if len(moves) > 1:
                ax.set_title(label)
    show(figure, alt)


def _bars_of_rows(ax, words, lengths, color, positive, noise) -> None:
    colors = [color] * len(words)
    for i, word in enumerate(words):
        if word in positive:
            colors[i] = GREEN
        elif word in noise:
            colors[i] = PURPLE
    bars = ax.bar(range(len(lengths)), lengths, color=colors, edgecolor="black", linewidth=0.6)
    for bar, word in zip(bars, words):
        bar.set_hatch("//" if word in noise else "")
    ax.axhline(0, color="black", linewidth=1)
    ax.set_xticks(range(len(lengths)), words, rotation=45, ha="right")
    ax.set_ylabel("move, in multiples of $v_c$")


# on a map of words, in the units of its axes
LINE_HEIGHT = 0.03
LABEL_GAP = 0.012  # between a point and its label


def word_map(
    words: list[str],
    positions,
    group,
    bold,
    title: str,
    alt: str,
    xlabel: str = "first component",
    ylabel: str = "second component",
) -> None:
    """Words as points in the plane, each with its label; the words in `bold` stand out.

    positions (n, 2): coordinates of about the size of a unit vector's. group (n,): a number from 0
    to 3 for each word, which gives its point a colour and a marker. A label stands to the right of
    its point, or where that is taken to the left, or one or two lines higher or lower.
    """
    looks = [(GREEN, "D"), (PURPLE, "v"), (BLUE, "o"), (ORANGE, "s")]
    points = torch.as_tensor(positions).tolist()
    groups = torch.as_tensor(group).tolist()
    # boxes (left, right, bottom) of all that must not be covered: first the markers
    taken = [(x - 0.01, x + 0.01, y - 0.01) for x, y in points]
    with axes(title, xlabel, ylabel, figsize=(10, 6.5)) as (figure, ax):
        for word, (x, y), number in zip(words, points, groups):
            color, marker = looks[number]
            size = 13 if word in bold else 10
            width = size * len(word) / 1100
            left, right, bottom = _label_box(x, y, width, taken)
            taken.append((left, right, bottom))
            ax.plot(x, y, marker, color=color)
            weight = "bold" if word in bold else "normal"
            ax.text(left, bottom, word, size=size, weight=weight)
    show(figure, alt)


def _label_box(x: float, y: float, width: float, taken) -> tuple[float, float, float]:
    """The first free place beside (x, y); if there is none, the one to the right of it."""
    places = []
    for lines in (0, 1, -1, 2, -2):
        bottom = y - 0.01 + lines * LINE_HEIGHT
        for left in (x + LABEL_GAP, x - LABEL_GAP - width):
            places.append((left, left + width, bottom))

    for place in places:
        if not any(_overlap(place, other) for other in taken):
            return place
    return places[0]


def _overlap(one, other) -> bool:
    """Whether two boxes (left, right, bottom), each a line high, cover each other."""
    beside = one[1] <= other[0] or other[1] <= one[0]
    return not beside and abs(one[2] - other[2]) < LINE_HEIGHT
