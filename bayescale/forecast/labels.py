"""Which labels points have: those that are asked for, and all combinations of the others."""

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.model.structure import Structure
from bayescale.runs import Runs
from bayescale.runs.columns import extremes
from bayescale.runs.groups import SEQUENCE, group_codes, group_labels
from bayescale.runs.labels import known_label, nearly
from bayescale.runs.problems import warn_owner
from bayescale.runs.words import name_some

if TYPE_CHECKING:
    import pandas as pd

#: Stands in a table for a run that was not fitted.
NEW_RUN = "new run"


def labels_of(
    structure: Structure, runs: Runs, asked: dict[str, Any], count: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One label a point and group, and which of the points that were asked for it is.

    A point stands for every combination of the groups that it leaves open which the table has
    beside the labels that it gives; a run that the table has brings its own labels along.
    """
    free = structure.law_groups
    unknown = set(asked) - set(structure.groups) - set(runs.groups) - {SEQUENCE}
    if unknown:
        raise ValueError(
            f"no group is called {sorted(unknown)[0]!r}; the fit has {', '.join(free) or 'none'}"
        )
    given: dict[str, np.ndarray] = {}
    for g, value in asked.items():
        if isinstance(value, Set):
            raise ValueError(f"group {g!r}: a set has no order: write {sorted(map(str, value))}")
        values = np.array(
            [value] if isinstance(value, str) or np.ndim(value) == 0 else list(value), object
        )
        if len(values) not in (1, count):
            raise ValueError(
                f"group {g!r}: {len(values)} labels for {count} points: give one, or one a point; "
                "a group that is left out runs over all its labels"
            )
        known = _places(runs, g)
        texts = np.array([known_label(v, known) for v in values], object)
        given[g] = np.repeat(texts, count) if len(texts) == 1 else texts
    left_open = [g for g in free if g not in given]
    groups, cells = structure.groups, cells_of(structure)
    if left_open and SEQUENCE in given and SEQUENCE not in groups and runs.sequence is not None:
        groups = (*groups, SEQUENCE)
        cells = distinct(group_codes(runs, groups))[0]
    fixed = [g for g in groups if g in given]
    place = {g: i for i, g in enumerate(groups)}
    numbers = [_numbers(runs, g, given[g]) for g in fixed]
    wanted, kind = distinct(np.array(numbers, int).reshape(len(fixed), count).T)
    beside = cells[:, [place[g] for g in fixed]]
    alike = np.all((wanted[:, None] == beside) | (wanted[:, None] < 0), axis=-1)
    combinations, of_cell = distinct(cells[:, [place[g] for g in left_open]])
    occurs = np.zeros((len(combinations), len(wanted)), bool)
    np.logical_or.at(occurs, of_cell, alike.T)
    combination, point = np.nonzero((occurs | ~occurs.any(axis=0))[:, kind])
    labels = {g: values[point] for g, values in given.items()}
    for i, g in enumerate(left_open):
        labels[g] = np.array(group_labels(runs, g), object)[combinations[combination, i]]
    return {g: labels[g] for g in [*free, *labels] if g in labels}, point


def check_labels(structure: Structure, runs: Runs, points: "pd.DataFrame") -> None:
    """Refuse runs under labels of others, and warn of new labels that look like slips of old ones.

    Raises
    ------
    ValueError
        If a run that goes on has another label in the table.
    """
    groups = [g for g in structure.groups if g in points and g != SEQUENCE]
    if SEQUENCE in points and runs.sequence is not None:
        _refuse_strangers(runs, points, groups)
        groups.append(SEQUENCE)
    for g in groups:
        known = group_labels(runs, g)
        asked = (label.removesuffix(f" ({NEW_RUN})") for label in points[g].unique())
        for label in set(asked) - set(known):
            if meant := nearly(label, known):
                warn_owner(f"{g}: the label {label!r} is new; did you mean {meant!r}?")


def _refuse_strangers(runs: Runs, points: "pd.DataFrame", groups: list[str]) -> None:
    for run, *asked in points[[SEQUENCE, *groups]].drop_duplicates().to_numpy():
        mine = runs.sequence == _places(runs, SEQUENCE).get(run, -1)
        for g, label in zip(groups, asked, strict=True):
            own = [group_labels(runs, g)[code] for code in np.unique(runs.codes[g][mine])]
            if own and label not in own:
                raise ValueError(
                    f"the run {run!r} has the {g} {name_some(own)} in the table, not {label!r}: "
                    f"leave {g!r} out of groups=, or ask for a {NEW_RUN!r}"
                )


def _places(runs: Runs, group: str) -> dict[str, int]:
    """Position of the known labels of a group."""
    return {label: i for i, label in reversed([*enumerate(group_labels(runs, group))])}


def _numbers(runs: Runs, group: str, labels: np.ndarray) -> np.ndarray:
    """Position of every label among the known ones of a group; -1 where it is new."""
    known = _places(runs, group)
    return np.array([known.get(label, -1) for label in labels], int)


def codes_of(
    structure: Structure, runs: Runs, labels: Mapping[str, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Label codes of every point (new labels past the known ones) and the runs they continue."""
    run = np.full(count, -1)
    if SEQUENCE in labels and runs.sequence is not None:
        run = _numbers(runs, SEQUENCE, labels[SEQUENCE])
    codes = np.zeros((count, len(structure.groups)), int)
    for i, g in enumerate(structure.groups):
        if g not in labels:
            codes[:, i] = structure.sizes[i] if (run < 0).all() else _own(runs, g, run)
            continue
        distinct, inverse = np.unique(labels[g].astype(str), return_inverse=True)
        number = _numbers(runs, g, distinct)
        number[number < 0] = structure.sizes[i] + np.arange(np.sum(number < 0))
        codes[:, i] = number[inverse]
    return codes, run


def _own(runs: Runs, group: str, run: np.ndarray) -> np.ndarray:
    """Code of the one label that a run has; a new one where it has several, or is new itself."""
    codes, sequence = group_codes(runs, (group, SEQUENCE)).T
    low, high = extremes(codes.astype(float), sequence, len(runs.sequence_labels))
    return np.where((run >= 0) & (low == high)[run], low[run], len(group_labels(runs, group)))


def cells_of(structure: Structure) -> np.ndarray:
    """Label codes of every combination that was fitted, shape (cells, groups)."""
    return np.array(structure.cells, int).reshape(len(structure.cells), len(structure.groups))


def columns_of_law(structure: Structure) -> list[int]:
    """Positions of the groups whose labels make a curve."""
    return [structure.groups.index(g) for g in structure.law_groups]


def distinct(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of label codes, and which of them every row is."""
    rows, place = np.unique(codes, axis=0, return_inverse=True)
    return rows, place.reshape(-1)
