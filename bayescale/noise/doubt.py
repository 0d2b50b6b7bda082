"""Parts of a noise model that follow scale: scatter that changes with it, doubt in the law."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter
from bayescale.noise.parts import Part


@dataclass(frozen=True)
class ScaleTrend(Part):
    r"""Residual scale that varies with an input as a power law.

    .. math:: \sigma(x) = \sigma_{\max} (x_{\max} / x)^{\gamma}

    Small runs often scatter more (:math:`\gamma > 0`), and a form that is only nearly right
    misses most where it was bent furthest.  :math:`\sigma_{\max}` is the scale at the largest
    input of the table; beyond it the scale stays, for no data say that it keeps falling.

    Parameters
    ----------
    input : str
        Input of the law, such as ``"N"``; ``"x"`` for laws of one input.
    spread : float
        Prior standard deviation of :math:`\gamma` around 0.

    References
    ----------
    Carroll and Ruppert (1988), Transformation and Weighting in Regression, chapter 2.

    Examples
    --------
    >>> from bayescale.noise import LogStudentT
    >>> [q.name for q in (LogStudentT() + ScaleTrend("N")).parameters]
    ['sigma', 'gamma_N']
    """

    input: str = "x"
    spread: float = 0.5

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the exponent."""
        return (Parameter(f"gamma_{self.input}", "trend", "real", 0.0, self.spread, 0.3),)

    def numbers(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Where the data end."""
        if f"log_{self.input}" not in rows:
            known = ", ".join(name[4:] for name in rows if name.startswith("log_"))
            raise ValueError(
                f"ScaleTrend({self.input!r}): the law has no such input, only {known}; "
                f"write ScaleTrend({known.split(', ')[0]!r})"
            )
        return {f"edge_{self.input}": np.array([np.max(rows[f"log_{self.input}"])])}

    def adjust(
        self, xp: Any, mean: Any, sd: Any, p: Parameters, data: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """Scale the residuals of every row."""
        below = xp.minimum(data[f"log_{self.input}"] - data[f"edge_{self.input}"], 0.0)
        return mean, sd * xp.exp(-p[f"gamma_{self.input}"] * below)


@dataclass(frozen=True)
class Discrepancy(Part):
    r"""Doubt in the law itself, which grows with the distance beyond the data.

    Inside the data nothing changes.  At a distance of :math:`h` decades outside them, where the
    curve of a posterior draw has changed by :math:`\Delta` since it left them, it is off by
    :math:`(\tau h + \kappa |\Delta|) z` with :math:`z \sim \mathrm{Normal}(0, 1)` on the scale of
    the likelihood (log y unless said otherwise): the slope of the truth may differ from that of the
    law, by so much or by such a share.  The fit does not depend on it, bands of forecasts do.

    Parameters
    ----------
    scale : float
        :math:`\tau`, standard deviation per decade.
    share : float
        :math:`\kappa`, standard deviation of the change beyond the data relative to itself, which
        means the same for a response that falls fast and for one that hardly moves.

    Notes
    -----
    ``bs.backtest(...).discrepancy()`` learns one of both from forecasts of scales that were hidden.

    References
    ----------
    Kennedy and O'Hagan (2001), Journal of the Royal Statistical Society B 63, 425.

    Examples
    --------
    >>> from bayescale.noise import LogStudentT
    >>> noise = LogStudentT() + Discrepancy(0.05)
    >>> noise.parts[0].scale
    0.05

    Half a decade of a fall of 0.2 a decade in log y may as well be 20 % faster or slower:

    >>> shifts = Discrepancy(share=0.2).shift(
    ...     np.random.default_rng(0), np.array([0.5]), np.full((10_000, 1), -0.1), np.array([0]), 1
    ... )
    >>> round(float(shifts.std()), 3)
    0.02
    """

    scale: float = 0.0
    share: float = 0.0

    def __post_init__(self) -> None:
        """Check both."""
        for name in ("scale", "share"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a number of at least 0, not {value!r}")

    @property
    def needs_change(self) -> bool:
        """Whether it is a share of the change beyond the data."""
        return self.share > 0

    def shift(
        self,
        rng: np.random.Generator,
        beyond: np.ndarray,
        change: np.ndarray,
        curve: np.ndarray,
        curves: int,
    ) -> np.ndarray:
        """Error of the law, (samples, points), from the change (samples, points or 1)."""
        slopes = rng.standard_normal((len(change), curves))
        return np.asarray((self.scale * beyond + self.share * np.abs(change)) * slopes[:, curve])
