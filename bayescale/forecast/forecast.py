"""Posterior predictive bands at any inputs, for labels that were seen and for new ones."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.forecast.predictive import Points, Predictive, predict, sequence_of_cells
from bayescale.model.arrays import Arrays, extra_arrays
from bayescale.model.structure import SEQUENCE, Structure, group_labels
from bayescale.posterior.likelihood import CHUNK
from bayescale.runs import Runs
from bayescale.runs.hints import extremes
from bayescale.runs.reading import UNWRAP, near_wrapping, warn_owner

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class Forecast:
    """Posterior predictive draws and bands at points.

    Attributes
    ----------
    points : DataFrame
        One row a point: inputs, labels, ``extrapolated`` and ``decades_beyond`` the data of the
        same labels.
    draws : array, shape (sample, points)
        Responses in the unit of the table.
    kind : {"run", "mean"}
        A new measurement, or the curve itself.
    ci_prob : tuple of float
        Probabilities of the bands.
    runs : Runs
        The data behind the forecast.
    floor : array, shape (points,), or None
        Posterior median of the irreducible part of the response, where the law has one.
    """

    points: "pd.DataFrame"
    draws: np.ndarray = field(repr=False)
    kind: str
    ci_prob: tuple[float, ...]
    runs: Runs = field(repr=False)
    floor: np.ndarray | None = field(default=None, repr=False)

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Points with median and bands: ``median``, ``lower_0.8``, ``upper_0.8``, ..."""
        table = self.points.copy()
        table["median"] = np.median(self.draws, axis=0)
        for prob in self.ci_prob:
            low, high = np.quantile(self.draws, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
            table[f"lower_{prob:g}"], table[f"upper_{prob:g}"] = low, high
        return table

    def to_frame(self) -> "pd.DataFrame":
        """Return a copy of :attr:`table`."""
        return self.table.copy()

    @cached_property
    def dataset(self) -> "xr.Dataset":
        """Median, ``lower`` and ``upper`` with dims (ci_prob, point), and the draws."""
        import xarray as xr

        tails = np.array([[(1 - prob) / 2, (1 + prob) / 2] for prob in self.ci_prob])
        bands = np.quantile(self.draws, tails.ravel(), axis=0).reshape(len(tails), 2, -1)
        return xr.Dataset(
            {
                "median": ("point", np.median(self.draws, axis=0)),
                "lower": (("ci_prob", "point"), bands[:, 0]),
                "upper": (("ci_prob", "point"), bands[:, 1]),
                "draws": (("sample", "point"), self.draws),
            },
            coords={
                "ci_prob": list(self.ci_prob),
                **{c: ("point", self.points[c].to_numpy()) for c in self.points},
            },
        )

    @property
    def extrapolated(self) -> np.ndarray:
        """Whether every point lies beyond the data of its labels, shape (points,)."""
        return self.points["extrapolated"].to_numpy()

    def probability_below(self, value: float) -> np.ndarray:
        """Posterior probability that the response is below a value, shape (points,)."""
        return (self.draws < value).mean(axis=0)

    def plot(self, **options: Any) -> Any:
        """Draw data, bands and the edge of the data; see ``bayescale.plots.plot_forecast``."""
        from bayescale.plots import plot_forecast

        return plot_forecast(self, **options)


def forecast(
    structure: Structure,
    draws: Mapping[str, np.ndarray],
    arrays: Arrays,
    runs: Runs,
    x: Mapping[str, Any],
    *,
    groups: Mapping[str, Any] | None = None,
    kind: str = "run",
    ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
    random_seed: int = 0,
) -> Forecast:
    """Forecast the response at inputs.

    Parameters
    ----------
    structure, draws, arrays, runs
        A posterior: its model, sampled variables of shape (sample, ...), numbers and table.
    x : mapping of str to array_like
        Inputs in the unit of the table, by symbol; scalars and arrays broadcast to one list of
        points.  Where successes are counted, ``"trials"`` says how many trials a new measurement
        has (the median of the table otherwise); the response is then a share of successes.
    groups : mapping of str to label or array of labels, optional
        A label for all points or one for each.  A label that was not fitted is a draw from the
        population.  Groups that are left out run over all combinations in the table.  The group
        ``"sequence"`` names the run that is continued.
    kind : {"run", "mean"}
        A new measurement, or the curve.
    ci_prob : float or iterable of float
        Probabilities of the bands.
    random_seed : int
        Seed of new labels and new measurements.

    Returns
    -------
    Forecast

    Raises
    ------
    ValueError
        If inputs are missing, unknown or not positive, or lengths do not fit.
    """
    if kind not in ("run", "mean"):
        raise ValueError(f"kind must be 'run' or 'mean', not {kind!r}")
    points, frame = points_of(structure, arrays, runs, x, groups)
    predicted, drawn = _drawn(structure, draws, arrays, points, kind, random_seed)
    floors = [predicted.parameters[q.name] for q in structure.law.with_role("floor")]
    floor = np.median(np.broadcast_to(sum(floors), drawn.shape), axis=0) if floors else None
    return Forecast(frame, drawn, kind, check_probabilities(ci_prob), runs, floor)


def bands(
    structure: Structure,
    draws: Mapping[str, np.ndarray],
    arrays: Arrays,
    runs: Runs,
    x: Mapping[str, Any],
    *,
    groups: Mapping[str, Any] | None = None,
    kind: str = "run",
    ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
    random_seed: int = 0,
) -> "pd.DataFrame":
    """Table of a forecast without its draws: any number of points in bounded memory.

    Points are worked on in chunks, all with the same draws of the parameters of new labels.  The
    table is that of :func:`forecast` to the last bit while one chunk holds all points, and at any
    size for the curves (``kind="mean"``) of labels that were fitted; otherwise new measurements
    are other draws of the same distributions.

    Parameters
    ----------
    structure, draws, arrays, runs, x, groups, kind, ci_prob, random_seed
        As for :func:`forecast`.

    Returns
    -------
    DataFrame
        As :attr:`Forecast.table`.
    """
    import pandas as pd

    if kind not in ("run", "mean"):
        raise ValueError(f"kind must be 'run' or 'mean', not {kind!r}")
    points, frame = points_of(structure, arrays, runs, x, groups)
    step = max(1, CHUNK // len(next(iter(draws.values()))))
    parts = []
    for start in range(0, len(frame), step):
        rows = np.arange(start, min(start + step, len(frame)))
        some = points if len(rows) == len(frame) else points.select(rows)
        _, drawn = _drawn(structure, draws, arrays, some, kind, random_seed, start)
        part = frame.iloc[rows]
        parts.append(Forecast(part, drawn, kind, check_probabilities(ci_prob), runs).table)
    return pd.concat(parts)


def _drawn(
    structure: Structure,
    draws: Mapping[str, np.ndarray],
    arrays: Arrays,
    points: Points,
    kind: str,
    random_seed: int,
    start: int = 0,
) -> tuple[Predictive, np.ndarray]:
    """Predictive distribution and draws; points from `start` on have measurements of their own."""
    rng = np.random.default_rng(random_seed)
    predicted = predict(structure, draws, arrays, points, rng)
    if kind == "mean":
        return predicted, predicted.curve
    return predicted, predicted.sample(
        np.random.default_rng([random_seed, start]) if start else rng
    )


def check_probabilities(ci_prob: float | Iterable[float]) -> tuple[float, ...]:
    """Return the interval probabilities as a sorted tuple, each strictly between 0 and 1."""
    probabilities = (ci_prob,) if isinstance(ci_prob, int | float) else tuple(ci_prob)
    if not probabilities or any(not 0 < p < 1 for p in probabilities):
        raise ValueError(f"ci_prob must lie strictly between 0 and 1, not {ci_prob}")
    return tuple(sorted(probabilities))


def predict_runs(
    structure: Structure,
    draws: Mapping[str, np.ndarray],
    arrays: Arrays,
    fitted: Runs,
    new: Runs,
    seed: int = 0,
) -> Predictive:
    """Predictive distribution of every row of another table, which may have new labels."""
    groups = {g: np.array(new.labels(g), object)[new.codes[g]] for g in new.groups}
    if new.sequence is not None:
        groups[SEQUENCE] = np.array(new.sequence_labels, object)[new.sequence]
    x = dict(new.x) if new.trials is None else {**new.x, "trials": new.trials}
    points, _ = points_of(structure, arrays, fitted, x, groups)
    columns = extra_arrays(structure, new)
    return predict(structure, draws, arrays, points, np.random.default_rng(seed), columns)


def points_of(
    structure: Structure,
    arrays: Arrays,
    runs: Runs,
    x: Mapping[str, Any],
    groups: Mapping[str, Any] | None,
) -> tuple[Points, "pd.DataFrame"]:
    """Resolve inputs and labels to points, and describe them in a table."""
    import pandas as pd

    symbols = [column for _, column in structure.columns]
    if structure.noise.counts and isinstance(x, Mapping):
        usual = structure.noise.trials_of_new(arrays["trials"])
        symbols, x = [*symbols, "trials"], {"trials": usual, **x}
    inputs = _inputs(symbols, x)
    asked = dict(groups or {})
    count = len(next(iter(inputs.values())))
    labels = _labels(structure, runs, asked, count)
    per = max(len(v) for v in labels.values()) if labels else count
    if per != count:
        repeats = per // count
        inputs = {s: np.tile(v, repeats) for s, v in inputs.items()}
    codes, sequence = _codes(structure, runs, labels, len(next(iter(inputs.values()))))
    cells, cell = np.unique(codes, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    cells_found = tuple(map(tuple, cells.tolist()))
    alone = sequence_of_cells(structure, arrays, cells_found)[cell]
    columns = {symbol: inputs[column] for symbol, column in structure.columns}
    own = labels.get(SEQUENCE)
    run = None if own is None else np.unique(own.astype(str), return_inverse=True)[1]
    made = structure.law.features(columns, run)
    points = Points(
        {s: np.log(v) for s, v in columns.items()},
        cells_found,
        cell,
        np.where(sequence >= 0, sequence, alone),
        inputs.get("trials"),
        () if made is columns else tuple(made.values()),
        _reach_of_data(structure, arrays, cells_found, cell),
    )
    frame = pd.DataFrame(
        {**inputs, **{g: v for g, v in labels.items() if g in structure.groups or g == SEQUENCE}}
    )
    beyond = points.beyond
    frame["extrapolated"], frame["decades_beyond"] = beyond > 1e-9, beyond
    return points, frame


def _inputs(symbols: list[str], x: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(x, Mapping):
        raise ValueError(f"x must map symbols to inputs, e.g. {{{symbols[0]!r}: [1e20, 1e21]}}")
    if missing := [s for s in symbols if s not in x]:
        raise ValueError(
            f"the forecast needs the inputs {', '.join(symbols)}; missing: {', '.join(missing)}"
        )
    try:
        arrays = np.broadcast_arrays(*[np.asarray(x[s], float).ravel() for s in symbols])
    except ValueError as error:
        raise ValueError(f"the inputs {', '.join(symbols)} have different lengths") from error
    for s, values in zip(symbols, arrays, strict=True):
        if near_wrapping(np.asarray(x[s]).ravel()).any():
            warn_owner(f"input {s!r} may be wrong: {UNWRAP}")
        if not values.size or not np.all(np.isfinite(values)) or np.any(values <= 0):
            raise ValueError(
                f"input {s!r}: every value must be finite and positive, in the unit of the table"
            )
    return {s: np.array(values) for s, values in zip(symbols, arrays, strict=True)}


def _labels(
    structure: Structure, runs: Runs, asked: dict[str, Any], count: int
) -> dict[str, np.ndarray]:
    """One label a point and group, points repeated for every combination that is left open."""
    free = [g for g in structure.groups if g not in structure.noise.claimed_groups]
    unknown = set(asked) - set(structure.groups) - set(runs.groups) - {SEQUENCE}
    if unknown:
        raise ValueError(
            f"no group is called {sorted(unknown)[0]!r}; the fit has {', '.join(free) or 'none'}"
        )
    given: dict[str, np.ndarray] = {}
    for g, value in asked.items():
        values = np.array(
            [value] if isinstance(value, str) or np.ndim(value) == 0 else list(value), object
        )
        if len(values) not in (1, count):
            raise ValueError(f"group {g!r}: {len(values)} labels for {count} points")
        given[g] = np.repeat(values, count) if len(values) == 1 else values
    open_groups = [g for g in free if g not in given]
    if not open_groups:
        return given
    columns = [structure.groups.index(g) for g in open_groups]
    fixed = {
        g: str(v[0])
        for g, v in given.items()
        if g in structure.groups and len(set(v.tolist())) == 1
    }
    matching = [
        cell
        for cell in structure.cells
        if all(
            _known(runs, g, v) in (-1, cell[structure.groups.index(g)]) for g, v in fixed.items()
        )
    ] or list(structure.cells)
    combinations = sorted({tuple(cell[c] for c in columns) for cell in matching})
    labels = {g: np.tile(v, len(combinations)) for g, v in given.items()}
    for i, g in enumerate(open_groups):
        names = group_labels(runs, g)
        labels[g] = np.repeat(np.array([names[c[i]] for c in combinations], object), count)
    return {g: labels[g] for g in [*free, *labels] if g in labels}


def _known(runs: Runs, group: str, label: Any) -> int:
    names = group_labels(runs, group)
    return names.index(str(label)) if str(label) in names else -1


def _codes(
    structure: Structure, runs: Runs, labels: Mapping[str, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Label codes of every point (new labels past the known ones) and the runs they continue."""
    codes = np.zeros((count, len(structure.groups)), int)
    for i, g in enumerate(structure.groups):
        if g not in labels:
            codes[:, i] = structure.sizes[i]
            continue
        distinct, inverse = np.unique(labels[g].astype(str), return_inverse=True)
        fresh = itertools.count(structure.sizes[i])
        number = [k if (k := _known(runs, g, label)) >= 0 else next(fresh) for label in distinct]
        codes[:, i] = np.array(number)[inverse]
    sequence = np.full(count, -1)
    if SEQUENCE in labels and runs.sequence is not None:
        distinct, inverse = np.unique(labels[SEQUENCE].astype(str), return_inverse=True)
        sequence = np.array([_known(runs, SEQUENCE, label) for label in distinct])[inverse]
    return codes, sequence


def _reach_of_data(
    structure: Structure, arrays: Arrays, cells: tuple[tuple[int, ...], ...], cell: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Smallest and largest logarithm of every input in the data of the labels of points."""
    reach = {}
    place = {wanted: i for i, wanted in enumerate(structure.cells)}
    for symbol, _ in structure.columns:
        known = arrays[f"log_{symbol}"]
        lowest, highest = extremes(known, arrays["cell"], len(structure.cells))
        everything = known.min(), known.max()
        own = {c: (lowest[i], highest[i]) for c, i in place.items() if lowest[i] <= highest[i]}
        low, high = np.array([own.get(wanted, everything) for wanted in cells])[cell].T
        reach[symbol] = low, high
    return reach


def mixture(
    forecasts: Iterable[Forecast], weights: Iterable[float], random_seed: int = 0
) -> Forecast:
    """Mix forecasts at the same points, draws in proportion to weights.

    Parameters
    ----------
    forecasts : iterable of Forecast
        One per form, at the same points.
    weights : iterable of float
        Non-negative, adding up to 1.
    random_seed : int
        Seed of the choice of draws.
    """
    each, share = list(forecasts), np.asarray(list(weights), float)
    rng = np.random.default_rng(random_seed)
    samples = max(len(f.draws) for f in each)
    counts = rng.multinomial(samples, share / share.sum())
    chosen = [
        f.draws[rng.integers(0, len(f.draws), size=c)]
        for f, c in zip(each, counts, strict=True)
        if c
    ]
    return replace(each[0], draws=np.concatenate(chosen), floor=None)
