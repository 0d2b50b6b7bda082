"""Breaks: where a curve changes its slope."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.posterior.intervals import percent
from bayescale.quantities.curves import Curve, Form, natural_of
from bayescale.quantities.paths import two_scales
from bayescale.quantities.results import Result, columns
from bayescale.quantities.sources import Source, curve_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Breaks(Result):
    """Where a curve breaks.

    Attributes
    ----------
    between : tuple of (float, float)
        Range of the input that was asked about.
    draws : array, shape (sample, breaks)
        Locations in the unit of the input; nan for forms without a break, and for breaks whose
        change of slope is below the threshold.
    symbol : str
        The input.
    label : str
        The curve.
    data : tuple of (float, float)
        Range of the input over the data.
    curve : Curve
        The curve itself.
    """

    between: tuple[float, float]
    draws: np.ndarray = field(repr=False)
    symbol: str
    label: str
    data: tuple[float, float]
    curve: Curve = field(repr=False)

    @property
    def probability(self) -> float:
        """Probability of at least one break in the range."""
        low, high = self.between
        return float(((self.draws >= low) & (self.draws <= high)).any(axis=1).mean())

    @property
    def p_none(self) -> float:
        """Probability that there is no break at all."""
        return float(np.isnan(self.draws).all(axis=1).mean())

    @property
    def p_beyond_data(self) -> float:
        """Probability of a break above the largest input of the data."""
        return float((self.draws > self.data[1]).any(axis=1).mean())

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """Quantiles of log10 location for every break, given that there is one."""
        import pandas as pd

        rows = []
        for i, draws in enumerate(self.draws.T):
            known = np.log10(draws[~np.isnan(draws)])
            row = pd.DataFrame(columns(known, ci_prob), index=[f"log10 break {i + 1}"])
            low, high = self.between
            rows.append(row.assign(p_between=((draws >= low) & (draws <= high)).mean()))
        return pd.concat(rows)

    @property
    def sentence(self) -> str:
        """Probability of a break in the range."""
        low, high = self.between
        return (
            f"{self.label} breaks between {self.symbol} = {low:.3g} and {high:.3g} with "
            f"probability {percent(self.probability)}; no break at all: {percent(self.p_none)}; a "
            f"break beyond the data, where only its onset can be seen: "
            f"{percent(self.p_beyond_data)}."
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the density of the locations."""
        from bayescale.plots.breaks import plot_breaks

        return plot_breaks(self, ax)


def break_probability(
    fit: Source,
    between: tuple[float, float],
    *,
    groups: Mapping[str, Any] | None = None,
    change: float = 0.0,
) -> Breaks:
    """Probability that a curve breaks in a range of its input.

    Parameters
    ----------
    fit : Fit or Comparison
        A mixture of forms counts the forms without a break as unbroken, with their weight.
    between : tuple of (float, float)
        Range of the input, in the unit of the table.
    groups : mapping of str to label, optional
        Labels of the groups of the fit.
    change : float
        Smallest change of the log-log slope that counts as a break, for laws that have one slope
        per break.

    Returns
    -------
    Breaks

    Raises
    ------
    ValueError
        If the range is empty or no form has a location.

    References
    ----------
    Caballero et al. (2022), arXiv:2210.14891.

    Examples
    --------
    >>> import bayescale as bs
    >>> runs = bs.Runs({"D": [1e3, 1e5, 1e7], "loss": [4, 3, 2]}, y="loss", x={"D": "D"})
    >>> draws = dict(E=0.1, A=8.0, c0=0.1, c1=0.3, d1=[3e4, 1e5, 3e5, 1e6], f1=0.3)
    >>> fit = bs.known_fit(bs.laws.BrokenPowerLaw(), runs, draws)
    >>> bs.break_probability(fit, between=(2e4, 5e5)).probability
    0.75
    """
    curve = curve_of(fit, groups)
    low, high = two_scales("between", between)
    found = [locations_of(form, change) for form in curve.forms]
    widest = max(f.shape[1] for f in found)
    if not widest:
        raise ValueError(f"{curve.forms[0].law.title} has no break: fit a law with one")
    padded = [np.pad(f, ((0, 0), (0, widest - f.shape[1])), constant_values=np.nan) for f in found]
    symbol = _symbol_of_locations(curve)
    known = curve.data[symbol]
    data = float(known.min()), float(known.max())
    return Breaks((low, high), np.concatenate(padded), symbol, curve.label, data, curve)


def _symbol_of_locations(curve: Curve) -> str:
    for form in curve.forms:
        for q in form.law.with_role("location"):
            return dict(form.columns)[q.of or form.columns[0][0]]
    return curve.symbols[0]


def locations_of(form: Form, change: float) -> np.ndarray:
    """Locations of the breaks of one form, shape (draws, breaks); nan for those that are slight."""
    locations = form.law.with_role("location")
    samples = form.rows.stop - form.rows.start
    if not locations:
        return np.zeros((samples, 0))
    at = np.stack([natural_of(form, q.name).mean(axis=1) for q in locations], axis=1)
    bends = form.law.with_role("bend")
    if change > 0 and len(bends) == len(locations):
        by = np.stack([natural_of(form, q.name).mean(axis=1) for q in bends], axis=1)
        at = np.where(np.abs(by) >= change, at, np.nan)
    return at
