"""Which of two curves is better at given scales, and how surely."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.posterior.intervals import percent
from bayescale.quantities.curves import Curve, excess
from bayescale.quantities.inputs import inputs_of, outside_data
from bayescale.quantities.results import SAME, Result, averaged_over, columns
from bayescale.quantities.sources import Source, curves_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Superiority(Result):
    """Posterior probability that one curve is better than another, point by point.

    Attributes
    ----------
    x : mapping of str to array, shape (points,)
        Inputs.
    draws : array, shape (sample, points)
        Response of `a` minus response of `b`.
    probability : array, shape (points,)
        That `a` is better: lower, for a loss; higher, for a rate of successes.
    extrapolated : array of bool, shape (points,)
        Whether the point lies outside the data of either.
    a, b : Curve
        The curves.
    """

    noun: ClassVar[str] = "the difference"

    x: Mapping[str, np.ndarray]
    draws: np.ndarray = field(repr=False)
    probability: np.ndarray
    extrapolated: np.ndarray
    a: Curve
    b: Curve

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a point: the difference, P(`a` is better), whether it is extrapolated."""
        import pandas as pd

        table = pd.DataFrame({**self.x, **columns(self.draws, ci_prob)})
        table[f"p_{self.a.label}_better"] = self.probability
        table["extrapolated"] = self.extrapolated
        return table

    @property
    def sentence(self) -> str:
        """Probability at the last point."""
        where = ", ".join(f"{s} = {v[-1]:.3g}" for s, v in self.x.items())
        beyond = ", beyond the data" if self.extrapolated[-1] else ""
        return (
            f"At {where}{beyond}, {self.a.label} is better than {self.b.label} with "
            f"probability {percent(float(self.probability[-1]))}.{averaged_over(self.a.averaged)}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the probability over scale."""
        from bayescale.plots.superiority import plot_superiority

        return plot_superiority(self, ax)


def better_at(
    fit: Source, a: Any, b: Any, x: Any, *, groups: Mapping[str, Any] | None = None
) -> Superiority:
    """Probability that one curve is better than another at given scales.

    Parameters
    ----------
    fit, a, b, groups
        As for :func:`bayescale.crossover_scale`.
    x : float, array_like, or mapping of str to array_like
        Scales, or inputs by symbol, in the unit of the table.

    Returns
    -------
    Superiority

    Raises
    ------
    ValueError
        If labels or inputs are unknown, missing or not positive.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"C": [1e17, 1e21] * 2, "loss": [3.9, 2.0, 4.1, 1.7],
    ...          "arch": ["lstm", "lstm", "gpt", "gpt"]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "C"}, groups={"family": "arch"})
    >>> A, alpha = [[60.0, 169.0]], [[0.070, 0.095]]
    >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": A, "alpha": alpha})
    >>> bs.better_at(fit, "lstm", "gpt", [1e17, 1e21]).probability
    array([1., 0.])
    """
    one, other = curves_of(fit, [a, b], groups)
    inputs = inputs_of((one, other), x)
    ahead = excess(one, other)(inputs) * (1.0 if one.higher_is_better else -1.0)
    difference = one(inputs) - other(inputs)
    probability = (ahead > SAME).mean(axis=0) + 0.5 * (np.abs(ahead) <= SAME).mean(axis=0)
    outside = outside_data(one, inputs) | outside_data(other, inputs)
    return Superiority(inputs, difference, probability, outside, one, other)
