"""Laws of model size and data size together."""

from typing import Any

from bayescale.laws.base import Law, Parameters, exponent, floor, level
from bayescale.laws.numerics import log_sum


class Chinchilla(Law):
    r"""Additive law of parameters and tokens, :math:`L = E + A N^{-\alpha} + B D^{-\beta}`.

    Inputs are the number of parameters N and of training tokens D; the response is a loss,
    usually in nats per token.

    Notes
    -----
    Runs at one ratio D/N cannot separate the two terms.  Whether N counts embeddings shifts
    `alpha`: say which.

    References
    ----------
    Hoffmann et al. (2022), arXiv:2203.15556; Besiroglu et al. (2024), arXiv:2404.10102.

    Examples
    --------
    >>> fit = dict(E=1.8172, A=482.01, alpha=0.3478, B=2085.43, beta=0.3658)
    >>> round(float(Chinchilla()(70e9, 1.4e12, **fit)), 3)
    1.975
    """

    name = "chinchilla"
    inputs = ("N", "D")
    parameters = (floor("E"), level("A"), exponent("alpha"), level("B"), exponent("beta"))

    def log_mean(self, xp: Any, p: Parameters, N: Any, D: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return log_sum(xp, p.log_E, p.log_A - p.alpha * xp.log(N), p.log_B - p.beta * xp.log(D))
