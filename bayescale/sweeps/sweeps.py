"""Fit one law to many tables: ``fit_many``, from two cores to a cluster, and what it returns."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.fitting import Fit
from bayescale.fitting.fitting import hints_of
from bayescale.fitting.storage import read
from bayescale.laws.base import Law
from bayescale.model.arrays import arrays_of
from bayescale.model.slips import check_counts, check_law
from bayescale.model.structure import Structure, structure_of
from bayescale.noise import Noise
from bayescale.pooling import Pooling
from bayescale.posterior.posterior import unlearned_ceilings
from bayescale.runs import Runs, RunsWarning
from bayescale.runs.words import did_you_mean
from bayescale.sampling import ConvergenceWarning
from bayescale.sampling.execution import Outcome, map_fits
from bayescale.sampling.progress import counting
from bayescale.sampling.retry import sample_with_care, seed_from
from bayescale.sweeps.store import file_of, read_row, save_whole

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


def fit_many(
    law: Law,
    tables: Mapping[str, Runs],
    *,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    random_seed: int | None = None,
    executor: Executor | None = None,
    store: str | Path | None = None,
    progressbar: bool = True,
) -> "Sweep":
    """Sample the posterior of a law on every one of many tables, each by itself.

    Tables of one structure (the same groups, labels and optional columns, whatever their length)
    share a compiled model, and every fit keeps one core busy.

    Parameters
    ----------
    law : Law
        The formula.
    tables : mapping of str to Runs
        The tables under names of your choice.
    pooling, noise, priors
        As for :func:`bayescale.fit`.
    draws, tune, chains : int
        As for :func:`bayescale.fit`.
    random_seed : int, optional
        Reproduces the sweep.  Every table has a seed of its own, made from this one and its name,
        so that draws depend neither on the other tables nor on where and when they are fitted.
    executor : concurrent.futures.Executor, optional
        Where to fit: threads on the cores of this machine by default, a ``ProcessPoolExecutor``
        (with the start method ``"spawn"``), or the ``get_executor()`` of a Dask client.
    store : str or Path, optional
        A folder that every fit is written to when it is done, by the process that made it; with
        several machines it must be one that all of them see.  A call with the same folder reads
        fits of the same law, model, table, seed and settings instead of making them again.
    progressbar : bool
        Show how many fits are done, and the time left.

    Returns
    -------
    Sweep
        A mapping of names to fits, with ``table`` and ``failures``.

    Raises
    ------
    ValueError
        If the law is none, there is no table, a setting is no positive whole number, `executor`
        runs nothing, or `store` is a file.

    Warns
    -----
    RunsWarning
        If tables cannot tell some parameters of the law, or their standard errors from what
        checkpoints carry on, name runs of which the noise does not know, or go against a law that
        can only fall or rise.
    ConvergenceWarning
        If fits fail the convergence gate even after a second, more careful run.
    RuntimeWarning
        If fits failed altogether.

    Examples
    --------
    >>> import numpy as np
    >>> import bayescale as bs
    >>> x = np.geomspace(1e17, 1e21, 12)
    >>> tables = {
    ...     f"curve {k}": bs.Runs(
    ...         {"flops": x, "loss": 30 * x**-0.05 * np.exp(0.01 * np.sin(9 * k + np.arange(12)))},
    ...         y="loss", x={"C": "flops"})
    ...     for k in range(3)
    ... }
    >>> sweep = bs.fit_many(bs.laws.PowerLaw(), tables, random_seed=1, progressbar=False)
    >>> list(sweep)
    ['curve 0', 'curve 1', 'curve 2']
    >>> bool(abs(sweep["curve 0"].posterior["alpha"].median() - 0.05) < 0.01)
    True
    """
    if not isinstance(tables, Mapping) or not tables:
        raise ValueError("fit_many takes a mapping of names to tables, e.g. {'curve 1': runs}")
    if wrong := [name for name in tables if not isinstance(name, str)]:
        raise ValueError(f"names of tables are text, not {wrong[0]!r}: give {{str(name): runs}}")
    check_law(law)
    check_counts(draws=draws, tune=tune, chains=chains)
    if store is not None and Path(store).exists() and not Path(store).is_dir():
        raise ValueError(f"store={str(store)!r} is a file: give a folder")
    options = {"draws": draws, "tune": tune, "chains": chains}
    seed = seed_from(random_seed)
    done: dict[str, _Done] = {}
    failures: dict[str, str] = {}
    tasks: dict[str, tuple[Any, ...]] = {}
    structures: dict[str, Structure] = {}
    order: dict[Structure, int] = {}
    for name, runs in tables.items():
        own, path = seed_of(seed, name), None
        try:
            structure = structures[name] = structure_of(law, runs, pooling, noise, priors)
            if store is not None:
                path = file_of(store, name, structure, runs, {**options, "random_seed": own})
        except ValueError as error:
            failures[name] = f"{type(error).__name__}: {error}"
            continue
        if path is not None and (found := _stored(path)) is not None:
            done[name] = found
            continue
        order.setdefault(structure, len(order))
        tasks[name] = (structure, runs, options, own, path)
    if done:
        _log.info("%d of %d fits are in the store already", len(done), len(tables))
    names = sorted(tasks, key=lambda name: order[tasks[name][0]])
    with counting(progressbar, len(names), f"{law.title}, {len(names)} fits") as advance:

        def note(outcome: Outcome) -> None:
            advance(failed=outcome.error is not None)

        outcomes = map_fits(_fit_one, [tasks[name] for name in names], executor, done=note)
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome.error is not None:
            failures[name] = outcome.error
        elif isinstance(outcome.value.fit, Path) and not outcome.value.fit.exists():
            failures[name] = (
                f"its worker wrote {outcome.value.fit}, which is not there for this process: "
                "store= must be a folder that all machines share"
            )
        else:
            done[name] = outcome.value
    sweep = _sweep(tables, done, {name: failures[name] for name in tables if name in failures})
    _warn(structures, tables, sweep)
    return sweep


@dataclass(frozen=True, eq=False)
class Sweep(Mapping[str, Fit]):
    """Fits of one law to many tables, by name; fits in a store are read when they are asked for.

    Attributes
    ----------
    table : DataFrame
        One row a fit, in the order of the tables: ``rows`` and the diagnostics of
        :class:`bayescale.Fit`; ``unlearned`` names ceilings as wide as their priors.
    failures : mapping of str to str
        Tables without a fit, and the text of the error.
    fits : mapping of str to Fit or Path
        The fits, or the files that hold them.
    """

    table: "pd.DataFrame" = field(repr=False)
    failures: Mapping[str, str]
    fits: Mapping[str, Fit | Path] = field(repr=False)

    def __getitem__(self, name: str) -> Fit:
        """Return one fit, from its file if there is one."""
        if name in self.failures:
            raise KeyError(f"{name!r} has no fit: {self.failures[name]}")
        if name not in self.fits:
            raise KeyError(f"no fit of {name!r}: {did_you_mean(str(name), self.fits)}")
        fit = self.fits[name]
        return read(fit) if isinstance(fit, Path) else fit

    def __iter__(self) -> Iterator[str]:
        return iter(self.fits)

    def __len__(self) -> int:
        return len(self.fits)

    def __repr__(self) -> str:
        strayed = int((~self.table["converged"].astype(bool)).sum())
        return f"Sweep: {len(self)} fits, {strayed} not converged, {len(self.failures)} failed"


def seed_of(random_seed: int, name: str) -> int:
    """Seed of one table, which depends on its name and on nothing else of the sweep."""
    return int(np.random.SeedSequence([random_seed, *name.encode()]).generate_state(1)[0] >> 1)


@dataclass(frozen=True)
class _Done:
    """A fit or the file that holds it, and its row in the table of a sweep."""

    fit: Fit | Path
    row: Mapping[str, Any]


def _fit_one(
    structure: Structure,
    runs: Runs,
    options: Mapping[str, int],
    random_seed: int,
    path: Path | None,
    *,
    cores: int,
) -> _Done:
    """Fit one table, in whatever process this is."""
    arrays = arrays_of(structure, runs)
    sampled, found = sample_with_care(
        structure, arrays, random_seed=random_seed, cores=cores, **options
    )
    law = structure.law
    fit = Fit(law, runs, structure, arrays, sampled.draws, sampled.stats, found, random_seed)
    unlearned = ", ".join(unlearned_ceilings(structure, sampled.draws))
    row = {"rows": len(runs), **found, "unlearned": unlearned}
    return _Done(fit if path is None else save_whole(fit, path, row), row)


def _stored(path: Path) -> _Done | None:
    """Find a fit in the store; a file that cannot be read is made again."""
    if not path.exists():
        return None
    try:
        return _Done(path, read_row(path))
    except (OSError, ValueError, KeyError) as error:
        _log.warning("%s cannot be read (%s): its fit is made again", path, error)
        return None


def _sweep(
    tables: Mapping[str, Runs], done: Mapping[str, _Done], failures: Mapping[str, str]
) -> Sweep:
    import pandas as pd

    there = [name for name in tables if name in done]
    columns = ["rows", "converged", "unlearned"] if not there else None
    table = pd.DataFrame(
        [done[name].row for name in there], index=pd.Index(there, name="table"), columns=columns
    )
    return Sweep(table, failures, {name: done[name].fit for name in there})


def _warn(structures: Mapping[str, Structure], tables: Mapping[str, Runs], sweep: Sweep) -> None:
    """Warn once for every kind of thing, however many tables it concerns."""
    hints: dict[str, list[str]] = {}
    for name, runs in tables.items():
        if name in sweep.fits:
            for hint in hints_of(structures[name], runs):
                hints.setdefault(hint, []).append(name)
    for fitted, ceilings in sweep.table["unlearned"].items():
        if ceilings:
            hint = f"the ceiling {ceilings} is as wide as its prior; see bs.learned(fit)"
            hints.setdefault(hint, []).append(str(fitted))
    said: list[tuple[type[Warning], str]] = [
        (RunsWarning, f"{structures[n[0]].law.title}: {hint} ({_some(n)})")
        for hint, n in hints.items()
    ]
    strayed = [name for name, good in sweep.table["converged"].items() if not good]
    if strayed:
        text = f"{len(strayed)} of {len(tables)} fits did not converge: {_some(strayed)}"
        said.append((ConvergenceWarning, f"{text}. Do not trust them."))
    if sweep.failures:
        name, error = next(iter(sweep.failures.items()))
        text = f"{len(sweep.failures)} of {len(tables)} fits failed, e.g. {name!r}: {error}"
        said.append((RuntimeWarning, f"{text}. See .failures"))
    for category, text in said:
        warnings.warn(text, category, stacklevel=3)


def _some(names: list[Any]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(str, names[:5])) + more
