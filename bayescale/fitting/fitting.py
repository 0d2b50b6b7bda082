"""Fit a law to a table: ``fit`` and what it returns, one posterior of one law on one table."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.fitting.directions import disagreements
from bayescale.laws.base import Law
from bayescale.model.arrays import arrays_of
from bayescale.model.rows import Arrays
from bayescale.model.structure import Structure, structure_of
from bayescale.noise import Noise
from bayescale.pooling import Pooling
from bayescale.posterior.likelihood import log_likelihood
from bayescale.posterior.posterior import natural_dataset, sampled_dataset, unlearned_ceilings
from bayescale.runs import Runs, RunsWarning
from bayescale.runs.columns import frozen
from bayescale.sampling import ConvergenceWarning
from bayescale.sampling.gate import complaints
from bayescale.sampling.sampling import Sampled, mix, sample

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    import xarray as xr

    from bayescale.backtesting import Backtest
    from bayescale.comparison import Comparison
    from bayescale.forecast import Forecast
    from bayescale.reporting import Report

#: What a fit holds that is made of parts.
_MAPPINGS = ("arrays", "draws", "stats", "diagnostics")


def fit(
    law: Law,
    runs: Runs,
    *,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    random_seed: int | None = None,
    progressbar: bool = True,
    stream: str | Path | None = None,
) -> "Fit":
    """Sample the posterior of a law on a table of runs.

    Parameters
    ----------
    law : Law
        The formula, e.g. ``bs.laws.OffsetPowerLaw()``.
    runs : Runs
        The validated table.
    pooling : mapping of str to Pooling, optional
        How parameters vary over groups; the rest follows the defaults of their roles.
    noise : Noise, optional
        How measurements scatter; Student-t on log y unless said otherwise, on y itself for laws
        of responses that may be negative.
    priors : mapping of str to distribution, optional
        PyMC (``pm.LogNormal.dist(...)``) or PreliZ distributions on the natural scale: of the
        population median of a pooled parameter, of the parameter itself otherwise.
    draws, tune, chains : int
        Draws kept and thrown away in every chain, and the number of chains.
    random_seed : int, optional
        Reproduces the draws bit for bit on one machine; a fixed default when absent.
    progressbar : bool
        Show progress while sampling.
    stream : str or Path, optional
        Folder of a zarr store that every draw of the sampler's coordinates is written to at once,
        so that a long run can be watched and leaves its draws when it is killed; read it with
        ``xarray.open_datatree(stream, engine="zarr", consolidated=False)``.  A second, more
        careful run starts it anew, and draws that jumps made afterwards are not in it.

    Returns
    -------
    Fit
        The posterior; check ``fit.diagnostics["converged"]``.

    Raises
    ------
    RunsError
        If the law needs the logarithm of a response that is not positive.
    ValueError
        If law, table, pooling, noise and priors do not fit together, or `stream` is not empty.

    Warns
    -----
    RunsWarning
        If the table cannot tell some parameters of the law, or its standard errors from what
        checkpoints carry on; or if the response clearly rises in an input in which the law can only
        fall, or the other way round.
    ConvergenceWarning
        If the draws fail the convergence gate even after a second, more careful run.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> result = bs.fit(bs.laws.PowerLaw(), runs, random_seed=1, progressbar=False)
    >>> bool(0.0 < result.posterior["alpha"].median() < 0.2)
    True
    """
    if min(draws, tune, chains) < 1:
        raise ValueError("draws, tune and chains must be at least 1")
    seed = seed_from(random_seed)
    if stream is not None and Path(stream).exists() and any(Path(stream).iterdir()):
        raise ValueError(f"stream={str(stream)!r} is not empty: give a folder of its own to draws")
    structure = structure_of(law, runs, pooling, noise, priors)
    arrays = arrays_of(structure, runs)
    for hint in hints_of(structure, runs):
        warnings.warn(f"{law.title}: {hint}", RunsWarning, stacklevel=2)
    options = {"draws": draws, "tune": tune, "chains": chains, "progressbar": progressbar}
    sampled, found = sample_with_care(structure, arrays, random_seed=seed, stream=stream, **options)
    if not found["converged"]:
        warnings.warn(
            f"{law.title} did not converge: {'; '.join(complaints(found))}. Do not trust this fit: "
            "try more draws, a simpler law, or pool more.",
            ConvergenceWarning,
            stacklevel=2,
        )
    for name in unlearned_ceilings(structure, sampled.draws):
        warnings.warn(
            f"{law.title}: the ceiling {name} is as wide as its prior: the data end before they "
            "show it, so what a forecast says about it is the prior's. See bs.learned(fit).",
            RunsWarning,
            stacklevel=2,
        )
    return Fit(law, runs, structure, arrays, sampled.draws, sampled.stats, found, seed)


def seed_from(random_seed: Any) -> int:
    """Seed of a sampler: 0 where nobody says."""
    if random_seed is None:
        return 0
    if not isinstance(random_seed, Integral) or random_seed < 0:
        raise ValueError(f"random_seed is {random_seed!r}: give a whole number such as 0 or 17")
    return int(random_seed)


def hints_of(structure: Structure, runs: Runs) -> Iterator[str]:
    """Say what law and noise cannot tell from a table, and where it goes against the law."""
    yield from structure.law.identifiability({s: runs.x[c] for s, c in structure.columns})
    yield from disagreements(structure, runs)
    if structure.noise.has_checkpoints and runs.y_se is not None:
        yield (
            f"Checkpoints() carries the errors in {runs.names['y_se']} on along a run, as those of "
            "one evaluation set are; where they are independent, bands are too narrow: average "
            "neighbouring checkpoints and leave out y_se="
        )


def sample_with_care(
    structure: Structure, arrays: Arrays, *, random_seed: int, draws: int, tune: int, **options: Any
) -> tuple[Sampled, dict[str, Any]]:
    """Sample, and once more, longer and with smaller steps, where the gate says no.

    Slow mixing asks for more draws, and for jumps; divergences ask for smaller steps.  Where both
    fail, the draws that agree better are kept.
    """
    sampled = sample(structure, arrays, random_seed=random_seed, draws=draws, tune=tune, **options)
    sampled, found = mix(structure, arrays, sampled, random_seed)
    seconds, retried = (sampled.compile_s, sampled.sample_s), False
    if not found["converged"]:
        again = sample(
            structure,
            arrays,
            random_seed=random_seed + 1,
            draws=2 * draws,
            tune=2 * tune,
            target_accept=0.99 if found["divergences"] else 0.95,
            **options,
        )
        again, refound = mix(structure, arrays, again, random_seed)
        seconds = seconds[0] + again.compile_s, seconds[1] + again.sample_s
        if refound["converged"] or refound["max_rhat"] < found["max_rhat"]:
            sampled, found, retried = again, refound, True
    timing = {"compile_s": seconds[0], "sample_s": seconds[1], "total_s": sum(seconds)}
    return sampled, {**found, **timing, "retried": retried}


@dataclass(frozen=True)
class Fit:
    """Posterior of one law on one table, whose numbers cannot be changed.

    Attributes
    ----------
    law : Law
        The formula.
    runs : Runs
        The table.
    structure, arrays
        The model apart from its numbers, and the numbers.
    draws : mapping of str to array
        Sampled variables, shape (chain, draw, ...).
    stats : mapping of str to array
        Statistics of NUTS, shape (chain, draw), also where jumps made the draws.
    diagnostics : mapping
        ``max_rhat``, ``min_ess_bulk``, ``min_ess_tail``, ``divergences``, ``ebfmi``,
        ``converged``, ``compile_s``, ``sample_s``, ``total_s``, ``retried`` (whether draws
        are those of a second, longer run), and ``jumps``: the share of accepted jumps between
        modes, 0 where chains mixed without.
    random_seed : int
        Seed of sampling and of forecasts.
    """

    law: Law
    runs: Runs
    structure: Structure
    arrays: Arrays = field(repr=False)
    draws: Mapping[str, np.ndarray] = field(repr=False)
    stats: Mapping[str, np.ndarray] = field(repr=False)
    diagnostics: Mapping[str, Any]
    random_seed: int = 0

    def __post_init__(self) -> None:
        """Keep what answers rest on from being changed."""
        for name in _MAPPINGS:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy mappings as plain ones, which can be."""
        return vars(self) | {name: dict(getattr(self, name)) for name in _MAPPINGS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Keep mappings from being changed again."""
        vars(self).update(state)
        self.__post_init__()

    @cached_property
    def flat_draws(self) -> dict[str, np.ndarray]:
        """Sampled variables with chains joined, shape (sample, ...)."""
        return {k: v.reshape(-1, *v.shape[2:]) for k, v in self.draws.items()}

    @cached_property
    def posterior(self) -> "xr.Dataset":
        """Natural parameters, dims (chain, draw) and the groups that each varies over."""
        return natural_dataset(self.structure, self.draws, self.arrays, self.runs, self.random_seed)

    @cached_property
    def log_likelihood(self) -> np.ndarray:
        """Log density of every measurement in its own unit, shape (chain, draw, rows)."""
        found: np.ndarray = frozen(log_likelihood(self.structure, self.draws, self.arrays))
        return found

    @cached_property
    def data(self) -> "xr.DataTree":
        """Everything as one tree that ArviZ reads.

        Groups: ``posterior`` (natural parameters), ``coordinates`` (what the sampler moved in),
        ``sample_stats``, ``log_likelihood`` (of tables up to 1e8 draws times rows),
        ``observed_data``, ``constant_data``.
        """
        from bayescale.fitting.storage import tree_of

        return tree_of(self)

    @property
    def model(self) -> "pm.Model":
        """The PyMC model, built anew: changing its data does not touch this fit."""
        from bayescale.model.model import model_of

        return model_of(self.structure, self.arrays)

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """Median, equal-tailed interval and diagnostics of every natural parameter.

        Parameters
        ----------
        ci_prob : float
            Probability of the interval.
        """
        from bayescale.posterior.posterior import summarise

        return summarise(self.posterior, ci_prob)

    def forecast(
        self,
        x: Mapping[str, Any],
        *,
        groups: Mapping[str, Any] | None = None,
        kind: str = "run",
        ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
        random_seed: int | None = None,
    ) -> "Forecast":
        """Posterior predictive bands at any inputs; see :class:`bayescale.Forecast`."""
        from bayescale.forecast.forecast import forecast

        seed = self.random_seed if random_seed is None else random_seed
        return forecast(
            self.structure,
            self.flat_draws,
            self.arrays,
            self.runs,
            x,
            groups=groups,
            kind=kind,
            ci_prob=ci_prob,
            random_seed=seed,
        )

    def bands(
        self,
        x: Mapping[str, Any],
        *,
        groups: Mapping[str, Any] | None = None,
        kind: str = "run",
        ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
        random_seed: int | None = None,
    ) -> "pd.DataFrame":
        """Table of a forecast at any number of points."""
        from bayescale.forecast.forecast import bands

        seed = self.random_seed if random_seed is None else random_seed
        posterior = self.structure, self.flat_draws, self.arrays, self.runs
        return bands(*posterior, x, groups=groups, kind=kind, ci_prob=ci_prob, random_seed=seed)

    def replicated(self, random_seed: int | None = None) -> np.ndarray:
        """Draw new measurements in the place of every row, for posterior predictive checks.

        Parameters
        ----------
        random_seed : int, optional
            Seed of their noise; that of the fit by default.

        Returns
        -------
        array, shape (sample, rows)
            In the unit of the response.
        """
        from bayescale.forecast.predictive import replicate

        seed = self.random_seed if random_seed is None else random_seed
        return replicate(self.structure, self.flat_draws, self.arrays, np.random.default_rng(seed))

    def prior_predictive(
        self,
        x: Mapping[str, Any] | None = None,
        *,
        groups: Mapping[str, Any] | None = None,
        draws: int = 500,
        random_seed: int | None = None,
    ) -> "xr.DataTree":
        """Draw from the prior of this model; see :func:`bayescale.prior_predictive`."""
        from bayescale.forecast.prior import prior_of

        seed = self.random_seed if random_seed is None else random_seed
        return prior_of(
            self.structure, self.arrays, self.runs, x, groups, draws=draws, random_seed=seed
        )

    def as_prior(self, *names: str) -> dict[str, Any]:
        """Turn population medians into priors of another fit.

        All exponents by default; see :func:`bayescale.fitting.as_prior` for what it carries.
        """
        from bayescale.fitting.updating import as_prior

        return as_prior(self, *names)

    def report(self, held_out: "Comparison | Backtest | None" = None) -> "Report":
        """Fill in a checklist for a paper; see :func:`bayescale.reporting.report`."""
        from bayescale.reporting import report

        return report(self, held_out)

    def save(self, path: str | Path) -> Path:
        """Write the fit to one netCDF file (arrays, and the rest as JSON); see :func:`load`."""
        from bayescale.fitting.storage import save

        return save(self, path)

    def sampled(self) -> "xr.Dataset":
        """Return the sampled coordinates as a data set, dims (chain, draw, ...)."""
        return sampled_dataset(self.structure, self.draws, self.runs)


def refit(
    original: Fit, arrays: Arrays, *, draws: int, tune: int, chains: int, random_seed: int
) -> Fit:
    """Sample the structure of a fit again on other numbers, without compiling.

    Parameters
    ----------
    original : Fit
        Where law, table and structure come from.
    arrays : dict
        The new numbers, e.g. without some rows.
    draws, tune, chains : int
        As for :func:`fit`.
    random_seed : int
        As for :func:`fit`.
    """
    sampled, found = sample_with_care(
        original.structure,
        arrays,
        random_seed=random_seed,
        draws=draws,
        tune=tune,
        chains=chains,
        progressbar=False,
    )
    return replace(
        original,
        arrays=arrays,
        draws=sampled.draws,
        stats=sampled.stats,
        diagnostics=found,
        random_seed=random_seed,
    )


def refit_on(original: Fit, runs: Runs, **options: Any) -> Fit:
    """Sample the structure of a fit on another table with the same groups; see :func:`refit`."""
    return replace(refit(original, arrays_of(original.structure, runs), **options), runs=runs)
