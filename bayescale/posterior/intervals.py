"""Equal-tailed intervals and probabilities over draws."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np


def check_probabilities(ci_prob: Any) -> tuple[float, ...]:
    """Return the interval probabilities as a sorted tuple, each strictly between 0 and 1."""
    several = isinstance(ci_prob, Iterable) and not isinstance(ci_prob, str)
    given = tuple(ci_prob) if several else (ci_prob,)
    if wrong := [p for p in given if not isinstance(p, Real)]:
        raise ValueError(f"ci_prob is {wrong[0]!r}: give a number such as 0.9")
    if not given or any(not 0 < p < 1 for p in given):
        percent = next((p for p in given if 1 < p < 100), None)
        meant = "" if percent is None else f"; did you mean {percent / 100:g}?"
        raise ValueError(f"ci_prob must lie strictly between 0 and 1, not {ci_prob}{meant}")
    return tuple(sorted(map(float, given)))


def interval(draws: np.ndarray, ci_prob: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower end, median and upper end of an equal-tailed interval over the first axis.

    Infinite draws are ordered like numbers; a quantile next to one is infinite, not undefined.
    """
    check_probabilities(ci_prob)
    if not len(draws):
        nothing = np.full(draws.shape[1:], np.nan)
        return nothing, nothing, nothing
    tail = (1 - ci_prob) / 2
    levels = [tail, 0.5, 1 - tail]
    if np.all(np.isfinite(draws)):
        low, median, high = np.quantile(draws, levels, axis=0)
    else:
        low, median, high = np.quantile(draws, levels, axis=0, method="inverted_cdf")
    return low, median, high


def percent(probability: float) -> str:
    """Write a probability for people: draws that all agree do not make a thing certain."""
    if probability < 0.01:
        return "< 1 %"
    if probability > 0.99:
        return "> 99 %"
    return f"{100 * probability:.0f} %"
