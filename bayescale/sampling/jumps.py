r"""Jumps between the modes of a small posterior, for chains that mix slowly.

A curve may bend early or late, and a chain of NUTS goes from one explanation to the other so
seldom that the mass of each stays unknown.  Where they lie, its draws show all the same.  A
proposal is made of them, a mixture of t distributions around draws with the covariance of their
neighbours, and chains go on by Metropolis steps: a jump to a draw of the proposal :math:`q`,
accepted with probability

.. math:: \min\left(1, \frac{p(\theta')\, q(\theta)}{p(\theta)\, q(\theta')}\right),

and a step of a random walk with one of the same covariances.  The proposal does not change any
more while they run, so that the posterior is exact and only the mixing depends on how good the
proposal is (Tierney 1994, Annals of Statistics 22:1701-1728).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

#: More coordinates than a mixture around draws can follow.
MOST_COORDINATES = 40
#: Draws that it needs, in all and for every coordinate.
LEAST_DRAWS, LEAST_DRAWS_A_COORDINATE = 400, 40
#: Jumps, and steps of a random walk, from one draw to the next.
STEPS = 6
#: Kernels of the mixture, and draws that their covariances are taken from, in all and of the
#: nearest ones for every coordinate.
KERNELS, POOL, NEIGHBOURS_A_COORDINATE = 400, 4000, 5
#: Share of kernels that are wider, by how much, and degrees of freedom: tails must be covered.
WIDE_SHARE, WIDER, DOF = 0.2, 2.5, 5.0
#: Least variance of a kernel beside that of all draws.
LEAST_VARIANCE = 0.02
#: Lengths of the steps of the random walk, in standard deviations of a kernel.
WALKS = (0.3, 0.8)
#: Points whose densities are taken at once.
BLOCK = 2000

Height = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Proposal:
    """Mixture of t distributions with equal weights.

    Attributes
    ----------
    centres : array, shape (kernels, n)
        Where they lie.
    roots : array, shape (kernels, n, n)
        Lower Cholesky factors of their scale matrices.
    """

    centres: np.ndarray
    roots: np.ndarray

    @classmethod
    def around(cls, draws: np.ndarray, rng: np.random.Generator) -> Self:
        """Place kernels at some draws, shape (draws, n), each as wide as its neighbourhood."""
        pool = draws[rng.choice(len(draws), min(POOL, len(draws)), replace=False)]
        centres = draws[rng.choice(len(draws), KERNELS)]
        unit, near = pool.std(axis=0), NEIGHBOURS_A_COORDINATE * draws.shape[1]
        roots = np.empty((KERNELS, draws.shape[1], draws.shape[1]))
        for i, centre in enumerate(centres):
            far = (((pool - centre) / unit) ** 2).sum(axis=1)
            nearest = pool[np.argpartition(far, near)[:near]] - centre
            scale = nearest.T @ nearest / near + LEAST_VARIANCE * np.diag(unit**2)
            roots[i] = np.linalg.cholesky(scale)
        roots[: round(WIDE_SHARE * KERNELS)] *= WIDER
        return cls(centres, roots)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points, shape (count, n)."""
        kernel = rng.integers(len(self.centres), size=count)
        spread = np.sqrt(DOF / rng.chisquare(DOF, (count, 1)))
        return self.centres[kernel] + spread * self._deviations(kernel, rng)

    def walk(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Make steps that are as likely backwards, shape (count, n)."""
        kernel = rng.integers(len(self.centres), size=count)
        return rng.choice(WALKS, (count, 1)) * self._deviations(kernel, rng)

    def _deviations(self, kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        normal = rng.standard_normal((len(kernel), self.centres.shape[1], 1))
        return np.asarray((self.roots[kernel] @ normal)[..., 0])

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log density up to a constant, (points, n) -> (points,)."""
        n = self.centres.shape[1]
        found = np.empty(len(points))
        for start in range(0, len(points), BLOCK):
            block = slice(start, start + BLOCK)
            distance = np.maximum(self._quadratic_terms(points[block]) @ self._forms, 0.0)
            log_kernels = -0.5 * (DOF + n) * np.log1p(distance / DOF) - self._log_volumes
            top = log_kernels.max(axis=1)
            found[block] = top + np.log(np.exp(log_kernels - top[:, None]).sum(axis=1))
        return found

    def _quadratic_terms(self, points: np.ndarray) -> np.ndarray:
        i, j = self._pairs
        ones = np.ones((len(points), 1))
        return np.concatenate([points[:, i] * points[:, j], points, ones], axis=1)

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, ...]:
        return np.triu_indices(self.centres.shape[1])

    @cached_property
    def _log_volumes(self) -> np.ndarray:
        return np.asarray(np.log(np.einsum("kii->ki", self.roots)).sum(axis=1))

    @cached_property
    def _forms(self) -> np.ndarray:
        """Squared distances as linear forms of quadratic terms, shape (terms, kernels)."""
        inverse = np.linalg.inv(self.roots)
        precision = np.swapaxes(inverse, 1, 2) @ inverse
        linear = np.einsum("kij,kj->ki", precision, self.centres)
        i, j = self._pairs
        squares = np.where(i == j, 1.0, 2.0) * precision[:, i, j]
        constant = np.einsum("ki,ki->k", linear, self.centres)
        return np.concatenate([squares, -2 * linear, constant[:, None]], axis=1).T


