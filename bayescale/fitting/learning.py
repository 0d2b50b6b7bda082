"""What the data taught: every parameter's posterior against its prior."""

from typing import TYPE_CHECKING

import numpy as np

from bayescale.fitting.result import Fit
from bayescale.laws.links import natural_to_coordinate
from bayescale.model.slips import check_part
from bayescale.posterior.intervals import check_probabilities, interval
from bayescale.posterior.posterior import UNLEARNED, rows_of

if TYPE_CHECKING:
    import pandas as pd


def learned(fit: Fit, *, ci_prob: float = 0.9, draws: int = 2000) -> "pd.DataFrame":
    """Compare the posterior of every parameter with its prior.

    Parameters
    ----------
    fit : Fit
        The posterior.
    ci_prob : float
        Probability of the equal-tailed intervals.
    draws : int
        Draws from the prior.

    Returns
    -------
    DataFrame
        One row a parameter and label: ``prior_lower``, ``prior_upper``, ``lower``, ``upper``,
        ``width`` (width of the posterior interval over that of the prior, on the scale on which
        the parameter varies) and ``says``, which is "as wide as its prior" where the data did not
        narrow it: a statement about such a parameter is a statement of the prior.

    Raises
    ------
    ValueError
        If `fit` is none, or `ci_prob` does not lie between 0 and 1.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> table = bs.learned(bs.fit(bs.laws.PowerLaw(), runs, progressbar=False), draws=200)
    >>> bool(table.loc["alpha", "width"] < 0.3)
    True
    """
    import pandas as pd

    from bayescale.forecast.prior import coordinates_from_prior, parameters_from_prior

    check_part("fit", fit, "posterior", "give what bs.fit returns")
    check_probabilities(ci_prob)
    s, seed = fit.structure, fit.random_seed
    sampled = coordinates_from_prior(s, fit.arrays, draws, seed)
    prior = parameters_from_prior(s, sampled, fit.arrays, fit.runs, seed)
    before, after = rows_of(prior), rows_of(fit.posterior)
    links = {q.name: q.link for q in s.parameters}
    found = {}
    for label, values in after.items():
        name = label.split("[")[0]
        ends = [interval(part.ravel(), ci_prob) for part in (before[label], values)]
        was, now = ((low, high) for low, _, high in ends)
        link = links.get(name, "real")
        narrow, wide = (np.ptp(natural_to_coordinate(np, link, np.array(e))) for e in (now, was))
        width = float(narrow / wide)
        found[label] = {
            "prior_lower": was[0],
            "prior_upper": was[1],
            "lower": now[0],
            "upper": now[1],
            "width": width,
            "says": "as wide as its prior" if width >= UNLEARNED else "",
        }
    return pd.DataFrame.from_dict(found, orient="index")
