"""Responses that fall faster than any power law."""

from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, location


class StretchedExponential(Law):
    r"""Stretched exponential decay, :math:`y = E + A \exp(-(x/\tau)^\kappa)`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: examples kept, tokens or samples per parameter.

    Notes
    -----
    `E` and `A` have the unit of the response, `tau` that of the input.  Over one decade the law
    cannot be told from an offset power law (compare the two), and for small `kappa` the
    amplitude, `tau` and `kappa` trade off.

    References
    ----------
    Sorscher et al. (2022), arXiv:2206.14486: pruned data can beat power laws.

    Examples
    --------
    >>> round(float(StretchedExponential()(1e6, E=0.1, A=1.0, tau=1e6, kappa=0.5)), 3)
    0.468
    """

    name = "stretched_exponential"
    parameters = (
        floor("E"),
        level("A"),
        location("tau", of="x"),
        exponent("kappa", median=0.7, spread=0.4),
    )
    monotone = {"x": -1}
    example = Example({"E": 0.1, "A": 0.8, "tau": 1e6, "kappa": 0.5}, {"x": (1e4, 1e8)})
    limits = (
        Limit(
            "exponential_law",
            {"kappa": 1.0},
            lambda v: {"E": v["E"], "A": v["A"], "tau": v["tau"]},
        ),
    )

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        decay = xp.exp(p.kappa * (xp.log(x) - p.log_tau))
        return logaddexp(xp, p.log_E, p.log_A - decay)

    def identifiability(self, x: Any) -> list[str]:
        """Say where the data are too narrow to tell the law from a power law."""
        if max(x["x"]) < 10 * min(x["x"]):
            return ["less than one decade of the input: a power law fits as well; compare the two"]
        return []


class ExponentialLaw(Law):
    r"""Exponential decay to a floor, :math:`y = E + A \exp(-x/\tau)`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `E` and `A` have the unit of the response, `tau` that of the input.

    References
    ----------
    Sorscher et al. (2022), arXiv:2206.14486.

    Examples
    --------
    >>> round(float(ExponentialLaw()(2e6, E=0.1, A=1.0, tau=1e6)), 3)
    0.235
    """

    name = "exponential_law"
    parameters = (floor("E"), level("A"), location("tau", of="x"))
    monotone = {"x": -1}
    example = Example({"E": 0.1, "A": 0.8, "tau": 1e6}, {"x": (1e5, 1e7)})

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return logaddexp(xp, p.log_E, p.log_A - x / p.tau)
