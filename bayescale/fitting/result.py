"""What a fit returns: one posterior of one law on one table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.model.rows import Arrays
from bayescale.model.structure import Structure
from bayescale.posterior.likelihood import log_likelihood
from bayescale.posterior.posterior import natural_dataset, sampled_dataset
from bayescale.runs import Runs
from bayescale.runs.columns import frozen

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
