"""Responses of combinations of labels that were not fitted, from those that were.

A response is the sum of an effect of every label and a deviation of the combination, so that a new
data set is harder for all families alike, up to what the table shows that families differ by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Labels = tuple[int, ...]


@dataclass(frozen=True)
class _Effects:
    """Effects of the labels of one group, each of shape (sample,), and those of a new label."""

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
    groups, deviation = _taken_apart(np.array(fitted, int), reached, alone)

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
    codes: np.ndarray, reached: np.ndarray, alone: float
) -> tuple[list[_Effects], np.ndarray | None]:
    """Effects of all labels by least squares, and the spread of deviations from their sum."""
    labels = [np.unique(column, return_inverse=True) for column in codes.T]
    if len(labels) == 1:
        return [_effects(codes[:, 0], reached, reached, alone)], None
    design = np.hstack([np.eye(len(known))[place] for known, place in labels])
    solved = reached @ np.linalg.pinv(design).T
    ends = np.cumsum([len(known) for known, _ in labels])[:-1]
    groups = [
        _effects(known, values, reached, alone)
        for (known, _), values in zip(labels, np.split(solved, ends, axis=1), strict=True)
    ]
    vary = [effects.spread for effects in groups if len(effects.known) > 1]
    if len(vary) < 2:
        return groups, None
    free = len(codes) - np.linalg.matrix_rank(design)
    if not free:  # nothing shows how combinations deviate: as little as labels of a group do
        return groups, np.min(vary, axis=0)
    rest = reached - solved @ design.T
    return groups, np.sqrt(np.sum(rest**2, axis=1) / free * (free + 2) / free)


def _effects(labels: np.ndarray, values: np.ndarray, reached: np.ndarray, alone: float) -> _Effects:
    """Effects of one group; a single label leaves only all responses to learn a spread from."""
    spread = _predictive_spread(values if len(labels) > 1 else reached, alone)
    known = dict(zip(labels.tolist(), values.T, strict=True))
    return _Effects(known, values.mean(axis=1), spread)


def _predictive_spread(values: np.ndarray, alone: float) -> np.ndarray:
    """Spread of one more value, which knows the mean and spread of the others only so well."""
    count = values.shape[1]
    if count == 1:
        return np.full(len(values), alone)
    return np.sqrt(values.var(axis=1, ddof=1) * (1 + 1 / count) * (count + 1) / (count - 1 + 1e-9))
