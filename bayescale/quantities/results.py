"""What the results of all questions have in common."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.posterior.intervals import interval, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


#: Relative differences up to this are rounding.
SAME = 1e-9


class Result(ABC):
    """A distribution, its summary, a figure and a sentence."""

    #: What the distribution is of, in a sentence.
    noun: ClassVar[str] = "the goal"

    @abstractmethod
    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """Median, equal-tailed interval and probabilities; `ci_prob` is that of the interval."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """The answer in words."""

    @abstractmethod
    def plot(self, ax: "Axes | None" = None) -> Any:
        """Draw the answer on axes, new ones by default, and return them."""

    def ranked(self) -> np.ndarray:
        """Draws as numbers that can be put in order, shape (sample, quantities)."""
        draws = np.asarray(getattr(self, "draws"), float)  # noqa: B009
        return draws.reshape(len(draws), -1)

    def __str__(self) -> str:
        return self.sentence


def columns(draws: np.ndarray, ci_prob: float) -> dict[str, np.ndarray]:
    """Columns ``median``, ``lower_<prob>`` and ``upper_<prob>`` of a summary."""
    low, median, high = interval(draws, ci_prob)
    return {
        "median": np.atleast_1d(median),
        f"lower_{ci_prob:g}": np.atleast_1d(low),
        f"upper_{ci_prob:g}": np.atleast_1d(high),
    }


def averaged_over(groups: tuple[str, ...]) -> str:
    """Sentence that names the groups over whose labels curves are averaged, if there are any."""
    return f" Averaged over {' and '.join(groups)}." if groups else ""


def at_edge_said(share: float) -> str:
    """Sentence that says how many draws spend a budget at an edge of what it allows, if any."""
    return (
        f" At the edge of what the budget allows: {percent(share)} of the draws." if share else ""
    )


def span(draws: np.ndarray, ci_prob: float = 0.9, digits: int = 3) -> str:
    """Median and interval in words."""
    low, median, high = interval(draws, ci_prob)
    return (
        f"{median:.{digits}g} ({100 * ci_prob:g} % interval {low:.{digits}g} to {high:.{digits}g})"
    )
