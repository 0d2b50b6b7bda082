"""Where two curves meet, and which is better on each side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.posterior.intervals import interval, percent
from bayescale.quantities.curves import TINY, Curve, excess
from bayescale.quantities.paths import Path, Way, path_of, two_scales
from bayescale.quantities.results import Result, at_edge_said, averaged_over, columns
from bayescale.quantities.roots import log_grid, sign_changes
from bayescale.quantities.sources import Source, curves_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Decades by which the range of the data is widened, on both sides, in search of crossings.
DECADES = 6.0

#: Share of the draws below which the place of a crossing is not told: it would rest on too few.
RARE = 0.05


@dataclass(frozen=True)
class Crossover(Result):
    """Distribution of the scale at which two curves meet.

    Attributes
    ----------
    draws : array, shape (sample,)
        The crossing in the data, else the one nearest to it, in the unit of the input; nan where
        the curves do not cross within `bounds`.  Where curves cross in both directions it is the
        one in the direction of most draws.  Its tails are heavy: use quantiles of the logarithm,
        never a mean.
    crossings : array, shape (sample, most crossings)
        All crossings in ascending order, padded with nan.
    a_higher_below, a_higher_above : array of bool, shape (sample,)
        Whether `a` is higher just below and just above the crossing (everywhere, without one).
    same : array of bool, shape (sample,)
        Whether the curves are one at all scales within `bounds`; neither is better then.
    bounds : tuple of (float, float)
        Scales that were searched.
    a, b : Curve
        The curves.
    path : Path
        What the scale is.
    """

    noun: ClassVar[str] = "the crossover scale"

    draws: np.ndarray = field(repr=False)
    crossings: np.ndarray = field(repr=False)
    a_higher_below: np.ndarray = field(repr=False)
    a_higher_above: np.ndarray = field(repr=False)
    same: np.ndarray = field(repr=False)
    bounds: tuple[float, float]
    a: Curve
    b: Curve
    path: Path

    @property
    def a_below(self) -> np.ndarray:
        """Whether `a` is better just below the crossing (everywhere, without one), (sample,)."""
        return np.asarray(self.a_higher_below == self.a.higher_is_better)

    @property
    def a_above(self) -> np.ndarray:
        """Whether `a` is better just above the crossing (everywhere, without one), (sample,)."""
        return np.asarray(self.a_higher_above == self.a.higher_is_better)

    @property
    def p_no_crossing(self) -> float:
        """Probability that the curves do not cross within the bounds."""
        return float(np.isnan(self.draws).mean())

    @property
    def p_beyond_data(self) -> float:
        """Probability that they cross, above the largest scale at which both have data."""
        return float((self.draws > self.path.common[1]).mean())

    @property
    def p_below_data(self) -> float:
        """Probability that they cross, below the smallest scale at which both have data."""
        return float((self.draws < self.path.common[0]).mean())

    @property
    def p_several(self) -> float:
        """Probability that they cross more than once within the bounds."""
        return float(((~np.isnan(self.crossings)).sum(axis=1) > 1).mean())

    @property
    def p_a_overtakes(self) -> float:
        """Probability that `b` is better below the crossing and `a` above it."""
        return float((~np.isnan(self.draws) & ~self.a_below & self.a_above).mean())

    @property
    def p_b_overtakes(self) -> float:
        """Probability that `a` is better below the crossing and `b` above it."""
        return float((~np.isnan(self.draws) & self.a_below & ~self.a_above).mean())

    @property
    def p_a_always(self) -> float:
        """Probability that `a` is better at all scales within the bounds."""
        return float((np.isnan(self.draws) & self.a_below & ~self.same).mean())

    @property
    def p_b_always(self) -> float:
        """Probability that `b` is better at all scales within the bounds."""
        return float((np.isnan(self.draws) & ~self.a_below & ~self.same).mean())

    @property
    def p_same(self) -> float:
        """Probability that the curves are one, so that neither is better."""
        return float(self.same.mean())

    @property
    def p_edge(self) -> float:
        """Probability that a budget at the crossing is best spent at an edge of what it allows."""
        edge = [self.path.at_edge(curve, self.draws[:, None]) for curve in (self.a, self.b)]
        return float((edge[0] | edge[1]).mean())

    @property
    def log10(self) -> np.ndarray:
        """Log10 of the crossings of the draws that have one, shape (crossing draws,)."""
        return np.log10(self.draws[~np.isnan(self.draws)])

    def ranked(self) -> np.ndarray:
        """Log scale; without a crossing, beyond either end: where it would have to be."""
        crosses = ~np.isnan(self.draws)
        usual = not crosses.any() or self.a_higher_below[crosses].mean() > 0.5
        side = np.where(self.a_higher_below == usual, np.inf, -np.inf)
        with np.errstate(invalid="ignore"):
            return np.where(crosses, np.log(self.draws), side)[:, None]

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """Quantiles of log10 scale given a crossing, and the probabilities of everything else.

        Which of both is better is left out where neither table nor law says what is.
        """
        import pandas as pd

        probabilities = {
            "p_no_crossing": self.p_no_crossing,
            "p_below_data": self.p_below_data,
            "p_beyond_data": self.p_beyond_data,
            "p_several": self.p_several,
            "p_same": self.p_same,
        }
        if self.path.cost is not None:
            probabilities["p_edge"] = self.p_edge
        if self.a.better:
            probabilities |= {
                f"p_{self.a.label}_overtakes": self.p_a_overtakes,
                f"p_{self.b.label}_overtakes": self.p_b_overtakes,
                f"p_{self.a.label}_always": self.p_a_always,
                f"p_{self.b.label}_always": self.p_b_always,
            }
        return pd.DataFrame(
            {**columns(self.log10, ci_prob), **probabilities}, index=[f"log10 {self.path.symbol}"]
        )

    @property
    def sentence(self) -> str:
        """Where they cross, how surely, and who wins."""
        if self.p_same == 1:
            return (
                f"The model gives {self.a.label} and {self.b.label} the same curve: it cannot tell "
                "them apart; fit with a pooling that lets them vary."
            )
        alike = self._alike()
        said = self._in_turn(alike) if alike.mean() > 0.5 else self._by_direction()
        if self.a.better is None:
            said.append("which is better, Runs(..., better=) says")
        return f"{'; '.join(said)}.{at_edge_said(self.p_edge)}{averaged_over(self.a.averaged)}"

    def _in_turn(self, alike: np.ndarray) -> list[str]:
        """Tell every crossing of draws that cross alike."""
        higher = self._a_higher()[alike][0]
        roots = self.crossings[alike]
        count = int((~np.isnan(roots[0])).sum())
        turns = [f"{self._turn(higher[i])} at {self._place(roots[:, i])}" for i in range(count)]
        beyond = float((roots[:, count - 1] > self.path.common[1]).mean())
        return [
            f"{self.a.label} and {self.b.label} cross "
            f"{'twice' if count == 2 else f'{count} times'} {self._within} with probability "
            f"{percent(float(alike.mean()))}: {', then '.join(turns)}",
            f"the last beyond the data: {percent(beyond)}",
        ]

    def _by_direction(self) -> list[str]:
        """Tell either direction by itself: opposite crossings have no place in common."""
        crosses, higher = ~np.isnan(self.draws), self.a_higher_below
        sides = [(crosses & (higher == below), below) for below in (True, False)]
        turns = [
            f"{self._turn(below)} with probability {percent(float(side.mean()))}, at "
            f"{self._place(self.draws[side])}"
            for side, below in sorted(sides, key=lambda each: -each[0].sum())
            if side.mean() >= RARE
        ]
        more = [
            f"beyond the data: {percent(self.p_beyond_data)}",
            f"several crossings: {percent(self.p_several)}",
        ]
        none = percent(self.p_no_crossing)
        if self.p_no_crossing <= 0.5:
            return [*turns, f"no crossing {self._within}: {none}", *more]
        a_first = higher == (self.a.better != "lower")
        never = ~crosses & ~self.same
        p, first = max(
            (float((never & a_first).mean()), self.a.label),
            (float((never & ~a_first).mean()), self.b.label),
        )
        return [
            f"{self.a.label} and {self.b.label} do not cross {self._within} with probability "
            f"{none}: {first} is {'better' if self.a.better else 'higher'} at all of these scales "
            f"with probability {percent(p)}",
            *turns,
            *(more if turns else []),
        ]

    @property
    def _within(self) -> str:
        """The scales that were searched."""
        return f"between {self.path.symbol} = {self.bounds[0]:.2g} and {self.bounds[1]:.2g}"

    def _turn(self, a_higher: bool) -> str:
        """Who passes whom at a crossing just below which `a` is higher or not."""
        first, last = self.a.label, self.b.label
        if a_higher != (self.a.better == "lower"):
            first, last = last, first
        return f"{first} {'overtakes' if self.a.better else 'rises above'} {last}"

    def _place(self, scales: np.ndarray) -> str:
        """Median and interval of scales, taken of their logarithms."""
        low, median, high = 10 ** np.array(interval(np.log10(scales), 0.9))
        return f"{self.path.symbol} = {median:.2g} (90 % interval {low:.2g} to {high:.2g})"

    def _a_higher(self) -> np.ndarray:
        """Whether `a` is higher just below each crossing, shape (sample, most crossings)."""
        chosen = (self.crossings == self.draws[:, None]).argmax(axis=1)
        steps = np.arange(self.crossings.shape[1]) - chosen[:, None]
        return np.asarray(self.a_higher_below[:, None] == (steps % 2 == 0))

    def _alike(self) -> np.ndarray:
        """Draws that cross more than once, as often and in the order that most of these do."""
        count = (~np.isnan(self.crossings)).sum(axis=1)
        kind, several = 2 * count + self._a_higher()[:, 0], count > 1
        usual = np.bincount(kind[several], minlength=1).argmax()
        return np.asarray(several & (kind == usual))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw both curves and, below them, the density of all crossings."""
        from bayescale.plots.crossover import plot_crossover

        return plot_crossover(self, ax)


