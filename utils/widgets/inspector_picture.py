"""The gradient inspector's picture: for readers without a live figure, and for print."""

import torch

from utils import plots
from utils.widgets.inspector_steps import METHODS


def picture(inspector):
    """One column for each objective: the rows and where one step takes them; below, the error of each row."""
    methods, pair = inspector.methods, f"{inspector.centre} and {inspector.context}"
    title = f"One pair, {pair}: every row that moves moves by its error times $v_c$"
    told = []
    with plots.axes(title, columns=len(methods), figsize=(max(7.5, 4.6 * len(methods)), 7.2)) as (figure, drawn):
        columns = [drawn] if len(methods) == 1 else list(drawn)
        for method, ax in zip(methods, columns):
            told.append(_column(inspector, method, ax))
        _same_limits(inspector, columns)
    after = f" after {len(inspector.taken)} steps" if inspector.taken else ""
    alt = (f"The pair {pair}{after}, rate {inspector.rate:g}. Each output row is a point in a plane; those that have "
           "an error carry an arrow along the centre word's vector. " + " ".join(told))
    return plots.Figure(figure, alt)


def _column(inspector, method, ax) -> str:
    """Plane above, errors below; what both say, in words."""
    answer, cost = inspector.answer(method), inspector.cost(method)
    centres, rows = inspector.tables(method)
    v, style = centres[inspector.words.index(inspector.centre)], plots.OBJECTIVES[METHODS[method]]
    names = inspector.words if method != "hs" else [f"$n_{{{i + 1}}}$" for i in range(len(rows))]
    errors = answer.in_rows @ v / (v @ v).clamp_min(1e-300)             # the gradient of a row is its error times v_c
    moving = answer.in_rows.abs().sum(dim=1) > 0
    ax.set_title(f"{METHODS[method]}: {cost.dot_products:.0f} dot products,\n{cost.rows:.0f} rows, "
                 f"loss {answer.loss:.3f} nats", size=12)
    _arrow(ax, torch.zeros(2), v, color="black", width=3)
    ax.annotate("$v_c$", v.tolist(), xytext=(6, 6), textcoords="offset points", weight="bold")
    _arrow(ax, v, v - inspector.rate * answer.in_v, color="black", width=2, linestyle="--")
    biggest = set(errors.abs().topk(min(8, len(errors))).indices.tolist())
    for i, (row, name) in enumerate(zip(rows, names)):
        ax.plot(*row.tolist(), style["marker"], color=style["color"], markersize=6,
                markerfacecolor=style["color"] if moving[i] else "white", zorder=3)
        if moving[i]:
            _arrow(ax, row, row - inspector.rate * answer.in_rows[i], color=style["color"], width=2)
        if len(names) <= 16 or (i in biggest and moving[i]):
            ax.annotate(name, row.tolist(), xytext=(0, 5), textcoords="offset points", ha="center", size=10)
    below = ax.inset_axes([0, -0.62, 1, 0.46])
    below.bar(range(len(errors)), errors.tolist(), color=style["color"], edgecolor="black", linewidth=0.6)
    below.axhline(0, color="black", linewidth=1)
    below.set_xticks(range(len(names)), names, rotation=90, size=10 if len(names) <= 16 else 6)
    below.set(ylabel="error", ylim=(-1, 1) if method == "full" else None)
    below.spines[["top", "right"]].set_visible(False)
    return (f"{METHODS[method].capitalize()}: {cost.dot_products:.0f} dot products, {int(moving.sum())} of {len(rows)} "
            f"rows move, loss {answer.loss:.3f} nats.")


def _arrow(ax, start, end, *, color, width, linestyle="-"):
    ax.annotate("", end.tolist(), start.tolist(), arrowprops=dict(
        arrowstyle="->", color=color, linewidth=width, linestyle=linestyle, shrinkA=0, shrinkB=0, mutation_scale=14))


def _same_limits(inspector, columns, aspect=0.8):
    """One piece of the plane and one scale for all objectives, so that lengths compare."""
    points = [torch.zeros(1, 2)]
    for method in inspector.methods:
        (centres, rows), answer = inspector.tables(method), inspector.answer(method)
        v = centres[[inspector.words.index(inspector.centre)]]
        points += [v, v - inspector.rate * answer.in_v, rows, rows - inspector.rate * answer.in_rows]
    points = torch.cat(points)
    middle, span = (points.amin(0) + points.amax(0)) / 2, points.amax(0) - points.amin(0)
    half = max(span[0].item(), span[1].item() / aspect, 1.0) * 0.6
    for ax in columns:
        ax.set_box_aspect(aspect)
        ax.set(xlim=(middle[0] - half, middle[0] + half),
               ylim=(middle[1] - aspect * half, middle[1] + aspect * half))
