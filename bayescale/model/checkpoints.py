"""Which checkpoint of a run follows which, and how far apart they lie."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.model.units import by_unit

#: Gap of a checkpoint that has none before it: its residual is fresh.
NO_PREVIOUS = 1e3

#: Gap, in ln x, up to which two checkpoints of a run are repeats of one.
SAME_PLACE = 1e-6

#: Least gap as a share of the usual gap of a run: were repeats to scatter less, a single one that
#: differs would be met by runs without any memory only.
REPEAT = 0.1


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


def checkpoint_arrays(sequence: np.ndarray, log_x: np.ndarray, least: Any) -> dict[str, np.ndarray]:
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
    return REPEAT * typical_gaps(apart, sequence, int(np.max(sequence, initial=0)) + 1)[sequence]


def typical_gaps(gap: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:
    """Geometric mean of the distance of neighbouring checkpoints in ln x, 1 without any."""
    follows = gap < NO_PREVIOUS
    if not follows.any():
        return np.ones(count)
    return np.exp(by_unit(np.mean, np.log(gap[follows]), unit[follows], count))
