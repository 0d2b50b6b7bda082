"""What the next runs are worth, against their cost."""

from typing import TYPE_CHECKING

from bayescale.plots._axes import axes_of, fitted
from bayescale.plots._looks import COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.design import Design


def plot_design(result: "Design", ax: "Axes | None" = None) -> "Axes":
    """Draw what every candidate is worth alone against its cost, and number the batch.

    Parameters
    ----------
    result : Design
        What :func:`bayescale.next_run` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax, table = axes_of(ax), result.table
    ax.scatter(table["cost"], 100 * table["narrowing"], color=GREY, s=15)
    for place, row in enumerate(result.chosen[["cost", "narrowing"]].to_numpy(float), start=1):
        at = (row[0], 100 * row[1])
        ax.scatter(*at, color=COLOURS[1], s=30, zorder=3)
        ax.annotate(
            str(place), at, xytext=(4, 4), textcoords="offset points", color=COLOURS[1], zorder=4
        )
    ax.set(xscale="log", xlabel="cost", ylabel="expected narrowing [%]")
    title = f"{result.goal}: batch narrows by {100 * result.narrowing:.0f} %"
    ax.set_title(fitted(title, ax.bbox.width / ax.figure.dpi), loc="left", fontsize="small")
    return ax
