"""Where a forecast is asked for: inputs and labels, checked against what was fitted."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.forecast.predictive import Points, Predictive, predict, sequence_of_cells
from bayescale.model.arrays import Arrays, extra_arrays
from bayescale.model.structure import SEQUENCE, Structure, group_labels
from bayescale.runs import Runs
from bayescale.runs.hints import extremes
from bayescale.runs.reading import UNWRAP, near_wrapping, warn_owner

if TYPE_CHECKING:
    import pandas as pd


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
    cells, cell = _distinct(codes)
    curves, curve_of_cell = _distinct(cells[:, _columns_of_law(structure)])
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
        curve_of_cell,
        np.where(sequence >= 0, sequence, alone),
        inputs.get("trials"),
        () if made is columns else tuple(made.values()),
        _reach_of_data(structure, arrays, curves, curve_of_cell[cell]),
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


def _columns_of_law(structure: Structure) -> list[int]:
    """Positions of the groups that are not the noise's alone: their labels make a curve."""
    claimed = structure.noise.claimed_groups
    return [i for i, g in enumerate(structure.groups) if g not in claimed]


def _distinct(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of label codes, and which of them every row is."""
    rows, place = np.unique(codes, axis=0, return_inverse=True)
    return rows, place.reshape(-1)


def _reach_of_data(
    structure: Structure, arrays: Arrays, curves: np.ndarray, curve: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Smallest and largest logarithm of every input in the data of the curves of points."""
    cells = np.array(structure.cells, int).reshape(len(structure.cells), len(structure.groups))
    fitted, curve_of_cell = _distinct(cells[:, _columns_of_law(structure)])
    place = {wanted: i for i, wanted in enumerate(map(tuple, fitted.tolist()))}
    reach = {}
    for symbol, _ in structure.columns:
        known = arrays[f"log_{symbol}"]
        lowest, highest = extremes(known, curve_of_cell[arrays["cell"]], len(fitted))
        everything = known.min(), known.max()
        own = {c: (lowest[i], highest[i]) for c, i in place.items() if lowest[i] <= highest[i]}
        ends = [own.get(wanted, everything) for wanted in map(tuple, curves.tolist())]
        low, high = np.array(ends)[curve].T
        reach[symbol] = low, high
    return reach
