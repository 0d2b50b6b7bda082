"""Resampling until a verifier that makes mistakes accepts an answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log1mexp, log_sigmoid, logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import fraction, slope


@dataclass(frozen=True)
class ImperfectVerifier(Law):
    r"""Right answers of a model that resamples up to K times until a verifier accepts.

    A try is right with rate `p`; the verifier accepts a right answer with rate `t` and a wrong one
    with rate `f`, where :math:`\mathrm{logit} f = c_0 + c_1\, \mathrm{logit} p`.

    .. math::

       r = p t + (1 - p) f, \qquad P(\text{right answer given}) = \frac{p t}{r}
       \left(1 - (1 - r)^K\right)

    The input `outcome` says what a row counts, so that the counts of one table of tries (right and
    accepted, wrong and accepted, rejected) become rows of plain successes:

    1. answers given among problems tried: :math:`1 - (1 - r)^K`;
    2. right answers among answers given: :math:`p t / r`, whatever `K`;
    3. right answers given among problems tried.

    Raw tries are rows with ``K = 1``: (accepted, tries) with outcome 1, and (accepted and right,
    accepted) with outcome 2.

    Parameters
    ----------
    completeness : float
        The rate `t`, known: 1 where the verifier accepts every right answer.

    Notes
    -----
    `f` needs a check against the truth (outcome 2).  Accuracy of answers cannot exceed
    :math:`p t / r` however many tries.  With one `p` for all problems the best number of tries is 0
    or unlimited: a best number in between comes from problems that differ, so make the problem a
    group, and average over it.

    References
    ----------
    Stroebl, Kapoor and Narayanan (2024), Inference Scaling fLaws, arXiv:2411.17501.

    Examples
    --------
    Half of the wrong answers pass: right answers never exceed two thirds.

    >>> law = ImperfectVerifier()
    >>> law([1.0, 3.0, 99.0], 3.0, p=0.5, c0=0.0, c1=0.0).round(3)
    array([0.5  , 0.656, 0.667])
    """

    completeness: float = 1.0

    name = "imperfect_verifier"
    inputs = ("K", "outcome")
    conditions = ("outcome",)
    response = "unit"
    better = "higher"
    parameters = (
        fraction("p", median=0.4, spread=1.5),
        slope("c0", mean=-1.5, spread=1.5),
        slope("c1", spread=0.5),
    )
    example = Example(
        {"p": 0.4, "c0": -1.4, "c1": -0.3},
        {"K": (1.0, 50.0), "outcome": (1.0, 2.0, 3.0)},
        noise=0.05,
    )

    def __post_init__(self) -> None:
        """Check the completeness."""
        if not 0 < self.completeness <= 1:
            raise ValueError(f"completeness must be above 0, at most 1, not {self.completeness!r}")

    def features(
        self, x: dict[str, np.ndarray], sequence: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """Check the outcomes."""
        if not np.all(np.isin(x["outcome"], (1.0, 2.0, 3.0))):
            raise ValueError(
                "input 'outcome': every value must be 1, 2 or 3; see ImperfectVerifier"
            )
        return x

    def log_mean(self, xp: Any, p: Parameters, K: Any, outcome: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        log_right, log_accepted = _rates(xp, p, self.completeness)
        log_given = log1mexp(xp, K * log1mexp(xp, log_accepted))
        counts_given, counts_right = xp.abs(outcome - 2.0), xp.minimum(outcome - 1.0, 1.0)
        return counts_given * log_given + counts_right * (log_right - log_accepted)


def _rates(xp: Any, p: Parameters, completeness: float) -> tuple[Any, Any]:
    """Logarithms of the rates of tries that are right and accepted, and of tries accepted."""
    log_wrong = log1mexp(xp, p.log_p)
    log_false_pass = log_sigmoid(xp, p.c0 + p.c1 * (p.log_p - log_wrong))
    log_right = p.log_p + math.log(completeness)
    log_accepted = logaddexp(xp, log_right, log_wrong + log_false_pass)
    return log_right, xp.minimum(log_accepted, -1e-12)


def accuracy_ceiling(constants: Mapping[str, Any], completeness: float = 1.0) -> Any:
    """Share of right answers among those given, which no number of tries exceeds.

    Parameters
    ----------
    constants : mapping
        ``p``, ``c0`` and ``c1``: numbers, arrays or the variables of a posterior.
    completeness : float
        Rate at which right answers are accepted.

    Examples
    --------
    >>> round(float(accuracy_ceiling({"p": 0.5, "c0": 0.0, "c1": 0.0})), 3)
    0.667
    """
    log_right, log_accepted = _rates(np, _numbers(constants), completeness)
    return np.exp(log_right - log_accepted)


def false_pass_rate_for(accuracy: Any, p: Any, completeness: float = 1.0) -> Any:
    r"""False-pass rate with which a weak model's accepted answers match a stronger model.

    .. math:: f = \frac{p t (1 - \mathrm{acc})}{(1 - p)\, \mathrm{acc}}

    Parameters
    ----------
    accuracy : float
        Accuracy of the stronger model.
    p : array_like
        Rate of right answers of the weak model.
    completeness : float
        Rate at which right answers are accepted.

    Examples
    --------
    >>> round(float(false_pass_rate_for(0.8, 0.5)), 3)
    0.25
    """
    return p * completeness * (1 - accuracy) / ((1 - p) * accuracy)


def best_tries(
    constants: Mapping[str, Any],
    *,
    benefit: float = 1.0,
    penalty: float = 1.0,
    cost: float = 0.0,
    completeness: float = 1.0,
    most: int = 100,
) -> np.ndarray:
    r"""Choose the number of tries with the highest utility, over problems that differ.

    .. math::

       U(K) = \mathrm{mean}_i \left[ b\, P_i(\text{right}) - \pi\, P_i(\text{wrong})
       - c\, E_i[\text{tries}] \right]

    Parameters
    ----------
    constants : mapping of str to array, shape (..., problems)
        ``p``, ``c0`` and ``c1``; any leading dimensions (draws) are kept.
    benefit, penalty, cost : float
        Value of a right answer, loss by a wrong one, cost of a try, in one unit.
    completeness : float
        Rate at which right answers are accepted.
    most : int
        Largest number of tries considered.

    Returns
    -------
    array of int, shape (...)
        Between 0 (do not try) and `most`.

    References
    ----------
    Stroebl, Kapoor and Narayanan (2024), arXiv:2411.17501.

    Examples
    --------
    The authors' two kinds of problems; later tries are for the hard ones and mostly bring wrong
    answers, so that the best number falls with the penalty:

    >>> p = np.repeat([0.87, 0.13], [58, 42])
    >>> constants = {"p": p, "c0": np.log(0.25 / 0.75), "c1": 0.0}
    >>> [int(best_tries(constants, penalty=v)) for v in (0.7, 1.0, 2.0)]
    [3, 2, 1]
    """
    log_right, log_accepted = _rates(np, _numbers(constants), completeness)
    accepted, right = np.exp(log_accepted), np.exp(log_right - log_accepted)
    value = benefit * right - penalty * (1 - right) - cost / accepted
    tries = np.arange(most + 1).reshape(-1, *([1] * accepted.ndim))
    given = -np.expm1(tries * log1mexp(np, log_accepted))
    return np.argmax(np.mean(given * value, axis=-1), axis=0)


def _numbers(constants: Mapping[str, Any]) -> Parameters:
    # Where a problem is never or always solved, the logit of its rate has no number.
    p = np.clip(constants["p"], 1e-300, 1 - 1e-12)
    return Parameters(np, {"p": p, "c0": constants["c0"], "c1": constants["c1"]})
