"""Downstream accuracy as a sigmoid of the loss."""

from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log_sigmoid, logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import ceiling, exponent, fraction, location


class LossToAccuracy(Law):
    r"""Downstream accuracy as a sigmoid of the loss.

    .. math:: \mathrm{acc}(L) = lo + \frac{hi - lo}{1 + \exp(g (L - L_{mid}))}

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: a loss in nats or bits.

    Notes
    -----
    `lo` is the accuracy at chance: give it a prior where chance is known,
    ``priors={"lo": pm.Beta.dist(...)}``.  `hi` is not identified before models pass `L_mid`.

    References
    ----------
    Xiao et al. (2024), Densing Law of LLMs, arXiv:2412.04315; Bhagia et al. (2024),
    arXiv:2412.04403.

    Examples
    --------
    >>> law = LossToAccuracy()
    >>> law([0.5, 1.0, 2.0], lo=0.25, hi=0.95, L_mid=1.0, g=5.0).round(3)
    array([0.897, 0.6  , 0.255])
    """

    name = "loss_to_acc_sigmoid"
    inputs = ("L",)
    conditions = ("L",)
    response = "unit"
    better = "higher"
    parameters = (
        fraction("lo", median=0.2),
        ceiling("hi"),
        location("L_mid", of="L"),
        exponent("g", median=2.0, spread=0.8),
    )
    monotone = {"L": -1}
    example = Example(
        {"lo": 0.25, "hi": 0.95, "L_mid": 1.0, "g": 4.0}, {"L": (0.5, 2.0)}, noise=0.03
    )

    def log_mean(self, xp: Any, p: Parameters, L: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        u = p.g * (p.L_mid - L)
        return logaddexp(xp, p.log_lo + log_sigmoid(xp, -u), p.log_hi + log_sigmoid(xp, u))


def onset(constants: Any, margin: float) -> Any:
    r"""Loss below which accuracy is more than `margin` above chance.

    .. math:: L = L_{mid} + \frac{1}{g} \ln\left(\frac{hi - lo}{m} - 1\right)

    Parameters
    ----------
    constants : mapping
        ``lo``, ``hi``, ``L_mid`` and ``g``: numbers, arrays or the variables of a posterior.
    margin : float
        Accuracy above chance, between 0 and 1.

    Returns
    -------
    number, array or DataArray
        In units of the loss; minus infinity where the accuracy never gets there.

    Examples
    --------
    >>> float(onset({"lo": 0.25, "hi": 0.95, "L_mid": 1.0, "g": 5.0}, 0.35))
    1.0
    """
    with np.errstate(divide="ignore"):
        odds = np.maximum((constants["hi"] - constants["lo"]) / margin - 1, 0.0)
        return constants["L_mid"] + np.log(odds) / constants["g"]
