"""The four estimators of learning curves that Alabdulmohsin et al. compare."""

from dataclasses import dataclass
from math import log
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import (
    choose,
    implicit_root,
    log_sigmoid,
    logaddexp,
    softplus,
)
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter, ceiling, exponent, floor, level, location, positive

_EXAMPLES = {"x": (1e4, 1e8)}


class M1(Law):
    r"""Power law without an asymptote, :math:`y = b x^{-c}`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: examples or compute.

    Notes
    -----
    `b` has the unit of the response, at ``x = 1``; `c` > 0 is minus the exponent of the paper.

    References
    ----------
    Alabdulmohsin, Neyshabur and Zhai (2022), arXiv:2209.06640.

    Examples
    --------
    >>> round(float(M1()(1e4, b=2.0, c=0.25)), 6)
    0.2
    """

    name = "m1"
    parameters = (level("b"), exponent("c", spread=0.8, of="b"))
    monotone = {"x": -1}
    example = Example({"b": 5.0, "c": 0.2}, _EXAMPLES)
    limits = (Limit("power_law", {}, lambda v: {"A": v["b"], "alpha": v["c"]}),)

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.log_b - p.c * xp.log(x)


class M2(Law):
    r"""Power law with an asymptote, :math:`y = \epsilon_\infty + b x^{-c}`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: examples or compute.

    Notes
    -----
    `e_inf` and `b` have the unit of the response; `c` > 0 is minus the exponent of the paper.

    References
    ----------
    Alabdulmohsin, Neyshabur and Zhai (2022), arXiv:2209.06640.

    Examples
    --------
    >>> round(float(M2()(1e4, e_inf=0.1, b=2.0, c=0.25)), 6)
    0.3
    """

    name = "m2"
    parameters = (floor("e_inf"), level("b"), exponent("c", spread=0.8, of="b"))
    monotone = {"x": -1}
    example = Example({"e_inf": 0.15, "b": 10.0, "c": 0.3}, _EXAMPLES)
    limits = (
        Limit("power_law_offset", {}, lambda v: {"E": v["e_inf"], "A": v["b"], "alpha": v["c"]}),
        Limit("m1", {"e_inf": 0.0}, lambda v: {"b": v["b"], "c": v["c"]}),
    )

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return logaddexp(xp, p.log_e_inf, p.log_b - p.c * xp.log(x))


class M3(Law):
    r"""Power law that saturates, :math:`y = b (1/x + 1/x_s)^c`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: examples or compute.

    Notes
    -----
    `b` has the unit of the response, `xs` that of the input: the law levels off at
    :math:`b x_s^{-c}` beyond `xs`, which is 1/gamma in the paper.  `xs` is known only where the
    data reach it.

    References
    ----------
    Alabdulmohsin, Neyshabur and Zhai (2022), arXiv:2209.06640.

    Examples
    --------
    >>> round(float(M3()(2e4, b=2.0, c=0.25, xs=2e4)), 6)
    0.2
    """

    name = "m3"
    parameters = (level("b"), exponent("c", spread=0.8), location("xs", of="x"))
    monotone = {"x": -1}
    example = Example({"b": 10.0, "c": 0.3, "xs": 3e6}, _EXAMPLES)
    limits = (Limit("m1", {"xs": 1e60}, lambda v: {"b": v["b"], "c": v["c"]}),)

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.log_b + p.c * logaddexp(xp, -xp.log(x), -p.log_xs)


@dataclass(frozen=True)
class M4(Law):
    r"""Sigmoid-like curve from random guessing to an asymptote, given implicitly.

    .. math:: \frac{y - \epsilon_\infty}{(\epsilon_0 - y)^a} = b x^{-c}

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: examples or compute.
    e0 : float, optional
        Response of a random guess, such as 1 - 1/classes; a parameter between the largest
        measurement and 1 when absent.

    Notes
    -----
    `e_inf`, `e0` have the unit of the response; `a` is the exponent alpha of the paper and says how
    long the curve stays near `e0`; `c` > 0 is minus the exponent of the paper.  For responses
    above 1, such as losses, give `e0`.

    References
    ----------
    Alabdulmohsin, Neyshabur and Zhai (2022), arXiv:2209.06640, equation 4 and the authors' code.

    Examples
    --------
    >>> y = M4(e0=0.9)(1e4, e_inf=0.1, a=1.0, b=1e2, c=0.5)
    >>> round(float((y - 0.1) / (0.9 - y)), 6)
    1.0
    """

    e0: float | None = None

    name = "m4"
    monotone = {"x": -1}
    example = Example({"e_inf": 0.15, "b": 80.0, "c": 0.4, "a": 0.8, "e0": 0.9}, {"x": (1e3, 1e8)})
    limits = (
        Limit(
            "m2",
            {"a": 1e-7, "e0": 1.0, "b": 10.0},
            lambda v: {"e_inf": v["e_inf"], "b": v["b"], "c": v["c"]},
            tolerance=1e-5,
        ),
    )

    def __post_init__(self) -> None:
        """Check the response of a random guess."""
        if self.e0 is not None and not self.e0 > 0:
            raise ValueError(f"e0 must be positive, not {self.e0!r}: it is the response of a guess")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Asymptote, level, exponents and, unless it is given, the response of a guess."""
        fitted = () if self.e0 is not None else (ceiling("e0"),)
        return (
            floor("e_inf"),
            level("b"),
            exponent("c", spread=0.8),
            positive("a", median=0.5, spread=0.7, between=0.3),
            *fitted,
        )

    def _top(self, p: Parameters) -> Any:
        return p.e0 if self.e0 is None else self.e0

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return logaddexp(xp, p.log_e_inf, self.log_reducible(xp, p, x))

    def log_reducible(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_reducible`; `e_inf` also narrows the room below `e0`."""
        top, a = self._top(p), p.a
        span = xp.log(xp.maximum(top - p.e_inf, 1e-12 * top))
        # With y = e_inf + span sigmoid(t): ln sigmoid(t) - a ln sigmoid(-t) = right side.
        right = p.log_b - p.c * xp.log(x) - (1 - a) * span
        slope = choose(right < (a - 1) * log(2.0), 1.0, a)
        centre, room = right / slope, xp.abs(1 - a) * log(2.0) / slope

        def gap(t: Any) -> tuple[Any, Any]:
            u = softplus(xp, -t)
            return a * (t + u) - u - right, 1 - (1 - a) * xp.exp(-u)

        t = implicit_root(xp, gap, centre - room, centre + room, steps=5)
        return span + log_sigmoid(xp, t)

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Any, *x: Any
    ) -> dict[str, Any]:
        """`b` from the response at the anchor, which a soft bound keeps below `e0`."""
        top = self._top(p)
        slack = 0.01 * top
        below = (top - p.e_inf - xp.exp(log_response)) / slack
        gap = xp.log(slack) + xp.log(softplus(xp, below) + 1e-30)
        return {"b": log_response - p.a * gap + p.c * xp.log(x[0])}
