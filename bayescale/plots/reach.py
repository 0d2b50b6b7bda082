"""How surely a target is reached, over scale."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import axes_of, mark_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.targets import Reach


def plot_reach(result: "Reach", ax: "Axes | None" = None) -> "Axes":
    """Probability that every target is reached, over scale.

    Parameters
    ----------
    result : Reach
        What :func:`bayescale.scale_for` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    draws = result.draws.reshape(len(result.draws), -1)
    for target, column in zip(np.atleast_1d(result.target), draws.T, strict=True):
        reached = np.sort(column[np.isfinite(column)])
        share = np.arange(1, len(reached) + 1) / len(column)
        ax.step(reached, share, where="post", label=f"{target:.4g}")
    mark_data(ax, result.path.data)
    finite = draws[np.isfinite(draws)]
    if finite.size:
        low, high = np.quantile(np.log10(finite), [0.002, 0.98])
        low, high = (np.log10(result.path.data[0]), high) if high > low else (low - 1, high + 1)
        ax.set_xlim(10 ** min(low, high), 10 ** max(high, np.log10(result.path.data[1])))
    ax.set(xscale="log", xlabel=result.curve.named(result.path.symbol), ylim=(-0.02, 1.02))
    ax.set_ylabel(f"P({result.curve.response} reached)")
    ax.legend(frameon=False, title="target")
    return ax
