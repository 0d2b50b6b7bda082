"""Multiple choice, from the probabilities of single answers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, slope


class MCQComposition(Law):
    r"""Log probabilities of right and wrong answers over compute, item by item.

    .. math::

        -\ln p_{right} = E + A C^{-a}, \qquad \ln p_{wrong} = b_0 + b_1 \ln p_{right}

    The input ``choice`` says which of them a row is: 1 for the right answer, 2 for a wrong one.
    :func:`choice_accuracy` composes both into an accuracy.

    Notes
    -----
    `C` is compute, responses are **minus log probabilities** in nats, one row an item, answer and
    model.  What items share is an effect and wrong answers scatter in their own way:
    ``bs.LogNormal(scale=bs.Partial("choice_label")) + bs.Effect("item")``.  The slope :math:`b_1`
    of the wrong answers is what fits of the right one alone leave out, and why accuracies are
    hard to foretell: close to 1, right and wrong answers grow likelier together.  Where the
    formula puts a wrong answer above certainty it is nearly certain.

    References
    ----------
    Schaeffer et al. (2024), Why Has Predicting Downstream Capabilities of Frontier AI Models with
    Scale Remained Elusive?, arXiv:2406.04391.

    Examples
    --------
    By hand: 1 + 2 = 3 nats for the right answer, -(-0.5) + 0.9 * 3 for a wrong one.

    >>> law = MCQComposition()
    >>> law(1e20, [1.0, 2.0], E=1.0, A=200.0, a=0.1, b0=-0.5, b1=0.9).round(6)
    array([3. , 3.2])
    """

    name = "mcq_composition"
    inputs = ("C", "choice")
    conditions = ("choice",)
    parameters = (
        floor("E"),
        level("A"),
        exponent("a", median=0.15),
        slope("b0", spread=1.0),
        slope("b1", mean=0.9, spread=0.2, between=0.1),
    )
    example = Example(
        {"E": 0.4, "A": 300.0, "a": 0.11, "b0": -0.6, "b1": 0.85},
        {"C": (1e18, 1e23), "choice": (1.0, 2.0, 2.0, 2.0)},
        noise=0.05,
    )
    limits = (
        Limit(
            "power_law_offset",
            {"b0": 0.0, "b1": 1.0},
            lambda v: {"E": v["E"], "A": v["A"], "alpha": v["a"]},
            lambda C, choice: (C,),
        ),
    )

    def features(
        self, x: dict[str, np.ndarray], sequence: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """Check the choices."""
        if not np.all(np.isin(x["choice"], (1.0, 2.0))):
            raise ValueError("input 'choice': every value must be 1 (right) or 2 (wrong)")
        return x

    def mean(self, xp: Any, p: Parameters, C: Any, choice: Any) -> Any:
        """See :meth:`Law.mean`."""
        right = p.E + xp.exp(p.log_A - p.a * xp.log(C))
        wrong = choice - 1
        expected = (1 - wrong) * right + wrong * (p.b1 * right - p.b0)
        return xp.maximum(expected, 1e-3 * right)

    def log_mean(self, xp: Any, p: Parameters, *x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return xp.log(self.mean(xp, p, *x))

    def log_reducible(self, xp: Any, p: Parameters, *x: Any) -> Any:
        """See :meth:`Law.log_reducible`; of right answers."""
        return p.log_A - p.a * xp.log(x[0])

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Level as if all rows at the anchor were right answers."""
        return {"A": log_response + p.a * xp.log(x[0])}

    def identifiability(self, x: Any) -> list[str]:
        """Say where one kind of answer is missing."""
        if len(set(x["choice"].tolist())) < 2:
            return ["only one kind of answer: b0 and b1 stay at their priors"]
        return []


def choice_accuracy(
    constants: Mapping[str, Any],
    C: Any,
    *,
    choices: int,
    item_sd: Any,
    right_sd: Any = 0.0,
    wrong_sd: Any,
) -> np.ndarray:
    r"""Share of items whose right answer is likelier than every wrong one.

    Of an item, :math:`\ln p_{right} = -(E + A C^{-a}) + e + r` with :math:`e \sim N(0, sd_{item})`
    and :math:`r \sim N(0, sd_{right})`, and every wrong answer
    :math:`N(b_0 + b_1 (\ln p_{right} - r), sd_{wrong})` by itself.

    Parameters
    ----------
    constants : mapping
        Parameters of a :class:`MCQComposition`: numbers, or draws of shape (...).
    C : array, shape (points,)
        Compute.
    choices : int
        Answers an item, one of which is right.
    item_sd, right_sd, wrong_sd : array_like
        Standard deviations in nats: between items, of right and of wrong answers about the law.

    Returns
    -------
    array, shape (..., points)

    Examples
    --------
    Where wrong answers are as likely as the right one, accuracy is chance:

    >>> constants = dict(E=1.0, A=200.0, a=0.1, b0=0.0, b1=1.0)
    >>> spread = dict(item_sd=1.0, right_sd=0.5, wrong_sd=0.5)
    >>> choice_accuracy(constants, np.array([1e20]), choices=4, **spread).round(3)
    array([0.25])
    """
    from scipy.special import ndtr

    made = {k: np.asarray(v, float)[..., None] for k, v in constants.items()}
    right = -MCQComposition()(np.asarray(C, float), 1.0, **made)
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = weights / weights.sum()
    items, own = (np.asarray(sd, float)[..., None, None, None] for sd in (item_sd, right_sd))
    others = np.asarray(wrong_sd, float)[..., None, None, None]
    item = right[..., None, None] + items * nodes[:, None]
    b0, b1 = made["b0"][..., None, None], made["b1"][..., None, None]
    ahead = item + own * nodes - b0 - b1 * item
    won = ndtr(ahead / others) ** (choices - 1)
    return np.asarray(((won * weights).sum(axis=-1) * weights).sum(axis=-1))
