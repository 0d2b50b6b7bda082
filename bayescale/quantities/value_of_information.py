"""What outcomes of runs tell about a goal, from draws of both, and the batch that tells most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayescale.posterior.intervals import interval

#: Simulated outcomes for the check by reweighting.
OUTCOMES = 200


def normal_scores(draws: np.ndarray) -> np.ndarray:
    """Replace draws by the normal quantiles of their ranks, column by column; ties share one."""
    from scipy.special import ndtri

    scores = np.empty(draws.shape)
    for i, column in enumerate(draws.T):
        _, place, count = np.unique(column, return_inverse=True, return_counts=True)
        rank = np.cumsum(count) - count / 2
        scores[:, i] = ndtri(rank[place] / len(column))
    return scores


@dataclass(frozen=True)
class Shares:
    """Share of the variance of the goals that outcomes of a batch explain.

    Attributes
    ----------
    total : float
        Variance of the goals, summed.
    cross : array, shape (goals, candidates)
        Covariances of goals and outcomes.
    within : array, shape (candidates, candidates)
        Covariances of outcomes.
    """

    total: float
    cross: np.ndarray
    within: np.ndarray

    @classmethod
    def of(cls, goals: np.ndarray, signal: np.ndarray, noise: np.ndarray) -> "Shares":
        """Take covariances over draws, and the noise of single outcomes."""
        goals = goals - goals.mean(axis=0)
        signal = signal - signal.mean(axis=0)
        return cls(
            float((goals**2).mean(axis=0).sum()),
            goals.T @ signal / len(goals),
            signal.T @ signal / len(goals) + np.diag(noise),
        )

    def explained(self, batch: Sequence[int]) -> float:
        """Share for one batch, between 0 and 1."""
        if not len(batch) or self.total == 0:
            return 0.0
        cross, within = self.cross[:, batch], self.within[np.ix_(batch, batch)]
        share = float((cross * np.linalg.solve(within, cross.T).T).sum()) / self.total
        return min(max(share, 0.0), 1.0 - 1e-12)


def choose(share: Shares, cost: np.ndarray, budget: float) -> list[int]:
    """Best batch that a budget allows: greedy by value and by value per cost, then exchange."""
    batches = [_greedy(share, cost, budget, power) for power in (0.0, 1.0)]
    return max((_exchange(share, cost, budget, b) for b in batches), key=share.explained)


def _greedy(share: Shares, cost: np.ndarray, budget: float, power: float) -> list[int]:
    batch: list[int] = []
    value, left = 0.0, budget
    while True:
        open_ = [k for k in range(len(cost)) if k not in batch and cost[k] <= left * (1 + 1e-9)]
        if not open_:
            return batch
        values = np.array([share.explained([*batch, k]) for k in open_])
        best = int(np.argmax((values - value) / cost[open_] ** power))
        if values[best] - value < 1e-4:
            return batch
        batch.append(open_[best])
        value, left = values[best], left - cost[open_[best]]


def _exchange(share: Shares, cost: np.ndarray, budget: float, batch: list[int]) -> list[int]:
    """Swap one run for another, or for nothing and then more, as long as that helps."""
    value = share.explained(batch)
    for _ in range(50):
        best, best_value = batch, value + 1e-6
        for out in batch:
            kept = [k for k in batch if k != out]
            left = budget * (1 + 1e-9) - cost[kept].sum()
            for k in range(len(cost)):
                if k not in batch and cost[k] <= left:
                    tried = share.explained([*kept, k])
                    if tried > best_value:
                        best, best_value = [*kept, k], tried
        if best == batch:
            return batch
        batch = best
        left = budget - cost[batch].sum()
        more = [k for k in range(len(cost)) if k not in batch and cost[k] <= left]
        while more:
            k = max(more, key=lambda j: share.explained([*batch, j]))
            if share.explained([*batch, k]) - share.explained(batch) < 1e-4:
                break
            batch, left = [*batch, k], left - cost[k]
            more = [j for j in more if j != k and cost[j] <= left]
        value = share.explained(batch)
    return batch


def reweighted(
    goals: np.ndarray, signal: np.ndarray, noise: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Expect the relative width of the 80 % interval of the goals, and the effective draws.

    Outcomes are simulated from draws; every other draw is weighted by how well it predicts them.

    Parameters
    ----------
    goals : array, shape (sample, quantities)
        Normal scores.
    signal : array, shape (sample, runs)
        Expected outcomes.
    noise : array, shape (runs,)
        Variances of the noise.
    rng : numpy.random.Generator
        Simulates the outcomes.
    """
    chosen = rng.choice(len(goals), min(OUTCOMES, len(goals)), replace=False)
    order = np.argsort(goals, axis=0)
    widths, sizes = [], []
    for s in chosen:
        y = signal[s] + rng.standard_normal(len(noise)) * np.sqrt(noise)
        log_w = -0.5 * ((y - signal) ** 2 / noise).sum(axis=1)
        log_w[s] = -np.inf
        w = np.exp(log_w - log_w.max())
        w /= w.sum()
        sizes.append(1 / (w**2).sum())
        widths.append([_width(goals[o, i], w[o]) for i, o in enumerate(order.T)])
    low, _, high = interval(goals, 0.8)
    return float((np.mean(widths, axis=0) / (high - low)).mean()), float(np.median(sizes))


def _width(values: np.ndarray, weights: np.ndarray) -> float:
    low, high = np.interp([0.1, 0.9], np.cumsum(weights) - 0.5 * weights, values)
    return float(high - low)
