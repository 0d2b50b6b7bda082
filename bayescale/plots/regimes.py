"""Which regime holds, over scale."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import GREY, axes_of, choose_input

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.breaks import Regimes


def plot_regimes(result: "Regimes", ax: "Axes | None" = None) -> "Axes":
    """Draw stacked probabilities over the first input that varies.

    Parameters
    ----------
    result : Regimes
        What :func:`bayescale.regime_at` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    symbol = choose_input(result.x, None)
    order = np.argsort(result.x[symbol], kind="stable")
    x, shares = result.x[symbol][order], result.probability[order].T
    ax.stackplot(x, shares, labels=result.names, alpha=0.6)
    for edge in np.flatnonzero(np.diff(result.extrapolated[order].astype(int))):
        ax.axvline(np.sqrt(np.prod(x[edge : edge + 2])), color=GREY, linestyle=":", linewidth=0.8)
    ax.set(xscale="log", xlabel=symbol, ylim=(0, 1), ylabel="probability")
    ax.legend(frameon=False)
    return ax
