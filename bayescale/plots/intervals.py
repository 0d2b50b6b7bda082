"""Medians and intervals of a quantity, label by label."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.plots._axes import COLOURS, axes_of, drawable, limits_of_finite
from bayescale.posterior.intervals import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_intervals(labels: tuple[str, ...], draws: np.ndarray, ax: "Axes | None" = None) -> "Axes":
    """Draw the median and the 50 % and 90 % intervals of draws of shape (sample, labels).

    What is infinite runs out of the figure.

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
    ends = np.array([interval(draws, prob) for prob in (0.9, 0.5)])
    with limits_of_finite(ax, ends, places):
        for (low, _, high), width in zip(drawable(ends), (1.0, 3.0), strict=True):
            ax.hlines(places, low, high, color=COLOURS[0], linewidth=width)
    ax.plot(np.where(np.isfinite(ends[0][1]), ends[0][1], np.nan), places, "o", color=COLOURS[0])
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    return ax
