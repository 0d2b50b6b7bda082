"""Power laws whose exponent a theory predicts: variance and resolution, and width."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter, exponent, floor, level


@dataclass(frozen=True)
class FourRegimes(Law):
    r"""Variance- and resolution-limited scaling, :math:`L = L_\infty + A x^{-\alpha}`.

    Where data or width abound relative to the other, the loss is *variance-limited* in it:
    :math:`\alpha = 1`, whatever the data.  Where they are what limits, it is *resolution-limited*:
    :math:`0 < \alpha < 1`, about :math:`4/d` for a data manifold of `d` dimensions.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: tokens, samples, width or parameters.
    regime : {"resolution", "variance"}
        Whether the exponent is free, or 1.

    Notes
    -----
    `A` and `L_inf` have the unit of the loss.  Fit both regimes and compare them with
    :func:`bayescale.compare`, or read :func:`odds_of_one` from the fit with the free exponent;
    :func:`dimension` turns the exponent into a dimension.  ``1/x`` needs `L_inf`, the loss without
    limit, and trades off with it unless the data span two decades.

    References
    ----------
    Bahri et al. (2021), Explaining Neural Scaling Laws, arXiv:2102.06701.

    Examples
    --------
    By hand, 1 + 50 / 100:

    >>> round(float(FourRegimes(regime="variance")(100.0, L_inf=1.0, A=50.0)), 9)
    1.5
    >>> round(float(FourRegimes()(10_000.0, L_inf=1.0, A=50.0, alpha=0.5)), 9)
    1.5
    """

    regime: str = "resolution"

    name = "four_regimes"
    variants = ({"regime": "variance"},)
    monotone = {"x": -1}
    example = Example({"L_inf": 1.5, "A": 40.0, "alpha": 0.4}, {"x": (1e3, 1e7)})

    def __post_init__(self) -> None:
        """Check the regime."""
        if self.regime not in ("resolution", "variance"):
            raise ValueError(f"regime must be 'resolution' or 'variance', not {self.regime!r}")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Floor, level and, where it is free, the exponent."""
        free = (exponent("alpha", median=0.5, spread=0.7, of="A"),)
        return (floor("L_inf"), level("A"), *(free if self.regime == "resolution" else ()))

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Both regimes are offset power laws."""
        return (
            Limit(
                "power_law_offset",
                {},
                lambda v: {"E": v["L_inf"], "A": v["A"], "alpha": v.get("alpha", 1.0)},
            ),
        )

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        alpha = p.alpha if self.regime == "resolution" else 1.0
        return logaddexp(xp, p.log_L_inf, p.log_A - alpha * xp.log(x))


class SuperpositionWidth(Law):
    r"""Loss against the width of the residual stream, :math:`L = L_{rest} + C_m m^{-a_m}`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `m` is the width, `C_m` and `L_rest` have the unit of the loss.  Strong superposition predicts
    :math:`a_m = 1`, which the prior is centred near: test it with :func:`odds_of_one`.  The
    rest belongs to a data set: name the group ``dataset``.

    References
    ----------
    Liu, Liu and Gore (2025), Superposition Yields Robust Neural Scaling, arXiv:2505.10465.

    Examples
    --------
    By hand, 2 + 800 / 1000:

    >>> round(float(SuperpositionWidth()(1000.0, L_rest=2.0, C_m=800.0, a_m=1.0)), 9)
    2.8
    """

    name = "superposition_width"
    inputs = ("m",)
    parameters = (
        floor("L_rest"),
        level("C_m"),
        exponent("a_m", median=0.9, spread=0.3, between=0.1, of="C_m"),
    )
    monotone = {"m": -1}
    example = Example({"L_rest": 2.2, "C_m": 300.0, "a_m": 0.91}, {"m": (128.0, 8192.0)})
    limits = (
        Limit(
            "power_law_offset",
            {},
            lambda v: {"E": v["L_rest"], "A": v["C_m"], "alpha": v["a_m"]},
        ),
    )

    def log_mean(self, xp: Any, p: Parameters, m: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return logaddexp(xp, p.log_L_rest, p.log_C_m - p.a_m * xp.log(m))


def dimension(constants: Mapping[str, Any], numerator: float = 4.0) -> Any:
    r"""Dimension of the data that an exponent implies, :math:`d = 4 / \alpha`.

    Parameters
    ----------
    constants : mapping
        ``alpha``: a number, an array or the variables of a posterior.
    numerator : float
        4 for smooth functions and squared errors; 2 gives the general bound.

    References
    ----------
    Bahri et al. (2021), arXiv:2102.06701.

    Examples
    --------
    >>> dimension({"alpha": 0.25})
    16.0
    """
    return numerator / constants["alpha"]


def odds_of_one(exponents: Any, prior: Parameter) -> float:
    r"""Bayes factor of an exponent of exactly 1 over a free one, from the fit of the free one.

    .. math:: \frac{p(\ln \alpha = 0 \mid \mathrm{data})}{p(\ln \alpha = 0)}

    Parameters
    ----------
    exponents : array_like
        Posterior draws of one exponent that all groups share.
    prior : Parameter
        Its declaration, which holds the prior: ``law.parameter("alpha")``.

    Returns
    -------
    float
        Above 1 the data favour an exponent of 1; times prior odds it is posterior odds.

    Notes
    -----
    Both densities are taken as normal in the logarithm of the exponent.  Like every Bayes factor
    it depends on the prior of the free exponent.

    References
    ----------
    Dickey (1971), Annals of Mathematical Statistics 42, 204 (the density ratio of Savage).

    Examples
    --------
    >>> draws = np.exp(0.05 * np.random.default_rng(0).standard_normal(4000))
    >>> odds_of_one(draws, FourRegimes().parameter("alpha")) > 10
    True
    >>> odds_of_one(0.5 * draws, FourRegimes().parameter("alpha")) < 1e-6
    True
    """
    logs = np.log(np.asarray(exponents, float)).ravel()
    posterior = _log_normal_density(0.0, float(logs.mean()), float(logs.std()))
    return math.exp(posterior - _log_normal_density(0.0, prior.centre, prior.spread))


def _log_normal_density(z: float, mean: float, sd: float) -> float:
    return -0.5 * ((z - mean) / sd) ** 2 - math.log(sd)
