"""What a model believes before it sees the measurements: draws from the prior."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.forecast.points import points_of
from bayescale.forecast.predictive import predict
from bayescale.laws.base import Law
from bayescale.model.arrays import arrays_of
from bayescale.model.geometry import with_spreads
from bayescale.model.rows import Arrays
from bayescale.model.slips import check_counts
from bayescale.model.structure import Structure, structure_of
from bayescale.noise import Noise
from bayescale.pooling import Pooling
from bayescale.posterior.posterior import natural_dataset
from bayescale.runs import Runs
from bayescale.runs.describe import axis_name
from bayescale.runs.groups import SEQUENCE, labels_of_rows

if TYPE_CHECKING:
    import xarray as xr


def prior_predictive(
    law: Law,
    runs: Runs,
    *,
    x: Mapping[str, Any] | None = None,
    groups: Mapping[str, Any] | None = None,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
    draws: int = 500,
    random_seed: int = 0,
) -> "xr.DataTree":
    """Draw parameters, curves and measurements from the prior of a model.

    The priors of levels and floors are anchored at the measurements of their group (see
    ``bayescale.model.geometry``), so that the curves pass near the data; what the prior leaves
    open is how they bend, and where they go beyond the data.

    Parameters
    ----------
    law : Law
        The formula.
    runs : Runs
        The table.
    x : mapping of str to array_like, optional
        Inputs in the unit of the table, by symbol, as for :meth:`bayescale.Fit.forecast`.  By
        default every input runs from a decade below the data to two decades above them; with
        several inputs they do so together.
    groups : mapping of str to label, optional
        Labels, as for :meth:`bayescale.Fit.forecast`; all combinations in the table by default.
    pooling, noise, priors
        As for :func:`bayescale.fit`.
    draws : int
        Draws from the prior.
    random_seed : int
        Reproduces the draws.

    Returns
    -------
    xarray.DataTree
        Groups as ArviZ names them: ``prior`` (natural parameters, dims chain, draw and their
        groups), ``prior_predictive`` (``curve`` and ``y``, a new measurement, dims chain, draw
        and point, with inputs and labels as coordinates) and ``observed_data`` (dim row).

    Raises
    ------
    ValueError
        If law, table, pooling, noise and priors do not fit together.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> prior = bs.prior_predictive(bs.laws.OffsetPowerLaw(), runs, draws=50)
    >>> bool((prior["prior"]["alpha"] > 0).all())
    True
    """
    structure = structure_of(law, runs, pooling, noise, priors)
    return prior_of(
        structure, arrays_of(structure, runs), runs, x, groups, draws=draws, random_seed=random_seed
    )


def prior_of(
    structure: Structure,
    arrays: Arrays,
    runs: Runs,
    x: Mapping[str, Any] | None = None,
    groups: Mapping[str, Any] | None = None,
    *,
    draws: int,
    random_seed: int,
) -> "xr.DataTree":
    """Prior draws of a structure; see :func:`prior_predictive`."""
    import xarray as xr

    sampled = coordinates_from_prior(structure, arrays, draws, random_seed)
    inputs = _around_the_data(structure, runs) if x is None else x
    points, frame = points_of(structure, arrays, runs, inputs, groups)
    rng = np.random.default_rng(random_seed)
    with np.errstate(over="ignore"):
        predicted = predict(structure, sampled, arrays, points, rng)
        measured = predicted.sample(rng)
    dims = ("chain", "draw", "point")
    symbols = [column for _, column in structure.columns]
    labels = [str(c) for c in frame if c in (*structure.groups, SEQUENCE)]
    drawn = xr.Dataset(
        {"curve": (dims, predicted.curve[None]), "y": (dims, measured[None])},
        coords={
            "chain": [0],
            "draw": range(draws),
            **{
                s: ("point", frame[s].to_numpy(), {"long_name": axis_name(runs, s)})
                for s in symbols
            },
            **{g: ("point", frame[g].to_numpy(str)) for g in labels},
        },
        attrs={"inputs": "\n".join(symbols), "groups": "\n".join(labels)},
    )
    seen = xr.Dataset(
        {"y": ("row", runs.response, {"long_name": axis_name(runs, "y")})},
        coords={
            **{s: ("row", np.asarray(runs.x[s])) for s in symbols},
            **{g: ("row", labels_of_rows(runs, g).astype(str)) for g in labels if g in runs.groups},
        },
    )
    parameters = parameters_from_prior(structure, sampled, arrays, runs, random_seed)
    return xr.DataTree.from_dict(
        {"prior": parameters, "prior_predictive": drawn, "observed_data": seen}
    )


def coordinates_from_prior(
    structure: Structure, arrays: Arrays, draws: int, random_seed: int
) -> dict[str, np.ndarray]:
    """Draw what the sampler moves in from the prior, shape (draws, ...).

    Parameters
    ----------
    structure, arrays
        The model.
    draws, random_seed : int
        How many, and reproducibly.
    """
    import pymc as pm

    from bayescale.model.model import model_of

    check_counts(draws=draws)
    model = model_of(structure, arrays)
    wanted = [*model.free_RVs, *model.deterministics]
    rng = np.random.default_rng(random_seed)
    values = pm.draw(wanted, draws=draws, random_seed=rng, mode="FAST_COMPILE")
    found = {v.name: np.asarray(a) for v, a in zip(wanted, values, strict=True)}
    shaped = {name: a[:, None] if a.ndim == 1 else a for name, a in found.items()}
    return with_spreads(structure, shaped, arrays, rng)


def parameters_from_prior(
    structure: Structure,
    sampled: Mapping[str, np.ndarray],
    arrays: Arrays,
    runs: Runs,
    random_seed: int,
) -> "xr.Dataset":
    """Natural parameters at draws from the prior, of which wide ones reach beyond all numbers."""
    with_chain = {name: values[None] for name, values in sampled.items()}
    with np.errstate(over="ignore"):
        return natural_dataset(structure, with_chain, arrays, runs, random_seed)


def _around_the_data(structure: Structure, runs: Runs) -> dict[str, np.ndarray]:
    inputs = {}
    for _, column in structure.columns:
        values = np.asarray(runs.x[column])
        inputs[column] = np.geomspace(values.min() / 10, values.max() * 100, 60)
    return inputs
