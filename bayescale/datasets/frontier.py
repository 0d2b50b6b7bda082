"""The runs of a table that spend their compute well."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def near_frontier(
    table: "pd.DataFrame",
    *,
    cost: str = "flops",
    loss: str = "loss",
    by: Sequence[str] = ("arch", "corpus"),
    replicates: Sequence[str] = ("params", "tokens"),
    tolerance: float = 0.01,
) -> "pd.DataFrame":
    r"""Keep the runs whose loss is close to the best that their compute could have bought.

    A law of compute alone describes runs whose size and data are near their optimum; the others
    scatter above it by construction.  A run stays if its loss exceeds by no more than `tolerance`

    - that of every cheaper run, and
    - the straight line, in logarithms, between any two runs around it whose costs differ by at
      most a factor of ten.

    Lines are short so that a curve that bends down is not cut off.  Replicates stay or go
    together, by the geometric mean of their losses.

    Parameters
    ----------
    table : DataFrame
        One row a run.
    cost, loss : str
        Columns of compute and loss, both positive.
    by : sequence of str
        Columns of labels; every combination has its own edge.
    replicates : sequence of str
        Columns that are equal in runs that differ by their seed only.
    tolerance : float
        Largest relative excess over the frontier.

    Returns
    -------
    DataFrame
        The rows that stay, in their order.

    Notes
    -----
    Runs are chosen by the losses that are fitted afterwards, so that the best of many noisy runs
    is preferred: the fit lies too low by less than the scatter of a run.

    References
    ----------
    Hoffmann et al. (2022), arXiv:2203.15556, section 3.1: the lowest loss at every compute.

    Examples
    --------
    >>> from bayescale import datasets
    >>> table = datasets.tinylm().query("role == 'fit'")
    >>> efficient = datasets.near_frontier(table)
    >>> 0.2 < len(efficient) / len(table) < 0.6
    True
    """
    keep = np.zeros(len(table), bool)
    logs = np.log(table[[cost, loss]].to_numpy(float))
    for rows in table.groupby(list(by), observed=True).indices.values():
        config = table.iloc[rows].groupby(list(replicates), observed=True).ngroup().to_numpy()
        x, y = (np.bincount(config, values) / np.bincount(config) for values in logs[rows].T)
        order = np.argsort(x, kind="stable")
        near = np.empty(len(x), bool)
        near[order] = _near(x[order], y[order], np.log1p(tolerance))
        keep[rows] = near[config]
    return table[keep]


def _near(x: np.ndarray, y: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether points with ascending x lie near the lower edge of all of them."""
    near = y <= np.minimum.accumulate(y) + tolerance
    for a in range(len(x)):
        for b in range(a + 2, len(x)):
            if x[b] - x[a] <= np.log(10.0):
                between = slice(a + 1, b)
                line = np.interp(x[between], x[[a, b]], y[[a, b]])
                near[between] &= y[between] <= line + tolerance
    return np.asarray(near)
