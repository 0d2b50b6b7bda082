"""How a budget is best spent on parameters and tokens."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import axes_of
from bayescale.plots._legends import bands_entry, beyond_entry, entry, legend_above
from bayescale.plots._lines import BANDS, line_beyond
from bayescale.plots._looks import COLOURS, DASHES, GREY, MARKERS, Look
from bayescale.posterior.intervals import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.allocation import Allocation

#: Colour of lines of equal cost.
PALE = "0.8"


def plot_allocation(result: "Allocation", ax: "Axes | None" = None) -> "Axes":
    """Median loss surface, lines of equal cost, and the band of the optimal path.

    The path is broken where most draws of the optimum lie outside the data.

    Parameters
    ----------
    result : Allocation
        What :func:`bayescale.compute_optimal` returned.
    ax : Axes, optional
        Where to draw.
    """
    new, ax, (size, data) = ax is None, axes_of(ax), result.inputs
    order = np.argsort(result.budget, kind="stable")
    N, D = (result.draws[symbol][:, order] for symbol in (size, data))
    known = result.curve.data
    sizes, tokens = (
        np.geomspace(
            min(known[s].min(), np.quantile(v, 0.05)), max(known[s].max(), np.quantile(v, 0.95)), 60
        )
        for s, v in ((size, N), (data, D))
    )
    grid = np.meshgrid(sizes, tokens)
    # Labels of contours are placed for the scales and limits of the time.
    ax.set(xscale="log", yscale="log")
    ax.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    ax.set_ylim(tokens[0] / 1.15, tokens[-1] * 1.15)
    lines = ax.contour(*grid, result.median_loss(*grid), levels=12, cmap="viridis", linewidths=0.8)
    ax.clabel(lines, fontsize=7, fmt="%.3g")
    price = np.asarray(result.cost(*grid), float)
    levels = np.unique(result.budget[np.linspace(0, len(result.budget) - 1, 6).astype(int)])
    ax.contour(*grid, price, levels=levels, colors=PALE, linewidths=0.8)
    for prob, alpha in BANDS:
        low, median, high = interval(N, prob)
        if len(result.budget) > 1:
            tokens_of = [np.median(D, axis=0)] * 2
            ax.fill_betweenx(tokens_of[0], low, high, color=COLOURS[1], alpha=alpha, linewidth=0)
        else:
            ax.plot([low[0], high[0]], [np.median(D[:, 0])] * 2, color=COLOURS[1], alpha=2 * alpha)
    beyond = result.extrapolated[:, order].mean(axis=0) > 0.5
    path = Look(COLOURS[1], MARKERS[0], DASHES[0])
    line_beyond(ax, median, np.median(D, axis=0), path, beyond)
    ax.scatter(known[size], known[data], s=6, color=GREY, zorder=3)
    named = result.curve.named
    ax.set(xlabel=named(size), ylabel=named(data))
    entries = [
        entry(f"median {result.curve.response}", color=lines.cmap(0.5), linewidth=0.8),
        entry("equal cost", color=PALE, linewidth=0.8),
        entry("runs", color=GREY, marker=".", linestyle=""),
        entry("optimum", color=path.colour),
        bands_entry(),
        *([beyond_entry()] if beyond.any() else []),
    ]
    legend_above(ax, entries, new=new)
    return ax
