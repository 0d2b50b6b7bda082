"""Compile once per structure, and sample."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from bayescale.model.geometry import with_spreads
from bayescale.model.model import model_of
from bayescale.model.packing import model_arrays
from bayescale.model.rows import Arrays
from bayescale.model.signature import prior_text
from bayescale.model.structure import Structure
from bayescale.noise import Discrepancy
from bayescale.sampling.memory import keep_freed_memory
from bayescale.sampling.starts import start_at_modes, start_near_zero

_log = logging.getLogger(__name__)
_compiled: OrderedDict[Structure, Any] = OrderedDict()
_lock = Lock()
_KEEP = 32

#: Roles of the parameters of sums of power laws.
ONE_MODE = {"floor", "level", "exponent"}


@dataclass(frozen=True)
class Sampled:
    """What the sampler returns.

    Attributes
    ----------
    draws : dict
        Sampled variables, shape (chain, draw, ...).
    stats : dict
        Sampler statistics, shape (chain, draw).
    compile_s, sample_s : float
        Seconds spent.
    """

    draws: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]
    compile_s: float
    sample_s: float


def sample(
    structure: Structure,
    arrays: Arrays,
    *,
    draws: int,
    tune: int,
    chains: int,
    random_seed: int,
    target_accept: float = 0.85,
    progressbar: bool = False,
    cores: int | None = None,
    stream: str | Path | None = None,
) -> Sampled:
    """Sample the posterior of a structure given arrays; compile it at most once.

    Parameters
    ----------
    structure, arrays
        What to sample.
    draws, tune, chains : int
        Draws kept and thrown away in every chain, and chains.
    random_seed : int
        Reproduces the draws bit for bit on one machine.
    target_accept : float
        Acceptance rate that the step size is tuned to.
    progressbar : bool
        Show progress where a user waits.
    cores : int, optional
        Chains that run at the same time.
    stream : str or Path, optional
        Folder of a zarr store that takes every draw when it is drawn.
    """
    import nutpie

    from bayescale.sampling.progress import progress

    started = time.perf_counter()
    data = model_arrays(arrays)
    compiled = compile_structure(structure, arrays).with_data(**data)
    compiled_at = time.perf_counter()
    if {q.role for q in structure.law.parameters} <= ONE_MODE:
        compiled = start_near_zero(compiled)
    else:
        compiled = start_at_modes(compiled, random_seed, pooled=bool(structure.groups))
    with progress(progressbar, chains * (draws + tune), structure.law.title) as callback:
        trace = nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            seed=random_seed,
            adaptation="low_rank",
            target_accept=target_accept,
            save_warmup=False,
            progress_bar=False,
            zarr_store=_zarr_store(stream) if stream else None,
            **({"progress_callback": callback} if callback else {}),
        )
    sampled_at = time.perf_counter()
    posterior, stats = trace["posterior"].dataset, trace["sample_stats"].dataset
    wanted = ("diverging", "energy", "n_steps", "depth", "step_size")
    found = {str(name): np.asarray(values) for name, values in posterior.items()}
    return Sampled(
        with_spreads(structure, found, arrays, np.random.default_rng(random_seed)),
        {name: np.asarray(stats[name]) for name in wanted if name in stats},
        compiled_at - started,
        sampled_at - compiled_at,
    )


def _zarr_store(folder: str | Path) -> Any:
    from nutpie import zarr_store

    Path(folder).mkdir(parents=True, exist_ok=True)
    return zarr_store.LocalStore(str(folder))


def compile_structure(structure: Structure, arrays: Arrays) -> Any:
    """Compiled model of a structure, from the cache when it is there.

    One thread compiles at a time, so that threads with the same structure compile it once.

    Sums keep the order that is written.  Where the compiler may reorder them it does so by what it
    finds in its cache on disk, and the same seed would give other draws in another process.
    """
    import nutpie
    from pytensor import config

    keep_freed_memory(len(arrays["y"]))
    key = replace(
        structure,
        noise=structure.noise.without(Discrepancy),
        priors=tuple((n, prior_text(p)) for n, p in structure.priors),
    )
    with _lock:
        if key not in _compiled:
            _log.info("compiling %s", structure.law.title)
            with config.change_flags(numba__fastmath=False):
                _compiled[key] = nutpie.compile_pymc_model(model_of(structure, arrays))
            while len(_compiled) > _KEEP:
                _compiled.popitem(last=False)
        _compiled.move_to_end(key)
        return _compiled[key]
