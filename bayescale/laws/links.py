"""Links: the scale on which groups vary, and the way there and back."""

from typing import Any

import numpy as np

from bayescale.laws.numerics import log_sigmoid


def coordinate_to_natural(xp: Any, link: str, z: Any) -> tuple[str, Any]:
    """Turn a coordinate into ("logs" or "values", array) for :class:`Parameters`."""
    if link == "log":
        return "logs", z
    if link == "unit":
        return "logs", log_sigmoid(xp, z)
    return "values", z


def natural_to_coordinate(link: str, values: np.ndarray) -> np.ndarray:
    """Turn natural values into coordinates."""
    if link == "log":
        return np.log(values)
    return np.log(values) - np.log1p(-values) if link == "unit" else values
