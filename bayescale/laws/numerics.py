"""Stable elementwise functions that run on numbers, xarray objects and graphs alike.

``xp`` is ``numpy`` or ``pytensor.tensor``: only functions that both have are used, and only
those that xarray passes through (ufuncs), so that a law written with them works everywhere.
"""

from math import log
from typing import Any

#: Stands for log(0): finite, so that sums of terms that are switched off stay differentiable.
LOG_ZERO = -1e6


#: Where exp(z) and log(1 + exp(z)) are one number.
FAR_BELOW = 40.0
_LOG_2 = log(2.0)
#: Where two terms of Stirling's series have all digits.
STIRLING_FROM = 100.0


def softplus(xp: Any, z: Any) -> Any:
    """``log(1 + exp(z))`` without overflow, however small it is."""
    return xp.maximum(z, 0.0) + xp.log1p(xp.exp(-xp.abs(z)))


def log_softplus(xp: Any, z: Any) -> Any:
    """``log(log(1 + exp(z)))``, which is z far below zero."""
    return xp.minimum(z + FAR_BELOW, 0.0) + xp.log(softplus(xp, xp.maximum(z, -FAR_BELOW)))


def logaddexp(xp: Any, a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))`` without overflow.

    It is added to something, so that log1p would sharpen digits that are lost; the compiler would
    put it back for log(1 + exp), and take the exponential anew for the gradient.  A term that is
    switched off leaves nothing to compile.
    """
    if isinstance(a, float) and a == LOG_ZERO:
        return b
    if isinstance(b, float) and b == LOG_ZERO:
        return a
    return xp.maximum(a, b) + xp.log(2 + 2 * xp.exp(-xp.abs(a - b))) - _LOG_2


def log_sum(xp: Any, *terms: Any) -> Any:
    """``log(sum(exp(term)))`` over any number of terms."""
    total = terms[0]
    for term in terms[1:]:
        total = logaddexp(xp, total, term)
    return total


def log1mexp(xp: Any, z: Any) -> Any:
    """``log(1 - exp(z))`` for negative ``z``."""
    if hasattr(xp, "log1mexp"):
        # The compiler puts its own, which is accurate everywhere, in the place of this.
        return xp.log(-xp.expm1(z))
    far, near = xp.minimum(z, -_LOG_2), xp.maximum(z, -_LOG_2)
    return choose(z < -_LOG_2, xp.log1p(-xp.exp(far)), xp.log(-xp.expm1(near)))


def logit_of_log(xp: Any, log_p: Any) -> Any:
    """``logit(p)`` of a logarithm of p, kept inside (0, 1)."""
    log_p = xp.clip(log_p, -500.0, -1e-9)
    return log_p - log1mexp(xp, log_p)


def log_sigmoid(xp: Any, z: Any) -> Any:
    """``log(1 / (1 + exp(-z)))`` without overflow."""
    return -softplus(xp, -z)


def sigmoid(xp: Any, z: Any) -> Any:
    """``1 / (1 + exp(-z))`` without overflow."""
    return xp.exp(log_sigmoid(xp, z))


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """Elementwise ``yes`` or ``no``, both finite."""
    return condition * yes + (1 - condition) * no


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Elementwise ``yes`` or ``no``, which may be infinite; no graphs, and xarray objects stay."""
    import xarray as xr

    return xr.where(condition, yes, no)


def implicit_root(xp: Any, f: Any, low: Any, high: Any, steps: int = 8) -> Any:
    """Root of an increasing function between two bounds, with the gradient of the root itself.

    Newton steps that bisect where they leave the bracket.  In a graph they run outside the
    gradient, and one last Newton step carries it: its derivative is that of the implicit
    function, whatever the path to the root.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``pytensor.tensor``.
    f : callable
        ``f(t)`` returns value and derivative, elementwise.
    low, high : array
        Bounds of the root.
    steps : int
        Number of steps before the last one; smooth functions need six.
    """
    a, b = _constant(low), _constant(high)
    t = (a + b) / 2
    for _ in range(steps):
        value, derivative = map(_constant, f(t))
        a, b = choose(value < 0, t, a), choose(value < 0, b, t)
        newton = t - value / derivative
        t = choose((newton >= a) & (newton <= b), newton, (a + b) / 2)
    value, derivative = f(t)
    return t - value / _constant(derivative)


def root_from_below(xp: Any, f: Any, start: Any, steps: int = 6) -> Any:
    """Root of an increasing concave function above `start`, with the gradient of the root itself.

    A tangent of such a function lies above it, so that Newton's steps never pass the root.  As in
    :func:`implicit_root` only the last step carries the gradient.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``pytensor.tensor``.
    f : callable
        ``f(t)`` returns value and derivative, elementwise.
    start : array
        Where the function is not positive.
    steps : int
        Number of steps before the last one.
    """
    t = _constant(start)
    for _ in range(steps):
        value, derivative = map(_constant, f(t))
        t = t - value / derivative
    value, derivative = f(t)
    return t - value / _constant(derivative)


def _constant(z: Any) -> Any:
    """Cut a graph off from its gradient; numbers have none."""
    if not hasattr(z, "owner"):
        return z
    from pytensor.gradient import disconnected_grad

    return disconnected_grad(z)


def gammaln(xp: Any, z: Any) -> Any:
    """Logarithm of the gamma function."""
    if hasattr(xp, "gammaln"):
        return xp.gammaln(z)
    from scipy import special

    return special.gammaln(z)


def log_gamma_ratio(xp: Any, a: Any, b: Any) -> Any:
    """``log(gamma(a + b) / gamma(a)) - b log(a)``, which goes to zero as `a` grows.

    By Stirling's series for large `a`, where little is left of the difference of two logarithms.
    """
    small, large = xp.minimum(a, STIRLING_FROM), xp.maximum(a, STIRLING_FROM)
    near = gammaln(xp, small + b) - gammaln(xp, small) - b * xp.log(small)
    rest = _stirling_rest(large + b) - _stirling_rest(large)
    far = (large + b - 0.5) * xp.log1p(b / large) - b + rest
    return choose(a > STIRLING_FROM, far, near)


def _stirling_rest(z: Any) -> Any:
    return (1 / 12 - 1 / (360 * z**2)) / z


def betaln(xp: Any, a: Any, b: Any) -> Any:
    """Logarithm of the beta function."""
    return gammaln(xp, a) + gammaln(xp, b) - gammaln(xp, a + b)
