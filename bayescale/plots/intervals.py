"""Medians and intervals of a quantity, label by label."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import COLOURS, axes_of
from bayescale.posterior.intervals import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_intervals(labels: tuple[str, ...], draws: np.ndarray, ax: "Axes | None" = None) -> "Axes":
    """Draw the median and the 50 % and 90 % intervals of draws of shape (sample, labels).

    Parameters
    ----------
    labels : tuple of str
        One a column.
    draws : array, shape (sample, labels)
        Values.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    places = np.arange(len(labels))
    for prob, width in ((0.9, 1.0), (0.5, 3.0)):
        low, median, high = interval(draws, prob)
        ax.hlines(places, low, high, color=COLOURS[0], linewidth=width)
    ax.plot(median, places, "o", color=COLOURS[0])
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    return ax
