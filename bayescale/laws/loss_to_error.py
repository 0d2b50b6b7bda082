"""Downstream error as an exponential of the loss."""

from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log1mexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, fraction, level


class LossToError(Law):
    r"""Downstream top-1 error as an exponential of the loss.

    .. math:: \mathrm{Err}(L) = \epsilon - k \exp(-g L)

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `L` is in nats per token; :math:`\epsilon` is the error at chance: give it a prior where chance
    is known, ``priors={"eps": pm.Beta.dist(...)}``.  `k` and `g` lie on a ridge where losses span
    little.

    References
    ----------
    Gadre et al. (2024), arXiv:2403.08540.  The presets are refits of the authors' models, of the
    average of 17 or of 46 tasks on the loss on C4.

    Examples
    --------
    >>> law = LossToError()
    >>> law([2.5, 4.0], **law.presets["c4_17_tasks_2024"]).round(3)
    array([0.536, 0.749])
    """

    name = "loss_to_error_exp"
    inputs = ("L",)
    conditions = ("L",)
    response = "unit"
    better = "lower"
    parameters = (
        fraction("eps", median=0.75, spread=1.0),
        level("k"),
        exponent("g", median=0.8, spread=0.7),
    )
    monotone = {"L": 1}
    presets = {
        "c4_17_tasks_2024": {"eps": 0.850, "k": 2.08, "g": 0.756},
        "redpajama_17_tasks_2024": {"eps": 0.857, "k": 2.21, "g": 0.715},
        "refinedweb_17_tasks_2024": {"eps": 0.865, "k": 2.21, "g": 0.707},
        "c4_46_tasks_2024": {"eps": 0.759, "k": 1.29, "g": 0.972},
        "redpajama_46_tasks_2024": {"eps": 0.761, "k": 1.32, "g": 0.891},
        "refinedweb_46_tasks_2024": {"eps": 0.768, "k": 1.13, "g": 0.822},
    }
    example = Example(presets["c4_17_tasks_2024"], {"L": (2.4, 5.0)}, noise=0.02)

    def log_mean(self, xp: Any, p: Parameters, L: Any) -> Any:
        """See :meth:`Law.log_mean`; below the loss at which the error is zero it stays there."""
        log_solved = p.log_k - p.g * L - p.log_eps
        return p.log_eps + log1mexp(xp, xp.minimum(log_solved, -1e-9))

    def log_top(self, p: Parameters) -> Any:
        """See :meth:`Law.log_top`: no more errors than at chance."""
        return p.log_eps

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Any, L: Any
    ) -> dict[str, Any]:
        """See :meth:`Law.levels_at`."""
        return {"k": p.log_eps + log1mexp(xp, log_response - p.log_eps) + p.g * L}


def loss_for_error(error: Any, constants: Any) -> Any:
    r"""Loss at which a :class:`LossToError` reaches an error, :math:`\ln(k / (\epsilon - e)) / g`.

    Parameters
    ----------
    error : float
        The target, between 0 and 1.
    constants : mapping
        ``eps``, ``k`` and ``g``: numbers, arrays or the variables of a posterior.

    Returns
    -------
    number, array or DataArray
        In nats per token; infinite where chance alone is as good.

    Examples
    --------
    >>> round(float(loss_for_error(0.536, LossToError.presets["c4_17_tasks_2024"])), 2)
    2.5
    """
    with np.errstate(divide="ignore"):
        below_chance = np.maximum(constants["eps"] - error, 0.0)
        return np.log(constants["k"] / below_chance) / constants["g"]
