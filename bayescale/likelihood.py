"""Log density of every measurement under every draw, in numbers and in chunks of draws."""

from collections.abc import Mapping

import numpy as np

from bayescale.arrays import Arrays, formula_inputs
from bayescale.geometry import at_rows, natural
from bayescale.model import row_units
from bayescale.structure import Structure

#: Draws times rows that are worked on at a time.
CHUNK = 4_000_000


def log_likelihood(
    structure: Structure, draws: Mapping[str, np.ndarray], arrays: Arrays
) -> np.ndarray:
    """Log density of every row in units of the response.

    Parameters
    ----------
    structure, arrays
        The model; `arrays` may hold other rows than those that were fitted.
    draws : mapping
        Sampled variables, shape (chain, draw, ...).

    Returns
    -------
    array, shape (chain, draw, rows)
    """
    shape = next(iter(draws.values())).shape[:2]
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in draws.items()}
    samples, rows = shape[0] * shape[1], len(arrays["y"])
    result = np.empty((samples, rows))
    step = max(1, CHUNK // max(rows, 1))
    for start in range(0, samples, step):
        part = {k: v[start : start + step] for k, v in flat.items()}
        result[start : start + step] = _densities(structure, part, arrays)
    return result.reshape(*shape, rows)


def _densities(structure: Structure, draws: Mapping[str, np.ndarray], arrays: Arrays) -> np.ndarray:
    rows = at_rows(np, natural(np, structure, draws, arrays), row_units(structure, arrays))
    x = formula_inputs(np, arrays)
    law, noise = structure.law, structure.noise
    return np.asarray(noise.logpdf(noise.curve(np, law, rows, *x), rows, arrays))
