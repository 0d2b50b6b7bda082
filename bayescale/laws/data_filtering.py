"""Data of different quality, whose worth fades with every repetition."""

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, named, positive

#: Epochs after which further repetitions count as worth nothing.
EPOCHS = 100


class DataFiltering(Law):
    r"""Error of training on one pool of data, each epoch of which is worth less.

    .. math:: y = d + (a n_1)^{-b} \prod_{j \geq 2} \left(\frac{n_j}{n_{j-1}}\right)^{-b
        \delta^{j-1}}, \qquad \delta = 2^{-1/\tau}

    where :math:`n_j` are the samples seen by the end of epoch j, or so far in the last one.

    Notes
    -----
    `n` counts samples seen and `U` the samples of the pool, so that ``n / U`` are epochs; `d` has
    the unit of the error, `a` is per sample (the paper's, per 1e5 samples, times 1e-5), `b` is the
    utility of the pool, `tau` its half-life in epochs.  Make the pool a group: every pool then has
    its `b` and `tau`, while `a` and `d` are common.  Runs of two or three epochs cannot tell `b`
    from `tau`, and after a hundred epochs more repetitions count as worth nothing.  The authors'
    code multiplies `d` by the later epochs; here it stays outside.

    References
    ----------
    Goyal et al. (2024), Scaling Laws for Data Filtering, arXiv:2404.07177, and the authors' code.

    Examples
    --------
    Two epochs with a half-life of one: by hand, 0.1 + 4**-0.5 * 2**-0.25.

    >>> law = DataFiltering()
    >>> round(float(law(2e6, 1e6, d=0.1, a=4e-6, b=0.5, tau=1.0)), 4)
    0.5204
    """

    name = "data_filtering"
    inputs = ("n", "U")
    parameters = (
        named(floor("d"), pooling="shared"),
        named(level("a"), pooling="shared"),
        exponent("b", median=0.15),
        positive("tau", median=5.0, spread=0.8, between=0.5),
    )
    monotone = {"n": -1, "U": -1}
    presets = {
        f"tmars_{quality}_2024": {"d": 0.1, "a": 0.025e-5, "b": b, "tau": tau}
        for quality, b, tau in (
            ("top_10", 0.16, 6.7),
            ("10_20", 0.125, 8.5),
            ("20_30", 0.10, 5.3),
            ("30_40", 0.085, 2.3),
        )
    }
    example = Example(presets["tmars_top_10_2024"], {"n": (3e7, 3e9), "U": (1e7, 1e9)}, noise=0.01)

    def features(
        self, x: dict[str, np.ndarray], sequence: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        r"""Growth of the samples seen in every epoch.

        Returns
        -------
        dict
            ``fresh``, shape (rows,): samples seen for the first time; ``growth``, shape (rows,
            epochs): :math:`\ln(n_j/n_{j-1})` from the second epoch on.
        """
        n, U = np.asarray(x["n"], float), np.asarray(x["U"], float)
        start = np.arange(1.0, EPOCHS)
        growth = np.log(np.clip((n / U)[..., None], start, start + 1) / start)
        return {"fresh": np.minimum(n, U), "growth": growth}

    def _log_worth(self, xp: Any, p: Parameters, fresh: Any, growth: Any) -> Any:
        """Logarithm of the fresh samples that those seen are worth."""
        fade = xp.exp(-p.log_tau)[..., None] * -log(2.0)
        repeated = (growth * xp.exp(fade * np.arange(1.0, EPOCHS))).sum(axis=-1)
        return xp.log(fresh) + repeated

    def log_mean(self, xp: Any, p: Parameters, fresh: Any, growth: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        gained = p.b * (p.log_a + self._log_worth(xp, p, fresh, growth))
        return logaddexp(xp, p.log_d, -gained)

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """See :meth:`Law.levels_at`."""
        return {"a": -log_response / p.b - self._log_worth(xp, p, *x)}

    def identifiability(self, x: Any) -> list[str]:
        """Say where there are too few epochs."""
        epochs = float(np.max(x["n"] / x["U"]))
        if epochs < 3:
            return [f"at most {epochs:.1f} epochs: tau stays near its prior and trades off with b"]
        return []


def mixture_error(
    constants: Mapping[str, Any], n: Any, U: Any, stretch: float | None = None
) -> np.ndarray:
    r"""Error of training on equal shares of several pools.

    In epoch j the mixture has the utility :math:`\mathrm{mean}_i\, b_i \delta_i^{j-1}`, with
    half-lives that are longer than those of the pools by a factor.

    Parameters
    ----------
    constants : mapping
        ``d`` and ``a``, shape (...), and ``b`` and ``tau``, shape (..., pools): the constants of
        the pools, draws first.
    n, U : float
        Samples seen, and samples of all the pools together.
    stretch : float, optional
        Factor on the half-lives; by default the number of pools, as a sample of one of p pools is
        diluted by those of the others.

    Returns
    -------
    array, shape (...)

    Notes
    -----
    That half-lives grow in a mixture is the authors'; the exact factor is not verified here.

    References
    ----------
    Goyal et al. (2024), arXiv:2404.07177.

    Examples
    --------
    Two pools that are alike are one, if half-lives are left as they are:

    >>> alike = {"d": 0.1, "a": 4e-6, "b": np.array([0.5, 0.5]), "tau": np.array([1.0, 1.0])}
    >>> mixture_error(alike, 2e6, 1e6, stretch=1.0).round(4)
    np.float64(0.5204)
    """
    b, tau = np.asarray(constants["b"], float), np.asarray(constants["tau"], float)
    factor = b.shape[-1] if stretch is None else stretch
    read = DataFiltering().features({"n": np.asarray(n), "U": np.asarray(U)}, None)
    epochs = np.arange(1.0, EPOCHS)
    fade = np.exp(-log(2.0) * epochs / (factor * tau[..., None]))
    utility = (b[..., None] * fade).mean(axis=-2)
    first = np.log(constants["a"]) + np.log(read["fresh"])
    gained = b.mean(axis=-1) * first + (utility * read["growth"]).sum(axis=-1)
    return np.asarray(constants["d"] + np.exp(-gained))


def pools_to_mix(constants: Mapping[str, Any], n: float, U: Any) -> np.ndarray:
    """Choose how many of the best pools to mix: the more samples are seen, the more.

    Parameters
    ----------
    constants : mapping
        As for :func:`mixture_error`, the pools from best to worst.
    n : float
        Samples that the budget allows.
    U : float
        Samples of one pool.

    Returns
    -------
    array of int, shape (...)
        From 1 to the number of pools.

    Examples
    --------
    The authors' pools of 1.28e7 samples each:

    >>> constants = {"d": 0.1, "a": 0.025e-5, "b": np.array([0.16, 0.125, 0.1, 0.085]),
    ...              "tau": np.array([6.7, 8.5, 5.3, 2.3])}
    >>> [int(pools_to_mix(constants, n, 1.28e7)) for n in (1e7, 1e8, 1e9)]
    [1, 2, 3]
    """
    pools = np.asarray(constants["b"]).shape[-1]
    errors = [
        mixture_error(
            {**constants, "b": constants["b"][..., :k], "tau": constants["tau"][..., :k]}, n, k * U
        )
        for k in range(1, pools + 1)
    ]
    return 1 + np.argmin(np.stack(errors), axis=0)
