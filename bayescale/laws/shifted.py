"""Power law that saturates at small scale as well as at large."""

from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, location


class ShiftedPowerLaw(Law):
    r"""Power law of a shifted input, saturating at both ends, :math:`y = E + A (x + b)^{-\alpha}`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table.

    Notes
    -----
    `E` and `A` have the unit of the response, `b` > 0 that of the input.  `b` is known only where
    the data reach down to it; otherwise its posterior is its prior and an offset power law says
    the same.

    References
    ----------
    Nezhurina et al. (2025), arXiv:2506.04598, and the authors' code: ImageNet zero-shot error
    against compute in GFLOPs.

    Examples
    --------
    The two procedures cross at about 10^10.84 GFLOPs:

    >>> law = ShiftedPowerLaw()
    >>> [round(float(law(10**10.84, **law.presets[k])), 2) for k in law.presets]
    [0.31, 0.31]
    """

    name = "shifted_power_law"
    parameters = (
        floor("E"),
        level("A"),
        exponent("alpha", spread=0.8, of="A"),
        location("b", of="x"),
    )
    monotone = {"x": -1}
    presets = {
        "clip_2025": {"A": 57.862, "b": 18.39, "alpha": 0.2266, "E": 0.1112},
        "mammut_2025": {"A": 125.357, "b": 19.29, "alpha": 0.2557, "E": 0.1011},
    }
    example = Example({"E": 0.1, "A": 8.0, "alpha": 0.3, "b": 1e3}, {"x": (1e2, 1e8)})
    limits = (
        Limit(
            "power_law_offset",
            {"b": 1e-9},
            lambda v: {"E": v["E"], "A": v["A"], "alpha": v["alpha"]},
        ),
    )

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return logaddexp(xp, p.log_E, p.log_A - p.alpha * logaddexp(xp, xp.log(x), p.log_b))

    def identifiability(self, x: Any) -> list[str]:
        """Say where the data are too narrow to show both ends."""
        if max(x["x"]) < 100 * min(x["x"]):
            return ["less than two decades of the input: the shift b stays at its prior"]
        return []
