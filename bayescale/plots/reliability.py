"""Reliability figure: how often hidden measurements fell inside what was promised."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import GREY, looks, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.backtesting import Backtest


def plot_reliability(tested: "Backtest", ax: "Axes | None" = None) -> "Axes":
    """Draw the share of hidden runs inside central intervals against their probability.

    On the diagonal bands keep their promise; below it they are too narrow.

    Parameters
    ----------
    tested : Backtest
        What :func:`bayescale.backtest` returned.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    References
    ----------
    Gneiting, Balabdaoui and Raftery (2007), Journal of the Royal Statistical Society B 69, 243.
    """
    ax = new_axes()[0] if ax is None else ax
    points = tested.points
    names = list(dict.fromkeys(points["law"]))
    probabilities = np.linspace(0.0, 1.0, 41)
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    for name, look in looks(names).items():
        below = points.loc[points["law"] == name, "probability_below"].to_numpy()
        central = np.abs(2 * below - 1)
        share = [(central <= p).mean() for p in probabilities]
        ax.plot(probabilities, share, color=look.colour, dashes=look.dashes, label=name)
    ax.set(
        xlabel="probability of the interval",
        ylabel="share of hidden runs inside",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    ax.legend()
    return ax
