"""What a user's prior says, as text: two that say the same share a compiled model and a store."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def prior_text(prior: Any) -> str:
    """Write the graph of a distribution, constants in full and random generators left out.

    Parameters
    ----------
    prior : distribution
        Of PyMC, or of PreliZ.

    Examples
    --------
    >>> import pymc as pm
    >>> prior_text(pm.Normal.dist(0.0, 2.0)) == prior_text(pm.Normal.dist(0.0, 2.0))
    True
    >>> prior_text(pm.Normal.dist(0.0, 2.0)) == prior_text(pm.Normal.dist(0.0, 3.0))
    False
    """
    return _text(prior.to_pymc() if hasattr(prior, "to_pymc") else prior, {})


def _text(variable: Any, inputs: Mapping[Any, int]) -> str:
    if variable in inputs:
        return f"input {inputs[variable]}"
    if variable.owner is None:
        if hasattr(variable, "get_value"):
            return _value(variable.get_value(borrow=True))
        return _value(variable.data) if hasattr(variable, "data") else repr(variable)
    node = variable.owner
    arguments = ", ".join(_text(v, inputs) for v in node.inputs)
    inner = getattr(node.op, "fgraph", None)
    body = ""
    if inner is not None:
        places = {v: place for place, v in enumerate(inner.inputs)}
        body = f" {{{'; '.join(_text(v, places) for v in inner.outputs)}}}"
    return f"{node.op}{body}({arguments})[{node.outputs.index(variable)}]"


def _value(value: Any) -> str:
    if isinstance(value, np.random.Generator):
        return "generator"
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype} {value.tolist()}"
    return repr(value)
