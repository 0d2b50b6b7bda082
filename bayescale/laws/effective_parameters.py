"""Parameters of few bits count as fewer parameters."""

from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import log1mexp, log_sum
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, positive


class EffectiveParameters(Law):
    r"""Additive law in which parameters of few bits count in part.

    .. math:: L = E + A N_{eff}^{-\alpha} + B D^{-\beta}, \qquad
        N_{eff} = N \left(1 - e^{-P/g}\right)

    Notes
    -----
    `N` are parameters, `D` tokens, `P` the bits of a parameter in training, `g` is in bits; losses
    are in nats per token.  The form is taken from a paper that compares with it; its constants
    are not verified here.  A width beyond a few times `g` no longer matters.

    References
    ----------
    Kumar et al. (2024), Scaling Laws for Precision, arXiv:2411.04330, as quoted by Sun et al.
    (2025), arXiv:2501.02423.

    Examples
    --------
    Half of the parameters count at g ln 2 bits: by hand, 2 + 400 * 2.5e7**-0.25.

    >>> from math import log
    >>> law = EffectiveParameters()
    >>> loss = law(5e7, 1e60, 2.0, E=2.0, A=400.0, alpha=0.25, B=1.0, beta=1.0, g=2 / log(2))
    >>> round(float(loss), 3)
    7.657
    """

    name = "effective_parameters"
    inputs = ("N", "D", "P")
    conditions = ("P",)
    parameters = (
        floor("E"),
        level("A"),
        exponent("alpha", of="A"),
        level("B"),
        exponent("beta", of="B"),
        positive("g", median=2.0, spread=0.5, between=0.2),
    )
    monotone = {"N": -1, "D": -1, "P": -1}
    example = Example(
        {"E": 1.8, "A": 480.0, "alpha": 0.35, "B": 2000.0, "beta": 0.37, "g": 2.5},
        {"N": (3e7, 1e9), "D": (1e9, 3e10), "P": (3.0, 4.0, 6.0, 8.0, 16.0)},
        noise=0.005,
    )
    limits = (
        Limit(
            "chinchilla",
            {"g": 1e-6},
            lambda v: {k: v[k] for k in ("E", "A", "alpha", "B", "beta")},
            lambda N, D, P: (N, D),
        ),
    )

    def log_mean(self, xp: Any, p: Parameters, N: Any, D: Any, P: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        log_size = xp.log(N) + log1mexp(xp, -P / p.g)
        return log_sum(xp, p.log_E, p.log_A - p.alpha * log_size, p.log_B - p.beta * xp.log(D))

    def identifiability(self, x: Any) -> list[str]:
        """Say where no width is small enough to matter."""
        if min(x["P"]) > 8:
            return ["no run below 8 bits: g stays at its prior"]
        return []
