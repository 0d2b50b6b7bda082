r"""Pooling over many curves that were fitted one by one: ``pool_fits``.

A hierarchy over hundreds of curves has thousands of parameters, which NUTS samples slowly; given
the population, curves are independent.  So every curve is sampled by itself, under a wide prior
:math:`p_0`, and the population afterwards (Lunn et al. 2013, Journal of the Royal Statistical
Society C 62, 551): draw the curve's parameters among its own draws :math:`v_{1 \dots S}` with
weights :math:`p(v_s \mid \mu, \tau) / p_0(v_s)`, then the population's mean :math:`\mu` and
standard deviation :math:`\tau` given the curves.  Both are exact steps of a Gibbs sampler of the
whole hierarchy; what is approximate is only that finitely many draws represent a curve.  A second
pass samples the curves again, near the population that the first pass found, so that few draws are
wasted where the population does not go.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from bayescale.fitting import Fit
from bayescale.laws.links import natural_value
from bayescale.laws.roles import Parameter
from bayescale.model.anchors import floor_offset, further_fall, log_response
from bayescale.model.geometry import coordinates
from bayescale.model.rows import Arrays
from bayescale.model.slips import check_counts
from bayescale.posterior.chains import joined, shape_of
from bayescale.posterior.posterior import ANCHORED
from bayescale.sampling import ConvergenceWarning
from bayescale.sampling.execution import Outcome, map_fits
from bayescale.sampling.gate import MAX_RHAT, MIN_ESS, mixing
from bayescale.sampling.progress import counting
from bayescale.sampling.retry import sample_with_care
from bayescale.sweeps.gibbs import gibbs
from bayescale.sweeps.pooled import PooledFits

#: Roles of parameters that belong to a curve and have no population.
OWN = ("level", "intercept", "ceiling", "effect")
#: Quantile of the spread of the population whose width the second pass samples the curves with.
#: Much wider, and draws gather in modes that the population rules out.
WIDTH_AT = 0.9
#: Fewest draws of its own that may carry a curve.
MIN_CARRIED = 50


def pool_fits(
    fits: Mapping[str, Fit],
    *,
    passes: int = 2,
    draws: int = 1000,
    chains: int = 4,
    random_seed: int = 0,
    progressbar: bool = True,
) -> PooledFits:
    """Pool curves that were fitted one by one as if they had been sampled in one hierarchy.

    All parameters but levels share a population: exponents, floors (as shares of the response),
    bends, widths, locations (relative to the range of a curve), and those of the noise.

    Parameters
    ----------
    fits : mapping of str to Fit
        Fits of one law and one noise model without groups, as of :func:`bayescale.fit_many`.
    passes : {1, 2}
        With 2 every curve is sampled once more near the population of the first pass.
    draws, chains : int
        Sweeps kept, and independent repetitions of them.
    random_seed : int
        Reproduces every number.
    progressbar : bool
        Show how far the second pass is.

    Warns
    -----
    ConvergenceWarning
        If R-hat is large, or few of its own draws carry a curve.

    Returns
    -------
    PooledFits
        A mapping of the names to fits with pooled draws, and the population.

    Raises
    ------
    ValueError
        If there are fewer than two fits, or they differ in law, noise or pooling, or have groups.

    Notes
    -----
    The prior of the population is that of :class:`bayescale.Partial`.  Where a curve is carried by
    few of its own draws, or R-hat is large, ``diagnostics["converged"]`` is false, with a
    warning: take more draws in the fits that you give.

    References
    ----------
    Lunn et al. (2013), Fully Bayesian hierarchical modelling in two stages, with application to
    meta-analysis, Journal of the Royal Statistical Society C 62(4), 551.

    Examples
    --------
    >>> import numpy as np
    >>> import bayescale as bs
    >>> rng = np.random.default_rng(0)
    >>> x = [1e17, 1e18, 1e19, 1e20, 1e21]
    >>> def one(true, measured):
    ...     table = {"flops": x, "loss": 40 * np.array(x) ** -true}
    ...     runs = bs.Runs(table, y="loss", x={"C": "flops"})
    ...     draws = {"A": 40.0, "alpha": measured * np.exp(0.2 * rng.standard_normal(500))}
    ...     return bs.known_fit(bs.laws.PowerLaw(), runs, draws)
    >>> curves = {name: one(0.06, measured) for name, measured in zip("abc", (0.05, 0.06, 0.07))}
    >>> pooled = bs.pool_fits(curves, passes=1, draws=4000)
    >>> apart = [float(curves[n].posterior["alpha"].median()) for n in "ac"]
    >>> together = [float(pooled[n].posterior["alpha"].median()) for n in "ac"]
    >>> bool(np.ptp(together) < np.ptp(apart))
    True
    """
    _check(fits)
    check_counts(draws=draws, chains=chains)
    if passes not in (1, 2):
        raise ValueError(f"passes must be 1 or 2, not {passes!r}")
    anchors = _anchors(fits)
    found = _pooled(fits, anchors, draws, chains, random_seed)
    if passes == 1:
        return _told(found)
    shared = _shared(next(iter(fits.values())))
    mean = {q.name: float(np.median(found.population[f"{q.name}_mean"])) for q in shared}
    width = {
        q.name: float(np.quantile(found.population[f"{q.name}_sd"], WIDTH_AT)) / q.spread
        for q in shared
    }
    near = [_moved(fit.arrays, anchors[name], mean, width) for name, fit in fits.items()]
    with counting(progressbar, len(fits), "second pass") as advance:

        def note(outcome: Outcome) -> None:
            advance(failed=outcome.error is not None)

        outcomes = map_fits(_sampled, list(zip(fits.values(), near, strict=True)), done=note)
    for name, outcome in zip(fits, outcomes, strict=True):
        if outcome.error is not None:
            raise RuntimeError(f"{name!r} could not be sampled again: {outcome.error}")
    again = {name: outcome.value for name, outcome in zip(fits, outcomes, strict=True)}
    return _told(_pooled(again, anchors, draws, chains, random_seed + 1))


def _told(pooled: PooledFits) -> PooledFits:
    """Warn where the population cannot be trusted."""
    found = pooled.diagnostics
    if not found["converged"]:
        weakest = min(found["carried"], key=found["carried"].get)
        warnings.warn(
            f"the population did not converge: R-hat {found['max_rhat']:.3f}, bulk ESS "
            f"{found['min_ess_bulk']:.0f}, tail ESS {found['min_ess_tail']:.0f}; {weakest!r} is "
            f"carried by {found['carried'][weakest]:.0f} draws. Do not trust it: give fits with "
            "more draws, or more sweeps.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return pooled


def _check(fits: Mapping[str, Fit]) -> None:
    if len(fits) < 2:
        raise ValueError(f"a population needs at least two curves, not {len(fits)}")
    first = next(iter(fits.values())).structure
    for name, fit in fits.items():
        s = fit.structure
        if (s.law, s.noise, s.priors) != (first.law, first.noise, first.priors):
            raise ValueError(f"{name!r} has another law, noise or prior than the first fit")
        if s.priors:
            raise ValueError("the fits have priors of their own: fit them without, then pool")
        for q in s.parameters:
            if len(s.units[q.name]) > 1:
                raise ValueError(
                    f"{q.name!r} of {name!r} varies over {', '.join(s.units[q.name].groups)}: "
                    "fit every curve by itself, without groups"
                )


def _shared(fit: Fit) -> list[Parameter]:
    """Parameters that have a population."""
    return [q for q in fit.structure.parameters if q.role not in OWN and q.spread > 0]


def _anchors(fits: Mapping[str, Fit]) -> dict[str, Arrays]:
    """Offset and scale of every curve in the coordinates of the population.

    They are the curve's own, but for floors, which are shares of the response at one end.
    """
    first = next(iter(fits.values())).structure
    tables = [fit.arrays for fit in fits.values()]
    curve = np.repeat(np.arange(len(tables)), [len(rows["y"]) for rows in tables])
    log_x = np.stack([np.concatenate([t[f"log_{s}"] for t in tables]) for s, _ in first.columns])
    log_y = np.concatenate([log_response(first, rows) for rows in tables])
    fall = further_fall(log_x, log_y, curve, curve, len(tables))
    floors = {
        f"offset_{q.name}": floor_offset(first, log_y, curve, len(tables), fall) + q.centre
        for q in _shared(next(iter(fits.values())))
        if q.role == "floor"
    }
    return {
        name: {**fit.arrays, **{key: values[[k]] for key, values in floors.items()}}
        for k, (name, fit) in enumerate(fits.items())
    }


def _moved(
    arrays: Arrays, anchor: Arrays, mean: Mapping[str, float], width: Mapping[str, float]
) -> Arrays:
    """Arrays of a curve with priors of these means and widths in the population's coordinates."""
    near = dict(arrays)
    for name in mean:
        offset, scale = anchor[f"offset_{name}"], anchor[f"scale_{name}"]
        near[f"offset_{name}"] = offset + scale * mean[name]
        near[f"scale_{name}"] = scale * width[name]
    return near


