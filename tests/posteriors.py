"""Fits whose posterior is chosen, not sampled: the geometry of the sampler turned around."""

import numpy as np

from bayescale.arrays import arrays_of
from bayescale.fitting import Fit
from bayescale.geometry import anchor, coordinates, natural
from bayescale.laws.base import Parameters
from bayescale.noise import LogNormal
from bayescale.pooling import Independent, Shared
from bayescale.structure import structure_of


def fit_with(law, runs, values, noise=None):
    """A fit with given natural parameters, arrays of shape (sample,) or (sample, units)."""
    noise = noise or LogNormal()
    groups = tuple(runs.groups)
    everywhere = Independent(*groups) if groups else Shared()
    pooling = {q.name: everywhere for q in law.parameters}
    structure = structure_of(law, runs, pooling, noise, None)
    arrays = arrays_of(structure, runs)
    values = {"sigma": 0.02, **values}
    samples = max(np.shape(v)[0] if np.ndim(v) else 1 for v in values.values())
    wanted = {}
    for q in structure.parameters:
        v = np.asarray(values[q.name], float)
        v = v[:, None] if v.ndim == 1 else v
        wanted[q.name] = np.broadcast_to(v, (samples, len(structure.units[q.name])))
    zeros = {f"{q.name}_raw": np.zeros_like(wanted[q.name]) for q in structure.parameters}
    ones = {name: values + 1 for name, values in zeros.items()}
    # Every coordinate is an affine function of what is sampled.
    at_0, at_1 = (coordinates(np, structure, raw, arrays) for raw in (zeros, ones))
    z = _coordinates(structure, arrays, wanted)
    draws = {
        f"{name}_raw": ((z[name] - at_0[name]) / (at_1[name] - at_0[name]))[None] for name in z
    }
    stats = {"energy": np.zeros((1, samples)), "diverging": np.zeros((1, samples), bool)}
    fit = Fit(law, runs, structure, arrays, draws, stats, {"converged": True}, 0)
    for name, (kind, found) in natural(np, structure, fit.flat_draws, arrays).items():
        np.testing.assert_allclose(
            np.exp(found) if kind == "logs" else found, wanted[name], rtol=1e-9, err_msg=name
        )
    return fit


def _coordinates(structure, arrays, wanted):
    law, z = structure.law, {}
    for q in structure.parameters:
        v = wanted[q.name]
        if q.role == "ceiling":
            top = arrays[f"scale_{q.name}"]
            share = (v - top) / (1 - top)
            z[q.name] = np.log(share / (1 - share))
        elif q.after is not None:
            z[q.name] = np.log(np.log(v) - np.log(wanted[q.after]))
        elif q.link == "log":
            z[q.name] = np.log(v)
        elif q.link == "unit":
            z[q.name] = np.log(v / (1 - v))
        else:
            z[q.name] = v
    if structure.anchored is None:
        return z
    at = anchor(np, arrays)
    p = Parameters(np, {q.name: wanted[q.name] for q in law.parameters})
    if law.parameter(structure.anchored).role == "intercept":
        z[structure.anchored] = law.mean(np, p, *at)
        return z
    response = law.log_mean(np, p, *at)
    z[structure.anchored] = response
    for q in law.with_role("floor"):
        share = np.exp(np.log(wanted[q.name]) - response)
        z[q.name] = np.log(share / (1 - share))
        response = response + np.log1p(-share)
    levels = [q.name for q in law.with_role("level")]
    unit = law.levels_at(np, p, response, dict.fromkeys(levels, 0.0), *at)
    shares = {name: np.log(wanted[name]) - unit[name] for name in levels}
    for name in levels[1:]:
        z[name] = shares[name] - shares[levels[0]]
    return z
