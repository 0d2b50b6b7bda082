"""Stable elementwise functions that run on numbers, xarray objects and graphs alike.

``xp`` is ``numpy`` or ``pytensor.tensor``: only functions that both have are used, and only
those that xarray passes through (ufuncs), so that a law written with them works everywhere.
"""

from typing import Any

#: Stands for log(0): finite, so that sums of terms that are switched off stay differentiable.
LOG_ZERO = -1e6


def softplus(xp: Any, z: Any) -> Any:
    """``log(1 + exp(z))`` without overflow."""
    return xp.maximum(z, 0.0) + xp.log1p(xp.exp(-xp.abs(z)))


def logaddexp(xp: Any, a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))`` without overflow."""
    return xp.maximum(a, b) + xp.log1p(xp.exp(-xp.abs(a - b)))


def log_sum(xp: Any, *terms: Any) -> Any:
    """``log(sum(exp(term)))`` over any number of terms."""
    total = terms[0]
    for term in terms[1:]:
        total = logaddexp(xp, total, term)
    return total


def log1mexp(xp: Any, z: Any) -> Any:
    """``log(1 - exp(z))`` for negative ``z``."""
    return xp.log(-xp.expm1(z))


def log_sigmoid(xp: Any, z: Any) -> Any:
    """``log(1 / (1 + exp(-z)))`` without overflow."""
    return -softplus(xp, -z)


def sigmoid(xp: Any, z: Any) -> Any:
    """``1 / (1 + exp(-z))`` without overflow."""
    return xp.exp(log_sigmoid(xp, z))
