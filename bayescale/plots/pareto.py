"""Which curve is best for its price."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import COLOURS, axes_of, band

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.frontier import Pareto


def plot_pareto(result: "Pareto", ax: "Axes | None" = None) -> "Axes":
    """Draw every curve over its price, thick where it is likely to be the best, dotted beyond data.

    Parameters
    ----------
    result : Pareto
        What :func:`bayescale.pareto` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    order = np.argsort(result.cost)
    x = result.cost[order]
    for i, label in enumerate(result.labels):
        colour, outside = COLOURS[i % len(COLOURS)], result.extrapolated[order, i]
        median = band(ax, x, result.draws[:, order, i], label, colour, outside)
        ax.scatter(x, median, s=40 * result.probability[order, i], color=colour)
    ax.set(xscale="log", xlabel=result.axis, ylabel=result.response)
    ax.legend(frameon=False)
    return ax
