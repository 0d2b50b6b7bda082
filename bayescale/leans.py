"""How what is sampled of a parameter leans on the coordinates of those before it.

A coordinate may be any smooth increasing function of what is sampled, whose shape depends on
earlier coordinates: the posterior is the same, only easier to walk on when the function is chosen
well.  :class:`Lean` is a straight line.  :class:`FromZero` counts a positive parameter in standard
errors: straight where data tell it from zero, logarithmic where they only bound it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.base import Parameter
from bayescale.laws.numerics import log_sigmoid, log_softplus
from bayescale.population import Alone, Spread, Together, deviations


@dataclass(frozen=True)
class Lean:
    """Sampled is ``(coordinate + shift) * scale``, the coordinate less its offset."""

    shift: Any = 0.0
    scale: Any = 1.0

    def coordinate(self, xp: Any, sampled: Any) -> Any:
        """Coordinate, less its offset, of what is sampled."""
        return sampled / self.scale - self.shift

    def sampled(self, coordinate: Any) -> Any:
        """Inverse of :meth:`coordinate`."""
        return (coordinate + self.shift) * self.scale

    def alone(self, name: str, q: Parameter, start: Any, step: Any, **shape: Any) -> Any:
        """Variable of independent units, in steps off the start."""
        import pymc as pm

        centre = (self.sampled(0.0) - start) / step
        return pm.Normal(name, centre, q.spread * self.scale / step, **shape)

    def together(
        self, name: str, q: Parameter, mean: Any, start: Any, step: Any, **shape: Any
    ) -> Any:
        """Variable of units that deviate from the mean of their population, likewise."""
        return deviations(name, q, (self.sampled(mean) - start) / step, step / self.scale, **shape)


@dataclass(frozen=True)
class FromZero:
    r"""Sampled is how far a positive parameter lies from its estimate, in standard errors.

    With an estimate that lies `clear` standard errors above zero,
    :math:`p = \text{error} \log(1 + e^{\text{clear} + \text{sampled}})`.  Units that are not
    `centred` (0 instead of 1) are sampled as they are.
    """

    clear: Any
    error: Any
    log_centre: float
    centred: Any = 1.0

    def coordinate(self, xp: Any, sampled: Any) -> Any:
        """Logarithm of the parameter, less its offset."""
        log_p = xp.log(self.error) + log_softplus(xp, self.clear + sampled)
        return self.centred * (log_p - self.log_centre) + (1 - self.centred) * sampled

    def sampled(self, coordinate: Any) -> Any:
        """Inverse of :meth:`coordinate`."""
        p = np.exp(coordinate + self.log_centre) / self.error
        at = p + np.log(-np.expm1(-np.maximum(p, np.finfo(float).tiny)))
        return self.centred * (at - self.clear) + (1 - self.centred) * coordinate

    def log_slope(self, xp: Any, sampled: Any) -> Any:
        """Logarithm of the derivative of :meth:`coordinate`."""
        at = self.clear + sampled
        return self.centred * (log_sigmoid(xp, at) - log_softplus(xp, at))

    def alone(self, name: str, q: Parameter, start: Any, step: Any, **shape: Any) -> Any:
        """Variable of independent units, in steps off the start."""
        return self._variable(name, Alone(q), 0.0, start, step, **shape)

    def together(
        self, name: str, q: Parameter, mean: Any, start: Any, step: Any, **shape: Any
    ) -> Any:
        """Variable of units that deviate from the mean of their population, likewise."""
        return self._variable(name, Together(q), mean, start, step, **shape)

    def _variable(
        self, name: str, spread: Spread, mean: Any, start: Any, step: Any, **shape: Any
    ) -> Any:
        import pymc as pm
        import pytensor.tensor as pt

        def logp(value: Any, clear: Any, error: Any, centred: Any, mean: Any, *steps: Any) -> Any:
            lean, (start, step) = FromZero(clear, error, self.log_centre, centred), steps
            sampled = start + step * value
            slope = pt.sum(lean.log_slope(pt, sampled) + pt.log(step), axis=-1)
            return spread.log_density(pt, lean.coordinate(pt, sampled) - mean) + slope

        def random(
            clear: Any, error: Any, centred: Any, mean: Any, *steps: Any, rng: Any, size: Any
        ) -> Any:
            lean, (start, step) = FromZero(clear, error, self.log_centre, centred), steps
            drawn = spread.draw(rng, (*tuple(size or ()), np.shape(start)[-1]))
            return (lean.sampled(mean + drawn) - start) / step

        of_units = (v + pt.zeros_like(start) for v in (self.clear, self.error, self.centred, mean))
        return pm.CustomDist(
            name,
            *of_units,
            start,
            step,
            logp=logp,
            random=random,
            signature="(k),(k),(k),(k),(k),(k)->(k)",
            **shape,
        )
