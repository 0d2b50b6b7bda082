"""Least squares at a few knots of the data: where exponents lie, and how well they are known."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bayescale.laws.roles import Parameter
from bayescale.model.information import TYPICAL_RESIDUAL

#: Scatter of rows below which it makes no difference, in ln y.
LEAST_SCATTER = 1e-4
#: Number of points that stand for the rows of a unit.
KNOTS = 6
#: Shares of the lowest of them among which a floor is looked for.
FLOORS = 1 - np.geomspace(1.0, 0.02, 40)


def knots(log_x: np.ndarray, log_y: np.ndarray, unit: np.ndarray, count: int) -> np.ndarray:
    """Take a few means of neighbouring rows of every unit, after the mean of all of them.

    Parameters are those of :func:`local_information`, for one input, shape (rows,).

    Returns
    -------
    array, shape (3, 1 + KNOTS, units)
        Log x less its mean, log y, and weight: one over the variance of a row, as neighbours err
        together; none for the first.
    """
    made = np.zeros((3, 1 + KNOTS, count))
    scatter = np.array([_scatter(log_x[unit == u], log_y[unit == u]) for u in range(count)])
    known = scatter[np.isfinite(scatter)]
    typical = float(np.median(known)) if known.size else TYPICAL_RESIDUAL
    scatter = np.maximum(np.where(np.isfinite(scatter), scatter, typical), LEAST_SCATTER)
    for u in range(count):
        rows = np.flatnonzero(unit == u)
        rows = rows[np.argsort(log_x[rows], kind="stable")]
        for k, part in enumerate((rows, *np.array_split(rows, KNOTS))):
            there = part if part.size else rows
            made[0, k, u] = log_x[there].mean() - log_x[rows].mean()
            made[1, k, u] = log_y[there].mean()
            made[2, k, u] = scatter[u] ** -2 if k and part.size else 0.0
    return made


def _scatter(log_x: np.ndarray, log_y: np.ndarray) -> float:
    """Return the scatter of rows about lines through their neighbours; NaN for fewer than 4."""
    if log_x.size < 4:
        return float("nan")
    order = np.argsort(log_x, kind="stable")
    x, y = log_x[order], log_y[order]
    width = x[2:] - x[:-2]
    right = np.divide(x[1:-1] - x[:-2], width, out=np.full(width.shape, 0.5), where=width > 0)
    off = y[1:-1] - right * y[2:] - (1 - right) * y[:-2]
    return float(np.sqrt(np.mean(off**2 / (1 + right**2 + (1 - right) ** 2))))


def misfit(knots: np.ndarray) -> np.ndarray:
    """Chi-squared of the knots of every unit about the best power law with a floor.

    Parameters
    ----------
    knots : array, shape (3, 1 + KNOTS, units)
        See :func:`knots`.

    Returns
    -------
    array, shape (units,)
        Smallest over floors up to the last knot, with knots as exact as single rows.
    """
    away, log_y, weight = knots[:, 1:, None]
    left = 1 - FLOORS[:, None] * np.exp(log_y.min(axis=0) - log_y)
    reducible, weight = log_y + np.log(left), weight * left**2
    total = np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
    x, y = (v - (weight * v).sum(axis=0) / total for v in (away, reducible))
    squares = np.maximum((weight * x**2).sum(axis=0), np.finfo(float).tiny)
    slope = (weight * x * y).sum(axis=0) / squares
    return np.asarray((weight * (y - slope * x) ** 2).sum(axis=0).min(axis=0))


def normal_equation(
    columns: Sequence[Any], rest: Any, weight: Any, priors: Sequence[tuple[float, float]]
) -> tuple[Any, Any]:
    """Reduce a regression of `rest` to the equation of its first coefficient.

    Parameters
    ----------
    columns : sequence of array, shape (knots, ..., units)
        Factors of the coefficients.
    rest, weight : array, shape (knots, ..., units)
        What is explained, and one over its variance.
    priors : sequence of (mean, standard deviation)
        Of all coefficients but the first, which are integrated out.

    Returns
    -------
    pull, precision : array, shape (..., units)
        The coefficient is pull over precision, with an error of one over the root of precision.
    """
    gram = [[(weight * a * b).sum(axis=0) for b in columns[: i + 1]] for i, a in enumerate(columns)]
    pulls = [(weight * a * rest).sum(axis=0) for a in columns]
    for k in range(len(columns) - 1, 0, -1):
        mean, spread = priors[k - 1]
        precision, pull = gram[k][k] + spread**-2, pulls[k] + mean * spread**-2
        for i in range(k):
            share = gram[k][i] / precision
            pulls[i] = pulls[i] - share * pull
            for j in range(i + 1):
                gram[i][j] = gram[i][j] - share * gram[k][j]
    return pulls[0], gram[0][0]


def linear_prior(q: Parameter) -> tuple[float, float]:
    """About the mean and the standard deviation of a parameter itself under its prior."""
    if not q.is_positive:
        return q.centre, q.spread
    return math.exp(q.centre), math.exp(q.centre) * q.spread
