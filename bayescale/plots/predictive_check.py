"""Posterior predictive check: whether a fit would make measurements like these."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.model.slips import check_part
from bayescale.plots._axes import choose_input, joined, log_axis, new_axes
from bayescale.plots._legends import NAMELESS, entry, legend_above
from bayescale.plots._looks import GREY, looks
from bayescale.posterior.intervals import check_probabilities, interval
from bayescale.runs.describe import axis_name
from bayescale.runs.groups import labels_of_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.fitting import Fit


def plot_predictive_check(
    fit: "Fit", ax: "Axes | None" = None, *, x: str | None = None, ci_prob: float = 0.9
) -> "Axes":
    """Draw every measurement against measurements that the fit would make in its place.

    Bars are intervals of replicated measurements, 50 % (thick) and `ci_prob` (thin), and markers
    the measurements, both relative to the median replicate: in per cent where noise is on the
    logarithm, as a difference otherwise.  A trend over the input says that the form is wrong; a
    share of markers inside far from `ci_prob`, in the title, says that the noise is.  The rows
    were fitted, so that passing the check is not evidence about other rows: see LOO for that.

    Parameters
    ----------
    fit : Fit
        A posterior.
    ax : Axes, optional
        Where to draw.
    x : str, optional
        Symbol of the input on the horizontal axis.
    ci_prob : float
        Probability of the wider intervals.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `fit` is none, `x` is no input, or `ci_prob` does not lie between 0 and 1.

    References
    ----------
    Gelman, Meng and Stern (1996), Statistica Sinica 6, 733.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> fit = bs.fit(bs.laws.PowerLaw(), runs, progressbar=False)
    >>> bs.plots.plot_predictive_check(fit).get_ylabel()
    'loss, % off the median replicate'
    """
    check_part("fit", fit, "posterior", "give what bs.fit returns")
    check_probabilities(ci_prob)
    runs = fit.runs
    y, replicated = runs.response, fit.replicated()
    low, median, high = interval(replicated, ci_prob)
    lower, _, upper = interval(replicated, 0.5)
    relative = fit.structure.noise.on_log

    def off(values: np.ndarray) -> np.ndarray:
        return np.asarray(100 * (values / median - 1) if relative else values - median)

    inputs = {symbol: np.asarray(runs.x[symbol]) for _, symbol in fit.structure.columns}
    at = choose_input(inputs, x)
    new = ax is None
    ax = new_axes()[0] if ax is None else ax
    ax.vlines(inputs[at], off(low), off(high), color=GREY, linewidth=0.6, alpha=0.6, gid="interval")
    ax.vlines(inputs[at], off(lower), off(upper), color=GREY, linewidth=1.8, alpha=0.6)
    ax.axhline(0.0, color=GREY, linestyle=":", linewidth=0.8, zorder=0)
    names = joined([labels_of_rows(runs, g) for g in runs.groups], len(runs))
    style = looks(dict.fromkeys(names))
    handles: list[Any] = [
        entry("replicates, 50 %", color=GREY, linewidth=1.8, alpha=0.6),
        entry(f"{100 * ci_prob:g} %", color=GREY, linewidth=0.6, alpha=0.6),
    ]
    for label, look in style.items():
        mine = names == label
        handles += ax.plot(
            inputs[at][mine],
            off(y)[mine],
            look.marker,
            color=look.colour,
            markeredgecolor="white",
            label=label or NAMELESS,
            zorder=3,
        )
    inside = int(np.sum((low <= y) & (y <= high)))
    ax.set_title(f"{inside} of {len(y)} rows inside {100 * ci_prob:g} %")
    log_axis(ax, "x")
    ax.set_xlabel(axis_name(runs, at))
    off_by = "% off the median replicate" if relative else "less the median replicate"
    ax.set_ylabel(f"{axis_name(runs, 'y')}, {off_by}")
    legend_above(ax, handles, new=new)
    return ax
