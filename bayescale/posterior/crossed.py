"""Responses of combinations of labels that were not fitted, from those that were.

A response is the sum of an effect of every label and a deviation of the combination, so that a new
data set is harder for all families alike, up to what the table shows that families differ by.

Few labels say little about how far others lie from them.  Every standard deviation is therefore
drawn from its posterior under the usual prior, uniform in its logarithm, and so are the effects
given the deviations: a new label is Student-t around the mean of the fitted ones, with a degree of
freedom less than there are of them (Gelman et al. 2013, Bayesian Data Analysis, section 3.2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtr

Labels = tuple[int, ...]

#: Drawn spreads over that of a label alone, at most: the tail of two labels has no end.
WIDEST = 3.0


@dataclass(frozen=True)
class _Effects:
    """Effects of the labels of one group, each of shape (sample,), and the population of them."""

    known: dict[int, np.ndarray]
    centre: np.ndarray
    spread: np.ndarray


def responses_of(
    fitted: Sequence[Labels],
    reached: np.ndarray,
    alone: float,
    normal: Callable[..., np.ndarray],
) -> Callable[[Labels], np.ndarray]:
    """Return the function that gives the response of any labels, shape (sample,).

    Parameters
    ----------
    fitted : sequence of tuple of int
        Label codes of the fitted combinations, one per group.
    reached : array, shape (sample, combinations)
        Their responses.
    alone : float
        Spread of new labels where there is nothing to learn it from.
    normal : callable
        Standard normals, shape (sample,), the same for the same arguments.
    """
    found = dict(zip(fitted, reached.T, strict=True))
    groups, deviation = _taken_apart(np.array(fitted, int), reached, alone, normal)

    def response(labels: Labels) -> np.ndarray:
        if labels not in found:
            parts = [
                effects.known[label]
                if label in effects.known
                else effects.centre + effects.spread * normal(place, label)
                for place, (effects, label) in enumerate(zip(groups, labels, strict=True))
            ]
            if deviation is not None:
                parts.append(deviation * normal("together", *labels))
            found[labels] = np.sum(parts, axis=0)
        return found[labels]

    return response


def _taken_apart(
    codes: np.ndarray, reached: np.ndarray, alone: float, normal: Callable[..., np.ndarray]
) -> tuple[list[_Effects], np.ndarray | None]:
    """Effects of all labels by least squares, and the spread of deviations from their sum.

    Effects err by as much as the deviations of the fitted combinations allow.
    """
    labels = [np.unique(column, return_inverse=True) for column in codes.T]
    if len(labels) == 1:
        spread = _spread(reached, alone, normal("spread", 0))
        return [_effects(codes[:, 0], reached, spread, normal("centre", 0))], None
    design = np.hstack([np.eye(len(known))[place] for known, place in labels])
    inverse = np.linalg.pinv(design).T
    ends = np.cumsum([len(known) for known, _ in labels])[:-1]
    solved, deviation = reached @ inverse, None
    spreads = [
        _spread(values if values.shape[1] > 1 else reached, alone, normal("spread", place))
        for place, values in enumerate(np.split(solved, ends, axis=1))
    ]
    vary = [spread for spread, (known, _) in zip(spreads, labels, strict=True) if len(known) > 1]
    if len(vary) > 1:
        free = len(codes) - np.linalg.matrix_rank(design)
        rest = reached - solved @ design.T
        deviation = (
            _drawn(np.sqrt(np.sum(rest**2, axis=1) / free), free, alone, normal("deviation"))
            if free
            else np.min(vary, axis=0)  # nothing shows it: as little as labels of a group do
        )
        apart = np.stack([normal("apart", *row) for row in codes.tolist()], axis=1)
        solved = solved + deviation[:, None] * apart @ inverse
    groups = [
        _effects(known, values, spread, normal("centre", place))
        for place, ((known, _), values, spread) in enumerate(
            zip(labels, np.split(solved, ends, axis=1), spreads, strict=True)
        )
    ]
    return groups, deviation


def _effects(
    labels: np.ndarray, values: np.ndarray, spread: np.ndarray, normal: np.ndarray
) -> _Effects:
    """Effects of one group, and the centre of its population as the fitted labels show it."""
    known, count = dict(zip(labels.tolist(), values.T, strict=True)), len(labels)
    error = spread / np.sqrt(count) if count > 1 else 0.0
    return _Effects(known, values.mean(axis=1) + error * normal, spread)


def _spread(values: np.ndarray, alone: float, normal: np.ndarray) -> np.ndarray:
    """Draw the standard deviation of the population that some values come from."""
    count = values.shape[1]
    if count == 1:
        return np.full(len(values), alone)
    return _drawn(values.std(axis=1, ddof=1), count - 1, alone, normal)


def _drawn(estimate: np.ndarray, free: int, alone: float, normal: np.ndarray) -> np.ndarray:
    """Draw a standard deviation given its estimate, from the quantile that a normal is."""
    chi_squared = 2 * gammaincinv(free / 2, ndtr(normal))
    widest = np.maximum(WIDEST * alone, estimate)
    return np.minimum(estimate * np.sqrt(free / chi_squared), widest)
