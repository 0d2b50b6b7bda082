"""What a likelihood can be extended by: effects of labels, correlated checkpoints."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter
from bayescale.pooling import Partial, Pooling, Shared


def check_positive(**given: Any) -> None:
    """Refuse scales, lengths and the like that are no positive numbers."""
    for name, value in given.items():
        if not isinstance(value, Real) or not 0 < float(value) < math.inf:
            raise ValueError(f"{name} must be a positive number, not {value!r}")


@dataclass(frozen=True)
class Part:
    """Something that a likelihood can be extended by; see the subclasses."""

    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that the part brings along."""
        return ()

    def pooling(self) -> dict[str, Pooling]:
        """Pooling of those parameters."""
        return {q.name: Shared() for q in self.parameters()}

    def groups(self) -> tuple[str, ...]:
        """Name the groups that the part claims: laws do not vary over them by default."""
        return ()

    def scaling(self, xp: Any, p: Parameters, data: Mapping[str, Any]) -> Any:
        """Factor of the likelihood's own scale, row by row, before known errors join it."""
        return 1.0

    def adjust(
        self, xp: Any, mean: Any, sd: Any, p: Parameters, data: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """Change location and scale of the measurements, known errors included, row by row.

        Parameters
        ----------
        xp : module
            ``numpy`` or ``pytensor.tensor``.
        mean, sd : array, shape (..., rows)
            Location and scale so far, on the scale of the likelihood; where successes are
            counted, only the location is read again.
        p : Parameters
            Parameters of law, noise and part at every row.
        data : mapping of str to array, shape (rows,)
            What the model reads of rows, as for ``Noise.moments``; forecasts have no ``y``.

        Returns
        -------
        tuple of array
            Location and scale.
        """
        return mean, sd

    def numbers(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Numbers of the table that the part reads.

        Parameters
        ----------
        rows : mapping of str to array, shape (rows,)
            Arrays of the rows, among them ``log_`` and the name of every input.

        Returns
        -------
        dict of str to array, shape (1,)
            They are part of ``data`` in :meth:`adjust`, in forecasts those whose names begin with
            ``edge_``.
        """
        return {}

    @property
    def needs_change(self) -> bool:
        """Whether :meth:`shift` reads how the curve changes beyond the data."""
        return False

    def shift(
        self,
        rng: np.random.Generator,
        beyond: np.ndarray,
        change: np.ndarray,
        curve: np.ndarray,
        curves: int,
    ) -> Any:
        """Error of the curves at points some decades beyond the data, for every draw.

        Parameters
        ----------
        rng : Generator
            Source of the error.
        beyond : array, shape (points,)
            Decades beyond the data of the same labels; 0 within them.
        change : array, shape (samples, points or 1)
            Change of the curve from the end of its data to the point, on the scale of the
            likelihood; 0 unless :attr:`needs_change`.
        curve : array of int, shape (points,)
            Number of the curve of every point.
        curves : int
            How many curves there are.

        Returns
        -------
        array, shape (samples, points), or float
            To be added to the curve on the scale of the likelihood.
        """
        return 0.0


@dataclass(frozen=True)
class Effect(Part):
    """A random effect on the response for every label of a group: a seed, a run, a model size.

    Parameters
    ----------
    group : str
        Name of a group of the table, or ``"sequence"``.
    scale : float
        Scale of the prior of its standard deviation, on the scale of the likelihood: of log y or
        logit y; of y itself in standard deviations of the responses of the table.

    Examples
    --------
    >>> from bayescale.noise import Effect, LogStudentT
    >>> (LogStudentT() + Effect("seed")).parameters[-1].name
    'effect_seed'
    """

    group: str
    scale: float = 0.05

    def __post_init__(self) -> None:
        """Check the scale."""
        check_positive(scale=self.scale)

    def parameters(self) -> tuple[Parameter, ...]:
        """One deviation per label."""
        return (Parameter(f"effect_{self.group}", "effect", "real", 0.0, 0.0, self.scale),)

    def pooling(self) -> dict[str, Pooling]:
        """Deviations share a prior."""
        return {f"effect_{self.group}": Partial(self.group)}

    def groups(self) -> tuple[str, ...]:
        """Claim the group of the effect."""
        return (self.group,)

    def adjust(
        self, xp: Any, mean: Any, sd: Any, p: Parameters, data: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """Shift the mean by the effect of the row's label."""
        return mean + p[f"effect_{self.group}"], sd


@dataclass(frozen=True)
class Checkpoints(Part):
    r"""Residuals along one run are an Ornstein-Uhlenbeck process in ln x.

    The residual :math:`e_i` of a checkpoint given the one before has mean
    :math:`\rho_i e_{i-1}` and scale :math:`s \sqrt{1 - \rho_i^2}` with
    :math:`\rho_i = \exp(-(\ln x_i - \ln x_{i-1})/\ell)`.  The table needs ``sequence=``.

    Of several inputs x is the one that changes along runs, such as tokens at a fixed size.  A step
    that was measured again follows the first time at a tenth of the usual distance of checkpoints
    of its run, which is the least for all of them.  Standard errors (``y_se=``) belong to the
    residual that is carried on, as those of one evaluation set do.

    Parameters
    ----------
    length : float
        Prior median of the length scale :math:`\ell`, in units of ln x.
    over : Pooling
        Over which groups the length scale varies; that of the variance is the likelihood's
        ``scale=``.

    References
    ----------
    Uhlenbeck and Ornstein (1930), Physical Review 36, 823.

    Examples
    --------
    >>> from bayescale.noise import Checkpoints, LogStudentT
    >>> [q.name for q in (LogStudentT() + Checkpoints()).parameters]
    ['sigma', 'length']
    """

    length: float = 0.3
    over: Pooling = field(default_factory=Shared)

    def __post_init__(self) -> None:
        """Check the length."""
        check_positive(length=self.length)

    def pooling(self) -> dict[str, Pooling]:
        """How the length scale varies."""
        return {LENGTH: self.over}

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the length scale."""
        return (Parameter(LENGTH, "length", "log", math.log(self.length), 1.0, 0.3),)

    def adjust(
        self, xp: Any, mean: Any, sd: Any, p: Parameters, data: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """Condition every row on the residual of the checkpoint before it."""
        previous, gap = data["previous"], data["gap"]
        rho = xp.exp(-gap / p.length)
        residual = (data["y"] - mean) / sd
        return mean + rho * sd * residual[..., previous], sd * xp.sqrt(1 - rho**2)


#: Name of the length scale of correlated checkpoints.
LENGTH = "length"
