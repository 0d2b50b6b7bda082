"""Kaplan's joint laws: no irreducible part, and a penalty for too little data or too few steps."""

from collections.abc import Mapping
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, level


class KaplanND(Law):
    r"""Loss of early-stopped models that may overfit.

    .. math:: L = \left[ (N_c/N)^{\alpha_N/\alpha_D} + D_c/D \right]^{\alpha_D}

    Notes
    -----
    N are parameters without embeddings, D unique tokens, L nats per token; `Nc` and `Dc` have the
    units of N and D.  `aD` is known only from runs that are limited by data.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, equation 1.5 and table 2.

    Examples
    --------
    >>> law = KaplanND()
    >>> round(float(law(1e9, 2e10, **law.presets["kaplan_2020"])), 3)
    2.374
    >>> data = law.enough_data(1e9, law.presets["kaplan_2020"])
    >>> round(float(data) / 1e9)
    24
    """

    name = "kaplan_nd"
    inputs = ("N", "D")
    parameters = (
        level("Nc"),
        exponent("aN", median=0.1),
        level("Dc"),
        exponent("aD", median=0.1),
    )
    monotone = {"N": -1, "D": -1}
    presets = {"kaplan_2020": {"aN": 0.076, "aD": 0.103, "Nc": 6.4e13, "Dc": 1.8e13}}
    example = Example(presets["kaplan_2020"], {"N": (1e5, 1e9), "D": (2e7, 2e10)})
    limits = (
        Limit(
            "power_law",
            {"Dc": 1e-60},
            lambda v: {"A": v["Nc"] ** v["aN"], "alpha": v["aN"]},
            lambda N, D: (N,),
        ),
    )

    def enough_data(self, N: Any, constants: Mapping[str, Any], excess: float = 0.02) -> Any:
        """Tokens with which overfitting costs at most a relative `excess` of the loss."""
        v = constants
        by_size = (v["Nc"] / N) ** (v["aN"] / v["aD"])
        return v["Dc"] / (by_size * ((1 + excess) ** (1 / v["aD"]) - 1))

    def log_mean(self, xp: Any, p: Parameters, N: Any, D: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        by_size = p.aN / p.aD * (p.log_Nc - xp.log(N))
        return p.aD * logaddexp(xp, by_size, p.log_Dc - xp.log(D))

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Shares are those of the two terms within the bracket."""
        bracket = log_response / p.aD
        return {
            "Nc": xp.log(x[0]) + p.aD / p.aN * (bracket + log_shares["Nc"]),
            "Dc": xp.log(x[1]) + bracket + log_shares["Dc"],
        }


class KaplanNS(Law):
    r"""Loss after a number of steps at very large batch.

    .. math:: L = (N_c/N)^{\alpha_N} + (S_c/S)^{\alpha_S}

    Notes
    -----
    N are parameters without embeddings, S the least number of steps (what would be needed at a
    batch far above the critical one), L nats per token; `Nc` and `Sc` have the units of N and S.
    Leave the warm-up out; `Sc` and `aS` trade off unless S spans a decade and a half.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, equation 1.6 and table 3.

    Examples
    --------
    >>> law = KaplanNS()
    >>> round(float(law(1e9, 1e5, **law.presets["kaplan_2020"])), 3)
    2.401
    """

    name = "kaplan_ns"
    inputs = ("N", "S")
    parameters = (
        level("Nc"),
        exponent("aN", median=0.1),
        level("Sc"),
        exponent("aS", median=0.6),
    )
    monotone = {"N": -1, "S": -1}
    presets = {"kaplan_2020": {"aN": 0.077, "aS": 0.76, "Nc": 6.5e13, "Sc": 2.1e3}}
    example = Example(presets["kaplan_2020"], {"N": (1e5, 1e9), "S": (3e2, 2e5)})

    def log_mean(self, xp: Any, p: Parameters, N: Any, S: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        by_size = p.aN * (p.log_Nc - xp.log(N))
        return logaddexp(xp, by_size, p.aS * (p.log_Sc - xp.log(S)))

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Shares are those of the two terms."""
        return {
            "Nc": xp.log(x[0]) + (log_response + log_shares["Nc"]) / p.aN,
            "Sc": xp.log(x[1]) + (log_response + log_shares["Sc"]) / p.aS,
        }

    def identifiability(self, x: Any) -> list[str]:
        """Say where steps span too little for their exponent."""
        if max(x["S"]) < 30 * min(x["S"]):
            return ["S spans less than a decade and a half: Sc and aS trade off"]
        return []
