"""The best split of a budget between two inputs, for every draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bayescale.laws.joint import Chinchilla
from bayescale.laws.parameters import Parameters
from bayescale.quantities.costs import Cost, FLOPs6ND, data_for, largest_model
from bayescale.quantities.curves import Curve
from bayescale.quantities.sizes import bought, with_sizes


@dataclass(frozen=True)
class Optimum:
    """Optimal sizes and whether they are at the edge, shape (sample, budgets)."""

    N: np.ndarray
    D: np.ndarray
    at_edge: np.ndarray


def optimum(
    curve: Curve,
    cost: Cost,
    budgets: np.ndarray,
    inputs: tuple[str, str],
    at: Mapping[str, float] | None = None,
) -> Optimum:
    """Optimal sizes of every draw at budgets of shape (budgets,) or (sample, budgets)."""
    if _has_closed_form(curve, cost):
        return _closed_form(curve, budgets)
    return _numerical(curve, cost, budgets, inputs, at)


def _has_closed_form(curve: Curve, cost: Cost) -> bool:
    one_cell = all(next(iter(f.found.values()))[1].shape[1] == 1 for f in curve.forms)
    chinchilla = all(type(f.law) is Chinchilla for f in curve.forms)
    return one_cell and chinchilla and cost == FLOPs6ND()


def _closed_form(curve: Curve, budgets: np.ndarray) -> Optimum:
    parts = [Parameters.of(np, form.found) for form in curve.forms]
    alpha, beta = (np.concatenate([p[name] for p in parts]) for name in ("alpha", "beta"))
    log_A, log_B = (np.concatenate([p.log(name) for p in parts]) for name in ("A", "B"))
    log_G = (np.log(alpha / beta) + log_A - log_B) / (alpha + beta)
    a = beta / (alpha + beta)
    log_C = np.log(np.atleast_2d(budgets) / 6)
    N, D = np.exp(log_G + a * log_C), np.exp((1 - a) * log_C - log_G)
    return Optimum(N, D, np.zeros(N.shape, bool))


#: By how much the smallest sizes that are tried lie below those of the data.
_FAR = 1e6

#: Budgets at which the whole range of sizes is searched; others start from these.
_KNOTS = 12

_GOLDEN = (np.sqrt(5) - 1) / 2

#: Newton's steps square their error: after one of this size it is of the order of 1e-5.
_SMALL_STEP = 3e-3


def _numerical(
    curve: Curve,
    cost: Cost,
    budgets: np.ndarray,
    inputs: tuple[str, str],
    at: Mapping[str, float] | None,
) -> Optimum:
    """Search at a few budgets, interpolate between them in log C, and polish by Newton's method."""
    sign = -1.0 if curve.higher_is_better else 1.0

    def loss(log_N: np.ndarray, budget: np.ndarray) -> np.ndarray:
        N = np.exp(log_N)
        with np.errstate(over="ignore", invalid="ignore"):
            x = bought(inputs, N, data_for(cost, budget, N), at)
            value = sign * (curve.log(x) if curve.is_positive else curve(x))
        return np.where(np.isfinite(value), value, np.inf)

    def searched(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _search(loss, _ends(curve, cost, some, inputs), some, curve.samples)

    if budgets.ndim == 2 or budgets.shape[-1] <= _KNOTS:
        start, at_edge = searched(np.atleast_2d(budgets))
    else:
        knots = np.geomspace(budgets.min(), budgets.max(), _KNOTS)
        found, edges = searched(knots[None, :])
        start, at_edge = _interpolated(np.log(knots), found, edges, np.log(budgets))
    spread = np.atleast_2d(budgets)
    N = np.exp(_polished(loss, start, spread))
    D = np.broadcast_to(data_for(cost, spread, N), N.shape)
    return Optimum(N, D, at_edge)


def _ends(
    curve: Curve, cost: Cost, budgets: np.ndarray, inputs: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the smallest and the largest size to try, in the unit of the data.

    Either input goes down to a small part of its least value in the data, and lower for a budget
    that does not buy a run of the least values.
    """
    known = with_sizes(curve).data
    N, D = (float(np.min(known[s])) for s in inputs)
    part = np.minimum(budgets / cost(N, D), 1.0) / _FAR
    low = np.log(N * part)
    return low, np.maximum(np.log(largest_model(cost, budgets, D * part)), low)


def _search(
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ends: tuple[np.ndarray, np.ndarray],
    budgets: np.ndarray,
    samples: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Best cell of a grid between two ends, then golden section in it."""
    bottom, width = ends[0], ends[1] - ends[0]
    shares = np.linspace(0.0, 1.0, 41)
    best = np.full((samples, budgets.shape[1]), np.inf)
    place = np.zeros(best.shape, int)
    for i, share in enumerate(shares):
        value = loss(np.broadcast_to(bottom + share * width, best.shape), budgets)
        better = value < best
        best, place = np.where(better, value, best), np.where(better, i, place)
    low = bottom + shares[np.maximum(place - 1, 0)] * width
    high = bottom + shares[np.minimum(place + 1, len(shares) - 1)] * width
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    values = [loss(u, budgets) for u in inner]
    for _ in range(20):
        left = values[0] < values[1]
        low, high = np.where(left, low, inner[0]), np.where(left, inner[1], high)
        kept, kept_value = np.where(left, *inner), np.where(left, *values)
        fresh = low + high - kept
        fresh_value = loss(fresh, budgets)
        inner = [np.where(left, fresh, kept), np.where(left, kept, fresh)]
        values = [
            np.where(left, fresh_value, kept_value),
            np.where(left, kept_value, fresh_value),
        ]
    return 0.5 * (low + high), (place == 0) | (place == len(shares) - 1)


def _interpolated(
    knots: np.ndarray, found: np.ndarray, edges: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cubic through the four knots around every wanted place."""
    nearest = np.abs(knots[:, None] - wanted).argmin(axis=0)
    first = np.clip(np.searchsorted(knots, wanted) - 2, 0, len(knots) - 4)
    between = np.zeros((len(found), len(wanted)))
    for i in range(4):
        others = [first + j for j in range(4) if j != i]
        mine = knots[first + i]
        weight = np.prod([(wanted - knots[o]) / (mine - knots[o]) for o in others], axis=0)
        between += weight * found[:, first + i]
    return between, edges[:, nearest]


def _polished(
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray], log_N: np.ndarray, budget: np.ndarray
) -> np.ndarray:
    """Newton steps on finite differences, of at most one e-fold, where the loss is convex."""
    h = 1e-4
    for _ in range(5):
        below, here, above = (loss(log_N + s * h, budget) for s in (-1.0, 0.0, 1.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            curvature = (above - 2 * here + below) / h**2
            step = -(above - below) / (2 * h) / curvature
        step = np.where((curvature > 0) & (np.abs(step) < 1.0), step, 0.0)
        log_N = log_N + step
        if np.abs(step).max() < _SMALL_STEP:
            break
    return log_N
