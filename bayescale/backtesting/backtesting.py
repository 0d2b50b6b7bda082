"""Back-test: hide the largest scales and forecast them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayescale.backtesting.hiding import labels_hidden, scales_hidden
from bayescale.backtesting.scoring import Backtest, Case
from bayescale.fitting import Fit
from bayescale.forecast.points import predict_runs
from bayescale.forecast.predictive import change_beyond
from bayescale.laws.base import Law
from bayescale.model.arrays import arrays_of
from bayescale.model.rows import Arrays
from bayescale.model.slips import check_counts, check_law, check_table, noise_of
from bayescale.model.structure import Structure, structure_of
from bayescale.noise import Discrepancy, Noise
from bayescale.pooling import Pooling
from bayescale.posterior.chains import joined
from bayescale.posterior.intervals import check_probabilities
from bayescale.runs import Runs
from bayescale.sampling.execution import map_fits
from bayescale.sampling.gate import diagnose, is_trusted
from bayescale.sampling.mixing import mix
from bayescale.sampling.sampling import Sampled, sample


def backtest(
    laws: "Mapping[str, Law | Fit] | Law | Fit",
    runs: Runs | None = None,
    *,
    cut: float | Sequence[float] = (0.3, 0.6, 1.0),
    by: str | None = None,
    keep: int = 2,
    of: str | None = None,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
    draws: int = 500,
    tune: int = 500,
    chains: int = 4,
    ci_prob: Sequence[float] = (0.5, 0.8, 0.9, 0.95),
    random_seed: int = 0,
    executor: Executor | None = None,
) -> "Backtest":
    r"""Forecast runs that were hidden from the fit, and score the forecasts.

    Parameters
    ----------
    laws : Law, Fit, or mapping of str to Law or Fit
        What is tested.  A fit brings its law, pooling, noise and priors along.
    runs : Runs, optional
        The table; that of the fit when absent.
    cut : float or sequence of float
        Decades of the input that are hidden, one refit each: of every combination of labels, less
        those that only the noise of every law varies over, the rows within that distance of its
        largest input.
    by : str, optional
        A group: instead of the largest scales, hide one label at a time, except for its `keep`
        smallest runs.
    keep : int
        Runs of a hidden label that stay in; the fewest that a cut leaves to a combination.
    of : str, optional
        Symbol of the input that is cut; the first of the table when absent.
    pooling, noise, priors
        As for :func:`bayescale.fit`, for laws that are not yet fits.
    draws, tune, chains : int
        As for :func:`bayescale.fit`.
    ci_prob : sequence of float
        Probabilities of the equal-tailed intervals that are scored.
    random_seed : int
        Reproduces the back-test.
    executor : concurrent.futures.Executor, optional
        Where refits run; the cores of this machine by default.  See :func:`bayescale.fit_many`.

    Returns
    -------
    Backtest

    Raises
    ------
    ValueError
        If there is no table, an unknown group or input, or nothing is left to hide.
    RuntimeError
        If a refit fails.

    References
    ----------
    Gneiting and Raftery (2007), Journal of the American Statistical Association 102, 359 (scores).

    Examples
    --------
    >>> import numpy as np
    >>> import bayescale as bs
    >>> x = np.geomspace(1e17, 1e21, 17)
    >>> y = (1.5 + 3e3 * x**-0.19) * np.exp(0.01 * np.sin(7 * np.arange(17)))
    >>> runs = bs.Runs({"flops": x, "loss": y}, y="loss", x={"C": "flops"})
    >>> tested = bs.backtest(bs.laws.OffsetPowerLaw(), runs, cut=0.8, draws=300, chains=2)
    >>> bool(tested.table["rmsle"].iloc[0] < 0.05)
    True
    """
    check_counts(draws=draws, tune=tune, chains=chains)
    probabilities = check_probabilities(ci_prob)
    for law in laws.values() if isinstance(laws, Mapping) else [laws]:
        check_law(law.law if isinstance(law, Fit) else law)
    named = dict(laws) if isinstance(laws, Mapping) else {_name(laws): laws}
    table = runs if runs is not None else _table_of(named)
    check_table(table)
    models: dict[str, _Model] = {}
    for name, law in named.items():
        if isinstance(law, Fit):
            s = law.structure
            models[name] = (s.law, dict(s.pooling), s.noise, dict(s.priors))
        else:
            expected = noise_of(law, table, noise)
            models[name] = (law, pooling, expected, priors)
    claimed = [set(its_noise.claimed_groups) for _, _, its_noise, _ in models.values()]
    groups = tuple(g for g in table.groups if g not in set.intersection(*claimed))
    hides = (
        labels_hidden(table, by, keep, of) if by else scales_hidden(table, groups, cut, keep, of)
    )
    if not hides:
        raise ValueError(f"nothing to hide: every cut leaves fewer than {keep} runs of a curve")
    plans = [
        _plan(name, label, model, table, hidden, random_seed + i)
        for name, model in models.items()
        for i, (label, hidden) in enumerate(hides.items())
    ]
    options = {"draws": draws, "tune": tune, "chains": chains}
    tasks = [(plan.structure, plan.arrays, plan.seed, options) for plan in plans]
    cases = []
    for plan, outcome in zip(plans, map_fits(_sample, tasks, executor), strict=True):
        if outcome.error is not None:
            raise RuntimeError(f"the refit of {plan.law} to {plan.cut} failed: {outcome.error}")
        cases.append(_forecast(plan, outcome.value, table))
    return Backtest(tuple(cases), table, probabilities, by, random_seed)


def doubted(fit: Fit, discrepancy: Discrepancy) -> Fit:
    """Return the same posterior, whose forecasts carry a discrepancy in place of any other.

    Parameters
    ----------
    fit : Fit
        A posterior; it is not sampled again, because the doubt acts beyond the data only.
    discrepancy : Discrepancy
        For instance ``bs.backtest(fit).discrepancy()``.
    """
    noise = fit.structure.noise.without(Discrepancy) + discrepancy
    return replace(fit, structure=replace(fit.structure, noise=noise))


def _name(law: "Law | Fit") -> str:
    return law.law.title if isinstance(law, Fit) else law.title


def _table_of(named: "Mapping[str, Law | Fit]") -> Runs:
    fits = [law for law in named.values() if isinstance(law, Fit)]
    if not fits:
        raise ValueError("a law needs a table: backtest(law, runs)")
    return fits[0].runs


_Model = tuple[Law, Mapping[str, Pooling] | None, Noise, Mapping[str, Any] | None]


@dataclass(frozen=True)
class _Plan:
    """A refit that has not been made: rows of the table that it hides, and its model."""

    law: str
    cut: str
    hidden: np.ndarray
    structure: Structure
    arrays: Arrays
    seed: int


def _plan(
    name: str,
    label: str,
    model: _Model,
    runs: Runs,
    hidden: np.ndarray,
    seed: int,
) -> _Plan:
    law, pooling, noise, priors = model
    seen = runs.select(~hidden)
    structure = structure_of(law, seen, pooling, noise, priors)
    return _Plan(name, label, hidden, structure, arrays_of(structure, seen), seed)


def _sample(
    structure: Structure, arrays: Arrays, seed: int, options: dict[str, Any], *, cores: int
) -> Sampled:
    sampled = sample(structure, arrays, random_seed=seed, cores=cores, **options)
    return mix(structure, arrays, sampled, seed, is_trusted)[0]


def _forecast(plan: _Plan, sampled: Sampled, runs: Runs) -> Case:
    hidden, structure, arrays, seed = plan.hidden, plan.structure, plan.arrays, plan.seed
    seen = runs.select(~hidden)
    flat = joined(sampled.draws)
    predictive = undoubted = predict_runs(structure, flat, arrays, seen, runs, seed, hidden)
    trusting = replace(structure, noise=structure.noise.without(Discrepancy))
    if trusting.noise != structure.noise:
        undoubted = predict_runs(trusting, flat, arrays, seen, runs, seed, hidden)
    points = predictive.points
    change = None if points.made else change_beyond(structure, undoubted.parameters, points)
    return Case(
        plan.law,
        plan.cut,
        predictive,
        undoubted,
        change,
        np.flatnonzero(hidden),
        is_trusted(diagnose(sampled.draws, sampled.stats)),
    )
