"""Reliability figure: how often hidden measurements fell inside what was promised."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.model.slips import check_part
from bayescale.plots._axes import axes_of
from bayescale.plots._legends import legend_above
from bayescale.plots._looks import GREY, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.backtesting import Backtest


def plot_reliability(tested: "Backtest", ax: "Axes | None" = None) -> "Axes":
    """Draw the share of hidden runs inside central intervals against their probability.

    On the diagonal bands keep their promise; below it they are too narrow.  The grey band is where
    90 % of such shares lie by chance if the promise is kept and forecasts are independent; those
    of one curve are not, and their shares scatter more.  It is that of the law with the fewest
    forecasts.

    Parameters
    ----------
    tested : Backtest
        What :func:`bayescale.backtest` returned.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If something else is given, such as a fit.

    References
    ----------
    Gneiting, Balabdaoui and Raftery (2007), Journal of the Royal Statistical Society B 69, 243.
    """
    from scipy.stats import binom

    check_part("back-test", tested, "cases", "give what bs.backtest(...) returns")
    new, ax = ax is None, axes_of(ax)
    counts = tested.points["law"].value_counts(sort=False)
    probabilities = np.linspace(0.0, 1.0, 41)
    fewest = counts.min()
    ends = binom.ppf([[0.05], [0.95]], fewest, probabilities) / fewest
    chance = ax.fill_between(probabilities, *ends, color=GREY, alpha=0.2, linewidth=0)
    chance.set_label(f"chance, 90 % of {fewest} forecasts")
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    handles = []
    for name, look in looks(counts.index).items():
        below = tested.points.loc[tested.points["law"] == name, "probability_below"].to_numpy()
        central = np.abs(2 * below - 1)
        share = [(central <= p).mean() for p in probabilities]
        label = f"{name}, {counts[name]} forecasts"
        handles += ax.plot(probabilities, share, color=look.colour, dashes=look.dashes, label=label)
    ax.set(
        xlabel="probability of the interval",
        ylabel="share of hidden runs inside",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    legend_above(ax, [*handles, chance], new=new)
    return ax
