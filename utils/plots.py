"""Every figure of the course, in one style.

Readable in grey, by colour-blind readers, and from the back row.
"""

import io
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display

GREY, BLUE, ORANGE, GREEN, PURPLE = "#333333", "#0072B2", "#D55E00", "#009E73", "#CC79A7"

# colour and marker of each objective, the same through the whole course
OBJECTIVES = {
    "full softmax": dict(color=GREY, marker="s"),
    "negative sampling": dict(color=BLUE, marker="o"),
    "hierarchical softmax": dict(color=ORANGE, marker="^"),
}
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
        self.png, self.alt = buffer.getvalue(), alt

    def __repr__(self):
        return f"[figure: {self.alt}]"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": self.png, "text/plain": repr(self)}, {"image/png": {"alt": self.alt}}

    def save(self, path) -> None:
        """Write the PNG."""
        with open(path, "wb") as file:
            file.write(self.png)


def show(figure, alt: str) -> None:
    """Display a matplotlib figure once, as PNG, with `alt` for those who cannot see it.

    Then close it.
    """
    display(Figure(figure, alt))


@contextmanager
def axes(title: str = "", xlabel: str = "", ylabel: str = "", columns: int = 1, **subplots):
    """(figure, axes) in the course's style; title, axis labels with units."""
    with plt.rc_context(RC), plt.ioff():
        figure, ax = plt.subplots(1, columns, layout="constrained", **subplots)
        first = ax if columns == 1 else ax[0]
        first.set_title(title) if columns == 1 else figure.suptitle(
            title, x=0.01, ha="left", weight="bold", size=13
        )
        if columns == 1:
            first.set(xlabel=xlabel, ylabel=ylabel)
        yield figure, ax


def _style(label: str, number: int = 0) -> dict:
    """The colour and marker of the objective that a label begins with.

    Other colours for anything else.
    """
    for name, style in OBJECTIVES.items():
        if label.startswith(name):
            return style
    return dict(color=(GREEN, PURPLE, GREY, ORANGE)[number % 4], marker="DvXP"[number % 4])


def smooth(values, width: int):
    """Running mean over `width` entries (the ends are shorter)."""
    total = np.cumsum(np.insert(np.asarray(values, dtype=float), 0, 0.0))
    start = np.maximum(np.arange(len(values)) - width + 1, 0)
    stop = np.arange(len(values)) + 1
    return (total[stop] - total[start]) / (stop - start)


def zipf(counts, title: str, alt: str) -> None:
    """Count against rank, both logarithmic, beside a line of slope -1."""
    counts = torch.as_tensor(counts).double().numpy()
    rank = np.arange(1, len(counts) + 1)
    with axes(title, "rank of the word", "occurrences") as (figure, ax):
        ax.loglog(rank, counts, ".", color=BLUE, label="words of this corpus")
        ax.loglog(rank, counts[99] * 100 / rank, "--", color=GREY, label="count = constant / rank")
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
    dashes = ["-", "--", ":", "-."]
    with axes(title, "pairs seen (thousands)", ylabel) as (figure, ax):
        seen = {}
        for label, history in histories.items():
            style = _style(label)
            k = seen[style["color"]] = seen.get(style["color"], -1) + 1
            x = np.asarray(history.pairs) / 1e3
            ax.plot(
                x,
                smooth(history.loss, width),
                dashes[k % 4],
                color=style["color"],
                alpha=1 - 0.18 * (k // 4),
                label=label,
                marker=style["marker"],
                markevery=0.12,
                markersize=6,
            )
        for (label, value), dash in zip((lines or {}).items(), (":", "--", "-.", (0, (1, 3)))):
            ax.axhline(value, color="black", linestyle=dash, linewidth=1.3)
            ax.annotate(
                label,
                (1, value),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                size=10,
            )
        ax.legend()
    show(figure, alt)


def against(
    x, curves: dict, title: str, xlabel: str, ylabel: str, alt: str, filled: bool = True
) -> None:
    """Curves {label: values} against a logarithmic x.

    Hollow markers are counts, filled ones measured seconds.
    """
    with axes(title, xlabel, ylabel) as (figure, ax):
        _curves(ax, {label: (x, values) for label, values in curves.items()}, filled)
        ax.set(xscale="log", yscale="log")
        ax.legend()
    show(figure, alt)


def bars(values: dict, title: str, xlabel: str, alt: str) -> None:
    """Horizontal bars {label: value}, each with its value written beside it."""
    with axes(title, xlabel, figsize=(7.5, 0.6 * len(values) + 1.2)) as (figure, ax):
        drawn = ax.barh(
            list(values), list(values.values()), color=[GREY, BLUE, ORANGE, GREEN][: len(values)]
        )
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


def _curves(ax, curves, filled):
    for number, (label, (x, values)) in enumerate(curves.items()):
        style, n = _style(label, number), len(values)
        other = any(word in label for word in ("dense", "padded", "balanced"))
        ax.plot(
            x[:n],
            values,
            "--" if other else "-",
            label=label,
            markersize=8,
            markeredgewidth=1.8,
            markerfacecolor=style["color"] if filled else "white",
            **style,
        )


def multiples(panels: dict, title: str, alt: str) -> Figure:
    """Log-log pictures side by side: {heading: (label of x, label of y, {curve: (x, values)},
    filled)}.

    Hollow markers are counts, filled ones measured. Panels with the same label of y share its
    scale; the legend is that of the first panel.
    """
    same = len({ylabel for _, ylabel, *_ in panels.values()}) == 1
    with axes(
        title, columns=len(panels), figsize=(11 if len(panels) == 2 else 13, 4.9), sharey=same
    ) as (figure, row):
        for ax, (heading, (xlabel, ylabel, curves, filled)) in zip(row, panels.items()):
            _curves(ax, curves, filled)
            ax.set(
                xscale="log",
                yscale="log",
                xlabel=xlabel,
                ylabel="" if same and ax is not row[0] else ylabel,
                title=heading,
            )
            points = sorted({int(point) for x, _ in curves.values() for point in x})
            if len(points) < 8:  # else powers of ten
                ax.set_xticks(points, [f"{point:,}" for point in points])
                ax.set_xticks([], minor=True)
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return Figure(figure, alt)


def three_costs(counted: dict, seconds: dict, title: str, alt: str) -> Figure:
    """Two panels against V: dot products of one pair's gradient (hollow), and seconds of its
    training step (filled).

    Both dicts map the name of an objective to (sizes, values).
    """
    V, clock = "vocabulary size V", "timed, forward + backward + update"
    return multiples(
        {
            "counted": (V, "dot products per pair", counted, False),
            clock: (V, "seconds per pair", seconds, True),
        },
        title,
        alt,
    )


def matrix(times, columns: list[str], title: str, alt: str) -> None:
    """How often each row of Y is asked of each row of X.

    The T places of a block, green, then noise words, purple.
    """
    with axes(title, "row of Y: context or noise word", "row of X: centre word") as (figure, ax):
        kind = (times > 0) * (1 + (torch.arange(len(columns)) >= len(times)))
        ax.pcolormesh(
            kind, cmap=plt.matplotlib.colors.ListedColormap(["white", "#73CAB2", "#E3B5CF"]), vmax=2
        )
        for i, j in times.nonzero():
            ax.text(j + 0.5, i + 0.5, f"{times[i, j]:.3g}", ha="center", va="center")
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=45, ha="right")
        ax.set(
            ylim=(len(times), 0),
            yticks=np.arange(len(times)) + 0.5,
            yticklabels=columns[: len(times)],
        )
    show(figure, alt)


