"""A folder of fits that sweeps write to and go on from: one file a fit, named by what it is of."""

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

import bayescale
from bayescale.fitting.storage import GROUPS, _structure_to_json
from bayescale.laws.parameters import Parameters
from bayescale.model.arrays import arrays_of
from bayescale.model.model import row_units
from bayescale.model.response import natural_of
from bayescale.model.rows import formula_inputs
from bayescale.model.signature import prior_text
from bayescale.model.structure import Structure
from bayescale.runs import Runs

if TYPE_CHECKING:
    from bayescale.fitting import Fit

#: Points at which law and noise are asked what they say.
POINTS = 3


def file_of(
    store: str | Path,
    name: str,
    structure: Structure,
    runs: Runs,
    settings: Mapping[str, int],
) -> Path:
    """Path of the fit of a table: its name, and a fingerprint of everything its draws depend on.

    That is law and noise (by name, by what they say of the table, and the law by the text of its
    class), pooling, priors, table, settings, and the version of this package.

    Parameters
    ----------
    store : str or Path
        The folder.
    name : str
        Of the table.
    structure, runs
        The model and the table.
    settings : mapping of str to int
        Draws, tuning, chains and seed.
    """
    table = runs.to_dataset()
    priors = [(parameter, prior_text(prior)) for parameter, prior in structure.priors]
    said = {
        "version": bayescale.__version__,
        "name": name,
        "structure": {**_structure_to_json(structure), "priors": priors},
        "formula": _source(structure.law),
        "parameters": repr(structure.parameters),
        "settings": dict(settings),
        "table": {key: str(value) for key, value in table.attrs.items()},
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=repr).encode())
    digest.update(_densities(structure, runs).tobytes())
    for column, values in table.data_vars.items():
        digest.update(f"{column} {values.dtype} {values.shape}".encode())
        digest.update(values.to_numpy().tobytes())
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:80].lstrip(".")
    return Path(store).resolve() / f"{readable}-{digest.hexdigest()[:20]}.nc"


def save_whole(fit: "Fit", path: Path, row: Mapping[str, Any]) -> Path:
    """Write a fit and its row in the table of a sweep; the file appears when it is complete."""
    import h5py  # type: ignore[import-untyped]

    temporary = path.with_name(f".{path.stem[-20:]}-{uuid4().hex}.part")
    fit.save(temporary)
    with h5py.File(temporary, "r+") as file:
        file.attrs["row"] = json.dumps(dict(row))
    temporary.replace(path)
    return path


def read_row(path: Path) -> dict[str, Any]:
    """Read back the row of :func:`save_whole`, and nothing else of the file.

    Raises
    ------
    OSError, KeyError
        If it is no such file, or has lost a part of its fit.
    """
    import h5py

    with h5py.File(path, "r") as file:
        if lost := [group for group in GROUPS if group not in file]:
            raise KeyError(f"no {lost[0]}")
        row: dict[str, Any] = json.loads(str(file.attrs["row"]))
    return row


def _densities(structure: Structure, runs: Runs) -> np.ndarray:
    """Log density of every row at a few points about the medians of the priors.

    A law is not all in the text of its class: whatever its formula calls or inherits shows here.
    """
    arrays, rng = arrays_of(structure, runs), np.random.default_rng(0)
    z = {
        q.name: arrays[f"offset_{q.name}"]
        + 0.3 * rng.standard_normal((POINTS, len(structure.units[q.name])))
        for q in structure.parameters
    }
    with np.errstate(all="ignore"):
        found = natural_of(np, structure, z, arrays)
        p = Parameters.of(np, found, row_units(structure, arrays))
        curve = structure.noise.curve(np, structure.law, p, *formula_inputs(np, arrays))
        density = structure.noise.logpdf(curve, p, arrays)
        # Machines that share a store may differ in the last digits.
        return np.nan_to_num(density).astype(np.float32)


def _source(law: Any) -> str:
    """Text of a law's class, so that a formula that was changed is fitted anew."""
    try:
        return inspect.getsource(type(law))
    except (OSError, TypeError):  # a class without a file
        return ""
