"""Crossings and inverses of many curves at once, by bisection in log x.

Functions take an array of scales of shape (points,) or (sample, points) and return
(sample, points).
"""

from collections.abc import Callable

import numpy as np

from bayescale.quantities.results import SAME

Function = Callable[[np.ndarray], np.ndarray]

#: Halvings of a cell of the grid: enough for the last digit of a double.
STEPS = 56


def log_grid(bounds: tuple[float, float], per_decade: int = 25) -> np.ndarray:
    """Scales that are evenly spaced in log x, shape (points,)."""
    low, high = np.log10(bounds)
    return np.logspace(low, high, max(2, int(np.ceil((high - low) * per_decade)) + 1))


def sign_changes(function: Function, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every scale where the sign of a function changes, draw by draw.

    Parameters
    ----------
    function : callable
        From scales to (sample, points): a difference relative to what is compared.
    grid : array, shape (points,)
        Scales that separate the roots.

    Returns
    -------
    draw : array of int, shape (roots,)
        The draw of every root.
    root : array, shape (roots,)
        Its scale; roots of one draw ascend.
    signs : array, shape (sample, points)
        Sign on the grid; a difference that is rounding has the sign of its neighbour.
    """
    signs = _signs(function(grid))
    draw, cell = np.nonzero(signs[:, 1:] != signs[:, :-1])
    if not draw.size:
        return draw, np.zeros(0), signs
    count = np.bincount(draw, minlength=len(signs))
    place = np.arange(len(draw)) - (np.cumsum(count) - count)[draw]
    low = np.full((len(signs), int(count.max())), np.log(grid[0]))
    high = low.copy()
    left = np.ones(low.shape)
    low[draw, place], high[draw, place] = np.log(grid[cell]), np.log(grid[cell + 1])
    left[draw, place] = signs[draw, cell]
    root = bisect(lambda x: left * function(x) > 0, low, high)
    return draw, root[draw, place], signs


def _signs(values: np.ndarray) -> np.ndarray:
    """Signs along the last axis, with zeros filled from the left and then from the right."""
    signs = np.where(np.abs(values) > SAME, np.sign(values), 0.0)
    for flip in (False, True):
        signs = signs[:, ::-1] if flip else signs
        last = np.maximum.accumulate(np.where(signs != 0, np.arange(signs.shape[1]), 0), axis=1)
        signs = np.take_along_axis(signs, last, axis=1)
        signs = signs[:, ::-1] if flip else signs
    return signs


def bisect(is_left: Function, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Scale between ``exp(low)`` and ``exp(high)`` where `is_left` turns false.

    Parameters
    ----------
    is_left : callable
        From scales to truth values: whether the wanted scale lies to the right.
    low, high : array, shape (sample, points)
        Logarithms of the bracket.
    """
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        left = is_left(np.exp(middle))
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.exp(0.5 * (low + high))


def first_below(function: Function, target: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Smallest scale at which a function is at or below a target.

    Parameters
    ----------
    function : callable
        From scales to (sample, points).
    target : array, shape (sample, targets) or (1, targets)
        Values to reach.
    grid : array, shape (points,)
        Scales to look at, ascending.

    Returns
    -------
    array, shape (sample, targets)
        ``inf`` where the target is not reached on the grid; the lowest scale of the grid where it
        is reached from the start.
    """
    lowest = np.minimum.accumulate(function(grid), axis=1)
    target = np.broadcast_to(target, (len(lowest), target.shape[1]))
    place = np.stack([(lowest > t[:, None]).sum(axis=1) for t in target.T], axis=1)
    never, at_once = place == len(grid), place == 0
    right = np.clip(place, 1, len(grid) - 1)
    root = bisect(lambda x: function(x) > target, np.log(grid[right - 1]), np.log(grid[right]))
    return np.where(never, np.inf, np.where(at_once, grid[0], root))
