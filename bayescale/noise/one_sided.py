"""Scatter that is wider above the curve than below it: runs that were not tuned well."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.noise.continuous import _Student
from bayescale.noise.parts import check_positive


@dataclass(frozen=True)
class LogOneSided(_Student):
    r"""Two-piece Student-t residuals of log y, wider above the curve than below it.

    .. math:: p(z) = \frac{2}{1 + \kappa}\, t_\nu(z / \kappa^{[z > 0]}), \quad
              z = (\ln y - \ln \mu) / \sigma

    A badly tuned run loses and hardly ever wins, so that the curve is the mode of the runs and
    not their middle: a share :math:`\kappa / (1 + \kappa)` of them lies above it.

    Parameters
    ----------
    scale : Pooling
        Over which groups the residual scale below the curve varies.
    nu : float
        Degrees of freedom.
    above : float
        :math:`\kappa`, the scale above the curve over that below it.

    References
    ----------
    Fernandez and Steel (1998), Journal of the American Statistical Association 93, 359.

    Examples
    --------
    Three runs in four are expected above the curve:

    >>> float(1 - LogOneSided(above=3.0).cdf(1.0, 0.0, 0.1))
    0.75
    """

    above: float = 3.0

    def __post_init__(self) -> None:
        """Check the ratio of scales."""
        super().__post_init__()
        check_positive(above=self.above)

    def _log_density(self, z: Any, xp: Any = np) -> Any:
        folded = xp.where(z > 0, z / self.above, z)
        return super()._log_density(folded, xp) + math.log(2 / (1 + self.above))

    def _standard(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        size = np.abs(rng.standard_t(self.nu, shape))
        upward = rng.random(shape) < self.above / (1 + self.above)
        return np.where(upward, self.above * size, -size)

    def _cdf(self, z: Any) -> np.ndarray:
        folded = np.where(z > 0, z / self.above, z)
        inside = super()._cdf(folded)
        below = 2 * inside
        over = 1 + self.above * (2 * inside - 1)
        return np.asarray(np.where(z > 0, over, below) / (1 + self.above))
