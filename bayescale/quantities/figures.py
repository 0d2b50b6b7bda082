"""Figures of the answers: axes in, axes out."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.plots._axes import log_axis
from bayescale.quantities.curves import thinned
from bayescale.quantities.results import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.allocation import Allocation
    from bayescale.quantities.breaks import Breaks, Regimes
    from bayescale.quantities.crossover import Crossover
    from bayescale.quantities.design import Design
    from bayescale.quantities.emergence import Emergence
    from bayescale.quantities.frontier import Pareto
    from bayescale.quantities.limits import Contrast
    from bayescale.quantities.multiplier import Multiplier
    from bayescale.quantities.statements import Probability
    from bayescale.quantities.superiority import Superiority
    from bayescale.quantities.targets import Reach

#: Intervals of the bands, the wider one paler.
BANDS = ((0.9, 0.15), (0.5, 0.3))


def axes_of(ax: "Axes | None") -> "Axes":
    """Give back axes, new ones where there are none."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def band(ax: "Axes", x: np.ndarray, draws: np.ndarray, label: str | None, color: Any) -> None:
    """Draw the median of draws of shape (sample, points) and its bands."""
    for prob, alpha in BANDS:
        low, median, high = (np.where(np.isfinite(v), v, np.nan) for v in interval(draws, prob))
        ax.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)
    ax.plot(x, median, color=color, label=label)


def shade_beyond(ax: "Axes", data: tuple[float, float]) -> None:
    """Mark where the data end."""
    for edge in data:
        ax.axvline(edge, color="0.5", linestyle=":", linewidth=0.8)


def plot_crossover(result: "Crossover", ax: "Axes | None" = None) -> "Axes":
    """Both curves with their bands, and the density of the crossing along the lower edge.

    Parameters
    ----------
    result : Crossover
        What :func:`bayescale.crossover_scale` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax, path = axes_of(ax), result.path
    low, high = path.data
    log_x = result.log10
    if log_x.size:
        inner = 10 ** np.quantile(log_x, [0.05, 0.95])
        low, high = min(low, inner[0]), max(high, inner[1])
    x = np.geomspace(low, high, 120)
    for curve, color in ((result.a, "C0"), (result.b, "C1")):
        band(ax, x, path.along(curve)(x), curve.label, color)
    ax.set(xscale="log", xlabel=path.symbol, ylabel=result.a.response)
    if result.a.is_positive and result.b.is_positive:
        log_axis(ax, "y")
    shade_beyond(ax, path.data)
    if log_x.size:
        below = ax.inset_axes((0, 0, 1, 0.2), sharex=ax)
        below.hist(
            result.draws[~np.isnan(result.draws)], np.geomspace(low, high, 60).tolist(), color="0.6"
        )
        below.set_axis_off()
    ax.set_title(f"P(no crossing) = {result.p_no_crossing:.2f}", loc="left", fontsize="small")
    # The histogram has the lower edge, and curves rise or fall to the other side.
    ax.legend(frameon=False, loc="upper left" if result.a.higher_is_better else "upper right")
    return ax


def plot_superiority(result: "Superiority", ax: "Axes | None" = None) -> "Axes":
    """Probability that `a` is better, over the first input that varies.

    Parameters
    ----------
    result : Superiority
        What :func:`bayescale.better_at` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    symbol = next((s for s, v in result.x.items() if np.ptp(v) > 0), next(iter(result.x)))
    order = np.argsort(result.x[symbol])
    ax.plot(result.x[symbol][order], result.probability[order], color="C0")
    ax.axhline(0.5, color="0.7", linewidth=0.8)
    known = np.concatenate([curve.data[symbol] for curve in (result.a, result.b)])
    shade_beyond(ax, (known.min(), known.max()))
    ax.set(xscale="log", xlabel=symbol, ylim=(-0.02, 1.02))
    ax.set_ylabel(f"P({result.a.label} better than {result.b.label})")
    return ax


