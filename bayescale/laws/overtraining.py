"""Loss of over-trained models, by compute and tokens per parameter."""

from collections.abc import Mapping
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import log_sum
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level


class Overtraining(Law):
    r"""Loss by compute and tokens per parameter.

    .. math:: L = E + \left( a M^{\eta} + b M^{-\eta} \right) C^{-\eta}, \quad M = D/N

    Notes
    -----
    C are training FLOPs, M tokens per parameter, L nats per token.  With C = 6 N D it is the
    additive law of N and D with both exponents :math:`2\eta`.  The tie removes the ridge of the two
    exponents but makes the optimum :math:`M^* = (b/a)^{1/(2\eta)}` very sensitive: report its
    posterior.

    References
    ----------
    Gadre et al. (2024), arXiv:2403.08540.  The presets are refits of the authors' runs with their
    selection of runs, in raw units: a reproduction check, not a decision.

    Examples
    --------
    >>> law = Overtraining()
    >>> round(float(law(6e20, 20.0, **law.presets["c4_2024"])), 2)
    2.52
    >>> round(float(law.best_ratio(law.presets["c4_2024"])), 1)
    3.4
    """

    name = "overtraining"
    inputs = ("C", "M")
    conditions = ("M",)
    parameters = (floor("E"), level("a"), level("b"), exponent("eta", median=0.15))
    monotone = {"C": -1}
    presets = {
        "c4_2024": {"a": 141.28, "b": 189.52, "eta": 0.12124, "E": 1.5083},
        "redpajama_2024": {"a": 212.24, "b": 366.69, "eta": 0.13643, "E": 1.8366},
        "refinedweb_2024": {"a": 157.12, "b": 246.21, "eta": 0.12720, "E": 1.7345},
    }
    example = Example(presets["c4_2024"], {"C": (1e16, 1e21), "M": (5.0, 640.0)})
    limits = (
        Limit(
            "chinchilla",
            {},
            lambda v: {
                "E": v["E"],
                "A": v["a"] / 6 ** v["eta"],
                "alpha": 2 * v["eta"],
                "B": v["b"] / 6 ** v["eta"],
                "beta": 2 * v["eta"],
            },
            lambda C, M: ((C / (6 * M)) ** 0.5, (C * M / 6) ** 0.5),
        ),
    )

    def best_ratio(self, constants: Mapping[str, Any]) -> Any:
        """Tokens per parameter that minimise the loss at any compute.

        Parameters
        ----------
        constants : mapping
            ``a``, ``b`` and ``eta``: numbers, arrays or the variables of a posterior.
        """
        return (constants["b"] / constants["a"]) ** (1 / (2 * constants["eta"]))

    def log_mean(self, xp: Any, p: Parameters, C: Any, M: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        log_C, log_M = xp.log(C), xp.log(M)
        return log_sum(
            xp, p.log_E, p.log_a - p.eta * (log_C - log_M), p.log_b - p.eta * (log_C + log_M)
        )
