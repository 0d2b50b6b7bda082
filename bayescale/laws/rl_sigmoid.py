"""Pass rate of reinforcement learning over compute."""

from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log_sigmoid, logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import ceiling, exponent, fraction, location


class RLSigmoid(Law):
    r"""Pass rate of reinforcement learning, a sigmoid in the logarithm of compute.

    .. math:: R(C) = R_0 + \frac{A - R_0}{1 + (C_{mid} / C)^{B_q}}

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `C` is compute in GPU hours or FLOPs, :math:`R_0` the pass rate before training, `A` the
    ceiling.  The ceiling is not identified before data pass `C_mid`: until then its posterior is
    its prior, see :func:`bayescale.learned`.  Ceilings of equal recipes differ by about 0.015 from
    seed to seed.  Repeated evaluations of one run are correlated: add ``Effect("sequence")``.

    References
    ----------
    Khatri et al. (2025), The Art of Scaling Reinforcement Learning Compute for LLMs,
    arXiv:2510.13786, eq. 1.

    Examples
    --------
    The 8B run with a batch of 2048, at its midpoint:

    >>> law = RLSigmoid()
    >>> round(float(law(9.9e3, R0=0.396, A=0.645, C_mid=9.9e3, Bq=1.7)), 4)
    0.5205
    """

    name = "rl_sigmoid"
    inputs = ("C",)
    response = "unit"
    better = "higher"
    parameters = (
        fraction("R0", median=0.3),
        ceiling("A"),
        location("C_mid", of="C"),
        exponent("Bq", median=1.5),
    )
    monotone = {"C": 1}
    example = Example(
        {"R0": 0.396, "A": 0.645, "C_mid": 9.9e3, "Bq": 1.7}, {"C": (1e3, 1e5)}, noise=0.02
    )

    def log_mean(self, xp: Any, p: Parameters, C: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        u = p.Bq * (xp.log(C) - p.log_C_mid)
        return logaddexp(xp, p.log_R0 + log_sigmoid(xp, -u), p.log_A + log_sigmoid(xp, u))


def compute_for_gain(constants: Any, share: float = 0.95) -> Any:
    r"""Compute at which a share of the whole gain :math:`A - R_0` is reached.

    .. math:: C = C_{mid} \left(\frac{s}{1 - s}\right)^{1 / B_q}

    Parameters
    ----------
    constants : mapping
        ``C_mid`` and ``Bq``: numbers, arrays or the variables of a posterior.
    share : float
        Share of the gain, between 0 and 1.

    Returns
    -------
    number, array or DataArray
        In units of the input.

    Examples
    --------
    >>> compute_for_gain({"C_mid": 1e4, "Bq": 1.0}, 0.5)
    10000.0
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie strictly between 0 and 1, not {share!r}")
    return constants["C_mid"] * (share / (1 - share)) ** (1 / constants["Bq"])
