"""Coverage of repeated sampling from success rates that differ between problems."""

from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log1mexp, log_gamma_ratio
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, fraction, positive


class CoverageBeta(Law):
    r"""Share of problems that at least one of k samples solves, from the rates of the problems.

    .. math::

       p_i \sim (1 - z)\, \mathrm{Beta}(s_1, s_2) + z\, \delta_0, \qquad
       \mathrm{cov}(k) = (1 - z) \left(1 - \frac{B(s_1, s_2 + k)}{B(s_1, s_2)}\right)

    Fit the raw counts: one row a problem, ``y=("solved", "samples")``, an input `k` of 1 (the
    table will say that it does not vary), and ``noise=bs.ZeroInflatedBetaBinomial()``, which shares
    `s1` and `z` with the law.  The forecast of ``kind="mean"`` at any `k` is then the coverage.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `k` counts samples a problem; `z` is the share of problems that are never solved; :math:`s_1` is
    the exponent of the tail, :math:`1 - z - \mathrm{cov} \propto k^{-s_1}`.  `z` and a small
    :math:`s_1` look alike unless there are many more samples a problem than ``1 / p`` of the hard
    ones.

    References
    ----------
    Schaeffer et al. (2025), arXiv:2502.17578; Kazdan et al. (2025), arXiv:2510.05197; pass@N in
    training: Chen et al. (2025), arXiv:2502.07154.

    Examples
    --------
    >>> law = CoverageBeta()
    >>> law([1.0, 100.0, 1e9], s1=0.5, s2=1.5, z=0.2).round(3)
    array([0.2 , 0.71, 0.8 ])
    """

    name = "coverage_beta"
    inputs = ("k",)
    response = "unit"
    better = "higher"
    parameters = (
        exponent("s1", spread=0.8),
        positive("s2", median=2.0, spread=1.5),
        fraction("z", median=0.1),
    )
    monotone = {"k": 1}
    example = Example({"s1": 0.5, "s2": 1.5, "z": 0.2}, {"k": (1.0, 1e4)}, noise=0.05)

    def log_mean(self, xp: Any, p: Parameters, k: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        beyond = log_gamma_ratio(xp, p.s2 + k, p.s1) - log_gamma_ratio(xp, p.s2, p.s1)
        log_unsolved = -p.s1 * xp.log1p(k / p.s2) - beyond
        return log1mexp(xp, p.log_z) + log1mexp(xp, xp.minimum(log_unsolved, -1e-12))


def sampling_shares(rates: Any, k: float) -> Any:
    r"""Split a budget of samples over problems so that coverage at `k` is known best.

    .. math:: n_i \propto \sqrt{p_i (1 - p_i)^{2k - 1}}

    Parameters
    ----------
    rates : array, shape (..., problems)
        Success rates of the problems.
    k : float
        Samples a problem of the coverage that is wanted.

    Returns
    -------
    array, shape (..., problems)
        Shares that add up to 1.

    References
    ----------
    Kazdan et al. (2025), arXiv:2510.05197.

    Examples
    --------
    >>> sampling_shares(np.array([0.5, 0.01]), k=50).round(3)
    array([0., 1.])
    """
    rates = np.asarray(rates, float)
    with np.errstate(divide="ignore"):
        log_weight = 0.5 * (np.log(rates) + (2 * k - 1) * np.log1p(-rates))
    weight = np.exp(log_weight - np.max(log_weight, axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)
