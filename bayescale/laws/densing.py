"""How fast models of one quality shrink over the years."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import level, slope


class Densing(Law):
    r"""Capacity density growing exponentially with time, :math:`\ln\rho = \ln\rho_0 + A t`.

    The capacity density of a model is the size that a reference family would need for its score,
    over its own size.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `t` counts **years** from a date before the first model, `A` is per year (365 times the paper's
    per day) and doubles the density every :math:`\ln 2 / A` years; :math:`\rho` has no unit.  The
    law describes the best models of their time, so scatter reaches down:
    ``noise=bs.LogOneSided(above=1/3)``.  Densities are no measurements but follow from fits of a
    reference; :func:`capacity_density` gives them as draws and :func:`growth_rates` carries the
    uncertainty of the reference into the growth, which a fit of this law to one density a model
    leaves out.

    References
    ----------
    Xiao et al. (2024), Densing Law of LLMs, arXiv:2412.04315.

    Examples
    --------
    The paper's 0.007 per day: doubling in 99 days, so about 13 times denser in a year.

    >>> law = Densing()
    >>> round(float(law(1.0, rho0=1.0, A=0.007 * 365)), 1)
    12.9
    >>> round(365 * doubling_time({"A": 0.007 * 365}))
    99
    """

    name = "densing"
    inputs = ("t",)
    better = "higher"
    parameters = (level("rho0"), slope("A", mean=1.0, spread=2.0, between=0.5))
    example = Example({"rho0": 0.1, "A": 2.5}, {"t": (0.5, 2.5)}, noise=0.3)

    def log_mean(self, xp: Any, p: Parameters, t: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.log_rho0 + p.A * t


def doubling_time(constants: Mapping[str, Any]) -> Any:
    r"""Time in which the density doubles, :math:`\ln 2 / A`.

    Parameters
    ----------
    constants : mapping
        ``A``: a number, an array or the variables of a posterior.

    Returns
    -------
    array_like
        In the unit of `t`; negative where density falls.

    Examples
    --------
    >>> round(float(doubling_time({"A": 2.5})), 3)
    0.277
    """
    return np.log(2.0) / constants["A"]


def capacity_density(
    loss: Mapping[str, Any], score: Mapping[str, Any], scores: Any, N: Any, D: float = 1e12
) -> np.ndarray:
    r"""Effective size of models over their own, from draws of a reference.

    A :class:`~bayescale.laws.LossToAccuracy` turns a score into a loss, and a
    :class:`~bayescale.laws.Chinchilla` the loss into the size that reaches it on `D` tokens.

    Parameters
    ----------
    loss : mapping
        ``E``, ``A``, ``alpha``, ``B`` and ``beta`` of the reference: numbers, or draws (sample,).
    score : mapping
        ``lo``, ``hi``, ``L_mid`` and ``g`` of the score given the loss, likewise.
    scores, N : array, shape (models,)
        Measured scores, and parameters.
    D : float
        Tokens on which the reference is trained.

    Returns
    -------
    array, shape (sample, models)
        Not a number where a score is no better than chance, or better than the reference reaches
        at any size: a density that is not known, only large.

    Examples
    --------
    A model like the reference has a density of 1:

    >>> loss = dict(E=1.8, A=480.0, alpha=0.35, B=2000.0, beta=0.37)
    >>> score = dict(lo=0.25, hi=0.9, L_mid=2.0, g=4.0)
    >>> L = 1.8 + 480 * 7e9**-0.35 + 2000 * 1e12**-0.37
    >>> S = 0.25 + 0.65 / (1 + np.exp(4 * (L - 2.0)))
    >>> capacity_density(loss, score, np.array([S]), np.array([7e9])).round(6)
    array([[1.]])
    """
    E, A, alpha, B, beta = (_column(loss[k]) for k in ("E", "A", "alpha", "B", "beta"))
    lo, hi, middle, g = (_column(score[k]) for k in ("lo", "hi", "L_mid", "g"))
    scores = np.asarray(scores, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        reached = middle + np.log((hi - scores) / (scores - lo)) / g
        left = reached - E - B * D**-beta
        size = (left / A) ** (-1 / alpha)
    return np.where((left > 0) & (scores > lo), size / np.asarray(N, float), np.nan)


def growth_rates(density: Any, t: Any, seed: int = 0) -> np.ndarray:
    """Draws of the growth of the best density of its time, one for every draw of the densities.

    In each draw the best models of dates that beat all before make the frontier; the slope of its
    line is drawn from its posterior under a flat prior: the spread of the result holds the scatter
    of the models and the uncertainty of the reference.

    Parameters
    ----------
    density : array, shape (sample, models)
        From :func:`capacity_density`; entries that are not a number are left out.
    t : array, shape (models,)
        When the models came out.
    seed : int
        Seed.

    Returns
    -------
    array, shape (sample,)
        Per unit of `t`; not a number where fewer than four dates make the frontier.

    Examples
    --------
    >>> t = np.linspace(0.1, 2.0, 8)
    >>> rates = growth_rates(np.tile(np.exp(2.5 * t), (100, 1)), t)
    >>> round(float(np.median(rates)), 6)
    2.5
    """
    rng = np.random.default_rng(seed)
    dates, of_model = np.unique(np.asarray(t, float), return_inverse=True)
    logs = np.log(np.atleast_2d(np.asarray(density, float)))
    rates = np.full(len(logs), np.nan)
    for i, row in enumerate(logs):
        best = np.full(len(dates), -np.inf)
        np.maximum.at(best, of_model, np.where(np.isnan(row), -np.inf, row))
        ahead = best > np.maximum.accumulate(np.r_[-np.inf, best[:-1]])
        if ahead.sum() >= 4:
            rates[i] = _slope_draw(dates[ahead], best[ahead], rng)
    return rates


def _slope_draw(t: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> float:
    """Draw the slope of a line under a flat prior."""
    centred = t - t.mean()
    spread = float(centred @ centred)
    slope_hat = float(centred @ y) / spread
    residual = y - y.mean() - slope_hat * centred
    free = len(t) - 2
    error = np.sqrt(float(residual @ residual) / free / spread)
    return slope_hat + error * float(rng.standard_t(free))


def _column(value: Any) -> np.ndarray:
    """Stand a constant, or draws, against models in the last axis."""
    return np.atleast_1d(np.asarray(value, float)).reshape(-1, 1)
