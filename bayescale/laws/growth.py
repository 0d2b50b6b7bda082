"""Budgets that are split in time: when to grow a model, and training against test-time compute."""

from collections.abc import Mapping
from math import log
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import level, positive, slope


class GrowthTiming(Law):
    r"""Tokens after which a small model is best stacked into a large one.

    .. math:: \log_{10} d = a \log_{10} N + \frac{b}{\log_{10} C} + \log_{10} K

    Notes
    -----
    The response `d` is in tokens of the small model, `N` are parameters of the target, `C` the
    FLOPs of the whole training; :math:`\log_{10} K` is the paper's constant c.  Optima are read off
    slices of constant compute, see :class:`~bayescale.laws.IsoFLOPParabola`.

    References
    ----------
    Du et al. (2024), Stacking Your Transformers, arXiv:2405.15319.

    Examples
    --------
    A target of 7e9 parameters and 1e23 FLOPs: by hand, 10 ** (0.88 * 9.845 + 163.27 / 23 - 5.74).

    >>> law = GrowthTiming()
    >>> round(float(law(7e9, 1e23, **law.presets["du_2024"])) / 1e9, 1)
    10.5
    """

    name = "growth_timing"
    inputs = ("N", "C")
    parameters = (
        level("K"),
        slope("a", mean=0.8, spread=0.5, of="K"),
        positive("b", median=100.0, spread=0.7, between=0.2),
    )
    monotone = {"C": -1}
    presets = {"du_2024": {"K": 10**-5.74, "a": 0.88, "b": 163.27}}
    example = Example(presets["du_2024"], {"N": (4e8, 7e9), "C": (1e20, 1e23)}, noise=0.05)

    def log_mean(self, xp: Any, p: Parameters, N: Any, C: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.log_K + p.a * xp.log(N) + p.b * log(10.0) ** 2 / xp.maximum(xp.log(C), 1.0)


def matched_samples(ratio: Any, training_tokens: Any, inference_tokens: Any) -> Any:
    r"""Test-time compute of a model that costs as much as training one that is larger.

    A model of N parameters takes :math:`6 N D` FLOPs of training and :math:`2 N D_{inf}` of
    inference; one `M` times as large takes M times both.  Their totals are equal where the small
    one spends k times its inference:

    .. math:: k = M + 3 \frac{D}{D_{inf}} (M - 1)

    Parameters
    ----------
    ratio : array_like
        M, the larger model over the smaller.
    training_tokens, inference_tokens : array_like
        D and :math:`D_{inf}`, tokens of training and of all inference in the model's life.

    Returns
    -------
    array_like
        k, samples in place of one.

    References
    ----------
    Exact algebra from the two costs; the comparison is that of Snell et al. (2024),
    arXiv:2408.03314.

    Examples
    --------
    A model of 14 times the size, as many tokens inferred as trained on: 14 + 3 * 13.

    >>> matched_samples(14.0, 1e12, 1e12)
    53.0
    """
    return ratio + 3 * training_tokens / inference_tokens * (ratio - 1)


def matched_ratio(samples: Any, training_tokens: Any, inference_tokens: Any) -> Any:
    """Size of a model, over a smaller one that samples so often, at equal total FLOPs.

    Parameters
    ----------
    samples : array_like
        Samples of the small model in place of one.
    training_tokens, inference_tokens : array_like
        As for :func:`matched_samples`, which this inverts.

    Examples
    --------
    >>> matched_ratio(53.0, 1e12, 1e12)
    14.0
    """
    weight = 3 * training_tokens / inference_tokens
    return (samples + weight) / (1 + weight)


def best_of_both(
    constants: Mapping[str, Any],
    large_rate: Any,
    ratio: Any,
    training_tokens: Any,
    inference_tokens: Any,
) -> Any:
    r"""Accuracy of the small model at matched FLOPs, less that of the large one at one sample.

    The small model resamples as in :class:`~bayescale.laws.TestTimeSaturation`,
    :math:`F_{max} (1 - (1 - p)^k)` with k of :func:`matched_samples`.

    Parameters
    ----------
    constants : mapping
        ``F_max`` and ``p`` of the small model: numbers, arrays or the variables of a posterior.
    large_rate : array_like
        Accuracy of the large model, such as posterior draws.
    ratio, training_tokens, inference_tokens : array_like
        As for :func:`matched_samples`.

    Returns
    -------
    array_like
        Positive where test-time compute is the better use.

    Examples
    --------
    >>> gain = best_of_both({"F_max": 0.8, "p": 0.1}, 0.5, 4.0, 1e12, 1e12)
    >>> round(gain, 3)
    0.097
    """
    samples = matched_samples(ratio, training_tokens, inference_tokens)
    return constants["F_max"] * (1 - (1 - constants["p"]) ** samples) - large_rate


def activations_after(scale: float, width_share: float) -> float:
    r"""Growth of activations when FLOPs grow by a factor, :math:`s^{1 - w/2}`.

    Parameters
    ----------
    scale : float
        s, the factor of FLOPs.
    width_share : float
        w, the share of the growth that goes into width; the rest goes into depth and resolution.
        The paper's fast compound scaling has 0.8, ``d1_w8_g8_r1`` in the authors' code.

    References
    ----------
    Dollar, Singh and Girshick (2021), Fast and Accurate Model Scaling, arXiv:2103.06877; the form
    is derived here from convolutions, whose FLOPs grow with the square of the width.

    Examples
    --------
    >>> activations_after(16.0, width_share=1.0)
    4.0
    """
    return scale ** (1 - width_share / 2)
