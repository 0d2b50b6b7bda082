"""How to split a budget between model size and data, for any joint law."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.laws.joint import Chinchilla
from bayescale.laws.parameters import Parameters
from bayescale.posterior.intervals import percent
from bayescale.quantities.costs import Cost, FLOPs6ND, data_for, largest_model
from bayescale.quantities.curves import Curve, thinned
from bayescale.quantities.results import Result, columns, span
from bayescale.quantities.sizes import bought, free_inputs, with_sizes
from bayescale.quantities.sources import Source, curve_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Allocation(Result):
    """Compute-optimal model and data sizes at one or more budgets.

    Attributes
    ----------
    budget : array, shape (budgets,)
        In the unit of the cost.
    draws : mapping of str to array, shape (sample, budgets)
        ``N``, ``D`` (or the two inputs that are bought in their place, by their symbols),
        ``tokens_per_parameter`` where there are these, and ``loss``.
    at_edge : array of bool, shape (sample, budgets)
        Whether the optimum lies at the edge of what the budget allows: there is none inside.
    extrapolated : array of bool, shape (sample, budgets)
        Whether the optimum lies outside the data in either input.
    cost : callable
        The price of a run.
    curve : Curve
        Draws of the response.
    inputs : tuple of two str
        Symbols of model size and data size, or of what is bought in their place.
    at : mapping of str to float
        Further inputs, fixed.
    """

    noun: ClassVar[str] = "the optimal model size"

    budget: np.ndarray
    draws: Mapping[str, np.ndarray] = field(repr=False)
    at_edge: np.ndarray = field(repr=False)
    extrapolated: np.ndarray = field(repr=False)
    cost: Cost
    curve: Curve = field(repr=False)
    inputs: tuple[str, str]
    at: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def exponent(self) -> np.ndarray:
        r"""Local exponent a of :math:`N^* \propto C^a`, shape (sample, budgets)."""
        h = 0.05
        ends = [
            optimum(self.curve, self.cost, self.budget * np.exp(s * h), self.inputs, self.at).N
            for s in (-1.0, 1.0)
        ]
        return np.log(ends[1] / ends[0]) / (2 * h)

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a budget and quantity: median, interval, ``p_extrapolated``, ``p_edge``."""
        import pandas as pd

        tables = []
        for name, draws in {**self.draws, "exponent": self.exponent}.items():
            table = pd.DataFrame({"budget": self.budget, **columns(draws, ci_prob)})
            table["quantity"] = name
            table["p_extrapolated"] = self.extrapolated.mean(axis=0)
            table["p_edge"] = self.at_edge.mean(axis=0)
            tables.append(table)
        whole = pd.concat(tables).set_index(["budget", "quantity"])
        return whole.sort_index(level="budget", sort_remaining=False, kind="stable")

    def ranked(self) -> np.ndarray:
        """Log of the optimal model size."""
        return np.log(self.draws[self.inputs[0]])

    def penalty(self, tokens_per_parameter: float) -> np.ndarray:
        """Loss above the optimum when the same budget is spent at another ratio D/N.

        Parameters
        ----------
        tokens_per_parameter : float
            The ratio, e.g. 200 for a model that is over-trained ten times; of other inputs, that
            of the second to the first.

        Returns
        -------
        array, shape (sample, budgets)
            In the unit of the response; not negative for a loss.
        """
        from bayescale.quantities.roots import bisect

        low = np.full(self.budget.shape, np.log(1e-12))
        high = np.full(self.budget.shape, np.log(1e40))
        size = bisect(
            lambda N: np.asarray(self.cost(N, tokens_per_parameter * N)) < self.budget, low, high
        )
        there = self.curve(bought(self.inputs, size, tokens_per_parameter * size, self.at))
        return np.asarray(there - self.draws["loss"])

    @property
    def sentence(self) -> str:
        """Sizes at the largest budget."""
        size, data = self.inputs
        i = int(np.argmax(self.budget))
        last = {name: values[:, i] for name, values in self.draws.items()}
        ratio = last.get("tokens_per_parameter")
        said = (
            f"At a budget of {self.budget[i]:.3g} the optimum is {size} = {span(last[size])} and "
            f"{data} = {span(last[data])}, "
            f"{'' if ratio is None else f'{span(ratio)} tokens per parameter, '}"
            f"where {self.curve.response} is {span(last['loss'], digits=4)}."
        )
        if outside := self.extrapolated[:, i].mean():
            said += f" Outside the sizes of the data: {percent(float(outside))} of the draws."
        return said

    def median_loss(self, size: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Median of the response at sizes and tokens of any one shape, from some of the draws."""
        x = bought(self.inputs, size.ravel(), tokens.ravel(), self.at)
        return np.asarray(np.median(thinned(self.curve, 200)(x), axis=0)).reshape(size.shape)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the loss surface, lines of equal cost and the band of the optimal path."""
        from bayescale.plots.allocation import plot_allocation

        return plot_allocation(self, ax)


def compute_optimal(
    fit: Source,
    budget: Any,
    cost: Cost | None = None,
    *,
    groups: Mapping[str, Any] | None = None,
    at: Mapping[str, float] | None = None,
) -> Allocation:
    r"""Model size and data size that minimise the loss at a budget.

    For :math:`L = E + A N^{-\alpha} + B D^{-\beta}` and :math:`C = 6 N D`,

    .. math:: N^* = G (C/6)^{\beta/(\alpha+\beta)}, \quad D^* = (C/6)^{\alpha/(\alpha+\beta)} / G,
        \quad G = (\alpha A / \beta B)^{1/(\alpha+\beta)}.

    Any other law or cost is minimised numerically on every draw.

    Parameters
    ----------
    fit : Fit or Comparison
        Posterior of a law of model size and data size; of a comparison, the mixture of forms.
    budget : float or array_like
        In the unit of the cost, FLOPs by default.
    cost : callable, optional
        ``cost(N, D)``, growing in both; :class:`FLOPs6ND` by default, and with
        ``FLOPs6ND(inference_tokens=...)`` for a model that will be served.  N and D are counts.
        A law of two other inputs needs a cost of its own, which takes them in the order of the law;
        :class:`~bayescale.laws.Overtraining` is asked in N and D, with C = 6 N D and M = D / N.
    groups : mapping of str to label, optional
        Labels of the groups of the fit.
    at : mapping of str to float, optional
        Further inputs of the law.

    Returns
    -------
    Allocation

    Raises
    ------
    ValueError
        If the law does not have two free inputs, or the cost is not that of these, or the budget
        is not positive.

    References
    ----------
    Hoffmann et al. (2022), arXiv:2203.15556, section 3.3.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"N": [1e8, 1e9, 1e10], "D": [1e10, 1e10, 1e11], "loss": [2.8, 2.4, 2.1]}
    >>> runs = bs.Runs(table, y="loss", x={"N": "N", "D": "D"})
    >>> constants = dict(E=1.8172, A=482.01, alpha=0.3478, B=2085.43, beta=0.3658)
    >>> fit = bs.known_fit(bs.laws.Chinchilla(), runs, constants)
    >>> best = bs.compute_optimal(fit, [1e21, 5.76e23])
    >>> best.draws["tokens_per_parameter"].round(1)
    array([[21.6, 18.4]])
    """
    curve = with_sizes(curve_of(fit, groups))
    budgets = np.atleast_1d(np.asarray(budget, float))
    if budgets.ndim != 1 or not np.all(np.isfinite(budgets) & (budgets > 0)):
        raise ValueError("budget: every value must be finite and positive")
    cost = FLOPs6ND() if cost is None else cost
    size, data = inputs = free_inputs(curve, at, cost)
    best = optimum(curve, cost, budgets, inputs, at)
    loss = curve(bought(inputs, best.N, best.D, at))
    ratio = {"tokens_per_parameter": best.D / best.N} if inputs == ("N", "D") else {}
    outside = np.zeros(best.N.shape, bool)
    for symbol, values in ((size, best.N), (data, best.D)):
        known = curve.data[symbol]
        outside |= (values < known.min()) | (values > known.max())
    draws = {size: best.N, data: best.D, **ratio, "loss": loss}
    return Allocation(budgets, draws, best.at_edge, outside, cost, curve, inputs, dict(at or {}))


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

    if budgets.ndim == 2 or budgets.shape[-1] <= _KNOTS:
        start, at_edge = _search(loss, cost, np.atleast_2d(budgets), curve.samples)
    else:
        knots = np.geomspace(budgets.min(), budgets.max(), _KNOTS)
        found, edges = _search(loss, cost, knots[None, :], curve.samples)
        start, at_edge = _interpolated(np.log(knots), found, edges, np.log(budgets))
    spread = np.atleast_2d(budgets)
    N = np.exp(_polished(loss, start, spread))
    D = np.broadcast_to(data_for(cost, spread, N), N.shape)
    return Optimum(N, D, at_edge)


def _search(
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    cost: Cost,
    budgets: np.ndarray,
    samples: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Best cell of a grid over all sizes that a budget allows, then golden section in it."""
    top = np.log(largest_model(cost, budgets))
    shares = np.linspace(0.0, 1.0, 41)
    best = np.full((samples, budgets.shape[1]), np.inf)
    place = np.zeros(best.shape, int)
    for i, share in enumerate(shares):
        value = loss(share * np.broadcast_to(top, best.shape), budgets)
        better = value < best
        best, place = np.where(better, value, best), np.where(better, i, place)
    low = shares[np.maximum(place - 1, 0)] * top
    high = shares[np.minimum(place + 1, len(shares) - 1)] * top
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
