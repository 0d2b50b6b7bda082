r"""How the groups of one parameter lie around their population.

The deviations :math:`d_1, \dots, d_K` of the groups are normal with a common standard deviation
:math:`\tau`, and :math:`\tau^2` has a scaled inverse chi-squared prior.  Sampled together they form
a funnel (Betancourt and Girolami 2013, arXiv:1312.0906), for which neither the centred nor the
non-centred form is right when some groups are rich and others poor.  Here :math:`\tau` is
integrated out: the deviations are jointly Student-t,

.. math:: \log p(d) = -\tfrac{\nu + K}{2} \log\left(1 + \tfrac{\sum_k d_k^2}{\nu s^2}\right) + c,

which has no neck, and in which the two forms differ only by a linear map.  By default
:math:`\nu = 3`: the standard deviation varies by half a log unit and stays off zero, where few
groups would collapse onto one value and narrow the bands (Chung et al. 2013, Psychometrika 78,
685).  After sampling
:math:`\tau` is drawn from its exact conditional,
:math:`\tau^2 \mid d \sim (\nu s^2 + \sum_k d_k^2) / \chi^2_{\nu + K}`
(Gelman et al. 2013, Bayesian Data Analysis, section 2.6).
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import gammaincinv

from bayescale.laws.numerics import gammaln
from bayescale.laws.roles import Parameter

#: Shape of the gamma prior of the standard deviation of effects, and its rate times their scale.
EFFECT_SHAPE, EFFECT_RATE = 2.0, 3.0


def typical_deviation(q: Parameter) -> float:
    """Scale s of the prior, whose median is half of what the parameter names as `between`."""
    median_chi2 = 2 * gammaincinv(0.5 * q.between_dof, 0.5)
    return 0.5 * q.between * math.sqrt(median_chi2 / q.between_dof)


def effect_spread(q: Parameter) -> float:
    """Prior median of the standard deviation of an effect, a gamma of shape 2."""
    return float(gammaincinv(EFFECT_SHAPE, 0.5)) / EFFECT_RATE * q.between


class Spread(Protocol):
    """How units of a parameter lie around a mean; densities are joint over the last axis."""

    def log_density(self, xp: Any, deviation: Any) -> Any:
        """Log density of deviations, (..., units) -> (...)."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw deviations."""


@dataclass(frozen=True)
class Alone:
    """Independent units, under the prior of the parameter."""

    q: Parameter

    def log_density(self, xp: Any, deviation: Any) -> Any:
        """See :class:`Spread`."""
        constant = 0.5 * math.log(2 * math.pi) + math.log(self.q.spread)
        return -xp.sum(0.5 * (deviation / self.q.spread) ** 2 + constant, axis=-1)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """See :class:`Spread`."""
        return self.q.spread * rng.standard_normal(shape)


@dataclass(frozen=True)
class Together:
    """Groups of one population, whose standard deviation is integrated out."""

    q: Parameter

    def log_density(self, xp: Any, deviation: Any) -> Any:
        """See :class:`Spread`."""
        count, dof = deviation.shape[-1], self.q.between_dof
        scale, half = dof * typical_deviation(self.q) ** 2, 0.5 * (dof + count)
        log_constant = gammaln(xp, half) - math.lgamma(0.5 * dof)
        log_constant = log_constant - 0.5 * count * math.log(math.pi * scale)
        return log_constant - half * xp.log1p(xp.sum(deviation**2, axis=-1) / scale)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """See :class:`Spread`."""
        dof = self.q.between_dof
        between = typical_deviation(self.q) * np.sqrt(dof / rng.chisquare(dof, shape[:-1]))
        return np.asarray(between[..., None] * rng.standard_normal(shape))


def deviations(name: str, q: Parameter, centre: Any, step: Any, **shape: Any) -> Any:
    """Variable whose distance from `centre`, times `step`, deviates as the groups of `q` do."""
    import pymc as pm
    import pytensor.tensor as pt

    together = Together(q)

    def logp(value: Any, centre: Any, step: Any) -> Any:
        return together.log_density(pt, (value - centre) * step) + pt.sum(pt.log(step), axis=-1)

    def random(centre: Any, step: Any, rng: Any = None, size: Any = None) -> Any:
        centre, step = np.broadcast_arrays(centre, step)
        return centre + together.draw(rng, (*tuple(size or ()), centre.shape[-1])) / step

    return pm.CustomDist(
        name, centre, step, logp=logp, random=random, signature="(k),(k)->(k)", **shape
    )


def draw_between(q: Parameter, found: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the standard deviation between groups given deviations, (..., groups) -> (..., 1)."""
    dof = q.between_dof
    scale = dof * typical_deviation(q) ** 2 + np.sum(found**2, axis=-1, keepdims=True)
    return np.asarray(np.sqrt(scale / rng.chisquare(dof + found.shape[-1], scale.shape)))
