"""A table without a fault, and without cause for a warning."""

import datetime

import pandas as pd

ARGS = {"y": "loss", "x": {"N": "params", "D": "tokens"}, "groups": {"family": "arch"}}


ALL = ARGS | {"y_se": "se", "weight": "w", "sequence": "run"}


COUNTS = {"y": ("right", "asked"), "x": {"N": "params"}, "groups": "arch"}


def columns(**changes):
    """A table without a fault, and without cause for a warning."""
    good = {
        "loss": [3.9, 3.5, 3.1, 4.1, 3.6, 3.0],
        "params": [1e7, 1e8, 1e9, 1e7, 1e8, 1e9],
        "tokens": [1e10, 2e9, 3e9, 2e9, 1e10, 4e9],
        "arch": ["lstm", "lstm", "lstm", "mlp", "mlp", "mlp"],
        "se": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
        "w": [1.0, 2.0, 1.0, 0.5, 1.0, 1.0],
        "run": ["r0", "r1", "r2", "r3", "r4", "r5"],
        "right": [1, 2, 3, 4, 5, 6],
        "asked": [10, 10, 10, 10, 10, 10],
    }
    return good | changes


def changed(column, **cells):
    """The column of the good table, with some cells changed: changed("loss", _2=nan)."""
    values = list(columns()[column])
    for row, value in cells.items():
        values[int(row[1:])] = value
    return {column: values}


def to_csv(path, name="runs.csv", sep=","):
    pd.DataFrame(columns()).to_csv(path / name, index=False, sep=sep)
    return path / name


DAY = datetime.date(2024, 5, 1)
