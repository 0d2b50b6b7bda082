"""Which runs to train next: how much candidates are expected to narrow a goal, per unit of cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.quantities.candidates import candidates_of, outlook
from bayescale.quantities.results import Result
from bayescale.quantities.sources import Source, pooled, warn_of_strays
from bayescale.quantities.value_of_information import Shares, choose, normal_scores, reweighted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Effective number of draws below which reweighting says little.
FEW = 20.0


@dataclass(frozen=True)
class Design(Result):
    """Candidate runs ranked by what they are expected to tell about a goal, and the best batch.

    Attributes
    ----------
    goal : str
        What is to be narrowed.
    table : DataFrame
        One row a candidate in the order given: its columns, ``cost`` (of all its repeats),
        ``narrowing`` (expected relative decrease of the standard deviation of the goal by this
        candidate alone), ``narrowing_per_cost``, and ``chosen``: 1 for the first run of the batch
        and so on, 0 for candidates that are left out.
    draws : array, shape (sample, quantities)
        The goal now, as normal scores of its draws.
    budget : float
        What the batch may cost.
    narrowing : float
        Expected relative decrease of the standard deviation of the goal by the whole batch.
    interval_ratio : float
        Expected width of the 80 % interval of the goal after the batch over the width now, by
        reweighting; nan where the goal is a choice among forms.
    ess : float
        Median effective number of draws in that reweighting; below 20 it is not to be trusted.
    """

    goal: str
    table: "pd.DataFrame" = field(repr=False)
    draws: np.ndarray = field(repr=False)
    budget: float
    narrowing: float
    interval_ratio: float
    ess: float

    @property
    def chosen(self) -> "pd.DataFrame":
        """The batch, in the order in which it was put together."""
        return self.table[self.table["chosen"] > 0].sort_values("chosen")

    @property
    def cost(self) -> float:
        """Cost of the batch."""
        return float(self.chosen["cost"].sum())

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """All candidates, the chosen ones first and then by narrowing per cost.

        `ci_prob` has no effect: the table holds expectations.
        """
        order = self.table.assign(_place=self.table["chosen"].where(self.table["chosen"] > 0))
        return order.sort_values(
            ["_place", "narrowing_per_cost"], ascending=[True, False], na_position="last"
        ).drop(columns="_place")

    @property
    def sentence(self) -> str:
        """The batch and what it is expected to do."""
        cheapest = self.table["cost"].min()
        if cheapest > self.budget:
            return (
                f"No candidate is within a budget of {self.budget:.3g}: the cheapest costs "
                f"{cheapest:.3g}."
            )
        if not len(self.chosen):
            return f"No candidate within a budget of {self.budget:.3g} tells about {self.goal}."
        said = (
            f"Train {len(self.chosen)} of {len(self.table)} candidates for {self.cost:.3g} of a "
            f"budget of {self.budget:.3g}: they are expected to narrow {self.goal} by "
            f"{100 * self.narrowing:.0f} %"
        )
        if np.isnan(self.interval_ratio):
            return f"{said}."
        if self.ess < FEW:
            return f"{said} (too much to be checked by reweighting the draws)."
        return (
            f"{said}; reweighting the draws expects its 80 % interval to shrink by "
            f"{100 * (1 - self.interval_ratio):.0f} %."
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw value against cost and mark the batch."""
        from bayescale.plots.design import plot_design

        return plot_design(self, ax)


