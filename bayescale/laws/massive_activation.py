"""Activations that tower above the others, along training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import intercept, location, positive, slope


class MassiveActivation(Law):
    r"""Ratio of the largest to the median activation of a layer: a rise, a peak and a decay.

    .. math:: f(t) = A e^{-\lambda x} \ln x + K, \qquad x = t/\tau + t_0

    Notes
    -----
    `t` counts training steps, `tau` is in steps and is the inverse of the paper's
    :math:`\gamma`; `lam` and `t0` are numbers; `A` and `K` are in units of the ratio, which may be
    below 1 and is taken as it is, with Student-t scatter.  For small `lam` only
    :math:`K - A \ln\tau` is known, and `K` is then not the value at the end of training: read
    :func:`peak` and forecasts.  Make the layer a group.

    References
    ----------
    Gallego-Feliciano et al. (2025), Hidden Dynamics of Massive Activations in Transformer Training,
    arXiv:2508.03616.

    Examples
    --------
    By hand at x = e: 100 * exp(-0.1 e) + 5.

    >>> law = MassiveActivation()
    >>> round(float(law(1e3 * (np.e - 1), A=100.0, lam=0.1, tau=1e3, t0=1.0, K=5.0)), 2)
    81.2
    """

    name = "massive_activation"
    inputs = ("t",)
    response = "real"
    parameters = (
        intercept("K"),
        slope("A", spread=2.0, between=0.5),
        positive("lam", median=0.05, spread=1.0),
        location("tau", of="t"),
        positive("t0", median=1.0, spread=0.5),
    )
    example = Example(
        {"K": 20.0, "A": 200.0, "lam": 0.05, "tau": 1500.0, "t0": 1.0},
        {"t": (500.0, 140_000.0)},
        noise=10.0,
    )
    limits = (
        Limit(
            "log_law",
            {"lam": 0.0, "t0": 0.0},
            lambda v: {"a": v["K"] - v["A"] * np.log(v["tau"]), "b": v["A"] * np.log(10.0)},
        ),
    )

    def mean(self, xp: Any, p: Parameters, t: Any) -> Any:
        """See :meth:`Law.mean`."""
        x = t / p.tau + p.t0
        return p.A * xp.exp(-p.lam * x) * xp.log(x) + p.K


def peak(constants: Mapping[str, Any]) -> tuple[Any, Any]:
    r"""Step and height of the peak of a :class:`MassiveActivation`.

    .. math:: t_{peak} = \tau \left(e^{W(1/\lambda)} - t_0\right)

    with Lambert's function W.

    Parameters
    ----------
    constants : mapping
        ``A``, ``lam``, ``tau``, ``t0`` and ``K``: numbers, arrays or variables of a posterior.

    Returns
    -------
    step, height
        The step is 0 or below where the ratio falls from the start; the height is then that of
        the formula before training.

    Examples
    --------
    >>> step, height = peak({"A": 100.0, "lam": 1 / np.e, "tau": 1e3, "t0": 1.0, "K": 0.0})
    >>> round(float(step), 1), round(float(height), 2)
    (1718.3, 36.79)
    """
    from scipy.special import lambertw

    x = np.exp(lambertw(1 / constants["lam"]).real)
    height = constants["A"] * np.exp(-constants["lam"] * x) * np.log(x) + constants["K"]
    return constants["tau"] * (x - constants["t0"]), height
