"""The numbers of a model: what goes into its ``pm.Data``.

Arrays come in two kinds: one value a row of the table, and one value a unit of a parameter (where
its prior is anchored in the data).  A refit without some rows keeps the second kind.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import betaincinv

from bayescale.laws.numerics import logit_of_log
from bayescale.laws.roles import Parameter
from bayescale.model.information import Information, end_information, local_information
from bayescale.model.least_squares import KNOTS, knots, misfit
from bayescale.model.structure import (
    Structure,
    group_codes,
    is_linear,
    leans_on_end,
    leans_on_knots,
    leans_on_length,
    leans_on_level,
)
from bayescale.noise.parts import NO_PREVIOUS, REPEAT, SAME_PLACE
from bayescale.pooling import Independent, Partial
from bayescale.runs import Runs

Arrays = dict[str, np.ndarray]

#: Chi-squared, of 3 degrees of freedom, about a power law with a floor from which more is asked.
UNEXPLAINED = 20.0
#: Rows that say where the data of a unit end.
LAST_ROWS = 3
#: Trials that a row counts as at most in the anchor of a ceiling, for rows scatter beyond chance.
TRIALS_A_ROW = 5.0
#: Probability with which rows may by chance lie above the ceiling on average.
BY_CHANCE = 1e-3


def arrays_of(structure: Structure, runs: Runs) -> Arrays:
    """Every array of a model of one table."""
    rows = row_arrays(structure, runs)
    return {**rows, **unit_arrays(structure, rows)}


def row_arrays(structure: Structure, runs: Runs) -> Arrays:
    """Arrays with one value a row: response, inputs, units, errors, checkpoints."""
    noise = structure.noise
    y = np.asarray(runs.y, float)
    arrays: Arrays = {"y": y if noise.counts else noise.on_link(y)}
    if noise.counts:
        arrays["trials"] = np.asarray(runs.trials, float)
    arrays.update(extra_arrays(structure, runs, runs))
    columns = {symbol: np.asarray(runs.x[column], float) for symbol, column in structure.columns}
    arrays.update({f"log_{symbol}": np.log(values) for symbol, values in columns.items()})
    sequence = None if runs.sequence is None else np.asarray(runs.sequence)
    made = structure.law.features(columns, sequence)
    if made is not columns:
        arrays.update({f"feature_{name}": values for name, values in made.items()})
    cell = arrays["cell"] = structure.cell_of(group_codes(runs, structure.groups))
    if np.any(cell < 0):
        raise ValueError("the table has combinations of labels that the structure does not have")
    for groups, members in unit_maps(structure).items():
        arrays[groups] = members[cell]
    if noise.has_checkpoints:
        sequence = arrays["sequence"] = np.asarray(runs.sequence)
        log_x = arrays[along_runs(arrays)]
        arrays.update(checkpoint_arrays(sequence, log_x, least_gaps(sequence, log_x)))
    return arrays


def extra_arrays(structure: Structure, runs: Runs, fitted: Runs) -> Arrays:
    """Collect standard errors, on the scale of the noise, and weights, where they are in use.

    Weights have no unit: they are those in terms of the usual one of the fitted table.
    """
    arrays: Arrays = {}
    if "se" in structure.extras and runs.y_se is not None:
        slope = structure.noise.slope_of_link(np.asarray(runs.y, float))
        arrays["se"] = np.asarray(runs.y_se) * slope
    if runs.weight is not None and fitted.weight is not None:
        arrays["weight"] = runs.weight / np.exp(np.mean(np.log(fitted.weight)))
    return arrays


def unit_maps(structure: Structure) -> dict[str, np.ndarray]:
    """Name of the index array of every set of units -> the unit of every cell."""
    return {
        unit_index(structure, name): np.array(units.of_cell)
        for name, units in structure.units.items()
        if len(units) > 1
    }


def unit_index(structure: Structure, name: str) -> str:
    """Name of the array that holds the unit of every row for one parameter."""
    return "unit_" + "_".join(structure.units[name].groups)


def along_runs(arrays: Mapping[str, np.ndarray]) -> str:
    """Name of the logarithm of the input that changes most often along runs, else of the first."""
    order = np.argsort(arrays["sequence"], kind="stable")
    going_on = np.diff(arrays["sequence"][order]) == 0
    changes = {
        name: np.count_nonzero(np.abs(np.diff(values[order])[going_on]) > SAME_PLACE)
        for name, values in arrays.items()
        if name.startswith("log_")
    }
    return max(changes, key=lambda name: changes[name])


def checkpoint_arrays(sequence: np.ndarray, log_x: np.ndarray, least: Any) -> Arrays:
    """Row of the checkpoint before every row, and the distance to it in ln x, at least `least`."""
    order = np.lexsort((log_x, sequence))
    previous = np.empty(len(order), int)
    gap = np.full(len(order), NO_PREVIOUS)
    first = np.r_[True, np.diff(sequence[order]) != 0] if len(order) else np.zeros(0, bool)
    previous[order] = np.where(first, order, np.roll(order, 1))
    gap[order] = np.where(first, NO_PREVIOUS, np.diff(log_x[order], prepend=0.0))
    return {"previous": previous, "gap": np.maximum(gap, least)}


def least_gaps(sequence: np.ndarray, log_x: np.ndarray) -> np.ndarray:
    """Distance in ln x at which a repeat follows in the run of every row."""
    gap = checkpoint_arrays(sequence, log_x, 0.0)["gap"]
    apart = np.where(gap > SAME_PLACE, gap, NO_PREVIOUS)
    return REPEAT * _typical_gaps(apart, sequence, int(np.max(sequence, initial=0)) + 1)[sequence]


def formula_inputs(xp: Any, arrays: Mapping[str, Any]) -> list[Any]:
    """Collect what the formula reads, in order: features that the law made, else the inputs."""
    made = [values for name, values in arrays.items() if name.startswith("feature_")]
    return made or [xp.exp(v) for name, v in arrays.items() if name.startswith("log_")]


def reads_features(arrays: Mapping[str, Any]) -> bool:
    """Whether the formula reads features that the law made instead of the inputs."""
    return any(name.startswith("feature_") for name in arrays)


def model_arrays(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Those arrays that the model reads, with all that have one value a unit put end to end.

    A model compiles in a time that grows with the number of its arrays, so it gets few of them.
    """
    read = _read_by_model(arrays)
    packed = [values for name, values in read.items() if _is_packed(name, values)]
    apart = {name: values for name, values in read.items() if not _is_packed(name, values)}
    return {**apart, "numbers": np.concatenate([np.zeros(0), *packed])}


