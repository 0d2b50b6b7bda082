"""Laws of model size and data size together."""

from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import log_sum
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, named


class Chinchilla(Law):
    r"""Additive law of parameters and tokens, :math:`L = E + A N^{-\alpha} + B D^{-\beta}`.

    Inputs are the number of parameters N and of training tokens D; the response is a loss,
    usually in nats per token.

    Notes
    -----
    Runs at one ratio D/N cannot separate the two terms.  Whether N counts embeddings shifts
    `alpha`: say which.  N and D of the presets are plain counts.  ``hoffmann_2022`` has the
    unrounded constants of the source of that paper, not those it prints; its fit had stopped
    before it converged (Besiroglu et al. 2024).

    References
    ----------
    Hoffmann et al. (2022), arXiv:2203.15556; Besiroglu et al. (2024), arXiv:2404.10102.

    Examples
    --------
    >>> law = Chinchilla()
    >>> round(float(law(70e9, 1.4e12, **law.presets["besiroglu_2024"])), 3)
    1.974
    """

    name = "chinchilla"
    inputs = ("N", "D")
    parameters = (
        floor("E"),
        level("A"),
        exponent("alpha", of="A"),
        level("B"),
        exponent("beta", of="B"),
    )
    monotone = {"N": -1, "D": -1}
    presets = {
        "hoffmann_2022": {
            "E": 1.69337,
            "A": 406.401,
            "alpha": 0.33917084,
            "B": 410.723,
            "beta": 0.2849083,
        },
        "besiroglu_2024": {
            "E": 1.8172,
            "A": 482.01,
            "alpha": 0.3478,
            "B": 2085.43,
            "beta": 0.3658,
        },
    }
    example = Example(presets["besiroglu_2024"], {"N": (5e7, 1e10), "D": (1e9, 3e11)})
    limits = (
        Limit(
            "power_law_offset",
            {"B": 0.0},
            lambda v: {"E": v["E"], "A": v["A"], "alpha": v["alpha"]},
            lambda N, D: (N,),
        ),
    )

    def log_mean(self, xp: Any, p: Parameters, N: Any, D: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return log_sum(xp, p.log_E, p.log_A - p.alpha * xp.log(N), p.log_B - p.beta * xp.log(D))


class Hitchhiker(Chinchilla):
    r"""Additive law whose exponents and shares are learned from all families together.

    .. math:: L = E + A N^{-\alpha} + B D^{-\beta}

    Notes
    -----
    The formula of :class:`Chinchilla`, with parameters N, tokens D and a loss in nats per token;
    what differs is the default pooling.  Exponents, the irreducible share and the share of the data
    term have populations over families, so that a single run of a new family places its level and
    borrows the rest.  Leave out the first tokens of a run, and give checkpoints their correlated
    noise, ``LogStudentT() + Checkpoints()``.

    References
    ----------
    Choshen, Zhang and Andreas (2024), arXiv:2410.11840.

    Examples
    --------
    >>> constants = dict(E=1.8, A=480.0, alpha=0.35, B=2000.0, beta=0.37)
    >>> round(float(Hitchhiker()(70e9, 1.4e12, **constants)), 2)
    1.94
    """

    name = "hitchhiker"
    parameters = (
        floor("E"),
        level("A"),
        exponent("alpha", between=0.2, of="A"),
        named(level("B", between=0.5), pooling="partial"),
        exponent("beta", between=0.2, of="B"),
    )
    presets = {}
    limits = (Limit("chinchilla", {}),)
