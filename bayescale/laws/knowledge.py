"""Bits of knowledge that a model holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import log1mexp, logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, location, named, positive


@dataclass(frozen=True)
class KnowledgeCapacity(Law):
    r"""Bits stored by a model: what its parameters hold, at most what the corpus has.

    .. math:: \mathrm{bits} = \left((R N)^{-s} + H^{-s}\right)^{-1/s}, \qquad
        R = R_{max} \left(1 - e^{-(e/e_0)^q}\right)

    Parameters
    ----------
    sharpness : float
        Fixed s, the sharpness of the handover; large values give ``min(R N, H)``.

    Notes
    -----
    `N` counts parameters, `e` exposures of every fact, `H` bits in the corpus, known by
    construction; the response is in bits, `R_max` in bits per parameter.  The authors state the
    minimum and capacities at some numbers of exposures; the smooth handover and the form of R are
    this package's own.  Only runs with `H` well above ``R N`` tell `R_max`.  A group named
    ``format`` (a number format, a sparsity) gives each its own `R_max`.

    References
    ----------
    Allen-Zhu and Li (2024), Physics of Language Models: Part 3.3, arXiv:2404.05405.

    Examples
    --------
    The claim of two bits a parameter: a model of 7e9 holds 14e9 bits.

    >>> law = KnowledgeCapacity()
    >>> bits = law(7e9, 1e6, 1e13, R_max=2.0, e0=100.0, q=0.7)
    >>> round(float(bits) / 1e9, 3)
    14.0
    """

    sharpness: float = 8.0

    name = "knowledge_capacity"
    inputs = ("N", "e", "H")
    better = "higher"
    parameters = (
        named(positive("R_max", median=1.5, spread=0.7, between=0.2), groups=("format",)),
        location("e0", of="e"),
        exponent("q", median=0.7),
    )
    monotone = {"N": 1, "e": 1, "H": 1}
    example = Example(
        {"R_max": 2.0, "e0": 150.0, "q": 0.8},
        {"N": (1e6, 1e9), "e": (10.0, 2000.0), "H": (3e7, 3e10)},
        noise=0.03,
    )
    limits = (
        Limit(
            "power_law",
            {"R_max": 1e40},
            lambda v: {"A": 1.0, "alpha": -1.0},
            lambda N, e, H: (H,),
        ),
    )

    def __post_init__(self) -> None:
        """Check the sharpness."""
        if not self.sharpness > 0:
            raise ValueError(f"sharpness must be positive, not {self.sharpness!r}")

    def log_mean(self, xp: Any, p: Parameters, N: Any, e: Any, H: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        seen = xp.exp(p.q * (xp.log(e) - p.log_e0))
        capacity = p.log_R_max + log1mexp(xp, -seen) + xp.log(N)
        s = self.sharpness
        return -logaddexp(xp, -s * capacity, -s * xp.log(H)) / s

    def identifiability(self, x: Any) -> list[str]:
        """Say where every model may hold the whole corpus."""
        if np.all(x["H"] < x["N"]):
            return ["no corpus has more bits than a model has parameters: R_max is a lower bound"]
        return []


def size_for(bits: Any, exposures: Any, constants: Mapping[str, Any]) -> Any:
    """Parameters that hold so many bits after so many exposures of each fact.

    Parameters
    ----------
    bits, exposures : array_like
        What is to be stored, and how often each fact is seen.
    constants : mapping
        ``R_max``, ``e0`` and ``q``: numbers, arrays or the variables of a posterior.

    Examples
    --------
    >>> round(float(size_for(14e9, 1e6, {"R_max": 2.0, "e0": 100.0, "q": 0.7})) / 1e9, 6)
    7.0
    """
    seen = (exposures / constants["e0"]) ** constants["q"]
    return bits / (constants["R_max"] * -np.expm1(-seen))


def exposures_for(bits: Any, N: Any, constants: Mapping[str, Any]) -> Any:
    """Exposures of each fact after which a model of `N` parameters holds so many bits.

    Parameters
    ----------
    bits, N : array_like
        What is to be stored, and in how many parameters.
    constants : mapping
        As for :func:`size_for`.

    Returns
    -------
    number, array or DataArray
        Infinite where no number of exposures suffices.

    Examples
    --------
    >>> half = 1.0 - np.exp(-1.0)
    >>> exposures_for(half * 2e9, 1e9, {"R_max": 2.0, "e0": 100.0, "q": 0.7}).round(6)
    np.float64(100.0)
    """
    share = np.minimum(bits / (constants["R_max"] * N), 1.0)
    with np.errstate(divide="ignore"):
        return constants["e0"] * (-np.log1p(-share)) ** (1 / constants["q"])
