"""Downstream BLEU over the size of the pretraining data."""

from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, level, positive


class BleuLog(Law):
    r"""Downstream BLEU as a power of the logarithm of the pretraining data.

    .. math:: \mathrm{BLEU}(D) = \left(\ln(A D^a)\right)^b

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `D` counts pretraining tokens, the response is a score such as BLEU in [0, 100], and
    :math:`A D^a > 1`.  :math:`\ln A + a \ln D` is linear in :math:`\ln D`, so that only level,
    slope and curvature are identified: report forecasts, not constants.  Scores that fall again
    with more data need :class:`~bayescale.laws.UShape` or :class:`~bayescale.laws.BrokenPowerLaw`:
    the pretraining data are not aligned with the task.

    References
    ----------
    Isik et al. (2024), arXiv:2402.04177, eq. 1.

    Examples
    --------
    >>> law = BleuLog()
    >>> round(float(law(1e9, A=2.0, a=0.3, b=1.8)), 2)
    32.44
    """

    name = "bleu_log_law"
    inputs = ("D",)
    better = "higher"
    parameters = (level("A"), exponent("a", spread=0.8), positive("b", median=1.5, spread=0.5))
    monotone = {"D": 1}
    example = Example({"A": 2.0, "a": 0.3, "b": 1.8}, {"D": (1e7, 1e10)}, noise=0.02)

    def log_mean(self, xp: Any, p: Parameters, D: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.b * xp.log(xp.maximum(p.log_A + p.a * xp.log(D), 1e-6))

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Any, D: Any
    ) -> dict[str, Any]:
        """See :meth:`Law.levels_at`."""
        return {"A": xp.exp(log_response / p.b) - p.a * xp.log(D)}


def data_for(score: Any, constants: Any) -> Any:
    r"""Pretraining data at which a :class:`BleuLog` reaches a score.

    .. math:: D = \left(\exp(s^{1/b}) / A\right)^{1/a}

    Parameters
    ----------
    score : float
        The target, in units of the response.
    constants : mapping
        ``A``, ``a`` and ``b``: numbers, arrays or the variables of a posterior.

    Returns
    -------
    number, array or DataArray
        In units of the input.

    Examples
    --------
    >>> constants = {"A": 2.0, "a": 0.3, "b": 1.8}
    >>> round(float(data_for(BleuLog()(1e9, **constants), constants)) / 1e9, 6)
    1.0
    """
    return np.exp((score ** (1 / constants["b"]) - np.log(constants["A"])) / constants["a"])
