"""What a fit returns: one posterior of one law on one table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.model.rows import Arrays
from bayescale.model.structure import Structure
from bayescale.posterior.chains import joined
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
        """Pickle and copy what was given, mappings as plain ones, which can be."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return given | {name: dict(given[name]) for name in _MAPPINGS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Keep mappings from being changed again."""
        vars(self).update(state)
        self.__post_init__()

    @cached_property
    def flat_draws(self) -> dict[str, np.ndarray]:
        """Sampled variables with chains joined, shape (sample, ...)."""
        return joined(self.draws)

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

        Examples
        --------
        Posterior predictive plots of ArviZ need new measurements beside the old ones (times the
        trials where successes are counted):

        >>> import xarray as xr
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
        >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
        >>> tree, shape = fit.data.copy(), fit.log_likelihood.shape
        >>> again = (("chain", "draw", "obs"), fit.replicated().reshape(shape))
        >>> tree["posterior_predictive"] = xr.DataTree(xr.Dataset({"y": again}))
        >>> dict(tree["posterior_predictive"].sizes)
        {'chain': 1, 'draw': 3, 'obs': 4}
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
        x: Any,
        *,
        groups: Mapping[str, Any] | None = None,
        kind: str = "run",
        ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
        random_seed: int | None = None,
    ) -> "Forecast":
        """Forecast the response at inputs.

        Parameters
        ----------
        x : mapping of str to array_like, array_like, DataFrame or Runs
            Inputs in the unit of the table, by symbol; scalars and arrays broadcast to one list
            of points.  Where the law has one input, a number or a sequence of numbers says enough.
            A table has one row a point, with inputs and labels under the names of the
            fitted table or by symbol and group.  Where successes are counted, ``"trials"`` says
            how many trials a new measurement has (the median of the table otherwise); the
            response is then a share of successes.  Of a table with standard errors, ``"y_se"`` is
            that of a new measurement in the unit of the response; without it a measurement has
            the scatter around the law alone.  Other inputs of the table, which the law does not
            read, make no difference.
        groups : mapping of str to label or array of labels, optional
            A label for all points or one for each.  A label that was not fitted is a draw from
            the population.  Groups that are left out run, point by point, over all combinations
            that the table has beside the labels that are given.  With checkpoints, the group
            ``"sequence"`` names the run that is continued: its last residual is carried on and
            fades, and it has the labels that the table gives it.  Without it the only run of its
            labels is; where they have several, or the name is not one of the table, a measurement
            is of a new run.  ``points`` and ``table`` say which.
        kind : {"run", "mean"}
            A new measurement, or the curve.
        ci_prob : float or iterable of float
            Probabilities of the bands.
        random_seed : int, optional
            Seed of new labels and new measurements; that of the fit by default.

        Returns
        -------
        Forecast
            ``draws`` of shape (sample, points) and ``table``, in the unit of the response.

        Raises
        ------
        ValueError
            If inputs are missing, unknown or not positive, or several of them are not given by
            symbol, a column is unknown, lengths do not
            fit, a group is unknown, a run that is continued has other labels in the table, or a
            probability does not lie between 0 and 1.

        Warns
        -----
        RunsWarning
            If a new label may be a slip of one that was fitted.

        Examples
        --------
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
        >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
        >>> forecast = fit.forecast({"C": [1e21, 1e22]}, kind="mean", ci_prob=0.8)
        >>> forecast.table["median"].round(2).tolist()
        [2.09, 1.74]
        >>> forecast.draws.shape
        (3, 2)
        """
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
        x: Any,
        *,
        groups: Mapping[str, Any] | None = None,
        kind: str = "run",
        ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
        random_seed: int | None = None,
    ) -> "pd.DataFrame":
        """Table of a forecast without its draws: any number of points in bounded memory.

        Points are worked on in chunks, all with the same draws of the parameters of new labels.
        The table is that of :meth:`forecast` to the last bit while one chunk holds all points,
        and at any size for the curves (``kind="mean"``) of labels that were fitted; otherwise new
        measurements are other draws of the same distributions.

        Parameters
        ----------
        x, groups, kind, ci_prob, random_seed
            As for :meth:`forecast`.

        Returns
        -------
        DataFrame
            As :attr:`Forecast.table`, in the unit of the response.

        Raises
        ------
        ValueError
            As for :meth:`forecast`.

        Warns
        -----
        RunsWarning
            As for :meth:`forecast`.

        Examples
        --------
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
        >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
        >>> list(fit.bands({"C": [1e21, 1e22]}, ci_prob=0.8))
        ['C', 'extrapolated', 'decades_beyond', 'median', 'lower_0.8', 'upper_0.8']
        """
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
        """Draw parameters, curves and measurements from the prior of this model.

        Parameters
        ----------
        x : mapping of str to array_like, optional
            Inputs in the unit of the table, by symbol, as for :meth:`forecast`.  By default every
            input runs from a decade below the data to two decades above them.
        groups : mapping of str to label, optional
            As for :meth:`forecast`.
        draws : int
            Draws from the prior.
        random_seed : int, optional
            Reproduces the draws; that of the fit by default.

        Returns
        -------
        xarray.DataTree
            Groups ``prior``, ``prior_predictive`` and ``observed_data``, as
            :func:`bayescale.prior_predictive` returns them; ``plots.plot_prior`` draws it.

        Raises
        ------
        ValueError
            If `draws` is less than 1, or as for :meth:`forecast`.

        Examples
        --------
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
        >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
        >>> prior = fit.prior_predictive({"C": [1e21, 1e22]}, draws=50)
        >>> dict(prior["prior_predictive"]["y"].sizes)
        {'chain': 1, 'draw': 50, 'point': 2}
        """
        from bayescale.forecast.prior import prior_of

        seed = self.random_seed if random_seed is None else random_seed
        return prior_of(
            self.structure, self.arrays, self.runs, x, groups, draws=draws, random_seed=seed
        )

    def as_prior(self, *names: str) -> dict[str, Any]:
        """Turn posteriors of population medians into priors for another table.

        Parameters
        ----------
        *names : str
            Parameters; all exponents of the law by default.

        Returns
        -------
        dict of str to PyMC distribution
            For ``bs.fit(..., priors=...)``: normal on the scale of the parameter (logarithm,
            value or logit).  The spread between families is not carried.

        Raises
        ------
        ValueError
            If a parameter is unknown, belongs to its table (a floor, a level, a location), or
            varies independently over its groups, so that there is no population.

        Examples
        --------
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
        >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
        >>> list(fit.as_prior("alpha"))
        ['alpha']
        """
        from bayescale.fitting.updating import as_prior

        return as_prior(self, *names)

    def report(self, held_out: "Comparison | Backtest | None" = None) -> "Report":
        """Fill in the checklist of what to report about this fit.

        Parameters
        ----------
        held_out : Comparison or Backtest, optional
            Where the held-out score comes from; without it the report gives the PSIS-LOO score of
            this fit alone.

        Returns
        -------
        Report
            With ``.markdown`` and ``.latex``.

        Raises
        ------
        ValueError
            If `held_out` is neither.

        Examples
        --------
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> fit = bs.fit(bs.laws.PowerLaw(), runs, draws=300, progressbar=False)
        >>> [heading for heading, _ in fit.report().items][:3]
        ['Form', 'Counting', 'Data']
        """
        from bayescale.reporting import report

        return report(self, held_out)

    def save(self, path: str | Path) -> Path:
        """Write the fit to one netCDF file: arrays, and the rest as JSON inside it.

        Parameters
        ----------
        path : str or Path
            The file, whose folder is made where it is missing; ``~`` is the home folder.  A file
            of that name is replaced.

        Returns
        -------
        Path
            The file, which :func:`bayescale.load` reads.

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> import bayescale as bs
        >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
        >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
        >>> constants = {"A": 100.0, "alpha": [0.07, 0.08, 0.09]}
        >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     again = bs.load(fit.save(f"{folder}/fit.nc"))
        >>> again.law == fit.law
        True
        """
        from bayescale.fitting.storage import save

        return save(self, path)

    def sampled(self) -> "xr.Dataset":
        """Return the sampled coordinates as a data set, dims (chain, draw, ...)."""
        return sampled_dataset(self.structure, self.draws, self.runs)
