"""A way through the inputs of a law, so that "scale" is one number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from bayescale.model.slips import check_by_name
from bayescale.quantities.costs import FLOPs6ND
from bayescale.quantities.curves import Curve, Inputs
from bayescale.quantities.optimum import optimum
from bayescale.quantities.sizes import bought, free_inputs, warn_of_units, with_sizes

#: How further inputs follow the scale (numbers or functions of it), or the price of a run, whose
#: budget is then the scale and is spent optimally.
Way = Mapping[str, Any] | Callable[[Any, Any], Any] | None


@dataclass(frozen=True)
class Path:
    """What the scale is and which inputs belong to it.

    Attributes
    ----------
    symbol : str
        The input that is the scale, or ``"budget"``.
    inputs : callable
        From a curve and scales to the inputs of the curve.
    ranges : tuple of (float, float)
        Range of the scale over the data of every curve.
    cost : callable, optional
        The price of a run, where the scale is a budget that is spent optimally.
    limits : tuple of (float, float)
        Scales outside of which the inputs stay where the search for them ends.
    """

    symbol: str
    inputs: Callable[[Curve, np.ndarray], Inputs] = field(repr=False)
    ranges: tuple[tuple[float, float], ...]
    cost: Callable[[Any, Any], Any] | None = None
    limits: tuple[float, float] = (0.0, np.inf)

    @property
    def data(self) -> tuple[float, float]:
        """Range of the scale over the data of all curves."""
        return min(low for low, _ in self.ranges), max(high for _, high in self.ranges)

    @property
    def common(self) -> tuple[float, float]:
        """Scales between which every curve has data; the first is larger where there are none."""
        return max(low for low, _ in self.ranges), min(high for _, high in self.ranges)

    def along(self, curve: Curve) -> Callable[[np.ndarray], np.ndarray]:
        """Response as a function of the scale."""
        return lambda scale: curve(self.inputs(curve, scale))

    def at_edge(self, curve: Curve, scale: np.ndarray) -> np.ndarray:
        """Whether budgets are best spent at an edge of what they allow, shape (sample, points).

        Never where the scale is an input, nor at scales that are not finite or zero.
        """
        known = np.isfinite(scale) & (scale > 0)
        if self.cost is None or not known.any():
            return np.asarray(known & ((scale < self.limits[0]) | (scale > self.limits[1])))
        names = free_inputs(curve, None, self.cost)
        best = optimum(curve, self.cost, np.where(known, scale, self.data[1]), names)
        return np.asarray(best.at_edge & known)

    def widened(self, below: float, above: float) -> tuple[float, float]:
        """Range of the data widened by some decades."""
        low, high = self.data
        return low / 10**below, high * 10**above


def two_scales(name: str, ends: Any) -> tuple[float, float]:
    """Check two scales, the smaller first."""
    if np.shape(ends) != (2,) or not 0 < ends[0] < ends[1] < np.inf:
        raise ValueError(f"{name} must be two positive scales, the smaller first, not {ends!r}")
    return float(ends[0]), float(ends[1])


def path_of(curves: tuple[Curve, ...], path: Way) -> Path:
    """Resolve what the user said about the inputs.

    Raises
    ------
    ValueError
        If not exactly one input is left to be the scale.
    """
    symbols = list(dict.fromkeys(s for curve in curves for s in curve.symbols))
    if callable(path):
        return _optimal(curves, path)
    check_by_name("path", path, "{'D': lambda N: 20 * N}")
    fixed = dict(path or {})
    if unknown := [s for s in fixed if s not in symbols]:
        raise ValueError(f"path names the input {unknown[0]!r}; there are {', '.join(symbols)}")
    if wrong := [s for s, v in fixed.items() if not callable(v) and not isinstance(v, Real)]:
        raise ValueError(
            f"path[{wrong[0]!r}] must be a number or a function of the scale, such as "
            f"lambda {symbols[0]}: 20 * {symbols[0]}, not {fixed[wrong[0]]!r}"
        )
    free = [s for s in symbols if s not in fixed]
    if len(free) != 1:
        other = symbols[-1]
        raise ValueError(
            f"the law has the inputs {', '.join(symbols)}: say how they go together, e.g. "
            f"path={{{other!r}: lambda {symbols[0]}: 20 * {symbols[0]}}}, or give the cost of a "
            "run, e.g. path=FLOPs6ND(), for budgets that are spent optimally"
        )
    symbol = free[0]

    def inputs(curve: Curve, scale: np.ndarray) -> Inputs:
        scale = np.asarray(scale, float)
        tied = {
            s: np.broadcast_to(value(scale) if callable(value) else float(value), scale.shape)
            for s, value in fixed.items()
        }
        return {symbol: scale, **tied}

    return Path(symbol, inputs, tuple(_range(curve.data[symbol]) for curve in curves))


def _range(values: Any) -> tuple[float, float]:
    return float(np.min(values)), float(np.max(values))


def _optimal(curves: tuple[Curve, ...], cost: Callable[[Any, Any], Any]) -> Path:
    """Budgets that every draw spends as it is best for it."""
    ranges = tuple(_range(_spent(curve, cost)) for curve in curves)
    if isinstance(cost, FLOPs6ND):
        known = [with_sizes(curve).data for curve in curves]
        warn_of_units({s: np.concatenate([data[s] for data in known]) for s in ("N", "D")})

    def inputs(curve: Curve, scale: np.ndarray) -> Inputs:
        names = free_inputs(curve, None, cost)
        best = optimum(curve, cost, np.asarray(scale, float), names)
        return bought(names, best.N, best.D, None)

    return Path("budget", inputs, ranges, cost)


def _spent(curve: Curve, cost: Callable[[Any, Any], Any]) -> Any:
    size, data = free_inputs(curve, None, cost)
    known = with_sizes(curve).data
    return cost(known[size], known[data])
