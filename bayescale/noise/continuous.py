"""Likelihoods of measured numbers: normal or Student-t, on y, on log y or on logit y."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter
from bayescale.noise.base import Noise
from bayescale.noise.parts import check_positive


@dataclass(frozen=True)
class _Residuals(Noise):
    """Likelihoods of a location and a scale."""

    def own_parameters(self) -> tuple[Parameter, ...]:
        """Parameters of the likelihood itself."""
        return (
            Parameter("sigma", "scale", "log", math.log(0.02 if self.on_log else 0.1), 1.5, 0.5),
        )

    def moments(
        self, xp: Any, mean: Any, p: Parameters, data: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """Location and scale of every row; see :meth:`Noise.moments`."""
        sd = p["sigma"]
        for part in self.parts:
            sd = sd * part.scaling(xp, p, data)
        if "se" in data:
            sd = xp.sqrt(sd**2 + data["se"] ** 2)
        if "weight" in data:
            sd = sd / xp.sqrt(data["weight"])
        for part in self.parts:
            mean, sd = part.adjust(xp, mean, sd, p, data)
        return mean, sd

    def observe(
        self, name: str, mean: Any, p: Parameters, data: Mapping[str, Any], **kwargs: Any
    ) -> Any:
        """Add the observed distribution to the model in context."""
        import pytensor.tensor as pt

        location, sd = self.moments(pt, mean, p, data)
        return self._observed(name, location, sd, observed=data["y"], **kwargs)

    def logpdf(self, mean: Any, p: Parameters, data: Mapping[str, Any]) -> np.ndarray:
        """Log density of every row in units of the response itself."""
        y = self.from_link(data["y"])
        return self.log_density(y, *self.moments(np, mean, p, data))

    def log_density(self, y: Any, location: Any, sd: Any, trials: Any = None) -> np.ndarray:
        """Log density of responses, in their own unit; -inf where there can be none."""
        possible, y = self._possible(y)
        density = self._log_density((self.on_link(y) - location) / sd) - np.log(sd)
        return np.where(possible, density + np.log(self.slope_of_link(y)), -np.inf)

    def sample(
        self, rng: np.random.Generator, location: Any, sd: Any, trials: Any = None
    ) -> np.ndarray:
        """Draw new measurements, in units of the response itself."""
        drawn = location + sd * self._standard(rng, np.broadcast(location, sd).shape)
        return self.from_link(drawn)

    def cdf(self, y: Any, location: Any, sd: Any, trials: Any = None) -> np.ndarray:
        """Probability of a new measurement at most `y`."""
        possible, inside = self._possible(y)
        below = self._cdf((self.on_link(inside) - location) / sd)
        return np.where(possible, below, np.where(np.asarray(y) > 0, 1.0, 0.0))

    def _possible(self, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Whether there can be responses on the scale of the likelihood, and some that can."""
        y = np.asarray(y, float)
        low, high = {"log": (0.0, np.inf), "unit": (0.0, 1.0)}.get(self.link, (-np.inf, np.inf))
        possible = ~((y <= low) | (y >= high))
        return possible, np.where(possible, y, 0.5)

    @abstractmethod
    def _observed(self, name: str, location: Any, sd: Any, **kwargs: Any) -> Any: ...

    @abstractmethod
    def _log_density(self, z: Any) -> Any: ...

    @abstractmethod
    def _standard(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray: ...

    @abstractmethod
    def _cdf(self, z: Any) -> np.ndarray: ...


@dataclass(frozen=True)
class _Gaussian(_Residuals):
    def _observed(self, name: str, location: Any, sd: Any, **kwargs: Any) -> Any:
        import pymc as pm

        return pm.Normal(name, location, sd, **kwargs)

    def _log_density(self, z: Any) -> Any:
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)

    def _standard(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.standard_normal(shape)

    def _cdf(self, z: Any) -> np.ndarray:
        from scipy.special import ndtr

        return np.asarray(ndtr(z))


@dataclass(frozen=True)
class _Student(_Residuals):
    nu: float = 4.0

    def __post_init__(self) -> None:
        """Check the degrees of freedom."""
        super().__post_init__()
        check_positive(nu=self.nu)

    def _observed(self, name: str, location: Any, sd: Any, **kwargs: Any) -> Any:
        """Student-t; its log takes a third of the time of the log1p in ``pm.StudentT``."""
        import pymc as pm
        import pytensor.tensor as pt

        def logp(value: Any, location: Any, sd: Any) -> Any:
            return self._log_density((value - location) / sd, pt) - pt.log(sd)

        def random(location: Any, sd: Any, rng: np.random.Generator, size: Any) -> Any:
            return location + sd * self._standard(rng, size)

        return pm.CustomDist(name, location, sd, logp=logp, random=random, **kwargs)

    def _log_density(self, z: Any, xp: Any = np) -> Any:
        nu = self.nu
        constant = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(math.pi)
        return constant + nu / 2 * math.log(nu) - (nu + 1) / 2 * xp.log(nu + z**2)

    def _standard(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.standard_t(self.nu, shape)

    def _cdf(self, z: Any) -> np.ndarray:
        from scipy.special import stdtr

        return np.asarray(stdtr(self.nu, z))


@dataclass(frozen=True)
class LogStudentT(_Student):
    """Student-t residuals of log y: the robust default.

    Parameters
    ----------
    scale : Pooling
        Over which groups the residual scale varies.
    nu : float
        Degrees of freedom.

    Examples
    --------
    >>> from bayescale.pooling import Partial
    >>> LogStudentT(scale=Partial("family")).pooling
    {'sigma': Partial('family')}
    """


@dataclass(frozen=True)
class LogNormal(_Gaussian):
    """Normal residuals of log y.

    Examples
    --------
    >>> LogNormal().on_log
    True
    """


@dataclass(frozen=True)
class Normal(_Gaussian):
    """Normal residuals of y itself, for responses that may be negative.

    Examples
    --------
    >>> Normal().on_log
    False
    """

    link: ClassVar[str] = "real"


@dataclass(frozen=True)
class StudentT(_Student):
    """Student-t residuals of y itself, for responses that may be negative.

    Examples
    --------
    >>> StudentT().on_log
    False
    """

    link: ClassVar[str] = "real"


@dataclass(frozen=True)
class LogitNormal(_Gaussian):
    """Normal residuals of logit y, for scores between 0 and 1 without counts.

    Examples
    --------
    >>> float(LogitNormal().on_link(0.5))
    0.0
    """

    link: ClassVar[str] = "unit"


@dataclass(frozen=True)
class LogitStudentT(_Student):
    """Student-t residuals of logit y, for scores between 0 and 1 without counts.

    Examples
    --------
    >>> LogitStudentT(nu=3.0).link
    'unit'
    """

    link: ClassVar[str] = "unit"


def default_noise(law: Law, counts: bool = False) -> Noise:
    """Scatter that a law expects.

    Student-t on log y, on y itself where it may be negative, on logit y where it is a proportion;
    beta-binomial where successes were counted.
    """
    if counts:
        from bayescale.noise.counts import BetaBinomial

        return BetaBinomial()
    return {"real": StudentT, "unit": LogitStudentT}.get(law.response, LogStudentT)()
