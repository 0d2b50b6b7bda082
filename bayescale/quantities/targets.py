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

#: Decades beyond the data up to which a target may be reached; "never" is beyond.  Where curves
#: improve as their input falls, below the data.
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
        data, 12 decades below them where it is reached from there on.  Where the curve improves as
        its input falls, the largest scale that reaches the target; 0 where none does within 30
        decades below the data, 12 decades beyond them where it is reached from there down.
    curve : Curve
        The curve.
    path : Path
        What the scale is.
    downwards : bool
        Whether the curve improves as its input falls, as one whose input is a loss.
    """

    noun: ClassVar[str] = "the scale for the target"

    target: np.ndarray
    draws: np.ndarray = field(repr=False)
    curve: Curve
    path: Path
    downwards: bool = False

    @property
    def _each(self) -> np.ndarray:
        return self.draws.reshape(len(self.draws), -1)

    @property
    def p_never(self) -> np.ndarray:
        """Probability that the target is never reached, shape () or (targets,)."""
        return (np.isinf(self.draws) | (self.draws == 0)).mean(axis=0)

    @property
    def p_beyond_data(self) -> np.ndarray:
        """Probability that it lies above the largest scale of the data, or never if upwards."""
        return (self.draws > self.path.data[1]).mean(axis=0)

    @property
    def p_below_data(self) -> np.ndarray:
        """Probability that it lies below the smallest scale of the data, or never if downwards."""
        return (self.draws < self.path.data[0]).mean(axis=0)

    @property
    def p_edge(self) -> np.ndarray:
        """Probability that this budget is best spent at an edge of what it allows."""
        return self.path.at_edge(self.curve, self._each).mean(axis=0).reshape(self.target.shape)

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a target: quantiles over all draws, "never" counting as beyond any scale."""
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
        never, beyond, below, edge = (
            float(np.atleast_1d(p)[-1])
            for p in (self.p_never, self.p_beyond_data, self.p_below_data, self.p_edge)
        )
        place = f"{self.path.symbol} = {span(self._each[:, -1])}"
        place = f"is reached from {place} downwards" if self.downwards else f"takes {place}"
        ends = [("beyond", beyond), ("below", below)]
        (far, p_far), (near, p_near) = reversed(ends) if self.downwards else ends
        return (
            f"{self.curve.response} = {np.atleast_1d(self.target)[-1]:.4g} "
            f"{'' if never > 0.5 else f'{place}; it '}is never reached with probability "
            f"{percent(never)} and lies {far} the data with probability {percent(p_far)}"
            f"{f', {near} them with probability {percent(p_near)}' if p_near else ''}."
            f"{at_edge_said(edge)}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the probability that the target is reached over scale."""
        from bayescale.plots.targets import plot_reach

        return plot_reach(self, ax)


def scale_for(
    fit: Source, target: Any, *, groups: Mapping[str, Any] | None = None, path: Way = None
) -> Reach:
    r"""Scale at which the mean curve reaches a target.

    For :math:`y = E + A x^{-\alpha}` it is :math:`((y - E) / A)^{-1/\alpha}`, and never where the
    target is not above the floor.  Where the curve improves as its input falls, as accuracy does
    with a loss, it is the largest scale that reaches the target.

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
    wanted, grid, down = sign * targets[None, :], search_grid(way), falls(way, curve)

    def response(x: np.ndarray) -> np.ndarray:
        return sign * way.along(curve)(x)

    if down:  # the first one, seen from above
        grid = 1 / search_grid(way, down)[::-1]
        scale = 1 / first_below(lambda u: response(1 / u), wanted, grid)
    else:
        scale = first_below(response, wanted, grid)
    each = scale if np.ndim(target) else scale[:, 0]
    return Reach(np.asarray(target, float), each, curve, way, down)


def falls(way: Path, curve: Curve) -> bool:
    """Whether a curve gets worse all the way over the data, in most draws.

    One that has its best within them does not, and more budget that is spent well never harms.
    """
    if way.cost is not None:
        return False
    sign = -1.0 if curve.higher_is_better else 1.0
    merit = -sign * way.along(curve)(np.geomspace(*way.data, 25))
    worse = (np.diff(merit, axis=1) <= 0).all(axis=1) & (merit[:, -1] < merit[:, 0])
    return bool(worse.mean() > 0.5)


def search_grid(way: Path, downwards: bool = False) -> np.ndarray:
    """Scales from far below the data to far beyond, fine where the data are."""
    fine, coarse = (25, 5) if way.symbol != "budget" else (5, 2)
    far, near = ((BELOW, HORIZON), (1.0, 3.0))
    if downwards:
        far, near = far[::-1], near[::-1]
    (below, above), (low, high) = way.widened(*far), way.widened(*near)
    return np.concatenate(
        [
            log_grid((below, low), coarse)[:-1],
            log_grid((low, high), fine),
            log_grid((high, above), coarse)[1:],
        ]
    )