def plot_multiplier(result: "Multiplier", ax: "Axes | None" = None) -> "Axes":
    """Draw the factor over scale with its bands; gaps are where it is undefined.

    Parameters
    ----------
    result : Multiplier
        What :func:`bayescale.compute_multiplier` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    order = np.argsort(result.scale)
    band(ax, result.scale[order], result.draws[:, order], None, "C0")
    ax.axhline(1.0, color="0.7", linewidth=0.8)
    shade_beyond(ax, result.path.data)
    ax.set(xscale="log", xlabel=f"{result.path.symbol} of {result.b.label}")
    log_axis(ax, "y")
    ax.set_ylabel(f"{result.path.symbol} of {result.a.label} / of {result.b.label}")
    undefined = result.p_undefined.max()
    ax.set_title(f"P(undefined) up to {undefined:.2f}", loc="left", fontsize="small")
    return ax


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
    shade_beyond(ax, result.path.data)
    finite = draws[np.isfinite(draws)]
    if finite.size:
        low, high = np.quantile(np.log10(finite), [0.002, 0.98])
        low, high = (np.log10(result.path.data[0]), high) if high > low else (low - 1, high + 1)
        ax.set_xlim(10 ** min(low, high), 10 ** max(high, np.log10(result.path.data[1])))
    ax.set(xscale="log", xlabel=result.path.symbol, ylim=(-0.02, 1.02))
    ax.set_ylabel(f"P({result.curve.response} reached)")
    ax.legend(frameon=False, title="target")
    return ax


def plot_allocation(result: "Allocation", ax: "Axes | None" = None) -> "Axes":
    """Median loss surface, lines of equal cost, and the band of the optimal path.

    Parameters
    ----------
    result : Allocation
        What :func:`bayescale.compute_optimal` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax, (size, data) = axes_of(ax), result.inputs
    N, D = result.draws[size], result.draws[data]
    known = result.curve.data
    sizes, tokens = (
        np.geomspace(
            min(known[s].min(), np.quantile(v, 0.05)), max(known[s].max(), np.quantile(v, 0.95)), 60
        )
        for s, v in ((size, N), (data, D))
    )
    grid = np.meshgrid(sizes, tokens)
    surface = np.median(
        thinned(result.curve, 200)({**result.at, size: grid[0].ravel(), data: grid[1].ravel()}),
        axis=0,
    ).reshape(grid[0].shape)
    lines = ax.contour(*grid, surface, levels=12, cmap="viridis", linewidths=0.8)
    ax.clabel(lines, fontsize=7, fmt="%.3g")
    price = np.asarray(result.cost(*grid), float)
    levels = np.unique(result.budget[np.linspace(0, len(result.budget) - 1, 6).astype(int)])
    ax.contour(*grid, price, levels=levels, colors="0.6", linestyles="--", linewidths=0.8)
    for prob, alpha in BANDS:
        low, median, high = interval(N, prob)
        if len(result.budget) > 1:
            tokens_of = [np.median(D, axis=0)] * 2
            ax.fill_betweenx(tokens_of[0], low, high, color="C3", alpha=alpha, linewidth=0)
        else:
            ax.plot([low[0], high[0]], [np.median(D[:, 0])] * 2, color="C3", alpha=2 * alpha)
    ax.plot(median, np.median(D, axis=0), color="C3", marker="o" if len(median) < 2 else None)
    ax.scatter(known[size], known[data], s=6, color="0.3", zorder=3)
    ax.set(xscale="log", yscale="log", xlabel=size, ylabel=data)
    ax.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    ax.set_ylim(tokens[0] / 1.15, tokens[-1] * 1.15)
    return ax


def plot_probability(result: "Probability", ax: "Axes | None" = None) -> "Axes":
    """Draw the probability of a statement over the first input, or by label.

    Parameters
    ----------
    result : Probability
        What :func:`bayescale.probability` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax, points = axes_of(ax), result.points
    inputs = [c for c in points if points[c].dtype.kind == "f" and c != "decades_beyond"]
    if inputs and points[inputs[0]].nunique() > 1:
        labels = [c for c in points if c not in (*inputs, "extrapolated", "decades_beyond")]
        names = points[labels].astype(str).agg(", ".join, axis=1) if labels else None
        for name in [None] if names is None else names.unique():
            rows = np.ones(len(points), bool) if names is None else (names == name).to_numpy()
            ax.plot(points[inputs[0]][rows], result.probability[rows], label=name)
        ax.set(xscale="log", xlabel=inputs[0])
        if names is not None:
            ax.legend(frameon=False)
    else:
        bars = [", ".join(map(str, row)) for row in points.itertuples(index=False)]
        ax.bar(bars, result.probability)
    ax.set(ylim=(-0.02, 1.02), ylabel=f"P({result.statement})")
    return ax


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
        ax.hlines(places, low, high, color="C0", linewidth=width)
    ax.plot(median, places, "o", color="C0")
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    return ax


def plot_contrast(result: "Contrast", ax: "Axes | None" = None) -> "Axes":
    """Draw the density of a difference, with zero marked.

    Parameters
    ----------
    result : Contrast
        What :func:`bayescale.exponent_contrast` or :func:`bayescale.asymptote_gap` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    ax.hist(result.draws[np.isfinite(result.draws)], bins=50, density=True, color="C0", alpha=0.5)
    ax.axvline(0.0, color="0.5", linewidth=0.8)
    ax.set_xlabel(f"{result.quantity} of {result.a} − {result.b}")
    ax.set_title(f"P({result.a} smaller) = {result.p_a_smaller:.2f}", loc="left", fontsize="small")
    ax.set_yticks([])
    return ax


