"""Responses that turn round: inverse scaling that recovers, or progress that reverses."""

from dataclasses import dataclass
from typing import Any

from bayescale.laws.base import Law, Parameters, exponent, floor, level, location, width
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp, softplus


@dataclass(frozen=True)
class UShape(Law):
    r"""Broken power law whose one break changes the sign of the slope.

    .. math:: y = E + A x^{-a} \left(1 + (x/d)^{1/f}\right)^{(a + b) f}

    The response falls with exponent `a` before the break and rises with exponent `b` after it; the
    turning point lies at :math:`d (a/b)^f`, see :func:`turning_point`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.
    inverted : bool
        Rise first and fall later.

    Notes
    -----
    `E` and `A` have the unit of the response, `d` that of the input, `f` is a width in ln x.  Where
    the posterior of the turning point reaches beyond the data the reversal is not established.

    References
    ----------
    McKenzie et al. (2023), arXiv:2306.09479; form of Caballero et al. (2022), arXiv:2210.14891.

    Examples
    --------
    >>> law = UShape()
    >>> constants = dict(A=8.0, a=0.2, d=1e9, b=0.1, f=0.5)
    >>> x = turning_point(constants)
    >>> bool(law(x, E=0.1, **constants) < law(1.1 * x, E=0.1, **constants))
    True
    >>> bool(law(x, E=0.1, **constants) < law(x / 1.1, E=0.1, **constants))
    True
    """

    inverted: bool = False

    name = "u_shape"
    parameters = (
        floor("E"),
        level("A"),
        exponent("a", median=0.2),
        exponent("b", median=0.2),
        location("d", of="x"),
        width("f"),
    )
    example = Example(
        {"E": 0.1, "A": 8.0, "a": 0.2, "b": 0.15, "d": 1e9, "f": 0.3}, {"x": (1e7, 1e11)}
    )
    limits = (
        Limit(
            "bnsl",
            {},
            lambda v: {
                "E": v["E"],
                "A": v["A"],
                "c0": v["a"],
                "c1": -(v["a"] + v["b"]),
                "d1": v["d"],
                "f1": v["f"],
            },
        ),
    )

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        log_x = xp.log(x)
        turn = (p.a + p.b) * p.f * softplus(xp, (log_x - p.log_d) / p.f) - p.a * log_x
        return logaddexp(xp, p.log_E, p.log_A - turn if self.inverted else p.log_A + turn)


def turning_point(constants: Any) -> Any:
    """Input at which a :class:`UShape` turns round.

    Parameters
    ----------
    constants : mapping
        ``a``, ``b``, ``d`` and ``f``: numbers, arrays or the variables of a posterior.

    Returns
    -------
    number, array or DataArray
        In units of the input.

    Examples
    --------
    >>> turning_point({"a": 0.2, "b": 0.2, "d": 1e9, "f": 0.5})
    1000000000.0
    """
    return constants["d"] * (constants["a"] / constants["b"]) ** constants["f"]