def next_run(
    fit: Source,
    candidates: Any,
    goal: Any,
    budget: float,
    *,
    random_seed: int = 0,
) -> Design:
    r"""Choose runs that are expected to narrow a goal most, within a budget.

    Preposterior analysis on the joint draws of goal and outcomes, without refitting.  The
    variance of the goal :math:`g` that is left after outcomes :math:`y` of a batch is estimated by
    that of the best linear predictor,

    .. math:: V(g) - C(g, y) \, [C(y, y) + R]^{-1} \, C(y, g),

    with covariances over the draws of all forms and the noise variances :math:`R`.  Goals are
    replaced by their normal scores, so that heavy tails and "never" do no harm.  Batches are put
    together greedily, by value and by value per cost, and improved by exchange.

    Parameters
    ----------
    fit : Fit or Comparison
        What is known so far; with a comparison the doubt about the form counts.
    candidates : DataFrame, mapping of str to columns, or sequence of mappings
        One row a candidate: inputs and labels under the names of the table or its symbols,
        optionally ``cost`` of one run (else 6 N D, or the input of a law of one input) and
        ``repeats``, the number of runs with different seeds.  Labels that the fit does not know
        are new ones, drawn from the population.
    goal : mapping, str, result, callable or array
        - inputs and labels: the mean curve there, e.g. ``{"C": 1e25, "family": "gpt"}``;
        - ``"form"``: which form of a comparison is right;
        - a result of this package, such as ``crossover_scale(fit, "lstm", "gpt")``;
        - a callable from the fit to such a result or to draws; or draws, shape (sample, ...).
    budget : float
        What the batch may cost.
    random_seed : int
        Seed of simulated outcomes.

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        If candidates, goal and fit do not fit together.

    References
    ----------
    Chaloner and Verdinelli (1995), Bayesian experimental design: a review; Strong, Oakley and
    Brennan (2015), doi:10.1177/0272989X15575286 (expected value of information by regression on
    draws); Leskovec et al. (2007), doi:10.1145/1281192.1281239 (greedy choice under a budget);
    Fedorov (1972), Theory of Optimal Experiments (exchange).

    Examples
    --------
    >>> import numpy as np, bayescale as bs
    >>> table = {"C": [1e17, 1e19] * 2, "loss": [3.9, 2.9, 4.1, 2.6],
    ...          "arch": ["lstm", "lstm", "gpt", "gpt"]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "C"}, groups={"family": "arch"})
    >>> alpha = np.random.default_rng(0).normal([0.07, 0.095], 0.003, (1000, 2))
    >>> draws = {"A": 3.3 * 1e18**alpha, "alpha": alpha}
    >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, draws)
    >>> candidates = {"C": [1e19, 1e20, 1e20], "family": ["gpt", "gpt", "lstm"]}
    >>> design = bs.next_run(fit, candidates, goal={"C": 1e23, "family": "gpt"}, budget=1e20)
    >>> design.chosen[["C", "family"]].to_numpy().tolist()
    [[1e+20, 'gpt']]
    """
    asked = candidates_of(fit, candidates, goal if isinstance(goal, Mapping) else None)
    if not np.isfinite(budget) or budget <= 0:
        raise ValueError(f"budget must be positive and finite, not {budget}")
    warn_of_strays(fit)
    seen = outlook(fit, asked, np.random.default_rng(random_seed))
    name, draws = _goal(fit, goal, seen.goal)
    scores = draws if name == "which form is right" else normal_scores(draws)
    if len(scores) != len(seen.signal):
        raise ValueError(
            f"the goal has {len(scores)} draws and the fit {len(seen.signal)}: compute it from "
            "this fit"
        )
    noise = seen.noise / asked.repeats
    share = Shares.of(scores, seen.signal, noise)
    alone = np.array([share.explained([k]) for k in range(len(noise))])
    batch = choose(share, asked.cost, float(budget))
    ratio, ess = np.nan, np.nan
    if batch and name != "which form is right":
        rng = np.random.default_rng(random_seed + 1)
        ratio, ess = reweighted(scores, seen.signal[:, batch], noise[batch], rng)
    table = asked.table.assign(
        cost=asked.cost,
        narrowing=1 - np.sqrt(1 - alone),
        narrowing_per_cost=(1 - np.sqrt(1 - alone)) / asked.cost,
        chosen=[batch.index(k) + 1 if k in batch else 0 for k in range(len(noise))],
    )
    narrowing = 1 - np.sqrt(1 - share.explained(batch)) if batch else 0.0
    return Design(name, table, scores, float(budget), float(narrowing), ratio, ess)


def _goal(fit: Source, goal: Any, at_point: np.ndarray | None) -> tuple[str, np.ndarray]:
    """Name and draws of the goal, shape (sample, quantities)."""
    if at_point is not None:
        where = ", ".join(
            f"{k} = {v:.3g}" if isinstance(v, int | float) else str(v) for k, v in goal.items()
        )
        return f"the forecast at {where}", at_point
    if isinstance(goal, str):
        if goal != "form":
            raise ValueError(f"goal {goal!r} is not known: give 'form', a point, or a result")
        chosen = pooled(fit)
        if len(chosen) < 2:
            raise ValueError("the goal 'form' needs a comparison in which two forms have weight")
        forms = np.repeat(np.arange(len(chosen)), [len(rows) for _, rows in chosen])
        return "which form is right", np.eye(len(chosen))[forms]
    if callable(goal) and not isinstance(goal, Result):
        goal = goal(fit)
    if isinstance(goal, Result):
        return goal.noun, goal.ranked()
    draws = np.asarray(goal, float)
    if draws.ndim not in (1, 2) or np.isnan(draws).any():
        raise ValueError("the goal must be draws of shape (sample,) or (sample, k) without nan")
    return "the goal", draws.reshape(len(draws), -1)
