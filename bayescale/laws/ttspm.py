"""Test-time scaling that saturates."""

from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log1mexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import ceiling, fraction


class TestTimeSaturation(Law):
    r"""Accuracy that saturates with the number of parallel samples or sequential rounds.

    .. math:: F(n) = F_{\max} \left(1 - (1 - p)^n\right)

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `n` counts samples or rounds, or any resource in units in which `p` is the chance of success of
    one.  Where `n p` is small throughout, only the product of `F_max` and `p` is identified.

    References
    ----------
    Wang et al. (2025), Scaling over Scaling, arXiv:2505.20522.

    Examples
    --------
    >>> law = TestTimeSaturation()
    >>> law([1.0, 8.0], F_max=0.8, p=0.25).round(3)
    array([0.2 , 0.72])
    """

    __test__ = False

    name = "ttspm"
    inputs = ("n",)
    response = "unit"
    better = "higher"
    parameters = (ceiling("F_max"), fraction("p", median=0.1, spread=2.0))
    monotone = {"n": 1}
    example = Example({"F_max": 0.8, "p": 0.1}, {"n": (1.0, 100.0)}, noise=0.05)

    def log_mean(self, xp: Any, p: Parameters, n: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.log_F_max + log1mexp(xp, n * log1mexp(xp, p.log_p))


def saturation(constants: Any, gain: float) -> Any:
    r"""First number of samples whose next one gains less than `gain` in accuracy.

    .. math:: n^* = \left\lceil \frac{\ln(\epsilon / (F_{\max} p))}{\ln(1 - p)} \right\rceil

    Parameters
    ----------
    constants : mapping
        ``F_max`` and ``p``: numbers, arrays or the variables of a posterior.
    gain : float
        Smallest gain that is worth a sample, in accuracy between 0 and 1.

    Returns
    -------
    number, array or DataArray
        0 where even the first sample gains less.

    Examples
    --------
    >>> float(saturation({"F_max": 0.8, "p": 0.25}, 0.01))
    11.0
    """
    first = constants["F_max"] * constants["p"]
    return np.ceil(np.maximum(np.log(gain / first) / np.log1p(-constants["p"]), 0.0))
