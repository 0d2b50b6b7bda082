"""A folder of fits that sweeps write to and go on from: one file a fit, named by what it is of."""

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import bayescale
from bayescale.fitting.storage import GROUPS, _structure_to_json
from bayescale.model.signature import prior_text
from bayescale.model.structure import Structure
from bayescale.runs import Runs

if TYPE_CHECKING:
    from bayescale.fitting import Fit


def file_of(
    store: str | Path,
    name: str,
    structure: Structure,
    runs: Runs,
    settings: Mapping[str, int],
) -> Path:
    """Path of the fit of a table: its name, and a fingerprint of everything its draws depend on.

    That is law (with the text of its class), noise, pooling, priors, table, settings, and the
    version of this package.

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
        "settings": dict(settings),
        "table": {key: str(value) for key, value in table.attrs.items()},
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=repr).encode())
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


def _source(law: Any) -> str:
    """Text of a law's class, so that a formula that was changed is fitted anew."""
    try:
        return inspect.getsource(type(law))
    except (OSError, TypeError):  # a class without a file
        return ""
