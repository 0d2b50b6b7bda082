"""Loss of translation models over the sizes of encoder and decoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level


@dataclass(frozen=True)
class NMTBivariate(Law):
    r"""Loss of an encoder and a decoder, a product of powers above a floor.

    .. math:: L = L_\infty + a (N_{e0}/N_e)^{p_e} (N_{d0}/N_d)^{p_d}

    Parameters
    ----------
    Ne0, Nd0 : float
        Sizes at which `a` is the reducible loss.

    Notes
    -----
    `Ne` and `Nd` count parameters of encoder and decoder; `L_inf` and `a` have the unit of the
    loss.  Models whose two parts grow in proportion tell only the sum of the exponents.  The floor
    belongs to a test set (name the group ``dataset``), the exponents to a pair of languages.  The
    constants of ``example`` are made up, not the paper's.

    References
    ----------
    Ghorbani et al. (2021), Scaling Laws for Neural Machine Translation, arXiv:2109.07740.

    Examples
    --------
    By hand, 1 + 0.5 * 4**-0.5 * 16**-0.25:

    >>> law = NMTBivariate(Ne0=1e8, Nd0=1e8)
    >>> round(float(law(4e8, 16e8, L_inf=1.0, a=0.5, pe=0.5, pd=0.25)), 6)
    1.125
    """

    Ne0: float = 1e8
    Nd0: float = 1e8

    name = "nmt_bivariate"
    variants = ({"Ne0": 1e7},)
    inputs = ("Ne", "Nd")
    parameters = (
        floor("L_inf"),
        level("a"),
        exponent("pe", median=0.2, of="a"),
        exponent("pd", median=0.3, of="a"),
    )
    monotone = {"Ne": -1, "Nd": -1}
    example = Example(
        {"L_inf": 1.2, "a": 0.6, "pe": 0.18, "pd": 0.31}, {"Ne": (2e7, 2e9), "Nd": (2e7, 2e9)}
    )

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Without a floor a product of powers."""
        product = lambda v: {  # noqa: E731
            "A": v["a"] * self.Ne0 ** v["pe"] * self.Nd0 ** v["pd"],
            "a_x1": v["pe"],
            "a_x2": v["pd"],
        }
        return (Limit("bivariate_power", {"L_inf": 0.0}, product),)

    def log_mean(self, xp: Any, p: Parameters, Ne: Any, Nd: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        encoder = p.pe * (xp.log(Ne) - log(self.Ne0))
        decoder = p.pd * (xp.log(Nd) - log(self.Nd0))
        return logaddexp(xp, p.log_L_inf, p.log_a - encoder - decoder)

    def identifiability(self, x: Any) -> list[str]:
        """Say where both parts grow in proportion."""
        shapes = {round(float(r), 1) for r in np.log2(x["Ne"] / x["Nd"])}
        if len(shapes) < 3:
            return [f"{len(shapes)} ratios Ne/Nd: pe and pd trade off; three are the least"]
        return []


def best_split(size: Any, constants: Mapping[str, Any]) -> tuple[Any, Any]:
    r"""Sizes of encoder and decoder that serve a total size best, :math:`N_e/N_d = p_e/p_d`.

    Parameters
    ----------
    size : array_like
        Parameters in all.
    constants : mapping
        ``pe`` and ``pd``: numbers, arrays or the variables of a posterior.

    Returns
    -------
    Ne, Nd
        Adding up to `size`.

    Examples
    --------
    >>> best_split(1e9, {"pe": 0.2, "pd": 0.3})
    (400000000.0, 600000000.0)
    """
    share = constants["pe"] / (constants["pe"] + constants["pd"])
    return size * share, size * (1 - share)
