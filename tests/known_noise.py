"""Posteriors that all say y = 1, so that only the noise is left."""

import numpy as np

import bayescale as bs
from bayescale.model.arrays import arrays_of
from bayescale.model.geometry import sampled_of
from bayescale.model.structure import structure_of

X = np.geomspace(1e6, 1e8, 12)


def runs_of(y, x=X):
    table = {"x": x, "y": y, "run": ["a"] * len(x), "family": ["f"] * len(x)}
    return bs.Runs(table, y="y", x="x", sequence="run", groups={"family": "family"})


def posterior(noise, y, sigma=0.02, length=0.3, samples=4000, x=X):
    """Draws that all say y = 1 (level 0, exponent tiny): forecasts are then known exactly."""
    law = bs.laws.PowerLaw()
    runs = runs_of(y, x)
    structure = structure_of(law, runs, None, noise, None)
    arrays = arrays_of(structure, runs)
    values = {"A": 0.0, "alpha": -20.0, "sigma": np.log(sigma), "length": np.log(length)}
    draws = {}
    for q in structure.parameters:
        offset = float(np.ravel(arrays[f"offset_{q.name}"])[0])
        scale = float(np.ravel(arrays[f"scale_{q.name}"])[0])
        z = (values.get(q.name, 0.0) - offset) / scale
        draws[f"{q.name}_raw"] = np.full((samples, 1), z)
        draws[f"{q.name}_mean"] = np.full((samples, 1), z)
        draws[f"{q.name}_sd"] = np.zeros((samples, 1))
    z = {q.name: np.full((samples, 1), values.get(q.name, 0.0)) for q in structure.parameters}
    draws["sigma_raw"] = sampled_of(structure, z, arrays)["sigma_raw"]
    return structure, draws, arrays, runs
