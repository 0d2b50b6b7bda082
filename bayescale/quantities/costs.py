"""What a run costs, and how many tokens a budget leaves for a model of some size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.quantities.roots import bisect

#: From model size and data size to the price of a run.
Cost = Callable[[Any, Any], Any]

#: Sizes of any unit lie between these; where nothing is left of a budget, it buys the first.
SIZES = (1e-30, 1e40)


@dataclass(frozen=True)
class FLOPs6ND:
    r"""FLOPs of training, and of serving where tokens are served: :math:`6 N D + 2 N T`.

    Parameters
    ----------
    inference_tokens : float
        Tokens T that the model will process after training.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361; with inference, Sardana et al. (2023),
    arXiv:2401.00448.

    Examples
    --------
    >>> f"{FLOPs6ND()(70e9, 1.4e12):.3g}"
    '5.88e+23'
    """

    inference_tokens: float = 0.0

    def __post_init__(self) -> None:
        """Check the number of tokens."""
        if not 0 <= self.inference_tokens < np.inf:
            raise ValueError(
                f"inference_tokens must be a finite number, 0 or more, not {self.inference_tokens}"
            )

    def __call__(self, N: Any, D: Any) -> Any:
        """FLOPs of a model of N parameters on D tokens."""
        return 6 * N * D + 2 * N * self.inference_tokens

    def data_for(self, budget: Any, N: Any) -> Any:
        """Tokens that a budget pays for."""
        return (budget / N - 2 * self.inference_tokens) / 6


def data_for(cost: Cost, budget: np.ndarray, N: np.ndarray) -> np.ndarray:
    """Find the data size that spends a budget at a model size; tiny where nothing is left.

    A cost may bring a method ``data_for(budget, N)``; any other is inverted by bisection and must
    grow with the data size.
    """
    if hasattr(cost, "data_for"):
        return np.maximum(np.asarray(cost.data_for(budget, N), float), SIZES[0])
    shape = np.broadcast_shapes(np.shape(budget), np.shape(N))
    if (tokens := _of_affine(cost, budget, N, shape)) is not None:
        return tokens
    low, high = (np.full(shape, np.log(end)) for end in SIZES)
    return bisect(lambda D: np.broadcast_to(cost(N, D) < budget, shape), low, high)


def _of_affine(
    cost: Cost, budget: np.ndarray, N: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray | None:
    """Solve for the data size by secant steps, exact for a cost that is affine in it, or None."""
    base = np.broadcast_to(cost(N, 0.0), shape)
    D = np.broadcast_to(budget / np.asarray(cost(N, 1.0)), shape)
    for _ in range(2):
        with np.errstate(divide="ignore", invalid="ignore"):
            D = (budget - base) * D / (cost(N, D) - base)
    short = budget <= base
    exact = np.abs(cost(N, D) - budget) <= 1e-12 * budget
    return np.where(short, SIZES[0], D) if np.all(short | exact) else None


def largest_model(cost: Cost, budget: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Model size at which a budget pays for a data size and no more."""
    low, high = (np.full(budget.shape, np.log(end)) for end in SIZES)
    return bisect(lambda N: np.broadcast_to(cost(N, D) < budget, budget.shape), low, high)
