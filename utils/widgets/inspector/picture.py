"""The gradient inspector's picture: for readers without a live figure, and for print."""

import matplotlib.patheffects as effects
import matplotlib.pyplot as plt
import torch

from utils import plots
from utils.widgets.inspector.steps import METHODS

FEW = 16  # so many rows can all be named


def picture(inspector):
    """One column for each objective.

    The rows and where one step takes them; below, how far each row moves along v_c.
    """
    methods = inspector.methods
    pair = f"{inspector.centre} and {inspector.context}"
    after = f" after {len(inspector.taken)} steps" if inspector.taken else ""
    with plt.rc_context(plots.RC), plt.ioff():
        figure, grid = plt.subplots(
            2,
            len(methods),
            layout="constrained",
            squeeze=False,
            figsize=(max(6.5, 4.6 * len(methods)), 5.9),
            height_ratios=[2, 1],
        )
        figure.suptitle(
            f"{pair}{after}: each row moves by minus its error times $v_c$",
            x=0.01,
            ha="left",
            weight="bold",
            size=13,
        )
        told = [_plane(inspector, method, ax) for method, ax in zip(methods, grid[0])]
        _same_limits(inspector, grid[0])
        for method, ax in zip(methods, grid[1]):
            _moves(inspector, method, ax)
    alt = (
        f"The pair {pair}{after}, rate {inspector.rate:g}. Each output row is a point in a plane; "
        "those that have an error carry an arrow along the centre word's vector. " + " ".join(told)
    )
    return plots.Figure(figure, alt)


def _names(inspector, method):
    if method != "hs":
        return inspector.words
    return [f"$n_{{{i}}}$" for i in range(1, len(inspector.words))]


def _error(inspector, method):
    """Each row's error, repeated draws added: its gradient is this times v_c. (R,)"""
    v = _centre(inspector, method)
    return inspector.answer(method).in_rows @ v / (v @ v).clamp_min(1e-300)


def _centre(inspector, method):
    return inspector.tables(method)[0][inspector.words.index(inspector.centre)]


def _plane(inspector, method, ax) -> str:
    """The rows, their moves and v_c; what is seen, in words."""
    answer = inspector.answer(method)
    cost = inspector.cost(method)
    rows = inspector.tables(method)[1]
    v = _centre(inspector, method)
    style = plots.STYLES[METHODS[method]]
    errors = _error(inspector, method)
    moving = answer.in_rows.abs().sum(dim=1) > 0
    moves = -inspector.rate * answer.in_rows
    ax.set_title(
        f"{METHODS[method]}\n{cost.dot_products:.0f} dot products, {cost.rows:.0f} rows, "
        f"loss {answer.loss:.3f} nats",
        size=11,
    )
    _arrow(ax, torch.zeros(2), v, color="black", width=3)
    ax.set(xlabel="first coordinate", ylabel="second coordinate")
    below = torch.stack([v[1], -v[0]]) / v.norm().clamp_min(1e-9)
    _note(ax, "$v_c$", v / 2, 11 * below * (-1 if below[1] > 0 else 1))
    next_v = v - inspector.rate * answer.in_v
    _arrow(ax, v, next_v, color="black", width=2, linestyle="--")
    if (next_v - v).norm() > 0.05:
        _note(ax, "its move", next_v, torch.tensor([0, 9 if next_v[1] >= v[1] else -9]))
    colors = _colors(inspector, method)
    named = range(len(rows)) if len(rows) <= FEW else _big(errors)
    for i, (row, name) in enumerate(zip(rows, _names(inspector, method))):
        ax.plot(
            *row.tolist(),
            style["marker"],
            color=colors[i] if moving[i] else "0.5",
            zorder=3,
            markersize=5 if len(rows) <= FEW else 4,
            markerfacecolor=colors[i] if moving[i] else "white",
        )
        if moves[i].norm() > 0.05:  # a shorter one would be all head
            _arrow(ax, row, row + moves[i], color=colors[i], width=3 if errors[i] < 0 else 2)
        if i in named and (moving[i] or len(rows) <= FEW):
            below = errors[i] < 0
            ax.annotate(
                name,
                row.tolist(),
                xytext=(0, -7) if below else (6, 0),
                textcoords="offset points",
                size=10,
                ha="center" if below else "left",
                va="top" if below else "center",
                zorder=4,
                path_effects=[effects.withStroke(linewidth=2.5, foreground="white")],
            )
    return (
        f"{METHODS[method].capitalize()}: {cost.dot_products:.0f} dot products, "
        f"{int(moving.sum())} of {len(rows)} rows move, loss {answer.loss:.3f} nats."
    )


