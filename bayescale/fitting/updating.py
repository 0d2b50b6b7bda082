"""The posterior of one study as the prior of the next."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.laws.links import natural_to_coordinate
from bayescale.laws.roles import Parameter

if TYPE_CHECKING:
    from bayescale.fitting.result import Fit

#: Roles that mean the same in every table; levels, floors and places of bends belong to one.
TRANSFERABLE = ("exponent", "slope", "bend", "width", "positive", "fraction")


def as_prior(fit: "Fit", *names: str) -> dict[str, Any]:
    """Turn posteriors of population medians into priors for another table.

    Each is a normal distribution on the scale of the parameter (logarithm, value or logit) with
    the mean and the standard deviation of the draws.

    Parameters
    ----------
    fit : Fit
        The earlier study.
    *names : str
        Parameters; all exponents of the law by default.

    Returns
    -------
    dict of str to PyMC distribution
        For ``bs.fit(..., priors=...)``.

    Raises
    ------
    ValueError
        If a parameter is unknown, belongs to its table (a floor, a level, a location), or varies
        independently over its groups, so that there is no population.

    Notes
    -----
    This carries the median of the population and widens it by nothing: it is right when the new
    families come from the same population.  The spread between families is not carried; the new
    fit learns it again, so name the group in the new table even when it has one label.  Without a
    group the parameter itself gets the prior, which is too narrow for a new family.  Widen the
    prior by hand when studies differ in more than their families.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
    >>> earlier = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
    >>> list(earlier.as_prior("alpha"))
    ['alpha']
    """
    if not names:
        names = tuple(q.name for q in fit.law.with_role("exponent"))
    if not names:
        raise ValueError(f"{fit.law.title} has no exponent: name parameters to carry")
    parameters = {q.name: q for q in fit.structure.parameters}
    found = {}
    for name in names:
        if name not in list(parameters):
            raise ValueError(
                f"there is no parameter {name!r}, only {', '.join(parameters)}: "
                "give names one by one"
            )
        found[name] = _distribution(parameters[name], _draws(fit, parameters[name]))
    return found


def _draws(fit: "Fit", q: Parameter) -> np.ndarray:
    """Draws of the population median, or of a parameter that all rows share."""
    if q.role not in TRANSFERABLE or (q.role == "slope" and fit.law.response == "real"):
        raise ValueError(f"{q.name!r} is a {q.role} of these data: it says nothing about others")
    if f"{q.name}_population" in fit.posterior:
        return np.asarray(fit.posterior[f"{q.name}_population"].values.ravel())
    if len(fit.structure.units[q.name]) > 1:
        groups = ", ".join(map(repr, fit.structure.units[q.name].groups))
        raise ValueError(
            f"{q.name!r} varies independently over {groups}, so there is no population to carry: "
            f"fit with pooling={{{q.name!r}: bs.Partial({groups})}}"
        )
    return np.asarray(fit.posterior[q.name].values.ravel())


def _distribution(q: Parameter, draws: np.ndarray) -> Any:
    import pymc as pm

    families = {"log": pm.LogNormal, "unit": pm.LogitNormal, "real": pm.Normal}
    z = natural_to_coordinate(np, q.link, draws)
    return families[q.link].dist(mu=float(z.mean()), sigma=float(z.std()))
