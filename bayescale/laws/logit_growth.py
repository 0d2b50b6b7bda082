"""Quantities that foretell instability: attention logits and gradient scales over model size."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import where
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter, level, slope


@dataclass(frozen=True)
class LogitGrowth(Law):
    r"""Largest attention logit, or gradient scale, over model size at one learning rate.

    .. math:: \ln y = \ln A + b u + c u^2, \qquad u = \ln(N / N_r)

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.
    curved : bool
        Fit the curvature `c`; without it the law is a power law.
    at : float
        :math:`N_r`, amid the data: where `A` is the quantity and `b` its exponent.

    Notes
    -----
    `A` has the unit of the response, `N` counts parameters, `b` is positive for growth.  Which of
    the two forms the paper extrapolates is not verified here: fit both and compare them.  Make the
    learning rate a group.  :func:`size_at` says where a threshold of your choice is crossed.

    References
    ----------
    Wortsman et al. (2023), Small-scale proxies for large-scale Transformer training instabilities,
    arXiv:2309.14322.

    Examples
    --------
    By hand, 50 * exp(1 + 0.1) at e times the reference:

    >>> law = LogitGrowth(curved=True)
    >>> round(float(law(1e8 * np.e, A=50.0, b=1.0, c=0.1)), 2)
    150.21
    """

    curved: bool = False
    at: float = 1e8

    name = "logit_growth"
    variants = ({"curved": True},)
    inputs = ("N",)

    def __post_init__(self) -> None:
        """Check the reference."""
        if not self.at > 0:
            raise ValueError(f"at must be a positive size, not {self.at!r}")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Level, exponent and, if wanted, curvature."""
        bend = (slope("c", spread=0.1, between=0.05),) if self.curved else ()
        return (level("A"), slope("b", mean=0.5, spread=0.5, of="A"), *bend)

    @property
    def example(self) -> Example:
        """Models of ten million to a billion parameters."""
        return Example({"A": 60.0, "b": 0.6, "c": 0.05}, {"N": (1e7, 1.2e9)}, noise=0.1)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Without curvature a power law that grows."""
        straight = {"c": 0.0} if self.curved else {}
        return (
            Limit(
                "power_law",
                straight,
                lambda v: {"A": v["A"] * self.at ** -v["b"], "alpha": -v["b"]},
            ),
        )

    def log_mean(self, xp: Any, p: Parameters, N: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        u = xp.log(N) - log(self.at)
        line = p.log_A + p.b * u
        return line + p.c * u**2 if self.curved else line


def size_at(threshold: Any, constants: Mapping[str, Any], at: float = 1e8) -> Any:
    """Model size at which a growing quantity crosses a threshold.

    Parameters
    ----------
    threshold : array_like
        In the unit of the quantity, above its level at the reference.
    constants : mapping
        ``A``, ``b`` and, for a curved law, ``c``: numbers, arrays or the variables of a posterior.
    at : float
        As for the law.

    Returns
    -------
    number, array or DataArray
        The first crossing above the reference; infinite where there is none.

    Examples
    --------
    >>> f'{size_at(1e4, {"A": 100.0, "b": 0.5}):.0e}'
    '1e+12'
    >>> float(size_at(1e4, {"A": 100.0, "b": 0.5, "c": -0.1}))
    inf
    """
    gap = np.log(threshold) - np.log(constants["A"])
    b, c = constants["b"], constants.get("c", 0.0)
    inside = b**2 + 4 * c * gap
    root = np.sqrt(np.maximum(inside, 0.0))
    reached = (inside >= 0) & (b + root > 0)
    return at * np.exp(where(reached, 2 * gap / where(reached, b + root, 1.0), np.inf))


def lr_sensitivity(loss: Any, initial: float) -> Any:
    """Mean loss over a grid of learning rates above the best one, divergence counted once.

    Parameters
    ----------
    loss : array, shape (..., rates)
        Final losses, the learning rates last, evenly spaced in their logarithm.
    initial : float
        Loss before training, which no run counts above.

    Returns
    -------
    array, shape (...)
        In the unit of the loss.

    References
    ----------
    Wortsman et al. (2023), arXiv:2309.14322.

    Examples
    --------
    >>> lr_sensitivity(np.array([3.0, 2.5, 2.75, 40.0]), initial=10.75)
    np.float64(2.25)
    """
    bounded = np.minimum(np.asarray(loss, float), initial)
    return bounded.mean(axis=-1) - bounded.min(axis=-1)
