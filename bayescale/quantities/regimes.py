"""Regimes: what rules a curve, point by point."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.posterior.intervals import percent
from bayescale.quantities.breaks import locations_of
from bayescale.quantities.curves import Curve, Form, natural_of
from bayescale.quantities.inputs import inputs_of, outside_data
from bayescale.quantities.paths import Way, path_of
from bayescale.quantities.results import Result
from bayescale.quantities.sources import Source, curve_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Regimes(Result):
    """Which regime a curve is in, point by point.

    Attributes
    ----------
    x : mapping of str to array, shape (points,)
        Inputs.
    names : tuple of str
        The regimes.
    draws : array of int, shape (sample, points)
        Place of the regime among `names`.
    probability : array, shape (points, regimes)
        Probability of every regime.
    extrapolated : array of bool, shape (points,)
        Whether a point lies outside the data.
    curve : Curve
        The curve.
    """

    x: Mapping[str, np.ndarray]
    names: tuple[str, ...]
    draws: np.ndarray = field(repr=False)
    probability: np.ndarray
    extrapolated: np.ndarray
    curve: Curve = field(repr=False)

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a point, one column a regime; `ci_prob` has no effect on probabilities."""
        import pandas as pd

        shares = dict(zip(self.names, self.probability.T, strict=True))
        return pd.DataFrame({**self.x, **shares, "extrapolated": self.extrapolated})

    @property
    def sentence(self) -> str:
        """The most probable regime at the last point."""
        where = ", ".join(f"{s} = {v[-1]:.3g}" for s, v in self.x.items())
        best = int(np.argmax(self.probability[-1]))
        p = percent(float(self.probability[-1, best]))
        beyond = ", beyond the data," if self.extrapolated[-1] else ""
        return f"At {where}{beyond} the curve is {self.names[best]} with probability {p}."

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the probabilities over the first input that varies."""
        from bayescale.plots.regimes import plot_regimes

        return plot_regimes(self, ax)


def regime_at(
    fit: Source, x: Any, *, groups: Mapping[str, Any] | None = None, path: Way = None
) -> Regimes:
    r"""Which regime a curve is in at given inputs.

    A law with breaks is *before*, *between* or *after* them.  A law of several inputs is *limited*
    by the one to which the loss is most elastic, that is, the largest
    :math:`|\partial \ln y / \partial \ln x_i|`.  Any other law is *limited by its floor* where the
    floor is more than half of the response, and *scaling* elsewhere.

    Parameters
    ----------
    fit : Fit
        One form; regimes of different forms are not the same things.
    x : float, array_like or mapping of str to array_like
        Inputs in the unit of the table.
    groups : mapping of str to label, optional
        Labels of the groups of the fit.
    path : mapping of str to float or callable, optional
        How further inputs follow the scale, where `x` gives the scale alone.

    Returns
    -------
    Regimes

    References
    ----------
    Regimes limited by size and by data: Kaplan et al. (2020), arXiv:2001.08361; Bahri et al.
    (2021), arXiv:2102.06701.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"N": [1e8, 1e9, 1e10], "D": [1e10, 1e10, 1e11], "loss": [2.8, 2.4, 2.1]}
    >>> runs = bs.Runs(table, y="loss", x={"N": "N", "D": "D"})
    >>> constants = dict(E=1.8172, A=482.01, alpha=0.3478, B=2085.43, beta=0.3658)
    >>> fit = bs.known_fit(bs.laws.Chinchilla(), runs, constants)
    >>> bs.regime_at(fit, {"N": 1e9, "D": 1e8}).sentence
    'At N = 1e+09, D = 1e+08, beyond the data, the curve is limited by D with probability > 99 %.'
    """
    curve = curve_of(fit, groups)
    if len(curve.forms) > 1:
        raise ValueError("regimes belong to one form: give one fit, not a mixture")
    if path is not None:
        way = path_of((curve,), path)
        x = way.inputs(curve, np.atleast_1d(np.asarray(x, float)))
    inputs = inputs_of((curve,), x)
    form = curve.forms[0]
    if form.law.with_role("location") and len(curve.symbols) == 1:
        names, draws = _by_break(curve, form, inputs)
    elif len(curve.symbols) > 1:
        slopes = np.stack([np.abs(elasticity(curve, inputs, s)) for s in curve.symbols])
        names, draws = tuple(f"limited by {s}" for s in curve.symbols), slopes.argmax(axis=0)
    else:
        names, draws = _by_floor(curve, form, inputs)
    probability = np.stack([(draws == i).mean(axis=0) for i in range(len(names))], axis=1)
    return Regimes(inputs, names, draws, probability, outside_data(curve, inputs), curve)


def _by_break(
    curve: Curve, form: Form, inputs: Mapping[str, np.ndarray]
) -> tuple[tuple[str, ...], np.ndarray]:
    at = np.sort(locations_of(form, 0.0), axis=1)
    passed = (inputs[curve.symbols[0]][None, :, None] >= at[:, None, :]).sum(axis=2)
    if at.shape[1] == 1:
        return ("before the break", "after the break"), passed
    between = [f"between breaks {i} and {i + 1}" for i in range(1, at.shape[1])]
    return ("before the breaks", *between, "after the breaks"), passed


def _by_floor(
    curve: Curve, form: Form, inputs: Mapping[str, np.ndarray]
) -> tuple[tuple[str, ...], np.ndarray]:
    response = curve(inputs)
    floors = [natural_of(form, q.name).mean(axis=1) for q in form.law.with_role("floor")]
    floor = np.sum(floors, axis=0)[:, None] if floors else np.zeros((len(response), 1))
    return ("scaling", "limited by its floor"), (floor > 0.5 * response).astype(int)


def elasticity(curve: Curve, inputs: Mapping[str, np.ndarray], symbol: str) -> np.ndarray:
    r"""Local exponent :math:`\partial \ln y / \partial \ln x`, shape (sample, points)."""
    h = 1e-4
    up, down = ({**inputs, symbol: inputs[symbol] * np.exp(s * h)} for s in (1.0, -1.0))
    if curve.is_positive:
        return np.asarray((curve.log(up) - curve.log(down)) / (2 * h))
    return np.asarray((curve(up) - curve(down)) / (2 * h) / np.abs(curve(inputs)))