def tree(
    tree, words: list[str], title: str, alt: str, path: str | None = None, counts=None
) -> None:
    """A tree with its words at the leaves.

    The walk to the word `path` is drawn heavy, left is +1 and right is -1.
    """
    V, children = len(tree), tree.children.tolist()
    x, y, order = {}, {}, iter(range(V))

    def place(node, depth):
        y[node] = -depth
        if node < V:
            x[node] = float(next(order))
        else:
            left, right = children[node - V]
            place(left, depth + 1)
            place(right, depth + 1)
            x[node] = (x[left] + x[right]) / 2

    root = V + int(tree.paths[0, 0])
    place(root, 0)
    chosen = words.index(path) if path else None
    walked = (
        {V + i for i in tree.paths[chosen, : tree.depths[chosen]].tolist()} | {chosen}
        if path
        else set()
    )
    with axes(title, figsize=(max(7.5, V * 0.95), 1.1 * -min(y.values()) + 1.2)) as (figure, ax):
        for i, pair in enumerate(children):
            for child, sign in zip(pair, ("+1", "−1")):
                heavy = child in walked and V + i in walked
                ends = (x[V + i], x[child]), (y[V + i], y[child])
                ax.plot(
                    *ends,
                    color=ORANGE if heavy else "0.6",
                    linewidth=3.5 if heavy else 1.2,
                    zorder=1,
                )
                if heavy:
                    ax.annotate(
                        sign,
                        (np.mean(ends[0]), np.mean(ends[1])),
                        ha="center",
                        size=12,
                        weight="bold",
                        bbox=dict(boxstyle="circle,pad=0.15", facecolor="white", edgecolor="none"),
                    )
        for node in x:
            if node >= V:
                ax.text(
                    x[node],
                    y[node],
                    f"$n_{{{node - V + 1}}}$",
                    ha="center",
                    va="center",
                    size=13,
                    bbox=dict(
                        boxstyle="circle,pad=0.25",
                        facecolor="#FBE3D2" if node in walked else "white",
                        edgecolor=ORANGE if node in walked else "0.4",
                        linewidth=1.5,
                    ),
                )
            else:
                label = words[node] + (f"\n{int(counts[node])}" if counts is not None else "")
                ax.text(
                    x[node],
                    y[node],
                    label,
                    ha="center",
                    va="center",
                    size=12,
                    weight="bold" if node in walked else "normal",
                    bbox=dict(
                        boxstyle="round,pad=0.3",
                        facecolor="#FBE3D2" if node in walked else "white",
                        edgecolor=ORANGE if node in walked else "0.7",
                    ),
                )
        ax.set_axis_off()
        ax.margins(0.08, 0.12)
    show(figure, alt)


def row_moves(words: list[str], moves: dict, title: str, alt: str, positive=(), noise=()) -> None:
    """How far a step moves each output row along v_c.

    {objective: moves (rows,)}; `positive` green, `noise` hatched.
    """
    panels = len(moves)
    with axes(title, columns=panels, figsize=(max(7.5, 4.2 * panels), 4.2), sharey=True) as (
        figure,
        ax,
    ):
        for panel, (label, lengths) in zip(np.atleast_1d(ax), moves.items()):
            lengths = torch.as_tensor(lengths).detach().double().numpy()
            drawn = () if label == "full softmax" else noise
            colors = [
                GREEN if w in positive else PURPLE if w in drawn else _style(label)["color"]
                for w in words
            ]
            bars = panel.bar(
                range(len(lengths)), lengths, color=colors, edgecolor="black", linewidth=0.6
            )
            for bar, word in zip(bars, words):
                bar.set_hatch("//" if word in drawn else "")
            panel.axhline(0, color="black", linewidth=1)
            panel.set_xticks(range(len(lengths)), words, rotation=45, ha="right")
            panel.set_ylabel("move along $v_c$")
            if panels > 1:
                panel.set_title(label)
    show(figure, alt)


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
