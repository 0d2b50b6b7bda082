"""The scale that reaches a target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.posterior.intervals import percent
from bayescale.quantities.curves import Curve
from bayescale.quantities.paths import Path, Way, path_of
from bayescale.quantities.results import Result, at_edge_said, columns, span
from bayescale.quantities.roots import first_below, log_grid
from bayescale.quantities.sources import Source, curve_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Decades beyond the data up to which a target may be reached; "never" is beyond.
HORIZON = 30.0

#: Decades below the data down to which a target may have been reached.
BELOW = 12.0


@dataclass(frozen=True)
class Reach(Result):
    """Distribution of the scale at which a mean curve reaches a target.

    Attributes
    ----------
    target : array, shape (targets,)
        Responses to reach, in the unit of the table.
    draws : array, shape (sample,) or (sample, targets)
        Scale in its own unit; inf where the target is not reached within 30 decades beyond the
        data, 12 decades below them where it is reached from there on.
    curve : Curve
        The curve.
    path : Path
        What the scale is.
    """

    noun: ClassVar[str] = "the scale for the target"

    target: np.ndarray
    draws: np.ndarray = field(repr=False)
    curve: Curve
    path: Path

    @property
    def _each(self) -> np.ndarray:
        return self.draws.reshape(len(self.draws), -1)

    @property
    def p_never(self) -> np.ndarray:
        """Probability that the target is never reached, shape () or (targets,)."""
        return np.isinf(self.draws).mean(axis=0)

    @property
    def p_beyond_data(self) -> np.ndarray:
        """Probability that it takes more than the largest scale of the data (or never happens)."""
        return (self.draws > self.path.data[1]).mean(axis=0)

    @property
    def p_below_data(self) -> np.ndarray:
        """Probability that less than the smallest scale of the data is enough."""
        return (self.draws < self.path.data[0]).mean(axis=0)

    @property
    def p_edge(self) -> np.ndarray:
        """Probability that this budget is best spent at an edge of what it allows."""
        return self.path.at_edge(self.curve, self._each).mean(axis=0).reshape(self.target.shape)

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a target: quantiles over all draws, "never" counting as the largest scale."""
        import pandas as pd

        table = pd.DataFrame({"target": np.atleast_1d(self.target), **columns(self._each, ci_prob)})
        table["p_never"] = np.atleast_1d(self.p_never)
        table["p_beyond_data"] = np.atleast_1d(self.p_beyond_data)
        table["p_below_data"] = np.atleast_1d(self.p_below_data)
        if self.path.cost is not None:
            table["p_edge"] = np.atleast_1d(self.p_edge)
        return table.set_index("target")

    @property
    def sentence(self) -> str:
        """Scale for the last target."""
        p_below = float(np.atleast_1d(self.p_below_data)[-1])
        below = f", below them with probability {percent(p_below)}" if p_below else ""
        return (
            f"{self.curve.response} = {np.atleast_1d(self.target)[-1]:.4g} takes "
            f"{self.path.symbol} = {span(self._each[:, -1])}; it is never reached with probability "
            f"{percent(float(np.atleast_1d(self.p_never)[-1]))} and lies beyond the data with "
            f"probability {percent(float(np.atleast_1d(self.p_beyond_data)[-1]))}{below}."
            f"{at_edge_said(float(np.atleast_1d(self.p_edge)[-1]))}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the probability that the target is reached over scale."""
        from bayescale.plots.reach import plot_reach

        return plot_reach(self, ax)


def scale_for(
    fit: Source, target: Any, *, groups: Mapping[str, Any] | None = None, path: Way = None
) -> Reach:
    r"""Scale at which the mean curve reaches a target.

    For :math:`y = E + A x^{-\alpha}` it is :math:`((y - E) / A)^{-1/\alpha}`, and never where the
    target is not above the floor.

    Parameters
    ----------
    fit : Fit or Comparison
        Where the curve comes from.
    target : float or array_like
        Response to reach, in the unit of the table.
    groups : mapping of str to label, optional
        Labels of the groups of the fit.
    path : mapping of str to float or callable, or cost, optional
        For a law of several inputs, as for :func:`bayescale.crossover_scale`: the scale is the
        input that is left, or the budget of a cost that is spent optimally.

    Returns
    -------
    Reach

    Raises
    ------
    ValueError
        If it is not clear which curve or which input is meant.

    Examples
    --------
    >>> import bayescale as bs
    >>> runs = bs.Runs({"C": [1e17, 1e21], "loss": [3.9, 2.0]}, y="loss", x={"C": "C"})
    >>> draws = {"E": [1.0, 1.2, 1.4], "A": 3e3, "alpha": 0.2}
    >>> fit = bs.known_fit(bs.laws.OffsetPowerLaw(), runs, draws)
    >>> needed = bs.scale_for(fit, 1.3)
    >>> [f"{x:.1e}" for x in needed.draws]
    ['1.0e+20', '2.4e+22', 'inf']
    >>> round(float(needed.p_never), 2)
    0.33
    """
    curve = curve_of(fit, groups)
    way = path_of((curve,), path)
    targets = np.atleast_1d(np.asarray(target, float))
    if targets.ndim != 1 or not targets.size or not np.all(np.isfinite(targets)):
        raise ValueError("target must be one finite number or a list of them")
    if curve.is_share and not np.all((targets > 0) & (targets < 1)):
        raise ValueError(f"target: {curve.response} is a share between 0 and 1")
    sign = -1.0 if curve.higher_is_better else 1.0
    scale = first_below(
        lambda x: sign * way.along(curve)(x), sign * targets[None, :], search_grid(way)
    )
    return Reach(np.asarray(target, float), scale if np.ndim(target) else scale[:, 0], curve, way)


def search_grid(way: Path) -> np.ndarray:
    """Scales from far below the data to far beyond, fine where the data are."""
    fine, coarse = (25, 5) if way.symbol != "budget" else (5, 2)
    below, above = way.widened(BELOW, HORIZON)
    low, high = way.widened(1.0, 3.0)
    return np.concatenate(
        [
            log_grid((below, low), coarse)[:-1],
            log_grid((low, high), fine),
            log_grid((high, above), coarse)[1:],
        ]
    )
