"""Points and their labels from the rows of a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.model.slips import labels_by_group
from bayescale.runs import Runs, RunsError
from bayescale.runs.labels import read_labels
from bayescale.runs.tables import read_table
from bayescale.runs.words import did_you_mean


def from_table(
    x: Any, groups: Mapping[str, Any] | None, *fitted: Runs
) -> tuple[Any, Mapping[str, Any] | None]:
    """Split a table of points into inputs and labels; leave anything else as it is.

    Parameters
    ----------
    x : object
        Runs or a DataFrame, whose columns are named as in a fitted table or by symbol and group;
        those of the response and of weights say nothing.
    groups : mapping of str to label or array of labels, optional
        Labels that the table does not give.
    *fitted : Runs
        The tables that were fitted.

    Raises
    ------
    ValueError
        If a column has no name that these tables know, two columns or a column and `groups` give
        the same, or a label is missing.
    """
    table = x.to_frame() if isinstance(x, Runs) else x
    if not hasattr(type(table), "columns"):
        return x, groups
    inputs, labels, problems = {}, labels_by_group(groups), []
    for column, values in read_table(table, frozenset[str]().__contains__).items():
        for role in _roles(column, fitted):
            if role in inputs or role in labels:
                raise ValueError(f"{role!r} is given twice, by the column {column!r} too: drop one")
            if role != "sequence" and not any(role in runs.groups for runs in fitted):
                inputs[role] = values
                continue
            labels[role] = values
            problems += read_labels(values, column, np.arange(len(values)))[2]
    if problems:
        raise RunsError(problems)
    return inputs, labels


def _roles(column: str, fitted: tuple[Runs, ...]) -> list[str]:
    """Say what a column is in any of the tables; nothing if it holds what was measured."""
    names = [(role, name) for runs in fitted for role, name in runs.names.items()]
    roles = [role for role, name in names if name == column] or [
        role for role, _ in names if role == column
    ]
    if not roles:
        known = [*(name for _, name in names), *(role for role, _ in names)]
        raise ValueError(
            f"the points have a column {column!r}, which is no input or group of the fitted table: "
            f"drop or rename it; {did_you_mean(column, dict.fromkeys(known))}"
        )
    return [] if {"y", "weight"} & {*roles} else list(dict.fromkeys(roles))
