"""Few arrays for a compiled model, which takes the longer the more it has."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.model.rows import Arrays, is_row_array, reads_features


def model_arrays(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Those arrays that the model reads, with all that have one value a unit put end to end.

    A model compiles in a time that grows with the number of its arrays, so it gets few of them.
    """
    read = _read_by_model(arrays)
    packed = [values for name, values in read.items() if _is_packed(name, values)]
    apart = {name: values for name, values in read.items() if not _is_packed(name, values)}
    return {**apart, "numbers": np.concatenate([np.zeros(0), *packed])}


def unpacked(arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> dict[str, Any]:
    """Take what :func:`model_arrays` made of `arrays` apart again, whatever holds it now."""
    found = {name: values for name, values in data.items() if name != "numbers"}
    first = 0
    for name, values in _read_by_model(arrays).items():
        if _is_packed(name, values):
            found[name] = data["numbers"][first : first + len(values)]
            first += len(values)
    return {name: found[name] for name in _read_by_model(arrays)}


def _read_by_model(arrays: Mapping[str, np.ndarray]) -> Arrays:
    # A law that made features reads no inputs; the noise reads those whose edge it knows.
    noise = {f"log_{name.removeprefix('edge_')}" for name in arrays if name.startswith("edge_")}
    made = reads_features(arrays)
    return {
        name: values
        for name, values in arrays.items()
        if name not in ("cell", "sequence")
        and not (made and name.startswith("log_") and name not in noise)
    }


def _is_packed(name: str, values: np.ndarray) -> bool:
    return not is_row_array(name) and values.ndim == 1
