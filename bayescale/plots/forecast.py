"""The forecast: data, nested bands, and where the data end."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.model.slips import check_part
from bayescale.plots._axes import choose_input, joined, log_axis, name_axes, new_axes, positive
from bayescale.plots._legends import bands_entry, edge_entry, entry, handles_of, legend_above
from bayescale.plots._looks import GREY, MARKERS, Look, looks
from bayescale.runs.describe import axis_name
from bayescale.runs.groups import labels_of_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayescale.forecast import Forecast

#: Points below which a series is no curve.
FEW = 8
#: How opaque measurements at other values of the inputs that are not on the axis are.
FADED = 0.3
#: How near such a value is, in its logarithm, where it counts as that of a curve.
NEAR = 0.05


def plot_forecast(
    forecast: "Forecast",
    ax: Any = None,
    *,
    x: str | None = None,
    group: str | None = None,
    panels: str | None = None,
    reducible: bool = False,
) -> Any:
    """Draw measurements, the median and nested bands over one input.

    Solid lines lie within the data of their label; beyond them lines are dashed, bands are paler
    and have dashed edges, and the curve ends in a hollow marker.  A dotted line marks the
    largest input of the data shown, where there is one input; of several, the axis says what the
    others are, and measurements at other values of them are pale.  Where they have several values
    at one place, ten at most, as for two sizes over tokens, each is a series with a name of its
    own.  Fewer than eight points, or points that are not one path, are hollow markers with bars,
    broken beyond the data.  Axes are logarithmic where everything is positive.

    Parameters
    ----------
    forecast : Forecast
        What ``Fit.forecast`` returned.
    ax : Axes or sequence of Axes, optional
        Where to draw; with `panels`, one for each of its labels.
    x : str, optional
        Symbol of the input on the horizontal axis; the one that varies most by default.
    group : str, optional
        The group that sets colour and marker; every combination of labels by default.
    panels : str, optional
        A group whose labels get axes of their own, in rows of at most four.
    reducible : bool
        Subtract the floor of every curve (its posterior median) from curve, bands and data: a
        power law with a floor is then a straight line.  Measurements below it cannot be shown.

    Returns
    -------
    Axes or ndarray of Axes
        The axes; an array with `panels`.

    Raises
    ------
    ValueError
        If something else is given, such as a fit, a name is no input or group of the forecast, or
        the law has no floor.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> fit = bs.fit(bs.laws.PowerLaw(), runs, progressbar=False)
    >>> ax = bs.plots.plot_forecast(fit.forecast({"C": [1e19, 1e20, 1e21, 1e22, 1e23]}))
    >>> ax.get_xscale(), ax.get_xlabel()
    ('log', 'flops (C)')
    """
    check_part("forecast", forecast, "floor", "give what fit.forecast(...) returns")
    table, rows = _drawn(forecast, reducible)
    groups = _groups(forecast)
    for name in (group, panels):
        if name is not None and name not in groups:
            raise ValueError(f"{name!r} is no group of the forecast; {_listed(groups)}")
    at = choose_input({s: table[s].to_numpy() for s in _inputs(forecast)}, x)
    shown = [str(v) for v in table[panels].unique()] if panels else [""]
    axes = _given(ax, len(shown)) if ax is not None else new_axes(panels=len(shown))
    by = [group] if group else [g for g in groups if g != panels]
    table["curve"] = _curves(table, [s for s in _inputs(forecast) if s != at], [*groups, at])
    named = [table[c].to_numpy() for c in (*by, "curve") if table[c].ne("").any()]
    table["series"] = joined(named, len(table))
    style = looks(table["series"].unique())
    for each, label in zip(axes, shown, strict=True):
        part = table[table[panels].astype(str) == label] if panels else table
        mine = rows[rows[panels] == label] if panels and (rows[panels] == label).any() else rows
        _draw(each, forecast, part, mine, at, style)
        if panels:
            each.set_title(label)
    _finish(axes, forecast, table, rows, at, reducible=reducible, new=ax is None)
    legend_above(axes[0], _handles(forecast, style, axes, at), new=ax is None)
    return axes if panels else axes[0]


def _inputs(forecast: "Forecast") -> list[str]:
    """Name the inputs of the points, which are not those of the runs of a chained metric."""
    points = forecast.points
    own = [s for s in forecast.runs.x if s in points]
    told = ("loss", "decades_beyond", *_groups(forecast))
    return own or [str(s) for s in points.select_dtypes("number") if s not in told]


def _groups(forecast: "Forecast") -> list[str]:
    return [g for g in (*forecast.runs.groups, "sequence") if g in forecast.points]


def _listed(groups: Sequence[str]) -> str:
    return f"there are {', '.join(groups)}" if groups else "it has none"


def _given(ax: Any, count: int) -> np.ndarray:
    axes = np.atleast_1d(np.asarray(ax, object)).ravel()
    if len(axes) != count:
        raise ValueError(f"ax: {len(axes)} axes for {count} panels")
    return axes


def _curves(table: "pd.DataFrame", others: Sequence[str], place: Sequence[str]) -> np.ndarray:
    """Name the curve of every point by its other inputs, where they alone tell points apart."""
    told = [s for s in others if table[s].nunique() > 1]
    said = [f"{s} = " + table[s].map("{:.3g}".format).to_numpy(object) for s in told]
    names = joined(said, len(table))
    overlaid = table.drop_duplicates([*place, *told]).duplicated(place).any()
    return names if overlaid and len(set(names)) <= len(MARKERS) else np.full_like(names, "")


def _drawn(forecast: "Forecast", reducible: bool) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Table of the forecast and of the measurements, less the floors where that is asked for."""
    import pandas as pd

    runs, groups = forecast.runs, _groups(forecast)
    table = forecast.table.copy()
    rows = pd.DataFrame(
        {**runs.x, "y": runs.response, **{g: labels_of_rows(runs, g) for g in groups}}
    )
    rows["y_se"] = np.nan if runs.y_se is None else runs.y_se
    if not set(_inputs(forecast)) <= set(rows):  # measured at other inputs: none can be drawn
        rows = rows.iloc[:0].reindex(columns=[*rows, *_inputs(forecast)])
    if not reducible:
        return table, rows
    if forecast.floor is None:
        raise ValueError("reducible=True: the law of this forecast has no floor to subtract")
    names = joined([table[g].to_numpy() for g in groups], len(table))
    own = dict(zip(names, forecast.floor, strict=True))
    bands = ["median", *(f"{side}_{p:g}" for p in forecast.ci_prob for side in ("lower", "upper"))]
    table[bands] = table[bands].sub(forecast.floor, axis=0)
    of_row = joined([rows[g].to_numpy() for g in groups], len(rows))
    rows["y"] -= [own.get(name, np.nan) for name in of_row]
    return table, rows[rows["y"] > 0]


