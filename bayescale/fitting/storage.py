"""Save and load a fit: arrays as netCDF, the rest as JSON inside it."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.fitting.given_priors import prior_from_json, prior_to_json
from bayescale.laws.base import Law
from bayescale.laws.registry import classes, identifier
from bayescale.model.structure import Structure
from bayescale.noise import Noise
from bayescale.noise.parts import Part
from bayescale.pooling import Independent, Partial, Pooling, Shared
from bayescale.posterior.chains import shape_of
from bayescale.posterior.likelihood import log_likelihood, row_chunks
from bayescale.runs import Runs
from bayescale.runs.problems import warn_owner
from bayescale.sampling import ConvergenceWarning
from bayescale.sampling.gate import complaints

if TYPE_CHECKING:
    import xarray as xr

    from bayescale.fitting.result import Fit

_FORMAT = 1
#: Groups of a file that make a fit; the others are for ArviZ.
GROUPS = ("coordinates", "sample_stats", "constant_data", "runs")


def tree_of(fit: "Fit") -> "xr.DataTree":
    """Everything in a fit as one tree of data sets."""
    import xarray as xr

    chain, draw = shape_of(fit.draws)
    coords = {"chain": range(chain), "draw": range(draw), "obs": np.arange(len(fit.runs))}
    rows = {"chain": coords["chain"], "draw": coords["draw"], "obs": coords["obs"]}
    arrays = {
        name: ([f"{name}_{i}" for i in range(values.ndim)], values)
        for name, values in fit.arrays.items()
    }
    specification = {
        "format": _FORMAT,
        "structure": _structure_to_json(fit.structure),
        "diagnostics": dict(fit.diagnostics),
        "random_seed": fit.random_seed,
    }
    tree = xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs={"bayescale": json.dumps(specification), "law": fit.law.title}),
            "posterior": fit.posterior,
            "coordinates": fit.sampled(),
            "sample_stats": xr.Dataset(
                {k: (("chain", "draw"), v) for k, v in fit.stats.items()},
                coords={"chain": coords["chain"], "draw": coords["draw"]},
            ),
            "observed_data": xr.Dataset(
                {"y": ("obs", np.asarray(fit.runs.y))}, coords={"obs": coords["obs"]}
            ),
            "constant_data": xr.Dataset(arrays),
            "runs": fit.runs.to_dataset(),
        }
    )
    if len(row_chunks(chain * draw, len(fit.runs))) == 1:
        densities = {"y": (("chain", "draw", "obs"), fit.log_likelihood)}
        tree["log_likelihood"] = xr.DataTree(xr.Dataset(densities, coords=rows))
    return tree


def save(fit: "Fit", path: str | Path) -> Path:
    """Write a fit to a netCDF file and return the path."""
    path = Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = fit.data
    encoded = tree.map_over_datasets(_for_file)
    encoded.to_netcdf(path, engine="h5netcdf")
    return path


def load(path: str | Path) -> "Fit":
    """Read a fit that :meth:`Fit.save` wrote; its forecasts are identical.

    Only the name of a law is in the file, so its formula must be defined as it was; densities of
    the measurements, which are in the file up to 1e8 draws times rows, show whether it is.

    Parameters
    ----------
    path : str or Path
        The netCDF file.

    Returns
    -------
    Fit
        With the same table, draws, diagnostics and seed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no saved fit, is damaged or of another version, or its law is not defined
        in this session, or with another formula.

    Warns
    -----
    ConvergenceWarning
        If the draws failed the convergence gate when they were made.

    Examples
    --------
    >>> import tempfile
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20], "loss": [4.1, 3.4, 2.9, 2.6]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": 100.0, "alpha": [0.07, 0.08, 0.09]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = bs.load(fit.save(f"{folder}/fit.nc"))
    >>> again.forecast({"C": 1e21}).table.equals(fit.forecast({"C": 1e21}).table)
    True
    """
    fit = read(path)
    if not fit.diagnostics["converged"]:
        warn_owner(
            f"{path}: {fit.law.title} did not converge: "
            f"{'; '.join(complaints(fit.diagnostics))}. Do not trust this fit.",
            ConvergenceWarning,
        )
    return fit


def read(path: str | Path) -> "Fit":
    """Read a fit, converged or not; see :func:`load`."""
    import xarray as xr

    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"no file {path}")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged or no file that bayescale saved ({error})") from error
    if "bayescale" not in tree.attrs:
        raise ValueError(f"{path} is no fit that bayescale saved")
    try:
        return fit_of(tree)
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is damaged or was written by another version of bayescale or of its law "
            f"({type(error).__name__}: {error}): fit its table again"
        ) from error


def fit_of(tree: "xr.DataTree") -> "Fit":
    """Make the fit that :func:`tree_of` took apart."""
    from bayescale.fitting.result import Fit

    specification = json.loads(tree.attrs["bayescale"])
    if (found := specification["format"]) != _FORMAT:
        raise TypeError(f"format {found}, not {_FORMAT}")
    structure = _structure_from_json(specification["structure"])
    draws = {str(k): _with_units(v.values) for k, v in tree["coordinates"].dataset.items()}
    fit = Fit(
        law=structure.law,
        runs=Runs.from_dataset(tree["runs"].dataset),
        structure=structure,
        arrays={str(k): v.values for k, v in tree["constant_data"].dataset.items()},
        draws=draws,
        stats={str(k): v.values for k, v in tree["sample_stats"].dataset.items()},
        diagnostics=specification["diagnostics"],
        random_seed=specification["random_seed"],
    )
    if "log_likelihood" in tree.children:
        _check_formula(fit, tree["log_likelihood"].dataset["y"].values)
    return fit


def _check_formula(fit: "Fit", stored: np.ndarray) -> None:
    """Refuse a law that gives measurements other densities than when the fit was saved."""
    first = {name: values[:, :1] for name, values in fit.draws.items()}
    found = log_likelihood(fit.structure, first, fit.arrays)
    if not np.allclose(found, stored[:, :1], rtol=1e-4, atol=1e-4, equal_nan=True):
        raise ValueError(
            f"{fit.law.title} or its noise has another formula than when the fit was saved, in "
            "which its draws mean nothing: define it as it was, or fit the table again"
        )


def _with_units(values: np.ndarray) -> np.ndarray:
    return values[..., None] if values.ndim == 2 else values


def _for_file(dataset: "xr.Dataset") -> "xr.Dataset":
    """Turn labels into fixed strings."""
    return dataset.assign_coords(
        {name: coord.astype(str) for name, coord in dataset.coords.items() if coord.dtype == object}
    )


def _structure_to_json(s: Structure) -> dict[str, Any]:
    return {
        "law": {"name": identifier(type(s.law)), "options": _plain_options(s.law)},
        "noise": _to_json(s.noise),
        "pooling": {name: _to_json(pooling) for name, pooling in s.pooling},
        "groups": s.groups,
        "sizes": s.sizes,
        "cells": s.cells,
        "columns": s.columns,
        "extras": s.extras,
        "priors": {name: prior_to_json(prior) for name, prior in s.priors},
    }


def _structure_from_json(spec: Mapping[str, Any]) -> Structure:
    return Structure(
        law=_law_from_json(spec["law"]["name"], spec["law"]["options"]),
        noise=_from_json(spec["noise"]),
        pooling=tuple((name, _from_json(pooling)) for name, pooling in spec["pooling"].items()),
        groups=tuple(spec["groups"]),
        sizes=tuple(spec["sizes"]),
        cells=tuple(map(tuple, spec["cells"])),
        columns=tuple((a, b) for a, b in spec["columns"]),
        extras=tuple(spec["extras"]),
        priors=tuple(
            sorted((name, prior_from_json(said)) for name, said in spec["priors"].items())
        ),
    )


def _law_from_json(name: str, options: Mapping[str, Any]) -> Law:
    if (law := classes().get(name)) is None:
        raise ValueError(f"the file holds a fit of the law {name!r}: define or import it first")
    given = {option: _from_json(value) for option, value in options.items()}
    try:
        return law(**given)
    except ValueError as error:
        raise ValueError(
            f"the file holds a fit of the law {name!r}, which refuses its options: {error}"
        ) from error


def _plain_options(thing: Any) -> dict[str, Any]:
    return {f.name: _to_json(getattr(thing, f.name)) for f in fields(thing)}


def _to_json(thing: Any) -> Any:
    """Turn an option, pooling, noise model or part of one into plain data."""
    if isinstance(thing, Pooling):
        return {"kind": type(thing).__name__, "groups": list(thing.groups)}
    if isinstance(thing, Noise | Part):
        return {"kind": type(thing).__name__, **_plain_options(thing)}
    if isinstance(thing, tuple):
        return [_to_json(v) for v in thing]
    return thing.item() if isinstance(thing, np.generic) else thing


def _from_json(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_from_json(v) for v in data)
    if not isinstance(data, dict):
        return data
    kinds: dict[str, Any] = {c.__name__: c for c in (Shared, Partial, Independent)}
    for base in (Noise, Part):
        kinds.update({c.__name__: c for c in _descendants(base)})
    options = {k: _from_json(v) for k, v in data.items() if k != "kind"}
    kind = kinds[data["kind"]]
    return kind(*options.get("groups", ())) if issubclass(kind, Pooling) else kind(**options)


def _descendants(cls: type) -> list[type]:
    children: list[type] = cls.__subclasses__()
    return children + [d for c in children for d in _descendants(c)]
