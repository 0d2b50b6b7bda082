"""The comparison of forms: differences in predictive accuracy, and weights."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from bayescale.model.slips import check_part
from bayescale.plots._axes import LABEL_WIDTH, new_axes
from bayescale.plots._looks import COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.comparison import Comparison


def plot_comparison(comparison: "Comparison", ax: "Axes | None" = None) -> "Axes":
    """Draw how much worse than the best every form predicts, with standard errors and weights.

    Parameters
    ----------
    comparison : Comparison
        Anything whose ``table`` has one row a form and the columns ``elpd``, ``elpd_diff``,
        ``se_diff`` and ``weight``.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Differences in expected log predictive density (best form at 0, on top) with bars of one
        and, thin, two standard errors; stacking weights stand on the right.

    Raises
    ------
    ValueError
        If something else is given, such as a dict of fits.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), arXiv:1507.04544; Yao et al. (2018), arXiv:1704.02030.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import pandas as pd
    >>> from bayescale.plots import plot_comparison
    >>> table = pd.DataFrame(
    ...     {"elpd": [81.0, 77.5], "elpd_diff": [0.0, -3.5], "se_diff": [0.0, 2.1],
    ...      "weight": [0.8, 0.2]}, index=["broken", "power law"])
    >>> ax = plot_comparison(SimpleNamespace(table=table))
    >>> [t.get_text() for t in ax.get_yticklabels()]
    ['broken', 'power law']
    """
    import matplotlib.pyplot as plt

    check_part("comparison", comparison, "table", "give what bs.compare(...) returns")
    table = comparison.table.sort_values("elpd", ascending=False)
    below = -np.abs(table["elpd_diff"].to_numpy(float))
    errors = table["se_diff"].fillna(0.0).to_numpy(float)
    places = np.arange(len(table))
    names = [textwrap.fill(str(name), LABEL_WIDTH) for name in table.index]
    if ax is None:
        lines = 1 + max(name.count("\n") for name in names)
        row = max(0.24, lines * 1.3 * plt.rcParams["font.size"] / 72)
        ax = new_axes(height=0.87 + row * len(table))[0]
    ax.axvline(0.0, color=GREY, linestyle=":", linewidth=0.8, zorder=0)
    for width, errors_shown in ((0.7, 2 * errors), (2.0, errors)):
        ax.hlines(
            places, below - errors_shown, below + errors_shown, color=COLOURS[0], linewidth=width
        )
    ax.plot(below, places, "o", color=COLOURS[0], markeredgecolor="white", zorder=3)
    for place, weight in enumerate(table["weight"]):
        ax.text(
            1.03,
            place,
            f"{100 * weight:.0f} %",
            transform=ax.get_yaxis_transform(),
            va="center",
            size="small",
        )
    ax.text(1.03, 1.0, "weight", transform=ax.transAxes, va="bottom", size="small")
    ax.set_yticks(places, names)
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_xlabel("difference in elpd,\n±1 and ±2 s.e.")
    return ax