def shows_modes(draws: np.ndarray) -> bool:
    """Whether draws, shape (chain, draw, n), are enough to lay a mixture around, and all moved."""
    chains, count, n = draws.shape
    enough = chains * count >= max(LEAST_DRAWS, LEAST_DRAWS_A_COORDINATE * n)
    return bool(n <= MOST_COORDINATES and enough and np.all(np.ptp(draws, axis=1) > 0))


def jump(height: Height, draws: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Draw anew, by jumps to where slowly mixing chains have been.

    Parameters
    ----------
    height : callable
        Log density at a point, shape (n,), up to a constant.
    draws : array, shape (chain, draw, n)
        Of the chains; they need not agree on the mass of what they visited.
    rng : numpy.random.Generator
        Makes the proposals and takes the decisions.

    Returns
    -------
    draws : array, shape (chain, draw, n)
        As many, of chains that are new.
    accepted : float
        Share of jumps that were accepted.
    """
    flat = draws.reshape(-1, draws.shape[-1])
    centre, unit = flat.mean(axis=0), flat.std(axis=0)

    def standard_height(point: np.ndarray) -> float:
        return height(centre + unit * point)

    known = (flat - centre) / unit
    proposal = Proposal.around(known, rng)
    starts = known[rng.choice(len(known), len(draws))]
    made = [_chain(standard_height, proposal, start, draws.shape[1], rng) for start in starts]
    points = np.stack([points for points, _ in made])
    return centre + unit * points, float(np.mean([accepted for _, accepted in made]))


def _chain(
    height: Height, proposal: Proposal, at: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    total = count * STEPS
    targets = proposal.draw(total, rng)
    heights = np.array([height(point) for point in targets])
    weights = heights - proposal.log_density(targets)
    at_height = height(at)
    at_weight = at_height - proposal.log_density(at[None])[0]
    walk, chance = proposal.walk(total, rng), np.log(rng.random((total, 2)))
    points, accepted = np.empty((count, targets.shape[1])), 0
    for i in range(total):
        beside = at + walk[i]
        beside_height = height(beside)
        if chance[i, 0] < beside_height - at_height:
            at, at_height = beside, beside_height
            at_weight = at_height - proposal.log_density(at[None])[0]
        if chance[i, 1] < weights[i] - at_weight:
            at, at_height, at_weight = targets[i], heights[i], weights[i]
            accepted += 1
        points[i // STEPS] = at
    return points, accepted / total
