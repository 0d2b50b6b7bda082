"""Fit a law to a table of runs."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayescale.fitting.directions import disagreements
from bayescale.fitting.result import Fit
from bayescale.laws.base import Law
from bayescale.model.arrays import arrays_of
from bayescale.model.rows import Arrays
from bayescale.model.slips import check_counts
from bayescale.model.structure import Structure, structure_of
from bayescale.noise import Noise
from bayescale.pooling import Pooling
from bayescale.posterior.posterior import unlearned_ceilings
from bayescale.runs import Runs, RunsWarning
from bayescale.runs.groups import SEQUENCE
from bayescale.sampling import ConvergenceWarning
from bayescale.sampling.gate import complaints
from bayescale.sampling.retry import sample_with_care, seed_from


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
        checkpoints carry on; if it names runs of several rows and the noise does not know of them,
        or the other way round; or if the response clearly rises in an input in which the law can
        only fall, or the other way round.
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
    check_counts(draws=draws, tune=tune, chains=chains)
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


def hints_of(structure: Structure, runs: Runs) -> Iterator[str]:
    """Say what law and noise cannot tell from a table, and where it goes against the law."""
    yield from structure.law.identifiability({s: runs.x[c] for s, c in structure.columns})
    yield from disagreements(structure, runs)
    yield from _along_runs(structure, runs)
    if structure.noise.has_checkpoints and runs.y_se is not None:
        yield (
            f"Checkpoints() carries the errors in {runs.names['y_se']} on along a run, as those of "
            "one evaluation set are; where they are independent, bands are too narrow: average "
            "neighbouring checkpoints and leave out y_se="
        )


def _along_runs(structure: Structure, runs: Runs) -> Iterator[str]:
    """Say where table and noise do not agree on whether rows are checkpoints."""
    if runs.sequence is None:
        return
    noise, column = structure.noise, runs.names["sequence"]
    if noise.has_checkpoints and not runs.has_checkpoints:
        yield (
            f"{column}: every run has one row, so that Checkpoints() finds nothing to carry on; "
            "is this the column of run ids?"
        )
    if runs.has_checkpoints and not (noise.has_checkpoints or SEQUENCE in structure.groups):
        part = f"Effect({SEQUENCE!r})" if noise.counts else "Checkpoints()"
        yield (
            f"{column}: checkpoints of one run err together, and the noise takes them for "
            f"measurements of their own, so that bands are too narrow: add bs.{part} to it, "
            f"e.g. noise=bs.{type(noise).__name__}() + bs.{part}"
        )


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