def _draw(
    ax: "Axes",
    forecast: "Forecast",
    table: "pd.DataFrame",
    rows: "pd.DataFrame",
    at: str,
    style: dict[str, Look],
) -> None:
    """Draw every series of one panel, and the end of its data."""
    groups = _groups(forecast)
    others = [s for s in _inputs(forecast) if s != at]
    edges = []
    opacity = 0.28 / np.sqrt(len(table["series"].unique()))
    by_labels = table.groupby(groups, sort=False) if groups else [((), table)]
    for key, series in by_labels:
        look = style[series["series"].iloc[0]]
        mine = rows
        for g, label in zip(groups, key, strict=True):
            mine = mine[mine[g] == str(label)]
        seen, marks = (mine, (look.colour, look.marker)) if len(mine) else (rows, ("0.7", "."))
        elsewhere = np.ones(len(seen), bool)
        curves = [curve for _, curve in series.groupby("curve", sort=False)]
        for curve in curves:
            if len(curves) > 1:
                look = style[curve["series"].iloc[0]]
                marks = (look.colour, look.marker) if len(mine) else marks
            curve = curve.sort_values(at, kind="stable").drop_duplicates([at, *others])
            here = _beside(curve, seen, at, others)
            elsewhere &= ~here
            _measurements(ax, seen[here], at, *marks, gid="data")
            if len(curve) < FEW or (others and not curve[at].is_unique):
                _scattered(ax, curve, forecast.ci_prob, at, look)
            else:
                _curve(ax, curve, forecast.ci_prob, at, look, opacity)
        marks = marks if len(curves) == 1 else (GREY, "o")
        _measurements(ax, seen[elsewhere], at, *marks, gid="data elsewhere", alpha=FADED)
        if len(seen):
            edges.append(seen[at].max())
    if edges and not others and any(table[at] > max(edges)):
        ax.axvline(max(edges), color=GREY, linestyle=":", linewidth=0.8, zorder=0, gid="edge")


