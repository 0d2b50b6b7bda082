"""Doubt in a law, which grows beyond the data."""

from dataclasses import dataclass

import numpy as np

from bayescale.noise.parts import Part


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
