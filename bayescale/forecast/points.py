"""Where a forecast is asked for: inputs and labels, checked against what was fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.forecast.labels import (
    NEW_RUN,
    cells_of,
    codes_of,
    columns_of_law,
    distinct,
    labels_of,
)
from bayescale.forecast.predictive import Points, Predictive, only_run_of, predict
from bayescale.forecast.tables import from_table
from bayescale.model.rows import Arrays, extra_arrays
from bayescale.model.slips import labels_by_group
from bayescale.model.structure import Structure
from bayescale.runs import Runs
from bayescale.runs.extent import extent
from bayescale.runs.groups import SEQUENCE, labels_of_rows
from bayescale.runs.problems import warn_owner
from bayescale.runs.reading import UNWRAP, near_wrapping

if TYPE_CHECKING:
    import pandas as pd


def predict_runs(
    structure: Structure,
    draws: Mapping[str, np.ndarray],
    arrays: Arrays,
    fitted: Runs,
    table: Runs,
    seed: int = 0,
    rows: np.ndarray | None = None,
) -> Predictive:
    """Predictive distribution of the rows of another table, which may have new labels.

    With some `rows` only those are predicted, as parts of the runs that they have in the table.
    """
    new = table if rows is None else table.select(rows)
    named = new.groups if new.sequence is None else (*new.groups, SEQUENCE)
    groups = {g: labels_of_rows(new, g) for g in named}
    x, known = dict(new.x), extra_arrays(structure, new, fitted)
    if new.trials is not None:
        known["trials"] = np.asarray(new.trials, float)
        x["trials"] = structure.noise.trials_again(new.y, known["trials"], arrays["trials"])
    points, _ = points_of(structure, arrays, fitted, x, groups)
    if points.made and rows is not None:
        columns = {symbol: np.asarray(table.x[c], float) for symbol, c in structure.columns}
        made = structure.law.features(columns, table.sequence)
        points = replace(points, made=tuple(values[rows] for values in made.values()))
    return predict(structure, draws, arrays, points, np.random.default_rng(seed), known)


def points_of(
    structure: Structure,
    arrays: Arrays,
    runs: Runs,
    x: Any,
    groups: Mapping[str, Any] | None,
) -> tuple[Points, "pd.DataFrame"]:
    """Resolve inputs and labels to points, and describe them in a table."""
    import pandas as pd

    x, groups = from_table(x, groups, runs)
    inputs = _inputs(_read(structure, arrays, runs, x))
    asked = labels_by_group(groups)
    count = len(next(iter(inputs.values())))
    labels, asked_for = labels_of(structure, runs, asked, count)
    inputs = {s: v[asked_for] for s, v in inputs.items()}
    codes, sequence = codes_of(structure, runs, labels, len(asked_for))
    cells, cell = distinct(codes)
    cells_found = tuple(map(tuple, cells.tolist()))
    if SEQUENCE not in labels:
        sequence = only_run_of(structure, arrays, cells_found)[cell]
    curves, curve_of_cell = distinct(cells[:, columns_of_law(structure)])
    columns = {symbol: inputs[column] for symbol, column in structure.columns}
    own = labels.get(SEQUENCE)
    run = None if own is None else np.unique(own.astype(str), return_inverse=True)[1]
    made = structure.law.features(columns, run)
    points = Points(
        asked_for,
        {s: np.log(v) for s, v in columns.items()},
        cells_found,
        cell,
        curve_of_cell,
        sequence,
        _reach_of_data(structure, arrays, curves, curve_of_cell[cell]),
        inputs.get("trials"),
        inputs.get("y_se"),
        () if made is columns else tuple(made.values()),
    )
    frame = pd.DataFrame(
        {**inputs, **{g: v for g, v in labels.items() if g in structure.groups or g == SEQUENCE}}
    )
    if SEQUENCE not in labels and (sequence >= 0).any():
        frame[SEQUENCE] = np.array([*runs.sequence_labels, NEW_RUN], object)[sequence]
    elif SEQUENCE in labels and runs.sequence is not None:
        new = [name if name == NEW_RUN else f"{name} ({NEW_RUN})" for name in labels[SEQUENCE]]
        frame[SEQUENCE] = np.where(sequence < 0, np.array(new, object), labels[SEQUENCE])
    beyond = points.beyond
    frame["extrapolated"], frame["decades_beyond"] = beyond > 1e-9, beyond
    return points, frame


def inputs_of(structure: Structure, runs: Runs) -> tuple[str, ...]:
    """Names that inputs of a forecast may have; those that the law does not read say nothing."""
    return (*runs.x, *_of_measurements(structure))


def _of_measurements(structure: Structure) -> tuple[str, ...]:
    """Name what a new measurement may have beside the inputs of the law."""
    return ("trials",) if structure.noise.counts else ("y_se",) if "se" in structure.extras else ()


def _read(structure: Structure, arrays: Arrays, runs: Runs, x: Any) -> dict[str, Any]:
    """Take the inputs that are read, of which none is missing and none unknown."""
    needed, optional = [column for _, column in structure.columns], _of_measurements(structure)
    x = by_symbol(x, needed)
    unknown = ", ".join(str(s) for s in x if s not in inputs_of(structure, runs))
    if missing := ", ".join(s for s in needed if s not in x):
        also = f"; unknown: {unknown}" if unknown else ""
        raise ValueError(
            f"the forecast needs the inputs {', '.join(needed)}; missing: {missing}{also}"
        )
    if unknown:
        raise ValueError(f"no such input: {unknown}; there are {', '.join([*needed, *optional])}")
    usual = (
        {"trials": structure.noise.trials_of_new(arrays["trials"])} if "trials" in optional else {}
    )
    return {s: x[s] for s in needed} | usual | {s: x[s] for s in optional if s in x}


def by_symbol(x: Any, symbols: Sequence[str]) -> Mapping[str, Any]:
    """Put inputs under their symbols; numbers alone say enough where there is one input."""
    if isinstance(x, Mapping):
        return x
    if len(symbols) == 1:
        return {symbols[0]: x}
    example = ", ".join(f"{s!r}: ..." for s in symbols)
    raise ValueError(f"there are several inputs: give all of them by symbol, {{{example}}}")


def _inputs(x: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Finite, positive inputs of one length."""
    symbols = list(x)
    numbers = [_numbers(s, x[s]) for s in symbols]
    try:
        arrays = np.broadcast_arrays(*numbers)
    except ValueError as error:
        raise ValueError(f"the inputs {', '.join(symbols)} have different lengths") from error
    for s, values in zip(symbols, arrays, strict=True):
        if near_wrapping(np.asarray(x[s]).ravel()).any():
            warn_owner(f"input {s!r} may be wrong: {UNWRAP}")
        if not values.size:
            raise ValueError("there are no points: give every input at least one value")
        if not np.all(np.isfinite(values)) or np.any(values <= 0):
            raise ValueError(
                f"input {s!r}: every value must be finite and positive, in the unit of the table"
            )
        if s == "trials" and np.any(values % 1):
            raise ValueError("trials: whole numbers of at least 1")
    return {s: np.array(values) for s, values in zip(symbols, arrays, strict=True)}


def _numbers(symbol: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values, float).ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"input {symbol!r}: {values!r} is not a number, nor a list of them"
        ) from error


def _reach_of_data(
    structure: Structure, arrays: Arrays, curves: np.ndarray, curve: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far the data of the curves of points go; of a new curve, all data."""
    fitted, curve_of_cell = distinct(cells_of(structure)[:, columns_of_law(structure)])
    place = {wanted: i for i, wanted in enumerate(map(tuple, fitted.tolist()))}
    log_x = np.stack([arrays[f"log_{symbol}"] for symbol, _ in structure.columns])
    own = extent(log_x, curve_of_cell[arrays["cell"]], len(fitted))
    every = extent(log_x, np.zeros(log_x.shape[1], int), 1)
    measured = own[0][0] <= own[1][0]
    known = [place.get(wanted, -1) for wanted in map(tuple, curves.tolist())]
    column = np.array([k if k >= 0 and measured[k] else len(fitted) for k in known])[curve]
    low, high = (np.hstack(ends)[:, column] for ends in zip(own, every, strict=True))
    return low, high