def crossover_scale(
    fit: Source,
    a: Any,
    b: Any,
    *,
    groups: Mapping[str, Any] | None = None,
    path: Way = None,
    bounds: tuple[float, float] | None = None,
) -> Crossover:
    r"""Scale at which two curves meet.

    For two power laws it is :math:`\ln x = \ln(A_a / A_b) / (\alpha_a - \alpha_b)`: a ratio of
    small differences, whose tails are heavy.

    Parameters
    ----------
    fit : Fit, Comparison, mapping of str to Fit, or None
        Where the curves come from; None when `a` and `b` are fits themselves.
    a, b : label, mapping of str to label, or Fit
        Labels of the group ``family`` (or of the only group), labels by group, names in a mapping
        of fits, or two fits, whose draws are then independent.
    groups : mapping of str to label, optional
        Labels of further groups for both curves (None: a new label, drawn from the population);
        a group that is left open is averaged over.
    path : mapping of str to float or callable, or cost, optional
        For a law of several inputs: how the others follow the one that is the scale, such as
        ``{"D": lambda N: 20 * N}``; or the cost of a run, such as ``FLOPs6ND()``, so that the scale
        is a budget, spent optimally by each.
    bounds : tuple of (float, float), optional
        Scales to search; the range of the data widened by 6 decades on both sides.

    Returns
    -------
    Crossover

    Raises
    ------
    ValueError
        If labels are unknown or it is not clear what the scale is.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"C": [1e17, 1e21] * 2, "loss": [3.9, 2.0, 4.1, 1.7],
    ...          "arch": ["lstm", "lstm", "gpt", "gpt"]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "C"}, groups={"family": "arch"})
    >>> A, alpha = [[60.0, 169.0]], [[0.070, 0.095]]
    >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": A, "alpha": alpha})
    >>> bs.crossover_scale(fit, "lstm", "gpt").log10.round(2)
    array([17.99])
    """
    one, other = curves_of(fit, [a, b], groups)
    way = path_of((one, other), path)
    bounds = two_scales("bounds", way.widened(DECADES, DECADES) if bounds is None else bounds)
    apart = excess(one, other)

    def higher(scale: np.ndarray) -> np.ndarray:
        if way.symbol != "budget":
            return apart(way.inputs(one, scale))
        here, there = way.along(one)(scale), way.along(other)(scale)
        return (here - there) / np.maximum(np.maximum(abs(here), abs(there)), TINY)

    draw, root, signs = sign_changes(higher, log_grid(bounds, 25 if way.symbol != "budget" else 8))
    samples = len(signs)
    count = np.bincount(draw, minlength=samples)
    crossings = np.full((samples, max(1, int(count.max(initial=0)))), np.nan)
    place = np.arange(len(draw)) - (np.cumsum(count) - count)[draw]
    crossings[draw, place] = root
    crosses, first = count > 0, signs[:, 0] > 0
    a_higher = first[:, None] == (np.arange(crossings.shape[1]) % 2 == 0)
    chosen = _chosen(crossings, a_higher, way.data)
    below = np.where(crosses, a_higher[np.arange(samples), chosen], first)
    return Crossover(
        crossings[np.arange(samples), chosen],
        crossings,
        below,
        np.where(crosses, ~below, first),
        (signs == 0).all(axis=1),
        bounds,
        one,
        other,
        way,
    )


def _chosen(crossings: np.ndarray, a_higher: np.ndarray, data: tuple[float, float]) -> np.ndarray:
    """Place of the crossing to report, shape (sample,): in one direction where draws have it.

    Which of two opposite crossings lies nearer to the data varies over draws; the direction of most
    of the nearest ones is that of all.
    """
    nearest = _nearest(crossings, data)
    crosses = ~np.isnan(crossings[:, 0])
    usual = a_higher[np.arange(len(crossings)), nearest][crosses].sum() > 0.5 * crosses.sum()
    alike = np.where(a_higher == usual, crossings, np.nan)
    return np.where(np.isnan(alike).all(axis=1), nearest, _nearest(alike, data))


def _nearest(crossings: np.ndarray, data: tuple[float, float]) -> np.ndarray:
    """Place of the crossing nearest to the data, the last one of those inside, shape (sample,)."""
    log_x, (low, high) = np.log(crossings), np.log(data)
    distance = np.maximum(np.maximum(low - log_x, log_x - high), 0.0)
    distance = np.where(np.isnan(distance), np.inf, distance)
    last = crossings.shape[1] - 1
    return last - np.argmin(distance[:, ::-1], axis=1)
