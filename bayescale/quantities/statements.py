"""The probability of a statement such as ``"loss < 2.0"``."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.comparison.forecasts import forecasts_of
from bayescale.forecast.mixture import aligned
from bayescale.model.slips import labels_by_group
from bayescale.posterior.intervals import percent
from bayescale.quantities.results import Result, columns
from bayescale.quantities.sources import Source, no_such, pooled, warn_of_strays
from bayescale.runs import Runs
from bayescale.runs.labels import known_label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_STATEMENT = re.compile(rf"\s*(?P<name>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<value>{_NUMBER})\s*")
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Probability(Result):
    """Posterior probability of a statement, point by point.

    Attributes
    ----------
    statement : str
        What is claimed.
    points : DataFrame
        One row a point or combination of labels.
    draws : array, shape (sample, points)
        The quantity that the statement is about.
    probability : array, shape (points,)
        Share of the draws for which it holds.
    runs : Runs
        The data behind it.
    """

    statement: str
    points: "pd.DataFrame"
    draws: np.ndarray = field(repr=False)
    probability: np.ndarray
    runs: Runs = field(repr=False)

    def __float__(self) -> float:
        """Return the probability, where there is one point."""
        if len(self.probability) != 1:
            raise TypeError(f"{len(self.probability)} probabilities: take .probability")
        return float(self.probability[0])

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a point: the quantity and the probability of the statement."""
        return self.points.assign(**columns(self.draws, ci_prob), probability=self.probability)

    @property
    def sentence(self) -> str:
        """Probability at every point, at most four of them."""
        said = []
        for (_, row), p in zip(self.points.iterrows(), self.probability, strict=True):
            where = ", ".join(
                f"{name} = {value:.3g}" if isinstance(value, float) else f"{name} = {value}"
                for name, value in row.items()
                if name not in ("extrapolated", "decades_beyond")
            )
            beyond = ", beyond the data" if row.get("extrapolated", False) else ""
            said.append(f"{percent(float(p))}{f' at {where}' if where else ''}{beyond}")
        more = f" (and {len(said) - 4} more points)" if len(said) > 4 else ""
        return f"P({self.statement}): {'; '.join(said[:4])}{more}."

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the probability over the first input, or by label."""
        from bayescale.plots.statements import plot_probability

        return plot_probability(self, ax)


def probability(
    fit: Source,
    statement: str,
    at: Mapping[str, Any] | None = None,
    *,
    groups: Mapping[str, Any] | None = None,
    kind: str = "run",
) -> Probability:
    """Posterior probability of a statement about the response or a parameter.

    Parameters
    ----------
    fit : Fit or Comparison
        A mixture of forms answers about parameters with the forms that have them.
    statement : str
        A name, one of ``< <= > >=`` and a number, such as ``"loss < 2.0"`` or ``"alpha > 0.3"``.
        Names are that of the response column (or ``y``) and those of the posterior.
    at : mapping of str to array_like, optional
        Inputs by symbol, for a statement about the response.
    groups : mapping of str to label, optional
        Labels; groups that are left out run over all combinations of the table.
    kind : {"run", "mean"}
        A new measurement, or the curve.

    Returns
    -------
    Probability

    Raises
    ------
    ValueError
        If the statement cannot be read or names nothing that the fit knows.

    Examples
    --------
    >>> import bayescale as bs
    >>> runs = bs.Runs({"C": [1e17, 1e21], "loss": [3.9, 2.0]}, y="loss", x={"C": "C"})
    >>> draws = {"E": [1.0, 1.2, 1.4], "A": 3e3, "alpha": 0.2}
    >>> fit = bs.known_fit(bs.laws.OffsetPowerLaw(), runs, draws)
    >>> round(float(bs.probability(fit, "loss < 1.5", at={"C": 1e21}, kind="mean")), 2)
    0.67
    """
    read = _STATEMENT.fullmatch(statement) if isinstance(statement, str) else None
    if read is None:
        raise ValueError(f"cannot read the statement {statement!r}: write e.g. 'loss < 2.0'")
    name, sign, value = read["name"], read["sign"], float(read["value"])
    if any(c in name for c in "<>"):
        raise ValueError(f"{statement!r} holds several comparisons: ask for one at a time")
    warn_of_strays(fit)
    chosen = pooled(fit)
    runs = chosen[0][0].runs
    response = runs.names["y"]
    asked = labels_by_group(groups)
    if unknown := [g for g in asked if g not in (*runs.groups, "sequence")]:
        raise ValueError(no_such(unknown[0], "group", runs.groups))
    if name in ("y", response):
        example = f"e.g. at={{{next(iter(runs.x))!r}: 1e24}}"
        if at is None:
            raise ValueError(f"say where {name} is meant, {example}")
        if not isinstance(at, Mapping):
            raise TypeError(f"at must map symbols to inputs, {example}, not {at!r}")
        if runs.is_counts and not 0 <= value <= 1:
            raise ValueError(f"{statement!r}: the response is a share between 0 and 1")
        fits = {f"{one.law.title} ({i})": one for i, (one, _) in enumerate(chosen)}
        forecasts = forecasts_of(fits, at, groups=asked, kind=kind)
        points = next(iter(forecasts.values())).points
        each = zip(aligned(forecasts), chosen, strict=True)
        draws = np.concatenate([drawn[rows] for drawn, (_, rows) in each])
    else:
        points, draws = _parameter(chosen, name, asked, response)
    return Probability(statement, points, draws, _SIGNS[sign](draws, value).mean(axis=0), runs)


def _parameter(
    chosen: list[tuple[Any, np.ndarray]], name: str, groups: Mapping[str, Any], response: str
) -> tuple["pd.DataFrame", np.ndarray]:
    import pandas as pd

    having = [(fit, rows) for fit, rows in chosen if name in fit.posterior]
    if not having:
        known = [response, *map(str, chosen[0][0].posterior)]
        raise ValueError(f"the statement names {name!r}; there are {', '.join(known)}")
    draws, labels = [], None
    for fit, rows in having:
        variable = fit.posterior[name]
        wanted = {
            g: known_label(label, variable[g].values.tolist())
            for g, label in groups.items()
            if g in variable.dims
        }
        for g, label in wanted.items():
            if label not in variable[g].values:
                raise ValueError(no_such(label, g, variable[g].values))
        variable = variable.sel({g: [label] for g, label in wanted.items()})
        dims = [d for d in variable.dims if d not in ("chain", "draw")]
        here = pd.MultiIndex.from_product([variable[d].values for d in dims]) if dims else None
        frame = here.to_frame(index=False, name=dims) if here is not None else pd.DataFrame([{}])
        if labels is not None and not labels.equals(frame):
            raise ValueError(f"{name!r} varies over different groups in the forms: give groups=")
        labels = frame
        draws.append(variable.values.reshape(variable.shape[0] * variable.shape[1], -1)[rows])
    assert labels is not None
    return labels, np.concatenate(draws)