def _beside(
    series: "pd.DataFrame", rows: "pd.DataFrame", at: str, others: Sequence[str]
) -> np.ndarray:
    """Whether rows have the other inputs that the forecast has at their place on the axis."""
    here = np.ones(len(rows), bool)
    for other in others:
        if series[at].is_unique:
            path = np.interp(np.log(rows[at]), np.log(series[at]), np.log(series[other]))
            here &= np.abs(np.log(rows[other]) - path).to_numpy() < NEAR
        else:
            here &= rows[other].isin(series[other]).to_numpy()
    return here


def _measurements(
    ax: "Axes",
    rows: "pd.DataFrame",
    at: str,
    colour: str,
    marker: str,
    *,
    gid: str,
    alpha: float = 1.0,
) -> None:
    if not len(rows):
        return
    x, y = rows[at], rows["y"]
    if rows["y_se"].notna().any():
        look = {"ecolor": colour, "elinewidth": 0.6, "alpha": alpha, "zorder": 3}
        ax.errorbar(x, y, rows["y_se"], fmt="none", **look)  # type: ignore[arg-type]
    edge = colour if marker == "." else "white"
    ax.plot(
        x, y, marker, color=colour, markeredgecolor=edge, alpha=alpha, zorder=3 + alpha, gid=gid
    )


def _curve(
    ax: "Axes",
    series: "pd.DataFrame",
    ci_prob: Sequence[float],
    at: str,
    look: Look,
    opacity: float,
) -> None:
    beyond = series["extrapolated"].to_numpy()
    for start, stop, outside in _stretches(beyond):
        part = series.iloc[start:stop]
        for prob in sorted(ci_prob, reverse=True):
            low, high = part[f"lower_{prob:g}"], part[f"upper_{prob:g}"]
            ax.fill_between(
                part[at],
                low,
                high,
                facecolor=look.colour,
                alpha=opacity / 2 if outside else opacity,
                linewidth=0,
                gid=f"band {prob:g}",
            )
        if outside:
            widest = max(ci_prob)
            for side in ("lower", "upper"):
                ax.plot(
                    part[at],
                    part[f"{side}_{widest:g}"],
                    color=look.colour,
                    linewidth=0.5,
                    alpha=0.7,
                    dashes=(3, 2),
                    gid="band edge",
                )
        ax.plot(
            part[at],
            part["median"],
            color=look.colour,
            dashes=look.dashes if outside else (None, None),
            zorder=2,
            gid="beyond" if outside else "within",
        )
    if beyond[-1]:
        end = series.iloc[-1]
        ax.plot(
            end[at],
            end["median"],
            look.marker,
            color=look.colour,
            markerfacecolor="white",
            zorder=4,
            gid="end",
        )


def _stretches(beyond: np.ndarray) -> list[tuple[int, int, bool]]:
    """Stretches (start, stop, beyond the data); one beyond reaches to the last point within."""
    change = np.flatnonzero(np.diff(beyond.astype(int))) + 1
    bounds = [0, *change.tolist(), len(beyond)]
    found = []
    for start, stop in itertools.pairwise(bounds):
        if outside := bool(beyond[start]):
            start, stop = max(start - 1, 0), min(stop + 1, len(beyond))
        found.append((start, stop, outside))
    return found