def plot_breaks(result: "Breaks", ax: "Axes | None" = None) -> "Axes":
    """Draw the density of every break, the range asked about and the ends of the data.

    Parameters
    ----------
    result : Breaks
        What :func:`bayescale.break_probability` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    for i, draws in enumerate(result.draws.T):
        known = np.log10(draws[~np.isnan(draws)])
        if known.size:
            edges = np.logspace(known.min(), known.max() + 1e-9, 60).tolist()
            ax.hist(10**known, edges, alpha=0.5, label=f"break {i + 1}")
    ax.axvspan(*result.between, color="C3", alpha=0.1, linewidth=0)
    shade_beyond(ax, result.data)
    ax.set(xscale="log", xlabel=result.symbol, yticks=[])
    ax.set_title(f"P(break in the range) = {result.probability:.2f}", loc="left", fontsize="small")
    if result.draws.shape[1] > 1:
        ax.legend(frameon=False)
    return ax


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
    symbol = next((s for s, v in result.x.items() if np.ptp(v) > 0), next(iter(result.x)))
    order = np.argsort(result.x[symbol], kind="stable")
    shares = result.probability[order].T
    ax.stackplot(result.x[symbol][order], shares, labels=result.names, alpha=0.6)
    ax.set(xscale="log", xlabel=symbol, ylim=(0, 1), ylabel="probability")
    ax.legend(frameon=False)
    return ax


def plot_emergence(result: "Emergence", ax: "Axes | None" = None) -> "Axes":
    """Draw the local exponent of progress over scale.

    Parameters
    ----------
    result : Emergence
        What :func:`bayescale.emergence_test` returned.
    ax : Axes, optional
        Where to draw.
    """
    from bayescale.quantities.emergence import progress

    ax = axes_of(ax)
    x = np.geomspace(*result.between, 60)
    band(ax, x, progress(result.curve, result.path, x, result.is_rate), None, "C0")
    ax.set(xscale="log", xlabel=result.path.symbol, ylabel="local exponent of progress")
    title = f"P(accelerated) = {result.p_accelerated:.2f}"
    ax.set_title(title, loc="left", fontsize="small")
    return ax


def plot_pareto(result: "Pareto", ax: "Axes | None" = None) -> "Axes":
    """Draw every curve over its price, thick where it is likely to be the best.

    Parameters
    ----------
    result : Pareto
        What :func:`bayescale.pareto` returned.
    ax : Axes, optional
        Where to draw.
    """
    ax = axes_of(ax)
    order = np.argsort(result.cost)
    x = result.cost[order]
    for i, label in enumerate(result.labels):
        band(ax, x, result.draws[:, order, i], label, f"C{i}")
        median = np.median(result.draws[:, order, i], axis=0)
        ax.scatter(x, median, s=40 * result.probability[order, i], color=f"C{i}")
    ax.set(xscale="log", xlabel="cost", ylabel=result.response)
    ax.legend(frameon=False)
    return ax


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
    ax.scatter(table["cost"], 100 * table["narrowing"], color="0.6", s=15)
    for place, row in enumerate(result.chosen[["cost", "narrowing"]].to_numpy(float), start=1):
        at = (row[0], 100 * row[1])
        ax.scatter(*at, color="C3", s=30, zorder=3)
        ax.annotate(str(place), at, xytext=(4, 4), textcoords="offset points", zorder=4)
    ax.set(xscale="log", xlabel="cost", ylabel="expected narrowing [%]")
    title = f"{result.goal}: batch narrows by {100 * result.narrowing:.0f} %"
    ax.set_title(title, loc="left", fontsize="small")
    return ax