def _sampled(fit: Fit, arrays: Arrays, *, cores: int) -> Fit:
    """Sample one curve again, anchored as in `arrays`."""
    chains, draws = shape_of(fit.draws)
    sampled, found = sample_with_care(
        fit.structure,
        arrays,
        random_seed=fit.random_seed,
        draws=draws,
        tune=max(draws // 2, 300),
        chains=chains,
        cores=cores,
    )
    return replace(fit, arrays=arrays, draws=sampled.draws, stats=sampled.stats, diagnostics=found)


def _pooled(
    fits: Mapping[str, Fit],
    anchors: Mapping[str, Arrays],
    draws: int,
    chains: int,
    random_seed: int,
) -> PooledFits:
    """Sample population and curves, given draws of every curve."""
    shared = _shared(next(iter(fits.values())))
    values = {name: _values(fit, anchors[name], shared) for name, fit in fits.items()}
    under_prior = [
        _log_prior(values[name], fit.arrays, anchors[name], shared) for name, fit in fits.items()
    ]
    sources = np.random.default_rng(random_seed).spawn(chains)
    sampled = [gibbs(list(values.values()), under_prior, shared, draws, rng) for rng in sources]
    means, sds, chosen = (np.stack(parts) for parts in zip(*sampled, strict=True))
    population = {f"{q.name}_mean": means[..., k] for k, q in enumerate(shared)} | {
        f"{q.name}_sd": sds[..., k] for k, q in enumerate(shared)
    }
    medians = {
        f"{q.name}_population": median
        for k, q in enumerate(shared)
        if (median := _natural_median(q, means[..., k], anchors.values())) is not None
    }
    pooled, traced, carried = {}, dict(population), {}
    for j, (name, fit) in enumerate(fits.items()):
        index = chosen[..., j]
        # What a fit was given as known does not move.
        moving = np.ptp(values[name], axis=0) > 0
        traced[name] = values[name][:, moving][index]
        counts = np.bincount(index.ravel())
        carried[name] = float(counts.sum() ** 2 / np.sum(counts.astype(float) ** 2))
        pooled[name] = replace(
            fit,
            draws={k: v[index] for k, v in fit.flat_draws.items()},
            stats={k: v[index] for k, v in joined(fit.stats).items()},
        )
    found = mixing(traced)
    converged = (
        found["max_rhat"] <= MAX_RHAT
        and min(found["min_ess_bulk"], found["min_ess_tail"]) >= MIN_ESS
        and min(carried.values()) >= MIN_CARRIED
    )
    return PooledFits(
        pooled, population | medians, {**found, "carried": carried, "converged": converged}
    )


def _natural_median(q: Parameter, mean: np.ndarray, anchors: Iterable[Arrays]) -> np.ndarray | None:
    """Median of a population in natural units, if its prior lies in one place for all curves."""
    places = {
        (float(a[f"offset_{q.name}"].item()), float(a[f"scale_{q.name}"].item())) for a in anchors
    }
    if q.after or q.role in (*ANCHORED, "location") or len(places) > 1:
        return None
    [(offset, scale)] = places
    return natural_value(q.link, offset + scale * mean)


def _values(fit: Fit, anchor: Arrays, shared: list[Parameter]) -> np.ndarray:
    """Pooled coordinates of every draw, relative to the curve's own data, (draws, parameters)."""
    z = coordinates(np, fit.structure, fit.flat_draws, fit.arrays)
    return np.stack(
        [
            (z[q.name][:, 0] - anchor[f"offset_{q.name}"]) / anchor[f"scale_{q.name}"]
            for q in shared
        ],
        axis=1,
    )


def _log_prior(
    values: np.ndarray, arrays: Arrays, anchor: Arrays, shared: list[Parameter]
) -> np.ndarray:
    """Log density of draws under the prior that their curve was sampled with, (draws,)."""
    total = np.zeros(len(values))
    for k, q in enumerate(shared):
        scale = anchor[f"scale_{q.name}"]
        mean = (arrays[f"offset_{q.name}"] - anchor[f"offset_{q.name}"]) / scale
        sd = arrays[f"scale_{q.name}"] / scale * q.spread
        total -= 0.5 * ((values[:, k] - mean) / sd) ** 2
    return total
