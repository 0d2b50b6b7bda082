"""Equal-tailed intervals and probabilities over draws."""

import numpy as np


def interval(draws: np.ndarray, ci_prob: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower end, median and upper end of an equal-tailed interval over the first axis.

    Infinite draws are ordered like numbers; a quantile next to one is infinite, not undefined.
    """
    if not 0 < ci_prob < 1:
        raise ValueError(f"ci_prob must lie strictly between 0 and 1, not {ci_prob}")
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
