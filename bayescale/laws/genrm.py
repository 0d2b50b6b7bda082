"""Compute at test time, split between solving and verifying."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import choose, log1mexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import ceiling, exponent, fraction, location, positive


class GenRMvsSC(Law):
    r"""Accuracy of S solutions that are each verified V times.

    .. math:: \mathrm{acc}(S, V) = F \left(1 - e^{-(S/s_0)^u}\right)
        \left(1 - h_0 e^{-(V/v_0)^w}\right)

    Self-consistency, which votes and never verifies, is V = 0.

    Notes
    -----
    The inputs are `S`, solutions, and `J` = **1 + V**, the times that a solution is looked at: 1
    where none is verified.  `F` is the accuracy with solutions and verifications without end,
    :math:`h_0` the share of it that self-consistency misses.  A solution with its verifications
    costs :math:`1 + \lambda V` solutions, with the tokens of a verification over those of a
    solution.  The authors fit powers of compute to the best S and V; this surface, from which they
    derive, is the package's own.  `F` and :math:`h_0` need data beyond the bends.

    References
    ----------
    Singhi et al. (2025), When To Solve, When To Verify, arXiv:2504.01005.

    Examples
    --------
    By hand, 0.8 (1 - 1/e) (1 - 0.5 / e), and half of the first two without verification:

    >>> law = GenRMvsSC()
    >>> constants = dict(F=0.8, s0=4.0, u=0.5, h0=0.5, v0=8.0, w=1.0)
    >>> law(4.0, [9.0, 1.0], **constants).round(4)
    array([0.4127, 0.2528])
    """

    name = "genrm_vs_sc"
    inputs = ("S", "J")
    response = "unit"
    better = "higher"
    parameters = (
        ceiling("F"),
        location("s0", of="S"),
        exponent("u", median=0.5),
        fraction("h0", median=0.3),
        positive("v0", median=6.0),
        exponent("w", median=0.7),
    )
    monotone = {"S": 1, "J": 1}
    example = Example(
        {"F": 0.85, "s0": 4.0, "u": 0.4, "h0": 0.25, "v0": 8.0, "w": 0.8},
        {"S": (1.0, 256.0), "J": (1.0, 2.0, 5.0, 9.0, 33.0)},
        noise=0.05,
    )

    def log_mean(self, xp: Any, p: Parameters, S: Any, J: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        V = xp.maximum(J - 1, 1e-12)
        looked = choose(J > 1, xp.exp(p.w * (xp.log(V) - p.log_v0)), 0.0)
        solved = log1mexp(xp, -xp.exp(p.u * (xp.log(S) - p.log_s0)))
        return p.log_F + solved + log1mexp(xp, p.log_h0 - looked)

    def identifiability(self, x: Any) -> list[str]:
        """Say where nothing is verified, or everything."""
        verified = x["J"] > 1
        if not verified.any() or verified.all():
            return ["rows with and without verification (J = 1) are needed to tell h0"]
        return []


def best_split(
    constants: Mapping[str, Any], budget: float, ratio: float, verify: bool = True
) -> dict[str, np.ndarray]:
    r"""Solutions and verifications with the highest accuracy at a budget.

    Parameters
    ----------
    constants : mapping
        Parameters of a :class:`GenRMvsSC`: numbers, or draws of shape (...).
    budget : float
        Compute in units of one solution, :math:`C = S (1 + \lambda V)`.
    ratio : float
        :math:`\lambda`, the tokens of a verification over those of a solution.
    verify : bool
        Whether at least one verification is made; else all goes into solutions.

    Returns
    -------
    dict
        ``S``, at least 1, ``V`` and ``accuracy``, each of shape (...).

    Raises
    ------
    ValueError
        If the budget does not pay for one solution, verified once where it is to be verified.

    Examples
    --------
    Verification pays when there is compute for it:

    >>> constants = GenRMvsSC.example.parameters
    >>> for budget in (4, 4096):
    ...     found = [best_split(constants, budget, 1.0, verify)["accuracy"] for verify in (0, 1)]
    ...     print(budget, bool(found[1] > found[0]))
    4 False
    4096 True
    """
    if budget < (least := 1 + ratio * bool(verify)):
        what = "a solution that is verified once" if verify else "one solution"
        raise ValueError(f"the budget must be at least {least:g}, {what}, not {budget:g}")
    V = np.geomspace(1.0, (budget - 1) / ratio, 200) if verify else np.zeros(1)
    S = budget / (1 + ratio * V)
    made = {k: np.asarray(v, float)[..., None] for k, v in constants.items()}
    accuracy = GenRMvsSC()(S, 1 + V, **made)
    best = np.argmax(accuracy, axis=-1)
    return {"S": S[best], "V": V[best], "accuracy": np.max(accuracy, axis=-1)}


def overtaking_budget(constants: Mapping[str, Any], ratio: float, most: float = 1e6) -> np.ndarray:
    """Smallest budget from which solutions with verification beat self-consistency.

    Parameters
    ----------
    constants : mapping
        As for :func:`best_split`.
    ratio : float
        As for :func:`best_split`.
    most : float
        Largest budget considered; the smallest is one solution, verified once.

    Returns
    -------
    array, shape (...)
        In solutions; infinite where self-consistency is best up to `most`.

    Raises
    ------
    ValueError
        If `most` is below the smallest budget.

    Examples
    --------
    >>> budget = overtaking_budget(GenRMvsSC.example.parameters, ratio=1.0)
    >>> bool(4 < budget < 4096)
    True
    """
    budgets = np.geomspace(1 + ratio, most, 120)
    ahead = np.stack(
        [
            best_split(constants, c, ratio)["accuracy"]
            > best_split(constants, c, ratio, verify=False)["accuracy"]
            for c in budgets
        ],
        axis=-1,
    )
    first = budgets[np.argmax(ahead, axis=-1)]
    return np.where(ahead.any(axis=-1), first, np.inf)
