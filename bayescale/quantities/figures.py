"""Figures of the answers: axes in, axes out."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.quantities.results import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.quantities.allocation import Allocation
    from bayescale.quantities.crossover import Crossover
    from bayescale.quantities.multiplier import Multiplier
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
        ax.set_yscale("log")
    shade_beyond(ax, path.data)
    if log_x.size:
        below = ax.inset_axes((0, 0, 1, 0.2), sharex=ax)
        below.hist(
            result.draws[~np.isnan(result.draws)], np.geomspace(low, high, 60).tolist(), color="0.6"
        )
        below.set_axis_off()
    ax.set_title(f"P(no crossing) = {result.p_no_crossing:.2f}", loc="left", fontsize="small")
    ax.legend(frameon=False)
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
    ax.set(xscale="log", yscale="log", xlabel=f"{result.path.symbol} of {result.b.label}")
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
        result.curve({**result.at, size: grid[0].ravel(), data: grid[1].ravel()}), axis=0
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
    ax.set_xlim(sizes[0], sizes[-1])
    ax.set_ylim(tokens[0], tokens[-1])
    return ax
