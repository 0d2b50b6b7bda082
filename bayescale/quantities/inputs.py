"""Inputs at which an answer is asked for, and whether they lie beyond the data."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.forecast.points import by_symbol
from bayescale.quantities.curves import Curve
from bayescale.quantities.sources import no_such
from bayescale.runs.extent import is_outside


def inputs_of(curves: tuple[Curve, ...], x: Any) -> dict[str, np.ndarray]:
    """Resolve inputs by symbol, from numbers for a law of one input or from a mapping."""
    symbols = list(dict.fromkeys(s for curve in curves for s in curve.symbols))
    x = by_symbol(x, symbols)
    if unknown := sorted(set(x) - set(symbols)):
        raise ValueError(no_such(unknown[0], "input", symbols))
    if wrong := sorted(set(symbols) - set(x)):
        raise ValueError(f"missing the inputs {', '.join(wrong)}")
    arrays = np.broadcast_arrays(*[np.atleast_1d(np.asarray(x[s], float)) for s in symbols])
    for symbol, values in zip(symbols, arrays, strict=True):
        if not np.all(np.isfinite(values) & (values > 0)):
            raise ValueError(f"input {symbol!r}: every value must be finite and positive")
    return {s: np.array(v).ravel() for s, v in zip(symbols, arrays, strict=True)}


def given(curve: Curve, at: Mapping[str, float] | None) -> dict[str, float]:
    """Check inputs that are held at one value each."""
    for symbol, value in (at or {}).items():
        if symbol not in curve.symbols:
            raise ValueError(no_such(symbol, "input", curve.symbols))
        if np.ndim(value) or not 0 < value < np.inf:
            raise ValueError(f"at[{symbol!r}] must be one positive number, not {value!r}")
    return dict(at or {})


def outside_data(curve: Curve, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether inputs lie outside the data of a curve, also together, shape of the inputs."""
    symbols = [s for s in inputs if s in curve.data]
    return is_outside(*(np.log([v[s] for s in symbols]) for v in (inputs, curve.data)))
