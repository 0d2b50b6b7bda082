"""Contrasts: how one quantity differs between two curves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.posterior.intervals import percent
from bayescale.quantities.curves import Curve, natural_of
from bayescale.quantities.results import Result, averaged_over, columns, span
from bayescale.quantities.sources import Source, curves_of, no_such

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Contrast(Result):
    """Difference of one quantity between two curves.

    Attributes
    ----------
    quantity : str
        What is compared.
    a, b : str
        Labels.
    draws : array, shape (sample,)
        Value of `a` minus value of `b`; nan where both are infinite.
    averaged : tuple of str
        Groups over whose labels the curves are averaged.
    """

    noun: ClassVar[str] = "the contrast"

    quantity: str
    a: str
    b: str
    draws: np.ndarray = field(repr=False)
    averaged: tuple[str, ...] = ()

    @property
    def p_a_smaller(self) -> float:
        """Probability that the value of `a` is smaller; ties, also of two infinities, half."""
        ties = (self.draws == 0) | np.isnan(self.draws)
        return float((self.draws < 0).mean() + 0.5 * ties.mean())

    @property
    def is_shared(self) -> bool:
        """Whether the model gives both the same value, so that the data say nothing here."""
        return bool(np.all(self.draws == 0))

    @property
    def p_undefined(self) -> float:
        """Probability that both are infinite, so that they have no difference."""
        return float(np.isnan(self.draws).mean())

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """Difference, and the probability that it is negative."""
        import pandas as pd

        found = self.draws[~np.isnan(self.draws)]
        table = pd.DataFrame(
            columns(found if found.size else np.array([np.nan]), ci_prob),
            index=[f"{self.a} - {self.b}"],
        )
        return table.assign(p_a_smaller=self.p_a_smaller, p_undefined=self.p_undefined)

    @property
    def sentence(self) -> str:
        """The difference and its sign."""
        if self.is_shared:
            return (
                f"The model gives {self.a} and {self.b} the same {self.quantity}: it cannot tell "
                "them apart; fit with a pooling that lets it vary."
            )
        if self.p_undefined == 1:
            return f"The {self.quantity} of {self.a} and that of {self.b} are infinite."
        both = f"; both infinite: {percent(self.p_undefined)}" if self.p_undefined else ""
        return (
            f"{self.quantity} of {self.a} minus {self.b}: "
            f"{span(self.draws[~np.isnan(self.draws)])}; smaller for {self.a} "
            f"with probability {percent(self.p_a_smaller)}{both}.{averaged_over(self.averaged)}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the density of the difference."""
        from bayescale.plots.contrasts import plot_contrast

        return plot_contrast(self, ax)


def exponent_contrast(
    fit: Source,
    a: Any,
    b: Any,
    parameter: str | None = None,
    *,
    groups: Mapping[str, Any] | None = None,
) -> Contrast:
    """Difference between the exponents of two curves.

    Parameters
    ----------
    fit, a, b, groups
        As for :func:`bayescale.crossover_scale`; a mixture of forms answers with those that have
        the parameter.
    parameter : str, optional
        Any parameter of the law; its first exponent when absent.

    Returns
    -------
    Contrast

    Raises
    ------
    ValueError
        If no form has the parameter.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"C": [1e17, 1e21] * 2, "loss": [3.9, 2.0, 4.1, 1.7],
    ...          "arch": ["lstm", "lstm", "gpt", "gpt"]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "C"}, groups={"family": "arch"})
    >>> A, alpha = [[60.0, 169.0]], [[0.070, 0.095]]
    >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": A, "alpha": alpha})
    >>> bs.exponent_contrast(fit, "lstm", "gpt").draws.round(3)
    array([-0.025])
    """
    one, other = curves_of(fit, [a, b], groups)
    if parameter is None:
        exponents = [q.name for f in one.forms for q in f.law.with_role("exponent")]
        if not exponents:
            raise ValueError(f"{one.forms[0].law.title} has no exponent: name a parameter")
        parameter = exponents[0]
    for curve in (one, other):
        known = list(dict.fromkeys(q.name for f in curve.forms for q in f.law.parameters))
        if parameter not in known:
            raise ValueError(f"{curve.label}: {no_such(parameter, 'parameter', known)}")
    gap = values_of(one, parameter) - values_of(other, parameter)
    if np.isnan(gap).all():
        raise ValueError(f"no draw has {parameter!r} on both sides: compare one form with itself")
    return Contrast(parameter, one.label, other.label, gap[~np.isnan(gap)], one.averaged)


def values_of(curve: Curve, parameter: str) -> np.ndarray:
    """Draws of a parameter, the mean over averaged labels; nan for forms without it; (sample,)."""
    each = [
        natural_of(form, parameter).mean(axis=1)
        if parameter in form.found
        else np.full(form.rows.stop - form.rows.start, np.nan)
        for form in curve.forms
    ]
    return np.concatenate(each)
