"""Which unit of a parameter every row belongs to, and summaries of the rows of each."""

from collections.abc import Mapping

import numpy as np

from bayescale.model.structure import Structure


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


def unit_of_row(structure: Structure, name: str, rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give the unit of one parameter that every row belongs to, shape (rows,)."""
    if len(structure.units[name]) == 1:
        return np.zeros(len(rows["y"]), int)
    return rows[unit_index(structure, name)]


def by_unit(summary, values: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Summarise values by unit; a unit without rows gets the summary of all rows."""
    result = np.broadcast_to(summary(values, axis=0), (count, *values.shape[1:])).astype(float)
    order = np.argsort(unit, kind="stable")
    edges = np.searchsorted(unit[order], np.arange(count + 1))
    for u in np.flatnonzero(np.diff(edges)):
        result[u] = summary(values[order[edges[u] : edges[u + 1]]], axis=0)
    return result