def _scattered(
    ax: "Axes", series: "pd.DataFrame", ci_prob: Sequence[float], at: str, look: Look
) -> None:
    """Separate points: hollow medians with one bar a probability, the narrower the thicker.

    The widest bar is broken beyond the data.
    """
    for outside, part in series.groupby("extrapolated"):
        for i, prob in enumerate(sorted(ci_prob, reverse=True)):
            ax.vlines(
                part[at],
                part[f"lower_{prob:g}"],
                part[f"upper_{prob:g}"],
                color=look.colour,
                alpha=0.55,
                linewidth=0.8 + 1.2 * i,
                linestyle="--" if outside and i == 0 else "-",
                gid=f"band {prob:g}",
            )
        ax.plot(
            part[at],
            part["median"],
            look.marker,
            color=look.colour,
            markerfacecolor="white",
            zorder=5,
            gid="beyond" if outside else "within",
        )


def _finish(
    axes: np.ndarray,
    forecast: "Forecast",
    table: "pd.DataFrame",
    rows: "pd.DataFrame",
    at: str,
    *,
    reducible: bool,
    new: bool,
) -> None:
    widest = max(forecast.ci_prob)
    lowest, highest = table[f"lower_{widest:g}"], table[f"upper_{widest:g}"].max()
    for ax in axes:
        log_axis(ax, "x")
    if reducible:
        # What lies far below all data is the noise of a median near its floor.
        lowest_seen = rows["y"].min()
        shown = table.loc[table["median"] > lowest_seen / 30, "median"]
        axes[0].set_yscale("log")
        axes[0].set_ylim(min(lowest_seen, shown.min()) / 2, highest * 1.3)
    if reducible or positive(lowest, rows["y"]):
        for ax in axes:
            log_axis(ax, "y")
    name = axis_name(forecast.runs, "y")
    along = _along(forecast, table, at)
    name_axes(axes, along, f"{name} above its floor" if reducible else name, new=new)


def _along(forecast: "Forecast", table: "pd.DataFrame", at: str) -> str:
    """Name of the horizontal axis, and what the other inputs are meanwhile."""
    said = [axis_name(forecast.runs, at)]
    for other in (s for s in _inputs(forecast) if s != at):
        if table["curve"].str.contains(f"{other} = ", regex=False).any():
            continue
        low, high = table[other].min(), table[other].max()
        where = f"= {low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        said.append(f"{axis_name(forecast.runs, other)} {where}")
    return "; ".join(said)


def _what(forecast: "Forecast") -> str:
    """Say what the bands are of: the curve, a run that is continued, or a new one."""
    if forecast.kind == "mean":
        return "curve"
    if "sequence" not in forecast.points or forecast.runs.sequence is None:
        return "new run"
    known = forecast.points["sequence"].astype(str).isin([*map(str, forecast.runs.sequence_labels)])
    return "run continued" if known.all() else "run" if known.any() else "new run"


def _handles(forecast: "Forecast", style: dict[str, Look], axes: np.ndarray, at: str) -> list[Any]:
    what = _what(forecast)
    handles = [*handles_of(style), bands_entry(forecast.ci_prob, what)]
    lines = [line for ax in axes for line in ax.lines]
    drawn = {line.get_gid() for line in lines}
    dots = {"color": GREY, "marker": "o", "linestyle": ""}
    if any(ln.get_gid() in ("within", "beyond") and ln.get_linestyle() == "None" for ln in lines):
        handles.append(entry("forecast", markerfacecolor="white", **dots))
    if "data elsewhere" in drawn:
        others = ", ".join(s for s in _inputs(forecast) if s != at)
        handles.append(entry(f"data at other {others}", alpha=FADED, **dots))
    return [*handles, edge_entry()] if "edge" in drawn else handles
