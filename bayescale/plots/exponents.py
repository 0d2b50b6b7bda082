"""Exponents of all groups, and how far pooling pulls them towards the population."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.model.slips import check_part
from bayescale.plots._axes import LABEL_WIDTH, joined, new_axes, symbol
from bayescale.plots._legends import entry, legend_above
from bayescale.plots._looks import COLOURS, GREY
from bayescale.posterior.intervals import check_probabilities, interval
from bayescale.runs.groups import labels_of_rows

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from bayescale.fitting import Fit

#: Lines of type that legend and axis take beside the rows.
AROUND = 7.5


def plot_exponents(
    fit: "Fit", name: str | None = None, ax: "Axes | None" = None, *, ci_prob: float = 0.9
) -> "Axes":
    """Draw the posterior of one parameter for every group, beside what each group says alone.

    Filled markers are posterior medians with equal-tailed intervals, of 50 % (thick) and
    `ci_prob` (thin).  Hollow markers are least-squares fits of the same law to the rows of one
    combination of labels alone; the distance between the two is the shrinkage.  A combination
    with no more rows than the law has parameters has no hollow marker, and a fit outside the axes
    is an arrow at their edge.  The line and the shaded band (`ci_prob`) are the population median.

    Parameters
    ----------
    fit : Fit
        A posterior.
    name : str, optional
        The parameter; the first exponent of the law by default.
    ax : Axes, optional
        Where to draw.
    ci_prob : float
        Probability of the wider intervals.

    Returns
    -------
    Axes
        One row for every combination of labels in the table.

    Raises
    ------
    ValueError
        If `fit` is none, the law has no such parameter, or `ci_prob` does not lie between 0 and 1.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> ax = bs.plots.plot_exponents(bs.fit(bs.laws.PowerLaw(), runs, progressbar=False))
    >>> [t.get_text() for t in ax.get_yticklabels()]
    ['all runs']
    """
    check_part("fit", fit, "posterior", "give what bs.fit returns")
    check_probabilities(ci_prob)
    name = name or _first_exponent(fit)
    if name not in fit.posterior:
        raise ValueError(f"no parameter {name!r}; there are {', '.join(map(str, fit.posterior))}")
    draws = fit.posterior[name]
    groups = [str(d) for d in draws.dims if d not in ("chain", "draw")]
    labels, values = _seen(fit, draws, groups)
    ticks = [textwrap.fill(label, LABEL_WIDTH) for label in labels]
    new = ax is None
    ax = new_axes(height=_height(ticks))[0] if ax is None else ax
    places = np.arange(len(labels))
    (low, median, high), (lower, _, upper) = interval(values, ci_prob), interval(values, 0.5)
    ax.hlines(places, low, high, color=COLOURS[0], linewidth=0.8, gid="interval")
    ax.hlines(places, lower, upper, color=COLOURS[0], linewidth=2.2)
    ax.plot(median, places, "o", color=COLOURS[0], markeredgecolor="white", zorder=3, gid="median")
    population = fit.posterior.get(f"{name}_population")
    if population is not None and len(labels) > 1:
        start, middle, stop = map(float, interval(population.values.ravel(), ci_prob))
        ax.axvspan(start, stop, color=GREY, alpha=0.15, linewidth=0, zorder=0)
        ax.axvline(middle, color=GREY, linewidth=0.8, zorder=0, gid="population")
    _alone_beside(ax, fit, name, groups, labels)
    ax.set_yticks(places, ticks)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlabel(symbol(name))
    legend_above(ax, _handles(ci_prob, population is not None), new=new)
    return ax


def _height(ticks: list[str]) -> float:
    """Height of a figure in which labels in type of the style in force keep apart."""
    import matplotlib.pyplot as plt

    longest = max(1 + tick.count("\n") for tick in ticks)
    lines = AROUND + max(len(ticks), 3) * (longest + 0.75)
    return float(lines * plt.rcParams["font.size"] / 72)


def _first_exponent(fit: "Fit") -> str:
    law = fit.law
    found = law.with_role("exponent") or law.with_role("slope") or law.parameters
    return str(found[0].name)


def _seen(fit: "Fit", draws: "xr.DataArray", groups: list[str]) -> tuple[list[str], np.ndarray]:
    """Names and draws, shape (sample, names), of the combinations of labels in the table."""
    if not groups:
        return ["all runs"], draws.values.reshape(-1, 1)
    rows = [labels_of_rows(fit.runs, g) for g in groups]
    combinations = dict.fromkeys(zip(*(r.tolist() for r in rows), strict=True))
    text = [draws[g].values.astype(str).tolist() for g in groups]
    order = sorted(combinations, key=lambda c: [t.index(v) for t, v in zip(text, c, strict=True)])
    flat = draws.transpose("chain", "draw", *groups).values
    flat = flat.reshape(-1, *flat.shape[2:])
    where: tuple[Any, ...] = tuple(
        np.array([t.index(c[i]) for c in order]) for i, t in enumerate(text)
    )
    columns = [np.array(column, object) for column in zip(*order, strict=True)]
    return joined(columns, len(order)).tolist(), flat[(slice(None), *where)]


def _alone_beside(ax: "Axes", fit: "Fit", name: str, groups: list[str], labels: list[str]) -> None:
    """Hollow markers, clipped to what the intervals need with some room around."""
    from bayescale.fitting.alone import alone

    low, high = ax.get_xlim()
    room = 0.6 * (high - low)
    low, high = low - room, high + room
    for cell, value in alone(fit, name).items():
        own = dict(zip(fit.runs.groups, cell, strict=True))
        label = joined([np.array([own[g]], object) for g in groups], 1)[0] if groups else labels[0]
        marker = "<" if value < low else ">" if value > high else "o"
        ax.plot(
            np.clip(value, low, high),
            labels.index(label) + 0.22,
            marker,
            color=COLOURS[1],
            markerfacecolor="none",
            clip_on=False,
            gid="alone",
        )


def _handles(ci_prob: float, population: bool) -> list[Any]:
    percent = f"{100 * ci_prob:g} %"
    hollow = {"marker": "o", "markerfacecolor": "none", "linestyle": ""}
    handles = [
        entry(f"pooled, 50, {percent}", color=COLOURS[0], marker="o", markeredgecolor="white"),
        entry("alone", color=COLOURS[1], **hollow),
    ]
    return handles + [entry(f"population, {percent}", color=GREY)] * population
