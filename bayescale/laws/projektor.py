"""Performance of data mixtures from their distance to the validation data."""

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import intercept, slope


@dataclass(frozen=True)
class Projektor(Law):
    r"""Performance linear in a transport distance and in the logarithm of size.

    .. math:: V = c_0 + c_1 z + (s_0 + s_1 z) u, \qquad
        z = OT/OT_r - 1, \quad u = \ln(N/N_r)

    Parameters
    ----------
    N_r, OT_r : float
        Size and distance amid the data, where `c0` is the performance.

    Notes
    -----
    `OT` is the optimal-transport distance between a mixture and the validation data, `N` counts
    samples, V is a signed score.  At each size this is the paper's line in OT; that it
    is a line in ln N between sizes, as in :func:`extrapolate`, is this package's reading of the
    paper.  Two sizes fix the line in ln N exactly: use three, or no scatter is left to judge
    it by.

    References
    ----------
    Kang et al. (2023), Performance Scaling via Optimal Transport, arXiv:2307.02460.

    Examples
    --------
    At twice the reference distance and e times the size: by hand 0.6 - 0.1 + (0.05 - 0.01).

    >>> law = Projektor(N_r=1e4, OT_r=10.0)
    >>> round(float(law(1e4 * np.e, 20.0, c0=0.6, c1=-0.1, s0=0.05, s1=-0.01)), 6)
    0.54
    """

    N_r: float = 1e4
    OT_r: float = 10.0

    name = "projektor"
    variants = ({"N_r": 100.0},)
    inputs = ("N", "OT")
    conditions = ("OT",)
    response = "real"
    better = "higher"
    parameters = (
        intercept("c0"),
        slope("c1", spread=3.0, between=1.0),
        slope("s0", spread=2.0, between=0.5),
        slope("s1", spread=2.0, between=0.5),
    )
    example = Example(
        {"c0": 0.6, "c1": -0.15, "s0": 0.05, "s1": 0.02},
        {"N": (1e3, 1e5), "OT": (5.0, 20.0)},
        noise=0.01,
    )

    def __post_init__(self) -> None:
        """Check the references."""
        if not (self.N_r > 0 and self.OT_r > 0):
            raise ValueError(f"N_r and OT_r must be positive, not {self.N_r!r} and {self.OT_r!r}")

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Where the distance does not matter, a line in the logarithm of size."""
        return (
            Limit(
                "log_law",
                {"c1": 0.0, "s1": 0.0},
                lambda v: {"a": v["c0"] - v["s0"] * log(self.N_r), "b": v["s0"] * log(10.0)},
                lambda N, OT: (N,),
            ),
        )

    def mean(self, xp: Any, p: Parameters, N: Any, OT: Any) -> Any:
        """See :meth:`Law.mean`."""
        z, u = OT / self.OT_r - 1, xp.log(N) - log(self.N_r)
        return p.c0 + p.c1 * z + (p.s0 + p.s1 * z) * u

    def identifiability(self, x: Any) -> list[str]:
        """Say where there are too few sizes."""
        found = len(set(x["N"].tolist()))
        if found < 3:
            return [f"{found} sizes: the line in ln N passes through both; use three at least"]
        return []


def extrapolate(N: Any, small: float, at_small: Any, large: float, at_large: Any) -> Any:
    r"""Extrapolate performance to another size, from those at two sizes and nothing else.

    .. math:: V(N) = \frac{\ln(N/N_0) V(N_1) + \ln(N_1/N) V(N_0)}{\ln(N_1/N_0)}

    Parameters
    ----------
    N : array_like
        Where it is wanted.
    small, large : float
        The two sizes, :math:`N_0 < N_1`.
    at_small, at_large : array_like
        Performance there, such as posterior draws.

    References
    ----------
    Kang et al. (2023), arXiv:2307.02460; a line in ln N through two sizes is this package's
    reading of it.

    Examples
    --------
    >>> round(float(extrapolate(1e5, 1e3, 0.5, 1e4, 0.6)), 6)
    0.7
    """
    weight = np.log(N / small) / np.log(large / small)
    return weight * at_large + (1 - weight) * at_small