def unpacked(arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> dict[str, Any]:
    """Take what :func:`model_arrays` made of `arrays` apart again, whatever holds it now."""
    found = {name: values for name, values in data.items() if name != "numbers"}
    first = 0
    for name, values in _read_by_model(arrays).items():
        if _is_packed(name, values):
            found[name] = data["numbers"][first : first + len(values)]
            first += len(values)
    return {name: found[name] for name in _read_by_model(arrays)}


def _read_by_model(arrays: Mapping[str, np.ndarray]) -> Arrays:
    # A law that made features reads no inputs; the noise reads those whose edge it knows.
    noise = {f"log_{name.removeprefix('edge_')}" for name in arrays if name.startswith("edge_")}
    made = reads_features(arrays)
    return {
        name: values
        for name, values in arrays.items()
        if name not in ("cell", "sequence")
        and not (made and name.startswith("log_") and name not in noise)
    }


def _is_packed(name: str, values: np.ndarray) -> bool:
    return not is_row_array(name) and values.ndim == 1


def without_rows(arrays: Mapping[str, np.ndarray], keep: np.ndarray) -> Arrays:
    """Keep only some rows; units and anchors stay as they are."""
    rows = len(arrays["y"])
    kept = {
        name: values[keep] if is_row_array(name) and len(values) == rows else values
        for name, values in arrays.items()
    }
    if "previous" in kept:
        name = along_runs(arrays)
        least = least_gaps(arrays["sequence"], arrays[name])[keep]
        kept.update(checkpoint_arrays(kept["sequence"], kept[name], least))
    return kept


def is_row_array(name: str) -> bool:
    """Whether an array has one value a row."""
    return name in (
        "y",
        "trials",
        "se",
        "weight",
        "sequence",
        "cell",
        "previous",
        "gap",
    ) or name.startswith(("log_", "unit_", "feature_"))


def unit_arrays(structure: Structure, rows: Arrays) -> Arrays:
    """Where the prior of every parameter is anchored, and whether it is sampled centred."""
    arrays: Arrays = {}
    symbols = [s for s, _ in structure.columns]
    log_x = np.stack([rows[f"log_{s}"] for s in symbols])
    log_y = _log_response(structure, rows)
    if structure.anchored:
        unit = _unit_of_row(structure, structure.anchored, rows)
        count = len(structure.units[structure.anchored])
        made = [name for name in rows if name.startswith("feature_")]
        for name in made or [f"log_{s}" for s in symbols]:
            arrays["anchor_" + name.removeprefix("log_")] = _by_unit(
                np.mean, rows[name], unit, count
            )
        if any(leans_on_knots(structure, q) for q in structure.law.parameters):
            arrays["knots"] = knots(log_x[0], log_y, unit, count)
    found: dict[tuple[str, ...], Information] = {}
    for q in structure.parameters:
        unit = _unit_of_row(structure, q.name, rows)
        groups, count = structure.units[q.name].groups, len(structure.units[q.name])
        offset, scale = _anchor(structure, q, rows, log_x, log_y, unit, count)
        if q.name in structure.prior_of:
            # The user says where; how far groups lie from there stays in the unit of the data.
            offset = np.zeros(count)
        arrays[f"offset_{q.name}"] = offset + q.centre
        arrays[f"scale_{q.name}"] = scale
        if groups not in found:
            found[groups] = local_information(log_x, log_y, unit, count)
        known = found[groups]
        if q.end and leans_on_level(structure, q):
            seen = end_information(log_x[0], log_y, unit, count, q.end)
            known = replace(known, slope_error=seen.slope_error, slope=seen.slope[None])
            arrays[f"rise_{q.name}"] = seen.rise
        if leans_on_length(structure, q):
            arrays[f"apart_{q.name}"] = _typical_gaps(rows["gap"], unit, count)
        if leans_on_end(structure, q):
            arrays[f"end_{q.name}"] = _share_left(log_x[0], log_y, unit, known)
        if leans_on_end(structure, q) or (leans_on_knots(structure, q) and not is_linear(q)):
            arrays[f"bends_{q.name}"] = _bends(structure, rows, arrays["knots"], unit, count)
        centred = _centred(structure, q, known)
        if isinstance(structure.pooling_of[q.name], Partial) or leans_on_level(structure, q):
            arrays[f"centred_{q.name}"] = centred
        arrays[f"step_{q.name}"] = _step(structure, q, known, centred)
        arrays[f"start_{q.name}"] = _start(structure, q, known, centred, arrays[f"offset_{q.name}"])
    for part in structure.noise.parts:
        arrays.update(part.numbers(rows))
    return arrays


def _centred(structure: Structure, q: Parameter, known: Information) -> np.ndarray:
    """1 where the rows of a unit determine the parameter by themselves."""
    if isinstance(structure.pooling_of[q.name], Partial) or leans_on_level(structure, q):
        if q.role in ("exponent", "level") or (q.role == "slope" and q.of):
            return known.pins_slope.astype(float)
        # Where exponents rule at ends, curves bend for other reasons than a floor.
        turns = any(r.end for r in structure.law.parameters)
        if q.role in ("floor", "slope", "bend") and not turns:
            return known.pins_bend.astype(float)
    return np.zeros(len(known.slope_error))


def _bends(
    structure: Structure, rows: Arrays, knots: np.ndarray, unit: np.ndarray, count: int
) -> np.ndarray:
    """1 where most rows of a unit, or of the table, are of curves that a floor does not explain."""
    curve = _unit_of_row(structure, str(structure.anchored), rows)
    rows_a_knot = np.maximum(np.bincount(curve, minlength=knots.shape[-1]) / KNOTS, 1.0)
    unexplained = (misfit(knots) * rows_a_knot > UNEXPLAINED)[curve].astype(float)
    of_unit = _by_unit(np.mean, unexplained, unit, count)
    return (np.maximum(of_unit, unexplained.mean()) > 0.5).astype(float)


def _share_left(
    log_x: np.ndarray, log_y: np.ndarray, unit: np.ndarray, known: Information
) -> np.ndarray:
    """Response at the end of the data of every unit, as a share of that at the anchor."""
    made = np.zeros(len(known.level))
    for u, level in enumerate(known.level):
        rows = np.flatnonzero(unit == u)
        last = rows[np.argsort(log_x[rows], kind="stable")][-LAST_ROWS:]
        made[u] = np.exp(min(log_y[last].mean() - level, -1e-3)) if rows.size else 0.5
    return made


def _typical_gaps(gap: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:
    """Geometric mean of the distance of neighbouring checkpoints in ln x, 1 without any."""
    follows = gap < NO_PREVIOUS
    if not follows.any():
        return np.ones(count)
    return np.exp(_by_unit(np.mean, np.log(gap[follows]), unit[follows], count))


def _step(
    structure: Structure, q: Parameter, known: Information, centred: np.ndarray
) -> np.ndarray:
    """About the posterior standard deviation of a coordinate, where the rows determine it."""
    if q.name in structure.prior_of or leans_on_knots(structure, q):
        return np.ones(len(centred))
    if q.name == structure.anchored:
        step = np.clip(known.level_error, 1e-3, q.spread)
        return (
            step
            if not isinstance(structure.pooling_of[q.name], Partial)
            else np.where(centred, step, 1.0)
        )
    if q.role == "exponent":
        return np.where(centred, np.clip(known.slope_error, 0.01, 0.3), 1.0)
    if q.role == "floor":
        return np.where(centred, np.clip(known.bend_error, 0.03, 1.0), 1.0)
    return np.ones(len(centred))


def _start(
    structure: Structure,
    q: Parameter,
    known: Information,
    centred: np.ndarray,
    offset: np.ndarray,
) -> np.ndarray:
    """Where a coordinate starts, less its offset: near its mode, where the rows determine it."""
    zeros = np.zeros(len(centred))
    if q.name in structure.prior_of:
        return zeros
    if q.name == structure.anchored and q.role == "level":
        partial = isinstance(structure.pooling_of[q.name], Partial)
        return known.level * centred if partial else known.level
    if leans_on_level(structure, q):
        bending = [r.name for r in structure.law.parameters if leans_on_level(structure, r)]
        slope = known.slope[0 if q.end else min(bending.index(q.name), len(known.slope) - 1)]
        return np.asarray(centred * (np.log(slope) - q.centre))
    if q.role == "floor" and structure.anchored:
        odds = np.clip(known.floor_odds, 0.05, 20.0)
        return np.asarray(centred * (np.log(odds) - offset))
    return zeros


def _log_response(structure: Structure, rows: Arrays) -> np.ndarray:
    """Log response, with proportions of counts kept inside (0, 1)."""
    if structure.noise.counts:
        return np.log((rows["y"] + 0.5) / (rows["trials"] + 1.0))
    if structure.noise.on_log:
        return rows["y"]
    return np.log(np.maximum(structure.noise.from_link(rows["y"]), 1e-300))


def _surely_exceeded(rows: Arrays, log_y: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:
    """Response below the ceiling of every unit: the least that its rows may reach on average.

    The lower limit of Clopper and Pearson (1934) for the mean of all rows: a highest row would
    lie the higher the more rows there are, and one that is an exception would rule out the truth.
    """
    trials = rows["trials"] if "trials" in rows else np.full(log_y.shape, np.inf)
    share = rows["y"] / trials if "trials" in rows else np.minimum(np.exp(log_y), 1.0)
    counted = 1 / (1 / trials + 1 / TRIALS_A_ROW)
    both = counted[:, None] * np.stack([share, 1 - share], axis=1)
    reached, missed = _by_unit(np.sum, both, unit, count).T
    return np.asarray(betaincinv(np.maximum(reached, 1e-9), missed + 1, BY_CHANCE))


def _unit_of_row(structure: Structure, name: str, rows: Arrays) -> np.ndarray:
    if len(structure.units[name]) == 1:
        return np.zeros(len(rows["y"]), int)
    return rows[unit_index(structure, name)]


def _by_unit(summary, values: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Summarise values by unit; a unit without rows gets the summary of all rows."""
    result = np.broadcast_to(summary(values, axis=0), (count, *values.shape[1:])).astype(float)
    order = np.argsort(unit, kind="stable")
    edges = np.searchsorted(unit[order], np.arange(count + 1))
    for u in np.flatnonzero(np.diff(edges)):
        result[u] = summary(values[order[edges[u] : edges[u + 1]]], axis=0)
    return result


def _anchor(
    structure: Structure,
    q: Parameter,
    rows: Arrays,
    log_x: np.ndarray,
    log_y: np.ndarray,
    unit: np.ndarray,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Offset and scale of the coordinate of one parameter in the data of every unit."""
    zeros, ones = np.zeros(count), np.ones(count)
    given = q.name in structure.prior_of
    if given and q.role == "ceiling":
        return zeros, zeros
    if given and not isinstance(structure.pooling_of[q.name], Partial):
        return zeros, ones
    if q.role == "level" and q.name == structure.anchored:
        z = logit_of_log(np, log_y) if structure.law.response == "unit" else log_y
        return _by_unit(np.mean, z, unit, count), ones
    if q.role == "intercept" and (given or q.name == structure.anchored):
        return _by_unit(np.mean, rows["y"], unit, count), np.full(count, _spread(rows["y"]))
    if q.role == "slope" and structure.law.response == "real":
        per = max(float(np.std(v)) for v in log_x)
        return zeros, np.full(count, _spread(rows["y"]) / (per if per > 1e-6 else 1.0))
    if q.role == "floor" and not structure.anchored:
        return _by_unit(np.min, log_y, unit, count) + np.log(0.5), ones
    if q.role == "floor":
        mean, lowest = (_by_unit(f, log_y, unit, count) for f in (np.mean, np.min))
        share = 0.5 * np.exp(np.minimum(lowest - mean, 0.0))
        return np.log(share / (1 - share)), ones
    if q.role == "location":
        values = log_x[[s for s, _ in structure.columns].index(q.of or "x")]
        own = isinstance(structure.pooling_of[q.name], Independent)
        low, high = (
            _by_unit(f, values, unit, count) if own else np.full(count, f(values))
            for f in (np.min, np.max)
        )
        half = (high - low) / 2 + np.log(10.0)
        return (np.log(half) if q.after else (low + high) / 2), (ones if q.after else half)
    if q.role == "ceiling":
        return zeros, _surely_exceeded(rows, log_y, unit, count)
    if q.role == "scale" and structure.noise.link == "real":
        return np.full(count, np.log(_spread(rows["y"]))), ones
    if q.role == "effect" and structure.noise.link == "real":
        return zeros, np.full(count, _spread(rows["y"]))
    return zeros, ones


def _spread(y: np.ndarray) -> float:
    """Return the standard deviation of responses, or a tenth of their size where all are alike."""
    deviation, size = float(np.std(y)), float(np.mean(np.abs(y)))
    return deviation if deviation > 1e-9 * size else 0.1 * size or 1.0