def _note(ax, text, place, away):
    """A word beside a place, `away` from it in points."""
    ax.annotate(
        text,
        place.tolist(),
        xytext=away.tolist(),
        textcoords="offset points",
        size=11,
        **plots.CENTRED,
        zorder=6,
        path_effects=[effects.withStroke(linewidth=2.5, foreground="white")],
    )


def _arrow(ax, start, end, *, color, width, linestyle="-"):
    ax.annotate(
        "",
        end.tolist(),
        start.tolist(),
        arrowprops=dict(
            arrowstyle="->",
            color=color,
            linewidth=width,
            linestyle=linestyle,
            shrinkA=0,
            shrinkB=0,
            mutation_scale=14,
        ),
    )


def _moves(inspector, method, ax):
    """A bar for each row: minus rate times error, its move in multiples of v_c."""
    errors = _error(inspector, method)
    moves = -inspector.rate * errors
    names = _names(inspector, method)
    colors = _colors(inspector, method)
    look = dict(color=colors, edgecolor="black", linewidth=0.6)
    bars = ax.bar(range(len(moves)), moves.tolist(), **look)
    for bar, color in zip(bars, colors):
        bar.set_hatch("//" if color == plots.PURPLE else "")
    ax.axhline(0, color="black", linewidth=1)
    reach = max(1.1, 1.1 * moves.abs().max().item())
    ax.set(
        ylabel="move, in\nmultiples of $v_c$",
        ylim=(-reach, reach),
        xlabel="inner node" if method == "hs" else "word",
    )
    ax.grid(axis="x", visible=False)
    ax.tick_params(axis="x", labelrotation=90, labelsize=10)
    if len(names) <= FEW:
        ax.set_xticks(range(len(names)), names)
    else:
        ax.set_xticks(_big(errors), [names[i] for i in _big(errors)])


def _colors(inspector, method) -> list[str]:
    """Of each row: green for the true pair's, purple for a noise word's, else the objective's."""
    colors = [plots.STYLES[METHODS[method]]["color"]] * len(_names(inspector, method))
    if method == "hs":
        return colors
    if method == "ns":
        for name in inspector.negatives:
            colors[inspector.words.index(name)] = plots.PURPLE
    colors[inspector.words.index(inspector.context)] = plots.GREEN
    return colors


def _big(errors) -> list[int]:
    """The rows worth a name where there are many: those with an error of some size."""
    largest = errors.abs().topk(min(6, len(errors))).indices.tolist()
    return [i for i in largest if abs(errors[i]) > 0.1]


def _same_limits(inspector, planes, aspect=0.8):
    """One piece of the plane and one scale for all objectives, so that lengths compare."""
    points = [torch.zeros(1, 2)]
    for method in inspector.methods:
        answer = inspector.answer(method)
        rows = inspector.tables(method)[1]
        v = _centre(inspector, method)[None]
        points += [
            v,
            v - inspector.rate * answer.in_v,
            rows,
            rows - inspector.rate * answer.in_rows,
        ]
    points = torch.cat(points)
    low = points.amin(0).tolist()
    high = points.amax(0).tolist()
    middle = [(a + b) / 2 for a, b in zip(low, high)]
    span = [b - a for a, b in zip(low, high)]
    half = max(span[0], span[1] / aspect, 1.0) * 0.56
    for ax in planes:
        ax.set_box_aspect(aspect)
        ax.set(
            xlim=(middle[0] - half, middle[0] + half),
            ylim=(middle[1] - aspect * half, middle[1] + aspect * half),
        )
